// Every page as people meet it: wide and narrow, light and dark, for assistive technology, and as
// valid HTML.  Which pages there are is read from the route tables in cgi-bin/, so that none is
// forgotten.  With SHOTS=1 their screenshots are in build/screenshots.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { FileSystemConfigLoader, HtmlValidate } from 'html-validate';
import { EDITOR, moderatorAt, post } from '../served/behind.mjs';
import { Moderator } from '../lib/browserless.mjs';
import { request, root } from '../served/nginx.mjs';
import { ARTICLE, after, before, fill, open, press, reply, shot, signIn, test, visit } from './browser.mjs';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const LONG = 'https://example.org/a/very/long/address/that/nobody/would/type/by/hand/but/somebody/pastes?with=parameters&and=more&'.repeat(2);
const CROWDED = '/crowded', CLOSED = '/over', ODD = '/odd';
const GUEST = { name: 'guest', password: 'three camels and a kettle' };
const DESK = '/comments/moderate/';

// A second instance, with little patience and a log that was tampered with.
let hasty, hastyDesk;
let all, moderator, receipts, ids, signedIn;

before(async () => {
  all = await open({ site: { pages: ['**'], pace_burst: 1000, pace_site: 100000 } });
  moderator = await moderatorAt(all);
  const first = await post(all, { page: ARTICLE, name: 'Aigul', comment: 'A first reply, with *emphasis*, `code` and a list:\n\n- one\n- two\n\n> and a quote' });
  await moderator.approve(first.id);
  let parent = first.id;
  for (let depth = 1; depth <= 6; depth++) {
    const next = await post(all, { page: ARTICLE, parent, name: `Reader of level ${depth}`, website: '', comment: `Level ${depth}. ${'Words that fill a few lines. '.repeat(depth)}` });
    await moderator.approve(next.id);
    parent = next.id;
  }
  const long = await post(all, { page: ARTICLE, name: 'Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen', comment: `Unbroken: ${'x'.repeat(400)} and ${LONG}\n\n    ${'code '.repeat(80)}` });
  await moderator.approve(long.id);
  const right = await post(all, { page: ARTICLE, name: 'قارئ من ألماتي', comment: 'هذا تعليق يُكتب من اليمين إلى اليسار، وفيه كلمة English واحدة.' });
  await moderator.approve(right.id);
  const spam = await post(all, { page: ARTICLE, name: 'Buy Now', comment: 'This one is spam.' });
  await moderator.decide(spam.id, 'spam');
  const trashed = await post(all, { page: ARTICLE, comment: 'This one goes to the trash.' });
  await moderator.decide(trashed.id, 'trash');
  // More than a page of a thread.
  const many = [];
  for (let n = 1; n <= 101; n++) many.push((await post(all, { page: CROWDED, name: `Voice ${n}`, comment: `Number ${n} of a long discussion.` })).id);
  await moderator.approve(many);
  await post(all, { page: ARTICLE, name: 'A Long One', comment: 'It goes on and on, as some do. '.repeat(120) });
  const waiting = await post(all, { page: ARTICLE, name: 'Someone Waiting', comment: `Three links: https://example.com/1 https://example.com/2 ${LONG}` });
  receipts = { published: first.receipt, waiting: waiting.receipt, refused: trashed.receipt };
  ids = { crowd: many[0], first: first.id, published: right.id, waiting: waiting.id, spam: spam.id, trash: trashed.id };
  const visitor = await visit(all);
  await signIn(visitor.page, EDITOR);
  signedIn = await visitor.context.storageState();
  await visitor.leave();
  // Whatever people type, and programs paste.
  for (const [name, comment] of [
    ['W'.repeat(80), 'W'.repeat(3000)], ['李雷和韩梅梅', '这是一条没有空格的很长的评论，'.repeat(80)], ['שם בעברית', `מימין לשמאל, ו-English באמצע.\n\n- אחת\n- שתיים\n\n> ציטוט`],
    ['Z\u0301\u0302algo\u0301\u0302', 'T\u0301\u0302h\u0303\u0304e\u0301 \u0915\u094d\u0937\u093f marks'], ['Linker', LONG.repeat(3).replaceAll('&https', '/https')],
    ['Coder', `    ${'x = y;'.repeat(200)}\n\n\`${'code'.repeat(100)}\`\n\n${'> '.repeat(8)}deep\n\n- one\n  - two\n    - three\n      - four`]])
    await post(all, { page: ODD, name, comment, website: `https://example.org/${'long/'.repeat(60)}` });
  const last = await post(all, { page: CLOSED, name: 'The Last Word', comment: 'And then it was closed.' });
  const below = await post(all, { page: CROWDED, parent: many[50], comment: 'Below one that is hidden then.' });
  await moderator.approve([last.id, below.id]);
  await moderator.decide(many[50], 'trash', 'published');
  receipts.unseen = below.receipt;
  all.it.mustCli(['close', CLOSED]);
  hasty = await open({ site: { pages: ['**'], pace_burst: 1, pace_every: 3600 } });
  const impatient = await moderatorAt(hasty);
  await impatient.decide((await post(hasty, { page: ARTICLE })).id, 'spam');
  hasty.it.addModerator(GUEST.name, GUEST.password);
  hasty.it.sql("UPDATE decision SET network = '192.0.2.0/24'");
  const guest = await visit(hasty);
  await signIn(guest.page, GUEST);
  hastyDesk = await guest.context.storageState();
  await guest.leave();
});
after(async () => { await all?.tidy(); await hasty?.tidy(); });

