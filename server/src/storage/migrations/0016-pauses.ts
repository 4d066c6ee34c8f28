/**
 * Stopping agents without ending what people allowed: a person pauses one agent (`paused_at`) or all (`agents_paused_at`), an operator holds those that a hold
 * describes; a member of a hold that is null stands for anybody. `removed_scope` is what a person took back of a grant. Receipts move to a table of their own, with the
 * words that were on the page and where the person sat.
 */
export const pauses = `
alter table users add column agents_paused_at bigint;
alter table grants add column paused_at bigint;
alter table grants add column hold_id text;
alter table grants add column removed_scope text;
create index grants_hold on grants (tenant, hold_id) where hold_id is not null;
create table holds (
  tenant text not null,
  id text not null,
  user_id text,
  client_id text,
  resource text,
  created_at bigint not null,
  lifted_at bigint,
  last_event text not null,
  primary key (tenant, id)
);
create index holds_open on holds (tenant) where lifted_at is null;
create table receipts (
  tenant text not null,
  grant_id text not null,
  user_id text not null,
  receipt text not null,
  address text,
  user_agent text,
  primary key (tenant, grant_id)
);
create index receipts_user on receipts (tenant, user_id);
`;
