/**
 * Issuers elsewhere at which people sign in, and who their subjects are here. A subject is one person, by the primary key; an upstream that is removed takes its
 * links with it. Not here: who is on the way there (upstream-visits.ts).
 */
import { type Driver, part, type Row, sql } from '../driver.ts';
import { json, optionalText, present, text, whole } from '../row.ts';
import type { Store, Upstream, UpstreamIdentity, UpstreamRecipe } from '../store.ts';
import { eventIf } from './audit-events.ts';
import { insertUserWhere, loginIsFree, type UserRow, userColumns, userOf, userRow } from './users.ts';
import { lockPerson, type WaysRow, waysIn, waysRow } from './ways-in.ts';

type UpstreamRow = {
  tenant: string;
  id: string;
  name: string;
  recipe: string;
  issuer: string;
  clientId: string;
  credentialSealed: string | null;
  scope: string;
  privateNetwork: number;
  createdAt: number;
  mark: string;
};
const columns = part`id, name, recipe, issuer, client_id, credential_sealed, scope, private_network, created_at`;
const add = sql<UpstreamRow>`insert into upstreams (tenant, ${columns}, last_event)
  values (${'tenant'}, ${'id'}, ${'name'}, ${'recipe'}, ${'issuer'}, ${'clientId'}, ${'credentialSealed'}, ${'scope'}, ${'privateNetwork'}, ${'createdAt'},
    ${'mark'}) on conflict do nothing`;
const find = sql<{ tenant: string; id: string }>`select ${columns} from upstreams where tenant = ${'tenant'} and id = ${'id'}`;
const list = sql<{ tenant: string }>`select ${columns} from upstreams where tenant = ${'tenant'} order by created_at, id`;
const changeCredential = sql<{ tenant: string; id: string; credentialSealed: string; mark: string }>`update upstreams
  set credential_sealed = ${'credentialSealed'}, last_event = ${'mark'} where tenant = ${'tenant'} and id = ${'id'}`;

type Removal = { tenant: string; id: string; mark: string };
const markUpstream = sql<Removal>`update upstreams set last_event = ${'mark'} where tenant = ${'tenant'} and id = ${'id'}`;
const removeIdentities = sql<Removal>`delete from upstream_identities where tenant = ${'tenant'} and upstream_id = ${'id'}`;
const remove = sql<Removal>`delete from upstreams where tenant = ${'tenant'} and id = ${'id'} and last_event = ${'mark'}`;
const eventIfUpstream = eventIf('upstreams', 'id');

type IdentityRow = {
  tenant: string;
  issuer: string;
  subject: string;
  upstreamId: string;
  userId: string;
  label: string | null;
  createdAt: number;
  mark: string;
};
const insertIdentity = part<keyof IdentityRow>`insert into upstream_identities (tenant, issuer, subject, upstream_id, user_id, label, created_at, last_event)
  select cast(${'tenant'} as text), cast(${'issuer'} as text), cast(${'subject'} as text), cast(${'upstreamId'} as text), cast(${'userId'} as text),
    cast(${'label'} as text), cast(${'createdAt'} as bigint), cast(${'mark'} as text)
  where exists (select 1 from upstreams where tenant = ${'tenant'} and id = ${'upstreamId'})`;
const link = sql<IdentityRow>`${insertIdentity} and exists (select 1 from users where tenant = ${'tenant'} and id = ${'userId'}) on conflict do nothing`;
// The link comes first: whoever has it makes the person. The other order would leave a person to nobody when two windows come back together.
export const linkAhead = sql<IdentityRow>`${insertIdentity} on conflict do nothing`;
export const ofSubject = part<'tenant' | 'issuer' | 'subject'>`where tenant = ${'tenant'} and issuer = ${'issuer'} and subject = ${'subject'}`;
const addPerson = sql<UserRow & { issuer: string; subject: string }>`${insertUserWhere} ${loginIsFree}
  and exists (select 1 from upstream_identities ${ofSubject} and last_event = ${'mark'}) on conflict do nothing`;
export const dropEmptyLink = sql<IdentityRow>`delete from upstream_identities ${ofSubject} and last_event = ${'mark'}
  and not exists (select 1 from users where tenant = ${'tenant'} and id = ${'userId'})`;
const findUser = sql<{ tenant: string; issuer: string; subject: string }>`select ${userColumns} from upstream_identities i
  join users u on u.tenant = i.tenant and u.id = i.user_id where i.tenant = ${'tenant'} and i.issuer = ${'issuer'} and i.subject = ${'subject'}`;
const listOfUser = sql<{ tenant: string; userId: string }>`select issuer, subject, upstream_id, user_id, label, created_at from upstream_identities
  where tenant = ${'tenant'} and user_id = ${'userId'} order by created_at, issuer, subject`;
