// Every payload through every field, looked at on every page with JavaScript on: by a browser that
// heeds our Content-Security-Policy and must have nothing to report, and by one that does not, in which
// whatever became markup would run.
import assert from 'node:assert/strict';
import { EDITOR, moderatorAt } from '../served/behind.mjs';
import { request } from '../served/nginx.mjs';
import { ARTICLE, after, before, open, signIn, test, visit } from './browser.mjs';
import { PAYLOADS } from './payloads.mjs';

const QUEUE = '/comments/moderate/';
const THREAD = `/comments/threads${ARTICLE}/~/`;
const receipts = [];
let all, moderator;

const json = (fields) => request(all.port, 'POST', '/comments/reply', { body: JSON.stringify(fields),
  headers: { 'Content-Type': 'application/json', Accept: 'application/json' } });

// Posts with the payload in each field that takes it; what a field refuses is given a harmless value.
async function post(fields) {
  const harmless = all.it.goodReply({ page: fields.page });
  const wanted = { ...harmless, website: undefined, ...fields };
  for (let tries = 0; tries < 4; tries++) {
    const answer = await json(wanted);
    const body = JSON.parse(answer.text);
    if (answer.status === 201) {
      receipts.push(body.receipt);
      return body.id;
    }
    // But for spaces these are the words of another payload.
    if (answer.status === 409 && body.error === 'repeated') {
      wanted.comment = `${wanted.comment} (${receipts.length})`;
      continue;
    }
    assert.equal(answer.status, 422, answer.text);
    for (const field of Object.keys(body.errors)) {
      if (field === 'website') delete wanted.website;
      else wanted[field] = harmless[field];
    }
  }
  throw new Error(`not taken: ${JSON.stringify(wanted)}`);
}

const wrapped = (payload) => [payload, `[x](${payload})`, `![x](<${payload}>)`, `> ${payload}`, `*${payload}*`, `\`${payload}\``, `<${payload}>`, `[r]: ${payload}`, '[r]'].join('\n\n');

