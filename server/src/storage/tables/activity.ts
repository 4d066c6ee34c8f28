/**
 * What agents did: rows that grow while their slot lasts. A note reaches a row only through its grant, which says whose it is.
 */
import { type Driver, part, type Row, type Statement, sql } from '../driver.ts';
import { json, optionalText, present, text, whole } from '../row.ts';
import type { Store } from '../store.ts';
import { type Activity, type ActivityNote, type ActivityOutcome, MAX_ACTIVITY_ROWS } from '../verbs/activity.ts';

const DAY = 86_400;

type NoteRow = Omit<ActivityNote, 'missing'> & { tenant: string; missing: string; most: number; since: number };
const note = sql<NoteRow>`insert into activity (tenant, grant_id, slot, action, outcome, missing, user_id, times, first_at, last_at, expires_at)
  select g.tenant, g.id, cast(${'slot'} as bigint), cast(${'action'} as text), cast(${'outcome'} as text), cast(${'missing'} as text), g.user_id,
    cast(${'times'} as bigint), cast(${'firstAt'} as bigint), cast(${'lastAt'} as bigint), cast(${'expiresAt'} as bigint)
  from grants g where g.tenant = ${'tenant'} and g.id = ${'grantId'} and (select count(*) from (select 1 from activity a where a.tenant = ${'tenant'}
    and a.grant_id = ${'grantId'} and a.slot > ${'since'} limit ${'most'}) as rows_of_day) < ${'most'}
  on conflict (tenant, grant_id, slot, action, outcome, missing) do update set times = activity.times + excluded.times,
    first_at = case when excluded.first_at < activity.first_at then excluded.first_at else activity.first_at end,
    last_at = case when excluded.last_at > activity.last_at then excluded.last_at else activity.last_at end,
    expires_at = case when excluded.expires_at > activity.expires_at then excluded.expires_at else activity.expires_at end`;

type Listing = {
  tenant: string;
  userId: string;
  since: number;
  before: number;
  clientId: string | null;
  resource: string | null;
  outcome: string | null;
  limit: number;
};
const list = sql<Listing>`select a.grant_id as grant_id, a.action as action, a.outcome as outcome, a.missing as missing, a.times as times,
    a.first_at as first_at, a.last_at as last_at, g.client_id as client_id, g.resource as resource, s.name as server_name
  from activity a join grants g on g.tenant = a.tenant and g.id = a.grant_id left join servers s on s.tenant = g.tenant and s.id = g.server_id
  where a.tenant = ${'tenant'} and a.user_id = ${'userId'} and a.last_at >= ${'since'} and a.last_at < ${'before'}
    and (cast(${'clientId'} as text) is null or g.client_id = ${'clientId'}) and (cast(${'resource'} as text) is null or g.resource = ${'resource'})
    and (cast(${'outcome'} as text) is null or a.outcome = ${'outcome'})
  order by a.last_at desc limit ${'limit'}`;

const ofUser = part<'tenant' | 'userId' | 'since'>`from activity a join grants g on g.tenant = a.tenant and g.id = a.grant_id
  where a.tenant = ${'tenant'} and a.user_id = ${'userId'} and a.last_at >= ${'since'}`;
const totals = sql<{ tenant: string; userId: string; since: number }>`select g.client_id as client_id, g.resource as resource,
    cast(sum(a.times) as bigint) as actions, cast(sum(case when a.outcome = 'refused' then a.times else 0 end) as bigint) as refused
  ${ofUser} group by g.client_id, g.resource`;
type Agent = { tenant: string; userId: string; clientId: string; resource: string; since: number };
const refusal = sql<Agent>`select a.action as action, a.missing as missing, a.last_at as last_at
  ${ofUser} and g.client_id = ${'clientId'} and g.resource = ${'resource'} and a.outcome = 'refused' and a.missing <> '[]' order by a.last_at desc limit 1`;

type Verbs = 'recordActivity' | 'listActivity' | 'countActivity' | 'lastRefusal';

export function activityTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  const noteOf = (one: ActivityNote): Statement =>
    note({ ...one, tenant, missing: JSON.stringify(one.missing), most: MAX_ACTIVITY_ROWS, since: one.slot - DAY });
  return {
    async recordActivity(notes) {
      // In one order of rows, so that two nodes do not wait for each other.
      const sorted = notes.toSorted((one, other) => (one.grantId < other.grantId ? -1 : 1));
      await driver.write(sorted.map(noteOf));
    },
    async listActivity({ clientId = null, resource = null, outcome = null, ...question }) {
      return (await driver.read(list({ tenant, clientId, resource, outcome, ...question }))).map(activityOf);
    },
    async countActivity(userId, since) {
      const rows = await driver.read(totals({ tenant, userId, since }));
      return rows.map((row) => ({ clientId: text(row.client_id), resource: text(row.resource), actions: whole(row.actions), refused: whole(row.refused) }));
    },
    async lastRefusal(agent, since) {
      const [row] = await driver.read(refusal({ tenant, ...agent, since }));
      return row && { action: text(row.action), missing: json<string[]>(row.missing), at: whole(row.last_at) };
    },
  };
}

function activityOf(row: Row): Activity {
  return present({
    grantId: text(row.grant_id),
    action: text(row.action),
    outcome: text(row.outcome) as ActivityOutcome, // only recordActivity writes it
    missing: json<string[]>(row.missing),
    times: whole(row.times),
    firstAt: whole(row.first_at),
    lastAt: whole(row.last_at),
    clientId: text(row.client_id),
    resource: text(row.resource),
    serverName: optionalText(row.server_name),
  });
}
