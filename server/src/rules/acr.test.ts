import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acrOf, meetsAcr } from './acr.ts';

test('[AZ-23] the level follows from the methods, and nothing is said of a sign-in whose methods are unknown', () => {
  assert.deepEqual([acrOf(['pwd']), acrOf(['hwk', 'mfa']), acrOf([]), acrOf(undefined)], ['aal1', 'aal2', undefined, undefined]);
});

test('[AZ-23] a level meets a demand for itself and for weaker ones, never for a stronger or an unknown one', () => {
  assert.equal(meetsAcr(['pwd'], ['aal1']), true);
  assert.equal(meetsAcr(['hwk', 'mfa'], ['aal1']), true);
  assert.equal(meetsAcr(['pwd'], ['aal2']), false);
  assert.equal(meetsAcr(['pwd'], ['aal2', 'aal1']), true);
  assert.equal(meetsAcr(['pwd'], ['silver']), false);
  assert.equal(meetsAcr(undefined, ['aal1']), false);
  for (const nothing of [undefined, []]) assert.equal(meetsAcr(undefined, nothing), true);
});
