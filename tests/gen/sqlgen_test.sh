#!/bin/sh
# What sqlgen must refuse, naming file and line, and what it must let pass.
# usage: sqlgen_test.sh SQLGEN
set -u

[ $# -eq 1 ] || { echo "usage: $0 SQLGEN" >&2; exit 2; }
sqlgen=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
passed=0
failed=0

# The tables that all cases share; line 13 is the last.
schema() {
	cat <<'SQL'
CREATE TABLE page (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL,
  title TEXT,
  size INTEGER
) STRICT;
CREATE INDEX page_size ON page (size);
CREATE TABLE note (id INTEGER PRIMARY KEY, page_id INTEGER NOT NULL REFERENCES page (id), path BLOB NOT NULL,
  body TEXT NOT NULL) STRICT;
CREATE INDEX note_page ON note (page_id);
CREATE VIRTUAL TABLE word USING fts5 (body);
CREATE TRIGGER page_gone BEFORE DELETE ON page BEGIN DELETE FROM note WHERE page_id = old.id; END;
PRAGMA user_version = 1;
SQL
}

good() { # NAME: the case was as it should be
	passed=$((passed + 1))
	echo "ok      $1"
}

bad() { # NAME WHY
	failed=$((failed + 1))
	echo "FAILED  $1: $2"
	sed 's/^/        | /' err
}

run() {
	mkdir -p out
	"$sqlgen" sql/shop out >out.txt 2>err
	result=$?
}

begin() { # the queries come from standard input
	rm -rf sql out
	mkdir -p sql/shop
	schema >sql/shop/schema.sql
	cat >sql/shop/query.sql
}

# NAME FILE:LINE PATTERN — exactly this complaint, exit 1, and nothing written
expect_refusal() {
	run
	if [ "$result" -ne 1 ]; then
		bad "$1" "exit $result, wanted 1"
	elif ! grep -q "^sql/shop/$2: .*$3" err; then
		bad "$1" "wanted \`sql/shop/$2: ...$3\`"
	elif [ -e out/shop ]; then
		bad "$1" "something was written all the same"
	else
		good "$1"
	fi
}

refuse() { # NAME FILE:LINE PATTERN, queries from standard input
	begin
	expect_refusal "$@"
}

# NAME [PATTERN ...], queries from standard input: each pattern stands in the generated files
pass() {
	begin
	expect_pass "$@"
}

expect_pass() {
	name=$1
	shift
	run
	if [ "$result" -ne 0 ]; then
		bad "$name" "exit $result"
		return
	fi
	for pattern in "$@"; do
		if ! grep -qxF "$pattern" out/shop/*.[ch]; then
			bad "$name" "nowhere in the output: $pattern"
			return
		fi
	done
	good "$name"
}

# --- refused: what SQLite does not understand ----------------------------------------------------

refuse 'syntax error, its line' query.sql:5 'syntax error' <<'SQL'
-- find: a page.
-- one
SELECT id,
       path
  FORM page
 WHERE id = :id;
SQL

refuse 'unknown table' query.sql:3 'no such table: pages' <<'SQL'
-- find: a page.
-- one
SELECT id FROM pages WHERE id = :id;
SQL

refuse 'unknown column' query.sql:4 'no such column: name' <<'SQL'
-- find: a page.
-- one
SELECT id,
       name FROM page WHERE id = :id;
SQL

refuse 'a name in double quotes is no text' query.sql:3 'no such column' <<'SQL'
-- find: a page.
-- one
SELECT id FROM page WHERE path = "x" AND id = :id;
SQL

refuse 'a statement that is no query' query.sql:2 'neither SELECT' <<'SQL'
-- drop: away with it.
DROP TABLE page;
SQL

refuse 'a transaction' query.sql:2 'neither SELECT' <<'SQL'
-- start: begins.
BEGIN;
SQL

refuse 'a pragma' query.sql:2 'neither SELECT' <<'SQL'
-- fast: dangerous.
PRAGMA synchronous = OFF;
SQL

many_tables() { # a statement that reads the table by 70 ways
	echo '-- widely: from everywhere.'
	echo '-- many'
	printf 'WITH '
	for i in $(seq 70); do printf 'way%s AS (SELECT id FROM page WHERE id = %s), ' "$i" "$i"; done
	printf 'last AS (SELECT id FROM way1)\nSELECT id FROM last'
	for i in $(seq 2 70); do printf ' UNION ALL SELECT id FROM way%s' "$i"; done
	echo ';'
}
many_tables >many
refuse 'more tables than can be kept' query.sql:3 'touches more tables than the generator can keep' <many

# --- refused: types ------------------------------------------------------------------------------

refuse 'a parameter of unknown type' query.sql:1 'parameter :most is no column' <<'SQL'
-- some: pages.
-- many
SELECT id FROM page WHERE id > :id ORDER BY id LIMIT :most;
SQL

refuse 'a parameter of two types' query.sql:1 'parameter :path is text in page and blob in note' <<'SQL'
-- some: pages.
-- many
SELECT page.id FROM page JOIN note ON note.page_id = page.id WHERE page.id = 1 AND page.path = :path;
SQL

refuse 'a parameter without a name' query.sql:1 'must be written :name' <<'SQL'
-- find: a page.
-- one
SELECT id FROM page WHERE id = ?;
SQL

refuse 'a parameter in another notation' query.sql:1 'must be written :name' <<'SQL'
-- find: a page.
-- one
SELECT id FROM page WHERE id = @id;
SQL

refuse 'a result of unknown type' query.sql:1 'column n is no plain column' <<'SQL'
-- how_many: pages of a size.
-- one
SELECT count(*) AS n FROM page WHERE size = :size;
SQL

refuse 'a result without a name' query.sql:1 'needs a name' <<'SQL'
-- how_many: pages of a size.
-- one
SELECT count(*) FROM page WHERE size = :size;
SQL

refuse 'a result named by a keyword of C' query.sql:1 'needs a name' <<'SQL'
-- find: a page.
-- one
SELECT path AS register FROM page WHERE id = :id;
SQL

refuse 'two results of one name' query.sql:1 'two result columns are called id' <<'SQL'
-- find: a page.
-- many
SELECT page.id, note.id FROM page JOIN note ON note.page_id = page.id WHERE page.id = 1;
SQL

refuse 'a result declared as another type' query.sql:3 'column path is text, not integer' <<'SQL'
-- find: a page.
-- one
-- out path integer
SELECT path FROM page WHERE id = :id;
SQL

refuse 'results of a compound' query.sql:1 'column path is no plain column' <<'SQL'
-- both: of both.
-- many
SELECT path FROM page WHERE id = 1 UNION ALL SELECT path FROM note WHERE id = 1;
SQL

refuse 'an expression in RETURNING' query.sql:1 'column n is no plain column' <<'SQL'
-- add: a page.
-- one
INSERT INTO page (path) VALUES (:path) RETURNING length(path) AS n;
SQL

# --- refused: heads ------------------------------------------------------------------------------

refuse 'a declared parameter that nothing uses' query.sql:3 'nothing uses the declared parameter most' <<'SQL'
-- find: a page.
-- one
-- in most integer
SELECT id FROM page WHERE id = :id;
SQL

refuse 'a declared column that nothing uses' query.sql:3 'nothing uses the declared column n' <<'SQL'
-- find: a page.
-- one
-- out n integer
SELECT id FROM page WHERE id = :id;
SQL

refuse 'a declaration of no type' query.sql:3 'a declaration is a name and one of' <<'SQL'
-- find: a page.
-- one
-- in most number
SELECT id FROM page WHERE id = :id;
SQL

refuse 'a declaration twice' query.sql:4 'declared twice' <<'SQL'
-- find: a page.
-- one
-- in most integer
-- in most integer
SELECT id FROM page WHERE id = :id LIMIT :most;
SQL

refuse 'an unknown head line' query.sql:2 'a head line is' <<'SQL'
-- find: a page.
-- oen
SELECT id FROM page WHERE id = :id;
SQL

refuse 'one and many' query.sql:3 'one line .one. or .many.' <<'SQL'
-- find: a page.
-- one
-- many
SELECT id FROM page WHERE id = :id;
SQL

refuse 'results without one or many' query.sql:1 'say .-- one. or .-- many.' <<'SQL'
-- find: a page.
SELECT id FROM page WHERE id = :id;
SQL

refuse 'one without results' query.sql:1 'no result columns' <<'SQL'
-- gone: away.
-- one
DELETE FROM page WHERE id = :id;
SQL

refuse 'many without results' query.sql:1 'no result columns' <<'SQL'
-- gone: away.
-- many
DELETE FROM page WHERE id = :id;
SQL

refuse 'a name twice in a file' query.sql:5 'find is named already at sql/shop/query.sql:1' <<'SQL'
-- find: a page.
-- one
SELECT id FROM page WHERE id = :id;

-- find: a page.
-- one
SELECT id FROM page WHERE id = :id;
SQL

begin <<'SQL'
-- find: a page.
-- one
SELECT id FROM page WHERE id = :id;
SQL
cp sql/shop/query.sql sql/shop/zebra.sql
expect_refusal 'a name twice in two files' zebra.sql:1 'find is named already at sql/shop/query.sql:1'

refuse 'two statements in a block' query.sql:4 'a second statement behind find' <<'SQL'
-- find: a page.
-- one
SELECT id FROM page WHERE id = :id;
SELECT path FROM page WHERE id = :id;
SQL

refuse 'two statements on a line' query.sql:3 'a second statement behind find' <<'SQL'
-- find: a page.
-- one
SELECT id FROM page WHERE id = :id; SELECT 1;
SQL

refuse 'a statement without a head' query.sql:1 'without a head' <<'SQL'
SELECT id FROM page WHERE id = :id;
SQL

refuse 'a head without a statement' query.sql:1 'find has no statement' <<'SQL'
-- find: a page.
-- one

-- gone: away.
DELETE FROM page WHERE id = :id;
SQL

refuse 'a statement that does not end' query.sql:1 'no statement that ends' <<'SQL'
-- gone: away.
DELETE FROM page WHERE id = :id
SQL

refuse 'a statement that runs into the next head' query.sql:1 'no statement that ends' <<'SQL'
-- gone: away.
DELETE FROM page WHERE id = :id

-- gone_too: away.
DELETE FROM page WHERE id = :id;
SQL

refuse 'a semicolon in a text ends nothing' query.sql:1 'no statement that ends' <<'SQL'
-- gone: away.
DELETE FROM page WHERE path = 'a;b' -- really;
SQL

refuse 'a name without a sentence' query.sql:1 'has no sentence' <<'SQL'
-- gone:
DELETE FROM page WHERE id = :id;
SQL

refuse 'a sentence that would end its comment' query.sql:1 'comment of C' <<'SQL'
-- gone: away */ int x;
DELETE FROM page WHERE id = :id;
SQL

begin <<'SQL'
-- gone: away.
DELETE FROM page WHERE id = :id;
SQL
mv sql/shop/query.sql sql/shop/que-ry.sql
expect_refusal 'a file that cannot be named in C' que-ry.sql:1 'cannot be called so'

# --- refused: plans ------------------------------------------------------------------------------

refuse 'a scan of a table' query.sql:1 'SCAN page' <<'SQL'
-- by_path: a page.
-- many
SELECT id FROM page WHERE path = :path;
SQL

begin <<'SQL'
-- by_path: a page.
-- many
-- in wanted text
SELECT p.id FROM page AS p WHERE p.path = :wanted;
SQL
expect_refusal 'a scan under an alias' query.sql:1 'SCAN p'

refuse 'a scan of an index' query.sql:1 'SCAN page USING' <<'SQL'
-- sizes: of pages.
-- many
SELECT size FROM page ORDER BY size;
SQL

refuse 'a scan inside a CTE' query.sql:1 'SCAN page' <<'SQL'
-- by_path: a page.
-- many
-- in wanted text
WITH found AS MATERIALIZED (SELECT id FROM page WHERE path = :wanted) SELECT id FROM found;
SQL

refuse 'a CTE does not hide a table of its name' query.sql:1 'SCAN page' <<'SQL'
-- by_path: a page.
-- many
WITH page AS MATERIALIZED (SELECT id FROM main.page WHERE size = 1) SELECT note.id FROM page JOIN note ON note.body = page.id;
SQL

refuse 'sorting' query.sql:1 'TEMP B-TREE' <<'SQL'
-- sorted: pages of a size.
-- many
SELECT path FROM page WHERE size = :size ORDER BY path;
SQL

refuse 'an automatic index' query.sql:1 'AUTOMATIC' <<'SQL'
-- same: notes like a page.
-- many
SELECT note.id FROM page CROSS JOIN note ON note.body = page.title WHERE page.size > 3;
SQL

refuse 'a deletion that scans' query.sql:1 'SCAN page' <<'SQL'
-- gone: away.
DELETE FROM page WHERE path = :path;
SQL

refuse 'a scan line that nothing needs' query.sql:3 'nothing needs this .scan:. line' <<'SQL'
-- find: a page.
-- one
-- scan: because
SELECT id FROM page WHERE id = :id;
SQL

refuse 'a scan line without a reason' query.sql:3 'must say why' <<'SQL'
-- by_path: a page.
-- many
-- scan:
SELECT id FROM page WHERE path = :path;
SQL

{
	for i in 1 2 3 4 5 6; do
		printf -- '-- by_%s: a page.\n-- many\n-- scan: few\nSELECT id FROM page WHERE path = :path;\n\n' $i
	done
} | refuse 'six scan lines' query.sql:28 'more than 5'

# --- refused: schemas ----------------------------------------------------------------------------

nothing() { begin </dev/null; }

nothing
sed -i '5s/INTEGER/INTEGRE/' sql/shop/schema.sql
expect_refusal 'a mistake in the schema' schema.sql:1 'unknown datatype'

nothing
sed -i '7s/size)/sizes)/' sql/shop/schema.sql
expect_refusal 'an unknown column in the schema' schema.sql:7 'no such column: sizes'

nothing
sed -i '13s/.*/SELECT 1;/' sql/shop/schema.sql
expect_refusal 'a schema without a version' schema.sql:13 'user_version'

nothing
echo 'CREATE TABLE late (id INTEGER PRIMARY KEY);' >>sql/shop/schema.sql
expect_refusal 'a schema that goes on behind its version' schema.sql:14 'user_version'

nothing
printf 'PRAGMA user_version = 2' >>sql/shop/schema.sql
expect_refusal 'a schema that does not end' schema.sql:14 'end in'

nothing
sed -i '13s/1/3/' sql/shop/schema.sql
echo 'ALTER TABLE page ADD COLUMN size INTEGER;' >sql/shop/migrate-2.sql
expect_refusal 'a missing migration' migrate-3.sql:1 'there is none'

nothing
echo 'ALTER TABLE page ADD COLUMN size INTEGER;' >sql/shop/migrate-2.sql
expect_refusal 'a migration that the schema does not know' migrate-2.sql:1 'version 1'

nothing
sed -i '13s/1/2/' sql/shop/schema.sql
echo 'ALTER TABLE page ADD COLUMN size INTEGER' >sql/shop/migrate-2.sql
expect_refusal 'a migration that does not end' migrate-2.sql:1 'end in'

# All mistakes at once, each on its line.
begin <<'SQL'
-- one_bad: a page.
-- one
SELECT nothing FROM page WHERE id = :id;

-- fine: a page.
-- one
SELECT id FROM page WHERE id = :id;

-- two_bad: a page.
SELECT id FROM page WHERE id = :number;
SQL
run
if [ "$(grep -c '^sql/shop/query.sql:' err)" -eq 3 ] && grep -q ':3: ' err && [ "$(grep -c ':9: ' err)" -eq 2 ]; then
	good 'all the mistakes at once'
else
	bad 'all the mistakes at once' 'wanted one on line 3 and two on line 9'
fi

# --- let pass ------------------------------------------------------------------------------------

pass 'one row' 'struct find_in {' '	int64_t id;' 'struct find_row {' '	struct str path;' '	struct str title;' \
	'	struct db_integer size;' '/* A page, all of it. */' \
	'MUST_USE enum status find(struct db_conn *conn, struct arena *arena, const struct find_in *in, struct find_row *row);' <<'SQL'
-- find: a page, all of it.
-- one
SELECT id, path, title, size FROM page WHERE id = :id;
SQL

pass 'a nullable parameter' '	struct db_integer size;' '	db_bind_optional(stmt, 1, in->size);' '	db_bind_text(stmt, 2, in->path);' \
	'MUST_USE enum status resize(struct db_conn *conn, const struct resize_in *in, int64_t *changes);' <<'SQL'
-- resize: of a page.
UPDATE page SET size = :size, path = :path WHERE id = :id;
SQL

pass 'no parameters' 'MUST_USE enum status clear(struct db_conn *conn, int64_t *changes);' <<'SQL'
-- clear: what has no size.
DELETE FROM page WHERE size IS NULL;
SQL

pass 'RETURNING is read to its end' '	while (status == STATUS_OK && found) /* foreign keys are looked at behind the last row */' \
	'	row->id = db_column_integer(stmt, 0);' <<'SQL'
-- add: a page.
-- one
INSERT INTO page (path) VALUES (:path) RETURNING id;
SQL

pass 'declared parameters and columns' '	int64_t most;' '	struct str kind;' '	struct db_integer n;' '	struct str sum;' <<'SQL'
-- some: numbers.
-- many
-- in most integer
-- in kind blob?
-- out n integer?
-- out sum blob
SELECT id, size + 1 AS n, :kind AS sum FROM page WHERE id > :id ORDER BY id LIMIT :most;
SQL

pass 'many' \
	'MUST_USE enum status of_size(struct db_conn *conn, struct arena *arena, const struct of_size_in *in, struct of_size_row **rows, size_t *rows_n);' <<'SQL'
-- of_size: pages of a size.
-- many
SELECT id FROM page WHERE size = :size;
SQL

pass 'a recursive CTE' '	int64_t n;' <<'SQL'
-- numbers: the first few.
-- many
-- in most integer
-- out n integer
WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :most) SELECT n FROM number;
SQL

pass 'a scan of a materialised CTE' <<'SQL'
-- titles: of pages of a size.
-- many
WITH found AS MATERIALIZED (SELECT id, title FROM page WHERE size = :size) SELECT title FROM found;
SQL

pass 'a virtual table' '	db_bind_text(stmt, 1, in->words);' <<'SQL'
-- search: for words.
-- many
-- in words text
SELECT rowid AS id FROM word WHERE word MATCH :words;
SQL

pass 'VALUES' '	int64_t n;' <<'SQL'
-- three: numbers.
-- many
-- out n integer
SELECT column1 AS n FROM (VALUES (1), (2), (3));
SQL

pass 'one constant row' '	int64_t n;' <<'SQL'
-- one_row: a number.
-- one
-- out n integer
SELECT 1 AS n;
SQL

pass 'a scan line that is needed' <<'SQL'
-- by_path: a page.
-- many
-- scan: there are few pages
SELECT id FROM page WHERE path = :path;
SQL

pass 'a parameter that a trigger would confuse' '	int64_t id;' <<'SQL'
-- gone: away, with its notes.
DELETE FROM page WHERE id = :id;
SQL

pass 'a left join makes columns nullable, of its own side only' '	int64_t page;' '	struct db_integer note;' <<'SQL'
-- with_notes: a page with its notes, if any.
-- many
SELECT page.id AS page, n.id AS note FROM page LEFT JOIN note AS n ON n.page_id = page.id WHERE page.id = :id;
SQL

pass 'a table joined to itself' '	int64_t mine;' '	struct db_integer other;' <<'SQL'
-- pair: a page and another.
-- many
SELECT a.id AS mine, b.id AS other FROM page AS a LEFT JOIN page AS b ON b.id = a.size WHERE a.id = :id;
SQL

pass 'a subquery may find nothing' '	struct db_integer note;' <<'SQL'
-- first_note: a page's.
-- one
SELECT (SELECT id FROM note WHERE page_id = page.id LIMIT 1) AS note FROM page WHERE id = :id;
SQL

pass 'a declaration settles what disagrees' '	struct str path;' <<'SQL'
-- some: pages.
-- many
-- in path text
SELECT page.id FROM page JOIN note ON note.page_id = page.id WHERE page.id = 1 AND page.path = :path;
SQL

pass 'a preface, a continued sentence, comments and quotes in SQL' '/* A page, whose sentence' ' * goes on here. */' <<'SQL'
-- Queries about pages.

-- find: a page, whose sentence
--   goes on here.
-- one
SELECT id -- a "comment"; with everything
  FROM page /* and ; another */
 WHERE path <> 'semi;colon ''quoted'' "double" back\slash ??/' AND id = :id; -- behind

-- gone: away.
DELETE FROM page WHERE id = :id;
SQL

nothing
sed -i '13s/1/3/' sql/shop/schema.sql
echo 'ALTER TABLE page ADD COLUMN size INTEGER;' >sql/shop/migrate-2.sql
printf 'CREATE TRIGGER t DELETE ON note BEGIN SELECT 1; SELECT 2; END;\nDROP TRIGGER t;\n' >sql/shop/migrate-3.sql
expect_pass 'migrations' '	.version = 3,' 'static const char *const *const migrations[] = {migrate_2, migrate_3};' \
	'	"CREATE TRIGGER t DELETE ON note BEGIN SELECT 1; SELECT 2; END;"),'

# --- what is generated ---------------------------------------------------------------------------

begin <<'SQL'
-- find: a page.
-- one
SELECT id, path, title, size FROM page WHERE id = :id;

-- of_size: pages of a size.
-- many
SELECT id, path AS "path" FROM page WHERE size = :size AND path <> 'semi;colon "double" back\slash ??/';

-- add: a page.
-- one
INSERT INTO page (path) VALUES (:path) RETURNING id;

-- gone: away.
DELETE FROM page WHERE id = :id;
SQL
sed -i '13s/1/2/' sql/shop/schema.sql
echo 'ALTER TABLE page ADD COLUMN size INTEGER;' >sql/shop/migrate-2.sql
run
cp -r out first
run
if [ "$result" -eq 0 ] && diff -r out first >err; then
	good 'the same bytes every time'
else
	bad 'the same bytes every time' 'they differ'
fi

flags='-std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual -Wcast-align -Wwrite-strings -Wundef -Wvla
  -Wformat=2 -Wnull-dereference -Wdouble-promotion -Wimplicit-fallthrough -Werror'
mkdir -p gen && rm -rf gen/sql && cp -r out gen/sql
for compiler in gcc clang; do
	if ! command -v $compiler >/dev/null; then
		echo "skipped compiled by $compiler: there is none"
		continue
	fi
	clean=yes
	for file in gen/sql/shop/*.c; do
		# shellcheck disable=SC2086
		$compiler $flags -O2 -I"$root/src" -Igen -c "$file" -o /dev/null 2>err || clean=no
		[ $clean = yes ] || break
	done
	if [ $clean = yes ]; then
		good "compiled by $compiler without a warning"
	else
		bad "compiled by $compiler without a warning" "$file"
	fi
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
