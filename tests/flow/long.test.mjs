// The longest comment that a configuration can let in: taken, shown, changed, decided and published in every
// form, and one character more is refused with every word kept.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { fieldOf, replyForm, signedIn } from '../lib/browserless.mjs';
import { BASE, makeInstance, tellSeed } from '../lib/instance.mjs';

const MOST = 100000;
let it, moderator;

before(async () => {
  tellSeed();
  it = await makeInstance({ site: { comment_most: MOST }, doors: ['reader'] });
  it.addModerator('editor', 'a steppe is not a step');
  await it.start('moderator');
  moderator = await signedIn(it);
});
after(() => it?.tidy());

// Exactly MOST characters, and no space at either end.
const exactly = (unit) => [...unit.repeat(Math.ceil(MOST / [...unit].length))].slice(0, MOST).join('').replace(/\s$/, 'x');
const KINDS = {
  'emoji: twelve bytes each in a form': '🐎', 'quotes: six bytes of HTML each': '"', 'signs that open elements': '<', 'emphasis in itself': '*a ',
  'lists in lists': '- - - - - - - - - - a\n', 'quotations in quotations': '> > > > > > > > a\n', 'code spans': '`a` ', 'addresses that become links': 'http://a.example/a ',
  'lines': 'a\n', 'paragraphs': 'a\n\n', 'brackets': '[', 'entities': '&amp;',
};

for (const [what, unit] of Object.entries(KINDS)) {
  test(`${what}: from the form to the published page`, async () => {
    const comment = exactly(unit), page = `/long/${Object.keys(KINDS).indexOf(what)}`;
    assert.equal([...comment].length, MOST);
    const posted = await it.reader({ uri: '/comments/reply', form: it.goodReply({ page, comment }) });
    assert.equal(posted.status, 303, posted.text.slice(0, 500));
    const receipt = posted.header('Location').replace(BASE, '');
    for (const uri of [receipt, `${receipt}/edit`]) {
      const answer = await it.reader({ uri });
      assert.equal(answer.status, 200, `${uri} ${answer.text.slice(0, 200)}`);
    }
    const [{ id, comment: stored }] = it.sql('SELECT id, comment FROM reply ORDER BY id DESC LIMIT 1');
    assert.equal(stored.trimEnd(), comment.trimEnd());
    for (const uri of ['/comments/moderate/?state=held', `/comments/moderate/reply/${id}`, `/comments/moderate/reply/${id}/edit`])
      assert.equal((await moderator.get(uri)).status, 200, uri);
    assert.equal((await moderator.approve(id)).status, 303);
    assert.match(it.thread(page), new RegExp(`id="reply-${id}"`));
    assert.equal(JSON.parse(it.thread(page, 'thread.json')).replies.length, 1);
    assert.ok(fs.existsSync(it.threadFile(page, 'feed.xml')));
  });

  test(`${what}: as JSON, and refused where another field is wrong, with every word kept`, async () => {
    const comment = exactly(unit).replace(/^./u, 'J'); // not the same words again
    const escaped = JSON.stringify(it.goodReply({ page: '/long/json', comment })).replace(/[^\x00-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
    const taken = await it.reader({ method: 'POST', uri: '/comments/reply', body: escaped, headers: { 'Content-Type': 'application/json' }, accept: 'application/json' });
    assert.equal(taken.status, 201, taken.text.slice(0, 300));
    const refused = await it.reader({ uri: '/comments/reply', form: it.goodReply({ page: '/long/form', comment, email: 'none' }) });
    assert.equal(refused.status, 422);
    assert.equal(fieldOf(replyForm(refused.text), 'comment').value.trim(), comment.trim());
  });

  test(`${what}: one character more is refused`, async () => {
    const comment = `${exactly(unit)}x`;
    const answer = await it.reader({ uri: '/comments/reply', form: it.goodReply({ page: '/long/more', comment }) });
    assert.equal(answer.status, 422, answer.text.slice(0, 300));
    assert.equal(fieldOf(replyForm(answer.text), 'comment').value.trim(), comment.trim());
  });
}

test('a configuration that wants more is told so', () => {
  const text = fs.readFileSync(it.config, 'utf8');
  it.configure({ site: { comment_most: MOST + 1 } });
  const run = it.cli(['stats']);
  fs.writeFileSync(it.config, text);
  assert.equal(run.status, 1);
  assert.match(run.stderr, /comment_most.*2 to 100000/);
});
