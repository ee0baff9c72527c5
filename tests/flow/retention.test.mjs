// What is forgotten by rule: addresses, networks and refused replies, so many days after the decision.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { signedIn, textOf } from '../lib/browserless.mjs';
import { BIN, makeInstance, tellSeed, walk } from '../lib/instance.mjs';

const DAY = 86400;
let it, moderator;

before(async () => {
  tellSeed();
  it = await makeInstance({ doors: ['reader'], top: { keep_refused: 10, keep_networks: 20, keep_emails: 30, keep_log_networks: 40 } });
  it.addModerator('editor', 'a steppe is not a step');
  await it.start('moderator');
  moderator = await signedIn(it);
});
after(() => it?.tidy());

async function reply(decision, fields = {}) {
  const { id, receipt } = await it.post(fields);
  if (decision) assert.equal((await moderator.decide(id, decision)).status, 303);
  return { id, receipt };
}
// As if it had been decided that many days ago, with an hour to spare; the rows of the log are signed over their times.
const age = (id, days) => it.sql(`UPDATE reply SET decided_at = unixepoch() - ${days} * ${DAY} - 3600 WHERE id = ${id}`);
// The job is due once a day.
function work() {
  it.sql("UPDATE job SET due_at = 0 WHERE kind = 'retention'");
  it.mustCli(['work']);
}
const row = (id) => it.sql(`SELECT state, comment, email_sealed IS NOT NULL AS email, network_sealed IS NOT NULL AS network,
  author_hash IS NOT NULL AS author, (client_hash IS NOT NULL) + (submission_hash IS NOT NULL) + (comment_hash IS NOT NULL) AS client
  FROM reply WHERE id = ${id}`)[0];
const sound = () => assert.doesNotMatch(it.cli(['check']).stdout, /^mend/m);

describe('retention', () => {
  test('a refused reply is gone after its days, from all files, and not before', async () => {
    const words = 'Words that somebody would rather not have written';
    const [spam, trash, young, shown] = [await reply('spam', { comment: words }), await reply('trash'), await reply('spam'), await reply('published')];
    for (const { id } of [spam, trash, shown]) age(id, 10);
    age(young.id, 9);
    const [{ sealed }] = it.sql(`SELECT hex(email_sealed) AS sealed FROM reply WHERE id = ${spam.id}`);
    work();
    assert.deepEqual([spam, trash, young, shown].map(({ id }) => row(id).state), ['withdrawn', 'withdrawn', 'spam', 'published']);
    assert.deepEqual(row(spam.id), { state: 'withdrawn', comment: '', email: 0, network: 0, author: 0, client: 0 });
    for (const file of walk(it.dir)) {
      const content = fs.readFileSync(file);
      assert.equal(content.includes(words) || content.includes(Buffer.from(sealed, 'hex')), false, file);
    }
    assert.deepEqual(it.sql('SELECT state, n FROM tally WHERE n > 0 ORDER BY state'),
      it.sql('SELECT state, count(*) AS n FROM reply GROUP BY state ORDER BY state'));
    assert.match(textOf((await it.reader({ uri: spam.receipt })).text), /no longer here/);
    assert.deepEqual(it.sql("SELECT action FROM slip UNION ALL SELECT action FROM decision WHERE action = 'erase'"), [], 'a rule leaves no rows in the log');
    sound();
  });

  test('networks go first, then e-mails; the words, and whose they are, stay', async () => {
    const { id } = await reply('published');
    age(id, 19);
    work();
    assert.deepEqual([row(id).network, row(id).client, row(id).email], [1, 3, 1]);
    age(id, 20);
    work();
    assert.deepEqual([row(id).network, row(id).client, row(id).email], [0, 0, 1]);
    sound();
    age(id, 30);
    work();
    assert.deepEqual([row(id).network, row(id).email, row(id).author, row(id).state], [0, 0, 1, 'published']);
    sound();
    const one = await moderator.get(`/comments/moderate/reply/${id}`);
    assert.equal(one.status, 200);
    assert.match(textOf(one.text), /Email no longer stored/);
    assert.match(textOf(one.text), /Network no longer stored/);
  });

  test('a reply that is not as it was stored is still told so afterwards', async () => {
    const { id } = await reply('published');
    it.sql(`UPDATE reply SET comment = 'Another hand wrote this' WHERE id = ${id}`);
    age(id, 30);
    work();
    assert.deepEqual([row(id).network, row(id).email], [0, 0]);
    assert.match(it.cli(['check']).stdout, new RegExp(`^mend.*\\b${id}\\b`, 'm'));
    it.sql(`UPDATE reply SET comment = '', state = 'withdrawn' WHERE id = ${id}; UPDATE tally SET n = n - 1 WHERE state = 'published'`);
  });

  test('of a held reply nothing is forgotten, however long it waits, and also when it was decided about before', async () => {
    const old = await reply(), back = await reply('spam');
    await moderator.decide(back.id, 'held', 'spam');
    for (const { id } of [old, back]) it.sql(`UPDATE reply SET created_at = 1000000 WHERE id = ${id}`);
    age(back.id, 1000);
    work();
    for (const { id } of [old, back]) assert.deepEqual([row(id).state, row(id).email, row(id).network], ['held', 1, 1]);
  });

  test('more than a slice of them go in one run', async () => {
    const ids = (await Promise.all(Array.from({ length: 230 }, () => it.post()))).map(({ id }) => id).join(', ');
    it.sql(`UPDATE reply SET state = 'trash', decided_at = unixepoch() - 11 * ${DAY} WHERE id IN (${ids});
      UPDATE tally SET n = (SELECT count(*) FROM reply WHERE state = tally.state); INSERT OR IGNORE INTO tally SELECT site_id, state, count(*) FROM reply GROUP BY site_id, state`);
    work();
    assert.deepEqual(it.sql(`SELECT DISTINCT state FROM reply WHERE id IN (${ids})`), [{ state: 'withdrawn' }]);
  });

  test('0 days is for ever', async () => {
    const shown = await reply('published'), spam = await reply('spam');
    for (const { id } of [shown, spam]) age(id, 5000);
    const networks = () => it.sql("SELECT count(*) AS n FROM decision WHERE network <> ''")[0].n;
    const before = networks();
    it.configure({ top: { keep_refused: 0, keep_networks: 0, keep_emails: 0, keep_log_networks: 0 } });
    work();
    it.configure({ top: { keep_refused: 10, keep_networks: 20, keep_emails: 30, keep_log_networks: 40 } });
    assert.deepEqual([row(shown.id).email, row(shown.id).network, row(spam.id).state, networks()], [1, 1, 'spam', before]);
  });

  test('the log forgets networks, and still proves that it is as it was written', async () => {
    await reply('published');
    const networks = () => it.sql("SELECT count(*) AS n FROM decision WHERE network <> ''")[0].n;
    const before = networks();
    assert.ok(before > 0);
    work();
    assert.equal(networks(), before, 'not yet');
    it.configure({ top: { keep_log_networks: 1 } });
    it.sql("UPDATE job SET due_at = 0 WHERE kind = 'retention'");
    const later = spawnSync('faketime', ['-f', '+30h', path.join(BIN, 'rejoinder'), '--config', it.config, 'work'], { encoding: 'utf8', timeout: 60000 });
    assert.equal(later.status, 0, later.stderr);
    assert.equal(networks(), 0);
    const check = it.cli(['check']).stdout;
    assert.match(check, /have forgotten who, from where or why/);
    assert.doesNotMatch(check, /^mend/m);
  });
});
