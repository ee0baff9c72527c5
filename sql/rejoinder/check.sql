-- check_newest: the newest replies, with when and, sealed, from where they came.
-- many
-- in most integer
SELECT id, site_id, network_sealed, created_at FROM reply WHERE id <= :id ORDER BY id DESC LIMIT :most;

-- check_listed: a page of a site's list, if there is any.
-- one
SELECT page FROM page WHERE site_id = :site_id LIMIT 1;

-- check_threads: a site's threads behind one, in steps, with what tells how many pages each has.
-- many
-- in most integer
SELECT id, page, roots FROM thread WHERE site_id = :site_id AND id > :id ORDER BY id LIMIT :most;

-- check_shown: the replies that a page of a thread shows.
-- many
SELECT id FROM reply
 WHERE thread_id = :thread_id AND page_number = :page_number AND state = 'published' AND shown = 1 ORDER BY id;

-- check_behind: how many replies there are behind one, and the newest.
-- one
-- out n integer
-- out newest integer?
SELECT count(*) AS n, max(id) AS newest FROM reply WHERE id > :id;
