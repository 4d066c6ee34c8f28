/**
 * A person signs in on another device: the agent has no browser and nobody to call it back (RFC 8628). From the address of an MCP server to tokens that renew
 * themselves. Each step is in a file of its own: login-discovery.ts, device-code.ts, login-tokens.ts.
 */
import { checkAddress } from './agent-options.ts';
import { endpointIn } from './agent-request.ts';
import { awaitDevice, beginDevice, type DevicePrompt, type Wait } from './device-code.ts';
import { refuseUnknown } from './known-names.ts';
import { findLoginTarget, isUsable, type LoginTarget } from './login-discovery.ts';
import { loginNames } from './login-names.ts';
import { changed, createLogin, type LoginOptions, type LoginTokens, loginSettings } from './login-tokens.ts';
import { isScopeToken } from './scope.ts';
import { call, parseObject, refusal, type Sender, TokenRequestRefused } from './token-endpoint.ts';

/** What `deviceLogin` takes. */
export interface DeviceLoginOptions extends LoginOptions {
  /** The MCP server to sign in to, as people configure it. Its metadata says which authorization server to ask (RFC 9728). */
  readonly resource: string;
  /** What to ask for. Default: what the server asks for. */
  readonly scopes?: readonly string[];
  /** The client: an id that was registered, or the address of a metadata document. Default: it registers itself as a public client (RFC 7591). */
  readonly clientId?: string;
  /** What the person reads when the client registers itself. Default `Agent`. */
  readonly clientName?: string;
  /** Shows the person where to go and the code to enter and compare. */
  readonly onPrompt: (prompt: DevicePrompt) => void | Promise<void>;
  /** Ends the wait; the promise then rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Replaces the pauses between polls. */
  readonly wait?: Wait;
}

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/**
 * Signs a person in to an MCP server and resolves when they have allowed it.
 *
 * @throws {TokenRequestRefused} `access_denied` when the person says no, `expired_token` when nobody answers in time, `wrong_metadata` and the like when what the
 *   servers say of themselves cannot be trusted, or the OAuth error of a refusal.
 * @throws {AuthServerUnavailable} when the authorization server cannot be asked.
 * @throws {TypeError} naming the option that is missing or wrong.
 * @example
 *     const login = await deviceLogin({
 *       resource: 'https://files.example.com/mcp',
 *       onPrompt: ({ verificationUri, userCode }) => console.log(`Open ${verificationUri} and enter ${userCode}`),
 *     });
 *     const response = await login.fetch('https://files.example.com/mcp', { method: 'POST', body });
 */
export async function deviceLogin(options: DeviceLoginOptions): Promise<LoginTokens> {
  const { signal, wait = pause, onPrompt, onChange } = options;
  const sender = checkLogin(options);
  const target = await findLoginTarget(options.resource, sender);
  const scope = (options.scopes ?? target.scopes)?.join(' ');
  const endpoint = endpointOf(target, 'device_authorization_endpoint');
  const tokenEndpoint = endpointOf(target, 'token_endpoint');
  const clientId = options.clientId ?? (await register(target, { clientName: options.clientName ?? 'Agent', scope }, sender));

  const place = { issuer: target.issuer, tokenEndpoint, resource: target.resource };
  const settings = loginSettings(place, { ...options, clientId });
  const waiting = await beginDevice(endpoint, { ...(scope && { scope }), resource: target.resource }, settings);
  await onPrompt(waiting.prompt);
  const { token, answer } = await awaitDevice(waiting, { endpoint: tokenEndpoint, resource: target.resource, asker: settings, wait, signal });

  const login = changed({ ...place, clientId, ...(scope && { scope }), ...(settings.proofKey && { bound: true as const }) }, token, answer);
  await onChange?.(login);
  return createLogin(login, { settings, token, onChange });
}

/** Everything that can be wrong before anything is asked. */
function checkLogin(options: DeviceLoginOptions): Sender {
  if (typeof options !== 'object' || options === null) throw new TypeError('deviceLogin needs an options object with "resource" and "onPrompt"');
  // "scope" in place of "scopes" would ask for all that the server asks for.
  refuseUnknown(options, loginNames);
  const { resource, scopes, onPrompt, clientId, clientSecret, clientKey } = options;
  if (typeof onPrompt !== 'function') throw new TypeError('"onPrompt" must be a function: somebody has to see the code');
  if (scopes !== undefined && !(Array.isArray(scopes) && scopes.every(isScopeToken))) throw new TypeError('"scopes" must be a list of scopes (RFC 6749 §3.3)');
  if (clientId === undefined && (clientSecret !== undefined || clientKey !== undefined))
    throw new TypeError('"clientId" is missing: whose secret or key is it?');
  const place = checkAddress('resource', resource);
  return loginSettings({ issuer: place, tokenEndpoint: place, resource: place }, { ...options, clientId: clientId ?? 'unknown' });
}

function endpointOf({ metadata, resource }: LoginTarget, name: string): string {
  const endpoint = endpointIn(metadata, name);
  if (!isUsable(endpoint, resource)) throw new TokenRequestRefused('wrong_metadata', `its ${name} is on this computer`);
  return endpoint;
}

/** RFC 7591: a public client for this one grant. A server that would have it keep a secret is told no: there is no place for one in a login. */
async function register(target: LoginTarget, { clientName, scope }: { clientName: string; scope: string | undefined }, sender: Sender): Promise<string> {
  if (!('registration_endpoint' in target.metadata))
    throw new TokenRequestRefused('registration_not_supported', 'give "clientId": this server registers nobody');
  const wanted = { grant_types: [deviceGrant, 'refresh_token'], response_types: [], token_endpoint_auth_method: 'none', ...(scope && { scope }) };
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
  const body = JSON.stringify({ client_name: clientName, ...wanted });
  const endpoint = endpointOf(target, 'registration_endpoint');
  const answer = await call(endpoint, { method: 'POST', headers, body }, sender);
  if (answer.status !== 201 && answer.status !== 200) throw refusal(answer, [], endpoint);
  const { client_id: clientId, token_endpoint_auth_method: method = 'none' } = parseObject(answer.text, endpoint);
  if (typeof clientId !== 'string' || clientId === '' || method !== 'none') throw new TokenRequestRefused('wrong_registration', 'it made no public client');
  return clientId;
}

function pause(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abandon = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abandon);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener('abort', abandon, { once: true });
  });
}
