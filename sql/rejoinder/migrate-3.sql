-- From 2 to 3: what the moderators' page, background work, mail and retention need.

-- The log tells more than decisions, and is signed: the first start of moderator.fcgi signs the rows that are there.
ALTER TABLE decision RENAME TO decision_2;
DROP INDEX decision_reply;
CREATE TABLE decision (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  batch       INTEGER NOT NULL,
  action      TEXT NOT NULL,
  site_id     INTEGER NOT NULL,
  reply_id    INTEGER,
  thread_id   INTEGER,
  revision    INTEGER,
  from_state  TEXT NOT NULL DEFAULT '',
  to_state    TEXT NOT NULL DEFAULT '',
  undoes      INTEGER,
  moderator   TEXT NOT NULL,
  network     TEXT NOT NULL,
  why         TEXT NOT NULL DEFAULT '',
  decided_at  INTEGER NOT NULL,
  digests     BLOB,
  mac         BLOB
) STRICT;
INSERT INTO decision (id, batch, action, site_id, reply_id, thread_id, revision, from_state, to_state, moderator, network,
                      why, decided_at)
SELECT decision_2.id, decision_2.id, CASE WHEN to_state = 'withdrawn' THEN 'withdraw' ELSE 'decide' END, reply.site_id,
       reply_id, reply.thread_id, decision_2.revision, from_state, to_state, moderator, network, why,
       decision_2.decided_at
  FROM decision_2 JOIN reply ON reply.id = decision_2.reply_id ORDER BY decision_2.id;
DROP TABLE decision_2;
CREATE INDEX decision_reply ON decision (reply_id, id) WHERE reply_id IS NOT NULL;
CREATE INDEX decision_thread ON decision (thread_id, id) WHERE thread_id IS NOT NULL;
CREATE INDEX decision_moderator ON decision (moderator, id);
CREATE INDEX decision_batch ON decision (batch, id);
CREATE INDEX decision_network ON decision (decided_at) WHERE network <> '';
CREATE INDEX decision_time ON decision (decided_at);
CREATE INDEX decision_mine ON decision (moderator, id) WHERE id = batch AND action IN ('decide', 'undo');

CREATE TABLE slip (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  action      TEXT NOT NULL,
  site_id     INTEGER NOT NULL,
  reply_id    INTEGER,
  thread_id   INTEGER,
  revision    INTEGER,
  from_state  TEXT NOT NULL,
  to_state    TEXT NOT NULL,
  decided_at  INTEGER NOT NULL
) STRICT;

-- The queue of one page alone.  It begins with the site, so that no query of published pages takes it for theirs.
CREATE INDEX reply_thread ON reply (site_id, thread_id, state, id);

-- The published thread: what is shown is kept with each reply, so that feeds and overviews are found by an index.
ALTER TABLE reply ADD COLUMN shown INTEGER NOT NULL DEFAULT 0;
UPDATE reply SET shown = 1 WHERE id IN (
  WITH RECURSIVE tree (id) AS (
    SELECT id FROM reply WHERE parent_id IS NULL AND state = 'published'
    UNION ALL
    SELECT down.id FROM tree JOIN reply AS down ON down.parent_id = tree.id WHERE down.state = 'published')
  SELECT id FROM tree);
DROP INDEX IF EXISTS reply_feed;
CREATE INDEX reply_feed ON reply (thread_id, published_at, id) WHERE shown = 1;
CREATE INDEX reply_latest ON reply (site_id, published_at, id, thread_id) WHERE shown = 1;
CREATE INDEX thread_published ON thread (site_id, published, id);
CREATE INDEX thread_recent ON thread (site_id, updated_at, id);

ALTER TABLE reply ADD COLUMN erased_at INTEGER;
CREATE INDEX reply_refused ON reply (decided_at) WHERE state IN ('spam', 'trash');
CREATE INDEX reply_email ON reply (decided_at) WHERE email_sealed IS NOT NULL AND decided_at IS NOT NULL;
CREATE INDEX reply_network ON reply (decided_at) WHERE network_sealed IS NOT NULL AND decided_at IS NOT NULL;
ALTER TABLE site ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;

-- Background work.
ALTER TABLE publication ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE publication ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE publication ADD COLUMN failure TEXT NOT NULL DEFAULT '';
CREATE TABLE job (
  kind         TEXT NOT NULL,
  site_id      INTEGER NOT NULL,
  due_at       INTEGER,
  done_at      INTEGER NOT NULL DEFAULT 0,
  asked        INTEGER NOT NULL DEFAULT 0,
  turn         INTEGER NOT NULL DEFAULT 0,
  lease_until  INTEGER NOT NULL DEFAULT 0,
  lease_by     TEXT NOT NULL DEFAULT '',
  cursor       INTEGER NOT NULL DEFAULT 0,
  tries        INTEGER NOT NULL DEFAULT 0,
  failure      TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (kind, site_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
  site_id   INTEGER NOT NULL REFERENCES site (id),
  reply_id  INTEGER NOT NULL REFERENCES reply (id),
  PRIMARY KEY (site_id, reply_id)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 3;
