/**
 * This server as a subject: a durable database, the real runtime, and enough data to ask about. Answers the questions of subject.ts. Arguments: the URL of the
 * database, and `join` for a node that finds everything there.
 */

import { generateKeyPairSync } from 'node:crypto';
import type { AuthServer } from '../server/src/app.ts';
import { auditEvent } from '../server/src/audit/event.ts';
import type { Context } from '../server/src/context.ts';
import { sha256, sha256At } from '../server/src/crypto/hash.ts';
import { hashPassword } from '../server/src/crypto/password.ts';
import { randomId, randomIdAt } from '../server/src/crypto/random.ts';
import { deviceCodeGrant } from '../server/src/rules/device-grant.ts';
import { openDatabase, startNode } from '../server/src/runtimes/node.ts';
import { createServer } from '../server/src/server.ts';
import { newKey } from '../server/src/servers/key-value.ts';
import type { ClientMetadata, Code, Grant } from '../server/src/storage/store.ts';
import { app, challenge, type Facts, issuer, keyed, machine, many, nextResource, resource, scope, secret, speaker, unreached } from './subject.ts';

const [database = 'sqlite::memory:', mode] = process.argv.slice(2);
const now = () => Math.floor(Date.now() / 1000);
const quiet = { info() {}, warn: console.error, error: console.error };
const node = async () =>
  createServer({
    issuer,
    secret,
    driver: await openDatabase(database),
    log: quiet,
    clients: { registrationsPerHour: 1 },
    limits: unreached,
  });
const server = await node();
if (mode !== 'join') await server.storage.migrate(now());
const context = (await server.context()) as Context;
const { store } = context;
const event = (type: Parameters<typeof auditEvent>[0]) => auditEvent(type, now(), 'bench');
const serverId = 'srv_bench';
const persons = 2000;
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
const personId = (index: number) => `usr_bench${index % persons}`;

const key = newKey();
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const people = mode === 'join' ? [] : await seed();
// As the autovacuum of a running Postgres does within a minute: it plans by what it has counted.
if (database.startsWith('postgres')) await server.options.driver.script('analyze');
const listen = (one: AuthServer) =>
  startNode({ ...one, log: quiet, host: '127.0.0.1', port: 0, trustedProxies: ['127.0.0.1'], close: () => one.storage.close() });
const running = await listen(server);
/** Issues tokens that the measured node has not seen. */
const other = mode === 'join' ? running : await listen(await node());
process.on('message', async ({ codes, sessions }: { codes?: number; sessions?: number }) => {
  if (codes) process.send?.({ codes: await many(codes, newCode, 256) });
  if (sessions) process.send?.({ sessions: await many(sessions, newSession, 256) });
});
process.send?.(facts(running.port, other.port));

function facts(port: number, otherPort: number): Facts {
  return {
    port,
    otherPort,
    introspector: { Authorization: `Bearer ${key.secret}` },
    people,
    key: { privateJwk: pair.privateKey.export({ format: 'jwk' }), audience: issuer },
    paths: {
      token: '/token',
      metadata: '/.well-known/oauth-authorization-server',
      jwks: '/.well-known/jwks.json',
      protectedResource: `/.well-known/oauth-protected-resource/${serverId}`,
      introspect: '/introspect',
      revoke: '/revoke',
      device: '/device_authorization',
      dpop: `${issuer}/token`,
      exchange: nextResource,
      pages: { authorize: '/authorize', consent: '/consent', signIn: '/login' },
    },
  };
}

async function seed(): Promise<Facts['people']> {
  const at = now();
  const times = { createdAt: at, updatedAt: at };
  await store.addServer(
    { id: serverId, ownerId: personId(0), resource, serverUrl: resource, name: 'Files', scopes: scope.split(' ').map((name) => ({ name })), ...times },
    event('server.added'),
  );
  const nextServer = { id: 'srv_next', ownerId: personId(0), resource: nextResource, serverUrl: nextResource, name: 'Next', ...times };
  await store.addServer({ ...nextServer, scopes: scope.split(' ').map((name) => ({ name })) }, event('server.added'));
  await store.addKey({ id: key.id, serverId, name: 'bench', secretHash: key.hash, createdAt: at, expiresAt: at + 86_400 }, event('key.created'));
  await addClient(
    machine.id,
    { clientName: 'Machine', grantTypes: ['client_credentials'], redirectUris: [], tokenEndpointAuthMethod: 'client_secret_basic', scope },
    machine.secret,
  );
  await addClient(keyed.id, {
    clientName: 'Keyed',
    grantTypes: ['client_credentials'],
    redirectUris: [],
    tokenEndpointAuthMethod: 'private_key_jwt',
    jwks: { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), kid: 'bench' }] },
    scope,
  });
  await addClient(app.id, {
    clientName: 'App',
    grantTypes: ['authorization_code', 'refresh_token', deviceCodeGrant],
    redirectUris: [app.redirectUri],
    tokenEndpointAuthMethod: 'none',
  });
  await addClient(
    speaker.id,
    { clientName: 'Files', grantTypes: [exchangeGrant], redirectUris: [app.redirectUri], tokenEndpointAuthMethod: 'client_secret_basic' },
    speaker.secret,
    serverId,
  );
  const passwordHash = await hashPassword('correct horse battery staple');
  await many(
    persons,
    (index) => store.addUser({ id: personId(index), username: `person${index}`, role: 'user', createdAt: at, passwordHash }, event('user.added')),
    256,
  );
  await many(persons, approveSpeaker, 256);
  return Array.from({ length: 200 }, (_, index) => ({ username: `person${index}`, password: 'correct horse battery staple' }));
}

