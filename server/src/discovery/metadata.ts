/**
 * Authorization server metadata (RFC 8414) and OpenID discovery: one document, computed from the route table and the list of grants, so that it can promise
 * only what exists. The same for everybody; the issuer comes from configuration and never from a request (META-04).
 */
import { offeredAcrs } from '../account/methods/index.ts';
import { documentsOffered } from '../clients/metadata-document.ts';
import { registrationOffered } from '../clients/register.ts';
import { offeredAlgorithms } from '../clients/response-algorithm.ts';
import type { Context, Exchange } from '../context.ts';
import { dpopAlgorithms } from '../crypto/dpop-proof.ts';
import { foreignAlgorithms } from '../crypto/foreign-jwt.ts';
import { OAuthError } from '../errors.ts';
import { offeredLanguages } from '../languages.ts';
import type { Options } from '../options.ts';
import type { Answer } from '../route.ts';
import { identityScopes } from '../rules/scope.ts';
import { idJagTokenType } from '../token/exchange/token-type.ts';
import { grantTypes } from '../token/grants/index.ts';
import { answerDocument, type PublicDocument, publicDocument } from './document.ts';

const confidentialMethods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];
type Metadata = Record<string, string | boolean | string[]>;
type Documents = { oauth: PublicDocument; openid?: PublicDocument };

const documentsOf = new WeakMap<Context, Documents>();

/** The handler of /.well-known/oauth-authorization-server and its tenant variants. */
export function authorizationServerMetadata(exchange: Exchange, context: Context): Answer {
  return answerDocument(documents(context).oauth, exchange);
}

/** The handler of /.well-known/openid-configuration: a complete document or 404, because the official SDK gives up on a partial one (D14). */
export function openidConfiguration(exchange: Exchange, context: Context): Answer {
  const { openid } = documents(context);
  if (!openid) throw new OAuthError('not_found', 'This server does not offer OpenID Connect');
  return answerDocument(openid, exchange);
}

function documents(context: Context): Documents {
  const known = documentsOf.get(context);
  if (known) return known;
  const metadata = metadataOf(context);
  const document = publicDocument(JSON.stringify(metadata));
  const complete = 'userinfo_endpoint' in metadata && 'jwks_uri' in metadata;
  const made = { oauth: document, openid: complete ? document : undefined };
  documentsOf.set(context, made);
  return made;
}

/** RFC 8414 §2. What has a dangerous default when absent is always present (META-07). */
function metadataOf({ issuer, options, routes }: Context): Metadata {
  const endpoints = endpointsOf(issuer, registrationOffered(options), routes);
  return {
    issuer,
    ...endpoints,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'form_post'],
    grant_types_supported: grantTypes.map(({ name }) => name),
    authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
    identity_chaining_requested_token_types_supported: [idJagTokenType],
    ...authentication('token', ['none', ...confidentialMethods]),
    ...('introspection_endpoint' in endpoints ? authentication('introspection', [...confidentialMethods, 'Bearer']) : {}),
    ...('introspection_endpoint' in endpoints ? { introspection_signing_alg_values_supported: ['RS256'] } : {}),
    ...('revocation_endpoint' in endpoints ? authentication('revocation', ['none', ...confidentialMethods]) : {}),
    code_challenge_methods_supported: ['S256'],
    dpop_signing_alg_values_supported: [...dpopAlgorithms],
    ui_locales_supported: offeredLanguages.map(({ tag }) => tag),
    scopes_supported: scopes(options.refreshTokens === 'offline_access'),
    authorization_response_iss_parameter_supported: true,
    acr_values_supported: offeredAcrs(options),
    client_id_metadata_document_supported: documentsOffered(options),
    ...(options.requirePushedRequests ? { require_pushed_authorization_requests: true } : {}),
    ...('userinfo_endpoint' in endpoints ? openidMembers(options) : {}),
  };
}

/** META-12, RFC 8414 §2: where private_key_jwt is listed, its algorithms must be. */
function authentication(endpoint: 'token' | 'introspection' | 'revocation', methods: string[]): Metadata {
  return {
    [`${endpoint}_endpoint_auth_methods_supported`]: methods,
    [`${endpoint}_endpoint_auth_signing_alg_values_supported`]: [...foreignAlgorithms],
  };
}

/** OIDC Discovery §3. Absent, `request_uri_parameter_supported` would mean true. */
const openidMembers = (options: Options): Metadata => ({
  subject_types_supported: ['public', 'pairwise'],
  id_token_signing_alg_values_supported: offeredAlgorithms(options),
  userinfo_signing_alg_values_supported: offeredAlgorithms(options),
  ...(options.postForm ? { backchannel_logout_supported: true, backchannel_logout_session_supported: true } : {}),
  claims_supported: [
    ...['sub', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'acr', 'amr', 'nonce', 'at_hash', 'sid'],
    ...['name', 'preferred_username', 'email', 'email_verified'],
  ],
  claims_parameter_supported: false,
  request_parameter_supported: false,
  request_uri_parameter_supported: false,
});

function endpointsOf(issuer: string, registrationOpen: boolean, routes: Context['routes']): Metadata {
  const advertised = routes.filter(({ endpoint }) => endpoint !== undefined && (endpoint !== 'registration_endpoint' || registrationOpen));
  return Object.fromEntries(advertised.map(({ endpoint, path }) => [endpoint, issuer + path]));
}

/** META-19: listed, official clients ask for offline_access; so it is listed only where asking changes something. */
function scopes(offlineMatters: boolean): string[] {
  return identityScopes.filter((scope) => scope !== 'offline_access' || offlineMatters);
}
