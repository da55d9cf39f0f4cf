/**
 * How a short name is completed with the search domains of the machine, as the resolver of the C library does it. Exim's
 * options qualify_single and search_parents (spec 17.3) switch the two parts of it on.
 */

import type { ResolverSettings } from './resolv-conf.ts';

export interface Widening {
  /** A name without a dot is completed with the first search domain. */
  readonly qualifySingle?: boolean;
  /** A name with dots is completed, too, and every search domain is tried. */
  readonly searchParents?: boolean;
}

interface Outcome {
  readonly outcome: 'found' | 'nothing' | 'again';
  /** In a failure, and in the answer that there is nothing, of what kind it is. */
  readonly kind?: string;
}

/** Which of two failures to tell: what may come right later, then that the name exists, then that it does not. */
function graver<A extends Outcome>(one: A | undefined, other: A): A {
  const weight = ({ outcome, kind }: Outcome) => (outcome === 'again' ? 2 : kind === 'nodata' ? 1 : 0);
  return one !== undefined && weight(one) >= weight(other) ? one : other;
}

/** A server that is silent now will be silent about the next name; one that says that it cannot may know that. */
function isHopeless({ outcome, kind }: Outcome): boolean {
  return outcome === 'again' && kind !== 'refused';
}

/**
 * Asks for `name` and its completions until one is found. When none is, the answer for a name with enough dots is the
 * one for the name itself. The C library takes a search domain's silence for "no such name"; here it is `again`.
 */
export async function searched<A extends Outcome>(
  name: string,
  { search, ndots }: ResolverSettings,
  widening: Widening,
  ask: (name: string) => Promise<A>,
): Promise<A> {
  const dots = name.split('.').length - 1;
  const asItIs = name.endsWith('.') || dots >= ndots ? await ask(name) : undefined;
  if (asItIs !== undefined && (name.endsWith('.') || asItIs.outcome === 'found' || isHopeless(asItIs))) return asItIs;
  let failure: A | undefined;
  if (dots === 0 ? widening.qualifySingle : widening.searchParents) {
    for (const domain of widening.searchParents ? search : search.slice(0, 1)) {
      const answer = await ask(domain === '' ? name : `${name}.${domain}`);
      if (answer.outcome === 'found') return answer;
      failure = graver(failure, answer);
      if (isHopeless(answer)) break;
    }
  }
  if (asItIs !== undefined) return asItIs;
  const last = await ask(name);
  return last.outcome === 'found' ? last : graver(failure, last);
}
