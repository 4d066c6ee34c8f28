/**
 * Reads the configuration of a process: flags, then environment, then `auth-agent.config.json` (contracts §4); the first that says something wins. Checks the
 * form of each value. The only place that reads the environment. Not here: what a production start refuses (production.ts), ranges of server options (options.ts).
 */
import type { ServerOptions } from '../options.ts';
import { type Document, readableByOthers, readDocument, readSecret } from './config-file.ts';
import { didYouMean } from './nearest.ts';
import { flagOf, foreignVariables, type Setting, settings, variableOf } from './settings.ts';
import type { SmtpSettings } from './smtp.ts';
import { StartRefused } from './start-refused.ts';
import { type TracingSettings, tracingSettings } from './telemetry/tracing-settings.ts';

export type Config = {
  issuer?: string;
  secret?: string;
  databaseUrl: string;
  host: string;
  port: number;
  trustedProxies: string[];
  drainSeconds: number;
  finishSeconds: number;
  maxRequests: number;
  logFormat?: 'json' | 'pretty';
  logLevel: 'info' | 'warn' | 'error';
  /** The server that takes our mail; absent: none is sent. */
  smtp?: SmtpSettings;
  /** `auth@example.com` or `Example <auth@example.com>`. */
  mailFrom?: string;
  /** Where Prometheus may read; absent: nothing is counted. */
  metrics?: { host: string; port: number };
  /** Where traces go, by the standard variables of OpenTelemetry; absent: nowhere. */
  tracing?: TracingSettings;
  /** What goes to createServer, as far as it was set. */
  server: Partial<ServerOptions>;
  /** Where each set value came from: `--port`, `AUTH_AGENT_PORT`, `auth-agent.config.json`. */
  sources: Record<string, string>;
  /** What was set, for people to see: by setting name, without secrets. */
  shown: Record<string, string>;
  warnings: string[];
};

export type ConfigInput = {
  /** By setting name, as parsed from the command line; `secretFile` and `databaseUrlFile` name files. */
  flags?: Record<string, string | boolean | string[] | undefined>;
  env?: Record<string, string | undefined>;
  /** Path of the configuration file; absent: auth-agent.config.json, if there is one. */
  file?: string;
};

type Given = { value: unknown; source: string };

/** @throws {StartRefused} naming the setting, where it was set, and what it must be. */
export function loadConfig({ flags = {}, env = process.env, file = env.AUTH_AGENT_CONFIG }: ConfigInput = {}): Config {
  const warnings: string[] = [];
  const document = readDocument(file, warnings);
  const sources: Record<string, string> = {};
  const shown: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  for (const setting of settings) {
    const given = fromFlags(setting, flags) ?? fromEnvironment(setting, env, warnings) ?? fromDocument(setting, document, warnings);
    if (!given) continue;
    const value = read(setting, given);
    values[setting.name] = value;
    sources[setting.name] = given.source;
    shown[setting.name] = shownOf(setting, value);
  }
  warnUnknown(env, warnings);
  return { ...processSettings(values, sources), tracing: tracingSettings(env, warnings), server: serverSettings(values), sources, shown, warnings };
}

/** Of a secret address where it leads, without user, password and parameters; of any other secret nothing. */
function shownOf({ name, secret }: Setting, value: unknown): string {
  if (!secret) return Array.isArray(value) ? value.join(', ') : String(value);
  const address = String(value);
  // Two @: a password that was not encoded is read as a part of the host or path.
  if (!name.endsWith('Url') || !URL.canParse(address) || address.split('@').length > 2) return '***';
  const { protocol, host, pathname, username, password, search } = new URL(address);
  const hidden = username || password || search ? ' (the rest is not shown)' : '';
  return `${protocol}${host === '' ? '' : '//'}${host}${pathname}${hidden}`;
}

function fromFlags({ name, secret }: Setting, flags: ConfigInput['flags'] = {}): Given | undefined {
  const inFile = secret ? flags[`${name}File`] : undefined;
  if (typeof inFile === 'string') return { value: readSecret(inFile, `--${flagOf(name)}-file`), source: `--${flagOf(name)}-file` };
  const value = flags[name];
  return value === undefined ? undefined : { value, source: `--${flagOf(name)}` };
}

function fromEnvironment({ name, secret }: Setting, env: Record<string, string | undefined>, warnings: string[]): Given | undefined {
  const variable = variableOf(name);
  const path = secret ? env[`${variable}_FILE`] : undefined;
  if (env[variable]) {
    if (path) warnings.push(`${variable} and ${variable}_FILE are both set; the file is not read`);
    return { value: env[variable], source: variable };
  }
  return path ? { value: readSecret(path, `${variable}_FILE`), source: `${variable}_FILE` } : undefined;
}

function fromDocument({ name, secret }: Setting, { path, members }: Document, warnings: string[]): Given | undefined {
  const inFile = secret ? members[`${name}File`] : undefined;
  if (typeof inFile === 'string') return { value: readSecret(inFile, `${name}File in ${path}`), source: path };
  if (members[name] === undefined) return undefined;
  if (secret && readableByOthers(path)) warnings.push(`${path} holds ${name} and others on this machine may read it: chmod 600 ${path}`);
  return { value: members[name], source: path };
}

/**
 * Options that were set by flags, as a tenant keeps them. `names` are settings; others are not looked at.
 *
 * @throws {StartRefused} for a value of the wrong form.
 */
