/**
 * Every statement a request can run finds its rows through an index, so that its price does not grow with the data.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asked } from './contract/access-requests.ts';
import { activityQuestion, note } from './contract/activity.ts';
import { sealing } from './contract/audit-chain.ts';
import { connectTogether, rotateTogether } from './contract/companions.ts';
import {
  approve,
  client,
  connect,
  DAY,
  device,
  family,
  files,
  freshTenant,
  grant,
  happened,
  machineGrant,
  NOW,
  parked,
  pushed,
  rotate,
  session,
  signingKey,
} from './contract/fixtures.ts';
import { listening } from './contract/logout.ts';
import { codeLink, invitation, resetLink } from './contract/one-time-links.ts';
import { mail } from './contract/outbox.ts';
import { passkey } from './contract/passkeys.ts';
import { secondFactor } from './contract/second-factors.ts';
import { atAcme, upstream, visit } from './contract/upstreams.ts';
import { webhook } from './contract/webhooks.ts';
import type { Driver, Statement } from './driver.ts';
import { openNodeSqlite } from './drivers/node-sqlite.ts';
import { openStorage } from './open.ts';
import type { Storage, Store } from './store.ts';

/** Tables of a handful of rows, which may be read whole, and subqueries with a limit. */
const SMALL = new Set(['setup_links', 'signing_keys', 'due_rows', 'bundled_rows', 'rows_of_day']);

/** Pages of a tenant in the order of the index they are read from, and the count of a partial index that its own cap keeps small. */
const IN_INDEX_ORDER = [
  'select id, owner_id, resource, server_url, name, description, scopes, default_scopes, logo_url, max_duration, people, created_at, updated_at from servers where tenant = ?1 order by',
  'select tenant, id, at, type, actor, user_id, client_id, server_id, grant_id, address, request_id, detail from audit_events where tenant = ?1 and (cast(',
  'select tenant, id, at, type, actor, user_id, client_id, server_id, grant_id, address, request_id, detail from audit_events where tenant = ?1 and seq is null',
  // An operator has a handful.
  'select w.id as id from webhooks w',
  'select id, url, events, secret_sealed, older_secret_sealed, older_secret_expires_at, private_network, created_at, failing_since, rests_until, disabled_at from webhooks where tenant = ?1 order by',
  'insert into webhook_deliveries',
  'select count(*) as waiting from clients',
  'select 1 as found from users where tenant = ?1 limit 1',
  // Open questions only.
  'select r.id, r.server_id, r.user_id, r.message',
  // An operator lists a handful; the sign-in page shows them all.
  'select id, name, recipe, issuer, client_id, credential_sealed, scope, private_network, created_at from upstreams where tenant = ?1 order by',
  'select metadata from clients',
  'select d.url, d.metadata from client_documents d',
];

test('no verb that a request runs reads a whole table', async () => {
  const plans = await plansOf(async (storage, store) => {
    await connect(store);
    await rotate(store, 'rt-0', 'rt-1', NOW);
    await rotate(store, 'rt-0', 'rt-1', NOW + DAY);
    await approve(store, '2');
    const other = storage.forTenant('other');
    await connectTogether(other);
    await rotateTogether(other);
    await hotVerbs(store);
  });

  assert.ok(plans.size > 60, `${plans.size} statements were seen`);
  assert.deepEqual(wholeTables(plans), []);
});

test('sweeping finds what is over through an index', async () => {
  const plans = await plansOf(async (storage, store) => {
    await storage.sweep(NOW, 10);
    await store.listOverGrants({ since: 0, now: NOW, limit: 10, lifetime: 90 * DAY });
    await store.lapseGrant('grant_1', 'unused', happened('grant.lapsed'));
    await store.listEndingKeys({ now: NOW, usedSince: NOW - DAY, limit: 10 });
    await store.warnOfKey('sk_files', happened('key.expiring'));
    await store.findFirstKeyEnd(NOW - DAY);
    await store.expireDynamicClients(NOW, NOW, 10, NOW);
    await store.countUnconsentedClients();
  });

  assert.deepEqual(wholeTables(plans), []);
});

