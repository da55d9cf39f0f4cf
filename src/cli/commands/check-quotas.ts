/** `maildir-check-quotas`: the words of its command line, and what it says. Silent unless asked, so that cron sends no mail. */

import { errorText } from '../../lib/errno.ts';
import { parseOptionInteger } from '../../lib/sizes.ts';
import { reviewed } from '../../safe/taint.ts';
import { checkQuotas } from '../../tools/check-quotas.ts';
import { UsageError } from '../options.ts';
import type { Terminal } from '../output.ts';
import { readWords } from '../words.ts';

const usage = 'maildir-check-quotas [--maildirs directory] [--output file] [--percentage n] [--grace size] [-v]';

const standard = { maildirs: '/home/vmail', output: '/etc/exim/maildir_quota_exceeded', percentage: '100', grace: '0' };

function numberOf(name: string, text: string, least: number, most: number): number {
  const value = parseOptionInteger(text);
  if (value !== undefined && value >= least && value <= most) return value;
  throw new UsageError(`${name} is a number from ${least} to ${most}, and not "${text}"\nusage: ${usage}`);
}

/** Answers 0, or 1 when the list could not be made or a mailbox could not be read. */
export async function checkQuotasCommand(words: readonly string[], { out, error }: Terminal): Promise<number> {
  try {
    const given = readWords(
      words,
      {
        '--maildirs': 'value',
        '--output': 'value',
        '--percentage': 'value',
        '--grace': 'value',
        '-v': 'flag',
        '--help': 'flag',
      },
      usage,
    );
    if (given.has('--help')) {
      out(`usage: ${usage}\n`);
      return 0;
    }
    if (given.rest.length > 0) throw new UsageError(`unexpected "${given.rest[0]}"\nusage: ${usage}`);
    const why = 'who calls the program names files with his own rights';
    const check = {
      maildirs: reviewed(given.value('--maildirs') ?? standard.maildirs, why),
      output: reviewed(given.value('--output') ?? standard.output, why),
      percentage: numberOf('--percentage', given.value('--percentage') ?? standard.percentage, 1, 1000),
      grace: numberOf('--grace', given.value('--grace') ?? standard.grace, 0, Number.MAX_SAFE_INTEGER),
    };
    const speaks = given.has('-v');
    const allRead = await checkQuotas(check, {
      found: (line) => (speaks ? out(`${line}\n`) : undefined),
      problem: (line) => error(`maildir-check-quotas: ${line}\n`),
    }).catch((cause: unknown) => {
      error(`maildir-check-quotas: ${errorText(cause)}; ${check.output} stays as it is\n`);
      return false;
    });
    return allRead ? 0 : 1;
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    error(`maildir-check-quotas: ${cause.message}\n`);
    return 64;
  }
}
