/**
 * GET and POST /signup/account and /invite: the last step of becoming a person here, behind a proven mailbox or an invitation. The link is used and the person is made
 * in one act. Not here: who gets a link (sign-up.ts, operator-links.ts).
 */
import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { hashPassword } from '../crypto/password.ts';
import { randomId, randomLetters } from '../crypto/random.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page } from '../route.ts';
import { type Parameters, parametersFromForm, refuseRepeated } from '../rules/parameters.ts';
import { passwordProblem } from '../rules/passwords/problem.ts';
import { isDisplayName, usernameFrom } from '../rules/person.ts';
import { readParameters } from '../rules/read-body.ts';
import type { NewUser, OneTimeLink, UpstreamIdentity } from '../storage/store.ts';
import { type NewAccountProblem, newAccountPage } from '../views/new-account-page.ts';
import { type Browser, browserOf } from './browser-cookie.ts';
import { waitingClient } from './client-view.ts';
import { finishSignIn } from './finish-sign-in.ts';
import { checkForm, type Form, formToken } from './form-token.ts';
import { emailCodeAmr, emailCodeOn, mustBeOn } from './methods/email-code.ts';
import { password } from './methods/password.ts';
import { offeredUpstreams } from './methods/upstream.ts';
import { addressed, invitationOf, linkClosed } from './one-time-link.ts';
import { onwardFields, onwardOf } from './onward.ts';
import { signUpIsOpen } from './sign-up-open.ts';

type Place = { exchange: Exchange; context: Context };
/** What stands behind a form: the link, and how the form names it. */
type Door = { path: '/signup/account' | '/invite'; link: OneTimeLink & { email: string }; named: Record<string, string> };

/** GET /signup/account?flow=…, for the browser that proved the mailbox. */
export async function newAccountForm(exchange: Exchange, context: Context): Promise<Answer> {
  const query = parametersFromForm(new URL(exchange.request.url).search);
  const browser = browserOf(exchange, context);
  return accountAnswer(await provenDoor(query, browser, context), {}, { query, browser, exchange, context });
}

/** POST /signup/account. */
export async function newAccount(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  const browser = checkForm(newAccountFormOf('/signup/account', form.get('flow')), form.get('csrf'), { exchange, context });
  return makeAccount(await provenDoor(form, browser, context), form, { browser, exchange, context });
}

/** GET /invite?token=…. */
export async function invitationForm(exchange: Exchange, context: Context): Promise<Answer> {
  const query = parametersFromForm(new URL(exchange.request.url).search);
  const browser = browserOf(exchange, context);
  return accountAnswer(await invitedDoor(query, context), {}, { query, browser, exchange, context });
}

/** POST /invite. */
export async function acceptInvitation(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  const browser = checkForm(newAccountFormOf('/invite', form.get('token')), form.get('csrf'), { exchange, context });
  return makeAccount(await invitedDoor(form, context), form, { browser, exchange, context });
}

async function provenDoor(given: Parameters, browser: Browser, context: Context): Promise<Door> {
  mustBeOn(signUpIsOpen(context.options));
  const flow = given.get('flow') ?? '';
  const link = await context.store.findOwnLink(flow, browser.hash, context.now());
  if (link?.purpose !== 'sign-up' || link.provenAt === undefined) throw linkClosed('sign-up');
  return { path: '/signup/account', link: addressed(link), named: { flow } };
}

async function invitedDoor(given: Parameters, context: Context): Promise<Door> {
  const token = given.get('token');
  return { path: '/invite', link: await invitationOf(token, context), named: { token: token ?? '' } };
}

