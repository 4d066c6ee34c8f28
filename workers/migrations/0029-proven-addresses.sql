-- Made by `npm run schema:d1`: do not edit.
alter table users add column email_proven_at bigint;
insert into schema_migrations (name, checksum, applied_at) values ('0029-proven-addresses', 'e3b5f50f0cd073ebf06d1ad4792563844ad66c0a97b5d632defe761ce5531902', 0);
