-- Made by `npm run schema:d1`: do not edit.
alter table server_keys add column warned_at bigint;
create index server_keys_end on server_keys (tenant, expires_at) where revoked_at is null;
insert into schema_migrations (name, checksum, applied_at) values ('0035-warned-keys', 'a4de471489f6b8868cc5e12646617baa65fd7a00713701b2ac67c22de5f780ba', 0);
