/**
 * `json`: a file in JSON, from which an element is taken; the key is a list of the steps to it (Exim spec 9.3). The file
 * is read and understood as a whole when it is opened. Numbers stay as they are written.
 */

import { splitList } from '../lib/list-text.ts';
import * as files from '../safe/files.ts';
import { defineLookup, LookupProblem, notFound } from './lookup.ts';

/** Octets of a file. */
const largest = 64 * 1024 * 1024;
/** Of arrays and objects within each other, when an element is written as text. */
const deepest = 1000;

/** A number with more digits than a JavaScript number can hold, or written in an unusual way. */
class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What TypeScript does not know yet of the reviver. */
type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;

const keepNumber: Reviver = (_key, value, { source }) =>
  typeof value === 'number' && source !== undefined && String(value) !== source ? new NumberText(source) : value;

function parse(text: string): unknown {
  const plainNumbers = !/\d[.eE]|\d{16}|-0/.test(text);
  return plainNumbers ? JSON.parse(text) : JSON.parse(text, keepNumber as (key: string, value: unknown) => unknown);
}

/** The element as text: a string without its quotes, an array or object as JSON. */
function textOf(element: unknown): string {
  if (element === null) return '';
  return typeof element === 'string' ? element : jsonOf(element, deepest);
}

function jsonOf(element: unknown, depth: number): string {
  if (depth === 0) throw new RangeError(`elements are nested more than ${deepest} deep`);
  if (element instanceof NumberText) return element.text;
  if (Array.isArray(element)) return `[${element.map((item: unknown) => jsonOf(item, depth - 1)).join(', ')}]`;
  if (typeof element === 'object' && element !== null) {
    const members = Object.entries(element).map(
      ([name, item]) => `${JSON.stringify(name)}: ${jsonOf(item, depth - 1)}`,
    );
    return `{${members.join(', ')}}`;
  }
  return JSON.stringify(element);
}

/** One step: a number goes into an array, any other text into an object. */
function within(element: unknown, selector: string): unknown {
  if (Array.isArray(element)) return /^\d{1,9}$/.test(selector) ? (element[Number(selector)] as unknown) : undefined;
  if (typeof element !== 'object' || element === null || element instanceof NumberText) return undefined;
  if (!Object.hasOwn(element, selector)) return undefined;
  return (element as Readonly<Record<string, unknown>>)[selector];
}

export const json = defineLookup({
  name: 'json',
  doc: 'a file in JSON; the key is a list of member names and array numbers, one within the other',
  style: 'single-key',
  purpose: 'for json search',
  options: [],
  vouches: true,
  open(name) {
    let whole: unknown;
    const octets = files.read(name, largest);
    try {
      whole = parse(new TextDecoder('utf-8', { fatal: true }).decode(octets));
    } catch (error) {
      throw new LookupProblem(`${name} is no JSON: ${error instanceof Error ? error.message : error}`);
    }
    return {
      find(key) {
        let element = whole;
        for (const selector of splitList(key).items) {
          element = within(element, Buffer.from(selector, 'latin1').toString('utf8'));
          if (element === undefined) return notFound;
        }
        try {
          return { outcome: 'found', value: Buffer.from(textOf(element), 'utf8').toString('latin1') };
        } catch (error) {
          if (error instanceof RangeError) return { outcome: 'defer', message: `${name}: ${error.message}` };
          throw error;
        }
      },
      close: () => undefined,
    };
  },
});
