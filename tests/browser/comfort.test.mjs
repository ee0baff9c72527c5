// The moderators' script, www/static/moderate.js: what it adds, and that nothing is lost where it, the
// network or the session fails.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { EDITOR, moderatorAt, post } from '../served/behind.mjs';
import { root } from '../served/nginx.mjs';
import { ARTICLE, after, before, beforeEach, open, press, signIn, test, visit } from './browser.mjs';

const MOST = 27 * 1024;
const DECIDE = '**/comments/moderate/decide';

let all, moderator;
before(async () => {
  all = await open({ site: { pages: ['**'], pace_burst: 1000, pace_site: 100000 } });
  moderator = await moderatorAt(all);
});
after(async () => all?.tidy());
beforeEach(() => all.it.sql("DELETE FROM decision; DELETE FROM reply; UPDATE tally SET n = 0"));

/** Replies that wait, the first one on top of the queue; their ids. */
async function waiting(...comments) {
  const ids = [];
  for (const comment of [...comments].reverse()) ids.unshift((await post(all, { page: ARTICLE, comment })).id);
  return ids;
}
async function desk(options = {}) {
  const visitor = await visit(all, { javaScriptEnabled: true, ...options });
  await signIn(visitor.page, EDITOR);
  return visitor;
}
const reply = (page, id) => page.locator(`#reply-${id}`);
const outcome = (page, id) => reply(page, id).locator('.outcome');
const stateOf = (id) => all.it.sql(`SELECT state FROM reply WHERE id = ${id}`)[0].state;
const focused = (page) => page.evaluate(() => document.activeElement.closest('article')?.id ?? document.activeElement.id);
const said = (page) => page.locator('p.unseen[role=status]').innerText();
const held = (page) => page.locator('.tabs a[href*=held] .count').innerText();

test('it is small, and asks for nothing but our own', () => {
  const text = fs.readFileSync(path.join(root, 'www/static/moderate.js'), 'utf8');
  assert.ok(Buffer.byteLength(text) <= MOST, `${Buffer.byteLength(text)} bytes`);
  assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|https?:\/\/|\.style\b/);
});

test('keys move and decide without leaving the page; undo takes it back', async () => {
  const [one, two, three, four] = await waiting('First.', 'Second.', 'Third.', 'Fourth.');
  const { page, leave } = await desk();
  const at = page.url();
  await page.keyboard.press('j');
  assert.equal(await focused(page), `reply-${one}`);
  await page.keyboard.press('a');
  assert.equal(await focused(page), `reply-${two}`, 'the next one is there at once');
  await outcome(page, one).waitFor();
  assert.match(await outcome(page, one).innerText(), /Approved\.[\s\S]*Undo/);
  assert.equal(await reply(page, one).getByText('First.').isVisible(), false);
  assert.equal(stateOf(one), 'published');
  assert.equal(await held(page), '3');
  assert.match(await said(page), /Approved/);
  await page.keyboard.press('s');
  await page.keyboard.press('d');
  await outcome(page, three).waitFor();
  assert.deepEqual([two, three].map(stateOf), ['spam', 'trash']);
  assert.equal(await focused(page), `reply-${four}`);
  await page.keyboard.press('z');
  await reply(page, three).locator('.comment').waitFor();
  assert.equal(stateOf(three), 'held');
  assert.equal(await focused(page), `reply-${three}`);
  assert.match(await said(page), /Undone/);
  await page.keyboard.press('z');
  await reply(page, two).locator('.comment').waitFor();
  await outcome(page, one).getByRole('button', { name: 'Undo' }).click();
  await reply(page, one).locator('.comment').waitFor();
  assert.deepEqual([one, two, three, four].map(stateOf), Array(4).fill('held'));
  assert.equal(await held(page), '4');
  // What came back can be decided about again.
  await page.keyboard.press('a');
  await outcome(page, one).waitFor();
  await page.keyboard.press('k');
  assert.equal(page.url(), at);
  await leave();
});

