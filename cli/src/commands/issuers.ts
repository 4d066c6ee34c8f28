/** `auth-agent issuers …`: whose word counts here besides our own: identity providers of companies, clusters and CI services. */
import { auditEvent, isoDate, type TrustedIssuer } from 'auth-agent-mcp-server/node';
import { confirm } from '../ask.ts';
import { type Call, type Command, databaseFlags } from '../command.ts';
import { withServer, withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';
import { keyFlags, keysOf } from './client-keys.ts';

export const addIssuer: Command = {
  name: 'issuers add',
  about: 'trust an issuer: a company for its people, or a platform for its workloads',
  usage: '<issuer>',
  flags: [
    ...databaseFlags,
    { name: 'people', kind: 'switch', about: 'it speaks for people: identity assertions (ID-JAG)' },
    { name: 'workloads', kind: 'switch', about: 'it speaks for programs: Kubernetes, CI' },
    { name: 'create-people', kind: 'switch', about: 'make an account for a person it names that is not linked; otherwise they are refused' },
    { name: 'once', kind: 'switch', about: 'a token of a workload is good once (one of a person always is)' },
    ...keyFlags,
  ],
  examples: [
    'auth-agent issuers add https://idp.acme.example --people',
    'auth-agent issuers add https://token.actions.githubusercontent.com --workloads --once',
    'auth-agent issuers add https://kubernetes.default.svc --workloads --jwks cluster-keys.json',
  ],
  run: (call) =>
    withServer(call, async ({ store, issuer: own, now }) => {
      const trusted = issuerOf(call, own, now());
      const { issuer, kind } = trusted;
      if ((await store.addIssuer(trusted, auditEvent('issuer.trusted', now(), 'cli', { detail: { issuer, kind } }))) === 'taken')
        throw new Failure('conflict', `${safe(issuer)} is trusted already`, { fix: 'auth-agent issuers list' });
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return { data: viewOf(trusted), lines: [ok(`Trusts ${safe(issuer)} for ${kind === 'identity' ? 'people' : 'workloads'}`)] };
    }),
};

export const listIssuers: Command = {
  name: 'issuers list',
  about: 'list trusted issuers',
  flags: databaseFlags,
  examples: ['auth-agent issuers list'],
  run: (call) =>
    withStore(call, async ({ store }) => {
      const issuers = (await store.listIssuers()).map(viewOf);
      const rows = issuers.map((one) => [safe(one.issuer), one.speaks_for, one.keys, one.unknown_people ?? '', one.trusted_since.slice(0, 10)]);
      return { data: { issuers }, lines: table(['ISSUER', 'SPEAKS FOR', 'KEYS', 'UNKNOWN PEOPLE', 'SINCE'], rows) };
    }),
};

export const removeIssuer: Command = {
  name: 'issuers rm',
  about: 'trust an issuer no more; what stands on its word for people ends',
  usage: '<issuer>',
  flags: [...databaseFlags, { name: 'yes', kind: 'switch', about: 'do not ask' }],
  examples: ['auth-agent issuers rm https://idp.acme.example --yes'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const [issuer = ''] = call.args;
      if (!(await store.findIssuer(issuer))) throw new Failure('notFound', `${safe(issuer)} is not trusted`, { fix: 'auth-agent issuers list' });
      await confirm(call, {
        name: issuer,
        breaks: `This ends every grant that stands on the word of ${safe(issuer)}, now, and forgets its links and workloads.`,
      });
      await store.removeIssuer(issuer, auditEvent('issuer.removed', now, 'cli', { detail: { issuer } }));
      return { data: { issuer }, lines: [styleOf(call.terminal.stdout, call.terminal.env).ok(`Trusts ${safe(issuer)} no more`)] };
    }),
};

function issuerOf(call: Call, own: string, now: number): TrustedIssuer {
  const [issuer = ''] = call.args;
  const people = call.flags.people === true;
  const keys = keysOf(call);
  const refuse = (what: string) => new Failure('usage', what, { fix: addIssuer.examples[0] });
  if (!/^https:\/\/[\x21-\x7e]+$/.test(issuer) || !URL.canParse(issuer) || /[?#]/.test(issuer))
    throw refuse('An issuer is an https address, exactly as its tokens spell it in iss');
  if (issuer === own) throw new Failure('refused', 'This server does not take its own word', { why: 'Its assertions are for other servers.' });
  if (people === (call.flags.workloads === true)) throw refuse('For whom does it speak? --people or --workloads');
  if (!people && call.flags.createPeople === true) throw refuse('--create-people goes with --people');
  const kind = people ? 'identity' : 'workload';
  const provisioning = people ? { provisioning: call.flags.createPeople === true ? ('create' as const) : ('linked' as const) } : {};
  return { issuer, kind, ...keys, ...provisioning, once: people || call.flags.once === true, createdAt: now };
}

function viewOf({ issuer, kind, jwks, jwksUri, provisioning, once, createdAt }: TrustedIssuer) {
  return {
    issuer,
    speaks_for: kind === 'identity' ? 'people' : 'workloads',
    keys: jwks ? `${jwks.keys.length} given` : (jwksUri ?? 'discovered'),
    unknown_people: provisioning === undefined ? undefined : provisioning === 'create' ? 'get an account' : 'are refused',
    once,
    trusted_since: isoDate(createdAt),
  };
}
