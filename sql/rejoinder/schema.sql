-- rejoinder.db: what readers wrote and what became of it.
-- Shared by both doors; the moderators' door trusts none of it.  Times are whole seconds since
-- 1970 UTC.  A «hash» is a keyed BLAKE2b whose key is in a file of its own, never in here.

-- A site of the installation; its name is the section's name in rejoinder.conf.
CREATE TABLE site (
  id      INTEGER PRIMARY KEY,
  name    TEXT NOT NULL UNIQUE,
  paused  INTEGER NOT NULL DEFAULT 0  -- 1: a moderator lets it take no replies for now
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
  updated_at  INTEGER NOT NULL DEFAULT 0,  -- of the last such change, or of its beginning
  UNIQUE (site_id, page)
) STRICT;
-- All threads of a site, in steps.
CREATE INDEX thread_site ON thread (site_id, id);
-- The most discussed pages of a site.
CREATE INDEX thread_published ON thread (site_id, published, id);
-- The pages that changed last.
CREATE INDEX thread_recent ON thread (site_id, updated_at, id);

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
  published_at    INTEGER,                            -- of the last publication
  shown           INTEGER NOT NULL DEFAULT 0,         -- 1: published like all above it
  erased_at       INTEGER                             -- when its author was removed from it, by wish or by rule
) STRICT;