test('a selection: by x, by shift and a click, all of them; with shift a key is for the selection', async () => {
  const ids = await waiting('One.', 'Two.', 'Three.', 'Four.', 'Five.');
  const { page, leave } = await desk();
  const chosen = () => page.locator('.chosen').innerText();
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await reply(page, ids[2]).getByRole('checkbox').click({ modifiers: ['Shift'] });
  assert.equal(await chosen(), '3');
  await page.keyboard.press('Shift+A');
  await outcome(page, ids[2]).waitFor();
  assert.deepEqual(ids.map(stateOf), ['published', 'published', 'published', 'held', 'held']);
  assert.match(await said(page), /3 replies approved/);
  await page.keyboard.press('z');
  await reply(page, ids[0]).locator('.comment').waitFor();
  assert.deepEqual(ids.map(stateOf), Array(5).fill('held'));
  await page.getByRole('checkbox', { name: 'Select all' }).check();
  assert.equal(await chosen(), '5');
  await page.locator('#selection button.spam').click();
  await outcome(page, ids[4]).waitFor();
  assert.deepEqual(ids.map(stateOf), Array(5).fill('spam'));
  assert.equal(await chosen(), '0');
  await leave();
});

test('approved below what is hidden: the line that is left says that it is not shown yet', async () => {
  const parent = (await post(all, { page: ARTICLE, comment: 'Above.' })).id;
  await moderator.decide(parent, 'published');
  const below = [(await post(all, { page: ARTICLE, parent, comment: 'Below.' })).id, (await post(all, { page: ARTICLE, parent, comment: 'Below, too.' })).id];
  await moderator.decide(parent, 'spam', 'published');
  const [free] = await waiting('On its own.');
  const { page, leave } = await desk();
  await reply(page, below[0]).locator('.approve').click();
  await outcome(page, below[0]).waitFor();
  assert.match(await outcome(page, below[0]).innerText(), /^Approved\. It is not shown yet: something above it is not published\./);
  assert.match(await said(page), /It is not shown yet/);
  for (const id of [below[1], free]) await reply(page, id).getByRole('checkbox').check();
  await page.locator('#selection .approve').click();
  await outcome(page, free).waitFor();
  assert.match(await outcome(page, below[1]).innerText(), /not shown yet/);
  assert.doesNotMatch(await outcome(page, free).innerText(), /not shown yet/);
  assert.match(await said(page), /2 replies approved\. 1 of them is not shown yet/);
  await leave();
});

test('what is hidden along with a reply is told where the reply was, and so it is when that is taken back', async () => {
  const parent = (await post(all, { page: ARTICLE, comment: 'Above.' })).id;
  await moderator.decide(parent, 'published');
  const below = [];
  for (const comment of ['Below.', 'Below, too.']) below.push((await post(all, { page: ARTICLE, parent, comment })).id);
  await moderator.decide(below, 'published');
  const { page, leave } = await desk();
  await page.goto('/comments/moderate/?state=published');
  await reply(page, parent).locator('.decide .hold').click();
  await outcome(page, parent).waitFor();
  assert.match(await outcome(page, parent).innerText(), /^Held again\.[\s\S]*Hidden with it: 2 replies that hang on it\./);
  assert.match(await said(page), /Hidden with it: 2 replies/);
  await page.keyboard.press('z');
  await reply(page, parent).locator('.comment').waitFor();
  assert.match(await outcome(page, parent).innerText(), /^Shown again with it: 2 replies/);
  assert.match(await said(page), /^Undone\. Shown again with it: 2 replies/);
  for (const id of [parent, below[0]]) await reply(page, id).getByRole('checkbox').check();
  await page.locator('#selection .trash').click();
  for (const id of [parent, below[0]]) await page.locator(`#reply-${id}.decided .outcome`).waitFor();
  const told = (await page.locator('.outcome').allInnerTexts()).join(' ');
  assert.equal(told.match(/with them/g).length, 1, told);
  assert.match(told, /Hidden with them: 1 reply that hangs on them\./);
  await leave();
});

