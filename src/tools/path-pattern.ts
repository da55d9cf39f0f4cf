/**
 * Finds the files that a pattern of an expiry rule names. Links are never followed; a directory is read piece by piece, and
 * `**` goes down at most so deep.
 */

import { errorCode } from '../lib/errno.ts';
import { type Regex, regex } from '../lib/regex.ts';
import * as files from '../safe/files.ts';
import { type Clean, pathOf, reviewed } from '../safe/taint.ts';

const deepest = 32;

export interface FoundFile {
  readonly directory: Clean;
  readonly path: Clean;
  readonly stats: files.Stats;
}

/** Who is told of a directory that cannot be read. */
export type Unreadable = (path: Clean, error: unknown) => void;

/** A component without asterisks is a name, one with them a regular expression. */
type Component = string | Regex | '**';

function compile(component: string): Component {
  if (component === '**' || !component.includes('*')) return component;
  const literalParts = component.split('*').map((part) => part.replace(/[^A-Za-z0-9_\x80-\xff]/g, '\\$&'));
  return regex(`^(?s:${literalParts.join('.*')})\\z`);
}

/** The files below a directory that the components name. @throws nothing */
export function* filesOf(
  directory: Clean,
  components: readonly string[],
  unreadable: Unreadable,
): Generator<FoundFile> {
  yield* walk(directory, components.map(compile), unreadable, 0);
}

function* walk(
  directory: Clean,
  [first, ...others]: readonly Component[],
  unreadable: Unreadable,
  depth: number,
): Generator<FoundFile> {
  if (first === undefined || depth > deepest) return;
  if (first === '**') {
    yield* walk(directory, others, unreadable, depth);
    for (const path of paths(directory, files.listDirectories, unreadable)) {
      yield* walk(path, [first, ...others], unreadable, depth + 1);
    }
    return;
  }
  if (typeof first === 'string') {
    const path = pathOf(directory, reviewed(first, 'a part of the pattern in the configuration'));
    const stats = look(path, unreadable);
    if (stats !== undefined) yield* enter({ directory, path, stats }, others, unreadable, depth);
    return;
  }
  const matching = (name: string): boolean => first.test(name);
  for (const path of paths(directory, files.list, unreadable, matching)) {
    const stats = look(path, unreadable);
    if (stats !== undefined) yield* enter({ directory, path, stats }, others, unreadable, depth);
  }
}

function* enter(
  found: FoundFile,
  others: readonly Component[],
  unreadable: Unreadable,
  depth: number,
): Generator<FoundFile> {
  if (others.length === 0) {
    if (found.stats.isFile()) yield found;
  } else if (found.stats.isDirectory()) {
    yield* walk(found.path, others, unreadable, depth + 1);
  }
}

/** What a directory holds. One that is not there (any more) holds nothing. */
function* paths(
  directory: Clean,
  list: (directory: Clean) => Iterable<string>,
  unreadable: Unreadable,
  wanted: (name: string) => boolean = () => true,
): Generator<Clean> {
  try {
    for (const name of list(directory)) {
      if (wanted(name)) yield pathOf(directory, reviewed(name, 'a name the directory itself holds'));
    }
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    if (errorCode(error) !== 'ENOENT') unreadable(directory, error);
  }
}

function look(path: Clean, unreadable: Unreadable): files.Stats | undefined {
  try {
    return files.linkStat(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOTDIR') unreadable(path, error);
    return undefined;
  }
}
