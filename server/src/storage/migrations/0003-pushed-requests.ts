/**
 * Requests that clients push before they send the browser (RFC 9126): by the hash of their reference, used up by the answer.
 */
export const pushedRequests = `
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
`;
