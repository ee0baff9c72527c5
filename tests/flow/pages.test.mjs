// The page list: `rejoinder pages import`, and what it changes for readers.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { BASE, ROOT, makeInstance, tellSeed } from '../lib/instance.mjs';

tellSeed();
let it;
before(async () => {
  it = await makeInstance({ site: { page_list: true, pages: ['/**'], origins: ['https://www.example.org'] },
    sites: { other: { base: 'https://other.example' } } });
});
after(() => it.tidy());

const put = (name, text) => {
  const file = path.join(it.dir, name);
  fs.writeFileSync(file, text);
  return file;
};
let lists = 0;
// Imports a list; `said` is standard error with the file's name taken away.
function load(text, ...options) {
  const file = put(`list${++lists}`, text);
  const run = it.cli(['pages', 'import', file, ...options]);
  return { ...run, said: run.stderr.replaceAll(file, 'LIST'), told: run.stdout.replaceAll(file, 'LIST') };
}
const listed = (site = 'main') => it.sql(`SELECT page, title, published_at FROM page JOIN site ON site.id = site_id
  WHERE site.name = '${site}' ORDER BY page`).map((row) => [row.page, row.title, row.published_at]);
const decide = (page) => it.sql(`SELECT title FROM thread WHERE page = '${page}'`)[0]?.title;

test('a CSV list is taken once, however often it comes', () => {
  const text = 'path,title,published\r\n/world/astana,"In ""Astana"", China sets the table",2024-07-03\r\n'
    + '/b/index.html,,2024-07-03T10:00:00+02:00\n'
    + `${BASE}/c%C3%A4?x=1#y,"C  c\nd",\nhttps://www.example.org,Front\n`;
  const wanted = [['/', 'Front', null], ['/b', '', 1719993600], ['/cä', 'C c d', null],
    ['/world/astana', 'In "Astana", China sets the table', 1719964800]];
  const dry = load(text, '--dry-run');
  assert.deepEqual([dry.status, dry.said, dry.told], [0, '', 'LIST: 4 would be new, 0 would be changed, 0 as they were\n']);
  assert.deepEqual(listed(), []);
  const first = load(text);
  assert.deepEqual([first.status, first.said, first.told], [0, '', 'LIST: 4 new, 0 changed, 0 as they were\n']);
  assert.deepEqual(listed(), wanted);
  const again = load(text);
  assert.deepEqual([again.status, again.told], [0, 'LIST: 0 new, 0 changed, 4 as they were\n']);
  assert.deepEqual(listed(), wanted);
});

test('what a list does not tell stays; nothing is removed', () => {
  const before_ = listed();
  const sitemap = `<?xml version="1.0"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>${BASE}/world/astana</loc><lastmod>2020-01-01</lastmod></url>
<url><loc>\n ${BASE}/new%20one/?utm=a&amp;b=c </loc></url>
<url><loc>https://elsewhere.example/</loc></url>
</urlset>`;
  const run = load(sitemap);
  assert.equal(run.told, 'LIST: 1 new, 0 changed, 1 as they were\n');
  assert.equal(run.said, 'LIST line 6: note: this address is not of the site; it is passed over: https://elsewhere.example/\n');
  assert.deepEqual(listed(), [...before_, ['/new one', '', null]].sort((a, b) => (a[0] < b[0] ? -1 : 1)));
  assert.equal(load('/b,A title\n').told, 'LIST: 0 new, 1 changed, 0 as they were\n');
  assert.deepEqual(listed().find(([page]) => page === '/b'), ['/b', 'A title', 1719993600]);
});

test('every fault is told with its line, and nothing is written', () => {
  const before_ = it.dump();
  const run = load('nope,x,\n/ok,fine,\n/a,b,c,d\n"x"y\n/a,"\u0001\u0009",2024-02-30\n"/ok2",two\n/~/x\nhttps://elsewhere.example/x\n/a,"open');
  assert.equal(run.status, 1);
  assert.equal(run.told, '');
  assert.deepEqual(run.said.split('\n').map((line) => line.slice(0, 40)), [
    'LIST line 1: this is no page; give its p',
    'LIST line 3: there are more than three f',
    'LIST line 4: something stands behind a c',
    'LIST line 5: the title has a control cha',
    'LIST line 5: this is no date; write it a',
    'LIST line 7: this is no page; give its p',
    'LIST line 8: this address is not of the ',
    'LIST line 9: the list ends within quotes',
    'rejoinder: 8 to mend; nothing was writte', '']);
  assert.ok(!run.stderr.includes('\u0001'), 'a control character reaches the terminal');
  assert.equal(it.dump(), before_);
});

