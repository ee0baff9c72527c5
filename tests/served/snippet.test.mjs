// The shipped nginx configuration with doors that only say what they were asked: which requests
// reach which door, with which parameters, and what is a file.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { makeFolder, startNginx } from './nginx.mjs';
import { respond } from './responder.mjs';

const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors 'self'";
const THREAD = '<section class="rejoinder">one reply</section>\n';
const EMPTY = '<section class="rejoinder">nothing yet</section>\n';

const dir = makeFolder();
const publicMain = path.join(dir, 'public/main');
const run = path.join(dir, 'run');
let nginx, reader, moderator, answer;

function put(file, text) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

function publish(page, text = THREAD) {
  put(path.join(publicMain, 'threads', page, '~/thread.html'), text);
  put(path.join(publicMain, 'threads', page, '~/thread.json'), '{"replies":[]}');
  put(path.join(publicMain, 'threads', page, '~/feed.xml'), '<feed xmlns="http://www.w3.org/2005/Atom"/>');
}

before(async () => {
  fs.mkdirSync(run, { recursive: true });
  put(path.join(publicMain, 'empty/thread.html'), EMPTY);
  put(path.join(publicMain, 'empty/thread.json'), '{"replies":[]}');
  put(path.join(publicMain, 'empty/feed.xml'), '<feed xmlns="http://www.w3.org/2005/Atom"/>');
  for (const page of ['', 'news/harbor', 'новости/мир', 'a b', 'a+b', 'one%2Ftwo', '100%', 'what?', 'дома #1'])
    publish(page);
  put(path.join(dir, 'site/news/harbor/index.html'), 'before <!--#include virtual="/comments/threads/news/harbor/~/thread.html" --> after');
  put(path.join(dir, 'site/news/index-uri/index.html'), 'before <!--#include virtual="/comments/threads$document_uri/~/thread.html" --> after');
  put(path.join(dir, 'site/news/none/index.html'), 'before <!--#include virtual="/comments/threads/news/none/~/thread.html" --> after');
  put(path.join(dir, 'site/новости/нет/index.html'), 'before <!--#include virtual="/comments/threads/новости/нет/~/thread.html" --> after');
  put(path.join(dir, 'site/news/percent/index.html'), 'before <!--#include virtual="/comments/threads/50%25/~/thread.html" --> after');
  publish('news/index-uri');
  reader = await respond(path.join(run, 'reader.sock'), (params, body) => answer(params, body));
  moderator = await respond(path.join(run, 'moderator.sock'), () => ({ body: 'moderators' }));
  nginx = await startNginx({ dir: path.join(dir, 'nginx'), documentRoot: path.join(dir, 'site'), publicMain, run,
    server: 'add_header X-Owner yes always; add_header Referrer-Policy unsafe-url always;' });
});

beforeEach(() => {
  answer = () => ({ body: 'from the door' });
  reader.seen.length = 0;
  moderator.seen.length = 0;
});

after(async () => {
  await nginx?.stop();
  await reader?.close();
  await moderator?.close();
  if (!process.env.KEEP) fs.rmSync(dir, { recursive: true });
});

function hasFileHeaders(res) {
  assert.equal(res.headers['x-content-type-options'], 'nosniff');
  assert.equal(res.headers['referrer-policy'], 'same-origin');
  assert.equal(res.headers['content-security-policy'], CSP);
}

