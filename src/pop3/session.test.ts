/** The protocol alone, with a mailbox and a policy of the test's own. */

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LineConnection } from '../net/line-connection.ts';
import type { Changes, Commit, Mailbox } from '../store/mailbox.ts';
import { WireCount } from '../store/wire.ts';
import type { LoginAnswer, Offers, Pop3Policy, Pop3Settings, SessionEnd, Tally } from './policy.ts';
import { Pop3Session } from './session.ts';

class FakeMailbox implements Mailbox {
  readonly messages: Mailbox['messages'];
  readonly unreadable = 0;
  readonly #texts: (string | undefined)[];
  readonly commits: Changes[] = [];
  closed = 0;
  commitResult: Commit | Error = { outcome: 'done', left: 0 };
  /** Octets of a piece. */
  piece = 7;

  constructor(...texts: readonly string[]) {
    this.#texts = [...texts];
    this.messages = texts.map((text, number) => {
      const count = new WireCount();
      count.take(Buffer.from(text, 'latin1'));
      return { octets: count.octets, uniqueId: `id${number}` };
    });
  }

  lose(message: number): void {
    this.#texts[message] = undefined;
  }

  async read(message: number, position: number) {
    const text = this.#texts[message];
    if (text === undefined) return { outcome: 'gone' as const };
    const octets = Buffer.from(text.slice(position, position + this.piece), 'latin1');
    return { outcome: 'read' as const, octets, isLast: position + octets.length >= text.length };
  }

  async commit(changes: Changes): Promise<Commit> {
    this.commits.push(changes);
    if (this.commitResult instanceof Error) throw this.commitResult;
    return this.commitResult;
  }

  close(): void {
    this.closed++;
  }
}

class FakePolicy implements Pop3Policy {
  readonly mailbox: FakeMailbox;
  offer: Offers = { userAndPass: true, mechanisms: ['PLAIN', 'X-TWICE'], startTls: true };
  readonly notes: string[] = [];
  tally: Tally | undefined;
  end: SessionEnd | undefined;

  constructor(mailbox: FakeMailbox) {
    this.mailbox = mailbox;
  }

  greet = async () => ({ text: 'hello' });
  offers = async (): Promise<Offers> => this.offer;

  async login(user: string, password: string): Promise<LoginAnswer> {
    if (user === 'busy') return { outcome: 'refused', refusal: { code: 'IN-USE', text: 'in use' }, isFailure: false };
    return user === 'ann' && password === 'se cret '
      ? { outcome: 'opened', mailbox: this.mailbox }
      : { outcome: 'refused', refusal: { code: 'AUTH', text: 'no' }, isFailure: true };
  }

  async authenticate(mechanism: string, exchange: Parameters<Pop3Policy['authenticate']>[1]): Promise<LoginAnswer> {
    const said: string[] = [mechanism, exchange.initial ?? '-'];
    for (const challenge of mechanism === 'X-TWICE' ? ['one', 'two'] : []) {
      const answer = await exchange.ask(challenge);
      if (answer.outcome !== 'text') return { outcome: answer.outcome };
      said.push(answer.text);
    }
    this.notes.push(said.join(' '));
    return { outcome: 'opened', mailbox: this.mailbox };
  }

  tlsSettings = async () => undefined;
  secured = (): void => undefined;
  dropped = (why: string): void => void this.notes.push(`dropped: ${why}`);
  failed = (message: string): void => void this.notes.push(`failed: ${message}`);
  ended = (end: SessionEnd, tally: Tally | undefined): void => {
    this.end = end;
    this.tally = tally;
  };
}

interface Held {
  readonly policy: FakePolicy;
  readonly said: string;
  readonly end: SessionEnd;
}

/** Sends all that a client says, and answers all that it is told. */
async function talk(
  client: string | Buffer,
  {
    mailbox = new FakeMailbox(),
    settings = {},
    prepare = () => undefined,
  }: {
    readonly mailbox?: FakeMailbox;
    readonly settings?: Partial<Pop3Settings>;
    readonly prepare?: (policy: FakePolicy) => void;
  } = {},
): Promise<Held> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let said = '';
  output.setEncoding('latin1').on('data', (text: string) => {
    said += text;
  });
  const policy = new FakePolicy(mailbox);
  prepare(policy);
  const lines = new LineConnection(input, output);
  const session = new Pop3Session(lines, policy, {
    timeout: 2000,
    loginTimeout: 2000,
    maximumFailures: 3,
    beginsWithTls: false,
    ...settings,
  });
  const running = session.run();
  input.end(client);
  const end = await running;
  await new Promise((resolve) => setImmediate(resolve));
  return { policy, said, end };
}

