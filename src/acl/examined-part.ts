/** The part of a message that a MIME ACL is about, as the conditions of the ACL see it (Exim spec 45.4, 45.5). */

import type { Text } from '../safe/taint.ts';
import type { TakePiece } from './message-copy.ts';

export interface ExaminedPart {
  /** Hands its content out as it came, line by line. */
  readRaw(take: TakePiece): Promise<void>;
  /**
   * Decodes it into a file: `where` is a file, a directory, or empty for the standard directory. Answers whether that
   * could be done; `$mime_decoded_filename` tells in any case which file it was to be.
   */
  decode(where: Text): Promise<boolean>;
  /** The first octets of what was decoded, for which it is decoded unless that was done; nothing when it cannot be. */
  decoded(octets: number): Promise<string | undefined>;
}
