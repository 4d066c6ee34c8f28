/** `auth-agent doctor [url]`: looks at the authorization server of this machine, from inside and from outside, and at a protected MCP server. */
import { canonicalResource } from 'auth-agent-mcp-server/node';
import { targetUrl } from '../client/target.ts';
import { type Call, type Command, settingFlags } from '../command.ts';
import { readConfig, withServer } from '../database.ts';
import type { Finding, Look } from '../doctor/finding.ts';
import { lookHere } from '../doctor/here.ts';
import { lookAtIssuer } from '../doctor/issuer.ts';
import { lookAtMcpServer } from '../doctor/mcp-server.ts';
import { labelled, safe, styleOf } from '../terminal.ts';

export const doctor: Command = {
  name: 'doctor',
  about: 'look at the server, and at an MCP server, and say what to mend (exit 9 if anything)',
  usage: '[url]',
  flags: [...settingFlags(), { name: 'tenant', kind: 'text', value: 'slug', about: 'look at this tenant instead of the root one' }],
  examples: ['auth-agent doctor', 'auth-agent doctor https://mcp.example.com/mcp', 'auth-agent doctor --json'],
  run: async (call) => {
    const url = call.args[0] === undefined ? undefined : targetUrl(call.args[0], doctor.examples[1]);
    const report = reportOf(call);
    const { issuer } = readConfig(call);
    // Elsewhere than on the machine of the server there is nothing to look at but the MCP server.
    const here = issuer !== undefined || url === undefined;
    let place: Place | undefined;
    if (here) {
      await report.look('This machine', lookHere(call));
      place = await placeOf(call).catch(() => undefined);
      const address = place?.issuer ?? issuer;
      if (address !== undefined)
        await report.look(
          address,
          lookAtIssuer(address, () => Date.now() / 1000),
        );
    }
    const allowPrivate = here || call.terminal.env.AUTH_AGENT_CLIENT_ALLOW_PRIVATE === '1';
    if (url) await report.look(safe(url.href), lookAtMcpServer(url, { issuer, ...place, allowPrivate }));
    return report.result();
  },
};

type Place = { issuer: string; isRegistered(resource: string): Promise<boolean> };

/** The issuer of the tenant that is meant, and what is registered there. What cannot be opened was told already. */
async function placeOf(call: Call): Promise<Place> {
  const isRegistered = (resource: string) =>
    withServer(call, async ({ store }) => (await store.findServerByResource(canonicalResource(resource) ?? resource)) !== undefined);
  return { issuer: await withServer(call, async (context) => context.issuer), isRegistered };
}

/** Tells what is found as it is found; with --json all of it at the end. */
function reportOf({ flags, terminal: { stdout, env } }: Call) {
  const style = styleOf(stdout, env);
  const found: (Finding & { of: string })[] = [];
  const write = (text: string): void => {
    if (flags.json !== true) stdout.write(`${text}\n`);
  };
  return {
    async look(of: string, look: Look): Promise<void> {
      write(`${found.length > 0 ? '\n' : ''}${style.strong(of)}`);
      for await (const finding of look) {
        found.push({ of, ...finding });
        write(style[finding.level](finding.text));
        if (finding.why) write(labelled('Why', finding.why));
        if (finding.fix) write(labelled('Fix', finding.fix));
      }
    },
    result() {
      const count = (wanted: Finding['level']) => found.filter(({ level }) => level === wanted).length;
      const [failures, warnings] = [count('fail'), count('warn')];
      const said = [counted(failures, 'failure'), counted(warnings, 'warning')].join(', ');
      return { data: { found, failures, warnings }, lines: ['', said], exit: failures > 0 ? ('checksFailed' as const) : ('ok' as const) };
    },
  };
}

const counted = (count: number, name: string): string => `${count === 0 ? 'no' : count} ${name}${count === 1 ? '' : 's'}`;
