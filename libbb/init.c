/*
 * init.c - the box as the first process of a kernel: mounts, runs, powers off
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <termios.h>
#include "libbb.h"

/* An initramfs needs only the box, as /init or with rdinit=/ipcbox. The kernel's command line says
 * what to run, in words without spaces, because not every boot loader understands quotes:
 * ipcbox.run=pipetest,-q;pipecap */
enum { MAX_LINE = 4096, CONSOLE_LEVEL = 8 /* syslog(2), SYSLOG_ACTION_CONSOLE_LEVEL */ };

/* The first process of a container also has process ID 1, but the container has mounted /proc. The
 * kernel starts its first process with nothing mounted. */
int is_init(void)
{
	return getpid() == 1 && access("/proc/self", F_OK) < 0;
}

/* Errors are ignored here because pipetest reports what could not be mounted. */
static void mount_all(void)
{
	static const char list[][2][9] = {
		{ "devtmpfs", "/dev" },
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "tmpfs", "/tmp" },
	};

	umask(0);
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		const char *type = list[i][0], *dir = list[i][1];

		(void)mkdir(dir, *type == 't' ? 01777 : 0755);
		(void)mount(type, dir, type, 0, NULL);
	}
	umask(022);
}

/* Returns the value of the last ipcbox.run= in the kernel's command line, or "pipetest". */
static char *commands(char *line, size_t size)
{
	static const char name[] = "ipcbox.run=";
	static char usual[] = "pipetest";
	char *found = usual;
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t len = full_read(fd, line, size - 1);

	line[len < 0 ? 0 : len] = '\0';
	close(fd);
	for (char *word; (word = strsep(&line, " \n"));)
		if (strncmp(word, name, strlen(name)) == 0)
			found = word + strlen(name);
	return found;
}

/* Waits until pid has ended. Meanwhile it reaps the orphans that PID 1 inherits. */
static int wait_for_command(pid_t pid)
{
	int status;
	pid_t ended;

	do
		ended = wait(&status);
	while (ended != pid && (ended > 0 || errno == EINTR));
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void power_off(int rc) NORETURN;
static void power_off(int rc)
{
	xprintf("# ipcbox end rc=%d\n", rc);
	xfflush_stdout();
	tcdrain(STDOUT_FILENO); /* A serial line may still be sending when the power goes off. */
	sync();
	reboot(RB_POWER_OFF);
	exit(rc); /* reboot(2) is refused in a container. */
}

/* Runs each command in a child. This function returns only in the children, with the words of the
 * command. */
char **run_as_init(void)
{
	static char line[MAX_LINE], *words[MAX_LINE];
	char *rest, *command, *term = getenv("TERM");
	int rc = EXIT_SUCCESS;

	if (term)
		*term = '\0'; /* The kernel sets "linux", but the console often goes to a log. */
	mount_all();
	klogctl(CONSOLE_LEVEL, NULL, 1);
	rest = commands(line, sizeof(line));
	while ((command = strsep(&rest, ";"))) {
		pid_t pid;
		int status;

		if (!*command)
			continue;
		pid = xfork();
		if (pid == 0) {
			words[0] = (char *)applet_name;
			for (int i = 1; (words[i] = strsep(&command, ",")); i++)
				;
			return words;
		}
		status = wait_for_command(pid);
		if (rc == EXIT_SUCCESS)
			rc = status;
	}
	power_off(rc);
}
