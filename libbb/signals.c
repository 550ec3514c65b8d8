/*
 * signals.c - handlers that only store
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

volatile sig_atomic_t bb_got_signal;

/* SIGUSR1, which asks for a status line, does not replace a signal that ends the program. */
static void store_signal(int sig)
{
	if (sig != SIGUSR1 || !bb_got_signal)
		bb_got_signal = sig;
}

/* Without SA_RESTART a call that waits fails with EINTR, and the caller then looks at
 * bb_got_signal. A signal that the parent had ignored stays ignored, as nohup and "CMD &" in a
 * script expect (POSIX, Shell Command Language, 2.11). */
void bb_signals(const int *sigs)
{
	struct sigaction sa = { .sa_handler = store_signal }, old;

	for (; *sigs; sigs++)
		if (sigaction(*sigs, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(*sigs, &sa, NULL);
}

void die_of_signal(int sig)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t set;

	(void)flush_stdout();
	sigaction(sig, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	_exit(128 + sig);
}
