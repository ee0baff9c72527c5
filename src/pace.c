#include "pace.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

enum { ROWS = 8192, ROW = 8 };

struct bucket {
	uint64_t who;  /* 0: free */
	int64_t until; /* ms since 1970 when it will be full again */
};

struct shared {
	char magic[16]; /* last field that is written: a half-made file has none */
	pthread_mutex_t lock;
	struct bucket buckets[ROWS][ROW];
};

struct pace {
	struct shared *shared;
};

static const char magic[16] = "rejoinder pace1";

/* Robust: a program that dies with the lock in its hand does not stop the others. */
static bool
make_lock(pthread_mutex_t *lock)
{
	pthread_mutexattr_t how;
	bool made = pthread_mutexattr_init(&how) == 0 &&
	            pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED) == 0 &&
	            pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST) == 0 && pthread_mutex_init(lock, &how) == 0;
	pthread_mutexattr_destroy(&how);
	return made;
}

static struct shared *
map(int fd)
{
	struct stat info;
	if (fstat(fd, &info) != 0)
		return NULL;
	/* Real blocks, not a hole: a full disk is told here and not by SIGBUS at a first touch. */
	if (info.st_size != (off_t)sizeof(struct shared) && ftruncate(fd, 0) != 0)
		return NULL;
	errno = posix_fallocate(fd, 0, (off_t)sizeof(struct shared));
	if (errno != 0)
		return NULL;
	struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		return NULL;
	if (memcmp(shared->magic, magic, sizeof magic) == 0)
		return shared;
	memset(shared, 0, sizeof *shared);
	if (!make_lock(&shared->lock)) {
		munmap(shared, sizeof *shared);
		return NULL;
	}
	memcpy(shared->magic, magic, sizeof magic);
	return shared;
}

enum status
pace_open(const char *path, struct pace **pace)
{
	struct shared *shared = NULL;
	struct pace *mine = NULL;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		shared = map(fd);
	if (shared != NULL)
		mine = malloc(sizeof *mine);
	if (mine == NULL)
		log_event(LOG_LEVEL_ERROR, "pace file %s: %s", path, strerror(errno));
	else {
		mine->shared = shared;
		*pace = mine;
	}
	if (mine == NULL && shared != NULL)
		munmap(shared, sizeof *shared);
	/* The mapping keeps the open file, and with it the lock, beyond close(2). */
	if (fd >= 0) {
		flock(fd, LOCK_UN);
		close(fd);
	}
	return mine == NULL ? STATUS_BROKEN : STATUS_OK;
}

void
pace_close(struct pace *pace)
{
	if (pace == NULL)
		return;
	munmap(pace->shared, sizeof *pace->shared);
	free(pace);
}

static void
lock(struct shared *shared)
{
	/* Whoever died held it over a few plain stores: the worst is one bucket off by one. */
	if (pthread_mutex_lock(&shared->lock) == EOWNERDEAD)
		pthread_mutex_consistent(&shared->lock);
}

/* The bucket of `who`, or the one of its row that nobody will miss most. */
static struct bucket *
find(struct shared *shared, uint64_t who)
{
	struct bucket *row = shared->buckets[who % ROWS], *emptiest = &row[0];
	for (size_t i = 0; i < ROW; i++) {
		if (row[i].who == who)
			return &row[i];
		if (row[i].until < emptiest->until)
			emptiest = &row[i];
	}
	*emptiest = (struct bucket){.who = who};
	return emptiest;
}

bool
pace_take(struct pace *pace, uint64_t who, struct pace_rule rule, int64_t now, int64_t *wait)
{
	struct shared *shared = pace->shared;
	int64_t most = rule.burst * rule.every, over;
	if (rule.every == 0)
		return true;
	lock(shared);
	struct bucket *bucket = find(shared, who == 0 ? 1 : who);
	/* A clock that was set back must not lock anybody out for years. */
	if (bucket->until > now + most)
		bucket->until = now + most;
	int64_t begin = bucket->until > now ? bucket->until : now;
	over = begin + rule.every - (now + most);
	if (over <= 0)
		bucket->until = begin + rule.every;
	pthread_mutex_unlock(&shared->lock);
	if (over > 0)
		*wait = (over + 999) / 1000;
	return over <= 0;
}

void
pace_give(struct pace *pace, uint64_t who, struct pace_rule rule)
{
	if (rule.every == 0)
		return;
	lock(pace->shared);
	find(pace->shared, who == 0 ? 1 : who)->until -= rule.every;
	pthread_mutex_unlock(&pace->shared->lock);
}
