/**
 * grant_type=urn:ietf:params:oauth:grant-type:device_code (RFC 8628 §3.4, §3.5): a device asks whether its person has answered, and gets tokens once they have.
 * A poll that finds nobody has answered costs one statement. Not here: asking (device/device-authorization.ts), answering (device/device.ts).
 */
import type { Context } from '../../context.ts';
import { sha256 } from '../../crypto/hash.ts';
import { randomId } from '../../crypto/random.ts';
import { OAuthError } from '../../errors.ts';
import type { Answer } from '../../route.ts';
import { deviceCodeGrant } from '../../rules/device-grant.ts';
import type { Parameters } from '../../rules/parameters.ts';
import type { Client, DeviceCode, Grant } from '../../storage/store.ts';
import { spendProof } from '../dpop.ts';
import { issue } from '../issue.ts';
import { grantPaused } from '../paused.ts';
import { beginFamily } from '../refresh-family.ts';
import { askedGrant } from './asked-grant.ts';
import type { GrantType, TokenRequest } from './grant-type.ts';
import { narrowScope } from './narrow.ts';

export const deviceCode: GrantType = { name: deviceCodeGrant, redeem };

/** RFC 8628 §3.5: "the interval MUST be increased by 5 seconds for this and all subsequent requests". */
const slowerBySeconds = 5;

/** The person said yes, and it still holds. */
type Allowed = { codeHash: string; grant: Grant; authTime: number; amr: string[] | undefined };

async function redeem(request: TokenRequest, context: Context): Promise<Answer> {
  const codeHash = presentedCode(request.parameters);

  const polled = await context.store.pollDevice({ codeHash, clientId: request.client.id, now: context.now(), slowerBySeconds });
  if (polled === 'pending') throw new OAuthError('authorization_pending', 'The person has not answered yet');
  if (polled === 'too-fast') throw new OAuthError('slow_down', 'The device polls too fast: wait five seconds longer from now on');
  const allowed = await allowedDevice(codeHash, request, context);
  const { grant, paused, standing } = await askedGrant(request.parameters.all('resource'), { ...allowed, standing: true }, context);
  if (paused) throw grantPaused();
  if (!standing) throw notValid('the grant no longer stands');
  const scope = narrowScope(request.parameters.get('scope'), grant.scope);

  const dpopJkt = await spendProof(request.proof, context);
  const refresh = beginFamily({ client: request.client, ...allowed, dpopJkt }, context);
  const redemption = { codeHash, now: context.now(), redemptionId: randomId('red_', 12), family: refresh?.family };
  if ((await context.store.redeemDevice(redemption)) === 'spent') throw notValid('redeemed a moment ago, or its grant has ended');
  context.uses.grant(grant.id, context.now());

  return issue(
    {
      ...issueFrom(allowed, request.client),
      grantId: grant.id,
      resource: grant.resource,
      grantExpiresAt: grant.expiresAt,
      scope,
      refreshToken: refresh?.token,
      dpopJkt,
    },
    context,
  );
}

function presentedCode(parameters: Parameters): string {
  const code = parameters.get('device_code');
  if (code === undefined) throw new OAuthError('invalid_request', 'device_code is required');
  return sha256(code);
}

/** @throws {OAuthError} access_denied, expired_token, or invalid_grant for what is unknown, another client's or used. */
async function allowedDevice(codeHash: string, { client }: TokenRequest, context: Context): Promise<Allowed> {
  const found = await context.store.findDevice(codeHash, context.now());
  if (found?.device.clientId !== client.id) throw notValid('unknown, or of another client');
  const { device, grant, standing } = found;
  if (device.redeemedAt !== undefined) throw notValid('redeemed before');
  if (wasDenied(device)) throw new OAuthError('access_denied', 'The person said no', { status: 400 });
  if (device.expiresAt <= context.now()) throw new OAuthError('expired_token', 'The device code has expired');
  if (found.paused) throw grantPaused();
  if (!grant || device.authTime === undefined || !standing) throw notValid('the grant no longer stands');
  return { codeHash, grant, authTime: device.authTime, amr: device.amr };
}

function wasDenied({ answeredAt, grantId }: DeviceCode): boolean {
  return answeredAt !== undefined && grantId === undefined;
}

function issueFrom({ grant, authTime, amr }: Allowed, client: Client) {
  return {
    grantId: grant.id,
    subject: personOf(grant),
    clientId: grant.clientId,
    resource: grant.resource,
    authTime,
    amr,
    grantExpiresAt: grant.expiresAt,
    idToken: grant.scope.includes('openid') ? { client } : undefined,
  };
}

function personOf({ userId }: Grant): string {
  if (userId === undefined) throw new Error('a device was allowed by nobody');
  return userId;
}

/** One text for every reason; `reason` is for the log. */
function notValid(reason: string): OAuthError {
  return new OAuthError('invalid_grant', 'The device code is not valid', { cause: reason });
}
