-- outbox_add: a reply came to wait; moderators want to be told.
INSERT INTO outbox (site_id, reply_id) VALUES (:site_id, :reply_id);

-- outbox_list: of the replies that wait and came behind one, their pages; newest first.
-- many
-- in most integer
SELECT outbox.reply_id, thread.page, thread.title
  FROM outbox JOIN reply ON reply.id = outbox.reply_id JOIN thread ON thread.id = reply.thread_id
 WHERE outbox.site_id = :site_id AND outbox.reply_id > :reply_id AND reply.state = 'held'
 ORDER BY outbox.reply_id DESC LIMIT :most;

-- outbox_forget: all moderators were told of these.
DELETE FROM outbox WHERE site_id = :site_id AND reply_id <= :reply_id;

-- outbox_trim: all but the newest of a site, while some moderator cannot be told.
-- in most integer
DELETE FROM outbox
 WHERE site_id = :site_id
   AND reply_id <= (SELECT reply_id FROM outbox WHERE site_id = :site_id ORDER BY reply_id DESC LIMIT 1 OFFSET :most);

-- outbox_any: a reply that waits and that somebody is still to be told of, if there is any.
-- one
-- scan: ends at the first; the table holds only what is new
SELECT outbox.reply_id FROM outbox JOIN reply ON reply.id = outbox.reply_id WHERE reply.state = 'held' LIMIT 1;
