// `rejoinder erase`: whatever an address has left is in no file afterwards, and all else is as it was.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { spawn, spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { signedIn, textOf } from '../lib/browserless.mjs';
import { BIN, begin, fresh, makeInstance, tellSeed, walk } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
let it, moderator;

before(async () => {
  tellSeed();
  it = await makeInstance({ doors: ['reader'] });
  it.addModerator('editor', PASSWORD);
  await it.start('moderator');
  moderator = await signedIn(it);
});
after(() => it?.tidy());

// Everything that a reply has brought into the store and that is somebody's.
const COLUMNS = ['name', 'website', 'comment', 'email_sealed', 'network_sealed', 'author_hash', 'client_hash', 'key_hash',
  'submission_hash', 'comment_hash', 'content_hash'];
function tracesOf(ids, columns = COLUMNS) {
  return ids.flatMap((id) => columns.map((column) => {
    const [{ hex }] = it.sql(`SELECT hex(${column}) AS hex FROM reply WHERE id = ${id}`);
    return { what: `${column} of ${id}`, bytes: Buffer.from(hex, 'hex') };
  })).filter(({ bytes }) => bytes.length > 0);
}
// The files of the installation that hold one of the traces.
function holders(traces) {
  return walk(it.dir).flatMap((file) => {
    const content = fs.readFileSync(file);
    return traces.filter(({ bytes }) => content.includes(bytes)).map(({ what }) => `${path.relative(it.dir, file)}: ${what}`);
  });
}
const addresses = () => it.mustCli(['export', '--addresses']).stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line).email);
const state = (id) => it.sql(`SELECT state FROM reply WHERE id = ${id}`)[0].state;
const somebody = () => {
  const n = fresh();
  return { email: `aigerim.${n}@example.org`, name: `Aigerim Person-${n}`, website: `https://aigerim-${n}.example/`,
    comment: `Words that only Aigerim of run ${process.pid}.${n} wrote.` };
};
async function reply(fields, decision) {
  const { id, receipt } = await it.post(fields);
  if (decision) assert.equal((await moderator.decide(id, decision)).status, 303);
  return { id, receipt };
}
// What check says of store, counts, files and log; the addresses of tests come from one machine, which it notes.
const sound = () => {
  const run = it.cli(['check']);
  assert.doesNotMatch(run.stdout, /^mend/m, run.stdout);
};
const counts = () => {
  const kept = it.sql('SELECT state, n FROM tally WHERE n > 0 ORDER BY state');
  assert.deepEqual(kept, it.sql('SELECT state, count(*) AS n FROM reply GROUP BY state ORDER BY state'));
  const shown = it.sql('SELECT id, published FROM thread ORDER BY id');
  assert.deepEqual(shown, it.sql(`SELECT thread.id, count(reply.id) AS published FROM thread
    LEFT JOIN reply ON reply.thread_id = thread.id AND shown = 1 GROUP BY thread.id ORDER BY thread.id`));
};

