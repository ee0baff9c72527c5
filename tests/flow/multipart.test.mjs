// What only multipart/form-data can get wrong (RFC 7578, strictly: see src/multipart.h).  What a form
// says stands in submission.table; here is how it may be garbled.  Whatever is no whole form is refused
// with 400, stores nothing, and is never taken for another form.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomBelow, freshAddress, makeInstance, tellSeed } from '../lib/instance.mjs';

const BOUNDARY = 'a-Boundary_9';
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
let it;

before(async () => {
  tellSeed();
  it = await makeInstance({ doors: ['reader'] });
});
after(() => it?.tidy());

// --- bodies: parts are [head, value]; what is no Buffer is UTF-8 ---

const part = (name, value, more = '') => [`Content-Disposition: form-data; name="${name}"${more}`, value];
const goodParts = (fields) => Object.entries(it.goodReply(fields)).map(([name, value]) => part(name, value));

function body(parts, { boundary = BOUNDARY, line = '\r\n', preamble = '', end = `--${boundary}--\r\n` } = {}) {
  const pieces = parts.flatMap(([head, value]) => [`--${boundary}${line}`, head, line + line, value, line]);
  return Buffer.concat([preamble, ...pieces, end].map((one) => Buffer.from(one)));
}

const send = (bytes, type = TYPE, options = {}) => it.reader({ method: 'POST', uri: '/comments/reply', body: bytes,
  headers: { 'Content-Type': type }, accept: 'application/json', address: freshAddress(), ...options });

async function isRefused(bytes, { type = TYPE, status = 400, what = '' } = {}) {
  const count = it.count();
  for (const accept of ['application/json', 'text/html']) {
    const answer = await send(bytes, type, { accept });
    assert.equal(answer.status, status, `${what}: ${answer.text.slice(0, 300)}`);
  }
  assert.equal(it.count(), count, what);
}

// Sends a form that must be taken; what was stored of it.
async function taken(bytes, type = TYPE) {
  const answer = await send(bytes, type);
  assert.equal(answer.status, 201, answer.text);
  return it.sql(`SELECT name, website, comment, parent_id, state FROM reply WHERE id = ${answer.json().id}`)[0];
}

// --- the type ---

for (const [what, type] of [['no boundary', 'multipart/form-data'], ['an empty one', 'multipart/form-data; boundary='],
  ['an empty one in quotes', 'multipart/form-data; boundary=""'], ['another', 'multipart/form-data; boundary=another'],
  ['a longer one', `${TYPE}x`], ['a shorter one', TYPE.slice(0, -1)], ['two', `${TYPE}; boundary=${BOUNDARY}`],
  ['an open quote', `multipart/form-data; boundary="${BOUNDARY}`], ['another case', TYPE.replace('a-B', 'A-b')],
  ['only dashes', 'multipart/form-data; boundary=--'], ['a comma for a semicolon', `multipart/form-data, boundary=${BOUNDARY}`]]) {
  test(`boundary: ${what} is refused`, () => isRefused(body(goodParts()), { type, status: what.startsWith('a comma') ? 415 : 400 }));
}

test('boundary: 1 to 70 characters, of which the last is no space', async () => {
  for (const [boundary, fits] of [['x', true], ['b'.repeat(70), true], ['b'.repeat(71), false], ['two words', true],
    ['ends in a space ', false], ["'()+_,-./:=?", true], ['тире', false]]) {
    const type = `multipart/form-data; boundary="${boundary}"`;
    const bytes = body(goodParts(), { boundary });
    if (fits) await taken(bytes, type);
    else await isRefused(bytes, { type, what: boundary });
  }
});

// --- the whole ---

test('cut short anywhere it is refused, and nothing is stored', async () => {
  const whole = body(goodParts());
  const count = it.count();
  // The line end behind the closing delimiter is no part of it.
  for (let size = 0; size < whole.length - 2; size++) {
    const answer = await send(whole.subarray(0, size));
    assert.equal(answer.status, 400, `${size} of ${whole.length} bytes: ${answer.text}`);
  }
  assert.equal(it.count(), count);
  await taken(whole.subarray(0, whole.length - 2));
});

