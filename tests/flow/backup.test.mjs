// `rejoinder backup`, `restore` and `waiting`: a copy of the store while it is used, and the way back.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fieldsOf, forms, signedIn } from '../lib/browserless.mjs';
import { BIN, begin, dropFolder, fresh, makeFolder, makeInstance, sleep, sqlOf, tellSeed, walk } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
let it, moderator, folder;
const backup = () => path.join(folder, `backup-${fresh()}`);

before(async () => {
  tellSeed();
  folder = makeFolder();
  it = await makeInstance({ doors: ['reader'] });
  it.addModerator('editor', PASSWORD);
  await it.start('moderator');
  moderator = await signedIn(it);
});
after(async () => {
  await it?.tidy();
  dropFolder(folder);
});

async function published(fields) {
  const { id } = await it.post(fields);
  assert.equal((await moderator.approve(id)).status, 303);
  return id;
}
const rows = (file) => sqlOf(file, 'SELECT id, state, name, comment, hex(email_sealed) AS email FROM reply ORDER BY id');

test('a backup is one file that only its owner reads, with every reply in it', async () => {
  await published({ page: '/world/kept' });
  await it.post();
  const file = backup();
  const run = it.cli(['backup', file]);
  assert.equal(run.status, 0, run.stderr);
  assert.equal(fs.statSync(file).mode & 0o7777, 0o600);
  assert.deepEqual(fs.readdirSync(folder).filter((name) => name.startsWith(path.basename(file))), [path.basename(file)]);
  assert.deepEqual(rows(file), rows(it.database));
  assert.match(run.stdout, /secret key/, 'it says what else to keep');
});

test('a backup made while replies come is of one moment', async () => {
  const file = backup();
  const before = it.count();
  const run = begin(path.join(BIN, 'rejoinder'), ['--config', it.config, 'backup', file]);
  await Promise.all(Array.from({ length: 40 }, () => it.post()));
  assert.equal((await run.over).code, 0, run.stderrText);
  const [{ n, held }] = sqlOf(file, "SELECT (SELECT count(*) FROM reply) AS n, (SELECT sum(n) FROM tally) AS held");
  assert.ok(n >= before && n <= before + 40, `${n} of ${before} to ${before + 40}`);
  assert.equal(n, held, 'replies and their counts fit');
});

