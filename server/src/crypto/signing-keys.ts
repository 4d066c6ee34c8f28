/**
 * The keys that sign, for one tenant: made on first use, sealed at rest, rotated with overlap. A key is published long enough before it signs that every
 * cached JWKS knows it, and stays published until the last token it signed has expired (OIDC Core §10.1.1). An RS256 key always exists (RFC 9068 §2.1).
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { auditEvent } from '../audit/event.ts';
import type { SigningKeyRow, Store } from '../storage/store.ts';
import { sha256 } from './hash.ts';
import type { InstanceKeys } from './instance-keys.ts';
import { type Algorithm, type Claims, decodeJwt, type Jwt, jwtHeader, signJwt, verifySignature } from './jwt.ts';

/** How long others may cache the JWKS, in seconds; what discovery/jwks.ts says in Cache-Control. */
export const jwksMaxAge = 600;
const clockSkew = 60;
/** How long a node may go on with the keys it has read, in seconds. */
export const keysReloadAfter = 30;
/** How often unknown keys may have them read again. */
const rereadsPerSecond = 10;
/** A new key is published this long before it signs (KEY-02). */
export const publishAhead = jwksMaxAge + clockSkew + keysReloadAfter;

export type KeySet = {
  /** Signs with the living key of the algorithm, by default the access token's. */
  sign(typ: string, claims: Claims, algorithm?: Algorithm): string;
  /** The token if one of our published keys signed it, with the algorithm of that key (RFC 8725 §3.1). Says nothing about typ, iss, aud or exp. */
  verify(token: string): Jwt | undefined;
  has(kid: string): boolean;
  /** The public JWKS as JSON text. */
  readonly jwks: string;
};

export type SigningKeys = {
  current(): KeySet | Promise<KeySet>;
  /** Verifies a token that {@link current} could not, with keys read again when its `kid` is new here: another node may just have begun to sign with it. Made-up ones cost few reads. */
  verifyNewer(token: string): Promise<Jwt | undefined>;
  /** Adds a successor when the signing key is older than `signingKeySeconds`; called by the sweep. */
  rotateIfDue(): Promise<void>;
  /** Adds a successor with overlap. It signs once every cache knows it, or with `atOnce` at once: then who cached the JWKS may refuse its tokens until they read it again. Resolves to the new kid. */
  rotate(algorithm: Algorithm, by?: { actor?: string; atOnce?: boolean }): Promise<string>;
  /** Drops a compromised key at once: its tokens fail from the next read of the keys on (KEY-03). */
  drop(kid: string, actor: string): Promise<boolean>;
};

type Settings = { store: Store; instance: InstanceKeys; now: () => number; algorithm: Algorithm; signingKeySeconds: number; tokenSeconds: number };
type LoadedKey = { row: SigningKeyRow; algorithm: Algorithm; privateKey: KeyObject; publicKey: KeyObject; headers: Map<string, string> };

export function signingKeys(settings: Settings): SigningKeys {
  const { store, now, algorithm, signingKeySeconds } = settings;
  const needed: Algorithm[] = algorithm === 'RS256' ? ['RS256'] : [algorithm, 'RS256'];
  let loaded: { set: KeySet; keys: LoadedKey[]; at: number } | undefined;
  let loading: Promise<KeySet> | undefined;
  let reread = { at: 0, left: rereadsPerSecond };

  function current(): KeySet | Promise<KeySet> {
    // Also when the clock went back: then they would be old for as long as it went.
    if (loaded && Math.abs(now() - loaded.at) < keysReloadAfter) return loaded.set;
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  }

  async function verifyNewer(token: string): Promise<Jwt | undefined> {
    const kid = decodeJwt(token)?.header.kid;
    if (kid === undefined || loaded?.set.has(kid)) return undefined;
    if (reread.at !== now()) reread = { at: now(), left: rereadsPerSecond };
    if (reread.left-- <= 0) return undefined;
    // Stale, not gone: keys that were opened need not be opened again.
    if (loaded) loaded.at = Number.NEGATIVE_INFINITY;
    return (await current()).verify(token);
  }

  async function load(): Promise<KeySet> {
    const known = new Map(loaded?.keys.map((key) => [key.row.kid, key]));
    const opened = (rows: SigningKeyRow[]) => rows.map((row) => ({ ...(known.get(row.kid) ?? openKey(row, settings.instance)), row }));
    const rows = await store.listSigningKeys(now());
    // Before any is added: with another secret than theirs nothing is written.
    let keys = opened(rows);
    const missing = needed.filter((one) => !signer(rows, one, now()));
    for (const one of missing)
      await store.addSigningKey(
        newKey(one, now(), now(), settings.instance),
        'onlyIfNone',
        auditEvent('signing_key.added', now(), 'system', { detail: { algorithm: one } }),
      );
    if (missing.length > 0) keys = opened(await store.listSigningKeys(now()));
    loaded = { keys, at: now(), set: keySet(keys, algorithm, now) };
    return loaded.set;
  }

  async function rotate(
    which: Algorithm,
    { actor = 'system', atOnce = false, only }: { actor?: string; atOnce?: boolean; only?: string } = {},
  ): Promise<string> {
    const time = now();
    const signsFrom = atOnce ? time : time + publishAhead;
    const key = newKey(which, time, signsFrom, settings.instance);
    // Nodes that have not read the keys again yet go on with the older one for a moment.
    const older = { signsUntil: signsFrom, publishedUntil: signsFrom + keysReloadAfter + settings.tokenSeconds + clockSkew, only };
    await store.addSigningKey(key, older, auditEvent('signing_key.added', time, actor, { detail: { algorithm: which, kid: key.kid, at_once: atOnce } }));
    loaded = undefined;
    return key.kid;
  }

  return {
    current,
    verifyNewer,
    rotate,
    async rotateIfDue() {
      await current();
      // Read for this: the keys at hand may be from before another node rotated them.
      const rows = await store.listSigningKeys(now());
      for (const one of needed) {
        const newest = rows
          .filter((row) => row.algorithm === one)
          .toSorted((a, b) => a.signsFrom - b.signsFrom)
          .at(-1);
        if (newest && now() - newest.signsFrom >= signingKeySeconds) await rotate(one, { only: newest.kid });
      }
    },
    async drop(kid, actor) {
      const dropped = await store.dropSigningKey(kid, auditEvent('signing_key.dropped', now(), actor, { detail: { kid } }));
      loaded = undefined;
      return dropped;
    },
  };
}

