-- Where moderators look: one query for each index that drives a search, and each way along it. They
-- bring what the other filters look at; src/search.c applies those. `address` is 1 where the words have a
-- web address in them.

-- search_state_down: a slice of one state, newest first, from before an id.
-- many
-- in before integer
-- in most integer
-- out address integer
SELECT id, reasons, comment LIKE '%://%' OR comment LIKE '%www.%' AS address
  FROM reply WHERE site_id = :site_id AND state = :state AND id < :before
 ORDER BY id DESC LIMIT :most;

-- search_state_up: the same, oldest first, from behind an id.
-- many
-- in after integer
-- in most integer
-- out address integer
SELECT id, reasons, comment LIKE '%://%' OR comment LIKE '%www.%' AS address
  FROM reply WHERE site_id = :site_id AND state = :state AND id > :after
 ORDER BY id LIMIT :most;

-- search_thread_down: a slice of one state of a thread, newest first, from before an id.
-- many
-- in before integer
-- in most integer
-- out address integer
SELECT id, reasons, comment LIKE '%://%' OR comment LIKE '%www.%' AS address
  FROM reply WHERE site_id = :site_id AND thread_id = :thread_id AND state = :state AND id < :before
 ORDER BY id DESC LIMIT :most;

-- search_thread_up: the same, oldest first, from behind an id.
-- many
-- in after integer
-- in most integer
-- out address integer
SELECT id, reasons, comment LIKE '%://%' OR comment LIKE '%www.%' AS address
  FROM reply WHERE site_id = :site_id AND thread_id = :thread_id AND state = :state AND id > :after
 ORDER BY id LIMIT :most;
