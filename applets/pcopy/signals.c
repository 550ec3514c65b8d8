/*
 * signals.c - the signals that end pcopy, or ask how far it is
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* A handler answers a signal at once, because a call can wait for ever: open(2) of a FIFO, read(2)
 * of a pipe, write(2) to one. The handler changes nothing that the rest of pcopy works with: it
 * prints, or it ends pcopy. Signals are held only while a file has a name that pcopy_discard() does
 * not know yet, and while the list of workers changes. */
static const int ends[] = { SIGHUP, SIGINT, SIGTERM };
static const struct copy *current;	/* the copy that SIGUSR1 asks for */
static int is_held;

/* The signal comes again when the handler returns, and then it kills pcopy. */
static void handle(int sig)
{
	int error = errno;

	if (sig != SIGUSR1) {
		pcopy_end_workers();
		pcopy_discard();
		signal(sig, SIG_DFL);
		raise(sig);
	} else if (current) {
		pcopy_show_progress(current, PROGRESS_AUTO);
	}
	errno = error;
}

static void mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		sigaddset(&set, ends[i]);
	sigprocmask(how, &set, NULL);
}

int pcopy_hold_signals(void)
{
	int was_held = is_held;

	if (!is_held)
		mask(SIG_BLOCK);
	is_held = 1;
	return was_held;
}

void pcopy_let_signals(void)
{
	if (!is_held)
		return;
	is_held = 0;
	mask(SIG_UNBLOCK);
}

/* A signal that is ignored stays ignored, as nohup(1) expects. SA_RESTART lets a call go on that
 * SIGUSR1 has interrupted. */
static void catch(int sig)
{
	struct sigaction sa = { .sa_handler = handle, .sa_flags = SA_RESTART }, old;

	sigfillset(&sa.sa_mask);
	if (sigaction(sig, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(sig, &sa, NULL);
}

void pcopy_catch_signals(void)
{
	static int is_done;

	for (size_t i = 0; i < ARRAY_SIZE(ends) && !is_done; i++)
		catch(ends[i]);
	is_done = 1;
}

void pcopy_watch(const struct copy *copy)
{
	if (!current)
		catch(SIGUSR1);
	current = copy;
}
