/** Choice among servers that have a priority and a weight. */

export interface Weighted {
  /** The highest goes first. */
  readonly priority: number;
  /** How often it is chosen among those of its priority, compared with the others. */
  readonly weight: number;
}

/** One of the highest priority, by chance as the weights say; `chance` is at least 0 and below 1. */
export function chooseWeighted<Item extends Weighted>(
  items: readonly Item[],
  chance: number = Math.random(),
): Item | undefined {
  const highest = Math.max(...items.map(({ priority }) => priority));
  const candidates = items.filter(({ priority }) => priority === highest);
  let rest = chance * candidates.reduce((sum, { weight }) => sum + weight, 0);
  for (const candidate of candidates) {
    rest -= candidate.weight;
    if (rest < 0) return candidate;
  }
  return candidates[0];
}
