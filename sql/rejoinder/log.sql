-- log_all: rows of the log, newest first, between two ids; those of the whole installation too.
-- many
-- in before integer
-- in least integer
-- in most integer
SELECT id FROM decision WHERE id < :before AND id >= :least AND site_id IN (0, :site_id) ORDER BY id DESC LIMIT :most;

-- log_of_moderator: the same of one account.
-- many
-- in before integer
-- in least integer
-- in most integer
SELECT id FROM decision INDEXED BY decision_moderator
 WHERE moderator = :moderator AND id < :before AND id >= :least AND site_id IN (0, :site_id) ORDER BY id DESC LIMIT :most;

-- log_of_reply: the same about one reply, by one account or ('') any.
-- many
-- in reply_id integer
-- in before integer
-- in least integer
-- in most integer
SELECT id FROM decision
 WHERE reply_id = :reply_id AND id < :before AND id >= :least AND site_id = :site_id AND :moderator IN ('', moderator)
 ORDER BY id DESC LIMIT :most;

-- log_of_thread: the same about one page and its replies.
-- many
-- in thread_id integer
-- in before integer
-- in least integer
-- in most integer
SELECT id FROM decision
 WHERE thread_id = :thread_id AND id < :before AND id >= :least AND site_id = :site_id AND :moderator IN ('', moderator)
 ORDER BY id DESC LIMIT :most;

-- log_between: the first and the last row of a time.
-- one
-- in since integer
-- in until integer
-- out first integer?
-- out last integer?
SELECT min(id) AS first, max(id) AS last FROM decision WHERE decided_at >= :since AND decided_at < :until;

-- log_subject: what a row is about. Of a withdrawn reply no name is left.
-- one
SELECT reply.name, thread.title FROM reply JOIN thread ON thread.id = reply.thread_id
 WHERE reply.id = :id AND reply.site_id = :site_id;

-- log_mine: the newest batches that one moderator can undo, by their first rows.
-- many
-- in most integer
SELECT id, action, to_state, reply_id, decided_at FROM decision INDEXED BY decision_mine
 WHERE moderator = :moderator AND site_id = :site_id AND id = batch AND action IN ('decide', 'undo')
 ORDER BY id DESC LIMIT :most;

-- log_left: how many rows a batch has, how many replies are still as it left them, and for how many it was undone.
-- one
-- out n integer
-- out n_left integer
-- out n_undone integer
SELECT count(*) AS n, count(reply.id) AS n_left, count(*) FILTER (WHERE EXISTS (
         SELECT 1 FROM decision AS later WHERE later.reply_id = decision.reply_id AND later.undoes = :batch)) AS n_undone
  FROM decision LEFT JOIN reply ON reply.id = decision.reply_id AND reply.revision = decision.revision
 WHERE decision.batch = :batch;

-- log_unseen: those of a batch that are published and still not shown: something above them is not published.
-- many
SELECT reply.id FROM decision JOIN reply ON reply.id = decision.reply_id AND reply.revision = decision.revision
 WHERE decision.batch = :batch AND reply.state = 'published' AND reply.shown = 0;

-- log_batch: what became of a batch of one's own, for the sentence after a decision.
-- one
SELECT action, from_state, to_state, reply_id, revision FROM decision
 WHERE id = :id AND id = batch AND moderator = :moderator AND site_id = :site_id AND action IN ('decide', 'undo');
