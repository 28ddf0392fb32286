#include "admin/qr.h"

#include <stdint.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <qrencode.h>

#define EDGE  4 /* light modules around it (ISO/IEC 18004 6.3.8) */
#define SCALE 8 /* pixels of a module; a multiple of 8, so that a module fills octets */

/* The library keeps no state of a text, but what it gave to free() it does not overwrite. */
enum outcome qr_make(struct span text, struct qr *out)
{
	QRcode *code;

	if (text.len == 0 || text.len > QR_MOST)
		return reason(EST_MALFORMED, "a QR code holds 1 to %d octets, and this has %zu",
		    QR_MOST, text.len);
	code = QRcode_encodeData((int)text.len, text.data, 0, QR_ECLEVEL_M);
	if (code == NULL)
		return reason(EST_INTERNAL, "cannot make a QR code of %zu octets", text.len);
	out->width = (size_t)code->width;
	out->dark = mem_alloc(out->width * out->width);
	for (size_t i = 0; i < out->width * out->width; i++)
		out->dark[i] = code->data[i] & 1;
	OPENSSL_cleanse(code->data, out->width * out->width);
	QRcode_free(code);
	return EST_OK;
}

void qr_clear(struct qr *qr)
{
	if (qr->dark != NULL)
		OPENSSL_cleanse(qr->dark, qr->width * qr->width);
	free(qr->dark);
	*qr = (struct qr){0};
}

/* Whether a module is dark; x and y count from the edge's corner, and all around is light. */
static bool is_dark(const struct qr *qr, size_t x, size_t y)
{
	if (x < EDGE || y < EDGE || x >= qr->width + EDGE || y >= qr->width + EDGE)
		return false;
	return qr->dark[(y - EDGE) * qr->width + x - EDGE] != 0;
}

/* --- for a terminal --- */

/* Two rows of modules in one line of text. */
static void add_line(const struct qr *qr, size_t y, struct buf *out)
{
	/* By the upper and the lower module being light: none, lower, upper, full block. */
	static const char *const blocks[] = {" ", "\u2584", "\u2580", "\u2588"};

	for (size_t x = 0; x < qr->width + 2 * EDGE; x++) {
		unsigned upper = !is_dark(qr, x, y), lower = !is_dark(qr, x, y + 1);
		buf_add_string(out, blocks[2 * upper + lower]);
	}
}

static void add_lines(const struct qr *qr, const char *before, const char *behind, struct buf *out)
{
	size_t width = qr->width + 2 * EDGE;

	/* A reallocation would leave a copy behind. */
	buf_reserve(out, (width + 1) / 2 * (3 * width + 32));
	for (size_t y = 0; y < width; y += 2) {
		buf_add_string(out, before);
		add_line(qr, y, out);
		buf_add_string(out, behind);
		buf_add_byte(out, '\n');
	}
}

void qr_blocks(const struct qr *qr, struct buf *out)
{
	add_lines(qr, "", "", out);
}

void qr_terminal(const struct qr *qr, struct buf *out)
{
	add_lines(qr, "\033[97;40m", "\033[0m", out);
}

/* --- SVG --- */

/* One path, a rectangle for each run of dark modules. */
void qr_svg(const struct qr *qr, struct buf *out)
{
	size_t width = qr->width + 2 * EDGE;

	buf_reserve(out, 512 + qr->width * qr->width * 16);
	buf_printf(out,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%zu\" "
	    "height=\"%zu\" viewBox=\"0 0 %zu %zu\" shape-rendering=\"crispEdges\">\n"
	    "<rect width=\"%zu\" height=\"%zu\" fill=\"#ffffff\"/>\n<path fill=\"#000000\" d=\"",
	    width * SCALE, width * SCALE, width, width, width, width);
	for (size_t y = EDGE; y < qr->width + EDGE; y++) {
		for (size_t x = EDGE, end; x < qr->width + EDGE; x = end + 1) {
			for (end = x; is_dark(qr, end, y);)
				end++;
			if (end > x)
				buf_printf(out, "M%zu %zuh%zuv1H%zuz", x, y, end - x, x);
		}
	}
	buf_add_string(out, "\"/>\n</svg>\n");
}

