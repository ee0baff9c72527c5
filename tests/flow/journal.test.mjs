// Undo and the log: what a moderator can take back, what the log shows, and what `rejoinder check` says of it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Moderator, decode, fieldOf, fieldsOf, forms, signedIn, textOf } from '../lib/browserless.mjs';
import { dropFolder, fresh, makeFolder, makeInstance, sleep, sqlOf, tellSeed } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
const UNDO = '/comments/moderate/undo';
const LOG = '/comments/moderate/log';
let it, editor, second;

before(async () => {
  tellSeed();
  it = await makeInstance({ doors: ['reader', 'moderator'], site: { time_zone: 'Asia/Almaty' } });
  it.addModerator('editor', PASSWORD);
  it.addModerator('second', PASSWORD);
  editor = await signedIn(it);
  second = await signedIn(it, 'second');
});
after(() => it?.tidy());

const state = (id) => it.sql(`SELECT state FROM reply WHERE id = ${id}`)[0].state;
const held = async (fields) => (await it.post(fields)).id;
const lastBatch = () => it.sql('SELECT max(batch) AS batch FROM decision')[0].batch;
// The buttons of the page of last decisions: [[batch, form]].
const buttons = (page) => forms(page.text).filter((form) => form.action === UNDO)
  .map((form) => [Number(fieldOf(form, 'batch').value), form]);
async function undo(who, batch) {
  const [, form] = buttons(await who.get(UNDO)).find(([of]) => of === batch) ?? [];
  assert.ok(form, `no button takes batch ${batch} back`);
  return who.submit(form.action, fieldsOf(form));
}

