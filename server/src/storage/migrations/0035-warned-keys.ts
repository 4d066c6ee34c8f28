/**
 * When somebody was last warned that an API key ends, and living keys in the order of their end.
 */
export const warnedKeys = `
alter table server_keys add column warned_at bigint;
create index server_keys_end on server_keys (tenant, expires_at) where revoked_at is null;
`;
