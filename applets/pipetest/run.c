/*
 * run.c - runs each case in a process group of its own, under a time limit
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <dirent.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include "engine.h"

/* The engine keeps SIGCHLD and the signals that end it blocked and waits for them with
 * sigtimedwait: no handler, no race. As a subreaper it gets the orphans of a case too, so
 * that "the group is gone" can be seen. The group is killed before its leader is reaped:
 * until then nobody else can have its number. */

enum { LIMIT_S = 10, KILL_S = 5, DEADLINE_DIVISOR = 2 };

static sigset_t signals;

static const char *kind_name(enum kind kind)
{
	static const char names[N_KINDS][8] = {
		"", ".pipe", ".pipe2", ".page", ".fifo", ".memfd", ".file"
	};

	return names[kind];
}

/* --- inside the child ---------------------------------------------------------------- */

static void make_pipe(int flags)
{
	int fd[2];

	want(ret(flags ? pipe2(fd, flags) : pipe(fd)), 0, "making the pipe");
	t.r = fd[0];
	t.w = fd[1];
}

static void make_kind(enum kind kind)
{
	long size;

	if ((kind == FIFO || kind == ON_FILE) && !t.dir)
		skip("no-dir");
	t.in_memory = kind == ON_MEMFD;
	t.in_dir = kind == ON_FILE;
	if (kind == FIFO)
		t_fifo("fifo");
	else
		make_pipe(kind == PIPE2 ? O_CLOEXEC : 0);
	if (kind == PAGE)
		want(ret(fcntl(t.w, F_SETPIPE_SZ, (int)t.page)), t.page,
			"F_SETPIPE_SZ to one page");
	size = ret(fcntl(t.w, F_GETPIPE_SZ));
	if (size < 0)
		skip("no-F_GETPIPE_SZ");
	t.cap = size;
	t.slots = t.cap / t.page;
}

static void run_child(const struct test_case *c, enum kind kind, pid_t parent) NORETURN;
static void run_child(const struct test_case *c, enum kind kind, pid_t parent)
{
	sigset_t none;

	setpgid(0, 0);
	die_with_parent(parent);
	for (int sig = 1; sig < _NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	xfunc_error_retval = EXIT_UNSUPPORTED;
	engine.text_room -= TEXT_RESERVE;
	make_kind(kind);
	c->run();
	_exit(EXIT_SUCCESS);
}

/* --- around it ----------------------------------------------------------------------- */

/* One that was ignored when we were started (nohup, a job in the background) stays so. The
 * handlers are for await_reader alone. */
void block_signals(void)
{
	static const int ours[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, 0 };

	bb_signals(ours);
	signal(SIGXFSZ, SIG_IGN); /* output that meets RLIMIT_FSIZE fails with EFBIG */
	signal(SIGCHLD, SIG_DFL); /* ignored, it would reap the cases: waitpid(2) */
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	for (const int *sig = ours; *sig; sig++) {
		struct sigaction sa;

		if (sigaction(*sig, NULL, &sa) == 0 && sa.sa_handler != SIG_IGN)
			sigaddset(&signals, *sig);
	}
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

/* The signal that should end the engine, 0 when pid has ended, -1 at the deadline. */
int await_process(pid_t pid, int64_t deadline)
{
	for (;;) {
		siginfo_t info = { 0 };
		int64_t left = deadline - monotonic_ns();
		struct timespec ts = { left / NS_PER_S, left % NS_PER_S };
		int sig;

		if (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0
			&& info.si_pid == pid)
			return 0;
		if (left <= 0)
			return -1;
		sig = sigtimedwait(&signals, NULL, &ts);
		if (sig == SIGUSR1)
			report_progress();
		else if (sig > 0 && sig != SIGCHLD)
			return sig;
	}
}

/* Kills and reaps the group; the leader's wait status, or -1 if something survives. */
int end_group(pid_t leader)
{
	int64_t deadline = monotonic_ns() + KILL_S * NS_PER_S;
	int status = -1;

	kill(-leader, SIGKILL);
	for (;;) {
		struct timespec ts = { 0, NS_PER_S / 100 };
		int s;
		pid_t pid = waitpid(-leader, &s, WNOHANG);

		if (pid == leader)
			status = s;
		if (pid < 0)
			return status;
		if (pid > 0)
			continue;
		if (monotonic_ns() > deadline)
			return -1;
		kill(-leader, SIGKILL); /* one that was forked meanwhile */
		sigtimedwait(&signals, NULL, &ts);
	}
}

static void empty_dir(int dirfd)
{
	DIR *dir = fdopendir(dirfd);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int sub;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd, entry->d_name, 0) == 0)
			continue;
		(void)fchmodat(dirfd, entry->d_name, 0700, 0); /* a case may have locked it */
		sub = openat(dirfd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			empty_dir(sub);
		(void)unlinkat(dirfd, entry->d_name, AT_REMOVEDIR); /* else remove_dir complains */
	}
	if (dir)
		closedir(dir);
}

