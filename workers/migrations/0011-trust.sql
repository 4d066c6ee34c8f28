-- Made by `npm run schema:d1`: do not edit.
create table trusted_issuers (
  tenant text not null,
  issuer text not null,
  kind text not null,
  jwks text,
  jwks_uri text,
  provisioning text,
  once integer not null,
  created_at bigint not null,
  last_event text not null,
  primary key (tenant, issuer)
);

create table identity_links (
  tenant text not null,
  issuer text not null,
  subject text not null,
  user_id text not null,
  created_at bigint not null,
  last_event text not null,
  primary key (tenant, issuer, subject)
);
create index identity_links_subject on identity_links (tenant, subject);

create table workloads (
  tenant text not null,
  issuer text not null,
  subject text not null,
  client_id text not null,
  created_at bigint not null,
  last_event text not null,
  primary key (tenant, issuer, subject)
);

create table issuer_grants (
  tenant text not null,
  issuer text not null,
  user_id text not null,
  client_id text not null,
  resource text not null,
  grant_id text not null,
  primary key (tenant, issuer, user_id, client_id, resource)
);

create table assertion_targets (
  tenant text not null,
  client_id text not null,
  audience text not null,
  resource text not null,
  client_id_there text not null,
  scope text not null,
  created_at bigint not null,
  last_event text not null,
  primary key (tenant, client_id, audience, resource)
);
insert into schema_migrations (name, checksum, applied_at) values ('0011-trust', '9aeedecdd4c06c8f0c7332df00f222d4b0f26949d47bef8a012c079bb5099a35', 0);
