#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "log.h"

/* --- files: Landlock ----------------------------------------------------------------------------- */

/*
 * The kernel's struct as of ABI 6 (Linux 6.12), and bits that an older header does not name: the
 * program may run on a newer kernel than it was built on.  See landlock(7).
 */
struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* from ABI 4 on */
	uint64_t scoped;             /* from ABI 6 on */
};

enum {
	ABI_REFER = 2,
	ABI_TRUNCATE = 3,
	ABI_NET = 4,
	ABI_IOCTL = 5,
	ABI_SCOPE = 6,
	FS_FIRST_BITS = 13, /* EXECUTE to MAKE_SYM are of ABI 1 */
	FS_TRUNCATE = 1 << 14,
	NET_BIND_AND_CONNECT = 3,
	SCOPE_SOCKETS_AND_SIGNALS = 3,
	FS_READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	FS_WRITE = FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
	           LANDLOCK_ACCESS_FS_REMOVE_FILE | FS_TRUNCATE,
	FS_OF_A_FILE = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE
};

/* Every right that the kernel can refuse is refused, unless a rule gives it. */
static struct ruleset
ruleset_of(long abi, bool network)
{
	unsigned bits = FS_FIRST_BITS;
	bits += abi >= ABI_REFER ? 1 : 0;
	bits += abi >= ABI_TRUNCATE ? 1 : 0;
	bits += abi >= ABI_IOCTL ? 1 : 0;
	return (struct ruleset){
	    .handled_access_fs = (1U << bits) - 1,
	    .handled_access_net = abi >= ABI_NET && !network ? NET_BIND_AND_CONNECT : 0,
	    .scoped = abi >= ABI_SCOPE ? SCOPE_SOCKETS_AND_SIGNALS : 0,
	};
}

/* An older kernel refuses a struct with members that it does not know, even if they are 0. */
static size_t
ruleset_size(long abi)
{
	if (abi < ABI_NET)
		return offsetof(struct ruleset, handled_access_net);
	return abi < ABI_SCOPE ? offsetof(struct ruleset, scoped) : sizeof(struct ruleset);
}

static bool
allow_path(int ruleset, uint64_t handled, const struct box_path *path)
{
	struct stat info;
	struct landlock_path_beneath_attr rule = {.allowed_access = path->access == BOX_WRITE ? FS_WRITE : FS_READ};
	if (path->path == NULL || path->path[0] == '\0')
		return true;
	rule.parent_fd = open(path->path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT;
	rule.allowed_access &= handled;
	if (fstat(rule.parent_fd, &info) == 0 && !S_ISDIR(info.st_mode))
		rule.allowed_access &= FS_OF_A_FILE;
	bool added = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	int reason = errno;
	close(rule.parent_fd);
	errno = reason;
	return added;
}

static bool
lock_files(const struct box *box)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return false;
	struct ruleset wanted = ruleset_of(abi, box->network);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &wanted, ruleset_size(abi), 0);
	if (ruleset < 0)
		return false;
	bool locked = true;
	for (size_t i = 0; locked && i < box->paths_n; i++)
		locked = allow_path(ruleset, wanted.handled_access_fs, &box->paths[i]);
	locked = locked && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	int reason = errno;
	close(ruleset);
	errno = reason;
	return locked;
}

/* --- system calls: libseccomp ---------------------------------------------------------------------- */

/* Names, for each architecture has others; what one lacks is no call there. */
static const char *const calls[] = {
    /* files that Landlock has let through */
    "access", "close", "dup", "faccessat", "faccessat2", "fallocate", "fchmod", "fchown", "fcntl", "fcntl64", "fdatasync",
    "flock", "fstat", "fstat64", "fstatat64", "fsync", "ftruncate", "ftruncate64", "getcwd", "getdents64", "lseek",
    "_llseek", "lstat", "lstat64", "mkdir", "mkdirat", "newfstatat", "open", "openat", "openat2", "pread64", "pwrite64",
    "read", "readlink", "readlinkat", "readv", "rename", "renameat", "renameat2", "stat", "stat64", "statx", "syncfs",
    "unlink", "unlinkat", "utimensat", "utimensat_time64", "write", "writev",
    /* connections that somebody else has made */
    "accept", "accept4", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait", "getsockopt", "_newselect", "pipe2",
    "poll", "ppoll", "ppoll_time64", "pselect6", "recvfrom", "select", "shutdown",
    /* memory */
    "brk", "madvise", "memfd_create", "mlock", "mremap", "munlock", "munmap",
    /* threads, signals, time */
    "clock_getres", "clock_gettime", "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64", "exit", "exit_group",
    "futex", "futex_time64", "getpid", "gettid", "gettimeofday", "nanosleep", "restart_syscall", "rseq", "rt_sigaction",
    "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "sched_getaffinity", "sched_yield", "set_robust_list", "sigaltstack",
    "sigreturn", "time",
    /* who and where am I */
    "getegid", "geteuid", "getgid", "getrandom", "getuid", "sysinfo", "umask", "uname",
};

