#!/bin/sh
# install-packages.sh build|demo|test|servers|package|crash|machine|bench ...: installs the Debian packages that are missing.
#
# Names them in one line, asks nothing, and uses sudo only when something is missing and the user is
# not root.  When nothing is missing it prints nothing and needs no network.
set -eu

build="gcc make pkg-config libc6-dev libfcgi-dev libseccomp-dev libsqlite3-dev libsodium-dev libmd4c-dev libutf8proc-dev libidn2-dev libconfuse-dev libjansson-dev libexpat1-dev libcurl4-openssl-dev"
demo="nginx-light curl"
test="faketime ca-certificates git nodejs npm nginx-light curl sqlite3 libcmocka-dev clang valgrind strace chromium fonts-dejavu-core tidy libxml2-utils mandoc shellcheck openssl"
package="debhelper lintian systemd mmdebstrap nodejs sqlite3"
crash="nodejs sqlite3 e2fsprogs xfsprogs mount"
docs="nodejs git mmdebstrap util-linux"
bench="nginx-light sqlite3 nodejs wrk"
machine="qemu-system-x86 mmdebstrap e2fsprogs"
servers="nodejs sqlite3 nginx-light apache2 libapache2-mod-fcgid lighttpd lighttpd-mod-deflate caddy libfcgi-bin libxml2-utils openssl"

say() { printf '%s\n' "$*"; }
fail() { printf 'install-packages: %s\n' "$*" >&2; exit 1; }

# A command counts however it came here: many have a newer node, or their own build of nginx.
has_command() {
	case $1 in
	nginx-light) PATH=$PATH:/usr/sbin:/usr/local/sbin command -v nginx ;;
	nodejs) command -v node ;;
	gcc | make | git | npm | curl | sqlite3 | clang | valgrind | strace | chromium | tidy | mandoc | shellcheck) command -v "$1" ;;
	*) false ;;
	esac >/dev/null 2>&1
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Installing a web server would start it on port 80, and at every boot from then on.  policy-rc.d is
# Debian's way to say no: ours speaks of web servers alone, only while this script lives, and never
# takes the place of one that is there.
policy=/usr/sbin/policy-rc.d
policy_put() {
	[ ! -e "$policy" ] || return 0
	# shellcheck disable=SC2016 # the inner shell expands them
	$root sh -c 'cat >"$1" && chmod 755 "$1"' sh "$policy" <<-END
		#!/bin/sh
		# Temporary, by Rejoinder's install-packages.sh; may be removed.
		[ -d /proc/$$ ] || exit 0
		case \$1 in nginx | nginx.service | apache2 | apache2.service | lighttpd | lighttpd.service | caddy | caddy.service) exit 101 ;; esac
		exit 0
	END
	policy_ours=yes
}

policy_remove() {
	[ -z "$policy_ours" ] || $root rm -f "$policy"
	policy_ours=
}

[ $# -gt 0 ] || fail "say which: build, demo, test, servers, package, crash, machine or bench"
missing=
for list; do
	case $list in
	build) names=$build ;;
	demo) names=$demo ;;
	test) names=$test ;;
	servers) names=$servers ;;
	package) names=$package ;;
	crash) names=$crash ;;
	docs) names=$docs ;;
	machine) names=$machine ;;
	bench) names=$bench ;;
	*) fail "$list is none of build, demo, test, servers, package, crash, machine and bench" ;;
	esac
	for name in $names; do
		case " $missing " in *" $name "*) continue ;; esac
		is_installed "$name" || has_command "$name" || missing="$missing $name"
	done
done
missing=${missing# }
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null 2>&1 ||
	fail "this system has no apt-get; install what Debian calls: $missing"
root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null 2>&1 || fail "as root, run: apt-get install --no-install-recommends $missing"
	root=sudo
fi
say "Installing Debian packages: $missing"

policy_ours=
trap policy_remove EXIT
trap 'exit 1' HUP INT TERM
new= # services that come with what is installed
for service in nginx apache2 lighttpd caddy; do
	case " $missing " in *" $service "* | *" $service-light "*) new="$new $service" ;; esac
done
[ -z "$new" ] || policy_put
install() {
	# shellcheck disable=SC2086 # the list is words
	$root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
		install --no-install-recommends $missing </dev/null
}
log=$(mktemp)
trap 'policy_remove; rm -f "$log"' EXIT
# The package lists may be missing or old: one refresh, then again.
if ! install >"$log" 2>&1; then
	$root apt-get -q update >"$log" 2>&1 </dev/null || { tail -n 5 "$log" >&2; fail "apt-get update failed"; }
	install >"$log" 2>&1 || { tail -n 15 "$log" >&2; fail "apt-get could not install: $missing"; }
fi
for service in $new; do
	[ -z "$policy_ours" ] || $root update-rc.d "$service" disable >/dev/null 2>&1 || :
	say "The system's own $service service was neither started nor enabled."
done
