/**
 * Which tables are made of which texts. A directory says it in a file `tables.conf`, one table a line: text, table, and
 * options of exim_dbmbuild. Without such a file each table `NAME.db` or `NAME.cdb` is made of the text `NAME` beside it.
 */

import { errorText } from '../lib/errno.ts';
import { trim } from '../lib/octets.ts';
import * as files from '../safe/files.ts';
import { type Clean, literal, pathOf, reviewed } from '../safe/taint.ts';

export const listName = literal('tables.conf');

const optionNames = ['-nolc', '-nozero', '-nowarn', '-noduperr', '-lastdup'] as const;
export type TableOption = (typeof optionNames)[number];

export interface Table {
  readonly source: Clean;
  readonly target: Clean;
  readonly options: ReadonlySet<TableOption>;
  /** The list that names it; nothing when the names alone say so. */
  readonly list: Clean | undefined;
}

export interface Listed {
  readonly tables: readonly Table[];
  /** Mistakes, with file and line. */
  readonly problems: readonly string[];
}

const endings = ['.db', '.cdb'] as const;

/** A cdb lookup asks for the key alone; a dbm lookup asks with a binary zero behind it. */
function optionsFor(target: string, words: readonly TableOption[]): ReadonlySet<TableOption> {
  return new Set(target.endsWith('.cdb') ? [...words, '-nozero'] : words);
}

function isOption(word: string): word is TableOption {
  return optionNames.some((name) => name === word);
}

/** Names in a list are below its directory, or absolute. */
function named(directory: Clean, name: string): Clean {
  const own = reviewed(name, 'the administrator wrote it into the list of tables');
  return name.startsWith('/') ? own : pathOf(directory, own);
}

const longestList = 1024 * 1024;

function fromList(directory: Clean, list: Clean): Listed {
  const tables: Table[] = [];
  const problems: string[] = [];
  const lines = files.readText(list, longestList).split('\n');
  for (const [index, line] of lines.entries()) {
    const [source = '', target, ...words] = trim(line).split(/[ \t-\r]+/);
    if (source === '' || source.startsWith('#')) continue;
    const problem = (text: string): unknown => problems.push(`${list}:${index + 1}: ${text}`);
    const unknown = words.find((word) => !isOption(word));
    if (target === undefined) problem(`no table is named behind "${source}"`);
    else if (unknown !== undefined) problem(`"${unknown}" is none of ${optionNames.join(', ')}`);
    else if (target === source) problem('text and table have the same name');
    else if (tables.some((table) => table.target === named(directory, target))) problem(`${target} is listed twice`);
    else {
      tables.push({
        source: named(directory, source),
        target: named(directory, target),
        options: optionsFor(target, words.filter(isOption)),
        list,
      });
    }
  }
  return { tables, problems };
}

function isFile(path: Clean): boolean {
  return files.stat(path)?.isFile() === true;
}

/** Tables that are there already, beside the text of the same name. */
function fromNames(directory: Clean): Table[] {
  const tables: Table[] = [];
  for (const name of [...files.list(directory)].sort()) {
    const ending = endings.find((each) => name.endsWith(each) && name.length > each.length);
    if (ending === undefined || name.startsWith('.')) continue;
    const why = 'a name that a directory of the administrator holds';
    const target = pathOf(directory, reviewed(name, why));
    const source = pathOf(directory, reviewed(name.slice(0, -ending.length), why));
    if (!isFile(source) || !isFile(target)) continue;
    tables.push({ source, target, options: optionsFor(name, []), list: undefined });
  }
  return tables;
}

function inDirectory(directory: Clean): Listed {
  const list = pathOf(directory, listName);
  return isFile(list) ? fromList(directory, list) : { tables: fromNames(directory), problems: [] };
}

const nothingMade = (path: Clean): string =>
  `${path}: no table is made of it; write a line into ${listName} beside it, or make the table once with exim_dbmbuild`;

/** The tables of a directory, or those that are made of a text; a table stands for its text. */
export function tablesOf(path: Clean): Listed {
  try {
    const found = files.stat(path);
    if (found === undefined) return { tables: [], problems: [`${path}: No such file or directory`] };
    if (found.isDirectory()) {
      const listed = inDirectory(path);
      if (listed.tables.length > 0 || listed.problems.length > 0) return listed;
      return { tables: [], problems: [`${path}: it holds no ${listName}, and no table beside its text`] };
    }
    const { tables, problems } = inDirectory(files.parentOf(path) ?? literal(path.startsWith('/') ? '/' : '.'));
    const wanted = files.realPath(path);
    const isWanted = (name: Clean): boolean => isFile(name) && files.realPath(name) === wanted;
    const own = tables.filter(({ source, target }) => isWanted(source) || isWanted(target));
    return { tables: own, problems: own.length === 0 ? [...problems, nothingMade(path)] : problems };
  } catch (error) {
    return { tables: [], problems: [`${path}: ${errorText(error)}`] };
  }
}
