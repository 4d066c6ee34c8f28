/**
 * The verbs of the store and the rows they speak of: the only door to a database. A verb is one sentence and one atomic act; what can fail by a race says
 * so in its answer ("taken", "reused") instead of asking the caller to look first. A store is bound to one tenant. Only hashes of secrets come in here.
 * Verbs of newer nouns are in verbs/. Not here: SQL (tables/), databases (drivers/).
 */
import type { AuditEvent } from '../audit/event.ts';
import type { AccountVerbs } from './verbs/accounts.ts';
import type { ActivityVerbs } from './verbs/activity.ts';
import type { DefendedNameVerbs } from './verbs/defended-names.ts';
import type { DismissalVerbs } from './verbs/dismissals.ts';
import type { HandOffVerbs } from './verbs/hand-off.ts';
import type { KnownDeviceVerbs } from './verbs/known-devices.ts';
import type { LanguageVerbs } from './verbs/languages.ts';
import type { OneTimeLinkVerbs } from './verbs/one-time-links.ts';
import type { OutboxVerbs } from './verbs/outbox.ts';
import type { PasskeyVerbs } from './verbs/passkeys.ts';
import type { PasswordVerbs } from './verbs/passwords.ts';
import type { PauseVerbs } from './verbs/pauses.ts';
import type { ConsentRecord, ReceiptVerbs } from './verbs/receipts.ts';
import type { SecondFactorVerbs } from './verbs/second-factors.ts';
import type { ServerPeopleVerbs } from './verbs/server-people.ts';
import type { SessionVerbs } from './verbs/sessions.ts';
import type { UpstreamVerbs } from './verbs/upstreams.ts';

export type { ReportedAction } from './activity-counter.ts';
export type { HeldRow } from './verbs/accounts.ts';
export type { Activity, ActivityNote, ActivityOutcome } from './verbs/activity.ts';
export type { LinkPurpose, OneTimeLink } from './verbs/one-time-links.ts';
export type { DueMail, OutboxMail } from './verbs/outbox.ts';

export { MAX_PASSKEYS, type Passkey, type WaysOn } from './verbs/passkeys.ts';
export type { AgentPause, Hold } from './verbs/pauses.ts';
export type { ConsentRecord } from './verbs/receipts.ts';
export type { Upstream, UpstreamIdentity, UpstreamRecipe, UpstreamVisit } from './verbs/upstreams.ts';

export type Role = 'user' | 'owner' | 'operator';
export type User = {
  id: string;
  username: string;
  email?: string;
  name?: string;
  role: Role;
  language?: string;
  createdAt: number;
  disabledAt?: number;
  agentsPausedAt?: number;
};
export type NewUser = Omit<User, 'disabledAt' | 'agentsPausedAt'> & { passwordHash?: string };

export type Session = {
  idHash: string;
  userId: string;
  authTime: number;
  createdAt: number;
  seenAt: number;
  idleSeconds: number;
  expiresAt: number;
  userAgent?: string;
  address?: string;
  /** Methods of the sign-in (RFC 8176). */
  amr?: string[];
  /** What clients know the session by. Stays when the same person signs in again in it; the id does not. */
  sid?: string;
};

/** `deviceHash` is what this browser is known by when the person signs in again. */
export type NewSession = Session & { deviceHash?: string };

/** A client that wants to hear when a browser session ends, at most until `expiresAt` (OIDC Back-Channel Logout). */
export type SessionClient = { sid: string; clientId: string; userId: string; expiresAt: number };
/** A client that is to hear of it now. `last`: nobody will try again. */
export type DueLogout = { sid: string; clientId: string; userId: string; last: boolean };

