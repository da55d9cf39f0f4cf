/** All expanded strings of a configuration, each with where it stands: for checks that look into them. */

import type { Config } from '../config/config.ts';
import { compileTemplate, type Template } from '../expand/expand.ts';

export interface PlacedTemplate {
  /** `transport maildir: directory`. */
  readonly place: string;
  /** The option's name. */
  readonly option: string;
  readonly template: Template;
}

function isTemplate(value: unknown): value is Template {
  return typeof value === 'object' && value !== null && 'expand' in value && 'source' in value && 'tree' in value;
}

/** The template of an option's value: the value itself, or that of a list. */
function templateOf(value: unknown): Template | undefined {
  if (isTemplate(value)) return value;
  const inner = typeof value === 'object' && value !== null && 'template' in value ? value.template : undefined;
  return isTemplate(inner) ? inner : undefined;
}

function* ofOptions(
  place: string,
  set: ReadonlySet<string>,
  values: Readonly<Record<string, unknown>>,
): Generator<PlacedTemplate> {
  for (const option of set) {
    const template = templateOf(values[option]);
    if (template !== undefined) yield { place: `${place}${option}`, option, template };
  }
}

/** Only what the configuration sets itself. */
export function* templatesOf(config: Config): Generator<PlacedTemplate> {
  yield* ofOptions('', config.mainSet, config.main);
  for (const lists of Object.values(config.namedLists)) {
    for (const [name, { kind, text }] of lists) {
      yield { place: `${kind}list ${name}`, option: 'list', template: compileTemplate(text) };
    }
  }
  for (const { name, set, common, options } of config.routers) {
    yield* ofOptions(`router ${name}: `, set, { ...common, ...options });
  }
  for (const { name, set, common, options } of config.transports.values()) {
    yield* ofOptions(`transport ${name}: `, set, { ...common, ...options });
  }
  for (const { name, statements } of config.acls.values()) {
    for (const { clauses, place } of statements) {
      for (const { name: clause, template } of clauses) {
        yield { place: `ACL ${name} (${place}): ${clause}`, option: clause, template };
      }
    }
  }
}
