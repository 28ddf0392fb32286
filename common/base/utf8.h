/*
 * utf8.h - UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
 */
#ifndef EST_UTF8_H
#define EST_UTF8_H

#include <stdint.h>

#include "common/base/buf.h"

/*
 * The first character of text into *c, and the number of bytes it takes; 0 if they are not UTF-8.
 */
size_t utf8_decode(struct span text, uint32_t *c);

/* Appends a character; false, and nothing appended, where c is a surrogate or beyond U+10FFFF. */
bool utf8_encode(struct buf *out, uint32_t c);

/* Appends text with U+FFFD for every byte that is not UTF-8. */
void utf8_clean(struct buf *out, struct span text);

/* Whether c is a C0 or C1 control, DEL, a line or paragraph separator, or a direction override. */
bool utf8_is_control(uint32_t c);

/*
 * Whether nobody sees or knows it: format characters, variation selectors, fillers, private use,
 * noncharacters. Text that holds one is not what it looks like.
 */
bool utf8_is_hidden(uint32_t c);

#endif