test('a published thread is a file, whatever the spelling of its address', async () => {
  const spellings = [
    '/comments/threads/~/thread.html', '/comments/threads/news/harbor/~/thread.html',
    '/comments/threads/news/harbor/%7E/thread.html', '//comments//threads/news//harbor/~/thread.html',
    '/comments/threads/news/x/../harbor/~/thread.html', '/comments/threads/news/%68arbor/~/thread.html?utm=1',
    '/comments/threads/news/harbor/index.html/~/thread.html', '/comments/threads/index.html/~/thread.html',
    `/comments/threads/${encodeURI('новости/мир')}/~/thread.html`, '/comments/threads/a%20b/~/thread.html',
    '/comments/threads/a+b/~/thread.html', '/comments/threads/a%2Bb/~/thread.html',
    '/comments/threads/one%252Ftwo/~/thread.html', '/comments/threads/100%25/~/thread.html',
    '/comments/threads/what%3F/~/thread.html', `/comments/threads/${encodeURIComponent('дома #1')}/~/thread.html`,
  ];
  for (const spelling of spellings) {
    const res = await nginx.get(spelling);
    assert.equal(res.status, 200, spelling);
    assert.equal(res.text, THREAD, spelling);
    assert.equal(res.headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(res.headers['cache-control'], 'public, max-age=10');
    hasFileHeaders(res);
  }
  assert.equal(reader.seen.length, 0);
});

test('JSON and feed have their types', async () => {
  const json = await nginx.get('/comments/threads/news/harbor/~/thread.json');
  assert.equal(json.headers['content-type'], 'application/json');
  hasFileHeaders(json);
  const feed = await nginx.get('/comments/threads/news/harbor/~/feed.xml');
  assert.equal(feed.headers['content-type'], 'application/atom+xml');
  hasFileHeaders(feed);
});

test('HEAD, ETag and If-Modified-Since', async () => {
  const target = '/comments/threads/news/harbor/~/thread.html';
  const whole = await nginx.get(target);
  const head = await nginx.ask('HEAD', target);
  assert.equal(head.status, 200);
  assert.equal(head.bytes.length, 0);
  assert.equal(head.headers['content-length'], String(whole.bytes.length));
  const byTag = await nginx.get(target, { 'If-None-Match': whole.headers.etag });
  assert.equal(byTag.status, 304);
  hasFileHeaders(byTag);
  assert.equal((await nginx.get(target, { 'If-Modified-Since': whole.headers['last-modified'] })).status, 304);
  assert.equal((await nginx.get(target, { 'If-None-Match': '"another"' })).status, 200);
});

test('what is no file is asked for at the door, with the address as it came', async () => {
  for (const target of ['/comments/threads/none/~/thread.html', '/comments/threads/100%2525/~/thread.json?x=1', '/comments/threads/%D0%B0+b%20c/~/feed.xml']) {
    const res = await nginx.get(target, { Cookie: 'session=secret' });
    assert.equal(res.status, 200);
    assert.equal(res.text, 'from the door');
    const { params } = reader.seen.pop();
    assert.equal(params.REQUEST_URI, target);
    assert.equal(params.REQUEST_METHOD, 'GET');
    assert.ok(!params.HTTP_COOKIE);
  }
});

test('a folder, an unknown name and a climb give what the door says, and no redirect', async () => {
  answer = () => ({ status: 404, body: 'no such thread' });
  for (const target of ['/comments/threads/news', '/comments/threads/news/harbor', '/comments/threads/news/harbor/', '/comments/threads/news/harbor/~',
    '/comments/threads/news/harbor/~/', '/comments/threads/', '/comments/threads/news/harbor/~/other.txt']) {
    const res = await nginx.get(target);
    assert.equal(res.status, 404, target);
    assert.equal(res.text, 'no such thread', target);
    assert.equal(res.headers.location, undefined);
  }
  for (const target of ['/comments/threads/../../empty/thread.html', '/comments/threads/..%2f..%2fempty/thread.html', '/comments/threads/%2e%2e/empty/thread.html', '/comments/threads../empty/thread.html', '/comments/static../static/rejoinder.css'])
    assert.ok((await nginx.get(target)).status >= 400, target);
  assert.equal((await nginx.get('/comments/threads')).status, 404);
  assert.equal((await nginx.get('/comments')).status, 404);
});

test('methods other than GET and HEAD on a file are the door\'s to refuse', async () => {
  answer = (params) => ({ status: 405, headers: { Allow: 'GET, HEAD' }, body: params.REQUEST_METHOD });
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const res = await nginx.ask(method, '/comments/threads/news/harbor/~/thread.html', { body: method === 'POST' ? 'x' : undefined });
    assert.equal(res.status, 405, method);
    assert.equal(res.headers.allow, 'GET, HEAD', method);
    assert.equal(res.text, method);
  }
});

test('the thread stands in the article', async () => {
  const article = await nginx.get('/news/harbor/');
  assert.equal(article.text, `before ${THREAD} after`);
  assert.equal((await nginx.get('/news/index-uri/')).text, `before ${THREAD} after`);
  assert.equal(reader.seen.length, 0);
});

test('inside an article the door is asked for the thread, not for the article', async () => {
  const missing = await nginx.get('/news/none/?utm=1', { Cookie: 'session=secret' });
  assert.equal(missing.text, 'before from the door after');
  const { params } = reader.seen.pop();
  assert.equal(params.REQUEST_URI, '/comments/threads/news/none/~/thread.html');
  assert.equal(params.REQUEST_METHOD, 'GET');
  assert.ok(!params.HTTP_COOKIE);
  assert.equal((await nginx.get(encodeURI('/новости/нет/'))).text, 'before from the door after');
  assert.equal(Buffer.from(reader.seen.pop().params.REQUEST_URI, 'latin1').toString(), '/comments/threads/новости/нет/~/thread.html');
});

