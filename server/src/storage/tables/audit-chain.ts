/**
 * The chain of audit events: one row per tenant that says where it ends and begins. The row is moved first, on a condition; what belongs to the move happens where it
 * finds the row moved, so of two nodes one seals. Not here: hashes (audit/chain.ts), what the database refuses by itself (migrations/0024-audit-chain.ts).
 */
import type { AuditEvent } from '../../audit/event.ts';
import { type Driver, literal, type Row, sql } from '../driver.ts';
import { optionalText, present, text, whole } from '../row.ts';
import type { AuditChain, Seal, SealedEvent, Store } from '../store.ts';
import { eventColumns, eventIf, eventOf } from './audit-events.ts';
import { deliverSealed } from './webhooks.ts';

const columns = literal(eventColumns);
const find = sql<{ tenant: string }>`select seq, hash, mac, sealed_at, anchor_seq, anchor_hash from audit_chains where tenant = ${'tenant'}`;
const unsealed = sql<{ tenant: string; limit: number }>`select ${columns} from audit_events where tenant = ${'tenant'} and seq is null
  order by at, id limit ${'limit'}`;
const sealed = sql<{ tenant: string; after: number; limit: number }>`select ${columns}, seq, hash, private_hash, salt from audit_events
  where tenant = ${'tenant'} and seq is not null and seq > ${'after'} order by seq limit ${'limit'}`;

const begin = sql<{ tenant: string }>`insert into audit_chains (tenant, seq, hash, mac, sealed_at, anchor_seq, anchor_hash)
  values (${'tenant'}, 0, '', '', 0, 0, '') on conflict (tenant) do nothing`;
type End = { tenant: string; was: string; after: number; seq: number; hash: string; mac: string; sealedAt: number };
const move = sql<End>`update audit_chains set seq = ${'seq'}, hash = ${'hash'}, mac = ${'mac'}, sealed_at = ${'sealedAt'}
  where tenant = ${'tenant'} and seq = ${'after'} and mac = ${'was'}`;
type Place = {
  tenant: string;
  id: string;
  at: number;
  seq: number;
  hash: string;
  privateHash: string;
  salt: string;
  address: string | null;
  detail: string | null;
  end: string;
};
// Whoever's account was deleted meanwhile is forgotten here, too: the salt is for the address and detail that were read.
const place = sql<Place>`update audit_events set seq = ${'seq'}, hash = ${'hash'}, private_hash = ${'privateHash'},
  salt = case when address is not distinct from cast(${'address'} as text) and detail is not distinct from cast(${'detail'} as text)
    then cast(${'salt'} as text) end
  where tenant = ${'tenant'} and at = ${'at'} and id = ${'id'} and seq is null
  and exists (select 1 from audit_chains where tenant = ${'tenant'} and hash = ${'end'})`;

type Retirement = { tenant: string; was: string; after: number; seq: number; hash: string; mac: string; mark: string };
const anchor = sql<Retirement>`update audit_chains set anchor_seq = ${'seq'}, anchor_hash = ${'hash'}, mac = ${'mac'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and anchor_seq = ${'after'} and mac = ${'was'}`;
const retire = sql<Retirement>`delete from audit_events where tenant = ${'tenant'} and seq is not null and seq > ${'after'} and seq <= ${'seq'}
  and exists (select 1 from audit_chains where tenant = ${'tenant'} and last_event = ${'mark'} and anchor_hash = ${'hash'})`;
const eventIfChain = eventIf('audit_chains', 'tenant');

export function auditChainTable(driver: Driver, tenant: string): Pick<Store, 'findChain' | 'listUnsealed' | 'sealEvents' | 'listSealed' | 'retireEvents'> {
  return {
    async findChain() {
      const [row] = await driver.read(find({ tenant }));
      return row && chainOf(row);
    },
    async listUnsealed(limit) {
      return (await driver.read(unsealed({ tenant, limit }))).map(eventOf);
    },
    async sealEvents({ was, after, end, events }) {
      const places = events.map((event) => place({ tenant, ...placeOf(event), end: end.hash }));
      const tell = deliverSealed({ tenant, after, seq: end.seq, end: end.hash, now: end.sealedAt });
      const [, moved] = await driver.write([begin({ tenant }), move({ tenant, was, after, ...end }), ...places, tell]);
      return moved?.changes === 1;
    },
    async listSealed(after, limit) {
      return (await driver.read(sealed({ tenant, after, limit }))).map(sealedOf);
    },
    async retireEvents({ anchor: last, ...move }, event) {
      const retirement = { tenant, ...move, ...last, mark: event.id };
      const [anchored] = await driver.write([anchor(retirement), retire(retirement), eventIfChain(tenant, tenant, event)]);
      return anchored?.changes === 1;
    },
  };
}

function placeOf({ id, at, seq, hash, privateHash, salt, address, detail }: AuditEvent & Required<Seal>) {
  return { id, at, seq, hash, privateHash, salt, address: address ?? null, detail: detail === undefined ? null : JSON.stringify(detail) };
}

function chainOf(row: Row): AuditChain {
  return {
    seq: whole(row.seq),
    hash: text(row.hash),
    mac: text(row.mac),
    sealedAt: whole(row.sealed_at),
    anchorSeq: whole(row.anchor_seq),
    anchorHash: text(row.anchor_hash),
  };
}

function sealedOf(row: Row): SealedEvent {
  const seal = { seq: whole(row.seq), hash: text(row.hash), privateHash: text(row.private_hash), salt: optionalText(row.salt) };
  return present({ ...eventOf(row), ...seal });
}
