#!/usr/bin/env node
'use strict';
// Runs the cases beside this file with any program that answers Exim's command line, and compares what it prints, with
// ids and dates made equal, with each case's `expected`. See README.md.
const fs = require('fs'), path = require('path'), cp = require('child_process'), os = require('os');

const args = process.argv.slice(2);
const opt = { set: 'all', only: [], root: path.resolve(__dirname, 'cases') };
const usage = `usage: golden --bin PATH [--dbmbuild PATH] [--tools DIR] [--set given|held|all]
              [--only TEXT]... [--shard I/N] [--user NAME] [--slapd PATH] [--ldap-modules DIR] [--ldap-schema DIR]
              [--pgbin DIR] [--tmp DIR] [--update] [--keep] [--list] [--oracle] [--quiet] [--again]
       golden --export DIR --set given     (copy one set, to hand over)`;
for (let i = 0; i < args.length; i++) {
  const a = args[i], v = () => { if (++i >= args.length) { console.error(usage); process.exit(2); } return args[i]; };
  switch (a) {
    case '--bin': opt.bin = path.resolve(v()); break;
    case '--dbmbuild': opt.dbmbuild = path.resolve(v()); break;
    case '--tools': opt.tools = path.resolve(v()); break;
    case '--set': opt.set = v(); break;
    case '--only': opt.only.push(v()); break;
    case '--shard': opt.shard = v().split('/').map(Number); break;
    case '--user': opt.user = v(); break;
    case '--slapd': opt.slapd = path.resolve(v()); break;
    case '--ldap-modules': opt.ldapModules = path.resolve(v()); break;
    case '--ldap-schema': opt.ldapSchema = path.resolve(v()); break;
    case '--pgbin': opt.pgbin = path.resolve(v()); break;
    case '--tmp': opt.tmp = path.resolve(v()); break;
    case '--cases': opt.root = path.resolve(v()); break;
    case '--export': opt.export = path.resolve(v()); break;
    case '--update': opt.update = true; break;
    case '--keep': opt.keep = true; break;
    case '--list': opt.list = true; break;
    case '--oracle': opt.oracle = true; break;
    case '--quiet': opt.quiet = true; break;
    case '--again': opt.again = true; break;
    default: console.error(usage); process.exit(2);
  }
}

// ---- the cases -------------------------------------------------------------
function readMeta(dir) {
  const m = { needs: [] };
  for (const line of fs.readFileSync(path.join(dir, 'case'), 'utf8').split('\n')) {
    const r = /^(\w[\w-]*):\s*(.*)$/.exec(line);
    if (r) m[r[1]] = r[2].trim();
  }
  m.needs = (m.needs && typeof m.needs === 'string') ? m.needs.split(/\s+/).filter(Boolean) : [];
  return m;
}
const cases = [];
for (const seed of fs.readdirSync(opt.root).sort()) {
  const sd = path.join(opt.root, seed);
  if (!fs.statSync(sd).isDirectory() || seed.startsWith('_')) continue;
  for (const name of fs.readdirSync(sd).sort()) {
    const dir = path.join(sd, name);
    if (!fs.existsSync(path.join(dir, 'case'))) continue;
    const meta = readMeta(dir);
    const id = seed + '/' + name;
    if (opt.set !== 'all' && meta.set !== opt.set) continue;
    if (opt.only.length && !opt.only.some(t => id.includes(t))) continue;
    if (opt.oracle && (meta.needs.includes('exim3') || meta.needs.includes('tool'))) continue;
    cases.push({ id, seed, name, dir, meta });
  }
}
// of N runs side by side, the one with the number I (from 0) takes every Nth case
if (opt.shard) cases.splice(0, cases.length, ...cases.filter((_, i) => i % opt.shard[1] === opt.shard[0]));
if (opt.list) { for (const c of cases) console.log(`${c.meta.set || "-"}\t${c.id}\t[${c.meta.needs.join(' ')}]\t${c.meta.title || ''}`); process.exit(0); }
if (opt.export) {
  for (const c of cases) fs.cpSync(c.dir, path.join(opt.export, c.id), { recursive: true });
  for (const s of ['_shared', 'README.md']) if (fs.existsSync(path.join(opt.root, s))) fs.cpSync(path.join(opt.root, s), path.join(opt.export, s), { recursive: true });
  console.log(`${cases.length} cases copied`); process.exit(0);
}
if (!opt.bin) { console.error(usage); process.exit(2); }

