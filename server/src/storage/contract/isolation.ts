/**
 * The part of the storage contract that keeps tenants apart: every verb, asked by one tenant about another tenant's rows, sees and changes nothing.
 * The table of probes is typed by the store, so a new verb without a probe does not compile.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Store } from '../store.ts';
import { asked } from './access-requests.ts';
import { activityQuestion, note } from './activity.ts';
import { sealing } from './audit-chain.ts';
import {
  alice,
  bob,
  client,
  code,
  connect,
  countEvents,
  DAY,
  device,
  family,
  files,
  filesKey,
  freshTenant,
  grant,
  happened,
  machineGrant,
  NOW,
  type Nodes,
  parked,
  pushed,
  rotate,
  session,
  signingKey,
} from './fixtures.ts';
import { listening } from './logout.ts';
import { codeLink, invitation, resetLink } from './one-time-links.ts';
import { mail } from './outbox.ts';
import { passkey } from './passkeys.ts';
import { secondFactor } from './second-factors.ts';
import { atAcme, upstream, visit } from './upstreams.ts';
import { webhook } from './webhooks.ts';

type Probe = (other: Store) => Promise<void>;
const nothing = <T>(answer: Promise<T>) => answer.then((found) => assert.equal(found, undefined));
const none = (answer: Promise<unknown[]>) => answer.then((found) => assert.deepEqual(found, []));
const no = (answer: Promise<boolean>) => answer.then((done) => assert.equal(done, false));
const is = <T>(answer: Promise<T>, wanted: T) => answer.then((given) => assert.deepEqual(given, wanted));

const owned = { id: 'tok_1', tokenHash: 'token-hash', userId: 'usr_bob', name: 'n', createdAt: NOW, expiresAt: NOW + DAY };
const token = { grantId: 'grant_1', jti: 'jti-1', now: NOW };
const consent = { userId: 'usr_alice', clientId: 'client_1', resource: files.resource, redirectUri: 'http://localhost:3000/callback', clientDigest: 'digest' };
const triple = { userId: 'usr_alice', clientId: 'client_1', resource: files.resource };
const noted = { grantId: 'grant_1', subjectGrantId: 'grant_open', userId: 'usr_alice', expiresAt: NOW + DAY };
const registration = { id: 'rgt_1', tokenHash: 'registration', name: 'n', usesLeft: 3, createdAt: NOW, expiresAt: NOW + DAY };
const document = { url: 'https://app.example', metadata: client.metadata, fetchedAt: NOW, freshUntil: NOW };
const usedId = { kind: 'client_assertion' as const, idHash: 'used', now: NOW, expiresAt: NOW + 60 };
const stolen = { ...client.metadata, clientName: 'Stolen' };
const idp = { issuer: 'https://idp.example', kind: 'identity' as const, provisioning: 'linked' as const, once: true, createdAt: NOW };
const there = { clientId: 'client_1', audience: 'https://as.example', resource: 'https://mcp.example', clientIdThere: 'theirs', scope: ['a'] };
/** For the authorization server itself, which every tenant has: an MCP server of another is for nobody. */
const asserted = (id: string) => ({ ...grant, id, userId: 'usr_alice', serverId: undefined, expiresAt: NOW + 60 });
const operator = { id: 'usr_op', username: 'op', role: 'operator' as const, createdAt: NOW, passwordHash: 'hash' };

const ways = { password: true, passkeys: true, upstreams: true, emailCode: true };

