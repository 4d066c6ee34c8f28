/**
 * People who ask for access to a server that is for those on a list: one question for each person and server at a time. After the answer the row says what it was, until
 * the person may ask again.
 */
export const accessRequests = `
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
`;
