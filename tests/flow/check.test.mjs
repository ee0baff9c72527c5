// `rejoinder check` finds the usual mistakes: each is planted here, and docs/troubleshooting.md tells it in
// the same words and the same order.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { signedIn } from '../lib/browserless.mjs';
import { BIN, IS_ROOT, ROOT, freshAddress, makeInstance, sqlOf, tellSeed } from '../lib/instance.mjs';

let it;
before(async () => {
  tellSeed();
  it = await makeInstance({ doors: ['reader'] });
  it.addModerator('editor', 'a steppe is not a step');
  await it.post();
});
after(() => it?.tidy());

const at = (...parts) => path.join(it.dir, ...parts);
const check = () => { const run = it.cli(['check']); return { status: run.status, said: run.stdout, log: run.stderr }; };
// Changes a mode, an owner or a file, and hands back how to undo it.
function mode(file, bits) {
  const before = fs.statSync(file).mode & 0o7777;
  fs.chmodSync(file, bits);
  return () => fs.chmodSync(file, before);
}
function owner(file, uid, gid = fs.statSync(file).gid) {
  const was = fs.statSync(file);
  fs.chownSync(file, uid, gid);
  return () => fs.chownSync(file, was.uid, was.gid);
}
function away(file) {
  fs.renameSync(file, `${file}.away`);
  return () => fs.renameSync(`${file}.away`, file);
}
function configured(change) {
  const was = fs.readFileSync(it.config);
  it.configure(change);
  return () => fs.writeFileSync(it.config, was);
}
function several(...undo) {
  return async () => { for (const one of undo.reverse()) await one(); };
}
const VERSION = Number(/PRAGMA user_version = (\d+)/.exec(fs.readFileSync(path.join(ROOT, 'sql/rejoinder/schema.sql'), 'utf8'))[1]);
const row = (change, back) => { it.sql(change); return () => it.sql(back); };
const file = (...parts) => { fs.mkdirSync(path.dirname(at(...parts)), { recursive: true }); fs.writeFileSync(at(...parts), 'x'); return at(...parts); };
const post = async (n, address) => { for (let i = 0; i < n; i++) await it.post({}, { address: typeof address === 'function' ? address() : address }); };

