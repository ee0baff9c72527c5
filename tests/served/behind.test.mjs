// A test whose nginx does not start fails at once and leaves nothing behind: it does not hang.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const behind = new URL('./behind.mjs', import.meta.url);
const running = (folder) => fs.readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).filter((pid) => {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
  } catch {
    return false; // it has gone meanwhile
  }
});

for (const [what, options] of [['refuses its configuration', '{ server: "no_such_thing on;" }'], ['ends at once', '{ http: "server { listen 127.0.0.1:1; listen 203.0.113.1:1; }" }']]) {
  test(`nginx ${what}: the error is told, no door goes on running`, () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rejoinder behind '));
    try {
      const run = spawnSync(process.execPath, ['--input-type=module', '-e', `
        const { behindNginx } = await import(${JSON.stringify(behind.href)});
        await behindNginx(${options}).then(() => console.log('it started'), (error) => console.log('told:', error.message));`],
      { cwd: path.resolve(path.dirname(fileURLToPath(behind)), '../..'), env: { ...process.env, TMPDIR: folder }, encoding: 'utf8', timeout: 60000 });
      assert.match(run.stdout, /^told: /, run.stderr);
      assert.equal(run.signal, null, 'it ended by itself');
      assert.deepEqual(running(folder), []);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
}
