/** Standard output and error as byte strings. A reader that goes away ends nothing but the writing. */

/** Where a command writes to and what it reads. */
export interface Terminal {
  out(text: string): void;
  error(text: string): void;
}

function writer(stream: NodeJS.WriteStream): (text: string) => void {
  let broken = false;
  stream.on('error', () => {
    broken = true;
  });
  return (text) => {
    if (!broken && text !== '') stream.write(Buffer.from(text, 'latin1'));
  };
}

export function standardTerminal(): Terminal {
  return { out: writer(process.stdout), error: writer(process.stderr) };
}

/** Lines of standard input, without their LF; at most `maximum` octets each. */
export async function* standardInputLines(maximum = 1024 * 1024): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of process.stdin) {
    rest += (chunk as Buffer).toString('latin1');
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      yield rest.slice(0, end);
      rest = rest.slice(end + 1);
    }
    if (rest.length > maximum) {
      yield rest;
      rest = '';
    }
  }
  if (rest !== '') yield rest;
}
