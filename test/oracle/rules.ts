/** Random rewriting and retry rules, as -brw and -brt show what they do with addresses and errors. */

import fc from 'fast-check';
import type { Pair, Subject } from './compare.ts';
import { type Files, type Job, runBoth } from './room.ts';
import { many, oneOf, oneOfWords, sample, sequence } from './words.ts';

const address = oneOfWords(
  'ann@a.b Bob@A.B x.y@c.d postmaster@x.a.b "q r"@a.b user+x@wild.org ann <ann@a.b> @a.b a@ ann@[1.2.3.4]',
);
const pattern = oneOfWords(`*@a.b ann@* *@* *@*.b ^(.*)@a\\.b$ ^ann a.b lsearch;/mnt/keys *@lsearch;/mnt/keys bob@a.b *
  *@partial-lsearch;/mnt/keys Ann@A.B *b@a.b !ann@a.b *@!a.b ^([^@]*)@(.*)\\.b @`);
const replacement = oneOf(
  ...['$1@x.y', '$local_part@new.org', '*', '$0', '${lc:$1}@${domain:$0}', 'plain@z.z', 'unqualified', '$2@$1.z'],
  ...[
    '"Name <$local_part@n.n>"',
    '"a b"',
    '${if eq{$domain}{a.b}{q@r.s}fail}',
    '${if eq{$domain}{a.b}{q@r.s}{$0}}',
    '$nosuch',
  ],
  ...['$domain_data@v.v', '$1', '', 'a@b@c', '<x@y>', '${lookup{$domain}lsearch{/mnt/keys}{$value@l.l}fail}'],
);
const flags = oneOfWords('"" E h F f T b c t r s q Q R w S Eh FfrsTtcb ERw hQ Z x Sq ff');
const rewriteRule = sequence(
  pattern.map((text) => (text.includes('!') || text.startsWith('^') ? `"${text.replaceAll('\\', '\\\\')}"` : text)),
  oneOf('  ', '\t', ' '),
  replacement,
  '  ',
  flags.map((text) => text.replace('""', '')),
);

const retryPattern = oneOfWords('*.b a.b *@a.b ann@a.b ^.*b$ * lsearch;/mnt/keys partial-lsearch;/mnt/keys c.d x.a.b');
const retryError = oneOfWords(`* quota quota_2d refused refused_A refused_MX timeout timeout_connect timeout_A
  rcpt_4xx rcpt_450 mail_4 data_45x auth_failed tls_required lost_connection nosuch rcpt_5xx timeout_connect_MX quota_x`);
const retrySteps = oneOf(
  'F,2h,15m',
  'F,2h,15m; G,16h,1h,1.5; F,4d,6h',
  'G,1d,10m,2',
  'H,1d,10m,2',
  '',
  'F,2h',
  'F',
  'X,1h,1m',
  'G,1h,1m',
  'F,1h,1m; ',
);
const retryRule = sequence(retryPattern, '  ', retryError, '  ', retrySteps, oneOf('', '', ' ', '  senders=ann@a.b'));
const asked = oneOfWords('a.b x.a.b ann@a.b bob@c.d other.org ann');
const happened = oneOfWords(`refused_A refused_MX timeout_connect quota quota_3d rcpt_450 rcpt_4xx mail_451
  auth_failed tls_required lost_connection nosuch timeout quota_1x data_4xx`);

const section = (name: string, rule: fc.Arbitrary<string>, most: number): fc.Arbitrary<string> =>
  many(rule, '\n', { least: 1, most }).map((rules) => `begin ${name}\n${rules}\n`);

const configurationsOfRound = 3;

function jobsOf(number: number, seed: number): Job[] {
  const at = ['-C', `/mnt/conf${number}`];
  const own = seed * 10 + number;
  const rewriting = sample(address, 3, own).map((text): Job => ({ words: [...at, '-brw', text] }));
  const retrying = sample(fc.tuple(asked, fc.option(asked), happened), 3, own).map(
    ([first, second, error]): Job => ({ words: [...at, '-brt', first, ...(second === null ? [] : [second]), error] }),
  );
  return [...rewriting, ...retrying];
}

const configuration = fc
  .tuple(section('rewrite', rewriteRule, 3), section('retry', retryRule, 3))
  .map(([rewrite, retry]) => `primary_hostname = mail.example\nkeep_environment = PATH\n${rewrite}${retry}`);

export const rules: Subject = {
  name: 'rules',
  async round(seed: number): Promise<readonly Pair[]> {
    const texts = sample(configuration, configurationsOfRound, seed);
    const files: Files = new Map([
      ['keys', 'a.b: found\nann@a.b: whole\n*.a.b: partial\n'],
      ...texts.map((text, i): [string, string] => [`conf${i}`, text]),
    ]);
    const jobs = texts.flatMap((_, i) => jobsOf(i, seed));
    const { real, ours } = await runBoth(files, jobs);
    return jobs.map(({ words }, i) => {
      const mistake = /Exim configuration error.*\n {2}(.*)/.exec(real[i]?.stderr ?? '')?.[1];
      const told = mistake !== undefined && ours[i]?.stderr.includes(mistake) === true;
      const shown = (outcome = real[i]): string =>
        `${outcome?.stdout}${told ? '' : (mistake ?? '')}status ${outcome?.status}`;
      return {
        input: `${words.slice(2).join(' ')} of\n${texts[Number(words[1]?.slice(-1))]}`,
        real: shown(),
        ours:
          told || mistake === undefined
            ? shown(ours[i])
            : `${ours[i]?.stdout}${ours[i]?.stderr}status ${ours[i]?.status}`,
      };
    });
  },
};
