// deploy/demo.sh from a checkout whose path has a space: what it promises to whoever starts it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { begin, BIN, dropFolder, makeFolder, sleep, sqlOf } from '../lib/instance.mjs';
import { Moderator, QUEUE, replies } from '../lib/browserless.mjs';
import { freePort, request, root } from './nginx.mjs';

const checkout = path.join(makeFolder(), 'a checkout');
const home = path.join(checkout, 'build/demo');
const file = path.join(home, 'demo.json');

before(() => {
  for (const name of ['deploy', 'www']) fs.cpSync(path.join(root, name), path.join(checkout, name), { recursive: true });
});
after(() => dropFolder(path.dirname(checkout)));

const script = (env) => begin('sh', [path.join(checkout, 'deploy/demo.sh')],
  { env: { ...process.env, MAKELEVEL: '', FRESH: '', BIN, ...env } });

async function up(port, env = {}) {
  const demo = script({ PORT: String(port), ...env });
  for (let tries = 0; demo.exitCode === null && tries < 600; tries++) {
    if (fs.existsSync(file) && demo.stdoutText.includes('Stop with')) return { demo, said: JSON.parse(fs.readFileSync(file, 'utf8')), port };
    await sleep(100);
  }
  demo.kill('SIGTERM');
  throw new Error(`the demo does not come up: ${demo.stdoutText}${demo.stderrText}`);
}

// Whatever works in the demo's folder.
function running() {
  return fs.readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).filter((pid) => {
    try {
      return fs.readlinkSync(`/proc/${pid}/cwd`) === home;
    } catch {
      return false;
    }
  }).map((pid) => fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
}

async function down({ demo }) {
  demo.kill('SIGTERM');
  assert.deepEqual(await demo.over, { code: 0, signal: null }, demo.stderrText);
  assert.deepEqual(running(), []);
  assert.ok(!fs.existsSync(file), 'demo.json is gone');
}

// Signs in with what was printed; the replies that wait.
async function canSignIn({ said, port }) {
  const moderator = new Moderator({ moderator: async ({ method = 'GET', uri, headers, form }) => {
    const body = form && new URLSearchParams(form).toString();
    const res = await request(port, method, uri, { body, headers: { ...headers, ...(body && { 'Content-Type': 'application/x-www-form-urlencoded' }) } });
    return { status: res.status, text: res.text, all: (name) => [res.headers[name.toLowerCase()] ?? []].flat() };
  } }, { origin: new URL(said.article).origin });
  assert.equal((await moderator.signIn(said.name, said.password)).status, 303);
  return replies((await moderator.get(`${QUEUE}?state=held`)).text);
}

test('first run, a second at the same time, and a later one on another port', async () => {
  const first = await up(await freePort());
  const { said, port } = first;
  assert.deepEqual(Object.keys(said), ['article', 'moderate', 'name', 'password', 'database', 'public', 'config']);
  for (const key of ['database', 'public', 'config']) assert.ok(path.isAbsolute(said[key]) && fs.existsSync(said[key]), key);
  assert.equal(new URL(said.article).host, `localhost:${port}`);
  for (const words of [said.article, said.moderate, said.name, said.password]) assert.ok(first.demo.stdoutText.includes(words));

  const page = await request(port, 'GET', new URL(said.article).pathname);
  assert.equal(page.status, 200);
  assert.ok(replies(page.text).length >= 6);
  assert.match(page.text, /Сергей/);
  for (const icon of ['/favicon.ico', '/comments/static/moderate.svg']) {
    const { status, headers, text } = await request(port, 'GET', icon);
    assert.deepEqual([status, headers['content-type'].split(';')[0]], [200, 'image/svg+xml'], icon);
    assert.match(text, /<svg /);
  }
  assert.match((await request(port, 'GET', '/comments/moderate/sign-in')).text, /<link rel="icon" href="\/comments\/static\/moderate\.svg"/);
  const waiting = await canSignIn(first);
  assert.ok(waiting.length >= 3 && waiting.length <= 4);
  assert.equal(fs.statSync(path.join(home, 'sign-in')).mode & 0o777, 0o600);
  const stored = sqlOf(said.database, 'SELECT count(*) AS n FROM reply')[0].n;

  const second = script({ PORT: String(await freePort()) });
  assert.equal((await second.over).code, 1);
  assert.match(second.stderrText, /^demo: [^\n]*running already[^\n]*\n$/);
  assert.ok(fs.existsSync(file), 'the first one is not disturbed');
  await down(first);

  const again = await up(await freePort());
  assert.equal(again.said.password, said.password);
  assert.equal(sqlOf(said.database, 'SELECT count(*) AS n FROM reply')[0].n, stored);
  assert.match(fs.readFileSync(said.config, 'utf8'), new RegExp(`base = "http://localhost:${again.port}"`));
  await canSignIn(again);
  await down(again);
});

