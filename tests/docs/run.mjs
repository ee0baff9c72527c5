// run.mjs [PAGE ...]: types what the pages of docs/deploy say, line by line, into bare Debian 12 machines, and sees
// whether what they promise comes true.  `make test-docs`; takes root, mmdebstrap, the network, and minutes.
//
// The rule by which a page tells typed lines from others: every line of a block that is fenced as `sh` is typed, in
// the order of the page; all other blocks are shown.  A typed line is one command line, without && and without a
// second line.  Lines before the first `##` lead from nothing to the first approved reply, in at most eight; the
// reply is then sent, approved and read (visit.mjs), and again after each later section that has typed lines.
//
// A machine is a folder made by mmdebstrap, and process 1 for it (machine.pl), in namespaces of its own: its
// network is a loopback device, so it has port 80 for itself and disturbs nobody.  Lines that fetch something from the network
// have the host's: deploy/…, apt-get update; what `apt install` fetches is fetched before it runs.
// Each page is run without systemd, as in a container, or with a stand-in for it, or both.
//
// VERBOSE=1 shows what the lines print, KEEP=1 keeps the last machine, REUSE=1 takes what an earlier run's first lines
// have made (not the checkout as it is now).
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from '../lib/instance.mjs';

const here = path.join(ROOT, 'tests/docs');
const home = path.join(ROOT, 'build/docs');
const MOST = 8;
const PASSWORD = 'a steppe is not a step';
const THREAD = 'var/lib/rejoinder/public/main/threads/~/thread.html';
// `included`: the web server puts the thread into the article; `then`: the page whose lines, but for those that were typed, go on.
const PAGES = [
  { page: 'nginx', included: true, ways: ['plain', 'systemd'] },
  { page: 'apache', included: true, ways: ['plain', 'systemd'] },
  { page: 'lighttpd', ways: ['plain', 'systemd'] },
  { page: 'caddy', ways: ['systemd'] }, // Debian's package has no other way to start it
  { page: 'source', included: true, ways: ['plain', 'systemd'] },
  { page: 'package', included: true, ways: ['plain', 'systemd'], then: 'nginx' },
];

