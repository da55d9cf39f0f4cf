/** What a mail server says, for tests: a good server, with exceptions that the test tells by the verb. */

import type { Script, TestConnection } from '../net/test-server.ts';

/**
 * An answer of the server: lines, or something else to do, such as going. `undefined` from a function means that all
 * is done. The server goes on only after lines.
 */
type Answer = string | readonly string[] | ((connection: TestConnection, line: string) => Reaction | Promise<Reaction>);
type Reaction = string | readonly string[] | undefined;

/** By verb; `RCPT a@b` for one recipient, `greeting`, and `.` for the end of the message. */
export type Exceptions = Readonly<Record<string, Answer>>;

export const extensions: readonly string[] = ['250-sink.example', '250-8BITMIME', '250-PIPELINING', '250 HELP'];
export const withoutPipelining: Exceptions = { EHLO: ['250-sink.example', '250 HELP'] };

const usual: Readonly<Record<string, Answer>> = {
  greeting: '220 sink.example ESMTP',
  EHLO: extensions,
  LHLO: ['250-sink.example', '250-8BITMIME', '250 PIPELINING'],
  HELO: '250 sink',
  DATA: '354 go',
  '.': '250 OK id=1-2-3',
  QUIT: '221 bye',
};

function keyOf(line: string, exceptions: Exceptions): string {
  const verb = (/^[A-Za-z]+/.exec(line)?.[0] ?? '').toUpperCase();
  return (
    Object.keys(exceptions).find((key) => key.startsWith(`${verb} `) && line.includes(key.slice(verb.length + 1))) ??
    verb
  );
}

const heard = new WeakMap<TestConnection, string[]>();

/** The commands that came over a connection of a mail server. */
export function commandsOf(connection: TestConnection): readonly string[] {
  return heard.get(connection) ?? [];
}

/** A mail server as a script for a test server. */
export function mailServer(exceptions: Exceptions = {}, messages: string[] = []): Script {
  return async (connection) => {
    const answer = async (key: string, line: string): Promise<string | undefined> => {
      const found = exceptions[key] ?? usual[key] ?? '250 OK';
      const reaction = typeof found === 'function' ? await found(connection, line) : found;
      if (reaction === undefined) return undefined;
      const lines = typeof reaction === 'string' ? [reaction] : reaction;
      connection.say(...lines);
      return lines[0];
    };
    const commands: string[] = [];
    heard.set(connection, commands);
    if ((await answer('greeting', '')) === undefined) return hearOut(connection, commands);
    for (;;) {
      const line = await connection.line();
      if (line === undefined) return;
      commands.push(line);
      const key = keyOf(line, exceptions);
      const said = await answer(key, line);
      if (said === undefined) return hearOut(connection, commands);
      if (key === 'QUIT') connection.close();
      if (key === 'DATA' && said.startsWith('3')) {
        const message = await messageFrom(connection);
        if (message === undefined) return;
        messages.push(message);
        if ((await answer('.', message)) === undefined) return hearOut(connection, commands);
      }
    }
  };
}

/** What the client says to somebody who does not answer any more. */
async function hearOut(connection: TestConnection, commands: string[]): Promise<void> {
  for (let line = await connection.line(); line !== undefined; line = await connection.line()) commands.push(line);
}

/** The message as a server keeps it: lines end with LF, and the dots that were added are gone. */
async function messageFrom(connection: TestConnection): Promise<string | undefined> {
  let message = '';
  for (;;) {
    const line = await connection.line();
    if (line === undefined || line === '.') return line && message;
    message += `${line.startsWith('.') ? line.slice(1) : line}\n`;
  }
}

/** Goes away. */
export const close = (connection: TestConnection): undefined => {
  connection.close();
};

/** Breaks the connection off, once the client knows that it has one. */
export const reset = async (connection: TestConnection): Promise<undefined> => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  connection.reset();
};

/** Says nothing more. */
export const stall = (): undefined => undefined;
