// What a receipt tells whom, and what its holder may still do: change the reply, or withdraw it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Moderator, byId, describedBy, element, elements, fieldOf, fieldsOf, forms, replies, replyForm, signedIn, textOf } from '../lib/browserless.mjs';
import { BASE, begin, freshAddress, makeInstance, randomBelow, sleep, tellSeed, walk } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
const TICK = 2000; // ms between two looks of a door at what is left to do
let it, moderator, second;

before(async () => {
  tellSeed();
  it = await makeInstance({ site: { listed_words: ['casino'] },
    sites: { brief: { edit_for: 1 }, never: { edit_for: 0 }, other: {} } });
  it.addModerator('editor', PASSWORD);
  it.addModerator('second', PASSWORD);
  await it.start('reader');
  await it.start('moderator');
  moderator = await signedIn(it);
  second = await signedIn(it, 'second', PASSWORD);
});
after(() => it?.tidy());

// --- what is stored, and what is shown ---

const row = (id) => it.sql(`SELECT state, revision, name, website, comment, hex(email_sealed) AS email, hex(network_sealed) AS network,
  hex(author_hash) AS author, hex(comment_hash) AS words, hex(content_hash) AS content, reasons, edited_at FROM reply WHERE id = ${id}`)[0];
const get = (uri, options) => it.reader({ uri, ...options });
const heading = (html) => textOf(element(html, (tag) => tag.name === 'h1').inner);
const main = (html) => element(html, (tag) => tag.name === 'main').outer;
const shown = (html) => element(html, (tag) => tag.attributes['aria-labelledby'] === 'rejoinder-words')?.outer ?? '';
const withdrawForm = (html) => forms(html).find((form) => form.action.endsWith('/withdraw'));
const tallies = () => Object.fromEntries(it.sql("SELECT state, n FROM tally JOIN site ON site.id = site_id AND site.name = 'main' WHERE n > 0").map(({ state, n }) => [state, n]));
const counted = () => Object.fromEntries(it.sql("SELECT state, count(*) AS n FROM reply JOIN site ON site.id = site_id AND site.name = 'main' GROUP BY state").map(({ state, n }) => [state, n]));

// Differs when any reply or decision does: cheaper than a dump of everything.
const stored = () => it.sql(`SELECT id, revision, state, hex(content_hash) AS content, hex(author_hash) AS author, reasons, edited_at,
  (SELECT count(*) FROM decision) + (SELECT count(*) FROM slip) AS decisions, (SELECT group_concat(state || n) FROM tally) AS tallies FROM reply`);

function checkWell() {
  const { status, stdout, stderr } = it.cli(['check']);
  assert.equal(status, 0, stdout + stderr);
}

function isPrivate(answer) {
  assert.match(answer.header('Cache-Control'), /\bno-store\b/);
  assert.match(answer.header('X-Robots-Tag'), /\bnoindex\b/);
  assert.match(answer.text, /<meta name="robots" content="noindex">/);
  assert.match(answer.header('Content-Security-Policy'), /default-src 'none'/);
  assert.equal(answer.header('X-Content-Type-Options'), 'nosniff');
}

// A reply that waits: {id, receipt, email, sent}.
async function held(fields = {}, options = {}) {
  const sent = it.goodReply(fields);
  const answer = await it.reader({ uri: '/comments/reply', json: sent, accept: 'application/json', ...options });
  assert.equal(answer.status, 201, answer.text);
  return { ...answer.json(), email: sent.email, sent };
}

async function editForm(receipt, options) {
  const answer = await get(`${receipt}/edit`, options);
  assert.equal(answer.status, 200, textOf(answer.text));
  return replyForm(answer.text);
}

// What a browser sends of a form when somebody typed `typed` and pressed the button `name=value`.
const filled = (form, typed, button) => [...fieldsOf(form).map(([name, value]) => [name, typed[name] ?? value]), ...(button ? [button] : [])];
const press = (form, typed = {}, button = ['do', 'save'], options = {}) =>
  it.reader({ uri: form.action, form: filled(form, typed, button), headers: { Origin: BASE, 'User-Agent': 'tests/1' }, ...options });
const edit = async (receipt, typed, options) => press(await editForm(receipt, options), typed, ['do', 'save'], options);
const withdraw = async (receipt) => {
  const form = withdrawForm((await get(receipt)).text);
  return it.reader({ uri: form.action, form: fieldsOf(form) });
};

