/** Pieces of which the generators make texts: words, variables, and how pieces are put together. */

import fc from 'fast-check';

/** One of the words, which stand in lines with blanks between them. */
export const oneOf = (...words: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...words);
export const oneOfWords = (text: string): fc.Arbitrary<string> => fc.constantFrom(...text.trim().split(/\s+/));

/** Pieces one after the other; a plain string stands for itself. */
export const sequence = (...parts: readonly (fc.Arbitrary<string> | string)[]): fc.Arbitrary<string> =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((all) => all.join(''));

/** Up to so many of a piece, with a separator between them. */
export const many = (
  piece: fc.Arbitrary<string>,
  separator: string,
  { least = 0, most = 5 }: { least?: number; most?: number } = {},
): fc.Arbitrary<string> => fc.array(piece, { minLength: least, maxLength: most }).map((parts) => parts.join(separator));

export const sample = <T>(arbitrary: fc.Arbitrary<T>, count: number, seed: number): T[] =>
  fc.sample(arbitrary, { numRuns: count, seed });

/** Texts that operators and items are fed with: numbers, lists, addresses, escapes, encoded and broken text. */
export const literals: readonly string[] = [
  ...'a b abc A.B@C.D 0 1 42 -1 7K 1+1 (2*3) 4d2h : a:b:c 1.2.3.4 1.2.3.4/24 ::1 2001:db8::1/33 yes no false'.split(
    ' ',
  ),
  ..."[ , ; @ <a@b> ' % # & (a) ^a .* 0x1F 010 1.5 3M 1G 0b101 08 99999999999 --1 5/0 7%3 1<<3 ~1 a@b,c@d b@[1.2.3.4]".split(
    ' ',
  ),
  ...'xn--bcher-kva.example xn-- ä ß.de x_y a.b-c user+tag@x.y @x.y <> user@ "x"@y /a/b ../x 1.2.3 256.1.1.1 ::ffff:1.2.3.4'.split(
    ' ',
  ),
  ...[
    'x@y.z (c)',
    '',
    ' ',
    '  x ',
    '<, a,b,c',
    ' : ',
    'a=1 b="x y"',
    '"q r"@x.y',
    '=?utf-8?q?=c3=a4?=',
    'YWJj',
    '6a6b',
  ],
  ...[
    '\\n',
    '\\t',
    '\\xff',
    '\\xc3\\xa4',
    '\\x41',
    '\\101',
    '\\\\',
    '\\$',
    '\\{',
    '\\}',
    '\\N$x\\N',
    '\\r',
    '\\xe2\\x82',
  ],
  ...[
    'a::b:c',
    '<; a;;b',
    '<\\n a\\nb',
    'a=1 b=2',
    'k= j',
    'key1:v1',
    '"a\\\\"b"',
    'Ann <a@b>',
    'a b (x(y)) <c@d>',
    'g:a@b,c@d;',
  ],
  ...[
    '\\{"a":1,"b":"x"\\}',
    '["a","b",3]',
    '\\{"a":\\{"b":[1,2]\\}\\}',
    '[]',
    'null',
    '=?iso-8859-1?q?=e4_b?=',
    'Mr. X',
  ],
];

/** Variables with the same value on both sides. */
export const variables: readonly string[] = [
  '$1 $0 ${2} $nosuch $domain $local_part $primary_hostname $qualify_domain $sender_address $sender_address_domain',
  '$sender_address_local_part $return_path $reply_address $originator_uid $caller_gid $acl_m0 $acl_c_x $acl_narg $address_data',
  '$sender_host_address $sender_host_name $sender_fullhost $sender_rcvhost $sender_ident $sender_helo_name $received_protocol',
  '$recipients_count $rcpt_count $message_size $received_count $message_linecount $body_zerocount $message_body_size',
  '$interface_address $interface_port $received_ip_address $received_port $sending_ip_address $sending_port $smtp_command',
  '$tls_in_cipher $tls_out_peerdn $tls_in_sni $tls_cipher $runrc $value $item $local_part_data $domain_data $sender_data',
  '$smtp_active_hostname $version_number $exim_version $config_dir $config_file $spool_directory $qualify_recipient',
  '$verify_mode $prdr_requested $parent_domain $original_local_part $host $host_address $home $address_file $self_hostname',
  '$regex_match_string $dkim_verify_status $spf_result $mime_charset $av_failed $bounce_return_size_limit $localhost_number',
  '$warn_message_delay $authenticated_id $authenticated_sender $sender_host_authenticated $recipient_verify_failure $r_x',
  '$h_subject: $rh_subject: $bh_to: $lh_received: $h_nosuch: ${h_from:} $header_x-y: $message_headers $message_body',
  '$message_body_end $lookup_dnssec_authenticated $host_lookup_failed $smtp_count_at_connection_start $router_name',
]
  .flatMap((line) => line.split(' '))
  .filter((word) => word !== '');
