// The script of the public side, www/static/rejoinder.js: what it adds, and that nothing is lost
// where it, the network or the reader's patience fails.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { moderatorAt, post } from '../served/behind.mjs';
import { root } from '../served/nginx.mjs';
import { ARTICLE, after, before, fill, open, shot, test, visit } from './browser.mjs';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SCRIPT = path.join(root, 'www/static/rejoinder.js');
const FORM = '**/comments/form?*', REPLY = '**/comments/reply';
const REMEMBER = 'Save my name, email, and website in this browser for the next time I comment.';

let all, moderator;
before(async () => {
  all = await open({ site: { pages: ['**'], pace_burst: 1000, pace_site: 100000 } });
  moderator = await moderatorAt(all);
});
after(async () => all?.tidy());

/** An article that is embedded by the script alone, at an address of its own. */
const article = ({ page = '', head = '', html = 'lang="en"', inside = '' } = {}) => `<!DOCTYPE html>
<html ${html}><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>An article</title>
<meta name="color-scheme" content="light dark"><link rel="stylesheet" href="/made.css">${head}<script src="/comments/static/rejoinder.js" async></script></head>
<body><main><h1>An article</h1><p>Words of the article.</p><div data-rejoinder${page && ` data-page="${page}"`}>${inside}</div></main></body></html>`;

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'";
let made = 0;

/** Opens such an article as a reader with JavaScript; without a name it gets a new one. */
async function read({ at = `/made/${++made}`, options, ...given } = {}) {
  const reader = await visit(all, { javaScriptEnabled: true, ...options });
  await reader.context.route((url) => url.pathname === at || url.pathname === `${at}/`, (route) => route.fulfill({
    contentType: 'text/html; charset=utf-8', headers: { 'Content-Security-Policy': POLICY }, body: article(given) }));
  // axe does not know what colour a page without one has.
  await reader.context.route('**/made.css', (route) => route.fulfill({ contentType: 'text/css', body: 'html { background: Canvas; color: CanvasText }' }));
  await reader.page.goto(at);
  return { ...reader, at };
}

const send = (page) => page.click('form button[type=submit]');
const waiting = (page) => page.locator('.rejoinder-waiting');
const status = (page) => page.locator('form [role=status]');
const stored = (comment) => all.it.sql(`SELECT count(*) AS n FROM reply WHERE comment = '${comment}'`)[0].n;
const local = (page) => page.evaluate(() => JSON.stringify(localStorage));
const good = (comment) => ({ comment, name: 'Aruzhan', email: 'aruzhan@example.org' });

test('it is small, and asks for nothing but our own', () => {
  const text = fs.readFileSync(SCRIPT, 'utf8');
  assert.ok(Buffer.byteLength(text) <= 12288, `${Buffer.byteLength(text)} bytes`);
  assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|https?:\/\/\w|\.style\b/);
});

test('a thread and a form appear, a reply is sent without leaving, waits, and is forgotten when it is published', async () => {
  const { page, leave, at } = await read();
  const first = await post(all, { page: at, name: 'Somebody', comment: 'I was here first.' });
  await moderator.approve(first.id);
  await page.reload();
  await page.getByText('I was here first.').waitFor();
  await page.locator('form').waitFor();
  assert.equal(await page.getByRole('heading', { name: 'Leave a Reply' }).count(), 1);
  await fill(page, good('Sent without leaving the article.'));
  await send(page);
  await waiting(page).waitFor();
  assert.equal(new URL(page.url()).pathname, at);
  assert.match(await waiting(page).innerText(), /Your reply waits for a moderator\.[\s\S]*Aruzhan[\s\S]*Sent without leaving the article\./);
  assert.ok(await waiting(page).evaluate((e) => e === document.activeElement), 'it has the focus');
  assert.equal(await page.inputValue('textarea[name=comment]'), '');
  assert.equal(stored('Sent without leaving the article.'), 1);
  // Only here, and with a name only where it was asked for.
  assert.doesNotMatch(await local(page), /Aruzhan|aruzhan@/);
  const other = await visit(all, { javaScriptEnabled: true });
  await other.page.goto(`/comments/threads${at}/~/thread.html`);
  assert.doesNotMatch(await other.page.content(), /Sent without leaving/);
  await other.leave();
  await page.reload();
  await waiting(page).waitFor();
  assert.match(await waiting(page).innerText(), /Sent without leaving the article\./);
  const receipt = await waiting(page).locator('a').getAttribute('href');
  assert.match((await all.nginx.get(receipt)).text, /Your reply waits for a moderator/);
  // A second one, with the fresh form; whoever is quick does not wait for that to answer somebody.
  await fill(page, good('Sent just before.'));
  let release;
  await page.route(FORM, async (route) => { await new Promise((resolve) => { release = resolve; }); await route.continue(); }, { times: 1 });
  await send(page);
  await page.getByText('Sent just before.').waitFor();
  await page.getByRole('link', { name: 'Reply to Somebody' }).click();
  await page.locator(`#reply-${first.id} form`).waitFor({ timeout: 3000 });
  await page.keyboard.press('Escape');
  release();
  await fill(page, good('And one more thing.'));
  await send(page);
  await page.getByText('And one more thing.').waitFor();
  assert.equal(await waiting(page).count(), 3);
  for (const { id } of all.it.sql(`SELECT reply.id FROM reply JOIN thread ON thread.id = thread_id WHERE page = '${at}' AND state = 'held'`)) await moderator.approve(String(id));
  await page.reload();
  await page.locator('article', { hasText: 'And one more thing.' }).waitFor();
  await page.waitForLoadState('networkidle');
  assert.equal(await waiting(page).count(), 0);
  assert.doesNotMatch(await local(page), /receipt/);
  await leave();
});

