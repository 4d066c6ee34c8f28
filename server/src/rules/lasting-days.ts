/** How long access lasts by itself, in days, as every page and mail says it. Pure. */

/** An operator's times, in seconds; `dormantSeconds` 0: disuse ends nothing. */
export type Times = { dormantSeconds: number; refreshLifetimeSeconds: number };

/** Disuse is worth a word only when it ends something before its time. */
export function lastingDays({ dormantSeconds: dormant, refreshLifetimeSeconds: longest }: Times): { unused?: number; most: number } {
  return { unused: dormant > 0 && dormant < longest ? inDays(dormant) : undefined, most: inDays(longest) };
}

/** Whole days, at least one. */
export function inDays(seconds: number): number {
  return Math.max(1, Math.round(seconds / 86_400));
}
