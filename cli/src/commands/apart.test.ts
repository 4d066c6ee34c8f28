/**
 * Tenants apart on the command line: every command that works on a tenant is run in one with what another has, and does what it does with something that never was.
 * The commands come from their list; what to say for each argument, and which flags make a command do something, is data below.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { auditEvent, openDatabase, openStorage, tablesOf } from 'auth-agent-mcp-server/node';
import type { Command } from '../command.ts';
import { run } from '../run.ts';
import { commands } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-apart-'));
after(() => rmSync(folder, { recursive: true }));
const template = join(folder, 'template.db');
const password = 'correct horse battery';
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const secretFile = file('secret', 'a secret of the upstream\n');
const jwk = { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' };
const jwks = file('jwks.json', JSON.stringify({ keys: [jwk] }));

const env = { AUTH_AGENT_ISSUER: 'https://auth.example.com', AUTH_AGENT_SECRET: randomBytes(32).toString('base64'), LANG: 'en_US.UTF-8' };
type Ran = { exit: number; out: string };

async function cli(words: string[], database = template): Promise<Ran> {
  const out: string[] = [];
  const write = (text: string) => out.push(text);
  const terminal = {
    env: { ...env, AUTH_AGENT_DATABASE_URL: `sqlite:${database}` },
    stdin: Object.assign(Readable.from([`${password}\n`]), { isTTY: false }),
    stdout: { write },
    stderr: { write },
    untilStopped: async () => 'SIGINT' as const,
  };
  const exit = await run(words, terminal);
  return { exit, out: out.join('') };
}
async function data(line: string) {
  const { exit, out } = await cli([...line.split(' '), '--json']);
  assert.equal(exit, 0, `${line}: ${out}`);
  return JSON.parse(out.split('\n').find((text) => text.startsWith('{')) ?? '{}').data;
}

/** What the victim has; each stands for an argument. */
type Has = Record<'person' | 'server' | 'key' | 'client' | 'grant' | 'ownerToken' | 'registrationToken' | 'signingKey' | 'webhook' | 'request', string> &
  Record<string, string>;

/** By the argument of a command, or the command and its argument: whose name it is. What is made new has the name that the victim gave. */
const argumentOf: Record<string, keyof Has> = {
  '<username>': 'person',
  '<user>': 'person',
  '<email>': 'email',
  '<server-id>': 'server',
  '<client-id>': 'client',
  '<key-id>': 'key',
  '<kid>': 'signingKey',
  '<all|listed>': 'listed',
  '<url>': 'url',
  '<subject>': 'subject',
  'servers <id>': 'server',
  'server-people <id>': 'server',
  'clients <id>': 'client',
  'grants <id>': 'grant',
  'upstreams <id>': 'upstream',
  'owner-tokens <id>': 'ownerToken',
  'registration-tokens <id>': 'registrationToken',
  'webhooks <id>': 'webhook',
  'requests <id>': 'request',
  'issuers <issuer>': 'issuer',
  'identities <issuer>': 'issuer',
  'workloads <issuer>': 'platform',
};

/** What a command needs beside its arguments; `{client}` is the victim's. */
const flagsOf: Record<string, string> = {
  'servers add': '--scope files:read --owner {person}',
  'servers list': '--owner {person}',
  'users add': '--password-stdin',
  'clients add': '--name Another --speaks-for {server} --redirect-uri https://another.example/cb',
  'clients list': '--all',
  'client-keys set': `--jwks ${jwks}`,
  'client-secrets revoke': '--older',
  'upstreams add': `https://login.acme.example --name Acme --client-id id --client-secret-file ${secretFile}`,
  'upstreams secret': `--client-secret-file ${secretFile}`,
  'workloads add': '--client {workload}',
  'assertion-targets add': '--audience https://as.example --resource https://there.example --scope a',
  'assertion-targets rm': '--audience https://as.example --resource https://there.example',
  'issuers add': `--people --jwks ${jwks}`,
  'webhooks add': '--all',
  'webhooks replay': '--event-id evt_0000000none00000',
  'grants list': '--user {person}',
  'audit list': '--user {person}',
  'audit export': '--user {person}',
  panic: '--user {person}',
  'requests list': '--server {server}',
};

