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

/* The main function of each applet takes an argv that ends with NULL and returns the exit
 * status. */
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

/* --- messages: "applet: text[: strerror(errno)]\n" goes to stderr in one write(2). Characters that
 * a terminal must not get (unsafe_len) become '?'. The _and_die functions exit with
 * xfunc_error_retval, which is EXIT_FAILURE unless the applet changed it. */
extern const char *applet_name;
extern int xfunc_error_retval;
void bb_error_msg(const char *fmt, ...) PRINTF(1, 2);
void bb_perror_msg(const char *fmt, ...) PRINTF(1, 2);
void bb_error_msg_and_die(const char *fmt, ...) PRINTF(1, 2) NORETURN;
void bb_perror_msg_and_die(const char *fmt, ...) PRINTF(1, 2) NORETURN;

/* Prints the message and the line "Try 'APPLET --help'.", and exits with EXIT_USAGE. */
void bb_show_usage(const char *fmt, ...) PRINTF(1, 2) NORETURN;
/* Returns the text with this number (TEXT_... of texts.h). The texts that follow it stand behind
 * its NUL. */
const char *bb_text(unsigned number);
/* Decodes raw deflate data (RFC 1951) that the build made. out must have room for all of the
 * result. */
void inflate(char *out, const uint8_t *deflated);
/* Prints the applet's help text on stdout and exits with EXIT_SUCCESS. */
void bb_show_help(void) NORETURN;

/* --- options. The spec is a list of "c(long)". A ':' follows if the option takes an argument, and
 * '::' if the argument is optional. The next pointer, a char **, receives the argument. getopt32
 * returns the letters that were given: `opts & OPT('c')`.
 * "(long)" is an option without a letter. Such an option always has a pointer of its own: an int *
 * that is set to 1, or with ':' or '::' a char ** that receives the argument ("" if an optional
 * argument is left out). If an option is not given, what its pointer points to stays as it was.
 * If an option ends with '*', its pointer, a char ***, gets a NULL-terminated list that grows. The
 * byte before an item, item[-1], is the option's letter ('\0' if it has none), so that several
 * options can share a list and keep the order in which they were given.
 * With a leading '+' the options end at the first operand. --help and --version are always
 * accepted. Afterwards argv[optind] is the first operand. */
typedef uint64_t opts_t;
#define OPT(c) (1ULL << ((c) > 'Z' ? (c) - 'a' + 26 : (c) > '9' ? (c) - 'A' : (c) - '0' + 52))
opts_t getopt32(char **argv, const char *spec, ...);

/* --- numbers from users. The whole string must be a number within the range, without a sign or a
 * space. Anything else is the usage error "invalid WHAT: 'STR'". */
uintmax_t xatou_range(const char *what, const char *str, uintmax_t min, uintmax_t max);
/* Reads the digits at str, of base 8, 10 or 16. Returns what follows them, or NULL if there is no
 * digit or the number is too large. strtoumax(3) would also accept spaces and signs. */
const char *parse_digits(const char *str, unsigned base, uintmax_t *value);
/* Returns the decimal number at str, or 0 if there is none. */
uintmax_t leading_number(const char *str);
/* Returns bytes. Examples: 4096, 64k = 64K = 64KiB (1024), 64KB (1000), 1.5M; G and T exist,
 * too. */
uintmax_t xatosize(const char *what, const char *str, uintmax_t min, uintmax_t max);
/* Returns nanoseconds. Examples: 2 and 2s (seconds), 1.5, 500ms, 20us, 1m (minutes), 1h. */
int64_t xatodur(const char *what, const char *str);
/* Returns the index of str in names, a NULL-terminated list, or 0 if str is NULL. */
int xchoose(const char *what, const char *str, const char *const names[]);

/* --- walk.c: what a path means, without following a stranger's link */
/* Returns true, after a message, if others can write to the directory parent, and st belongs
 * neither to us nor to the owner of parent, or has several hard links. what names st in the
 * message. */
int bb_refuse_stranger(const char *path, const struct stat *st, const struct stat *parent,
	const char *what);
struct bb_walk {
	const char *path;	/* what messages call the file */
	int dir;		/* a descriptor of the directory where name was looked up, or -1 */
	int works;		/* this kernel has O_PATH */
	int is_refused;		/* a stranger's link was on the way, and a message says so */
	int is_magic;		/* name is a link in /proc, which the kernel has followed */
	int links;		/* the links that were followed */
	struct stat parent;	/* of dir */
	char name[NAME_MAX + 2]; /* One character too many gives ENAMETOOLONG. */
	char rest[2 * PATH_MAX]; /* the part of the path that is still to be walked */
};
/* Returns an O_PATH descriptor of what the path means, or -1. The caller sets w->path, and the rest
 * of *w to zeros, and closes w->dir. If only the last name does not exist (ENOENT), w->dir is where
 * it can be made. */
int bb_walk(struct bb_walk *w, const char *path);
/* Does the same, but ends the program if a stranger's link is on the way, and closes w->dir. */
int bb_find(struct bb_walk *w, const char *path);
/* Ends the program if st, which bb_find has found, is a stranger's. what names this file in the
 * message. */
void bb_refuse_owner(const struct bb_walk *w, const struct stat *st, const char *what);
/* Opens the file if no link is on the way. Otherwise, and if this kernel cannot tell, returns
 * -1. */
int bb_open_without_links(const char *path, int flags);

