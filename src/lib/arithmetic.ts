/** Integer arithmetic on 64 bits, as `${eval:…}` has it (Exim spec 11.6). */

import { lower } from './octets.ts';

const least = -(2n ** 63n);
const greatest = 2n ** 63n - 1n;

class Problem {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

type Operate = (a: bigint, b: bigint) => bigint;

const wrap = (value: bigint): bigint => BigInt.asIntN(64, value);

function within(value: bigint, what: string): bigint {
  if (value < least || value > greatest) throw new Problem(`overflow in ${what}`);
  return value;
}

const divide = (a: bigint, b: bigint): bigint => {
  if (b === 0n) throw new Problem('divide by zero');
  return a === least && b === -1n ? greatest : a / b;
};

const remainder = (a: bigint, b: bigint): bigint => {
  if (b === 0n) throw new Problem('modulo by zero');
  // the machine cannot divide these two; Exim answers so for the remainder, too
  return a === least && b === -1n ? greatest : a % b;
};

/** Binary operators from the weakest to the strongest; each level from left to right. */
const levels: readonly ReadonlyMap<string, Operate>[] = [
  new Map([['|', (a, b) => a | b]]),
  new Map([['^', (a, b) => a ^ b]]),
  new Map([['&', (a, b) => a & b]]),
  new Map([
    ['<<', (a, b) => wrap(a << (b & 63n))],
    ['>>', (a, b) => a >> (b & 63n)],
  ]),
  new Map([
    ['+', (a, b) => within(a + b, 'sum')],
    ['-', (a, b) => within(a - b, 'difference')],
  ]),
  new Map([
    ['*', (a, b) => wrap(a * b)],
    ['/', divide],
    ['%', remainder],
  ]),
];

const factors: ReadonlyMap<string, bigint> = new Map([
  ['k', 1024n],
  ['m', 1024n * 1024n],
  ['g', 1024n * 1024n * 1024n],
]);

const maximumDepth = 200;

class Evaluator {
  readonly #text: string;
  readonly #decimalOnly: boolean;
  at = 0;
  #depth = 0;

  constructor(text: string, decimalOnly: boolean) {
    this.#text = text;
    this.#decimalOnly = decimalOnly;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  #skip(): void {
    this.#take(/[ \t-\r]*/y);
  }

  all(): bigint {
    const value = this.#binary(0);
    if (this.at < this.#text.length) throw new Problem('expecting operator');
    return value;
  }

  #binary(level: number): bigint {
    const operators = levels[level];
    if (operators === undefined) return this.#unary();
    let value = this.#binary(level + 1);
    for (;;) {
      const symbol = this.#take(/<<|>>|[|^&+\-*/%]/y);
      const operate = operators.get(symbol);
      if (operate === undefined) {
        this.at -= symbol.length;
        return value;
      }
      value = operate(value, this.#binary(level + 1));
    }
  }

  #unary(): bigint {
    if (++this.#depth > maximumDepth) throw new Problem('nested too deeply');
    this.#skip();
    const sign = this.#take(/[-~+]/y);
    let value: bigint;
    if (sign !== '') {
      value = this.#unary();
      if (sign === '-') value = within(-value, 'negation');
      else if (sign === '~') value = ~value;
    } else if (this.#take(/\(/y) !== '') {
      value = this.#binary(0);
      if (this.#take(/\)/y) === '') throw new Problem('expecting closing parenthesis');
      this.#skip();
    } else {
      value = this.#number();
    }
    this.#depth--;
    return value;
  }

  #number(): bigint {
    const digits = this.#decimalOnly ? this.#take(/\d+/y) : this.#take(/0[xX][0-9A-Fa-f]*|0[0-7]*|[1-9]\d*/y);
    if (digits === '') throw new Problem('expecting number or opening parenthesis');
    let value = parseDigits(digits, this.#decimalOnly);
    if (value > greatest) value = greatest;
    const factor = factors.get(lower(this.#take(/[kmgKMG]/y)));
    if (factor !== undefined) value = wrap(value * factor);
    this.#skip();
    return value;
  }
}

function parseDigits(digits: string, decimalOnly: boolean): bigint {
  // what is far too great need not be converted
  if (digits.length > 100) return greatest + 1n;
  if (decimalOnly) return BigInt(digits);
  if (/^0x$/i.test(digits)) return 0n;
  if (/^0[0-7]+$/.test(digits)) return BigInt(`0o${digits.slice(1)}`);
  return BigInt(digits);
}

/** The value of the expression, or what is wrong with it. */
export function evaluate(text: string, decimalOnly: boolean): bigint | { readonly error: string } {
  const evaluator = new Evaluator(text, decimalOnly);
  try {
    return evaluator.all();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return { error: `${problem.message} (after processing "${text.slice(0, evaluator.at)}")` };
  }
}
