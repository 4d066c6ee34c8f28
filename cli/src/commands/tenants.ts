/** `auth-agent tenants …`: issuers below `/t/<slug>`. */
import { isoDate } from 'auth-agent-mcp-server/node';
import { type Command, databaseFlags, textFlag } from '../command.ts';
import { next, withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';

const flags = databaseFlags.filter(({ name }) => name !== 'tenant');

export const addTenant: Command = {
  name: 'tenants add',
  about: 'add a tenant with an issuer of its own',
  usage: '<slug>',
  flags: [...flags, { name: 'name', kind: 'text', value: 'text', about: 'its name (the slug)' }],
  examples: ['auth-agent tenants add acme --name "Acme Ltd"'],
  run: (call) =>
    withStore(call, async ({ storage, now }) => {
      const [tenant = ''] = call.args;
      if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(tenant))
        throw new Failure('usage', 'A slug is 1 to 63 lower-case letters, digits and dashes', { fix: 'auth-agent tenants add acme' });
      const name = textFlag(call, 'name') ?? tenant;
      if ((await storage.addTenant({ tenant, name, createdAt: now })) === 'taken')
        throw new Failure('conflict', `The tenant ${tenant} exists`, { fix: 'auth-agent tenants list' });
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return {
        data: { tenant, name, path: `/t/${tenant}` },
        lines: [ok(`Tenant ${tenant} at /t/${tenant}`)],
        notes: [next(`auth-agent setup-link --tenant ${tenant}`)],
      };
    }),
};

export const listTenants: Command = {
  name: 'tenants list',
  about: 'list tenants; the root issuer is not among them',
  flags,
  examples: ['auth-agent tenants list --json'],
  run: (call) =>
    withStore(call, async ({ storage }) => {
      const tenants = (await storage.listTenants()).map(({ tenant, name, createdAt }) => ({ tenant, name, created_at: isoDate(createdAt) }));
      return {
        data: { tenants },
        lines: table(
          ['TENANT', 'NAME', 'CREATED'],
          tenants.map((one) => [one.tenant, safe(one.name), one.created_at]),
        ),
      };
    }),
};
