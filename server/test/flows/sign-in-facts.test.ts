/**
 * What a token says about the sign-in behind it (`auth_time`, `acr`, `amr`, `sid`), and a request that demands more of it (RFC 9470): from the password in the
 * browser to the ID token, the access token, introspection, and every refresh after.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { auditEvent } from '../../src/audit/event.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { newKey } from '../../src/servers/key-value.ts';
import type { Browser } from '../browser.ts';
import { form, pkce } from '../harness.ts';
import { answerOf, loopback, password, type Stage, stage } from './authorize-stage.ts';
import { bearer, type Json } from './token-stage.ts';

type Tokens = { access_token: string; refresh_token: string; id_token: string };
const openid = { scope: 'openid files:read' };

describe('the facts of a sign-in', () => {
  let on: Stage;
  before(async () => {
    on = await stage();
  });
  after(() => on.close());

  async function tokens(browser: Browser, more: Record<string, string> = {}): Promise<Tokens> {
    const consent = await browser.open(on.url({ ...openid, ...more }));
    const { code = '' } = answerOf((await browser.submit(consent, {}, 'allow')).refresh);
    return token({ grant_type: 'authorization_code', code, code_verifier: pkce.verifier, redirect_uri: loopback });
  }
  async function token(values: Record<string, string>): Promise<Tokens> {
    const response = await on.request('/token', form({ client_id: 'client_known', ...values }));
    assert.equal(response.status, 200);
    return (await response.json()) as Tokens;
  }
  const facts = ({ auth_time, acr, amr }: Json) => ({ auth_time, acr, amr });

  test('[IDT-01] [JWT-02] [INT-04] [AZ-23] ID token, access token and introspection say when and how the person signed in', async () => {
    const browser = await on.signedIn();
    const signedInAt = on.clock.now();
    on.clock.advance(100);
    const { id_token, access_token } = await tokens(browser, { acr_values: 'aal2 aal1' });
    const key = newKey();
    const row = { id: key.id, serverId: on.mcp.id, name: 'test', secretHash: key.hash, createdAt: signedInAt, expiresAt: signedInAt + 86400 };
    await on.store.addKey(row, auditEvent('key.created', signedInAt, 'test'));
    const introspected = (await (await on.request('/introspect', form({ token: access_token }, bearer(key.secret)))).json()) as Json;

    const expected = { auth_time: signedInAt, acr: 'aal1', amr: ['pwd'] };
    for (const said of [decodeJwt(id_token), decodeJwt(access_token), introspected]) assert.deepEqual(facts(said), expected);
    assert.match(String(decodeJwt(id_token).sid), /^[A-Za-z0-9_-]{22}$/);
    assert.equal('sid' in decodeJwt(access_token), false);
  });

  test('[RT-08] a refresh keeps them, whatever happens to the session since', async () => {
    const browser = await on.signedIn();
    const first = await tokens(browser);
    on.clock.advance(200);
    await browser.submit(await browser.open('/logout'));
    const second = await token({ grant_type: 'refresh_token', refresh_token: first.refresh_token });

    assert.deepEqual(facts(decodeJwt(second.access_token)), facts(decodeJwt(first.access_token)));
  });

  test('[AZ-23] a session of which nobody knows how it began confirms before a level is promised, and silently it is refused', async () => {
    const browser = on.browser();
    await browser.open('/login');
    const now = on.clock.now();
    const session = {
      idHash: sha256('s'.repeat(43)),
      userId: on.user.id,
      authTime: now,
      createdAt: now,
      seenAt: now,
      idleSeconds: 3600,
      expiresAt: now + 3600,
    };
    await on.store.startSession(session, undefined, auditEvent('user.signed_in', now, 'test'));
    browser.cookies.set('__Host-aa_session', 's'.repeat(43));

    assert.match((await browser.open(on.url())).url, /\/authorize\/consent/);
    const silent = await browser.open(on.url({ ...openid, acr_values: 'aal1', prompt: 'none' }));
    assert.equal(answerOf(silent.url).error, 'login_required');
    const page = await browser.open(on.url({ ...openid, acr_values: 'aal1' }));
    assert.match(page.title, /^Confirm it's you/);
    const consent = await browser.submit(page, { username: on.user.username, password });
    assert.match(consent.title, /^Allow|^Reconnect|^Claude Code asks/);
  });

  test('[LO-03] a session keeps its name for clients when its person signs in again, and another person has another', async () => {
    const browser = await on.signedIn();
    const sid = async (more = {}) => decodeJwt((await tokens(browser, more)).id_token).sid;
    const first = await sid();
    on.clock.advance(60);
    await browser.submit(await browser.open('/login?switch=1'), { username: on.user.username, password });
    const again = await sid();
    await on.addUser({ username: 'bob', password });
    await browser.submit(await browser.open('/login?switch=1'), { username: 'bob', password });

    assert.equal(again, first);
    assert.notEqual(await sid(), first);
  });
});