test('a waiting reply is forgotten after 30 days, and so is a draft', async () => {
  const { page, leave, at } = await read();
  await page.locator('form').waitFor();
  await page.evaluate((here) => {
    const old = Date.now() - 31 * 24 * 3600e3, young = Date.now() - 29 * 24 * 3600e3;
    localStorage.setItem('rejoinder:waiting', JSON.stringify([{ id: '900001', receipt: '/comments/receipt/old', page: here, parent: '', comment: 'An old one.', at: old },
      { id: '900002', receipt: '/comments/receipt/young', page: here, parent: '', comment: 'A young one.', at: young }]));
    localStorage.setItem('rejoinder:drafts', JSON.stringify({ [`${here}#`]: { comment: 'An old draft.', at: old } }));
  }, at);
  await page.reload();
  await page.getByText('A young one.').waitFor();
  assert.equal(await waiting(page).count(), 1);
  assert.equal(await page.inputValue('textarea[name=comment]'), '');
  assert.doesNotMatch(await local(page), /An old one/);
  await fill(page, { comment: 'x' });
  assert.doesNotMatch(await local(page), /An old draft/);
  await leave();
});

test('a waiting reply that was published on a later page of the thread is forgotten, too', async () => {
  const { page, context, leave, at } = await read();
  const give = (name, contentType, body) => context.route(`**/comments/threads${at}/~/${name}`, (route) => route.fulfill({ contentType, body }));
  await page.locator('form').waitFor();
  await give('thread.html', 'text/html', `<section class="rejoinder"><ol class="rejoinder-replies"></ol><p class="rejoinder-more"><a rel="next" href="/comments/threads${at}/~/page.2.html">More</a></p></section>`);
  await give('thread.json', 'application/json', '{"page":1,"pages":3,"replies":[]}');
  await give('thread.3.json', 'application/json', '{"page":3,"replies":[{"id":"900007","parent_id":"900008"}]}');
  await page.evaluate((here) => localStorage.setItem('rejoinder:waiting', JSON.stringify(['900007', '900008'].map((id) => (
    { id, receipt: '/comments/receipt/x', page: here, parent: '', comment: `Number ${id}.`, at: Date.now() })))), at);
  await page.reload();
  await page.getByText('Number 900008.').waitFor();
  assert.equal(await waiting(page).count(), 1);
  assert.doesNotMatch(await local(page), /900007/);
  await leave();
});

test('a draft outlives a reload, a walk to another page and back, and ends when it is sent', async () => {
  const { page, leave } = await read();
  await page.locator('form').waitFor();
  await page.locator('textarea[name=comment]').pressSequentially('Half a thought');
  await page.reload();
  await page.locator('form').waitFor();
  assert.equal(await page.inputValue('textarea[name=comment]'), 'Half a thought');
  await page.locator('textarea[name=comment]').pressSequentially(', and its other half');
  await page.goto('/');
  await page.goBack();
  await page.locator('form').waitFor();
  assert.equal(await page.inputValue('textarea[name=comment]'), 'Half a thought, and its other half');
  await fill(page, { name: 'Dana', email: 'dana@example.org' });
  await send(page);
  await waiting(page).waitFor();
  assert.equal(stored('Half a thought, and its other half'), 1);
  await page.reload();
  await page.locator('form').waitFor();
  assert.equal(await page.inputValue('textarea[name=comment]'), '');
  assert.equal(await page.evaluate(() => localStorage.getItem('rejoinder:drafts')), '{}');
  await leave();
});