/* --- PNG (ISO/IEC 15948) --- */

#define STORED_MOST 65535 /* octets of a block that is stored as it is (RFC 1951 3.2.4) */

static void add_number(struct buf *out, size_t number, unsigned octets)
{
	while (octets-- > 0)
		buf_add_byte(out, (unsigned char)(number >> (8 * octets)));
}

/* ISO/IEC 15948 annex D, bit by bit: an image of this kind is small. */
static uint32_t crc(const unsigned char *octets, size_t len)
{
	uint32_t sum = 0xffffffffU;

	for (size_t i = 0; i < len; i++) {
		sum ^= octets[i];
		for (int bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ ((sum & 1) != 0 ? 0xedb88320U : 0);
	}
	return ~sum;
}

static void add_chunk(struct buf *out, const char *type, struct span content)
{
	size_t begin;

	add_number(out, content.len, 4);
	begin = out->len;
	buf_add_string(out, type);
	buf_add_span(out, content);
	add_number(out, crc(out->data + begin, out->len - begin), 4);
}

/* RFC 1950, without compression: the checksum is Adler-32. */
static void add_zlib(struct buf *out, struct span content)
{
	uint32_t a = 1, b = 0;

	buf_add(out, "\x78\x01", 2);
	for (size_t at = 0; at < content.len; at += STORED_MOST) {
		bool last = content.len - at <= STORED_MOST;
		unsigned len = (unsigned)(last ? content.len - at : STORED_MOST);
		buf_add_byte(out, last);
		buf_add_byte(out, (unsigned char)len);
		buf_add_byte(out, (unsigned char)(len >> 8));
		buf_add_byte(out, (unsigned char)~len);
		buf_add_byte(out, (unsigned char)(~len >> 8));
		buf_add(out, content.data + at, len);
	}
	for (size_t i = 0; i < content.len; i++) {
		a = (a + content.data[i]) % 65521;
		b = (b + a) % 65521;
	}
	add_number(out, b << 16 | a, 4);
}

/* Rows of one bit a pixel, 1 being white, each behind the octet of its filter: none. */
static void add_pixels(const struct qr *qr, struct buf *out)
{
	size_t width = qr->width + 2 * EDGE;

	buf_reserve(out, width * SCALE * (width * SCALE / 8 + 1));
	for (size_t row = 0; row < width * SCALE; row++) {
		buf_add_byte(out, 0);
		for (size_t octet = 0; octet < width * SCALE / 8; octet++)
			buf_add_byte(out, is_dark(qr, octet * 8 / SCALE, row / SCALE) ? 0 : 0xff);
	}
}

void qr_png(const struct qr *qr, struct buf *out)
{
	struct buf header = {0}, pixels = {0}, stream = {0};
	size_t width = (qr->width + 2 * EDGE) * SCALE;

	add_number(&header, width, 4);
	add_number(&header, width, 4);
	buf_add(&header, "\x01\0\0\0\0", 5); /* one bit of grey; deflate; no interlace */
	add_pixels(qr, &pixels);
	buf_reserve(&stream, pixels.len + 5 * (pixels.len / STORED_MOST + 1) + 8);
	add_zlib(&stream, buf_span(&pixels));
	buf_reserve(out, stream.len + 128);
	buf_add(out, "\x89PNG\r\n\x1a\n", 8);
	add_chunk(out, "IHDR", buf_span(&header));
	add_chunk(out, "IDAT", buf_span(&stream));
	add_chunk(out, "IEND", (struct span){0});
	buf_free(&header);
	buf_cleanse(&pixels);
	buf_cleanse(&stream);
}