export type ScopeGroup = 'identity' | 'see' | 'change' | 'delete' | 'admin';
/** A permission of an MCP server in its owner's words, `descriptions` by language (BCP 47). `optional` scopes start unticked on the consent page. */
export type ServerScope = { name: string; description?: string; descriptions?: Record<string, string>; group?: ScopeGroup; optional?: boolean };
export type McpServer = {
  id: string;
  ownerId: string;
  /** Canonical resource identifier (RFC 8707), unique in the tenant: what goes into `aud`. */
  resource: string;
  serverUrl: string;
  name: string;
  description?: string;
  scopes: ServerScope[];
  defaultScopes?: string[];
  logoUrl?: string;
  /** The longest a person may allow anything here; without it the person alone decides. */
  maxDuration?: MaxDuration;
  /** `listed`: only the people on its list may use it. Absent: everybody with an account. */
  people?: 'listed';
  createdAt: number;
  updatedAt: number;
};
export type MaxDuration = '30_days' | '8_hours' | 'once';
export type ServerKey = {
  id: string;
  serverId: string;
  name: string;
  secretHash: string;
  createdAt: number;
  expiresAt: number;
  revokedAt?: number;
  lastUsedAt?: number;
};

export type OwnerToken = { id: string; tokenHash: string; userId: string; name: string; createdAt: number; expiresAt: number; revokedAt?: number };

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
/** An initial access token (RFC 7591 §3): who has one may register that often. */
export type RegistrationToken = { id: string; tokenHash: string; name: string; usesLeft: number; createdAt: number; expiresAt: number; revokedAt?: number };
/** `managementHash` is the one that the client must still have; `endsGrants` when what people allowed must not go on. */
export type ClientReplacement = { client: Client; managementHash: string; endsGrants: boolean };
export type ClientDocument = { url: string; metadata: ClientMetadata; fetchedAt: number; freshUntil: number; disabledAt?: number };

/** The checked parameters of an authorization request, parked while the person signs in and decides. */
export type AuthorizationRequest = {
  clientId: string;
  redirectUri: string;
  /** Whether `redirect_uri` was in the request (a sole registered one may be left out). */
  redirectUriSent: boolean;
  state?: string;
  /** Absent for `query`. */
  responseMode?: 'form_post';
  scope: string[];
  /** Requested, but not offered by the resource: shown to the person as ignored. */
  ignoredScope?: string[];
  resource: string;
  serverId?: string;
  codeChallenge: string;
  nonce?: string;
  /** Thumbprint of the key that must redeem the code (RFC 9449 §10). */
  dpopJkt?: string;
  prompt: string[];
  maxAge?: number;
  /** Levels of sign-in that are offered, of those the client asked for: one of them must be reached (RFC 9470 §5). */
  acrValues?: string[];
  loginHint?: string;
  /** What the client says its person reads (`ui_locales`); one of our languages. */
  language?: string;
  /** From an `id_token_hint` of this client: the person it means, as it knows them. */
  hintedSubject?: string;
  /** Hash of the reference by which this request was pushed: answering the request uses that up. */
  pushedHash?: string;
};
/** A checked request that a client pushed (RFC 9126). It may be begun until `expiresAt`, more than once, and answered once. */
export type PushedRequest = { referenceHash: string; request: AuthorizationRequest; createdAt: number; expiresAt: number };
export type ParkedRequest = {
  idHash: string;
  /** Hash of the cookie of the browser that began; no other browser may continue. */
  browserHash: string;
  request: AuthorizationRequest;
  createdAt: number;
  expiresAt: number;
  answeredAt?: number;
  /** The answer (a redirect URL), sealed under the browser's cookie, so that the return page can be shown again. */
  answer?: string;
};

/** `pushedHash` is that of the request, when it was pushed. */
export type RequestAnswer = { idHash: string; answer: string; now: number; pushedHash?: string };

export type Grant = {
  id: string;
  /** Absent for a machine grant (client_credentials). */
  userId?: string;
  clientId: string;
  /** Absent when the resource is the authorization server itself. */
  serverId?: string;
  resource: string;
  scope: string[];
  redirectUri?: string;
  /** SHA-256 of the client metadata the person saw: a changed document voids remembered consent (CIMD-16). */
  clientDigest?: string;
  /** What the person saw, verbatim, as JSON. */
  receipt?: string;
  createdAt: number;
  lastUsedAt: number;
  expiresAt?: number;
  /** The person allowed it once: there is no refresh token, and consent is not remembered from it. */
  once?: true;
  revokedAt?: number;
  revokedReason?: string;
  /** Its person paused it. */
  pausedAt?: number;
  /** The operator's hold that stops it. */
  holdId?: string;
  /** What the person took back: no longer in `scope`, though tokens issued before still carry it. */
  removedScope?: string[];
};

