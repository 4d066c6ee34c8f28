/** `auth-agent audit …`: what happened, for people and for machines, and whether the record is whole. */
import {
  adoptChain,
  type Checkpoint,
  type EventFilter,
  type ExportedEvent,
  eventTypes,
  isoDate,
  nearest,
  type Store,
  sealEvents,
  unsealedCounted,
  type Verification,
  verifyChain,
} from 'auth-agent-mcp-server/node';
import { confirm } from '../ask.ts';
import { type Call, type Command, databaseFlags, type Flag, textFlag } from '../command.ts';
import { withServer, withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { labelled, safe, styleOf, table } from '../terminal.ts';
import { findPerson } from './users.ts';

const filterFlags: Flag[] = [
  { name: 'since', kind: 'text', value: 'date', about: 'from then on: 2026-11-21, 2026-11-21T08:30:00Z' },
  { name: 'before', kind: 'text', value: 'date', about: 'and before then' },
  { name: 'type', kind: 'text', value: 'event', about: 'only this kind: grant.revoked' },
  { name: 'user', kind: 'text', value: 'username', about: 'only about this person' },
  { name: 'client', kind: 'text', value: 'id', about: 'only about this client' },
];

export const listAudit: Command = {
  name: 'audit list',
  about: 'list what happened, the newest first',
  flags: [...databaseFlags, ...filterFlags, { name: 'limit', kind: 'text', value: 'n', about: 'at most this many (50)' }],
  examples: ['auth-agent audit list', 'auth-agent audit list --user ada --since 2026-11-01', 'auth-agent audit list --type refresh_token.reused --json'],
  run: (call) =>
    withStore(call, async ({ store }) => {
      const events = (await store.listEvents({ ...(await filterOf(call, store)), limit: limitOf(call) })).map(viewOf);
      const rows = events.map((event) => [event.at, event.type, safe(event.actor), event.user_id ?? '', safe(event.client_id ?? ''), event.address ?? '']);
      return { data: { events }, lines: table(['WHEN', 'EVENT', 'ACTOR', 'PERSON', 'CLIENT', 'FROM'], rows) };
    }),
};

const pageSize = 500;

export const exportAudit: Command = {
  name: 'audit export',
  about: 'write events as NDJSON, the oldest first; safe to run beside the server',
  flags: [...databaseFlags, ...filterFlags],
  examples: ['auth-agent audit export > audit.ndjson', 'auth-agent audit export --since 2026-11-01 --before 2026-12-01 | gzip > november.ndjson.gz'],
  run: (call) =>
    withStore(call, async ({ store }) => {
      if (call.flags.json === true)
        throw new Failure('usage', 'An export is a line of JSON for each event already', { fix: 'auth-agent audit export, without --json' });
      const filter = await filterOf(call, store);
      let count = 0;
      for (let page = await store.pageEvents({ ...filter, limit: pageSize }); page.length > 0; ) {
        call.terminal.stdout.write(page.map((event) => `${JSON.stringify(viewOf(event))}\n`).join(''));
        count += page.length;
        page = await store.pageEvents({ ...filter, after: page.at(-1), limit: pageSize });
      }
      return { data: { events: count }, notes: [styleOf(call.terminal.stderr, call.terminal.env).ok(`Wrote ${count} events`)] };
    }),
};

export const verifyAudit: Command = {
  name: 'audit verify',
  about: 'check that no event was changed, removed, added or moved; exit code 1 names the first that was',
  flags: [
    ...databaseFlags,
    { name: 'checkpoint', kind: 'text', value: 'seq:hash', about: 'an end that an earlier run printed, kept where this database is not' },
  ],
  examples: ['auth-agent audit verify', 'auth-agent audit verify --checkpoint 48213:pZ0…'],
  run: (call) =>
    withServer(call, async (context) => {
      await sealEvents(context);
      const { store, instance } = context;
      const { verified, forgotten, anchor, end, unsealed } = whole(await verifyChain({ store, instance, checkpoint: checkpointOf(call) }));
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      const checkpoint = `${end.seq}:${end.hash}`;
      const lines = [
        ok(`${verified} events from ${anchor.seq + 1} to ${end.seq} are what was sealed`),
        ...(forgotten > 0 ? [labelled('And', `address and detail of ${forgotten} were forgotten with their person`)] : []),
        ...(unsealed > 0 ? [labelled('But', `${unsealed === unsealedCounted ? `${unsealed} or more` : unsealed} wait to be sealed`)] : []),
        labelled('Keep', `${checkpoint}  (elsewhere; next time: --checkpoint)`),
      ];
      return { data: { verified, from: anchor.seq + 1, to: end.seq, forgotten, unsealed, checkpoint }, lines };
    }),
};

export const adoptAudit: Command = {
  name: 'audit adopt',
  about: 'after a change of the secret: check the record, and sign its end with the new one',
  flags: [...databaseFlags, { name: 'yes', kind: 'switch', about: 'do not ask' }],
  examples: ['auth-agent audit adopt', 'auth-agent audit adopt --yes'],
  run: (call) =>
    withServer(call, async (context) => {
      const { store, instance } = context;
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      await sealEvents(context);
      const present = await verifyChain({ store, instance });
      if (present.broken === undefined)
        return {
          data: { verified: present.verified, checkpoint: `${present.end.seq}:${present.end.hash}` },
          lines: [ok(`${present.verified} events are what was sealed, and their end is signed with this secret already`)],
        };
      const { verified, end } = whole(await verifyChain({ store, instance, adopting: true }));
      await confirm(call, {
        name: String(end.seq),
        breaks: `The old secret vouched for the end, ${end.seq}:${end.hash}. Compare it with what audit verify printed last: whoever had the database could have written another.`,
      });
      await adoptChain(context, 'cli');
      const now = whole(await verifyChain({ store, instance }));
      const checkpoint = `${now.end.seq}:${now.end.hash}`;
      const lines = [
        ok(`${verified} events were checked, and their end is signed with this secret`),
        labelled('Keep', `${checkpoint}  (elsewhere; next time: --checkpoint)`),
      ];
      return { data: { verified, adopted: `${end.seq}:${end.hash}`, checkpoint }, lines };
    }),
};

/** @throws {Failure} failed, with the first event that is not what was sealed. */
function whole(found: Verification): Verification {
  const { broken, verified } = found;
  if (!broken) return found;
  throw new Failure('failed', `Event ${broken.seq}${broken.id === undefined ? '' : ` (${broken.id})`}: ${broken.why}`, {
    why: `The ${verified} events before it are what was sealed.`,
    fix: 'Keep a copy of the database as it is, then compare with a backup: auth-agent db restore <file>, auth-agent audit list. If you changed the secret: auth-agent audit adopt',
  });
}

async function filterOf(call: Call, store: Store): Promise<EventFilter> {
  const user = textFlag(call, 'user');
  return {
    since: timeOf(call, 'since'),
    before: timeOf(call, 'before'),
    type: typeOf(call),
    clientId: textFlag(call, 'client'),
    // Who has left has no name any more; their id still says who they were.
    userId: user === undefined ? undefined : user.startsWith('usr_') ? user : (await findPerson(store, user)).id,
  };
}

function timeOf(call: Call, name: string): number | undefined {
  const given = textFlag(call, name);
  if (given === undefined) return undefined;
  const milliseconds = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2}))?$/.test(given) ? Date.parse(given) : Number.NaN;
  if (Number.isNaN(milliseconds))
    throw new Failure('usage', `--${name} is a date, not ${safe(given)}`, { fix: `--${name} 2026-11-21 or --${name} 2026-11-21T08:30:00Z` });
  return Math.floor(milliseconds / 1000);
}

