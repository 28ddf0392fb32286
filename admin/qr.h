/*
 * qr.h - a text as a QR code (ISO/IEC 18004): for a terminal, a screen, or the printer of labels.
 */
#ifndef EST_QR_H
#define EST_QR_H

#include "common/base/buf.h"
#include "common/base/outcome.h"

#define QR_MOST 1024 /* octets of a text: a code of more is beyond the camera of a phone */

/* Start it as {0}; qr_clear() overwrites it and gives it back. */
struct qr {
	size_t width;        /* in modules, without the blank edge */
	unsigned char *dark; /* width * width of them, row by row: 1 is dark */
};

/* The text in octets, with error correction of level M. EST_MALFORMED: empty, or over QR_MOST. */
enum outcome qr_make(struct span text, struct qr *out);
void qr_clear(struct qr *qr);

/* A form of it: each appends the code with its blank edge of four modules. */
typedef void qr_form(const struct qr *qr, struct buf *out);

qr_form qr_blocks;   /* lines of UTF-8 half blocks, which are the light modules */
qr_form qr_terminal; /* the same with escapes for white on black, whatever the terminal has */
qr_form qr_svg;      /* SVG 1.1, a module being one unit */
qr_form qr_png;      /* PNG, a module being eight pixels */

#endif
