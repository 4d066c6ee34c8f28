-- Made by `npm run schema:d1`: do not edit.
alter table users add column agents_paused_at bigint;
alter table grants add column paused_at bigint;
alter table grants add column hold_id text;
alter table grants add column removed_scope text;
create index grants_hold on grants (tenant, hold_id) where hold_id is not null;
create table holds (
  tenant text not null,
  id text not null,
  user_id text,
  client_id text,
  resource text,
  created_at bigint not null,
  lifted_at bigint,
  last_event text not null,
  primary key (tenant, id)
);
create index holds_open on holds (tenant) where lifted_at is null;
create table receipts (
  tenant text not null,
  grant_id text not null,
  user_id text not null,
  receipt text not null,
  address text,
  user_agent text,
  primary key (tenant, grant_id)
);
create index receipts_user on receipts (tenant, user_id);
insert into schema_migrations (name, checksum, applied_at) values ('0016-pauses', '752b1052f70e1628af3050e359965bf06839e93a4619cc67cc36102b09999745', 0);