let passed = 0, failed = 0;
function tell(name, problem) {
  if (problem === undefined) passed++;
  else failed++;
  console.log(problem === undefined ? `ok - ${name}` : `not ok - ${name}\n  ${problem.trim().split('\n').slice(-25).join('\n  ')}`);
}
function end(why) {
  if (why) console.log(`skipped: ${why}`);
  console.log(`${passed} passed, ${failed} failed, ${why ? 1 : 0} skipped`);
  process.exit(failed > 0 ? 1 : 0);
}
const has = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
function must(command, args, options = {}) {
  const run = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  if (run.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${run.error ?? run.stderr.slice(-2000)}`);
  return run.stdout;
}

// --- pages -----------------------------------------------------------------------------------------

// [{heading, lines: [{text, at}]}], the first without a heading.
export function typedLines(text) {
  const sections = [{ heading: '', lines: [] }];
  let fence = null;
  for (const [i, line] of text.split('\n').entries()) {
    const mark = /^\s*```(\S*)/.exec(line);
    if (mark) fence = fence === null ? mark[1] : null;
    else if (fence === null && line.startsWith('## ')) sections.push({ heading: line.slice(3), lines: [] });
    else if (fence === 'sh' && line.trim() !== '') sections.at(-1).lines.push({ text: line.trim(), at: i + 1 });
  }
  return sections;
}
const linesOf = (page) => typedLines(fs.readFileSync(path.join(ROOT, `docs/deploy/${page}.md`), 'utf8')).filter(({ lines }) => lines.length > 0);
const isOneCommand = (line) => !/&&|\|\||\\$|;\s*[a-z]+ /.test(line.replace(/'[^']*'|"[^"]*"/g, '""')) && !line.startsWith('#');

// --- machines --------------------------------------------------------------------------------------

// What this host's apt needs to reach its mirror holds for the machines, too.
function aptOptions() {
  return must('apt-config', ['dump']).split('\n').filter((line) => /^Acquire::((https?|ftp)::\S*Proxy\S*|Check-(Valid-Until|Date)|https::\S*(CaInfo|Verify)\S*) /i.test(line))
    .concat('Acquire::Languages "none";', 'APT::Keep-Downloaded-Packages "true";', 'APT::Install-Recommends "true";');
}
const base = path.join(home, 'base');
function makeBase() {
  if (fs.existsSync(path.join(base, '.made'))) return;
  fs.rmSync(base, { recursive: true, force: true });
  must('mmdebstrap', ['-q', '--variant=minbase', '--include=git,ca-certificates', ...aptOptions().map((option) => `--aptopt=${option}`),
    'bookworm', base, ...(process.env.MIRROR ? [process.env.MIRROR] : [])]);
  // What a company's certificates are for this host, they are for its machines.
  const certificates = '/usr/local/share/ca-certificates';
  if (fs.existsSync(certificates) && fs.readdirSync(certificates).length > 0) {
    must('cp', ['-a', `${certificates}/.`, base + certificates]);
    must('chroot', [base, 'update-ca-certificates']);
  }
  fs.writeFileSync(path.join(base, '.made'), '');
}

const machines = new Set();
process.on('exit', () => {
  for (const one of machines) one.off();
  fs.rmSync(path.join(home, `output-${process.pid}`), { force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

class Machine {
  static async on(root, systemd) {
    const one = new Machine();
    Object.assign(one, { root, systemd, environment: {} });
    fs.copyFileSync('/etc/resolv.conf', path.join(root, 'etc/resolv.conf'));
    if (systemd) {
      for (const at of ['/bin', '/usr/bin']) must('chroot', [root, 'dpkg-divert', '--local', '--no-rename', '--divert', `${at}/systemctl.real`, '--add', `${at}/systemctl`]);
      fs.copyFileSync(path.join(here, 'systemctl.pl'), path.join(root, 'usr/bin/systemctl'));
      fs.chmodSync(path.join(root, 'usr/bin/systemctl'), 0o755);
    }
    one.outside = spawn('unshare', ['--mount', '--pid', '--net', '--fork', '--kill-child', 'perl', path.join(here, 'machine.pl'), root,
      ...(systemd ? ['systemd'] : [])], { stdio: ['pipe', 'pipe', 'inherit'] });
    machines.add(one);
    await new Promise((resolve, reject) => {
      one.outside.stdout.once('data', resolve);
      one.outside.once('exit', () => reject(new Error('the machine does not start')));
    });
    one.pid = Number(fs.readFileSync(`/proc/${one.outside.pid}/task/${one.outside.pid}/children`, 'utf8'));
    return one;
  }
  // {status, output}; `net`: with the host's network.
  run(line, { net = false, input = '' } = {}) {
    const args = ['-t', String(this.pid), '-m', '-p', ...(net ? [] : ['-n']), 'chroot', this.root, 'env', '-i',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LANG=C.UTF-8', 'DEBIAN_FRONTEND=noninteractive',
      'bash', '-c', `cd /root/rejoinder; ${line}`];
    const file = path.join(home, `output-${process.pid}`);
    // A file: a program that goes on in the background would keep a pipe open.
    const out = fs.openSync(file, 'w');
    const run = spawnSync('nsenter', args, { input, stdio: ['pipe', out, out], timeout: 900000 });
    fs.closeSync(out);
    const output = fs.readFileSync(file, 'utf8');
    if (process.env.VERBOSE) process.stdout.write(output.replace(/^/gm, '    | ') + '\n');
    return { status: run.status, output };
  }
  type(line) {
    if (/^apt(-get)? .*\binstall\b/.test(line)) {
      const fetched = this.run(`${line} --download-only`, { net: true });
      if (fetched.status !== 0) return fetched;
    }
    const net = /^(deploy\/\S+|apt(-get)? update)\b/.test(line);
    // The password is asked for.
    return this.run(line, { net, input: /\bmoderator\b/.test(line) ? `${PASSWORD}\n` : '' });
  }
  visit(words, included, signIn = true) {
    const args = ['-t', String(this.pid), '-n', process.execPath, path.join(here, 'visit.mjs'), path.join(this.root, THREAD), words, ...(signIn ? ['ann', PASSWORD] : [])];
    return spawnSync('nsenter', args, { encoding: 'utf8', env: { ...process.env, INCLUDED: included ? '1' : '' }, timeout: 120000 });
  }
  off() {
    machines.delete(this);
    this.outside.kill('SIGKILL');
  }
}

// A copy of a folder of a machine that is off.
function copy(from, to) {
  fs.rmSync(to, { recursive: true, force: true });
  must('cp', ['-a', '--reflink=auto', from, to]);
}
// The machine that a page begins on: bare, with the checkout, and its first line typed.  Pages that begin with the same line
// share what it made.
const started = new Set();
async function begin(first) {
  const ready = path.join(home, `after-${first.replace(/[^a-z]+/g, '-')}`);
  if (process.env.REUSE && fs.existsSync(ready)) started.add(ready);
  if (!started.has(ready)) {
    copy(base, ready);
    const list = must('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
    fs.mkdirSync(path.join(ready, 'root/rejoinder'));
    must('sh', ['-c', `tar --null -T - --ignore-failed-read -cf - | tar -xf - --no-same-owner -C '${ready}/root/rejoinder'`], { cwd: ROOT, input: list });
    const machine = await Machine.on(ready, false);
    const did = machine.type(first);
    machine.off();
    if (did.status !== 0) throw new Error(`${first}: exit status ${did.status}\n${did.output}`);
    started.add(ready);
  }
  const root = path.join(home, `machine-${process.pid}`);
  copy(ready, root);
  return root;
}

// --- a page ----------------------------------------------------------------------------------------

function typeLines(machine, lines, file, from = 0) {
  for (const { text, at } of lines.slice(from)) {
    const began = Date.now();
    if (process.env.VERBOSE) console.log(`    # ${text}`);
    const did = machine.type(text);
    if (process.env.VERBOSE) console.log(`    (${Math.round((Date.now() - began) / 1000)} s)`);
    if (did.status !== 0) throw new Error(`${file}:${at}: ${text}\nexit status ${did.status}\n${did.output}`);
  }
}
function visit(machine, page, words) {
  const seen = machine.visit(words, page.included);
  process.stdout.write(seen.stdout);
  if (seen.status !== 0) {
    const logs = machine.run('tail -n 5 /var/log/units.log /run/rejoinder/*.log /var/log/*/error.log 2>/dev/null').output;
    throw new Error(`what the page promises does not come true:\n${seen.stderr}\n${logs}`);
  }
}
async function readPage(page, way) {
  const file = `docs/deploy/${page.page}.md`;
  const [main, ...later] = linesOf(page.page);
  const root = await begin(main.lines[0].text);
  const machine = await Machine.on(root, way === 'systemd');
  try {
    typeLines(machine, main.lines, file, 1);
    if (page.then) typeLines(machine, linesOf(page.then)[0].lines.filter(({ text }) => !main.lines.some((one) => one.text === text)), page.then);
    visit(machine, page, `What a summit, says the reader of ${page.page}.`);
    tell(`${file}, ${way}: a first approved reply after ${main.lines.length} typed lines`);
    for (const { heading, lines } of later) {
      typeLines(machine, lines, file);
      visit(machine, page, `And again behind «${heading}».`);
      tell(`${file}, ${way}: ${heading}: and another one`);
    }
  } finally {
    machine.off();
    if (!process.env.KEEP) fs.rmSync(root, { recursive: true, force: true });
  }
}

// --- all of them -----------------------------------------------------------------------------------

if (process.getuid() !== 0) end('it makes machines, which takes root');
for (const program of ['mmdebstrap', 'unshare', 'nsenter', 'apt-config']) if (!has(program)) end(`there is no ${program}`);
if (spawnSync('unshare', ['--mount', '--pid', '--net', '--fork', 'true']).status !== 0) end('namespaces cannot be made here');
fs.mkdirSync(home, { recursive: true });
try {
  makeBase();
} catch (error) {
  end(`a bare Debian cannot be made: ${error.message}`);
}

const [chosen, ways] = [process.argv.slice(2).filter((one) => one !== 'plain' && one !== 'systemd'), process.argv.slice(2).filter((one) => one === 'plain' || one === 'systemd')];
for (const page of PAGES.filter(({ page: name }) => chosen.length === 0 || chosen.includes(name))) {
  const file = `docs/deploy/${page.page}.md`;
  const [main, ...later] = linesOf(page.page);
  const chains = [main, ...later].flatMap(({ lines }) => lines).filter(({ text }) => !isOneCommand(text));
  tell(`${file}: each typed line is one command`, chains.length === 0 ? undefined : chains.map(({ text, at }) => `${at}: ${text}`).join('\n'));
  tell(`${file}: ${main.lines.length} typed lines, ${MOST} at most`, main.lines.length <= MOST ? undefined : 'too many');
  for (const way of page.ways.filter((one) => ways.length === 0 || ways.includes(one))) {
    try {
      await readPage(page, way);
    } catch (error) {
      tell(`${file}, ${way}`, error.message);
    }
  }
}
end();
