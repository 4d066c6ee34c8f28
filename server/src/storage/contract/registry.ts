/**
 * The part of the storage contract about who may ask and what we guard: MCP servers, their keys, clients and client metadata documents.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConstraintError } from '../driver.ts';
import type { ClientDocument, McpServer } from '../store.ts';
import {
  approve,
  client,
  code,
  connect,
  count,
  countEvents,
  DAY,
  files,
  filesKey,
  freshTenant,
  grant,
  happened,
  machineGrant,
  NOW,
  type Nodes,
  notes,
  parked,
  rotate,
  settle,
  times,
} from './fixtures.ts';

const question = { keyHash: 'key-hash', grantId: 'grant_1', jti: 'jti-1', now: NOW };
const document: ClientDocument = { url: 'https://app.example/client.json', metadata: client.metadata, fetchedAt: NOW, freshUntil: NOW + 3600 };

export function registryContract(nodes: () => Nodes): void {
  describe('MCP servers', () => {
    test('a scope of another server is found by its exact name, however long', async () => {
      const [store] = freshTenant(nodes());
      const long = 'files:'.padEnd(128, 'x');
      const scopes = [{ name: 'Files:Read', description: 'As in "name":"mentioned", 100 %_' }, { name: long }, { name: 'quo\\ted%' }];
      await store.addServer({ ...files, scopes }, happened('server.added'));
      const found = (...names: string[]) => store.isScopeOfAnother(names, 'https://elsewhere.example');

      for (const name of ['Files:Read', long, 'quo\\ted%']) assert.equal(await found('unknown', name), true, name);
      for (const name of ['files:read', 'Files_Read', 'Files:Rea', 'mentioned', `${long}x`, '%', '']) assert.equal(await found(name), false, name);
      assert.equal(await store.isScopeOfAnother(['Files:Read'], files.resource), false);
    });

    test('a server is found by id and by resource, with exactly what was stored', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);

      assert.deepEqual(await store.findServer('srv_files'), files);
      assert.deepEqual(await store.findServerByResource('https://notes.example'), notes);
      assert.equal(await store.findServerByResource('https://notes.example/'), undefined);
      assert.equal(await store.findServer('srv_none'), undefined);
    });

    test('a resource belongs to one server, also when two nodes register it at once', async () => {
      const [one, two] = freshTenant(nodes());
      const outcomes = await times(8, (index) => (index % 2 ? one : two).addServer({ ...files, id: `srv_${index}` }, happened('server.added')));

      assert.deepEqual([count(outcomes, 'added'), count(outcomes, 'taken')], [1, 7]);
      assert.equal((await one.listServers({ limit: 10 })).length, 1);
      assert.equal(await countEvents(one, 'server.added'), 1);
    });

    test('servers are listed oldest first, page by page, of one owner or of all', async () => {
      const [store] = freshTenant(nodes());
      for (const index of [3, 1, 2]) {
        await store.addServer(
          { ...files, id: `srv_${index}`, resource: `https://r${index}.example`, createdAt: NOW + index, ownerId: index === 2 ? 'usr_alice' : 'usr_bob' },
          happened('server.added'),
        );
      }
      const ids = async (page: Parameters<typeof store.listServers>[0]) => (await store.listServers(page)).map(({ id }) => id);

      assert.deepEqual(await ids({ limit: 2 }), ['srv_1', 'srv_2']);
      assert.deepEqual(await ids({ limit: 2, after: { createdAt: NOW + 2, id: 'srv_2' } }), ['srv_3']);
      assert.deepEqual(await ids({ limit: 9, ownerId: 'usr_bob' }), ['srv_1', 'srv_3']);
      assert.deepEqual(await ids({ limit: 9, ownerId: 'usr_bob', after: { createdAt: NOW + 1, id: 'srv_1' } }), ['srv_3']);
      // A place stays where it is when the server that stood there goes.
      await store.removeServer('srv_2', happened('server.removed'));
      assert.deepEqual(await ids({ limit: 2, after: { createdAt: NOW + 2, id: 'srv_2' } }), ['srv_3']);
    });

    test('an update writes everything but owner and creation, and knows a taken resource from a server that is gone', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      const { description: _, logoUrl: __, ...bare } = files;
      const changed = { ...bare, name: 'Archive', resource: 'https://archive.example', updatedAt: NOW + 5 };

      assert.equal(await store.updateServer({ ...changed, ownerId: 'usr_thief', createdAt: 1 }, happened('server.updated')), 'updated');
      assert.deepEqual(await store.findServer('srv_files'), changed);
      assert.equal(await store.updateServer({ ...changed, resource: notes.resource }, happened('server.updated')), 'taken');
      assert.equal(await store.updateServer({ ...changed, id: 'srv_none', resource: 'https://x.example' }, happened('server.updated')), 'gone');
      assert.deepEqual(await store.findServer('srv_files'), changed);
      assert.equal(await countEvents(store, 'server.updated'), 1);
    });

    test('of changes to what two callers saw at once one is written, and the other learns that it must read again', async () => {
      const [one, two = one] = freshTenant(nodes());
      await settle(one);
      const { description: _, logoUrl: __, ...bare } = files;
      const changes = [
        { ...files, people: 'listed' as const, updatedAt: NOW + 5 },
        { ...files, description: 'Another', updatedAt: NOW + 5 },
      ];

      const outcomes = await Promise.all(changes.map((change, index) => (index ? two : one).updateServer(change, happened('server.updated'), files)));

      assert.deepEqual(outcomes.toSorted(), ['changed', 'updated']);
      const kept = changes[outcomes.indexOf('updated')] as McpServer;
      assert.deepEqual(await two.findServer('srv_files'), kept);
      assert.equal(await countEvents(one, 'server.updated'), 1);
      // What was absent counts as it was, and an old time of change alone does not matter.
      assert.equal(await one.updateServer(bare, happened('server.updated'), { ...kept, updatedAt: 1 }), 'updated');
      assert.equal(await one.updateServer(files, happened('server.updated'), kept), 'changed');
      assert.equal(await one.updateServer(files, happened('server.updated'), bare), 'updated');
      assert.equal(await one.updateServer({ ...files, id: 'srv_none' }, happened('server.updated'), files), 'gone');
      const { resource } = notes;
      assert.equal(await one.updateServer({ ...files, resource }, happened('server.updated'), files), 'taken');
    });

    test('a removed server takes its keys along and ends its grants', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);

      assert.equal(await store.removeServer('srv_files', happened('server.removed', NOW + 5)), true);
      assert.equal(await store.removeServer('srv_files', happened('server.removed', NOW + 6)), false);
      assert.equal(await store.findServer('srv_files'), undefined);
      assert.equal(await store.standingForKey(question), undefined);
      assert.deepEqual(await store.listKeys('srv_files'), []);
      assert.equal((await store.findGrant('grant_1'))?.revokedReason, 'server_removed');
      assert.deepEqual(await rotate(store, 'rt-0', 'rt-1', NOW + 6), { outcome: 'dead' });
      assert.deepEqual(await store.findServer('srv_notes'), notes);
      assert.equal(await countEvents(store, 'server.removed'), 1);
    });
  });

  describe('API keys', () => {
    test('[TOK-08] a key is found by the hash of its secret and knows its server’s resource', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);

      assert.deepEqual(await store.findKey('key-hash'), { ...filesKey, resource: files.resource });
      assert.equal(await store.findKey('sk_files'), undefined);
      assert.deepEqual(await store.listKeys('srv_files'), [filesKey]);
    });

    test('a server that does not exist gets no key, and a secret no second key', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);

      await assert.rejects(store.addKey({ ...filesKey, id: 'sk_2', serverId: 'srv_none', secretHash: 'other' }, happened('key.created')), ConstraintError);
      await assert.rejects(store.addKey({ ...filesKey, id: 'sk_2' }, happened('key.created')), ConstraintError);
      assert.equal(await countEvents(store, 'key.created'), 1);
    });

    test('a key is revoked once, by its own server only, and says so at the next question', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);

      assert.equal(await one.revokeKey('srv_notes', 'sk_files', happened('key.revoked')), false);
      const outcomes = await times(4, (index) => (index % 2 ? one : two).revokeKey('srv_files', 'sk_files', happened('key.revoked', NOW + 1)));
      assert.equal(count(outcomes, true), 1);
      assert.equal((await two.standingForKey(question))?.key.revokedAt, NOW + 1);
      assert.equal((await one.findKey('key-hash'))?.revokedAt, NOW + 1);
      assert.equal(await countEvents(one, 'key.revoked'), 1);
    });

    test('a key in use is to be warned of 30, 7 and 1 day before its end, each time once, by one of many nodes', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      const { expiresAt } = filesKey;
      const used = (at: number) => one.recordUse({ grants: new Map(), keys: new Map([['sk_files', at]]), clients: new Map() });
      const due = async (now: number) => (await two.listEndingKeys({ now, usedSince: now - 30 * DAY, limit: 10 })).map(({ id }) => id);
      const warned = async (now: number) =>
        count(await times(4, (index) => (index % 2 ? one : two).warnOfKey('sk_files', happened('key.expiring', now))), true);

      assert.deepEqual(await due(expiresAt - 30 * DAY), [], 'nobody uses it');
      await used(expiresAt - 31 * DAY);
      assert.deepEqual([await due(expiresAt - 30 * DAY - 1), await warned(expiresAt - 30 * DAY - 1)], [[], 0]);
      for (const days of [30, 7]) {
        const now = expiresAt - days * DAY;
        await used(now);
        assert.deepEqual([await due(now), await warned(now), await due(now), await due(now + 60), await warned(now + 60)], [['sk_files'], 1, [], [], 0]);
      }
      // Nobody looked for days: what was missed is one warning.
      assert.deepEqual([await warned(expiresAt - 60), await due(expiresAt - 60), await due(expiresAt), await warned(expiresAt)], [1, [], [], 0]);
      assert.equal(await countEvents(one, 'key.expiring'), 3);
    });

    test('a warning says whose server the key is of; one that is older than the key is none, nor is one of a key that was revoked', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      const at = NOW + 10;
      const key = { ...filesKey, createdAt: NOW, lastUsedAt: at };
      await store.addKey({ ...key, id: 'sk_day', secretHash: 'day', expiresAt: NOW + DAY }, happened('key.created'));
      await store.addKey({ ...key, id: 'sk_week', secretHash: 'week', expiresAt: NOW + 7 * DAY }, happened('key.created'));
      await store.addKey({ ...key, id: 'sk_later', secretHash: 'later', expiresAt: NOW + 7 * DAY + 10 }, happened('key.created'));
      await store.addKey({ ...key, id: 'sk_gone', secretHash: 'gone', expiresAt: NOW + 7 * DAY + 10 }, happened('key.created'));
      await store.revokeKey('srv_files', 'sk_gone', happened('key.revoked'));

      assert.deepEqual(await store.listEndingKeys({ now: at, usedSince: at, limit: 10 }), [
        {
          id: 'sk_later',
          serverId: 'srv_files',
          name: key.name,
          expiresAt: NOW + 7 * DAY + 10,
          serverName: files.name,
          owner: { id: 'usr_bob' },
        },
      ]);
      assert.deepEqual(await store.listEndingKeys({ now: at, usedSince: at + 1, limit: 10 }), []);
      assert.equal(await store.warnOfKey('sk_gone', happened('key.expiring', at)), false);
      assert.deepEqual([await store.findFirstKeyEnd(at), await store.findFirstKeyEnd(at + 1)], [NOW + DAY, undefined]);
      await store.revokeKey('srv_files', 'sk_day', happened('key.revoked'));
      assert.equal(await store.findFirstKeyEnd(at), NOW + 7 * DAY);
    });
  });

  describe('clients', () => {
    test('a client is found with exactly what was registered, and an id is registered once', async () => {
      const [store] = freshTenant(nodes());
      const full = {
        ...client,
        id: 'client_full',
        registration: 'manual' as const,
        secretHash: 'hash',
        secretExpiresAt: NOW + DAY,
        defaultResource: 'https://files.example',
      };
      await store.addClient(full, happened('client.registered'));

      assert.deepEqual(await store.findClient('client_full'), full);
      await assert.rejects(store.addClient(full, happened('client.registered')), ConstraintError);
      assert.equal(await countEvents(store, 'client.registered'), 1);
      assert.equal(await store.findClient('client_none'), undefined);
      assert.deepEqual(await store.listClients(), [full]);
    });

    test('metadata is replaced only where it is still what was read, so that of parallel changes one is told to read again', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addClient({ ...client, metadata: { ...client.metadata, jwks: { keys: [{ kty: 'EC', kid: 'a' }] } } }, happened('client.registered'));
      const from = (await one.findClient('client_1'))?.metadata ?? client.metadata;
      const change = (kid: string) => ({ id: 'client_1', from, to: { ...from, jwks: { keys: [{ kty: 'EC', kid }] } } });
      const outcomes = await times(10, (index) => (index % 2 ? one : two).changeClientMetadata(change(`${index}`), happened('client.keys_changed')));

      assert.equal(count(outcomes, true), 1);
      assert.deepEqual((await two.findClient('client_1'))?.metadata, change(String(outcomes.indexOf(true))).to);
      assert.equal(await one.changeClientMetadata({ ...change('x'), id: 'client_never' }, happened('client.keys_changed')), false);
      assert.equal(await countEvents(one, 'client.keys_changed'), 1);
    });

    test('[CA-14] a client has two secrets while it changes them, and never more', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addClient({ ...client, secretHash: 'first' }, happened('client.registered'));
      const outcomes = await times(10, (index) =>
        (index % 2 ? one : two).addClientSecret({ id: 'client_1', secretHash: `next-${index}`, olderExpiresAt: NOW + DAY }, happened('client.secret_added')),
      );

      assert.deepEqual([count(outcomes, 'added'), count(outcomes, 'full')], [1, 9]);
      const next = `next-${outcomes.indexOf('added')}`;
      assert.deepEqual(await two.findClient('client_1'), { ...client, secretHash: next, olderSecretHash: 'first', olderSecretExpiresAt: NOW + DAY });
      const later = happened('client.secret_added', NOW + DAY);
      assert.equal(await one.addClientSecret({ id: 'client_1', secretHash: 'third', olderExpiresAt: NOW + 2 * DAY }, later), 'added');
      assert.deepEqual((await one.findClient('client_1'))?.olderSecretHash, next);
      assert.equal(await countEvents(one, 'client.secret_added'), 2);
    });

    test('[CA-14] ending the older secret leaves the newer, ending the newer gives its place back, and nobody is left without', async () => {
      const [store] = freshTenant(nodes());
      const secrets = async () => {
        const { secretHash, olderSecretHash, secretExpiresAt } = (await store.findClient('client_1')) ?? {};
        return [secretHash, olderSecretHash, secretExpiresAt];
      };
      const add = (secretHash: string) => store.addClientSecret({ id: 'client_1', secretHash, olderExpiresAt: NOW + DAY }, happened('client.secret_added'));
      const end = (which: 'older' | 'newer', at = NOW) => store.endClientSecret('client_1', which, happened('client.secret_ended', at));
      await store.addClient({ ...client, secretHash: 'one', secretExpiresAt: NOW + 60 }, happened('client.registered'));
      assert.deepEqual([await end('older'), await end('newer')], [false, false]);

      await add('two');
      assert.equal((await store.findClient('client_1'))?.olderSecretExpiresAt, NOW + 60, 'an end that was sooner stays');
      assert.deepEqual([await end('older'), await end('older'), await secrets()], [true, false, ['two', undefined, undefined]]);
      await add('three');
      assert.deepEqual([await end('newer'), await secrets()], [true, ['two', undefined, undefined]]);
      await add('four');
      assert.deepEqual([await end('newer', NOW + DAY), await secrets()], [false, ['four', 'two', undefined]]);
      assert.equal(await countEvents(store, 'client.secret_ended'), 2);
    });

    test('[CA-14] public, unknown and removed clients get no secret', async () => {
      const [store] = freshTenant(nodes());
      await store.addClient(client, happened('client.registered'));
      await store.addClient({ ...client, id: 'client_2', secretHash: 'one' }, happened('client.registered'));
      const add = (id: string) => store.addClientSecret({ id, secretHash: 'two', olderExpiresAt: NOW + DAY }, happened('client.secret_added'));
      await add('client_2');
      await store.removeClient('client_2', happened('client.removed'));

      assert.deepEqual([await add('client_1'), await add('client_2'), await add('client_never')], ['gone', 'gone', 'gone']);
      assert.deepEqual(await store.findClient('client_2'), { ...client, id: 'client_2', removedAt: NOW });
    });

    test('[CON-07] a removed client leaves a tombstone with its redirect URIs and without its secret, and its grants end', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await store.addClient({ ...client, id: 'client_2', secretHash: 'hash' }, happened('client.registered'));

      assert.deepEqual(
        [await store.removeClient('client_1', happened('client.removed')), await store.removeClient('client_1', happened('client.removed'))],
        [true, false],
      );
      await store.removeClient('client_2', happened('client.removed'));
      assert.deepEqual(await store.findClient('client_1'), { ...client, removedAt: NOW });
      assert.deepEqual(await store.findClient('client_2'), { ...client, id: 'client_2', removedAt: NOW });
      assert.equal((await store.findGrant('grant_1'))?.revokedReason, 'client_removed');
      assert.equal((await store.standingForKey(question))?.grant?.active, false);
      assert.deepEqual(await rotate(store, 'rt-0', 'rt-1'), { outcome: 'dead' });
      assert.equal(await countEvents(store, 'client.removed'), 2);
    });

    test('[DCR-14] the cap counts living dynamic clients that never got a grant', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      for (const id of ['client_2', 'client_3', 'client_4']) await store.addClient({ ...client, id }, happened('client.registered'));
      await store.addClient({ ...client, id: 'client_manual', registration: 'manual' }, happened('client.registered'));
      assert.equal(await store.countUnconsentedClients(), 4);

      await approve(store, '1');
      await store.revokeGrant('grant_1', 'person', happened('grant.revoked'));
      await store.ensureMachineGrant({ ...machineGrant, clientId: 'client_2' }, happened('grant.machine_approved'));
      await store.removeClient('client_3', happened('client.removed'));
      assert.equal(await store.countUnconsentedClients(), 1);
    });

    test('a denied request gives its client no consent', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await store.parkRequest(parked);
      await store.denyRequest({ idHash: 'request-1', answer: 'denied', now: NOW }, happened('grant.denied'));
      const late = { idHash: 'request-1', answer: 'late', grant, code, now: NOW };
      await store.approveRequest(late, happened('grant.approved'));

      assert.equal(await store.countUnconsentedClients(), 1);
    });

    test('[DCR-14] unused dynamic clients without a living grant become tombstones, old tombstones go', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      for (const id of ['client_a', 'client_b', 'client_c']) await store.addClient({ ...client, id }, happened('client.registered'));
      await store.addClient({ ...client, id: 'client_manual', registration: 'manual' }, happened('client.registered'));
      await store.addClient({ ...client, id: 'client_used', lastUsedAt: NOW + DAY }, happened('client.registered'));
      const later = NOW + 40 * DAY;
      const removed = async () => (await store.listClients()).filter(({ removedAt }) => removedAt !== undefined).map(({ id }) => id);

      assert.equal(await store.expireDynamicClients(NOW + 1, NOW, 2, later), 2);
      assert.equal(await store.expireDynamicClients(NOW + 1, NOW, 2, later), 1);
      assert.equal(await store.expireDynamicClients(NOW + 1, NOW, 2, later), 0);
      assert.deepEqual(await removed(), ['client_a', 'client_b', 'client_c']);

      assert.equal(await store.expireDynamicClients(NOW + 1, later + 1, 2, later), 2);
      assert.equal(await store.expireDynamicClients(NOW + 1, later + 1, 2, later), 1);
      assert.deepEqual(
        (await store.listClients()).map(({ id }) => id),
        ['client_1', 'client_manual', 'client_used'],
      );
    });

    test('the newest good document of a client is kept, and fetching it does not enable it again', async () => {
      const [store] = freshTenant(nodes());
      await store.saveDocument(document);
      assert.deepEqual(await store.findDocument(document.url), document);

      const disabled = { ...document, fetchedAt: NOW + 10, freshUntil: NOW + 20, disabledAt: NOW + 10 };
      await store.saveDocument(disabled);
      await store.saveDocument({ ...document, fetchedAt: NOW + 5 });
      assert.deepEqual(await store.findDocument(document.url), disabled);
      await store.saveDocument({ ...document, fetchedAt: NOW + 30, freshUntil: NOW + 40 });
      assert.deepEqual(await store.findDocument(document.url), { ...document, fetchedAt: NOW + 30, freshUntil: NOW + 40, disabledAt: NOW + 10 });
      assert.equal(await store.findDocument('https://other.example'), undefined);
    });
  });
}
