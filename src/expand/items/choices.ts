/** Items that choose between two strings: if, env, extract. */

import { readQuoted } from '../../lib/escapes.ts';
import { type Eventual, lastly, then } from '../../lib/eventual.ts';
import { type JsonPieces, jsonElements, jsonMember, jsonString } from '../../lib/json-text.ts';
import { lower, trim } from '../../lib/octets.ts';
import { Text } from '../../safe/taint.ts';
import type { Context } from '../context.ts';
import { type Compiler, compileBranches, type Evaluate, evaluateAll, type Item } from '../evaluate.ts';
import { fail } from '../failure.ts';
import { type ItemParts, ParseProblem, type Reader } from '../reader.ts';
import type { ItemNode, Node } from '../tree.ts';

/** Runs `work`; the values it set for strings within are put back afterwards. */
export function keepResults<T>(context: Context, work: () => Eventual<T>): Eventual<T> {
  const saved = context.results;
  context.results = { ...saved };
  return lastly(work, () => {
    context.results = { ...saved, runrc: context.results.runrc };
  });
}

const ifItem: Item = {
  name: 'if',
  doc: 'one of two strings, by a condition',
  parse(reader) {
    const condition = reader.condition();
    const before = condition.negated ? [] : condition.arguments;
    return { words: [], arguments: [], condition, ...reader.within(before, () => reader.branches('if')) };
  },
  compile(node, compiler) {
    if (node.condition === undefined) throw new Error('if without its condition');
    const test = compiler.test(node.condition);
    const branches = compileBranches(node, compiler);
    const truth = Text.configured('true');
    return (context) =>
      keepResults(context, () =>
        then(test(context), (success) => (success && node.yes === undefined ? truth : branches({ success }, context))),
      );
  },
};

/** An item with some strings, strings for yes and no, and a value that is there or not. */
function choice(row: {
  readonly name: string;
  readonly doc: string;
  readonly read: (reader: Reader) => Pick<ItemNode, 'arguments' | 'words'>;
  readonly find: (args: readonly Text[], words: readonly string[], context: Context) => Eventual<Text | undefined>;
}): Item {
  return {
    name: row.name,
    doc: row.doc,
    parse(reader) {
      const head = row.read(reader);
      return { ...head, ...reader.within(head.arguments, () => reader.branches(row.name)) };
    },
    compile(node, compiler) {
      const parts = node.arguments.map((argument) => compiler.text(argument));
      const branches = compileBranches(node, compiler);
      return (context) =>
        keepResults(context, () =>
          then(evaluateAll(parts, context), (args) =>
            then(row.find(args, node.words, context), (value) =>
              branches({ success: value !== undefined, value }, context),
            ),
          ),
        );
    },
  };
}

const env = choice({
  name: 'env',
  doc: 'a variable of the environment',
  read: (reader) => ({ words: [], arguments: reader.someArguments('env', 1, 1) }),
  find: ([name = Text.empty], _, context) => {
    const value = context.settings.environment.get(name.value);
    return value === undefined ? undefined : Text.vouched(value);
  },
});

/** `extract` has two strings, or three when the first is a number and no word is given; only evaluation tells. */
function readExtract(reader: Reader): Pick<ItemNode, 'arguments' | 'words'> {
  reader.skipBlanks();
  const word = reader.take(/[a-z]+/y);
  if (word !== '' && word !== 'json' && word !== 'jsons') throw new ParseProblem("missing '{' for arg 1 of extract");
  const read: Node[] = [];
  const wanted = word === '' && isNumberAhead(reader) ? 3 : 2;
  while (read.length < wanted) {
    reader.skipBlanks();
    if (!reader.accept('{')) {
      const message = `missing '{' for arg ${read.length + 1} of extract`;
      if (read.length < 2) throw new ParseProblem(message, read);
      // told only when the item is evaluated, as in Exim
      read.push({ kind: 'mistake', at: reader.at, message });
      reader.take(/fail(?![A-Za-z0-9_])/y);
      break;
    }
    read.push(reader.within(read, () => reader.inBraces()));
  }
  return { words: word === '' ? [] : [word], arguments: read };
}

/** Whether the key that comes next is written as a number. */
function isNumberAhead(reader: Reader): boolean {
  return /^[ \t-\r]*\{[ \t-\r]*-?\d+[ \t-\r]*\}/.test(reader.rest);
}

function found(pieces: JsonPieces): readonly string[] {
  return 'missing' in pieces ? fail(`${pieces.missing} for extract json`) : pieces.items;
}

function extractJson(key: string, source: Text, unquote: boolean): Text | undefined {
  let value: string | undefined;
  if (/^-?\d+$/.test(key)) {
    const elements = found(jsonElements(source.value));
    if (Number(key) <= 0) return fail('first argument of "extract" must be greater than zero');
    value = elements[Number(key) - 1];
  } else {
    const member = jsonMember(source.value, key);
    if ('missing' in member) return fail(`${member.missing} for extract json`);
    ({ value } = member);
  }
  if (value === undefined) return undefined;
  const plain = unquote ? jsonString(value) : value;
  return plain === undefined
    ? fail(`missing '"' wrapping string result for extract jsons`)
    : Text.derived(plain, source);
}

