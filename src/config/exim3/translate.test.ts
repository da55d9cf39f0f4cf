/** Every difference between the drivers of the two Exims has its translation. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { has, type Sections, translate } from './test-translate.ts';

describe('drivers', () => {
  const director = (options: string): string => `d:\n${options.replace(/^/gm, '  ')}`;
  const rows: readonly (readonly [string, Sections, ...string[]])[] = [
    [
      'aliasfile',
      { directors: director('driver = aliasfile\nsearch_type = lsearch\nfile = /a') },
      'driver = redirect',
      'data = ${lookup{$local_part}lsearch{/a}}',
      'allow_fail',
      'allow_defer',
      'retry_use_local_part',
    ],
    [
      'aliasfile with special items forbidden',
      { directors: director('driver = aliasfile\nsearch_type = lsearch\nfile = /a\nforbid_special') },
      'forbid_blackhole',
      'no: allow_fail',
      'no: allow_defer',
    ],
    [
      'aliasfile with the domain',
      { directors: director('driver = aliasfile\nsearch_type = dbm*@\nfile = /a\ninclude_domain\nexpand\noptional') },
      'data = ${expand:${if exists{/a}{${lookup{$local_part@$domain}dbm*@{/a}}}}}',
    ],
    [
      'aliasfile with queries',
      { directors: director("driver = aliasfile\nsearch_type = mysql\nqueries = select '$key' : b") },
      "data = ${lookup mysql{select '${quote_mysql:$local_part}'}{$value}{${lookup mysql{b}{$value}{}}}}",
    ],
    [
      'aliasfile with a transport',
      { directors: director('driver = aliasfile\nsearch_type = lsearch\nfile = /a\ntransport = t\ncondition = x') },
      'driver = accept',
      'condition = ${if eq{}{${lookup{$local_part}lsearch{/a}}}{no}{yes}}',
      'condition = x',
      'transport = t',
    ],
    [
      'forwardfile',
      { directors: director('driver = forwardfile\nfile = .forward\nfilter') },
      'driver = redirect',
      'check_local_user',
      'file = $home/.forward',
      'allow_filter',
    ],
    [
      'forwardfile without a user',
      { directors: director('driver = forwardfile\nfile = f\nno_check_local_user\nfile_directory = /l/$domain') },
      'file = /l/SAFE_DOMAIN/f',
      'no: check_local_user',
    ],
    [
      'smartuser with an address',
      { directors: director('driver = smartuser\nnew_address = a@b') },
      'driver = redirect',
      'data = a@b',
    ],
    [
      'smartuser with a transport',
      { directors: director('driver = smartuser\ntransport = t') },
      'driver = accept',
      'transport = t',
    ],
    [
      'smartuser with both',
      { directors: director('driver = smartuser\ntransport = t\nnew_address = a@b') },
      'redirect_router = d_delivery',
      'd_delivery:',
      'condition = ${if eq{$address_data}{d}}',
    ],
    [
      'localuser',
      {
        directors: director(
          'driver = localuser\ntransport = t\nmatch_directory = ^/home/\ncurrent_directory = /\nhome_directory = /h',
        ),
      },
      'driver = accept',
      'check_local_user',
      'condition = ${if match{$home}{\\N^/home/\\N}}',
      'transport_current_directory = /',
      'transport_home_directory = /h',
    ],
    [
      'affixes',
      {
        directors: director(
          'driver = localuser\ntransport = t\nprefix = real-\nprefix_optional\nsuffix = -*\nnew_director = d\nlocal_parts = real-a',
        ),
      },
      'local_part_prefix = real-',
      'local_part_prefix_optional',
      'local_part_suffix = -*',
      'redirect_router = d',
      'condition = ${if match_local_part{$local_part_prefix$local_part$local_part_suffix}{real-a}{yes}{no}}',
    ],
    [
      'no_more with a condition',
      { directors: director('driver = smartuser\nnew_address = a@b\nsenders = a@b\nlocal_parts = x\nno_more') },
      'd_no_more:',
      'local_parts = x',
      'data = :unknown:',
    ],
    [
      'locally_caseless',
      { main: 'no_locally_caseless', directors: director('driver = smartuser\ntransport = t') },
      'caseful_local_part',
    ],
    [
      'lookuphost',
      { routers: 'r:\n  driver = lookuphost\n  transport = t' },
      'driver = dnslookup',
      'domains = ! +local_domains',
      'no_more',
      'no: not_for_other_domains:',
    ],
    [
      'lookuphost by name',
      { routers: 'r:\n  driver = lookuphost\n  transport = t\n  gethostbyname' },
      'driver = manualroute',
      'route_data = $domain byname',
    ],
    [
      'domainlist',
      {
        routers:
          'r:\n  driver = domainlist\n  transport = t\n  route_list = a.b h byname ; c.d m.d:10.0.0.1 bydns_mx ; e.f g bydns_a',
      },
      'driver = manualroute',
      'route_list = a.b h byname ; c.d m.d/MX:10.0.0.1 ; e.f g bydns',
    ],
    [
      'domainlist with a table',
      { routers: 'r:\n  driver = domainlist\n  transport = t\n  search_type = lsearch\n  route_file = /r' },
      'route_data = ${sg{${lookup{$domain}lsearch{/r}}}{\\N\\bbydns_(a|mx)\\b\\N}{bydns}}',
    ],
    [
      'self',
      {
        routers:
          'a:\n  driver = lookuphost\n  self = fail_soft\nb:\n  driver = lookuphost\n  self = fail_hard\nc:\n  driver = lookuphost\n  self = local',
        directors: director('driver = smartuser\ntransport = t'),
      },
      'self = pass',
      'self = fail',
      'pass_router = d',
      'not_for_other_domains:',
    ],
    [
      'the last router with a condition',
      { routers: 'r:\n  driver = ipliteral\n  transport = t\n  domains = a.b' },
      'domains = ! +local_domains : a.b',
      'not_for_other_domains:',
      'data = :unknown:',
    ],
    [
      'iplookup',
      { routers: 'r:\n  driver = iplookup\n  hosts = a' },
      'driver = iplookup',
      'domains = ! +local_domains',
    ],
    [
      'appendfile',
      {
        transports:
          't:\n  driver = appendfile\n  file = /m/$local_part\n  prefix = ""\n  suffix = x\n  batch = domain\n  require_lockfile',
      },
      'file = /m/SAFE_LOCAL_PART',
      'message_prefix = ""',
      'message_suffix = x',
      'batch_id = $domain',
      'batch_max = 100',
      'no: require_lockfile',
    ],
    [
      'appendfile for local users',
      {
        transports: 't:\n  driver = appendfile\n  file = /m/$local_part',
        directors: director('driver = localuser\ntransport = t'),
      },
      'file = /m/${local_part_data}',
    ],
    [
      'batched SMTP',
      {
        transports: 't:\n  driver = pipe\n  command = /x\n  bsmtp = all\n  bsmtp_helo\n  batch_max = 7\n  no_from_hack',
      },
      'use_bsmtp',
      'batch_max = 7',
      'message_prefix = "HELO $primary_hostname\\n"',
      'check_string =',
    ],
    [
      'smtp',
      {
        transports:
          't:\n  driver = smtp\n  batch_max = 5\n  authenticate_hosts = *\n  tls_verify_ciphers = A\n  service = 26\n  add_headers = X: y',
      },
      'connection_max_messages = 5',
      'hosts_try_auth = *',
      'tls_require_ciphers = A',
      'port = 26',
      'headers_add = X: y',
    ],
    [
      'retry and rewriting rules',
      { retry: '^x.* timeout_DNS F,1h,1m\nlsearch;/a * F,1h,1m', rewrite: '^(.*)@a$ $1@b Eh' },
      '\\N^x.*\\N  lookup F,1h,1m',
      '*@lsearch;/a  * F,1h,1m',
      '\\N^(.*)@a$\\N  $1@b Eh',
    ],
  ];
  for (const [name, sections, ...wanted] of rows) {
    it(name, () => {
      const { lines, told } = translate(sections);
      has(lines, wanted);
      assert.deepEqual(
        told.filter((line) => line.startsWith('error')),
        [],
      );
    });
  }

  it('that are called alike get names of their own', () => {
    const { lines, told } = translate({
      directors: 'x:\n  driver = smartuser\n  transport = t',
      routers: 'x:\n  driver = lookuphost',
    });
    has(lines, ['x:', 'x_director:']);
    assert.deepEqual(told, ['warning: the director x is called as a router is; it is x_director now']);
  });

  it('tell what nobody can vouch for', () => {
    const { told } = translate({ transports: 't:\n  driver = appendfile\n  file = /m/$sender_host_name' });
    assert.deepEqual(told, ['warning: t: nobody vouches for $sender_host_name in file; such a delivery is refused']);
  });

  it('refuse a macro that would change what vouches for names of files', () => {
    const { told } = translate({ main: 'A = /', transports: 't:\n  driver = appendfile\n  file = /m/$local_part' });
    assert.deepEqual(told, ['error: the macro A is a part of what vouches for names of files']);
    assert.deepEqual(translate({ main: 'A = /' }).told, []);
  });

  it('leave macros of the old text alone that are called like ours', () => {
    const { lines } = translate({ main: 'PART = x', transports: 't:\n  driver = appendfile\n  file = /m/$local_part' });
    assert.ok(!lines.some((line) => line.includes('SAFE_LOCAL_PART')) || !lines.includes('PART = x'));
  });
});
