/** `auth-agent webhooks …`: programs that are told of events. Their secrets are sealed in the database, so that all nodes have them. */
import {
  auditEvent,
  type Context,
  eventTypes,
  isoDate,
  messageOf,
  newWebhookSecret,
  randomId,
  type Store,
  secretPurpose,
  sendWebhook,
  type Webhook,
} from 'auth-agent-mcp-server/node';
import { confirm } from '../ask.ts';
import { type Call, type Command, databaseFlags, listFlag, textFlag } from '../command.ts';
import { next, withServer, withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { labelled, safe, styleOf, table } from '../terminal.ts';
import { noEvent } from './audit.ts';

export const addWebhook: Command = {
  name: 'webhooks add',
  about: 'tell a program of events, signed after Standard Webhooks; prints its secret once',
  usage: '<url>',
  flags: [
    ...databaseFlags,
    { name: 'event', kind: 'list', value: 'type', about: 'an event it hears of, as in audit list' },
    { name: 'all', kind: 'switch', about: 'it hears of every event' },
    { name: 'private-network', kind: 'switch', about: 'it may be on loopback or in a private network; otherwise only public addresses are spoken to' },
  ],
  examples: [
    'auth-agent webhooks add https://siem.example.com/hooks/auth --event refresh_token.reused --event code.replayed',
    'auth-agent webhooks add https://siem.internal/hooks/auth --all --private-network',
  ],
  run: (call) =>
    withServer(call, async (context) => {
      const secret = newWebhookSecret();
      const webhook = webhookOf(call, secret, context);
      const { id, url, events, createdAt } = webhook;
      const event = auditEvent('webhook.added', createdAt, 'cli', { detail: { webhook: id, host: new URL(url).host, events: [...events] } });
      await context.store.addWebhook(webhook, event);
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return {
        data: { ...viewOf(webhook), secret },
        lines: [
          ok(`${safe(url)} hears of ${heard(webhook)}`),
          labelled('Id', id),
          labelled('Secret', `${secret}\nShown once: give it to the program that verifies the signatures.`),
        ],
        notes: [next(`auth-agent webhooks test ${id}`)],
      };
    }),
};

export const listWebhooks: Command = {
  name: 'webhooks list',
  about: 'list which programs are told of what',
  flags: databaseFlags,
  examples: ['auth-agent webhooks list'],
  run: (call) =>
    withStore(call, async ({ store }) => {
      const webhooks = await store.listWebhooks();
      const rows = webhooks.map((one) => [one.id, safe(one.url), heard(one), stateOf(one), isoDate(one.createdAt).slice(0, 10)]);
      return { data: { webhooks: webhooks.map(viewOf) }, lines: table(['ID', 'URL', 'HEARS OF', 'STATE', 'SINCE'], rows) };
    }),
};

export const testWebhook: Command = {
  name: 'webhooks test',
  about: 'send one signed webhook.tested now and print what comes back',
  usage: '<id>',
  flags: databaseFlags,
  examples: ['auth-agent webhooks test wh_7xK2'],
  run: (call) =>
    withServer(call, async (context) => {
      const webhook = await knownWebhook(call, context.store);
      const message = messageOf(auditEvent('webhook.tested', context.now(), 'cli', { detail: { webhook: webhook.id } }), context.issuer);
      const { answer } = await sendWebhook(webhook, message, context);
      if (!/^2\d\d$/.test(answer))
        throw new Failure(
          answer === 'timeout' ? 'timedOut' : answer === 'refused' ? 'refused' : 'unreachable',
          `${safe(webhook.url)} answers: ${answer}`,
          whyOf(answer),
        );
      return {
        data: { id: webhook.id, message_id: message.id, answer },
        lines: [styleOf(call.terminal.stdout, call.terminal.env).ok(`${safe(webhook.url)} took ${message.id} and answers ${answer}`)],
      };
    }),
};

export const listDeliveries: Command = {
  name: 'webhooks deliveries',
  about: 'list what a webhook was sent in the last 30 days, or waits for',
  usage: '<id>',
  flags: [...databaseFlags, { name: 'limit', kind: 'text', value: 'n', about: 'at most this many (50)' }],
  examples: ['auth-agent webhooks deliveries wh_7xK2'],
  run: (call) =>
    withStore(call, async ({ store }) => {
      const { id } = await knownWebhook(call, store);
      const limit = textFlag(call, 'limit') ?? '50';
      if (!/^[1-9]\d{0,3}$/.test(limit)) throw new Failure('usage', '--limit is a number from 1 to 9999');
      const deliveries = (await store.listDeliveries(id, Number(limit))).map(({ eventId, eventAt, type, state, attempts, dueAt, answer, finishedAt }) => ({
        event_id: eventId,
        at: isoDate(eventAt),
        type,
        state,
        attempts,
        answer,
        next_attempt: dueAt === undefined ? undefined : isoDate(dueAt),
        finished: finishedAt === undefined ? undefined : isoDate(finishedAt),
      }));
      const rows = deliveries.map((one) => [one.event_id, one.at, one.type, one.state, String(one.attempts), one.answer ?? '', one.next_attempt ?? '']);
      return { data: { deliveries }, lines: table(['EVENT ID', 'WHEN', 'EVENT', 'STATE', 'TRIES', 'ANSWER', 'NEXT'], rows) };
    }),
};

export const replayWebhook: Command = {
  name: 'webhooks replay',
  about: 'deliver again what failed, or one event; receivers know repeats by their webhook-id',
  usage: '<id>',
  flags: [...databaseFlags, { name: 'event-id', kind: 'text', value: 'evt_…', about: 'only this one, whether it failed or not' }],
  examples: ['auth-agent webhooks replay wh_7xK2', 'auth-agent webhooks replay wh_7xK2 --event-id evt_0000001k3JdX0aQ'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const webhook = await knownWebhook(call, store);
      if (webhook.disabledAt !== undefined)
        throw new Failure('conflict', `${webhook.id} is disabled`, {
          why: 'It took nothing for five days, or asked to be left alone.',
          fix: `auth-agent webhooks enable ${webhook.id}`,
        });
      const replayed = await store.replayDeliveries({ webhookId: webhook.id, eventId: textFlag(call, 'eventId'), now });
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return {
        data: { id: webhook.id, replayed },
        lines: [ok(`${replayed} ${replayed === 1 ? 'event is' : 'events are'} delivered again by the running server`)],
      };
    }),
};

