/*
 * directory.c - the private directory in which the cases make their files
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <dirent.h>
#include <sys/auxv.h>
#include <sys/statfs.h>
#include "engine.h"

/* The engine makes one directory, changes to it, and empties it after each case. Where the kernel
 * cannot list a directory or remove a file, each case gets a new subdirectory. The engine then
 * removes the names that the helpers noted and all of usual_names, which the cases make
 * themselves. In this list the content of a directory precedes the directory. */
static const char *const usual_names[] = {
	"d/1", "d/2", "d/3", "d/directory", "d/f", "d/file", "d/g", "d/process", "d/r", "d/w", "1",
	"2", "a", "b", "d", "dangling", "f", "g", "h", "link", "lower", "object", "ramfs", "tmpfs",
	"upper", "work",
};

static char private_dir[PATH_MAX];
static bool can_empty;	/* the kernel can list the directory and remove files */
static unsigned number;	/* numbers the subdirectories if the kernel cannot */

const char *pipetest_directory_name(void)
{
	return private_dir;
}

/* The kernel may lack unlink(2) and rmdir(2) or unlinkat(2), so both ways are tried. */
static int unlink_or_rmdir(const char *path, int flags)
{
	int failed = flags ? rmdir(path) : unlink(path);

	return failed ? unlinkat(AT_FDCWD, path, flags) : 0;
}

/* A child inherits this exit handler and must not remove the directory. */
void __attribute__((destructor)) pipetest_directory_remove(void)
{
	if (!private_dir[0] || pipetest.is_child)
		return;
	if (unlink_or_rmdir(private_dir, AT_REMOVEDIR) < 0)
		bb_perror_msg("can't remove '%s'", private_dir);
	private_dir[0] = '\0';
}

/* On a full file system, a write to a mapped hole gives SIGBUS, and a case would take that for a
 * fault of the kernel. ramfs has no limit and reports 0 blocks. Without statfs(2) the engine
 * assumes that there is room. */
static bool has_room(const char *path)
{
	enum { ROOM = 4 << 20 };
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return true;
	return fs.f_blocks == 0 || (uint64_t)fs.f_bavail * fs.f_bsize >= ROOM;
}

/* Where the kernel lacks O_DIRECTORY opendir(3) fails, and where it lacks fcntl(2) fdopendir(3)
 * fails, so both are tried. */