async function hotVerbs(store: Store): Promise<void> {
  const question = { keyHash: 'key-hash', grantId: 'grant_1', jti: 'jti', now: NOW };
  const triple = { userId: 'usr_alice', clientId: 'client_1', resource: 'https://files.example' };
  await store.findUser('usr_alice');
  await store.findUserByLogin('alice');
  await store.hasPeople();
  await store.changeEmail({ userId: 'usr_alice', email: 'alice@new.example' }, happened('user.email_changed'));
  await store.changeEmail({ userId: 'usr_alice', email: 'alice@newer.example', linkId: 'lnk_1' }, happened('user.email_changed'));
  await store.rehashPassword('usr_alice', 'a', 'b', NOW);
  await store.changePassword('usr_alice', 'hash', happened('user.password_changed'));
  await store.startSession({ ...session, deviceHash: 'device' }, 'older', happened('user.signed_in'));
  await store.knowsDevice({ userId: 'usr_alice', deviceHash: 'device' }, NOW);
  await store.findSession('session-1', NOW);
  await store.touchSession('session-1', NOW + 1);
  await store.endSession('session-1', happened('user.signed_out'));
  await store.listSessions('usr_alice', NOW);
  await store.endSessionsOf('usr_alice', { agents: true }, happened('user.signed_out_everywhere'));
  await store.addPasskey(passkey, happened('passkey.added'));
  await store.addPasskey(passkey, happened('passkey.added'));
  await store.listPasskeys('usr_alice');
  await store.findPasskey('credential-1');
  await store.usePasskey({ credentialId: 'credential-1', counter: 1, backedUp: true, now: NOW });
  await store.renamePasskey({ userId: 'usr_alice', id: 'pk_1', name: 'n' }, happened('passkey.renamed'));
  const ways = { password: true, passkeys: true, upstreams: true, emailCode: true };
  await store.countWaysIn('usr_alice', ways);
  for (let twice = 0; twice < 2; twice++) await store.removePasskey({ userId: 'usr_alice', id: 'pk_1', ways }, happened('passkey.removed'));
  await store.setPassword({ userId: 'usr_alice', passwordHash: 'p', keeping: 'session-1' }, happened('user.password_changed'));
  for (let twice = 0; twice < 2; twice++) await store.removePassword({ userId: 'usr_alice', ways }, happened('user.password_removed'));
  await store.addSecondFactor(secondFactor, happened('second_factor.added'));
  await store.findSecondFactor('usr_alice');
  await store.useTotpStep('usr_alice', 101);
  await store.useRecoveryCode({ userId: 'usr_alice', codeHash: 'code-1' }, happened('recovery_code.used'));
  await store.replaceRecoveryCodes({ userId: 'usr_alice', codeHashes: ['code-9'] }, happened('recovery_codes.replaced'));
  await store.removeSecondFactor('usr_alice', happened('second_factor.removed'));
  await store.dismiss('usr_alice', 'passkey', NOW);
  await store.hasDismissed('usr_alice', 'passkey');
  for (const link of [invitation, resetLink, codeLink]) await store.addLink(link, { replaces: true }, happened('user.invited'));
  await store.findLink('reset-token', NOW);
  await store.findOwnLink('lnk_code', 'browser-1', NOW);
  await store.tryLink({ id: 'lnk_code', browserHash: 'browser-1', codeHash: 'right', now: NOW, provenUntil: NOW + 60 });
  await store.acceptLink('lnk_invited', { id: 'usr_i', username: 'invited', role: 'user', createdAt: NOW, passwordHash: 'h' }, happened('user.signed_up'));
  const other = { id: 'usr_k', username: 'other', role: 'user' as const, createdAt: NOW };
  await store.acceptLink('lnk_invited', other, happened('user.signed_up'), { ...atAcme, subject: 'other' });
  await store.acceptLink('lnk_invited', { id: 'usr_j', username: 'again', role: 'user', createdAt: NOW }, happened('user.signed_up'));
  await store.resetPassword('lnk_reset', 'hash', { ...happened('user.password_reset'), userId: 'usr_alice' });
  await store.findOwner('token', NOW);
  await store.revokeOwnerToken('tok', happened('owner_token.revoked'));
  await store.findServer('srv_files');
  await store.findServerByResource('https://files.example');
  for (const page of [{}, { ownerId: 'usr_bob' }, { after: files }, { ownerId: 'usr_bob', after: files }]) await store.listServers({ limit: 5, ...page });
  await store.listKeys('srv_files');
  await store.findKey('key-hash');
  await store.revokeKey('srv_files', 'sk_files', happened('key.revoked'));
  await store.findClient('client_1');
  const metadata = { redirectUris: [], grantTypes: [], responseTypes: [], tokenEndpointAuthMethod: 'none' as const };
  await store.changeClientMetadata({ id: 'client_1', from: metadata, to: metadata }, happened('client.keys_changed'));
  await store.addClientSecret({ id: 'client_1', secretHash: 'two', olderExpiresAt: NOW }, happened('client.secret_added'));
  await store.endClientSecret('client_1', 'older', happened('client.secret_ended'));
  await store.endClientSecret('client_1', 'newer', happened('client.secret_ended'));
  await store.replaceClient({ client, managementHash: 'm', endsGrants: true }, happened('client.replaced'));
  await store.hasRegistrationToken('registration', NOW);
  await store.useRegistrationToken('registration', NOW);
  await store.addIssuer({ issuer: 'https://idp.example', kind: 'identity', once: true, createdAt: NOW }, happened('issuer.trusted'));
  await store.findIssuer('https://idp.example');
  await store.provisionIdentity(
    { issuer: 'https://idp.example', subject: 's', user: { ...session, id: 'usr_x', username: 'x', role: 'user' } },
    happened('identity.provisioned'),
  );
  await store.linkIdentity({ issuer: 'https://idp.example', subject: 't', userId: 'usr_x' }, happened('identity.linked'));
  await store.findLinkedUser('https://idp.example', 's');
  await store.listWorkloads('https://idp.example');
  await store.ensureIssuerGrant(
    { issuer: 'https://idp.example', grant: { ...machineGrant, id: 'grant_i', userId: 'usr_x', expiresAt: NOW + 9 } },
    happened('grant.asserted'),
  );
  await store.ensureIssuerGrant(
    { issuer: 'https://idp.example', grant: { ...machineGrant, id: 'grant_j', userId: 'usr_x', expiresAt: NOW + 9 } },
    happened('grant.asserted'),
  );
  await store.listAssertionTargets('client_1');
  await store.removeIssuer('https://idp.example', happened('issuer.removed'));
  await store.addUpstream(upstream, happened('upstream.added'));
  await store.listUpstreams();
  await store.findUpstream('acme');
  await store.linkUpstream(atAcme, happened('upstream.linked'));
  await store.signUpByUpstream({ ...atAcme, subject: 'new' }, { ...session, id: 'usr_y', username: 'y', role: 'user' }, happened('upstream.signed_up'));
  await store.findUpstreamUser(atAcme.issuer, atAcme.subject);
  await store.listUpstreamIdentities('usr_alice');
  await store.unlinkUpstream({ ...atAcme, ways }, happened('upstream.unlinked'));
  await store.beginUpstreamVisit(visit);
  await store.findUpstreamVisit(visit, NOW);
  await store.takeUpstreamVisit(visit, NOW);
  await store.removeUpstream('acme', happened('upstream.removed'));
  await store.listDefendedNames(5);
  await store.findDocument('https://app.example');
  await store.findRequest('request-1', NOW);
  await store.parkRequest({ ...parked, idHash: 'denied' });
  await store.denyRequest({ idHash: 'denied', answer: 'a', now: NOW }, happened('grant.denied'));
  await store.pushRequest(pushed);
  await store.findPushedRequest('reference-1', NOW);
  await store.parkRequest({ ...parked, idHash: 'pushed', request: { ...parked.request, pushedHash: 'reference-1' } });
  await store.denyRequest({ idHash: 'pushed', answer: 'a', now: NOW, pushedHash: 'reference-1' }, happened('grant.denied'));
  await store.addDeviceCode(device);
  await store.findWaitingDevice('user-code-1', NOW);
  await store.pollDevice({ codeHash: 'device-1', clientId: 'client_1', now: NOW, slowerBySeconds: 5 });
  await store.approveDevice({ codeHash: 'device-1', grant: { ...grant, id: 'grant_device' }, authTime: NOW, now: NOW }, happened('grant.approved'));
  await store.denyDevice({ codeHash: 'device-1', now: NOW }, happened('grant.denied'));
  await store.findDevice('device-1', NOW);
  await store.redeemDevice({ codeHash: 'device-1', now: NOW, redemptionId: 'r', family: { ...family, familyId: 'family-d', grantId: 'grant_device' } });
  await listening(store, 'sid-told', 'client_1');
  await store.claimLogouts(NOW, 10);
  await store.settleLogout('sid-told', 'client_1');
  await store.recordEvent({ ...happened('code.replayed'), mail: [mail] });
  await store.recordEvent({ ...happened('code.replayed'), mail: [{ ...mail, id: 'ml_2', bundle: 'b' }] });
  await store.recordActivity([note]);
  await store.listActivity(activityQuestion);
  await store.countActivity('usr_alice', NOW);
  await store.lastRefusal(triple, NOW);
  await store.claimMail(NOW, 10);
  await store.settleMail(['ml_1']);
  await store.findGrant('grant_1');
  await store.rememberedConsent({ ...triple, redirectUri: 'r', clientDigest: 'd' }, NOW);
  await store.allowedScopes(triple, NOW);
  await store.allowedScopesSame({ ...triple, redirectUri: 'r', clientDigest: 'd' }, NOW);
  await store.listAgents('usr_alice', NOW);
  for (const filter of [{ userId: 'usr_alice' }, { clientId: 'client_1' }, { serverId: 'srv_files' }]) await store.listGrants(filter, NOW);
  await store.ensureMachineGrant(machineGrant, happened('grant.machine_approved'));
  await store.ensureMachineGrant({ ...machineGrant, scope: ['more'] }, happened('grant.machine_approved'));
  await store.listApprovals({ ...triple, subjectGrantId: 'grant_2' }, NOW);
  await store.noteDelegation({ grantId: 'grant_1', subjectGrantId: 'grant_2', userId: 'usr_alice', expiresAt: NOW }, happened('grant.delegated'));
  await store.listDelegations('usr_alice', NOW);
  await store.findCode('code-1', NOW);
  await store.failCode('code-1');
  await store.findFamily(family.familyId, NOW);
  await store.standingForKey(question);
  await store.standing(question);
  await store.revokeAccessToken('jti', NOW, happened('token.revoked'));
  await store.useOnce({ kind: 'client_assertion', idHash: 'id', now: NOW, expiresAt: NOW + 60 });
  await store.addSigningKey(signingKey, { signsUntil: NOW, publishedUntil: NOW }, happened('signing_key.added'));
  await store.attempt('account', NOW);
  await store.forgiveAttempts('account');
  for (let guess = 0; guess < 2; guess++) await store.countGuess('guesses', { most: 1, windowSeconds: 600 }, NOW);
  await store.takeGuessBack('guesses');
  await store.takeFrom('bucket', { limit: 1, periodSeconds: 1 }, NOW * 1000);
  await store.giveBackTo('bucket', { limit: 1, periodSeconds: 1 });
  await store.recordUse({ grants: new Map([['grant_1', NOW]]), keys: new Map([['sk_files', NOW]]), clients: new Map([['client_1', NOW]]) });
  for (const filter of [{}, { userId: 'usr_alice' }, { grantId: 'grant_1' }]) await store.listEvents({ limit: 5, ...filter });
  for (const filter of [{}, { userId: 'usr_alice' }]) await store.pageEvents({ limit: 5, after: { at: NOW, id: 'e' }, ...filter });
  await store.addWebhook(webhook, happened('webhook.added'));
  await store.sealEvents(sealing(1, await store.listUnsealed(3)));
  await store.listDueWebhooks(NOW);
  await store.claimDeliveries({ webhookId: 'wh_1', now: NOW, limit: 10 });
  await store.settleDelivery({ webhookId: 'wh_1', eventId: 'e', state: 'waiting', answer: '500', now: NOW, dueAt: NOW + 60, restsUntil: NOW + 70 });
  await store.rotateWebhookSecret({ id: 'wh_1', secretSealed: 'newer', olderExpiresAt: NOW }, happened('webhook.secret_rotated'));
  await store.settleDelivery({ webhookId: 'wh_1', eventId: 'e', state: 'delivered', answer: '200', now: NOW });
  await store.listDeliveries('wh_1', 10);
  await store.replayDeliveries({ webhookId: 'wh_1', now: NOW });
  await store.disableWebhook({ id: 'wh_1', failingSince: NOW }, happened('webhook.disabled'));
  await store.enableWebhook('wh_1', happened('webhook.enabled'));
  await store.removeWebhook('wh_1', happened('webhook.removed'));
  await store.findChain();
  await store.listSealed(1, 5);
  await store.retireEvents({ was: 'mac-1', after: 0, anchor: { seq: 1, hash: 'hash-1' }, mac: 'mac-2' }, happened('audit.retired'));
  await store.pauseAgent('usr_alice', 'grant_1', happened('grant.paused'));
  await store.agentPause(triple, NOW);
  await store.resumeAgent('usr_alice', 'grant_1', happened('grant.resumed'));
  await store.pauseAllAgents('usr_alice', happened('grant.paused'));
  await store.resumeAllAgents('usr_alice', happened('grant.resumed'));
  await store.reduceAgent({ userId: 'usr_alice', grantId: 'grant_1', remove: ['files:read'], expiresAt: NOW + 60 }, happened('grant.reduced'));
  await store.findReceipt('usr_alice', 'grant_1');
  await store.disconnectAll('usr_bob', 'person', happened('grant.revoked'));
  await store.revokeGrant('grant_2', 'person', happened('grant.revoked'));
  await store.disconnectAgent('usr_alice', 'grant_1', 'person', happened('grant.revoked'));
  await store.addServerPerson({ serverId: 'srv_files', userId: 'usr_alice' }, happened('server.person_added'));
  await store.mayUseServer({ serverId: 'srv_files', userId: 'usr_alice' });
  await store.askForAccess(asked, happened('access.requested'));
  await store.findAccessRequest({ serverId: 'srv_files', userId: 'usr_alice' }, NOW);
  await store.listAccessRequests({ limit: 10 }, NOW);
  await store.decideAccess({ id: 'ask_1', decision: 'approved', keptUntil: NOW }, happened('access.approved'));
  await store.listServerPeople('srv_files');
  await store.removeServerPerson({ serverId: 'srv_files', userId: 'usr_alice' }, happened('server.person_removed'));
  await store.updateServer({ ...files, people: 'listed' }, happened('server.updated'));
  await store.updateServer(files, happened('server.updated'), { ...files, people: 'listed' });
  await store.updateServer(files, happened('server.updated'), { ...files, people: 'listed' });
  await store.renameUser('usr_alice', 'Al', happened('user.renamed'));
  await store.heldAbout('usr_alice', 10);
  await store.removeUser('usr_bob', happened('user.removed'));
  await store.removeServer('srv_files', happened('server.removed'));
  await store.removeClient('client_1', happened('client.removed'));
}

