/**
 * Audit events become a chain, tenant by tenant, and the database itself refuses to change one. `seq` and `hash` are given when an event is sealed, after its commit; `salt`
 * and `private_hash` let address and detail be forgotten while the chain stays whole. `anchor_*` is the last event that retention deleted. What a trigger looks like is
 * said twice, once for each database.
 */
export const auditChain = `
alter table audit_events add column seq bigint;
alter table audit_events add column hash text;
alter table audit_events add column private_hash text;
alter table audit_events add column salt text;
create index audit_events_unsealed on audit_events (tenant, at, id) where seq is null;
create unique index audit_events_sealed on audit_events (tenant, seq) where seq is not null;
create table audit_chains (
  tenant text not null,
  seq bigint not null,
  hash text not null,
  mac text not null,
  sealed_at bigint not null,
  anchor_seq bigint not null,
  anchor_hash text not null,
  last_event text,
  primary key (tenant)
);
`;

const changed = (...columns: string[]): string => columns.map((column) => `new.${column} is distinct from old.${column}`).join(' or ');
const filled = (...columns: string[]): string => columns.map((column) => `(new.${column} is not null and ${changed(column)})`).join(' or ');

/** An event is sealed once; address, detail and salt may be forgotten; nothing else happens to it. */
const rewritten = `${changed('tenant', 'id', 'at', 'type', 'actor', 'user_id', 'client_id', 'server_id', 'grant_id', 'request_id')}
  or ${filled('address', 'detail')} or (old.seq is not null and (${changed('seq', 'hash', 'private_hash')} or ${filled('salt')}))`;
const turnedBack = 'new.seq < old.seq or new.anchor_seq < old.anchor_seq or new.anchor_seq > new.seq';
const kept = 'select 1 from audit_chains where tenant = old.tenant and anchor_seq >= old.seq';
const refusal = 'audit events are append-only';

// Each trigger of SQLite is one line: D1 takes one statement at a time and finds its end at the end of a line.
const sqliteTrigger = (name: string, event: string, when: string): string =>
  `create trigger ${name} before ${event} when ${when.replaceAll('\n', ' ')} begin select raise(abort, '${refusal}'); end;`;

export const auditChainSqlite = `
${sqliteTrigger('audit_events_rewritten', 'update on audit_events', rewritten)}
${sqliteTrigger('audit_events_deleted', 'delete on audit_events', `not exists (${kept})`)}
${sqliteTrigger('audit_chains_turned_back', 'update on audit_chains', turnedBack)}
${sqliteTrigger('audit_chains_deleted', 'delete on audit_chains', 'true')}
`;

export const auditChainPostgres = `
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception '${refusal}' using errcode = 'integrity_constraint_violation';
end
$$;
create function refuse_audit_deletion() returns trigger language plpgsql set search_path from current as $$
begin
  if exists (${kept}) then
    return old;
  end if;
  raise exception '${refusal}' using errcode = 'integrity_constraint_violation';
end
$$;
create trigger audit_events_rewritten before update on audit_events for each row when (${rewritten}) execute function refuse_audit_change();
create trigger audit_events_deleted before delete on audit_events for each row execute function refuse_audit_deletion();
create trigger audit_events_truncated before truncate on audit_events for each statement execute function refuse_audit_change();
create trigger audit_chains_turned_back before update on audit_chains for each row when (${turnedBack}) execute function refuse_audit_change();
create trigger audit_chains_deleted before delete or truncate on audit_chains for each statement execute function refuse_audit_change();
`;