test('FRESH=1 keeps nothing', async () => {
  const before = await up(await freePort());
  await down(before);
  const port = await freePort();
  const after = await up(port, { FRESH: '1' });
  assert.notEqual(after.said.password, before.said.password);
  await canSignIn(after);
  await down(after);
});

test('a door that dies is started again', async () => {
  const one = await up(await freePort());
  const door = fs.readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).find((pid) => {
    try {
      return fs.readlinkSync(`/proc/${pid}/cwd`) === home && fs.readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('reader.fcgi');
    } catch {
      return false;
    }
  });
  process.kill(Number(door), 'SIGKILL');
  let status;
  for (let tries = 0; tries < 100 && status !== 200; tries++) {
    await sleep(100);
    ({ status } = await request(one.port, 'GET', '/comments/health'));
  }
  assert.equal(status, 200);
  await down(one);
});

// Whoever starts it in the background of a script has it ignore Ctrl-C, which nginx then hears alone.
test('where nginx ends by itself, no line of an earlier start is told as the reason', async () => {
  fs.mkdirSync(home, { recursive: true });
  fs.appendFileSync(path.join(home, 'nginx.log'), '2026/11/23 10:00:00 [warn] 1#1: a line of another day\n');
  const one = await up(await freePort());
  process.kill(Number(fs.readFileSync(path.join(home, 'nginx.pid'), 'utf8')), 'SIGINT');
  assert.deepEqual(await one.demo.over, { code: 1, signal: null });
  assert.equal(one.demo.stderrText, 'demo: nginx has ended: it did not say why\n');
  assert.deepEqual(running(), []);
});

test('check of the demo has one note, which says that one user runs all', async () => {
  const one = await up(await freePort());
  const run = spawnSync(path.join(BIN, 'rejoinder'), ['--config', one.said.config, 'check'], { encoding: 'utf8' });
  await down(one);
  assert.deepEqual(run.stdout.match(/^(mend|note) .*/gm)?.filter((line) => !line.includes('somaxconn')), ['note     both programs run as one user: sealing protects backups, but not against a taken-over reader.fcgi']);
  assert.equal(run.status, 0);
});

test('what cannot work is said in one sentence', async () => {
  const port = await freePort();
  const holder = begin(process.execPath, ['-e', `require('net').createServer().listen(${port}, '127.0.0.1', () => console.log('here'))`]);
  while (!holder.stdoutText.includes('here')) await sleep(20);
  after(() => holder.kill());
  for (const [env, words] of [[{ PORT: String(port) }, /in use/], [{ PORT: 'http' }, /no port/], [{ PORT: '70000' }, /no port/], [{ BIN: '/nowhere' }, /not built/]]) {
    const demo = script(env);
    assert.equal((await demo.over).code, 1);
    assert.match(demo.stderrText, /^demo: [^\n]*\n$/);
    assert.match(demo.stderrText, words);
  }
  assert.deepEqual(running(), []);
});
