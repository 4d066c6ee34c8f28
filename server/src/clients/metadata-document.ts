/**
 * Client ID Metadata Documents: a client whose id is the https address of its description. Fetches it within limits, keeps the last good answer, and lets that stand
 * in while the host is out of reach. Failures are never kept (CIMD-12). Not here: the form of the id (client-id.ts), what a document may say (judge-document.ts),
 * which addresses may be connected to (runtimes/pinned-fetch.ts).
 */
import type { Context } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import { type ErrorDetail, OAuthError } from '../errors.ts';
import type { Options } from '../options.ts';
import type { ClientDocument } from '../storage/store.ts';
import { addressBucket } from './address-bucket.ts';
import { FetchFailure, type FetchFailureKind } from './fetch-failure.ts';
import { flightsOf } from './flights.ts';
import { type FetchedDocument, freshSeconds, judgeDocument, minFreshSeconds, unusable } from './judge-document.ts';
import { metadataDigest } from './metadata.ts';

/** How long a copy may stand in for a host that cannot be reached, since it was fetched. */
const lastKnownGoodSeconds = 7 * 86400;

/** Whether clients may be metadata documents here; the metadata says so with `client_id_metadata_document_supported`. */
export function documentsOffered(options: Options): boolean {
  return options.clients.documents && options.fetchDocument !== undefined;
}

/**
 * The document of a client, from the store while fresh, else fetched. `address` is of the person's browser, for limits.
 *
 * @throws {OAuthError} client_metadata_unavailable · too_many_requests · temporarily_unavailable
 */
export async function findDocument(url: string, address: string, context: Context): Promise<ClientDocument> {
  const saved = await context.store.findDocument(url);
  return saved ? renewed(saved, context) : fetchOnce(context, { url, host: 'new' }, () => refresh({ url, address, saved }, context));
}

/** A document that is known, read anew unless it is fresh. @throws {OAuthError} as {@link findDocument} */
export async function renewed(saved: ClientDocument, context: Context): Promise<ClientDocument> {
  const { url } = saved;
  if (saved.disabledAt !== undefined || context.now() < saved.freshUntil) return saved;
  // What is known is counted by its address and not by who asks.
  return fetchOnce(context, { url, host: 'known' }, () => refresh({ url, address: '', saved }, context));
}

const fetchOnce = flightsOf<ClientDocument>();

type Wanted = { url: string; address: string; saved: ClientDocument | undefined };

async function refresh(wanted: Wanted, context: Context): Promise<ClientDocument> {
  await takeAllowance(wanted, context);
  try {
    return await keep(wanted, await fetchDocument(wanted.url, context), context);
  } catch (error) {
    const { saved } = wanted;
    if (saved && isOutage(error) && context.now() - saved.fetchedAt <= lastKnownGoodSeconds) return standIn(saved, error, context);
    throw explained(error, wanted.url);
  }
}

/**
 * CIMD-20. A document never seen before costs its host, the asking address and everybody; one already known costs only itself, so that nobody can lock out a popular
 * client by asking for many unknown addresses of its host.
 */
async function takeAllowance({ url, address, saved }: Wanted, context: Context): Promise<void> {
  const text = 'Too many descriptions of apps were fetched, wait before trying again';
  if (saved) return context.limits.check('document.known', sha256(url), text);
  await context.limits.check('document.address', addressBucket(address), text);
  // Without the port: one host has 65535 of those.
  await context.limits.check('document.host', new URL(url).hostname, text);
  await context.limits.check('document', undefined, text);
}

async function fetchDocument(url: string, context: Context): Promise<FetchedDocument> {
  const { fetchDocument: fetcher } = context.options;
  if (!fetcher) throw new FetchFailure('refused', 'no fetcher is configured');
  try {
    return await fetcher(url);
  } catch (cause) {
    throw cause instanceof FetchFailure ? cause : new FetchFailure('transport', 'the fetcher failed', { cause });
  }
}

async function keep({ url, saved }: Wanted, fetched: FetchedDocument, context: Context): Promise<ClientDocument> {
  if (fetched.status >= 500) throw new FetchFailure('status', 'server error', { status: fetched.status });
  const { metadata, notes } = judgeDocument(url, fetched, context.options.clients);
  const now = context.now();
  const document: ClientDocument = { url, metadata, fetchedAt: now, freshUntil: now + freshSeconds(fetched.headers, now) };
  await context.store.saveDocument(document);
  if (saved && metadataDigest(saved.metadata) !== metadataDigest(metadata)) context.log.warn('client_document.changed', { client_id: url });
  if (notes.length > 0) context.log.info('client_document.notes', { client_id: url, notes: notes.join('; ') });
  return document;
}

/** Only silence and the host's own breakdown count: a 404 or a broken document is a statement of its publisher, and holds. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof FetchFailure)) return false;
  return error.kind === 'transport' || error.kind === 'timeout' || (error.kind === 'status' && (error.status ?? 0) >= 500);
}

/** Lets the last good copy stand in, and asks again no sooner than a minute later. */
async function standIn(saved: ClientDocument, error: unknown, context: Context): Promise<ClientDocument> {
  context.log.warn('client_document.stands_in', { client_id: saved.url, reason: error instanceof FetchFailure ? error.kind : 'unknown' });
  const document = { ...saved, freshUntil: context.now() + minFreshSeconds };
  await context.store.saveDocument(document);
  return document;
}

/** `refused` and `transport` read the same: the difference would tell a stranger which names exist inside our network. */
const reasons: Record<FetchFailureKind, string> = {
  refused: 'The client metadata document could not be fetched: no connection to its host on a public address',
  transport: 'The client metadata document could not be fetched: no connection to its host on a public address',
  timeout: 'The client metadata document could not be fetched: its host answers too slowly',
  status: 'The client metadata document was not answered with status 200',
  'too-large': 'The client metadata document is larger than this server reads, which is 5 KiB unless configured',
  encoding: 'The client metadata document must be sent without content-encoding',
};

function explained(error: unknown, url: string): unknown {
  const told = error instanceof FetchFailure ? unusable(reasons[error.kind], error) : error;
  if (!(told instanceof OAuthError) || told.code !== 'client_metadata_unavailable') return told;
  const rule = told.cause instanceof OAuthError ? told.cause.message : undefined;
  const details: ErrorDetail[] = [['address', url]];
  if (error instanceof FetchFailure && error.status !== undefined) details.push(['status', String(error.status)]);
  const reason = rule === undefined ? told.message : `${told.message}: ${rule}`;
  return told.onPage({ forDeveloper: `${reason}. ${whatIsRead}${lookingAt(url)}`, details });
}

/** draft-ietf-oauth-client-id-metadata-document, in the order in which it is checked here. */
const whatIsRead =
  'The address is asked without following redirects, over https on a public address. It must answer with status 200, application/json, at most 5 KiB, and a client_id equal to the address.';

/** A command that shows the same answer; left out for an address that a shell could read as more than one word. */
function lookingAt(url: string): string {
  return /^https:\/\/[\w.~:/%-]+$/.test(url) ? ` Look at it yourself: curl -si ${url}` : '';
}
