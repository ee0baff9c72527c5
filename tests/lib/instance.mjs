// instance.mjs - an installation of Rejoinder in a folder of its own, and what tests do with one.
//
//   const it = await makeInstance({ site: { pace_burst: 1000 } });
//   await it.start('reader');
//   const answer = await it.reader({ method: 'POST', uri: '/comments/reply', form: { … } });
//   it.sql('SELECT count(*) AS n FROM reply')[0].n;
//   await it.tidy();
//
// BIN names another folder of programs (a sanitizer's build), SEED repeats a run's randomness.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parameters, request } from './fastcgi.mjs';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const BIN = path.resolve(ROOT, process.env.BIN ?? 'build/bin');
export const BASE = 'http://localhost:8080';
export const IS_ROOT = process.getuid() === 0;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// --- randomness --------------------------------------------------------------------------------

export const SEED = Number(process.env.SEED ?? (Date.now() % 2 ** 31));
let state = SEED >>> 0;
// mulberry32: repeatable, for choosing test data, nothing else.
export function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
export const randomBelow = (n) => Math.floor(random() * n);
let told = false;
export function tellSeed() {
  if (!told) console.log(`SEED=${SEED} repeats this run`);
  told = true;
}

let counter = 0;
// A number that this run has not had.
export const fresh = () => ++counter;
// An address in a network of its own, so that one test's pace is not another's.
export function freshAddress() {
  const n = fresh();
  return `10.${(n >> 8) & 255}.${n & 255}.7`;
}

// --- what must not outlive the tests -------------------------------------------------------------

const folders = new Set();
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

