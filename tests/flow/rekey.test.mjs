// `rejoinder rekey`: a new pair of keys, and old addresses sealed to it, without a moment in which
// anything cannot be opened.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { signedIn } from '../lib/browserless.mjs';
import { BIN, IS_ROOT, makeInstance, tellSeed } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
let it;
const file = (name) => path.join(it.dir, 'moderators', name);
const addresses = () => it.mustCli(['export', '--addresses']).stdout.trimEnd().split('\n').map((line) => JSON.parse(line))
  .filter(({ type }) => type === 'reply').map(({ email, network }) => `${email} ${network}`);
const boxes = () => it.sql('SELECT id, hex(email_sealed) AS email, hex(network_sealed) AS network FROM reply ORDER BY id');
const post = (n) => it.post({ email: `writer${n}@example.org` }, { address: `192.0.2.${n}` });
async function queue() {
  const moderator = await signedIn(it);
  return (await moderator.get('/comments/moderate/?state=held')).text;
}

beforeEach(async () => {
  tellSeed();
  it = await makeInstance();
  it.addModerator('editor', PASSWORD);
  await it.start('reader');
});
afterEach(() => it?.tidy());

test('all addresses open with the new key alone, and the store is sound', async () => {
  for (let n = 1; n <= 230; n++) await post(n);
  const before = boxes(), all = addresses(), key = fs.readFileSync(file('secret.key'), 'utf8');
  let run = it.mustCli(['rekey']);
  assert.match(run.stdout, /restart reader\.fcgi and moderator\.fcgi: rejoinder --config .*rejoinder\.conf stop && rejoinder --config .*rejoinder\.conf start, or as you started them\.\nThen run rejoinder --config .*rejoinder\.conf rekey --finish/);
  assert.notEqual(fs.readFileSync(file('secret.key'), 'utf8'), key);
  assert.deepEqual(boxes(), before, 'nothing is resealed before the doors know the new key');
  await it.restart('reader');
  await post(231);
  await it.start('moderator');
  assert.match(await queue(), /writer230@example\.org/, 'sealed to the former key, and opened');
  assert.match(await queue(), /writer231@example\.org/);
  run = it.mustCli(['rekey', '--finish']);
  assert.match(run.stdout, /^230 replies are sealed to the new key/);
  assert.ok(!fs.existsSync(file('secret.key.former')));
  assert.equal(fs.readFileSync(file('secret.key.retired'), 'utf8'), key);
  // What the former key opened is nowhere any more, while the doors go on.
  const files = ['', '-wal'].map((end) => fs.readFileSync(`${it.database}${end}`));
  for (const { email, network } of before)
    for (const box of [email, network]) assert.ok(files.every((one) => !one.includes(Buffer.from(box, 'hex'))), 'a former box is left');
  fs.rmSync(file('secret.key.retired'));
  await it.restart('moderator');
  assert.match(await queue(), /writer230@example\.org/);
  assert.deepEqual(addresses(), [...all, 'writer231@example.org 192.0.2.231']);
  const check = it.cli(['check']);
  assert.equal(check.status, 0, check.stdout);
});

test('erase between the two steps opens what is sealed to the former key', async () => {
  await post(1);
  it.sql('UPDATE reply SET author_hash = randomblob(32)'); // so that only the box tells whose it is
  it.mustCli(['rekey']);
  await it.restart('reader');
  it.mustCli(['erase', 'writer1@example.org']);
  assert.deepEqual(it.sql('SELECT state FROM reply'), [{ state: 'withdrawn' }]);
});

test('a key that was retired before is not written over', async () => {
  await post(1);
  const keys = [];
  for (let n = 0; n < 3; n++) {
    keys.push(fs.readFileSync(file('secret.key'), 'utf8'));
    it.mustCli(['rekey']);
    await it.restart('reader');
    assert.match(it.mustCli(['rekey', '--finish']).stdout, new RegExp(`secret\\.key\\.retired${n ? `\\.${n + 1}` : ''} now`));
  }
  assert.deepEqual(['', '.2', '.3'].map((end) => fs.readFileSync(file(`secret.key.retired${end}`), 'utf8')), keys);
});

test('root gives nothing away that the moderators have put in the place of a key', { skip: !IS_ROOT && 'needs root' }, () => {
  const victim = path.join(it.dir, 'of-root');
  fs.writeFileSync(victim, 'root has it\n', { mode: 0o600 });
  fs.chownSync(file('secret.key'), 65534, 65534);
  fs.symlinkSync(victim, file('secret.key.new'));
  assert.notEqual(it.cli(['rekey']).status, 0);
  assert.equal(fs.statSync(victim).uid, 0);
});

