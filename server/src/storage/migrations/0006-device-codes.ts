/**
 * Devices that wait for their person (RFC 8628). `too_fast` says whether the last poll came before its time; answered without a grant means denied.
 */
export const deviceCodes = `
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
`;
