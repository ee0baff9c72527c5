// What a submission is answered, by submission.table, email.table and website.table: each row for each
// encoding of the request and each kind of answer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { describedBy, fieldOf, replyForm, signedIn, textOf } from '../lib/browserless.mjs';
import { SEED, fresh, freshAddress, makeInstance, tellSeed } from '../lib/instance.mjs';
import { changes, evaluate, readTable } from './table.mjs';

const PASSWORD = 'a steppe is not a step';
const here = (name) => new URL(name, import.meta.url);

// --- encodings: fields are [[name, Buffer]] ---

const percent = (bytes) => [...bytes].map((b) => (/[A-Za-z0-9*._-]/.test(String.fromCharCode(b)) ? String.fromCharCode(b)
  : `%${b.toString(16).padStart(2, '0')}`)).join('');

function quoted(bytes) {
  const parts = [];
  for (const b of bytes) {
    if (b < 0x20) parts.push(Buffer.from(`\\u${b.toString(16).padStart(4, '0')}`));
    else if (b === 0x22 || b === 0x5c) parts.push(Buffer.from([0x5c, b]));
    else parts.push(Buffer.from([b]));
  }
  return Buffer.concat([Buffer.from('"'), ...parts, Buffer.from('"')]);
}

function jsonBody(fields) {
  const members = fields.flatMap(([name, value], i) => [Buffer.from(i > 0 ? ',' : ''), quoted(Buffer.from(name)), Buffer.from(':'), quoted(value)]);
  return Buffer.concat([Buffer.from('{'), ...members, Buffer.from('}')]);
}

const BOUNDARY = '----TestsFormBoundary7MA4YWxkTrZu0gW';
function multipartBody(fields) {
  const parts = fields.flatMap(([name, value]) => [Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${
    name.replace(/"/g, '%22').replace(/\r/g, '%0D').replace(/\n/g, '%0A')}"\r\n\r\n`), value, Buffer.from('\r\n')]);
  return Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

// A further encoding is one more row here.
const ENCODINGS = [
  { name: 'url', type: 'application/x-www-form-urlencoded',
    encode: (fields) => Buffer.from(fields.map(([name, value]) => `${percent(Buffer.from(name))}=${percent(value)}`).join('&')) },
  { name: 'json', type: 'application/json', encode: jsonBody },
  { name: 'multipart', type: `multipart/form-data; boundary=${BOUNDARY}`, encode: multipartBody },
];
const ANSWERS = [
  { name: 'page', accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
  { name: 'JSON', accept: 'application/json' },
];

// --- a run: one row with one encoding and one answer ---

let it, moderator, prepared;
let combinations = 0;

function goodFields(run) {
  const text = { page: '/world/astana-summit', name: `Asel ${run.n}`, email: `asel${run.n}@example.org`, website: `https://example.org/${run.n}`,
    comment: `A word about the summit, number ${run.n} of many.`, key: `table-${SEED}-${process.pid}-${run.n}` };
  return Object.entries(text).map(([name, value]) => [name, Buffer.from(value)]);
}

function makeRun(encoding, answer) {
  const run = { n: fresh(), encoding, answer, address: freshAddress() };
  run.good = goodFields(run);
  run.prepared = { ...prepared, own: `/own/${run.n}` };
  return run;
}

// The good submission of a run with `change`: {fields, how}.
function changed(run, change) {
  const how = {};
  let fields = run.good.map(([name, value]) => [name, value]);
  for (const { kind, name, value } of changes(change, run.prepared)) {
    if (kind === 'how') how[name] = name === 'raw' || name === 'tail' ? value : value.toString();
    else {
      const at = fields.findIndex(([field]) => field === name);
      const own = name === 'key' && value ? Buffer.concat([value, Buffer.from(`-${run.n}`)]) : value;
      if (kind === 'drop') fields = fields.filter(([field]) => field !== name);
      else if (at < 0) fields.push([name, own]);
      else fields[at] = [name, own];
    }
  }
  return { fields, how };
}

function bodyOf({ encoding }, fields, how) {
  let all = fields;
  if (how.twice) all = [...all, all.find(([name]) => name === how.twice)];
  if (how.members) all = [...all, ...Array.from({ length: Number(how.members) }, (_, i) => [`m${i}`, Buffer.from('1')])];
  if (how.size) {
    const empty = encoding.encode([...all, ['padding', Buffer.alloc(0)]]).length;
    all = [...all, ['padding', Buffer.alloc(Number(how.size) - empty, 'p')]];
  }
  return Buffer.concat([how.raw ?? encoding.encode(all), how.tail ?? Buffer.alloc(0)]);
}

function send(run, { fields, how }) {
  const body = bodyOf(run, fields, how);
  const length = how.length === 'more' ? body.length + 100 : how.length ?? body.length;
  return it.reader({
    method: how.method ?? 'POST', uri: `/comments/reply${how.query ? `?${how.query}` : ''}`, body, length,
    headers: { 'Content-Type': how.type ?? run.encoding.type, 'User-Agent': `tests/${run.n}`, Origin: 'http://localhost:8080' },
    accept: run.answer.accept, site: how.site, address: how.fresh ? freshAddress() : run.address,
  });
}

// Carries out the `before` cell; the answer to the first `sent`.
async function prepare(run, text) {
  let first, last;
  for (const [step, inBrackets, verdict] of text.matchAll(/sent(?:\(((?:"(?:[^"\\]|\\.)*"|[^)"])*)\))?|>\s*(\w+)|closed/g)) {
    if (step.startsWith('sent')) {
      const answer = await send(run, changed(run, inBrackets ?? ''));
      assert.ok([201, 303].includes(answer.status), `what should have been taken before: ${answer.status} ${textOf(answer.text)}`);
      last = it.sql('SELECT max(id) AS id FROM reply')[0].id;
      first ??= answer;
    } else if (verdict) assert.equal((await moderator.decide(last, verdict)).status, 303, `to ${verdict}`);
    else it.mustCli(['close', run.prepared.own]);
  }
  return first;
}

