// `rejoinder mail`: moderators are told what waits, once, whatever the mail server does meanwhile.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, beforeEach, afterEach, test } from 'node:test';
import { SMTPServer } from 'smtp-server';
import { signedIn } from '../lib/browserless.mjs';
import { formsOf, search } from '../lib/canary.mjs';
import { BIN, begin, dropFolder, makeFolder, makeInstance, sleep, tellSeed } from '../lib/instance.mjs';

const PASSWORD = 'a steppe is not a step';
const folder = makeFolder();
after(() => dropFolder(folder));

// --- a mail server that does as it is told ---------------------------------------------------------

const certificate = () => {
  const key = path.join(folder, 'key.pem'), cert = path.join(folder, 'cert.pem');
  if (!fs.existsSync(cert)) {
    const run = spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2',
      '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2'], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
  }
  return { key: fs.readFileSync(key), cert: fs.readFileSync(cert), file: cert };
};

const refusal = (code, text) => Object.assign(new Error(text), { responseCode: code });

class Sink {
  // `on.data(mail, session)` and `on.to(address)` may throw a refusal, or return a promise.
  constructor(options = {}, on = {}) {
    this.mails = [];
    this.on = on;
    this.server = new SMTPServer({ authOptional: true, disabledCommands: ['STARTTLS', 'AUTH'], logger: false, disableReverseLookup: true,
      onRcptTo: ({ address }, session, done) => { try { this.on.to?.(address); done(); } catch (error) { done(error); } },
      onData: (stream, session, done) => {
        let text = '';
        stream.on('data', (chunk) => { text += chunk.toString('latin1'); });
        stream.on('end', async () => {
          const mail = { text, from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map((one) => one.address), secure: session.secure, user: session.user };
          try {
            await this.on.data?.(mail, session);
            this.mails.push(mail);
            done();
          } catch (error) { done(error); }
        });
      },
      ...options });
    this.server.on('error', () => {}); // a client that went away
  }
  async listen(host = '127.0.0.1', port = 0) {
    await new Promise((resolve, reject) => { this.server.listen(port, host, resolve); this.server.server.once('error', reject); });
    this.port = this.server.server.address().port;
    return this;
  }
  close() {
    return new Promise((resolve) => this.server.close(resolve));
  }
}

