/**
 * Authorization requests parked while a person signs in and decides. A request is answered once: the grant, the code and the event exist only if this
 * batch is the one that set `answered_at` (CON-06).
 */
import { type Driver, part, type Result, type Row, type Statement, sql } from '../driver.ts';
import { json, optionalText, optionalWhole, present, text, whole } from '../row.ts';
import type { AuthorizationRequest, Grant, ParkedRequest, RequestAnswer, Store } from '../store.ts';
import { eventIf } from './audit-events.ts';
import { noteConsent } from './clients.ts';
import { type CodeRow, codeRow, insertCode } from './codes.ts';
import { addCompanions } from './companions.ts';
import { type GrantRow, grantRow, insertGrant } from './grants.ts';
import { usedByUs, usePushed } from './pushed-requests.ts';
import { keepReceipt } from './receipts.ts';
import { lockUse, mayUse } from './server-people.ts';
import { insertListener, listenerRow, orLonger } from './session-clients.ts';
import { lockSession, sessionIsThere } from './sessions.ts';

type Key = { tenant: string; idHash: string };
type RequestRow = Key & {
  browserHash: string;
  clientId: string;
  request: string;
  createdAt: number;
  expiresAt: number;
  answeredAt: number | null;
  answer: string | null;
};
const insert = sql<RequestRow>`insert into authorization_requests
    (tenant, id_hash, browser_hash, client_id, request, created_at, expires_at, answered_at, answer)
  values (${'tenant'}, ${'idHash'}, ${'browserHash'}, ${'clientId'}, ${'request'}, ${'createdAt'}, ${'expiresAt'}, ${'answeredAt'}, ${'answer'})`;

const find = sql<Key & { now: number }>`select id_hash, browser_hash, request, created_at, expires_at, answered_at, answer from authorization_requests
  where tenant = ${'tenant'} and id_hash = ${'idHash'} and expires_at > ${'now'}`;

type Answering = Key & { now: number; answer: string; mark: string; session: string | null; serverId: string | null; userId: string | null };
const answerOpen = part<keyof Answering>`update authorization_requests set answered_at = ${'now'}, answer = ${'answer'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and id_hash = ${'idHash'} and answered_at is null and expires_at > ${'now'} and ${sessionIsThere} and ${mayUse}`;
const answerOnce = sql<Answering>`${answerOpen}`;
const answerPushedOnce = sql<Answering & { pushedHash: string }>`${answerOpen} and ${usedByUs}`;

const answeredByUs = part<'tenant' | 'idHash' | 'mark'>`exists (select 1 from authorization_requests
  where tenant = ${'tenant'} and id_hash = ${'idHash'} and last_event = ${'mark'})`;
const grantIfAnswered = sql<GrantRow & Key>`${insertGrant} where ${answeredByUs}`;
const codeIfAnswered = sql<CodeRow & Key & { mark: string }>`${insertCode} where ${answeredByUs}`;
const listenerIfAnswered = sql<ReturnType<typeof listenerRow> & Key & { mark: string }>`${insertListener} where ${answeredByUs} ${orLonger}`;
const eventIfAnswered = eventIf('authorization_requests', 'id_hash');

export function authorizationRequestsTable(driver: Driver, tenant: string): Pick<Store, 'parkRequest' | 'findRequest' | 'approveRequest' | 'denyRequest'> {
  return {
    async parkRequest(parked) {
      await driver.write([insert(requestRow(tenant, parked))]);
    },
    async findRequest(idHash, now) {
      const [row] = await driver.read(find({ tenant, idHash, now }));
      return row && parkedOf(row);
    },
    async approveRequest({ grant, companions = [], code, listener, receipt, ...answer }, event) {
      const { idHash, now } = answer;
      const locks = [...lockSession(driver, tenant, answer.sessionHash), ...lockUse(driver, tenant, [grant, ...companions.map((each) => each.grant)])];
      const results = await driver.write([
        ...locks,
        ...answering(tenant, answer, { mark: event.id, grant }),
        grantIfAnswered({ ...grantRow(tenant, grant, event.id), idHash }),
        codeIfAnswered({ ...codeRow(tenant, code), idHash, mark: event.id }),
        eventIfAnswered(tenant, idHash, event),
        noteConsent({ tenant, clientId: grant.clientId, grantId: grant.id, now }),
        ...keepReceipt(tenant, grant, receipt, event),
        ...addCompanions(tenant, companions, event),
        ...(listener ? [listenerIfAnswered({ ...listenerRow(tenant, listener), idHash, mark: event.id })] : []),
      ]);
      return isAnswered(answer, results.slice(locks.length)) ? 'approved' : 'answered';
    },
    async denyRequest(answer, event) {
      const results = await driver.write([...answering(tenant, answer, { mark: event.id }), eventIfAnswered(tenant, answer.idHash, event)]);
      return isAnswered(answer, results) ? 'denied' : 'answered';
    },
  };
}

/** One statement; for a pushed request two, of which the first uses up its reference. */
function answering(
  tenant: string,
  { idHash, answer, now, pushedHash, sessionHash }: RequestAnswer,
  { mark, grant }: { mark: string; grant?: Grant },
): Statement[] {
  const who = { session: sessionHash ?? null, serverId: grant?.serverId ?? null, userId: grant?.userId ?? null };
  const values = { tenant, idHash, answer, now, mark, ...who };
  if (pushedHash === undefined) return [answerOnce(values)];
  return [usePushed({ ...values, pushedHash }), answerPushedOnce({ ...values, pushedHash })];
}

function isAnswered({ pushedHash }: RequestAnswer, results: Result[]): boolean {
  return results[pushedHash === undefined ? 0 : 1]?.changes === 1;
}

function requestRow(tenant: string, parked: ParkedRequest): RequestRow {
  return {
    tenant,
    idHash: parked.idHash,
    browserHash: parked.browserHash,
    clientId: parked.request.clientId,
    request: JSON.stringify(parked.request),
    createdAt: parked.createdAt,
    expiresAt: parked.expiresAt,
    answeredAt: parked.answeredAt ?? null,
    answer: parked.answer ?? null,
  };
}

function parkedOf(row: Row): ParkedRequest {
  return present({
    idHash: text(row.id_hash),
    browserHash: text(row.browser_hash),
    request: json<AuthorizationRequest>(row.request),
    createdAt: whole(row.created_at),
    expiresAt: whole(row.expires_at),
    answeredAt: optionalWhole(row.answered_at),
    answer: optionalText(row.answer),
  });
}
