// Every address of the public door, read from its table: whoever adds one has these rules tested with it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ROOT, makeInstance, tellSeed } from '../lib/instance.mjs';

const source = fs.readFileSync(path.join(ROOT, 'cgi-bin/reader.c'), 'utf8');
const rows = [...source.matchAll(/^ {4}\{"([A-Z]+)", "(\/[^"]*)", (\w+), ([^}]*)\}/gm)].map(([, method, at]) => ({ method, at }));
let it, routes;

before(async () => {
  tellSeed();
  it = await makeInstance({ doors: ['reader'] });
  const { receipt } = await it.post({ page: '/world/routes' });
  const secret = receipt.split('/').at(-1);
  const of = (at) => `/comments${at.replace('/receipt/*', `/receipt/${secret}`).replace('*', 'world/routes/~/thread.html')}`;
  routes = rows.map(({ method, at }) => ({ method, at: of(at) }));
});
after(() => it?.tidy());

function checkHeaders(answer, what) {
  const type = answer.header('Content-Type') ?? '';
  assert.equal(answer.all('X-Content-Type-Options').join(), 'nosniff', what);
  assert.match(answer.header('Referrer-Policy') ?? '', /^(no-referrer|same-origin)$/, what);
  assert.notEqual(answer.header('Cache-Control'), undefined, what);
  assert.deepEqual([answer.all('Set-Cookie'), answer.all('Access-Control-Allow-Origin')], [[], []], what);
  if (answer.body.length > 0) assert.match(type, /^(text\/(html|plain|xml)|application\/(atom\+xml|xml)); charset=utf-8$|^application\/json$/, what);
  if (!type.startsWith('text/html')) return;
  const policy = answer.header('Content-Security-Policy') ?? '';
  for (const part of ["default-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'self'"]) assert.ok(policy.includes(part), `${what}: ${policy}`);
  assert.doesNotMatch(policy, /unsafe|\*|data:/, what);
}

test('the table was read', () => {
  assert.ok(rows.length >= 10 && rows.length === (source.match(/^ {4}\{"/gm) ?? []).length, `${rows.length} rows`);
});

test('GET, HEAD, OPTIONS and strange methods change nothing on any address, and each answer has the headers', async () => {
  const query = new URLSearchParams(it.goodReply({ page: '/world/routes', revision: '1', withdraw: '1' })).toString();
  const before = it.dump();
  for (const at of new Set(routes.map((route) => route.at))) {
    const methods = routes.filter((route) => route.at === at).map(({ method }) => method);
    const allowed = new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])));
    for (const uri of [at, `${at}?${query}`]) {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'PATCH', 'BREW', 'get', 'Post']) {
        for (const accept of ['text/html', 'application/json']) {
          const answer = await it.reader({ method, uri, accept }), what = `${method} ${uri} ${accept}: ${answer.status}`;
          if (!allowed.has(method)) {
            assert.equal(answer.status, 405, what);
            assert.deepEqual(new Set(answer.header('Allow').split(/, */)), allowed, what);
          } else assert.ok(answer.status < 500, what);
          if (method === 'HEAD') assert.equal(answer.body.length, 0, what);
          checkHeaders(answer, what);
        }
      }
    }
  }
  assert.equal(it.dump(), before);
});

test('so has each refusal of a POST, and what stands in the query is no field', async () => {
  const before = it.dump();
  for (const { at } of routes.filter(({ method }) => method === 'POST')) {
    for (const accept of ['text/html', 'application/json']) {
      const query = `${at}?${new URLSearchParams(it.goodReply({ page: '/world/routes', revision: '1' }))}`;
      const seen = [];
      for (const options of [{ uri: query, form: { page: '/world/routes' } }, { uri: at, form: [['page', '/world/routes'], ['page', '/world/other'], ['revision', '1']] },
        { uri: at, body: 'x', headers: { 'Content-Type': 'text/plain' } }, { uri: at, body: 'name=%ff', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
        { uri: at, body: '{', headers: { 'Content-Type': 'application/json' } }, { uri: at, form: { page: '/x', comment: 'x'.repeat(300000) } }, { uri: `${at}x`, form: { page: '/x' } }]) {
        const answer = await it.reader({ method: 'POST', accept, ...options });
        assert.ok(answer.status >= 400 && answer.status < 500, `${at} ${JSON.stringify(options).slice(0, 80)}: ${answer.status}`);
        checkHeaders(answer, `POST ${at}: ${answer.status}`);
        seen.push(answer.status);
      }
      assert.ok([400, 413, 415].every((status) => seen.includes(status)), `${at}: ${seen}`);
    }
  }
  assert.equal(it.dump(), before);
});

test('a web server that does not find the published files is told of once; other spellings and empty threads say nothing', async () => {
  const told = (wanted) => it.logged('reader', /instead of serving them/g, wanted);
  const ask = async (page, times) => { for (let n = 0; n < times; n++) assert.equal((await it.reader({ uri: `/comments/threads${page}/~/thread.html` })).status, 200); };
  it.mustCli(['publish', '--all']);
  const file = it.threadFile('/world/unserved');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, 'a file');
  await ask('/world/nobody-replied', 120);
  await ask('/world/unserved/index.html', 120);
  await ask('/world//unserved', 120);
  assert.equal(await told(0), 0);
  await ask('/world/unserved', 99);
  assert.equal(await told(0), 0);
  await ask('/world/unserved', 120);
  assert.equal(await told(1), 1);
});
