/** Random addresses through random routers (accept, redirect, manualroute, with preconditions), as -bt and -bv show them. */

import fc from 'fast-check';
import type { Pair, Subject } from './compare.ts';
import { type Files, type Job, runBoth } from './room.ts';
import { many, oneOf, oneOfWords, sample, sequence } from './words.ts';

const address =
  oneOfWords(`ann@a.b bob@a.b Ann@A.B nobody@a.b ann@c.d x@other.org postmaster@a.b ann+tag@a.b pre-ann@a.b
  mail@a.b root@a.b "q r"@a.b ann@[1.2.3.4] @a.b x@ a@b@c ann@x.a.b list@a.b loop@a.b gone@a.b`);

const precondition = oneOf(
  ...[
    'domains = a.b',
    'domains = ! a.b',
    'domains = lsearch;/mnt/keys',
    'domains = partial-lsearch;/mnt/keys',
    'domains = *.b : c.d',
  ],
  ...['local_parts = ann : bob', 'local_parts = !ann', 'local_parts = lsearch;/mnt/aliases', 'local_parts = ^[a-m]'],
  ...[
    'check_local_user',
    'condition = ${if eq{$domain}{a.b}}',
    'condition = no',
    'condition = ${if eq{$local_part}{ann}{yes}{no}}',
  ],
  ...['local_part_suffix = +*', 'local_part_suffix = +*\n  local_part_suffix_optional', 'local_part_prefix = pre-'],
  ...[
    'senders = root@mail.example',
    'senders = :',
    'require_files = /mnt/keys',
    'require_files = /mnt/none',
    'caseful_local_part',
  ],
  ...[
    'require_files = /mnt/none : +',
    'no_address_test',
    'address_data = <$local_part>',
    'unseen',
    'no_more',
    'no_expn',
    'verify_only',
  ],
  ...['cannot_route_message = no $local_part here', 'condition = ${lookup{$local_part}lsearch{/mnt/aliases}{yes}{no}}'],
  ...[
    'domains = nosuch;x',
    'condition = maybe',
    'condition = ${nosuch}',
    'ignore_target_hosts = 10.0.0.0/8',
    'set = r_x = 1',
  ],
);
const preconditions = many(
  precondition.map((line) => `  ${line}\n`),
  '',
  { most: 2 },
);

const data = oneOf(
  ...[
    'bob@a.b',
    'ann@a.b, bob@a.b',
    '${lookup{$local_part}lsearch{/mnt/aliases}}',
    ':fail: gone $local_part',
    ':defer: later',
    ':blackhole:',
  ],
  ...[
    '"|/bin/cat"',
    '/mnt/file',
    '/mnt/dir/',
    ':unknown:',
    '',
    '$local_part@c.d',
    'x@y@z',
    '# comment',
    ':include:/mnt/included',
    'a.b',
    'ann',
  ],
  ...[
    '"q r"@c.d',
    '${if eq{$domain}{a.b}{z@c.d}fail}',
    '\\ann@a.b',
    'Real Name <bob@c.d>',
    'g: a@c.d, b@c.d;',
    ':fail:',
    '::',
  ],
);
const redirectOption = oneOf(
  'pipe_transport = t\n',
  'file_transport = t\n',
  'directory_transport = t\n',
  'forbid_file\n',
  'forbid_pipe\n',
  'one_time\n',
  'qualify_preserve_domain\n',
  'skip_syntax_errors\n',
  'allow_fail\n',
  'allow_defer\n',
  'hide_child_in_errmsg\n',
  'check_ancestor\n',
  'repeat_use = no\n',
  'qualify_domain = q.q\n',
  'user = mail\n',
);
const routeList = oneOf(
  '* 10.1.2.3',
  'a.b h.example',
  '*.b 10.1.2.3:10.9.8.7 byname',
  '! a.b 10.1.2.3',
  'c.d h.example::26',
  '* h.example+relay.example',
  '^c 10.1.2.3 randomize',
  'a.b "10.1.2.3 : 10.9.8.7"',
  '*',
  'lsearch;/mnt/keys 10.1.2.3',
  '* $domain_data',
  'x.a.b',
);

const router = fc.oneof(
  { weight: 2, arbitrary: sequence('  driver = accept\n  transport = t\n', preconditions) },
  {
    weight: 4,
    arbitrary: sequence(
      '  driver = redirect\n  data = ',
      data,
      '\n',
      many(
        redirectOption.map((line) => `  ${line}`),
        '',
        { most: 3 },
      ),
      preconditions,
    ),
  },
  sequence('  driver = manualroute\n  transport = s\n  route_list = ', routeList, '\n', preconditions),
  sequence('  driver = redirect\n  file = /mnt/', oneOf('forward', 'none', '$local_part'), '\n', preconditions),
);
const configuration = fc
  .array(router, { minLength: 1, maxLength: 5 })
  .map((all) =>
    [
      'primary_hostname = mail.example',
      'keep_environment = PATH',
      'qualify_domain = a.b',
      'begin routers',
      ...all.map((text, i) => `r${i}:\n${text}`),
      'begin transports',
      't:',
      '  driver = appendfile',
      '  file = /tmp/x',
      '  user = mail',
      's:',
      '  driver = smtp',
      '',
    ].join('\n'),
  );

const files: Files = new Map([
  ['keys', 'a.b: found\n*.a.b: partial\nc.d:\n'],
  [
    'aliases',
    'list: ann@a.b, bob@a.b, x@other.org\nloop: loop@a.b\ngone: :fail: no more\nbob: "|/bin/cat -u", /mnt/file\npostmaster: ann\n',
  ],
  ['included', 'i1@c.d\ni2@c.d\n'],
  ['forward', 'f1@c.d, \\\\ann\n# comment\nf2@c.d\n'],
  ['dir/x', ''],
]);
const configurationsOfRound = 6;
const addressesOfConfiguration = 12;

export const routing: Subject = {
  name: 'routing',
  async round(seed: number): Promise<readonly Pair[]> {
    const texts = sample(configuration, configurationsOfRound, seed);
    const all: Files = new Map([...files, ...texts.map((text, i): [string, string] => [`conf${i}`, text])]);
    const asked = texts.map((_, i) => [...new Set(sample(address, addressesOfConfiguration, seed * 10 + i))]);
    const jobs = texts.map(
      (_, i): Job => ({
        words: ['-C', `/mnt/conf${i}`, i % 3 === 2 ? '-bv' : '-bt', '-v', ...(asked[i] ?? [])].filter(
          (word) => word !== '-v' || i % 3 === 2,
        ),
      }),
    );
    const { real, ours } = await runBoth(all, jobs);
    return jobs.map(({ words }, i) => ({
      input: `${words.slice(2).join(' ')} of\n${texts[i]}`,
      real: `${real[i]?.stdout}status ${real[i]?.status}`,
      ours: `${ours[i]?.stdout}status ${ours[i]?.status}`,
    }));
  },
};
