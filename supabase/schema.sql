-- Auth-Agent MCP on Supabase, or on any Postgres that others share. Made from the migrations by `npm run schema:supabase`: do not edit.
--
--   1. Run this file in the SQL editor, once.
--   2. alter role auth_agent password '<a long random one>';
--   3. AUTH_AGENT_DATABASE_URL=postgres://auth_agent.<project>:<password>@<pooler in session mode>:5432/postgres auth-agent start
--
-- Later versions bring the tables up to date with `auth-agent db migrate`; then run the last block of this file again.
-- A backup brings its own tables: run only the first four statements, restore it, then run the last block (DEPLOYMENT.md, "Restore").

create role auth_agent login;
grant auth_agent to current_user;
create schema auth_agent authorization auth_agent;
alter role auth_agent set search_path = auth_agent;

set role auth_agent;
set search_path = auth_agent;

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

create table replayed_ids (
  tenant text not null,
  kind text not null,
  id_hash text not null,
  expires_at bigint not null,
  primary key (tenant, kind, id_hash)
);
create index replayed_ids_expiry on replayed_ids (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0002-replayed-ids', '454d1da971311ef8da68991f6acb536aecbdfea4d8173c13bf5ce355d15aeb8b', 0);

create table pushed_requests (
  tenant text not null,
  reference_hash text not null,
  request text not null,
  created_at bigint not null,
  expires_at bigint not null,
  used_at bigint,
  last_event text,
  primary key (tenant, reference_hash)
);
create index pushed_requests_expiry on pushed_requests (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0003-pushed-requests', '78cc9fcd3ab2296017bb50e5c80a222679acefb03f43f6ceaf2d1765480a2c21', 0);

alter table codes add column dpop_jkt text;
alter table refresh_tokens add column dpop_jkt text;
insert into schema_migrations (name, checksum, applied_at) values ('0004-dpop', '6880d808be956c2416dfd3299e461da6f68d954ed7c1321470d9c769e5c18578', 0);

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

create table device_codes (
  tenant text not null,
  code_hash text not null,
  user_code_hash text not null,
  client_id text not null,
  request text not null,
  address text not null,
  created_at bigint not null,
  expires_at bigint not null,
  interval_seconds integer not null,
  polled_at bigint,
  too_fast integer not null,
  answered_at bigint,
  grant_id text,
  auth_time bigint,
  redeemed_at bigint,
  redemption text,
  last_event text,
  primary key (tenant, code_hash)
);
create unique index device_codes_user_code on device_codes (tenant, user_code_hash);
create index device_codes_expiry on device_codes (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0006-device-codes', 'd6f1fa051452196c34f733358c50ee83dbf494a1e85ed4d36667a6e9a9755581', 0);

alter table clients add column older_secret_hash text;
alter table clients add column older_secret_expires_at bigint;
insert into schema_migrations (name, checksum, applied_at) values ('0007-client-secrets', '4a8ab144dfc9031343cbc90b0a5ec48e3027bb0b49360d579412f583de5b4c5e', 0);

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

alter table refresh_tokens drop column successor;
insert into schema_migrations (name, checksum, applied_at) values ('0009-derived-successors', '280efd5f3e4372650638a79a84062ffe6e2019c26a512a113f19e932d899e3da', 0);

alter table sessions add column amr text;
alter table sessions add column sid text;
alter table codes add column amr text;
alter table codes add column sid text;
alter table refresh_tokens add column amr text;
alter table device_codes add column amr text;
insert into schema_migrations (name, checksum, applied_at) values ('0010-sign-in-facts', 'd19c059e8702823fea812ae46228381bd3fbded29d5d57124a8914522ca86342', 0);

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

create table session_clients (
  tenant text not null,
  sid text not null,
  client_id text not null,
  user_id text not null,
  expires_at bigint not null,
  due_at bigint,
  attempts integer not null,
  primary key (tenant, sid, client_id)
);
create index session_clients_user on session_clients (tenant, user_id, due_at);
create index session_clients_due on session_clients (tenant, due_at) where due_at is not null;
create index session_clients_expiry on session_clients (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0012-session-clients', '848598a9c174a06e8023d76b8d96e5e554b7edc3354435c043dcbcc5c4c53cea', 0);

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

create table one_time_links (
  tenant text not null,
  id text not null,
  purpose text not null,
  token_hash text not null,
  code_hash text,
  browser_hash text,
  user_id text,
  email text,
  email_key text,
  role text,
  tries integer not null,
  created_at bigint not null,
  expires_at bigint not null,
  proven_at bigint,
  used_at bigint,
  last_event text,
  primary key (tenant, id)
);
create unique index one_time_links_token on one_time_links (tenant, token_hash);
create index one_time_links_user on one_time_links (tenant, user_id, purpose) where user_id is not null;
create index one_time_links_email on one_time_links (tenant, email_key, purpose) where email_key is not null;
create index one_time_links_invitations on one_time_links (tenant, created_at) where purpose = 'invitation';
create index one_time_links_expiry on one_time_links (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0014-one-time-links', '1d44c8d27cef2c7ceebc381b543e9051d1b239ebdc379d9a47aec6a144169fcd', 0);

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

create table outbox (
  tenant text not null,
  id text not null,
  kind text not null,
  locale text,
  sealed text not null,
  bundle text,
  created_at bigint not null,
  due_at bigint not null,
  expires_at bigint not null,
  attempts integer not null,
  primary key (tenant, id)
);
create index outbox_due on outbox (tenant, due_at);
create index outbox_bundle on outbox (tenant, bundle) where bundle is not null;
create index outbox_expiry on outbox (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0017-outbox', '4a24c18817da8387a7620883280a747791ae1c8dc90acdc8728002c0333ba952', 0);

alter table users add column language text;
insert into schema_migrations (name, checksum, applied_at) values ('0018-language', 'bb5a283ddd5e41d958a268c10366db3d2fe3b1b835779f75df1a5df756440adf', 0);

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

create table known_devices (
  tenant text not null,
  user_id text not null,
  device_hash text not null,
  expires_at bigint not null,
  primary key (tenant, user_id, device_hash)
);
create index known_devices_expiry on known_devices (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0020-known-devices', 'cc716cdbe753070e116869581a7790442d1e0be76f82e1d8c69220dadec3e590', 0);

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

create index owner_tokens_user on owner_tokens (tenant, user_id);
create index identity_links_user on identity_links (tenant, user_id);
create index issuer_grants_user on issuer_grants (tenant, user_id);
create index holds_user on holds (tenant, user_id) where user_id is not null;
create index users_operators on users (tenant) where role = 'operator';
insert into schema_migrations (name, checksum, applied_at) values ('0023-people-leave', '5f6d1e2cd8bd65acdfcfc2c542cdbf7f46dc89aec1869c4d2a0fc06fecd18558', 0);

alter table audit_events add column seq bigint;
alter table audit_events add column hash text;
alter table audit_events add column private_hash text;
alter table audit_events add column salt text;
create index audit_events_unsealed on audit_events (tenant, at, id) where seq is null;
create unique index audit_events_sealed on audit_events (tenant, seq) where seq is not null;
create table audit_chains (
  tenant text not null,
  seq bigint not null,
  hash text not null,
  mac text not null,
  sealed_at bigint not null,
  anchor_seq bigint not null,
  anchor_hash text not null,
  last_event text,
  primary key (tenant)
);
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit events are append-only' using errcode = 'integrity_constraint_violation';
end
$$;
create function refuse_audit_deletion() returns trigger language plpgsql set search_path from current as $$
begin
  if exists (select 1 from audit_chains where tenant = old.tenant and anchor_seq >= old.seq) then
    return old;
  end if;
  raise exception 'audit events are append-only' using errcode = 'integrity_constraint_violation';
end
$$;
create trigger audit_events_rewritten before update on audit_events for each row when (new.tenant is distinct from old.tenant or new.id is distinct from old.id or new.at is distinct from old.at or new.type is distinct from old.type or new.actor is distinct from old.actor or new.user_id is distinct from old.user_id or new.client_id is distinct from old.client_id or new.server_id is distinct from old.server_id or new.grant_id is distinct from old.grant_id or new.request_id is distinct from old.request_id
  or (new.address is not null and new.address is distinct from old.address) or (new.detail is not null and new.detail is distinct from old.detail) or (old.seq is not null and (new.seq is distinct from old.seq or new.hash is distinct from old.hash or new.private_hash is distinct from old.private_hash or (new.salt is not null and new.salt is distinct from old.salt)))) execute function refuse_audit_change();
create trigger audit_events_deleted before delete on audit_events for each row execute function refuse_audit_deletion();
create trigger audit_events_truncated before truncate on audit_events for each statement execute function refuse_audit_change();
create trigger audit_chains_turned_back before update on audit_chains for each row when (new.seq < old.seq or new.anchor_seq < old.anchor_seq or new.anchor_seq > new.seq) execute function refuse_audit_change();
create trigger audit_chains_deleted before delete or truncate on audit_chains for each statement execute function refuse_audit_change();
insert into schema_migrations (name, checksum, applied_at) values ('0024-audit-chain', '1f14e4f06fa95d47385ea6ca0a1965465268ee3448f03376c6393a5a4c428439', 0);

alter table tenants add column settings text;
alter table tenants add column removed_at bigint;
alter table tenants add column purged_at bigint;
alter table tenants add column last_event text;
create or replace function refuse_audit_deletion() returns trigger language plpgsql set search_path from current as $$
begin
  if exists (select 1 from audit_chains where tenant = old.tenant and anchor_seq >= old.seq) or exists (select 1 from tenants where tenant = old.tenant and removed_at is not null) then
    return old;
  end if;
  raise exception 'audit events are append-only' using errcode = 'integrity_constraint_violation';
end
$$;
create function refuse_chain_deletion() returns trigger language plpgsql set search_path from current as $$
begin
  if exists (select 1 from tenants where tenant = old.tenant and removed_at is not null) then
    return old;
  end if;
  raise exception 'audit events are append-only' using errcode = 'integrity_constraint_violation';
end
$$;
drop trigger audit_chains_deleted on audit_chains;
create trigger audit_chains_deleted before delete on audit_chains for each row execute function refuse_chain_deletion();
create trigger audit_chains_truncated before truncate on audit_chains for each statement execute function refuse_audit_change();
insert into schema_migrations (name, checksum, applied_at) values ('0025-tenants-leave', '6b73fac82f7a16ef5c4770243ac494cc855cfd3072cbf4b04fdacfd8fde23bc4', 0);

alter table grants add column approved_with text;
create unique index grants_approval on grants (tenant, approved_with, resource) where approved_with is not null;
insert into schema_migrations (name, checksum, applied_at) values ('0026-several-resources', '4b40164ed86e87087112cb0379749b4721aecbf9e19367ba60e8ccb97a354576', 0);

create table webhooks (
  tenant text not null,
  id text not null,
  url text not null,
  events text not null,
  secret_sealed text not null,
  private_network integer not null,
  created_at bigint not null,
  failing_since bigint,
  disabled_at bigint,
  last_event text,
  primary key (tenant, id)
);
create table webhook_deliveries (
  tenant text not null,
  webhook_id text not null,
  event_id text not null,
  event_at bigint not null,
  type text not null,
  state text not null,
  attempts integer not null,
  due_at bigint,
  answer text,
  finished_at bigint,
  expires_at bigint not null,
  primary key (tenant, webhook_id, event_id)
);
create index webhook_deliveries_due on webhook_deliveries (tenant, due_at) where due_at is not null;
create index webhook_deliveries_newest on webhook_deliveries (tenant, webhook_id, event_at, event_id);
create index webhook_deliveries_expiry on webhook_deliveries (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0027-webhooks', '949b23e2a05a59cb34b70216261dadeefe8637d7bf0fbed6172758745b64c4aa', 0);

create table access_requests (
  tenant text not null,
  id text not null,
  server_id text not null,
  user_id text not null,
  message text not null,
  created_at bigint not null,
  expires_at bigint not null,
  decided_at bigint,
  decision text,
  last_event text,
  primary key (tenant, id)
);
create unique index access_requests_person on access_requests (tenant, server_id, user_id);
create index access_requests_user on access_requests (tenant, user_id);
create index access_requests_open on access_requests (tenant, created_at) where decision is null;
create index access_requests_expiry on access_requests (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0028-access-requests', '3fa2ec019febc9aa8aa0dfc93b00a90ce6d0ff42f016a429114c7f115b90f1b6', 0);

alter table users add column email_proven_at bigint;
insert into schema_migrations (name, checksum, applied_at) values ('0029-proven-addresses', 'e3b5f50f0cd073ebf06d1ad4792563844ad66c0a97b5d632defe761ce5531902', 0);

alter table webhooks add column older_secret_sealed text;
alter table webhooks add column older_secret_expires_at bigint;
alter table webhooks add column rests_until bigint;
create index webhooks_older_secret on webhooks (older_secret_expires_at) where older_secret_expires_at is not null;
insert into schema_migrations (name, checksum, applied_at) values ('0030-webhook-secrets', '0c29d0a008475d1b13c4cea79bf659e4c6ec79185ba311c49734f9848ffcef74', 0);

drop index webhook_deliveries_due;
create index webhook_deliveries_due on webhook_deliveries (tenant, webhook_id, due_at) where due_at is not null;
insert into schema_migrations (name, checksum, applied_at) values ('0031-webhook-lanes', 'eabbb28a80b1de17aef3c609470419a8e53e0e60e37d406379a0fc6014066960', 0);

alter table sessions add column unproven integer;
update sessions set unproven = 1
  where exists (select 1 from upstream_identities l where l.tenant = sessions.tenant and l.user_id = sessions.user_id);
insert into schema_migrations (name, checksum, applied_at) values ('0032-unproven-sessions', '0a3440a1ef678d37d3618d42481142af5326e7459b8ec32736805620b03370a3', 0);

alter table revoked_tokens add column last_event text;
insert into schema_migrations (name, checksum, applied_at) values ('0033-revocation-marks', '3341112409b112ea923f44f8eb2c1d1e5215ff31c1b5c063c94800841ce89ea0', 0);

create index grants_endless on grants (created_at) where user_id is not null and revoked_at is null and expires_at is null;
insert into schema_migrations (name, checksum, applied_at) values ('0034-endless-grants', 'e605433ffa81ad1a3fd2ab97e20e76d7118a3bc7eba704f1032b509e1706d3da', 0);

alter table server_keys add column warned_at bigint;
create index server_keys_end on server_keys (tenant, expires_at) where revoked_at is null;
insert into schema_migrations (name, checksum, applied_at) values ('0035-warned-keys', 'a4de471489f6b8868cc5e12646617baa65fd7a00713701b2ac67c22de5f780ba', 0);

alter table users add column session_epoch bigint;
insert into schema_migrations (name, checksum, applied_at) values ('0036-session-epochs', 'c3590981e86c128d9781a772dfb2a1536d6a90a03b70cb17ef1c94c446b30a2d', 0);

reset role;
reset search_path;

-- Nobody but the server may look, whatever is exposed one day: row level security without a policy lets only the owner through.

alter table auth_agent.access_requests enable row level security;
alter table auth_agent.activity enable row level security;
alter table auth_agent.assertion_targets enable row level security;
alter table auth_agent.attempts enable row level security;
alter table auth_agent.audit_chains enable row level security;
alter table auth_agent.audit_events enable row level security;
alter table auth_agent.authorization_requests enable row level security;
alter table auth_agent.client_documents enable row level security;
alter table auth_agent.clients enable row level security;
alter table auth_agent.codes enable row level security;
alter table auth_agent.credentials enable row level security;
alter table auth_agent.delegations enable row level security;
alter table auth_agent.device_codes enable row level security;
alter table auth_agent.dismissals enable row level security;
alter table auth_agent.facts enable row level security;
alter table auth_agent.grants enable row level security;
alter table auth_agent.holds enable row level security;
alter table auth_agent.identity_links enable row level security;
alter table auth_agent.issuer_grants enable row level security;
alter table auth_agent.known_devices enable row level security;
alter table auth_agent.limits enable row level security;
alter table auth_agent.one_time_links enable row level security;
alter table auth_agent.outbox enable row level security;
alter table auth_agent.owner_tokens enable row level security;
alter table auth_agent.passkeys enable row level security;
alter table auth_agent.pushed_requests enable row level security;
alter table auth_agent.receipts enable row level security;
alter table auth_agent.recovery_codes enable row level security;
alter table auth_agent.refresh_tokens enable row level security;
alter table auth_agent.registration_tokens enable row level security;
alter table auth_agent.replayed_ids enable row level security;
alter table auth_agent.revoked_tokens enable row level security;
alter table auth_agent.schema_migrations enable row level security;
alter table auth_agent.second_factors enable row level security;
alter table auth_agent.server_keys enable row level security;
alter table auth_agent.server_people enable row level security;
alter table auth_agent.servers enable row level security;
alter table auth_agent.session_clients enable row level security;
alter table auth_agent.sessions enable row level security;
alter table auth_agent.setup_links enable row level security;
alter table auth_agent.signing_keys enable row level security;
alter table auth_agent.tenants enable row level security;
alter table auth_agent.trusted_issuers enable row level security;
alter table auth_agent.upstream_identities enable row level security;
alter table auth_agent.upstream_visits enable row level security;
alter table auth_agent.upstreams enable row level security;
alter table auth_agent.users enable row level security;
alter table auth_agent.webhook_deliveries enable row level security;
alter table auth_agent.webhooks enable row level security;
alter table auth_agent.workloads enable row level security;

do $$
declare
  found record;
begin
  revoke all on schema auth_agent from public;
  for found in select tablename from pg_tables where schemaname = 'auth_agent' loop
    execute format('alter table auth_agent.%I enable row level security', found.tablename);
    execute format('revoke all on auth_agent.%I from public', found.tablename);
  end loop;
  for found in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
    execute format('revoke all on schema auth_agent from %I', found.rolname);
    execute format('revoke all on all tables in schema auth_agent from %I', found.rolname);
  end loop;
end
$$;
