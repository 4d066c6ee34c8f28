-- Made by `npm run schema:d1`: do not edit.
alter table clients add column server_id text;

create table delegations (
  tenant text not null,
  grant_id text not null,
  subject_grant_id text not null,
  user_id text not null,
  created_at bigint not null,
  last_used_at bigint not null,
  expires_at bigint not null,
  last_event text not null,
  primary key (tenant, grant_id, subject_grant_id)
);
create index delegations_user on delegations (tenant, user_id);
create index delegations_expiry on delegations (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0005-delegations', 'cf9fad868c4d75a309f6927a7d104979303918f1a00d494b768b185fc08362ab', 0);
