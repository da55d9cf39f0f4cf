/** SMTP sessions recorded from the real Exim (conversations/*.txt), conducted by this program with -bh. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Conversation {
  readonly title: string;
  readonly config: string;
  readonly client: string;
  readonly server: string;
  readonly log: string;
}

function conversations(family: string): Conversation[] {
  const text = readFileSync(join(root, `test/conversations/${family}.txt`), 'latin1');
  return `${text.trimEnd()}\n\n`
    .split(/^=== /m)
    .slice(1)
    .map((block) => {
      const [head = '', config = '', client = '', server = '', log = ''] = block.split(/^--- \w+\n/m);
      return { title: head.split('\n')[0] ?? '', config, client, server, log: log.replace(/\n$/, '') };
    });
}

/** Lines as they go over the network; `@repeat X N TEXT` is TEXT and N times X, `@end` stands where no line end follows. */
function octetsOf(client: string): string {
  return client
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [, letter = '', count = '0', front = ''] = /^@repeat (.) (\d+) (.*)$/.exec(line) ?? [];
      if (letter !== '') return `${front}${letter.repeat(Number(count))}\r\n`;
      return line.endsWith('@end') ? line.slice(0, -4) : `${line}\r\n`;
    })
    .join('');
}

/** Ids, sizes, times and versions made equal. */
function equalized(text: string): string {
  return text
    .replace(/(?<![0-9A-Za-z])[0-9A-Za-z]{6}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4}(?![0-9A-Za-z])/g, 'ID')
    .replace(/^334 PD.*/gm, '334 CHALLENGE')
    .replace(/ S=\d+/g, ' S=N')
    .replace(/D=\d+(?:\.\d+)?s/g, 'D=N')
    .replace(/ESMTP Tabella .*/g, 'ESMTP VERSION DATE');
}

const directory = mkdtempSync(join(tmpdir(), 'tabella-conversations-'));
test.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 20 }));

/** What a rehearsal says besides; the recordings leave it out. */
const remarks = /\n(?:\*{4} [^\n]*\n)+\n/g;

function rehearse(config: string, input: string): Promise<{ readonly replies: string; readonly log: string }> {
  const child = spawn(join(root, 'bin/exim'), ['-C', config, '-bh', '10.1.2.3'], {
    stdio: 'pipe',
    env: { PATH: '/usr/bin:/bin', TZ: 'UTC' },
  });
  const collected = { out: '', error: '' };
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    collected.out += text;
  });
  child.stderr.setEncoding('latin1').on('data', (text: string) => {
    collected.error += text;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(Buffer.from(input, 'latin1'));
  return new Promise((resolve) => {
    child.on('close', () => {
      const replies = equalized(collected.out.replaceAll('\r\n', '\n').replace(remarks, ''));
      const log = collected.error
        .split('\n')
        .filter((line) => line.startsWith('LOG: '))
        .map((line) => `${equalized(line.slice('LOG: '.length))}\n`);
      resolve({ replies, log: log.join('') });
    });
  });
}

for (const family of ['smtp', 'auth']) {
  for (const [index, { title, config, client, server, log }] of conversations(family).entries()) {
    test(`the session "${title}" goes as with the real Exim`, async () => {
      const template = readFileSync(join(root, `test/conversations/${family}.conf`), 'latin1');
      const extra = config.includes('begin acl') || family !== 'smtp' ? config : `${config}begin acl\n`;
      const places = `spool_directory = ${directory}/spool\nlog_file_path = ${directory}/%slog\nkeep_environment =\n`;
      const file = join(directory, `${family}-${index}.conf`);
      writeFileSync(file, `${places}${template.replace('@EXTRA@', () => extra)}`, 'latin1');
      const got = await rehearse(file, octetsOf(client));
      assert.equal(got.replies, server);
      assert.equal(got.log, log);
    });
  }
}
