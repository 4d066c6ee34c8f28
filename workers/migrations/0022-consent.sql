-- Made by `npm run schema:d1`: do not edit.
alter table grants add column once bigint;
alter table servers add column max_duration text;
alter table servers add column people text;
create table server_people (
  tenant text not null,
  server_id text not null,
  user_id text not null,
  added_at bigint not null,
  last_event text,
  primary key (tenant, server_id, user_id)
);
create index clients_manual on clients (tenant, id) where registration = 'manual' and removed_at is null;
create index server_people_user on server_people (tenant, user_id);
insert into schema_migrations (name, checksum, applied_at) values ('0022-consent', '7f807d597e19eb2ef8e6547bae34e0e8e680a24dd8c5c29c887bea3db53d4014', 0);
