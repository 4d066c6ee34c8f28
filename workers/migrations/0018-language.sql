-- Made by `npm run schema:d1`: do not edit.
alter table users add column language text;
insert into schema_migrations (name, checksum, applied_at) values ('0018-language', 'bb5a283ddd5e41d958a268c10366db3d2fe3b1b835779f75df1a5df756440adf', 0);
