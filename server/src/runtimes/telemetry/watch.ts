/**
 * Where telemetry looks on: requests, statements, calls to elsewhere, housekeeping. Metrics and traces are both such watchers; this file lays them around what
 * they watch. Whoever is watched does not know, and nothing here changes what is answered.
 */
import type { Found } from '../../app.ts';
import type { ServerOptions } from '../../options.ts';
import type { Observer } from '../../route.ts';
import type { Driver, Statement } from '../../storage/driver.ts';

/** A call to elsewhere. `headers` are those that will be sent, where a trace may go along; absent for strangers, whom it is none of their business. */
export type Outgoing = { kind: 'document' | 'logout' | 'upstream' | 'mail'; host?: string; headers?: Record<string, string> };
export type Watcher = {
  request: Observer;
  store<Value>(statements: readonly Statement[], operation: 'read' | 'write', act: () => Promise<Value>): Promise<Value>;
  outgoing<Value>(call: Outgoing, act: () => Promise<Value>): Promise<Value>;
  maintenance(act: () => Promise<Found>): Promise<Found>;
};

/** Several as one: the first is the outermost. */
export function together(watchers: readonly Watcher[]): Watcher | undefined {
  return watchers.reduceRight<Watcher | undefined>((inner, outer) => (inner ? around(outer, inner) : outer), undefined);
}

function around(outer: Watcher, inner: Watcher): Watcher {
  return {
    request: (exchange, route, answer) => outer.request(exchange, route, () => inner.request(exchange, route, answer)),
    store: (statements, operation, act) => outer.store(statements, operation, () => inner.store(statements, operation, act)),
    outgoing: (call, act) => outer.outgoing(call, () => inner.outgoing(call, act)),
    maintenance: (act) => outer.maintenance(() => inner.maintenance(act)),
  };
}

/** The driver under the eyes of a watcher. */
export function watchedDriver(driver: Driver, { store }: Watcher): Driver {
  return {
    ...driver,
    read: (statement) => store([statement], 'read', () => driver.read(statement)),
    write: (statements, haste) => store(statements, 'write', () => driver.write(statements, haste)),
  };
}

type Elsewhere = Pick<ServerOptions, 'fetchDocument' | 'postForm' | 'fetchUpstream' | 'sendMail'>;

/** What speaks to others, under the eyes of a watcher. */
export function watchedCalls({ fetchDocument, postForm, fetchUpstream, sendMail }: Elsewhere, { outgoing }: Watcher): Elsewhere {
  return {
    fetchDocument: fetchDocument && ((url, limits) => outgoing({ kind: 'document', host: hostOf(url) }, () => fetchDocument(url, limits))),
    postForm: postForm && ((url, form) => outgoing({ kind: 'logout', host: hostOf(url) }, () => postForm(url, form))),
    fetchUpstream:
      fetchUpstream &&
      ((url, request) => {
        const headers = { ...request.headers };
        return outgoing({ kind: 'upstream', host: hostOf(url), headers }, () => fetchUpstream(url, { ...request, headers }));
      }),
    sendMail: sendMail && Object.assign((mail: Parameters<typeof sendMail>[0]) => outgoing({ kind: 'mail' }, () => sendMail(mail)), { close: sendMail.close }),
  };
}

/** The host and nothing else: paths and queries are where secrets are. */
function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host : undefined;
}