/** Commands that say the same of anything, and why. */
const sayTheSame: Record<string, string> = {
  'registration-tokens create': 'it makes something new and names nothing',
  'webhooks add': 'any number of receivers may have the same address',
  'signing-keys rotate': 'it makes something new and names nothing',
};

const ofTenants = commands.filter(({ flags = [] }) => flags.some(({ name }) => name === 'tenant'));
const placeholdersOf = ({ usage = '' }: Command) => usage.match(/<[^>]+>/g) ?? [];
const valueName = ({ name }: Command, placeholder: string): string | undefined => argumentOf[`${name.split(' ')[0]} ${placeholder}`] ?? argumentOf[placeholder];

describe('commands in one tenant, with what another has', () => {
  let has: Has;
  before(async () => {
    await data('db migrate');
    for (const slug of ['victim', 'attacker']) await data(`tenants add ${slug} --sign-up invitation`);
    has = await furnished();
  });

  test('every argument of every command is known here', () => {
    const unknown = ofTenants.flatMap((command) =>
      placeholdersOf(command)
        .filter((one) => valueName(command, one) === undefined)
        .map((one) => `${command.name} ${one}`),
    );
    assert.deepEqual(unknown, []);
    assert.deepEqual(
      Object.keys({ ...flagsOf, ...sayTheSame }).filter((name) => !ofTenants.some((command) => command.name === name)),
      [],
    );
  });

  for (const command of ofTenants) {
    test(`${command.name} finds nothing of another tenant, says what it says of nothing, and changes nothing there`, async () => {
      const words = (own: Record<string, string>) => [
        ...command.name.split(' '),
        ...placeholdersOf(command).map((one) => own[valueName(command, one) ?? ''] ?? ''),
        ...(flagsOf[command.name] ?? '')
          .split(' ')
          .filter(Boolean)
          .map((word) => word.replace(/^\{(\w+)\}$/, (_, name: string) => own[name] ?? '')),
        ...((command.flags ?? []).some(({ name }) => name === 'yes') ? ['--yes'] : []),
      ];
      const nobodys = Object.fromEntries(Object.entries(has).map(([name, value]) => [name, unknownLike(name, value)]));
      const stolen = await alone(words(has), 'attacker');
      const unknown = await alone(words(nobodys), 'attacker');
      const rightful = await alone(words(has), 'victim');

      assert.notEqual(stolen.exit, 2, stolen.out);
      assert.notEqual(stolen.exit, 1, stolen.out);
      assert.equal(faceOf(stolen, has), faceOf(unknown, nobodys));
      assert.deepEqual(stolen.victims, untouched);
      assert.doesNotMatch(withoutGiven(stolen.out, words(has)), /zanzibar/);
      const counts = faceOf(rightful, has) !== faceOf(unknown, nobodys);
      assert.equal(counts, sayTheSame[command.name] === undefined, 'what is its own counts, or it was attacked in vain');
    });
  }

  let untouched: string[];

  /** Runs on a copy of the database. `victims`: every row of the victim afterwards. */
  async function alone(words: string[], tenant: string): Promise<Ran & { victims: string[] }> {
    const copy = join(folder, 'copy.db');
    for (const end of ['', '-wal', '-shm']) rmSync(copy + end, { force: true });
    copyFileSync(template, copy);
    const ran = await cli([...words, '--tenant', tenant], copy);
    return { ...ran, victims: await rowsOf(copy) };
  }

  async function rowsOf(database: string): Promise<string[]> {
    const driver = await openDatabase(`sqlite:${database}`);
    const rows: string[] = [];
    for (const table of tablesOf().filter((name) => name !== 'tenants'))
      for (const row of await driver.read({ text: `select * from ${table} where tenant = ?1`, values: ['victim'] }))
        rows.push(`${table} ${JSON.stringify(row)}`);
    await driver.close();
    return rows.sort();
  }

  async function furnished(): Promise<Has> {
    const at = '--tenant victim';
    await data(`users add zanzibar --role owner --email zanzibar@example.com --password-stdin ${at}`);
    await data(`users add second --role operator --password-stdin ${at}`);
    const { server_id: server } = await data(`servers add https://zanzibar.example --name zanzibar --scope files:read --owner zanzibar ${at}`);
    const { key_id: key } = await data(`keys create ${server} ${at}`);
    const { client_id: client } = await data(`clients add --name zanzibar --confidential --redirect-uri https://zanzibar.example/cb ${at}`);
    await data(`client-secrets add ${client} ${at}`);
    const { client_id: workload } = await data(`clients add --name zanzibar --workload --scope files:read --resource https://zanzibar.example ${at}`);
    await data(`upstreams add zanzibar https://login.acme.example --name zanzibar --client-id id --client-secret-file ${secretFile} ${at}`);
    const issuer = 'https://zanzibar-idp.example';
    const platform = 'https://zanzibar-ci.example';
    await data(`issuers add ${issuer} --people --jwks ${jwks} ${at}`);
    await data(`identities link ${issuer} zanzibar zanzibar ${at}`);
    await data(`issuers add ${platform} --workloads --jwks ${jwks} ${at}`);
    await data(`workloads add ${platform} zanzibar --client ${workload} ${at}`);
    await data(`assertion-targets add ${client} --audience https://as.example --resource https://there.example --scope a ${at}`);
    const owner = await data(`owner-tokens create zanzibar --name zanzibar ${at}`);
    const registration = await data(`registration-tokens create --name zanzibar ${at}`);
    const webhook = await data(`webhooks add https://zanzibar.example/hook --all ${at}`);
    await data(`server-people open ${server} listed ${at}`);
    await data(`users invite zanzibar-guest@example.com ${at}`);
    await data(`panic --user second --yes ${at}`);
    const { keys } = await data(`signing-keys rotate ${at}`).then(() => data(`signing-keys list ${at}`));
    const rows = await inStore(server, client);
    untouched = await rowsOf(template);
    return {
      person: 'zanzibar',
      email: 'zanzibar-guest@example.com',
      server,
      key,
      client,
      workload,
      upstream: 'zanzibar',
      issuer,
      platform,
      subject: 'zanzibar',
      url: 'https://zanzibar.example/mcp',
      listed: 'listed',
      ownerToken: owner.token_id,
      registrationToken: registration.token_id,
      signingKey: keys[0].kid,
      webhook: webhook.id,
      ...rows,
    };
  }

  /** A grant and a request for access, which come from people and not from commands. */
  async function inStore(serverId: string, clientId: string): Promise<{ grant: string; request: string }> {
    const storage = openStorage(await openDatabase(`sqlite:${template}`));
    const store = storage.forTenant('victim');
    const now = Math.floor(Date.now() / 1000);
    const second = (await store.listUsers()).find(({ username }) => username === 'second');
    const grant = { id: 'grant_zanzibar00', clientId, serverId, resource: 'https://zanzibar.example', scope: ['files:read'], createdAt: now, lastUsedAt: now };
    await store.ensureMachineGrant(grant, auditEvent('grant.machine_approved', now, 'test', { clientId, grantId: grant.id }));
    await store.askForAccess(
      { id: 'ask_zanzibar0000', serverId, userId: second?.id ?? '', message: 'zanzibar', createdAt: now, expiresAt: now + 86_400 },
      auditEvent('access.requested', now, 'test', { userId: second?.id }),
    );
    await storage.close();
    return { grant: grant.id, request: 'ask_zanzibar0000' };
  }
});

/** A value of the same form that is nobody's. */
function unknownLike(name: string, value: string): string {
  if (name === 'listed') return value;
  return value.includes('zanzibar')
    ? value.replaceAll('zanzibar', 'atlantis')
    : `${value.slice(0, -3)}${value.slice(-3).replace(/\w/g, (one) => (one === 'q' ? 'r' : 'q'))}`;
}

/** What was said, without what was given and what differs at each run. */
function faceOf({ exit, out }: Ran, given: Record<string, string>): string {
  return `${exit}\n${withoutGiven(out, Object.values(given))}`;
}

function withoutGiven(out: string, given: readonly string[]): string {
  return given
    .filter((value) => value.length > 6)
    .toSorted((a, b) => b.length - a.length)
    .reduce((left, value) => left.replaceAll(value, '‹given›'), out)
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z?/g, '‹time›')
    .replace(/whsec_[A-Za-z0-9+/=]+/g, '‹secret›')
    .replace(/[A-Za-z0-9_-]{9,}/g, (word) => (/\d|_/.test(word) || word.length > 15 ? '‹id›' : word));
}
