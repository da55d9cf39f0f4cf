/** For tests of content scanners: a message as scanners are shown it, as the real program wrote it. */

import { writeFileSync } from 'node:fs';
import type { TestDirectory } from '../lib/test-directory.ts';
import { reviewed } from '../safe/taint.ts';
import type { MessageCopy } from './message-copy.ts';

export const mailboxText = `From MAILER-DAEMON Mon Nov 30 15:12:07 2026
X-Envelope-From: <a@b.test>
X-Envelope-To: u@d.test
Subject: x

hello world
`;

/** Hands the text out in pieces of so many octets. */
export function testMessage(text = mailboxText, pieceSize = 100, directory?: TestDirectory): MessageCopy {
  const octets = Buffer.from(text, 'latin1');
  return {
    id: '1xY331-0000000Hv35-0000',
    size: octets.length,
    async read(take) {
      for (let at = 0; at < octets.length; at += pieceSize) await take(octets.subarray(at, at + pieceSize));
    },
    async file() {
      if (directory === undefined) throw new Error('this message has no file');
      const path = directory.file('message.eml');
      writeFileSync(path, octets);
      return { path, directory: reviewed(directory.path, 'a directory of the tests') };
    },
  };
}
