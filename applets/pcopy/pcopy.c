/*
 * pcopy - copy files with several processes, each whole or not at all
 *
 * SPDX-License-Identifier: 0BSD

config PCOPY
	bool "pcopy"
	default y
	help
	  usage: pcopy [options] SRC DST [N]
	         pcopy [options] SRC... DIR
	         pcopy --compare SRC DST

	  Copy each file with at most N processes. DST has its old content or the
	  new one, also after kill -9; with status 0 it is on the medium. SRC or
	  DST may be -; a directory DST means a file in it.

	  -j, --jobs N|auto    at most N processes      -B, --block SIZE  a chunk (8M)
	  -e, --engine auto|clone|cfr|rw|mmap|direct    else the next best
	      --reflink=auto|never|always      share the blocks, if possible
	      --sparse=auto|never|always       holes as in SRC, none, all zeros
	      --preallocate=auto|never         reserve the space first
	      --sync=full|data|none            file and name, bytes; --no-sync: none
	  -c, --checksum       print CRC32 SIZE DST     --expect CRC   or fail
	  -y, --verify         compare with what is on the medium
	      --compare        only compare: 0, or 5 and the first byte that differs
	      --inplace        write into DST itself
	  -u, --update-blocks  the same, but only the blocks that differ
	  -R, --resume         keep what a failure leaves, and go on from there
	  -p, --preserve[=mode,owner,time,xattr,all]
	      --growing        copy what SRC has at the start; it may grow
	  -n, --no-clobber     fail if DST exists
	  -f, --force          replace a DST that may not be written
	  -t, --target-directory DIR           copy into DIR
	  -T, --no-target-directory            DST is not a directory
	  -P, --progress[=auto|bar|json]       also at SIGUSR1
	  -J, --json  a line at the end         -q, --quiet   -v, --verbose
*/
#include "pcopy.h"

static const char *const progresses[] = { "auto", "bar", "json", NULL };

static int64_t hex_crc(const char *str)
{
	uintmax_t crc;
	const char *end = parse_digits(str + (strncmp(str, "0x", 2) ? 0 : 2), 16, &crc);

	if (!end || *end || crc > UINT32_MAX)
		bb_show_usage("invalid CRC-32: '%s'", str);
	return crc;
}

static off_t parse_block(const char *block)
{
	off_t page = getpagesize();

	if (!block)
		return 8 << 20;
	return ((off_t)xatosize("block size", block, 1, 1LL << 40) + page - 1) / page * page;
}

static int parse_jobs(const char *jobs)
{
	if (!jobs || strcmp(jobs, "auto") == 0)
		return 0;
	return MIN(xatou_range("number of jobs", jobs, 1, INT_MAX), MAX_JOBS);
}

/* Refuses "-P json" and the like. An optional argument must stand in the same word as its option
 * (getopt(3)), so json would be taken for SRC. */
static void refuse_separated(char **argv)
{
	for (; argv[0] && argv[1] && strcmp(argv[0], "--") != 0; argv++) {
		size_t len = strlen(argv[0]);
		int is_letters = len > 1 && argv[0][0] == '-' && argv[0][1] != '-';
		char last = is_letters ? argv[0][len - 1] : 0;
		int is_word = strcmp(argv[1], "mode") == 0 || strcmp(argv[1], "all") == 0;

		for (int i = 0; last == 'P' && progresses[i]; i++)
			is_word = is_word || strcmp(argv[1], progresses[i]) == 0;
		if ((last == 'P' || last == 'p') && is_word)
			bb_show_usage("'%s %s' is two words: write '-%c%s'", argv[0], argv[1], last,
				argv[1]);
	}
}

static const char *without_equals(const char *arg)
{
	return arg && *arg == '=' ? arg + 1 : arg;
}

static enum place choose_place(opts_t opts, int inplace)
{
	if (opts & OPT('R')) {
		if (inplace || opts & OPT('u'))
			bb_show_usage("--resume excludes --inplace and --update-blocks");
		return RESUME;
	}
	return opts & OPT('u') ? UPDATE : inplace ? INPLACE : REPLACE;
}

