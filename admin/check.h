/*
 * check.h - the findings of est-admin check.
 */
#ifndef EST_CHECK_H
#define EST_CHECK_H

#include "admin/command.h"
#include "admin/worker.h"

enum check_level { CHECK_FINE, CHECK_WARN, CHECK_FAIL };

struct check {
	const struct admin *admin;
	struct config *config; /* NULL where it could not be read */
	struct worker worker;
	int faults;
};

/* One line: what it is about, and what was found, with the cure unless all is well. */
void check_say(struct check *check, enum check_level level, const char *what, const char *format,
    ...) __attribute__((format(printf, 4, 5)));

/* Whether the outcome is EST_OK; says its reason if not. */
bool check_passed(struct check *check, const char *what, enum outcome outcome);

/* Whether the workers can do with the path what they have to; says so if not. */
bool check_usable(struct check *check, const char *what, enum worker_use use, const char *path);

/* Whether only its owner and its group can get at what has to be secret; says so if not. */
bool check_kept(struct check *check, const char *what, const char *path);

/*
 * Whether a label and its profile contradict each other nowhere: cmd_check_label.c's table. Says
 * each thing that does.
 */
bool check_contradictions(struct check *check, const char *what, const struct config_label *label,
    const struct profile *profile);

/*
 * The same of who may ask, and whether its hook can be started: cmd_check_identity.c's table.
 */
bool check_identities(struct check *check, const char *what, const struct config_label *label);

/* All about one CA: what can be read and by whom, dates, chain, key. */
void check_ca(struct check *check, const struct config_ca *config);

#endif
