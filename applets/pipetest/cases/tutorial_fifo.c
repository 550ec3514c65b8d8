/*
 * tutorial_fifo.c - cases of the tutorial's programs with FIFOs (cases/INVENTORY), corrected
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

enum { RECORD = 12 }; /* is the length of the tutorial's "xiaoming%04d" */

/* --- P14: the writer -------------------------------------------------------------------- */

static long write_records(long n)
{
	int fd = open("f", O_WRONLY);

	while (n--)
		t_write(fd, RECORD, RECORD);
	return 0;
}

static void p14_records(void)
{
	enum { RECORDS = 100 };
	pid_t writer;
	int fd;

	t_mkfifo("f");
	writer = t_blocked(write_records, RECORDS); /* the writer blocks in open */
	fd = open("f", O_RDONLY);
	t_drain(fd, RECORDS * RECORD);
	t_read(fd, 1, 0);
	t_returns(writer, 0);
}

static void p14_killed(void)
{
	pid_t writer;
	int fd;

	t_mkfifo("f");
	writer = t_start(write_records, LONG_MAX);
	fd = open("f", O_RDONLY);
	t_drain(fd, RECORD);
	t_close(fd);
	t_dies(writer, SIGPIPE);
}

/* --- P15: the reader -------------------------------------------------------------------- */

static void p15_coalesce(void)
{
	t_fifo("f");
	for (int i = 0; i < 3; i++)
		p_write(RECORD);
	p_read(256, 3 * RECORD);
}

static void p15_eof_stays(void)
{
	t_fifo("f");
	p_write(RECORD);
	p_close_w();
	p_read(256, RECORD);
	for (int i = 0; i < 3; i++)
		p_read(256, 0);
}

static void p15_new_writer(void)
{
	pid_t reader;

	t_fifo("f");
	p_close_w();
	p_read(256, 0);
	t.w = open("f", O_WRONLY);
	reader = t_blocked(t_call_read, 256); /* blocks, because there is a writer again */
	p_write(RECORD);
	t_returns(reader, RECORD);
}

/* --- S14 to S17: the rules --------------------------------------------------------------- */

static void s14_mkfifo(void)
{
	struct stat st;

	t_mkfifo("f");
	t_needs_call("umask");
	umask(027);
	t_ok(mkfifo("g", 0666), "mkfifo");
	t_ok(stat("g", &st), "stat");
	want(st.st_mode, S_IFIFO | 0640, "st_mode");
	want_ret(mkfifo("g", 0666), -EEXIST, "a second mkfifo");
}

static long open_write_then_read(long arg)
{
	int w = open("f", O_WRONLY), r = open("f", O_RDONLY);

	(void)arg;
	t_write(w, RECORD, RECORD);
	t_read(r, RECORD, RECORD);
	return 0;
}

static void s15_snippet_deadlock(void)
{
	pid_t snippet;

	t_mkfifo("f");
	snippet = t_blocked(open_write_then_read, 0);
	t_open("f", O_RDONLY); /* this process ends the wait of the other */
	t_returns(snippet, 0);
}

/* S16: several writers send records of up to PIPE_BUF bytes, each full of its own number. */
enum { WRITERS = 4, READERS = 3, RECORDS = 256, WORDS = 100 };

struct tally {
	_Atomic uint32_t next, seen[RECORDS];
};

static long write_numbered(long arg)
{
	struct tally *tally = (struct tally *)(intptr_t)arg;
	uint32_t record[WORDS], n;
	int fd = open("f", O_WRONLY);

	while ((n = atomic_fetch_add(&tally->next, 1)) < RECORDS) {
		for (int i = 0; i < WORDS; i++)
			record[i] = n;
		if (write(fd, record, sizeof(record)) != sizeof(record))
			t_fail("write of record %u: %s", (unsigned)n, strerror(errno));
	}
	return 0;
}

static long read_numbered(long arg)
{
	struct tally *tally = (struct tally *)(intptr_t)arg;
	uint32_t record[WORDS];
	long got;

	p_close_w();
	while ((got = ret(read(t.r, record, sizeof(record)))) == sizeof(record)) {
		for (int i = 1; i < WORDS; i++)
			if (record[i] != record[0] || record[0] >= RECORDS)
				t_fail("records are mixed: %u and %u", (unsigned)record[0],
					(unsigned)record[i]);
		atomic_fetch_add(&tally->seen[record[0]], 1);
	}
	return got;
}

