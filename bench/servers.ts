/** Which servers a run measures: this one on the chosen runtime and database, and with `--peers` every peer that is installed. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type Server = {
  name: string;
  /** Module that answers the questions of subject.ts. */
  module: string;
  argument?: string;
  /** Runs the module; Node where it is left out. */
  runtime?: string;
  database: 'file' | 'postgres' | 'none';
  /** What is on a disk when an answer is sent, said above its table. */
  keeps: string;
  /** Fresh requests for one repetition of a path that uses each once; a repetition ends early when they are used up, and its rate is of the time it took. */
  perRepetition: number;
  /** Seconds of load before the first figure of a path, for a compiler that learns while it runs. */
  warmUpSeconds?: number;
  /** One process and one database for every path: a start costs too much to pay for each. */
  oneProcess?: true;
};

export type Choice = { peers?: boolean; database: string; runtime: string; nodes: number };

const here = fileURLToPath(new URL('.', import.meta.url));
const bun = `${here}../tools/runtimes/node_modules/.bin/bun`;
const durableFile = 'SQLite in a file, WAL, `synchronous=FULL`: every answer that writes waits for the disk.';
const durablePostgres = 'Postgres with `fsync=on`, on the same core: every answer that writes waits for the disk.';
const sharedPostgres = 'One Postgres with `fsync=on` for all nodes, on any core; connections of the load are shared out among the nodes.';
const inMemory = 'Keeps everything in memory and commits nothing.';

const peers: (Server & { folder: string })[] = [
  ...['JWT', 'opaque'].map((format) => ({
    name: `node-oidc-provider, ${format} access tokens`,
    folder: 'peers/node-oidc-provider/node_modules',
    module: 'peers/node-oidc-provider/server.mjs',
    argument: format.toLowerCase(),
    database: 'none' as const,
    keeps: inMemory,
    perRepetition: 8000,
  })),
  {
    name: 'better-auth',
    folder: 'peers/better-auth/node_modules',
    module: 'peers/better-auth/server.mjs',
    database: 'file',
    keeps: durableFile,
    perRepetition: 1500,
  },
  {
    name: 'Keycloak',
    folder: 'peers/keycloak/dist',
    module: 'peers/keycloak/server.mjs',
    database: 'postgres',
    keeps: `${durablePostgres} One Java process for all paths; each path is warmed up for 30 s first.`,
    perRepetition: 2000,
    warmUpSeconds: 30,
    oneProcess: true,
  },
];

/** The servers of a run, this one first. Says on stderr which peers are not installed. @throws where Bun is asked for and not installed */
export function serversOf({ peers: withPeers, database, runtime, nodes }: Choice): Server[] {
  if (!['sqlite', 'postgres'].includes(database) || !['node', 'bun'].includes(runtime))
    throw new Error('--database is sqlite or postgres, --runtime node or bun');
  if (nodes > 1 && (database !== 'postgres' || withPeers)) throw new Error('several nodes need --database postgres, without --peers');
  if (runtime === 'bun' && !existsSync(bun)) throw new Error('Bun is missing: npm ci --prefix tools/runtimes');
  const where = [runtime === 'bun' && 'on Bun', database === 'postgres' && 'on Postgres', nodes > 1 && `with ${nodes} nodes`].filter(Boolean).join(' ');
  const ours: Server = {
    name: ['this server', where].filter(Boolean).join(' '),
    module: 'server.ts',
    runtime: runtime === 'bun' ? bun : undefined,
    database: database === 'postgres' ? 'postgres' : 'file',
    keeps: nodes > 1 ? sharedPostgres : database === 'postgres' ? durablePostgres : durableFile,
    perRepetition: 8000,
  };
  return withPeers ? [ours, ...peers.filter(isInstalled)] : [ours];
}

function isInstalled({ name, folder }: (typeof peers)[number]): boolean {
  if (existsSync(here + folder)) return true;
  console.error(`left out: ${name} is not installed; bench/peers/install.sh ${folder.split('/')[1]}`);
  return false;
}
