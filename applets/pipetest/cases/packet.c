/*
 * packet.c - cases of packet mode: O_DIRECT on a pipe
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

/* Replaces the case's pipe by one in packet mode. The cases write no more than two slots hold. */
static void packet_pipe(void)
{
	int fd[2];

	t_needs_call("pipe2");
	if (pipe2(fd, O_DIRECT) < 0)
		t_skip("no-packets");
	t_use_pipe(fd);
	p_nonblock_r();
	p_nonblock_w();
}

static void read_discarding(size_t n, size_t rest)
{
	p_read(n, n);
	t.stream->consumed += rest;
}

static void one_read_each(void)
{
	packet_pipe();
	p_write(10);
	p_write(t.pipe_buf);
	p_read(100, 10);
	p_read(2 * t.pipe_buf, t.pipe_buf);
	p_read(1, -EAGAIN);
}

static void short_read_discards(void)
{
	packet_pipe();
	p_write(20);
	p_write(30);
	read_discarding(5, 15);
	p_read(100, 30);
}

static void split(void)
{
	if (t.page != t.pipe_buf)
		t_skip("large-page"); /* the kernel splits at a page */
	packet_pipe();
	p_write(t.page + 904);
	p_read(2 * t.page, t.page);
	p_read(2 * t.page, 904);
}

static void no_empty_packet(void)
{
	packet_pipe();
	p_write(0);
	p_poll_r(POLLIN, 0);
	p_read(1, -EAGAIN);
	p_write(1);
	p_write(0);
	p_read(2, 1);
	p_read(1, -EAGAIN);
}

static void slots_of_packets(void)
{
	size_t packets = 0;

	packet_pipe();
	while (ret(write(t.w, "", 1)) == 1)
		packets++;
	want(packets, t.slots, "packets of 1 byte that fit");
}

static void set_direct(bool on)
{
	int flags = ret(fcntl(t.w, F_GETFL)) & ~O_DIRECT;
	long got = ret(fcntl(t.w, F_SETFL, flags | (on ? O_DIRECT : 0)));

	if (got == -EINVAL)
		t_skip("no-packets");
	wantf(got, 0, "fcntl(%d, F_SETFL), O_DIRECT %s", t.w, on ? "on" : "off");
}

static void toggle(void)
{
	p_nonblock_r();
	set_direct(true);
	p_write(10);
	read_discarding(5, 5);
	p_read(5, -EAGAIN);
	set_direct(false);
	p_write(10);
	p_read(5, 5);
	p_read(5, 5);
}

static void packet_fifo(void)
{
	t_mkfifo("f");
	want_ret(open("f", O_RDWR | O_DIRECT), -EINVAL, "open of a FIFO with O_DIRECT");
}

static void fionread_sums(void)
{
	packet_pipe();
	p_write(10);
	p_write(20);
	p_unread(30);
	read_discarding(1, 9);
	p_unread(20);
}

static void poll_each(void)
{
	packet_pipe();
	p_write(10);
	p_write(10);
	p_poll_r(POLLIN, POLLIN);
	read_discarding(1, 9);
	p_poll_r(POLLIN, POLLIN);
	read_discarding(1, 9);
	p_poll_r(POLLIN, 0);
}

static void splice_keeps(void)
{
	int from;

	t_needs_splice();
	packet_pipe();
	p_write(10);
	p_write(20);
	from = t.r;
	packet_pipe();
	t_splice(from, t.w, 30, 30);
	p_read(100, 10);
	p_read(100, 20);
}

const struct test_case packet_cases[] = {
	CASE("pkt.one_read_each", "PKT-01", 'L', 0, 0,
		"with O_DIRECT each write up to PIPE_BUF is one read",
		"pipe(2), O_DIRECT: each write is a separate packet", one_read_each),
	CASE("pkt.short_read_discards", "PKT-01", 'L', 0, 0,
		"a short read discards the rest of its packet",
		"pipe(2), O_DIRECT: the excess bytes in the packet are discarded",
		short_read_discards),
	CASE("pkt.split", "PKT-02", 'L', 0, 0,
		"a write of more than PIPE_BUF bytes becomes several packets",
		"pipe(2), O_DIRECT: writes greater than PIPE_BUF are split into multiple packets",
		split),
	CASE("pkt.no_empty_packet", "PKT-03", 'L', 0, 0,
		"a write of 0 bytes makes no packet",
		"pipe(2), O_DIRECT: zero-length packets are not supported", no_empty_packet),
	CASE("pkt.slots", "PKT-04", 'I', 0, 0,
		"a pipe is full after as many packets as it has slots",
		"fs/pipe.c", slots_of_packets),
	CASE("pkt.toggle", "PKT-05", 'L', KINDS, 0,
		"F_SETFL turns packet mode on and off",
		"pipe(2), O_DIRECT: since Linux 4.5 by fcntl", toggle),
	CASE("pkt.packet_fifo", "PKT-06", 'I', NEEDS_DIR, 0,
		"opening a FIFO with O_DIRECT gives EINVAL",
		"fs/open.c", packet_fifo),
	CASE("pkt.fionread", "PKT-07", 'I', 0, 0,
		"FIONREAD counts the bytes of all packets",
		"fs/pipe.c", fionread_sums),
	CASE("pkt.poll", "PKT-08", 'I', 0, 0,
		"a pipe is readable as long as there is a packet",
		"fs/pipe.c", poll_each),
	CASE("pkt.splice", "PKT-08", 'I', 0, 0,
		"splice between packet pipes keeps the boundaries",
		"fs/splice.c", splice_keeps),
};
ALL_ROWS(packet);
