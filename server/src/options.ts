/**
 * Every option, its default and its check. Options are validated and frozen when the server is made: what could be known at start is never discovered on
 * the first request. The environment is read in runtimes/, not here.
 */

import * as z from 'zod';
import type { Log } from './context.ts';
import type { HttpRequest } from './http-request.ts';
import { offeredLanguages } from './languages.ts';
import { type LimitChanges, readLimitChanges } from './limits/policies.ts';
import type { Observer } from './route.ts';
import { minPasswordLength } from './rules/passwords/problem.ts';
import type { Driver } from './storage/driver.ts';

/** Fetches one client metadata document or key set. Rejects on anything but a 200 within the limits; clients/fetch-failure.ts says how it may fail, clients/judge-document.ts what is made of the answer. */
export type DocumentFetcher = (url: string, limits?: { maxBytes?: number }) => Promise<{ status: number; headers: Record<string, string>; body: Uint8Array }>;

/** Posts a form to a stranger's address, under the guard of {@link DocumentFetcher}. Resolves to the status, rejects when there was no answer. */
export type FormPoster = (url: string, form: string) => Promise<{ status: number }>;

/** A mail, ready to send: one recipient, no line breaks outside the two parts. */
export type OutgoingMail = {
  to: string;
  /** Whose mail it is, beside the address it is sent from. */
  senderName: string;
  subject: string;
  text: string;
  html: string;
  /** The same at every attempt, with its angle brackets (RFC 5322 §3.6.4). */
  messageId: string;
};

/** Hands a mail over to whoever delivers it. `refused`: this recipient will never get it. Rejects with {@link MailNotSent} when it may work later. */
export type MailSender = {
  (mail: OutgoingMail): Promise<'sent' | 'refused'>;
  /** Ends what connections are kept for the next mail. */
  close?(): void;
};
/**
 * Speaks to an upstream or a webhook that an operator listed, under the guard of {@link DocumentFetcher} but for any method and status. `privateNetwork`: it may have an address
 * that is not public. Rejects when there was no whole answer.
 */
export type UpstreamFetch = (
  url: string,
  request: { method: string; headers: Record<string, string>; body?: string; privateNetwork: boolean },
) => Promise<Response>;

const seconds = (from: number, to: number) => z.number().int().min(from).max(to);

const issuerRule = z.string().superRefine((value, issue) => {
  const problem = issuerProblem(value);
  if (problem) issue.addIssue({ code: 'custom', message: problem });
});

const limitChangesRule = z.array(z.string()).superRefine((entries, issue) => {
  try {
    readLimitChanges(entries);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    issue.addIssue({ code: 'custom', message: error.message });
  }
});

const isFunction = (value: unknown): boolean => typeof value === 'function';

