-- Made by `npm run schema:d1`: do not edit.
create index owner_tokens_user on owner_tokens (tenant, user_id);
create index identity_links_user on identity_links (tenant, user_id);
create index issuer_grants_user on issuer_grants (tenant, user_id);
create index holds_user on holds (tenant, user_id) where user_id is not null;
create index users_operators on users (tenant) where role = 'operator';
insert into schema_migrations (name, checksum, applied_at) values ('0023-people-leave', '5f6d1e2cd8bd65acdfcfc2c542cdbf7f46dc89aec1869c4d2a0fc06fecd18558', 0);
