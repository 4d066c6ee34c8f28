/** `auth-agent clients …`: pre-registered clients. Dynamic ones register themselves, and metadata documents need no registration. */
import {
  auditEvent,
  type Client,
  canonicalResource,
  classifyRedirectUri,
  clientSecretHash,
  deviceCodeGrant,
  isoDate,
  newClientSecret,
  openidMetadata,
  parseScope,
  randomId,
  type Store,
} from 'auth-agent-mcp-server/node';
import { confirm } from '../ask.ts';
import { type Call, type Command, databaseFlags, listFlag, textFlag } from '../command.ts';
import { withServer, withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';
import { keyFlags, keysOf } from './client-keys.ts';
import { bearerGrant } from './workloads.ts';

/** RFC 8693 §2.1. */
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';

export const addClient: Command = {
  name: 'clients add',
  about: 'register a client by hand; a secret is shown once',
  flags: [
    ...databaseFlags,
    { name: 'name', kind: 'text', value: 'text', about: 'what people read on the consent page' },
    { name: 'redirect-uri', kind: 'list', value: 'uri', about: 'where codes may go' },
    { name: 'confidential', kind: 'switch', about: 'a client that can keep a secret' },
    { name: 'device', kind: 'switch', about: 'may sign people in by device code; without --redirect-uri only so' },
    ...keyFlags,
    { name: 'machine', kind: 'switch', about: 'acts for itself: client_credentials, no person' },
    { name: 'workload', kind: 'switch', about: 'a machine that shows the token of its platform and has no secret; see workloads add' },
    { name: 'enterprise', kind: 'switch', about: 'may bring identity assertions of trusted companies (ID-JAG); it has a secret or a key' },
    { name: 'speaks-for', kind: 'text', value: 'server id', about: 'an MCP server that calls others for its users: token exchange' },
    { name: 'scope', kind: 'list', value: 'scope', about: 'what it asks for by default; for a machine all it may have' },
    { name: 'resource', kind: 'text', value: 'url', about: 'the server it means when it names none' },
    { name: 'pushed-only', kind: 'switch', about: 'refuse its requests unless they were pushed (RFC 9126)' },
    { name: 'bound-tokens', kind: 'switch', about: 'tokens are always bound to a key of the client (DPoP)' },
    { name: 'logout-uri', kind: 'list', value: 'uri', about: 'where browsers may go after sign-out (post_logout_redirect_uris)' },
    { name: 'backchannel-logout-uri', kind: 'text', value: 'url', about: 'where it hears that a person has signed out' },
    { name: 'pairwise', kind: 'switch', about: 'knows its people by subjects that no other client has' },
    { name: 'id', kind: 'text', value: 'id', about: 'an id of your choice' },
  ],
  examples: [
    'auth-agent clients add --name "Desktop App" --redirect-uri http://127.0.0.1/callback',
    'auth-agent clients add --name "Web App" --confidential --redirect-uri https://app.example.com/callback',
    'auth-agent clients add --name "Files" --speaks-for srv_7xK2 --redirect-uri https://files.example.com/approved',
    'auth-agent clients add --name "Nightly" --machine --scope "tasks:read tasks:write" --resource https://tasks.example.com',
    'auth-agent clients add --name "Nightly" --machine --scope "tasks:read" --jwks public.jwk.json',
    'auth-agent clients add --name "Deploy" --workload --scope "tasks:read" --resource https://tasks.example.com',
    'auth-agent clients add --name "Company agent" --enterprise',
    'auth-agent clients add --name "Build bot" --device',
  ],
  run: (call) =>
    withServer(call, async (context) => {
      const { store } = context;
      const now = context.now();
      const client = clientOf(call, context.options.clients.dotlessSchemes, now);
      client.defaultResource = await resourceOf(call, store);
      client.serverId = await serverOf(call, store);
      if (await store.findClient(client.id)) throw new Failure('conflict', `The client ${client.id} exists`, { fix: 'auth-agent clients list' });
      const secret = client.metadata.tokenEndpointAuthMethod === 'client_secret_basic' ? newClientSecret() : undefined;
      if (secret !== undefined) client.secretHash = clientSecretHash(context, client.id, secret);
      await store.addClient(client, auditEvent('client.registered', now, 'cli', { clientId: client.id }));
      const { ok } = styleOf(call.terminal.stderr, call.terminal.env);
      return {
        data: { ...viewOf(client), client_secret: secret },
        lines: [`CLIENT_ID=${client.id}`, ...(secret === undefined ? [] : [`CLIENT_SECRET=${secret}`])],
        notes: [
          `\n${ok(`Registered ${safe(client.metadata.clientName ?? client.id)}${secret === undefined ? '' : ' · the secret is shown once, kept nowhere'}`)}`,
        ],
      };
    }),
};

export const listClients: Command = {
  name: 'clients list',
  about: 'list clients',
  flags: [...databaseFlags, { name: 'all', kind: 'switch', about: 'also those that are gone' }],
  examples: ['auth-agent clients list', 'auth-agent clients list --all --json'],
  run: (call) =>
    withStore(call, async ({ store }) => {
      const clients = (await store.listClients()).filter((client) => call.flags.all === true || client.removedAt === undefined).map(viewOf);
      const rows = clients.map((one) => [
        one.client_id,
        safe(one.client_name ?? ''),
        one.registration,
        one.status,
        one.last_used_at.slice(0, 10),
        safe(one.redirect_uris.join(' ')),
      ]);
      return { data: { clients }, lines: table(['ID', 'NAME', 'REGISTERED', 'STATUS', 'LAST USED', 'REDIRECT URIS'], rows) };
    }),
};

export const approveClient: Command = {
  name: 'clients approve',
  about: 'let a client that registered itself be used, where registration waits for approval',
  usage: '<id>',
  flags: [...databaseFlags, { name: 'yes', kind: 'switch', about: 'do not show it and ask' }],
  examples: ['auth-agent clients approve client_7xK2', 'auth-agent clients approve client_7xK2 --yes'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const [id = ''] = call.args;
      const client = await store.findClient(id);
      if (!client || client.removedAt !== undefined) throw new Failure('notFound', `There is no client ${safe(id)}`, { fix: 'auth-agent clients list' });
      if (client.pendingSince !== undefined) await confirm(call, { name: id, breaks: described(client) });
      const approved = await store.approveClient(client, auditEvent('client.approved', now, 'cli', { clientId: id }));
      if (!approved && (await store.findClient(id))?.pendingSince !== undefined)
        throw new Failure('conflict', `${safe(id)} has changed since it was shown, and was not approved`, { fix: `auth-agent clients approve ${safe(id)}` });
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      const name = safe(client.metadata.clientName ?? id);
      return {
        data: { ...viewOf({ ...client, pendingSince: undefined }), approved },
        lines: [ok(approved ? `Approved ${name}: it returns to ${safe(client.metadata.redirectUris.join(' '))}` : `${name} did not wait for approval`)],
      };
    }),
};

