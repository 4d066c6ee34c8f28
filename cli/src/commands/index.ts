/**
 * Every command, in the order of the help.
 */
import type { Command } from '../command.ts';
import { addAssertionTarget, listAssertionTargets, removeAssertionTarget } from './assertion-targets.ts';
import { adoptAudit, exportAudit, listAudit, verifyAudit } from './audit.ts';
import { setClientKeys } from './client-keys.ts';
import { addClientSecret, revokeClientSecret } from './client-secrets.ts';
import { addClient, approveClient, listClients, removeClient } from './clients.ts';
import { printConfig } from './config.ts';
import { conformance } from './conformance.ts';
import { migrateDatabase, showDatabaseStatus } from './db.ts';
import { backUpDatabase, restoreDatabase } from './db-backup.ts';
import { dev } from './dev.ts';
import { doctor } from './doctor.ts';
import { listGrants, revokeGrant } from './grants.ts';
import { listIncidents, panic, pauseGrant, resumeGrants } from './holds.ts';
import { linkIdentity, listIdentities, unlinkIdentity } from './identities.ts';
import { addIssuer, listIssuers, removeIssuer } from './issuers.ts';
import { createKey, listKeys, revokeKey } from './keys.ts';
import { login } from './login.ts';
import { testMail } from './mail.ts';
import { createOwnerToken, listOwnerTokens, revokeOwnerToken } from './owner-tokens.ts';
import { createRegistrationToken, listRegistrationTokens, revokeRegistrationToken } from './registration-tokens.ts';
import { approveRequest, denyRequest, listRequests } from './requests.ts';
import { addServerPerson, listServerPeople, openServerTo, removeServerPerson } from './server-people.ts';
import { addServer, listServers, removeServer, showServer } from './servers.ts';
import { setupLink } from './setup-link.ts';
import { shell } from './shell.ts';
import { dropSigningKey, listSigningKeys, rotateSigningKey } from './signing-keys.ts';
import { start } from './start.ts';
import { addTenant, changeTenant, listTenants, removeTenant } from './tenants.ts';
import { tryServer } from './try.ts';
import { addUpstream, changeUpstreamSecret, checkUpstream, listUpstreams, removeUpstream } from './upstreams.ts';
import { inviteUser, resetLink } from './user-links.ts';
import { addUser, disableUser, enableUser, listUsers, removeUser, resetFactors, setEmail } from './users.ts';
import { addWebhook, enableWebhook, listDeliveries, listWebhooks, removeWebhook, replayWebhook, rotateWebhookSecret, testWebhook } from './webhooks.ts';
import { addWorkload, listWorkloads, removeWorkload } from './workloads.ts';

export const commands: readonly Command[] = [
  dev,
  start,
  doctor,
  printConfig,
  login,
  tryServer,
  shell,
  setupLink,
  addServer,
  listServers,
  showServer,
  removeServer,
  openServerTo,
  listServerPeople,
  addServerPerson,
  removeServerPerson,
  listRequests,
  approveRequest,
  denyRequest,
  createKey,
  listKeys,
  revokeKey,
  createOwnerToken,
  listOwnerTokens,
  revokeOwnerToken,
  testMail,
  addUser,
  listUsers,
  setEmail,
  removeUser,
  resetFactors,
  inviteUser,
  resetLink,
  disableUser,
  enableUser,
  addClient,
  listClients,
  approveClient,
  removeClient,
  setClientKeys,
  addClientSecret,
  revokeClientSecret,
  createRegistrationToken,
  listRegistrationTokens,
  revokeRegistrationToken,
  addUpstream,
  listUpstreams,
  checkUpstream,
  changeUpstreamSecret,
  removeUpstream,
  addIssuer,
  listIssuers,
  removeIssuer,
  linkIdentity,
  listIdentities,
  unlinkIdentity,
  addWorkload,
  listWorkloads,
  removeWorkload,
  addAssertionTarget,
  listAssertionTargets,
  removeAssertionTarget,
  listGrants,
  pauseGrant,
  resumeGrants,
  revokeGrant,
  listIncidents,
  panic,
  listAudit,
  exportAudit,
  verifyAudit,
  adoptAudit,
  addWebhook,
  listWebhooks,
  testWebhook,
  listDeliveries,
  replayWebhook,
  rotateWebhookSecret,
  enableWebhook,
  removeWebhook,
  listSigningKeys,
  rotateSigningKey,
  dropSigningKey,
  addTenant,
  changeTenant,
  listTenants,
  removeTenant,
  migrateDatabase,
  backUpDatabase,
  restoreDatabase,
  showDatabaseStatus,
  conformance,
];
