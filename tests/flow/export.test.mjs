// `rejoinder export`: everything that is stored, as lines of JSON; addresses only on request.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { signedIn } from '../lib/browserless.mjs';
import { BIN, ROOT, makeInstance, tellSeed } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
const NASTY = 'Line one\nline "two" \\ </script> \u2028 %s {{name}} 🐎 السلام';
let it, root, answer;

before(async () => {
  tellSeed();
  it = await makeInstance({ sites: { blog: {} }, doors: ['reader'] });
  it.addModerator('editor', PASSWORD);
  await it.start('moderator');
  const moderator = await signedIn(it);
  root = await it.post({ page: '/a page', name: 'Ann "A" Lee', email: 'Ann.Lee@example.org', comment: NASTY }, { address: '192.0.2.77' });
  await moderator.approve(root.id);
  answer = await it.post({ page: '/a page', parent: root.id });
  await it.post({}, { site: 'blog' });
  it.mustCli(['close', '/closed']);
});
after(() => it?.tidy());

const exported = (...args) => it.mustCli(['export', ...args]).stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
const replies = (lines) => lines.filter(({ type }) => type === 'reply');

test('a head, then pages, then replies, each a line of JSON', () => {
  const lines = exported();
  assert.deepEqual(lines.map(({ type }) => type), ['export', 'page', 'page', 'page', 'reply', 'reply', 'reply']);
  assert.equal(lines[0].format, 1);
  assert.ok(Math.abs(Date.parse(lines[0].exported_at) - Date.now()) < 60000);
  const pages = lines.filter(({ type }) => type === 'page');
  assert.deepEqual(pages.map(({ site, page, closed }) => [site, page, closed]),
    [['main', '/a page', false], ['blog', '/world/astana-summit', false], ['main', '/closed', true]]);
});

test('a reply has all that it has in the store, and no address', () => {
  const text = it.mustCli(['export']).stdout;
  const [first, second, third] = replies(exported());
  const [row] = it.sql(`SELECT * FROM reply WHERE id = ${root.id}`);
  const time = (seconds) => seconds === null ? null : new Date(seconds * 1000).toISOString().replace('.000', '');
  assert.deepEqual(first, { type: 'reply', site: 'main', id: String(root.id), page: '/a page', parent_id: null, state: 'published',
    name: 'Ann "A" Lee', website: 'https://example.org/asel', comment: NASTY, by_moderator: false, created_at: time(row.created_at),
    edited_at: null, decided_at: time(row.decided_at), published_at: time(row.published_at) });
  assert.equal(second.parent_id, first.id);
  assert.equal(second.state, 'held');
  assert.equal(third.site, 'blog');
  assert.doesNotMatch(text, /ann\.lee@|192\.0\.2\.77/i);
});

test('the manual names each member of each line, and no other', () => {
  const manual = fs.readFileSync(path.join(ROOT, 'man/rejoinder.1'), 'utf8');
  const told = manual.slice(manual.indexOf('.Sh THE EXPORT'), manual.indexOf('.Sh WHAT TO KEEP'));
  const names = new Set([...told.matchAll(/^\.Ic (.*)$/gm)].flatMap(([, line]) => line.split(' ').filter((word) => /^[a-z_]+$/.test(word))));
  const lines = exported('--addresses');
  assert.deepEqual([...names].sort(), [...new Set(lines.flatMap((line) => [...Object.keys(line), line.type]))].sort());
});

test('--addresses opens what was sealed, with the secret key only', () => {
  const [first] = replies(exported('--addresses'));
  assert.deepEqual([first.email, first.network], ['Ann.Lee@example.org', '192.0.2.77']);
  const key = path.join(it.dir, 'moderators', 'secret.key');
  fs.renameSync(key, `${key}.away`);
  const run = it.cli(['export', '--addresses']);
  fs.renameSync(`${key}.away`, key);
  assert.equal(run.status, 1);
  assert.equal(run.stdout, '');
  assert.match(run.stderr, /secret key/);
});

test('all of many are there once, a parent before its answers', () => {
  it.sql(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 450)
    INSERT INTO reply (site_id, thread_id, state, name, comment, content_hash, created_at)
    SELECT 1, (SELECT min(id) FROM thread), 'trash', 'n' || i, 'c' || i, x'', 1700000000 FROM n`);
  const all = replies(exported());
  assert.equal(all.length, 453);
  assert.deepEqual(all.map(({ id }) => id), it.sql('SELECT id FROM reply ORDER BY id').map(({ id }) => String(id)));
  it.sql("DELETE FROM reply WHERE state = 'trash'");
});

test('an output that ends early is a failure, and wrong use is told', () => {
  const full = it.run('rejoinder', ['--config', it.config, 'export'], { stdio: ['ignore', fs.openSync('/dev/full', 'w'), 'pipe'] });
  assert.equal(full.status, 1);
  assert.match(full.stderr, /ends before its end/);
  assert.equal(it.cli(['export', 'everything']).status, 2);
});

test('the longest words that are taken stand in the way of no export, check or new key', async (t) => {
  const full = await makeInstance({ site: { comment_most: 100000 }, doors: ['reader'] });
  t.after(() => full.tidy());
  await full.post({ comment: '🐎'.repeat(100000) });
  // The hash of its content does not depend on a reply's number, so copies are as good as their original.
  const columns = full.sql("SELECT name FROM pragma_table_info('reply') WHERE name NOT IN ('id', 'key_hash')").map(({ name }) => name).join(', ');
  full.sql(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 89) INSERT INTO reply (${columns}) SELECT ${columns} FROM reply, n`);
  const cli = (...args) => spawnSync(path.join(BIN, 'rejoinder'), ['--config', full.config, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  await full.stop('reader');
  for (const args of [['export'], ['check'], ['rekey'], ['rekey', '--finish']]) {
    const run = cli(...args);
    assert.equal(run.status, 0, `${args}: ${run.stdout.slice(-1000)}${run.stderr.slice(-1000)}`);
    if (args[0] === 'export') assert.equal(replies(run.stdout.trimEnd().split('\n').map((line) => JSON.parse(line))).length, 90);
    if (args[1]) assert.match(run.stdout, /^90 replies/);
  }
});
