/**
 * What went wrong, for a person: every error of the server and its database as a failure with its exit code, why, and the fix.
 */
import { redactText, SchemaMissing, SealBroken, StartRefused, StorageRefused, StorageUnavailable } from 'auth-agent-mcp-server/node';
import { Failure } from './exit-codes.ts';

const exitOfRefusal = { usage: 'usage', policy: 'refused', conflict: 'conflict' } as const;

/** A failure as it is; of anything else, what can be said about it. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof StartRefused) return new Failure(exitOfRefusal[error.kind], error.message, { why: error.why, fix: error.fix });
  if (error instanceof StorageRefused)
    return new Failure('refused', 'The database refuses this server', {
      why: redactText(error.message),
      fix: 'Check user, password and database name in AUTH_AGENT_DATABASE_URL, and that this user may write there; for db migrate, also make tables',
    });
  if (error instanceof StorageUnavailable)
    return new Failure('unreachable', 'The database cannot be reached', {
      why: redactText(error.message),
      fix: 'Check AUTH_AGENT_DATABASE_URL and that the database runs',
    });
  if (error instanceof SchemaMissing) return new Failure('failed', 'The database has no tables yet', { fix: 'auth-agent db migrate' });
  if (error instanceof SealBroken)
    return new Failure('refused', 'What the database keeps sealed for this does not open with this secret', {
      why: 'It was sealed under another AUTH_AGENT_SECRET.',
      fix: 'Make it anew; after a change of the secret "A new secret" in DEPLOYMENT.md names the command',
    });
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new Failure('failed', 'Something broke that should not', { why: redactText(text), fix: 'Please report it, with this text' });
}