for (const [name, text, says] of [
  ['no UTF-8', Buffer.from('/ok,\xff\n', 'latin1'), 'line 1: this is no UTF-8'],
  ['UTF-16', Buffer.from('\ufeff/ok,x', 'utf16le'), 'line 1: there is a NUL'],
  ['a sitemap in UTF-16 that is none', Buffer.from('\ufeff<html/>', 'utf16le'), 'outermost element is urlset, and here it is html'],
  ['a NUL', '/ok,\0\n', 'line 1: there is a NUL'],
  ['nothing', '', 'there is no page in it'],
  ['headings alone', 'path,title\n', 'there is no page in it'],
  ['gzip', Buffer.from([0x1f, 0x8b, 8, 0, 0]), 'gunzip'],
  ['a broken sitemap', '<urlset>\n<url><loc>/x</urlset>', 'line 2: this is no XML: mismatched tag'],
  ['a sitemap that ends early', `<urlset><url><loc>${BASE}/x</loc></url>`, 'line 1: this is no XML'],
  ['an index of sitemaps', '<sitemapindex/>', 'line 1: this is an index of sitemaps'],
  ['a page', '<html><body/></html>', 'outermost element is urlset, and here it is html'],
  ['a document type', '<!DOCTYPE urlset [<!ENTITY x "y">]><urlset/>', 'document type'],
  ['a path in a sitemap', '<urlset><url><loc>/x</loc></url></urlset>', 'line 1: this is no page'],
]) test(`${name}: refused as a whole`, () => {
  const before_ = it.dump();
  const run = load(text);
  assert.equal(run.status, 1);
  assert.ok(run.said.includes(says), run.said);
  assert.ok(run.said.endsWith('1 to mend; nothing was written\n'), run.said);
  assert.equal(it.dump(), before_);
});

test('a page that comes twice counts once, and is told', () => {
  const run = load('/twice,One\n/twice/,Two\n');
  assert.equal(run.told, 'LIST: 1 new, 0 changed, 0 as they were\n');
  assert.equal(run.said, 'LIST line 2: note: this page was listed before; this line is passed over: /twice\n');
  assert.equal(listed().find(([page]) => page === '/twice')[1], 'One');
});

test('a long list goes in, and its faults are not told without end', () => {
  const lines = Array.from({ length: 3210 }, (_, n) => `/long/${n},Title ${n},2024-07-03`);
  assert.equal(load(lines.join('\n')).told, 'LIST: 3210 new, 0 changed, 0 as they were\n');
  assert.equal(it.sql("SELECT count(*) AS n FROM page WHERE page LIKE '/long/%'")[0].n, 3210);
  const wrong = load(lines.map((line) => line.slice(1)).join('\n'));
  assert.equal(wrong.said.split('\n').length, 103);
  assert.ok(wrong.said.endsWith('... and 3110 more\nrejoinder: 3210 to mend; nothing was written\n'));
});

test('wrong use', () => {
  for (const args of [[], ['import'], ['export', 'x'], ['import', 'x', 'y'], ['import', 'x', '--force'], ['import', 'x', '--site']])
    assert.equal(it.cli(['pages', ...args]).status, 2, args.join(' '));
  assert.match(it.cli(['pages', 'import', path.join(it.dir, 'none')]).stderr, /none cannot be read: No such file/);
  assert.match(it.cli(['pages', 'import', it.dir]).stderr, /must be a plain file/);
  assert.match(load('/x\n', '--site', 'none').said, /no site "none"; it has main, other/);
});

test('each site has its own list', () => {
  const before_ = listed();
  assert.equal(load('/only-there,There\nhttps://other.example/too\n', '--site', 'other').status, 0);
  assert.deepEqual(listed('other'), [['/only-there', 'There', null], ['/too', '', null]]);
  assert.deepEqual(listed(), before_);
});

