/*
 * run.c - runs each case in a process group of its own, under a time limit
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/utsname.h>
#include "engine.h"

/* --- In the child --------------------------------------------------------------------- */

static void make_pipe(int flags)
{
	int fd[2];

	if (flags)
		t_ok(pipe2(fd, flags), "pipe2");
	else
		t_pipe(fd);
	t.r = fd[0];
	t.w = fd[1];
}

static void make_kind(enum kind kind)
{
	if ((kind == FIFO || kind == ON_FILE) && !pipetest.dir)
		t_skip(pipetest.no_dir);
	pipetest.kind = kind;
	if (kind == FIFO)
		t_fifo("fifo");
	else
		make_pipe(kind == PIPE2 ? O_CLOEXEC : 0);
	if (kind == PAGE)
		t_page_pipe(t.w);
	t.cap = t_capacity_of(t.r, t.w);
	t.slots = t.cap / t.page;
}

/* A process of a case calls exit(3) only where a function such as xmalloc() gives up. The verdict
 * comes before the kernel closes the descriptors of this process, because another process of the
 * case would else see an end of file and judge it. */
static void __attribute__((destructor)) gave_up(void)
{
	if (pipetest.is_child)
		t_skip("no-memory");
}

static void run_child(const struct test_case *c, enum kind kind, pid_t parent) NORETURN;
static void run_child(const struct test_case *c, enum kind kind, pid_t parent)
{
	setpgid(0, 0);
	die_with_parent(parent);
	pipetest_default_signals();
	pipetest.is_child = true;
	pipetest.text_room -= TEXT_RESERVE;
	pipetest_caller_starts(&pipetest.shared->call);
	make_kind(kind);
	c->run();
	_exit(EXIT_SUCCESS);
}

/* --- The verdict ----------------------------------------------------------------------- */

static bool non_linux(void)
{
	struct utsname u;

	return uname(&u) < 0 || strcmp(u.sysname, "Linux") != 0;
}

/* Returns the RELEASE() of this kernel, or 0 if uname(2) fails. */
static unsigned this_release(void)
{
	struct utsname u;
	const char *point;
	unsigned minor;

	if (uname(&u) < 0)
		return 0;
	point = strchr(u.release, '.');
	minor = point ? leading_number(point + 1) : 0;
	return RELEASE((unsigned)leading_number(u.release), minor);
}

/* A failure is expected if the row says that this release has the bug. */
static enum verdict judge_bug(const struct bug *bug, enum verdict v, const char **reason)
{
	unsigned release = this_release();

	*reason = release ? "known-kernel-bug" : "no-uname";
	if (!release)
		return SKIP;
	return release < bug->fixed && (release >= bug->broken || release < bug->fixed_before)
		? XFAIL
		: v;
}

/* The class decides what a failure means. ERROR is a hang or a crash. A known bug of this kernel
 * (class B) or a system that is not Linux (class L) turns a failure and an ERROR into XFAIL. A
 * failure or a hang of class I passes. */
static enum verdict judge(const struct result *r, const char **reason)
{
	const struct test_case *c = r->c;
	enum verdict v = r->verdict;

	if (v != FAIL && v != ERROR)
		return v;
	if (c->class == 'I' && (v == FAIL || r->hung))
		return PASS;
	if (c->class == 'B') {
		t_info("you may be missing a fix: %s", pipetest_case_text(r->row, SOURCE));
		pipetest_fixes_note(r->row);
		return judge_bug(&c->bug, v, reason);
	}
	if (c->class == 'L' && non_linux()) {
		*reason = "not-linux";
		return XFAIL;
	}
	return v;
}

/* With --strict a skip is a failure, unless the option's list contains the reason. */
static enum verdict judge_skip(const char *reason, const struct options *o)
{
	if (!o->strict || pipetest_word_in_list(reason, o->strict))
		return SKIP;
	t_info("skipped: %s, and --strict does not allow that", reason);
	return FAIL;
}

/* Without close(2) a case cannot close an end of its pipe. */
static const char *unmet_need(const struct test_case *c)
{
	if (t_lacks("close") && !(c->flags & ANYWHERE))
		return "no-close";
	if (pipetest.few_fds)
		return "fd-limit";
	if (c->flags & NEEDS_PROC && !t.proc)
		return pipetest.no_proc;
	if (c->flags & NEEDS_DIR && !pipetest.dir)
		return pipetest.no_dir;
	return NULL;
}

static enum verdict skipped(const char *token)
{
	scnprintf(pipetest.shared->said.reason, sizeof(pipetest.shared->said.reason), "%s", token);
	return SKIP;
}

static enum verdict verdict_of(const struct leader *leader)
{
	int status = leader->status;

	if (!leader->gone)
		t_info("a process of the case could not be killed");
	else if (pipetest.shared->said.verdict != PASS)
		return pipetest.shared->said.verdict;
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return skipped("sigsys"); /* a seccomp(2) filter kills this way */
	else if (WIFSIGNALED(status))
		t_info("the case died of signal %d", WTERMSIG(status));
	else if (status)
		t_info("the case exited with status %d", WEXITSTATUS(status));
	else
		return PASS;
	return ERROR;
}

