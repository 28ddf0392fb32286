/*
 * grant.h - who may ask for which names, and under which labels, at the shell: users with a
 * password, and registration authorities (RFC 7030 3.7).
 *
 * Both are user records. A registration authority's begins with "ra:", which no user's name can
 * (RFC 7617 2: a user name ends at the first colon), and has a password that none matches.
 */
#ifndef EST_GRANT_H
#define EST_GRANT_H

#include "admin/command.h"

struct grant_kind {
	const char *prefix; /* of the record's name */
	const char *what;   /* in messages */
	const char *title;  /* of the column of names */
};

extern const struct grant_kind grant_user, grant_ra;

/*
 * Adds what admin->names and admin->labels grant, under that name and with that crypt(5) string,
 * and with --json prints it. EST_MALFORMED for a name or pattern that is no text, EST_NOT_FOUND for
 * a label, EST_CONFLICT where there is one of the name.
 */
enum outcome grant_add(
    struct admin *admin, const struct grant_kind *kind, const char *name, const char *password);

/* The record of that name and kind; EST_NOT_FOUND. The caller calls user_record_clear(). */
enum outcome grant_find(const struct admin *admin, const struct grant_kind *kind, const char *name,
    struct user_record *out);

enum outcome grant_list(const struct admin *admin, const struct grant_kind *kind);
enum outcome grant_show(const struct admin *admin, const struct grant_kind *kind, const char *name);
enum outcome grant_delete(
    const struct admin *admin, const struct grant_kind *kind, const char *name);

#endif
