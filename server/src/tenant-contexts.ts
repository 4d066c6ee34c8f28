/**
 * The contexts of a server: one for the root issuer and one for each tenant that was asked for, made from the row of the tenant and kept until that changes.
 * Every node asks for the rows again with its batched writes, about once a second, so a tenant that was added, changed or removed elsewhere needs no restart.
 */
import { logoutsOf } from './account/tell-logout.ts';
import type { Context } from './context.ts';
import { instanceKeys } from './crypto/instance-keys.ts';
import { signingKeys } from './crypto/signing-keys.ts';
import { limitsOf } from './limits/limits.ts';
import { outboxOf } from './mail/outbox.ts';
import { limitChangesOf, type Options, tenantOptions } from './options.ts';
import type { Route } from './route.ts';
import { activityCounter } from './storage/activity-counter.ts';
import { ROOT_TENANT, type Storage, type Tenant } from './storage/store.ts';
import { useCounter } from './storage/use-counter.ts';
import { webhooksOf } from './webhooks/deliver.ts';

export type TenantContexts = {
  readonly root: Context;
  /** Undefined for an unknown tenant. @throws {TypeError} for one whose settings this version cannot read. */
  find(tenant: string): Promise<Context | undefined>;
  /** Those of all tenants there are, the root's first. A tenant that cannot be read is logged and left out. */
  all(): Promise<Context[]>;
  /** Those that were needed so far. */
  known(): Context[];
  /** Forgets tenants that were removed, and makes anew those that were changed. Costs nothing where no tenant was needed so far. */
  refresh(): Promise<void>;
  /** Waits for mail, logouts and webhooks that are being handed over, and hands over no more. */
  end(): Promise<void>;
};

/** `made` is what the context was made from. */
type Known = { context: Context; made: string };

export function tenantContexts(options: Options, storage: Storage, routes: readonly Route[]): TenantContexts {
  const instance = instanceKeys(options.secret);
  const known = new Map<string, Known>();
  const leaving = new Set<Promise<void>>();
  const contextOf = (tenant: string, own: Options): Context => makeContext({ tenant, options: own, issuer: options.issuer, storage, instance, routes });
  const root = contextOf(ROOT_TENANT, options);

  async function find(tenant: string): Promise<Context | undefined> {
    const found = known.get(tenant);
    if (found) return found.context;
    const row = isSlug(tenant) ? await storage.findTenant(tenant) : undefined;
    return row && remembered(row);
  }

  /** Of two requests that ask at once, both get the same. */
  function remembered(row: Tenant): Context {
    const made = JSON.stringify(row);
    const found = known.get(row.tenant);
    if (found?.made === made) return found.context;
    const context = contextOf(row.tenant, tenantOptions(options, row.settings));
    if (found) leave(found.context);
    known.set(row.tenant, { context, made });
    return context;
  }

  function readable(row: Tenant): Context | undefined {
    try {
      return remembered(row);
    } catch (error) {
      options.log.error('tenant.unreadable', { tenant: row.tenant }, error);
      known.delete(row.tenant);
      return undefined;
    }
  }

  /** What it had counted and not yet written is written; requests that began with it end with it. */
  function leave(context: Context): void {
    const left = Promise.all([context.uses.flush(), context.activity.flush(), handedOver(context)])
      .then(() => undefined)
      .catch((cause: unknown) => options.log.error('tenant.not_flushed', {}, cause))
      .finally(() => leaving.delete(left));
    leaving.add(left);
  }

  return {
    root,
    find,
    async all() {
      return [root, ...(await storage.listTenants()).map(readable).filter((context) => context !== undefined)];
    },
    known: () => [root, ...[...known.values()].map(({ context }) => context)],
    async refresh() {
      if (known.size === 0) return;
      const rows = new Map((await storage.listTenants()).map((row) => [row.tenant, row]));
      for (const tenant of [...known.keys()]) {
        const row = rows.get(tenant);
        if (row) readable(row);
        else known.delete(tenant);
      }
    },
    async end() {
      await Promise.all([ended(root), ...[...known.values()].map(({ context }) => ended(context)), ...leaving]);
    },
  };
}

const relaysOf = ({ mail, webhooks, logouts }: Context) => [mail, webhooks, logouts];
const handedOver = (context: Context): Promise<unknown> => Promise.all(relaysOf(context).map((one) => one.idle()));
const ended = (context: Context): Promise<unknown> => Promise.all(relaysOf(context).map((one) => one.end()));

/** The name of a tenant in its address. */
export function isSlug(text: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,62}$/.test(text);
}

type Making = { tenant: string; options: Options; issuer: string; storage: Storage; instance: Context['instance']; routes: readonly Route[] };

function makeContext({ tenant, options, issuer: origin, storage, instance, routes }: Making): Context {
  const base = tenant === ROOT_TENANT ? '' : `/t/${tenant}`;
  const issuer = origin + base;
  const store = storage.forTenant(tenant);
  const { now, log } = options;
  const signing = signingKeys({
    store,
    instance,
    now,
    algorithm: options.signingAlgorithm,
    signingKeySeconds: options.signingKeySeconds,
    tokenSeconds: options.accessTokenSeconds,
  });
  const limits = limitsOf({ store, changes: limitChangesOf(options), now });
  const mail = outboxOf({ options, issuer, store, instance, now, log });
  const webhooks = webhooksOf({ options, issuer, store, instance, now, log });
  const activity = activityCounter(store, options.activitySeconds);
  const logouts = logoutsOf(() => context);
  const uses = useCounter(store);
  const context: Context = { options, issuer, base, store, signing, instance, limits, mail, webhooks, logouts, uses, activity, now, log, routes };
  return context;
}