test('as it is heard: each decision, each undo and each selection is told once, and the focus is never lost', async () => {
  const ids = await waiting('One.', 'Two.', 'Three.', 'Four.', 'Five.');
  const visitor = await visit(all, { javaScriptEnabled: true });
  const { page, leave } = visitor;
  const heard = [];
  await page.exposeFunction('hear', (what) => heard.push(what));
  await page.addInitScript(() => {
    const region = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest('[role=status], [role=alert], [aria-live]');
    new MutationObserver((changes) => {
      const spoke = new Set(changes.flatMap(({ target, addedNodes }) => [target, ...addedNodes]).map(region).filter(Boolean));
      for (const one of spoke) if (one.textContent.trim()) window.hear(one.textContent.replace(/[\u2066-\u2069]/g, '').replace(/\s+/g, ' ').trim());
    }).observe(document, { subtree: true, childList: true, characterData: true });
    addEventListener('focusout', ({ relatedTarget }) => {
      if (!relatedTarget) setTimeout(() => { if (document.activeElement === document.body) window.hear('the focus is lost'); }, 20);
    }, true);
  });
  await signIn(page, EDITOR);
  heard.length = 0;
  await page.keyboard.press('j');
  for (const [n, key] of [...'asdaa'].entries()) {
    await page.keyboard.press(key);
    await outcome(page, ids[n]).waitFor();
  }
  // For what would come twice, or too late.
  const settled = () => page.evaluate(() => new Promise((then) => { requestAnimationFrame(() => setTimeout(then, 40)); }));
  await settled();
  assert.equal(heard.length, 5, heard.join(' | '));
  for (const [n, verb] of [/^Approved\. .*’s reply\.$/, /^Marked as spam\./, /^Moved to the trash\./, /^Approved/, /^Approved/].entries()) assert.match(heard[n], verb);
  // Nothing is left: where one is has a name.
  assert.match(await page.locator('main').ariaSnapshot(), /- region "Replies"/);
  assert.equal(await focused(page), 'replies');
  heard.length = 0;
  for (const id of [...ids].reverse()) {
    await page.keyboard.press('z');
    await reply(page, id).locator('.comment').waitFor();
  }
  await settled();
  assert.deepEqual(heard, Array(5).fill('Undone.'));
  heard.length = 0;
  await page.keyboard.press('x');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await settled();
  assert.deepEqual(heard, ['Selected 1', 'Selected 2']);
  heard.length = 0;
  await page.keyboard.press('Shift+D');
  await outcome(page, ids[1]).waitFor();
  await settled();
  assert.deepEqual(heard.sort(), ['2 replies moved to the trash.', 'Selected 0']);
  heard.length = 0;
  await page.keyboard.press('r');
  await reply(page, ids[2]).locator('textarea').waitFor();
  await page.keyboard.press('Escape');
  assert.equal(await focused(page), `reply-${ids[2]}`);
  await settled();
  assert.deepEqual(heard, []);
  await leave();
});

test('no key works in a field, with Ctrl, Alt or Meta; they can be changed, and switched off', async () => {
  const [one, two] = await waiting('First.', 'Second.');
  const { page, leave } = await desk();
  await page.keyboard.press('j');
  for (const with_ of ['Control', 'Alt', 'Meta']) await page.keyboard.press(`${with_}+d`);
  assert.equal(stateOf(one), 'held');
  await reply(page, one).locator('.write a.answer').click();
  await reply(page, one).locator('textarea').pressSequentially('a sad answer?');
  assert.equal(await reply(page, one).locator('textarea').inputValue(), 'a sad answer?');
  assert.equal(stateOf(one), 'held');
  await reply(page, one).getByRole('button', { name: 'Cancel' }).click();
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog', { name: 'Keys' });
  await dialog.waitFor();
  await dialog.getByLabel('Approve', { exact: true }).fill('d');
  await dialog.getByRole('button', { name: 'Save' }).click();
  assert.ok(await dialog.isVisible(), 'two deeds with one key are refused');
  await dialog.getByLabel('Approve', { exact: true }).fill('y');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'hidden' });
  assert.equal(stateOf(one), 'held', 'nothing typed there decides');
  await reply(page, one).locator('h2').focus();
  await page.keyboard.press('a');
  await page.keyboard.press('y');
  await outcome(page, one).waitFor();
  assert.equal(stateOf(one), 'published');
  await page.reload();
  await page.keyboard.press('j');
  await page.keyboard.press('?');
  await dialog.getByLabel('Use these keys').uncheck();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await reply(page, two).locator('h2').evaluate((h2) => { h2.tabIndex = -1; h2.focus(); });
  await page.keyboard.press('y');
  await page.keyboard.press('d');
  await page.getByRole('button', { name: /^Keys/ }).click();
  await dialog.getByRole('button', { name: 'As they were at first' }).click();
  assert.equal(await dialog.getByLabel('Approve', { exact: true }).inputValue(), 'a');
  await page.keyboard.press('Escape');
  assert.equal(stateOf(two), 'held');
  await leave();
});

