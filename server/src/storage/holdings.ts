/**
 * What every table holds of a person: which columns are handed out when they ask, which never are, and what becomes of the rows when they leave. One list for both, so
 * that neither forgets a table; a test compares it with the schema, column by column. Not here: the statements (tables/accounts.ts).
 */

/** `deleted` with the account; `settled`: told to clients first, then swept; `anonymous`: kept without address and detail; `refuses`: nobody leaves who has such rows. */
export type Leaving = 'deleted' | 'settled' | 'anonymous' | 'refuses';

export type Holding = {
  /** The column that names the person; `grant_id`: of a grant of theirs. */
  by: 'id' | 'user_id' | 'owner_id' | 'grant_id';
  shown: readonly string[];
  /** Secrets and their hashes, keys of comparison, public keys, marks of ours. */
  withheld: readonly string[];
  leaving: Leaving;
  /** Which rows are handed out first, where there may be too many. */
  first?: 'at desc';
};

export const holdings: Readonly<Record<string, Holding>> = {
  users: {
    by: 'id',
    shown: ['id', 'username', 'email', 'email_proven_at', 'name', 'role', 'language', 'created_at', 'disabled_at', 'agents_paused_at'],
    withheld: ['username_key', 'email_key', 'session_epoch', 'last_event'],
    leaving: 'deleted',
  },
  credentials: { by: 'user_id', shown: ['kind', 'created_at', 'updated_at'], withheld: ['user_id', 'id', 'secret_hash'], leaving: 'deleted' },
  passkeys: {
    by: 'user_id',
    shown: ['id', 'name', 'aaguid', 'transports', 'backup_eligible', 'backed_up', 'created_at', 'last_used_at'],
    withheld: ['user_id', 'credential_id', 'user_handle', 'public_key', 'counter', 'last_event'],
    leaving: 'deleted',
  },
  second_factors: { by: 'user_id', shown: ['created_at'], withheld: ['user_id', 'secret_sealed', 'last_step', 'last_event'], leaving: 'deleted' },
  recovery_codes: { by: 'user_id', shown: ['used_at'], withheld: ['user_id', 'code_hash', 'last_event'], leaving: 'deleted' },
  dismissals: { by: 'user_id', shown: ['offer', 'created_at'], withheld: ['user_id'], leaving: 'deleted' },
  sessions: {
    by: 'user_id',
    shown: ['auth_time', 'created_at', 'seen_at', 'idle_seconds', 'expires_at', 'user_agent', 'address', 'amr', 'unproven'],
    withheld: ['user_id', 'id_hash', 'sid', 'last_event'],
    leaving: 'deleted',
  },
  known_devices: { by: 'user_id', shown: ['expires_at'], withheld: ['user_id', 'device_hash'], leaving: 'deleted' },
  session_clients: { by: 'user_id', shown: ['client_id', 'expires_at'], withheld: ['user_id', 'sid', 'due_at', 'attempts'], leaving: 'settled' },
  one_time_links: {
    by: 'user_id',
    shown: ['purpose', 'email', 'role', 'created_at', 'expires_at', 'used_at'],
    withheld: ['user_id', 'id', 'token_hash', 'code_hash', 'browser_hash', 'email_key', 'tries', 'proven_at', 'last_event'],
    leaving: 'deleted',
  },
  owner_tokens: {
    by: 'user_id',
    shown: ['id', 'name', 'created_at', 'expires_at', 'revoked_at'],
    withheld: ['user_id', 'token_hash', 'last_event'],
    leaving: 'deleted',
  },
  identity_links: { by: 'user_id', shown: ['issuer', 'subject', 'created_at'], withheld: ['user_id', 'last_event'], leaving: 'deleted' },
  upstream_identities: {
    by: 'user_id',
    shown: ['issuer', 'subject', 'upstream_id', 'label', 'created_at'],
    withheld: ['user_id', 'last_event'],
    leaving: 'deleted',
  },
  issuer_grants: { by: 'user_id', shown: ['issuer', 'client_id', 'resource', 'grant_id'], withheld: ['user_id'], leaving: 'deleted' },
  servers: {
    by: 'owner_id',
    shown: [
      'id',
      'resource',
      'server_url',
      'name',
      'description',
      'scopes',
      'default_scopes',
      'logo_url',
      'max_duration',
      'people',
      'created_at',
      'updated_at',
    ],
    withheld: ['owner_id', 'last_event'],
    leaving: 'refuses',
  },
  access_requests: {
    by: 'user_id',
    shown: ['server_id', 'message', 'created_at', 'expires_at', 'decided_at', 'decision'],
    withheld: ['user_id', 'id', 'last_event'],
    leaving: 'deleted',
  },
  server_people: { by: 'user_id', shown: ['server_id', 'added_at'], withheld: ['user_id', 'last_event'], leaving: 'deleted' },
  grants: {
    by: 'user_id',
    shown: [
      'id',
      'client_id',
      'server_id',
      'resource',
      'scope',
      'removed_scope',
      'redirect_uri',
      'receipt',
      'created_at',
      'last_used_at',
      'expires_at',
      'revoked_at',
      'revoked_reason',
      'paused_at',
      'hold_id',
      'once',
      'approved_with',
    ],
    withheld: ['user_id', 'client_digest', 'last_event'],
    leaving: 'deleted',
  },
  receipts: { by: 'user_id', shown: ['grant_id', 'receipt', 'address', 'user_agent'], withheld: ['user_id'], leaving: 'deleted' },
  refresh_tokens: {
    by: 'grant_id',
    shown: ['grant_id', 'client_id', 'generation', 'auth_time', 'amr', 'created_at', 'rotated_at', 'idle_expires_at', 'expires_at', 'revoked_at'],
    withheld: ['family_id', 'current_hash', 'previous_hash', 'dpop_jkt'],
    leaving: 'deleted',
  },
  delegations: {
    by: 'user_id',
    shown: ['grant_id', 'subject_grant_id', 'created_at', 'last_used_at', 'expires_at'],
    withheld: ['user_id', 'last_event'],
    leaving: 'deleted',
  },
  activity: {
    by: 'user_id',
    shown: ['grant_id', 'slot', 'action', 'outcome', 'missing', 'times', 'first_at', 'last_at', 'expires_at'],
    withheld: ['user_id'],
    leaving: 'deleted',
  },
  holds: { by: 'user_id', shown: ['id', 'client_id', 'resource', 'created_at', 'lifted_at'], withheld: ['user_id', 'last_event'], leaving: 'deleted' },
  audit_events: {
    by: 'user_id',
    shown: ['at', 'type', 'actor', 'client_id', 'server_id', 'grant_id', 'address', 'request_id', 'detail'],
    withheld: ['user_id', 'id', 'seq', 'hash', 'private_hash', 'salt'],
    leaving: 'anonymous',
    first: 'at desc',
  },
};