describe('undo', () => {
  test('the last decisions stand there, each with a button, and still do after a restart', async () => {
    const ids = [await held(), await held()];
    await editor.decide(ids, 'published');
    const batch = lastBatch();
    await it.stop('moderator');
    await it.start('moderator');
    const page = await editor.get(UNDO);
    assert.equal(page.status, 200);
    assert.match(textOf(page.text), /2 replies approved/);
    const answer = await undo(editor, batch);
    assert.equal(answer.status, 303, textOf(answer.text));
    assert.deepEqual(ids.map(state), ['held', 'held']);
    const after = await editor.get(answer.header('Location'));
    assert.match(after.text, /role="status">Undone for 2 replies/);
  });

  test('a selection of several states goes back to each its own, and an undo can be undone', async () => {
    const [a, b, c] = [await held(), await held(), await held()];
    await editor.decide(b, 'published');
    await editor.decide(c, 'spam');
    const rows = it.sql(`SELECT id, revision FROM reply WHERE id IN (${a}, ${b}, ${c})`);
    const { form } = await editor.decisionForm(a);
    await editor.submit(form.action, [...Moderator.rest(form), ...rows.map((row) => ['reply', `${row.id}:${row.revision}`]), ['state', 'trash']]);
    const batch = lastBatch();
    assert.equal((await undo(editor, batch)).status, 303);
    assert.deepEqual([a, b, c].map(state), ['held', 'published', 'spam']);
    assert.match(it.thread('/world/astana-summit') + it.sql('SELECT count(*) AS n FROM publication')[0].n, /0$/, 'nothing lags');
    const again = lastBatch();
    assert.deepEqual(it.sql(`SELECT DISTINCT action, undoes FROM decision WHERE batch = ${again}`), [{ action: 'undo', undoes: batch }]);
    assert.equal((await undo(editor, again)).status, 303);
    assert.deepEqual([a, b, c].map(state), ['trash', 'trash', 'trash']);
  });

  test('what somebody decided since is left, and told: who, what, when', async () => {
    const [a, b] = [await held(), await held({ name: 'Vera Q' })];
    await editor.decide([a, b], 'published');
    const batch = lastBatch();
    await second.decide(b, 'spam', 'published');
    const answer = await undo(editor, batch);
    assert.equal(answer.status, 409);
    assert.deepEqual([a, b].map(state), ['held', 'spam']);
    assert.match(textOf(answer.text), /Undone\./);
    assert.match(textOf(answer.text), /1 reply was left as it is\..*Vera Q.*second has marked this reply as spam/s);
    assert.match(answer.text, /<time datetime="20\d\d-[^"]*">[^<]+<\/time>\)/);
    const rest = await editor.get(UNDO);
    assert.ok(!buttons(rest).some(([of]) => of === batch), 'nothing is left to undo');
    assert.match(textOf(rest.text), /None of the 2 is as you left it any more/);
    assert.match(textOf(rest.text), /You have undone this\./);
  });

  test('a thousand at once are one decision, and one button', async () => {
    it.sql(`WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 1000)
      INSERT INTO thread (site_id, page, title) VALUES (1, '/many', 'Many')`);
    it.sql(`WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 1000)
      INSERT INTO reply (site_id, thread_id, state, name, comment, content_hash, created_at)
      SELECT 1, (SELECT id FROM thread WHERE page = '/many'), 'held', 'N', 'words', x'00', 1 FROM i`);
    it.sql("UPDATE tally SET n = (SELECT count(*) FROM reply WHERE state = tally.state) WHERE site_id = 1");
    const ids = it.sql("SELECT id FROM reply WHERE name = 'N' AND content_hash = x'00'").map((row) => row.id);
    const { form } = await editor.decisionForm(ids.at(-1));
    const answer = await editor.submit(form.action, [...Moderator.rest(form), ...ids.map((id) => ['reply', `${id}:1`]), ['state', 'published']]);
    assert.equal(answer.status, 303);
    assert.match(textOf((await editor.get(UNDO)).text), /1000 replies approved/);
    assert.equal((await undo(editor, lastBatch())).status, 303);
    assert.deepEqual(it.sql("SELECT DISTINCT state FROM reply WHERE content_hash = x'00'"), [{ state: 'held' }]);
    it.sql("DELETE FROM reply WHERE content_hash = x'00'; UPDATE tally SET n = (SELECT count(*) FROM reply WHERE state = tally.state) WHERE site_id = 1");
  });

  test('only own decisions, with the token, and of batches that there are', async () => {
    const id = await held();
    await editor.decide(id, 'published');
    const batch = lastBatch();
    const token = fieldOf(forms((await second.get(UNDO)).text).find((form) => fieldOf(form, 'token')), 'token').value;
    assert.ok(!buttons(await second.get(UNDO)).some(([of]) => of === batch));
    for (const [value, who] of [[batch, second], [0, second], ['x', second], [99999, second], ['', second]]) {
      const answer = await who.submit(UNDO, [['token', token], ['batch', value]]);
      assert.equal(answer.status, 404, value);
    }
    assert.equal((await editor.submit(UNDO, [['token', token], ['batch', batch]])).status, 403);
    assert.equal(state(id), 'published');
    // An edit is no decision.
    const form = forms((await editor.get(`/comments/moderate/reply/${id}/edit`)).text).find((one) => fieldOf(one, 'comment'));
    const fields = [...fieldsOf(form).filter(([name]) => name !== 'comment'), ['comment', 'These words are the editor’s.']];
    assert.equal((await editor.submit(form.action, fields)).status, 303);
    assert.notEqual(lastBatch(), batch);
    const own = fieldOf(forms((await editor.get(UNDO)).text).find((one) => fieldOf(one, 'token')), 'token').value;
    assert.equal((await editor.submit(UNDO, [['token', own], ['batch', lastBatch()]])).status, 404, 'an edit is no decision');
    assert.match(it.sql(`SELECT comment FROM reply WHERE id = ${id}`)[0].comment, /editor/);
  });

  test('a row that another hand has changed is not believed', async () => {
    const id = await held();
    await editor.decide(id, 'spam');
    const batch = lastBatch();
    it.sql(`UPDATE decision SET from_state = 'published' WHERE batch = ${batch}`);
    const answer = await undo(editor, batch);
    assert.equal(answer.status, 409);
    assert.match(textOf(answer.text), /not as it was written/);
    assert.equal(state(id), 'spam');
    const log = await editor.get(`${LOG}?reply=${id}`);
    assert.match(textOf(log.text), /Not as it was written/);
    assert.match(it.cli(['check']).stdout, new RegExp(`mend +log: row ${batch} is not as it was written`));
    it.sql(`UPDATE decision SET from_state = 'held' WHERE batch = ${batch}`);
    assert.equal(it.cli(['check']).status, 0, it.cli(['check']).stdout);
  });
});

