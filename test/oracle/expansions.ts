/** Random expansions over the whole grammar: items, operators, conditions, variables, nested, and with mistakes. */

import fc from 'fast-check';
import type { Pair, Subject } from './compare.ts';
import { compareLines, usable } from './lines.ts';
import type { Files } from './room.ts';
import { literals, many, oneOf, oneOfWords, sample, sequence, variables } from './words.ts';

const operator = oneOfWords(`
  address addresses base32 base32d base62 base62d base64 base64d domain escape escape8bit eval eval10 from_utf8 hash_3
  hash_3_5 hex2b64 hexquote ipv6denorm ipv6norm lc length_3 l_2 listcount listnamed listnamed_d local_part mask mask_n md5
  nhash_5 nhash_5_7 quote quote_local_part quote_lsearch quote_mysql quote_pgsql quote_sqlite quote_ldap quote_ldap_dn
  reverse_ip rfc2047 rfc2047d rxquote sha1 sha256 sha2 sha2_512 sha3 sha3_224 str2b64 strlen substr_1_2 substr_-2 s_-3_2
  time_eval time_interval uc utf8clean utf8_domain_to_alabel utf8_domain_from_alabel utf8_localpart_to_alabel
  utf8_localpart_from_alabel expand h_2 nh_3 length substr_ nosuch hash_0 sha2_1 quote_nosuch listnamed_x headerwrap
  headerwrap_20_40 xtextd bless sha3_1 stat base10 l_x`);
const comparison = oneOfWords('eq eqi lt lti gt gti le lei ge gei = == < <= > >= match inlist inlisti');
const shape = oneOfWords('isip isip4 isip6 bool bool_lax exists');
const setting = oneOfWords(`def:domain def:primary_hostname def:h_subject: def:nosuch def:acl_m0 def:sender_host_address
  def: first_delivery queue_running def:h_nosuch: def:sender_address`);
const listKind = oneOfWords('match_domain match_address match_local_part');
const plainList = oneOfWords('a:b * *.c +local_domains !a:* ^a a@b *@c : +al +lp !+al:*@* +nosuch @ +hl @@x').map(
  (list) => `{${list}}`,
);
const address = oneOf(
  '{1.2.3.4}',
  '{*}',
  '{1.2.3.0/24}',
  '{<; ::1}',
  '{+hl}',
  '{!1.2.3.4:*}',
  '{<; 2001:db8::/32 ; !*}',
);

interface Grammar {
  text: string;
  piece: string;
  item: string;
  condition: string;
  branches: string;
}

