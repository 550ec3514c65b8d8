/*
 * engine.h - types and functions that the files of pipetest's engine share and no case uses
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef ENGINE_H
#define ENGINE_H

#include "case.h"

/* These are the groups in the order in which they run. The rows of each are NAME_cases[] in
 * cases/NAME.c, and rows.h has their number. */
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

/* A row's four texts are stored one after the other. */
enum case_text { NAME, IDS, RULE, SOURCE, NEXT_ROW };
const char *pipetest_case_text(const char *row, enum case_text which);

enum kind { ANY, PIPE, PIPE2, PAGE, FIFO, ON_MEMFD, ON_FILE, N_KINDS };
enum verdict { PASS, FAIL, XFAIL, XPASS, SKIP, ERROR, N_VERDICTS };
enum { TEXT_SIZE = 32 * 1024, TEXT_RESERVE = 1024 };
enum { MAX_JOBS = 128, MAX_NAMES = 8, MAX_CALLS = 160, NAME_SIZE = 64 };

enum { CALL_SIZE = 112 };

/* A process of a case announced this call. The struct is in memory that all processes share. */
struct call {
	_Atomic uint32_t made;	/* is true until the call returns */
	char text[CALL_SIZE];
};

/* This struct holds what a case said: its verdict and its lines of diagnostics. */
struct said {
	_Atomic uint32_t verdict, text_len, lines_lost;
	char reason[64];
	char text[TEXT_SIZE];	/* each line ends with a newline */
};

/* A job is a call that t_start() or t_thread() makes. */
struct jobs {
	_Atomic uint32_t count;
	struct job {
		_Atomic uint32_t state;
		int32_t pid, thread, result, caught;
		struct call call;
	} job[MAX_JOBS];
};

/* These are the processes that t_fork() made and that no helper has reaped. A pid is 0 in a slot
 * that is free. */
struct forked {
	_Atomic int32_t pid[MAX_JOBS];
};

/* These are the names of files that helpers have made for the case. */
struct noted {
	_Atomic uint32_t count;
	char name[MAX_NAMES][16];
};

/* absent says for each call of probes.c if the kernel lacks it. next is the call that is probed. */
struct probed {
	int32_t next, any_absent;
	bool absent[MAX_CALLS];
};

/* The processes of a case write here what the engine reads after their end. */
struct shared {
	struct stream stream;
	struct call call;	/* belongs to the case's first process */
	struct jobs jobs;
	struct forked forked;
	struct noted noted;
	struct said said;
	/* run_once() clears the members above. Those below keep their values for the whole run. */
	struct probed probed;
	int32_t proc_self;
};

extern struct engine {
	struct shared *shared;
	uint32_t text_room;	/* is less than TEXT_SIZE in a case: t_fail() uses the rest */
	const char *no_dir;	/* is the reason for a skip where there is no directory */
	const char *no_proc;	/* is the reason for a skip where there is no /proc */
	bool dir;		/* there is a directory in which files can be made */
	enum kind kind;		/* is the kind of pipe or of file that the case gets */
	bool few_fds;		/* RLIMIT_NOFILE is too low for most cases */
	bool is_child;		/* this process belongs to a case or a measurement */
} pipetest;

void pipetest_caller_starts(struct call *seen);	/* this process announces its calls in *seen */
bool pipetest_on_thread(void);	/* says if the caller is the thread of t_thread() */
/* Returns the name of a call that the text "what" contains and this kernel lacks, or NULL. */
const char *pipetest_lacking(const char *what);

enum format { KTAP, TAP13, PTEST, JSON_LINES, TERMINAL };

struct options {
	char **globs;		/* come from -t; NULL selects all cases */
	char *classes;		/* come from -c; NULL selects all classes */
	enum format format;
	bool nested, lava;	/* apply to KTAP and TAP13 only */
	bool exotic, exit_first, quiet;
	const char *strict;	/* lists reasons for which a skip is no failure; NULL: all */
	struct pace {
		double multiplier; /* multiplies the time limits */
		int64_t soak;	/* repeats each stress case for so many ns */
		unsigned repeat;
	} pace;
};

struct pick {
	const struct test_case *c;
	const char *row;	/* points to the four texts */
	const char *group;	/* is a name in GROUPS */
	enum kind kind;
	char name[NAME_SIZE];	/* ends with the kind, as in .fifo */
};

struct result {
	const struct test_case *c;
	const char *row;
	const char *name;
	enum verdict verdict;
	bool hung;
	const char *reason;	/* explains a skip or an expected failure */
	const char *text;	/* holds the lines of diagnostics */
	int64_t ns;
};

void pipetest_probe(const char *dir);	/* finds out what the cases must know of this machine */
void pipetest_probe_calls(void);	/* notes in pipetest.shared which calls are missing */
/* Returns how many processors this process may run on. */
int pipetest_processors(void);
void pipetest_print_environment(void (*line)(const char *fmt, ...));

/* directory.c makes and empties the current directory of the cases. */
bool pipetest_directory_make(const char *wish);	/* wish is the argument of --dir, or NULL */
const char *pipetest_directory_name(void);
void pipetest_directory_fresh(void);	/* is called before each case */
/* Is called after each case. Returns false if someone removed the directory meanwhile, and then has
 * made another. */
bool pipetest_directory_empty(void);
void pipetest_directory_remove(void);
void pipetest_directory_note(const char *name);	/* remembers a file that a case makes */

struct pick *pipetest_pick_cases(const struct options *o, unsigned *count);
/* Commas separate the words of the list. */
bool pipetest_word_in_list(const char *word, const char *list);

/* The leader is the first process of a case or a measurement. It leads the process group. */
struct leader {
	pid_t pid;
	int status;
	bool reaped, gone;
};
void pipetest_children_start(void);	/* blocks the signals for which the engine then waits */
void pipetest_default_signals(void); /* is for a child: no signal is ignored or blocked */
/* Returns 0 when the case has ended or has given its verdict, -1 at the deadline, or the signal
 * that asks the engine to end. */
int pipetest_await_leader(struct leader *leader, int64_t deadline);
bool pipetest_end_group(struct leader *leader);	/* returns false if a process survives */

/* Returns the signal that ended the run early, or 0. */
int pipetest_run_cases(const struct pick *picks, unsigned count, const struct options *o);

void pipetest_report_start(const struct options *o, const struct pick *picks, unsigned count);
void pipetest_report_result(const struct result *r);
void pipetest_report_progress(void);	/* prints one line about the progress on stderr */
int pipetest_report_end(int sig);	/* prints the totals and returns the exit status */

/* terminal.c prints the results for a person, between the header and the totals. */
void pipetest_terminal_start(const struct pick *picks, unsigned count);
void pipetest_terminal_result(const struct result *r);
void pipetest_terminal_end(void);

/* skips.c counts the skipped cases by reason. */
void pipetest_skips_note(const char *token);
void pipetest_skips_print(void (*line)(const char *fmt, ...), const char *indent);
void pipetest_skips_record(void);

/* fixes.c lists the known bugs that the cases of class B found. Each is listed once. */
void pipetest_fixes_note(const char *row);
void pipetest_fixes_print(void (*line)(const char *fmt, ...), const char *indent);
void pipetest_fixes_record(void);

/* Compares the word from name to end with a pattern in which * and ? mean what they mean in sh. */
bool pipetest_glob_matches(const char *glob, const char *name, const char *end);

#endif
