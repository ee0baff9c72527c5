// Group commit from outside: readers who post at once share transactions, and whoever decides meanwhile
// waits for none of them for long.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Moderator, forms, signedIn } from '../lib/browserless.mjs';
import { makeInstance, tellSeed } from '../lib/instance.mjs';

const READERS = 64, POSTS = 6, AGAIN = 16, DECISIONS = 40;
const SLOWEST = 5000; // ms; far above any honest one, below what a starved writer waits
let it, moderator;

before(async () => {
  tellSeed();
  it = await makeInstance({ doors: ['reader'] });
  it.addModerator('editor', 'a steppe is not a step');
  await it.start('moderator');
  moderator = await signedIn(it);
});
after(() => it?.tidy());

async function timed(times, work) {
  const begun = process.hrtime.bigint();
  const result = await work();
  times.push(Number(process.hrtime.bigint() - begun) / 1e6);
  return result;
}
function percentile(times, p) {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * p) / 100))];
}
const told = (times) => `p50 ${percentile(times, 50).toFixed(1)} ms, p99 ${percentile(times, 99).toFixed(1)} ms, slowest ${Math.max(...times).toFixed(1)} ms`;

// One after the other, as one person's browser does; some are sent again.
async function readerPosts(reader, acknowledged, times) {
  for (let i = 0; i < POSTS; i++) {
    const json = it.goodReply({ page: `/world/rush-${(reader + i) % 5}` });
    const send = () => it.reader({ uri: '/comments/reply', json, accept: 'application/json', timeout: 30000 });
    const answer = await timed(times, send);
    assert.equal(answer.status, 201, answer.text);
    const first = answer.json();
    acknowledged.set(first.id, json);
    if (reader >= AGAIN) continue;
    const again = await send();
    assert.ok([200, 201].includes(again.status), again.text);
    assert.equal(again.json().receipt, first.receipt);
  }
}

// Back and forth with the same replies, so that each decision writes; by its own revision, without the queue.
async function moderatorDecides(ids, isOver, times) {
  const { form } = await moderator.decisionForm(ids[0]);
  const rest = Moderator.rest(form);
  const revisions = new Map(ids.map((id) => [id, 1]));
  let n = 0;
  for (; n < DECISIONS || !isOver(); n++) {
    const id = ids[n % ids.length], revision = revisions.get(id);
    const fields = [...rest, ['reply', `${id}:${revision}`], ['state', revision % 2 ? 'published' : 'held']];
    const answer = await timed(times, () => moderator.submit(form.action, fields));
    assert.equal(answer.status, 303, `decision ${n}: ${answer.status}`);
    revisions.set(id, revision + 1);
  }
  return { revisions, n };
}

test(`a moderator decides while ${READERS} readers post: nobody fails, nobody starves, each reply is stored once`, async () => {
  const ids = [];
  for (let i = 0; i < 8; i++) ids.push((await it.post({ page: '/world/decided' })).id);
  const acknowledged = new Map(), posts = [], decisions = [];
  let over = false;
  const deciding = moderatorDecides(ids, () => over, decisions);
  const reading = Promise.all(Array.from({ length: READERS }, (_, reader) => readerPosts(reader, acknowledged, posts))).finally(() => { over = true; });
  const [, { revisions, n }] = await Promise.all([reading, deciding]);
  console.log(`group: ${posts.length} posts by ${READERS} readers: ${told(posts)}`);
  console.log(`group: ${n} decisions meanwhile, published each: ${told(decisions)}`);

  const stored = it.sql("SELECT id, name, comment FROM reply WHERE thread_id IN (SELECT id FROM thread WHERE page LIKE '/world/rush-%')");
  assert.equal(stored.length, READERS * POSTS, 'each once');
  assert.equal(new Set(stored.map(({ comment }) => comment)).size, stored.length);
  for (const { id, name, comment } of stored) {
    const sent = acknowledged.get(String(id));
    assert.deepEqual({ name, comment }, { name: sent?.name, comment: sent?.comment }, `reply ${id}`);
  }
  for (const [id, revision] of revisions) assert.equal(it.sql(`SELECT revision FROM reply WHERE id = ${id}`)[0].revision, revision);
  assert.equal(it.sql('SELECT count(*) AS n FROM decision')[0].n, n);
  const tallies = it.sql('SELECT state, n FROM tally WHERE n > 0 ORDER BY state');
  assert.deepEqual(tallies, it.sql('SELECT state, count(*) AS n FROM reply GROUP BY state ORDER BY state'));
  assert.ok(Math.max(...decisions) < SLOWEST, 'the moderator waited too long');
  assert.ok(Math.max(...posts) < SLOWEST, 'a reader waited too long');
  const { status, stdout, stderr } = it.cli(['check']);
  assert.equal(status, 0, stdout + stderr);
});

test('what the moderator sees meanwhile is a page, not an error', async () => {
  const reading = Promise.all(Array.from({ length: READERS }, () => it.post({ page: '/world/seen' })));
  for (let i = 0; i < 5; i++) {
    const page = await moderator.get();
    assert.equal(page.status, 200);
    assert.ok(forms(page.text).some((form) => form.action.endsWith('/decide')));
  }
  assert.equal(new Set((await reading).map(({ id }) => id)).size, READERS);
});
