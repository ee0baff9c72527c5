#!/bin/sh
# man.sh: the man pages and the programs tell the same: every command, option, address and option of the
# configuration that one has, the other has, with its default.
#
# BIN   the folder of the three programs (build/bin)
# ROOT  the checkout that is looked at (this one)
#
# Prints a line for each check and ends in `N passed, N failed`.
set -u
LC_ALL=C
export LC_ALL

root=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd -P)}
cd "$root" || exit 1
bin=${BIN:-build/bin}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

verdict() {
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		printf 'ok    %s\n' "$2"
	else
		failed=$((failed + 1))
		printf 'FAIL  %s\n' "$2"
	fi
}

# same WHAT: the lists $work/told (program) and $work/written (man page) hold the same, and something.
same() {
	sort -u -o "$work/told" "$work/told"
	sort -u -o "$work/written" "$work/written"
	lacking=$(comm -23 "$work/told" "$work/written" | paste -s -d ' ' -)
	surplus=$(comm -13 "$work/told" "$work/written" | paste -s -d ' ' -)
	n=$(wc -l <"$work/told")
	why=
	[ "$n" -gt 0 ] || why=": nothing found to compare"
	[ -z "$lacking" ] || why="$why; the man page lacks: $lacking"
	[ -z "$surplus" ] || why="$why; only the man page has: $surplus"
	[ -z "$why" ]
	verdict $? "$1 ($((n)))$why"
}

# --- options --------------------------------------------------------------------------------------

# The options that a --help on standard input lists, one a line with their dashes.
options_told() {
	sed -n 's/^ *\(-.*\)/\1/p' | sed 's/  .*//' | tr -d ',' | tr ' ' '\n' | grep '^-'
}

# The options that `.It Fl` lines on standard input name: "Fl -help" is --help.
options_written() {
	sed -n 's/^\.It Fl /Fl /p' | tr -d ',' |
		awk '{ for (i = 1; i < NF; i++) if ($i == "Fl") print "-" $(i + 1) }'
}

# The lines of rejoinder.1 that belong to `init`: from its own item to the next command.
init_of() { awk '/^\.Cm init/ { on = 1 } /^\.It Cm/ { on = 0 } on' man/rejoinder.1; }
before_commands() { awk '/^\.Sh COMMANDS/ { exit } { print }' man/rejoinder.1; }

for door in reader moderator; do
	"$bin/$door.fcgi" --help | options_told >"$work/told"
	options_written <"man/$door.fcgi.8" >"$work/written"
	same "options of $door.fcgi"
done
"$bin/rejoinder" --help | options_told >"$work/told"
before_commands | options_written >"$work/written"
same "options of rejoinder"
"$bin/rejoinder" init --help | options_told >"$work/told"
echo --help >>"$work/told"
echo -h >>"$work/told"
init_of | options_written >"$work/written"
same "options of rejoinder init"

# --- commands -------------------------------------------------------------------------------------

# "moderator add|list [NAME]" is two commands; the arguments are compared in lower case.
commands_told() {
	awk '/^  [a-z]/ {
		n = split($2, words, "|")
		# What snippet prints for each server is one thing to tell.
		if (n > 1 && $1 != "snippet") { for (i = 1; i <= n; i++) print $1 " " words[i] }
		else print $1
	}'
}
commands_written() {
	awk '/^\.Sh COMMANDS/ { on = 1 } /^\.Sh FILES/ { on = 0 }
		on && /^\.It Cm/ { line = $3; if ($4 != "" && $4 !~ /^(Ar|Op)$/) line = line " " $4; print line }
		on && /^\.It Xo/ { getline; if ($1 == ".Cm") print $2 }' man/rejoinder.1
}
"$bin/rejoinder" --help | commands_told | tr ' ' '_' >"$work/told"
commands_written | tr ' ' '_' >"$work/written"
same "commands of rejoinder"

"$bin/rejoinder" --help | sed -n 's/^Exit status: //p' | tr ',.' '\n' | awk '$1 ~ /^[0-9]$/ { print $1 }' >"$work/told"
awk '/^\.Sh EXIT STATUS/ { on = 1; next } /^\.Sh/ { on = 0 } on && /^\.It [0-9]/ { print $2 }' man/rejoinder.1 >"$work/written"
same "exit statuses of rejoinder"

# --- options of the commands ------------------------------------------------------------------------

