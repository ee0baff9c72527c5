-- What is taken out of the store, by wish or by rule.

-- erase_list: replies before one that an address may hang on, newest first, in steps.
-- many
-- in most integer
SELECT id, site_id, state, author_hash, email_sealed FROM reply
 WHERE id < :id AND (email_sealed IS NOT NULL OR author_hash IS NOT NULL) ORDER BY id DESC LIMIT :most;

-- erase_find: what must be known of a reply that is erased.
-- one
SELECT site_id, thread_id, parent_id, state, revision, name, website, comment, email_sealed, network_sealed,
       content_hash, created_at, erased_at
  FROM reply WHERE id = :id;

-- erase_all: leaves nothing of a reply but that there was one.
UPDATE reply
   SET state = 'withdrawn', revision = revision + 1, name = '', website = NULL, comment = '', email_sealed = NULL,
       network_sealed = NULL, author_hash = NULL, client_hash = NULL, key_hash = NULL, submission_hash = NULL,
       comment_hash = NULL, content_hash = x'', reasons = '', decided_at = :decided_at, erased_at = :erased_at
 WHERE id = :id;

-- erase_author_store: leaves the words, under another name.
UPDATE reply
   SET revision = revision + 1, name = :name, website = NULL, email_sealed = NULL, network_sealed = NULL,
       author_hash = NULL, client_hash = NULL, key_hash = NULL, submission_hash = NULL, comment_hash = NULL,
       content_hash = :content_hash, reasons = '', erased_at = :erased_at
 WHERE id = :id;

-- erase_known: what the store has erased, in steps.
-- many
-- in most integer
SELECT id, state, name, created_at, erased_at FROM reply
 WHERE id > :id AND (state = 'withdrawn' OR erased_at IS NOT NULL) ORDER BY id LIMIT :most;

-- erase_why: what moderators typed about a reply may tell of its author; the log's macs hold without it.
-- in reply_id integer
UPDATE decision SET why = '' WHERE reply_id = :reply_id AND why <> '';