// The rows of a log page, each as its cells' texts.
const rowsOf = (html) => [...html.matchAll(/<tr(?: class="bad")?>\s*<th scope="row".*?<\/tr>/gs)]
  .map(([row]) => [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) => textOf(cell)));

describe('the log', () => {
  test('tells who did what about whom, from where, newest first', async () => {
    const id = await held({ name: 'Log <b>Reader', page: '/world/logged' });
    await editor.approve(id);
    await second.decide(id, 'trash', 'published');
    const { text, status } = await editor.get(LOG);
    assert.equal(status, 200);
    const [last, former] = rowsOf(text);
    assert.equal(last[2], 'second');
    assert.equal(last[3], 'Published → Trash');
    assert.match(last[4], /^Log <b>Reader on /);
    assert.match(last[6], /^10\.\d+\.\d+\.0\/24$/);
    assert.deepEqual(former.slice(2, 4), ['editor', 'Held → Published']);
    assert.match(text, new RegExp(`href="/comments/moderate/reply/${id}"`));
    assert.match(text, /<a href="\/comments\/moderate\/log" aria-current="page"/);
  });

  test('is looked through by moderator, reply, page and day, on the site’s clock', async () => {
    const id = await held({ page: '/world/sieved' });
    await second.decide(id, 'spam');
    const only = async (query) => rowsOf((await editor.get(`${LOG}?${query}`)).text);
    assert.ok((await only('moderator=second')).every((row) => row[2] === 'second'));
    assert.equal((await only(`reply=${id}`)).length, 1);
    assert.equal((await only(`reply=${id}&moderator=editor`)).length, 0);
    assert.equal((await only('page=/world/sieved/')).length, 1, 'any spelling of the page');
    const day = (seconds) => new Date((seconds + 5 * 3600) * 1000).toISOString().slice(0, 10);
    const today = day(Date.now() / 1000), yesterday = day(Date.now() / 1000 - 86400);
    assert.equal((await only(`page=/world/sieved&day=${today}`)).length, 1);
    assert.equal((await only(`day=${yesterday}`)).length, 0);
    for (const query of ['day=nonsense', 'reply=x', 'reply=-1', 'day=2026-13-01', 'page=%2F..%2F.x%2F~']) {
      const answer = await editor.get(`${LOG}?${query}`);
      assert.equal(answer.status, 422, query);
      assert.match(answer.text, /role="alert"/);
    }
  });

  test('is paged by a hundred, and no row is shown twice or left out', async () => {
    const seen = [];
    for (let uri = LOG; uri;) {
      const { text } = await editor.get(uri);
      const rows = rowsOf(text).map((row) => Number(row[0].split(' ')[0]));
      assert.ok(rows.length <= 100);
      seen.push(...rows);
      uri = decode(text).match(/href="([^"]*)" rel="next"/)?.[1];
    }
    assert.deepEqual(seen, it.sql('SELECT id FROM decision ORDER BY id DESC').map((row) => row.id));
  });

  test('a withdrawal comes in by itself, and names nobody', async () => {
    const { id, receipt } = await it.post({ name: 'Gone Person' });
    const page = await it.reader({ uri: receipt });
    const form = forms(page.text).find((one) => /withdraw/.test(one.action) || one.controls.some((c) => /withdraw/i.test(c.value ?? '')));
    const answer = await it.reader({ method: 'POST', uri: form.action || receipt, form: fieldsOf(form) });
    assert.equal(answer.status, 303, textOf(answer.text));
    for (let i = 0; i < 100 && it.sql('SELECT count(*) AS n FROM slip')[0].n > 0; i++) await sleep(100);
    const [row] = rowsOf((await editor.get(`${LOG}?reply=${id}`)).text);
    assert.deepEqual(row.slice(2, 4), ['the author', 'Withdrawn']);
    assert.doesNotMatch(row[4], /Gone Person/);
    assert.equal(it.cli(['check']).status, 0, it.cli(['check']).stdout);
  });

  test('a slip with a time of its own hides no row of the day', async () => {
    await editor.approve(await held());
    const today = new Date().toISOString().slice(0, 10), of = async (query) => rowsOf((await editor.get(`${LOG}?${query}`)).text).length;
    const [{ reply_id: id, thread_id: thread }] = it.sql('SELECT reply_id, thread_id FROM decision ORDER BY id DESC LIMIT 1');
    const before = await of(`day=${today}&reply=${id}`);
    assert.ok(before >= 1);
    it.sql(`INSERT INTO slip (action, site_id, reply_id, thread_id, revision, from_state, to_state, decided_at)
      VALUES ('withdraw', 1, ${id}, ${thread}, 9, 'held', 'withdrawn', ${Date.parse(`${today}T00:00:00Z`) / 1000})`);
    for (let i = 0; i < 100 && it.sql('SELECT count(*) AS n FROM slip')[0].n > 0; i++) await sleep(100);
    assert.equal(await of(`day=${today}&reply=${id}`), before + 1);
  });

  test('needs a session', async () => {
    for (const uri of [LOG, UNDO]) assert.equal((await new Moderator(it).get(uri)).status, 303);
  });
});

