/**
 * The grant types this server offers. Metadata, registration and the token endpoint read this list: adding one here is all it takes.
 */
import { authorizationCode } from './authorization-code.ts';
import { clientCredentials } from './client-credentials.ts';
import { deviceCode } from './device-code.ts';
import type { GrantType } from './grant-type.ts';
import { jwtBearer } from './jwt-bearer.ts';
import { refreshToken } from './refresh-token.ts';
import { tokenExchange } from './token-exchange.ts';

export const grantTypes: readonly GrantType[] = [authorizationCode, refreshToken, clientCredentials, deviceCode, tokenExchange, jwtBearer];