describe('the receipt', () => {
  test('waiting: the words, nothing of the address, and what may be done', async () => {
    const { receipt, email } = await held({ name: 'Dina <b>', comment: 'Words **loud** & <i>plain</i>.' });
    const answer = await get(receipt);
    assert.equal(answer.status, 200);
    isPrivate(answer);
    assert.match(heading(answer.text), /waits/);
    assert.match(shown(answer.text), /<strong>loud<\/strong>/);
    assert.match(textOf(shown(answer.text)), /Dina <b>.*<i>plain<\/i>/);
    assert.doesNotMatch(shown(answer.text), /<i>|<b>/);
    assert.ok(!answer.text.includes(email) && !answer.text.includes(email.split('@')[0]));
    assert.ok(elements(answer.text, (tag) => tag.attributes.href === `${receipt}/edit`).length > 0, 'a way to change it');
    assert.equal(withdrawForm(answer.text).method, 'post');
    assert.match(textOf(answer.text), /\b15 more minutes\b/);
  });

  test('published: a link to the article and the reply in it, and no way to change it', async () => {
    const { id, receipt, email } = await held({ page: '/world/with a space' });
    assert.equal((await moderator.approve(id)).status, 303);
    const answer = await get(receipt);
    isPrivate(answer);
    assert.match(heading(answer.text), /is published/);
    const links = elements(answer.text, (tag) => tag.name === 'a').map(({ tag }) => tag.attributes.href);
    assert.ok(links.includes(`${BASE}/world/with%20a%20space#reply-${id}`) || links.includes(`/world/with%20a%20space#reply-${id}`), links.join(' '));
    assert.match(it.thread('/world/with a space'), new RegExp(`id="reply-${id}"`), 'it is there');
    assert.ok(!answer.text.includes(email));
    assert.equal(forms(answer.text).length, 0);
    assert.doesNotMatch(answer.text, /\/edit/);
  });

  test('programs are told the same in JSON, and may go by it', async () => {
    const json = async (receipt) => {
      const answer = await get(receipt, { accept: 'application/json' });
      assert.equal(answer.status, 200);
      assert.match(answer.header('Content-Type'), /^application\/json/);
      assert.match(answer.header('Cache-Control'), /\bno-store\b/);
      assert.match(answer.header('X-Robots-Tag'), /\bnoindex\b/);
      return answer.json();
    };
    const { id, receipt } = await held({ page: '/world/with a space' });
    const waiting = await json(receipt);
    assert.deepEqual(waiting, { id, state: 'held', receipt, url: null, revision: waiting.revision });
    const changed = await it.reader({ uri: `${receipt}/edit`, json: { name: 'Dina', comment: 'Other words altogether.', revision: `${waiting.revision}`, do: 'save' }, accept: 'application/json' });
    assert.equal(changed.status, 200, changed.text);
    assert.ok((await json(receipt)).revision > waiting.revision);
    await moderator.approve(id);
    assert.deepEqual(await json(receipt), { id, state: 'published', receipt, url: `/world/with%20a%20space#reply-${id}` });
    const refused = await Promise.all(['spam', 'trash'].map(async (state) => {
      const other = await held();
      await moderator.decide(other.id, state);
      return { ...await json(other.receipt), id: '', receipt: '' };
    }));
    assert.deepEqual(refused, Array(2).fill({ id: '', state: 'refused', receipt: '', url: null }));
    const unknown = await get(`${receipt.slice(0, -1)}${receipt.endsWith('a') ? 'b' : 'a'}`, { accept: 'application/json' });
    assert.equal(unknown.status, 404);
    assert.equal(unknown.json().error, 'not-found');
  });

  test('spam and trash look the same, and say no more than «not published»', async () => {
    const { id, receipt, email } = await held();
    const pages = [];
    for (const [from, to] of [['held', 'spam'], ['spam', 'trash'], ['trash', 'spam']]) {
      assert.equal((await moderator.decide(id, to, from)).status, 303);
      pages.push((await get(receipt)).text);
    }
    assert.equal(new Set(pages).size, 1);
    assert.match(heading(pages[0]), /was not published/);
    assert.doesNotMatch(textOf(main(pages[0])).replace(heading(pages[0]), ''), /spam|trash|bin|suspic/i);
    assert.equal(forms(pages[0]).length, 0);
    assert.ok(!pages[0].includes(email));
  });

  test('approved below a reply that is hidden, it says so, has no link, and gets one when that is shown again', async () => {
    const above = await held();
    await moderator.approve(above.id);
    const { id, receipt } = await held({ parent: above.id });
    await moderator.approve(id);
    await moderator.decide(above.id, 'held', 'published');
    const hidden = await get(receipt);
    assert.match(heading(hidden.text), /is approved/);
    assert.match(textOf(main(hidden.text)), /not shown at present/);
    assert.ok(!hidden.text.includes(`#reply-${id}`), 'no link to where it is not');
    assert.doesNotMatch(textOf(hidden.text), /is published|not published/);
    assert.equal(forms(hidden.text).length, 0);
    await moderator.approve(above.id);
    const again = await get(receipt);
    assert.match(heading(again.text), /is published/);
    assert.ok(again.text.includes(`#reply-${id}`));
  });

  test('approved and taken back, it waits again and has no link', async () => {
    const { id, receipt } = await held();
    await moderator.approve(id);
    await moderator.decide(id, 'held', 'published');
    const answer = await get(receipt);
    assert.match(heading(answer.text), /waits/);
    assert.ok(!answer.text.includes(`#reply-${id}`));
  });

  test('a secret that nobody gave is 404: each character changed, cut, longer, of another site', async () => {
    const { receipt } = await held();
    const at = receipt.lastIndexOf('/') + 1;
    const secrets = [receipt.slice(0, -1), `${receipt}A`, receipt.slice(0, at), `${receipt}=`, `${receipt}%00`, `${receipt}/`, `${receipt}/nowhere`];
    for (let i = at; i < receipt.length; i++) {
      for (const other of [...'Aa0_-'].filter((one) => one !== receipt[i])) secrets.push(receipt.slice(0, i) + other + receipt.slice(i + 1));
    }
    const before = it.dump();
    for (const uri of secrets) {
      const answer = await get(uri);
      assert.equal(answer.status, 404, uri);
      assert.ok(!answer.text.includes('reply number'), uri);
    }
    const bent = `${receipt.slice(0, -1)}${receipt.endsWith('A') ? 'B' : 'A'}`;
    for (const [uri, options] of [[`${bent}/edit`, {}], [`${bent}/edit`, { form: { revision: 1, comment: 'Taken over.', name: 'X', email: '' } }],
      [`${bent}/withdraw`, { form: { revision: 1 } }], [receipt, { site: 'other' }], [`${receipt}/edit`, { site: 'other' }],
      [`${receipt}/withdraw`, { site: 'other', form: { revision: 1 } }]]) {
      assert.equal((await get(uri, options)).status, 404, uri);
    }
    assert.equal(it.dump(), before);
  });

  test('HEAD is GET without a body; other methods are 405 and say which there are', async () => {
    const { receipt } = await held();
    const before = it.dump();
    for (const [uri, allowed] of [[receipt, ['GET', 'HEAD']], [`${receipt}/edit`, ['GET', 'HEAD', 'POST']], [`${receipt}/withdraw`, ['POST']]]) {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH', 'BREW']) {
        // What a POST does is tried elsewhere.
        if (method === 'POST' && allowed.includes('POST')) continue;
        const answer = await it.reader({ method, uri });
        if (allowed.includes(method)) {
          assert.equal(answer.status, 200, `${method} ${uri}`);
          assert.equal(answer.body.length > 0, method === 'GET');
          isPrivate(method === 'GET' ? answer : { ...answer, header: (name) => answer.header(name), text: '<meta name="robots" content="noindex">' });
        } else {
          assert.equal(answer.status, 405, `${method} ${uri}`);
          assert.deepEqual((answer.header('Allow') ?? '').split(/,\s*/).sort(), allowed, `${method} ${uri}`);
        }
      }
    }
    assert.equal(it.dump(), before);
  });
});

