/*
 * interfaces.c - cases of interfaces that POSIX demands and that a young kernel may lack
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

/* A case that needs a missing interface is skipped. This one fails, and names what is missing. */

static void present(void)
{
	want(t_missing_interfaces(), 0, "interfaces that are missing");
}

/* A file system such as vfat or 9p may lack FIFOs, but not all file systems of a machine may. */
static void mkfifo_somewhere(void)
{
	static const char dirs[][9] = { ".", "/tmp", "/dev/shm", "/run" };
	long made = -1;

	for (size_t i = 0; i < ARRAY_SIZE(dirs) && made < 0; i++) {
		char path[40];

		scnprintf(path, sizeof(path), "%s/ipcbox.fifo.%d", dirs[i], (int)getpid());
		made = call_value(mkfifo(path, 0600)); /* ret() would skip the case */
		if (made == 0)
			(void)unlink(path);
	}
	if (made < 0)
		t_fail("no directory takes a FIFO: %s", strerror((int)-made));
}

const struct test_case interfaces_cases[] = {
	CASE("api.present", "API-01", 'P', ANYWHERE, 0,
		"the interfaces that POSIX demands of every system are there",
		"POSIX, XBD 2.1.1: shall support all functions that are required for conformance",
		present),
	CASE("api.mkfifo", "API-02", 'P', NEEDS_DIR, 0,
		"mkfifo() makes a FIFO: here, in /tmp, /dev/shm or /run",
		"POSIX mkfifo: shall create a new FIFO special file", mkfifo_somewhere),
};
ALL_ROWS(interfaces);
