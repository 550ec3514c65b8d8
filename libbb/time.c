/*
 * time.c - deadlines
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

int64_t monotonic_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int sleep_until(int64_t deadline_ns)
{
	struct timespec ts = { deadline_ns / NS_PER_S, deadline_ns % NS_PER_S };

	int err = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);

	while (err && err != EINTR) { /* The kernel lacks clock_nanosleep(2). */
		int64_t left = deadline_ns - monotonic_ns();

		if (left <= 0)
			return 1;
		err = poll(NULL, 0, left / 1000000) < 0 && errno == EINTR ? EINTR : err;
	}
	return err == 0;
}