// [what the documentation calls it, 'mend' or 'note', how it is planted, whether that needs root]
const PLANTED = [
  ['put the copy back; WHAT TO KEEP in rejoinder(1) says what is lost without it, and what makes a new one', 'mend', () => away(at('keys', 'receipt.key'))],
  ['has mode 0644; chmod 0640 it', 'mend', () => mode(at('keys', 'matching.key'), 0o644)],
  ['has another owner or group than the database: chown --reference=', 'mend', () => several(mode(`${it.database}.turn`, 0o600), owner(`${it.database}.turn`, 65534, 65534)), true],
  ['is not for its group to write, and reader.fcgi and moderator.fcgi are two users: chmod 660 it', 'mend', () => several(mode(it.database, 0o640), owner(it.database, 65534)), true],
  ['cannot be written by moderator.fcgi: chmod 2775 it', 'mend', () => several(mode(it.public, 0o755), owner(it.public, 65534)), true],
  ['both programs run as one user', 'note', () => () => {}],
  ['so the web server cannot connect: start reader.fcgi with --mode 0660', 'mend', () => mode(it.socket('reader'), 0o600)],
  ['nobody listens there: start reader.fcgi with rejoinder --config', 'mend', async () => { await it.stop('reader', 'SIGKILL'); const left = file('run', 'reader.pid'); return several(() => it.start('reader'), () => fs.rmSync(left)); }],
  ['nobody listens there: start reader.fcgi with rejoinder --config', 'note', async () => { await it.stop('reader', 'SIGKILL'); return () => it.start('reader'); }],
  ['it is not there: start reader.fcgi with rejoinder --config', 'note', async () => { await it.stop('reader'); fs.rmSync(it.socket('reader'), { force: true }); return () => it.start('reader'); }],
  ['it is not there: moderator.fcgi has another socket, or does not run', 'note', () => () => {}],
  ['could not be asked, for this user may not connect: run rejoinder check as root', 'note', null], // tests/flow/drop.test.mjs
  ['all else is looked at as the moderators\' user; standard error says why that cannot be', 'mend', () => owner(at('moderators'), 65534), true],
  ['so a web server that is neither its user nor in its group cannot pass: chmod o+x it', 'note', () => several(mode(it.dir, 0o700), owner(it.socket('reader'), process.getuid(), 33)), true],
  ['so the web server cannot read it: chmod o+r it', 'mend', () => mode(file('public', 'main', 'threads', 'a', '~', 'thread.html'), 0o600)],
  ['is for the group alone, so a web server that is not in it cannot read all: chmod -R o+rX', 'note', () => mode(it.public, 0o2770)],
  ['net.core.somaxconn is', 'note', null], // below: in a network namespace of its own
  ['is no folder: name the one with the articles\' files', 'mend', () => configured({ site: { document_root: at('nowhere') } })],
  ['does not belong to the configured sealing_key: put back the one that fits', 'mend', () => configured({ top: { sealing_key: '0'.repeat(64) } })],
  ['and keep a copy beside it: restart reader.fcgi and moderator.fcgi', 'mend', () => { sqlOf(it.database, 'PRAGMA user_version = 2'); return () => sqlOf(it.database, `PRAGMA user_version = ${VERSION}`); }],
  ['reader.fcgi and moderator.fcgi would not start; standard error says why', 'mend', () => { fs.writeFileSync(at('own.words'), 'form.titel = x\n'); return configured({ site: { words: at('own.words') } }); }],
  ['is empty: rejoinder pages import FILE --site main', 'mend', () => configured({ site: { page_list: true } })],
  ['is of a time to come: set the clock', 'mend', () => row('UPDATE reply SET created_at = created_at + 90000', 'UPDATE reply SET created_at = created_at - 90000')],
  ['came without an address: the web server must pass REMOTE_ADDR', 'mend', async () => { await post(1, ''); return () => it.sql('UPDATE reply SET network_sealed = NULL, content_hash = content_hash WHERE id = (SELECT max(id) FROM reply)'); }, 'last'],
  ['came from one network, as if from a proxy', 'mend', null], // below
  ['database: ', 'mend', null], // tests/flow/faults.test.mjs
  ['is not as it was stored', 'mend', () => row("UPDATE reply SET name = name || '.' WHERE id = 1", "UPDATE reply SET name = substr(name, 1, length(name) - 1) WHERE id = 1")],
  ['a new pair of keys was not made to its end: run rejoinder rekey again', 'mend', () => { const left = file('moderators', 'secret.key.new'); return () => fs.rmSync(left); }],
  ['sealed to the former one): restart reader.fcgi and moderator.fcgi, then run rejoinder rekey --finish', 'note', () => { fs.copyFileSync(at('moderators', 'secret.key'), at('moderators', 'secret.key.former')); return () => fs.rmSync(at('moderators', 'secret.key.former')); }],
  ['addresses do not open with the secret key: if ', 'note', null], // tests/flow/rekey.test.mjs
  ['behind the store', 'mend', () => row('INSERT INTO publication (thread_id, page_number, revision, asked_at, due_at) SELECT id, 1, 1, 0, 4000000000 FROM thread LIMIT 1', 'DELETE FROM publication')],
  ['could not be written 3 times: broken', 'mend', () => row("INSERT INTO publication (thread_id, page_number, revision, asked_at, tries, failure) SELECT id, 1, 1, 0, 3, 'broken' FROM thread LIMIT 1", 'DELETE FROM publication')],
  ['do not hold what is published: run rejoinder publish --all', 'mend', null], // below
];

test('what is as it must be is well', () => {
  const { status, said, log } = check();
  assert.equal(status, 0, said + log);
  assert.match(said, /All is well(, with \d+ notes?)?\.\n$/);
  const notes = (said.match(/^note /gm) ?? []).length;
  assert.match(said, notes === 0 ? /All is well\.\n$/ : new RegExp(`All is well, with ${notes} note${notes === 1 ? '' : 's'}\\.\\n$`));
  assert.doesNotMatch(said, /^mend/m);
});

