/*
 * no_filter.c - for LD_PRELOAD: the door's filter of system calls would stop valgrind's own.
 */
int seccomp_load(const void *filter);

int
seccomp_load(const void *filter)
{
	(void)filter;
	return -1;
}