-- The queue: one state of one site, newest first, keyset by id.
CREATE INDEX reply_state ON reply (site_id, state, id);
-- The queue of one page alone.  It begins with the site, so that no query of published pages takes it for theirs.
CREATE INDEX reply_thread ON reply (site_id, thread_id, state, id);
-- A page of a published thread, in its order.
CREATE INDEX reply_page ON reply (thread_id, page_number, id) WHERE state = 'published';
-- The newest published replies of a thread, for its feed.
CREATE INDEX reply_feed ON reply (thread_id, published_at, id) WHERE shown = 1;
-- The newest of a site, and which pages they stand on.
CREATE INDEX reply_latest ON reply (site_id, published_at, id, thread_id) WHERE shown = 1;
CREATE INDEX reply_parent ON reply (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX reply_author ON reply (author_hash, state);
CREATE UNIQUE INDEX reply_key ON reply (site_id, key_hash) WHERE key_hash IS NOT NULL;
CREATE INDEX reply_submission ON reply (submission_hash, client_hash, created_at);
CREATE INDEX reply_comment ON reply (comment_hash, client_hash, thread_id);
-- What retention takes away, in the order of its time.
CREATE INDEX reply_refused ON reply (decided_at) WHERE state IN ('spam', 'trash');
CREATE INDEX reply_email ON reply (decided_at) WHERE email_sealed IS NOT NULL AND decided_at IS NOT NULL;
CREATE INDEX reply_network ON reply (decided_at) WHERE network_sealed IS NOT NULL AND decided_at IS NOT NULL;

-- How many replies stand in each state: kept, since counting a million takes too long.
CREATE TABLE tally (
  site_id  INTEGER NOT NULL REFERENCES site (id),
  state    TEXT NOT NULL,
  n        INTEGER NOT NULL CHECK (n >= 0),
  PRIMARY KEY (site_id, state)
) STRICT, WITHOUT ROWID;

-- Who did what, when, from where and why: the log.  Rows are only ever added, each with the mac of the row
-- before in its own (src/journal.h).  No foreign keys: the log outlives what it tells of.
CREATE TABLE decision (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  batch       INTEGER NOT NULL,           -- id of the first row that was written by the same press of a button
  action      TEXT NOT NULL,              -- 'decide', 'undo', 'edit' …: journal_action_names
  site_id     INTEGER NOT NULL,           -- 0: of the whole installation
  reply_id    INTEGER,                    -- NULL: about no reply
  thread_id   INTEGER,                    -- of the reply, or the one that it is about
  revision    INTEGER,                    -- of the reply, afterwards
  from_state  TEXT NOT NULL DEFAULT '',
  to_state    TEXT NOT NULL DEFAULT '',
  undoes      INTEGER,                    -- the batch that this one takes back
  moderator   TEXT NOT NULL,              -- account's name; '': the author, the command line, or forgotten
  network     TEXT NOT NULL,              -- of the moderator, cut to /24 or /64; '' when forgotten
  why         TEXT NOT NULL DEFAULT '',   -- as typed; '' when forgotten
  decided_at  INTEGER NOT NULL,
  digests     BLOB,                       -- of moderator, network and why, which the mac covers in their place
  mac         BLOB                        -- NULL: from before version 3, not signed yet
) STRICT;
CREATE INDEX decision_reply ON decision (reply_id, id) WHERE reply_id IS NOT NULL;
CREATE INDEX decision_thread ON decision (thread_id, id) WHERE thread_id IS NOT NULL;
CREATE INDEX decision_moderator ON decision (moderator, id);
CREATE INDEX decision_batch ON decision (batch, id);
CREATE INDEX decision_time ON decision (decided_at);
-- The rows of which retention takes the network away.
CREATE INDEX decision_network ON decision (decided_at) WHERE network <> '';
-- What one moderator can undo.
CREATE INDEX decision_mine ON decision (moderator, id) WHERE id = batch AND action IN ('decide', 'undo');

-- What a program did that holds no key of the log: moderator.fcgi copies it there, signs it, and removes it here.
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

-- A page of a thread whose files lag behind the store.  Written with the decision itself, removed
-- when the files are on disk: whatever happens in between, somebody finds the row.
CREATE TABLE publication (
  thread_id    INTEGER NOT NULL REFERENCES thread (id),
  page_number  INTEGER NOT NULL,
  revision     INTEGER NOT NULL,  -- of the thread, that the files must reach
  asked_at     INTEGER NOT NULL,
  due_at       INTEGER NOT NULL DEFAULT 0,  -- when the background takes it up; whoever decided does at once
  tries        INTEGER NOT NULL DEFAULT 0,  -- that failed, one after the other
  failure      TEXT NOT NULL DEFAULT '',    -- of the last of them, a name of enum status
  PRIMARY KEY (thread_id, page_number)
) STRICT, WITHOUT ROWID;

-- Work in the background, a row for each kind and site, for ever (src/work.h).  A lease keeps two
-- workers from doing the same; it ends by itself, so whoever is killed holds up nobody.
CREATE TABLE job (
  kind         TEXT NOT NULL,              -- 'overview'
  site_id      INTEGER NOT NULL,           -- 0: of no site in particular
  due_at       INTEGER,                    -- NULL: nothing to do until somebody asks
  done_at      INTEGER NOT NULL DEFAULT 0, -- when it last came to its end
  asked        INTEGER NOT NULL DEFAULT 0, -- raised by whoever asks: what is asked meanwhile is not lost
  turn         INTEGER NOT NULL DEFAULT 0, -- raised by every lease: an earlier holder can write nothing more
  lease_until  INTEGER NOT NULL DEFAULT 0,
  lease_by     TEXT NOT NULL DEFAULT '',   -- program and process, for people
  cursor       INTEGER NOT NULL DEFAULT 0, -- how far it has come, if it takes several slices
  tries        INTEGER NOT NULL DEFAULT 0, -- that failed, one after the other
  failure      TEXT NOT NULL DEFAULT '',   -- of the last of them, a name of enum status
  PRIMARY KEY (kind, site_id)
) STRICT, WITHOUT ROWID;

-- Replies that came to wait and that no mail has told of yet; written with the reply, where mail is sent.
CREATE TABLE outbox (
  site_id   INTEGER NOT NULL REFERENCES site (id),
  reply_id  INTEGER NOT NULL REFERENCES reply (id),
  PRIMARY KEY (site_id, reply_id)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 3;
