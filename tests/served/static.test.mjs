// What the shipped nginx configuration says of scripts and styles: their types, since browsers run
// nothing of another one, and that they come with both programs stopped.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { makeFolder, root, startNginx } from './nginx.mjs';

const dir = makeFolder();
let nginx;
before(async () => {
  fs.mkdirSync(path.join(dir, 'site'));
  nginx = await startNginx({ dir: path.join(dir, 'nginx'), documentRoot: path.join(dir, 'site'), publicMain: path.join(dir, 'public'), run: path.join(dir, 'run') });
});
after(async () => {
  await nginx?.stop();
  fs.rmSync(dir, { recursive: true });
});

for (const [name, type] of [['rejoinder.js', 'text/javascript'], ['rejoinder.css', 'text/css']]) {
  test(`${name} is ${type}, fresh for minutes, compressed, and asked for anew by its ETag`, async () => {
    const file = fs.readFileSync(path.join(root, 'www/static', name));
    const whole = await nginx.get(`/comments/static/${name}`);
    assert.equal(whole.status, 200);
    assert.equal(whole.headers['content-type'], `${type}; charset=utf-8`);
    assert.equal(whole.headers['x-content-type-options'], 'nosniff');
    assert.match(whole.headers['cache-control'], /^public, max-age=\d+$/);
    assert.ok(whole.bytes.equals(file));
    const small = await nginx.get(`/comments/static/${name}`, { 'Accept-Encoding': 'gzip' });
    assert.equal(small.headers['content-encoding'], 'gzip');
    assert.ok(gunzipSync(small.bytes).equals(file));
    assert.ok(small.bytes.length < file.length / 2, `${small.bytes.length} of ${file.length} bytes`);
    assert.equal((await nginx.get(`/comments/static/${name}`, { 'If-None-Match': whole.headers.etag })).status, 304);
    assert.equal((await nginx.get(`/comments/static/${name}?v=2`)).status, 200);
  });
}
