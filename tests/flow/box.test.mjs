// A door that was taken over, in its sandbox: build/bin/trespasser plays it.  Each refusal is compared
// with the same attempt outside of the sandbox, so that it is the sandbox that refuses.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { signedIn } from '../lib/browserless.mjs';
import { formsOf, search } from '../lib/canary.mjs';
import { BIN, IS_ROOT, makeInstance, tellSeed } from '../lib/instance.mjs';

const EMAIL = `taken.${randomUUID()}@over-${randomUUID().slice(0, 8)}.example`;
const ADDRESS = '203.0.113.77';
const FORMS = Object.entries({ EMAIL, ADDRESS }).flatMap(([what, text]) => formsOf(text).map((form) => ({ what, ...form })));
const USERS = { reader: 61001, moderator: 61002 }, GROUP = 61000;
const as = (uid) => ['setpriv', `--reuid=${uid}`, `--regid=${GROUP}`, '--clear-groups', '--no-new-privs'];

let it, sandboxed = true;

// As a package lays it out: what is the moderators' alone is in a folder of its own.
before(async () => {
  tellSeed();
  it = await makeInstance();
  const store = path.join(it.dir, 'store');
  fs.mkdirSync(store);
  for (const name of fs.readdirSync(it.dir)) if (name.startsWith('rejoinder.db')) fs.renameSync(path.join(it.dir, name), path.join(store, name));
  it.database = path.join(store, 'rejoinder.db');
  it.configure({ top: { database: it.database } });
  fs.mkdirSync(path.join(it.dir, 'etc'));
  fs.renameSync(it.config, path.join(it.dir, 'etc/rejoinder.conf'));
  it.config = path.join(it.dir, 'etc/rejoinder.conf');
  it.addModerator('editor', 'a steppe is not a step');
  await it.start('reader');
  await it.start('moderator');
  const moderator = await signedIn(it);
  const { id } = await it.post({ page: '/world/taken', email: EMAIL }, { address: ADDRESS });
  assert.equal((await moderator.approve(id)).status, 303);
  it.bin = path.join(it.dir, 'bin');
  fs.mkdirSync(it.bin);
  fs.copyFileSync(path.join(BIN, 'trespasser'), path.join(it.bin, 'trespasser'));
  fs.chmodSync(path.join(it.bin, 'trespasser'), 0o755);
  const told = trespass('reader', 'boxed', 'file', it.config).stderr;
  const [without] = /runs without.*/.exec(told) ?? [];
  if (without) {
    // Any other reason is a fault of ours.
    assert.match(without, /sanitised build|not implemented|not supported|not permitted/);
    console.log(`skipped: ${without}`);
    sandboxed = false;
  }
});
after(() => it?.tidy());

function trespass(door, boxed, what, argument, wrap = []) {
  const [command, ...rest] = [...wrap, path.join(it.bin, 'trespasser'), door, it.config, boxed, what, argument];
  const run = spawnSync(command, rest, { encoding: 'latin1', maxBuffer: 1 << 28, timeout: 600000 });
  assert.equal(run.status, 0, run.stderr + run.error);
  return run;
}
const attempts = (...args) => Object.fromEntries(trespass(...args).stdout.trim().split('\n').map((line) => line.split(' ')));
const inSandbox = (name, body) => test(name, (t) => (sandboxed ? body(t) : t.skip('no sandbox here')));

for (const door of ['reader', 'moderator']) {
  inSandbox(`${door}: whatever serving does not take is refused, and works outside of the sandbox`, () => {
    const boxed = attempts(door, 'boxed', 'tries', it.socket(door));
    const free = attempts(door, 'free', 'tries', it.socket(door));
    assert.deepEqual(Object.keys(boxed), Object.keys(free));
    assert.ok(Object.keys(free).length >= 19);
    // A user who is not root lacks some of these rights in any case.
    const own = IS_ROOT ? [] : ['unshare'];
    for (const [name, result] of Object.entries(free)) if (!own.includes(name)) assert.equal(result, 'ok', name);
    for (const [name, result] of Object.entries(boxed)) {
      const wanted = name === 'write-beside-database' ? /^ok$/ : /^(EPERM|EACCES)$/;
      assert.match(result, wanted, name);
    }
  });
}

// The doors themselves, where trespasser only plays one.
for (const door of ['reader', 'moderator']) {
  inSandbox(`${door}: each thread of the running program is behind the filter, and none leaves a core file`, () => {
    const process = `/proc/${it.doors[door].pid}`;
    const threads = fs.readdirSync(`${process}/task`);
    assert.ok(threads.length > 1);
    for (const thread of threads) {
      const status = fs.readFileSync(`${process}/task/${thread}/status`, 'utf8');
      assert.match(status, /^Seccomp:\t2$/m);
      assert.match(status, /^NoNewPrivs:\t1$/m);
    }
    assert.match(fs.readFileSync(`${process}/limits`, 'utf8'), /^Max core file size +0 +0 /m);
  });
}

