import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { drain, relay } from './relay.ts';

test('whoever asks while a run goes on, or at any moment of its end, is answered by one more round', async () => {
  for (let moments = 0; moments < 8; moments++) {
    let rounds = 0;
    const relayed = relay(
      async () => {
        rounds += 1;
        return 0;
      },
      () => {},
    );
    void relayed.run();
    for (let moment = 0; moment < moments; moment++) await undefined;
    void relayed.run();
    await setImmediate();
    assert.equal(rounds, 2, `${moments} moments later`);
  }
});

test('who began is answered after their own round, however often others ask for more meanwhile', async () => {
  const held: PromiseWithResolvers<number>[] = [];
  const relayed = relay(
    () => {
      const round = Promise.withResolvers<number>();
      held.push(round);
      return round.promise;
    },
    () => {},
  );
  const first = relayed.run();
  const [second, third] = [relayed.run(), relayed.run()];
  held[0]?.resolve(1);

  assert.equal(await first, 1);
  await setImmediate();
  assert.equal(held.length, 2);
  const fourth = relayed.run();
  held[1]?.resolve(2);
  assert.deepEqual(await Promise.all([second, third]), [2, 2]);
  await setImmediate();
  held[2]?.resolve(3);
  assert.equal(await fourth, 3);
  assert.equal(held.length, 3);
});

test('a round that fails is reported, and the next one runs', async () => {
  let rounds = 0;
  const failures: unknown[] = [];
  const relayed = relay(
    async () => {
      rounds += 1;
      if (rounds === 1) throw new Error('the database is away');
      return 1;
    },
    (cause) => failures.push(cause),
  );

  relayed.soon();
  await relayed.idle();
  assert.equal(await relayed.run(), 1);
  assert.equal(failures.length, 1);
});

test('an end waits for the batch in hand, claims no more, and whoever asks afterwards is not answered by a run', async () => {
  let claimed = 0;
  const letGo: (() => void)[] = [];
  const relayed = relay(
    (goesOn) =>
      drain({
        batch: 2,
        goesOn,
        claim: async (limit) => Array.from({ length: limit }, () => claimed++),
        handOver: () => new Promise<void>((resolve) => letGo.push(resolve)),
      }),
    () => {},
  );
  relayed.soon();
  await setImmediate();
  let ended = false;
  const ending = relayed.end().then(() => {
    ended = true;
  });
  await setImmediate();

  assert.deepEqual([claimed, ended], [2, false]);
  for (const go of letGo) go();
  await ending;
  assert.equal(await relayed.run(), 0);
  assert.equal(claimed, 2);
});

test('where work ends with its request, an end still waits for all of it', async () => {
  const held = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
  let rounds = 0;
  let over = false;
  const relayed = relay(
    () => (held[rounds++] ?? assert.fail()).promise,
    () => {},
    { apart: true },
  );
  relayed.soon();
  relayed.soon();
  const ended = relayed.end().then(() => {
    over = true;
  });

  held[1]?.resolve(1);
  await setImmediate();
  assert.deepEqual([rounds, over], [2, false]);
  held[0]?.reject(new Error('away'));
  await ended;
});

test('where work ends with its request, nobody waits for the run of another', async () => {
  let rounds = 0;
  const kept: Promise<unknown>[] = [];
  const relayed = relay(
    () => {
      rounds += 1;
      return rounds === 1 ? new Promise<number>(() => {}) : Promise.resolve(rounds);
    },
    () => {},
    { waitUntil: (work) => void kept.push(work) },
  );

  relayed.soon();
  assert.equal(await relayed.run(), 2);
  assert.equal(kept.length, 1);
});
