/*
 * pipecap.h - what the parts of pipecap share
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef PIPECAP_H
#define PIPECAP_H

#include <stdbool.h>
#include "libbb.h"

/* fcntl(2) returns the size as an int, and the kernel rounds up to a power of two. */
enum { LARGEST_SIZE = 1 << 30 };

/* --- child.c. What can block for ever, because another user holds a lock or a page, is done in a
 * child: a process in uninterruptible sleep cannot be killed, but it can be left behind. */
struct errand {
	size_t count;				/* items, from 0 on */
	void (*work)(void *data, size_t item, int answers); /* runs in the child */
	/* Runs here for each answer; answer is NULL if the child was left behind at this item. */
	void (*take)(void *data, size_t item, const void *answer);
	size_t longest;				/* bytes of an answer */
	void *data;
};
void pipecap_run(const struct errand *errand);
void pipecap_answer(int answers, size_t item, const void *answer, size_t len);

/* --- holders.c. One descriptor that some process has of a pipe or FIFO, as /proc shows it; or
 * a process that waits in open(2) of a FIFO. */
struct holder {
	dev_t dev;
	ino_t ino;
	uid_t uid;		/* the owner of the pipe */
	pid_t pid;
	int fd;			/* -1: the process waits in open(2) */
	bool reads, writes;
	signed char blocked;	/* -1: cannot be seen */
	int hidden;		/* why the process could not be looked into, or 0 */
	char comm[16];
	char *path;		/* of the FIFO that the process wants to open */
};

struct holders {
	struct holder *at;	/* sorted by dev, ino, pid, fd */
	size_t count;
	unsigned hidden;	/* processes that we could not look into */
	bool seen;		/* there is a /proc */
};

struct holders pipecap_find_holders(void);
/* The first holder of a pipe, and how many there are. */
const struct holder *holders_of(const struct holders *all, dev_t dev, ino_t ino, size_t *count);
/* How many of the holders, from this one on, hold the same pipe. */
size_t count_holders(const struct holders *all, const struct holder *first);
/* "/proc/PID/fd/FD", until the next call; pid is 0 for our own */
const char *fd_path(int pid, int fd);
/* A descriptor of the pipe, a reading one if possible, or -1 with errno; ENXIO if nobody has
 * the pipe open. Nothing but that pipe is opened. */
int open_through(const struct holder *h, size_t count);
/* A FIFO or pipe at path, or -1: errno is EBADF if there is another file. Nothing but a pipe is
 * opened: a device might act on it. */
int open_pipe(const char *path, int flags);

#ifndef SYS_open
#define SYS_open -1 /* newer architectures have openat(2) alone */
#endif

/* --- sleepers.c. The system call that a thread sleeps in, as /proc shows it. */
struct call {
	enum { UNKNOWN_CALL, NO_CALL, SLEEPS_IN_CALL } state;
	uintmax_t number, args[3];
};

/* process is a descriptor of the process's directory in /proc, tid the thread's number. */
struct call read_call(int process, const char *tid);
/* Sets blocked in the holders from h to end, which the thread's process has. */
void mark_blocked(struct holder *h, const struct holder *end, const struct call *call);
/* Fills in h and the name of a FIFO (PATH_MAX bytes) if a thread of h->pid waits in open(2) for
 * the FIFO's other side. */
bool waits_in_open(struct holder *h, const struct call *call, char *name);
/* A file of /proc of one line; "" if it cannot be read. */
void read_line(int dir, const char *path, char *buf, size_t size);

/* --- look.c. What can be seen without disturbing or consuming; -1: it cannot be seen. */
struct look {
	const char *name;
	long size, unread;	/* bytes */
	long slots, max_slots;	/* taken, and all */
	int error;		/* why the pipe could not be looked into, or 0 */
	const struct holder *holders;
	size_t n_holders;	/* 0: they cannot be seen, for the pipe is open */
};

/* Where the pipe is open, or -1: then it is opened through a holder. */
void look_into(struct look *look, int fd);
void look_into_all(struct look *looks, size_t count);
/* Looks, and copies at most len of the queued bytes into the scratch pipe, which is empty and
 * non-blocking. Returns the bytes, or -1 with errno. */
ssize_t copy_queue(struct look *look, int fd, size_t len, const int scratch[2]);
/* EBADF if path is no pipe or FIFO; ENXIO if nobody has it open; else 0: look has its holders. */
int find_pipe(struct look *look, const char *path, const struct holders *all);

/* --- target.c */
struct request {
	enum { GET, SET, PEEK, REPORT } verb;
	bool check, quiet, verbose, hold, has_command;
	enum record_form form;
	long number;		/* SET: the size, 0 for max; PEEK: bytes */
	int status;		/* of the targets that failed */
	struct holders all;	/* when they are needed: it takes a walk through /proc */
};

const struct holders *request_holders(struct request *r);
/* Each target is the argument of its option, and target[-1] the option's letter. */
void act_on_targets(struct request *r, char **targets);
/* Says so, unless it must be quiet, if we may not see the descriptors of the process. */
void check_process(struct request *r, int pid, const char *name);

/* --- print.c */
void print_header(bool verbose);
void print_look(const struct look *look, enum record_form form, bool verbose);
/* "PID:FD(NAME)", with a mark behind if the process is blocked there */
void put_holder(const struct holder *h, enum record_form form);
void print_queue(const char *name, const char *bytes, size_t len, enum record_form form);
/* "true", "false" or NULL: could more be written; are all slots taken though bytes would fit */
const char *look_writable(const struct look *look);
const char *look_wedged(const struct look *look);

/* --- list.c. The pipes that one of the processes has open; NULL: all. */
void list_pipes(const struct holders *all, char **pids, enum record_form form, bool quiet);

/* --- measure.c, info.c */
/* Non-blocking, of that size unless it is NULL. Returns the size; -1 where no call tells it. */
int new_pipe(int fd[2], const char *size, bool packet);
void close_pipe(const int fd[2]);
/* For each of write_sizes a line of a table, if that is wanted. */
void pipecap_measure(char *write_sizes, const char *pipe_size, bool packet, bool table,
	enum record_form form);
/* The bytes that a new pipe holds. */
long measured_capacity(void);
void print_limits(enum record_form form);
long pipe_limit(const char *name); /* /proc/sys/fs/pipe-NAME; -1: unknown */
/* F_SETPIPE_SZ failed, as errno says: the limit behind it, and the exit status. EINVAL is what
 * a kernel says that does not know it. */
void explain_refusal(int fd, const char *name, long size);
int status_of_refusal(void);

#endif