// So many that the copy takes several slices.
async function large(t) {
  const there = await makeInstance({ doors: ['reader'] });
  t.after(() => there.tidy());
  await there.post();
  there.sql(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO reply (site_id, thread_id, state, name, comment, content_hash, created_at)
    SELECT 1, 1, 'trash', 'n' || i, hex(randomblob(500)), x'', 1700000000 FROM n; PRAGMA wal_checkpoint(TRUNCATE)`);
  return there;
}

test('on a terminal it shows how far it is, elsewhere it says nothing of that', { skip: spawnSync('script', ['--version']).status !== 0 && 'no script(1)' }, async (t) => {
  const there = await large(t), file = backup();
  const words = [path.join(BIN, 'rejoinder'), '--config', there.config, 'backup', file];
  const run = spawnSync('script', ['-qec', words.join(' '), '/dev/null'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  assert.equal(run.status, 0, run.stdout);
  const shown = [...run.stdout.matchAll(/\rCopied +(\d+) %/g)].map(([, percent]) => Number(percent));
  assert.ok(shown.length >= 3, run.stdout);
  assert.deepEqual(shown, [...shown].sort((a, b) => a - b));
  assert.equal(shown.at(-1), 100);
  assert.equal(there.mustCli(['backup', backup()]).stderr, '');
});

const untraceable = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status !== 0;
test('stopped in the middle of it, replies come and are decided about; the copy is of the moment before', { skip: untraceable && 'no strace, or it may not trace here' }, async (t) => {
  const there = await large(t), file = backup(), trace = backup();
  there.addModerator('editor', PASSWORD);
  await there.start('moderator');
  const before = rows(there.database);
  const run = begin('strace', ['-D', '-f', '-o', trace, '-e', 'trace=pread64', '-e', 'inject=pread64:signal=SIGSTOP:when=500',
    path.join(BIN, 'rejoinder'), '--config', there.config, 'backup', file]);
  while (!(fs.existsSync(trace) && fs.readFileSync(trace, 'utf8').includes('stopped by SIGSTOP'))) {
    assert.equal(run.exitCode, null, `it was not stopped: ${run.stderrText}`);
    await sleep(10);
  }
  const { id } = await there.post();
  assert.equal((await (await signedIn(there)).approve(id)).status, 303);
  run.kill('SIGCONT');
  assert.equal((await run.over).code, 0, run.stderrText);
  assert.deepEqual(rows(file), before);
  assert.equal(there.sql(`SELECT state FROM reply WHERE id = ${id}`)[0].state, 'published');
});

test('a backup overwrites nothing, and leaves nothing where it fails', () => {
  const file = backup();
  fs.writeFileSync(file, 'somebody wrote this');
  let run = it.cli(['backup', file]);
  assert.equal(run.status, 1);
  assert.match(run.stderr, /overwrites none/);
  assert.equal(fs.readFileSync(file, 'utf8'), 'somebody wrote this');
  run = it.cli(['backup', path.join(folder, 'none', 'x')]);
  assert.equal(run.status, 1);
  assert.equal(run.stderr, `rejoinder: no backup was made: the folder ${path.join(folder, 'none')}: No such file or directory\n`);
  assert.equal(it.cli(['backup']).status, 2);
});

test('a file of somebody’s beside the backup stays; what an interrupted one left goes', () => {
  for (const [left, code] of [['mine', 1], ['mine, and longer than any head of a database', 1], ['', 0], [Buffer.alloc(8192), 0], [fs.readFileSync(it.database).subarray(0, 4096), 0]]) {
    const file = backup(), beside = `${file}.new`;
    fs.writeFileSync(beside, left);
    const run = it.cli(['backup', file]);
    assert.equal(run.status, code, run.stderr);
    assert.equal(fs.existsSync(file), code === 0);
    if (code === 0) {
      assert.ok(!fs.existsSync(beside));
      continue;
    }
    assert.equal(run.stderr, `rejoinder: no backup was made: ${beside} is in the way, for the copy has that name until it is whole\n`);
    assert.equal(fs.readFileSync(beside, 'utf8'), left);
  }
});

test('restore takes no other file for a backup, and changes nothing then', () => {
  const before = it.dump(), files = fs.readdirSync(it.dir).sort();
  const empty = path.join(folder, 'empty'), short = path.join(folder, 'short');
  fs.writeFileSync(empty, '');
  fs.writeFileSync(short, 'SQLite format 3');
  for (const file of ['/etc/passwd', empty, short, folder, it.moderators]) {
    const { status, stdout, stderr } = it.cli(['restore', file]);
    assert.deepEqual([status, stdout, stderr], [1, '', `rejoinder: ${file} is no backup of Rejoinder; nothing was changed\n`]);
  }
  assert.match(it.cli(['restore', path.join(folder, 'none')]).stderr, /^rejoinder: .*none: No such file or directory\n$/);
  assert.equal(it.dump(), before);
  assert.deepEqual(fs.readdirSync(it.dir).sort(), files);
});

test('restore brings replies, states and files back while the doors run, and gives no number twice', async () => {
  const page = `/world/restored-${fresh()}`;
  const later = `/world/later-${fresh()}`;
  const first = await published({ page });
  const file = backup();
  it.mustCli(['backup', file]);
  const kept = rows(it.database);
  await published({ page });
  await published({ page: later });
  const lost = await it.post();
  assert.match(it.thread(later), /<article/);
  const run = it.cli(['restore', file]);
  assert.equal(run.status, 0, run.stderr);
  assert.deepEqual(rows(it.database), kept);
  const { replies } = JSON.parse(it.thread(page, 'thread.json'));
  assert.deepEqual(replies.map((reply) => reply.id), [String(first)]);
  assert.doesNotMatch(it.thread(later), /<article/, 'a page that had replies only since is empty');
  assert.equal((await it.reader({ uri: lost.receipt })).status, 404, 'the receipt of a lost reply');
  const next = await it.post();
  assert.match(run.stdout, new RegExp(`^Put back: ${kept.length} repl(y|ies)\\. Gone, since they came after the backup: 3\\.\nThe numbers of replies go on 1000000 later`, 'm'));
  assert.ok(Number(next.id) > Number(lost.id) + 1000, `${next.id} is far behind ${lost.id}: its receipt is nobody else's`);
  assert.equal((await it.reader({ uri: lost.receipt })).status, 404, 'and stays so');
  assert.deepEqual(fs.readdirSync(it.dir).filter((name) => name.includes('.restore')), [], 'nothing is left beside the store');
  assert.equal(it.cli(['check']).status, 0, it.cli(['check']).stdout);
});

