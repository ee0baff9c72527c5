// The moderators' list of pages: closing and reopening them, pausing the site, and what readers see then.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decode, fieldOf, fieldsOf, forms, replyForm, signedIn, textOf } from '../lib/browserless.mjs';
import { BASE, fresh, makeInstance, tellSeed } from '../lib/instance.mjs';

const PAGES = '/comments/moderate/pages';
let it, moderator;

before(async () => {
  tellSeed();
  it = await makeInstance({ doors: ['reader'] });
  it.addModerator('editor', 'a steppe is not a step');
  await it.start('moderator');
  moderator = await signedIn(it);
});
after(() => it?.tidy());

const freshPage = () => `/world/page-${fresh()}`;
const json = (page) => JSON.parse(it.thread(page, 'thread.json'));
async function published(fields) {
  const { id } = await it.post(fields);
  assert.equal((await moderator.approve(id)).status, 303);
  return id;
}
const log = () => it.sql('SELECT action, moderator, thread_id, site_id FROM decision ORDER BY id DESC LIMIT 1')[0];
// Presses the button whose form has this action, of this page if one is named; shows where it leads.
async function press(action, page, uri = PAGES) {
  const shown = await moderator.get(uri);
  assert.equal(shown.status, 200);
  const form = forms(shown.text).find((one) => one.action.endsWith(`/${action}`) && (page === undefined || fieldOf(one, 'page')?.value === page));
  assert.ok(form, `a form that does ${action} for ${page ?? 'the site'}`);
  const answer = await moderator.submit(form.action, fieldsOf(form));
  assert.equal(answer.status, 303, answer.text);
  const location = answer.header('Location');
  const next = await moderator.get(location.replace(/#.*/, ''));
  assert.equal(next.status, 200);
  return { location, said: textOf(/role="status">\s*<p>(.*?)<\/p>/.exec(next.text)?.[1] ?? ''), text: next.text };
}

test('a page is closed and reopened: files, form, answers and log say so', async () => {
  const page = freshPage();
  const root = await published({ page });
  const { location, said } = await press('close', page);
  assert.match(said, new RegExp(`^${page} takes no new replies`));
  assert.match(location, /#page-\d+$/);
  assert.equal(json(page).closed, true);
  assert.doesNotMatch(it.thread(page), /rejoinder-answer/);
  const form = await it.reader({ uri: `/comments/form?page=${page}` });
  assert.equal(form.status, 403);
  assert.equal(replyForm(form.text), undefined);
  const refused = await it.reader({ uri: '/comments/reply', json: it.goodReply({ page, parent: root }), accept: 'application/json' });
  assert.equal(refused.status, 403);
  assert.equal(refused.json().error, 'closed');
  const [{ id }] = it.sql(`SELECT id FROM thread WHERE page = '${page}'`);
  assert.deepEqual(log(), { action: 'close', moderator: 'editor', thread_id: id, site_id: 1 });
  assert.match((await press('reopen', page)).said, /takes replies again/);
  assert.equal(json(page).closed, false);
  assert.equal(log().action, 'reopen');
  await it.post({ page, parent: root });
});

test('closing what is closed does nothing, and says the same', async () => {
  const page = freshPage();
  await published({ page });
  const form = forms((await moderator.get(PAGES)).text).find((one) => fieldOf(one, 'page')?.value === page);
  assert.equal((await moderator.submit(form.action, fieldsOf(form))).status, 303);
  const before = it.dump();
  assert.equal((await moderator.submit(form.action, fieldsOf(form))).status, 303);
  assert.equal(it.dump(), before);
});

test('a page that nobody replied to, none at all, and no token are refused', async () => {
  const [form] = forms((await moderator.get(PAGES)).text).filter((one) => /close$/.test(one.action));
  const fields = fieldsOf(form);
  const before = it.dump();
  const other = fields.map(([name, value]) => [name, name === 'page' ? '/world/nobody' : value]);
  assert.equal((await moderator.submit(form.action, other)).status, 404);
  assert.equal((await moderator.submit(form.action, fields.filter(([name]) => name !== 'page'))).status, 400);
  for (const action of ['close', 'reopen', 'pause', 'resume']) {
    const uri = `/comments/moderate/${action}`;
    assert.equal((await moderator.submit(uri, fields.filter(([name]) => name !== 'token'))).status, 403, action);
    assert.equal((await moderator.submit(uri, fields, { Origin: 'https://evil.example' })).status, 403, action);
    assert.equal((await it.moderator({ method: 'POST', uri, form: fields })).status, 403, action);
    assert.equal((await moderator.get(uri)).status, 405, action);
  }
  assert.equal(it.dump(), before);
});

test('the list tells what stands and waits on each page, and leads to the queue of it', async () => {
  const page = `${freshPage()} & Co`;
  await published({ page });
  await it.post({ page });
  await it.post({ page });
  const { text } = await moderator.get(`${PAGES}?path=${encodeURIComponent(page)}`);
  const row = /<tr id="page-\d+">([^]*?)<\/tr>/.exec(text)[1];
  const links = [...row.matchAll(/<a href="([^"]*)"[^>]*>(.*?)<\/a>/g)].map(([, href, inner]) => [decode(href), textOf(inner)]);
  assert.deepEqual(links.map(([, shown]) => shown), [page, '1', '2']);
  for (const [href, count] of [[links[1][0], 1], [links[2][0], 2]]) {
    const queue = await moderator.get(href);
    assert.equal(queue.text.match(/<article class="reply"/g)?.length, count, href);
  }
  assert.doesNotMatch(text, /page-\d+<\/bdi>[^]*<tr/, 'only the pages that begin so');
});

test('what waits is counted up to a bound', async () => {
  const page = freshPage();
  await it.post({ page });
  it.sql(`WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 150) INSERT INTO reply (site_id, thread_id, state, name, comment, content_hash, created_at) SELECT 1, (SELECT id FROM thread WHERE page = '${page}'), 'held', 'n', 'c', x'00', 1 FROM i`);
  assert.match((await moderator.get(`${PAGES}?path=${page}`)).text, />100\+</);
  it.sql(`DELETE FROM reply WHERE name = 'n'`);
});

test('the list goes on behind fifty pages, in the order of their names, and keeps its filter', async () => {
  const names = [];
  for (let i = 0; i < 60; i++) names.push(`/list/n-${String(i * 37 % 60).padStart(2, '0')}`);
  for (const page of names) await it.post({ page });
  const seen = [];
  let uri = `${PAGES}?path=/list/`;
  for (let i = 0; uri !== undefined && i < 5; i++) {
    const { text } = await moderator.get(uri);
    seen.push(...[...text.matchAll(/name="page" value="([^"]*)"/g)].map(([, page]) => page));
    uri = /rel="next"/.test(text) ? decode(/href="([^"]*)" rel="next"/.exec(text)[1]) : undefined;
  }
  assert.deepEqual(seen, [...names].sort());
  const { location } = await press('close', '/list/n-03', `${PAGES}?path=/list/`);
  assert.match(decodeURIComponent(location), /path=\/list\/&done=close/);
});

test('the latest change first: what came, was decided or closed is on top, fifty a page, none twice', async () => {
  const names = [];
  for (let i = 0; i < 55; i++) names.push(`/latest/n-${i}`);
  for (const page of names) await it.post({ page });
  // The clock has whole seconds; two of them would be waited for else.
  it.sql("UPDATE thread SET updated_at = 1000 + id / 4 WHERE page LIKE '/latest/%'");
  it.sql("UPDATE thread SET updated_at = 5 WHERE page NOT LIKE '/latest/%'");
  const seen = [];
  let uri = `${PAGES}?order=recent`, pages = 0;
  for (; uri !== undefined && pages < 9; pages++) {
    const { text } = await moderator.get(uri);
    seen.push(...[...text.matchAll(/name="page" value="([^"]*)"/g)].map(([, page]) => decode(page)));
    uri = /rel="next"/.test(text) ? decode(/href="([^"]*)" rel="next"/.exec(text)[1]) : undefined;
  }
  assert.ok(pages >= 2);
  const all = it.sql("SELECT page FROM thread WHERE site_id = 1 ORDER BY updated_at DESC, id DESC").map(({ page }) => page);
  assert.deepEqual(seen, all);
  assert.equal(seen[0], '/latest/n-54');
  // Back to the same part of the list, where the page is on top now.
  const { location, text } = await press('close', '/latest/n-30', `${PAGES}?order=recent&at=1000000&before=1`);
  assert.match(decodeURIComponent(location), /order=recent&at=1000000&before=1&done=close/);
  assert.match(text, /aria-current="true">Latest change first/);
  const first = async () => decode(/name="page" value="([^"]*)"/.exec((await moderator.get(`${PAGES}?order=recent`)).text)[1]);
  assert.equal(await first(), '/latest/n-30');
  for (const wrong of ['order=newest', 'order=recent&at=x', 'order=recent&at=1&before=', 'order=recent&before=1x'])
    assert.equal((await moderator.get(`${PAGES}?${wrong}`)).status, wrong.endsWith('=') ? 200 : 404, wrong);
});

test('nobody else can put words into the page', async () => {
  const { text } = await moderator.get(`${PAGES}?path=&done=close&page=/world/x&mac=AAAA`);
  assert.doesNotMatch(text, /role="status"/);
});

test('a site that a moderator pauses takes nothing, and tells so in the place of the form', async () => {
  const page = freshPage();
  const root = await published({ page });
  const before = it.thread(page);
  assert.match((await press('pause')).said, /takes no replies now/);
  assert.deepEqual(log(), { action: 'pause', moderator: 'editor', thread_id: null, site_id: 1 });
  for (const uri of [`/comments/form?page=${page}`, `/comments/form?page=${page}&parent=${root}`, '/comments/form?page=/nobody/yet']) {
    const form = await it.reader({ uri });
    assert.equal(form.status, 403, uri);
    assert.equal(replyForm(form.text), undefined, uri);
    assert.match(textOf(form.text), /takes no replies at the moment/);
  }
  const count = it.count();
  const words = 'Words that must not be lost.';
  const refused = await it.reader({ uri: '/comments/reply', form: it.goodReply({ page, comment: words }) });
  assert.equal(refused.status, 403);
  assert.match(textOf(refused.text), new RegExp(words));
  const asJson = await it.reader({ uri: '/comments/reply', json: it.goodReply({ page }), accept: 'application/json' });
  assert.equal(asJson.json().error, 'paused');
  assert.equal(it.count(), count);
  assert.equal(it.thread(page), before, 'no file is rewritten');
  // It outlives the programs.
  await it.restart('reader');
  assert.equal((await it.reader({ uri: `/comments/form?page=${page}` })).status, 403);
  assert.match((await press('resume')).said, /takes replies again/);
  assert.equal(log().action, 'resume');
  await it.post({ page, parent: root });
});

test('the command line takes a page in any spelling, and its whole address; one of another site is refused', () => {
  const page = freshPage();
  for (const [i, typed] of [`${BASE}${page}?utm=1#top`, `${page}/index.html`, `localhost:8080${page}/`].entries()) {
    for (const [command, told] of [['close', 'takes no new replies'], ['reopen', 'takes replies again']]) {
      const run = it.cli([command, typed]);
      assert.equal(`${run.status} ${run.stdout}`, `0 ${page} ${told}\n`, `${i} ${run.stderr}`);
    }
  }
  for (const command of [['close'], ['reopen'], ['snippet', 'html'], ['snippet', 'nginx']]) {
    const run = it.cli([...command, 'https://elsewhere.example/world/x']);
    assert.equal(run.status, 1);
    assert.match(run.stderr, /address is not of the site/);
    assert.equal(run.stdout, '');
  }
  assert.deepEqual(it.sql("SELECT id FROM thread WHERE page LIKE '%/world/x'"), []);
  for (const how of ['html', 'nginx', 'apache', 'include'])
    assert.equal(it.mustCli(['snippet', how, `${BASE}${page}/?a=b#c`]).stdout, it.mustCli(['snippet', how, page]).stdout);
});
test('the command line closes as well, and leaves a line in the log', async () => {
  const page = freshPage();
  await published({ page });
  assert.equal(it.cli(['close', page]).status, 0);
  assert.equal(json(page).closed, true);
  for (let i = 0; i < 100 && log().action !== 'close'; i++) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(log().action, 'close');
  assert.equal(it.cli(['reopen', page]).status, 0);
  assert.equal(json(page).closed, false);
});
