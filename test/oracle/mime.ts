/**
 * Random messages with MIME parts, whose header lines, boundaries and encodings are often wrong: what the MIME ACL is
 * told of each part, and what it is decoded to.
 */

import fc from 'fast-check';
import type { Pair, Subject } from './compare.ts';
import { type Files, runJobs, type Side } from './room.ts';
import { many, oneOf, oneOfWords, sample, sequence } from './words.ts';

const token = oneOf(
  ...[';', '; ', '"', '(', ')', '\\', ' ', '=', '\n ', '\n\t', '/', 'x', 'Y', '?', '_', '%41', '%zz', '=41', "'", '*'],
  ...['name=', 'filename=', 'NAME = ', 'charset=', 'name*=', 'name*0=', 'name*1*=', 'filename*0*=', 'boundary=b', 'c'],
  ...["utf-8''", "iso-8859-1'en'", '=?utf-8?Q?a=20b?=', '=?utf-8?B?YWJj?=', '=?x?Q?', '?=', 't/p', 'text/plain', ','],
);
const wild = many(token, '', { least: 1, most: 9 });
const type = oneOf(
  ...['text/plain', 'Text/HTML; charset=utf-8', 't/p; name=foo.txt', 'multipart/mixed; boundary=b'],
  ...['multipart/mixed; boundary=c', 'multipart/alternative; boundary="c"', 'multipart/related; boundary=bb'],
  ...['multipart/mixed', 'MULTIPART/Mixed; boundary="b c"', 'message/external-body'],
);
const encoding = oneOf('base64', 'quoted-printable', 'BASE64 ; x', 'Quoted-Printable', '7bit', 'x');
const header = fc.oneof(
  { weight: 5, arbitrary: sequence(oneOf('Content-Type: ', 'content-type:', 'Content-Type : '), type) },
  { weight: 3, arbitrary: sequence('Content-Type: t/p; ', wild) },
  { weight: 3, arbitrary: sequence('Content-Transfer-Encoding: ', encoding) },
  sequence(oneOfWords('Content-Disposition: Content-ID: Content-Description: Content-Foo: Subject:'), ' ', wild),
  oneOf('no header', 'X: y', ' folded', '\tContent-ID: x'),
);
const boundary = oneOf('--b', '--b--', '--c', '--c--', '--bb', '--b c', '--bb--', '--b ', ' --b', '--');
const content = fc.oneof(
  oneOf('aGVsbG8=', 'aGVsbG8g', 'd29y\nbGQh', 'aGV sbG8=', 'YWJj!', 'YW=j', 'a=41b', 'x=', 'x= ', '=zz', 'text', 'a=4'),
  oneOf('', '', 'From x', '.', '..', '=3D=\nb', 'Content-Type: t/inner', '-- b'),
);
const part = sequence(
  boundary,
  '\n',
  many(
    header.map((text) => `${text}\n`),
    '',
    { most: 3 },
  ),
  oneOf('\n', '\n', '\n', ''),
  many(
    content.map((text) => `${text}\n`),
    '',
    { most: 4 },
  ),
);
/** One that is attached, at the end: of several, the real Exim takes them in the order of a directory. */
const attached = sequence(
  ...['\n--b\nContent-Type: message/rfc822\n', oneOf('', 'Content-ID: x\n'), '\n', oneOf('X: y\n', '')],
  ...[oneOf('Content-Type: multipart/mixed; boundary=q\n', 'Content-Type: t/q\n', ''), '\n', oneOf('', '--q\n\nx\n')],
);
const message = fc.oneof(
  sequence(
    oneOf('Content-Type: multipart/mixed; boundary=b', 'Content-Type: multipart/alternative; boundary=b'),
    '\n\n',
    many(part, '', { least: 1, most: 6 }),
    oneOf('', '--b--\n', '--b\n'),
    fc.oneof({ weight: 3, arbitrary: fc.constant('') }, attached),
  ),
  sequence('Content-Type: t/p; ', wild, '\n', oneOf('', 'Content-Transfer-Encoding: base64\n'), '\n', content, '\n'),
);

const told = [
  '$mime_part_count $mime_is_rfc822 $mime_is_multipart $mime_is_coverletter <$mime_content_type> <$mime_boundary>',
  '<$mime_charset> <$mime_filename> <$mime_content_disposition> <$mime_content_description> <$mime_content_id>',
  '<$mime_content_transfer_encoding> $mime_content_size $mime_anomaly_level $mime_anomaly_text',
  '<${escape:${readfile{$mime_decoded_filename}}}>',
].join(' ');

const configuration = [
  ...['primary_hostname = mail.example', 'keep_environment = PATH', 'spool_directory = /mnt/spool'],
  ...['log_file_path = /mnt/spool/%slog', 'acl_smtp_rcpt = accept', 'acl_smtp_mime = mime', 'acl_smtp_data = data'],
  ...['smtp_accept_max_nonmail = 10000', 'tls_advertise_hosts =', 'begin acl'],
  ...['mime:', '  warn decode = default', `    set acl_m_told = $acl_m_told|\${base64:${told}}`, '  accept'],
  ...['data:', '  deny message = told ${sg{$acl_m_told}{\\N\\|\\N}{\\\\n}}', ''],
].join('\n');

const files: Files = new Map([['exim.conf', configuration]]);

/** What was said to each message: the parts, in an order of their own. */
async function answers(side: Side, messages: readonly string[]): Promise<(string | undefined)[]> {
  const sessions = messages.map((text) => {
    const octets = text.replaceAll(/^\./gm, '..');
    return `MAIL FROM:<a@b.example>\nRCPT TO:<c@mail.example>\nDATA\n${octets}.\n`;
  });
  const input = `EHLO x\n${sessions.join('')}QUIT\n`;
  const [outcome] = await runJobs(side, files, [{ words: ['-C', '/mnt/exim.conf', '-bs'], input }]);
  const replies =
    outcome?.stdout
      .replaceAll('\r', '')
      .split(/^354 .*\n/m)
      .slice(1) ?? [];
  if (replies.length < messages.length) throw new Error(`${side} stopped: ${outcome?.stdout}${outcome?.stderr}`);
  return messages.map((_, i) => {
    const lines = replies[i]?.split('\n') ?? [];
    const own = lines.filter((line) => line.startsWith('550')).map((line) => line.slice(4));
    const parts = own.slice(1).map((line) => Buffer.from(line, 'base64').toString('latin1'));
    return own[0] === 'told' || own[0] === 'told ' ? parts.sort().join('\n') : lines[0];
  });
}

export const mime: Subject = {
  name: 'mime',
  async round(seed): Promise<readonly Pair[]> {
    const messages = sample(message, 60, seed);
    const [real, ours] = await Promise.all([answers('real', messages), answers('ours', messages)]);
    return messages.map((input, i) => ({ input, real: real[i], ours: ours[i] }));
  },
};
