/** Exim 3 text is told from Exim 4 text, taken apart, and the places in it are kept. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { literal } from '../../safe/taint.ts';
import { parseConfig } from '../load.ts';
import { formatProblem } from '../problems.ts';
import { isExim3Text } from './text.ts';

const load = (text: string) => parseConfig(literal('/etc/exim.conf'), text);
const told = async (text: string): Promise<readonly string[]> => (await load(text)).problems.all.map(formatProblem);

describe('which text is of Exim 3', () => {
  it('is one whose sections end with "end"', () => {
    assert.equal(isExim3Text('primary_hostname = a.b\n\nend\n'), true);
    assert.equal(isExim3Text('  end  \n'), true);
    assert.equal(isExim3Text('end\r\n'), true);
  });

  it('is none that begins a section, or has no sections', () => {
    for (const text of [
      '',
      'primary_hostname = a.b\n',
      'end\nbegin routers\n',
      '# end\n',
      'gecos_name = \\\n end\n',
      'ending = 1\n',
    ]) {
      assert.equal(isExim3Text(text), false, JSON.stringify(text));
    }
  });

  it('is known to the configuration', async () => {
    assert.deepEqual([(await load('end\n')).config.dialect, (await load('')).config.dialect], [3, 4]);
    assert.deepEqual(
      [...(await load('end\nend\nd:\n  driver = smartuser\n  new_address = a@b\nend\n')).config.directors],
      ['d'],
    );
  });
});

describe('mistakes in Exim 3 text', () => {
  it('are told with the line of the file as it is', async () => {
    const [problem] = await told('# one\nlocal_domains = a.b : \\\n   c.d\nfoo = 1\nend\n');
    assert.equal(problem, 'Exim configuration error in line 4 of /etc/exim.conf:\n  main option "foo" unknown');
    const [other] = await told('end\nt:\n  driver = appendfile\n\n  # comment\n  prefix = x\n  bar = 3\nend\n');
    assert.match(other ?? '', /^Exim configuration error in line 7 of \/etc\/exim\.conf:\n {2}option "bar" unknown/);
  });

  it('are options without a place, drivers that Exim 3 did not have, and directives', async () => {
    assert.match((await told('end\nend\n  file = /x\nend\n')).join(), /line 3 .*\n {2}this is no option of a director/);
    assert.match(
      (await told('end\nend\nr:\n  driver = redirect\nend\n')).join(),
      /line 3 .*\n {2}r: there is no director of the kind "redirect"/,
    );
    assert.match((await told('.include /etc/more\nend\n')).join(), /line 1 .*\n {2}Exim 3 has no directive \.include/);
    assert.match(
      (await told(`${'end\n'.repeat(7)}x\n`)).join(),
      /line 8 .*\n {2}there is text behind the last section/,
    );
  });
});

describe('hostile text', () => {
  it('is read to its end, whatever it holds', async () => {
    const words = [
      'end',
      'driver = aliasfile',
      'd:',
      'x',
      '=',
      '${',
      '}',
      '"',
      '\\',
      'file',
      'host_accept_relay = ',
      '^(',
      ' : ',
      '!',
      '<;',
      '$key',
      'A = B',
      '\u0000',
      'search_type = lsearch',
      'query = ${lookup',
      'suffix = *',
    ];
    const line = fc
      .array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 8 })), { maxLength: 5 })
      .map((parts) => parts.join(' '));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 30 }), async (lines) => {
        await load(`${lines.join('\n')}\nend\n`);
      }),
      { numRuns: 300 },
    );
  });

  it('takes no longer than its length allows', async () => {
    const begun = performance.now();
    await load(
      `local_domains = ${'^a:!b : '.repeat(20_000)}\nhost_accept_relay = ${'!'.repeat(100_000)}\nend\nend\nend\nr:\n driver = domainlist\n route_list = ${'a '.repeat(50_000)}\nend\n`,
    );
    assert.ok(performance.now() - begun < 5000);
  });
});
