-- account_add: a new moderator.
INSERT INTO account (name, password, created_at) VALUES (:name, :password, :created_at);

-- account_find: who signs in.
-- one
SELECT id, name, password, disabled FROM account WHERE name = :name;

-- account_list: all the moderators, by name, with how many open sessions they have.
-- many
-- in seen_after integer
-- in begun_after integer
-- out sessions integer
-- scan: a handful of moderators
SELECT name, disabled, signed_in_at,
       (SELECT count(*) FROM session
         WHERE account_id = account.id AND seen_at >= :seen_after AND created_at >= :begun_after) AS sessions
  FROM account ORDER BY name;

-- account_disable: from now on nobody signs in by this name (1), or one may again (0).
UPDATE account SET disabled = :disabled WHERE name = :name;

-- account_password: a new password.
UPDATE account SET password = :password WHERE id = :id;

-- account_signed_in: when it was used last.
UPDATE account SET signed_in_at = :signed_in_at WHERE id = :id;
