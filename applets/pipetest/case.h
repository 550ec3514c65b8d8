/*
 * case.h - what a case of pipetest sees
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef CASE_H
#define CASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include "libbb.h"
#include "rows.h"

/* --- a case is a function and a row ------------------------------------------------- */

enum case_flags {
	KINDS = 1 << 0, /* runs for each kind of pipe: the name gets .pipe .pipe2 .page .fifo */
	NEEDS_PROC = 1 << 1,
	NEEDS_DIR = 1 << 2, /* a directory to write in: it is the current one */
	EXOTIC = 1 << 3, /* only with -x */
	STRESS = 1 << 4, /* repeated by --soak */
	MYTH = 1 << 5, /* the tutorial says otherwise */
	ANYWHERE = 1 << 7, /* also on a kernel that lacks what most cases need */
	FILES = 1 << 6, /* runs with t_object and t_data in a memfd and in a file: .memfd .file;
			 * with KINDS the memfd is that of the pipe's kinds */
};

/* Classes: P POSIX shall, L Linux ABI, I implementation detail (never not ok, unless it
 * hangs or crashes), B known kernel bug, E environment. */
struct test_case {
	void (*run)(void);
	/* Of a B: the RELEASEs in which the bug came and went, the last one first. A kernel is
	 * expected to fail from broken to fixed, and before fixed_before. */
	struct bug {
		unsigned short fixed, broken, fixed_before;
	} bug;
	char class;
	unsigned char flags;
};
/* name: group.case, [a-z0-9_.-]+, never reused for another meaning. ids: of the inventory,
 * separated by spaces. bug: 0, or of a B one of the BROKEN macros. rule: what is asserted, in
 * one line. source: which document says so, and where; for a myth also what the tutorial says;
 * for a B the commits. configs/gen.sh reads the four texts from the row and keeps them with the
 * other texts, deflated, one after the other. */
#define CASE(name, ids, class, flags, bug, rule, source, run) { run, { bug }, class, flags }
#define RELEASE(major, minor) ((major) << 8 | (minor))
/* BROKEN(5, 8, 6, 8): in 5.8, and up to 6.7. 2.6 stands for all older ones. */
#define BROKEN(major, minor, fixed_major, fixed_minor) \
	RELEASE(fixed_major, fixed_minor), RELEASE(major, minor), 0
#define BROKEN_SINCE(major, minor) 0xffff, RELEASE(major, minor), 0
/* As BROKEN, and also before the release of the first two numbers. */
#define BROKEN_AGAIN(whole_major, whole_minor, major, minor, fixed_major, fixed_minor) \
	RELEASE(fixed_major, fixed_minor), RELEASE(major, minor), RELEASE(whole_major, whole_minor)

/* A file of cases ends with its rows, NAME_cases[], and this line. rows.h counts the rows
 * whose texts configs/gen.sh found; the compiler counts the functions. */
