// Whatever is decided in whatever order, the files show the same replies: those that are published and
// hang on none that is not.  Random trees, random decisions, and an oracle that knows nothing of ours
// but the replies' states.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { signedIn } from '../lib/browserless.mjs';
import { makeInstance, random, randomBelow, tellSeed } from '../lib/instance.mjs';

const STATES = ['held', 'published', 'spam', 'trash'];
const ROOTS = 100, DEPTH = 5;
let it, moderator;

before(async () => {
  tellSeed();
  it = await makeInstance({ doors: ['reader'] });
  it.addModerator('editor', 'a steppe is not a step');
  await it.start('moderator');
  moderator = await signedIn(it);
});
after(() => it?.tidy());

// --- the oracle ----------------------------------------------------------------------------------

// What must be seen: replies by id, in the order of their ids, each with its root and depth.
function oracle() {
  const all = new Map();
  const shown = [];
  for (const row of it.sql('SELECT reply.id, parent_id, state, page_number, published_at, thread.page FROM reply JOIN thread ON thread.id = thread_id ORDER BY reply.id')) {
    const parent = row.parent_id === null ? undefined : all.get(row.parent_id);
    row.shown = row.state === 'published' && (row.parent_id === null || parent.shown);
    row.depth = parent === undefined ? 1 : parent.depth + 1;
    row.root = parent === undefined ? row : parent.root;
    all.set(row.id, row);
    if (row.shown) shown.push(row);
  }
  return shown;
}

// --- what the files say --------------------------------------------------------------------------

const text = (...names) => fs.readFileSync(path.join(it.public, 'main', ...names), 'utf8');
const ids = (replies) => replies.map(({ id }) => Number(id));

// The articles of a page in the order of the file, with how deep they stand.
function articles(html) {
  const found = [];
  let depth = 0;
  for (const [tag, id] of html.matchAll(/<ol\b|<\/ol>|<article id="reply-(\d+)"/g)) {
    if (tag === '<ol') depth += 1;
    else if (tag === '</ol>') depth -= 1;
    else found.push({ id: Number(id), depth });
  }
  return found;
}

// The order in which a page shows its replies: each with its answers below it, oldest first.
function inOrder(rows) {
  const under = new Map();
  const walk = (row) => [row, ...(under.get(row.id) ?? []).flatMap(walk)];
  for (const row of rows) {
    let parent = row.parent_id;
    if (row.depth > DEPTH) {
      let up = rows.find(({ id }) => id === row.parent_id);
      while (up.depth >= DEPTH) up = rows.find(({ id }) => id === up.parent_id);
      parent = up.id;
    }
    under.set(parent, [...(under.get(parent) ?? []), row]);
  }
  return (under.get(null) ?? []).flatMap(walk);
}

