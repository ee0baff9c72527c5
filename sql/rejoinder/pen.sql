-- What moderators write themselves.

-- pen_add: keeps a moderator's answer as held, so that a decision can publish it; returns its id.
-- one
INSERT INTO reply (site_id, thread_id, parent_id, state, name, comment, key_hash, submission_hash, content_hash,
                   by_moderator, created_at)
VALUES (:site_id, :thread_id, :parent_id, 'held', :name, :comment, :key_hash, :submission_hash, :content_hash, 1,
        :created_at)
RETURNING id;

-- pen_approval: the decision of an account that gave a published reply its revision.
-- one
SELECT batch FROM decision
 WHERE reply_id = :reply_id AND revision = :revision AND moderator = :moderator AND action = 'decide'
   AND to_state = 'published';

-- pen_change_store: a moderator's new words for a reply, unless something happened to it since.
UPDATE reply
   SET name = :name, website = :website, comment = :comment, content_hash = :content_hash, edited_at = :edited_at,
       revision = revision + 1
 WHERE id = :id AND revision = :revision AND state <> 'withdrawn';
