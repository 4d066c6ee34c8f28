/**
 * Token exchange (RFC 8693): which MCP server a client speaks for, and through which grant another one was used. `expires_at` is the end of the grant that
 * was used, so that a row goes with it.
 */
export const delegations = `
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
`;