#define ALL_ROWS(group) \
	_Static_assert(ARRAY_SIZE(group##_cases) == ROWS_##group, \
		"configs/gen.sh found another number of rows")

/* --- inside a case. Each case is a process, leader of its own group, with a fresh pipe,
 * in an empty directory, with default signals; when it returns it has passed. What it
 * leaves behind (processes, files) the engine removes. ------------------------------- */

/* Positions in the stream of bytes that a case writes and reads. All its processes share them. */
struct stream {
	_Atomic uint32_t written, consumed;
};

extern struct state {
	int r, w;		/* the pipe: of the kind at hand, blocking, close-on-exec not set */
	size_t page, pipe_buf;
	size_t cap, slots;	/* of this pipe; a slot holds a page */
	bool proc, dir, verbose;
	bool in_memory, in_dir;	/* where t_object and t_data must be; else either will do */
	double factor;		/* how slow this machine is: 1 is a current PC */
	uint32_t seed;
	int64_t deadline;	/* of this case, for whoever waits */
	volatile sig_atomic_t caught;	/* signals that t_catch has seen in this process */
	volatile sig_atomic_t catcher;	/* the thread in which it saw the last one */
	struct stream *stream;
} t;

void fail(const char *fmt, ...) PRINTF(1, 2) NORETURN;
void skip(const char *token) NORETURN;	/* a short fixed word: no-proc, soft-limit, seccomp ... */
void info(const char *fmt, ...) PRINTF(1, 2);	/* a line of diagnostics */

size_t t_random(size_t max);	/* 1 to max, from the seed */
/* A case says what it calls before the call is made, so that a call that does not return has a
 * name, and what a call must return. The macros put the two in order: first the announcement,
 * then the call, last its result. what begins with the name of the call, as in "read(3, 10)", or
 * says whose value this is. With -v all of them are shown. */
void calling(const char *what);
void callingf(const char *fmt, ...) PRINTF(1, 2);
void calling_io(const char *name, int fd, size_t n);
long call_result(long result);	/* the result, or -errno */
void want_result(long got, long expected);
void want_part_result(long got, size_t most);
void want_if_there_result(long result, long expected);
/* A system call's result, or -errno: ret(read(...)). */
#define ret(...) (calling(#__VA_ARGS__), call_result(__VA_ARGS__))
/* The case fails unless got is what POSIX or the kernel says. */
#define want(got, expected, what) (calling(what), want_result(got, expected))
#define wantf(got, expected, ...) (callingf(__VA_ARGS__), want_result(got, expected))
#define want_ret(result, expected, what) want(call_value(result), expected, what)
#define want_part(got, most, what) /* 1 to most */ \
	(calling(what), want_part_result(got, most))
#define want_if_there(result, expected, what) /* unless missing() */ \
	(calling(what), want_if_there_result(result, expected))
#define t_ok(result, what) want_ret(result, 0, what) /* a call that returns 0 */
/* A call's result, or -errno, inside of what is announced already. */
static inline long call_value(long result)
{
	return result < 0 ? -errno : result;
}
/* A call that this kernel lacks, or that seccomp filters. */
static inline bool missing(long result)
{
	return result == -ENOSYS || result == -EPERM;
}
/* Does this kernel lack a call or an operation, "tee" or "F_SETPIPE_SZ"? Those of probes.c are
 * known. */
bool t_lacks(const char *name);
void t_needs_call(const char *name); /* or the case is skipped: no-tee */
unsigned t_missing_interfaces(void); /* that POSIX demands: how many, each shown */
/* Calls that are skipped where they are missing. */
int t_dup(int fd);
int t_dup2(int fd, int to);
pid_t t_self(void);		/* getpid */
void t_raise(int sig);
void t_send(pid_t pid, int sig); /* kill that succeeds */
void t_signal(int sig, void (*handler)(int sig));
bool t_capable(int capability);	/* has_capability */
const char *errname(long result);	/* "EAGAIN" for -EAGAIN, else "" */
void t_show(long result, const char *what);	/* as a line of diagnostics */

/* Calls with expected results. Written bytes follow a pattern by their position in the
 * stream, and what t_read reads must go on where the last one ended. */
long try_write(int fd, size_t n); /* the bytes taken, or -errno */
void t_write(int fd, size_t n, long expected);
void t_read(int fd, size_t n, long expected);
long checked_read(int fd, size_t n);	/* its result; the bytes go on, or the case fails */
const char *pattern(size_t n);	/* the next n bytes of the stream, for other calls than write */
void pattern_wrote(long result);	/* and how many of them were taken */
void t_close(int fd);
void t_poll(int fd, int events, int revents);	/* at once */
void t_fionread(int fd, long expected);
void nonblock(int fd);
void t_setfl(int fd, int flag);	/* beside those that are set */
void t_getfl(int fd, int flag, bool expected);
void t_setfd(int fd, int flags);
void t_getfd(int fd, int expected);
void t_capacity(int fd, long expected);
void t_resize(int fd, unsigned long size, long expected);
void t_grow(int fd, unsigned long size); /* exactly, or the case is skipped: soft-limit */
void t_page_pipe(int fd);	/* from now on one of one page */
unsigned long t_new_capacity(void);	/* of a new pipe, now */
size_t t_capacity_of(int r, int w);	/* of an empty pipe: asked, or measured by filling it */
void t_use_pipe(const int fd[2]);	/* instead of the case's own */
size_t t_fill(int fd);		/* to the brim, without blocking; returns the bytes */
/* By writes of n to a descriptor with O_NONBLOCK, whole ones up to PIPE_BUF, until EAGAIN. */
size_t t_fill_by(int fd, size_t n);
void t_drain(int fd, size_t n);	/* reads n bytes, all of the pattern */
/* The same, of the case's own pipe t.r, t.w. */
void p_write(size_t n);		/* all of n */
void p_no_write(size_t n, long expected); /* -errno */
void p_read(size_t n, long expected);
void p_drain(size_t n);
size_t p_fill(void);
/* Fills the pipe until there is room for n bytes. It measures what a full pipe holds: the rules
 * of POSIX must not depend on F_GETPIPE_SZ. Returns the bytes in the pipe. */
size_t p_leave_room(size_t n);
/* Reads n bytes, and then there are no more: EAGAIN says so, not FIONREAD. */
void p_holds(size_t n);
size_t p_fill_by(size_t n);	/* from now on with O_NONBLOCK */
void p_unread(long expected);	/* says FIONREAD */
void p_close_r(void);		/* t.r is -1 then */
void p_close_w(void);
void p_nonblock_r(void);
void p_nonblock_w(void);
void p_poll_r(int events, int revents);
void p_poll_w(int events, int revents);
/* Fills whole pages of a new pipe, and leaves as much as a usual one holds: byte by byte, a
 * megabyte (that of 64 KiB pages) takes a slow machine seconds. */
void p_leave_some(void);
enum { RW = PROT_READ | PROT_WRITE };
enum { ANON = MAP_ANONYMOUS | MAP_PRIVATE, ANON_SHARED = MAP_ANONYMOUS | MAP_SHARED };
/* mmap that succeeds */
void *t_map_at(size_t len, int prot, int flags, int fd, off_t off);
void *t_map(size_t len, int prot, int flags, int fd);	/* from offset 0 */
void *t_share(int fd, size_t len);	/* MAP_SHARED, to read and write */
void *t_view(int fd, size_t len);	/* MAP_SHARED, to read */
void *t_anon(size_t len);		/* MAP_PRIVATE memory */
void *t_anon_shared(size_t len);
void *t_pages(unsigned n);		/* t_anon of n pages */
void *t_nowhere(void);			/* a page without access: a bad address */
void t_unmap(void *p, size_t len);
long try_map(size_t len, int prot, int flags, int fd, off_t off);	/* 0 or -errno */
void t_no_map(int prot, int flags, int fd, long expected);	/* of a page */
const struct stat *t_stat(int fd);	/* until the next call */
void t_size(int fd, off_t expected);
void t_seek(int fd, off_t to);
void t_position(int fd, off_t expected);
void t_epoch(int fd);	/* times of 1970: no clock is older, and none too coarse to show */
int t_reopen(int fd, int flags);	/* t_open through /proc */
void t_socketpair(int s[2]);
void t_send_fd(int socket, int fd);
int t_receive_fd(int socket);
int t_file(const char *name, size_t len); /* a new file of len pattern-less zero bytes, O_RDWR */
void t_mkfifo(const char *name);	/* 0600; skips where the file system has none */
void t_fifo(const char *name);	/* a new FIFO's ends, blocking, become t.r and t.w */
int t_data(
	size_t len); /* a file without a name: the stream's next len bytes, read from the start */
void t_pipe(int fd[2]);	/* one more */
/* For a call that an old kernel or seccomp refuses: result is of arguments that give EBADF. */
void t_needs(long result, const char *token);
int t_open(const char *name, int flags);	/* open that succeeds; not to create */
int t_memfd(const char *name, unsigned flags);	/* empty and O_RDWR, or the case is skipped */
int t_object(size_t len); /* len zero bytes, O_RDWR: a memfd, or a file where there are none */
void t_truncate(int fd, off_t len, long expected);
void t_put(int fd, char byte, off_t at, long expected);	/* pwrite of one byte */
void t_get(int fd, off_t at, char expected);	/* pread finds this byte */
/* The signal that one access gives, 'r' or 'w' (a 1), caught in this process; 0 if none. */
int fault_of(void *p, char access);
extern siginfo_t t_fault;	/* all about it */
void t_touch(void *p, char access);	/* none */
void t_segv(void *p, char access, int si_code);
void t_bus(void *p, char access);	/* as behind the end of a file */
/* Mounts that nobody else sees, gone with the case. */
bool t_own_mounts(void);
bool t_enter(const char *type, const char *options);	/* a new one, as current directory */
void t_needs_splice(void);
void t_needs_tee(void);
long splice_now(int in, int out, size_t n);	/* SPLICE_F_NONBLOCK, no offsets; as by ret() */
void t_splice(int in, int out, size_t n, long expected);
void t_catch(int sig, int sa_flags);	/* count it in t.caught */
void t_signals(int expected);	/* that it has counted */
void t_async(int fd, int sig);	/* F_SETOWN, F_SETSIG (0 is SIGIO) and O_ASYNC */
void t_block(int sig, sigset_t *set);	/* and nothing else; set is {sig} */

/* A job is a call in a process of its own, known by its pid. call_read and call_write first
 * close the pipe's other end, as a process that only reads or writes does. */
pid_t t_start(long (*call)(long arg), long arg);
pid_t t_blocked(long (*call)(long arg), long arg);	/* and it sleeps in its call */
/* In the one other thread that a case may have. It shares errno, so meanwhile no call of
 * the case may fail, and the heap: call must not allocate. */
pid_t t_thread(long (*call)(long arg), long arg);
/* A child that has exec'ed "ipcbox --version" with that stdout, or the case is skipped. A
 * full pipe as stdout keeps it alive. The cases that use it have NEEDS_PROC. */
pid_t t_exec(int out);
void t_exec_self(void);	/* "ipcbox --version" in this process; returns if it can't */
long call_read(long n);
long call_write(long n);
void t_blocks(pid_t job);		/* it sleeps in its call */
bool t_asleep(pid_t job);	/* does it sleep in its call now? Never true without /proc */
bool t_returned(pid_t job);	/* has it come back yet? */
void t_settles(pid_t job);	/* it sleeps in its call, or has returned */
void t_returns(pid_t job, long expected);	/* it comes back, with that result; reaped */
void t_child(long (*call)(long arg), long arg, long expected); /* starts and returns */
void t_caught(pid_t job, int expected);		/* signals until its call returned */
void t_dies(pid_t job, int sig);	/* it is killed by sig; reaped */
void t_kill(pid_t job);			/* by SIGKILL, of which it dies */
void t_interrupt(pid_t job);		/* sleeps in its call, and is sent SIGUSR1 */
void t_eintr(pid_t job);		/* and the call is -EINTR */
void t_reap(pid_t pid, int status);	/* it exits with that status */
pid_t t_fork(void);			/* dies with the case; the child must _exit */
/* The signal that kills a child running touch(p): 0 if it survives. */
int t_signal_of(void (*touch)(void *p), void *p);
void wait_until(bool (*cond)(long arg), long arg, const char *what); /* or fail at the deadline */
bool has_unread(long n);		/* a condition: FIONREAD of the pipe says n */

/* Atomicity, atm.c: each of the writers has one write of n bytes of its own letter. The reader
 * takes what is in the pipe now, then theirs, chunk bytes at a time, and lets the writers
 * settle after each. Returns how many runs of one letter came out; more than there are
 * writers are shown, "A4096 B4096 A1 B1". */
unsigned letter_runs(unsigned writers, long (*call)(long arg), size_t n, size_t chunk);
long call_letters(long arg);

void t_limit(int resource, uint64_t soft);	/* RLIMIT_...; no more than the hard one */
void t_needs_limit(int resource, uint64_t least, const char *token);	/* the soft one */
long t_setuid(uid_t uid);	/* of up to 16 bits: 0 or -errno */
void drop_capabilities(void);	/* all: from now on file modes count for root, too */
bool emulated(void);	/* by qemu's user mode: to skip what that is known to get wrong */

/* Cases that rows of two groups name. */
void case_bytes_fill_capacity(void);
void case_partial_then_epipe(void);
void case_read_after_close(void);
void case_sigpipe_kills(void);
void case_sizes(void);

#endif
