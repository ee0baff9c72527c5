-- browser_add: somebody signed in with it.
INSERT INTO browser (hash, account_id, seen_at) VALUES (:hash, :account_id, :seen_at)
ON CONFLICT (hash, account_id) DO UPDATE SET seen_at = excluded.seen_at;

-- browser_find: has this account signed in from it lately?
-- one
-- in after integer
SELECT seen_at FROM browser WHERE hash = :hash AND account_id = :account_id AND seen_at >= :after;

-- browser_rotate: its cookie changes, for everybody who signs in from it.
-- in fresh blob
UPDATE browser SET hash = :fresh WHERE hash = :hash;

-- browser_forget: what has not been used for long.
-- in before integer
DELETE FROM browser WHERE account_id = :account_id AND seen_at < :before;

-- browser_trim: no more of an account than `most`, the last used ones.
-- in most integer
DELETE FROM browser WHERE account_id = :account_id AND hash IN (
  SELECT hash FROM browser WHERE account_id = :account_id ORDER BY seen_at DESC LIMIT -1 OFFSET :most);

-- browser_end_all: an account's browsers are strangers from now on.
DELETE FROM browser WHERE account_id = :account_id;
