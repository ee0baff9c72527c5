-- account_add: a new moderator.
INSERT INTO account (name, password, created_at) VALUES (:name, :password, :created_at);

-- account_find: who signs in.
-- one
SELECT id, name, password, disabled FROM account WHERE name = :name;

-- account_list: all the moderators, by name.
-- many
-- scan: a handful of moderators
SELECT name, disabled, created_at FROM account ORDER BY name;

-- account_disable: from now on nobody signs in by this name (1), or one may again (0).
UPDATE account SET disabled = :disabled WHERE name = :name;

-- account_password: a new password.
UPDATE account SET password = :password WHERE id = :id;
