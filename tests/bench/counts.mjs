// counts.mjs [REPLIES] - what one accepted reply costs, in things that can be counted: system calls, syncs,
// bytes written, handing over between threads, instructions.  Unlike times they hardly depend on what else
// the machine does, so they show what a change has changed.
//
// BINS     folders of programs, with colons between, that are measured in turns (BIN)
// CLIENTS  that send at the same time (16)      ROWS  replies that are stored before (0)
// ROUNDS   of which the one with the least CPU counts (3)
//
// System calls by name need perf and root; instructions need valgrind.  What is missing is left out.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { parameters, requestBytes } from '../lib/fastcgi.mjs';
import { ROOT, makeInstance, sleep } from '../lib/instance.mjs';
import { copyReplies } from './scene.mjs';
import { cpuPartsOf, pssOf } from './measure.mjs';

const BINS = (process.env.BINS ?? process.env.BIN ?? "build/bin").split(':').map((bin) => path.resolve(ROOT, bin));
const [REPLIES, CLIENTS, ROWS, ROUNDS] = [process.argv[2] ?? 4000, process.env.CLIENTS ?? 16, process.env.ROWS ?? 0, process.env.ROUNDS ?? 3].map(Number);
const BENCH = path.resolve(ROOT, process.env.BENCH ?? 'build/bench');
const SITE = { pace_burst: 1000000, pace_site: 1000000 };
process.env.TMPDIR ??= '/var/tmp'; // a disk, or syncing costs nothing
const CALLS = ['futex', 'fdatasync', 'pread64', 'pwrite64', 'fcntl'];
const UNDER_VALGRIND = 400;

// --- sending --------------------------------------------------------------------------------------

let sent = 0;
function nextRequest() {
  const n = ++sent, words = Array.from({ length: 46 }, (_, i) => `word${(n * 31 + i * 17) % 997}`);
  const comment = `${words.slice(0, 20).join(' ')} *${words[21]}* [${words[22]}](https://example.org/${n}).\n\n${words.slice(23).join(' ')}`;
  const fields = { page: `/bench/load-${n % 50}`, parent: '', phone: '', name: `Reader ${n}`, email: `reader-${n}@example.org`,
    website: `https://example.org/${n}`, comment, key: `counts-${process.pid}-${n}` };
  const body = Buffer.from(new URLSearchParams(fields).toString());
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'User-Agent': 'bench/1', Accept: 'text/html' };
  return requestBytes(parameters({ method: 'POST', uri: '/comments/reply', headers, address: '192.0.2.7', length: body.length }), body);
}

function sendOne(it) {
  return new Promise((resolve, reject) => {
    const parts = [], socket = net.createConnection({ path: it.socket('reader'), allowHalfOpen: true });
    socket.on('error', reject);
    socket.on('data', (part) => parts.push(part));
    socket.on('end', () => {
      socket.end();
      const answer = Buffer.concat(parts).toString('latin1');
      if (answer.includes('Status: 303')) resolve();
      else reject(new Error(`a reply was not taken: ${answer.slice(0, 300)}`));
    });
    socket.write(nextRequest());
  });
}

async function sendMany(it, count) {
  let left = count;
  const client = async () => { while (left-- > 0) await sendOne(it); };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

// --- counting -------------------------------------------------------------------------------------

const numbers = (file) => Object.fromEntries([...fs.readFileSync(file, 'utf8').matchAll(/^(\w+):\s+(\d+)/gm)].map(([, name, n]) => [name, Number(n)]));
function switchesOf(pid) {
  return fs.readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + numbers(`/proc/${pid}/task/${task}/status`).voluntary_ctxt_switches, 0);
}
function now(pid) {
  const { wchar } = numbers(`/proc/${pid}/io`);
  const [own, kernel] = cpuPartsOf(pid).map((seconds) => seconds * 1000);
  return { 'CPU, ms': own + kernel, 'of it the kernel, ms': kernel, 'bytes written': wchar, 'waits of a thread': switchesOf(pid) };
}

