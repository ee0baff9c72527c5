// scene.mjs - a store with many replies, made faster than by sending them.
import fs from 'node:fs';

// Replies as many more, copied from those that were sent: sending a million takes a quarter of an hour.
// What must differ from row to row does.
const COPIED = ['site_id', 'thread_id', 'name', 'website', 'comment', 'email_sealed', 'network_sealed', 'content_hash', 'reasons'];
const RANDOM = ['author_hash', 'client_hash', 'key_hash', 'submission_hash', 'comment_hash'];
export function copyReplies(it, count, from, more = {}) {
  const values = { ...Object.fromEntries(COPIED.map((column) => [column, `source.${column}`])),
    ...Object.fromEntries(RANDOM.map((column) => [column, 'randomblob(32)'])), state: "'held'", created_at: 'source.created_at', ...more };
  it.sql(`PRAGMA cache_size = -262144; PRAGMA synchronous = OFF;
    CREATE TEMP TABLE source AS SELECT row_number() OVER (ORDER BY id) - 1 AS at, * FROM (SELECT * FROM reply WHERE ${from} ORDER BY id DESC LIMIT 200);
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count} - 1)
    INSERT INTO reply (${Object.keys(values).join(', ')}) SELECT ${Object.values(values).join(', ')}
      FROM n JOIN source ON source.at = n.i % (SELECT count(*) FROM source);
    UPDATE tally SET n = (SELECT count(*) FROM reply WHERE reply.site_id = tally.site_id AND reply.state = tally.state)`);
  settle(it);
}

// Writes out all that came before: a checkpoint, or the first sync of a door, would do it while it is measured.
export function settle(it) {
  it.sql('PRAGMA wal_checkpoint(TRUNCATE)');
  const fd = fs.openSync(it.database, 'r+');
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}