function typeOf(call: Call): string | undefined {
  const type = textFlag(call, 'type');
  if (type === undefined || (eventTypes as readonly string[]).includes(type)) return type;
  throw noEvent(type);
}

/** For a name that is no event: the one that was probably meant, else all there are. */
export function noEvent(type: string): Failure {
  const near = nearest(type, eventTypes);
  const fix = near === undefined ? `Name one of ${eventTypes.toSorted().join(', ')}` : `Did you mean ${near}?`;
  return new Failure('usage', `There is no event ${safe(type)}`, { fix });
}

function limitOf(call: Call): number {
  const given = textFlag(call, 'limit') ?? '50';
  if (!/^[1-9]\d{0,4}$/.test(given)) throw new Failure('usage', '--limit is a number from 1 to 99999', { fix: 'More than that: auth-agent audit export' });
  return Number(given);
}

function checkpointOf(call: Call): Checkpoint | undefined {
  const given = textFlag(call, 'checkpoint');
  if (given === undefined) return undefined;
  const [, seq, hash] = /^(\d{1,15}):([A-Za-z0-9_-]*)$/.exec(given) ?? [];
  if (seq === undefined || hash === undefined)
    throw new Failure('usage', '--checkpoint is what an earlier run printed: <seq>:<hash>', { fix: 'auth-agent audit verify' });
  return { seq: Number(seq), hash };
}

function viewOf({ id, at, type, actor, userId, clientId, serverId, grantId, address, requestId, detail, seq, hash }: ExportedEvent) {
  return {
    id,
    at: isoDate(at),
    type,
    actor,
    user_id: userId,
    client_id: clientId,
    server_id: serverId,
    grant_id: grantId,
    address,
    request_id: requestId,
    detail,
    seq,
    hash,
  };
}
