// What an include gets when store or disk fail: the file, or a thread without replies, and never an
// error in the midst of somebody's article.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeInstance, tellSeed } from '../lib/instance.mjs';

const NAMES = ['thread.html', 'thread.json', 'feed.xml'];
const OVERVIEWS = ['latest.html', 'latest.json', 'feed.xml', 'trending.html', 'trending.json', 'counts.json'];
let it;
before(async () => {
  tellSeed();
  it = await makeInstance({ site: { page_list: true, pages: ['/**'] } });
  const list = path.join(it.dir, 'list.csv');
  fs.writeFileSync(list, '/listed,Listed\n');
  it.mustCli(['pages', 'import', list]);
  await it.start('reader');
});
after(() => it?.tidy());

const thread = (page, name) => it.reader({ uri: `/comments/threads${page}/~/${name}` });
const overview = (name) => it.reader({ uri: `/comments/${name}` });
function stands(answer, content, what) {
  assert.equal(answer.status, 200, `${what}: ${answer.text}`);
  assert.equal(answer.header('cache-control'), 'no-cache', what);
  assert.equal(answer.text, content, what);
}

test('a store that fails: a page of the list or none, the thread is an empty one, and nobody keeps it', async () => {
  const wanted = {};
  for (const name of NAMES) {
    const answer = await thread('/listed', name);
    assert.deepEqual([answer.status, answer.header('cache-control')], [200, 'public, max-age=10'], name);
    wanted[name] = answer.text;
    assert.equal((await thread('/unlisted', name)).status, 404, name);
  }
  it.sql('ALTER TABLE page RENAME TO away');
  try {
    // The list alone knows the title.
    for (const name of NAMES) stands(await thread('/listed', name), wanted[name].replace('“Listed”', '“/listed”'), name);
    assert.match((await thread('/unlisted', 'thread.html')).text, /class="rejoinder"/);
    for (const name of ['page.2.html', 'other']) assert.equal((await thread('/listed', name)).status, 404, name);
    const file = it.threadFile('/listed');
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, 'published');
    stands(await thread('/listed', 'thread.html'), 'published', 'a file that is there');
    fs.rmSync(path.dirname(file), { recursive: true });
  } finally {
    it.sql('ALTER TABLE away RENAME TO page');
  }
  assert.equal((await thread('/listed', 'thread.html')).header('cache-control'), 'public, max-age=10', 'and back');
});

test('a file that cannot be read is answered for as one that is missing', async () => {
  const planted = [];
  const plant = (file) => { // larger than any file of ours
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, '');
    fs.truncateSync(file, 33 * 1024 * 1024);
    planted.push(file);
  };
  try {
    for (const name of NAMES) {
      const { text } = await thread('/listed', name);
      plant(path.join(path.dirname(it.threadFile('/listed')), name));
      stands(await thread('/listed', name), text, name);
    }
    for (const name of OVERVIEWS) {
      fs.rmSync(path.join(it.public, 'main', name), { force: true });
      const { status, text } = await overview(name);
      assert.equal(status, 200, name);
      plant(path.join(it.public, 'main', name));
      const answer = await overview(name);
      // When it was made stands in a feed.
      stands(answer, name === 'feed.xml' ? answer.text : text, name);
    }
  } finally {
    planted.forEach((file) => fs.rmSync(file));
  }
});
