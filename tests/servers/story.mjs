// story.mjs - what happens between a web server and the two programs, told once and lived through
// behind each server: read, post, moderate, publish, read with the programs stopped.
//
// It knows a server only as a `stand` (stand.mjs): ask, doors up and down, and what it can.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { elements, fieldsOf, replies, replyForm, textOf } from '../lib/browserless.mjs';
import { moderatorAt, post } from '../served/behind.mjs';

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html' };
const JSON_BOTH = { 'Content-Type': 'application/json', Accept: 'application/json' };
const LIMIT = 256 * 1024;

// How a page is written, and its path in an address.
export const PAGES = ['/', '/news/harbor', '/новости/мир', '/a b', '/a+b', '/100% sure', '/one%2Ftwo', '/quotes "and" more', '/世界/アジア', '/p=123'];
export const QUIET = '/news/quiet';
const inAddress = (page) => (page === '/' ? '' : page.split('/').map(encodeURIComponent).join('/'));

export const article = (mount, page) => `<!doctype html><title>${page}</title><main>before
<!--#include virtual="${mount}/threads${inAddress(page)}/~/thread.html" -->
after</main>`;

const POLICY = { 'default-src': "'none'", 'style-src': "'self'", 'connect-src': "'self'", 'img-src': "'self'", 'base-uri': "'none'", 'form-action': "'self'", 'object-src': "'none'" };
const TYPES = /^(text\/(html|plain|css|javascript); charset=utf-8|application\/json|application\/atom\+xml(; charset=utf-8)?)$/;

function hasHeaders(res, what) {
  const said = `${what} (${res.status} ${JSON.stringify(res.headers)})`;
  assert.equal(res.headers['x-content-type-options'], 'nosniff', said);
  assert.match(res.headers['referrer-policy'] ?? '', /^(same-origin|no-referrer)$/, said);
  assert.equal(res.headers['access-control-allow-origin'], undefined, said);
  if (res.status === 304) return;
  if (res.status !== 303) assert.match(res.headers['content-type'] ?? '', TYPES, said);
  if (!/^text\/html/.test(res.headers['content-type'] ?? '')) return;
  const policy = Object.fromEntries((res.headers['content-security-policy'] ?? '').split(';').map((part) => part.trim().split(/\s+/))
    .map(([name, ...sources]) => [name, sources.join(' ')]));
  for (const [name, sources] of Object.entries(POLICY)) assert.equal(policy[name], sources, `${name}: ${said}`);
}

// What the server says by itself, in its own words.
function protects(res, what) {
  const said = `${what} (${res.status} ${JSON.stringify(res.headers)})`;
  assert.equal(res.headers['x-content-type-options'], 'nosniff', said);
  assert.match(res.headers['referrer-policy'] ?? '', /^(same-origin|no-referrer)$/, said);
  if (/html/.test(res.headers['content-type'])) assert.match(res.headers['content-security-policy'] ?? '', /^default-src 'none'[^,]*$/, said);
}

function isDown(res, what, type = /^text\/html; charset=utf-8$/) {
  const said = `${what} (${res.status} ${JSON.stringify(res.headers)} ${res.text.slice(0, 200)})`;
  assert.equal(res.status, 503, said);
  assert.match(res.headers['retry-after'] ?? '', /^[1-9]\d*$/, said);
  assert.equal(res.headers['cache-control'], 'no-store', said);
  assert.equal(res.headers['x-content-type-options'], 'nosniff', said);
  assert.equal(res.headers['referrer-policy'], 'same-origin', said);
  assert.match(res.headers['content-security-policy'] ?? '', /^default-src 'none'; style-src 'self'; [^]*form-action 'none'/, said);
  assert.match(res.headers['content-type'] ?? '', type, said);
}

