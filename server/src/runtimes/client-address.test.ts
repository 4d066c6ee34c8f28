import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clientAddress, proxyList } from './client-address.ts';

const proxies = proxyList(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']);

test('[RATE-04] without configured proxies no header whatsoever changes the address of a caller', () => {
  const nobody = proxyList([]);
  fc.assert(fc.property(fc.ipV4(), fc.oneof(fc.ipV4(), fc.string()), (peer, header) => clientAddress(peer, header, nobody) === peer));
});

test('[RATE-04] a caller that is no configured proxy cannot choose its address', () => {
  assert.equal(clientAddress('203.0.113.9', '198.51.100.1', proxies), '203.0.113.9');
  assert.equal(clientAddress('203.0.113.9', '198.51.100.1, 10.0.0.1', proxies), '203.0.113.9');
});

test('[RATE-04] behind a proxy the caller is the last hop that no proxy of ours is, whatever the caller wrote before it', () => {
  assert.equal(clientAddress('10.1.2.3', '198.51.100.1', proxies), '198.51.100.1');
  assert.equal(clientAddress('10.1.2.3', '1.1.1.1, 198.51.100.1', proxies), '198.51.100.1');
  assert.equal(clientAddress('10.1.2.3', '1.1.1.1, 198.51.100.1,10.9.9.9 , 192.0.2.7', proxies), '198.51.100.1');
  assert.equal(clientAddress('10.1.2.3', 'spoofed, 198.51.100.1', proxies), '198.51.100.1');
  fc.assert(fc.property(fc.string(), (forged) => clientAddress('10.1.2.3', `${forged},198.51.100.1`, proxies) === '198.51.100.1'));
});

test('what cannot be read ends the walk at the last address that is sure', () => {
  for (const header of ['', 'unknown', '999.1.1.1', "'; drop table", '198.51.100.1, _hidden'])
    assert.equal(clientAddress('10.1.2.3', header, proxies), '10.1.2.3', header);
  assert.equal(clientAddress('10.1.2.3', '10.0.0.5, 10.0.0.6', proxies), '10.0.0.5');
  assert.equal(clientAddress(undefined, '1.1.1.1', proxies), 'unknown');
});

test('an address has one spelling', () => {
  assert.equal(clientAddress('::ffff:203.0.113.9', undefined, proxies), '203.0.113.9');
  assert.equal(clientAddress('::ffff:10.0.0.1', '[2001:DB9::0001]:4711', proxies), '2001:db9::1');
  assert.equal(clientAddress('2001:db8::1', '198.51.100.1:4711', proxies), '198.51.100.1');
});

test('a list of proxies is checked when it is made', () => {
  for (const entry of ['10.0.0.0/33', 'proxy.example.com', '10.0.0.0/', '10.0.0/8', '::/129', '']) assert.throws(() => proxyList([entry]), TypeError, entry);
});
