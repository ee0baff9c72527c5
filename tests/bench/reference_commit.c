/*
 * reference_commit SOCKET THREADS DATABASE - puts each body into one table as it is, and answers when
 * the commit that holds it is synced: the least that «on disk before the answer» can cost with these
 * libraries.  Bodies that wait share a commit.  At its end it prints one line of JSON: rows, commits,
 * and what SQLite says of its own settings.
 *
 * Nothing is read from the body, hashed, sealed or indexed.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "reference.h"

/* Stands for what the product stores beside the words: two sealed addresses, six hashes, times. */
enum { BESIDE = 480 };

struct order {
	const char *body;
	size_t len;
	bool done, stored;
	pthread_cond_t change;
	struct order *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t waiting = PTHREAD_COND_INITIALIZER;
static struct order *first, **last = &first;

static sqlite3 *sqlite;
static sqlite3_stmt *add;
static long long rows, commits;

static bool
run(const char *sql)
{
	if (sqlite3_exec(sqlite, sql, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	fprintf(stderr, "reference_commit: %s: %s\n", sql, sqlite3_errmsg(sqlite));
	return false;
}

static bool
insert(const struct order *order)
{
	sqlite3_bind_blob(add, 1, order->body, (int)order->len, SQLITE_STATIC);
	bool added = sqlite3_step(add) == SQLITE_DONE;
	sqlite3_reset(add);
	return added;
}

static struct order *
take_all(void)
{
	pthread_mutex_lock(&lock);
	while (first == NULL)
		pthread_cond_wait(&waiting, &lock);
	struct order *batch = first;
	first = NULL;
	last = &first;
	pthread_mutex_unlock(&lock);
	return batch;
}

static void
tell_all(struct order *batch, bool stored)
{
	pthread_mutex_lock(&lock);
	commits++;
	for (struct order *order = batch, *next; order != NULL; order = next) {
		next = order->next; /* the order is its thread's and may be gone once it is done */
		rows++;
		order->stored = stored;
		order->done = true;
		pthread_cond_signal(&order->change);
	}
	pthread_mutex_unlock(&lock);
}

static void *
write_all(void *context)
{
	for (;;) {
		struct order *batch = take_all();
		bool stored = run("BEGIN IMMEDIATE");
		for (struct order *order = batch; order != NULL; order = order->next)
			stored = insert(order) && stored;
		tell_all(batch, run(stored ? "COMMIT" : "ROLLBACK") && stored);
	}
	return context;
}

static bool
store(const char *body, size_t len)
{
	struct order order = {.body = body, .len = len, .change = PTHREAD_COND_INITIALIZER};
	pthread_mutex_lock(&lock);
	*last = &order;
	last = &order.next;
	pthread_cond_signal(&waiting);
	while (!order.done)
		pthread_cond_wait(&order.change, &lock);
	pthread_mutex_unlock(&lock);
	return order.stored;
}

static bool
open_store(const char *path)
{
	pthread_t writer;
	char sql[160];
	snprintf(sql, sizeof sql, "INSERT INTO reply (body, beside) VALUES (?1, zeroblob(%d))", BESIDE);
	return sqlite3_open(path, &sqlite) == SQLITE_OK && run("PRAGMA journal_mode = WAL") &&
	       run("PRAGMA synchronous = FULL") &&
	       run("CREATE TABLE reply (id INTEGER PRIMARY KEY, body BLOB NOT NULL, beside BLOB NOT NULL) STRICT") &&
	       sqlite3_prepare_v2(sqlite, sql, -1, &add, NULL) == SQLITE_OK &&
	       pthread_create(&writer, NULL, write_all, NULL) == 0;
}

/* What a setting is, as SQLite itself says: 0 and "" on failure. */
static void
print_setting(const char *name)
{
	char sql[64];
	sqlite3_stmt *stmt = NULL;
	snprintf(sql, sizeof sql, "PRAGMA %s", name);
	bool there = sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW;
	printf(", \"%s\": \"%s\"", name, there ? (const char *)sqlite3_column_text(stmt, 0) : "");
	sqlite3_finalize(stmt);
}

static void
print_summary(void)
{
	pthread_mutex_lock(&lock);
	printf("{\"rows\": %lld, \"commits\": %lld, \"rows_a_commit\": %.2f", rows, commits,
	    commits > 0 ? (double)rows / (double)commits : 0.0);
	pthread_mutex_unlock(&lock);
	print_setting("synchronous");
	print_setting("journal_mode");
	puts("}");
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	if (argc != 4 || !open_store(argv[3])) {
		fprintf(stderr, "Usage: %s SOCKET THREADS DATABASE\n", argv[0]);
		return 2;
	}
	bool served = reference_serve(argc, argv, store);
	if (served)
		print_summary();
	_exit(served ? 0 : 1);
}
