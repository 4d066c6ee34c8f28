/**
 * Every code that has a page under /docs/errors, by who says it: the server's own (errors.ts), and those of the SDKs and the command line, which have no other place
 * where their words could be. server/test/error-codes.test.ts holds that none is missing and that none is left of what is gone.
 */
import { errorCodes } from '../errors.ts';

/** Where a code comes from: `server` an answer of ours · `sdk` an answer of an MCP server, or an exception · `command` the command line, with `--json` and as exit code. */
export type Origin = 'server' | 'sdk' | 'command';

/** `status` of HTTP, `exit` of the command line; `fix` is for whoever wrote the program: English, as all of the protocol is. */
type Row = { origin: Origin; status?: number; exit?: number; fix?: string };

/** Codes that stand in `code` beside a registered `error`, in the SDKs, and in the command line. */
const others = {
  grant_paused: { origin: 'server', status: 400, fix: 'Keep the tokens and try again later: the same refresh token works again when the agent is resumed.' },

  missing_token: {
    origin: 'sdk',
    status: 401,
    fix: 'Follow resource_metadata in WWW-Authenticate, get a token for this server and send it as Authorization: Bearer.',
  },
  insufficient_user_authentication: { origin: 'sdk', status: 401, fix: 'Ask for a token again with the acr_values and max_age of the challenge (RFC 9470).' },
  actor_refused: { origin: 'sdk', status: 403, fix: 'Have the person call this server directly, or ask its owner to name your server in requireActor.' },
  auth_server_unavailable: {
    origin: 'sdk',
    status: 503,
    fix: 'Wait as long as Retry-After says. The token may be good: do not make the person sign in again.',
  },
  wrong_metadata: {
    origin: 'sdk',
    fix: 'Look at the metadata of the authorization server: the endpoints must be https, or on this computer while the issuer is.',
  },
  wrong_issuer: { origin: 'sdk', fix: 'Configure the issuer exactly as its own metadata spells it (RFC 8414, section 3.3).' },
  wrong_page: { origin: 'sdk', fix: 'Have verification_uri of the authorization server be https.' },
  wrong_registration: { origin: 'sdk', fix: 'Give clientId of a public client that was registered beforehand.' },
  wrong_token: { origin: 'sdk', fix: 'The authorization server does not exchange tokens (RFC 8693). Ask its operator.' },
  registration_not_supported: { origin: 'sdk', fix: 'Register a public client with the operator and give its id as clientId.' },

  failed: { origin: 'command', exit: 1, fix: 'Read what stands under Why, and the log of the server for the request id.' },
  usage: { origin: 'command', exit: 2, fix: 'Add --help to the command.' },
  signInNeeded: { origin: 'command', exit: 3, fix: 'Run auth-agent login, or give a token.' },
  notFound: { origin: 'command', exit: 4, fix: 'List what is there with the list command of the same noun, and mind --tenant.' },
  conflict: { origin: 'command', exit: 5, fix: 'Use the one that exists, or another name.' },
  refused: { origin: 'command', exit: 6, fix: 'Read the Fix below the message: a rule of this installation stands against it.' },
  unreachable: { origin: 'command', exit: 7, fix: 'Check the address and whether the server, or the database, is running.' },
  timedOut: { origin: 'command', exit: 8, fix: 'Run it again, and answer in the browser within the time it names.' },
  checksFailed: { origin: 'command', exit: 9, fix: 'Read the checks that are marked as failed; each names its fix.' },
  denied: { origin: 'command', exit: 10, fix: 'Run it again when the person wants to allow it.' },
  interrupted: { origin: 'command', exit: 130 },
} as const satisfies Record<string, Row>;

export type DocumentedCode = keyof typeof errorCodes | keyof typeof others;
export type CodeRow = Row & { code: DocumentedCode };

/** All of them: the server's first, in the order of its table. */
export const documentedCodes: readonly CodeRow[] = [
  ...Object.entries(errorCodes).map(([code, row]): CodeRow => ({ ...row, code: code as keyof typeof errorCodes, origin: 'server' })),
  ...Object.entries(others).map(([code, row]): CodeRow => ({ ...row, code: code as keyof typeof others })),
];

/** The row of a code; undefined for one that nobody says. */
export function documentedCode(code: string): CodeRow | undefined {
  return documentedCodes.find((row) => row.code === code);
}
