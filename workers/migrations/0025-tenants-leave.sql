-- Made by `npm run schema:d1`: do not edit.
alter table tenants add column settings text;
alter table tenants add column removed_at bigint;
alter table tenants add column purged_at bigint;
alter table tenants add column last_event text;
drop trigger audit_events_deleted;
drop trigger audit_chains_deleted;
create trigger audit_events_deleted before delete on audit_events when not exists (select 1 from audit_chains where tenant = old.tenant and anchor_seq >= old.seq) and not exists (select 1 from tenants where tenant = old.tenant and removed_at is not null) begin select raise(abort, 'audit events are append-only'); end;
create trigger audit_chains_deleted before delete on audit_chains when not exists (select 1 from tenants where tenant = old.tenant and removed_at is not null) begin select raise(abort, 'audit events are append-only'); end;
insert into schema_migrations (name, checksum, applied_at) values ('0025-tenants-leave', '6b73fac82f7a16ef5c4770243ac494cc855cfd3072cbf4b04fdacfd8fde23bc4', 0);
