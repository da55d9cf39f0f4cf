/** A directory of a test's own, for what has to be a real file. */

import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as files from '../safe/files.ts';
import { type Clean, reviewed } from '../safe/taint.ts';

export class TestDirectory {
  readonly path: Clean = reviewed(`${tmpdir()}/tabella-test-${randomUUID()}`, 'a name of the tests');

  constructor() {
    files.makeDirectory(this.path, 0o700);
  }

  /** The path of a file of this directory. */
  file(name: string): Clean {
    return reviewed(`${this.path}/${name}`, 'a name of the tests');
  }

  /** Writes a new file and puts it in the place of an old one of that name; text is latin1. */
  write(name: string, data: Uint8Array | string): Clean {
    const temporary = this.file(`.${randomUUID()}`);
    const file = files.open(temporary, files.createNew);
    files.write(file, data);
    files.close(file);
    files.rename(temporary, this.file(name));
    return this.file(name);
  }

  /** Gives a file another name, which may be in a directory of this one. */
  moveInto(name: string, place: string): void {
    files.rename(this.file(name), this.file(place));
  }

  /** Removes a file of a directory in this one, if it is there. */
  removeFileIn(directory: string, name: string): void {
    files.removeIfPossible(this.file(`${directory}/${name}`));
  }

  /** The names of its files, sorted. */
  get names(): string[] {
    return [...files.list(this.path)].sort();
  }

  /** Removes the directory with all that is in it, though a child may be writing still. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 20 });
  }
}
