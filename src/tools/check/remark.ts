/** What a check has to say of a configuration that can be used. */

export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface Remark {
  /** A warning is about something that does not do what it seems to; a remark about something that does nothing. */
  readonly severity: 'Warning' | 'Remark';
  readonly text: string;
  /** The last line of what it is about. */
  readonly place?: Place | undefined;
}

export const warning = (text: string, place?: Place): Remark => ({ severity: 'Warning', text, place });
export const remark = (text: string, place?: Place): Remark => ({ severity: 'Remark', text, place });

/** As it is printed. */
export function formatRemark({ severity, text, place }: Remark): string {
  return `${severity}: ${text}${place === undefined ? '' : ` (line ${place.line} of ${place.file})`}`;
}