test('while a door goes on with the former key --finish refuses, whichever it is, and changes nothing', async () => {
  await post(1);
  await it.start('moderator');
  it.mustCli(['rekey']);
  await post(2); // by the reader of before
  assert.equal(addresses().length, 2);
  const before = boxes();
  const refused = () => {
    const run = it.cli(['rekey', '--finish']);
    assert.equal(run.status, 1);
    assert.match(run.stderr, /before there were new keys still runs.*restart reader\.fcgi and moderator\.fcgi, then run this again/);
    assert.deepEqual(boxes(), before);
    assert.ok(fs.existsSync(file('secret.key.former')));
  };
  refused();
  await it.restart('reader');
  refused();
  const check = it.cli(['check']);
  assert.equal(check.status, 0, check.stdout);
  assert.match(check.stdout, /^note +a new pair of keys is not in use to its end \(4 addresses are sealed to the former one\): restart reader\.fcgi and moderator\.fcgi, then/m);
  await it.restart('moderator');
  assert.match(it.mustCli(['rekey', '--finish']).stdout, /^2 replies/);
  assert.deepEqual(addresses(), ['writer1@example.org 192.0.2.1', 'writer2@example.org 192.0.2.2']);
  assert.equal(fs.readdirSync(path.join(it.dir, 'run')).filter((name) => name.startsWith('sealing-')).length, 1, 'of the new key alone');
  assert.doesNotMatch(it.cli(['check']).stdout, /pair of keys|secret key:/);
});

test('a door that was killed counts no more', async () => {
  await post(1);
  it.mustCli(['rekey']);
  await it.stop('reader', 'SIGKILL');
  assert.match(it.mustCli(['rekey', '--finish']).stdout, /^1 reply is sealed to the new key\.$/m);
});

test('boxes that were sealed to a key that is retired: check counts them, and they can be taken up', async () => {
  await post(1);
  const sealed = boxes()[0];
  it.mustCli(['rekey']);
  await it.restart('reader');
  it.mustCli(['rekey', '--finish']);
  // As a door that said nothing of itself would have left it.
  it.sql(`UPDATE reply SET email_sealed = x'${sealed.email}', network_sealed = x'${sealed.network}'`);
  assert.match(it.cli(['check']).stdout, /^note +2 addresses do not open with the secret key: if .*secret\.key\.retired does that, rename it to .*secret\.key\.former and run rejoinder rekey --finish/m);
  fs.renameSync(file('secret.key.retired'), file('secret.key.former'));
  it.mustCli(['rekey', '--finish']);
  assert.deepEqual(addresses(), ['writer1@example.org 192.0.2.1']);
  assert.doesNotMatch(it.cli(['check']).stdout, /do not open/);
});

test('interrupted anywhere, it goes on when run again', async () => {
  await post(1);
  const key = fs.readFileSync(file('secret.key'), 'utf8'), config = fs.readFileSync(it.config, 'utf8');
  it.mustCli(['rekey']);
  const fresh = fs.readFileSync(file('secret.key'), 'utf8'), changed = fs.readFileSync(it.config, 'utf8');
  // Each state between two steps, as somebody who was killed there left it.
  const states = [
    { new: fresh, secret: key, config },
    { new: fresh, secret: key, former: key, config },
    { new: fresh, secret: key, former: key, config: changed },
  ];
  for (const state of states) {
    for (const [name, end] of [['new', '.new'], ['secret', ''], ['former', '.former']]) {
      fs.rmSync(file(`secret.key${end}`), { force: true });
      if (state[name]) fs.writeFileSync(file(`secret.key${end}`), state[name], { mode: 0o600 });
    }
    fs.writeFileSync(it.config, state.config);
    assert.match(it.cli(['check']).stdout, /^mend +a new pair of keys was not made to its end: run rejoinder rekey again/m);
    it.mustCli(['rekey']);
    assert.equal(fs.readFileSync(file('secret.key'), 'utf8'), fresh);
    assert.equal(fs.readFileSync(file('secret.key.former'), 'utf8'), key);
    assert.equal(fs.readFileSync(it.config, 'utf8'), changed);
    assert.ok(!fs.existsSync(file('secret.key.new')));
  }
  const again = it.cli(['rekey']);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /not finished/);
  await it.restart('reader');
  it.mustCli(['rekey', '--finish']);
  assert.deepEqual(addresses(), ['writer1@example.org 192.0.2.1']);
  assert.match(it.cli(['rekey', '--finish']).stderr, /nothing to finish/);
});

// --- killed in the middle ----------------------------------------------------------------------------