test('restore on a bare machine: configuration and keys back, init, restore', async () => {
  const file = backup();
  const page = `/world/moved-${fresh()}`;
  const { id, receipt } = await it.post({ page });
  await moderator.approve(id);
  it.mustCli(['backup', file]);
  const there = await makeInstance();
  try {
    for (const name of ['keys', 'moderators/secret.key', 'moderators/log.key'])
      fs.cpSync(path.join(it.dir, name), path.join(there.dir, name), { recursive: true, force: true });
    const config = fs.readFileSync(it.config, 'utf8').replaceAll(it.dir, there.dir);
    fs.writeFileSync(there.config, config);
    there.mustCli(['init', '--under', there.dir]);
    fs.chmodSync(file, 0o400);
    const run = there.cli(['restore', file]);
    assert.equal(run.status, 0, run.stderr);
    assert.deepEqual(rows(there.database), rows(it.database));
    assert.equal(there.thread(page).replace(/<time[^>]*>.*?<\/time>/g, ''), it.thread(page).replace(/<time[^>]*>.*?<\/time>/g, ''));
    await there.start('reader');
    assert.equal((await there.reader({ uri: receipt })).status, 200, 'a receipt given there is honoured here');
    assert.equal(there.cli(['check']).status, 0, there.cli(['check']).stdout);
  } finally {
    await there.tidy();
  }
});

test('what is no backup is refused, and the store is as it was', () => {
  const before = it.dump();
  const cut = backup();
  it.mustCli(['backup', cut]);
  fs.truncateSync(cut, 8192);
  const text = backup();
  fs.writeFileSync(text, 'This is a text and no database. '.repeat(400));
  for (const [file, why] of [[cut, /damaged|malformed|cannot|as it was/], [text, /no backup of Rejoinder/], [path.join(folder, 'none'), /No such file/], [it.moderators, /no backup of Rejoinder/]]) {
    const run = it.cli(['restore', file]);
    assert.equal(run.status, 1, file);
    assert.match(run.stderr, why);
    assert.equal(it.dump(), before, file);
  }
});

test('a backup of a newer version is refused', () => {
  const file = backup();
  it.mustCli(['backup', file]);
  sqlOf(file, 'PRAGMA user_version = 9999');
  const run = it.cli(['restore', file]);
  assert.equal(run.status, 1);
  assert.match(run.stderr, /newer than this program/);
});

test('waiting: how many, since when, and 3 when any wait', async () => {
  const there = await makeInstance({ sites: { blog: {} }, doors: ['reader'] });
  try {
    let run = there.cli(['waiting']);
    assert.deepEqual([run.status, run.stdout], [0, 'main: nothing waits\nblog: nothing waits\n']);
    await there.post();
    run = there.cli(['waiting']);
    assert.equal(run.status, 3);
    assert.match(run.stdout, /^main: 1 reply waits, the oldest since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\nblog: nothing waits\n$/);
    await there.post({}, { site: 'blog' });
    await there.post({}, { site: 'blog' });
    run = there.cli(['waiting', '--site', 'blog']);
    assert.equal(run.status, 3);
    assert.match(run.stdout, /^blog: 2 replies wait, the oldest since [^\n]*\n$/);
    const [{ at }] = there.sql("SELECT min(created_at) AS at FROM reply WHERE site_id = (SELECT id FROM site WHERE name = 'blog')");
    assert.ok(run.stdout.includes(new Date(at * 1000).toISOString().replace('.000', '')));
    assert.equal(there.cli(['waiting', '--site', 'none']).status, 1);
    assert.equal(there.cli(['waiting', 'now']).status, 2);
  } finally {
    await there.tidy();
  }
});

test('restore erases no other reply that has the number of an erased one', async () => {
  const { id } = await it.post({ name: 'Somebody of before', comment: 'Words of before, under that number.' });
  const file = backup();
  it.mustCli(['backup', file]);
  // As in a store that was begun anew: the number is the same, the reply is not.
  it.sql(`UPDATE reply SET created_at = created_at + 5, state = 'withdrawn', name = '', comment = '', email_sealed = NULL, erased_at = 1 WHERE id = ${id}`);
  it.mustCli(['restore', file]);
  assert.deepEqual(it.sql(`SELECT state, name FROM reply WHERE id = ${id}`), [{ state: 'held', name: 'Somebody of before' }]);
});

