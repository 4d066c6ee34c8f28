/**
 * What the contract's tests start from: one moment, a fresh tenant per test, and rows with only the interesting members spelled out.
 */
import { type AuditEvent, auditEvent, type EventType } from '../../audit/event.ts';
import { randomWord } from '../../crypto/random.ts';
import type {
  Client,
  Code,
  DeviceCode,
  Grant,
  McpServer,
  NewSession,
  NewUser,
  ParkedRequest,
  PushedRequest,
  RefreshFamily,
  Rotation,
  RotationOutcome,
  ServerKey,
  Session,
  SigningKeyRow,
  Storage,
  Store,
} from '../store.ts';

/** Two nodes on one database; the same one twice where a database cannot have two. */
export type Nodes = { one: Storage; two: Storage };

export const NOW = 1_800_000_000;
export const DAY = 86_400;

/** A tenant nobody has used; `[this node's store, the other node's]`. */
export function freshTenant({ one, two }: Nodes): [Store, Store] {
  const tenant = `t${randomWord(12)}`;
  return [one.forTenant(tenant), two.forTenant(tenant)];
}

export function happened(type: EventType, at = NOW, about: Parameters<typeof auditEvent>[3] = {}): AuditEvent {
  return auditEvent(type, at, 'system', about);
}

export async function countEvents(store: Store, type: EventType): Promise<number> {
  return (await store.listEvents({ type, limit: 1000 })).length;
}

/** How many of the outcomes are `wanted`. */
export function count<T>(outcomes: T[], wanted: T): number {
  return outcomes.filter((outcome) => outcome === wanted).length;
}

export async function times<T>(many: number, act: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: many }, (_, index) => act(index)));
}

export const alice: NewUser = {
  id: 'usr_alice',
  username: 'Alice',
  email: 'Alice@Example.com',
  name: 'Alice A.',
  role: 'user',
  createdAt: NOW,
  passwordHash: 'hash-1',
};
export const bob: NewUser = { id: 'usr_bob', username: 'bob', role: 'owner', createdAt: NOW + 1 };

export const session: Session = {
  idHash: 'session-1',
  userId: 'usr_alice',
  authTime: NOW,
  createdAt: NOW,
  seenAt: NOW,
  idleSeconds: 3600,
  expiresAt: NOW + DAY,
  userAgent: 'Firefox',
  address: '192.0.2.1',
  amr: ['pwd'],
  sid: 'sid-1',
};

export const files: McpServer = {
  id: 'srv_files',
  ownerId: 'usr_bob',
  resource: 'https://files.example',
  serverUrl: 'https://files.example/mcp',
  name: 'Files',
  description: 'All my files',
  scopes: [
    { name: 'files:read', description: 'Read files', group: 'see' },
    { name: 'files:write', optional: true },
  ],
  defaultScopes: ['files:read'],
  logoUrl: 'https://files.example/logo.png',
  createdAt: NOW,
  updatedAt: NOW,
};
export const notes: McpServer = {
  id: 'srv_notes',
  ownerId: 'usr_alice',
  resource: 'https://notes.example',
  serverUrl: 'https://notes.example',
  name: 'Notes',
  scopes: [],
  createdAt: NOW + 1,
  updatedAt: NOW + 1,
};

export const filesKey: ServerKey = {
  id: 'sk_files',
  serverId: 'srv_files',
  name: 'production',
  secretHash: 'key-hash',
  createdAt: NOW,
  expiresAt: NOW + 365 * DAY,
};

export const client: Client = {
  id: 'client_1',
  registration: 'dynamic',
  metadata: {
    clientName: 'Agent',
    redirectUris: ['http://localhost/callback'],
    grantTypes: ['authorization_code'],
    responseTypes: ['code'],
    tokenEndpointAuthMethod: 'none',
  },
  createdAt: NOW,
  lastUsedAt: NOW,
};

export const parked: ParkedRequest = {
  idHash: 'request-1',
  browserHash: 'browser-1',
  request: {
    clientId: 'client_1',
    redirectUri: 'http://localhost:3000/callback',
    redirectUriSent: true,
    state: 'xyz',
    scope: ['files:read'],
    resource: 'https://files.example',
    serverId: 'srv_files',
    codeChallenge: 'challenge',
    prompt: [],
  },
  createdAt: NOW,
  expiresAt: NOW + 600,
};

export const pushed: PushedRequest = { referenceHash: 'reference-1', request: parked.request, createdAt: NOW, expiresAt: NOW + 60 };