const untraceable = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status !== 0;
describe('killed at a system call that changes something', { skip: untraceable ? 'no strace, or it may not trace here' : false }, () => {
  const MOST = 400; // of one call: more means that a run never comes to its end
  const REPLIES = 120; // more than two steps
  const list = [...Array(REPLIES).keys()].map((n) => `writer${n % 200}@example.org 192.0.2.${n % 200}`);
  const keep = (from, to) => {
    fs.rmSync(to, { recursive: true, force: true });
    fs.cpSync(from, to, { recursive: true, preserveTimestamps: true });
  };
  const parts = () => [it.config, it.database, path.dirname(it.moderators)];
  const aside = (at) => path.join(it.dir, 'aside', path.basename(at));
  const putAside = () => parts().forEach((at) => keep(at, aside(at)));
  const setBack = () => {
    for (const end of ['-wal', '-shm']) fs.rmSync(it.database + end, { force: true });
    parts().forEach((at) => keep(aside(at), at));
  };
  // Runs it until it comes to its end, killed at the nth of these calls, then at the nth behind `every`.
  function killEach(call, args, every, look) {
    for (let n = 1; n <= MOST; n += every) {
      setBack();
      const run = spawnSync('strace', ['-f', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${n}`,
        path.join(BIN, 'rejoinder'), '--config', it.config, ...args], { encoding: 'utf8' });
      if (run.status === 0) return;
      assert.ok(run.signal === 'SIGKILL' || run.status === 137, `${call} ${n}: ${run.status} ${run.signal} ${run.stderr}`);
      look(`killed at ${call} ${n}`);
    }
    assert.fail(`${call}: it never ends`);
  }
  async function fill() {
    for (let n = 0; n < REPLIES; n++) await post(n % 200);
    await it.stop('reader');
    it.sql('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  test('the first step: run again it goes on, and every address opens', async () => {
    for (const n of [0, 1, 2]) await post(n);
    await it.stop('reader');
    it.sql('PRAGMA wal_checkpoint(TRUNCATE)');
    putAside();
    for (const call of ['write', 'fsync', 'link', 'renameat', 'rename', 'fchmod', 'fchown', 'unlinkat'])
      killEach(call, ['rekey'], 1, (what) => {
        const again = it.cli(['rekey']);
        if (again.status !== 0) assert.match(again.stderr, /is not finished: restart reader\.fcgi and moderator\.fcgi/, what);
        assert.deepEqual(addresses(), list.slice(0, 3), what);
        assert.match(it.mustCli(['rekey', '--finish']).stdout, /^3 replies/, what);
        assert.deepEqual(addresses(), list.slice(0, 3), what);
        assert.doesNotMatch(it.cli(['check']).stdout, /^mend/m, what);
      });
  });

  test('the second step: every address opens at any time, and run again it comes to its end', async () => {
    await fill();
    it.mustCli(['rekey']);
    putAside();
    const before = boxes();
    let between = 0;
    for (const [call, every] of [['fdatasync', 1], ['pwrite64', 9], ['ftruncate', 1], ['rename', 1]])
      killEach(call, ['rekey', '--finish'], every, (what) => {
        assert.deepEqual(addresses(), list, what);
        const changed = boxes().filter(({ email }, i) => email !== before[i].email).length;
        if (changed > 0 && changed < REPLIES) between++;
        assert.match(it.mustCli(['rekey', '--finish']).stdout, new RegExp(`^${REPLIES - changed} replies`), what);
        assert.deepEqual(addresses(), list, what);
        for (const end of ['', '-wal']) {
          const content = fs.existsSync(it.database + end) ? fs.readFileSync(it.database + end) : Buffer.alloc(0);
          for (const { id, email } of before) assert.ok(!content.includes(Buffer.from(email, 'hex')), `${what}: the former box of ${id} is left`);
        }
        assert.doesNotMatch(it.cli(['check']).stdout, /^mend/m, what);
      });
    assert.ok(between > 0, 'it was killed in the middle, too');
  });
});

test('only the one line of the configuration changes, and its mode stays', () => {
  const text = fs.readFileSync(it.config, 'utf8').replace('sealing_key', '# sealing_key = "not this one"\n  sealing_key');
  fs.writeFileSync(it.config, text);
  fs.chmodSync(it.config, 0o640);
  it.mustCli(['rekey']);
  const lines = fs.readFileSync(it.config, 'utf8').split('\n'), former = text.split('\n');
  assert.equal(lines.length, former.length);
  assert.equal(lines.filter((line, i) => line !== former[i]).length, 1);
  assert.match(lines.join('\n'), /# sealing_key = "not this one"\nsealing_key = "[0-9a-f]{64}"\n/);
  assert.equal(fs.statSync(it.config).mode & 0o777, 0o640);
});

test('a lost key: a new pair on request, and the sites go on', async () => {
  await post(1);
  fs.rmSync(file('secret.key'));
  const run = it.cli(['rekey']);
  assert.equal(run.status, 1);
  assert.match(run.stderr, /--lost/);
  it.mustCli(['rekey', '--lost']);
  await it.restart('reader');
  await post(2);
  await it.start('moderator');
  const html = await queue();
  assert.match(html, /writer2@example\.org/);
  assert.doesNotMatch(html, /writer1@example\.org/);
  assert.deepEqual(addresses(), ['null null', 'writer2@example.org 192.0.2.2']);
  assert.match(it.cli(['rekey', '--lost']).stderr, /nothing is lost/);
});

test('a reply that was changed by another hand stays one that check names', async () => {
  const { id } = await post(1);
  it.sql(`UPDATE reply SET comment = 'other words' WHERE id = ${id}`);
  it.mustCli(['rekey']);
  await it.restart('reader');
  it.mustCli(['rekey', '--finish']);
  assert.match(it.cli(['check']).stdout, new RegExp(`reply ${id} is not as it was stored`));
  assert.deepEqual(addresses(), ['writer1@example.org 192.0.2.1']);
});
