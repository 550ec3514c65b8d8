/*
 * emit.c - a C header that reads and writes boards of one schema
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "mmapr.h"

/* Atomic builtins, not stdatomic.h: C++ knows them too. */
static const char header_text[] =
"struct board {\n"
"	int fd;\n"
"	uint32_t *map, head, slots, stride; /* in words */\n"
"};\n"
"enum { BOARD_WORDS = 8 + (sizeof(struct board_record) + 3) / 4 };\n"
"static inline uint32_t board_crc(const void *p, size_t len)\n"
"{\n"
"	uint32_t crc = ~0U;\n"
"	for (size_t i = 0; i < 8 * len; i++) {\n"
"		crc ^= i % 8 ? 0 : ((const unsigned char *)p)[i / 8];\n"
"		crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);\n"
"	}\n"
"	return ~crc;\n"
"}\n"
"static inline uint32_t board_seq(const struct board *b) /* publications so far */\n"
"{ return __atomic_load_n(b->map + 16, __ATOMIC_ACQUIRE); }\n"
"static inline void board_wait(const struct board *b, uint32_t seq) /* for the next */\n"
"{ syscall(SYS_futex, b->map + 16, 0, seq, NULL, NULL, 0); }\n"
"static inline uint32_t *board_slot(const struct board *b, uint32_t n)\n"
"{ return b->map + b->head + (size_t)(n & (b->slots - 1)) * b->stride; }\n"
"/* 0, or -1: no board of this schema; for a writer also: another one lives. */\n"
"static inline int board_open(struct board *b, const char *path, int writer)\n"
"{\n"
"	struct flock lock;\n"
"	struct stat st;\n"
"	uint32_t h[32], major = 1 << 16 | 1, text = sizeof(BOARD_SCHEMA) - 1;\n"
"	b->fd = open(path, (writer ? O_RDWR : O_RDONLY) | O_CLOEXEC);\n"
"	memset(&lock, 0, sizeof(lock));\n"
"	lock.l_type = F_WRLCK;\n"
"	if (fstat(b->fd, &st) || pread(b->fd, h, 128, 0) != 128\n"
"	    || memcmp(h, \"\\211IPBB\\r\\n\\032\", 8) || h[2] != 0x01020304\n"
"	    || memcmp(h + 3, &major, 2) || h[4] % 64 || h[4] < 128 + text\n"
"	    || h[6] < 2 || h[6] & (h[6] - 1) || h[7] % 64 || h[7] < 4 * BOARD_WORDS\n"
"	    || (uint64_t)h[4] + (uint64_t)h[6] * h[7] > (uint64_t)st.st_size\n"
"	    || h[8] != sizeof(struct board_record) || h[10] != board_crc(BOARD_SCHEMA, text)\n"
"	    || (writer && fcntl(b->fd, 37 /* F_OFD_SETLK */, &lock)))\n"
"		return close(b->fd), -1;\n"
"	b->map = (uint32_t *)mmap(NULL, st.st_size, writer ? PROT_READ | PROT_WRITE : PROT_READ,\n"
"		MAP_SHARED, b->fd, 0);\n"
"	if (b->map == (uint32_t *)MAP_FAILED)\n"
"		return close(b->fd), -1;\n"
"	uint32_t own[] = { 1, (uint32_t)getpid(), h[19] + 1, 0, 0 }; /* ready, pid, generation */\n"
"	if (writer)\n"
"		memcpy(b->map + 17, own, sizeof(own));\n"
"	b->head = h[4] / 4, b->slots = h[6], b->stride = h[7] / 4;\n"
"	return 0;\n"
"}\n"
"/* 1: *r is the latest record; 0: nothing is published; -1: damaged, or no rest to read it. */\n"
"static inline int board_read(const struct board *b, struct board_record *r)\n"
"{\n"
"	for (int tries = 0; tries < 1000; tries++) {\n"
"		uint32_t copy[BOARD_WORDS], n = board_seq(b);\n"
"		for (uint32_t i = 0; i < BOARD_WORDS; i++)\n"
"			copy[i] = __atomic_load_n(board_slot(b, n) + i, __ATOMIC_RELAXED);\n"
"		__atomic_thread_fence(__ATOMIC_ACQUIRE);\n"
"		if (board_seq(b) - n >= b->slots - 1)\n"
"			continue;\n"
"		memcpy(r, copy + 8, sizeof(*r));\n"
"		if (!copy[2] && !copy[3])\n"
"			return 0;\n"
"		return copy[0] == n && copy[1] == board_crc(r, sizeof(*r)) ? 1 : -1;\n"
"	}\n"
"	return -1;\n"
"}\n"
"static inline void board_write(const struct board *b, const struct board_record *r)\n"
"{\n"
"	uint32_t n = board_seq(b) + 1, copy[BOARD_WORDS] = { n, board_crc(r, sizeof(*r)) };\n"
"	struct timespec boot, real;\n"
"	uint64_t head[3];\n"
"	clock_gettime(CLOCK_BOOTTIME, &boot), clock_gettime(CLOCK_REALTIME, &real);\n"
"	memcpy(head, board_slot(b, n - 1) + 2, 8);\n"
"	head[0]++;\n"
"	head[1] = (uint64_t)boot.tv_sec * 1000000000 + (uint64_t)boot.tv_nsec;\n"
"	head[2] = (uint64_t)real.tv_sec * 1000000000 + (uint64_t)real.tv_nsec;\n"
"	memcpy(copy + 2, head, sizeof(head));\n"
"	memcpy(copy + 8, r, sizeof(*r));\n"
"	__atomic_thread_fence(__ATOMIC_RELEASE); /* the former seq comes before these stores */\n"
"	for (uint32_t i = 0; i < BOARD_WORDS; i++)\n"
"		__atomic_store_n(board_slot(b, n) + i, copy[i], __ATOMIC_RELAXED);\n"
"	__atomic_store_n(b->map + 16, n, __ATOMIC_RELEASE);\n"
"	syscall(SYS_futex, b->map + 16, 1, 0x7FFFFFFF, NULL, NULL, 0);\n"
"}\n"
"#endif\n";

