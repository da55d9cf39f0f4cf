/** `${imapfolder{name}{separator}{specials}}`: a folder as the name of a Maildir folder on disk (Exim spec 60.2). */

import { translate } from '../../lib/charsets.ts';
import { Text } from '../../safe/taint.ts';
import { type Item, plainItem } from '../evaluate.ts';
import { fail } from '../failure.ts';

/** Modified base 64 of characters as UTF-16 (RFC 3501 §5.1.3). */
function encoded(run: string): string {
  const octets = Buffer.from(run, 'utf16le').swap16();
  return `&${octets.toString('base64').replace(/=+$/, '').replaceAll('/', ',')}-`;
}

function folderName(characters: string, separator: string, specials: string): string {
  let name = '';
  let run = '';
  const flush = (): void => {
    if (run !== '') name += encoded(run);
    run = '';
  };
  // a separator that stands several times, or at an end, separates nothing
  const parts = characters.split(separator).filter((part) => part !== '');
  for (const [index, part] of parts.entries()) {
    if (index > 0) name += '.';
    for (const character of part.split('')) {
      if (specials.includes(character) || !/[ -~]/.test(character)) {
        run += character;
        continue;
      }
      flush();
      if (character === '.' || character === '/') return fail(`imapfolder: illegal character '${character}'`);
      name += character === '&' ? '&-' : character;
    }
    flush();
  }
  return name;
}

export const imapFolder: Item = plainItem({
  name: 'imapfolder',
  doc: 'the name of an IMAP folder on disk',
  minimum: 1,
  maximum: 3,
  evaluate: ([folder = Text.empty, separator, specials], context) => {
    const mark = separator?.value ?? '/';
    if (mark.length !== 1) return fail(`IMAP folder separator must be one character, found "${mark}"`);
    const { headersCharset } = context.settings;
    const octets = translate(folder.value, headersCharset, 'utf-8') ?? folder.value;
    let characters: string;
    try {
      characters = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(octets, 'latin1'));
    } catch {
      const reason = 'Invalid or incomplete multibyte or wide character';
      return fail(`imapfolder: iconv() failed to convert from ${headersCharset}: ${reason}`);
    }
    return Text.derived(folderName(characters, mark, specials?.value ?? ''), folder);
  },
});
