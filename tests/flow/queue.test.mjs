// The moderators' queue without JavaScript: what it shows, what each action does to each state, answers and
// changes of moderators, and two who decide at once.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { Moderator, QUEUE, byId, decode, describedBy, element, elements, fieldOf, fieldsOf, forms, replies, signedIn, tags, textOf } from '../lib/browserless.mjs';
import { BASE, makeInstance, tellSeed } from '../lib/instance.mjs';
import { readTable } from './table.mjs';

const PASSWORD = 'a steppe is not a step';
let it, moderator, second;

before(async () => {
  tellSeed();
  it = await makeInstance({ site: { listed_words: ['casino'] }, doors: [] });
  for (const name of ['editor', 'second']) it.addModerator(name, PASSWORD);
  await it.start('reader');
  await it.start('moderator');
  moderator = await signedIn(it);
  second = await signedIn(it, 'second', PASSWORD);
});
after(() => it?.tidy());

let n = 0;
const freshPage = () => `/world/queue-${++n}`;
const row = (id) => it.sql(`SELECT * FROM reply WHERE id = ${id}`)[0];
const path = (answer) => answer.header('Location').replace(BASE, '');
const follow = (who, answer) => who.get(path(answer).replace(/#.*/, ''));
const statusOf = (html) => textOf(elements(html, (tag) => tag.attributes.role === 'status')[0]?.inner ?? '').replace(/[\u2068\u2069]/g, '');
const ids = (html) => replies(html).map(({ id }) => Number(id));
const see = async (query, who = moderator) => (await who.get(`${QUEUE}?${query}`)).text;
const linkTo = (html, text) => {
  const link = elements(html, (tag) => tag.name === 'a').find(({ inner }) => textOf(inner) === text);
  return link && decode(link.tag.attributes.href);
};
const counts = () => {
  const kept = Object.fromEntries(it.sql('SELECT state, n FROM tally').map((one) => [one.state, one.n]));
  const real = Object.fromEntries(it.sql('SELECT state, count(*) AS n FROM reply GROUP BY state').map((one) => [one.state, one.n]));
  for (const state of new Set([...Object.keys(kept), ...Object.keys(real)])) assert.equal(kept[state] ?? 0, real[state] ?? 0, `tally of ${state}`);
};
const well = () => {
  const check = it.cli(['check']);
  assert.doesNotMatch(`${check.stdout}${check.stderr}`, /content|damage|lags|differs/i);
};

// The form of a page in which a moderator writes.
async function penForm(who, uri) {
  const page = await who.get(uri);
  assert.equal(page.status, 200, `${uri}: ${textOf(page.text)}`);
  return { page, form: forms(page.text).find((one) => one.attributes.class === 'pen') };
}
const withFields = (form, values) => fieldsOf(form).map(([name, value]) => [name, values[name] ?? value]);
async function answer(who, id, comment, query = '') {
  const { form } = await penForm(who, `${QUEUE}reply/${id}/answer${query}`);
  return who.submit(form.action, withFields(form, { comment }));
}
async function edit(who, id, values, query = '') {
  const { form } = await penForm(who, `${QUEUE}reply/${id}/edit${query}`);
  return who.submit(form.action, withFields(form, values));
}

describe('each state and each action', () => {
  const to = { approve: 'published', unapprove: 'held', spam: 'spam', trash: 'trash' };
  const published = (page) => it.sql(`SELECT published FROM thread WHERE page = '${page}'`)[0].published;

  // A reply in the state `from` with a published answer below it; `under` where it hangs on a held one.
  async function prepare(from, page) {
    const email = `state${++n}@example.org`;
    const top = await it.post({ page, email });
    await moderator.approve(top.id);
    const middle = from === 'hidden' ? await it.post({ page, parent: top.id, comment: 'In the middle of it' }) : top;
    if (from === 'hidden') {
      const last = await moderator.approve(middle.id);
      await moderator.decide(top.id, 'held', 'published');
      return { ...middle, last };
    }
    const below = await it.post({ page, parent: top.id });
    await moderator.approve(below.id);
    if (from === 'published') {
      await moderator.decide(top.id, 'held', 'published');
      return { ...top, last: await moderator.decide(top.id, 'published', 'held') };
    }
    let last = await moderator.decide(top.id, 'held', 'published');
    if (from === 'spam' || from === 'trash') last = await moderator.decide(top.id, from, 'held');
    // Whose page with «Undo» was there before it was withdrawn; afterwards there is no button.
    let seen;
    if (from === 'withdrawn') {
      seen = await follow(moderator, last);
      const form = forms((await it.reader({ uri: top.receipt })).text).find((one) => one.action.endsWith('/withdraw'));
      await it.reader({ uri: form.action, form: fieldsOf(form) });
    }
    return { ...top, last, seen };
  }

  async function act(action, one) {
    const { revision } = row(one.id);
    const token = fieldsOf(forms((await moderator.get()).text).find((form) => form.action.endsWith('/sign-out')));
    if (to[action]) return moderator.submit(`${QUEUE}decide`, [...token, ['reply', `${one.id}:${revision}`], ['state', to[action]]]);
    if (action === 'answer') return moderator.submit(`${QUEUE}answer`, [...token, ['reply', `${one.id}:${revision}`], ['comment', 'The house answers.'], ['key', `house-${one.id}`]]);
    if (action === 'edit') return moderator.submit(`${QUEUE}edit`, [...token, ['reply', `${one.id}:${revision}`], ['comment', 'Words of the house'], ['name', 'Somebody'], ['website', '']]);
    const { text } = one.seen ?? await follow(moderator, one.last);
    const form = forms(element(text, (tag) => tag.attributes.class === 'done').inner)[0];
    return moderator.submit(form.action, [...fieldsOf(form), ...form.controls.filter((c) => c.kind === 'button').map((c) => [c.name, c.value])]);
  }

  for (const one of readTable(new URL('state.table', import.meta.url))) {
    test(`${one.from}: ${one.action}`, async () => {
      const page = freshPage();
      const reply = await prepare(one.from, page);
      const was = row(reply.id), shown = published(page);
      const rowsOfLog = () => it.sql("SELECT count(*) AS n FROM decision WHERE action <> 'withdraw'")[0].n;
      const log = rowsOfLog();
      const got = await act(one.action, reply);
      assert.equal(got.status, Number(one.code), textOf(got.text).slice(0, 300));
      const now = row(reply.id);
      assert.equal(now.state, one.to);
      assert.equal(published(page) - shown, Number(one.shown), 'replies shown');
      counts();
      const changed = now.state !== was.state || (one.action === 'edit' && one.code === '303');
      assert.equal(now.revision, was.revision + (changed ? 1 : 0), 'revision');
      const rows = rowsOfLog() - log;
      assert.equal(rows, (changed ? 1 : 0) + (one.action === 'answer' && one.code === '303' ? 1 : 0), 'rows of the log');
      const file = it.thread(page);
      assert.equal(file.includes(`id="reply-${reply.id}"`), one.file === 'yes', 'in thread.html');
      if (one.action === 'edit' && one.code === '303') assert.equal(file.includes('Words of the house'), one.file === 'yes');
      assert.deepEqual(it.sql('SELECT * FROM publication'), [], 'nothing lags');
    });
  }

  test('and the store is well afterwards', () => {
    counts();
    well();
  });
});

describe('filters', () => {
  const all = [];
  before(async () => {
    const page = '/filters/a';
    const make = async (kind, fields) => all.push({ id: Number((await it.post({ website: '', ...fields })).id), ...kind });
    const known = 'filter-known@example.org';
    await moderator.approve((await it.post({ email: known, page: '/filters/known' })).id);
    for (let i = 0; i < 12; i++) {
      const on = i % 2 === 0 ? page : '/filters/b';
      const links = i % 3 === 0, first = i % 4 !== 0;
      await make({ on, links, first, word: i === 6 }, { page: on, email: first ? `first${i}@example.org` : known,
        comment: `Filtered number ${i}${links ? ' see https://a.example/' : ''}${i === 6 ? ' casino' : ''}` });
    }
  });
  const wanted = (fits) => all.filter(fits).map(({ id }) => id).reverse();

  test('by page, in any spelling', async () => {
    assert.deepEqual(ids(await see('page=/filters/a')), wanted((one) => one.on === '/filters/a'));
    assert.deepEqual(ids(await see(`page=${encodeURIComponent('/filters//./b/index.html')}`)), wanted((one) => one.on === '/filters/b'));
  });
  test('a page without replies, or none at all, is told', async () => {
    for (const page of ['/filters/none', 'filters', 'ftp://localhost:8080/']) {
      const text = await see(`page=${encodeURIComponent(page)}`);
      assert.deepEqual(ids(text), []);
      assert.match(textOf(text), /which has no replies/, page);
    }
  });
  test('an address as a browser has it, with a query and a fragment; one of another site is told', async () => {
    const here = wanted((one) => one.on === '/filters/a');
    for (const typed of [`${BASE}/filters/a`, `${BASE}/filters/a/?utm=1&x=2#reply-7`, ` ${BASE.toUpperCase()}/filters/%61/index.html `, 'localhost:8080/filters/a/', `${BASE.replace('http:', 'https:')}/filters//a`, `${BASE}/comments/threads/filters/a/~/page.2.html#reply-9`]) {
      const text = await see(`page=${encodeURIComponent(typed)}`);
      assert.deepEqual(ids(text), here, typed);
      assert.equal(fieldOf(forms(text).find((one) => one.attributes.class === 'filter'), 'page').value, '/filters/a', typed);
    }
    for (const typed of ['https://x.example/filters/a', `${BASE}0/filters/a`, `${BASE}.example/filters/a`]) {
      const text = await see(`page=${encodeURIComponent(typed)}`);
      assert.deepEqual(ids(text), []);
      assert.match(textOf(text), /which is not an address of this site/, typed);
      const clear = element(text, (tag) => tag.attributes.class === 'clear').tag;
      assert.equal(decode(clear.attributes.href), `${QUEUE}?state=held`);
    }
    assert.equal((await moderator.get(`${QUEUE}log?page=${encodeURIComponent(`${BASE}/filters/a#x`)}`)).status, 200);
    assert.equal((await moderator.get(`${QUEUE}log?page=${encodeURIComponent('https://x.example/filters/a')}`)).status, 422);
  });
  test('by links, first replies and reasons', async () => {
    assert.deepEqual(ids(await see('links=1&most=200')).filter((id) => all.some((one) => one.id === id)), wanted((one) => one.links));
    assert.deepEqual(ids(await see('first=1&most=200')).filter((id) => all.some((one) => one.id === id)), wanted((one) => one.first));
    assert.deepEqual(ids(await see('reason=word&most=200')), wanted((one) => one.word));
    assert.deepEqual(ids(await see('reason=first&most=200')), ids(await see('first=1&most=200')));
  });
  test('all together', async () => {
    assert.deepEqual(ids(await see('page=/filters/a&links=1&first=1')), wanted((one) => one.on === '/filters/a' && one.links && one.first));
    assert.deepEqual(ids(await see('page=/filters/a&links=1&first=1&reason=word&order=oldest')), wanted((one) => one.word && one.first && one.links));
  });
  test('each filter that is set can be taken away', async () => {
    const text = await see('page=/filters/a&links=1&first=1&reason=word');
    const clear = elements(text, (tag) => tag.attributes.class === 'clear').map(({ tag }) => decode(tag.attributes.href));
    assert.equal(clear.length, 4);
    for (const [i, gone] of ['page=', 'reason=', 'links=', 'first='].entries()) {
      assert.ok(!clear[i].includes(gone), clear[i]);
      assert.equal(clear[i].split('&').length, 4, 'the others stay');
      assert.equal((await moderator.get(clear[i])).status, 200);
    }
  });
  test('the form shows what is set, and leads there', async () => {
    const text = await see('page=/filters/a&links=1&reason=word&order=oldest&most=20');
    const form = forms(text).find((one) => one.attributes.class === 'filter');
    assert.equal(form.method, 'get');
    assert.deepEqual(Object.fromEntries(fieldsOf(form)), { state: 'held', page: '/filters/a', reason: 'word', links: '1', order: 'oldest', most: '20' });
    const again = await moderator.get(`${form.action}?${new URLSearchParams(fieldsOf(form))}`);
    assert.deepEqual(ids(again.text), ids(text));
    const empty = await moderator.get(`${form.action}?state=held&page=&reason=&order=newest&most=50&before=&after=`);
    assert.equal(empty.status, 200);
  });
  test('another state is seen through the same filters, from its beginning', async () => {
    const set = 'page=/filters/a&links=1&first=1&reason=word&order=oldest&most=20';
    const text = await see(`state=held&${set}&before=999999`);
    const tabs = elements(element(text, (tag) => tag.attributes.class === 'tabs').inner, (tag) => tag.name === 'a').map(({ tag }) => decode(tag.attributes.href));
    assert.deepEqual(tabs, ['held', 'published', 'spam', 'trash'].map((state) => `${QUEUE}?state=${state}&${set}`));
    for (const uri of tabs) assert.equal((await moderator.get(uri)).status, 200);
    const plain = elements(element(await see('state=held'), (tag) => tag.attributes.class === 'tabs').inner, (tag) => tag.name === 'a').map(({ tag }) => decode(tag.attributes.href));
    assert.deepEqual(plain, ['held', 'published', 'spam', 'trash'].map((state) => `${QUEUE}?state=${state}`));
  });
  test('nonsense is 404', async () => {
    for (const query of ['reason=x', 'links=yes', 'first=2', 'order=up', 'most=7', 'most=1000000', 'before=-1', 'before=0', 'after=x', 'all=2', 'page=/a&page=/b']) {
      assert.equal((await moderator.get(`${QUEUE}?${query}`)).status, 404, query);
    }
  });
  test('a decision keeps filters, order and place', async () => {
    const query = 'state=held&page=/filters/b&order=oldest&most=20';
    const text = await see(query);
    const [one, next] = ids(text);
    const form = forms(text).find((f) => f.attributes.class === 'decide' && fieldOf(f, 'reply').value.startsWith(`${one}:`));
    const back = await moderator.submit(form.action, [...fieldsOf(form), ['state', 'spam']]);
    assert.equal(back.status, 303);
    assert.ok(path(back).startsWith(`${QUEUE}?${query}&`), path(back));
    assert.ok(path(back).endsWith(`#reply-${next}`), path(back));
    assert.deepEqual(ids((await follow(moderator, back)).text), ids(text).slice(1));
    await moderator.decide(one, 'held', 'spam');
  });
  test('the page of an article with a strange name', async () => {
    const page = '/filters/100%25 sure%3F#x';
    const { id } = await it.post({ page: '/filters/100%25 sure%3F' });
    const [{ page: stored }] = it.sql(`SELECT page FROM thread JOIN reply ON reply.thread_id = thread.id WHERE reply.id = ${id}`);
    assert.equal(stored, '/filters/100% sure?');
    const text = await see(`page=${encodeURIComponent(page)}`);
    assert.deepEqual(ids(text), [Number(id)]);
    const form = forms(text).find((one) => one.attributes.class === 'filter');
    assert.deepEqual(ids((await moderator.get(`${form.action}?${new URLSearchParams(fieldsOf(form))}`)).text), [Number(id)]);
    const decide = forms(text).find((f) => f.attributes.class === 'decide');
    const again = await moderator.get(fieldOf(decide, 'return').value);
    assert.deepEqual(ids(again.text), [Number(id)], 'what a decision returns to');
    // It is offered, too, and what is offered leads there; pages of other sites are not.
    it.sql(`INSERT INTO site (id, name) VALUES (77, 'elsewhere'); INSERT INTO thread (site_id, page, title, updated_at) VALUES (77, '/elsewhere', 'Elsewhere', 9999999999)`);
    const offered = elements(byId(await see('state=spam'), 'filter-pages').inner, (tag) => tag.name === 'option').map(({ tag }) => tag.attributes.value);
    assert.ok(offered.length > 1 && offered.length <= 30 && !offered.includes('/elsewhere'), offered.join());
    assert.equal(offered[0], '/filters/100%25%20sure%3F', 'what changed last is first');
    assert.deepEqual(ids(await see(`page=${encodeURIComponent(offered[0])}`)), [Number(id)]);
  });
});

describe('from page to page', () => {
  let other, who, made;
  before(async () => {
    other = await makeInstance({ doors: ['reader'] });
    other.addModerator('editor', PASSWORD);
    await other.start('moderator');
    who = await signedIn(other);
    await other.post({ page: '/bulk' });
    // Twelve thousand more of the same, every 1,500th of them with a link, every third on another page.
    other.sql(`WITH RECURSIVE i (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM i WHERE n < 12000)
      INSERT INTO reply (site_id, thread_id, state, name, comment, content_hash, reasons, created_at)
      SELECT 1, 1, 'held', 'Bulk ' || n, CASE WHEN n % 1500 = 0 THEN 'see https://x.example/' ELSE 'words' END, x'00', 'first', 1700000000 + n FROM i`);
    other.sql("UPDATE tally SET n = 12000 WHERE state = 'held'");
    made = other.sql("SELECT id FROM reply WHERE state = 'held' ORDER BY id").map(({ id }) => id);
  });
  after(() => other?.tidy());

  const walk = async (query, text, most = 100) => {
    const pages = [];
    for (let uri = `${QUEUE}?${query}`; uri !== undefined && pages.length < most; uri = linkTo(pages.at(-1), text)) pages.push((await who.get(uri)).text);
    return pages;
  };

  test('older and newer lead to and fro, in both orders', async () => {
    for (const [order, on, back] of [['newest', 'Older', 'Newer'], ['oldest', 'Newer', 'Older']]) {
      const forth = await walk(`order=${order}&most=20`, on, 5);
      const seen = forth.map(ids);
      const all = order === 'newest' ? [...made].reverse() : made;
      assert.deepEqual(seen.flat(), all.slice(0, 100));
      let text = forth.at(-1);
      for (const page of seen.slice(0, -1).reverse()) {
        text = (await who.get(linkTo(text, back))).text;
        assert.deepEqual(ids(text), page, `${order}: back`);
      }
      const start = linkTo(forth.at(-1), order === 'newest' ? 'Newest' : 'Oldest');
      assert.deepEqual(ids((await who.get(start)).text), seen[0]);
      assert.equal(linkTo(forth[0], back), undefined, 'nothing before the first page');
    }
  });
  test('two hundred on a page come whole, in more records than one call writes', async () => {
    const page = await who.get(`${QUEUE}?most=200`);
    assert.ok(page.body.length > 4 * 65528, `${page.body.length} bytes`);
    assert.equal(Number(page.header('Content-Length')), page.body.length);
    assert.deepEqual(ids(page.text), made.slice(-200).reverse());
    assert.match(page.text, /<\/html>\s*$/);
  });
  test('the last page leads no further', async () => {
    const text = (await who.get(`${QUEUE}?most=20&before=${made[15]}`)).text;
    assert.deepEqual(ids(text), made.slice(0, 15).reverse());
    assert.equal(linkTo(text, 'Older'), undefined);
  });
  test('a filter looks at 5,000, says how far it looked, and looks further', async () => {
    const pages = await walk('links=1', 'Look further');
    assert.equal(pages.length, 3);
    assert.deepEqual(pages.flatMap(ids), other.sql("SELECT id FROM reply WHERE comment LIKE '%://%' AND id % 1500 = 0 ORDER BY id DESC").map(({ id }) => id));
    assert.equal(pages.flatMap(ids).length, 8);
    assert.match(textOf(pages[0]), /5000 replies were looked at, as far as November/);
    assert.equal(linkTo(pages.at(-1), 'Look further'), undefined);
    const up = await walk('links=1&order=oldest', 'Look further');
    assert.deepEqual(up.flatMap(ids), pages.flatMap(ids).reverse());
  });
  test('with every box ticked, without a script', async () => {
    const uri = `${QUEUE}?state=held&most=20&before=${made[500]}`;
    const text = (await who.get(uri)).text;
    const form = forms(text).find((one) => one.id === 'select-all');
    assert.match(textOf(text), /Select all 20/);
    const ticked = (await who.get(`${form.action}?${new URLSearchParams(fieldsOf(form))}`)).text;
    assert.deepEqual(ids(ticked), ids(text));
    const selection = forms(ticked).find((one) => one.id === 'selection');
    const fields = fieldsOf(selection);
    assert.equal(fields.filter(([name]) => name === 'reply').length, 20);
    const back = await who.submit(selection.action, [...fields, ['state', 'trash']]);
    assert.equal(back.status, 303);
    const after = await follow(who, back);
    assert.match(statusOf(after.text), /20 replies moved to the trash/);
    assert.equal(other.sql("SELECT count(*) AS n FROM reply WHERE state = 'trash'")[0].n, 20);
    assert.equal(fieldsOf(forms(after.text).find((one) => one.id === 'selection')).filter(([name]) => name === 'reply').length, 0, 'nothing is ticked then');
    assert.ok(path(back).endsWith(`#reply-${made[479]}`), path(back));
  });
  test('who came from the other side stays with the next one', async () => {
    const text = (await who.get(`${QUEUE}?most=20&after=${made[1000]}`)).text;
    const least = ids(text).at(-1);
    const form = forms(text).find((f) => f.attributes.class === 'decide' && fieldOf(f, 'reply').value.startsWith(`${least}:`));
    const back = await who.submit(form.action, [...fieldsOf(form), ['state', 'trash']]);
    const next = Number(path(back).match(/#reply-(\d+)$/)[1]);
    assert.equal(next, made[1000]);
    assert.equal(ids((await follow(who, back)).text)[0], next);
  });
  test('the last of a place leads to the beginning', async () => {
    const text = (await who.get(`${QUEUE}?most=20&before=${made[1]}`)).text;
    assert.deepEqual(ids(text), [made[0]]);
    const form = forms(text).find((f) => f.attributes.class === 'decide');
    const back = await who.submit(form.action, [...fieldsOf(form), ['state', 'trash']]);
    assert.doesNotMatch(path(back), /before=|#/);
    assert.equal(ids((await follow(who, back)).text).length, 20);
  });
});

describe('what is said', () => {
  test('the status names the person, whoever it is', async () => {
    for (const name of ['Ann', 'דינה', '<b>Bo</b> & co']) {
      const { id } = await it.post({ name });
      const { text } = await follow(moderator, await moderator.approve(id));
      assert.equal(statusOf(text), `Approved. Undo ${name}’s reply.`);
      assert.doesNotMatch(text, /<b>Bo/);
    }
  });
  test('what goes with a reply, and comes again with it, is told', async () => {
    const page = freshPage();
    const { id } = await it.post({ page });
    await moderator.approve(id);
    for (let i = 0; i < 3; i++) await moderator.approve((await it.post({ page, parent: id })).id);
    const hidden = await follow(moderator, await moderator.decide(id, 'held', 'published'));
    assert.match(statusOf(hidden.text), /^Held again\. Undo .* Hidden with it: 3 replies that hang on it/);
    const shown = await follow(moderator, await moderator.approve(id));
    assert.match(statusOf(shown.text), /^Approved\. Undo .* Shown again with it: 3 replies/);
    const all = it.sql(`SELECT reply.id FROM reply JOIN thread ON thread.id = thread_id WHERE page = '${page}' ORDER BY reply.id`).map((one) => one.id);
    const together = await follow(moderator, await moderator.decide(all, 'trash', 'published'));
    assert.equal(statusOf(together.text), '4 replies moved to the trash. Undo', 'those that were chosen are not told twice');
  });
  test('of a selection what hangs on it is told once, whatever else was chosen; and so it is when that is undone', async () => {
    const page = freshPage(), below = async (parent) => { const { id } = await it.post({ page, parent }); await moderator.approve(id); return id; };
    const { id: top } = await it.post({ page }), { id: away } = await it.post({ page });
    await moderator.approve([top, away]);
    const one = await below(top), lost = await below(away);
    await below(one);
    await below(top);
    await moderator.decide(away, 'held', 'published');
    // `lost` is published, and nobody sees it: its going takes nothing away from the number.
    const hidden = await follow(moderator, await moderator.decide([top, lost, one], 'held', 'published'));
    assert.equal(statusOf(hidden.text), '3 replies held again. Undo Hidden with them: 2 replies that hang on them.');
    const undo = async (text) => {
      const form = forms(element(text, (tag) => tag.attributes.class === 'done').inner)[0];
      return follow(moderator, await moderator.submit(form.action, [...fieldsOf(form), ...form.controls.filter((c) => c.kind === 'button' && c.name).map((c) => [c.name, c.value])]));
    };
    const shown = await undo(hidden.text);
    assert.equal(statusOf(shown.text), 'Undone for 3 replies. 1 of them is not shown yet: something above it is not published. Undo Shown again with them: 2 replies that hang on them.');
    assert.match(statusOf((await undo(shown.text)).text), /^Undone for 3 replies\. Undo Hidden with them: 2 replies/);
    assert.match(statusOf((await follow(moderator, await moderator.approve(top))).text), /^Approved\. Undo .* Shown again with it: 1 reply that hangs on it/);
  });
  test('approved below what is hidden: that it is not shown is told, in the queue and on its own page too', async () => {
    const page = freshPage();
    const { id } = await it.post({ page });
    await moderator.approve(id);
    const [{ id: one }, { id: other }, { id: third }] = [await it.post({ page, parent: id }), await it.post({ page, parent: id }), await it.post({ page, parent: id })];
    await moderator.decide(id, 'trash', 'published');
    const approved = await follow(moderator, await moderator.approve(one));
    assert.match(statusOf(approved.text), /^Approved\. It is not shown yet: something above it is not published\. Undo /);
    assert.equal(element(approved.text, (tag) => tag.attributes.class === 'done').tag.attributes['data-unseen'], `${one}`);
    const { id: free } = await it.post({ page });
    const some = await follow(moderator, await moderator.approve([other, free, third]));
    assert.match(statusOf(some.text), /^3 replies approved\. 2 of them are not shown yet: something above them is not published\./);
    const list = replies((await moderator.get(`${QUEUE}?state=published`)).text);
    assert.match(list.find((reply) => Number(reply.id) === Number(one)).text, /not shown: something above it is not published/);
    assert.match(list.find((reply) => Number(reply.id) === Number(free)).text, /See it below the article/);
    const shown = await follow(moderator, await moderator.decide(id, 'held', 'trash'));
    assert.doesNotMatch(statusOf(shown.text), /not shown/);
    assert.doesNotMatch(statusOf((await follow(moderator, await moderator.approve(id))).text), /not shown/);
    assert.match(textOf((await moderator.get(`${QUEUE}reply/${one}`)).text), /See it below the article/);
  });
  test('a bent address says nothing that is not so', async () => {
    const page = freshPage();
    const { id } = await it.post({ page });
    await moderator.approve(id);
    await moderator.approve((await it.post({ page, parent: id })).id);
    const hidden = path(await moderator.decide(id, 'held', 'published')).replace(/#.*/, '');
    assert.match(statusOf((await moderator.get(hidden)).text), /with it: 1 reply/);
    for (const bent of [hidden.replace('with=-1', 'with=-9'), hidden.replace('with=-1', 'with=1'), hidden.replace(/mac=.{4}/, 'mac=AAAA')]) {
      assert.notEqual(bent, hidden);
      assert.doesNotMatch(statusOf((await moderator.get(bent)).text), /with it/);
    }
    assert.equal(statusOf((await second.get(hidden)).text), '', 'and nothing to somebody else');
    const wrote = path(await edit(moderator, id, { comment: 'Edited, and said so' })).replace(/#.*/, '');
    assert.match(statusOf((await moderator.get(wrote)).text), /^Changed/);
    for (const bent of [wrote.replace(/wrote=\d/, 'wrote=0'), wrote.replace(`about=${id}`, `about=${id - 1}`), wrote.replace(/mac=.{4}/, 'mac=AAAA'), wrote.replace(/wrote=\d/, 'wrote=99')]) {
      assert.notEqual(bent, wrote);
      assert.equal(statusOf((await moderator.get(bent)).text), '');
    }
    assert.equal(statusOf((await second.get(wrote)).text), '', 'and nothing to somebody else');
  });
  test('a decision that changes nothing says so', async () => {
    const { id } = await it.post({ name: 'Still Here' }), { id: other } = await it.post();
    const { form } = await moderator.decisionForm(id);
    const log = it.dump();
    const hold = (...targets) => moderator.submit(form.action, [...Moderator.rest(form), ...targets.map((one) => ['reply', `${one}:1`]), ['state', 'held']]);
    const one = await hold(id), both = await hold(id, other);
    assert.equal(statusOf((await follow(moderator, one)).text), 'Nothing was changed: Still Here’s reply already was what you chose.');
    assert.equal(statusOf((await follow(moderator, both)).text), 'Nothing was changed: all 2 replies already were what you chose.');
    assert.equal(it.dump(), log);
    const bent = path(both).replace(/#.*/, '').replace('about=2', 'about=3');
    assert.equal(statusOf((await moderator.get(bent)).text), '', 'and a bent address nothing');
  });
  test('empty lists say how long what is put there is kept', async () => {
    const empty = async (top) => {
      const other = await makeInstance({ top });
      other.addModerator('editor', PASSWORD);
      await other.start('moderator');
      const who = await signedIn(other), found = [];
      for (const state of ['spam', 'trash']) found.push(textOf(element(await see(`state=${state}`, who), (tag) => tag.attributes.class === 'empty').inner));
      await other.tidy();
      return found;
    };
    for (const [top, told] of [[{}, /kept (here )?for 30 days, and then erased/], [{ keep_refused: 1 }, /for 1 day, and then/], [{ keep_refused: 0 }, /kept (here )?for ever\.$/]])
      for (const text of await empty(top)) assert.match(text, told);
  });
  test('nothing waits: it says so kindly', async () => {
    assert.match(textOf(await see('state=trash&reason=honeypot')), /Nothing here fits/);
    assert.match(textOf(await see(`state=published&after=99999999`)), /Nothing more on this side/);
  });
});

describe('the page of one reply', () => {
  test('shows what stands around it, its author and its history', async () => {
    const page = freshPage(), email = 'one-author@example.org';
    const above = await it.post({ page, name: 'Above', email: 'above@example.org' });
    await moderator.approve(above.id);
    const { id } = await it.post({ page, name: 'Herself', parent: above.id, email });
    await moderator.decide(id, 'spam');
    await second.decide(id, 'held', 'spam');
    await moderator.approve(id);
    const below = await it.post({ page, name: 'Below', parent: id });
    const beside = await it.post({ page, name: 'Beside', parent: above.id });
    const elsewhere = await it.post({ page: freshPage(), name: 'Elsewhere', email: email.toUpperCase() });
    const { text } = await moderator.get(`${QUEUE}reply/${id}`);
    const within = (name) => textOf(element(text, (tag) => tag.attributes.class === name)?.inner ?? '');
    for (const name of ['Above', 'Herself', 'Below', 'Beside']) assert.match(within('around'), new RegExp(name));
    assert.match(within('author'), /Elsewhere/);
    assert.doesNotMatch(within('author'), /Above|Below/);
    assert.match(within('history'), /editor moved it from “Held” to “Published”.*second moved it from “Spam” to “Held”.*editor moved it from “Held” to “Spam”/);
    assert.match(textOf(text), /one-author@example\.org/);
    for (const one of [above, below, beside, elsewhere]) assert.ok(text.includes(`/moderate/reply/${one.id}"`), 'linked');
    const levels = tags(element(text, (tag) => tag.name === 'main').inner).filter((tag) => /^h[1-6]$/.test(tag.name) && !tag.closing).map((tag) => Number(tag.name[1]));
    assert.equal(levels[0], 1);
    assert.ok(levels.every((level, i) => i === 0 || level <= levels[i - 1] + 1), String(levels));
  });
  test('decides with a reason, and leads back to where one came from', async () => {
    const { id } = await it.post();
    const page = await moderator.get(`${QUEUE}reply/${id}?return=${encodeURIComponent(`${QUEUE}?state=held&first=1&most=20`)}`);
    const form = forms(page.text).find((one) => one.attributes.class === 'decide');
    const back = await moderator.submit(form.action, [...withFields(form, { why: 'Sells <things>' }), ['state', 'spam']]);
    assert.equal(back.status, 303);
    assert.match(path(back), /state=held&first=1&most=20&done=\d+/);
    assert.equal(it.sql(`SELECT why FROM decision WHERE reply_id = ${id}`)[0].why, 'Sells <things>');
    assert.match((await moderator.get(`${QUEUE}reply/${id}`)).text, /Sells &lt;things&gt;/);
  });
  test('a reason that is too long comes back with what is wrong beside it, and nothing is done', async () => {
    const { id } = await it.post({ comment: 'About which a long reason is typed' });
    const from = `${QUEUE}?state=held&first=1&most=20`;
    const page = await moderator.get(`${QUEUE}reply/${id}?return=${encodeURIComponent(from)}`);
    const form = forms(page.text).find((one) => one.attributes.class === 'decide');
    const before = it.dump();
    for (const why of [`Sells "things" & ${'w'.repeat(500)}`, 'rings \u0007']) {
      const long = await moderator.submit(form.action, [...withFields(form, { why }), ['state', 'spam']]);
      assert.equal(long.status, 422);
      assert.match(textOf(byId(long.text, `reply-${id}`).inner), /About which a long reason is typed/);
      assert.match(textOf(elements(long.text, (tag) => tag.attributes.role === 'alert')[0].inner), /marked below/);
      const again = forms(long.text).find((one) => one.attributes.class === 'decide'), field = fieldOf(again, 'why');
      assert.equal(field.value, why);
      assert.equal(field.attributes['aria-invalid'], 'true');
      assert.match(describedBy(long.text, field), /keep to 500 characters.*Only moderators see it/);
      assert.equal(fieldOf(again, 'return').value, from);
      assert.equal(fieldOf(again, 'reply').value, `${id}:1`);
    }
    assert.equal(it.dump(), before);
    // Words that came meanwhile are shown, but not decided about by the button that stood there before.
    await edit(second, id, { comment: 'Words that came meanwhile' });
    const long = await moderator.submit(form.action, [...withFields(form, { why: 'w'.repeat(501) }), ['state', 'spam']]);
    assert.equal(fieldOf(forms(long.text).find((one) => one.attributes.class === 'decide'), 'reply').value, `${id}:1`);
    const late = await moderator.submit(form.action, [...withFields(form, { why: 'Sells things' }), ['state', 'spam']]);
    assert.equal(late.status, 409);
    const anew = forms(byId(late.text, `conflict-${id}`).inner)[0];
    assert.equal(fieldOf(anew, 'why').value, 'Sells things', 'the reason is kept there, too');
    assert.equal((await moderator.submit(anew.action, [...fieldsOf(anew), ['state', 'spam']])).status, 303);
    assert.equal(it.sql(`SELECT why FROM decision WHERE reply_id = ${id} AND action = 'decide'`)[0].why, 'Sells things');
    const gone = await moderator.submit(form.action, [...withFields(form, { reply: '999999:1', why: 'w'.repeat(501) }), ['state', 'spam']]);
    assert.equal(gone.status, 404);
  });
  test('is 404 where there is none, and of another site', async () => {
    for (const id of ['0', '999999', 'x', '1x', '-1', '']) assert.equal((await moderator.get(`${QUEUE}reply/${id}`)).status, 404, id);
    for (const what of ['answer', 'edit']) assert.equal((await moderator.get(`${QUEUE}reply/999999/${what}`)).status, 404);
  });
  test('leads back to our own pages alone', async () => {
    const { id } = await it.post();
    for (const evil of ['//evil.example', 'https://evil.example/?state=held', 'javascript:alert(1)', '/\\evil']) {
      const { text } = await moderator.get(`${QUEUE}reply/${id}?return=${encodeURIComponent(evil)}`);
      assert.doesNotMatch(text, /evil|alert/);
    }
  });
});

describe('a moderator answers', () => {
  test('a published reply: at once, marked, and no person in it', async () => {
    const page = freshPage();
    const { id } = await it.post({ page });
    await moderator.approve(id);
    const back = await answer(moderator, id, 'Thank **you**!\r\nThe house');
    assert.equal(back.status, 303);
    assert.match(path(back), new RegExp(`state=published&.*#reply-${id}$`));
    assert.match(statusOf((await follow(moderator, back)).text), /^Replied to Asel/);
    const mine = it.sql(`SELECT * FROM reply WHERE parent_id = ${id}`)[0];
    assert.deepEqual([mine.state, mine.name, mine.by_moderator, mine.comment], ['published', 'editor', 1, 'Thank **you**!\nThe house']);
    for (const column of ['email_sealed', 'network_sealed', 'author_hash', 'client_hash', 'website']) assert.equal(mine[column], null, column);
    const file = it.thread(page);
    assert.match(file, /<strong>you<\/strong>/);
    assert.match(textOf(byId(file, `reply-${mine.id}`).inner), /editor\s+Moderator/);
    const json = JSON.parse(it.thread(page, 'thread.json'));
    assert.equal(json.count, 2);
    assert.deepEqual(json.replies.map((one) => one.by_moderator), [false, true]);
    const log = it.sql(`SELECT action, from_state, to_state, moderator FROM decision WHERE reply_id = ${mine.id}`);
    assert.deepEqual(log, [{ action: 'answer', from_state: 'held', to_state: 'published', moderator: 'editor' }]);
    counts();
    well();
  });
  test('a held one: it is approved along', async () => {
    const page = freshPage();
    const { id } = await it.post({ page }), { id: next } = await it.post();
    await it.post();
    const { page: form } = await penForm(moderator, `${QUEUE}reply/${next}/answer`);
    assert.match(textOf(form.text), /Approve and reply/);
    const back = await answer(moderator, next, 'With the approval');
    assert.equal(back.status, 303);
    assert.equal(row(next).state, 'published');
    assert.ok(path(back).endsWith(`#reply-${id}`), 'on to the one behind it');
    const { text } = await follow(moderator, back);
    assert.match(statusOf(text), /^Approved Asel.* and replied to it\. Undo the approval$/);
    const undo = forms(element(text, (tag) => tag.attributes.class === 'done').inner)[0];
    assert.match(textOf(element(text, (tag) => tag.attributes.class === 'done').inner), /Undo the approval/);
    const [{ batch }] = it.sql(`SELECT batch FROM decision WHERE reply_id = ${next}`);
    assert.equal(fieldOf(undo, 'batch').value, `${batch}`);
    const undone = await moderator.submit(undo.action, [...fieldsOf(undo), ...undo.controls.filter((c) => c.kind === 'button').map((c) => [c.name, c.value])]);
    assert.equal(undone.status, 303);
    assert.equal(row(next).state, 'held');
    assert.equal(it.sql(`SELECT state FROM reply WHERE parent_id = ${next}`)[0].state, 'published', 'the answer stays, hidden');
    assert.doesNotMatch((await follow(moderator, back)).text, /Undo the approval/, 'once');
    assert.doesNotMatch((await second.get(path(back).replace(/#.*/, ''))).text, /Undo the approval|and replied/, 'and not somebody else');
    await moderator.approve(next);
    assert.equal(it.sql(`SELECT count(*) AS n FROM decision WHERE reply_id = ${next}`)[0].n, 3);
    counts();
  });
  test('twice is once; the same form with other words is not', async () => {
    const { id } = await it.post();
    await moderator.approve(id);
    const { form } = await penForm(moderator, `${QUEUE}reply/${id}/answer`);
    const sent = withFields(form, { comment: 'Sent by a double click' });
    const both = await Promise.all([1, 2, 3, 4].map(() => moderator.submit(form.action, sent)));
    assert.deepEqual(both.map((one) => one.status), [303, 303, 303, 303]);
    assert.equal(it.sql(`SELECT count(*) AS n FROM reply WHERE parent_id = ${id}`)[0].n, 1);
    const other = await moderator.submit(form.action, withFields(form, { comment: 'Other words' }));
    assert.equal(other.status, 409);
    const again = forms(other.text).find((one) => one.attributes.class === 'pen');
    assert.equal(fieldOf(again, 'comment').value, 'Other words');
    assert.notEqual(fieldOf(again, 'key').value, fieldOf(form, 'key').value);
    assert.equal((await moderator.submit(again.action, fieldsOf(again))).status, 303);
    assert.equal(it.sql(`SELECT count(*) AS n FROM reply WHERE parent_id = ${id}`)[0].n, 2);
  });
  test('what is wrong keeps the words and the key', async () => {
    const { id } = await it.post();
    const { form } = await penForm(moderator, `${QUEUE}reply/${id}/answer`);
    const before = it.dump();
    for (const comment of ['', ' ', 'x', 'y'.repeat(10001), 'bell \u0007 rings', `Z${'\u0301'.repeat(40)}`]) {
      const wrong = await moderator.submit(form.action, withFields(form, { comment }));
      assert.equal(wrong.status, 422, JSON.stringify(comment.slice(0, 9)));
      const again = forms(wrong.text).find((one) => one.attributes.class === 'pen');
      assert.equal(fieldOf(again, 'comment').value, comment);
      assert.equal(fieldOf(again, 'key').value, fieldOf(form, 'key').value);
      assert.equal(fieldOf(again, 'reply').value, fieldOf(form, 'reply').value);
      assert.equal(fieldOf(again, 'comment').attributes['aria-invalid'], 'true');
      assert.ok(textOf(byId(wrong.text, 'comment-error').inner).length > 10);
    }
    assert.equal(it.dump(), before);
    for (const reply of ['', 'x', `${id}`, `${id}:0`, `${id}:x`]) assert.equal((await moderator.submit(form.action, withFields(form, { reply, comment: 'words' }))).status, 400, reply);
    assert.equal((await moderator.submit(form.action, withFields(form, { reply: '999999:1', comment: 'words' }))).status, 404);
    assert.equal(it.dump(), before);
  });
  test('an edit of the author in between is shown, and the words are kept', async () => {
    const { id, receipt } = await it.post();
    const { form } = await penForm(moderator, `${QUEUE}reply/${id}/answer`);
    const own = forms((await it.reader({ uri: `${receipt}/edit` })).text).find((one) => fieldOf(one, 'comment'));
    const changed = await it.reader({ uri: own.action, form: [...withFields(own, { comment: 'Quite other words of the author' }), ['do', 'save']] });
    assert.equal(changed.status, 303);
    const conflict = await moderator.submit(form.action, withFields(form, { comment: 'An answer to what was' }));
    assert.equal(conflict.status, 409);
    assert.match(textOf(conflict.text), /Quite other words of the author/);
    assert.equal(row(id).state, 'held');
    assert.equal(it.sql(`SELECT count(*) AS n FROM reply WHERE parent_id = ${id}`)[0].n, 0);
    const again = forms(conflict.text).find((one) => one.attributes.class === 'pen');
    assert.equal(fieldOf(again, 'comment').value, 'An answer to what was');
    assert.equal((await moderator.submit(again.action, fieldsOf(again))).status, 303);
    assert.equal(row(id).state, 'published');
  });
  test('below what is hidden it says that nobody sees it yet', async () => {
    const page = freshPage();
    const top = await it.post({ page });
    await moderator.approve(top.id);
    const { id } = await it.post({ page, parent: top.id });
    await moderator.approve(id);
    await moderator.decide(top.id, 'held', 'published');
    const back = await answer(moderator, id, 'Into the dark');
    assert.match(statusOf((await follow(moderator, back)).text), /not shown yet/);
  });
  test('ten at once with the same form are one', async () => {
    const { id } = await it.post();
    const { form } = await penForm(second, `${QUEUE}reply/${id}/answer`);
    const sent = withFields(form, { comment: 'Approved along, once' });
    const all = await Promise.all(Array.from({ length: 10 }, () => second.submit(form.action, sent)));
    assert.ok(all.every((one) => one.status === 303), all.map((one) => one.status).join());
    assert.equal(new Set(all.map(path)).size, 1, 'all are told the same, with the undo of the approval');
    assert.equal(it.sql(`SELECT count(*) AS n FROM reply WHERE parent_id = ${id}`)[0].n, 1);
    assert.equal(row(id).revision, 2);
    counts();
  });
});

describe('while somebody else keeps the store', () => {
  test('an answer, an edit and a decision with a reason are 503, and every word comes back', async () => {
    const { id } = await it.post();
    const a = await penForm(moderator, `${QUEUE}reply/${id}/answer`), e = await penForm(moderator, `${QUEUE}reply/${id}/edit`);
    const d = forms((await moderator.get(`${QUEUE}reply/${id}`)).text).find((one) => one.attributes.class === 'decide');
    const before = it.dump();
    const lock = spawn('flock', [`${it.database}.turn`, 'sh', '-c', 'echo held; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(lock.stdout, 'data');
      const [decided, ...answers] = await Promise.all([moderator.submit(d.action, [...withFields(d, { why: 'A reason in vain' }), ['state', 'spam']]),
        moderator.submit(a.form.action, withFields(a.form, { comment: 'An answer in vain' })),
        moderator.submit(e.form.action, withFields(e.form, { comment: 'An edit in vain', why: 'why not' }))]);
      for (const [i, got] of answers.entries()) {
        assert.equal(got.status, 503);
        assert.equal(got.all('Retry-After').length, 1);
        const form = forms(got.text).find((one) => one.attributes.class === 'pen');
        assert.equal(fieldOf(form, 'comment').value, ['An answer in vain', 'An edit in vain'][i]);
        assert.equal(fieldOf(form, 'reply').value, `${id}:1`);
      }
      assert.equal(decided.status, 503);
      assert.equal(fieldOf(forms(decided.text).find((one) => one.attributes.class === 'decide'), 'why').value, 'A reason in vain');
      assert.equal(it.dump(), before);
    } finally {
      // The shell became the sleep, which holds the lock: flock itself waits for it.
      process.kill(Number(spawnSync('pgrep', ['-P', String(lock.pid)], { encoding: 'utf8' }).stdout.trim()));
      await once(lock, 'exit');
    }
    assert.equal((await moderator.submit(a.form.action, withFields(a.form, { comment: 'An answer at last' }))).status, 303);
  });

  test('where the moderators’ database fails, every word comes back with a button that sends it again', async () => {
    const { id } = await it.post(), { id: other } = await it.post();
    const a = await penForm(moderator, `${QUEUE}reply/${id}/answer`), e = await penForm(moderator, `${QUEUE}reply/${other}/edit`);
    const d = forms((await moderator.get(`${QUEUE}reply/${id}`)).text).find((one) => one.attributes.class === 'decide');
    const sent = [[a.form.action, withFields(a.form, { comment: 'An answer\nin vain <&"' })], [e.form.action, withFields(e.form, { comment: 'An edit in vain', why: 'why not' })],
      [d.action, [...withFields(d, { why: 'A reason in vain' }), ['state', 'spam']]]];
    const back = [], before = it.dump();
    it.sql('ALTER TABLE session RENAME TO away', it.moderators);
    try {
      for (const [action, fields] of sent) back.push(await moderator.submit(action, fields));
      assert.equal((await moderator.submit(`${QUEUE}settings/password`, [['password', PASSWORD], ['new_password', 'x'], ['again', 'x']])).status, 503);
      assert.doesNotMatch((await moderator.submit(`${QUEUE}settings/password`, [['password', PASSWORD]])).text, new RegExp(PASSWORD));
      const shown = await moderator.get();
      assert.equal(shown.status, 503);
      assert.deepEqual(shown.all('Retry-After'), ['5'], 'said once');
    } finally {
      it.sql('ALTER TABLE away RENAME TO session', it.moderators);
    }
    assert.equal(it.dump(), before);
    for (const [i, answer] of back.entries()) {
      assert.equal(answer.status, 503);
      assert.equal(answer.all('Retry-After').length, 1);
      const form = forms(answer.text).find((one) => one.action === sent[i][0]);
      const fields = (all) => all.map(([name, value]) => `${name}=${value}`).sort();
      assert.deepEqual(fields(fieldsOf(form)), fields(sent[i][1]));
      assert.match(textOf(answer.text), /Nothing that you sent is lost/);
    }
    for (const answer of back.slice(0, 2)) {
      const form = forms(answer.text).find((one) => fieldOf(one, 'comment'));
      assert.equal((await moderator.submit(form.action, fieldsOf(form))).status, 303);
    }
    assert.equal(row(other).comment, 'An edit in vain');
  });
});

describe('what is refused gives the words back', () => {
  const words = 'Typed with care & <love>,\n\nand not to be lost.';
  const given = (text) => Object.fromEntries(elements(text, (tag) => tag.name === 'textarea').map(({ tag, inner }) => [tag.attributes.name, decode(inner).replace(/^\n/, '')]));
  const noButton = (text) => assert.ok(!forms(text).some((form) => form.attributes.class === 'settings' && form.controls.some((c) => c.kind === 'button')), 'it is only to be read');
  const sent = async (kind, id, values) => {
    const { form } = await penForm(moderator, `${QUEUE}reply/${id}/${kind}`);
    return { action: form.action, fields: withFields(form, values) };
  };

  test('404: the reply is gone', async () => {
    for (const kind of ['answer', 'edit']) {
      const { id } = await it.post();
      const { action, fields } = await sent(kind, id, { comment: words, why: 'a reason' });
      it.sql(`DELETE FROM reply WHERE id = ${id}; UPDATE tally SET n = n - 1 WHERE state = 'held'`);
      const got = await moderator.submit(action, fields);
      assert.equal(got.status, 404);
      assert.match(textOf(got.text), /There is no such reply any more, so nothing was done\. What you wrote stands here/);
      assert.equal(given(got.text).comment, words);
      if (kind === 'edit') assert.equal(given(got.text).why, 'a reason');
      noButton(got.text);
    }
    const bare = await moderator.get(`${QUEUE}reply/999999999/answer`);
    assert.equal(bare.status, 404);
    assert.match(textOf(bare.text), /There is no such reply any more\./);
  });
  test('400: a field that is no such, twice, or no text', async () => {
    const { id } = await it.post();
    for (const kind of ['answer', 'edit']) {
      const { action, fields } = await sent(kind, id, { comment: words });
      const bent = fields.map(([name, value]) => [name, name === 'reply' ? 'x' : value]);
      for (const bad of [bent, [...fields, ['why', 'one'], ['why', 'two']]]) {
        const got = await moderator.submit(action, bad);
        assert.equal(got.status, 400);
        assert.equal(given(got.text).comment, words);
        noButton(got.text);
      }
      const body = `${new URLSearchParams(fields)}&why=%FF`;
      const broken = await moderator.ask({ method: 'POST', uri: action, body, headers: { Origin: BASE, 'Content-Type': 'application/x-www-form-urlencoded' } });
      assert.equal(broken.status, 400);
      assert.equal(given(broken.text).comment, words);
    }
    const decide = forms((await moderator.get(`${QUEUE}reply/${id}`)).text).find((form) => form.attributes.class === 'decide');
    const got = await moderator.submit(decide.action, [...fieldsOf(decide).map(([name, value]) => [name, name === 'why' ? 'my reason' : value]), ['state', 'nonsense']]);
    assert.equal(got.status, 400);
    assert.equal(given(got.text).why, 'my reason');
    assert.equal(row(id).revision, 1);
  });
  test('413: too long for a body; what could be read is there, and nothing is done with it, also when the session is over', async () => {
    const { id } = await it.post();
    for (const over of [false, true]) {
      const who = await signedIn(it);
      const { form } = await penForm(who, `${QUEUE}reply/${id}/answer`);
      const long = 'It goes on and on. '.repeat(30000);
      const fields = withFields(form, { comment: long });
      if (over) await who.submit(`${QUEUE}sign-out`, fields.filter(([name]) => name === 'token'));
      const got = await who.submit(form.action, fields);
      assert.equal(got.status, over ? 403 : 413);
      const { comment } = given(got.text);
      assert.ok(comment.length > 200000 && long.startsWith(comment), `${comment?.length}`);
      if (!over) noButton(got.text);
      if (over) assert.equal(forms(got.text).some((one) => fieldOf(one, 'carry')?.value), false, 'half of it is not carried on');
    }
    assert.deepEqual(it.sql(`SELECT id FROM reply WHERE parent_id = ${id}`), []);
  });
  test('and a password is not among what is given back', async () => {
    const { text } = await moderator.get(`${QUEUE}settings`);
    const form = forms(text).find((one) => fieldOf(one, 'new_password'));
    const got = await moderator.submit(form.action, [...fieldsOf(form), ['password', 'my secret words'], ['name', 'my name'], ['name', 'x']]);
    assert.ok([400, 422, 403].includes(got.status));
    assert.doesNotMatch(got.text, /my secret words/);
  });
});

describe('a moderator edits', () => {
  test('name, website and words; who wrote it stays', async () => {
    const page = freshPage();
    const { id } = await it.post({ page });
    await moderator.approve(id);
    const was = row(id);
    const back = await edit(moderator, id, { name: 'Asel N.', website: 'https://example.org/new', comment: 'Words without the insult', why: 'An insult' });
    assert.equal(back.status, 303);
    assert.match(path(back), new RegExp(`state=published&.*#reply-${id}$`));
    assert.match(statusOf((await follow(moderator, back)).text), /^Changed Asel N\.’s reply/);
    const now = row(id);
    assert.deepEqual([now.name, now.website, now.comment, now.revision], ['Asel N.', 'https://example.org/new', 'Words without the insult', was.revision + 1]);
    assert.ok(now.edited_at >= was.created_at);
    for (const column of ['email_sealed', 'network_sealed', 'author_hash', 'client_hash', 'state', 'created_at', 'published_at']) assert.deepEqual(now[column], was[column], column);
    assert.notDeepEqual(now.content_hash, was.content_hash);
    const file = it.thread(page);
    assert.match(file, /Words without the insult/);
    assert.doesNotMatch(file, new RegExp(was.comment));
    assert.equal(JSON.parse(it.thread(page, 'thread.json')).replies[0].edited_at !== null, true);
    const [log] = it.sql(`SELECT action, from_state, to_state, moderator, why FROM decision WHERE reply_id = ${id} ORDER BY id DESC LIMIT 1`);
    assert.deepEqual(log, { action: 'edit', from_state: 'published', to_state: 'published', moderator: 'editor', why: 'An insult' });
    assert.ok(!it.dump().includes(was.comment), 'the words before are nowhere');
    well();
  });
  test('an empty website is none; the same words change nothing', async () => {
    const { id } = await it.post();
    assert.equal((await edit(moderator, id, { website: ' ' })).status, 303);
    assert.equal(row(id).website, null);
    const was = row(id);
    const back = await edit(moderator, id, {});
    assert.match(statusOf((await follow(moderator, back)).text), /Nothing was changed/);
    assert.deepEqual(row(id), was);
  });
  test('what is wrong keeps every word', async () => {
    const { id } = await it.post();
    const was = row(id);
    const typed = { name: 'n'.repeat(81), website: 'javascript:alert(1)', comment: 'x', why: 'because' };
    const wrong = await edit(moderator, id, typed);
    assert.equal(wrong.status, 422);
    const form = forms(wrong.text).find((one) => one.attributes.class === 'pen');
    for (const [name, value] of Object.entries(typed)) assert.equal(fieldOf(form, name).value, value);
    for (const name of ['name', 'website', 'comment']) assert.ok(byId(wrong.text, `${name}-error`), name);
    const why = await edit(moderator, id, { comment: 'Good words', why: 'y'.repeat(501) });
    assert.equal(why.status, 422);
    assert.ok(byId(why.text, 'why-error'));
    assert.deepEqual(row(id), was);
  });
  test('of two the second sees the words of the first beside the own', async () => {
    const { id } = await it.post();
    const { form } = await penForm(moderator, `${QUEUE}reply/${id}/edit`);
    assert.equal((await edit(second, id, { comment: 'What the second wrote' })).status, 303);
    const conflict = await moderator.submit(form.action, withFields(form, { comment: 'What the first wrote' }));
    assert.equal(conflict.status, 409);
    assert.equal(row(id).comment, 'What the second wrote');
    const theirs = byId(conflict.text, 'theirs');
    assert.match(textOf(theirs.inner), /What the second wrote/);
    const again = forms(conflict.text).find((one) => one.attributes.class === 'pen');
    assert.equal(fieldOf(again, 'comment').value, 'What the first wrote');
    assert.equal((await moderator.submit(again.action, fieldsOf(again))).status, 303);
    assert.equal(row(id).comment, 'What the first wrote');
  });
  test('a decision on what was edited meanwhile is told who edited, and offered anew', async () => {
    const { id } = await it.post();
    const { form, reply } = await moderator.decisionForm(id);
    await edit(second, id, { comment: 'Edited between look and click' });
    const conflict = await moderator.submit(form.action, [...Moderator.rest(form), ['reply', reply], ['state', 'published']]);
    assert.equal(conflict.status, 409);
    const section = byId(conflict.text, `conflict-${id}`);
    assert.match(textOf(section.inner), /second has edited.*Edited between look and click/);
    const anew = forms(section.inner)[0];
    assert.equal(fieldOf(anew, 'reply').value, `${id}:2`);
    assert.equal((await moderator.submit(anew.action, [...fieldsOf(anew), ['state', 'published']])).status, 303);
    assert.equal(row(id).state, 'published');
  });
  test('the author cannot take back a decision by an edit: of both one wins', async () => {
    const { id, receipt } = await it.post();
    const own = forms((await it.reader({ uri: `${receipt}/edit` })).text).find((one) => fieldOf(one, 'comment'));
    assert.equal((await edit(moderator, id, { comment: 'The moderator was first' })).status, 303);
    const late = await it.reader({ uri: own.action, form: [...withFields(own, { comment: 'The author was second' }), ['do', 'save']] });
    assert.equal(late.status, 409);
    assert.equal(row(id).comment, 'The moderator was first');
  });
});

describe('together', () => {
  test('of many decisions on one reply one wins, and the others are told', async () => {
    for (let round = 0; round < 5; round++) {
      const { id } = await it.post();
      const a = await moderator.decisionForm(id), b = await second.decisionForm(id);
      const states = ['published', 'spam', 'trash'];
      const all = await Promise.all(Array.from({ length: 12 }, (_, i) => {
        const [who, { form, reply }] = i % 2 === 0 ? [moderator, a] : [second, b];
        return who.submit(form.action, [...Moderator.rest(form), ['reply', reply], ['state', states[i % 3]]]);
      }));
      const codes = all.map((one) => one.status).sort();
      assert.deepEqual(codes, [303, ...Array(11).fill(409)]);
      const now = row(id);
      assert.equal(now.revision, 2);
      assert.equal(it.sql(`SELECT count(*) AS n FROM decision WHERE reply_id = ${id}`)[0].n, 1);
      const winner = it.sql(`SELECT moderator, to_state FROM decision WHERE reply_id = ${id}`)[0];
      assert.equal(winner.to_state, now.state);
      for (const lost of all.filter((one) => one.status === 409)) assert.match(textOf(byId(lost.text, `conflict-${id}`).inner), new RegExp(winner.moderator));
    }
    counts();
  });
  test('answers, edits and decisions at once leave everything right', async () => {
    const page = freshPage();
    const made = [];
    for (let i = 0; i < 8; i++) made.push((await it.post({ page })).id);
    const prepared = await Promise.all(made.map(async (id, i) => {
      const a = await penForm(moderator, `${QUEUE}reply/${id}/answer`), e = await penForm(second, `${QUEUE}reply/${id}/edit`), d = await second.decisionForm(id);
      return [() => moderator.submit(a.form.action, withFields(a.form, { comment: `Answer number ${i}` })),
        () => second.submit(e.form.action, withFields(e.form, { comment: `Edited number ${i}` })),
        () => second.submit(d.form.action, [...Moderator.rest(d.form), ['reply', d.reply], ['state', 'published']])];
    }));
    const codes = await Promise.all(prepared.flat().map((send) => send().then((one) => one.status)));
    for (let i = 0; i < codes.length; i += 3) assert.deepEqual(codes.slice(i, i + 3).sort(), [303, 409, 409]);
    counts();
    const [{ published }] = it.sql(`SELECT published FROM thread WHERE page = '${page}'`);
    assert.equal(published, it.sql(`SELECT count(*) AS n FROM reply JOIN thread ON thread.id = thread_id WHERE page = '${page}' AND state = 'published'`)[0].n);
    if (published > 0) assert.equal(JSON.parse(it.thread(page, 'thread.json')).count, published);
    well();
  });
});

describe('a queue full of the longest words that are taken', () => {
  let full, own;
  before(async () => {
    full = await makeInstance({ site: { comment_most: 50000, pace_burst: 1000, pace_site: 1000 }, doors: ['reader'] });
    full.addModerator('editor', PASSWORD);
    await full.start('moderator');
    own = await signedIn(full);
    /* A quote is six bytes of HTML. */
    for (let n = 0; n < 60; n++) await full.post({ page: '/long', comment: `${n} ${'"'.repeat(49990)}` });
  });
  after(() => full?.tidy());

  test('is shown in parts, each reply once', async () => {
    for (const query of ['?state=held', '?state=held&order=oldest', '?state=held&most=200']) {
      const seen = [];
      for (let path = `${QUEUE}${query}`, pages = 0; path && pages < 20; pages++) {
        const { status, text } = await own.get(path);
        assert.equal(status, 200, path);
        seen.push(...[...text.matchAll(/<article[^>]* id="reply-(\d+)"/g)].map(([, id]) => Number(id)));
        path = tags(text).find((tag) => tag.name === 'a' && tag.attributes.rel === 'next')?.attributes.href;
      }
      const all = full.sql('SELECT id FROM reply ORDER BY id').map(({ id }) => id);
      assert.deepEqual(seen, query.endsWith('oldest') ? all : all.reverse(), query);
    }
  });
});