async function makeAccount(door: Door, form: Parameters, place: Place & { browser: Browser }): Promise<Answer> {
  const { context } = place;
  const name = form.get('name')?.normalize('NFC').trim();
  const chosen = context.options.signIn.password ? (form.get('password') ?? '') : '';
  const again = async (problems: NewAccountProblem[]) => ({ ...(await accountAnswer(door, { name, problems }, { query: form, ...place })), status: 400 });
  const problems = await problemsOf({ name, chosen, email: door.link.email }, context);
  if (problems.length > 0) return again(problems);

  const passwordHash = chosen === '' ? undefined : await hashPassword(chosen);
  const user = await createPerson(door.link, { name: name === '' ? undefined : name, passwordHash }, place);
  if (user === 'used') throw linkClosed(door.link.purpose);
  if (user === 'taken') return again([{ field: 'email', problem: 'taken' }]);
  const amr = door.link.purpose === 'invitation' && passwordHash !== undefined ? password.amr : emailCodeAmr;
  return finishSignIn({ user, amr, onward: hasWayIn(passwordHash, context) ? onwardOf(form) : { security: true } }, place);
}

/** Where only upstreams and passkeys are on, a new person chooses one of them first, or they would not come back. */
function hasWayIn(passwordHash: string | undefined, { options }: Context): boolean {
  return passwordHash !== undefined || emailCodeOn(options);
}

async function problemsOf({ name, chosen, email }: { name?: string; chosen: string; email: string }, context: Context): Promise<NewAccountProblem[]> {
  const problems: NewAccountProblem[] = [];
  if (name !== undefined && name !== '' && !isDisplayName(name)) problems.push({ field: 'name', problem: 'invalid' });
  if (chosen === '' && (emailCodeOn(context.options) || !context.options.signIn.password)) return problems;
  const problem = await passwordProblem(chosen, { email, name }, context.options);
  return problem === undefined ? problems : [...problems, { field: 'password', problem }];
}

const suffixLetters = 'abcdefghjkmnpqrstuvwxyz23456789';
const triedNames = 3;

/** Invited people get their own name where it is free; strangers always get one with a random end. */
export async function createPerson(
  { id, purpose, email, role = 'user' }: Door['link'],
  given: Pick<NewUser, 'name' | 'passwordHash'> & { identity?: Omit<UpstreamIdentity, 'userId'> },
  { exchange, context }: Place,
): Promise<NewUser | 'used' | 'taken'> {
  const now = context.now();
  const userId = randomId('usr_', 12);
  const { identity, ...chosen } = given;
  // An invitation was handed over by an operator, who vouches for the address; nobody has seen whether mail reaches it, unless an upstream has.
  const emailProvenAt = purpose === 'sign-up' || identity ? now : undefined;
  const detail = { link: id, by: purpose, role, ...(identity && { upstream: identity.upstreamId }) };
  const about = { userId, address: exchange.address, requestId: exchange.requestId, detail };
  for (let tried = 0; tried < triedNames; tried++) {
    const suffix = tried === 0 && purpose === 'invitation' ? '' : randomLetters(suffixLetters, 5);
    const user: NewUser = { ...chosen, id: userId, username: usernameFrom(email, suffix), email, emailProvenAt, role, createdAt: now };
    const outcome = await context.store.acceptLink(id, user, auditEvent('user.signed_up', now, `user:${userId}`, about), identity);
    if (outcome !== 'taken') return outcome === 'done' ? user : 'used';
  }
  return 'taken';
}

export function newAccountFormOf(path: Door['path'], named: string | undefined): Form {
  return { purpose: 'new-account', subject: [path, named ?? ''] };
}

type Shown = { name?: string; problems?: NewAccountProblem[] };

async function accountAnswer(door: Door, shown: Shown, place: Place & { query: Parameters; browser: Browser }): Promise<Answer> {
  const { query, browser, exchange, context } = place;
  const { path, link, named } = door;
  const invited = path === '/invite';
  const onward = onwardOf(query);
  const html = newAccountPage(pageFrame(exchange, context), {
    ...shown,
    path,
    hidden: { ...named, ...onwardFields(onward), csrf: formToken(newAccountFormOf(path, Object.values(named)[0]), browser, context) },
    email: link.email,
    invited,
    upstreams: invited ? await offeredUpstreams({}, context) : [],
    password: context.options.signIn.password && (emailCodeOn(context.options) ? 'optional' : 'needed'),
    minLength: context.options.signIn.passwordMinLength,
    client: await waitingClient(onward.tx, browser, context),
  });
  return page(html, 200, browser.cookies);
}
