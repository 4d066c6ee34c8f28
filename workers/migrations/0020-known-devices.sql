-- Made by `npm run schema:d1`: do not edit.
create table known_devices (
  tenant text not null,
  user_id text not null,
  device_hash text not null,
  expires_at bigint not null,
  primary key (tenant, user_id, device_hash)
);
create index known_devices_expiry on known_devices (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0020-known-devices', 'cc716cdbe753070e116869581a7790442d1e0be76f82e1d8c69220dadec3e590', 0);
