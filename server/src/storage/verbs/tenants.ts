/** Tenants: issuers of their own below `/t/<slug>`, each with rows that no other sees. The root issuer is none of them. */
import type { AuditEvent } from '../../audit/event.ts';

export type Tenant = {
  /** The slug in its address. */
  tenant: string;
  /** What operators call it. */
  name: string;
  createdAt: number;
  /** Options of its own, as JSON; options.ts reads them. */
  settings?: string;
};

/** Events of these verbs are recorded in the root tenant: those of a removed tenant go with it. */
export type TenantVerbs = {
  /** `resting`: a tenant of this name was removed lately, and tokens of it may still be believed somewhere. */
  addTenant(tenant: Tenant, event?: AuditEvent): Promise<'added' | 'taken' | 'resting'>;
  /** Replaces name and settings. False: there is no such tenant. */
  changeTenant(tenant: Pick<Tenant, 'tenant' | 'name' | 'settings'>, event: AuditEvent): Promise<boolean>;
  /** The tenant is unknown from this commit on; the sweep deletes its rows. False: there is no such tenant. */
  removeTenant(tenant: string, event: AuditEvent): Promise<boolean>;
  hasTenant(tenant: string): Promise<boolean>;
  findTenant(tenant: string): Promise<Tenant | undefined>;
  listTenants(): Promise<Tenant[]>;
  /** How many rows a tenant has, by table; without those that have none. Reads them all: for operators. */
  countRowsOf(tenant: string): Promise<Record<string, number>>;
};