export type Code = {
  codeHash: string;
  grantId: string;
  clientId: string;
  redirectUri: string;
  codeChallenge: string;
  nonce?: string;
  /** Thumbprint of the key that must redeem it (RFC 9449 §10). */
  dpopJkt?: string;
  authTime: number;
  amr?: string[];
  sid?: string;
  createdAt: number;
  expiresAt: number;
  /** Failed redemptions so far; at MAX_CODE_FAILURES the code is dead (COD-08). */
  failures: number;
  redeemedAt?: number;
};
export const MAX_CODE_FAILURES = 5;

/** What a device asks for (RFC 8628 §3.1), checked like an authorization request. */
export type DeviceRequest = { scope: string[]; ignoredScope?: string[]; resource: string; serverId?: string };
/** A device that waits for its person. Answered without a grant means denied. */
export type DeviceCode = {
  codeHash: string;
  /** Keyed hash: the code is short enough to be tried out. */
  userCodeHash: string;
  clientId: string;
  request: DeviceRequest;
  /** Where the device asked from. */
  address: string;
  createdAt: number;
  expiresAt: number;
  /** How long the device must wait between two polls; grows with each that came too early. */
  intervalSeconds: number;
  answeredAt?: number;
  grantId?: string;
  /** When the person who allowed it had signed in. */
  authTime?: number;
  amr?: string[];
  redeemedAt?: number;
};
/** "over": unknown, of another client, expired or answered. */
export type PollOutcome = 'pending' | 'too-fast' | 'over';

/** A refresh family: one row, rotated in one statement. One family per grant. */
export type RefreshFamily = {
  familyId: string;
  grantId: string;
  clientId: string;
  currentHash: string;
  previousHash?: string;
  generation: number;
  authTime?: number;
  /** Thumbprint of the key it is bound to (RFC 9449 §5); public clients only. */
  dpopJkt?: string;
  amr?: string[];
  createdAt: number;
  rotatedAt: number;
  idleExpiresAt: number;
  expiresAt: number;
  revokedAt?: number;
};
export type Rotation = {
  familyId: string;
  presentedHash: string;
  nextHash: string;
  now: number;
  idleExpiresAt: number;
  graceSeconds: number;
};
export type RotationOutcome =
  /** This call rotated: the next token is current. */
  | { outcome: 'rotated' }
  /** The immediate predecessor, within grace: the next token is current already. */
  | { outcome: 'repeated' }
  /** A token this family once issued, presented too late: the family and its grant are revoked now (RFC 9700 §4.14). */
  | { outcome: 'reused' }
  /** Its grant is paused. Nothing changed: the token is good again when the grant is resumed. */
  | { outcome: 'paused' }
  /** Expired, revoked, or its grant is. Nothing changed. */
  | { outcome: 'dead' };

export type SigningKeyRow = {
  kid: string;
  algorithm: 'ES256' | 'RS256' | 'EdDSA';
  publicJwk: string;
  privateSealed: string;
  createdAt: number;
  /** Published from creation; signs from here on (KEY-02: at least the JWKS cache time later), until `signsUntil`; leaves the JWKS at `publishedUntil`. */
  signsFrom: number;
  signsUntil?: number;
  publishedUntil?: number;
};

/** An issuer whose assertions count here (RFC 7523): `identity` speaks for people (ID-JAG), `workload` for programs (Kubernetes, CI). */
export type TrustedIssuer = {
  issuer: string;
  kind: 'identity' | 'workload';
  /** Its keys, or where they are; with neither its metadata says where. */
  jwks?: { keys: Record<string, unknown>[] };
  jwksUri?: string;
  /** For people that are not linked: refuse them, or make an account for them. Never a link by e-mail. */
  provisioning?: 'linked' | 'create';
  /** Whether a token is good once. Always so for people. */
  once: boolean;
  createdAt: number;
};
/** Which machine client the workloads of a subject act as; a `*` at the end stands for anything. */
export type Workload = { subject: string; clientId: string };
/** Where a client may take an identity assertion of ours: to the issuer `audience`, for one resource there, as the client it is there. */
export type AssertionTarget = { clientId: string; audience: string; resource: string; clientIdThere: string; scope: string[] };

