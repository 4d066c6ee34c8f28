-- Made by `npm run schema:d1`: do not edit.
create table if not exists schema_migrations (
  name text primary key,
  checksum text not null,
  applied_at bigint not null
);
create table if not exists facts (
  name text primary key,
  value text not null
);
create table tenants (
  tenant text primary key,
  name text not null,
  created_at bigint not null
);

create table users (
  tenant text not null,
  id text not null,
  username text not null,
  username_key text not null,
  email text,
  email_key text,
  name text,
  role text not null,
  created_at bigint not null,
  disabled_at bigint,
  last_event text not null,
  primary key (tenant, id)
);
create unique index users_username on users (tenant, username_key);
create unique index users_email on users (tenant, email_key);

create table credentials (
  tenant text not null,
  user_id text not null,
  kind text not null,
  id text not null,
  secret_hash text not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant, user_id, kind, id)
);

create table sessions (
  tenant text not null,
  id_hash text not null,
  user_id text not null,
  auth_time bigint not null,
  created_at bigint not null,
  seen_at bigint not null,
  idle_seconds bigint not null,
  expires_at bigint not null,
  user_agent text,
  address text,
  last_event text not null,
  primary key (tenant, id_hash)
);
create index sessions_user on sessions (tenant, user_id);
create index sessions_expiry on sessions (expires_at);

create table owner_tokens (
  tenant text not null,
  id text not null,
  token_hash text not null,
  user_id text not null,
  name text not null,
  created_at bigint not null,
  expires_at bigint not null,
  revoked_at bigint,
  last_event text not null,
  primary key (tenant, id)
);
create unique index owner_tokens_hash on owner_tokens (tenant, token_hash);

create table setup_links (
  tenant text not null,
  token_hash text not null,
  created_at bigint not null,
  expires_at bigint not null,
  used_at bigint,
  last_event text,
  primary key (tenant, token_hash)
);

create table servers (
  tenant text not null,
  id text not null,
  owner_id text not null,
  resource text not null,
  server_url text not null,
  name text not null,
  description text,
  scopes text not null,
  default_scopes text,
  logo_url text,
  created_at bigint not null,
  updated_at bigint not null,
  last_event text not null,
  primary key (tenant, id)
);
create unique index servers_resource on servers (tenant, resource);
create index servers_owner on servers (tenant, owner_id, created_at, id);
create index servers_age on servers (tenant, created_at, id);

create table server_keys (
  tenant text not null,
  id text not null,
  server_id text not null,
  name text not null,
  secret_hash text not null,
  created_at bigint not null,
  expires_at bigint not null,
  revoked_at bigint,
  last_used_at bigint,
  last_event text not null,
  primary key (tenant, id)
);
create unique index server_keys_hash on server_keys (tenant, secret_hash);
create index server_keys_server on server_keys (tenant, server_id);

create table clients (
  tenant text not null,
  id text not null,
  registration text not null,
  metadata text not null,
  secret_hash text,
  secret_expires_at bigint,
  default_resource text,
  created_at bigint not null,
  last_used_at bigint not null,
  consented_at bigint,
  disabled_at bigint,
  removed_at bigint,
  last_event text not null,
  primary key (tenant, id)
);
create index clients_use on clients (tenant, last_used_at) where registration = 'dynamic' and removed_at is null;
create index clients_unconsented on clients (tenant) where registration = 'dynamic' and removed_at is null and consented_at is null;
create index clients_removed on clients (tenant, removed_at) where removed_at is not null;

create table client_documents (
  tenant text not null,
  url text not null,
  metadata text not null,
  fetched_at bigint not null,
  fresh_until bigint not null,
  disabled_at bigint,
  primary key (tenant, url)
);
create index client_documents_fresh on client_documents (fresh_until);

create table authorization_requests (
  tenant text not null,
  id_hash text not null,
  browser_hash text not null,
  client_id text not null,
  request text not null,
  created_at bigint not null,
  expires_at bigint not null,
  answered_at bigint,
  answer text,
  last_event text,
  primary key (tenant, id_hash)
);
create index authorization_requests_expiry on authorization_requests (expires_at);

create table grants (
  tenant text not null,
  id text not null,
  user_id text,
  client_id text not null,
  server_id text,
  resource text not null,
  scope text not null,
  redirect_uri text,
  client_digest text,
  receipt text,
  created_at bigint not null,
  last_used_at bigint not null,
  expires_at bigint,
  revoked_at bigint,
  revoked_reason text,
  last_event text not null,
  primary key (tenant, id)
);
create index grants_user on grants (tenant, user_id, client_id);
create index grants_client on grants (tenant, client_id);
create index grants_server on grants (tenant, server_id);
create unique index grants_machine on grants (tenant, client_id, resource) where user_id is null and revoked_at is null;

create table codes (
  tenant text not null,
  code_hash text not null,
  grant_id text not null,
  client_id text not null,
  redirect_uri text not null,
  code_challenge text not null,
  nonce text,
  auth_time bigint not null,
  created_at bigint not null,
  expires_at bigint not null,
  failures integer not null,
  redeemed_at bigint,
  redemption text,
  primary key (tenant, code_hash)
);
create index codes_expiry on codes (expires_at);

create table refresh_tokens (
  tenant text not null,
  family_id text not null,
  grant_id text not null,
  client_id text not null,
  current_hash text not null,
  previous_hash text,
  successor text,
  generation integer not null,
  auth_time bigint,
  created_at bigint not null,
  rotated_at bigint not null,
  idle_expires_at bigint not null,
  expires_at bigint not null,
  revoked_at bigint,
  primary key (tenant, family_id)
);
create index refresh_tokens_grant on refresh_tokens (tenant, grant_id);
create index refresh_tokens_expiry on refresh_tokens (idle_expires_at);

create table revoked_tokens (
  tenant text not null,
  jti text not null,
  expires_at bigint not null,
  primary key (tenant, jti)
);
create index revoked_tokens_expiry on revoked_tokens (expires_at);

create table signing_keys (
  tenant text not null,
  kid text not null,
  algorithm text not null,
  public_jwk text not null,
  private_sealed text not null,
  created_at bigint not null,
  signs_from bigint not null,
  signs_until bigint,
  published_until bigint,
  last_event text not null,
  primary key (tenant, kid)
);
create unique index signing_keys_open on signing_keys (tenant, algorithm) where signs_until is null;

create table attempts (
  tenant text not null,
  bucket text not null,
  failures integer not null,
  blocked_until bigint not null,
  expires_at bigint not null,
  primary key (tenant, bucket)
);
create index attempts_expiry on attempts (expires_at);

create table limits (
  tenant text not null,
  bucket text not null,
  arrival_ms bigint not null,
  expires_at bigint not null,
  primary key (tenant, bucket)
);
create index limits_expiry on limits (expires_at);

create table audit_events (
  tenant text not null,
  id text not null,
  at bigint not null,
  type text not null,
  actor text not null,
  user_id text,
  client_id text,
  server_id text,
  grant_id text,
  address text,
  request_id text,
  detail text,
  primary key (tenant, at, id)
);
create index audit_events_user on audit_events (tenant, user_id, at, id) where user_id is not null;
create index audit_events_grant on audit_events (tenant, grant_id, at, id) where grant_id is not null;
insert into schema_migrations (name, checksum, applied_at) values ('0001-init', '8a4c5d7b7827c1f1a6fb555305c9f58ac28a46c504d74e270e1db6181d997d30', 0);
