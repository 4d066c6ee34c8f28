-- Made by `npm run schema:d1`: do not edit.
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