const ids = [];
const formsBack = []; // [payload, answer]
async function sendBack(payload) {
  const wrong = { page: ARTICLE, name: payload, email: payload, website: payload, comment: payload, phone: payload, parent: payload, key: 'k'.repeat(200) };
  const answer = await request(all.port, 'POST', '/comments/reply', { body: new URLSearchParams(wrong).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html' } });
  assert.equal(answer.status, 422, payload);
  formsBack.push([payload, answer]);
}

before(async () => {
  all = await open();
  moderator = await moderatorAt(all);
  // The article's first hundred roots are one page of the thread, and the wrapped ones begin the next.
  for (const payload of PAYLOADS) ids.push(await post({ page: ARTICLE, name: payload, email: `${payload}@x.example`, website: payload, comment: payload, phone: payload }));
  for (const [i, payload] of PAYLOADS.entries())
    ids.push(await post({ page: ARTICLE, parent: undefined, name: `${i} ${payload}`, website: `https://x.example/?${payload}`, comment: wrapped(payload) }));
  // Articles that have no file are called by their paths.
  for (const payload of PAYLOADS) if (!/\n/.test(payload)) await pagePost(payload);
  for (const payload of PAYLOADS) await sendBack(payload);
});
after(async () => all?.tidy());

const odd = [];
async function pagePost(payload) {
  const page = `/odd/${payload.replace(/[?#%]/g, encodeURIComponent)}`;
  const answer = await json({ ...all.it.goodReply(), page, comment: payload });
  if (answer.status === 201) odd.push(JSON.parse(answer.text).receipt);
  else assert.ok([404, 422].includes(answer.status), answer.text);
}

// --- what a page may hold ---

// Runs in the page: what it says would be somebody's script, frame, address or style.  Of the page
// itself, or of documents that are parsed here as the browser parses, but not run.
function inspect(documents = [document]) {
  const found = [];
  const URLS = ['href', 'src', 'action', 'formaction', 'xlink:href', 'poster', 'data', 'background', 'cite', 'ping', 'srcset'];
  const FOREIGN = /^(script|iframe|frame|object|embed|base|applet|portal|template|noscript|svg|math|video|audio|marquee|dialog|xmp|plaintext)$/i;
  // An address that the browser cannot read leads nowhere; it must still be none of a script.
  const isWeb = (value) => {
    try {
      return ['http:', 'https:'].includes(new URL(value, location.href).protocol);
    } catch {
      return /^https?:\/\//i.test(value);
    }
  };
  for (const element of documents.flatMap((one) => [...one.querySelectorAll('*')])) {
    const shown = element.outerHTML.slice(0, 120);
    const script = element.matches('script[src^="/comments/static/"]') && element.textContent === '';
    // The moderators' script has its words from a template, and shows its keys in a dialog.
    const comfort = element.matches('.top + template#comfort, body > p[role=status] ~ dialog.keys');
    if (!script && !comfort && FOREIGN.test(element.localName)) found.push(`element: ${shown}`);
    if (element.namespaceURI !== 'http://www.w3.org/1999/xhtml') found.push(`namespace: ${shown}`);
    if (element.matches('meta[http-equiv], link[rel~=prefetch], link[rel~=preload], style, img:not([src^="/world/"])')) found.push(`loads: ${shown}`);
    for (const { name, value } of element.attributes) {
      // The sign-in begins where one types, and has one such field.
      const begins = name === 'autofocus' && value === '' && element.matches('.sign-in form[action$="/sign-in"] input:is(#name, #password)') && element.ownerDocument.querySelectorAll('[autofocus]').length === 1;
      if (begins) continue;
      if (/^on|^style$|^srcdoc$|^autofocus$|^is$|^slot$/i.test(name) || /[^a-z:-]/.test(name)) found.push(`attribute ${name}: ${shown}`);
      if (URLS.includes(name) && !isWeb(value)) found.push(`address ${value}: ${shown}`);
    }
    if (element.localName === 'form' && new URL(element.getAttribute('action') ?? '', location.href).origin !== location.origin) found.push(`form: ${shown}`);
  }
  for (const violation of window.violations ?? []) found.push(`CSP: ${violation}`);
  return found;
}

const BROWSERS = { 'with our policy': {}, 'without any policy': { bypassCSP: true } };

async function reader(options) {
  const visitor = await visit(all, { javaScriptEnabled: true, ...options });
  await visitor.context.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  return visitor;
}

async function look({ page, complaints }, what) {
  const found = await page.evaluate(`(${inspect})()`);
  if (page.frames().length !== 1) found.push(`${page.frames().length} frames`);
  if (found.length > 0 || complaints.length > 0) assert.fail(`${what}: ${[...found.slice(0, 10), ...complaints].join('\n')}`);
}

// Goes there and looks; `least` of `selector` must be seen for the look to mean anything.
async function lookAt(visitor, address, { selector, least = 1 } = {}) {
  await visitor.page.goto(address);
  await look(visitor, address);
  if (selector === undefined) return;
  const n = await visitor.page.locator(selector).count();
  assert.ok(n >= least, `${address} shows ${n} of ${selector}`);
}

// Answers that are written into the open page, under its policy: parsed and run as if they had been loaded.
async function lookIn(visitor, { text }, what, holds) {
  assert.ok(text.includes(holds), `${what} does not hold ${holds}`);
  await visitor.page.evaluate((html) => {
    document.open();
    document.write(html);
    document.close();
  }, text);
  await look(visitor, what);
}

// Answers that are only parsed: {what: text}.
async function lookThrough(visitor, answers, holds) {
  for (const [what, text] of Object.entries(answers)) assert.ok(text.includes(holds), `${what} does not hold ${holds}`);
  const found = await visitor.page.evaluate(`((texts) => Object.entries(texts).flatMap(([what, text]) =>
    (${inspect})([new DOMParser().parseFromString(text, 'text/html')]).map((one) => what + ': ' + one)))(${JSON.stringify(answers).replaceAll('<', '\\u003c')})`);
  assert.deepEqual(found.slice(0, 20), []);
}

const get = (address) => request(all.port, 'GET', address, { headers: { Accept: 'text/html' } });
const some = (list, every) => list.filter((_, i) => i % every === 0);

for (const [browser, options] of Object.entries(BROWSERS)) {
  const onBoth = (name, run) => test(`${name}, ${browser}`, async () => {
    const visitor = await reader(options);
    await run(visitor);
    await visitor.leave();
  });

  onBoth('the form given back', async (visitor) => {
    await visitor.page.goto(`/comments/form?page=${ARTICLE}`);
    for (const [payload, answer] of some(formsBack, options.bypassCSP ? 2 : 12)) {
      await lookIn(visitor, answer, `the form with ${payload}`, 'rejoinder-comment');
      assert.equal(await visitor.page.inputValue('[name=comment]'), payload);
    }
    await lookThrough(visitor, Object.fromEntries(formsBack.map(([payload, { text }]) => [payload, text])), 'rejoinder-comment');
  });

  onBoth('the form given back, sent from the page', async (visitor) => {
    for (const payload of some(PAYLOADS, 30)) {
      await visitor.page.goto(`/comments/form?page=${ARTICLE}`);
      await Promise.all([visitor.page.waitForNavigation(), visitor.page.evaluate((text) => {
        const form = document.querySelector('form.rejoinder-form');
        for (const name of ['name', 'email', 'website', 'comment', 'phone']) form.elements[name].value = text;
        form.elements.key.value = 'k'.repeat(200);
        form.submit();
      }, payload)]);
      assert.equal(await visitor.page.locator('.rejoinder-error').count() > 0, true, payload);
      await look(visitor, `the form with ${payload}`);
    }
  });

  onBoth('addresses', async (visitor) => {
    const answers = {};
    await visitor.page.goto(`/comments/form?page=${ARTICLE}`);
    for (const [i, payload] of PAYLOADS.entries()) {
      const p = encodeURIComponent(payload);
      for (const address of [`/comments/form?page=${ARTICLE}&parent=${p}`, `/comments/form?page=/${p}`, `/comments/receipt/${p}`, `${QUEUE}sign-in?next=${p}`, `/comments/${p}`]) {
        if (i % 60 === 0) await lookAt(visitor, address);
        answers[address] = (await get(address)).text;
      }
    }
    await lookThrough(visitor, answers, '<title>');
  });

  onBoth('the queue', async (visitor) => {
    await signIn(visitor.page, EDITOR);
    await lookAt(visitor, `${QUEUE}?state=held`, { selector: 'article.reply', least: 50 });
    for (let pages = 1; await visitor.page.locator('a[rel=next]').count() > 0; pages++) {
      assert.ok(pages < 50);
      await lookAt(visitor, await visitor.page.locator('a[rel=next]').getAttribute('href'), { selector: 'article.reply' });
    }
    const answers = {};
    for (const payload of some(PAYLOADS, 5)) {
      const p = encodeURIComponent(payload);
      const address = `${QUEUE}?state=${p}&before=${p}&done=${p}`;
      answers[address] = (await moderator.get(address)).text;
    }
    await lookThrough(visitor, answers, '<title>');
  });
}

// Decides about the first page of the queue while another decides about all of it.
test('conflicts', async () => {
  const visitors = [];
  for (const options of Object.values(BROWSERS)) {
    const visitor = await reader(options);
    await signIn(visitor.page, EDITOR);
    visitors.push(visitor);
    await visitor.page.goto(`${QUEUE}?state=held&before=${Number(ids.at(-1)) + 1}`);
  }
  await approveAll();
  for (const visitor of visitors) {
    const chosen = await visitor.page.evaluate(() => {
      const boxes = [...document.querySelectorAll('input[type=checkbox][name=reply]')];
      for (const box of boxes) box.checked = true;
      return boxes.length;
    });
    assert.equal(chosen, 50);
    await visitor.page.locator('#selection button[value=trash]').click();
    await visitor.page.waitForSelector('.conflict');
    assert.equal(await visitor.page.locator('.conflict').count(), chosen);
    await look(visitor, 'the conflicts');
    await visitor.leave();
  }
});

async function approveAll() {
  const { form } = await moderator.decisionForm(ids.at(-1));
  const token = form.controls.find((one) => one.name === 'token').value;
  const waiting = all.it.sql("SELECT id FROM reply WHERE state = 'held' ORDER BY id").map(({ id }) => id);
  for (let at = 0; at < waiting.length; at += 100) {
    const answer = await moderator.submit(form.action, [['token', token], ...waiting.slice(at, at + 100).map((id) => ['reply', `${id}:1`]), ['state', 'published']]);
    assert.equal(answer.status, 303, answer.text.slice(0, 300));
  }
}

for (const [browser, options] of Object.entries(BROWSERS)) {
  const onBoth = (name, run) => test(`${name}, ${browser}`, async () => {
    const visitor = await reader(options);
    await run(visitor);
    await visitor.leave();
  });

  onBoth('the article with its thread, and the thread\'s own pages', async (visitor) => {
    await lookAt(visitor, `${ARTICLE}/`, { selector: '.rejoinder article', least: 100 });
    await lookAt(visitor, `${THREAD}thread.html`, { selector: 'article', least: 100 });
    const pages = Math.ceil(ids.length / 100);
    assert.ok(pages >= 3);
    for (let n = 2; n <= pages; n++) await lookAt(visitor, `${THREAD}page.${n}.html`, { selector: 'article', least: n < pages ? 100 : 1 });
  });

  onBoth('the queue of what was published', async (visitor) => {
    await signIn(visitor.page, EDITOR);
    await lookAt(visitor, `${QUEUE}?state=published&before=${Number(ids.at(-1)) + 1}`, { selector: 'article.reply', least: 50 });
    await lookAt(visitor, `${QUEUE}?state=published&before=${ids[50]}`, { selector: 'article.reply', least: 50 });
  });

  onBoth('receipts, and pages of odd names', async (visitor) => {
    const answers = {};
    assert.ok(odd.length > 50, `${odd.length} odd pages`);
    for (const address of some([...receipts, ...odd], 60)) {
      await lookAt(visitor, address, { selector: '.rejoinder-comment' });
      await lookAt(visitor, await visitor.page.locator('.rejoinder-kicker a').getAttribute('href'));
    }
    for (const [i, address] of [...receipts, ...odd].entries()) {
      const answer = await get(address);
      answers[address] = answer.text;
      if (i % 10 === 0) await lookIn(visitor, answer, address, 'rejoinder-comment');
    }
    await lookThrough(visitor, answers, 'rejoinder-comment');
  });
}

test('JSON and feeds are not taken for pages', async () => {
  for (const [name, type] of [['thread.json', 'application/json'], ['feed.xml', 'application/atom+xml']]) {
    const answer = await request(all.port, 'GET', `${THREAD}${name}`);
    assert.equal(answer.status, 200);
    assert.ok(answer.headers['content-type'].startsWith(type), answer.headers['content-type']);
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    assert.doesNotMatch(answer.text.replace(/<\/?(feed|id|title|updated|link|entry|published|author|name|content)\b[^>]*>|<\?xml [^>]*>/g, ''), /</);
  }
});

test('there are enough payloads, and the look finds what it looks for', async () => {
  assert.ok(new Set(PAYLOADS).size >= 150, `${PAYLOADS.length} payloads`);
  const visitor = await visit(all, { javaScriptEnabled: true });
  await visitor.page.goto(`/comments/form?page=${ARTICLE}`);
  for (const markup of ['<script></script>', '<b onclick="x">y</b>', '<a href="javascript:x">y</a>', '<svg></svg>', '<iframe></iframe>', '<p is="x"></p>', '<meta http-equiv="x">', '<form action="//evil.example"></form>']) {
    const found = await visitor.page.evaluate(`(${inspect})([new DOMParser().parseFromString(${JSON.stringify(markup)}, 'text/html')])`);
    assert.notDeepEqual(found, [], markup);
  }
  await visitor.context.close();
});
