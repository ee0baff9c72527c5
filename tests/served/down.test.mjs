// What a reader is told who sends a reply while the programs are down: that the words are not lost.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { elements, fieldOf, fieldsOf, replyForm, textOf } from '../lib/browserless.mjs';
import { behindNginx } from './behind.mjs';
import { request } from './nginx.mjs';

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html,*/*;q=0.8' };
const page = '/news/harbor';
let all, nginx;

before(async () => {
  all = await behindNginx({ articles: { [page]: '<!doctype html><title>Harbor</title>' }, server: 'add_header X-Owner yes always; error_page 502 503 504 /50x.html;' });
  nginx = all.nginx;
});
after(() => all?.tidy());

const words = () => new URLSearchParams(all.it.goodReply({ page })).toString();
const send = (body, headers = FORM) => nginx.ask('POST', '/comments/reply', { body, headers });

function isDown(res) {
  assert.equal(res.status, 503);
  assert.match(res.headers['retry-after'], /^[1-9]\d*$/);
  assert.equal(res.headers['cache-control'], 'no-store');
  assert.equal(res.headers['x-content-type-options'], 'nosniff');
  assert.equal(res.headers['referrer-policy'], 'same-origin');
  assert.match(res.headers['content-security-policy'], /^default-src 'none'; style-src 'self'; [^]*form-action 'none'/);
  assert.equal(res.headers['x-owner'], undefined);
  assert.equal(res.headers.etag, undefined);
}
function isDownPage(res) {
  isDown(res);
  assert.equal(res.headers['content-type'], 'text/html; charset=utf-8');
  assert.match(textOf(res.text), /Nothing is lost.*Back/);
}

test('with the program stopped a reply is answered by a page: press Back, send it again', async () => {
  const form = replyForm((await nginx.get(`/comments/form?page=${page}`)).text);
  const typed = { name: 'Asel', email: 'asel@example.org', comment: 'Words that must not be lost.', website: '' };
  const body = new URLSearchParams(fieldsOf(form).map(([name, value]) => [name, typed[name] ?? value])).toString();
  assert.ok(fieldOf(form, 'key').value, 'the form has a key');
  const count = all.it.count();
  await all.it.stop('reader');
  for (let i = 0; i < 2; i++) isDownPage(await send(body));
  isDownPage(await nginx.ask('POST', '/comments/reply', { body: Buffer.alloc(300000, 'x'), headers: FORM }));

  await all.it.start('reader');
  const taken = await send(body);
  assert.equal(taken.status, 303);
  assert.equal((await send(body)).headers.location, taken.headers.location, 'once more is the same reply');
  assert.equal(all.it.count(), count + 1);
});

test('a program that asks for JSON is told in JSON', async () => {
  await all.it.stop('reader');
  try {
    const res = await send(words(), { ...FORM, Accept: 'application/json' });
    isDown(res);
    assert.equal(res.headers['content-type'], 'application/json');
    const { error, message } = JSON.parse(res.text);
    assert.match(error, /^[a-z][a-z-]*$/);
    assert.match(message, /[Nn]othing is lost.*again/);
  } finally {
    await all.it.start('reader');
  }
});

test('a program that hangs up without an answer counts as down', async () => {
  await all.it.stop('reader');
  const socket = path.join(all.it.dir, 'run', 'reader.sock');
  fs.rmSync(socket, { force: true });
  const server = net.createServer((peer) => { peer.on('error', () => {}); peer.once('data', () => peer.destroy()); });
  await new Promise((resolve) => server.listen(socket, resolve));
  try {
    isDownPage(await send(words()));
  } finally {
    await new Promise((resolve) => server.close(resolve));
    fs.rmSync(socket, { force: true });
    await all.it.start('reader');
  }
});

test('with the programs stopped every page of theirs says so', async () => {
  await all.it.stop('reader');
  await all.it.stop('moderator');
  try {
    for (const target of ['/comments/form?page=/news/harbor', '/comments/receipt/x', '/comments/health', '/comments/moderate/', '/comments/moderate/sign-in'])
      isDownPage(await nginx.get(target));
    isDown(await nginx.get('/comments/form', { Accept: 'application/json' }));
  } finally {
    await all.it.start('reader');
    await all.it.start('moderator');
  }
});

test('what the program itself refuses is passed on as it is', async () => {
  const wrong = await send(new URLSearchParams({ page, name: '', comment: 'Words kept.' }).toString());
  assert.equal(wrong.status, 422);
  assert.equal(fieldOf(replyForm(wrong.text), 'comment').value, 'Words kept.');
  assert.equal((await nginx.get('/comments/reply')).status, 405);
  assert.equal((await send('x', { 'Content-Type': 'text/plain' })).status, 415);
});

test('what is too much for the web server itself is answered by a page, too: press Back', async () => {
  const over = (headers) => nginx.ask('POST', '/comments/reply', { body: Buffer.alloc((1 << 20) + 1, 'x'), headers });
  const page413 = await over(FORM), json = await over({ ...FORM, Accept: 'application/json' });
  for (const res of [page413, json]) {
    assert.equal(res.status, 413);
    assert.equal(res.headers['cache-control'], 'no-store');
    assert.equal(res.headers['x-content-type-options'], 'nosniff');
    assert.match(res.headers['content-security-policy'], /^default-src 'none'/);
    assert.deepEqual([res.headers['x-owner'], res.headers['retry-after']], [undefined, undefined]);
  }
  assert.equal(page413.headers['content-type'], 'text/html; charset=utf-8');
  assert.match(textOf(page413.text), /too long to be taken.*Back/);
  assert.equal(json.headers['content-type'], 'application/json');
  assert.equal(JSON.parse(json.text).error, 'too-large');
});

test('nobody gets the page by asking for it, and it needs nothing that is not there', async () => {
  for (const target of ['/comments/down', '/comments/down?x', '/comments//down', '/comments/over']) assert.equal((await request(nginx.port, 'GET', target)).status, 404, target);
  const text = fs.readFileSync(path.join(all.it.public, 'main/empty/down.html'), 'utf8');
  const links = elements(text, (tag) => tag.attributes.href !== undefined || tag.attributes.src !== undefined).map(({ tag }) => tag.attributes.href ?? tag.attributes.src);
  for (const link of links) assert.equal((await nginx.get(link)).status, 200, link);
  assert.doesNotMatch(text, /<script|<style|\son\w+=|\sstyle=/);
});
