/** The areas that `-d` can show (Exim spec 5.1, option -d): one row per selector. */

interface DebugAreaRow {
  /** Whether plain `-d` shows it. */
  readonly standard: boolean;
  readonly doc: string;
}

const on = (doc: string): DebugAreaRow => ({ standard: true, doc });
const off = (doc: string): DebugAreaRow => ({ standard: false, doc });

export const debugAreas = {
  acl: on('ACL statements, conditions and verdicts'),
  auth: on('authenticators'),
  deliver: on('general delivery logic'),
  dns: on('DNS lookups'),
  dnsbl: on('DNS black lists'),
  exec: on('programs that are run'),
  expand: off('string expansions'),
  filter: on('filter files'),
  hints_lookup: on('hints data'),
  host_lookup: on('names and addresses of hosts'),
  ident: on('RFC 1413 calls'),
  interface: on('lists of local interfaces'),
  lists: on('matching in lists'),
  load: on('the system load'),
  local_scan: on('accepted for compatibility: there is no local scan function'),
  lookup: on('files and databases'),
  memory: off('accepted for compatibility: memory is managed'),
  noutf8: off('draw trees in ASCII'),
  pid: off('the process id in front of each line'),
  process_info: on('what the process is doing'),
  queue_run: on('queue runs'),
  receive: on('reception of messages'),
  resolver: off('packets to and from name servers'),
  retry: on('retry rules and times'),
  rewrite: on('address rewriting'),
  route: on('routing of addresses'),
  timestamp: off('the time in front of each line'),
  tls: on('TLS'),
  transport: on('transports'),
  uid: on('changes of uid and gid'),
  verify: on('verification of addresses'),
} as const satisfies Readonly<Record<string, DebugAreaRow>>;

export type DebugArea = keyof typeof debugAreas;

const names = Object.keys(debugAreas) as DebugArea[];

function isArea(name: string): name is DebugArea {
  return Object.hasOwn(debugAreas, name);
}

/**
 * The areas that `-d<text>` asks for: nothing means the standard set, `+x` and `-x` add and remove, `all` is every
 * area. A plain number is taken for old callers and means the standard set.
 */
export function parseDebugAreas(text: string): ReadonlySet<DebugArea> | { readonly error: string } {
  const chosen = new Set(names.filter((name) => debugAreas[name].standard));
  if (/^\d*$/.test(text)) return chosen;
  for (const { 0: whole, 1: sign, 2: name = '', index } of text.matchAll(/([+-])([a-z0-9_]*)|./g)) {
    if (sign === undefined) {
      return { error: `malformed debug_selector setting: + or - expected but found "${text.slice(index)}"` };
    }
    if (name !== 'all' && !isArea(name)) return { error: `unknown debug_selector setting: ${whole}` };
    for (const each of name === 'all' ? names : [name as DebugArea]) {
      if (sign === '+') chosen.add(each);
      else chosen.delete(each);
    }
  }
  return chosen;
}
