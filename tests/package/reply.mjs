// reply.mjs ROOT: a reply through the doors of a Debian below ROOT: taken, approved, published.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { signedIn } from '../lib/browserless.mjs';
import { parameters, request } from '../lib/fastcgi.mjs';

const root = process.argv[2];
const socket = (door) => path.join(root, 'run/rejoinder', `${door}.sock`);
const words = `What a summit, says somebody at ${Date.now()}.`;

// What browserless.mjs wants of an instance.
const it = {
  ask(door, { method, uri, headers = {}, form }) {
    const body = Buffer.from(form === undefined ? '' : new URLSearchParams(form).toString());
    const all = { 'User-Agent': 'tests/1', Accept: 'text/html', ...headers };
    if (form !== undefined) all['Content-Type'] = 'application/x-www-form-urlencoded';
    return request(socket(door), parameters({ method: method ?? (form ? 'POST' : 'GET'), uri, headers: all, address: '192.0.2.9', length: body.length }), body);
  },
  moderator(options) {
    return this.ask('moderator', options);
  },
};
for (let tries = 0; tries < 200; tries++) {
  const up = await Promise.all(['reader', 'moderator'].map((door) => it.ask(door, { uri: '/comments/health' }).then(() => true, () => false)));
  if (up.every(Boolean)) break;
  await sleep(50);
}
const answer = await it.ask('reader', { uri: '/comments/reply', headers: { Accept: 'application/json' },
  form: { page: '/news/harbor', name: 'Asel', email: 'asel@example.org', comment: words, key: `key-${Date.now()}` } });
assert.equal(answer.status, 201, answer.text);
const moderator = await signedIn(it, 'editor', 'a steppe is not a step', { origin: 'https://example.org' });
assert.equal((await moderator.approve(answer.json().id)).status, 303);
const file = path.join(root, 'var/lib/rejoinder/public/main/threads/news/harbor/~/thread.html');
assert.ok(fs.readFileSync(file, 'utf8').includes(words), 'published');
