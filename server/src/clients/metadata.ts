/**
 * The one parser of client metadata (RFC 7591 §2): registration requests and metadata documents pass here and nowhere else. What is harmless is dropped and noted,
 * so that clients connect; what could hurt somebody is refused. Display texts leave here without anything invisible.
 * Not here: fetching documents (metadata-document.ts), storing clients (register.ts).
 */
import { foreignAlgorithms } from '../crypto/foreign-jwt.ts';
import { sha256 } from '../crypto/hash.ts';
import { OAuthError } from '../errors.ts';
import { deviceCodeGrant } from '../rules/device-grant.ts';
import { classifyRedirectUri } from '../rules/redirect-uri.ts';
import { isScopeToken } from '../rules/scope.ts';
import type { ClientMetadata } from '../storage/store.ts';
import { displayText } from '../views/display-text.ts';
import { isPlainHttpsUrl } from './https-url.ts';
import { parseKeySet } from './key-set.ts';
import { openidMetadata } from './openid-metadata.ts';

export type MetadataSource = 'registration' | 'document';
export type MetadataPolicy = {
  /** Private-use schemes without a dot that may be redirect URIs (D10). */
  dotlessSchemes: readonly string[];
};
/** `notes` are constant sentences on what was dropped or replaced, for the log. */
export type ParsedMetadata = { metadata: ClientMetadata; notes: string[] };

type Members = Record<string, unknown>;
type Note = (sentence: string) => void;

const maxRedirectUris = 32;
const maxNameLength = 100;
const maxMetadataLength = 16 * 1024;
const secretMethods = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'];

/**
 * Reads client metadata. `null`, `""` and `[]` are absent (D15); unknown members are ignored, so nobody can choose a client_id, a secret or a right (DCR-13).
 *
 * @throws {OAuthError} invalid_redirect_uri, invalid_client_metadata
 */
export function parseClientMetadata(json: unknown, source: MetadataSource, policy: MetadataPolicy): ParsedMetadata {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalid('Client metadata must be a JSON object');
  const members = presentMembers(json as Members);
  const notes: string[] = [];
  const note: Note = (sentence) => notes.push(sentence);
  if (source === 'document') refuseDocumentSecrets(members);
  if ('client_id' in members && source === 'registration') note('A requested client_id was ignored');
  if ('software_statement' in members) note('The software statement was ignored: no issuer of statements is trusted here');
  const keys = parseKeySet(members.jwks, members.jwks_uri);
  const grantTypes = grantTypesOf(members, note);
  const redirectUris = isRedirected(members, grantTypes) ? redirectUrisOf(members, policy, note) : [];
  const metadata: ClientMetadata = {
    clientName: nameOf(members, source),
    redirectUris,
    grantTypes,
    responseTypes: responseTypesOf(members, grantTypes, note),
    tokenEndpointAuthMethod: source === 'document' ? documentMethod(members, keys !== undefined) : registeredMethod(members, keys !== undefined),
    scope: scopeOf(members, note),
    applicationType: applicationTypeOf(members, note),
    clientUri: httpsUrlOf(members, 'client_uri', note),
    logoUri: httpsUrlOf(members, 'logo_uri', note),
    tosUri: httpsUrlOf(members, 'tos_uri', note),
    policyUri: httpsUrlOf(members, 'policy_uri', note),
    contacts: contactsOf(members, note),
    softwareId: textOf(members, 'software_id', note),
    softwareVersion: textOf(members, 'software_version', note),
    dpopBoundAccessTokens: boundTokensOf(members),
    ...keys,
    ...openidMetadata(members, { redirectUris, dotlessSchemes: policy.dotlessSchemes }, note),
    requirePushedRequests: members.require_pushed_authorization_requests === true || undefined,
    tokenEndpointAuthSigningAlg: keys && signingAlgOf(members),
  };
  return { metadata: refuseBulky(withoutUndefined(metadata)), notes };
}

/**
 * The fingerprint of what a person consents to when they trust a client (CIMD-16): its name, where answers go, how it proves who it is. SHA-256 as base64url, the
 * same for the same metadata in any order. A change of anything else (a logo, a link) keeps remembered consent.
 */