export const rotateWebhookSecret: Command = {
  name: 'webhooks rotate-secret',
  about: 'give a webhook a new secret, shown once; the older one signs beside it for a day',
  usage: '<id>',
  flags: [
    ...databaseFlags,
    { name: 'hours', kind: 'text', value: 'number', about: 'how long the older one signs, too (24)' },
    { name: 'now', kind: 'switch', about: 'no older one signs any more: for a secret that leaked' },
  ],
  examples: ['auth-agent webhooks rotate-secret wh_7xK2', 'auth-agent webhooks rotate-secret wh_7xK2 --now'],
  run: (call) =>
    withServer(call, async ({ store, instance, now }) => {
      const { id, url, olderSecretExpiresAt } = await knownWebhook(call, store);
      const secret = newWebhookSecret();
      const at = now();
      const overlap = overlapOf(call);
      const olderExpiresAt = overlap && at + overlap;
      const event = auditEvent('webhook.secret_rotated', at, 'cli', { detail: { webhook: id, host: new URL(url).host } });
      const outcome = await store.rotateWebhookSecret({ id, secretSealed: instance.seal(secretPurpose(id), secret), olderExpiresAt }, event);
      if (outcome === 'full')
        throw new Failure('conflict', `${id} has two secrets that sign already`, {
          why: olderSecretExpiresAt === undefined ? undefined : `The older one signs until ${isoDate(olderSecretExpiresAt)}.`,
          fix: `auth-agent webhooks rotate-secret ${id} --now`,
        });
      if (outcome === 'gone') throw unknownWebhook(id);
      const until = olderExpiresAt === undefined ? 'No older secret signs any more' : `The older one signs, too, until ${isoDate(olderExpiresAt)}`;
      return {
        data: { id, secret, older_secret_expires_at: olderExpiresAt === undefined ? undefined : isoDate(olderExpiresAt) },
        lines: [
          styleOf(call.terminal.stdout, call.terminal.env).ok(`${safe(url)} has a new secret`),
          labelled('Secret', `${secret}\nShown once: give it to the program that verifies the signatures.`),
          labelled('Older', until),
        ],
        notes: [next(`auth-agent webhooks test ${id}`)],
      };
    }),
};

export const enableWebhook: Command = {
  name: 'webhooks enable',
  about: 'let a disabled webhook hear of what happens from now on',
  usage: '<id>',
  flags: databaseFlags,
  examples: ['auth-agent webhooks enable wh_7xK2'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const { id, url } = await knownWebhook(call, store);
      const enabled = await store.enableWebhook(id, auditEvent('webhook.enabled', now, 'cli', { detail: { webhook: id, host: new URL(url).host } }));
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return {
        data: { id, enabled },
        lines: [ok(enabled ? `Enabled ${id}` : `${id} was enabled already`)],
        notes: [next(`auth-agent webhooks replay ${id}`, call)],
      };
    }),
};

