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

/* --- child.c. Work that another user could block for ever, by holding a lock or a page, is done in
 * a child. A process in uninterruptible sleep cannot be killed, but it can be left behind. */
struct errand {
	size_t count;				/* of items; the first is item 0 */
	void (*work)(void *data, size_t item, int answers); /* runs in the child */
	/* Runs in the parent for each answer. answer is NULL if the child was left behind at this
	 * item. */
	void (*take)(void *data, size_t item, const void *answer);
	size_t longest;				/* bytes that the longest answer can have */
	void *data;
	int keep;		/* the standard descriptor that the work needs, or -1 */
};
/* Runs the errand, item after item. */
void pipecap_run(const struct errand *errand);
/* Called by work: sends an answer to the parent. */
void pipecap_answer(int answers, size_t item, const void *answer, size_t len);

/* --- holders.c. A holder is one descriptor that a process has of a pipe or FIFO, as /proc shows
 * it, or a process that waits in open(2) of a FIFO. */
struct holder {
	dev_t dev;
	ino_t ino;
	uid_t uid;		/* the owner of the pipe */
	pid_t pid;
	int fd;			/* -1: the process waits in open(2) */
	bool reads, writes;
	signed char blocked;	/* the process sleeps in a call on it; -1: cannot be seen */
	int hidden;		/* the errno that hid the process's descriptors, or 0 */
	char comm[16];
	char *path;		/* of the FIFO that the process wants to open */
};

struct holders {
	struct holder *at;	/* sorted by dev, ino, pid, fd */
	size_t count;
	unsigned hidden;	/* processes that we could not look into */
	bool seen;		/* /proc shows holders */
};

struct holders pipecap_find_holders(void);
/* Returns the first holder of a pipe. *count is the number of its holders. */
const struct holder *pipecap_holders_of(const struct holders *all, dev_t dev, ino_t ino,
	size_t *count);
/* Returns how many holders, from first on, hold the same pipe as first. */
size_t pipecap_count_holders(const struct holders *all, const struct holder *first);
/* Returns "/proc/PID/fd/FD", which is valid until the next call. pid 0 means this process. */
const char *pipecap_fd_path(int pid, int fd);
/* Opens the pipe, for reading if possible, and nothing but this pipe. Returns the descriptor, or -1
 * with errno, which is ENXIO if nobody has the pipe open. */
int pipecap_open_through(const struct holder *h, size_t count);
/* Opens the FIFO or pipe at path, in a child that hands the descriptor over. Returns -1 with EBADF
 * for another type of file, which is not opened, because a device might act on the open. Ends the
 * program, which calls the pipe by its name, if a stranger's link is on the way. */
int pipecap_open_path(const char *path, const char *name, int flags);

#ifndef SYS_open
#define SYS_open -1 /* Newer architectures have only openat(2). */
#endif

/* --- sleepers.c. This is the system call that a thread sleeps in, as /proc shows it. */
struct call {
	enum { UNKNOWN_CALL, NO_CALL, SLEEPS_IN_CALL } state;
	uintmax_t number, args[3];
};

/* process is a descriptor of the process's directory in /proc, and tid is the thread's number. */
struct call pipecap_read_call(int process, const char *tid);
/* Sets blocked in the holders from h to end, which all belong to the thread's process. */
void pipecap_mark_blocked(struct holder *h, const struct holder *end, const struct call *call);
/* Returns true if a thread of h->pid waits in open(2) for the other side of a FIFO. h and name
 * (PATH_MAX bytes) then say which FIFO. */
bool pipecap_waits_in_open(struct holder *h, const struct call *call, char *name);
/* Reads a file of /proc that has one line. buf is "" if the file cannot be read. */
void pipecap_read_line(int dir, const char *path, char *buf, size_t size);

/* --- look.c. These facts can be seen without disturbing or consuming anything. -1 means that a
 * fact cannot be seen. */