# "pages --dry-run": the options that the usage of each command names; init lists its own.
usage_options_told() {
	"$bin/rejoinder" --help | awk '/^  [a-z]/ && $1 != "init" { print $1 }' | while read -r command; do
		"$bin/rejoinder" "$command" --help | sed -n '1s/^Usage: rejoinder \[--config FILE\] //p' | tr -cs 'a-z-' '\n' |
			sed -n "s/^--/$command --/p"
	done
}
# The same in the items of COMMANDS, and in what .Ql quotes below one: an option there must be the command's.
usage_options_written() {
	awk '/^\.Sh / { on = $2 == "COMMANDS"; next } !on { next }
		function tell(line, i, n, word) {
			gsub(/"/, "", line)
			n = split(line, word, " ")
			for (i = 1; i <= n; i++) if (word[i] == "Fl") {
				while (word[i + 1] == "Fl") i++
				sub(/^-*/, "", word[i + 1])
				print command " --" word[i + 1]
			}
		}
		/^\.It (Cm|Xo)/ { item = /^\.It Xo/; if (!item) { command = $3; tell($0); next } head = 1; next }
		item && head && /^\.Cm / { command = $2; head = 0; tell($0); next }
		item && /^\.Xc/ { item = 0; next }
		item { tell($0); next }
		/^\.(Fl|Op Fl) / { tell($0); next }
		/^\.Ql rejoinder / { n = split($0, part, " "); for (i = 4; i <= n; i++) if (part[i] ~ /^--/) print part[3] " " part[i] }' man/rejoinder.1 |
		grep -v '^init '
}
usage_options_told | tr ' ' '_' >"$work/told"
usage_options_written | tr ' ' '_' >"$work/written"
same "options of the commands of rejoinder"

# COMMAND --help has a line for each word and option that the usage names, with the same value behind it: "pages
# --site NAME", "mail to NAME EMAIL".  Which options the man page has was compared above.
usage_arguments() {
	"$bin/rejoinder" --help | awk '/^  [a-z]/ && $1 != "init" && NF > 1' | awk '{
		command = $1
		sub(/^ *[a-z]+ /, "")
		# "nginx|apache PAGE" is two words with a PAGE each; one in [ ] is for those that --help tells it of.
		if (match($0, /^[a-z]+(\|[a-z]+)+/)) {
			n = split(substr($0, 1, RLENGTH), word, "|")
			rest = substr($0, RLENGTH + 2)
			value = ""
			if (match(rest, /^[A-Z]+/)) value = substr(rest, 1, RLENGTH)
			for (i = 1; i <= n; i++) print command, word[i] (value == "" ? "" : " " value)
			$0 = rest
		}
		gsub(/[][]| [|] /, " , ")
		n = split($0, part, ",")
		for (i = 1; i <= n; i++) {
			gsub(/^ +| +$/, "", part[i])
			if (part[i] != "") print command, part[i]
		}
	}' | grep -v '^moderator NAME$'
}
help_arguments() {
	"$bin/rejoinder" --help | awk '/^  [a-z]/ && $1 != "init" { print $1 }' | while read -r command; do
		"$bin/rejoinder" "$command" --help | sed -n 's/^  \([^ ].*\)/\1/p' | sed "s/   *.*//; s/^/$command /"
	done | sed 's/^\(moderator [a-z]*\) NAME$/\1/'
}
usage_arguments | tr ' ' '_' >"$work/told"
help_arguments | tr ' ' '_' >"$work/written"
same "a line of COMMAND --help for each argument"
"$bin/rejoinder" --help | awk '/^  [a-z]/ { print $1 }' | while read -r command; do
	"$bin/rejoinder" "$command" --help | awk 'length > 120 || /[^ ]\t/'
done >"$work/long"
[ ! -s "$work/long" ]
verdict $? "COMMAND --help has short lines"

# What a usage names the command takes: given all that it wants and a configuration that there is not, it fails
# for want of that (1), and not because it would have other words (2); one letter more is no option.
tried() { # COMMAND OPTION: the words that make it a whole command
	"$bin/rejoinder" "$1" --help | sed -n "1s/^Usage: rejoinder \[--config FILE\] $1 *//p" | awk -v option="$2" '{
		value = match($0, option " [A-Z]+") ? " x" : ""
		outer = match($0, "\\[--[a-z]+ \\[" option) ? substr($0, RSTART + 1, RLENGTH - length(option) - 3) " " : ""
		sub(/[[,].*/, "")
		gsub(/\|[a-z|]*/, "")
		gsub(/FILE/, "/dev/null"); gsub(/PAGE/, "/a"); gsub(/EMAIL/, "a@example.org")
		print $0 " " outer option value }'
}
usage_options_told >"$work/options"
while read -r command option; do
	# shellcheck disable=SC2046,SC2086 # words
	set -- $(tried "$command" "$option")
	"$bin/rejoinder" --config /nowhere/at-all "$command" "$@" >"$work/said" 2>&1 </dev/null
	[ $? = 1 ]
	verdict $? "rejoinder $command $* is taken"
	"$bin/rejoinder" --config /nowhere/at-all "$command" "$@" "${option}x" >"$work/said" 2>&1 </dev/null
	[ $? = 2 ] && grep -q "has no option \"${option}x\"" "$work/said"
	verdict $? "rejoinder $command: there is no ${option}x"
