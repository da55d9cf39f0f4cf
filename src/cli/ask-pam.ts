/** A process that asks PAM (`mta/pam.ts`): as another user, which it becomes for good, or as the user it has. */

import { servePam } from '../mta/pam.ts';
import { act, actAs } from './become.ts';

/** `uid gid`; answers the exit status. */
export const askPamAs = (words: readonly string[]): Promise<number> => actAs(words, servePam);

/** Answers the exit status. */
export const askPam = (): Promise<number> => act(servePam);
