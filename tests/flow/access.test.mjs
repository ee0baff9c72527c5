// Getting in as a moderator, and staying: the throttle and known browsers, «Your account», what is sent when
// a session is over, and the web server's own sign-in.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { Moderator, QUEUE, cookieOf, elements, fieldOf, fieldsOf, forms, signedIn, textOf } from '../lib/browserless.mjs';
import { BASE, freshAddress, makeInstance, tellSeed } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
const SETTINGS = `${QUEUE}settings`;
let it;

before(async () => {
  tellSeed();
  it = await makeInstance({ doors: [] });
  for (const name of ['editor', 'second', 'locked', 'changing']) it.addModerator(name, PASSWORD);
  await it.start('reader');
  await it.start('moderator');
});
after(() => it?.tidy());

const sql = (query) => it.sql(query, it.moderators);
const isIn = async (who) => (await who.get(QUEUE)).status === 200;
const formTo = (html, action) => forms(html).find((one) => one.action.endsWith(action));
const formWith = (html, field) => forms(html).find((one) => fieldOf(one, field));
const fill = (form, values) => [...fieldsOf(form).filter(([name]) => !(name in values)), ...Object.entries(values)];
// The session's end, as the clock would bring it.
const endAll = () => sql('UPDATE session SET created_at = created_at - 100000, seen_at = seen_at - 100000');