// ---- a network of our own: loopback only, own port 53/25/113, own resolv.conf ----
if (!process.env.GOLDEN_INNER) {
  const isRoot = process.getuid() === 0;
  const probe = cp.spawnSync('unshare', [...(isRoot ? [] : ['-r']), '-m', '-n', 'true']);
  if (probe.status === 0) {
    const r = cp.spawnSync('unshare', [...(isRoot ? [] : ['-r']), '-m', '-n', process.execPath, __filename, ...args],
      { stdio: 'inherit', env: { ...process.env, GOLDEN_INNER: '1' } });
    process.exit(r.status === null ? 1 : r.status);
  }
  process.env.GOLDEN_INNER = '0';
}
const inner = process.env.GOLDEN_INNER === '1';
const tmp = opt.tmp || path.join(os.tmpdir(), 'golden.' + process.pid);
fs.mkdirSync(tmp, { recursive: true });
fs.chmodSync(tmp, 0o755);
if (inner) {
  if (cp.spawnSync('ip', ['link', 'set', 'lo', 'up']).status !== 0) cp.spawnSync('ifconfig', ['lo', 'up']);
  fs.writeFileSync(path.join(tmp, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:2 attempts:1\n');
  fs.writeFileSync(path.join(tmp, 'hosts'), '127.0.0.1 localhost\n::1 localhost\n');
  cp.spawnSync('mount', ['--bind', path.join(tmp, 'resolv.conf'), '/etc/resolv.conf']);
  cp.spawnSync('mount', ['--bind', path.join(tmp, 'hosts'), '/etc/hosts']);
}
const isRoot = process.getuid() === 0;
// the user that the program takes for the server's own when nothing is set
const accounts = fs.readFileSync('/etc/passwd', 'latin1');
const asUser = opt.user || ['exim', 'Debian-exim', 'mail'].find(name => accounts.includes(`\n${name}:`)) || 'mail';
const dropping = isRoot && cp.spawnSync('setpriv', ['--reuid=' + asUser, '--regid=' + asUser, '--clear-groups', 'true']).status === 0;
// the full name of that user would stand in From: lines
const gecos = (accounts.split('\n').find(line => line.startsWith(`${asUser}:`)) || '').split(':')[4] || '';
const fullName = gecos.split(',')[0].replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const USER = dropping ? asUser : os.userInfo().username;
const idOf = f => cp.execFileSync('id', [f, USER]).toString().trim();
const UID = +idOf('-u'), GID = +idOf('-g'), GROUP = cp.execFileSync('id', ['-gn', USER]).toString().trim();
const GECOS = (cp.spawnSync('getent', ['passwd', USER]).stdout || '').toString().split(':')[4] || USER;
const as = (cmd, a) => dropping ? ['setpriv', ['--reuid=' + UID, '--regid=' + GID, '--clear-groups', cmd, ...a]] : [cmd, a];
function chownR(p) { if (dropping) cp.execFileSync('chown', ['-R', UID + ':' + GID, p]); }
const kids = [];
function stopAll() { for (const k of kids.splice(0)) { try { process.kill(k.pid, k.sig || 'SIGTERM'); } catch { } } }
process.on('exit', stopAll);
for (const s of ['SIGINT', 'SIGTERM']) process.on(s, () => process.exit(1));
const sleep = ms => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const which = n => { for (const d of (process.env.PATH + ':/usr/sbin:/sbin').split(':')) { const p = path.join(d, n); if (fs.existsSync(p)) return p; } return null; };

// ---- PostgreSQL: one server a run, one database a case -----------------------
let pg;
function needPg() {
  if (pg !== undefined) return pg;
  let bin = opt.pgbin;
  if (!bin) { const w = which('initdb'); if (w) bin = path.dirname(fs.realpathSync(w)); }
  if (!bin) for (const v of fs.existsSync('/usr/lib/postgresql') ? fs.readdirSync('/usr/lib/postgresql').sort() : []) bin = `/usr/lib/postgresql/${v}/bin`;
  if (!bin || !fs.existsSync(path.join(bin, 'initdb'))) return pg = null;
  const d = path.join(tmp, 'pg'); fs.rmSync(d, { recursive: true, force: true }); fs.mkdirSync(d, { recursive: true }); fs.mkdirSync(path.join(d, 's'), { recursive: true }); chownR(d);
  const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC', HOME: d };
  let [c, a] = as(path.join(bin, 'initdb'), ['-D', path.join(d, 'data'), '-A', 'trust', '-U', 'dbuser', '-N', '--no-locale', '-E', 'UTF8']);
  const r = cp.spawnSync(c, a, { env, cwd: d });
  if (r.status !== 0) { console.error(String(r.stderr)); return pg = null; }
  [c, a] = as(path.join(bin, 'postgres'), ['-D', path.join(d, 'data'), '-k', path.join(d, 's'), '-c', 'listen_addresses=', '-c', 'fsync=off', '-c', 'shared_buffers=16MB']);
  const p = cp.spawn(c, a, { env, cwd: d, stdio: 'ignore' }); kids.push({ pid: p.pid, sig: 'SIGINT' });
  const psql = path.join(bin, 'psql');
  for (let i = 0; i < 100; i++) { if (cp.spawnSync(psql, ['-h', path.join(d, 's'), '-U', 'dbuser', '-d', 'postgres', '-c', 'select 1']).status === 0) return pg = { psql, sock: path.join(d, 's'), n: 0 }; sleep(100); }
  return pg = null;
}
function pgCase(c, dir) {
  const db = 'c' + (++pg.n);
  const q = (d, a) => { const r = cp.spawnSync(pg.psql, ['-q', '-v', 'ON_ERROR_STOP=1', '-h', pg.sock, '-U', 'dbuser', '-d', d, ...a]); if (r.status !== 0) throw new Error('psql: ' + r.stderr); };
  q('postgres', ['-c', 'create database ' + db]);
  const sql = path.join(dir, 'tables', 'db.sql');
  if (fs.existsSync(sql)) q(db, ['-f', sql]);
  return db;
}
// ---- slapd: one server a run, the tree in _shared/ldap -----------------------
let ldap;
function needLdap() {
  if (ldap !== undefined) return ldap;
  const slapd = opt.slapd || which('slapd');
  const mods = opt.ldapModules || '/usr/lib/ldap', schema = opt.ldapSchema || '/etc/ldap/schema';
  if (!slapd || !fs.existsSync(schema)) return ldap = null;
  const d = path.join(tmp, 'ldap'), src = path.join(opt.root, '_shared', 'ldap');
  fs.rmSync(d, { recursive: true, force: true }); fs.mkdirSync(path.join(d, 'db'), { recursive: true });
  for (const f of fs.readdirSync(src)) fs.writeFileSync(path.join(d, f), fs.readFileSync(path.join(src, f), 'utf8').replaceAll('@DIR@', d).replaceAll('@SCHEMA@', schema).replaceAll('@MODULES@', mods));
  chownR(d);
  let [c, a] = as(slapd, ['-T', 'add', '-f', path.join(d, 'slapd.conf'), '-l', path.join(d, 'tree.ldif')]);
  const r = cp.spawnSync(c, a); if (r.status !== 0) { console.error('slapadd: ' + r.stderr + r.stdout); return ldap = null; }
  const port = 3899;
  [c, a] = as(slapd, ['-f', path.join(d, 'slapd.conf'), '-h', `ldap://127.0.0.1:${port}/`, '-d', '0']);
  const p = cp.spawn(c, a, { stdio: 'ignore' }); kids.push({ pid: p.pid });
  for (let i = 0; i < 100; i++) { if (cp.spawnSync('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}`]).status === 0) return ldap = { port }; sleep(100); }
  return ldap = null;
}

// ---- munging ----------------------------------------------------------------
function munge(text, dir) {
  const ids = new Map();
  const numbered = (k, v) => { if (!ids.has(k + v)) ids.set(k + v, [...ids.keys()].filter(x => x.startsWith(k)).length + 1); return `${k}${ids.get(k + v)}`; };
  let t = text.replace(/\r\n/g, '\n');
  // noise that only the oracle makes when it runs unprivileged with -C
  t = t.replace(/^LOG: MAIN PANIC\n {2}exim user lost privilege[^\n]*\n/gm, '').replace(/^.*exim user lost privilege for using -C option.*\n/gm, '');
  if (fullName !== '') t = t.replace(new RegExp(`^((?:. )?(?:From|Sender|Resent-From|Resent-Sender): )${fullName} <([^>\n]*)>`, 'gm'), '$1$2');
  t = t.replaceAll(dir, '@DIR@').replaceAll(opt.bin, '@BIN@');
  t = t.replace(/(?<![0-9A-Za-z])[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}\b(?!-(?![HDJ]\b))|[0-9A-Za-z]{11}-[0-9A-Za-z]{4}\b)|(?<=\bE)[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})\b/g, m => /^[0-9]/.test(m) ? numbered('MSGID', m) : m);
  t = t.replace(/\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), {1,2}\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [-+]\d{4}( \([A-Z]+\))?/g, 'RFCDATE');
  t = t.replace(/\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d \d{4}\b/g, 'CTIME');
  t = t.replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?( [-+]\d{4})?/g, 'STAMP');
  t = t.replace(/(?<![\d.])\d{9,10}\.(M\d+P\d+|H\d+P\d+|P\d+|\d+)(?:V[0-9A-F]+I[0-9A-F]+)?\.(?=[A-Za-z])/g, 'UNIQ.');
  t = t.replace(/\((?:Exim|Tabella) [^()\n]*\)/g, '(VERSION)').replace(/ESMTP (?:Exim|Tabella) \S+/g, 'ESMTP VERSION');
  t = t.replace(/\((?:Exim|Tabella)\)/g, '(PRODUCT)').replace(new RegExp(`Hello ${USER} at `, 'g'), 'Hello @USER@ at ');
  t = t.replace(/\bExim version \d[^\n]*/g, 'VERSIONLINE');
  t = t.replace(new RegExp(`\\bU=${USER}\\b`, 'g'), 'U=@USER@').replace(new RegExp(`\\b${USER}@(?=noc\\.ws\\.example\\b)`, 'g'), '@USER@@');
  t = t.replace(new RegExp(`\\bfrom ${USER} by\\b`, 'g'), 'from @USER@ by').replace(new RegExp(`\\(envelope-from <${USER}>`, 'g'), '(envelope-from <@USER@>');
  t = t.replace(new RegExp(`( by |^user = |^group = )${USER}$`, 'gm'), '$1@USER@');
  t = t.replace(new RegExp(`\\b(SMTP connection|SMTP call|SMTP command|MAIL|received) from ${USER}\\b`, 'g'), '$1 from @USER@');
  t = t.replace(new RegExp(`\\b${USER}@(?=simple\\.example\\b)`, 'gi'), '@USER@@').replace(new RegExp(`=> ${USER} (?=<@USER@@)`, 'gi'), '=> @USER@ ');
  t = t.replace(new RegExp(`^(exim auth \\w+) ${USER}$`, 'gm'), '$1 @USER@');
  t = t.replace(new RegExp(`\\bfrom ${USER} (?=\\(helo)`, 'g'), 'from @USER@ ').replace(new RegExp(`\\bident=${USER}\\b`, 'g'), 'ident=@USER@');
  t = t.replace(new RegExp(`^(--?(?:ident|auth_id)) ${USER}$`, 'gm'), '$1 @USER@').replace(new RegExp(`(?<![-.\\w])${USER}@(?=far\\.example)`, 'g'), '@USER@@');
  t = t.replace(/\bS=\d+(?= |$)/gm, 'S=SIZE').replace(/^(\s*\d+[smhdw]\s+)\d+(\.\d+)?[KM]?(\s+MSGID)/gm, '$1SIZE$3').replace(/^\s*\d+[smhdw](\s+SIZE)/gm, 'AGE$1');
  t = t.replace(/pid[= ]\d+/g, 'pid=PID').replace(/\[\d{2,7}\]/g, '[PID]').replace(/\b(QT|DT|RT|D)=\d+(\.\d+)?[smhd]/g, '$1=TIME');
  t = t.replace(/\bSMTP(?:SA?)? connection identification .*\n/g, '');
  return t.split('\n').map(l => l.replace(/[ \t]+$/, '')).join('\n');
}

// ---- one case ---------------------------------------------------------------
const tidy = d => { try { fs.rmSync(d, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }); } catch { } };
const helper = path.join(__dirname, 'helper.cjs');
function runCase(c, n) {
  const needs = c.meta.needs;
  if (needs.includes('pgsql') && !needPg()) return 'no PostgreSQL';
  if (needs.includes('ldap') && !needLdap()) return 'no slapd';
  if (['dns', 'net', 'ident'].some(x => needs.includes(x)) && !inner) return 'no network namespace';
  if (needs.includes('root') && !dropping) return 'not root';
  const toolDir = opt.tools || path.dirname(opt.bin);
  const dir = path.join(tmp, 'c' + n);
  tidy(dir); fs.mkdirSync(path.join(dir, 'bin'), { recursive: true }); fs.mkdirSync(path.join(dir, 'log')); fs.mkdirSync(path.join(dir, 'tables'));
  let db = '';
  const subst = t => t.replaceAll('@DIR@', dir).replaceAll('@USER@', USER).replaceAll('@GROUP@', GROUP).replaceAll('@UID@', String(UID)).replaceAll('@GID@', String(GID))
    .replaceAll('@PGSOCK@', pg ? path.join(pg.sock, '.s.PGSQL.5432') : '').replaceAll('@PGDB@', 'c' + (pg ? pg.n + 1 : 0)).replaceAll('@LDAP@', ldap ? '127.0.0.1::' + ldap.port : '').replaceAll('@LDAPPORT@', ldap ? String(ldap.port) : '');
  const copy = (s, d) => { for (const e of fs.readdirSync(s, { withFileTypes: true })) { if (s === c.dir && (e.name === 'expected' || e.name === 'case')) continue; const sp = path.join(s, e.name), dp = path.join(d, e.name); if (e.isDirectory()) { fs.mkdirSync(dp, { recursive: true }); copy(sp, dp); } else { fs.writeFileSync(dp, subst(fs.readFileSync(sp, 'utf8'))); fs.chmodSync(dp, fs.statSync(sp).mode & 0o755); } } };
  copy(c.dir, dir);
  if (needs.includes('pgsql')) db = pgCase(c, dir);
  const wrap = (name, body) => fs.writeFileSync(path.join(dir, 'bin', name), '#!/bin/sh\n' + body + '\n', { mode: 0o755 });
  wrap('exim', `case "$1" in -C*) exec ${opt.bin} "$@";; esac\nexec ${opt.bin} -C ${dir}/config "$@"`);
  const dbm = opt.dbmbuild || path.join(path.dirname(opt.bin), 'exim_dbmbuild');
  wrap('exim_dbmbuild', `exec ${dbm} "$@"`);
  for (const h of ['smtp-sink', 'smtp-chat', 'dns-serve', 'ident-serve', 'sock-serve', 'ask-serve', 'talk-serve']) wrap(h, `exec ${process.execPath} ${helper} ${h} "$@"`);
  const mine = [];
  const bg = (cmd, a, tcp) => { const p = cp.spawn(cmd, a, { stdio: ['ignore', 'ignore', 'inherit'], cwd: dir }); mine.push(p.pid); kids.push({ pid: p.pid }); if (tcp) for (let i = 0; i < 250; i++) { if (cp.spawnSync('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${tcp}`], { stdio: 'ignore' }).status === 0) break; sleep(40); } };
  if (needs.includes('dns')) bg(process.execPath, [helper, 'dns-serve', path.join(dir, 'dns.zone')], 53);
  if (needs.includes('ident')) bg(process.execPath, [helper, 'ident-serve'], 113);
  if (fs.existsSync(path.join(dir, 'sinks'))) for (const l of fs.readFileSync(path.join(dir, 'sinks'), 'utf8').split('\n').filter(Boolean)) {
    const a = l.split(/\s+/); bg(process.execPath, [helper, 'smtp-sink', ...a]);
    for (let i = 0; i < 200 && !fs.existsSync(path.join(dir, a[1])); i++) sleep(25);
  }
  chownR(dir);
  const env = { PATH: `${dir}/bin:${toolDir}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`, HOME: dir, TZ: 'UTC', LC_ALL: 'C', DIR: dir, BIN: opt.bin, USER, LOGNAME: USER, RUNAS_NOBODY: 'setpriv --reuid=65534 --regid=65534 --clear-groups' };
  const [cmd, a] = needs.includes('root') ? ['sh', ['cmd']] : as('sh', ['cmd']);
  const out = path.join(dir, '.out'); const fd = fs.openSync(out, 'w+');
  let r;
  try { r = cp.spawnSync(cmd, a, { cwd: dir, env, stdio: ['ignore', fd, fd], timeout: 90000 }); }
  finally {
    fs.closeSync(fd);
    for (const p of mine) { try { process.kill(p); } catch { } }
    // the next case's server cannot come before this one is gone
    if (needs.includes('dns')) for (let i = 0; i < 100; i++) { if (cp.spawnSync('bash', ['-c', 'exec 3<>/dev/tcp/127.0.0.1/53'], { stdio: 'ignore' }).status !== 0) break; sleep(20); }
    for (const f of ['daemon.pid']) { try { process.kill(+fs.readFileSync(path.join(dir, f), 'utf8')); } catch { } }
  }
  let text = fs.readFileSync(out, 'utf8');
  if (r.error) text += `[runner: ${r.error.code || r.error.message}]\n`;
  const got = munge(text, dir);
  const ef = path.join(c.dir, 'expected');
  if (opt.update && c.meta.source !== 'computed' && !needs.includes('exim3') && !needs.includes('tool')) { fs.writeFileSync(ef, got); return true; }
  const want = fs.existsSync(ef) ? fs.readFileSync(ef, 'utf8') : '';
  if (got === want) { if (!opt.keep) tidy(dir); return true; }
  if (!opt.quiet) {
    const w = path.join(tmp, 'want'), g = path.join(tmp, 'got'); fs.writeFileSync(w, want); fs.writeFileSync(g, got);
    const d = cp.spawnSync('diff', ['-u', '--label', 'expected', '--label', 'got', w, g]).stdout.toString();
    console.log(d.split('\n').slice(0, 60).map(l => '    ' + l).join('\n'));
  }
  return false;
}
// ---- cases that wait for a feature: each with its reason; one that passes must leave the list ----
const later = new Map();
const laterFile = path.join(opt.root, 'later');
if (fs.existsSync(laterFile)) for (const line of fs.readFileSync(laterFile, 'utf8').split('\n')) {
  const r = /^(\S+)\s+(.+)$/.exec(line);
  if (r && !line.startsWith('#')) later.set(r[1], r[2]);
}
let pass = 0, fail = 0, skip = 0, n = 0;
const failed = [];
for (const c of cases) {
  const reason = later.get(c.id);
  const quiet = opt.quiet;
  if (reason) opt.quiet = true;
  let r; try { r = runCase(c, ++n); } catch (e) { console.log('    ' + (e.stack || e)); r = false; }
  opt.quiet = quiet;
  if (reason && r === true) { fail++; console.log('FAILED  ' + c.id + ' passes, but is listed as waiting for ' + reason); continue; }
  if (reason && r === false) { skip++; console.log('later   ' + c.id + ' (' + reason + ')'); continue; }
  if (r === true) { pass++; if (!opt.quiet) console.log('ok      ' + c.id); }
  else if (r === false && opt.again) failed.push(c);
  else if (r === false) { fail++; console.log('FAILED  ' + c.id); }
  else { skip++; console.log('skipped ' + c.id + ' (' + r + ')'); }
}
// many cases count on an order in time that a loaded machine does not keep: such a case is named, and passes if it does now
for (const c of failed) {
  let r; try { r = runCase(c, ++n); } catch (e) { console.log('    ' + (e.stack || e)); r = false; }
  if (r === true) { pass++; console.log('unsteady ' + c.id); } else { fail++; console.log('FAILED  ' + c.id); }
}
stopAll();
if (!opt.keep && fail === 0) { sleep(300); tidy(tmp); }
console.log(`${pass} passed, ${fail} failed` + (skip ? `, ${skip} skipped` : ''));
process.exit(fail ? 1 : 0);
