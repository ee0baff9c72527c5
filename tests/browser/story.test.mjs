// The whole story as a reader and a moderator live it, in Chromium without JavaScript.
import assert from 'node:assert/strict';
import { EDITOR, post } from '../served/behind.mjs';
import { ARTICLE, after, before, fill, open, press, reply, sendButton, signIn, test, visit } from './browser.mjs';

let all;
before(async () => { all = await open(); });
after(async () => all?.tidy());

const inQueue = (page, words) => page.locator('article[id^="reply-"]').filter({ hasText: words });
const decide = (page, words, state) => press(page, inQueue(page, words).locator(`form button[name=state][value=${state}]`));
const inThread = (page, words) => page.locator('.rejoinder article[id^="reply-"]').filter({ hasText: words });

async function asEditor(run) {
  const moderator = await visit(all);
  await signIn(moderator.page, EDITOR);
  await run(moderator.page);
  await moderator.leave();
}

test('a reply from the article to the receipt, the queue, the thread, and back', async () => {
  const words = 'I grew up beside that railroad, and it never stopped for us.';
  const reader = await visit(all);
  const { page } = reader;
  await page.goto(`${ARTICLE}/`);
  assert.equal(await page.locator('h1').innerText(), 'In Astana, China Sets the Table');
  assert.equal(await page.getByRole('heading', { name: 'Leave a Reply' }).count(), 1);
  await reply(page, { comment: words, name: 'Bolat', email: 'bolat@example.org' });
  const receipt = page.url();
  assert.match(new URL(receipt).pathname, /^\/comments\/receipt\/[^/]+$/);
  assert.ok(await page.getByText(words).isVisible());
  assert.match(await page.locator('h1').innerText(), /wait|moderat/i);
  assert.ok(!(await page.content()).includes('bolat@example.org'));
  await page.goto(`${ARTICLE}/`);
  assert.equal(await inThread(page, words).count(), 0);

  const moderator = await visit(all);
  const desk = moderator.page;
  await desk.goto('/comments/moderate/');
  assert.match(desk.url(), /sign-in/);
  await signIn(desk, { name: EDITOR.name, password: 'not the one at all' });
  assert.equal(await inQueue(desk, words).count(), 0);
  assert.equal(await desk.locator('input[name=password]').inputValue(), '');
  assert.equal(await desk.getByRole('alert').count(), 1);
  await signIn(desk, EDITOR);
  assert.equal(await inQueue(desk, words).count(), 1);
  assert.ok(await inQueue(desk, words).getByText('bolat@example.org').isVisible());
  await decide(desk, words, 'published');
  assert.match(await desk.getByRole('status').innerText(), /approved/i);
  assert.equal(await inQueue(desk, words).count(), 0);

  await page.goto(`${ARTICLE}/`);
  assert.equal(await inThread(page, words).count(), 1);
  assert.ok(await inThread(page, words).getByText('Bolat').isVisible());
  assert.ok(!(await page.content()).includes('bolat@example.org'));
  await page.goto(receipt);
  await press(page, page.locator(`main a[href*="${ARTICLE}"][href*="#reply-"]`));
  assert.equal(new URL(page.url()).pathname.replace(/\/$/, ''), ARTICLE);
  assert.ok(await inThread(page, words).isVisible());

  await desk.goto('/comments/moderate/?state=published');
  await decide(desk, words, 'held');
  await page.goto(`${ARTICLE}/`);
  assert.equal(await inThread(page, words).count(), 0);
  assert.ok(await page.getByRole('heading', { name: 'Leave a Reply' }).isVisible());

  await press(desk, desk.locator('.done form button'));
  await page.goto(`${ARTICLE}/`);
  assert.equal(await inThread(page, words).count(), 1, 'undo puts it back');
  await press(desk, desk.getByRole('button', { name: /sign out/i }));
  await desk.goto('/comments/moderate/');
  assert.match(desk.url(), /sign-in/);
  await reader.leave();
  await moderator.leave();
});

