// What a door needs is refused to it: the disk fails, memory, descriptors or inodes are used up, it is killed in
// the middle of a system call.  It answers 503 or not at all, what it thanked for is stored, nothing stands twice
// or by half, and with its needs met it works again without a restart.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fieldOf, replyForm, signedIn, textOf } from '../lib/browserless.mjs';
import { BIN, IS_ROOT, ROOT, dropFolder, fresh, makeFolder, makeInstance, randomBelow, sleep, sqlOf, tellSeed } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
const sanitised = /asan|sanit/.test(BIN);
const has = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const untraceable = !has('strace') ? 'no strace' : spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0 ? '' : 'strace may not trace here';
function skipUnless(reason) {
  if (reason) console.log(`skipped: ${reason}`);
  return { skip: reason || false };
}
// What strace puts in the place of a call would be told as refused by the sandbox.
const injecting = (call, what) => ({ wrap: ['strace', '-D', '-f', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:${what}`], env: { REJOINDER_BOX: '' } });
before(tellSeed);

// Sends it until it is taken; {status} of the first answer, null where there was none.
const send = async (it, fields) => {
  try {
    return await it.reader({ uri: '/comments/reply', json: fields, accept: 'application/json', timeout: 15000 });
  } catch {
    return null;
  }
};

// All that was thanked for is there, once; what was not is taken once when it is sent again.
async function checkReplies(it, sent) {
  const rows = () => it.sql('SELECT id, comment FROM reply ORDER BY id');
  const stored = new Map(rows().map(({ id, comment }) => [String(id), comment]));
  for (const { id, fields } of sent) if (id) assert.equal(stored.get(id), fields.comment, `${id} was thanked for`);
  for (const { id, fields } of sent) {
    const answer = await send(it, fields);
    assert.ok([200, 201].includes(answer?.status), `${answer?.status} ${answer?.text}`);
    if (id) assert.equal(answer.json().id, id);
  }
  const comments = rows().map(({ comment }) => comment);
  for (const { fields } of sent) assert.equal(comments.filter((one) => one === fields.comment).length, 1, 'each once');
  assert.deepEqual(it.sql('SELECT state, n FROM tally WHERE n > 0 ORDER BY state'), it.sql('SELECT state, count(*) AS n FROM reply GROUP BY state ORDER BY state'));
  assert.deepEqual(it.sql('PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
}
const newFields = (it) => it.goodReply({ page: '/world/starved', comment: `Of the starved ${fresh()}, ${'and of what they lack, '.repeat(fresh() % 30)}tells this.` });

// --- the disk -------------------------------------------------------------------------------------

describe('system calls of the public door fail', skipUnless(untraceable), () => {
  // Every so-many-th from the first request on; before it the door is only about to start.
  for (const [call, error, every] of [['pwrite64', 'EIO', 5], ['pwrite64', 'ENOSPC', 13], ['pwrite64', 'ENOSPC', 29], ['fdatasync', 'EIO', 3]]) {
    test(`one of ${every} ${call} with ${error}: 503 or stored, the same process`, async () => {
      const it = await makeInstance({ top: { workers: 2 } });
      try {
        await it.start('reader', injecting(call, `error=${error}:when=${call === 'pwrite64' ? 60 : 5}+${every}`));
        const sent = [], seen = new Set();
        for (let i = 0; i < 40; i++) {
          const fields = newFields(it);
          const answer = await send(it, fields);
          assert.ok([201, 503].includes(answer?.status), `${answer?.status} ${answer?.text}`);
          if (answer.status === 503) assert.match(answer.header('Retry-After') ?? '', /^[1-9]\d*$/);
          seen.add(answer.status);
          sent.push({ fields, id: answer.status === 201 ? answer.json().id : null });
        }
        assert.deepEqual([...seen].sort(), [201, 503], 'some fail, some do not');
        assert.equal(it.count(), sent.filter(({ id }) => id).length, 'nothing that was refused is stored');
        const fields = newFields(it);
        let refused;
        for (let i = 0; i < 40 && refused?.status !== 503; i++) refused = await it.reader({ uri: '/comments/reply', form: { ...fields, key: `${fields.key}-${i}`, comment: `${fields.comment} ${i}` } });
        assert.equal(refused.status, 503);
        for (const name of ['name', 'email', 'website']) assert.equal(fieldOf(replyForm(refused.text), name).value, fields[name], name);
        assert.ok(fieldOf(replyForm(refused.text), 'comment').value.startsWith(fields.comment), 'the words are kept');
        assert.equal(it.doors.reader.exitCode ?? it.doors.reader.signalCode, null, 'the same process');
        await it.restart('reader');
        await checkReplies(it, sent);
      } finally {
        await it.tidy();
      }
    });
  }

  test('killed at its system calls, one after the other', { timeout: 240000 }, async () => {
    const it = await makeInstance({ top: { workers: 1 } });
    try {
      const sent = [];
      let killed = 0;
      const some = (n, most) => Array.from({ length: n }, () => 1 + randomBelow(most));
      for (const [call, whens] of [['pwrite64', [...some(14, 90)]], ['fdatasync', [1, 2, 3, 4]], ['writev', [1, 2, 3]], ['ftruncate', [1, 2]]]) {
        for (const when of whens) {
          try {
            await it.start('reader', injecting(call, `signal=SIGKILL:when=${when}`));
          } catch (error) {
            assert.match(error.message, /SIGKILL/, `${call} ${when}`); // at its start
            delete it.doors.reader;
            killed++;
            continue;
          }
          for (let i = 0; i < 4; i++) {
            const fields = newFields(it), answer = await send(it, fields);
            sent.push({ fields, id: answer === null ? null : answer.json().id });
            if (answer === null) break;
          }
          const { signal } = await it.stop('reader');
          if (signal === 'SIGKILL') killed++;
        }
      }
      assert.ok(killed > 10, `killed ${killed} times`);
      await it.start('reader');
      await checkReplies(it, sent);
    } finally {
      await it.tidy();
    }
  });

  test('of the moderators’ door: a decision is done whole or not at all', { timeout: 240000 }, async () => {
    const it = await makeInstance({ top: { workers: 1 }, doors: ['reader'] });
    try {
      it.addModerator('editor', PASSWORD);
      await it.start('moderator');
      const moderator = await signedIn(it);
      await it.stop('moderator');
      const done = [], ids = [];
      for (let i = 0; i < 22; i++) ids.push((await it.post({ page: '/world/starved' })).id);
      const faults = [...['pwrite64', 'fdatasync', 'fsync', 'renameat', 'write'].flatMap((call) => [1, 2, 3].map((n) => [call, `signal=SIGKILL:when=${n + (call === 'pwrite64' ? randomBelow(40) : 0)}`])),
        ['fdatasync', 'error=EIO:when=1+2'], ['fsync', 'error=EIO:when=1+2'], ['pwrite64', 'error=ENOSPC:when=40+7'], ['renameat', 'error=EIO:when=1+2'], ['write', 'error=ENOSPC:when=3+2']];
      for (const [call, what] of faults) {
        const id = ids.pop();
        try {
          await it.start('moderator', injecting(call, what));
        } catch {
          delete it.doors.moderator;
          continue;
        }
        let status = null;
        try {
          status = (await moderator.approve(id)).status;
        } catch { /* killed */ }
        if (status !== null) assert.ok([303, 503].includes(status), `${call} ${what}: ${status}`);
        await it.stop('moderator');
        const [{ state, revision }] = it.sql(`SELECT state, revision FROM reply WHERE id = ${id}`);
        const log = it.sql(`SELECT count(*) AS n FROM decision WHERE reply_id = ${id}`)[0].n;
        if (status === 303) assert.equal(state, 'published', `${call} ${what}: it said that it was done`);
        if (status === 503) assert.equal(state, 'held', `${call} ${what}: it said that it was not done`);
        assert.deepEqual([revision, log], state === 'published' ? [2, 1] : [1, 0], `${call} ${what}: ${state}`);
        if (state === 'published') done.push(id);
      }
      assert.ok(done.length > 3, `${done.length} were done`);
      await it.start('moderator');
      for (let waited = 0; it.sql('SELECT count(*) AS n FROM publication')[0].n > 0 && waited < 20000; waited += 100) await sleep(100);
      assert.deepEqual(JSON.parse(it.thread('/world/starved', 'thread.json')).replies.map(({ id }) => id).sort(), done.map(String).sort());
      assert.doesNotMatch(it.cli(['check']).stdout, /^mend/m);
    } finally {
      it.mayBeRefused = true;
      await it.tidy();
    }
  });
});

test('to take, decide about and publish a reply nobody is called', skipUnless(untraceable), async () => {
  const it = await makeInstance();
  const trace = (door) => path.join(it.dir, `trace-${door}`);
  try {
    it.addModerator('editor', PASSWORD);
    for (const door of ['reader', 'moderator']) {
      await it.start(door, { wrap: ['strace', '-D', '-f', '-e', 'trace=connect,sendto,sendmsg,socket,openat2', '-o', trace(door)] });
    }
    const { id, receipt } = await it.post({ page: '/world/nobody', website: 'https://website.example/' });
    const moderator = await signedIn(it);
    assert.equal((await moderator.approve(id)).status, 303);
    assert.equal((await it.reader({ uri: receipt })).status, 200);
    for (const door of ['reader', 'moderator']) await it.stop(door);
    await sleep(100);
    assert.match(fs.readFileSync(trace('moderator'), 'utf8'), /openat2\(/, 'the trace sees what is done');
    for (const door of ['reader', 'moderator']) {
      const calls = fs.readFileSync(trace(door), 'utf8').split('\n').filter((line) => /\b(connect|sendto|sendmsg)\(|\bsocket\(AF_(?!UNIX)/.test(line) &&
        !line.includes(`sun_path="${it.socket(door)}"`)); // does another door serve there?
      assert.deepEqual(calls, [], door);
    }
  } finally {
    await it.tidy();
  }
});

// --- memory ---------------------------------------------------------------------------------------

describe('the n-th allocation fails', skipUnless(sanitised ? 'a sanitizer allocates itself' : !has('cc') ? 'no compiler' : ''), () => {
  const MOST = 3000, CONFIGURATION = 500; // allocations of a request, of reading the configuration
  let folder, library, counter, env;
  before(() => {
    folder = makeFolder();
    library = path.join(folder, 'hungry.so');
    counter = path.join(folder, 'left');
    const built = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, path.join(ROOT, 'tests/lib/hungry.c')], { encoding: 'utf8' });
    assert.equal(built.status, 0, built.stderr);
    set(0);
    env = { LD_PRELOAD: library, HUNGRY: counter };
  });
  after(() => dropFolder(folder));
  function set(n) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(n));
    fs.writeFileSync(counter, bytes, { flag: fs.existsSync(counter) ? 'r+' : 'w' });
  }
  const failed = () => fs.readFileSync(counter).readBigInt64LE() < 0n;

  // Each n until a request needs less than n: {status: how often}.
  async function sweep(it, door, ask, look = () => {}) {
    const seen = {};
    for (let n = 1; ; n = n < 40 ? n + 1 : Math.ceil(n * 1.07)) {
      assert.ok(n < MOST, 'one that is answered in the end');
      await ask(null); // what a door keeps for later is there
      set(n);
      let answer = null;
      try {
        answer = await ask(n);
      } catch { /* hung up */ }
      const hit = failed();
      set(0);
      if (answer === null) await sleep(100); // did it end?
      if (it.doors[door].exitCode !== null || it.doors[door].signalCode !== null) {
        // libfcgi gives up where its own find nothing, which a supervisor mends; nothing of ours does.
        await it.doors[door].over; // all that it said is here
        assert.match(it.logs[door].slice(-400), /fcgiapp\.c|fcgi_stdio/, `allocation ${n} ended the door`);
        delete it.doors[door];
        await it.start(door, { env });
      }
      seen[answer?.status] = (seen[answer?.status] ?? 0) + 1;
      await look(answer, n);
      if (!hit) return seen;
    }
  }

  test('in the public door', { timeout: 120000 }, async () => {
    const it = await makeInstance({ top: { workers: 1 } });
    try {
      await it.start('reader', { env });
      const sent = [];
      const seen = await sweep(it, 'reader', async () => {
        const fields = newFields(it);
        const one = { fields, id: null };
        sent.push(one);
        const answer = await it.reader({ uri: '/comments/reply', json: fields, accept: 'application/json', timeout: 5000 });
        if (answer.status === 201) one.id = answer.json().id;
        return answer;
      }, (answer, n) => assert.ok([undefined, 201, 500, 503].includes(answer?.status), `${n}: ${answer?.status} ${answer?.text}`));
      assert.ok(seen[201] > 0 && (seen[500] ?? 0) + (seen[503] ?? 0) > 0, JSON.stringify(seen));
      await checkReplies(it, sent);
      const { receipt } = await it.post();
      for (const uri of ['/comments/form?page=/world/starved', receipt, '/comments/threads/world/starved/~/thread.json']) {
        const whole = (await it.reader({ uri })).text.length;
        await sweep(it, 'reader', () => it.reader({ uri, timeout: 5000 }), (answer, n) => {
          // A thread that cannot be read is an empty one, for it stands in an article.
          if (answer?.status === 200 && !uri.includes('threads')) assert.equal(answer.text.length, whole, `${uri}, ${n}: half a page`);
          assert.ok([undefined, 200, 500, 503].includes(answer?.status), `${uri}, ${n}: ${answer?.status}`);
        });
      }
    } finally {
      await it.tidy();
    }
  });

  test('in the moderators’ door', { timeout: 120000 }, async () => {
    const it = await makeInstance({ top: { workers: 1 }, doors: ['reader'] });
    try {
      it.addModerator('editor', PASSWORD);
      await it.start('moderator', { env });
      const moderator = await signedIn(it);
      const { id } = await it.post({ page: '/world/starved' });
      const form = await moderator.decisionForm(id);
      const rest = form.form.controls.filter((c) => c.type === 'hidden' && c.name !== 'reply' && c.name !== 'state').map((c) => [c.name, c.value]);
      const row = () => it.sql(`SELECT state, revision, (SELECT count(*) FROM decision WHERE reply_id = reply.id) AS log FROM reply WHERE id = ${id}`)[0];
      let last = row();
      const seen = await sweep(it, 'moderator', (n) => {
        const { state, revision } = row();
        return moderator.ask({ method: 'POST', uri: form.form.action, headers: { Origin: moderator.origin }, timeout: 8000,
          form: [...rest, ['reply', `${id}:${revision}`], ['state', n === null || state === 'published' ? 'held' : 'published']] });
      }, (answer, n) => {
        const now = row();
        assert.equal(now.log - now.revision, last.log - last.revision, `${n}: each change of state has its row in the log`);
        last = now;
        assert.ok([undefined, 303, 403, 409, 500, 503].includes(answer?.status), `${n}: ${answer?.status} ${textOf(answer?.text ?? '')}`);
      });
      assert.ok(seen[303] > 0 && (seen[500] ?? 0) + (seen[503] ?? 0) > 0, JSON.stringify(seen));
      const whole = (await moderator.get()).text.length;
      await sweep(it, 'moderator', () => moderator.ask({ uri: '/comments/moderate/?state=held', timeout: 8000 }), (answer, n) => {
        if (answer?.status === 200) assert.ok(Math.abs(answer.text.length - whole) < 200, `${n}: half a page`);
      });
      for (let waited = 0; it.sql('SELECT count(*) AS n FROM publication')[0].n > 0 && waited < 20000; waited += 100) await sleep(100);
      assert.doesNotMatch(it.cli(['check']).stdout, /^mend/m);
    } finally {
      await it.tidy();
    }
  });

  test('in commands: done, or told', { timeout: 120000 }, async () => {
    const it = await makeInstance({ doors: ['reader'] });
    try {
      const { id } = await it.post();
      await it.stop('reader');
      it.sql('PRAGMA wal_checkpoint(TRUNCATE)');
      for (const args of [['waiting'], ['publish', '--all'], ['export'], ['check']]) {
        const whole = it.cli(args);
        for (let n = 1; n < 20000; n = Math.ceil(n * 1.5)) {
          set(n);
          const run = it.cli(args, { env: { ...process.env, ...env } });
          const hit = failed();
          set(0);
          if (run.signal !== null) {
            // libconfuse gives up where it finds nothing: only ever while the configuration is read.
            assert.ok(n < CONFIGURATION, `${args.join(' ')}, ${n}: ${run.signal} ${run.stderr}`);
            continue;
          }
          const timeless = ({ stdout }) => stdout.replace(/"exported_at":"[^"]*"/, '');
          if (run.status === whole.status && args[0] !== 'check') assert.equal(timeless(run), timeless(whole), `${args.join(' ')}, ${n}: half an answer`);
          else if (run.status !== whole.status) assert.notEqual(run.stderr + run.stdout, '', `${args.join(' ')}, ${n}: says nothing`);
          if (!hit) break;
        }
      }
      assert.equal(it.sql(`SELECT state FROM reply WHERE id = ${id}`)[0].state, 'held');
      assert.deepEqual(it.sql('PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
    } finally {
      await it.tidy();
    }
  });
});

// --- descriptors and inodes ------------------------------------------------------------------------

test('no file descriptors: who is there is served or sent away, few lines are logged, with some again all works', skipUnless(!has('prlimit') ? 'no prlimit' : !IS_ROOT ? 'to raise a limit again needs root' : ''), async () => {
  const it = await makeInstance({ doors: ['reader'] });
  try {
    it.addModerator('editor', PASSWORD);
    await it.start('moderator');
    const moderator = await signedIn(it);
    const { id } = await it.post({ page: '/world/starved' });
    const sent = [];
    for (const door of ['reader', 'moderator']) {
      const { pid } = it.doors[door];
      const used = fs.readdirSync(`/proc/${pid}/fd`).length;
      const limit = (n) => assert.equal(spawnSync('prlimit', ['--pid', String(pid), `--nofile=${n}:1024`]).status, 0);
      for (let room = 0; room < 12; room++) {
        limit(used + room);
        const fields = newFields(it);
        let answer = null;
        try {
          answer = door === 'reader' ? await it.reader({ uri: '/comments/reply', json: fields, accept: 'application/json', timeout: 1500 })
            : await moderator.ask({ uri: '/comments/moderate/?state=held', timeout: 1500 });
        } catch { /* not accepted */ }
        if (door === 'reader') sent.push({ fields, id: answer?.status === 201 ? answer.json().id : null });
        assert.ok([undefined, 200, 201, 500, 503].includes(answer?.status), `${door}, room for ${room}: ${answer?.status}`);
        assert.equal(it.doors[door].exitCode ?? it.doors[door].signalCode, null, `${door} ended with room for ${room}: ${it.logs[door].slice(-1000)}`);
      }
      limit(1024);
    }
    assert.ok((it.logs.reader.match(/cannot accept/g) ?? []).length < 60, 'no flood of lines');
    await checkReplies(it, sent);
    assert.equal((await moderator.approve(id)).status, 303);
    assert.match(it.thread('/world/starved'), new RegExp(`reply-${id}"`));
  } finally {
    await it.tidy();
  }
});

