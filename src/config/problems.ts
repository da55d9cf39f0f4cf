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
  readonly remedy?: string | undefined;
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

  warning(message: string, place?: Place, remedy?: string): void {
    this.all.push({ severity: 'warning', message, place, remedy });
  }

  get errors(): readonly Problem[] {
    return this.all.filter(({ severity }) => severity === 'error');
  }
}

/** A problem in Exim's form, with the remedy and the macros behind it. */
export function formatProblem({ severity, message, place, about, remedy }: Problem): string {
  const where =
    about !== undefined ? ` for ${about}` : place !== undefined ? ` in line ${place.line} of ${place.file}` : '';
  const notes: string[] = [];
  if (remedy !== undefined) notes.push(remedy);
  if (about !== undefined && place !== undefined) notes.push(`it ends at line ${place.line} of ${place.file}`);
  if (place !== undefined && place.macros.length > 0) notes.push(`macros used: ${place.macros.join(', ')}`);
  return [`Exim configuration ${severity}${where}:`, message, ...notes].join('\n  ');
}