static void refuse_exclusive(const struct request *request)
{
	opts_t opts = request->opts;

	if (request->compare && (request->place != REPLACE || opts
		& (OPT('y') | OPT('n') | OPT('p') | OPT('f'))))
		bb_show_usage("--compare excludes --verify, --inplace, --update-blocks,"
			      " --resume, --no-clobber, --preserve and --force");
	if (opts & OPT('f') && (request->place == INPLACE || request->place == UPDATE))
		bb_show_usage("--force excludes --inplace and --update-blocks");
	if (opts & OPT('f') && opts & OPT('n'))
		bb_show_usage("--force excludes --no-clobber");
	if (opts & OPT('t') && opts & OPT('T'))
		bb_show_usage("--target-directory excludes --no-target-directory");
	if (request->engine == ENGINE_CLONE && request->blocks.reflink == NEVER)
		bb_show_usage("--engine clone excludes --reflink=never");
	if (opts & OPT('q') && opts & OPT('v'))
		bb_show_usage("--quiet excludes --verbose");
}

static int choose_sync(const char *sync, int no_sync)
{
	if (sync && no_sync)
		bb_show_usage("--no-sync excludes --sync");
	return no_sync ? SYNC_NONE : xchoose("--sync", sync, pcopy_syncs);
}

/* Returns DST, and sets *n to the number of the SRC operands, which come first. A third operand can
 * also be the number of processes, as in the tutorial's program. */
static const char *take_operands(struct request *request, char **argv, const char *dir, int *n)
{
	const char *last;

	for (*n = 0; argv[*n]; ++*n)
		;
	if (dir && (*n == 0 || !pcopy_is_directory(dir)))
		bb_show_usage(*n ? "'%s' is not a directory" : "needs SRC", dir);
	if (dir)
		return dir;
	if (*n < 2)
		bb_show_usage("needs SRC and DST");
	last = argv[--*n];
	if (*n == 1 || (!asked(request, 'T') && pcopy_is_directory(last)))
		return last;
	if (*n > 2)
		bb_show_usage("'%s' is not a directory", last);
	if (!isdigit((unsigned char)*last) && strcmp(last, "auto") != 0)
		bb_show_usage("'%s' is neither a directory nor a number of jobs", last);
	request->max_jobs = parse_jobs(last);
	return argv[--*n];
}

int pcopy_main(char **argv)
{
	static const char *const whens[] = { "auto", "never", "always", NULL };
	static const char *const auto_or_never[] = { "auto", "never", NULL };
	char *jobs = NULL, *block = NULL, *engine = NULL, *reflink = NULL, *sparse = NULL,
	     *reserve = NULL, *sync = NULL, *expect = NULL, *preserve = NULL, *progress = NULL,
	     *dir = NULL;
	struct request request = { .expect = -1 };
	int no_sync = 0, inplace = 0, n;
	const char *dst;

	refuse_separated(argv);
	request.opts = getopt32(argv,
		"j(jobs):B(block):e(engine):(reflink):(sparse):(preallocate):"
		"(sync):(no-sync)c(checksum)(expect):y(verify)(compare)(inplace)u(update-blocks)"
		"R(resume)p(preserve)::(growing)n(no-clobber)f(force)t(target-directory):"
		"T(no-target-directory)P(progress)::J(json)q(quiet)v(verbose)",
		&jobs, &block, &engine, &reflink, &sparse, &reserve, &sync, &no_sync, &expect,
		&request.compare, &inplace, &preserve, &request.growing, &dir, &progress);
	argv += optind;
	request.max_jobs = parse_jobs(jobs);
	request.block = parse_block(block);
	request.place = choose_place(request.opts, inplace);
	request.engine = xchoose("engine", engine, pcopy_engines);
	request.blocks.reflink = xchoose("--reflink", reflink, whens);
	request.blocks.sparse = xchoose("--sparse", sparse, whens);
	request.blocks.preallocate = xchoose("--preallocate", reserve, auto_or_never);
	request.sync = choose_sync(sync, no_sync);
	if (expect)
		request.expect = hex_crc(expect);
	if (asked(&request, 'p'))
		pcopy_parse_keep(&request, without_equals(preserve));
	if (asked(&request, 'P'))
		request.progress = progress
			? xchoose("--progress", without_equals(progress), progresses)
			: PROGRESS_BAR;
	refuse_exclusive(&request);
	dst = take_operands(&request, argv, dir, &n);
	if ((request.opts & (OPT('c') | OPT('J'))) && strcmp(dst, "-") == 0)
		bb_show_usage("DST '-' and --%s both need standard output",
			asked(&request, 'J') ? "json" : "checksum");
	return pcopy_files(&request, argv, n, dst);
}
