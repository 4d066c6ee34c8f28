/**
 * GET and POST /setup: the one-time link that creates the first operator and shows an owner token once. There is no default password and no first visitor who
 * wins: only whoever started the server can print the link (contracts §4).
 */
import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import { hashPassword } from '../crypto/password.ts';
import { randomId } from '../crypto/random.ts';
import { OAuthError } from '../errors.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page } from '../route.ts';
import { type Parameters, parametersFromForm, refuseRepeated } from '../rules/parameters.ts';
import { passwordProblem } from '../rules/passwords/problem.ts';
import { isEmailAddress, isUsername } from '../rules/person.ts';
import { readParameters } from '../rules/read-body.ts';
import { newOwnerToken } from '../servers/owner-token.ts';
import type { User } from '../storage/store.ts';
import { type SetupProblem, setupDonePage, setupPage } from '../views/setup-page.ts';
import { type Browser, browserOf } from './browser-cookie.ts';
import { checkForm, type Form, formToken } from './form-token.ts';
import { password } from './methods/password.ts';
import { beginSession } from './session.ts';

const linkSeconds = 15 * 60;

/** RFC 8176 §2: the secret of the link is a one-time password. */
const setupLinkAmr: readonly string[] = ['otp'];

type Place = { exchange: Exchange; context: Context };
type Candidate = { username: string; email: string; password?: string };

/** Makes a setup link: good for 15 minutes and one operator. The token is in the URL and, hashed, in the database; nowhere else. */
export async function makeSetupLink(context: Context): Promise<string> {
  const { url, row } = newSetupLink(context.issuer, context.now());
  await context.store.addSetupLink(row.tokenHash, row.now, row.expiresAt);
  return url;
}

/** The link and its row, for whoever writes the row. */
export function newSetupLink(issuer: string, now: number): { url: string; row: { tokenHash: string; now: number; expiresAt: number } } {
  const token = randomId('st_', 32);
  return { url: `${issuer}/setup?token=${token}`, row: { tokenHash: sha256(token), now, expiresAt: now + linkSeconds } };
}

/** GET /setup?token=st_…. */
export async function setupForm(exchange: Exchange, context: Context): Promise<Answer> {
  const token = await openToken(parametersFromForm(new URL(exchange.request.url).search), context);
  return setupAnswer({ token }, browserOf(exchange, context), { exchange, context });
}

/** POST /setup. */
export async function setup(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  const token = await openToken(form, context);
  const browser = checkForm(formOf(token), form.get('csrf'), { exchange, context });
  const candidate: Candidate = {
    username: (form.get('username') ?? '').normalize('NFKC').trim(),
    email: (form.get('email') ?? '').trim(),
    password: context.options.signIn.password ? (form.get('password') ?? '') : undefined,
  };
  const again = (errors: SetupProblem[]) => ({ ...setupAnswer({ token, errors, ...candidate }, browser, { exchange, context }), status: 400 });
  const errors = await problemsOf(candidate, context);
  if (errors.length > 0) return again(errors);

  const created = await createOperator(token, candidate, { exchange, context });
  if (created === 'used') throw linkClosed();
  if (created === 'taken') return again([{ field: 'username', problem: 'taken' }]);
  const cookies = await beginSession(
    created.operator,
    { keep: false, amr: candidate.password === undefined ? setupLinkAmr : password.amr },
    { exchange, context },
  );
  return page(
    setupDonePage(pageFrame(exchange, context), { ownerToken: created.ownerToken, exampleCurl: exampleCurl(created.ownerToken, context) }),
    200,
    cookies,
  );
}

async function openToken(given: Parameters, context: Context): Promise<string> {
  const token = given.get('token');
  if (token === undefined || !(await context.store.setupLinkOpen(sha256(token), context.now()))) throw linkClosed();
  return token;
}

function linkClosed(): OAuthError {
  return new OAuthError('request_expired', 'The setup link is unknown, used or older than 15 minutes').onPage({
    case: 'setupLink',
    values: { command: 'auth-agent setup-link' },
  });
}

function formOf(token: string): Form {
  return { purpose: 'setup', subject: [sha256(token)] };
}

function setupAnswer(
  values: { token: string; errors?: SetupProblem[]; username?: string; email?: string },
  browser: Browser,
  { exchange, context }: Place,
): Answer {
  const { token, errors, username, email } = values;
  const csrf = formToken(formOf(token), browser, context);
  const { passwordMinLength, password } = context.options.signIn;
  const minLength = password ? passwordMinLength : undefined;
  return page(
    setupPage(pageFrame(exchange, context, `${context.base}/setup?token=${token}`), { token, csrf, minLength, errors, username, email }),
    200,
    browser.cookies,
  );
}

async function problemsOf({ username, email, password }: Candidate, context: Context): Promise<SetupProblem[]> {
  const problems: SetupProblem[] = [];
  if (username === '') problems.push({ field: 'username', problem: 'missing' });
  else if (!isUsername(username)) problems.push({ field: 'username', problem: 'invalid' });
  if (email === '') problems.push({ field: 'email', problem: 'missing' });
  else if (!isEmailAddress(email)) problems.push({ field: 'email', problem: 'invalid' });
  const problem = password === undefined ? undefined : await passwordProblem(password, { username, email }, context.options);
  if (problem !== undefined) problems.push({ field: 'password', problem });
  return problems;
}

async function createOperator(
  token: string,
  candidate: Candidate,
  { exchange, context }: Place,
): Promise<'used' | 'taken' | { operator: User; ownerToken: string }> {
  const now = context.now();
  const operator: User = { id: randomId('usr_', 12), username: candidate.username, email: candidate.email, role: 'operator', createdAt: now };
  const { value: ownerToken, row } = newOwnerToken(operator.id, 'Setup', now);
  const event = auditEvent('setup.completed', now, `user:${operator.id}`, { userId: operator.id, address: exchange.address, requestId: exchange.requestId });
  const passwordHash = candidate.password === undefined ? undefined : await hashPassword(candidate.password);
  const outcome = await context.store.redeemSetupLink(sha256(token), { ...operator, passwordHash }, row, event);
  return outcome === 'done' ? { operator, ownerToken } : outcome;
}

function exampleCurl(ownerToken: string, context: Context): string {
  const body = '{"server_url":"https://your-mcp-server.com","server_name":"My server","scopes":["files:read"]}';
  return `curl -X POST ${context.issuer}/api/servers \\\n  -H 'Authorization: Bearer ${ownerToken}' \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
}