test('a name that cannot be passed on from inside an article shows the empty thread', async () => {
  assert.equal((await nginx.get('/news/percent/')).text, `before ${EMPTY} after`);
  assert.equal(reader.seen.length, 0);
});

test('a door that fails, or is away, is an empty thread', async () => {
  for (const status of [500, 502, 503, 504]) {
    answer = () => ({ status, body: 'a page full of trouble' });
    const res = await nginx.get('/comments/threads/none/~/thread.html');
    assert.equal(res.status, 200);
    assert.equal(res.text, EMPTY);
    assert.equal(res.headers['cache-control'], 'no-cache');
    assert.equal(res.headers['content-type'], 'text/html; charset=utf-8');
    hasFileHeaders(res);
    assert.equal((await nginx.get('/news/none/')).text, `before ${EMPTY} after`);
  }
  answer = () => ({ status: 404, body: 'none' });
  assert.equal((await nginx.get('/comments/threads/none/~/thread.html')).status, 404);
});

test('with both doors away everything published is still there', async () => {
  await reader.close();
  await moderator.close();
  try {
    assert.equal((await nginx.get('/comments/threads/news/harbor/~/thread.html')).text, THREAD);
    assert.equal((await nginx.get('/news/harbor/')).text, `before ${THREAD} after`);
    assert.equal((await nginx.get('/news/none/')).text, `before ${EMPTY} after`);
    for (const [name, type] of [['thread.html', 'text/html; charset=utf-8'], ['thread.json', 'application/json'], ['feed.xml', 'application/atom+xml']]) {
      const res = await nginx.get(`/comments/threads/none/at/all/~/${name}`);
      assert.equal(res.status, 200);
      assert.equal(res.headers['content-type'], type);
      hasFileHeaders(res);
    }
    for (const target of ['/comments/threads/none/', '/comments/threads/none/~/page.2.html', '/comments/threads/none/~/../../../main.db'])
      assert.ok([404, 503].includes((await nginx.get(target)).status), target);
    assert.equal((await nginx.get('/comments/threads/none/~/page.2.html')).status, 404);
    assert.equal((await nginx.get('/comments/form?page=/x')).status, 503);
    await nginx.get('/comments/receipt/fedcba9876543210');
    assert.ok(nginx.log('error.log').includes('/comments/form'));
    assert.ok(!nginx.log('error.log').includes('fedcba9876543210'));
  } finally {
    fs.rmSync(path.join(run, 'reader.sock'), { force: true });
    fs.rmSync(path.join(run, 'moderator.sock'), { force: true });
    reader = await respond(path.join(run, 'reader.sock'), (params, body) => answer(params, body));
    moderator = await respond(path.join(run, 'moderator.sock'), () => ({ body: 'moderators' }));
  }
});

test('the public door gets no cookie and no Proxy header, and the address as it came', async () => {
  const target = '/comments/form?page=/a%20b&x=%26+1';
  await nginx.get(target, { Cookie: 'session=secret', Proxy: 'http://evil.example/', Origin: 'http://localhost', 'Rejoinder-Site': 'other', Accept: 'text/html' });
  const { params } = reader.seen.pop();
  assert.equal(params.REQUEST_URI, target);
  assert.equal(params.QUERY_STRING, 'page=/a%20b&x=%26+1');
  assert.ok(!params.HTTP_COOKIE);
  assert.ok(!params.HTTP_PROXY);
  assert.equal(params.REJOINDER_SITE, 'main');
  assert.equal(params.REMOTE_ADDR, '127.0.0.1');
  assert.equal(params.HTTP_ORIGIN, 'http://localhost');
  assert.equal(params.HTTP_ACCEPT, 'text/html');
  assert.ok(!JSON.stringify(params).includes('secret'));
  assert.equal(moderator.seen.length, 0);
});

test('the moderators\' door gets the cookie, and no Proxy header', async () => {
  assert.equal((await nginx.get('/comments/moderate/?state=held', { Cookie: 'session=secret', Proxy: 'http://evil.example/' })).text, 'moderators');
  const { params } = moderator.seen.pop();
  assert.equal(params.HTTP_COOKIE, 'session=secret');
  assert.ok(!params.HTTP_PROXY);
  assert.equal(params.REQUEST_URI, '/comments/moderate/?state=held');
  const short = await nginx.get('/comments/moderate');
  assert.equal(short.status, 301);
  assert.equal(short.headers.location, '/comments/moderate/');
  assert.equal(reader.seen.length, 0);
});