/* Prints the calls of the case's first process and of its jobs that did not return. */
static void name_calls(void)
{
	const struct shared *s = pipetest.shared;

	if (s->call.made)
		t_info("this call did not return: %s", s->call.text);
	else if (*s->call.text)
		t_info("the case hung behind this call: %s", s->call.text);
	for (uint32_t i = 0; i < s->jobs.count && i < MAX_JOBS; i++) {
		const struct job *job = &s->jobs.job[i];

		if (job->call.made)
			t_info("nor did this one of process %d: %s", (int)job->pid, job->call.text);
	}
}

/* --- One case --------------------------------------------------------------------------- */

/* A case may run for LIMIT_S, or longer on a slow machine. All cases that hang share ALL_HANGS_S:
 * each may take 1/PARTS of the time that is left, but always SHORT_S, in which a case that does not
 * hang ends. After one kind of a case has hung, its other kinds get a tenth of their limit. So
 * 20 cases that hang take no more than 5 minutes. */
enum { LIMIT_S = 10, SHORT_S = 2, ALL_HANGS_S = 160, PARTS = 6, OTHER_KINDS = 10,
	DEADLINE_DIVISOR = 2 };

static struct {
	int64_t left;	/* is what remains of ALL_HANGS_S, in ns */
	const struct test_case *hung;
} hangs;

static int64_t limit_of(const struct test_case *c, const struct options *o)
{
	double limit = LIMIT_S * NS_PER_S * t.factor * o->pace.multiplier;
	double part = (double)hangs.left / PARTS;
	double least = SHORT_S * NS_PER_S * o->pace.multiplier * (t.factor < 2 ? t.factor : 2);

	if (limit > part)
		limit = part > least ? part : least < limit ? least : limit;
	return c == hangs.hung ? limit / OTHER_KINDS : limit;
}

/* A case that failed at its own deadline, which precedes the time limit, also counts as a hang. */
static void note_hang(const struct result *r, int64_t limit)
{
	if (r->verdict != FAIL && r->verdict != ERROR)
		return;
	if (r->ns < limit / DEADLINE_DIVISOR)
		return;
	hangs.left -= r->ns;
	hangs.hung = r->c;
}

/* Runs a case once. Sets *sig if a signal asks the engine to end. */
static enum verdict run_once(struct result *r, enum kind kind, int64_t limit, int *sig)
{
	int64_t now = monotonic_ns();
	struct leader leader = { 0 };
	pid_t parent = getpid();
	enum verdict v;
	bool had_dir;
	int end;

	memset(pipetest.shared, 0,
		offsetof(struct shared, said.text) + pipetest.shared->said.text_len);
	t.deadline = now + limit / DEADLINE_DIVISOR; /* leaves time to print what was awaited */
	pipetest_directory_fresh();
	leader.pid = fork();
	if (leader.pid < 0)
		return skipped("process-limit");
	if (leader.pid == 0)
		run_child(r->c, kind, parent);
	setpgid(leader.pid, leader.pid);
	end = pipetest_await_leader(&leader, now + limit);
	if (end < 0)
		name_calls();
	leader.gone = pipetest_end_group(&leader);
	had_dir = pipetest_directory_empty();
	if (end > 0)
		*sig = end;
	if (end == 0) {
		v = verdict_of(&leader);
		return v == FAIL && !had_dir ? ERROR : v; /* the kernel is not to blame */
	}
	t_info("killed at its time limit of %lld ms", (long long)limit / 1000000);
	r->hung = end < 0;
	return ERROR;
}

static void text_to(struct result *r)
{
	struct said *said = &pipetest.shared->said;

	if (said->lines_lost)
		t_info("%u lines more found no room", (unsigned)said->lines_lost);
	said->text[said->text_len] = '\0';
	r->text = said->text;
}

/* Runs the case as often as the options say, until the first run that does not pass. */
static void run_repeatedly(struct result *r, enum kind kind, const struct options *o, int *sig)
{
	int64_t limit = limit_of(r->c, o), start = monotonic_ns();
	unsigned runs = 0;

	do {
		int64_t begin = monotonic_ns();

		r->verdict = run_once(r, kind, limit, sig);
		r->ns = monotonic_ns() - begin;
	} while (!*sig && r->verdict == PASS
		&& (++runs < o->pace.repeat
			|| (r->c->flags & STRESS && monotonic_ns() - start < o->pace.soak)));
	if (runs > 1)
		t_info("passed %u times", runs);
	note_hang(r, limit);
	r->ns = monotonic_ns() - start;
}

static void run_case(struct result *r, enum kind kind, const struct options *o, int *sig)
{
	pipetest.shared->said.text_len = pipetest.shared->said.lines_lost = 0;
	r->reason = unmet_need(r->c);
	r->verdict = SKIP;
	if (!r->reason) {
		run_repeatedly(r, kind, o, sig);
		r->reason = pipetest.shared->said.reason;
		r->verdict = judge(r, &r->reason);
	}
	if (r->verdict == SKIP)
		r->verdict = judge_skip(r->reason, o);
	text_to(r);
}

int pipetest_run_cases(const struct pick *picks, unsigned count, const struct options *o)
{
	int sig = 0;

	hangs.left = ALL_HANGS_S * NS_PER_S * o->pace.multiplier;
	for (unsigned i = 0; i < count && !sig; i++) {
		struct result r = { picks[i].c, picks[i].row, .name = picks[i].name };

		run_case(&r, picks[i].kind, o, &sig);
		if (sig)
			break;
		pipetest_report_result(&r);
		if (o->exit_first && (r.verdict == FAIL || r.verdict == ERROR))
			break;
	}
	return sig;
}