export const grant: Grant = {
  id: 'grant_1',
  userId: 'usr_alice',
  clientId: 'client_1',
  serverId: 'srv_files',
  resource: 'https://files.example',
  scope: ['files:read'],
  redirectUri: 'http://localhost:3000/callback',
  clientDigest: 'digest',
  receipt: '{"title":"Agent wants to read files"}',
  createdAt: NOW,
  lastUsedAt: NOW,
};

export const machineGrant: Grant = {
  id: 'grant_m',
  clientId: 'client_m',
  serverId: 'srv_files',
  resource: 'https://files.example',
  scope: ['files:read'],
  createdAt: NOW,
  lastUsedAt: NOW,
};

export const code: Code = {
  codeHash: 'code-1',
  grantId: 'grant_1',
  clientId: 'client_1',
  redirectUri: 'http://localhost:3000/callback',
  codeChallenge: 'challenge',
  nonce: 'nonce',
  dpopJkt: 'thumbprint of the code',
  authTime: NOW,
  amr: ['pwd'],
  sid: 'sid-1',
  createdAt: NOW,
  expiresAt: NOW + 60,
  failures: 0,
};

export const device: DeviceCode = {
  codeHash: 'device-1',
  userCodeHash: 'user-code-1',
  clientId: 'client_1',
  request: { scope: ['files:read'], resource: 'https://files.example', serverId: 'srv_files' },
  address: '192.0.2.7',
  createdAt: NOW,
  expiresAt: NOW + 600,
  intervalSeconds: 5,
};

export const family: RefreshFamily = {
  familyId: 'family-1',
  grantId: 'grant_1',
  clientId: 'client_1',
  currentHash: 'rt-0',
  generation: 0,
  authTime: NOW,
  dpopJkt: 'thumbprint of the family',
  amr: ['pwd'],
  createdAt: NOW,
  rotatedAt: NOW,
  idleExpiresAt: NOW + 30 * DAY,
  expiresAt: NOW + 90 * DAY,
};

export const signingKey: SigningKeyRow = { kid: 'key-1', algorithm: 'ES256', publicJwk: '{}', privateSealed: 'sealed', createdAt: NOW, signsFrom: NOW };

/** Alice and Bob, the servers Files and Notes, a key of Files, a client. */
export async function settle(store: Store): Promise<void> {
  await store.addUser(alice, happened('user.added'));
  await store.addUser(bob, happened('user.added'));
  await store.addServer(files, happened('server.added'));
  await store.addServer(notes, happened('server.added'));
  await store.addKey(filesKey, happened('key.created'));
  await store.addClient(client, happened('client.registered'));
}

/** Somebody signs in with what they showed just now. */
export async function signIn(store: Store, changes: Partial<NewSession> = {}, replaces?: string): Promise<boolean> {
  const { userId } = { ...session, ...changes };
  const epoch = (await store.findUser(userId))?.sessionEpoch;
  return store.startSession({ ...session, epoch, ...changes }, replaces, happened('user.signed_in'));
}

/** After {@link settle}: Alice allows the client to read Files; a code waits. `changes` are of this grant. */
export async function approve(store: Store, suffix = '1', changes: Partial<Grant> = {}): Promise<void> {
  const idHash = `request-${suffix}`;
  const approved = { ...grant, id: `grant_${suffix}`, ...changes };
  await store.parkRequest({ ...parked, idHash });
  await store.approveRequest(
    { idHash, answer: 'sealed answer', grant: approved, code: { ...code, codeHash: `code-${suffix}`, grantId: approved.id }, now: NOW },
    happened('grant.approved'),
  );
}

/** After {@link approve}: the code is redeemed for a refresh family. */
export async function redeem(store: Store, suffix = '1', changes: Partial<RefreshFamily> = {}): Promise<void> {
  const redeemed = { ...family, familyId: `family-${suffix}`, grantId: `grant_${suffix}`, ...changes };
  await store.redeemCode({ codeHash: `code-${suffix}`, now: NOW, redemptionId: `redemption-${suffix}`, family: redeemed });
}

/** Alice's agent, connected: {@link settle}, {@link approve}, {@link redeem}. */
export async function connect(store: Store): Promise<void> {
  await settle(store);
  await approve(store);
  await redeem(store);
}

/** Presents `presented` at `now` to the family of {@link redeem}; the next token would be `next`. */
export function rotate(store: Store, presented: string, next: string, now = NOW + 1, changes: Partial<Rotation> = {}): Promise<RotationOutcome> {
  const rotation = {
    familyId: 'family-1',
    presentedHash: presented,
    nextHash: next,
    now,
    idleExpiresAt: now + 30 * DAY,
    graceSeconds: 30,
  };
  return store.rotateRefreshToken({ ...rotation, ...changes }, () => happened('refresh_token.reused', now));
}