describe('erase', () => {
  test('what an address has left is in no file, whatever its state, and no box opens to it', async () => {
    const who = somebody(), page = `/world/erased-${fresh()}`;
    const theirs = [];
    for (const decision of [undefined, 'published', 'spam', 'trash'])
      theirs.push(await reply({ ...who, page, comment: `${who.comment} ${decision}` }, decision));
    const answer = await reply({ page, parent: theirs[1].id }, 'published');
    const other = await reply({ page }, 'published');
    const ids = theirs.map(({ id }) => id);
    const traces = tracesOf(ids);
    traces.push({ what: 'the address', bytes: Buffer.from(who.email) });
    assert.ok(traces.length > ids.length * 10, 'all that is looked for was there');
    assert.ok(holders(traces).some((one) => one.startsWith('public/')), 'also in published files');
    assert.equal(addresses().filter((one) => one === who.email).length, 4);

    const run = it.cli(['erase', who.email]);
    assert.equal(run.status, 0, run.stdout + run.stderr);
    assert.match(run.stdout, /Erased: 4 replies\./);
    assert.match(run.stdout, /\b1 reply of others, which hung on them, is not shown any more/);
    assert.deepEqual(holders(traces), []);
    assert.equal(addresses().includes(who.email), false);
    assert.deepEqual(ids.map(state), ['withdrawn', 'withdrawn', 'withdrawn', 'withdrawn']);
    assert.match(it.mustCli(['stats']).stdout, /^ {2}withdrawn or erased [1-9]/m);
    assert.equal(state(answer.id), 'published', 'a reply of somebody else is not erased');
    const { replies } = JSON.parse(it.thread(page, 'thread.json'));
    assert.deepEqual(replies.map((one) => one.id), [String(other.id)]);
    counts();
    sound();
    const receipt = await it.reader({ uri: theirs[0].receipt });
    assert.equal(receipt.status, 200);
    assert.match(textOf(receipt.text), /no longer here/);
  });

  test('it is gone from what the whole site shows as soon as the command has ended', async () => {
    const who = somebody(), page = `/world/overview-${fresh()}`, latest = () => fs.readFileSync(path.join(it.public, 'main/latest.json'), 'utf8');
    await it.stop('moderator'); // nobody else writes it
    const { id } = await it.post({ ...who, page });
    await it.start('moderator');
    moderator = await signedIn(it);
    assert.equal((await moderator.approve(id)).status, 303);
    await it.stop('moderator');
    it.sql("UPDATE job SET due_at = 1, done_at = 0 WHERE kind = 'overview'");
    it.mustCli(['work']);
    assert.ok(latest().includes(who.name));
    it.mustCli(['erase', who.email]);
    assert.ok(!latest().includes(who.name));
    await it.start('moderator');
    moderator = await signedIn(it);
  });

  test('the log tells that it was done, without name or address, and its macs hold', async () => {
    const who = somebody();
    const { id } = await reply(who);
    await moderator.decide(id, 'trash');
    it.sql(`UPDATE decision SET why = 'says ${who.name}' WHERE reply_id = ${id}`);
    it.mustCli(['erase', who.email]);
    const rows = it.sql(`SELECT action, from_state, to_state, moderator, why FROM decision WHERE reply_id = ${id} ORDER BY id`);
    assert.deepEqual(rows.at(-1), { action: 'erase', from_state: 'trash', to_state: 'withdrawn', moderator: '', why: '' });
    sound();
    const one = await moderator.get(`/comments/moderate/reply/${id}`);
    assert.match(textOf(one.text), /Its author was erased from it/);
  });

  test('with --keep-words published words stay under nobody’s name, and all else goes', async () => {
    const who = somebody(), page = `/world/kept-${fresh()}`;
    const shown = await reply({ ...who, page }, 'published');
    const answer = await reply({ page, parent: shown.id }, 'published');
    const held = await reply({ ...who, page, comment: `${who.comment} Held.` });
    const traces = [...tracesOf([shown.id], COLUMNS.filter((column) => column !== 'comment')), ...tracesOf([held.id])]
      .filter(({ what }) => what !== `comment of ${shown.id}`);
    const run = it.mustCli(['erase', who.email, '--keep-words']);
    assert.match(run.stdout, /Erased: 2 replies\./);
    assert.match(run.stdout, /words of 1 of them stay/);
    assert.deepEqual(holders(traces), []);
    assert.equal(state(held.id), 'withdrawn');
    const { replies } = JSON.parse(it.thread(page, 'thread.json'));
    assert.equal(replies[0].name, 'Somebody');
    assert.match(it.thread(page), new RegExp(who.comment.slice(0, 30)));
    assert.ok(JSON.stringify(replies).includes(`"${answer.id}"`), 'what hangs on it stays as well');
    counts();
    sound();
  });

  test('case is no hiding place, and a dry run changes nothing', async () => {
    const who = somebody();
    const { id } = await reply(who);
    const before = it.dump();
    const dry = it.mustCli(['erase', who.email.toUpperCase(), '--dry-run']);
    assert.match(dry.stdout, new RegExp(`reply ${id}, held\\n1 reply would be erased`));
    assert.equal(it.dump(), before);
    it.mustCli(['erase', who.email.toUpperCase()]);
    assert.equal(state(id), 'withdrawn');
  });

  test('it is done also where nothing is stored, and refuses what is no address', async () => {
    const run = it.cli(['erase', 'nobody.at.all@example.org']);
    assert.equal(run.status, 0, run.stderr);
    assert.match(run.stdout, /Nothing of this address is stored/);
    assert.equal(it.cli(['erase', 'nobody']).status, 2);
    assert.equal(it.cli(['erase']).status, 2);
    assert.equal(it.cli(['erase', 'a@example.org', 'b@example.org']).status, 2);
    assert.equal(it.cli(['erase', '--all']).status, 2);
  });

  test('a box is opened where the hash is of another matching key', async () => {
    const who = somebody();
    const { id } = await reply(who);
    it.sql(`UPDATE reply SET author_hash = randomblob(32) WHERE id = ${id}`);
    const neither = await reply();
    it.sql(`UPDATE reply SET author_hash = randomblob(32), email_sealed = randomblob(137) WHERE id = ${neither.id}`);
    const run = it.mustCli(['erase', who.email]);
    assert.equal(state(id), 'withdrawn');
    assert.match(run.stdout, /^1 address opens with no key that is here: whose it is, nobody can tell\.$/m);
    assert.equal(state(neither.id), 'held');
    it.sql(`DELETE FROM outbox WHERE reply_id = ${neither.id}; DELETE FROM reply WHERE id = ${neither.id};
      UPDATE tally SET n = n - 1 WHERE state = 'held'`);
  });

  test('while somebody reads it says «not yet», and goes on when they have ended', async () => {
    const who = somebody();
    const { id } = await reply(who);
    const traces = tracesOf([id]);
    const reader = spawn('sqlite3', ['-batch', it.database], { stdio: ['pipe', 'pipe', 'inherit'] });
    reader.stdin.write('BEGIN; SELECT count(*) FROM reply;\n');
    await new Promise((resolve) => { reader.stdout.once('data', resolve); });
    const run = begin(path.join(BIN, 'rejoinder'), ['--config', it.config, 'erase', who.email]);
    await new Promise((resolve) => {
      run.stderr.on('data', () => { if (run.stderrText.includes('not yet')) resolve(); });
      run.over.then(resolve);
    });
    assert.match(run.stderrText, /not yet: somebody reads/);
    assert.equal(run.exitCode, null, 'it waits');
    reader.stdin.end('COMMIT;\n');
    assert.equal((await run.over).code, 0, run.stderrText);
    assert.deepEqual(holders(traces), []);
  });

  test('a copy that a migration left is named, and removed on demand; a backup is left alone', async () => {
    const who = somebody();
    const { id } = await reply(who);
    const old = `${it.database}.v2`, backup = path.join(it.dir, 'monday.db');
    it.mustCli(['backup', old]);
    it.mustCli(['backup', backup]);
    const traces = tracesOf([id]);
    const run = it.cli(['erase', who.email]);
    assert.equal(run.status, 1);
    assert.ok(run.stdout.includes(`A copy of the store from before: ${old}`), run.stdout);
    assert.ok(run.stdout.includes(`which is left alone: ${backup}`), run.stdout);
    assert.match(run.stderr, /--purge-copies/);
    assert.equal(state(id), 'withdrawn', 'the store is done');
    assert.equal(it.cli(['erase', who.email, '--purge-copies']).status, 0);
    assert.equal(fs.existsSync(old), false);
    assert.ok(fs.existsSync(backup));
    fs.rmSync(backup);
    assert.deepEqual(holders(traces), []);
  });

  test('without the secret key’s permission nothing is erased', async () => {
    const who = somebody();
    const { id } = await reply(who);
    const [key] = walk(it.dir).filter((file) => path.basename(file) === 'secret.key');
    fs.chmodSync(key, 0o644);
    const run = it.cli(['erase', who.email]);
    fs.chmodSync(key, 0o600);
    assert.equal(run.status, 1);
    assert.match(run.stderr, /nothing was erased/);
    assert.equal(state(id), 'held');
  });
});

test('on a terminal it shows how far it is, also where there is nothing', async (t) => {
  if (spawnSync('sh', ['-c', 'command -v script']).status !== 0) return t.skip('no script(1)');
  const empty = await makeInstance();
  try {
    for (const one of [it, empty]) {
      const command = `'${path.join(BIN, 'rejoinder')}' --config '${one.config}' erase nobody@example.org --dry-run`;
      const run = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8' });
      assert.match(run.stdout, /Looked at 100 %\r?\n.*Nothing of this address is stored\.\r?\n$/);
    }
  } finally {
    await empty.tidy();
  }
});