/** Reading and changing first, then adding the same names, which must be free. */
export const probes: Record<Exclude<keyof Store, 'tenant'>, Probe> = {
  findUser: (other) => nothing(other.findUser('usr_alice')),
  findUserByLogin: (other) => nothing(other.findUserByLogin('alice')),
  listUsers: (other) => none(other.listUsers()),
  changeEmail: (other) => is(other.changeEmail({ userId: 'usr_alice', email: 'stolen@example.com' }, happened('user.email_changed')), 'gone'),
  renameUser: (other) => no(other.renameUser('usr_alice', 'stolen', happened('user.renamed'))),
  heldAbout: (other) => is(other.heldAbout('usr_alice', 10), {}),
  removeUser: (other) => is(other.removeUser('usr_alice', happened('user.removed')), 'gone'),
  setLanguage: (other) => no(other.setLanguage('usr_alice', 'de')),
  changePassword: (other) => no(other.changePassword('usr_alice', 'stolen', happened('user.password_changed'))),
  rehashPassword: (other) => other.rehashPassword('usr_alice', 'hash-1', 'stolen', NOW),
  setUserDisabled: (other) => no(other.setUserDisabled('usr_alice', true, happened('user.disabled'))),
  findSession: (other) => nothing(other.findSession('session-1', NOW)),
  touchSession: (other) => other.touchSession('session-1', NOW + 100),
  claimLogouts: (other) => none(other.claimLogouts(NOW + DAY, 10)),
  settleLogout: (other) => other.settleLogout('sid-told', 'client_1'),
  endSession: (other) => no(other.endSession('session-1', happened('user.signed_out'))),
  listSessions: (other) => none(other.listSessions('usr_alice', NOW)),
  endSessionsOf: (other) => no(other.endSessionsOf('usr_alice', { agents: true }, happened('user.signed_out_everywhere'))),
  listPasskeys: (other) => none(other.listPasskeys('usr_alice')),
  findPasskey: (other) => nothing(other.findPasskey('credential-1')),
  usePasskey: (other) => no(other.usePasskey({ credentialId: 'credential-1', counter: 99, backedUp: true, now: NOW })),
  renamePasskey: (other) => no(other.renamePasskey({ userId: 'usr_alice', id: 'pk_1', name: 'stolen' }, happened('passkey.renamed'))),
  removePasskey: (other) => is(other.removePasskey({ userId: 'usr_alice', id: 'pk_1', ways }, happened('passkey.removed')), 'gone'),
  countWaysIn: (other) => is(other.countWaysIn('usr_alice', ways), 0),
  setPassword: (other) => no(other.setPassword({ userId: 'usr_alice', passwordHash: 'stolen', keeping: 'other' }, happened('user.password_changed'))),
  hasPassword: (other) => no(other.hasPassword('usr_alice')),
  removePassword: (other) => is(other.removePassword({ userId: 'usr_alice', ways }, happened('user.password_removed')), 'gone'),
  findSecondFactor: (other) => nothing(other.findSecondFactor('usr_alice')),
  useTotpStep: (other) => no(other.useTotpStep('usr_alice', 999)),
  useRecoveryCode: (other) => no(other.useRecoveryCode({ userId: 'usr_alice', codeHash: 'code-1' }, happened('recovery_code.used'))),
  replaceRecoveryCodes: (other) => no(other.replaceRecoveryCodes({ userId: 'usr_alice', codeHashes: ['stolen'] }, happened('recovery_codes.replaced'))),
  removeSecondFactor: (other) => no(other.removeSecondFactor('usr_alice', happened('second_factor.removed'))),
  hasDismissed: (other) => no(other.hasDismissed('usr_alice', 'passkey')),
  setupLinkOpen: (other) => no(other.setupLinkOpen('link', NOW)),
  redeemSetupLink: (other) => is(other.redeemSetupLink('link', operator, owned, happened('setup.completed')), 'used'),
  findLink: (other) => nothing(other.findLink('reset-token', NOW)),
  findOwnLink: (other) => nothing(other.findOwnLink('lnk_code', 'browser-1', NOW)),
  tryLink: (other) => is(other.tryLink({ id: 'lnk_code', browserHash: 'browser-1', codeHash: 'right', now: NOW, provenUntil: NOW + 60 }), 'over'),
  acceptLink: (other) => is(other.acceptLink('lnk_invited', { ...operator, id: 'usr_new', username: 'new' }, happened('user.signed_up')), 'used'),
  resetPassword: (other) => no(other.resetPassword('lnk_reset', 'stolen', { ...happened('user.password_reset'), userId: 'usr_alice' })),
  listInvitations: (other) => none(other.listInvitations(NOW)),
  hasPeople: (other) => no(other.hasPeople()),
  hasOperator: (other) => no(other.hasOperator()),
  findOwner: (other) => nothing(other.findOwner('token-hash', NOW)),
  listOwnerTokens: (other) => none(other.listOwnerTokens()),
  revokeOwnerToken: (other) => no(other.revokeOwnerToken('tok_1', happened('owner_token.revoked'))),
  findServer: (other) => nothing(other.findServer('srv_files')),
  isScopeOfAnother: (other) => no(other.isScopeOfAnother(['files:read'], 'https://other.example')),
  findServerByResource: (other) => nothing(other.findServerByResource(files.resource)),
  listServers: (other) => none(other.listServers({ limit: 10, ownerId: 'usr_bob' })).then(() => none(other.listServers({ limit: 10 }))),
  updateServer: (other) => is(other.updateServer({ ...files, name: 'Stolen' }, happened('server.updated')), 'gone'),
  addServerPerson: (other) => no(other.addServerPerson({ serverId: 'srv_files', userId: 'usr_alice' }, happened('server.person_added'))),
  removeServerPerson: (other) => no(other.removeServerPerson({ serverId: 'srv_files', userId: 'usr_bob' }, happened('server.person_removed'))),
  listServerPeople: (other) => none(other.listServerPeople('srv_files')),
  listDefendedNames: (other) => none(other.listDefendedNames(10)),
  reissueCode: (other) =>
    is(
      other.reissueCode(
        { idHash: 'request-1', from: { answer: 'sealed answer', codeHash: 'code-1' }, to: { answer: 'a', codeHash: 'c' }, now: NOW, expiresAt: NOW + 60 },
        happened('grant.hand_off_extended'),
      ),
      'over',
    ),
  askForAccess: (other) => no(other.askForAccess(asked, happened('access.requested'))),
  findAccessRequest: (other) => nothing(other.findAccessRequest({ serverId: 'srv_files', userId: 'usr_alice' }, NOW)),
  listAccessRequests: (other) => none(other.listAccessRequests({ limit: 10 }, NOW)),
  decideAccess: (other) => no(other.decideAccess({ id: 'ask_1', decision: 'approved', keptUntil: NOW + DAY }, happened('access.approved'))),
  mayUseServer: (other) => no(other.mayUseServer({ serverId: 'srv_files', userId: 'usr_alice' })),
  removeServer: (other) => no(other.removeServer('srv_files', happened('server.removed'))),
  listKeys: (other) => none(other.listKeys('srv_files')),
  revokeKey: (other) => no(other.revokeKey('srv_files', 'sk_files', happened('key.revoked'))),
  findKey: (other) => nothing(other.findKey('key-hash')),
  listEndingKeys: (other) => none(other.listEndingKeys({ now: NOW + 364 * DAY, usedSince: NOW, limit: 10 })),
  warnOfKey: (other) => no(other.warnOfKey('sk_files', happened('key.expiring', NOW + 364 * DAY))),
  findFirstKeyEnd: (other) => nothing(other.findFirstKeyEnd(NOW)),
  standingForKey: (other) => nothing(other.standingForKey({ keyHash: 'key-hash', ...token })),
  standing: (other) => nothing(other.standing(token)),
  findClient: (other) => nothing(other.findClient('client_1')),
  listClients: (other) => none(other.listClients()),
  changeClientMetadata: (other) => no(other.changeClientMetadata({ id: 'client_1', from: client.metadata, to: stolen }, happened('client.keys_changed'))),
  addClientSecret: (other) =>
    is(other.addClientSecret({ id: 'client_s', secretHash: 'stolen', olderExpiresAt: NOW + DAY }, happened('client.secret_added')), 'gone'),
  endClientSecret: (other) => no(other.endClientSecret('client_s', 'older', happened('client.secret_ended'))),
  replaceClient: (other) => no(other.replaceClient({ client, managementHash: 'management', endsGrants: true }, happened('client.replaced'))),
  approveClient: (other) => no(other.approveClient({ ...client, id: 'client_pending' }, happened('client.approved'))),
  hasRegistrationToken: (other) => no(other.hasRegistrationToken('registration', NOW)),
  useRegistrationToken: (other) => nothing(other.useRegistrationToken('registration', NOW)),
  listRegistrationTokens: (other) => none(other.listRegistrationTokens()),
  revokeRegistrationToken: (other) => no(other.revokeRegistrationToken('rgt_1', happened('registration_token.revoked'))),
  findIssuer: (other) => nothing(other.findIssuer('https://ci.example')),
  listIssuers: (other) => other.listIssuers().then((found) => assert.ok(found.every(({ createdAt }) => createdAt === NOW + 1))),
  removeIssuer: (other) => no(other.removeIssuer('https://ci.example', happened('issuer.removed'))),
  linkIdentity: (other) => no(other.linkIdentity({ issuer: 'https://ci.example', subject: 's', userId: 'usr_alice' }, happened('identity.linked'))),
  provisionIdentity: (other) =>
    no(other.provisionIdentity({ issuer: 'https://ci.example', subject: 's', user: { ...alice, id: 'usr_new' } }, happened('identity.provisioned'))),
  findLinkedUser: (other) => nothing(other.findLinkedUser(idp.issuer, 'alice')),
  listIdentities: (other) => none(other.listIdentities(idp.issuer)),
  unlinkIdentity: (other) => no(other.unlinkIdentity(idp.issuer, 'alice', happened('identity.unlinked'))),
  addWorkload: (other) => no(other.addWorkload({ issuer: 'https://ci.example', subject: 'x', clientId: 'stolen' }, happened('workload.added'))),
  listWorkloads: (other) => none(other.listWorkloads('https://ci.example')),
  removeWorkload: (other) => no(other.removeWorkload('https://ci.example', 'job', happened('workload.removed'))),
  listAssertionTargets: (other) => none(other.listAssertionTargets('client_s')),
  removeAssertionTarget: (other) => no(other.removeAssertionTarget({ ...there, resource: 'https://never.example' }, happened('assertion_target.removed'))),
  findUpstream: (other) => nothing(other.findUpstream('acme')),
  listUpstreams: (other) => none(other.listUpstreams()),
  changeUpstreamCredential: (other) => no(other.changeUpstreamCredential('acme', 'stolen', happened('upstream.credential_changed'))),
  removeUpstream: (other) => no(other.removeUpstream('acme', happened('upstream.removed'))),
  linkUpstream: (other) => is(other.linkUpstream({ ...atAcme, subject: 'stolen' }, happened('upstream.linked')), 'taken'),
  signUpByUpstream: (other) =>
    is(other.signUpByUpstream({ ...atAcme, subject: 'stolen' }, { ...alice, id: 'usr_new' }, happened('upstream.signed_up')), 'taken'),
  findUpstreamUser: (other) => nothing(other.findUpstreamUser(atAcme.issuer, atAcme.subject)),
  listUpstreamIdentities: (other) => none(other.listUpstreamIdentities('usr_alice')),
  unlinkUpstream: (other) => is(other.unlinkUpstream({ ...atAcme, ways }, happened('upstream.unlinked')), 'gone'),
  findUpstreamVisit: (other) => nothing(other.findUpstreamVisit(visit, NOW)),
  takeUpstreamVisit: (other) => nothing(other.takeUpstreamVisit(visit, NOW)),
  removeClient: (other) => no(other.removeClient('client_1', happened('client.removed'))),
  expireDynamicClients: (other) => is(other.expireDynamicClients(NOW + DAY, NOW + DAY, 10, NOW + 400 * DAY), 0),
  countUnconsentedClients: (other) => is(other.countUnconsentedClients(), 0),
  findDocument: (other) => nothing(other.findDocument(document.url)),
  findPushedRequest: (other) => nothing(other.findPushedRequest('reference-1', NOW)),
  findRequest: (other) => nothing(other.findRequest('open', NOW)),
  approveRequest: (other) =>
    is(
      other.approveRequest(
        { idHash: 'open', answer: 'stolen', grant: { ...grant, id: 'grant_x' }, code: { ...code, codeHash: 'x' }, now: NOW },
        happened('grant.approved'),
      ),
      'answered',
    ),
  denyRequest: (other) => is(other.denyRequest({ idHash: 'open', answer: 'stolen', now: NOW }, happened('grant.denied')), 'answered'),
  findGrant: (other) => nothing(other.findGrant('grant_1')),
  findCompanion: (other) => nothing(other.findCompanion({ approvedWith: 'grant_1', resource: files.resource }, NOW)),
  rememberedConsent: (other) => nothing(other.rememberedConsent(consent, NOW)),
  allowedScopes: (other) => none(other.allowedScopes(consent, NOW)),
  allowedScopesSame: (other) => none(other.allowedScopesSame(consent, NOW)),
  listAgents: (other) => none(other.listAgents('usr_alice', NOW)),
  listGrants: (other) => none(other.listGrants({}, NOW)).then(() => none(other.listGrants({ clientId: 'client_1' }, NOW))),
  disconnectAgent: (other) => no(other.disconnectAgent('usr_alice', 'grant_1', 'stolen', happened('grant.revoked'))),
  revokeApproval: (other) => no(other.revokeApproval('grant_1', 'stolen', happened('grant.revoked'))),
  revokeGrant: (other) => no(other.revokeGrant('grant_1', 'stolen', happened('grant.revoked'))),
  listOverGrants: (other) => none(other.listOverGrants({ since: 0, now: NOW + 31 * DAY, limit: 10, lifetime: 90 * DAY })),
  lapseGrant: (other) => no(other.lapseGrant('grant_1', 'stolen', happened('grant.lapsed', NOW + 31 * DAY))),
  pauseAgent: (other) => no(other.pauseAgent('usr_alice', 'grant_1', happened('grant.paused'))),
  resumeAgent: (other) => no(other.resumeAgent('usr_alice', 'grant_device', happened('grant.resumed'))),
  pauseAllAgents: (other) => no(other.pauseAllAgents('usr_alice', happened('grant.paused'))),
  resumeAllAgents: (other) => no(other.resumeAllAgents('usr_bob', happened('grant.resumed'))),
  agentPause: (other) => nothing(other.agentPause(triple, NOW)),
  reduceAgent: (other) => no(other.reduceAgent({ userId: 'usr_alice', grantId: 'grant_1', remove: ['files:read'] }, happened('grant.reduced'))),
  disconnectAll: (other) => is(other.disconnectAll('usr_alice', 'stolen', happened('grant.revoked')), 0),
  enforceHold: (other) => is(other.enforceHold({ id: 'inc_1', clientId: 'client_held', createdAt: NOW }, happened('grant.paused')), 0),
  liftHold: (other) => nothing(other.liftHold('inc_1', happened('grant.resumed'))),
  listHolds: (other) => none(other.listHolds(NOW)),
  findReceipt: (other) => nothing(other.findReceipt('usr_alice', 'grant_1')),
  listApprovals: (other) => none(other.listApprovals({ ...triple, subjectGrantId: 'grant_open' }, NOW)),
  listDelegations: (other) => none(other.listDelegations('usr_alice', NOW)),
  findWaitingDevice: (other) => nothing(other.findWaitingDevice('user-code-1', NOW)),
  pollDevice: (other) => is(other.pollDevice({ codeHash: 'device-1', clientId: 'client_1', now: NOW, slowerBySeconds: 5 }), 'over'),
  findDevice: (other) => nothing(other.findDevice('device-1', NOW)),
  approveDevice: (other) =>
    is(other.approveDevice({ codeHash: 'device-1', grant: { ...grant, id: 'grant_x' }, authTime: NOW, now: NOW }, happened('grant.approved')), 'answered'),
  denyDevice: (other) => is(other.denyDevice({ codeHash: 'device-1', now: NOW }, happened('grant.denied')), 'answered'),
  redeemDevice: (other) =>
    is(other.redeemDevice({ codeHash: 'device-allowed', now: NOW, redemptionId: 'r', family: { ...family, familyId: 'family-x' } }), 'spent'),
  findCode: (other) => nothing(other.findCode('code-open', NOW)),
  redeemCode: (other) => is(other.redeemCode({ codeHash: 'code-open', now: NOW, redemptionId: 'r', family: { ...family, familyId: 'family-x' } }), 'spent'),
  failCode: (other) => other.failCode('code-open'),
  findFamily: (other) => nothing(other.findFamily('family-1', NOW)),
  rotateRefreshToken: (other) => is(rotate(other, 'rt-0', 'stolen'), { outcome: 'dead' }),
  listSigningKeys: (other) => none(other.listSigningKeys(NOW)),
  dropSigningKey: (other) => no(other.dropSigningKey('key-1', happened('signing_key.dropped'))),
  attempt: (other) => is(other.attempt('account', NOW), { allowed: true }),
  forgiveAttempts: (other) => other.forgiveAttempts('account'),
  countGuess: (other) => is(other.countGuess('guesses', { most: 1, windowSeconds: 600 }, NOW), { allowed: true }),
  takeGuessBack: (other) => other.takeGuessBack('guesses'),
  giveBackTo: (other) => other.giveBackTo('bucket', { limit: 1, periodSeconds: 60 }),
  takeFrom: (other) => is(other.takeFrom('bucket', { limit: 1, periodSeconds: 60 }, NOW * 1000), { allowed: true }),
  recordUse: (other) =>
    other.recordUse({ grants: new Map([['grant_1', NOW + 9]]), keys: new Map([['sk_files', NOW + 9]]), clients: new Map([['client_1', NOW + 9]]) }),
  pendingMigrations: (other) => none(other.pendingMigrations()),
  listEvents: (other) => none(other.listEvents({ limit: 10 })),
  pageEvents: (other) => none(other.pageEvents({ limit: 10 })),
  findChain: (other) => nothing(other.findChain()),
  listUnsealed: (other) => none(other.listUnsealed(10)),
  listSealed: (other) => none(other.listSealed(0, 10)),
  retireEvents: (other) => no(other.retireEvents({ was: 'mac-1', after: 0, anchor: { seq: 1, hash: 'hash-1' }, mac: 'stolen' }, happened('audit.retired'))),
  findWebhook: (other) => nothing(other.findWebhook('wh_1')),
  listWebhooks: (other) => none(other.listWebhooks()),
  disableWebhook: (other) => no(other.disableWebhook({ id: 'wh_1', failingSince: NOW + DAY }, happened('webhook.disabled'))),
  enableWebhook: (other) => no(other.enableWebhook('wh_1', happened('webhook.enabled'))),
  rotateWebhookSecret: (other) => is(other.rotateWebhookSecret({ id: 'wh_1', secretSealed: 'stolen' }, happened('webhook.secret_rotated')), 'gone'),
  listDueWebhooks: (other) => none(other.listDueWebhooks(NOW + DAY)),
  claimDeliveries: (other) => none(other.claimDeliveries({ webhookId: 'wh_1', now: NOW + DAY, limit: 10 })),
  settleDelivery: (other) =>
    other.settleDelivery({ webhookId: 'wh_1', eventId: 'evt_told', state: 'failed', answer: 'stolen', now: NOW, restsUntil: NOW + DAY }),
  listDeliveries: (other) => none(other.listDeliveries('wh_1', 10)),
  replayDeliveries: (other) => is(other.replayDeliveries({ webhookId: 'wh_1', now: NOW }), 0),
  removeWebhook: (other) => no(other.removeWebhook('wh_1', happened('webhook.removed'))),
  addWebhook: (other) =>
    other
      .addWebhook(webhook, happened('webhook.added'))
      .then(() => other.removeWebhook('wh_1', happened('webhook.removed')))
      .then(() => undefined),
  sealEvents: (other) => other.sealEvents(sealing(1, [])).then(() => undefined),
  knowsDevice: (other) => is(other.knowsDevice({ userId: 'usr_alice', deviceHash: 'device of alice' }, NOW), 'first'),
  recordActivity: (other) => other.recordActivity([{ ...note, times: 9 }]),
  listActivity: (other) => none(other.listActivity(activityQuestion)),
  countActivity: (other) => none(other.countActivity('usr_alice', 0)),
  lastRefusal: (other) => nothing(other.lastRefusal(triple, 0)),
  claimMail: (other) => none(other.claimMail(NOW, 10)),
  settleMail: (other) => other.settleMail(['ml_1']),

  placeHold: (other) => is(other.placeHold({ id: 'inc_1', clientId: 'client_none', createdAt: NOW }, happened('grant.paused')), 0),
  useOnce: (other) => is(other.useOnce(usedId), true),
  addIssuer: (other) => is(other.addIssuer({ ...idp, createdAt: NOW + 1 }, happened('issuer.trusted')), 'added'),
  addUpstream: (other) => is(other.addUpstream({ ...upstream, createdAt: NOW + 1 }, happened('upstream.added')), 'added'),
  beginUpstreamVisit: (other) => other.beginUpstreamVisit(visit),
  addAssertionTarget: (other) => is(other.addAssertionTarget({ ...there, clientIdThere: 'other' }, happened('assertion_target.added')), true),
  ensureIssuerGrant: (other) =>
    is(other.ensureIssuerGrant({ issuer: idp.issuer, grant: asserted('grant_other') }, happened('grant.asserted')), { id: 'grant_other' }),
  revokeAccessToken: (other) => other.revokeAccessToken('jti-1', NOW + 3600, happened('token.revoked')),
  noteDelegation: (other) => other.noteDelegation({ ...noted, expiresAt: NOW + 9 }, happened('grant.delegated', NOW + 9)),
  recordEvent: (other) => other.recordEvent(happened('code.replayed')),
  ensureMachineGrant: (other) =>
    is(other.ensureMachineGrant({ ...machineGrant, id: 'grant_own', scope: ['own'] }, happened('grant.machine_approved')), { id: 'grant_own', scope: ['own'] }),
  addUser: (other) => is(other.addUser(alice, happened('user.added')), 'added'),
  startSession: (other) => is(other.startSession({ ...session, idHash: 'own' }, 'session-1', happened('user.signed_in')), true),
  addPasskey: (other) => is(other.addPasskey({ ...passkey, name: 'own' }, happened('passkey.added')), 'added'),
  addSecondFactor: (other) => is(other.addSecondFactor(secondFactor, happened('second_factor.added')), 'added'),
  dismiss: (other) => other.dismiss('usr_bob', 'passkey', NOW),
  addLink: (other) => other.addLink({ ...invitation, id: 'lnk_own', tokenHash: 'own' }, { replaces: true }, happened('user.invited')),
  addSetupLink: (other) => other.addSetupLink('link', NOW, NOW + 600),
  addOwnerToken: async (other) => {
    await other.addUser(bob, happened('user.added'));
    await other.addOwnerToken(owned, happened('owner_token.created'));
  },
  addServer: (other) => is(other.addServer(files, happened('server.added')), 'added'),
  addKey: (other) => other.addKey(filesKey, happened('key.created')),
  addRegistrationToken: (other) => other.addRegistrationToken(registration, happened('registration_token.created')),
  addClient: (other) => other.addClient(client, happened('client.registered')),
  saveDocument: (other) => other.saveDocument({ ...document, metadata: { ...client.metadata, clientName: 'Stolen' }, fetchedAt: NOW + 1 }),
  parkRequest: (other) => other.parkRequest(parked),
  pushRequest: (other) => other.pushRequest(pushed),
  addDeviceCode: (other) => is(other.addDeviceCode(device), 'added'),
  addSigningKey: (other) => is(other.addSigningKey(signingKey, { signsUntil: NOW, publishedUntil: NOW }, happened('signing_key.added')), 'added'),
};

