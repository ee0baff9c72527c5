// How sessions end, seen by setting back the clock of their rows; and what a sign-in tells by its time.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Moderator, QUEUE, signedIn } from '../lib/browserless.mjs';
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

test('an account that is disabled behind the door’s back is out at once', async () => {
  const moderator = await signedIn(it, 'gone');
  assert.ok(await isIn(moderator));
  it.sql("UPDATE account SET disabled = 1 WHERE name = 'gone'", it.moderators);
  assert.equal(await isIn(moderator), false);
});

test('an unknown name takes as long as a wrong password', async () => {
  const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
  const times = { editor: [], nobody: [] };
  for (let i = 0; i < 7; i++) {
    for (const name of Object.keys(times)) {
      const who = new Moderator(it); // from a network of its own
      await who.get(`${QUEUE}sign-in`);
      const began = process.hrtime.bigint();
      const answer = await who.submit(`${QUEUE}sign-in`, [['name', name], ['password', `wrong ${i}`]]);
      times[name].push(Number(process.hrtime.bigint() - began) / 1e6);
      assert.equal(answer.status, 403);
    }
  }
  const [known, unknown] = [median(times.editor), median(times.nobody)];
  // A hash takes tens of milliseconds; without one, the unknown name would be answered in about one.
  assert.ok(unknown > known / 3 && unknown < known * 3, `${unknown} ms for an unknown name, ${known} ms for a known one`);
});
