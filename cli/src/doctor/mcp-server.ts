/**
 * A protected MCP server as a client without a token meets it: the 401, what its challenge points at, and whether everything it points at agrees.
 */
import { type Challenge, readChallenge } from '../client/challenge.ts';
import { type Fetch, guardedFetch, isLoopback } from '../client/guarded-fetch.ts';
import { findResourceMetadata, metadataAddresses, type ResourceMetadata } from '../client/resource-metadata.ts';
import { findServerMetadata } from '../client/server-metadata.ts';
import { safe } from '../terminal.ts';
import { type Finding, fail, failed, type Look, ok } from './finding.ts';

/** `issuer`: who should guard it, where that is known here. `isRegistered` says whether that server knows a resource. */
export type Expected = { issuer?: string; isRegistered?(resource: string): Promise<boolean>; allowPrivate?: boolean };

const hello = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'auth-agent doctor', version: '1' } },
};

/** Goes to an MCP server without a token, and to where it points. */
export async function* lookAtMcpServer(url: URL, expected: Expected): Look {
  const fetch = guardedFetch({ home: url, allowPrivate: expected.allowPrivate });
  try {
    const answer = await guardedFetch({ home: url, allowPrivate: true })(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' },
      body: JSON.stringify(hello),
    });
    const door = doorOf(answer);
    yield door;
    if (door.level === 'fail') return;
    const challenge = readChallenge(answer.headers.get('www-authenticate')) ?? {};
    yield pointerOf(challenge, url);
    const metadata = await findResourceMetadata(url, challenge.resourceMetadata, fetch);
    if (!metadata) {
      yield fail(`No protected resource metadata at ${metadataAddresses(url, challenge.resourceMetadata).join(' or ')}`, {
        why: 'Clients learn there where to sign in.',
        fix: 'The middleware serves it: the proxy must hand /.well-known/oauth-protected-resource on to the MCP server',
      });
      return;
    }
    yield ok(`Its metadata is for ${safe(metadata.resource)}`);
    yield* guardOf(metadata, expected, fetch);
  } catch (error) {
    yield failed(error);
  }
}

function doorOf({ status, headers }: Response): Finding {
  if (status === 401) {
    if (readChallenge(headers.get('www-authenticate'))) return ok('401 with a challenge for who has no token');
    return fail('Its 401 has no challenge', {
      why: 'Clients read in WWW-Authenticate where to sign in.',
      fix: 'A proxy may remove the header; else use the middleware of this project',
    });
  }
  if (status === 503)
    return fail('Its guard cannot ask the authorization server', {
      fix: 'Its log says why: AUTH_AGENT_URL, the network, or an API key that has ended (auth-agent keys list)',
    });
  if (status < 300)
    return fail('It answers without a token', {
      why: 'Everybody may use it.',
      fix: 'Put the middleware in front of it: sdk/typescript/README.md, sdk/python/README.md',
    });
  return fail(`It answers ${status}`, {
    why: 'A request without a token gets 401 from a protected server.',
    fix: 'Is this the address that clients connect to?',
  });
}

/** What the challenge names is only used where clients may go there (MCP best practices). */
function pointerOf({ resourceMetadata: named }: Challenge, url: URL): Finding {
  if (named === undefined) return ok('The challenge names no metadata: clients look at the well-known addresses');
  if (URL.canParse(named) && metadataAddresses(url, named)[0]?.href === new URL(named).href) return ok('The challenge points to its metadata');
  return fail(`resource_metadata points to ${safe(named)}`, {
    why: 'MCP clients open no other address than a whole one that is https, or on their own computer.',
    fix: 'Register the server under the address that clients connect to: its metadata is on the same origin',
  });
}

async function* guardOf({ resource, authorizationServers }: ResourceMetadata, { issuer, isRegistered }: Expected, fetch: Fetch): Look {
  const [first] = authorizationServers;
  if (first === undefined) {
    yield fail('Its metadata names no authorization server', { fix: 'authorization_servers must name the issuer' });
    return;
  }
  if (issuer !== undefined && !authorizationServers.includes(issuer)) {
    yield fail(`It sends people to ${safe(first)}, not to ${issuer}`, { fix: `AUTH_AGENT_URL=${issuer} where the MCP server runs` });
    return;
  }
  const known = await findServerMetadata(issuer ?? first, fetch);
  if (!known) {
    yield fail(`${safe(first)} has no metadata that could be read`, { fix: `auth-agent doctor where ${safe(first)} runs` });
    return;
  }
  const token = new URL(known.token_endpoint);
  if (token.protocol !== 'https:' && !isLoopback(token))
    yield fail(`The token endpoint ${safe(known.token_endpoint)} is not https`, {
      why: 'The official clients send no secret there.',
      fix: 'AUTH_AGENT_ISSUER=https://… with a proxy that speaks TLS',
    });
  else yield ok(`${safe(known.issuer)} guards it, and agrees`);
  if (isRegistered && !(await isRegistered(resource)))
    yield fail(`${safe(resource)} is not registered there`, {
      why: 'Whoever asks for a token for it gets invalid_target.',
      fix: `auth-agent servers add ${safe(resource)}`,
    });
}
