/*
 * child.c - work that another user could block for ever, in a child that can be left behind
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pipecap.h"

/* A writer that takes its data from a page that never comes (FUSE, userfaultfd) holds the lock of
 * its pipe meanwhile, and each call that asks this pipe for its size sleeps uninterruptibly. So
 * do calls about files of a dead file system. A child that sleeps so long over one item, the
 * next one half of it, and so on, is left behind; another one goes on with the next item. */
enum { PATIENCE_MS = 1000, LEAST_PATIENCE_MS = 50 };

/* In front of each answer; alone, with no length, at the end of an item. */
struct head {
	size_t item, len;
};

void pipecap_answer(int answers, size_t item, const void *answer, size_t len)
{
	struct head head = { item, len };

	if (full_write(answers, &head, sizeof(head)) < 0 || full_write(answers, answer, len) < 0)
		_exit(EXIT_FAILURE);
}

static pid_t start_child(const struct errand *errand, size_t first, int *answers)
{
	pid_t pid, parent = getpid();
	int fd[2];

	xpipe(fd);
	pid = xfork();
	*answers = fd[0];
	if (pid) {
		close(fd[1]);
		return pid;
	}
	close(fd[0]);
	die_with_parent(parent);
	for (size_t item = first; item < errand->count; item++) {
		errand->work(errand->data, item, fd[1]);
		pipecap_answer(fd[1], item, "", 0);
	}
	_exit(EXIT_SUCCESS);
}

/* Also true of a child that has ended. One that runs, or that a debugger has stopped, still gets
 * somewhere. */
static bool is_asleep(pid_t pid)
{
	char path[32], stat[256];
	const char *state;

	scnprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	read_line(AT_FDCWD, path, stat, sizeof(stat));
	state = strrchr(stat, ')');
	return !state || strchr("SDZX", state[2]);
}

static bool has_answer(int answers, pid_t pid, int patience)
{
	struct pollfd p = { answers, POLLIN, 0 };
	int n;

	do
		n = poll(&p, 1, patience);
	while ((n < 0 && errno == EINTR) || (n == 0 && !is_asleep(pid)));
	return n != 0;
}

/* Returns whether the child was too slow, at the item that is then in *item. */
static bool take_answers(const struct errand *errand, size_t *item, int answers, pid_t pid,
	int patience)
{
	char *answer = xmalloc(errand->longest);
	bool slow = false, broken = false;
	struct head head;

	while (*item < errand->count && !slow && !broken) {
		slow = !has_answer(answers, pid, patience);
		if (slow || full_read(answers, &head, sizeof(head)) != sizeof(head)) {
			broken = true;
			continue;
		}
		*item = head.item + !head.len;
		if (head.len && full_read(answers, answer, head.len) < (ssize_t)head.len)
			broken = true;
		else if (head.len)
			errand->take(errand->data, head.item, answer);
	}
	free(answer);
	return slow;
}

/* A child that ends by itself, twice, would do so at each item: a call is missing here. */
void pipecap_run(const struct errand *errand)
{
	int patience = PATIENCE_MS, answers, deaths = 0;

	for (size_t item = 0; item < errand->count; item++) {
		pid_t pid = deaths < 2 ? start_child(errand, item, &answers) : 0;
		bool slow = pid && take_answers(errand, &item, answers, pid, patience);

		if (pid) {
			close(answers);
			kill(pid, SIGKILL);
			waitpid(pid, NULL, slow ? WNOHANG : 0);
		}
		if (item == errand->count)
			return;
		errand->take(errand->data, item, NULL);
		deaths += !slow;
		if (patience / 2 > LEAST_PATIENCE_MS)
			patience /= 2;
	}
}
