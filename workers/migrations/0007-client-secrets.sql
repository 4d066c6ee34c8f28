-- Made by `npm run schema:d1`: do not edit.
alter table clients add column older_secret_hash text;
alter table clients add column older_secret_expires_at bigint;
insert into schema_migrations (name, checksum, applied_at) values ('0007-client-secrets', '4a8ab144dfc9031343cbc90b0a5ec48e3027bb0b49360d579412f583de5b4c5e', 0);
