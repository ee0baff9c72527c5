-- job_ask: somebody wants a job done soon, at most once in `pause` seconds.
-- in now integer
-- in pause integer
INSERT INTO job (kind, site_id, due_at) VALUES (:kind, :site_id, :now)
    ON CONFLICT (kind, site_id) DO UPDATE
       SET asked = asked + 1,
           due_at = min(coalesce(due_at, :now + :pause),
                        CASE WHEN done_at > :now THEN :now ELSE max(:now, done_at + :pause) END);

-- job_list: a job of each site.
-- many
SELECT site_id, due_at, done_at, asked, turn, lease_until, lease_by, cursor, tries, failure
  FROM job WHERE kind = :kind ORDER BY site_id;

-- job_take: a lease on a job, if nobody took one since `turn` was read.
UPDATE job SET turn = turn + 1, lease_until = :lease_until, lease_by = :lease_by
 WHERE kind = :kind AND site_id = :site_id AND turn = :turn;

-- job_step: how far the holder of a lease has come; whoever has time goes on from there.
UPDATE job SET cursor = :cursor, lease_until = 0, lease_by = '', tries = 0, failure = ''
 WHERE kind = :kind AND site_id = :site_id AND turn = :turn;

-- job_done: it came to its end; what was asked meanwhile is due `soon`.
-- in soon integer
UPDATE job
   SET due_at = CASE WHEN asked = :asked THEN :due_at ELSE :soon END, done_at = :done_at, lease_until = 0,
       lease_by = '', cursor = 0, tries = 0, failure = ''
 WHERE kind = :kind AND site_id = :site_id AND turn = :turn;

-- job_failed: it could not be done; when to try again, from where it stands.
UPDATE job SET tries = tries + 1, failure = :failure, due_at = :due_at, lease_until = 0, lease_by = ''
 WHERE kind = :kind AND site_id = :site_id AND turn = :turn;