test('restore does not bring back what was withdrawn or erased since', async () => {
  const n = fresh(), page = `/world/erased-${n}`;
  const who = { email: `aigerim.${n}@example.org`, name: `Aigerim ${n}`, website: `https://aigerim-${n}.example/` };
  const kept = { email: `kept.${n}@example.org`, name: `Kept ${n}` };
  const gone = await published({ ...who, page });
  const answer = await published({ page, parent: gone });
  const words = await published({ ...kept, page, comment: `These words stay, of ${n}.` });
  const own = await it.post({ page, name: `Own ${n}` });
  const traces = ['email_sealed', 'network_sealed', 'author_hash', 'client_hash', 'key_hash', 'submission_hash'].flatMap((column) =>
    it.sql(`SELECT hex(${column}) AS hex FROM reply WHERE id IN (${gone}, ${words})`).map(({ hex }) => Buffer.from(hex, 'hex')));
  traces.push(...[who.email, who.name, who.website, kept.email, kept.name, `Own ${n}`].map((text) => Buffer.from(text)));
  const file = backup();
  it.mustCli(['backup', file]);
  it.mustCli(['erase', who.email]);
  it.mustCli(['erase', kept.email, '--keep-words']);
  const form = forms((await it.reader({ uri: own.receipt })).text).find((one) => one.action.endsWith('/withdraw'));
  assert.equal((await it.reader({ uri: form.action, form: Object.fromEntries(fieldsOf(form)) })).status, 303);
  for (let i = 0; i < 2; i++) {
    const run = it.mustCli(['restore', file]);
    assert.match(run.stdout, /withdrawn or erased after the backup: 3\./);
    for (const held of walk(it.dir)) {
      const content = fs.readFileSync(held);
      for (const trace of traces) assert.equal(content.includes(trace), false, `${held}: ${trace.toString('latin1')}`);
    }
    assert.deepEqual(it.sql(`SELECT id, state, name, shown FROM reply WHERE id IN (${gone}, ${answer}, ${words}, ${own.id}) ORDER BY id`), [
      { id: Number(gone), state: 'withdrawn', name: '', shown: 0 },
      { ...it.sql(`SELECT id, state, name FROM reply WHERE id = ${answer}`)[0], shown: 0 },
      { id: Number(words), state: 'published', name: 'Somebody', shown: 1 },
      { id: Number(own.id), state: 'withdrawn', name: '', shown: 0 }]);
    assert.match(it.thread(page), new RegExp(`These words stay, of ${n}`));
    assert.deepEqual(it.sql('SELECT state, n FROM tally WHERE n > 0 ORDER BY state'),
      it.sql('SELECT state, count(*) AS n FROM reply GROUP BY state ORDER BY state'));
    assert.doesNotMatch(it.cli(['check']).stdout, /^mend/m);
  }
});

test('a backup that numbers the sites otherwise is not put below running doors', async () => {
  const file = backup(), numbers = (of) => of.sql('SELECT name FROM site ORDER BY id').map(({ name }) => name);
  const old = await makeInstance({ sites: { second: {} }, doors: ['reader'] });
  const there = await makeInstance({ sites: { first: {}, second: {} }, doors: ['reader'] });
  const siteOf = (id) => there.sql(`SELECT site.name FROM reply JOIN site ON site.id = reply.site_id WHERE reply.id = ${id}`)[0].name;
  try {
    assert.deepEqual([numbers(old), numbers(there)], [['main', 'second'], ['main', 'first', 'second']]);
    old.mustCli(['backup', file]);
    const before = there.dump(), refused = there.cli(['restore', file]);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /stop reader\.fcgi and moderator\.fcgi/);
    assert.equal(there.dump(), before);
    await there.stop('reader');
    there.mustCli(['restore', file]);
    assert.deepEqual(numbers(there), ['main', 'second', 'first']);
    await there.start('reader');
    for (const site of ['first', 'second']) assert.equal(siteOf((await there.post({}, { site })).id), site);
    there.mustCli(['restore', file]);
    for (const site of ['first', 'second']) assert.equal(siteOf((await there.post({}, { site })).id), site);
  } finally {
    await old.tidy();
    await there.tidy();
  }
});