test('name, email and website are remembered only when asked, and forgotten when unasked', async () => {
  const { page, leave } = await read();
  await page.locator('form').waitFor();
  const box = page.getByLabel(REMEMBER, { exact: true });
  assert.equal(await box.isChecked(), false);
  await fill(page, { ...good('Do not remember me.'), website: 'https://example.org/aruzhan' });
  await send(page);
  await waiting(page).waitFor();
  assert.doesNotMatch(await local(page), /Aruzhan|aruzhan/);
  await page.reload();
  await box.waitFor();
  assert.equal(await page.inputValue('input[name=name]'), '');
  await fill(page, { ...good('Do remember me.'), website: 'https://example.org/aruzhan' });
  await box.check();
  await send(page);
  await page.getByText('Do remember me.').waitFor();
  await page.reload();
  await box.waitFor();
  assert.equal(await box.isChecked(), true);
  assert.equal(await page.inputValue('input[name=name]'), 'Aruzhan');
  assert.equal(await page.inputValue('input[name=email]'), 'aruzhan@example.org');
  assert.equal(await page.inputValue('input[name=website]'), 'https://example.org/aruzhan');
  // On another article, too; and unticking takes all of it away at once.
  const elsewhere = await page.context().newPage();
  await elsewhere.goto(`${ARTICLE}/`);
  await elsewhere.focus('textarea[name=comment]');
  await elsewhere.getByLabel(REMEMBER, { exact: true }).waitFor();
  assert.equal(await elsewhere.inputValue('input[name=email]'), 'aruzhan@example.org');
  await elsewhere.getByLabel(REMEMBER, { exact: true }).uncheck();
  assert.doesNotMatch(await local(elsewhere), /aruzhan@|Aruzhan/);
  await leave();
});

test('a reply is answered where it stands, and each draft stays with what it answers', async () => {
  const { page, leave, at } = await read();
  const first = await post(all, { page: at, name: 'Marat', comment: 'Does anybody know?' });
  const second = await post(all, { page: at, name: 'Saule', comment: 'Something else.' });
  await moderator.approve(first.id);
  await moderator.approve(second.id);
  await page.reload();
  await page.locator('form').waitFor();
  await fill(page, { comment: 'To the article.', name: 'Erlan', email: 'erlan@example.org' });
  await page.getByRole('link', { name: 'Reply to Marat' }).click();
  assert.equal(await page.locator(`#reply-${first.id} form`).count(), 1);
  assert.equal(await page.evaluate(() => document.activeElement.name), 'comment');
  assert.match(await page.locator('form .rejoinder-parent').innerText(), /Replying to\s+Marat/);
  assert.equal(await page.inputValue('textarea[name=comment]'), '');
  await page.keyboard.type('I do.');
  await page.getByRole('link', { name: 'Reply to Saule' }).click();
  assert.equal(await page.locator(`#reply-${second.id} form`).count(), 1);
  assert.equal(await page.locator('.rejoinder-parent').count(), 1);
  assert.equal(await page.inputValue('textarea[name=comment]'), '');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('article form').count(), 0);
  assert.equal(await page.inputValue('textarea[name=comment]'), 'To the article.');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Reply to Saule');
  await page.keyboard.press('Escape');
  assert.equal(await page.inputValue('textarea[name=comment]'), 'To the article.');
  await page.getByRole('link', { name: 'Reply to Marat' }).focus();
  await page.keyboard.press('Enter');
  await page.locator(`#reply-${first.id} form`).waitFor();
  assert.equal(await page.inputValue('textarea[name=comment]'), 'I do.');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('link', { name: 'Reply to Marat' }).click();
  await send(page);
  await page.locator(`#reply-${first.id} .rejoinder-waiting`).waitFor();
  assert.equal(await page.inputValue('textarea[name=comment]'), 'To the article.');
  assert.equal(all.it.sql(`SELECT parent_id AS p FROM reply WHERE comment = 'I do.'`)[0].p, Number(first.id));
  await page.reload();
  await page.locator(`#reply-${first.id} .rejoinder-waiting`).waitFor();
  await fill(page, { name: 'Erlan', email: 'erlan@example.org' });
  await send(page);
  await page.locator('.rejoinder > .rejoinder-replies > .rejoinder-waiting').waitFor();
  assert.equal(all.it.sql(`SELECT parent_id AS p FROM reply WHERE comment = 'To the article.'`)[0].p, null);
  await leave();
});

test('what is wrong stands beside its field, is announced once, and the first has the focus', async () => {
  const { page, leave } = await read();
  await page.locator('form').waitFor();
  await fill(page, { ...good('Words that stay.'), name: 'N'.repeat(81), website: 'ftp://example.org/' });
  await send(page);
  await page.locator('[aria-invalid=true]').first().waitFor();
  for (const name of ['name', 'website']) {
    const input = page.locator(`input[name=${name}]`);
    const [id] = (await input.getAttribute('aria-describedby')).split(' ');
    assert.ok(await page.locator(`#${id}`).isVisible(), name);
    const below = (await page.locator(`#${id}`).boundingBox()).y - (await input.boundingBox()).y;
    assert.ok(below > 0 && below < 90, `${name}: ${below} px below`);
  }
  assert.equal(await page.evaluate(() => document.activeElement.name), 'name');
  assert.equal(await page.locator('[aria-invalid=true]').count(), 2);
  assert.match(await status(page).innerText(), /^Not sent yet\./);
  assert.equal(await page.inputValue('textarea[name=comment]'), 'Words that stay.');
  await fill(page, { name: 'N', website: '' });
  await send(page);
  await waiting(page).waitFor();
  assert.equal(await page.locator('[aria-invalid=true], .rejoinder-error').count(), 0);
  assert.equal(await page.getAttribute('input[name=email]', 'aria-describedby'), 'rejoinder-email-note');
  await leave();
});

