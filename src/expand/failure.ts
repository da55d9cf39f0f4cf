/**
 * How an expansion ends without a result (Exim spec 11.4): it failed, it was forced to fail, or a lookup in it could not
 * be completed and the caller should try again later. Thrown inside this folder only; `expand` turns it into a value.
 */
export class ExpansionFailure {
  readonly kind: 'failed' | 'forced' | 'defer';
  readonly message: string;

  constructor(kind: 'failed' | 'forced' | 'defer', message: string) {
    this.kind = kind;
    this.message = message;
  }
}

export function fail(message: string): never {
  throw new ExpansionFailure('failed', message);
}

export function forceFailure(message: string): never {
  throw new ExpansionFailure('forced', message);
}

export function defer(message: string): never {
  throw new ExpansionFailure('defer', message);
}
