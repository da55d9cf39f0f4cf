/**
 * A server with POP3 for tests. Its users: ann, cat and dora have maildirs, ben and eve mailbox files; ben and cat are
 * somebody else on the system, when we are root. Every password is `secret`.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, readFileSync } from 'node:fs';
import { Pop3Client } from './pop3-client.ts';
import { account, isRoot, TestServer, waitFor } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

/** Somebody whose mailbox is opened in another process, when we are root. */
export const other = isRoot ? { user: 'bin', uid: 2 } : { user: account.user, uid: account.uid };

const authenticators = `begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if eq{$auth3}{\${if eq{$auth2}{nopassword}{}{secret}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = User:: : Password::
  server_condition = \${if eq{$auth2}{\${if eq{$auth1}{nopassword}{}{secret}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = \${if eq{$auth1}{nopassword}{}{secret}}
  server_set_id = $auth1
spa:
  driver = spa
  public_name = NTLM
  server_password = \${if eq{$auth1}{nopassword}{}{secret}}
  server_set_id = $auth1
`;

/** What stands in a file of a process, which may have ended meanwhile. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

export class Pop3Server {
  readonly server: TestServer;

  private constructor(server: TestServer) {
    this.server = server;
  }

  /** Starts it; `main` are more main options, `prefix` is a program that starts it, for its directory. */
  static async start(main = '', prefix: (directory: string) => readonly string[] = () => []): Promise<Pop3Server> {
    const made = new Pop3Server(await TestServer.make());
    const { server } = made;
    made.configure(main);
    if (isRoot) {
      // whoever owns a mailbox file must be able to make a lock file beside it
      spawnSync('chmod', ['775', server.path('mail')]);
      chownSync(server.path('mail'), account.uid, 8);
    }
    await server.start([], prefix(server.directory));
    return made;
  }

  get port(): number {
    return this.server.port + 1;
  }

  get tlsPort(): number {
    return this.server.port + 2;
  }

  configure(main: string): void {
    const { server } = this;
    const { directory } = server;
    server.write(
      'users',
      ['ann', 'cat', 'dora', 'nopassword'].map((user) => `${user}: ${directory}/mail/${user}/\n`).join('') +
        ['ben', 'eve'].map((user) => `${user}: ${directory}/mail/${user}\n`).join('') +
        'list: ann@x.example, ben@x.example\npipe: |/bin/cat\nalias: ann@x.example\n',
    );
    const owner = `\${if inlist{$local_part}{ben:cat}{${other.user}}{${account.user}}}`;
    server.configure({
      main: `pop3_ports = ${this.port}
pop3_tls_on_connect_ports = ${this.tlsPort}
pop3_interfaces = 127.0.0.1
qualify_domain = x.example
${main}`,
      routers: `
table:
  driver = redirect
  domains = x.example
  local_parts = !root
  data = \${lookup{$local_part}lsearch{${directory}/users}}
  directory_transport = maildir
  file_transport = mbox
  pipe_transport = pipe
root:
  driver = accept
  local_parts = root
  transport = roots
remote:
  driver = manualroute
  domains = elsewhere.example
  route_list = * 127.0.0.1
  self = send
  transport = smtp
`,
      transports: `
maildir:
  driver = appendfile
  user = ${owner}
  group = ${isRoot ? 'mail' : account.gid}
  maildir_format
mbox:
  driver = appendfile
  user = ${owner}
  group = ${isRoot ? 'mail' : account.gid}
  lockfile_timeout = 2s
roots:
  driver = appendfile
  user = root
  file = ${directory}/mail/root
pipe:
  driver = pipe
smtp:
  driver = smtp
`,
      retry: `* * F,2h,15m\n${authenticators}`,
    });
  }

  logIn(user: string, password?: string): Promise<Pop3Client> {
    return Pop3Client.logIn(this.port, user, password);
  }

  /** What is in memory: of the server and of the processes that have become somebody else for it, in kB. */
  memory(): number {
    let sum = this.server.memory('VmRSS');
    for (const pid of this.mailboxProcesses()) {
      sum += Number(/^VmRSS:\s+(\d+)/m.exec(readIfThere(`/proc/${pid}/status`))?.[1] ?? 0);
    }
    return sum;
  }

  /** The processes of the server that have become somebody else to open mailboxes. */
  mailboxProcesses(): number[] {
    const { pid } = this.server;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean);
    return children.filter((child) => readIfThere(`/proc/${child}/cmdline`).includes('--mailboxes-as')).map(Number);
  }

  connect(from?: string): Promise<Pop3Client> {
    return Pop3Client.open(this.port, from);
  }

  async deliver(user: string, ...bodies: readonly string[]): Promise<void> {
    const client = await SmtpClient.greet(this.server.port);
    for (const body of bodies) {
      const answer = await client.message('sender@b.example', [`${user}@x.example`], `Subject: ${user}\n\n${body}`);
      assert.match(answer, /^250/);
    }
    await client.quit();
  }

  /** How many deliveries to a user the log tells of. */
  #delivered(user: string): number {
    return this.server.log().split(`<${user}@x.example> R=table`).length - 1;
  }

  async deliverAndWait(user: string, ...bodies: readonly string[]): Promise<void> {
    const before = this.#delivered(user);
    await this.deliver(user, ...bodies);
    await waitFor(`${bodies.length} messages for ${user}`, () => this.#delivered(user) >= before + bodies.length);
  }
}

/** What stands behind the header of a message. */
export const body = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4);
