/*
 * fuzz.c - give the inputs of libFuzzer to the parsers of ipcbox; fuzz.t builds and runs it
 *
 * The first byte of an input chooses the parser, unless FUZZ_PARSER has its number. The second byte
 * is a variant; the rest is the input. FUZZ_BOARD is a whole board of the tutorial's schema, and
 * emitted.h is what mmapr --emit-c=emitted prints of it.
 * The other files are compiled with -Dexit=fuzz_exit and the like: a call of exit(3) comes back
 * here, and the memory that a parser allocated is freed after each input.
 */
#include <setjmp.h>
#include <stdlib.h>

void fuzz_exit(int status) __attribute__((noreturn));
void *fuzz_malloc(size_t size);
void *fuzz_realloc(void *old, size_t size);
void fuzz_free(void *p);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { MAX_BLOCKS = 1 << 14 };
static jmp_buf back;
static void *blocks[MAX_BLOCKS];
static unsigned n_blocks;

void fuzz_exit(int status)
{
	longjmp(back, status + 1);
}

void *fuzz_realloc(void *old, size_t size)
{
	unsigned i = 0;

	while (i < n_blocks && (!old || blocks[i] != old))
		i++;
	if (i == MAX_BLOCKS || size > 1 << 26)
		return NULL;
	n_blocks += i == n_blocks;
	return blocks[i] = realloc(old, size);
}

void *fuzz_malloc(size_t size)
{
	return fuzz_realloc(NULL, size);
}

void fuzz_free(void *p)
{
	(void)p; /* LLVMFuzzerTestOneInput() frees all blocks at its end */
}

#define exit fuzz_exit
#define _exit fuzz_exit
#define malloc fuzz_malloc
#define realloc fuzz_realloc
#define free fuzz_free
#include "../../applets/board/mmapr.h"
#include "../../applets/board/mmapw.h"
#include "../../applets/board/remake.c"
#include "../../applets/fifo/fifor.c"
#include "emitted.h"
#undef free

static struct board board;

/* Sets the right CRCs, for the reader refuses a board with wrong ones before it looks at more. */
static void seal(unsigned char *data, size_t len)
{
	struct board_header *h = (struct board_header *)data;

	if (len < sizeof(*h))
		return;
	memcpy(h->magic, BOARD_MAGIC, sizeof(h->magic));
	if (h->schema_len <= len - sizeof(*h))
		h->schema_crc = crc32(0, h + 1, h->schema_len);
	h->header_crc = 0;
	h->header_crc = crc32(0, h, offsetof(struct board_header, seq));
	for (uint64_t i = 0, at = h->header_size; i < h->nslots; i++, at += h->slot_stride) {
		uint32_t crc;

		if (i > 8 || at + sizeof(struct board_slot) + h->record_size > len)
			return;
		crc = crc32(0, data + at + sizeof(struct board_slot), h->record_size);
		memcpy(data + at + offsetof(struct board_slot, crc), &crc, sizeof(crc));
	}
}

/* Maps the input as a board; with seal_it its CRCs are right. */
static void map_board(char *data, size_t len, int seal_it)
{
	if (seal_it)
		seal((unsigned char *)data, len);
	board.path = "board";
	board.fd = memfd_create("board", MFD_CLOEXEC);
	if (full_write(board.fd, data, len) != (ssize_t)len)
		abort();
	board_map(&board, PROT_READ);
}

static void fuzz_board(char *data, size_t len, unsigned variant)
{
	struct output out = { .style = (variant >> 1) % 3, .prefix = "board_" };

	map_board(data, len, variant & 1);
	if (variant & 8)
		board.other_boot = 0;
	if (board_latest(&board))
		board_print(&board, &out);
	if (!board.raw)
		board_print_info(&board, out.style, variant & 16);
	if (!board.raw && board_copy(&board, variant))
		board_print(&board, &out);
}

/* Carries the record over to a schema with the same names and other types, as --replace does. */
static void fuzz_remake(char *data, size_t len, unsigned variant)
{
	static const char *const types[] = { "i8", "u16[3]", "i64", "f32", "f64[2]", "bool", "char",
		"str5", "str40[2]", "bin4", "u32" };
	char *text = NULL;
	struct schema s;

	map_board(data, len, 1);
	for (uint32_t i = 0; i < board.schema.count && i < 100; i++)
		text = xasprintf("%s%s%s:%s", text ? text : "", text ? "," : "",
			board.schema.fields[i].name, types[(i + variant) % ARRAY_SIZE(types)]);
	if (board_schema_parse(&s, text))
		abort();
	(void)carry_slot(&board, &s);
}

