/**
 * Owns: the few drawings of the pages, as constants that take the colour of the text around them. Each stands beside words that say the same.
 */
import { raw } from 'hono/html';

const svg = (shape: string) =>
  raw(
    `<svg class="icon" viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">${shape}</svg>`,
  );

export const icons = {
  identity: svg('<circle cx="10" cy="6.75" r="3.25"/><path d="M3.75 17c.6-3.4 3-5.25 6.25-5.25s5.65 1.85 6.25 5.25"/>'),
  see: svg('<path d="M1.75 10S4.75 4.5 10 4.5 18.25 10 18.25 10 15.25 15.5 10 15.5 1.75 10 1.75 10z"/><circle cx="10" cy="10" r="2.5"/>'),
  change: svg('<path d="M12.75 4.25l3 3L7 16l-3.75.75L4 13z"/><path d="M11 6l3 3"/>'),
  delete: svg('<path d="M3.5 5.5h13M8 5.5v-2h4v2M5 5.5l.75 11h8.5L15 5.5M8.25 8.75v4.75M11.75 8.75v4.75"/>'),
  admin: svg('<circle cx="6.75" cy="13.25" r="3.5"/><path d="M9.25 10.75L16.5 3.5M13.25 6.75l2.5 2.5"/>'),
  approved: svg('<path d="M10 2l6.5 2.5v4.75c0 4-2.6 7.1-6.5 8.75-3.9-1.65-6.5-4.75-6.5-8.75V4.5z"/><path d="M7 10l2.1 2.1L13.2 8"/>'),
  document: svg(
    '<circle cx="10" cy="10" r="7.75"/><path d="M2.25 10h15.5M10 2.25c2.2 2.1 3.25 4.7 3.25 7.75S12.2 15.65 10 17.75C7.8 15.65 6.75 13.05 6.75 10S7.8 4.35 10 2.25z"/>',
  ),
  dynamic: svg('<path d="M10 2.5l8 14.25H2z"/><path d="M10 8v4M10 14.4v.1"/>'),
  demo: svg('<path d="M7.5 2.5h5M8.25 2.5v5L3.5 15.75c-.5.9.1 1.75 1 1.75h11c.9 0 1.5-.85 1-1.75L11.75 7.5v-5M6 12.5h8"/>'),
  warning: svg('<path d="M10 2.5l8 14.25H2z"/><path d="M10 8v4M10 14.4v.1"/>'),
  done: svg('<circle cx="10" cy="10" r="7.75"/><path d="M6.5 10.25l2.4 2.4 4.6-5"/>'),
  closed: svg('<circle cx="10" cy="10" r="7.75"/><path d="M7 7l6 6M13 7l-6 6"/>'),
  paused: svg('<circle cx="10" cy="10" r="7.75"/><path d="M8 7v6M12 7v6"/>'),
  service: svg('<circle cx="10" cy="7" r="3.5"/><path d="M8.4 10.25L7.25 16.5h5.5l-1.15-6.25"/>'),
  host: svg('<rect x="4" y="8.75" width="12" height="8.25" rx="1.75"/><path d="M6.75 8.75V6.25a3.25 3.25 0 0 1 6.5 0v2.5"/>'),
} as const;

/** The picture in the browser's tab: a keyhole, inside the page because the content policy allows `data:` images and nothing else. */
export const tabIcon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%230d5c57'/%3E%3Cpath d='M16 8a4.5 4.5 0 0 0-2.2 8.4L12.5 24h7l-1.3-7.6A4.5 4.5 0 0 0 16 8z' fill='%23fff'/%3E%3C/svg%3E";
