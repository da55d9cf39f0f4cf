/** Decodes the content of a MIME part as Exim does, line by line, and notes what is wrong with it (Exim spec 45.4; RFC 2045 §6). */

/** What is wrong with the encoding of a part: `$mime_anomaly_level`, `$mime_anomaly_text`. */
export interface Anomaly {
  readonly level: 1 | 2;
  readonly text: string;
}

export interface Decoder {
  anomaly: Anomaly | undefined;
  /** Takes a line with its LF. */
  push(line: string): Buffer;
  /** What is left when there are no more lines. */
  end(): Buffer;
}

const nothing = Buffer.alloc(0);

class Plain implements Decoder {
  readonly anomaly = undefined;

  push(line: string): Buffer {
    return Buffer.from(line, 'latin1');
  }

  end(): Buffer {
    return nothing;
  }
}

const softBreak = /^=[ \t]*(?:\r?\n|$)/;

class QuotedPrintable implements Decoder {
  anomaly: Anomaly | undefined;

  push(line: string): Buffer {
    let result = '';
    let at = 0;
    for (let equals = line.indexOf('='); equals >= 0; equals = line.indexOf('=', at)) {
      result += line.slice(at, equals);
      const hex = /^[0-9A-Fa-f]{2}/.exec(line.slice(equals + 1, equals + 3))?.[0];
      if (hex !== undefined) {
        result += String.fromCharCode(Number.parseInt(hex, 16));
        at = equals + 3;
      } else if (softBreak.test(line.slice(equals))) {
        at = line.length;
        break;
      } else {
        this.anomaly = { level: 1, text: 'Broken Quoted-Printable encoding detected' };
        result += '=';
        at = equals + 1;
      }
    }
    return Buffer.from(result + line.slice(at), 'latin1');
  }

  end(): Buffer {
    return nothing;
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const padding = 64;
const sextets = new Int8Array(256).fill(-1);
for (const [i, character] of [...alphabet].entries()) sextets[character.charCodeAt(0)] = i;
sextets['='.charCodeAt(0)] = padding;

/**
 * Base64 that goes on over mistakes: what is no digit is passed over, and padding may stand anywhere, where it takes a
 * digit's place and gives nothing.
 */
class Base64 implements Decoder {
  anomaly: Anomaly | undefined;
  /** Which digit of a group of four comes next. */
  #position = 0;
  /** The octet that is not whole yet. */
  #partial = 0;

  push(line: string): Buffer {
    const result = Buffer.allocUnsafe(line.length);
    let length = 0;
    for (let i = 0; i < line.length; i++) {
      const code = line.charCodeAt(i);
      const digit = sextets[code] ?? -1;
      if (digit < 0) {
        if (code !== 0x0a && code !== 0x0d) this.anomaly = { level: 2, text: 'Broken BASE64 encoding detected' };
        continue;
      }
      const position = this.#position;
      this.#position = (position + 1) % 4;
      if (digit === padding) continue;
      if (position > 0) result[length++] = this.#partial | (digit >> (6 - 2 * position));
      this.#partial = position === 3 ? 0 : (digit << (2 + 2 * position)) & 0xff;
    }
    return result.subarray(0, length);
  }

  /** A group that is not whole gives the octet it has begun. */
  end(): Buffer {
    return this.#position === 0 ? nothing : Buffer.from([this.#partial]);
  }
}

const decoders: Readonly<Record<string, () => Decoder>> = {
  base64: () => new Base64(),
  'quoted-printable': () => new QuotedPrintable(),
};

export function decoderFor(encoding: string): Decoder {
  return Object.hasOwn(decoders, encoding) ? (decoders[encoding]?.() ?? new Plain()) : new Plain();
}
