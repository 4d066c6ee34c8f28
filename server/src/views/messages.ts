/**
 * Owns: every word of English on a page, in one flat record, and the two ways to fill its `{placeholders}`.
 * Not owned: escaping. `t` returns plain text for the template to escape; `rich` returns escaped markup for emphasis inside a sentence.
 */
import { html } from 'hono/html';

export const messages = {
  quoted: '“{text}”',

  'layout.skip': 'Skip to the main content',
  'layout.title': '{page} · {service}',
  'layout.contact': 'Contact: {contact}',
  'layout.why': 'Why am I seeing this page?',
  'layout.requestId': 'Request',
  'layout.copy': 'Copy',
  'layout.copied': 'Copied',
  'layout.busy': 'Working…',

  'why.signIn': 'An app or agent asked to act for you, or you opened your account. {service} checks that it is you before anything else happens.',
  'why.consent': 'An app or agent asked {service} for access in your name. Nothing is shared until you allow it.',
  'why.device': 'You opened the page where a device or terminal without a browser is connected. {service} asks you before it gets access.',
  'why.return': 'You made a decision. This page hands the answer to the app that asked.',
  'why.error': 'Something about the request was not right, so {service} stopped before anything was shared.',
  'why.account': 'This is your account at {service}. You decide here which agents can act for you.',
  'why.setup': 'Whoever started {service} opened its one-time setup link.',
  'why.home': '{service} signs people in for MCP servers and asks them before an agent gets access.',

  'host.youAreOn': 'You are on {host}',

  'signIn.title': 'Sign in',
  'signIn.confirmTitle': "Confirm it's you",
  'signIn.continue': 'Sign in to continue to {name}',
  'signIn.by.document': 'published by {host}',
  'signIn.by.dynamic': 'an unverified app that registered itself',
  'signIn.by.approved': 'approved by {service}',
  'signIn.by.demo': 'demo client (development mode)',
  'signIn.device': 'Sign in to connect your device.',
  'signIn.plain': 'Sign in to manage which agents can act for you.',
  'signIn.confirmText': 'Enter your password again to go on.',
  'signIn.signedOut': 'You were signed out. Sign in to go on.',
  'signIn.signedOutClient': 'You were signed out. Your request from {name} is still here.',
  'signIn.username': 'E-mail or username',
  'signIn.password': 'Password',
  'signIn.show': 'Show',
  'signIn.showLabel': 'Show password',
  'signIn.keep': 'Keep me signed in on this device',
  'signIn.submit': 'Sign in',
  'signIn.confirm': 'Confirm',
  'signIn.hint': 'Development mode',

  'error.summary': 'There is a problem',
  'error.wrongCredentials': "That e-mail and password don't match.",
  'error.throttled': 'Too many tries. Try again in {wait}.',
  'error.throttledSoon': 'Too many tries. Wait a little, then try again.',
  'error.disabled': 'This account is switched off. Ask the people who run {service}.',

  'signedOut.title': 'You are signed out',
  'signedOut.text': 'Agents you connected keep their access. You can disconnect them in Connected agents.',
  'signedOut.again': 'Sign in again',
  'signOut.title': 'Sign out?',
  'signOut.as': 'You are signed in as {user}.',
  'signOut.text': 'Agents you connected keep their access until you disconnect them.',
  'signOut.submit': 'Sign out',
  'signOut.stay': 'Stay signed in',

  'home.text': 'This service signs people in for MCP servers. An agent can act for you only after you have allowed it here.',
  'home.account': 'Manage your agents',
  'home.signedInAs': 'Signed in as {user}',

  'consent.title': 'Allow {name}?',
  'consent.heading': 'Allow {name} to act for you on {server}?',
  'consent.stepUpTitle': '{name} asks for more',
  'consent.stepUpHeading': '{name} asks for more on {server}',
  'consent.stepUpWhy': 'Why now',
  'consent.stepUpText': 'The app asks for additional access.',
  'consent.reconnectTitle': 'Reconnect {name}?',
  'consent.reconnectHeading': 'Reconnect {name}?',
  'consent.reconnectText': 'Nothing new is requested.',
  'consent.signedInAs': 'Signed in as {user}',
  'consent.switch': 'Not you? Switch account',
  'consent.who': 'Who is asking',
  'consent.what': 'Wants to use',
  'consent.where': 'Then returns to',
  'consent.fullAddress': 'Show full address',
  'consent.proof': "What this does and doesn't prove",
  'consent.could': 'It could',
  'consent.can': 'It can',
  'consent.new': 'New',
  'consent.newTitle': 'New permissions',
  'consent.already': 'Already allowed',
  'consent.optionalHint': 'Boxes are your choice. What you leave empty, the app does not get.',
  'consent.optional': 'optional',
  'consent.noScopes': 'Only to know who you are. It asks for nothing else.',
  'consent.notOffered': 'Not offered by this server (ignored)',
  'consent.agents': 'AI agents can misread instructions. Allow only what you would let a new assistant do unsupervised.',
  'consent.howLong': 'For how long',
  'consent.untilDisconnected': 'Until you disconnect it, or {unused} days unused, {most} days at most',
  'consent.untilDisconnectedOr': 'Until you disconnect it, {most} days at most',
  'consent.through':
    'It acts only while an agent that you connected to “{server}” uses it, and never does more than you allowed that agent. By itself it has no access.',
  'consent.once': 'Up to one hour. It cannot renew its access without you.',
  'consent.anyProgram': 'Any program on this computer could be asking.',
  'consent.onlyIfYou': 'Only allow this if you just started it yourself on this computer. If a message or a website told you to, choose Deny.',
  'consent.onlyIfYouKeep': 'Only allow this if you just started it yourself on this computer. If a message or a website told you to, choose Keep as it is.',
  'consent.deny': 'Deny',
  'consent.allow': 'Allow',
  'consent.keep': 'Keep as it is',
  'consent.allowMore': 'Allow the addition',
  'consent.reconnect': 'Reconnect',
  'consent.undo': 'You can undo this any time in {agents}.',
  'consent.keepText': 'If you keep it as it is, the access it already has stays unchanged.',
  'consent.developers': 'Details for developers',
  'consent.none': 'none',

  'client.unnamed': 'Unnamed app',
  'client.approved': '{proof} – {name}',
  'client.approved.proof': 'Approved by {service}',
  'client.approved.why': 'Your administrator registered this app.',
  'client.document': '{proof} publishes this app and calls it “{name}”',
  'client.document.why':
    "We read the app's description from {host}. This proves who wrote the description. It does not prove which program on your computer is asking.",
  'client.dynamic': '{proof} that calls itself “{name}”',
  'client.dynamic.proof': 'Unverified app',
  'client.dynamic.why': 'It registered itself. Anyone can choose any name. Nobody has checked it.',
  'client.dynamic.whyWhen': 'It registered itself {when}. Anyone can choose any name. Nobody has checked it.',
  'client.demo': '{proof}',
  'client.demo.proof': 'Demo client (development mode)',
  'client.demo.why': 'Exists only on this machine.',
  'client.lookAlike': 'Name resembles {original}, but this one is not the same app',
  'client.lookAlikeHost': 'Name resembles {original}, but this one is not from {host}',
  'client.mixedScripts': 'The name mixes letters of different alphabets. Some may only look like the ones you know.',
  'client.onlyLoopback': 'This app only ever returns to this computer, so we cannot tell it from another program that uses its description.',
  'warning.label': 'Warning:',

  'redirect.loopback': 'a program on this computer ({place})',
  'redirect.device': 'the device showing code {place}',
  'redirect.deviceUnnamed': 'the device that showed the code',
  'redirect.scheme': 'the app that handles {place} links on this computer',
  'redirect.codePage': 'a page here that shows you a code to copy',
  'redirect.foreign': 'Returns to {place}, which is not {host}.',
  'redirect.foreignUnknown': 'Returns to {place}, which does not belong to the publisher of this app.',
  'redirect.unknown': 'We cannot say who receives the answer at this address.',

  'group.identity': 'Who you are',
  'group.see': 'See',
  'group.change': 'Change',
  'group.delete': "Delete & can't be undone",
  'group.admin': 'Administer',
  'group.count': '{group} ({count})',

  'scope.openid': 'Know that it is you when you sign in',
  'scope.profile': 'See your name and profile',
  'scope.email': 'See your e-mail address',
  'scope.phone': 'See your phone number',
  'scope.address': 'See your postal address',
  'scope.read': 'View {noun}',
  'scope.read.bare': 'View what is on this server',
  'scope.list': 'List {noun}',
  'scope.list.bare': 'List what is on this server',
  'scope.search': 'Search {noun}',
  'scope.search.bare': 'Search this server',
  'scope.write': 'Create and change {noun}',
  'scope.write.bare': 'Create and change things on this server',
  'scope.create': 'Create {noun}',
  'scope.create.bare': 'Create things on this server',
  'scope.update': 'Change {noun}',
  'scope.update.bare': 'Change things on this server',
  'scope.delete': 'Delete {noun}',
  'scope.delete.bare': 'Delete things on this server',
  'scope.all': 'Full control of {noun}',
  'scope.all.bare': 'Full control of everything on this server',
  'scope.unknown': "The server's owner has not described this permission.",

  'return.title': 'Taking you back',
  'return.heading': 'Taking you back to {name}',
  'return.nothing': 'Nothing else to do here.',
  'return.continue': 'Continue to {name}',
  'return.theApp': 'the app',
  'return.still':
    "Still here? Your agent may have stopped waiting (some wait only 30 seconds). Go back to it and connect again; you won't be asked for everything twice.",
  'return.deniedTitle': 'Nothing was shared',
  'return.denied': 'You can close this tab.',
  'return.tellApp': 'We tell {name} that you said no.',
  'return.unsafe': 'We cannot open the address of this app. Go back to it and connect again.',

  'problem.you': 'What you can do',
  'problem.developer': 'For the developer',
  'problem.details': 'Details',
  'problem.code': 'Code',
  'problem.requestId': 'Request id',
  'problem.copySupport': 'Copy for support',
  'problem.goTo.device': 'Enter a device code',
  'problem.continueLead': 'The app asks to be told about this. That sends you to another site:',
  'problem.continue': 'Continue to {host}',
  'problem.continueCare': 'Continue only if you know {host}.',

  'agents.title': 'Connected agents',
  'agents.none': 'No agents can act for you.',
  'agents.noneText': 'To connect one, add an MCP server to your agent. It opens this service in your browser and asks you first.',
  'agents.lead': 'These can act for you. Disconnect any you do not know or no longer use.',
  'agents.on': 'on {server}',
  'agents.since': 'Since',
  'agents.lastUsed': 'Last used',
  'agents.never': 'not yet',
  'agents.until': 'Until',
  'agents.untilUnused': 'you disconnect it',
  'agents.through': 'Only through',
  'agents.throughOne': '{name} on {server}, {when}',
  'agents.throughNone': 'agents you connect to {server}; none has used it',
  'agents.disconnect': 'Disconnect',
  'agents.disconnectName': '{name} on {server}',
  'agents.done': 'Disconnected. {name} lost access.',
  'agents.doneText': "Undo isn't possible; the agent can ask again.",
  'agents.signOut': 'Sign out',

  'setup.title': 'Set up {service}',
  'setup.text': 'Create the first account. It runs this service and can add servers and people.',
  'setup.username': 'Username',
  'setup.email': 'E-mail',
  'setup.password': 'Password',
  'setup.passwordHint': 'At least 12 characters. A few unrelated words make a good one.',
  'setup.submit': 'Create the account',
  'setup.error.missing': 'Enter a value for “{field}”.',
  'setup.error.invalid': '“{field}” is not in a form we can use.',
  'setup.error.taken': '“{field}” is already in use.',
  'setup.error.tooShort': 'The password needs at least 12 characters.',
  'setup.error.tooLong': 'The password is too long.',
  'setup.doneTitle': 'This service is set up',
  'setup.doneText': 'This is your owner token. It is shown only now: store it where you keep secrets.',
  'setup.token': 'Owner token',
  'setup.next': 'Register your first MCP server',
  'setup.doneNever': 'Never send it to a person. Whoever has it can manage your servers.',

  'device.title': 'Connect a device',
  'device.text': 'Enter the code shown on your device or terminal.',
  'device.code': 'Code',
  'device.codeHint': 'Eight letters, such as WDJB-MJHT. The dash does not matter.',
  'device.prefilled': 'The code came with the address you opened. Go on only if your device shows the same.',
  'device.continue': 'Continue',
  'device.sentToYou': 'Enter only a code that you see on a device of your own, never one that somebody sent you.',
  'device.error.missing': 'Enter the code that your device shows.',
  'device.error.unknown': "We don't know that code. Codes last {lifetime}.",
  'device.compare': 'Does your device show this code?',
  'device.where': 'Access goes to',
  'device.requested': 'Requested',
  'device.when': '{when} from {address}',
  'device.otherNetwork': 'That is not the network you are on now.',
  'device.sent': 'Did someone send you this code, by chat, mail or phone? Choose Deny.',
  'device.never': 'We never ask for codes that way.',
  'device.allow': "It's mine, allow",
  'device.connected': 'Connected',
  'device.connectedText': 'You can close this page and go back to your device or terminal.',
  'device.denied': "The device is told that you said no. If you didn't start this, look at who can act for you.",
  'device.review': 'Review connected agents',

  'code.title': 'Copy this code',
  'code.text': 'Paste it into {name} on this computer.',
  'code.code': 'Code',
  'code.state': 'State',
  'code.never': 'Never send this to a person. Whoever has it can act as you.',

  'fix.claudeCode': '/mcp → choose the server → Clear authentication → Authenticate',
  'fix.mcpRemote': 'rm -rf ~/.mcp-auth, then start it again',
  'fix.cursor': 'Settings → MCP → switch the server off and on again',
  'fix.vsCode': 'Command Palette → “Authentication: Remove Dynamic Authentication Providers” → choose the server, then start it again',
  'fix.other.label': 'Any other agent',
  'fix.other': 'Remove the server from its settings and add it again.',

  'time.justNow': 'just now',
  'time.onDate': 'on {date}',
} as const;

