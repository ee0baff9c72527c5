// latest, trending, counts and feed behind nginx: files, with both programs stopped, and in an article.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { behindNginx, moderatorAt, post } from './behind.mjs';

const FILES = { 'latest.html': 'text/html; charset=utf-8', 'latest.json': /^application\/json/, 'feed.xml': /^application\/atom\+xml/, 'trending.html': 'text/html; charset=utf-8', 'trending.json': /^application\/json/, 'counts.json': /^application\/json/ };
let all, nginx;

before(async () => {
  all = await behindNginx({ articles: { '': '<!doctype html><title>Front</title>(<!--#include virtual="/comments/latest.html" -->)' } });
  nginx = all.nginx;
});
after(async () => all?.tidy());

test('each is a file with its type, a short life and an ETag; without the file the door answers', async () => {
  const moderator = await moderatorAt(all);
  const { id } = await post(all, { page: '/news/harbor', comment: 'On the front page soon.' });
  assert.equal((await moderator.approve(id)).status, 303);
  all.it.sql("UPDATE job SET due_at = 1, done_at = 0 WHERE kind = 'overview'");
  all.it.mustCli(['work']);
  while (all.it.sql("SELECT count(*) AS n FROM job WHERE lease_by <> ''")[0].n > 0); // the door was first
  for (const [name, type] of Object.entries(FILES)) {
    const res = await nginx.get(`/comments/${name}`);
    assert.equal(res.status, 200, name);
    assert.match(res.headers['content-type'], typeof type === 'string' ? new RegExp(`^${type}$`) : type, name);
    assert.equal(res.headers['cache-control'], 'public, max-age=10', name);
    assert.equal(res.headers['x-content-type-options'], 'nosniff', name);
    assert.equal(res.text, fs.readFileSync(path.join(all.it.public, 'main', name), 'utf8'), name);
    assert.equal((await nginx.get(`/comments/${name}`, { 'If-None-Match': res.headers.etag })).status, 304, name);
  }
  assert.match((await nginx.get('/')).text, /^<!doctype html>[^]*\(<section class="rejoinder-latest">[^]*On the front page soon[^]*\)$/);
  fs.unlinkSync(path.join(all.it.public, 'main', 'counts.json'));
  const without = await nginx.get('/comments/counts.json');
  assert.equal(without.status, 200);
  assert.deepEqual(JSON.parse(without.text), {});
  fs.unlinkSync(path.join(all.it.public, 'main', 'latest.html'));
  assert.match((await nginx.get('/')).text, /\(<section class="rejoinder-latest">[^]*No replies yet[^]*\)$/);
});

test('they are there with both programs stopped', async () => {
  await all.it.stop('reader');
  await all.it.stop('moderator');
  assert.match((await nginx.get('/comments/latest.json')).text, /On the front page soon/);
});
