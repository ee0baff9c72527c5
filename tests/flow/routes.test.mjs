// Every address of the moderators' door, read from its table: whoever adds one has these rules tested with it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Moderator, QUEUE, cookieOf, fieldOf, fieldsOf, forms, signedIn } from '../lib/browserless.mjs';
import { BASE, ROOT, makeInstance, tellSeed } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
const source = fs.readFileSync(path.join(ROOT, 'cgi-bin/moderator.c'), 'utf8');
const routes = [...source.matchAll(/\{"([A-Z]+)", "(\/moderate\/[^"]*)", (\w+), ([^}]*)\}/g)]
  .map(([, method, at, handler, flags]) => ({ method, at: `/comments${at.replace('*', '1')}`, handler, flags: flags.split('|').map((flag) => flag.trim()) }));
const posts = routes.filter(({ method }) => method === 'POST');
const tokened = posts.filter(({ handler }) => handler !== 'moderator_sign_in');

let it, moderator, other, token, foreignToken, replyId;
const tokenOf = async (who) => fieldOf(forms((await who.get(`${QUEUE}settings`)).text).find((form) => form.action.endsWith('/sign-out')), 'token').value;

before(async () => {
  tellSeed();
  it = await makeInstance({ doors: [] });
  for (const name of ['editor', 'second']) it.addModerator(name, PASSWORD);
  await it.start('reader');
  await it.start('moderator');
  moderator = await signedIn(it);
  other = await signedIn(it, 'second', PASSWORD);
  token = await tokenOf(moderator);
  foreignToken = await tokenOf(other);
  replyId = (await it.post()).id;
});
after(() => it?.tidy());

// What each of the POSTs would understand, all at once: fields that a route does not know are ignored.
function everything() {
  const [{ revision }] = it.sql(`SELECT revision FROM reply WHERE id = ${replyId}`);
  return [['reply', `${replyId}:${revision}`], ['state', 'published'], ['session', 'A'.repeat(64)], ['name', 'editor'], ['password', PASSWORD],
    ['new_password', 'yurts travel lightly'], ['again', 'yurts travel lightly'], ['comment', 'An answer'], ['page', '/world/astana-summit'],
    ['revision', String(revision)], ['id', replyId], ['closed', '1'], ['title', 'Another title']];
}

test('the table was read, and each POST asks for Origin and token', () => {
  assert.ok(routes.length >= 10 && routes.length === (source.match(/^ {4}\{"/gm) ?? []).length, `${routes.length} rows`);
  for (const { at, flags, handler } of posts) {
    assert.ok(flags.includes('MODERATOR_ORIGIN'), `${at}: MODERATOR_ORIGIN`);
    if (handler !== 'moderator_sign_in') assert.ok(flags.includes('MODERATOR_TOKEN') && !flags.includes('MODERATOR_PUBLIC'), `${at}: MODERATOR_TOKEN`);
  }
  const open = routes.filter(({ flags }) => flags.includes('MODERATOR_PUBLIC')).map(({ method, at }) => `${method} ${at}`);
  assert.deepEqual(open.sort(), ['GET /comments/moderate/health', 'GET /comments/moderate/sign-in', 'POST /comments/moderate/sign-in'],
    'what works without a session: think twice before you add one');
});

test('a POST without the session’s token is 403 and changes nothing', async () => {
  for (const { at } of tokened) {
    const before = it.dump();
    for (const [what, fields, query] of [['none', [], ''], ['empty', [['token', '']], ''], ['another session’s', [['token', foreignToken]], ''],
      ['bent', [['token', `${token.slice(0, -1)}${token.endsWith('A') ? 'E' : 'A'}`]], ''], ['longer', [['token', `${token}A`]], ''],
      ['in the query', [], `?token=${token}`], ['twice', [['token', token], ['token', token]], ''], ['twice, one wrong', [['token', 'x'], ['token', token]], ''],
      ['in another case', [['TOKEN', token]], ''], ['as a list', [['token[]', token]], '']]) {
      const answer = await moderator.submit(`${at}${query}`, [...everything(), ...fields]);
      assert.equal(answer.status, 403, `${at}, ${what}`);
    }
    // Who does not say where the form stood is given none that only waits for a click.
    const blind = await moderator.ask({ method: 'POST', uri: at, form: everything() });
    assert.equal(blind.status, 403, at);
    assert.ok(!blind.text.includes(token), `${at}: the token goes to who sent from nowhere`);
    assert.equal(it.dump(), before, at);
  }
});

test('a POST that another site sent is 403 and changes nothing, token or not', async () => {
  for (const { at } of posts) {
    const before = it.dump();
    for (const headers of [{ Origin: 'https://evil.example' }, { Origin: 'null' }, { Origin: 'http://localhost' }, { Origin: `${BASE}0` },
      { Origin: BASE.replace('http', 'https') }, { Origin: `${BASE}.evil.example` }, { Origin: `http://evil.example/${BASE}` },
      { Origin: BASE, 'Sec-Fetch-Site': 'cross-site' }, { Origin: '', 'Sec-Fetch-Site': 'cross-site' }, { Origin: '', 'Sec-Fetch-Site': 'same-site' }]) {
      const answer = await moderator.submit(at, [...everything(), ['token', token]], headers);
      assert.equal(answer.status, 403, `${at} ${JSON.stringify(headers)}`);
      assert.deepEqual(answer.all('Set-Cookie'), [], at);
    }
    assert.equal(it.dump(), before, at);
  }
});

test('without a session a POST is 403, a GET leads to the sign-in, and neither changes anything', async () => {
  const before = it.dump();
  for (const { method, at, flags } of routes.filter((route) => !route.flags.includes('MODERATOR_PUBLIC'))) {
    for (const cookie of [undefined, `rejoinder=${'A'.repeat(43)}`, 'rejoinder=', `rejoinder=${Object.values(moderator.cookies)[0]}; rejoinder=x`]) {
      const headers = { Origin: BASE, ...(cookie === undefined ? {} : { Cookie: cookie }) };
      const answer = await it.moderator({ method, uri: at, headers, ...(method === 'POST' ? { form: [...everything(), ['token', token]] } : {}) });
      assert.equal(answer.status, method === 'POST' ? 403 : 303, `${method} ${at} ${flags}: ${answer.status}`);
      if (method !== 'POST') assert.match(answer.header('Location'), /^\/comments\/moderate\/sign-in(\?|$)/);
      assert.deepEqual(answer.all('Set-Cookie'), []);
    }
  }
  assert.equal(it.dump(), before);
});

test('GET, HEAD, OPTIONS and strange methods change nothing on any address', async () => {
  const query = new URLSearchParams([...everything(), ['token', token]]).toString();
  const before = it.dump();
  for (const at of new Set(routes.map((route) => route.at))) {
    const allowed = new Set(routes.filter((route) => route.at === at).flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])));
    for (const uri of [at, `${at}?${query}`]) {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'PATCH', 'BREW', 'get']) {
        const answer = await moderator.ask({ method, uri, headers: { Origin: BASE } });
        if (!allowed.has(method)) {
          assert.equal(answer.status, 405, `${method} ${uri}`);
          assert.deepEqual(new Set(answer.header('Allow').split(/, */)), allowed, `${method} ${uri}`);
        } else assert.ok(answer.status < 500, `${method} ${uri}: ${answer.status}`);
        if (method === 'HEAD') assert.equal(answer.body.length, 0, `HEAD ${uri}`);
      }
    }
  }
  assert.equal(it.dump(), before);
});