test('the letters of another alphabet count by their place', async () => {
  const [one] = await waiting('First.');
  const { page, leave } = await desk();
  await page.keyboard.press('j');
  await page.evaluate(() => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'ф', code: 'KeyA', bubbles: true, cancelable: true })));
  await outcome(page, one).waitFor();
  assert.equal(stateOf(one), 'published');
  await leave();
});

test('a conflict is shown at its place, with the new text, and can be decided there', async () => {
  const [one, two] = await waiting('First.', 'Second.');
  const { page, leave } = await desk();
  await moderator.decide(two, 'spam');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('a');
  const conflict = reply(page, two).locator('.conflict');
  await conflict.waitFor();
  assert.match(await conflict.innerText(), /editor has marked this reply as spam meanwhile\. Your decision about it was not carried out\.\n/);
  assert.equal(await conflict.locator('strong.who').innerText(), 'editor');
  // It stands where the reply stood: a stripe at its side, and no line above what there is nothing above.
  const look = await conflict.evaluate((one) => { const { borderTopWidth, borderInlineStartWidth, paddingTop } = getComputedStyle(one); return [borderTopWidth, borderInlineStartWidth, paddingTop]; });
  assert.deepEqual(look, ['0px', '6px', '0px']);
  assert.match(await conflict.innerText(), /Second\./);
  assert.equal(stateOf(two), 'spam');
  assert.equal(await focused(page), `reply-${two}`);
  assert.match(await said(page), /changed since you saw it/);
  assert.ok(await reply(page, one).locator('.comment').isVisible());
  await leave();
});

test('a conflict with the author shows the new words, and says what was not done', async () => {
  const { id, receipt } = await post(all, { page: ARTICLE, comment: 'Before.' });
  const { page, leave } = await desk();
  const writer = await visit(all);
  await writer.page.goto(receipt);
  await press(writer.page, writer.page.locator('a[href*=edit]'));
  await writer.page.fill('textarea[name=comment]', 'Afterwards.');
  await press(writer.page, writer.page.locator('button[value=save]'));
  await writer.leave();
  await reply(page, id).locator('.approve').click();
  const conflict = page.locator(`#conflict-${id}`);
  await conflict.waitFor();
  assert.match(await conflict.innerText(), /The author has edited this reply meanwhile\. Your decision about it was not carried out\. This is the new text:\s+Afterwards\./);
  assert.equal(await conflict.locator('.who').count(), 0);
  assert.equal(stateOf(id), 'held');
  await conflict.locator('.approve').click();
  await outcome(page, id).waitFor();
  assert.equal(stateOf(id), 'published');
  await leave();
});

for (const script of [true, false]) {
  test(`on a telephone what is done with a selection takes two low lines, and spam is far from what approves (${script ? 'with' : 'without'} the script)`, async () => {
    await waiting('One.', 'Two.');
    for (const width of [320, 360, 400]) {
      const { page, leave } = await desk({ javaScriptEnabled: script, viewport: { width, height: 640 } });
      const bar = await page.locator('#selection').boundingBox();
      assert.ok(bar.height <= 112, `${bar.height} of 640 at ${width}`);
      const at = {};
      for (const name of ['approve', 'trash', 'spam', 'all']) at[name] = await page.locator(`#selection .${name}`).boundingBox();
      for (const [name, box] of Object.entries(at)) assert.ok(box.height >= 44 && box.width >= 44 && box.height < 64, `${name} at ${width}: ${JSON.stringify(box)}`);
      assert.ok(at.trash.x >= at.approve.x + at.approve.width + 12 && at.spam.x >= at.trash.x + at.trash.width + 12, `${width}: ${JSON.stringify(at)}`);
      assert.equal(await page.locator('#selection .spam').innerText().then((text) => text.split('\n').at(-1)), 'Spam');
      await page.getByRole('button', { name: 'Mark selected as spam' }).waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
      await leave();
    }
  });
}

