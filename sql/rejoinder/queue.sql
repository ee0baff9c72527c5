-- queue_list: replies of one state, newest first, from before an id.
-- many
-- in before integer
-- in most integer
-- out parent_name text?
SELECT reply.id, reply.revision, reply.state, reply.parent_id, reply.page_number, reply.name, reply.website,
       reply.comment, reply.email_sealed, reply.network_sealed, reply.reasons, reply.created_at,
       reply.decided_at, thread.page, thread.title, parent.name AS parent_name
  FROM reply JOIN thread ON thread.id = reply.thread_id LEFT JOIN reply AS parent ON parent.id = reply.parent_id
 WHERE reply.site_id = :site_id AND reply.state = :state AND reply.id < :before
 ORDER BY reply.id DESC LIMIT :most;

-- queue_next: the newest reply of a state from before an id.
-- one
-- in before integer
SELECT id FROM reply WHERE site_id = :site_id AND state = :state AND id < :before ORDER BY id DESC LIMIT 1;

-- reply_verdict: what a decision about a reply must know.
-- one
-- out parent_page_number integer?
SELECT reply.thread_id, reply.parent_id, reply.state, reply.revision, reply.page_number,
       parent.page_number AS parent_page_number, reply.name, reply.comment, thread.title
  FROM reply JOIN thread ON thread.id = reply.thread_id LEFT JOIN reply AS parent ON parent.id = reply.parent_id
 WHERE reply.id = :id AND reply.site_id = :site_id;

-- reply_above: is there one above a reply that is not published, so that it does not show itself?
-- one
-- in id integer
-- out n integer
WITH RECURSIVE above (parent_id, state) AS (
  SELECT up.parent_id, up.state FROM reply JOIN reply AS up ON up.id = reply.parent_id WHERE reply.id = :id
  UNION ALL
  SELECT up.parent_id, up.state FROM above JOIN reply AS up ON up.id = above.parent_id
   WHERE above.state = 'published')
SELECT count(*) AS n FROM above WHERE above.state <> 'published';

-- reply_below: how many replies show themselves because this one does.
-- one
-- in id integer
-- out n integer
WITH RECURSIVE below (id) AS (
  SELECT down.id FROM reply AS down WHERE down.parent_id = :id AND down.state = 'published'
  UNION ALL
  SELECT down.id FROM below JOIN reply AS down ON down.parent_id = below.id WHERE down.state = 'published')
SELECT count(*) AS n FROM below;

-- reply_decide: compare-and-set on the revision that the moderator saw.
UPDATE reply
   SET state = :state, revision = revision + 1, decided_at = :decided_at, page_number = :page_number,
       published_at = CASE WHEN :state = 'published' THEN :decided_at ELSE published_at END
 WHERE id = :id AND revision = :revision;

-- decision_add: notes who decided what.
INSERT INTO decision (reply_id, revision, from_state, to_state, moderator, network, why, decided_at)
VALUES (:reply_id, :revision, :from_state, :to_state, :moderator, :network, :why, :decided_at);

-- decision_last: the last decision about a reply, to tell who was first.
-- one
SELECT moderator, to_state, decided_at FROM decision WHERE reply_id = :reply_id ORDER BY id DESC LIMIT 1;
