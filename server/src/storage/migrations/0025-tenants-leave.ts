/**
 * A tenant has options of its own, can be removed, and leaves its name for a while. With a removed tenant its audit events go, which nothing else may delete:
 * that it was removed is an event of the root tenant. What a trigger looks like is said twice, once for each database.
 */
export const tenantsLeave = `
alter table tenants add column settings text;
alter table tenants add column removed_at bigint;
alter table tenants add column purged_at bigint;
alter table tenants add column last_event text;
`;

const kept = 'select 1 from audit_chains where tenant = old.tenant and anchor_seq >= old.seq';
const removed = 'select 1 from tenants where tenant = old.tenant and removed_at is not null';
const refusal = 'audit events are append-only';

// One line each, for D1.
export const tenantsLeaveSqlite = `
drop trigger audit_events_deleted;
drop trigger audit_chains_deleted;
create trigger audit_events_deleted before delete on audit_events when not exists (${kept}) and not exists (${removed}) begin select raise(abort, '${refusal}'); end;
create trigger audit_chains_deleted before delete on audit_chains when not exists (${removed}) begin select raise(abort, '${refusal}'); end;
`;

export const tenantsLeavePostgres = `
create or replace function refuse_audit_deletion() returns trigger language plpgsql set search_path from current as $$
begin
  if exists (${kept}) or exists (${removed}) then
    return old;
  end if;
  raise exception '${refusal}' using errcode = 'integrity_constraint_violation';
end
$$;
create function refuse_chain_deletion() returns trigger language plpgsql set search_path from current as $$
begin
  if exists (${removed}) then
    return old;
  end if;
  raise exception '${refusal}' using errcode = 'integrity_constraint_violation';
end
$$;
drop trigger audit_chains_deleted on audit_chains;
create trigger audit_chains_deleted before delete on audit_chains for each row execute function refuse_chain_deletion();
create trigger audit_chains_truncated before truncate on audit_chains for each statement execute function refuse_audit_change();
`;
