-- Made by `npm run schema:d1`: do not edit.
create table second_factors (
  tenant text not null,
  user_id text not null,
  secret_sealed text not null,
  last_step bigint not null,
  created_at bigint not null,
  last_event text not null,
  primary key (tenant, user_id)
);

create table recovery_codes (
  tenant text not null,
  user_id text not null,
  code_hash text not null,
  used_at bigint,
  last_event text not null,
  primary key (tenant, user_id, code_hash)
);
insert into schema_migrations (name, checksum, applied_at) values ('0015-second-factors', 'ab0f43d2cfac13dd41f9cacb41ced473109894bb64081f22ced96d3d2cdaa854', 0);
