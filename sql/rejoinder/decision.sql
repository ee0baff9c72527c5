-- decision_tail: the last row of the log up to an id, whose mac goes into the next.
-- one
-- in most integer
SELECT id, mac FROM decision WHERE id = (SELECT max(id) FROM decision WHERE id <= :most AND id > 0);

-- decision_before: the mac of the row before one.
-- one
SELECT mac FROM decision WHERE id < :id AND id > 0 ORDER BY id DESC LIMIT 1;

-- decision_beyond: removes what stands where no row of ours can.
DELETE FROM decision WHERE id > :id OR id < 1;

-- decision_add: a row of the log.
INSERT INTO decision (id, batch, action, site_id, reply_id, thread_id, revision, from_state, to_state, undoes, moderator,
                      network, why, decided_at, digests, mac)
VALUES (:id, :batch, :action, :site_id, :reply_id, :thread_id, :revision, :from_state, :to_state, :undoes, :moderator,
        :network, :why, :decided_at, :digests, :mac);

-- decision_sign: signs a row from before there were macs.
UPDATE decision SET digests = :digests, mac = :mac WHERE id = :id AND mac IS NULL;

-- decision_from: the first row from an id on, whole.
-- one
SELECT id, batch, action, site_id, reply_id, thread_id, revision, from_state, to_state, undoes, moderator, network, why,
       decided_at, digests, mac
  FROM decision WHERE id >= :id ORDER BY id LIMIT 1;

-- decision_last: the last decision about a reply, to tell who was first.
-- one
-- in reply_id integer
SELECT action, revision, from_state, to_state, moderator, decided_at FROM decision WHERE reply_id = :reply_id ORDER BY id DESC LIMIT 1;

-- decision_batch: how many rows a batch has.
-- one
-- out n integer
SELECT count(*) AS n FROM decision WHERE batch = :batch;

-- slip_add: what a program without the log's key has done.
INSERT INTO slip (action, site_id, reply_id, thread_id, revision, from_state, to_state, decided_at)
VALUES (:action, :site_id, :reply_id, :thread_id, :revision, :from_state, :to_state, :decided_at);

-- slip_next: the oldest slip.
-- one
SELECT id, action, site_id, reply_id, thread_id, revision, from_state, to_state, decided_at
  FROM slip WHERE id = (SELECT min(id) FROM slip);

-- slip_done: it stands in the log now.
DELETE FROM slip WHERE id = :id;
