/**
 * What a handler is handed, and nothing else: the options, the store of its tenant, the keys, the clock, the log. One context per tenant lives as long as
 * the server; an exchange lives as long as a request.
 */
import type { InstanceKeys } from './crypto/instance-keys.ts';
import type { SigningKeys } from './crypto/signing-keys.ts';
import type { HttpRequest } from './http-request.ts';
import type { Limits } from './limits/limits.ts';
import type { Outbox } from './mail/outbox.ts';
import type { Options } from './options.ts';
import type { Relay } from './relay.ts';
import type { Route } from './route.ts';
import type { ActivityCounter } from './storage/activity-counter.ts';
import type { Store } from './storage/store.ts';
import type { UseCounter } from './storage/use-counter.ts';
import type { Webhooks } from './webhooks/deliver.ts';

export type Context = {
  readonly options: Options;
  /** The issuer of this tenant, byte for byte what `iss` says. No trailing slash. */
  readonly issuer: string;
  /** Path prefix of this tenant: empty at the root, else `/t/<slug>`. */
  readonly base: string;
  readonly store: Store;
  readonly signing: SigningKeys;
  /** Keys derived from the instance secret: sealing, MACs, form tokens. */
  readonly instance: InstanceKeys;
  /** Who may do how much. */
  readonly limits: Limits;
  /** What people are told by mail. */
  readonly mail: Outbox;
  /** What programs of the operator are told. */
  readonly webhooks: Webhooks;
  /** What clients are told when somebody signs out. */
  readonly logouts: Relay;
  /** Batched last-use times. */
  readonly uses: UseCounter;
  /** What servers report that agents did. */
  readonly activity: ActivityCounter;
  /** Seconds since the epoch. */
  readonly now: () => number;
  readonly log: Log;
  /** The route table as a value, so that metadata can only promise what exists. */
  readonly routes: readonly Route[];
};

/** One request and what its runtime knows about it. */
export type Exchange = {
  readonly request: HttpRequest;
  /** Address of the caller, after configured proxies; never taken from a header otherwise. */
  readonly address: string;
  readonly requestId: string;
  /** Parameters of the path, decoded. */
  readonly params: Record<string, string>;
  /** The path of the route, as it stands in the table; undefined where there is none. */
  route?: string;
  /** What the request turned out to be, told to whoever looks on (see Observer). Names from our own tables, never what a caller wrote. */
  grantType?: string;
  /** `ok`, `active`, `inactive` or the code of an error. */
  outcome?: string;
  decision?: 'allowed' | 'denied' | 'remembered';
};

export type LogFields = Record<string, string | number | boolean | undefined>;
/** JSON lines on stdout in production. Fields never hold tokens, codes, secrets or bodies. */
export type Log = {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  /** `cause` is written with its stack; it must not be made from secrets. */
  error(event: string, fields: LogFields, cause?: unknown): void;
};
