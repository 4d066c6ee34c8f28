/**
 * The members that OpenID Connect adds to client metadata (OIDC Registration §2, RP-Initiated Logout §3.1, Back-Channel
 * Logout §2.2). Pure, and as lenient as metadata.ts: what is not
 * offered is left out with a note, what would break a promise to people is refused.
 */
import { OAuthError } from '../errors.ts';
import { classifyRedirectUri } from '../rules/redirect-uri.ts';
import type { ClientMetadata, ResponseAlgorithm } from '../storage/store.ts';
import { isPlainHttpsUrl } from './https-url.ts';

type Members = Record<string, unknown>;
type Note = (sentence: string) => void;
type OpenidMetadata = Pick<
  ClientMetadata,
  'idTokenSignedResponseAlg' | 'userinfoSignedResponseAlg' | 'subjectType' | 'sectorIdentifierUri' | 'postLogoutRedirectUris' | 'backchannelLogoutUri'
>;

const algorithms: readonly string[] = ['RS256', 'ES256', 'EdDSA'] satisfies ResponseAlgorithm[];
const maxUris = 32;

/** @throws {OAuthError} invalid_client_metadata */
export function openidMetadata(members: Members, { redirectUris, dotlessSchemes }: Given, note: Note): OpenidMetadata {
  return {
    idTokenSignedResponseAlg: algorithmOf(members, 'id_token_signed_response_alg', note),
    userinfoSignedResponseAlg: algorithmOf(members, 'userinfo_signed_response_alg', note),
    ...subjectsOf(members, redirectUris, note),
    postLogoutRedirectUris: returnUrisOf(members.post_logout_redirect_uris, dotlessSchemes, note),
    backchannelLogoutUri: backchannelOf(members.backchannel_logout_uri, note),
  };
}

type Given = { redirectUris: readonly string[]; dotlessSchemes: readonly string[] };

/** `none` and symmetric algorithms are not offered. */
function algorithmOf(members: Members, name: string, note: Note): ResponseAlgorithm | undefined {
  const given = members[name];
  if (given === undefined) return undefined;
  if (typeof given === 'string' && algorithms.includes(given)) return given as ResponseAlgorithm;
  note(`${name} was left out: it is not offered`);
  return undefined;
}

/** OIDC Core §8.1: hosts of several redirect URIs are one sector only where a document of the client says so. */
function subjectsOf(members: Members, redirectUris: readonly string[], note: Note): Pick<ClientMetadata, 'subjectType' | 'sectorIdentifierUri'> {
  const { subject_type: type, sector_identifier_uri: sector } = members;
  if (type !== undefined && type !== 'public' && type !== 'pairwise') note('subject_type was left out: it is neither public nor pairwise');
  if (sector !== undefined && (typeof sector !== 'string' || !isPlainHttpsUrl(sector))) throw invalid('sector_identifier_uri must be an https URL');
  if (type !== 'pairwise') return {};
  if (sector !== undefined && redirectUris.length === 0) throw invalid('sector_identifier_uri needs redirect URIs, which its document lists');
  if (sector !== undefined) return { subjectType: type, sectorIdentifierUri: sector };
  if (redirectHosts(redirectUris).size > 1) throw invalid('subject_type pairwise with redirect URIs on several hosts needs a sector_identifier_uri');
  return { subjectType: type };
}

/** The hosts of https redirect URIs; those of programs on somebody's computer name no sector. */
export function redirectHosts(redirectUris: readonly string[]): Set<string> {
  return new Set(redirectUris.filter((uri) => uri.startsWith('https://')).map((uri) => new URL(uri).host));
}

function returnUrisOf(given: unknown, dotlessSchemes: readonly string[], note: Note): string[] | undefined {
  if (given === undefined) return undefined;
  const uris = Array.isArray(given) ? given : [];
  if (uris.length === 0 || uris.length > maxUris || !uris.every((uri) => typeof uri === 'string'))
    throw invalid('post_logout_redirect_uris must be an array of 1 to 32 URIs');
  const accepted = new Set<string>();
  for (const uri of uris) {
    const found = classifyRedirectUri(uri, dotlessSchemes);
    if (found.refused === 'dangerous') throw invalid('A post_logout_redirect_uri has a form that is not allowed');
    if (found.refused === undefined) accepted.add(uri);
    else note('A post_logout_redirect_uri was left out: it is of a kind that is not offered');
  }
  return accepted.size > 0 ? [...accepted] : undefined;
}

/** Only addresses that we would send to at all; where they lead is judged at each delivery. */
function backchannelOf(given: unknown, note: Note): string | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'string' && isPlainHttpsUrl(given)) return given;
  note('backchannel_logout_uri was left out: it is not an https URL');
  return undefined;
}

function invalid(description: string): OAuthError {
  return new OAuthError('invalid_client_metadata', description);
}
