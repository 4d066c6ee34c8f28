/**
 * What assets.ts imports, read on Workers from the static assets of the Worker, whose binding each isolate is told once. Every request reads for itself until somebody
 * has it all: what one has opened another must not wait for. Words that cannot be read are said in English; a filter that cannot be read lets no password pass.
 */
import type { CommonPasswords, Messages } from './assets.ts';
import { OAuthError } from './errors.ts';
import { languages } from './languages.ts';

/** The binding of `[assets]` in wrangler.toml. The host of the address means nothing. */
export type AssetsBinding = { fetch(address: string, init?: { signal?: AbortSignal }): Promise<Response> };

/** Filled by {@link readTranslations}. */
export const translations: Record<string, Messages> = {};

const patienceMs = 3000;
let binding: AssetsBinding | undefined;

export function bindAssets(given: AssetsBinding): void {
  binding = given;
}

/** Reads every language that is not there yet. Throws what the first that failed threw, after the last. */
export async function readTranslations(): Promise<void> {
  const missing = languages.filter(({ tag }) => tag !== 'en' && !Object.hasOwn(translations, tag));
  const read = await Promise.allSettled(
    missing.map(async ({ tag }) => {
      translations[tag] = (await readAsset(`messages/${tag}.json`)) as Messages;
    }),
  );
  const failed = read.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}

/** The filter, or a 503: nobody may choose a password that was not looked at. */
export async function commonPasswords(): Promise<CommonPasswords> {
  try {
    return (await readAsset('common-passwords.json')) as CommonPasswords;
  } catch (cause) {
    throw new OAuthError('temporarily_unavailable', 'The service is briefly unavailable', { headers: { 'Retry-After': '5' }, cause });
  }
}

/** One of the files in assets/, which the server's own tests hold: it needs no other check than that it came. */
async function readAsset(path: string): Promise<unknown> {
  if (!binding) throw new Error('no assets are bound');
  const answer = await binding.fetch(`https://assets.invalid/${path}`, { signal: AbortSignal.timeout(patienceMs) });
  if (answer.status !== 200) throw new Error(`the asset ${path} was answered with ${answer.status}`);
  return answer.json();
}