function keySet(keys: LoadedKey[], byDefault: Algorithm, now: () => number): KeySet {
  const byKid = new Map(keys.map((key) => [key.row.kid, key]));
  return {
    jwks: JSON.stringify({ keys: keys.map((key) => JSON.parse(key.row.publicJwk)) }),
    has: (kid) => byKid.has(kid),
    sign(typ, claims, algorithm = byDefault) {
      const row = signer(
        keys.map((key) => key.row),
        algorithm,
        now(),
      );
      const key = row && byKid.get(row.kid);
      if (!key) throw new Error(`no living ${algorithm} key`);
      const header = key.headers.get(typ) ?? jwtHeader(algorithm, key.row.kid, typ);
      key.headers.set(typ, header);
      return signJwt(header, claims, algorithm, key.privateKey);
    },
    verify(token) {
      const jwt = decodeJwt(token);
      const key = jwt && byKid.get(jwt.header.kid ?? '');
      // The algorithm is the key's, never the token's choice.
      if (!key || jwt.header.alg !== key.algorithm) return undefined;
      return verifySignature(jwt.input, jwt.signature, key.algorithm, key.publicKey) ? { header: jwt.header, claims: jwt.claims } : undefined;
    },
  };
}

/**
 * The key of the algorithm that signs at this moment: the newest of those living. When none lives, because a clock went back or a key was dropped, the next one does:
 * it is published already.
 */
function signer(rows: SigningKeyRow[], algorithm: Algorithm, now: number): SigningKeyRow | undefined {
  const candidates = rows.filter((row) => row.algorithm === algorithm && (row.signsUntil === undefined || row.signsUntil > now));
  const living = candidates.filter((row) => row.signsFrom <= now);
  if (living.length > 0) return living.reduce((best, row) => (row.signsFrom > best.signsFrom ? row : best));
  return candidates.reduce<SigningKeyRow | undefined>((best, row) => (best && best.signsFrom <= row.signsFrom ? best : row), undefined);
}

function newKey(algorithm: Algorithm, now: number, signsFrom: number, instance: InstanceKeys): SigningKeyRow {
  const { privateKey, publicKey } = generate(algorithm);
  const jwk = publicKey.export({ format: 'jwk' });
  // Never a dash in front: operators type it, and a command line would read flags.
  const kid = `k${sha256(JSON.stringify(jwk)).slice(0, 21)}`;
  const publicJwk = JSON.stringify({ ...jwk, kid, use: 'sig', alg: algorithm });
  const privateSealed = instance.seal(`signing-key ${kid}`, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
  return { kid, algorithm, publicJwk, privateSealed, createdAt: now, signsFrom };
}

function generate(algorithm: Algorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}

/** @throws {SealBroken} when it was sealed under another secret. */
export function openKey(row: SigningKeyRow, instance: InstanceKeys): LoadedKey {
  const privateKey = createPrivateKey(instance.open(`signing-key ${row.kid}`, row.privateSealed));
  return { row, algorithm: row.algorithm, privateKey, publicKey: createPublicKey(privateKey), headers: new Map() };
}
