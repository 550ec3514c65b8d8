/*
 * workers.c - the queue, the processes that empty it, and the parent that waits
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* Signals are not handled but waited for, so that none can come at a bad moment. */
static sigset_t held;

static void hold(int sig)
{
	struct sigaction sa;

	if (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler != SIG_IGN) /* nohup */
		sigaddset(&held, sig);
	sigprocmask(SIG_BLOCK, &held, NULL);
}

void hold_requests(void)
{
	sigemptyset(&held);
	hold(SIGUSR1);
}

void hold_signals(void)
{
	static const int wanted[] = { SIGHUP, SIGINT, SIGTERM, SIGCHLD };

	signal(SIGCHLD, SIG_DFL); /* ignored, it would take the workers' statuses away */
	signal(SIGXFSZ, SIG_IGN); /* write(2): EFBIG instead */
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		hold(wanted[i]);
}

static void answer(const struct job *job, int sig)
{
	if (sig == SIGUSR1)
		show_progress(job, PROGRESS_AUTO);
	if (sig <= 0 || sig == SIGCHLD || sig == SIGUSR1)
		return;
	discard();
	die_of_signal(sig);
}

void check_signals(const struct job *job)
{
	struct timespec now = { 0 };
	int sig;

	while ((sig = sigtimedwait(&held, NULL, &now)) > 0)
		answer(job, sig);
}

/* The numbers of a worker's chunks, counted from 1, as "1 3 5-7". They only grow. */
struct list {
	char text[1024];
	uint32_t first, last;
};

static void end_range(struct list *list)
{
	enum { ROOM = 32 }; /* for a range, and more */
	size_t len = strlen(list->text);

	if (list->last == 0 || (len && list->text[len - 1] == '.'))
		return;
	scnprintf(list->text + len, ROOM,
		len > sizeof(list->text) - 2 * ROOM ? " ..."
			: list->first == list->last ? " %" PRIu32
						    : " %" PRIu32 "-%" PRIu32,
		list->first, list->last);
}

static void add(struct list *list, uint32_t chunk)
{
	if (chunk != list->last + 1 || list->last == 0) {
		end_range(list);
		list->first = chunk;
	}
	list->last = chunk;
}

static off_t chunk_end(const struct job *job, uint32_t chunk)
{
	return chunk + 1 == job->chunks ? job->size : (chunk + 1) * job->chunk;
}

static int mismatch(struct job *job, uint32_t chunk)
{
	if (first_failure(job, EXIT_INTEGRITY))
		bb_error_msg("'%s' is not on the medium as it was copied: chunk %" PRIu32
			     ", from byte %jd",
			job->dst, chunk + 1, (intmax_t)(chunk * job->chunk));
	return -1;
}

static int empty_queue(struct job *job)
{
	struct list list = { .last = 0 };
	uint32_t chunk;

	while ((chunk = __atomic_fetch_add(&job->shared->next, 1, __ATOMIC_RELAXED))
		< job->chunks) {
		off_t off = chunk * job->chunk, end = chunk_end(job, chunk);

		job->crc = 0;
		if (copy_range(job, off, end) < 0)
			return -1;
		add(&list, chunk + 1);
		if (!job->verifying)
			job->shared->crc[chunk] = job->crc;
		else if (job->shared->crc[chunk] != job->crc)
			return mismatch(job, chunk);
		begin_writeback(job, off, end);
	}
	end_range(&list);
	if (asked(job, 'v'))
		bb_error_msg("worker %d of %d: %s %s%s", job->id + 1, job->jobs,
			job->verifying ? "verified" : "copied", list.last ? "chunks" : "no chunk",
			list.text);
	return 0;
}

static int work(struct job *job, int id)
{
	int failed;

	job->id = id;
	failed = job->chunks ? empty_queue(job) : copy_stream(job);
	job->shared->saved[id] = job->saved;
	return failed;
}