/** Everything one can read in a tenant that a probe might have changed. */
async function everything(store: Store): Promise<unknown[]> {
  return [
    await store.listUsers(),
    await store.findUserByLogin('alice'),
    await store.findSession('session-1', NOW),
    await store.listSessions('usr_alice', NOW),
    await store.listPasskeys('usr_alice'),
    await store.hasPassword('usr_alice'),
    await store.findSecondFactor('usr_alice'),
    await store.hasDismissed('usr_alice', 'passkey'),
    await store.hasDismissed('usr_bob', 'passkey'),
    await store.setupLinkOpen('link', NOW),
    await store.listInvitations(NOW),
    await store.findLink('reset-token', NOW),
    await store.findLink('code-token', NOW),
    await store.hasOperator(),
    await store.findOwner('token-hash', NOW),
    await store.listServers({ limit: 10 }),
    await store.listKeys('srv_files'),
    await store.standingForKey({ keyHash: 'key-hash', ...token }),
    await store.listClients(),
    await store.listOwnerTokens(),
    await store.listRegistrationTokens(),
    await store.findDocument(document.url),
    await store.findRequest('open', NOW),
    await store.findPushedRequest('reference-1', NOW),
    await store.listGrants({}, NOW),
    await store.listDelegations('usr_alice', NOW),
    await store.listActivity(activityQuestion),
    await store.listHolds(NOW),
    await store.findReceipt('usr_alice', 'grant_1'),
    await store.findCode('code-open', NOW),
    await store.findWaitingDevice('user-code-1', NOW),
    await store.findDevice('device-allowed', NOW),
    await store.findFamily('family-1', NOW),
    await store.listSigningKeys(NOW),
    await store.listIssuers(),
    await store.listIdentities(idp.issuer),
    await store.listWorkloads('https://ci.example'),
    await store.listAssertionTargets('client_1'),
    await store.listUpstreams(),
    await store.listUpstreamIdentities('usr_alice'),
    await store.findUpstreamVisit(visit, NOW),
    await store.listEvents({ limit: 1000 }),
    await store.findChain(),
    await store.findWebhook('wh_1'),
    await store.listDeliveries('wh_1', 10),
    await store.listSealed(0, 1000),
    await store.listUnsealed(1000),
  ];
}

