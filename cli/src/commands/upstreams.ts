/** `auth-agent upstreams …`: issuers elsewhere at which people may sign in here. Their secrets are sealed in the database, so that all nodes have them. */
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  auditEvent,
  type Context,
  isoDate,
  providerOf,
  randomId,
  recipes,
  sealCredential,
  type Upstream,
  type UpstreamCredential,
  UpstreamFailure,
  type UpstreamRecipe,
} from 'auth-agent-mcp-server/node';
import { confirm } from '../ask.ts';
import { type Call, type Command, databaseFlags, type Flag, listFlag, textFlag } from '../command.ts';
import { next, withServer, withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { labelled, safe, styleOf, table } from '../terminal.ts';

const credentialFlags: Flag[] = [
  { name: 'client-secret-file', kind: 'text', value: 'file', about: 'file that holds our client secret there; - reads it from standard input' },
  { name: 'client-key-file', kind: 'text', value: 'file', about: 'our private key there, as PEM or JWK (private_key_jwt), instead of a secret' },
];

export const addUpstream: Command = {
  name: 'upstreams add',
  about: 'let people sign in at an OpenID provider, Google, GitHub, Microsoft or Supabase',
  usage: '<id> [issuer]',
  flags: [
    ...databaseFlags,
    { name: 'recipe', kind: 'text', value: 'openid|google|github|microsoft|supabase', about: 'what it is; the id, if that is one of these, else openid' },
    { name: 'name', kind: 'text', value: 'text', about: 'what the button says: Continue with …' },
    { name: 'client-id', kind: 'text', value: 'text', about: 'our client id there' },
    ...credentialFlags,
    { name: 'scope', kind: 'list', value: 'scope', about: 'instead of openid profile email' },
    { name: 'private-network', kind: 'switch', about: 'it may be on loopback or in a private network; otherwise only public addresses are spoken to' },
  ],
  examples: [
    'auth-agent upstreams add google --client-id 123.apps.googleusercontent.com --client-secret-file google.secret',
    'auth-agent upstreams add acme https://login.acme.example --name Acme --client-id auth-agent --client-key-file acme.pem',
    'auth-agent upstreams add microsoft https://login.microsoftonline.com/common/v2.0 --client-id 0f… --client-secret-file ms.secret',
  ],
  run: (call) =>
    withServer(call, async (context) => {
      const upstream = upstreamOf(call, context);
      const event = auditEvent('upstream.added', context.now(), 'cli', { detail: { upstream: upstream.id, issuer: upstream.issuer } });
      if ((await context.store.addUpstream(upstream, event)) === 'taken')
        throw new Failure('conflict', `There is an upstream ${safe(upstream.id)}, or one with this issuer`, { fix: 'auth-agent upstreams list' });
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      const lines = [
        ok(`People may sign in at ${safe(upstream.name)}`),
        labelled('Callback', redirectUriOf(upstream, context)),
        next(`auth-agent upstreams check ${upstream.id}`, call),
      ];
      return { data: viewOf(upstream, context), lines };
    }),
};

export const listUpstreams: Command = {
  name: 'upstreams list',
  about: 'list where people may sign in besides here',
  flags: databaseFlags,
  examples: ['auth-agent upstreams list'],
  run: (call) =>
    withServer(call, async (context) => {
      const upstreams = (await context.store.listUpstreams()).map((one) => viewOf(one, context));
      const rows = upstreams.map((one) => [one.id, safe(one.name), one.recipe, safe(one.issuer), one.authenticates_with, one.added.slice(0, 10)]);
      return { data: { upstreams }, lines: table(['ID', 'NAME', 'RECIPE', 'ISSUER', 'WE SHOW', 'SINCE'], rows) };
    }),
};

export const checkUpstream: Command = {
  name: 'upstreams check',
  about: 'ask an upstream for its metadata, as a sign-in would',
  usage: '<id>',
  flags: databaseFlags,
  examples: ['auth-agent upstreams check google'],
  run: (call) =>
    withServer(call, async (context) => {
      const upstream = await knownUpstream(call, context);
      const redirectUri = redirectUriOf(upstream, context);
      const passage = { state: randomId('', 16), nonce: randomId('', 16), verifier: randomId('', 32), redirectUri };
      const address = await providerOf(upstream, context).begin(passage).catch(refused);
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return {
        data: { ...viewOf(upstream, context), authorization_endpoint: `${address.origin}${address.pathname}` },
        lines: [ok(`${safe(upstream.name)} answers: browsers go to ${safe(address.origin + address.pathname)}`), labelled('Callback', redirectUri)],
      };
    }),
};

export const changeUpstreamSecret: Command = {
  name: 'upstreams secret',
  about: 'replace our secret or key at an upstream; links stay',
  usage: '<id>',
  flags: [...databaseFlags, ...credentialFlags],
  examples: ['auth-agent upstreams secret google --client-secret-file google.secret'],
  run: (call) =>
    withServer(call, async (context) => {
      const upstream = await knownUpstream(call, context);
      const credential = credentialOf(call);
      if (!credential) throw new Failure('usage', 'Which one? --client-secret-file or --client-key-file', { fix: changeUpstreamSecret.examples[0] });
      const event = auditEvent('upstream.credential_changed', context.now(), 'cli', { detail: { upstream: upstream.id } });
      await context.store.changeUpstreamCredential(upstream.id, sealCredential(upstream.id, credential, context), event);
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return { data: { id: upstream.id }, lines: [ok(`Replaced what we show ${safe(upstream.name)}`)] };
    }),
};

export const removeUpstream: Command = {
  name: 'upstreams rm',
  about: 'let nobody sign in there any more, and forget who its people are here',
  usage: '<id>',
  flags: [...databaseFlags, { name: 'yes', kind: 'switch', about: 'do not ask' }],
  examples: ['auth-agent upstreams rm google --yes'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const [id = ''] = call.args;
      if (!(await store.findUpstream(id))) throw notThere(id);
      await confirm(call, { name: id, breaks: `People who have no other way to sign in than ${safe(id)} cannot sign in any more. Their agents go on.` });
      await store.removeUpstream(id, auditEvent('upstream.removed', now, 'cli', { detail: { upstream: id } }));
      return { data: { id }, lines: [styleOf(call.terminal.stdout, call.terminal.env).ok(`Nobody signs in at ${safe(id)} any more`)] };
    }),
};

