/*
 * workers.c - the processes that copy the chunks, and the parent that waits for them
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* The count has 64 bits in words of 32 bits, because every processor writes such a word in one
 * step. This function writes the members of struct count from the first to the last, and
 * read_count() reads them from the last to the first. If both upper halves are the same, the lower
 * half belongs to them. */
void pcopy_count_done(struct worker *w, size_t n)
{
	struct count *done = &w->copy->plan.shared->done[w->id];

	w->copied += n;
	__atomic_store_n(&done->high, (uint32_t)(w->copied >> 32), __ATOMIC_RELEASE);
	__atomic_store_n(&done->low, (uint32_t)w->copied, __ATOMIC_RELEASE);
	__atomic_store_n(&done->high_again, (uint32_t)(w->copied >> 32), __ATOMIC_RELEASE);
}

static uint64_t read_count(const struct count *done)
{
	uint32_t high, low;

	do {
		high = __atomic_load_n(&done->high_again, __ATOMIC_ACQUIRE);
		low = __atomic_load_n(&done->low, __ATOMIC_ACQUIRE);
	} while (high != __atomic_load_n(&done->high, __ATOMIC_ACQUIRE));
	return (uint64_t)high << 32 | low;
}

uint64_t pcopy_bytes_done(const struct copy *copy)
{
	uint64_t sum = 0;

	for (int i = 0; i < copy->plan.jobs; i++)
		sum += read_count(&copy->plan.shared->done[i]);
	return sum;
}

/* This is a list of the chunks of one worker, such as "1 3 5-7". The range from first to last is
 * not in text yet. The first chunk of SRC is chunk 1. A worker gets its chunks in ascending
 * order. */
struct list {
	char text[1024];
	uint32_t first, last;
};

static void end_range(struct list *list)
{
	enum { ROOM = 32 }; /* for a range of two numbers of 10 digits */
	size_t len = strlen(list->text);

	if (list->last == 0 || (len && list->text[len - 1] == '.'))
		return;
	scnprintf(list->text + len, ROOM,
		len > sizeof(list->text) - 2 * ROOM ? " ..."
			: list->first == list->last ? " %" PRIu32
						    : " %" PRIu32 "-%" PRIu32,
		list->first, list->last);
}

static void add_chunk(struct list *list, uint32_t chunk)
{
	if (chunk != list->last + 1 || list->last == 0) {
		end_range(list);
		list->first = chunk;
	}
	list->last = chunk;
}

static int empty_queue(struct worker *w)
{
	const struct plan *plan = &w->copy->plan;
	struct list list = { .last = 0 };
	uint32_t chunk;

	while ((chunk = __atomic_fetch_add(&plan->shared->next, 1, __ATOMIC_RELAXED))
		< plan->chunks) {
		off_t off = chunk * plan->chunk;
		off_t end = MIN(w->source->size - off, plan->chunk) + off;

		w->crc = 0;
		if (pcopy_range(w, off, end) < 0 || w->task->end_chunk(w, chunk) < 0)
			return -1;
		add_chunk(&list, chunk + 1);
	}
	end_range(&list);
	if (asked(w->copy->request, 'v'))
		bb_error_msg("worker %d of %d: %s %s%s", w->id + 1, plan->jobs, w->task->verb,
			list.last ? "chunks" : "no chunk", list.text);
	return 0;
}

static int work(struct worker *w, int id)
{
	const struct plan *plan = &w->copy->plan;
	int failed;

	w->id = id;
	failed = plan->chunks ? empty_queue(w) : pcopy_stream(w);
	plan->shared->saved[id] = w->saved;
	return failed;
}

static pid_t workers[MAX_JOBS]; /* those that live; the others are 0 */
static sigset_t child;		/* SIGCHLD */

/* A worker must die with its parent: it has the parent's open files, so the lock on the file that
 * is written lasts as long as the worker (flock(2), F_OFD_SETLK in fcntl_locking(2)). A signal to
 * the process group is for the parent, which kills the workers, so the worker holds all signals.
 * The parent does so as soon as one of them has failed. Only the first to fail prints a message, so
 * the others wait for its end: the end of another could kill it before it has printed. */
static void run_worker(struct worker *w, int id, pid_t parent)
{
	die_with_parent(parent);
	if (work(w, id) == 0)
		_exit(EXIT_SUCCESS);
	while (w->copy->plan.shared->failed && !w->is_first)
		pause();
	_exit(w->status);
}

static void kill_workers(void)
{
	for (int i = 0; i < MAX_JOBS; i++)
		if (workers[i])
			kill(workers[i], SIGKILL);
}

void pcopy_end_workers(void)
{
	kill_workers();
	for (int i = 0; i < MAX_JOBS; i++)
		if (workers[i])
			(void)waitpid(workers[i], NULL, 0);
}

/* The first worker that fails decides the exit status. */
static void judge_worker(struct worker *w, int id, int status)
{
	int jobs = w->copy->plan.jobs;

	w->status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
	if (WIFSIGNALED(status))
		bb_error_msg("worker %d of %d was killed by signal %d", id + 1, jobs,
			WTERMSIG(status));
	else if (!w->copy->plan.shared->failed)
		bb_error_msg("worker %d of %d ended with status %d", id + 1, jobs, w->status);
}

