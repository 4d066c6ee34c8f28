/**
 * The only place that reads the environment: which authorization server to trust when no argument names it (contracts §5).
 * Development is `NODE_ENV=development` or `test`, nothing else: an unset NODE_ENV is how production looks on most hosts.
 */

type Environment = Readonly<Record<string, string | undefined>>;

/** Address of a local `auth-agent dev`. */
const developmentServer = 'http://localhost:9000';

/**
 * Names the authorization server: argument, `AUTH_AGENT_URL`, or `http://localhost:9000` in development. Never a hosted third party.
 *
 * @throws {TypeError} naming the variable when none of them applies, as on runtimes without `process`.
 */
export function findAuthServerUrl(argument: string | undefined, environment: Environment = processEnvironment()): string {
  const configured = argument || environment.AUTH_AGENT_URL;
  if (configured) return configured;
  if (environment.NODE_ENV === 'development' || environment.NODE_ENV === 'test') return developmentServer;
  throw new TypeError(
    `"authServerUrl" is missing: pass it, set AUTH_AGENT_URL, or set NODE_ENV=development to use the server of \`auth-agent dev\` at ${developmentServer}`,
  );
}

function processEnvironment(): Environment {
  return (globalThis as { process?: { env?: Environment } }).process?.env ?? {};
}
