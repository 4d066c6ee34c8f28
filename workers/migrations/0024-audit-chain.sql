-- Made by `npm run schema:d1`: do not edit.
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
create trigger audit_events_rewritten before update on audit_events when new.tenant is distinct from old.tenant or new.id is distinct from old.id or new.at is distinct from old.at or new.type is distinct from old.type or new.actor is distinct from old.actor or new.user_id is distinct from old.user_id or new.client_id is distinct from old.client_id or new.server_id is distinct from old.server_id or new.grant_id is distinct from old.grant_id or new.request_id is distinct from old.request_id   or (new.address is not null and new.address is distinct from old.address) or (new.detail is not null and new.detail is distinct from old.detail) or (old.seq is not null and (new.seq is distinct from old.seq or new.hash is distinct from old.hash or new.private_hash is distinct from old.private_hash or (new.salt is not null and new.salt is distinct from old.salt))) begin select raise(abort, 'audit events are append-only'); end;
create trigger audit_events_deleted before delete on audit_events when not exists (select 1 from audit_chains where tenant = old.tenant and anchor_seq >= old.seq) begin select raise(abort, 'audit events are append-only'); end;
create trigger audit_chains_turned_back before update on audit_chains when new.seq < old.seq or new.anchor_seq < old.anchor_seq or new.anchor_seq > new.seq begin select raise(abort, 'audit events are append-only'); end;
create trigger audit_chains_deleted before delete on audit_chains when true begin select raise(abort, 'audit events are append-only'); end;
insert into schema_migrations (name, checksum, applied_at) values ('0024-audit-chain', '1f14e4f06fa95d47385ea6ca0a1965465268ee3448f03376c6393a5a4c428439', 0);
