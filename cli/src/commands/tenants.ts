/** `auth-agent tenants …`: issuers below `/t/<slug>`, with people, servers, clients, keys and settings of their own. */
import {
  auditEvent,
  checkTenantSettings,
  flagOf,
  isoDate,
  isSlug,
  over,
  rowsOfEmptyTenants,
  type Storage,
  settings as serverSettings,
  settingsFromFlags,
  type Tenant,
  tenantSettings,
} from 'auth-agent-mcp-server/node';
import { confirm } from '../ask.ts';
import { type Call, type Command, databaseFlags, listFlag, settingFlags, textFlag } from '../command.ts';
import { configOf, next, noTenant, withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';

const flags = databaseFlags.filter(({ name }) => name !== 'tenant');
const ownFlags = settingFlags([...tenantSettings]).filter(({ name }) => name !== 'config');
type Settings = Record<string, unknown>;

export const addTenant: Command = {
  name: 'tenants add',
  about: 'add a tenant with an issuer of its own; settings given here are its own, the others are those of the server',
  usage: '<slug>',
  flags: [...flags, { name: 'name', kind: 'text', value: 'text', about: 'what operators call it (the slug)' }, ...ownFlags],
  examples: ['auth-agent tenants add acme --name "Acme Ltd" --service-name Acme --registration closed'],
  run: (call) =>
    withStore(call, async ({ storage, now }) => {
      const [tenant = ''] = call.args;
      if (!isSlug(tenant)) throw new Failure('usage', 'A slug is 1 to 63 lower-case letters, digits and dashes', { fix: 'auth-agent tenants add acme' });
      const name = nameOf(call) ?? tenant;
      const own = ownSettings(call);
      const event = auditEvent('tenant.added', now, 'cli', { detail: { tenant } });
      const outcome = await storage.addTenant({ tenant, name, createdAt: now, settings: textOf(own) }, event);
      if (outcome === 'taken') throw new Failure('conflict', `The tenant ${tenant} exists`, { fix: 'auth-agent tenants list' });
      if (outcome === 'resting') throw resting(tenant);
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return {
        data: { tenant, name, path: `/t/${tenant}`, settings: own },
        lines: [ok(`Tenant ${tenant} at /t/${tenant}`)],
        notes: [next(`auth-agent setup-link --tenant ${tenant}`)],
      };
    }),
};

export const changeTenant: Command = {
  name: 'tenants set',
  about: 'change the name of a tenant or settings of its own; nodes know within seconds',
  usage: '<slug>',
  flags: [
    ...flags,
    { name: 'name', kind: 'text', value: 'text', about: 'what operators call it' },
    { name: 'unset', kind: 'list', value: 'flag', about: 'back to the setting of the server' },
    ...ownFlags,
  ],
  examples: ['auth-agent tenants set acme --sign-up invitation --contact help@acme.example', 'auth-agent tenants set acme --unset contact'],
  run: (call) =>
    withStore(call, async (opened) => {
      const { storage, now } = opened;
      const found = await findTenant(call, opened);
      const own = without(over(settingsOf(found), ownSettings(call)), listFlag(call, 'unset'));
      const changed = { tenant: found.tenant, name: nameOf(call) ?? found.name, settings: textOf(own) };
      const event = auditEvent('tenant.changed', now, 'cli', { detail: { tenant: found.tenant } });
      if (!(await storage.changeTenant(changed, event))) throw noTenant(found.tenant);
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return { data: { tenant: changed.tenant, name: changed.name, settings: own }, lines: [ok(`Changed ${found.tenant}`)] };
    }),
};

export const listTenants: Command = {
  name: 'tenants list',
  about: 'list tenants and which settings are their own; the root issuer is not among them',
  flags,
  examples: ['auth-agent tenants list --json'],
  run: (call) =>
    withStore(call, async ({ storage }) => {
      const tenants = (await storage.listTenants()).map((row) => ({
        tenant: row.tenant,
        name: row.name,
        created_at: isoDate(row.createdAt),
        settings: settingsOf(row),
      }));
      return {
        data: { tenants },
        lines: table(
          ['TENANT', 'NAME', 'CREATED', 'OWN SETTINGS'],
          tenants.map((one) => [one.tenant, safe(one.name), one.created_at, namesIn(one.settings).join(', ')]),
        ),
      };
    }),
};

export const removeTenant: Command = {
  name: 'tenants rm',
  about: 'remove a tenant; one in which there is anything only with --everything, and then all of it',
  usage: '<slug>',
  flags: [
    ...flags,
    { name: 'everything', kind: 'switch', about: 'also people, servers, clients, access and events' },
    { name: 'yes', kind: 'switch', about: 'do not ask' },
  ],
  examples: ['auth-agent tenants rm acme', 'auth-agent tenants rm acme --yes --everything'],
  run: (call) =>
    withStore(call, async (opened) => {
      const { storage, now } = opened;
      const { tenant } = await findTenant(call, opened);
      const rows = await storage.countRowsOf(tenant);
      const holds = Object.entries(rows).filter(([name]) => !rowsOfEmptyTenants.includes(name));
      if (holds.length > 0 && call.flags.everything !== true) {
        throw new Failure('conflict', `The tenant ${tenant} is not empty`, {
          why: holds.map(([name, count]) => `${name} ${count}`).join(', '),
          fix: `Back it up, then: auth-agent tenants rm ${tenant} --everything`,
        });
      }
      await confirm(call, {
        name: tenant,
        breaks: `Everything of ${tenant} is deleted: its people, servers, clients, keys, access and events. Its tokens fail from now on. It cannot be undone.`,
      });
      if (!(await storage.removeTenant(tenant, auditEvent('tenant.removed', now, 'cli', { detail: { tenant } })))) throw noTenant(tenant);
      while ((await storage.sweep(now, 1000)) > 0);
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return { data: { tenant, rows }, lines: [ok(`Removed ${tenant}`)], notes: ['  Its name is free again a day after this.'] };
    }),
};

async function findTenant(call: Call, { storage }: { storage: Storage }): Promise<Tenant> {
  const [tenant = ''] = call.args;
  const found = await storage.findTenant(tenant);
  if (!found) throw noTenant(tenant);
  return found;
}

function nameOf(call: Call): string | undefined {
  const name = textFlag(call, 'name');
  if (name !== undefined && (name === '' || name.length > 100 || /\p{Cc}/u.test(name)))
    throw new Failure('usage', '--name is 1 to 100 characters of plain text', { fix: addTenant.examples[0] });
  return name;
}

/** The settings given as flags. @throws {Failure} usage, naming what is wrong, before anything is kept that no node could read. */
function ownSettings(call: Call): Settings {
  const own: Settings = settingsFromFlags(call.flags, tenantSettings);
  try {
    checkTenantSettings(own);
  } catch (error) {
    if (error instanceof TypeError) throw new Failure('usage', `A setting cannot be used: ${error.message}`, { fix: `auth-agent ${changeTenant.name} --help` });
    throw error;
  }
  if ((own.signIn as Settings | undefined)?.emailCode === true && configOf(call).smtp === undefined)
    throw new Failure('usage', '--email-code needs mail, and the server has none', { fix: 'Set AUTH_AGENT_SMTP_URL and AUTH_AGENT_MAIL_FROM' });
  return own;
}

const settingsOf = ({ settings }: Tenant): Settings => (settings === undefined ? {} : (JSON.parse(settings) as Settings));
const textOf = (own: Settings): string | undefined => (Object.keys(own).length === 0 ? undefined : JSON.stringify(own));

/** The names of the settings that a tenant has of its own. */
function namesIn(own: Settings): string[] {
  return serverSettings.filter(({ option }) => option !== undefined && at(own, option.split('.')) !== undefined).map(({ name }) => name);
}

function at(own: unknown, [first, ...rest]: string[]): unknown {
  if (first === undefined || typeof own !== 'object' || own === null) return own;
  return at((own as Settings)[first], rest);
}

/** `own` without the settings whose flags are named. @throws {Failure} usage for a name that is none. */
function without(own: Settings, unset: string[]): Settings {
  return unset.reduce((left, flag) => {
    const option = serverSettings.find(({ name }) => flagOf(name) === flag.replace(/^--/, '') && tenantSettings.includes(name))?.option;
    if (option === undefined)
      throw new Failure('usage', `${safe(flag)} is no setting that a tenant may have of its own`, { fix: `auth-agent ${changeTenant.name} --help` });
    return pruned(left, option.split('.'));
  }, own);
}

/** Without the value at the path, and without what is empty then. */
function pruned(own: Settings, [first = '', ...rest]: string[]): Settings {
  const { [first]: value, ...others } = own;
  const inner = rest.length > 0 && typeof value === 'object' && value !== null ? pruned(value as Settings, rest) : {};
  return Object.keys(inner).length === 0 ? others : { ...others, [first]: inner };
}

const resting = (tenant: string): Failure =>
  new Failure('conflict', `A tenant ${tenant} was removed lately`, {
    why: 'Until a day has gone by, tokens of the old one may still be believed somewhere. A server that runs frees the name then.',
    fix: 'Take another name, or wait',
  });
