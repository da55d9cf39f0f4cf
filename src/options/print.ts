/**
 * The lines that `-bP` shows for options (Exim spec 5, -bP): the value an option has, or that it takes from others, in
 * the form of its kind. Hidden values stay hidden here, for whoever is not an administrator.
 */

import type { Instance, OptionRow, OptionTable } from './table.ts';

export interface PrintStyle {
  /** Values without names (`-n`). Switches, and what is not set and has no empty form, keep theirs. */
  readonly terse: boolean;
  /** Octets above 127 as they are (print_topbitchars). */
  readonly eightBit: boolean;
}

/** Stands in the place of a hidden value. */
export const notDisplayable = '<value not displayable>';

type Row = OptionRow<unknown>;

/** The value of a setting as a configuration would write it, so that its kind can read it. */
function written(value: string): string {
  return value.startsWith('"') ? `"${value.replaceAll(/["\\]/g, '\\$&')}"` : value;
}

/** The value that the instance works with. */
function valueOf(name: string, row: Row, instance: Instance): unknown {
  const own = instance.values[name];
  const { derivation } = row;
  if (derivation === undefined || (instance.set.has(name) && !derivation.whenSet)) return own;
  const setting = derivation.setting(instance);
  const reading = setting === undefined ? undefined : row.read(written(setting), name);
  return reading === undefined || 'error' in reading ? own : reading.value;
}

/** Takes the name off a line. A load average that is not set has nothing but its name. */
function withoutName(line: string, name: string, row: Row): string {
  if (line.startsWith(`${name} = `)) return line.slice(name.length + 3);
  return line === `${name} =` && row.type !== 'fixed-point' ? '' : line;
}

/** The line for one value, under the name that was asked for. */
export function valueLine(name: string, row: Row, value: unknown, style: PrintStyle): string {
  const line = row.print(name, value, style.eightBit);
  return style.terse ? withoutName(line, name, row) : line;
}

/** The line of a hidden option. */
export function hiddenLine(name: string, { terse }: PrintStyle): string {
  return terse ? notDisplayable : `${name} = ${notDisplayable}`;
}

/** The line of one option of an instance. `shownName` is a synonym that was asked for. */
export function optionLine(
  name: string,
  row: Row,
  instance: Instance,
  hidden: ReadonlySet<string>,
  style: PrintStyle,
  shownName = name,
): string {
  if (hidden.has(name)) return hiddenLine(shownName, style);
  return valueLine(shownName, row, valueOf(name, row, instance), style);
}

/** All options of a table in its order. */
export function tableLines(
  table: OptionTable,
  instance: Instance,
  hidden: ReadonlySet<string>,
  style: PrintStyle,
): string[] {
  const ahead: string[] = [];
  const lines: string[] = [];
  for (const [name, row] of Object.entries<Row>(table)) {
    if (row.twin !== undefined) {
      const text = row.twin.text(valueOf(name, row, instance));
      ahead.push(
        hidden.has(name) ? hiddenLine(row.twin.name, style) : style.terse ? text : `${row.twin.name} = ${text}`,
      );
    }
    lines.push(optionLine(name, row, instance, hidden, style));
  }
  return [...ahead, ...lines];
}
