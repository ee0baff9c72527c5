// What stands in the published files, and how they come to change.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { byId, decode, elements, replies, replyForm, signedIn, tags, textOf } from '../lib/browserless.mjs';
import { BASE, begin, fresh, makeInstance, sleep, tellSeed, walk } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
let it, moderator;

before(async () => {
  tellSeed();
  it = await makeInstance({ site: { page_keys: ['p'] }, doors: ['reader'] });
  it.addModerator('editor', PASSWORD);
  await it.start('moderator');
  moderator = await signedIn(it);
});
after(() => it?.tidy());

const freshPage = () => `/world/page-${fresh()}`;
async function published(fields) {
  const { id } = await it.post(fields);
  assert.equal((await moderator.approve(id)).status, 303);
  return id;
}
const json = (page) => JSON.parse(it.thread(page, 'thread.json'));
// Waits until `ready()` holds; a publication that failed is tried again every few seconds.
async function until(ready, what, ms = 15000) {
  for (let waited = 0; waited < ms; waited += 50) {
    try {
      if (ready()) return;
    } catch (error) {
      if (error.code !== 'ENOENT') throw error; // not there yet
    }
    await sleep(50);
  }
  assert.fail(`waited ${ms} ms in vain: ${what}`);
}

test('an approved reply stands in thread.html, thread.json and feed.xml', async () => {
  const page = freshPage();
  const website = 'https://author.example/?a=1&b=2';
  const id = await published({ page, name: 'Ära & <Co>', website, comment: '**Strong** words\n\nand `code` & <i>tags</i> at https://link.example/' });
  const html = it.thread(page);
  assert.doesNotMatch(html, /<html|<head|<body/i, 'a fragment');
  const section = elements(html, (tag) => tag.name === 'section' && /\brejoinder\b/.test(tag.attributes.class ?? ''))[0];
  assert.ok(section, '<section class="rejoinder">');
  const article = byId(html, `reply-${id}`);
  assert.equal(article.tag.name, 'article');
  assert.match(article.inner, /<strong>Strong<\/strong>/);
  assert.match(article.inner, /&lt;i&gt;tags/);
  assert.ok(elements(article.outer, (tag) => tag.name === 'bdi').some(({ inner }) => textOf(inner) === 'Ära & <Co>'), 'the name in <bdi>');
  const time = elements(article.outer, (tag) => tag.name === 'time')[0];
  assert.ok(Math.abs(Date.parse(time.tag.attributes.datetime) - Date.now()) < 60000, 'its time');
  for (const { tag } of elements(article.outer, (t) => t.name === 'a' && /^https?:\/\/(author|link)/.test(t.attributes.href ?? ''))) {
    assert.equal(tag.attributes.rel, 'ugc nofollow noopener noreferrer');
  }
  const reply = elements(article.outer, (tag) => tag.name === 'a' && (tag.attributes.href ?? '').includes(`parent=${id}`))[0];
  assert.ok(reply, 'a «Reply» link');
  const form = await it.reader({ uri: decode(reply.tag.attributes.href).replace(/#.*/, '') });
  assert.equal(form.status, 200);
  assert.ok(replyForm(form.text), 'it leads to the form');

  const thread = json(page);
  assert.deepEqual(Object.keys(thread).sort(), ['closed', 'count', 'next', 'page', 'pages', 'prev', 'replies', 'updated_at']);
  assert.equal(thread.page, 1, 'the number of the page');
  assert.equal(thread.pages, 1);
  assert.equal(thread.count, 1);
  assert.equal(thread.closed, false);
  assert.equal(thread.next, null);
  assert.equal(thread.prev, null);
  const [one] = thread.replies;
  assert.deepEqual(Object.keys(one).sort(), ['by_moderator', 'comment_html', 'created_at', 'edited_at', 'id', 'name', 'parent_id', 'website']);
  assert.equal(one.id, id);
  assert.equal(one.parent_id, null);
  assert.equal(one.name, 'Ära & <Co>');
  assert.equal(one.website, website);
  assert.match(one.comment_html, /<strong>Strong<\/strong>/);
  assert.match(one.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal(one.edited_at, null);
  assert.equal(one.by_moderator, false);

  const feed = it.thread(page, 'feed.xml');
  assert.match(feed, /^<\?xml[^>]*\?>\s*<feed xmlns="http:\/\/www\.w3\.org\/2005\/Atom"/);
  assert.equal(feed.match(/<entry>/g).length, 1);
  assert.match(feed, new RegExp(`#reply-${id}`));
  assert.match(feed, /Ära &amp; &lt;Co&gt;/);
});

test('an unapproved reply is gone from all of them, and the files stay', async () => {
  const page = freshPage();
  const stays = await published({ page, comment: 'This one stays where it is.' });
  const goes = await published({ page, comment: 'This one goes away again.' });
  assert.deepEqual(json(page).replies.map(({ id }) => id), [stays, goes], 'oldest first');
  await moderator.decide(goes, 'held', 'published');
  assert.deepEqual(json(page).replies.map(({ id }) => id), [stays]);
  assert.equal(json(page).count, 1);
  for (const name of ['thread.html', 'thread.json', 'feed.xml']) assert.doesNotMatch(it.thread(page, name), /goes away/, name);
  await moderator.decide(stays, 'trash', 'published');
  for (const name of ['thread.html', 'thread.json', 'feed.xml']) {
    assert.ok(fs.existsSync(it.threadFile(page, name)), `${name} is there`);
    assert.doesNotMatch(it.thread(page, name), /stays where/, name);
  }
  assert.equal(json(page).count, 0);
});

test('a rewritten file is another file whose time moves forward by a second at least', async () => {
  const page = freshPage();
  const id = await published({ page });
  let state = 'published';
  const names = ['thread.html', 'thread.json', 'feed.xml'];
  let before = names.map((name) => fs.statSync(it.threadFile(page, name)));
  for (let i = 0; i < 6; i++) {
    const next = state === 'published' ? 'held' : 'published';
    const held = fs.openSync(it.threadFile(page), 'r');
    const old = fs.readFileSync(held, 'utf8');
    await moderator.decide(id, next, state);
    state = next;
    names.forEach((name, n) => {
      const now = fs.statSync(it.threadFile(page, name));
      assert.ok(Math.floor(now.mtimeMs / 1000) >= Math.floor(before[n].mtimeMs / 1000) + 1, `${name} of change ${i}: ${before[n].mtimeMs} to ${now.mtimeMs}`);
      assert.notEqual(now.ino, before[n].ino, `${name} was edited in place`);
    });
    const again = Buffer.alloc(old.length * 4 + 4);
    const n = fs.readSync(held, again, 0, again.length, 0);
    assert.equal(again.subarray(0, n).toString(), old, 'who reads the old one reads it whole');
    fs.closeSync(held);
    before = names.map((name) => fs.statSync(it.threadFile(page, name)));
  }
});

test('no temporary file is left in the tree', () => {
  const names = walk(it.public).map((file) => path.basename(file));
  assert.deepEqual(names.filter((name) => name.startsWith('.')), []);
  assert.ok(names.includes('thread.html'));
});

test('an untouched page is answered by the door with an empty thread, not cached for long', async () => {
  const page = freshPage();
  for (const [name, type] of [['thread.html', /^text\/html/], ['thread.json', /^application\/json/], ['feed.xml', /^application\/(atom\+)?xml/]]) {
    const answer = await it.reader({ uri: `/comments/threads${page}/~/${name}` });
    assert.equal(answer.status, 200, name);
    assert.match(answer.header('Content-Type'), type);
    const age = /max-age=(\d+)/.exec(answer.header('Cache-Control') ?? '')?.[1];
    assert.ok(/no-(store|cache)/.test(answer.header('Cache-Control') ?? '') || Number(age) <= 300, answer.header('Cache-Control'));
    assert.equal(replies(answer.text).length, 0);
    if (name === 'thread.json') assert.deepEqual([answer.json().count, answer.json().replies], [0, []]);
  }
  assert.ok(!fs.existsSync(it.threadFile(page)), 'reading writes no file');
  for (const name of ['thread.html', 'thread.json', 'feed.xml']) {
    assert.ok(fs.existsSync(path.join(it.public, 'main', 'empty', name)), `the static empty ${name}`);
  }
  for (const name of ['thread.txt', '../thread.html', 'page.0.html', 'thread.html/x', '']) {
    assert.equal((await it.reader({ uri: `/comments/threads${page}/~/${name}` })).status, 404, name);
  }
});

// How deep each reply stands: {id: lists around it}.
function depths(html) {
  const all = {};
  let depth = 0;
  for (const tag of tags(html)) {
    if (tag.name === 'ol' && /\brejoinder-replies\b/.test(tag.attributes.class ?? '')) depth++;
    else if (tag.name === 'ol' && tag.closing) depth--;
    else if (tag.name === 'article' && !tag.closing) all[tag.attributes.id.slice(6)] = depth;
  }
  return all;
}

test('a child of a parent that is not published is not shown, and comes back with it', async () => {
  const page = freshPage();
  const parent = await published({ page, comment: 'I am the parent here.' });
  const child = await published({ page, parent, comment: 'I am the child here.' });
  const grandchild = await published({ page, parent: child, comment: 'I am the grandchild here.' });
  const shown = () => json(page).replies.map(({ id }) => id);
  const inHtml = () => replies(it.thread(page)).map(({ id }) => id);
  assert.deepEqual(shown(), [parent, child, grandchild]);
  assert.deepEqual(inHtml().sort(), [parent, child, grandchild].sort());
  assert.deepEqual(depths(it.thread(page)), { [parent]: 1, [child]: 2, [grandchild]: 3 });
  await moderator.decide(parent, 'trash', 'published');
  assert.deepEqual(shown(), []);
  assert.deepEqual(inHtml(), []);
  for (const name of ['thread.html', 'thread.json', 'feed.xml']) assert.doesNotMatch(it.thread(page, name), /the (grand)?child here/, name);
  await moderator.decide(parent, 'published', 'trash');
  assert.deepEqual(shown(), [parent, child, grandchild]);
});

test('answers are nested to depth 5 and flat below', async () => {
  const page = freshPage();
  const ids = [await published({ page, comment: 'Depth number 1 of the talk.' })];
  for (let depth = 2; depth <= 8; depth++) ids.push(await published({ page, parent: ids.at(-1), comment: `Depth number ${depth} of the talk.` }));
  const html = it.thread(page), deep = depths(html);
  assert.deepEqual(ids.map((id) => deep[id]), [1, 2, 3, 4, 5, 5, 5, 5]);
  assert.deepEqual(replies(html).map(({ id }) => id).sort(), [...ids].sort(), 'all of them are there');
  assert.deepEqual(json(page).replies.map(({ parent_id: parent }) => parent), [null, ...ids.slice(0, -1)]);
});

test('a closed thread says so, and has no form', async () => {
  const page = freshPage();
  await published({ page });
  it.mustCli(['close', page]);
  await until(() => json(page).closed === true, 'closed in the JSON');
  assert.match(textOf(it.thread(page)), /closed/i);
  const form = await it.reader({ uri: `/comments/form?page=${page}` });
  assert.equal(form.status, 403);
  it.mustCli(['reopen', page]);
  await until(() => json(page).closed === false, 'open in the JSON');
  assert.equal((await it.reader({ uri: `/comments/form?page=${page}` })).status, 200);
});

test('all the spellings of a page are one thread', async () => {
  const page = `/world/caf\u00e9 ${fresh()}`;
  const spelt = [page, encodeURI(page), `${encodeURI(page)}/`, `${encodeURI(page)}/index.html`, `/world//./x/../${encodeURI(page.slice(7))}`,
    `${encodeURI(page)}?utm_source=x`, `${encodeURI(page)}#top`, page.normalize('NFD'), encodeURI(page.normalize('NFD'))];
  const ids = [];
  for (const one of spelt) ids.push(await published({ page: one }));
  assert.deepEqual(json(page).replies.map(({ id }) => id), ids);
  const threads = it.sql('SELECT DISTINCT thread_id AS t FROM reply WHERE id IN (' + ids.join(',') + ')');
  assert.equal(threads.length, 1);
  for (const one of spelt.slice(1, 5)) {
    const uri = `/comments/threads${one.replace(/\/$/, '')}/~/thread.json`;
    const answer = await it.reader({ uri });
    assert.equal(answer.status, 200, uri);
    assert.equal(answer.json().count, ids.length, `${uri} is the content itself`);
  }
});

test('a page key makes a page of its own, an other query key none', async () => {
  const a = await published({ page: '/index.php?p=1' }), b = await published({ page: '/index.php?utm=9&p=2' }), c = await published({ page: '/index.php?utm=9' });
  const ids = (segment) => JSON.parse(fs.readFileSync(path.join(it.public, 'main/threads/index.php', segment, '~/thread.json'), 'utf8')).replies.map(({ id }) => id);
  assert.deepEqual([ids('p=1'), ids('p=2'), ids('')], [[a], [b], [c]]);
});

test('files are 0664 and folders 2775, whatever the umask', async () => {
  await it.stop('moderator');
  await it.start('moderator', { wrap: ['sh', '-c', 'umask 077; exec "$0" "$@"'] });
  const page = `/deep/${fresh()}/er`;
  await published({ page });
  const tree = path.join(it.public, 'main', 'threads');
  for (const name of ['thread.html', 'thread.json', 'feed.xml']) {
    assert.equal((fs.statSync(it.threadFile(page, name)).mode & 0o7777).toString(8), '664', name);
  }
  for (let folder = path.dirname(it.threadFile(page)); folder.startsWith(tree); folder = path.dirname(folder)) {
    assert.equal((fs.statSync(folder).mode & 0o7777).toString(8), '2775', folder);
  }
});

test('a link planted in the tree leads nowhere', async () => {
  const outside = path.join(it.dir, 'outside');
  fs.mkdirSync(outside);
  const n = fresh();
  fs.symlinkSync(outside, path.join(it.public, 'main', 'threads', `planted-${n}`));
  const { id } = await it.post({ page: `/planted-${n}/x` });
  const answer = await moderator.approve(id);
  assert.ok([303, 503, 500].includes(answer.status));
  await sleep(300);
  assert.deepEqual(fs.readdirSync(outside), [], 'nothing outside');
  fs.rmSync(path.join(it.public, 'main', 'threads', `planted-${n}`));
  await until(() => fs.existsSync(it.threadFile(`/planted-${n}/x`)), 'the page once the link is gone');
  const target = path.join(outside, 'target');
  fs.writeFileSync(target, 'mine');
  const page = freshPage();
  await published({ page });
  fs.rmSync(it.threadFile(page));
  fs.symlinkSync(target, it.threadFile(page));
  await published({ page });
  assert.equal(fs.readFileSync(target, 'utf8'), 'mine', 'a link in place of a file is replaced, not followed');
  assert.equal((await moderator.get()).status, 200, 'the door is well');
});

test('what was decided but not published is published at the next start', async () => {
  const page = freshPage();
  const first = await published({ page });
  const { id } = await it.post({ page, comment: 'Decided, and then the lights went out.' });
  // The folder refuses, as if the program had died between decision and publication.
  const folder = path.dirname(it.threadFile(page));
  fs.rmSync(folder, { recursive: true });
  fs.writeFileSync(folder, 'in the way');
  await moderator.approve(id);
  assert.equal(it.sql(`SELECT state FROM reply WHERE id = ${id}`)[0].state, 'published', 'the decision stands');
  assert.equal(it.sql('SELECT count(*) AS n FROM publication p JOIN thread t ON t.id = p.thread_id WHERE t.page = ' + `'${page}'`)[0].n, 1, 'and is remembered');
  await it.stop('moderator', 'SIGKILL');
  fs.rmSync(folder);
  await it.start('moderator');
  await until(() => json(page).replies.length === 2, 'the files');
  assert.deepEqual(json(page).replies.map((one) => one.id), [first, id]);
  await until(() => it.sql(`SELECT count(*) AS n FROM publication p JOIN thread t ON t.id = p.thread_id WHERE t.page = '${page}'`)[0].n === 0, 'nothing lags');
});

test('a failed publication is tried again while the door runs', async () => {
  const page = freshPage();
  await published({ page });
  const folder = path.dirname(it.threadFile(page));
  fs.rmSync(folder, { recursive: true });
  fs.writeFileSync(folder, 'in the way');
  const { id } = await it.post({ page });
  await moderator.approve(id);
  fs.rmSync(folder);
  await until(() => json(page).replies.length === 2, 'the files');
});

test('`rejoinder publish --all` makes lost files anew', async () => {
  const page = freshPage();
  await published({ page });
  const before = ['thread.html', 'thread.json', 'feed.xml'].map((name) => it.thread(page, name));
  fs.rmSync(path.dirname(it.threadFile(page)), { recursive: true });
  await sleep(1100); // no second of its own may show in them: readers' feeds would tell of news
  it.mustCli(['publish', '--all']);
  assert.deepEqual(['thread.html', 'thread.json', 'feed.xml'].map((name) => it.thread(page, name)), before);
});

test('no header of whoever decides changes a byte of what is published', async () => {
  const texts = [];
  const { id } = await it.post({ page: freshPage() });
  const { page } = it.sql(`SELECT t.page FROM reply r JOIN thread t ON t.id = r.thread_id WHERE r.id = ${id}`)[0];
  for (const headers of [{}, { Host: 'evil.example', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'gopher', 'Accept-Language': 'ru', 'User-Agent': 'evil' }]) {
    const { form, reply } = await moderator.decisionForm(id);
    const rest = form.controls.filter((c) => c.type === 'hidden' && !['reply', 'state'].includes(c.name)).map((c) => [c.name, c.value]);
    await moderator.submit(form.action, [...rest, ['reply', reply], ['state', 'published']], headers);
    texts.push(it.thread(page), it.thread(page, 'feed.xml').replace(/<(updated|published)>[^<]*/g, ''));
    await moderator.decide(id, 'held', 'published');
  }
  assert.equal(texts[0], texts[2]);
  assert.equal(texts[1], texts[3]);
  assert.ok(!texts.join('').includes('evil'));
  assert.ok(texts[1].includes(BASE));
});

test('whoever may write beside the store keeps no moderator waiting', async () => {
  const page = freshPage(), { id } = await it.post({ page });
  const lock = it.sql(`SELECT id FROM thread WHERE page = '${page}'`)[0].id % 64;
  const holder = begin('flock', [`${it.database}.lock${lock}`, 'sh', '-c', 'echo held; exec sleep 60']);
  await until(() => holder.stdoutText === 'held\n', 'the lock is held');
  const answer = await Promise.race([moderator.approve(id), sleep(10000)]);
  holder.kill('SIGKILL');
  assert.equal(answer?.status, 303, 'the decision waited for a lock that the public door can hold');
  assert.equal(json(page).count, 1);
});
