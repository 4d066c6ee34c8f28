/** `auth-agent client-keys …`: the public keys with which a client signs (private_key_jwt). */
import { readFileSync } from 'node:fs';
import { auditEvent, type Client, type ClientMetadata, parseKeySet, type Store } from 'auth-agent-mcp-server/node';
import { type Call, type Command, databaseFlags, type Flag, textFlag } from '../command.ts';
import { withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf } from '../terminal.ts';

export type Keys = Pick<ClientMetadata, 'jwks' | 'jwksUri'>;

export const keyFlags: Flag[] = [
  { name: 'jwks', kind: 'text', value: 'file', about: 'public keys it signs with, as a JWK set or one JWK' },
  { name: 'jwks-uri', kind: 'text', value: 'https url', about: 'where it publishes them' },
];

export const setClientKeys: Command = {
  name: 'client-keys set',
  about: 'replace the public keys of a client; list old and new together while it changes them',
  usage: '<client-id>',
  flags: [...databaseFlags, ...keyFlags],
  examples: ['auth-agent client-keys set nightly --jwks keys.json', 'auth-agent client-keys set nightly --jwks-uri https://app.example.com/jwks.json'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const [id = ''] = call.args;
      const keys = keysOf(call);
      if (!keys) throw new Failure('usage', 'Which keys? --jwks <file> or --jwks-uri <url>', { fix: setClientKeys.examples[0] });
      const client = await livingClient(store, id);
      if (client.metadata.tokenEndpointAuthMethod !== 'private_key_jwt')
        throw new Failure('refused', `${safe(id)} does not authenticate with a key`, { fix: 'auth-agent clients add … --jwks <file>' });
      const { jwks: _jwks, jwksUri: _jwksUri, ...others } = client.metadata;
      const event = auditEvent('client.keys_changed', now, 'cli', { clientId: id });
      if (!(await store.changeClientMetadata({ id, from: client.metadata, to: { ...others, ...keys } }, event)))
        throw new Failure('conflict', `${safe(id)} was changed at this moment`, { fix: 'Run it again' });
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return { data: { client_id: id, jwks: keys.jwks, jwks_uri: keys.jwksUri }, lines: [ok(`${safe(id)} signs with ${nameOf(keys)}`)] };
    }),
};

/** The keys that a command was given; undefined when it was given none. @throws {Failure} usage, refused, notFound */
export function keysOf(call: Call): Keys | undefined {
  const file = textFlag(call, 'jwks');
  const jwksUri = textFlag(call, 'jwksUri');
  if (file === undefined && jwksUri === undefined) return undefined;
  try {
    return parseKeySet(file === undefined ? undefined : keySetIn(file), jwksUri);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('refused', error instanceof Error ? error.message : 'These keys cannot be used', {
      why: 'A client shows its public keys here and keeps the private ones to itself.',
      fix: setClientKeys.examples[0],
    });
  }
}

/** A client that is registered and not removed. @throws {Failure} notFound */
export async function livingClient(store: Store, id: string): Promise<Client> {
  const client = await store.findClient(id);
  if (!client || client.removedAt !== undefined) throw new Failure('notFound', `There is no client ${safe(id)}`, { fix: 'auth-agent clients list' });
  return client;
}

function keySetIn(file: string): unknown {
  const text = textOf(file);
  try {
    const json: unknown = JSON.parse(text);
    const isOneKey = typeof json === 'object' && json !== null && 'kty' in json;
    return isOneKey ? { keys: [json] } : json;
  } catch {
    throw new Failure('usage', `${safe(file)} is not JSON`, { why: 'A JWK set looks like {"keys": [{"kty": "EC", …}]}.' });
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Failure('notFound', `${safe(file)} cannot be read`, { cause });
  }
}

function nameOf({ jwks, jwksUri }: Keys): string {
  if (jwksUri !== undefined) return `the keys at ${jwksUri}`;
  const many = jwks?.keys.length ?? 0;
  return many === 1 ? 'one key' : `${many} keys`;
}
