/**
 * The store: the only door to a database. A verb is one sentence and one atomic act; what can fail by a race says so in its answer ("taken", "reused") instead of
 * asking the caller to look first. A store is bound to one tenant. Only hashes of secrets come in here. Verbs and the rows they speak of are in verbs/, a file
 * per noun; whoever uses them takes them from here. Not here: SQL (tables/), databases (drivers/).
 */

import type { AccessRequestVerbs } from './verbs/access-requests.ts';
import type { AccessTokenVerbs } from './verbs/access-tokens.ts';
import type { AccountVerbs } from './verbs/accounts.ts';
import type { ActivityVerbs } from './verbs/activity.ts';
import type { AuditChainVerbs } from './verbs/audit-chain.ts';
import type { AuditEventVerbs } from './verbs/audit-events.ts';
import type { AuthorizationRequestVerbs } from './verbs/authorization-requests.ts';
import type { ClientDocumentVerbs } from './verbs/client-documents.ts';
import type { ClientVerbs } from './verbs/clients.ts';
import type { CodeVerbs } from './verbs/codes.ts';
import type { CompanionVerbs } from './verbs/companions.ts';
import type { DefendedNameVerbs } from './verbs/defended-names.ts';
import type { DelegationVerbs } from './verbs/delegations.ts';
import type { DeviceCodeVerbs } from './verbs/device-codes.ts';
import type { DismissalVerbs } from './verbs/dismissals.ts';
import type { EmailVerbs } from './verbs/emails.ts';
import type { GrantVerbs } from './verbs/grants.ts';
import type { HandOffVerbs } from './verbs/hand-off.ts';
import type { KnownDeviceVerbs } from './verbs/known-devices.ts';
import type { LanguageVerbs } from './verbs/languages.ts';
import type { LapseVerbs } from './verbs/lapses.ts';
import type { LastUseVerbs } from './verbs/last-use.ts';
import type { LimitVerbs } from './verbs/limits.ts';
import type { LogoutVerbs } from './verbs/logouts.ts';
import type { OneTimeIdVerbs } from './verbs/one-time-ids.ts';
import type { OneTimeLinkVerbs } from './verbs/one-time-links.ts';
import type { OutboxVerbs } from './verbs/outbox.ts';
import type { OwnerTokenVerbs } from './verbs/owner-tokens.ts';
import type { PasskeyVerbs } from './verbs/passkeys.ts';
import type { PasswordVerbs } from './verbs/passwords.ts';
import type { PauseVerbs } from './verbs/pauses.ts';
import type { ReceiptVerbs } from './verbs/receipts.ts';
import type { RefreshTokenVerbs } from './verbs/refresh-tokens.ts';
import type { RegistrationVerbs } from './verbs/registrations.ts';
import type { SecondFactorVerbs } from './verbs/second-factors.ts';
import type { ServerKeyVerbs } from './verbs/server-keys.ts';
import type { ServerPeopleVerbs } from './verbs/server-people.ts';
import type { ServerVerbs } from './verbs/servers.ts';
import type { SessionVerbs } from './verbs/sessions.ts';
import type { SetupLinkVerbs } from './verbs/setup-links.ts';
import type { SigningKeyVerbs } from './verbs/signing-keys.ts';
import type { TenantVerbs } from './verbs/tenants.ts';
import type { TrustedIssuerVerbs } from './verbs/trusted-issuers.ts';
import type { UpstreamVerbs } from './verbs/upstreams.ts';
import type { UserVerbs } from './verbs/users.ts';
import type { WebhookVerbs } from './verbs/webhooks.ts';

