/**
 * AuthAgentClient: everything that needs the authorization server, in one object with one cache. Framework adapters and the guard stand on it.
 */
import { introspect, revoke } from './authorization-server.ts';
import { isBearerToken, maxTokenLength } from './credentials.ts';
import { tokenHash } from './digest.ts';
import { createProofCheck, type PresentedProof, type ProofCheck } from './dpop.ts';
import { AuthenticationError } from './errors.ts';
import { quoteForLog } from './hints.ts';
import { createKeySource, type KeySource } from './jwks.ts';
import { unverifiedClaims, verifiedClaims } from './jwt.ts';
import { type AuthAgentOptions, checkOptions, type Settings } from './options.ts';
import { acceptedAudiences } from './resource.ts';
import { createServerMetadata, type ServerMetadata } from './server-metadata.ts';
import { withSubjectToken } from './subject-token.ts';
import { createTokenCache, type TokenCache } from './token-cache.ts';
import { type AuthContext, type Expectations, judgeClaims, judgeIntrospection } from './verify.ts';

const sameAddress = 'If both are this server, "resource" and its registered "server_url" must be the same to the letter.';

/**
 * Validates and revokes access tokens of one MCP server.
 *
 * @example
 *     const client = new AuthAgentClient({ serverId: 'srv_abc123', apiKey: process.env.AUTH_AGENT_API_KEY ?? '' });
 *     const user = await client.validateToken(token);
 */
export class AuthAgentClient {
  readonly #settings: Settings;
  readonly #cache: TokenCache;
  readonly #serverMetadata: () => Promise<ServerMetadata>;
  readonly #findKey: KeySource;
  readonly #proofs: ProofCheck;
  #noneGoodYet = true;

  /** @throws {TypeError} naming the option that is missing or wrong. */
  constructor(options: AuthAgentOptions) {
    this.#settings = checkOptions(options);
    const { cacheTtl: lifetime, maxCacheEntries: maxEntries, timeout } = this.#settings;
    // Three requests at most: what is registered, and keys twice.
    this.#cache = createTokenCache({ lifetime, maxEntries, longest: 3 * timeout });
    this.#serverMetadata = createServerMetadata(this.#settings);
    this.#findKey = createKeySource(this.#settings);
    this.#proofs = createProofCheck(this.#settings);
  }

  /** The checked options; a getter, so that printing a client never prints its key. @internal */
  get settings(): Settings {
    return this.#settings;
  }