/* --- calls that succeed or end the program with a message that names the object */
void *xmalloc(size_t size);
void *xrealloc(void *old, size_t size);
char *xasprintf(const char *fmt, ...) PRINTF(1, 2);
int xopen(const char *path, int flags);
int same_inode(const struct stat *a, const struct stat *b);	/* by device and inode */
void xpipe(int fd[2]);
pid_t xfork(void);
/* Called in a child: the child is killed when the parent ends, even if the parent has already
 * ended. In a new PID namespace (unshare -p without --fork) getppid(2) returns 0 for a parent that
 * still lives. */
void die_with_parent(pid_t parent);
/* Runs a command found in PATH, with SIGPIPE, SIGXFSZ and the signal mask as this program has
 * inherited them. exec_command returns only if that fails. xexec then exits with 126 or 127. */
void exec_command(char **argv);
void xexec(char **argv) NORETURN;
/* stdout is buffered, but a terminal gets each line at once. If a write to stdout fails, the exit
 * status is not 0. A message says so, except after EPIPE. */
void xprintf(const char *fmt, ...) PRINTF(1, 2);
void xwrite_stdout(const void *data, size_t len);
void xfflush_stdout(void);
int flush_stdout(void);	/* returns -1 if a write fails */
/* These work as snprintf(3) and vsnprintf(3), but return the number of bytes that buf now holds
 * without the NUL. A NUL is always written, so size must be 1 or more. */
size_t scnprintf(char *buf, size_t size, const char *fmt, ...) PRINTF(3, 4);
size_t vscnprintf(char *buf, size_t size, const char *fmt, va_list args) PRINTF(3, 0);

/* --- read(2) and write(2). safe_... calls once, and again after EINTR. full_... goes on until all
 * bytes are done, the file ends or an error occurs. It returns the number of bytes done, or -1 if
 * an error came before the first byte. */
ssize_t safe_read(int fd, void *buf, size_t len);
ssize_t safe_write(int fd, const void *buf, size_t len);
ssize_t full_read(int fd, void *buf, size_t len);
ssize_t full_write(int fd, const void *buf, size_t len);

/* --- time: monotonic_ns returns CLOCK_MONOTONIC in nanoseconds. */
#define NS_PER_S 1000000000LL
int64_t monotonic_ns(void);
/* Sleeps until this absolute time. Returns false if a signal came first. */
int sleep_until(int64_t deadline_ns);

/* --- signals. The handler only stores the signal: bb_got_signal is the last one that came, or 0.
 * sigs is a 0-terminated list. die_of_signal never returns: the parent sees that this signal has
 * killed the process. */
extern volatile sig_atomic_t bb_got_signal;
/* These tell how main() found SIGPIPE, SIGXFSZ and the signal mask. main() then ignores both
 * signals, so that write(2) fails with EPIPE or EFBIG instead. exec_command restores all three. */
extern int bb_sigpipe_was_ignored, bb_sigxfsz_was_ignored;
extern sigset_t bb_inherited_mask;
void bb_signals(const int *sigs);
void die_of_signal(int sig) NORETURN;

/* --- what this kernel allows. A capability is asked for rather than the user ID, because root in a
 * container often lacks one. capabilities(7) lists the names. */
enum { CAP_DAC_OVERRIDE = 1, CAP_IPC_LOCK = 14, CAP_SYS_RESOURCE = 24 };
int has_capability(int cap);
/* Returns the number in a file like /proc/sys/fs/pipe-max-size, or -1. */
long read_number(const char *path);

/* --- records on stdout. For programs a record is one line, either JSON (RFC 8259) or words
 * KEY='value' for the shell's eval. For people each field is a line. The fields appear in the order
 * of the calls. */
enum record_form { NO_RECORD, JSON, PAIRS };
void record_begin(enum record_form form);
void record_number(const char *name, intmax_t value);
void record_literal(const char *name, const char *text); /* true, false, null, 1.5 */
void record_string(const char *name, const char *text);
/* In JSON, bytes that are not UTF-8 become base64, in a field NAME_b64. */
void record_bytes(const char *name, const void *data, size_t len);
/* In JSON, record_nest begins an array ('[') or an object ('{'). name is NULL within an array. In
 * PAIRS, it begins a word ('\''), which print_text(PAIRS) fills. record_unnest takes the closing
 * bracket. */
void record_nest(const char *name, char bracket);
void record_unnest(char bracket);
void record_end(void);

/* --- text that came from outside. */
/* Returns the length of the UTF-8 character at text (RFC 3629), or 0 if the bytes are no character.
 * left must be 1 or more. */
size_t utf8_len(const void *text, size_t left);
/* Returns the code point of the character at text, which has n bytes. */
unsigned utf8_code(const void *text, size_t n);
int is_utf8(const void *text, size_t len);
/* Returns the length of the character at text if a terminal must not get it, else 0. Such are a
 * control character, a character that changes the direction of text, and a byte that is no
 * character. left must be 1 or more. */
size_t unsafe_len(const void *text, size_t left);
/* Replaces each such character of text by '?'. Returns the new length. */
size_t make_safe(char *text, size_t len);
/* Prints text that stands within '' or "" in a record, or text for people. Unsafe characters are
 * escaped. */
void print_text(const void *text, size_t len, enum record_form form);
void print_base64(const void *data, size_t len);
/* Writes the four characters that stand for the next three bytes of data. left must be 1 or
 * more. */
void base64_four(char four[4], const void *data, size_t left);

/* --- the box as PID 1. run_as_init returns only in its children, with the argv of the box. */
int is_init(void);
char **run_as_init(void);

/* Returns the CRC-32 (IEEE 802.3, as zlib). crc is 0, or the result for the bytes before buf. */
uint32_t crc32(uint32_t crc, const void *buf, size_t len);

#endif
