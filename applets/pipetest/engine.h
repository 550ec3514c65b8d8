/*
 * engine.h - what the parts of pipetest's engine share, and no case sees
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef ENGINE_H
#define ENGINE_H

#include "case.h"

/* The groups, in the order in which they run: each is NAME_cases[] in NAME.c, as many as
 * rows.h says. */
#define GROUPS \
	GROUP(tutorial_pipe) \
	GROUP(tutorial_races) \
	GROUP(tutorial_fifo) \
	GROUP(tutorial_map) \
	GROUP(interfaces) \
	GROUP(basics) \
	GROUP(refusals) \
	GROUP(processes) \
	GROUP(blocking) \
	GROUP(nonblock) \
	GROUP(end_of_file) \
	GROUP(vectored) \
	GROUP(atomicity) \
	GROUP(capacity) \
	GROUP(packet) \
	GROUP(flags) \
	GROUP(poll) \
	GROUP(poll_calls) \
	GROUP(select) \
	GROUP(epoll) \
	GROUP(epoll_edge) \
	GROUP(epoll_calls) \
	GROUP(ioctl) \
	GROUP(signals) \
	GROUP(splice) \
	GROUP(splice_others) \
	GROUP(tee) \
	GROUP(vmsplice) \
	GROUP(fifo) \
	GROUP(fifo_use) \
	GROUP(permissions) \
	GROUP(mmap) \
	GROUP(mmap_sharing) \
	GROUP(mmap_flags) \
	GROUP(mmap_signals) \
	GROUP(mremap) \
	GROUP(mprotect) \
	GROUP(madvise) \
	GROUP(msync) \
	GROUP(memfd) \
	GROUP(memfd_seals) \
	GROUP(sendfile) \
	GROUP(copy_file_range) \
	GROUP(regressions)

#define GROUP(name) extern const struct test_case name##_cases[];
GROUPS
#undef GROUP

/* The four texts of a row, which lie one after the other. */
enum case_text { NAME, IDS, RULE, SOURCE, NEXT_ROW };
const char *case_text(const char *row, enum case_text which);

enum kind { ANY, PIPE, PIPE2, PAGE, FIFO, ON_MEMFD, ON_FILE, N_KINDS };
enum verdict { PASS, FAIL, XFAIL, XPASS, SKIP, ERROR, N_VERDICTS };
enum { TEXT_SIZE = 32 * 1024, TEXT_RESERVE = 1024 };
enum { MAX_JOBS = 128, MAX_NAMES = 8, MAX_CALLS = 160, NAME_SIZE = 64 };

enum { CALL_SIZE = 112 };

/* A call of a case's process that the others can see. */
struct call {
	_Atomic uint32_t made;	/* and not returned */
	char text[CALL_SIZE];
};

/* What a case's processes tell the engine; it survives their death. */
struct shared {
	_Atomic uint32_t verdict, text_len, lines_lost;
	struct stream stream;
	_Atomic uint32_t jobs;
	struct job {
		_Atomic uint32_t state;
		int32_t pid, thread, result, caught;
		struct call call;
	} job[MAX_JOBS];
	struct call call;	/* of the case's first process */
	_Atomic uint32_t names;
	char name[MAX_NAMES][16];	/* of files that it has made */
	char reason[64];
	char text[TEXT_SIZE];	/* lines of diagnostics, each ended by a newline */
	/* of probes.c, for all cases */
	int32_t probed, any_absent, proc_self;
	bool absent[MAX_CALLS];
};

extern struct engine {
	struct shared *shared;
	uint32_t text_room;	/* what is told on the way leaves some to the end */
	const char *no_dir;	/* why there is no directory: what cases are skipped with */
	const char *no_proc;	/* the same for /proc */
	bool few_fds;		/* so few that most cases have no room */
	bool is_child;		/* this process is a case's, not the engine's */
} engine;

void caller_starts(struct call *seen);	/* this process announces its calls there */
bool on_thread(void);	/* of t_thread() */
/* The call that what names and this kernel lacks, or NULL. */
const char *lacking(const char *what);

enum format { KTAP, TAP13, PTEST, JSON_LINES, TERMINAL };

struct options {
	char **globs;		/* -t: any of them; NULL is all */
	char *classes;		/* -c: letters; NULL is all */
	enum format format;
	bool nested, lava;	/* of KTAP and TAP13 only */
	bool exotic, exit_first, quiet;
	const char *strict;	/* --strict: the reasons for a skip that are allowed; or NULL */
	double multiplier;
	int64_t soak;
	unsigned repeat;
};

struct pick {
	const struct test_case *c;
	const char *row;	/* the texts */
	const char *group;	/* of GROUPS */
	enum kind kind;
	char name[NAME_SIZE];	/* with the kind */
};

struct result {
	const struct test_case *c;
	const char *row;
	const char *name;
	enum verdict verdict;
	bool hung;
	const char *reason;	/* of a skip or an expected failure */
	const char *text;	/* diagnostics, a line each */
	int64_t ns;
};

void probe(const char *dir);
void probe_calls(void);	/* which of them are missing; into engine.shared */
void print_environment(void (*line)(const char *fmt, ...));

/* directory.c: the current directory of the cases. */
bool directory_make(const char *wish);
const char *directory_name(void);
void directory_fresh(void);	/* for the next case, */
void directory_empty(void);	/* and behind it */
void directory_remove(void);
void directory_note(const char *name);	/* of a file that a case has made there */

struct pick *pick_cases(const struct options *o, unsigned *count);
bool word_in_list(const char *word, const char *list);	/* "a,b,c" */

/* children.c: the case's first process, which leads its group. */
struct leader {
	pid_t pid;
	int status;
	bool reaped, gone;
};
void children_start(void);	/* from now on only the engine's waits see signals */
/* 0 when the case has ended or given its verdict, -1 at the deadline, or the signal that asks the
 * engine to end. */
int await_leader(struct leader *leader, int64_t deadline);
bool end_group(struct leader *leader);	/* false if a process survives */

/* Returns the signal that ended it early, or 0. */
int run_cases(const struct pick *picks, unsigned count, const struct options *o);

void report_start(const struct options *o, const struct pick *picks, unsigned count);
void report_result(const struct result *r);
void report_progress(void);	/* one line on stderr: how far we are */
int report_end(int sig);	/* the totals; returns the exit status */

/* For people, between the header and the totals. */
void terminal_start(const struct pick *picks, unsigned count);
void terminal_result(const struct result *r);
void terminal_end(void);

/* The reasons for skips, summed. */
void skips_note(const char *token);
void skips_print(void (*line)(const char *fmt, ...), const char *indent);
void skips_record(void);

/* A known bug was found: its fix is missing. Each is named once. */
void fixes_note(const char *row);
void fixes_print(void (*line)(const char *fmt, ...), const char *indent);
void fixes_record(void);

/* The shell's * and ?, in the word from name to end. */
bool glob_matches(const char *glob, const char *name, const char *end);

#endif