export function settingsFromFlags(flags: NonNullable<ConfigInput['flags']>, names: readonly string[]): Partial<ServerOptions> {
  const values: Record<string, unknown> = {};
  for (const setting of settings) {
    const given = names.includes(setting.name) ? fromFlags(setting, flags) : undefined;
    if (given) values[setting.name] = read(setting, given);
  }
  return serverSettings(values);
}

/** Gives a value its type. */
function read({ name, kind }: Setting, { value, source }: Given): unknown {
  const text = typeof value === 'string' ? value.trim() : undefined;
  if (kind === 'text' && text) return text;
  if (kind === 'number' && (typeof value === 'number' || (text && /^\d{1,12}$/.test(text)))) return Number(value);
  if (kind === 'switch' && typeof value === 'boolean') return value;
  if (kind === 'switch' && text && /^(true|false|1|0)$/.test(text)) return text === 'true' || text === '1';
  if (kind === 'list' && text !== undefined) return listOf(text);
  if (kind === 'list' && Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.flatMap(listOf);
  const forms = { text: 'a text', number: 'a whole number', switch: 'true or false', list: 'a list, separated by commas' };
  throw new StartRefused(`${name} must be ${forms[kind]}`, { kind: 'usage', why: `It was set by ${source}.`, fix: `Correct or remove it there` });
}

const listOf = (text: string): string[] => text.split(',').flatMap((one) => one.trim() || []);

function processSettings(
  values: Record<string, unknown>,
  sources: Record<string, string>,
): Omit<Config, 'server' | 'sources' | 'shown' | 'tracing' | 'warnings'> {
  const port = (values.port as number | undefined) ?? 9000;
  if (port > 65535) throw outOfRange('port', 'from 0 to 65535', sources);
  const drainSeconds = (values.drainSeconds as number | undefined) ?? 2;
  if (drainSeconds > 300) throw outOfRange('drainSeconds', 'from 0 to 300', sources);
  const finishSeconds = (values.finishSeconds as number | undefined) ?? 10;
  if (finishSeconds > 300) throw outOfRange('finishSeconds', 'from 0 to 300', sources);
  const maxRequests = (values.maxRequests as number | undefined) ?? 1000;
  if (maxRequests < 1 || maxRequests > 100_000) throw outOfRange('maxRequests', 'from 1 to 100000', sources);
  return {
    issuer: values.issuer as string | undefined,
    secret: values.secret as string | undefined,
    databaseUrl: (values.databaseUrl as string | undefined) ?? 'sqlite:./auth-agent.db',
    host: (values.host as string | undefined) ?? '127.0.0.1',
    port,
    trustedProxies: (values.trustedProxies as string[] | undefined) ?? [],
    drainSeconds,
    finishSeconds,
    maxRequests,
    logFormat: oneOf('logFormat', ['json', 'pretty'], values, sources),
    logLevel: oneOf('logLevel', ['info', 'warn', 'error'], values, sources) ?? 'info',
    smtp: smtpSettings(values, sources),
    mailFrom: values.mailFrom as string | undefined,
    metrics: metricsSettings(values, sources),
  };
}

function metricsSettings({ metricsPort: port, metricsHost: host }: Record<string, unknown>, sources: Record<string, string>): Config['metrics'] {
  if (port === undefined) return undefined;
  if ((port as number) > 65535) throw outOfRange('metricsPort', 'from 0 to 65535', sources);
  return { host: (host as string | undefined) ?? '127.0.0.1', port: port as number };
}

function smtpSettings(
  { smtpUrl: url, mailFrom: from, dangerouslyPlainSmtp }: Record<string, unknown>,
  sources: Record<string, string>,
): SmtpSettings | undefined {
  if (url === undefined) return undefined;
  if (from === undefined) {
    throw new StartRefused('mailFrom is missing', {
      kind: 'usage',
      why: `Mail is switched on by ${sources.smtpUrl} and needs an address to be sent from.`,
      fix: 'AUTH_AGENT_MAIL_FROM=auth@example.com',
    });
  }
  return { url: url as string, from: from as string, dangerouslyPlain: dangerouslyPlainSmtp === true };
}

function oneOf<Choice extends string>(name: string, choices: Choice[], values: Record<string, unknown>, sources: Record<string, string>): Choice | undefined {
  const value = values[name] as Choice | undefined;
  if (value === undefined || choices.includes(value)) return value;
  throw outOfRange(name, choices.join(' or '), sources);
}

function outOfRange(name: string, range: string, sources: Record<string, string>): StartRefused {
  return new StartRefused(`${name} must be ${range}`, { kind: 'usage', why: `It was set by ${sources[name]}.`, fix: 'Correct or remove it there' });
}

/** Puts each value at its place among the server's options. */
function serverSettings(values: Record<string, unknown>): Partial<ServerOptions> {
  const options: Record<string, unknown> = {};
  for (const { name, option } of settings) {
    if (option === undefined || values[name] === undefined) continue;
    const path = option.split('.');
    let place = options;
    for (const step of path.slice(0, -1)) {
      place[step] ??= {};
      place = place[step] as Record<string, unknown>;
    }
    place[path.at(-1) ?? option] = values[name];
  }
  return options as Partial<ServerOptions>;
}

function warnUnknown(env: Record<string, string | undefined>, warnings: string[]): void {
  const known = settings.flatMap(({ name, secret }) => (secret ? [variableOf(name), `${variableOf(name)}_FILE`] : [variableOf(name)]));
  for (const name of Object.keys(env).sort())
    if (name.startsWith('AUTH_AGENT_') && !known.includes(name) && !foreignVariables.test(name))
      warnings.push(`${name} is set but not known${didYouMean(name, known)}`);
}
