// A moderator's day in the browser, with the script and without it: nothing that was typed is lost,
// whatever happens between.
import assert from 'node:assert/strict';
import { EDITOR, post } from '../served/behind.mjs';
import { ARTICLE, after, before, open, press, signIn, test, visit } from './browser.mjs';

const OTHER = '/world/elsewhere';
const COLLEAGUE = { name: 'colleague', password: 'two rivers, one delta' };
let all;
before(async () => {
  all = await open({ site: { pages: ['**'], pace_burst: 1000, pace_site: 100000 } });
  all.it.addModerator(COLLEAGUE.name, COLLEAGUE.password);
});
after(async () => all?.tidy());

const stateOf = (id) => all.it.sql(`SELECT state FROM reply WHERE id = ${id}`)[0].state;
const reply = (page, id) => page.locator(`#reply-${id}`);
const held = async (page) => Number(await page.locator('.tabs a[href*=held] .count').innerText());
const endSessions = () => all.it.sql('DELETE FROM session', all.it.moderators);

for (const script of [true, false]) {
  const how = script ? 'with the script' : 'without JavaScript';

  /** Decides by the key where there are keys, else by the button; the reply is gone from the list, or folded. */
  async function decide(page, id, key, state) {
    const one = reply(page, id);
    if (script) {
      await one.locator('h2').evaluate((h2) => { h2.tabIndex = -1; h2.focus(); });
      await page.keyboard.press(key);
      await one.locator('.outcome').waitFor();
    } else {
      await press(page, one.locator(`.decide button[value=${state}]`));
      await page.locator('.done').waitFor();
      assert.equal(await one.count(), 0);
    }
    assert.equal(stateOf(id), state);
  }
  const takeBack = async (page, id) => {
    if (script) await page.keyboard.press('z');
    else await press(page, page.locator('.done form button'));
    await reply(page, id).locator('.comment').waitFor();
    assert.equal(stateOf(id), 'held');
  };

  test(`from signing in to signing out, ${how}`, async () => {
    all.it.sql('DELETE FROM decision; DELETE FROM publication; DELETE FROM reply; UPDATE tally SET n = 0');
    const ids = [];
    for (let n = 1; n <= 20; n++) ids.unshift((await post(all, { page: ARTICLE, name: `Reader ${n}`, comment: `What reader ${n} has to say${script ? '' : ', plainly'}.` })).id);
    // Elsewhere somebody talks about three addresses, and somebody about none.
    const linked = (await post(all, { page: OTHER, name: 'Linker', comment: 'Look at https://a.example/ and https://b.example/ and https://c.example/.' })).id;
    const bare = (await post(all, { page: OTHER, name: 'Plain', comment: 'Nothing to look at.' })).id;
    const desk = await visit(all, { javaScriptEnabled: script });
    const colleague = await visit(all, { javaScriptEnabled: script });
    const { page } = desk;
    await signIn(page, EDITOR);
    await signIn(colleague.page, COLLEAGUE);
    assert.equal(await page.locator('article.reply').count(), 22);
    assert.equal(await held(page), 22);

    // Only one page, by its address as it was pasted; of that only what has a link; then all of it again.
    const filter = async (act) => {
      if (!await page.locator('details.filters[open]').count()) await page.locator('details.filters summary').click();
      await act();
      await press(page, page.locator('form.filter button'));
    };
    const shown = () => page.locator('article.reply').evaluateAll((list) => list.map((one) => one.id.replace('reply-', '')));
    await filter(() => page.fill('#filter-page', `${all.base}${OTHER}/?from=mail#top`));
    assert.deepEqual(await shown(), [bare, linked]);
    await filter(() => page.locator('input[name=links]').check());
    assert.deepEqual(await shown(), [linked]);
    await decide(page, linked, 's', 'spam');
    assert.equal(await page.locator('ul.active a').count(), 2, 'the filters stay');
    await press(page, page.locator('ul.active a').last());
    assert.deepEqual(await shown(), [bare]);
    await decide(page, bare, 'd', 'trash');
    await press(page, page.locator('ul.active a'));
    assert.deepEqual(await shown(), ids);
    await filter(() => page.selectOption('#filter-order', 'oldest'));
    assert.deepEqual(await shown(), [...ids].reverse());
    await page.goto('/comments/moderate/');
    assert.equal(await held(page), 20);

    // One by one, and one of them taken back.
    await decide(page, ids[0], 'a', 'published');
    await decide(page, ids[1], 's', 'spam');
    await takeBack(page, ids[1]);
    await decide(page, ids[1], 'd', 'trash');
    assert.equal(await held(page), 18);

    // A selection.
    for (const id of ids.slice(2, 6)) await reply(page, id).getByRole('checkbox').check();
    if (script) {
      await page.keyboard.press('Shift+A');
      await reply(page, ids[5]).locator('.outcome').waitFor();
    } else await press(page, page.locator('#selection .approve'));
    assert.deepEqual(ids.slice(2, 6).map(stateOf), Array(4).fill('published'));
    assert.equal(await held(page), 14);

    // An answer, which approves what it answers.
    const words = `Thank you, we have looked into it ${how}.`;
    if (script) {
      await reply(page, ids[6]).locator('h2').evaluate((h2) => { h2.tabIndex = -1; h2.focus(); });
      await page.keyboard.press('r');
      await reply(page, ids[6]).locator('textarea').fill(words);
      await reply(page, ids[6]).locator('.inline button[type=submit]').click();
      await reply(page, ids[6]).locator('.outcome').waitFor();
    } else {
      await press(page, reply(page, ids[6]).locator('.write a.answer'));
      await page.fill('textarea[name=comment]', words);
      await press(page, page.locator('form.pen button[type=submit]'));
    }
    assert.equal(stateOf(ids[6]), 'published');
    assert.deepEqual(all.it.sql(`SELECT comment, state FROM reply WHERE parent_id = ${ids[6]}`), [{ comment: words, state: 'published' }]);

    // An edit, while which the session ends: what was typed is there after signing in again.
    const mended = `What reader 13 has to say, mended ${how}.`;
    const one = reply(page, ids[7]);
    if (script) {
      await one.locator('h2').evaluate((h2) => { h2.tabIndex = -1; h2.focus(); });
      await page.keyboard.press('e');
      await one.locator('textarea').fill(mended);
      endSessions();
      await one.locator('.inline button[type=submit]').click();
      const dialog = page.getByRole('dialog', { name: 'Sign in' });
      await dialog.getByLabel('Name').fill(EDITOR.name);
      await dialog.getByLabel('Password').fill(EDITOR.password);
      await dialog.getByRole('button', { name: 'Sign in' }).click();
      await one.getByText(mended).waitFor();
    } else {
      await press(page, one.locator('.write a.edit'));
      await page.fill('textarea[name=comment]', mended);
      endSessions();
      await press(page, page.locator('form.pen button[type=submit]'));
      await page.fill('input[name=name]', EDITOR.name);
      await page.fill('input[name=password]', EDITOR.password);
      await press(page, page.locator('main form button[type=submit]'));
      assert.ok((await page.content()).includes(mended));
      await press(page, page.locator('main form button[type=submit]'));
      await page.goto('/comments/moderate/');
      await one.getByText(mended).waitFor();
    }
    assert.equal(all.it.sql(`SELECT comment FROM reply WHERE id = ${ids[7]}`)[0].comment, mended);

    // A colleague is first.
    await signIn(colleague.page, COLLEAGUE);
    await decide(colleague.page, ids[8], 's', 'spam');
    if (script) {
      await reply(page, ids[8]).locator('h2').evaluate((h2) => { h2.tabIndex = -1; h2.focus(); });
      await page.keyboard.press('a');
    } else await press(page, reply(page, ids[8]).locator('.approve'));
    const conflict = page.locator(`#conflict-${ids[8]}`);
    await conflict.waitFor();
    assert.match(await conflict.innerText(), /colleague has marked this reply as spam/);
    assert.equal(stateOf(ids[8]), 'spam');

    // What it is now is shown, and can be decided about there.
    if (script) {
      await conflict.locator('button.hold').click();
      await reply(page, ids[8]).locator('.outcome').waitFor();
    } else await press(page, conflict.locator('button.hold'));
    assert.equal(stateOf(ids[8]), 'held');

    // The log has it all, also of one moderator alone.
    await press(page, page.locator('.places a[href$=log]'));
    const log = await page.locator('main table').innerText();
    for (const who of [EDITOR.name, COLLEAGUE.name]) assert.ok(log.includes(who), who);
    await page.selectOption('#log-moderator', COLLEAGUE.name);
    await press(page, page.locator('form.sieve button'));
    assert.equal(await page.locator('main tbody tr').count(), 1);

    // From there the selection of this morning is taken back, and the undo of that as well.
    await press(page, page.getByRole('link', { name: 'Show all' }));
    await press(page, page.getByRole('link', { name: 'My last decisions' }));
    const batch = page.locator('ol.batches li').filter({ hasText: '4 replies approved' });
    await press(page, batch.getByRole('button', { name: 'Undo' }));
    assert.match(await page.locator('.did[role=status]').innerText(), /^Undone for 4 replies\./);
    assert.deepEqual(ids.slice(2, 6).map(stateOf), Array(4).fill('held'));
    assert.match(await batch.innerText(), /You have undone this/);
    await press(page, page.locator('ol.batches li').first().getByRole('button', { name: 'Undo' }));
    assert.deepEqual(ids.slice(2, 6).map(stateOf), Array(4).fill('published'));

    // A discussion is closed: below the article that stands in the place of the form, until it is opened again.
    const reader = await visit(all, { javaScriptEnabled: script });
    const tellsClosed = async () => { await reader.page.goto(`/comments/form?page=${ARTICLE}`); return (await reader.page.locator('form.rejoinder-form').count()) === 0; };
    await press(page, page.locator('.places a[href$=pages]'));
    const line = page.locator('table.list tr').filter({ hasText: 'In Astana' });
    await press(page, line.getByRole('button', { name: /^Close/ }));
    assert.match(await page.locator('.done p').first().innerText(), new RegExp(ARTICLE));
    assert.equal(await tellsClosed(), true);
    await reader.page.goto(`${ARTICLE}/`);
    await reader.page.locator('.rejoinder-closed').first().waitFor();
    await press(page, line.getByRole('button', { name: /^Reopen/ }));
    assert.equal(await tellsClosed(), false);
    await reader.leave();

    // And out.
    await press(page, page.getByRole('button', { name: 'Sign out' }));
    await page.goto('/comments/moderate/');
    assert.match(page.url(), /sign-in/);
    await page.goto(`${ARTICLE}/`);
    assert.equal(await page.getByText(words).count(), 1);
    await desk.leave();
    await colleague.leave();
  });
}

test('a draft outlives the page, until it is sent', async () => {
  const { id } = await post(all, { page: ARTICLE, comment: 'Something to be answered with care.' });
  const { page, leave } = await visit(all, { javaScriptEnabled: true });
  await signIn(page, EDITOR);
  await reply(page, id).locator('.write a.answer').click();
  await reply(page, id).locator('textarea').fill('Half an answer');
  await page.goto('/comments/moderate/?state=spam');
  await page.goto('/comments/moderate/');
  await reply(page, id).locator('.write a.answer').click();
  assert.equal(await reply(page, id).locator('textarea').inputValue(), 'Half an answer');
  await reply(page, id).getByText('not sent yet').waitFor();
  // It is there on the page of its own as well.
  await page.goto(`/comments/moderate/reply/${id}/answer`);
  assert.equal(await page.locator('textarea[name=comment]').inputValue(), 'Half an answer');
  await page.locator('form.pen button[type=submit]').click();
  await page.locator('.done').waitFor();
  assert.equal(all.it.sql(`SELECT comment FROM reply WHERE parent_id = ${id}`)[0].comment, 'Half an answer');
  assert.equal(await page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith('draft ')).length), 0);
  await leave();
});