// --- what is expected ---

const lines = (value) => value.toString().replace(/\r\n?/g, '\n');

function checkTaken(run, answer, first, { fields }) {
  if (run.answer.name === 'page') {
    assert.equal(answer.status, 303);
    assert.match(answer.header('Location'), /^(http:\/\/localhost:8080)?\/comments\/receipt\/[\w-]{16,}$/);
    if (first) assert.equal(answer.header('Location'), first.header('Location'), 'the first receipt again');
  } else {
    assert.ok(first ? [200, 201].includes(answer.status) : answer.status === 201, `status ${answer.status}`);
    const { id, receipt } = answer.json();
    assert.match(id, /^\d+$/);
    assert.match(receipt, /^\/comments\/receipt\/[\w-]{16,}$/);
    if (first) assert.deepEqual({ id, receipt }, { id: first.json().id, receipt: first.json().receipt });
    else assert.equal(answer.json().state, 'held');
  }
  if (first || !fields) return;
  const row = it.sql('SELECT name, website, comment, state FROM reply ORDER BY id DESC LIMIT 1')[0];
  const sent = Object.fromEntries(fields.map(([name, value]) => [name, lines(value)]));
  assert.deepEqual(row, { name: sent.name.trim(), website: sent.website?.trim() || null, comment: sent.comment, state: 'held' }, 'stored as sent');
}

function checkRefused(run, row, answer) {
  assert.equal(answer.status, Number(row.status), textOf(answer.text).slice(0, 300));
  if (run.answer.name === 'JSON') {
    const { error, message, errors } = answer.json();
    assert.match(error, /^[a-z][a-z-]*$/);
    assert.ok(message.length > 5, 'a sentence');
    if (row.status === '422') assert.deepEqual(Object.keys(errors).sort(), row.error.split(' ').sort());
    else assert.equal(errors, undefined, 'errors belong to 422');
    for (const text of Object.values(errors ?? {})) assert.ok(typeof text === 'string' && text.length > 5);
  } else if (row.status === '422') {
    for (const name of row.error.split(' ').filter((one) => one !== 'parent' && one !== 'page')) {
      const one = fieldOf(replyForm(answer.text) ?? { controls: [] }, name);
      assert.ok(one, `no control ${name} in the form`);
      assert.ok(describedBy(answer.text, one).length > 5, `no message beside ${name}`);
      assert.equal(one.attributes['aria-invalid'], 'true', `${name} is not marked`);
    }
  }
  if (row.status === '405') assert.match(answer.header('Allow') ?? '', /\bPOST\b/);
  if (['429', '503'].includes(row.status)) assert.match(answer.header('Retry-After') ?? '', /^[1-9]\d*$/);
}

