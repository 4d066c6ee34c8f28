/**
 * The public names of auth-agent-mcp-sdk, one by one. Runtime-neutral: web standards and `jose` only.
 * Frameworks live at their own paths: /hono, /express, /fetch, /node, /mcp, /mcp-v1.
 */
export { requireActor } from './actors.ts';
export { type ProtectedHandler, type ProtectOptions, protect } from './adapters/fetch.ts';
export { authAgentMiddleware } from './adapters/hono.ts';
export { type McpAuthInfo, toAuthInfo } from './auth-info.ts';
export { AuthAgentClient } from './client.ts';
export {
  ActorRefused,
  AuthAgentError,
  type AuthenticationCode,
  AuthenticationError,
  AuthorizationError,
  AuthServerUnavailable,
  type StepUp,
} from './errors.ts';
export type { AuthAgentOptions } from './options.ts';
export type { ProofMemory } from './proof-memory.ts';
export type { ScopeHierarchy, ScopeRequirement } from './scope.ts';
export type { ServerMetadata } from './server-metadata.ts';
export type { AuthContext, AuthUser } from './verify.ts';
