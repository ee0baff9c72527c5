// The doors behind nginx with the shipped configuration: what a reader, a moderator and a visitor
// with the programs stopped see.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { elements, fieldsOf, forms, replies, replyForm, textOf } from '../lib/browserless.mjs';
import { behindNginx, moderatorAt, post } from './behind.mjs';

const article = (page) => `<!doctype html><title>An article of ${page || '/'}</title><main>before
<!--#include virtual="/comments/threads${page}/~/thread.html" -->
after</main>`;
const ARTICLES = ['', '/news/harbor', '/news/quiet', '/новости/мир', '/a b', '/a+b', '/100%25 sure'];
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html' };

let all, nginx, moderator;

before(async () => {
  all = await behindNginx({ articles: Object.fromEntries(ARTICLES.map((page) => [decodeURI(page), article(page)])) });
  nginx = all.nginx;
  moderator = await moderatorAt(all);
});
after(async () => all?.tidy());

const thread = (page, name = 'thread.html') => `/comments/threads${page}/~/${name}`;

async function published(fields) {
  const { id, receipt } = await post(all, fields);
  assert.equal((await moderator.approve(id)).status, 303);
  return { id, receipt };
}

// The directives of CHECKLIST 1.3, each with exactly its sources.
const POLICY = { 'default-src': "'none'", 'style-src': "'self'", 'connect-src': "'self'", 'img-src': "'self'", 'base-uri': "'none'", 'form-action': "'self'", 'object-src': "'none'" };

function hasHeaders(res, what) {
  assert.equal(res.headers['x-content-type-options'], 'nosniff', what);
  assert.ok(res.headers['referrer-policy'], what);
  const type = res.headers['content-type'];
  if (res.status !== 303 && res.status !== 304)
    assert.match(type, /^(text\/(html|plain|css|javascript); charset=utf-8|application\/json|application\/atom\+xml(; charset=utf-8)?|image\/svg\+xml(; charset=utf-8)?)$/, what);
  assert.equal(res.headers['access-control-allow-origin'], undefined, what);
  if (!/^text\/html/.test(type ?? '')) return;
  const policy = Object.fromEntries(res.headers['content-security-policy'].split(';').map((part) => part.trim().split(/\s+/))
    .map(([name, ...sources]) => [name, sources.join(' ')]));
  for (const [name, sources] of Object.entries(POLICY)) assert.equal(policy[name], sources, `${what}: ${name}`);
  assert.ok([`'self'`, `'none'`, undefined].includes(policy['script-src']), `${what}: script-src`);
  const others = Object.keys(policy).filter((name) => !(name in POLICY) && !['script-src', 'frame-ancestors'].includes(name));
  assert.deepEqual(others, [], what);
}

test('a reply goes through nginx, waits, and stands in the article once approved', async () => {
  const comment = 'Words with «quotes», 中文 and a <b>tag</b>.';
  const { id } = await post(all, { page: '/news/harbor', name: 'Асель 🐎', comment });
  assert.ok(!(await nginx.get('/news/harbor/')).text.includes('中文'));
  assert.equal((await moderator.approve(id)).status, 303);
  const res = await nginx.get('/news/harbor/');
  assert.match(res.text, /^<!doctype html>[^]*before[^]*after<\/main>$/);
  assert.match(textOf(res.text), /«quotes», 中文 and a <b>tag<\/b>\./);
  assert.deepEqual(replies(res.text).map((reply) => reply.id), [id]);
});

test('every kind of page path is one thread, as a file and in its article', async () => {
  for (const page of ARTICLES) {
    const plain = decodeURI(page) || '/';
    const { id } = await published({ page: plain, comment: `Written about ${plain}, and nothing else.` });
    const file = all.it.threadFile(plain);
    assert.ok(fs.existsSync(file), file);
    const res = await nginx.get(thread(encodeURI(decodeURI(page))));
    assert.equal(res.status, 200, plain);
    assert.equal(res.text, fs.readFileSync(file, 'utf8'));
    assert.ok(replies(res.text).some((reply) => reply.id === id), plain);
    assert.ok((await nginx.get(`${encodeURI(decodeURI(page))}/`)).text.includes(`reply-${id}`), `in the article ${plain}`);
    const json = JSON.parse((await nginx.get(thread(encodeURI(decodeURI(page)), 'thread.json'))).text);
    assert.ok(json.replies.some((reply) => reply.id === id), plain);
  }
});

