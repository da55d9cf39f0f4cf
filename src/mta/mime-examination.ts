/** Runs the MIME ACL for each part of a message, and of the messages attached to it (Exim spec 45.4). */

import type { AclResult } from '../acl/acl.ts';
import type { MimeFacts } from '../expand/content-facts.ts';
import type { Template } from '../expand/expand.ts';
import { MimeLines } from '../mail/mime-lines.ts';
import { type MimePart, walkParts } from '../mail/mime-walk.ts';
import * as files from '../safe/files.ts';
import { type Clean, Text } from '../safe/taint.ts';
import type { AclRunner } from './acl-runner.ts';
import type { Arrival } from './arrival.ts';
import { type ContentTools, MimeContent } from './mime-content.ts';

/** Parts of a message with all that is attached to it, and attached messages within each other, that are looked at. */
const most = 10_000;
const deepest = 20;

/** What the ACL said to the part that decided; nothing when the message has no parts or no such ACL is run. */
export async function examineParts(
  option: Template | undefined,
  arrival: Arrival,
  acls: AclRunner,
): Promise<AclResult | undefined> {
  const { copy } = acls.requests;
  const { message } = arrival.context;
  if (option === undefined || copy === undefined || message === undefined) return undefined;
  if (!arrival.headers.some(({ type, text }) => type !== '*' && /^content-type:/i.test(text))) return undefined;
  const complain = (text: string): void => acls.log(['main', 'panic'], text);
  const tools: ContentTools = { copy, numbers: new Map(), complain };
  let seen = 0;
  const excessive = (): AclResult => ({
    ...acls.denial(),
    userMessage: 'This message has too many MIME parts',
    logMessage: 'more MIME parts, or more of them within each other, than are looked at',
  });

  const examineOne = async (
    part: MimePart,
    lines: MimeLines,
    depth: number,
    attached: Attachment[],
  ): Promise<AclResult | undefined> => {
    if (++seen > most) return excessive();
    const facts: MimeFacts = {
      header: part.header,
      isCoverLetter: part.isCoverLetter,
      isMultipart: part.isMultipart,
      isAttached: depth > 0,
      contentSize: 0,
      decodedFilename: Text.empty,
    };
    message.mime = facts;
    message.mimePartCount = part.number;
    const content = new MimeContent(part, lines, facts, tools);
    acls.requests.part = content;
    const result = await acls.run('MIME', option);
    if (result !== undefined && result.outcome !== 'accept') return result;
    if (!part.header.contentType.startsWith('message/rfc822')) return undefined;
    const isTemporary = content.file === undefined;
    if (isTemporary && !(await content.decode(Text.empty))) return { ...acls.denial(), outcome: 'defer' };
    if (content.file !== undefined) attached.push({ file: content.file, isTemporary });
    return undefined;
  };

  const examineMessage = async (path: Clean, depth: number): Promise<AclResult | undefined> => {
    if (depth > deepest) return excessive();
    const attached: Attachment[] = [];
    const file = files.open(path);
    let decided: AclResult | undefined;
    try {
      const lines = new MimeLines((buffer, at) => files.readLater(file, buffer, at), 0);
      const end = await walkParts(lines, arrival.context.settings.checkRfc2047Length, async (part) => {
        decided = await examineOne(part, lines, depth, attached);
        return decided === undefined;
      });
      if (end === 'too deep') decided = excessive();
      const count = message.mimePartCount ?? -1;
      for (const { file } of attached) decided ??= await examineMessage(file, depth + 1);
      message.mimePartCount = count;
      return decided;
    } finally {
      files.close(file);
      for (const { file, isTemporary } of attached) if (isTemporary) files.removeIfPossible(file);
    }
  };

  try {
    return await examineMessage((await copy.file()).path, 0);
  } finally {
    message.mime = undefined;
    acls.requests.part = undefined;
  }
}

interface Attachment {
  readonly file: Clean;
  /** No ACL has asked for the file. */
  readonly isTemporary: boolean;
}
