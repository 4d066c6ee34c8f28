/**
 * The house rules that a machine can hold: which room may know which (as data), where the environment and Node may be touched, and how files look. An arrow
 * that is not listed fails, and so does a listed one that nobody uses. Not here: the reasons (docs/architecture.md).
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const root = new URL('../..', import.meta.url).pathname;

/** What every room may stand on. */
const floor = [
  'audit',
  'context',
  'crypto',
  'errors',
  'http-request',
  'languages',
  'options',
  'page-frame',
  'page-language',
  'relay',
  'route',
  'rules',
  'storage/store',
  'views',
];

/** The rooms, and what each may know beside the floor: single files of a neighbour, so that every sideways step is seen. */
const rooms: Record<string, string[]> = {
  account: [
    'clients/address-bucket',
    'clients/find',
    'clients/response-algorithm',
    'clients/sector',
    'servers/owner-token',
    'servers/resource',
    'upstream/failure',
    'upstream/person',
    'upstream/provider',
    'upstream/recipes',
  ],
  api: ['servers/key-value', 'storage/driver', 'zod'],
  authorize: [
    'account/browser-cookie',
    'account/choose-account',
    'account/client-view',
    'account/cookies',
    'account/form-token',
    'account/fresh-sign-in',
    'account/held-sessions',
    'account/id-token-hint',
    'account/methods/index',
    'account/parked-request',
    'account/session',
    'account/set-up',
    'account/sign-in',
    'clients/address-bucket',
    'clients/find',
    'clients/metadata',
    'clients/sector',
    'servers/resource',
    'token/back-channel',
    'token/client-auth',
    'token/dpop',
  ],
  clients: [],
  mail: [],
  webhooks: ['clients/fetch-failure'],
  device: [
    'account/browser-cookie',
    'account/form-token',
    'account/fresh-sign-in',
    'account/session',
    'account/throttled',
    'authorize/approval',
    'authorize/asked-for',
    'authorize/duration',
    'authorize/may-use',
    'authorize/question',
    'authorize/receipt',
    'authorize/scopes',
    'authorize/together',
    'clients/address-bucket',
    'clients/find',
    'clients/metadata',
    'token/back-channel',
    'token/client-auth',
  ],
  discovery: ['account/methods/index', 'clients/metadata-document', 'clients/register', 'clients/response-algorithm', 'token/exchange', 'token/grants'],
  servers: [],
  trust: ['clients/fetch-failure', 'clients/flights', 'clients/remote-keys'],
  site: [],
  upstream: ['clients/fetch-failure', 'clients/flights', 'openid-client'],
  token: [
    'account/client-view',
    'clients/address-bucket',
    'clients/find',
    'clients/keys',
    'clients/response-algorithm',
    'clients/secret',
    'clients/sector',
    'servers/key-value',
    'servers/resource',
    'trust/issuer-keys',
  ],
};

