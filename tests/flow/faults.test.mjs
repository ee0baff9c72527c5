// Faults: killed programs, a full disk, broken installations, strange peers, wrong users.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fieldOf, replyForm, signedIn, textOf } from '../lib/browserless.mjs';
import { Peer, TYPE, begin as beginRecord, pairs, parameters, parseAnswer, record, requestBytes, stream } from '../lib/fastcgi.mjs';
import { BIN, IS_ROOT, begin, dropFolder, fresh, freshAddress, makeFolder, makeInstance, randomBelow, sleep, sqlOf, tellSeed } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
const has = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
function skipUnless(reason) {
  if (reason) console.log(`skipped: ${reason}`);
  return reason ? { skip: reason } : {};
}
const health = async (it) => (await it.reader({ uri: '/comments/health' })).status;

// --- a peer that says nothing: begun first, looked at last, because its time is half a minute -----

let silence, deafness;
const WORKERS = 4, SILENT = 6; // more than the door has workers
before(() => {
  tellSeed();
  silence = (async () => {
    const it = await makeInstance({ top: { workers: WORKERS }, doors: ['reader'] });
    try {
      const peers = Array.from({ length: 2 * SILENT }, () => new Peer(it.socket('reader')));
      await Promise.all(peers.map((peer) => peer.ready));
      // Half a record, and nothing more; or a byte a second.
      const bytes = requestBytes(parameters({ uri: '/comments/health', headers: { 'User-Agent': 'x'.repeat(2000) } }));
      let at = 5;
      await Promise.all(peers.map((peer) => peer.send(bytes.subarray(0, at))));
      const timer = setInterval(() => { peers.slice(SILENT).forEach((peer) => peer.send(bytes.subarray(at, at + 1))); at++; }, 1000);
      await sleep(200);
      const answer = await it.reader({ uri: '/comments/health', timeout: 50000 });
      const overtaken = peers.filter((peer) => peer.waits).length;
      const dropped = (await Promise.all(peers.map((peer) => peer.end(100000)))).filter(Boolean).length;
      const answered = peers.filter((peer) => peer.chunks.length > 0).length;
      clearInterval(timer);
      peers.forEach((peer) => peer.close());
      return { status: answer.status, overtaken, dropped, answered };
    } finally {
      await it.tidy();
    }
  })();
  silence.catch(() => {});
  deafness = (async () => {
    const it = await makeInstance({ top: { workers: WORKERS }, doors: ['reader'] });
    try {
      // More than a socket takes, so that a worker waits for whoever does not read it.
      const file = it.threadFile('/world/long', 'thread.html');
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, 'x'.repeat(3 << 20));
      const peers = Array.from({ length: WORKERS + 1 }, () => new Peer(it.socket('reader')));
      await Promise.all(peers.map((peer) => peer.ready));
      for (const peer of peers) {
        peer.socket.pause();
        peer.send(requestBytes(parameters({ uri: '/comments/threads/world/long/~/thread.html' })));
      }
      await sleep(500);
      const answer = await it.reader({ uri: '/comments/health', timeout: 75000 });
      peers.forEach((peer) => peer.close());
      return answer.status;
    } finally {
      await it.tidy();
    }
  })();
  deafness.catch(() => {});
});

// --- killed ------------------------------------------------------------------------------------

