-- export_pages: the pages of all sites behind a thread, in steps.
-- many
-- in most integer
SELECT thread.id, site.name AS site, thread.page, thread.title, thread.closed
  FROM thread JOIN site ON site.id = thread.site_id
 WHERE thread.id > :id ORDER BY thread.id LIMIT :most;

-- export_replies: all that is kept of replies behind one, in steps; a parent always comes before its answers.
-- many
-- in most integer
SELECT reply.id, site.name AS site, thread.page, reply.parent_id, reply.state, reply.name, reply.website, reply.comment,
       reply.email_sealed, reply.network_sealed, reply.by_moderator, reply.created_at, reply.edited_at,
       reply.decided_at, reply.published_at
  FROM reply JOIN thread ON thread.id = reply.thread_id JOIN site ON site.id = reply.site_id
 WHERE reply.id > :id ORDER BY reply.id LIMIT :most;
