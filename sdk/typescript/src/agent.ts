/**
 * The public names of auth-agent-mcp-sdk/agent, one by one: for whoever calls a protected server.
 */
export type { AgentOptions } from './agent-options.ts';
export { type AgentTokens, agentTokens } from './agent-tokens.ts';
export type { ClientKey } from './client-key.ts';
export type { DevicePrompt } from './device-code.ts';
export { type DeviceLoginOptions, deviceLogin } from './device-login.ts';
export { AuthServerUnavailable } from './errors.ts';
export { type Caller, type ExchangeOptions, type TokenExchange, tokenExchange } from './exchange.ts';
export { type LoginOptions, type LoginTokens, resumeLogin, type SavedLogin } from './login-tokens.ts';
export { TokenRequestRefused } from './token-endpoint.ts';
