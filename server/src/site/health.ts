/**
 * Is the process alive, and can it do its work? For load balancers and people; no version, no secrets (OPS-02).
 */
import { type Handler, json } from '../route.ts';

/** Liveness: the process answers. */
export const health: Handler = () => json({ status: 'ok' });

/** Readiness: the database answers, its migrations are done and the signing keys can be read. 503 with the part that fails. */
export const ready: Handler = async (_exchange, context) => {
  const checks = {
    database: await holds(() => context.store.pendingMigrations().then(() => true)),
    migrations: await holds(async () => (await context.store.pendingMigrations()).length === 0),
    keys: await holds(async () => (await context.signing.current()).jwks.length > 0),
  };
  const isReady = Object.values(checks).every((state) => state === 'ok');
  return json({ status: isReady ? 'ready' : 'not ready', checks }, isReady ? 200 : 503, isReady ? undefined : { 'Retry-After': '2' });
};

async function holds(check: () => Promise<boolean>): Promise<'ok' | 'failed'> {
  return (await check().catch(() => false)) ? 'ok' : 'failed';
}
