// Who is answered with JSON and who with a page, and that every refusal of a program is one that a program reads.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { signedIn } from '../lib/browserless.mjs';
import { begin, makeInstance, tellSeed } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
const OPEN = '/world/astana-summit';
const SHUT = '/world/closed';
let it;
before(async () => {
  tellSeed();
  it = await makeInstance({ site: { pages: ['/world/*'] } });
  const root = path.join(it.dir, 'articles');
  fs.mkdirSync(path.join(root, 'world'), { recursive: true });
  fs.writeFileSync(path.join(root, 'world', 'titled.html'), '<!DOCTYPE html><title>Salt &amp; Steppe</title>');
  it.configure({ site: { document_root: root } });
  it.mustCli(['close', SHUT]);
  it.addModerator('editor', PASSWORD);
  await it.start('reader');
  await it.start('moderator');
});
after(() => it?.tidy());

const isJson = (answer) => answer.header('Content-Type') === 'application/json';

test('the weights in Accept decide, then the order; a browser and whoever takes anything get a page', async () => {
  for (const [accept, wanted] of [
    ['application/json', true], ['APPLICATION/Json', true], ['application/json; charset=utf-8', true], ['application/json;q=0.1', true],
    ['application/json, text/plain, */*', true], ['application/json, text/html', true], ['text/html;q=0.5, application/json', true],
    ['text/html;q=0.9,application/json;Q=1.0', true], ['text/html ; level=1 ; q=0.25 , application/json ; q=0.251', true],
    ['text/plain, application/json;q=0.001', true], ['application/json;q=, text/html', true], ['application/json;q=0., text/html;q=0', false],
    ['', false], ['*/*', false], ['application/*', false], ['text/html', false], ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', false],
    ['text/html, application/json', false], ['application/json;q=0.1, text/html', false], ['application/json;q=0', false],
    ['application/json;q=0.000', false], ['application/json;q=0, text/html', false], ['application/jsonp', false], ['application/problem+json', false],
    ['text/html;q=0.5, application/json;q=0.5', false], [',;,=;q', false]]) {
    const answer = await it.reader({ uri: '/comments/reply', form: { page: OPEN }, accept });
    assert.equal(answer.status, 422, accept);
    assert.equal(isJson(answer), wanted, accept);
  }
});

test('whatever address refuses, a program reads why', async () => {
  for (const [uri, status, error] of [
    [`/comments/form?page=${SHUT}`, 403, 'closed'], ['/comments/form?page=/nowhere', 404, 'unknown-page'], ['/comments/form?page=%ff', 400, 'bad-request'],
    ['/comments/threads/nowhere/~/thread.json', 404, 'not-found'], ['/comments/threads/nowhere/~/thread.html', 404, 'not-found'],
    [`/comments/threads${OPEN}/~/thread.7.json`, 404, 'not-found'], [`/comments/threads${OPEN}/`, 404, 'not-found'], ['/comments/threads/', 404, 'not-found'],
    ['/comments/receipt/x', 404, 'not-found'], ['/comments/receipt/x/edit', 404, 'not-found'], ['/comments/', 404, 'not-found'], ['/comments/reply', 405, 'method-not-allowed']]) {
    const answer = await it.reader({ uri, accept: 'application/json' });
    assert.equal(answer.status, status, uri);
    assert.ok(isJson(answer), uri);
    const { error: name, message, ...rest } = answer.json();
    assert.deepEqual([name, typeof message, rest], [error, 'string', {}], uri);
    assert.equal(answer.header('Cache-Control'), 'no-store', uri);
    assert.match((await it.reader({ uri })).header('Content-Type'), /^text\/html/, uri);
  }
  it.sql("UPDATE site SET paused = 1 WHERE name = 'main'");
  const paused = await it.reader({ uri: `/comments/form?page=${OPEN}`, accept: 'application/json' });
  it.sql("UPDATE site SET paused = 0 WHERE name = 'main'");
  assert.deepEqual([paused.status, paused.json().error], [403, 'paused']);
});

