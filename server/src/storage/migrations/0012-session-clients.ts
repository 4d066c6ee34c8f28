/**
 * Clients that want to hear when a browser session ends (OIDC Back-Channel Logout). `due_at` is set by whatever ends the session.
 */
export const sessionClients = `
create table session_clients (
  tenant text not null,
  sid text not null,
  client_id text not null,
  user_id text not null,
  expires_at bigint not null,
  due_at bigint,
  attempts integer not null,
  primary key (tenant, sid, client_id)
);
create index session_clients_user on session_clients (tenant, user_id, due_at);
create index session_clients_due on session_clients (tenant, due_at) where due_at is not null;
create index session_clients_expiry on session_clients (expires_at);
`;
