/** Text as a parameter of MAIL or RCPT holds it (RFC 3461 §4). */

export function xtext(text: string): string {
  return text.replace(/[^!-*,-<>-~]/g, (octet) => `+${octet.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
