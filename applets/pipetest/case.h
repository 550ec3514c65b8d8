/*
 * case.h - types and functions for the cases of pipetest
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef CASE_H
#define CASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include "libbb.h"
#include "rows.h"

/* --- A case is a function and a row ------------------------------------------------- */

enum case_flags {
	KINDS = 1 << 0, /* runs once per kind of pipe; names get .pipe .pipe2 .page .fifo */
	NEEDS_PROC = 1 << 1,
	NEEDS_DIR = 1 << 2, /* needs a current directory in which files can be made */
	EXOTIC = 1 << 3, /* runs only with -x */
	STRESS = 1 << 4, /* is repeated by --soak */
	MYTH = 1 << 5, /* contradicts the tutorial that cases/INVENTORY describes */
	ANYWHERE = 1 << 7, /* runs also on a kernel that lacks close(2) */
	FILES = 1 << 6, /* runs twice: t_object and t_data use a memfd (.memfd), then a file
			 * (.file). With KINDS, the runs per kind of pipe replace .memfd. */
};

/* The classes are: P, POSIX says "shall"; L, the Linux ABI; I, an implementation detail, whose
 * failure or hang passes and only its crash is "not ok"; B, a known kernel bug; E, the
 * environment. */
struct test_case {
	void (*run)(void);
	/* These are RELEASEs for class B: broken brought the bug, fixed removed it, and
	 * fixed_before had removed it once before. A kernel before fixed_before, or from broken to
	 * the last one before fixed, is expected to fail. */
	struct bug {
		unsigned short fixed, broken, fixed_before;
	} bug;
	char class;
	unsigned char flags;
};
/* A name reads group.case, consists of [a-z0-9_.-]+ and is never reused for another meaning. ids
 * are short names that --explain and -t accept, separated by spaces. bug is 0, or for class B one
 * of the BROKEN macros. rule says in one line what the case asserts. source names the document
 * and the section with the rule; for a myth it also quotes the tutorial, and for class B it names
 * the commits. configs/gen.sh reads name, ids, rule and source from the row and stores the four
 * deflated, one after the other. */
#define CASE(name, ids, class, flags, bug, rule, source, run) { run, { bug }, class, flags }
#define RELEASE(major, minor) ((major) << 8 | (minor))
/* BROKEN(5, 8, 6, 8) says that Linux 5.8 to 6.7 have the bug. BROKEN(2, 6, ...) says that all
 * releases before the fix have it. */
#define BROKEN(major, minor, fixed_major, fixed_minor) \
	RELEASE(fixed_major, fixed_minor), RELEASE(major, minor), 0
#define BROKEN_SINCE(major, minor) 0xffff, RELEASE(major, minor), 0
/* With BROKEN_AGAIN the releases before whole_major.whole_minor have the bug, too. */
#define BROKEN_AGAIN(whole_major, whole_minor, major, minor, fixed_major, fixed_minor) \
	RELEASE(fixed_major, fixed_minor), RELEASE(major, minor), RELEASE(whole_major, whole_minor)

/* A file of cases ends with its rows, NAME_cases[], and ALL_ROWS(NAME), which compares the number
 * of rows in the array with the number that configs/gen.sh found and wrote to rows.h. */
