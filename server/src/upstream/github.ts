/**
 * Signing in at GitHub, which has no OpenID Connect for people: OAuth 2 with PKCE and state, then its own interface says whose token it is. The subject is the
 * number of the account, which never changes hands; the login does. Not here: who the subject is to us (account/).
 */
import type { Configuration } from 'openid-client';
import type { Context } from '../context.ts';
import type { Upstream } from '../storage/store.ts';
import { authenticationAt, conversation, guardedFetch, type Library, library, timeoutSeconds } from './client.ts';
import { UpstreamFailure } from './failure.ts';
import { amrOf, type Profile, profileOf, subjectOf, type UpstreamPerson } from './person.ts';
import type { Passage, Provider } from './provider.ts';

const accountAddress = new URL('https://api.github.com/user');
const addressesAddress = new URL('https://api.github.com/user/emails');

export function githubProvider(upstream: Upstream, context: Context): Provider {
  return {
    begin: (passage) => conversation(context, () => begin(upstream, passage, context)),
    finish: (answer, passage) => conversation(context, () => finish(upstream, { answer, passage }, context)),
  };
}

async function begin(upstream: Upstream, { state, verifier, redirectUri }: Passage, context: Context): Promise<URL> {
  const openid = await library();
  return openid.buildAuthorizationUrl(await configuration(upstream, openid, context), {
    redirect_uri: redirectUri,
    scope: upstream.scope.join(' '),
    state,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
}

async function finish(upstream: Upstream, { answer, passage }: { answer: URL; passage: Passage }, context: Context): Promise<UpstreamPerson> {
  const openid = await library();
  const config = await configuration(upstream, openid, context);
  const { access_token: token } = await openid.authorizationCodeGrant(config, answer, { expectedState: passage.state, pkceCodeVerifier: passage.verifier });
  const account = (await ask(accountAddress, { token, config, openid })) as { id?: unknown; login?: unknown; name?: unknown };
  if (!Number.isSafeInteger(account.id)) throw new UpstreamFailure('invalid', 'the account has no number');
  return {
    issuer: upstream.issuer,
    subject: subjectOf(String(account.id)),
    amr: amrOf(undefined),
    profile: () => conversation(context, () => profile(account, { token, config, openid })),
  };
}

type Asking = { token: string; config: Configuration; openid: Library };

async function profile({ login, name }: { login?: unknown; name?: unknown }, asking: Asking): Promise<Profile> {
  const told = await ask(addressesAddress, asking);
  const list = (Array.isArray(told) ? told : []) as { email?: unknown; primary?: unknown; verified?: unknown }[];
  const primary = list.find((one) => one?.primary === true);
  const profile = profileOf({ name, handle: login, email: primary?.email, emailVerified: primary?.verified });
  // There people know each other by their login.
  return { ...profile, label: profile.handle ?? profile.label };
}

async function ask(address: URL, { token, config, openid }: Asking): Promise<unknown> {
  const response = await openid.fetchProtectedResource(config, token, address, 'GET', null, new Headers({ accept: 'application/vnd.github+json' }));
  if (response.status !== 200) throw new UpstreamFailure('unavailable', `status ${response.status}`);
  const told: unknown = await response.json().catch(() => undefined);
  if (typeof told !== 'object' || told === null) throw new UpstreamFailure('invalid', 'no JSON object');
  return told;
}

async function configuration(upstream: Upstream, openid: Library, context: Context): Promise<Configuration> {
  const { issuer, clientId } = upstream;
  const server = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/access_token`,
    token_endpoint_auth_methods_supported: ['client_secret_post'],
  };
  const config = new openid.Configuration(server, clientId, undefined, await authenticationAt(upstream, openid, context));
  config[openid.customFetch] = guardedFetch(upstream, context);
  config.timeout = timeoutSeconds;
  return config;
}