static bool non_linux(void)
{
	struct utsname u;

	return uname(&u) < 0 || strcmp(u.sysname, "Linux") != 0;
}

/* Has this release the bug, according to the row? */
static bool has_bug(const struct bug *bug)
{
	struct utsname u;
	const char *point;
	unsigned minor, release;

	if (uname(&u) < 0)
		return false;
	point = strchr(u.release, '.');
	minor = point ? leading_number(point + 1) : 0;
	release = RELEASE((unsigned)leading_number(u.release), minor);
	return release < bug->fixed && (release >= bug->broken || release < bug->fixed_before);
}

/* What a failure means depends on the class. ERROR, a hang or a crash, is forgiven only
 * where the kernel is known to be the cause. */
static enum verdict judge(const struct result *r, const char **reason)
{
	const struct test_case *c = r->c;
	enum verdict v = r->verdict;

	if (v != FAIL && v != ERROR)
		return v;
	if (c->class == 'I' && v == FAIL)
		return PASS;
	if (c->class == 'B') {
		info("you may be missing a fix: %s", case_text(r->row, SOURCE));
		fixes_note(r->row);
		*reason = "known-kernel-bug";
		return has_bug(&c->bug) ? XFAIL : v;
	}
	if (c->class == 'L' && non_linux()) {
		*reason = "not-linux";
		return XFAIL;
	}
	return v;
}

static const char *unmet_need(const struct test_case *c)
{
	if (engine.few_fds)
		return "fd-limit";
	if (c->flags & NEEDS_PROC && !t.proc)
		return "no-proc";
	if (c->flags & NEEDS_DIR && !t.dir)
		return "no-dir";
	return NULL;
}

static enum verdict skipped(const char *token)
{
	scnprintf(engine.shared->reason, sizeof(engine.shared->reason), "%s", token);
	return SKIP;
}

static enum verdict verdict_of(int status)
{
	if (status < 0)
		info("a process of the case could not be killed");
	else if (WIFSIGNALED(status))
		info("the case died of signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) == EXIT_UNSUPPORTED) /* an xfunc gave up */
		return skipped("no-memory");
	else if (status && engine.shared->verdict == PASS)
		info("the case exited with status %d", WEXITSTATUS(status));
	else
		return engine.shared->verdict;
	return ERROR;
}

/* One run of one case; *sig is set if a signal asks the engine to end. */
static enum verdict run_once(const struct test_case *c, enum kind kind, int64_t limit, int *sig)
{
	int64_t now = monotonic_ns();
	int status, end;
	pid_t pid, parent = getpid();

