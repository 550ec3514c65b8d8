/*
 * child.c - work that another user could block for ever, in a child that can be left behind
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pipecap.h"

/* A writer may take its data from a page that never comes (FUSE, userfaultfd). Meanwhile it holds
 * the lock of its pipe, and each call that asks this pipe for its size sleeps uninterruptibly.
 * Calls about files of a dead file system sleep in the same way. A child that sleeps longer than
 * the patience over one item is left behind, and another child goes on with the next item. Each
 * item without an answer halves the patience, down to the least one. */
enum { PATIENCE_MS = 1000, LEAST_PATIENCE_MS = 50 };

/* A head stands before each answer. At the end of an item a head with length 0 stands alone. */
struct head {
	size_t item, len;
};

/* The answers about one item travel together. A process with many descriptors has an answer for
 * each of them, and two calls for each answer would be most of what pipecap -l does. */
struct parcel {
	size_t len;
	char bytes[1 << 16];
};

static void add(struct parcel *parcel, const void *data, size_t len)
{
	memcpy(parcel->bytes + parcel->len, data, len);
	parcel->len += len;
}

static void send_parcel(struct parcel *parcel, int answers)
{
	if (full_write(answers, parcel->bytes, parcel->len) < 0)
		_exit(EXIT_FAILURE);
	parcel->len = 0;
}

void pipecap_answer(int answers, size_t item, const void *answer, size_t len)
{
	static struct parcel parcel;
	struct head head = { item, len };

	if (parcel.len + sizeof(head) + len > sizeof(parcel.bytes))
		send_parcel(&parcel, answers);
	add(&parcel, &head, sizeof(head));
	add(&parcel, answer, len);
	if (!len)
		send_parcel(&parcel, answers);
}

/* A child that is left behind must not keep stdout or stderr open: whoever reads them to the end
 * would wait for the child. A descriptor with O_PATH takes their place. */
static void leave_standard_fds(int keep)
{
	int nothing = open("/", O_PATH | O_CLOEXEC);

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fd != keep && nothing >= 0)
			dup2(nothing, fd);
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
	leave_standard_fds(errand->keep);
	for (size_t item = first; item < errand->count; item++) {
		errand->work(errand->data, item, fd[1]);
		pipecap_answer(fd[1], item, "", 0);
	}
	_exit(EXIT_SUCCESS);
}

/* Returns true also for a child that has ended. A child that runs, or that a debugger has stopped,
 * may still finish its item. */
static bool is_asleep(pid_t pid)
{
	char path[32], stat[256];
	const char *state;

	scnprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	pipecap_read_line(AT_FDCWD, path, stat, sizeof(stat));
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

/* Takes the answers that are whole. answer is room for the longest one. */
static void open_parcel(const struct errand *errand, size_t *item, struct parcel *parcel,
	void *answer)
{
	struct head head;
	size_t at = 0, left;

	while ((left = parcel->len - at) >= sizeof(head)) {
		memcpy(&head, parcel->bytes + at, sizeof(head));
		if (left - sizeof(head) < head.len)
			break;
		memcpy(answer, parcel->bytes + at + sizeof(head), head.len);
		at += sizeof(head) + head.len;
		if (head.len)
			errand->take(errand->data, head.item, answer);
		*item = head.item + !head.len;
	}
	parcel->len = left;
	memmove(parcel->bytes, parcel->bytes + at, left);
}

/* Returns true if the child was too slow. *item is then the item that it worked on. */
static bool take_answers(const struct errand *errand, size_t *item, int answers, pid_t pid,
	int patience)
{
	static struct parcel parcel;
	char *answer = xmalloc(errand->longest);
	bool slow = false;
	ssize_t n = 1;

	parcel.len = 0;
	while (*item < errand->count && !slow && n > 0) {
		slow = !has_answer(answers, pid, patience);
		if (slow)
			continue;
		n = safe_read(answers, parcel.bytes + parcel.len,
			sizeof(parcel.bytes) - parcel.len);
		parcel.len += n > 0 ? n : 0;
		open_parcel(errand, item, &parcel, answer);
	}
	free(answer);
	return slow;
}

/* If a child ends by itself twice, a call is missing on this system, and each further child would
 * end, too. The remaining items then get no answer. */
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
