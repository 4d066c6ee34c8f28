/**
 * How a function that a story hands to its server is called from workerd: its arguments and its outcome as text. Bytes and answers survive, and the two kinds of error
 * that the server tells apart.
 */
import { FetchFailure } from '../../src/clients/fetch-failure.ts';
import { MailNotSent } from '../../src/mail/mail-not-sent.ts';

/** The options that can be called from another process: their arguments and outcomes are plain. */
export const callable = ['fetchDocument', 'fetchUpstream', 'postForm', 'sendMail'] as const;
export type Callable = (typeof callable)[number];
export type Call = { server: string; name: Callable; args: unknown[] };

type Failure = { name: string; message: string; kind?: string; status?: number };
type Outcome = { value: unknown } | { response: { status: number; headers: [string, string][]; body: unknown } } | { failure: Failure };

export function packed(value: unknown): string {
  // Of the holder and not of the argument: a Buffer has turned itself into a list of numbers before it is asked about.
  return JSON.stringify(value, function (this: Record<string, unknown>, key, given: unknown) {
    const one = this[key];
    return one instanceof Uint8Array ? { $bytes: Buffer.from(one).toString('base64') } : given;
  });
}

export const unpacked = (text: string): unknown =>
  JSON.parse(text, (_, one: { $bytes?: unknown } | null) => (typeof one?.$bytes === 'string' ? new Uint8Array(Buffer.from(one.$bytes, 'base64')) : one));

/** Runs a function and writes down what came of it. */
export async function outcomeOf(act: () => unknown): Promise<string> {
  try {
    const value = await act();
    if (!(value instanceof Response)) return packed({ value } satisfies Outcome);
    const body = new Uint8Array(await value.arrayBuffer());
    return packed({ response: { status: value.status, headers: [...value.headers], body } } satisfies Outcome);
  } catch (error) {
    const { name, message, kind, status } = error as Failure;
    return packed({ failure: { name, message, kind, status } } satisfies Outcome);
  }
}

/** The same outcome on the other side. */
export function readOutcome(text: string): unknown {
  const outcome = unpacked(text) as Outcome;
  if ('failure' in outcome) throw revived(outcome.failure);
  if (!('response' in outcome)) return outcome.value;
  const { status, headers, body } = outcome.response;
  return new Response([204, 205, 304].includes(status) ? null : (body as Uint8Array<ArrayBuffer>), { status, headers });
}

function revived({ name, message, kind, status }: Failure): Error {
  if (name === 'FetchFailure') return new FetchFailure(kind as FetchFailure['kind'], message, { status });
  if (name === 'MailNotSent') return new MailNotSent(message);
  return Object.assign(new Error(message), { name });
}