test('an ended session is asked for in place, and what was to be done is done', async () => {
  const [one] = await waiting('First.');
  const { page, leave } = await desk();
  all.it.sql('DELETE FROM session', all.it.moderators);
  await page.keyboard.press('j');
  await page.keyboard.press('a');
  const dialog = page.getByRole('dialog', { name: 'Sign in' });
  await dialog.waitFor();
  assert.equal(stateOf(one), 'held');
  await dialog.getByLabel('Name').fill(EDITOR.name);
  await dialog.getByLabel('Password').fill('not the one at all');
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.getByRole('alert').filter({ hasText: 'do not fit' }).waitFor();
  await dialog.getByLabel('Name').fill(EDITOR.name);
  await dialog.getByLabel('Password').fill(EDITOR.password);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await outcome(page, one).waitFor();
  assert.equal(stateOf(one), 'published');
  assert.equal(await dialog.count(), 0);
  // Leaving it undone says so.
  await page.keyboard.press('z');
  await reply(page, one).locator('.comment').waitFor();
  all.it.sql('DELETE FROM session', all.it.moderators);
  await page.keyboard.press('a');
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await reply(page, one).locator('.problem').waitFor();
  assert.match(await said(page), /signed out/);
  assert.equal(stateOf(one), 'held');
  moderator = await moderatorAt(all);
  await leave();
});

test('without an answer, or with 503, it says so and keeps the reply', async () => {
  const [one] = await waiting('First.');
  const { page, complaints, context } = await desk();
  await page.route(DECIDE, (route) => route.abort('internetdisconnected'));
  await page.keyboard.press('j');
  await page.keyboard.press('a');
  await reply(page, one).locator('.problem').waitFor();
  assert.match(await said(page), /Nothing here is lost/);
  assert.ok(await reply(page, one).getByText('First.').isVisible());
  await page.unroute(DECIDE);
  const later = new Promise((resolve) => {
    page.route(DECIDE, async (route) => { await route.fulfill({ status: 503, contentType: 'text/html', body: '<h1>later</h1>' }); resolve(); });
  });
  await page.keyboard.press('j');
  await page.keyboard.press('a');
  await later;
  await page.unroute(DECIDE);
  await page.waitForFunction(() => document.querySelector('.problem') && !document.querySelector('[aria-busy]'));
  assert.equal(stateOf(one), 'held');
  await page.keyboard.press('j');
  await page.keyboard.press('a');
  await outcome(page, one).waitFor();
  assert.equal(stateOf(one), 'published');
  assert.deepEqual(complaints.filter((one_) => !/decide|503|INTERNET/.test(one_)), []);
  await context.close();
});

test('what has come is told, and shown when asked for, without moving what is there', async () => {
  const [one] = await waiting('Was here first.');
  const visitor = await visit(all, { javaScriptEnabled: true });
  const { page, context, leave } = visitor;
  await context.clock.install();
  await signIn(page, EDITOR);
  const place = () => reply(page, one).evaluate((e) => e.getBoundingClientRect().top);
  const before = await place();
  const [two] = await waiting('Came later.');
  const asks = [];
  page.on('request', (request) => { if (request.url().includes('/news')) asks.push(request); });
  await context.clock.runFor(61000);
  const button = page.getByRole('button', { name: '1 new reply: show it' });
  await button.waitFor();
  assert.equal(await place(), before);
  assert.equal(await held(page), '2');
  await button.click();
  await reply(page, two).waitFor();
  assert.equal(await focused(page), `reply-${two}`);
  assert.equal(await button.count(), 0);
  await page.keyboard.press('a');
  await outcome(page, two).waitFor();
  // Nobody there for an hour: no more asking.
  await context.clock.fastForward('01:01:00');
  const then = asks.length;
  await context.clock.runFor(180000);
  assert.equal(asks.length, then);
  await leave();
});

