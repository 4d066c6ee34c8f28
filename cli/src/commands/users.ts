/** `auth-agent users …`: people. */
import {
  auditEvent,
  type Config,
  hashPassword,
  isEmailAddress,
  isoDate,
  isUsername,
  maxPasswordBytes,
  minPasswordLength,
  type PasswordProblem,
  passwordProblem,
  type Role,
  randomId,
  type Store,
  type User,
} from 'auth-agent-mcp-server/node';
import { confirm, readPassword } from '../ask.ts';
import { type Call, type Command, databaseFlags, type Result, textFlag } from '../command.ts';
import { next, withServer, withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';

export const addUser: Command = {
  name: 'users add',
  about: 'add a person who can sign in',
  usage: '<username>',
  flags: [
    ...databaseFlags,
    { name: 'email', kind: 'text', value: 'address', about: 'e-mail address' },
    { name: 'name', kind: 'text', value: 'text', about: 'full name' },
    { name: 'role', kind: 'text', value: 'user|owner|operator', about: 'user signs in, owner has servers, operator runs all (user)' },
    { name: 'password-file', kind: 'text', value: 'file', about: 'read the password from there' },
    { name: 'password-stdin', kind: 'switch', about: 'read the password from a pipe' },
  ],
  examples: ['auth-agent users add ada --email ada@example.com --role owner', 'pwgen 20 1 | auth-agent users add bob --password-stdin --json'],
  run: (call) =>
    withStore(call, async ({ store, config, now }) => {
      const person = personOf(call, now);
      if (await store.findUserByLogin(person.username)) throw taken(person.username);
      const passwordHash = await hashPassword(await usablePassword(call, person, config));
      const outcome = await store.addUser(
        { ...person, passwordHash },
        auditEvent('user.added', now, 'cli', { userId: person.id, detail: { role: person.role } }),
      );
      if (outcome === 'taken') throw taken(person.username);
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      const then = person.role === 'user' ? 'auth-agent users list' : `auth-agent owner-tokens create ${person.username}`;
      return { data: viewOf(person), lines: [ok(`Added ${person.username} (${person.role}), ${person.id}`)], notes: [next(then, call)] };
    }),
};

export const setEmail: Command = {
  name: 'users set-email',
  about: 'give a person another e-mail address; the old one is told, where mail is on',
  usage: '<user> <email>',
  flags: databaseFlags,
  examples: ['auth-agent users set-email ada ada@example.org'],
  run: (call) =>
    withServer(call, async (context) => {
      const user = await findPerson(context.store, call.args[0] ?? '');
      const email = call.args[1] ?? '';
      if (!isEmailAddress(email)) throw new Failure('usage', `${safe(email)} is no e-mail address`, { fix: setEmail.examples[0] });
      const event = auditEvent('user.email_changed', context.now(), 'cli', { userId: user.id });
      const outcome = await context.store.changeEmail({ userId: user.id, email }, context.mail.notify(event, { kind: 'email-changed', user }));
      if (outcome === 'taken') throw new Failure('conflict', `Somebody else answers to ${safe(email)}`, { fix: 'auth-agent users list' });
      if (outcome === 'gone') throw new Failure('conflict', `${safe(user.username)} is disabled`, { fix: `auth-agent users enable ${safe(user.username)}` });
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return { data: { id: user.id, email }, lines: [ok(`${safe(user.username)} has the address ${safe(email)}`)] };
    }),
};

export const listUsers: Command = {
  name: 'users list',
  about: 'list people',
  flags: databaseFlags,
  examples: ['auth-agent users list'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const users = (await store.listUsers()).map(viewOf);
      const invited = (await store.listInvitations(now)).map(({ email, role, createdAt, expiresAt }) => ({
        email,
        role,
        created_at: isoDate(createdAt),
        expires_at: isoDate(expiresAt),
      }));
      const rows = users.map((user) => [
        user.user_id,
        safe(user.username),
        user.role,
        safe(user.email ?? ''),
        user.disabled_at === undefined ? 'active' : 'disabled',
      ]);
      for (const { role, email } of invited) rows.push(['', '', role ?? '', safe(email ?? ''), 'invited']);
      return { data: { users, invited }, lines: table(['ID', 'USERNAME', 'ROLE', 'E-MAIL', 'STATUS'], rows) };
    }),
};

export const removeUser: Command = {
  name: 'users rm',
  about: 'delete a person with everything that is theirs; their agents lose access at once',
  usage: '<username>',
  flags: [...databaseFlags, { name: 'yes', kind: 'switch', about: 'do not ask' }],
  examples: ['auth-agent users rm ada', 'auth-agent users rm ada --yes'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const person = await findPerson(store, call.args[0] ?? '');
      const who = safe(person.username);
      await confirm(call, { name: person.username, breaks: `${who} and everything of theirs is deleted, and their agents lose access. It cannot be undone.` });
      const outcome = await store.removeUser(person.id, auditEvent('user.removed', now, 'cli', { userId: person.id }));
      if (outcome === 'owner') throw new Failure('conflict', `${who} owns servers`, { fix: 'auth-agent servers list' });
      if (outcome === 'operator') throw new Failure('conflict', `${who} is the last operator`, { fix: 'auth-agent users add <username> --role operator' });
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return { data: { user_id: person.id }, lines: [ok(`Deleted ${who}`)] };
    }),
};