describe('no inodes', skipUnless(IS_ROOT ? '' : 'a small tmpfs needs root'), () => {
  test('replies are taken, a decision is made, and its files follow when there are some again', async (t) => {
    const dir = makeFolder();
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,nr_inodes=300,mode=0755', 'tmpfs', dir], { encoding: 'utf8' });
    if (mount.status !== 0) return t.skip(mount.stderr.trim());
    const unmount = () => spawnSync('umount', ['-l', dir]);
    process.prependListener('exit', unmount);
    const inside = path.join(dir, 'installation'), filler = path.join(dir, 'filler');
    fs.mkdirSync(inside);
    fs.mkdirSync(filler);
    try {
      const it = await makeInstance({ dir: inside, doors: ['reader'] });
      it.addModerator('editor', PASSWORD);
      await it.start('moderator');
      const moderator = await signedIn(it);
      const page = '/world/without-inodes';
      const full = () => {
        for (let i = 0; ; i++) {
          try {
            fs.closeSync(fs.openSync(path.join(filler, String(i)), 'w'));
          } catch (error) {
            if (error.code === 'ENOSPC') return;
            if (error.code !== 'EEXIST') throw error;
          }
        }
      };
      full();
      const { id } = await it.post({ page });
      const pids = ['reader', 'moderator'].map((door) => it.doors[door].pid);
      assert.equal((await moderator.approve(id)).status, 303);
      assert.equal(fs.existsSync(it.threadFile(page)), false, 'no file could be made');
      assert.equal(it.sql('SELECT count(*) AS n FROM publication')[0].n, 1);
      assert.equal((await it.reader({ uri: '/comments/form?page=/world/x' })).status, 200);
      fs.rmSync(filler, { recursive: true });
      for (let waited = 0; !fs.existsSync(it.threadFile(page)) && waited < 20000; waited += 100) await sleep(100);
      assert.match(it.thread(page), new RegExp(`reply-${id}"`));
      assert.deepEqual(['reader', 'moderator'].map((door) => it.doors[door].pid), pids);
      await it.tidy();
    } finally {
      unmount();
      dropFolder(dir);
    }
  });
});
