-- Made by `npm run schema:d1`: do not edit.
create table access_requests (
  tenant text not null,
  id text not null,
  server_id text not null,
  user_id text not null,
  message text not null,
  created_at bigint not null,
  expires_at bigint not null,
  decided_at bigint,
  decision text,
  last_event text,
  primary key (tenant, id)
);
create unique index access_requests_person on access_requests (tenant, server_id, user_id);
create index access_requests_user on access_requests (tenant, user_id);
create index access_requests_open on access_requests (tenant, created_at) where decision is null;
create index access_requests_expiry on access_requests (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0028-access-requests', '3fa2ec019febc9aa8aa0dfc93b00a90ce6d0ff42f016a429114c7f115b90f1b6', 0);