describe('changing a reply', () => {
  test('the form has the words, the name and the website, and not the e-mail', async () => {
    const { receipt, email, sent } = await held({ comment: '\n</textarea><b>&amp; "quoted"\n\nand more ', name: 'O\'Neil & "Co"' });
    const answer = await get(`${receipt}/edit`);
    isPrivate(answer);
    const form = replyForm(answer.text);
    assert.equal(form.method, 'post');
    for (const name of ['comment', 'name', 'website']) assert.equal(fieldOf(form, name).value, sent[name], name);
    assert.equal(fieldOf(form, 'email').value, '');
    assert.ok(!('required' in fieldOf(form, 'email').attributes), 'it stays unless retyped');
    assert.ok(describedBy(answer.text, fieldOf(form, 'email')).length > 10, 'which is said');
    assert.ok(!answer.text.includes(email));
    assert.equal(fieldOf(form, 'comment').attributes.maxlength, undefined);
  });

  test('a preview shows the words as they would look, keeps what was typed, and stores nothing', async () => {
    const { receipt } = await held();
    const form = await editForm(receipt);
    const before = it.dump();
    const typed = { comment: 'Now **loud**, <script>alert(1)</script>\n\n> quoted', name: 'Newname', website: 'https://new.example/', email: 'new@example.org' };
    const answer = await press(form, typed, ['do', 'preview']);
    assert.equal(answer.status, 200);
    isPrivate(answer);
    const preview = element(answer.text, (tag) => tag.attributes['aria-labelledby'] === 'rejoinder-preview').outer;
    assert.match(preview, /<strong>loud<\/strong>[^]*<blockquote>/);
    assert.match(preview, /&lt;script&gt;/);
    assert.match(textOf(preview), /not stored yet.*Newname/);
    const again = replyForm(answer.text);
    for (const [name, value] of Object.entries(typed)) assert.equal(fieldOf(again, name).value, value, name);
    assert.equal(it.dump(), before);
    assert.equal((await press(form, { comment: '', name: '' }, ['do', 'preview'])).status, 422, 'of nothing is told what is missing');
    assert.equal(it.dump(), before);
    assert.equal((await press(again)).status, 303, 'and from the preview it can be saved');
  });

  test('saved: new words, a higher revision, the address sealed as it was', async () => {
    const { id, receipt } = await held();
    const old = row(id);
    const answer = await edit(receipt, { comment: 'Better words.\r\nIn two lines.', name: ' Better ', website: '' });
    assert.equal(answer.status, 303);
    assert.equal(answer.header('Location'), receipt);
    const now = row(id);
    assert.equal(now.revision, old.revision + 1);
    assert.equal(now.comment, 'Better words.\nIn two lines.');
    assert.equal(now.name, 'Better');
    assert.equal(now.website, null);
    assert.equal(now.state, 'held');
    assert.ok(now.edited_at > 0);
    for (const field of ['email', 'network', 'author', 'reasons']) assert.equal(now[field], old[field], field);
    for (const field of ['content', 'words']) assert.notEqual(now[field], old[field], field);
    assert.match(textOf(shown((await get(receipt)).text)), /Better.*In two lines/);
    assert.deepEqual(tallies(), counted());
    checkWell();
  });

  test('where the store does not answer, every word comes back, and can be saved when it does', async () => {
    const { id, receipt } = await held();
    const form = await editForm(receipt);
    const typed = { comment: 'Words that took\nan hour.', name: 'Patience', email: 'patience@example.org', website: 'https://example.org/p' };
    fs.renameSync(it.database, `${it.database}.away`);
    let answer, program;
    try {
      answer = await press(form, typed);
      program = await press(form, typed, ['do', 'save'], { accept: 'application/json' });
    } finally {
      fs.renameSync(`${it.database}.away`, it.database);
    }
    assert.equal(program.status, 503);
    assert.equal(answer.status, 503);
    assert.ok(Number(answer.header('Retry-After')) > 0);
    const again = replyForm(answer.text);
    assert.deepEqual(Object.fromEntries(fieldsOf(again).filter(([name]) => name in typed)), typed);
    assert.equal((await press(again)).status, 303);
    assert.equal(row(id).comment, typed.comment);
  });

  test('the receipt says that the changes are saved', async () => {
    const { receipt } = await held();
    assert.doesNotMatch((await get(receipt)).text, /role="status"/);
    assert.equal((await edit(receipt, { comment: 'Better words than before.' })).status, 303);
    const answer = await get(receipt);
    assert.match(textOf(answer.text), /The changes are saved \(a moment ago\)/);
    assert.match(textOf(shown(answer.text)), /Better words than before\./);
  });

  test('an e-mail that is typed again is sealed anew, and its author looked up', async () => {
    const known = 'known@example.org';
    const { id: first } = await held({ email: known });
    await moderator.approve(first);
    const { id, receipt } = await held();
    const old = row(id);
    assert.match(old.reasons, /first/);
    assert.equal((await edit(receipt, { email: `  ${known.toUpperCase()} ` })).status, 303);
    const now = row(id);
    for (const field of ['email', 'author', 'content']) assert.notEqual(now[field], old[field], field);
    assert.equal(now.network, old.network);
    assert.doesNotMatch(now.reasons, /first/, 'that author has a published reply');
    const one = replies((await moderator.get()).text).find((reply) => reply.id === id);
    assert.match(one.text, /known@example\.org/i);
    checkWell();
  });

  test('reasons are sought anew, but how it was first sent stays one', async () => {
    const page = replyForm((await get('/comments/form?page=/world/quick')).text);
    const key = fieldOf(page, 'key').value;
    const { id, receipt } = await held({ page: '/world/quick', key, phone: '555 1234', comment: 'A casino: http://a.example http://b.example http://c.example http://d.example http://e.example' });
    const old = row(id).reasons.split('\n');
    for (const kind of ['links 5', 'first', 'honeypot', 'word casino']) assert.ok(old.includes(kind), `${kind} in ${old}`);
    const quick = old.find((one) => one.startsWith('quick '));
    assert.ok(quick, old.join());
    assert.equal((await edit(receipt, { comment: 'Nothing of that any more.' })).status, 303);
    assert.deepEqual(row(id).reasons.split('\n').sort(), ['first', 'honeypot', quick].sort());
    assert.equal((await edit(receipt, { comment: 'A casino after all.' })).status, 303);
    assert.deepEqual(row(id).reasons.split('\n').sort(), ['first', 'honeypot', quick, 'word casino'].sort());
  });

  test('that the changes are saved is said while it waits, and not when it is decided', async () => {
    const { id, receipt } = await held();
    assert.equal((await edit(receipt, { comment: 'Words that were changed.' })).status, 303);
    const said = async () => textOf((await get(receipt)).text);
    assert.match(await said(), /changes are saved/);
    for (const [to, from] of [['published', 'held'], ['trash', 'published']]) {
      await moderator.decide(id, to, from);
      assert.match(await said(), /Words that were changed\./, to);
      assert.doesNotMatch(await said(), /changes are saved/, to);
    }
  });

  test('page, parent, key, state and the like are not changed by an edit', async () => {
    const { id, receipt } = await held();
    const form = await editForm(receipt);
    const all = () => it.sql(`SELECT thread_id, parent_id, state, site_id, page_number, by_moderator, hex(key_hash), hex(submission_hash), created_at FROM reply WHERE id = ${id}`)[0];
    const old = all();
    const sent = [...filled(form, { comment: 'Other words.' }, ['do', 'save']), ['page', '/elsewhere'], ['parent', '1'], ['key', 'another'], ['state', 'published'], ['by_moderator', '1']];
    assert.equal((await it.reader({ uri: form.action, form: sent })).status, 303);
    assert.deepEqual(all(), old);
    assert.equal(row(id).comment, 'Other words.');
  });

  test('the moderator who saw the older words decides nothing and is shown the new ones', async () => {
    const { id, receipt } = await held();
    const { form, reply } = await moderator.decisionForm(id);
    assert.equal(reply, `${id}:1`);
    assert.equal((await edit(receipt, { comment: 'Words that nobody has read.' })).status, 303);
    const old = row(id);
    const answer = await moderator.submit(form.action, [...Moderator.rest(form), ['reply', reply], ['state', 'published']]);
    assert.equal(answer.status, 409);
    assert.match(textOf(answer.text), /Words that nobody has read\./);
    assert.deepEqual(row(id), old);
    assert.equal((await moderator.approve(id)).status, 303, 'having seen them');
    assert.equal(row(id).revision, 3);
  });

  // Nothing may be changed; what was typed must come back.
  async function isTooLate(form, typed, { revision, ...options } = {}) {
    const before = stored();
    const answer = await press(form, revision === undefined ? typed : { ...typed, revision }, ['do', 'save'], options);
    assert.equal(answer.status, 409, `revision ${revision}`);
    isPrivate(answer);
    const again = replyForm(answer.text);
    for (const [name, value] of Object.entries(typed)) assert.equal(fieldOf(again, name).value, value, name);
    assert.match(textOf(element(answer.text, (tag) => tag.attributes.role === 'alert').inner), /cannot be changed/);
    assert.deepEqual(stored(), before);
  }
  const TYPED = { comment: 'Typed for\n\nnothing <b>?', name: 'Late "L"', website: 'https://late.example/', email: 'late@example.org' };

  for (const state of ['published', 'spam', 'trash']) {
    test(`after a decision (${state}) it is 409 with the words kept, and nothing changes`, async () => {
      const { id, receipt } = await held();
      const form = await editForm(receipt);
      await moderator.decide(id, state);
      await isTooLate(form, TYPED);
      const answer = await get(`${receipt}/edit`);
      assert.equal(answer.status, 409);
      assert.equal(replyForm(answer.text), undefined);
      assert.match(textOf(element(answer.text, (tag) => tag.attributes.role === 'alert').inner), /Nothing was changed/);
    });
  }

  test('with an older revision it is 409: two tabs do not overrule each other', async () => {
    const { receipt } = await held();
    const one = await editForm(receipt), two = await editForm(receipt);
    assert.equal((await press(one, { comment: 'From the first tab.' })).status, 303);
    await isTooLate(two, TYPED);
    for (const revision of ['', '0', '-1', '3', 'x', '99999999999999999999']) await isTooLate(one, TYPED, { revision });
  });

  test('when the time is over it is 409, and with no time there is no form', async () => {
    const { id, receipt } = await held({}, { site: 'brief' });
    const form = await editForm(receipt, { site: 'brief' });
    await sleep(1100);
    await isTooLate(form, TYPED, { site: 'brief' });
    const late = await get(receipt, { site: 'brief' });
    assert.equal(forms(late.text).length, 0);
    assert.doesNotMatch(late.text, /\/edit/);
    const gone = await it.reader({ uri: `${receipt}/withdraw`, form: { revision: 1 }, site: 'brief' });
    assert.equal(gone.status, 409);
    assert.equal(row(id).state, 'held');
    const never = await held({}, { site: 'never' });
    assert.equal(forms((await get(never.receipt, { site: 'never' })).text).length, 0);
    assert.equal((await get(`${never.receipt}/edit`, { site: 'never' })).status, 409);
  });

  test('wrong fields are 422, each beside its field, with everything kept', async () => {
    const { id, receipt } = await held();
    const form = await editForm(receipt);
    const before = it.dump();
    for (const typed of [{ comment: '' }, { comment: 'x' }, { comment: 'x'.repeat(10001) }, { name: '' }, { name: 'n'.repeat(81) }, { name: 'a\u202eb' },
      { website: 'javascript:alert(1)' }, { website: `https://example.org/${'w'.repeat(2000)}` }, { email: 'no address' }, { email: 'late@example.org@' },
      { comment: ' ', name: ' ', website: 'ftp://x/', email: 'x' }]) {
      const all = { comment: 'Good words.', name: 'Good', website: '', email: '', ...typed };
      const answer = await press(form, all);
      const what = JSON.stringify(typed).slice(0, 60);
      assert.equal(answer.status, 422, what);
      const again = replyForm(answer.text);
      for (const name of ['comment', 'name', 'website', 'email']) {
        const one = fieldOf(again, name);
        assert.equal(one.attributes['aria-invalid'], name in typed ? 'true' : undefined, `${what}: ${name}`);
        if (name in typed) assert.ok(byId(answer.text, `rejoinder-${name}-error`) && describedBy(answer.text, one).length > 10, `${what}: a message beside ${name}`);
        if (!/[\n\r]/.test(all[name])) assert.equal(one.value, all[name], `${what}: ${name} kept`);
      }
      assert.equal(fieldOf(again, 'revision').value, '1');
    }
    assert.equal(it.dump(), before);
    assert.equal(row(id).revision, 1);
  });

  test('what JSON sends as something else than text is wrong, not empty', async () => {
    const { receipt } = await held();
    const before = stored();
    const good = { revision: '1', comment: 'Good words.', name: 'Good', website: 'https://example.org/', email: '' };
    for (const name of ['comment', 'name', 'website', 'email']) {
      for (const value of [7, true, {}, ['x']]) {
        const answer = await it.reader({ uri: `${receipt}/edit`, json: { ...good, [name]: value } });
        assert.equal(answer.status, 422, `${name}: ${JSON.stringify(value)}`);
        assert.equal(fieldOf(replyForm(answer.text), name).attributes['aria-invalid'], 'true');
      }
    }
    assert.deepEqual(stored(), before);
  });

  test('what is no form is refused as elsewhere: 400, 413, 415', async () => {
    const { receipt } = await held();
    const before = stored();
    const FORM = 'application/x-www-form-urlencoded';
    for (const what of ['edit', 'withdraw']) {
      for (const [status, type, body] of [[415, 'text/plain', 'x'], [400, FORM, 'revision=1&comment=%ff'], [400, FORM, 'comment=one+x&comment=two+x&revision=1'],
        [413, FORM, `revision=1&name=x&comment=${'x'.repeat(300000)}`], [400, 'application/json', '{"revision":'], [400, 'multipart/form-data', 'x']]) {
        const answer = await it.reader({ uri: `${receipt}/${what}`, body, headers: { 'Content-Type': type } });
        assert.equal(answer.status, status, `${what}: ${type}`);
        assert.deepEqual(stored(), before, `${what}: ${type}`);
      }
    }
  });
});

