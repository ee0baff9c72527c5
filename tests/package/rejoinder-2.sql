-- rejoinder.db of version 2, for the upgrade that tests/package/run tries.
CREATE TABLE site (
  id    INTEGER PRIMARY KEY,
  name  TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE page (
  site_id       INTEGER NOT NULL REFERENCES site (id),
  page          TEXT NOT NULL,
  title         TEXT NOT NULL,
  published_at  INTEGER,
  PRIMARY KEY (site_id, page)
) STRICT, WITHOUT ROWID;
CREATE TABLE thread (
  id          INTEGER PRIMARY KEY,
  site_id     INTEGER NOT NULL REFERENCES site (id),
  page        TEXT NOT NULL,
  title       TEXT NOT NULL,
  closed      INTEGER NOT NULL DEFAULT 0,
  revision    INTEGER NOT NULL DEFAULT 0,
  roots       INTEGER NOT NULL DEFAULT 0,
  published   INTEGER NOT NULL DEFAULT 0,
  updated_at  INTEGER NOT NULL DEFAULT 0,
  UNIQUE (site_id, page)
) STRICT;
CREATE INDEX thread_site ON thread (site_id, id);
CREATE TABLE reply (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id         INTEGER NOT NULL REFERENCES site (id),
  thread_id       INTEGER NOT NULL REFERENCES thread (id),
  parent_id       INTEGER REFERENCES reply (id),
  state           TEXT NOT NULL CHECK (state IN ('held', 'published', 'spam', 'trash', 'withdrawn')),
  revision        INTEGER NOT NULL DEFAULT 1,
  page_number     INTEGER,
  name            TEXT NOT NULL,
  website         TEXT,
  comment         TEXT NOT NULL,
  email_sealed    BLOB,
  network_sealed  BLOB,
  author_hash     BLOB,
  client_hash     BLOB,
  key_hash        BLOB,
  submission_hash BLOB,
  comment_hash    BLOB,
  content_hash    BLOB NOT NULL,
  reasons         TEXT NOT NULL DEFAULT '',
  by_moderator    INTEGER NOT NULL DEFAULT 0,
  created_at      INTEGER NOT NULL,
  edited_at       INTEGER,
  decided_at      INTEGER,
  published_at    INTEGER
) STRICT;
CREATE INDEX reply_state ON reply (site_id, state, id);
CREATE INDEX reply_page ON reply (thread_id, page_number, id) WHERE state = 'published';
CREATE INDEX reply_feed ON reply (thread_id, published_at, id) WHERE state = 'published';
CREATE INDEX reply_parent ON reply (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX reply_author ON reply (author_hash, state);
CREATE UNIQUE INDEX reply_key ON reply (site_id, key_hash) WHERE key_hash IS NOT NULL;
CREATE INDEX reply_submission ON reply (submission_hash, client_hash, created_at);
CREATE INDEX reply_comment ON reply (comment_hash, client_hash, thread_id);
CREATE TABLE tally (
  site_id  INTEGER NOT NULL REFERENCES site (id),
  state    TEXT NOT NULL,
  n        INTEGER NOT NULL CHECK (n >= 0),
  PRIMARY KEY (site_id, state)
) STRICT, WITHOUT ROWID;
CREATE TABLE decision (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  reply_id    INTEGER NOT NULL REFERENCES reply (id),
  revision    INTEGER NOT NULL,
  from_state  TEXT NOT NULL,
  to_state    TEXT NOT NULL,
  moderator   TEXT NOT NULL,
  network     TEXT NOT NULL,
  why         TEXT NOT NULL DEFAULT '',
  decided_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX decision_reply ON decision (reply_id, id);
CREATE TABLE publication (
  thread_id    INTEGER NOT NULL REFERENCES thread (id),
  page_number  INTEGER NOT NULL,
  revision     INTEGER NOT NULL,
  asked_at     INTEGER NOT NULL,
  PRIMARY KEY (thread_id, page_number)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 2;
PRAGMA application_id = 1477648411;
PRAGMA journal_mode = WAL;
