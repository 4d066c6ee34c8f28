/**
 * The verbs about issuers elsewhere at which people sign in: which there are, who their subjects are here, and who is on the way there and back. A link is made
 * by issuer and subject alone (LOG-07). Not here: issuers whose assertions count (trusted issuers), sessions.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { WaysOn } from './passkeys.ts';
import type { NewUser, User } from './users.ts';

/** How an upstream is spoken to: `github` has an interface of its own, all others are OpenID Connect by discovery. */
export type UpstreamRecipe = 'openid' | 'google' | 'github' | 'microsoft' | 'supabase';

export type Upstream = {
  /** What its addresses here are called: lower case letters, digits and dashes. */
  id: string;
  /** On the button. */
  name: string;
  recipe: UpstreamRecipe;
  issuer: string;
  clientId: string;
  /** Our secret or private key there, sealed; absent for a public client. */
  credentialSealed?: string;
  scope: string[];
  /** It may be on loopback or in a private network. */
  privateNetwork: boolean;
  createdAt: number;
};

/** Who somebody is: a subject of an issuer, for good. `label` is what that account is called there, for the person's own list; it proves nothing. */
export type UpstreamIdentity = { issuer: string; subject: string; upstreamId: string; userId: string; label?: string; createdAt: number };

/** A way to an upstream (`away`), known by its state; or a stranger who came back from there (`back`) and has not said yet who they are here. */
export type UpstreamVisit = {
  idHash: string;
  /** Hash of the cookie of the browser that began; no other browser may continue. */
  browserHash: string;
  stage: 'away' | 'back';
  upstreamId: string;
  /** What must come back, or who came, sealed under the browser's cookie. */
  sealed: string;
  createdAt: number;
  expiresAt: number;
};
export type UpstreamVisitKey = Pick<UpstreamVisit, 'idHash' | 'browserHash' | 'stage'>;

export type UpstreamVerbs = {
  /** "taken": there is one with this id or this issuer. */
  addUpstream(upstream: Upstream, event: AuditEvent): Promise<'added' | 'taken'>;
  findUpstream(id: string): Promise<Upstream | undefined>;
  listUpstreams(): Promise<Upstream[]>;
  changeUpstreamCredential(id: string, credentialSealed: string, event: AuditEvent): Promise<boolean>;
  /** Forgets its links, too. */
  removeUpstream(id: string, event: AuditEvent): Promise<boolean>;

  /** Says who a subject is here. "taken": it is somebody already, or the person is unknown. */
  linkUpstream(identity: UpstreamIdentity, event: AuditEvent): Promise<'linked' | 'taken'>;
  /** Makes a person and their link in one act. "taken": the subject is somebody already, or somebody has the name or the e-mail; nothing changed. */
  signUpByUpstream(identity: Omit<UpstreamIdentity, 'userId'>, user: NewUser, event: AuditEvent): Promise<'added' | 'taken'>;
  findUpstreamUser(issuer: string, subject: string): Promise<User | undefined>;
  listUpstreamIdentities(userId: string): Promise<UpstreamIdentity[]>;
  /** Ends a link unless it is the last way in. Of any number of removals at once, one way in stays. */
  unlinkUpstream(link: Pick<UpstreamIdentity, 'issuer' | 'subject' | 'userId'> & { ways: WaysOn }, event: AuditEvent): Promise<'unlinked' | 'last' | 'gone'>;

  beginUpstreamVisit(visit: UpstreamVisit): Promise<void>;
  findUpstreamVisit(key: UpstreamVisitKey, now: number): Promise<UpstreamVisit | undefined>;
  /** Ends the visit and hands it over, once. */
  takeUpstreamVisit(key: UpstreamVisitKey, now: number): Promise<UpstreamVisit | undefined>;
};