static const char *c_type(const struct field *f)
{
	static const struct {
		char kind, size, name[14];
	} types[] = {
		{ 'i', 1, "int8_t" },
		{ 'i', 2, "int16_t" },
		{ 'i', 4, "int32_t" },
		{ 'i', 8, "int64_t" },
		{ 'u', 1, "uint8_t" },
		{ 'u', 2, "uint16_t" },
		{ 'u', 4, "uint32_t" },
		{ 'u', 8, "uint64_t" },
		{ 'f', 4, "float" },
		{ 'f', 8, "double" },
		{ 'b', 1, "uint8_t" },
		{ 'x', 0, "unsigned char" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].kind == f->kind && (types[i].size == (char)f->size || !types[i].size))
			return types[i].name;
	return "char";
}

/* Keywords of C23 and C++23, types and macros that come with the headers or with gcc. */
static const char words[] =
	"alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t"
	" char32_t char8_t class co_await co_return co_yield compl concept const const_cast"
	" consteval constexpr constinit continue decltype default delete do double dynamic_cast"
	" else enum errno explicit export extern false float for friend goto i386 if inline int"
	" int16_t int32_t int64_t int8_t linux long mips mutable namespace new noexcept not not_eq"
	" nullptr operator or or_eq private protected public register reinterpret_cast requires"
	" restrict return short signed sizeof st_atime st_ctime st_mtime static static_assert"
	" static_cast struct switch template this thread_local throw true try typedef typeid"
	" typename typeof typeof_unqual uint16_t uint32_t uint64_t uint8_t union unix unsigned"
	" using virtual void volatile wchar_t while xor xor_eq ";

/* Also macros as the headers have them, without any lower-case letter, and what is the
 * compiler's. Underscores at the end do not count: int and int_ become int_ and int__, so
 * that no two fields become the same. */
static int is_reserved(const char *name)
{
	size_t len = strlen(name);

	while (len > 1 && name[len - 1] == '_')
		len--;
	for (const char *w = words; *w; w += strcspn(w, " ") + 1)
		if (strncmp(w, name, len) == 0 && w[len] == ' ')
			return 1;
	return *name == '_' || !strpbrk(name, "abcdefghijklmnopqrstuvwxyz");
}

static uint32_t emit_gap(uint32_t from, uint32_t to)
{
	if (from < to)
		xprintf("	char _pad%u[%u];\n", (unsigned)from, (unsigned)(to - from));
	return to;
}

/* Every gap is said, so that all compilers agree where fields are. */
void emit_c(const struct board *b)
{
	uint32_t at = 0;
	int packed = 0;

	xprintf("/* A board of one schema: made by mmapr --emit-c, free to use.  Link nothing. */\n"
		"#ifndef BOARD_SCHEMA\n#define BOARD_SCHEMA \"%s\"\n",
		b->text ? b->text : BOARD_SCHEMA);
	for (const char *const *h = (const char *const []){ "fcntl.h", "stdint.h", "string.h",
		"time.h", "unistd.h", "sys/mman.h", "sys/stat.h", "sys/syscall.h", NULL }; *h; h++)
		xprintf("#include <%s>\n", *h);
	xprintf("struct board_record {\n");
	for (uint32_t i = 0; i < b->schema.count; i++) {
		const struct field *f = &b->schema.fields[i];
		int reserved = is_reserved(f->name);

		at = emit_gap(at, f->offset) + f->size * f->count;
		xprintf("	%s %s%s", c_type(f), f->name, reserved ? "_" : "");
		if (f->is_array)
			xprintf("[%u]", (unsigned)f->count);
		if (strchr("sx", f->kind))
			xprintf("[%u]", (unsigned)f->size);
		else
			packed |= f->offset % f->size != 0;
		xprintf(";");
		if (reserved)
			xprintf(" /* %s */", f->name);
		xprintf("\n");
	}
	emit_gap(at, b->head.record_size);
	xprintf("}%s;\n%s", packed ? " __attribute__((packed))" : "", header_text);
}