static const char *const network_calls[] = {"bind", "connect", "eventfd2", "getpeername", "getsockname", "ioctl",
    "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "socket", "socketpair"};

#if defined(__s390__)
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

static int
allow_calls(scmp_filter_ctx filter, const char *const *names, size_t names_n)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < names_n; i++) {
		int number = seccomp_syscall_resolve_name(names[i]);
		/* Below zero: of another architecture, or of a later kernel than libseccomp knows. */
		if (number >= 0)
			result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	}
	return result;
}

/* libseccomp's macros leave the second value out, which clang warns of. */
static struct scmp_arg_cmp
argument(unsigned which, enum scmp_compare how, scmp_datum_t value, scmp_datum_t masked)
{
	return (struct scmp_arg_cmp){which, how, value, masked};
}

/* Calls of which only a part is harmless: threads, no processes; data, no code; signals to ourselves. */
static int
allow_parts(scmp_filter_ctx filter)
{
	const scmp_datum_t thread = CLONE_THREAD | CLONE_VM;
	int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
	    argument(CLONE_FLAGS, SCMP_CMP_MASKED_EQ, thread, thread));
	/* Its flags are in memory, out of a filter's reach; told that there is none, libc takes clone. */
	if (result == 0)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	for (size_t i = 0; result == 0 && i < 3; i++) {
		const int maps[] = {SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect)};
		if (maps[i] >= 0)
			result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, maps[i], 1, argument(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	}
	if (result == 0)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
		    argument(0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	if (result == 0) /* is it a terminal? asks libconfuse's scanner of what it reads */
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, argument(1, SCMP_CMP_EQ, TCGETS, 0));
	if (result == 0) /* reading a limit of one's own */
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, argument(0, SCMP_CMP_EQ, 0, 0),
		    argument(2, SCMP_CMP_EQ, 0, 0));
	return result;
}

static bool
lock_calls(const struct box *box, bool tells)
{
	scmp_filter_ctx filter = seccomp_init(tells ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(EPERM));
	if (filter == NULL)
		return false;
	int result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list */
	if (result == 0)
		result = allow_calls(filter, calls, sizeof calls / sizeof *calls);
	if (result == 0 && box->network)
		result = allow_calls(filter, network_calls, sizeof network_calls / sizeof *network_calls);
	if (result == 0)
		result = allow_parts(filter);
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	errno = -result;
	return result == 0;
}

/* --- telling --------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
#define CALL_RESULT(context) ((context)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
#define CALL_RESULT(context) ((context)->uc_mcontext.regs[0])
#endif

#ifdef CALL_RESULT
/* In a signal handler, perhaps inside of malloc or stdio: nothing here may take a lock. */
static void
on_refused(int signal, siginfo_t *info, void *context)
{
	char line[] = "the sandbox refused system call 0000\n";
	char *digit = line + sizeof line - 3;
	int reason = errno;
	(void)signal;
	for (int number = info->si_syscall; number > 0 && *digit == '0'; number /= 10)
		*digit-- = (char)('0' + number % 10);
	ssize_t n = write(STDERR_FILENO, line, sizeof line - 1);
	(void)n;
	CALL_RESULT((ucontext_t *)context) = -EPERM;
	errno = reason;
}

static bool
tell(void)
{
	const char *how = getenv("REJOINDER_BOX");
	struct sigaction refused = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO | SA_NODEFER};
	return how != NULL && strcmp(how, "tell") == 0 && sigaction(SIGSYS, &refused, NULL) == 0;
}
#else
static bool
tell(void)
{
	return false;
}
#endif

/* --- entering -------------------------------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__)
#define SANITISED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define SANITISED 1
#endif
#endif

void
box_enter(const struct box *box)
{
	/* What is in memory, keys and addresses, must not come to lie in a core file. */
	const struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
#ifdef SANITISED
	/* Its reports read /proc and trace the program. */
	log_event(LOG_LEVEL_INFO, "runs without a sandbox: this is a sanitised build");
	(void)box;
	(void)lock_files;
	(void)lock_calls;
	(void)tell;
#else
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		log_event(LOG_LEVEL_WARNING, "runs without no_new_privs: %s", strerror(errno));
	if (!lock_files(box))
		log_event(LOG_LEVEL_WARNING, "runs without Landlock: %s", strerror(errno));
	if (!lock_calls(box, tell()))
		log_event(LOG_LEVEL_WARNING, "runs without a filter of system calls: %s", strerror(errno));
#endif
}
