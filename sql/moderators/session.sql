-- session_add: somebody signed in.
INSERT INTO session (hash, account_id, created_at, seen_at) VALUES (:hash, :account_id, :created_at, :created_at);

-- session_find: whose session it is.
-- one
SELECT session.account_id, session.created_at, session.seen_at, account.name, account.disabled
  FROM session JOIN account ON account.id = session.account_id
 WHERE session.hash = :hash;

-- session_seen: it is in use.
UPDATE session SET seen_at = :seen_at WHERE hash = :hash;

-- session_end: signed out.
DELETE FROM session WHERE hash = :hash;

-- session_end_all: signed out everywhere.
DELETE FROM session WHERE account_id = :account_id;

-- failure_add: a wrong password, or an unknown name.
INSERT INTO failure (name, network, failed_at) VALUES (:name, :network, :failed_at);

-- failure_forget: what is older than the throttle looks.
-- in before integer
DELETE FROM failure WHERE failed_at < :before;

-- failures_of_name: how many lately for one name, and when the last.
-- one
-- in after integer
-- out n integer
-- out last integer?
SELECT count(*) AS n, max(failed_at) AS last FROM failure WHERE name = :name AND failed_at >= :after;

-- failures_of_network: how many lately from one network, and when the last.
-- one
-- in after integer
-- out n integer
-- out last integer?
SELECT count(*) AS n, max(failed_at) AS last FROM failure WHERE network = :network AND failed_at >= :after;
