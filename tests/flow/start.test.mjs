// `rejoinder start` and `stop`, without systemd, and what `init` does of it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { BIN, IS_ROOT, makeInstance } from '../lib/instance.mjs';

let it;
const run = (name) => path.join(it.dir, 'run', name);
const pid = (door) => Number(fs.readFileSync(run(`${door}.pid`), 'utf8'));
const program = (door) => fs.readlinkSync(`/proc/${pid(door)}/exe`);
const stop = () => it.cli(['stop']);

before(async () => { it = await makeInstance(); });
after(() => { stop(); it?.tidy(); });

test('start: both doors answer when it returns, and a second one starts none', async () => {
  assert.match(it.mustCli(['start']).stdout, /^reader\.fcgi runs.*reader\.log\nmoderator\.fcgi runs.*moderator\.log\n$/);
  for (const door of ['reader', 'moderator'])
    assert.equal((await it.ask(door, { uri: door === 'reader' ? '/comments/health' : '/comments/moderate/health' })).status, 200);
  await it.post();
  const before = pid('reader');
  assert.equal(program('reader'), path.join(BIN, 'reader.fcgi'));
  assert.equal(it.mustCli(['start']).stdout, 'reader.fcgi runs already\nmoderator.fcgi runs already\n');
  assert.equal(pid('reader'), before);
  assert.equal(fs.statSync(it.socket('reader')).mode & 0o777, 0o660);
});

test('what it started is kept, and has no terminal, socket or folder of whoever typed it', () => {
  const fds = fs.readdirSync(`/proc/${pid('reader')}/fd`).map((fd) => fs.readlinkSync(`/proc/${pid('reader')}/fd/${fd}`));
  assert.deepEqual(fds.filter((to) => !/^socket:|signalfd|reader\.log$/.test(to)), []);
  assert.equal(fs.readlinkSync(`/proc/${pid('reader')}/cwd`), '/');
});

test('stop ends them, and only what start has started', async () => {
  it.mustCli(['start']);
  const doors = [pid('reader'), pid('moderator')];
  assert.equal(it.mustCli(['stop']).stdout, 'reader.fcgi has ended\nmoderator.fcgi has ended\n');
  // Whom nobody reaps is a zombie, which runs no program.
  for (const one of doors) assert.throws(() => fs.readlinkSync(`/proc/${one}/exe`), { code: 'ENOENT' });
  const log = fs.readFileSync(run('reader.log'), 'utf8');
  assert.match(log, /info reader the door has ended, as it was told to$/m);
  assert.doesNotMatch(log, /another is started/);
  assert.ok(!fs.existsSync(it.socket('reader')));
  assert.equal(it.mustCli(['stop']).stdout, 'reader.fcgi does not run\nmoderator.fcgi does not run\n');
  await it.start('reader');
  const other = it.cli(['stop']);
  assert.equal(other.status, 1);
  assert.match(other.stdout, /reader\.fcgi was not started by rejoinder start, and goes on/);
  assert.equal((await it.reader({ uri: '/comments/health' })).status, 200);
  await it.stop('reader');
});

test('no database of root’s makes the public program run as root, where the moderators’ is another user’s; nor a link', { skip: !IS_ROOT && 'needs root' }, () => {
  const refused = () => {
    const { status, stderr } = it.cli(['start']);
    assert.equal(status, 1);
    assert.match(stderr, /rejoinder\.db belongs to user \d+, as no public program should run/);
    assert.ok(!fs.existsSync(run('reader.pid')));
  };
  fs.chownSync(it.moderators, 65534, 65534);
  try {
    refused();
  } finally {
    fs.chownSync(it.moderators, 0, 0);
  }
  fs.renameSync(it.database, `${it.database}.away`);
  fs.symlinkSync(`${it.database}.away`, it.database);
  try {
    refused();
  } finally {
    fs.renameSync(`${it.database}.away`, it.database);
  }
});

