/** Converts Exim 3 text in a test, and writes both texts into the directory of a server. */

import assert from 'node:assert/strict';
import { account, type TestServer } from '../../test/server.ts';
import { reviewed } from '../safe/taint.ts';
import { convert } from './convert.ts';

/** The new text of an old one. */
export function converted(
  server: TestServer,
  old: string,
): { readonly text: string; readonly told: string; readonly status: number } {
  let text = '';
  let told = '';
  const path = reviewed(server.write('old', old), 'a file of the test');
  const status = convert(path, {
    out: (part) => {
      text += part;
    },
    error: (part) => {
      told += part;
    },
  });
  return { text, told, status };
}

export const head = (server: TestServer): string => `
exim_user = ${account.user}
spool_directory = ${server.directory}/spool
log_file_path = ${server.directory}/log/%slog
never_users =
`;

/** Writes both texts; answers their names. */
export function both(server: TestServer, old: string): { readonly three: string; readonly four: string } {
  const { text, told, status } = converted(server, old);
  assert.equal(status, 0, told);
  return { three: server.write('config3', old), four: server.write('config4', text) };
}
