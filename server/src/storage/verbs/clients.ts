/**
 * Clients, however they came to be known, and the verbs about them. Part of the store; clients that register themselves are in registrations.ts.
 */
import type { AuditEvent } from '../../audit/event.ts';

/** What we sign with. */
export type ResponseAlgorithm = 'RS256' | 'ES256' | 'EdDSA';

export type TokenEndpointAuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';
/** Client metadata after our parser (RFC 7591 names in camelCase); the same shape for registered clients and fetched documents. */
export type ClientMetadata = {
  clientName?: string;
  redirectUris: string[];
  grantTypes: string[];
  responseTypes: string[];
  tokenEndpointAuthMethod: TokenEndpointAuthMethod;
  /** Default request of the client, not an upper bound (contracts §7.6), except for machine clients where it bounds client_credentials. */
  scope?: string;
  applicationType?: 'native' | 'web';
  clientUri?: string;
  logoUri?: string;
  tosUri?: string;
  policyUri?: string;
  contacts?: string[];
  softwareId?: string;
  softwareVersion?: string;
  jwks?: { keys: Record<string, unknown>[] };
  jwksUri?: string;
  /** RFC 9126 §6: this client's requests are accepted only when they were pushed. */
  requirePushedRequests?: boolean;
  /** The only algorithm its assertions may have; any asymmetric one that we offer when absent. */
  tokenEndpointAuthSigningAlg?: string;
  /** OIDC Registration §2. Absent: RS256. */
  idTokenSignedResponseAlg?: ResponseAlgorithm;
  /** Absent: userinfo is plain JSON. */
  userinfoSignedResponseAlg?: ResponseAlgorithm;
  /** The client sees its people under subjects that no other sector knows (OIDC Core §8). Absent: public. */
  subjectType?: 'pairwise';
  sectorIdentifierUri?: string;
  /** Back-Channel Logout §2.2: where the end of a session is told. */
  backchannelLogoutUri?: string;
  /** RP-Initiated Logout §3.1: where a browser may go after sign-out. */
  postLogoutRedirectUris?: string[];
  /** RFC 9449 §5.2: access tokens of this client are always bound to a key. */
  dpopBoundAccessTokens?: true;
};

/** How we came to know a client. `document`: its id is an https URL that we fetch (CIMD). `demo` exists in development mode only. */
export type Registration = 'manual' | 'dynamic' | 'document' | 'demo';

export type Client = {
  id: string;
  registration: Registration;
  metadata: ClientMetadata;
  secretHash?: string;
  secretExpiresAt?: number;
  /** The secret it had before, until its end or until it is revoked (CA-14). */
  olderSecretHash?: string;
  olderSecretExpiresAt?: number;
  defaultResource?: string;
  /** The MCP server this client speaks for: it may exchange what agents send there (RFC 8693), and what people allow it is used in no other way. */
  serverId?: string;
  /** Hash of the token with which a client that registered itself manages its registration (RFC 7592). */
  managementHash?: string;
  /** Registered, but of no use until an operator approves it. */
  pendingSince?: number;
  createdAt: number;
  lastUsedAt: number;
  disabledAt?: number;
  /** Tombstone: forgotten, but its redirect URIs still tell the browser where to go back with `unauthorized_client`. */
  removedAt?: number;
};

export type ClientVerbs = {
  addClient(client: Client, event: AuditEvent): Promise<void>;
  /** Also finds disabled clients and tombstones: the caller tells them apart. */
  findClient(id: string): Promise<Client | undefined>;
  listClients(): Promise<Client[]>;
  /** Writes other metadata in the place of those that were read. False when the client is gone or somebody else wrote first: read again. */
  changeClientMetadata(change: { id: string; from: ClientMetadata; to: ClientMetadata }, event: AuditEvent): Promise<boolean>;
  /** Gives a client that has a secret a newer one, which has no end; the other works until `olderExpiresAt`. "full": two are alive already. "gone": no such client with a secret. */
  addClientSecret(secret: { id: string; secretHash: string; olderExpiresAt: number }, event: AuditEvent): Promise<'added' | 'full' | 'gone'>;
  /** Ends the older of two secrets, or the newer one, whose place the older then takes without an end. Nobody is left without a secret. True when this call ended it. */
  endClientSecret(id: string, which: 'older' | 'newer', event: AuditEvent): Promise<boolean>;
  /** Lets a pending client be used as long as it is what was seen. True when this call did it. */
  approveClient(seen: Pick<Client, 'id' | 'metadata'>, event: AuditEvent): Promise<boolean>;
  /** Leaves a tombstone and revokes the client's grants. */
  removeClient(id: string, event: AuditEvent): Promise<boolean>;
};
