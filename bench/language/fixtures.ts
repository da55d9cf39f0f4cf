/** What is measured: an expansion, tables, a long configuration. */

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** 20 nodes, of text, variables, operators and conditions, none of which asks anything outside. */
export const expansion =
  '${if eq{${lc:$primary_hostname}}{bench.example}{yes-${length_5:$qualify_domain}}{no}} ${uc:$primary_hostname}: ${substr_1_3:$qualify_domain}.$version_number-$qualify_domain/$primary_hostname';

export const head = (directory: string, user: string): string => `
exim_user = ${user}
spool_directory = ${directory}/spool
log_file_path = ${directory}/log/%slog
primary_hostname = bench.example
qualify_domain = bench.example
keep_environment =
`;

/** Domains of a table; the tests ask for some that are in it and some that are not. */
export const domain = (at: number): string => `d${at}.list.example`;

/** Writes a table of so many lines, as text and as cdb. */
export function writeTable(directory: string, name: string, count: number, dbmbuild: string): void {
  const text = join(directory, name);
  writeFileSync(text, Array.from({ length: count }, (_, at) => `${domain(at)}: x\n`).join(''));
  const { status, stderr } = spawnSync(dbmbuild, ['-nozero', text, `${text}.cdb`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`exim_dbmbuild failed: ${stderr}`);
}

export const lists = (directory: string): string => `
domainlist small = cdb;${directory}/small.cdb
domainlist large = cdb;${directory}/large.cdb
domainlist inline = ${Array.from({ length: 10 }, (_, at) => domain(at)).join(' : ')}
`;

/** A configuration of 2,000 lines of all sections. */
export function longConfiguration(directory: string, user: string): string {
  const parts: string[] = [head(directory, user)];
  for (let at = 0; at < 50; at++) parts.push(`MACRO${at}X = value${at}\n`);
  for (let at = 0; at < 100; at++)
    parts.push(`domainlist list${at} = a${at}.example : *.b${at}.example : lsearch;/etc/d${at}\n`);
  parts.push('begin acl\n');
  for (let at = 0; at < 60; at++) {
    parts.push(`acl${at}:
  deny message = rejected \${lc:$sender_host_address} by MACRO${at % 50}X
       domains = +list${at}
       condition = \${if and{{eq{$sender_address}{x@y}}{match{$local_part}{^a.*b}}}{yes}{no}}
  warn set acl_m_x${at} = \${lookup{$domain}lsearch{/etc/x${at}}{$value}{none}}
  accept
`);
  }
  parts.push('begin routers\n');
  for (let at = 0; at < 90; at++) {
    parts.push(`router${at}:
  driver = redirect
  domains = +list${at}
  local_parts = \${if eq{$domain}{q}{a}{b}}
  data = \${lookup{$local_part@$domain}lsearch{/etc/aliases${at}}}
  file_transport = transport0
`);
  }
  parts.push('begin transports\n');
  for (let at = 0; at < 90; at++) {
    parts.push(`transport${at}:
  driver = appendfile
  directory = /mail/$local_part_data/MACRO${at % 50}X
  maildir_format
  quota = \${lookup{$local_part_data}lsearch{/etc/quota}{$value}{10M}}
  user = ${user}
`);
  }
  parts.push('begin retry\n');
  while (parts.join('').split('\n').length < 2000) parts.push(`r${parts.length}.example  *  F,2h,15m; G,16h,1h,1.5\n`);
  return parts.join('');
}
