/*
 * libbb.h - what two or more applets use, and the one header that they include
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef LIBBB_H
#define LIBBB_H

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "texts.h"

/* The main function of each applet: 0-terminated argv, returns the exit status. */
#define APPLET(name) int name##_main(char **argv);
#include "applets.h"
#undef APPLET

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NORETURN __attribute__((noreturn))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* The exit statuses besides EXIT_SUCCESS and EXIT_FAILURE; `ipcbox --help` explains them. */
enum {
	EXIT_USAGE = 2,
	EXIT_NOT_NOW = 3,
	EXIT_STALE = 4,
	EXIT_INTEGRITY = 5,
	EXIT_UNSUPPORTED = 77,
	EXIT_TIMED_OUT = 124,
	EXIT_NO_APPLET = 127,
};

/* --- messages: "applet: text[: strerror(errno)]\n" on stderr, each in one write(2).
 * Characters that a terminal must not get (unsafe_len) become '?'. The _and_die forms exit
 * with xfunc_error_retval, which is EXIT_FAILURE unless the applet changed it. */
extern const char *applet_name;
extern int xfunc_error_retval;
void bb_error_msg(const char *fmt, ...) PRINTF(1, 2);
void bb_perror_msg(const char *fmt, ...) PRINTF(1, 2);
void bb_error_msg_and_die(const char *fmt, ...) PRINTF(1, 2) NORETURN;
void bb_perror_msg_and_die(const char *fmt, ...) PRINTF(1, 2) NORETURN;

/* The message, the line "Try 'APPLET --help'.", exit EXIT_USAGE. */
void bb_show_usage(const char *fmt, ...) PRINTF(1, 2) NORETURN;
/* The TEXT_... of texts.h, and those that follow it. */
const char *bb_text(unsigned number);
/* From raw deflate (RFC 1951) that the build made: out has room for all of it. */
void inflate(char *out, const uint8_t *deflated);
/* The applet's help text on stdout, exit EXIT_SUCCESS. */
void bb_show_help(void) NORETURN;

/* --- options. The spec is a list of "c(long)", each followed by ':' if the option takes an
 * argument or by '::' if the argument is optional; the next pointer, a char **, receives the
 * argument. getopt32 returns the letters that were given: `opts & OPT('c')`.
 * "(long)" is an option without a letter. It always has a pointer of its own: an int * that is
 * set to 1, or with ':' or '::' a char ** that receives the argument ("" if an optional one is
 * left out). What the pointers point to stays as it was if the option is not given.
 * With '*' behind all this the pointer is a char ***, a NULL-terminated list that grows; item[-1]
 * is the option's letter ('\0' without one), so that several options can share a list and keep
 * the order in which they were given.
 * A leading '+' stops at the first operand. --help and --version are always there. Afterwards
 * argv[optind] is the first operand. */
typedef uint64_t opts_t;
#define OPT(c) (1ULL << ((c) > 'Z' ? (c) - 'a' + 26 : (c) > '9' ? (c) - 'A' : (c) - '0' + 52))
opts_t getopt32(char **argv, const char *spec, ...);

/* --- numbers from users: the whole string, no sign, no space, within the range, or a
 * usage error "invalid WHAT: 'STR'". */
uintmax_t xatou_range(const char *what, const char *str, uintmax_t min, uintmax_t max);
/* The digits at str, of base 8, 10 or 16; returns what is behind them, or NULL if there is none
 * or they are too many. strtoumax(3) would take spaces and signs, too. */
const char *parse_digits(const char *str, unsigned base, uintmax_t *value);
/* The number at str, of base 10; 0 if there is none. */
uintmax_t leading_number(const char *str);
/* Bytes: 4096, 64k = 64K = 64KiB (1024), 64KB (1000); also M, G, T, and 1.5M. */
uintmax_t xatosize(const char *what, const char *str, uintmax_t min, uintmax_t max);
/* Nanoseconds, out of 2, 1.5, 500ms, 2s, 1m, 1h. */
int64_t xatodur(const char *what, const char *str);
/* The index of one of names, a NULL-terminated list; 0 if str is NULL. */
int xchoose(const char *what, const char *str, const char *const names[]);

/* --- done, or dead with the object named */
void *xmalloc(size_t size);
void *xrealloc(void *old, size_t size);
char *xasprintf(const char *fmt, ...) PRINTF(1, 2);
int xopen(const char *path, int flags);
int same_inode(const struct stat *a, const struct stat *b);	/* by device and inode */
void xpipe(int fd[2]);
pid_t xfork(void);
/* In a child: it is killed when the parent ends, also if it has ended already. Seen from a PID
 * namespace of its own (unshare -p without --fork) a parent that lives is 0. */