/** Everything above and below the rooms. A name stands for a room with all its files, `room/file` for one file, anything else for a package or a part of Node. */
const arrows: Record<string, string[]> = {
  // above: who opens the house and who knows every room
  runtimes: [
    'app',
    'bound-assets',
    'clients/fetch-failure',
    'context',
    'crypto',
    'demo',
    'http-request',
    'load-shedding',
    'mail',
    'options',
    'route',
    'rules/person',
    'rules/read-body',
    'server',
    'storage',
    'node:',
    '@hono/node-server',
    'nodemailer',
  ],
  demo: [
    'app',
    'audit',
    'context',
    'crypto',
    'http-request',
    'options',
    'page-frame',
    'route',
    'rules',
    'server',
    'storage/driver',
    'storage/store',
    'views',
    'node:async_hooks',
  ],
  server: ['account', 'api', 'app', 'audit', 'authorize', 'clients', 'device', 'discovery', 'options', 'route', 'servers', 'site', 'token'],
  app: ['context', 'crypto', 'errors', 'hono', 'http-request', 'load-shedding', 'options', 'route', 'storage/open', 'storage/store', 'tenant-contexts'],
  'tenant-contexts': [
    'account/tell-logout',
    'context',
    'crypto',
    'limits/limits',
    'mail/outbox',
    'options',
    'route',
    'storage/activity-counter',
    'storage/store',
    'storage/use-counter',
    'webhooks/deliver',
  ],
  'load-shedding': ['context', 'errors', 'http-request', 'options', 'page-language', 'route'],
  // the floor itself
  'page-frame': ['context', 'crypto', 'errors', 'page-language', 'views'],
  'page-language': ['context', 'languages', 'options'],
  languages: [],
  assets: [],
  'bound-assets': ['assets', 'errors', 'languages'],
  route: ['context', 'errors', 'http-request', 'page-frame', 'page-language', 'storage/driver', 'views'],
  context: [
    'crypto',
    'http-request',
    'limits/limits',
    'mail/outbox',
    'options',
    'relay',
    'route',
    'storage/activity-counter',
    'storage/store',
    'storage/use-counter',
    'webhooks/deliver',
  ],
  relay: [],
  options: ['context', 'http-request', 'languages', 'limits/policies', 'route', 'rules/passwords', 'storage/driver', 'zod'],
  'http-request': [],
  limits: ['errors', 'storage/store'],
  errors: [],
  views: ['#assets', 'assets/messages/en.json', 'hono/html', 'intl-messageformat', 'languages', 'uqr'],
  audit: ['crypto', 'storage/store'],
  rules: ['#assets', 'crypto', 'errors', 'http-request'],
  crypto: ['audit', 'errors', 'storage/store', 'node:crypto', 'node:os', 'node:worker_threads', '@levischuck/tiny-cbor', 'jose'],
  // below: the only door to a database
  storage: ['storage/migrations', 'storage/tables', 'storage/verbs'],
  'storage/tables': ['audit', 'storage/driver', 'storage/holdings', 'storage/row', 'storage/store', 'storage/verbs'],
  'storage/verbs': ['audit'],
  'storage/migrations': ['storage/driver', 'storage/row', 'storage/store'],
  'storage/drivers': ['storage/driver', 'node:', 'pg'],
};

/** Public lists of names may name anything; they hold no code. */
const publicLists = ['index', 'runtimes/node'];

/** Where `process.env` may be read. */
const environment = ['server/src/runtimes/', 'cli/src/', 'sdk/typescript/src/environment.ts'];

type Source = { path: string; text: string; code: string };
const sources = read('{server,cli,sdk/typescript}/src/**/*.ts');
/** Without tests, and without the suite that every store must pass, which is published but is a test. */
const production = sources.filter(({ path }) => !/\.test\.ts$|\/storage\/(contract|crash-worker)[/.]/.test(path));
const inServer = production.filter(({ path }) => path.startsWith('server/src/') && !publicLists.includes(withinServer(path)));

test('a room knows only what its arrows say', () => {
  const wrong = inServer.flatMap((source) =>
    importsOf(source).flatMap((target) => (isAllowed(roomOf(source.path), target) ? [] : [`${source.path} → ${target}`])),
  );

  assert.deepEqual(wrong, []);
});

test('every arrow is used', () => {
  const used = inServer.flatMap((source) => importsOf(source).map((target) => ({ from: roomOf(source.path), target })));
  const idle = Object.entries({ ...rooms, ...arrows }).flatMap(([room, targets]) =>
    targets.filter((allowed) => !used.some(({ from, target }) => from === room && covers(allowed, target))).map((allowed) => `${room} → ${allowed}`),
  );
  const idleFloor = floor.filter((allowed) => !used.some(({ from, target }) => from in rooms && covers(allowed, target)));

  assert.deepEqual([...idle, ...idleFloor], []);
});

test('the environment is read in runtimes, the command line and one file of the SDK', () => {
  const wrong = production.filter((source) => source.code.includes('process.env') && !environment.some((place) => source.path.startsWith(place)));

  assert.deepEqual(paths(wrong), []);
});

test('nothing is exported by default and nothing is of type any', () => {
  assert.deepEqual(paths(sources.filter((source) => /^export default/m.test(source.code))), []);
  assert.deepEqual(paths(sources.filter((source) => /(:|<|\bas|\|) ?any\b/.test(source.code))), []);
});

