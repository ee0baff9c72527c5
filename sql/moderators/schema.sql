-- moderators.db: who may decide.  Belongs to the moderators' user alone: whoever could write here
-- could sign in.  Times are whole seconds since 1970 UTC.

CREATE TABLE account (
  id          INTEGER PRIMARY KEY,
  name        TEXT NOT NULL UNIQUE COLLATE NOCASE,
  password    TEXT NOT NULL,               -- argon2id, in its own notation
  disabled    INTEGER NOT NULL DEFAULT 0,  -- 1: cannot sign in, and no session of it counts
  created_at  INTEGER NOT NULL,
  signed_in_at INTEGER,                    -- the last time; NULL: never
  email       TEXT NOT NULL DEFAULT ''     -- that is told what waits; '': none
) STRICT;

-- The browser holds the session's id, this holds its hash: a stolen file signs nobody in.
CREATE TABLE session (
  hash        BLOB NOT NULL PRIMARY KEY,   -- of the cookie's 32 random bytes
  account_id  INTEGER NOT NULL REFERENCES account (id),
  created_at  INTEGER NOT NULL,
  seen_at     INTEGER NOT NULL,            -- written at most every five minutes
  network     TEXT NOT NULL DEFAULT '',    -- /24 or /64 that it was begun from
  agent       TEXT NOT NULL DEFAULT '',    -- the beginning of the browser's User-Agent
  by_server   INTEGER NOT NULL DEFAULT 0   -- 1: the web server signed in (REMOTE_USER), no password
) STRICT, WITHOUT ROWID;
CREATE INDEX session_account ON session (account_id, seen_at);

-- Browsers that somebody has signed in from: a throttle that others set off does not hold them up.
-- Two moderators at one computer share a cookie, so they share a hash.
CREATE TABLE browser (
  hash        BLOB NOT NULL,               -- of another cookie's 32 random bytes
  account_id  INTEGER NOT NULL REFERENCES account (id),
  seen_at     INTEGER NOT NULL,            -- the last sign-in; forgotten 180 days after it
  PRIMARY KEY (hash, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX browser_account ON browser (account_id, seen_at);

-- How many wrong passwords came lately, for the throttle; at most a few thousand rows.
CREATE TABLE failure (
  kind  TEXT NOT NULL,                     -- network, name or browser
  who   BLOB NOT NULL,                     -- hash of it: what was typed as a name may be a password
  n     INTEGER NOT NULL,
  last  INTEGER NOT NULL,                  -- when the last one came
  PRIMARY KEY (kind, who)
) STRICT, WITHOUT ROWID;
CREATE INDEX failure_least ON failure (n, last);
CREATE INDEX failure_last ON failure (last);

-- How far the log of rejoinder.db reached when we last looked, so that a missing end is noticed.
CREATE TABLE log_head (
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  last_id   INTEGER NOT NULL,  -- 0: the log was empty
  mac       BLOB NOT NULL,     -- of that row
  accepted  INTEGER NOT NULL   -- what is wrong up to this row the owner knows: rejoinder check --accept-log
) STRICT;

-- A mail about what waits on a site, to one moderator.  While it is not sent there is no second one;
-- what it says is of the moment when it is sent, so nothing of it is kept.
CREATE TABLE mail (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id   INTEGER NOT NULL REFERENCES account (id),
  site         TEXT NOT NULL,
  event        TEXT NOT NULL UNIQUE,  -- its Message-ID: a second try after a crash is known by it
  through_id   INTEGER NOT NULL,      -- of one that was sent: the newest reply that it tells of
  state        TEXT NOT NULL CHECK (state IN ('ready', 'sent', 'parked')),
  tries        INTEGER NOT NULL DEFAULT 0,
  next_try_at  INTEGER NOT NULL,
  failure      TEXT NOT NULL DEFAULT '',  -- why the last try failed
  made_at      INTEGER NOT NULL,
  sent_at      INTEGER
) STRICT;
CREATE INDEX mail_account ON mail (account_id, site, id);
CREATE INDEX mail_state ON mail (state, id);

PRAGMA user_version = 2;
