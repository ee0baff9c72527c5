-- session_add: somebody signed in.
INSERT INTO session (hash, account_id, created_at, seen_at, network, agent, by_server)
VALUES (:hash, :account_id, :created_at, :created_at, :network, :agent, :by_server);

-- session_find: whose session it is.
-- one
SELECT session.account_id, session.created_at, session.seen_at, session.by_server, account.name, account.disabled
  FROM session JOIN account ON account.id = session.account_id
 WHERE session.hash = :hash;

-- session_list: the open sessions of an account, the one last used first.
-- many
-- in seen_after integer
-- in begun_after integer
SELECT hash, created_at, seen_at, network, agent, by_server FROM session
 WHERE account_id = :account_id AND seen_at >= :seen_after AND created_at >= :begun_after
 ORDER BY seen_at DESC;

-- session_seen: it is in use.
UPDATE session SET seen_at = :seen_at WHERE hash = :hash;

-- session_end: signed out.
DELETE FROM session WHERE hash = :hash;

-- session_end_own: signed out from another session of the same account.
DELETE FROM session WHERE hash = :hash AND account_id = :account_id;

-- session_end_all: signed out everywhere.
DELETE FROM session WHERE account_id = :account_id;

-- session_forget: what is over by itself.
-- in seen_before integer
-- in begun_before integer
DELETE FROM session WHERE account_id = :account_id AND (seen_at < :seen_before OR created_at < :begun_before);

-- session_trim: no more of an account than `most`, the last used ones.
-- in most integer
DELETE FROM session WHERE hash IN (
  SELECT hash FROM session WHERE account_id = :account_id ORDER BY seen_at DESC LIMIT -1 OFFSET :most);

-- session_end_every: nobody is signed in any more.
DELETE FROM session;
