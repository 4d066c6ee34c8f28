/**
 * Owns: English made strange. `en-XA` is accented, two fifths longer and stands in brackets, so that words without brackets were never translated and boxes that are too
 * small burst; `ar-XB` runs from right to left. For tests and development (option `pseudoLanguages`); no person reads them.
 */
import { IntlMessageFormat } from 'intl-messageformat';

type Element = ReturnType<IntlMessageFormat['getAst']>[number];
type Literal = Extract<Element, { value: string; type: 0 }>;

const plain = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const strange = 'åƀçđéƒĝĥîĵķļɱñöþɋřšţûṽŵẋýžÅƁÇĐÉƑĜĤÎĴĶĻṀÑÖÞǪŘŠŢÛṼŴẊÝŽ';
const accents = new Map([...plain].map((letter, index) => [letter, [...strange][index] ?? letter]));
const filler = ' ŧĥŕéé ḟîṽé šîẋ šéṽéñ éîĝĥţ';

/** The message in a pseudo language, its placeholders in their places. */
export function pseudoMessage(text: string, language: 'en-XA' | 'ar-XB'): Element[] {
  const elements = new IntlMessageFormat(text, 'en', undefined, { ignoreTag: true }).getAst();
  if (language === 'ar-XB') return changed(elements, (words) => words.replace(/[\p{L}\p{N}][^\s]*/gu, (word) => `\u202E${word}\u202C`));
  const accented = changed(elements, (words) => [...words].map((letter) => accents.get(letter) ?? letter).join(''));
  const longer = Math.ceil(text.length * 0.4);
  return [literal('⟦'), ...accented, literal(`${filler.repeat(Math.ceil(longer / filler.length)).slice(0, longer)}⟧`)];
}

function changed(elements: readonly Element[], change: (words: string) => string): Element[] {
  return elements.map((element) => {
    if (element.type === 0) return { ...element, value: change(element.value) };
    if (!('options' in element)) return element;
    const options = Object.entries(element.options).map(([name, option]) => [name, { ...option, value: changed(option.value, change) }]);
    return { ...element, options: Object.fromEntries(options) } as Element;
  });
}

function literal(value: string): Literal {
  return { type: 0, value };
}
