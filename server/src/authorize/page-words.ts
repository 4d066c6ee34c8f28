/**
 * The words of a page of ours, in order: what a receipt keeps of what a person saw. Reads the markup that views/ make, where every text from outside is escaped, so that a
 * `<` is always ours. Pure. Not here: what else a receipt says (receipt.ts), how it is shown again (views/receipt-page.ts).
 */

/** `choice` is a box or a radio button with its words; `name` and `value` are what its form sends. */
export type PageWords = {
  kind: 'h1' | 'h2' | 'h3' | 'h4' | 'p' | 'li' | 'dt' | 'dd' | 'summary' | 'button' | 'legend' | 'choice';
  text: string;
  name?: string;
  value?: string;
};

const kinds = new Set(['h1', 'h2', 'h3', 'h4', 'p', 'li', 'dt', 'dd', 'summary', 'button', 'legend']);
const breaks = new Set([...kinds, 'div', 'ul', 'dl', 'label', 'form', 'fieldset', 'section', 'details']);
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

/** Reads what stands in `main`. */
export function pageWords(html: string): PageWords[] {
  const main = /<main\b[^>]*>([\s\S]*)<\/main>/.exec(html)?.[1] ?? '';
  const words: PageWords[] = [];
  let current: PageWords = { kind: 'p', text: '' };
  const begin = (next: Omit<PageWords, 'text'>) => {
    const text = unescaped(current.text).replace(/\s+/g, ' ').trim();
    if (text !== '') words.push({ ...current, text });
    current = { ...next, text: '' };
  };
  for (const [token, closing, tag = '', attributes = ''] of main.matchAll(/<(\/?)([a-z][a-z0-9]*)\b((?:"[^"]*"|[^">])*)>|[^<]+/g)) {
    if (tag === '') current.text += token;
    else if (tag === 'input' && /type="(?:checkbox|radio)"/.test(attributes)) current = { ...current, ...choiceOf(attributes) };
    else if (breaks.has(tag)) begin({ kind: closing === '' && kinds.has(tag) ? (tag as PageWords['kind']) : 'p' });
  }
  begin({ kind: 'p' });
  return words;
}

function choiceOf(attributes: string): Omit<PageWords, 'text'> {
  const value = (name: string) => unescaped(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '');
  return { kind: 'choice', name: value('name'), value: value('value') };
}

function unescaped(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name] ?? '');
}
