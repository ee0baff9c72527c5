# shellcheck shell=sh
# shellcheck disable=SC2154 # home, base, article, name and password are demo.sh's
# demo-replies.sh: the replies that a new demo begins with.  Read in by demo.sh; posted and decided
# through the two doors, like anybody's.

# send PAGE NAME EMAIL WEBSITE PARENT COMMENT: posts a reply; its id is in $sent.
# The key is counted, so that a seeding that was cut short stores nothing twice.
seeds=0
send() {
	seeds=$((seeds + 1))
	answer=$(web -w '\n%{http_code}' -H 'Accept: application/json' \
		--data-urlencode "page=$1" --data-urlencode "name=$2" --data-urlencode "email=$3" \
		--data-urlencode "website=$4" --data-urlencode "parent=$5" --data-urlencode "comment=$6" \
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

# The words of the first replies: opinions that do not agree, and what Markdown can do.
seed() {
	say "Putting the first replies under the articles ..."
	sign_in

	send "$article" "Aigul" aigul@example.org "" "" "My son was one of the children in that choir. They learned the song in three weeks, the way they learned one in French the year before, and what he remembers is the *ice cream* afterward.

Adults read a great deal into what seven-year-olds sing."
	approve "$sent"
	aigul=$sent

	send "$article" "M. Okafor" okafor@example.org https://example.org/okafor "" "> A club that binds nobody is a good place to be the largest economy.

That is the best sentence in the piece, but it works for the others too. A club that binds nobody lets you

- sit at the table with a rival without owing him anything,
- be photographed with everybody, and
- go home and sign the **real** contract somewhere else.

Small countries have been doing this for centuries. We used to call it foreign policy."
	approve "$sent"
	okafor=$sent

	send "$article" "Сергей Л." sergey@example.org "" "" "Живу в Оренбурге, в двух часах от границы. На рынке половина машин теперь китайские, а механик у нас казах, и запчасти ему везут из Урумчи. Никакой «битвы за влияние» я не вижу: люди просто едут туда, где дешевле и ближе."
	approve "$sent"

	send "$article" "Daniyar" daniyar@example.org "" "$aigul" "With respect, somebody chose the song, and somebody chose the language. Nobody asked the children, and that was the author's point."
	approve "$sent"
	daniyar=$sent

	send "$article" "林岚" linlan@example.org "" "" "我在霍尔果斯口岸工作了六年。每列火车都要在这里换轨，吊车把集装箱从宽轨车搬到标准轨车上，一列大约要一个多小时。文章里说的新铁路，最难的不是隧道，而是**轨距**：到底在哪一边换？"
	approve "$sent"

	send "$article" "Aigul" aigul@example.org "" "$daniyar" "Somebody always chooses the song. When I was at school it was in Russian, and nobody asked us either."
	approve "$sent"

	send "$article" "Henrik" henrik@example.org "" "$okafor" "I drove trucks through Aktau for nine years and would add one line to your list: *charge both sides for the road*. The difference between [two widths of track](https://en.wikipedia.org/wiki/Break_of_gauge) has fed more families there than any summit."
	approve "$sent"

	send /world/caspian-harbors "Zarina" zarina@example.org "" "" "The pier on the drawing could be the one I fished from as a girl. The water is now a walk of twenty minutes from its end."
	approve "$sent"

	send "$article" "Thomas B." thomas@example.org "" "" "A small correction: the Fergana Valley is shared by three countries, not two, and the line ends in Andijan, on the Uzbek side. Otherwise a fair account."
	send "$article" "Best Rates" rates@example.com https://example.com/rates "" "Great article!! Send money home at the best rates: https://example.com/rates, https://example.com/bonus and https://example.com/today"
	send "$article" "fed up" fedup@example.org "" "" "Another piece written from a hotel window. Come to Osh in February, when the power is out, and ask there who sets the table."
	send "$article" "Lola" lola@example.org "" "$okafor" "Thank you for this. My students in Tashkent will read it on Monday, and your list with it."

	# Nobody's session stays in the editor's list of them.
	web -o /dev/null -b cookies -H "Origin: $base" --data-urlencode "token=$token" "$base/comments/moderate/sign-out" || :
	rm -f cookies
}
