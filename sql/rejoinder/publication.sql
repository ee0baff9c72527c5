-- publication_ask: the files of a thread's page must reach a revision.
-- in wait integer
INSERT INTO publication (thread_id, page_number, revision, asked_at, due_at)
VALUES (:thread_id, :page_number, :revision, :asked_at, :asked_at + :wait)
    ON CONFLICT (thread_id, page_number) DO UPDATE
       SET revision = excluded.revision, due_at = excluded.due_at, tries = 0, failure = '';

-- publication_pages: a thread's pages that lag, a few at a time, from one on.
-- many
-- in most integer
SELECT page_number, tries FROM publication
 WHERE thread_id = :thread_id AND page_number >= :page_number ORDER BY page_number LIMIT :most;

-- publication_done: the files of a page have reached a revision.
DELETE FROM publication WHERE thread_id = :thread_id AND page_number = :page_number AND revision <= :revision;

-- publication_failed: they could not be written; when to try again.
UPDATE publication SET tries = tries + 1, failure = :failure, due_at = :due_at
 WHERE thread_id = :thread_id AND page_number = :page_number;

-- publication_next: the threads that lag and are due, behind one that was tried; a due time behind `future` is a jump of the clock.
-- many
-- in now integer
-- in future integer
-- in most integer
SELECT DISTINCT thread_id FROM publication
 WHERE thread_id > :thread_id AND (due_at <= :now OR due_at > :future) ORDER BY thread_id LIMIT :most;

-- publication_lag: how many pages lag, since when, and how many of them failed more than once.
-- one
-- scan: the table holds only what lags, as a rule nothing
-- out n integer
-- out since integer?
-- out failed integer
SELECT count(*) AS n, min(asked_at) AS since, count(CASE WHEN tries > 1 THEN 1 END) AS failed FROM publication;

-- page_replies: the published replies of one page of a thread, oldest first.
-- many
SELECT id, parent_id, name, website, comment, by_moderator, created_at, edited_at
  FROM reply
 WHERE thread_id = :thread_id AND page_number = :page_number AND state = 'published'
 ORDER BY id;

-- feed_replies: the newest replies of a thread that are shown.
-- many
-- in most integer
SELECT id, page_number, name, comment, created_at, edited_at, published_at
  FROM reply
 WHERE thread_id = :thread_id AND shown = 1
 ORDER BY published_at DESC, id DESC LIMIT :most;

-- reply_show: shows a reply with all that hangs on it through published ones (1), or hides them (0); changes as many as come or go.
-- in id integer
WITH RECURSIVE below (id, state) AS (
  SELECT :id, 'published'
  UNION  -- not UNION ALL: where another hand has made a ring of replies, that would not end
  SELECT down.id, down.state FROM below JOIN reply AS down ON down.parent_id = below.id
   WHERE below.state = 'published')
UPDATE reply SET shown = :shown WHERE id IN (SELECT below.id FROM below WHERE below.state = 'published');

-- reply_place: gives what hangs on a reply that gets its page the same one, if it has none yet.
-- in id integer
WITH RECURSIVE below (id, state) AS (
  SELECT :id, 'published'
  UNION  -- not UNION ALL: where another hand has made a ring of replies, that would not end
  SELECT down.id, down.state FROM below JOIN reply AS down ON down.parent_id = below.id
   WHERE below.state = 'published')
UPDATE reply SET page_number = :page_number
 WHERE page_number IS NULL AND id IN (SELECT below.id FROM below WHERE below.state = 'published');

-- publication_failing: pages that could not be written, the first ones.
-- many
-- in most integer
SELECT thread.page, publication.page_number, publication.tries, publication.failure
  FROM publication JOIN thread ON thread.id = publication.thread_id
 WHERE publication.thread_id > 0 AND publication.tries > 0
 ORDER BY publication.thread_id, publication.page_number LIMIT :most;
