/**
 * What is too large for the bundle of a Worker: the words of every language but English, and the filter of common passwords. Here they are imported; on Workers
 * `#assets` (imports in package.json) is bound-assets.ts, which reads the same files. Not here: the files (assets/), what is made of them (views/words.ts, rules/passwords/).
 */
import ar from './assets/messages/ar.json' with { type: 'json' };
import de from './assets/messages/de.json' with { type: 'json' };
import es from './assets/messages/es.json' with { type: 'json' };
import fr from './assets/messages/fr.json' with { type: 'json' };
import ja from './assets/messages/ja.json' with { type: 'json' };
import ptBr from './assets/messages/pt-BR.json' with { type: 'json' };
import zhHans from './assets/messages/zh-Hans.json' with { type: 'json' };

/** Texts in ICU MessageFormat by their keys. */
export type Messages = Readonly<Record<string, string>>;

/** A Bloom filter: `size` bits in base64, `count` of them for each entry, none of which is shorter than `shortest`. */
export type CommonPasswords = { size: number; count: number; shortest: number; bits: string };

/** The languages beside English, by the tags of languages.ts. */
export const translations: Record<string, Messages> = { de, es, fr, 'pt-BR': ptBr, ar, ja, 'zh-Hans': zhHans };

/** Loaded when the first password is chosen: most processes never need it. */
export async function commonPasswords(): Promise<CommonPasswords> {
  return (await import('./assets/common-passwords.json', { with: { type: 'json' } })).default;
}
