/** Shipped configurations set up for tests: each in the directory of a test server, by its own setup command. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres, type TestDatabase } from '../src/lookups/test-servers.ts';
import { account, isRoot, type Ran, root, TestServer } from './server.ts';

/** Runs the setup command of a shipped configuration. */
export function setup(name: string, ...words: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync(join(root, 'configs', name, 'setup'), words, {
    encoding: 'latin1',
    env: { PATH: '/usr/bin:/bin:/usr/sbin', TZ: 'UTC' },
  });
  return { status, stdout, stderr };
}

/** Takes a file of the setup, changed, as the configuration of the test server. */
export function use(server: TestServer, file: string, change: (text: string) => string = (text) => text): void {
  server.write('config', change(readFileSync(server.path(file), 'latin1')));
  // root must own what it is to believe
  if (isRoot) chownSync(server.path('config'), 0, 0);
}

/** A program that keeps what it is given: its environment and the message, in the file `filtered`. */
const filter = (directory: string): string => `#!/bin/sh
{
  echo "EXTENSION=$EXTENSION LOCAL_PART=$LOCAL_PART DOMAIN=$DOMAIN SENDER=$SENDER RECIPIENT=$RECIPIENT HOME=$HOME"
  cat
} >>${directory}/mail/filtered
case $EXTENSION in
  fail) echo "the filter says no"; exit 77 ;;
  wait) exit 75 ;;
esac
`;

export interface WithPostgresql {
  readonly server: TestServer;
  readonly database: TestDatabase;
  /** The words of the setup command. */
  readonly words: readonly string[];
  /** What it said. */
  readonly said: Ran;
  /** Runs SQL as the owner of the tables; answers what a lookup would. */
  sql(query: string): string;
  /** Takes the configuration of the setup, changed; names of hosts are not looked up, unless the change asks for it. */
  use(change?: (text: string) => string): void;
  remove(): Promise<void>;
}

/** PostgreSQL, and the configuration that uses it. */
export async function setUpPostgresql(): Promise<WithPostgresql> {
  const database = await startPostgres('');
  // a daemon of another user comes to the socket, as it does where PostgreSQL is installed
  chmodSync(database.directory, 0o755);
  const server = await TestServer.make();
  const { directory } = server;
  server.makeDirectory('system');
  const program = server.write('filter', filter(directory), 0o755);
  const words = ['--directory', directory, '--socket', database.directory, '--admin', 'tester', '--filter', program];
  words.push('--user', account.user, '--server-user', account.user, '--system-mail', server.path('system'));
  const said = setup('postgresql', ...words);
  assert.equal(said.status, 0, said.stderr);
  const made: WithPostgresql = {
    server,
    database,
    words,
    said,
    sql(query) {
      const owner = `(${database.directory}/.s.PGSQL.5432)/mail/tester/x`;
      const { stdout } = server.run(['-be', `\${lookup pgsql,servers=${owner}{${query}}{$value}{none}}`]);
      return stdout.replace(/\n$/, '');
    },
    use(change = (text) => text) {
      use(server, 'exim.conf', (text) =>
        change(text.replace('host_lookup = *\n', '').replace('rfc1413_hosts = *\n', 'rfc1413_hosts =\n')),
      );
    },
    async remove() {
      await server.remove();
      await database.remove();
    },
  };
  made.use();
  return made;
}
