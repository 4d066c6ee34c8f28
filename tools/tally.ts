/**
 * A reporter for node --test that adds the closing lines: what failed and what was skipped, by name and reason, and one count. With CI=true a skipped test
 * fails the run, because nothing may be left out there without being seen.
 */
type Report = {
  type: string;
  data: { name: string; file?: string; skip?: string | boolean; todo?: string | boolean; details?: { type?: string; error?: { failureType?: string } } };
};

export default async function* tally(events: AsyncIterable<Report>): AsyncGenerator<string> {
  const skipped: string[] = [];
  const failed: string[] = [];
  let passed = 0;
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite') continue;
    const left = data.skip ?? data.todo;
    if (left !== undefined && left !== false) skipped.push(`${data.name}: ${left === true || left === '' ? 'no reason given' : left}`);
    else if (type === 'test:fail') failed.push(`${data.name} (${data.file ?? 'unknown file'})`);
    else passed += 1;
  }
  for (const name of skipped) yield `skipped  ${name}\n`;
  for (const name of failed) yield `failed   ${name}\n`;
  yield `${passed} passed, ${failed.length} failed, ${skipped.length} skipped\n`;
  if (skipped.length > 0 && process.env.CI === 'true') process.exitCode = 1;
}
