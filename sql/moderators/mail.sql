-- recipient_list: who is told what waits.
-- many
-- scan: a handful of moderators
SELECT id, name, email FROM account WHERE disabled = 0 AND email <> '' ORDER BY name;

-- recipient_set: from now on this address is told; '' for none.
UPDATE account SET email = :email WHERE name = :name;

-- mail_last: the newest mail to somebody about a site.
-- one
-- out told_at integer
SELECT id, state, coalesce(sent_at, made_at) AS told_at FROM mail WHERE account_id = :account_id AND site = :site ORDER BY id DESC LIMIT 1;

-- mail_told: up to which reply somebody has been told of a site.
-- one
SELECT through_id FROM mail
 WHERE account_id = :account_id AND site = :site AND state = 'sent' ORDER BY id DESC LIMIT 1;

-- mail_add: something is to be told.
INSERT INTO mail (account_id, site, event, through_id, state, next_try_at, made_at)
VALUES (:account_id, :site, :event, 0, 'ready', :made_at, :made_at);

-- mail_next: a mail whose time has come, behind one that was tried.
-- one
-- in now integer
SELECT mail.id, mail.account_id, mail.site, mail.event, mail.tries, mail.made_at, account.name, account.email,
       account.disabled
  FROM mail JOIN account ON account.id = mail.account_id
 WHERE mail.state = 'ready' AND mail.next_try_at <= :now AND mail.id > :id
 ORDER BY mail.id LIMIT 1;

-- mail_drop: nothing waits any more of what it was to tell, or nobody wants it.
DELETE FROM mail WHERE id = :id;

-- mail_sent: it was taken by the other side.
UPDATE mail SET state = 'sent', through_id = :through_id, sent_at = :sent_at, tries = tries + 1, failure = '' WHERE id = :id;

-- mail_failed: it was not taken; tried again at a time ('ready') or not ('parked').
UPDATE mail SET state = :state, next_try_at = :next_try_at, failure = :failure, tries = tries + 1 WHERE id = :id;

-- mail_retry: whatever is parked or waits for its time is tried now.
-- in now integer
UPDATE mail SET state = 'ready', next_try_at = :now WHERE state IN ('parked', 'ready');

-- mail_stuck: the mails that did not go out, for people.
-- many
SELECT mail.site, mail.state, mail.tries, mail.next_try_at, mail.failure, account.name
  FROM mail JOIN account ON account.id = mail.account_id
 WHERE mail.state IN ('parked', 'ready');

-- mail_forget: what was sent long ago, but for the newest of each moderator and site.
-- in before integer
DELETE FROM mail
 WHERE state = 'sent' AND sent_at < :before
   AND EXISTS (SELECT 1 FROM mail AS later
                WHERE later.account_id = mail.account_id AND later.site = mail.site AND later.id > mail.id);