describe('kill -9', () => {
  test('of reader.fcgi in a posting storm loses nothing acknowledged, stores nothing twice', async () => {
    const it = await makeInstance({ doors: ['reader'] });
    try {
      const sent = [], acknowledged = new Map();
      let over = false;
      const poster = async () => {
        while (!over) {
          const fields = it.goodReply({ comment: `Storm ${fresh()} of the steppe, by wind and weather.` });
          sent.push(fields);
          try {
            const answer = await it.reader({ uri: '/comments/reply', json: fields, accept: 'application/json', timeout: 3000 });
            if (answer.status === 201) acknowledged.set(fields.key, answer.json().id);
          } catch {
            await sleep(5); // nobody home: what this one became is asked below
          }
        }
      };
      const posters = Array.from({ length: 8 }, poster);
      for (let kills = 0; kills < 8; kills++) {
        await sleep(150 + randomBelow(250));
        await it.stop('reader', 'SIGKILL');
        await it.start('reader');
      }
      over = true;
      await Promise.all(posters);
      assert.ok(acknowledged.size > 50, `a storm: ${acknowledged.size} acknowledged`);
      const stored = new Map(it.sql('SELECT id, comment FROM reply').map(({ id, comment }) => [String(id), comment]));
      for (const fields of sent) {
        const id = acknowledged.get(fields.key);
        if (id) assert.equal(stored.get(id), fields.comment, `acknowledged ${id} is lost`);
      }
      for (const fields of sent) {
        const answer = await it.reader({ uri: '/comments/reply', json: fields, accept: 'application/json' });
        assert.ok([200, 201].includes(answer.status), `${answer.status}`);
        if (acknowledged.has(fields.key)) assert.equal(answer.json().id, acknowledged.get(fields.key), 'the first receipt');
      }
      assert.equal(it.count(), sent.length, 'each once');
      assert.equal(it.sql('SELECT count(*) - count(DISTINCT comment) AS n FROM reply')[0].n, 0);
      assert.equal(it.sql('SELECT n FROM tally')[0].n, sent.length, 'and counted once');
      assert.deepEqual(it.sql('PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
    } finally {
      await it.tidy();
    }
  });

  test('of moderator.fcgi among decisions loses none, and all are published in the end', async () => {
    const it = await makeInstance({ doors: ['reader'] });
    try {
      it.addModerator('editor', PASSWORD);
      await it.start('moderator');
      const moderator = await signedIn(it);
      const page = '/world/decisions', decided = new Set();
      const ids = [];
      for (let i = 0; i < 40; i++) ids.push((await it.post({ page })).id);
      let over = false;
      const deciding = (async () => {
        for (const id of ids) {
          for (let tries = 0; !decided.has(id) && tries < 200; tries++) {
            try {
              if ((await moderator.approve(id)).status === 303) decided.add(id);
            } catch (error) {
              if (/no form decides/.test(error.message)) decided.add(id); // done, only the answer was lost
              else await sleep(10);
            }
          }
        }
        over = true;
      })();
      for (let kills = 0; !over && kills < 10; kills++) {
        await sleep(50 + randomBelow(150));
        await it.stop('moderator', 'SIGKILL');
        await it.start('moderator');
      }
      await deciding;
      assert.equal(decided.size, ids.length);
      assert.equal(it.sql("SELECT count(*) AS n FROM reply WHERE state = 'published' AND revision = 2")[0].n, ids.length);
      assert.equal(it.sql('SELECT count(*) AS n FROM decision')[0].n, ids.length, 'each logged once');
      for (let waited = 0; it.sql('SELECT count(*) AS n FROM publication')[0].n > 0 && waited < 15000; waited += 100) await sleep(100);
      assert.deepEqual(JSON.parse(it.thread(page, 'thread.json')).replies.map(({ id }) => id), ids);
    } finally {
      await it.tidy();
    }
  });
});

// --- full disk -----------------------------------------------------------------------------------

describe('a full disk', skipUnless(IS_ROOT ? '' : 'a small tmpfs needs root'), () => {
  let dir, mounted = false;
  const unmount = () => {
    if (mounted) spawnSync('umount', ['-l', dir]);
    mounted = false;
  };
  // Before the folder is removed, which the harness does at the same moment.
  process.prependListener('exit', unmount);
  before((t) => {
    dir = makeFolder();
    const run = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m,mode=0755', 'tmpfs', dir], { encoding: 'utf8' });
    mounted = run.status === 0;
    if (!mounted) console.log(`skipped: no tmpfs: ${run.stderr.trim()}`);
  });
  after(() => {
    unmount();
    dropFolder(dir);
  });

  // Takes all the room there is, to the last byte.
  function fill(file) {
    const fd = fs.openSync(file, 'w');
    for (let size = 1 << 20; size >= 1; size >>= 1) {
      try {
        while (fs.writeSync(fd, Buffer.alloc(size)) === size);
      } catch (error) {
        if (error.code !== 'ENOSPC') throw error;
      }
    }
    fs.closeSync(fd);
  }

  test('is 503 with Retry-After and the words kept; with room again it works, without restart', async (t) => {
    if (!mounted) return t.skip('no tmpfs');
    const inside = path.join(dir, 'installation'), filler = path.join(dir, 'filler');
    fs.mkdirSync(inside);
    const it = await makeInstance({ dir: inside, doors: ['reader'] });
    try {
      it.addModerator('editor', PASSWORD);
      await it.start('moderator');
      const moderator = await signedIn(it);
      const first = await it.post(), page = '/world/astana-summit';
      await moderator.approve(first.id);
      const pids = [it.doors.reader.pid, it.doors.moderator.pid];
      fill(filler);
      let refused, taken = it.count();
      for (let i = 0; i < 200 && !refused; i++) {
        const fields = it.goodReply({ comment: `Room ${fresh()}: ${'x'.repeat(9900)}` });
        const answer = await it.reader({ uri: '/comments/reply', form: fields });
        assert.ok([303, 503].includes(answer.status), `${answer.status} ${textOf(answer.text)}`);
        if (answer.status === 503) refused = { answer, fields };
        else assert.equal(it.count(), ++taken, 'what was thanked for is stored');
      }
      assert.ok(refused, 'the disk is full at last');
      assert.match(refused.answer.header('Retry-After') ?? '', /^[1-9]\d*$/);
      const form = replyForm(refused.answer.text);
      for (const name of ['name', 'email', 'website', 'comment']) assert.equal(fieldOf(form, name).value, refused.fields[name], name);
      assert.equal(it.count(), taken, 'nothing half stored');
      const json = await it.reader({ uri: '/comments/reply', json: refused.fields, accept: 'application/json' });
      assert.equal(json.status, 503);
      assert.match(json.json().error, /^[a-z-]+$/);
      const held = it.sql("SELECT id FROM reply WHERE state = 'held' ORDER BY id DESC LIMIT 1")[0]?.id;
      if (held !== undefined) {
        const verdict = await moderator.approve(held);
        assert.ok([303, 503].includes(verdict.status), String(verdict.status));
        const state = it.sql(`SELECT state FROM reply WHERE id = ${held}`)[0].state;
        assert.equal(state, verdict.status === 303 ? 'published' : 'held');
      }
      assert.match(it.thread(page), new RegExp(`reply-${first.id}`), 'what was published still stands, whole');
      fs.rmSync(filler);
      const again = await it.reader({ uri: '/comments/reply', form: refused.fields });
      assert.equal(again.status, 303, textOf(again.text));
      assert.equal(it.count(), taken + 1);
      const { id } = await it.post();
      assert.equal((await moderator.approve(id)).status, 303);
      for (let waited = 0; !it.thread(page).includes(`reply-${id}"`) && waited < 15000; waited += 100) await sleep(100);
      assert.ok(it.thread(page).includes(`reply-${id}"`));
      assert.deepEqual([it.doors.reader.pid, it.doors.moderator.pid], pids, 'the same processes');
      assert.ok(it.doors.reader.exitCode === null && it.doors.moderator.exitCode === null);
    } finally {
      await it.tidy();
    }
  });
});

// --- broken installations ------------------------------------------------------------------------

describe('a broken installation ends a door with one clear line', () => {
  let it;
  before(async () => { it = await makeInstance(); it.addModerator('editor', PASSWORD); });
  after(() => it?.tidy());

  const file = (...parts) => path.join(it.dir, ...parts);
  const edit = (change) => fs.writeFileSync(it.config, change(fs.readFileSync(it.config, 'utf8')));
  const garbage = (at) => fs.writeFileSync(at, Buffer.from('This is not what it should be.\n'.repeat(400)));
  const newer = (at) => sqlOf(at, 'PRAGMA user_version = 9999');
  // [what, which doors, how to break it, what the line must name]
  const cases = [
    ['no configuration', 'both', () => fs.rmSync(it.config), /rejoinder\.conf/],
    ['a folder for a configuration', 'both', () => { fs.rmSync(it.config); fs.mkdirSync(it.config); }, /rejoinder\.conf/],
    ['a garbled configuration', 'both', () => garbage(it.config), /rejoinder\.conf/],
    ['an unknown option', 'both', () => edit((text) => `colour = "blue"\n${text}`), /rejoinder\.conf.*(colour|line)/],
    ['an unclosed section', 'both', () => edit((text) => text.replace(/\}\s*$/, '')), /rejoinder\.conf/],
    ['no site', 'both', () => edit((text) => text.replace(/site\s[\s\S]*$/, '')), /site/],
    ['a base with a path', 'both', () => edit((text) => text.replace(/http:\/\/localhost:8080/, 'http://localhost:8080/x')), /base/],
    ['a short sealing key', 'both', () => edit((text) => text.replace(/sealing_key\s*=\s*"[0-9a-f]+"/, 'sealing_key = "abcd"')), /sealing_key/],
    ['no matching key', 'reader', () => fs.rmSync(file('keys/matching.key')), /matching\.key/],
    ['a short matching key', 'reader', () => fs.writeFileSync(file('keys/matching.key'), 'abcd\n'), /matching\.key/],
    ['a garbled receipt key', 'reader', () => garbage(file('keys/receipt.key')), /receipt\.key/],
    ['a matching key that all may read', 'reader', () => fs.chmodSync(file('keys/matching.key'), 0o644), /matching\.key/],
    ['no secret key', 'moderator', () => fs.rmSync(file('moderators/secret.key')), /secret\.key/],
    ['a secret key that the group may read', 'moderator', () => fs.chmodSync(file('moderators/secret.key'), 0o640), /secret\.key/],
    ['a garbled secret key', 'moderator', () => garbage(file('moderators/secret.key')), /secret\.key/],
    ['no database', 'both', () => ['', '-wal', '-shm'].forEach((end) => fs.rmSync(it.database + end, { force: true })), /rejoinder\.db/],
    ['a garbled database', 'both', () => garbage(it.database), /rejoinder\.db/],
    ['an empty database', 'both', () => fs.writeFileSync(it.database, ''), /rejoinder\.db/],
    ['a newer database', 'both', () => newer(it.database), /rejoinder\.db.*(newer|version)/],
    ['no moderators’ database', 'moderator', () => fs.rmSync(it.moderators), /moderators\.db/],
    ['a newer moderators’ database', 'moderator', () => newer(it.moderators), /moderators\.db.*(newer|version)/],
    ['a garbled moderators’ database', 'moderator', () => garbage(it.moderators), /moderators\.db/],
    ['no folder for published files', 'moderator', () => fs.rmSync(it.public, { recursive: true }), /public/],
  ];
  for (const [what, doors, damage, names] of cases) {
    test(what, async () => {
      const keep = makeFolder();
      fs.cpSync(it.dir, keep, { recursive: true, preserveTimestamps: true });
      const modes = ['keys/matching.key', 'keys/receipt.key', 'moderators/secret.key', 'rejoinder.conf'].map((name) => [name, fs.statSync(file(name)).mode & 0o7777]);
      try {
        damage();
        for (const door of doors === 'both' ? ['reader', 'moderator'] : [doors]) {
          const [command, args] = it.command(door);
          const child = begin(command, args);
          const timer = setTimeout(() => child.kill('SIGKILL'), 8000);
          const { code, signal } = await child.over;
          clearTimeout(timer);
          assert.equal(signal, null, `${door} went on, or crashed (${signal}): ${child.stderrText}`);
          assert.notEqual(code, 0, door);
          const lines = child.stderrText.trim().split('\n');
          assert.equal(lines.length, 1, `${door}: one line, not ${lines.length}:\n${child.stderrText}`);
          assert.match(lines[0], names, door);
          assert.ok(!fs.existsSync(it.socket(door)), 'no socket is left');
        }
        if (doors === 'reader') await it.start('moderator').then(() => it.stop('moderator'), () => {});
        // What is the moderators' alone does not trouble the readers.
        if (doors === 'moderator' && !what.includes('published')) {
          await it.start('reader');
          assert.equal((await it.stop('reader')).code, 0);
        }
      } finally {
        fs.rmSync(it.dir, { recursive: true });
        fs.cpSync(keep, it.dir, { recursive: true, preserveTimestamps: true });
        for (const [name, mode] of modes) fs.chmodSync(file(name), mode);
        dropFolder(keep);
      }
    });
  }

  test('and the same one is whole again: it starts', async () => {
    await it.start('reader');
    await it.start('moderator');
    assert.equal(await health(it), 200);
  });
});

// --- strange peers ---------------------------------------------------------------------------------

describe('strange peers', () => {
  let it;
  before(async () => { it = await makeInstance({ doors: ['reader'] }); });
  after(() => it?.tidy());
  const good = () => {
    const body = Buffer.from(JSON.stringify(it.goodReply()));
    const params = parameters({ method: 'POST', uri: '/comments/reply', address: freshAddress(), length: body.length,
      headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'User-Agent': 'strange' } });
    return { params, body, bytes: requestBytes(params, body) };
  };
  const alive = async () => {
    assert.equal(it.doors.reader.exitCode ?? it.doors.reader.signalCode, null, `the door died: ${it.logs.reader.slice(-2000)}`);
    await it.post();
  };

  test('silent ones and one byte a second do not delay the others', async () => {
    const peers = Array.from({ length: 12 }, () => new Peer(it.socket('reader')));
    await Promise.all(peers.map((peer) => peer.ready));
    const { bytes } = good();
    peers.slice(0, 6).forEach((peer, i) => peer.send(bytes.subarray(0, i * 7)));
    let at = 0;
    const timer = setInterval(() => { peers.slice(6).forEach((peer) => peer.send(bytes.subarray(at, at + 1))); at++; }, 1000);
    try {
      for (let i = 0; i < 10; i++) {
        await it.post();
        assert.ok(peers.every((peer) => peer.waits), 'a reply was taken while all of them waited');
        await sleep(300);
      }
    } finally {
      clearInterval(timer);
      peers.forEach((peer) => peer.close());
    }
    await alive();
  });

  test('half a request, cut anywhere, stores nothing and leaves the door up', async () => {
    const { bytes } = good();
    const before = it.count();
    for (let i = 0; i < 60; i++) {
      const peer = new Peer(it.socket('reader'));
      await peer.ready;
      await peer.send(bytes.subarray(0, randomBelow(bytes.length - 8)));
      if (i % 2 === 0) peer.socket.end();
      else peer.close();
      await peer.end(3000);
      peer.close();
    }
    await sleep(100);
    assert.equal(it.count(), before, 'a body without its end counts for nothing');
    await alive();
  });

  test('records that mean nothing are dropped or answered, and the door stays up', async () => {
    const { params, body } = good();
    const all = pairs(params);
    const noise = (n) => Buffer.from(Array.from({ length: n }, () => randomBelow(256)));
    const kinds = [
      () => Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      () => noise(1 + randomBelow(400)).fill(9, 0, 1),
      () => record(TYPE.BEGIN, Buffer.alloc(3)),
      () => Buffer.concat([record(TYPE.BEGIN, Buffer.alloc(8)), record(TYPE.PARAMS)]),
      () => record(99, noise(20)),
      () => record(TYPE.BEGIN, Buffer.from([0, 9, 0, 0, 0, 0, 0, 0])),
      () => Buffer.concat([beginRecord(), record(TYPE.PARAMS, all.subarray(0, randomBelow(all.length))), record(TYPE.PARAMS), record(TYPE.STDIN)]),
      () => Buffer.concat([beginRecord(), record(TYPE.STDIN, body), record(TYPE.PARAMS, all)]),
      () => Buffer.concat([beginRecord(), record(TYPE.ABORT)]),
      () => Buffer.concat([beginRecord(), stream(TYPE.PARAMS, all), record(TYPE.ABORT)]),
      () => Buffer.concat([beginRecord(), beginRecord(), stream(TYPE.PARAMS, all)]),
      () => Buffer.concat([beginRecord(), record(TYPE.PARAMS, all, { version: 7 })]),
      () => Buffer.concat([beginRecord(), record(TYPE.PARAMS, all, { id: 5 }), record(TYPE.PARAMS, Buffer.alloc(0), { id: 5 })]),
      () => Buffer.concat([beginRecord(), record(TYPE.PARAMS, Buffer.from([5])), record(TYPE.PARAMS)]),
      () => Buffer.concat([beginRecord(), record(TYPE.PARAMS, Buffer.from([3, 200, 97, 98, 99])), record(TYPE.PARAMS), record(TYPE.STDIN)]),
      () => { // one byte of a good request is another; the lengths in records and pairs are left alone
        const bytes = requestBytes(params, body);
        bytes[bytes.length - 10 - randomBelow(body.length - 2)] = randomBelow(256);
        return bytes;
      },
    ];
    for (let i = 0; i < 160; i++) {
      const peer = new Peer(it.socket('reader'));
      await peer.ready;
      await peer.send(kinds[i % kinds.length]());
      peer.socket.end();
      await peer.end(3000);
      peer.close();
      assert.equal(it.doors.reader.exitCode ?? it.doors.reader.signalCode, null, `kind ${i % kinds.length} killed it: ${it.logs.reader.slice(-2000)}`);
    }
    await alive();
  });

  test('padding, split records and tiny pieces are a request like any other', async () => {
    const { params, body } = good();
    const all = pairs(params);
    const pieces = Array.from({ length: Math.ceil(all.length / 7) }, (_, i) => record(TYPE.PARAMS, all.subarray(i * 7, i * 7 + 7), { padding: i % 9 }));
    const bytes = Buffer.concat([beginRecord(), ...pieces, record(TYPE.PARAMS), ...[...body].map((b) => record(TYPE.STDIN, Buffer.from([b]), { padding: 3 })), record(TYPE.STDIN)]);
    const peer = new Peer(it.socket('reader'));
    await peer.ready;
    for (let at = 0; at < bytes.length; at += 97) await peer.send(bytes.subarray(at, at + 97));
    assert.ok(await peer.end());
    assert.equal(parseAnswer(peer.bytes).status, 201);
    peer.close();
  });

  test('lengths that overflow kill at most the door, and nothing that was acknowledged', async () => {
    const own = await makeInstance();
    // What a sanitizer says about libfcgi is no finding of ours.
    const env = { ASAN_OPTIONS: `log_path=${own.dir}/report` };
    try {
      await own.start('reader', { env });
      const { id } = await own.post();
      const hostile = [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 1], [0x80, 0, 0, 0, 0x80, 0, 0, 0], [0xc0, 0, 0, 0, 0xc0, 0, 0, 0]];
      for (const lengths of hostile) {
        const peer = new Peer(own.socket('reader'));
        await peer.ready;
        await peer.send(Buffer.concat([beginRecord(), record(TYPE.PARAMS, Buffer.from([...lengths, 97, 98, 99])), record(TYPE.PARAMS), record(TYPE.STDIN)]));
        peer.socket.end();
        await peer.end(3000);
        peer.close();
        await sleep(50);
        const { exitCode, signalCode } = own.doors.reader;
        if (exitCode !== null || signalCode !== null) {
          console.log(`lengths ${lengths.map((b) => b.toString(16)).join(' ')} ended the door with ${exitCode ?? signalCode} (libfcgi); a supervisor starts it again`);
          delete own.doors.reader;
          await own.start('reader', { env });
        }
      }
      assert.equal(own.sql(`SELECT count(*) AS n FROM reply WHERE id = ${id}`)[0].n, 1);
      await own.post();
    } finally {
      await own.tidy();
    }
  });

  test('SIGTERM lets a request in flight finish, and ends with 0', async () => {
    const { bytes } = good();
    const before = it.count();
    const peer = new Peer(it.socket('reader'));
    await peer.ready;
    await peer.send(bytes.subarray(0, bytes.length - 40));
    await sleep(200);
    const ending = it.stop('reader');
    await sleep(300);
    await peer.send(bytes.subarray(bytes.length - 40));
    assert.ok(await peer.end());
    assert.equal(parseAnswer(peer.bytes).status, 201);
    peer.close();
    const end = await ending;
    assert.deepEqual([end.code, end.overdue], [0, false]);
    assert.equal(it.count(), before + 1);
    await it.start('reader');
    await alive();
  });

  test('a second door on the same socket is refused, a stale socket file is not', async () => {
    const [command, args] = it.command('reader');
    const child = begin(command, args);
    const timer = setTimeout(() => child.kill('SIGKILL'), 8000);
    const end = await child.over;
    clearTimeout(timer);
    assert.notEqual(end.code, 0);
    assert.equal(end.signal, null);
    assert.match(child.stderrText, /reader\.sock/);
    await alive();
    await it.stop('reader', 'SIGKILL');
    assert.ok(fs.existsSync(it.socket('reader')), 'what a kill leaves');
    await it.start('reader');
    assert.equal((fs.statSync(it.socket('reader')).mode & 0o777).toString(8), '660');
    await alive();
  });
});