function checkKept(run, row, answer, { fields }) {
  if (row.kept === '-' || run.answer.name === 'JSON') return;
  const sent = Object.fromEntries(fields.map(([name, value]) => [name, lines(value)]));
  if (row.kept === 'words') {
    const typed = textOf(answer.text.replace(/<textarea/g, ' <textarea'));
    assert.ok(typed.includes(sent.comment.trim().replace(/\s+/g, ' ')), `the comment is lost: ${typed.slice(0, 300)}`);
    return;
  }
  const form = replyForm(answer.text);
  assert.ok(form, `no form: ${textOf(answer.text).slice(0, 300)}`);
  assert.match(form.action, /\/comments\/reply$/);
  for (const name of ['name', 'email', 'website', 'comment']) {
    assert.equal(lines(fieldOf(form, name)?.value ?? '(no field)'), sent[name] ?? '', `${name} came back otherwise`);
  }
  const key = fieldOf(form, 'key')?.value;
  assert.ok(key, 'a form has a key');
  if (row.kept === 'key' && sent.key) assert.equal(key, sent.key, 'the same key again');
  if (row.kept === 'fresh') assert.notEqual(key, sent.key, 'a fresh key');
}

function checkAlways(run, answer, { fields }, isRefusal) {
  assert.equal(answer.header('X-Content-Type-Options'), 'nosniff');
  if (answer.body.length > 0) {
    assert.match(answer.header('Content-Type'), run.answer.name === 'JSON' ? /^application\/json/ : /^text\/html; ?charset=utf-8$/i);
    if (run.answer.name === 'page') assert.match(answer.header('Content-Security-Policy') ?? '', /default-src 'none'/);
  }
  const email = fields.find(([name]) => name === 'email')?.[1].toString() ?? '';
  const form = run.answer.name === 'page' && isRefusal;
  if (!form && email.length > 5) assert.ok(!answer.bytes.includes(email), 'the e-mail is in the answer');
}

// Counting takes longer than asking a door: what was counted last still holds when nothing came between.
let counted;
function countBefore() {
  counted ??= it.count();
  return counted;
}
function storedSince(count) {
  counted = it.count();
  return counted - count;
}

async function tryRow(row, run) {
  if (row.before !== '') counted = undefined;
  const first = await prepare(run, row.before);
  const count = countBefore();
  const submission = changed(run, row.change);
  const answer = await send(run, submission);
  const isRefusal = !['accepted', 'again'].includes(row.status);
  assert.equal(storedSince(count), Number(row.stored), `replies stored; the answer was ${answer.status} ${textOf(answer.text).slice(0, 300)}`);
  if (row.status === 'accepted') checkTaken(run, answer, undefined, submission.how.raw ? {} : submission);
  else if (row.status === 'again') checkTaken(run, answer, first, submission);
  else checkRefused(run, row, answer);
  checkKept(run, row, answer, submission);
  checkAlways(run, answer, submission, isRefusal);
}

async function everyWay(row, work) {
  for (const encoding of ENCODINGS) {
    if (row.in && !row.in.split(' ').includes(encoding.name)) continue;
    for (const answer of ANSWERS) {
      combinations++;
      const run = makeRun(encoding, answer);
      try {
        await work(run);
      } catch (error) {
        error.message = `line ${row.number}, sent as ${encoding.name}, answered as ${answer.name}: ${error.message}`;
        throw error;
      }
    }
  }
}

// --- fixtures: one reply in every state ---

before(async () => {
  tellSeed();
  it = await makeInstance({ sites: { narrow: { pages: ['/world/*'] }, paused: { paused: true },
    slow: { pace_burst: 2, pace_every: 60 } } });
  it.addModerator('editor', PASSWORD);
  await it.start('reader');
  await it.start('moderator');
  moderator = await signedIn(it, 'editor', PASSWORD);
  prepared = {};
  for (const [name, page, state] of [['published', '/world/astana-summit', 'published'], ['elsewhere', '/world/elsewhere', 'published'],
    ['above', '/world/astana-summit', 'published'],
    ['held', '/world/astana-summit', 'held'], ['spam', '/world/astana-summit', 'spam'], ['trash', '/world/astana-summit', 'trash']]) {
    prepared[name] = (await it.post({ page })).id;
    if (state !== 'held') assert.equal((await moderator.decide(prepared[name], state)).status, 303);
  }
  prepared.below = (await it.post({ page: '/world/astana-summit', parent: prepared.above, name: 'Below', email: 'below@example.org' })).id;
  assert.equal((await moderator.decide(prepared.below, 'published')).status, 303);
  assert.equal((await moderator.decide(prepared.above, 'trash', 'published')).status, 303);
  await it.post({ page: '/closed' });
  it.mustCli(['close', '/closed']);
});
after(async () => {
  console.log(`submissions: ${combinations} combinations of case, encoding and answer were tried`);
  await it?.tidy();
});