test('only listed pages take replies', async () => {
  it.configure({ site: { pages: ['/**', '/'] } });
  await it.start('reader');
  const form = (page) => it.reader({ uri: `/comments/form?page=${encodeURIComponent(page)}` });
  const thread = (page) => it.reader({ uri: `/comments/threads${page}/~/thread.html` });
  const send = (page) => it.reader({ uri: '/comments/reply', json: it.goodReply({ page }), accept: 'application/json' });
  assert.equal((await form('/world/astana/')).status, 200);
  assert.match((await form('/world/astana/')).text, /In &quot;Astana&quot;, China sets the table/);
  assert.equal((await thread('/world/astana')).status, 200);
  assert.equal((await send('/world/astana/index.html')).status, 201);
  assert.equal(decide('/world/astana'), 'In "Astana", China sets the table');
  for (const page of ['/world/bishkek', '/only-there', '/world']) {
    assert.equal((await form(page)).status, 404, page);
    assert.equal((await thread(page)).status, 404, page);
    const answer = await send(page);
    assert.deepEqual([answer.status, answer.json().error], [404, 'unknown-page'], page);
  }
  assert.equal(it.cli(['close', '/world/bishkek']).status, 1);
  assert.equal(it.count(), 1);
  await it.stop('reader');
});

test('an unlisted page is 404 even while the site is paused, a listed one 403', async () => {
  it.configure({ site: { paused: true } });
  await it.start('reader');
  const send = (page) => it.reader({ uri: '/comments/reply', json: it.goodReply({ page }), accept: 'application/json' });
  assert.deepEqual([(await send('/world/bishkek')).status, (await send('/world/astana')).status], [404, 403]);
  await it.stop('reader');
  it.configure({ site: { paused: false } });
});

test('patterns still apply, and without page_list any page does', async () => {
  it.configure({ site: { pages: ['/world/*'] } });
  const told = load('/b,A title\n');
  assert.match(told.said, /note: this page is taken into the list, but `pages` in the configuration excludes it: \/b/);
  await it.start('reader');
  const status = async (page) => (await it.reader({ uri: `/comments/form?page=${page}` })).status;
  assert.deepEqual([await status('/b'), await status('/world/astana'), await status('/world/bishkek')], [404, 200, 404]);
  it.configure({ site: { page_list: false } });
  await it.restart('reader');
  assert.deepEqual([await status('/b'), await status('/world/astana'), await status('/world/bishkek')], [404, 200, 200]);
  await it.stop('reader');
});

test('a new title reaches threads and their files', async () => {
  it.configure({ site: { pages: ['/**'] } });
  await it.start('reader');
  const { id } = await it.post({ page: '/world/almaty' });
  assert.equal(decide('/world/almaty'), '/world/almaty');
  it.mustCli(['publish', '--all']);
  assert.match(it.thread('/world/almaty', 'feed.xml'), /Replies to “\/world\/almaty”/);
  assert.ok(Number(id) > 0);
  const dry = load('/world/almaty,Apples\n', '--dry-run');
  assert.match(dry.told, /1 would be new.*\nThreads that would get a new title: 1\n$/s);
  assert.equal(decide('/world/almaty'), '/world/almaty');
  const run = load('/world/almaty,Apples\n');
  assert.match(run.told, /1 new.*\nThreads that got a new title: 1\n$/s);
  assert.equal(decide('/world/almaty'), 'Apples');
  assert.match(it.thread('/world/almaty', 'feed.xml'), /Replies to “Apples”/);
  assert.equal(it.sql('SELECT count(*) AS n FROM publication')[0].n, 0);
  assert.equal(load('/world/almaty,Apples\n').told, 'LIST: 0 new, 0 changed, 1 as they were\n');
  await it.stop('reader');
});

