/*
 * directory.c - the private directory in which the cases make their files
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <dirent.h>
#include <sys/statfs.h>
#include "engine.h"

/* The engine makes one directory, changes to it, and empties it after each case. Where the kernel
 * cannot list a directory, each case gets a new subdirectory. The engine then removes the names
 * that the helpers noted and all of usual_names, which the cases make themselves. In this list
 * the content of a directory precedes the directory. */
static const char *const usual_names[] = {
	"d/1", "d/2", "d/3", "d/directory", "d/f", "d/file", "d/g", "d/process", "d/r", "d/w", "1",
	"2", "a", "b", "d", "dangling", "f", "g", "h", "link", "lower", "object", "ramfs", "tmpfs",
	"upper", "work",
};

static char private_dir[PATH_MAX];
static bool listed;	/* the kernel can list the directory */
static unsigned number;	/* numbers the subdirectories if the kernel cannot */

const char *directory_name(void)
{
	return private_dir;
}

/* The kernel may lack unlink(2), rmdir(2) or unlinkat(2). */
static int unlink_or_rmdir(const char *path, int flags)
{
	int failed = flags ? rmdir(path) : unlink(path);

	return failed ? unlinkat(AT_FDCWD, path, flags) : 0;
}

/* A child inherits this exit handler and must not remove the directory. */
void __attribute__((destructor)) directory_remove(void)
{
	if (!private_dir[0] || engine.is_child)
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

/* opendir(3) fails without O_DIRECTORY, and fdopendir(3) fails without fcntl(2). */
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

static bool can_list(void)
{
	DIR *dir = open_dir(".");
	bool can = dir && readdir(dir);

	if (dir)
		closedir(dir);
	return can;
}

/* The engine changes to the directory, so a relative name would lead nowhere later. */
static bool make_in(const char *parent)
{
	char here[PATH_MAX] = "";

	if (!parent || !*parent) {
		errno = ENOENT;
		return false;
	}
	if (*parent != '/' && !getcwd(here, sizeof(here)))
		return false;
	if (strlen(here) + strlen(parent) + sizeof("//pipetest.XXXXXX") > sizeof(private_dir)) {
		errno = ENAMETOOLONG;
		return false;
	}
	strcpy(private_dir, here);
	if (*here)
		strcat(private_dir, "/");
	strcat(strcat(private_dir, parent), "/pipetest.XXXXXX");
	if (!mkdtemp(private_dir)) {
		private_dir[0] = '\0';
		return false;
	}
	if (has_room(private_dir) && chdir(private_dir) == 0) {
		listed = can_list();
		return true;
	}
	directory_remove();
	errno = ENOSPC;
	return false;
}

bool directory_make(const char *wish)
{
	const char *const parents[] = { getenv("TMPDIR"), "/tmp", "/run", "/dev/shm", ".", "/" };

	if (wish) {
		if (!make_in(wish))
			bb_perror_msg_and_die("can't make a directory in '%s'", wish);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(parents); i++)
		if (make_in(parents[i]))
			return true;
	return false;
}

static void empty(const char *path)
{
	DIR *dir = open_dir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *name;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		name = xasprintf("%s/%s", path, entry->d_name);
		if (unlink_or_rmdir(name, 0) < 0) {
			(void)chmod(name, 0700); /* a case may have changed the mode */
			empty(name);
			/* If a name stays, directory_remove() reports the error. */
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

void directory_fresh(void)
{
	if (!t.dir || listed)
		return;
	number++;
	if (mkdir(case_directory(), 0700) < 0 || chdir(case_directory()) < 0)
		t.dir = false;
}

void directory_note(const char *name)
{
	struct shared *s = engine.shared;
	uint32_t slot = atomic_fetch_add(&s->names, 1);

	if (slot < MAX_NAMES)
		scnprintf(s->name[slot], sizeof(s->name[slot]), "%s", name);
}

void directory_empty(void)
{
	if (!t.dir)
		return;
	if (listed) {
		empty(".");
		return;
	}
	for (uint32_t i = 0; i < engine.shared->names && i < MAX_NAMES; i++)
		(void)unlink_or_rmdir(engine.shared->name[i], 0);
	for (size_t i = 0; i < ARRAY_SIZE(usual_names); i++)
		if (unlink_or_rmdir(usual_names[i], 0) < 0)
			(void)unlink_or_rmdir(usual_names[i], AT_REMOVEDIR);
	if (chdir("..") < 0)
		t.dir = false;
	else
		(void)unlink_or_rmdir(case_directory(), AT_REMOVEDIR);
}