export const removeWebhook: Command = {
  name: 'webhooks rm',
  about: 'tell a program nothing any more, and forget what waits for it',
  usage: '<id>',
  flags: [...databaseFlags, { name: 'yes', kind: 'switch', about: 'do not ask' }],
  examples: ['auth-agent webhooks rm wh_7xK2 --yes'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const { id, url } = await knownWebhook(call, store);
      await confirm(call, { name: id, breaks: `${safe(url)} hears nothing any more, and what waits for it is forgotten.` });
      await store.removeWebhook(id, auditEvent('webhook.removed', now, 'cli', { detail: { webhook: id, host: new URL(url).host } }));
      return { data: { id }, lines: [styleOf(call.terminal.stdout, call.terminal.env).ok(`${safe(url)} hears nothing any more`)] };
    }),
};

function webhookOf(call: Call, secret: string, { instance, now }: Context): Webhook {
  const privateNetwork = call.flags.privateNetwork === true;
  const id = randomId('wh_', 9);
  const url = urlOf(call.args[0] ?? '', privateNetwork);
  return { id, url, events: eventsOf(call), secretSealed: instance.seal(secretPurpose(id), secret), privateNetwork, createdAt: now() };
}

function urlOf(given: string, privateNetwork: boolean): string {
  const refuse = (what: string) => new Failure('usage', what, { fix: addWebhook.examples[0] });
  if (!URL.canParse(given) || given.length > 2000) throw refuse('Where is it? Its https address');
  const url = new URL(given);
  const inClear = privateNetwork && url.protocol === 'http:' && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !inClear) throw refuse('A webhook has an https address; http is for loopback, with --private-network');
  if (url.username || url.password || url.hash) throw refuse('The address has no user, password or fragment');
  return url.href;
}

function eventsOf(call: Call): string[] {
  const events = listFlag(call, 'event');
  if ((call.flags.all === true) === events.length > 0) throw new Failure('usage', 'What does it hear of? --event, or --all', { fix: addWebhook.examples[0] });
  for (const event of events) {
    if (!(eventTypes as readonly string[]).includes(event)) throw noEvent(event);
  }
  return events.length === 0 ? ['*'] : [...new Set(events)];
}

async function knownWebhook(call: Call, store: Store): Promise<Webhook> {
  const [id = ''] = call.args;
  const webhook = await store.findWebhook(id);
  if (!webhook) throw unknownWebhook(id);
  return webhook;
}

const unknownWebhook = (id: string): Failure => new Failure('notFound', `There is no webhook ${safe(id)}`, { fix: 'auth-agent webhooks list' });

/** In seconds; nothing with --now. */
function overlapOf(call: Call): number | undefined {
  const hours = textFlag(call, 'hours');
  if (call.flags.now === true && hours !== undefined) throw new Failure('usage', 'Both --hours and --now', { fix: rotateWebhookSecret.examples[1] });
  if (call.flags.now === true) return undefined;
  if (hours === undefined) return 86_400;
  if (!/^[1-9]\d{0,2}$/.test(hours) || Number(hours) > 720) throw new Failure('usage', '--hours is a number from 1 to 720', { fix: '--hours 24' });
  return Number(hours) * 3600;
}

const whys: Record<string, string> = {
  refused: 'Its address is not public. Only an operator who says --private-network lets the server speak to such addresses.',
  timeout: 'There was no complete answer within ten seconds.',
  transport: 'There is no such name, no connection, or no trusted certificate.',
  'too-large': 'The answer is larger than 64 KiB: answer with 204 and nothing else.',
};

function whyOf(answer: string): { why: string; fix: string } {
  return { why: whys[answer] ?? 'Only 2xx is success; redirects are not followed.', fix: 'docs/webhooks.md says what a receiver does' };
}

const heard = ({ events }: Webhook): string => (events[0] === '*' ? 'every event' : events.join(', '));
const stateOf = ({ disabledAt, failingSince }: Webhook): string => (disabledAt !== undefined ? 'disabled' : failingSince !== undefined ? 'failing' : 'active');

function viewOf(webhook: Webhook) {
  const { id, url, events, privateNetwork, createdAt, failingSince, disabledAt, olderSecretExpiresAt } = webhook;
  return {
    id,
    url,
    events,
    private_network: privateNetwork,
    state: stateOf(webhook),
    created_at: isoDate(createdAt),
    failing_since: failingSince === undefined ? undefined : isoDate(failingSince),
    disabled_at: disabledAt === undefined ? undefined : isoDate(disabledAt),
    older_secret_expires_at: olderSecretExpiresAt === undefined ? undefined : isoDate(olderSecretExpiresAt),
  };
}