// perf counts the calls of a process while `work` runs; {} where it may not.
async function countingCalls(pid, work) {
  const events = ['raw_syscalls:sys_enter', ...CALLS.map((call) => `syscalls:sys_enter_${call}`)];
  const perf = spawn('perf', ['stat', '-x,', '-e', events.join(','), '-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  perf.stderr.on('data', (chunk) => { text += chunk; });
  const over = new Promise((resolve) => { perf.on('close', resolve); perf.on('error', resolve); });
  await sleep(300);
  await work();
  perf.kill('SIGINT');
  await over;
  return Object.fromEntries([...text.matchAll(/^(\d+),.*?(?:raw_syscalls|syscalls):sys_enter_?(\w*)/gm)].map(([, n, call]) => [call || 'system calls', Number(n)]));
}

async function countRound(it, pid) {
  const before = now(pid);
  const calls = await countingCalls(pid, () => sendMany(it, REPLIES));
  const after = now(pid);
  const each = { ...Object.fromEntries(Object.entries(after).map(([name, n]) => [name, n - before[name]])), ...calls };
  const all = Object.fromEntries(Object.entries(each).map(([name, n]) => [name, n / REPLIES]));
  if (calls.fdatasync) all['replies a sync'] = REPLIES / calls.fdatasync;
  return { ...all, 'memory afterwards, MB': pssOf(pid) / 1048576 };
}

// Instructions of the program itself, the kernel's not counted.
async function countInstructions(it) {
  const file = path.join(it.dir, 'callgrind');
  if (spawnSync('valgrind', ['--version']).error) return {};
  const instructionsOf = () => Number(fs.readFileSync(file, 'utf8').match(/^(?:totals|summary): (\d+)/m)[1]);
  const child = await it.start('reader', { wrap: ['valgrind', '--tool=callgrind', `--callgrind-out-file=${file}`],
    env: { LD_PRELOAD: path.join(BENCH, 'no_filter.so') }, ms: 60000 });
  await sendMany(it, 50); // what is prepared and begun once
  spawnSync('callgrind_control', ['-z', String(child.pid)]);
  await sendMany(it, UNDER_VALGRIND);
  await it.stop('reader', 'SIGTERM', 60000);
  const sum = instructionsOf() / UNDER_VALGRIND;
  if (process.env.PROFILE) fs.copyFileSync(file, process.env.PROFILE);
  return { instructions: sum };
}

// --- all of it --------------------------------------------------------------------------------------

async function measure(bin) {
  const it = await makeInstance({ site: { pace_every: 0, ...SITE } });
  it.bin = bin;
  return it;
}

const all = [];
for (const bin of BINS) {
  const it = await measure(bin);
  await it.start('reader', { env: { REJOINDER_BOX: undefined } });
  await sendMany(it, 200);
  if (ROWS > 0) copyReplies(it, ROWS, "state = 'held'");
  all.push({ bin, it, rounds: [] });
}
for (let i = 0; i < ROUNDS; i++)
  for (const { it, rounds } of all) rounds.push(await countRound(it, it.doors.reader.pid));
for (const one of all) {
  await one.it.stop('reader');
  one.least = one.rounds.reduce((a, b) => (b['CPU, ms'] < a['CPU, ms'] ? b : a));
  Object.assign(one.least, await countInstructions(one.it));
  one.it.logs.reader = "";
  await one.it.tidy();
}
console.log(`a reply, of ${ROUNDS} × ${REPLIES} by ${CLIENTS} clients, ${ROWS} stored before`);
for (const name of Object.keys(all[0].least))
  console.log(`${name.padEnd(24)}${all.map(({ least }) => (least[name] ?? NaN).toFixed(name === 'instructions' ? 0 : 3).padStart(14)).join('')}`);
