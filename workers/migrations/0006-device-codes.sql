-- Made by `npm run schema:d1`: do not edit.
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