const schema = z.strictObject({
  issuer: issuerRule,
  /** 32 or more random bytes, as text or bytes. Encrypts private keys at rest and derives every MAC. Losing it means new signing keys and new refresh tokens. */
  secret: z
    .union([z.string(), z.instanceof(Uint8Array)])
    .refine((value) => (typeof value === 'string' ? new TextEncoder().encode(value) : value).length >= 32, 'must be 32 or more random bytes'),
  serviceName: z.string().min(1).max(60).default('Auth-Agent'),
  contact: z.string().max(200).optional(),
  /** Colour of buttons and links, six hexadecimal digits. Pages darken or lighten it until it can be read. */
  accentColor: z
    .string()
    .regex(/^#?[0-9a-fA-F]{6}$/, 'must be six hexadecimal digits, such as 1a73e8')
    .optional(),
  /** The language of pages for people whose own is not offered. */
  defaultLanguage: z.enum(offeredLanguages.map(({ tag }) => tag)).default('en'),
  /** Offers `en-XA` and `ar-XB`, English made strange: for tests and development. */
  pseudoLanguages: z.boolean().default(false),
  accessTokenSeconds: seconds(60, 3600).default(3600),
  /** Access that nobody used for this long ends, and its person is told; 0: disuse ends nothing. */
  dormantSeconds: z
    .number()
    .int()
    .refine((value) => value === 0 || (value >= 3600 && value <= 400 * 86400), 'must be 0, or from 3600 to 34560000')
    .default(30 * 86400),
  /** A refresh family ends after this long, however busy. */
  refreshLifetimeSeconds: seconds(3600, 400 * 86400).default(90 * 86400),
  /** The immediate predecessor of a refresh token gets the same successor again within this time (decision 8). */
  refreshGraceSeconds: seconds(0, 60).default(30),
  /** How often a token may be handed on to the next MCP server (RFC 8693). */
  delegationDepth: z.number().int().min(1).max(5).default(3),
  codeSeconds: seconds(10, 600).default(60),
  /** How long a device may wait for its person (DEV-03). */
  deviceCodeSeconds: seconds(60, 600).default(600),
  /** How long a person may take to sign in and decide (LOG-03). */
  requestSeconds: seconds(60, 600).default(600),
  /** How long a pushed request may wait for its browser (RFC 9126 §2.2). */
  pushedRequestSeconds: seconds(5, 600).default(60),
  /** Refuse every request that was not pushed. Few MCP clients can push: `require_pushed_authorization_requests` of a client is for those that do. */
  requirePushedRequests: z.boolean().default(false),
  sessionIdleSeconds: seconds(300, 30 * 86400).default(12 * 3600),
  /** "Keep me signed in on this device". */
  keptSessionIdleSeconds: seconds(300, 90 * 86400).default(14 * 86400),
  sessionLifetimeSeconds: seconds(3600, 90 * 86400).default(30 * 86400),
  signingAlgorithm: z.enum(['ES256', 'RS256', 'EdDSA']).default('ES256'),
  /** A key signs this long before its successor takes over. */
  signingKeySeconds: seconds(86400, 400 * 86400).default(90 * 86400),
  clients: z
    .strictObject({
      /** Dynamic registration (RFC 7591): `open` to anybody within limits, with a `token` only, usable after `approval` by an operator, or `closed`. */
      registration: z.enum(['open', 'token', 'approval', 'closed']).default('open'),
      registrationsPerHour: z.number().int().min(1).default(600),
      registrationsPerHourAndAddress: z.number().int().min(1).default(20),
      /** Hosted connectors share few addresses: those listed are not limited by address, only globally. */
      unlimitedAddresses: z.array(z.string()).default([]),
      maxUnconsented: z.number().int().min(1).default(10_000),
      /** A dynamic client unused for this long becomes a tombstone. */
      unusedSeconds: seconds(86400, 400 * 86400).default(30 * 86400),
      tombstoneSeconds: seconds(86400, 1000 * 86400).default(365 * 86400),
      secretSeconds: z.number().int().min(0).default(0),
      /** Private-use URI schemes without a dot that may be redirect URIs (D10). Empty for strict mode. */
      dotlessSchemes: z.array(z.string().regex(/^[a-z][a-z0-9+-]*$/)).default(['cursor', 'vscode', 'vscode-insiders', 'windsurf', 'zed']),
      /** Hosts of metadata documents: when `allow` is given only those, never those in `deny`. */
      documentHosts: z.strictObject({ allow: z.array(z.string()).optional(), deny: z.array(z.string()).default([]) }).prefault({}),
      documents: z.boolean().default(true),
      documentQuery: z.boolean().default(false),
      /** Hosts whose https redirects may be remembered without asking again (D13). */
      trustedHosts: z.array(z.string()).default([]),
    })
    .prefault({}),
  /** Rate limits that differ from the table in limits/policies.ts: `authorize.address=1200/15m`, `token.client=off`. */
  limits: limitChangesRule.default([]),
  /** The ways to sign in. */
  signIn: z
    .strictObject({
      /** Passwords are a way in. Off: none is asked for, chosen or reset, and those that people have open nothing. Needs codes by mail or upstreams, for the first time of each person. */
      password: z.boolean().default(true),
      /** Characters that a new password has at least. */
      passwordMinLength: z.number().int().min(8).max(64).default(minPasswordLength),
      /** Who may make themselves an account: nobody, those whom an operator sent a link, or anybody. */
      signUp: z.enum(['closed', 'invitation', 'open']).default('closed'),
      /** Passkeys (WebAuthn). They belong to the host of the issuer: under another host nobody can sign in with one. */
      passkeys: z.boolean().default(true),
      /** A second step with an authenticator app, for who sets one up. Off: nobody new can; those who have are asked all the same. */
      totp: z.boolean().default(true),
      /** Codes sent by mail are a way in. */
      emailCode: z.boolean().default(false),
    })
    .prefault({}),
  /** Who decides about scopes of these groups must have signed in this lately; so must whoever changes how they sign in, at whatever groups. */
  reauthenticate: z
    .strictObject({
      groups: z.array(z.enum(['identity', 'see', 'change', 'delete', 'admin'])).default(['delete', 'admin']),
      withinSeconds: seconds(60, 86400).default(300),
    })
    .prefault({}),
  /** How long is kept what MCP servers report that agents did. 0 keeps nothing. */
  activitySeconds: seconds(0, 400 * 86400).default(30 * 86400),
  /** How long audit events are kept; 0 keeps them for good. What is deleted leaves its hash as the beginning of the chain. */
  auditSeconds: seconds(0, 4000 * 86400)
    .refine((value) => value === 0 || value >= 30 * 86400, 'must be 0 or at least 2592000 (30 days)')
    .default(0),
  refreshTokens: z.enum(['always', 'offline_access']).default('always'),
  /** People whose agent runs on another computer may carry the code there by hand, after they have signed in again. Dangerous: whoever is sent the code can use it. */
  handOff: z.boolean().default(false),
  /** Proofs of possession must carry a nonce of this server (RFC 9449 §8): none can be made ahead of time, and clients need one more request now and then. */
  dpopNonces: z.boolean().default(false),
  /** Shown on every page, e.g. while in development mode. */
  notice: z.custom<(request: HttpRequest) => { title: string; text: string } | undefined>(isFunction, 'must be a function').optional(),
  /** Shown on the sign-in page under the form. */
  signInHint: z.string().optional(),
  fetchDocument: z.custom<DocumentFetcher>(isFunction, 'must be a function').optional(),
  /** Tells clients that a person has signed out (OIDC Back-Channel Logout); without it none is told, and the metadata does not say so. */
  postForm: z.custom<FormPoster>(isFunction, 'must be a function').optional(),
  /** Sends mail; without it `context.mail.on` is false, and what needs mail is off. */
  sendMail: z.custom<MailSender>(isFunction, 'must be a function').optional(),
  /** Lets people sign in at the issuers that an operator listed, and delivers webhooks; without it nobody can, no page offers it, and none is delivered. */
  fetchUpstream: z.custom<UpstreamFetch>(isFunction, 'must be a function').optional(),
  /** Looks on while requests are answered: metrics, traces. Without it nothing is measured and it costs nothing. */
  observe: z.custom<Observer>(isFunction, 'must be a function').optional(),
  /** Is handed work that goes on after an answer, for runtimes that would end it with the answer. Never rejects. */
  waitUntil: z.custom<(work: Promise<unknown>) => void>(isFunction, 'must be a function').optional(),
  driver: z.custom<Driver>(
    (value) => typeof value === 'object' && value !== null && 'read' in value,
    'must be a storage driver, such as openDatabase() of auth-agent-mcp-server/node resolves to',
  ),
  /** The clock, in seconds. Tests pass their own. */
  now: z.custom<() => number>(isFunction, 'must be a function').default(() => () => Math.floor(Date.now() / 1000)),
  log: z.custom<Log>((value) => typeof value === 'object' && value !== null, 'must be a log, such as nodeLog() of auth-agent-mcp-server/node'),
});

export type ServerOptions = z.input<typeof schema>;
export type Options = Readonly<z.output<typeof schema>>;

/**
 * Checks and freezes the options of a server.
 *
 * @throws {TypeError} naming each option and the rule it breaks.
 */
export function checkOptions(options: ServerOptions): Options {
  const result = schema.safeParse(options);
  if (!result.success) throw optionsProblem(result.error.issues);
  const { signIn, sendMail, fetchUpstream } = result.data;
  if (signIn.emailCode && !sendMail) throw new TypeError('"signIn.emailCode" needs mail: set smtpUrl and mailFrom');
  // A passkey is added by somebody who is signed in: it can never be anybody's first way in.
  if (!signIn.password && !signIn.emailCode && !fetchUpstream) throw new TypeError('"signIn.password" can be false only with "signIn.emailCode" or upstreams');
  return Object.freeze(result.data);
}

/** What is different from the table of limits. Registrations have options of their own, older than the table; what `limits` says of them wins. */
export function limitChangesOf({ clients, limits }: Options): LimitChanges {
  const { registrationsPerHour, registrationsPerHourAndAddress } = clients;
  return {
    register: { limit: registrationsPerHour, periodSeconds: 3600 },
    'register.address': { limit: registrationsPerHourAndAddress, periodSeconds: 3600 },
    ...readLimitChanges(limits),
  };
}

const optionsProblem = (issues: readonly { path: PropertyKey[]; message: string }[]): TypeError =>
  new TypeError(issues.map((issue) => `"${issue.path.join('.') || 'options'}" ${issue.message}`).join('; '));

/** Options that a tenant may have of its own. The rest belongs to the process or to all tenants together. */
const ofTenant = schema.pick({
  serviceName: true,
  contact: true,
  accentColor: true,
  defaultLanguage: true,
  accessTokenSeconds: true,
  dormantSeconds: true,
  refreshLifetimeSeconds: true,
  codeSeconds: true,
  deviceCodeSeconds: true,
  requestSeconds: true,
  requirePushedRequests: true,
  delegationDepth: true,
  sessionIdleSeconds: true,
  keptSessionIdleSeconds: true,
  sessionLifetimeSeconds: true,
  clients: true,
  limits: true,
  signIn: true,
  reauthenticate: true,
  refreshTokens: true,
  activitySeconds: true,
});

/** The names of those options, the first step of each path. */
export const tenantOptionNames: readonly string[] = Object.keys(ofTenant.shape);

type Plain = { readonly [name: string]: unknown };
const isPlain = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Checks what a tenant wants of its own. @throws {TypeError} naming each option that is wrong, or that a tenant cannot have. */
export function checkTenantSettings(settings: unknown): void {
  const result = ofTenant.safeParse(settings);
  if (!result.success) throw optionsProblem(result.error.issues);
}

/** The options of a tenant: those of the server, but for its own. @throws {TypeError} */
export function tenantOptions(options: Options, settings: string | undefined): Options {
  if (settings === undefined) return options;
  const own: unknown = JSON.parse(settings);
  checkTenantSettings(own);
  return checkOptions(over(options, own as Plain) as ServerOptions);
}

/** `changes` over `given`, member by member; a list is replaced whole. */
export function over(given: Plain, changes: Plain): Plain {
  const changed = Object.entries(changes).map(([name, value]) => [name, isPlain(value) && isPlain(given[name]) ? over(given[name], value) : value] as const);
  return { ...given, ...Object.fromEntries(changed) };
}

/** RFC 8414 §2 with our canonical form: https (http only on loopback), no query, fragment, userinfo or trailing slash. Returns the problem. */
export function issuerProblem(value: string): string | undefined {
  if (!URL.canParse(value)) return 'must be an absolute URL';
  const url = new URL(value);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackHost(url.hostname))) return 'must be https (http is for loopback only)';
  if (url.username || url.password) return 'must not contain userinfo';
  if (value.includes('?') || value.includes('#')) return 'must not have a query or fragment';
  if (value.endsWith('/')) return 'must not end with a slash';
  if (url.pathname !== '/') return 'must be an origin; tenants get paths below it';
  if (url.origin !== value) return `must be written in canonical form: ${url.origin}`;
  return undefined;
}

export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
}
