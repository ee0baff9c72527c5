// Background work is killed at every system call that changes something, one after the other.  What is
// on disk then is whole, nothing is forgotten, and the next run ends with the same files as a run that
// nobody killed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { signedIn } from '../lib/browserless.mjs';
import { BASE, BIN, dropFolder, makeFolder, makeInstance, sqlOf, walk } from '../lib/instance.mjs';

const CALLS = ['mkdirat', 'fchmod', 'write', 'utimensat', 'fsync', 'renameat', 'pwrite64', 'fdatasync', 'ftruncate'];
const MOST = 400; // of one call: more means that a run never comes to its end
const PAGES = ['/kill/a', '/kill/b'];
const FORGOTTEN = 'Words that a rule forgets, and no kill brings back';

function traceable() {
  if (spawnSync('sh', ['-c', 'command -v strace']).status !== 0) return 'no strace';
  return spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0 ? '' : 'strace may not trace here';
}
const reason = traceable();
if (reason !== '') console.log(`# skipped: ${reason}`);

describe('background work that is killed', { skip: reason === '' ? false : reason }, () => {
  let it, aside;
  const folder = (name) => path.join(aside, name);
  const copy = (from, to) => fs.cpSync(from, to, { recursive: true, preserveTimestamps: true });

  // One page has its files and gets another reply; the other gets its first one.  A third reply was refused so
  // long ago that it is to be forgotten.
  before(async () => {
    it = await makeInstance({ doors: ['reader'], top: { keep_refused: 10, keep_networks: 10 } });
    it.addModerator('editor', 'a steppe is not a step');
    aside = path.join(it.dir, 'aside');
    await it.start('moderator');
    const moderator = await signedIn(it);
    await moderator.approve((await it.post({ page: PAGES[0] })).id);
    await it.stop('moderator');
    copy(it.public, folder('public'));
    await it.start('moderator');
    const again = await signedIn(it);
    for (const page of PAGES) await again.approve((await it.post({ page })).id);
    const { id } = await it.post({ page: PAGES[0], comment: FORGOTTEN });
    assert.equal((await again.decide(id, 'spam')).status, 303);
    await it.stop('moderator');
    await it.stop('reader');
    it.sql(`UPDATE reply SET decided_at = decided_at - 11 * 86400 WHERE id = ${id}`);
    it.sql('PRAGMA wal_checkpoint(TRUNCATE)');
    it.sql("INSERT INTO publication (thread_id, page_number, revision, asked_at) SELECT id, 1, revision, 1 FROM thread; UPDATE job SET due_at = 1, done_at = 0, turn = 0 WHERE kind IN ('overview', 'retention'); PRAGMA wal_checkpoint(TRUNCATE)");
    copy(it.database, folder('store.db'));
    setBack();
    it.mustCli(['work']);
    checkForgotten('a run that nobody killed');
    copy(it.public, folder('wanted'));
    assert.notDeepEqual(contents(folder('wanted')), contents(folder('public')));
  });
  after(() => it?.tidy());

  function setBack() {
    fs.rmSync(it.public, { recursive: true });
    copy(folder('public'), it.public);
    for (const end of ['-wal', '-shm']) fs.rmSync(`${it.database}${end}`, { force: true });
    fs.copyFileSync(folder('store.db'), it.database);
  }
  // {file: text} of what is served; what an interrupted write left has a name of its own.
  const contents = (root) => Object.fromEntries(walk(root).filter((file) => !path.basename(file).startsWith('.new-'))
    .map((file) => [path.relative(root, file), fs.readFileSync(file, 'utf8')]));

  function checkForgotten(what) {
    assert.deepEqual(it.sql("SELECT state, email_sealed IS NULL AS email FROM reply WHERE state IN ('spam', 'withdrawn')"), [{ state: 'withdrawn', email: 1 }], what);
    assert.deepEqual(it.sql("SELECT count(*) AS n FROM reply WHERE state = 'published' AND email_sealed IS NOT NULL"), [{ n: 3 }], what);
    for (const end of ['', '-wal', '-shm'])
      if (fs.existsSync(it.database + end)) assert.ok(!fs.readFileSync(it.database + end).includes(FORGOTTEN), `${what}: the words are in the file ${end}`);
  }

  function checkAfterKill(what) {
    const old = contents(folder('public')), wanted = contents(folder('wanted')), now = contents(it.public);
    for (const [name, text] of Object.entries(now)) assert.ok(text === wanted[name] || text === old[name], `${what}: ${name} is neither the old one nor the new one`);
    for (const name of Object.keys(old)) assert.ok(name in now, `${what}: ${name} is gone`);
    assert.equal(sqlOf(it.database, 'PRAGMA integrity_check')[0].integrity_check, 'ok', what);
    for (const { page } of it.sql('SELECT page FROM thread WHERE id NOT IN (SELECT thread_id FROM publication)'))
      for (const name of ['thread.html', 'thread.json', 'feed.xml']) {
        const file = path.relative(it.public, it.threadFile(page, name));
        assert.equal(now[file], wanted[file], `${what}: ${file} is not written, and nobody knows`);
      }
  }

  for (const call of CALLS) {
    test(`at every ${call}`, () => {
      let killed = 0;
      for (let n = 1; n <= MOST; n++) {
        setBack();
        const run = spawnSync('strace', ['-f', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${n}`,
          path.join(BIN, 'rejoinder'), '--config', it.config, 'work'], { encoding: 'utf8', timeout: 60000 });
        const what = `${call} ${n}`;
        if (run.status === 0) {
          assert.deepEqual(contents(it.public), contents(folder('wanted')), what);
          checkForgotten(what);
          break;
        }
        assert.ok(run.signal === 'SIGKILL' || run.status === 137, `${what}: ${run.status} ${run.signal} ${run.stderr}`);
        assert.notEqual(n, MOST, what);
        killed = n;
        checkAfterKill(what);
        it.sql('UPDATE job SET lease_until = 1 WHERE lease_until > 0'); // two minutes later
        it.mustCli(['work']);
        assert.deepEqual(contents(it.public), contents(folder('wanted')), `${what}: the next run`);
        checkForgotten(`${what}: the next run`);
        assert.equal(it.sql('SELECT count(*) AS n FROM publication')[0].n, 0, what);
        // With nothing left to publish nobody looks at that row again: its lease has ended by itself.
        assert.deepEqual(it.sql("SELECT kind FROM job WHERE lease_by <> '' AND (kind <> 'publication' OR lease_until > 1)"), [], what);
      }
      console.log(`# ${call}: killed ${killed} times`);
    });
  }
});

// Each key and the configuration are made in one go, so what was interrupted can be run again.
describe('init that is killed', { skip: reason === '' ? false : reason }, () => {
  // Of the calls at which a file is half made all, of the many of SQLite some.
  for (const [call, every, most] of [['write', 1, 8], ['fchmod', 1, 12], ['renameat2', 1, 8], ['pwrite64', 50, 400], ['fdatasync', 5, 100]])
    test(`at ${call}: run again it makes the rest`, () => {
      let killed = 0;
      for (let n = 1; n <= most; n += every) {
        const dir = makeFolder(), args = ['init', '--under', dir, '--base', BASE], what = `${call} ${n}`;
        const run = spawnSync('strace', ['-f', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${n}`, path.join(BIN, 'rejoinder'), ...args], { encoding: 'utf8' });
        if (run.status !== 0) {
          assert.ok(run.signal === 'SIGKILL' || run.status === 137, `${what}: ${run.status} ${run.signal} ${run.stderr}`);
          killed++;
          const again = spawnSync(path.join(BIN, 'rejoinder'), args, { encoding: 'utf8' });
          assert.equal(again.status, 0, `${what}: ${again.stderr}`);
          const check = spawnSync(path.join(BIN, 'rejoinder'), ['--config', path.join(dir, 'rejoinder.conf'), 'check'], { encoding: 'utf8' });
          assert.doesNotMatch(check.stdout, /^mend/m, what);
        }
        dropFolder(dir);
        if (run.status === 0) break;
      }
      assert.ok(killed > 0);
    });
});
