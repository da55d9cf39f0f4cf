/**
 * Random access control lists in random sessions with `-bh`: all verbs, conditions and modifiers that need no network, in
 * named ACLs that call each other, in files and in the options themselves. Compared is what the client is told, and
 * what is logged.
 */

import fc from 'fast-check';
import type { Pair, Subject } from './compare.ts';
import { type Files, type Job, type Outcome, runBoth } from './room.ts';
import { many, oneOf, oneOfWords, sample, sequence } from './words.ts';

const names = ['a0', 'a1', 'a2', 'a3'];

const variable = oneOf(
  ...'$acl_m0 $acl_c0 $acl_m_x $sender_address $local_part $domain $acl_verify_message $sender_host_address'.split(' '),
  ...'$acl_arg1 $acl_arg2 $acl_narg $rcpt_count $recipients_count $sender_helo_name $authenticated_id'.split(' '),
  ...'$smtp_command $smtp_command_argument $recipient_verify_failure $sender_verify_failure $received_protocol'.split(
    ' ',
  ),
  ...'$sender_rate_limit $sender_rate_period $domain_data $local_part_data $sender_data $recipient_data'.split(' '),
  ...'$sender_host_name $h_subject: $headers_added $smtp_notquit_reason $original_local_part $rcpt_fail_count'.split(
    ' ',
  ),
  ...'$rcpt_defer_count $message_size $recipients $dnslist_domain $smtp_command_history'.split(' '),
);
const word = oneOf(...'no yes x 5.7.1 sorry 42 later: a:b'.split(' '), 'two words', 'Mr. "Q"', '');
const text = many(fc.oneof(variable, word), ' ', { least: 1, most: 3 });
const longText = oneOf(
  'a long text that goes on and on, until it is longer than a line of an answer may be, and on',
  'the beginning of a text that is long: and that has a colon late in its line, which is a good place to break it',
  'one\\ntwo',
  'one\\n two\\n\\nfour',
  'x\\ty',
  'trailing blank \\n',
  '\\nleading',
  'averylongwordwithoutanyblankswhichcannotbebrokenatalleventhoughitislongerthanaline and more',
);
const coded = sequence(
  oneOf(
    '550 ',
    '450 ',
    '250 ',
    '451 4.7.1 ',
    '550 5.7.1 ',
    '550 5.7 ',
    '599  ',
    '99 ',
    '550',
    '421 4.3.2 ',
    '354 ',
    '5500 ',
  ),
  fc.oneof(text, longText),
);
const failing = oneOf('${if eq{a}{b}{c}fail}', '${nosuch:x}', '${if', '$nosuch', '${lookup{x}lsearch{/mnt/none}}');
const message = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 2, arbitrary: longText },
  { weight: 3, arbitrary: coded },
  failing,
);