test('a byte changed anywhere gets an answer that readers get', async () => {
  const whole = body(goodParts({ key: undefined }));
  for (let i = 0; i < 250; i++) {
    const bent = Buffer.from(whole);
    bent[randomBelow(bent.length)] = randomBelow(256);
    const answer = await send(bent);
    assert.ok([200, 201, 400, 404, 409, 422].includes(answer.status), `${answer.status}: ${bent.toString('latin1')}`);
  }
});

for (const [what, options] of [['LF for CR LF', { line: '\n', end: `--${BOUNDARY}--\n` }], ['CR for CR LF', { line: '\r', end: `--${BOUNDARY}--\r` }],
  ['a preamble', { preamble: 'This is a message of several parts.\r\n' }], ['an empty line before', { preamble: '\r\n\r\n' }],
  ['no end', { end: '' }], ['another end', { end: '--another--\r\n' }], ['a delimiter for the end', { end: `--${BOUNDARY}\r\n` }],
  ['a closing with one dash', { end: `--${BOUNDARY}-\r\n` }]]) {
  test(`a body with ${what} is refused`, () => isRefused(body(goodParts(), options)));
}

test('spaces behind a delimiter and an epilogue are allowed', async () => {
  const whole = body(goodParts()).toString();
  await taken(Buffer.from(whole.replaceAll(`--${BOUNDARY}\r\n`, `--${BOUNDARY} \t\r\n`)));
  const stored = await taken(body(goodParts({ name: 'Once' }), { end: `--${BOUNDARY}--\r\nan epilogue\r\n--${BOUNDARY}\r\n` +
    'Content-Disposition: form-data; name="name"\r\n\r\nTwice\r\n' }));
  assert.equal(stored.name, 'Once', 'what follows the end is no part');
});

test('an empty form is a form without fields', async () => {
  await isRefused(Buffer.from(`--${BOUNDARY}--\r\n`), { status: 422 });
});

test('many tiny parts: 2,000 are too many fields, 10,000 too many bytes', async () => {
  const tiny = (n) => Array.from({ length: n }, (_, i) => part(`n${i}`, ''));
  const good = goodParts();
  await isRefused(body([...good, ...tiny(2000)]));
  await isRefused(body([...good, ...tiny(10000)]), { status: 413 });
  await taken(body([...good, ...tiny(1024 - good.length)]));
  await isRefused(body([...goodParts(), ...tiny(1025 - good.length)]), { what: 'one more than 1,024' });
});

// --- the head of a part ---

// A good form whose comment has another head.
const withHead = (head) => body(goodParts().map(([own, value]) => [own.includes('"comment"') ? head : own, value]));

for (const [what, head] of [
  ['a file', 'Content-Disposition: form-data; name="comment"; filename="words.txt"\r\nContent-Type: text/plain'],
  ['a file without a name', 'Content-Disposition: form-data; name="comment"; filename=""'],
  ['a file, its name first', 'Content-Disposition: form-data; filename=x; name="comment"'],
  ['a file in capitals', 'CONTENT-DISPOSITION: FORM-DATA; NAME="comment"; FILENAME="x"'],
  ['a name twice', 'Content-Disposition: form-data; name="comment"; name="comment"'],
  ['two names', 'Content-Disposition: form-data; name="comment"; name="other"'],
  ['two dispositions', 'Content-Disposition: form-data; name="comment"\r\nContent-Disposition: form-data; name="comment"'],
  ['no disposition', 'Content-Type: text/plain'],
  ['no head', ''],
  ['no name', 'Content-Disposition: form-data'],
  ['an open quote', 'Content-Disposition: form-data; name="comment'],
  ['another disposition', 'Content-Disposition: attachment; name="comment"'],
  ['a folded header', 'Content-Disposition: form-data;\r\n name="comment"'],
  ['a folded header, by a tab', 'Content-Disposition:\r\n\tform-data; name="comment"'],
  ['a space before the colon', 'Content-Disposition : form-data; name="comment"'],
  ['a header of 3,000 bytes', `Content-Disposition: form-data; name="comment"\r\nX-Padding: ${'x'.repeat(3000)}`],
  ['a name of bad UTF-8', Buffer.from('Content-Disposition: form-data; name="comm\xffent"', 'latin1')],
  ['a name with NUL', 'Content-Disposition: form-data; name="comm\0ent"'],
  ['a name that ends by a backslash and goes on', 'Content-Disposition: form-data; name="a\\"; name="comment"'],
]) {
  test(`a part with ${what} is refused`, () => isRefused(withHead(head), { what }));
}