test('what stands in the query of a POST is not merged into its fields', async () => {
  // What needs no field does its work in any case.
  const BARE = ['end-all', 'pause', 'resume'];
  for (const { at, flags } of tokened) {
    if (flags.includes('MODERATOR_SECRET') || BARE.some((end) => at.endsWith(`/${end}`))) continue;
    const before = it.dump();
    const answer = await moderator.submit(`${at}?${new URLSearchParams(everything())}`, [['token', token]]);
    assert.ok(answer.status >= 400 && answer.status < 500, `${at}: ${answer.status}`);
    assert.equal(it.dump(), before, at);
  }
});

test('a field that is sent twice is refused, one that is not known is ignored', async () => {
  const decide = [['token', token], ['reply', everything()[0][1]], ['state', 'published']];
  const before = it.dump();
  assert.equal((await moderator.submit(`${QUEUE}decide`, [...decide, ['state', 'spam']])).status, 400);
  assert.equal((await moderator.submit(`${QUEUE}settings/password`, [['token', token], ['password', PASSWORD], ['password', 'x'],
    ['new_password', 'yurts travel lightly'], ['again', 'yurts travel lightly']])).status, 400);
  assert.equal((await new Moderator(it).submit(`${QUEUE}sign-in`, [['name', 'editor'], ['name', 'second'], ['password', PASSWORD]])).status, 400);
  assert.equal(it.dump(), before);
  const answer = await moderator.submit(`${QUEUE}decide`, [...decide, ['approved', '1'], ['id', '7'], ['revision', '9'], ['moderator', 'root']]);
  assert.equal(answer.status, 303);
  assert.equal(it.sql(`SELECT moderator FROM decision WHERE reply_id = ${replyId} ORDER BY id DESC LIMIT 1`)[0].moderator, 'editor');
});

