/** Draws samples as one SVG: a panel for each thing that must not grow, over the same minutes. Readable on light and on dark. Pure. */
import type { Sample } from './samples.ts';

type Line = { label: string; of(sample: Sample): number };
type Panel = { title: string; unit: string; lines: readonly Line[] };

const panels: readonly Panel[] = [
  {
    title: 'Memory',
    unit: 'MB',
    lines: [
      { label: 'resident', of: ({ rss }) => rss },
      { label: 'heap after a collection', of: ({ heap }) => heap },
    ],
  },
  {
    title: 'Held open',
    unit: '',
    lines: [
      { label: 'descriptors', of: ({ files }) => files },
      { label: 'handles of the event loop', of: ({ handles }) => handles },
    ],
  },
  {
    title: 'Latency of accepted requests',
    unit: 'ms',
    lines: [
      { label: '99th percentile', of: ({ p99 }) => p99 },
      { label: 'median', of: ({ p50 }) => p50 },
    ],
  },
  {
    title: 'Requests a second',
    unit: '',
    lines: [
      { label: 'accepted', of: ({ perSecond }) => perSecond },
      { label: 'refused', of: ({ refusedPerSecond }) => refusedPerSecond },
    ],
  },
  { title: 'Speed of the machine by itself', unit: '%', lines: [{ label: 'of when the capacity was found', of: ({ speed }) => speed * 100 }] },
];

const [width, height, gap] = [760, 150, 62];
const [left, right, top] = [64, 16, 40];
const inner = width - left - right;

/** The whole file. */
export function chart(samples: readonly Sample[]): string {
  const end = Math.max(1, samples.at(-1)?.at ?? 1);
  const x = (at: number) => left + (at / end) * inner;
  const total = top + panels.length * (height + gap);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" role="img" aria-label="Soak: memory, handles, latency and requests over time" font-family="system-ui, sans-serif" font-size="12">
<style>
  svg { background: #fff; color: #1c1917 } .grid { stroke: #d6d3d1 } .quiet { fill: #57534e } .phase { fill: #f5f5f4 }
  .one { stroke: #0f766e } .two { stroke: #b45309 } path { fill: none; stroke-width: 1.75 }
  @media (prefers-color-scheme: dark) {
    svg { background: #1c1917; color: #f5f5f4 } .grid { stroke: #44403c } .quiet { fill: #a8a29e } .phase { fill: #292524 } .one { stroke: #2dd4bf } .two { stroke: #fbbf24 }
  }
  text { fill: currentColor } text.quiet { fill: #78716c }
</style>
${panels.map((panel, index) => drawn(panel, { samples, x, y: top + index * (height + gap), end })).join('\n')}
</svg>
`;
}

type Place = { samples: readonly Sample[]; x(at: number): number; y: number; end: number };

function drawn({ title, unit, lines }: Panel, { samples, x, y, end }: Place): string {
  const most = rounded(Math.max(1, ...lines.flatMap(({ of }) => samples.map(of).filter((value) => !Number.isNaN(value)))));
  const at = (value: number) => y + height - (value / most) * height;
  const grid = [0, 0.5, 1].map((share) => {
    const value = most * share;
    return `<line class="grid" x1="${left}" x2="${width - right}" y1="${at(value)}" y2="${at(value)}"/><text class="quiet" x="${left - 8}" y="${at(value) + 4}" text-anchor="end">${Number(value.toPrecision(3))}</text>`;
  });
  const legend = lines.map(({ label }, index) => {
    const from = width - right - (lines.length - index) * 180;
    return `<path class="${index === 0 ? 'one' : 'two'}" d="M${from} ${y - 14}h20"/><text x="${from + 26}" y="${y - 10}">${label}</text>`;
  });
  const paths = lines.map(
    ({ of }, index) => `<path class="${index === 0 ? 'one' : 'two'}" d="${pathOf(samples, (sample) => [x(sample.at), at(of(sample))])}"/>`,
  );
  return [
    ...phases(samples, { x, y }),
    `<text x="${left}" y="${y - 10}" font-weight="600">${title}${unit && `, ${unit}`}</text>`,
    ...legend,
    ...grid,
    ...paths,
    ...minutes(end).map((minute) => `<text class="quiet" x="${x(minute * 60)}" y="${y + height + 16}" text-anchor="middle">${minute} min</text>`),
  ].join('\n');
}

/** What is not the paced phase lies on a shade, with its name. */
function phases(samples: readonly Sample[], { x, y }: Pick<Place, 'x' | 'y'>): string[] {
  const names = { warm: 'capacity', doubled: 'twice the load' } as const;
  return (['warm', 'doubled'] as const).flatMap((phase) => {
    const first = samples.findIndex((sample) => sample.phase === phase);
    if (first === -1) return [];
    const from = x(samples[first - 1]?.at ?? 0);
    const to = x(samples.findLast((sample) => sample.phase === phase)?.at ?? 0);
    return [
      `<rect class="phase" x="${from}" y="${y}" width="${to - from}" height="${height}"/><text class="quiet" x="${(from + to) / 2}" y="${y + 14}" text-anchor="middle" font-size="10">${names[phase]}</text>`,
    ];
  });
}

function pathOf(samples: readonly Sample[], point: (sample: Sample) => [number, number]): string {
  let pen = 'M';
  let path = '';
  for (const sample of samples) {
    const [x, y] = point(sample);
    if (Number.isNaN(y)) pen = 'M';
    else {
      path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = 'L';
    }
  }
  return path;
}

function rounded(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 5, 10].find((step) => step * unit >= value) ?? 10) * unit;
}

function minutes(seconds: number): number[] {
  const step = Math.max(1, Math.ceil(seconds / 60 / 8));
  return Array.from({ length: Math.floor(seconds / 60 / step) + 1 }, (_, index) => index * step);
}
