/**
 * Serves the stylesheet and the script of the pages under names made of their content, so that they may be kept for ever.
 */
import type { Handler, Route } from '../route.ts';
import { assets } from '../views/assets.ts';

export const assetRoutes: Route[] = assets.map(({ path, contentType, body }) => {
  const serve: Handler = () => ({ status: 200, text: body, headers: { 'Content-Type': contentType, 'Cache-Control': 'public, max-age=31536000, immutable' } });
  return { path, surface: 'page', vital: true, methods: { GET: serve } };
});
