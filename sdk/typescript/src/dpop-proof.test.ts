import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readVectors, titleOf } from '../test/vectors.ts';
import { judgeProof } from './dpop-proof.ts';
import { AuthenticationError } from './errors.ts';

interface ProofFile {
  readonly now: number;
  readonly method: string;
  readonly url: string;
  readonly token_hash: string;
  readonly jkt: string;
  readonly cases: {
    name: string;
    requirements: string[];
    proof: string | null;
    method?: string;
    jkt?: string;
    expires_at?: number;
    nonce?: string;
    reason?: string;
    error?: string;
  }[];
}

const { now, method, url, token_hash: tokenHash, jkt, cases } = readVectors<ProofFile>('dpop-proofs');

for (const vector of cases) {
  test(`${titleOf(vector)} (DPoP proofs)`, async () => {
    const judge = () => judgeProof(vector.proof, { now, method: vector.method ?? method, url, tokenHash, jkt: vector.jkt ?? jkt });

    if (vector.reason === undefined) {
      const { jti, ...judged } = await judge();
      assert.equal(jti, 'proof-1');
      assert.deepEqual(judged, { expiresAt: vector.expires_at, ...(vector.nonce !== undefined && { nonce: vector.nonce }) });
    } else {
      const code = vector.error ?? 'invalid_dpop_proof';
      await assert.rejects(judge, { name: 'AuthenticationError', code, status: 401, reason: vector.reason, scheme: 'DPoP' });
    }
  });
}

test('[DPR-01] whatever the header is, a proof is refused and nothing else happens', async () => {
  const [good = ''] = cases.flatMap(({ proof }) => proof ?? []);
  const part = fc.oneof(fc.constantFrom(...good.split('.')), fc.base64String(), fc.string(), fc.json().map(btoaSafe));
  await fc.assert(
    fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 4 }), async (parts) => {
      const proof = parts.join('.');
      if (proof === good) return;
      await assert.rejects(judgeProof(proof, { now, method, url, tokenHash, jkt }), (error) => error instanceof AuthenticationError && error.status === 401);
    }),
    { numRuns: 300 },
  );
});

function btoaSafe(text: string): string {
  return Buffer.from(text).toString('base64url');
}
