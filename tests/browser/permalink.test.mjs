// Permalinks: wherever one of a published reply is found, it leads to the page on which the reply stands,
// with the script and without JavaScript.
import assert from 'node:assert/strict';
import { Moderator, decode } from '../lib/browserless.mjs';
import { EDITOR, moderatorAt, post } from '../served/behind.mjs';
import { request } from '../served/nginx.mjs';
import { ARTICLE, after, before, open, press, signIn, test, visit } from './browser.mjs';

const EMBEDDED = '/made/embedded'; // an article that only the script brings its thread to
const words = (name) => `These are the words of ${name}.`;
let all, moderator;
const read = (at) => request(all.port, 'GET', at);
/** Each is {name, id, receipt, at: number of its page}. */
const replies = { [ARTICLE]: [], [EMBEDDED]: [] };

before(async () => {
  all = await open({ site: { pages: ['**'], pace_burst: 1000, pace_site: 100000 } });
  moderator = await moderatorAt(all);
  for (const page of [ARTICLE, EMBEDDED]) await fillThread(page);
});
after(async () => all?.tidy());

/** Approves all at once: the queue's own form, without asking it for each. */
async function approve(ids) {
  const { form } = await moderator.decisionForm(ids.at(-1));
  const answer = await moderator.submit(form.action, [...Moderator.rest(form), ...ids.map((id) => ['reply', `${id}:1`]), ['state', 'published']]);
  assert.equal(answer.status, 303);
}

/** 202 roots are three pages; what answers stands with its root. */
async function fillThread(page) {
  const roots = [];
  for (let n = 1; n <= 202; n++) roots.push(await post(all, { page, name: `root ${n}`, comment: words(`root ${n}`) }));
  await approve(roots.map(({ id }) => id));
  const root = (n, at) => ({ ...roots[n - 1], name: `root ${n}`, at });
  replies[page].push(root(100, 1), root(101, 2), root(202, 3));
  for (const [n, at] of [[1, 1], [101, 2]]) {
    let parent = roots[n - 1].id;
    for (const depth of [1, 2, 3, 4, 5, 6, 7]) {
      const name = `answer ${depth} to root ${n}`;
      const answer = await post(all, { page, parent, name, comment: words(name) });
      await approve([answer.id]);
      parent = answer.id;
      if (depth === 7) replies[page].push({ ...answer, name, at });
    }
  }
}

async function reader(script) {
  const visitor = await visit(all, { javaScriptEnabled: script });
  if (script) {
    await visitor.context.route((url) => url.pathname === EMBEDDED, (route) => route.fulfill({ contentType: 'text/html; charset=utf-8',
      body: `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Embedded</title><script src="/comments/static/rejoinder.js" async></script></head>
        <body><h1>Embedded</h1>${'<p>Words of an article that fills a screen and more.</p>'.repeat(60)}<div data-rejoinder></div></body></html>` }));
  }
  return visitor;
}

/** The browser is at that reply: on its page, and scrolled to it. */
async function arrived(page, of, { id, name, at }) {
  const there = page.locator(`#reply-${id}:target`);
  await there.waitFor({ state: 'attached' });
  const where = new URL(page.url());
  assert.equal(where.pathname.replace(/\/$/, ''), at === 1 ? of : `/comments/threads${of}/~/page.${at}.html`, name);
  assert.equal(await there.locator('> .rejoinder-comment').innerText(), words(name));
  await page.waitForFunction((wanted) => {
    const { top } = document.getElementById(`reply-${wanted}`).getBoundingClientRect();
    return top > -2 && top < innerHeight;
  }, id);
}

async function follow(page, link, of, reply) {
  await page.goto('about:blank');
  await page.goto(link);
  await arrived(page, of, reply);
}
const path = (url) => url.replace(all.base, '');

for (const script of [true, false]) {
  const how = script ? 'with the script' : 'without JavaScript';
  const articles = script ? [ARTICLE, EMBEDDED] : [ARTICLE];

  test(`a receipt, the queue, the newest replies and the feeds lead to the reply, ${how}`, async () => {
    all.it.mustCli(['work']);
    const { page, leave } = await reader(script);
    for (const of of articles) {
      for (const one of replies[of]) {
        await page.goto(one.receipt);
        const link = await page.locator(`a[href$="#reply-${one.id}"]`).first().getAttribute('href');
        await follow(page, link, of, one);
      }
      const last = replies[of].at(-1);
      const feed = (await read(`/comments/threads${of}/~/feed.xml`)).text;
      await follow(page, path(decode(feed.match(new RegExp(`href="([^"]*#reply-${last.id})"`))[1])), of, last);
    }
    const newest = replies[EMBEDDED].at(-1);
    if (script) {
      const { replies: latest } = JSON.parse((await read('/comments/latest.json')).text);
      await follow(page, path(latest.find(({ id }) => id === newest.id).url), EMBEDDED, newest);
      await page.goto('/comments/latest.html');
      await press(page, page.locator(`a[href$="#reply-${newest.id}"]`).first());
      await arrived(page, EMBEDDED, newest);
    }
    await signIn(page, EDITOR);
    for (const one of replies[ARTICLE]) {
      await page.goto(`/comments/moderate/reply/${one.id}`);
      await press(page, page.getByRole('link', { name: 'See it below the article' }));
      await arrived(page, ARTICLE, one);
    }
    await leave();
  });

  test(`the link on a reply's time is an address that leads there again, ${how}`, async () => {
    const { page, leave } = await reader(script);
    for (const of of articles) {
      for (const one of replies[of]) {
        await page.goto(one.at === 1 ? of : `/comments/threads${of}/~/page.${one.at}.html`);
        const link = page.locator(`#reply-${one.id} > .rejoinder-by .rejoinder-permalink`);
        await link.click();
        await arrived(page, of, one);
        await follow(page, path(page.url()), of, one);
      }
    }
    await leave();
  });

  test(`from page to page, and back to the article, ${how}`, async () => {
    const { page, leave } = await reader(script);
    for (const of of articles) {
      await page.goto(of);
      for (const [n, first] of [[2, 'root 101'], [3, 'root 201']]) {
        await press(page, page.locator('a[rel=next]'));
        assert.equal(new URL(page.url()).pathname, `/comments/threads${of}/~/page.${n}.html`);
        assert.equal(await page.locator('.rejoinder-name').first().innerText(), first);
      }
      assert.equal(await page.locator('a[rel=next]').count(), 0);
      await press(page, page.locator('a[rel=prev]'));
      await press(page, page.locator('a[rel=prev]'));
      await page.getByText(words('root 1'), { exact: true }).waitFor();
      assert.equal(new URL(page.url()).pathname.replace(/\/$/, ''), of, 'page 1 is the article');
    }
    await leave();
  });
}

test('what is hidden before a reply moves it nowhere', async () => {
  const [hidden, ...others] = replies[ARTICLE];
  await moderator.decide(hidden.id, 'trash', 'published');
  const { page, leave } = await reader(false);
  for (const one of others) {
    await page.goto(one.receipt);
    await follow(page, await page.locator(`a[href$="#reply-${one.id}"]`).first().getAttribute('href'), ARTICLE, one);
  }
  await leave();
});
