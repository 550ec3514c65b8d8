/*
 * without.c - run a command on a kernel that lacks some system calls, or parts of them
 *
 * SPDX-License-Identifier: 0BSD
 *
 *   without ERROR WHAT[,WHAT...] COMMAND [ARG...]
 *   without -l                      the names of all system calls
 *
 * ERROR: one of errors[] below, SIGSYS for a call that kills, or 0 for one that does nothing and
 * succeeds. WHAT: a system call, or one operation of it, by an argument (the first is 0) and a number
 * or one of the names below:
 *
 *   fcntl:1=F_SETPIPE_SZ   that argument has this value
 *   openat:2&O_TMPFILE     it has all of these bits
 *   kill:0<0               it is an int below 0
 *
 * A call that this machine never had is no error. A seccomp(2) filter does it from the
 * command's first instruction on, in all its children, too. The exec of the command goes
 * through, by the address of its arguments.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct name {
	const char *name;
	long value;
} calls[] = {
#define CALL(name) { #name, __NR_##name },
#include "calls.h" /* CALL(name) for each __NR_name of sys/syscall.h */
}, values[] = {
#define VALUE(name) { #name, name },
	VALUE(F_DUPFD) VALUE(F_DUPFD_CLOEXEC) VALUE(F_GETFD) VALUE(F_SETFD) VALUE(F_GETFL) VALUE(F_SETFL)
	VALUE(F_GETLK) VALUE(F_SETLK) VALUE(F_SETLKW) VALUE(F_OFD_GETLK) VALUE(F_OFD_SETLK) VALUE(F_OFD_SETLKW)
	VALUE(F_SETOWN) VALUE(F_SETSIG) VALUE(F_GETPIPE_SZ) VALUE(F_SETPIPE_SZ) VALUE(F_ADD_SEALS)
	VALUE(F_GET_SEALS) VALUE(F_SETLEASE) VALUE(F_NOTIFY)
	VALUE(FIONREAD) VALUE(FIONBIO) VALUE(FIOASYNC) VALUE(TIOCGWINSZ) VALUE(TCGETS)
	{ "FICLONE", 0x40049409 }, { "BLKGETSIZE64", 0x80081272 }, { "FS_IOC_GETFLAGS", 0x80086601 },
	VALUE(O_TMPFILE) VALUE(O_PATH) VALUE(O_DIRECT) VALUE(O_NOFOLLOW) VALUE(O_CLOEXEC) VALUE(O_DIRECTORY)
	VALUE(O_NOATIME) VALUE(O_EXCL) VALUE(O_NONBLOCK)
	VALUE(MAP_SHARED) VALUE(MAP_ANONYMOUS) VALUE(MAP_FIXED) VALUE(MAP_POPULATE) VALUE(MAP_NORESERVE)
	VALUE(MAP_LOCKED) VALUE(MAP_GROWSDOWN) VALUE(MAP_HUGETLB) VALUE(MAP_FIXED_NOREPLACE)
	VALUE(MREMAP_MAYMOVE) VALUE(MREMAP_FIXED) VALUE(SPLICE_F_NONBLOCK) VALUE(SPLICE_F_MOVE)
	VALUE(SPLICE_F_MORE) VALUE(SPLICE_F_GIFT) VALUE(CLONE_VM) VALUE(CLONE_THREAD) VALUE(CLONE_NEWUSER)
	VALUE(CLONE_NEWNS) VALUE(CLONE_VFORK) VALUE(PR_SET_PDEATHSIG) VALUE(FALLOC_FL_PUNCH_HOLE)
	VALUE(FALLOC_FL_KEEP_SIZE)
}, errors[] = {
	{ "0", 0 }, VALUE(ENOSYS) VALUE(EPERM) VALUE(EINVAL) VALUE(EACCES) VALUE(EOPNOTSUPP)
	VALUE(EIO) VALUE(ENOSPC) VALUE(ENOMEM) VALUE(EMFILE)
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { LIMIT = 4000 }; /* instructions: BPF_MAXINSNS is 4096 */
static struct sock_filter code[LIMIT + 96];
static unsigned length;
static unsigned deny; /* what the filter returns for a call that is missing */
static char path[4096];

static void die(const char *what, const char *name)
{
	fprintf(stderr, "without: %s '%s'\n", what, name);
	exit(2);
}

static const struct name *find(const struct name *table, size_t count, const char *name, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0)
			return &table[i];
	return NULL;
}