test('a reader of a published thread wakes no program', async () => {
  await published({ page: '/news/harbor' });
  for (const name of ['thread.html', 'thread.json', 'feed.xml']) {
    const target = thread('/news/harbor', name);
    const res = await nginx.get(target);
    assert.equal(res.status, 200);
    hasHeaders(res, target);
    assert.match(res.headers['cache-control'], /max-age=\d{1,2}$/);
    const head = await nginx.ask('HEAD', target);
    assert.equal(head.status, 200);
    assert.equal(head.headers['content-length'], String(res.bytes.length));
    assert.equal((await nginx.get(target, { 'If-None-Match': res.headers.etag })).status, 304);
    assert.equal((await nginx.get(target, { 'If-Modified-Since': res.headers['last-modified'] })).status, 304);
  }
});

test('a link in place of a file leads nowhere: the door answers as if there were none', async () => {
  const page = '/news/elsewhere', file = all.it.threadFile(page), kept = `${file}.away`;
  await published({ page, comment: 'Kept beside the link.' });
  fs.renameSync(file, kept);
  for (const target of ['/etc/hostname', path.basename(kept)]) {
    fs.symlinkSync(target, file);
    const res = await nginx.get(thread(page));
    assert.equal(res.status, 200, target);
    assert.match(res.text, /^\s*<section/, target);
    assert.deepEqual(replies(res.text), [], target);
    fs.unlinkSync(file);
  }
  fs.renameSync(kept, file);
});

test('a rewritten thread has another ETag and a later time', async () => {
  await published({ page: '/news/harbor' });
  const first = await nginx.get(thread('/news/harbor'));
  await published({ page: '/news/harbor' });
  const second = await nginx.get(thread('/news/harbor'), { 'If-Modified-Since': first.headers['last-modified'] });
  assert.equal(second.status, 200);
  assert.notEqual(second.headers.etag, first.headers.etag);
  assert.ok(Date.parse(second.headers['last-modified']) > Date.parse(first.headers['last-modified']));
});

test('a page without replies is an empty thread, and its feed is well-formed', async () => {
  for (const name of ['thread.html', 'thread.json', 'feed.xml']) {
    const res = await nginx.get(thread('/nobody/was/here', name));
    assert.equal(res.status, 200, name);
    hasHeaders(res, name);
    assert.equal(replies(res.text).length, 0);
  }
  assert.deepEqual(JSON.parse((await nginx.get(thread('/nobody/was/here', 'thread.json'))).text).replies, []);
});

test('feeds are well-formed XML', async () => {
  await published({ page: '/news/harbor', name: 'A & B', comment: 'Less < more & "so on" ]]> end' });
  for (const page of ['/news/harbor', '/nobody/was/here']) {
    const feed = (await nginx.get(thread(page, 'feed.xml'))).text;
    const lint = spawnSync('xmllint', ['--noout', '--nonet', '-'], { input: feed, encoding: 'utf8' });
    assert.equal(lint.status, 0, lint.stderr);
    assert.match(feed, /<feed[^>]* xmlns="http:\/\/www\.w3\.org\/2005\/Atom"/);
  }
});

test('the form posts urlencoded and lands on the receipt', async () => {
  const form = replyForm((await nginx.get('/comments/form?page=/news/harbor')).text);
  const typed = { comment: 'From the form, with + and % and &.', name: 'Плюс', email: 'plus+tag@example.org', website: '' };
  const fields = new URLSearchParams([...fieldsOf(form).filter(([name]) => !(name in typed)), ...Object.entries(typed)]);
  const res = await nginx.ask('POST', form.action, { body: fields.toString(), headers: FORM });
  assert.equal(res.status, 303, textOf(res.text));
  assert.match(res.headers.location, /^\/comments\/receipt\/[^/]+$/);
  const receipt = await nginx.get(res.headers.location);
  assert.equal(receipt.status, 200);
  assert.match(receipt.headers['cache-control'], /no-store/);
  assert.ok(textOf(receipt.text).includes(typed.comment));
  assert.equal(all.it.sql("SELECT comment FROM reply WHERE name = 'Плюс'")[0].comment, typed.comment);
});

