/*
 * appletlib.c - the box: which applet, its help, its links
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/auxv.h>
#include "libbb.h"

static const struct applet {
	const char *name;
	int (*main)(char **argv);
	unsigned help;
} applets[] = {
#define APPLET(name) { #name, name##_main, TEXT_##name },
#include "applets.h"
#undef APPLET
	{ 0 },
};

static const struct applet *find_applet(const char *name)
{
	const struct applet *a = applets;

	while (a->name && strcmp(a->name, name))
		a++;
	return a->name ? a : NULL;
}

static const struct applet *xfind_applet(const char *name)
{
	const struct applet *a = find_applet(name);

	if (a)
		return a;
	bb_error_msg("no applet '%s': ipcbox --list prints the names", name);
	exit(EXIT_NO_APPLET);
}

void bb_show_help(void)
{
	const struct applet *a = find_applet(applet_name);

	xprintf("%s", bb_text(a ? a->help : TEXT_box));
	xfflush_stdout();
	exit(EXIT_SUCCESS);
}

/* The applet's name is the last part of the path. A login shell is called with a '-' before its
 * name. */
static const char *applet_in_path(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash)
		path = slash + 1;
	return path + (*path == '-');
}

struct box {
	char path[PATH_MAX];
	struct stat st;
};

/* The file of this program may have been deleted or replaced while the program runs. The link is
 * opened and asked by fstat(2), because qemu's user mode answers stat(2) of the link with the file
 * of qemu. */
static void find_box(struct box *box)
{
	int fd = xopen("/proc/self/exe", O_PATH);
	ssize_t len = readlink("/proc/self/exe", box->path, sizeof(box->path) - 1);
	struct stat self;

	if (len < 0 || fstat(fd, &self) < 0)
		bb_perror_msg_and_die("can't read '/proc/self/exe'");
	close(fd);
	box->path[len] = '\0';
	if (stat(box->path, &box->st) < 0 || !same_inode(&box->st, &self))
		bb_error_msg_and_die("can't link to '%s': it is gone", box->path);
}

/* A stranger's link on the way would lead to a directory of his choice. */
static void change_to(const char *dir)
{
	struct bb_walk walk = { .path = dir };
	int fd = bb_find(&walk, dir);

	/* Without O_PATH, the links are not looked at. */
	if (fd < 0 ? walk.works || chdir(dir) < 0 : fchdir(fd) < 0)
		bb_perror_msg_and_die("can't open '%s'", dir);
	close(fd);
}

/* The current directory is dir. A link in place of the box itself would destroy the box. A link is
 * made under a temporary name and then renamed, so that the name always leads to a program. */
static void make_link(const struct box *box, const char *dir, const char *name, int symbolic)
{
	char *temp = xasprintf(".%s.new", name);
	struct stat there;
	int failed;

	if (lstat(name, &there) == 0 && same_inode(&there, &box->st))
		return;
	(void)unlink(temp); /* An earlier run that was killed may have left this name. */
	if ((symbolic ? symlink(box->path, temp) : link(box->path, temp)) < 0)
		bb_perror_msg_and_die("can't make a link to '%s' in '%s'", box->path, dir);
	failed = rename(temp, name);
	(void)unlink(temp); /* The temporary link is left if rename(2) failed. */
	if (failed)
		bb_perror_msg_and_die("can't rename '%s/%s' to '%s/%s'", dir, temp, dir, name);
}

/* argv is what follows --install: [-s] DIR. */
static int install_links(char **argv)
{
	struct box box;
	int symbolic = *argv && strcmp(*argv, "-s") == 0;
	const char *dir = argv[symbolic];

	if (!dir || argv[symbolic + 1])
		bb_show_usage("--install takes [-s] and one directory");
	find_box(&box);
	change_to(dir);
	for (const struct applet *a = applets; a->name; a++)
		make_link(&box, dir, a->name, symbolic);
	return EXIT_SUCCESS;
}

static int run_applet(const struct applet *a, char **argv)
{
	applet_name = a->name;
	return a->main(argv);
}

/* The box was called under its own name, so the first operand says what to do. */
static int box_main(char **argv)
{
	const char *word = argv[1];

	if (!word)
		bb_show_help();
	if (word[0] != '-')
		return run_applet(xfind_applet(applet_in_path(word)), argv + 1);
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		if (argv[2])
			applet_name = xfind_applet(applet_in_path(argv[2]))->name;
		bb_show_help();
	}
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		xprintf("ipcbox %s\n", VERSION);
	else if (strcmp(word, "--list") == 0)
		for (const struct applet *a = applets; a->name; a++)
			xprintf("%s\n", a->name);
	else if (strcmp(word, "--install") == 0)
		return install_links(argv + 2);
	else
		bb_show_usage("unknown option '%s'", word);
	return EXIT_SUCCESS;
}

/* If descriptor 0, 1 or 2 is closed, a file that an applet opens would get its number. A descriptor
 * with O_PATH fails with EBADF when it is read or written, as a closed descriptor does, and it
 * needs no /dev. */
static void fill_standard_fds(void)
{
	int fd;

	do
		fd = open("/", O_PATH);
	while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
}

int bb_sigpipe_was_ignored, bb_sigxfsz_was_ignored;
sigset_t bb_inherited_mask;

/* exec(2) keeps the signals that a parent has blocked, and an ignored SIGCHLD. The applets wait for
 * SIGALRM, for SIGBUS and for their children. */
static void set_up_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, &bb_inherited_mask);
	signal(SIGCHLD, SIG_DFL);
	bb_sigpipe_was_ignored = signal(SIGPIPE, SIG_IGN) == SIG_IGN;
	bb_sigxfsz_was_ignored = signal(SIGXFSZ, SIG_IGN) == SIG_IGN;
}

/* If the file has the set-user-ID bit or capabilities, each applet would open, overwrite and run
 * what its caller may not (getauxval(3), AT_SECURE). */
static void refuse_privileges(void)
{
	if (getauxval(AT_SECURE))
		bb_error_msg_and_die("refused: the file is set-user-ID or set-group-ID, "
				     "or has capabilities");
}

int main(int argc, char **argv)
{
	/* Before Linux 5.18, execve(2) with an empty argv gave an argc of 0, and behind the NULL of
	 * argv stood the first word of the environment. */
	char box[] = "ipcbox", *nameless[] = { box, NULL };
	const char *name;
	int status;

	fill_standard_fds();
	refuse_privileges();
	if (is_init())
		argv = run_as_init();
	if (argc < 1)
		argv = nameless;
	name = applet_in_path(argv[0]);
	set_up_signals();
	if (strncmp(name, "ipcbox", strlen("ipcbox")) == 0)
		status = box_main(argv);
	else
		status = run_applet(xfind_applet(name), argv);
	xfflush_stdout();
	return status;
}