function unfold(mail) {
  const [head, ...rest] = mail.text.split('\r\n\r\n');
  const headers = Object.fromEntries(head.replace(/\r\n[ \t]+/g, ' ').split('\r\n').map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]));
  const bytes = (quoted) => Buffer.from(quoted.replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1').toString('utf8');
  const words = (text) => Buffer.concat([...text.matchAll(/=\?utf-8\?Q\?([^?]*)\?=/g)].map(([, q]) => Buffer.from(q.replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1'))).toString('utf8');
  return { headers, subject: words(headers.subject), fromName: words(headers.from), body: bytes(rest.join('\r\n\r\n').replace(/=\r\n/g, '')) };
}

// --- an installation that sends mail -----------------------------------------------------------------

let it, sink;
async function ready({ via, mail = {}, site = {}, on, options, host } = {}) {
  sink = await new Sink(options, on).listen(host);
  it = await makeInstance({ site: { title: 'Жаңалық & <Post>', ...site } });
  fs.writeFileSync(it.config, `${fs.readFileSync(it.config, 'utf8').replace(/^mail \{[^}]*\}\n/m, '')}mail {\n from = "comments@post.example"\n timeout = 600\n via = "${via ?? `smtp://127.0.0.1:${sink.port}`}"\n${
    Object.entries(mail).map(([name, value]) => ` ${name} = ${JSON.stringify(value)}\n`).join('')}}\n`);
  it.addModerator('ann', PASSWORD);
  it.mustCli(['mail', 'to', 'ann', 'ann@example.org']);
  await it.start('reader');
}
// As a process of its own: the sink lives in this one.
async function mail(...args) {
  const run = begin(path.join(BIN, 'rejoinder'), ['--config', it.config, 'mail', ...args]);
  const { code } = await run.over;
  return { code, out: run.stdoutText, err: run.stderrText };
}
const rows = () => it.sql('SELECT * FROM mail ORDER BY id', it.moderators);
const later = (seconds) => it.sql(`UPDATE mail SET made_at = made_at - ${seconds}, sent_at = sent_at - ${seconds}, next_try_at = next_try_at - ${seconds}`, it.moderators);

beforeEach(() => { tellSeed(); it = sink = undefined; });
afterEach(async () => { await it?.tidy(); await sink?.close(); });

// --- what is told ------------------------------------------------------------------------------------

test('a mail tells how many wait and where, and nothing of any reader', async () => {
  await ready();
  const secrets = ['Very Private Name', 'private.person@example.net', '198.51.100.77', 'Words that nobody else reads'];
  await it.post({ page: '/a', name: secrets[0], email: secrets[1], comment: secrets[3] }, { address: secrets[2] });
  await it.post({ page: '/a' });
  await it.post({ page: '/b/ü' });
  const began = Math.floor(Date.now() / 1000) * 1000;
  const run = await mail();
  assert.deepEqual([run.code, run.out], [0, '1 sent\n'], run.err);
  assert.equal(sink.mails.length, 1);
  const [got] = sink.mails;
  assert.deepEqual([got.from, got.to], ['comments@post.example', ['ann@example.org']]);
  const { headers, subject, fromName, body } = unfold(got);
  assert.equal(subject, '3 replies wait on Жаңалық & <Post>');
  assert.equal(fromName, 'Жаңалық & <Post>');
  assert.match(headers.from, / <comments@post\.example>$/);
  assert.equal(headers.to, '<ann@example.org>');
  assert.match(headers['message-id'], /^<waiting\.[0-9a-f.]+@post\.example>$/);
  assert.ok(Date.parse(headers.date) >= began && Date.parse(headers.date) <= Date.now(), headers.date);
  assert.deepEqual([headers['content-type'], headers['content-transfer-encoding'], headers['auto-submitted']],
    ['text/plain; charset=utf-8', 'quoted-printable', 'auto-generated']);
  assert.match(body, /3 replies have come to Жаңалық & <Post>/);
  assert.match(body, /^2  \/a\r?$/m);
  assert.match(body, /^1  \/b\/ü\r?$/m);
  assert.match(body, /^http:\/\/localhost:8080\/comments\/moderate\/\r?$/m, 'a link without authority');
  const forms = secrets.flatMap((secret) => formsOf(secret).map((form) => ({ what: secret, ...form })));
  assert.deepEqual(search(Object.entries({ wire: got.text, body, subject }).map(([name, text]) => ({ name, bytes: Buffer.from(text) })), forms), []);
  assert.ok(got.text.split('\r\n').every((line) => line.length <= 78 && !/[\r\n]/.test(line)), 'lines are short and whole');
});

test('the link leads to the moderators, where they have an address of their own', async () => {
  await ready({ site: { moderators_base: 'https://moderate.example' } });
  await it.post({ page: '/a' });
  const run = await mail();
  assert.equal(run.code, 0, run.err);
  assert.match(unfold(sink.mails[0]).body, /^https:\/\/moderate\.example\/comments\/moderate\/\r?$/m);
});

test('each reply is told of once, and one mail an hour is the most', async () => {
  await ready();
  await it.post();
  await mail();
  await mail();
  assert.equal(sink.mails.length, 1, 'the same again is no news');
  await it.post();
  await it.post();
  assert.equal((await mail()).out, '0 sent\nWhat is new is told with the next mail: there is one in 60 minutes at most (every, in rejoinder.conf).\n');
  later(3600);
  await mail();
  assert.equal(sink.mails.length, 2);
  assert.match(unfold(sink.mails[1]).subject, /^2 replies wait/);
  later(3600);
  await mail();
  assert.equal(sink.mails.length, 2);
  assert.equal(it.sql('SELECT count(*) AS n FROM outbox')[0].n, 0, 'what was told is noted no longer');
});

test('a mail that went out late is still the only one of its hour', async () => {
  await ready();
  sink.on.to = () => { throw refusal(451, 'later'); };
  await it.post();
  await mail();
  later(5 * 3600);
  sink.on.to = undefined;
  assert.equal((await mail()).out, '1 sent\n');
  await it.post();
  assert.match((await mail()).out, /^0 sent\nWhat is new is told with the next mail/);
  later(3600);
  assert.equal((await mail()).out, '1 sent\n');
  assert.equal(sink.mails.length, 2);
});

test('each moderator with an address is told, others are not', async () => {
  await ready();
  for (const name of ['bob', 'cem', 'dan']) it.addModerator(name, PASSWORD);
  it.mustCli(['mail', 'to', 'bob', 'Bob@Ünited.example']);
  it.mustCli(['mail', 'to', 'cem', 'cem@example.org']);
  it.mustCli(['mail', 'to', 'cem', 'none']);
  it.mustCli(['mail', 'to', 'dan', 'dan@example.org']);
  it.mustCli(['moderator', 'disable', 'dan']);
  await it.post();
  await mail();
  assert.deepEqual(sink.mails.flatMap(({ to }) => to).sort(), ['Bob@ünited.example', 'ann@example.org'], 'the server shows A-labels so');
  assert.equal((await mail('list')).out, 'ann <ann@example.org>\nbob <Bob@xn--nited-jva.example>\n');
});

test('what was decided before the mail went out is not told', async () => {
  await ready();
  await it.start('moderator');
  it.addModerator('editor', PASSWORD);
  const moderator = await signedIn(it);
  const { id } = await it.post();
  await moderator.approve(id);
  assert.equal((await mail()).out, '0 sent\nNothing new waits.\n');
  // Made, but not sent; then decided.
  const second = await it.post();
  sink.on.to = () => { throw refusal(451, 'later'); };
  await mail();
  await moderator.approve(second.id);
  sink.on.to = undefined;
  later(100000);
  assert.deepEqual(await mail().then(({ code, out }) => [code, out]), [0, '0 sent\nNothing new waits.\n']);
  assert.equal(sink.mails.length, 0);
  assert.deepEqual(rows(), []);
});

test('a reply and the note that it waits are stored together, or neither is', async () => {
  await ready();
  const fields = it.goodReply(), send = () => it.reader({ uri: '/comments/reply', json: fields, accept: 'application/json' });
  const stored = () => it.sql('SELECT (SELECT group_concat(id) FROM reply) AS replies, (SELECT group_concat(reply_id) FROM outbox) AS notes')[0];
  it.sql("CREATE TRIGGER no_notes BEFORE INSERT ON outbox BEGIN SELECT RAISE (ABORT, 'no'); END");
  assert.equal((await send()).status, 503);
  assert.deepEqual(stored(), { replies: null, notes: null });
  it.sql('DROP TRIGGER no_notes');
  const { id } = (await send()).json();
  assert.deepEqual(stored(), { replies: id, notes: id });
});

test('without a configured sender nothing is noted and nothing sent', async () => {
  it = await makeInstance({ doors: ['reader'] });
  it.addModerator('ann', PASSWORD);
  assert.equal(it.mustCli(['mail', 'to', 'ann', 'ann@example.org']).stdout,
    'ann is told at ann@example.org what waits\nNo mail is sent yet: the configuration has no mail { from = ... }, see rejoinder.conf(5).\n');
  assert.match(it.mustCli(['mail', 'list']).stdout, /^ann <ann@example\.org>\nNo mail is sent yet: /);
  await it.post();
  const run = await mail();
  assert.equal(run.code, 0);
  assert.match(run.out, /^No mail is sent yet: .*\n$/);
  assert.equal(it.sql('SELECT count(*) AS n FROM outbox')[0].n, 0);
});

// --- what may go wrong -------------------------------------------------------------------------------

test('a refusal for now (4xx) is tried again, later each time', async () => {
  await ready();
  sink.on.to = () => { throw refusal(450, 'greylisted'); };
  await it.post();
  for (const [i, minutes] of [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360].entries()) {
    const began = Math.floor(Date.now() / 1000);
    const { code, out } = await mail();
    assert.equal(code, 1);
    assert.match(out, /^0 sent\nto ann about main: not sent after (1 try|\d+ tries): .*; is tried again at 20/);
    const [row] = rows();
    assert.equal(row.state, 'ready');
    assert.match(row.failure, /\(450\)/);
    const tried = row.next_try_at - 60 * minutes;
    assert.ok(tried >= began && tried <= Date.now() / 1000, `try ${i + 1}: ${row.next_try_at} is not ${minutes} minutes later`);
    assert.equal((await mail()).out.split('\n')[0], '0 sent', 'not before its time');
    assert.equal(rows()[0].tries, i + 1);
    later(6 * 3600);
  }
  sink.on.to = undefined;
  assert.deepEqual(await mail().then(({ code, out }) => [code, out]), [0, '1 sent\n']);
});

test('a refusal for good (5xx) is parked and shown, until somebody asks for it again', async () => {
  await ready();
  sink.on.to = () => { throw refusal(550, 'no such user'); };
  await it.post();
  const run = await mail();
  assert.equal(run.code, 1);
  assert.match(run.out, /refused for good: .*\(550\).*--retry/);
  assert.equal(rows()[0].state, 'parked');
  assert.doesNotMatch(run.err + run.out, /ann@example\.org/, 'no address in what a journal keeps');
  sink.on.to = undefined;
  later(100000);
  await it.post();
  assert.equal((await mail()).out.split('\n')[0], '0 sent');
  const again = await mail('--retry');
  assert.deepEqual([again.code, again.out], [0, '1 sent\n']);
  assert.match(unfold(sink.mails[0]).subject, /^2 replies wait/, 'with what came meanwhile');
});

test('a connection that breaks behind the message: sent again under the same Message-ID', async () => {
  await ready();
  const seen = [];
  sink.on.data = (got) => { seen.push(unfold(got).headers['message-id']); if (seen.length === 1) for (const one of sink.server.connections) one._socket.destroy(); };
  await it.post();
  assert.equal((await mail()).code, 1);
  later(100);
  assert.equal((await mail()).out, '1 sent\n');
  assert.equal(seen.length, 2);
  assert.equal(seen[0], seen[1]);
});

test('killed between DATA and 250: sent again under the same Message-ID, and only then done', async () => {
  await ready();
  // The server does not answer before the program is dead.
  const seen = [];
  let reached, dead;
  const there = new Promise((resolve) => { reached = resolve; });
  const killed = new Promise((resolve) => { dead = resolve; });
  sink.on.data = async (got) => { seen.push(unfold(got).headers['message-id']); if (seen.length === 1) { reached(); await killed; throw refusal(451, 'too late'); } };
  await it.post();
  const run = begin(path.join(BIN, 'rejoinder'), ['--config', it.config, 'mail']);
  await there;
  run.kill('SIGKILL');
  assert.equal((await run.over).signal, 'SIGKILL');
  dead();
  assert.deepEqual(rows().map(({ state, tries }) => [state, tries]), [['ready', 0]]);
  assert.equal((await mail()).out, '1 sent\n');
  assert.equal(seen.length, 2);
  assert.equal(seen[0], seen[1]);
  assert.equal((await mail()).out, '0 sent\nNothing new waits.\n');
  assert.equal(rows().length, 1);
});

test('a server that says nothing holds nobody up for longer than `timeout`', async () => {
  await ready();
  const sockets = [];
  const silent = net.createServer((socket) => sockets.push(socket));
  await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
  fs.writeFileSync(it.config, fs.readFileSync(it.config, 'utf8').replace(/via = "[^"]*"/, `via = "smtp://127.0.0.1:${silent.address().port}"`).replace(/timeout = \d+/, 'timeout = 2'));
  await it.post();
  const run = await mail();
  assert.equal(run.code, 1);
  assert.match(run.out, /imeout/);
  assert.equal(rows()[0].state, 'ready');
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
});

test('a day without a mail server: replies are taken, one mail waits, and it tells of all', async () => {
  await ready();
  await sink.close();
  for (let hour = 0; hour < 24; hour++) {
    await it.post();
    assert.equal((await mail()).code, 1);
    later(3600);
  }
  assert.equal(rows().length, 1, 'nothing piles up');
  sink = await new Sink().listen('127.0.0.1', sink.port);
  later(6 * 3600);
  assert.equal((await mail()).out, '1 sent\n');
  assert.match(unfold(sink.mails[0]).subject, /^24 replies wait/);
});

test('while somebody cannot be told, the notes stay few', async () => {
  await ready();
  sink.on.to = () => { throw refusal(550, 'no'); };
  await it.post();
  await mail();
  it.sql(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO reply (site_id, thread_id, state, name, comment, content_hash, created_at) SELECT 1, 1, 'held', 'n', 'c', x'', 1700000000 FROM n;
    INSERT OR IGNORE INTO outbox (site_id, reply_id) SELECT 1, id FROM reply`);
  await mail();
  assert.equal(it.sql('SELECT count(*) AS n FROM outbox')[0].n, 2000);
  assert.equal(it.sql('SELECT max(reply_id) AS n FROM outbox')[0].n, it.sql('SELECT max(id) AS n FROM reply')[0].n, 'the newest');
});

