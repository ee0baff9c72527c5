-- failure_find: how many wrong passwords there were, and when the last.
-- one
SELECT n, last FROM failure WHERE kind = :kind AND who = :who;

-- failure_set: one more.
INSERT INTO failure (kind, who, n, last) VALUES (:kind, :who, :n, :last)
ON CONFLICT (kind, who) DO UPDATE SET n = excluded.n, last = excluded.last;

-- failure_forget: what is so old that it counts for nothing.
-- in before integer
DELETE FROM failure WHERE last < :before;

-- failure_trim: no more rows than `most`; those go that matter least.
-- in most integer
-- scan: the rows that stay, in the order of their index, on a wrong password only
DELETE FROM failure WHERE (kind, who) IN (
  SELECT kind, who FROM failure ORDER BY n DESC, last DESC LIMIT -1 OFFSET :most);

-- failure_clear: all that is held against one.
DELETE FROM failure WHERE kind = :kind AND who = :who;

-- failure_clear_kind: all that is held against any of them.
DELETE FROM failure WHERE kind = :kind;
