# shellcheck shell=sh
# bridge.sh: from a CGI request to a program that stays; reader.cgi and moderator.cgi read it in.
#
# Debian's cgi-fcgi (package libfcgi-bin) hands the request to the program's socket.  Whoever comes
# first starts the program: cgi-fcgi makes the socket and passes it as file descriptor 0.  The
# program goes on living after the request, until it is told to end (SIGTERM); the next request
# starts it again.  Where it cannot be started stand-in.cgi answers.
#
# Change these where yours differ.  All must belong to the user that your CGI programs run as.

programs=/usr/local/lib/rejoinder              # reader.fcgi and moderator.fcgi
config=/etc/rejoinder/rejoinder.conf
run=/run/rejoinder                             # sockets, locks, and the programs' logs
site=main                                      # the name of the site in rejoinder.conf

: "${door:?}"
socket=$run/$door.sock
umask 0007
PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}

# Called once more by cgi-fcgi, to become the program: with nothing of the request that started it.
# Descriptor 9 holds the lock as long as the program lives.
if [ "${REJOINDER_START-}" = "$door" ]; then
	exec >/dev/null 2>>"$run/$door.log"
	exec setsid env -i PATH="$PATH" LC_ALL=C.UTF-8 "$programs/$door.fcgi" --config "$config"
fi

# Whoever ends with words unread makes some servers lose the answer.
drain() { cat >/dev/null; }

# Those who come at once look one after the other, so that one of them starts the program.
exec 8>>"$run/$door.start" 9>>"$run/$door.lock"
flock 8
if flock -n 9; then
	rm -f "$socket"
	# It lingers for two seconds, but listens at once.
	REJOINDER_START=$door cgi-fcgi -start -connect "$socket" "$0" </dev/null >/dev/null 2>&1 8>&- &
	tries=0
	until [ -S "$socket" ] || [ "$tries" -ge 40 ]; do
		tries=$((tries + 1))
		sleep 0.05
	done
fi
exec 8>&- 9>&-

# The public program sees no cookie: whoever takes it over never sees a moderator's session.
[ "$door" != reader ] || unset HTTP_COOKIE
unset HTTP_PROXY
export REJOINDER_SITE="${REJOINDER_SITE:-$site}"
if [ -n "${HTTP_TRANSFER_ENCODING-}" ] && [ -z "${CONTENT_LENGTH-}" ]; then
	# cgi-fcgi passes on as much as the length says.
	drain
	printf '%s\n' 'Status: 411 Length Required' 'Content-Type: text/plain; charset=utf-8' 'X-Content-Type-Options: nosniff' \
		'Referrer-Policy: same-origin' 'Cache-Control: no-store' '' 'Send it in one piece, with its length.'
	exit
fi
cgi-fcgi -bind -connect "$socket" 2>/dev/null || "${0%/*}/stand-in.cgi"
drain
