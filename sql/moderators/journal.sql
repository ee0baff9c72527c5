-- head_find: how far the log reached.
-- one
SELECT last_id, mac, accepted FROM log_head WHERE id = 1;

-- head_set: how far it reaches, whatever stood there.
INSERT INTO log_head (id, last_id, mac, accepted) VALUES (1, :last_id, :mac, :accepted)
    ON CONFLICT (id) DO UPDATE SET last_id = excluded.last_id, mac = excluded.mac, accepted = excluded.accepted;

-- head_follow: it has grown; another program may have said so already.
UPDATE log_head SET last_id = :last_id, mac = :mac WHERE id = 1 AND last_id < :last_id;
