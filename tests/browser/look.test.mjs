// Every page as people meet it: wide and narrow, light and dark, for assistive technology, and as
// valid HTML.  The screenshots are in build/screenshots.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { FileSystemConfigLoader, HtmlValidate } from 'html-validate';
import { EDITOR, moderatorAt, post } from '../served/behind.mjs';
import { ARTICLE, open, reply, shot, signIn, visit } from './browser.mjs';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const LONG = 'https://example.org/a/very/long/address/that/nobody/would/type/by/hand/but/somebody/pastes?with=parameters&and=more&'.repeat(2);

let all, receipts;

before(async () => {
  all = await open();
  const moderator = await moderatorAt(all);
  const first = await post(all, { page: ARTICLE, name: 'Aigul', comment: 'A first reply, with *emphasis*, `code` and a list:\n\n- one\n- two\n\n> and a quote' });
  await moderator.approve(first.id);
  let parent = first.id;
  for (let depth = 1; depth <= 6; depth++) {
    const next = await post(all, { page: ARTICLE, parent, name: `Reader of level ${depth}`, comment: `Level ${depth}. ${'Words that fill a few lines. '.repeat(depth)}` });
    await moderator.approve(next.id);
    parent = next.id;
  }
  const long = await post(all, { page: ARTICLE, name: 'Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen', comment: `Unbroken: ${'x'.repeat(400)} and ${LONG}\n\n    ${'code '.repeat(80)}` });
  await moderator.approve(long.id);
  const right = await post(all, { page: ARTICLE, name: 'قارئ من ألماتي', comment: 'هذا تعليق يُكتب من اليمين إلى اليسار، وفيه كلمة English واحدة.' });
  await moderator.approve(right.id);
  const waiting = await post(all, { page: ARTICLE, name: 'Someone Waiting', comment: `Three links: https://example.com/1 https://example.com/2 ${LONG}` });
  const trashed = await post(all, { page: ARTICLE, comment: 'This one goes to the trash.' });
  await moderator.decide(trashed.id, 'trash');
  receipts = { published: first.receipt, waiting: waiting.receipt, refused: trashed.receipt };
});
after(async () => all?.tidy());

/** Each page: a name, and how a person gets there. */
const PAGES = {
  'front': (page) => page.goto('/'),
  'article': (page) => page.goto(`${ARTICLE}/`),
  'article-mobile': (page) => page.goto(`${ARTICLE}/mobile.html`),
  'article-without-replies': (page) => page.goto('/world/caspian-harbors/'),
  'form': (page) => page.goto(`/comments/form?page=${ARTICLE}`),
  'form-wrong': async (page) => {
    await page.goto(`/comments/form?page=${ARTICLE}`);
    await reply(page, { comment: 'Words that stay.', name: 'N'.repeat(81), email: 'n@example.org', website: 'ftp://example.org' });
  },
  'receipt-waiting': (page) => page.goto(receipts.waiting),
  'receipt-published': (page) => page.goto(receipts.published),
  'receipt-refused': (page) => page.goto(receipts.refused),
  'missing': (page) => page.goto('/comments/form?page=/../x'),
  'sign-in': (page) => page.goto('/comments/moderate/sign-in'),
  'queue': async (page) => { await signIn(page, EDITOR); },
  'queue-published': async (page) => { await signIn(page, EDITOR); await page.goto('/comments/moderate/?state=published'); },
  'queue-empty': async (page) => { await signIn(page, EDITOR); await page.goto('/comments/moderate/?state=spam'); },
};
// The demo newspaper's own pages are not ours to scan to the last rule, but they must not be broken.
const VIEWS = [[1280, 'light'], [1280, 'dark'], [320, 'light'], [320, 'dark']];

for (const [name, go] of Object.entries(PAGES)) {
  test(`${name}: no sideways scroll, and nothing that axe objects to`, async () => {
    for (const [width, colorScheme] of VIEWS) {
      const visitor = await visit(all, { javaScriptEnabled: true, viewport: { width, height: 800 }, colorScheme });
      const { page } = visitor;
      await go(page);
      await shot(page, `${name}-${width}-${colorScheme}`);
      const { wide, culprits } = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        culprits: [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(e).position !== 'absolute')
          .slice(0, 5).map((e) => `${e.tagName}.${e.className}`),
      }));
      assert.equal(wide, 0, `${width} px: ${culprits.join(', ')}`);
      await page.evaluate(axe);
      const found = await page.evaluate(() => window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
      const wrong = found.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`);
      assert.deepEqual(wrong, [], `${width} px ${colorScheme}`);
      assert.ok(found.passes.length > 5);
      await visitor.leave();
    }
  });

  test(`${name}: valid HTML`, async () => {
    const visitor = await visit(all);
    // The document as it came, not as the browser mended it.
    let html;
    visitor.page.on('response', async (response) => {
      if (response.request().isNavigationRequest() && response.status() !== 303 && response.status() !== 301 && response.status() !== 302) html = response.text();
    });
    await go(visitor.page);
    const report = await new HtmlValidate(new FileSystemConfigLoader({ root: true, extends: ['html-validate:standard'] })).validateString(await html);
    assert.deepEqual(report.results.flatMap((result) => result.messages.map((m) => `${m.line}:${m.column} ${m.ruleId}: ${m.message}`)), []);
    await visitor.leave();
  });
}

test('the keyboard reaches the form and the decisions, and shows where it is', async () => {
  const visitor = await visit(all, { javaScriptEnabled: true });
  const { page } = visitor;
  await page.goto(`/comments/form?page=${ARTICLE}`);
  const order = [];
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab');
    order.push(await page.evaluate(() => document.activeElement.name || document.activeElement.tagName));
  }
  const fields = order.filter((name) => ['comment', 'name', 'email', 'website', 'phone'].includes(name));
  assert.deepEqual(fields.slice(0, 4), ['comment', 'name', 'email', 'website']);
  await page.focus('textarea[name=comment]');
  const ring = await page.evaluate(() => { const s = getComputedStyle(document.activeElement); return `${s.outlineStyle} ${s.boxShadow}`; });
  assert.notEqual(ring, 'none none');
  await visitor.leave();
});

test('at 200% text size the form still fits', async () => {
  const visitor = await visit(all, { javaScriptEnabled: true, viewport: { width: 640, height: 800 } });
  await visitor.page.goto(`/comments/form?page=${ARTICLE}`);
  // A person's own larger text, which the page's policy does not speak of.
  await visitor.page.evaluate(() => { document.documentElement.style.fontSize = '200%'; });
  assert.equal(await visitor.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
  await visitor.leave();
});