static void s16_many_to_many(void)
{
	struct tally *tally = t_anon_shared(sizeof(*tally));
	pid_t readers[READERS], writers[WRITERS];

	t_fifo("f");
	for (int i = 0; i < READERS; i++)
		readers[i] = t_start(read_numbered, (long)(intptr_t)tally);
	for (int i = 0; i < WRITERS; i++)
		writers[i] = t_start(write_numbered, (long)(intptr_t)tally);
	for (int i = 0; i < WRITERS; i++)
		t_returns(writers[i], 0);
	p_close_w();
	for (int i = 0; i < READERS; i++)
		t_returns(readers[i], 0);
	for (unsigned i = 0; i < RECORDS; i++)
		if (tally->seen[i] != 1)
			t_fail("record %u was read %u times", i, (unsigned)tally->seen[i]);
}

/* A FIFO may have blocks for its attributes, but data must not add any. */
static void s17_not_on_disk(void)
{
	long blocks;

	t_fifo("f");
	blocks = t_stat(t.w)->st_blocks;
	p_fill();
	t_size(t.w, 0);
	want(t_stat(t.w)->st_blocks, blocks, "st_blocks");
}

static void s17_data_lost(void)
{
	t_fifo("f");
	p_write(RECORD);
	p_close_w();
	p_close_r();
	t.r = open("f", O_RDONLY | O_NONBLOCK);
	p_read(256, 0);
	t.w = open("f", O_WRONLY);
	p_read(256, -EAGAIN);
}

const struct test_case tutorial_fifo_cases[] = {
	CASE("tut.p14.records", "TUT-P14 P14", 'P', NEEDS_DIR, 0,
		"the writer waits in open for a reader; every record arrives, then end of file",
		"POSIX open, O_NONBLOCK clear: shall block until a thread opens for reading; read",
		p14_records),
	CASE("tut.p14.killed", "TUT-P14 P14", 'P', NEEDS_DIR | MYTH, 0,
		"the writer dies of SIGPIPE when its last reader leaves",
		"POSIX write, ERRORS: EPIPE; the tutorial's writer has no other end", p14_killed),
	CASE("tut.p15.coalesce", "TUT-P15a P15", 'P', NEEDS_DIR | MYTH, 0,
		"one read takes all the records that are there",
		"POSIX read, DESCRIPTION: less than nbyte only if fewer bytes are there; the "
		"tutorial takes each read for a record", p15_coalesce),
	CASE("tut.p15.eof_stays", "TUT-P15b P15", 'P', NEEDS_DIR, 0,
		"without a writer each read returns 0",
		"POSIX read, DESCRIPTION: 0 if no process has the pipe open for writing",
		p15_eof_stays),
	CASE("tut.p15.new_writer", "TUT-P15c P15", 'P', NEEDS_DIR, 0,
		"a new writer ends the end of file, for the same descriptor",
		"POSIX read, DESCRIPTION: blocks if some process has the pipe open for writing",
		p15_new_writer),
	CASE("tut.s14.mkfifo", "TUT-S14 S14", 'P', NEEDS_DIR, 0,
		"mkfifo makes type p with mode & ~umask; a second mkfifo gives EEXIST",
		"POSIX mkfifo, DESCRIPTION and ERRORS: EEXIST", s14_mkfifo),
	CASE("tut.s15.snippet_deadlock", "TUT-S15 S15", 'P', NEEDS_DIR | MYTH, 0,
		"O_WRONLY, then O_RDONLY in one process blocks in the first open",
		"POSIX open, O_NONBLOCK clear: shall block until a thread opens for reading; the "
		"tutorial says open both, one after the other", s15_snippet_deadlock),
	CASE("tut.s16.many_to_many", "TUT-S16 FIF-14 S16", 'I', NEEDS_DIR | STRESS, 0,
		"4 writers, 3 readers: each record is read whole and by one of them",
		"POSIX read, DESCRIPTION: concurrent reads of a pipe are unspecified",
		s16_many_to_many),
	CASE("tut.s17.not_on_disk", "S17 FIF-04 S14", 'L', NEEDS_DIR, 0,
		"a full FIFO has size 0 and takes no blocks",
		"fifo(7), DESCRIPTION: no contents on the filesystem", s17_not_on_disk),
	CASE("tut.s17.data_lost", "S17", 'P', NEEDS_DIR, 0,
		"what nobody read is gone when the last descriptor closes",
		"POSIX close, DESCRIPTION: any data remaining in the pipe or FIFO shall be "
		"discarded", s17_data_lost),
};
ALL_ROWS(tutorial_fifo);
