-- Made by `npm run schema:d1`: do not edit.
create table session_clients (
  tenant text not null,
  sid text not null,
  client_id text not null,
  user_id text not null,
  expires_at bigint not null,
  due_at bigint,
  attempts integer not null,
  primary key (tenant, sid, client_id)
);
create index session_clients_user on session_clients (tenant, user_id, due_at);
create index session_clients_due on session_clients (tenant, due_at) where due_at is not null;
create index session_clients_expiry on session_clients (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0012-session-clients', '848598a9c174a06e8023d76b8d96e5e554b7edc3354435c043dcbcc5c4c53cea', 0);
