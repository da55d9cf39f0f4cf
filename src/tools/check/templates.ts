/** All expanded strings of a configuration, each with where it stands: for checks that look into them. */

import type { Config } from '../../config/config.ts';
import type { ListKind } from '../../expand/context.ts';
import { compileTemplate, type Template } from '../../expand/expand.ts';
import type { Place } from './remark.ts';
import { placeOfStatement } from './unreachable.ts';

export interface PlacedTemplate {
  /** `transport maildir: directory`. */
  readonly place: string;
  /** The last line of what it belongs to. */
  readonly where: Place | undefined;
  /** The option's name. */
  readonly option: string;
  readonly template: Template;
  /** What is in it, when it is a list. */
  readonly list?: ListKind | undefined;
}

function isTemplate(value: unknown): value is Template {
  return typeof value === 'object' && value !== null && 'expand' in value && 'source' in value && 'tree' in value;
}

/** The template of an option's value: the value itself, or that of a list. */
function templateOf(value: unknown): Pick<PlacedTemplate, 'template' | 'list'> | undefined {
  if (isTemplate(value)) return { template: value };
  const inner = typeof value === 'object' && value !== null && 'template' in value ? value.template : undefined;
  if (!isTemplate(inner)) return undefined;
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
  return { template: inner, list: kinds.find((each) => each === kind) };
}

const kinds: readonly ListKind[] = ['domain', 'host', 'address', 'localpart'];

function* ofOptions(
  place: string,
  where: Place | undefined,
  set: ReadonlySet<string>,
  values: Readonly<Record<string, unknown>>,
): Generator<PlacedTemplate> {
  for (const option of set) {
    const found = templateOf(values[option]);
    if (found !== undefined) yield { place: `${place}${option}`, where, option, ...found };
  }
}

/** Only what the configuration sets itself. */
export function* templatesOf(config: Config): Generator<PlacedTemplate> {
  yield* ofOptions('', undefined, config.mainSet, config.main);
  for (const lists of Object.values(config.namedLists)) {
    for (const [name, { kind, text, place }] of lists) {
      yield {
        place: `${kind}list ${name}`,
        where: place,
        option: 'list',
        template: compileTemplate(text),
        list: kind,
      };
    }
  }
  for (const { name, set, common, options, place } of config.routers) {
    yield* ofOptions(`router ${name}: `, place, set, { ...common, ...options });
  }
  for (const { name, set, common, options, place } of config.transports.values()) {
    yield* ofOptions(`transport ${name}: `, place, set, { ...common, ...options });
  }
  for (const { name, statements } of config.acls.values()) {
    for (const { clauses, place } of statements) {
      for (const { name: clause, template } of clauses) {
        yield { place: `ACL ${name}: ${clause}`, where: placeOfStatement(place), option: clause, template };
      }
    }
  }
}
