// The power goes: both doors take replies and decisions on a disk that stops in the middle of it (power.mjs).
// The clients write down what they were thanked for, synced, on another disk.  With the power back all of
// that is stored, the store is sound, every published file is whole, and once a door runs they have caught up.
//
//   CUTS=50   so many cuts for each kind of file system (2)
//   DISKS="ext4"   but these kinds
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fieldsOf, forms, signedIn } from '../lib/browserless.mjs';
import { dropFolder, fresh, makeFolder, makeInstance, randomBelow, sleep, sqlOf, tellSeed, walk } from '../lib/instance.mjs';
import { kinds, makeDisk, whyNot } from './power.mjs';

const CUTS = Number(process.env.CUTS ?? 2);
const DISKS = process.env.DISKS?.split(/\s+/).filter(Boolean) ?? kinds;
const PASSWORD = 'a steppe is not a step';
const PAGES = ['/crash/one', '/crash/two', '/crash/three'];
const POSTERS = 6;
before(tellSeed);

// What the clients were told: a line each, on the disk before anything is made of it.
class Ledger {
  constructor(file) {
    this.fd = fs.openSync(file, 'a', 0o600);
    this.replies = new Map(); // id → comment
    this.decided = new Map(); // id → state
    this.receipts = new Map(); // id → fields, to send it once more
  }
  #line(...words) {
    fs.writeSync(this.fd, `${JSON.stringify(words)}\n`);
    fs.fsyncSync(this.fd);
  }
  taken(id, fields) {
    this.#line('taken', id, fields);
    this.replies.set(id, fields.comment);
    this.receipts.set(id, fields);
  }
  decide(id, state) {
    this.#line('decided', id, state);
    this.decided.set(id, state);
  }
  close() {
    fs.closeSync(this.fd);
  }
}

// Clients until `stop.now`; what fails was not acknowledged, whatever became of it.
async function post(it, ledger, stop) {
  while (!stop.now) {
    const n = fresh();
    const fields = it.goodReply({ page: PAGES[n % PAGES.length], comment: `Words of the crash ${n}, ${'which go on, '.repeat(n % 40)}and end.` });
    try {
      const answer = await it.reader({ uri: '/comments/reply', json: fields, accept: 'application/json', timeout: 3000 });
      if (answer.status === 201) ledger.taken(answer.json().id, fields);
    } catch {
      await sleep(5);
    }
  }
}
async function decide(it, moderator, ledger, stop) {
  while (!stop.now) {
    const id = [...ledger.replies.keys()].find((one) => !ledger.decided.has(one));
    try {
      if (id === undefined) await sleep(5);
      else if ((await moderator.approve(id)).status === 303) ledger.decide(id, 'published');
    } catch {
      await sleep(5);
    }
  }
}

// Whole files, whatever state they are of: a cut leaves the one before or the next one, nothing between.
function checkWhole(it) {
  for (const file of walk(it.public)) {
    const name = path.basename(file), text = fs.readFileSync(file, 'utf8');
    if (name.startsWith('.new-')) continue; // removed at the next start
    if (name.endsWith('.json')) assert.doesNotThrow(() => JSON.parse(text), `${file} is no whole JSON`);
    if (name === 'thread.html') assert.match(text, /^\s*<section class="rejoinder"[\s\S]*<\/section>\s*$/, `${file} is no whole thread`);
    if (name === 'feed.xml') assert.match(text, /^<\?xml[\s\S]*<\/feed>\s*$/, `${file} is no whole feed`);
  }
}

function checkStore(it, ledger, what) {
  for (const file of [it.database, it.moderators]) assert.equal(sqlOf(file, 'PRAGMA integrity_check')[0].integrity_check, 'ok', `${what}: ${file}`);
  const stored = new Map(it.sql('SELECT id, comment, state FROM reply').map((row) => [String(row.id), row]));
  for (const [id, comment] of ledger.replies) assert.equal(stored.get(id)?.comment, comment, `${what}: reply ${id} was thanked for, and is lost`);
  const decided = new Set(it.sql("SELECT reply_id FROM decision WHERE to_state = 'published'").map(({ reply_id: id }) => String(id)));
  for (const [id, state] of ledger.decided) {
    assert.equal(stored.get(id).state, state, `${what}: the decision on ${id} is lost`);
    assert.ok(decided.has(id), `${what}: the log does not tell of ${id}`);
  }
  assert.deepEqual(it.sql('SELECT state, n FROM tally WHERE n > 0 ORDER BY state'),
    it.sql('SELECT state, count(*) AS n FROM reply GROUP BY state ORDER BY state'), `${what}: the counts`);
}

async function checkFiles(it, what) {
  for (let waited = 0; it.sql('SELECT count(*) AS n FROM publication')[0].n > 0; waited += 100) {
    assert.ok(waited < 20000, `${what}: files still lag behind`);
    await sleep(100);
  }
  for (const page of PAGES) {
    const ids = it.sql(`SELECT reply.id FROM reply JOIN thread ON thread.id = thread_id WHERE page = '${page}' AND shown = 1 AND page_number = 1 ORDER BY reply.id`)
      .map(({ id }) => String(id));
    if (ids.length === 0) continue;
    assert.deepEqual(JSON.parse(it.thread(page, 'thread.json')).replies.map(({ id }) => id), ids, `${what}: ${page}`);
    assert.deepEqual([...it.thread(page).matchAll(/<article id="reply-(\d+)"/g)].map(([, id]) => id), ids, `${what}: ${page}`);
  }
  assert.deepEqual(walk(it.public).filter((file) => path.basename(file).startsWith('.new-')), [], `${what}: what the cut left is removed`);
  // Log, content hashes, counts and files against the store; that all came from one network is noted, no more.
  const check = it.cli(['check']);
  assert.doesNotMatch(check.stdout, /^mend/m, `${what}: ${check.stdout}`);
}

