// Sessions under a clock that jumps (libfaketime): none lives longer than its half hour and its twelve hours.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { QUEUE, Moderator, fieldOf, forms, signedIn, textOf } from '../lib/browserless.mjs';
import { makeInstance, tellSeed } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
const MINUTE = 60, HOUR = 3600;
const library = ['x86_64', 'aarch64', 'i386', 'riscv64', 'arm', 'powerpc64le', 's390x']
  .flatMap((name) => ['gnu', 'gnueabihf'].map((libc) => `/usr/lib/${name}-linux-${libc}/faketime/libfaketimeMT.so.1`)).find((file) => fs.existsSync(file));
const skip = library === undefined ? 'libfaketime is not installed (Debian: faketime)' : /asan|sanit/.test(process.env.BIN ?? '') ? 'a sanitizer does not share LD_PRELOAD' : false;
if (skip) console.log(`skipped: ${skip}`);

let it, clock;
before(async () => {
  tellSeed();
  if (skip) return;
  it = await makeInstance({ doors: [] });
  it.addModerator('editor', PASSWORD);
  clock = path.join(path.dirname(it.moderators), 'clock');
  set(0);
  // The file is read at each question for the time; what waits goes by the true clock.
  await it.start('moderator', { env: { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' } });
});
after(() => it?.tidy());

let offset = 0;
function set(seconds) {
  offset = seconds;
  fs.writeFileSync(`${clock}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`);
  fs.renameSync(`${clock}.new`, clock);
}
const isIn = async (who) => (await who.get(`${QUEUE}?state=held`)).status === 200;

test('forward: half an hour unused, twelve hours altogether', { skip }, async () => {
  const idle = await signedIn(it);
  const [{ seen_at: seen }] = it.sql('SELECT seen_at FROM session', it.moderators);
  assert.ok(Math.abs(seen - Date.now() / 1000 - offset) < 60, 'the door goes by the clock that is set');
  set(29 * MINUTE);
  assert.ok(await isIn(idle));
  set((29 + 31) * MINUTE);
  assert.equal(await isIn(idle), false);
  const used = await signedIn(it);
  const begun = offset;
  for (let at = 20 * MINUTE; at < 12 * HOUR; at += 20 * MINUTE) {
    set(begun + at);
    assert.ok(await isIn(used), `${at / MINUTE} minutes`);
  }
  set(begun + 12 * HOUR + 10);
  assert.equal(await isIn(used), false);
});

test('back: a session ends rather than live longer, also when the clock comes round again', { skip }, async () => {
  for (const back of [2 * MINUTE, 20 * MINUTE, HOUR, 13 * HOUR, 24 * 365 * HOUR]) {
    const begun = offset;
    it.logs.moderator = '';
    const who = await signedIn(it);
    set(begun + 4 * MINUTE); // seen_at is not written again before five
    assert.ok(await isIn(who));
    set(begun + 4 * MINUTE - back);
    assert.equal(await isIn(who), false, `${back / MINUTE} minutes back`);
    set(begun + 4 * MINUTE);
    assert.equal(await isIn(who), false, 'gone for good');
    assert.ok(await it.logged('moderator', /the clock was set back by \d+ seconds: all sessions end/g, 1) >= 1, 'and the log says so');
  }
});

test('back by less than a minute, as time servers do, ends nothing', { skip }, async () => {
  const who = await signedIn(it);
  set(offset - 30);
  assert.ok(await isIn(who));
});

test('a clock that was far ahead locks nobody out', { skip }, async () => {
  const name = 'editor', begun = offset;
  set(begun + 1000 * HOUR);
  for (let i = 0; i < 30; i++) await new Moderator(it).signIn(name, 'wrong');
  assert.equal((await new Moderator(it).signIn(name, PASSWORD)).status, 429);
  set(begun);
  assert.equal((await new Moderator(it).signIn(name, PASSWORD)).status, 303);
});

test('what was typed when the clock was set back is carried over', { skip }, async () => {
  const who = await signedIn(it);
  const page = await who.get(`${QUEUE}settings`);
  const form = forms(page.text).find((one) => one.action.endsWith('/settings/end-all'));
  set(offset - 10 * MINUTE);
  const answer = await who.submit(`${QUEUE}decide`, [['token', fieldOf(form, 'token').value], ['note', 'an hour of typing']]);
  assert.equal(answer.status, 403);
  assert.match(textOf(answer.text), /What you sent is kept/);
  const box = fieldOf(forms(answer.text).find((one) => fieldOf(one, 'password')), 'carry').value;
  assert.match(Buffer.from(box.split('.')[1], 'base64url').toString(), /an%20hour%20of%20typing/);
});
