// bench.mjs [--short] - measures Rejoinder against references, prints a table, writes bench.json.
//
// BIN    the folder of the programs        BENCH      the folder of the references, and of bench.json
// BENCH_SCRATCH  where databases lie while it runs (/var/tmp): a disk, or syncing costs nothing
//
// Exit status 0: everything was measured (an aim that is missed is printed, not a failure);
// 1: something could not be measured, or the reference was no fair one.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { Moderator, decode, forms, fieldOf, replies } from '../lib/browserless.mjs';
import { BASE, BIN, Instance, ROOT } from '../lib/instance.mjs';
import { freePort, snippet } from '../served/nginx.mjs';
import { copyReplies, settle } from './scene.mjs';
import { ratiosOf, table } from './tell.mjs';
import { best, childrenOf, cpuOf, ioOf, load, loadWith, percentile, pssOf, sleep, syncTime, watching } from './measure.mjs';

const SHORT = process.argv.includes('--short');
const BENCH = path.resolve(ROOT, process.env.BENCH ?? 'build/bench');
const SIZE = SHORT
  ? { rounds: 1, read: 1, post: 1, memory: 1, page: 1, decisions: 6, queues: [100, 10000], roots: [100, 300], sent: 1000 }
  : { rounds: 6, read: 2, post: 3, memory: 5, page: 2, decisions: 40, queues: [100, 10000, 1000000], roots: [100, 10000], sent: 20000 };
const READERS = 64, SENDERS = 64, MODERATORS = 4, LOAD_PAGES = 50, QUEUE_PAGES = 10, SHOWN = 100, THREAD = 100;
const REFERENCE_THREADS = 64, SHIPPED_WORKERS = 16;

for (const [program, version] of [['nginx', '-v'], ['wrk', '-v'], ['sqlite3', '--version']]) {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };
  if (spawnSync(program, [version], { env }).error) {
    console.log(`bench: ${program} is missing (Debian: ${program === 'nginx' ? 'nginx-light' : program}); nothing was measured\n0 passed, 0 failed, 1 skipped`);
    process.exit(0);
  }
}

// --- what runs --------------------------------------------------------------------------------