async function addClient(id: string, metadata: Omit<ClientMetadata, 'responseTypes'>, secret?: string, speaksFor?: string): Promise<void> {
  const secretHash = secret === undefined ? undefined : context.instance.mac('client-secret', id, secret);
  const known = { id, registration: 'manual' as const, secretHash, serverId: speaksFor, createdAt: now(), lastUsedAt: now() };
  const client = { ...known, metadata: { responseTypes: ['code'], ...metadata } };
  await store.addClient(client, event('client.registered'));
}

/** What a person allows the speaker at the next server, as the authorization endpoint leaves it. */
async function approveSpeaker(index: number): Promise<void> {
  const at = now();
  const [tx, grantId] = [randomIdAt('tx_', at, 24), randomIdAt('grant_', now(), 6)];
  const allowed = { clientId: speaker.id, resource: nextResource, scope: scope.split(' ') };
  const request = { ...allowed, redirectUri: app.redirectUri, redirectUriSent: true, codeChallenge: challenge, prompt: [] };
  await store.parkRequest({ idHash: sha256At(tx), browserHash: sha256('browser'), request, createdAt: at, expiresAt: at + 600 });
  const grant: Grant = { ...allowed, id: grantId, userId: personId(index), serverId: 'srv_next', createdAt: at, lastUsedAt: at, expiresAt: at + 86_400 };
  const code = { codeHash: sha256At(tx), grantId, clientId: speaker.id, redirectUri: app.redirectUri, codeChallenge: challenge, authTime: at };
  const row: Code = { ...code, createdAt: at, expiresAt: at + 60, failures: 0 };
  await store.approveRequest({ idHash: sha256At(tx), answer: '', grant, code: row, now: at }, event('grant.approved'));
}

/** Somebody signed in, without the password. */
async function newSession(index: number): Promise<string> {
  const at = now();
  const id = randomId('', 32);
  const session = { idHash: sha256(id), userId: personId(index), authTime: at, createdAt: at, seenAt: at, idleSeconds: 3600, expiresAt: at + 86_400 };
  await store.startSession(session, undefined, event('user.signed_in'));
  return `__Host-aa_session=${id}`;
}

/** A code as the authorization endpoint leaves it, without the person. */
async function newCode(index: number): Promise<string> {
  const at = now();
  const [code, tx, grantId] = [randomIdAt('ac_', at, 32), randomIdAt('tx_', at, 24), randomIdAt('grant_', now(), 6)];
  const scopes = scope.split(' ');
  const request = {
    clientId: app.id,
    redirectUri: app.redirectUri,
    redirectUriSent: true,
    scope: scopes,
    resource,
    serverId,
    codeChallenge: challenge,
    prompt: [],
  };
  await store.parkRequest({ idHash: sha256At(tx), browserHash: sha256('browser'), request, createdAt: at, expiresAt: at + 600 });
  const grant: Grant = {
    id: grantId,
    userId: personId(index),
    clientId: app.id,
    serverId,
    resource,
    scope: scopes,
    redirectUri: app.redirectUri,
    createdAt: at,
    lastUsedAt: at,
  };
  const made: Code = {
    codeHash: sha256At(code),
    grantId,
    clientId: app.id,
    redirectUri: app.redirectUri,
    codeChallenge: challenge,
    authTime: at,
    createdAt: at,
    expiresAt: at + 600,
    failures: 0,
  };
  await store.approveRequest({ idHash: sha256At(tx), answer: '', grant, code: made, now: at }, event('grant.approved'));
  return code;
}
process.on('disconnect', () => process.exit());
