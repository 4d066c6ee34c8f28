/**
 * Every setting of a server as data: its one name, which is flag, variable and member of the file (`--base-port`, `AUTH_AGENT_BASE_PORT`, `basePort`), how its
 * text is read, and where it goes. Defaults and ranges of server options are in options.ts; here are only those of the process.
 */
import { tenantOptionNames } from '../options.ts';

export type SettingKind = 'text' | 'number' | 'switch' | 'list';
export type Setting = {
  name: string;
  kind: SettingKind;
  about: string;
  /** Never on the command line, where every process of the machine can read it; may be named by a file instead. */
  secret?: true;
  /** Path inside the server's options; settings without one are of the process. */
  option?: string;
};

export const settings: readonly Setting[] = [
  { name: 'issuer', kind: 'text', option: 'issuer', about: 'public https origin of this server; the source of every URL it prints' },
  { name: 'secret', kind: 'text', option: 'secret', secret: true, about: '32 or more random bytes; encrypts private keys at rest' },
  { name: 'databaseUrl', kind: 'text', secret: true, about: 'sqlite:./auth-agent.db or postgres://…' },
  { name: 'host', kind: 'text', about: 'address to listen on (127.0.0.1)' },
  { name: 'port', kind: 'number', about: 'port to listen on (9000)' },
  { name: 'trustedProxies', kind: 'list', about: 'addresses and networks whose X-Forwarded-For is believed' },
  { name: 'drainSeconds', kind: 'number', about: 'how long to answer "not ready" before closing (2)' },
  { name: 'finishSeconds', kind: 'number', about: 'how long running requests may take to finish at the end (10)' },
  { name: 'maxRequests', kind: 'number', about: 'requests that wait for their answer, at most; beyond it 503 (1000)' },
  { name: 'logFormat', kind: 'text', about: 'json or pretty; without it pretty at a terminal, else json' },
  { name: 'logLevel', kind: 'text', about: 'info, warn or error (info)' },
  { name: 'metricsPort', kind: 'number', about: 'port on which Prometheus reads metrics; without it nothing is counted' },
  { name: 'metricsHost', kind: 'text', about: 'address of that port (127.0.0.1)' },
  { name: 'serviceName', kind: 'text', option: 'serviceName', about: 'name on every page (Auth-Agent)' },
  { name: 'contact', kind: 'text', option: 'contact', about: 'whom people may ask; shown on pages' },
  { name: 'accentColor', kind: 'text', option: 'accentColor', about: 'colour of buttons and links, such as 1a73e8; pages make it fit to be read' },
  { name: 'defaultLanguage', kind: 'text', option: 'defaultLanguage', about: 'language of pages for people whose own is not offered (en)' },
  { name: 'pseudoLanguages', kind: 'switch', option: 'pseudoLanguages', about: 'offer en-XA and ar-XB, English made strange, to whoever tests pages' },
  { name: 'smtpUrl', kind: 'text', secret: true, about: 'smtp://user:password@host:587 or smtps://…; without it no mail is sent' },
  { name: 'mailFrom', kind: 'text', about: 'address that mail is sent from: auth@example.com, or Example <auth@example.com>' },
  { name: 'dangerouslyPlainSmtp', kind: 'switch', about: 'send mail even to a server without STARTTLS' },
  { name: 'accessTokenSeconds', kind: 'number', option: 'accessTokenSeconds', about: 'life of access tokens (3600)' },
  { name: 'dormantSeconds', kind: 'number', option: 'dormantSeconds', about: 'access ends when unused for this long (2592000); 0: it does not' },
  { name: 'refreshLifetimeSeconds', kind: 'number', option: 'refreshLifetimeSeconds', about: 'access ends after this long, however busy (7776000)' },
  {
    name: 'refreshGraceSeconds',
    kind: 'number',
    option: 'refreshGraceSeconds',
    about: 'how long the predecessor of a refresh token gets its successor again (30)',
  },
  {
    name: 'activitySeconds',
    kind: 'number',
    option: 'activitySeconds',
    about: 'how long is kept what MCP servers report that agents did (2592000); 0 keeps nothing',
  },
  { name: 'auditSeconds', kind: 'number', option: 'auditSeconds', about: 'how long audit events are kept; 0 keeps them for good (0)' },
  { name: 'refreshTokens', kind: 'text', option: 'refreshTokens', about: 'who gets one: always, or offline_access, only those who ask for it (always)' },
  { name: 'codeSeconds', kind: 'number', option: 'codeSeconds', about: 'life of authorization codes (60)' },
  { name: 'delegationDepth', kind: 'number', option: 'delegationDepth', about: 'how often a token may be handed on to the next MCP server (3)' },
  { name: 'deviceCodeSeconds', kind: 'number', option: 'deviceCodeSeconds', about: 'how long a device may wait for its person (600)' },
  { name: 'requestSeconds', kind: 'number', option: 'requestSeconds', about: 'how long a person may take to sign in and decide (600)' },
  { name: 'pushedRequestSeconds', kind: 'number', option: 'pushedRequestSeconds', about: 'how long a pushed request waits for its browser (60)' },
  { name: 'requirePushedRequests', kind: 'switch', option: 'requirePushedRequests', about: 'refuse authorization requests that were not pushed' },
  { name: 'sessionIdleSeconds', kind: 'number', option: 'sessionIdleSeconds', about: 'browser sessions end when unused for this long (43200)' },
  { name: 'keptSessionIdleSeconds', kind: 'number', option: 'keptSessionIdleSeconds', about: 'the same with "keep me signed in" (1209600)' },
  { name: 'sessionLifetimeSeconds', kind: 'number', option: 'sessionLifetimeSeconds', about: 'browser sessions end after this long (2592000)' },
  {
    name: 'signUp',
    kind: 'text',
    option: 'signIn.signUp',
    about: 'who may make an account (closed): closed, invitation (auth-agent users invite) or open (by mail or upstream)',
  },
  { name: 'password', kind: 'switch', option: 'signIn.password', about: 'sign in with passwords (true); false needs emailCode or an upstream' },
  { name: 'emailCode', kind: 'switch', option: 'signIn.emailCode', about: 'people may sign in with a code sent by mail' },
  { name: 'passwordMinLength', kind: 'number', option: 'signIn.passwordMinLength', about: 'characters that a new password has at least (12)' },
  {
    name: 'reauthenticateGroups',
    kind: 'list',
    option: 'reauthenticate.groups',
    about: 'groups of scopes that need a fresh sign-in, of identity, see, change, delete, admin (delete,admin)',
  },
  { name: 'reauthenticateSeconds', kind: 'number', option: 'reauthenticate.withinSeconds', about: 'how fresh that sign-in must be (300)' },
  { name: 'totp', kind: 'switch', option: 'signIn.totp', about: 'people may set up authenticator apps as a second step (true)' },
  { name: 'passkeys', kind: 'switch', option: 'signIn.passkeys', about: 'sign in with passkeys (true)' },
  { name: 'handOff', kind: 'switch', option: 'handOff', about: 'people may carry a code to an agent on another computer (dangerous)' },
  { name: 'signingAlgorithm', kind: 'text', option: 'signingAlgorithm', about: 'ES256, RS256 or EdDSA (ES256)' },
  { name: 'signingKeySeconds', kind: 'number', option: 'signingKeySeconds', about: 'a signing key is rotated after this long (7776000)' },
  { name: 'dpopNonces', kind: 'switch', option: 'dpopNonces', about: 'DPoP proofs must carry a nonce of this server' },
  { name: 'registration', kind: 'text', option: 'clients.registration', about: 'dynamic registration of clients: open, token, approval or closed (open)' },
  { name: 'registrationsPerHour', kind: 'number', option: 'clients.registrationsPerHour', about: 'registrations of everybody together, an hour (600)' },
  {
    name: 'registrationsPerHourAndAddress',
    kind: 'number',
    option: 'clients.registrationsPerHourAndAddress',
    about: 'registrations from one address, an hour (20)',
  },
  { name: 'unlimitedAddresses', kind: 'list', option: 'clients.unlimitedAddresses', about: 'addresses of hosted connectors without a limit of their own' },
  {
    name: 'limits',
    kind: 'list',
    option: 'limits',
    about: 'rate limits that differ from the defaults: authorize.address=1200/15m, token.client=off (docs/limits.md)',
  },
  { name: 'maxUnconsented', kind: 'number', option: 'clients.maxUnconsented', about: 'registered clients that nobody has allowed yet, at most (10000)' },
  { name: 'clientUnusedSeconds', kind: 'number', option: 'clients.unusedSeconds', about: 'a dynamic client unused for this long is forgotten (2592000)' },
  {
    name: 'clientTombstoneSeconds',
    kind: 'number',
    option: 'clients.tombstoneSeconds',
    about: 'what is left of a forgotten or removed client is kept for this long (31536000)',
  },
  { name: 'clientSecretSeconds', kind: 'number', option: 'clients.secretSeconds', about: 'life of secrets of dynamic clients; 0: no end (0)' },
  {
    name: 'dotlessSchemes',
    kind: 'list',
    option: 'clients.dotlessSchemes',
    about: 'private-use redirect schemes without a dot (cursor,vscode,vscode-insiders,windsurf,zed)',
  },
  { name: 'clientDocuments', kind: 'switch', option: 'clients.documents', about: 'accept clients whose id is the address of their metadata (true)' },
  { name: 'clientDocumentQuery', kind: 'switch', option: 'clients.documentQuery', about: 'accept such addresses with a query, too' },
  { name: 'documentHostsAllow', kind: 'list', option: 'clients.documentHosts.allow', about: 'only these hosts of client metadata' },
  { name: 'documentHostsDeny', kind: 'list', option: 'clients.documentHosts.deny', about: 'never these hosts of client metadata' },
  { name: 'trustedHosts', kind: 'list', option: 'clients.trustedHosts', about: 'hosts whose https redirects need no second consent' },
];

/** Settings that a tenant may have of its own: those whose option it may have (options.ts). */
export const tenantSettings: readonly string[] = settings
  .filter(({ option }) => option !== undefined && tenantOptionNames.includes(option.split('.')[0] ?? ''))
  .map(({ name }) => name);

/** Variables with our prefix that others read: the SDKs, the client commands, and the tests. */
export const foreignVariables =
  /^AUTH_AGENT_(URL|API_KEY|OWNER_TOKEN|SERVER_ID|ENV|CLIENT_(STORE|METADATA_URL|ALLOW_PRIVATE)|CONFIG|PASSWORD_FILE|BACKUP_PASSPHRASE_FILE|TEST_.*)$/;

/** `databaseUrl` → `database-url` */
export const flagOf = (name: string): string => name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
/** `databaseUrl` → `AUTH_AGENT_DATABASE_URL` */
export const variableOf = (name: string): string => `AUTH_AGENT_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`;
