/**
 * Issuers whose assertions count (RFC 7523), whom their subjects are here, and which machine client a workload acts as. An issuer that is removed is believed
 * nothing any more: its links, workloads and the grants that stand on its word go with it.
 */
import { type Driver, locking, part, type Row, type Statement, sql } from '../driver.ts';
import { optionalJson, optionalText, present, text, whole } from '../row.ts';
import type { Store, TrustedIssuer, Workload } from '../store.ts';
import { eventIf } from './audit-events.ts';
import { insertUserWhere, loginIsFree, type UserRow, userColumns, userOf, userRow } from './users.ts';

type IssuerRow = {
  tenant: string;
  issuer: string;
  kind: string;
  jwks: string | null;
  jwksUri: string | null;
  provisioning: string | null;
  once: number;
  createdAt: number;
  mark: string;
};
const columns = part`issuer, kind, jwks, jwks_uri, provisioning, once, created_at`;
const add = sql<IssuerRow>`insert into trusted_issuers (tenant, ${columns}, last_event)
  values (${'tenant'}, ${'issuer'}, ${'kind'}, ${'jwks'}, ${'jwksUri'}, ${'provisioning'}, ${'once'}, ${'createdAt'}, ${'mark'}) on conflict do nothing`;
const find = sql<{ tenant: string; issuer: string }>`select ${columns} from trusted_issuers where tenant = ${'tenant'} and issuer = ${'issuer'}`;
const list = sql<{ tenant: string }>`select ${columns} from trusted_issuers where tenant = ${'tenant'} order by issuer`;

type Removal = { tenant: string; issuer: string; now: number; mark: string };
const markIssuer = sql<Removal>`update trusted_issuers set last_event = ${'mark'} where tenant = ${'tenant'} and issuer = ${'issuer'}`;
const endGrants = sql<Removal>`update grants set revoked_at = ${'now'}, revoked_reason = 'issuer_removed', last_event = ${'mark'}
  where tenant = ${'tenant'} and revoked_at is null and id in (select grant_id from issuer_grants where tenant = ${'tenant'} and issuer = ${'issuer'})`;
const ofIssuer = part<'tenant' | 'issuer'>`where tenant = ${'tenant'} and issuer = ${'issuer'}`;
const removals = [
  sql<Removal>`delete from issuer_grants ${ofIssuer}`,
  sql<Removal>`delete from identity_links ${ofIssuer}`,
  sql<Removal>`delete from workloads ${ofIssuer}`,
  sql<Removal>`delete from trusted_issuers ${ofIssuer}`,
];
const eventIfIssuer = eventIf('trusted_issuers', 'issuer');

/** Whether an issuer is still believed. */
export const isTrusted = part<'tenant' | 'issuer'>`exists (select 1 from trusted_issuers where tenant = ${'tenant'} and issuer = ${'issuer'})`;

/**
 * Comes first where a grant is made on the word of an issuer: its removal marks its row and ends its grants after that, so of the two in one moment either the grant
 * comes first, and ends, or its issuer is gone.
 */
export function lockIssuer(driver: Driver, place: { tenant: string; issuer: string }): Statement[] {
  return locking(driver, [lock(place)]);
}
const lock = sql<{ tenant: string; issuer: string }>`select 1 as there from trusted_issuers where tenant = ${'tenant'} and issuer = ${'issuer'} for share`;

type LinkRow = { tenant: string; issuer: string; subject: string; userId: string; createdAt: number; mark: string };
const insertLink = part<keyof LinkRow>`insert into identity_links (tenant, issuer, subject, user_id, created_at, last_event)
  select cast(${'tenant'} as text), cast(${'issuer'} as text), cast(${'subject'} as text), cast(${'userId'} as text), cast(${'createdAt'} as bigint),
    cast(${'mark'} as text) where ${isTrusted}`;
const link = sql<LinkRow>`${insertLink} and exists (select 1 from users where tenant = ${'tenant'} and id = ${'userId'}) on conflict do nothing`;
// The link comes first: whoever has it makes the person. The other order would leave a person to nobody when two assertions arrive together.
const linkAhead = sql<LinkRow>`${insertLink} on conflict do nothing`;
const addPerson = sql<UserRow & { issuer: string; subject: string }>`${insertUserWhere} ${loginIsFree} and exists (
    select 1 from identity_links where tenant = ${'tenant'} and issuer = ${'issuer'} and subject = ${'subject'} and last_event = ${'mark'})
  on conflict do nothing`;
const dropEmptyLink = sql<LinkRow>`delete from identity_links ${ofIssuer} and subject = ${'subject'} and last_event = ${'mark'}
  and not exists (select 1 from users where tenant = ${'tenant'} and id = ${'userId'})`;
const findLinked = sql<{ tenant: string; issuer: string; subject: string }>`select ${userColumns} from identity_links i
  join users u on u.tenant = i.tenant and u.id = i.user_id where i.tenant = ${'tenant'} and i.issuer = ${'issuer'} and i.subject = ${'subject'}`;
const listLinks = sql<{ tenant: string; issuer: string }>`select subject, user_id from identity_links ${ofIssuer} order by subject`;
type Going = { tenant: string; issuer: string; subject: string; mark: string };
const markLink = sql<Going>`update identity_links set last_event = ${'mark'} ${ofIssuer} and subject = ${'subject'}`;
const unlink = sql<Going>`delete from identity_links ${ofIssuer} and subject = ${'subject'} and last_event = ${'mark'}`;
const eventIfLink = eventIf('identity_links', 'subject');