test('a program that changes or withdraws its reply reads what became of it', async () => {
  const { id, receipt } = await it.post();
  const program = (what, form) => it.reader({ uri: `${receipt}/${what}`, form, accept: 'application/json' });
  const edited = await program('edit', { comment: 'Other words.', name: 'Somebody', email: '', website: '', revision: 1, do: 'save' });
  assert.deepEqual([edited.status, edited.json()], [200, { id, state: 'held', receipt }]);
  const stale = await program('withdraw', { revision: 1 });
  assert.deepEqual([stale.status, stale.json().error], [409, 'not-open']);
  const withdrawn = await program('withdraw', { revision: 2 });
  assert.deepEqual([withdrawn.status, withdrawn.json()], [200, { id, state: 'withdrawn', receipt }]);
});

test('nothing is said in the place of a thread, where an article would show it', async () => {
  const answer = await it.reader({ uri: '/comments/threads/nowhere/~/thread.html' });
  assert.deepEqual([answer.status, answer.text], [404, '']);
});

// RFC 9112, section 4: a web server passes on what stands here, and a status without more is no whole line.
test('a status comes with its phrase', async () => {
  const phrases = { 200: '/comments/health', 404: '/comments/', 403: `/comments/form?page=${SHUT}`, 405: '/comments/reply' };
  for (const [code, uri] of Object.entries(phrases)) {
    const status = (await it.reader({ uri })).header('Status');
    assert.match(status, new RegExp(`^${code} [A-Z][A-Za-z ]+$`), uri);
  }
  const form = it.goodReply();
  assert.equal((await it.reader({ uri: '/comments/reply', form })).header('Status'), '303 See Other');
  assert.equal((await it.reader({ uri: '/comments/reply', form: { ...form, comment: 'Other words' } })).header('Status'), '409 Conflict');
  assert.equal((await it.moderator({ uri: '/comments/moderate/' })).header('Status'), '303 See Other');
});

test('a store that somebody holds: 503 that says when to come again, at both doors', async () => {
  const { id, receipt } = await it.post();
  const moderator = await signedIn(it, 'editor', PASSWORD);
  const { form, reply } = await moderator.decisionForm(id);
  const hidden = form.controls.filter(({ type, name }) => type === 'hidden' && !['reply', 'state'].includes(name)).map(({ name, value }) => [name, value]);
  const holder = begin('sqlite3', ['-batch', it.database], { stdio: ['pipe', 'pipe', 'pipe'] });
  holder.stdin.write("BEGIN IMMEDIATE; SELECT 'held';\n");
  await new Promise((resolve) => { holder.stdout.once('data', resolve); });
  const answers = await Promise.all([
    it.reader({ uri: '/comments/reply', json: it.goodReply(), accept: 'application/json' }),
    it.reader({ uri: '/comments/reply', form: it.goodReply() }),
    it.reader({ uri: `${receipt}/withdraw`, form: { revision: 1 } }),
    moderator.submit(form.action, [...hidden, ['reply', reply], ['state', 'published']])]);
  holder.stdin.end('ROLLBACK;\n');
  await holder.over;
  for (const [n, answer] of answers.entries()) {
    assert.equal(answer.status, 503, `${n}: ${answer.text}`);
    assert.match(answer.header('Retry-After') ?? '', /^[1-9]\d*$/, String(n));
  }
  assert.equal(answers[0].json().error, 'busy');
  assert.deepEqual(it.sql(`SELECT state, revision FROM reply WHERE id = ${id}`), [{ state: 'held', revision: 1 }]);
});

test('a feed without replies has its article’s title', async () => {
  const feed = async (page) => (await it.reader({ uri: `/comments/threads${page}/~/feed.xml` })).text;
  assert.match(await feed('/world/titled.html'), /<title>Replies to “Salt &amp; Steppe”<\/title>/);
  assert.match(await feed('/world/untitled'), /<title>Replies to “\/world\/untitled”<\/title>/);
});