test('stop finds what root lacks the right to look into, as in most containers', { skip: !IS_ROOT && 'needs root' }, () => {
  it.mustCli(['start']);
  const run = spawnSync('setpriv', ['--bounding-set=-sys_ptrace', path.join(BIN, 'rejoinder'), '--config', it.config, 'stop'], { encoding: 'utf8' });
  assert.equal(run.stdout, 'reader.fcgi has ended\nmoderator.fcgi has ended\n', run.stderr);
});

test('stop does not say that a door has ended which somebody starts again', async () => {
  it.mustCli(['start']);
  const keeper = pid('reader');
  const [child] = fs.readFileSync(`/proc/${keeper}/task/${keeper}/children`, 'utf8').trim().split(' ');
  fs.writeFileSync(run('reader.pid'), `${child}\n`);
  const fooled = stop();
  assert.equal(fooled.status, 1);
  assert.match(fooled.stderr, new RegExp(`process ${child}, which .*reader\\.pid named, has ended, but reader\\.fcgi goes on`));
  fs.writeFileSync(run('reader.pid'), `${keeper}\n`);
  assert.match(it.mustCli(['stop']).stdout, /^reader\.fcgi has ended\nmoderator\.fcgi does not run\n$/);
});

test('start with standard input closed, or a pipe where the log is to be', () => {
  const run = (script) => spawnSync('sh', ['-c', script, 'sh', path.join(BIN, 'rejoinder'), it.config], { encoding: 'utf8', timeout: 30000 });
  assert.equal(run('"$1" --config "$2" start <&-').status, 0);
  it.mustCli(['stop']);
  const log = path.join(it.dir, 'run/reader.log');
  fs.rmSync(log);
  assert.equal(spawnSync('mkfifo', [log]).status, 0);
  const piped = run('"$1" --config "$2" start');
  fs.rmSync(log);
  assert.equal(piped.status, 1, piped.stderr);
  assert.match(piped.stderr, /reader\.log cannot be written/);
});

test('a door that root starts as another user gets nothing of root’s environment', { skip: !IS_ROOT && 'needs root' }, async () => {
  const other = await makeInstance();
  const [uid, gid] = ['-u', '-g'].map((what) => Number(spawnSync('id', [what, 'games'], { encoding: 'utf8' }).stdout));
  const give = (at, mode) => { fs.chownSync(at, uid, gid); fs.chmodSync(at, mode); };
  const bin = path.join(other.dir, 'bin'), pids = path.join(other.dir, 'run');
  fs.mkdirSync(bin, { recursive: true });
  for (const name of ['rejoinder', 'reader.fcgi', 'moderator.fcgi']) fs.copyFileSync(path.join(BIN, name), path.join(bin, name));
  for (const folder of [other.dir, other.public, path.join(other.dir, 'keys'), pids]) give(folder, 0o755);
  for (const file of ['reader.fcgi', 'moderator.fcgi']) fs.chmodSync(path.join(bin, file), 0o755);
  for (const name of fs.readdirSync(path.join(other.dir, 'keys'))) give(path.join(other.dir, 'keys', name), 0o640);
  for (const name of fs.readdirSync(other.dir)) if (/^rejoinder\./.test(name)) give(path.join(other.dir, name), 0o660);
  const cli = (command) => spawnSync(path.join(bin, 'rejoinder'), ['--config', other.config, command],
    { encoding: 'utf8', env: { ...process.env, SECRET_OF_ANOTHER: 'the moon', TZ: 'Asia/Almaty' } });
  try {
    const started = cli('start');
    assert.match(started.stdout, /^reader\.fcgi runs as games/, started.stderr);
    const keeper = fs.readFileSync(path.join(pids, 'reader.pid'), 'utf8').trim();
    assert.match(fs.readFileSync(`/proc/${keeper}/status`, 'utf8'), new RegExp(`^Uid:\t${uid}\t${uid}\t${uid}\t${uid}$`, 'm'));
    const environment = fs.readFileSync(`/proc/${keeper}/environ`, 'utf8').split('\0').filter((one) => one !== '');
    assert.deepEqual(environment.filter((one) => !/^(PATH|LANG|LC_ALL|HOME|USER|TZ|REJOINDER_\w+)=/.test(one)), []);
    assert.ok(environment.includes('TZ=Asia/Almaty'));
  } finally {
    cli('stop');
    await other.tidy();
  }
});

