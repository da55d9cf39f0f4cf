/**
 * What a filter decides about a message (Exim's filter specification 3; RFC 5228 §2.10). Both languages, Exim's own and
 * Sieve, end in these; the redirect router and the system filter carry them out.
 */

import type { Text } from '../safe/taint.ts';

/** The letters of `mail` and `vacation`: what the autoreply transport is told instead of its own options. */
export interface FilterReply {
  readonly to: string;
  readonly cc?: string | undefined;
  readonly bcc?: string | undefined;
  readonly from?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly subject?: string | undefined;
  /** Further header lines, with LF between them. */
  readonly headers?: string | undefined;
  readonly text?: string | undefined;
  /** A file whose content comes behind the text. */
  readonly file?: Text | undefined;
  /** Whether the lines of the file are expanded. */
  readonly expandFile?: boolean | undefined;
  readonly returnMessage?: boolean | undefined;
  /** A file to which a line is added for each message that is sent. */
  readonly log?: Text | undefined;
  /** A file that remembers who was answered. */
  readonly once?: Text | undefined;
  /** Seconds after which somebody is answered again; 0 for never. */
  readonly onceRepeat?: number | undefined;
}

export type FilterAction =
  | {
      readonly kind: 'address';
      readonly text: Text;
      /** Who gets the bounces of this delivery (`errors_to`); an empty one for nobody. */
      readonly errorsTo?: string | undefined;
      /** Failures are told to nobody (`noerror`). */
      readonly noError?: boolean | undefined;
    }
  | {
      readonly kind: 'file';
      /** A directory when it ends with `/`. */
      readonly text: Text;
      /** The mode of a new file, when the filter names one. */
      readonly mode?: number | undefined;
      readonly noError?: boolean | undefined;
    }
  | {
      readonly kind: 'pipe';
      /** The command, not expanded: its words are separated first. */
      readonly text: Text;
      /** `$1` to `$9`, `$thisaddress` as they stood when the filter named the command. */
      readonly captures?: readonly string[] | undefined;
      readonly thisAddress?: string | undefined;
      readonly noError?: boolean | undefined;
    }
  | { readonly kind: 'reply'; readonly reply: FilterReply; readonly noError?: boolean | undefined };

/** A change of header lines by a system filter, in the order in which they were asked for. */
export type HeaderChange =
  | { readonly kind: 'add'; readonly text: string }
  | { readonly kind: 'remove'; readonly names: string };

/** A letter that is sent at once, and is no delivery of the message (Sieve: RFC 5435). */
export interface FilterNotice {
  readonly sender: string;
  /** The whole letter, lines with LF; its header lines name who gets it. */
  readonly text: string;
}

/** What a filter counted in `$n0` to `$n9`, which become `$sn0` to `$sn9` after a system filter. */
export interface Counted {
  readonly numbers?: readonly number[] | undefined;
}

export type FilterOutcome =
  /**
   * The filter came to its end. When nothing that it did was significant, delivery goes on as if it had not been there,
   * beside what it asked for (`unseen` deliveries).
   */
  | (Counted & {
      readonly outcome: 'done';
      readonly significant: boolean;
      readonly actions: readonly FilterAction[];
      readonly headers: readonly HeaderChange[];
      readonly notices?: readonly FilterNotice[] | undefined;
    })
  /** `fail`, `freeze` and `defer`; what stands in `actions` is delivered all the same. */
  | (Counted & {
      readonly outcome: 'fail' | 'freeze' | 'defer';
      readonly message: string;
      readonly significant: boolean;
      readonly actions: readonly FilterAction[];
      readonly headers: readonly HeaderChange[];
    })
  /** A mistake in the filter, in the words of the real one; the address is deferred. */
  | { readonly outcome: 'error'; readonly message: string };

/** What the options of a router forbid a user's filter (Exim spec 22.7). */
export interface FilterLimits {
  readonly allowFreeze: boolean;
  readonly allowFail: boolean;
  readonly allowDefer: boolean;
  readonly forbidFile: boolean;
  readonly forbidPipe: boolean;
  readonly forbidReply: boolean;
  readonly forbidLogwrite: boolean;
  readonly forbidDlfunc: boolean;
  readonly forbidExistsTest: boolean;
  readonly forbidLookup: boolean;
  readonly forbidPerl: boolean;
  readonly forbidReadFile: boolean;
  readonly forbidReadSocket: boolean;
  readonly forbidRun: boolean;
}

/** What a system filter may do: all. */
export const unlimited: FilterLimits = {
  allowFreeze: true,
  allowFail: true,
  allowDefer: true,
  forbidFile: false,
  forbidPipe: false,
  forbidReply: false,
  forbidLogwrite: false,
  forbidDlfunc: false,
  forbidExistsTest: false,
  forbidLookup: false,
  forbidPerl: false,
  forbidReadFile: false,
  forbidReadSocket: false,
  forbidRun: false,
};

/** What a user's filter may do when no option says otherwise: all but end the delivery. */
export const usualLimits: FilterLimits = { ...unlimited, allowFreeze: false, allowFail: false, allowDefer: false };
