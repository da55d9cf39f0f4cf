import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { complaint, runScript, whereTo } from './test-script.ts';

describe('A Sieve filter', () => {
  it('keeps a message of which nothing is said', async () => {
    assert.deepEqual(await whereTo(''), ['inbox']);
    assert.deepEqual(await whereTo('stop; garbage'), ['inbox']);
    assert.deepEqual(await whereTo('require "copy"; redirect :copy "a@b.example";'), ['>a@b.example', 'inbox']);
  });

  it('does not keep one that is filed, sent on or discarded, and does each once', async () => {
    assert.deepEqual(await whereTo('discard;'), []);
    assert.deepEqual(await whereTo('require "fileinto"; fileinto "x"; fileinto "x"; keep;'), ['x', 'inbox']);
    assert.deepEqual(await whereTo('redirect "Bob <b@c.example>";'), ['>b@c.example']);
  });

  it('keeps the message where a mistake is found, beside what was done before', async () => {
    assert.deepEqual(await whereTo('redirect "a@b.example"; nonsense;'), ['>a@b.example', 'inbox']);
    assert.equal(await complaint('keep;\nnonsense;'), 'Sieve error: syntax error in line 3');
  });

  it('sends nothing to an address with line ends', async () => {
    assert.deepEqual(await whereTo('discard; redirect "\\"a\nRCPT TO:<x>\\"@b.example";'), ['inbox']);
    assert.deepEqual(await whereTo('discard; redirect "a@b.example\nRCPT TO:<x>";'), ['inbox']);
  });

  it('finds mistakes in blocks that are not run', async () => {
    assert.equal(await complaint('if false { redirect "x"; }'), 'Sieve error: unqualified recipient address in line 2');
    assert.equal(
      await complaint('if false { if address "subject" "x" { } }'),
      'Sieve error: invalid header field in line 2',
    );
  });

  it('takes the first branch whose test is true', async () => {
    const script = (subject: string): string =>
      `if header "subject" "a" { redirect "1@x"; } elsif header "subject" "b" { redirect "2@x"; } else { redirect "${subject}@x"; }`;
    const asked = (subject: string): Promise<string[]> => whereTo(script('3'), { headers: [`Subject: ${subject}\n`] });
    assert.deepEqual(await asked('a'), ['>1@x']);
    assert.deepEqual(await asked('B'), ['>2@x']);
    assert.deepEqual(await asked('c'), ['>3@x']);
  });

  it('compares headers decoded and unfolded', async () => {
    const headers = ['Subject: =?iso-8859-1?q?gr=FC=DFe?=\n =?utf-8?b?IQ==?=\n', 'X:  a\n\tb  \n'];
    const script = 'if allof(header "subject" "gr\xc3\xbc\xc3\x9fe!", header "x" "a\tb") { discard; }';
    assert.deepEqual(await whereTo(script, { headers }), []);
  });

  it('knows octets 0 in headers', async () => {
    const script = 'require "encoded-character"; if header :matches "subject" "a${hex:00}?c" { discard; }';
    assert.deepEqual(await whereTo(script, { headers: ['Subject: =?utf-8?q?a=00bc?=\n'] }), []);
  });

  it('takes user and detail of the recipient from the options of the router', async () => {
    const script =
      'require ["envelope","subaddress"]; if allof(envelope :user "to" "u", envelope :detail "to" "d", envelope "to" "ann+x@example.com") { discard; }';
    assert.deepEqual(await whereTo(script, { options: { useraddress: 'u', subaddress: 'd' } }), []);
    assert.deepEqual(await whereTo(script), ['inbox']);
  });

  it('refuses names of folders that lead upwards', async () => {
    for (const folder of ['', '..', '../x', 'a/..', 'a/../b']) {
      const script = `require "fileinto"; fileinto "${folder}";`;
      assert.equal(await complaint(script), 'Sieve error: invalid folder in line 2', folder);
    }
    assert.deepEqual(await whereTo('require "fileinto"; fileinto "a..b";'), ['a..b']);
  });

  it('bounds how deep blocks and tests stand in each other', async () => {
    const nested = (depth: number): string => `${'if true {'.repeat(depth)} discard; ${'}'.repeat(depth)}`;
    assert.deepEqual(await whereTo(nested(40)), []);
    assert.equal(await complaint(nested(5000)), 'Sieve error: nested too deeply in line 2');
    assert.equal(await complaint(`if ${'not '.repeat(5000)} true { }`), 'Sieve error: nested too deeply in line 2');
  });

  it('bounds the work of a script', async () => {
    const keys = Array.from({ length: 2000 }, (_, i) => `"*a*${i}*b"`).join(',');
    const headers = [`Subject: ${'a'.repeat(60_000)}\n`];
    const said = await complaint(`if header :matches "subject" [${keys}] { discard; }`, { headers });
    assert.equal(said, 'Sieve error: the script takes too much work in line 2');
  });
});

