/**
 * Owns: the mail that API keys end soon, to whoever their MCP servers belong to: which, when, and how to go on without a pause.
 */
import { commandText, type Letter, type MailFrame, momentText, plainName } from './letter.ts';

export type KeyExpiringValues = { key: string; name: string; serverId: string; server: string; expiresAt: number };

export function keyExpiringMail(mail: MailFrame, all: readonly [KeyExpiringValues, ...KeyExpiringValues[]]): Letter {
  const { t, serviceName: service } = mail;
  const [{ server }] = all;
  const lineOf = ({ key, name, server, expiresAt }: KeyExpiringValues): string =>
    t('mail.keyExpiring.line', { key, name: plainName(name), server: plainName(server), time: momentText(expiresAt, mail) });
  return {
    subject: t('mail.keyExpiring.subject', { count: all.length, server: plainName(server) }),
    blocks: [
      { text: t('mail.keyExpiring.text', { service }) },
      { list: all.map(lineOf) },
      { text: t('mail.keyExpiring.how', { service }) },
      { list: all.flatMap(({ key, serverId }) => [`keys create ${serverId}`, `keys revoke ${serverId} ${key}`]).map((command) => commandText(command, mail)) },
    ],
  };
}