const untraceable = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status !== 0;
describe('as the kernel sees it', { skip: untraceable ? 'no strace, or it may not trace here' : false }, () => {
  const trace = (file, ...more) => ({ env: { REJOINDER_BOX: '' },
    wrap: ['strace', '-D', '-f', '-qq', '-o', file, '-e', 'trace=landlock_create_ruleset,landlock_restrict_self,seccomp,prctl,clone,clone3', ...more] });
  // Another one beside the running door, at a socket of its own.
  async function second(door, wrap, use) {
    const other = Object.assign(Object.create(it), { doors: {}, logs: { reader: '', moderator: '' }, socket: (name) => path.join(it.dir, 'run', `${name}.second`),
      command: (name) => [path.join(BIN, `${name}.fcgi`), ['--config', it.config, '--socket', path.join(it.dir, 'run', `${name}.second`)]] });
    try {
      await other.start(door, wrap);
      return await use(other);
    } finally {
      await other.stop(door);
    }
  }
  const health = (other, door) => other.ask(door, { uri: door === 'reader' ? '/comments/health' : '/comments/moderate/health' });

  for (const door of ['reader', 'moderator']) {
    inSandbox(`${door}: files and system calls are locked before the first thread`, async () => {
      const file = path.join(it.dir, `${door}.trace`);
      await second(door, trace(file), async (other) => assert.equal((await health(other, door)).status, 200));
      const lines = fs.readFileSync(file, 'utf8').split('\n');
      const at = (pattern) => lines.findIndex((line) => pattern.test(line));
      const thread = at(/ clone3?\(/), files = at(/landlock_restrict_self\(.* = 0$/), calls = at(/(seccomp\(SECCOMP_SET_MODE_FILTER|prctl\(PR_SET_SECCOMP).* = 0$/);
      assert.ok(thread > 0 && files >= 0 && calls >= 0, lines.join('\n'));
      assert.ok(files < thread && calls < thread, lines.join('\n'));
    });

    inSandbox(`${door}: on a kernel without Landlock one line says so, and it serves`, async () => {
      await second(door, trace('/dev/null', '-e', 'inject=landlock_create_ruleset:error=ENOSYS'), async (other) => {
        assert.equal((await health(other, door)).status, 200);
        assert.deepEqual(other.logs[door].split('\n').filter((line) => line.includes('without')).map((line) => line.replace(/.*runs/, 'runs')),
          ['runs without Landlock: Function not implemented']);
      });
    });
  }
});

inSandbox('of the files each door reaches its own, and those alone', () => {
  const moderators = path.join(it.dir, 'moderators');
  const published = it.threadFile('/world/taken');
  const cases = [ // file, what the reader may, what the moderators' door may
    [it.database, 'rw', 'rw'],
    [published, 'r-', 'rw'],
    [path.join(moderators, 'secret.key'), '--', 'rw'],
    [path.join(moderators, 'moderators.db'), '--', 'rw'],
    [path.join(it.dir, 'keys/matching.key'), '--', '--'],
    [path.join(it.dir, 'keys/receipt.key'), '--', '--'],
    [path.join(it.dir, 'run/pace'), '--', '--'],
    [it.config, 'r-', 'r-'],
    ['/etc/group', '--', '--'],
    ['/proc/self/environ', '--', '--'],
  ];
  for (const [file, ...wanted] of cases) {
    ['reader', 'moderator'].forEach((door, i) => {
      const got = attempts(door, 'boxed', 'file', file);
      assert.equal(`${got.read === 'ok' ? 'r' : '-'}${got.write === 'ok' ? 'w' : '-'}`, wanted[i], `${door}: ${file}`);
      assert.equal(attempts(door, 'free', 'file', file).read, 'ok', `${file} is there`);
    });
  }
});

// What it may have is all below its folders, its keys among them, and a try of each key on each box.
const hits = (text) => search([{ name: 'the haul', bytes: Buffer.from(text, 'latin1') }], FORMS);
function assertNothing(haul) {
  assert.ok(haul.includes('/world/taken'), 'it hauls: the published page');
  // Without the haul, which is long and no text.
  assert.match(haul.slice(-100), /\nsealed rows [1-9]\d*, keys ([3-9]|\d\d)\n$/, 'and tries keys on sealed values');
  assert.equal(/\nopened (?!%).*/.exec(haul)?.[0], undefined);
  assert.deepEqual(hits(haul), []);
}

test('outside of the sandbox, as the user of all files, it finds the address: the search works', () => {
  const haul = trespass('reader', 'free', 'haul', it.dir).stdout;
  assert.ok(haul.toLowerCase().includes(`\nopened ${EMAIL}\n`), 'with the secret key');
  assert.ok(hits(haul).length > 0);
});

inSandbox('a taken-over reader.fcgi finds no address that was stored before', () => {
  // What holds its folders cannot be listed, so it must know where they are.
  assertNothing(trespass('reader', 'boxed', 'haul', [it.dir, ...[it.config, it.database].map(path.dirname), it.public].join(':')).stdout);
  assert.deepEqual(hits(trespass('reader', 'boxed', 'haul', '/proc').stdout), []);
});

describe('with a user of its own', { skip: IS_ROOT ? false : 'other users need root' }, () => {
  before(() => {
    const give = (at, uid, mode) => { fs.chownSync(at, uid, GROUP); fs.chmodSync(at, mode); };
    const tree = (folder, uid, file, dir) => {
      give(folder, uid, dir);
      for (const one of fs.readdirSync(folder, { withFileTypes: true })) {
        const at = path.join(folder, one.name);
        if (one.isDirectory()) tree(at, uid, file, dir);
        else give(at, uid, file);
      }
    };
    fs.chmodSync(it.dir, 0o755);
    tree(path.dirname(it.config), 0, 0o640, 0o755);
    tree(path.join(it.dir, 'store'), USERS.reader, 0o660, 0o2770);
    tree(path.join(it.dir, 'keys'), 0, 0o640, 0o750);
    tree(path.join(it.dir, 'run'), USERS.reader, 0o660, 0o2770);
    tree(it.public, USERS.moderator, 0o664, 0o2775);
    tree(path.join(it.dir, 'moderators'), USERS.moderator, 0o600, 0o700);
  });
  test('it finds none even without the sandbox', () => {
    assertNothing(trespass('reader', 'free', 'haul', it.dir, as(USERS.reader)).stdout);
  });
});