describe('check', () => {
  let folder, kept;
  const say = (query) => {
    it.sql(query);
    const run = it.cli(['check']);
    return [run.status, run.stdout.split('\n').filter((line) => /^mend/.test(line) && /log/.test(line)).join('\n')];
  };
  const restore = () => { fs.copyFileSync(kept, it.database); fs.chmodSync(it.database, 0o660); for (const end of ['-wal', '-shm']) fs.rmSync(it.database + end, { force: true }); };
  before(async () => {
    await it.stop('moderator');
    await it.stop('reader');
    folder = makeFolder();
    kept = path.join(folder, 'kept.db');
    sqlOf(it.database, `VACUUM INTO '${kept}'`);
  });
  after(() => dropFolder(folder));
  const last = () => it.sql('SELECT max(id) AS id FROM decision')[0].id;

  for (const [what, query, line] of [
    ['a flipped byte', "UPDATE decision SET moderator = 'fditor' WHERE id = 2", /row 2 is not as it was written/],
    ['a flipped byte of a mac', "UPDATE decision SET mac = CAST(substr(mac, 1, 31) || x'00' AS BLOB) WHERE id = 2", /row 2 is not as it was written/],
    ['a deleted row', 'DELETE FROM decision WHERE id = 2', /row 2 is missing/],
    ['several deleted rows', 'DELETE FROM decision WHERE id IN (2, 3, 4)', /rows 2 to 4 are missing/],
    ['a row that was doubled', 'INSERT INTO decision SELECT (SELECT max(id) + 1 FROM decision), batch, action, site_id, reply_id, thread_id, revision, from_state, to_state, undoes, moderator, network, why, decided_at, digests, mac FROM decision WHERE id = 2', /row \d+ is not as it was written/],
    ['a forged row', "INSERT INTO decision (batch, action, site_id, moderator, network, decided_at) VALUES (1, 'decide', 1, 'editor', '', 1)", /row \d+ is not signed/],
    ['two rows that changed places', 'UPDATE decision SET id = -id WHERE id IN (2, 3); UPDATE decision SET id = 5 + id WHERE id < 0', /row 2 is not as it was written/],
  ])
    test(`names the row after ${what}`, () => {
      restore();
      const [status, lines] = say(query);
      assert.equal(status, 1);
      assert.match(lines, line);
    });

  test('names the last row when it was deleted, says what may have happened, and lets the owner accept it', () => {
    restore();
    const end = last();
    const [status, lines] = say(`DELETE FROM decision WHERE id = ${end}`);
    assert.equal(status, 1);
    assert.match(lines, new RegExp(`it ends at row ${end - 1}, 1 before the last that was written \\(${end}\\).*older database`));
    assert.equal(it.cli(['check', '--accept-log']).status, 0);
    const run = it.cli(['check']);
    assert.equal(run.status, 0, run.stdout);
    assert.equal(it.sql('SELECT action FROM decision ORDER BY id DESC LIMIT 1')[0].action, 'accept');
  });

  test('a row at the end of all numbers is named, stops no decision, and can be removed', async () => {
    await it.start('reader');
    const { id } = await it.post();
    await it.stop('reader');
    it.sql("INSERT INTO decision (id, batch, action, site_id, moderator, network, decided_at) VALUES (9223372036854775807, 9223372036854775807, 'decide', 1, 'editor', '', 1)");
    const end = it.sql('SELECT max(id) AS id FROM decision WHERE id < 9223372036854775807')[0].id;
    await it.start('moderator');
    const who = await signedIn(it);
    assert.equal((await who.approve(id)).status, 303);
    assert.equal((await who.get(UNDO)).status, 200);
    assert.equal((await who.submit('/comments/moderate/undo', [['token', (await who.decisionForm(id, 'published')).form.controls.find((c) => c.name === 'token').value], ['batch', '9223372036854775807']])).status, 409);
    await it.stop('moderator');
    assert.deepEqual(it.sql('SELECT id, to_state FROM decision WHERE reply_id = ' + id), [{ id: end + 1, to_state: 'published' }]);
    assert.equal(sqlOf(it.moderators, 'SELECT last_id FROM log_head')[0].last_id, end + 1);
    const run = it.cli(['check'], { timeout: 20000 });
    assert.equal(run.status, 1);
    assert.match(run.stdout, /^mend +log: row 9223372036854775807 stands where no row of the log can/m);
    assert.equal(it.cli(['check', '--accept-log']).status, 0);
    assert.equal(it.cli(['check']).status, 0);
    assert.equal(last(), end + 2);
  });
});

