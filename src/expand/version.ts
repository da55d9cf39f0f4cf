/** What the program is, and which Exim it is compatible with. */

import manifest from '../../package.json' with { type: 'json' };

/** Version of this program. */
export const productVersion: string = manifest.version;

/** The Exim level whose behaviour is matched; `$version_number`. */
export const compatibilityLevel = '4.96';

export const compileNumber = 1;

declare const TABELLA_BUILD_DATE: string | undefined;

/** When the bundle was built, `27-May-2026 16:52:26`; the sources themselves have no date. */
export const buildDate = typeof TABELLA_BUILD_DATE === 'string' ? TABELLA_BUILD_DATE : 'unbuilt';
