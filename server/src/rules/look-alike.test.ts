import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { knownAgents } from './known-agents.ts';
import { letters, lookAlike } from './look-alike.ts';

const stranger = (name: string, hosts: string[] = []) => lookAlike({ name, hosts }, knownAgents)?.name;

test('a name that looks the same is told, however it is spelled', () => {
  for (const name of [
    'Claude',
    'claude',
    'CLAUDE',
    'C l a u d e',
    'Clau\u200Bde',
    'Сlaude',
    'Сlаudе',
    'Cláude',
    'C1aude',
    'CIaude',
    'Ｃｌａｕｄｅ',
    'Claude AI (official)',
    'Claude Assistant',
    'The official Claude app',
    'Claude (my-server)',
    'Claude 4.5',
    'Clawde'.replace('w', 'u'),
  ])
    assert.equal(stranger(name), 'Claude', name);
});

test('names of more than one word are told with and without their space, and with a slip', () => {
  for (const name of ['Claude Code', 'ClaudeCode', 'Claude-Code', 'Claud Code', 'Cluade Code', 'Claude C0de', 'Claude Code Official Support'])
    assert.equal(stranger(name), 'Claude Code', name);
  for (const [name, known] of [
    ['Chat GPT', 'ChatGPT'],
    ['СhаtGРТ', 'ChatGPT'],
    ['Cursоr', 'Cursor'],
    ['Cursor Pro', 'Cursor'],
    ['Cursorr', 'Cursor'],
    ['GitHub C0pilot', 'GitHub Copilot'],
    ['GitHubCopilot Connector', 'GitHub Copilot'],
    ['Gemini CLI', 'Gemini'],
    ['Visua1 Studio Code', 'Visual Studio Code'],
    ['Windsurf Update', 'Windsurf'],
    ['MCP lnspector', 'MCP Inspector'],
  ] as const)
    assert.equal(stranger(name), known, name);
});

test('whoever publishes under a host of the name is no impostor, and a host that only ends alike is', () => {
  assert.equal(stranger('Claude Code', ['claude.ai']), undefined);
  assert.equal(stranger('Claude', ['mcp.anthropic.com']), undefined);
  assert.equal(stranger('Claude Code', ['evilclaude.ai']), 'Claude Code');
  assert.equal(stranger('Claude Code', ['claude.ai.evil.example']), 'Claude Code');
  assert.equal(stranger('GitHub Copilot', ['someone.github.io']), 'GitHub Copilot');
});

/** Of ordinary names not one in fifty may be called a look-alike: a warning that cries wolf is not read. */
const ordinary =
  `Acme Notes|Agent|Agent of Example|Unknown Agent|MCP Client|MCP CLI Proxy|My App|Test|Demo|Assistant|AI Assistant|Helper Bot|Support Bot|Notes|Notion|Linear|Slack
|Figma|Asana|Jira Helper|Trello Sync|Todoist|Obsidian|Evernote|Dropbox|Box|Airtable|Stripe|Shopify|HubSpot|Salesforce|Zendesk|Intercom|Sentry|Datadog|Grafana|PagerDuty|Vercel
|Netlify|Supabase|Neon|Fly|Render|Railway|Heroku|Docker|Kubernetes Console|Terraform Cloud|Pulumi|Ansible|Jenkins|CircleCI|GitLab Duo|Bitbucket|Gitea|Sourcegraph|Tabnine|Replit
|Bolt|Lovable|Framer|Webflow|WordPress|Ghost|Substack|Medium|Discord Bot|Telegram Bot|WhatsApp Bridge|Signal|Matrix|Element|Zoom|Loom|Otter|Fireflies|Granola|Superhuman|Fastmail
|Proton|Bitwarden|Okta|Auth0|Keycloak|Clerk|WorkOS|Stytch|Descope|Cloud Code|Code|Coder|Codec|Cloudy|Claudia|Claudette|Clause|Cloud|Clyde|Curator|Course|Cursive|Precursor Analytics
|Cursor Blade|Claude Monet Gallery|Windsor|Windows Terminal|Wind Farm Monitor|Surf Report|Genie|Gemma Editor|Geminorum Sky Map|Copilot for Sailors|Pilot Log|Chatter|Chat|ChatRoom
|Chess GPT|Perplexing Puzzles|Complexity|Raytrace|Broadcast|Happier|Papier|Library Chat|Studio LM Music|Zebra|Amazon River Guide|Quill|Inspector Morse|Home Inspector|Travel Planner
|Grocery List|Tax Return|Garden Log|Recipe Box|Weather|Calendar|Budget|Meeting Notes|Invoice Tool|Photo Album|Книга рецептов|Σημειώσεις|メモ帳|笔记|ملاحظات|Заметки|Übersicht|Café Menu`
    .replaceAll('\n', '')
    .split('|');

test('a name made of words that anybody may use is told with more of them around it', () => {
  const service = [{ name: 'Auth-Agent', hosts: ['auth.example.com'] }];
  for (const name of ['Auth-Agent', 'Auth Agent support', 'The Auth-Agent Security Team', 'AuthAgent'])
    assert.equal(lookAlike({ name, hosts: [] }, service)?.name, 'Auth-Agent', name);
  for (const name of ['Agent', 'Support Agent', 'Auth', 'Author Agent']) assert.equal(lookAlike({ name, hosts: [] }, service), undefined, name);
});

test('ordinary names are left alone, with a budget of one in fifty', () => {
  const wrong = ordinary.filter((name) => stranger(name) !== undefined);

  assert.ok(ordinary.length >= 140, String(ordinary.length));
  assert.ok(wrong.length <= ordinary.length / 50, wrong.map((name) => `${name} → ${stranger(name)}`).join(', '));
});

test('every known name is its own letters and never another maker’s', () => {
  for (const { name, hosts } of knownAgents) {
    assert.match(letters(name), /^[a-z]{4,}$/, name);
    assert.equal(stranger(name, [...hosts]), undefined, name);
    assert.deepEqual(lookAlike({ name, hosts: [] }, knownAgents)?.hosts.at(0), hosts[0], name);
  }
});

test('any text is compared without harm, and the same text always alike', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (name) => {
      assert.equal(stranger(name), stranger(name));
      assert.equal(letters(letters(name)), letters(name));
    }),
  );
});