async function sendAgain(it, ledger, what) {
  const before = it.count();
  for (const [id, fields] of [...ledger.receipts].slice(-20)) {
    const answer = await it.reader({ uri: '/comments/reply', json: fields, accept: 'application/json' });
    assert.ok([200, 201].includes(answer.status), `${what}: ${answer.status}`);
    assert.equal(answer.json().id, id, `${what}: the first answer again`);
  }
  assert.equal(it.count(), before, `${what}: nothing twice`);
}

for (const kind of DISKS) {
  const reason = whyNot(kind);
  if (reason) console.log(`# skipped: ${kind}: ${reason}`);
  describe(`the power goes, on ${kind}`, { skip: reason || false }, () => {
    let disk, aside, it, ledger;
    before(async () => {
      disk = makeDisk(kind);
      disk.mount();
      aside = makeFolder();
      assert.notEqual(fs.statSync(aside).dev, fs.statSync(disk.dir).dev, 'what is noted stands on another disk');
      ledger = new Ledger(path.join(aside, 'acknowledged'));
      it = await makeInstance({ dir: path.join(disk.dir, 'installation') });
      it.addModerator('editor', PASSWORD);
      spawnSync('sync');
    });
    after(() => {
      ledger?.close();
      disk?.drop();
      if (aside) dropFolder(aside);
    });

    // Both doors end with the disk; killed, since there is nothing they could put in order.
    async function outage() {
      disk.cut();
      await sleep(randomBelow(30)); // whatever they still say is noted
      await Promise.all(Object.keys(it.doors).map((door) => it.stop(door, 'SIGKILL')));
      disk.unmount();
      disk.mount();
    }

    for (let cut = 1; cut <= CUTS; cut++) {
      test(`cut ${cut} of ${CUTS}`, { timeout: 120000 }, async () => {
        for (const door of ['reader', 'moderator']) await it.start(door);
        const stop = { now: false }, moderator = await signedIn(it), known = ledger.replies.size;
        const clients = [...Array.from({ length: POSTERS }, () => post(it, ledger, stop)), decide(it, moderator, ledger, stop)];
        await sleep(800 + randomBelow(1200));
        await outage();
        stop.now = true;
        await Promise.all(clients);
        assert.ok(ledger.replies.size > known + 5, `a storm: ${ledger.replies.size - known} acknowledged`);
        checkWhole(it);
        checkStore(it, ledger, `cut ${cut}`);
        for (const door of ['reader', 'moderator']) await it.start(door);
        await checkFiles(it, `cut ${cut}`);
        await sendAgain(it, ledger, `cut ${cut}`);
        for (const door of ['reader', 'moderator']) assert.equal((await it.stop(door)).code, 0);
      });
    }

    test('what was erased does not come back with the power', { timeout: 60000 }, async () => {
      await it.start('reader');
      const email = `aigerim.${kind}@example.org`, words = `Words that nobody but Aigerim wrote on ${kind}.`;
      await it.post({ email, comment: words });
      spawnSync('sync'); // the words lie on the disk, in the write-ahead log
      assert.equal(it.cli(['erase', email]).status, 0);
      await outage();
      assert.deepEqual(walk(it.dir).filter((file) => fs.readFileSync(file).includes(words)), [], 'it said that it was done');
    });

    test('what its author withdrew does not come back either', { timeout: 60000 }, async () => {
      await it.start('reader');
      const words = `Words that their author took back on ${kind}.`;
      const { id, receipt } = await it.post({ comment: words });
      spawnSync('sync');
      const form = forms((await it.reader({ uri: receipt })).text).find(({ action }) => action.endsWith('/withdraw'));
      assert.equal((await it.reader({ uri: form.action, form: fieldsOf(form) })).status, 303);
      for (let waited = 0; fs.statSync(`${it.database}-wal`).size > 0 && waited < 10000; waited += 5) await sleep(5);
      await outage();
      // Before anybody opens the store, which would tidy the write-ahead log.
      assert.deepEqual(walk(it.dir).filter((file) => fs.readFileSync(file).includes(words)), [], 'it is gone from the files');
      assert.equal(it.sql(`SELECT state FROM reply WHERE id = ${id}`)[0].state, 'withdrawn');
    });

    test('a backup that was made is there, and whole', { timeout: 60000 }, async () => {
      const file = path.join(it.dir, 'backup.db');
      it.mustCli(['backup', file]);
      await outage();
      assert.equal(sqlOf(file, 'PRAGMA integrity_check')[0].integrity_check, 'ok');
      assert.equal(sqlOf(file, 'SELECT count(*) AS n FROM reply')[0].n, it.count());
    });
  });
}