test('just over the limit the door answers 413, and nothing is stored', async () => {
  const count = all.it.count();
  const head = 'page=%2Fnews%2Fharbor&name=Big&email=big%40example.org&comment=';
  const over = await nginx.ask('POST', '/comments/reply', { body: head + 'x'.repeat(256 * 1024 + 1 - head.length), headers: FORM });
  assert.equal(over.status, 413);
  assert.match(over.headers['content-type'], /^text\/html/);
  hasHeaders(over, '413');
  const at = await nginx.ask('POST', '/comments/reply', { body: head + 'x'.repeat(256 * 1024 - head.length), headers: FORM });
  assert.equal(at.status, 422);
  const json = await nginx.ask('POST', '/comments/reply', { body: JSON.stringify({ page: '/news/harbor', comment: 'x'.repeat(300 * 1024) }),
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' } });
  assert.equal(json.status, 413);
  assert.equal(typeof JSON.parse(json.text).error, 'string');
  assert.equal(all.it.count(), count);
});

test('every answer has the headers', async () => {
  const { receipt } = await post(all, { page: '/news/harbor' });
  const asks = [['GET', '/comments/form?page=/news/harbor'], ['GET', receipt], ['GET', '/comments/receipt/none'], ['GET', '/comments/health'],
    ['GET', '/comments/none'], ['GET', '/comments/form'], ['POST', '/comments/reply', ''], ['DELETE', '/comments/reply'], ['GET', '/comments/reply'],
    ['GET', '/comments/moderate/'], ['GET', '/comments/moderate/sign-in'], ['GET', '/comments/moderate/health'], ['GET', '/comments/moderate/none'],
    ['POST', '/comments/moderate/sign-in', 'name=x&password=y'], ['POST', '/comments/moderate/decide', 'reply=1:1'],
    ['GET', thread('/news/harbor')], ['GET', thread('/news/harbor', 'thread.json')], ['GET', thread('/nobody')], ['DELETE', thread('/news/harbor')],
    ['GET', '/comments/static/rejoinder.css'], ['GET', '/comments/threads/news/harbor']];
  for (const [method, target, body] of asks) {
    const res = await nginx.ask(method, target, { body, headers: body === undefined ? {} : FORM });
    hasHeaders(res, `${method} ${target} ${res.status}`);
    if (res.status === 405) assert.ok(res.headers.allow, `${method} ${target}: Allow`);
    if (/moderate|form|receipt|reply$/.test(target)) assert.match(res.headers['cache-control'] ?? '', /no-store/, `${method} ${target}: no-store`);
  }
  const queue = await moderator.get();
  assert.equal(queue.status, 200);
  hasHeaders({ status: 200, headers: new Proxy({}, { get: (_, name) => queue.header(name) }) }, 'queue');
  assert.match(queue.header('content-security-policy'), /frame-ancestors 'none'/);
});

test('a Host header and its relatives change nothing', async () => {
  const plain = await nginx.get('/comments/form?page=/news/harbor');
  const odd = await nginx.get('/comments/form?page=/news/harbor', { Host: 'evil.example', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-For': '203.0.113.9' });
  assert.equal(odd.status, plain.status);
  assert.ok(!odd.text.includes('evil.example'));
});

test('receipts are not in the access log', async () => {
  const { receipt } = await post(all, { page: '/news/harbor' });
  await nginx.get(receipt);
  const log = nginx.log('access.log');
  assert.ok(log.includes('/comments/reply'));
  assert.ok(!log.includes(receipt.split('/').at(-1)));
});

test('with both programs stopped everything published is still there', async () => {
  const { id } = await published({ page: '/news/harbor', comment: 'This stays when everybody has gone home.' });
  await all.it.stop('reader');
  await all.it.stop('moderator');
  try {
    const whole = await nginx.get('/news/harbor/');
    assert.equal(whole.status, 200);
    assert.match(whole.text, /before[^]*after<\/main>$/);
    assert.ok(whole.text.includes(`reply-${id}`));
    for (const name of ['thread.html', 'thread.json', 'feed.xml']) {
      const res = await nginx.get(thread('/news/harbor', name));
      assert.equal(res.status, 200);
      assert.ok(res.text.includes('This stays when everybody has gone home.'), name);
      const empty = await nginx.get(thread('/never/heard/of', name));
      assert.equal(empty.status, 200, name);
      assert.equal(empty.text, fs.readFileSync(`${all.it.public}/main/empty/${name}`, 'utf8'));
      hasHeaders(empty, `empty ${name}`);
    }
    const quiet = await nginx.get('/news/nothing-yet/');
    assert.equal(quiet.status, 404);
    fs.mkdirSync(`${all.it.dir}/site/news/unheard`, { recursive: true });
    fs.writeFileSync(`${all.it.dir}/site/news/unheard/index.html`, article('/news/unheard'));
    const unheard = await nginx.get('/news/unheard/');
    assert.equal(unheard.status, 200);
    assert.match(unheard.text, /before[^]*after<\/main>$/);
    assert.ok(!/\b50[0-9]\b/.test(unheard.text), unheard.text);
    assert.equal(elements(unheard.text, (tag) => (tag.attributes.class ?? '').split(' ').includes('rejoinder')).length, 1);
    assert.equal(forms(unheard.text).length, 0);
  } finally {
    await all.it.start('reader');
    await all.it.start('moderator');
  }
  assert.equal((await nginx.get('/comments/health')).text.trim(), 'ok');
});
