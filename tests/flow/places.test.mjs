// Where an installation stands: mount points, several sites in one, other origins, a host for moderators.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cookieOf, elements, fieldOf, fieldsOf, forms, replies, replyForm, signedIn, textOf } from '../lib/browserless.mjs';
import { fresh, makeFolder, makeInstance, tellSeed } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
const linksOf = (html) => elements(html, (tag) => tag.attributes.href !== undefined).map(({ tag }) => tag.attributes.href);

before(() => tellSeed());

// --- mount points --------------------------------------------------------------------------------

// [what the configuration says, what addresses begin with]
for (const [written, mount] of [['/comments', '/comments'], ['/', ''], ['', ''], ['/deep/er', '/deep/er']]) {
  for (const base of ['http://localhost:8080', 'https://news.example']) {
    test(`mount "${written}" at ${base}: the whole way of a reply, each link below the mount`, async () => {
      const it = await makeInstance({ site: { mount: written, base } });
      try {
        it.addModerator('editor', PASSWORD);
        await it.start('reader');
        await it.start('moderator');
        const page = `/world/mount-${fresh()}`;
        assert.equal((await it.reader({ uri: `${mount}/health` })).status, 200);
        const form = await it.reader({ uri: `${mount}/form?page=${page}` });
        assert.equal(form.status, 200);
        assert.equal(replyForm(form.text).action, `${mount}/reply`);
        assert.ok(linksOf(form.text).includes(`${mount}/static/rejoinder.css`), linksOf(form.text).join(' '));
        const sent = await it.reader({ uri: `${mount}/reply`, form: it.goodReply({ page, key: fieldOf(replyForm(form.text), 'key').value }) });
        assert.equal(sent.status, 303, textOf(sent.text));
        const receipt = sent.header('Location');
        assert.match(receipt, new RegExp(`^${mount}/receipt/[A-Za-z0-9_-]{32}$`));
        const got = await it.reader({ uri: receipt });
        assert.equal(got.status, 200);
        for (const one of forms(got.text).filter(({ action }) => action)) assert.ok(one.action.startsWith(`${mount}/receipt/`), one.action);
        const id = String(it.sql('SELECT max(id) AS id FROM reply')[0].id);
        // The moderators' cookie is for the whole host, so __Host- holds at any mount.
        const moderator = await signedIn(it, 'editor', PASSWORD, { origin: base, mount });
        const [name] = Object.keys(moderator.cookies);
        assert.equal(name, base.startsWith('https') ? '__Host-rejoinder' : 'rejoinder');
        const again = await moderator.signIn('editor', PASSWORD);
        const cookie = cookieOf(again.header('Set-Cookie'));
        assert.equal(cookie.path, '/');
        assert.equal('secure' in cookie, base.startsWith('https'));
        assert.equal(again.header('Location'), `${mount}/moderate/`);
        const decided = await moderator.approve(id);
        assert.equal(decided.status, 303);
        assert.ok(decided.header('Location').startsWith(`${mount}/moderate/?`), decided.header('Location'));
        const thread = it.thread(page);
        assert.ok(linksOf(thread).some((href) => href.startsWith(`${mount}/form?page=${page}`)), linksOf(thread).join(' '));
        assert.equal(JSON.parse(it.thread(page, 'thread.json')).count, 1);
        const feed = it.thread(page, 'feed.xml');
        assert.ok(feed.includes(`${base}${mount}/threads${page}/~/feed.xml`), feed.slice(0, 600));
        // What is not below the mount is not ours.
        for (const elsewhere of ['/elsewhere/form?page=/a', mount === '' ? '/comments/health' : '/health', `${mount}x/health`, `/x${mount}/health`]) {
          assert.equal((await it.reader({ uri: elsewhere })).status, 404, elsewhere);
        }
        // No link of the moderators' pages leads out of it, but to the article.
        for (const href of linksOf((await moderator.get(`${mount}/moderate/?state=published`)).text)) {
          assert.ok(href === '/' || href.startsWith(`${mount}/`) || href.startsWith('#') || href.startsWith(page) || href.startsWith('https://example.org/'), href);
          assert.ok(!href.startsWith('//'), href);
        }
      } finally {
        await it.tidy();
      }
    });
  }
}