test('snippets: what is pasted leads to the page', async () => {
  const nginx = it.mustCli(['snippet', 'nginx', '/world/astana/']).stdout;
  assert.match(nginx, /^ {4}include \/etc\/rejoinder\/nginx\/rejoinder\.conf;$/m);
  assert.match(nginx, /^<!--#include virtual="\/comments\/threads\/world\/astana\/~\/thread\.html" -->$/m);
  assert.doesNotMatch(nginx, /In that file/);
  const apache = it.mustCli(['snippet', 'apache', '/world/astana/']).stdout;
  assert.match(apache, /^ {4}Include \/etc\/rejoinder\/apache\/rejoinder\.conf$/m);
  assert.match(apache, /^<!--#include virtual="\/comments\/threads\/world\/astana\/~\/thread\.html" -->$/m);
  assert.doesNotMatch(apache, /Define/);
  const odd = it.mustCli(['snippet', 'nginx', '/a"--><b>$c/50%25']).stdout;
  assert.match(odd, /virtual="\/comments\/threads\/a%22--%3E%3Cb%3E%24c\/50%25\/~\/thread\.html"/);
  const html = it.mustCli(['snippet', 'html', '/a"><b>&/50%25']).stdout;
  assert.match(html, /<input type="hidden" name="page" value="\/a%22%3E%3Cb%3E%26\/50%25">/);
  assert.match(html, /<div class="rejoinder" data-rejoinder data-page="\/a%22%3E%3Cb%3E%26\/50%25"><\/div>/);
  assert.match(html, /<script src="\/comments\/static\/rejoinder\.js" async><\/script>/);
  for (const name of ['comment', 'name', 'email', 'website', 'phone']) assert.ok(html.includes(` name="${name}"`), name);

  const include = it.mustCli(['snippet', 'include', '/world/astana']).stdout;
  assert.match(include, /^<!--#include virtual="\/comments\/threads\/world\/astana\/~\/thread\.html" -->$/m);
  assert.match(include, /^<input type="hidden" name="page" value="\/world\/astana">$/m);
  assert.doesNotMatch(include, /data-rejoinder|^#|\n\n\n/m, 'it goes into an article as it is');
  const told = fs.readFileSync(path.join(ROOT, 'docs/deploy.md'), 'utf8');
  assert.ok(told.includes(`\n\`\`\`html\n${it.mustCli(['snippet', 'include', '/news/harbor']).stdout}\`\`\`\n`), 'docs/deploy.md shows what is printed');
  // nginx takes a space behind the #; Apache and lighttpd do not.
  const demo = fs.readdirSync(path.join(ROOT, 'www/demo'), { recursive: true }).filter((name) => name.endsWith('.html'));
  assert.ok(demo.length > 1);
  for (const name of demo) assert.doesNotMatch(fs.readFileSync(path.join(ROOT, 'www/demo', name), 'utf8'), /<!--# /, name);
  it.configure({ sites: { shop: { base: 'https://shop.example', mount: '/talk', pages: ['/x'], page_keys: ['p'] } } });
  const shop = it.mustCli(['snippet', 'nginx', '--site', 'shop', '/?p=7']);
  assert.match(shop.stderr, /excludes this page/);
  assert.match(shop.stdout, /write \/talk for \/comments/);
  assert.match(shop.stdout, /write shop for main/);
  assert.match(shop.stdout, /virtual="\/talk\/threads\/p%3D7\/~\/thread\.html"/);
  const shopApache = it.mustCli(['snippet', 'apache', '/?p=7', '--site', 'shop']).stdout;
  assert.match(shopApache, /^ {4}Define REJOINDER_MOUNT \/talk\/\n {4}Define REJOINDER_SITE shop\n {4}Include /m);
  assert.match(it.mustCli(['snippet', 'html', '/?p=7', '--site', 'shop']).stdout, /action="\/talk\/reply"[^]*value="\/\?p=7"/);

  for (const args of [[], ['nginx'], ['caddy', '/x'], ['html', '/x', '/y'], ['html', '/x', '--dry-run']])
    assert.equal(it.cli(['snippet', ...args]).status, 2, args.join(' '));
  assert.match(it.cli(['snippet', 'html', 'x']).stderr, /this is no page/);

  // What the pasted form sends is taken.
  await it.start('reader');
  const page = /name="page" value="([^"]*)"/.exec(html)[1];
  const answer = await it.reader({ uri: '/comments/reply', form: it.goodReply({ page, key: undefined, phone: '' }) });
  assert.equal(answer.status, 303);
  assert.equal(it.sql('SELECT page FROM thread ORDER BY id DESC LIMIT 1')[0].page, '/a"><b>&/50%');
  await it.stop('reader');
});
