/** `auth-agent signing-keys …`: the keys that sign tokens. */
import { isoDate } from 'auth-agent-mcp-server/node';
import { confirm } from '../ask.ts';
import { type Command, databaseFlags, textFlag } from '../command.ts';
import { withServer, withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';

const algorithms = ['ES256', 'RS256', 'EdDSA'] as const;

export const listSigningKeys: Command = {
  name: 'signing-keys list',
  about: 'list published signing keys',
  flags: databaseFlags,
  examples: ['auth-agent signing-keys list'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const keys = (await store.listSigningKeys(now)).map(({ kid, algorithm, createdAt, signsFrom, signsUntil, publishedUntil }) => ({
        kid,
        algorithm,
        status: signsFrom > now ? 'next' : signsUntil !== undefined && signsUntil <= now ? 'retired' : 'signing',
        created_at: isoDate(createdAt),
        signs_from: isoDate(signsFrom),
        signs_until: signsUntil === undefined ? undefined : isoDate(signsUntil),
        published_until: publishedUntil === undefined ? undefined : isoDate(publishedUntil),
      }));
      return {
        data: { keys },
        lines: table(
          ['KID', 'ALGORITHM', 'STATUS', 'CREATED', 'SIGNS FROM', 'SIGNS UNTIL', 'PUBLISHED UNTIL'],
          keys.map((key) => [key.kid, key.algorithm, key.status, key.created_at, key.signs_from, key.signs_until ?? '', key.published_until ?? '']),
        ),
      };
    }),
};

export const rotateSigningKey: Command = {
  name: 'signing-keys rotate',
  about: 'add a successor; it signs once every cache knows it',
  flags: [
    ...databaseFlags,
    { name: 'algorithm', kind: 'text', value: algorithms.join('|'), about: 'whose successor (the configured one)' },
    { name: 'now', kind: 'switch', about: 'it signs at once: who cached the keys may refuse its tokens for up to ten minutes' },
  ],
  examples: ['auth-agent signing-keys rotate', 'auth-agent signing-keys rotate --algorithm RS256', 'auth-agent signing-keys rotate --now'],
  run: (call) =>
    withServer(call, async ({ signing, options, store, now }) => {
      const wanted = textFlag(call, 'algorithm') ?? options.signingAlgorithm;
      const algorithm = algorithms.find((one) => one === wanted);
      if (!algorithm) throw new Failure('usage', `--algorithm is ${algorithms.join(', ')}, not ${safe(wanted)}`, { fix: 'auth-agent signing-keys rotate' });
      await signing.current();
      const kid = await signing.rotate(algorithm, { actor: 'cli', atOnce: call.flags.now === true });
      const added = (await store.listSigningKeys(now())).find((key) => key.kid === kid);
      const from = isoDate(added?.signsFrom ?? now());
      return {
        data: { kid, algorithm, signs_from: from },
        lines: [styleOf(call.terminal.stdout, call.terminal.env).ok(`${kid} (${algorithm}) signs from ${from}`)],
      };
    }),
};

export const dropSigningKey: Command = {
  name: 'signing-keys drop',
  about: 'drop a compromised key at once; its tokens fail',
  usage: '<kid>',
  flags: [...databaseFlags, { name: 'yes', kind: 'switch', about: 'do not ask' }],
  examples: ['auth-agent signing-keys drop 6cR0kVbYx2 --yes'],
  run: (call) =>
    withServer(call, async ({ signing, store, now }) => {
      const [kid = ''] = call.args;
      if (!(await store.listSigningKeys(now())).some((key) => key.kid === kid))
        throw new Failure('notFound', `There is no published key ${safe(kid)}`, { fix: 'auth-agent signing-keys list' });
      await confirm(call, { name: kid, breaks: 'Every token that this key signed fails as soon as nodes and caches have read the keys again.' });
      await signing.drop(kid, 'cli');
      await signing.current();
      return { data: { kid, dropped: true }, lines: [styleOf(call.terminal.stdout, call.terminal.env).ok(`Dropped ${kid}`)] };
    }),
};
