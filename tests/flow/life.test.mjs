// A door's life: who gives it its socket, how it ends, how another takes over, and what is lost meanwhile.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Peer, TYPE, begin as beginRecord, pairs, parameters, parseAnswer, record, requestBytes, stream } from '../lib/fastcgi.mjs';
import { begin, fresh, makeInstance, sleep, tellSeed } from '../lib/instance.mjs';
import { supervise, underLoad, until } from '../lib/life.mjs';

const REQUESTS = Number(process.env.RESTART_REQUESTS ?? 2000), RESTARTS = Number(process.env.RESTARTS ?? 5);
const CLIENTS = 16;
const mode = (file) => (fs.statSync(file).mode & 0o777).toString(8);
const alive = (pid) => { try { return process.kill(pid, 0); } catch { return false; } };
const spoil = (it) => fs.appendFileSync(it.config, 'site other {\n  base = "https://example.org"\n  colour = "blue"\n}\n');

before(() => tellSeed());

// Every fourth request is a reply, which must be stored if it was thanked for.
function mixture(it, acknowledged) {
  return async (i) => {
    const answer = i % 4 === 0
      ? await it.reader({ uri: '/comments/reply', json: it.goodReply({ comment: `Under load, number ${i} of the run ${fresh()}.` }), accept: 'application/json' })
      : await it.reader({ uri: i % 4 === 1 ? '/comments/form?page=/a' : '/comments/health' });
    assert.equal(answer.status, i % 4 === 0 ? 201 : 200, answer.text);
    if (i % 4 === 0) acknowledged.push(answer.json().id);
  };
}
function nothingLost(it, acknowledged) {
  const stored = new Set(it.sql('SELECT id FROM reply').map(({ id }) => String(id)));
  assert.equal(acknowledged.filter((id) => !stored.has(id)).length, 0, 'acknowledged, and not stored');
}

// --- the socket ----------------------------------------------------------------------------------

describe('the socket', () => {
  let it;
  before(async () => { it = await makeInstance(); });
  after(() => it?.tidy());

  for (const [given, is] of [['0600', '600'], ['660', '660'], ['0666', '666'], ['0777', '777']]) {
    test(`--mode ${given}`, async () => {
      const [file, args] = it.command('reader');
      const child = begin(file, [...args, '--mode', given]);
      await until('the door', () => / ready$/m.test(child.stderrText));
      assert.equal(mode(it.socket('reader')), is);
      child.kill('SIGTERM');
      assert.equal((await child.over).code, 0);
    });
  }
  for (const given of ['', '8', '0668', 'rw', '-1', '+660', '01777', '0400', '0066', '0660x', '99999999999999999999']) {
    test(`--mode "${given}" is refused`, async () => {
      for (const door of ['reader', 'moderator']) {
        const [file, args] = it.command(door);
        const child = begin(file, [...args, '--mode', given]);
        assert.equal((await child.over).code, 2);
        assert.match(child.stderrText, /--mode .*octal mode.*as 0660\n$/);
        assert.equal(child.stderrText.trim().split('\n').length, 1);
      }
    });
  }
  test('--mode without --socket is refused', async () => {
    const [file] = it.command('reader');
    const child = begin(file, ['--config', it.config, '--mode', '0600']);
    assert.equal((await child.over).code, 2);
    assert.match(child.stderrText, /--mode .*--socket PATH/);
  });
  for (const how of ['zero', 'systemd']) {
    for (const door of ['reader', 'moderator']) {
      test(`${door}.fcgi takes the socket that is passed (${how})`, async () => {
        const held = await supervise(it, door, how);
        try {
          const uri = door === 'reader' ? '/comments/health' : '/comments/moderate/health';
          assert.equal((await it.ask(door, { uri })).status, 200);
        } finally {
          await held.stop();
        }
        assert.deepEqual(held.ends(), [0]);
      });
    }
  }
});

// --- restart -------------------------------------------------------------------------------------

