/**
 * The Node runtime as one public entry, `auth-agent-mcp-server/node`: the names, listed one by one.
 *
 *     import { createServer } from 'auth-agent-mcp-server';
 *     import { nodeLog, openDatabase, startNode } from 'auth-agent-mcp-server/node';
 *
 *     const log = nodeLog();
 *     const server = createServer({ issuer, secret, log, driver: await openDatabase('sqlite:./auth-agent.db') });
 *     await server.storage.migrate(Math.floor(Date.now() / 1000));
 *     await startNode({ ...server, log, host: '127.0.0.1', port: 9000, close: () => server.storage.close() });
 */

// What the command line needs to work on a database directly. No promise of stability: embedders use the management API.
export { answerAccess } from '../account/access-answers.ts';
export { invitationSeconds, makeInvitation, makeResetLink, operatorResetSeconds } from '../account/operator-links.ts';
export { makeSetupLink, newSetupLink } from '../account/setup.ts';
export { keySeconds, viewOfKey } from '../api/keys.ts';
export { isoDate } from '../api/operation.ts';
export { readServerFacts, viewOfServer } from '../api/server-body.ts';
export type { AuthServer } from '../app.ts';
export { auditEvent, eventTypes } from '../audit/event.ts';
export { adoptChain, sealEvents } from '../audit/seal.ts';
export { type Checkpoint, unsealedCounted, type Verification, verifyChain } from '../audit/verify.ts';
export { parseKeySet } from '../clients/key-set.ts';
export { openidMetadata } from '../clients/openid-metadata.ts';
export { newRegistrationToken, registrationTokenSeconds } from '../clients/registration-token.ts';
export { clientSecretHash, newClientSecret } from '../clients/secret.ts';
export type { Context } from '../context.ts';
export { SealBroken } from '../crypto/instance-keys.ts';
export { hashPassword, maxPasswordBytes } from '../crypto/password.ts';
export { randomId, randomWord } from '../crypto/random.ts';
export { newWebhookSecret } from '../crypto/webhook-signature.ts';
export { MailNotSent } from '../mail/mail-not-sent.ts';
export { checkTenantSettings, issuerProblem, over } from '../options.ts';
export { deviceCodeGrant } from '../rules/device-grant.ts';
export { inDays } from '../rules/lasting-days.ts';
export { minPasswordLength, type PasswordProblem, passwordProblem } from '../rules/passwords/problem.ts';
export { isEmailAddress, isUsername } from '../rules/person.ts';
export { classifyRedirectUri } from '../rules/redirect-uri.ts';
export { canonicalResource } from '../rules/resource.ts';
export { parseScope } from '../rules/scope.ts';
export { keyInUseSeconds } from '../servers/ending-keys.ts';
export { newKey } from '../servers/key-value.ts';
export { newOwnerToken, ownerTokenSeconds } from '../servers/owner-token.ts';
export { type BackupSummary, BadBackup, backupLines, InUse, NotEmpty, refuseServed, restoreLines } from '../storage/backup.ts';
export { SchemaMissing, StorageRefused, StorageUnavailable } from '../storage/driver.ts';
export { rowsOfEmptyTenants } from '../storage/holdings.ts';
export { schemaScript, tablesOf } from '../storage/migrations/index.ts';
export { openStorage } from '../storage/open.ts';
export {
  type AccessQuestion,
  type AssertionTarget,
  type Client,
  type ClientMetadata,
  type EventFilter,
  type ExportedEvent,
  type Grant,
  type McpServer,
  ROOT_TENANT,
  type Role,
  type Storage,
  type Store,
  type Tenant,
  type TrustedIssuer,
  type Upstream,
  type UpstreamRecipe,
  type User,
  type Webhook,
} from '../storage/store.ts';
export { setupLinkScript } from '../storage/tables/setup-links.ts';
export { isSlug } from '../tenant-contexts.ts';
export { type Credential as UpstreamCredential, sealCredential } from '../upstream/client.ts';
export { UpstreamFailure } from '../upstream/failure.ts';
export { providerOf } from '../upstream/provider.ts';
export { recipes } from '../upstream/recipes.ts';
export { secretPurpose, send as sendWebhook } from '../webhooks/deliver.ts';
export { messageOf } from '../webhooks/message.ts';
export { readBackupFile, writeBackupFile } from './backup-file.ts';
export { type Config, type ConfigInput, loadConfig, settingsFromFlags } from './config.ts';
export { backUp, databaseFile, isSpokenInClear, openDatabase, parseDatabaseUrl } from './database.ts';
export { type DevelopmentSettings, type RunningDevelopment, startDevelopment } from './development.ts';
export { type LogFormat, type LogOptions, nodeLog } from './log.ts';
export { nearest } from './nearest.ts';
export { withPassingFiles } from './passing-files.ts';
export { isPublicAddress, pinnedFetcher, pinnedPoster, pinnedUpstreamFetch } from './pinned-fetch.ts';
export { type Production, refuseBadAddresses, refuseNoWayIn, refuseOtherSecret, serverFrom, startProduction } from './production.ts';
export { type CheckedConfig, checkProduction } from './production-config.ts';
export { redactText } from './redact.ts';
export { type NodeOptions, type RunningServer, startNode } from './serve.ts';
export { flagOf, type Setting, settings, tenantSettings, variableOf } from './settings.ts';
export { StartRefused } from './start-refused.ts';
export { sendTestMail } from './test-mail.ts';
export { refuseDemoDatabase, refuseDemoSecrets, refuseUnknownState } from './unfit-database.ts';