static DIR *open_dir(const char *path)
{
	DIR *dir = opendir(path);
	int fd = dir ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		dir = fdopendir(fd);
	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Returns the number of names in the current directory, or -1 if the kernel cannot list it. */
static int count_names(void)
{
	DIR *dir = open_dir(".");
	struct dirent *entry;
	int all = 0, dots = 0;

	for (; dir && (entry = readdir(dir)); all++)
		dots += is_dots(entry->d_name);
	if (dir)
		closedir(dir);
	return all ? all - dots : -1;
}

/* Calls lstat(2). A kernel that lacks it may have fstat(2). */
static bool look(const char *path, struct stat *st)
{
	bool found;
	int fd;

	if (lstat(path, st) == 0)
		return true;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	found = fd >= 0 && fstat(fd, st) == 0;
	if (fd >= 0)
		close(fd);
	return found;
}

/* A user who can write in the parent may put a link or another directory in the place of the new
 * one before the engine has changed to it, and the engine would empty the wrong one. So the current
 * directory must be the one that has the name, not the target of a link. It must belong to this
 * user, let no other user write in it, and be empty. Then no other user can change a name in it.
 * The function returns NULL, or says why the directory is of no use. */
static const char *objection(void)
{
	struct stat here, named;

	if (!look(".", &here) || !look(private_dir, &named))
		return strerror(errno);
	if (!same_inode(&named, &here) || named.st_uid != getauxval(AT_EUID))
		return xasprintf("it belongs to user %u", (unsigned)named.st_uid);
	if (here.st_mode & (S_IWGRP | S_IWOTH))
		return "others may write in it";
	if (count_names() > 0)
		return "another one has taken its place";
	return has_room(".") ? NULL : strerror(ENOSPC);
}

/* Writes the name for mkdtemp(3) into private_dir. The engine changes to the directory, so a
 * relative name would lead nowhere later. */
static bool name_in(const char *parent)
{
	char here[PATH_MAX] = "";

	errno = ENOENT;
	if (!*parent || (*parent != '/' && !getcwd(here, sizeof(here))))
		return false;
	errno = ENAMETOOLONG;
	return (size_t)snprintf(private_dir, sizeof(private_dir), "%s%s%s/pipetest.XXXXXX", here,
		*here ? "/" : "", parent) < sizeof(private_dir);
}

/* Returns NULL, or says why there is no directory. */
static const char *make_in(const char *parent)
{
	const char *why;

	if (!name_in(parent) || !mkdtemp(private_dir)) {
		why = strerror(errno);
	} else {
		why = chdir(private_dir) < 0 ? strerror(errno) : objection();
		if (!why) {
			can_empty = count_names() == 0 && unlink_or_rmdir("none", 0) < 0
				&& errno == ENOENT;
			return NULL;
		}
		(void)!chdir("/");
		(void)unlink_or_rmdir(private_dir, AT_REMOVEDIR);
	}
	private_dir[0] = '\0';
	return why;
}

/* bb_find() refuses a stranger's link, and the new directory must be in the directory that it
 * found. Its descriptor is -1 on a kernel without O_PATH. */
static void make_in_wish(const char *wish)
{
	struct bb_walk walk = { .path = wish };
	int place = bb_find(&walk, wish);
	const char *why = make_in(wish);
	struct stat found, up;

	if (!why && fstat(place, &found) == 0 && look("..", &up) && !same_inode(&found, &up))
		why = "another one has taken its place";
	if (why)
		bb_error_msg_and_die("can't make a directory in '%s': %s", wish, why);
	close(place);
}

bool pipetest_directory_make(const char *wish)
{
	const char *const parents[] = { getenv("TMPDIR"), "/tmp", "/run", "/dev/shm", ".", "/" };

	if (wish) {
		make_in_wish(wish);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(parents); i++)
		if (parents[i] && !make_in(parents[i]))
			return true;
	return false;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return look(path, &st) && S_ISDIR(st.st_mode);
}

/* No other user can change a name in the private directory (see objection()), so no link takes the
 * place of a directory that is emptied. */
static void empty(const char *path)
{
	DIR *dir = open_dir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *name;

		if (is_dots(entry->d_name))
			continue;
		name = xasprintf("%s/%s", path, entry->d_name);
		if (unlink_or_rmdir(name, 0) < 0 && is_directory(name)) {
			(void)chmod(name, 0700); /* A case may have changed it. */
			empty(name);
			/* If a name stays, pipetest_directory_remove() reports the error. */
			(void)unlink_or_rmdir(name, AT_REMOVEDIR);
		}
		free(name);
	}
	if (dir)
		closedir(dir);
}

static const char *case_directory(void)
{
	static char name[16];

	scnprintf(name, sizeof(name), "case.%u", number);
	return name;
}

void pipetest_directory_fresh(void)
{
	if (!pipetest.dir || can_empty)
		return;
	number++;
	if (mkdir(case_directory(), 0700) < 0 || chdir(case_directory()) < 0)
		pipetest.dir = false;
}

void pipetest_directory_note(const char *name)
{
	struct noted *noted = &pipetest.shared->noted;
	uint32_t slot = atomic_fetch_add(&noted->count, 1);

	if (slot < MAX_NAMES)
		scnprintf(noted->name[slot], sizeof(noted->name[slot]), "%s", name);
}

static void empty_or_leave(void)
{
	const struct noted *noted = &pipetest.shared->noted;

	if (can_empty) {
		empty(".");
		return;
	}
	for (uint32_t i = 0; i < noted->count && i < MAX_NAMES; i++)
		(void)unlink_or_rmdir(noted->name[i], 0);
	for (size_t i = 0; i < ARRAY_SIZE(usual_names); i++)
		if (unlink_or_rmdir(usual_names[i], 0) < 0)
			(void)unlink_or_rmdir(usual_names[i], AT_REMOVEDIR);
	if (chdir("..") < 0)
		pipetest.dir = false;
	else
		(void)unlink_or_rmdir(case_directory(), AT_REMOVEDIR);
}

/* A program that tidies /tmp, or a person, may remove or rename the directory of a running
 * pipetest. No file can be made in a removed directory, although it stays the current one. */
static bool has_its_name(void)
{
	struct stat here, named;

	return look(".", &here) && look(private_dir, &named) && same_inode(&here, &named);
}

static void make_another(void)
{
	char parent[PATH_MAX];

	t_info("someone removed '%s' or gave it another name", private_dir);
	strcpy(parent, private_dir);
	*strrchr(parent, '/') = '\0';
	/* Without a directory, the cases that need one are skipped. */
	pipetest.dir = !make_in(parent);
}

bool pipetest_directory_empty(void)
{
	if (!pipetest.dir)
		return true;
	empty_or_leave();
	if (has_its_name())
		return true;
	make_another();
	return false;
}