test('characters are counted as the door counts them, and too many are told before they are sent', async () => {
  const { page, leave } = await read();
  await page.locator('.rejoinder-count').waitFor();
  await fill(page, { comment: `${'😀'.repeat(9)}e\u0301` });
  assert.match(await page.locator('.rejoinder-count').innerText(), /10 \/ 10000/);
  await fill(page, { comment: 'x'.repeat(10001) });
  assert.match(await status(page).innerText(), /too long/);
  assert.equal((await page.inputValue('textarea[name=comment]')).length, 10001, 'nothing is cut');
  await fill(page, { comment: 'x'.repeat(10000) });
  assert.equal(await status(page).innerText(), '');
  await leave();
});

test('a double click sends once, and so do two presses while it is on its way', async () => {
  const { page, leave } = await read();
  await page.locator('form').waitFor();
  let posts = 0, letGo;
  // On its way until all presses are done, however long these take.
  const held = new Promise((go) => { letGo = go; });
  await page.route(REPLY, async (route) => { posts++; await held; await route.continue(); });
  await fill(page, good('Clicked in a hurry.'));
  // Not by playwright's own click, which waits for a button that is not disabled.
  await page.evaluate(() => { for (let i = 0; i < 3; i++) document.querySelector('form button[type=submit]').click(); });
  await page.focus('form button[type=submit]');
  await page.keyboard.press('Enter');
  assert.equal(await page.getAttribute('form button[type=submit]', 'aria-disabled'), 'true');
  letGo();
  await waiting(page).waitFor();
  assert.equal(posts, 1);
  assert.equal(stored('Clicked in a hurry.'), 1);
  assert.equal(await page.getAttribute('form button[type=submit]', 'aria-disabled'), 'false');
  await leave();
});

test('an answer that is lost on the way, or a lost connection: every word stays, and a second try is stored once', async () => {
  const { page, context, leave, complaints } = await read();
  await page.locator('form').waitFor();
  await fill(page, good('Stored, but nobody said so.'));
  // The door takes it, and the answer never arrives.  Chromium knows localhost by itself; node asks
  // /etc/hosts, which a bare system may not have.
  const numeric = (route) => route.request().url().replace('//localhost:', '//127.0.0.1:');
  await page.route(REPLY, async (route) => { await route.fetch({ url: numeric(route) }); await route.abort('connectionreset'); }, { times: 1 });
  await send(page);
  await page.waitForFunction(() => /could not be sent/.test(document.querySelector('form [role=status]').textContent));
  assert.equal(stored('Stored, but nobody said so.'), 1);
  assert.equal(await page.inputValue('textarea[name=comment]'), 'Stored, but nobody said so.');
  assert.equal(await page.getAttribute('form button[type=submit]', 'aria-disabled'), 'false');
  assert.equal(await page.evaluate(() => document.querySelector('textarea').readOnly), false);
  await context.setOffline(true);
  await send(page);
  await page.waitForFunction(() => /could not be sent/.test(document.querySelector('form [role=status]').textContent));
  assert.equal(await page.inputValue('input[name=email]'), 'aruzhan@example.org');
  await context.setOffline(false);
  await send(page);
  await waiting(page).waitFor();
  assert.equal(stored('Stored, but nobody said so.'), 1);
  // The losses were ours; nothing else was complained of.
  const left = complaints.splice(0).filter((one) => !/comments\/reply net::ERR_(CONNECTION_RESET|INTERNET_DISCONNECTED)|Failed to load resource: net::ERR_/.test(one));
  assert.deepEqual(left, []);
  await leave();
});

test('when nothing answers the wait ends; and a page that comes back from the browser\'s memory has its button back', async () => {
  const { page, leave, complaints } = await read();
  // The script's own half minute, a hundred times as fast.
  await page.addInitScript(() => {
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    AbortSignal.timeout = (ms) => timeout(ms === 30000 ? window.patience ?? 10000 : 0);
  });
  await page.reload();
  await page.locator('form').waitFor();
  await fill(page, good('Said into the silence.'));
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route(REPLY, async (route) => { await held; await route.abort().catch(() => {}); }, { times: 2 });
  await page.evaluate(() => { window.patience = 300; });
  await send(page);
  await page.waitForFunction(() => /could not be sent/.test(document.querySelector('form [role=status]').textContent));
  assert.equal(await page.inputValue('textarea[name=comment]'), 'Said into the silence.');
  await page.evaluate(() => { window.patience = 10000; });
  const button = page.locator('form button[type=submit]');
  await button.click();
  await page.waitForFunction(() => document.querySelector('textarea').readOnly);
  assert.equal(await button.getAttribute('aria-disabled'), 'true');
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
  assert.equal(await button.getAttribute('aria-disabled'), 'false');
  assert.equal(await page.evaluate(() => document.querySelector('textarea').readOnly), false);
  release();
  await page.waitForFunction(() => /could not be sent/.test(document.querySelector('form [role=status]').textContent));
  await send(page);
  await waiting(page).waitFor();
  assert.equal(stored('Said into the silence.'), 1);
  complaints.splice(0, complaints.length, ...complaints.filter((one) => !/ERR_FAILED/.test(one)));
  await leave();
});

