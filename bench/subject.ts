/**
 * What a hot path may ask of the server it prepares requests for: facts made at its start, codes by the thousand (which over HTTP would take a person), and
 * plain requests. This server and every peer answer the same questions.
 */

/** Of this server. */
export const issuer = 'https://auth.example.com';
export const secret = 'a secret of the benchmark, long enough';
/** Limits that are counted as everywhere, and never reached. */
export const unreached = ['introspect.caller', 'token.client', 'authorize.person', 'refresh.grant', 'device.client'].map((name) => `${name}=100000000/1m`);

/** What every server of the benchmark is given. */
export const app = { id: 'client_bench', redirectUri: 'http://127.0.0.1:4711/callback' };
export const machine = { id: 'machine_bench', secret: 'machine-secret-of-the-benchmark' };
/** Speaks for the MCP server of the benchmark, and calls the next one for people. */
export const speaker = { id: 'speaker_bench', secret: 'speaker-secret-of-the-benchmark' };
export const nextResource = 'https://next.example.com/mcp';
/** A machine known by the key in {@link Facts}. */
export const keyed = { id: 'keyed_bench' };
export const resource = 'https://mcp.example.com/mcp';
export const scope = 'files:read files:write';

/** What a server says when it is ready. A peer leaves out what it has not. */
export type Facts = {
  port: number;
  /** The process to measure, where it is not the one that says this. */
  pid?: number;
  /** Another node on the same database; a peer that has no database has none. */
  otherPort?: number;
  /** The Authorization header that may introspect tokens of the resource. */
  introspector: Record<string, string>;
  people: { username: string; password: string }[];
  /** The private key (ES256) of the machine that has one, and what its assertions are addressed to. */
  key?: { privateJwk: JsonWebKey; audience: string };
  paths: {
    token: string;
    metadata: string;
    jwks: string;
    protectedResource?: string;
    introspect?: string;
    revoke?: string;
    /** Where devices get their codes (RFC 8628). */
    device?: string;
    /** The public address of the token endpoint, where proofs of possession are taken. */
    dpop?: string;
    /** The resource for which the speaker may exchange people's tokens (RFC 8693). */
    exchange?: string;
    pages?: { authorize: string; consent: string; signIn: string };
  };
};

export type Subject = Facts & {
  /** Fresh authorization codes for the app, whose verifier is {@link verifier}. */
  codes(count: number): Promise<string[]>;
  /** Session cookies, each of another person who is signed in; nothing where a server has no pages. */
  sessions(count: number): Promise<string[]>;
  /** A plain request, for preparation. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** The same at another node, or here where there is none. */
  elsewhere(path: string, init?: RequestInit): Promise<Response>;
};

/** RFC 7636 Appendix B. */
export const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
export const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

/** Runs `count` preparations, `at` once at a time, and keeps their order. */
export async function many<Value>(count: number, make: (index: number) => Promise<Value>, at = 16): Promise<Value[]> {
  const made: Value[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = next++;
      made[index] = await make(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(at, count) }, worker));
  return made;
}
