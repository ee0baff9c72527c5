#!/bin/sh
# users.sh: makes the group and the two users that Rejoinder's programs run as, where they are missing, as
# deploy/systemd/rejoinder.sysusers says; and lets systemd, where it runs, read the units anew.  As root.
set -eu
getent group rejoinder >/dev/null || groupadd --system rejoinder
for door in reader moderator; do
	getent passwd "rejoinder-$door" >/dev/null ||
		useradd --system --gid rejoinder --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "rejoinder-$door"
done
[ ! -d /run/systemd/system ] || systemctl daemon-reload
