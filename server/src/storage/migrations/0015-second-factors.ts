/**
 * The second step of a sign-in: secrets of authenticator apps, and recovery codes.
 */
export const secondFactors = `
create table second_factors (
  tenant text not null,
  user_id text not null,
  secret_sealed text not null,
  last_step bigint not null,
  created_at bigint not null,
  last_event text not null,
  primary key (tenant, user_id)
);

create table recovery_codes (
  tenant text not null,
  user_id text not null,
  code_hash text not null,
  used_at bigint,
  last_event text not null,
  primary key (tenant, user_id, code_hash)
);
`;
