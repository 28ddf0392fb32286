/*
 * csv.h - a table in CSV, read row by row (RFC 4180; LF ends a line as CRLF does).
 */
#ifndef EST_CSV_H
#define EST_CSV_H

#include "common/base/buf.h"
#include "common/base/outcome.h"

#define CSV_MOST 32 /* cells of a row */

struct csv {
	struct span rest;            /* what is not read yet */
	size_t next;                 /* the number of the line that it begins with */
	size_t line;                 /* where the row begins, counted from 1 */
	size_t count;                /* of its cells */
	const char *cells[CSV_MOST]; /* valid until the next row; without the quotes */
	struct buf text;
};

/* Begins with the text, which stays the caller's; a byte order mark before it is skipped. */
void csv_begin(struct csv *csv, struct span text);
void csv_end(struct csv *csv);

/*
 * The next row that is not empty. EST_NOT_FOUND: there is none. EST_MALFORMED: it is no CSV; the
 * next call goes on with the line behind the fault.
 */
enum outcome csv_next(struct csv *csv);

#endif
