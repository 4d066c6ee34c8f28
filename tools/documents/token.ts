/**
 * What an agent of the demo data has after testuser signed in and allowed it: an access token of `client_claude_code` for one resource.
 */
import { createHash, randomBytes } from 'node:crypto';
import { openPerson } from '../../examples/typescript-server/src/person.ts';

export async function tokenFor(issuer: string, resource: string, scope: string): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const client = { client_id: 'client_claude_code', redirect_uri: 'http://localhost:3000/callback', resource };
  const challenge = { code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' };
  const asked = new URLSearchParams({ response_type: 'code', ...client, ...challenge, scope, state: 'x' });
  const { callback } = await openPerson('testuser', 'testpass').allow(new URL(`${issuer}/authorize?${asked}`));
  const code = callback.searchParams.get('code') ?? '';
  const body = new URLSearchParams({ grant_type: 'authorization_code', code, code_verifier: verifier, ...client });
  const answer = (await (await fetch(`${issuer}/token`, { method: 'POST', body })).json()) as { access_token: string };
  return answer.access_token;
}
