/*
 * fd.h - what a file descriptor takes in pieces, as one.
 */
#ifndef FD_H
#define FD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes all `len` bytes to `fd`, a file, a pipe or a socket, however few each write(2) takes; goes on
 * after EINTR.  False with errno as write(2) left it when some could not be written: how many were is
 * not told.  A peer that is gone raises SIGPIPE, as write(2) does.
 */
bool fd_write_all(int fd, const void *bytes, size_t len);

#endif