describe('withdrawing a reply', () => {
  // The places of the installation where one of the texts or bytes still stands.
  function where(canaries) {
    const all = canaries.map((one) => Buffer.from(one));
    return walk(it.dir).filter((file) => {
      const bytes = fs.readFileSync(file);
      return all.some((one) => bytes.includes(one));
    }).map((file) => path.relative(it.dir, file));
  }
  async function gone(canaries, ms) {
    let left = where(canaries);
    for (const end = Date.now() + ms; left.length > 0 && Date.now() < end; left = where(canaries)) await sleep(100);
    return left;
  }
  const HASHES = ['author_hash', 'client_hash', 'submission_hash', 'comment_hash', 'content_hash', 'email_sealed', 'network_sealed'];
  const blobs = (id) => Object.entries(it.sql(`SELECT ${HASHES.map((one) => `hex(${one}) AS ${one}`).join(', ')} FROM reply WHERE id = ${id}`)[0])
    .map(([name, hex]) => ({ name, bytes: Buffer.from(hex, 'hex') }));
  async function told(child, what) {
    for (let waited = 0; !what.test(child.stdoutText) && waited < 5000; waited += 20) await sleep(20);
    assert.match(child.stdoutText, what, child.stderrText);
  }
  // Somebody who reads for long: the snapshot is held until their standard input ends.
  async function longReader() {
    const reader = begin('sqlite3', ['-batch', it.database], { stdio: ['pipe', 'pipe', 'pipe'] });
    reader.stdin.write('BEGIN; SELECT count(*) FROM reply;\n');
    await told(reader, /^\d+\n/);
    return reader;
  }
  // A reply whose words exist nowhere else, and a neighbour on either side.
  async function marked(size = 900, fields = {}) {
    const mark = `canary-${randomUUID()}`;
    await held();
    const one = await held({ name: `Name ${mark}`, website: `https://${mark}.example/`, email: `${mark}@example.org`,
      comment: `Words ${mark} and so on. `.repeat(1 + Math.floor(size / 60)), ...fields });
    await held();
    const canaries = [mark, ...blobs(one.id).map(({ bytes }) => bytes)];
    assert.ok(canaries.every((canary) => canary.length >= 16), 'there is something to look for');
    assert.ok(where([mark]).length > 0, 'and it is found while it is there');
    return { ...one, mark, canaries };
  }

  test('everything is erased, from the row and from every file; that there was one stays', async () => {
    const { id, receipt, mark, canaries, sent } = await marked();
    const answer = await withdraw(receipt);
    assert.equal(answer.status, 303);
    assert.equal(answer.header('Location'), receipt);
    const now = it.sql(`SELECT * FROM reply WHERE id = ${id}`)[0];
    assert.equal(now.state, 'withdrawn');
    assert.equal(now.revision, 2);
    for (const field of ['name', 'comment', 'content_hash', 'reasons']) assert.equal(now[field], '', field);
    for (const field of ['website', 'email_sealed', 'network_sealed', 'author_hash', 'client_hash', 'submission_hash', 'comment_hash']) assert.equal(now[field], null, field);
    assert.deepEqual(await gone(canaries, TICK + 1500), []);

    const page = await get(receipt);
    assert.equal(page.status, 200);
    isPrivate(page);
    assert.match(heading(page.text), /is withdrawn/);
    assert.equal(forms(page.text).length, 0);
    assert.equal(shown(page.text), '');
    assert.ok(!page.text.includes(mark));

    // The public door leaves a slip, which the moderators' door copies into the log.
    const told = (table, who) => `SELECT action, from_state, to_state, revision, ${who} AS who FROM ${table} WHERE reply_id = ${id}`;
    assert.deepEqual(it.sql(`${told('slip', "''")} UNION ALL ${told('decision', 'moderator || network || why')}`),
      [{ action: 'withdraw', from_state: 'held', to_state: 'withdrawn', revision: 2, who: '' }]);
    assert.deepEqual(tallies(), counted());
    checkWell();

    const count = it.count();
    for (const again of [sent, { ...sent, comment: 'Other words with the same key.' }]) {
      const refused = await it.reader({ uri: '/comments/reply', json: again, accept: 'application/json' });
      assert.equal(refused.status, 409, refused.text);
      assert.ok(!refused.text.includes(receipt));
    }
    assert.equal(it.count(), count, 'the key stays spent');
    assert.equal((await it.reader({ uri: `${receipt}/withdraw`, form: { revision: 2 } })).status, 409, 'once');
    assert.equal((await get(`${receipt}/edit`)).status, 409);
    assert.ok(!it.logs.reader.includes(mark) && !it.logs.moderator.includes(mark));
  });

  test('also what stood there before an edit, and what was once published', async () => {
    const { id, receipt, mark, canaries } = await marked(900, { page: '/world/once' });
    await edit(receipt, { comment: `Edited ${mark}, and shorter.`, name: `Later ${mark}` });
    assert.equal((await moderator.approve(id)).status, 303);
    assert.ok(where([mark]).some((file) => file.startsWith('public/')), 'it is published');
    assert.equal((await moderator.decide(id, 'held', 'published')).status, 303);
    const form = withdrawForm((await get(receipt)).text);
    assert.ok(form, 'it waits again, so it may be withdrawn');
    const later = blobs(id).map(({ bytes }) => bytes);
    assert.equal((await it.reader({ uri: form.action, form: fieldsOf(form) })).status, 303);
    assert.deepEqual(await gone([...canaries, ...later], TICK + 1500), []);
    checkWell();
  });

  test('many at once, among others that stay', async () => {
    const all = [];
    // Of many sizes, since SQLite moves rows about when others come and go.
    for (let i = 0; i < 12; i++) all.push(await marked(randomBelow(3000)));
    const order = [7, 2, 9, 0, 11, 4];
    const answers = await Promise.all(order.map((i) => withdraw(all[i].receipt)));
    assert.deepEqual(answers.map((answer) => answer.status), order.map(() => 303));
    assert.deepEqual(await gone(order.flatMap((i) => all[i].canaries), TICK + 1500), []);
    const stay = all.filter((one, i) => !order.includes(i));
    for (const { mark } of stay) assert.ok(where([mark]).includes('rejoinder.db'), 'the others are there');
    assert.deepEqual(tallies(), counted());
    checkWell();
  });

  test('a moderator who has it on the screen is told, and brings nothing back', async () => {
    const { id, receipt, mark } = await marked();
    const { form } = await second.decisionForm(id);
    assert.equal((await withdraw(receipt)).status, 303);
    for (const revision of [1, 2]) {
      for (const state of ['published', 'spam', 'trash', 'held']) {
        const answer = await second.submit(form.action, [...Moderator.rest(form), ['reply', `${id}:${revision}`], ['state', state]]);
        assert.equal(answer.status, 409, `${revision} to ${state}`);
        assert.ok(!answer.text.includes(mark));
      }
    }
    assert.equal(row(id).state, 'withdrawn');
    assert.deepEqual(tallies(), counted());
    for (const state of ['held', 'published', 'spam', 'trash']) {
      assert.ok(!replies((await second.get(`/comments/moderate/?state=${state}`)).text).some((one) => one.id === id), state);
    }
  });

  test('of an approval, an edit and a withdrawal at once exactly one comes about', async () => {
    const won = { published: 0, edited: 0, withdrawn: 0 };
    for (let round = 0; round < 20; round++) {
      const { id, receipt } = await held();
      const [{ form, reply }, own, out] = [await moderator.decisionForm(id), await editForm(receipt), withdrawForm((await get(receipt)).text)];
      const all = [() => moderator.submit(form.action, [...Moderator.rest(form), ['reply', reply], ['state', 'published']]),
        () => press(own, { comment: 'Edited in a hurry.' }), () => it.reader({ uri: out.action, form: fieldsOf(out) })];
      const turned = [0, 1, 2].map((i) => (i + round) % 3);
      const statuses = [];
      await Promise.all(turned.map(async (i) => { statuses[i] = (await all[i]()).status; }));
      assert.deepEqual([...statuses].sort(), [303, 409, 409], statuses.join(' '));
      const now = row(id), winner = ['published', 'edited', 'withdrawn'][statuses.indexOf(303)];
      assert.equal(now.revision, 2);
      assert.equal(now.state, winner === 'edited' ? 'held' : winner);
      assert.equal(now.comment === 'Edited in a hurry.', winner === 'edited');
      assert.equal(now.comment === '', winner === 'withdrawn');
      won[winner]++;
    }
    console.log(`receipt: of twenty races ${Object.entries(won).map(([what, n]) => `${n} ${what}`).join(', ')}`);
    assert.deepEqual(tallies(), counted());
    checkWell();
  });

  test('after a decision, or as it was before an edit, it cannot be withdrawn: 409, nothing erased', async () => {
    const { id, receipt, mark } = await marked();
    const form = withdrawForm((await get(receipt)).text);
    await edit(receipt, { name: `Other ${mark}` });
    const sends = () => it.reader({ uri: form.action, form: fieldsOf(form) });
    for (const decide of [undefined, 'published', 'trash']) {
      if (decide) await moderator.decide(id, decide, decide === 'trash' ? 'published' : 'held');
      const before = stored();
      const answer = await sends();
      assert.equal(answer.status, 409);
      isPrivate(answer);
      assert.match(textOf(element(answer.text, (tag) => tag.attributes.role === 'alert').inner), /Nothing was changed/);
      assert.deepEqual(stored(), before);
    }
  });

  test('while somebody reads a snapshot it is erased from the row at once, and from the files when they end', async () => {
    const { id, receipt, canaries } = await marked();
    const reader = await longReader();
    try {
      const begun = Date.now();
      assert.equal((await withdraw(receipt)).status, 303);
      assert.ok(Date.now() - begun < 4000, 'nobody waits for the reader');
      assert.equal(row(id).comment, '');
      await sleep(TICK + 500);
      assert.notDeepEqual(where(canaries), [], 'the snapshot needs it');
      await held();
      reader.stdin.write(`SELECT length(comment) FROM reply WHERE id = ${id};\n`);
      await told(reader, /^\d+\n[1-9]\d*\n/);
    } finally {
      reader.stdin.end();
      await reader.over;
    }
    assert.deepEqual(await gone(canaries, TICK + 1500), []);
    checkWell();
  });

  test('nor does it come back by a restart, which finishes what was left', async () => {
    const { receipt, canaries } = await marked();
    const reader = await longReader();
    assert.equal((await withdraw(receipt)).status, 303);
    await it.stop('reader', 'SIGKILL');
    reader.stdin.end();
    await reader.over;
    assert.notDeepEqual(where(canaries), [], 'it is left over');
    await it.start('reader');
    assert.deepEqual(await gone(canaries, TICK + 1500), []);
    assert.match(heading((await get(receipt, { address: freshAddress() })).text), /is withdrawn/);
  });
});
