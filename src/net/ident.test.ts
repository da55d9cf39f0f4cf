/** Asking who a connection belongs to; the answers are those that Exim 4.96 was given, and what it made of them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askIdent, parseIdent } from './ident.ts';
import { closedPort, TestServer } from './test-server.ts';

const answers: readonly (readonly [line: string, name: string | undefined])[] = [
  ['25 , 2500 : USERID : UNIX : fred\r', 'fred'],
  ['25,2500:USERID:OTHER: a b <c>', 'a b <c>'],
  ['25 , 2500 : USERID : UNIX , US-ASCII :joe:x\r', 'joe:x'],
  ['25 , 2500 : ERROR : NO-USER\r', undefined],
  ['1 , 2 : USERID : UNIX : fred\r', undefined],
  ['25 , 2500 : USERID : UNIX :\r', undefined],
  [`25 , 2500 : USERID : UNIX : ${'x'.repeat(600)}\r`, 'x'.repeat(127)],
  ['fred', undefined],
];

for (const [line, name] of answers) {
  test(`the answer ${JSON.stringify(line.slice(0, 60))}`, () => assert.equal(parseIdent(line, 25, 2500), name));
}

const question = (identPort: number) => ({
  remoteAddress: '127.0.0.1',
  remotePort: 25,
  localAddress: '127.0.0.1',
  localPort: 2500,
  timeout: 1,
  identPort,
});

test('the other side is asked about both ports; an answer without an end, and silence, are none', async () => {
  const scripts: readonly (readonly [text: string, name: string | undefined])[] = [
    ['25 , 2500 : USERID : UNIX : fred\r\n', 'fred'],
    ['25 , 2500 : USERID : UNIX : fred', undefined],
    ['x'.repeat(5000), undefined],
    ['', undefined],
  ];
  for (const [text, name] of scripts) {
    let asked: string | undefined;
    const server = await TestServer.start(async (connection) => {
      asked = await connection.line();
      if (text === '') await connection.stall();
      connection.send(text);
      connection.close();
    });
    assert.equal(await askIdent(question(server.port)), name, text.slice(0, 40));
    assert.equal(asked, '25 , 2500');
    await server.close();
  }
});

test('nobody there is no answer', async () => {
  assert.equal(await askIdent(question(await closedPort())), undefined);
});
