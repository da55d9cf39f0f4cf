#!/usr/bin/env node
/**
 * A client that fetches mail, for measurements. Does one thing, and prints a line of JSON: how many seconds it took, and
 * how much came. `mailread.mjs fetch PORT USER`: logs in, lists, and takes all messages one by one.
 * `mailread.mjs logins PORT COUNT USER...`: logs in and out so often, each user one login after the other.
 */

import { connect } from 'node:net';

class Client {
  #socket;
  #pieces = [];
  #wake;
  #closed = false;

  constructor(port) {
    this.#socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (piece) => {
      this.#pieces.push(piece);
      this.#wake?.();
    });
    this.#socket.on('close', () => {
      this.#closed = true;
      this.#wake?.();
    });
    this.#socket.on('error', () => undefined);
  }

  /** What is said up to the end of an answer. */
  async #until(end) {
    for (;;) {
      const last = Buffer.concat(this.#pieces.slice(-2)).subarray(-8).toString('latin1');
      if (last.endsWith(end)) {
        const octets = Buffer.concat(this.#pieces);
        this.#pieces = [];
        if (octets[0] === 0x2b) return octets;
        throw new Error(octets.toString('latin1', 0, 200));
      }
      if (this.#closed) throw new Error('the server has closed');
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  line() {
    return this.#until('\r\n');
  }

  say(command) {
    this.#socket.write(`${command}\r\n`);
    return this.line();
  }

  async long(command) {
    this.#socket.write(`${command}\r\n`);
    return this.#until('\r\n.\r\n');
  }
}

async function logIn(port, user) {
  const client = new Client(port);
  await client.line();
  await client.say(`USER ${user}`);
  await client.say('PASS secret');
  return client;
}

const operations = {
  async fetch(port, user) {
    const client = await logIn(port, user);
    const messages = Number((await client.say('STAT')).toString('latin1').split(' ')[1]);
    await client.long('UIDL');
    let octets = 0;
    for (let number = 1; number <= messages; number++) octets += (await client.long(`RETR ${number}`)).length;
    await client.say('QUIT');
    return { count: messages, octets };
  },

  async logins(port, count, ...users) {
    let left = Number(count);
    const each = async (user) => {
      while (left-- > 0) await (await logIn(port, user)).say('QUIT');
    };
    await Promise.all(users.map(each));
    return { count: Number(count), octets: 0 };
  },
};

const [name, ...words] = process.argv.slice(2);
const begun = performance.now();
const found = await operations[name](...words);
process.stdout.write(JSON.stringify({ seconds: (performance.now() - begun) / 1000, ...found }));
process.exit(0);
