/**
 * Signing in at any OpenID provider (OIDC Core §3.1): discovery, authorization code with PKCE, state and nonce, `iss` of the response (RFC 9207), and an ID token
 * whose signature, issuer, audience and times openid-client checks. Not here: who the subject is to us (account/).
 */
import type { Configuration, IDToken } from 'openid-client';
import type { Context } from '../context.ts';
import type { Upstream } from '../storage/store.ts';
import { authenticationAt, browserAddress, conversation, guardedFetch, type Library, library, timeoutSeconds } from './client.ts';
import { amrOf, type Profile, profileOf, subjectOf, type UpstreamPerson } from './person.ts';
import type { Passage, Provider } from './provider.ts';

type Configured = { config: Promise<Configuration>; until: number };
const configuredOf = new WeakMap<Context, Map<string, Configured>>();
/** How long metadata is believed, in seconds. */
const configuredSeconds = 3600;
/** How many configurations of one tenant are kept: one for each row of its table, and those that were changed. */
const most = 100;

export function openidProvider(upstream: Upstream, context: Context): Provider {
  return {
    begin: (passage) => conversation(context, () => begin(upstream, passage, context)),
    finish: (answer, passage) => conversation(context, () => finish(upstream, { answer, passage }, context)),
  };
}

async function begin(upstream: Upstream, { state, nonce, verifier, redirectUri, again }: Passage, context: Context): Promise<URL> {
  const openid = await library();
  const config = await configured(upstream, openid, context);
  const parameters = {
    redirect_uri: redirectUri,
    scope: upstream.scope.join(' '),
    state,
    nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...(again && { max_age: String(again.maxAge), ...(again.maxAge === 0 && { prompt: 'login' }) }),
  };
  const pushed = config.serverMetadata().require_pushed_authorization_requests === true;
  const url = pushed ? await openid.buildAuthorizationUrlWithPAR(config, parameters) : openid.buildAuthorizationUrl(config, parameters);
  return browserAddress(url, upstream);
}

async function finish(upstream: Upstream, { answer, passage }: { answer: URL; passage: Passage }, context: Context): Promise<UpstreamPerson> {
  const openid = await library();
  const config = await configured(upstream, openid, context);
  const tokens = await openid.authorizationCodeGrant(config, answer, {
    expectedState: passage.state,
    expectedNonce: passage.nonce,
    pkceCodeVerifier: passage.verifier,
    idTokenExpected: true,
  });
  const claims = tokens.claims() as IDToken; // idTokenExpected
  const subject = subjectOf(claims.sub);
  return {
    // Of the token, not of the row: where the metadata has {tenantid}, each directory is an issuer of its own.
    issuer: claims.iss,
    subject,
    amr: amrOf(claims.amr),
    authTime: claims.auth_time,
    profile: () => conversation(context, () => profile(claims, () => openid.fetchUserInfo(config, tokens.access_token, subject), config)),
  };
}

/** Most providers keep the profile out of the ID token when there is a userinfo endpoint (OIDC Core §5.4). */
async function profile(claims: IDToken, fetchUserInfo: () => Promise<Record<string, unknown>>, config: Configuration): Promise<Profile> {
  const complete = claims.email !== undefined && claims.name !== undefined;
  const told = complete || config.serverMetadata().userinfo_endpoint === undefined ? {} : await fetchUserInfo();
  // An address and whether it was verified are of one source.
  const source: Record<string, unknown> = claims.email === undefined ? told : claims;
  const handle = claims.preferred_username ?? told.preferred_username;
  return profileOf({ name: claims.name ?? told.name, handle, email: source.email, emailVerified: source.email_verified });
}

/** The metadata of the upstream with our credential; fetched at most once an hour, at once again after a failure or a change of the row. */
function configured(upstream: Upstream, openid: Library, context: Context): Promise<Configuration> {
  const known = configuredOf.get(context) ?? new Map<string, Configured>();
  configuredOf.set(context, known);
  const key = JSON.stringify(upstream);
  const now = context.now();
  const found = known.get(key);
  if (found && found.until > now) return found.config;

  if (known.size >= most) known.clear();
  const config = discover(upstream, openid, context);
  known.set(key, { config, until: now + configuredSeconds });
  config.catch(() => known.delete(key));
  return config;
}

async function discover(upstream: Upstream, openid: Library, context: Context): Promise<Configuration> {
  const inClear = upstream.privateNetwork && upstream.issuer.startsWith('http:');
  const config = await openid.discovery(
    new URL(upstream.issuer),
    upstream.clientId,
    // Tokens are judged by the clock of this server.
    { [openid.clockSkew]: context.now() - Math.floor(Date.now() / 1000) },
    await authenticationAt(upstream, openid, context),
    {
      execute: [openid.enableNonRepudiationChecks, ...(inClear ? [openid.allowInsecureRequests] : [])],
      timeout: timeoutSeconds,
      [openid.customFetch]: guardedFetch(upstream, context),
    },
  );
  return config;
}
