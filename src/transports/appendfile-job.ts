/** What the appendfile transport has to do, as plain data: options expanded, nothing left to be looked up. */

import type { Clean, QueueId } from '../safe/taint.ts';
import type { LockRules } from '../store/mailbox-lock.ts';
import type { Job } from './transport.ts';

export interface QuotaRules {
  /** Octets the mailbox may hold; 0 for no limit. */
  readonly limit: number;
  readonly limitIsChecked: boolean;
  /** Files the mailbox may hold; 0 for no limit. */
  readonly fileCount: number;
  readonly fileCountIsChecked: boolean;
  /** Whether the message itself counts. */
  readonly inclusive: boolean;
  /** Takes a file's size from its name. */
  readonly sizeRegex: string | undefined;
  /** Where the files that count are, when it is not where the message goes. */
  readonly directory: Clean | undefined;
  /** What the mailbox holds, when the administrator keeps it elsewhere. */
  readonly knownSize: number | undefined;
  readonly knownFileCount: number | undefined;
  /** Octets above which the owner is warned; 0 for never. */
  readonly warnThreshold: number;
  readonly sizeFile: boolean;
  /** Which directories of a maildir count, when there is a size file. */
  readonly directoryRegex: string;
}

export interface AppendfileJob extends Job {
  readonly driver: 'appendfile';
  readonly transport: string;
  readonly messageId: QueueId;
  readonly hostname: Clean;
  /** Of which Exim the configuration is: the names of new files have its form. */
  readonly dialect: 3 | 4;
  readonly format: 'file' | 'directory' | 'maildir' | 'mailstore';
  /** The file is one in MBX format. */
  readonly mbx: boolean;
  readonly path: Clean;
  readonly uid: number;
  readonly gid: number;
  readonly headers: boolean;
  readonly body: boolean;
  readonly crlf: boolean;
  readonly check: string;
  readonly escape: string;
  readonly escapesHeaders: boolean;
  readonly prefix: string;
  readonly suffix: string;
  readonly mode: number;
  /** A file that is there gets the mode, too: a filter asked for it. */
  readonly setsMode: boolean;
  readonly directoryMode: number;
  readonly createDirectory: boolean;
  /** Where files and directories may be made; nowhere when that is a home directory and there is none. */
  readonly creation:
    | { readonly where: 'anywhere' | 'nowhere' }
    | { readonly where: 'in' | 'below'; readonly directory: Clean };
  readonly mustExist: boolean;
  /** How mailboxes begin that this or another transport delivers to (file_format); empty to take any. */
  readonly fileFormats: readonly { readonly start: string; readonly transport: string }[];
  readonly checkOwner: boolean;
  readonly checkGroup: boolean;
  readonly failNarrower: boolean;
  readonly allowSymlink: boolean;
  readonly allowFifo: boolean;
  readonly lock: LockRules;
  readonly quota: QuotaRules;
  /** Octets of the message as quotas count it. */
  readonly messageSize: number;
  /** The mailbox is opened and its quota looked at, and then nothing is written (verify = recipient/quota). */
  readonly onlyQuota: boolean;
  readonly warningMessage: string;
  /** The user whom the comsat daemon tells; empty for nobody. */
  readonly comsatUser: string;
  readonly maildirTag: Clean | undefined;
  readonly maildirRetries: number;
  readonly maildirFolderRegex: string | undefined;
  /** The expanded `directory_file`, without a slash; nothing for the standard name. */
  readonly directoryFile: string | undefined;
  readonly mailstoreName: Clean;
  readonly mailstoreEnvelope: string;
}

/** Stands for the file's inode in the expanded `directory_file`, until there is a file: a number that no inode has. */
export const inodeMark = Number.MAX_SAFE_INTEGER;
