#!/bin/sh
# moderator.cgi: moderator.fcgi for servers that know only CGI.
export door=moderator
# shellcheck source=deploy/cgi/bridge.sh
. "${0%/*}/bridge.sh"
