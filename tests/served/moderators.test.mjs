// The moderators' door on a port of its own, and none where the readers are: as docs/deploy.md says.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { elements, replies } from '../lib/browserless.mjs';
import { behindNginx, moderatorAt, post } from './behind.mjs';
import { freePort, request, root } from './nginx.mjs';

const SED = /^(sed .*) \/etc\/rejoinder\/nginx\/rejoinder\.conf >\/etc\/rejoinder\/nginx\/readers\.conf$/m.exec(fs.readFileSync(path.join(root, 'docs/deploy.md'), 'utf8'))[1];
let all, own;
before(async () => {
  const port = await freePort();
  all = await behindNginx({
    http: `server { listen 127.0.0.1:${port}; include whole.conf; }`,
    edit: (text, dir) => { fs.writeFileSync(path.join(dir, 'whole.conf'), text); return execFileSync('sh', ['-c', SED], { input: text, encoding: 'utf8' }); },
  });
  own = { port, base: `http://localhost:${port}` };
  all.it.configure({ site: { moderators_base: own.base } });
  for (const door of ['reader', 'moderator']) await all.it.restart(door);
});
after(() => all?.tidy());

test('moderators sign in and decide there, and are led to the articles here', async () => {
  const { id } = await post(all, { page: '/news/harbor' });
  const moderator = await moderatorAt(own);
  const queue = await moderator.get();
  assert.ok(elements(queue.text, (tag) => tag.attributes.href === `${all.base}/news/harbor`).length > 0, 'the article is where the readers are');
  for (const { tag } of elements(queue.text, (tag) => /stylesheet/.test(tag.attributes.rel ?? '')))
    assert.equal((await request(own.port, 'GET', tag.attributes.href)).status, 200, tag.attributes.href);
  assert.equal((await moderator.approve(id)).status, 303);
  assert.deepEqual(replies((await all.nginx.get('/comments/threads/news/harbor/~/thread.html')).text).map((one) => one.id), [id]);
});

test('where the readers are there is no such door, and no sign-in is taken', async () => {
  for (const target of ['/comments/moderate', '/comments/moderate/', '/comments/moderate/sign-in', '/comments/moderate/health'])
    assert.equal((await all.nginx.get(target, { Cookie: 'rejoinder=x' })).status, 404, target);
  assert.equal((await all.nginx.get('/comments/form?page=/news/harbor')).status, 200);
  assert.equal((await all.nginx.ask('POST', '/comments/moderate/sign-in', { body: 'name=editor', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })).status, 404);
  // The readers' origin is a stranger's there.
  await assert.rejects(moderatorAt({ ...own, base: all.base }), /403/);
});