for (const [words, kind, plant, needs] of PLANTED.filter(([, , plant, needs]) => plant && needs !== 'last')) {
  test(`${kind}: ${words}`, { skip: needs === true && !IS_ROOT && 'another owner needs root' }, async () => {
    const undo = await plant();
    try {
      const { status, said, log } = check();
      const line = said.split('\n').find((one) => one.includes(words));
      assert.ok(line?.startsWith(kind), `${said}${log}`);
      assert.equal(status, kind === 'mend' ? 1 : 0, said + log);
    } finally {
      await undo();
    }
    assert.equal(check().status, 0, `mended again: ${check().said}`);
  });
}

test('what keeps the doors from starting is told by the same words as the doors tell it', () => {
  for (const [undo, words] of [
    [() => { fs.writeFileSync(at('own.words'), 'form.titel = x\n'); return configured({ site: { words: at('own.words') } }); }, /own\.words: line 1: unknown key form\.titel/],
    [() => configured({ site: { time_zone: 'Asia/Nowhere' } }), /time_zone: .*Nowhere is no file of the zone database/],
    [() => { const was = it.sql('PRAGMA user_version')[0].user_version; sqlOf(it.database, 'PRAGMA user_version = 9999'); return () => sqlOf(it.database, `PRAGMA user_version = ${was}`); }, /rejoinder\.db: is of version 9999, newer than this program/],
    [() => configured({ site: { base: 'https://example.org/news' } }), /line \d+: base: write the site's address/],
  ]) {
    const back = undo();
    const { status, log } = check();
    back();
    assert.equal(status, 1, String(words));
    assert.match(log, words);
  }
});

test('a database of an earlier release is told, and left as it is', async () => {
  const own = await makeInstance();
  try {
    for (const [name, file, version] of [['moderators', own.moderators, 1], ['rejoinder', own.database, 2]]) {
      const [{ id }] = sqlOf(file, 'SELECT application_id AS id FROM pragma_application_id');
      for (const end of ['', '-wal', '-shm']) fs.rmSync(file + end, { force: true });
      sqlOf(file, `\n${fs.readFileSync(path.join(ROOT, `tests/flow/schema/${name}-${version}.sql`), 'utf8')}`);
      sqlOf(file, `PRAGMA application_id = ${id}; PRAGMA journal_mode = WAL`);
      fs.chmodSync(file, name === 'moderators' ? 0o600 : 0o660);
      const { status, stdout, stderr } = own.cli(['check']);
      assert.equal(status, 1, stdout + stderr);
      assert.match(stdout, new RegExp(`^mend {5}${file} is of version ${version}, which these programs bring to \\d+ when one starts`, 'm'));
      assert.doesNotMatch(stdout, /would not start/);
      assert.deepEqual(sqlOf(file, 'PRAGMA user_version'), [{ user_version: version }]);
      assert.ok(!fs.existsSync(`${file}.v${version}`));
    }
    for (const door of ['reader', 'moderator']) await own.start(door);
    assert.equal(own.cli(['check']).status, 0, 'after that all is well');
  } finally {
    await own.tidy();
  }
});

test('one is called one, and more are called more', async () => {
  const own = await makeInstance({ doors: ['reader'] });
  try {
    const said = () => own.cli(['check']).stdout;
    await own.post();
    assert.match(said(), /^ok {7}1 reply compared with its hash\nok {7}0 pages lag behind the store\nok {7}published files of 1 page compared with the store$/m);
    await own.post({ page: '/another' });
    own.sql('INSERT INTO publication (thread_id, page_number, revision, asked_at, tries, failure, due_at) SELECT id, 1, 1, 0, 1, \'broken\', 4000000000 FROM thread WHERE id = 1');
    assert.match(said(), /^ok {7}2 replies compared with their hashes\nmend {5}1 page lags behind the store: [^]*\nmend {5}page 1 of .* could not be written 1 time: broken/m);
    assert.match(own.mustCli(['stats']).stdout, /^main\n {2}held +2\n$/);
  } finally {
    await own.tidy();
  }
});

test('a folder of its own is in nobody’s way where only its user may connect', { skip: !IS_ROOT && 'another owner needs root' }, () => {
  const undo = mode(it.dir, 0o700);
  try {
    assert.doesNotMatch(check().said, /chmod o\+x/, 'as in the demo');
    const back = owner(it.socket('reader'), 0, 33);
    assert.match(check().said, /^note .* has mode 0700, so a web server/m);
    back();
  } finally {
    undo();
  }
});

test('that nobody answers is the last line, where nothing else is to mend', async () => {
  assert.match(check().said, /\nAll is well, with \d+ notes?\.\n$/, 'one program runs, and the other may be anywhere');
  await it.stop('reader', 'SIGKILL');
  try {
    const { status, said } = check();
    assert.equal(status, 0, said);
    assert.match(said, /\nreader\.fcgi and moderator\.fcgi do not answer; all else is well, with \d+ notes\.\n$/);
    // Where a web server's CGI programs start them, that is as it must be.
    for (const door of ['reader', 'moderator']) file('run', `${door}.start`);
    const waits = check().said;
    assert.match(waits, /^ok .*reader\.sock: reader\.fcgi does not run now; reader\.cgi starts it when somebody comes$/m);
    assert.match(waits, /^ok .*moderator\.sock: moderator\.fcgi does not run now; moderator\.cgi starts it when somebody comes$/m);
    assert.match(waits, /\nAll is well, with/);
  } finally {
    for (const door of ['reader', 'moderator']) fs.rmSync(at('run', `${door}.start`), { force: true });
    await it.start('reader');
  }
});

test('an installation in /etc has its programs running, and who started them starts them again', async (t) => {
  if (!IS_ROOT) return t.skip('a mount namespace needs root');
  const inside = (prepare) => spawnSync('unshare', ['-m', 'sh', '-c', `set -e; mount -t tmpfs tmpfs /mnt; cp /etc/passwd /etc/group /etc/nsswitch.conf /mnt; mount --move /mnt /etc
    mkdir /etc/rejoinder; cp "$1" /etc/rejoinder/rejoinder.conf; chmod 640 /etc/rejoinder/rejoinder.conf; mount -t tmpfs tmpfs /run; ${prepare}; shift; exec "$@"`,
  'sh', it.config, path.join(BIN, 'rejoinder'), 'check'], { encoding: 'utf8' });
  const well = inside('true');
  if (/unshare|mount/.test(well.stderr)) return t.skip(well.stderr.trim());
  assert.equal(well.status, 0, well.stdout + well.stderr);
  for (const how of ['nobody listens there', 'it is not there']) {
    await it.stop('reader', 'SIGKILL');
    if (how === 'it is not there') fs.rmSync(it.socket('reader'));
    try {
      const { status, stdout } = inside('true');
      assert.equal(status, 1, stdout);
      assert.match(stdout, new RegExp(`^mend .*/reader\\.sock: ${how}: start reader\\.fcgi with rejoinder start, or as it was started before, and see its log$`, 'm'));
      assert.match(stdout, /^mend .*\/moderator\.sock: it is not there: start moderator\.fcgi with rejoinder start/m);
      const units = inside('mkdir -p /run/systemd/system /etc/systemd/system/sockets.target.wants; ln -s /nowhere /etc/systemd/system/sockets.target.wants/rejoinder-reader.socket');
      assert.equal(units.status, 1, units.stdout);
      assert.match(units.stdout, new RegExp(`^mend .*/reader\\.sock: ${how}: start reader\\.fcgi with systemctl start rejoinder-reader\\.socket; journalctl -u rejoinder-reader says why it ended$`, 'm'));
    } finally {
      await it.start('reader');
    }
  }
});

test('a folder that may be listed and not passed through is as good as closed', () => {
  const folder = path.dirname(file('public', 'main', 'threads', 'b', '~', 'thread.html'));
  for (const [bits, wanted] of [[0o2775, null], [0o2711, null], [0o2744, /^mend {5}.*\/b\/~ has mode 0744, so the web server cannot read it: chmod o\+rx it$/m],
    [0o2774, /^note {5}among the published files 1 is for the group alone/m]]) {
    const back = mode(folder, bits);
    const { said } = check();
    back();
    if (wanted) assert.match(said, wanted, bits.toString(8));
    else assert.doesNotMatch(said, /so the web server cannot read|group alone/, bits.toString(8));
  }
  fs.rmSync(at('public', 'main', 'threads', 'b'), { recursive: true });
});

test('net.core.somaxconn below the backlog is noted', (t) => {
  if (!IS_ROOT) return t.skip('a network namespace needs root');
  const run = spawnSync('unshare', ['-n', 'sh', '-c', 'echo 128 >/proc/sys/net/core/somaxconn && exec "$@"', 'sh', path.join(BIN, 'rejoinder'), '--config', it.config, 'check'], { encoding: 'utf8' });
  if (/unshare|read-only|cannot create/i.test(run.stderr)) return t.skip(run.stderr.trim());
  assert.match(run.stdout, /^note {5}net\.core\.somaxconn is 128: .*sysctl -w net\.core\.somaxconn=4096$/m, run.stderr);
});

test('replies that all came from one network look like a proxy’s, unless the site is local', async () => {
  const own = await makeInstance({ site: { base: 'https://news.example' }, sites: { other: { base: 'http://localhost:8080', mount: '/other' } }, doors: ['reader'] });
  const said = () => own.cli(['check']).stdout;
  try {
    for (let i = 0; i < 19; i++) await own.post({}, { address: `10.0.0.${i}` });
    assert.doesNotMatch(said(), /as if from a proxy/, 'too few to tell');
    await own.post({}, { address: '10.0.0.77' });
    assert.match(said(), /^mend {5}the newest 20 replies of site main came from one network, as if from a proxy: let the web server find/m);
    for (let i = 0; i < 21; i++) await own.post({ page: '/x' }, { uri: '/other/reply', site: 'other', address: '127.0.0.1' });
    assert.doesNotMatch(said(), /site other/, 'a trial on one machine');
    await own.post({}, { address: freshAddress() });
    assert.doesNotMatch(said(), /as if from a proxy/);
  } finally {
    await own.tidy();
  }
});

test('a published file that is gone or holds other replies than it must is told, until all is published again', async () => {
  const own = await makeInstance({ doors: ['reader'] });
  try {
    own.addModerator('editor', 'a steppe is not a step');
    await own.start('moderator');
    const moderator = await signedIn(own);
    const ids = [];
    for (let i = 0; i < 2; i++) ids.push((await own.post({ page: '/approved', comment: `<article id="reply-77"> {"id":"77"} ${i}` })).id);
    await own.post({ page: '/held' });
    for (const id of ids) await moderator.approve(id);
    const run = () => own.cli(['check']);
    const well = run();
    assert.equal(well.status, 0, well.stdout + well.stderr);
    assert.match(well.stdout, /^ok {7}published files of 2 pages compared with the store$/m);
    const files = ['thread.html', 'thread.json', 'feed.xml'].map((name) => own.threadFile('/approved', name));
    const [html, json, feed] = files;
    const altered = (file, from, to) => () => { const was = fs.readFileSync(file, 'utf8'); assert.ok(was.includes(from), was); fs.writeFileSync(file, was.replaceAll(from, to)); };
    const halved = () => fs.writeFileSync(html, fs.readFileSync(html, 'utf8').split(`<article id="reply-${ids[1]}"`)[0]);
    for (const plant of [() => fs.rmSync(html), () => fs.rmSync(json), () => fs.rmSync(feed), () => fs.rmSync(path.dirname(html), { recursive: true }),
      altered(html, `id="reply-${ids[0]}"`, 'id="reply-99"'), altered(html, `id="reply-${ids[0]}"`, `id="reply-${ids[1]}"`), altered(json, `{"id":"${ids[1]}"`, '{"id":"99"'), halved,
      () => own.sql(`UPDATE reply SET state = 'trash', shown = 0 WHERE id = ${ids[0]}`)]) {
      plant();
      const { status, stdout, stderr } = run();
      assert.equal(status, 1, `${plant}: ${stdout}${stderr}`);
      assert.match(stdout, /^mend {5}the files of page 1 of \/approved of site main do not hold what is published: run rejoinder publish --all$/m);
      own.mustCli(['publish', '--all']);
      assert.equal(run().status, 0, run().stdout);
    }
  } finally {
    await own.tidy();
  }
});

test('a reply without REMOTE_ADDR is told', async () => {
  await post(1, '');
  const { status, said } = check();
  assert.equal(status, 1);
  assert.match(said, /^mend {5}1 of the newest \d+ replies of site main came without an address: the web server must pass REMOTE_ADDR$/m);
  assert.equal(await it.logged('reader', /the web server passes no REMOTE_ADDR/g, 1), 1, 'and in the log, once');
});

test('what else the web server does not pass is in the log of either door, once', async () => {
  const own = await makeInstance({ doors: ['reader', 'moderator'] });
  try {
    for (const door of ['reader', 'moderator']) {
      const health = `/comments/${door === 'reader' ? '' : 'moderate/'}health`;
      const told = (name, wanted) => own.logged(door, new RegExp(`the web server passes no ${name}: `, 'g'), wanted);
      assert.equal((await own[door]({ uri: health })).status, 200);
      const sent = own.goodReply();
      await own[door]({ method: 'POST', uri: health, json: sent });
      for (const name of ['REMOTE_ADDR', 'REQUEST_URI', 'REQUEST_METHOD', 'CONTENT_LENGTH']) {
        assert.equal(await told(name, 0), 0, `${door} ${name}: all was passed`);
        for (const _ of [1, 2]) await own[door]({ method: 'POST', uri: health, json: sent, without: [name] });
        assert.equal(await told(name, 1), 1, `${door} ${name}`);
      }
    }
  } finally {
    await own.tidy();
  }
});

test('--config and --help may stand behind the command, too', () => {
  const wanted = it.cli(['stats']);
  for (const words of [['stats', '--config', it.config], ['stats', '-c', it.config], ['stats', `--config=${it.config}`], ['-c', '/nowhere', 'stats', '--site', 'main', '-c', it.config]]) {
    const run = spawnSync(path.join(BIN, 'rejoinder'), words, { encoding: 'utf8' });
    assert.deepEqual([run.status, run.stdout, run.stderr], [0, wanted.stdout, ''], words.join(' '));
  }
  for (const words of ['check -h', 'check --help', 'check --accept-log --help', 'moderator add --help', 'init --help', 'init -h']) {
    const run = it.cli(words.split(' '), { input: 'not a name but an option\n' });
    assert.deepEqual([run.status, run.stderr], [0, ''], words);
    assert.match(run.stdout, /^Usage: rejoinder /);
  }
  assert.equal(it.sql('SELECT count(*) AS n FROM account', it.moderators)[0].n, 1, 'nobody is called --help');
  const wrong = it.cli(['stats', '--config']);
  assert.deepEqual([wrong.status, wrong.stdout], [2, '']);
  assert.match(wrong.stderr, /--config wants the file/);
});

test('what could not be written is no success', () => {
  for (const words of ['stats', 'check', 'waiting', 'moderator list', 'snippet html /x', 'export']) {
    const run = spawnSync('sh', ['-c', '"$@" >/dev/full', 'sh', path.join(BIN, 'rejoinder'), '--config', it.config, ...words.split(' ')], { encoding: 'utf8' });
    assert.notEqual(run.status, 0, words);
  }
  assert.match(spawnSync('sh', ['-c', '"$@" >/dev/full', 'sh', path.join(BIN, 'rejoinder'), '--config', it.config, 'stats'], { encoding: 'utf8' }).stderr,
    /^rejoinder: it is done, but not all that there is to say could be written to standard output\n$/);
});

test('a word that a command does not know is named, before how it is used', () => {
  for (const [words, wanted] of [['check foo', /^rejoinder: check does not know "foo"\nUsage: /], ['check --bad', /^rejoinder: check has no option "--bad"\nUsage: /],
    ['backup', /^rejoinder: backup wants FILE\nUsage: /], ['backup -x', /^rejoinder: backup has no option "-x"\nUsage: /], ['start --group', /^rejoinder: --group wants a group's name\nUsage: /], ['publish --site main', /^rejoinder: --site goes with --all; .*\nUsage: /], ['snippet iis /x', /^rejoinder: snippet does not know "iis"\nUsage: /], ['publish --all --site', /^rejoinder: --site wants a site's name\nUsage: /],
    ['close --sitex', /^rejoinder: close has no option "--sitex"\nUsage: /], ['erase --keep', /^rejoinder: erase has no option "--keep"\nUsage: /], ['moderator add --force', /^rejoinder: moderator has no option "--force"\nUsage: /],
    ['close /a /b', /^rejoinder: close has too few or too many words behind it\nUsage: /], ['init foo', /^rejoinder: init does not know "foo"\nUsage: /],
    ['foo', /^rejoinder: there is no command "foo"; rejoinder --help lists them\n$/]]) {
    const { status, stdout, stderr } = it.cli(words.split(' '));
    assert.deepEqual([status, stdout], [2, ''], words);
    assert.match(stderr, wanted);
  }
  const strange = spawnSync(path.join(BIN, 'rejoinder'), ['--bad'], { encoding: 'utf8' });
  assert.deepEqual([strange.status, strange.stdout], [2, '']);
  assert.match(strange.stderr, /--bad'?\nrejoinder --help lists commands and options\.\n$/);
  assert.equal(it.cli(['help']).stdout, it.cli(['--help']).stdout);
  assert.equal(it.cli(['version']).stdout, it.cli(['--version']).stdout);
  assert.match(it.mustCli(['init']).stdout ?? it.cli(['init']).stdout, /\nNothing was missing\.\n$/);
});

test('docs/troubleshooting.md tells them in this order and with these words', () => {
  const text = fs.readFileSync(path.join(ROOT, 'docs/troubleshooting.md'), 'utf8');
  const section = text.slice(text.indexOf('## `rejoinder check` says'));
  const rows = section.slice(0, section.indexOf('\n## ')).split('\n').filter((line) => line.startsWith('| `'));
  let next = 0;
  for (const [words, kind] of PLANTED) {
    const found = rows.findIndex((line, i) => i >= next && line.startsWith(`| \`${kind}`) && line.includes(words));
    assert.ok(found >= 0, `«${words}» is not among:\n${rows.slice(next).join('\n')}`);
    assert.equal(found, next, `${rows[next]} stands before «${words}»`);
    next = found + 1;
  }
  assert.ok(rows.slice(next).every((line) => /log: |log\.key/.test(line)), rows.slice(next).join('\n'));
});

test('what somebody wrote into the store or a folder reaches the terminal without its control characters', () => {
  const page = "'/a' || char(27) || ']0;x' || char(7)";
  it.sql(`INSERT INTO publication (thread_id, page_number, revision, asked_at, tries, failure) SELECT id, 1, 1, 0, 3, ${page} FROM thread LIMIT 1`);
  fs.writeFileSync(at('public', 'main', 'threads', '\x1b[2J'), 'x', { mode: 0o600 });
  try {
    const { said } = check();
    assert.match(said, /could not be written 3 times: \/a\\x1b\]0;x\\x07;/);
    assert.match(said, /threads\/\\x1b\[2J has mode 0600/);
    assert.doesNotMatch(said, /[\x00-\x09\x0b-\x1f\x7f]/);
  } finally {
    it.sql('DELETE FROM publication');
    fs.rmSync(at('public', 'main', 'threads', '\x1b[2J'));
  }
});

test('nor does the name of a state', async () => {
  const email = 'bell@example.org';
  await it.post({ email });
  it.sql(`PRAGMA ignore_check_constraints = 1; UPDATE reply SET state = 'held' || char(7) WHERE id = (SELECT max(id) FROM reply);
    INSERT INTO tally VALUES (1, char(27) || '[2J', 1)`);
  try {
    assert.match(it.mustCli(['stats']).stdout, /^ {2}\\x1b\[2J +1$/m);
    assert.match(it.mustCli(['erase', email, '--dry-run']).stdout, /^reply \d+, held\\x07$/m);
  } finally {
    it.sql("DELETE FROM tally WHERE state LIKE '%[%'; DELETE FROM reply WHERE id = (SELECT max(id) FROM reply)");
  }
});