test('it is told also where the page says what was done', async () => {
  const [one] = await waiting('To be answered.');
  const { page, context, leave } = await visit(all, { javaScriptEnabled: true });
  await context.clock.install();
  await signIn(page, EDITOR);
  await page.goto(`/comments/moderate/reply/${one}/answer`);
  await page.locator('textarea').fill('An answer, on a page of its own.');
  await page.locator('main button[type=submit]').click();
  await page.waitForURL(/wrote=/);
  await waiting('Came later.');
  await context.clock.runFor(61000);
  await page.getByRole('button', { name: '1 new reply: show it' }).waitFor();
  await leave();
});

// In a low window, where a reply is higher than the room below the bar.  Not every browser holds on to
// what is in view when something above it folds up: without `anchored` this one does not either.
for (const [reducedMotion, anchored] of [['reduce', false], ['no-preference', true]]) {
  test(`after a decision the chosen reply's heading is below the bar and in the window (motion: ${reducedMotion}, ${anchored ? '' : 'not '}anchored)`, async () => {
    const ids = await waiting(...Array.from({ length: 14 }, (_, i) => `Reply ${i}.\n\n${'More to read. '.repeat(60)}`));
    const { page, leave } = await desk({ reducedMotion, viewport: { width: 1000, height: 560 } });
    if (!anchored) await page.evaluate(() => { document.documentElement.style.overflowAnchor = 'none'; });
    const clear = async (id, when) => {
      assert.equal(await focused(page), `reply-${id}`, when);
      // What settles last is shown last.
      await page.waitForFunction(() => !document.querySelector('[aria-busy]'));
      const at = await page.evaluate(() => ({ sticky: getComputedStyle(document.querySelector('.bar')).position, bar: document.querySelector('.bar').getBoundingClientRect().bottom,
        ...document.activeElement.getBoundingClientRect().toJSON(), room: innerHeight }));
      assert.equal(at.sticky, 'sticky');
      assert.ok(at.bar > 40 && at.top >= at.bar && at.bottom <= at.room, `${when}: ${JSON.stringify(at)}`);
    };
    // What was done, and its Undo, are seen as well.
    const told = async (id, when) => {
      const { bar, top, bottom, room } = await page.evaluate((its) => ({ bar: document.querySelector('.bar').getBoundingClientRect().bottom, room: innerHeight,
        ...document.querySelector(`${its} .outcome button`).getBoundingClientRect().toJSON() }), `#reply-${id}`);
      assert.ok(top >= bar && bottom <= room, `${when}: ${JSON.stringify({ bar, top, bottom, room })}`);
    };
    await page.keyboard.press('j');
    for (let n = 0; n < 4; n++) {
      await page.keyboard.press('a');
      await outcome(page, ids[n]).waitFor();
      await clear(ids[n + 1], `decision ${n}`);
      await told(ids[n], `decision ${n}`);
    }
    for (let n = 4; n < 7; n++) {
      await page.keyboard.press('x');
      await page.keyboard.press('j');
      await clear(ids[n + 1], `down to ${n + 1}`);
    }
    await page.keyboard.press('k');
    await clear(ids[6], 'and up again');
    await page.keyboard.press('Shift+A');
    await outcome(page, ids[6]).waitFor();
    await clear(ids[7], 'a selection by key');
    for (const id of ids.slice(7, 11)) await reply(page, id).getByRole('checkbox').check();
    await page.locator('#selection button.trash').click();
    await outcome(page, ids[10]).waitFor();
    await clear(ids[11], 'a selection by mouse');
    await told(ids[10], 'a selection by mouse');
    await page.keyboard.press('z');
    await reply(page, ids[7]).locator('.comment').waitFor();
    await clear(ids[7], 'taken back');
    await leave();
  });
}

for (const width of [1280, 768, 600]) {
  test(`without JavaScript the chosen reply is below the bar, ${width} wide`, async () => {
    const ids = await waiting(...Array.from({ length: 12 }, (_, i) => `Reply ${i}.\n\n${'More to read. '.repeat(60)}`));
    const { page, leave } = await desk({ javaScriptEnabled: false, viewport: { width, height: 900 } });
    await page.goto(`/comments/moderate/#reply-${ids[5]}`);
    const box = (selector) => page.locator(selector).boundingBox();
    const bar = await box('.bar'), heading = await box(`#heading-${ids[5]}`);
    assert.equal(bar.y, 0);
    assert.ok(heading.y >= bar.y + bar.height, `${heading.y} below ${bar.height}`);
    assert.ok(heading.y < 450);
    await leave();
  });
}

