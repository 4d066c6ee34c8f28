-- Made by `npm run schema:d1`: do not edit.
alter table sessions add column unproven integer;
update sessions set unproven = 1
  where exists (select 1 from upstream_identities l where l.tenant = sessions.tenant and l.user_id = sessions.user_id);
insert into schema_migrations (name, checksum, applied_at) values ('0032-unproven-sessions', '0a3440a1ef678d37d3618d42481142af5326e7459b8ec32736805620b03370a3', 0);
