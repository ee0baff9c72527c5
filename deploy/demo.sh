#!/bin/sh
# demo.sh: a small newspaper with replies on http://localhost:PORT, from a checkout (`make demo`).
#
# PORT   the port on 127.0.0.1 (8080)
# FRESH  1 throws the earlier database away
# BIN    the folder of the three programs (build/bin)
#
# Everything it writes is below build/demo: instance/ (configuration, databases, keys, published
# files), sign-in, the logs, and demo.json, which appears when everything answers and is gone when
# it ends.  It stays in the foreground until Ctrl-C or SIGTERM and leaves nothing running.
#
# Whatever it starts runs in build/demo and is given relative names: a socket's path has 107 bytes
# at most, and a checkout may lie deep, or have spaces in its path.
set -eu
umask 022
LC_ALL=C
export LC_ALL
unset CDPATH

say() { printf '%s\n' "$*"; }

# One sentence, and the end.
fail() {
	stop
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

root=$(cd "$(dirname "$0")/.." && pwd -P)
home=$root/build/demo
port=${PORT:-8080}
base=http://localhost:$port
nginx=
keepers=
nap=
ours=
stopping=

# --- ending ---------------------------------------------------------------------------------------

# Ends what this script started: the keepers end their doors.  What is still there after ten seconds
# does not listen.
stop() {
	stopping=yes
	[ -z "$ours" ] || rm -f "$home/demo.json"
	for pid in $nginx $keepers; do
		kill -TERM "$pid" 2>/dev/null || :
	done
	tries=0
	for pid in $nginx $keepers; do
		while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do
			tries=$((tries + 1))
			sleep 0.1
		done
	done
	if [ "$tries" -ge 100 ]; then
		# shellcheck disable=SC2046,SC2086 # a list of numbers
		kill -KILL $(leftovers) $nginx $keepers 2>/dev/null || :
	fi
	[ -z "$nap" ] || kill "$nap" 2>/dev/null || :
	nginx=
	keepers=
	nap=
}

leave() {
	trap '' INT TERM HUP
	stop
	say ""
	say "The demo has ended; nothing of it is running.  Its replies are kept: make demo begins with them, make demo FRESH=1 without."
	exit 0
}

# What a demo that was killed without mercy left running: it works in our folder, under our names.
leftovers() {
	for link in /proc/[0-9]*/cwd; do
		[ "$(readlink "$link" 2>/dev/null)" = "$home" ] || continue
		pid=${link#/proc/}
		pid=${pid%/cwd}
		# This script, and what it has just started.
		grep -qs "^PPid:[[:space:]]*$$\$" "/proc/$pid/status" || [ "$pid" = $$ ] && continue
		case $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") in
		*demo.sh* | *"nginx: master process"* | *reader.fcgi* | *moderator.fcgi*) printf '%s ' "$pid" ;;
		esac
	done
}

sweep() {
	tries=0
	while left=$(leftovers) && [ -n "$left" ] && [ "$tries" -lt 50 ]; do
		# shellcheck disable=SC2086 # a list of numbers
		kill -TERM $left 2>/dev/null || :
		tries=$((tries + 1))
		sleep 0.1
	done
}

# --- what must be there ---------------------------------------------------------------------------

case $port in
'' | *[!0-9]* | ??????*) fail "PORT=$port is no port; try PORT=8080" ;;
esac
if [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then
	fail "PORT=$port is no port; try PORT=8080"
fi

PATH=$PATH:/usr/sbin:/usr/local/sbin
for program in nginx curl flock; do
	command -v "$program" >/dev/null 2>&1 ||
		fail "$program is missing; deploy/install-packages.sh demo installs it"
done
bin=$(cd "$root" && cd "${BIN:-build/bin}" 2>/dev/null && pwd -P) || fail "the programs are not built yet; run make first"
for program in rejoinder reader.fcgi moderator.fcgi; do
	[ -x "$bin/$program" ] || fail "$program is not built yet; run make first"
done

mkdir -p "$home"
cd "$home"
exec 9>lock
flock -n 9 || fail "a demo of this checkout is running already$(sed -n 's/.*"article": *"\([^"]*\)".*/: \1/p' demo.json 2>/dev/null)"
ours=yes
trap leave INT TERM HUP
rm -f demo.json demo.json.new reader.died moderator.died
sweep

web() { curl --noproxy '*' --resolve "localhost:$port:127.0.0.1" --silent --max-time 30 "$@"; }

status=0
web --max-time 2 -o /dev/null "$base/" || status=$?
[ "$status" -eq 7 ] || fail "port $port is in use; choose another one: make demo PORT=$((port < 65000 ? port + 1 : 8080))"

# --- the instance ---------------------------------------------------------------------------------

if [ "${FRESH:-}" = 1 ]; then
	rm -rf instance sign-in seeded where ./*.log
fi
# An instance whose making was cut short holds nothing yet.
[ -e instance/made ] || rm -rf instance seeded where

config=$home/instance/rejoinder.conf
operator() { "$bin/rejoinder" --config "$config" "$@"; }

# The pages that may have replies are those that the forms of the demo name.
articles() {
	find "$root/www/demo" -name '*.html' -exec sed -n 's/.*name="page" value="\([^"]*\)".*/\1/p' {} + | sort -u
}

# option NAME VALUE: says it in `site main { }`, in the place of what stood there.
option() {
	awk -v name="$1" -v value="$2" '
		/^[ \t]*site[ \t]/ { print; print "\t" name " = " value; inside = 1; next }
		inside && $0 ~ "^[ \t]*" name "[ \t]*\\+?=" { next }
		{ print }
	' "$config" >"$config.new"
	cat "$config.new" >"$config"
	rm -f "$config.new"
}

# "a", "b" of the lines of standard input.
quoted() { sed -e 's/["\\]/\\&/g' -e 's/.*/"&"/' | paste -s -d , - | sed 's/,/, /g'; }

if [ ! -e instance/made ]; then
	log=$(operator init --under "$home/instance" --base "$base" --title "The Meridian" \
		--document-root "$root/www/demo" 2>&1) || fail "rejoinder init failed: $log"
	option pages "{$(articles | quoted)}"
	option pace_burst 100
	option pace_every 1
	option pace_site 6000
	: >instance/made
	printf '%s\n' "$root" >where
elif [ "$(cat where)" != "$root" ]; then
	# The checkout has moved, and the configuration names its files in full.
	awk -v old="$(cat where)" -v new="$root" '{
		out = ""
		while ((at = index($0, old)) > 0) {
			out = out substr($0, 1, at - 1) new
			$0 = substr($0, at + length(old))
		}
		print out $0
	}' "$config" >"$config.new"
	cat "$config.new" >"$config"
	rm -f "$config.new"
	printf '%s\n' "$root" >where
fi
option base "\"$base\""
option origins "{\"http://127.0.0.1:$port\"}"

# The sign-in is made once and printed at every start.
if [ ! -s sign-in ]; then
	password=$(head -c 4096 /dev/urandom | tr -dc 'a-hjkmnp-z2-9' | head -c 20 | sed 's/...../&-/g; s/-$//')
	(umask 077 && printf '%s\n' editor "$password" >sign-in.new)
	verb=add
	operator moderator list 2>/dev/null | grep -qw editor && verb=password
	log=$(printf '%s\n' "$password" | operator moderator "$verb" editor 2>&1) || fail "rejoinder moderator failed: $log"
	mv sign-in.new sign-in
fi
name=$(sed -n 1p sign-in)
password=$(sed -n 2p sign-in)

# --- the programs ---------------------------------------------------------------------------------

# Runs a door, and again when it dies.
keep() {
	door=
	ended=
	trap 'ended=yes; [ -z "$door" ] || kill -TERM "$door" 2>/dev/null' TERM
	trap '' INT HUP
	while [ -z "$ended" ]; do
		"$bin/$1.fcgi" --config "$config" --socket "instance/run/$1.sock" 2>>"$1.log" &
		door=$!
		[ -z "$ended" ] || kill -TERM "$door"
		while kill -0 "$door" 2>/dev/null; do
			wait "$door" || :
		done
		door=
		[ -n "$ended" ] && break
		: >"$1.died"
		sleep 1
	done
	exit 0
}

# The shipped file with this checkout's paths, and a server around it.
write_nginx() {
	sed -e 's|/var/lib/rejoinder/public/main|instance/public/main|g' \
		-e 's|/usr/share/rejoinder/static|../../www/static|g' \
		-e 's|/run/rejoinder/|instance/run/|g' "$root/deploy/nginx/rejoinder.conf" >rejoinder.nginx.conf
	{
		# A checkout below /root is open to root alone.
		[ "$(id -u)" -ne 0 ] || say "user root;"
		sed -e "s/@PORT@/$port/g" <<'END'
worker_processes 2;
daemon off;
pid nginx.pid;
error_log nginx.log warn;
events { worker_connections 1024; }
http {
	types {
		text/html html; text/css css; text/javascript js; application/json json; application/xml xml;
		text/plain txt; image/svg+xml svg; image/png png; image/jpeg jpg; image/webp webp; font/woff2 woff2;
		image/x-icon ico;
	}
	default_type application/octet-stream;
	charset utf-8;
	server_tokens off;
	access_log access.log;
	client_body_temp_path tmp/body;
	fastcgi_temp_path tmp/fastcgi;
	proxy_temp_path tmp/proxy;
	uwsgi_temp_path tmp/uwsgi;
	scgi_temp_path tmp/scgi;
	server {
		listen 127.0.0.1:@PORT@;
		server_name localhost 127.0.0.1;
		absolute_redirect off;
		root ../../www/demo;
		index index.html;
		error_page 404 /404.html;
		ssi on;
		add_header X-Content-Type-Options nosniff always;
		add_header Content-Security-Policy "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'" always;
		location = /favicon.ico {
			types { }
			default_type image/svg+xml;
			try_files /favicon.svg =404;
		}
		include rejoinder.nginx.conf;
	}
}
END
	} >nginx.conf
	mkdir -p tmp
}

lines_of() { { wc -l <"$1" || echo 0; } 2>/dev/null; }

# The last line that this start wrote into a log, without nginx's date and process number.
last_line() {
	old=$(cat "$1.old" 2>/dev/null || echo 0)
	if [ "$(lines_of "$1")" -gt "$old" ]; then
		tail -n 1 "$1" | sed 's/^[0-9/]* [0-9:]* \[[a-z]*\] [0-9#]*: //'
	else
		say "it did not say why"
	fi
}

# Waits until an address answers 200, as long as nothing has died.
await() {
	tries=0
	until [ "$(web -o /dev/null -w '%{http_code}' "$2" || :)" = 200 ]; do
		kill -0 "$nginx" 2>/dev/null || fail "nginx does not start: $(last_line nginx.log)"
		for door in reader moderator; do
			[ ! -e $door.died ] || fail "$door.fcgi does not start: $(last_line $door.log)"
		done
		tries=$((tries + 1))
		[ "$tries" -lt 200 ] || fail "$1 does not answer at $2; build/demo/*.log may say why"
		sleep 0.1
	done
}

for log in nginx reader moderator; do
	lines_of $log.log >$log.log.old
done
write_nginx
for door in reader moderator; do
	(exec 9>&- 2>/dev/null && keep $door) &
	keepers="$keepers $!"
done
nginx -e nginx.log -p ./ -c nginx.conf 9>&- 2>/dev/null &
nginx=$!
article=$(articles | grep -x /world/astana-summit || articles | sed -n 1p)
await "the article" "$base$article/"
await "the public door" "$base/comments/health"
await "the moderators' door" "$base/comments/moderate/health"

# --- the first replies ----------------------------------------------------------------------------

# shellcheck source=deploy/demo-replies.sh
. "$root/deploy/demo-replies.sh"
if [ ! -e seeded ]; then
	seed
	: >seeded
fi

# --- here we are ----------------------------------------------------------------------------------

json() { printf '%s' "$1" | sed -e 's/["\\]/\\&/g' -e 's/.*/"&"/'; }

cat >demo.json.new <<END
{
  "article": $(json "$base$article/"),
  "moderate": $(json "$base/comments/moderate/"),
  "name": $(json "$name"),
  "password": $(json "$password"),
  "database": $(json "$home/instance/rejoinder.db"),
  "public": $(json "$home/instance/public"),
  "config": $(json "$config")
}
END
chmod 600 demo.json.new
mv demo.json.new demo.json

cat <<END

  Rejoinder is running.

  Read and reply   $base$article/
  Moderate         $base/comments/moderate/
  Sign in          $name
  Password         $password

  Stop with Ctrl-C.  Databases, published files and logs are in build/demo.

END

# `make` passes SIGTERM on; were it killed outright, this notices.
while kill -0 "$nginx" 2>/dev/null; do
	[ -z "${MAKELEVEL:-}" ] || kill -0 "$PPID" 2>/dev/null || leave
	sleep 1 9>&- &
	nap=$!
	wait "$nap" || :
done
[ -n "$stopping" ] || fail "nginx has ended: $(last_line nginx.log)"
