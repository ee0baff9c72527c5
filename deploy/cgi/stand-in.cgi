#!/bin/sh
# stand-in.cgi: what `rejoinder publish --all` made for when nobody answers: where a thread was asked
# for, a thread without replies, and else a page that says that nothing is lost.
public=${REJOINDER_PUBLIC:-/var/lib/rejoinder/public/main}

# A server that asks for any error here means to say some by itself.
case ${REDIRECT_STATUS-} in
4??)
	printf '%s\n' "Status: $REDIRECT_STATUS" 'Content-Type: text/plain; charset=utf-8' 'X-Content-Type-Options: nosniff' \
		'Referrer-Policy: same-origin' 'Cache-Control: no-store' '' "The web server refuses this ($REDIRECT_STATUS)."
	exit
	;;
esac

name=down.html
case ${HTTP_ACCEPT-} in application/json*) name=down.json ;; esac
path=${REQUEST_URI-}
path=${path%%\?*}
case $path in
*/threads/*~/thread.html | */threads/*~/thread.json | */threads/*~/feed.xml) name=${path##*/} ;;
*/latest.html | */latest.json | */trending.html | */trending.json | */counts.json | */feed.xml) name=${path##*/} ;;
esac
# Nobody makes links there; one that is there all the same leads nowhere.
if [ -h "$public/empty" ] || [ -h "$public/empty/$name.asis" ]; then
	printf '%s\n' 'Status: 503' 'Content-Type: text/plain; charset=utf-8' 'X-Content-Type-Options: nosniff' \
		'Referrer-Policy: same-origin' 'Cache-Control: no-store' '' 'Nobody answers at the moment.'
	exit
fi
cat "$public/empty/$name.asis"
