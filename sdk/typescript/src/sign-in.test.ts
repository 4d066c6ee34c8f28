import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readVectors, titleOf } from '../test/vectors.ts';
import { AuthenticationError } from './errors.ts';
import { checkSignIn } from './sign-in.ts';

interface Case {
  readonly name: string;
  readonly requirements: string[];
  readonly demand: { acr_values?: string[]; max_age?: number };
  readonly claims: Record<string, unknown>;
  readonly ok: boolean;
}
const { now, cases } = readVectors<{ now: number; cases: Case[] }>('sign-in');

for (const vector of cases) {
  test(`${titleOf(vector)} (sign-in)`, () => {
    const { acr_values: acrValues, max_age: maxAge } = vector.demand;
    const demand = { ...(acrValues && { acrValues }), ...(maxAge !== undefined && { maxAge }) };
    const check = () => checkSignIn({ claims: vector.claims }, demand, now);

    if (vector.ok) return check();
    assert.throws(check, (error) => error instanceof AuthenticationError && error.code === 'insufficient_user_authentication' && error.stepUp === demand);
  });
}

test('[RS-15] [DPR-03] who came with a proof is told under the scheme of proofs', () => {
  const check = (jkt?: string) => checkSignIn({ claims: {}, ...(jkt && { jkt }) }, { maxAge: 0 }, now);

  assert.throws(() => check('thumbprint'), { scheme: 'DPoP' });
  assert.throws(() => check(), { scheme: 'Bearer' });
});