// --- how it gets there -------------------------------------------------------------------------------

test('smtps with a certificate that is trusted', async () => {
  const { key, cert, file } = certificate();
  await ready({ options: { secure: true, key, cert } });
  await it.stop('reader');
  fs.writeFileSync(it.config, fs.readFileSync(it.config, 'utf8').replace(/via = "[^"]*"/, `via = "smtps://localhost:${sink.port}"\n ca_file = "${file}"`));
  await it.start('reader');
  await it.post();
  assert.deepEqual(await mail().then(({ code, out }) => [code, out]), [0, '1 sent\n']);
  assert.equal(sink.mails[0].secure, true);
});

test('nothing is sent to a server whose certificate nobody vouches for', async () => {
  const { key, cert } = certificate();
  await ready({ options: { secure: true, key, cert } });
  fs.writeFileSync(it.config, fs.readFileSync(it.config, 'utf8').replace(/via = "[^"]*"/, `via = "smtps://localhost:${sink.port}"`));
  await it.post();
  const run = await mail();
  assert.equal(run.code, 1);
  assert.match(run.out, /certificate|SSL/);
  assert.deepEqual([sink.mails.length, rows()[0].state], [0, 'ready']);
});

test('another machine gets a mail by STARTTLS or not at all', async () => {
  const { key, cert, file } = certificate();
  await ready({ host: '127.0.0.2', options: { key, cert, disabledCommands: ['AUTH'] } });
  const config = fs.readFileSync(it.config, 'utf8');
  const use = (port) => fs.writeFileSync(it.config, config.replace(/via = "[^"]*"/, `via = "smtp://127.0.0.2:${port}"\n ca_file = "${file}"`));
  const plain = await new Sink().listen('127.0.0.2');
  use(plain.port);
  await it.post();
  assert.equal((await mail()).code, 1);
  assert.equal(plain.mails.length, 0, 'never in plain');
  await plain.close();
  use(sink.port);
  later(100);
  assert.deepEqual(await mail().then(({ code, out }) => [code, out]), [0, '1 sent\n']);
  assert.equal(sink.mails[0].secure, true);
});

test('a sign-in: its password in a file that nobody else reads', async () => {
  const secret = path.join(folder, 'password');
  fs.writeFileSync(secret, 'open, "sesame"\n', { mode: 0o644 });
  await ready({ mail: { user: 'post', password_file: secret },
    options: { authOptional: false, allowInsecureAuth: true, disabledCommands: ['STARTTLS'], authMethods: ['PLAIN'],
      onAuth: ({ username, password }, session, done) => username === 'post' && password === 'open, "sesame"' ? done(null, { user: 'post' }) : done(refusal(535, 'wrong')) } });
  await it.post();
  let run = await mail();
  assert.equal(run.code, 1);
  assert.match(run.err, /password_file .* chmod 0600/);
  fs.chmodSync(secret, 0o600);
  run = await mail();
  assert.deepEqual([run.code, run.out], [0, '1 sent\n'], run.err);
  fs.writeFileSync(secret, 'wrong\n');
  later(3600);
  await it.post();
  run = await mail();
  assert.equal(run.code, 1);
  assert.equal(rows().at(-1).state, 'ready', 'a wrong password is the owner\'s to mend, the mail waits');
  assert.doesNotMatch(run.out + run.err, /wrong\b|sesame/);
});

test('sendmail: the message on its standard input, and what its exit status says', async () => {
  const program = path.join(folder, 'sendmail'), got = path.join(folder, 'got');
  const answer = (status) => fs.writeFileSync(program, `#!/bin/sh\necho "$@" >'${got}'\ncat >>'${got}'\nexit ${status}\n`, { mode: 0o755 });
  await ready({ via: 'sendmail', mail: { sendmail: program } });
  await it.post();
  answer(75);
  assert.equal((await mail()).code, 1);
  assert.equal(rows()[0].state, 'ready');
  answer(67);
  later(100);
  assert.match((await mail()).out, /refused for good/);
  answer(0);
  assert.equal((await mail('--retry')).out, '1 sent\n');
  const text = fs.readFileSync(got, 'latin1');
  assert.match(text, /^-i -f comments@post\.example -- ann@example\.org\nDate: /);
  assert.doesNotMatch(text, /\r/);
  assert.match(unfold({ text: text.slice(text.indexOf('\n') + 1).replaceAll('\n', '\r\n') }).body, /1 reply has come/);
  fs.rmSync(program);
  later(3600);
  await it.post();
  assert.equal((await mail()).code, 1);
  assert.match(rows().at(-1).failure, /^\/.*: No such file/, 'and which');
});

// It says who it and its helper are. A machine may need longer than `timeout` to begin it; then the next try has longer.
async function hang(...wrap) {
  const program = path.join(folder, 'hanging'), pids = path.join(folder, 'pids');
  const told = () => (fs.existsSync(pids) ? /^(\d+) (\d+)\n/.exec(fs.readFileSync(pids, 'utf8'))?.slice(1) : undefined);
  fs.rmSync(pids, { force: true });
  fs.writeFileSync(program, `#!/bin/sh\nsleep 90 &\necho $$ $! >'${pids}'\nwait\n`, { mode: 0o755 });
  await ready({ via: 'sendmail', mail: { sendmail: program } });
  await it.post();
  for (let timeout = 1; ; timeout *= 2) {
    fs.writeFileSync(it.config, fs.readFileSync(it.config, 'utf8').replace(/timeout = \d+/, `timeout = ${timeout}`));
    // A file: whoever goes on would keep a pipe open.
    const words = [...wrap, path.join(BIN, 'rejoinder'), '--config', it.config, 'mail', '--retry'], out = path.join(folder, 'out');
    const { code } = await begin(words[0], words.slice(1), { stdio: ['ignore', fs.openSync(out, 'w'), 'ignore'] }).over;
    assert.equal(code, 1, fs.readFileSync(out, 'utf8'));
    assert.match(fs.readFileSync(out, 'utf8'), /took too long/);
    assert.equal(rows()[0].state, 'ready');
    if (told()) return told();
  }
}
// Whoever adopts one may not have buried it yet.
const goesOn = (pid) => { try { return !/\) [ZX] /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8')); } catch { return false; } };

test('a sendmail that never ends is ended with what it started, and the mail waits', async () => {
  for (const pid of await hang())
    for (let tries = 0; goesOn(pid); tries++) {
      assert.ok(tries < 3000, `${pid} goes on`);
      await sleep(10);
    }
});

const untraceable = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status !== 0;
test('a sendmail that may not be ended, since it is another user by now, is not waited for', { skip: untraceable && 'no strace, or it may not trace here' }, async () => {
  const pids = await hang('strace', '-D', '-f', '-o', '/dev/null', '-e', 'trace=kill', '-e', 'inject=kill:error=EPERM');
  assert.deepEqual(pids.map(goesOn), [true, true]);
  for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
});

test('wrong use and wrong names are told', async () => {
  await ready();
  for (const [args, code, text] of [[['to', 'ann'], 2, /too few or too many words[^]*Usage/], [['to', 'nobody', 'a@example.org'], 1, /no moderator/], [['now'], 2, /mail does not know "now"[^]*Usage/], [['--bad'], 2, /mail has no option "--bad"/],
    [['to', 'ann', 'no address'], 1, /no e-mail/], [['to', 'ann', 'a@example.org\r\nBcc: b@example.org'], 1, /no e-mail/], [['to', 'ann', '"a b"@example.org'], 1, /no e-mail/]]) {
    const run = await mail(...args);
    assert.equal(run.code, code, args.join(' '));
    assert.match(run.err, text);
  }
});