/* A worker does not outlive its parent, whose lock on the temporary file it shares. */
static void worker(struct job *job, int id, pid_t parent)
{
	die_with_parent(parent);
	_exit(work(job, id) < 0 ? job->status : EXIT_SUCCESS);
}

static void stop(const pid_t *pids)
{
	for (int i = 0; i < MAX_JOBS; i++)
		if (pids[i])
			kill(pids[i], SIGKILL);
}

static void end_workers(const pid_t *pids)
{
	stop(pids);
	for (int i = 0; i < MAX_JOBS; i++)
		if (pids[i])
			(void)waitpid(pids[i], NULL, 0);
}

/* Takes the statuses of the workers that have ended; returns how many are left. The first
 * that failed decides the status of all. */
static int reap(struct job *job, pid_t *pids, int alive)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		int i = 0;

		while (i < job->jobs && pids[i] != pid)
			i++;
		if (i == job->jobs)
			continue; /* a child of whatever exec'd us */
		pids[i] = 0;
		alive--;
		if (status == 0 || job->status)
			continue;
		job->status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
		if (WIFSIGNALED(status))
			bb_error_msg("worker %d of %d was killed by signal %d", i + 1, job->jobs,
				WTERMSIG(status));
		stop(pids);
	}
	return alive;
}

/* Fewer processes than asked for will do. */
static int start(struct job *job, pid_t *pids)
{
	pid_t parent = getpid();

	for (int i = 0; i < job->jobs; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			worker(job, i, parent);
		if (pids[i] > 0)
			continue;
		if (asked(job, 'v'))
			bb_perror_msg("can't fork more than %d workers", i);
		pids[i] = 0;
		return i;
	}
	return job->jobs;
}

/* A wait that ends with a signal, or after a second: somebody may be watching. */
static int wait_for_signal(const struct job *job, int *shown)
{
	static const struct timespec second = { .tv_sec = 1 };
	int watched = job->progress != PROGRESS_AUTO || (!asked(job, 'q') && isatty(STDERR_FILENO));
	int sig = sigtimedwait(&held, NULL, &second);

	if (sig < 0 && errno == EAGAIN && watched && (job->progress != PROGRESS_AUTO
	    || monotonic_ns() - job->start > 2 * NS_PER_S)) {
		show_progress(job, job->progress == PROGRESS_JSON ? PROGRESS_JSON : PROGRESS_BAR);
		*shown = 1;
	}
	return sig;
}

static void supervise(struct job *job)
{
	pid_t pids[MAX_JOBS] = { 0 };
	int alive = start(job, pids), shown = 0, sig;

	job->jobs = alive ? alive : 1;
	if (alive == 0)
		(void)work(job, 0);
	while ((alive = reap(job, pids, alive)) > 0) {
		sig = wait_for_signal(job, &shown);
		if (sig > 0 && sig != SIGCHLD && sig != SIGUSR1)
			end_workers(pids);
		answer(job, sig);
	}
	if (shown && job->progress != PROGRESS_JSON)
		(void)full_write(STDERR_FILENO, "\r\033[K", 4);
}

/* One process at a time writes into a file's cache: a second one would wait for the first,
 * and helps only where there is more to do. */
void set_jobs(struct job *job, int parallel)
{
	enum { USUAL = 4 };

	job->jobs = job->max_jobs ? job->max_jobs : parallel ? USUAL : 1;
	if ((uint32_t)job->jobs > job->chunks)
		job->jobs = job->chunks ? job->chunks : 1;
}

/* Fewer workers than asked for are enough; one that fails, or is killed, is not. */
int run_workers(struct job *job)
{
	if (job->chunks == 1 && job->size <= SHORT)
		(void)work(job, 0); /* a process would cost more than the copy; no stream: who
				       reads or writes it may let us wait, and signals are held */
	else
		supervise(job);
	if (job->progress != PROGRESS_AUTO && !job->status)
		show_progress(job, job->progress);
	if (job->progress == PROGRESS_BAR && !job->status)
		(void)full_write(STDERR_FILENO, "\n", 1);
	return job->status ? -1 : 0;
}
