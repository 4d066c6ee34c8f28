/**
 * POST /report: what an agent did, told by the MCP server it did it at, with its API key and the agent's access token. Ours, no RFC's: other authorization servers
 * answer 404, and the SDKs stop asking. Names, results and how often, never arguments; nothing is decided by it but what a person is shown.
 */
import type { Context, Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { type Answer, empty } from '../route.ts';
import { parametersFromForm } from '../rules/parameters.ts';
import { mediaType, readText } from '../rules/read-body.ts';
import { isScopeToken } from '../rules/scope.ts';
import { parseStrictJson } from '../rules/strict-json.ts';
import type { ReportedAction } from '../storage/store.ts';
import { displayText } from '../views/display-text.ts';
import { readAccessToken } from './access-token.ts';
import { checkKey, type PresentedKey, presentedKey } from './api-key.ts';

const MAX_REPORTED = 100;
const MAX_NAME = 100;
const MAX_MISSING = 10;
const MAX_TIMES = 1000;
/** Servers gather what they report, so what happened just before access ended comes a little after: people want to read that most. */
const LATE_SECONDS = 300;

/** The handler of /report. 204 whatever became of the report: it is not the server's business why something is not kept. */
export async function report(exchange: Exchange, context: Context): Promise<Answer> {
  const key = presentedKey(exchange, parametersFromForm(''));
  if (!key) throw new OAuthError('invalid_client', 'An API key is required', { headers: { 'WWW-Authenticate': 'Bearer realm="api-keys"' } });
  const { token, actions } = await readReport(exchange);

  const grant = await grantOf(token, key, context);

  if (grant) for (const action of actions) context.activity.add(grant, action, context.now());
  return empty(204);
}

/** A server reports about tokens for itself and about no other; which the token is, its signature says. */
async function grantOf(token: string, key: PresentedKey, context: Context): Promise<{ serverId: string; grantId: string } | undefined> {
  const { id, serverId, resource } = checkKey(await context.store.findKey(key.hash), context);
  context.uses.key(id, context.now());
  const read = await readAccessToken(token, context, () => context.limits.checkHere('introspect.unseen', key.hash));
  if (read?.audience !== resource) return undefined;
  const { revokedAt = Number.POSITIVE_INFINITY } = (await context.store.findGrant(read.grantId)) ?? { revokedAt: 0 };
  return context.now() < revokedAt + LATE_SECONDS ? { serverId, grantId: read.grantId } : undefined;
}

type Members = Readonly<Record<string, unknown>>;

/** @throws {OAuthError} invalid_request, content_too_large */
async function readReport({ request }: Exchange): Promise<{ token: string; actions: ReportedAction[] }> {
  if (mediaType(request) !== 'application/json') throw new OAuthError('invalid_request', 'The body must be application/json');
  const parsed = parseStrictJson(await readText(request));
  const { token, actions } = parsed && parsed.duplicates.length === 0 && isObject(parsed.value) ? parsed.value : {};
  if (typeof token !== 'string' || token === '' || !Array.isArray(actions))
    throw new OAuthError('invalid_request', 'A report is a JSON object with "token" and "actions", each member once');
  return { token, actions: actions.slice(0, MAX_REPORTED).flatMap((one) => actionOf(one) ?? []) };
}

/** Undefined for what is no action: the others count all the same. */
function actionOf(value: unknown): ReportedAction | undefined {
  if (!isObject(value)) return undefined;
  const { action, outcome, missing = [], count = 1 } = value;
  const name = typeof action === 'string' ? displayText(action.slice(0, 10 * MAX_NAME), MAX_NAME) : '';
  if (name === '' || (outcome !== 'allowed' && outcome !== 'refused')) return undefined;
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > MAX_TIMES) return undefined;
  if (!Array.isArray(missing) || missing.length > MAX_MISSING || !missing.every((scope) => typeof scope === 'string' && isScopeToken(scope))) return undefined;
  return { action: name, outcome, missing: outcome === 'refused' ? missing.toSorted() : [], times: count };
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
