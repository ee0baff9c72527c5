-- reply_add: keeps a reply as held; returns its id.
-- one
INSERT INTO reply (site_id, thread_id, parent_id, state, name, website, comment, email_sealed, network_sealed,
                   author_hash, client_hash, key_hash, submission_hash, comment_hash, content_hash, reasons,
                   created_at)
VALUES (:site_id, :thread_id, :parent_id, 'held', :name, :website, :comment, :email_sealed, :network_sealed,
        :author_hash, :client_hash, :key_hash, :submission_hash, :comment_hash, :content_hash, :reasons,
        :created_at)
RETURNING id;

-- reply_by_key: the reply that a form's key was spent on.
-- one
SELECT id, submission_hash FROM reply WHERE site_id = :site_id AND key_hash = :key_hash;

-- reply_by_submission: the same fields from the same client, not long ago.
-- one
-- in after integer
SELECT id FROM reply
 WHERE submission_hash = :submission_hash AND created_at >= :after AND client_hash = :client_hash
   AND site_id = :site_id
 ORDER BY created_at LIMIT 1;

-- reply_by_comment: the same words from the same client on the same page, waiting or published.
-- one
SELECT id FROM reply
 WHERE comment_hash = :comment_hash AND client_hash = :client_hash AND thread_id = :thread_id
   AND state IN ('held', 'published')
 LIMIT 1;

-- reply_parent: a reply that somebody answers, if it is shown.
-- one
SELECT name, page_number FROM reply WHERE id = :id AND thread_id = :thread_id AND shown = 1;

-- author_published: has this author a published reply?
-- one
SELECT id FROM reply WHERE author_hash = :author_hash AND state = 'published' LIMIT 1;

-- reply_receipt: what its author may see of a reply.
-- one
SELECT reply.id, reply.state, reply.shown, reply.revision, reply.page_number, reply.parent_id, reply.name,
       reply.website, reply.comment, reply.created_at, reply.erased_at, reply.edited_at, thread.page, thread.title
  FROM reply JOIN thread ON thread.id = reply.thread_id
 WHERE reply.id = :id AND reply.site_id = :site_id;

-- reply_contents: what content_hash was made of, in steps, for the check.
-- many
-- in most integer
SELECT id, thread_id, parent_id, name, website, comment, email_sealed, network_sealed, content_hash
  FROM reply WHERE id > :id AND state <> 'withdrawn' ORDER BY id LIMIT :most;

-- reply_own: what an author's edit must know of the reply.
-- one
SELECT reply.state, reply.revision, reply.thread_id, reply.parent_id, reply.name, reply.website, reply.comment,
       reply.email_sealed, reply.network_sealed, reply.author_hash, reply.reasons, reply.created_at
  FROM reply
 WHERE reply.id = :id AND reply.site_id = :site_id;

-- reply_edit: its author's new words, unless something happened to it since.
UPDATE reply
   SET name = :name, website = :website, comment = :comment, email_sealed = :email_sealed,
       author_hash = :author_hash, comment_hash = :comment_hash, content_hash = :content_hash, reasons = :reasons,
       edited_at = :edited_at, revision = revision + 1
 WHERE id = :id AND revision = :revision AND state = 'held';

-- reply_withdraw: leaves nothing of a reply but that there was one. The key stays spent.
UPDATE reply
   SET state = 'withdrawn', revision = revision + 1, name = '', website = NULL, comment = '', email_sealed = NULL,
       network_sealed = NULL, author_hash = NULL, client_hash = NULL, submission_hash = NULL, comment_hash = NULL,
       content_hash = x'', reasons = '', decided_at = :decided_at
 WHERE id = :id AND revision = :revision AND state = 'held';
