/*
 * hungry.c - LD_PRELOAD: the n-th allocation finds no memory.  The file that HUNGRY names holds a number of
 * eight bytes, shared with whoever set it: 0 lets all through, n counts down with each allocation, and the
 * one that makes it -1 fails.  So whoever sees it negative knows that one has failed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static _Atomic int64_t *left;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("HUNGRY");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *left, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	left = at == MAP_FAILED ? NULL : at;
}

static int
fails(void)
{
	int64_t now = left == NULL ? 0 : *left;
	while (now > 0)
		if (__atomic_compare_exchange_n((int64_t *)left, &now, now == 1 ? -1 : now - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
			errno = now == 1 ? ENOMEM : errno;
			return now == 1;
		}
	return 0;
}

void *
malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}