test('an installation of version 2 goes on with its log, which is signed once', async () => {
  const old = await makeInstance();
  try {
    old.addModerator('editor', PASSWORD);
    old.sql(`INSERT INTO thread (id, site_id, page, title) VALUES (1, 1, '/old', 'Old');
      INSERT INTO reply (id, site_id, thread_id, state, revision, name, comment, content_hash, created_at) VALUES (1, 1, 1, 'spam', 2, 'Ada', 'words', x'00', 1);
      INSERT INTO tally VALUES (1, 'spam', 1);
      DROP TABLE decision; DROP TABLE slip;
      CREATE TABLE decision (id INTEGER PRIMARY KEY AUTOINCREMENT, reply_id INTEGER NOT NULL REFERENCES reply (id), revision INTEGER NOT NULL,
        from_state TEXT NOT NULL, to_state TEXT NOT NULL, moderator TEXT NOT NULL, network TEXT NOT NULL, why TEXT NOT NULL DEFAULT '', decided_at INTEGER NOT NULL) STRICT;
      CREATE INDEX decision_reply ON decision (reply_id, id);
      INSERT INTO decision (reply_id, revision, from_state, to_state, moderator, network, decided_at) VALUES (1, 2, 'held', 'spam', 'editor', '192.0.2.0/24', 5)`);
    downgrade(old);
    fs.rmSync(path.join(old.dir, 'moderators/log.key'));
    fs.writeFileSync(old.config, fs.readFileSync(old.config, 'utf8').replace(/^ *log_key.*\n/m, ''));
    await old.start('moderator');
    assert.equal(fs.statSync(path.join(old.dir, 'moderators/log.key')).mode & 0o7777, 0o600);
    const who = await signedIn(old);
    const rows = rowsOf((await who.get(LOG)).text);
    assert.deepEqual(rows.map((row) => row.slice(2, 4)), [['editor', 'Held → Spam']]);
    assert.doesNotMatch(old.cli(['check']).stdout, /mend +log/);
    const [[batch, form]] = buttons(await who.get(UNDO));
    assert.equal(batch, 1);
    assert.equal((await who.submit(form.action, fieldsOf(form))).status, 303);
    assert.equal(old.sql('SELECT state FROM reply')[0].state, 'held');
  } finally {
    await old.tidy();
  }
});
// Back to the version before: whatever else it has got since is in the way of the migration.
function downgrade(old) {
  const made = (file) => [...fs.readFileSync(new URL(`../../sql/${file}`, import.meta.url), 'utf8').matchAll(/^CREATE (?:UNIQUE )?(TABLE|INDEX) (\w+)|^ALTER TABLE (\w+) ADD COLUMN (\w+)/gm)];
  for (const [, kind, name, table, column] of made('rejoinder/migrate-3.sql').reverse())
    if (!/^(decision|slip)/.test(name ?? ''))
      old.sql(kind ? `DROP ${kind} IF EXISTS ${name}` : `ALTER TABLE ${table} DROP COLUMN ${column}`);
  old.sql('PRAGMA user_version = 2');
  sqlOf(old.moderators, 'DELETE FROM log_head');
}