test('Escape closes an answer that is begun, and keeps its words', async () => {
  const [one] = await waiting('First.');
  const { page, leave } = await desk();
  await page.keyboard.press('j');
  await page.keyboard.press('r');
  await reply(page, one).locator('textarea').fill('Half an answer');
  await page.keyboard.press('Escape');
  assert.equal(await reply(page, one).locator('textarea').count(), 0);
  assert.equal(await focused(page), `reply-${one}`);
  await page.keyboard.press('r');
  await reply(page, one).locator('textarea').waitFor();
  assert.equal(await reply(page, one).locator('textarea').inputValue(), 'Half an answer');
  await leave();
});

test('a draft of an edit is of the words that were seen: newer ones are shown before it replaces them', async () => {
  const { id, receipt } = await post(all, { page: ARTICLE, comment: 'Before.' });
  const { page, leave } = await desk();
  const box = reply(page, id).locator('textarea[name=comment]');
  await reply(page, id).locator('.write a.edit').click();
  await box.fill('Of the moderator.');
  const writer = await visit(all, { javaScriptEnabled: true });
  await writer.page.goto(`${receipt}/edit`);
  await writer.page.getByLabel(/^Comment/).fill('Of the author, meanwhile.');
  await writer.page.getByRole('button', { name: /save/i }).click();
  await writer.leave();
  await page.reload();
  await reply(page, id).locator('.write a.edit').click();
  await box.waitFor();
  assert.equal(await box.inputValue(), 'Of the moderator.');
  await reply(page, id).locator('button.save').click();
  await reply(page, id).locator('.inline .notice', { hasText: /Nothing was stored/ }).waitFor();
  assert.equal(await reply(page, id).locator('.theirs textarea').inputValue(), 'Of the author, meanwhile.');
  assert.equal(all.it.sql(`SELECT comment FROM reply WHERE id = ${id}`)[0].comment, 'Of the author, meanwhile.');
  assert.equal(await box.inputValue(), 'Of the moderator.');
  await reply(page, id).locator('button.save').click();
  await outcome(page, id).waitFor();
  assert.equal(all.it.sql(`SELECT comment FROM reply WHERE id = ${id}`)[0].comment, 'Of the moderator.');
  assert.equal(await page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith('draft ')).length), 0);
  await leave();
});

test('Ctrl or Cmd and Enter send an answer and an edit, once, and nothing that is empty', async () => {
  const [one, two] = await waiting('First.', 'Second.');
  const { page, leave } = await desk();
  await page.keyboard.press('j');
  await page.keyboard.press('r');
  const box = reply(page, one).locator('textarea');
  await box.waitFor();
  await page.keyboard.press('Control+Enter');
  assert.equal(await box.evaluate((field) => field.matches(':invalid')), true, 'it is still there, and empty');
  await page.keyboard.type('An answer.');
  await page.keyboard.press('Enter');
  await page.keyboard.type('Its second line.');
  await page.keyboard.press('Control+Enter');
  await outcome(page, one).waitFor();
  assert.deepEqual(all.it.sql(`SELECT comment FROM reply WHERE parent_id = ${one}`), [{ comment: 'An answer.\nIts second line.' }]);
  await reply(page, two).locator('.write a.edit').click();
  await reply(page, two).locator('textarea').fill('Edited by keys.');
  await reply(page, two).locator('#why, input[name=why]').fill('a reason');
  await page.keyboard.press('Meta+Enter');
  await reply(page, two).getByText('Edited by keys.').waitFor();
  assert.equal(all.it.sql(`SELECT why FROM decision WHERE reply_id = ${two}`)[0].why, 'a reason');
  await leave();
});

