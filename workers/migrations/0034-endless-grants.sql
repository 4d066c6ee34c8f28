-- Made by `npm run schema:d1`: do not edit.
create index grants_endless on grants (created_at) where user_id is not null and revoked_at is null and expires_at is null;
insert into schema_migrations (name, checksum, applied_at) values ('0034-endless-grants', 'e605433ffa81ad1a3fd2ab97e20e76d7118a3bc7eba704f1032b509e1706d3da', 0);
