-- As it was deployed: what an upgrade begins with (tests/flow/migrate.test.mjs).
-- moderators.db: who may decide.  Belongs to the moderators' user alone: whoever could write here
-- could sign in.  Times are whole seconds since 1970 UTC.

CREATE TABLE account (
  id          INTEGER PRIMARY KEY,
  name        TEXT NOT NULL UNIQUE COLLATE NOCASE,
  password    TEXT NOT NULL,               -- argon2id, in its own notation
  disabled    INTEGER NOT NULL DEFAULT 0,  -- 1: cannot sign in, and no session of it counts
  created_at  INTEGER NOT NULL
) STRICT;

-- The browser holds the session's id, this holds its hash: a stolen file signs nobody in.
CREATE TABLE session (
  hash        BLOB NOT NULL PRIMARY KEY,   -- of the cookie's 32 random bytes
  account_id  INTEGER NOT NULL REFERENCES account (id),
  created_at  INTEGER NOT NULL,
  seen_at     INTEGER NOT NULL             -- written at most every five minutes
) STRICT, WITHOUT ROWID;
CREATE INDEX session_account ON session (account_id);

-- Wrong passwords of the last ten minutes, for the throttle.
CREATE TABLE failure (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL COLLATE NOCASE, -- as typed: an unknown name is throttled like a known one
  network    TEXT NOT NULL,                -- /24 or /64 it came from
  failed_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX failure_name ON failure (name, failed_at);
CREATE INDEX failure_network ON failure (network, failed_at);
CREATE INDEX failure_time ON failure (failed_at);

PRAGMA user_version = 1;