#define ALL_ROWS(group) \
	_Static_assert(ARRAY_SIZE(group##_cases) == ROWS_##group, \
		"configs/gen.sh found another number of rows")

/* --- What a case calls. Each case is a process that leads its own process group. The process has
 * a new pipe, an empty current directory and default signals. A case passes when its function
 * returns. The engine removes the processes and files that the case leaves. ----------- */

/* Positions in the stream of bytes that a case writes and reads. All processes of a case share
 * them. */
struct stream {
	_Atomic uint32_t written, consumed;
};

extern struct state {
	int r, w;		/* are the pipe's ends: blocking, close-on-exec only for .pipe2 */
	size_t cap, slots;	/* are the pipe's capacity in bytes and in pages */
	size_t page, pipe_buf;
	bool proc, verbose;
	double factor;		/* says how slow this machine is: 1 is a current PC */
	uint32_t seed;
	int64_t deadline;	/* ends the waiting of all helpers, with "not ok" */
	struct stream *stream;
} t;

/* The handler of t_catch() counts the signals of this process. */
extern struct handled {
	volatile sig_atomic_t count;
	volatile sig_atomic_t thread;	/* handled the last signal */
} t_handled;

void t_fail(const char *fmt, ...) PRINTF(1, 2) NORETURN;
void t_skip(const char *token) NORETURN; /* a token is a fixed word: no-proc, soft-limit ... */
void t_info(const char *fmt, ...) PRINTF(1, 2);	/* prints a line of diagnostics */

size_t t_random(size_t max);	/* returns 1 to max, which follow from the seed */
/* A case announces each call before making it, so that the engine can name a call that does not
 * return, and then compares the result with the expected one. The macros below keep that order:
 * announcement, call, result. The text "what" begins with the name of the call, as in
 * "read(3, 10)", or names a value. With -v the engine prints all announcements and results. */
void t_calling(const char *what);
void t_callingf(const char *fmt, ...) PRINTF(1, 2);
void t_calling_io(const char *name, int fd, size_t n);
long t_call_result(long result);	/* returns the result, or -errno if the call failed */
void t_want_result(long got, long expected);
void t_want_part_result(long got, size_t most);
void t_want_if_there_result(long result, long expected);
/* ret(read(...)) announces the call, makes it, and is its result, or -errno if it failed. */
#define ret(...) (t_calling(#__VA_ARGS__), t_call_result(__VA_ARGS__))
/* The case fails unless got equals expected. */
#define want(got, expected, what) (t_calling(what), t_want_result(got, expected))
#define wantf(got, expected, ...) (t_callingf(__VA_ARGS__), t_want_result(got, expected))
#define want_ret(result, expected, what) want(call_value(result), expected, what)
#define want_part(got, most, what) /* expects 1 to most */ \
	(t_calling(what), t_want_part_result(got, most))
#define want_if_there(result, expected, what) /* accepts a missing() call, too */ \
	(t_calling(what), t_want_if_there_result(result, expected))
#define t_ok(result, what) want_ret(result, 0, what)
/* Returns a call's result, or -errno if the call failed, where the call is announced already. */
static inline long call_value(long result)
{
	return result < 0 ? -errno : result;
}
/* Says if this kernel lacks the call or a seccomp(2) filter refuses it. */
static inline bool missing(long result)
{
	return result == -ENOSYS || result == -EPERM;
}
/* Does this kernel lack a call such as "tee" or an operation such as "F_SETPIPE_SZ"? probes.c
 * lists the names that this function knows. */
bool t_lacks(const char *name);
void t_needs_call(const char *name); /* skips the case ("no-tee") if the call is missing */
unsigned t_missing_interfaces(void); /* prints and counts missing calls that POSIX demands */
/* Where one of these calls is missing, the case is skipped. */
int t_dup(int fd);
int t_dup2(int fd, int to);
pid_t t_self(void);		/* calls getpid */
void t_raise(int sig);
void t_send(pid_t pid, int sig); /* calls kill, which must succeed */
void t_signal(int sig, void (*handler)(int sig));
bool t_capable(int capability);	/* calls has_capability */
const char *t_errname(long result);	/* returns "EAGAIN" for -EAGAIN, "" if unknown */
void t_show(long result, const char *what);	/* prints a line of diagnostics */

/* These calls have expected results. The value of each written byte follows from its position in
 * the stream, and t_read expects the bytes that follow those of the last read. */
long t_try_write(int fd, size_t n); /* returns how many bytes were taken, or -errno */
void t_write(int fd, size_t n, long expected);
void t_read(int fd, size_t n, long expected);
long t_checked_read(int fd, size_t n);	/* returns read's result; wrong bytes are "not ok" */
const char *t_pattern(size_t n);	/* returns the next n bytes of the stream, for write(2) */
void t_pattern_wrote(long result);	/* counts those bytes of the pattern that were taken */
void t_close(int fd);
void t_poll(int fd, int events, int revents);	/* polls without waiting */
void t_fionread(int fd, long expected);
void t_nonblock(int fd);
void t_setfl(int fd, int flag);	/* keeps the flags that are set already */
void t_getfl(int fd, int flag, bool expected);
void t_setfd(int fd, int flags);
void t_getfd(int fd, int expected);
void t_capacity(int fd, long expected);
void t_resize(int fd, unsigned long size, long expected);
void t_grow(int fd, unsigned long size); /* skips the case ("soft-limit") over the pipe quota */
void t_page_pipe(int fd);	/* makes the capacity one page */
unsigned long t_new_capacity(void);	/* makes a pipe and returns its capacity */
size_t t_capacity_of(int r, int w);	/* asks, or fills the pipe, which must be empty */
void t_use_pipe(const int fd[2]);	/* replaces the case's own pipe */
size_t t_fill(int fd);		/* writes until no byte fits; returns how many did */
/* Writes n bytes at a time to a descriptor with O_NONBLOCK until EAGAIN. A write of up to PIPE_BUF
 * bytes must take all of them. */
size_t t_fill_by(int fd, size_t n);
void t_drain(int fd, size_t n);	/* reads n bytes, which must follow the pattern */
/* These functions do the same on the case's own pipe, t.r and t.w. */
void p_write(size_t n);		/* expects that all n bytes are taken */
void p_no_write(size_t n, long expected); /* expects -errno */
void p_read(size_t n, long expected);
void p_drain(size_t n);
size_t p_fill(void);
/* Fills the pipe until there is room for n bytes, and returns how many bytes are in the pipe. The
 * function first measures what a full pipe holds, because a case about POSIX must not depend on
 * F_GETPIPE_SZ, which POSIX lacks. */
size_t p_leave_room(size_t n);
/* Reads n bytes and expects EAGAIN after them. FIONREAD is not asked, because POSIX lacks it. */
void p_holds(size_t n);
size_t p_fill_by(size_t n);	/* sets O_NONBLOCK and leaves it set */
void p_unread(long expected);	/* compares with FIONREAD */
void p_close_r(void);		/* sets t.r to -1, too */
void p_close_w(void);
void p_nonblock_r(void);
void p_nonblock_w(void);
void p_poll_r(int events, int revents);
void p_poll_w(int events, int revents);
/* Writes to a new pipe until 1 KiB of room is left. Single bytes fill that, but they would take
 * seconds for the 1 MiB of a pipe with 64 KiB pages. */
void p_leave_some(void);
enum { RW = PROT_READ | PROT_WRITE };
enum { ANON = MAP_ANONYMOUS | MAP_PRIVATE, ANON_SHARED = MAP_ANONYMOUS | MAP_SHARED };
/* The case fails if one of these mappings is refused. */
void *t_map_at(size_t len, int prot, int flags, int fd, off_t off);
void *t_map(size_t len, int prot, int flags, int fd);	/* maps from offset 0 */
void *t_share(int fd, size_t len);	/* maps MAP_SHARED, to read and write */
void *t_view(int fd, size_t len);	/* maps MAP_SHARED, to read only */
void *t_anon(size_t len);		/* maps MAP_PRIVATE memory */
void *t_anon_shared(size_t len);
void *t_pages(unsigned n);		/* maps n pages by t_anon */
void *t_nowhere(void);			/* maps a page with PROT_NONE: a bad address */
void t_unmap(void *p, size_t len);
long t_try_map(size_t len, int prot, int flags, int fd, off_t off);	/* returns 0 or -errno */
void t_no_map(int prot, int flags, int fd, long expected);	/* tries to map a page */
const struct stat *t_stat(int fd);	/* the result is valid until the next call */
void t_size(int fd, off_t expected);
void t_seek(int fd, off_t to);
void t_position(int fd, off_t expected);
/* Sets atime and mtime to 1970, so that a later change shows even with a clock that is wrong or
 * file times that are coarse. */
void t_epoch(int fd);
int t_reopen(int fd, int flags);	/* opens /proc/self/fd/FD */
void t_socketpair(int s[2]);
void t_send_fd(int socket, int fd);
int t_receive_fd(int socket);
int t_file(const char *name, size_t len); /* makes a file of len zero bytes, open O_RDWR */
void t_mkfifo(const char *name);	/* skips the case if the file system has no FIFOs */
void t_fifo(const char *name);	/* makes a FIFO; its ends, blocking, become t.r and t.w */
/* Makes a file without a name that holds the next len bytes of the stream; its offset is 0. */
int t_data(size_t len);
void t_pipe(int fd[2]);
/* Skips the case if an old kernel or a seccomp(2) filter refuses a call. result is what the call
 * returned for arguments that must give EBADF. */
void t_needs(long result, const char *token);
int t_open(const char *name, int flags);	/* opens what exists, and must succeed */
int t_memfd(const char *name, unsigned flags);	/* makes an empty memfd, or skips the case */
bool t_in_dir(void); /* says if t_object and t_data must make a file, not a memfd */
int t_object(size_t len); /* makes len zero bytes, O_RDWR, in a memfd, or else in a file */
void t_truncate(int fd, off_t len, long expected);
void t_put(int fd, char byte, off_t at, long expected);	/* writes one byte by pwrite */
void t_get(int fd, off_t at, char expected);	/* expects that pread finds this byte */
/* Reads ('r') the byte at p or writes ('w') a 1 to it, and returns the signal that this process
 * caught, or 0. */
int t_fault_of(void *p, char access);
extern siginfo_t t_fault;	/* describes the signal that t_fault_of caught */
void t_touch(void *p, char access);	/* expects no signal */
void t_segv(void *p, char access, int si_code);
void t_bus(void *p, char access);	/* expects SIGBUS with BUS_ADRERR */
/* Gives this process a mount namespace of its own, so that other processes do not see its mounts.
 * Returns false if the kernel refuses. */
bool t_own_mounts(void);
/* Mounts a file system on a new directory and changes to it. Returns false if either fails. */
bool t_enter(const char *type, const char *options);
void t_needs_splice(void);
void t_needs_tee(void);
long t_splice_now(int in, int out, size_t n);	/* sets SPLICE_F_NONBLOCK; may return -errno */
void t_splice(int in, int out, size_t n, long expected);
void t_catch(int sig, int sa_flags);	/* installs a handler that counts in t_handled */
void t_signals(int expected);	/* compares with t_handled.count */
void t_async(int fd, int sig);	/* does F_SETOWN, F_SETSIG (0 is SIGIO) and O_ASYNC */
void t_block(int sig, sigset_t *set);	/* blocks sig and makes the set {sig} */

/* A job is a call in a process of its own and is named by the pid of that process. t_call_read and
 * t_call_write first close the other end of the pipe, as a process that only reads or only writes
 * does. */
pid_t t_start(long (*call)(long arg), long arg);
pid_t t_blocked(long (*call)(long arg), long arg);	/* starts a job and calls t_blocks */
/* Starts a job in a thread. A case may have one such thread, which shares errno and the heap with
 * the case. So until the job returns no call of the case may fail, and the job must not allocate
 * memory. */
pid_t t_thread(long (*call)(long arg), long arg);
/* Starts a child that executes "ipcbox --version" with stdout "out", or skips the case. While out
 * is a full pipe, the child stays alive. A case that calls t_exec needs NEEDS_PROC. */
pid_t t_exec(int out);
void t_exec_self(void);	/* executes "ipcbox --version"; returns only if exec fails */
long t_call_read(long n);
long t_call_write(long n);
void t_blocks(pid_t job);	/* waits until the job sleeps in its call, which must block */
bool t_asleep(pid_t job);	/* says if the job sleeps in its call; needs /proc to be true */
bool t_returned(pid_t job);	/* says if the job's call has returned */
void t_settles(pid_t job);	/* waits until the job sleeps in its call or has returned */
void t_returns(pid_t job, long expected);	/* waits for the job's result and reaps the job */
void t_child(long (*call)(long arg), long arg, long expected); /* is t_start and t_returns */
void t_caught(pid_t job, int expected);	/* expects so many signals before the call returned */
void t_dies(pid_t job, int sig);	/* expects that sig kills the job, and reaps the job */
void t_kill(pid_t job);			/* sends SIGKILL and calls t_dies */
void t_interrupt(pid_t job);		/* waits until the job blocks and sends SIGUSR1 */
void t_eintr(pid_t job);		/* interrupts the job, whose result must be -EINTR */
void t_reap(pid_t pid, int status);	/* expects that the process exits with status */
pid_t t_fork(void);			/* the child dies with the case and must call _exit */
/* Returns the signal that kills a child which runs touch(p), or 0 if the child survives. */
int t_signal_of(void (*touch)(void *p), void *p);
/* Waits until cond(arg) is true. At the deadline the case fails: "still waiting: what". */
void t_wait_until(bool (*cond)(long arg), long arg, const char *what);
bool t_has_unread(long n);		/* is a condition: the pipe holds n bytes */

/* Each of the writers makes one write of n bytes, all of one letter that is its own. The reader
 * first takes what is in the pipe already, then the letters, chunk bytes at a time, and after each
 * chunk waits until the writers block or have returned. t_letter_runs returns how many runs of
 * equal letters the reader saw. If there are more runs than writers, the function prints them, as
 * in "A4096 B4096 A1 B1". */
unsigned t_letter_runs(unsigned writers, long (*call)(long arg), size_t n, size_t chunk);
long t_call_letters(long arg);

void t_limit(int resource, uint64_t soft);	/* sets the soft limit, at most to the hard one */
/* Skips the case if the soft limit is below least. */
void t_needs_limit(int resource, uint64_t least, const char *token);
long t_setuid(uid_t uid);	/* takes a uid of up to 16 bits; returns 0 or -errno */
void t_drop_capabilities(void);	/* file modes then apply to root, too */
bool t_emulated(void);	/* says if qemu's user mode runs us; it breaks some rules */

/* Rows of two groups name these cases. */
void t_case_bytes_fill_capacity(void);
void t_case_partial_then_epipe(void);
void t_case_read_after_close(void);
void t_case_sigpipe_kills(void);
void t_case_sizes(void);

#endif