	memset(engine.shared, 0, offsetof(struct shared, text) + engine.shared->text_len);
	t.deadline = now + limit / DEADLINE_DIVISOR; /* whoever waits can still say for what */
	pid = fork();
	if (pid < 0)
		return skipped("process-limit");
	if (pid == 0)
		run_child(c, kind, parent);
	setpgid(pid, pid);
	end = await_process(pid, now + limit);
	status = end_group(pid);
	if (t.dir)
		empty_dir(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (end > 0)
		*sig = end;
	if (end == 0)
		return verdict_of(status);
	info("killed at its time limit of %lld ms", (long long)limit / 1000000);
	return ERROR;
}

static void text_to(struct result *r)
{
	if (engine.shared->lines_lost)
		info("%u lines more found no room", (unsigned)engine.shared->lines_lost);
	engine.shared->text[engine.shared->text_len] = '\0';
	r->text = engine.shared->text;
}

/* Runs it as often as asked for; the first failure stands. */
static void run_case(struct result *r, enum kind kind, const struct options *o, int *sig)
{
	int64_t limit = (int64_t)(LIMIT_S * NS_PER_S * t.factor * o->multiplier);
	int64_t start = monotonic_ns();
	unsigned runs = 0;

	r->reason = unmet_need(r->c);
	r->text = "";
	r->verdict = SKIP;
	if (r->reason)
		return;
	do
		r->verdict = run_once(r->c, kind, limit, sig);
	while (!*sig && r->verdict == PASS
		&& (++runs < o->repeat
			|| (r->c->flags & STRESS && monotonic_ns() - start < o->soak)));
	if (runs > 1)
		info("passed %u times", runs);
	r->reason = engine.shared->reason;
	r->verdict = judge(r, &r->reason);
	r->ns = monotonic_ns() - start;
	text_to(r);
}

/* --- which cases ---------------------------------------------------------------------- */

const char *case_text(const char *row, enum case_text which)
{
	for (; which; which--)
		row += strlen(row) + 1;
	return row;
}

/* "*" and "?" are all that names of [a-z0-9_.-] need; fnmatch(3) would bring 15 KB of
 * character classes along. Where the rest does not match, the last "*" takes one character
 * more. Those before it need not: what is between them matched as early as it could. */
bool glob_matches(const char *glob, const char *name, const char *end)
{
	const char *star = NULL, *behind = NULL;

	while (name < end) {
		if (*glob == '*') {
			star = ++glob;
			behind = name;
		} else if (*glob == '?' || *glob == *name) {
			glob++;
			name++;
		} else if (star) {
			glob = star;
			name = ++behind;
		} else {
			return false;
		}
	}
	return glob[strspn(glob, "*")] == '\0';
}

/* One of the words. */
static bool matches_any(const char *glob, const char *words)
{
	for (const char *end; *words; words = end + (*end == ' ')) {
		end = words + strcspn(words, " ");
		if (glob_matches(glob, words, end))
			return true;
	}
	return false;
}

static bool selected(const struct pick *p, const struct options *o)
{
	const struct test_case *c = p->c;

	if (c->flags & EXOTIC && !o->exotic)
		return false;
	if (o->classes && !strchr(o->classes, c->class))
		return false;
	if (!o->globs)
		return true;
	for (char **glob = o->globs; *glob; glob++)
		if (matches_any(*glob, p->name) || matches_any(*glob, case_text(p->row, NAME))
			|| matches_any(*glob, case_text(p->row, IDS)))
			return true;
	return false;
}

static const struct {
	const struct test_case *cases;
	const char *name;
	unsigned rows;
} groups[] = {
#define GROUP(name) { name##_cases, #name, ROWS_##name },
	GROUPS
#undef GROUP
};

/* The picks, in an array that grows by doubling. */
struct picking {
	const struct options *o;
	struct pick *picks;
	unsigned count, room;
};

static void add_pick(struct picking *to, const struct pick *p)
{
	enum { FIRST_ROOM = 64 };

	if (to->count == to->room) {
		to->room = to->room ? 2 * to->room : FIRST_ROOM;
		to->picks = xrealloc(to->picks, to->room * sizeof(*p));
	}
	to->picks[to->count++] = *p;
}

/* The kinds in which it runs, a bit each. */
static unsigned kinds_of(const struct test_case *c)
{
	enum { PIPES = 1 << PIPE | 1 << PIPE2 | 1 << PAGE | 1 << FIFO };

	if (c->flags & FILES)
		return 1 << ON_FILE | (c->flags & KINDS ? PIPES : 1 << ON_MEMFD);
	return c->flags & KINDS ? PIPES : 1 << ANY;
}

/* A case once for each of its kinds. */
static void pick_kinds(struct picking *to, const struct test_case *c, const char *row,
	const char *group)
{
	unsigned kinds = kinds_of(c);

	for (enum kind kind = ANY; kind < N_KINDS; kind++) {
		struct pick p = { .c = c, .row = row, .group = group, .kind = kind };

		if (!(kinds & 1U << kind))
			continue;
		scnprintf(p.name, sizeof(p.name), "%s%s", case_text(row, NAME), kind_name(kind));
		if (selected(&p, to->o))
			add_pick(to, &p);
	}
}

struct pick *pick_cases(const struct options *o, unsigned *count)
{
	struct picking to = { .o = o };
	const char *row = bb_text(TEXT_rows);

	for (size_t g = 0; g < ARRAY_SIZE(groups); g++)
		for (unsigned i = 0; i < groups[g].rows; i++) {
			pick_kinds(&to, &groups[g].cases[i], row, groups[g].name);
			row = case_text(row, NEXT_ROW);
		}
	*count = to.count;
	return to.picks;
}

int run_cases(const struct pick *picks, unsigned count, const struct options *o)
{
	int sig = 0;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (unsigned i = 0; i < count && !sig; i++) {
		struct result r = { picks[i].c, picks[i].row, .name = picks[i].name };

		run_case(&r, picks[i].kind, o, &sig);
		if (sig)
			break;
		report_result(&r);
		if (o->exit_first && (r.verdict == FAIL || r.verdict == ERROR))
			break;
	}
	return sig;
}
