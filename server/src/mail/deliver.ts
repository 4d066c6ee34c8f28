/**
 * Sends what is due: takes rows from the outbox, each for this node alone until its next attempt, writes the letters and hands them to the sender. What cannot
 * be handed over is tried again until it is too old; only a crash in the middle of handing over can send a mail twice. Not here: SMTP (runtimes/).
 */
import type { Context } from '../context.ts';
import type { MailSender, OutgoingMail } from '../options.ts';
import { drain, type GoesOn } from '../relay.ts';
import { isEmailAddress } from '../rules/person.ts';
import { type DueMail, ROOT_TENANT } from '../storage/store.ts';
import { storedKind } from './kinds.ts';
import { MailNotSent } from './mail-not-sent.ts';
import { writeMail } from './write-mail.ts';

export type Delivering = Pick<Context, 'options' | 'issuer' | 'store' | 'instance' | 'now' | 'log'>;
type Opened = { to: string; values: unknown };

/** At once; a sender has as many connections. */
const batch = 5;

/** Sends what is due now. Resolves to how many rows were tried. */
export async function deliverDue(place: Delivering, goesOn: GoesOn): Promise<number> {
  const { sendMail } = place.options;
  if (!sendMail) return 0;
  return drain({
    batch,
    goesOn,
    claim: (limit) => place.store.claimMail(place.now(), limit),
    handOver: (due) => Promise.all(bundlesOf(due).map((bundle) => handOver(bundle, sendMail, place))),
  });
}

type Bundle = [DueMail, ...DueMail[]];

function bundlesOf(due: readonly DueMail[]): Bundle[] {
  const bundles = new Map<string, Bundle>();
  for (const one of due) {
    const name = one.bundle ?? one.id;
    const bundle = bundles.get(name);
    if (bundle) bundle.push(one);
    else bundles.set(name, [one]);
  }
  return [...bundles.values()];
}

async function handOver(bundle: Bundle, sendMail: MailSender, place: Delivering): Promise<void> {
  const { store, log } = place;
  const [{ kind, last }] = bundle;
  try {
    const mail = letterOf(bundle, place);
    if (!mail) return;
    const answer = isEmailAddress(mail.to) ? await sendMail(mail) : 'refused';
    log.info(answer === 'sent' ? 'mail.sent' : 'mail.refused', { kind, message_id: mail.messageId });
    await store.settleMail(bundle.map(({ id }) => id));
  } catch (error) {
    // Senders say why in a few words without addresses; a row that cannot be opened or written says so with its stack.
    if (error instanceof MailNotSent) log.warn('mail.not_sent', { kind, why: error.message, given_up: last });
    else log.error('mail.failed', { kind, given_up: last }, error);
  }
}

/** Undefined for a kind that only a newer version knows: another node will send it. */
function letterOf(bundle: Bundle, { options, issuer, store, instance }: Delivering): OutgoingMail | undefined {
  const [first] = bundle;
  const kind = storedKind(first.kind);
  if (!kind) return undefined;
  const opened = bundle.map(({ id, sealed }) => JSON.parse(instance.open(`mail ${id}`, sealed)) as Opened);
  // A bundle is never empty, and so are its values.
  const values = opened.map((one) => one.values) as [unknown, ...unknown[]];
  const { serviceName, contact, signIn } = options;
  const tenant = store.tenant === ROOT_TENANT ? undefined : store.tenant;
  const from = { issuer, serviceName, contact, passwordless: !signIn.password, tenant };
  return writeMail({ kind, values, id: first.id, to: opened[0]?.to ?? '', locale: first.locale }, from);
}
