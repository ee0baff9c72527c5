-- As it was deployed: what an upgrade begins with (tests/flow/migrate.test.mjs).
-- rejoinder.db: what readers wrote and what became of it.
-- Shared by both doors; the moderators' door trusts none of it.  Times are whole seconds since
-- 1970 UTC.  A «hash» is a keyed BLAKE2b whose key is in a file of its own, never in here.

-- A site of the installation; its name is the section's name in rejoinder.conf.
CREATE TABLE site (
  id    INTEGER PRIMARY KEY,
  name  TEXT NOT NULL UNIQUE
) STRICT;

-- A page of the owner's list, as `rejoinder pages import` has read it: which pages there are, and what
-- they are called.
CREATE TABLE page (
  site_id       INTEGER NOT NULL REFERENCES site (id),
  page          TEXT NOT NULL,  -- canonical path on the site, '/world/astana'
  title         TEXT NOT NULL,  -- '': the list does not tell
  published_at  INTEGER,        -- of the article; NULL: the list does not tell
  PRIMARY KEY (site_id, page)
) STRICT, WITHOUT ROWID;

-- A page that somebody replied to.
CREATE TABLE thread (
  id          INTEGER PRIMARY KEY,
  site_id     INTEGER NOT NULL REFERENCES site (id),
  page        TEXT NOT NULL,               -- canonical path on the site, '/world/astana'
  title       TEXT NOT NULL,               -- of the article; never from a form
  closed      INTEGER NOT NULL DEFAULT 0,  -- 1: takes no new replies
  revision    INTEGER NOT NULL DEFAULT 0,  -- raised by whatever changes a published file
  roots       INTEGER NOT NULL DEFAULT 0,  -- roots that were ever published: gives the next its page
  published   INTEGER NOT NULL DEFAULT 0,  -- replies shown now: published, and so are all above them
  updated_at  INTEGER NOT NULL DEFAULT 0,  -- of the last such change
  UNIQUE (site_id, page)
) STRICT;
-- All threads of a site, in steps.
CREATE INDEX thread_site ON thread (site_id, id);

-- A reply, or what is left of one that was withdrawn.
CREATE TABLE reply (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice: receipts are derived from it
  site_id         INTEGER NOT NULL REFERENCES site (id),
  thread_id       INTEGER NOT NULL REFERENCES thread (id),
  parent_id       INTEGER REFERENCES reply (id),      -- NULL: a reply to the article, a root
  state           TEXT NOT NULL CHECK (state IN ('held', 'published', 'spam', 'trash', 'withdrawn')),
  revision        INTEGER NOT NULL DEFAULT 1,         -- raised by every edit and every decision
  page_number     INTEGER,                            -- of the thread; given at first publication, kept
  name            TEXT NOT NULL,
  website         TEXT,                               -- http or https, or NULL
  comment         TEXT NOT NULL,                      -- Markdown as typed
  email_sealed    BLOB,                               -- to the moderators' public key
  network_sealed  BLOB,                               -- the address the reply came from, sealed alike
  author_hash     BLOB,                               -- of the e-mail: has this author replied before?
  client_hash     BLOB,                               -- of network and browser: the same sender again?
  key_hash        BLOB,                               -- of the form's key: the same form sent again?
  submission_hash BLOB,                               -- of all the fields as sent
  comment_hash    BLOB,                               -- of the comment alone
  content_hash    BLOB NOT NULL,                      -- of what is stored: notices damage
  reasons         TEXT NOT NULL DEFAULT '',           -- why it may be suspicious, a line each: links 3
  by_moderator    INTEGER NOT NULL DEFAULT 0,         -- 1: written by a moderator
  created_at      INTEGER NOT NULL,
  edited_at       INTEGER,
  decided_at      INTEGER,
  published_at    INTEGER                             -- of the last publication
) STRICT;

-- The queue: one state of one site, newest first, keyset by id.
CREATE INDEX reply_state ON reply (site_id, state, id);
-- A page of a published thread, in its order.
CREATE INDEX reply_page ON reply (thread_id, page_number, id) WHERE state = 'published';
-- The newest published replies of a thread, for its feed.
CREATE INDEX reply_feed ON reply (thread_id, published_at, id) WHERE state = 'published';
CREATE INDEX reply_parent ON reply (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX reply_author ON reply (author_hash, state);
CREATE UNIQUE INDEX reply_key ON reply (site_id, key_hash) WHERE key_hash IS NOT NULL;
CREATE INDEX reply_submission ON reply (submission_hash, client_hash, created_at);
CREATE INDEX reply_comment ON reply (comment_hash, client_hash, thread_id);

-- How many replies stand in each state: kept, since counting a million takes too long.
CREATE TABLE tally (
  site_id  INTEGER NOT NULL REFERENCES site (id),
  state    TEXT NOT NULL,
  n        INTEGER NOT NULL CHECK (n >= 0),
  PRIMARY KEY (site_id, state)
) STRICT, WITHOUT ROWID;

-- Who decided what, when, from where and why.  Rows are only ever added.
CREATE TABLE decision (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  reply_id    INTEGER NOT NULL REFERENCES reply (id),
  revision    INTEGER NOT NULL,  -- of the reply, after the decision
  from_state  TEXT NOT NULL,
  to_state    TEXT NOT NULL,
  moderator   TEXT NOT NULL,     -- account's name; '' when the author withdrew
  network     TEXT NOT NULL,     -- of the moderator, cut to /24 or /64
  why         TEXT NOT NULL DEFAULT '',
  decided_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX decision_reply ON decision (reply_id, id);

-- A page of a thread whose files lag behind the store.  Written with the decision itself, removed
-- when the files are on disk: whatever happens in between, somebody finds the row.
CREATE TABLE publication (
  thread_id    INTEGER NOT NULL REFERENCES thread (id),
  page_number  INTEGER NOT NULL,
  revision     INTEGER NOT NULL,  -- of the thread, that the files must reach
  asked_at     INTEGER NOT NULL,
  PRIMARY KEY (thread_id, page_number)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 2;
