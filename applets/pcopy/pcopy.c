/*
 * pcopy - copy a file with several processes, whole or not at all
 *
 * SPDX-License-Identifier: 0BSD

config PCOPY
	bool "pcopy"
	default y
	help
	  usage: pcopy [options] SRC DST [N]

	  Copy one file with at most N processes. DST has its old content or the
	  new one, also after kill -9; with status 0 it is on the medium. SRC or
	  DST may be -; a directory DST means a file in it.

	  -j, --jobs N|auto    at most N processes      -B, --block SIZE  a chunk (8M)
	  -e, --engine auto|clone|cfr|rw|mmap|direct    else the next best
	      --reflink=auto|never|always      share the blocks, if possible
	      --sparse=auto|never|always       holes as in SRC, none, all zeros
	      --preallocate=auto|never         reserve the space first
	      --sync=full|data|none            file and name, bytes, as --no-sync
	  -c, --checksum       print CRC32 SIZE DST     --expect CRC   or fail
	  -y, --verify         compare with what is on the medium
	      --inplace        write into DST itself
	  -u, --update-blocks  the same, but only the blocks that differ
	  -R, --resume         keep what a failure leaves, and go on from there
	  -p, --preserve[=mode,owner,time,xattr,all]
	  -n, --no-clobber     fail if DST exists
	  -T, --no-target-directory            DST is not a directory
	  -P, --progress[=auto|bar|json]       also at SIGUSR1
	  -J, --json  a line at the end         -q, --quiet   -v, --verbose
*/
#include "pcopy.h"

static int64_t hex_crc(const char *str)
{
	uintmax_t crc;
	const char *end = parse_digits(str + (strncmp(str, "0x", 2) ? 0 : 2), 16, &crc);

	if (!end || *end || crc > UINT32_MAX)
		bb_show_usage("invalid CRC-32: '%s'", str);
	return crc;
}

static void open_source(struct job *job)
{
	if (strcmp(job->src, "-") == 0) {
		job->src = "standard input";
		job->in = STDIN_FILENO;
	} else {
		job->in = xopen(job->src, O_RDONLY);
	}
	if (fstat(job->in, &job->from) < 0)
		bb_perror_msg_and_die("can't read '%s'", job->src);
	if (job->in == STDIN_FILENO)
		return;
	if (S_ISDIR(job->from.st_mode))
		bb_error_msg_and_die("'%s' is a directory: pcopy copies one file", job->src);
	if (S_ISREG(job->from.st_mode))
		job->size = job->from.st_size;
	else if (S_ISBLK(job->from.st_mode))
		job->size = lseek(job->in, 0, SEEK_END);
}

static void *map(size_t size, int flags)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		bb_perror_msg_and_die("can't get %zu bytes of memory", size);
	return p;
}

/* Chunks for the queue, and workers for the chunks. */
static void plan(struct job *job)
{
	enum { MAX_CHUNKS = 1 << 24 }; /* 64 MiB of CRCs */
	/* sysfs says a page and means less; or it is all hole */
	int made_up = S_ISREG(job->from.st_mode) && job->size <= getpagesize()
		&& job->from.st_blocks == 0;

	if (!job->seekable || S_ISBLK(job->old.st_mode))
		job->sparse = NEVER; /* what a disk holds is not known */
	measure_data(job);
	while (job->size / job->chunk >= MAX_CHUNKS)
		job->chunk *= 2;
	if (made_up && job->sparse == AUTO)
		job->sparse = ALWAYS;
	if (!made_up && job->seekable)
		job->chunks = job->size / job->chunk + (job->size % job->chunk != 0);
	job->shared = map(offsetof(struct shared, crc[job->chunks + 1]), MAP_SHARED);
	job->buf = map(3 * BUFFER_SIZE, MAP_PRIVATE); /* at a page, for O_DIRECT */
}

static int same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* /proc makes up a content as it is read: there, only a size would be a change. */
static void check_source(const struct job *job)
{
	struct stat now;

	if (!S_ISREG(job->from.st_mode))
		return;
	if (fstat(job->in, &now) < 0)
		bb_perror_msg_and_die("can't examine '%s'", job->src);
	if (now.st_size == job->from.st_size
	    && (job->from.st_size == 0 || (same_time(&now.st_mtim, &job->from.st_mtim)
				   && same_time(&now.st_ctim, &job->from.st_ctim))))
		return;
	bb_error_msg("'%s' changed while it was copied", job->src);
	exit(EXIT_STALE);
}

