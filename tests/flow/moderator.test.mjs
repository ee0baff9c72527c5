// The moderators' door: who gets in, what the queue shows, what a decision does and does not.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Moderator, QUEUE, cookieOf, decode, elements, fieldOf, fieldsOf, forms, replies, signedIn, textOf } from '../lib/browserless.mjs';
import { BASE, freshAddress, makeInstance, sleep, tellSeed } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
let it, moderator;

before(async () => {
  tellSeed();
  it = await makeInstance({ site: { listed_words: ['casino'] }, doors: [] });
  for (const name of ['editor', 'second', 'gone']) it.addModerator(name, PASSWORD);
  await it.start('reader');
  await it.start('moderator');
  moderator = await signedIn(it);
});
after(() => it?.tidy());

const row = (id) => it.sql(`SELECT state, revision, page_number, published_at FROM reply WHERE id = ${id}`)[0];
const queue = async (state = 'held', who = moderator) => (await who.get(`${QUEUE}?state=${state}`)).text;
const listed = async (id, state = 'held') => replies(await queue(state)).find((one) => one.id === String(id));

describe('signing in', () => {
  test('the page has a form with name and password', async () => {
    const answer = await new Moderator(it).get(`${QUEUE}sign-in`);
    assert.equal(answer.status, 200);
    const form = forms(answer.text).find((one) => fieldOf(one, 'password'));
    assert.equal(form.method, 'post');
    assert.equal(fieldOf(form, 'password').type, 'password');
    assert.equal(fieldOf(form, 'password').attributes.autocomplete, 'current-password');
    assert.deepEqual(answer.all('Set-Cookie'), [], 'no session before somebody signs in');
    assert.match(answer.header('Cache-Control'), /no-store/);
    assert.match(answer.header('Content-Security-Policy'), /frame-ancestors 'none'/);
  });

  test('a wrong password and an unknown name get the same 403 with the form', async () => {
    const shapes = [];
    for (const [name, password] of [['editor', 'wrong password'], ['nobody', 'wrong password'], ['editor', ''], ['', '']]) {
      const who = new Moderator(it);
      const answer = await who.signIn(name, password);
      assert.equal(answer.status, 403);
      assert.deepEqual(answer.all('Set-Cookie'), []);
      const form = forms(answer.text).find((one) => fieldOf(one, 'password'));
      assert.ok(form, 'the form again');
      assert.equal(fieldOf(form, 'password').value, '', 'a password is never sent back');
      if (password !== '') {
        shapes.push([answer.headers.map(([field, value]) => `${field}: ${value}`).filter((line) => !line.startsWith('Content-Length')),
          answer.text.replaceAll(`"${name}"`, '"NAME"')]);
      }
    }
    assert.deepEqual(shapes[0], shapes[1]);
  });

  test('the right one gets 303 and cookies that scripts and other sites cannot use', async () => {
    const who = new Moderator(it);
    const answer = await who.signIn('editor', PASSWORD);
    assert.equal(answer.status, 303);
    assert.match(answer.header('Location'), /^(http:\/\/localhost:8080)?\/comments\/moderate\//);
    const [header, browser, ...more] = answer.all('Set-Cookie');
    assert.deepEqual(more, []);
    assert.match(browser, /^rejoinder-browser=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=15552000$/);
    assert.match(header, /^rejoinder=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
    const cookie = cookieOf(header);
    assert.ok('httponly' in cookie);
    assert.equal(cookie.samesite, 'Lax');
    assert.equal(cookie.domain, undefined);
    assert.ok(!('secure' in cookie) && !cookie.name.startsWith('__'), 'base is http');
    assert.ok(cookie.value.length >= 43, '256 bits');
    assert.equal((await who.get()).status, 200);
    const [{ n }] = it.sql(`SELECT count(*) AS n FROM session WHERE hex(hash) LIKE '%' || hex('${cookie.value}') || '%'`, it.moderators);
    assert.equal(n, 0, 'the store holds a hash');
  });

  test('where the base is https the cookie is __Host- and Secure, and only that name counts', async () => {
    const other = await makeInstance();
    try {
      other.configure({ site: { base: 'https://news.example' } });
      other.addModerator('editor', PASSWORD);
      await other.start('moderator');
      const who = new Moderator(other, { origin: 'https://news.example' });
      const answer = await who.signIn('editor', PASSWORD);
      assert.equal(answer.status, 303);
      const cookie = cookieOf(answer.all('Set-Cookie')[0]);
      assert.match(cookie.name, /^__Host-/);
      assert.ok('secure' in cookie && 'httponly' in cookie);
      assert.equal(cookie.path, '/');
      assert.equal((await who.get()).status, 200);
      who.cookies = { [cookie.name.slice(7)]: cookie.value };
      assert.notEqual((await who.get()).status, 200, 'the name without prefix');
    } finally {
      await other.tidy();
    }
  });

  test('a session that somebody planted is not adopted', async () => {
    const who = new Moderator(it);
    const name = Object.keys(moderator.cookies)[0];
    who.cookies = { [name]: 'A'.repeat(43) };
    await who.signIn('editor', PASSWORD);
    assert.notEqual(who.cookies[name], 'A'.repeat(43));
  });

  test('signing in again gives another session and ends the one before', async () => {
    const who = await signedIn(it);
    const old = { ...who.cookies };
    await who.signIn('editor', PASSWORD);
    assert.notDeepEqual(who.cookies, old);
    who.cookies = old;
    assert.notEqual((await who.get()).status, 200, 'the id changes at sign-in, the old one is dead');
  });

  test('signing out kills the session, also for a copy of the cookie', async () => {
    const who = await signedIn(it);
    const copy = { ...who.cookies };
    const form = forms(await queue('held', who)).find((one) => one.action.endsWith('/sign-out'));
    assert.ok(form, 'a way out on the queue');
    const answer = await who.submit(form.action, fieldsOf(form));
    assert.equal(answer.status, 303);
    who.cookies = copy;
    const again = await who.get();
    assert.equal(again.status, 303);
    assert.match(again.header('Location'), /sign-in/);
  });

  test('a session outlives a restart, a disabled account has none', async () => {
    const who = await signedIn(it, 'gone', PASSWORD);
    await it.restart('moderator');
    assert.equal((await who.get()).status, 200);
    it.mustCli(['moderator', 'disable', 'gone']);
    assert.notEqual((await who.get()).status, 200);
    assert.equal((await new Moderator(it).signIn('gone', PASSWORD)).status, 403);
  });

  test('a new password ends the sessions of the old one', async () => {
    it.addModerator('changing', PASSWORD);
    const who = await signedIn(it, 'changing', PASSWORD);
    it.mustCli(['moderator', 'password', 'changing'], { input: 'quite another password\n' });
    assert.notEqual((await who.get()).status, 200);
    assert.equal((await new Moderator(it).signIn('changing', PASSWORD)).status, 403);
    assert.equal((await new Moderator(it).signIn('changing', 'quite another password')).status, 303);
  });

  test('ten wrong passwords from one network are enough: 429', async () => {
    const address = freshAddress();
    const statuses = [];
    let last;
    for (let i = 0; i < 12; i++) {
      last = await new Moderator(it, { address }).signIn('second', `wrong ${i}`);
      statuses.push(last.status);
    }
    assert.deepEqual(statuses.slice(0, 10), Array(10).fill(403));
    assert.deepEqual(statuses.slice(10), [429, 429]);
    assert.match(last.header('Retry-After') ?? '', /^[1-9]\d*$/);
    assert.equal((await new Moderator(it, { address }).signIn('second', PASSWORD)).status, 429, 'the right one, too, from there');
    assert.equal((await new Moderator(it).signIn('second', PASSWORD)).status, 303, 'but from elsewhere it works');
  });

  test('thirty wrong ones for a name from anywhere: 429, known name or not', async () => {
    for (const name of ['throttled', 'nobody at all']) {
      if (name === 'throttled') it.addModerator(name, PASSWORD);
      const statuses = [];
      for (let i = 0; i < 32; i++) statuses.push((await new Moderator(it).signIn(name, 'wrong')).status);
      assert.deepEqual(statuses.slice(0, 30), Array(30).fill(403), name);
      assert.deepEqual(statuses.slice(30), [429, 429], name);
    }
  });
});

describe('who may do what', () => {
  const pages = ['', '?state=held', '?state=published', '?state=spam', '?state=trash'];

  test('without a session every page leads to the sign-in', async () => {
    for (const page of pages) {
      const answer = await new Moderator(it).get(`${QUEUE}${page}`);
      assert.equal(answer.status, 303, page);
      assert.match(answer.header('Location'), /\/comments\/moderate\/sign-in/);
    }
  });

  test('health answers anybody, and writes nothing', async () => {
    const before = it.dump();
    for (const [door, uri] of [['reader', '/comments/health'], ['moderator', `${QUEUE}health`]]) {
      const answer = await it.ask(door, { uri });
      assert.equal(answer.status, 200);
      assert.equal(answer.text.trim(), 'ok');
    }
    assert.equal(it.dump(), before);
  });

  // Every POST of the door, with what would be right: [address, fields].
  async function posts(who) {
    const { id } = await it.post();
    const { form, reply } = await who.decisionForm(id);
    const out = forms(await queue('held', who)).find((one) => one.action.endsWith('/sign-out'));
    return [[form.action, [...Moderator.rest(form), ['reply', reply], ['state', 'published']]], [out.action, fieldsOf(out)]];
  }
  const isToken = ([name]) => name === 'token';
  const token = (fields, text) => fields.map(([name, value]) => [name, name === 'token' ? text(value) : value]);

  test('a POST without, with a foreign, or with a bent token is 403 and changes nothing', async () => {
    const who = await signedIn(it), other = await signedIn(it, 'second', PASSWORD);
    const foreign = Object.fromEntries((await posts(other)).map(([action, fields]) => [action, fields.find(isToken)?.[1]]));
    for (const [action, fields] of await posts(who)) {
      assert.ok(fields.some(isToken), `${action} has a token`);
      const before = it.dump();
      const wrong = { none: fields.filter((field) => !isToken(field)), empty: token(fields, () => ''),
        foreign: token(fields, () => foreign[action]), bent: token(fields, (value) => `${value.slice(0, -2)}${value.endsWith('AA') ? 'BB' : 'AA'}`),
        longer: token(fields, (value) => `${value}A`), twice: [...fields, ...fields.filter(isToken)] };
      for (const [name, sent] of Object.entries(wrong)) {
        const answer = await who.submit(action, sent);
        assert.ok(name === 'twice' ? [400, 403].includes(answer.status) : answer.status === 403, `${action}, ${name}: ${answer.status}`);
        assert.equal(it.dump(), before, `${action}, ${name}`);
      }
      const query = new URLSearchParams(fields.filter(isToken)).toString();
      assert.equal((await who.submit(`${action}?${query}`, wrong.none)).status, 403, `${action}: a token in the query`);
      assert.equal(it.dump(), before);
    }
  });

  test('a POST from another Origin or across sites is 403 and changes nothing', async () => {
    const who = await signedIn(it);
    const all = [...await posts(who), [`${QUEUE}sign-in`, [['name', 'editor'], ['password', PASSWORD]]]];
    const foreign = [{ Origin: 'https://evil.example' }, { Origin: 'null' }, { Origin: `${BASE}.evil.example` }, { Origin: 'http://localhost' },
      { Origin: 'https://localhost:8080' }, { Origin: 'http://localhost:80800' }, { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site', Origin: 'http://sub.localhost:8080' }];
    for (const [action, fields] of all) {
      const before = it.dump();
      for (const headers of foreign) {
        const answer = await who.submit(action, fields, headers);
        assert.equal(answer.status, 403, `${action} ${JSON.stringify(headers)}`);
        assert.equal(it.dump(), before, `${action} ${JSON.stringify(headers)}`);
      }
    }
    const [[action, fields]] = all;
    assert.equal((await who.submit(action, fields)).status, 303, 'and from our own it works');
  });

  test('an Origin that the site names is let in', async () => {
    it.configure({ site: { origins: ['http://127.0.0.1:8080'] } });
    await it.restart('moderator');
    const who = await signedIn(it, 'editor', PASSWORD, { origin: 'http://127.0.0.1:8080' });
    const { id } = await it.post();
    assert.equal((await who.approve(id)).status, 303);
  });

  test('a POST without a session is 303 or 403 and changes nothing', async () => {
    for (const [action, fields] of await posts(moderator)) {
      const before = it.dump();
      const answer = await new Moderator(it).submit(action, fields);
      assert.ok([303, 403].includes(answer.status), String(answer.status));
      if (answer.status === 303) assert.match(answer.header('Location'), /sign-in/);
      assert.equal(it.dump(), before);
    }
  });

  test('GET, HEAD, OPTIONS and strange methods leave both databases equal on every route', async () => {
    const { id, receipt } = await it.post();
    const token = Moderator.rest((await moderator.decisionForm(id)).form);
    const query = new URLSearchParams([...token, ['reply', `${id}:1`], ['state', 'published']]).toString();
    const routes = [['moderator', ['', '?state=held', '?state=published', '?state=nonsense', '?state=held&before=1', '?state=held&before=x',
      'sign-in', 'sign-out', `decide?${query}`, 'health', 'nowhere'].map((rest) => `${QUEUE}${rest}`)],
    ['reader', ['/comments/reply', `/comments/reply?${new URLSearchParams(it.goodReply())}`, '/comments/form?page=/world/x', '/comments/form',
      '/comments/health', receipt, '/comments/threads/world/x/~/thread.html', '/comments/threads/never/seen/~/thread.json',
      '/comments/nowhere', '/', '/comments', '/comments/threads/~/feed.xml']]];
    const before = it.dump();
    for (const [door, uris] of routes) {
      for (const uri of uris) {
        for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']) {
          const answer = door === 'reader' ? await it.reader({ method, uri }) : await moderator.ask({ method, uri });
          assert.ok(answer.status < 500, `${method} ${uri}: ${answer.status}`);
          if (method === 'HEAD') assert.equal(answer.body.length, 0, `HEAD ${uri} has a body`);
          if (['TRACE', 'PUT', 'DELETE'].includes(method)) assert.ok([405, 404, 303, 403].includes(answer.status), `${method} ${uri}: ${answer.status}`);
        }
      }
    }
    assert.equal(it.dump(), before);
  });

  test('where to return to stays on our own pages', async () => {
    for (const evil of ['//evil.example', '/\\evil.example', 'https:evil.example', 'https://evil.example/', 'javascript:alert(1)', '/%0d%0aX: y', '\t//evil.example']) {
      const who = new Moderator(it);
      for (const name of ['return', 'next', 'to', 'back']) {
        const answer = await who.submit(`${QUEUE}sign-in?${new URLSearchParams({ [name]: evil })}`, [['name', 'editor'], ['password', PASSWORD], [name, evil]]);
        if (answer.status === 303) assert.match(new URL(answer.header('Location'), BASE).href, /^http:\/\/localhost:8080\/comments\/moderate\//, evil);
      }
    }
  });
});

describe('the queue', () => {
  test('shows name, words, opened address, website, network and reasons', async () => {
    const address = '203.0.113.77';
    const { id } = await it.post({ name: 'Dina <b>Bold</b>', email: 'dina@example.org', website: 'https://dina.example/',
      comment: 'Words & <i>more</i> words', page: '/world/queue-shows' }, { address });
    const one = await listed(id);
    assert.ok(one, 'it is listed');
    for (const text of ['Dina <b>Bold</b>', 'dina@example.org', 'https://dina.example/', '203.0.113']) {
      assert.ok(one.text.includes(text), `${text} is missing in: ${one.text}`);
    }
    assert.match(one.text, /Words & <i>more<\/i> words/);
    assert.doesNotMatch(one.html, /<b>Bold<\/b>|<i>more<\/i>/, 'escaped');
    const heading = elements(one.html, (tag) => /^h[2-4]$/.test(tag.name))[0];
    assert.match(textOf(heading.inner), /Dina/);
    assert.match(textOf(heading.inner), /queue-shows/);
    assert.ok(it.sql(`SELECT email_sealed AS e FROM reply WHERE id = ${id}`)[0].e !== null, 'sealed in the store');
  });

  test('each reason has its sentence', async () => {
    const cases = [[{ comment: 'see http://a.example and http://b.example and https://c.example' }, /link/i],
      [{ email: 'never-before@example.org' }, /first/i],
      [{ comment: 'The best casino of the steppe' }, /casino/i],
      [{ phone: '555 1234' }, /field|hidden|robot|people/i]];
    for (const [fields, sentence] of cases) {
      const { id } = await it.post(fields);
      const { reasons } = it.sql(`SELECT reasons FROM reply WHERE id = ${id}`)[0];
      assert.notEqual(reasons, '', JSON.stringify(fields));
      const { text } = await listed(id);
      assert.match(text, sentence, `reasons «${reasons}» in: ${text}`);
    }
  });

  test('a form sent at once is noted as quick', async () => {
    const page = await it.reader({ uri: '/comments/form?page=/world/astana-summit' });
    const form = forms(page.text).find((one) => fieldOf(one, 'comment'));
    const good = it.goodReply();
    const fields = fieldsOf(form).map(([name, value]) => [name, name !== 'key' && good[name] !== undefined ? good[name] : value]);
    const answer = await it.reader({ uri: '/comments/reply', form: fields });
    assert.equal(answer.status, 303);
    const { id, reasons } = it.sql('SELECT id, reasons FROM reply ORDER BY id DESC LIMIT 1')[0];
    assert.notEqual(reasons.replace(/\bfirst\b/, '').trim(), '', `quick is missing in «${reasons}»`);
    assert.match((await listed(id)).text, /second|quick|fast/i);
  });

  test('an author with a published reply is no first one', async () => {
    const email = 'regular@example.org';
    const { id } = await it.post({ email });
    assert.match((await listed(id)).text, /first/i);
    await moderator.approve(id);
    const next = await it.post({ email: 'Regular@EXAMPLE.org' });
    assert.doesNotMatch((await listed(next.id)).text, /first/i, 'the domain in other case is the same author');
  });

  test('a sealed value that does not open is told, and breaks nothing', async () => {
    const { id } = await it.post();
    it.sql(`UPDATE reply SET email_sealed = randomblob(137), network_sealed = NULL WHERE id = ${id}`);
    const answer = await moderator.get();
    assert.equal(answer.status, 200);
    assert.ok(replies(answer.text).some((one) => one.id === id));
  });

  test('approve, unapprove, spam, trash and restore, one after the other', async () => {
    const { id } = await it.post({ page: '/world/one-by-one' });
    let revision = 1, from = 'held';
    for (const to of ['published', 'held', 'spam', 'held', 'trash', 'held', 'published', 'trash', 'published', 'spam']) {
      const answer = await moderator.decide(id, to, from);
      assert.equal(answer.status, 303, `${from} to ${to}: ${textOf(answer.text)}`);
      const now = row(id);
      assert.deepEqual([now.state, now.revision], [to, ++revision]);
      const [decision] = it.sql(`SELECT from_state, to_state, moderator, revision FROM decision WHERE reply_id = ${id} ORDER BY id DESC LIMIT 1`);
      assert.deepEqual(decision, { from_state: from, to_state: to, moderator: 'editor', revision });
      assert.ok(await listed(id, to), `listed in ${to}`);
      assert.equal(await listed(id, from), undefined, `no more in ${from}`);
      from = to;
    }
  });

  test('a decision returns to the queue, says so in role=status, and can be undone', async () => {
    const { id } = await it.post();
    const answer = await moderator.approve(id);
    const back = await moderator.get(answer.header('Location').replace(BASE, '').replace(/#.*/, ''));
    assert.equal(back.status, 200);
    const status = elements(back.text, (tag) => tag.attributes.role === 'status')[0];
    assert.match(textOf(status.inner), /approved/i);
    const undo = forms(back.text).find((form) => form.controls.some((c) => c.name === 'reply' && c.value === `${id}:2`) && form.controls.some((c) => c.name === 'state'));
    assert.ok(undo, 'an Undo that decides about this reply');
  });

  test('a selection is decided at once', async () => {
    const ids = [];
    for (let i = 0; i < 5; i++) ids.push((await it.post({ page: '/world/selection' })).id);
    assert.equal((await moderator.decide(ids.slice(0, 3), 'published')).status, 303);
    assert.deepEqual(ids.map((id) => row(id).state), ['published', 'published', 'published', 'held', 'held']);
    assert.equal((await moderator.decide(ids.slice(3), 'spam')).status, 303);
    assert.deepEqual(ids.map((id) => row(id).state), ['published', 'published', 'published', 'spam', 'spam']);
  });

  test('an old revision is 409, tells who did what, and changes nothing', async () => {
    const second = await signedIn(it, 'second', PASSWORD);
    const { id } = await it.post();
    const { form, reply } = await moderator.decisionForm(id);
    assert.equal((await second.decide(id, 'spam')).status, 303);
    const before = it.dump();
    const answer = await moderator.submit(form.action, [...Moderator.rest(form), ['reply', reply], ['state', 'published']]);
    assert.equal(answer.status, 409);
    assert.match(textOf(answer.text), /second/, 'who');
    assert.match(textOf(answer.text), /spam/i, 'what');
    assert.equal(it.dump(), before);
  });

  test('in a selection only the outdated ones stay, and are told', async () => {
    const second = await signedIn(it, 'second', PASSWORD);
    const { id: stale } = await it.post(), { id: current } = await it.post();
    const a = await moderator.decisionForm(stale), b = await moderator.decisionForm(current);
    await second.decide(stale, 'trash');
    const answer = await moderator.submit(a.form.action, [...Moderator.rest(a.form), ['reply', a.reply], ['reply', b.reply], ['state', 'published']]);
    assert.equal(answer.status, 409);
    assert.equal(row(stale).state, 'trash');
    assert.equal(row(stale).revision, 2);
    assert.match(textOf(answer.text), /second/);
    assert.ok(['held', 'published'].includes(row(current).state));
  });

  test('a reply that is named twice is decided about once', async () => {
    const { id } = await it.post(), { id: other } = await it.post();
    const { form, reply } = await moderator.decisionForm(id), { reply: second } = await moderator.decisionForm(other);
    const answer = await moderator.submit(form.action, [...Moderator.rest(form), ['reply', reply], ['reply', second], ['reply', reply], ['state', 'spam']]);
    assert.equal(answer.status, 303);
    assert.deepEqual([row(id).state, row(other).state], ['spam', 'spam']);
    assert.match(textOf((await moderator.get(answer.header('Location').split('#')[0])).text), /2 replies marked as spam/);
  });

  test('nonsense in a decision changes nothing', async () => {
    const { id } = await it.post();
    const { form, reply } = await moderator.decisionForm(id);
    const rest = Moderator.rest(form), before = it.dump();
    const cases = [[['reply', reply], ['state', 'withdrawn']], [['reply', reply], ['state', 'erased']], [['reply', reply], ['state', '']],
      [['reply', reply]], [['state', 'published']], [['reply', id], ['state', 'published']], [['reply', `${id}:`], ['state', 'published']],
      [['reply', `${id}:99`], ['state', 'published']], [['reply', `${id}:-1`], ['state', 'published']], [['reply', '999999:1'], ['state', 'published']],
      [['reply', `${id}:1 OR 1=1`], ['state', 'published']], [['reply', 'x'], ['state', 'published']], [['reply', reply], ['state', 'published'], ['state', 'spam']]];
    for (const fields of cases) {
      const answer = await moderator.submit(form.action, [...rest, ...fields]);
      assert.ok(answer.status >= 400 && answer.status < 500, `${JSON.stringify(fields)}: ${answer.status}`);
      assert.equal(it.dump(), before, JSON.stringify(fields));
    }
    const json = await moderator.ask({ uri: form.action, method: 'POST', body: '{}', headers: { Origin: BASE, 'Content-Type': 'text/plain' } });
    assert.ok([403, 415].includes(json.status), String(json.status));
  });

  test('the lines around a reply are plain words, cut at no link, and say when there is more', async () => {
    const above = await it.post({ page: '/world/lines', comment: `${'a word '.repeat(24)}[two widths of track](https://example.org/${'x'.repeat(300)}) **met** here.` });
    await moderator.approve(above.id);
    const { id } = await it.post({ page: '/world/lines', parent: above.id, comment: `It *is* so.\n\n${'é世'.repeat(300)}` });
    const { text } = await moderator.get(`${QUEUE}reply/${id}`);
    const [first, own] = elements(text, (tag) => tag.attributes.class === 'opening').map(({ inner }) => textOf(inner));
    assert.match(first, /a word two widths of track met here\.$/);
    assert.match(own, /^It is so\. [é世]+…$/);
  });

  test('the tabs count what they hold', async () => {
    await it.post();
    const page = await queue();
    const counts = Object.fromEntries(it.sql('SELECT state, count(*) AS n FROM reply GROUP BY state').map(({ state, n }) => [state, n]));
    for (const state of ['held', 'published', 'spam', 'trash']) {
      const tab = elements(page, (tag) => tag.name === 'a' && decode(tag.attributes.href ?? '').endsWith(`?state=${state}`))[0];
      assert.ok(tab, `a tab for ${state}`);
      assert.match(textOf(tab.inner), new RegExp(`\\b${counts[state] ?? 0}\\b`), `${state}: ${textOf(tab.inner)}`);
    }
  });

  test('fifty a page, newest first, and the next page goes on', async () => {
    const other = await makeInstance({ doors: ['reader'] });
    try {
      other.addModerator('editor', PASSWORD);
      await other.start('moderator');
      const who = await signedIn(other);
      const ids = [];
      for (let i = 0; i < 120; i++) ids.push(Number((await other.post()).id));
      const pages = [];
      for (let uri = `${QUEUE}?state=held`; uri && pages.length < 5;) {
        const { text } = await who.get(uri);
        pages.push(replies(text).map(({ id }) => Number(id)));
        const link = tagsWithBefore(text);
        uri = link && new URL(link, `${BASE}${QUEUE}`).href.slice(BASE.length);
      }
      assert.deepEqual(pages.map((page) => page.length), [50, 50, 20]);
      assert.deepEqual(pages.flat(), ids.reverse());
    } finally {
      await other.tidy();
    }
  });
  const tagsWithBefore = (text) => {
    const link = elements(text, (tag) => tag.name === 'a' && /[?&]before=\d+/.test(tag.attributes.href ?? ''))[0];
    return link?.tag.attributes.href;
  };

  test('what was decided is in the log without a person in it', async () => {
    await sleep(50);
    assert.match(it.logs.moderator, /ready/);
    assert.doesNotMatch(it.logs.moderator, /@example\.org|Asel Nurlan|steppe is not/);
    assert.doesNotMatch(it.logs.reader, /@example\.org|Asel Nurlan/);
  });
});
