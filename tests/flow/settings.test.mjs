// Settings of a site that show in what people see.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeInstance, tellSeed } from '../lib/instance.mjs';

tellSeed();

test('heading_level: the heading fits the article that it stands in', async () => {
  const it = await makeInstance();
  try {
    await it.start('reader');
    await it.post({ page: '/a' });
    await it.stop('reader');
    it.sql("UPDATE reply SET state = 'published', page_number = 1, published_at = 1; UPDATE thread SET roots = 1, published = 1");
    for (const level of [undefined, 1, 2, 3, 4, 5, 6]) {
      if (level !== undefined) it.configure({ site: { heading_level: level } });
      it.mustCli(['publish', '--all']);
      const name = `h${level ?? 2}`;
      const html = it.thread('/a');
      assert.match(html, new RegExp(`<${name} class="rejoinder-heading">1 reply</${name}>`));
      assert.equal(html.match(/<h\d/g).length, 1);
    }
    for (const level of [0, 7, -1]) {
      it.configure({ site: { heading_level: level } });
      const run = it.cli(['publish', '--all']);
      assert.equal(run.status, 1);
      assert.match(run.stderr, /heading_level: give 1 to 6/);
    }
  } finally {
    await it.tidy();
  }
});
