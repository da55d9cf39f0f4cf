/** LDIF as it is written (RFC 2849), and names of entries (RFC 4514). Values are octets. */

/** Whether a value can stand as it is. */
const safe = /^(?:[\x01-\x09\x0b\x0c\x0e-\x1f\x21-\x39\x3b\x3d-\x7f][\x01-\x09\x0b\x0c\x0e-\x7f]*)?$/;

/** One line. */
export function ldifLine(name: string, value: string): string {
  const plain = safe.test(value) && !value.endsWith(' ');
  return plain ? `${name}: ${value}\n` : `${name}:: ${Buffer.from(value, 'latin1').toString('base64')}\n`;
}

/** A value in the name of an entry. */
export function dnValue(value: string): string {
  const escaped = value.replace(/[,+"\\<>;=]/g, '\\$&').replace(/\0/g, '\\00');
  return escaped.replace(/^[ #]/, '\\$&').replace(/ $/, '\\ ');
}

/** A name in one spelling: lower case, no blanks around commas and equals signs, escapes of characters as one form. */
export function normalDn(dn: string): string {
  return dn
    .replace(/\\([0-9A-Fa-f]{2})/g, (_, hex: string) => dnValue(String.fromCharCode(Number.parseInt(hex, 16))))
    .replace(/(?<!\\) *([,=]) */g, '$1')
    .replace(/[A-Z]+/g, (letters) => letters.replace(/./g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 32)));
}

/** A record that adds an entry. */
export function addition(dn: string, attributes: readonly (readonly [string, string])[]): string {
  return `${ldifLine('dn', dn)}changetype: add\n${attributes.map(([name, value]) => ldifLine(name, value)).join('')}\n`;
}

/** A record that adds values to an attribute, or puts them in the place of what it has. */
export function modification(
  dn: string,
  how: 'add' | 'replace',
  values: ReadonlyMap<string, readonly string[]>,
): string {
  const parts = [...values].map(
    ([name, all]) => `${how}: ${name}\n${all.map((value) => ldifLine(name, value)).join('')}-\n`,
  );
  return `${ldifLine('dn', dn)}changetype: modify\n${parts.join('')}\n`;
}
