// measure.mjs - what the benchmark counts with: wrk, CPU and memory of processes, and the disk.
import { spawn, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Seconds of CPU that a process has used, all its threads together: its own, and the kernel's for it.
export function cpuPartsOf(pid) {
  const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return [Number(fields[11]) / TICKS, Number(fields[12]) / TICKS];
}
export const cpuOf = (pid) => cpuPartsOf(pid).reduce((a, b) => a + b);

// How often a process has read and written, files and sockets: what a decision does, however busy the machine is.
export function ioOf(pid) {
  const [reads, writes] = fs.readFileSync(`/proc/${pid}/io`, 'utf8').match(/(?<=^sysc[rw]: )\d+/gm);
  return Number(reads) + Number(writes);
}

// The proportional set size in bytes: shared pages are divided among those that share them.
export function pssOf(pid) {
  return Number(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+) kB/m)[1]) * 1024;
}

export const childrenOf = (pid) =>
  fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number);

export const load = () => fs.readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ');

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
export const percentile = (numbers, share) =>
  [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))];

// What one small write and its sync take here, in ms: nothing durable can be faster alone.
export function syncTime(folder, times = 50) {
  const file = path.join(folder, 'sync'), fd = fs.openSync(file, 'w'), took = [];
  for (let i = 0; i < times; i++) {
    fs.writeSync(fd, Buffer.alloc(4096, i), 0, 4096, i * 4096);
    const from = performance.now();
    fs.fdatasyncSync(fd);
    took.push(performance.now() - from);
  }
  fs.closeSync(fd);
  fs.rmSync(file);
  return median(took);
}

function run(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.on('data', (chunk) => { text += chunk; });
  child.stderr.on('data', (chunk) => { text += chunk; });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, text }));
  });
}

// BENCH_PERF=FOLDER: a profile of each measurement, NAME.data, for `perf report -i`.  It costs some of
// the speed that is measured.
let profiles = 0;
function beginProfile(name, pids) {
  if (!process.env.BENCH_PERF) return async () => {};
  const file = path.join(process.env.BENCH_PERF, `${String(++profiles).padStart(2, '0')}-${name}.data`);
  const perf = spawn('perf', ['record', '-q', '-g', '-e', 'cpu-clock', '-F', '1999', '-p', Object.values(pids).join(','), '-o', file], { stdio: 'ignore' });
  const over = new Promise((resolve) => { perf.on('close', resolve); perf.on('error', resolve); });
  return () => { perf.kill('SIGINT'); return over; };
}

// Loads `url` for some seconds. `pids` are the programs whose CPU counts, by name:
// {requests, per_second, p50_ms, p99_ms, cpu_ms: {name: per request, …, all}}.
export async function loadWith(url, { clients, seconds, pids, headers = {}, script = 'done.lua', args = [] }) {
  const before = Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuOf(pid)]));
  const door = pids.door ?? pids.reference ?? pids.nginx, calls = ioOf(door);
  const endProfile = beginProfile(path.basename(new URL(url).pathname) || 'queue', pids);
  const { code, text } = await run('wrk', ['-t1', `-c${clients}`, `-d${seconds}s`, '--timeout', '20s', '-s', path.join(HERE, script),
    ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]), url, '--', ...args]);
  const io = ioOf(door) - calls;
  await endProfile();
  const line = text.match(/^WRK (.*)$/m);
  if (code !== 0 || !line) throw new Error(`wrk ${url}: ${text}`);
  const wrk = JSON.parse(line[1]);
  if (wrk.refused > 0 || wrk.broken > 0 || wrk.requests === 0)
    throw new Error(`${url}: of ${wrk.requests} requests ${wrk.refused} were refused and ${wrk.broken} broke off`);
  const cpu = Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, (cpuOf(pid) - before[name]) * 1000 / wrk.requests]));
  cpu.all = Object.values(cpu).reduce((a, b) => a + b, 0);
  return { requests: wrk.requests, bytes: wrk.bytes, per_second: wrk.requests / wrk.seconds, p50_ms: wrk.p50, p99_ms: wrk.p99, cpu_ms: cpu, io: io / wrk.requests };
}

// Of several rounds what other programs disturbed least: the round with the most requests a second, and
// the least CPU of any.
export function best(rounds) {
  const least = (pick, all) => all.reduce((a, b) => (pick(b) < pick(a) ? b : a));
  return { ...least((one) => -one.per_second, rounds), cpu_ms: least((one) => one.cpu_ms.all, rounds).cpu_ms, rounds: rounds.length };
}

// Takes `sample` every `ms` until the work is done; resolves to [the work's result, the samples].
export async function watching(work, sample, ms = 100) {
  const samples = [sample()];
  const timer = setInterval(() => samples.push(sample()), ms);
  try {
    const result = await work;
    return [result, samples];
  } finally {
    clearInterval(timer);
  }
}
