/** The appendfile transport: mailbox files, maildirs and other directories (Exim spec 26). */

import type { Context } from '../expand/context.ts';
import { compileTemplate, type Template } from '../expand/expand.ts';
import { base62 } from '../lib/base62.ts';
import { splitList } from '../lib/list-text.ts';
import { lower, trim } from '../lib/octets.ts';
import type { OptionsOf } from '../options/table.ts';
import { type Clean, concat, decimal, literal, pathComponent, reviewed } from '../safe/taint.ts';
import { checkAppendfile } from './appendfile-check.ts';
import { type AppendfileJob, inodeMark, type QuotaRules } from './appendfile-job.ts';
import { appendfileOptions } from './appendfile-options.ts';
import { lockRules, mailboxTarget } from './appendfile-target.ts';
import { batchPrefix } from './batch.ts';
import { defineLocalTransport } from './define-local-transport.ts';
import { expandOption, expandPath, give, prepared } from './expanding.ts';
import { parseQuota, type QuotaValue } from './quota-value.ts';
import type { DeliveryRequest } from './transport.ts';

type Options = OptionsOf<typeof appendfileOptions>;

/** The number that logs have for a message_prefix or message_suffix that cannot be expanded. */
const notExpanded = -27;

/** What the owner of a mailbox is told when nothing else is configured. */
const standardWarning = compileTemplate(
  [
    'To: $local_part@$domain\\n',
    'Subject: Your mailbox\\n\\n',
    'This message is automatically created by mail delivery software (Tabella).\\n\\n',
    'The size of your mailbox has exceeded a warning threshold that is\\n',
    'set by the system administrator.\\n',
  ].join(''),
);

async function quotaValue(
  template: Template | undefined,
  transport: string,
  context: Context,
  mayBePercentage = false,
): Promise<QuotaValue | undefined> {
  if (template === undefined) return undefined;
  const expansion = await template.expand(context);
  if (!expansion.ok)
    return give(`Expansion of "${template.source}" in ${transport} transport failed: ${expansion.message}`);
  if (trim(expansion.text.value) === '') return undefined;
  const value = parseQuota(expansion.text.value);
  return (
    (value?.isPercentage === true && !mayBePercentage ? undefined : value) ??
    give(`Malformed value "${expansion.text.value}" (expansion of "${template.source}") in ${transport} transport`)
  );
}

async function quotaRules(options: Options, request: DeliveryRequest): Promise<QuotaRules> {
  const { transport, context } = request;
  const value = (template: Template | undefined): Promise<QuotaValue | undefined> =>
    quotaValue(template, transport, context);
  const [limit, count, threshold] = [
    await value(options.quota),
    await value(options.quota_filecount),
    await quotaValue(options.quota_warn_threshold, transport, context, true),
  ];
  const percentage = threshold?.isPercentage === true;
  if (percentage && threshold.value > 100) {
    give(`Invalid quota_warn_threshold percentage (${threshold.value}) for ${transport} transport`);
  }
  const warnAt = percentage
    ? Math.floor(((limit?.value ?? 0) * (threshold?.value ?? 0)) / 100)
    : (threshold?.value ?? 0);
  return {
    limit: limit?.value ?? 0,
    limitIsChecked: limit?.isChecked ?? true,
    fileCount: count?.value ?? 0,
    fileCountIsChecked: count?.isChecked ?? true,
    inclusive: options.quota_is_inclusive,
    sizeRegex: options.quota_size_regex,
    directory:
      options.quota_directory &&
      (await expandPath(options.quota_directory, `quota_directory name for ${transport} transport`, context)),
    knownSize: (await value(options.mailbox_size))?.value,
    knownFileCount: (await value(options.mailbox_filecount))?.value,
    warnThreshold: warnAt,
    sizeFile: await isOn(options.maildir_use_size_file, transport, context),
    directoryRegex: options.maildir_quota_directory_regex,
  };
}

async function isOn(setting: boolean | Template, transport: string, context: Context): Promise<boolean> {
  if (typeof setting === 'boolean') return setting;
  const text = await expandOption(setting, `maildir_use_size_file for ${transport} transport`, context);
  const word = lower(trim(text?.value ?? ''));
  if (word === 'yes' || word === 'true') return true;
  if (word === 'no' || word === 'false') return false;
  return give(
    `"${text?.value}" is not a valid value for the "maildir_use_size_file" option in the ${transport} transport`,
  );
}