const hosts = oneOf(
  ...['10.1.2.3', '!10.1.2.3', '10.0.0.0/8', '10.9.8.0/24', '*', ':', '', '+hl', '!+hl', 'h.example', '*.example'],
  ...[
    '10.1.2.3 : !*',
    '+nosuch',
    'lsearch;/mnt/keys',
    'net-lsearch;/mnt/keys',
    '/mnt/list',
    '@[]',
    '<; ::1 ; 10.1.2.3',
  ],
  ...['net24-lsearch;/mnt/keys', '^10', '1.2.3', '${if eq{a}{b}{x}fail}', '$acl_arg1'],
);
const domains = oneOf(
  ...['a.b', '!a.b', '*.b', '+dl', '!+dl', 'lsearch;/mnt/keys', 'partial-lsearch;/mnt/keys', '*', ':', '', '@', '^a'],
  ...[
    '+nosuch',
    '/mnt/none',
    '/mnt/list',
    '$sender_address_domain',
    '${if eq{a}{b}{x}fail}',
    'A.B',
    'a.b : !*',
    '${nosuch}',
  ],
  ...['${if', '$acl_arg1', '$acl_m0'],
);
const localParts = oneOf(
  ...[
    'ann',
    '!ann',
    'ann : bob',
    'Ann',
    '^[a-m]',
    '*n',
    '+lp',
    'lsearch;/mnt/aliases',
    '',
    ':',
    '${if eq{a}{b}{x}fail}',
  ],
);
const addresses = oneOf(
  ...[
    'ann@a.b',
    '*@a.b',
    'a.b',
    '!*@a.b',
    ':',
    '',
    '*',
    '@a.b',
    '+al',
    '^ann@',
    'lsearch;/mnt/keys',
    'lsearch*@;/mnt/keys',
  ],
  ...['*@+dl', 'Ann@A.B', 'x@y.z : ann@*', '@@lsearch;/mnt/keys', 'postmaster', '/mnt/list', '+caseful : Ann@a.b'],
);
const conditionText = oneOf(
  ...['yes', 'no', 'true', 'false', '1', '0', '', '-1', 'maybe', ' yes ', 'YES', '00', '0x', '${if eq{$acl_m0}{x}}'],
  ...['${if eq{$acl_arg1}{x}{yes}{no}}', '${if eq{a}{b}{c}fail}', '${nosuch}', '${if def:acl_c0}', '${acl{a2}{x}}'],
  ...['${if acl{{a3}{y}}}', '$acl_narg', '${if >{$rcpt_count}{1}}', '${if match_domain{$domain}{+dl}}', '"yes"'],
);
const verification = fc.oneof(
  {
    weight: 3,
    arbitrary: sequence(
      'recipient',
      oneOf('', '', '/defer_ok', '/no_details', '/success_on_redirect', '/x', '/callout=x', '/quota'),
    ),
  },
  {
    weight: 3,
    arbitrary: sequence(
      'sender',
      oneOf(
        '',
        '',
        '=ann@a.b',
        '=gone@a.b/no_details',
        '=late@a.b',
        '/defer_ok',
        '/no_details',
        '=late@a.b/defer_ok',
        '=',
        '=x',
        '/callout=use_sender',
      ),
    ),
  },
  oneOfWords(`helo header_syntax header_names_ascii not_blind not_blind/case_insensitive header_sender reverse_host_lookup
    reverse_host_lookup/defer_ok certificate nosuch helo/x header_syntax/x not_blind/x Recipient
    recipient/defer_ok/no_details header_sender/defer_ok certificate/x header_names_ascii/x`),
);
const rate = sequence(
  oneOf('0', '1', '2', '5.5', '10', '1k', '', 'x', '-1', '0.5'),
  oneOf(' / 1h', '/1h', '/ 1d', '', '/', '/x', '/0s', '/2h30m'),
  many(
    oneOfWords(`/per_rcpt /per_mail /per_conn /per_byte /per_cmd /per_addr /strict /leaky /readonly /noupdate /key /k/2 /count=2
      /unique=x /count=x /nosuch /unique=$local_part /$sender_address /per_rcpt/per_mail /count=$rcpt_count /count=`),
    '',
    { most: 2 },
  ),
);
const controlWord = oneOfWords(`allow_auth_unadvertised caseful_local_part caselower_local_part debug debug/tag=.x
  dkim_disable_verify dmarc_disable_verify dmarc_enable_forensic dscp dscp/ef dscp/nosuch enforce_sync no_enforce_sync fakedefer
  fakedefer/later fakereject fakereject/no/way freeze freeze/no_tell freeze/x no_callout_flush no_delay_flush no_mbox_unspool
  no_multiline_responses no_pipelining queue queue_only queue/first_pass_route queue_only/x submission submission/sender_retain
  submission/domain=a.b submission/domain=/name=x submission/x suppress_local_fixups utf8_downconvert utf8_downconvert/1
  utf8_downconvert/-1 utf8_downconvert/x nosuch freeze/ caseful_local_part/x enforce_sync/x FREEZE cutthrough_delivery/x`);
const header = oneOf(
  ...[
    'X-A: b',
    ':at_start:X-S: $local_part',
    ':after_received:X-R: r',
    ':at_start_rfc:X-F: f',
    ':at_end:X-E: e',
    'no header',
  ],
  ...[
    'X-A: b\\nX-B: c',
    'X-A: b\\n folded',
    ':nosuch:X: y',
    '',
    '\\n\\nX-N: n\\n',
    'Subject: $acl_m0',
    ':at_start:',
    '${nosuch}',
  ],
);
const aclCall = fc.oneof(
  {
    weight: 5,
    arbitrary: sequence(
      oneOfWords(names.join(' ')),
      oneOf('', '', ' x', ' x y', ' $local_part', ' "two words" z', ' ${if eq{a}{b}{c}fail}'),
    ),
  },
  oneOf(
    'nosuch',
    '/mnt/acl',
    '/mnt/none',
    '/mnt/acl x',
    'accept',
    'deny',
    'deny message = inline',
    '$acl_m0',
    '',
    'a${eval:0}',
    'A0',
  ),
  oneOf(
    '${if eq{$acl_arg1}{x}{a1}{a2}}',
    '${if eq{a}{b}{c}fail}',
    '${nosuch}',
    'defer',
    'discard',
    'drop',
    'warn',
    'a0 $nosuch',
  ),
);