export function metadataDigest(metadata: ClientMetadata): string {
  const { clientName = null, redirectUris, tokenEndpointAuthMethod, jwks = null, jwksUri = null } = metadata;
  return sha256(JSON.stringify(sorted([clientName, [...redirectUris].sort(), tokenEndpointAuthMethod, jwks, jwksUri])));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return members.map(([name, member]) => [name, sorted(member)]);
}

function presentMembers(json: Members): Members {
  const present = Object.entries(json).filter(([, value]) => value !== null && value !== '' && !(Array.isArray(value) && value.length === 0));
  return Object.fromEntries(present);
}

/** CIMD, "Client Authentication": a document is public, so "the client metadata document MUST NOT contain" a shared secret or a method that uses one (CIMD-09). */
function refuseDocumentSecrets(members: Members): void {
  if ('client_secret' in members || 'client_secret_expires_at' in members) throw invalid('A client metadata document must not contain client_secret');
  const method = members.token_endpoint_auth_method;
  if (typeof method === 'string' && secretMethods.includes(method)) throw invalid('A client metadata document cannot use a client secret');
}

function nameOf(members: Members, source: MetadataSource): string | undefined {
  const given = members.client_name;
  const name = typeof given === 'string' ? displayText(given, maxNameLength) : '';
  if (name === '' && source === 'document') throw invalid('A client metadata document must have a client_name');
  return name === '' ? undefined : name;
}

/** A device without a browser need not name redirect URIs; those it names are checked all the same. */
function isRedirected(members: Members, grantTypes: readonly string[]): boolean {
  return grantTypes.includes('authorization_code') || 'redirect_uris' in members;
}

/** D11: one dangerous entry spoils the request; entries that are merely not offered are left out as long as one remains. */
function redirectUrisOf(members: Members, policy: MetadataPolicy, note: Note): string[] {
  const given = stringsOf(members.redirect_uris);
  if (!given || given.length === 0) throw new OAuthError('invalid_redirect_uri', 'redirect_uris must be an array with at least one URI');
  if (given.length > maxRedirectUris) throw invalid('redirect_uris must have at most 32 entries');
  const accepted = new Set<string>();
  const reasons: string[] = [];
  for (const uri of given) {
    const found = classifyRedirectUri(uri, policy.dotlessSchemes);
    if (found.refused === 'dangerous') throw new OAuthError('invalid_redirect_uri', found.reason);
    if (found.refused === undefined) accepted.add(uri);
    else reasons.push(found.reason);
  }
  for (const reason of new Set(reasons)) note(reason);
  if (accepted.size === 0) throw new OAuthError('invalid_redirect_uri', reasons[0] ?? 'No redirect URI can be used');
  return [...accepted];
}

/** The grants in which a person decides: the only ones that anybody may register for (DCR-13). */
const personalGrants = ['authorization_code', deviceCodeGrant];

/** DCR-10: the code flow unless a device asks for its own, and always refresh (Zed forgets to ask). RFC 7591 §3.2.1: the server "MAY reject or replace". */
function grantTypesOf(members: Members, note: Note): string[] {
  const given = 'grant_types' in members ? stringsOf(members.grant_types) : ['authorization_code'];
  const personal = personalGrants.filter((type) => given?.includes(type));
  if (personal.length === 0) throw invalid('grant_types must include authorization_code or the device grant');
  if (given?.some((type) => type !== 'refresh_token' && !personalGrants.includes(type)))
    note('Grant types that are not offered to this kind of client were left out');
  return personal.includes('authorization_code') ? ['authorization_code', 'refresh_token', ...personal.slice(1)] : [...personal, 'refresh_token'];
}

function responseTypesOf(members: Members, grantTypes: readonly string[], note: Note): string[] {
  if (!grantTypes.includes('authorization_code')) return [];
  if ('response_types' in members) {
    const given = stringsOf(members.response_types);
    if (!given?.includes('code')) throw invalid('response_types must include code');
    if (given.length > 1) note('Response types other than code were left out');
  }
  return ['code'];
}

/** RFC 7591 §2: "If unspecified or omitted, the default is client_secret_basic". */
function registeredMethod(members: Members, hasKeys: boolean): ClientMetadata['tokenEndpointAuthMethod'] {
  const method = members.token_endpoint_auth_method ?? 'client_secret_basic';
  if (method === 'none' || method === 'client_secret_basic' || method === 'client_secret_post') return method;
  if (method !== 'private_key_jwt') throw invalid('token_endpoint_auth_method must be none, client_secret_basic, client_secret_post or private_key_jwt');
  return withKeys(hasKeys);
}