export function makeFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rejoinder-flow-'));
  folders.add(folder);
  return folder;
}
export function dropFolder(folder) {
  fs.rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

// All the ordinary files below a folder; links are not followed.
export function walk(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((one) => {
    const at = path.join(folder, one.name);
    if (one.isDirectory()) return walk(at);
    return one.isFile() ? [at] : [];
  });
}

// Starts a program that ends with the tests at the latest. Resolves `child.over` to {code, signal}.
export function begin(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  children.add(child);
  child.stdoutText = '';
  child.stderrText = '';
  child.stdout?.on('data', (chunk) => { child.stdoutText += chunk; });
  child.stderr?.on('data', (chunk) => { child.stderrText += chunk; });
  child.over = new Promise((resolve) => {
    child.on('error', (error) => { children.delete(child); resolve({ code: null, signal: null, error }); });
    child.on('close', (code, signal) => { children.delete(child); resolve({ code, signal }); });
  });
  return child;
}

// --- SQL -----------------------------------------------------------------------------------------

// Rows as objects, by the sqlite3 command line: node 18 has no SQLite.
export function sqlOf(file, query) {
  const run = spawnSync('sqlite3', ['-batch', '-bail', '-json', '-cmd', '.timeout 5000', file, query],
    { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`sqlite3: ${run.stderr || run.error}`);
  return run.stdout.trim() === '' ? [] : JSON.parse(run.stdout);
}
// A text that differs when anything stored does; `skip` are columns left out, as 'session.seen_at', or tables.
export function dumpOf(file, skip = []) {
  const tables = sqlOf(file, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .filter(({ name }) => !skip.includes(name));
  const parts = tables.map(({ name }) => {
    const columns = sqlOf(file, `SELECT name FROM pragma_table_info('${name}')`).map((row) => row.name)
      .filter((column) => !skip.includes(`${name}.${column}`));
    return `SELECT '${name}' AS t, ${columns.map((c) => `quote("${c}")`).join(" || ' ' || ")} AS r FROM "${name}"`;
  });
  return parts.map((query) => sqlOf(file, query).map(({ t, r }) => `${t} ${r}`).sort().join('\n')).join('\n');
}

// --- the instance --------------------------------------------------------------------------------

const DOORS = { reader: 'reader.fcgi', moderator: 'moderator.fcgi' };

function value(v) {
  if (Array.isArray(v)) return `{${v.map(value).join(', ')}}`;
  return typeof v === 'string' ? `"${v.replace(/["\\]/g, '\\$&')}"` : String(v);
}
const options = (settings) => Object.entries(settings).map(([name, v]) => `${name} = ${value(v)}\n`).join('');

// Settings that a test can name again win: a line with the same name is replaced.
function set(text, section, settings) {
  const head = section === '' ? 0 : text.search(new RegExp(`^\\s*${section.replace(' ', '\\s+"?')}"?\\s*\\{`, 'm'));
  if (head < 0) return `${text}\n${section} {\n${options(settings)}}\n`;
  const open = section === '' ? 0 : text.indexOf('{', head) + 1;
  const end = section === '' ? text.length : text.indexOf('\n}', open) + 1;
  let inside = text.slice(open, end);
  for (const name of Object.keys(settings)) inside = inside.replace(new RegExp(`^[ \\t]*${name}[ \\t]*=.*\\n?`, 'm'), '');
  const added = options(settings);
  // Top-level options must not land inside the last section, so they go to the front.
  return section === '' ? added + inside : `${text.slice(0, open)}\n${added}${inside.replace(/^\n/, '')}${text.slice(end)}`;
}

export class Instance {
  constructor(dir) {
    this.dir = dir;
    this.config = path.join(dir, 'rejoinder.conf');
    this.database = path.join(dir, 'rejoinder.db');
    this.moderators = path.join(dir, 'moderators', 'moderators.db');
    this.public = path.join(dir, 'public');
    this.doors = {};
    this.logs = { reader: '', moderator: '' };
  }

  // --- command line ---
  run(program, args, { input = '', ...options } = {}) {
    return spawnSync(path.join(BIN, program), args, { encoding: 'utf8', input, timeout: 60000, ...options });
  }
  // rejoinder --config … ARGS; {status, stdout, stderr}.
  cli(args, options) {
    return this.run('rejoinder', ['--config', this.config, ...args], options);
  }
  mustCli(args, options) {
    const run = this.cli(args, options);
    if (run.status !== 0) throw new Error(`rejoinder ${args.join(' ')}: ${run.status} ${run.stderr}`);
    return run;
  }
  addModerator(name, password) {
    this.mustCli(['moderator', 'add', name], { input: `${password}\n` });
  }

  // --- configuration: takes effect when a door starts ---
  configure({ site = {}, top = {}, sites = {}, moderators = {} } = {}) {
    let text = fs.readFileSync(this.config, 'utf8');
    if (Object.keys(top).length > 0) text = set(text, '', top);
    if (Object.keys(moderators).length > 0) text = set(text, 'moderators', moderators);
    if (Object.keys(site).length > 0) text = set(text, 'site main', site);
    for (const [name, settings] of Object.entries(sites)) text = set(text, `site ${name}`, { base: BASE, ...settings });
    fs.writeFileSync(this.config, text);
  }

  // --- doors ---
  socket(door) {
    return path.join(this.dir, 'run', `${door}.sock`);
  }
  command(door) {
    return [path.join(this.bin ?? BIN, DOORS[door]), ['--config', this.config, '--socket', this.socket(door)]];
  }
  // Starts a door and waits until it serves. `wrap` is put before its command (setpriv, strace).
  async start(door, { wrap = [], env, ms = 15000 } = {}) {
    const [file, args] = this.command(door);
    const [command, ...rest] = [...wrap, file, ...args];
    const child = begin(command, rest, { env: { ...process.env, REJOINDER_BOX: 'tell', ...env } });
    child.stderr.on('data', (chunk) => { this.logs[door] += chunk; });
    this.doors[door] = child;
    for (let waited = 0; !child.stderrText.includes('ready'); waited += 10) {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined || waited > ms) {
        const end = child.exitCode ?? child.signalCode ?? 'still not ready';
        child.kill('SIGKILL');
        throw new Error(`${door} did not start (${end}): ${child.stderrText}`);
      }
      await sleep(10);
    }
    return child;
  }
  // Ends a door by `signal`; resolves to {code, signal}. A door that stays is killed, and says so.
  async stop(door, signal = 'SIGTERM', ms = 15000) {
    const child = this.doors[door];
    if (child === undefined) return undefined;
    delete this.doors[door];
    child.kill(signal);
    const timer = setTimeout(() => { child.overdue = true; child.kill('SIGKILL'); }, ms);
    const over = await child.over;
    clearTimeout(timer);
    return { ...over, overdue: child.overdue === true };
  }
  // How often a door has logged `pattern` (with the flag g). What it writes comes here a little later than
  // its answer does: waits for the `wanted` time, and a moment for one too many.
  async logged(door, pattern, wanted, ms = 15000) {
    const count = () => (this.logs[door].match(pattern) ?? []).length;
    for (let waited = 0; count() < wanted && waited < ms; waited += 10) await sleep(10);
    await sleep(50);
    return count();
  }
  async restart(door, options) {
    await this.stop(door);
    return this.start(door, options);
  }

  // --- requests ---
  // One HTTP request to a door. `form` is sent urlencoded, `json` as JSON, `body` as it is; `without` names
  // parameters that the web server does not pass.
  ask(door, { method, uri, headers = {}, form, json, body, address, site, length, accept, timeout, without = [] } = {}) {
    const all = { 'User-Agent': 'tests/1', Accept: accept ?? 'text/html', ...headers };
    let bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
    if (form !== undefined) {
      bytes = Buffer.from(new URLSearchParams(form).toString());
      all['Content-Type'] ??= 'application/x-www-form-urlencoded';
    }
    if (json !== undefined) {
      bytes = Buffer.from(JSON.stringify(json));
      all['Content-Type'] ??= 'application/json';
    }
    const params = parameters({ method: method ?? (bytes.length > 0 ? 'POST' : 'GET'), uri, headers: all,
      address: address ?? freshAddress(), site, length: length ?? bytes.length });
    if (length === null) delete params.CONTENT_LENGTH;
    for (const name of without) delete params[name];
    return request(this.socket(door), params, bytes, { timeout });
  }
  reader(options) {
    return this.ask('reader', options);
  }
  moderator(options) {
    return this.ask('moderator', options);
  }

  // --- a reply that will be accepted; `fields` differ from it ---
  goodReply(fields = {}) {
    const n = fresh();
    const good = { page: '/world/astana-summit', name: `Asel Nurlan ${n}`, email: `asel${n}@example.org`,
      website: 'https://example.org/asel', comment: `What a summit, says reply number ${n} of this run.`,
      key: `key-${SEED}-${process.pid}-${n}`, ...fields };
    return Object.fromEntries(Object.entries(good).filter(([, v]) => v !== undefined));
  }
  // Sends one as JSON; {id, receipt}, or an error that tells the answer.
  async post(fields, options = {}) {
    const answer = await this.reader({ uri: '/comments/reply', json: this.goodReply(fields),
      accept: 'application/json', ...options });
    if (answer.status !== 201) throw new Error(`not taken: ${answer.status} ${answer.text}`);
    return answer.json();
  }

  // --- what is stored ---
  sql(query, file = this.database) {
    return sqlOf(file, query);
  }
  count() {
    return this.sql('SELECT count(*) AS n FROM reply')[0].n;
  }
  // Both databases, but for what background work notes of itself, and what reading a page may touch.
  dump() {
    return `${dumpOf(this.database, ['job'])}\n--\n${dumpOf(this.moderators, ['session.seen_at'])}`;
  }
  threadFile(page, name = 'thread.html', site = 'main') {
    return path.join(this.public, site, 'threads', ...page.split('/').filter(Boolean), '~', name);
  }
  thread(page, name = 'thread.html', site = 'main') {
    return fs.readFileSync(this.threadFile(page, name, site), 'utf8');
  }

  async tidy() {
    const ends = [];
    for (const door of Object.keys(this.doors)) ends.push([door, await this.stop(door)]);
    dropFolder(this.dir);
    // Sanitizers and crashes show here, whatever the test was about.
    for (const [door, end] of ends) {
      if (end.code !== 0) throw new Error(`${door} ended with ${end.code ?? end.signal}: ${this.logs[door].slice(-4000)}`);
    }
    // So does a sandbox that is in the way: a system call that a libc began to make, or a file.
    for (const [door, log] of Object.entries(this.logs)) {
      const refused = this.mayBeRefused ? 'sandbox refused' : 'sandbox refused|Permission denied|Operation not permitted';
      const told = new RegExp(`^.*(${refused}).*$`, 'm').exec(log);
      if (told) throw new Error(`${door} was refused something (src/box.c): ${told[0]}`);
    }
  }
}

// Makes one: `site` are options of the site «main», `sites` further sites, `top` those outside.
// Pace is generous unless a test says otherwise.
export async function makeInstance({ site = {}, sites = {}, top = {}, init = [], dir = makeFolder(), doors = [] } = {}) {
  const it = new Instance(dir);
  it.mustCli(['init', '--under', dir, '--base', BASE, '--title', 'The Steppe Post', ...init]);
  const generous = { pace_burst: 100000, pace_every: 1, pace_site: 1000000 };
  it.configure({ site: { ...generous, ...site }, top,
    sites: Object.fromEntries(Object.entries(sites).map(([name, own]) => [name, { ...generous, ...own }])) });
  for (const door of doors) await it.start(door);
  return it;
}