export type { ReportedAction } from './activity-counter.ts';
export type { AccessDecision, AccessQuestion, AccessRequest } from './verbs/access-requests.ts';
export type { Standing } from './verbs/access-tokens.ts';
export type { HeldRow } from './verbs/accounts.ts';
export type { Activity, ActivityNote, ActivityOutcome } from './verbs/activity.ts';
export type { AuditChain, Seal, SealedEvent } from './verbs/audit-chain.ts';
export type { EventFilter, ExportedEvent } from './verbs/audit-events.ts';
export type { AuthorizationRequest, ParkedRequest, PushedRequest, RequestAnswer } from './verbs/authorization-requests.ts';
export type { ClientDocument } from './verbs/client-documents.ts';
export type { Client, ClientMetadata, Registration, ResponseAlgorithm } from './verbs/clients.ts';
export { type Code, MAX_CODE_FAILURES } from './verbs/codes.ts';
export type { Companion } from './verbs/companions.ts';
export type { Approval, NotedDelegation } from './verbs/delegations.ts';
export type { AskedAccess, DeviceCode, DeviceRequest } from './verbs/device-codes.ts';
export type { AllowedScope, ConnectedAgent, Grant, GrantState } from './verbs/grants.ts';
export type { OverGrant } from './verbs/lapses.ts';
export type { Allowance } from './verbs/limits.ts';
export type { DueLogout, SessionClient } from './verbs/logouts.ts';
export type { OneTimeUse } from './verbs/one-time-ids.ts';
export type { LinkPurpose, OneTimeLink } from './verbs/one-time-links.ts';
export type { DueMail, OutboxMail } from './verbs/outbox.ts';
export type { OwnerToken } from './verbs/owner-tokens.ts';
export { MAX_PASSKEYS, type Passkey, type WaysOn } from './verbs/passkeys.ts';
export type { AgentPause, Hold } from './verbs/pauses.ts';
export type { ConsentRecord } from './verbs/receipts.ts';
export type { RefreshFamily, Rotation, RotationOutcome } from './verbs/refresh-tokens.ts';
export type { RegistrationToken } from './verbs/registrations.ts';
export type { EndingKey, ServerKey } from './verbs/server-keys.ts';
export type { MaxDuration, McpServer, ServerScope } from './verbs/servers.ts';
export type { NewSession, Session } from './verbs/sessions.ts';
export type { SigningKeyRow } from './verbs/signing-keys.ts';
export type { Tenant } from './verbs/tenants.ts';
export type { AssertionTarget, TrustedIssuer, Workload } from './verbs/trusted-issuers.ts';
export type { Upstream, UpstreamIdentity, UpstreamRecipe, UpstreamVisit } from './verbs/upstreams.ts';
export type { NewUser, Role, User } from './verbs/users.ts';
export type { Delivery, DeliveryState, DueDelivery, Settlement, Webhook } from './verbs/webhooks.ts';

export type Store = AccessRequestVerbs &
  AccessTokenVerbs &
  AccountVerbs &
  ActivityVerbs &
  AuditChainVerbs &
  AuditEventVerbs &
  AuthorizationRequestVerbs &
  ClientDocumentVerbs &
  ClientVerbs &
  CodeVerbs &
  CompanionVerbs &
  DefendedNameVerbs &
  DelegationVerbs &
  DeviceCodeVerbs &
  DismissalVerbs &
  EmailVerbs &
  GrantVerbs &
  HandOffVerbs &
  KnownDeviceVerbs &
  LanguageVerbs &
  LapseVerbs &
  LastUseVerbs &
  LimitVerbs &
  LogoutVerbs &
  OneTimeIdVerbs &
  OneTimeLinkVerbs &
  OutboxVerbs &
  OwnerTokenVerbs &
  PasskeyVerbs &
  PasswordVerbs &
  PauseVerbs &
  ReceiptVerbs &
  RefreshTokenVerbs &
  RegistrationVerbs &
  SecondFactorVerbs &
  ServerKeyVerbs &
  ServerPeopleVerbs &
  ServerVerbs &
  SessionVerbs &
  SetupLinkVerbs &
  SigningKeyVerbs &
  TrustedIssuerVerbs &
  UpstreamVerbs &
  UserVerbs &
  WebhookVerbs & {
    readonly tenant: string;
    /** Migrations this build knows and the database lacks; also shows that the database answers. */
    pendingMigrations(): Promise<string[]>;
  };

/** A database with its tenants. */
export type Storage = TenantVerbs & {
  forTenant(tenant: string): Store;
  /** Facts about the database as a whole (`demo` marks a demo database). */
  fact(name: string): Promise<string | undefined>;
  setFact(name: string, value: string): Promise<void>;
  /** Migrations this build knows and the database lacks. */
  pendingMigrations(): Promise<string[]>;
  /** Migrations the database has and this build does not know: a newer version was here. */
  unknownMigrations(): Promise<string[]>;
  migrate(now: number): Promise<string[]>;
  /** Deletes expired rows, and those of removed tenants, in batches of `batch` and returns how many went; call again while it is more than 0. */
  sweep(now: number, batch: number): Promise<number>;
  ping(): Promise<void>;
  close(): Promise<void>;
};

/** The tenant of the root issuer. No slug can spell it. */
export const ROOT_TENANT = '-';
