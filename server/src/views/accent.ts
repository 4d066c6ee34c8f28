/**
 * Owns: the accent colour of an operator, made fit to be read. Whatever colour was chosen, it is darkened for the light scheme and lightened for the dark one until text in it,
 * and text on it, has contrast AA (WCAG 2.2 §1.4.3). Not owned: every other colour (stylesheet.ts).
 */

type Colour = readonly [red: number, green: number, blue: number];
type Scheme = { grounds: readonly string[]; towards: string; deeper: number; on: string };

/** What text in the accent colour stands on, as stylesheet.ts has it; `on` is the text on the accent colour. */
const light: Scheme = { grounds: ['ffffff', 'f3f2ef', 'f8f7f5'], towards: '000000', deeper: 0.28, on: 'ffffff' };
const dark: Scheme = { grounds: ['191c1f', '101214', '202427'], towards: 'ffffff', deeper: 0.35, on: '101214' };

/** A little more than 4.5, because colours are rounded. */
const enough = 4.6;
const steps = 50;

/** Where the stylesheet of a colour is, below the base of a tenant. `colour` is six hexadecimal digits in lower case. */
export const accentPath = (colour: string): string => `/assets/accent/${colour}`;

/** The stylesheet that goes after that of every page. `colour` is six hexadecimal digits. */
export function accentStylesheet(colour: string): string {
  return `:root { ${variables(colour, light)} }\n@media (prefers-color-scheme: dark) { :root { ${variables(colour, dark)} } }\n`;
}

/** WCAG 2.2, contrast ratio: from 1, the same colour, to 21, black on white. */
export function contrast(one: string, other: string): number {
  const [brighter = 0, darker = 0] = [luminance(parsed(one)), luminance(parsed(other))].sort((a, b) => b - a);
  return (brighter + 0.05) / (darker + 0.05);
}

function variables(colour: string, { grounds, towards, deeper, on }: Scheme): string {
  const accent = readable(colour, grounds, towards);
  return `--accent: #${accent}; --accent-deep: #${mixed(accent, towards, deeper)}; --on-accent: #${on};`;
}

/** The first step on the way to black or white that can be read on all grounds. */
function readable(colour: string, grounds: readonly string[], towards: string): string {
  for (let step = 0; step < steps; step++) {
    const made = mixed(colour, towards, step / steps);
    if (grounds.every((ground) => contrast(made, ground) >= enough)) return made;
  }
  return towards;
}

function mixed(colour: string, towards: string, share: number): string {
  const other = parsed(towards);
  return parsed(colour)
    .map((part, index) => Math.round(part + ((other[index] ?? 0) - part) * share))
    .map((part) => part.toString(16).padStart(2, '0'))
    .join('');
}

function parsed(colour: string): Colour {
  return [0, 2, 4].map((start) => Number.parseInt(colour.slice(start, start + 2), 16)) as unknown as Colour;
}

/** WCAG 2.2, relative luminance. */
function luminance(colour: Colour): number {
  const [red = 0, green = 0, blue = 0] = colour.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
