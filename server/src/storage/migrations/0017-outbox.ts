/**
 * Mail that waits to be sent. `sealed` holds recipient and values; `bundle` is a keyed hash of what is sent as one.
 */
export const outbox = `
create table outbox (
  tenant text not null,
  id text not null,
  kind text not null,
  locale text,
  sealed text not null,
  bundle text,
  created_at bigint not null,
  due_at bigint not null,
  expires_at bigint not null,
  attempts integer not null,
  primary key (tenant, id)
);
create index outbox_due on outbox (tenant, due_at);
create index outbox_bundle on outbox (tenant, bundle) where bundle is not null;
create index outbox_expiry on outbox (expires_at);
`;