/**
 * A document offers one method, or several in `token_endpoint_auth_methods_supported` (OpenID Connect RP Metadata Choices). The one it names first and foremost holds
 * (ChatGPT: private_key_jwt), else its strongest that is offered here; and then no other, so that nobody can pass for it without its key.
 */
function documentMethod(members: Members, hasKeys: boolean): ClientMetadata['tokenEndpointAuthMethod'] {
  const offered = stringsOf(members.token_endpoint_auth_methods_supported) ?? [];
  const method = members.token_endpoint_auth_method ?? (offered.includes('private_key_jwt') && hasKeys ? 'private_key_jwt' : (offered[0] ?? 'none'));
  if (method === 'private_key_jwt' && (hasKeys || !offered.includes('none'))) return withKeys(hasKeys);
  if (method === 'none' || offered.includes('none')) return 'none';
  throw invalid('token_endpoint_auth_method of a document must be none or private_key_jwt');
}

function withKeys(hasKeys: boolean): 'private_key_jwt' {
  if (!hasKeys) throw invalid('private_key_jwt needs jwks or jwks_uri');
  return 'private_key_jwt';
}

/** OpenID Connect Registration §2; `none` there would make every assertion good. */
function signingAlgOf(members: Members): string | undefined {
  const given = members.token_endpoint_auth_signing_alg;
  if (given === undefined || (typeof given === 'string' && foreignAlgorithms.includes(given))) return given;
  throw invalid('token_endpoint_auth_signing_alg must be one of token_endpoint_auth_signing_alg_values_supported');
}

function scopeOf(members: Members, note: Note): string | undefined {
  if (!('scope' in members)) return undefined;
  const given = members.scope;
  const tokens = typeof given === 'string' ? [...new Set(given.split(' ').filter(isScopeToken))].slice(0, 100) : [];
  if (tokens.length === 0) note('scope was left out: it has no usable value');
  return tokens.length === 0 ? undefined : tokens.join(' ');
}

function applicationTypeOf(members: Members, note: Note): ClientMetadata['applicationType'] {
  const given = members.application_type;
  if (given === 'native' || given === 'web') return given;
  if (given !== undefined) note('application_type was left out: it is neither native nor web');
  return undefined;
}

function httpsUrlOf(members: Members, name: string, note: Note): string | undefined {
  const given = members[name];
  if (given === undefined) return undefined;
  if (typeof given === 'string' && isPlainHttpsUrl(given)) return given;
  note(`${name} was left out: it is not an https URL`);
  return undefined;
}

function contactsOf(members: Members, note: Note): string[] | undefined {
  if (!('contacts' in members)) return undefined;
  const contacts = (stringsOf(members.contacts) ?? []).map((contact) => displayText(contact, maxNameLength)).filter((contact) => contact !== '');
  if (contacts.length === 0) note('contacts was left out: it is not an array of strings');
  return contacts.length === 0 ? undefined : contacts.slice(0, 10);
}

function textOf(members: Members, name: string, note: Note): string | undefined {
  const given = members[name];
  if (given === undefined) return undefined;
  const text = typeof given === 'string' ? displayText(given, maxNameLength) : '';
  if (text === '') note(`${name} was left out: it is not a usable string`);
  return text === '' ? undefined : text;
}

/** RFC 9449 §5.2. Half understood, it would leave tokens unbound that the client believes to be bound. */
function boundTokensOf({ dpop_bound_access_tokens: given = false }: Members): true | undefined {
  if (typeof given !== 'boolean') throw invalid('dpop_bound_access_tokens must be true or false');
  return given || undefined;
}

function stringsOf(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}

/** Anybody may register: what a row holds is bounded, not only how many rows there are. */
function refuseBulky(metadata: ClientMetadata): ClientMetadata {
  if (JSON.stringify(metadata).length > maxMetadataLength) throw invalid('Client metadata is longer than 16 KiB');
  return metadata;
}

function withoutUndefined(metadata: ClientMetadata): ClientMetadata {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined)) as ClientMetadata;
}

function invalid(description: string): OAuthError {
  return new OAuthError('invalid_client_metadata', description);
}