const queue = (page, words) => page.locator('article[id^="reply-"]').filter({ hasText: words });
const go = (address) => (page) => page.goto(address());

/** What a page of the door gives back once a form of it is sent; `how` changes the form first. */
const sent = (address, selector, how = () => {}) => async (page) => {
  await page.goto(address());
  await page.evaluate(`for (const form of document.forms) form.noValidate = true`);
  await page.evaluate(how);
  await press(page, page.locator(selector).first());
};
/** A fragment that sites include, in a page of its own. */
const included = (address) => async (page) => {
  const { text } = await request(all.port, 'GET', address);
  assert.match(text, /<section/);
  await page.route('**/included', (route) => route.fulfill({ contentType: 'text/html; charset=utf-8', body: `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>An article</title><link rel="stylesheet" href="/comments/static/rejoinder.css"><link rel="stylesheet" href="/made.css"></head>
<body><main><h1>An article</h1>${text}</main></body></html>` }));
  await page.route('**/made.css', (route) => route.fulfill({ contentType: 'text/css', body: 'html { background: Canvas; color: CanvasText }' }));
  await page.goto('/included');
};

/** Sends the form, having typed what `typed` says; `first` does what makes the door refuse it. */
const refused = (typed, first = () => {}) => async (page) => {
  await page.goto(`/comments/form?page=${ARTICLE}`);
  const fields = { name: 'Aigul', email: 'aigul@example.org', comment: `Words that stay, ${Math.random()}.`, ...typed };
  const undo = await first(page, fields);
  await reply(page, fields);
  await undo?.();
};
const postForm = (page, fields) => request(new URL(page.url()).port, 'POST', '/comments/reply', { body: new URLSearchParams(fields).toString(),
  headers: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html' } });
/** Keeps the store to itself until it is asked to let go. */
async function holdStore() {
  const lock = spawn('flock', [`${all.it.database}.turn`, 'sh', '-c', 'echo held; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  await once(lock.stdout, 'data');
  return async () => { process.kill(-lock.pid); await once(lock, 'exit'); };
}
/** A page while a program does not run. */
const stopped = (door, address) => async (page) => {
  await hasty.it.stop(door);
  try { await page.goto(address()); } finally { await hasty.it.start(door); }
};
async function paused(page, address) {
  const set = async (verb) => {
    const { text } = await moderator.get(`${DESK}pages`);
    return moderator.submit(`${DESK}${verb}`, [['token', text.match(/name="token" value="([^"]+)"/)[1]]]);
  };
  await set('pause');
  try { await page.goto(address); } finally { await set('resume'); }
}

/** The front page, which shows the newest replies: they are written in the background. */
async function withLatest(page) {
  for (let tries = 0; tries < 120; tries++) {
    await page.goto('/');
    if (await page.locator('.rejoinder-latest-when').first().isVisible()) return;
    await page.waitForTimeout(500);
  }
}

/**
 * Each page that is not simply a GET without parameters: the address of the table that it is of, and
 * how people get there.  `desk`: as somebody who is signed in; `hasty`: of the second instance;
 * `says`: words that must be there, so that it is the page that was meant.
 */
const PAGES = {
  'front': { go: withLatest, says: /published/ },
  'article': { of: 'GET /threads/*', go: go(() => `${ARTICLE}/`) },
  'article-mobile': { go: go(() => `${ARTICLE}/mobile.html`) },
  'article-without-replies': { go: go(() => '/world/caspian-harbors/') },
  'thread-page-2': { of: 'GET /threads/*', go: go(() => `/comments/threads${CROWDED}/~/page.2.html`) },
  'latest': { of: 'GET /latest.html', go: included('/comments/latest.html') },
  'trending': { of: 'GET /trending.html', go: included('/comments/trending.html') },
  'form': { of: 'GET /form', go: go(() => `/comments/form?page=${ARTICLE}`) },
  'form-answer': { of: 'GET /form', go: go(() => `/comments/form?page=${ARTICLE}&parent=${ids.first}`) },
  'form-wrong': { of: 'POST /reply', go: async (page) => {
    await page.goto(`/comments/form?page=${ARTICLE}`);
    await reply(page, { comment: 'Words that stay.', name: 'N'.repeat(81), email: 'n@example.org', website: 'ftp://example.org' });
  } },
  'form-spent': { of: 'POST /reply', says: /already used for another reply/, go: refused({}, async (page, fields) => {
    const hidden = await page.locator('.rejoinder-form').evaluate((form) => Object.fromEntries(new FormData(form)));
    await postForm(page, { ...hidden, ...fields, comment: 'The first use of this form.' });
  }) },
  'form-too-large': { of: 'POST /reply', says: /too long to be taken/, go: refused({ comment: 'So much to say. '.repeat(20000) }) },
  'form-too-fast': { of: 'POST /reply', hasty: true, says: /wait \d+ minutes, then/, go: refused({}) },
  'form-busy': { of: 'POST /reply', says: /cannot be kept right now/, go: refused({}, holdStore) },
  'form-closed': { of: 'GET /form', says: /are closed/, go: go(() => `/comments/form?page=${CLOSED}`) },
  'form-paused': { of: 'GET /form', says: /no replies at the moment/, go: (page) => paused(page, `/comments/form?page=${ARTICLE}`) },
  'not-like-this': { of: 'POST /reply', says: /Not like this/, go: go(() => '/comments/reply') },
  'no-receipt': { of: 'GET /receipt/*', says: /no receipt/, go: go(() => '/comments/receipt/nothing') },
  'thread': { of: 'GET /threads/*', go: included(`/comments/threads${CROWDED}/~/thread.html`) },
  'thread-closed': { of: 'GET /threads/*', says: /Replies are closed/, go: included(`/comments/threads${CLOSED}/~/thread.html`) },
  'receipt-unseen': { of: 'GET /receipt/*', says: /is approved/, go: go(() => receipts.unseen) },
  'receipt-too-late': { of: 'POST /receipt/*/edit', says: /cannot be changed any more/, go: async (page) => {
    const { id, receipt } = await post(all, { page: ARTICLE, comment: `Decided meanwhile, ${Math.random()}.` });
    await page.goto(`${receipt}/edit`);
    await moderator.approve(id);
    await press(page, page.locator('button[value=save]'));
    assert.equal(await page.locator('main button').count(), 0, 'nothing there is to be pressed in vain');
  } },
  'receipt-waiting': { of: 'GET /receipt/*', go: go(() => receipts.waiting) },
  'receipt-published': { of: 'GET /receipt/*', go: go(() => receipts.published) },
  'receipt-refused': { of: 'GET /receipt/*', go: go(() => receipts.refused) },
  'receipt-edit': { of: 'GET /receipt/*/edit', go: go(() => `${receipts.waiting}/edit`) },
  'receipt-edit-wrong': { of: 'POST /receipt/*/edit', go: async (page) => {
    await page.goto(`${receipts.waiting}/edit`);
    await fill(page, { name: 'N'.repeat(81) });
    await press(page, page.locator('button[value=save]'));
  } },
  'receipt-preview': { of: 'POST /receipt/*/edit', go: sent(() => `${receipts.waiting}/edit`, 'button[value=preview]') },
  'receipt-withdrawn': { of: 'POST /receipt/*/withdraw', go: async (page) => {
    await page.goto((await post(all, { page: ARTICLE, comment: `To be withdrawn, ${Math.random()}.` })).receipt);
    await page.locator('details summary').click();
    await press(page, page.locator('form[action$=withdraw] button'));
  } },
  'missing': { of: 'GET /form', says: /no page here that takes replies/, go: go(() => '/comments/form?page=/.hidden') },
  'receipt-changed': { of: 'GET /receipt/*', says: /changed/i, go: async (page) => {
    await page.goto(`${(await post(all, { page: ARTICLE, comment: `To be changed, ${Math.random()}.` })).receipt}/edit`);
    await fill(page, { comment: `Changed, ${Math.random()}.` });
    await press(page, page.locator('button[value=save]'));
  } },
  'form-stopped': { hasty: true, says: /Nothing is lost/, go: stopped('reader', () => `/comments/form?page=${ARTICLE}`) },
  'article-stopped': { hasty: true, says: /Leave a Reply/, go: stopped('reader', () => `${ARTICLE}/`) },
  'desk-stopped': { hasty: true, desk: true, says: /Nothing is lost/, go: stopped('moderator', () => DESK) },
  'sign-in': { of: 'GET /moderate/sign-in', go: go(() => `${DESK}sign-in`) },
  'sign-in-wrong': { of: 'POST /moderate/sign-in', go: (page) => signIn(page, { name: EDITOR.name, password: 'not the one at all' }) },
  'sign-in-too-often': { of: 'POST /moderate/sign-in', hasty: true, says: /too many wrong passwords/, go: async (page) => {
    const stranger = new Moderator({ moderator: async ({ method = 'GET', uri, headers, form }) => {
      const res = await request(hasty.port, method, uri, { headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
        body: form && new URLSearchParams(form).toString() });
      return { status: res.status, text: res.text, header: (name) => res.headers[name], all: (name) => [res.headers[name.toLowerCase()] ?? []].flat() };
    } }, { origin: hasty.base });
    for (let n = 0; n < 11; n++) await stranger.signIn(EDITOR.name, `not this one ${n}`);
    await signIn(page, EDITOR);
  } },
  'desk-missing': { desk: true, go: go(() => `${DESK}?state=nothing`) },
  'queue': { desk: true, of: 'GET /moderate/', go: go(() => DESK) },
  'queue-published': { desk: true, of: 'GET /moderate/', go: go(() => `${DESK}?state=published&before=${ids.crowd}`) },
  'queue-spam': { desk: true, of: 'GET /moderate/', go: go(() => `${DESK}?state=spam`) },
  'queue-trash': { desk: true, of: 'GET /moderate/', go: go(() => `${DESK}?state=trash`) },
  'queue-filtered': { desk: true, of: 'GET /moderate/', go: async (page) => {
    await page.goto(`${DESK}?state=held&links=1&order=oldest`);
    await page.locator('details.filters summary').click();
  } },
  'queue-odd': { desk: true, of: 'GET /moderate/', go: go(() => `${DESK}?page=${ODD}`) },
  'queue-selected': { desk: true, of: 'GET /moderate/', go: async (page) => {
    await page.goto(`${DESK}?page=${ODD}`);
    for (const n of [1, 2]) await page.getByRole('checkbox').nth(n).check();
    await page.locator('article.reply').nth(2).scrollIntoViewIfNeeded();
  } },
  'queue-empty': { desk: true, of: 'GET /moderate/', go: go(() => `${DESK}?state=held&page=/nobody`) },
  'queue-after-a-decision': { desk: true, script: false, of: 'POST /moderate/decide', go: async (page) => {
    const { id } = await post(all, { page: ARTICLE, comment: `To be decided, ${Math.random()}.` });
    await page.goto(DESK);
    await press(page, page.locator(`#reply-${id} button.approve`));
  } },
  'queue-conflict': { desk: true, script: false, of: 'POST /moderate/decide', go: async (page) => {
    const { id } = await post(all, { page: ARTICLE, comment: `Two decide about this, ${Math.random()}.` });
    await page.goto(DESK);
    await moderator.decide(id, 'spam');
    await press(page, page.locator(`#reply-${id} button.approve`));
  } },
  'queue-nothing-selected': { desk: true, script: false, of: 'POST /moderate/decide', go: sent(() => DESK, '#selection button.approve') },
  'queue-of-another-session': { desk: true, script: false, of: 'POST /moderate/decide', says: /signed in anew/, go: sent(() => DESK, 'article button.approve', () => {
    for (const field of document.querySelectorAll('[name=token]')) field.value = field.value.replace(/[0-9a-f]/g, '0');
  }) },
  'desk-busy': { desk: true, script: false, of: 'POST /moderate/decide', go: async (page) => {
    await page.goto(DESK);
    const undo = await holdStore();
    try { await press(page, page.locator('article button.trash').first()); } finally { await undo(); }
  } },
  'reply-held': { desk: true, of: 'GET /moderate/reply/*', go: go(() => `${DESK}reply/${ids.waiting}`) },
  'reply-published': { desk: true, of: 'GET /moderate/reply/*', go: go(() => `${DESK}reply/${ids.first}`) },
  'reply-spam': { desk: true, of: 'GET /moderate/reply/*', go: go(() => `${DESK}reply/${ids.spam}`) },
  'answer': { desk: true, of: 'GET /moderate/reply/*/answer', go: go(() => `${DESK}reply/${ids.waiting}/answer`) },
  'answer-wrong': { desk: true, script: false, of: 'POST /moderate/answer', go: sent(() => `${DESK}reply/${ids.first}/answer`, 'form.pen button') },
  'edit': { desk: true, of: 'GET /moderate/reply/*/edit', go: go(() => `${DESK}reply/${ids.waiting}/edit`) },
  'edit-wrong': { desk: true, script: false, of: 'POST /moderate/edit', go: sent(() => `${DESK}reply/${ids.waiting}/edit`, 'form.pen button', () => {
    document.querySelector('#comment').value = '';
    document.querySelector('#name').value = 'N'.repeat(81);
    document.querySelector('#website').value = 'ftp://example.org';
  }) },
  'edit-conflict': { desk: true, script: false, of: 'POST /moderate/edit', go: async (page) => {
    const { id } = await post(all, { page: ARTICLE, comment: `Two edit this, ${Math.random()}.` });
    await page.goto(`${DESK}reply/${id}/edit`);
    await moderator.decide(id, 'spam');
    await press(page, page.locator('form.pen button'));
  } },
  'edit-in-place': { desk: true, of: 'GET /moderate/reply/*/edit', go: async (page) => {
    await page.goto(DESK);
    await page.locator(`#reply-${ids.waiting} .write a.edit`).click();
    await page.locator('.inline textarea').waitFor();
  } },
  'ended-session-in-place': { desk: true, go: async (page) => {
    await page.goto(DESK);
    await page.context().clearCookies();
    await page.locator(`#reply-${ids.waiting} .write a.edit`).click();
    await page.getByRole('dialog', { name: 'Sign in' }).waitFor();
  } },
  'ended-session-carried-on': { desk: true, script: false, of: 'POST /moderate/sign-in', go: async (page) => {
    await page.goto(`${DESK}reply/${ids.waiting}/edit`);
    await page.context().clearCookies();
    await press(page, page.locator('form.pen button'));
    await page.fill('input[name=name]', EDITOR.name);
    await page.fill('input[name=password]', EDITOR.password);
    await press(page, page.locator('main form button[type=submit]'));
  } },
  'ended-session': { desk: true, script: false, of: 'POST /moderate/decide', go: async (page) => {
    await page.goto(DESK);
    await page.context().clearCookies();
    await press(page, page.locator(`#reply-${ids.waiting} button.trash`));
  } },
  'carry-on': { desk: true, script: false, of: 'POST /moderate/sign-in', go: async (page) => {
    await page.goto(DESK);
    await page.context().clearCookies();
    await press(page, page.locator(`#reply-${ids.waiting} button.trash`));
    await page.fill('#name', EDITOR.name);
    await page.fill('#password', EDITOR.password);
    await press(page, page.locator('button.main'));
  } },
  'keys': { desk: true, go: async (page) => {
    await page.goto(DESK);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  } },
  'queue-decided-in-place': { desk: true, go: async (page) => {
    const { id } = await post(all, { page: ARTICLE, comment: `To be decided in place, ${Math.random()}.` });
    await page.goto(DESK);
    await page.locator(`#reply-${id} button.approve`).click();
    await page.locator(`#reply-${id} .outcome`).waitFor();
  } },
  'pages-recent': { desk: true, go: go(() => `${DESK}pages?order=recent`) },
  'pages-closed': { desk: true, of: 'POST /moderate/close', go: sent(() => `${DESK}pages`, 'td form button') },
  'pages-reopened': { desk: true, of: 'POST /moderate/reopen', go: sent(() => `${DESK}pages`, 'form[action$=reopen] button') },
  'pages-paused': { desk: true, of: 'POST /moderate/pause', go: sent(() => `${DESK}pages`, '.whole button') },
  'pages-resumed': { desk: true, of: 'POST /moderate/resume', go: sent(() => `${DESK}pages`, '.whole button') },
  'pages-none': { desk: true, of: 'GET /moderate/pages', says: /No page that begins with this/, go: go(() => `${DESK}pages?path=/nobody`) },
  'log-wrong': { desk: true, of: 'GET /moderate/log', says: /could not be looked for/, go: go(() => `${DESK}log?reply=the-first`) },
  'log-tampered': { desk: true, hasty: true, of: 'GET /moderate/log', says: /Not as it was written/, go: go(() => `${DESK}log`) },
  'undo-nothing': { desk: true, hasty: true, of: 'GET /moderate/undo', says: /decided about nothing yet/, go: go(() => `${DESK}undo`) },
  'log-of-a-reply': { desk: true, of: 'GET /moderate/log', go: go(() => `${DESK}log?reply=${ids.spam}`) },
  'undone': { desk: true, of: 'POST /moderate/undo', go: async (page) => {
    const { id } = await post(all, { page: ARTICLE, comment: `To be taken back, ${Math.random()}.` });
    await moderator.decide(id, 'trash');
    await page.goto(`${DESK}undo`);
    await press(page, page.locator('.batches button').first());
  } },
  'undo-refused': { desk: true, of: 'POST /moderate/undo', go: async (page) => {
    const { id } = await post(all, { page: ARTICLE, comment: `To be taken back too late, ${Math.random()}.` });
    await moderator.decide(id, 'trash');
    await page.goto(`${DESK}undo`);
    await moderator.decide(id, 'spam', 'trash');
    await press(page, page.locator('.batches button').first());
  } },
  'settings-wrong': { desk: true, of: 'POST /moderate/settings/password', go: sent(() => `${DESK}settings`, 'form[action$=password] button', () => {
    for (const field of document.querySelectorAll('input[type=password]')) field.value = 'too short';
  }) },
};
/** What answers with no page of its own, or with one that stands above. */
const NO_PAGE = ['POST /moderate/sign-out', 'POST /moderate/settings/end', 'POST /moderate/settings/end-all',
  'GET /moderate/news', 'GET /moderate/health', 'GET /health', 'GET /latest.json', 'GET /trending.json', 'GET /counts.json', 'GET /feed.xml'];

const routes = ['reader', 'moderator'].flatMap((door) =>
  [...fs.readFileSync(path.join(root, `cgi-bin/${door}.c`), 'utf8').matchAll(/^ {4}\{"(GET|POST)", "([^"]+)"/gm)].map(([, method, address]) => `${method} ${address}`));

// A page that is simply there, such as the settings, needs no line above.
for (const route of routes) {
  const [method, address] = route.split(' ');
  const known = NO_PAGE.includes(route) || Object.values(PAGES).some((page) => page.of === route);
  if (!known && method === 'GET' && !address.includes('*'))
    PAGES[address.slice(1).replaceAll('/', '-')] = { of: route, desk: address.startsWith('/moderate/'), go: go(() => `/comments${address}`) };
}

test('no address of the doors is forgotten here', () => {
  assert.ok(routes.length > 20);
  for (const route of routes) assert.ok(NO_PAGE.includes(route) || Object.values(PAGES).some((page) => page.of === route), `${route}: say in PAGES how people get to it`);
  for (const route of [...NO_PAGE, ...Object.values(PAGES).flatMap(({ of }) => of ?? [])]) assert.ok(routes.includes(route), `${route} is no address any more`);
});

const sideways = (page) => page.evaluate(() => ({
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  culprits: [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(e).position !== 'absolute')
    .slice(0, 5).map((e) => `${e.tagName}.${e.className}`),
}));

/** What fingers must hit is 44 pixels high and wide; a link within a sentence may be smaller. */
const tooSmall = (page) => page.evaluate(() => {
  const target = (one) => one.closest('label') ?? one;
  return [...document.querySelectorAll('.top a, .tabs a, .go, .write a, .clear, button, select, summary, input:not([type=hidden])')]
    .filter((one) => one.checkVisibility() && !one.closest('.rejoinder-phone, .skip'))
    .map((one) => [one.outerHTML.slice(0, 80), target(one).getBoundingClientRect()])
    .filter(([, { width, height }]) => width > 0 && (width < 43.5 || height < 43.5)).map(([html, { width, height }]) => `${html}: ${width} x ${height}`);
});

/** What approves, and what marks as spam, do not stand beside each other, also where lines wrap. */
const neighbours = (page) => page.evaluate(() => [...document.querySelectorAll('form')].flatMap((form) => {
  const buttons = [...form.querySelectorAll('button[name=state]')];
  const spam = buttons.find((one) => one.value === 'spam'), other = buttons.find((one) => ['published', 'held'].includes(one.value));
  if (!spam || !other || !spam.checkVisibility()) return [];
  const a = spam.getBoundingClientRect(), b = other.getBoundingClientRect();
  const gap = Math.hypot(Math.max(0, a.left - b.right, b.left - a.right), Math.max(0, a.top - b.bottom, b.top - a.bottom));
  const near = Math.abs(buttons.indexOf(spam) - buttons.indexOf(other)) < 2 && buttons.length > 2;
  return gap < 24 || near ? [`${form.className}: ${Math.round(gap)} px${near ? ', and next by Tab' : ''}`] : [];
}));

async function scan(page, what) {
  // What is half below the bar is no smaller for it.
  await page.evaluate(() => scrollTo(0, 0));
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  const wrong = found.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`);
  assert.deepEqual(wrong, [], what);
  assert.ok(found.passes.length > 5);
}

const validator = new HtmlValidate(new FileSystemConfigLoader({ root: true, extends: ['html-validate:standard'] }));
// [width, colours, is it scanned, the person's own text size]: light and dark, wide and narrow, each once.
const VIEWS = [[1280, 'light', true, '100%'], [1280, 'dark', false, '100%'], [320, 'dark', true, '100%'], [320, 'light', false, '100%'],
  [500, 'light', false, '100%'], [640, 'light', false, '200%']];

for (const [name, { desk, hasty: second, script = true, says, go: there }] of Object.entries(PAGES)) {
  test(`${name}: nothing that axe objects to, nothing that scrolls sideways, valid HTML`, async () => {
    const state = second ? hastyDesk : signedIn;
    const visitor = await visit(second ? hasty : all, { javaScriptEnabled: true, ...(desk ? { storageState: state } : {}) });
    const { page, context } = visitor;
    // Some pages are what people without scripts come to.
    if (!script) await context.route('**/static/moderate.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
    // The document as it came, not as the browser mended it.
    let html;
    page.on('response', (response) => {
      if (response.request().isNavigationRequest() && ![301, 302, 303].includes(response.status())) html = response.text();
    });
    await there(page);
    if (says) assert.match(await page.locator('main').innerText(), says);
    const report = await validator.validateString(await html);
    assert.deepEqual(report.results.flatMap((result) => result.messages.map((m) => `${m.line}:${m.column} ${m.ruleId}: ${m.message}`)), []);
    for (const [width, colorScheme, scanned, size] of VIEWS) {
      const what = `${width} px, ${colorScheme}, text of ${size}`;
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      await page.evaluate((its) => { document.documentElement.style.fontSize = its; }, size);
      const { wide, culprits } = await sideways(page);
      assert.equal(wide, 0, `${what}: ${culprits.join(', ')}`);
      if (page.url().includes('/comments/')) assert.deepEqual(await tooSmall(page), [], what);
      if (page.url().includes('/moderate/')) assert.deepEqual(await neighbours(page), [], what);
      if (!scanned) continue;
      await shot(page, `${name}-${width}-${colorScheme}`);
      await scan(page, what);
    }
    await visitor.leave();
  });
}

for (const withScript of [true, false]) {
  test(`the queue ${withScript ? 'with' : 'without'} the script, at any width and size of text: spam stands off what approves, nothing scrolls sideways`, async () => {
    const visitor = await visit(all, { javaScriptEnabled: true, storageState: signedIn });
    const { page, context } = visitor;
    if (!withScript) await context.route('**/static/moderate.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
    for (const address of [`${DESK}?page=${ODD}`, `${DESK}?state=published&page=${ARTICLE}`, `${DESK}?state=trash`, `${DESK}reply/${ids.waiting}`]) {
      await page.goto(`${address}`);
      for (const size of ['100%', '150%', '200%']) {
        await page.evaluate((its) => { document.documentElement.style.fontSize = its; }, size);
        for (let width = 320; width <= 1300; width += 28) {
          await page.setViewportSize({ width, height: 800 });
          const { wide, culprits } = await sideways(page);
          assert.equal(wide, 0, `${address}, ${width} px, text of ${size}: ${culprits.join(', ')}`);
          assert.deepEqual(await neighbours(page), [], `${address}, ${width} px, text of ${size}`);
        }
      }
    }
    await visitor.leave();
  });
}

test('at 320 pixels what belongs together stays together: the top, a filter, a decision and its Undo, a name and its time', async () => {
  const visitor = await visit(all, { storageState: signedIn, viewport: { width: 320, height: 800 } });
  const { page } = visitor;
  await page.goto(`${DESK}?state=held&page=/nobody`);
  const box = (selector) => page.locator(selector).first().boundingBox();
  const [site, out, remove] = [await box('.top .site'), await box('.leave button'), await box('.remove')];
  assert.ok(out.y < site.y + site.height && site.y < out.y + out.height, 'the site and «Sign out» share a line');
  assert.ok(remove.height < 30, '«remove» is in one piece');
  await page.goto(`${DESK}undo`);
  const [line, undo] = [await box('.batches li:has(button) p'), await box('.batches button')];
  assert.ok(undo.y < line.y + line.height && undo.x >= line.x + line.width, '«Undo» stands beside what it takes back');
  await page.goto(`${ARTICLE}/`);
  const [name, when] = [await box('.rejoinder-by:not(:has(.rejoinder-website)) .rejoinder-name'), await box('.rejoinder-by:not(:has(.rejoinder-website)) .rejoinder-time')];
  assert.ok(when.y - name.y - name.height < 8, `${when.y - name.y - name.height} px between a name and its time`);
  await visitor.leave();
});

test('in forced colours one sees where one is, what is selected, and each button', async () => {
  const visitor = await visit(all, { storageState: signedIn });
  const { page } = visitor;
  await page.goto(DESK);
  await page.emulateMedia({ forcedColors: 'active' });
  await page.getByRole('checkbox').first().check();
  const seen = await page.evaluate(() => {
    const line = (selector, side) => { const s = getComputedStyle(document.querySelector(selector)); return `${s[`${side}Style`]} ${parseFloat(s[`${side}Width`]) >= 1}`; };
    return { tab: line('.tabs [aria-current]', 'borderBottom'), place: line('.places [aria-current]', 'borderBottom'), selected: line('.reply:has(:checked)', 'outline'),
      buttons: [...document.querySelectorAll('main button:not(.all)')].filter((one) => { const s = getComputedStyle(one); return s.borderTopStyle !== 'solid' || s.borderTopColor === s.backgroundColor; }).length };
  });
  assert.deepEqual(seen, { tab: 'solid true', place: 'solid true', selected: 'solid true', buttons: 0 });
  await visitor.leave();
});

/** Walks by Tab alone until the focus leaves the page; what it met. */
async function walk(page, most = 400) {
  const met = [];
  for (let i = 0; i < most; i++) {
    await page.keyboard.press('Tab');
    const one = await page.evaluate(() => {
      const e = document.activeElement, s = getComputedStyle(e), box = e.getBoundingClientRect();
      if (e === document.body) return null;
      return { what: e.textContent.trim() || e.name || e.id, tag: e.localName, name: e.name, value: e.value, within: e.closest('article')?.id ?? '', form: e.form?.className ?? '',
        ring: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2, seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth };
    });
    if (one === null) return met;
    met.push(one);
  }
  throw new Error(`no end after ${most} stops: ${JSON.stringify(met.at(-1))}`);
}

for (const javaScriptEnabled of [true, false]) {
  test(`the queue by Tab alone, ${javaScriptEnabled ? 'with' : 'without'} the script: in order, visible, no trap`, async () => {
    const visitor = await visit(all, { javaScriptEnabled: true, storageState: signedIn, viewport: { width: 1000, height: 700 } });
    const { page, context } = visitor;
    if (!javaScriptEnabled) await context.route('**/static/moderate.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
    await page.goto(DESK);
    const met = await walk(page);
    assert.match(met[0].what, /skip to the replies/i);
    for (const one of met) assert.ok(one.ring && one.seen, `the focus is not to be seen on ${JSON.stringify(one)}`);
    const order = met.map(({ within }) => within).filter((id, i, every) => id && id !== every[i - 1]);
    assert.deepEqual(order, await page.locator('article.reply').evaluateAll((every) => every.map((one) => one.id)), 'reply by reply, as they stand');
    const decisions = met.filter((one) => one.name === 'state' && one.within).map(({ value }) => value);
    assert.deepEqual(decisions.slice(0, 3), ['published', 'trash', 'spam']);
    // The skip link leads past all of it.
    await page.goto(DESK);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'replies');
    await visitor.leave();
  });
}

test('one reply, as assistive technology meets it', async () => {
  const visitor = await visit(all, { storageState: signedIn });
  await visitor.page.goto(DESK);
  const tree = await visitor.page.locator(`#reply-${ids.waiting}`).ariaSnapshot();
  fs.writeFileSync(path.join(root, 'build/screenshots/reply.aria.txt'), `${tree}\n`);
  assert.match(tree, /^- article "Someone Waiting on .*, held .*":/);
  assert.match(tree, /heading "Someone Waiting on .*" \[level=2\]/);
  for (const name of ['Approve', 'Trash', 'Spam']) assert.match(tree, new RegExp(`- button "${name}"`));
  assert.match(tree, /checkbox "Select Someone Waiting"/);
  // What is heard behind each of them is whose reply it is, not its whole heading once more.
  const heard = await visitor.page.locator(`#reply-${ids.waiting} :is(.decide button, .write a)`).evaluateAll((every) =>
    every.map((one) => `${one.textContent}, ${document.getElementById(one.getAttribute('aria-describedby')).textContent}`));
  assert.deepEqual(heard, ['Approve', 'Trash', 'Spam', 'Reply', 'Edit'].map((what) => `${what}, Someone Waiting`));
  await visitor.leave();
});

test('on paper a thread has its words, and no way to answer', async () => {
  const visitor = await visit(all);
  const { page } = visitor;
  await page.goto(`${ARTICLE}/`);
  assert.ok(await page.locator('.rejoinder-answer').first().isVisible());
  await page.emulateMedia({ media: 'print' });
  assert.ok(!await page.locator('.rejoinder-answer').first().isVisible());
  assert.ok(await page.locator('.rejoinder-comment').first().isVisible());
  const behind = await page.locator('.rejoinder-comment a').first().evaluate((link) => [getComputedStyle(link, '::after').content, link.getAttribute('href')]);
  assert.ok(behind[0].includes(behind[1].slice(0, 40)), behind.join(' '));
  await visitor.leave();
});

test('the keyboard reaches the form, and shows where it is', async () => {
  const visitor = await visit(all, { javaScriptEnabled: true });
  const { page } = visitor;
  await page.goto(`/comments/form?page=${ARTICLE}`);
  const met = await walk(page, 60);
  for (const one of met) assert.ok(one.seen, JSON.stringify(one));
  assert.deepEqual(met.map(({ name }) => name).filter(Boolean).filter((name) => name !== 'remember'), ['comment', 'name', 'email', 'website']);
  await page.focus('textarea[name=comment]');
  const ring = await page.evaluate(() => { const s = getComputedStyle(document.activeElement); return `${s.outlineStyle} ${s.boxShadow}`; });
  assert.notEqual(ring, 'none none');
  await visitor.leave();
});