test('a mistake keeps every word, says what is wrong beside its field, and can be mended', async () => {
  const reader = await visit(all);
  const { page } = reader;
  const words = 'Line one, with <b>tags</b> & "quotes".\n\n  Line two, indented.';
  await page.goto(`${ARTICLE}/`);
  await reply(page, { comment: words, name: 'N'.repeat(81), email: 'someone@example.org', website: 'ftp://example.org/' });
  assert.equal(await page.inputValue('textarea[name=comment]'), words);
  assert.equal(await page.inputValue('input[name=name]'), 'N'.repeat(81));
  assert.equal(await page.inputValue('input[name=email]'), 'someone@example.org');
  assert.equal(await page.inputValue('input[name=website]'), 'ftp://example.org/');
  for (const field of ['name', 'website']) {
    const input = page.locator(`input[name=${field}]`);
    assert.equal(await input.getAttribute('aria-invalid'), 'true', field);
    const ids = (await input.getAttribute('aria-describedby')).split(' ');
    assert.ok(await page.locator(`#${ids[0]}`).isVisible(), field);
  }
  assert.equal(await page.locator('input[name=email]').getAttribute('aria-invalid'), null);
  await reply(page, { name: 'Nurlan', website: '' });
  assert.match(new URL(page.url()).pathname, /^\/comments\/receipt\//);
  assert.ok(await page.getByText('<b>tags</b>').isVisible());
  await reader.leave();
});

test('a double click, and the article\'s form sent again, give the same receipt', async () => {
  const reader = await visit(all);
  const { page } = reader;
  const words = { comment: 'Sent once, whatever the mouse says.', name: 'Twice', email: 'twice@example.org' };
  const stored = () => all.it.sql("SELECT count(*) AS n FROM reply WHERE name = 'Twice'")[0].n;
  await page.goto(`${ARTICLE}/`);
  await reply(page, words);
  const receipt = page.url();
  assert.match(receipt, /\/receipt\//);
  await page.goBack();
  await reply(page, words);
  assert.equal(page.url(), receipt);
  assert.equal(stored(), 1);
  await page.goto(`/comments/form?page=${ARTICLE}`);
  await fill(page, { ...words, comment: 'Clicked two times in a hurry.' });
  await sendButton(page).dblclick();
  await page.waitForURL(/\/receipt\//);
  assert.equal(stored(), 2);
  await reader.leave();
});

test('the Reply link of a published reply answers that reply', async () => {
  const { id } = await post(all, { page: ARTICLE, name: 'First Voice', comment: 'A question for everybody here.' });
  await asEditor((page) => decide(page, 'A question for everybody here.', 'published'));
  const reader = await visit(all);
  const { page } = reader;
  await page.goto(`${ARTICLE}/`);
  await press(page, inThread(page, 'A question for everybody here.').getByRole('link', { name: /^Reply/ }));
  assert.equal(new URL(page.url()).searchParams.get('parent'), id);
  assert.ok(await page.getByText('First Voice').isVisible());
  await reply(page, { comment: 'An answer to that question.', name: 'Second Voice', email: 'second@example.org' });
  await asEditor((desk) => decide(desk, 'An answer to that question.', 'published'));
  await page.goto(`${ARTICLE}/`);
  const item = page.locator('li').filter({ has: page.locator(`> #reply-${id}`) });
  assert.equal(await item.getByText('An answer to that question.').count(), 1);
  await reader.leave();
});

test('several replies are chosen and approved at once, and the others wait on', async () => {
  for (const n of [1, 2, 3]) await post(all, { page: ARTICLE, comment: `Number ${n} of a small flood.` });
  await asEditor(async (page) => {
    for (const n of [1, 3]) await inQueue(page, `Number ${n} of a small flood.`).getByRole('checkbox').check();
    await press(page, page.locator('#selection button[name=state][value=published]'));
    assert.match(await page.getByRole('status').innerText(), /2/);
    assert.equal(await inQueue(page, /Number [13] of a small flood/).count(), 0);
    assert.equal(await inQueue(page, 'Number 2 of a small flood.').count(), 1);
    await page.goto(`${ARTICLE}/`);
    assert.equal(await inThread(page, /Number [13] of a small flood/).count(), 2);
    assert.equal(await inThread(page, 'Number 2 of a small flood.').count(), 0);
  });
});

test('after a decision its «Undo» is in view, on a telephone too; undone, the reply is the place to go on', async () => {
  for (const n of [1, 2, 3]) await post(all, { page: ARTICLE, comment: `Number ${n} of a queue on a telephone.` });
  const moderator = await visit(all, { viewport: { width: 320, height: 700 } });
  await signIn(moderator.page, EDITOR);
  await decide(moderator.page, 'Number 3 of a queue on a telephone.', 'trash');
  const box = await moderator.page.locator('.done form button').boundingBox();
  await press(moderator.page, moderator.page.locator('.done form button'));
  const back = await inQueue(moderator.page, 'Number 3 of a queue on a telephone.').getAttribute('id');
  assert.equal(new URL(moderator.page.url()).hash, `#${back}`);
  await moderator.leave();
  assert.ok(box.y >= 0 && box.y + box.height <= 700, `it is at ${box.y}`);
});

test('of two moderators the second is told, and overrules nobody', async () => {
  await post(all, { page: ARTICLE, comment: 'Both of you saw me at once.' });
  const one = await visit(all), two = await visit(all);
  await signIn(one.page, EDITOR);
  await signIn(two.page, EDITOR);
  await decide(one.page, 'Both of you saw me at once.', 'published');
  await decide(two.page, 'Both of you saw me at once.', 'trash');
  assert.match(await two.page.getByRole('alert').first().innerText(), new RegExp(EDITOR.name));
  await one.page.goto(`${ARTICLE}/`);
  assert.equal(await inThread(one.page, 'Both of you saw me at once.').count(), 1);
  await one.leave();
  await two.leave();
});

test('markup that is typed is shown as typed, also where scripts run', async () => {
  const nasty = '<script>alert(1)</script> <img src=x onerror=alert(2)> [x](javascript:alert(3)) <svg/onload=alert(4)> {{name}} <!--#echo var="DATE_LOCAL" -->';
  await post(all, { page: ARTICLE, name: '"><script>alert(5)</script>', comment: nasty });
  const reader = await visit(all, { javaScriptEnabled: true });
  const { page } = reader;
  await signIn(page, EDITOR);
  assert.ok(await inQueue(page, 'alert(2)').isVisible());
  // Where scripts run it is decided in place.
  await inQueue(page, 'alert(2)').locator('form button[name=state][value=published]').click();
  await page.locator('.reply.decided .outcome').getByText('alert(5)').waitFor();
  await page.goto(`${ARTICLE}/`);
  const shown = inThread(page, 'alert(2)');
  assert.match(await shown.innerText(), /<script>alert\(1\)<\/script> <img src=x onerror=alert\(2\)>/);
  assert.match(await shown.innerText(), /\{\{name\}\}/);
  assert.equal(await shown.locator('script, img, svg, [href^="javascript"]').count(), 0);
  await page.waitForLoadState('networkidle');
  await reader.leave();
});