test('a body goes through whole up to 1 MiB, which is more than the door takes', async () => {
  const body = Buffer.alloc(1 << 20, 'x');
  const res = await nginx.ask('POST', '/comments/reply', { body, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
  assert.equal(res.status, 200);
  const seen = reader.seen.pop();
  assert.equal(seen.params.CONTENT_LENGTH, String(body.length));
  assert.equal(seen.params.CONTENT_TYPE, 'application/x-www-form-urlencoded');
  assert.equal(seen.body.length, body.length);
  assert.equal((await nginx.ask('POST', '/comments/reply', { body: Buffer.alloc((1 << 20) + 1) })).status, 413);
  assert.equal(reader.seen.length, 0);
});

test('what the door answers is passed on as it is', async () => {
  answer = () => ({ status: 422, headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': "default-src 'none'", 'Cache-Control': 'no-store' }, body: 'words kept <!--#echo var="REMOTE_ADDR" -->' });
  const res = await nginx.ask('POST', '/comments/reply', { body: 'x=1' });
  assert.equal(res.status, 422);
  assert.equal(res.text, 'words kept <!--#echo var="REMOTE_ADDR" -->');
  assert.equal(res.headers['content-security-policy'], "default-src 'none'");
  assert.equal(res.headers['cache-control'], 'no-store');
  answer = () => ({ status: 503, body: 'words kept' });
  assert.equal((await nginx.ask('POST', '/comments/reply', { body: 'x=1' })).text, 'words kept');
});

test('headers that the owner adds to the own pages stay there', async () => {
  assert.equal((await nginx.get('/news/harbor/')).headers['x-owner'], 'yes');
  answer = () => ({ headers: { 'Referrer-Policy': 'same-origin' }, body: 'from the door' });
  for (const target of ['/comments/threads/news/harbor/~/thread.html', '/comments/threads/none/~/thread.html', '/comments/form?page=/x',
    '/comments/receipt/x', '/comments/moderate/', '/comments/static/rejoinder.css']) {
    const { headers } = await nginx.get(target);
    assert.equal(headers['x-owner'], undefined, target);
    assert.equal(headers.rejoinder, undefined, target);
    assert.ok(!/unsafe-url|,/.test(headers['referrer-policy'] ?? ''), target);
  }
});

test('a published file is not read for includes', async () => {
  publish('news/include', '<p><!--#echo var="REMOTE_ADDR" --></p>');
  assert.equal((await nginx.get('/comments/threads/news/include/~/thread.html')).text, '<p><!--#echo var="REMOTE_ADDR" --></p>');
  put(path.join(dir, 'site/news/include/index.html'), '<!--#include virtual="/comments/threads/news/include/~/thread.html" -->');
  assert.equal((await nginx.get('/news/include/')).text, '<p><!--#echo var="REMOTE_ADDR" --></p>');
});

test('receipts stand in no log', async () => {
  await nginx.get('/comments/receipt/0123456789abcdef');
  assert.equal(reader.seen.pop().params.REQUEST_URI, '/comments/receipt/0123456789abcdef');
  assert.equal(reader.seen.length, 0);
  await nginx.ask('POST', '/comments/receipt/0123456789abcdef/withdraw', { body: 'x' });
  // Twice: a request is logged behind its answer, but before the next one.
  for (const _ of [1, 2]) await nginx.get('/comments/health');
  assert.ok(nginx.log('access.log').includes('/comments/health'));
  assert.ok(!nginx.log('access.log').includes('0123456789abcdef'));
  assert.ok(!nginx.log('error.log').includes('0123456789abcdef'));
});

test('gzip, with Vary', async () => {
  publish('news/long', THREAD.repeat(100));
  const res = await nginx.get('/comments/threads/news/long/~/thread.html', { 'Accept-Encoding': 'gzip' });
  assert.equal(res.headers['content-encoding'], 'gzip');
  assert.match(res.headers.vary, /Accept-Encoding/i);
  assert.equal((await nginx.get('/comments/threads/news/long/~/thread.html', { 'Accept-Encoding': 'gzip', 'If-None-Match': res.headers.etag })).status, 304);
});