type WorkloadRow = { tenant: string; issuer: string; subject: string; clientId: string; createdAt: number; mark: string };
const addWorkload = sql<WorkloadRow>`insert into workloads (tenant, issuer, subject, client_id, created_at, last_event)
  select cast(${'tenant'} as text), cast(${'issuer'} as text), cast(${'subject'} as text), cast(${'clientId'} as text), cast(${'createdAt'} as bigint),
    cast(${'mark'} as text) where ${isTrusted} on conflict do nothing`;
const listWorkloads = sql<{ tenant: string; issuer: string }>`select subject, client_id from workloads ${ofIssuer} order by subject`;
const markWorkload = sql<Going>`update workloads set last_event = ${'mark'} ${ofIssuer} and subject = ${'subject'}`;
const removeWorkload = sql<Going>`delete from workloads ${ofIssuer} and subject = ${'subject'} and last_event = ${'mark'}`;
const eventIfWorkload = eventIf('workloads', 'subject');

type Verbs =
  | 'addIssuer'
  | 'findIssuer'
  | 'listIssuers'
  | 'removeIssuer'
  | 'linkIdentity'
  | 'provisionIdentity'
  | 'findLinkedUser'
  | 'listIdentities'
  | 'unlinkIdentity'
  | 'addWorkload'
  | 'listWorkloads'
  | 'removeWorkload';

export function trustedIssuersTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  return {
    async addIssuer(issuer, event) {
      const [added] = await driver.write([add(issuerRow(tenant, issuer, event.id)), eventIfIssuer(tenant, issuer.issuer, event)]);
      return added?.changes === 1 ? 'added' : 'taken';
    },
    async findIssuer(issuer) {
      const [row] = await driver.read(find({ tenant, issuer }));
      return row && issuerOf(row);
    },
    async listIssuers() {
      return (await driver.read(list({ tenant }))).map(issuerOf);
    },
    async removeIssuer(issuer, event) {
      const removal = { tenant, issuer, now: event.at, mark: event.id };
      const statements = [markIssuer(removal), eventIfIssuer(tenant, issuer, event), endGrants(removal), ...removals.map((remove) => remove(removal))];
      const [marked] = await driver.write(statements);
      return marked?.changes === 1;
    },
    async linkIdentity({ issuer, subject, userId }, event) {
      const [linked] = await driver.write([
        link({ tenant, issuer, subject, userId, createdAt: event.at, mark: event.id }),
        eventIfLink(tenant, subject, event),
      ]);
      return linked?.changes === 1;
    },
    async provisionIdentity({ issuer, subject, user }, event) {
      const person = { ...userRow(tenant, user, event.id), issuer, subject };
      const linked = { tenant, issuer, subject, userId: user.id, createdAt: event.at, mark: event.id };
      const [, made] = await driver.write([linkAhead(linked), addPerson(person), dropEmptyLink(linked), eventIfLink(tenant, subject, event)]);
      return made?.changes === 1;
    },
    async findLinkedUser(issuer, subject) {
      const [row] = await driver.read(findLinked({ tenant, issuer, subject }));
      return row && userOf(row);
    },
    async listIdentities(issuer) {
      return (await driver.read(listLinks({ tenant, issuer }))).map((row) => ({ subject: text(row.subject), userId: text(row.user_id) }));
    },
    async unlinkIdentity(issuer, subject, event) {
      const going = { tenant, issuer, subject, mark: event.id };
      const [marked] = await driver.write([markLink(going), eventIfLink(tenant, subject, event), unlink(going)]);
      return marked?.changes === 1;
    },
    async addWorkload({ issuer, subject, clientId }, event) {
      const row = { tenant, issuer, subject, clientId, createdAt: event.at, mark: event.id };
      const [added] = await driver.write([addWorkload(row), eventIfWorkload(tenant, subject, event)]);
      return added?.changes === 1;
    },
    async listWorkloads(issuer) {
      return (await driver.read(listWorkloads({ tenant, issuer }))).map((row): Workload => ({ subject: text(row.subject), clientId: text(row.client_id) }));
    },
    async removeWorkload(issuer, subject, event) {
      const going = { tenant, issuer, subject, mark: event.id };
      const [marked] = await driver.write([markWorkload(going), eventIfWorkload(tenant, subject, event), removeWorkload(going)]);
      return marked?.changes === 1;
    },
  };
}

function issuerRow(tenant: string, { issuer, kind, jwks, jwksUri, provisioning, once, createdAt }: TrustedIssuer, mark: string): IssuerRow {
  return {
    tenant,
    issuer,
    kind,
    jwks: jwks === undefined ? null : JSON.stringify(jwks),
    jwksUri: jwksUri ?? null,
    provisioning: provisioning ?? null,
    once: once ? 1 : 0,
    createdAt,
    mark,
  };
}

function issuerOf(row: Row): TrustedIssuer {
  return present({
    issuer: text(row.issuer),
    // Only this file writes these columns, and only with these values.
    kind: text(row.kind) as TrustedIssuer['kind'],
    jwks: optionalJson<NonNullable<TrustedIssuer['jwks']>>(row.jwks),
    jwksUri: optionalText(row.jwks_uri),
    provisioning: optionalText(row.provisioning) as TrustedIssuer['provisioning'],
    once: whole(row.once) === 1,
    createdAt: whole(row.created_at),
  });
}