void die_with_parent(pid_t parent);
/* Runs a command found in PATH, with SIGPIPE and the mask of signals as we inherited them; it
 * returns if that fails. xexec then exits with 126 or 127. */
void exec_command(char **argv);
void xexec(char **argv) NORETURN;
/* stdout is buffered, but a terminal gets each line at once. It is complete, or the exit
 * status is not 0: a message, but none for EPIPE. */
void xprintf(const char *fmt, ...) PRINTF(1, 2);
void xwrite_stdout(const void *data, size_t len);
void xfflush_stdout(void);
int flush_stdout(void);	/* the same, but a failure is -1 */
/* As snprintf(3), but they return the bytes that are in buf now, without the NUL that is always
 * there. size is 1 or more. */
size_t scnprintf(char *buf, size_t size, const char *fmt, ...) PRINTF(3, 4);
size_t vscnprintf(char *buf, size_t size, const char *fmt, va_list args) PRINTF(3, 0);

/* --- read(2) and write(2). safe_: once, EINTR retried. full_: until all is done, end of
 * file or an error; returns the bytes done, and -1 only if there are none. */
ssize_t safe_read(int fd, void *buf, size_t len);
ssize_t safe_write(int fd, const void *buf, size_t len);
ssize_t full_read(int fd, void *buf, size_t len);
ssize_t full_write(int fd, const void *buf, size_t len);

/* --- time: CLOCK_MONOTONIC in nanoseconds. */
#define NS_PER_S 1000000000LL
int64_t monotonic_ns(void);
/* Sleeps until the absolute time; true, or false if a signal came first. */
int sleep_until(int64_t deadline_ns);

/* --- signals: the handler only stores; bb_got_signal is the last one that came, or 0.
 * sigs is a 0-terminated list. die_of_signal never returns: the caller's parent sees
 * that signal as the cause of death. */
extern volatile sig_atomic_t bb_got_signal;
/* What main() found. It ignores SIGPIPE in any case. */
extern int bb_sigpipe_was_ignored;
extern sigset_t bb_inherited_mask;
void bb_signals(const int *sigs);
void die_of_signal(int sig) NORETURN;

/* --- what this kernel allows. By capability, not by uid: root in a container often lacks
 * one. Numbers: capabilities(7). */
enum { CAP_DAC_OVERRIDE = 1, CAP_IPC_LOCK = 14, CAP_SYS_RESOURCE = 24 };
int has_capability(int cap);
long read_number(const char *path); /* of a file like /proc/sys/fs/pipe-max-size, or -1 */

/* --- records on stdout: JSON (RFC 8259) or words KEY='value' for eval, one record a line; or
 * for people, one field a line. The fields appear in the order of the calls. */
enum record_form { NO_RECORD, JSON, PAIRS };
void record_begin(enum record_form form);
void record_number(const char *name, intmax_t value);
void record_literal(const char *name, const char *text); /* true, false, null, 1.5 */
void record_string(const char *name, const char *text);
/* In JSON, bytes that are not UTF-8 become base64, in a field NAME_b64. */
void record_bytes(const char *name, const void *data, size_t len);
/* JSON: begins an array ('[') or an object ('{') within; name is NULL within an array. PAIRS:
 * begins a word ('\''), which print_text(PAIRS) fills. record_unnest takes the closing one. */
void record_nest(const char *name, char bracket);
void record_unnest(char bracket);
void record_end(void);

/* --- text that came from outside. */
/* The bytes of the UTF-8 character at text (RFC 3629), or 0 if there is none; left is 1 or more. */
size_t utf8_len(const void *text, size_t left);
int is_utf8(const void *text, size_t len);
/* The bytes of the character at text if a terminal must not get it: a control character, one
 * that changes the direction of text, or a byte that is no character; else 0. left is 1 or more. */
size_t unsafe_len(const void *text, size_t left);
/* Prints text that stands within '' or "" in a record, or for people. What is unsafe is escaped. */
void print_text(const void *text, size_t len, enum record_form form);
void print_base64(const void *data, size_t len);
/* Four characters for the next three bytes of data; left is 1 or more. */
void base64_four(char four[4], const void *data, size_t left);

/* --- as PID 1: run_as_init returns in its children only, with the argv of the box. */
int is_init(void);
char **run_as_init(void);

/* CRC-32 (IEEE 802.3, as zlib): crc is 0, or the result for the bytes before buf. */
uint32_t crc32(uint32_t crc, const void *buf, size_t len);

#endif