/** An id that may be used once. `kind` says what it is an id of, so that ids of different kinds never meet. */
export type OneTimeUse = {
  kind: 'client_assertion' | 'dpop_proof' | 'assertion_grant' | 'passkey_challenge';
  /** SHA-256 of the id together with whatever it is unique for, such as its issuer. */
  idHash: string;
  now: number;
  /** When what carries the id can no longer be accepted, clock skew included: until then a second use fails. */
  expiresAt: number;
};

/** Whether what hangs from a grant may be used. `paused` is present when it would stand but for a pause: then it will again. */
export type GrantState = { standing: boolean; paused?: true };

/** The one indexed question behind /introspect: who asks with this key, and does the token's grant still stand? */
export type Standing = {
  key: { id: string; serverId: string; resource: string; expiresAt: number; revokedAt?: number };
  /** Absent when the grant is unknown. `active` is false when grant or person was revoked, disabled, paused or has ended, or the jti was revoked. `removedScope` is what tokens may carry and the person took back. */
  grant?: { active: boolean; userId?: string; username?: string; email?: string; removedScope?: string[] };
};

export type Remembered = { grantId: string; scope: string[]; createdAt: number; expiresAt?: number };
/** A scope that a person's living grants allow a client on a resource; `until` is absent while one of them has no end. */
export type AllowedScope = { name: string; since: number; until?: number };
/** `from` is where the person sat who allowed it. */
export type ConnectedAgent = Grant & { serverName?: string; familyExpiresAt?: number; from?: { address?: string; userAgent?: string } };

/** A grant that a client may use through another one, and when this was last noted. */
export type Approval = { grant: Grant; notedAt?: number };
export type Delegation = { grantId: string; subjectGrantId: string; userId: string; expiresAt: number };
/** Who used the grant, and where they were allowed: the client and resource of the grant it was used through. */
export type NotedDelegation = { grantId: string; clientId: string; resource: string; serverName?: string; lastUsedAt: number };

/** `allowed: false` carries how long to wait, in seconds. */
export type Allowance = { allowed: true } | { allowed: false; retryAfter: number };

