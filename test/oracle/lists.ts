/**
 * Random lists: of domains, hosts, addresses and local parts, named and not, with negation, wildcards, patterns, lookups,
 * other separators, networks. They are tested with `match_…` and `inlist`, and as conditions of an ACL.
 */

import fc from 'fast-check';
import type { Pair, Subject } from './compare.ts';
import { compareLines, usable } from './lines.ts';
import type { Files } from './room.ts';
import { many, oneOf, oneOfWords, sample, sequence } from './words.ts';

const lookups = oneOfWords(`
  lsearch;/mnt/keys wildlsearch;/mnt/keys nwildlsearch;/mnt/keys partial-lsearch;/mnt/keys partial1-lsearch;/mnt/keys
  partial2(.w.)lsearch;/mnt/keys partial()lsearch;/mnt/keys lsearch*;/mnt/keys lsearch*@;/mnt/keys
  partial-lsearch*;/mnt/keys lsearch,ret=key;/mnt/keys lsearch,ret=full;/mnt/keys dsearch;/mnt/dir nosuch;/mnt/keys
  lsearch;/mnt/none dsearch,filter=file;/mnt/dir lsearch@;/mnt/keys`);
const common = oneOfWords('+one +two +none +nosuch ^a.*b$ ^[^x]+$ ^( ^\\N.*\\N /mnt/items +include_unknown');

const domain = oneOfWords(
  'a.b x.a.b c.d mail.example A.B h.example sub.wild.org wild.org host 1.2.3.4 [1.2.3.4] b localhost',
);
const domainPattern = fc.oneof(
  { weight: 4, arbitrary: sequence(oneOf('', '', '!', '! '), domain) },
  sequence(oneOf('', '!'), oneOfWords('* *.b *.a.b *b *.example *org @ @[] @mx_any @mx_primary a.* ^.*\\.b$ *')),
  sequence(oneOf('', '!'), lookups),
  sequence(oneOf('', '!'), common),
);
const ip = oneOfWords('1.2.3.4 10.1.2.3 ::1 2001:db8::5 127.0.0.1 192.168.5.6 10.9.8.7 ::ffff:1.2.3.4');
const hostPattern = fc.oneof(
  sequence(oneOf('', '!'), ip),
  sequence(
    oneOf('', '!'),
    oneOfWords(`1.2.3.0/24 10.0.0.0/8 0.0.0.0/0 2001:db8::/32 ::/0 1.2.3.4/32 1.2.3.4/33 300.1.2.3 10.1.2.3/x * @ @[] :
      h.example relay.example *.example nosuch.example ^h\\. ^.*example$ <a> net-lsearch;/mnt/nets net24-lsearch;/mnt/nets
      net-iplsearch;/mnt/nets iplsearch;/mnt/nets net8-lsearch;/mnt/nets lsearch;/mnt/nets net64-lsearch;/mnt/nets
      +include_unknown +ignore_unknown localhost 1.2.3 ::ffff:1.2.3.4 2001:db8::5/128 +include_defer +caseful`),
  ),
  sequence(oneOf('', '!'), oneOfWords('+one +two +nosuch /mnt/items')),
);
const address =
  oneOfWords(`ann@a.b Bob@A.B ann@x.a.b bob postmaster@c.d user+x@wild.org "q r"@a.b @a.b ann@ <> ann@[1.2.3.4]
  a*b@c.d`);
const addressPattern = fc.oneof(
  sequence(oneOf('', '!'), address),
  sequence(
    oneOf('', '!'),
    oneOfWords(`*@a.b ann@* *@*.b *@+one ^ann@ ^.*@a\\.b$ a.b *.b * *@* +one@a.b +caseful *+x@wild.org
    ann@+two @@lsearch;/mnt/locals @@lsearch*;/mnt/locals *@lsearch;/mnt/keys ann@lsearch;/mnt/keys *ann@a.b ^( @`),
  ),
  sequence(oneOf('', '!'), lookups),
  sequence(oneOf('', '!'), common),
);
const localPart = oneOfWords('ann Bob postmaster user+x x.y "q r" root abuse ANN');
const localPattern = fc.oneof(
  sequence(oneOf('', '!'), localPart),
  sequence(oneOf('', '!'), oneOfWords('* *x a* ^a ^[a-z]+$ +caseful *ann')),
  sequence(oneOf('', '!'), lookups),
  sequence(oneOf('', '!'), common),
);

/** With the semicolon of a lookup written twice, where it is the separator of the list. */
const doubled = (pattern: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  pattern.map((text) => text.replaceAll(';', ';;'));
const list = (pattern: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: many(pattern, ' : ', { most: 4 }) },
    { weight: 2, arbitrary: sequence('<; ', many(doubled(pattern), ' ; ', { most: 4 })) },
    sequence('<, ', many(pattern, ',', { most: 4 })),
    many(pattern, ':', { most: 3 }),
    sequence(oneOf('<:', '<\\n '), many(pattern, ' : ', { most: 3 })),
  );
