/** The tree that the text of an expansion is parsed to. Each node keeps its place in the text. */

export type Node =
  | { readonly kind: 'literal'; readonly at: number; readonly text: string }
  | { readonly kind: 'sequence'; readonly at: number; readonly parts: readonly Node[] }
  | { readonly kind: 'variable'; readonly at: number; readonly name: string }
  | HeaderNode
  /** `name` as written, with what stands behind its underscore. */
  | { readonly kind: 'operator'; readonly at: number; readonly name: string; readonly operand: Node }
  | ItemNode
  /** A mistake in the text: the error comes when the evaluation reaches this place. */
  | { readonly kind: 'mistake'; readonly at: number; readonly message: string };

export interface HeaderNode {
  readonly kind: 'header';
  readonly at: number;
  /** How the header line is presented: decoded and translated, decoded, raw, as a list. */
  readonly form: 'header' | 'bheader' | 'rheader' | 'lheader';
  readonly name: string;
}

export interface ItemNode {
  readonly kind: 'item';
  readonly at: number;
  readonly name: string;
  /** Words outside braces: a search type, `json`, options of `run`. */
  readonly words: readonly string[];
  readonly arguments: readonly Node[];
  readonly condition?: Condition | undefined;
  readonly yes?: Node | undefined;
  /** The second string, `fail` for the word, nothing when it was left out. */
  readonly no?: Node | 'fail' | undefined;
}

export interface Condition {
  readonly at: number;
  readonly name: string;
  readonly negated: boolean;
  readonly arguments: readonly Node[];
  /** The sub-conditions of `and`, `or`, `forany` … */
  readonly conditions: readonly Condition[];
  /** A variable or header name behind `def:`. */
  readonly word?: string | undefined;
  readonly header?: HeaderNode | undefined;
}
