/**
 * The route table: top to bottom, everything this server answers. It goes to discovery/metadata.ts as a value, so that metadata can only promise what exists.
 * Aliases (documents 003 and 004) have the same handlers and are never advertised. Not here: what a route does (its room), how a table becomes a server (app.ts).
 */
import { activity, activityData, activityTable, notMe } from './account/activity.ts';
import { agents, disconnect, disconnectAll, disconnectAllForm, pause, pauseAll, resume, resumeAll } from './account/agents.ts';
import { askAccess, askAccessForm } from './account/ask-access.ts';
import { askToChangeEmail, changeEmailForm, confirmEmail, confirmEmailForm } from './account/change-email.ts';
import { chooseAccount, chooseAccountForm } from './account/choose-account.ts';
import { deleteAccount, deleteAccountForm } from './account/delete-account.ts';
import { requestCode } from './account/email-code.ts';
import { enforceHolds } from './account/enforce-holds.ts';
import { codeForm, codeLink, enterCode } from './account/enter-code.ts';
import { exportData } from './account/export.ts';
import { firstTime, firstTimeForm } from './account/first-time.ts';
import { account, home } from './account/home.ts';
import { goInvited } from './account/invited-upstream.ts';
import { chooseLanguage } from './account/language.ts';
import { lapseOver } from './account/lapse.ts';
import { link, linkForm } from './account/link-upstream.ts';
import { acceptInvitation, invitationForm, newAccount, newAccountForm } from './account/new-account.ts';
import { pauseForm } from './account/pause.ts';
import { changeProfile, profile } from './account/profile.ts';
import { receipt, receiptData } from './account/receipts.ts';
import { reduce, reduceForm } from './account/reduce.ts';
import { reset, resetDone, resetForm, resetSent } from './account/reset.ts';
import { secondStep, secondStepForm } from './account/second-step.ts';
import { addPasskey, dismissPasskeyOffer, passkeyCreation, removePasskey, renamePasskey } from './account/security/passkeys.ts';
import { changePassword, passwordAddress, passwordForm, removePassword } from './account/security/password.ts';
import { endAllSessions, endOtherSession } from './account/security/sessions.ts';
import { newCodes, turnOffTwoStep, turnOnTwoStep, twoStepForm } from './account/security/two-step.ts';
import { linkAnother, unlinkUpstream } from './account/security/upstreams.ts';
import { security } from './account/security.ts';
import { setup, setupForm } from './account/setup.ts';
import { passkeyRequest, signIn, signInForm } from './account/sign-in.ts';
import { signOut, signOutForm } from './account/sign-out.ts';
import { signUp, signUpForm } from './account/sign-up.ts';
import { goToUpstream, upstreamCallback } from './account/upstream-sign-in.ts';
import { apiRoutes } from './api/openapi.ts';
import { type AuthServer, type Chore, createApp } from './app.ts';
import { retireEvents } from './audit/seal.ts';
import { authorize } from './authorize/authorize.ts';
import { consent, consentForm } from './authorize/consent.ts';
import { extendHandOff } from './authorize/hand-off.ts';
import { pushRequest } from './authorize/pushed-request.ts';
import { returnToClient } from './authorize/return-page.ts';
import { expireClients } from './clients/expire.ts';
import { readOwnRegistration, removeOwnRegistration, replaceOwnRegistration } from './clients/manage.ts';
import { register } from './clients/register.ts';
import { device, deviceForm } from './device/device.ts';
import { deviceAuthorization } from './device/device-authorization.ts';
import { jwks } from './discovery/jwks.ts';
import { authorizationServerMetadata, openidConfiguration } from './discovery/metadata.ts';
import { ownProtectedResource, serverProtectedResource } from './discovery/protected-resource.ts';
import type { ServerOptions } from './options.ts';
import type { Route } from './route.ts';
import { warnOfEndingKeys } from './servers/ending-keys.ts';
import { assetRoutes } from './site/assets.ts';
import { errorDoc, errorDocs } from './site/error-docs.ts';
import { health, ready } from './site/health.ts';
import { introspect } from './token/introspect.ts';
import { report } from './token/report.ts';
import { revoke } from './token/revoke.ts';
import { token } from './token/token.ts';
import { userinfo } from './token/userinfo.ts';

