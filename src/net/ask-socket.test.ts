import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { askSocket } from './ask-socket.ts';

async function withServer(serve: (socket: Socket) => void, work: (port: number) => Promise<void>): Promise<void> {
  const open = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  try {
    await work(typeof address === 'object' && address !== null ? address.port : 0);
  } finally {
    for (const socket of open) socket.destroy();
    server.close();
  }
}

test('the whole answer comes back, after this side has ended', async () => {
  const echo = (socket: Socket): void => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('end', () => socket.end(`<${text}>`, 'latin1'));
  };
  await withServer(echo, async (port) => {
    const question = { text: 'a\xe4', timeout: 5, shutdown: true };
    assert.deepEqual(await askSocket({ address: '127.0.0.1', port }, question), {
      outcome: 'answered',
      text: '<a\xe4>',
    });
  });
});

test('a server that says nothing is not waited for longer than was said', async () => {
  await withServer(
    () => undefined,
    async (port) => {
      const reply = await askSocket({ address: '127.0.0.1', port }, { text: 'x', timeout: 0.05, shutdown: false });
      assert.deepEqual(reply, { outcome: 'failed', message: 'socket read timed out' });
    },
  );
});

test('a server that breaks off has answered what it said', async () => {
  await withServer(
    (socket) => socket.resetAndDestroy(),
    async (port) => {
      const reply = await askSocket({ address: '127.0.0.1', port }, { text: 'x', timeout: 5, shutdown: false });
      assert.deepEqual(reply, { outcome: 'answered', text: '' });
    },
  );
});

test('where nobody listens there is no connection, and no address is none', async () => {
  const question = { text: '', timeout: 5, shutdown: true };
  assert.deepEqual(await askSocket({ address: '127.0.0.1', port: 1 }, question), {
    outcome: 'not connected',
    reason: 'Connection refused',
  });
  assert.equal((await askSocket({ address: 'localhost', port: 1 }, question)).outcome, 'not connected');
});
