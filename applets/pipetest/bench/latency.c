/*
 * latency.c - measures how long a byte takes to another process and back
 *
 * SPDX-License-Identifier: 0BSD
 *
 * One process writes a byte and the other answers with a byte, as in "perf bench sched pipe". The
 * clock is read once per round trip, because the percentiles need the time of each.
 */
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include "bench.h"

enum wait { BLOCKING, BY_POLL, BY_EPOLL };

static int there[2], back[2];
static enum wait wait_by;
static int epoll_fd;
static char byte;

static void await_byte(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct epoll_event e;

	if (wait_by == BY_POLL)
		(void)poll(&p, 1, -1); /* if poll fails, the read below fails, too */
	else if (wait_by == BY_EPOLL)
		(void)epoll_wait(epoll_fd, &e, 1, -1);
	bench_read(fd, &byte, 1);
}

static void watch(int fd)
{
	struct epoll_event e = { .events = EPOLLIN };

	epoll_fd = bench_did(epoll_create1(0), "epoll_create1");
	bench_did(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e), "epoll_ctl");
}

static void answer_bytes(long arg)
{
	(void)arg;
	close(there[1]);
	close(back[0]);
	if (wait_by == BY_EPOLL)
		watch(there[0]);
	for (;;) {
		await_byte(there[0]);
		bench_write(back[1], &byte, 1);
	}
}

static double round_trips(uint32_t n)
{
	int64_t before = monotonic_ns(), now;

	for (uint32_t i = 0; i < n; i++, before = now) {
		bench_write(there[1], &byte, 1);
		await_byte(back[0]);
		now = monotonic_ns();
		bench_sample(now - before);
	}
	return n;
}

/* The way to wait, the kind of channel and the placing are all in "how". */
enum { WAIT = 16, KIND = 4 };

static void trips(struct variant v)
{
	enum channel kind = v.how % WAIT / KIND;

	wait_by = v.how / WAIT;
	bench_place(v.how % KIND);
	bench_channel(kind, there);
	bench_channel(kind, back);
	bench_peer(answer_bytes, 0);
	close(there[0]);
	close(back[1]);
	if (wait_by == BY_EPOLL)
		watch(back[0]);
	bench_each(round_trips, 1e6);
}

/* --- Round trips through two words of shared memory, each on a cache line of its own */

enum { LINE = 64, FUTEX_OP_WAIT = 0, FUTEX_OP_WAKE = 1 };
static _Atomic uint32_t *ping, *pong;
static bool spinning;

/* Waits until the word is no longer old, and returns the new value. */
static uint32_t await_word(_Atomic uint32_t *word, uint32_t old)
{
	uint32_t now;

	while ((now = *word) == old)
		if (!spinning)
			syscall(SYS_futex, word, FUTEX_OP_WAIT, old, NULL, NULL, 0);
	return now;
}

static void set_word(_Atomic uint32_t *word, uint32_t value)
{
	*word = value;
	if (!spinning)
		syscall(SYS_futex, word, FUTEX_OP_WAKE, 1, NULL, NULL, 0);
}

static void answer_words(long arg)
{
	(void)arg;
	for (uint32_t seen = 0;;) {
		seen = await_word(ping, seen);
		set_word(pong, seen);
	}
}

static double word_trips(uint32_t n)
{
	int64_t before = monotonic_ns(), now;

	for (uint32_t i = 0; i < n; i++, before = now) {
		uint32_t next = *ping + 1;

		set_word(ping, next);
		await_word(pong, next - 1);
		now = monotonic_ns();
		bench_sample(now - before);
	}
	return n;
}

static void shared_trips(struct variant v)
{
	char *memory = bench_memory_of(2 * LINE);

	spinning = v.how;
	bench_place(OTHER_CPU);
	ping = (void *)memory;
	pong = (void *)(memory + LINE);
	*ping = *pong = 0;
	bench_peer(answer_words, 0);
	bench_each(word_trips, 1e6);
}

/* --- A byte goes round through a ring of processes */

enum { MOST_PROCESSES = 16 };
static int ring[MOST_PROCESSES][2];
static int processes;

static void pass_on(long number)
{
	for (;;) {
		bench_read(ring[number][0], &byte, 1);
		bench_write(ring[(number + 1) % processes][1], &byte, 1);
	}
}

static double rounds(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		bench_write(ring[1][1], &byte, 1);
		bench_read(ring[0][0], &byte, 1);
	}
	return n;
}

/* The figure is the time of one hop from process to process, not of a whole round. */
static void ring_hops(struct variant v)
{
	processes = v.size;
	bench_place(UNPINNED);
	for (int i = 0; i < processes; i++)
		bench_channel(A_PIPE, ring[i]);
	for (int i = 1; i < processes; i++)
		bench_peer(pass_on, i);
	bench_each(rounds, 1e6 / processes);
}

const struct bench bench_latency[] = {
	{ "pipe.roundtrip.same_cpu", "us", trips, A_PIPE * KIND + SAME_CPU, PLAIN, 0 },
	{ "pipe.roundtrip.other_cpu", "us", trips, A_PIPE * KIND + OTHER_CPU, PLAIN, 0 },
	{ "pipe.roundtrip.unpinned", "us", trips, A_PIPE * KIND + UNPINNED, PLAIN, 0 },
	{ "fifo.roundtrip.same_cpu", "us", trips, A_FIFO * KIND + SAME_CPU, PLAIN, 0 },
	{ "fifo.roundtrip.other_cpu", "us", trips, A_FIFO * KIND + OTHER_CPU, PLAIN, 0 },
	{ "socketpair.roundtrip.same_cpu", "us",
		trips, A_SOCKETPAIR * KIND + SAME_CPU, PLAIN, 0 },
	{ "socketpair.roundtrip.other_cpu", "us",
		trips, A_SOCKETPAIR * KIND + OTHER_CPU, PLAIN, 0 },
	{ "shared.roundtrip.futex", "us", shared_trips, false, PLAIN, 0 },
	{ "shared.roundtrip.spinning", "us", shared_trips, true, PLAIN, 0 },
	{ "pipe.wakeup.read", "us", trips, BLOCKING * WAIT + OTHER_CPU, PLAIN, 0 },
	{ "pipe.wakeup.poll", "us", trips, BY_POLL * WAIT + OTHER_CPU, PLAIN, 0 },
	{ "pipe.wakeup.epoll", "us", trips, BY_EPOLL * WAIT + OTHER_CPU, PLAIN, 0 },
	{ "pipe.ring_hop", "us", ring_hops, 0, PLAIN, 2 | 4 | 8 },
	{ 0 }
};
