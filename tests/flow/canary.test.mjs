// A canary - an e-mail, an IP and a user agent that exist nowhere else - goes through everything that
// happens to a reply.  Afterwards neither it nor anything that is easily made of it stands in any file of
// the installation, in any answer to readers, or in a log.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { files, formsOf, search as searchFor } from '../lib/canary.mjs';
import { replies, fieldOf, replyForm, signedIn } from '../lib/browserless.mjs';
import { makeFolder, dropFolder, makeInstance, sqlOf, tellSeed } from '../lib/instance.mjs';

const CANARIES = {
  email: `Canary.${randomUUID()}@nest-${randomUUID().slice(0, 8)}.example`,
  address: '198.51.100.213',
  agent: `CanaryBrowser/${randomUUID()}`,
};

const FORMS = Object.entries(CANARIES).flatMap(([what, text]) => formsOf(text).map((form) => ({ what, ...form })));
const search = (places, forms = FORMS) => searchFor(places, forms);

// --- the canary's life ---

let it, moderator;
const answers = [];
const seen = (name, answer) => answers.push({ name: `the answer to ${name}`, bytes: answer.bytes });
const own = { address: CANARIES.address };
const headers = { 'User-Agent': CANARIES.agent };
const reply = (fields) => it.goodReply({ email: CANARIES.email, ...fields });

before(async () => {
  tellSeed();
  it = await makeInstance({ sites: { slow: { pace_burst: 1, pace_every: 60 }, paused: { paused: true } } });
  it.addModerator('editor', 'a steppe is not a step');
  await it.start('reader');
  await it.start('moderator');
  moderator = await signedIn(it);
});
after(() => it?.tidy());

test('the search finds each form in each kind of place', async () => {
  const folder = makeFolder();
  try {
    for (const form of FORMS) {
      const noise = Buffer.concat([Buffer.from('before \xff '), form.bytes, Buffer.from(' after')]);
      assert.equal(search([{ name: 'a place', bytes: noise }], [form]).length, 1, form.name);
    }
    const file = path.join(folder, 'planted.db');
    const some = ['as it is', 'md5, bytes', 'sha256, hex', 'base64'].map((name) => FORMS.find((form) => form.name === name));
    sqlOf(file, 'PRAGMA journal_mode = WAL; CREATE TABLE t (x)');
    for (const form of some) sqlOf(file, `INSERT INTO t VALUES (x'${form.bytes.toString('hex')}')`);
    assert.deepEqual(some.map((form) => search(files(folder), [form]).length > 0), [true, true, true, true], 'in a database');
    fs.mkdirSync(path.join(folder, 'public/main/threads/x/~'), { recursive: true });
    const thread = path.join(folder, 'public/main/threads/x/~/thread.html');
    for (const form of some) {
      fs.writeFileSync(thread, Buffer.concat([Buffer.from('<p>'), form.bytes, Buffer.from('</p>')]));
      assert.ok(search(files(folder), [form]).some((hit) => hit.includes('thread.html')), 'in a published file');
    }
  } finally {
    dropFolder(folder);
  }
});

