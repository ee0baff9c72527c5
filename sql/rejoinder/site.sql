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

-- site_pause: lets a site take no replies (1), or take them again (0), if it is not so already.
UPDATE site SET paused = :paused WHERE id = :id AND paused <> :paused;

-- site_paused: does a moderator let the site take no replies?
-- one
SELECT paused FROM site WHERE id = :id;
