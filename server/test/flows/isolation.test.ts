/**
 * What one tenant has is nothing in another. Two tenants live the same life (isolation/life.ts), in which every route of the table is asked; then every request of one is sent
 * again with each of the other's values in its place: ids, tokens, codes, cookies, keys, links, form tokens. The answer must be that to a value which never was, and
 * nothing of the other tenant may be in it or changed by it. That the value counts where it belongs proves that the attack was one.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Context } from '../../src/context.ts';
import { routes } from '../../src/server.ts';
import { live, type World, world } from '../isolation/life.ts';
import { difference, type Recorded, type Rows } from '../isolation/recorder.ts';
import { requestWith, type Slots, slotsOf, unknownLike } from '../isolation/slots.ts';

/** Routes at which no value of a tenant counts, and why. Every other one must have been attacked with something that counts there. */
const holdsNothing: [path: RegExp, why: string][] = [
  [
    /^\/\.well-known\/(oauth-authorization-server|openid-configuration|oauth-protected-resource|jwks\.json|change-password)$/,
    'the same for everybody who asks',
  ],
  [/^\/api\/openapi\.json$|^\/health|^\/(livez|readyz)$|^\/docs\/errors|^\/assets\//, 'the same in every tenant'],
  [/^\/reset\/(sent|done)$/, 'says that something was done, and nothing of whom'],
];

type Attack = { name: string; own: Recorded; other: Recorded; slots: string[] };
type Outcome = { face: string; text: string; changed: string };

const marks = { victim: 'zanzibar', attacker: 'kilimanjaro' };

/** What was attacked already: the second life adds those values that are the same in the first. */
const attacked = new Set<string>();
/** By route, the attacks with what counts there. */
const counted = new Map<string, string[]>();

for (const sameIds of [true, false]) {
  describe(`a tenant and another whose people, servers and clients have ${sameIds ? 'the same ids' : 'ids of their own'}`, () => {
    let on: World;
    let attacks: Attack[];
    before(async () => {
      on = await world();
      const other = await live(on, { slug: 'victim', mark: marks.victim, sameIds });
      const own = await live(on, { slug: 'attacker', mark: marks.attacker, sameIds });
      attacks = attacksOf(own, other);
    });
    after(() => on.close());

    test('every route and method of the table is asked', () => {
      const asked = new Set(attacks.map(({ own }) => `${own.method} ${own.route.path}`));
      const missing = routes.flatMap(({ path, methods }) => Object.keys(methods).map((method) => `${method} ${path}`)).filter((one) => !asked.has(one));
      assert.deepEqual(missing, []);
    });

    test('no value of one tenant is worth anything in the other, at any route', async () => {
      const wrong: string[] = [];
      const rightfuls = new Map<Recorded, Outcome>();
      for (const attack of attacks) {
        const { own, other, slots } = attack;
        if (slots.length === 0 || attacked.has(attack.name)) continue;
        attacked.add(attack.name);
        const [mine, theirs] = [slotsOf(own, 'attacker'), slotsOf(other, 'victim')];
        const unknown = await send(
          attack,
          over(mine, slots, (slot) => unknownLike(theirs.get(slot) ?? '')),
        );
        const stolen = await send(
          attack,
          over(mine, slots, (slot) => theirs.get(slot) ?? ''),
        );
        const rightful = rightfuls.get(own) ?? (await send(attack, mine));
        rightfuls.set(own, rightful);

        if (stolen.face !== unknown.face) wrong.push(`${attack.name}\n${firstDifference(stolen.face, unknown.face)}`);
        if (stolen.changed !== unknown.changed) wrong.push(`${attack.name} changes ${stolen.changed}, an unknown one ${unknown.changed}`);
        const given = slots.some((slot) => (theirs.get(slot) ?? '').includes(marks.victim));
        if (!given && stolen.text.includes(marks.victim)) wrong.push(`${attack.name} shows something of the other tenant`);
        if (rightful.face !== unknown.face || rightful.changed !== unknown.changed)
          counted.set(own.route.path, [...(counted.get(own.route.path) ?? []), attack.name]);
      }
      assert.deepEqual(wrong, []);
    });

    /** Sends a request to the attacker's tenant, with both tenants as they were when it was sent first. The other tenant must be untouched. */
    async function send({ name, own, other }: Attack, slots: Slots): Promise<Outcome> {
      await on.driver.rewind('victim', other.before);
      await on.driver.rewind('attacker', own.before);
      const { path, init } = requestWith(own, slots, 'attacker');
      const response = await on.request(`/t/attacker${path}`, init);
      const text = await response.text();
      const context = (await on.server.context('attacker')) as Context;
      await Promise.all([context.activity.flush(), context.uses.flush(), context.mail.idle()]);

      assert.deepEqual(difference(other.before, await on.driver.rowsOf('victim')), { gone: [], came: [] }, `${name} changes the other tenant`);
      return { text, face: faceOf(response, text, [...slots.values()]), changed: tablesChanged(own.before, await on.driver.rowsOf('attacker')) };
    }
  });
}

test('every route was attacked with a value that counts there, or says why there is none', () => {
  const reason = (path: string) => holdsNothing.some(([pattern]) => pattern.test(path));
  assert.deepEqual(
    routes.map(({ path }) => path).filter((path) => !counted.has(path) && !reason(path)),
    [],
  );
  assert.deepEqual(
    routes.map(({ path }) => path).filter((path) => counted.has(path) && reason(path)),
    [],
    'a reason that is none',
  );
  assert.ok(holdsNothing.every(([pattern]) => routes.some(({ path }) => pattern.test(path))));
});

/** One attack for each value that the attacker's tenant has nowhere, in each kind of request, and one with all of them. */
function attacksOf(own: readonly Recorded[], other: readonly Recorded[]): Attack[] {
  const attacks = new Map<string, Attack>();
  const kinds = (list: readonly Recorded[]) => list.map(({ method, route }) => `${method} ${route.path}`);
  assert.deepEqual(kinds(own), kinds(other), 'the two lives are the same, step by step');
  const known = new Set(own.flatMap((one) => [...slotsOf(one, 'attacker').values()]));
  own.forEach((mine, index) => {
    const theirs = other[index] as Recorded;
    const [values, others] = [slotsOf(mine, 'attacker'), slotsOf(theirs, 'victim')];
    const differing = [...values.keys()].filter((slot) => others.has(slot) && !known.has(others.get(slot) ?? ''));
    const kind = `${mine.method} ${mine.route.path} ${values.get('form:grant_type') ?? ''}${values.get('form:decision') ?? ''}`.trim();
    const who = [...values.keys()].some((slot) => slot.startsWith('cookie:')) ? 'with a browser' : 'alone';
    for (const slots of [...differing.map((slot) => [slot]), differing]) {
      const name = `${kind} ${who}: ${slots.join(' ')}`;
      if (!attacks.has(name)) attacks.set(name, { name, own: mine, other: theirs, slots });
    }
  });
  return [...attacks.values()];
}

const over = (slots: Slots, changed: readonly string[], value: (slot: string) => string): Slots =>
  new Map([...slots, ...changed.map((slot) => [slot, value(slot)] as const)]);

/** What an answer says, without what differs in every answer, and without the values that were sent. */
function faceOf(response: Response, text: string, given: readonly string[]): string {
  const echoed = given.filter((value) => value.length >= 6).toSorted((a, b) => b.length - a.length);
  const plain = (value: string) =>
    echoed
      .flatMap((one) => [one, encodeURIComponent(one), JSON.stringify(one).slice(1, -1), one.replaceAll('&', '&amp;').replaceAll('"', '&quot;')])
      .reduce((left, one) => left.replaceAll(one, '‹given›'), value)
      .replace(/<svg[\s\S]*?<\/svg>|(\b[A-Z2-7]{4} ?){8}/g, '')
      .replace(/[A-Za-z0-9+/_=-]{12,}/g, (word) => (/\d|[A-Z].*[A-Z]/.test(word) ? '‹random›' : word));
  const headers = ['content-type', 'location', 'www-authenticate', 'retry-after', 'cache-control', 'content-security-policy'].map(
    (name) => `${name}: ${plain(response.headers.get(name) ?? '')}`,
  );
  const cookies = response.headers.getSetCookie().map((line) => line.replace(/=[^;]*/, ''));
  return [response.status, ...headers, ...cookies, plain(text)].join('\n');
}

/** Which tables have other rows now, and how many. */
function tablesChanged(earlier: Rows, now: Rows): string {
  const { gone, came } = difference(earlier, now);
  const counts = new Map<string, number>();
  for (const row of [...gone.map((one) => `-${one}`), ...came.map((one) => `+${one}`)]) {
    const table = row.split(' ')[0] ?? '';
    counts.set(table, (counts.get(table) ?? 0) + 1);
  }
  return [...counts]
    .map(([table, count]) => `${table} ${count}`)
    .toSorted()
    .join(', ');
}

function firstDifference(one: string, other: string): string {
  const [lines, others] = [one.split('\n'), other.split('\n')];
  const at = lines.findIndex((line, index) => line !== others[index]);
  return `  stolen:  ${lines[at]?.slice(0, 300)}\n  unknown: ${others[at]?.slice(0, 300)}`;
}
