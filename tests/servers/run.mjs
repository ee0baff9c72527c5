// run.mjs [NAME ...] - lives through the story behind each web server, with the shipped
// configuration, and prints one line a server: «NAME: N passed, N failed».  Ends with 1 when
// anything failed; the last line sums up, for tests/run.
//
// Servers run without privileges: as root everything below happens as www-data, with copies of what
// that user might not be able to read.  ONLY="second site" lives through what has these words in its
// title alone (variants.mjs), KEEP=1 keeps the folders, with the servers' logs; VERBOSE=1 tells each step.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const checkout = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
process.env.PATH += ':/usr/sbin:/usr/local/sbin';

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'rejoinder-servers-'));
process.on('exit', () => { if (!process.env.KEEP) fs.rmSync(home, { recursive: true, force: true }); });
for (const name of ['deploy', 'www/static', 'docs/deploy.md']) fs.cpSync(path.join(checkout, name), path.join(home, name), { recursive: true });
fs.cpSync(path.resolve(checkout, process.env.BIN ?? 'build/bin'), path.join(home, 'bin'), { recursive: true });
for (const name of ['tests/servers/spy.mjs', 'tests/served/responder.mjs']) fs.cpSync(path.join(checkout, name), path.join(home, name));
Object.assign(process.env, { TREE: home, BIN: path.join(home, 'bin'), TMPDIR: home, HOME: home });

// What the tests are made of is read before the privileges go.
const { SERVERS, stand } = await import('./stand.mjs');
const { story } = await import('./story.mjs');
const { variants } = await import('./variants.mjs');

if (process.getuid() === 0) {
  const id = (flag) => Number(execFileSync('id', [flag, 'www-data'], { encoding: 'utf8' }));
  const [uid, gid] = [id('-u'), id('-g')];
  execFileSync('chown', ['-R', `${uid}:${gid}`, home]);
  process.setgroups([gid]);
  process.setgid(gid);
  process.setuid(uid);
}
process.umask(0o022);

async function deadline(work, ms) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`not done after ${ms / 1000} s`)), ms); });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function through(name) {
  const count = { passed: 0, failed: 0 };
  const bad = (title, error) => {
    count.failed++;
    console.log(`not ok - ${name}: ${title}: ${(error.stack ?? String(error)).split('\n').slice(0, process.env.VERBOSE ? 20 : 6).join('\n    ')}`);
  };
  const step = async (title, work) => {
    const began = Date.now();
    try {
      await deadline(work, 90000);
      count.passed++;
      if (process.env.VERBOSE) console.log(`ok - ${name}: ${title} (${Date.now() - began} ms)`);
    } catch (error) {
      bad(title, error);
    }
  };
  const all = [['the story', {}, story], ...variants(name)];
  for (const [what, options, live] of all.filter(([title]) => title.includes(process.env.ONLY ?? ''))) {
    let one;
    try {
      one = await stand(name, options);
      await live(one, step);
    } catch (error) {
      bad(what, error);
    }
    try {
      await one?.tidy();
    } catch (error) {
      bad(`the end of ${what}`, error);
    }
  }
  console.log(`${name}: ${count.passed} passed, ${count.failed} failed`);
  return count;
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in SERVERS));
if (unknown.length > 0) {
  console.error(`run: there is no ${unknown.join(', ')}; there are: ${Object.keys(SERVERS).join(' ')}`);
  process.exit(2);
}
const sum = { passed: 0, failed: 0 };
for (const name of asked.length > 0 ? asked : Object.keys(SERVERS)) {
  const { passed, failed } = await through(name);
  sum.passed += passed;
  sum.failed += failed;
}
console.log(`${sum.passed} passed, ${sum.failed} failed`);
process.exitCode = sum.failed === 0 ? 0 : 1;
