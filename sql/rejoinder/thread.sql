-- thread_find: the thread of a page.
-- one
SELECT id, title, closed, revision, published FROM thread WHERE site_id = :site_id AND page = :page;

-- thread_add: begins the thread of a page; returns its id.
-- one
INSERT INTO thread (site_id, page, title, updated_at) VALUES (:site_id, :page, :title, :updated_at) RETURNING id;

-- thread_retitle: the article has a new title.
UPDATE thread SET title = :title WHERE id = :id;

-- thread_close: closes (1) or reopens (0) a thread; its files say so, hence the revision.
UPDATE thread SET closed = :closed, revision = revision + 1, updated_at = :updated_at WHERE id = :id;

-- thread_one: all that a thread's own files tell about it.
-- one
SELECT thread.id, thread.site_id, site.name AS site, thread.page, thread.title, thread.closed, thread.revision, thread.roots,
       thread.published, thread.updated_at
  FROM thread JOIN site ON site.id = thread.site_id
 WHERE thread.id = :id;

-- thread_change: notes that published files must be written; 0 as updated_at: readers see no change. Returns what the thread is then.
-- one
-- in published_more integer
-- in roots_more integer
UPDATE thread SET revision = revision + 1, published = published + :published_more, roots = roots + :roots_more,
       updated_at = iif(:updated_at > 0, :updated_at, updated_at)
 WHERE id = :id
RETURNING revision, roots;

-- thread_list: the ids of a site's threads behind one, in steps.
-- many
-- in most integer
SELECT id FROM thread WHERE site_id = :site_id AND id > :id ORDER BY id LIMIT :most;

-- thread_pages: the pages of a site's threads behind one, in steps.
-- many
-- in most integer
SELECT id, page, title FROM thread WHERE site_id = :site_id AND id > :id ORDER BY id LIMIT :most;

-- thread_listing: a site's pages that somebody replied to, by their names, with what waits on each, counted up to a bound.
-- many
-- in first text
-- in last text
-- in bound integer
-- in most integer
-- out waiting integer
SELECT thread.id, thread.page, thread.title, thread.closed, thread.published, thread.updated_at,
       (SELECT count(*) FROM (SELECT 1 FROM reply WHERE reply.site_id = thread.site_id
           AND reply.thread_id = thread.id AND reply.state = 'held' LIMIT :bound)) AS waiting
  FROM thread
 WHERE thread.site_id = :site_id AND thread.page >= :first AND thread.page < :last
 ORDER BY thread.page LIMIT :most;

-- thread_names: the pages of a site that changed last, by name.
-- many
-- in most integer
SELECT page, title FROM thread WHERE site_id = :site_id ORDER BY updated_at DESC, id DESC LIMIT :most;

-- thread_recent: the same, the one that changed last first; those behind a time and an id.
-- many
-- in bound integer
-- in most integer
-- out waiting integer
SELECT thread.id, thread.page, thread.title, thread.closed, thread.published, thread.updated_at,
       (SELECT count(*) FROM (SELECT 1 FROM reply WHERE reply.site_id = thread.site_id
           AND reply.thread_id = thread.id AND reply.state = 'held' LIMIT :bound)) AS waiting
  FROM thread
 WHERE thread.site_id = :site_id AND (thread.updated_at, thread.id) < (:updated_at, :id)
 ORDER BY thread.updated_at DESC, thread.id DESC LIMIT :most;
