-- reseal_list: what is sealed of the replies behind one, in steps, and what their content_hash is made of.
-- many
-- in most integer
SELECT id, thread_id, parent_id, name, website, comment, email_sealed, network_sealed, content_hash
  FROM reply WHERE id > :id AND (email_sealed IS NOT NULL OR network_sealed IS NOT NULL) ORDER BY id LIMIT :most;

-- reseal_store: the same addresses under another key.
UPDATE reply SET email_sealed = :email_sealed, network_sealed = :network_sealed, content_hash = :content_hash
 WHERE id = :id;
