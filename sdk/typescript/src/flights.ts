/**
 * One request for all who want the same thing at the same time. On Workers what a request began dies with it, and its promise never settles: nobody joins a flight
 * that is older than it can be.
 */

/** @see createFlights */
export interface Flights<T> {
  /**
   * Joins the flight of that name, or starts one. `now` is epoch seconds. `start` is handed a function that tells whether its flight is still the one that others
   * join: not after it was forgotten or given up.
   */
  join(name: string, start: (isCurrent: () => boolean) => Promise<T>, now: number): Promise<T>;
  /** Whether there is a flight of that name, alive or not. */
  has(name: string): boolean;
  /** Nobody joins this one any more. */
  forget(name: string): void;
}

/** Makes an empty register of flights that last so many seconds at most. */
export function createFlights<T>(longest: number): Flights<T> {
  const flights = new Map<string, { readonly landing: Promise<T>; readonly until: number }>();

  function giveUp(now: number): void {
    for (const [name, { until }] of flights) {
      if (now < until) return;
      flights.delete(name);
    }
  }

  function join(name: string, start: (isCurrent: () => boolean) => Promise<T>, now: number): Promise<T> {
    giveUp(now);
    const known = flights.get(name);
    if (known) return known.landing;
    const isCurrent = () => flights.get(name) === flight;
    const flight = { landing: start(isCurrent), until: now + longest };
    flights.set(name, flight);
    const end = () => void (isCurrent() && flights.delete(name));
    flight.landing.then(end, end);
    return flight.landing;
  }

  return { join, has: (name) => flights.has(name), forget: (name) => void flights.delete(name) };
}
