/*
 * board.h - the board file, version 1: what mmapw and mmapr share
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdatomic.h>
#include <sys/syscall.h>
#include "libbb.h"

/* The macro is 1, "sometimes", on ARMv5. There libgcc calls helpers that the kernel maps into
 * each process (kernel_user_helpers.rst); they are lock-free too. A lock would need libatomic,
 * which is not linked. */
_Static_assert(ATOMIC_INT_LOCK_FREE != 0, "32-bit atomics must be lock-free");
_Static_assert(sizeof(_Atomic uint32_t) == 4, "no lock beside the word");
_Static_assert(sizeof(off_t) == 8, "off_t must have 64 bits");

/* Newer 32-bit machines have only the futex call with 64-bit times. 64-bit machines have only the
 * other call. */
#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif
#ifndef SYS_futex_time64
#define SYS_futex_time64 SYS_futex
#endif

enum {
	FUTEX_OP_WAIT = 0, /* linux/futex.h; not private: writer and reader are two processes */
	FUTEX_OP_WAKE = 1,
	OFD_GETLK = 36, /* asm-generic/fcntl.h, since Linux 3.15; the same on every machine */
	OFD_SETLK = 37,
	OFD_SETLKW = 38,
	LITTLE = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	BOARD_MAJOR = 1,
	BOARD_BOM = 0x01020304,
	BOARD_ALIGN = 64,             /* header_size and slot_stride are multiples of it */
	BOARD_HEADER_MAX = 1 << 16,   /* a damaged header cannot ask for more memory */
	BOARD_RECORD_MAX = 1 << 24,
	BOARD_SLOTS_MAX = 1 << 16,
	BOARD_RAW_SIZE = 28,          /* the size of the tutorial's bare record */
	BOARD_READY = 1,
	BOARD_CLOSED = 2,             /* the writer has closed the board in order */
};

/* The tutorial's struct { int id; char name[20]; char sex; }, as C lays it out. */
#define BOARD_SCHEMA "id:i32,name:str20,sex:char"
#define BOARD_MAGIC "\211IPBB\r\n\032"

struct board_header {
	char magic[8];
	uint32_t bom;
	uint16_t major, minor;
	uint32_t header_size, flags, nslots, slot_stride, record_size, schema_len;
	uint32_t schema_crc, header_crc;
	unsigned char boot_id[16];
	/* These words change while other processes read them. They are atomic and are read only in
	 * the mapping. */
	uint32_t seq, state, writer_pid, writer_generation, writer_start[2], reserved[10];
};
_Static_assert(sizeof(struct board_header) == 128, "no padding");
_Static_assert(offsetof(struct board_header, seq) == 64, "seq has a cache line of its own");

/* This is the index of a header's word in the mapping. */
#define BOARD_WORD(member) (offsetof(struct board_header, member) / 4)

struct board_slot {
	uint32_t n, crc; /* n is the low half of publications; crc is that of record */
	uint64_t publications, boottime_ns, realtime_ns;
	unsigned char record[];
};
_Static_assert(sizeof(struct board_slot) == 32, "no padding");

/* A field is one "name:type[@offset]" of a schema. kind is the first letter of integer, unsigned,
 * float, bool or char; 's' stands for strN and 'x' for binN. size is that of one element, in
 * bytes. */
struct field {
	const char *name, *type;
	uint32_t offset, size, count;
	char kind, is_array;
};

/* record_size is what C would make of the fields. end is where the last one ends. offsets counts
 * those that were given. */
struct schema {
	struct field *fields;
	uint32_t count, record_size, end, offsets;
};

/* Returns NULL, or what is wrong. The text is cut into pieces and must stay as long as the
 * schema. Given offsets must ascend. An offset that is not given is aligned to the element's
 * size. */
const char *board_schema_parse(struct schema *s, char *text);
const struct field *board_schema_find(const struct schema *s, const char *name, size_t len);
/* Returns the names of the fields, "a, b, c", for a message. */
const char *board_field_list(const struct schema *s);

/* Returns true for digits [. digits] [e [sign] digits], with at least one digit before the e. */
int board_is_decimal(const char *s);
/* Turns a decimal number, inf or nan into the bits of the nearest IEEE 754 float of size bytes
 * (4 or 8). Returns NULL, or why it cannot. */
const char *board_parse_decimal(const char *s, unsigned size, uint64_t *bits);
/* Writes the bits as text, with as few digits as board_parse_decimal needs to give them back. */
void board_format_decimal(char text[32], unsigned size, uint64_t bits);

struct board {
	const char *path;
	int fd, swap, raw;
	int other_boot;           /* the file was made before the last boot */
	struct board_header head; /* as it was when the file was opened, in this machine's order */
	struct schema schema;
	char *text;               /* the schema, as it stands in the file */
	_Atomic uint32_t *map;    /* NULL: no file is mapped */
	size_t len;
	struct stat st;
	struct board_slot *slot;  /* the copy that board_latest and board_copy make */
};