const literal = (arbitrary: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  arbitrary.map((text) => text.replace(/[\\${}]/g, '\\$&'));
/** Not expanded again within `match_…`. */
const inBraces = (arbitrary: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  arbitrary.map((text) => `{${text.replace(/[{}]/g, '')}}`);

const told = '{yes v=$value 0=$0 1=$1 d=$domain_data l=$local_part_data}{no d=$domain_data}}';
const test = (condition: string, subject: fc.Arbitrary<string>, pattern: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  sequence(`\${if ${condition}{`, literal(subject), '}', inBraces(list(pattern)), told);

const inAcl = (name: string, pattern: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  sequence(
    `\${acl{${name}}{`,
    literal(list(pattern).filter((text) => !text.startsWith('<\\'))),
    `}}${name === 'hosts' ? '|$host_data' : ''}`,
  );

const plain = fc.oneof(
  { weight: 4, arbitrary: test('match_domain', domain, domainPattern) },
  { weight: 4, arbitrary: test('match_address', address, addressPattern) },
  { weight: 3, arbitrary: test('match_local_part', localPart, localPattern) },
  { weight: 3, arbitrary: test('match_ip', fc.oneof(ip, oneOf('', 'x', '1.2.3')), hostPattern) },
  test('inlist', oneOfWords('a b a.b :'), oneOfWords('a b a.b A')),
  test('inlisti', oneOfWords('a B a.b'), oneOfWords('A b a.b')),
  sequence('${listnamed', oneOf('', '_d', '_h', '_a', '_l', '_x'), ':', oneOf('one', 'two', 'none', 'nosuch'), '}'),
  sequence('${listcount:', literal(list(domainPattern)), '}'),
);
const withHost = fc.oneof({ weight: 3, arbitrary: inAcl('hosts', hostPattern) }, inAcl('senders', addressPattern));

const files: Files = new Map([
  [
    'keys',
    'a.b: found one\nann: local\nann@a.b: whole\n*.a.b: partial\n.w.a.b: other affix\n*: default\n*@c.d: at\n"q r": quoted\n' +
      '^x: pattern\n*.org: wild\n*.wild.org: deeper\nwild.org: bare\n1.2.3.4: ip\n',
  ],
  [
    'nets',
    '1.2.3.4: exact\n1.2.3.0/24: net\n10.0.0.0/8: ten\n10.0.0.0: bare ten\n2001.db8.:: odd\n"2001:db8::/32": six\n' +
      '*: any\n1.2.3.0: n24\n"::1": self\nh.example: name\n2001:db8::5: unquoted\n',
  ],
  ['locals', 'a.b: ann : !bob : ^x\nc.d: *\nwild.org: user+x\n*: postmaster : >a.b\nx.a.b: >c.d\n'],
  ['items', '# comment\n\na.b  # trailing\n!c.d\n*.example\nann@a.b\nann\n1.2.3.0/24\n   10.0.0.0/8\nx#y\n'],
  ['dir/a.b', ''],
  ['dir/ann', ''],
]);

/** The named lists of a round. */
function configuration(seed: number): string {
  const one = (pattern: fc.Arbitrary<string>, salt: number): string =>
    sample(list(pattern), 1, seed * 10 + salt)
      .map((text) => text.replaceAll('"', ''))
      .join('');
  // names that refer to themselves would never end
  const calm = (text: string): string => text.replaceAll(/\+(?:one|two|none|nosuch)/g, 'calm');
  return [
    'primary_hostname = mail.example',
    'keep_environment = PATH',
    `domainlist one = ${calm(one(domainPattern, 1))}`,
    `domainlist two = ${one(domainPattern, 2).replaceAll('+two', '+one')}`,
    `hostlist one = ${calm(one(hostPattern, 3))}`,
    `hostlist two = ${one(hostPattern, 4).replaceAll('+two', '+one')}`,
    `addresslist one = ${calm(one(addressPattern, 5))}`,
    `localpartlist one = ${calm(one(localPattern, 6))}`,
    `localpartlist two = \${if eq{a}{a}{ann:bob}}`,
    'domainlist none =',
    'begin acl',
    'hosts:',
    '  accept hosts = $acl_arg1',
    '         message = accepted',
    '  deny message = denied',
    'senders:',
    '  accept senders = $acl_arg1',
    '         message = accepted',
    '  deny message = denied',
    '',
  ].join('\n');
}

const origins = [
  ['-oMa', '1.2.3.4'],
  ['-oMa', '10.1.2.3'],
  ['-oMa', '2001:db8::5'],
  ['-oMa', '10.9.8.7', '-f', 'ann@a.b'],
  ['-f', 'Bob@A.B'],
  ['-f', '<>'],
];
const linesOfRound = 300;

export const lists: Subject = {
  name: 'lists',
  async round(seed: number): Promise<readonly Pair[]> {
    const all = new Map([...files, ['conf', configuration(seed)]]);
    const origin = origins[seed % origins.length] ?? [];
    const words = ['-C', '/mnt/conf', ...origin];
    const lines = [...sample(plain, linesOfRound, seed), ...sample(withHost, linesOfRound / 2, seed)];
    return compareLines(all, words, usable(lines));
  },
};
