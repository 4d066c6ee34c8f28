/**
 * What the settings and the database of this machine say: everything a start would refuse, and what works but is probably not what was meant.
 */
import {
  type AuthServer,
  type Context,
  checkProduction,
  inDays,
  isSpokenInClear,
  keyInUseSeconds,
  refuseBadAddresses,
  refuseDemoDatabase,
  refuseDemoSecrets,
  refuseNoWayIn,
} from 'auth-agent-mcp-server/node';
import type { Call } from '../command.ts';
import { readConfig, withServer } from '../database.ts';
import { type Finding, fail, failed, type Look, ok, warn } from './finding.ts';

/** Looks at the settings, the database under them, its keys, and who can sign in. */
export async function* lookHere(call: Call): Look {
  const config = readConfig(call);
  for (const warning of config.warnings) yield warn(warning);
  try {
    checkProduction(config);
    refuseBadAddresses(config);
    if (await isSpokenInClear(config.databaseUrl))
      yield warn('The connection to Postgres is not encrypted', 'sslmode=verify-full in the database URL; sslmode=disable says that this network is private');
    if (config.issuer.startsWith('https:') && config.trustedProxies.length === 0)
      yield warn('No proxy is trusted: behind one, all callers count as one address', 'AUTH_AGENT_TRUSTED_PROXIES=<address of the proxy>');
    yield* await withServer(call, (context, server) => inDatabase(context, server, config.databaseUrl));
  } catch (error) {
    yield failed(error);
  }
}

async function inDatabase(context: Context, { storage, options }: AuthServer, databaseUrl: string): Promise<Finding[]> {
  const { store, now } = context;
  const refusals = await Promise.allSettled([refuseDemoDatabase(storage, databaseUrl), refuseDemoSecrets(context), refuseNoWayIn(context)]);
  const mail = options.sendMail !== undefined;
  return [
    ok(`${options.driver.name} answers, is up to date and opens with this secret`),
    ...refusals.flatMap((each) => (each.status === 'rejected' ? [failed(each.reason)] : [])),
    signingKey(await store.listSigningKeys(now()), context),
    ...apiKeys(await store.findFirstKeyEnd(now() - keyInUseSeconds), now()),
    (await store.hasOperator()) ? ok('There is an operator') : warn('There is no operator yet', 'auth-agent setup-link'),
    mail
      ? ok('Mail is set up')
      : warn('No mail is sent: links for invitations and new passwords are yours to hand over', 'AUTH_AGENT_SMTP_URL, then auth-agent mail test'),
  ];
}

const daySeconds = 86_400;
/** When its owner is told for the first time. */
const warnedFrom = 30 * daySeconds;

function apiKeys(firstEnd: number | undefined, now: number): Finding[] {
  const left = (firstEnd ?? Number.POSITIVE_INFINITY) - now;
  const fix = 'auth-agent servers list and auth-agent keys list <server_id> say which; DEPLOYMENT.md, "An API key ends"';
  if (left <= 0) return [fail('An API key in use has ended: its MCP server answers 503', { fix })];
  return left > warnedFrom ? [] : [warn(`An API key in use ends in ${days(left)}`, fix)];
}

function signingKey(keys: Awaited<ReturnType<Context['store']['listSigningKeys']>>, { now, options }: Context): Finding {
  const signing = keys.filter(({ algorithm, signsFrom, signsUntil = Number.POSITIVE_INFINITY }) => {
    return algorithm === options.signingAlgorithm && signsFrom <= now() && signsUntil > now();
  });
  const newest = signing.toSorted((one, other) => other.createdAt - one.createdAt)[0];
  if (!newest) return warn('No key signs yet: the first start makes one');
  const overdue = now() - newest.createdAt - options.signingKeySeconds;
  if (overdue > daySeconds)
    return warn(`The signing key should have been replaced ${days(overdue)} ago`, 'Is the server running? auth-agent signing-keys rotate');
  return ok(`A key signs, and the next follows in ${days(-overdue)}`);
}

function days(seconds: number): string {
  const whole = inDays(seconds);
  return whole === 1 ? '1 day' : `${whole} days`;
}
