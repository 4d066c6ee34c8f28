import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { mailServer, type Refusals } from '../../../server/test/mail-server.ts';
import { run } from '../run.ts';

async function mailTest(env: Record<string, string>, address = 'you@example.com') {
  const out: string[] = [];
  const terminal = {
    env: { AUTH_AGENT_ISSUER: 'https://auth.example.com', ...env },
    stdin: Object.assign(Readable.from(['']), { isTTY: false }),
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => out.push(text), isTTY: false },
    untilStopped: async () => 'SIGINT' as const,
  };
  return { exit: await run(['mail', 'test', address], terminal), said: out.join('') };
}

test('mail test sends one mail and says so, or says what the server did not like', async () => {
  const refuse: Refusals = {};
  const server = await mailServer({}, refuse);
  const env = { AUTH_AGENT_SMTP_URL: `smtp://127.0.0.1:${server.port}`, AUTH_AGENT_MAIL_FROM: 'Example <auth@example.com>' };

  const sent = await mailTest(env);
  assert.equal(sent.exit, 0, sent.said);
  assert.equal(server.received[0]?.email.subject, 'Auth-Agent: mail works');
  assert.ok(sent.said.includes(server.received[0]?.email.messageId ?? 'none'));

  for (const [refusal, exit, why] of [
    [{ rcpt: 550 }, 6, /refuses mail to you@example\.com/],
    [{ mail: 550 }, 7, /AUTH_AGENT_MAIL_FROM/],
    [{ data: 451 }, 7, /451/],
  ] as const) {
    for (const stage of ['rcpt', 'mail', 'data'] as const) delete refuse[stage];
    Object.assign(refuse, refusal);
    const failed = await mailTest(env);
    assert.equal(failed.exit, exit, failed.said);
    assert.match(failed.said, why);
  }
  assert.match(
    (await mailTest({ ...env, AUTH_AGENT_SMTP_URL: `smtps://127.0.0.1:${server.port}` })).said,
    /no TLS whose certificate can be trusted; smtps:\/\/ is for port 465/,
  );
  await server.close();
  assert.match((await mailTest(env)).said, /Nothing answers at the host and port/);
});

test('mail test without settings, or to no address, says what is missing and repeats no password', async () => {
  const url = 'smtp://robot:hunter2@mail.example/?x';
  for (const [env, address, exit, why] of [
    [{}, undefined, 2, /AUTH_AGENT_SMTP_URL=/],
    [{ AUTH_AGENT_SMTP_URL: url }, undefined, 2, /AUTH_AGENT_MAIL_FROM=/],
    [{ AUTH_AGENT_SMTP_URL: url, AUTH_AGENT_MAIL_FROM: 'a@b.example' }, undefined, 2, /"smtpUrl" must be/],
    [{ AUTH_AGENT_SMTP_URL: 'smtp://mail.example', AUTH_AGENT_MAIL_FROM: 'a@b.example' }, 'nobody', 2, /no e-mail address/],
  ] as const) {
    const failed = await mailTest(env, address);
    assert.equal(failed.exit, exit, failed.said);
    assert.match(failed.said, why);
    assert.ok(!failed.said.includes('hunter2'));
  }
});
