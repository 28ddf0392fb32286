/*
 * one_time.h - one-time secrets at the shell: made here, kept by the store as a hash, shown once.
 */
#ifndef EST_ONE_TIME_H
#define EST_ONE_TIME_H

#include "admin/command.h"

#define ONE_TIME_LENGTH 32 /* characters of 5 random bits each */
#define ONE_TIME_SIZE   (ONE_TIME_LENGTH + 1)

/*
 * Makes a secret for the device secret->name: its text, which the caller overwrites after use, and
 * both of the record's digests. EST_UNAVAILABLE.
 */
enum outcome one_time_make(struct secret_record *secret, char text[static ONE_TIME_SIZE]);

/*
 * Whether there can be a secret for the device of that name, under the label or where that is NULL
 * under all: EST_MALFORMED where device_check_name() says no, and for a colon where the secret is
 * to be the password of HTTP Basic, whose user names have none (RFC 7617 2).
 */
enum outcome one_time_check(const struct admin *admin, const char *label, const char *name);
/* Says so where nothing under the label, or where that is NULL under any, asks for secrets. */
void one_time_warn(const struct admin *admin, const char *label);

/* Seconds that a secret is good for, by --expires; cli_usage() where that is none at all. */
enum outcome one_time_life(const struct admin *admin, int64_t *seconds);

/* "unused", "used", "expired" */
const char *one_time_state(const struct secret_record *secret);
/* Under which label it counts: "all", "-" for the default one, or its name. */
const char *one_time_label(const struct secret_record *secret);
/* EST_CONFLICT: a name has one secret, whatever the labels, and this good one is in the way. */
enum outcome one_time_conflict(const struct secret_record *secret);
/* What is known of it: name, label, state, created_at, expires_at, used_at. */
json_t *one_time_json(const struct secret_record *secret);

#endif