static void add(unsigned short op, unsigned k, unsigned char yes, unsigned char no)
{
	if (length >= LIMIT)
		die("too much is missing:", "the filter is full");
	code[length++] = (struct sock_filter){ op, yes, no, k };
}

static void load(size_t offset)
{
	add(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

/* Returns the place of the low half of an argument: flags, commands and descriptors have no more
 * bits. */
static size_t low_half(int argument)
{
	return offsetof(struct seccomp_data, args) + 8 * argument +
		(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0);
}

static unsigned number(const char *text)
{
	const struct name *known = find(values, COUNT(values), text, strlen(text));
	char *end;
	unsigned long value = strtoul(text, &end, 0);

	if (known)
		return known->value;
	if (!*text || *end)
		die("unknown value", text);
	return value;
}

/* condition: N=VALUE, N&BITS or N<0; empty for the whole call. */
static void refuse(unsigned call, const char *condition)
{
	static const unsigned short jumps[] = { BPF_JEQ, BPF_JSET, BPF_JSET };
	const char *ops = "=&<", *op = *condition ? strchr(ops, condition[1]) : ops;
	unsigned value;

	load(offsetof(struct seccomp_data, nr));
	if (!*condition) {
		add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
		add(BPF_RET | BPF_K, deny, 0, 0);
		return;
	}
	if (*condition < '0' || *condition > '5' || !op || !*op)
		die("what is the condition", condition);
	value = *op == '<' ? 1U << 31 : number(condition + 2);
	add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, *op == '&' ? 4 : 3);
	load(low_half(*condition - '0'));
	if (*op == '&')
		add(BPF_ALU | BPF_AND | BPF_K, value, 0, 0);
	add(BPF_JMP | jumps[op - ops == 1 ? 0 : op - ops] | BPF_K, value, 0, 1);
	add(BPF_RET | BPF_K, deny, 0, 0);
}

/* Lets the execve(2) of the command through, although exec may be the missing call. */
static void allow_exec(char **argv)
{
	load(offsetof(struct seccomp_data, nr));
	add(BPF_JMP | BPF_JEQ | BPF_K, __NR_execve, 0, 5);
	load(low_half(0));
	add(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(unsigned long)path, 0, 3);
	load(low_half(1));
	add(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(unsigned long)argv, 0, 1);
	add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

static void parse(char *list)
{
	for (char *what; (what = strsep(&list, ","));) {
		const struct name *call = find(calls, COUNT(calls), what, strcspn(what, ":"));

		if (call)
			refuse(call->value, what[strlen(call->name)] ? what + strlen(call->name) + 1 : "");
	}
}

static void find_command(const char *command)
{
	const char *dir = getenv("PATH");

	snprintf(path, sizeof(path), "%s", command);
	for (size_t len; !strchr(command, '/') && dir && *dir; dir += len + (dir[len] == ':')) {
		len = strcspn(dir, ":");
		snprintf(path, sizeof(path), "%.*s/%s", (int)len, dir, command);
		if (access(path, X_OK) == 0)
			return;
	}
}

int main(int argc, char **argv)
{
	struct sock_fprog program = { 0, code };
	const struct name *error;

	if (argc == 2 && strcmp(argv[1], "-l") == 0) {
		for (size_t i = 0; i < COUNT(calls); i++)
			puts(calls[i].name);
		return 0;
	}
	if (argc < 4)
		die("usage:", "without ERROR WHAT[,WHAT...] COMMAND [ARG...]");
	error = find(errors, COUNT(errors), argv[1], strlen(argv[1]));
	if (!error && strcmp(argv[1], "SIGSYS") != 0)
		die("unknown error", argv[1]);
	deny = error ? SECCOMP_RET_ERRNO | error->value : SECCOMP_RET_TRAP;
	find_command(argv[3]);
	allow_exec(argv + 3);
	parse(argv[2]);
	add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	program.len = length;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		perror("without: no seccomp filter");
		return 77;
	}
	syscall(__NR_execve, path, argv + 3, environ);
	perror(path);
	return 127;
}