  /**
   * Says on whose behalf a Bearer token speaks. A good answer is remembered for `cacheTtl` seconds and never past `exp`. Scopes are not checked here.
   *
   * @throws {AuthenticationError} invalid_token for a token that is malformed, inactive, expired, meant for somebody else or bound to a key.
   * @throws {AuthServerUnavailable} when it cannot be known.
   */
  async validateToken(token: string): Promise<AuthContext> {
    if (this.#settings.dpopRequired) throw new AuthenticationError('invalid_token', 'not_bound');
    const auth = await this.#read(token);
    // A token bound to a key is worth nothing as a bare Bearer token (RFC 9449 §7.2).
    if (auth.jkt !== undefined) throw new AuthenticationError('invalid_token', 'key_bound');
    return auth;
  }

  /**
   * Says on whose behalf a token speaks that was presented with a proof (RFC 9449 §7.1). `nonce` is to be announced as `DPoP-Nonce`.
   *
   * @throws {AuthenticationError} invalid_token, invalid_dpop_proof, use_dpop_nonce
   * @throws {AuthServerUnavailable} when it cannot be known.
   * @internal
   */
  async validateBoundToken(token: string, presented: Omit<PresentedProof, 'url'> & { target: string }): Promise<{ auth: AuthContext; nonce?: string }> {
    const auth = await this.#read(token).catch((error: unknown) => {
      throw error instanceof AuthenticationError ? new AuthenticationError(error.code, error.reason, { cause: error, scheme: 'DPoP' }) : error;
    });
    const url = new URL(auth.resource).origin + presented.target;
    const nonce = await this.#proofs.check({ ...presented, url }, auth);
    return { auth, ...(nonce !== undefined && { nonce }) };
  }

  /** Whether a token that was good is still worth something, asked anew. Only a clear no counts against it. Never rejects. @internal */
  async stands(token: string): Promise<boolean> {
    const hash = await tokenHash(token);
    try {
      await this.#cache.ask(hash, () => this.#verify(token, hash), this.#settings.now());
      return true;
    } catch (error) {
      if (!(error instanceof AuthenticationError)) return true;
      this.#cache.forget(hash);
      return false;
    }
  }

  async #read(token: string): Promise<AuthContext> {
    if (token.length > maxTokenLength) throw new AuthenticationError('invalid_token', 'malformed');
    const hashed = tokenHash(token);
    const hash = typeof hashed === 'string' ? hashed : await hashed;
    const now = this.#settings.now();
    const known = this.#cache.find(hash, now);
    if (known) return withSubjectToken(known, token);
    // Only now: what is remembered was well formed, and this costs as much as the rest.
    if (!isBearerToken(token)) throw new AuthenticationError('invalid_token', 'malformed');
    return withSubjectToken(await this.#cache.ask(hash, () => this.#verify(token, hash), now), token);
  }

  /**
   * Revokes a token of this server, and forgets it here at once (RFC 7009).
   *
   * @throws {AuthServerUnavailable} when it is not certain that the token is revoked.
   */
  async revokeToken(token: string): Promise<void> {
    if (this.#settings.apiKey === undefined) throw new TypeError('"apiKey" is needed to revoke tokens');
    const hash = await tokenHash(token);
    await revoke(token, this.#settings);
    // Also an answer from before that is still on its way.
    this.#cache.forget(hash);
  }

  /**
   * Reads what is registered for `serverId`: resource identifier and scopes. Cached for an hour, and over outages.
   *
   * @throws {AuthServerUnavailable} when it was never read before.
   */
  getServerMetadata(): Promise<ServerMetadata> {
    return this.#serverMetadata();
  }

  async #verify(token: string, hash: string): Promise<AuthContext> {
    const resource = this.#settings.resource ?? (await this.#serverMetadata()).resource;
    const claims = this.#settings.verify === 'local' ? await verifiedClaims(token, this.#findKey) : await introspect(token, this.#settings);
    const expected = {
      issuer: this.#settings.issuer,
      resource,
      audiences: acceptedAudiences(resource),
      now: this.#settings.now(),
      maxActors: this.#settings.maxActors,
    };
    try {
      const auth = this.#settings.verify === 'local' ? judgeClaims(claims, expected, hash) : judgeIntrospection(claims, expected, hash);
      this.#noneGoodYet = false;
      return auth;
    } catch (error) {
      this.#explain(error, claims, expected);
      const said = error instanceof AuthenticationError && error.reason === 'inactive' ? unverifiedClaims(token) : undefined;
      if (said) this.#explainInactive(said, expected, hash);
      throw error;
    }
  }

  /** The caller learns only invalid_token; a wrong setup of our own must not be a riddle. */
  #explain(error: unknown, claims: Readonly<Record<string, unknown>>, expected: Expectations, about?: string): void {
    const reason = error instanceof AuthenticationError ? error.reason : '';
    if (reason === 'audience') this.#settings.hint(`a token is for ${quoteForLog(claims.aud)}, this server is ${expected.resource}. ${sameAddress}`, about);
    if (reason === 'issuer')
      this.#settings.hint(`a token is from ${quoteForLog(claims.iss)}, "authServerUrl" is ${expected.issuer}. They must be the same to the letter.`, about);
  }

  /** RFC 7662 §2.2: of a token that is not for who asks nothing is told. So it is taken at its word, for one line a minute. */
  #explainInactive(said: Readonly<Record<string, unknown>>, expected: Expectations, hash: string): void {
    try {
      judgeClaims(said, expected, hash);
    } catch (error) {
      this.#explain(error, said, expected, 'inactive');
      return;
    }
    const mixedUp = `"apiKey" is the key of another server than ${this.#settings.serverId}`;
    if (this.#noneGoodYet) this.#settings.hint(`a token for this server is not active, and none was so far. If none ever is, ${mixedUp}.`);
  }
}
