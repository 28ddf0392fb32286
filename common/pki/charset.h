/*
 * charset.h - which characters the values of a subject may hold under a strict profile.
 *
 * What text_parse() takes is text. This is about text that people can read out: nothing that looks
 * like something else, hides, or opens a tag or a quotation wherever a name is shown.
 */
#ifndef EST_CHARSET_H
#define EST_CHARSET_H

#include "common/pki/name.h"

/*
 * Attributes that a device is told apart by hold ASCII letters, digits, blanks and . _ : @ -
 * alone. All others may hold any character but < > " \ ; ` and those that nobody sees or knows:
 * format characters, variation selectors, fillers, private use, noncharacters. No value begins
 * or ends with a blank or has two in a row. Refuses with CSR_NAME_CHARACTER and the first code
 * point that is out of place.
 */
enum outcome charset_check(const struct name *name);

#endif