/** Prefix, suffix and escaping belong to mailbox files, unless the configuration says otherwise. */
async function framing(
  options: Options,
  set: ReadonlySet<string>,
  format: AppendfileJob['format'],
  request: DeliveryRequest,
): Promise<Pick<AppendfileJob, 'prefix' | 'suffix' | 'check' | 'escape' | 'escapesHeaders'>> {
  const { transport, context } = request;
  const plain = format !== 'file' || options.use_bsmtp;
  const text = async (name: 'message_prefix' | 'message_suffix'): Promise<string> => {
    const template = options[name];
    if (template === undefined || (plain && !set.has(name))) return '';
    if (template.constant !== undefined) return template.constant.value;
    const expansion = await template.expand(context);
    if (expansion.ok) return expansion.text.value;
    const part = name.slice('message_'.length);
    return give(`Expansion of "${template.source}" (${part} for ${transport} transport) failed`, notExpanded);
  };
  const prefix = await text('message_prefix');
  const suffix = await text('message_suffix');
  if (options.use_bsmtp) {
    const newline = options.use_crlf ? '\r\n' : '\n';
    return {
      prefix: `${prefix}${batchPrefix(request, newline)}`,
      suffix: `${suffix}.${newline}`,
      check: '.',
      escape: '..',
      escapesHeaders: true,
    };
  }
  const check = plain && !set.has('check_string') ? '' : (options.check_string ?? '');
  const escape = plain && !set.has('escape_string') ? '' : (options.escape_string ?? '');
  return { prefix, suffix, check, escape, escapesHeaders: false };
}

/** Where files may be made (create_file). */
function creation(options: Options, request: DeliveryRequest): AppendfileJob['creation'] {
  const setting = options.create_file;
  if (setting === 'anywhere') return { where: 'anywhere' };
  const directory = setting === 'inhome' || setting === 'belowhome' ? request.home : setting;
  if (directory === undefined) return { where: 'nowhere' };
  return { where: setting === 'inhome' ? 'in' : 'below', directory };
}

