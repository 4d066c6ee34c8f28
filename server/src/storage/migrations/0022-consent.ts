/**
 * What a person chose about a grant (`once`: it has no refresh token), and what an owner lays down for a server: the longest duration, and whether only the people in
 * `server_people` may use it.
 */
export const consent = `
alter table grants add column once bigint;
alter table servers add column max_duration text;
alter table servers add column people text;
create table server_people (
  tenant text not null,
  server_id text not null,
  user_id text not null,
  added_at bigint not null,
  last_event text,
  primary key (tenant, server_id, user_id)
);
create index clients_manual on clients (tenant, id) where registration = 'manual' and removed_at is null;
create index server_people_user on server_people (tenant, user_id);
`;
