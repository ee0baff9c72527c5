// The lines about a flood that the head of the shipped nginx configuration has ready.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { behindNginx } from './behind.mjs';
import { root } from './nginx.mjs';

const head = fs.readFileSync(path.join(root, 'deploy/nginx/rejoinder.conf'), 'utf8').split('\n').filter((line) => /^# {5}limit_req/.test(line)).map((line) => line.slice(1).trim());
const PLACE = /^location \^~ \/comments\/ \{$/m;
let all;
before(async () => {
  all = await behindNginx({ http: head[0], edit: (text) => { assert.match(text, PLACE); return text.replace(PLACE, `$&\n${head[1]}`); } });
});
after(() => all?.tidy());

test('a flood of requests is refused by nginx, until it ends; threads and moderators are not in it', async () => {
  assert.equal(head.length, 2, head.join(' '));
  const answers = await Promise.all(Array.from({ length: 100 }, () => all.nginx.get('/comments/form?page=/a')));
  const refused = answers.filter(({ status }) => status === 429);
  assert.deepEqual([...new Set(answers.map(({ status }) => status))].sort(), [200, 429]);
  for (const { headers } of refused.slice(0, 3)) {
    assert.match(headers['retry-after'], /^[1-9]\d*$/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.match(headers['content-security-policy'], /^default-src 'none'/);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
  }
  for (const target of ['/comments/threads/a/~/thread.html', '/comments/static/rejoinder.css', '/comments/moderate/sign-in']) assert.equal((await all.nginx.get(target)).status, 200, target);
  let last;
  for (let tries = 0; tries < 60 && last !== 200; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    last = (await all.nginx.get('/comments/form?page=/a')).status;
  }
  assert.equal(last, 200);
});
