/** exim_fixdb: shows single records of a hints database and changes them, in a dialogue (Exim spec 54.14). */

import type { HintsFile } from '../../hints/hints.ts';
import * as clock from '../../lib/clock.ts';
import {
  type HintsTerminal,
  hintsNamed,
  type NamedHints,
  openHints,
  pathOfHints,
  timeShower,
  usageOf,
} from './opening.ts';
import type { HintsRecord, ShowTime } from './records.ts';

export async function fixdb(
  words: readonly string[],
  lines: AsyncIterable<string>,
  terminal: HintsTerminal,
): Promise<number> {
  const utc = words[0] === '-z';
  const named = hintsNamed(utc ? words.slice(1) : words);
  if (named === undefined) {
    terminal.out(usageOf('exim_fixdb', '[-z]'));
    return 1;
  }
  terminal.out(`Modifying Exim hints database ${pathOfHints(named)}\n> `);
  const dialogue = new Dialogue(named, timeShower(utc), terminal);
  for await (const line of lines) {
    if (line === 'q') return 0;
    dialogue.take(line.replace(/^[ \t]+|[ \t\n]+$/g, ''));
    terminal.out('> ');
  }
  terminal.out('\n');
  return 0;
}

class Dialogue {
  readonly #named: NamedHints;
  readonly #time: ShowTime;
  readonly #terminal: HintsTerminal;
  #record: HintsRecord | undefined;

  constructor(named: NamedHints, time: ShowTime, terminal: HintsTerminal) {
    this.#named = named;
    this.#time = time;
    this.#terminal = terminal;
  }

  take(line: string): void {
    const file = openHints(this.#named, this.#terminal, 'writing');
    if ('problem' in file) {
      this.#terminal.out(file.problem);
      return;
    }
    try {
      this.#work(line, file);
    } finally {
      file.close();
    }
  }

  #work(line: string, file: HintsFile): void {
    const record = this.#record === undefined ? undefined : this.#find(this.#record.key, file);
    const field = /^(\d+)(?:[ \t]+(.*))?$/s.exec(line);
    if (record !== undefined && line === 'd') {
      record.delete();
      this.#record = undefined;
      this.#terminal.out('deleted\n');
    } else if (record !== undefined && field !== null) this.#change(record, Number(field[1]), field[2]);
    else {
      this.#record = this.#find(line, file);
      if (this.#record === undefined) this.#terminal.out(`record ${line} not found\n`);
      else this.#show(this.#record, this.#record.updated);
    }
  }

  #change(record: HintsRecord, field: number, value: string | undefined): void {
    if (value === undefined) {
      this.#terminal.out('value missing\n');
      return;
    }
    const { remark, isUnchanged } = record.change(field, value);
    if (remark !== undefined) this.#terminal.out(remark);
    if (!isUnchanged) this.#show(record, clock.seconds());
  }

  #show(record: HintsRecord, at: number): void {
    this.#terminal.out(`${this.#time(at)}\n${record.show(this.#time)}`);
  }

  #find(key: string, file: HintsFile): HintsRecord | undefined {
    for (const record of this.#named.kind.records(file)) if (record.key === key) return record;
    return undefined;
  }
}