/** The tag behind the name of a maildir file: printing characters, no slash; a colon in front of a letter or digit. */
async function maildirTag(options: Options, request: DeliveryRequest, size: number): Promise<Clean | undefined> {
  const { maildir_tag: template } = options;
  if (template === undefined) return undefined;
  const { message } = request.context;
  const context = message === undefined ? request.context : { ...request.context, message: { ...message, size } };
  const text = await expandOption(template, `maildir_tag for ${request.transport} transport`, context, 'is nothing');
  const tag = (text?.value ?? '').replace(/[^!-~]|\//g, '');
  if (tag === '') return undefined;
  return reviewed(/^[A-Za-z0-9]/.test(tag) ? `:${tag}` : tag, 'no slash and no control character is left in it');
}

async function directoryFile(options: Options, request: DeliveryRequest): Promise<string | undefined> {
  const { context, transport } = request;
  if (context.delivery === undefined) return undefined;
  const withMark = { ...context, delivery: { ...context.delivery, inode: inodeMark } };
  const text = await expandOption(
    options.directory_file,
    `directory_file for ${transport} transport`,
    withMark,
    'is an error',
    0,
  );
  const name = text?.value ?? '';
  // one component of a path leads nowhere else, whoever wrote it
  return pathComponent(name) ?? give(`directory_file "${name}" of ${transport} transport is no name of a file`);
}

/** `file_format`: a list of pairs. */
function fileFormats(option: string | undefined): AppendfileJob['fileFormats'] {
  const { items } = splitList(option ?? '');
  return items.flatMap((start, i) => (i % 2 === 0 ? [{ start, transport: items[i + 1] ?? '' }] : []));
}

/** Octets that will be written, when no line is changed on the way. */
function writtenSize(request: DeliveryRequest, job: { readonly prefix: string; readonly suffix: string }): number {
  const { headers, body } = request.content;
  const { common } = request;
  const head = common.body_only ? 0 : headers.length + 1;
  return job.prefix.length + head + (common.headers_only ? 0 : body.size) + job.suffix.length;
}

async function envelopeText(options: Options, request: DeliveryRequest): Promise<string> {
  const part = async (name: 'mailstore_prefix' | 'mailstore_suffix'): Promise<string> => {
    const template = options[name];
    if (template === undefined) return '';
    const text = await expandOption(
      template,
      `${name.replace('_', ' ')} for ${request.transport} transport`,
      request.context,
      'is nothing',
    );
    return text === undefined || text.value === '' ? '' : text.value.replace(/\n?$/, '\n');
  };
  const lines = [request.returnPath, ...request.addresses.map(({ recipient }) => recipient)];
  return `${await part('mailstore_prefix')}${lines.map((line) => `${line}\n`).join('')}${await part('mailstore_suffix')}`;
}

/** The warning; nothing is sent, and the message is delivered all the same, when it cannot be made. */
async function warningText(options: Options, { transport, context }: DeliveryRequest): Promise<string | undefined> {
  const template = options.quota_warn_message ?? standardWarning;
  const expansion = await template.expand(context);
  if (expansion.ok) return expansion.text.value;
  const what = `warning message for ${transport} transport`;
  context.services.log(`Failed to expand "${template.source}" (${what}): ${expansion.message}`);
  return undefined;
}

async function prepare(
  options: Options,
  set: ReadonlySet<string>,
  request: DeliveryRequest,
): Promise<{ readonly job: AppendfileJob }> {
  const { transport, context, addresses } = request;
  const file = addresses[0]?.file;
  const { format, path } = await mailboxTarget(options, { transport, context, file });
  const frame = await framing(options, set, format, request);
  const quota = await quotaRules(options, request);
  const warning = quota.warnThreshold > 0 ? await warningText(options, request) : undefined;
  const job: AppendfileJob = {
    driver: 'appendfile',
    transport: request.transport,
    messageId: request.messageId,
    hostname: request.primaryHostname,
    dialect: request.dialect ?? 4,
    format,
    mbx: format === 'file' && options.mbx_format,
    path,
    place: file !== undefined && (options.file ?? options.directory) !== undefined ? path : undefined,
    uid: request.uid,
    gid: request.gid,
    headers: !request.common.body_only,
    body: !request.common.headers_only,
    crlf: options.use_crlf || (format === 'file' && options.mbx_format),
    ...frame,
    mode: request.addresses[0]?.mode || options.mode,
    setsMode: (request.addresses[0]?.mode ?? 0) !== 0,
    directoryMode: options.directory_mode,
    createDirectory: options.create_directory,
    creation: creation(options, request),
    mustExist: options.file_must_exist,
    fileFormats: fileFormats(options.file_format),
    checkOwner: options.check_owner,
    checkGroup: options.check_group,
    failNarrower: options.mode_fail_narrower,
    allowSymlink: options.allow_symlink,
    allowFifo: options.allow_fifo,
    lock: lockRules(options, set),
    quota: warning === undefined ? { ...quota, warnThreshold: 0 } : quota,
    messageSize: request.roomFor ?? request.context.message?.size ?? writtenSize(request, frame),
    onlyQuota: request.roomFor !== undefined,
    warningMessage: warning ?? '',
    comsatUser: options.notify_comsat && request.roomFor === undefined ? (context.address?.localPart ?? '') : '',
    maildirTag: format === 'maildir' ? await maildirTag(options, request, writtenSize(request, frame)) : undefined,
    maildirRetries: options.maildir_retries,
    maildirFolderRegex: options.maildirfolder_create_regex,
    directoryFile: format === 'directory' ? await directoryFile(options, request) : undefined,
    mailstoreName: concat(
      request.messageId,
      literal('-'),
      reviewed(base62(process.pid, 6), 'digits of base 62'),
      decimal(0),
    ),
    mailstoreEnvelope: format === 'mailstore' ? await envelopeText(options, request) : '',
  };
  return { job };
}

export const appendfile = defineLocalTransport({
  name: 'appendfile',
  isQuick: true,
  knowsQuota: true,
  summary: 'writes to a mailbox file, a maildir or another directory',
  options: appendfileOptions,
  check: checkAppendfile,
  prepare: (options, set) => (request) => prepared(() => prepare(options, set, request)),
  perform: async (job: AppendfileJob, content) =>
    (await import('./appendfile-delivery.ts')).performAppendfile(job, content),
  filterProblems: {
    whileWriting: ({ path }: AppendfileJob) => ` while writing to ${path}`,
  },
});