/** The field of that number, counted from the end when it is negative; 0 is the whole. */
function extractField(number: number, separators: string, source: Text): Text | undefined {
  if (number === 0) return source;
  const starts = [0];
  for (let i = 0; i < source.value.length; i++) if (separators.includes(source.value[i] ?? '')) starts.push(i + 1);
  const index = number > 0 ? number - 1 : starts.length + number;
  const start = starts[index];
  if (start === undefined) return undefined;
  const next = starts[index + 1];
  return source.slice(start, next === undefined ? source.value.length : next - 1);
}

/** The value of `key` in `a=1 b="x y"` (Exim spec 11.5, extract). */
export function extractNamed(key: string, source: Text): Text | undefined {
  const { value } = source;
  let at = 0;
  while (at < value.length) {
    const head = /^[ \t-\r]*([^ \t-\r=]*)[ \t-\r]*=?[ \t-\r]*/.exec(value.slice(at));
    if (head === null || head[0] === '') break;
    const start = at + head[0].length;
    let data: Text;
    if (value[start] === '"') {
      const quoted = readQuoted(value, start) ?? { value: value.slice(start + 1), end: value.length };
      data = Text.derived(quoted.value, source);
      at = quoted.end;
    } else {
      const end = start + (/^[^ \t-\r]*/.exec(value.slice(start))?.[0].length ?? 0);
      data = source.slice(start, end);
      at = end;
    }
    if (lower(head[1] ?? '') === lower(key)) return data;
  }
  return undefined;
}

/** The field, when all strings are there: a name or number, separators for a number, and the text. */
function findField(
  [keyText = Text.empty, second = Text.empty, third]: readonly Text[],
  [word]: readonly string[],
): Text | undefined {
  const key = trim(keyText.value);
  if (key === '') return fail('first argument of "extract" must not be empty');
  if (word !== undefined) return extractJson(key, second, word === 'jsons');
  if (third !== undefined) return extractField(Number(key), second.value, third);
  return extractNamed(key, second);
}

const plainExtract = choice({
  name: 'extract',
  doc: 'a field of a text, by name or number',
  read: readExtract,
  find: findField,
});

/** In place of `json`, for an extract whose first string has to be expanded before the others can be told apart. */
const open = 'open';

/** Whether a string comes next that is more than literal text. */
function isExpansionAhead(reader: Reader): boolean {
  return /^[ \t-\r]*\{[^{}\\]*\$/.test(reader.rest.slice(0, 1000));
}

/** All strings, up to the most that there can be, and `fail` or nothing. */
function readOpenExtract(reader: Reader): ItemParts {
  const read = reader.someArguments('extract', 1, 5);
  reader.skipBlanks();
  const failing = read.length > 2 && reader.take(/fail(?![A-Za-z0-9_])/y) !== '';
  reader.skipBlanks();
  if (!reader.accept('}')) throw reader.unbalanced("did not close with '}'", read);
  if (read.length < 2) throw new ParseProblem("missing '{' for arg 2 of extract", read);
  return { words: [open], arguments: read, ...(failing ? { no: 'fail' } : {}) };
}

/** An extract of which only the value of its first string says whether it is by name or by number. */
function compileOpenExtract(node: ItemNode, compiler: Compiler): Evaluate {
  const [keyNode, ...rest] = node.arguments;
  if (keyNode === undefined) throw new Error('extract without its key');
  const key = compiler.text(keyNode);
  const way = (strings: number): ((keyText: Text, context: Context) => Eventual<Text>) => {
    if (rest.length < strings) return () => fail(`missing '{' for arg ${strings + 1} of extract`);
    const parts = rest.slice(0, strings).map((part) => compiler.text(part));
    const [yes, no, surplus] = rest.slice(strings);
    const branches = compileBranches({ ...node, yes, no: no ?? node.no }, compiler);
    return (keyText, context) =>
      then(evaluateAll(parts, context), (args) => {
        if (surplus !== undefined)
          return fail("curly-bracket problem in conditional yes/no parsing: did not close with '}'");
        const value = findField([keyText, ...args], []);
        return branches({ success: value !== undefined, value }, context);
      });
  };
  const byName = way(1);
  const byNumber = way(2);
  return (context) =>
    keepResults(context, () =>
      then(key(context), (keyText) => (/^-?\d+$/.test(trim(keyText.value)) ? byNumber : byName)(keyText, context)),
    );
}

const extract: Item = {
  name: 'extract',
  doc: plainExtract.doc,
  parse: (reader) => (isExpansionAhead(reader) ? readOpenExtract(reader) : plainExtract.parse(reader)),
  compile: (node, compiler) =>
    node.words[0] === open ? compileOpenExtract(node, compiler) : plainExtract.compile(node, compiler),
};

export const choiceItems: readonly Item[] = [ifItem, env, extract];
