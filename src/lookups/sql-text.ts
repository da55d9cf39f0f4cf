/** The answer to an SQL query as text (Exim spec 9.21, 9.26), for the SQL lookups. */

import type { SqlValue } from '../safe/sql.ts';
import { untilZero } from './stored-text.ts';

/** A real number as SQLite writes it: 15 digits, and always a point. */
function realText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '<NULL>' : value > 0 ? 'Inf' : '-Inf';
  if (value === 0) return '0.0';
  const [mantissa = '', exponentText = '0'] = value.toExponential(14).split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 15) return withPoint(value.toFixed(14 - exponent));
  const sign = exponent < 0 ? '-' : '+';
  return `${withPoint(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** Without zeros at the end, but with one digit behind the point. */
function withPoint(digits: string): string {
  const point = digits.indexOf('.');
  if (point < 0) return `${digits}.0`;
  let end = digits.length;
  while (end > point + 2 && digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}

/** A value as a byte string. Text and octets end at the first binary zero. */
export function sqlValueText(value: SqlValue): string {
  if (value === null) return '<NULL>';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return realText(value);
  const octets = typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value);
  return untilZero(octets.toString('latin1'));
}

/** A value behind its name: in quotes when it is empty, has blanks in it or begins with a quote. */
function quoted(value: string): string {
  return value === '' || /[ \t\n\r]/.test(value) || value.startsWith('"')
    ? `"${value.replace(/[\\"]/g, '\\$&')}"`
    : value;
}

/** A row: one field as it is, several with their names and a blank behind each. */
export function sqlRowText(columns: readonly string[], values: readonly string[]): string {
  const [only = ''] = values;
  if (columns.length === 1) return only;
  const name = (index: number): string => Buffer.from(columns[index] ?? '', 'utf8').toString('latin1');
  return values.map((value, index) => `${name(index)}=${quoted(value)} `).join('');
}
