/** `auth-agent try <url>`: the whole way to a protected MCP server once, told in numbered lines: 401, metadata, client, sign-in, token, tools. */
import { contentLines, safeLines } from '../client/content.ts';
import { personAt, personFlags } from '../client/person.ts';
import type { Session, Step } from '../client/session.ts';
import { openStore } from '../client/store.ts';
import { configuredClient, targetFlags, targetUrl } from '../client/target.ts';
import { type Call, type Command, type Result, textFlag } from '../command.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf } from '../terminal.ts';

export const tryServer: Command = {
  name: 'try',
  about: 'walk to a protected MCP server once and say each step',
  usage: '<url> [json]',
  flags: [
    { name: 'call', kind: 'text', value: 'tool', about: 'call this tool with [json]; GET:/path asks for an ordinary route' },
    { name: 'no-login', kind: 'switch', about: 'use what is kept and never ask; exit 3 when sign-in is needed' },
    ...targetFlags,
    ...personFlags,
  ],
  examples: [
    'auth-agent try http://localhost:4001/mcp',
    `auth-agent try http://localhost:4001/mcp --call create_task '{"title":"Tea"}'`,
    'auth-agent try http://localhost:8000 --call GET:/files --no-login',
  ],
  run: async (call) => {
    const url = targetUrl(call.args[0] ?? '', tryServer.examples[0]);
    const tool = textFlag(call, 'call');
    const input = inputOf(call.args[1]);
    const walk = walkOf(call);
    const session = await sessionOf(url, call, walk.tell);
    await session.open();
    walk.passed();
    if (tool !== undefined && /^[A-Z]+:\//.test(tool)) return route(url, { session, tool, input: call.args[1], walk });
    return mcp(url, { session, tool, input, walk });
  },
};

type Walk = { tell(step: Step, text: string): void; passed(): void; done(text: string): void; data(more: object): Result };

const numbers: Record<Step, number> = { challenge: 1, server: 2, client: 3, waiting: 4, allowed: 4, token: 5 };

/** Lines as they happen; with --json they are kept for the end. */
function walkOf(call: Call): Walk {
  const { ok, faint } = styleOf(call.terminal.stdout, call.terminal.env);
  const steps: { step: string; text: string }[] = [];
  const say = (number: number, step: string, text: string): void => {
    steps.push({ step, text });
    if (call.flags.json === true) return;
    call.terminal.stdout.write(step === 'waiting' ? `${number} …     ${faint(text)}\n` : `${number} ${ok(text)}\n`);
  };
  return {
    tell: (step, text) => say(numbers[step], step, text),
    passed: () => {
      if (steps.length === 0) say(1, 'passed', 'the server answers without asking for a sign-in now');
    },
    done: (text) => say(6, 'answer', text),
    data: (more) => ({ data: { steps, ...more } }),
  };
}

async function sessionOf(url: URL, call: Call, tell: Walk['tell']): Promise<Session> {
  // Loaded here: the official client takes longer to load than most commands take to run.
  const { openSession } = await import('../client/session.ts');
  const { env } = call.terminal;
  const person = personAt(call, async () => undefined);
  return openSession(url, {
    store: openStore(env),
    openReception: (ports) => person.openReception(ports),
    device: person.device,
    configured: configuredClient(call),
    scope: textFlag(call, 'scope'),
    documentUrl: env.AUTH_AGENT_CLIENT_METADATA_URL,
    allowPrivate: env.AUTH_AGENT_CLIENT_ALLOW_PRIVATE === '1',
    mayAsk: call.flags.noLogin !== true,
    tell,
    now: () => Math.floor(Date.now() / 1000),
  });
}

type Rest = { session: Session; tool?: string; walk: Walk };

async function mcp(url: URL, { session, tool, input, walk }: Rest & { input: Record<string, unknown> }): Promise<Result> {
  const { connectHttp } = await import('../client/connection.ts');
  const connection = await connectHttp(url, session);
  try {
    const { tools } = await connection.use((client, options) => client.listTools(undefined, options));
    const names = tools.map(({ name }) => safe(name));
    walk.done(`tools/list → ${names.join(', ') || 'none'}`);
    if (tool === undefined) return walk.data({ tools: names });
    const result = await connection.use((client, options) => client.callTool({ name: tool, arguments: input }, options));
    if (result.isError) throw new Failure('failed', `${safe(tool)} says no`, { why: contentLines(result.content).join('\n') });
    return { ...walk.data({ tools: names, result }), lines: contentLines(result.content) };
  } finally {
    await connection.close();
  }
}

async function route(url: URL, { session, tool = '', input, walk }: Rest & { input?: string }): Promise<Result> {
  const [method = 'GET'] = tool.split(':', 1);
  const headers = input === undefined ? undefined : { 'Content-Type': 'application/json' };
  const target = new URL(tool.slice(method.length + 1), url);
  const response = await session.fetch(target, { method, body: input, headers });
  const body = (await response.text()).slice(0, 100_000);
  walk.done(`${method} ${safe(target.pathname)} → ${response.status}`);
  if (!response.ok) throw new Failure(response.status === 404 ? 'notFound' : 'failed', `${response.status}`, { why: safeLines(body.slice(0, 500)).join('\n') });
  return { ...walk.data({ status: response.status, body }), lines: safeLines(body) };
}

function inputOf(text = '{}'): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new Failure('usage', 'The input is not a JSON object', { fix: tryServer.examples[1] });
}