for (const door of ['reader', 'moderator']) {
  test(`SIGTERM to ${door}.fcgi under load, with an inherited socket: no request fails (${REQUESTS} requests, ${RESTARTS} restarts)`, async () => {
    const it = await makeInstance();
    const held = await supervise(it, door);
    const acknowledged = [];
    const calm = async () => assert.equal((await it.moderator({ uri: '/comments/moderate/sign-in' })).status, 200);
    try {
      const failures = await underLoad({ n: REQUESTS, clients: CLIENTS, times: RESTARTS,
        send: door === 'reader' ? mixture(it, acknowledged) : calm,
        disturb: async (i) => {
          held.signal('SIGTERM');
          await until('the next door', () => held.ready() > i);
        } });
      assert.deepEqual(failures, []);
      assert.deepEqual(held.ends(), Array(RESTARTS).fill(0));
      nothingLost(it, acknowledged);
      if (door === 'reader') assert.equal(it.count(), Math.floor(REQUESTS / 4), 'each once');
    } finally {
      await held.stop();
      await it.tidy();
    }
  });
}

test('what was not accepted when the door stopped is answered by the next one', async () => {
  const it = await makeInstance();
  const held = await supervise(it);
  try {
    held.signal('SIGSTOP');
    const waiting = Array.from({ length: 40 }, () => it.reader({ uri: '/comments/health' }));
    await sleep(100);
    held.signal('SIGTERM');
    held.signal('SIGCONT');
    for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 200);
    assert.equal(held.ready(), 2);
  } finally {
    await held.stop();
    await it.tidy();
  }
});

// --- a new configuration -------------------------------------------------------------------------

describe('SIGHUP', () => {
  const titleOf = async (it) => /name="comment"/.test((await it.reader({ uri: '/comments/form?page=/a' })).text);

  test('with an inherited socket: a wrong configuration is refused with file, line and reason, a right one is taken', async () => {
    const it = await makeInstance();
    const held = await supervise(it);
    try {
      const good = fs.readFileSync(it.config, 'utf8');
      spoil(it);
      held.signal('SIGHUP');
      await until('the refusal', () => /the former one stays/.test(held.log()));
      const line = fs.readFileSync(it.config, 'utf8').split('\n').findIndex((text) => text.includes('colour =')) + 1;
      assert.match(held.log(), new RegExp(`rejoinder\\.conf line ${line}: .*colour`));
      assert.deepEqual(held.ends(), []);
      assert.ok(await titleOf(it), 'the door runs on');
      fs.writeFileSync(it.config, good);
      it.configure({ site: { words: path.join(it.dir, 'none.words') } });
      held.signal('SIGHUP');
      await until('the second refusal', () => (held.log().match(/the former one stays/g) ?? []).length === 2);
      assert.match(held.log(), /words file .*none\.words cannot be read/);
      fs.writeFileSync(it.config, good);
      it.configure({ site: { paused: true } });
      const answers = Array.from({ length: 20 }, () => it.reader({ uri: '/comments/health' }));
      held.signal('SIGHUP');
      await until('the next door', () => held.ready() === 2);
      assert.ok((await Promise.all(answers)).every(({ status }) => status === 200));
      assert.deepEqual(held.ends(), [0]);
      assert.equal((await it.reader({ uri: '/comments/form?page=/a' })).status, 403, 'paused: the new configuration');
    } finally {
      await held.stop();
      await it.tidy();
    }
  });

  test('--check says the same beforehand, and needs neither socket nor databases', async () => {
    const it = await makeInstance({ doors: [] });
    const look = async (door) => {
      const [file, args] = it.command(door);
      const child = begin(file, ['--config', args[1], '--check']);
      return { code: (await child.over).code, text: child.stderrText };
    };
    try {
      for (const name of fs.readdirSync(it.dir, { recursive: true }).filter((one) => /\.db$/.test(one))) fs.rmSync(path.join(it.dir, name));
      for (const door of ['reader', 'moderator']) assert.deepEqual(await look(door), { code: 0, text: '' });
      const good = fs.readFileSync(it.config, 'utf8');
      spoil(it);
      for (const door of ['reader', 'moderator']) {
        const { code, text } = await look(door);
        assert.equal(code, 1);
        assert.match(text, /rejoinder\.conf line \d+: .*colour/);
      }
      fs.writeFileSync(it.config, good);
      it.configure({ site: { words: path.join(it.dir, 'none.words') } });
      for (const door of ['reader', 'moderator']) {
        const { code, text } = await look(door);
        assert.equal(code, 1);
        assert.match(text, /words file .*none\.words cannot be read/);
      }
    } finally {
      await it.tidy();
    }
  });

  test('with a socket of its own the door says what it found, and goes on', async () => {
    const it = await makeInstance({ doors: ['reader', 'moderator'] });
    try {
      for (const door of ['reader', 'moderator']) {
        it.doors[door].kill('SIGHUP');
        await until('the line', () => /the configuration is right, and is taken when/.test(it.logs[door]));
      }
      spoil(it);
      for (const door of ['reader', 'moderator']) {
        it.doors[door].kill('SIGHUP');
        await until('the refusal', () => /colour[\s\S]*the former one stays/.test(it.logs[door]));
      }
      assert.ok(await titleOf(it));
    } finally {
      await it.tidy();
    }
  });
});

