-- Made by `npm run schema:d1`: do not edit.
alter table clients add column management_hash text;
alter table clients add column pending_since bigint;

create table registration_tokens (
  tenant text not null,
  id text not null,
  token_hash text not null,
  name text not null,
  uses_left bigint not null,
  created_at bigint not null,
  expires_at bigint not null,
  revoked_at bigint,
  last_event text not null,
  primary key (tenant, id)
);
create unique index registration_tokens_hash on registration_tokens (tenant, token_hash);
create index registration_tokens_expiry on registration_tokens (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0008-registrations', '85db79590c3e98319bce95b2260cfd3ca9cce159b1112fb391b4c0dcdffa6829', 0);
