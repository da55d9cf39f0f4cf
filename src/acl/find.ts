/** Finds the ACL that an option or a condition names: by name, in a file of its own, or as the text itself. */

import { errorText } from '../lib/errno.ts';
import { Cache } from '../lib/lru.ts';
import { trim } from '../lib/octets.ts';
import * as files from '../safe/files.ts';
import { clean, type Text } from '../safe/taint.ts';
import type { Acl, AclServices } from './acl.ts';
import { parseInlineAcl } from './parse.ts';

type Found = Acl | { readonly error: string };

const inline = new Cache<string, Found>(200, () => undefined);
const fromFiles = new Cache<string, { readonly stamp: string; readonly acl: Found }>(100, () => undefined);

const maximumFileSize = 1024 * 1024;

export function findAcl(text: Text, services: AclServices): Found {
  const value = trim(text.value);
  const named = services.named(value);
  if (named !== undefined) return named;
  const proven = clean(text);
  if (proven === undefined) return { error: `attempt to use tainted string '${value}' as ACL` };
  if (value.startsWith('/')) return aclOfFile(trim(proven), text);
  const known = inline.get(value);
  if (known !== undefined) return known;
  const acl = parseInlineAcl(value, 'inline ACL');
  inline.set(value, acl);
  return acl;
}

/** An ACL in a file is read again when the file was changed. */
function aclOfFile(name: string, text: Text): Found {
  const path = clean(text.slice(text.value.indexOf(name), text.value.indexOf(name) + name.length));
  if (path === undefined) return { error: `attempt to use tainted string '${name}' as ACL` };
  try {
    const found = files.stat(path);
    const stamp = `${found?.ino} ${found?.size} ${found?.mtimeMs}`;
    const known = fromFiles.get(path);
    if (known?.stamp === stamp) return known.acl;
    const acl = parseInlineAcl(files.readText(path, maximumFileSize), path);
    fromFiles.set(path, { stamp, acl });
    return acl;
  } catch (error) {
    return { error: `failed to open ACL file "${name}": ${errorText(error)}` };
  }
}
