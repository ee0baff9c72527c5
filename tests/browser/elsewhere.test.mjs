// An article of another origin than the doors, by the script alone, with what docs/embed.md says to configure.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { behindNginx, moderatorAt, post } from '../served/behind.mjs';
import { freePort, root } from '../served/nginx.mjs';
import { after, before, close, fill, launch, test } from './browser.mjs';

let all, moderator, browser, articles, stranger, elsewhere, strange;

// A web server that knows nothing of Rejoinder, on a port, so an origin, of its own.
function blog(port, policy) {
  const html = (page) => `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Elsewhere</title>
<script src="${all.base}/comments/static/rejoinder.js" async></script></head>
<body><main><h1>Elsewhere</h1><div data-rejoinder data-page="${page}"></div></main></body></html>`;
  const server = http.createServer((req, res) => {
    const known = req.url.startsWith('/post/');
    res.writeHead(known ? 200 : 404, { 'Content-Type': 'text/html; charset=utf-8', ...(policy ? { 'Content-Security-Policy': policy } : {}) });
    res.end(known ? html(req.url) : 'nothing');
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
}

// What docs/embed.md tells the owner to write.
function told() {
  const text = fs.readFileSync(path.join(root, 'docs/embed.md'), 'utf8');
  const section = text.slice(text.indexOf('### Articles of another origin'));
  return [...section.matchAll(/```\n((?:map|add_header)[\s\S]*?)```/g)].slice(0, 2).map(([, lines]) => lines.replaceAll('https://blog.example', elsewhere));
}

before(async () => {
  const port = await freePort(), other = await freePort();
  elsewhere = `http://localhost:${port}`;
  strange = `http://localhost:${other}`;
  const [map, headers] = told();
  all = await behindNginx({ site: { pages: ['**'], pace_burst: 1000 }, http: map,
    edit: (text) => headers.trim().split('\n').reduce((all_, line) => all_.replaceAll(`# ${line}`, line), text) });
  all.it.configure({ site: { origins: [elsewhere] } });
  await all.it.restart('reader');
  moderator = await moderatorAt(all);
  articles = await blog(port, `default-src 'none'; script-src ${all.base}; style-src ${all.base}; connect-src ${all.base}`);
  stranger = await blog(other, '');
  browser = await launch();
});
after(async () => {
  if (browser) await close(browser);
  articles?.close();
  stranger?.close();
  await all?.tidy();
});

test('thread, form and reply work on a named origin, and every link leads to the doors', async () => {
  const page = '/post/one';
  const { id } = await post(all, { page, name: 'Somebody', comment: 'Written on the site itself.' });
  await moderator.approve(id);
  const context = await browser.newContext({ baseURL: elsewhere });
  const tab = await context.newPage();
  const complaints = [];
  tab.on('console', (message) => { if (message.type() === 'error' && !/favicon/.test(message.location().url)) complaints.push(message.text()); });
  tab.on('pageerror', (error) => complaints.push(String(error)));
  await tab.goto(page);
  await tab.getByText('Written on the site itself.').waitFor();
  await tab.locator('form').waitFor();
  const addresses = await tab.evaluate(() => [...document.querySelectorAll('[data-rejoinder] a[href], [data-rejoinder] form')].map((one) => one.getAttribute('href') ?? one.getAttribute('action')));
  assert.ok(addresses.length >= 2, String(addresses));
  for (const one of addresses) assert.ok(one.startsWith(`${all.base}/`) || one.startsWith('#') || one === 'https://example.org/asel', one);
  await fill(tab, { comment: 'Written elsewhere.', name: 'Aruzhan', email: 'aruzhan@example.org', website: 'javascript:x' });
  await tab.click('form button[type=submit]');
  await tab.locator('.rejoinder-error').first().waitFor();
  await fill(tab, { website: '' });
  await tab.click('form button[type=submit]');
  await tab.locator('.rejoinder-waiting').waitFor();
  assert.equal(tab.url(), `${elsewhere}${page}`);
  const receipt = await tab.locator('.rejoinder-waiting a').getAttribute('href');
  assert.match(receipt, new RegExp(`^${all.base}/comments/receipt/`));
  assert.equal(all.it.sql("SELECT count(*) AS n FROM reply WHERE comment = 'Written elsewhere.'")[0].n, 1);
  // JSON, for which a browser asks first, and the receipt.
  const json = await tab.evaluate(async ([base, at]) => {
    const sent = await fetch(`${base}/comments/reply`, { method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify({ page: at, name: 'Dana', email: 'dana@example.org', comment: 'As JSON, from elsewhere.' }) });
    const { receipt: where } = await sent.json();
    return { status: sent.status, receipt: (await fetch(base + where)).status, thread: (await fetch(`${base}/comments/threads${at}/~/thread.json`)).status };
  }, [all.base, page]);
  assert.deepEqual(json, { status: 201, receipt: 200, thread: 200 });
  assert.ok(complaints.every((text) => /422/.test(text)), complaints.join('\n'));
  await context.close();
});

test('an origin that is not named learns nothing', async () => {
  const context = await browser.newContext({ baseURL: strange });
  const tab = await context.newPage();
  await tab.goto('/post/one');
  const got = await tab.evaluate(async (base) => {
    const read = async (uri, options) => { try { return (await fetch(base + uri, options)).status; } catch { return 'refused'; } };
    return [await read('/comments/form?page=/post/one'), await read('/comments/threads/post/one/~/thread.json'), await read('/comments/threads/post/none/~/thread.json'),
      await read('/comments/moderate/sign-in'), await read('/comments/reply', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' })];
  }, all.base);
  assert.deepEqual(got, Array(5).fill('refused'));
  await context.close();
});

test('a named origin may not ask the moderators’ door', async () => {
  const context = await browser.newContext({ baseURL: elsewhere });
  const tab = await context.newPage();
  await tab.goto('/post/one');
  const policy = await tab.evaluate(async (base) => { try { return (await fetch(`${base}/comments/moderate/sign-in`)).status; } catch { return 'refused'; } }, all.base);
  assert.equal(policy, 'refused');
  await context.close();
});