function compareThread(page, rows, pages) {
  for (let number = 1; number <= pages; number++) {
    const here = rows.filter(({ root }) => root.page_number === number);
    const json = JSON.parse(it.thread(page, number === 1 ? 'thread.json' : `thread.${number}.json`));
    assert.deepEqual(ids(json.replies), here.map(({ id }) => id), `${page}: JSON of page ${number}`);
    if (number === 1) assert.equal(json.count, rows.length, `${page}: count`);
    const seen = articles(it.thread(page, number === 1 ? 'thread.html' : `page.${number}.html`));
    assert.deepEqual(seen, inOrder(here).map(({ id, depth }) => ({ id, depth: Math.min(depth, DEPTH) })), `${page}: HTML of page ${number}`);
  }
  const feed = [...it.thread(page, 'feed.xml').matchAll(/<id>[^<]*#reply-(\d+)<\/id>/g)].map(([, id]) => Number(id));
  assert.deepEqual(feed, newest(rows).map(({ id }) => id), `${page}: feed`);
}
const newest = (rows) => [...rows].sort((a, b) => b.published_at - a.published_at || b.id - a.id).slice(0, 50);

function compare() {
  it.sql("UPDATE job SET due_at = 1, done_at = 0 WHERE kind = 'overview'");
  it.mustCli(['work']);
  while (it.sql("SELECT count(*) AS n FROM job WHERE lease_by <> ''")[0].n > 0);
  const shown = oracle();
  assert.deepEqual(it.sql('SELECT id FROM reply WHERE shown = 1 ORDER BY id').map(({ id }) => id), shown.map(({ id }) => id), 'what the store keeps of it');
  const counts = {};
  for (const { page, roots } of it.sql('SELECT page, roots FROM thread')) {
    const rows = shown.filter((row) => row.page === page);
    if (rows.length > 0) counts[page] = rows.length;
    if (fs.existsSync(it.threadFile(page))) compareThread(page, rows, Math.max(1, Math.ceil(roots / ROOTS)));
    else assert.equal(rows.length, 0, `${page} has no file`);
  }
  assert.deepEqual(JSON.parse(text('counts.json')), counts);
  const latest = newest(shown).map(({ id }) => id);
  assert.deepEqual(ids(JSON.parse(text('latest.json')).replies), latest);
  assert.deepEqual([...text('latest.html').matchAll(/href="[^"]*#reply-(\d+)"/g)].map(([, id]) => Number(id)), latest);
  assert.deepEqual([...text('feed.xml').matchAll(/<id>[^<]*#reply-(\d+)<\/id>/g)].map(([, id]) => Number(id)), latest);
  const trending = JSON.parse(text('trending.json')).pages;
  assert.deepEqual(Object.fromEntries(trending.map(({ page, count }) => [page, count])), counts, 'all were published within a week');
  assert.deepEqual(trending.map(({ count }) => count), trending.map(({ count }) => count).sort((a, b) => b - a));
  // Every address leads to a page that has the reply.
  for (const { id, page, url } of JSON.parse(text('latest.json')).replies) {
    const [file, anchor] = decodeURI(url).split('#');
    const html = file === page ? it.thread(page) : fs.readFileSync(path.join(it.public, 'main', file.replace('/comments/', '')), 'utf8');
    assert.ok(html.includes(`id="${anchor}"`), `${url} of reply ${id}`);
  }
}

// --- what happens --------------------------------------------------------------------------------

const pages = ['/tree/a', '/tree/b', '/tree/c'];

// As a reader would, but past the form: only what is shown may be answered.
async function grow(n) {
  for (let i = 0; i < n; i++) {
    const page = pages[randomBelow(pages.length)];
    const open = it.sql(`SELECT reply.id FROM reply JOIN thread ON thread.id = thread_id WHERE page = '${page}' AND shown = 1 ORDER BY reply.id DESC LIMIT 12`);
    const parent = open.length > 0 && random() < 0.75 ? String(open[randomBelow(open.length)].id) : undefined;
    await it.post({ page, parent });
  }
}

// Some replies, all of one state, get another one, in one decision.
async function decide(token) {
  const from = STATES[randomBelow(STATES.length)];
  const to = random() < 0.5 ? 'published' : STATES[randomBelow(STATES.length)];
  const rows = it.sql(`SELECT id, revision FROM reply WHERE state = '${from}' ORDER BY random() LIMIT ${1 + randomBelow(6)}`);
  if (rows.length === 0) return;
  const fields = [['token', token], ['state', to], ...rows.map(({ id, revision }) => ['reply', `${id}:${revision}`])];
  const answer = await moderator.submit('/comments/moderate/decide', fields);
  assert.equal(answer.status, 303, answer.text);
}

test('random trees and decisions: every file shows what is published and hangs on nothing hidden', async () => {
  const { text: queue } = await moderator.get();
  const token = /name="token" value="([^"]*)"/.exec(queue)[1];
  for (let round = 0; round < 6; round++) {
    await grow(12);
    for (let i = 0; i < 8; i++) await decide(token);
    compare();
  }
});

test('hiding and showing one root takes all below it along', async () => {
  const { text: queue } = await moderator.get();
  const token = /name="token" value="([^"]*)"/.exec(queue)[1];
  let parent;
  const chain = [];
  for (let i = 0; i < 9; i++) {
    const { id } = await it.post({ page: '/tree/chain', parent });
    assert.equal((await moderator.approve(id)).status, 303);
    chain.push(id);
    parent = id;
  }
  compare();
  for (const id of [chain[0], chain[4], chain[0], chain[8], chain[4]]) {
    const { state, revision } = it.sql(`SELECT state, revision FROM reply WHERE id = ${id}`)[0];
    const to = state === 'published' ? 'trash' : 'published';
    await moderator.submit('/comments/moderate/decide', [['token', token], ['state', to], ['reply', `${id}:${revision}`]]);
    compare();
  }
});
