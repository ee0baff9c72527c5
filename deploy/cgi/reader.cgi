#!/bin/sh
# reader.cgi: reader.fcgi for servers that know only CGI.
export door=reader
# shellcheck source=deploy/cgi/bridge.sh
. "${0%/*}/bridge.sh"