test('a reason that is begun on the page of one reply is there again, until the decision is done', async () => {
  const [one, two] = await waiting('First.', 'Second.');
  const { page, leave } = await desk();
  const at = (id) => `/comments/moderate/reply/${id}`;
  await page.goto(at(one));
  await page.fill('#why', 'Half a reason');
  await page.goto(at(two));
  assert.equal(await page.inputValue('#why'), '', 'it is of the other one');
  await page.goto(at(one));
  assert.equal(await page.inputValue('#why'), 'Half a reason');
  await page.getByText('not sent yet').waitFor();
  // Refused, it stands there as it was sent.
  await page.fill('#why', 'x'.repeat(600));
  await press(page, page.locator('.decide .spam'));
  await page.locator('#why-error').waitFor();
  assert.equal((await page.inputValue('#why')).length, 600);
  await page.fill('#why', 'A whole reason');
  await page.goto(at(one));
  assert.equal(await page.inputValue('#why'), 'A whole reason');
  await press(page, page.locator('.decide .spam'));
  await page.locator('.done, .reply').first().waitFor();
  assert.deepEqual(all.it.sql(`SELECT why FROM decision WHERE reply_id = ${one}`), [{ why: 'A whole reason' }]);
  await page.goto(at(one));
  assert.equal(await page.inputValue('#why'), '');
  // An answer that is begun there is kept by its own page.
  await page.goto(at(two));
  await press(page, page.locator('.write a.answer'));
  await page.fill('textarea', 'Half an answer');
  await page.goto(at(two));
  await press(page, page.locator('.write a.answer'));
  assert.equal(await page.inputValue('textarea'), 'Half an answer');
  await leave();
});

test('drafts are of whoever typed them: gone after signing out, and when somebody else signs in', async () => {
  const OTHER = { name: 'colleague', password: 'steppes are wide and long' };
  if (all.it.sql("SELECT count(*) AS n FROM account WHERE name = 'colleague'", all.it.moderators)[0].n === 0) all.it.addModerator(OTHER.name, OTHER.password);
  const [one] = await waiting('First.');
  const answer = `/comments/moderate/reply/${one}/answer`;
  const { page, leave } = await desk();
  const typed = async () => {
    await page.goto(answer);
    return page.locator('main textarea').inputValue();
  };
  const draft = async (text) => {
    await page.goto(answer);
    await page.locator('main textarea').fill(text);
  };
  await draft('Of the editor');
  assert.equal(await typed(), 'Of the editor');
  await page.locator('.leave button[type=submit]').click();
  await signIn(page, EDITOR);
  assert.equal(await typed(), '', 'after signing out');
  await draft('Of the editor, again');
  await page.context().clearCookies();
  await signIn(page, EDITOR);
  assert.equal(await typed(), 'Of the editor, again', 'a lost session loses no words');
  await page.context().clearCookies();
  await signIn(page, OTHER);
  assert.equal(await typed(), '', 'somebody else');
  assert.deepEqual(await page.evaluate(() => Object.values(sessionStorage).filter((text) => text.includes('editor'))), []);
  await leave();
});

test('how long ago goes on while the page is open, by the clock of the door', async () => {
  const [one, two, three] = await waiting('First.', 'Second.', 'Third.');
  const ago = { [one]: 0, [two]: 58 * 60 + 30, [three]: 47 * 3600 + 1800 };
  for (const [id, seconds] of Object.entries(ago)) all.it.sql(`UPDATE reply SET created_at = created_at - ${seconds} WHERE id = ${id}`);
  const { page, leave } = await desk();
  const time = (id) => page.locator(`#heading-${id} time`).innerText();
  // This browser's clock is three hours wrong.
  await page.clock.install({ time: Date.now() + 3 * 3600 * 1000 });
  await page.goto('/comments/moderate/?state=held');
  assert.deepEqual(await Promise.all([one, two, three].map(time)), ['held a moment ago', 'held 58 minutes ago', 'held 47 h ago']);
  const written = await page.locator(`#reply-${one} .about time`).innerText();
  await page.clock.runFor(61000);
  assert.deepEqual(await Promise.all([one, two].map(time)), ['held 1 minute ago', 'held 59 minutes ago']);
  await page.clock.runFor(30 * 60000);
  assert.deepEqual(await Promise.all([one, two, three].map(time)), ['held 31 minutes ago', 'held 1 h ago', 'held 2 days ago']);
  assert.equal(await page.locator(`#reply-${one} .about time`).innerText(), written, 'a date stays');
  await leave();
});
