/**
 * The decision record: what was decided and why, as a tree of steps. Every evaluator reports to a `Decisions`, and all
 * readers (`-d`, `-bt` with `-v`, `tabella explain`, the web) are told the same story.
 *
 * A record belongs to one line of work (one connection, one delivery), in which one thing happens after another. It
 * costs nothing when nobody listens: callers test `listening` before they build a text. Secrets never enter it.
 */

import type { DebugArea } from './debug-areas.ts';

export interface Step {
  readonly area: DebugArea;
  /** What was asked or tried: `router valiases`, `domains = +local_domains`, `lookup dbm "key"`. */
  readonly subject: string;
  /** The answer in the manual's word: `accept`, `declined`, `found`, `no match`, `defer` … */
  outcome: string;
  /** The value found, the item that matched, the reason given. */
  detail: string | undefined;
  readonly steps: Step[];
}

export interface Decisions {
  readonly listening: boolean;
  /** A step that contains those reported until `end`. */
  begin(area: DebugArea, subject: string): void;
  end(outcome: string, detail?: string): void;
  /** What is said to another server and by it, line by line, as `-v` shows it. */
  dialogue(line: string): void;
  /** A step with nothing inside. */
  step(area: DebugArea, subject: string, outcome: string, detail?: string): void;
}

/** The listener that is there when nobody listens. */
export const nobody: Decisions = {
  listening: false,
  begin() {},
  end() {},
  step() {},
  dialogue() {},
};

/** Keeps the steps as a tree. At most `limit` steps are kept; what comes later is counted. */
export class DecisionTree implements Decisions {
  readonly listening = true;
  readonly steps: Step[] = [];
  dropped = 0;
  readonly #open: Step[] = [];
  readonly #limit: number;
  #count = 0;

  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  begin(area: DebugArea, subject: string): void {
    const step: Step = { area, subject, outcome: '', detail: undefined, steps: [] };
    this.#add(step);
    this.#open.push(step);
  }

  end(outcome: string, detail?: string): void {
    const step = this.#open.pop();
    if (step === undefined) return;
    step.outcome = outcome;
    step.detail = detail;
  }

  dialogue(line: string): void {
    this.step('transport', line, '');
  }

  step(area: DebugArea, subject: string, outcome: string, detail?: string): void {
    this.#add({ area, subject, outcome, detail, steps: [] });
  }

  #add(step: Step): void {
    if (++this.#count > this.#limit) this.dropped++;
    else (this.#open.at(-1)?.steps ?? this.steps).push(step);
  }
}

/** Shows dialogues alone (`-v`). */
export class DialoguePrinter implements Decisions {
  readonly listening = true;
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  begin(): void {}
  end(): void {}
  step(): void {}

  dialogue(line: string): void {
    this.#write(line);
  }
}

/** Prints each step as it happens, indented by depth, for the areas that were asked for (`-d`). */
export class DecisionPrinter implements Decisions {
  readonly listening = true;
  readonly #areas: ReadonlySet<DebugArea>;
  readonly #write: (line: string) => void;
  readonly #open: { readonly area: DebugArea; readonly subject: string }[] = [];

  constructor(areas: ReadonlySet<DebugArea>, write: (line: string) => void) {
    this.#areas = areas;
    this.#write = write;
  }

  begin(area: DebugArea, subject: string): void {
    this.#print(area, subject);
    this.#open.push({ area, subject });
  }

  end(outcome: string, detail?: string): void {
    const step = this.#open.pop();
    if (step !== undefined) this.#print(step.area, `${step.subject}: ${withDetail(outcome, detail)}`);
  }

  step(area: DebugArea, subject: string, outcome: string, detail?: string): void {
    this.#print(area, `${subject}: ${withDetail(outcome, detail)}`);
  }

  dialogue(line: string): void {
    this.#write(line);
  }

  #print(area: DebugArea, text: string): void {
    if (this.#areas.has(area)) this.#write(`${'  '.repeat(this.#open.length)}${text}`);
  }
}

/** `outcome (detail)`, on one line whatever the detail holds. */
export function withDetail(outcome: string, detail: string | undefined): string {
  if (detail === undefined || detail === '') return outcome;
  const shown = detail.length > 500 ? `${detail.slice(0, 500)}…` : detail;
  return `${outcome} (${shown.replace(/[\x00-\x1f\x7f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)})`;
}
