/**
 * Virus scanners with a protocol of their own, played by a server of the test. What is asked, what is made of each answer
 * and what the log says is what Exim 4.96 did (`test/golden/cases/064-scanners` has the talks); what differs says so.
 */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { TestDirectory } from '../../lib/test-directory.ts';
import { type TestConnection, TestServer } from '../../net/test-server.ts';
import { malware } from '../conditions/malware.ts';
import { mailboxText, testMessage } from '../test-message.ts';
import { testRun } from '../test-run.ts';

let directory: TestDirectory;
const servers: TestServer[] = [];

beforeEach(() => {
  directory = new TestDirectory();
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  directory.remove();
});

/** What the condition says and logs; `PLACE` in the setting and in the log is where the server is. */
async function ask(
  scanner: string,
  serve: (connection: TestConnection) => Promise<void>,
  { network = false, text = '*' }: { network?: boolean; text?: string } = {},
): Promise<{ said: string; log: string[]; received: string }> {
  const path = directory.file(`socket${servers.length}`);
  const server = await TestServer.start(
    async (connection) => {
      await serve(connection);
      connection.close();
    },
    network ? undefined : { path },
  );
  servers.push(server);
  const place = network ? `127.0.0.1 ${server.port}` : path;
  const shown = network ? `[127.0.0.1]:${server.port}` : path;
  const message = testMessage(mailboxText, 100, directory);
  const { run, log } = testRun({ phase: 'DATA', message, avScanner: scanner.replace('PLACE', place) });
  const answer = await malware.test(text, run);
  // what was said last is read, too
  await server.connections[0]?.gone;
  const said = answer === 'true' ? `<${run.context.acl?.malwareName}>` : JSON.stringify(answer);
  return {
    said,
    log: log.map((line) => line.replaceAll(shown, 'PLACE').replaceAll(place, 'PLACE')),
    received: (server.connections[0]?.received ?? '').replaceAll(directory.path, 'DIR'),
  };
}

const clean = '"false"';
const deferred = '{"defer":""}';

const once =
  (end: string, answer: string) =>
  async (connection: TestConnection): Promise<void> => {
    await connection.upTo(end);
    connection.send(answer);
  };

const rows = {
  sophie: [
    ['0\n', clean],
    ['1:Eicar\n', '<Eicar>'],
    ['1:abc:d\nfoo', '<abc:d>'],
    ['1', clean],
    ['2:x', clean],
    ['-1\n', deferred, 'scanner reported error'],
    ['', deferred, 'unable to read from UNIX socket (PLACE)'],
  ],
  'f-prot6d': [
    ['0 <clean> /x\n', clean],
    ['12 <infected: A B> /x->y\r\n', '<A B>'],
    ['1 <infected: Eicar> /x', '<Eicar>'],
    ['64 <unscannable>\n', deferred, 'scanner reported error (unscannable)'],
    ['junk\n', clean],
    ['', deferred, 'unable to read from socket (Success)'],
  ],
  'f-protd': [
    ['<summary code="0">clean</summary>\r\n', clean],
    ['HTTP/1.0 200 OK\r\n\r\n<detected type="virus">\r\n<name>W</name>\r\n<summary code="11">\r\n', '<W>'],
    ['<detected type="x">\n <name>A B</name> <name>C</name>\n<name>Z</name>\n<summary code="11">', '<Z>'],
    ['<name>W</name>\n<detected type="virus">\n<summary code="11">\n', clean],
    ['<detected type="virus">\n<name>W</name>\n<summary code="1">\n<summary code="11">\n', clean],
    ['<detected type="virus"><name>W</name>\n<summary code="11">\n', clean],
    // Exim 4.96 takes it for clean
    ['<detected type="virus">\n<name>W</name>\n', deferred, 'EOF from scanner'],
  ],
} as const;

const questions = {
  sophie: { setting: 'sophie:PLACE', network: false, end: '\n', question: 'DIR\n' },
  'f-prot6d': { setting: 'f-prot6d:PLACE', network: true, end: '\n', question: 'SCAN FILE DIR/message.eml\nQUIT\n' },
  'f-protd': { setting: 'f-protd:PLACE', network: true, end: '\0', question: 'GET DIR/message.eml HTTP/1.0\r\n\r\n\0' },
} as const;

