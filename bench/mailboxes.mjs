/** The table of users, and the Maildirs of those who get mail: made before a run, read back and emptied after it. */

import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

export const domain = 'example.test';
export const owner = 5000;

export const userNumber = (number) => `u${String(number).padStart(6, '0')}`;

/** Writes addresses with their Maildirs below `directory`, as text and as cdb; answers the name of the text. */
export function makeUserTable(directory, users) {
  const place = (user) => `${domain}/${user}/`;
  return makeTable(directory, 'users', users, place);
}

/** Writes a table with a value for each user, as text and as cdb; answers the name of the text. */
export function makeTable(directory, name, users, valueOf) {
  const table = join(directory, name);
  const line = (_, number) => `${userNumber(number)}@${domain}\t${valueOf(userNumber(number))}\n`;
  writeFileSync(table, Array.from({ length: users }, line).join(''));
  const etc = join(directory, 'postmap');
  mkdirSync(etc, { recursive: true });
  writeFileSync(
    join(etc, 'main.cf'),
    `compatibility_level = 3.6\nmeta_directory = ${etc}\nshlib_directory = /usr/lib/postfix\n`,
  );
  writeFileSync(join(etc, 'dynamicmaps.cf'), 'cdb postfix-cdb.so dict_cdb_open mkmap_cdb_open\n');
  const { status } = spawnSync('/usr/sbin/postmap', ['-c', etc, `cdb:${table}`], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the table of users could not be made');
  return table;
}

export function makeOwned(path) {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chownSync(path, owner, owner);
}

/** Answers the `new` directories of every `stride`-th user. */
export function makeMaildirs(root, active, stride) {
  makeOwned(root);
  makeOwned(join(root, domain));
  return Array.from({ length: active }, (_, number) => {
    const maildir = join(root, domain, userNumber(number * stride));
    for (const path of [maildir, join(maildir, 'new'), join(maildir, 'cur'), join(maildir, 'tmp')]) makeOwned(path);
    return join(maildir, 'new');
  });
}

/**
 * Reads what was delivered in the run `tag`, and moves it out of the way: how many files are intact, how many are damaged or belong
 * to another run, how many different messages there are, and the text of one that is bad.
 */
export function readBack(directories, tag) {
  const ids = new Set();
  let intact = 0;
  let bad = 0;
  let example;
  for (const directory of directories) {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      const text = readFileSync(path, 'latin1').replaceAll('\r\n', '\n');
      // not removed: on ext4 without a journal, thousands of files just removed slow every creation for seconds
      renameSync(path, join(directory, '../cur', name));
      const end = text.indexOf('\n\n');
      const id = /^X-Bench-Id: (\S+)/m.exec(text.slice(0, end))?.[1] ?? '';
      const sum = /^X-Bench-CRC: (\S+)/m.exec(text.slice(0, end))?.[1] ?? '';
      if (id.startsWith(`${tag}.`) && Number.parseInt(sum, 16) === crc32(Buffer.from(text.slice(end + 2), 'latin1'))) {
        ids.add(id);
        intact++;
      } else {
        bad++;
        example ??= text;
      }
    }
  }
  return { intact, bad, messages: ids.size, example };
}
