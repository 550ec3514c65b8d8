/*
 * pick.c - chooses the cases that run, by name, id and class, once per kind of pipe
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "engine.h"

static const char *kind_name(enum kind kind)
{
	static const char names[N_KINDS][8] = {
		"", ".pipe", ".pipe2", ".page", ".fifo", ".memfd", ".file"
	};

	return names[kind];
}

const char *pipetest_case_text(const char *row, enum case_text which)
{
	for (; which; which--)
		row += strlen(row) + 1;
	return row;
}

/* The names consist of [a-z0-9_.-], so "*" and "?" suffice; fnmatch(3) would add 15 KB. Where the
 * rest of the name does not match, the last "*" takes one more character. An earlier "*" never has
 * to, because the text between the two matched at the first possible place. */
bool pipetest_glob_matches(const char *glob, const char *name, const char *end)
{
	const char *star = NULL, *behind = NULL;

	while (name < end) {
		if (*glob == '*') {
			star = ++glob;
			behind = name;
		} else if (*glob == '?' || *glob == *name) {
			glob++;
			name++;
		} else if (star) {
			glob = star;
			name = ++behind;
		} else {
			return false;
		}
	}
	return glob[strspn(glob, "*")] == '\0';
}

/* Does the pattern match one of the words, which spaces separate? */
static bool matches_any(const char *glob, const char *words)
{
	for (const char *end; *words; words = end + (*end == ' ')) {
		end = words + strcspn(words, " ");
		if (pipetest_glob_matches(glob, words, end))
			return true;
	}
	return false;
}

bool pipetest_word_in_list(const char *word, const char *list)
{
	size_t len = strlen(word);

	for (; *list; list += strcspn(list, ","), list += *list == ',')
		if (strcspn(list, ",") == len && strncmp(list, word, len) == 0)
			return true;
	return false;
}

static bool selected(const struct pick *p, const struct options *o)
{
	const struct test_case *c = p->c;

	if (c->flags & EXOTIC && !o->exotic)
		return false;
	if (o->classes && !strchr(o->classes, c->class))
		return false;
	if (!o->globs)
		return true;
	for (char **glob = o->globs; *glob; glob++)
		if (matches_any(*glob, p->name)
			|| matches_any(*glob, pipetest_case_text(p->row, NAME))
			|| matches_any(*glob, pipetest_case_text(p->row, IDS)))
			return true;
	return false;
}

static const struct {
	const struct test_case *cases;
	const char *name;
	unsigned rows;
} groups[] = {
#define GROUP(name) { name##_cases, #name, ROWS_##name },
	GROUPS
#undef GROUP
};

/* The array of picks doubles when it is full. */
struct picking {
	const struct options *o;
	struct pick *picks;
	unsigned count, room;
};

static void add_pick(struct picking *to, const struct pick *p)
{
	enum { FIRST_ROOM = 64 };

	if (to->count == to->room) {
		to->room = to->room ? 2 * to->room : FIRST_ROOM;
		to->picks = xrealloc(to->picks, to->room * sizeof(*p));
	}
	to->picks[to->count++] = *p;
}

/* Returns a bit for each kind in which the case runs. */
static unsigned kinds_of(const struct test_case *c)
{
	enum { PIPES = 1 << PIPE | 1 << PIPE2 | 1 << PAGE | 1 << FIFO };

	if (c->flags & FILES)
		return 1 << ON_FILE | (c->flags & KINDS ? PIPES : 1 << ON_MEMFD);
	return c->flags & KINDS ? PIPES : 1 << ANY;
}

/* Adds the case once for each of its kinds, if the options select that name. */
static void pick_kinds(struct picking *to, const struct test_case *c, const char *row,
	const char *group)
{
	unsigned kinds = kinds_of(c);

	for (enum kind kind = ANY; kind < N_KINDS; kind++) {
		struct pick p = { .c = c, .row = row, .group = group, .kind = kind };

		if (!(kinds & 1U << kind))
			continue;
		scnprintf(p.name, sizeof(p.name), "%s%s", pipetest_case_text(row, NAME),
			kind_name(kind));
		if (selected(&p, to->o))
			add_pick(to, &p);
	}
}

struct pick *pipetest_pick_cases(const struct options *o, unsigned *count)
{
	struct picking to = { .o = o };
	const char *row = bb_text(TEXT_rows);

	for (size_t g = 0; g < ARRAY_SIZE(groups); g++)
		for (unsigned i = 0; i < groups[g].rows; i++) {
			pick_kinds(&to, &groups[g].cases[i], row, groups[g].name);
			row = pipetest_case_text(row, NEXT_ROW);
		}
	*count = to.count;
	return to.picks;
}
