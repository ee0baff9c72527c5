-- What is forgotten by rule, some rows at a time.

-- retain_refused: replies that were refused before a time.
-- many
-- in before integer
-- in most integer
SELECT id FROM reply WHERE state IN ('spam', 'trash') AND decided_at <= :before LIMIT :most;

-- retain_emails: replies decided before a time that still have their e-mail.
-- many
-- in before integer
-- in most integer
SELECT id, thread_id, parent_id, name, website, comment, email_sealed, network_sealed, content_hash FROM reply
 WHERE email_sealed IS NOT NULL AND decided_at <= :before AND state <> 'held' LIMIT :most;

-- retain_networks: the same of those that still have their network address.
-- many
-- in before integer
-- in most integer
SELECT id, thread_id, parent_id, name, website, comment, email_sealed, network_sealed, content_hash FROM reply
 WHERE network_sealed IS NOT NULL AND decided_at <= :before AND state <> 'held' LIMIT :most;

-- retain_no_email: forgets the e-mail; whose it was can still be compared.
UPDATE reply SET email_sealed = NULL, content_hash = :content_hash WHERE id = :id;

-- retain_no_network: forgets where a reply came from, and what is compared with it.
UPDATE reply SET network_sealed = NULL, client_hash = NULL, submission_hash = NULL, comment_hash = NULL,
       content_hash = :content_hash
 WHERE id = :id;

-- retain_log: forgets from where moderators decided before a time; the log's macs hold without it.
-- in before integer
-- in most integer
UPDATE decision SET network = ''
 WHERE id IN (SELECT id FROM decision WHERE network <> '' AND decided_at <= :before LIMIT :most);
