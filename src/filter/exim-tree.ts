/** A filter that was read: its commands and conditions (Exim's filter specification 3.9 - 3.30). */

import type { Text } from '../safe/taint.ts';

/** Tests without operands. */
export type PlainTest = 'delivered' | 'error_message' | 'first_delivery' | 'manually_thawed';
export type Comparison = 'begins' | 'contains' | 'ends' | 'is' | 'matches';

export type Condition = { readonly negated: boolean } & (
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: PlainTest }
  | { readonly kind: 'personal'; readonly aliases: readonly Text[] }
  | { readonly kind: 'foranyaddress'; readonly list: Text; readonly condition: Condition }
  | { readonly kind: 'above' | 'below'; readonly left: Text; readonly right: Text }
  | {
      readonly kind: Comparison;
      readonly left: Text;
      readonly right: Text;
      /** Its name was written in capital letters. */
      readonly caseful: boolean;
    }
);

/** What of a letter a `mail` or `vacation` command names, in the order in which it is expanded. */
export const mailParts = [
  'to',
  'cc',
  'bcc',
  'from',
  'reply_to',
  'subject',
  'extra_headers',
  'text',
  'file',
  'log',
  'once',
  'once_repeat',
] as const;
export type MailPart = (typeof mailParts)[number];

export interface MailCommand {
  readonly kind: 'mail' | 'vacation';
  readonly parts: Readonly<Partial<Record<MailPart, Text>>>;
  readonly expandFile: boolean;
  readonly returnMessage: boolean;
}

export type FilterCommand =
  | { readonly kind: 'add'; readonly number: Text; readonly variable: Text }
  | { readonly kind: 'deliver'; readonly address: Text; readonly errorsTo: Text | undefined }
  | { readonly kind: 'save'; readonly file: Text; readonly mode: number | undefined }
  | { readonly kind: 'pipe'; readonly command: Text }
  | MailCommand
  | { readonly kind: 'logfile'; readonly file: Text; readonly mode: number | undefined }
  | { readonly kind: 'logwrite'; readonly text: Text }
  | { readonly kind: 'testprint'; readonly text: Text }
  | { readonly kind: 'headers'; readonly what: 'add' | 'remove' | 'charset'; readonly value: Text }
  | { readonly kind: 'defer' | 'fail' | 'freeze'; readonly text: Text }
  | { readonly kind: 'finish' }
  | {
      readonly kind: 'if';
      readonly branches: readonly { readonly condition: Condition; readonly commands: readonly Command[] }[];
      readonly otherwise: readonly Command[];
    };

/** A command with the words before it; `seen` is nothing when neither that nor `unseen` was said. */
export type Command = FilterCommand & { readonly seen: boolean | undefined; readonly noError: boolean };