type Going = { tenant: string; issuer: string; subject: string; userId: string; mark: string };
const markIdentity = sql<Going & WaysRow>`update upstream_identities set last_event = ${'mark'} ${ofSubject} and user_id = ${'userId'} and ${waysIn} > 1`;
const isLinked = sql<Omit<Going, 'mark'>>`select 1 as found from upstream_identities ${ofSubject} and user_id = ${'userId'}`;
const unlink = sql<Going>`delete from upstream_identities ${ofSubject} and user_id = ${'userId'} and last_event = ${'mark'}`;
const eventIfIdentity = eventIf('upstream_identities', 'subject');

type Verbs =
  | 'addUpstream'
  | 'findUpstream'
  | 'listUpstreams'
  | 'changeUpstreamCredential'
  | 'removeUpstream'
  | 'linkUpstream'
  | 'signUpByUpstream'
  | 'findUpstreamUser'
  | 'listUpstreamIdentities'
  | 'unlinkUpstream';

export function upstreamsTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  return {
    async addUpstream(upstream, event) {
      const [added] = await driver.write([add(upstreamRow(tenant, upstream, event.id)), eventIfUpstream(tenant, upstream.id, event)]);
      return added?.changes === 1 ? 'added' : 'taken';
    },
    async findUpstream(id) {
      const [row] = await driver.read(find({ tenant, id }));
      return row && upstreamOf(row);
    },
    async listUpstreams() {
      return (await driver.read(list({ tenant }))).map(upstreamOf);
    },
    async changeUpstreamCredential(id, credentialSealed, event) {
      const [changed] = await driver.write([changeCredential({ tenant, id, credentialSealed, mark: event.id }), eventIfUpstream(tenant, id, event)]);
      return changed?.changes === 1;
    },
    async removeUpstream(id, event) {
      const going = { tenant, id, mark: event.id };
      const [marked] = await driver.write([markUpstream(going), eventIfUpstream(tenant, id, event), removeIdentities(going), remove(going)]);
      return marked?.changes === 1;
    },
    async linkUpstream(identity, event) {
      const [linked] = await driver.write([link(identityRow(tenant, identity, event.id)), eventIfIdentity(tenant, identity.subject, event)]);
      return linked?.changes === 1 ? 'linked' : 'taken';
    },
    async signUpByUpstream(identity, user, event) {
      const linked = identityRow(tenant, { ...identity, userId: user.id }, event.id);
      const person = { ...userRow(tenant, user, event.id), issuer: identity.issuer, subject: identity.subject };
      const [, made] = await driver.write([linkAhead(linked), addPerson(person), dropEmptyLink(linked), eventIfIdentity(tenant, identity.subject, event)]);
      return made?.changes === 1 ? 'added' : 'taken';
    },
    async findUpstreamUser(issuer, subject) {
      const [row] = await driver.read(findUser({ tenant, issuer, subject }));
      return row && userOf(row);
    },
    async listUpstreamIdentities(userId) {
      return (await driver.read(listOfUser({ tenant, userId }))).map(identityOf);
    },
    async unlinkUpstream({ issuer, subject, userId, ways }, event) {
      const going = { tenant, issuer, subject, userId, mark: event.id };
      const [, marked] = await driver.write([
        lockPerson(going),
        markIdentity({ ...waysRow(tenant, userId, ways), ...going }),
        eventIfIdentity(tenant, subject, event),
        unlink(going),
      ]);
      if (marked?.changes === 1) return 'unlinked';
      return (await driver.read(isLinked(going))).length > 0 ? 'last' : 'gone';
    },
  };
}

function upstreamRow(tenant: string, upstream: Upstream, mark: string): UpstreamRow {
  const { id, name, recipe, issuer, clientId, credentialSealed = null, scope, privateNetwork, createdAt } = upstream;
  return {
    tenant,
    id,
    name,
    recipe,
    issuer,
    clientId,
    credentialSealed,
    scope: JSON.stringify(scope),
    privateNetwork: privateNetwork ? 1 : 0,
    createdAt,
    mark,
  };
}

function upstreamOf(row: Row): Upstream {
  return present({
    id: text(row.id),
    name: text(row.name),
    // Only this file writes the column, and only with a recipe.
    recipe: text(row.recipe) as UpstreamRecipe,
    issuer: text(row.issuer),
    clientId: text(row.client_id),
    credentialSealed: optionalText(row.credential_sealed),
    scope: json<string[]>(row.scope),
    privateNetwork: whole(row.private_network) === 1,
    createdAt: whole(row.created_at),
  });
}

export function identityRow(
  tenant: string,
  { label = null, ...identity }: Omit<UpstreamIdentity, 'label'> & { label?: string | null },
  mark: string,
): IdentityRow {
  return { ...identity, tenant, label, mark };
}

function identityOf(row: Row): UpstreamIdentity {
  return present({
    issuer: text(row.issuer),
    subject: text(row.subject),
    upstreamId: text(row.upstream_id),
    userId: text(row.user_id),
    label: optionalText(row.label),
    createdAt: whole(row.created_at),
  });
}
