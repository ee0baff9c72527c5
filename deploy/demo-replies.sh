# shellcheck shell=sh
# shellcheck disable=SC2154 # home, base, article, name and password are demo.sh's
# demo-replies.sh: the replies that a new demo begins with.  Read in by demo.sh; posted and decided
# through the two doors, like anybody's.

# send NAME EMAIL WEBSITE PARENT COMMENT: posts a reply to the article; its id is in $sent.
# The key is counted, so that a seeding that was cut short stores nothing twice.
seeds=0
send() {
	seeds=$((seeds + 1))
	answer=$(web -w '\n%{http_code}' -H 'Accept: application/json' \
		--data-urlencode "page=$article" --data-urlencode "name=$1" --data-urlencode "email=$2" \
		--data-urlencode "website=$3" --data-urlencode "parent=$4" --data-urlencode "comment=$5" \
		--data-urlencode "key=demo-reply-$seeds" "$base/comments/reply") || :
	sent=$(printf '%s' "$answer" | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p')
	[ -n "$sent" ] || fail "the door did not take the first replies: $(printf '%s' "$answer" | tr '\n' ' ')"
}

# sign_in: leaves the session in the file `cookies` and its token in $token.
sign_in() {
	(umask 077 && : >cookies)
	web -o /dev/null -c cookies -b cookies -H "Origin: $base" --data-urlencode "name=$name" \
		--data-urlencode "password=$password" "$base/comments/moderate/sign-in" || :
	token=$(web -b cookies "$base/comments/moderate/?state=held" |
		sed -n 's/.*name="token" value="\([^"]*\)".*/\1/p' | sed -n 1p)
	[ -n "$token" ] || fail "the moderators' door did not let the demo's editor in"
}

# approve ID: as the editor would, with the revision that a new reply has.
approve() {
	answer=$(web -o /dev/null -w '%{http_code}' -b cookies -H "Origin: $base" --data-urlencode "token=$token" \
		--data-urlencode "reply=$1:1" --data-urlencode "state=published" "$base/comments/moderate/decide") || :
	[ "$answer" = 303 ] || fail "the moderators' door did not publish reply $1 (it answered $answer)"
}

seed() {
	say "Putting a few replies under the article …"
	sign_in
	send Aigul aigul@example.org "" "" "text"
	approve "$sent"
	rm -f cookies
}
