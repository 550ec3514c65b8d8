/*
 * ioctl.c - cases of ioctl(2) on a pipe
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

static void both_ends(long expected)
{
	p_unread(expected);
	t_fionread(t.w, expected);
}

static void count(void)
{
	size_t all;

	both_ends(0);
	p_write(1);
	both_ends(1);
	p_write(t.page - 1);
	both_ends(t.page);
	all = t.page + p_fill();
	both_ends(all);
	p_read(t.page - 1, t.page - 1);
	both_ends(all - t.page + 1);
	p_drain(all - t.page + 1);
	both_ends(0);
}

static void count_eof(void)
{
	p_write(5);
	p_close_w();
	p_unread(5);
	p_read(10, 5);
	p_unread(0);
}

/* Two of the numbers belong to no device, and TIOCSTI belongs to terminals. */
static void unknown(void)
{
	static const unsigned requests[] = { 0, 0xdead, TIOCSTI };
	char byte = 0;

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		want_if_there(ioctl(t.r, requests[i], &byte), -ENOTTY, "ioctl of another device");
	want(isatty(t.w), 0, "isatty");
}

static void set_flag(unsigned long request, int flag)
{
	for (int on = 1; on >= 0; on--) {
		wantf(ret(ioctl(t.r, request, &on)), 0, "ioctl(%#lx, %d)", request, on);
		t_getfl(t.r, flag, on);
		t_getfl(t.w, flag, false);
	}
}

static void nbio(void)
{
	set_flag(FIONBIO, O_NONBLOCK);
}

static void fioasync(void)
{
	set_flag(FIOASYNC, O_ASYNC);
}

static void cloexec(void)
{
	t_ok(ioctl(t.r, FIOCLEX), "ioctl(FIOCLEX)");
	t_getfd(t.r, FD_CLOEXEC);
	t_ok(ioctl(t.r, FIONCLEX), "ioctl(FIONCLEX)");
	t_getfd(t.r, 0);
}

static void tee_splice(void)
{
	int other[2];

	t_needs_splice();
	t_needs_tee();
	t_pipe(other);
	p_write(10);
	want_ret(tee(t.r, other[1], 10, SPLICE_F_NONBLOCK), 10, "tee");
	p_unread(10);
	t_fionread(other[0], 10);
	t_splice(t.r, other[1], 10, 10);
	p_unread(0);
	t_fionread(other[0], 20);
}

const struct test_case ioctl_cases[] = {
	CASE("fio.count", "FIO-01", 'L', KINDS, 0,
		"FIONREAD gives the number of unread bytes, at both ends",
		"pipe(7), Pipe capacity: FIONREAD, of either end", count),
	CASE("fio.count_eof", "FIO-01", 'L', KINDS, 0,
		"FIONREAD counts what is left after the writer's close",
		"pipe(7), Pipe capacity: FIONREAD: the number of unread bytes", count_eof),
	CASE("fio.unknown", "FIO-02", 'L', KINDS, 0,
		"ioctls of other devices give ENOTTY",
		"ioctl(2), ERRORS: ENOTTY", unknown),
	CASE("fio.nbio", "FIO-03", 'I', KINDS, 0,
		"FIONBIO sets and clears O_NONBLOCK of its end",
		"fs/ioctl.c; no man page describes it", nbio),
	CASE("fio.async", "FIO-03", 'I', KINDS, 0,
		"FIOASYNC sets and clears O_ASYNC of its end",
		"fs/ioctl.c; no man page describes it", fioasync),
	CASE("fio.cloexec", "FIO-03", 'I', KINDS, 0,
		"FIOCLEX sets FD_CLOEXEC, FIONCLEX clears it",
		"fs/ioctl.c; no man page describes it", cloexec),
	CASE("fio.tee_splice", "FIO-04", 'L', KINDS, 0,
		"FIONREAD counts what tee doubles and splice moves",
		"pipe(7), FIONREAD; tee(2), splice(2), DESCRIPTION", tee_splice),
};
ALL_ROWS(ioctl);