describe('the throttle', () => {
  // Wrong ones for a name, each from a network of its own.
  async function flood(name, n = 30) {
    for (let i = 0; i < n; i++) await new Moderator(it).signIn(name, `wrong ${i}`);
  }

  test('a known browser gets in while everybody else must wait, and has a throttle of its own', async () => {
    const owner = await signedIn(it, 'locked', PASSWORD);
    await flood('locked');
    const stranger = await new Moderator(it).signIn('locked', PASSWORD);
    assert.equal(stranger.status, 429, 'the right password from a strange browser');
    assert.match(stranger.header('Retry-After'), /^[1-9]\d*$/);
    assert.deepEqual(stranger.all('Set-Cookie'), []);
    const stolen = { ...owner.cookies };
    assert.equal((await owner.signIn('locked', PASSWORD)).status, 303, 'and from the known one');
    assert.notEqual(owner.cookies['rejoinder-browser'], stolen['rejoinder-browser'], 'the cookie changes with each sign-in');
    const thief = new Moderator(it);
    thief.cookies = stolen;
    assert.equal((await thief.signIn('locked', PASSWORD)).status, 429, 'a copy of a former one is worth nothing');
    // Whoever has a present copy is stopped as well.
    const statuses = [];
    for (let i = 0; i < 11; i++) {
      const copy = new Moderator(it);
      copy.cookies = { ...owner.cookies };
      statuses.push((await copy.signIn('locked', `guess ${i}`)).status);
    }
    assert.deepEqual(statuses, [...Array(10).fill(403), 429]);
    it.mustCli(['moderator', 'unlock', 'locked']);
    assert.equal((await new Moderator(it).signIn('locked', PASSWORD)).status, 303, 'the shell lets in');
  });

  test('another account’s browser is a stranger’s', async () => {
    const second = await signedIn(it, 'second', PASSWORD);
    await flood('locked');
    assert.equal((await second.signIn('locked', PASSWORD)).status, 429);
    it.mustCli(['moderator', 'password', 'locked'], { input: `${PASSWORD}\n` });
    assert.equal((await new Moderator(it).signIn('locked', PASSWORD)).status, 303, 'a new password from the shell unlocks, too');
  });

  test('what is typed as a name is not in the file, and who must wait writes nothing', async () => {
    const address = freshAddress();
    for (let i = 0; i < 10; i++) await new Moderator(it, { address }).signIn('oops: my secret passphrase', 'x');
    const before = it.dump();
    assert.doesNotMatch(before, /my secret passphrase/);
    assert.equal((await new Moderator(it, { address }).signIn('editor', PASSWORD)).status, 429);
    assert.equal(it.dump(), before);
    assert.doesNotMatch(it.logs.moderator, /my secret passphrase/);
  });

  test('while passwords wait for the store, moderators and readers are served', async () => {
    const moderator = await signedIn(it);
    // Whoever holds the turnstile keeps each wrong password waiting until it lets go.
    const hold = spawn('flock', [`${it.moderators}.turn`, 'sh', '-c', 'echo held; read line'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const over = new Promise((resolve) => { hold.on('close', resolve); });
    await new Promise((resolve) => { hold.stdout.once('data', resolve); });
    let pending = 0;
    const all = [];
    for (let i = 0; i < 200; i++) {
      pending += 1;
      all.push(new Moderator(it).submit(`${QUEUE}sign-in`, [['name', 'editor'], ['password', 'wrong'], ['next', '']])
        .then((answer) => { pending -= 1; return answer.status; }));
    }
    const { id } = await it.post();
    assert.ok(id, 'a reply is taken');
    assert.equal((await moderator.get(QUEUE)).status, 200, 'a moderator is served');
    assert.ok(pending > 0, 'and there were passwords waiting all the time');
    hold.stdin.end('\n');
    await over;
    const statuses = await Promise.all(all);
    assert.ok(statuses.filter((status) => status === 429).length >= 150, 'most were sent away at once');
    it.mustCli(['moderator', 'unlock', 'editor']);
  });

  test('a known browser has its own places in the line', async () => {
    const owner = await signedIn(it);
    const line = Array.from({ length: 60 }, () => new Moderator(it).submit(`${QUEUE}sign-in`, [['name', 'nobody'], ['password', 'wrong'], ['next', '']]));
    assert.equal((await owner.signIn('editor', PASSWORD)).status, 303);
    await Promise.all(line);
  });
});

describe('your account', () => {
  const settings = async (who) => (await who.get(SETTINGS)).text;
  const listed = (html) => elements(html, (tag) => tag.name === 'li').map(({ inner }) => textOf(inner)).filter((text) => /last seen/.test(text));

  test('shows where one is signed in, in a few words', async () => {
    sql('DELETE FROM session');
    const here = await signedIn(it);
    const there = new Moderator(it, { address: '198.51.100.20' });
    const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
    await there.submit(`${QUEUE}sign-in`, [['name', 'editor'], ['password', PASSWORD], ['next', '']], { 'User-Agent': agent });
    const rows = listed(await settings(here));
    assert.equal(rows.length, 2);
    const other = rows.find((text) => !/\(this one\)/.test(text));
    assert.match(other, /Firefox, Linux/);
    assert.match(other, /198\.51\.100\.0/);
    assert.equal(rows.filter((text) => /\(this one\)/.test(text)).length, 1);
    // Another moderator sees nothing of it.
    assert.doesNotMatch(await settings(await signedIn(it, 'second', PASSWORD)), /198\.51\.100/);
  });

  test('a strange User-Agent is shown as text, and not at length', async () => {
    const who = new Moderator(it);
    await who.submit(`${QUEUE}sign-in`, [['name', 'editor'], ['password', PASSWORD], ['next', '']],
      { 'User-Agent': `<script>alert(1)</script>${'x'.repeat(5000)}` });
    const html = await settings(who);
    assert.doesNotMatch(html, /<script>alert/);
    assert.ok(!html.includes('x'.repeat(300)));
  });

  test('ends one session, and only one’s own', async () => {
    sql('DELETE FROM session');
    const here = await signedIn(it), there = await signedIn(it), second = await signedIn(it, 'second', PASSWORD);
    const form = formTo(await settings(here), '/settings/end');
    const handle = fieldOf(form, 'session').value;
    const own = formTo(await settings(second), '/settings/end-all');
    assert.equal((await second.submit(form.action, [['token', fieldOf(own, 'token').value], ['session', handle]])).status, 303);
    assert.ok(await isIn(there), 'somebody else cannot end it');
    const answer = await here.submit(form.action, fieldsOf(form));
    assert.equal(answer.status, 303);
    assert.match((await here.get(answer.header('Location'))).text, /That session is over/);
    assert.equal(await isIn(there), false);
    assert.ok(await isIn(here));
    assert.equal((await here.submit(form.action, fieldsOf(form))).status, 303, 'twice is no fault');
    assert.doesNotMatch((await here.get(`${SETTINGS}?done=password&mac=AAAA`)).text, /role="status"/, 'an address from elsewhere says nothing');
  });

  test('signs out everywhere, which outlives a restart', async () => {
    const here = await signedIn(it), there = await signedIn(it), second = await signedIn(it, 'second', PASSWORD);
    const form = formTo(await settings(here), '/settings/end-all');
    const copy = { ...here.cookies };
    const answer = await here.submit(form.action, fieldsOf(form));
    assert.equal(answer.status, 303);
    assert.deepEqual(answer.all('Set-Cookie').map((one) => [cookieOf(one).name, cookieOf(one).value, cookieOf(one)['max-age']]),
      [['rejoinder', '', '0'], ['rejoinder-browser', '', '0']]);
    await it.restart('moderator');
    here.cookies = copy;
    assert.deepEqual([await isIn(here), await isIn(there), await isIn(second)], [false, false, true]);
    assert.equal(sql("SELECT count(*) AS n FROM browser JOIN account ON account.id = account_id WHERE name = 'editor'")[0].n, 0);
  });

  test('a new password wants the present one, gives another session and ends all others', async () => {
    const fresh = 'yurts travel lightly';
    const here = await signedIn(it, 'changing', PASSWORD), there = await signedIn(it, 'changing', PASSWORD);
    const change = async (values) => {
      const form = formWith(await settings(here), 'new_password');
      for (const name of ['password', 'new_password', 'again']) assert.equal(fieldOf(form, name).type, 'password');
      return here.submit(form.action, fill(form, values));
    };
    const right = { password: PASSWORD, new_password: fresh, again: fresh };
    const before = it.dump();
    for (const [what, values, code] of [
      ['too short', { new_password: 'fourteen chars', again: 'fourteen chars' }, 422],
      ['not the same twice', { again: `${fresh}!` }, 422],
      ['too long', { new_password: 'ab c'.repeat(257), again: 'ab c'.repeat(257) }, 422],
      ['the name in it', { new_password: 'i am Changing all the time', again: 'i am Changing all the time' }, 422],
      ['the site’s title in it', { new_password: 'we read the steppe post', again: 'we read the steppe post' }, 422],
      ['a row of keys', { new_password: 'qwertyuiopasdfghjkl', again: 'qwertyuiopasdfghjkl' }, 422],
      ['common', { new_password: 'Password12345678', again: 'Password12345678' }, 422],
      ['a NUL', { new_password: `${fresh}\0`, again: `${fresh}\0` }, 400],
    ]) {
      const answer = await change({ ...right, ...values });
      assert.equal(answer.status, code, what);
      assert.ok(!answer.text.includes(fresh) && !answer.text.includes(PASSWORD), 'no password is sent back');
      if (code === 422) assert.match(answer.text, /aria-invalid="true"/, what);
    }
    assert.equal(it.dump(), before);
    assert.equal((await change({ ...right, password: 'wrong' })).status, 403);
    const old = { ...here.cookies };
    const answer = await change(right);
    assert.equal(answer.status, 303);
    assert.match((await here.get(answer.header('Location'))).text, /has been changed/);
    assert.notEqual(here.cookies.rejoinder, old.rejoinder);
    const copy = new Moderator(it);
    copy.cookies = old;
    assert.deepEqual([await isIn(here), await isIn(there), await isIn(copy)], [true, false, false]);
    assert.equal((await new Moderator(it).signIn('changing', PASSWORD)).status, 403);
    assert.equal((await new Moderator(it).signIn('changing', fresh)).status, 303);
    // Ten wrong present ones: as signing in.
    const statuses = [];
    for (let i = 0; i < 11; i++) statuses.push((await change({ password: `wrong ${i}`, new_password: PASSWORD, again: PASSWORD })).status);
    assert.deepEqual(statuses, [...Array(10).fill(403), 429]);
    assert.ok(await isIn(here), 'the session itself goes on');
  });

  test('1024 bytes count to the last, and any characters', async () => {
    const long = `${'ß x\u{1F600}'.repeat(127)}12345678`.slice(0, 2000);
    const words = Buffer.from(long).subarray(0, 1016).toString('utf8').replace(/\ufffd/g, '') + 'end';
    it.addModerator('long', words);
    assert.equal((await new Moderator(it).signIn('long', words)).status, 303);
    assert.equal((await new Moderator(it).signIn('long', words.slice(0, -1))).status, 403);
  });
});

describe('what is sent when the session is over', () => {
  // An expired session's decision: {who, form, reply, answer}.
  async function late(fields = [], who) {
    const moderator = who ?? await signedIn(it);
    const { id } = await it.post();
    const { form, reply } = await moderator.decisionForm(id);
    const sent = [...Moderator.rest(form), ['reply', reply], ['state', 'published'], ...fields];
    endAll();
    const answer = await moderator.submit(form.action, sent);
    return { who: moderator, id, form, sent, answer };
  }
  const state = (id) => it.sql(`SELECT state FROM reply WHERE id = ${id}`)[0].state;

  test('is shown again after signing in, and done with one button', async () => {
    const { who, id, form, answer } = await late([['note', 'Words that took\nan hour, «quotes» & <b>all</b>']]);
    assert.equal(answer.status, 403);
    const wrong = await who.submit(`${QUEUE}sign-in`, fill(formWith(answer.text, 'password'), { name: 'editor', password: 'wrong' }));
    assert.equal(wrong.status, 403);
    const signIn = formWith(wrong.text, 'password');
    assert.ok(fieldOf(signIn, 'carry'), 'a wrong password loses nothing');
    const shown = await who.submit(signIn.action, fill(signIn, { name: 'editor', password: PASSWORD }));
    assert.equal(shown.status, 200);
    assert.equal(state(id), 'held', 'nothing happens without a click');
    assert.match(textOf(shown.text), /You chose “Approve” for 1 reply\./);
    const again = formTo(shown.text, '/decide');
    assert.equal(again.action, form.action);
    assert.equal(fieldOf(again, 'note').value, 'Words that took\nan hour, «quotes» & <b>all</b>');
    assert.equal(fieldOf(again, 'note').kind, 'textarea');
    const done = await who.submit(again.action, fieldsOf(again));
    assert.equal(done.status, 303);
    assert.equal(state(id), 'published');
  });

  test('a typed answer is not lost', async () => {
    const who = await signedIn(it);
    const { id } = await it.post({ page: '/world/late-answer' });
    await who.approve(id);
    const form = formWith((await who.get(`${QUEUE}reply/${id}/answer`)).text, 'comment');
    const words = 'An answer that took\n\nthe whole of half an hour, *and* some thought.';
    const sent = fill(form, { comment: words });
    endAll();
    const refused = await who.submit(form.action, sent);
    const signIn = formWith(refused.text, 'password');
    const shown = await who.submit(signIn.action, fill(signIn, { name: 'editor', password: PASSWORD }));
    const again = formWith(shown.text, 'comment');
    assert.equal(fieldOf(again, 'comment').value, words);
    const done = await who.submit(again.action, fieldsOf(again));
    assert.equal(done.status, 303, textOf(done.text));
    assert.equal(it.sql(`SELECT comment FROM reply WHERE parent_id = ${id}`)[0].comment, words);
  });

  test('another moderator who signs in there decides by their own name, and a revision that is old stays undone', async () => {
    const { who, id, answer } = await late();
    const signIn = formWith(answer.text, 'password');
    const shown = await who.submit(signIn.action, fill(signIn, { name: 'second', password: PASSWORD }));
    const again = formTo(shown.text, '/decide');
    it.sql(`UPDATE reply SET revision = revision + 1 WHERE id = ${id}`);
    assert.equal((await who.submit(again.action, fieldsOf(again))).status, 409);
    assert.equal(state(id), 'held');
  });

  test('goes with another session’s token to the same page, at 403', async () => {
    const moderator = await signedIn(it);
    const { id } = await it.post();
    const { form, reply } = await moderator.decisionForm(id);
    const sent = [...Moderator.rest(form), ['reply', reply], ['state', 'published']];
    await moderator.signIn('editor', PASSWORD); // in another tab
    const answer = await moderator.submit(form.action, sent);
    assert.equal(answer.status, 403);
    assert.equal(state(id), 'held');
    const again = formTo(answer.text, '/decide');
    assert.equal((await moderator.submit(again.action, fieldsOf(again))).status, 303);
    assert.equal(state(id), 'published');
  });

  test('a box that is not this door’s, or old, is no more than a sign-in', async () => {
    const { who, answer } = await late();
    const box = fieldOf(formWith(answer.text, 'password'), 'carry').value;
    const [mac, text] = box.split('.');
    const forged = Buffer.from(text, 'base64url').toString().replace('state=published', 'state=trash');
    const old = Buffer.from(text, 'base64url').toString().replace(/^\d+/, (time) => String(Number(time) - 90000));
    for (const carry of ['', '.', 'x', `${mac}.`, `.${text}`, `${mac}.${text}A`, `${mac}.${Buffer.from(forged).toString('base64url')}`,
      `${mac}.${Buffer.from(old).toString('base64url')}`, `${'A'.repeat(43)}.${text}`, `${mac}.${text}.${text}`]) {
      const signed = await who.submit(`${QUEUE}sign-in`, [['name', 'editor'], ['password', PASSWORD], ['next', ''], ['carry', carry]]);
      assert.equal(signed.status, 303, carry);
      assert.equal(signed.header('Location').replace(BASE, ''), QUEUE, carry);
    }
    assert.equal((await who.submit(`${QUEUE}sign-in`, [['name', 'editor'], ['password', PASSWORD], ['next', ''], ['carry', box]])).status, 200);
    const foreign = await who.submit(`${QUEUE}sign-in`, [['name', 'editor'], ['password', PASSWORD], ['next', ''], ['carry', box]],
      { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' });
    assert.equal(foreign.status, 403);
    assert.equal(formTo(foreign.text, '/decide'), undefined);
  });

  test('neither token nor password are carried', async () => {
    const { sent, answer } = await late();
    const token = sent.find(([name]) => name === 'token')[1];
    const box = fieldOf(formWith(answer.text, 'password'), 'carry').value;
    assert.doesNotMatch(Buffer.from(box.split('.')[1], 'base64url').toString(), /token/);
    assert.ok(!answer.text.includes(token));
    const secret = await new Moderator(it).submit(`${QUEUE}settings/password`, [['token', 'x'], ['password', 'old one'], ['new_password', 'quite a new one'], ['again', 'quite a new one']]);
    assert.equal(secret.status, 403);
    assert.equal(fieldOf(formWith(secret.text, 'password'), 'carry'), undefined);
    assert.doesNotMatch(secret.text, /quite a new one|old one/);
  });

  test('what is too long to be carried is shown, to be copied', async () => {
    const words = 'Ы'.repeat(40000);
    const { answer } = await late([['note', words]]);
    assert.equal(answer.status, 403);
    assert.equal(fieldOf(formWith(answer.text, 'password'), 'carry'), undefined);
    assert.ok(answer.text.includes(words));
  });
});

describe('the web server’s own sign-in', () => {
  // As a web server that has asked for a password: REMOTE_USER is no header.
  async function by(instance, name, options = {}) {
    const { parameters, request } = await import('../lib/fastcgi.mjs');
    const { method = 'GET', uri = QUEUE, cookie, form, headers = {} } = options;
    const body = Buffer.from(form === undefined ? '' : new URLSearchParams(form).toString());
    const all = { ...headers, ...(cookie ? { Cookie: cookie } : {}), ...(form ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}) };
    const params = parameters({ method, uri, headers: all, length: body.length });
    if (name !== undefined) params.REMOTE_USER = name;
    return request(instance.socket('moderator'), params, body);
  }
  const cookie = (answer) => answer.all('Set-Cookie').map((one) => `${cookieOf(one).name}=${cookieOf(one).value}`).join('; ');

  test('REMOTE_USER is ignored where nobody asked for it', async () => {
    const answer = await by(it, 'editor');
    assert.equal(answer.status, 303);
    assert.match(answer.header('Location'), /sign-in/);
    assert.deepEqual(answer.all('Set-Cookie'), []);
  });

  test('where it is trusted it names the account, and nothing else does', async () => {
    const other = await makeInstance();
    try {
      other.addModerator('editor', PASSWORD);
      other.addModerator('second', PASSWORD);
      other.configure({ moderators: { trust_remote_user: true } });
      await other.start('reader');
      await other.start('moderator');
      const first = await by(other, 'editor');
      assert.equal(first.status, 200);
      assert.match(textOf(first.text), /Signed in as editor/);
      const mine = cookie(first);
      assert.match(mine, /^rejoinder=[\w-]{43}$/);
      const again = await by(other, 'editor', { cookie: mine });
      assert.deepEqual([again.status, again.all('Set-Cookie').length], [200, 0], 'the session goes on');
      // Nobody, strangers, headers, and a cookie without the name.
      for (const [name, options] of [[undefined, {}], ['', {}], ['mallory', {}], ['editor2', {}], [undefined, { cookie: mine }],
        [undefined, { headers: { 'Remote-User': 'editor', 'X-Remote-User': 'editor', Authorization: 'Basic ZWRpdG9yOng=' } }]]) {
        const refused = await by(other, name, options);
        assert.equal(refused.status, 403, `${name} ${JSON.stringify(options)}`);
        assert.deepEqual(refused.all('Set-Cookie'), []);
      }
      // The token is the session's, as ever; without one what was sent is shown again.
      const { id } = await other.post();
      const page = await by(other, 'editor', { cookie: mine });
      const form = forms(page.text).find((one) => one.action.endsWith('/decide') && fieldOf(one, 'reply')?.type === 'hidden');
      const fields = [...fieldsOf(form), ['state', 'published']];
      const own = { Origin: BASE, 'Sec-Fetch-Site': 'same-origin' };
      const state = () => other.sql(`SELECT state FROM reply WHERE id = ${id}`)[0].state;
      const bare = await by(other, 'editor', { method: 'POST', uri: form.action, form: fields, headers: own });
      assert.equal(bare.status, 403);
      assert.equal(state(), 'held');
      const shown = formTo(bare.text, '/decide');
      assert.equal((await by(other, 'second', { method: 'POST', uri: form.action, form: fields, headers: own, cookie: mine })).status, 403);
      assert.equal((await by(other, 'editor', { method: 'POST', uri: form.action, form: fields, cookie: mine,
        headers: { Origin: 'https://evil.example' } })).status, 403);
      assert.equal(state(), 'held');
      assert.equal((await by(other, 'editor', { method: 'POST', uri: shown.action, form: fieldsOf(shown), headers: own, cookie: cookie(bare) })).status, 303);
      assert.equal(state(), 'published');
      assert.equal(other.sql(`SELECT moderator FROM decision WHERE reply_id = ${id}`)[0].moderator, 'editor');
      // No password of ours counts, and the page about the account has none to change.
      assert.equal((await by(other, undefined, { method: 'POST', uri: `${QUEUE}sign-in`, form: [['name', 'editor'], ['password', PASSWORD]], headers: own })).status, 403);
      const settings = await by(other, 'editor', { uri: SETTINGS, cookie: mine });
      assert.equal(formWith(settings.text, 'new_password'), undefined);
      const out = formTo(settings.text, '/sign-out');
      const left = await by(other, 'editor', { method: 'POST', uri: out.action, form: fieldsOf(out), headers: own, cookie: mine });
      assert.equal(left.status, 303);
      assert.match(textOf((await by(other, 'editor', { uri: left.header('Location').replace(BASE, '') })).text), /web server/);
      other.mustCli(['moderator', 'disable', 'editor']);
      assert.equal((await by(other, 'editor', { cookie: mine })).status, 403);
      // Without the option its sessions are over.
      const second = cookie(await by(other, 'second'));
      other.configure({ moderators: { trust_remote_user: false } });
      await other.restart('moderator');
      assert.equal((await by(other, 'second', { cookie: second })).status, 303);
    } finally {
      await other.tidy();
    }
  });
});

describe('rejoinder moderator', () => {
  test('says what is wrong before it asks for a password', () => {
    for (const [args, code, why] of [
      [[], 2, /what to do/], [['dance'], 2, /dance/], [['add'], 2, /name/], [['add', 'a', 'hunter2hunter2'], 2, /password is asked for/],
      [['list', 'x'], 2, /no further/], [['add', ''], 2, /1 to 64/], [['add', ' x'], 2, /1 to 64/], [['add', 'x'.repeat(65)], 2, /1 to 64/],
      [['add', 'a\u202eb'], 2, /can be seen/], [['add', 'EDITOR'], 1, /already/], [['password', 'nobody'], 1, /no moderator/],
      [['disable', 'nobody'], 1, /no moderator/], [['unlock', 'nobody'], 1, /no moderator/],
    ]) {
      const run = it.cli(['moderator', ...args]);
      assert.equal(run.status, code, `${args}: ${run.stderr}`);
      assert.match(run.stderr, why, `${args}`);
      assert.doesNotMatch(run.stderr, /no password on standard input/, `${args}`);
    }
    for (const bad of ['short', 'aaaaaaaaaaaaaaaaaaaa', 'password12345678', 'my name is newcomer'])
      assert.equal(it.cli(['moderator', 'add', 'newcomer'], { input: `${bad}\n` }).status, 1, bad);
    assert.equal(sql("SELECT count(*) AS n FROM account WHERE name = 'newcomer'")[0].n, 0);
  });

  test('lists who is signed in, and since when', async () => {
    it.addModerator('idle', PASSWORD);
    it.addModerator('busy', PASSWORD);
    await signedIn(it, 'busy', PASSWORD);
    await signedIn(it, 'busy', PASSWORD);
    const { stdout } = it.mustCli(['moderator', 'list']);
    assert.match(stdout, /^idle: 0 open sessions, has not signed in yet$/m);
    assert.match(stdout, /^busy: 2 open sessions, last signed in \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/m);
    it.mustCli(['moderator', 'disable', 'busy']);
    assert.match(it.mustCli(['moderator', 'list']).stdout, /^busy \(disabled\): 0 open sessions/m);
  });
});

describe('the log', () => {
  test('tells sign-ins, refusals and their reasons with time and id, and nobody’s name or cookie', async () => {
    await it.restart('moderator');
    it.logs.moderator = '';
    const who = await signedIn(it);
    await new Moderator(it).signIn('editor', 'a wrong password of mine');
    const form = formTo((await who.get(SETTINGS)).text, '/settings/end-all');
    await who.submit(form.action, [['token', 'x']]);
    await who.submit(form.action, fieldsOf(form), { Origin: 'https://evil.example' });
    await new Moderator(it).submit(`${QUEUE}decide`, [['reply', '1:1']]);
    await it.stop('moderator');
    for (const event of [/account \d+ signed in/, /sign-in failed: \w+/, /refused: the form's token is not the session's/,
      /refused: sent from another site's page/, /refused: there is no session/]) {
      assert.match(it.logs.moderator, new RegExp(`^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ \\w+ moderator [0-9a-f]{16} .*${event.source}`, 'm'));
    }
    for (const secret of ['editor', PASSWORD, 'a wrong password of mine', ...Object.values(who.cookies), fieldOf(form, 'token').value])
      assert.ok(!it.logs.moderator.includes(secret), secret);
    await it.start('moderator');
  });
});