/** Why every other table holds nothing of a person that could be handed out, or that stays when they leave. */
export const holdsNothing: Readonly<Record<string, string>> = {
  tenants: 'the tenants of this server',
  setup_links: 'links for the first operator, who is nobody yet',
  server_keys: 'keys of a server, whose owner they do not name',
  clients: 'programs',
  client_documents: 'programs',
  pushed_requests: 'what a program asks for before anybody is there; gone within half an hour',
  authorization_requests: 'what a program asks for, under a cookie; who answered is in the grant; gone when the request ends',
  registration_tokens: 'programs',
  codes: 'hashes that hang from a grant and are worth nothing without it; gone ten minutes after they end',
  device_codes: 'hashes that hang from a grant and are worth nothing without it; gone ten minutes after they end',
  revoked_tokens: 'ids of tokens, until these would have ended',
  replayed_ids: 'hashes of ids, until these would have ended',
  trusted_issuers: 'issuers',
  upstreams: 'issuers',
  upstream_visits: 'somebody on the way from an issuer, under a cookie and sealed; gone within the hour',
  workloads: 'programs',
  assertion_targets: 'programs',
  signing_keys: 'keys of this server',
  audit_chains: 'where the chain of audit events begins and ends',
  webhooks: 'which programs of the operator are told of events',
  webhook_deliveries: 'which event goes where; what it says is with the event',
  outbox: 'mail that waits, sealed, so that whose it is cannot be asked; gone when sent or out of date',
  attempts: 'keyed hashes of names and addresses that guesses came for; gone within a day',
  limits: 'numbers under addresses and keyed hashes, until the limit is full again',
  schema_migrations: 'the schema',
  facts: 'the database',
};

/** Tables without a tenant, and the list of tenants itself. */
const ofTheDatabase = ['tenants', 'schema_migrations', 'facts'];

/** Every table whose rows belong to a tenant and go with it. */
export const tablesOfTenants: readonly string[] = [...Object.keys(holdings), ...Object.keys(holdsNothing)].filter((table) => !ofTheDatabase.includes(table));

/** What a tenant has by itself, before anybody comes: a tenant with rows in no other table is empty. */
export const rowsOfEmptyTenants: readonly string[] = ['signing_keys', 'audit_events', 'audit_chains', 'setup_links', 'attempts', 'limits'];