// --- several sites -------------------------------------------------------------------------------

describe('several sites in one installation', () => {
  let it;
  const words = makeFolder();
  const PLACES = { main: ['/comments', 'https://a.example'], root: ['', 'https://b.example'], deep: ['/deep/er', 'http://c.example:8080'] };
  const uri = (site, below) => `${PLACES[site][0]}${below}`;

  before(async () => {
    fs.writeFileSync(path.join(words, 'b.words'), 'form.title = Say something about B\n');
    it = await makeInstance({
      site: { base: PLACES.main[1], pages: ['/a/**'], comment_most: 40 },
      sites: {
        root: { base: PLACES.root[1], mount: '/', title: 'B', words: path.join(words, 'b.words'), pages: ['/b/**'] },
        deep: { base: PLACES.deep[1], mount: '/deep/er', title: 'C', page_list: true },
      },
    });
    fs.writeFileSync(path.join(words, 'c.csv'), '/c/one,One of C,\n');
    it.mustCli(['pages', 'import', path.join(words, 'c.csv'), '--site', 'deep']);
    it.addModerator('editor', PASSWORD);
    await it.start('reader');
    await it.start('moderator');
  });
  after(() => it?.tidy());

  const post = (site, page, more) => it.reader({ uri: uri(site, '/reply'), site, accept: 'application/json', json: it.goodReply({ page, comment: `About ${fresh()}, briefly.`, ...more }) });

  test('each has its own mount, pages, words and limits', async () => {
    for (const site of Object.keys(PLACES)) {
      for (const other of Object.keys(PLACES)) {
        const status = (await it.reader({ uri: uri(other, '/health'), site })).status;
        assert.equal(status, site === other ? 200 : 404, `${other}'s address on ${site}`);
      }
    }
    const form = async (site, page) => it.reader({ uri: uri(site, `/form?page=${page}`), site });
    assert.equal((await form('main', '/a/x')).status, 200);
    assert.equal((await form('main', '/b/x')).status, 404);
    assert.equal((await form('root', '/b/x')).status, 200);
    assert.match((await form('root', '/b/x')).text, /Say something about B/);
    assert.doesNotMatch((await form('main', '/a/x')).text, /Say something about B/);
    assert.equal((await form('deep', '/c/one')).status, 200);
    assert.equal((await form('deep', '/c/two')).status, 404);
    assert.equal((await post('main', '/a/x', { comment: 'x'.repeat(41) })).status, 422);
    assert.equal((await post('root', '/b/x', { comment: 'x'.repeat(41) })).status, 201);
  });

  test('REJOINDER_SITE says which; Host and X-Forwarded-Host say nothing', async () => {
    const headers = { Host: 'b.example', 'X-Forwarded-Host': 'b.example', Forwarded: 'host=b.example', 'X-Original-Host': 'b.example' };
    assert.equal((await it.reader({ uri: uri('root', '/health'), headers })).status, 404, 'no name: the first site');
    assert.equal((await it.reader({ uri: uri('main', '/health'), headers })).status, 200);
    assert.equal((await it.reader({ uri: uri('main', '/health'), site: 'b.example', headers })).status, 404, 'an unknown one');
    assert.equal((await it.moderator({ uri: uri('main', '/moderate/health'), site: 'nobody' })).status, 404);
  });

  test('a thread, its files, its receipt and its queue are of one site alone', async () => {
    const { id, receipt } = (await post('root', '/b/own')).json();
    assert.ok(receipt.startsWith('/receipt/'), receipt);
    assert.equal((await it.reader({ uri: receipt, site: 'root' })).status, 200);
    assert.equal((await it.reader({ uri: uri('main', receipt), site: 'main' })).status, 404, 'on another site');
    const b = await signedIn(it, 'editor', PASSWORD, { origin: PLACES.root[1], site: 'root', mount: '' });
    const a = await signedIn(it, 'editor', PASSWORD, { origin: PLACES.main[1], site: 'main' });
    const shown = async (moderator) => replies((await moderator.get()).text).map((one) => one.id);
    assert.ok((await shown(b)).includes(id));
    assert.ok(!(await shown(a)).includes(id));
    assert.equal((await b.approve(id)).status, 303);
    assert.ok(fs.existsSync(it.threadFile('/b/own', 'thread.html', 'root')));
    assert.ok(!fs.existsSync(it.threadFile('/b/own', 'thread.html', 'main')));
    assert.match(it.thread('/b/own', 'feed.xml', 'root'), /https:\/\/b\.example\/threads\/b\/own/);
  });

  test('the same page on two sites is two threads', async () => {
    it.mustCli(['pages', 'import', path.join(words, 'c.csv'), '--site', 'main']);
    const one = (await post('deep', '/c/one', { key: 'same-key', comment: 'The very same words.' })).json();
    const two = await post('main', '/a/one', { key: 'same-key', comment: 'The very same words.' });
    assert.equal(two.status, 201, two.text);
    assert.notEqual(two.json().id, one.id);
  });

  test('a form of one site’s moderators is nobody’s business at another: Origin by site', async () => {
    const { id } = (await post('root', '/b/origin')).json();
    const b = await signedIn(it, 'editor', PASSWORD, { origin: PLACES.root[1], site: 'root', mount: '' });
    const { form, reply } = await b.decisionForm(id);
    const fields = [...fieldsOf(form).filter(([name]) => name !== 'reply' && name !== 'state'), ['reply', reply], ['state', 'spam']];
    const before = it.dump();
    for (const origin of [PLACES.main[1], PLACES.deep[1], 'https://b.example:444', 'http://b.example', 'null']) {
      b.origin = origin;
      assert.equal((await b.submit(form.action, fields)).status, 403, origin);
    }
    assert.equal(it.dump(), before);
    b.origin = PLACES.root[1];
    assert.equal((await b.submit(form.action, fields)).status, 303);
  });

  test('what site a moderator looks at does not matter to the session, what scheme does', async () => {
    const a = await signedIn(it, 'editor', PASSWORD, { origin: PLACES.main[1], site: 'main' });
    a.site = 'root';
    assert.equal((await a.get('/moderate/?state=held')).status, 200, 'one host, two mounts: one sign-in');
    a.site = 'deep';
    assert.equal((await a.get('/deep/er/moderate/?state=held')).status, 303, '__Host- does not count where the base is http');
  });

  test('commands take --site, the first is the default', () => {
    const closed = () => it.sql("SELECT site.name || ' ' || page AS at FROM thread JOIN site ON site.id = site_id WHERE closed = 1 ORDER BY 1").map(({ at }) => at);
    it.mustCli(['close', '/a/closed']);
    it.mustCli(['close', '/b/closed', '--site', 'root']);
    it.mustCli(['close', '--site', 'deep', '/c/one']);
    assert.deepEqual(closed(), ['deep /c/one', 'main /a/closed', 'root /b/closed']);
    it.mustCli(['reopen', '--site', 'root', '/b/closed']);
    it.mustCli(['reopen', '/c/one', '--site', 'deep']);
    assert.deepEqual(closed(), ['main /a/closed']);
    assert.equal(it.cli(['close', '/b/closed']).status, 1, 'no page of the first site');
    const file = it.threadFile('/b/own', 'thread.html', 'root'), mine = it.threadFile('/a/closed', 'thread.html', 'main');
    fs.writeFileSync(file, 'spoiled');
    fs.writeFileSync(mine, 'spoiled');
    it.mustCli(['publish', '--all', '--site', 'root']);
    assert.notEqual(fs.readFileSync(file, 'utf8'), 'spoiled');
    assert.equal(fs.readFileSync(mine, 'utf8'), 'spoiled');
    it.mustCli(['publish', '--all']);
    assert.notEqual(fs.readFileSync(mine, 'utf8'), 'spoiled');
    const stats = (...args) => it.mustCli(['stats', ...args]).stdout.match(/^\w+$/gm);
    assert.deepEqual(stats(), ['main', 'root', 'deep']);
    assert.deepEqual(stats('--site', 'deep'), ['deep']);
    assert.match(it.mustCli(['snippet', 'html', '/b/x', '--site', 'root']).stdout, /action="\/reply"/);
    for (const args of [['close', '/a/x'], ['reopen', '/a/x'], ['publish', '--all'], ['stats'], ['snippet', 'html', '/a/x'], ['pages', 'import', path.join(words, 'c.csv')]]) {
      const run = it.cli([...args, '--site', 'none']);
      assert.equal(run.status, 1, args.join(' '));
      assert.match(run.stderr, /no site "none"; it has main, root, deep\n/, args.join(' '));
      assert.equal(it.cli([...args, '--site']).status, 2, args.join(' '));
    }
    assert.equal(it.cli(['publish', '--site', 'root']).status, 2);
  });
});