export type MessageKey = keyof typeof messages;

const PLACEHOLDER = /\{([a-zA-Z]+)\}/;

/**
 * Returns the text of `key` with its placeholders filled, unescaped. Throws `TypeError` when a placeholder has no value.
 * @example t('signIn.continue', { name: 'Claude Code' })
 */
export function t(key: MessageKey, values: Readonly<Record<string, string | number>> = {}): string {
  return messages[key].replace(new RegExp(PLACEHOLDER, 'g'), (_, name: string) => String(placeholderValue(key, values, name)));
}

/**
 * Returns the text of `key` as markup: strings are escaped, markup made by `html` is set in as it is. For emphasis whose place differs between languages.
 * @example rich('host.youAreOn', { host: html`<strong>${host}</strong>` })
 */
export function rich(key: MessageKey, values: Readonly<Record<string, unknown>> = {}) {
  // Splitting on a pattern with one group leaves text at even places and placeholder names at odd ones.
  const pieces = messages[key].split(PLACEHOLDER).map((piece, index) => (index % 2 === 0 ? piece : placeholderValue(key, values, piece)));
  return html`${pieces}`;
}

function placeholderValue<Value>(key: MessageKey, values: Readonly<Record<string, Value>>, name: string): Value {
  const value = values[name];
  if (value === undefined) throw new TypeError(`message ${key} needs a value for {${name}}`);
  return value;
}
