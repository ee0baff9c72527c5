#!/bin/sh
# pagegen_test.sh BINARY - what pagegen must refuse, and what its C must write, byte for byte.
# CC and CFLAGS name the compiler and further flags for the generated C.

set -u
binary=$(realpath "${1:?usage: pagegen_test.sh BINARY}")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0
failed=0

ok() {
	passed=$((passed + 1))
	echo "ok      $1"
}

not_ok() {
	failed=$((failed + 1))
	echo "NOT OK  $1"
	shift
	printf '        %s\n' "$@"
}

cat > words <<'END'
# Words for the tests.
plural = one-other
greeting = Hello
sign = A & B <i>
by = {name} says:
braces = {{not a hole} {name}
question = What??!
replies[one] = {n} reply to {title}
replies[other] = {n} replies to {title}
link = /help/{name}
some[one] = One
some[other] = Some
END

# --- what must be refused -----------------------------------------------------------------------

# refused CASE FILE LINE MESSAGE: the template on standard input, next to part.html and part.json.
printf 'part {{name}}\n' > part.html
printf '{"name":{{name}}}\n' > part.json
refused() {
	rm -rf page out.err gen
	mkdir page gen
	cat > "page/$2"
	if "$binary" words gen part.html part.json "page/$2" 2> out.err; then
		not_ok "refuses $1" "was taken"
	elif ! grep -q "^page/$2:$3: .*$4" out.err; then
		not_ok "refuses $1" "wanted page/$2:$3: …$4" "$(cat out.err)"
	elif grep -v '^[a-z./_-]*:[0-9]*: ' out.err | grep -q . || [ -n "$(ls gen)" ]; then
		not_ok "refuses $1" "messages of another form, or files written" "$(cat out.err)"
	else
		ok "refuses $1"
	fi
}

refused 'a hole in an unquoted value' t.html 2 'unquoted attribute' <<'END'
<p>
<a title={{x}}>
END
refused 'a hole in the midst of an unquoted value' t.html 1 'unquoted attribute' <<'END'
<a title=a{{x}}>
END
refused 'a hole in a single-quoted value' t.html 1 'single-quoted' <<'END'
<a title='{{x}}'>
END
refused 'a hole in the name of a tag' t.html 1 'not in a tag' <<'END'
<h{{x}}>
END
refused 'a hole as the name of a tag' t.html 1 'middle of markup' <<'END'
<{{x}}>
END
refused 'a hole as the name of an end tag' t.html 1 'middle of markup' <<'END'
<p></{{x}}>
END
refused 'a hole as the name of an attribute' t.html 1 'not in a tag' <<'END'
<p {{x}}="1">
END
refused 'a hole in the name of an attribute' t.html 1 'not in a tag' <<'END'
<p data-{{x}}="1">
END
refused 'words in a tag' t.html 1 'not in a tag' <<'END'
<p {{"greeting"}}>
END
refused 'a hole in a comment' t.html 2 'in a comment' <<'END'
<!-- > a
{{x}} -->
END
refused 'a hole in a comment that is just begun' t.html 1 'in a comment\|middle of markup' <<'END'
<!--{{x}}-->
END
refused 'a hole in an element that hides behind a comment' t.html 1 'script' <<'END'
<!--><script>//-->{{x}}</script>
END
refused 'a hole in an element behind a comment that ends in !' t.html 1 'script' <<'END'
<!-- --!><script>//-->{{x}}</script>
END
refused 'a comment that hides the beginning of a tag' t.html 1 'middle of markup' <<'END'
<{{! a }}script>{{x}}
END
refused 'a comment that hides the end of a comment' t.html 1 'middle of markup' <<'END'
<!-- -{{! a }}->
END
refused 'a hole in an end tag without name' t.html 1 'declaration' <<'END'
</ {{x}}>
END
refused 'a hole in the doctype' t.html 1 'declaration' <<'END'
<!doctype {{x}}>
END
refused 'a hole in a script' t.html 3 'script' <<'END'
<script>
if (a </b/)
  a = "{{x}}";
</script>
END
refused 'a hole in a script after </scripts>' t.html 1 'script' <<'END'
<script></scripts>{{x}}</script>
END
refused 'a hole in a style element' t.html 1 'style' <<'END'
<STYLE>{{x}}</STYLE>
END
refused 'a hole in an iframe element' t.html 1 'no text' <<'END'
<iframe>{{x}}</iframe>
END
refused 'words in a script' t.html 1 'script' <<'END'
<script>{{"greeting"}}</script>
END
refused 'a flag in a script' t.html 1 'script' <<'END'
<script>{{?x}}a{{/x}}</script>
END
refused 'an event handler' t.html 2 'runs a script' <<'END'
<p>
<p onClick="a()">
END
refused 'an event handler without value' t.html 1 'runs a script' <<'END'
<p onclick>
END
refused 'an event handler behind a section' t.html 1 'runs a script' <<'END'
<p onclick{{?x}} class="a"{{/x}}>
END
refused 'style' t.html 1 'style, srcdoc' <<'END'
<p style="a: b">
END
refused 'srcdoc' t.html 1 'style, srcdoc' <<'END'
<iframe srcdoc="a">
END
refused 'srcset' t.html 1 'style, srcdoc' <<'END'
<img srcset="a 2x">
END
refused 'a javascript: address' t.html 1 'javascript:' <<'END'
<a href=" JavaScript:{{x}}">
END
refused 'ready HTML in an attribute' t.html 1 'ready HTML' <<'END'
<p title="{{x html}}">
END
refused 'ready HTML in a textarea' t.html 1 'ready HTML' <<'END'
<textarea>{{x html}}</textarea>
END
refused 'ready HTML in a mail' t.txt 1 'ready HTML' <<'END'
{{x html}}
END
refused 'ready HTML in an XML attribute' t.xml 1 'ready HTML' <<'END'
<a b="{{x html}}"/>
END
refused 'a path in text' t.html 1 'path stands' <<'END'
{{x path}}
END
refused 'a path in a plain attribute' t.html 1 'path stands' <<'END'
<p title="a{{x path}}">
END
refused 'a path at the beginning of a URL' t.html 1 'path stands' <<'END'
<a href="{{x path}}">
END
refused 'a path that may begin a URL' t.html 1 'path stands' <<'END'
<a href="{{?f}}{{/f}}{{x path}}">
END
refused 'an unclosed section' t.html 2 'section rows is not closed' <<'END'

{{#rows}}<p>{{x}}
END
refused 'an unclosed flag' t.html 1 'section f is not closed' <<'END'
{{?f}}
END
refused 'crossed sections' t.html 1 'section b of line 1 should close' <<'END'
{{?a}}{{#b}}{{/a}}{{/b}}
END
refused 'a close without section' t.html 2 'closes nothing' <<'END'
a
{{/b}}
END
refused 'an unclosed brace' t.html 2 'not closed by' <<'END'
a
b {{name
END
refused 'a name with two types' t.html 3 'n is a string here and an integer in line 2' <<'END'
a
{{n integer}}
{{n}}
END
refused 'a string that is rows, too' t.html 2 'x is a string here and rows in line 1' <<'END'
{{#x}}{{/x}}
{{x}}
END
refused 'a flag that is an integer, too' t.html 2 'x is an integer here and a flag in line 1' <<'END'
{{?x}}a{{/x}}
{{x integer}}
END
refused 'rows that are a part, too' t.html 2 'rows of a part here and rows in line 1' <<'END'
{{#x}}{{/x}}
{{>part x}}
END
refused 'an integer hole of words that is a string' t.html 2 'n is an integer here and a string' <<'END'
{{n}} {{title}}
{{"replies" n title}}
END
refused 'an unknown type' t.html 1 'unknown type' <<'END'
{{x raw}}
END
refused 'bool outside of JSON' t.html 1 'unknown type' <<'END'
{{x bool}}
END
refused 'three words in a hole' t.html 1 'a hole is' <<'END'
{{x integer y}}
END
refused 'three braces' t.html 1 'is no name' <<'END'
{{{x}}}
END
refused 'an ampersand' t.html 1 'is no name' <<'END'
{{&x}}
END
refused 'an empty hole' t.html 1 'is no name' <<'END'
{{}}
END
refused 'a name that is a word of C' t.html 1 'is no name' <<'END'
{{int}}
END
refused 'a name in capitals' t.html 1 'is no name' <<'END'
{{Name}}
END
refused 'a way out of the page' t.html 2 'leads out of the page' <<'END'
{{?f}}
<p>{{../x}}
{{/f}}
END
refused 'a field that is called like the number of rows' t.html 2 'already the number' <<'END'
{{#rows}}{{/rows}}
{{rows_n}}
END
refused 'unknown words' t.html 2 'unknown words "farewell"' <<'END'

{{"farewell"}}
END
refused 'an unknown hole of words' t.html 1 'has no hole {nobody}' <<'END'
{{"by" nobody}}
END
refused 'a hole of words that nothing fills' t.html 1 'has a hole {title}, which nothing fills' <<'END'
{{"replies" n}}
END
refused 'plural words without number' t.html 1 'has a hole {n}, which nothing fills' <<'END'
{{"some"}}
END
refused 'a hole of words that is filled twice' t.html 1 'filled twice' <<'END'
{{"by" name name=other}}
END
refused 'an unknown part' t.html 1 'unknown part `nothing' <<'END'
{{>nothing rows}}
END
refused 'a part of another language' t.xml 1 'unknown part `part' <<'END'
{{>part rows}}
END
refused 'a part without rows' t.html 1 'is written' <<'END'
{{>part}}
END
refused 'a part in an attribute' t.html 1 'part stands in text' <<'END'
<p title="{{>part rows}}">
END
refused 'a part in a textarea' t.html 1 'part stands in text' <<'END'
<textarea>{{>part rows}}</textarea>
END
refused 'a section from text into a tag' t.html 1 'closes in another place' <<'END'
{{?f}}<p {{/f}}>
END
refused 'a section from a tag into text' t.html 1 'closes in another place' <<'END'
<p {{?f}}>{{/f}}
END
refused 'a section from one tag into the next' t.html 1 'closes in another place' <<'END'
<p {{?f}}><p {{/f}}>
END
refused 'a section from text into an attribute' t.html 1 'closes in another place' <<'END'
{{?f}}<p title="{{/f}}">
END
refused 'a section from one attribute into another' t.html 1 'closes in another place' <<'END'
<p title="{{?f}}" lang="{{/f}}">
END
refused 'a section out of a script' t.html 1 'script' <<'END'
{{?f}}<script>{{/f}}</script>
END
refused 'rows inside a tag' t.html 1 'only flags' <<'END'
<p {{#rows}} a{{/rows}}>
END
refused 'an attribute glued to another by a flag' t.html 1 'white space is missing' <<'END'
<p a="b"{{?f}}c="d"{{/f}}>
END
refused 'an attribute glued to a flag' t.html 1 'white space is missing' <<'END'
<p {{?f}}c="d"{{/f}}e>
END
refused 'an attribute glued to another when a flag is not set' t.html 1 'white space is missing' <<'END'
<p a="b"{{?f}} {{/f}}c="d">
END
refused 'a name that a flag continues' t.html 1 'white space is missing' <<'END'
<p hr{{?f}}ef="a"{{/f}}>
END
refused 'a template that ends in a tag' t.html 2 'ends inside' <<'END'
a
<p class="b"
END
refused 'a template that ends in a textarea' t.html 1 'ends inside' <<'END'
<textarea>
END
refused 'a quoted hole in JSON' t.json 1 'inside quotes' <<'END'
{"a":"{{x}}"}
END
refused 'a hole behind a value in JSON' t.json 1 'no value may stand' <<'END'
[1 {{x}}]
END
refused 'two holes without comma in JSON' t.json 1 'no value may stand' <<'END'
[{{x}}{{y}}]
END
refused 'open quotes in JSON' t.json 1 'ends inside quotes' <<'END'
{"a":"b}
END
refused 'a comma outside of rows' t.json 1 'stands in a section of rows' <<'END'
[{{,}}]
END
refused 'a comma in HTML' t.html 1 'stands in a section of rows' <<'END'
{{#rows}}{{,}}{{/rows}}
END
refused 'a hole in CDATA' t.xml 1 'CDATA' <<'END'
<a><![CDATA[{{x}}]]></a>
END
refused 'a hole in a processing instruction' t.xml 1 'declaration' <<'END'
<?xml version="{{x}}"?><a/>
END
refused 'a single-quoted hole in XML' t.xml 1 'single-quoted' <<'END'
<a b='{{x}}'/>
END
refused 'a name of a file with a dash' a-b.html 1 'a template is called' <<'END'
a
END
refused 'a template whose header would hide another' words.html 1 'no template is called' <<'END'
a
END
refused 'a hole in the name of an end tag of a textarea' t.html 1 'middle of markup' <<'END'
<textarea></TEXT{{x}}>
END
refused 'a file of another kind' t.css 1 'a template is called' <<'END'
a
END
refused 'a template that is called like another one' part_json.html 1 'page_part_json is made by' <<'END'
a
END
refused 'a comment that would end one in C' t.html 1 'signs of one' <<'END'
{{! a */ b }}
END
refused 'two mistakes (the second)' t.html 3 'runs a script' <<'END'
{{"farewell"}}
<p>
<p onclick="a">
END

# refused_words CASE LINE MESSAGE: the words file on standard input.
refused_words() {
	rm -rf gen
	mkdir gen
	cat > some.words
	if "$binary" some.words gen 2> out.err; then
		not_ok "refuses in words $1" "was taken"
	elif ! grep -q "^some.words:$2: .*$3" out.err; then
		not_ok "refuses in words $1" "wanted some.words:$2: …$3" "$(cat out.err)"
	else
		ok "refuses in words $1"
	fi
}

refused_words 'a line without =' 2 'key = text' <<'END'
a = b
c
END
refused_words 'a key in capitals' 1 'a key is' <<'END'
Form = b
END
refused_words 'a key that ends in a dot' 1 'a key is' <<'END'
form. = b
END
refused_words 'an unknown plural form' 1 'a plural form is' <<'END'
a[two] = b
END
refused_words 'an unclosed hole' 1 'a hole is' <<'END'
a = {b
END
refused_words 'a hole with a space' 1 'a hole is' <<'END'
a = {b c}
END
refused_words 'a key twice' 2 'set twice' <<'END'
a = b
a = c
END
refused_words 'a form twice' 3 'set twice' <<'END'
a[one] = b
a[other] = b
a[one] = c
END
refused_words 'a plain text beside forms' 2 'set twice' <<'END'
a[one] = b
a = c
END
refused_words 'forms without other' 1 'has no \[other\]' <<'END'
a[one] = b
END
refused_words 'no text' 2 'has no text' <<'END'
a = b
c =
END
refused_words 'two keys of one name' 2 'would both be WORD_A_B_C' <<'END'
a.b_c = x
a_b.c = y
END
refused_words 'a key count' 1 'is taken' <<'END'
count = x
END
refused_words 'an unknown rule' 1 'no rule' <<'END'
plural = klingon
a = b
END
printf 'a = \374\n' | refused_words 'Latin-1' 1 'no UTF-8'
printf '# nothing\n' | refused_words 'nothing at all' 1 'no words at all'

mkdir circle
printf '{{>b rows}}\n' > circle/a.html
printf '{{>a rows}}\n' > circle/b.html
if "$binary" words gen circle/a.html circle/b.html 2> out.err || ! grep -q '^circle/[ab].html:1: .*not each other' out.err; then
	not_ok 'refuses two templates that include each other' "$(cat out.err)"
else
	ok 'refuses two templates that include each other'
fi
printf '{{#form}}{{x}}{{/form}}\n' > circle/a.html
printf '{{x}}\n' > circle/a_form.html
if "$binary" words gen circle/a.html circle/a_form.html 2> out.err || ! grep -q '^circle/a.html:1: .*struct page_a_form' out.err; then
	not_ok 'refuses a section whose struct is another page' "$(cat out.err)"
else
	ok 'refuses a section whose struct is another page'
fi

# --- what must be written -----------------------------------------------------------------------

mkdir good expect
: > calls.c
cases=

# template FILE: the template on standard input.
template() {
	cat > "good/$1"
}

# writes CASE PAGE FIELDS: with these fields page_PAGE writes what is on standard input.
writes() {
	cat > "expect/$1"
	cases="$cases $1"
	cat >> calls.c <<END
	if (strcmp(name, "$1") == 0) {
		struct page_$2 page = {$3};
		page_$2(out, words_default(), &page);
	}
END
}

template text.html <<'END'
{{! What the tests
    print first. }}
<p>{{name}}, {{n integer}}{{body html}}.</p>
END
writes text-escaped text '.name = STR("<b>&\"\x27{{x}}%s"), .n = -5, .body = {STR("<i>")}' <<'END'
<p>&lt;b&gt;&amp;&quot;&#39;{{x}}%s, -5<i>.</p>
END
writes text-not-there text '.n = INT64_MIN' <<'END'
<p>, -9223372036854775808.</p>
END

template attribute.html <<'END'
<p title="a {{name}}{{n integer}}" class='x'>"{{name}}"</p><textarea name="t">
<b>{{name}}</b>{{n integer}}</textarea>{{name}}<br><script src="{{url}}" async>"</p>" <b</script>
END
writes attribute attribute '.name = STR("\" x=\"<"), .url = STR("/s.js")' <<'END'
<p title="a &quot; x=&quot;&lt;0" class='x'>"&quot; x=&quot;&lt;"</p><textarea name="t">
<b>&quot; x=&quot;&lt;</b>0</textarea>&quot; x=&quot;&lt;<br><script src="/s.js" async>"</p>" <b</script>
END

template url.html <<'END'
<a href="{{url}}/x?page={{page}}&amp;n={{n integer}}" title="{{url}}">
<form action="/c{{page path}}#{{part}}"><a href="{{?url}}{{url}}{{/url}}{{^url}}{{other}}{{/url}}">
<a href="{{?flag}}/{{/flag}}{{url}}"><img src="{{other}}{{url}}"><a href="{{#rows}}{{x}}{{/rows}}">
END
writes url url '.url = STR("https://a.b/?c&d"), .page = STR("/a b/\"&ü"), .n = 7, .part = STR("x/y"), .flag = true,
		    .rows_n = 2, .rows = (struct page_url_rows[]){{STR("/")}, {STR("/")}}' <<'END'
<a href="https://a.b/?c&amp;d/x?page=%2Fa%20b%2F%22%26%C3%BC&amp;n=7" title="https://a.b/?c&amp;d">
<form action="/c/a%20b/%22%26%C3%BC#x%2Fy"><a href="https://a.b/?c&amp;d">
<a href="/https%3A%2F%2Fa.b%2F%3Fc%26d"><img src="https%3A%2F%2Fa.b%2F%3Fc%26d"><a href="%2F%2F">
END
writes url-javascript url '.url = STR("javascript:alert(1)"), .other = STR(" JavaScript:x")' <<'END'
<a href="#/x?page=&amp;n=0" title="javascript:alert(1)">
<form action="/c#"><a href="#">
<a href="javascript%3Aalert%281%29"><img src="#javascript%3Aalert%281%29"><a href="">
END
writes url-otherwise url '.other = STR("/o?a")' <<'END'
<a href="/x?page=&amp;n=0" title="">
<form action="/c#"><a href="/o?a">
<a href=""><img src="/o?a"><a href="">
END

template sections.html <<'END'
{{?flag}}yes{{/flag}}{{^flag}}no{{/flag}} {{?name}}({{name}}){{/name}}{{^name}}nobody{{/name}}{{?rows}}:{{/rows}}{{^rows}}none{{/rows}}
{{#rows}}
  <li>{{x}}{{../name}}{{?../flag}}!{{/../flag}}{{#inner}}({{y}}{{../x}}{{../../name}}){{/inner}}{{#../more}}[{{z integer}}{{../x}}]{{/../more}}</li>
{{/rows}}
{{#rows}}.{{again}}{{/rows}}{{#empty}}-{{/empty}}{{?body}}{{body html}}{{/body}}
END
writes sections-none sections '.flag = false' <<'END'
no nobodynone

END
writes sections-some sections '.flag = true, .name = STR("N"), .rows_n = 2, .more_n = 1, .empty_n = 3,
		    .more = (struct page_sections_more[]){{.z = 9}},
		    .body = {STR("<hr>")},
		    .rows = (struct page_sections_rows[]){{.x = STR("1"), .again = STR("A")}, {.x = STR("2"), .inner_n = 2,
		    .inner = (struct page_sections_rows_inner[]){{STR("a")}, {STR("b")}}}}' <<'END'
yes (N):
  <li>1N![91]</li>
  <li>2N!(a2N)(b2N)[92]</li>
.A.---<hr>
END

template tag.html <<'END'
<input{{?checked}} checked{{/checked}} name="a"{{?title}} title="{{title}}"{{/title}}>
<input
  {{?checked}}
  checked
  {{/checked}}
  class="a{{?checked}} b{{/checked}}{{#rows}} {{c}}{{/rows}}">
END
writes tag-without tag '.checked = false' <<'END'
<input name="a">
<input
  class="a">
END
writes tag-with tag '.checked = true, .title = STR("\""), .rows_n = 1, .rows = (struct page_tag_rows[]){{STR("c")}}' <<'END'
<input checked name="a" title="&quot;">
<input
  checked
  class="a b c">
END

template standalone.html <<'END'
{{! a comment }}
a
  {{?flag}}
b
  {{/flag}}{{^flag}}
c
	{{/flag}} {{! and
a comment of two lines }}
d {{?flag}}
e{{/flag}}
  {{>part rows}}
 {{"greeting"}}
{{?flag}} {{name}} {{/flag}}
{{?flag}}{{/flag}}
END
writes standalone-true standalone '.flag = true, .name = STR("N"), .rows_n = 1, .rows = (struct page_part[]){{STR("p")}}' <<'END'
a
b
d 
e
part p
 Hello
 N 
END
writes standalone-false standalone '.flag = false' <<'END'
a
c
d 
 Hello

END

cp part.html part.json good/
template tree.html <<'END'
<li>{{name}}{{?replies}}<ul>{{>tree replies}}</ul>{{/replies}}{{#rows}}{{>tree replies}}{{/rows}}{{>part parts}}</li>
END
writes part-recursive tree '.name = STR("1"), .replies_n = 2, .replies = (struct page_tree[]){{.name = STR("2")}, {.name = STR("<"),
		    .replies_n = 1, .replies = (struct page_tree[]){{.name = STR("4")}}}}, .parts_n = 1,
		    .parts = (struct page_part[]){{STR("&")}}, .rows_n = 1, .rows = (struct page_tree_rows[]){{.replies_n = 1,
		    .replies = (struct page_tree[]){{.name = STR("5")}}}}' <<'END'
<li>1<ul><li>2</li>
<li>&lt;<ul><li>4</li>
</ul></li>
</ul><li>5</li>
part &amp;
</li>
END

template say.html <<'END'
{{"greeting"}} {{"sign"}} {{"question"}} {{"by" name}} {{"by" name=other}} {{"braces" name}}
<p title="{{"by" name}} {{"sign"}}">{{"replies" n title=name}}<a href="{{"link" name}}">{{#rows}}{{"replies" n ../name title=../name}}{{"by" ../name}}{{/rows}}{{"some" n}}
END
sed -i 's/ \.\.\/name title=/ title=/' good/say.html
writes words-one say '.name = STR("<b>"), .other = STR("O"), .n = 1, .rows_n = 1, .rows = (struct page_say_rows[]){{0}}' <<'END'
Hello A &amp; B &lt;i&gt; What??! &lt;b&gt; says: O says: {not a hole} &lt;b&gt;
<p title="&lt;b&gt; says: A &amp; B &lt;i&gt;">1 reply to &lt;b&gt;<a href="/help/&lt;b&gt;">0 replies to &lt;b&gt;&lt;b&gt; says:One
END
writes words-other say '.name = STR("{n}{{"), .n = 2' <<'END'
Hello A &amp; B &lt;i&gt; What??! {n}{{ says:  says: {not a hole} {n}{{
<p title="{n}{{ says: A &amp; B &lt;i&gt;">2 replies to {n}{{<a href="/help/{n}{{">Some
END

template values.json <<'END'
{"name":{{name}},"n":{{n integer}},"f":{{flag bool}},"html":{{body html}},"w":{{"by" name}},"e":"\"{",
"rows":[{{#rows}}{{,}}{{x}}{{/rows}}],"map":{{{#rows}}{{,}}{{x}}:{{n integer}}{{/rows}}},
"next":{{?next}}{{next}}{{/next}}{{^next}}false{{/next}},"either":{{?flag}}{{name}}{{/flag}}{{?nothing}}{{name}}{{/nothing}}{{^flag}}1{{/flag}},"parts":[{{>part parts}}]}
END
writes json-nothing values_json '.flag = false' <<'END'
{"name":null,"n":0,"f":false,"html":null,"w":" says:","e":"\"{",
"rows":[],"map":{},
"next":false,"either":1,"parts":[]}
END
writes json-all values_json '.name = STR("a\"\\\n<"), .n = 3, .flag = true, .body = {STR("<p>")}, .next = STR("x"),
		    .rows_n = 3, .rows = (struct page_values_json_rows[]){{STR("r"), 1}, {STR(""), 2}, {STR("s"), 3}},
		    .parts_n = 2, .parts = (struct page_part_json[]){{STR("1")}, {STR("2")}}' <<'END'
{"name":"a\"\\\n\u003c","n":3,"f":true,"html":"\u003cp\u003e","w":"a\"\\\n\u003c says:","e":"\"{",
"rows":["r","","s"],"map":{"r":1,"":2,"s":3},
"next":"x","either":"a\"\\\n\u003c","parts":[{"name":"1"}
,{"name":"2"}
]}
END

template feed.xml <<'END'
<?xml version="1.0" encoding="utf-8"?>
<!-- "it's" --><feed a="{{name}}"><Title>{{name}}</Title><link href="{{url}}/x{{page path}}"/>{{body html}}{{"sign"}}<![CDATA[<a b='c']]></feed>
END
writes xml feed_xml '.name = STR("<\"&\x01"), .url = STR("https://a"), .page = STR("/b c"), .body = {STR("<p>")}' <<'END'
<?xml version="1.0" encoding="utf-8"?>
<!-- "it's" --><feed a="&lt;&quot;&amp;�"><Title>&lt;&quot;&amp;�</Title><link href="https://a/x/b%20c"/>&lt;p&gt;A &amp; B &lt;i&gt;<![CDATA[<a b='c']]></feed>
END

template mail.txt <<'END'
<a href={{name}}> {{"replies" n title=name}}
{{#rows}}
  * {{x}}
{{/rows}}
-- 
END
writes txt mail_txt '.name = STR("<&>"), .n = 1, .rows_n = 2, .rows = (struct page_mail_txt_rows[]){{STR("1")}, {STR("2")}}' <<'END'
<a href=<&>> 1 reply to <&>
  * 1
  * 2
-- 
END

template plain.html <<'END'
<!DOCTYPE html><title>a < b</title><p>1 < 2 \ "x" ??= ü	tab
END
writes plain plain '0' <<'END'
<!DOCTYPE html><title>a < b</title><p>1 < 2 \ "x" ??= ü	tab
END
template nothing.html <<'END'
{{?f}}{{/f}}
END
writes nothing nothing '0' < /dev/null
i=0
while [ $i -lt 900 ]; do
	echo "<p>line $i ü</p>"
	i=$((i + 1))
done > good/long.html
tr -d '\n' < good/long.html > good/long_line.html
writes long long '0' < good/long.html
writes long-line long_line '0' < good/long_line.html

rm -rf gen twin
if ! "$binary" words gen good/*; then
	not_ok 'takes all good templates'
elif ! "$binary" words twin good/* || ! diff -r gen twin; then
	not_ok 'writes the same twice'
else
	ok 'writes the same twice'
fi

{
	printf '#include <stdio.h>\n#include <string.h>\n'
	for header in gen/page/*.h; do
		printf '#include "page/%s"\n' "$(basename "$header")"
	done
	printf '\nstatic void\ncall(struct out *out, const char *name)\n{\n'
	cat calls.c
	cat <<'END'
}

int
main(int argc, char **argv)
{
	struct arena arena;
	struct out out;
	arena_init(&arena, 1 << 24);
	out_init(&out, &arena);
	if (argc == 2)
		call(&out, argv[1]);
	bool good = !out.failed && fwrite(out.at == NULL ? "" : out.at, 1, out.len, stdout) == out.len;
	arena_free(&arena);
	return good ? 0 : 1;
}
END
} > main.c

warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
 -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual -Wcast-align -Wwrite-strings -Wundef
 -Wvla -Wformat=2 -Wnull-dereference -Wdouble-promotion -Wimplicit-fallthrough"
for cc in gcc clang; do
	command -v $cc > /dev/null || continue
	more=
	[ $cc = gcc ] && more="-Wlogical-op -Wduplicated-cond -Wduplicated-branches"
	# shellcheck disable=SC2086
	if $cc -std=c11 -O1 -Werror $warnings $more -I"$root/src" -Igen -fsyntax-only gen/*.c gen/page/*.c 2> out.err; then
		ok "$cc has no warning for the generated C"
	else
		not_ok "$cc has no warning for the generated C" "$(head -20 out.err)"
	fi
done

# shellcheck disable=SC2086
if ! ${CC:-gcc} -std=c11 -D_GNU_SOURCE ${CFLAGS:--O1 -g} -Wno-missing-field-initializers -I"$root/src" -Igen -o program \
    main.c gen/*.c gen/page/*.c "$root/src/arena.c" "$root/src/str.c" "$root/src/out.c" "$root/src/words.c" \
    "$root/src/words_file.c" 2> out.err; then
	not_ok 'compiles the generated C' "$(head -20 out.err)"
	cases=
fi
for name in $cases; do
	if ./program "$name" > out.got && cmp -s out.got "expect/$name"; then
		ok "writes $name"
	else
		not_ok "writes $name" "$(diff out.got "expect/$name")"
	fi
done

if grep -q '^ \* What the tests$' gen/page/text.h && grep -q '^ \* print first\.$' gen/page/text.h; then
	ok 'the first comment becomes the comment of the function'
else
	not_ok 'the first comment becomes the comment of the function' "$(cat gen/page/text.h)"
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
