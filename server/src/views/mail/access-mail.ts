/**
 * Owns: the mails about access to a server that is for those on a list: to its owner that somebody asks, and to that person what became of it.
 */
import { commandText, type Letter, type MailFrame, plainName } from './letter.ts';

export type AccessAskedValues = { id: string; server: string; person: string; email?: string; message: string };
export type AccessAnsweredValues = { server: string };

/** What the person wrote is quoted as a stranger's words, and how to decide stands below it. */
export function accessAskedMail(mail: MailFrame, [asked]: readonly [AccessAskedValues, ...AccessAskedValues[]]): Letter {
  const { t, serviceName: service } = mail;
  const values = { service, person: plainName(asked.person), server: plainName(asked.server) };
  const facts = [
    [t('mail.fact.person'), asked.email === undefined ? values.person : `${values.person} (${asked.email})`] as const,
    ...(asked.message === '' ? [] : [[t('mail.fact.message'), plainName(asked.message, 500)] as const]),
  ];
  return {
    subject: t('mail.accessAsked.subject', values),
    blocks: [
      { text: t('mail.accessAsked.text', values) },
      { facts },
      { text: t('mail.accessAsked.how', values) },
      { list: ['approve', 'deny'].map((answer) => commandText(`requests ${answer} ${asked.id}`, mail)) },
    ],
  };
}

export function accessAnsweredMail(answer: 'approved' | 'denied') {
  return ({ t, serviceName: service }: MailFrame, [{ server }]: readonly [AccessAnsweredValues, ...AccessAnsweredValues[]]): Letter => {
    const values = { service, server: plainName(server) };
    return { subject: t(`mail.access-${answer}.subject`, values), blocks: [{ text: t(`mail.access-${answer}.text`, values) }] };
  };
}
