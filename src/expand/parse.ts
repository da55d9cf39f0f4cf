/**
 * The text of an expansion to its tree (Exim spec 11.1, 11.2, 11.5). A mistake does not stop the caller: it becomes a
 * node that fails when the evaluation comes to it, as the administrator's other mail must not suffer from a string that
 * is never used; `tabella check` lists such nodes.
 */

import { readCondition } from './conditions.ts';
import { items } from './items.ts';
import { operatorNamed } from './operators.ts';
import { type Grammar, maximumDepth, ParseProblem, Reader, readHeader, tooDeep } from './reader.ts';
import type { Node } from './tree.ts';
import { variableHint, variableReader } from './variables.ts';

const grammar: Grammar = { sequence: readSequence, condition: readCondition };

/** Parses a whole string. */
export function parse(text: string): Node {
  const reader = new Reader(text, grammar);
  try {
    return readSequence(reader, 'end', 'honoured');
  } catch (problem) {
    return mistake(problem, 0, reader.oddHeader);
  }
}

const headerHint = ' - could be header name not terminated by colon';

/** The words for a mistake; one with braces may come from a header name that goes on over them. */
function wordsFor(message: string, oddHeader: boolean): string {
  if (!oddHeader) return message;
  if (message.startsWith('curly-bracket problem')) return `missing or misplaced { or }${headerHint}`;
  return message.startsWith('missing } at end of string') ? `${message}${headerHint}` : message;
}

function mistake(problem: unknown, at: number, oddHeader: boolean): Node {
  if (!(problem instanceof ParseProblem)) throw problem;
  const node: Node = { kind: 'mistake', at, message: wordsFor(problem.message, oddHeader) };
  return problem.before.length === 0 ? node : { kind: 'sequence', at, parts: [...problem.before, node] };
}

function readSequence(reader: Reader, until: 'brace' | 'end', dollars: 'honoured' | 'plain' = 'honoured'): Node {
  const start = reader.at;
  const parts: Node[] = [];
  let literal = '';
  let literalAt = start;
  const flush = (): void => {
    if (literal !== '') parts.push({ kind: 'literal', at: literalAt, text: literal });
    literal = '';
  };
  if (++reader.depth > maximumDepth) throw tooDeep();
  while (reader.at < reader.text.length) {
    if (literal === '') literalAt = reader.at;
    const plain = reader.take(until === 'brace' ? /[^\\$}]+/y : /[^\\$]+/y);
    literal += plain;
    if (reader.at >= reader.text.length) break;
    if (reader.next === '}' && until === 'brace') break;
    if (reader.next === '\\') {
      if (reader.text[reader.at + 1] === 'N') {
        const end = reader.text.indexOf('\\N', reader.at + 2);
        literal += reader.text.slice(reader.at + 2, end < 0 ? undefined : end);
        reader.at = end < 0 ? reader.text.length : end + 2;
      } else {
        literal += reader.escape();
      }
      continue;
    }
    if (dollars === 'plain') {
      literal += '$';
      reader.at++;
      continue;
    }
    flush();
    try {
      parts.push(readDollar(reader));
    } catch (problem) {
      if (!(problem instanceof ParseProblem)) throw problem;
      throw new ParseProblem(problem.message, [...parts, ...problem.before]);
    }
  }
  flush();
  reader.depth--;
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  return parts.length === 0 ? { kind: 'literal', at: start, text: '' } : { kind: 'sequence', at: start, parts };
}

/** An item that begins with a dollar, which comes next. */
function readDollar(reader: Reader): Node {
  const at = reader.at++;
  if (reader.accept('{')) return readBraced(reader, at);
  const header = readHeader(reader);
  if (header !== undefined) return { ...header, at };
  const name = reader.take(/\d+|[A-Za-z][A-Za-z0-9_]*/y);
  if (name === '') throw new ParseProblem('$ not followed by letter, digit, or {');
  if (variableReader(name) === undefined)
    throw new ParseProblem(`unknown variable name "${name}"${variableHint(name)}`);
  return { kind: 'variable', at, name };
}

/** What stands behind `${`: a variable, an item or an operator. */
function readBraced(reader: Reader, at: number): Node {
  const digits = reader.take(/\d+/y);
  if (digits !== '') {
    if (!reader.accept('}')) throw new ParseProblem('} expected after number');
    return { kind: 'variable', at, name: digits };
  }
  if (!/^[A-Za-z]$/.test(reader.next)) throw new ParseProblem('letter or digit expected after ${');
  const name = reader.take(/[A-Za-z0-9_-]+/y);
  const item = items.get(name);
  if (item !== undefined) return { kind: 'item', at, name, ...item.parse(reader) };
  if (reader.accept('}')) {
    if (variableReader(name) === undefined)
      throw new ParseProblem(`unknown variable in "\${${name}}"${variableHint(name)}`);
    return { kind: 'variable', at, name };
  }
  if (!reader.accept(':'))
    throw new ParseProblem(`"\${${name}" is not a known operator (or a } is missing in a variable reference)`);
  const operand = reader.inBraces();
  if (operatorNamed(name) === undefined) throw new ParseProblem(`unknown expansion operator "${name}"`, [operand]);
  return { kind: 'operator', at, name, operand };
}
