/**
 * The measurements as one picture: for each path the share of the ceiling of every server, with a line from its least to its largest repetition. SVG by hand,
 * because it is rectangles and words; readable on light and on dark. Pure.
 */
import { median, type Row } from './report.ts';

const width = 960;
const labels = 330;
const bar = 14;
const gap = 18;
const top = 64;
const colours = ['#1f6feb', '#d97706', '#b45309', '#16a34a', '#9333ea', '#64748b'];
const style = `text{font:13px system-ui,sans-serif;fill:#1f2328}.quiet{fill:#59636e}.grid{stroke:#d1d9e0}.goal{stroke:#1f2328;stroke-width:2}.spread{stroke:#1f2328}.paper{fill:#fff}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.quiet{fill:#9198a1}.grid{stroke:#3d444d}.goal,.spread{stroke:#f0f6fc}.paper{fill:#0d1117}}`;

/** An SVG document. */
export function chart(rows: Row[]): string {
  const servers = [...new Set(rows.map(({ server }) => server))];
  const paths = [...new Set(rows.map(({ name }) => name))];
  const scale = (share: number) => labels + Math.min(share, 1.05) * ((width - labels - 60) / 1.05);
  const parts: string[] = [];
  let y = top + Math.ceil(servers.length / 3) * 22;
  for (const path of paths) {
    const measured = rows.filter(({ name }) => name === path);
    parts.push(`<text x="8" y="${y + bar - 2}">${escaped(path)}</text>`);
    const from = y;
    for (const row of measured) {
      parts.push(barOf(row, y, scale, colours[servers.indexOf(row.server) % colours.length] ?? ''));
      y += bar + 3;
    }
    const goal = scale(measured[0]?.goal ?? 0);
    parts.push(`<line class="goal" x1="${at(goal)}" x2="${at(goal)}" y1="${from - 3}" y2="${from + bar + 3}"/>`);
    y += gap;
  }
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const x = at(scale(share));
    return `<line class="grid" x1="${x}" x2="${x}" y1="${top + Math.ceil(servers.length / 3) * 22 - 12}" y2="${y - 8}"/><text class="quiet" x="${x}" y="${y + 8}" text-anchor="middle">${share}</text>`;
  });
  const height = y + 24;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Share of the ceiling by path and server">`,
    `<style>${style}</style><rect class="paper" width="${width}" height="${height}"/>`,
    `<text x="8" y="24">Share of a bare node:http server in the same run; thin lines from the least to the largest repetition, upright marks are goals.</text>`,
    ...servers.map(legend),
    ...grid,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function barOf({ ours, bare }: Row, y: number, scale: (share: number) => number, colour: string): string {
  const shares = ours.map((run, index) => run.perSecond / (bare[index]?.perSecond ?? Number.NaN));
  const share = median(ours.map((run) => run.perSecond)) / median(bare.map((run) => run.perSecond));
  const middle = y + bar / 2;
  const [least, largest] = [scale(Math.min(...shares)), scale(Math.max(...shares))];
  const end = scale(share);
  return [
    `<rect x="${labels}" y="${y}" width="${at(Math.max(1, end - labels))}" height="${bar}" fill="${colour}"/>`,
    `<line class="spread" x1="${at(least)}" x2="${at(largest)}" y1="${middle}" y2="${middle}"/>`,
    `<text x="${at(Math.max(end, largest) + 6)}" y="${y + bar - 2}">${share.toFixed(share < 0.1 ? 3 : 2)}</text>`,
  ].join('');
}

function legend(server: string, index: number): string {
  const x = 8 + (index % 3) * 316;
  const y = 38 + Math.floor(index / 3) * 22;
  return `<rect x="${x}" y="${y}" width="14" height="14" fill="${colours[index % colours.length]}"/><text x="${x + 20}" y="${y + 12}">${escaped(server)}</text>`;
}

function at(position: number): string {
  return position.toFixed(1);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