test('the canary is posted, refused in every way, decided about, published, and asked for', async () => {
  const post = async (name, options, fields) => {
    const answer = await it.reader({ uri: '/comments/reply', ...own, accept: 'application/json', ...options,
      headers: { ...headers, ...options.headers }, ...(options.body === undefined && !options.form ? { json: reply(fields) } : {}) });
    seen(name, answer);
    return answer;
  };
  const page = '/world/canary';
  const first = reply({ page });
  const taken = await post('a reply', { form: first });
  assert.equal(taken.status, 201);
  const { id, receipt } = taken.json();
  const statuses = [
    (await post('the same again', { form: first })).status,
    (await post('another with its key', { form: { ...first, comment: 'Other words than those before.' } })).status,
    (await post('the same words', { form: { ...first, key: 'another-canary-key', name: 'Other' } })).status,
    (await post('a wrong website', {}, { website: 'javascript:x' })).status,
    (await post('a wrong e-mail', {}, { email: `${CANARIES.email}@` })).status,
    (await post('a wrong parent', {}, { parent: '99999' })).status,
    (await post('no page', {}, { page: 'nowhere' })).status,
    (await post('a paused site', { site: 'paused' })).status,
    (await post('bad bytes', { body: `email=${CANARIES.email}&name=%ff`, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })).status,
    (await post('bad JSON', { body: `{"email":"${CANARIES.email}",}`, headers: { 'Content-Type': 'application/json' } })).status,
    (await post('a wrong type', { body: CANARIES.email, headers: { 'Content-Type': 'text/plain' } })).status,
    (await post('too much', { form: reply({ padding: 'x'.repeat(300000) }) })).status,
    (await post('a wrong method', { method: 'PUT', form: first })).status,
    (await post('the first of a slow site', { site: 'slow' })).status,
    (await post('the second of a slow site', { site: 'slow' })).status,
    (await post('the query', { uri: `/comments/reply?email=${encodeURIComponent(CANARIES.email)}` }, { name: '' })).status,
  ];
  assert.deepEqual(statuses.map((status) => (status === 200 ? 201 : status)), [201, 409, 409, 422, 422, 422, 404, 403, 400, 400, 415, 413, 405, 201, 429, 422]);

  // A form goes back to its sender with the address in its field, nowhere else.
  const back = await it.reader({ uri: '/comments/reply', ...own, headers, form: reply({ comment: '' }) });
  assert.equal(back.status, 422);
  assert.equal(fieldOf(replyForm(back.text), 'email').value, CANARIES.email);
  const blanked = Buffer.from(back.bytes.toString('latin1').replaceAll(`value="${CANARIES.email}"`, ''), 'latin1');
  answers.push({ name: 'the form, but for its field', bytes: blanked });

  const visit = async (uri) => seen(uri, await it.reader({ uri, ...own, headers }));
  await visit(receipt);
  await moderator.approve(id);
  await visit(receipt);
  await moderator.decide(id, 'held', 'published');
  await moderator.approve(id);
  for (const uri of [`/comments/form?page=${page}&parent=${id}`, `/comments/form?page=${page}&email=${encodeURIComponent(CANARIES.email)}`,
    `/comments/threads${page}/~/thread.html`, `/comments/threads${page}/~/thread.json`, `/comments/threads${page}/~/feed.xml`,
    `/comments/nowhere/${encodeURIComponent('x')}`, '/comments/receipt/forged', '/comments/health']) await visit(uri);
  assert.match(it.thread(page), new RegExp(`reply-${id}`), 'it is published');
  it.mustCli(['publish', '--all']);
  answers.push({ name: 'the command line', bytes: Buffer.from(JSON.stringify([it.cli(['check']), it.cli(['stats']), it.cli(['moderator', 'list'])].map(({ stdout, stderr }) => stdout + stderr))) });
});

test('only the signed-in moderator sees the address and the network', async () => {
  const one = replies((await moderator.get('/comments/moderate/?state=published')).text)[0];
  assert.ok(one.text.toLowerCase().includes(CANARIES.email.toLowerCase()), 'the e-mail');
  assert.ok(one.text.includes(CANARIES.address), 'the network');
  assert.ok(!one.html.includes(CANARIES.agent), 'the browser is kept nowhere');
});

test('no answer to a reader has any form of it', () => {
  assert.ok(answers.length > 25);
  assert.deepEqual(search(answers), []);
});

test('no log has any form of it', () => {
  const logs = Object.entries(it.logs).map(([door, text]) => ({ name: `${door}'s log`, bytes: Buffer.from(text) }));
  assert.ok(logs.every(({ bytes }) => bytes.length > 20));
  assert.deepEqual(search(logs), []);
});

test('no file of the installation has any form of it: store, WAL, published, locks, pace', () => {
  const running = files(it.dir);
  for (const name of ['rejoinder.db', 'rejoinder.db-wal', 'moderators/moderators.db']) assert.ok(running.some((one) => one.name === name), name);
  assert.ok(running.some(({ name }) => name.endsWith('world/canary/~/feed.xml')));
  assert.deepEqual(search(running), []);
});

test('nor after a clean stop, when the WAL is in the store', async () => {
  await it.stop('reader');
  await it.stop('moderator');
  assert.deepEqual(search(files(it.dir)), []);
});