test('files are named in kebab-case, by what they are and not by what they help', () => {
  const names = sources.flatMap((source) => source.path.split('/').slice(1));

  assert.deepEqual(
    names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?(\.ts)?$/.test(name)),
    [],
  );
  assert.deepEqual(
    names.filter((name) => /^(helpers?|utils?|shared|common|lib|misc)(\.ts)?$/.test(name)),
    [],
  );
});

test('every file begins by saying what it owns', () => {
  assert.deepEqual(paths(production.filter((source) => !/^(#!.*\n)?\/\*\*/.test(source.text))), []);
});

test('nothing names the place where this was written', () => {
  const words = [
    ['..', 'shared'],
    ['', 'work', ''],
    ['', 'tmp', 'brief'],
    ['', 'root', ''],
  ]
    .map((parts) => parts.join('/'))
    .concat(['the archi' + 'tect', 'colle' + 'ague']);
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
    .split('\0')
    .filter((path) => /\.(ts|mjs|md|json|sh|ya?ml|toml|html)$|^\.ci\//.test(path));
  const named = tracked.flatMap((path) => words.filter((word) => readFileSync(join(root, path), 'utf8').includes(word)).map((word) => `${path}: ${word}`));

  assert.deepEqual(named, []);
});

test('no merge left its marks behind', () => {
  // It finds nothing, and says so by its exit code.
  const { status, stdout } = spawnSync('git', ['grep', '-lE', '^(<{7}|>{7}) '], { cwd: root, encoding: 'utf8' });

  assert.deepEqual([status, stdout], [1, '']);
});

test('no lock names a registry', () => {
  const locks = globSync('{,bench/peers/*/,conformance/}package-lock.json', { cwd: root });

  assert.ok(locks.length > 0);
  for (const lock of locks) assert.doesNotMatch(readFileSync(join(root, lock), 'utf8'), /"resolved": "http/, lock);
});

function read(pattern: string): Source[] {
  return globSync(pattern, { cwd: root, exclude: (path) => /node_modules|dist$/.test(path) }).map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    return { path, text, code: text.replaceAll(/\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/.*/g, '') };
  });
}

/** What a file imports from outside its room: `room/file`, `node:x` or a package. */
function importsOf({ path, code }: Source): string[] {
  return [...code.matchAll(/(?:from|import\(?) ?'([^']+)'/g)]
    .map(([, target = '']) => (target.startsWith('.') ? withinServer(normalize(join(dirname(path), target))) : target))
    .filter((target) => roomOf(`server/src/${target}`) !== roomOf(path) || target.includes(':'));
}

/** The path below server/src, without its ending. */
function withinServer(path: string): string {
  return path.replace(/^server\/src\//, '').replace(/\.ts$/, '');
}

/** `storage/drivers/pg.ts` is in storage/drivers, `app.ts` is a room of its own. */
function roomOf(path: string): string {
  const [first = '', ...rest] = withinServer(path).split('/');
  return first === 'storage' && rest.length > 1 ? `${first}/${rest[0]}` : first;
}

function isAllowed(room: string, target: string): boolean {
  const allowed = room in rooms ? [...floor, ...(rooms[room] ?? [])] : (arrows[room] ?? []);
  return allowed.some((one) => covers(one, target));
}

/** `clients` covers `clients/find`, `node:` every part of Node, a package its own name. `hono` covers its routers, but not `hono/html`. */
function covers(allowed: string, target: string): boolean {
  return target === allowed || (allowed === 'node:' && target.startsWith('node:')) || (target.startsWith(`${allowed}/`) && target !== 'hono/html');
}

function paths(list: Source[]): string[] {
  return list.map((source) => source.path);
}

/** A test of this very file: the reading of imports is what all the rest stands on. */
test('imports are read from every form of import', () => {
  const text =
    "import { a } from './b.ts';\nimport type { C } from '../crypto/c.ts';\nimport 'node:fs';\nconst d = await import('../server.ts');\n// from './no.ts'\n";

  assert.deepEqual(importsOf({ path: 'server/src/token/token.ts', text, code: text.replaceAll(/\/\/.*/g, '') }), ['crypto/c', 'node:fs', 'server']);
  assert.equal(roomOf('server/src/storage/drivers/postgres.ts'), 'storage/drivers');
});