/* The CRC of the whole, which does not depend on who copied which chunk. */
static void check_crc(struct job *job)
{
	if (!job->crc_wanted)
		return;
	job->crc = job->shared->crc[0];
	for (uint32_t i = 1; i < job->chunks; i++)
		job->crc = crc32_combine(job->crc, job->shared->crc[i],
			i + 1 < job->chunks ? job->chunk : job->size - i * job->chunk);
	if (job->expect < 0 || job->expect == job->crc)
		return;
	bb_error_msg("'%s' has the CRC-32 %08" PRIx32 ", not %08" PRIx32, job->src, job->crc,
		(uint32_t)job->expect);
	exit(EXIT_INTEGRITY);
}

static void copy(struct job *job)
{
	hold_signals();
	open_target(job);
	job->shared->engine = start_engine(job);
	set_jobs(job, job->crc_wanted || job->shared->engine == ENGINE_DIRECT);
	if (job->shared->engine != ENGINE_CLONE)
		check_room(job);
	else if (!job->crc_wanted || job->chunks == 0)
		job->jobs = 0;
	set_size(job);
	if (job->shared->engine != ENGINE_CLONE)
		reserve_space(job);
	if (job->jobs && run_workers(job) < 0)
		exit(job->status);
	check_source(job);
	if (job->chunks == 0) {
		job->data = job->size = job->chunk = job->shared->streamed;
		job->chunks = job->size != 0;
	}
	check_crc(job);
	job->saved = 0;
	for (int i = 0; i < job->jobs; i++)
		job->saved += job->shared->saved[i];
	job->engine = job->shared->engine;
	sync_target(job);
	if (asked(job, 'y'))
		verify(job);
	commit(job);
}

static void take_operands(struct job *job, char **argv, char *jobs)
{
	if (!argv[0] || !argv[1])
		bb_show_usage("needs SRC and DST");
	job->src = argv[0];
	job->dst = argv[1];
	if (argv[2])
		jobs = argv[2];
	if (argv[2] && argv[3])
		bb_show_usage("unexpected operand '%s'", argv[3]);
	job->max_jobs = jobs && strcmp(jobs, "auto") != 0
		? (int)MIN(xatou_range("number of jobs", jobs, 1, INT_MAX), MAX_JOBS) : 0;
}

static void check_options(const struct job *job)
{
	if ((job->opts & (OPT('c') | OPT('J'))) && strcmp(job->dst, "-") == 0)
		bb_show_usage("DST '-' and --%s both need standard output",
			asked(job, 'J') ? "json" : "checksum");
	if (asked(job, 'R') && (job->opts & (OPT('i') | OPT('u'))))
		bb_show_usage("--resume excludes --inplace and --update-blocks");
}

int pcopy_main(char **argv)
{
	static const char *const whens[] = { "auto", "never", "always", NULL };
	static const char *const progresses[] = { "auto", "bar", "json", NULL };
	static const char *const auto_or_never[] = { "auto", "never", NULL };
	char *jobs = NULL, *block = NULL, *engine = NULL, *reflink = NULL, *sparse = NULL,
	     *reserve = NULL, *sync = NULL, *expect = NULL, *preserve = NULL, *progress = NULL;
	opts_t opts = getopt32(argv,
		"j(jobs):B(block):e(engine):-r(reflink):-a(sparse):-l(preallocate):"
		"-s(sync):-S(no-sync)c(checksum)-x(expect):y(verify)-i(inplace)u(update-blocks)"
		"R(resume)p(preserve)::P(progress)::J(json)n(no-clobber)T(no-target-directory)"
		"q(quiet)v(verbose)",
		&jobs, &block, &engine, &reflink, &sparse, &reserve, &sync, &expect, &preserve,
		&progress);
	struct job job = { .opts = opts, .chunk = 8 << 20, .step = CACHED_STEP, .expect = -1,
			   .start = monotonic_ns() };
	uint64_t page = getpagesize();

	take_operands(&job, argv + optind, jobs);
	if (block)
		job.chunk = (xatosize("block size", block, 1, 1LL << 40) + page - 1) / page * page;
	if (expect)
		job.expect = hex_crc(expect);
	if (opts & OPT('p'))
		parse_preserve(&job, preserve);
	job.crc_wanted = expect || (opts & (OPT('c') | OPT('y')));
	job.engine = xchoose("engine", engine, engine_names);
	job.reflink = xchoose("--reflink", reflink, whens);
	job.sparse = xchoose("--sparse", sparse, whens);
	job.preallocate = xchoose("--preallocate", reserve, auto_or_never);
	job.sync = opts & OPT('S') ? SYNC_NONE : xchoose("--sync", sync, sync_names);
	job.progress = opts & OPT('P') && !progress ? PROGRESS_BAR
						    : xchoose("--progress", progress, progresses);
	check_options(&job);
	hold_requests();
	open_source(&job);
	find_target(&job);
	plan(&job);
	copy(&job);
	report(&job);
	return EXIT_SUCCESS;
}
