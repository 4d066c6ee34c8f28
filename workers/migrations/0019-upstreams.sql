-- Made by `npm run schema:d1`: do not edit.
create table upstreams (
  tenant text not null,
  id text not null,
  name text not null,
  recipe text not null,
  issuer text not null,
  client_id text not null,
  credential_sealed text,
  scope text not null,
  private_network integer not null,
  created_at bigint not null,
  last_event text not null,
  primary key (tenant, id)
);
create unique index upstreams_issuer on upstreams (tenant, issuer);

create table upstream_identities (
  tenant text not null,
  issuer text not null,
  subject text not null,
  upstream_id text not null,
  user_id text not null,
  label text,
  created_at bigint not null,
  last_event text not null,
  primary key (tenant, issuer, subject)
);
create index upstream_identities_user on upstream_identities (tenant, user_id);
create index upstream_identities_upstream on upstream_identities (tenant, upstream_id);
create index upstream_identities_subject on upstream_identities (tenant, subject);

create table upstream_visits (
  tenant text not null,
  id_hash text not null,
  browser_hash text not null,
  stage text not null,
  upstream_id text not null,
  sealed text not null,
  created_at bigint not null,
  expires_at bigint not null,
  primary key (tenant, id_hash)
);
create index upstream_visits_expires on upstream_visits (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0019-upstreams', 'b6a42d7c4087f9f8085b6d4468ffcaa97c991c3d0f1d8ebb084862c2b12d112a', 0);
