-- Made by `npm run schema:d1`: do not edit.
create table activity (
  tenant text not null,
  grant_id text not null,
  slot bigint not null,
  action text not null,
  outcome text not null,
  missing text not null,
  user_id text,
  times bigint not null,
  first_at bigint not null,
  last_at bigint not null,
  expires_at bigint not null,
  primary key (tenant, grant_id, slot, action, outcome, missing)
);
create index activity_user on activity (tenant, user_id, last_at);
create index activity_expiry on activity (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0021-activity', 'f069f12bcaf97d185e4105b39ea3fe59e7788d5d727ac0ee8d479f15424ae3e1', 0);