/** Rows in every table, most of them of alice. */
export async function furnish(store: Store): Promise<void> {
  await connect(store);
  await store.startSession({ ...session, deviceHash: 'device of alice' }, undefined, happened('user.signed_in'));
  await listening(store, 'sid-told', 'client_1');
  await store.addPasskey(passkey, happened('passkey.added'));
  await store.addSecondFactor(secondFactor, happened('second_factor.added'));
  await store.dismiss('usr_alice', 'passkey', NOW);
  await store.addSetupLink('link', NOW, NOW + 600);
  await store.addWebhook({ ...webhook, events: ['code.replayed'] }, happened('webhook.added'));
  await store.recordEvent({ ...happened('code.replayed'), id: 'evt_told' });
  await store.sealEvents(
    sealing(
      1,
      (await store.listUnsealed(999)).filter(({ id }) => id === 'evt_told'),
    ),
  );
  for (const link of [invitation, resetLink, codeLink]) await store.addLink(link, { replaces: false }, happened('user.invited'));
  await store.addOwnerToken(owned, happened('owner_token.created'));
  await store.saveDocument(document);
  await store.parkRequest({ ...parked, idHash: 'request-open' });
  await store.approveRequest(
    { idHash: 'request-open', answer: 'a', grant: { ...grant, id: 'grant_open' }, code: { ...code, codeHash: 'code-open', grantId: 'grant_open' }, now: NOW },
    happened('grant.approved'),
  );
  await store.addRegistrationToken(registration, happened('registration_token.created'));
  await store.addClient({ ...client, id: 'client_pending', managementHash: 'management', pendingSince: NOW }, happened('client.registered'));
  await store.noteDelegation(noted, happened('grant.delegated'));
  await store.parkRequest({ ...parked, idHash: 'open' });
  await store.pushRequest(pushed);
  await store.addDeviceCode(device);
  await store.addDeviceCode({ ...device, codeHash: 'device-allowed', userCodeHash: 'user-code-2' });
  await store.approveDevice({ codeHash: 'device-allowed', grant: { ...grant, id: 'grant_device' }, authTime: NOW, now: NOW }, happened('grant.approved'));
  await store.countGuess('guesses', { most: 1, windowSeconds: 600 }, NOW);
  await store.ensureMachineGrant(machineGrant, happened('grant.machine_approved'));
  await store.addSigningKey(signingKey, 'onlyIfNone', happened('signing_key.added'));
  await store.addClient({ ...client, id: 'client_s', secretHash: 'one' }, happened('client.registered'));
  await store.addClientSecret({ id: 'client_s', secretHash: 'two', olderExpiresAt: NOW + DAY }, happened('client.secret_added'));
  await store.addIssuer(idp, happened('issuer.trusted'));
  await store.addIssuer({ issuer: 'https://ci.example', kind: 'workload', once: false, createdAt: NOW }, happened('issuer.trusted'));
  await store.linkIdentity({ issuer: idp.issuer, subject: 'alice', userId: 'usr_alice' }, happened('identity.linked'));
  await store.addWorkload({ issuer: 'https://ci.example', subject: 'job', clientId: 'client_1' }, happened('workload.added'));
  await store.ensureIssuerGrant({ issuer: idp.issuer, grant: asserted('grant_asserted') }, happened('grant.asserted'));
  await store.pauseAllAgents('usr_bob', happened('grant.paused'));
  await store.placeHold({ id: 'inc_1', clientId: 'client_held', createdAt: NOW }, happened('grant.paused'));
  await store.addAssertionTarget(there, happened('assertion_target.added'));
  await store.addAssertionTarget({ ...there, clientId: 'client_s' }, happened('assertion_target.added'));
  await store.recordEvent({ ...happened('code.replayed'), mail: [mail] });
  await store.addUpstream(upstream, happened('upstream.added'));
  await store.linkUpstream(atAcme, happened('upstream.linked'));
  await store.beginUpstreamVisit(visit);
  await store.useOnce(usedId);
  await store.takeFrom('bucket', { limit: 1, periodSeconds: 60 }, NOW * 1000);
  for (let tried = 0; tried < 3; tried++) await store.attempt('account', NOW);
}

