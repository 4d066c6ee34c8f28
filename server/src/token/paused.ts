/**
 * What a client hears of a grant that is paused (docs/decisions/0002): neither its tokens nor its registration are over, so no code that makes clients throw them away.
 */
import { OAuthError } from '../errors.ts';

/** RFC 6749 §5.2 knows no code for "not now"; `access_denied` (RFC 8628 §3.5) is true and leaves what the client holds alone. */
export function grantPaused(): OAuthError {
  return new OAuthError('access_denied', 'The person or the operator has paused this agent; its tokens are good again when they resume it', {
    status: 400,
    members: { code: 'grant_paused' },
  });
}