function multipart(fields) {
  const boundary = '----steppe7MA4YWxkTrZu0gW';
  const parts = Object.entries(fields).map(([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
  return { body: `${parts.join('')}--${boundary}--\r\n`, headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}`, Accept: 'text/html' } };
}

// Asks until the door is there again: a server may wait a moment before it tries.
async function answers(stand, target) {
  let res;
  for (let tries = 0; tries < 60; tries++) {
    res = await stand.get(target);
    if (res.status === 200) return res;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`${target} still answers ${res.status}`);
}

// Some servers remember for a second or two which file it was.
async function fresh(stand, target, id) {
  let res;
  for (let tries = 0; tries < 15; tries++) {
    res = await stand.get(target);
    if (res.text.includes(`reply-${id}`) || res.text.includes(`"${id}"`)) break;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return res;
}

// Whoever could write there, as a public program that was taken over outside of its sandbox, would read with the
// web server's eyes.  Caddy cannot be kept from following links.
async function noLinks(stand, at) {
  const threads = path.join(stand.it.public, 'main/threads'), outside = path.join(stand.it.dir, 'outside');
  fs.mkdirSync(path.join(outside, '~'), { recursive: true });
  for (const name of ['~/thread.html', '~/thread.json']) fs.writeFileSync(path.join(outside, name), 'not for the world');
  fs.mkdirSync(path.join(threads, 'linked/~'), { recursive: true });
  fs.symlinkSync(path.join(outside, '~/thread.html'), path.join(threads, 'linked/~/thread.html'));
  fs.symlinkSync(path.join(outside, '~/thread.json'), path.join(threads, 'linked/~/thread.json'));
  fs.symlinkSync(outside, path.join(threads, 'folder'));
  const overview = path.join(stand.it.public, 'main/latest.json');
  fs.rmSync(overview, { force: true });
  fs.symlinkSync(path.join(outside, '~/thread.json'), overview);
  try {
    for (const target of ['/threads/linked/~/thread.html', '/threads/linked/~/thread.json', '/threads/folder/~/thread.html', '/latest.json']) {
      const res = await stand.get(at(target));
      assert.equal(res.text.includes('not for the world'), stand.follows, `${target}: ${res.status} ${res.text.slice(0, 200)}`);
    }
  } finally {
    for (const name of ['linked', 'folder']) fs.rmSync(path.join(threads, name), { recursive: true, force: true });
    fs.rmSync(overview);
  }
  fs.mkdirSync(path.join(outside, 'deep/~'), { recursive: true });
  fs.writeFileSync(path.join(outside, 'deep/~/thread.html'), 'not for the world');
  fs.renameSync(threads, `${threads}.away`);
  fs.symlinkSync(outside, threads);
  try {
    const res = await stand.get(at('/threads/deep/~/thread.html'));
    assert.equal(res.text.includes('not for the world'), stand.follows, `all threads: ${res.status} ${res.text.slice(0, 200)}`);
  } finally {
    fs.unlinkSync(threads);
    fs.renameSync(`${threads}.away`, threads);
  }
  await answers(stand, at('/latest.json'));
}

/** Lives through it; `step(title, work)` counts. */
export async function story(stand, step) {
  const { mount: m, it } = stand;
  const thread = (page, name = 'thread.html') => `${m}/threads${inAddress(page)}/~/${name}`;
  let moderator;
  const published = async (fields) => {
    const { id, receipt } = await post(stand, { ...fields, page: inAddress(fields.page) || '/' });
    assert.equal((await moderator.approve(id)).status, 303);
    return { id, receipt };
  };

  await step('both programs answer', async () => {
    for (const target of [`${m}/health`, `${m}/moderate/health`]) {
      const res = await answers(stand, target);
      assert.equal(res.text.trim(), 'ok');
      hasHeaders(res, target);
    }
    moderator = await moderatorAt(stand);
  });
  if (moderator === undefined) return;

  await step('the form posts urlencoded and lands on the receipt', async () => {
    const form = replyForm((await stand.get(`${m}/form?page=${inAddress('/новости/мир')}`)).text);
    assert.equal(form.action, `${m}/reply`);
    const typed = { comment: 'From the form: + % & «кавычки» 中文 and a <b>tag</b>.', name: 'Плюс 🐎', email: 'plus+tag@example.org', website: '' };
    const body = new URLSearchParams([...fieldsOf(form).filter(([name]) => !(name in typed)), ...Object.entries(typed)]).toString();
    const res = await stand.ask('POST', form.action, { body, headers: FORM });
    assert.equal(res.status, 303, textOf(res.text));
    assert.ok(res.headers.location.startsWith(`${m}/receipt/`), res.headers.location);
    const receipt = await stand.get(res.headers.location);
    assert.equal(receipt.status, 200);
    assert.match(receipt.headers['cache-control'], /no-store/);
    assert.ok(textOf(receipt.text).includes(typed.comment));
    assert.equal(it.sql("SELECT comment FROM reply WHERE name LIKE 'Плюс%'")[0].comment, typed.comment);
    assert.equal((await stand.ask('POST', form.action, { body, headers: FORM })).headers.location, res.headers.location, 'once more is the same reply');
  });

  await step('multipart and JSON are taken as well', async () => {
    const fields = it.goodReply({ page: '/news/harbor', comment: 'In parts: «so»\r\nand so.' });
    const parts = await stand.ask('POST', `${m}/reply`, multipart(fields));
    assert.equal(parts.status, 303, textOf(parts.text));
    const json = await stand.ask('POST', `${m}/reply`, { body: JSON.stringify(it.goodReply({ page: '/news/harbor' })), headers: JSON_BOTH });
    assert.equal(json.status, 201, json.text);
    assert.match(json.headers['content-type'], /^application\/json$/);
    assert.ok(JSON.parse(json.text).receipt.startsWith(`${m}/receipt/`));
  });

  await step('bodies just under, at and over the limit reach the program, which refuses', async () => {
    const count = it.count();
    const head = 'page=%2Fnews%2Fharbor&name=Big&email=big%40example.org&comment=';
    const send = (length) => stand.ask('POST', `${m}/reply`, { body: head + 'x'.repeat(length - head.length), headers: FORM });
    assert.equal((await send(LIMIT - 1)).status, 422);
    assert.equal((await send(LIMIT)).status, 422);
    for (const length of [LIMIT + 1, 1000000]) {
      const over = await send(length);
      assert.equal(over.status, 413, `${length}`);
      assert.ok(over.text.includes('xxxxx'), 'it gives the words back');
      hasHeaders(over, `${length} bytes`);
    }
    const json = await stand.ask('POST', `${m}/reply`, { body: JSON.stringify({ page: '/news/harbor', comment: 'x'.repeat(300000) }), headers: JSON_BOTH });
    assert.equal(json.status, 413);
    assert.equal(typeof JSON.parse(json.text).error, 'string');
    assert.equal(it.count(), count);
    assert.equal((await stand.get(`${m}/health`)).status, 200);
  });

  await step('a body of many mebibytes ends at the server', async () => {
    // Some close before all of it is sent: no answer is as good as 413.
    const res = await stand.ask('POST', `${m}/reply`, { body: Buffer.alloc(4 << 20, 'x'), headers: FORM }).catch(() => ({ status: 413 }));
    assert.equal(res.status, 413, res.text);
    if (res.headers && res.bytes.length > 0) protects(res, '413');
    // nginx and Apache tell it in the site's own words.
    if (res.headers && /nginx|apache/.test(stand.name)) assert.match(textOf(res.text), /too long to be taken.*Back/);
    assert.equal((await stand.get(`${m}/health`)).status, 200);
  });

  await step('a body in chunks, without a length, is taken or refused, and never half stored', async () => {
    const fields = it.goodReply({ page: '/news/harbor', comment: `In chunks ${'and chunks '.repeat(500)}` });
    const count = it.count();
    const res = await stand.ask('POST', `${m}/reply`, { body: JSON.stringify(fields), headers: { ...JSON_BOTH, 'Transfer-Encoding': 'chunked', 'Content-Length': undefined } });
    assert.ok([201, 400, 411].includes(res.status), `${res.status} ${res.text}`);
    assert.equal(it.count(), count + (res.status === 201 ? 1 : 0));
    if (res.status === 201) assert.equal(it.sql(`SELECT comment FROM reply WHERE id = ${JSON.parse(res.text).id}`)[0].comment.trim(), fields.comment.trim());
  });

  await step('a moderator sees in the queue what waits, and from where', async () => {
    const { id } = await post(stand, { page: '/news/harbor', name: 'Ерлан' });
    const queue = await moderator.get();
    assert.equal(queue.status, 200);
    const one = replies(queue.text).find((reply) => reply.id === id);
    assert.match(one.text, /Ерлан/);
    assert.match(one.text, /127\.0\.0\.1/);
    assert.match(queue.header('content-security-policy'), /frame-ancestors 'none'/);
    assert.equal(queue.header('cross-origin-opener-policy'), 'same-origin');
    assert.match(queue.header('cache-control'), /no-store/);
    hasHeaders({ status: 200, headers: new Proxy({}, { get: (_, name) => queue.header(name) }) }, 'queue');
    assert.equal((await moderator.approve(id)).status, 303);
    assert.ok((await fresh(stand, thread('/news/harbor'), id)).text.includes(`reply-${id}`));
    const stranger = await stand.get(`${m}/moderate/?state=held`);
    assert.equal(stranger.status, 303);
    const short = await stand.get(`${m}/moderate`);
    assert.ok([301, 302, 303, 307, 308].includes(short.status), `${short.status}`);
    assert.match(short.headers.location, new RegExp(`^(${stand.base})?${m}/moderate/$`));
    if (short.bytes.length > 0) protects(short, 'redirect');
  });

  await step('every kind of page path is one thread', async () => {
    for (const page of PAGES) {
      const { id } = await published({ page, comment: `Written about ${page}, and nothing else.` });
      const file = it.threadFile(page);
      assert.ok(fs.existsSync(file), file);
      for (const name of ['thread.html', 'thread.json', 'feed.xml']) {
        const res = await fresh(stand, thread(page, name), id);
        assert.equal(res.status, 200, `${page} ${name}`);
        assert.equal(res.text, fs.readFileSync(path.join(path.dirname(file), name), 'utf8'), `${page} ${name}`);
        hasHeaders(res, `${page} ${name}`);
      }
      assert.deepEqual(replies((await stand.get(thread(page))).text).map((reply) => reply.id).includes(id), true);
    }
  });

  await step('a published thread is a file: type, freshness, ETag, 304, HEAD', async () => {
    // Several publications within a second set a time that lies ahead; servers say no such time.
    while (fs.statSync(it.threadFile('/news/harbor')).mtimeMs > Date.now()) await new Promise((resolve) => setTimeout(resolve, 100));
    for (const [name, type] of [['thread.html', 'text/html; charset=utf-8'], ['thread.json', 'application/json'], ['feed.xml', /^application\/atom\+xml/]]) {
      const target = thread('/news/harbor', name);
      const res = await stand.get(target);
      if (type instanceof RegExp) assert.match(res.headers['content-type'], type);
      else assert.equal(res.headers['content-type'], type);
      assert.match(res.headers['cache-control'], /^(public, )?max-age=\d{1,2}$/);
      const head = await stand.ask('HEAD', target);
      assert.equal(head.status, 200);
      assert.equal(head.bytes.length, 0);
      assert.equal(head.headers['content-length'], String(res.bytes.length));
      hasHeaders(head, `HEAD ${name}`);
      const same = await stand.get(target, { 'If-None-Match': res.headers.etag });
      assert.equal(same.status, 304, `${name} ${res.headers.etag}`);
      assert.equal(same.headers['cache-control'] ?? res.headers['cache-control'], res.headers['cache-control']);
      assert.equal(same.headers.etag, res.headers.etag);
      assert.equal((await stand.get(target, { 'If-Modified-Since': res.headers['last-modified'] })).status, 304);
      assert.equal((await stand.get(target, { 'If-None-Match': '"another"' })).status, 200);
    }
  });

  await step('a rewritten thread has another ETag and a later time', async () => {
    await published({ page: '/news/rewritten' });
    const first = await stand.get(thread('/news/rewritten'));
    await published({ page: '/news/rewritten' });
    // A time that moved on by itself lies ahead for a moment, and no server says so.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const second = await stand.get(thread('/news/rewritten'), { 'If-Modified-Since': first.headers['last-modified'], 'If-None-Match': first.headers.etag });
    assert.equal(second.status, 200);
    assert.notEqual(second.headers.etag, first.headers.etag);
    assert.ok(Date.parse(second.headers['last-modified']) > Date.parse(first.headers['last-modified']));
  });

  await step('threads, scripts and styles are compressed for whoever asks', async () => {
    await published({ page: '/news/harbor', comment: 'Long enough to be worth it. '.repeat(60) });
    for (const target of [thread('/news/harbor'), thread('/news/harbor', 'thread.json'), thread('/news/harbor', 'feed.xml'), `${m}/static/rejoinder.css`, `${m}/static/rejoinder.js`]) {
      const plain = await stand.get(target);
      const small = await stand.get(target, { 'Accept-Encoding': 'gzip' });
      assert.equal(small.headers['content-encoding'], 'gzip', target);
      assert.match(small.headers.vary ?? '', /Accept-Encoding/i, target);
      assert.ok(gunzipSync(small.bytes).equals(plain.bytes), target);
      assert.ok(small.bytes.length < plain.bytes.length, target);
      assert.equal((await stand.get(target, { 'Accept-Encoding': 'gzip', 'If-None-Match': small.headers.etag })).status, 304, `${target} ${small.headers.etag}`);
    }
  });

  await step('scripts and styles have the types that browsers want', async () => {
    for (const [name, type] of [['rejoinder.css', 'text/css; charset=utf-8'], ['rejoinder.js', 'text/javascript; charset=utf-8'], ['moderate.css', 'text/css; charset=utf-8']]) {
      const res = await stand.get(`${m}/static/${name}?v=2`);
      assert.equal(res.status, 200, name);
      assert.equal(res.headers['content-type'], type);
      assert.match(res.headers['cache-control'], /^public, max-age=\d+$/);
      hasHeaders(res, name);
      assert.ok(res.headers['content-security-policy'], name);
      assert.equal((await stand.get(`${m}/static/${name}`, { 'If-None-Match': res.headers.etag })).status, 304);
    }
    for (const name of ['', 'none.css', '../rejoinder.conf', '..%2frejoinder.conf']) {
      const res = await stand.get(`${m}/static/${name}`);
      assert.ok([400, 403, 404].includes(res.status), `${name} ${res.status}`);
      assert.ok(!/Index of/.test(res.text), name);
    }
  });

  const SPELLINGS = [`${m}/threads/news/harbor/%7E/thread.html`, `${m}/threads/news/%68arbor/~/thread.html?utm=1`, `${m}//threads//news//harbor/~/thread.html`,
    `${m}/threads/news/x/../harbor/~/thread.html`, `${m}/threads/news%2Fharbor/~/thread.html`, `${m}/threads/news/harbor/index.html/~/thread.html`];
  await step('other spellings of a page give the same thread', async () => {
    const plain = (await stand.get(thread('/news/harbor'))).text;
    for (const target of SPELLINGS) {
      const res = await stand.get(target);
      assert.equal(res.status, 200, `${target} ${res.status}`);
      assert.equal(replies(res.text).length, replies(plain).length, target);
      hasHeaders(res, target);
    }
  });

  await step('a page without replies is an empty thread', async () => {
    for (const name of ['thread.html', 'thread.json', 'feed.xml']) {
      const res = await stand.get(thread('/nobody/was/here', name));
      assert.equal(res.status, 200, name);
      hasHeaders(res, name);
      assert.equal(replies(res.text).length, 0);
      assert.match(res.headers['cache-control'], /^((public, )?max-age=\d{1,2}|no-cache)$/, name);
    }
  });

  const SITE_WIDE = ['latest.html', 'latest.json', 'trending.html', 'trending.json', 'counts.json', 'feed.xml'];
  await step('what the whole site shows of its replies is a file, or made by the program', async () => {
    for (const there of [true, false]) {
      for (const name of SITE_WIDE) {
        const file = `${it.public}/main/${name}`;
        if (there && !fs.existsSync(file)) fs.writeFileSync(file, name.endsWith('json') ? '{}' : '<p>as it is</p>');
        if (!there) fs.rmSync(file, { force: true });
        // A server may remember for a second or two that it was there.
        const res = await answers(stand, `${m}/${name}`);
        hasHeaders(res, name);
        if (there) {
          assert.equal(res.text, fs.readFileSync(file, 'utf8'), name);
          assert.ok(res.headers.etag, name);
        }
        assert.equal((await stand.ask('POST', `${m}/${name}`, { body: 'x', headers: FORM })).status, 405, name);
      }
    }
  });

  await step('what is no thread is 404, and folders are not listed', async () => {
    for (const target of [`${m}/threads/news`, `${m}/threads/news/harbor`, `${m}/threads/news/harbor/`, `${m}/threads/news/harbor/~`, `${m}/threads/news/harbor/~/`,
      `${m}/threads/`, `${m}/threads/news/harbor/~/other.txt`, `${m}/none`, `${m}/threads/news/.hidden/~/thread.html`]) {
      const res = await stand.get(target);
      assert.equal(res.status, 404, `${target} ${res.status}`);
      assert.equal(res.headers.location, undefined, target);
    }
    // At the root of a host the stand-ins have an address.
    const empty = m === '' ? fs.readFileSync(`${it.public}/main/empty/thread.html`, 'utf8') : undefined;
    for (const target of [`${m}/threads/../../empty/thread.html`, `${m}/threads/..%2f..%2fempty/thread.html`, `${m}/threads/%2e%2e/%2e%2e/%2e%2e/rejoinder.conf`, `${m}/threads../empty/thread.html`, `${m}/static../static/rejoinder.css`])
      assert.match(await stand.get(target).then(({ status, text }) => (text === 'front controller' || text === empty ? '404' : `${status} ${text}`)), /^4/, target);
  });

  await step('every answer has the headers', async () => {
    const { receipt } = await post(stand, { page: '/news/harbor' });
    const asks = [['GET', `${m}/form?page=/news/harbor`], ['GET', receipt], ['GET', `${m}/receipt/none`], ['GET', `${m}/form`], ['GET', `${m}/none`],
      ['POST', `${m}/reply`, ''], ['DELETE', `${m}/reply`], ['GET', `${m}/reply`], ['PUT', `${m}/form`], ['POST', `${m}/reply`, 'comment=%FF'],
      ['GET', `${m}/moderate/`], ['GET', `${m}/moderate/sign-in`], ['GET', `${m}/moderate/none`], ['POST', `${m}/moderate/sign-in`, 'name=x&password=y'],
      ['POST', `${m}/moderate/decide`, 'reply=1:1'], ['DELETE', thread('/news/harbor')], ['POST', thread('/news/harbor'), 'x'], ['PUT', thread('/nobody')]];
    for (const [method, target, body] of asks) {
      const res = await stand.ask(method, target, { body, headers: body === undefined ? {} : FORM });
      hasHeaders(res, `${method} ${target}`);
      if (res.status === 405) assert.ok(res.headers.allow, `${method} ${target}: Allow`);
      if (/moderate|form|receipt|reply$/.test(target)) assert.match(res.headers['cache-control'] ?? '', /no-store/, `${method} ${target}`);
    }
  });

  await step('methods: 405 tells which are allowed, and TRACE is refused', async () => {
    for (const [method, target, allow] of [['GET', `${m}/reply`, /POST/], ['DELETE', `${m}/form`, /GET, HEAD/], ['POST', thread('/news/harbor'), /GET, HEAD/],
      ['DELETE', thread('/nobody'), /GET, HEAD/], ['PATCH', `${m}/moderate/`, /GET, HEAD/]]) {
      const res = await stand.ask(method, target, method === 'GET' ? {} : { body: 'x=1', headers: FORM });
      assert.equal(res.status, 405, `${method} ${target} ${res.status}`);
      assert.match(res.headers.allow, allow, `${method} ${target}`);
    }
    for (const target of [`${m}/form?page=/news/harbor`, thread('/news/harbor'), `${m}/moderate/`]) {
      const res = await stand.ask('TRACE', target, { headers: { Cookie: 'session=secret' } });
      assert.ok([403, 405, 501].includes(res.status), `TRACE ${target} ${res.status}`);
      assert.ok(!res.text.includes('secret'));
    }
  });

  await step('a Host header and its relatives change nothing', async () => {
    const plain = await stand.get(`${m}/form?page=/news/harbor`);
    const odd = await stand.get(`${m}/form?page=/news/harbor`, { Host: 'evil.example', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-For': '203.0.113.9', 'Rejoinder-Site': 'other' });
    assert.equal(odd.status, plain.status);
    assert.ok(!odd.text.includes('evil.example'));
  });

  await step('receipts are in no log', async () => {
    const { receipt } = await post(stand, { page: '/news/harbor' });
    const secret = receipt.split('/').at(-1);
    assert.equal((await stand.get(receipt)).status, 200);
    await stand.ask('POST', `${receipt}/withdraw`, { body: 'x=1', headers: FORM });
    await stand.get(`${m}/health?seen`);
    const log = await stand.log((text) => text.includes('health?seen'));
    assert.ok(log.includes(`${m}/health?seen`), 'the log is written');
    assert.ok(!log.includes(secret), 'no receipt in the log');
  });

  await step('forty at once are all taken, once each', async () => {
    const count = it.count();
    const all = await Promise.all(Array.from({ length: 40 }, () => post(stand, { page: '/crowd' })));
    assert.equal(new Set(all.map(({ id }) => id)).size, 40);
    assert.equal(it.count(), count + 40);
  });

  if (stand.can.includes) await step('the thread stands in the article, and in one without replies', async () => {
    for (const page of PAGES) {
      const res = await stand.get(`${inAddress(page)}/`);
      assert.equal(res.status, 200, page);
      assert.match(res.text, /^<!doctype html>[^]*before[^]*after<\/main>$/, page);
      assert.ok(replies(res.text).length > 0, page);
      // What docs/deploy.md says that an include costs.
      assert.deepEqual([res.headers.etag, res.headers['last-modified']], [undefined, undefined], page);
    }
    const quiet = await stand.get(`${QUIET}/?utm=1`, { Cookie: 'session=secret' });
    assert.match(quiet.text, /before[^]*after<\/main>$/);
    assert.equal(elements(quiet.text, (tag) => (tag.attributes.class ?? '').split(' ').includes('rejoinder')).length, 1);
    assert.equal(replies(quiet.text).length, 0);
  });

  await step('the public program sees no cookie, no Proxy header, and the address as it came', async () => {
    await stand.spy();
    const headers = { Cookie: 'session=secret', Proxy: 'http://evil.example/', Origin: 'http://localhost', Accept: 'text/html', 'Rejoinder-Site': 'other' };
    const seen = async (target, method = 'GET', options = {}) => {
      const res = await stand.ask(method, target, { headers: { ...headers, ...options.headers }, body: options.body });
      assert.equal(res.status, 200, `${target} ${res.status} ${res.text}`);
      return JSON.parse(res.text);
    };
    await answers(stand, `${m}/health`);
    for (const target of [`${m}/form?page=/a%20b&x=%26+1`, `${m}/receipt/a%2Fb%252F+c`, `${m}//form`, `${m}/x/../form`, `${m}/%66orm`,
      thread('/none'), `${m}/threads/100%2525/~/thread.json?x=1`, `${m}/threads/none%2Fx+y%20z/~/feed.xml`, `${m}/threads/none/index.html/~/thread.html`]) {
      const { door, params } = await seen(target);
      assert.equal(door, 'reader', target);
      assert.equal(params.REQUEST_URI, target);
      assert.equal(params.REQUEST_METHOD, 'GET');
      assert.equal(params.REMOTE_ADDR, '127.0.0.1');
      assert.equal(params.REJOINDER_SITE, 'main');
      assert.ok(!params.HTTP_COOKIE, target);
      assert.ok(!params.HTTP_PROXY, target);
      assert.ok(!JSON.stringify(params).includes('secret'), JSON.stringify(params));
    }
    // An address with a line end in it some servers refuse themselves.
    const odd = await stand.get(`${m}/form%0A`);
    assert.ok(odd.status === 200 ? JSON.parse(odd.text).params.REQUEST_URI === `${m}/form%0A` : [400, 403, 404].includes(odd.status), `${odd.status}`);
    const { params } = await seen(`${m}/reply`, 'POST', { body: 'a=%20', headers: FORM });
    assert.equal(params.CONTENT_LENGTH, '5');
    assert.equal(params.CONTENT_TYPE, FORM['Content-Type']);
    assert.equal(params.HTTP_ORIGIN, 'http://localhost');
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'PATCH']) assert.equal((await seen(thread('/news/harbor'), method)).params.REQUEST_METHOD, method);
  });

  await step('the moderators\' program gets the cookie, and no Proxy header', async () => {
    await answers(stand, `${m}/moderate/health`);
    for (const target of [`${m}/moderate/?state=held`, `${m}/moderate/%64ecide`, `${m}//moderate/`]) {
      const res = await stand.get(target, { Cookie: 'session=secret', Proxy: 'http://evil.example/' });
      const { door, params } = JSON.parse(res.text);
      assert.equal(door, 'moderator', target);
      assert.equal(params.HTTP_COOKIE, 'session=secret');
      assert.ok(!params.HTTP_PROXY);
      assert.equal(params.REQUEST_URI, target);
      assert.equal(params.REJOINDER_SITE, 'main');
    }
  });
  await stand.up();
  await step('after that the programs answer again', async () => {
    for (const target of [`${m}/health`, `${m}/moderate/health`]) assert.equal((await answers(stand, target)).text.trim(), 'ok');
  });

  const last = await published({ page: '/news/harbor', comment: 'This stays when everybody has gone home.' }).catch(() => ({ id: 'none' }));
  const unseen = await post(stand, { page: '/news/harbor' }).catch(() => ({ receipt: `${m}/receipt/none` }));
  await stand.down();
  await step('a link among the published files leads nowhere', async () => {
    await noLinks(stand, (target) => m + target);
  });
  await step('with both programs stopped receipts are in no log', async () => {
    assert.equal((await stand.get(unseen.receipt)).status, 503);
    await stand.ask('POST', `${unseen.receipt}/withdraw`, { body: 'x=1', headers: FORM });
    await stand.get(thread('/news/harbor', 'thread.html?down'));
    const log = await stand.log((text) => text.includes('thread.html?down'));
    assert.ok(log.includes('thread.html?down'), 'the log is written');
    assert.ok(!log.includes(unseen.receipt.split('/').at(-1)), 'no receipt in the log');
  });
  await step('with both programs stopped everything published is still there', async () => {
    for (const name of ['thread.html', 'thread.json', 'feed.xml']) {
      const res = await stand.get(thread('/news/harbor', name));
      assert.equal(res.status, 200);
      assert.ok(res.text.includes('This stays when everybody has gone home.'), name);
      hasHeaders(res, name);
      assert.equal((await stand.get(thread('/news/harbor', name), { 'If-None-Match': res.headers.etag })).status, 304);
    }
    for (const page of PAGES) assert.ok(replies((await stand.get(thread(page))).text).length > 0, page);
    assert.equal((await stand.get(`${m}/static/rejoinder.css`)).status, 200);
  });

  await step('with both programs stopped other spellings are the thread, or the empty one', async () => {
    for (const target of SPELLINGS) {
      const res = await stand.get(target);
      assert.equal(res.status, 200, `${target} ${res.status}`);
      assert.ok(res.text.includes(`reply-${last.id}`) || res.text === fs.readFileSync(`${it.public}/main/empty/thread.html`, 'utf8'), target);
    }
    for (const target of SPELLINGS.slice(0, 4)) assert.ok((await stand.get(target)).text.includes(`reply-${last.id}`), target);
  });

  await step('with both programs stopped a page without replies is an empty thread', async () => {
    for (const page of [QUIET, '/never/heard/of', '/100% unheard', '/один']) {
      for (const name of ['thread.html', 'thread.json', 'feed.xml']) {
        const res = await stand.get(thread(page, name));
        assert.equal(res.status, 200, `${page} ${name} ${res.status}`);
        assert.equal(res.text, fs.readFileSync(`${it.public}/main/empty/${name}`, 'utf8'), `${page} ${name}`);
        assert.equal(res.headers['cache-control'], 'no-cache', name);
        hasHeaders(res, `empty ${name}`);
        if (name === 'feed.xml') assert.equal(spawnSync('xmllint', ['--noout', '--nonet', '-'], { input: res.text }).status ?? 0, 0);
      }
    }
    for (const name of SITE_WIDE) {
      fs.rmSync(`${it.public}/main/${name}`, { force: true });
      const res = await stand.get(`${m}/${name}`);
      assert.equal(res.status, 200, `${name} ${res.status}`);
      assert.equal(res.text, fs.readFileSync(`${it.public}/main/empty/${name}`, 'utf8'), name);
      hasHeaders(res, name);
    }
    for (const target of [`${m}/threads/news/harbor/~/page.2.html`, `${m}/threads/news/`]) {
      const res = await stand.get(target);
      assert.ok([404, 503].includes(res.status), target);
      protects(res, target);
    }
    // Where the server has these at an address of its own, so has everybody.
    for (const target of [`${m}/empty/thread.html`, `${m}/empty/thread.json`, `${m}/empty/down.html`, `${m}/empty/thread.html.asis`]) {
      const res = await stand.get(target);
      assert.ok([200, 404, 503].includes(res.status), `${target} ${res.status}`);
      protects(res, target);
    }
  });

  if (stand.can.includes) await step('with both programs stopped articles are whole', async () => {
    const res = await stand.get('/news/harbor/');
    assert.match(res.text, /before[^]*after<\/main>$/);
    assert.ok(res.text.includes(`reply-${last.id}`));
    const quiet = await stand.get(`${QUIET}/`);
    assert.equal(quiet.status, 200);
    assert.match(quiet.text, /before[^]*after<\/main>$/);
    assert.ok(!/\b50[0-9]\b|error/.test(quiet.text), quiet.text);
    assert.equal(elements(quiet.text, (tag) => (tag.attributes.class ?? '').split(' ').includes('rejoinder')).length, 1);
  });

  await step('with both programs stopped everything else says so, and that nothing is lost', async () => {
    for (const target of [`${m}/form?page=/news/harbor`, `${m}/receipt/x`, `${m}/moderate/`, `${m}/moderate/sign-in`, `${m}/health`]) {
      const res = await stand.get(target, { Accept: 'text/html,*/*;q=0.8' });
      isDown(res, target);
      assert.match(textOf(res.text), /Nothing is lost.*Back/);
      for (const [, link] of res.text.matchAll(/href="([^"]*)"/g)) assert.equal((await stand.get(link)).status, 200, link);
    }
    const words = new URLSearchParams(it.goodReply({ page: '/news/harbor' })).toString();
    isDown(await stand.ask('POST', `${m}/reply`, { body: words, headers: FORM }), 'POST');
    const json = await stand.ask('POST', `${m}/reply`, { body: words, headers: { ...FORM, Accept: 'application/json' } });
    isDown(json, 'JSON', /^application\/json$/);
    assert.match(JSON.parse(json.text).message, /[Nn]othing is lost.*again/);
  });
  await stand.up();

  await step('and when they run again a reply is taken at once', async () => {
    await answers(stand, `${m}/health`);
    await answers(stand, `${m}/moderate/health`);
    assert.ok((await post(stand, { page: '/news/harbor' })).id);
  });
}
