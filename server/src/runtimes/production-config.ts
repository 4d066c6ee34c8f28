/**
 * What every production start must have, on any runtime: an issuer that clients accept and a secret worth its name (contracts §4).
 */
import { issuerProblem } from '../options.ts';
import type { Config } from './config.ts';
import { StartRefused } from './start-refused.ts';
import { secretWeakness } from './weak-secret.ts';

export type CheckedConfig = Config & { issuer: string; secret: string };

/** What a production start must have before it opens the database. @throws {StartRefused} */
export function checkProduction(config: Config): asserts config is CheckedConfig {
  if (config.issuer === undefined) {
    throw new StartRefused('No issuer is set', {
      kind: 'usage',
      why: 'The issuer is the public address of this server and the source of every URL it prints. It is never taken from a request.',
      fix: 'AUTH_AGENT_ISSUER=https://auth.example.com auth-agent start',
    });
  }
  const problem = issuerProblem(config.issuer);
  if (problem) {
    throw new StartRefused(`The issuer ${config.issuer} ${problem}`, {
      why: problem.includes('https')
        ? 'Over http anybody between could read codes and tokens; MCP clients refuse it, too.'
        : 'Clients compare the issuer byte for byte.',
      fix: 'AUTH_AGENT_ISSUER=https://auth.example.com, with a proxy in front that speaks TLS. For this computer only: auth-agent dev',
    });
  }
  if (config.secret === undefined) {
    throw new StartRefused('No secret is set', {
      kind: 'usage',
      why: 'The secret encrypts the private keys in the database and keys every hash. There is no default, because a default is no secret.',
      fix: 'openssl rand -base64 48 > secret && chmod 600 secret && export AUTH_AGENT_SECRET_FILE=$PWD/secret',
    });
  }
  const weakness = secretWeakness(config.secret);
  if (weakness) {
    throw new StartRefused(`The secret ${weakness}`, {
      why: 'Whoever guesses it can open the private keys in a stolen database.',
      fix: 'openssl rand -base64 48 > secret && chmod 600 secret && export AUTH_AGENT_SECRET_FILE=$PWD/secret',
    });
  }
}
