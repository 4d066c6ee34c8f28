/**
 * Which stories run in which cell of runtime and database, and why not all of them where it is not all: data for run.ts and docs/runtimes.md.
 */

/** What every client needs and what differs most between runtimes and databases: keys, races, limits, forms, cookies, what is handed to functions. */
export const core = [
  'discovery',
  'discovery-keys',
  'registration',
  'registration-management',
  'sign-in',
  'sign-in-setup',
  'consent',
  'authorize-request',
  'pushed-requests',
  'device-grant',
  'token-code',
  'token-refresh',
  'token-client-credentials',
  'token-client-key',
  'token-dpop',
  'token-exchange',
  'introspection',
  'token-revocation',
  'token-userinfo',
  'jwt-bearer',
  'email-code',
  'second-step',
  'passkeys',
  'upstream',
  'backchannel-logout',
];

/** Of these what `--short` tells in every cell: the way of a client from metadata to a token that is refreshed, checked and bound, and a person on pages. */
export const short = ['discovery', 'registration', 'consent', 'token-code', 'token-refresh', 'token-dpop', 'introspection', 'passkeys'];

/** A story that cannot be told of a server in another process. */
export type LeftOut = { title: string; because: string };

const elsewhere: LeftOut[] = [
  { title: '[TOK-05] an outage of the database is 503 with Retry-After, and nothing is told', because: 'the story closes the database under the server' },
  { title: '[LOG-05] an unknown user costs a password hash, as a known one does', because: 'the story measures the processor time of its own process' },
  {
    title: '[LINK-03] cannot be told by status, headers, text or tries, nor by the work that is done',
    because: 'the story counts what its own process asks the database',
  },
  {
    title: '[LO-05] a stop waits for what a client is being told, and what it has not begun another node does',
    because: 'the story stops the server of its own process',
  },
];

const eachForItself: LeftOut[] = [
  {
    title: '[INT-07] a flood of made-up tokens is 429 for this key, not for another, and not for tokens seen before',
    because: 'the limit protects the processor of a node, so each node counts for itself',
  },
  {
    title: '[JAG-06] [CA-10] an issuer whose metadata cannot be had is asked once a minute, however many tokens name it',
    because: 'each node remembers for itself what it could not fetch',
  },
  ...[
    '[CA-10] a jwks_uri is asked when first needed, kept while fresh, and asked again for an unknown key at most once a minute',
    '[CA-10] fifty requests at once ask the address once',
    '[CA-10] the last good keys stand in for a silent host for a day, never for one that says 404, and a dead address is asked once a minute',
  ].map((title) => ({ title, because: 'each node keeps the keys of clients that it fetched itself' })),
  {
    title: '[CA-11] guessing with assertions is slowed down like guessing secrets, for this client from this address',
    because:
      'wrong guesses are counted for all nodes; that the right one waits too is remembered by the node that saw them, because a good request costs no statement',
  },
  elsewhere[2] as LeftOut,
];

export type Cell = {
  name: string;
  runner: 'node' | 'bun';
  /** Every story, the core ones, or files of tests of its own. */
  stories: 'all' | 'core' | readonly string[];
  postgres?: true;
  env?: Record<string, string>;
  /** Why these stories and not all. */
  because?: string;
  /** Why `--short` leaves this cell out; run it by its name. */
  notInShort?: string;
  leftOut?: LeftOut[];
};

const onPostgres = { AUTH_AGENT_TEST_DATABASE: 'postgres' };
const inWorkerd = { AUTH_AGENT_TEST_RUNTIME: 'workerd' };

/** In the order in which they begin, the longest first. Node × SQLite is `npm test`. */
export const cells: Cell[] = [
  { name: 'the storage contract on D1', runner: 'node', stories: ['tools/runtimes/d1.ts'] },
  { name: 'Workers × D1', runner: 'node', stories: 'all', env: inWorkerd, leftOut: elsewhere },
  {
    name: 'Node × Postgres',
    runner: 'node',
    stories: 'all',
    postgres: true,
    env: onPostgres,
    notInShort: 'three nodes on Postgres tell the same stories, with more that can go wrong',
  },
  { name: 'Bun × SQLite', runner: 'bun', stories: 'all' },
  {
    name: 'Workers × Postgres',
    runner: 'node',
    stories: 'core',
    postgres: true,
    env: { ...onPostgres, ...inWorkerd },
    leftOut: elsewhere,
    because: 'the runtime is that of Workers × D1 and the database that of Node × Postgres, where every story runs',
  },
  {
    name: 'Three nodes × Postgres',
    runner: 'node',
    stories: 'core',
    postgres: true,
    env: { ...onPostgres, AUTH_AGENT_TEST_NODES: '3' },
    leftOut: eachForItself,
    because: 'each request of a story goes to the next node; the others differ in pages, not in what nodes share',
  },
  {
    name: 'Bun × Postgres',
    runner: 'bun',
    stories: 'core',
    postgres: true,
    env: onPostgres,
    because: 'the runtime is that of Bun × SQLite and the database that of Node × Postgres, where every story runs',
  },
  { name: 'the Worker as deployed', runner: 'node', stories: ['tools/runtimes/worker.ts'] },
  { name: 'the command line on Bun', runner: 'node', stories: ['tools/runtimes/bun.ts'] },
];
