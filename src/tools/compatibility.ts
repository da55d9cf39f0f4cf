/** The generated part of `docs/compatibility.md`: what a configuration of Exim may say but this version does not do. */

import { clauseDrivers } from '../acl/drivers.ts';
import { authenticatorCommonOptions } from '../authenticators/common-options.ts';
import { authenticators, routers, transports } from '../config/drivers.ts';
import { conditions } from '../expand/conditions.ts';
import { items } from '../expand/items.ts';
import { expandOperator, operators } from '../expand/operators.ts';
import { lower } from '../lib/octets.ts';
import { code, optionsNeverEffective, optionsWithoutEffect, plain, section, table } from '../options/document.ts';
import type { OptionTable } from '../options/table.ts';
import { routerCommonOptions } from '../routers/common-options.ts';
import { transportCommonOptions } from '../transports/common-options.ts';
import {
  eximAclConditions,
  eximAclModifiers,
  eximConditions,
  eximItems,
  eximLookups,
  eximOperators,
} from './exim-names.ts';
import { byName, driverFamilies, lookupNames } from './inventory.ts';
import { mainOptionSubjects } from './main-option-subjects.ts';

interface Driver {
  readonly name: string;
  readonly options: OptionTable;
}

type Where = readonly [where: string, options: OptionTable];

const family = (word: string, common: OptionTable, drivers: Iterable<Driver>): Where[] => [
  [`All ${lower(word)}s`, common],
  ...byName(drivers).map(({ name, options }): Where => [`${word} ${code(name)}`, options]),
];

const optionTables: readonly Where[] = [
  ...mainOptionSubjects.map(({ title, options }): Where => [`Main: ${title}`, options]),
  ...family('Router', routerCommonOptions, routers.values()),
  ...family('Transport', transportCommonOptions, transports.values()),
  ...family('Authenticator', authenticatorCommonOptions, authenticators.values()),
];

const aclNames: readonly string[] = ['acl', ...clauseDrivers.keys()];

/** What Exim has and what we have, by the kind of name. */
const vocabularies: readonly (readonly [kind: string, exim: readonly string[], ours: readonly string[]])[] = [
  ['Lookup types', eximLookups, lookupNames],
  ['Expansion items', eximItems, [...items.keys()]],
  ['Expansion operators', eximOperators, [expandOperator, ...operators.keys()]],
  ['Expansion conditions', eximConditions, [...conditions.keys()]],
  ['ACL conditions', eximAclConditions, aclNames],
  ['ACL modifiers', eximAclModifiers, aclNames],
];

function unknownNames(): string[][] {
  return vocabularies.flatMap(([kind, exim, ours]) => {
    const missing = exim.filter((name) => !ours.includes(name));
    return missing.length === 0 ? [] : [[kind, missing.map(code).join(', ')]];
  });
}

/** Sections in Markdown; one that would be empty is left out. */
export function compatibilityPart(): string {
  const drivers = driverFamilies.flatMap(({ title, unavailable }) =>
    unavailable.map(({ name, summary }) => [title.replace(/s$/, ''), code(name), plain(summary)]),
  );
  const unused = optionTables
    .map(([where, options]) => [where, optionsWithoutEffect(options).map(code).join(', ')])
    .filter(([, names]) => names !== '');
  const never = optionTables.flatMap(([where, options]) =>
    optionsNeverEffective(options).map(([name, why]) => [where, code(name), plain(why)]),
  );
  const parts: readonly (readonly [title: string, text: string, headings: readonly string[], rows: string[][]])[] = [
    [
      'Names that are unknown yet',
      'A configuration that uses one of them is refused when it is read or, within an expansion, when that is expanded.',
      ['What', 'Names'],
      unknownNames(),
    ],
    [
      'Drivers that cannot run yet',
      'They are read, checked and shown. Mail that needs such a router or transport waits on the queue; such an authenticator\nis not offered.',
      ['Family', 'Driver', 'What it does'],
      drivers,
    ],
    [
      'Options without effect yet',
      'They are read, checked and shown, but nothing depends on them in this version.',
      ['Where', 'Options'],
      unused,
    ],
    [
      'Options that can have no effect here',
      'They are read, checked and shown. What they are about does not exist in this program, or is so in any case.',
      ['Where', 'Option', 'Why'],
      never,
    ],
  ];
  return parts
    .filter(([, , , rows]) => rows.length > 0)
    .map(([title, text, headings, rows]) => section(title, `${text}\n`, table(headings, rows)))
    .join('\n');
}
