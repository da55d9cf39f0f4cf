/** The condition `dnslists`, against a name server of the test. What it says of each item is what Exim 4.96 said of it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asked, setUp } from '../../net/test-resolver.ts';
import type { Phase } from '../acl.ts';
import { testRun } from '../test-run.ts';
import { dnslists } from './dnslists.ts';

const zone = `
7.2.0.192.bl.test A 127.0.0.2
7.2.0.192.bl.test TXT listed at bl
7.2.0.192.two.test A 127.0.0.2
7.2.0.192.two.test A 127.0.0.5
7.2.0.192.two.test TXT first text
7.2.0.192.out.test A 10.0.0.1
7.2.0.192.mix.test A 10.0.0.1
7.2.0.192.mix.test A 127.0.0.3
7.2.0.192.fail.test SERVFAIL
7.2.0.192.notxt.test A 127.0.0.2
7.2.0.192.aaaa.test AAAA ::1
7.2.0.192.long.test A 127.0.0.2
7.2.0.192.long.test TXT ${'x'.repeat(255)}and more
name.dom.test A 127.0.1.2
name.dom.test TXT name is bad
8.2.0.192.bl.test A 127.0.0.4
8.2.0.192.bl.test TXT eight
7.2.0.192.cn.test CNAME tgt.test
tgt.test A 127.0.0.2
tgt.test TXT by alias
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.test A 127.0.0.6
`;

/** domain, matched, value and text, or why it does not match. */
async function answerOf(items: string, phase: Phase = 'RCPT'): Promise<{ said: string; log: string[]; asked: string }> {
  const { dns, resolver } = await setUp(zone);
  const { run, log } = testRun({ resolver, phase });
  const answer = await dnslists.test(items, run);
  const found = run.context.acl?.dnsList;
  const said =
    typeof answer === 'object'
      ? JSON.stringify(answer)
      : found === undefined
        ? answer
        : `${found.domain} ${found.matched} <${found.value}> ${found.text}`;
  return { said, log, asked: asked(dns) };
}

const bl = 'bl.test 192.0.2.7 <127.0.0.2> listed at bl';
const two = 'two.test 192.0.2.7 <127.0.0.2, 127.0.0.5> first text';
const name = 'dom.test name <127.0.1.2> name is bad';

const recorded: readonly (readonly [items: string, said: string])[] = [
  ['none.test : bl.test', bl],
  ['two.test', two],
  ['bl.test=127.0.0.2', bl],
  ['bl.test=127.0.0.3', 'false'],
  ['bl.test=127.0.0.3,127.0.0.2', bl],
  ['two.test==127.0.0.2', 'false'],
  ['two.test==127.0.0.2,127.0.0.5', two],
  ['two.test=127.0.0.5', two],
  ['two.test!=127.0.0.5', 'false'],
  ['two.test!==127.0.0.5', two],
  ['two.test!==127.0.0.2,127.0.0.5', 'false'],
  ['two.test&0.0.0.4', two],
  ['two.test=&0.0.0.1', 'false'],
  ['two.test!&0.0.0.1', 'false'],
  ['two.test!=&0.0.0.4', two],
  ['two.test=127.0.0.7, 127.0.0.5', two],
  ['out.test', 'false'],
  ['mix.test', 'mix.test 192.0.2.7 <10.0.0.1, 127.0.0.3> '],
  ['mix.test=10.0.0.1', 'mix.test 192.0.2.7 <10.0.0.1, 127.0.0.3> '],
  ['mix.test==127.0.0.3', 'false'],
  ['fail.test', 'false'],
  ['+include_unknown : fail.test', 'fail.test 192.0.2.7 <> '],
  ['+include_unknown : fail.test!=127.0.0.1', 'fail.test 192.0.2.7 <> '],
  ['+include_unknown : bl.test,fail.test', 'bl.test 192.0.2.7 <> '],
  ['+include_unknown : dom.test/<;fail.fail;name', name],
  ['+defer_unknown : fail.test', '{"defer":""}'],
  ['+defer_unknown : fail.test : bl.test', '{"defer":""}'],
  ['+defer_unknown : fail.test/192.0.2.7::192.0.2.9', '{"defer":""}'],
  ['+exclude_unknown : fail.test : bl.test', bl],
  ['+foo : bl.test', bl],
  ['notxt.test', 'notxt.test 192.0.2.7 <127.0.0.2> '],
  ['aaaa.test', 'false'],
  ['dom.test/name', name],
  ['dom.test/other::name', name],
  ['dom.test/<;other;name', name],
  ['dom.test/NAME', 'dom.test NAME <127.0.1.2> name is bad'],
  ['dom.test=127.0.1.2/name', name],
  ['bl.test/192.0.2.8', 'bl.test 192.0.2.8 <127.0.0.4> eight'],
  ['bl.test/<;192.0.2.9;192.0.2.8', 'bl.test 192.0.2.8 <127.0.0.4> eight'],
  ['<; bl.test/<|2001:db8::1', 'bl.test 2001:db8::1 <127.0.0.6> '],
  ['bl.test,two.test=127.0.0.5', bl],
  ['dom.test,two.test=127.0.0.5', 'false'],
  ['notxt.test,two.test=127.0.0.5', 'notxt.test 192.0.2.7 <127.0.0.2> '],
  ['cn.test', 'cn.test 192.0.2.7 <127.0.0.2> by alias'],
  ['bl.test=foo', 'false'],
  ['bl.test=', 'false'],
  ['bl.test/', 'false'],
  [' : bl.test', bl],
  ['BL.test', 'BL.test 192.0.2.7 <127.0.0.2> listed at bl'],
  ['bl.test.', 'bl.test. 192.0.2.7 <127.0.0.2> listed at bl'],
  ['long.test', `long.test 192.0.2.7 <127.0.0.2> ${'x'.repeat(255)}`],
];

for (const [items, said] of recorded) {
  test(`dnslists = ${items}`, async () => {
    assert.equal((await answerOf(items)).said, said);
  });
}

test('the log tells of lists that cannot be asked, of addresses that do not count, and of what looks wrong', async () => {
  assert.deepEqual((await answerOf('+defer_unknown : fail.test')).log, [
    'DNS list lookup defer (probably timeout) for 7.2.0.192.fail.test: returned DEFER',
  ]);
  assert.deepEqual((await answerOf('out.test')).log, [
    'DNS list lookup for 192.0.2.7 at out.test returned 10.0.0.1; not in 127.0/8 and discarded',
  ]);
  assert.deepEqual((await answerOf('+foo : bad!name')).log, [
    'unknown item in dnslist (ignored): +foo',
    'dnslists domain "bad!name" contains strange characters - is this right?',
  ]);
});

test('nothing is asked twice, no text without a match, and nothing behind the first match', async () => {
  const { asked } = await answerOf('two.test=127.0.0.9 : two.test=127.0.0.8 : two.test=127.0.0.5 : bl.test');
  assert.equal(asked, '7.2.0.192.two.test A udp, 7.2.0.192.two.test TXT udp');
});

test('a message that no host brought has no address to look for', async () => {
  const { said } = await answerOf('bl.test', 'non-SMTP');
  assert.equal(said, '{"error":"cannot test auto-keyed dnslists condition in non-SMTP ACL"}');
  assert.equal((await answerOf('dom.test/name', 'non-SMTP')).said, name);
});
