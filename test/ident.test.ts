/** RFC 1413 in whole sessions: who is told of as the caller, and that nobody waits for an answer that does not come. */

import assert from 'node:assert/strict';
import { connect, createServer, type Server } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { isRoot, TestServer } from './server.ts';

let server: TestServer;
/** Only root may answer on the port of the protocol; the client has this address, whose port nobody else needs. */
const clientAddress = '127.0.0.113';

before(async () => {
  server = await TestServer.make();
  server.configure({ main: 'rfc1413_hosts = *\nrfc1413_query_timeout = 1s' });
});
afterEach(() => server.stop());
after(() => server.remove());

/** A whole session with a message; answers what EHLO was answered. */
function session(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: server.port, host: '127.0.0.1', localAddress: clientAddress });
    const lines = [
      'EHLO c',
      'MAIL FROM:<a@y.example>',
      'RCPT TO:<ann@x.example>',
      'DATA',
      'Subject: x\r\n\r\nx\r\n.',
      'QUIT',
    ];
    let all = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      all += text;
      if (/^\d\d\d [^\n]*\n$/m.test(text)) {
        const next = lines.shift();
        if (next !== undefined) socket.write(`${next}\r\n`);
      }
    });
    socket.on('error', reject).on('close', () => resolve(/^250-.*$/m.exec(all)?.[0] ?? all));
  });
}

function answerWith(answer: (ports: string) => string | undefined): Promise<Server> {
  return new Promise((resolve, reject) => {
    const ident = createServer((socket) => {
      socket.setEncoding('latin1').on('data', (ports: string) => {
        const said = answer(ports.trim());
        if (said !== undefined) socket.end(said, 'latin1');
      });
      socket.on('error', () => undefined);
    });
    ident.once('error', reject).listen(113, clientAddress, () => resolve(ident));
  });
}

test('a host that nobody answers for is served all the same', async () => {
  await server.start();
  assert.match(await session(), /^250-mx\.x\.example Hello c \[127\.0\.0\.113\]/);
  await server.logs(/<= a@y\.example H=\(c\) \[127\.0\.0\.113\] P=esmtp /);
});

test('the name is shown in the greeting, the log and the Received: line', {
  skip: !isRoot && 'only root may use port 113',
}, async () => {
  const ident = await answerWith((ports) => `${ports} : USERID : UNIX : fr\xe4d\r\n`);
  await server.start();
  assert.match(await session(), /^250-mx\.x\.example Hello fr\\344d at c \[127\.0\.0\.113\]/);
  await server.logs(/<= a@y\.example H=\(c\) \[127\.0\.0\.113\] U=fr\\344d P=esmtp /);
  await server.logs(/Completed/);
  assert.ok(server.mail('ann').some((mail) => /from \[127\.0\.0\.113\] \(helo=c ident=fr\\344d\)/.test(mail)));
  ident.close();
});

test('an answer that does not come is not waited for', { skip: !isRoot && 'only root may use port 113' }, async () => {
  const ident = await answerWith(() => undefined);
  await server.start();
  assert.match(await session(), /^250-mx\.x\.example Hello c \[127\.0\.0\.113\]/);
  ident.close();
});