/** Runs the verbs and returns, by statement, what SQLite says about how it runs it. */
async function plansOf(act: (storage: Storage, store: Store) => Promise<void>): Promise<Map<string, string[]>> {
  const driver = openNodeSqlite(':memory:');
  const seen = new Map<string, Statement>();
  const noted = (statement: Statement): Statement => {
    seen.set(statement.text, statement);
    return statement;
  };
  const noting: Driver = {
    ...driver,
    read: (statement) => driver.read(noted(statement)),
    write: (statements) => driver.write(statements.map(noted)),
  };
  const storage = openStorage(noting);
  await storage.migrate(NOW);
  seen.clear();
  await act(storage, freshTenant({ one: storage, two: storage })[0]);

  const plans = new Map<string, string[]>();
  for (const { text, values } of seen.values()) {
    const rows = await driver.read({ text: `explain query plan ${text}`, values });
    plans.set(
      text,
      rows.map((row) => String(row.detail)),
    );
  }
  await driver.close();
  return plans;
}

function wholeTables(plans: Map<string, string[]>): string[] {
  const scans = [...plans].flatMap(([text, details]) => details.filter((detail) => isScan(text, detail)).map((detail) => `${detail}: ${text}`));
  return scans.toSorted();
}

/** `SCAN x` without an index reads all of x; a search by tenant alone reads all that a tenant has, unless it stops at a limit in that very order. */
function isScan(text: string, detail: string): boolean {
  // Open holds only, and those are emergencies; operators are few.
  if (/USING (COVERING )?INDEX (holds_open|users_operators) \(tenant=\?\)$/.test(detail)) return false;
  // A tenant has one.
  if (/ audit_chains /.test(detail)) return false;
  if (/\(tenant=\?\)$/.test(detail)) return !IN_INDEX_ORDER.some((start) => text.startsWith(start));
  const table = /^SCAN (\w+)$/.exec(detail)?.[1];
  if (table === undefined || table === 'CONSTANT') return false;
  return !SMALL.has(table) && !(table === 'k' && text.includes('signing_keys k'));
}
