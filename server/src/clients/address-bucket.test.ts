/** Proves who shares a limit with whom. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressBucket, isListed } from './address-bucket.ts';

test('[DCR-14] an IPv4 address counts alone, an IPv6 network of 64 bits counts as one', () => {
  assert.equal(addressBucket('203.0.113.7'), '203.0.113.7');
  assert.equal(addressBucket('::ffff:203.0.113.7'), '203.0.113.7');
  assert.equal(addressBucket('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  assert.equal(addressBucket('2001:DB8:1:2::9'), '2001:db8:1:2::/64');
  assert.equal(addressBucket('2001:db8::1'), '2001:db8:0:0::/64');
  assert.equal(addressBucket('::1'), '0:0:0:0::/64');
  assert.equal(addressBucket('unknown'), 'unknown');
});

test('[RATE-03] hosted clients are listed by address or IPv4 network', () => {
  const list = ['160.79.104.0/21', '203.0.113.9', '2001:db8::1', 'odd/99', '0.0.0.256/8'];
  for (const address of ['160.79.104.0', '160.79.106.3', '160.79.111.255', '::ffff:160.79.106.3', '203.0.113.9', '2001:db8::1'])
    assert.equal(isListed(address, list), true, address);
  for (const address of ['160.79.103.255', '160.79.112.0', '203.0.113.8', '2001:db8::2', 'odd', '']) assert.equal(isListed(address, list), false, address);
  assert.equal(isListed('8.8.8.8', ['0.0.0.0/0']), true);
  assert.equal(isListed('8.8.8.8', []), false);
});

test('[DCR-14] two addresses of one /64 never have two buckets', () => {
  const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
  const half = fc.array(group, { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(half, half, half, (network, one, other) => {
      assert.equal(addressBucket([...network, ...one].join(':')), addressBucket([...network, ...other].join(':')));
    }),
  );
});
