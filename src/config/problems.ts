/** Mistakes in a configuration: all of them are collected, and each tells its place, the macro it came through and a remedy. */

/** Where a logical line stands. */
export interface Place {
  readonly file: string;
  /** Number of its last physical line, as Exim counts. */
  readonly line: number;
  /** Names of the macros that were replaced in it. */
  readonly macros: readonly string[];
}

export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly place?: Place | undefined;
  /** Instead of a place: `for x router`. */
  readonly about?: string | undefined;
  /** The message says what it is about; the place is where that ends. */
  readonly within?: boolean | undefined;
  readonly remedy?: string | undefined;
  /** Exim tells it without saying that it is one of the configuration. */
  readonly bare?: boolean | undefined;
}

export class Problems {
  readonly all: Problem[] = [];

  error(message: string, place?: Place, remedy?: string): void {
    this.all.push({ severity: 'error', message, place, remedy });
  }

  /** An error of a whole driver or section: `for x router`. */
  errorAbout(about: string, message: string, place?: Place, remedy?: string): void {
    this.all.push({ severity: 'error', message, about, place, remedy });
  }

  /** An error of a whole driver or section, which the message names. */
  errorWithin(message: string, place?: Place, remedy?: string): void {
    this.all.push({ severity: 'error', message, within: true, place, remedy });
  }

  warning(message: string, place?: Place, remedy?: string): void {
    this.all.push({ severity: 'warning', message, place, remedy });
  }

  get errors(): readonly Problem[] {
    return this.all.filter(({ severity }) => severity === 'error');
  }
}

/** A problem in Exim's form, with the remedy and the macros behind it. */
export function formatProblem({ severity, message, place, about, within = false, remedy, bare }: Problem): string {
  const isWhole = within || about !== undefined;
  const atPlace = place === undefined || isWhole ? '' : ` in line ${place.line} of ${place.file}`;
  const where = about === undefined ? atPlace : ` for ${about}`;
  const notes: string[] = [];
  if (remedy !== undefined) notes.push(remedy);
  if (isWhole && place !== undefined) notes.push(`it ends at line ${place.line} of ${place.file}`);
  if (place !== undefined && place.macros.length > 0) notes.push(`macros used: ${place.macros.join(', ')}`);
  const head = bare === true ? [] : [`Exim configuration ${severity}${where}:`];
  return [...head, message, ...notes].join('\n  ');
}
