/** The variables about the MIME part that an ACL is about (Exim spec 45.4). */

import type { MimeHeader } from '../mail/mime-header.ts';
import type { MimeFacts } from './content-facts.ts';
import type { Context } from './context.ts';
import type { VariableRow } from './variables.ts';

const factsOf = ({ message }: Context): MimeFacts | undefined => message?.mime;

const header = (name: keyof MimeHeader, doc: string): VariableRow => ({
  doc,
  tainted: true,
  read: (context) => factsOf(context)?.header[name],
});

const flag = (name: 'isCoverLetter' | 'isMultipart' | 'isAttached', doc: string): VariableRow => ({
  doc,
  tainted: false,
  read: (context) => (factsOf(context)?.[name] ? 1 : 0),
});

export const mimeVariables = {
  mime_anomaly_level: {
    doc: 'gravity of what is wrong with the encoding of a MIME part',
    tainted: false,
    read: (context) => factsOf(context)?.anomaly?.level ?? 0,
  },
  mime_anomaly_text: {
    doc: 'what is wrong with the encoding of a MIME part',
    tainted: false,
    read: (context) => factsOf(context)?.anomaly?.text,
  },
  mime_boundary: header('boundary', 'boundary of a MIME part'),
  mime_charset: header('charset', 'character set of a MIME part'),
  mime_content_description: header('contentDescription', 'Content-Description of a MIME part'),
  mime_content_disposition: header('contentDisposition', 'Content-Disposition of a MIME part'),
  mime_content_id: header('contentId', 'Content-ID of a MIME part'),
  mime_content_size: {
    doc: 'kilobytes of a decoded MIME part',
    tainted: false,
    read: (context) => factsOf(context)?.contentSize ?? 0,
  },
  mime_content_transfer_encoding: header('contentTransferEncoding', 'Content-Transfer-Encoding of a MIME part'),
  mime_content_type: header('contentType', 'Content-Type of a MIME part'),
  mime_decoded_filename: {
    doc: 'file of a decoded MIME part',
    tainted: false,
    read: (context) => factsOf(context)?.decodedFilename,
  },
  mime_filename: header('filename', 'file name of a MIME part'),
  mime_is_coverletter: flag('isCoverLetter', 'whether a MIME part is the cover letter'),
  mime_is_multipart: flag('isMultipart', 'whether a MIME part is a container'),
  mime_is_rfc822: flag('isAttached', 'whether a MIME part is within an attached message'),
  mime_part_count: {
    doc: 'number of the MIME part',
    tainted: false,
    read: ({ message }) => message?.mimePartCount ?? -1,
  },
} satisfies Record<string, VariableRow>;
