// A database that an earlier release made, after its migrations, is like one that was made today.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT, dropFolder, makeFolder, makeInstance, sqlOf } from '../lib/instance.mjs';

// Not begun by a dash: sqlite3 would take it for an option.
const read = (...parts) => `\n${fs.readFileSync(path.join(ROOT, ...parts), 'utf8')}`;
const DEPLOYED = [['moderators', 1], ['rejoinder', 2]];

// Tables with their columns, keys and indexes, whatever their order and however they were written.
function shape(file) {
  const sorted = (rows) => rows.map((row) => JSON.stringify(row)).sort();
  const tables = sqlOf(file, "SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' ORDER BY name");
  return tables.map((table) => ({ ...table,
    columns: sorted(sqlOf(file, `SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo('${table.name}')`)),
    keys: sorted(sqlOf(file, `SELECT "table", "from", "to", on_delete FROM pragma_foreign_key_list('${table.name}')`)),
    indexes: sorted(sqlOf(file, `SELECT list.name, "unique", origin, partial, group_concat(info.name) AS columns
      FROM pragma_index_list('${table.name}') AS list, pragma_index_info(list.name) AS info GROUP BY list.name`)) }));
}

for (const [name, version] of DEPLOYED) {
  test(`${name}.db of version ${version} becomes what a new one is`, () => {
    const dir = makeFolder();
    try {
      const old = path.join(dir, 'old.db'), fresh = path.join(dir, 'new.db');
      sqlOf(old, read('tests/flow/schema', `${name}-${version}.sql`));
      for (let n = version + 1; fs.existsSync(path.join(ROOT, 'sql', name, `migrate-${n}.sql`)); n++) sqlOf(old, read('sql', name, `migrate-${n}.sql`));
      sqlOf(fresh, read('sql', name, 'schema.sql'));
      assert.deepEqual(sqlOf(old, 'PRAGMA user_version'), sqlOf(fresh, 'PRAGMA user_version'));
      assert.deepEqual(shape(old), shape(fresh));
    } finally {
      dropFolder(dir);
    }
  });
}

test('the door takes over accounts and sessions of version 1', async () => {
  const it = await makeInstance();
  try {
    it.addModerator('editor', 'a steppe is not a step');
    const [{ password, id }] = it.sql("SELECT password, application_id AS id FROM account, pragma_application_id", it.moderators);
    for (const end of ['', '-wal', '-shm']) fs.rmSync(it.moderators + end, { force: true });
    sqlOf(it.moderators, read('tests/flow/schema/moderators-1.sql'));
    it.sql(`PRAGMA application_id = ${id}; PRAGMA journal_mode = WAL;
      INSERT INTO account (id, name, password, created_at) VALUES (7, 'editor', '${password}', 1);
      INSERT INTO session VALUES (randomblob(32), 7, 1, 1)`, it.moderators);
    fs.chmodSync(it.moderators, 0o600);
    await it.start('moderator');
    const { signedIn } = await import('../lib/browserless.mjs');
    assert.equal((await (await signedIn(it)).get()).status, 200);
    assert.ok(fs.existsSync(`${it.moderators}.v1`), 'a copy of before is kept');
  } finally {
    await it.tidy();
  }
});
