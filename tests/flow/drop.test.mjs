// Commands that root starts: they do their work as the moderators' user, and root comes near nothing that
// the public door's user may write.  Laid out as the package does it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BIN, IS_ROOT, begin, dropFolder, makeFolder, makeInstance, sleep, sqlOf, tellSeed, walk } from '../lib/instance.mjs';

const USERS = { reader: 61001, moderator: 61002 }, GROUP = 61000;
const PASSWORD = 'a steppe is not a step';
const as = (uid) => ['setpriv', `--reuid=${uid}`, `--regid=${GROUP}`, '--clear-groups', '--no-new-privs'];
const has = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const why = !IS_ROOT ? 'needs root' : !has('setpriv') ? 'no setpriv' : !has('strace') ? 'no strace' : false;
if (why) console.log(`skipped: ${why}`);

describe('started by root', { skip: why }, () => {
  let it, own; // `own` is a folder of root's, where nobody else comes
  const give = (at, uid, mode) => { fs.chownSync(at, uid, GROUP); fs.chmodSync(at, mode); };
  const tree = (folder, uid, file, dir) => {
    give(folder, uid, dir);
    for (const one of fs.readdirSync(folder, { withFileTypes: true })) {
      const at = path.join(folder, one.name);
      if (one.isDirectory()) tree(at, uid, file, dir);
      else give(at, uid, file);
    }
  };
  const shared = () => [path.dirname(it.database), it.public, path.join(it.dir, 'run'), path.dirname(it.moderators)];
  const owners = () => Object.fromEntries([it.config, ...['keys', 'moderators', 'store', 'public'].flatMap((name) => walk(path.join(it.dir, name)))]
    .map((name) => [name, fs.statSync(name)]).map(([name, { uid, gid, mode }]) => [name, `${uid}:${gid} ${(mode & 0o7777).toString(8)}`]));

  before(async () => {
    tellSeed();
    own = makeFolder();
    fs.chmodSync(own, 0o700);
    it = await makeInstance();
    it.addModerator('editor', PASSWORD);
    for (const [folder, which] of [['store', /^rejoinder\.db/], ['etc', /^rejoinder\.conf$/], ['bin', /^$/]]) {
      fs.mkdirSync(path.join(it.dir, folder));
      for (const name of fs.readdirSync(it.dir)) if (which.test(name)) fs.renameSync(path.join(it.dir, name), path.join(it.dir, folder, name));
    }
    it.database = path.join(it.dir, 'store/rejoinder.db');
    it.config = path.join(it.dir, 'etc/rejoinder.conf');
    it.configure({ top: { database: it.database } });
    it.bin = path.join(it.dir, 'bin');
    for (const name of ['reader.fcgi', 'moderator.fcgi']) fs.copyFileSync(path.join(BIN, name), path.join(it.bin, name));
    fs.chmodSync(it.dir, 0o755);
    tree(it.bin, 0, 0o755, 0o755);
    tree(path.join(it.dir, 'etc'), 0, 0o640, 0o755);
    tree(path.join(it.dir, 'keys'), 0, 0o640, 0o750);
    tree(path.join(it.dir, 'store'), USERS.reader, 0o660, 0o2771);
    give(path.join(it.dir, 'store'), USERS.moderator, 0o2771);
    tree(path.join(it.dir, 'run'), 0, 0o660, 0o2771);
    tree(it.public, USERS.moderator, 0o664, 0o2775);
    tree(path.join(it.dir, 'moderators'), USERS.moderator, 0o600, 0o700);
    await it.start('reader', { wrap: as(USERS.reader) });
    await it.start('moderator', { wrap: as(USERS.moderator) });
    for (let n = 0; n < 3; n++) await it.post({ page: '/world/drop', email: `drop${n}@example.org` });
  });
  after(async () => {
    await it?.tidy();
    dropFolder(own);
  });

  // What root did with a path in a folder that others write: [call, …]. To look at what is there is no harm.
  const LOOKS = /^(newfstatat|stat|lstat|statx|access|faccessat2?|readlink|readlinkat)\(/;
  function asRoot(trace) {
    const uids = new Map(), found = [];
    for (const line of trace.split('\n')) {
      const [, pid, call] = /^(\d+) +(.*)$/.exec(line) ?? [];
      if (call === undefined) continue;
      const child = /^(?:clone3?|fork|vfork)\(.* = (\d+)/.exec(call);
      if (child && !uids.has(child[1])) uids.set(child[1], uids.get(pid) ?? 0);
      const became = /^setresuid\((\d+), \1, \1\) += 0/.exec(call);
      if (became) uids.set(pid, Number(became[1]));
      // What is read and written may name the folders; where it is, counts.
      const where = /^p?(read|write)/.test(call) ? call.slice(0, call.indexOf(', "')) : call;
      const near = shared().some((folder) => where.includes(folder));
      if ((uids.get(pid) ?? 0) === 0 && near && !LOOKS.test(call)) found.push(call.slice(0, 200));
    }
    return { found, became: [...uids.values()] };
  }
  function traced(args, { status = 0, input = '' } = {}) {
    const trace = path.join(own, 'trace');
    const run = spawnSync('strace', ['-f', '-y', '-s', '300', '-o', trace, '-e', 'trace=%file,%desc,%process,setresuid,prctl', '-e', 'signal=none', path.join(BIN, 'rejoinder'),
      '--config', it.config, ...args], { encoding: 'utf8', input, timeout: 60000 });
    const text = fs.readFileSync(trace, 'utf8');
    assert.equal(run.status, status, `${args.join(' ')}: ${run.stdout}${run.stderr}`);
    assert.ok(/ = -?\d/.test(text), 'strace has told something');
    return { ...run, ...asRoot(text), text };
  }

  // As a package leaves it: the socket is for the web server's group, in which the moderators' user is not.
  test('check tells whether a door lives that the moderators\u2019 user may not ask', async () => {
    const socket = path.join(it.dir, 'run/reader.sock'), { uid, gid } = fs.statSync(socket);
    const closed = () => fs.chownSync(socket, 0, 61999);
    const byRoot = () => it.cli(['check']).stdout;
    const byThem = () => spawnSync('setpriv', [...as(USERS.moderator).slice(1), path.join(BIN, 'rejoinder'), '--config', it.config, 'check'], { encoding: 'utf8' }).stdout;
    closed();
    try {
      for (const said of [byRoot(), byThem()]) assert.match(said, /^ok .*reader\.sock: the web server's user must be in its group, which has no name$/m);
      await it.stop('reader', 'SIGKILL');
      closed();
      assert.match(byRoot(), /^note .*reader\.sock: nobody listens there: start reader\.fcgi/m);
      assert.match(byThem(), /^note .*reader\.sock: whether reader\.fcgi answers could not be asked, for this user may not connect: run rejoinder check as root$/m);
    } finally {
      if (it.doors.reader === undefined) await it.start('reader', { wrap: as(USERS.reader) });
      else fs.chownSync(socket, uid, gid);
    }
  });

  test('no command touches, as root, what others may write; and all of them work', async () => {
    fs.writeFileSync(path.join(own, 'pages.csv'), 'path,title\n/world/drop,A drop\n', { mode: 0o600 });
    const before = owners();
    const commands = [
      ['publish', '--all'], ['work'], ['stats'], ['close', '/world/drop'], ['reopen', '/world/drop'], ['snippet', 'nginx', '/world/drop'],
      ['pages', 'import', path.join(own, 'pages.csv')], ['export', '--addresses'], ['moderator', 'list'], ['mail', 'list'],
      ['backup', path.join(own, 'backup')], ['restore', path.join(own, 'backup')], ['erase', 'drop0@example.org'],
    ];
    for (const args of commands) {
      const run = traced(args);
      assert.deepEqual(run.found, [], args.join(' '));
      assert.ok(run.became.includes(USERS.moderator), `${args[0]} gave root up`);
      // Some mailers' sendmail is set-group-id.
      assert.equal(/prctl\(PR_SET_NO_NEW_PRIVS, 1/.test(run.text), args[0] !== 'mail', args[0]);
      assert.ok(/setresuid\(-1, 0, -1\) += -1 EPERM/.test(run.text), 'and has tried to come back');
    }
    assert.deepEqual(traced(['waiting'], { status: 3 }).found, []);
    assert.deepEqual(traced(['moderator', 'add', 'second'], { input: `${PASSWORD}\n` }).found, []);
    assert.deepEqual(traced(['check']).found, []);
    // Owners and modes are what they were, and nothing new is root's.
    const now = owners();
    for (const [name, owner] of Object.entries(before)) if (now[name]) assert.equal(now[name], owner, name);
    for (const [name, owner] of Object.entries(now)) if (!before[name]) assert.ok(!owner.startsWith('0:'), `${name} ${owner}`);
    const backup = fs.statSync(path.join(own, 'backup'));
    assert.deepEqual([backup.uid, backup.gid, backup.mode & 0o7777], [0, 0, 0o600], 'the backup is whose it was asked for');
    assert.deepEqual(fs.readdirSync(own).sort(), ['backup', 'pages.csv', 'trace']);
    assert.deepEqual(fs.readdirSync(path.dirname(it.database)).filter((name) => /backup|restore/.test(name)), []);
    assert.equal(sqlOf(path.join(own, 'backup'), 'SELECT count(*) AS n FROM reply')[0].n, 3);
    const { id } = await it.post({ page: '/world/drop' });
    assert.ok(Number(id) > 1000000, 'the doors go on with what was restored');
  });

  test('new keys are the moderators’ user’s, and the configuration stays root’s', async () => {
    const run = traced(['rekey']);
    assert.deepEqual(run.found, []);
    assert.equal(owners()[it.config], `0:${GROUP} 640`);
    for (const name of ['secret.key', 'secret.key.former']) assert.equal(owners()[path.join(it.dir, 'moderators', name)], `${USERS.moderator}:${GROUP} 600`);
    await it.restart('reader', { wrap: as(USERS.reader) });
    await it.restart('moderator', { wrap: as(USERS.moderator) });
    await it.post({ page: '/world/drop' });
    assert.deepEqual(traced(['rekey', '--finish']).found, []);
    assert.equal(it.cli(['check']).status, 0, it.cli(['check']).stdout);
  });

  test('init, run once more, gives root up before it opens the store', () => {
    assert.deepEqual(traced(['init', '--under', it.dir]).found.filter((call) => /\.db/.test(call)), []);
  });

  test('init hands over what is root’s from folder to folder, so that no link leads it elsewhere', (t) => {
    const users = path.join(own, 'passwd'), groups = path.join(own, 'group'), trace = path.join(own, 'handed'), victim = path.join(own, 'victim');
    fs.writeFileSync(users, `${fs.readFileSync('/etc/passwd')}rejoinder-reader:x:${USERS.reader}:${GROUP}::/:/bin/false\nrejoinder-moderator:x:${USERS.moderator}:${GROUP}::/:/bin/false\n`);
    fs.writeFileSync(groups, `${fs.readFileSync('/etc/group')}rejoinder:x:${GROUP}:\n`);
    fs.writeFileSync(victim, 'root has it\n');
    const inside = (...args) => spawnSync('unshare', ['-m', 'sh', '-c', 'mount --bind "$1" /etc/passwd && mount --bind "$2" /etc/group && shift 2 && exec "$@"',
      'sh', users, groups, ...args], { encoding: 'utf8', timeout: 60000 });
    if (inside('true').status !== 0) return t.skip('no mounts here');
    const folder = path.join(it.public, 'main/threads/handed/over');
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'thread.html'), '');
    fs.symlinkSync(victim, path.join(folder, 'link'));
    fs.symlinkSync(own, path.join(folder, 'folder'));
    const run = inside('strace', '-f', '-o', trace, '-e', 'trace=open,openat,openat2,chown,lchown,fchownat', path.join(BIN, 'rejoinder'), '--config', it.config, 'init');
    assert.equal(run.status, 0, run.stderr);
    for (const at of [folder, path.join(folder, 'thread.html')]) assert.equal(fs.statSync(at).uid, USERS.moderator, at);
    assert.deepEqual([victim, own].map((at) => fs.statSync(at).uid), [0, 0]);
    const lines = fs.readFileSync(trace, 'utf8').split('\n'), root = /^\d+ /.exec(lines[0])[0];
    assert.ok(lines.some((line) => line.startsWith(root) && /openat\(\d+, "over", [^)]*O_NOFOLLOW/.test(line)));
    assert.deepEqual(lines.filter((line) => line.startsWith(root) && (line.includes(`"${it.public}/`) || /[a-z]chown(at)?\(/.test(line))), []);
    fs.rmSync(path.join(it.public, 'main/threads/handed'), { recursive: true });
  });

  test('while it works, all its ids are the moderators’, and it has no capability', async () => {
    const child = begin(path.join(BIN, 'rejoinder'), ['--config', it.config, 'moderator', 'password', 'editor'], { stdio: ['pipe', 'pipe', 'pipe'] });
    let status = '';
    for (let n = 0; n < 500 && !/^Uid:\t61002/m.test(status); n++) {
      await sleep(10);
      status = fs.readFileSync(`/proc/${child.pid}/status`, 'utf8');
    }
    child.stdin.end('another word for the steppe\n');
    assert.equal((await child.over).code, 0, child.stderrText);
    assert.match(status, /^Uid:\t61002\t61002\t61002\t61002$/m);
    assert.match(status, /^Gid:\t61000\t61000\t61000\t61000$/m);
    assert.match(status, /^Groups:\t61000 $/m);
    assert.match(status, /^CapPrm:\t0+$/m);
    assert.match(status, /^CapEff:\t0+$/m);
    assert.match(status, /^NoNewPrivs:\t1$/m);
  });

  test('a backup that cannot be made leaves nothing; one never overwrites', () => {
    const file = path.join(own, 'again');
    fs.writeFileSync(file, 'somebody wrote this');
    assert.equal(it.cli(['backup', file]).status, 1);
    assert.equal(fs.readFileSync(file, 'utf8'), 'somebody wrote this');
    fs.renameSync(it.database, `${it.database}.away`);
    try {
      const run = it.cli(['backup', path.join(own, 'none')]);
      assert.equal(run.status, 1);
      assert.match(run.stderr, /no backup was made/);
    } finally {
      fs.renameSync(`${it.database}.away`, it.database);
    }
    assert.deepEqual(fs.readdirSync(own).filter((name) => name.startsWith('none')), []);
    assert.equal(it.cli(['backup', path.join(own, 'no/such/folder')]).status, 1);
  });

  test('backups that are made at once are whole, each of them', async () => {
    const files = Array.from({ length: 5 }, (_, n) => path.join(own, `at-once-${n}`));
    const runs = files.map((file) => begin(path.join(BIN, 'rejoinder'), ['--config', it.config, 'backup', file], { stdio: ['ignore', 'pipe', 'pipe'] }));
    for (const [n, run] of runs.entries()) {
      assert.equal((await run.over).code, 0, run.stderrText);
      assert.equal(sqlOf(files[n], 'PRAGMA integrity_check')[0].integrity_check, 'ok');
      assert.ok(sqlOf(files[n], 'SELECT count(*) AS n FROM reply')[0].n > 0);
    }
    assert.deepEqual(fs.readdirSync(path.dirname(it.database)).filter((name) => /backup/.test(name)), []);
  });

  test('a moderators’ database of root’s in their user’s folder: it says so, and does nothing', () => {
    fs.chownSync(it.moderators, 0, 0);
    try {
      const run = it.cli(['publish', '--all']);
      assert.equal(run.status, 1);
      assert.match(run.stderr, /moderators\.db is root's, in a folder that is not/);
    } finally {
      fs.chownSync(it.moderators, USERS.moderator, GROUP);
    }
  });

  test('a link in the database’s place is followed by its maker’s rights alone', () => {
    fs.renameSync(it.moderators, `${it.moderators}.away`);
    const victim = path.join(own, 'of-root');
    fs.writeFileSync(victim, 'root has it\n', { mode: 0o600 });
    fs.symlinkSync(victim, it.moderators);
    fs.lchownSync(it.moderators, USERS.moderator, GROUP);
    try {
      const run = traced(['moderator', 'list'], { status: 1 });
      assert.deepEqual(run.found, []);
      assert.ok(run.became.includes(USERS.moderator));
    } finally {
      fs.unlinkSync(it.moderators);
      fs.renameSync(`${it.moderators}.away`, it.moderators);
    }
  });
});

test('where all is root’s there is nobody else to be', { skip: why }, async () => {
  const it = await makeInstance();
  const run = it.cli(['stats']);
  assert.equal(run.status, 0, run.stderr);
  await it.tidy();
});
