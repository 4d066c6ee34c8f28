/** `auth-agent workloads …`: which machine client the workloads of a trusted platform act as. */
import { auditEvent } from 'auth-agent-mcp-server/node';
import { type Command, databaseFlags, textFlag } from '../command.ts';
import { withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';
import { livingClient } from './client-keys.ts';

/** RFC 7523 §2.1. */
export const bearerGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

export const addWorkload: Command = {
  name: 'workloads add',
  about: 'let a workload act as a machine client',
  usage: '<issuer> <subject>',
  flags: [...databaseFlags, { name: 'client', kind: 'text', value: 'id', about: 'made with clients add --workload' }],
  examples: [
    'auth-agent workloads add https://kubernetes.default.svc system:serviceaccount:agents:nightly --client nightly',
    'auth-agent workloads add https://token.actions.githubusercontent.com repo:acme/tools:ref:refs/heads/main --client deploy',
  ],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const [issuer = '', subject = ''] = call.args;
      const clientId = textFlag(call, 'client');
      if (clientId === undefined) throw new Failure('usage', '--client is needed: whom the workload acts as', { fix: addWorkload.examples[0] });
      // "*" alone would let in every workload of everybody on a shared platform.
      if (subject.startsWith('*') || subject.slice(0, -1).includes('*'))
        throw new Failure('refused', 'A * stands at the end of a subject and never at its beginning', { fix: addWorkload.examples[1] });
      if ((await store.findIssuer(issuer))?.kind !== 'workload')
        throw new Failure('notFound', `${safe(issuer)} is not trusted for workloads`, { fix: `auth-agent issuers add ${safe(issuer)} --workloads` });
      const client = await livingClient(store, clientId);
      if (client.registration !== 'manual' || !client.metadata.grantTypes.includes(bearerGrant))
        throw new Failure('refused', `${safe(clientId)} is no client of a workload`, { fix: 'auth-agent clients add --name … --workload --scope …' });
      const event = auditEvent('workload.added', now, 'cli', { clientId, detail: { issuer, subject } });
      if (!(await store.addWorkload({ issuer, subject, clientId }, event)))
        throw new Failure('conflict', `${safe(subject)} acts as a client already`, { fix: `auth-agent workloads list ${safe(issuer)}` });
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return { data: { issuer, subject, client_id: clientId }, lines: [ok(`${safe(subject)} acts as ${safe(clientId)}`)] };
    }),
};

export const listWorkloads: Command = {
  name: 'workloads list',
  about: 'list the workloads of an issuer',
  usage: '<issuer>',
  flags: databaseFlags,
  examples: ['auth-agent workloads list https://kubernetes.default.svc'],
  run: (call) =>
    withStore(call, async ({ store }) => {
      const [issuer = ''] = call.args;
      const workloads = (await store.listWorkloads(issuer)).map(({ subject, clientId }) => ({ subject, client_id: clientId }));
      return {
        data: { issuer, workloads },
        lines: table(
          ['SUBJECT', 'CLIENT'],
          workloads.map((one) => [safe(one.subject), one.client_id]),
        ),
      };
    }),
};

export const removeWorkload: Command = {
  name: 'workloads rm',
  about: 'let a workload in no more; tokens it has end by themselves within the hour',
  usage: '<issuer> <subject>',
  flags: databaseFlags,
  examples: ['auth-agent workloads rm https://kubernetes.default.svc system:serviceaccount:agents:nightly'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const [issuer = '', subject = ''] = call.args;
      if (!(await store.removeWorkload(issuer, subject, auditEvent('workload.removed', now, 'cli', { detail: { issuer, subject } }))))
        throw new Failure('notFound', `${safe(subject)} is no workload here`, { fix: `auth-agent workloads list ${safe(issuer)}` });
      return { data: { issuer, subject }, lines: [styleOf(call.terminal.stdout, call.terminal.env).ok(`${safe(subject)} is let in no more`)] };
    }),
};
