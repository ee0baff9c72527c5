-- queue_one: a reply with all that the moderators' pages show of it.
-- one
-- out parent_name text?
SELECT reply.id, reply.thread_id, reply.revision, reply.state, reply.shown, reply.parent_id, reply.page_number, reply.name,
       reply.website, reply.comment, reply.email_sealed, reply.network_sealed, reply.author_hash, reply.reasons,
       reply.by_moderator, reply.created_at, reply.edited_at, reply.decided_at, thread.page, thread.title,
       parent.name AS parent_name
  FROM reply JOIN thread ON thread.id = reply.thread_id LEFT JOIN reply AS parent ON parent.id = reply.parent_id
 WHERE reply.id = :id AND reply.site_id = :site_id;

-- queue_news: how many held replies came after an id, counted up to `most`.
-- one
-- in after integer
-- in most integer
-- out n integer
SELECT count(*) AS n
  FROM (SELECT id FROM reply WHERE site_id = :site_id AND state = 'held' AND id > :after LIMIT :most);

-- reply_verdict: what a decision about a reply must know.
-- one
-- out parent_page_number integer?
-- out parent_shown integer?
SELECT reply.thread_id, reply.parent_id, reply.state, reply.revision, reply.page_number,
       parent.page_number AS parent_page_number, reply.shown, parent.shown AS parent_shown, reply.name, reply.comment, thread.title
  FROM reply JOIN thread ON thread.id = reply.thread_id LEFT JOIN reply AS parent ON parent.id = reply.parent_id
 WHERE reply.id = :id AND reply.site_id = :site_id;

-- reply_decide: compare-and-set on the revision that the moderator saw.
UPDATE reply
   SET state = :state, revision = revision + 1, decided_at = :decided_at, page_number = :page_number,
       published_at = CASE WHEN :state = 'published' THEN :decided_at ELSE published_at END
 WHERE id = :id AND revision = :revision;

-- queue_oldest: since when the reply has waited that waits longest.
-- one
SELECT id, created_at FROM reply WHERE site_id = :site_id AND state = 'held' ORDER BY id LIMIT 1;
