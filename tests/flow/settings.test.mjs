// Settings of a site that show in what people see.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { signedIn } from '../lib/browserless.mjs';
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

test('page_head, page_foot, stylesheet: the owner frames the pages of the public door', async () => {
  const it = await makeInstance();
  const head = '<header class="own">Ours: <b>{{name}}</b> & $1 </header>\n';
  const foot = '<footer class="own">Below ✂</footer>\n';
  const file = (name, text) => {
    fs.writeFileSync(path.join(it.dir, name), text);
    return path.join(it.dir, name);
  };
  try {
    await it.start('reader');
    const plain = await it.reader({ uri: '/comments/form?page=/a' });
    assert.ok(!plain.text.includes('class="own"'));
    it.configure({ site: { page_head: file('head.html', head), page_foot: file('foot.html', foot), stylesheet: '/own.css?a&b' } });
    await it.restart('reader');
    const { receipt } = await it.post({ page: '/a', name: '</main> <main x></head>', comment: 'x </main>\n</head><main >' });
    const asks = { form: { uri: '/comments/form?page=/a' }, receipt: { uri: receipt }, missing: { uri: '/comments/nothing' },
      wrong: { uri: '/comments/reply', form: { page: '/a', comment: '</main>\n</body>', name: '<main >' } } };
    for (const [name, ask] of Object.entries(asks)) {
      const answer = await it.reader(ask);
      const { text } = answer;
      assert.match(text, /rejoinder\.css">\n[^]*<link rel="stylesheet" href="\/own\.css\?a&amp;b">\n<\/head>/, name);
      assert.ok(text.includes(`<body class="rejoinder-page">\n${head}<main `), name);
      assert.ok(text.endsWith(`</main>\n${foot}</body>\n</html>\n`), name);
      assert.equal(text.split('class="own"').length, 3, name);
      assert.match(answer.header('Content-Security-Policy'), /default-src 'none'/, name);
    }
    assert.equal((await it.reader(asks.form)).text.replace(head, '').replace(foot, '')
      .replace('<link rel="stylesheet" href="/own.css?a&amp;b">\n', '').replace(/name="key" value="[^"]*"/, ''),
    plain.text.replace(/name="key" value="[^"]*"/, ''));
    // No frame where there is no page.
    for (const ask of [{ uri: '/comments/threads/a/~/thread.html' }, { uri: '/comments/health' },
      { uri: '/comments/reply', json: {}, accept: 'application/json' }])
      assert.ok(!(await it.reader(ask)).text.includes('own'), ask.uri);
    await it.stop('reader');

    for (const [settings, says] of [
      [{ page_head: path.join(it.dir, 'none.html') }, /page_head .*none\.html cannot be used: missing/],
      [{ page_head: file('latin.html', Buffer.from('\xe4', 'latin1')) }, /page_head .*latin\.html cannot be used: invalid/],
      [{ page_head: '', page_foot: file('big.html', 'x'.repeat(256 * 1024 + 1)) }, /page_foot .*big\.html cannot be used: too-large/],
      [{ page_foot: '', stylesheet: 'https://cdn.example/x.css' }, /stylesheet: give its path on the site/],
      [{ stylesheet: '//cdn.example/x.css' }, /stylesheet: give its path on the site/],
    ]) {
      it.configure({ site: settings });
      await assert.rejects(it.start('reader'), says);
      delete it.doors.reader;
    }
  } finally {
    await it.tidy();
  }
});

test('times are shown on the clocks of the site’s zone, and told to programs in UTC', async () => {
  const it = await makeInstance({ site: { time_zone: 'Asia/Kathmandu' }, doors: ['reader'] });
  try {
    it.addModerator('editor', 'a steppe is not a step');
    await it.start('moderator');
    const moderator = await signedIn(it);
    const { id } = await it.post({ page: '/world/clock' });
    await moderator.approve(id);
    const html = it.thread('/world/clock');
    const [, utc, shown] = html.match(/<time class="rejoinder-time" datetime="([^"]+)">([^<]+)</);
    const there = new Date(Date.parse(utc) + (5 * 60 + 45) * 60000).toISOString();
    assert.match(utc, /Z$/);
    assert.ok(shown.endsWith(`${there.slice(11, 16)} +0545`), `${utc} is shown as ${shown}`);
  } finally {
    await it.tidy();
  }
});
