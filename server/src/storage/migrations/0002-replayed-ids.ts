/**
 * Ids that may be used once: the `jti` of client assertions, DPoP proofs and assertion grants. Only hashes, until the signed thing would have ended anyway.
 */
export const replayedIds = `
create table replayed_ids (
  tenant text not null,
  kind text not null,
  id_hash text not null,
  expires_at bigint not null,
  primary key (tenant, kind, id_hash)
);
create index replayed_ids_expiry on replayed_ids (expires_at);
`;
