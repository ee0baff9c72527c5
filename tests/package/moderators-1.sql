-- moderators.db of version 1, for the upgrade that tests/package/run tries.
CREATE TABLE account (
  id          INTEGER PRIMARY KEY,
  name        TEXT NOT NULL UNIQUE COLLATE NOCASE,
  password    TEXT NOT NULL,
  disabled    INTEGER NOT NULL DEFAULT 0,
  created_at  INTEGER NOT NULL
) STRICT;
CREATE TABLE session (
  hash        BLOB NOT NULL PRIMARY KEY,
  account_id  INTEGER NOT NULL REFERENCES account (id),
  created_at  INTEGER NOT NULL,
  seen_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_account ON session (account_id);
CREATE TABLE failure (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL COLLATE NOCASE,
  network    TEXT NOT NULL,
  failed_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX failure_name ON failure (name, failed_at);
CREATE INDEX failure_network ON failure (network, failed_at);
CREATE INDEX failure_time ON failure (failed_at);
PRAGMA user_version = 1;
PRAGMA application_id = 827034869;
PRAGMA journal_mode = WAL;
