/*
 * box.h - the sandbox that a door locks itself into before its first thread (Landlock, libseccomp).
 *
 * Afterwards the program reaches no file but those below its folders, and makes no system call but
 * those that serving takes: no program is run, no process made, no socket opened, nothing linked,
 * nothing traced, no memory made executable.  What is open stays open.  A refused call returns EPERM,
 * a refused file EACCES; nobody is killed, so a libc that calls something new fails softly.
 *
 * None of it can be undone by the program or by whoever takes it over.
 *
 * A kernel, a container or a sanitised build that lacks a part runs without it, and one line in the
 * log says so.  With REJOINDER_BOX=tell in the environment each refused system call is also logged,
 * by its number (ausyscall(8) and scmp_sys_resolver(1) tell the name): the tests run with it.
 */
#ifndef BOX_H
#define BOX_H

#include <stdbool.h>
#include <stddef.h>

enum box_access {
	BOX_READ, /* read files and list folders */
	BOX_WRITE /* that, and make, write, truncate, rename and remove files, and make folders */
};

struct box_path {
	const char *path; /* folder with all below it, or a file; ignored when NULL, empty, or not there */
	enum box_access access;
};

struct box {
	const struct box_path *paths;
	size_t paths_n;
	bool network; /* may open sockets and connect: for mail alone */
};

/*
 * Locks the calling thread and those that it makes.  Call it once, while there is one thread.
 * Nothing is handed back: what could not be locked has been logged, and the program may go on.
 */
void box_enter(const struct box *box);

#endif
