/*
 * tutorial_races.c - cases of the tutorial's races of writers (cases/INVENTORY), corrected
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

/* --- P11, P12 --------------------------------------------------------------------------- */

/* As in P11 and P12, two writers write to an empty pipe as much as it holds, or more. */
static void race(size_t n)
{
	if (t_letter_runs(2, t_call_letters, n, t.pipe_buf) == 2)
		t_info("two writers of %zu bytes: not split this time", n);
}

static void p11_race(void)
{
	race(t.cap);
}

static void p12_race(void)
{
	race(t.cap + t.pipe_buf);
	race(t.cap + 2 * t.pipe_buf);
	race(2 * t.cap);
}

static void p11_atomic(void)
{
	const size_t sizes[] = { t.pipe_buf / 2 + 1, t.pipe_buf - 1, t.pipe_buf };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		p_fill();
		wantf(t_letter_runs(2, t_call_letters, sizes[i], t.pipe_buf), 2,
			"pieces of two writes of %zu bytes", sizes[i]);
	}
}

static void p12_split(void)
{
	const size_t sizes[] = { t.pipe_buf + 1, 5000, 2 * t.pipe_buf, 9046, t.page + 1 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes) - (t.page == t.pipe_buf); i++) {
		p_fill();
		race(sizes[i]);
	}
}

const struct test_case tutorial_races_cases[] = {
	CASE("tut.p11.race", "TUT-P11 ATM-05 P11", 'I', MYTH, 0,
		"two writers of a pipe's capacity each: they are whole by luck",
		"POSIX write, DESCRIPTION: more than {PIPE_BUF} may be interleaved; the tutorial "
		"says that 64 KiB is PIPE_BUF and atomic", p11_race),
	CASE("tut.p11.atomic", "TUT-P11 P11 S12 S13", 'P', KINDS | MYTH, 0,
		"two blocked writers of up to PIPE_BUF bytes are never split",
		"POSIX write, DESCRIPTION: {PIPE_BUF} bytes or less shall not be interleaved; the "
		"tutorial says that the limit is 64 KiB", p11_atomic),
	CASE("tut.p12.race", "TUT-P12 ATM-05 P12", 'I', MYTH, 0,
		"how writes of more than the capacity mix: runs of A and B",
		"POSIX write, DESCRIPTION: more than {PIPE_BUF} may be interleaved; the tutorial "
		"says A 64K, B 64K, A 4K, B 4K", p12_race),
	CASE("tut.p12.split", "TUT-P12 P12 S13", 'I', MYTH, 0,
		"two blocked writers of more than PIPE_BUF bytes may be split",
		"POSIX write, DESCRIPTION: more than {PIPE_BUF} may be interleaved; the tutorial "
		"says that only 68 KiB are", p12_split),
};
ALL_ROWS(tutorial_races);