test('every page says that nobody may frame, keep, or index it', async () => {
  for (const { method, at } of routes) {
    if (at.endsWith('/health')) continue;
    for (const who of [moderator, new Moderator(it)]) {
      const answer = method === 'POST' ? await who.submit(at, [['token', 'x']]) : await who.get(at);
      assert.match(answer.header('Cache-Control'), /no-store/, at);
      assert.equal(answer.header('X-Content-Type-Options'), 'nosniff', at);
      if (!(answer.header('Content-Type') ?? '').startsWith('text/html')) continue;
      const policy = answer.header('Content-Security-Policy');
      for (const part of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]) assert.ok(policy.includes(part), `${at}: ${policy}`);
      assert.equal(answer.header('Cross-Origin-Opener-Policy'), 'same-origin', at);
      assert.match(answer.text, /<meta name="robots" content="noindex">/, at);
    }
  }
});

test('where a sign-in goes on to is one of our pages, whatever is asked for', async () => {
  const evil = ['//evil.example', '/\\evil.example', '\t//evil.example', ' //evil.example', 'https:evil.example', 'https://evil.example/', 'javascript:alert(1)',
    'JaVaScRiPt:alert(1)', 'data:text/html,x', '%0d%0aSet-Cookie: a=b', '/comments/moderate/%0d%0aX: y', '/comments/moderate/\r\nX: y', '@evil.example',
    'http://localhost:8080@evil.example/', '/comments/moderate/../../evil', '/comments/moderate/%2e%2e/x', '/comments/moderate//evil.example', '//localhost:8080/comments/moderate/',
    '///evil.example', '/\t/evil.example', '/comments/moderate\\@evil', '\\\\evil.example', '?next=//evil', '#//evil', '', '/', '/comments/reply', 'http:/\\evil.example',
    '/comments/moderate/\u2028', '/comments/moderate/\u0000', 'file:///etc/passwd', 'view-source:x', '.', '/.//evil.example'];
  for (const next of evil) {
    const who = new Moderator(it);
    const page = await who.get(`${QUEUE}sign-in?next=${encodeURIComponent(next)}`);
    const form = forms(page.text).find((one) => fieldOf(one, 'password'));
    const kept = fieldOf(form, 'next').value;
    assert.ok(kept === '' || /^\/comments\/moderate\/[!-~]*$/.test(kept), `${JSON.stringify(next)}: ${kept}`);
    const answer = await who.submit(form.action, [['name', 'editor'], ['password', PASSWORD], ['next', next]]);
    if (answer.status === 400) continue; // what is no text is no field
    assert.equal(answer.status, 303, JSON.stringify(next));
    const to = new URL(answer.header('Location'), BASE);
    assert.equal(to.origin, BASE, JSON.stringify(next));
    assert.ok(to.pathname.startsWith('/comments/moderate/'), `${JSON.stringify(next)}: ${to}`);
    assert.equal(answer.all('X').length, 0);
  }
  const who = new Moderator(it);
  const asked = await who.get(`${QUEUE}?state=spam`);
  const form = forms((await who.get(asked.header('Location'))).text).find((one) => fieldOf(one, 'password'));
  const answer = await who.submit(form.action, [...fieldsOf(form).filter(([name]) => name === 'next'), ['name', 'editor'], ['password', PASSWORD]]);
  assert.equal(answer.header('Location').replace(BASE, ''), `${QUEUE}?state=spam`, 'and a page of ours is where one goes');
  assert.equal(cookieOf(answer.all('Set-Cookie')[0]).samesite, 'Lax');
});
