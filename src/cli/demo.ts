/**
 * `tabella demo`: the server with embedded defaults. It makes a configuration with tables below `./var` if there is none,
 * listens on unprivileged ports, and says how to send the first mail. No root, no database, no other server.
 */

import { readInstallation } from '../config/installation.ts';
import { parseConfig } from '../config/load.ts';
import { formatProblem } from '../config/problems.ts';
import { Daemon } from '../daemon/daemon.ts';
import { CannotListen } from '../daemon/listeners.ts';
import { productVersion } from '../expand/version.ts';
import { errorText } from '../lib/errno.ts';
import { makeRuntime, type Runtime } from '../mta/runtime.ts';
import * as files from '../safe/files.ts';
import { type Clean, literal, pathOf, reviewed } from '../safe/taint.ts';
import { groupWithId, userNamed, userWithId } from '../safe/users.ts';
import type { Terminal } from './output.ts';
import type { Start } from './start.ts';

const listed = [
  literal('exim.conf'),
  literal('client.conf'),
  literal('tables/domains'),
  literal('tables/users'),
  literal('tables/aliases'),
  literal('tables/passwords'),
];

interface Account {
  readonly user: string;
  readonly group: string;
}

function account(uid: number, gid: number): Account {
  return { user: userWithId(uid)?.name ?? String(uid), group: groupWithId(gid)?.name ?? String(gid) };
}

/** Whether every user may look for files below a directory. */
function isOpenToAll(directory: Clean): boolean {
  const parent = files.parentOf(directory);
  return ((files.stat(directory)?.mode ?? 0) & 0o001) !== 0 && (parent === undefined || isOpenToAll(parent));
}

/** Whose the mailboxes are: no mailbox of root is opened for a reader, so root's demo takes another user if it can. */
function ownerOfMail(mail: Clean, self: Account): Account {
  if (process.getuid?.() !== 0 || !isOpenToAll(mail)) return self;
  const other = userNamed('mail') ?? userNamed('nobody');
  if (other === undefined) return self;
  files.setOwner(mail, other.uid, other.gid);
  return account(other.uid, other.gid);
}

/** Copies what is not there yet, with the names of this place and this user. */
function prepare(source: Clean, target: Clean): void {
  const self = account(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  for (const directory of ['tables', 'mail', 'log', 'spool'] as const) {
    files.makeDirectories(pathOf(target, reviewed(directory, 'one of four literals')), 0o755);
  }
  for (const name of listed) {
    const path = pathOf(target, name);
    if (files.stat(path) !== undefined) continue;
    const text = files.readText(pathOf(source, name));
    const owner = text.includes('@OWNER@') ? ownerOfMail(pathOf(target, literal('mail')), self) : self;
    const file = files.open(path, files.createNew, 0o644);
    files.write(
      file,
      text
        .replaceAll('@VAR@', target)
        .replaceAll('@USER@', self.user)
        .replaceAll('@GROUP@', self.group)
        .replaceAll('@OWNER@', owner.user)
        .replaceAll('@OWNERS_GROUP@', owner.group),
    );
    files.close(file);
  }
}

async function open(start: Start, target: Clean, terminal: Terminal): Promise<Runtime | undefined> {
  const file = pathOf(target, literal('exim.conf'));
  const { config, problems } = await parseConfig(file, files.readText(file), new Map());
  for (const problem of problems.errors) terminal.error(`${formatProblem(problem)}\n`);
  if (problems.errors.length > 0) return undefined;
  const { installation } = readInstallation(start.directory);
  // whoever starts the demo is the server's user; root, too, may want to see it
  return makeRuntime({ ...installation, fixedNeverUsers: '' }, config, {
    environment: process.env,
    panicEcho: terminal.error,
  });
}

function introduction(target: Clean, program: Clean, listening: string, pop3: string): string {
  const bin = pathOf(program, literal('bin'));
  return `Tabella ${productVersion} runs with its embedded defaults. Everything is below ${target}

  listening      ${listening}   (SMTP)
                 ${pop3}   (POP3)
  configuration  ${target}/exim.conf
  tables         ${target}/tables/domains, users, aliases, passwords   (edit them; the next message sees it)
  log            ${target}/log/mainlog

Send the first mail to ann@demo.example, and look at it in her Maildir (from another terminal):

  printf 'From: me@client.example\\nTo: ann@demo.example\\nSubject: Hello\\n\\nThe first mail.\\n' | ${bin}/sendmail -C ${target}/client.conf -f me@client.example -odf ann@demo.example
  cat ${target}/mail/demo.example/ann/new/*

Fetch it over POP3, with the password of the table:

  curl --user ann@demo.example:demo pop3://${pop3}/1

Ask why an address goes where it goes:

  ${bin}/tabella explain -C ${target}/exim.conf team@demo.example

Ctrl-C ends it.
`;
}

/** Runs until it is interrupted; answers the exit status. */
export async function demo(start: Start, terminal: Terminal): Promise<number> {
  const here = reviewed(Buffer.from(process.cwd(), 'utf8').toString('latin1'), 'where the caller is');
  const target = pathOf(here, literal('var'));
  prepare(pathOf(start.directory, literal('configs'), literal('demo')), target);
  const runtime = await open(start, target, terminal);
  if (runtime === undefined) return 1;
  const daemon = new Daemon(runtime, {
    self: start.self,
    title: `tabella ${productVersion}`,
    listens: true,
    inetdWait: undefined,
    interfaces: undefined,
    pidFile: () => pathOf(target, literal('tabella.pid')),
    tlsOnConnect: false,
    queueInterval: 15 * 60,
    queueRun: {
      twoStages: false,
      firstDeliveriesOnly: false,
      force: false,
      forceFrozen: false,
      localOnly: false,
      recipient: undefined,
      sender: undefined,
    },
    delivery: 'at once',
    reload: (report) => open(start, target, { ...terminal, error: report }),
    startQueueRun: () => undefined,
    started: (...places) => {
      const [smtp = '', pop3 = ''] = places.map((each) =>
        each.map(({ address, port }) => `${address}:${port}`).join(', '),
      );
      terminal.out(introduction(target, start.directory, smtp, pop3));
    },
  });
  try {
    await daemon.run();
  } catch (error) {
    if (!(error instanceof CannotListen)) throw error;
    terminal.error(
      `${errorText(error)}\nIs the demo running already? Its port is set by local_interfaces in ${target}/exim.conf\n`,
    );
    return 1;
  }
  terminal.out('\nended\n');
  return 0;
}