// --- the tables ---

for (const row of readTable(here('submission.table'))) {
  test(`submission: ${row.name}`, () => everyWay(row, (run) => tryRow(row, run)));
}

function oneField(file, field) {
  for (const row of readTable(here(file))) {
    test(`${field}: ${row[field === 'email' ? 'address' : field]} is ${row.valid === 'yes' ? 'taken' : 'refused'}`, () => everyWay(row, async (run) => {
      const value = evaluate(row[field === 'email' ? 'address' : field]);
      const fields = run.good.map(([name, good]) => [name, name === field ? value : good]);
      const count = countBefore();
      const answer = await send(run, { fields, how: {} });
      const taken = row.valid === 'yes';
      assert.equal(storedSince(count), taken ? 1 : 0, `answered ${answer.status}: ${textOf(answer.text).slice(0, 300)}`);
      if (taken) checkTaken(run, answer, undefined, {});
      else {
        checkRefused(run, { status: '422', error: field }, answer);
        // A browser itself takes line ends out of a one-line field.
        if (!/[\x00-\x1f]/.test(value.toString())) checkKept(run, { kept: 'key' }, answer, { fields });
      }
    }));
  }
}
oneField('email.table', 'email');
oneField('website.table', 'website');

test('a form that was refused can be sent again as it came back', async () => {
  const run = makeRun(ENCODINGS[0], ANSWERS[0]);
  const refused = await send(run, changed(run, 'email="no" parent=$published'));
  const form = replyForm(refused.text);
  const fields = form.controls.filter((one) => one.name && one.type !== 'submit')
    .map((one) => [one.name, Buffer.from(one.name === 'email' ? 'mended@example.org' : one.value)]);
  const answer = await send(run, { fields, how: {} });
  checkTaken(run, answer, undefined, {});
  assert.equal(it.sql('SELECT parent_id FROM reply ORDER BY id DESC LIMIT 1')[0].parent_id, Number(prepared.published), 'the parent was kept');
});

test('the form page has a fresh key each time and keeps page and parent', async () => {
  const keys = new Set();
  for (let i = 0; i < 3; i++) {
    const answer = await it.reader({ uri: `/comments/form?page=/world/astana-summit&parent=${prepared.published}` });
    assert.equal(answer.status, 200);
    const form = replyForm(answer.text);
    assert.equal(fieldOf(form, 'page').value, '/world/astana-summit');
    assert.equal(fieldOf(form, 'parent').value, prepared.published);
    assert.equal(fieldOf(form, 'comment').attributes.maxlength, undefined, 'browsers cut a paste silently');
    assert.match(answer.header('Cache-Control'), /no-store/);
    keys.add(fieldOf(form, 'key').value);
  }
  assert.equal(keys.size, 3);
});

test('the form page names the author of a reply that is shown, and of no other', async () => {
  const named = [];
  for (const parent of ['published', 'below', 'above', 'held', 'spam', 'trash', 'elsewhere']) {
    const [{ name }] = it.sql(`SELECT name FROM reply WHERE id = ${prepared[parent]}`);
    const answer = await it.reader({ uri: `/comments/form?page=/world/astana-summit&parent=${prepared[parent]}` });
    assert.equal(answer.status, 200);
    if (textOf(answer.text).includes(name)) named.push(parent);
  }
  assert.deepEqual(named, ['published']);
});

test('the form page says where the reply to be answered is not shown, and sends no parent then', async () => {
  const gone = async (query) => {
    const { status, text } = await it.reader({ uri: `/comments/form?${query}` });
    assert.equal(status, 200, query);
    const form = replyForm(text);
    return [/not here any more/.test(textOf(text)), fieldOf(form, 'parent') !== undefined, fieldOf(form, 'key').value.length > 0];
  };
  for (const parent of ['999999', 'x', '-1', prepared.held, prepared.trash, prepared.below, prepared.elsewhere]) {
    assert.deepEqual(await gone(`page=/world/astana-summit&parent=${parent}`), [true, false, true], parent);
  }
  assert.deepEqual(await gone('page=/nobody/yet&parent=1'), [true, false, true]);
  assert.deepEqual(await gone(`page=/world/astana-summit&parent=${prepared.published}`), [false, true, true]);
  assert.deepEqual(await gone('page=/world/astana-summit&parent='), [false, false, true]);
  assert.deepEqual(await gone('page=/world/astana-summit'), [false, false, true]);
});

