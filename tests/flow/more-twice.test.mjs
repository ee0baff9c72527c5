// The same submission several times at once, and a flood from everywhere.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { freshAddress, makeInstance, tellSeed } from '../lib/instance.mjs';

const ROUNDS = 40, AT_ONCE = 6;
let it;

before(async () => {
  tellSeed();
  it = await makeInstance({ sites: { brake: { pace_site: 6 } }, doors: ['reader'] });
});
after(() => it?.tidy());

for (const [what, without] of [['with a key', {}], ['without a key', { key: undefined }]]) {
  test(`a double click ${what}: one reply, one answer`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const form = it.goodReply(without);
      const address = freshAddress();
      const before = it.count();
      const answers = await Promise.all(Array.from({ length: AT_ONCE }, () =>
        it.reader({ uri: '/comments/reply', json: form, accept: 'application/json', address })));
      const told = answers.map((answer) => `${answer.status} ${answer.text}`);
      assert.ok(answers.every((answer) => [200, 201].includes(answer.status)), told.join('\n'));
      assert.equal(new Set(answers.map((answer) => answer.json().receipt)).size, 1, told.join('\n'));
      assert.equal(it.count() - before, 1);
    }
  });
}

test('a flood from many networks is braked for the whole site, and for that site alone', async () => {
  const send = (site) => it.reader({ uri: '/comments/reply', json: it.goodReply(), accept: 'application/json', site });
  const before = it.count();
  const answers = [];
  for (let i = 0; i < 12; i++) answers.push(await send('brake'));
  const taken = answers.filter((answer) => answer.status === 201).length;
  assert.ok(taken >= 6 && taken <= 7, `6 a minute, and ${taken} were taken`);
  const last = answers.at(-1);
  assert.equal(last.status, 429);
  assert.match(last.header('Retry-After'), /^[1-9]\d*$/);
  assert.equal(it.count() - before, taken);
  assert.equal((await send(undefined)).status, 201);
});