export function isolationContract(nodes: () => Nodes): void {
  describe('tenants', () => {
    test('no verb of one tenant sees or changes anything of another', async () => {
      const [store] = freshTenant(nodes());
      const [, other] = freshTenant(nodes());
      await furnish(store);
      const before = await everything(store);

      for (const [verb, probe] of Object.entries(probes)) {
        await probe(other);
        assert.deepEqual(await everything(store), before, `after ${verb}`);
      }
      assert.equal(await store.useOnce(usedId), false);
      assert.equal(await store.useTotpStep('usr_alice', secondFactor.step), false);
      assert.deepEqual(await store.attempt('account', NOW), { allowed: false, retryAfter: 1 });
      assert.deepEqual(await store.takeFrom('bucket', { limit: 1, periodSeconds: 60 }, NOW * 1000), { allowed: false, retryAfter: 60 });
      assert.deepEqual(await store.countGuess('guesses', { most: 1, windowSeconds: 600 }, NOW), { allowed: false, retryAfter: 600 });
      assert.equal(await countEvents(other, 'grant.revoked'), 0);
    });

    test('a failed verb writes no event in its own tenant', async () => {
      const [store] = freshTenant(nodes());
      for (const verb of [
        'changePassword',
        'setUserDisabled',
        'removeUser',
        'renameUser',
        'endSession',
        'endSessionsOf',
        'renamePasskey',
        'removePasskey',
        'setPassword',
        'removePassword',
        'useRecoveryCode',
        'replaceRecoveryCodes',
        'removeSecondFactor',
        'redeemSetupLink',
        'revokeOwnerToken',
        'updateServer',
        'removeServer',
        'revokeKey',
        'changeClientMetadata',
        'addClientSecret',
        'endClientSecret',
        'removeClient',
        'replaceClient',
        'approveClient',
        'revokeRegistrationToken',
        'approveRequest',
        'denyRequest',
        'approveDevice',
        'denyDevice',
        'revokeApproval',
        'revokeGrant',
        'pauseAgent',
        'pauseAllAgents',
        'resumeAllAgents',
        'reduceAgent',
        'disconnectAll',
        'liftHold',
        'dropSigningKey',
        'rotateRefreshToken',
      ] as const) {
        await probes[verb](store);
      }

      assert.deepEqual(await store.listEvents({ limit: 10 }), []);
    });
  });
}
