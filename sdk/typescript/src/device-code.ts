/**
 * The device authorization grant (RFC 8628) on the wire: asks for a code, then for the tokens until the person has answered. Not here: whom to ask, and what becomes
 * of the tokens (device-login.ts).
 */
import { type IssuedToken, judge } from './agent-request.ts';
import { AuthServerUnavailable } from './errors.ts';
import { isUsable } from './login-discovery.ts';
import { type Asker, type Members, parseLoosely, parseObject, post, postForm, refusal, TokenRequestRefused, unusable } from './token-endpoint.ts';

/** What to show to the person who signs in. */
export interface DevicePrompt {
  /** To be entered at `verificationUri` and compared there. */
  readonly userCode: string;
  readonly verificationUri: string;
  /** The same page with the code filled in, e.g. for a QR code. */
  readonly verificationUriComplete?: string;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

/** A code that waits for its person. */
export interface WaitingDevice {
  readonly deviceCode: string;
  readonly intervalSeconds: number;
  readonly prompt: DevicePrompt;
}

/** Seconds to wait, until `signal` says otherwise. */
export type Wait = (seconds: number, signal?: AbortSignal) => Promise<unknown>;

const grantType = 'urn:ietf:params:oauth:grant-type:device_code';
/** RFC 8628 §3.2: "If no value is provided, clients MUST use 5 as the default", and §3.5 adds as much at each slow_down. */
const fiveSeconds = 5;
const defaultLifetimeSeconds = 600;

/** Asks for a code. @throws {TokenRequestRefused} also for an answer whose page nobody should open. */
export async function beginDevice(endpoint: string, fields: Readonly<Record<string, string>>, asker: Asker): Promise<WaitingDevice> {
  const askedAt = asker.now();
  const answer = await post(endpoint, fields, { ...asker, proofKey: undefined });
  const { device_code: deviceCode, user_code: userCode, verification_uri: page, verification_uri_complete: complete } = answer;
  if (typeof deviceCode !== 'string' || deviceCode === '') throw unusable('no_device_code', endpoint, 'without a usable device_code');
  // It is shown in a terminal: what could drive one is no code.
  if (typeof userCode !== 'string' || !/^[\x20-\x7E]{1,40}$/.test(userCode)) throw unusable('no_user_code', endpoint, 'without a usable user_code');
  if (typeof page !== 'string' || !isUsable(page, endpoint))
    throw new TokenRequestRefused('wrong_page', 'the page to open is no address that is https or on this computer');
  const expiresAt = askedAt + (secondsOf(answer['expires_in']) ?? defaultLifetimeSeconds);
  return {
    deviceCode,
    intervalSeconds: secondsOf(answer['interval']) ?? fiveSeconds,
    prompt: Object.freeze({
      userCode,
      verificationUri: page,
      ...(typeof complete === 'string' && isUsable(complete, endpoint) && { verificationUriComplete: complete }),
      expiresAt,
    }),
  };
}

/**
 * Asks until the person has answered: never sooner than told, five seconds later after each slow_down, ever more slowly while nobody answers (RFC 8628 §3.5).
 *
 * @throws {TokenRequestRefused} access_denied, expired_token, and every other error that ends it.
 */
export async function awaitDevice(
  { deviceCode, intervalSeconds, prompt }: WaitingDevice,
  { endpoint, resource, asker, wait, signal }: { endpoint: string; resource: string; asker: Asker; wait: Wait; signal: AbortSignal | undefined },
): Promise<{ token: IssuedToken; answer: Members }> {
  let interval = intervalSeconds;
  let pause = interval;
  for (;;) {
    signal?.throwIfAborted();
    if (asker.now() + pause >= prompt.expiresAt) throw new TokenRequestRefused('expired_token', 'nobody answered before the code ended');
    await wait(pause, signal);
    signal?.throwIfAborted();
    const askedAt = asker.now();
    const polled = await postForm(endpoint, { grant_type: grantType, device_code: deviceCode, resource }, asker).catch(outageOnly);
    if (polled?.answer.status === 200) {
      const answer = parseObject(polled.answer.text, endpoint);
      return { token: judge(answer, askedAt, { proofKey: asker.proofKey, url: endpoint }), answer };
    }
    const error = polled?.answer.status === 400 ? parseLoosely(polled.answer.text)['error'] : undefined;
    if (error === 'slow_down') interval += fiveSeconds;
    else if (error !== 'authorization_pending') {
      if (polled && polled.answer.status < 500 && polled.answer.status !== 429) throw refusal(polled.answer, [...polled.secrets, deviceCode], endpoint);
      interval *= 2;
    }
    pause = Math.max(interval, secondsOf(Number(polled?.answer.headers.get('retry-after'))) ?? 0);
  }
}

/** Seconds of a day at most; undefined for what is no such number. */
function secondsOf(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 && value <= 86_400 ? value : undefined;
}

function outageOnly(error: unknown): undefined {
  if (!(error instanceof AuthServerUnavailable)) throw error;
}