function upstreamOf(call: Call, context: Context): Upstream {
  const [id = ''] = call.args;
  const refuse = (what: string, why?: string) => new Failure('usage', what, { why, fix: addUpstream.examples[0] });
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(id)) throw refuse('An id is 1 to 32 lower case letters, digits and dashes', 'It is part of the callback address.');
  const recipe = textFlag(call, 'recipe') ?? (Object.hasOwn(recipes, id) ? id : 'openid');
  if (!isRecipe(recipe)) throw refuse(`There is no recipe ${safe(recipe)}`);
  const name = textFlag(call, 'name') ?? recipes[recipe].name;
  if (name === undefined || name.length > 60) throw refuse('What should the button say? --name, at most 60 characters');
  const clientId = textFlag(call, 'clientId');
  if (clientId === undefined) throw refuse('Which client are we there? --client-id');
  const credential = credentialOf(call);
  if (!credential && recipe !== 'openid') throw refuse('What do we prove that with? --client-secret-file');
  const privateNetwork = call.flags.privateNetwork === true;
  const scope = listFlag(call, 'scope').flatMap((one) => one.split(' '));
  return {
    id,
    name,
    recipe,
    issuer: issuerOf(call, { recipe, privateNetwork, own: context.issuer }),
    clientId,
    ...(credential && { credentialSealed: sealCredential(id, credential, context) }),
    scope: scope.length === 0 ? [...recipes[recipe].scope] : scope,
    privateNetwork,
    createdAt: context.now(),
  };
}

