/**
 * Reading typed values out of database rows. A value of the wrong type throws: it means that SQL and mapping disagree, or that a driver hands out
 * bigints as text. Absent is undefined here and null in the database; mapped objects have no member for what is absent.
 */
import type { Value } from './driver.ts';

type Cell = Value | undefined;

export function text(cell: Cell): string {
  if (typeof cell !== 'string') throw new TypeError(`Expected text in a row, got ${typeof cell}`);
  return cell;
}

export function whole(cell: Cell): number {
  if (typeof cell !== 'number') throw new TypeError(`Expected a number in a row, got ${typeof cell}`);
  return cell;
}

export function optionalText(cell: Cell): string | undefined {
  return cell === null || cell === undefined ? undefined : text(cell);
}

export function optionalWhole(cell: Cell): number | undefined {
  return cell === null || cell === undefined ? undefined : whole(cell);
}

/** JSON that this storage wrote itself, so its type is what was written. */
export function json<T>(cell: Cell): T {
  return JSON.parse(text(cell)) as T;
}

export function optionalJson<T>(cell: Cell): T | undefined {
  return cell === null || cell === undefined ? undefined : json<T>(cell);
}

/** A list as JSON text, for a column. */
export function listText(list: readonly string[] | undefined): string | null {
  return list === undefined ? null : JSON.stringify(list);
}

/** Copies without the members that are undefined, so that an absent value has no name either. */
export function present<T extends object>(value: T): T {
  const kept: Partial<T> = {};
  for (const name of Object.keys(value) as (keyof T)[]) {
    if (value[name] !== undefined) kept[name] = value[name];
  }
  return kept as T;
}