const negation = oneOf('', '', '', '!', '! ');
const condition = (name: string, value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  sequence(negation, name, oneOf(' = ', '=', ' = '), value);
const modifier = (name: string, value: fc.Arbitrary<string>): fc.Arbitrary<string> => sequence(name, ' = ', value);

const clause = fc.oneof(
  { weight: 3, arbitrary: condition('hosts', hosts) },
  { weight: 3, arbitrary: condition('domains', domains) },
  { weight: 2, arbitrary: condition('local_parts', localParts) },
  { weight: 2, arbitrary: condition('recipients', addresses) },
  { weight: 2, arbitrary: condition('senders', addresses) },
  { weight: 2, arbitrary: condition('sender_domains', domains) },
  { weight: 5, arbitrary: condition('condition', conditionText) },
  { weight: 4, arbitrary: condition('acl', aclCall) },
  { weight: 4, arbitrary: condition('verify', verification) },
  { weight: 2, arbitrary: condition('ratelimit', rate) },
  condition('authenticated', oneOf('*', 'plain', '!plain', ':', '', 'PLAIN', 'nosuch : plain')),
  condition('encrypted', oneOf('*', '', 'TLS*', '!*')),
  condition(
    'dnslists',
    oneOf('bl.example', '+defer_unknown : bl.example', '+include_unknown : bl.example/x', '+nosuch', ''),
  ),
  condition('seen', oneOf('1h', '-1h', '1h/key=x', '-1h/key=$local_part/write', 'x', '1h/readonly', '1h/x', '')),
  { weight: 3, arbitrary: modifier('set acl_m0', fc.oneof(text, failing)) },
  { weight: 2, arbitrary: modifier('set acl_c0', text) },
  modifier('set acl_m_x', text),
  { weight: 8, arbitrary: modifier('message', message) },
  { weight: 4, arbitrary: modifier('log_message', message) },
  modifier('log_reject_target', oneOf('main', 'reject', 'panic', '', 'main:panic', 'nosuch', 'main : reject')),
  {
    weight: 3,
    arbitrary: modifier(
      'logwrite',
      fc.oneof(
        text,
        oneOf(':main: x', ':reject:y', ':main,reject: z', ':nosuch: x', ': x', ':panic:p', 'a\\nb', ':main,: x'),
      ),
    ),
  },
  { weight: 3, arbitrary: modifier('control', controlWord) },
  modifier('delay', oneOf('1s', '0s', 'x', '', '${eval:1}s', '1h', '10')),
  { weight: 3, arbitrary: modifier('add_header', header) },
  modifier('remove_header', oneOf('X-A', 'Subject : To', '', 'x-*', '${nosuch}')),
  modifier('continue', oneOf('$acl_m0', '${nosuch}', '${if eq{a}{b}{c}fail}', '')),
  modifier('queue', oneOf('other', '', 'a/b', '$local_part')),
  { weight: 2, arbitrary: oneOf('endpass') },
);
/** What a configuration does not survive; it is told when the file is read. */
const wrongClause = oneOf(
  '!message = x',
  'nosuch = x',
  'hosts',
  'set x = y',
  'set acl_m = z',
  '!endpass',
  'condition yes',
  '!set acl_m0 = x',
);

const verb = fc.oneof(
  { weight: 3, arbitrary: oneOf('deny') },
  { weight: 3, arbitrary: oneOf('warn') },
  { weight: 4, arbitrary: oneOf('accept') },
  oneOfWords('defer discard drop require require'),
);
const statement = fc
  .tuple(verb, fc.array(fc.oneof({ weight: 400, arbitrary: clause }, wrongClause), { maxLength: 4 }))
  .map(([word, clauses]) => {
    // endpass is for two verbs alone, which is told when the file is read
    const kept = clauses.filter((each) => each !== 'endpass' || word === 'accept' || word === 'discard');
    return kept.length === 0 ? `  ${word}\n` : `  ${word}${' '.repeat(8 - word.length)}${kept.join('\n          ')}\n`;
  });
const statements = many(statement, '', { least: 1, most: 4 });

const commandAcls = 'connect helo mail rcpt predata data mime quit notquit expn vrfy etrn auth mailauth'.split(' ');
const inlineAcl = oneOf(
  'accept',
  'deny',
  '"deny message = 550 5.5.5 inline"',
  '/mnt/acl',
  'nosuch',
  '',
  '${nosuch}',
  'defer',
  '$acl_c0',
);
const aclOption = fc
  .tuple(
    fc.constantFrom(...commandAcls, 'rcpt', 'rcpt', 'rcpt', 'data', 'mail'),
    fc.oneof({ weight: 8, arbitrary: oneOf(...names) }, inlineAcl),
  )
  .map(([name, acl]) => `acl_smtp_${name} = ${acl}`);
const mainOption = oneOf(
  ...[
    'smtp_return_error_details',
    'host_lookup = *',
    'log_selector = +all -pid',
    'log_selector = -sender_verify_fail -rejected_header',
  ],
  ...[
    'accept_8bitmime = no',
    'recipients_max = 2',
    'helo_try_verify_hosts = *',
    'write_rejectlog = no',
    'dsn_advertise_hosts = *',
  ],
);

const body = [
  'begin routers',
  'gone:\n  driver = redirect\n  local_parts = gone\n  allow_fail\n  data = :fail: gone away',
  'late:\n  driver = redirect\n  local_parts = late\n  allow_defer\n  data = :defer: come back',
  'other:\n  driver = redirect\n  local_parts = other\n  data = ann@a.b',
  'many:\n  driver = redirect\n  local_parts = many\n  data = ann@a.b, gone@a.b',
  'local:\n  driver = accept\n  domains = a.b\n  local_parts = ann : bob : carol\n  transport = t',
  'begin transports',
  't:\n  driver = appendfile\n  file = /tmp/x\n  user = mail',
  'begin authenticators',
  'plain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n  server_condition = ${if eq{$auth3}{secret}}\n  server_set_id = $auth2',
  '',
].join('\n');

const configuration = fc
  .record({
    options: fc.uniqueArray(aclOption, { minLength: 2, maxLength: 8, selector: (line) => line.split(' ')[0] }),
    more: fc.uniqueArray(mainOption, { maxLength: 2, selector: (line) => line.split(' ')[0] }),
    acls: fc.tuple(statements, statements, statements, statements),
  })
  .map(({ options, more, acls }) =>
    [
      'primary_hostname = mail.example',
      'keep_environment = PATH',
      'qualify_domain = a.b',
      'spool_directory = /var/spool/exim4',
      'domainlist dl = a.b : c.d',
      'hostlist hl = 10.1.2.3',
      'localpartlist lp = ann',
      'addresslist al = ann@a.b : *@c.d',
      ...(options.some((line) => line.startsWith('acl_smtp_rcpt')) ? [] : ['acl_smtp_rcpt = accept']),
      ...options,
      ...more,
      'begin acl',
      ...acls.map((each, i) => `a${i}:\n${each}`),
      body,
    ].join('\n'),
  );

const mailbox = oneOfWords(`ann@a.b bob@a.b gone@a.b late@a.b other@a.b many@a.b nobody@a.b x@y.z Ann@A.B carol@c.d ann
  postmaster @ "q.r"@a.b`);
const greeting = oneOf('EHLO x.y', 'HELO x.y', 'EHLO h.example', 'EHLO [10.1.2.3]', 'HELO bad_name', 'EHLO');
const mail = sequence(
  'MAIL FROM:<',
  oneOf('', 'x@y.z', 'ann@a.b', 'gone@a.b', 'late@a.b', 'nobody@a.b', 'other@a.b', 'sam@c.d', 'ann'),
  '>',
  oneOf('', '', '', '', ' SIZE=100', ' BODY=8BITMIME', ' AUTH=<>', ' AUTH=ann@a.b', ' X=Y'),
);
const rcpt = mailbox.map((each) => `RCPT TO:<${each}>`);
const letter = oneOf(
  'Subject: s\n\nbody',
  'From: ann@a.b\nTo: bob@a.b\nSubject: s\n\nbody',
  'From: gone@a.b\nTo: x@\n\nbody',
  'From: late@a.b\nTo: ann@a.b, (c) @\nX-A: old\n\nbody',
  'Subject: b\nB\xe4d: x\nTo: nobody@x.y\n\nbody',
  'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n--b--',
  '',
);
const data = letter.map((lines) => `DATA\n${lines}\n.`);
const transaction = fc
  .tuple(mail, fc.array(rcpt, { minLength: 1, maxLength: 4 }), data)
  .map(([from, to, all]) => [from, ...to, all].join('\n'));
const credentials = ['', 'ann\0ann\0secret', '\0ann\0secret', '\0ann\0wrong'].map((each) =>
  Buffer.from(each).toString('base64'),
);
const otherCommand = fc.oneof(
  mail,
  rcpt,
  mailbox.map((each) => `VRFY ${each}`),
  mailbox.map((each) => `EXPN ${each}`),
  oneOf('ETRN #x', 'ETRN a.b', 'NOOP', 'RSET', 'HELP', 'NONSENSE', 'DATA', 'RSET', 'VRFY'),
  fc.constantFrom(...credentials).map((each) => `AUTH PLAIN ${each}`),
  greeting,
);
const session = fc
  .tuple(
    greeting,
    fc.array(fc.oneof({ weight: 2, arbitrary: transaction }, otherCommand), { minLength: 1, maxLength: 6 }),
    oneOf('QUIT\n', 'QUIT\n', 'QUIT\n', ''),
  )
  .map(([hello, commands, end]) => `${[hello, ...commands].join('\n')}\n${end}`);

const lists: Files = new Map([
  ['keys', 'a.b: found\n*.a.b: partial\nc.d:\n10.1.2.3: host\n10.1.2.0/24: net\nann@a.b: whole\n*@c.d: star\n'],
  ['aliases', 'ann: one\nbob: two\n'],
  ['list', 'a.b\n10.1.2.3\n# comment\nann@a.b\n'],
  [
    'acl',
    '# an ACL in a file\ndeny condition = ${if eq{$acl_m0}{x}}\n     message = from a file\nwarn add_header = X-File: y\naccept\n',
  ],
]);
const client = oneOf('10.1.2.3', '10.1.2.3', '10.9.8.7', '10.5.5.5');

const configurationsOfRound = 15;

/** What was said and logged, without what differs with the time and in the product's name. */
export function told({ stdout, stderr, status }: Outcome): string {
  const logged = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('>>>'));
  return (
    `${stdout}\n${logged.join('\n')}\nstatus ${status}`
      .replaceAll('\r', '')
      .replace(/\b[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}\b/g, 'MSGID')
      .replace(/(?:Exim 4\.96|Tabella [\d.]+) \w{3}, .* \+0000/g, 'VERSION')
      .replace(/\bS=\d+/g, 'S=SIZE')
      .replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /gm, '')
      // with -bh the real one still has the id of the message before in what it logs
      .replace(/^LOG: (?:\d{3} )?(?:MSGID (?!<=))?/gm, 'LOG: ')
      .replace(/\b(D|RT)=[\d.]+m?s/g, '$1=TIME')
  );
}

export const acls: Subject = {
  name: 'acls',
  async round(seed: number): Promise<readonly Pair[]> {
    const texts = sample(configuration, configurationsOfRound, seed);
    const sessions = sample(session, configurationsOfRound, seed);
    const clients = sample(client, configurationsOfRound, seed);
    const files: Files = new Map([...lists, ...texts.map((each, i): [string, string] => [`conf${i}`, each])]);
    const jobs = texts.map(
      (_, i): Job => ({
        words: ['-C', `/mnt/conf${i}`, '-bh', clients[i] ?? ''],
        input: (sessions[i] ?? '').replaceAll('\n', '\r\n'),
      }),
    );
    const { real, ours } = await runBoth(files, jobs);
    return jobs.map(({ words }, i) => ({
      input: `${words.slice(2).join(' ')} of\n${texts[i]}\nwith\n${sessions[i]}`,
      real: told(real[i] ?? { stdout: '', stderr: '', status: -1 }),
      ours: told(ours[i] ?? { stdout: '', stderr: '', status: -1 }),
    }));
  },
};
