/**
 * Asks a server about recipients over several connections: `recipients.mjs PORT CONNECTIONS SECONDS USERS DOMAINS`. Four of
 * five exist. Prints how many were answered, how long it took, and how many answers were wrong.
 */

import { connect } from 'node:net';

const [port, connections, seconds, users, domains] = process.argv.slice(2).map(Number);
const inTransaction = 100;
const end = performance.now() + seconds * 1000;
let answered = 0;
let wrong = 0;

function recipient() {
  const user = Math.floor(Math.random() * users);
  const exists = Math.random() < 0.8;
  return { address: `${exists ? 'u' : 'n'}${user}@d${user % domains}.example`, exists };
}

function client() {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let waiting = ['EHLO c', 'MAIL FROM:<s@x.example>'];
    let asked;
    let count = 0;
    let buffered = '';
    let leaving = false;
    const next = () => {
      if (waiting.length > 0) return socket.write(`${waiting.shift()}\r\n`);
      if (performance.now() > end) {
        leaving = true;
        return socket.end('QUIT\r\n');
      }
      if (++count % inTransaction === 0) {
        waiting = ['MAIL FROM:<s@x.example>'];
        return socket.write('RSET\r\n');
      }
      asked = recipient();
      return socket.write(`RCPT TO:<${asked.address}>\r\n`);
    };
    socket.setEncoding('latin1').on('data', (text) => {
      buffered += text;
      for (let at = buffered.indexOf('\n'); at >= 0; at = buffered.indexOf('\n')) {
        const line = buffered.slice(0, at);
        buffered = buffered.slice(at + 1);
        if (line[3] === '-') continue;
        if (asked !== undefined) {
          answered++;
          if (line.startsWith('250') !== asked.exists && wrong++ === 0) {
            process.stderr.write(`the first wrong answer, to ${asked.address}: ${line}\n`);
          }
          asked = undefined;
        }
        next();
      }
    });
    socket
      .on('error', () => {
        // the server may be gone before it has read our goodbye
        if (!leaving) wrong++;
      })
      .on('close', resolve);
  });
}

const begin = performance.now();
await Promise.all(Array.from({ length: connections }, client));
const taken = (performance.now() - begin) / 1000;
process.stdout.write(`${JSON.stringify({ answered, wrong, seconds: taken })}\n`);
