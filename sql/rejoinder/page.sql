-- page_listed: what the site's page list says of a page.
-- one
SELECT title, published_at FROM page WHERE site_id = :site_id AND page = :page;

-- page_add: one more page in the list.
INSERT INTO page (site_id, page, title, published_at) VALUES (:site_id, :page, :title, :published_at);

-- page_change: a listed page has another title or date.
UPDATE page SET title = :title, published_at = :published_at WHERE site_id = :site_id AND page = :page;
