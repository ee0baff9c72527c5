-- thread_find: the thread of a page.
-- one
SELECT id, title, closed, revision, published FROM thread WHERE site_id = :site_id AND page = :page;

-- thread_add: begins the thread of a page; returns its id.
-- one
INSERT INTO thread (site_id, page, title) VALUES (:site_id, :page, :title) RETURNING id;

-- thread_retitle: the article has a new title.
UPDATE thread SET title = :title WHERE id = :id;

-- thread_close: closes (1) or reopens (0) a thread; its files say so, hence the revision.
UPDATE thread SET closed = :closed, revision = revision + 1, updated_at = :updated_at WHERE id = :id;

-- thread_one: all that a thread's own files tell about it.
-- one
SELECT thread.id, site.name AS site, thread.page, thread.title, thread.closed, thread.revision, thread.roots,
       thread.published, thread.updated_at
  FROM thread JOIN site ON site.id = thread.site_id
 WHERE thread.id = :id;

-- thread_change: notes a change of published files; returns what the thread is then.
-- one
-- in published_more integer
-- in roots_more integer
UPDATE thread SET revision = revision + 1, published = published + :published_more, roots = roots + :roots_more,
       updated_at = :updated_at
 WHERE id = :id
RETURNING revision, roots;

-- thread_list: the ids of a site's threads behind one, in steps.
-- many
-- in most integer
SELECT id FROM thread WHERE site_id = :site_id AND id > :id ORDER BY id LIMIT :most;
