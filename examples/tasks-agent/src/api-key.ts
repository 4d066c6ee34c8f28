/**
 * The key with which the tasks API asks about tokens. An owner makes one, gives it to the program as API_KEY and never sees it again; in development mode the
 * program can make its own, because there the management API needs no credentials.
 */

export type ApiKey = { secret: string /** Deletes a key that was made for this run. */; release(): Promise<void> };

/** A week: longer than a run of `npm run dev:resource`. */
const lifetimeSeconds = 7 * 86_400;

/** Takes the key from the environment, or makes one at a development server. @throws {Error} that says what to do. */
export async function findApiKey(authServerUrl: string, serverId: string, given = process.env.API_KEY): Promise<ApiKey> {
  if (given) return { secret: given, release: async () => {} };
  const keys = `${authServerUrl}/api/servers/${serverId}/keys`;
  const body = JSON.stringify({ name: 'npm run dev:resource', expires_in: lifetimeSeconds });
  const response = await fetch(keys, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body }).catch(() => undefined);
  if (!response) throw new Error(`Nobody answers at ${authServerUrl}. Start the authorization server first: npm run dev:auth`);
  if (response.status !== 201) throw new Error(`${authServerUrl} gives no key to strangers (${response.status}). Make one and set API_KEY`);
  const { key_id: id, key_secret: secret } = (await response.json()) as { key_id: string; key_secret: string };
  return {
    secret,
    release: async () => {
      // Best effort: without it the key ends by itself.
      await fetch(`${keys}/${id}`, { method: 'DELETE', signal: AbortSignal.timeout(1000) }).catch(() => undefined);
    },
  };
}
