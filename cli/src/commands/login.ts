/**
 * `auth-agent login <url>`: signs in to a protected MCP server and keeps the tokens for `try`, `shell` and whoever shares the store. In the browser; by a code that is
 * entered elsewhere with `--device` and over SSH; in two steps for programs: `--no-wait` begins, `--check` asks.
 */
import { personAt, personFlags, showCode } from '../client/person.ts';
import type { DeviceWish } from '../client/session.ts';
import { type CredentialStore, openStore, tokenKey } from '../client/store.ts';
import { configuredClient, targetFlags, targetUrl } from '../client/target.ts';
import { type Call, type Command, type Result, textFlag } from '../command.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf } from '../terminal.ts';

export const login: Command = {
  name: 'login',
  about: 'sign in to a protected MCP server; --device without a browser here',
  usage: '[url]',
  flags: [
    { name: 'no-wait', kind: 'switch', about: 'print a code, end at once, and finish with --check' },
    { name: 'check', kind: 'text', value: 'id', about: 'has the person answered? exit 0 yes, 3 not yet, 8 too late, 10 no' },
    ...targetFlags,
    ...personFlags,
  ],
  examples: [
    'auth-agent login https://files.example.com/mcp',
    'auth-agent login https://files.example.com/mcp --device',
    'auth-agent login https://files.example.com/mcp --no-wait --json',
    'auth-agent login --check login_5f1c9a02 --json',
  ],
  run: async (call) => {
    const id = textFlag(call, 'check');
    if (id !== undefined && call.args.length > 0) throw new Failure('usage', 'With --check there is no address', { fix: login.examples[3] });
    const store = openStore(call.terminal.env);
    return id === undefined ? signIn(call, store) : check(id, call, store);
  },
};

/** For whoever needs a token now a sign-in that goes on later has failed; for --no-wait it is the result. */
class BegunSignIn extends Failure {
  readonly result: Result;

  constructor(result: Result) {
    super('signInNeeded', 'The sign-in was begun');
    this.result = result;
  }
}

const now = (): number => Math.floor(Date.now() / 1000);
const allowPrivate = ({ terminal }: Call): boolean => terminal.env.AUTH_AGENT_CLIENT_ALLOW_PRIVATE === '1';

async function signIn(call: Call, store: CredentialStore): Promise<Result> {
  const url = targetUrl(call.args[0] ?? '', login.examples[0]);
  // Loaded here: the official client takes longer to load than most commands take to run.
  const { openSession } = await import('../client/session.ts');
  const person = personAt(call, async () => undefined);
  let asked = false;
  const session = openSession(url, {
    store,
    openReception: (ports) => person.openReception(ports),
    device: call.flags.noWait === true ? beginOnly(call, store) : person.device,
    configured: configuredClient(call),
    scope: textFlag(call, 'scope'),
    documentUrl: call.terminal.env.AUTH_AGENT_CLIENT_METADATA_URL,
    allowPrivate: allowPrivate(call),
    mayAsk: true,
    tell: (step) => {
      asked ||= step === 'allowed';
    },
    now,
  });
  try {
    await session.open();
  } catch (error) {
    if (error instanceof BegunSignIn) return error.result;
    throw error;
  }
  return done(url.href, asked, call, store);
}

/** `--no-wait`: what --check needs is kept, the code is printed, and the sign-in ends here. */
function beginOnly(call: Call, store: CredentialStore): DeviceWish {
  return {
    always: true,
    async show(waiting, begun) {
      const { keepPending } = await import('../client/pending-sign-in.ts');
      const id = await keepPending(waiting, begun, { store, now });
      if (call.flags.json !== true) showCode(waiting, call);
      throw new BegunSignIn({
        data: {
          state: 'pending',
          id,
          browser_url: waiting.verificationUri,
          browser_url_complete: waiting.verificationUriComplete,
          user_code: waiting.userCode,
          expires_at: new Date(waiting.expiresAt * 1000).toISOString(),
          check_after_seconds: waiting.intervalSeconds,
        },
        notes: [`Then: auth-agent login --check ${id}`],
      });
    },
  };
}

async function check(id: string, call: Call, store: CredentialStore): Promise<Result> {
  const { checkPending } = await import('../client/pending-sign-in.ts');
  const checked = await checkPending(id, { store, allowPrivate: allowPrivate(call), now });
  if (checked.state === 'authenticated') return done(checked.mcpUrl, true, call, store);
  return {
    data: { state: 'pending', id, check_after_seconds: checked.checkAfterSeconds },
    notes: [`Nobody has answered yet. Ask again in ${checked.checkAfterSeconds} seconds: auth-agent login --check ${safe(id)}`],
    exit: 'signInNeeded',
  };
}

function done(mcpUrl: string, asked: boolean, call: Call, store: CredentialStore): Result {
  const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
  const { places, tokens } = store.read();
  const place = places[mcpUrl];
  const kept = place && tokens[tokenKey(place)];
  if (!place || !kept) return { data: { state: 'open', url: mcpUrl }, lines: [ok(`${safe(mcpUrl)} answers without a sign-in`)] };
  const data = { state: 'authenticated', url: mcpUrl, issuer: place.issuer, resource: place.resource, scope: kept.scope, expires_at: isoDate(kept.expiresAt) };
  const lines = [
    ok(`${asked ? 'Signed in' : 'Signed in already'} to ${safe(place.resource)} at ${safe(place.issuer)}`),
    `       It may: ${safe(kept.scope ?? 'what the server gives by default')}`,
  ];
  return { data, lines, notes: [`Kept in ${store.path}, which only you can read. Next: auth-agent try ${safe(mcpUrl)}`] };
}

const isoDate = (seconds: number | undefined): string | undefined => (seconds === undefined ? undefined : new Date(seconds * 1000).toISOString());
