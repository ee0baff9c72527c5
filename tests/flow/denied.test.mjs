// Commands of a user who may not read what they take: they say which file, whose it is, and who may.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BIN, IS_ROOT, makeInstance, tellSeed } from '../lib/instance.mjs';

const NOBODY = 65534, OWNER = 61002, GROUP = 61000;
const has = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const why = !IS_ROOT ? 'another user takes root' : !has('setpriv') ? 'no setpriv' : false;
if (why) console.log(`skipped: ${why}`);

describe('as a user who may not', { skip: why }, () => {
  let it, program;
  const at = (...parts) => path.join(it.dir, ...parts);
  const give = (file, uid, gid, mode) => { fs.chownSync(file, uid, gid); fs.chmodSync(file, mode); };
  const run = (words, groups = []) => spawnSync('setpriv', [`--reuid=${NOBODY}`, `--regid=${groups[0] ?? NOBODY}`, '--clear-groups', program, '--config', it.config, ...words], { encoding: 'utf8' });
  const last = ({ stderr }) => stderr.trimEnd().split('\n').at(-1);
  // Who takes the store as well, and who takes no more.
  const STORE = ['waiting', 'stats', 'snippet html /x', 'export', 'pages import /etc/passwd'];
  const MODERATORS = ['moderator list', 'mail list', 'mail', 'export --addresses', 'erase asel@example.org', 'close /x', 'rekey'];

  before(async () => {
    tellSeed();
    it = await makeInstance();
    fs.chmodSync(it.dir, 0o755);
    fs.mkdirSync(at('bin'));
    program = at('bin', 'rejoinder');
    for (const name of ['rejoinder', 'reader.fcgi', 'moderator.fcgi']) {
      fs.copyFileSync(path.join(BIN, name), at('bin', name));
      fs.chmodSync(at('bin', name), 0o755);
    }
    fs.chmodSync(at('bin'), 0o755);
    for (const name of fs.readdirSync(at('moderators'))) give(at('moderators', name), OWNER, GROUP, 0o600);
    give(at('moderators'), OWNER, GROUP, 0o700);
    give(it.config, 0, GROUP, 0o640);
  });
  after(() => it?.tidy());

  test('read the configuration', () => {
    for (const words of [...STORE, ...MODERATORS, 'work', 'start', 'stop', 'check', 'init']) {
      const told = run(words.split(' '));
      assert.equal(told.status, 1, words);
      assert.doesNotMatch(told.stderr, /name another|make one/, words);
      assert.equal(last(told), `rejoinder: you are user nobody, and ${it.config} is for user root and group ${GROUP} alone (mode 0640): run this as root`, words);
    }
    assert.equal(run(['close']).status, 2, 'wrong use is told before');
    assert.equal(run(['close', '--help']).status, 0);
  });

  test('read the keys', () => {
    fs.chmodSync(it.config, 0o644);
    give(at('keys'), 0, GROUP, 0o750);
    for (const words of [...STORE, 'work', 'publish']) {
      assert.equal(last(run(words.split(' '))), `rejoinder: you are user nobody, and ${at('keys')} is for user root and group ${GROUP} alone (mode 0750): run this as root or as user ${OWNER}`, words);
    }
    const stopped = run(['stop']);
    assert.equal(stopped.status, 1, 'whether they run cannot be seen');
    assert.match(stopped.stderr, /run: Permission denied, so whether reader\.fcgi runs cannot be seen/);
    const { stdout } = run(['check']);
    assert.match(stdout, /^mend .*secret\.key: Permission denied: run this as root, or as the moderators' user$/m);
    assert.match(stdout, /^note .*reader\.sock: whether reader\.fcgi answers could not be asked/m);
  });

  test('read what is the moderators’ user’s', () => {
    give(at('keys'), 0, GROUP, 0o750);
    for (const name of fs.readdirSync(at('keys'))) give(at('keys', name), 0, GROUP, 0o640);
    for (const name of fs.readdirSync(it.dir)) if (/^rejoinder\.db/.test(name)) give(at(name), 0, GROUP, 0o660);
    give(it.dir, 0, GROUP, 0o775);
    assert.equal(run(['waiting'], [GROUP]).stdout, 'main: nothing waits\n', 'the group may read the store');
    for (const words of MODERATORS) {
      const told = run(words.split(' '), [GROUP]);
      assert.equal(told.status, 1, words);
      assert.doesNotMatch(told.stderr, /not there|--lost/, words);
      assert.equal(last(told), `rejoinder: you are user nobody, and ${at('moderators')} is for user ${OWNER} alone (mode 0700): run this as root or as user ${OWNER}`, words);
    }
    // What failed for another reason has that one alone.
    assert.match(run(['waiting', '--site', 'none'], [GROUP]).stderr, /^rejoinder: .* no site .*\n$/);
    assert.match(run(['restore', '/etc/passwd'], [GROUP]).stderr, /^rejoinder: \/etc\/passwd is no backup of Rejoinder; nothing was changed\n$/);
  });

  test('connect: stop takes nothing away that may be in use', async () => {
    const socket = it.socket('reader'), pid = at('run', 'reader.pid');
    give(at('run'), 0, GROUP, 0o2770);
    give(it.config, 0, GROUP, 0o640);
    // As one that was started otherwise, beside what is left of one that was killed.
    const other = net.createServer();
    await new Promise((resolve) => other.listen(socket, resolve));
    try {
      give(socket, 0, 0, 0o600);
      fs.writeFileSync(pid, `${process.pid}\n`);
      const told = run(['stop'], [GROUP]);
      assert.equal(told.status, 1, told.stdout);
      assert.match(told.stderr, /reader\.sock: Permission denied, so whether reader\.fcgi runs cannot be seen/);
      assert.deepEqual([socket, pid].filter((file) => !fs.existsSync(file)), []);
      // Whoever may connect is told that it goes on.
      give(socket, 0, GROUP, 0o660);
      assert.match(run(['stop'], [GROUP]).stdout, /reader\.fcgi was not started by rejoinder start, and goes on/);
      assert.ok(fs.existsSync(pid));
    } finally {
      await new Promise((resolve) => other.close(resolve));
      fs.rmSync(pid, { force: true });
    }
  });
});
