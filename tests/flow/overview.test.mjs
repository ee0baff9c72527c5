// What a whole site shows of its replies: latest, trending, counts and feed, and who writes them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { elements, signedIn, textOf } from '../lib/browserless.mjs';
import { BASE, fresh, makeInstance, sleep, tellSeed } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
const FILES = ['latest.html', 'latest.json', 'feed.xml', 'trending.html', 'trending.json', 'counts.json'];
const TYPES = { html: /^text\/html/, json: /^application\/json/, xml: /^application\/atom\+xml/ };
let it, moderator;

before(async () => {
  tellSeed();
  it = await makeInstance({ doors: ['reader'] });
  it.addModerator('editor', PASSWORD);
  await it.start('moderator');
  moderator = await signedIn(it);
  // Its first tick writes the files once; then nobody does until somebody asks.
  for (let waited = 0; it.sql("SELECT count(*) AS n FROM job WHERE kind = 'overview' AND done_at > 0")[0].n === 0; waited += 50) {
    assert.ok(waited < 20000);
    await sleep(50);
  }
});
after(() => it?.tidy());

const at = (name, site = 'main') => path.join(it.public, site, name);
const read = (name) => fs.readFileSync(at(name), 'utf8');
const json = (name) => JSON.parse(read(name));
const freshPage = () => `/world/page-${fresh()}`;
const stat = (name) => fs.statSync(at(name));
// As if the last time had been long ago.
const letItBeDue = () => it.sql("UPDATE job SET done_at = 0, due_at = 1, tries = 0 WHERE kind = 'overview'");
function work(expected = 0) {
  letItBeDue();
  const run = it.cli(['work']);
  assert.equal(run.status, expected, run.stdout + run.stderr);
  // The moderators' door may have been first, and still be at it.
  while (it.sql("SELECT count(*) AS n FROM job WHERE lease_by <> ''")[0].n > 0);
  return run;
}
async function published(fields) {
  const { id } = await it.post(fields);
  assert.equal((await moderator.approve(id)).status, 303);
  return id;
}

test('before the first reply the files are there, and say that there is none', async () => {
  assert.deepEqual(json('latest.json'), { replies: [] });
  assert.deepEqual(json('trending.json'), { pages: [] });
  assert.deepEqual(json('counts.json'), {});
  assert.match(read('latest.html'), /rejoinder-empty/);
  assert.match(read('trending.html'), /rejoinder-empty/);
  assert.doesNotMatch(read('feed.xml'), /<entry>/);
  assert.doesNotMatch(read('latest.html') + read('trending.html'), /<html|<body/i, 'fragments');
});

test('the door answers each of them, as the file and without it', async () => {
  for (const name of FILES) {
    const uri = `/comments/${name}`;
    const whole = await it.reader({ uri });
    assert.equal(whole.status, 200, name);
    assert.equal(whole.text, read(name), name);
    assert.match(whole.header('content-type'), TYPES[name.split('.')[1]], name);
    assert.match(whole.header('cache-control'), /max-age=\d+$/, name);
    const kept = read(name);
    fs.unlinkSync(at(name));
    const without = await it.reader({ uri });
    assert.equal(without.status, 200, name);
    assert.equal(without.text, kept, `${name} of a site without replies`);
    fs.writeFileSync(at(name), 'what the file holds');
    assert.equal((await it.reader({ uri: `${uri}?v=1` })).text, 'what the file holds', name);
    fs.writeFileSync(at(name), kept);
    assert.equal((await it.reader({ uri, method: 'POST', body: 'x' })).status, 405, name);
  }
  assert.equal((await it.reader({ uri: '/comments/latest.xml' })).status, 404);
});

