-- site_find: the number of a site.
-- one
SELECT id FROM site WHERE name = :name;

-- site_add: makes a site known, if it is not.
INSERT INTO site (name) VALUES (:name) ON CONFLICT (name) DO NOTHING;

-- tally_add: one more reply in a state.
INSERT INTO tally (site_id, state, n) VALUES (:site_id, :state, 1)
    ON CONFLICT (site_id, state) DO UPDATE SET n = n + 1;

-- tally_take: one fewer.
UPDATE tally SET n = n - 1 WHERE site_id = :site_id AND state = :state;

-- tally_list: how many replies of a site stand in each state.
-- many
SELECT state, n FROM tally WHERE site_id = :site_id;
