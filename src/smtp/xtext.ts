/** Text as a parameter of MAIL or RCPT holds it (RFC 3461 §4): `+` and two hexadecimal digits are an octet. */

export function xtext(text: string): string {
  return text.replace(/[^!-*,-<>-~]/g, (octet) => `+${octet.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** What it stands for; nothing when it is none. Digits of either case are taken, as Exim takes them: it sends small ones. */
export function fromXtext(text: string): string | undefined {
  if (!/^(?:[!-*,-<>-~]|\+[0-9A-Fa-f]{2})*$/.test(text)) return undefined;
  return text.replace(/\+([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