// --- other origins -------------------------------------------------------------------------------

describe('articles of another origin', () => {
  const ELSEWHERE = 'https://blog.example';
  const CORS = ['Access-Control-Allow-Origin', 'Access-Control-Allow-Methods', 'Access-Control-Allow-Headers', 'Access-Control-Allow-Credentials'];
  let it;
  before(async () => {
    it = await makeInstance({ site: { origins: [ELSEWHERE, 'http://localhost:4000'] }, sites: { other: { mount: '/other' } }, doors: ['reader'] });
    it.addModerator('editor', PASSWORD);
    await it.start('moderator');
  });
  after(() => it?.tidy());
  const allowed = (answer) => answer.all('Access-Control-Allow-Origin');

  test('a named origin, and exactly that, may read what the public door says', async () => {
    const sent = await it.reader({ uri: '/comments/reply', json: it.goodReply(), accept: 'application/json', headers: { Origin: ELSEWHERE } });
    assert.equal(sent.status, 201);
    const uris = ['/comments/form?page=/a', sent.json().receipt, '/comments/threads/a/~/thread.html', '/comments/form?page=', '/comments/nothing', '/comments/health'];
    for (const uri of uris) {
      for (const origin of [ELSEWHERE, 'http://localhost:4000']) {
        const answer = await it.reader({ uri, headers: { Origin: origin } });
        assert.deepEqual(allowed(answer), [origin], uri);
        assert.deepEqual(answer.all('Vary'), ['Origin'], uri);
        assert.equal(answer.header('Access-Control-Allow-Credentials'), undefined);
      }
      for (const origin of [undefined, '', 'null', '*', 'https://blog.example.evil.example', 'https://evil.example', 'http://blog.example', 'https://blog.example:443', 'https://BLOG.example', 'https://blog.example/', 'http://localhost:8080']) {
        const answer = await it.reader({ uri, headers: { Origin: origin } });
        for (const name of CORS) assert.equal(answer.header(name), undefined, `${origin} ${name}`);
        assert.deepEqual(answer.all('Vary'), ['Origin'], 'a cache must not mix them up');
      }
    }
  });

  test('a refusal may be read as well, with when to come again', async () => {
    const answer = await it.reader({ uri: '/comments/reply', json: { page: '/a' }, accept: 'application/json', headers: { Origin: ELSEWHERE } });
    assert.equal(answer.status, 422);
    assert.deepEqual(allowed(answer), [ELSEWHERE]);
    assert.equal(answer.header('Access-Control-Expose-Headers'), 'Retry-After');
  });

  test('OPTIONS is 204 for a named origin, and 405 as ever for others', async () => {
    const ask = (uri, origin) => it.reader({ method: 'OPTIONS', uri, headers: { Origin: origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type' } });
    const answer = await ask('/comments/reply', ELSEWHERE);
    assert.equal(answer.status, 204);
    assert.deepEqual(allowed(answer), [ELSEWHERE]);
    assert.equal(answer.header('Access-Control-Allow-Methods'), 'POST');
    assert.equal(answer.header('Access-Control-Allow-Headers'), 'Content-Type');
    assert.deepEqual(answer.all('Vary'), ['Origin']);
    assert.equal(answer.body.length, 0);
    assert.equal(answer.header('Content-Length'), undefined);
    assert.equal((await ask('/comments/form?page=/a', ELSEWHERE)).header('Access-Control-Allow-Methods'), 'GET, HEAD');
    assert.equal((await ask('/comments/nothing', ELSEWHERE)).status, 404);
    for (const origin of ['https://evil.example', undefined]) {
      const refused = await ask('/comments/reply', origin);
      assert.equal(refused.status, 405);
      for (const name of CORS) assert.equal(refused.header(name), undefined);
    }
  });

  test('a site that names none allows none', async () => {
    const answer = await it.reader({ uri: '/other/form?page=/a', site: 'other', headers: { Origin: ELSEWHERE } });
    assert.equal(answer.status, 200);
    for (const name of [...CORS, 'Vary']) assert.equal(answer.header(name), undefined);
  });

  test('the moderators’ door allows nobody', async () => {
    for (const method of ['GET', 'OPTIONS', 'POST']) {
      for (const uri of ['/comments/moderate/', '/comments/moderate/sign-in', '/comments/moderate/health', '/comments/moderate/decide']) {
        const answer = await it.moderator({ method, uri, headers: { Origin: ELSEWHERE } });
        for (const name of CORS) assert.equal(answer.header(name), undefined, `${method} ${uri}`);
      }
    }
  });

  test('what is no origin is refused at start', () => {
    const kept = fs.readFileSync(it.config, 'utf8');
    for (const wrong of ['*', 'null', 'https://*', 'https://blog.example/', 'blog.example']) {
      it.configure({ site: { origins: [wrong] } });
      const run = it.cli(['stats']);
      fs.writeFileSync(it.config, kept);
      assert.equal(run.status, 1, wrong);
      assert.match(run.stderr, /line \d+: origins: write each as/);
    }
  });
});

// --- a host of the moderators' own -----------------------------------------------------------------

test('moderators_base: cookie, forms and Origin belong there, links lead back to the articles', async () => {
  const MODERATE = 'https://moderate.example';
  const it = await makeInstance({ site: { base: 'http://news.example', moderators_base: MODERATE, origins: ['http://www.news.example'] } });
  try {
    it.addModerator('editor', PASSWORD);
    await it.start('reader');
    await it.start('moderator');
    const { id } = await it.post({ page: '/world/here' });
    for (const origin of ['http://news.example', 'http://www.news.example', 'https://moderate.example:8443']) {
      await assert.rejects(signedIn(it, 'editor', PASSWORD, { origin }), /403/, origin);
    }
    const moderator = await signedIn(it, 'editor', PASSWORD, { origin: MODERATE });
    for (const name of Object.keys(moderator.cookies)) assert.match(name, /^__Host-rejoinder/, 'Secure, though the articles are not');
    const queue = await moderator.get();
    assert.ok(linksOf(queue.text).includes('http://news.example/world/here'), linksOf(queue.text).join(' '));
    const decided = await moderator.approve(id);
    assert.equal(decided.status, 303);
    assert.ok(decided.header('Location').startsWith('/comments/moderate/'));
    const published = linksOf((await moderator.get('/comments/moderate/?state=published')).text);
    assert.ok(published.includes(`http://news.example/world/here#reply-${id}`), published.join(' '));
    assert.ok(published.includes('http://news.example/'), 'the site itself');
    for (const href of published) assert.ok(/^(#|\/comments\/|http:\/\/news\.example\/|https:\/\/example\.org\/|mailto:)/.test(href), href);
    // Nothing of it reaches the readers.
    const thread = it.thread('/world/here') + it.thread('/world/here', 'feed.xml');
    assert.doesNotMatch(thread, /moderate\.example/);
    it.configure({ site: { moderators_base: 'https://moderate.example/x' } });
    assert.match(it.cli(['stats']).stderr, /line \d+: moderators_base: write/);
  } finally {
    await it.tidy();
  }
});
