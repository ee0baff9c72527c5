-- What stands around one reply, for moderators: a line for each of the others.  A beginning is much longer
-- than its line, so that a link near the line's end is whole, with its address.

-- around_above: the replies that one hangs on, the nearest first.
-- many
-- in id integer
-- in most integer
-- out id integer
-- out parent_id integer?
-- out name text
-- out state text
-- out beginning text
-- out created_at integer
WITH RECURSIVE above (id, parent_id, name, state, beginning, created_at) AS (
  SELECT up.id, up.parent_id, up.name, up.state, substr(up.comment, 1, 1200), up.created_at
    FROM reply JOIN reply AS up ON up.id = reply.parent_id WHERE reply.id = :id
  UNION ALL
  SELECT up.id, up.parent_id, up.name, up.state, substr(up.comment, 1, 1200), up.created_at
    FROM above JOIN reply AS up ON up.id = above.parent_id)
SELECT id, parent_id, name, state, beginning, created_at FROM above LIMIT :most;

-- around_below: the newest answers to a reply, in whatever state.
-- many
-- in id integer
-- in most integer
-- out beginning text
SELECT id, name, state, substr(comment, 1, 1200) AS beginning, created_at
  FROM reply WHERE parent_id = :id ORDER BY id DESC LIMIT :most;

-- around_author: the newest replies of an author in one state.
-- many
-- in most integer
-- out beginning text
SELECT id, name, state, substr(comment, 1, 1200) AS beginning, created_at
  FROM reply WHERE author_hash = :author_hash AND state = :state AND site_id = :site_id
 ORDER BY id DESC LIMIT :most;

-- around_history: what was decided about a reply, the newest first.
-- many
-- in reply_id integer
-- in most integer
SELECT action, revision, from_state, to_state, moderator, why, decided_at
  FROM decision WHERE reply_id = :reply_id ORDER BY id DESC LIMIT :most;
