#include "fcgi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

enum { SYSTEMD_FIRST_FD = 3 };

static bool
is_listening(int fd)
{
	int listening = 0;
	socklen_t len = sizeof listening;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening != 0;
}

static int
inherited(void)
{
	const char *pid = getenv("LISTEN_PID");
	if (is_listening(STDIN_FILENO))
		return STDIN_FILENO;
	if (pid != NULL && strtol(pid, NULL, 10) == (long)getpid() && is_listening(SYSTEMD_FIRST_FD))
		return SYSTEMD_FIRST_FD;
	return -1;
}

/* Of one that hangs, so that no more connections may wait (EAGAIN), nobody waits to hear it either. */
static bool
is_taken(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool taken = fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN);
	if (fd >= 0)
		close(fd);
	return taken;
}

bool
fcgi_answers(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >= sizeof address.sun_path)
		return false;
	return is_taken(&address);
}

static enum status
cannot_listen(const char *path)
{
	log_event(LOG_LEVEL_ERROR, "cannot listen on %s: %s", path, strerror(errno));
	return STATUS_BROKEN;
}

static enum status
bind_new(const char *path, mode_t mode, int *listener)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return cannot_listen(path);
	}
	/* A socket file that nobody listens on is left over from a program that was killed. */
	if (is_taken(&address)) {
		log_event(LOG_LEVEL_ERROR, "%s: another program listens there already", path);
		return STATUS_CONFLICT;
	}
	/* A slip of the pen may name the database. */
	struct stat info;
	if (lstat(path, &info) == 0 && !S_ISSOCK(info.st_mode)) {
		log_event(LOG_LEVEL_ERROR, "%s: there is a file of that name, and it is no socket", path);
		return STATUS_CONFLICT;
	}
	unlink(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* It is made with its mode: behind a chmod(2) another file might lie there, where others may write. */
	mode_t mask = umask(~mode & 0777);
	bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
	int reason = errno;
	umask(mask);
	errno = reason;
	if (!bound || listen(fd, FCGI_BACKLOG) != 0) {
		enum status status = cannot_listen(path);
		if (fd >= 0)
			close(fd);
		return status;
	}
	*listener = fd;
	return STATUS_OK;
}

enum status
fcgi_listen(const char *path, unsigned mode, struct fcgi_socket *listener)
{
	*listener = (struct fcgi_socket){.fd = inherited(), .inherited = true};
	if (listener->fd >= 0) {
		/* Whoever made it may have asked for a short backlog.  Refused, the one that it has stays. */
		(void)listen(listener->fd, FCGI_BACKLOG);
		return STATUS_OK;
	}
	listener->inherited = false;
	if (path != NULL)
		return bind_new(path, mode, &listener->fd);
	log_event(LOG_LEVEL_ERROR, "no socket: start with one as file descriptor 0, from a systemd socket unit, "
	                           "or with --socket PATH");
	return STATUS_INVALID;
}
