-- Made by `npm run schema:d1`: do not edit.
alter table webhooks add column older_secret_sealed text;
alter table webhooks add column older_secret_expires_at bigint;
alter table webhooks add column rests_until bigint;
create index webhooks_older_secret on webhooks (older_secret_expires_at) where older_secret_expires_at is not null;
insert into schema_migrations (name, checksum, applied_at) values ('0030-webhook-secrets', '0c29d0a008475d1b13c4cea79bf659e4c6ec79185ba311c49734f9848ffcef74', 0);
