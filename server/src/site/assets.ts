/**
 * Serves the stylesheet and the script of the pages under names made of their content, so that they may be kept for ever.
 */
import { OAuthError } from '../errors.ts';
import type { Handler, Route } from '../route.ts';
import { accentPath, accentStylesheet } from '../views/accent.ts';
import { assets } from '../views/assets.ts';

const forEver = 'public, max-age=31536000, immutable';

const files: Route[] = assets.map(({ path, contentType, body }) => {
  const serve: Handler = () => ({ status: 200, text: body, headers: { 'Content-Type': contentType, 'Cache-Control': forEver } });
  return { path, surface: 'page', vital: true, methods: { GET: serve } };
});

/** GET /assets/accent/:color: a function of the colour in its name, so any colour may be asked for. */
const accent: Handler = ({ params }) => {
  const color = params.color ?? '';
  if (!/^[0-9a-f]{6}$/.test(color)) throw new OAuthError('not_found', 'There is nothing at this address');
  return { status: 200, text: accentStylesheet(color), headers: { 'Content-Type': 'text/css; charset=utf-8', 'Cache-Control': forEver } };
};

export const assetRoutes: Route[] = [...files, { path: accentPath(':color'), surface: 'page', methods: { GET: accent } }];