for (const [what, head] of [
  ['a type and a charset', 'Content-Disposition: form-data; name="comment"\r\nContent-Type: text/plain; charset=UTF-8'],
  ['its type first', 'Content-Type: text/plain\r\nContent-Disposition: form-data; name="comment"'],
  ['a name without quotes', 'Content-Disposition: form-data; name=comment'],
  ['no spaces', 'Content-Disposition:form-data;name="comment"'],
  ['an unknown header', 'X-Of-Mine: yes\r\nContent-Disposition: form-data; name="comment"'],
]) {
  test(`a part with ${what} is taken`, () => taken(withHead(head)));
}

test('a name means itself: only %22, %0D and %0A are escapes, and case counts', async () => {
  for (const name of ['comm%65nt', 'Comment', 'comment ', ' comment', 'comment%22', '%22comment', 'comment%0D%0A', 'comment%00', 'comment[]', 'comment\\']) {
    const bytes = withHead(`Content-Disposition: form-data; name="${name}"`);
    const answer = await send(bytes);
    assert.equal(answer.status, 422, name);
    assert.deepEqual(Object.keys(answer.json().errors), ['comment'], `"${name}" is another field`);
  }
  const stored = await taken(body([...goodParts({ name: 'Plain' }), part('na%22me', 'Quoted'), part('name%0D%0A', 'Split')]));
  assert.equal(stored.name, 'Plain');
});

test('a field twice is refused, an unknown one as often as somebody likes', async () => {
  const good = goodParts();
  for (const twice of good) await isRefused(body([...good, twice]), { what: twice[0] });
  await taken(body([...good, part('colour', 'red'), part('colour', 'blue')]));
});

// --- values ---

test('the boundary in a value: words where it stands in a line, a delimiter only where it begins one', async () => {
  for (const comment of [`It says --${BOUNDARY}-- in my mail.`, `${BOUNDARY} begins it`, `--${BOUNDARY}\r\n is how it begins`,
    `one\n--${BOUNDARY}--\nafter LF alone`, `one\r\n-${BOUNDARY}`, 'one\r\n--\r\ntwo', 'one\r\n\r\n--a-Boundary_\r\ntwo']) {
    const { comment: stored } = await taken(body(goodParts({ comment })));
    assert.equal(stored, comment.replaceAll('\r\n', '\n'));
  }
  await isRefused(body(goodParts({ comment: `one\r\n--${BOUNDARY} two` })), { what: 'a delimiter with words behind it' });
  await isRefused(body(goodParts({ comment: `one\r\n--${BOUNDARY}x` })), { what: 'a delimiter that goes on' });
  await isRefused(body(goodParts({ comment: `one\r\n--${BOUNDARY}\r\nContent-Disposition: form-data; name="name"\r\n\r\nOther` })),
    { what: 'a part within a value is a second one of its name' });
});

test('bytes of a value stay what they are: line ends once, escapes not at all', async () => {
  const comment = 'one\r\ntwo\rthree\n100%41 a+b &amp; %0D%0A "quoted" \\ \u{1F468}\u{200D}\u{1F469}';
  const { comment: stored } = await taken(body(goodParts({ comment })));
  assert.equal(stored, comment.replace(/\r\n?/g, '\n'));
  const encoded = withHead('Content-Disposition: form-data; name="comment"\r\nContent-Transfer-Encoding: quoted-printable').toString();
  assert.equal((await taken(Buffer.from(encoded.replace('What a summit', 'What=20a summit')))).comment.slice(0, 11), 'What=20a su', 'RFC 7578 has no encodings of parts');
});