/** What an operator approves: it may change until then, and not after. */
function described({ id, metadata }: Client): string {
  const { clientName = id, redirectUris, grantTypes, tokenEndpointAuthMethod } = metadata;
  const places = redirectUris.map((uri) => `\n  ${safe(uri)}`).join('') || ' no address';
  return `This lets ${safe(clientName)} (${safe(id)}) ask people, by ${grantTypes.join(', ')}, authenticated by ${tokenEndpointAuthMethod}. It returns to${places}`;
}

export const removeClient: Command = {
  name: 'clients rm',
  about: 'remove a client and what people allowed it',
  usage: '<id>',
  flags: [...databaseFlags, { name: 'yes', kind: 'switch', about: 'do not ask' }],
  examples: ['auth-agent clients rm client_7xK2 --yes'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const [id = ''] = call.args;
      const client = await store.findClient(id);
      if (!client || client.removedAt !== undefined) throw new Failure('notFound', `There is no client ${safe(id)}`, { fix: 'auth-agent clients list' });
      const grants = (await store.listGrants({ clientId: id }, now)).length;
      await confirm(call, { name: id, breaks: `This stops ${safe(client.metadata.clientName ?? id)} and revokes ${grants} grants, now.` });
      await store.removeClient(id, auditEvent('client.removed', now, 'cli', { clientId: id }));
      return { data: { client_id: id, grants_revoked: grants }, lines: [styleOf(call.terminal.stdout, call.terminal.env).ok(`Removed ${safe(id)}`)] };
    }),
};

