/** The private keys of DKIM and ARC: the text of an option, or the file that it names (Exim spec 58.2, dkim_private_key). */

import type { KeyObject } from 'node:crypto';
import { crypto } from '../lib/crypto.ts';
import { signingType } from '../origin/dkim-sign.ts';
import * as files from '../safe/files.ts';
import { clean, type Text } from '../safe/taint.ts';

interface Log {
  panic(text: string): void;
}

/** Octets of a file with a key. */
const longestKey = 64 * 1024;

/** The key; when there is none that can sign, the log says why. */
export function signingKey(text: Text, log: Log): KeyObject | undefined {
  const pem = text.value.startsWith('/') ? readKey(text, log) : text.value;
  if (pem === undefined) return undefined;
  try {
    const key = crypto().createPrivateKey({ key: pem, format: 'pem' });
    if (signingType(key) !== undefined) return key;
  } catch {
    // what is wrong with it could tell of what is in it
  }
  log.panic('DKIM: the private key is none that can sign');
  return undefined;
}

function readKey(text: Text, log: Log): string | undefined {
  const path = clean(text);
  if (path === undefined) log.panic(`Tainted filename '${text.value}'`);
  try {
    if (path !== undefined) return files.readText(path, longestKey);
  } catch {
    // said below
  }
  log.panic(`unable to open file for reading: ${text.value}`);
  return undefined;
}
