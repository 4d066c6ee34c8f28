-- Made by `npm run schema:d1`: do not edit.
create table passkeys (
  tenant text not null,
  id text not null,
  user_id text not null,
  credential_id text not null,
  user_handle text not null,
  public_key text not null,
  counter bigint not null,
  transports text not null,
  aaguid text not null,
  name text,
  backup_eligible integer not null,
  backed_up integer not null,
  created_at bigint not null,
  last_used_at bigint,
  last_event text not null,
  primary key (tenant, id)
);
create unique index passkeys_credential on passkeys (tenant, credential_id);
create index passkeys_user on passkeys (tenant, user_id);

create table dismissals (
  tenant text not null,
  user_id text not null,
  offer text not null,
  created_at bigint not null,
  primary key (tenant, user_id, offer)
);
insert into schema_migrations (name, checksum, applied_at) values ('0013-passkeys', 'fc70a8e5b85836810e6a5b805ac5acf554c1c6fbcc7146f36da0493ce4364e85', 0);