const login = 'USER ann\r\nPASS se cret \r\n';
/** What is said behind the greeting and the answers to a login. */
const behindLogin = (said: string): string => said.replace(/^(?:[^\n]*\n){3}/, '');

describe('A POP3 session', () => {
  it('follows the example of RFC 1939', async () => {
    const mailbox = new FakeMailbox('a: 1\n\none\n', 'a: 2\n\n.dot\n..\nlast');
    mailbox.commitResult = { outcome: 'done', left: 1 };
    const commands = ['STAT', 'LIST', 'list 2', 'RETR 1', 'dele 1', 'RETR 2', 'STAT', 'UIDL', 'UIDL 2', 'NOOP', 'QUIT'];
    const { said, policy, end } = await talk(login + commands.map((each) => `${each}\r\n`).join(''), { mailbox });
    assert.equal(
      said,
      [
        '+OK hello',
        '+OK password, please',
        '+OK 2 messages (37 octets)',
        '+OK 2 37',
        '+OK 2 messages (37 octets)',
        '1 13',
        '2 24',
        '.',
        '+OK 2 24',
        '+OK 13 octets',
        'a: 1',
        '',
        'one',
        '.',
        '+OK message 1 is marked as deleted',
        '+OK 24 octets',
        'a: 2',
        '',
        '..dot',
        '...',
        'last',
        '.',
        '+OK 1 24',
        '+OK 1 messages (24 octets)',
        '2 id1',
        '.',
        '+OK 2 id1',
        '+OK still here',
        '+OK bye',
        '',
      ].join('\r\n'),
    );
    assert.equal(end, 'quit');
    assert.deepEqual(mailbox.commits, [{ removed: [0], seen: [1] }]);
    assert.equal(mailbox.closed, 1);
    assert.deepEqual(policy.tally, { retrieved: 2, tops: 0, octets: 37, removed: 1, left: 1 });
  });

  it('commits nothing without QUIT', async () => {
    const mailbox = new FakeMailbox('a: 1\n\n');
    const { end, policy } = await talk(`${login}RETR 1\r\nDELE 1\r\n`, { mailbox });
    assert.equal(end, 'lost');
    assert.deepEqual(mailbox.commits, []);
    assert.equal(mailbox.closed, 1);
    assert.equal(policy.tally?.removed, 0);
  });

  it('forgets marks at RSET, and shows with LAST what was looked at', async () => {
    const mailbox = new FakeMailbox('a', 'b', 'c');
    const { said } = await talk(`${login}TOP 2 0\r\nLAST\r\nDELE 3\r\nRSET\r\nLAST\r\nSTAT\r\nQUIT\r\n`, { mailbox });
    assert.match(behindLogin(said), /\+OK 2\r\n\+OK message 3[^\n]*\n\+OK no message[^\n]*\n\+OK 0\r\n\+OK 3 9\r\n/);
    assert.deepEqual(mailbox.commits, [{ removed: [], seen: [] }]);
  });

  it('sends with TOP the header and so many lines', async () => {
    const mailbox = new FakeMailbox('a: 1\nb: 2\n\none\n.two\n\nthree', 'no header end');
    for (const [lines, expected] of [
      [0, 'a: 1\r\nb: 2\r\n\r\n'],
      [1, 'a: 1\r\nb: 2\r\n\r\none\r\n'],
      [2, 'a: 1\r\nb: 2\r\n\r\none\r\n..two\r\n'],
      [4, 'a: 1\r\nb: 2\r\n\r\none\r\n..two\r\n\r\nthree\r\n'],
      [99, 'a: 1\r\nb: 2\r\n\r\none\r\n..two\r\n\r\nthree\r\n'],
    ] as const) {
      for (const piece of [1, 2, 7, 1000]) {
        mailbox.piece = piece;
        const { said } = await talk(`${login}TOP 1 ${lines}\r\n`, { mailbox });
        assert.equal(
          behindLogin(said),
          `+OK top of message follows\r\n${expected}.\r\n`,
          `${lines} in pieces of ${piece}`,
        );
      }
    }
    const { said } = await talk(`${login}TOP 2 0\r\nTOP 2\r\nTOP 3 1\r\nTOP 1 -1\r\n`, { mailbox });
    assert.equal(
      behindLogin(said),
      '+OK top of message follows\r\nno header end\r\n.\r\n-ERR TOP needs the number of a message and a number of lines\r\n-ERR no such message\r\n' +
        '-ERR TOP needs the number of a message and a number of lines\r\n',
    );
  });

  it('takes commands in their states alone', async () => {
    const mailbox = new FakeMailbox('a');
    const before = await talk('STAT\r\nRETR 1\r\nPASS x\r\nUSER\r\nNOOP\r\nCAPA x\r\nHELO\r\n\r\nQUIT\r\n', {
      mailbox,
    });
    assert.equal(before.said.match(/^-ERR/gm)?.length, 8);
    assert.equal(before.end, 'quit');
    assert.equal(before.policy.tally, undefined);
    const after = await talk(
      `${login}USER ann\r\nSTLS\r\nAUTH PLAIN\r\nRETR 0\r\nRETR 2\r\nRETR x\r\nDELE\r\nDELE 1\r\nDELE 1\r\nLIST 1\r\n`,
      { mailbox },
    );
    assert.equal(after.said.match(/^-ERR/gm)?.length, 9);
  });

  it('tells what it can do', async () => {
    const { said } = await talk('CAPA\r\nAUTH\r\n');
    assert.match(
      said,
      /\r\nUSER\r\nSASL PLAIN X-TWICE\r\nSTLS\r\nIMPLEMENTATION Tabella\r\n\.\r\n\+OK [^\n]*\nPLAIN\r\nX-TWICE\r\n\.\r\n$/,
    );
    const bare = await talk('CAPA\r\nUSER ann\r\nSTLS\r\nAUTH PLAIN\r\n', {
      prepare: (policy) => {
        policy.offer = { userAndPass: false, mechanisms: [], startTls: false };
      },
    });
    assert.doesNotMatch(bare.said, /\n(?:USER|SASL|STLS)/);
    assert.equal(bare.said.match(/^-ERR/gm)?.length, 3);
  });

  it('logs in with SASL, with and without data in the command', async () => {
    const { policy, said } = await talk('AUTH plain AGEAYg==\r\nQUIT\r\n');
    assert.deepEqual(policy.notes, ['PLAIN \0a\0b']);
    assert.match(said, /\+OK 0 messages \(0 octets\)/);
    const twice = await talk('AUTH X-TWICE\r\nYQ==\r\n=\r\nQUIT\r\n');
    assert.deepEqual(twice.policy.notes, ['X-TWICE - a ']);
    assert.match(twice.said, /\n\+ b25l\r\n\+ dHdv\r\n\+OK/);
    const wrong = await talk(
      'AUTH X-TWICE\r\n*\r\nAUTH X-TWICE\r\n!\r\nAUTH PLAIN !\r\nAUTH X-NONE\r\nAUTH X-TWICE\r\n',
    );
    assert.equal(wrong.said.match(/^-ERR/gm)?.length, 4);
    assert.equal(wrong.end, 'lost');
  });

  it('ends after too many failed logins, but a mailbox in use is no failure', async () => {
    const { said, end, policy } = await talk(
      `${'USER busy\r\nPASS x\r\n'.repeat(5)}${'USER ann\r\nPASS x\r\n'.repeat(4)}`,
    );
    assert.equal(end, 'closed');
    assert.equal(said.match(/-ERR \[IN-USE\]/g)?.length, 5);
    assert.equal(said.match(/-ERR \[AUTH\]/g)?.length, 3);
    assert.deepEqual(policy.notes, ['dropped: too many failed logins']);
  });

  it('tells that a message is gone, and breaks off when it goes while it is sent', async () => {
    const mailbox = new FakeMailbox('a'.repeat(100), 'b');
    mailbox.lose(1);
    const { said } = await talk(`${login}RETR 2\r\nNOOP\r\n`, { mailbox });
    assert.match(behindLogin(said), /^-ERR \[SYS\/TEMP\] .*\r\n\+OK still here/);
    const read = mailbox.read.bind(mailbox);
    mailbox.read = async (message, position) => {
      if (position > 50) mailbox.lose(message);
      return read(message, position);
    };
    const torn = await talk(`${login}RETR 1\r\nQUIT\r\n`, { mailbox });
    assert.equal(torn.end, 'lost');
    assert.doesNotMatch(torn.said, /\r\n\.\r\n/);
    assert.deepEqual(mailbox.commits, []);
  });

  it('tells the client and the log when the changes cannot be made', async () => {
    for (const result of [{ outcome: 'failed', message: 'why' } as const, new Error('why')]) {
      const mailbox = new FakeMailbox('a');
      mailbox.commitResult = result;
      const { said, policy, end } = await talk(`${login}DELE 1\r\nQUIT\r\n`, { mailbox });
      assert.match(said, /-ERR \[SYS\/TEMP\] some deleted messages were not removed\r\n$/);
      assert.deepEqual(policy.notes, ['failed: why']);
      assert.equal(end, 'closed');
    }
  });

  it('goes on without TLS when there is none to be had', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const policy = new FakePolicy(new FakeMailbox());
    const settings = { timeout: 2000, loginTimeout: 2000, maximumFailures: 3, beginsWithTls: false };
    const running = new Pop3Session(new LineConnection(input, output), policy, settings).run();
    input.write('STLS\r\n');
    await new Promise((resolve) => setTimeout(resolve, 20));
    input.end('QUIT\r\n');
    assert.equal(await running, 'quit');
    assert.match(String(output.read()), /-ERR \[SYS\/TEMP\] TLS is not available now\r\n\+OK bye/);
  });

  it('refuses what is sent behind STLS before TLS has begun', async () => {
    const { said, end, policy } = await talk('STLS\r\nUSER ann\r\n');
    assert.doesNotMatch(said, /begin TLS/);
    assert.equal(end, 'closed');
    assert.match(policy.notes.join(), /STLS/);
  });

  it('ends when a client is silent for too long, without changes', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    output.resume();
    const mailbox = new FakeMailbox('a');
    const policy = new FakePolicy(mailbox);
    const settings = { timeout: 50, loginTimeout: 2000, maximumFailures: 3, beginsWithTls: false };
    const running = new Pop3Session(new LineConnection(input, output), policy, settings).run();
    input.write(`${login}DELE 1\r\n`);
    assert.equal(await running, 'timeout');
    assert.deepEqual(mailbox.commits, []);
    assert.equal(mailbox.closed, 1);
  });

  it('does not gather answers for a client that takes none', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const mailbox = new FakeMailbox('x'.repeat(1 << 20));
    mailbox.piece = 1 << 18;
    const policy = new FakePolicy(mailbox);
    const settings = { timeout: 200, loginTimeout: 2000, maximumFailures: 3, beginsWithTls: false };
    const running = new Pop3Session(new LineConnection(input, output), policy, settings).run();
    input.write(login + 'RETR 1\r\n'.repeat(100));
    assert.equal(await running, 'lost');
    assert.ok(output.readableLength < 1 << 20, `${output.readableLength} octets wait`);
  });

  it('gives up a client that makes mistake after mistake, and one with endless lines', async () => {
    const { end, said } = await talk('X\r\n'.repeat(1000));
    assert.equal(end, 'closed');
    assert.match(said, /-ERR too many mistakes\r\n$/);
    const long = await talk(`${'y'.repeat(100_000)}\r\nNOOP\r\n`);
    assert.match(long.said, /-ERR line too long\r\n-ERR log in first/);
  });

  it('answers anything with lines of its own, and never stops or fails', async () => {
    const verbs = ['USER ann', 'PASS se cret ', 'STAT', 'LIST', 'UIDL', 'RETR', 'TOP', 'DELE', 'RSET', 'LAST', 'NOOP'];
    const word = fc.constantFrom(
      ...verbs,
      'CAPA',
      'AUTH',
      'AUTH PLAIN',
      'AUTH X-TWICE',
      'AGEAYg==',
      '*',
      'QUIT',
      'STLS',
    );
    const line = fc.oneof(
      word,
      fc
        .tuple(word, fc.oneof(fc.integer({ min: -1, max: 4 }), fc.constantFrom('1 1', '2 99999999999', '\0', '\xff ')))
        .map((parts) => parts.join(' ')),
      fc.string({ maxLength: 30 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 30 }), fc.constantFrom('\r\n', '\n'), async (lines, end) => {
        const mailbox = new FakeMailbox('a: 1\n\n.x\n', '', '\n\n');
        const held = await talk(Buffer.from(lines.map((each) => each + end).join(''), 'latin1'), { mailbox });
        assert.match(held.said, /^\+OK hello\r\n/);
        assert.ok(held.said.endsWith('\r\n'));
        assert.equal(held.said.replaceAll('\r\n', '').includes('\n'), false);
        if (held.end !== 'quit') assert.deepEqual(mailbox.commits, []);
      }),
      { numRuns: 300 },
    );
  });
});
