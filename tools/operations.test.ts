/**
 * The dashboard and the alerts that are handed to operators ask only for metrics, labels and label values that exist, every metric of ours is on the dashboard, and
 * every event of the record is in its list.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventTypes } from '../server/src/audit/event.ts';
import { errorCodes } from '../server/src/errors.ts';
import { metrics, families as ours } from '../server/src/runtimes/telemetry/metrics.ts';
import { routes } from '../server/src/server.ts';
import { grantTypes } from '../server/src/token/grants/index.ts';
import { metric, readPrometheusText } from '../server/test/prometheus-text.ts';

type Panel = {
  title: string;
  description?: string;
  type: string;
  id: number;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string }[];
};
type Dashboard = { uid: string; templating: { list: { name: string; query: string | { query: string } }[] }; panels: Panel[] };

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const dashboard = JSON.parse(read('docs/operations/grafana.json')) as Dashboard;
const alerts = read('docs/operations/alerts.yaml');
const queries = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
const rules = [...alerts.matchAll(/- alert: (\w+)\n +expr: (.+)/g)].map(([, title = '', expr = '']) => ({ title, expr }));

/** Every family with its labels, as they are written. */
function known(): Map<string, { type: string; labels: readonly string[] }> {
  const counted = metrics({ version: '1', runtime: 'node', database: 'sqlite' });
  try {
    return new Map([...readPrometheusText(counted.text())].map(([name, { type }]) => [name, { type, labels: labelsOf(name) }]));
  } finally {
    counted.close();
  }
}
const labelsOf = (name: string): readonly string[] => Object.values(ours).find((family) => family.name === name)?.labels ?? [];
const families = known();
const named = (expr: string): string[] => expr.match(/\b(?:auth_agent|process|nodejs)_[a-z0-9_]+/g) ?? [];
const familyOf = (name: string): string => (families.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ''));

for (const { title, expr } of [...queries, ...rules])
  test(`"${title}" asks for what there is`, () => {
    const names = named(expr);
    assert.ok(names.length > 0);
    const labels = new Set(['job', 'instance', 'le']);
    for (const name of names) {
      const family = families.get(familyOf(name));
      assert.ok(family, name);
      assert.equal(family.type === 'histogram', name !== familyOf(name), `${name} is how a ${family.type} is asked for`);
      if (family.type === 'counter') assert.match(expr, /rate\(|increase\(/, `${name} only rises`);
      for (const label of family.labels) labels.add(label);
    }
    const asked = [...expr.matchAll(/by \(([^)]+)\)/g)].flatMap(([, list = '']) => list.split(',').map((one) => one.trim()));
    for (const label of [...asked, ...[...expr.matchAll(/(\w+)(?:=~|!=|=)"/g)].map(([, label = '']) => label)]) assert.ok(labels.has(label), label);
    const values: Record<string, string[]> = {
      outcome: [...Object.keys(errorCodes), 'ok', 'failed'],
      grant: grantTypes.map(({ name }) => name),
      route: routes.map(({ path }) => path),
      status: ['2xx', '3xx', '4xx', '5xx'],
      limit: ['guesses'],
    };
    for (const [, label = '', value = ''] of expr.matchAll(/(\w+)!?="([^"$]+)"/g)) assert.ok(values[label]?.includes(value), `${label}="${value}"`);
    assert.equal(expr.split('(').length, expr.split(')').length);
  });

test('every metric of ours is on the dashboard or in an alert', () => {
  const shown = new Set([...queries, ...rules].flatMap(({ expr }) => named(expr).map(familyOf)));

  assert.deepEqual(
    [...families.keys()].filter((name) => name.startsWith('auth_agent_') && !shown.has(name)),
    [],
  );
});

test('the panels of the dashboard have words, ids of their own and places that do not overlap', () => {
  const panels = dashboard.panels.filter(({ type }) => type !== 'row');
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${x + (index % w)} ${y + Math.floor(index / w)}`),
  );

  assert.ok(panels.every(({ title, description }) => title !== '' && description?.endsWith('.')));
  assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  assert.equal(new Set(cells).size, cells.length);
  assert.ok(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24));
});

test('[OPS-03] an alert compares the clock of each node with that of Prometheus', () => {
  const rule = rules.find(({ title }) => title === 'AuthAgentClockWrong');
  const [, most] = /^abs\(auth_agent_time_seconds - timestamp\(auth_agent_time_seconds\)\) > (\d+)$/.exec(rule?.expr ?? '') ?? [];
  const counted = metrics({ version: '1', runtime: 'node', database: 'sqlite' });
  const before = Date.now() / 1000;
  const shown = metric(readPrometheusText(counted.text()), 'auth_agent_time_seconds') ?? 0;
  counted.close();

  assert.ok(shown >= before - 0.001 && shown <= Date.now() / 1000 + 0.001, String(shown));
  // Verifiers allow for a minute.
  assert.ok(Number(most) > 0 && Number(most) < 60);
});

test('every alert names a section of DEPLOYMENT.md that is there', () => {
  const headings = [...read('DEPLOYMENT.md').matchAll(/^#+ (.+)$/gm)].map(([, text = '']) =>
    text
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/\s/g, '-'),
  );
  const places = [...alerts.matchAll(/runbook: 'DEPLOYMENT\.md#([^']+)'/g)].map(([, place = '']) => place);

  assert.equal(places.length, rules.length);
  for (const place of places) assert.ok(headings.includes(place), place);
});

test('docs/operations.md lists every event of the record, and no other', () => {
  const [, section = ''] = /\n### What is in it\n([\s\S]*?)\n### /.exec(read('docs/operations.md')) ?? [];
  const rows = section.split('\n').filter((line) => line.startsWith('|'));

  assert.deepEqual([...rows.join().matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name).toSorted(), [...eventTypes].toSorted());
});
