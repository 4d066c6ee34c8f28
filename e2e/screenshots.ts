/**
 * `npm run screenshots`: every page of the gallery as a picture, phone and desktop, light and dark, and a few from right to left, with a sheet to look at them all
 * (out/screenshots/index.html). Proves nothing; pages.test.ts does.
 *
 *     npm run screenshots
 *     AUTH_AGENT_SCREENSHOTS=consent npm run screenshots    # those whose name has this word
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { noBrowser } from './browser.ts';
import { connectAgents, gallery, type Shown } from './gallery.ts';
import { issuer, type Stand, stand } from './stand.ts';

const folder = new URL('../out/screenshots/', import.meta.url);
const sizes = { desktop: { width: 1280, height: 800 }, phone: { width: 320, height: 568 } };
const schemes = ['light', 'dark'] as const;
/** Those whose order of things is not the same from right to left. */
const mirrored = [
  'home',
  'sign-in',
  'sign-in-document',
  'consent',
  'agents',
  'security',
  'device-compare',
  'error-redirect',
  'docs-errors',
  'ask-access',
  'activity',
];

type Picture = { name: string; title: string; path: string; files: string[]; problem?: string };

test('screenshots of every page', { skip: noBrowser }, async () => {
  const wish = process.env.AUTH_AGENT_SCREENSHOTS ?? '';
  const world = await stand();
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await connectAgents(world);
  const wanted = gallery(world).filter(({ name }) => name.includes(wish));
  const pictures: Picture[] = [];

  for (const [index, shown] of wanted.entries()) {
    console.log(`${String(index + 1).padStart(3)} of ${wanted.length}  ${shown.name}`);
    pictures.push(await take(shown, world));
  }
  await writeFile(new URL('index.html', folder), sheet(pictures));
  console.log(`\n${pictures.reduce((sum, { files }) => sum + files.length, 0)} pictures: ${fileURLToPath(new URL('index.html', folder))}`);
  const failed = pictures.filter(({ problem }) => problem !== undefined);
  if (failed.length > 0) throw new Error(`not reached: ${failed.map(({ name, problem }) => `${name} (${problem})`).join(', ')}`);
});

async function take({ name, as, title, go }: Shown, world: Stand): Promise<Picture> {
  const { page, ...person } = await (as === undefined ? world.open() : world.signedIn(as));
  const picture: Picture = { name, title: '', path: '', files: [] };
  try {
    await go(page);
    picture.title = await page.title();
    picture.path = page.url().replace(issuer, '').split('?')[0] ?? '';
    if (!title.test(picture.title)) picture.problem = `it is "${picture.title}"`;
    for (const scheme of schemes) await shoot(page, picture, scheme);
    if (mirrored.includes(name)) await turn(page, picture);
  } catch (error) {
    picture.problem = String(error).split('\n')[0] ?? '';
  }
  await person.close();
  return picture;
}

async function shoot(page: Page, { name, files }: Picture, look: 'light' | 'dark' | 'rtl'): Promise<void> {
  await page.emulateMedia({ colorScheme: look === 'dark' ? 'dark' : 'light' });
  for (const [where, size] of Object.entries(sizes)) {
    await page.setViewportSize(size);
    const file = `${name}-${look}-${where}.png`;
    await page.screenshot({ path: fileURLToPath(new URL(file, folder)), fullPage: true, animations: 'disabled' });
    files.push(file);
  }
}

async function turn(page: Page, picture: Picture): Promise<void> {
  await page.context().addCookies([{ name: 'aa_language', value: 'ar-XB', url: issuer }]);
  await page.reload();
  await shoot(page, picture, 'rtl');
}

function sheet(pictures: readonly Picture[]): string {
  const rows = pictures.map(
    ({
      name,
      title,
      path,
      files,
      problem,
    }) => `<section id="${name}"><h2>${name}</h2><p>${text(title)} · <code>${text(path)}</code>${problem === undefined ? '' : ` · <strong>${text(problem)}</strong>`}</p>
<div>${files.map((file) => `<a href="${file}"><img src="${file}" alt="${file}" loading="lazy" class="${file.includes('phone') ? 'phone' : 'desktop'}"></a>`).join('\n')}</div></section>`,
  );
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Every page</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem;background:#ddd}h2{margin:2rem 0 0}div{display:flex;flex-wrap:wrap;gap:1rem;align-items:flex-start}img{border:1px solid #999}.desktop{width:34rem}.phone{width:16rem}nav a{display:inline-block;margin-right:.75rem}</style>
<h1>Every page</h1><nav>${pictures.map(({ name }) => `<a href="#${name}">${name}</a>`).join('\n')}</nav>
${rows.join('\n')}
</html>
`;
}

function text(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
