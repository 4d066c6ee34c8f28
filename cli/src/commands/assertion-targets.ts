/** `auth-agent assertion-targets …`: to which servers elsewhere a client may take our word about the people it signed in (ID-JAG). */
import { type AssertionTarget, auditEvent, type Client, canonicalResource, parseScope, type Store } from 'auth-agent-mcp-server/node';
import { type Call, type Command, databaseFlags, listFlag, textFlag } from '../command.ts';
import { withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';
import { livingClient } from './client-keys.ts';

/** RFC 8693 §2.1. */
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';

const where = [
  { name: 'audience', kind: 'text' as const, value: 'issuer', about: 'the authorization server there, as it names itself' },
  { name: 'resource', kind: 'text' as const, value: 'url', about: 'the MCP server there' },
];

export const addAssertionTarget: Command = {
  name: 'assertion-targets add',
  about: 'let a client take assertions about its people to another server',
  usage: '<client-id>',
  flags: [
    ...databaseFlags,
    ...where,
    { name: 'as', kind: 'text', value: 'client id', about: 'the client it is there (the same id)' },
    { name: 'scope', kind: 'list', value: 'scope', about: 'the most it may ask for there' },
  ],
  examples: [
    'auth-agent assertion-targets add sso-agent --audience https://auth.shop.example --resource https://mcp.shop.example --as shop-agent --scope files:read',
  ],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const target = targetOf(call);
      const client = await livingClient(store, target.clientId);
      if (client.metadata.tokenEndpointAuthMethod === 'none')
        throw new Failure('refused', `${safe(client.id)} is public`, { why: 'Assertions are for clients that prove who they are.' });
      if (client.metadata.subjectType === 'pairwise')
        throw new Failure('refused', `${safe(client.id)} knows its people by pairwise subjects`, {
          why: 'An assertion names people as the other server shall know them, which such a client must not learn.',
          fix: 'auth-agent clients add, without --pairwise',
        });
      await allowExchange(client, store, now);
      const detail = { audience: target.audience, resource: target.resource, client_there: target.clientIdThere, scope: target.scope };
      if (!(await store.addAssertionTarget(target, auditEvent('assertion_target.added', now, 'cli', { clientId: client.id, detail }))))
        throw new Failure('conflict', `${safe(client.id)} has that target already`, { fix: `auth-agent assertion-targets list ${safe(client.id)}` });
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return { data: viewOf(target), lines: [ok(`${safe(client.id)} may take assertions to ${safe(target.audience)}`)] };
    }),
};

export const listAssertionTargets: Command = {
  name: 'assertion-targets list',
  about: 'list where a client may take assertions',
  usage: '<client-id>',
  flags: databaseFlags,
  examples: ['auth-agent assertion-targets list sso-agent'],
  run: (call) =>
    withStore(call, async ({ store }) => {
      const targets = (await store.listAssertionTargets(call.args[0] ?? '')).map(viewOf);
      const rows = targets.map((one) => [safe(one.audience), safe(one.resource), safe(one.client_id_there), one.scope]);
      return { data: { targets }, lines: table(['AUDIENCE', 'RESOURCE', 'AS', 'SCOPE'], rows) };
    }),
};

export const removeAssertionTarget: Command = {
  name: 'assertion-targets rm',
  about: 'let a client take no more assertions to a server',
  usage: '<client-id>',
  flags: [...databaseFlags, ...where],
  examples: ['auth-agent assertion-targets rm sso-agent --audience https://auth.shop.example --resource https://mcp.shop.example'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const place = placeOf(call);
      if (!(await store.removeAssertionTarget(place, auditEvent('assertion_target.removed', now, 'cli', { clientId: place.clientId }))))
        throw new Failure('notFound', 'There is no such target', { fix: `auth-agent assertion-targets list ${safe(place.clientId)}` });
      return { data: { client_id: place.clientId }, lines: [styleOf(call.terminal.stdout, call.terminal.env).ok('Removed')] };
    }),
};

/** An assertion is asked for by token exchange, so the client must be registered for that. */
async function allowExchange({ id, metadata }: Client, store: Store, now: number): Promise<void> {
  if (metadata.grantTypes.includes(exchangeGrant)) return;
  const to = { ...metadata, grantTypes: [...metadata.grantTypes, exchangeGrant] };
  if (!(await store.changeClientMetadata({ id, from: metadata, to }, auditEvent('client.grants_changed', now, 'cli', { clientId: id }))))
    throw new Failure('conflict', `${safe(id)} was changed at this moment`, { fix: 'Run it again' });
}

function placeOf(call: Call): Pick<AssertionTarget, 'clientId' | 'audience' | 'resource'> {
  const [clientId = ''] = call.args;
  const audience = textFlag(call, 'audience');
  const resource = canonicalResource(textFlag(call, 'resource') ?? '');
  if (audience === undefined || !/^https:\/\/[^?#\s]+$/.test(audience) || resource === undefined)
    throw new Failure('usage', '--audience <https issuer> and --resource <url> are needed', { fix: addAssertionTarget.examples[0] });
  return { clientId, audience, resource };
}

function targetOf(call: Call): AssertionTarget {
  const place = placeOf(call);
  const scope = parseScope(listFlag(call, 'scope').join(' '));
  if (scope.length === 0) throw new Failure('usage', '--scope is needed: the most it may ask for there', { fix: addAssertionTarget.examples[0] });
  return { ...place, clientIdThere: textFlag(call, 'as') ?? place.clientId, scope };
}

function viewOf({ clientId, audience, resource, clientIdThere, scope }: AssertionTarget) {
  return { client_id: clientId, audience, resource, client_id_there: clientIdThere, scope: scope.join(' ') };
}
