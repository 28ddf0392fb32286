/*
 * grant.h - who may ask for which names, and under which labels, at the shell: users with a
 * password, those of TLS-SRP, and registration authorities (RFC 7030 3.7).
 *
 * All are user records. Those of the others begin with a prefix and a colon, which no user's name
 * can (RFC 7617 2: a user name ends at the first colon), and have a password that none matches.
 */
#ifndef EST_GRANT_H
#define EST_GRANT_H

#include "admin/command.h"
#include "common/base/clock.h"

struct grant_kind {
	const char *prefix; /* of the record's name */
	const char *what;   /* in messages */
	const char *title;  /* of the column of names */
	bool is_account;    /* has roles, an end and uses, and {user} in its patterns */
};

extern const struct grant_kind grant_user, grant_ra, grant_srp;

/*
 * Whether admin's options can be granted to a name: EST_MALFORMED, EST_NOT_FOUND (a label). The
 * name may be NULL: then it is about what is the same for all names.
 */
enum outcome grant_check(
    const struct admin *admin, const struct grant_kind *kind, const char *name);

/*
 * Stores what admin's options grant, under that name and with that crypt(5) string; with
 * admin->replace *replaced says whether it took the place of another one, else there may be none of
 * the name (EST_CONFLICT). Other outcomes as grant_check(). With admin->dry_run all of that but
 * the storing.
 */
enum outcome grant_put(struct admin *admin, const struct grant_kind *kind, const char *name,
    const char *password, bool *replaced);

/* As grant_put(), and with --json prints it. */
enum outcome grant_add(
    struct admin *admin, const struct grant_kind *kind, const char *name, const char *password);

/*
 * Changes what admin's options name, and the password where it is not NULL, and leaves the rest as
 * it is; with --json prints it. EST_NOT_FOUND, or as grant_check().
 */
enum outcome grant_edit(
    struct admin *admin, const struct grant_kind *kind, const char *name, const char *password);

/* The record of that name and kind; EST_NOT_FOUND. The caller calls user_record_clear(). */
enum outcome grant_find(const struct admin *admin, const struct grant_kind *kind, const char *name,
    struct user_record *out);

enum outcome grant_list(const struct admin *admin, const struct grant_kind *kind);
enum outcome grant_show(const struct admin *admin, const struct grant_kind *kind, const char *name);
enum outcome grant_delete(
    const struct admin *admin, const struct grant_kind *kind, const char *name);

/* --- one of them, printed --- */

const char *grant_name(const struct grant_kind *kind, const struct user_record *record);
/* "active", "expired", "spent" */
const char *grant_state(const struct user_record *record);
/* When it ends, or "never"; text has room for a time. */
const char *grant_expiry(const struct user_record *record, char text[static CLOCK_TEXT]);
/* "2/3", or "any"; in out, whose content it replaces. */
const char *grant_uses(struct buf *out, const struct user_record *record);
/* Gives the object state, expires_at, uses and uses_most. */
void grant_json_limits(json_t *object, const struct user_record *record);
/* The kind of its password's hash; "none" where nobody can log in with it. */
const char *grant_hash(const struct user_record *record);

/* In full; and as a row of a list, which begins with a title where the form has one. */
void grant_print(
    const struct admin *admin, const struct grant_kind *kind, const struct user_record *record);
void grant_print_row(
    const struct admin *admin, const struct grant_kind *kind, const struct user_record *record);
void grant_print_title(const struct admin *admin, const struct grant_kind *kind);

#endif
