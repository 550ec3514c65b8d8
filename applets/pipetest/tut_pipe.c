/*
 * tut_pipe.c - the tutorial's programs with unnamed pipes, made true
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pipetest.h"

/* P1: parent writes "hello pipe\n", child reads it and then the end of file. */
static void p1_hello(void)
{
	struct job reader;

	t_write(t.w, 11, 11);
	t_close(&t.w);
	reader = t_start(call_read, 11);
	t_returns(reader, 11);
	t_read(t.r, 1, 0);
}

static void p1_no_write(void)
{
	struct job reader = t_start(call_read, 11);

	t_blocks(reader); /* while we hold the write end */
	t_close(&t.w);
	t_returns(reader, 0);
}

/* P5: what the tutorial takes for "full, so killed" is its reader that exits. */
static void p5_full_blocks(void)
{
	struct job writer;

	t_fill(t.w);
	t_catch(SIGPIPE, 0);
	writer = t_start(call_write, t.page);
	t_blocks(writer);
	t_close(&t.r);
	t_returns(writer, -EPIPE);
	want(t_caught(writer), 1, "SIGPIPEs");
}

const struct test_case tut_pipe_cases[] = {
	{ "tut.p1.hello", "TUT-P1a P1", 'P', KINDS, 0, "what the parent writes the child reads, then end of file",
	  "POSIX read, write", p1_hello },
	{ "tut.p1.no_write", "TUT-P1b P1", 'P', KINDS | MYTH, 0, "without a write the reader gets 0 when the last writer closes",
	  "POSIX read; the tutorial says that the child blocks", p1_no_write },
	{ "tut.p5.full_blocks", "TUT-P5 P5", 'P', KINDS | MYTH, 0, "a full pipe blocks its writer; SIGPIPE comes when the last reader leaves",
	  "POSIX write; the tutorial says that a full pipe raises SIGPIPE and does not block", p5_full_blocks },
	{ 0 }
};