/* Reads with the emitted header a whole board in which the input has changed some bytes. */
static void fuzz_emitted(char *data, size_t len, unsigned variant)
{
	unsigned char bytes[1024];
	struct emitted_record r;
	struct emitted e;
	char path[40];
	int base = open(getenv("FUZZ_BOARD"), O_RDONLY | O_CLOEXEC);
	ssize_t size = full_read(base, bytes, sizeof(bytes));

	close(base);
	for (size_t i = 0; i + 2 < len && size > 0; i += 3)
		bytes[((unsigned char)data[i] << 8 | (unsigned char)data[i + 1]) % size] = data[i + 2];
	if (size > 0 && variant & 1)
		size = size * (variant >> 1) / 128;
	board.fd = memfd_create("board", MFD_CLOEXEC);
	if (size < 0 || full_write(board.fd, bytes, size) != size)
		abort();
	scnprintf(path, sizeof(path), "/proc/self/fd/%d", board.fd);
	if (emitted_open(&e, path, 0))
		return;
	(void)emitted_read(&e, &r);
	emitted_close(&e);
}

static void fuzz_schema(char *text, size_t len, unsigned variant)
{
	struct schema s;

	(void)len;
	if (!board_schema_parse(&s, text))
		(void)board_schema_text(&s);
	(void)variant;
}

/* Sets a record by words or by a line, and prints the record that was set. */
static void fuzz_line(char *text, size_t len, unsigned variant)
{
	char schema[] = "a:i8,b:i64[2],c:u64,d:f64,e:bool,f:f32[3],g:str6,h:str4[2],i:bin3,j:char[2]";
	char *words[] = { text, NULL };
	unsigned char *record;
	struct board b = { .fd = -1 };

	if (board_schema_parse(&b.schema, schema))
		abort();
	b.slot = memset(malloc(sizeof(*b.slot) + b.schema.record_size), 0,
		sizeof(*b.slot) + b.schema.record_size);
	record = b.slot->record;
	if ((variant & 1 ? board_set_words(&b.schema, record, words)
		: board_set_line(&b.schema, record, text, text + len)) == 0)
		board_print(&b, &(struct output){ .style = (variant >> 1) % 3, .prefix = "board_" });
}

static void fuzz_number(char *text, size_t len, unsigned variant)
{
	uint64_t bits, again;
	unsigned size = variant & 16 ? 8 : 4;
	char decimal[32];

	(void)len;
	if (!board_parse_decimal(text, size, &bits)) {
		board_format_decimal(decimal, size, bits);
		if (board_parse_decimal(decimal, size, &again) || bits != again)
			abort();
	}
	if (variant & 1)
		(void)xatosize("size", text, 0, UINTMAX_MAX);
	else if (xatodur("duration", text) < 0)
		abort();
}

/* Gives the input to the reader in two pieces, as plain bytes or the second piece as a packet. */
static void fuzz_frames(char *data, size_t len, unsigned variant)
{
	static char output[OUTPUT];
	struct reader r = { .f = { .fd = -1, .watch.fd = -1, .left = UINTMAX_MAX,
		.asked = { .frame = variant & 8 ? FRAME_AUTO : FRAME_LEN, .json = variant & 1 } },
		.out = { .buf = output, .chunk = 4096, .prefix = "read:", .end = '\n' },
		.atomic = 4096 };
	struct end end = { .fd = -1 }, *e = r.ends.named = &end;
	size_t half = len / 2;

	if (variant & 2) /* set the right CRCs, so that the reader looks at more of the input */
		for (size_t i = 0; i + sizeof(struct fifo_header) < len; i++) {
			struct fifo_header h;

			memcpy(&h, data + i, sizeof(h));
			if (memcmp(data + i, FIFO_MAGIC, 4) || le16toh(h.part) > len - i - sizeof(h))
				continue;
			h.zero = 0;
			h.crc = htole32(fifo_crc(&h, data + i + sizeof(h), le16toh(h.part)));
			memcpy(data + i, &h, sizeof(h));
		}
	fifor_frames_init(&r);
	(void)fifor_text_take(&r, e, &(struct run){ data, half, half });
	(void)fifor_text_take(&r, e,
		&(struct run){ data + half, len - half, variant & 16 ? 0 : len - half });
	if (variant & 4)
		fifor_text_settle(&r, e);
	fifor_frames_end(&r);
	if (r.frames.held || e->rest.len > len)
		abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static void (*const parsers[])(char *, size_t, unsigned) = {
		fuzz_board, fuzz_schema, fuzz_line, fuzz_number, fuzz_frames, fuzz_remake, fuzz_emitted,
	};
	const char *asked = getenv("FUZZ_PARSER");

	board = (struct board){ .fd = -1 };
	if (size >= 2 && !setjmp(back)) {
		char *text = malloc(size - 1);

		memcpy(text, data + 2, size - 2);
		text[size - 2] = '\0';
		parsers[asked ? atoi(asked) : data[0] % (int)ARRAY_SIZE(parsers)](text, size - 2, data[1]);
	}
	if (board.map)
		munmap(board.map, board.len);
	if (board.fd >= 0)
		close(board.fd);
	while (n_blocks)
		(free)(blocks[--n_blocks]);
	return 0;
}

/* These belong to appletlib.c, which has main() and is left out. */
int bb_sigpipe_was_ignored, bb_sigxfsz_was_ignored;
sigset_t bb_inherited_mask;

void bb_show_help(void)
{
	exit(0);
}