test('published replies stand in all of them, and nothing of a person that is not published', async () => {
  const page = freshPage();
  const root = await published({ page, name: 'Ära & <Co>', email: 'canary-latest@example.org', comment: `**Strong** words ${'and many more '.repeat(40)}` });
  const child = await published({ page, parent: root, comment: 'An answer below it.' });
  await it.post({ page, comment: 'This one waits.' });
  // Written at once, published one after the other.
  const told = Math.floor(Date.now() / 1000) - 3600;
  it.sql(`UPDATE reply SET published_at = ${told} + (id = ${child}) * 60 WHERE id IN (${root}, ${child})`);
  work();
  const { replies } = json('latest.json');
  assert.deepEqual(replies.map(({ id }) => id), [child, root], 'newest first');
  const [answer, first] = replies;
  assert.deepEqual(Object.keys(first).sort(), ['by_moderator', 'comment_html', 'created_at', 'edited_at', 'id', 'name', 'page', 'parent_id', 'title', 'url', 'website']);
  assert.equal(first.name, 'Ära & <Co>');
  assert.match(first.comment_html, /<strong>Strong<\/strong>/);
  assert.equal(first.page, page);
  assert.equal(first.url, `${page}#reply-${root}`);
  assert.equal(answer.parent_id, root);
  const html = read('latest.html');
  assert.equal(elements(html, (tag) => tag.name === 'li').length, 2);
  assert.match(textOf(html), /Strong words and many more/);
  assert.deepEqual([...html.matchAll(/<time [^>]*datetime="([^"]+)"/g)].map(([, at_]) => Date.parse(at_) / 1000), [told + 60, told],
    'the times that it is sorted by');
  assert.match(html, /…<\/p>/, 'cut');
  assert.match(html, new RegExp(`href="${page}#reply-${root}"`));
  assert.doesNotMatch(html, / id="/, 'it may stand beside the thread');
  assert.deepEqual(json('trending.json'), { pages: [{ page, title: page, url: page, count: 2 }] });
  assert.match(read('trending.html'), new RegExp(`<a href="${page}">`));
  assert.deepEqual(json('counts.json'), { [page]: 2 });
  const feed = read('feed.xml');
  assert.equal(feed.match(/<entry>/g).length, 2);
  assert.match(feed, new RegExp(`<id>${BASE}${page}#reply-${root}</id>`));
  assert.match(feed, /Ära &amp; &lt;Co&gt;/);
  for (const name of FILES) assert.doesNotMatch(read(name), /canary-latest|This one waits/, name);
});

test('hiding a reply hides what hangs on it, everywhere', async () => {
  const page = freshPage();
  const root = await published({ page, comment: 'The root of the matter.' });
  const child = await published({ page, parent: root, comment: 'A child of the root.' });
  const leaf = await published({ page, parent: child, comment: 'A leaf of the child.' });
  await moderator.decide(child, 'spam', 'published');
  work();
  const ids = () => json('latest.json').replies.filter((one) => one.page === page).map(({ id }) => id);
  assert.deepEqual(ids(), [root]);
  assert.equal(json('counts.json')[page], 1);
  assert.equal(json('trending.json').pages.find((one) => one.page === page).count, 1);
  for (const name of ['latest.html', 'latest.json', 'feed.xml']) assert.doesNotMatch(read(name), /A leaf|A child/, name);
  await moderator.decide(child, 'published', 'spam');
  work();
  assert.deepEqual(ids().sort(), [root, child, leaf].sort());
  assert.equal(json('counts.json')[page], 3);
});

test('a week ago is not trending, and sixty newer replies push the oldest out', async () => {
  const page = freshPage();
  await published({ page });
  it.sql(`UPDATE reply SET published_at = ${Math.floor(Date.now() / 1000)} - 7 * 86400 - 60 WHERE thread_id = (SELECT id FROM thread WHERE page = '${page}')`);
  work();
  assert.equal(json('trending.json').pages.find((one) => one.page === page), undefined);
  assert.equal(json('counts.json')[page], 1);
  const many = freshPage();
  for (let i = 0; i < 51; i++) await published({ page: many });
  work();
  assert.equal(json('latest.json').replies.length, 50);
  assert.equal(json('trending.json').pages[0].page, many);
});

test('a file whose content is the same keeps its time; another one moves forward', async () => {
  const before = FILES.map((name) => stat(name).mtimeMs);
  work();
  assert.deepEqual(FILES.map((name) => stat(name).mtimeMs), before);
  await published({ page: freshPage() });
  work();
  FILES.forEach((name, i) => assert.ok(Math.floor(stat(name).mtimeMs / 1000) > Math.floor(before[i] / 1000), name));
});

test('no decision writes them, and they are asked for at most every ten seconds', async () => {
  work();
  const job = () => it.sql("SELECT * FROM job WHERE kind = 'overview'")[0];
  const before = read('latest.json');
  const { done_at: done } = job();
  await published({ page: freshPage() });
  assert.equal(job().due_at, done + 10);
  assert.equal(read('latest.json'), before);
  await published({ page: freshPage() });
  assert.equal(job().due_at, done + 10);
});

test('the moderators\' door writes them by itself', async () => {
  const page = freshPage();
  const id = await published({ page });
  letItBeDue();
  // counts.json is the last of them to be written.
  for (let waited = 0; json('counts.json')[page] !== 1; waited += 100) {
    assert.ok(waited < 20000, JSON.stringify(it.sql('SELECT * FROM job')));
    await sleep(100);
  }
  assert.ok(read('latest.json').includes(`"${id}"`));
});

test('another site has its own', async () => {
  it.configure({ sites: { second: { mount: '/talk', heading_level: 4 } } });
  await it.restart('moderator');
  work();
  assert.deepEqual(JSON.parse(fs.readFileSync(at('latest.json', 'second'), 'utf8')), { replies: [] });
  assert.match(fs.readFileSync(at('latest.html', 'second'), 'utf8'), /<h4 class="rejoinder-heading">/);
});

test('rejoinder work says what it did, and fails where a file cannot be written', async () => {
  await it.stop('moderator');
  assert.match(work().stdout, /Nothing waits/);
  await it.start('moderator');
  await published({ page: freshPage() });
  await it.stop('moderator');
  fs.renameSync(at('counts.json'), at('kept'));
  fs.mkdirSync(at('counts.json'));
  const run = work(1);
  assert.match(run.stderr, /overview of main: broken/);
  assert.equal(it.sql("SELECT failure FROM job WHERE kind = 'overview' AND tries = 1")[0].failure, 'broken');
  fs.rmdirSync(at('counts.json'));
  assert.equal(it.cli(['work']).status, 0, 'and does not wait until it is due again');
  assert.equal(it.sql("SELECT count(*) AS n FROM job WHERE tries > 0 OR failure <> ''")[0].n, 0);
  assert.ok(fs.existsSync(at('counts.json')));
  fs.unlinkSync(at('kept'));
});

test('a lease of somebody else is left alone until it ends, or lies too far ahead to be true', async () => {
  await it.stop('moderator');
  const now = () => Math.floor(Date.now() / 1000);
  const lease = (until) => it.sql(`UPDATE job SET due_at = 1, lease_until = ${until}, lease_by = 'somebody' WHERE kind = 'overview'`);
  const holder = () => it.sql("SELECT lease_by FROM job WHERE kind = 'overview' AND site_id = 1")[0].lease_by;
  lease(now() + 100);
  assert.equal(it.cli(['work']).status, 0);
  assert.equal(holder(), 'somebody');
  lease(now() - 1);
  assert.equal(it.cli(['work']).status, 0);
  assert.equal(holder(), '');
  lease(now() + 365 * 86400);
  assert.equal(it.cli(['work']).status, 0);
  assert.equal(holder(), '');
});