struct look {
	const char *name;
	long size, unread;	/* bytes */
	long slots, max_slots;	/* slots: taken ones; max_slots: all */
	int error;		/* the errno that hid the pipe, or 0 */
	const struct holder *holders;
	size_t n_holders;	/* 0: none can be seen, though an open pipe has some */
};

/* These find the facts of one pipe or of several pipes. fd is a descriptor of the pipe, or -1 if
 * the pipe shall be opened through one of its holders. */
void pipecap_look(struct look *look, int fd);
void pipecap_look_all(struct look *looks, size_t count);
/* Looks into the pipe, and copies at most len of the queued bytes into scratch, an empty and
 * non-blocking pipe. Returns the number of bytes, or -1 with errno. */
ssize_t pipecap_copy_queue(struct look *look, int fd, size_t len, const int scratch[2]);
/* Sets the size, or the largest size that the kernel grants if largest is true. Returns the size
 * that the pipe now has, or -1 with errno. look then has the size that was refused last, and the
 * unread bytes. */
int pipecap_resize(struct look *look, int fd, int size, bool largest);
/* Sets the holders in look and returns 0. Returns EBADF if path is no pipe or FIFO, ENXIO if nobody
 * has it open, or the error of stat(2). Ends the program if a stranger's link is on the way. */
int pipecap_find_pipe(struct look *look, const char *path, const struct holders *all);

/* --- target.c */
struct request {
	enum { GET, SET, PEEK, REPORT } verb;
	bool check, quiet, verbose, hold, has_command;
	enum record_form form;
	long number;		/* SET: the size, 0 for max; PEEK: bytes */
	int status;		/* of the targets that failed */
	struct holders all;	/* found only when needed, by a walk through /proc */
};

const struct holders *pipecap_holders(struct request *r);
/* Each target is the argument of its option. target[-1] is the option's letter. */
void pipecap_act(struct request *r, char **targets);
/* The target fails if this process may not see the descriptors of process pid. */
void pipecap_check_process(struct request *r, int pid, const char *name);

/* --- print.c */
void pipecap_print_header(bool verbose);
void pipecap_print_look(const struct look *look, enum record_form form, bool verbose);
/* Prints "PID:FD(NAME)" and, if the process is blocked there, a mark after it. */
void pipecap_put_holder(const struct holder *h, enum record_form form);
void pipecap_print_queue(const char *name, const char *bytes, size_t len, enum record_form form);
/* These return "true", "false" or NULL for unknown. pipecap_writable: more can be written.
 * pipecap_wedged: all slots are taken although bytes would fit. */
const char *pipecap_writable(const struct look *look);
const char *pipecap_wedged(const struct look *look);

/* --- list.c. Lists the pipes that one of the processes pids has open, or all pipes if pids is
 * NULL. */
void pipecap_list(const struct holders *all, char **pids, enum record_form form, bool quiet);

/* --- measure.c, info.c */
/* Makes a non-blocking pipe of this size, or of the usual size if size is NULL. Returns the size,
 * or -1 if the kernel cannot tell it. */
int pipecap_new_pipe(int fd[2], const char *size, bool packet);
void pipecap_close_pipe(const int fd[2]);
/* Prints one result for each of write_sizes, as a line of a table if table is true. */
void pipecap_measure(char *write_sizes, const char *pipe_size, bool packet, bool table,
	enum record_form form);
/* Returns the number of bytes that a new pipe holds. */
long pipecap_capacity(void);
void pipecap_print_limits(enum record_form form);
long pipecap_limit(const char *name); /* the number in /proc/sys/fs/pipe-NAME; -1: unknown */
/* Called after F_SETPIPE_SZ has failed with errno. pipecap_explain_refusal names the limit, and
 * pipecap_refusal_status returns the exit status. A kernel that does not know F_SETPIPE_SZ answers
 * EINVAL. */
void pipecap_explain_refusal(const char *name, long size, long unread);
int pipecap_refusal_status(void);

#endif
