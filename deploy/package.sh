#!/bin/sh
# package.sh: builds the Debian package of this checkout and leaves it in the folder where you are.
#
# Installs what the build takes, by sudo unless you are root, and asks nothing.  The checkout stays as it
# is: the build goes on in a copy below build/.
set -eu
here=$PWD
top=$(cd "$(dirname "$0")/.." && pwd)
work=$top/build/deb
log=$work/log

say() { printf '%s\n' "$*"; }
fail() { printf 'package: %s\n' "$*" >&2; exit 1; }
quietly() { # WHAT COMMAND ...: of one that fails the end is shown
	what=$1
	shift
	"$@" >>"$log" 2>&1 </dev/null || { tail -n 20 "$log" >&2; fail "$what failed; the whole of it is in $log"; }
}

command -v apt-get >/dev/null || fail "this takes Debian or a relative of it; docs/deploy/source.md is for others"
root=
[ "$(id -u)" -eq 0 ] || root=sudo
[ -z "$root" ] || command -v sudo >/dev/null || fail 'what the build takes is installed as root, and there is no sudo'

rm -rf "$work"
mkdir -p "$work/rejoinder"
# shellcheck disable=SC2086 # one word or none
get() { $root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends "$@"; }
needs() { get build-dep "$top"; }
say 'Installing what the build takes ...'
# The package lists may be missing or old: one refresh, then again.
needs >"$log" 2>&1 </dev/null || {
	quietly 'apt-get update' get update
	quietly 'apt-get build-dep' needs
}

say 'Building ...'
(cd "$top" && tar --exclude=./build --exclude=./node_modules --exclude=./.git --exclude='./*.deb' -cf - .) | tar -xf - -C "$work/rejoinder"
build() { cd "$work/rejoinder" && DEB_BUILD_OPTIONS="noautodbgsym parallel=$(nproc)" dpkg-buildpackage -us -uc -b; }
# The shell of a function that changes the folder is its own.
(quietly 'the build' build)
cp "$work"/rejoinder_*.deb "$here/"
for package in "$work"/rejoinder_*.deb; do
	say "Built ${package##*/}. Next, as root:"
	say "  apt install ./${package##*/}"
done
