-- From 1 to 2: what signing in from known browsers, the decision log and mail need.

CREATE TABLE log_head (
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  last_id   INTEGER NOT NULL,
  mac       BLOB NOT NULL,
  accepted  INTEGER NOT NULL
) STRICT;
ALTER TABLE account ADD COLUMN signed_in_at INTEGER;
ALTER TABLE session ADD COLUMN network TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN agent TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN by_server INTEGER NOT NULL DEFAULT 0;
DROP INDEX session_account;
CREATE INDEX session_account ON session (account_id, seen_at);
CREATE TABLE browser (
  hash        BLOB NOT NULL,
  account_id  INTEGER NOT NULL REFERENCES account (id),
  seen_at     INTEGER NOT NULL,
  PRIMARY KEY (hash, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX browser_account ON browser (account_id, seen_at);
-- What it held is ten minutes old at most.
DROP TABLE failure;
CREATE TABLE failure (
  kind  TEXT NOT NULL,
  who   BLOB NOT NULL,
  n     INTEGER NOT NULL,
  last  INTEGER NOT NULL,
  PRIMARY KEY (kind, who)
) STRICT, WITHOUT ROWID;
CREATE INDEX failure_least ON failure (n, last);
CREATE INDEX failure_last ON failure (last);

ALTER TABLE account ADD COLUMN email TEXT NOT NULL DEFAULT '';

CREATE TABLE mail (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id   INTEGER NOT NULL REFERENCES account (id),
  site         TEXT NOT NULL,
  event        TEXT NOT NULL UNIQUE,
  through_id   INTEGER NOT NULL,
  state        TEXT NOT NULL CHECK (state IN ('ready', 'sent', 'parked')),
  tries        INTEGER NOT NULL DEFAULT 0,
  next_try_at  INTEGER NOT NULL,
  failure      TEXT NOT NULL DEFAULT '',
  made_at      INTEGER NOT NULL,
  sent_at      INTEGER
) STRICT;
CREATE INDEX mail_account ON mail (account_id, site, id);
CREATE INDEX mail_state ON mail (state, id);

PRAGMA user_version = 2;