export const routes: readonly Route[] = [
  // what a client reads before it speaks
  { path: '/.well-known/oauth-authorization-server', surface: 'document', methods: { GET: authorizationServerMetadata } },
  { path: '/.well-known/openid-configuration', surface: 'document', methods: { GET: openidConfiguration } },
  { path: '/.well-known/oauth-protected-resource', surface: 'document', methods: { GET: ownProtectedResource } },
  { path: '/.well-known/oauth-protected-resource/:server_id', surface: 'document', methods: { GET: serverProtectedResource } },
  { path: '/.well-known/jwks.json', surface: 'document', methods: { GET: jwks }, endpoint: 'jwks_uri' },

  // the front door
  { path: '/authorize', surface: 'popup', begins: true, methods: { GET: authorize, POST: authorize }, endpoint: 'authorization_endpoint' },
  { path: '/oauth/authorize', surface: 'popup', begins: true, methods: { GET: authorize, POST: authorize } },
  { path: '/authorize/consent', surface: 'popup', methods: { GET: consentForm } },
  { path: '/consent', surface: 'popup', methods: { POST: consent } },
  { path: '/authorize/return', surface: 'popup', methods: { GET: returnToClient, POST: extendHandOff } },
  { path: '/par', surface: 'backchannel', begins: true, methods: { POST: pushRequest }, endpoint: 'pushed_authorization_request_endpoint' },

  // the counter
  { path: '/token', surface: 'backchannel', methods: { POST: token }, endpoint: 'token_endpoint' },
  { path: '/oauth/token', surface: 'backchannel', methods: { POST: token } },
  { path: '/introspect', surface: 'private', methods: { POST: introspect }, endpoint: 'introspection_endpoint' },
  { path: '/oauth/introspect', surface: 'private', methods: { POST: introspect } },
  { path: '/report', surface: 'private', methods: { POST: report } },
  { path: '/revoke', surface: 'backchannel', methods: { POST: revoke }, endpoint: 'revocation_endpoint' },
  { path: '/oauth/revoke', surface: 'backchannel', methods: { POST: revoke } },
  { path: '/userinfo', surface: 'backchannel', methods: { GET: userinfo, POST: userinfo }, endpoint: 'userinfo_endpoint' },
  { path: '/device_authorization', surface: 'backchannel', begins: true, methods: { POST: deviceAuthorization }, endpoint: 'device_authorization_endpoint' },
  { path: '/register', surface: 'backchannel', begins: true, methods: { POST: register }, endpoint: 'registration_endpoint' },
  {
    path: '/register/:client_id',
    surface: 'backchannel',
    methods: { GET: readOwnRegistration, PUT: replaceOwnRegistration, DELETE: removeOwnRegistration },
  },

  // people
  { path: '/', surface: 'page', methods: { GET: home } },
  { path: '/login', surface: 'popup', methods: { GET: signInForm, POST: signIn } },
  { path: '/login/upstream', surface: 'popup', methods: { POST: goToUpstream } },
  { path: '/login/upstream/:id/callback', surface: 'popup', methods: { GET: upstreamCallback } },
  { path: '/login/first-time', surface: 'popup', methods: { GET: firstTimeForm, POST: firstTime } },
  { path: '/login/passkey', surface: 'popup', methods: { POST: passkeyRequest } },
  { path: '/login/second', surface: 'popup', methods: { GET: secondStepForm, POST: secondStep } },
  { path: '/.well-known/change-password', surface: 'page', methods: { GET: passwordAddress } },
  { path: '/login/accounts', surface: 'popup', methods: { GET: chooseAccountForm, POST: chooseAccount } },
  { path: '/login/code', surface: 'popup', methods: { POST: requestCode } },
  { path: '/code', surface: 'popup', methods: { GET: codeForm, POST: enterCode } },
  { path: '/code/link', surface: 'popup', methods: { GET: codeLink } },
  { path: '/signup', surface: 'popup', methods: { GET: signUpForm, POST: signUp } },
  { path: '/signup/account', surface: 'popup', methods: { GET: newAccountForm, POST: newAccount } },
  { path: '/invite', surface: 'popup', methods: { GET: invitationForm, POST: acceptInvitation } },
  { path: '/invite/upstream', surface: 'popup', methods: { POST: goInvited } },
  { path: '/reset', surface: 'popup', methods: { GET: resetForm, POST: reset } },
  { path: '/reset/sent', surface: 'popup', methods: { GET: resetSent } },
  { path: '/reset/done', surface: 'popup', methods: { GET: resetDone } },
  { path: '/logout', surface: 'popup', methods: { GET: signOutForm, POST: signOut }, endpoint: 'end_session_endpoint' },
  { path: '/account', surface: 'page', methods: { GET: account } },
  { path: '/account/activity', surface: 'page', methods: { GET: activity } },
  { path: '/account/activity.csv', surface: 'page', methods: { GET: activityTable } },
  { path: '/account/activity.json', surface: 'page', methods: { GET: activityData } },
  { path: '/account/activity/not-me', surface: 'page', methods: { POST: notMe } },
  { path: '/account/agents', surface: 'page', methods: { GET: agents } },
  { path: '/account/agents/disconnect', surface: 'page', methods: { POST: disconnect } },
  { path: '/account/agents/disconnect-all', surface: 'page', methods: { GET: disconnectAllForm, POST: disconnectAll } },
  { path: '/account/agents/pause', surface: 'page', methods: { GET: pauseForm, POST: pause } },
  { path: '/account/agents/pause-all', surface: 'page', methods: { POST: pauseAll } },
  { path: '/account/agents/resume', surface: 'page', methods: { POST: resume } },
  { path: '/account/agents/resume-all', surface: 'page', methods: { POST: resumeAll } },
  { path: '/account/agents/:grant/receipt', surface: 'page', methods: { GET: receipt } },
  { path: '/account/agents/:grant/receipt.json', surface: 'page', methods: { GET: receiptData } },
  { path: '/account/agents/reduce', surface: 'page', methods: { GET: reduceForm, POST: reduce } },
  { path: '/account/ask', surface: 'page', methods: { GET: askAccessForm, POST: askAccess } },
  { path: '/account/link', surface: 'popup', methods: { GET: linkForm, POST: link } },
  { path: '/account/profile', surface: 'page', methods: { GET: profile, POST: changeProfile } },
  { path: '/account/email', surface: 'page', methods: { GET: changeEmailForm, POST: askToChangeEmail } },
  { path: '/account/email/confirm', surface: 'page', methods: { GET: confirmEmailForm, POST: confirmEmail } },
  { path: '/account/export', surface: 'page', methods: { GET: exportData } },
  { path: '/account/delete', surface: 'page', methods: { GET: deleteAccountForm, POST: deleteAccount } },
  { path: '/account/security', surface: 'page', methods: { GET: security } },
  { path: '/account/security/passkeys', surface: 'page', methods: { POST: addPasskey } },
  { path: '/account/security/passkeys/request', surface: 'page', methods: { POST: passkeyCreation } },
  { path: '/account/security/passkeys/rename', surface: 'page', methods: { POST: renamePasskey } },
  { path: '/account/security/passkeys/remove', surface: 'page', methods: { POST: removePasskey } },
  { path: '/account/security/passkeys/later', surface: 'page', methods: { POST: dismissPasskeyOffer } },
  { path: '/account/security/password', surface: 'page', methods: { GET: passwordForm, POST: changePassword } },
  { path: '/account/security/password/remove', surface: 'page', methods: { POST: removePassword } },
  { path: '/account/security/two-step', surface: 'page', methods: { GET: twoStepForm, POST: turnOnTwoStep } },
  { path: '/account/security/two-step/codes', surface: 'page', methods: { POST: newCodes } },
  { path: '/account/security/two-step/remove', surface: 'page', methods: { POST: turnOffTwoStep } },
  { path: '/account/security/upstreams/link', surface: 'page', methods: { POST: linkAnother } },
  { path: '/account/security/upstreams/unlink', surface: 'page', methods: { POST: unlinkUpstream } },
  { path: '/account/security/sessions/end', surface: 'page', methods: { POST: endOtherSession } },
  { path: '/account/security/sessions/end-all', surface: 'page', methods: { POST: endAllSessions } },
  { path: '/language', surface: 'popup', methods: { POST: chooseLanguage } },
  { path: '/device', surface: 'page', methods: { GET: deviceForm, POST: device } },
  { path: '/setup', surface: 'page', methods: { GET: setupForm, POST: setup } },

  // owners
  ...apiRoutes,

  // the house itself
  { path: '/health', surface: 'private', vital: true, methods: { GET: health } },
  { path: '/health/ready', surface: 'private', vital: true, methods: { GET: ready } },
  { path: '/livez', surface: 'private', vital: true, methods: { GET: health } },
  { path: '/readyz', surface: 'private', vital: true, methods: { GET: ready } },
  { path: '/docs/errors', surface: 'page', methods: { GET: errorDocs } },
  { path: '/docs/errors/:code', surface: 'page', methods: { GET: errorDoc } },
  ...assetRoutes,
];

/**
 * Makes an authorization server from its options. Mount `fetch` anywhere, call `maintain` about once a minute and `flush` about once a second.
 *
 *     const server = createServer({ issuer: 'https://auth.example.com', secret, driver: openNodeSqlite('auth-agent.db'), log });
 *     await server.storage.migrate(Math.floor(Date.now() / 1000));
 *
 * @throws {TypeError} naming each option that is wrong and the rule it breaks.
 */
export function createServer(options: ServerOptions): AuthServer {
  return createApp(routes, [enforceHolds, lapseOver, expireClients, warnOfEndingKeys, handOver, retireEvents], options);
}

/** Begins, and waits for no receiver: one that hangs must not keep house from being kept. */
const handOver: Chore = async ({ logouts, mail, webhooks }) => {
  for (const relay of [logouts, mail, webhooks]) relay.soon();
};