const scratch = fs.mkdtempSync(path.join(process.env.BENCH_SCRATCH ?? '/var/tmp', 'rejoinder-bench-'));
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  fs.rmSync(scratch, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

// Starts a program with its standard error in a file, as under a service manager, until it is `ready`.
async function start(name, command, args, isReady = (log) => log.includes('ready')) {
  const log = path.join(scratch, `${name}.log`);
  const fd = fs.openSync(log, 'w');
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', fd], env });
  fs.closeSync(fd);
  running.add(child);
  child.text = '';
  child.stdout.on('data', (chunk) => { child.text += chunk; });
  child.over = new Promise((resolve) => child.on('close', (code) => { running.delete(child); resolve(code); }));
  child.on('error', () => {});
  for (let waited = 0; !(await isReady(fs.readFileSync(log, 'utf8'))); waited += 20) {
    if (child.exitCode !== null || waited > 15000) throw new Error(`${name} did not start: ${fs.readFileSync(log, 'utf8')}`);
    await sleep(20);
  }
  return child;
}
async function stop(child) {
  child.kill('SIGTERM');
  const code = await child.over;
  if (code !== 0) throw new Error(`${child.spawnargs[0]} ended with ${code}`);
  return child.text;
}

const startDoor = (it, door) => start(door, ...it.command(door));
const socketOf = (name) => path.join(scratch, `${name}.sock`);
const startReference = (name, ...more) =>
  start(name, path.join(BENCH, `reference_${name}`), [socketOf(name), String(REFERENCE_THREADS), ...more]);

// One worker: then it, and not the load generator, is what reading waits for.
function nginxText(it, port) {
  const parameters = fs.readFileSync(path.join(ROOT, 'deploy/nginx/rejoinder.conf'), 'utf8')
    .match(/location \^~ \/comments\/ \{[\s\S]*?\n\n/)[0].split('\n').filter((line) => /fastcgi_param|buffer|max/.test(line)).join('\n');
  const reference = (name) => `location = /reference/${name} { fastcgi_pass "unix:${socketOf(name)}";\n${parameters}\n}`;
  const temporary = ['client_body', 'fastcgi', 'proxy', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path tmp_${name};`).join(' ');
  return `${process.getuid() === 0 ? 'user root;' : ''}
daemon off; worker_processes 1; pid nginx.pid; error_log error.log warn;
events { worker_connections 1024; }
http {
  types { text/html html; text/css css; text/javascript js; }
  default_type application/octet-stream; ${temporary}
  sendfile on; tcp_nopush on; access_log off; keepalive_requests 100000000;
  server {
    listen 127.0.0.1:${port};
    root "${path.join(scratch, 'www')}";
    ${reference('echo')}
    ${reference('commit')}
    include rejoinder.conf;
  }
}
`;
}

async function startNginx(it, port) {
  const dir = path.join(scratch, 'nginx');
  fs.mkdirSync(path.join(scratch, 'www'), { recursive: true });
  fs.mkdirSync(dir);
  fs.writeFileSync(path.join(dir, 'rejoinder.conf'), snippet({ publicMain: path.join(it.public, 'main'), run: path.join(it.dir, 'run') }));
  fs.writeFileSync(path.join(dir, 'nginx.conf'), nginxText(it, port));
  const nginx = await start('nginx', 'nginx', ['-e', 'error.log', '-p', `${dir}/`, '-c', 'nginx.conf'],
    () => ask(port, 'GET', '/comments/health').then(() => true, () => false));
  nginx.worker = childrenOf(nginx.pid)[0];
  return nginx;
}

// --- requests that set the scene ------------------------------------------------------------------

const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
function ask(port, method, target, { headers = {}, form } = {}) {
  const body = form === undefined ? undefined : new URLSearchParams(form).toString();
  const all = { Host: `localhost:${port}`, ...headers };
  if (body !== undefined) Object.assign(all, { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(body) });
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, method, path: target, agent, headers: all }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, bytes: Buffer.concat(parts) }));
      answer.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

const SENTENCES = ['The council has known about the harbor since spring.', 'My neighbors and I *walked* there on Sunday.',
  'Who pays for the ferry, and until when?', 'There is a [plan of the quarter](https://example.org/plan) in the library.',
  'Nobody asked those who live by the river.', 'I am told that the tram will run again in the autumn.'];
let sent = 0;
function reply(page) {
  const n = ++sent;
  const comment = [0, 1, 2, 3].map((i) => SENTENCES[(n * 5 + i * (1 + n % 3)) % SENTENCES.length]).join(' ');
  return { page, name: `Reader ${n}`, email: `reader${n}@example.org`, website: '', comment: `${comment}\n\nThat was number ${n}.`, key: `bench-${n}` };
}

// Sends replies through the web server, a few at a time; all must be taken.
async function send(port, count, pageOf) {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const i = next++;
      const answer = await ask(port, 'POST', '/comments/reply', { form: reply(pageOf(i)) });
      if (answer.status !== 303) throw new Error(`a reply was not taken: ${answer.status} ${answer.bytes}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

const heldCount = (it) => it.sql("SELECT count(*) AS n FROM reply WHERE state = 'held'")[0].n;

const QUEUE = '/comments/moderate/?state=held';
const cookieHeader = (moderator) => Object.entries(moderator.cookies).map(([name, value]) => `${name}=${value}`).join('; ');

// The decide form of a queue page: {action, hidden fields, replies as the form sends them}.
function decisionForm(html) {
  const form = forms(html).find((one) => one.action.endsWith('/decide') && fieldOf(one, 'reply'));
  if (!form) throw new Error('the queue page has no form to decide with');
  return { action: form.action, hidden: Moderator.rest(form), replies: form.controls.filter((one) => one.name === 'reply').map((one) => one.value) };
}

// --- 1. reading ---------------------------------------------------------------------------------

async function makeThread(it, port, moderator) {
  await send(port, THREAD, () => '/bench/thread');
  while (heldCount(it) > 0) {
    const { action, hidden, replies: some } = decisionForm((await moderator.get(QUEUE)).text);
    const answer = await moderator.submit(action, [...hidden, ...some.map((one) => ['reply', one]), ['state', 'published']]);
    if (answer.status !== 303) throw new Error(`not approved: ${answer.status} ${answer.text}`);
  }
  const html = it.thread('/bench/thread');
  if (replies(html).length !== THREAD) throw new Error(`the published thread has ${replies(html).length} of ${THREAD} replies`);
  return Buffer.byteLength(html);
}

async function measureReading(it, port, moderator, nginx, reader) {
  const bytes = await makeThread(it, port, moderator);
  const plain = path.join(scratch, 'www', 'bench');
  fs.mkdirSync(plain, { recursive: true });
  fs.writeFileSync(path.join(plain, 'plain.html'), Buffer.alloc(bytes, 'plain '));
  const urls = { plain: `http://127.0.0.1:${port}/bench/plain.html`, thread: `http://127.0.0.1:${port}/comments/threads/bench/thread/~/thread.html` };
  const rounds = { plain: [], thread: [] };
  const before = cpuOf(reader.pid);
  for (let i = 0; i < SIZE.rounds; i++)
    for (const name of ['plain', 'thread'])
      rounds[name].push(await loadWith(urls[name], { clients: READERS, seconds: SIZE.read, pids: { nginx: nginx.worker } }));
  for (const one of [...rounds.plain, ...rounds.thread])
    if (one.bytes < one.requests * bytes) throw new Error('an answer was shorter than the thread');
  if (cpuOf(reader.pid) - before > 0.05) throw new Error('reading has woken reader.fcgi');
  return { bytes, plain: best(rounds.plain), thread: best(rounds.thread) };
}

// --- 4. the queue -------------------------------------------------------------------------------

async function decideOneByOne(it, port, moderator, pids) {
  const { action, hidden, replies: waiting } = decisionForm((await moderator.get(QUEUE)).text);
  const headers = { Cookie: cookieHeader(moderator), Origin: BASE, 'Sec-Fetch-Site': 'same-origin', Accept: 'text/html' };
  const chosen = waiting.slice(0, SIZE.decisions), took = [];
  const before = pids.map(cpuOf), door = pids.at(-1), calls = [];
  for (const one of chosen) {
    const from = performance.now(), io = ioOf(door);
    const answer = await ask(port, 'POST', action, { headers, form: [...hidden, ['reply', one], ['state', 'published']] });
    took.push(performance.now() - from);
    calls.push(ioOf(door) - io);
    if (answer.status !== 303) throw new Error(`not decided: ${answer.status} ${answer.bytes}`);
  }
  const cpu = pids.map((pid, i) => (cpuOf(pid) - before[i]) * 1000 / chosen.length);
  const ids = chosen.map((one) => one.split(':')[0]).join(', ');
  const shown = it.sql(`SELECT reply.id AS id, thread.page AS page, reply.page_number AS n FROM reply JOIN thread ON thread.id = reply.thread_id WHERE reply.id IN (${ids})`);
  for (const { id, page, n } of shown)
    if (!it.thread(page, n > 1 ? `page.${n}.html` : 'thread.html').includes(`id="reply-${id}"`)) throw new Error(`reply ${id} was approved and is not in the file of ${page}`);
  return { requests: chosen.length, p50_ms: percentile(took, 0.5), p99_ms: percentile(took, 0.99), io: percentile(calls, 0.5),
    cpu_ms: { nginx: cpu[0], door: cpu[1], all: cpu[0] + cpu[1] } };
}

// The page shows the newest of them: the same kind of replies, however many there are behind.
async function fillQueue(it, port, waiting) {
  const page = (i) => `/bench/queue-${i % QUEUE_PAGES}`;
  const lacking = waiting - heldCount(it) - SHOWN;
  if (lacking > SIZE.sent) copyReplies(it, lacking, "state = 'held'");
  else await send(port, lacking, page);
  await send(port, SHOWN, page);
  settle(it);
}

// A decision about a root of a thread that has so many published ones already: it begins page 2, or page 101.
async function measureRoots(it, port, moderator, pids) {
  const all = {};
  for (const roots of SIZE.roots) {
    const page = `/bench/roots-${roots}`;
    await send(port, 1, () => page);
    const [{ id }] = it.sql(`SELECT id FROM thread WHERE page = '${page}'`);
    copyReplies(it, roots, `thread_id = ${id}`, { state: "'published'", page_number: '1 + n.i / 100', published_at: 'source.created_at', decided_at: 'source.created_at', shown: '1' });
    it.sql(`UPDATE thread SET roots = ${roots}, published = ${roots}, revision = revision + 1 WHERE id = ${id}`);
    it.mustCli(['publish', '--all'], { timeout: 600000 });
    const stood = JSON.parse(it.thread(page, 'thread.json'));
    if (stood.pages !== Math.ceil(roots / 100)) throw new Error(`${page} has ${stood.pages} pages`);
    await send(port, SIZE.decisions - 1, () => page);
    all[roots] = await decideOneByOne(it, port, moderator, pids);
  }
  return all;
}

async function measureQueue(it, port, moderator, nginx, door, waiting) {
  await fillQueue(it, port, waiting);
  const rounds = [];
  for (let i = 0; i < SIZE.rounds; i++)
    rounds.push(await loadWith(`http://127.0.0.1:${port}${QUEUE}`, { clients: MODERATORS, seconds: SIZE.page,
      pids: { nginx: nginx.worker, door: door.pid }, headers: { Cookie: cookieHeader(moderator), Accept: 'text/html' } }));
  return { page: best(rounds), decision: await decideOneByOne(it, port, moderator, [nginx.worker, door.pid]) };
}

// --- 2. and 3. replies and memory -----------------------------------------------------------------

const rowSize = "SELECT avg(length(cast(name AS blob)) + coalesce(length(cast(website AS blob)), 0) + length(cast(comment AS blob)) + " +
  ['email_sealed', 'network_sealed', 'author_hash', 'client_hash', 'key_hash', 'submission_hash', 'comment_hash', 'content_hash']
    .map((column) => `coalesce(length(${column}), 0)`).join(' + ') + ' + length(reasons)) AS n FROM reply WHERE id > ';

let runs = 0;
function post(port, target, nginx, pids, seconds = SIZE.post) {
  return loadWith(`http://127.0.0.1:${port}${target}`, { clients: SENDERS, seconds, script: 'post.lua',
    pids: { nginx: nginx.worker, ...pids }, args: [`r${++runs}`, String(LOAD_PAGES)] });
}

// wrk goes away while requests are on their way: those are still stored.
async function settledCount(it) {
  for (let last = -1; ;) {
    const now = it.sql('SELECT count(*) AS n FROM reply')[0].n;
    if (now === last) return now;
    last = now;
    await sleep(200);
  }
}

// Each acknowledged reply must be there; one may be stored whose answer wrk did not wait for.
async function postReplies(it, port, nginx, reader, seconds) {
  const before = await settledCount(it);
  const round = await post(port, '/comments/reply', nginx, { door: reader.pid }, seconds);
  const stored = await settledCount(it) - before;
  if (stored < round.requests || stored > round.requests + SENDERS)
    throw new Error(`${round.requests} replies were acknowledged, ${stored} stored`);
  return round;
}

async function measurePosting(it, port, nginx, doors) {
  const rounds = { door: [], wide: [], commit: [], echo: [] };
  const database = path.join(scratch, 'reference.db');
  const echo = await startReference('echo'), commit = await startReference('commit', database);
  const from = it.sql('SELECT max(id) AS n FROM reply')[0].n;
  await postReplies(it, port, nginx, doors.reader, 1); // the pages' threads are begun
  for (let i = 0; i < SIZE.rounds; i++) {
    rounds.door.push(await postReplies(it, port, nginx, doors.reader));
    rounds.commit.push(await post(port, '/reference/commit', nginx, { reference: commit.pid }));
    rounds.echo.push(await post(port, '/reference/echo', nginx, { reference: echo.pid }));
  }
  await stop(echo);
  const summary = JSON.parse(await stop(commit));
  // The same door with as many workers as there are senders.
  const restartWith = async (workers) => {
    await stop(doors.reader);
    it.configure({ top: { workers } });
    doors.reader = await startDoor(it, 'reader');
  };
  await restartWith(REFERENCE_THREADS);
  for (let i = 0; i < SIZE.rounds; i++) rounds.wide.push(await postReplies(it, port, nginx, doors.reader));
  await restartWith(SHIPPED_WORKERS);
  const bytes = { door: it.sql(rowSize + from)[0].n, reference: it.sql('SELECT avg(length(body) + length(beside)) AS n FROM reply', database)[0].n };
  fs.rmSync(database);
  return { reference: { ...summary, threads: REFERENCE_THREADS }, row_bytes: bytes,
    ...Object.fromEntries(Object.entries(rounds).map(([name, all]) => [name, best(all)])) };
}

async function measureIdle(doors) {
  return { reader: pssOf(doors.reader.pid), moderator: pssOf(doors.moderator.pid) };
}
async function measureLoaded(it, port, nginx, doors) {
  const sample = () => ({ reader: pssOf(doors.reader.pid), moderator: pssOf(doors.moderator.pid) });
  const [reply, samples] = await watching(postReplies(it, port, nginx, doors.reader, SIZE.memory), sample);
  const most = samples.reduce((a, b) => (a.reader + a.moderator >= b.reader + b.moderator ? a : b));
  return [reply, { samples: samples.length, ...most }];
}

// --- all of it ------------------------------------------------------------------------------------

async function makeScene() {
  const it = new Instance(path.join(scratch, 'it'));
  it.mustCli(['init', '--under', it.dir, '--base', BASE, '--title', 'The Steppe Post']);
  it.configure({ site: { pace_burst: 1000000, pace_every: 0, pace_site: 1000000 } });
  it.addModerator('editor', 'a steppe is not a step');
  const port = await freePort();
  const doors = { reader: await startDoor(it, 'reader'), moderator: await startDoor(it, 'moderator') };
  const nginx = await startNginx(it, port);
  return { it, port, doors, nginx };
}

async function measureAll() {
  const note = (what) => console.error(`bench: ${what} (load ${load()})`);
  const { it, port, doors, nginx } = await makeScene();
  const health = await Promise.all(['/comments/health', '/comments/moderate/health'].map((target) => ask(port, 'GET', target)));
  if (health.some((answer) => answer.status !== 200)) throw new Error('a door is not healthy');
  const result = { short: SHORT, began: new Date().toISOString(), senders: SENDERS, wide_workers: REFERENCE_THREADS, thread_replies: THREAD, machine: machine(), load_before: load(), memory: { idle: await measureIdle(doors) } };
  const moderator = new Moderator(it);
  const signIn = await moderator.signIn('editor', 'a steppe is not a step');
  if (signIn.status !== 303) throw new Error(`sign-in: ${signIn.status}`);
  note('reading');
  result.reading = await measureReading(it, port, moderator, nginx, doors.reader);
  result.queue = {};
  for (const waiting of SIZE.queues) {
    // The replies' own figures are those of a store of usual size; what a large one makes of them comes below.
    if (waiting === SIZE.queues.at(-1)) {
      note('replies');
      result.posting = await measurePosting(it, port, nginx, doors);
    }
    note(`the queue, ${waiting} waiting`);
    result.queue[waiting] = await measureQueue(it, port, moderator, nginx, doors.moderator, waiting);
  }
  note('long threads');
  result.roots = await measureRoots(it, port, moderator, [nginx.worker, doors.moderator.pid]);
  note('memory under load');
  [result.posting.late, result.memory.loaded] = await measureLoaded(it, port, nginx, doors);
  result.memory.after = await measureIdle(doors);
  result.load_after = load();
  for (const child of [nginx, doors.reader, doors.moderator]) await stop(child);
  return result;
}

function machine() {
  const cpu = os.cpus();
  const version = (command, args) => { const run = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } }); return `${run.stdout}${run.stderr}`.split('\n')[0]; };
  return { cores: cpu.length, model: cpu[0].model, memory_bytes: os.totalmem(), kernel: os.release(),
    filesystem: version('stat', ['-f', '-c', '%T', scratch]), sync_ms: syncTime(scratch), nginx: version('nginx', ['-v']),
    sqlite: version('sqlite3', ['--version']).split(' ')[0] };
}

// --- all of it ------------------------------------------------------------------------------------

// A comparison with a reference that is none says nothing.
function faultsOf(result) {
  const faults = [];
  const { reference, row_bytes: bytes } = result.posting;
  if (reference.rows_a_commit < 4 && !SHORT) faults.push(`the bare commit put ${reference.rows_a_commit} rows into a commit; from 4 on it is a fair reference`);
  if (reference.synchronous !== '2' || reference.journal_mode !== 'wal') faults.push('the bare commit did not run with synchronous=FULL and WAL');
  if (Math.abs(bytes.door / bytes.reference - 1) > 0.25) faults.push(`rows differ in size: ${bytes.door} and ${bytes.reference} bytes`);
  const look = (value, where) => {
    if (value !== null && typeof value === 'object') for (const [key, inner] of Object.entries(value)) look(inner, `${where}.${key}`);
    else if (typeof value === 'number' && !Number.isFinite(value)) faults.push(`${where} is no number`);
    // A short run has too few ticks of the clock for some CPU, and forty decisions for nginx's share of it.
    else if (value === 0 && !SHORT && !/(decision|roots\.\d+)\.cpu_ms/.test(where)) faults.push(`${where} is 0`);
  };
  look(result, 'result');
  return faults;
}

try {
  const result = await measureAll();
  result.ratios = ratiosOf(result);
  fs.mkdirSync(BENCH, { recursive: true });
  fs.writeFileSync(path.join(BENCH, 'bench.json'), `${JSON.stringify(result, null, 2)}\n`);
  console.log(table(result));
  const faults = faultsOf(result);
  for (const fault of faults) console.log(`bench: ${fault}`);
  console.log(`all of it: ${path.relative(process.cwd(), path.join(BENCH, 'bench.json'))}`);
  if (SHORT) console.log(`${faults.length === 0 ? 1 : 0} passed, ${faults.length} failed`);
  process.exit(faults.length === 0 ? 0 : 1);
} catch (error) {
  console.error(`bench: ${error.stack}`);
  process.exit(1);
}
