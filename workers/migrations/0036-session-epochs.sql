-- Made by `npm run schema:d1`: do not edit.
alter table users add column session_epoch bigint;
insert into schema_migrations (name, checksum, applied_at) values ('0036-session-epochs', 'c3590981e86c128d9781a772dfb2a1536d6a90a03b70cb17ef1c94c446b30a2d', 0);
