/**
 * Option tables: a row says what kind of value an option has, what it means and what it is when nobody sets it. From one
 * table come the parser, the type of the values a driver is given, the output of `-bP`, the reference page and the
 * list of what is compatible (Exim spec 6.11 - 6.20).
 */

/** A value that was read, or what is wrong with the text in Exim's words. */
export type Reading<T> = { readonly value: T } | { readonly error: string };

/** Written as a method, so that rows of any value type fit into one table. */
interface Join<T> {
  again(earlier: T, later: T): T;
}

export interface OptionRow<T> {
  /** The manual's word for the type; an asterisk behind it says that the value is expanded. */
  readonly type: string;
  readonly doc: string;
  /** The value of an option that is not set. */
  readonly standard: T;
  /** Whether the name alone switches it on, and `no_` or `not_` before it switches it off. */
  readonly isSwitch: boolean;
  /** Other names of the same option that older configurations use. */
  readonly synonyms: readonly string[];
  /** Reads what stands behind the equals sign; nothing when there is no equals sign. */
  read(text: string | undefined, name: string): Reading<T>;
  /** The line that `-bP` shows; `eightBit` leaves octets above 127 as they are. */
  print(name: string, value: T, eightBit?: boolean): string;
  /** Joins a second setting with the first, for the few options that may be set more than once. */
  again?: Join<T>['again'] | undefined;
  /** An option that is accepted, but has no effect in this version; `tabella check` says so. */
  readonly unused: boolean;
  /** Why an option without effect will never have one in this program. */
  readonly whyNever?: string | undefined;
  /** How its value comes from others, for options that have no constant value when nobody sets them. */
  readonly derivation?: Derivation | undefined;
  /** A further line that `-bP` shows for it, before all options of the table. */
  readonly twin?: Twin<T> | undefined;
}

/** A name that no setting can have, and the text that stands behind it. */
export interface Twin<T> {
  readonly name: string;
  text(value: T): string;
}

/** What the value of an option can depend on. */
export interface Instance {
  /** Of the driver instance; empty for the main section. */
  readonly name: string;
  readonly driver: { readonly isLocal?: boolean; readonly logAsLocal?: boolean };
  readonly values: Readonly<Record<string, unknown>>;
  /** Names of the options that the configuration mentions. */
  readonly set: ReadonlySet<string>;
  readonly primaryHostname: string;
}

export interface Derivation {
  /** For people: the names of the options, or what else it depends on. */
  readonly from: string;
  /** Whether it holds even for an option that is set. */
  readonly whenSet: boolean;
  /** The setting that the instance works with, as it could be written; nothing when it is the option's own value. */
  setting(instance: Instance): string | undefined;
}

// The value type of a table's rows differs from row to row; only `OptionsOf` looks inside.
// biome-ignore lint/suspicious/noExplicitAny: a heterogeneous table has no other element type
export type OptionTable = Readonly<Record<string, OptionRow<any>>>;

/** What a driver is given: the value of each option by its name. */
export type OptionsOf<T extends OptionTable> = {
  readonly [Name in keyof T]: T[Name] extends OptionRow<infer Value> ? Value : never;
};

/** Adds to a row that it can be set by these older names, too. */
export function alsoCalled<T>(row: OptionRow<T>, ...synonyms: readonly string[]): OptionRow<T> {
  return { ...row, synonyms };
}

/** Marks a row whose feature comes with a later version. */
export function withoutEffect<T>(row: OptionRow<T>): OptionRow<T> {
  return { ...row, unused: true };
}

/** Marks a row of an option that can have no effect in this program, and says why. */
export function neverEffective<T>(row: OptionRow<T>, why: string): OptionRow<T> {
  return { ...row, unused: true, whyNever: why };
}

/**
 * Adds to a row how its value comes from others: when nobody sets it or, where `whenSet` says so, in any case.
 */
export function dependsOn<T>(
  row: OptionRow<T>,
  from: string,
  setting: Derivation['setting'],
  { whenSet = false } = {},
): OptionRow<T> {
  return { ...row, derivation: { from, whenSet, setting } };
}

/** The values of a table when nothing is set. */
export function standardValues<T extends OptionTable>(table: T): OptionsOf<T> {
  // made at once: an object that grows name by name becomes a slow one
  return Object.fromEntries(Object.entries(table).map(([name, row]) => [name, row.standard])) as OptionsOf<T>;
}

/** What is wrong with options taken together: a text about the driver, or one that names it itself. */
export type OptionsProblem = string | { readonly named: string };