const { text } = fc.letrec<Grammar>((tie: fc.LetrecTypedTie<Grammar>): fc.LetrecValue<Grammar> => {
  const braced = tie('text').map((part) => `{${part}}`);
  const item = (...parts: readonly (fc.Arbitrary<string> | string)[]): fc.Arbitrary<string> =>
    sequence('${', ...parts, '}');
  const branches = tie('branches');
  return {
    text: many(tie('piece'), '', { most: 3 }),
    piece: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      { weight: 6, arbitrary: oneOf(...literals) },
      { weight: 2, arbitrary: oneOf(...variables) },
      { weight: 4, arbitrary: item(operator, ':', tie('text')) },
      { weight: 4, arbitrary: tie('item') },
    ),
    branches: fc.oneof(
      oneOf('', ' '),
      braced,
      sequence(braced, braced),
      sequence(braced, oneOf('fail', ' fail ', '{}', ' ', 'fial')),
    ),
    item: fc.oneof(
      { weight: 5, arbitrary: item('if ', tie('condition'), branches) },
      item(oneOf('map', 'map '), braced, braced),
      item('filter', braced, '{', tie('condition'), '}'),
      item('reduce', braced, braced, braced),
      item('sort', braced, oneOf('{<}', '{lt}', '{>=}', '{gti}', '{eq}', '{x}'), braced),
      item('extract', braced, braced, branches),
      item(oneOf('extract{2}', 'extract{-1}', 'extract{0}', 'extract{1}{:}', 'extract{-2}{:,}'), braced, branches),
      item(oneOf('extract json', 'extract jsons'), oneOf('{1}', '{a}', '{a:b}', '{2}', '{-1}'), braced, branches),
      item('listextract', oneOf('{1}', '{-1}', '{2}', '{x}', '{0}', '{}'), braced, branches),
      item('listquote', oneOf('{:}', '{,}', '{}', '{::}'), braced),
      item('sg', braced, braced, braced),
      item('tr', braced, braced, braced),
      item(
        oneOf('substr{1}{2}', 'substr{-2}', 'length{2}', 'hash{3}{62}', 'hash{4}', 'nhash{7}', 'nhash{7}{9}'),
        braced,
      ),
      item('substr', braced, braced, braced),
      item(oneOf('hmac{md5}', 'hmac{sha1}', 'hmac{x}'), braced, braced),
      item(
        oneOf('imapfolder', 'srs_encode{s}{a@b}', 'prvscheck{a}', 'prvscheck', 'env', 'env{HOME}', 'prvs{a@b}{k}'),
        braced,
      ),
      item('imapfolder', braced, oneOf('{/}', '{.}', '{}'), braced),
      item('env{NOSUCH}', branches),
      item('prvscheck', braced, '{secret}', branches),
      item(oneOf('acl{ok}', 'acl{no}', 'acl{nosuch}', 'acl{args}'), many(braced, '', { most: 3 })),
      item('authresults', braced),
      item('run{/bin/echo ', many(oneOfWords('a b c "x" -n'), ' '), '}', branches),
      item('run{/bin/false}', branches),
      item('readfile{/mnt/text}', oneOf('', '{,}', '{}')),
      item('readfile', braced),
      item(
        'lookup',
        braced,
        oneOf('lsearch', ' lsearch ', 'lsearch,ret=full', 'wildlsearch', 'nosuch'),
        '{/mnt/table}',
        branches,
      ),
      item('lookup ', oneOf('passwd', 'lsearch', 'testdb'), braced, branches),
      item(
        oneOf('dlfunc', 'certextract{subject}', 'nosuch', 'readsocket{/nosuch}', 'extract', 'acl'),
        braced,
        branches,
      ),
    ),
    condition: fc.oneof(
      { maxDepth: 3 },
      sequence(oneOf('', '!', '! '), comparison, braced, braced),
      sequence(shape, braced),
      sequence(oneOf('', '!'), setting),
      sequence(listKind, braced, plainList),
      sequence('match_ip', braced, address),
      sequence(oneOf('and{{', 'or{{', 'and {{'), tie('condition'), '}{', tie('condition'), '}}'),
      sequence(oneOf('forany', 'forall', 'forany_json', 'forall_jsons'), braced, '{', tie('condition'), '}'),
      sequence(oneOf('acl{{ok}}', 'acl{{no}}', 'acl{{args}', 'acl{{ok}'), oneOf('', '{a}}')),
      sequence(
        oneOf('crypteq{a}', 'crypteq{abc}'),
        oneOf('{\\{md5\\}kAFQmDzST7DWlj99KOF/cg==}', '{\\{sha1\\}x}', '{x}', '{}'),
      ),
      sequence('inbound_srs', braced, '{s}'),
      sequence(oneOf('nosuch', 'eq', 'bool', 'and', 'pam', 'saslauthd'), oneOf('', '{a}', '{{a}}')),
    ),
  };
});

const files: Files = new Map([
  [
    'conf',
    [
      'primary_hostname = noc.ws.example',
      'keep_environment = PATH',
      'spool_directory = /var/spool/exim4',
      'domainlist local_domains = a.b : *.c.d',
      'domainlist d = x.y',
      'hostlist hl = 1.2.3.4',
      'localpartlist lp = bob : ann',
      'addresslist al = x@y',
      'begin acl',
      'ok:',
      '  accept message = fine',
      'no:',
      '  deny message = never',
      'args:',
      '  accept message = <$acl_arg1|$acl_arg2|$acl_narg>',
      '',
    ].join('\n'),
  ],
  ['text', 'one\ntwo\n\nthree'],
  ['table', '# comment\na: 1\nabc: x y\n  more\n"q r": quoted\n*.c: wild\n42:\n^a.*: pattern\n'],
  [
    'message',
    [
      'From: Ann Example <ann@c.d>',
      'To: bob@a.b, =?utf-8?q?J=C3=B6rg?= <j@x.y>',
      'To: "c, d" <e@f.g>',
      'Subject:  A  =?iso-8859-1?q?gr=FC=DF?= to you',
      'X-Y: one',
      '  two',
      'Reply-To: r@x.y',
      '',
      'Hello there,',
      'this is $h_subject: text.',
      '',
      'End',
      '',
    ].join('\n'),
  ],
]);

/** Every second round sees a message and a client. */
const withMessage = [
  '-bem',
  '/mnt/message',
  '-f',
  'sender@c.d',
  '-oMa',
  '1.2.3.4',
  '-oMs',
  'host.a.b',
  '-oMr',
  'esmtps',
];
const linesOfRound = 450;

export const expansions: Subject = {
  name: 'expansions',
  round(seed: number): Promise<readonly Pair[]> {
    const words = seed % 2 === 0 ? withMessage : [];
    return compareLines(files, ['-C', '/mnt/conf', ...words], usable(sample(text, linesOfRound, seed)));
  },
};
