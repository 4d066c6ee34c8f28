/**
 * Owns: what people are told about the safety of their account and their agents: what happened, when, from where, and where to undo it. Never more than the kind, the
 * app's name and host and the server's name. Not owned: when a notice is due (the room in which it happens).
 */
import type { ClientView } from '../client-identity.ts';
import { deviceText } from '../device-name.ts';
import { type Block, type Letter, type MailFrame, momentText, plainName } from './letter.ts';

/** When and from where; `userAgent` as the browser says it. */
export type Moment = { at: number; address?: string; userAgent?: string };
export type AccountNotice =
  | 'password-changed'
  | 'passkey-added'
  | 'passkey-removed'
  | 'factor-added'
  | 'factor-removed'
  | 'sign-in-linked'
  | 'sign-in-unlinked'
  | 'reset-link-made'
  | 'email-changed'
  | 'new-device';
export type AgentNotice = 'agent-connected' | 'more-access' | 'key-reused' | 'access-lapsed';

export type AccountNoticeValues = Moment;
export type AgentNoticeValues = Moment & {
  client: ClientView;
  server: string;
  /** Where this agent is seen, paused and ended. */
  path: string;
  /** For how long it was not used. */
  days?: number;
};

/** About the account itself: one moment each. */
export function accountNotice(notice: AccountNotice) {
  return (mail: MailFrame, all: readonly [AccountNoticeValues, ...AccountNoticeValues[]]): Letter => {
    const { t, serviceName: service } = mail;
    const text = { text: t(`mail.${notice}.text`, { service }) };
    const moments = all.map((moment): Block => ({ facts: momentFacts(moment, mail) }));
    const advice = { text: t(mail.passwordless ? 'mail.notYouPasswordless' : 'mail.notYou') };
    return { subject: t(`mail.${notice}.subject`, { service }), blocks: [text, ...moments, advice, { link: t('mail.toSecurity'), path: '/account/security' }] };
  };
}

/** About agents: those that came together are told in one mail. */
export function agentNotice(notice: AgentNotice) {
  return (mail: MailFrame, all: readonly [AgentNoticeValues, ...AgentNoticeValues[]]): Letter => {
    const { t, serviceName: service } = mail;
    const [first] = all;
    const agent = agentName(first.client, mail);
    const server = plainName(first.server);
    const values = { service, agent, server, count: all.length, days: first.days ?? 0 };
    const what: Block[] =
      all.length === 1
        ? [{ text: t(`mail.${notice}.text`, values) }, { facts: momentFacts(first, mail) }]
        : [{ text: t(`mail.${notice}.texts`, values) }, { list: all.map((one) => agentLine(one, mail)) }];
    const link =
      all.length === 1 && notice !== 'access-lapsed' ? { link: t('mail.toAgent'), path: first.path } : { link: t('mail.toAgents'), path: '/account/agents' };
    return { subject: t(`mail.${notice}.subject`, values), blocks: [...what, { text: t(`mail.${notice}.advice`) }, link] };
  };
}

function agentLine({ client, server, ...moment }: AgentNoticeValues, mail: MailFrame): string {
  const [[, time]] = momentFacts(moment, mail);
  return mail.t('mail.agentLine', { agent: agentName(client, mail), server: plainName(server), time });
}

/** The name as somebody chose it, quoted, with the host that vouches for it where there is one. */
function agentName(client: ClientView, { t }: MailFrame): string {
  const name = plainName(client.name) || t('client.unnamed');
  if (client.tier === 'approved') return name;
  return client.tier === 'document' && client.host ? t('mail.agent.hosted', { name, host: plainName(client.host) }) : t('mail.agent.unverified', { name });
}

type Facts = [time: [label: string, value: string], ...rest: [label: string, value: string][]];

function momentFacts({ at, address, userAgent }: Moment, mail: MailFrame): Facts {
  const { t } = mail;
  return [
    [t('mail.fact.time'), momentText(at, mail)],
    ...(userAgent === undefined ? [] : [[t('mail.fact.device'), deviceText(userAgent, mail)] as [string, string]]),
    ...(address === undefined ? [] : [[t('mail.fact.address'), address] as [string, string]]),
  ];
}