// --- --keep --------------------------------------------------------------------------------------

describe('--keep', () => {
  let it;
  before(async () => { it = await makeInstance(); });
  after(() => it?.tidy());

  async function kept(door = 'reader') {
    const [file, args] = it.command(door);
    const child = begin(file, [...args, '--keep']);
    const ready = () => (child.stderrText.match(/ ready$/gm) ?? []).length;
    await until('the kept door', () => ready() > 0 || child.exitCode !== null);
    const doors = () => fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
    return { child, ready, doors, log: () => child.stderrText,
      async stop() { child.kill('SIGTERM'); return child.over; } };
  }

  test('a door that dies is started again, and what came meanwhile is answered', async () => {
    const one = await kept();
    try {
      const [first] = one.doors();
      const { id } = await it.post();
      process.kill(first, 'SIGSTOP');
      const waiting = it.reader({ uri: '/comments/health' });
      await sleep(50);
      process.kill(first, 'SIGKILL');
      await until('another', () => one.ready() === 2);
      assert.equal((await waiting).status, 200, 'it was not accepted yet, so it is not lost');
      assert.match(one.log(), /ended by signal 9; another is started/);
      assert.equal(it.sql(`SELECT count(*) AS n FROM reply WHERE id = ${id}`)[0].n, 1);
      process.kill(one.doors()[0], 'SIGABRT');
      await until('a third', () => one.ready() === 3);
      await it.post();
    } finally {
      assert.deepEqual(await one.stop(), { code: 0, signal: null });
    }
  });

  // libfcgi ends its process on some records (below): as this does, whatever it was in the midst of.
  test('a door that aborts under load costs at most the requests in flight, and nothing that was acknowledged', async () => {
    const ABORTS = 4;
    const one = await kept();
    try {
      const acknowledged = [];
      const failures = await underLoad({ n: 1000, clients: CLIENTS, times: ABORTS, send: mixture(it, acknowledged),
        disturb: async (i) => {
          process.kill(one.doors()[0], 'SIGABRT');
          await until('the next door', () => one.ready() > i);
        } });
      assert.ok(failures.length <= ABORTS * CLIENTS, `${failures.length} failed: ${failures.slice(0, 5)}`);
      assert.ok(acknowledged.length > 0);
      nothingLost(it, acknowledged);
      assert.equal((one.log().match(/ended by signal 6; another is started/g) ?? []).length, ABORTS);
    } finally {
      await one.stop();
    }
  });

  test('SIGHUP: a wrong configuration changes nothing, a right one takes over without a request lost', async () => {
    const one = await kept();
    const good = fs.readFileSync(it.config, 'utf8');
    try {
      const first = one.doors();
      spoil(it);
      one.child.kill('SIGHUP');
      await until('the refusal', () => /line \d+: .*colour[\s\S]*the former one goes on/.test(one.log()));
      assert.deepEqual(one.doors(), first);
      fs.writeFileSync(it.config, good);
      const acknowledged = [];
      const failures = await underLoad({ n: 1000, clients: CLIENTS, times: 3, send: mixture(it, acknowledged),
        disturb: async (i) => {
          one.child.kill('SIGHUP');
          await until('the next door', () => one.ready() > i);
        } });
      assert.deepEqual(failures, []);
      nothingLost(it, acknowledged);
      await until('the former ones to be gone', () => one.doors().length === 1);
      assert.notDeepEqual(one.doors(), first);
      assert.equal(one.child.exitCode, null);
    } finally {
      fs.writeFileSync(it.config, good);
      await one.stop();
    }
  });

  test('what does not start the first time ends with one line, and leaves no socket', async () => {
    const good = fs.readFileSync(it.config, 'utf8');
    fs.rmSync(it.socket('reader'), { force: true });
    spoil(it);
    try {
      const one = await kept();
      assert.equal((await one.child.over).code, 1);
      assert.equal(one.log().trim().split('\n').length, 1, one.log());
      assert.match(one.log(), /colour/);
      assert.ok(!fs.existsSync(it.socket('reader')));
    } finally {
      fs.writeFileSync(it.config, good);
    }
  });

  test('nothing outlives it, not even when it is killed', async () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL']) {
      const one = await kept();
      const doors = one.doors();
      one.child.kill(signal);
      await one.child.over;
      await until('the end of its door', () => !doors.some(alive));
    }
  });
});