export type Store = AccountVerbs &
  ActivityVerbs &
  DefendedNameVerbs &
  DismissalVerbs &
  HandOffVerbs &
  LanguageVerbs &
  KnownDeviceVerbs &
  OneTimeLinkVerbs &
  OutboxVerbs &
  PasskeyVerbs &
  PasswordVerbs &
  PauseVerbs &
  ReceiptVerbs &
  SecondFactorVerbs &
  ServerPeopleVerbs &
  SessionVerbs &
  UpstreamVerbs & {
    readonly tenant: string;
    /** Migrations this build knows and the database lacks; also shows that the database answers. */
    pendingMigrations(): Promise<string[]>;

    // people
    /** Adds a person with an optional password. "taken": the username or e-mail exists (compared case-insensitively). */
    addUser(user: NewUser, event: AuditEvent): Promise<'added' | 'taken'>;
    findUser(id: string): Promise<User | undefined>;
    /** Finds by username or e-mail, any case. */
    findUserByLogin(login: string): Promise<{ user: User; passwordHash?: string } | undefined>;
    listUsers(): Promise<User[]>;
    /** Replaces the password and ends what was reached with the old one: sessions, grants and refresh families of this person. */
    changePassword(userId: string, passwordHash: string, event: AuditEvent): Promise<boolean>;
    /** Stores the same password under stronger parameters. Only if the stored hash is still `oldHash`. */
    rehashPassword(userId: string, oldHash: string, newHash: string, now: number): Promise<void>;
    /** Disables (or enables) a person; while disabled, sessions and grants do not stand. */
    setUserDisabled(userId: string, disabled: boolean, event: AuditEvent): Promise<boolean>;

    // browser sessions
    /** Starts a session and, in the same commit, ends `replaces` (a new id on every sign-in, LOG-01). */
    startSession(session: NewSession, replaces: string | undefined, event: AuditEvent): Promise<void>;
    /** The living session with its enabled person. */
    findSession(idHash: string, now: number): Promise<{ session: Session; user: User } | undefined>;
    touchSession(idHash: string, now: number): Promise<void>;
    endSession(idHash: string, event: AuditEvent): Promise<boolean>;
    /** Takes up to `limit` clients that are to hear of ended sessions; each is this caller's until its next attempt is due. */
    claimLogouts(now: number, limit: number): Promise<DueLogout[]>;
    /** A client has heard it, or never will. */
    settleLogout(sid: string, clientId: string): Promise<void>;

    // first operator and owner tokens
    addSetupLink(tokenHash: string, now: number, expiresAt: number): Promise<void>;
    setupLinkOpen(tokenHash: string, now: number): Promise<boolean>;
    /** Uses the link up and creates the operator and their owner token, all or nothing. */
    redeemSetupLink(tokenHash: string, operator: NewUser & { passwordHash: string }, token: OwnerToken, event: AuditEvent): Promise<'done' | 'used' | 'taken'>;
    hasOperator(): Promise<boolean>;
    addOwnerToken(token: OwnerToken, event: AuditEvent): Promise<void>;
    /** The enabled person behind a living owner token. */
    findOwner(tokenHash: string, now: number): Promise<User | undefined>;
    revokeOwnerToken(id: string, event: AuditEvent): Promise<boolean>;

    // MCP servers and their keys
    addServer(server: McpServer, event: AuditEvent): Promise<'added' | 'taken'>;
    findServer(id: string): Promise<McpServer | undefined>;
    findServerByResource(resource: string): Promise<McpServer | undefined>;
    /** Whether a server with another resource offers one of these scopes: such a request has confused two resources (AZ-19). A scan, for the rare request with scopes that its target does not know. */
    isScopeOfAnother(scopes: readonly string[], resource: string): Promise<boolean>;
    /** Servers of one owner, or all for an operator; oldest first, at most `limit`, after the id `after`. */
    listServers(page: { ownerId?: string; limit: number; after?: string }): Promise<McpServer[]>;
    /** Writes every column but id, owner and creation. "taken": another server has the resource. */
    updateServer(server: McpServer, event: AuditEvent): Promise<'updated' | 'taken' | 'gone'>;
    /** Removes the server and its keys and revokes its grants. */
    removeServer(id: string, event: AuditEvent): Promise<boolean>;
    addKey(key: ServerKey, event: AuditEvent): Promise<void>;
    listKeys(serverId: string): Promise<ServerKey[]>;
    /** True when this call revoked it. */
    revokeKey(serverId: string, keyId: string, event: AuditEvent): Promise<boolean>;

    // clients
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
    /** Replaces metadata, secret, management token and standing of a living client that still has the management token named. False: somebody was first. */
    replaceClient(replacement: ClientReplacement, event: AuditEvent): Promise<boolean>;
    /** Lets a pending client be used. True when this call did it. */
    approveClient(id: string, event: AuditEvent): Promise<boolean>;
    addRegistrationToken(token: RegistrationToken, event: AuditEvent): Promise<void>;
    /** Takes one use of a living token and resolves to its id; undefined when there is none to take. */
    useRegistrationToken(tokenHash: string, now: number): Promise<string | undefined>;
    listRegistrationTokens(): Promise<RegistrationToken[]>;
    revokeRegistrationToken(id: string, event: AuditEvent): Promise<boolean>;
    /** Leaves a tombstone and revokes the client's grants. */
    removeClient(id: string, event: AuditEvent): Promise<boolean>;
    /** Turns dynamic clients unused since `unusedSince` and without a living grant into tombstones, and deletes tombstones older than `forgetBefore`; at most `limit` each. Returns how many went. */
    expireDynamicClients(unusedSince: number, forgetBefore: number, limit: number, now: number): Promise<number>;
    /** Living dynamic clients that never got a grant: what the global cap of DCR-14 counts. */
    countUnconsentedClients(): Promise<number>;
    findDocument(url: string): Promise<ClientDocument | undefined>;
    saveDocument(document: ClientDocument): Promise<void>;

    // authorization requests, consent, grants
    pushRequest(pushed: PushedRequest): Promise<void>;
    /** A pushed request that has neither ended nor been answered. */
    findPushedRequest(referenceHash: string, now: number): Promise<PushedRequest | undefined>;
    parkRequest(request: ParkedRequest): Promise<void>;
    findRequest(idHash: string, now: number): Promise<ParkedRequest | undefined>;
    /** Answers a parked request once: marks it, uses up the reference it was pushed by, creates the grant and the code, writes the event. "answered": somebody was first, nothing changed. */
    approveRequest(
      approval: RequestAnswer & { grant: Grant; code: Code; listener?: SessionClient; receipt?: ConsentRecord },
      event: AuditEvent,
    ): Promise<'approved' | 'answered'>;
    /** Answers a parked request with an error; no grant. */
    denyRequest(denial: RequestAnswer, event: AuditEvent): Promise<'denied' | 'answered'>;
    findGrant(id: string): Promise<Grant | undefined>;
    /** The scopes this person already allowed this client on this resource, with the same redirect URI and metadata; the newest living grant that was not for once. */
    rememberedConsent(
      key: { userId: string; clientId: string; resource: string; redirectUri: string; clientDigest: string },
      now: number,
    ): Promise<Remembered | undefined>;
    /** The union of what this person's living grants, but those for once, allow this client on this resource, whatever the redirect URI: what step-up calls "already allowed". */
    allowedScopes(key: { userId: string; clientId: string; resource: string }, now: number): Promise<AllowedScope[]>;
    listAgents(userId: string, now: number): Promise<ConnectedAgent[]>;
    listGrants(filter: { clientId?: string; userId?: string; serverId?: string }, now: number): Promise<Grant[]>;
    /** Revokes a living grant and its refresh family. True when this call did it. */
    revokeGrant(id: string, reason: string, event: AuditEvent): Promise<boolean>;
    /** Revokes every living grant that this person gave the client of the named grant on its resource, with their refresh families. True when this call ended any. */
    disconnectAgent(userId: string, grantId: string, reason: string, event: AuditEvent): Promise<boolean>;
    /** The living machine grant of client × resource with at least this scope, and whether it is paused; created or widened when missing. One statement when it stands. */
    ensureMachineGrant(grant: Grant, event: AuditEvent): Promise<{ id: string; scope: string[]; paused?: true }>;

    /** The newest living grants of person × client × resource, each with its note of being used through the subject's grant. */
    listApprovals(key: { userId: string; clientId: string; resource: string; subjectGrantId: string }, now: number): Promise<Approval[]>;
    /** Notes that a grant is used through another one, at the time of the event, which is written the first time only. */
    noteDelegation(delegation: Delegation, event: AuditEvent): Promise<void>;
    /** How the grants of this person were used through others that still live; the latest first. */
    listDelegations(userId: string, now: number): Promise<NotedDelegation[]>;

    // devices
    /** Parks what a device asks for. "taken": a device that waits, or lately did, has this user code. */
    addDeviceCode(device: DeviceCode): Promise<'added' | 'taken'>;
    /** The device behind a user code, while it waits. */
    findWaitingDevice(userCodeHash: string, now: number): Promise<DeviceCode | undefined>;
    /** Counts a poll of a waiting device; one that came too early makes the interval longer for good (RFC 8628 §3.5). One statement. */
    pollDevice(poll: { codeHash: string; clientId: string; now: number; slowerBySeconds: number }): Promise<PollOutcome>;
    /** The device behind a device code, waiting or not, with its grant and whether that stands. */
    findDevice(codeHash: string, now: number): Promise<({ device: DeviceCode; grant?: Grant } & GrantState) | undefined>;
    /** Answers a waiting device once: marks it, creates the grant, writes the event. "answered": somebody was first or it is too late, nothing changed. */
    approveDevice(
      approval: { codeHash: string; grant: Grant; authTime: number; amr?: string[]; now: number; receipt?: ConsentRecord },
      event: AuditEvent,
    ): Promise<'approved' | 'answered'>;
    /** Answers a waiting device with no; no grant. */
    denyDevice(denial: { codeHash: string; now: number }, event: AuditEvent): Promise<'denied' | 'answered'>;
    /** Redeems an approved device code once, and creates the refresh family if given. "spent": redeemed, expired, not approved or its grant is gone; nothing changed. */
    redeemDevice(redemption: { codeHash: string; now: number; redemptionId: string; family?: RefreshFamily }): Promise<'redeemed' | 'spent'>;

    // issuers whose word counts, and where ours does
    addIssuer(issuer: TrustedIssuer, event: AuditEvent): Promise<'added' | 'taken'>;
    findIssuer(issuer: string): Promise<TrustedIssuer | undefined>;
    listIssuers(): Promise<TrustedIssuer[]>;
    /** Ends the grants that stand on its word, and forgets its links and workloads. */
    removeIssuer(issuer: string, event: AuditEvent): Promise<boolean>;
    /** Says who a subject of an issuer is here. False when it is linked, or issuer or person are unknown. */
    linkIdentity(identity: { issuer: string; subject: string; userId: string }, event: AuditEvent): Promise<boolean>;
    /** Makes a person and the link in one act. False when the subject is linked, the name is taken or the issuer is unknown; nothing changed. */
    provisionIdentity(identity: { issuer: string; subject: string; user: NewUser }, event: AuditEvent): Promise<boolean>;
    findLinkedUser(issuer: string, subject: string): Promise<User | undefined>;
    listIdentities(issuer: string): Promise<{ subject: string; userId: string }[]>;
    unlinkIdentity(issuer: string, subject: string, event: AuditEvent): Promise<boolean>;
    /** Says which client a workload acts as. False when the subject has one, or the issuer is unknown. */
    addWorkload(workload: Workload & { issuer: string }, event: AuditEvent): Promise<boolean>;
    listWorkloads(issuer: string): Promise<Workload[]>;
    removeWorkload(issuer: string, subject: string, event: AuditEvent): Promise<boolean>;
    /** The living grant of issuer, person, client and resource, prolonged and with at least this scope, and whether it is paused; created when there is none. The event is of the first time. */
    ensureIssuerGrant(
      asserted: { issuer: string; grant: Grant & { userId: string; expiresAt: number } },
      event: AuditEvent,
    ): Promise<{ id: string; paused?: true; removedScope?: string[] }>;
    /** False when there is one for this client, audience and resource. */
    addAssertionTarget(target: AssertionTarget, event: AuditEvent): Promise<boolean>;
    listAssertionTargets(clientId: string): Promise<AssertionTarget[]>;
    removeAssertionTarget(target: Pick<AssertionTarget, 'clientId' | 'audience' | 'resource'>, event: AuditEvent): Promise<boolean>;

    // codes and refresh tokens
    /** The code with its grant (and whether that stands), redeemed or not. */
    findCode(codeHash: string, now: number): Promise<({ code: Code; grant: Grant } & GrantState) | undefined>;
    /** Redeems once, and creates the refresh family if given. "spent": redeemed, expired, failed too often or its grant is gone; nothing changed. */
    redeemCode(redemption: { codeHash: string; now: number; redemptionId: string; family?: RefreshFamily }): Promise<'redeemed' | 'spent'>;
    failCode(codeHash: string): Promise<void>;
    /** The family with its grant (and whether that stands), living or not. */
    findFamily(familyId: string, now: number): Promise<({ family: RefreshFamily; grant: Grant } & GrantState) | undefined>;
    /** See {@link RotationOutcome}. `presentedHash` is of a token whose MAC proved that this family issued it; `reuse` makes the event, should it come to that. */
    rotateRefreshToken(rotation: Rotation, reuse: () => AuditEvent | Promise<AuditEvent>): Promise<RotationOutcome>;

    // access tokens
    /** See {@link Standing}. `jti` and `grantId` come from a verified token. Undefined when no such key exists. */
    standingForKey(question: { keyHash: string; grantId: string; jti: string; now: number }): Promise<Standing | undefined>;
    findKey(keyHash: string): Promise<(ServerKey & { resource: string }) | undefined>;
    /** The same for callers without a key (a confidential client, userinfo). */
    standing(question: { grantId: string; jti: string; now: number }): Promise<Standing['grant']>;
    /** Revokes one access token until it would have expired anyway. */
    revokeAccessToken(jti: string, expiresAt: number, event: AuditEvent): Promise<void>;

    // ids that may be used once
    /** Uses an id once until it expires. False when it was used already. */
    useOnce(once: OneTimeUse): Promise<boolean>;

    // signing keys
    listSigningKeys(now: number): Promise<SigningKeyRow[]>;
    /** Adds a key and, if asked, ends signing and publication of the older ones of its algorithm. With `onlyIfNone`, adds nothing when the algorithm has a living key ("exists"): two nodes starting together make one key. */
    addSigningKey(key: SigningKeyRow, older: { signsUntil: number; publishedUntil: number } | 'onlyIfNone', event: AuditEvent): Promise<'added' | 'exists'>;
    /** Drops a compromised key at once (KEY-03). */
    dropSigningKey(kid: string, event: AuditEvent): Promise<boolean>;

    // limits
    /** Counts a try before it is made; blocked tries do not count. After 3 failures waits 1, 2, 4 … 900 s (LOG-05). */
    attempt(bucket: string, now: number): Promise<Allowance>;
    forgiveAttempts(bucket: string): Promise<void>;
    /** Counts a guess before it is made: `most` in a window that begins with the first. Blocked guesses do not count. */
    countGuess(bucket: string, limit: { most: number; windowSeconds: number }, now: number): Promise<Allowance>;
    /** Takes the count of a guess that was right back; the wrong ones stay. */
    takeGuessBack(bucket: string): Promise<void>;
    /** Takes one from a bucket that refills evenly: `limit` per `periodSeconds`, GCRA in one statement. `nowMs` in milliseconds. */
    takeFrom(bucket: string, limit: { limit: number; periodSeconds: number }, nowMs: number): Promise<Allowance>;

    // records
    /** Writes batched last-use times (never moves one backwards). May lose the last second in a crash; nothing else may. */
    recordUse(uses: { grants: Map<string, number>; keys: Map<string, number>; clients: Map<string, number> }): Promise<void>;
    recordEvent(event: AuditEvent): Promise<void>;
    listEvents(filter: { userId?: string; grantId?: string; type?: string; limit: number }): Promise<AuditEvent[]>;
  };

/** A database with its tenants. */
export type Storage = {
  forTenant(tenant: string): Store;
  addTenant(tenant: { tenant: string; name: string; createdAt: number }): Promise<'added' | 'taken'>;
  hasTenant(tenant: string): Promise<boolean>;
  listTenants(): Promise<{ tenant: string; name: string; createdAt: number }[]>;
  /** Facts about the database as a whole (`demo` marks a demo database). */
  fact(name: string): Promise<string | undefined>;
  setFact(name: string, value: string): Promise<void>;
  /** Migrations this build knows and the database lacks. */
  pendingMigrations(): Promise<string[]>;
  /** Migrations the database has and this build does not know: a newer version was here. */
  unknownMigrations(): Promise<string[]>;
  migrate(now: number): Promise<string[]>;
  /** Deletes expired rows in batches of `batch` and returns how many went; call again while it is more than 0. */
  sweep(now: number, batch: number): Promise<number>;
  ping(): Promise<void>;
  close(): Promise<void>;
};

/** The tenant of the root issuer. No slug can spell it. */
export const ROOT_TENANT = '-';