/* Takes the statuses of the workers that have ended. Returns how many workers are left. */
static int reap_workers(struct worker *w, int alive)
{
	int status;
	pid_t pid;

	while (alive && (pid = waitpid(-1, &status, WNOHANG)) != 0) {
		int i = 0;

		if (pid < 0 && errno != EINTR) {
			bb_perror_msg("can't wait for the workers");
			w->status = EXIT_FAILURE;
			kill_workers();
			return 0;
		}
		while (i < w->copy->plan.jobs && workers[i] != pid)
			i++;
		if (pid < 0 || i == w->copy->plan.jobs)
			continue; /* EINTR, or the child is older than the exec(3) of pcopy. */
		workers[i] = 0;
		alive--;
		if (status == 0 || w->status)
			continue;
		judge_worker(w, i, status);
		kill_workers();
	}
	return alive;
}

/* Returns the number of workers. If fork(2) fails, fewer workers than the user wants do the work.
 * If wait4(2) is missing, no worker is started. SIGCHLD is blocked, so that sigtimedwait(2) takes
 * it. */
static int start_workers(struct worker *w)
{
	pid_t parent = getpid(), pid;

	if (waitpid(-1, NULL, WNOHANG) < 0 && errno != ECHILD)
		return 0;
	pcopy_catch_signals();
	sigprocmask(SIG_BLOCK, &child, NULL);
	for (int i = 0; i < w->copy->plan.jobs; i++) {
		pid = fork();
		if (pid == 0)
			run_worker(w, i, parent);
		workers[i] = pid > 0 ? pid : 0;
		if (pid > 0)
			continue;
		if (asked(w->copy->request, 'v'))
			bb_perror_msg("can't fork more than %d workers", i);
		return i;
	}
	return w->copy->plan.jobs;
}

/* Waits until a worker ends, but at most for a second. Then prints the progress if the user wants
 * to see it: with --progress, or on a terminal after two seconds, unless --quiet is given. */
static void wait_for_worker(const struct copy *copy, int64_t *shown)
{
	const struct timespec second = { .tv_sec = 1 };
	enum { PAUSE_MS = 20 };
	enum progress how = copy->request->progress;
	int terminal = !asked(copy->request, 'q') && isatty(STDERR_FILENO);
	int64_t now;

	if (sigtimedwait(&child, NULL, &second) >= 0)
		return;
	if (errno != EAGAIN && errno != EINTR) /* This kernel has no rt_sigtimedwait(2). */
		(void)poll(NULL, 0, PAUSE_MS);
	now = monotonic_ns();
	if (now - *shown < NS_PER_S || (how == PROGRESS_AUTO
		&& !(terminal && now - copy->plan.start > 2 * NS_PER_S)))
		return;
	pcopy_show_progress(copy, how == PROGRESS_JSON ? PROGRESS_JSON : PROGRESS_BAR);
	*shown = now;
}

static void supervise(struct copy *copy, struct worker *w)
{
	int64_t start = monotonic_ns(), shown = start;
	int alive;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	pcopy_hold_signals();
	alive = start_workers(w);
	copy->plan.jobs = alive ? alive : 1;
	if (alive == 0) {
		pcopy_let_signals();
		(void)work(w, 0);
	}
	while ((alive = reap_workers(w, alive)) > 0) {
		pcopy_let_signals();
		wait_for_worker(copy, &shown);
		pcopy_hold_signals();
	}
	pcopy_let_signals();
	if (shown > start && copy->request->progress != PROGRESS_JSON)
		(void)full_write(STDERR_FILENO, "\r\033[K", 4);
}

static void show_end(const struct copy *copy)
{
	if (copy->request->progress == PROGRESS_AUTO)
		return;
	pcopy_show_progress(copy, copy->request->progress);
	if (copy->request->progress == PROGRESS_BAR)
		(void)full_write(STDERR_FILENO, "\n", 1);
}

/* Returns the buffer of each copy, one after the other. O_DIRECT can need memory that begins at a
 * page (open(2)). */
static char *get_buffer(void)
{
	static char *buf = MAP_FAILED;

	if (buf == MAP_FAILED)
		buf = mmap(NULL, 3 * BUFFER_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return buf;
}

/* A short file is copied without a worker, because to start a process would take longer. */
int pcopy_is_short(const struct copy *copy)
{
	return copy->plan.chunks == 1 && copy->source.size <= SHORT;
}

/* The copy fails if a worker fails or is killed. */
int pcopy_run(struct copy *copy, const struct task *task, const struct source *source)
{
	struct worker w = { .copy = copy, .task = task, .source = source };

	w.buf = get_buffer();
	if (w.buf == MAP_FAILED)
		return pcopy_cannot("get memory for", copy->target.name);
	pcopy_let_signals();
	if (pcopy_is_short(copy))
		(void)work(&w, 0);
	else
		supervise(copy, &w);
	if (!w.status)
		show_end(copy);
	return w.status;
}
