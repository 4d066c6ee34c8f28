/**
 * One-time links and codes: invitations, new passwords, sign-in and sign-up by mail. `tries` counts entered codes; `proven_at` is when the right one came.
 */
export const oneTimeLinks = `
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
`;
