/**
 * The tokens of a person who signed in: renewed with the refresh token, which changes each time (RFC 6749 §6, OAuth 2.1 §4.3.1), and handed to whoever keeps
 * them. Not here: how the person signed in (device-login.ts), when to renew (agent-tokens.ts).
 */
import { type AgentOptions, type AgentSettings, checkAddress, checkOutside } from './agent-options.ts';
import { type IssuedToken, withTimes } from './agent-request.ts';
import { type AgentTokens, createAgent } from './agent-tokens.ts';
import { type ClientOptions, clientAuthentication } from './client-authentication.ts';
import { isBearerToken } from './credentials.ts';
import { refuseUnknown } from './known-names.ts';
import { loginNames } from './login-names.ts';
import { type Members, TokenRequestRefused } from './token-endpoint.ts';

/** A login as plain JSON, to be kept where only its person can read it: whoever has it acts for them. */
export interface SavedLogin {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly resource: string;
  readonly clientId: string;
  /** As granted, space-separated. */
  readonly scope?: string;
  readonly accessToken: string;
  readonly refreshToken?: string;
  /** Of the access token, in epoch seconds. */
  readonly expiresAt: number;
  /** Its tokens are worth something only with the key pair that was given as `dpop`. */
  readonly bound?: true;
}

/** What keeps a login going, however it began. */
export interface LoginOptions extends Omit<ClientOptions, 'clientId'>, Pick<AgentOptions, 'dpop' | 'timeout' | 'fetch' | 'now'> {
  /** Keeps the login: called with the first tokens, and again whenever they changed, before they are used. The old ones are then worth nothing. */
  readonly onChange?: (login: SavedLogin) => void | Promise<void>;
}

/** The tokens of a login. `token` and `fetch` renew them; both throw {@link TokenRequestRefused} `invalid_grant` or `login_required` when the person must sign in again. */
export interface LoginTokens extends AgentTokens {
  /** The login as it is now. */
  saved(): SavedLogin;
}

/**
 * Goes on with a login that was kept. Nothing is asked until a token is needed. Options that only `deviceLogin` uses are left alone, so that both may get the same ones.
 *
 * @throws {TypeError} naming the option, or the member of `login`, that is missing, wrong or unknown.
 * @example
 *     const login = resumeLogin(JSON.parse(await readFile('login.json', 'utf8')), { onChange: keep });
 *     const response = await login.fetch('https://files.example.com/mcp', { method: 'POST', body });
 */
export function resumeLogin(login: SavedLogin, options: LoginOptions = {}): LoginTokens {
  refuseUnknown(options, loginNames);
  if (typeof login !== 'object' || login === null) throw new TypeError('resumeLogin needs what onChange was called with');
  for (const name of ['clientId', 'issuer'] as const) if (typeof login[name] !== 'string') throw new TypeError(`"${name}" of the login must be a string`);
  if (typeof login.expiresAt !== 'number') throw new TypeError('"expiresAt" of the login must be a number of seconds');
  for (const name of ['accessToken', 'refreshToken'] as const)
    if (!(name === 'refreshToken' && login[name] === undefined) && !(typeof login[name] === 'string' && isBearerToken(login[name])))
      throw new TypeError(`"${name}" of the login must be a token`);
  if (login.bound ? typeof options.dpop !== 'object' : options.dpop) throw new TypeError('"dpop" must be the key pair that the login began with, or nothing');
  const settings = loginSettings(login, { ...options, clientId: login.clientId });
  return createLogin(login, { settings, token: withTimes(login.accessToken, login.expiresAt, 600), onChange: options.onChange });
}

/** The settings of an agent that acts in this login. */
export function loginSettings(
  { issuer, tokenEndpoint, resource }: Pick<SavedLogin, 'issuer' | 'tokenEndpoint' | 'resource'>,
  options: LoginOptions & ClientOptions,
): AgentSettings {
  return Object.freeze({
    issuer: checkAddress('issuer', issuer),
    tokenEndpoint: checkAddress('tokenEndpoint', tokenEndpoint),
    resource: checkAddress('resource', resource),
    authenticate: clientAuthentication(options, issuer),
    scope: undefined,
    ...checkOutside(options),
  });
}

type Begun = { settings: AgentSettings; token: IssuedToken; onChange: LoginOptions['onChange'] };

/** Makes the tokens of a login that has its first ones. */
export function createLogin(first: SavedLogin, { settings, token, onChange }: Begun): LoginTokens {
  let login = Object.freeze({ ...first });
  const agent = createAgent(
    settings,
    {
      form: () => {
        if (login.refreshToken === undefined) throw new TokenRequestRefused('login_required', 'the login has ended, and it cannot be renewed');
        return { grant_type: 'refresh_token', refresh_token: login.refreshToken, resource: login.resource };
      },
      accept: async (issued, answer) => {
        login = changed(login, issued, answer);
        await onChange?.(login);
      },
    },
    token,
  );
  return Object.freeze({ ...agent, saved: () => login });
}

/** RFC 6749 §6: a refresh token that comes along replaces the old one; without one the old one stays. `scope` is as before unless it is told. */
export function changed(login: Omit<SavedLogin, 'accessToken' | 'expiresAt'>, issued: IssuedToken, answer: Members): SavedLogin {
  const { refresh_token: refreshToken, scope } = answer;
  return Object.freeze({
    ...login,
    accessToken: issued.value,
    expiresAt: issued.expiresAt,
    ...(typeof refreshToken === 'string' && isBearerToken(refreshToken) && { refreshToken }),
    ...(typeof scope === 'string' && { scope }),
  });
}