export const resetFactors: Command = {
  name: 'users reset-factors',
  about: 'take the second step of a sign-in away, for somebody who lost their app and codes',
  usage: '<username>',
  flags: [...databaseFlags, { name: 'yes', kind: 'switch', about: 'do not ask' }],
  examples: ['auth-agent users reset-factors ada'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const person = await findPerson(store, call.args[0] ?? '');
      const breaks = `${safe(person.username)} will sign in in one step: be sure that it is them who asks.`;
      await confirm(call, { name: person.username, breaks });
      const removed = await store.removeSecondFactor(person.id, auditEvent('second_factor.reset', now, 'cli', { userId: person.id }));
      if (!removed) throw new Failure('notFound', `${safe(person.username)} has no second step`);
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return { data: { user_id: person.id }, lines: [ok(`Took the second step of ${safe(person.username)} away`)] };
    }),
};

export const disableUser: Command = {
  name: 'users disable',
  about: 'keep a person out, and their agents; undone by enable',
  usage: '<user>',
  flags: databaseFlags,
  examples: ['auth-agent users disable bob'],
  run: (call) => switchUser(call, true),
};

export const enableUser: Command = {
  name: 'users enable',
  about: 'let a disabled person in again',
  usage: '<user>',
  flags: databaseFlags,
  examples: ['auth-agent users enable bob'],
  run: (call) => switchUser(call, false),
};

function switchUser(call: Call, off: boolean): Promise<Result> {
  return withStore(call, async ({ store, now }) => {
    const user = await findPerson(store, call.args[0] ?? '');
    if (off && user.role === 'operator' && user.disabledAt === undefined) await notTheLast(store);
    const changed = await store.setUserDisabled(user.id, off, auditEvent(off ? 'user.disabled' : 'user.enabled', now, 'cli', { userId: user.id }));
    const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
    const line = changed ? `${off ? 'Disabled' : 'Enabled'} ${safe(user.username)}` : `${safe(user.username)} was ${off ? 'disabled' : 'enabled'} already`;
    const after = await store.findUser(user.id);
    return {
      data: { ...viewOf(after ?? user), changed },
      lines: [ok(line)],
      notes: off ? ['  Sessions, links and agents of this person stand still from now on.'] : [],
    };
  });
}

async function notTheLast(store: Store): Promise<void> {
  const operators = (await store.listUsers()).filter(({ role, disabledAt }) => role === 'operator' && disabledAt === undefined);
  if (operators.length > 1) return;
  throw new Failure('conflict', 'This is the only operator', { why: 'Nobody could run the service.', fix: 'auth-agent users add <username> --role operator' });
}

/** A person by username, e-mail or id. @throws {Failure} notFound */
export async function findPerson(store: Store, login: string): Promise<User> {
  const user = (await store.findUserByLogin(login))?.user ?? (login.startsWith('usr_') ? await store.findUser(login) : undefined);
  if (!user) throw new Failure('notFound', `There is no person ${safe(login)}`, { fix: 'auth-agent users list' });
  return user;
}

function personOf(call: Call, now: number): User {
  const username = (call.args[0] ?? '').normalize('NFKC');
  const email = textFlag(call, 'email');
  const name = textFlag(call, 'name');
  const role = textFlag(call, 'role') ?? 'user';
  const refuse = (what: string) => new Failure('usage', what, { fix: addUser.examples[0] });
  // Without @, so that nobody can take another's e-mail address as their name.
  if (!isUsername(username)) throw refuse('A username is 1 to 64 letters, digits, dots, dashes and underscores');
  if (email !== undefined && !isEmailAddress(email)) throw refuse('--email is no e-mail address');
  if (name !== undefined && (name.length > 100 || /\p{Cc}/u.test(name))) throw refuse('--name is at most 100 characters of plain text');
  if (!/^(user|owner|operator)$/.test(role)) throw refuse(`--role is user, owner or operator, not ${role}`);
  return { id: randomId('usr_', 12), username, email, name, role: role as Role, createdAt: now };
}

/** The password that was given, by the rules of the sign-in pages. @throws {Failure} refused */
async function usablePassword(call: Call, person: User, { server }: Config): Promise<string> {
  const password = await readPassword(call);
  const passwordMinLength = server.signIn?.passwordMinLength ?? minPasswordLength;
  const problem = await passwordProblem(password, person, { serviceName: server.serviceName ?? '', signIn: { passwordMinLength } });
  if (problem === undefined) return password;
  const refusals: Record<PasswordProblem, [string, string]> = {
    missing: ['The password is empty', 'Give one; a sentence is fine'],
    tooShort: [`The password is shorter than ${passwordMinLength} characters`, 'Take a longer one; a sentence is fine'],
    tooLong: [`The password is longer than ${maxPasswordBytes} bytes`, 'Take a shorter one'],
    common: ['The password is one of those that are tried first', 'Take another; a sentence of your own is fine'],
    about: ['The password contains the name or e-mail address of the person, or the name of the service', 'Take one that has nothing to do with them'],
  };
  const [what, fix] = refusals[problem];
  throw new Failure('refused', what, { fix });
}

function viewOf({ id, username, email, emailProvenAt, name, role, createdAt, disabledAt }: User) {
  const dateOf = (at: number | undefined) => (at === undefined ? undefined : isoDate(at));
  const dates = { email_proven_at: dateOf(emailProvenAt), created_at: isoDate(createdAt), disabled_at: dateOf(disabledAt) };
  return { user_id: id, username, email, name, role, ...dates };
}

const taken = (username: string): Failure => new Failure('conflict', `${username}, or this e-mail address, is taken`, { fix: 'auth-agent users list' });
