-- latest_replies: the newest replies of a site that are shown.
-- many
-- in most integer
SELECT reply.id, reply.parent_id, reply.page_number, reply.name, reply.website, reply.comment, reply.by_moderator,
       reply.created_at, reply.edited_at, reply.published_at, thread.page, thread.title
  FROM reply JOIN thread ON thread.id = reply.thread_id
 WHERE reply.site_id = :site_id AND reply.shown = 1
 ORDER BY reply.published_at DESC, reply.id DESC LIMIT :most;

-- trending_threads: the pages with most replies since a time.
-- many
-- in since integer
-- in most integer
-- out n integer
-- scan: sorts the pages that were replied to in a few days, however many replies there are before
SELECT thread.page, thread.title, recent.n
  FROM (SELECT thread_id, count(*) AS n FROM reply INDEXED BY reply_latest
         WHERE site_id = :site_id AND shown = 1 AND published_at >= :since
         GROUP BY thread_id) AS recent
  CROSS JOIN thread ON thread.id = recent.thread_id
 ORDER BY recent.n DESC, thread.id DESC LIMIT :most;

-- thread_counts: the most discussed pages of a site, with the number of their replies.
-- many
-- in most integer
SELECT page, published FROM thread
 WHERE site_id = :site_id AND published > 0 ORDER BY published DESC, id DESC LIMIT :most;
