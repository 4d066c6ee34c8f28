/**
 * Browsers and networks with which people signed in before, by keyed hash.
 */
export const knownDevices = `
create table known_devices (
  tenant text not null,
  user_id text not null,
  device_hash text not null,
  expires_at bigint not null,
  primary key (tenant, user_id, device_hash)
);
create index known_devices_expiry on known_devices (expires_at);
`;
