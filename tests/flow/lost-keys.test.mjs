// What is lost without each file of «WHAT TO KEEP» in rejoinder(1), and that what stands there brings the rest back.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { signedIn } from '../lib/browserless.mjs';
import { BASE, fresh, makeInstance, tellSeed, walk } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
tellSeed();

// An installation with a published reply and a held one of the same author, whose doors are stopped.
async function lived() {
  const it = await makeInstance({ doors: ['reader'] });
  it.addModerator('editor', PASSWORD);
  await it.start('moderator');
  const email = `asel.${fresh()}@example.org`;
  const shown = await it.post({ email, page: '/world/lost' });
  await (await signedIn(it)).approve(shown.id);
  const held = await it.post({ email, page: '/world/lost' });
  await it.stop('reader');
  await it.stop('moderator');
  return { it, email, shown, held };
}
function lose(it, name) {
  const files = walk(it.dir).filter((file) => path.basename(file) === name || path.basename(file).startsWith(`${name}-`));
  assert.ok(files.length > 0, `${name} was there`);
  for (const file of files) fs.rmSync(file);
}
async function refused(it, door, why) {
  await assert.rejects(() => it.start(door), why);
  delete it.doors[door];
  it.logs[door] = '';
}
const init = (it) => it.mustCli(['init', '--under', it.dir, '--base', BASE]);
const emails = (it) => it.mustCli(['export', '--addresses']).stdout.trim().split('\n').map((line) => JSON.parse(line))
  .filter((one) => one.type === 'reply').map((one) => one.email);
const mend = (it) => it.cli(['check']).stdout.split('\n').filter((line) => line.startsWith('mend'));
async function works(it) {
  await it.start('reader');
  await it.start('moderator');
  const { id } = await it.post({ page: '/world/lost' });
  assert.equal((await (await signedIn(it)).approve(id)).status, 303);
  assert.match(it.thread('/world/lost'), new RegExp(`reply-${id}"`));
}

async function trial(name, what) {
  await test(`without ${name}`, async () => {
    const all = await lived();
    try {
      lose(all.it, name);
      await what(all);
    } finally {
      await all.it.tidy();
    }
  });
}

await trial('rejoinder.conf', async ({ it, email }) => {
  for (const door of ['reader', 'moderator']) await refused(it, door, /No such file/);
  init(it);
  await works(it);
  assert.deepEqual(emails(it).slice(0, 2), [email, email], 'the same pair of keys');
  assert.equal(new Set(emails(it)).has(null), false, 'also for what is sealed from now on');
  assert.deepEqual(mend(it), []);
});

await trial('secret.key', async ({ it, email }) => {
  await refused(it, 'moderator', /rekey --lost/);
  init(it);
  await refused(it, 'moderator', /rekey --lost/);
  it.mustCli(['rekey', '--lost']);
  await works(it);
  assert.deepEqual(emails(it).slice(0, 2), [null, null], 'these stay sealed');
  assert.match(emails(it)[2], /@example\.org$/);
  assert.deepEqual(mend(it), []);
  const erased = it.mustCli(['erase', email]);
  assert.match(erased.stdout, /Erased: 2 replies/, 'the matching key still tells whose they are');
});

await trial('log.key', async ({ it }) => {
  await refused(it, 'moderator', /log\.key/);
  init(it);
  assert.match(mend(it).join('\n'), /log: row 1 is not as it was written/);
  it.mustCli(['check', '--accept-log']);
  assert.deepEqual(mend(it), []);
  await works(it);
  assert.deepEqual(mend(it), []);
});

await trial('receipt.key', async ({ it, held }) => {
  for (const door of ['reader', 'moderator']) await refused(it, door, /receipt\.key/);
  init(it);
  await works(it);
  assert.equal((await it.reader({ uri: held.receipt })).status, 404);
  assert.equal((await it.reader({ uri: (await it.post()).receipt })).status, 200);
  assert.deepEqual(mend(it), []);
});

await trial('matching.key', async ({ it, email, shown, held }) => {
  for (const door of ['reader', 'moderator']) await refused(it, door, /matching\.key/);
  init(it);
  assert.equal(mend(it).filter((line) => line.includes('not as it was stored')).length, 2);
  await works(it);
  const { id } = await it.post({ email, page: '/world/lost' });
  assert.match(it.sql(`SELECT reasons FROM reply WHERE id = ${id}`)[0].reasons, /^first/m, 'the author counts as new');
  assert.match(it.mustCli(['erase', email]).stdout, /Erased: 3 replies/, 'the secret key still tells whose they are');
  assert.deepEqual(it.sql(`SELECT DISTINCT state FROM reply WHERE id IN (${shown.id}, ${held.id}, ${id})`), [{ state: 'withdrawn' }]);
});

await trial('moderators.db', async ({ it }) => {
  await refused(it, 'moderator', /moderators\.db/);
  init(it);
  it.addModerator('editor', PASSWORD);
  await works(it);
  assert.deepEqual(mend(it), []);
});
