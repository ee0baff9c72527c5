-- publication_ask: the files of a thread's page must reach a revision.
INSERT INTO publication (thread_id, page_number, revision, asked_at)
VALUES (:thread_id, :page_number, :revision, :asked_at)
    ON CONFLICT (thread_id, page_number) DO UPDATE SET revision = excluded.revision;

-- publication_pages: the numbers of a thread's pages that lag.
-- many
SELECT page_number FROM publication WHERE thread_id = :thread_id ORDER BY page_number;

-- publication_done: the files of a page have reached a revision.
DELETE FROM publication WHERE thread_id = :thread_id AND page_number = :page_number AND revision <= :revision;

-- publication_next: the threads that lag, a few at a time, behind one that was tried.
-- many
-- in most integer
SELECT DISTINCT thread_id FROM publication WHERE thread_id > :thread_id ORDER BY thread_id LIMIT :most;

-- publication_lag: how many pages lag, and since when.
-- one
-- scan: the table holds only what lags, as a rule nothing
-- out n integer
-- out since integer?
SELECT count(*) AS n, min(asked_at) AS since FROM publication;

-- page_replies: the published replies of one page of a thread, oldest first.
-- many
SELECT id, parent_id, name, website, comment, by_moderator, created_at, edited_at
  FROM reply
 WHERE thread_id = :thread_id AND page_number = :page_number AND state = 'published'
 ORDER BY id;

-- feed_replies: the newest published replies of a thread that hang on none that is not published.
-- many
-- in most integer
SELECT id, page_number, name, comment, created_at, published_at
  FROM reply
 WHERE thread_id = :thread_id AND state = 'published'
   AND NOT EXISTS (
         WITH RECURSIVE above (parent_id, state) AS (
           SELECT up.parent_id, up.state FROM reply AS up WHERE up.id = reply.parent_id
           UNION ALL
           SELECT up.parent_id, up.state FROM above JOIN reply AS up ON up.id = above.parent_id
            WHERE above.state = 'published')
         SELECT 1 FROM above WHERE above.state <> 'published')
 ORDER BY published_at DESC, id DESC LIMIT :most;