test('a pid file that names another process ends nobody', () => {
  fs.writeFileSync(run('reader.pid'), `${process.pid}\n`);
  assert.match(it.mustCli(['stop']).stdout, /reader\.fcgi does not run/);
  assert.ok(!fs.existsSync(run('reader.pid')), 'check does not ask for it any more');
});

test('what does not start says where the reason stands, and leaves no socket', () => {
  const database = fs.readFileSync(it.database);
  fs.writeFileSync(it.database, 'no database');
  try {
    const failed = it.cli(['start']);
    assert.equal(failed.status, 1);
    assert.match(failed.stderr, /reader\.fcgi did not start; the end of .*reader\.log says why/);
    assert.ok(!fs.existsSync(it.socket('reader')));
    assert.match(fs.readFileSync(run('reader.log'), 'utf8'), /rejoinder\.db/);
  } finally {
    fs.writeFileSync(it.database, database);
    fs.rmSync(`${it.database}-wal`, { force: true });
    fs.rmSync(`${it.database}-shm`, { force: true });
  }
  assert.match(it.cli(['start', '--group', 'no-such-group']).stderr, /there is no group no-such-group/);
  assert.equal(it.cli(['start', 'now']).status, 2);
  assert.equal(it.cli(['stop', 'now']).status, 2);
});

test('init keeps no configuration that cannot be read, and says what it did not take of the second line', () => {
  const under = path.join(it.dir, 'mistyped');
  const init = (...words) => spawnSync(path.join(BIN, 'rejoinder'), ['init', '--under', under, ...words], { encoding: 'utf8' });
  const wrong = init('--base', 'example');
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /base: write the site's address as[^]*so .*mistyped\/rejoinder\.conf was not kept/);
  const right = init('--base', 'https://one.example', '--title', 'One');
  assert.equal(right.status, 0, right.stderr);
  assert.doesNotMatch(right.stdout, /stays as it is/);
  assert.doesNotMatch(init('--base', 'https://one.example').stdout, /stays as it is/);
  const other = init('--base', 'https://two.example', '--title', 'One');
  assert.equal(other.status, 0);
  assert.match(other.stdout, /mistyped\/rejoinder\.conf was there and stays as it is; not taken from this line: --base\. Edit it to change that\.\n/);
  assert.match(fs.readFileSync(path.join(under, 'rejoinder.conf'), 'utf8'), /https:\/\/one\.example/);
});

test('init makes a moderator and starts the doors in one line, and the same line again changes nothing', async () => {
  const under = path.join(it.dir, 'another');
  const init = (password, name = 'ann') => spawnSync(path.join(BIN, 'rejoinder'),
    ['init', '--under', under, '--moderator', name, '--start'], { encoding: 'utf8', input: `${password}\n` });
  const refused = init('short');
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /15 characters or more[^]*all else is made: run the same again for ann, and to start/);
  assert.ok(!fs.existsSync(path.join(under, 'run/reader.sock')));
  const made = init('a steppe is not a step');
  assert.equal(made.status, 0, made.stderr);
  assert.match(made.stdout, /^Ready: .*\nNothing was missing\.\nann may sign in now\nreader\.fcgi runs.*\nmoderator\.fcgi runs/);
  const again = init('');
  assert.equal(again.status, 0, again.stderr);
  assert.match(again.stdout, /ann may sign in already\nreader\.fcgi runs already\nmoderator\.fcgi runs already\n$/);
  const ended = spawnSync(path.join(BIN, 'rejoinder'), ['--config', path.join(under, 'rejoinder.conf'), 'stop'], { encoding: 'utf8' });
  assert.equal(ended.status, 0, ended.stderr);
  assert.equal(init('a steppe is not a step', ' ann').status, 2);
});
