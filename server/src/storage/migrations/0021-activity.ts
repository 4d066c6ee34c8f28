/**
 * What agents did, as MCP servers report it: the name of an action, its result and how often, in slots of ten minutes. Never what an action was about.
 */
export const activity = `
create table activity (
  tenant text not null,
  grant_id text not null,
  slot bigint not null,
  action text not null,
  outcome text not null,
  missing text not null,
  user_id text,
  times bigint not null,
  first_at bigint not null,
  last_at bigint not null,
  expires_at bigint not null,
  primary key (tenant, grant_id, slot, action, outcome, missing)
);
create index activity_user on activity (tenant, user_id, last_at);
create index activity_expiry on activity (expires_at);
`;
