/**
 * Verbs and values of stopping agents without ending what people allowed: pause and resume by the person, hold and lift by an operator, and taking a part back.
 */
import type { AuditEvent } from '../../audit/event.ts';

/** What an agent is to its person: a client on a resource, however many grants it has. */
export type AgentKey = { userId: string; clientId: string; resource: string };

/** Stops every agent it describes, now and in the future, until it is lifted. A member that is absent stands for any. */
export type Hold = { id: string; userId?: string; clientId?: string; resource?: string; createdAt: number };
/** An open hold with the number of living grants it stops. */
export type OpenHold = Hold & { grants: number };

/** Why an agent may not act at the moment: an operator holds it, its person paused all agents, or this one. `grantId` names the agent. */
export type AgentPause = { by: 'hold' } | { by: 'all' } | { by: 'agent'; grantId: string };

export type PauseVerbs = {
  /** Pauses every living grant that this person gave the client of the named grant on its resource. True when this call paused any. */
  pauseAgent(userId: string, grantId: string, event: AuditEvent): Promise<boolean>;
  /** Takes {@link PauseVerbs.pauseAgent} back. */
  resumeAgent(userId: string, grantId: string, event: AuditEvent): Promise<boolean>;
  /** Pauses whatever acts for this person, also what they allow from now on. True when this call did it. */
  pauseAllAgents(userId: string, event: AuditEvent): Promise<boolean>;
  /** Takes {@link PauseVerbs.pauseAllAgents} back; agents that were paused one by one stay so. */
  resumeAllAgents(userId: string, event: AuditEvent): Promise<boolean>;
  /** What keeps an agent from acting, the strongest reason first; undefined when nothing does. */
  agentPause(agent: AgentKey, now: number): Promise<AgentPause | undefined>;
  /** Takes scopes back from every living grant of the agent, and lets it end at `expiresAt` when it would have lasted longer. False when there was nothing to take. */
  reduceAgent(reduction: { userId: string; grantId: string; remove: readonly string[]; expiresAt?: number }, event: AuditEvent): Promise<boolean>;
  /** Revokes every living grant of this person, with their refresh families. Resolves to how many grants this call ended. */
  disconnectAll(userId: string, reason: string, event: AuditEvent): Promise<number>;
  /** Places a hold and stops what it describes. Resolves to how many living grants this call stopped; those under another hold are not counted. */
  placeHold(hold: Hold, event: AuditEvent): Promise<number>;
  /** Stops what an open hold describes and did not stop yet: what was being granted while it was placed. Resolves to how many living grants this call stopped. */
  enforceHold(hold: Hold, event: AuditEvent): Promise<number>;
  /** Lifts an open hold; what another one describes stays stopped. Resolves to how many grants may act again, undefined when there is no such open hold. */
  liftHold(id: string, event: AuditEvent): Promise<number | undefined>;
  /** Open holds, oldest first. */
  listHolds(now: number): Promise<OpenHold[]>;
};