/* --- board.c: the file ---------------------------------------------------------------- */

/* Fills b->st from b->fd. Ends the program if b->fd is no regular file. */
void board_stat(struct board *b);
/* Opens what the path means, for O_RDONLY or O_RDWR. Returns -1 if that fails. Ends the program if
 * a stranger's link is on the way, or if a stranger's file would be opened for writing. */
int board_open_path(const char *path, int mode);
/* Checks the whole file b->fd and maps it. If the file is damaged, or is truncated later, the
 * program ends with EXIT_INTEGRITY. */
void board_map(struct board *b, int prot);
void board_unmap(struct board *b);
/* Ends the program because the board is damaged. If the mapped file was truncated, the message
 * says that instead of why. */
void board_damaged(const struct board *b, const char *why) NORETURN;
/* Ends the program if the mapped file was truncated. */
void board_check_length(const struct board *b);
/* Ends the program because this file system lacks what a board needs. */
void board_unsupported(const char *path) NORETURN;
/* Returns true if errno is one that a file system gives for what it lacks, shared mappings or
 * locks. ENOLCK is that of NFS (fcntl_locking(2)). */
int board_is_unsupported(void);
/* Returns the target of path if path is a symbolic link to nothing, else NULL. */
const char *board_dangling(const char *path);
/* Returns true if the name still leads to the file that is open, by device and inode. A writer
 * may ask so; a reader on overlayfs needs board_look_again. */
int board_has_name(const struct board *b);
/* Opens the name again. Returns whether it leads to the file that is mapped, to nothing, or to
 * another file. */
enum board_place { BOARD_SAME, BOARD_GONE, BOARD_OTHER };
enum board_place board_look_again(const struct board *b);

/* --- latch.c: read what is published -------------------------------------------------- */

/* Returns the number of the latest publication, as the header says it, or 0 if there is none. */
uint32_t board_seq(const struct board *b);
/* Returns a word of the mapping, in this machine's byte order. */
uint32_t board_word(const struct board *b, size_t index);
/* Copies publication n to b->slot. Returns false if it was overwritten. Ends the program if it is
 * damaged. A slot that was never used has 0 publications. */
int board_copy(struct board *b, uint32_t n);
/* Copies publication n to b->slot. Returns false if it is not there, or not whole. */
int board_copy_whole(struct board *b, uint32_t n);
/* Copies the latest publication to b->slot. Returns false if there is none. Ends the program if
 * it is damaged. */
int board_latest(struct board *b);
/* Returns the index, in the mapping, of the first word of publication n's slot. */
size_t board_slot_word(const struct board *b, uint32_t n);

/* Prints the element at p of field f into text: digits, hexadecimal digits, or the bytes up to a
 * NUL. */
void board_element_text(const struct board *b, const struct field *f, const void *p, char *text);

/* --- lock.c: the writer's lock -------------------------------------------------------- */

/* Takes the lock, and with wait waits for it until a signal comes. Returns -1, or the call that
 * took the lock: 0 is F_OFD_SETLK, 1 F_SETLK, 2 flock(2). */
int board_lock(int fd, int wait);
/* Tells which call stands in for the one of new kernels, as board_lock returned it. */
void board_tell_lock(int call);
/* Returns true if a writer holds the lock. Asking takes no lock. Locks of a mere reader do not
 * count. */
int board_has_writer(int fd);

/* --- process.c: this boot, and the processes of it ------------------------------------ */

/* Returns this boot's identity, or zeros if it is unknown. */
void board_boot_id(unsigned char id[16]);
/* Fills at most size bytes from hexadecimal digits, and skips other characters. Returns how
 * many digits it took. */
size_t board_hex_bytes(unsigned char *to, size_t size, const char *text);
/* Returns the start of this process in clock ticks since boot, or 0 if it is unknown. */
uint64_t board_own_start(void);
/* Returns the start that the writer wrote into the board, or 0 if it is unknown. */
uint64_t board_writer_start(const struct board *b);
/* Returns the writer's name if the process with its pid is really the writer, else NULL. */
const char *board_writer_name(const struct board *b, char name[32]);
/* Returns the time now, in nanoseconds. */
uint64_t board_now(clockid_t clock);
/* Unblocks a signal that must come, because a process inherits the signals that its parent has
 * blocked. */
void board_unblock(int sig);
/* SIGUSR1 asks for a status line. After board_catch_usr1 the signal makes the next
 * board_status_asked true, and does nothing else. flags are those of sigaction(2). */
void board_catch_usr1(int flags);
int board_status_asked(void);

#endif
