-- From 1 to 2: the owner's list of pages; indexes that find one sender's words among everybody's.

CREATE TABLE IF NOT EXISTS page (
  site_id       INTEGER NOT NULL REFERENCES site (id),
  page          TEXT NOT NULL,
  title         TEXT NOT NULL,
  published_at  INTEGER,
  PRIMARY KEY (site_id, page)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS thread_site ON thread (site_id, id);

DROP INDEX IF EXISTS reply_submission;
CREATE INDEX reply_submission ON reply (submission_hash, client_hash, created_at);

DROP INDEX IF EXISTS reply_comment;
CREATE INDEX reply_comment ON reply (comment_hash, client_hash, thread_id);

PRAGMA user_version = 2;