test('what answers a reply still does when it comes back from a store that does not answer', async () => {
  const sent = it.goodReply({ parent: prepared.published });
  let answer;
  it.sql('ALTER TABLE reply RENAME TO lost');
  try {
    answer = await it.reader({ uri: '/comments/reply', form: sent });
  } finally {
    it.sql('ALTER TABLE lost RENAME TO reply');
  }
  assert.equal(answer.status, 503);
  assert.doesNotMatch(textOf(answer.text), /not here any more/);
  const form = Object.fromEntries(replyForm(answer.text).controls.filter((one) => one.name && one.type !== 'submit').map((one) => [one.name, one.value]));
  assert.equal(form.parent, prepared.published);
  assert.equal((await it.reader({ uri: '/comments/reply', form })).status, 303);
  assert.equal(it.sql('SELECT parent_id AS p FROM reply ORDER BY id DESC LIMIT 1')[0].p, Number(prepared.published));
});

test('a website without its https:// is refused with what to type, and nothing else is', async () => {
  for (const [website, offered] of [['example.org', true], ['www.example.org/~me?a=b', true], ['b\u{FC}cher.example', true], ['example.org<b>/x', false], ['example.org/a b', false],
    ['example', false], ['//example.org', false], ['ftp://example.org', false], ['a@example.org', false], ['javascript:x.y', false], ['exam\u{200B}ple.org', false]]) {
    const answer = await it.reader({ uri: '/comments/reply', json: it.goodReply({ website }), accept: 'application/json' });
    assert.equal(answer.status, 422, website);
    assert.equal(answer.json().errors.website.endsWith(`https://${website}`), offered, answer.json().errors.website);
  }
  const page = await it.reader({ uri: '/comments/reply', form: it.goodReply({ website: 'example.org/me' }) });
  const input = fieldOf(replyForm(page.text), 'website');
  assert.equal(input.value, 'example.org/me');
  assert.match(describedBy(page.text, input), /https:\/\/example\.org\/me$/);
});

test('the receipt tells what became of a reply, and no more', async () => {
  const { id, receipt } = await it.post();
  const waiting = await it.reader({ uri: receipt });
  assert.equal(waiting.status, 200);
  assert.match(waiting.header('Cache-Control'), /no-store/);
  assert.match(`${waiting.header('X-Robots-Tag') ?? ''}${waiting.text}`, /noindex/);
  await moderator.approve(id);
  const published = await it.reader({ uri: receipt });
  assert.ok(published.text.includes(`reply-${id}`), 'its link');
  await moderator.decide(id, 'spam', 'published');
  const refused = await it.reader({ uri: receipt });
  assert.equal(refused.status, 200);
  assert.doesNotMatch(textOf(refused.text), /spam/i, 'never more than «not published»');
  const forged = receipt.slice(0, -1) + (receipt.endsWith('A') ? 'B' : 'A');
  assert.equal((await it.reader({ uri: forged })).status, 404);
  assert.equal((await it.reader({ uri: '/comments/receipt/' })).status, 404);
});

test('the honeypot and a quick form only add reasons', async () => {
  for (const fields of [{ phone: '555 1234' }, {}]) {
    const { id } = await it.post(fields);
    const row = it.sql(`SELECT state, reasons FROM reply WHERE id = ${id}`)[0];
    assert.equal(row.state, 'held');
    if (fields.phone) assert.notEqual(row.reasons, '', 'a reason is noted');
  }
});

test('no answer tells whether an e-mail address is known', async () => {
  const known = 'known@example.org';
  const { id } = await it.post({ email: known });
  await moderator.approve(id);
  const shape = async (email) => {
    const answer = await it.reader({ uri: '/comments/reply', form: it.goodReply({ email }), headers: { 'User-Agent': 'x' } });
    return [answer.status, ...answer.headers.map(([name, value]) => (name === 'Location' ? name : `${name}: ${value}`)), answer.text.replace(/receipt\/[\w-]+/g, '')];
  };
  assert.deepEqual(await shape(known), await shape('unknown@example.org'));
});
