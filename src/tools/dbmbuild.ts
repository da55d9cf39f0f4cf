/**
 * exim_dbmbuild: makes a table for `dbm` lookups out of a text file (Exim spec 54.9). Messages, options and exit statuses
 * are those of the original program; the table is a cdb file.
 *
 * The table is written beside its place, synced, and renamed, so that a reader finds the old table or the new one, whole.
 * If anything goes wrong the old one stays. Memory does not depend on the length of the text, but for about 20 octets for
 * each key.
 */

import { CdbFull } from '../lib/cdb.ts';
import { errorCode, errorText } from '../lib/errno.ts';
import { untilZero } from '../lookups/stored-text.ts';
import * as files from '../safe/files.ts';
import { type Clean, concat, literal, reviewed } from '../safe/taint.ts';
import { SourceProblem } from './dbmbuild-source.ts';
import { fillTable, nameBeside, piecesOf, syncName } from './table-writer.ts';

export interface DbmbuildIo {
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Standard output, where the original writes its errors, too. */
  out(text: string): void;
  err(text: string): void;
}

const optionNames = ['-nolc', '-nozero', '-nowarn', '-noduperr', '-lastdup'] as const;
type OptionName = (typeof optionNames)[number];

const done = 0;
const failed = 1;
/** The text could not be made into a table. */
const abandoned = 2;

/** Why there is no new table. */
class Failure extends Error {
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

function isOption(text: string | undefined): text is OptionName {
  return optionNames.some((name) => name === text);
}

/** Runs the program with its arguments; answers the exit status. */
export async function dbmbuild(args: readonly string[], io: DbmbuildIo): Promise<number> {
  const options = new Set<OptionName>();
  let at = 0;
  for (let option = args[at]; isOption(option); option = args[++at]) options.add(option);
  const [sourceName, targetName, ...others] = args.slice(at);
  if (sourceName === undefined || targetName === undefined || others.length > 0) {
    io.out('usage: exim_dbmbuild [-nolc] <source file> <dbm base name>\n');
    return failed;
  }
  const why = 'who calls the program names files with his own rights';
  try {
    return await build(reviewed(sourceName, why), reviewed(targetName, why), options, io);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    io.out(`${error.message}\n`);
    return error.status;
  }
}

async function build(
  sourceName: Clean,
  target: Clean,
  options: ReadonlySet<OptionName>,
  io: DbmbuildIo,
): Promise<number> {
  if (sourceName === target) throw new Failure('exim_dbmbuild: input and output filenames are the same', failed);
  const source = sourceName === '-' ? undefined : openSource(sourceName);
  try {
    const pieces = source === undefined ? io.stdin : piecesOf(source);
    return await writeTable(readable(pieces, sourceName), target, options, io);
  } finally {
    if (source !== undefined) files.close(source);
  }
}

/** Opens to read and, unlike `files.readOnly`, to wait for the writer of a pipe. */
const readAndWait = 0;

function openSource(name: Clean): files.Descriptor {
  try {
    return files.open(name, readAndWait);
  } catch (error) {
    throw new Failure(`exim_dbmbuild: unable to open ${name}: ${errorText(error)}`, failed);
  }
}

/** The same pieces; that they cannot be read is told as the failure it is. */
async function* readable(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  name: Clean,
): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    throw new Failure(`exim_dbmbuild: unable to read ${name}: ${errorText(error)}\ndbmbuild abandoned`, abandoned);
  }
}

async function writeTable(
  pieces: AsyncIterable<Uint8Array>,
  target: Clean,
  options: ReadonlySet<OptionName>,
  io: DbmbuildIo,
): Promise<number> {
  /** The name in messages. The file itself has a name of this process's own, so that two can work at the same time. */
  const temporary = concat(target, literal('.dbmbuild_temp'));
  const beside = nameBeside(target, literal('.dbmbuild_temp'));
  const file = create(beside, temporary);
  try {
    let duplicates: number;
    let count: number;
    try {
      ({ duplicates, count } = await fillTable(file, pieces, {
        keepCase: options.has('-nolc'),
        endsWithZero: !options.has('-nozero'),
        lastWins: options.has('-lastdup'),
        duplicate(key) {
          if (!options.has('-nowarn')) io.err(`** Duplicate key "${untilZero(key)}"\n`);
        },
        ignored: (line) => io.out(`Unexpected continuation line ignored\n${line}\n\n`),
      }));
      await files.sync(file);
    } catch (error) {
      throw asFailure(error, temporary);
    } finally {
      files.close(file);
    }
    io.out(`${count} ${count === 1 ? 'entry' : 'entries'} written\n`);
    if (duplicates > 0) io.out(`${duplicates} duplicate ${duplicates === 1 ? 'key' : 'keys'} \n`);
    try {
      files.rename(beside, target);
    } catch {
      throw new Failure(`Unable to rename ${temporary} as ${target}`, failed);
    }
    await syncName(target);
    return duplicates > 0 && !options.has('-noduperr') ? failed : done;
  } catch (error) {
    files.removeIfPossible(beside);
    throw error;
  }
}

function create(name: Clean, nameInMessages: Clean): files.Descriptor {
  try {
    return files.open(name, files.createNew, 0o644);
  } catch (error) {
    throw new Failure(`exim_dbmbuild: unable to create ${nameInMessages}: ${errorText(error)}`, failed);
  }
}

function asFailure(error: unknown, temporary: Clean): unknown {
  if (error instanceof SourceProblem) return new Failure(`${error.message}\ndbmbuild abandoned`, abandoned);
  if (!(error instanceof CdbFull) && errorCode(error) === undefined) return error;
  const reason = error instanceof CdbFull ? error.message : `unable to write ${temporary}: ${errorText(error)}`;
  return new Failure(`exim_dbmbuild: ${reason}\ndbmbuild abandoned`, abandoned);
}
