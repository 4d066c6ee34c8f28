/**
 * What a client is told about its registration (RFC 7591 §3.2.1, RFC 7592 §3): everything that was registered, under the names of the wire. Absent members
 * stay absent, because some clients cannot read null (DCR-02).
 */
import type { Context } from '../context.ts';
import type { Client, ClientMetadata } from '../storage/store.ts';
import { responseAlgorithm } from './response-algorithm.ts';

/** `secret` only when one was made for this answer: it is kept nowhere. */
export type Credentials = { secret: string | undefined; managementToken: string };

export function registrationAnswer(client: Client, { secret, managementToken }: Credentials, { issuer, options }: Context): Record<string, unknown> {
  return {
    client_id: client.id,
    client_id_issued_at: client.createdAt,
    ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: client.secretExpiresAt ?? 0 }),
    registration_client_uri: `${issuer}/register/${client.id}`,
    registration_access_token: managementToken,
    ...registeredMembers(client.metadata, options),
  };
}

/** Client metadata under the names of the wire. */
export function registeredMembers(metadata: ClientMetadata, options: Context['options']) {
  return {
    client_name: metadata.clientName,
    redirect_uris: metadata.redirectUris,
    grant_types: metadata.grantTypes,
    response_types: metadata.responseTypes.length > 0 ? metadata.responseTypes : undefined,
    token_endpoint_auth_method: metadata.tokenEndpointAuthMethod,
    scope: metadata.scope,
    application_type: metadata.applicationType,
    client_uri: metadata.clientUri,
    logo_uri: metadata.logoUri,
    tos_uri: metadata.tosUri,
    policy_uri: metadata.policyUri,
    contacts: metadata.contacts,
    software_id: metadata.softwareId,
    software_version: metadata.softwareVersion,
    jwks: metadata.jwks,
    jwks_uri: metadata.jwksUri,
    require_pushed_authorization_requests: metadata.requirePushedRequests,
    token_endpoint_auth_signing_alg: metadata.tokenEndpointAuthSigningAlg,
    id_token_signed_response_alg: metadata.idTokenSignedResponseAlg && responseAlgorithm(metadata.idTokenSignedResponseAlg, options),
    userinfo_signed_response_alg: metadata.userinfoSignedResponseAlg && responseAlgorithm(metadata.userinfoSignedResponseAlg, options),
    subject_type: metadata.subjectType,
    sector_identifier_uri: metadata.sectorIdentifierUri,
    post_logout_redirect_uris: metadata.postLogoutRedirectUris,
    backchannel_logout_uri: metadata.backchannelLogoutUri,
    backchannel_logout_session_required: metadata.backchannelLogoutUri && true,
    dpop_bound_access_tokens: metadata.dpopBoundAccessTokens,
  };
}