test('too fast, busy, and a web server that says so itself: the words stay, the seconds are told, the button comes back', async () => {
  const { page, leave, complaints } = await read();
  await page.locator('form').waitFor();
  await fill(page, good('As fast as I can.'));
  const refuse = async (answer, pattern) => {
    await page.route(REPLY, (route) => route.fulfill(answer), { times: 1 });
    await send(page);
    await page.waitForFunction((text) => new RegExp(text).test(document.querySelector('form [role=status]').textContent), pattern.source);
    assert.equal(await page.inputValue('textarea[name=comment]'), 'As fast as I can.');
    assert.equal(await page.getAttribute('form button[type=submit]', 'aria-disabled'), 'false');
    return status(page).innerText();
  };
  const json = (code, error, message, wait) => ({ status: code, contentType: 'application/json', headers: { 'Retry-After': wait }, body: JSON.stringify({ error, message }) });
  assert.equal(await refuse(json(429, 'too-fast', 'Please wait 27 seconds.', '27'), /27/), 'Please wait 27 seconds.');
  assert.equal(await refuse(json(503, 'busy', 'It cannot be kept right now.', '5'), /right now/), 'It cannot be kept right now. Seconds to wait: 5');
  assert.match(await refuse({ status: 502, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' }, /could not/), /Your words are still here/);
  assert.match(await refuse({ status: 429, contentType: 'text/html', headers: { 'Retry-After': '9' }, body: 'slow down' }, /could not/), /9$/);
  await send(page);
  await waiting(page).waitFor();
  complaints.splice(0, complaints.length, ...complaints.filter((one) => !/status of (502|503)/.test(one)));
  await leave();
});

test('the door\'s own refusals: too fast, the same again, a spent key, a parent that is gone', async () => {
  const { page, leave, at } = await read();
  const first = await post(all, { page: at, name: 'Marat', comment: 'Here today.' });
  await moderator.approve(first.id);
  await page.reload();
  await page.locator('form').waitFor();
  const told = (pattern) => page.waitForFunction((text) => new RegExp(text).test(document.querySelector('form [role=status]').textContent), pattern);
  await fill(page, good('These are the same words as before.'));
  const key = await page.inputValue('input[name=key]');
  await send(page);
  await waiting(page).waitFor();
  await page.waitForFunction((old) => document.querySelector('input[name=key]').value && document.querySelector('input[name=key]').value !== old, key);
  await fill(page, good('These are the same words as before.'));
  await send(page);
  await told('already sent these words');
  await page.waitForFunction(() => document.querySelector('input[name=key]').value);
  // A key that was spent on something else: the words stay, and the next try has a fresh one.
  await fill(page, good('Quite another reply of mine.'));
  await page.evaluate((old) => { document.querySelector('input[name=key]').value = old; }, key);
  await send(page);
  await told('already used');
  assert.equal(await page.inputValue('textarea[name=comment]'), 'Quite another reply of mine.');
  await page.waitForFunction((old) => document.querySelector('input[name=key]').value && document.querySelector('input[name=key]').value !== old, key);
  await send(page);
  await page.locator('.rejoinder-waiting', { hasText: 'Quite another reply of mine.' }).waitFor();
  await page.getByRole('link', { name: 'Reply to Marat' }).click();
  await fill(page, { comment: 'An answer that comes too late.' });
  await moderator.decide(first.id, 'trash', 'published');
  await send(page);
  await told('not here any more');
  assert.equal(await page.locator('article form').count(), 0);
  assert.equal(await page.inputValue('textarea[name=comment]'), 'An answer that comes too late.');
  await send(page);
  await page.locator('.rejoinder-waiting', { hasText: 'An answer that comes too late.' }).waitFor();
  await leave();
});

test('where the script does not come, the demo\'s article works as it does without it', async () => {
  const reader = await visit(all, { javaScriptEnabled: true });
  const { page } = reader;
  await page.route('**/rejoinder.js', (route) => route.fulfill({ status: 404, body: '' }));
  await page.goto(`${ARTICLE}/`);
  assert.equal(await page.getByText(REMEMBER).count(), 0);
  await fill(page, good('Without the script.'));
  await Promise.all([page.waitForURL(/\/comments\/receipt\//), send(page)]);
  assert.equal(stored('Without the script.'), 1);
  await reader.leave();
});

test('where the door does not come, reading goes on, and the link leads to the form', async () => {
  const reader = await read({ inside: '<a href="/comments/form?page=/elsewhere">Leave a Reply</a>' });
  const { page, context, at, complaints } = reader;
  const first = await post(all, { page: at, name: 'Marat', comment: 'Read me.' });
  await moderator.approve(first.id);
  await page.waitForLoadState('networkidle');
  await context.route(FORM, (route) => (route.request().isNavigationRequest() ? route.continue() : route.abort('connectionrefused')));
  await page.reload();
  await page.getByText('Read me.').waitFor();
  assert.equal(await page.locator('[data-rejoinder] > div > a').innerText(), 'Leave a Reply');
  await page.getByRole('link', { name: 'Reply to Marat' }).click();
  await page.waitForURL(/\/comments\/form\?page=.*parent=/);
  complaints.splice(0, complaints.length, ...complaints.filter((one) => !/ERR_CONNECTION_REFUSED/.test(one)));
  await reader.leave();
});

test('where the door does not come, an address with a query still shows its thread', async () => {
  const { page, context, leave, at, complaints } = await read();
  const first = await post(all, { page: at, name: 'Marat', comment: 'Found without the query.' });
  await moderator.approve(first.id);
  await context.route(FORM, (route) => route.fulfill({ status: 503, contentType: 'text/html', body: '<h1>Please try again</h1>' }));
  await page.goto(`${at}?utm_source=letter`);
  await page.getByText('Found without the query.').waitFor();
  // When it is back, so is the form.
  await context.unroute(FORM);
  await page.getByRole('link', { name: 'Reply to Marat' }).click();
  await page.locator(`#reply-${first.id} form`).waitFor();
  complaints.splice(0, complaints.length, ...complaints.filter((one) => !/status of 503/.test(one)));
  await leave();
});

test('where the browser stores nothing, replies are sent all the same', async () => {
  const { page, leave } = await read();
  await page.addInitScript(() => Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } }));
  await page.reload();
  await page.locator('form').waitFor();
  await page.getByLabel(REMEMBER, { exact: true }).check();
  await fill(page, good('Kept by nobody here.'));
  await send(page);
  await waiting(page).waitFor();
  assert.equal(stored('Kept by nobody here.'), 1);
  await leave();
});

test('by keyboard alone: through the form in its order, to a reply, back, and out', async () => {
  const { page, leave, at } = await read();
  const first = await post(all, { page: at, name: 'Marat', comment: 'Press your keys.', website: '' });
  await moderator.approve(first.id);
  await page.reload();
  await page.locator('form').waitFor();
  await page.getByRole('link', { name: 'Reply to Marat' }).focus();
  await page.keyboard.press('Enter');
  await page.locator(`#reply-${first.id} form`).waitFor();
  const order = [];
  for (let i = 0; i < 6; i++) {
    order.push(await page.evaluate(() => document.activeElement.name || document.activeElement.type));
    await page.keyboard.press('Tab');
  }
  assert.deepEqual(order, ['comment', 'name', 'email', 'website', 'remember', 'submit']);
  await page.focus('textarea[name=comment]');
  await page.keyboard.press('Shift+Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Cancel');
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(ring, 'none');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Reply to Marat');
  await leave();
});

test('the demo\'s article gets all of it, from one line', async () => {
  const reader = await visit(all, { javaScriptEnabled: true });
  const { page } = reader;
  const first = await post(all, { page: ARTICLE, name: 'Zhanar', comment: 'The train was late again.' });
  await moderator.approve(first.id);
  let asked = 0;
  await page.route(FORM, (route) => { asked++; return route.continue(); });
  await page.goto(`${ARTICLE}/`);
  await page.waitForLoadState('networkidle');
  assert.equal(asked, 0, 'who only reads wakes nobody');
  assert.equal(await page.locator('form[action$="/comments/reply"]').count(), 1);
  await page.getByRole('link', { name: 'Reply to Zhanar' }).click();
  await page.locator(`#reply-${first.id} form.leave`).waitFor();
  await fill(page, { ...good('It always is.'), website: 'ftp://example.org/' });
  await send(page);
  await page.locator('input[name=website][aria-invalid=true]').waitFor();
  await shot(page, 'script-demo-inline-wrong');
  await fill(page, { website: '' });
  await send(page);
  await page.locator(`#reply-${first.id} .rejoinder-waiting`).waitFor();
  await shot(page, 'script-demo-waiting');
  assert.equal(stored('It always is.'), 1);
  assert.equal(await page.locator('.replies > form.leave').count(), 1, 'the form is where it was');
  await reader.leave();
});

test('a page\'s own words for its address: data-page, a query, an index.html, a fragment', async () => {
  const first = await post(all, { page: '/made/named', name: 'Marat', comment: 'At the named page.' });
  await moderator.approve(first.id);
  const named = await read({ page: '/made/named' });
  await named.page.getByText('At the named page.').waitFor();
  await fill(named.page, good('To the named page.'));
  await send(named.page);
  await waiting(named.page).waitFor();
  assert.equal(all.it.sql("SELECT page FROM thread JOIN reply ON thread_id = thread.id WHERE comment = 'To the named page.'")[0].page, '/made/named');
  await named.leave();
  for (const spelling of ['/made/named/?utm_source=x', `/made/named/#reply-${first.id}`]) {
    const other = await read({ at: '/made/named' });
    await other.page.goto('about:blank');
    await other.page.goto(spelling);
    await other.page.getByText('At the named page.').waitFor();
    await other.page.locator('form').waitFor();
    if (spelling.includes('#')) assert.equal(await other.page.locator(`#reply-${first.id}:target`).count(), 1);
    await other.leave();
  }
});

test('a closed thread says so in the place of the form', async () => {
  const { page, leave, at } = await read({ at: '/made/closed' });
  const first = await post(all, { page: at, name: 'Marat', comment: 'The last word.' });
  await moderator.approve(first.id);
  all.it.mustCli(['close', at]);
  await page.reload();
  await page.getByText(/closed/i).waitFor();
  await page.waitForLoadState('networkidle');
  assert.equal(await page.getByText(/closed/i).count(), 1);
  assert.equal(await page.locator('form').count(), 0);
  await leave();
});

test('markup in a reader\'s own waiting reply is shown as typed', async () => {
  const { page, leave } = await read();
  await page.locator('form').waitFor();
  const nasty = '<img src=x onerror=alert(1)><script>alert(2)</script>';
  await fill(page, { ...good(nasty), name: '<b>Bold</b>' });
  await send(page);
  await waiting(page).waitFor();
  await page.reload();
  await waiting(page).waitFor();
  assert.ok((await waiting(page).innerText()).includes(nasty));
  assert.equal(await waiting(page).locator('img, script, b').count(), 0);
  await leave();
});

const HOSTILE = '<link rel="stylesheet" href="/hostile.css">';
const SHEETS = '* { margin: 0; padding: 0; box-sizing: content-box } li { list-style: square } input, button, textarea { border: none; background: yellow; color: #222; font: 10px monospace } p { line-height: 1.1 } label { float: left } form { text-align: center }';
const LOOKS = {
  plain: {},
  rtl: { html: 'lang="ar" dir="rtl"' },
  hostile: { head: HOSTILE },
};
for (const [name, look] of Object.entries(LOOKS)) {
  test(`${name}: wide and narrow, light and dark, with a message, an answer and a waiting reply`, async () => {
    const at = `/made/look-${name}`;
    const first = await post(all, { page: at, name: 'Marat', comment: `A question. ${'x'.repeat(200)}` });
    await moderator.approve(first.id);
    for (const [width, colorScheme] of [[1280, 'light'], [1280, 'dark'], [320, 'light'], [320, 'dark']]) {
      const { page, context, leave } = await read({ ...look, at, options: { viewport: { width, height: 800 }, colorScheme } });
      await context.route('**/hostile.css', (route) => route.fulfill({ contentType: 'text/css', body: SHEETS }));
      await page.reload();
      await page.locator('form').waitFor();
      await fill(page, good(`Look at me, ${width} ${colorScheme} ${name}. ${'y'.repeat(150)}`));
      await send(page);
      await waiting(page).waitFor();
      await page.getByRole('link', { name: 'Reply to Marat' }).click();
      await fill(page, { comment: 'Another.', name: 'N'.repeat(81), website: 'ftp://example.org/' });
      await send(page);
      await page.locator('[aria-invalid=true]').first().waitFor();
      await shot(page, `script-${name}-${width}-${colorScheme}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(wide, 0, `${width} px`);
      assert.equal(await page.locator('.rejoinder-phone').evaluate((e) => e.getBoundingClientRect().width <= 1), true);
      await page.evaluate(axe);
      const found = await page.evaluate(() => window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
      const wrong = found.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`);
      assert.deepEqual(wrong, [], `${width} px ${colorScheme}`);
      await leave();
    }
  });
}

test('on a closed page the form goes before anybody types, and asks no program; a draft comes back to be copied', async () => {
  const address = '/science/aral-sea-seedlings';
  all.it.mustCli(['close', address]);
  try {
    const { page, leave } = await visit(all, { javaScriptEnabled: true });
    let asked = 0;
    await page.route(FORM, (route) => { asked++; return route.continue(); });
    await page.goto(`${address}/`);
    await page.locator('form.leave').waitFor({ state: 'detached' });
    assert.equal(await page.getByText(/replies.*closed/i).count(), 1);
    assert.equal(asked, 0, 'the thread itself says that it is closed');
    await page.evaluate((here) => localStorage.setItem('rejoinder:drafts', JSON.stringify({ [`${here}#`]: { comment: 'Half a thought', at: Date.now() } })), address);
    await page.reload();
    await page.locator('form.leave').waitFor({ state: 'detached' });
    const kept = page.getByRole('textbox', { name: 'Comment' });
    assert.equal(await kept.inputValue(), 'Half a thought');
    assert.equal(await kept.isEditable(), false);
    assert.match(await page.getByRole('alert').innerText(), /^It was not sent\. Copy it/);
    assert.equal(await page.getByText(/replies.*closed/i).count(), 1);
    await leave();
  } finally {
    all.it.mustCli(['reopen', address]);
  }
});

test('where a paused site is noticed while somebody types, it is said that nothing was sent, and the words stay', async () => {
  const pause = (paused) => all.it.sql(`UPDATE site SET paused = ${paused} WHERE name = 'main'`);
  pause(1);
  try {
    const { page, leave } = await visit(all, { javaScriptEnabled: true });
    let release;
    const held = new Promise((resolve) => { release = resolve; });
    await page.route(FORM, async (route) => { await held; await route.continue(); });
    await page.goto(`${ARTICLE}/`);
    await page.locator('form.leave [name=comment]').pressSequentially('Half a thought');
    release();
    await page.locator('form.leave').waitFor({ state: 'detached' });
    assert.equal(await page.getByText(/takes no replies at the moment/).count(), 1);
    assert.match(await page.getByRole('alert').innerText(), /^It was not sent\. Copy it/);
    const kept = page.getByRole('textbox', { name: 'Comment' });
    assert.equal(await kept.inputValue(), 'Half a thought');
    assert.equal(await kept.isEditable(), false);
    assert.ok(await kept.evaluate((e) => e === document.activeElement), 'where one was typing one still is');
    await leave();
    // Sent before that is known: the door says it, and gives the words back.
    const other = await visit(all, { javaScriptEnabled: true });
    let go;
    const later = new Promise((resolve) => { go = resolve; });
    await other.page.route(FORM, async (route) => { await later; await route.continue(); });
    await other.page.goto(`${ARTICLE}/`);
    await fill(other.page, good('Sent in a hurry.'));
    await send(other.page);
    go();
    await other.page.waitForURL(/\/comments\/reply$/);
    assert.match(await other.page.locator('main').innerText(), /takes no replies at the moment/);
    assert.equal(await other.page.locator('textarea').inputValue(), 'Sent in a hurry.');
    other.complaints.length = 0; // 403 is told as an error
    await other.leave();
  } finally {
    pause(0);
  }
});

test('one\'s own waiting reply is shown on a page that was closed since', async () => {
  const { page, leave } = await read();
  await page.locator('form').waitFor();
  await fill(page, good('Just in time.'));
  await send(page);
  await waiting(page).waitFor();
  all.it.mustCli(['close', new URL(page.url()).pathname]);
  await page.reload();
  await waiting(page).waitFor();
  assert.match(await waiting(page).innerText(), /waits for a moderator[\s\S]*See what becomes of it[\s\S]*Just in time\./);
  assert.equal(await page.locator('form').count(), 0);
  await leave();
});

test('the box of a waiting reply says what its link is for, and shows line breaks', async () => {
  const { page, leave } = await read();
  await page.locator('form').waitFor();
  await fill(page, good('One *line*.\nAnother.\n\nAnd a third.'));
  await send(page);
  await waiting(page).waitFor();
  for (let i = 0; i < 2; i++) {
    assert.match(await waiting(page).innerText(), /See what becomes of it Keep this link: it leads back to your reply\. For 15 minutes after sending,[^\n]*as you typed it\./);
    assert.match(await waiting(page).locator('.rejoinder-comment').innerText(), /^One \*line\*\.\nAnother\.\n\nAnd a third\.$/);
    await page.reload();
    await waiting(page).waitFor();
  }
  await leave();
});

test('a website without its https:// gets it, also where Enter is pressed behind it', async () => {
  const { page, leave } = await read();
  await page.locator('form').waitFor();
  await fill(page, good('With a website of mine.'));
  const website = page.locator('input[name=website]');
  await website.pressSequentially('example.org/aruzhan');
  await website.press('Tab');
  assert.equal(await website.inputValue(), 'https://example.org/aruzhan');
  for (const typed of ['https://example.org', 'http://example.org', 'ftp://example.org', 'mailto:a@example.org', 'a@example.org', 'a.b@example.org', 'example']) {
    await website.fill(typed);
    await page.locator('input[name=name]').focus();
    assert.equal(await website.inputValue(), typed);
  }
  for (const typed of ['example.org:8080', 'social.example/@a.b', 'example.org/']) {
    await website.fill(typed);
    await page.locator('input[name=name]').focus();
    assert.equal(await website.inputValue(), `https://${typed}`);
  }
  await website.fill('');
  await website.pressSequentially('example.org');
  await website.press('Enter');
  await waiting(page).waitFor();
  assert.equal(all.it.sql("SELECT website AS w FROM reply WHERE comment = 'With a website of mine.'")[0].w, 'https://example.org');
  await leave();
});
