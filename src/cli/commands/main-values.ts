/** Main options whose value is not in the table: the host, the installation or other options say what they are. */

import type { Config } from '../../config/config.ts';
import type { Installation } from '../../config/installation.ts';
import type { Context } from '../../expand/context.ts';
import type { Template } from '../../expand/expand.ts';
import { compatibilityLevel } from '../../expand/version.ts';
import { formatInterval } from '../../lib/intervals.ts';
import { earlyContext } from '../../mta/early-context.ts';
import { findPrivileged } from '../../mta/privileged.ts';
import { BadSetting, effectiveServerUser } from '../../mta/settings.ts';
import { groupWithId, userWithId } from '../../safe/users.ts';

/** Where the values come from. */
export interface MainValueSources {
  readonly config: Config;
  readonly installation: Installation;
  /** The environment that is kept. */
  readonly environment: ReadonlyMap<string, string>;
}

async function expanded(template: Template, name: string, context: Context): Promise<string> {
  const expansion = await template.expand(context);
  if (!expansion.ok) throw new BadSetting(`failed to expand ${name} "${template.source}": ${expansion.message}`);
  return expansion.text.value;
}

const groupName = (gid: number): string => groupWithId(gid)?.name ?? String(gid);
const userName = (uid: number): string => userWithId(uid)?.name ?? String(uid);

const nameLists = ['admin_groups', 'never_users', 'trusted_groups', 'trusted_users'] as const;

/**
 * The values by the names of the options. Paths that are expansions come out expanded.
 * @throws BadSetting
 */
export async function mainValues({
  config,
  installation,
  environment,
}: MainValueSources): Promise<ReadonlyMap<string, string>> {
  const { main } = config;
  const early = earlyContext(config, installation, environment);
  const basic = early.settings;
  try {
    const spool =
      main.spool_directory === undefined
        ? installation.spoolDirectory
        : await expanded(main.spool_directory, 'spool_directory', early.context(basic));
    const context = early.context({ ...basic, spoolDirectory: spool });
    const path = async (
      name: 'log_file_path' | 'pid_file_path',
      installed: string,
      inSpool: string,
    ): Promise<string> => {
      const template = main[name];
      if (template !== undefined) return expanded(template, name, context);
      return installed === '' ? `${spool}/${inSpool}` : installed;
    };
    const user = effectiveServerUser(config, installation);
    await findPrivileged(config, context);
    const { system_filter_user: filterUser, system_filter_group: filterGroup } = main;
    const values = new Map([
      ['spool_directory', spool],
      ['log_file_path', await path('log_file_path', installation.logFilePath, 'log/%slog')],
      ['pid_file_path', await path('pid_file_path', installation.pidFilePath, 'exim-daemon.pid')],
      ['process_log_path', main.process_log_path || `${spool}/exim-process.info`],
      ['primary_hostname', basic.primaryHostname],
      ['qualify_domain', basic.qualifyDomain],
      ['qualify_recipient', basic.qualifyRecipient],
      ['exim_user', userName(user.uid)],
      ['exim_group', groupName(user.gid)],
      ['exim_path', basic.eximPath],
      ['exim_version', main.exim_version ?? compatibilityLevel],
      ['retry_interval_max', formatInterval(Math.min(main.retry_interval_max, 86_400))],
      ['remote_max_parallel', String(Math.max(main.remote_max_parallel, 1))],
    ]);
    for (const name of nameLists) {
      const list = main[name];
      if (list !== undefined && 'template' in list) values.set(name, await expanded(list.template, name, context));
    }
    if (filterGroup === undefined && filterUser !== undefined && 'user' in filterUser) {
      values.set('system_filter_group', groupName(filterUser.user.gid));
    }
    return values;
  } finally {
    early.close();
  }
}