for (const name of ['sophie', 'f-prot6d', 'f-protd'] as const) {
  const { setting, network, end, question } = questions[name];
  for (const [answer, said, message] of rows[name]) {
    test(`${name} answers ${JSON.stringify(answer)}`, async () => {
      const found = await ask(setting, once(end, answer), { network });
      assert.equal(found.received, answer === '' ? question.replace('QUIT\n', '') : question);
      assert.equal(found.said, said);
      assert.deepEqual(found.log, message === undefined ? [] : [`malware acl condition: ${name} PLACE : ${message}`]);
    });
  }

  test(`${name} that says nothing makes the condition defer`, async () => {
    const { said, log } = await ask(setting, (connection) => connection.stall(), { network, text: '*/tmo=1s' });
    assert.equal(said, deferred);
    assert.equal(log.length, 1);
  });
}

const numbers = (...values: readonly number[]): string =>
  values
    .map((value) => String.fromCharCode((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255))
    .join('');
const report = (text: string): string => numbers(text.length) + text;

const drwebRows: readonly (readonly [answer: string, said: string, message?: string])[] = [
  [numbers(0, 0), clean],
  [numbers(0x80, 0), clean],
  // Exim 4.96 crashes when a virus has a name
  [numbers(0x20, 1) + report('file infected with Eicar.Foo\0'), '<Eicar.Foo>'],
  [numbers(0x20, 3) + report('x') + report('x infected with Two') + report('infected with Three'), '<Two>'],
  [numbers(0x20, 1) + numbers(0), clean],
  ['', deferred, 'unable to read return code'],
  [numbers(0), deferred, 'unable to read the number of viruses'],
  [numbers(0x20, 1), deferred, 'cannot read report size'],
  [numbers(0x20, 1) + numbers(100) + 'infected with X', deferred, 'cannot read report string'],
  [numbers(0x20, 0xffffffff), deferred, 'cannot read report size'],
  [numbers(0x1, 0), deferred, 'drweb daemon retcode 0x1 (read error)'],
  [numbers(0x5, 0), deferred, 'drweb daemon retcode 0x5 (no memory)'],
  [numbers(0x201, 0), deferred, 'drweb daemon retcode 0x201 (timeout)'],
  [numbers(0x8204, 0), deferred, 'drweb daemon retcode 0x8204 (wrong command)'],
];

for (const [answer, said, message] of drwebRows) {
  test(`drweb answers ${JSON.stringify(answer)}`, async () => {
    const found = await ask('drweb:PLACE', once('message.eml\0\0\0\0', answer));
    assert.equal(found.said, said);
    assert.deepEqual(found.log, message === undefined ? [] : [`malware acl condition: drweb PLACE : ${message}`]);
  });
}

test('drweb: a socket of this machine is told the file, a server on the network is sent the message', async () => {
  const local = await ask('drweb:PLACE', once('message.eml\0\0\0\0', numbers(0, 0)));
  const length = directory.file('message.eml').length;
  assert.equal(local.received, `${numbers(1, 0x80001, length)}DIR/message.eml${numbers(0)}`);
  const remote = await ask('drweb:PLACE', once(mailboxText, numbers(0, 0)), { network: true });
  assert.equal(remote.received, numbers(1, 0x80001, 0, mailboxText.length) + mailboxText);
});

/** Answers each line of the scanner's client with the next of these. */
const lines =
  (...answers: readonly string[]) =>
  async (connection: TestConnection): Promise<void> => {
    for (const answer of answers) {
      await connection.upTo('\n');
      connection.send(answer);
    }
  };

const settled = ['a\n', 'b\n', 'c\n', 'd\n'];

const fsecureRows: readonly (readonly [answers: readonly string[], said: string, message?: string])[] = [
  [[...settled, 'OK\tScan ok.\n'], clean],
  [[...settled, '1\tINFECTED\t/x\tEicar A\tAVP\nINFECTED\t/y\tSecond\tOrion\nOK\tScan ok.\n'], '<Eicar A>'],
  [[...settled, 'INFECTED\t/x\tEicar\tA VP\nOK\tScan ok.\n'], clean],
  [[...settled, 'INFECTED\t/x\tEicar\tAVP\n'], deferred, 'unable to read result (Success)'],
  [[...settled, 'ERROR\tno\nOK\tScan ok.'], deferred, 'unable to read result (Success)'],
  [['a\n', ''], deferred, 'unable to read answer 1 (Success)'],
];

for (const [answers, said, message] of fsecureRows) {
  test(`fsecure answers ${JSON.stringify(answers)}`, async () => {
    const found = await ask('fsecure:PLACE', lines(...answers));
    assert.equal(found.said, said);
    assert.deepEqual(found.log, message === undefined ? [] : [`malware acl condition: fsecure PLACE : ${message}`]);
  });
}

test('fsecure is told how to look, and then at what', async () => {
  const { received } = await ask('fsecure:PLACE', lines(...settled, 'OK\tScan ok.\n'));
  assert.equal(
    received,
    'CONFIGURE\tARCHIVE\t1\nCONFIGURE\tTIMEOUT\t0\nCONFIGURE\tMAXARCH\t5\nCONFIGURE\tMIME\t1\nSCAN\tDIR/message.eml\n',
  );
});

/** Greets, answers each line, and takes the QUIT. */
const greeted =
  (...answers: readonly string[]) =>
  async (connection: TestConnection): Promise<void> => {
    connection.send('220 hi\r\n');
    await lines(...answers, '')(connection);
  };

const results = (...all: readonly string[]): string => `210 SCAN DATA\r\n${all.join('\r\n')}\r\n200 SCAN OK\r\n`;

const avastRows: readonly (readonly [answer: string, said: string, message?: string])[] = [
  [results('SCAN /x\t[+]'), clean],
  [results('SCAN /x\t[L]0.0\t0 Eicar\\ Test \\\\ [Trj]'), '<Eicar Test \\ [Trj]>'],
  [results('SCAN /x\t[+]', 'SCAN /x\t[L]1.0\t0 One', 'SCAN /y\t[L]0.0\t0 Two'), '<One>'],
  [results('SCAN /x\t[E]0.0\tError 42054 archive\\ corrupt'), '<archive corrupt>'],
  [results('SCAN /x\tstrange'), deferred, 'SCAN /x\tstrange'],
  ['451 temporary\r\n', deferred, '451 temporary'],
  ['210 SCAN DATA\r\nSCAN /x\t[L]0.0\t0 V\r\n451 SCAN no\r\n', deferred, '451 SCAN no'],
];

for (const [answer, said, message] of avastRows) {
  test(`avast answers ${JSON.stringify(answer)}`, async () => {
    const found = await ask('avast:PLACE', greeted(answer));
    assert.equal(found.received, 'SCAN DIR\nQUIT\n');
    assert.equal(found.said, said);
    assert.deepEqual(found.log, message === undefined ? [] : [`malware acl condition: avast PLACE : ${message}`]);
  });
}

test('avast: other words are sent before, each when the one before is done', async () => {
  const scan = greeted('210 F\r\n200 OK\r\n', '200 OK\r\n', results('SCAN /x\t[+]'));
  const { said, received } = await ask('avast:PLACE:FLAGS -fullfiles:SENSITIVITY -pup', scan);
  assert.deepEqual([said, received], [clean, 'FLAGS -fullfiles\nSENSITIVITY -pup\nSCAN DIR\nQUIT\n']);
  const refused = await ask('avast:PLACE:FLAGS -x', greeted('501 no\r\n'));
  assert.deepEqual([refused.said, refused.received], [deferred, 'FLAGS -x\nQUIT\n']);
});

test('avast: pass_unscanned takes what cannot be scanned for clean, and the log tells', async () => {
  const line = 'SCAN /x\t[E]0.0\tError 42054 archive\\ corrupt';
  const { said, log } = await ask('avast:PLACE:pass_unscanned', greeted(results(line)));
  assert.deepEqual([said, log], [clean, [`internal scanner error (ignored): ${line}`]]);
  const infected = await ask('avast:PLACE:pass_unscanned', greeted(results(line, 'SCAN /y\t[L]0.0\t0 Eicar')));
  assert.equal(infected.said, '<Eicar>');
});

test('avast that does not greet makes the condition defer', async () => {
  const { said, log } = await ask('avast:PLACE', (connection) => connection.stall(), { text: '*/tmo=1s' });
  assert.deepEqual([said, log], [deferred, ['malware acl condition: avast PLACE : timeout from scanner']]);
});