describe('A vacation', () => {
  const options = { vacation_directory: '/vac' };

  it('answers who wrote in person, once in so many days', async () => {
    const { actions } = await runScript('require "vacation"; vacation :days 99 "gone\n=";', { options });
    const [reply, keep] = actions;
    assert.equal(keep?.kind, 'file');
    assert.ok(reply?.kind === 'reply' && reply.noError === true);
    const { once, ...rest } = reply.reply;
    assert.match(once?.value ?? '', /^\/vac\/[0-9A-F]{32}$/);
    assert.deepEqual(rest, {
      to: 'joe@remote.example',
      from: 'ann@example.com',
      subject: '=?utf-8?Q?Auto=3A_hello?=',
      headers:
        'MIME-Version: 1.0\nContent-Type: text/plain;\n\tcharset="utf-8"\nContent-Transfer-Encoding: quoted-printable',
      text: 'gone\n=3D\n',
      onceRepeat: 31 * 86_400,
    });
  });

  it('takes header lines from its reason with :mime', async () => {
    const { actions } = await runScript('require "vacation"; vacation :mime :subject "s" "A: b\n\ntext";', { options });
    assert.ok(actions[0]?.kind === 'reply');
    assert.deepEqual([actions[0].reply.headers, actions[0].reply.text], ['A: b', 'text']);
  });

  it('answers no list, robot, bounce or stranger', async () => {
    const script = 'require "vacation"; discard; vacation "gone";';
    const from = 'From: joe@remote.example\n';
    const to = 'To: ann@example.com\n';
    const answers = async (headers: readonly string[], sender?: string): Promise<number> =>
      (await runScript(script, { headers, options, ...(sender === undefined ? {} : { sender }) })).actions.length;
    assert.equal(await answers([from, to]), 1);
    assert.equal(await answers([from, 'Cc: ann@example.com\n']), 1);
    assert.equal(await answers([from, to], ''), 0);
    assert.equal(await answers([from, 'To: other@example.com\n']), 0);
    assert.equal(await answers([from, to, 'List-Id: x\n']), 0);
    assert.equal(await answers([from, to, 'Auto-Submitted: auto-replied\n']), 0);
    assert.equal(await answers(['From: owner-x@y.example\n', to]), 0);
  });

  it('is refused without a directory, and runs once', async () => {
    assert.deepEqual(await whereTo('require "vacation"; discard; vacation "x";'), ['inbox']);
    assert.equal(
      await complaint('require "vacation"; vacation "a";\nvacation "b";'),
      'Sieve error: trying to execute vacation more than once in line 3',
    );
  });
});

describe('A notification', () => {
  const options = { enotify_mailto_owner: 'ann@example.com' };

  it('is a letter to whom the URI names', async () => {
    const script =
      'require "enotify"; notify :message "m" "mailto:a@x?cc=b@x&body=one%0D%0Atwo&From=evil@x&X-A=1%0A2";';
    const { notices } = await runScript(script, { options });
    assert.deepEqual(notices, [
      {
        sender: 'ann@example.com',
        text: 'From: ann@example.com\nTo: a@x\nCc: b@x\nAuto-Submitted: auto-notified; ann@example.com\nx-a: 1 2\nSubject: m\n\none\ntwo\n',
      },
    ]);
  });

  it('is refused when nobody is its owner', async () => {
    assert.equal(await complaint('require "enotify";'), 'Sieve error: enotify disabled in line 2');
  });

  it('can be asked for beforehand', async () => {
    const script =
      'require "enotify"; if allof(valid_notify_method "mailto:a@x", not valid_notify_method "xmpp:a@x", notify_method_capability "mailto:a@x" "Online" "maybe") { discard; }';
    assert.deepEqual(await whereTo(script, { options }), []);
  });
});
