/**
 * The child of crash.test.ts: does token operations on a SQLite file, many at once, and prints each one only after the store acknowledged it.
 * One line per acknowledgement: verb, subject, and what a survivor must show. Ends when it has printed its share, unless it is killed first.
 */
import { writeSync } from 'node:fs';
import { approve, family, filesKey, happened, NOW, rotate, signingKey } from './contract/fixtures.ts';
import { openNodeSqlite } from './drivers/node-sqlite.ts';
import { openStorage } from './open.ts';
import { ROOT_TENANT } from './store.ts';

const [path = '', round = '', operations = '0'] = process.argv.slice(2);
const store = openStorage(openNodeSqlite(path)).forTenant(ROOT_TENANT);
let acknowledged = 0;

/** Synchronous, so that a line is in the pipe before anything else can happen. */
function acknowledge(...words: (string | number)[]): void {
  writeSync(1, `${words.join(' ')}\n`);
  acknowledged++;
}

/** One agent's life: allowed, redeemed (twice at once, as a thief would), refreshed, and at some point revoked; now and then a key is. */
async function life(id: string, index: number): Promise<void> {
  await approve(store, id);
  acknowledge('approved', `grant_${id}`);
  const redeemed = await Promise.all([0, 1].map((attempt) => redeem(id, attempt)));
  for (const [attempt, outcome] of redeemed.entries()) {
    if (outcome === 'redeemed') acknowledge('redeemed', `code-${id}`, attempt);
  }
  let current = `rt-${id}-0`;
  for (let generation = 1; generation <= 6; generation++) {
    const next = `rt-${id}-${generation}`;
    const { outcome } = await rotate(store, current, next, NOW + generation, { familyId: `family-${id}` });
    if (outcome === 'rotated') acknowledge('rotated', `family-${id}`, generation);
    current = next;
  }
  if (index % 3 === 0 && (await store.revokeGrant(`grant_${id}`, 'person', happened('grant.revoked')))) acknowledge('revoked', `grant_${id}`);
  if (index % 3 === 1) {
    await store.revokeAccessToken(`jti-${id}`, NOW + 3600, happened('token.revoked'));
    acknowledge('revoked-token', `jti-${id}`);
  }
  if (index % 5 === 0) await keys(id);
}

function redeem(id: string, attempt: number) {
  const made = { ...family, familyId: `family-${id}`, grantId: `grant_${id}`, currentHash: `rt-${id}-0` };
  return store.redeemCode({ codeHash: `code-${id}`, now: NOW, redemptionId: `redemption-${id}-${attempt}`, family: made });
}

async function keys(id: string): Promise<void> {
  await store.addKey({ ...filesKey, id: `sk_${id}`, secretHash: `secret-${id}` }, happened('key.created'));
  acknowledge('key', `secret-${id}`);
  if (await store.revokeKey('srv_files', `sk_${id}`, happened('key.revoked'))) acknowledge('key-revoked', `secret-${id}`);
  const kid = `kid-${id}`;
  const older = { signsUntil: NOW, publishedUntil: NOW + 10 ** 6 };
  if ((await store.addSigningKey({ ...signingKey, kid }, older, happened('signing_key.added'))) === 'added') acknowledge('signing-key', kid);
}

for (let index = 0; acknowledged < Number(operations); index += 32) {
  await Promise.all(Array.from({ length: 32 }, (_, lane) => life(`${round}-${index + lane}`, index + lane)));
}
acknowledge('done', round);