function issuerOf(call: Call, { recipe, privateNetwork, own }: { recipe: UpstreamRecipe; privateNetwork: boolean; own: string }): string {
  const { issuer: fixed, pattern } = recipes[recipe];
  const refuse = (what: string) =>
    new Failure('usage', what, { fix: pattern ? `auth-agent upstreams add ${call.args[0]} ${pattern.like} …` : addUpstream.examples[1] });
  const [, issuer = fixed] = call.args;
  if (issuer === undefined) throw refuse('Where is it? Its issuer comes after the id');
  if (fixed !== undefined && issuer !== fixed) throw refuse(`The issuer of ${recipe} is ${fixed}`);
  if (pattern && !pattern.rule.test(issuer)) throw refuse(`The issuer of ${recipe} looks like ${pattern.like}`);
  const inClear = privateNetwork && /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$)/.test(issuer);
  if (!URL.canParse(issuer) || !(issuer.startsWith('https://') || inClear) || /[?#\s]/.test(issuer))
    throw refuse('An issuer is an https address, exactly as its tokens spell it in iss');
  if (issuer === own) throw new Failure('refused', 'This server is not its own upstream');
  return issuer;
}

function credentialOf(call: Call): UpstreamCredential | undefined {
  const [secretFile, keyFile] = [textFlag(call, 'clientSecretFile'), textFlag(call, 'clientKeyFile')];
  if (secretFile !== undefined && keyFile !== undefined) throw new Failure('usage', 'A secret or a key, not both', { fix: addUpstream.examples[0] });
  if (keyFile !== undefined) return { privateJwk: privateJwkIn(keyFile) };
  const secret = secretFile === undefined ? undefined : textOf(secretFile).trim();
  if (secret === '') throw new Failure('usage', `${safe(secretFile ?? '')} is empty`);
  return secret === undefined ? undefined : { secret };
}

function privateJwkIn(file: string): Record<string, unknown> {
  const text = textOf(file);
  try {
    const given = text.trimStart().startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : undefined;
    const key = given ? createPrivateKey({ key: given, format: 'jwk' }) : createPrivateKey(text);
    const jwk = key.export({ format: 'jwk' });
    if (!['EC', 'OKP', 'RSA'].includes(String(jwk.kty))) throw new Error('of no kind that signs');
    return { ...jwk, ...(typeof given?.kid === 'string' && { kid: given.kid }) };
  } catch (cause) {
    throw new Failure('usage', `${safe(file)} is no private key`, { why: 'A PEM file (PKCS #8) or a JWK of kind EC, RSA or OKP.', cause });
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    throw new Failure('notFound', `${safe(file)} cannot be read`, { cause });
  }
}

async function knownUpstream(call: Call, { store }: Context): Promise<Upstream> {
  const [id = ''] = call.args;
  const upstream = await store.findUpstream(id);
  if (!upstream) throw notThere(id);
  return upstream;
}

function notThere(id: string): Failure {
  return new Failure('notFound', `There is no upstream ${safe(id)}`, { fix: 'auth-agent upstreams list' });
}

function refused(error: unknown): never {
  if (!(error instanceof UpstreamFailure)) throw error;
  throw new Failure('unreachable', `It did not answer as an OpenID provider does: ${error.message}`, {
    why: 'Only public https addresses are spoken to, unless it was added with --private-network.',
    fix: 'Compare the issuer with its metadata at <issuer>/.well-known/openid-configuration',
    cause: error,
  });
}

function isRecipe(recipe: string): recipe is UpstreamRecipe {
  return Object.hasOwn(recipes, recipe);
}

function redirectUriOf({ id }: Upstream, { issuer }: Context): string {
  return `${issuer}/login/upstream/${id}/callback`;
}

function viewOf(upstream: Upstream, context: Context) {
  const { id, name, recipe, issuer, clientId, credentialSealed, scope, privateNetwork, createdAt } = upstream;
  return {
    id,
    name,
    recipe,
    issuer,
    client_id: clientId,
    authenticates_with: credentialSealed === undefined ? 'nothing' : 'a sealed credential',
    scope: scope.join(' '),
    private_network: privateNetwork,
    redirect_uri: redirectUriOf(upstream, context),
    added: isoDate(createdAt),
  };
}
