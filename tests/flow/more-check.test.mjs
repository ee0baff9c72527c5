// `rejoinder check` notices what SQLite's own check does not: a row that somebody changed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeInstance, tellSeed } from '../lib/instance.mjs';

let it, id;

before(async () => {
  tellSeed();
  it = await makeInstance({ doors: ['reader'] });
  id = (await it.post()).id;
  await it.post();
});
after(() => it?.tidy());

const check = () => it.cli(['check']);

test('an untouched store is as it was taken', () => {
  const { status, stdout, stderr } = check();
  assert.equal(status, 0, stdout + stderr);
});

for (const [column, value] of [['comment', "comment || '.'"], ['name', "'Somebody else'"], ['website', "'https://evil.example/'"],
  ['website', 'NULL'], ['parent_id', '(SELECT max(id) FROM reply)'], ['email_sealed', "x'00'"], ['network_sealed', 'NULL'], ['content_hash', "x''"]]) {
  test(`${column} changed to ${value} is noticed, and told with the reply's id`, () => {
    it.sql(`CREATE TABLE kept AS SELECT * FROM reply WHERE id = ${id}; UPDATE reply SET ${column} = ${value} WHERE id = ${id}`);
    const { status, stdout, stderr } = check();
    it.sql(`UPDATE reply SET ${column} = (SELECT ${column} FROM kept) WHERE id = ${id}; DROP TABLE kept`);
    assert.equal(status, 1, stdout + stderr);
    assert.match(stdout + stderr, new RegExp(`\\b${id}\\b`));
    assert.equal(check().status, 0, 'and mended again');
  });
}