// --- users ---------------------------------------------------------------------------------------

describe('two users in one group', skipUnless(!IS_ROOT ? 'other users need root' : !has('setpriv') ? 'no setpriv' : ''), () => {
  const READER = 61001, MODERATOR = 61002, GROUP = 61000;
  const as = (uid) => ['setpriv', `--reuid=${uid}`, `--regid=${GROUP}`, '--clear-groups', '--no-new-privs'];
  let it;
  function give(at, uid, mode) {
    fs.chownSync(at, uid, GROUP);
    fs.chmodSync(at, mode);
  }
  function giveTree(folder, uid, fileMode, folderMode) {
    give(folder, uid, folderMode);
    for (const one of fs.readdirSync(folder, { withFileTypes: true })) {
      const at = path.join(folder, one.name);
      if (one.isDirectory()) giveTree(at, uid, fileMode, folderMode);
      else give(at, uid, fileMode);
    }
  }
  before(async () => {
    it = await makeInstance();
    it.addModerator('editor', PASSWORD);
    // A checkout below /root is out of other users' reach; copies of the programs are not.
    it.bin = path.join(it.dir, 'bin');
    fs.mkdirSync(it.bin);
    for (const program of ['reader.fcgi', 'moderator.fcgi']) fs.copyFileSync(path.join(BIN, program), path.join(it.bin, program));
    for (const one of fs.readdirSync(it.dir, { withFileTypes: true })) {
      if (one.isFile()) give(path.join(it.dir, one.name), MODERATOR, one.name.endsWith('.conf') ? 0o640 : 0o660);
    }
    give(it.dir, MODERATOR, 0o2775);
    giveTree(it.bin, MODERATOR, 0o755, 0o755);
    giveTree(it.public, MODERATOR, 0o664, 0o2775);
    giveTree(path.join(it.dir, 'run'), MODERATOR, 0o660, 0o2770);
    giveTree(path.join(it.dir, 'keys'), MODERATOR, 0o640, 0o750);
    giveTree(path.join(it.dir, 'moderators'), MODERATOR, 0o600, 0o700);
  });
  after(() => it?.tidy());

  test('reader.fcgi takes replies and cannot read what is the moderators’ alone', async () => {
    await it.start('reader', { wrap: as(READER) });
    await it.start('moderator', { wrap: as(MODERATOR) });
    const uid = (door) => Number(/^Uid:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${it.doors[door].pid}/status`, 'utf8'))[1]);
    assert.deepEqual([uid('reader'), uid('moderator')], [READER, MODERATOR]);
    for (const name of ['secret.key', 'moderators.db']) {
      const run = spawnSync(as(READER)[0], [...as(READER).slice(1), 'cat', path.join(it.dir, 'moderators', name)]);
      assert.notEqual(run.status, 0, name);
      assert.equal(run.stdout.length, 0, name);
    }
    const open = fs.readdirSync(`/proc/${it.doors.reader.pid}/fd`).map((fd) => { try { return fs.readlinkSync(`/proc/${it.doors.reader.pid}/fd/${fd}`); } catch { return ''; } });
    assert.ok(!open.some((target) => /secret\.key|moderators/.test(target)), open.join(' '));
    const { id } = await it.post({ page: '/world/two-users' });
    const moderator = await signedIn(it);
    assert.equal((await moderator.approve(id)).status, 303);
    assert.match(it.thread('/world/two-users'), new RegExp(`reply-${id}`));
    const info = fs.statSync(it.threadFile('/world/two-users'));
    assert.deepEqual([info.uid, info.gid, (info.mode & 0o777).toString(8)], [MODERATOR, GROUP, '664']);
    for (let i = 0; i < 5; i++) await it.post({ page: '/world/two-users' });
  });

  test('and both go on when either made the WAL', async () => {
    for (const order of [['reader', 'moderator'], ['moderator', 'reader']]) {
      await it.stop('reader');
      await it.stop('moderator');
      for (const end of ['-wal', '-shm']) fs.rmSync(it.database + end, { force: true });
      for (const door of order) await it.start(door, { wrap: as(door === 'reader' ? READER : MODERATOR) });
      const { id } = await it.post();
      const moderator = await signedIn(it);
      assert.equal((await moderator.approve(id)).status, 303, order.join(' then '));
    }
  });

  test('a reader.fcgi that is told to be the moderators’ door is not', async () => {
    await it.stop('moderator');
    const [command, args] = it.command('moderator');
    const [wrap, ...rest] = as(READER);
    const child = begin(wrap, [...rest, command, ...args]);
    const timer = setTimeout(() => child.kill('SIGKILL'), 8000);
    const end = await child.over;
    clearTimeout(timer);
    assert.equal(end.signal, null);
    assert.notEqual(end.code, 0);
    assert.match(child.stderrText, /secret\.key|moderators/);
  });
});

// --- durable before thanks -------------------------------------------------------------------------

const traceable = () => {
  if (!has('strace')) return 'no strace';
  return spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0 ? '' : 'strace may not trace here';
};
describe('a trace of one submission', skipUnless(traceable()), () => {
  test('shows the WAL synced before the answer is written', async () => {
    const it = await makeInstance();
    const trace = path.join(it.dir, 'trace');
    try {
      await it.start('reader', { wrap: ['strace', '-D', '-f', '-y', '-s', '80', '-e', 'trace=fdatasync,fsync,write,writev,sendto,sendmsg,pwrite64', '-o', trace] });
      await it.post();
      await sleep(200);
      const before = fs.readFileSync(trace, 'utf8').split('\n').length;
      await it.post();
      await it.stop('reader');
      for (let waited = 0; !/exited with/.test(fs.readFileSync(trace, 'utf8').slice(-200)) && waited < 3000; waited += 50) await sleep(50);
      const lines = fs.readFileSync(trace, 'utf8').split('\n').slice(before - 1);
      const answer = lines.findIndex((line) => /\b(write|writev|sendto|sendmsg)\(/.test(line) && line.includes('Status: 201'));
      assert.ok(answer >= 0, `no answer in the trace:\n${lines.join('\n')}`);
      const written = lines.slice(0, answer).reduce((last, line, i) => (/pwrite64\(\d+<[^>]*rejoinder\.db-wal>/.test(line) ? i : last), -1);
      assert.ok(written >= 0, 'frames go to the WAL before the answer');
      const thread = /^\d+/.exec(lines[written])[0];
      const synced = lines.findIndex((line, i) => i > written && new RegExp(`^${thread}\\s.*(f(data)?sync\\(\\d+<[^>]*rejoinder\\.db-wal>\\)\\s+= 0|<\\.\\.\\. f(data)?sync resumed>.*= 0)`).test(line));
      assert.ok(synced > written && synced < answer, `write ${written}, sync ${synced}, answer ${answer}:\n${lines.slice(0, answer + 1).join('\n')}`);
    } finally {
      await it.tidy();
    }
  });
});

test('peers that read no answer, more than there are workers, are cut off after their time', { timeout: 120000 }, async () => {
  assert.equal(await deafness, 200);
});

test('peers that say half a record, or a byte a second, more than there are workers, are dropped after their time', { timeout: 120000 }, async () => {
  const { status, overtaken, dropped, answered } = await silence;
  assert.equal(status, 200);
  assert.equal(overtaken, 2 * SILENT, 'somebody else was answered while all of them waited');
  assert.equal(dropped, 2 * SILENT, 'all of them are dropped after their time');
  assert.equal(answered, 0);
});
