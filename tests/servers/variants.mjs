// variants.mjs - what is tried behind some servers only, each with a stand of its own.
import assert from 'node:assert/strict';
import { cookieOf, replies } from '../lib/browserless.mjs';
import { EDITOR, moderatorAt, post } from '../served/behind.mjs';
import { slowly } from '../served/slowly.mjs';
import { story } from './story.mjs';

const ELSEWHERE = 'https://blog.example';

async function embedded(stand, step) {
  const { id } = await post(stand, { page: '/news/harbor' });
  await (await moderatorAt(stand)).approve(id);
  const files = ['/threads/news/harbor/~/thread.html', '/threads/news/harbor/~/thread.json', '/static/rejoinder.js', '/static/rejoinder.css'];
  const empty = ['/threads/nobody/~/thread.html', '/threads/nobody/~/thread.json', '/latest.json'];
  const allow = async (name, origin) => {
    const res = await stand.get(`/comments${name}`, { Origin: origin });
    assert.equal(res.status, 200, name);
    assert.ok(!/,/.test(res.headers['access-control-allow-origin'] ?? ''), name);
    return res;
  };
  await step('articles of the origin that is named may read files, and those of no other', async () => {
    for (const name of [...files, ...empty]) {
      const res = await allow(name, ELSEWHERE);
      assert.equal(res.headers['access-control-allow-origin'], ELSEWHERE, name);
      assert.match(res.headers.vary ?? '', /Origin/, name);
      for (const origin of ['https://evil.example', `${ELSEWHERE}.evil.example`, 'https://blog-example', undefined])
        assert.equal((await allow(name, origin)).headers['access-control-allow-origin'], undefined, `${name} ${origin}`);
    }
  });
  await step('and ask the public program, whose answers say so once', async () => {
    const ask = (method, name, origin, more) => stand.ask(method, `/comments${name}`, { headers: { Origin: origin, ...more } });
    for (const [method, name, more] of [['GET', '/form?page=/news/harbor'], ['GET', '/health'], ['OPTIONS', '/reply', { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type' }]]) {
      const res = await ask(method, name, ELSEWHERE, more);
      assert.equal(res.status, method === 'OPTIONS' ? 204 : 200, `${method} ${name}`);
      assert.equal(res.headers['access-control-allow-origin'], ELSEWHERE, `${method} ${name}`);
      if (method === 'OPTIONS') assert.deepEqual([res.headers['access-control-allow-methods'], res.headers['access-control-allow-headers']], ['POST', 'Content-Type']);
      const stranger = await ask(method, name, 'https://evil.example', more);
      assert.equal(stranger.status, method === 'OPTIONS' ? 405 : 200);
      assert.equal(stranger.headers['access-control-allow-origin'], undefined);
    }
    const sent = await stand.ask('POST', '/comments/reply', { body: JSON.stringify(stand.it.goodReply({ page: '/news/harbor' })),
      headers: { Origin: ELSEWHERE, 'Content-Type': 'application/json', Accept: 'application/json' } });
    assert.deepEqual([sent.status, sent.headers['access-control-allow-origin']], [201, ELSEWHERE]);
    for (const name of ['/moderate/', '/moderate/health']) assert.equal((await ask('GET', name, ELSEWHERE)).headers['access-control-allow-origin'], undefined, name);
  });
  await stand.down();
  await step('also with the programs stopped', async () => {
    for (const name of [...files, ...empty]) assert.equal((await allow(name, ELSEWHERE)).headers['access-control-allow-origin'], ELSEWHERE, name);
  });
}

// Two sites of one installation, each of which knows nothing of the other.
async function twoSites(stand, step) {
  const { it, shop } = stand;
  const main = { ...stand, name: 'main' }, all = [main, { ...shop, name: 'shop' }];
  const ask = (site, target, headers) => stand.get(site.mount + target, { ...(site.host && { Host: site.host }), ...headers });
  const EMPTY = { main: 'No replies yet.', shop: 'Nobody has bought anything yet.' };
  const quiet = async () => {
    for (const site of all) {
      const res = await ask(site, '/threads/nobody/~/thread.html');
      assert.equal(res.status, 200, site.name);
      assert.ok(res.text.includes(EMPTY[site.name]), `${site.name}: ${res.text}`);
    }
  };
  const told = {};
  await step('a reply on the same page of each is published there, and there alone', async () => {
    for (const site of all) {
      const { id, receipt } = await post(site, { page: '/news/harbor', comment: `Said on the site ${site.name}, and on no other.` });
      assert.ok(receipt.startsWith(`${site.mount}/receipt/`), receipt);
      assert.equal((await ask(site, receipt.slice(site.mount.length))).status, 200);
      assert.equal((await (await moderatorAt(site)).approve(id)).status, 303);
      told[site.name] = id;
    }
    for (const site of all) assert.deepEqual(replies((await ask(site, '/threads/news/harbor/~/thread.html')).text).map(({ id }) => id), [told[site.name]], site.name);
    await quiet();
  });
  await step('also with both programs stopped', async () => {
    await stand.down();
    for (const site of all) {
      const res = await ask(site, '/threads/news/harbor/~/thread.html');
      assert.ok(res.text.includes(`reply-${told[site.name]}`), site.name);
      assert.equal((await ask(site, '/threads/news/harbor/~/thread.html', { 'If-None-Match': res.headers.etag })).status, 304, site.name);
      assert.equal((await ask(site, '/form?page=/news/harbor')).status, 503, site.name);
    }
    await quiet();
  });
  await step('the programs are told which one, and believe no header', async () => {
    await stand.spy();
    for (const site of all) {
      for (const target of ['/form?page=/a', '/receipt/x', '/threads/nobody/~/thread.html', '/moderate/']) {
        const seen = () => ask(site, target, { 'X-Forwarded-Host': 'other.example', 'Rejoinder-Site': 'other' });
        let res = await seen();
        // A server may wait a moment before it tries again.
        for (let tries = 0; tries < 60 && res.headers['content-type'] !== 'text/plain; charset=utf-8'; tries++) {
          await new Promise((resolve) => setTimeout(resolve, 250));
          res = await seen();
        }
        const { params } = JSON.parse(res.text);
        assert.equal(params.REJOINDER_SITE, site.name, target);
        assert.equal(params.REQUEST_URI, site.mount + target);
      }
    }
  });
}

// TLS is the web server's: the whole story, and what a browser does with cookies and links of such a site.
async function overTls(stand, step) {
  await story(stand, step);
  await step('cookies are Secure and this host’s alone, and no link leads back to http', async () => {
    const moderator = await moderatorAt(stand);
    const again = await moderator.signIn(EDITOR.name, EDITOR.password);
    const set = again.all('Set-Cookie').map((one) => cookieOf(one));
    assert.ok(set.length > 0);
    for (const cookie of set) {
      assert.match(cookie.name, /^__Host-rejoinder/);
      assert.deepEqual([cookie.path, 'secure' in cookie, 'httponly' in cookie, 'domain' in cookie, cookie.samesite], ['/', true, true, false, 'Lax']);
    }
    assert.match(again.header('Location'), /^\/comments\/moderate\//);
    moderator.cookies = Object.fromEntries(Object.entries(moderator.cookies).map(([name, value]) => [name.replace('__Host-', ''), value]));
    assert.equal((await moderator.get()).status, 303, 'a cookie of the other name is nobody’s');
    const feed = (await stand.get('/comments/threads/news/harbor/~/feed.xml')).text;
    assert.ok(feed.includes(`${stand.base}/comments/threads/news/harbor/~/feed.xml`), feed.slice(0, 600));
    assert.doesNotMatch(feed, /http:\/\/localhost/);
  });
}

// What each server's file says to write, so that all answers ask browsers to keep to TLS.
const HSTS = 'max-age=31536000';
const STRICT = {
  nginx: { hsts: HSTS },
  'apache-proxy-fcgi': { server: `Header always set Strict-Transport-Security "${HSTS}"` },
  lighttpd: { server: `server.modules += ( "mod_setenv" )\nsetenv.add-response-header = ( "Strict-Transport-Security" => "${HSTS}" )` },
  caddy: { server: `header Strict-Transport-Security ${HSTS}` },
};
async function strictly(stand, step) {
  const { id, receipt } = await post(stand, { page: '/news/harbor' });
  await (await moderatorAt(stand)).approve(id);
  const targets = ['/threads/news/harbor/~/thread.html', '/threads/nobody/~/thread.json', '/threads/none', '/latest.html', '/static/rejoinder.css', '/form?page=/news/harbor', '/moderate/', '/health'];
  const all = async () => {
    for (const target of [...targets, receipt.replace('/comments', '')]) {
      const res = await stand.get(`/comments${target}`);
      assert.equal(res.headers['strict-transport-security'], HSTS, `${target} ${res.status}`);
    }
  };
  await step('each answer asks browsers to keep to TLS', all);
  await stand.down();
  await step('also with both programs stopped', all);
}

// What `rejoinder snippet` prints is pasted as it is, but for the path of the shipped files.
async function pasted(stand, step) {
  await step('what the snippet prints shows the thread in its article', async () => {
    const { id } = await post(stand, { page: '/news/harbor' });
    await (await moderatorAt(stand)).approve(id);
    assert.deepEqual(replies((await stand.get('/news/harbor/')).text).map((reply) => reply.id), [id]);
  });
}

// Nobody but the door itself looks at the clock then.
const unhurried = (stand, step) => slowly({ ...stand, again: stand.up }, step);

/** [[title, options of the stand, what happens]] */
export function variants(name) {
  const apart = ['a second site on a host of its own', { second: { host: 'shop.example', mount: '/comments' } }, twoSites];
  const strict = ['on a host that is TLS’s alone', STRICT[name], strictly];
  if (['lighttpd', 'caddy'].includes(name)) return [apart, strict];
  if (!['nginx', 'apache-proxy-fcgi'].includes(name)) return [];
  const apache = name === 'apache-proxy-fcgi' ? [
    ['for all virtual hosts', { everywhere: true, server: 'AllowEncodedSlashes On' }, story],
    ['as the snippet says', { snippet: 'apache' }, pasted],
    ['without mod_reqtimeout', { without: ['reqtimeout'] }, unhurried],
  ] : [];
  return [
    ['mounted at the root', { mount: '' }, story],
    ['mounted deeper', { mount: '/deep/er' }, story],
    ['read from another origin', { embed: ELSEWHERE, site: { origins: [ELSEWHERE] } }, embedded],
    ['over TLS', { secure: true }, overTls],
    apart, strict,
    ['a second site on the same host', { second: { mount: '/replies' } }, twoSites],
    ...apache,
  ];
}
