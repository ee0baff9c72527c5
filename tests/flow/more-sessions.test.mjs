// How sessions end, seen by setting back the clock of their rows.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { QUEUE, signedIn } from '../lib/browserless.mjs';
import { makeInstance, sleep, tellSeed } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
const MINUTE = 60, HOUR = 3600;
let it;

before(async () => {
  tellSeed();
  it = await makeInstance({ doors: [] });
  for (const name of ['editor', 'gone']) it.addModerator(name, PASSWORD);
  await it.start('moderator');
});
after(() => it?.tidy());

const isIn = async (moderator) => (await moderator.get(`${QUEUE}?state=held`)).status === 200;
const moveBack = (columns) => it.sql(`UPDATE session SET ${columns}`, it.moderators);

test('a session ends half an hour after it was last used, and twelve hours after it began', async () => {
  for (const [what, columns, stays] of [
    ['used 29 minutes ago', `seen_at = seen_at - ${29 * MINUTE}`, true],
    ['used 31 minutes ago', `seen_at = seen_at - ${31 * MINUTE}`, false],
    ['begun almost twelve hours ago', `created_at = created_at - ${12 * HOUR - MINUTE}`, true],
    ['begun more than twelve hours ago', `created_at = created_at - ${12 * HOUR + MINUTE}`, false],
    ['begun far in the future', `created_at = created_at + ${HOUR}, seen_at = seen_at + ${HOUR}`, false],
  ]) {
    it.sql('DELETE FROM session', it.moderators);
    const moderator = await signedIn(it);
    moveBack(columns);
    assert.equal(await isIn(moderator), stays, what);
  }
});

test('a session that is used stays, and what it writes of that is rare', async () => {
  it.sql('DELETE FROM session', it.moderators);
  const moderator = await signedIn(it);
  const seen = () => it.sql('SELECT seen_at FROM session', it.moderators)[0].seen_at;
  const first = seen();
  await sleep(1100);
  assert.ok(await isIn(moderator));
  assert.equal(seen(), first, 'not written again at once');
  moveBack(`seen_at = seen_at - ${20 * MINUTE}`);
  assert.ok(await isIn(moderator));
  assert.ok(seen() >= first, 'written after a while');
});

test('what a script asks by the clock tells what has come, and does not keep an idle session', async () => {
  it.sql('DELETE FROM session', it.moderators);
  const moderator = await signedIn(it);
  const seen = () => it.sql('SELECT seen_at FROM session', it.moderators)[0].seen_at;
  const news = (after) => moderator.get(`${QUEUE}news?after=${after}`);
  moveBack(`seen_at = seen_at - ${20 * MINUTE}`);
  const before = seen();
  const answer = await news(0);
  assert.equal(answer.status, 200);
  assert.match(answer.header('Cache-Control'), /no-store/);
  assert.deepEqual(JSON.parse(answer.text), { n: 0, sentence: '0 new replies: show them', counts: { held: 0, published: 0, spam: 0, trash: 0 } });
  assert.equal(seen(), before);
  assert.equal((await news('x')).status, 404);
  moveBack(`seen_at = seen_at - ${11 * MINUTE}`);
  assert.notEqual((await news(0)).status, 200, 'it ends in spite of it');
  await it.start('reader');
  const ids = [];
  for (const comment of ['One that is there.', 'One that comes.', 'Another that comes.'])
    ids.push(Number((await it.post({ comment })).id));
  const again = await signedIn(it);
  assert.equal((await again.approve(ids[2])).status, 303);
  assert.deepEqual(JSON.parse((await again.get(`${QUEUE}news?after=${ids[0]}`)).text), { n: 1, sentence: '1 new reply: show it', counts: { held: 2, published: 1, spam: 0, trash: 0 } });
});

test('an account that is disabled behind the door’s back is out at once', async () => {
  const moderator = await signedIn(it, 'gone');
  assert.ok(await isIn(moderator));
  it.sql("UPDATE account SET disabled = 1 WHERE name = 'gone'", it.moderators);
  assert.equal(await isIn(moderator), false);
});
