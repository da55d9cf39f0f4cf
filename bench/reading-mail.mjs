/** The mailboxes that are read: filled before the measurement, with the same messages for each server. */

import { chownSync, linkSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { domain, makeOwned, owner, userNumber } from './mailboxes.mjs';

const line = (_, number) => `line ${number} of the body of a benchmark message, with some text.\n`;
const body = Array.from({ length: 150 }, line).join('');

/** A message of about 10 KB. */
const message = (number) =>
  `Return-Path: <a${number}@sender.test>
Received: from a.sender.test (a.sender.test [192.0.2.1])
\tby mx.example.test with ESMTP id ${number}; Tue, 3 Mar 2026 10:00:00 +0000
From: "Sender Number ${number}" <a${number}@sender.test>
To: Somebody <u@${domain}>, Other <o${number}@${domain}>
Subject: benchmark message number ${number} with a subject
Date: Tue, 3 Mar 2026 10:00:00 +0000
Message-ID: <${number}.read@sender.test>
References: <${number - 1}.read@sender.test>
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

${body}`;

/** Fills the mailboxes of the first users below `root`; they share their messages, which nobody changes. */
export function fillMailboxes(root, users, messages) {
  makeOwned(root);
  makeOwned(join(root, domain));
  const maildirs = Array.from({ length: users }, (_, number) => join(root, domain, userNumber(number)));
  for (const maildir of maildirs) {
    for (const path of [maildir, join(maildir, 'new'), join(maildir, 'cur'), join(maildir, 'tmp')]) makeOwned(path);
  }
  const [first = '', ...others] = maildirs;
  for (let number = 0; number < messages; number++) {
    const text = message(number);
    const name = `cur/${1700000000 + number}.M${number}P1.mx,S=${text.length}:2,S`;
    writeFileSync(join(first, name), text, { mode: 0o600 });
    chownSync(join(first, name), owner, owner);
    for (const other of others) linkSync(join(first, name), join(other, name));
  }
  return maildirs;
}

/** Removes what a server has kept about mailboxes to open them faster. */
export function dropIndexes(maildirs) {
  for (const maildir of maildirs) {
    for (const name of readdirSync(maildir)) {
      if (/^(?:dovecot|\.tabella)/.test(name)) rmSync(join(maildir, name), { recursive: true });
    }
  }
}
