/**
 * What this version has of what a configuration can name: drivers that work, and drivers that are read but cannot run. `-bV` and the reference pages are made from it.
 */

import { authenticators, routers, transports } from '../config/drivers.ts';
import { lookups } from '../lookups/drivers.ts';

interface Driver {
  readonly name: string;
  readonly summary: string;
}

export interface DriverFamily {
  /** As in `-bV`: `Routers`. */
  readonly title: string;
  readonly available: readonly Driver[];
  /** Read and shown, but mail that needs them waits. */
  readonly unavailable: readonly Driver[];
}

/** A driver that does nothing but have options: no function of its own. */
const onlyRead = (driver: Driver): boolean => !Object.values(driver).some((part) => typeof part === 'function');

/** Rows sorted by name. */
export function byName<T extends { readonly name: string }>(rows: Iterable<T>): T[] {
  return [...rows].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function family(title: string, drivers: Iterable<Driver>): DriverFamily {
  const sorted = byName(drivers);
  return {
    title,
    available: sorted.filter((driver) => !onlyRead(driver)),
    unavailable: sorted.filter(onlyRead),
  };
}

/** In the order of `-bV`. */
export const driverFamilies: readonly DriverFamily[] = [
  family('Authenticators', authenticators.values()),
  family('Routers', routers.values()),
  family('Transports', transports.values()),
];

/** Lookup types in the order of their list. */
export const lookupNames: readonly string[] = lookups.map(({ name }) => name);

/** What a driver can do that Exim makes optional, as `-bV` writes it: `appendfile/maildir`. */
export const driverVariants: ReadonlyMap<string, readonly string[]> = new Map([
  ['appendfile', ['maildir', 'mailstore', 'mbx']],
]);
