// life.mjs - doors under somebody who starts them again, and load on them meanwhile.
import fs from 'node:fs';
import path from 'node:path';
import { ROOT, begin, sleep } from './instance.mjs';

const SUPERVISE = path.join(ROOT, 'tests/lib/supervise.pl');

export async function until(what, holds, ms = 15000) {
  for (let waited = 0; !holds(); waited += 10) {
    if (waited > ms) throw new Error(`waited in vain for ${what}`);
    await sleep(10);
  }
}

// A door of `it` under tests/lib/supervise.pl; `how` is 'zero' or 'systemd'. The socket is the
// supervisor's, so it outlives each door.
export async function supervise(it, door = 'reader', how = 'zero') {
  const [file, args] = it.command(door);
  fs.mkdirSync(path.dirname(it.socket(door)), { recursive: true });
  const child = begin('perl', [SUPERVISE, it.socket(door), how, file, '--config', args[1]]);
  const lines = (word) => [...child.stdoutText.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].map((m) => Number(m[1]));
  const ready = () => (child.stderrText.match(/ ready$/gm) ?? []).length;
  await until('the first door', () => ready() > 0);
  return {
    ready, log: () => child.stderrText, ends: () => lines('end'), pid: () => lines('start').at(-1),
    // Signals the door that runs.
    signal: (name) => process.kill(lines('start').at(-1), name),
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 15000);
      await child.over;
      clearTimeout(timer);
    },
  };
}

// Sends `n` times by `clients` at once what `send` sends, and calls `disturb` `times` times, evenly.
// Resolves to the failures, each told.
export async function underLoad({ n, clients, times, send, disturb }) {
  const failures = [];
  let sent = 0, done = 0;
  const client = async () => {
    while (sent < n) {
      const mine = ++sent;
      try {
        await send(mine);
      } catch (error) {
        failures.push(`request ${mine}: ${error.message}`);
      }
      done++;
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  for (let i = 1; i <= times; i++) {
    await until('the load', () => done >= (n * i) / (times + 1), 300000);
    await disturb(i);
  }
  await all;
  return failures;
}