done <"$work/options"

# --- addresses ------------------------------------------------------------------------------------

# The rows of a door's table as "METHOD /path", and the items of its page likewise: an argument is a
# star there, "Ns" joins, what is optional or behind a question mark does not count.
routes_told() { sed -n 's/^ *{"\([A-Z]*\)", "\([^"]*\)".*/\1 \/comments\2/p' "$1"; }
routes_written() {
	awk '/^\.It (GET|POST) Pa / {
		path = ""
		for (i = 3; i <= NF && $i != "Op"; i++) {
			if ($i == "Ar") { path = path "*"; i++ }
			else if ($i != "Pa" && $i != "Ns") path = path $i
		}
		sub(/\?.*/, "", path)
		sub(/threads\*\/~\/\*/, "threads/*", path)
		print $2 " " path
	}' "$1"
}
for door in reader moderator; do
	routes_told "cgi-bin/$door.c" | tr ' ' '_' >"$work/told"
	routes_written "man/$door.fcgi.8" | tr ' ' '_' >"$work/written"
	same "addresses of $door.fcgi"
done

# --- configuration --------------------------------------------------------------------------------

# The options of parser() in src/config.c, and of the arrays before it, as "array name default".
awk '/^parser\(void\)/ || /^static cfg_opt_t [a-z_]*\[/ { on = 1 } on && /^}/ { on = 0 }
	on && /static cfg_opt_t/ { array = $3; sub(/(_options)?\[.*/, "", array) }
	on && /CFG_(STR|INT|BOOL|STR_LIST|SEC|FLOAT)\("/ {
		line = $0
		sub(/^[^(]*\(/, "", line)
		n = split(line, part, ", ")
		gsub(/"/, "", part[1])
		gsub(/"/, "", part[2])
		print array, part[1], part[2]
	}' src/config.c >"$work/options"

# The items of a subsection of rejoinder.conf.5, each name on a line of its own.
section() {
	awk -v wanted="$1" '/^\.S[sh] / { on = $0 == ".Ss " wanted } on' man/rejoinder.conf.5
}
compare_section() {
	awk -v array="$1" '$1 == array { print $2 }' "$work/options" >"$work/told"
	section "$2" | sed -n 's/^\.It Ic \([a-z_]*\).*/\1/p' >"$work/written"
	same "configuration: $2"
}
compare_section all "Options of the installation"
compare_section moderators "Options of the section moderators"
compare_section mail "Options of the section mail"
compare_section site "Options of a section site"

# default ARRAY NAME VALUE SECTION: the item says the default that the parser has.
item() { section "$1" | awk -v name="$2" '/^\.It / { on = $3 == name } on'; }
while read -r array name value; do
	case $array in
	all) where="Options of the installation" ;;
	moderators | mail) where="Options of the section $array" ;;
	*) where="Options of a section site" ;;
	esac
	text=$(item "$where" "$name" | paste -s -d ' ' -)
	case $name:$value in
	moderators:* | mail:* | site:*) continue ;;
	sealing_key: | base:) wanted="no default" ;;
	*:) wanted="Default:" ;; # empty, or what is said in words
	*:none) wanted="Default: none" ;;
	*:any) wanted='Default: .Li {\(dq**\(dq}' ;;
	*:cfg_false) wanted="Default: .Li false" ;;
	*:/*) wanted="Default: .Pa $value" ;;
	*) wanted="Default: $value." ;;
	esac
	case $text in
	*"$wanted"*) verdict 0 "default of $name" ;;
	*) verdict 1 "default of $name: rejoinder.conf.5 does not say \"$wanted\"" ;;
	esac
done <"$work/options"

# --- form -----------------------------------------------------------------------------------------

if command -v mandoc >/dev/null 2>&1; then
	for page in man/*.[1-8]; do
		complaints=$(mandoc -Tlint -W warning "$page" 2>&1)
		[ -z "$complaints" ]
		verdict $? "$page is clean mdoc${complaints:+: $complaints}"
	done
else
	echo "skip  mandoc is not installed"
fi
# Debian's groff-base brings it, and man(1) with it.
if groff -mdoc -Tutf8 /dev/null >/dev/null 2>&1; then
	for page in man/*.[1-8]; do
		complaints=$(groff -ww -mdoc -Tutf8 -rLL=78n "$page" 2>&1 >/dev/null)
		[ -z "$complaints" ]
		verdict $? "$page fits 80 columns${complaints:+: $complaints}"
	done
else
	echo "skip  groff is not installed"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