function clientOf(call: Call, dotlessSchemes: readonly string[], now: number): Client {
  const workload = call.flags.workload === true;
  const machine = call.flags.machine === true || workload;
  const enterprise = call.flags.enterprise === true;
  const speaksFor = textFlag(call, 'speaksFor') !== undefined;
  const device = call.flags.device === true;
  const redirectUris = listFlag(call, 'redirectUri');
  const scope = parseScope(listFlag(call, 'scope').join(' ')).join(' ') || undefined;
  const keys = keysOf(call);
  const clientName = textFlag(call, 'name');
  const id = textFlag(call, 'id') ?? randomId('client_', 12);
  const refuse = (what: string, fix = addClient.examples[0]) => new Failure('usage', what, { fix });
  if (clientName === undefined || clientName.length > 100 || /\p{Cc}/u.test(clientName)) throw refuse('--name is needed: 1 to 100 characters of plain text');
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$/.test(id)) throw refuse('--id is 3 to 64 letters, digits, dashes and underscores');
  if (machine && redirectUris.length > 0) throw refuse('A machine has no browser, so it takes no --redirect-uri', addClient.examples[3]);
  if (machine && scope === undefined) throw refuse('A machine needs --scope: all that it may have', addClient.examples[3]);
  if (machine && speaksFor) throw refuse('--machine acts for itself, --speaks-for acts for people: add two clients', addClient.examples[2]);
  if (device && (machine || speaksFor)) throw refuse('A device acts for a person: choose --device, --machine or --speaks-for', addClient.examples.at(-1));
  if (workload && (keys || call.flags.machine === true || call.flags.confidential === true))
    throw refuse('A workload has no key and no secret: --workload stands alone', addClient.examples[5]);
  if (enterprise && (machine || speaksFor || device)) throw refuse('An enterprise client acts for people: --enterprise stands alone', addClient.examples[6]);
  if (!machine && !device && !enterprise && redirectUris.length === 0) throw refuse('--redirect-uri is needed: where codes may go');
  for (const uri of redirectUris) {
    const found = classifyRedirectUri(uri, dotlessSchemes);
    if (found.refused) throw new Failure('refused', found.reason, { why: `${safe(uri)} cannot be a redirect URI.`, fix: addClient.examples[0] });
  }
  const hasSecret = machine || speaksFor || enterprise || call.flags.confidential === true;
  return {
    id,
    registration: 'manual',
    metadata: {
      clientName,
      redirectUris,
      grantTypes: machine ? [workload ? bearerGrant : 'client_credentials'] : speaksFor ? [exchangeGrant] : personGrants(redirectUris, { device, enterprise }),
      responseTypes: !machine && redirectUris.length > 0 ? ['code'] : [],
      tokenEndpointAuthMethod: keys ? 'private_key_jwt' : hasSecret && !workload ? 'client_secret_basic' : 'none',
      ...keys,
      scope,
      ...(call.flags.pushedOnly === true ? { requirePushedRequests: true } : {}),
      ...(call.flags.boundTokens === true ? { dpopBoundAccessTokens: true } : {}),
      ...openidFlags(call, { redirectUris, dotlessSchemes }),
    },
    createdAt: now,
    lastUsedAt: now,
  };
}

/** By the rules of registration, but what would be left out there is refused here. */
function openidFlags(call: Call, given: { redirectUris: readonly string[]; dotlessSchemes: readonly string[] }) {
  const logoutUris = listFlag(call, 'logoutUri');
  const logoutUrl = textFlag(call, 'backchannelLogoutUri');
  const members = {
    ...(logoutUris.length > 0 && { post_logout_redirect_uris: logoutUris }),
    ...(call.flags.pairwise === true && { subject_type: 'pairwise' }),
    ...(logoutUrl !== undefined && { backchannel_logout_uri: logoutUrl }),
  };
  const refuse = (why: string): never => {
    throw new Failure('refused', why, { fix: addClient.examples[1] });
  };
  try {
    return openidMetadata(members, given, refuse);
  } catch (error) {
    if (error instanceof Failure) throw error;
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/** The ways in which a client may come to act for a person. */
function personGrants(redirectUris: string[], { device, enterprise }: { device: boolean; enterprise: boolean }): string[] {
  const interactive = redirectUris.length > 0 || device;
  return [
    ...(redirectUris.length > 0 ? ['authorization_code'] : []),
    ...(interactive ? ['refresh_token'] : []),
    ...(device ? [deviceCodeGrant] : []),
    ...(enterprise ? [bearerGrant] : []),
  ];
}

async function resourceOf(call: Call, store: Store): Promise<string | undefined> {
  const given = textFlag(call, 'resource');
  if (given === undefined) return undefined;
  const resource = canonicalResource(given);
  const server = resource === undefined ? undefined : await store.findServerByResource(resource);
  if (!server) throw new Failure('notFound', `${safe(given)} is not registered`, { fix: 'auth-agent servers list' });
  return server.resource;
}

async function serverOf(call: Call, store: Store): Promise<string | undefined> {
  const given = textFlag(call, 'speaksFor');
  if (given === undefined) return undefined;
  const server = await store.findServer(given);
  if (!server) throw new Failure('notFound', `There is no server ${safe(given)}`, { fix: 'auth-agent servers list' });
  return server.id;
}

function viewOf({ id, registration, metadata, defaultResource, serverId, createdAt, lastUsedAt, disabledAt, removedAt, pendingSince }: Client) {
  return {
    client_id: id,
    client_name: metadata.clientName,
    registration,
    status: removedAt !== undefined ? 'removed' : disabledAt !== undefined ? 'disabled' : pendingSince !== undefined ? 'pending' : 'active',
    redirect_uris: metadata.redirectUris,
    grant_types: metadata.grantTypes,
    token_endpoint_auth_method: metadata.tokenEndpointAuthMethod,
    scope: metadata.scope,
    require_pushed_authorization_requests: metadata.requirePushedRequests,
    dpop_bound_access_tokens: metadata.dpopBoundAccessTokens,
    post_logout_redirect_uris: metadata.postLogoutRedirectUris,
    backchannel_logout_uri: metadata.backchannelLogoutUri,
    subject_type: metadata.subjectType,
    default_resource: defaultResource,
    speaks_for: serverId,
    created_at: isoDate(createdAt),
    last_used_at: isoDate(lastUsedAt),
  };
}
