/** The contract of authenticators (Exim spec 33). A driver is one literal in one file. */

import type { OptionsOf, OptionTable } from '../options/table.ts';
import type { AuthenticatorCommonOptions } from './common-options.ts';

export interface AuthenticatorDriver {
  readonly name: string;
  readonly summary: string;
  readonly options: OptionTable;
}

/** A configured authenticator. */
export interface AuthenticatorInstance {
  readonly name: string;
  readonly driver: AuthenticatorDriver;
  readonly common: AuthenticatorCommonOptions;
  readonly options: OptionsOf<OptionTable>;
  readonly set: ReadonlySet<string>;
  readonly hidden: ReadonlySet<string>;
}