// --- slow peers ------------------------------------------------------------------------------------

test('bodies that come a byte a second hold up nobody, more of them than workers', async () => {
  const it = await makeInstance({ top: { workers: 2 }, doors: ['reader'] });
  const body = Buffer.from(JSON.stringify(it.goodReply({ comment: 'A slow word. '.repeat(700) })));
  const bytes = requestBytes(parameters({ method: 'POST', uri: '/comments/reply', length: body.length,
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' } }), body);
  const peers = Array.from({ length: 12 }, () => new Peer(it.socket('reader')));
  try {
    await Promise.all(peers.map((peer) => peer.ready));
    await Promise.all(peers.map((peer) => peer.send(bytes.subarray(0, 8000))));
    for (let i = 0; i < 5; i++) {
      await Promise.all(peers.map((peer) => peer.send(bytes.subarray(8000 + i, 8001 + i))));
      assert.equal((await it.reader({ uri: '/comments/form?page=/a' })).status, 200);
      assert.ok(peers.every((peer) => peer.waits), 'somebody else was answered while all of them waited');
      await sleep(200);
    }
    // Slow is not wrong: whoever comes to an end is answered.
    await Promise.all(peers.slice(0, 3).map((peer) => peer.send(bytes.subarray(8005))));
    assert.ok(await peers[0].end(30000));
    assert.equal(parseAnswer(peers[0].bytes).status, 201);
    assert.equal(it.count(), 1, 'the same words, once');
  } finally {
    peers.forEach((peer) => peer.close());
    await it.tidy();
  }
});

// --- records -------------------------------------------------------------------------------------

test('management records and nonsense never reach libfcgi', async () => {
  const it = await makeInstance({ doors: ['reader'] });
  try {
    const params = parameters({ uri: '/comments/health' });
    const names = pairs({ FCGI_MAX_CONNS: '', FCGI_MAX_REQS: '', FCGI_MPXS_CONNS: '' });
    const hostile = [
      record(9, Buffer.concat(Array(40).fill(names)), { id: 0 }),
      Buffer.concat([beginRecord(), record(9, Buffer.concat(Array(40).fill(names)), { id: 0 })]),
      Buffer.concat([beginRecord(), record(TYPE.PARAMS, Buffer.from([0x80, 0, 0, 3, 0xff, 0xff, 0xff, 0xff, 97, 98, 99])), record(TYPE.PARAMS), record(TYPE.STDIN)]),
      Buffer.concat([beginRecord(), record(TYPE.PARAMS, Buffer.from([1, 0, 0])), record(TYPE.PARAMS), record(TYPE.STDIN)]),
    ];
    for (const bytes of hostile) {
      const peer = new Peer(it.socket('reader'));
      await peer.ready;
      await peer.send(bytes);
      assert.ok(await peer.end(3000), 'hung up on at once, not at the deadline');
      assert.equal(peer.bytes.length, 0);
      peer.close();
    }
    // Behind kilobytes of what is right as well: this one ends libfcgi where it gets it.
    const long = pairs(parameters({ method: 'POST', uri: '/comments/reply', length: 20, headers: { 'User-Agent': 'x'.repeat(60000) } }));
    const { pid } = it.doors.reader;
    const late = new Peer(it.socket('reader'));
    await late.ready;
    await late.send(Buffer.concat([beginRecord(), stream(TYPE.PARAMS, long), hostile[0], record(TYPE.STDIN)]));
    assert.ok(await late.end(3000));
    assert.equal(late.bytes.length, 0);
    late.close();
    assert.equal(it.doors.reader.pid, pid);
    assert.equal(it.doors.reader.exitCode ?? it.doors.reader.signalCode, null, 'it stands');
    const peer = new Peer(it.socket('reader'));
    await peer.ready;
    await peer.send(requestBytes(params));
    assert.ok(await peer.end());
    assert.equal(parseAnswer(peer.bytes).status, 200);
    peer.close();
  } finally {
    await it.tidy();
  }
});
