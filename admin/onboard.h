/*
 * onboard.h - a device that is made known, with its one-time secret where it is to have one: both,
 * or neither.
 */
#ifndef EST_ONBOARD_H
#define EST_ONBOARD_H

#include "admin/device.h"
#include "admin/one_time.h"

/* Start it as {0}; onboard_clear() overwrites what is secret and gives the rest back. */
struct onboard {
	const char *name, *label; /* label: as est.conf has it */
	int64_t life;             /* seconds that its secret is good for; 0: it gets none */

	struct secret_record secret; /* name and label are the above */
	char text[ONE_TIME_SIZE];    /* the secret's */
	struct buf code;             /* what its QR code says, in JSON: a C string */

	bool is_added, is_given;     /* what onboard_undo() takes back, */
	struct secret_record before; /* and what it restores */
};

/* Whether its name is one: device_check_name(), and with a secret one_time_check(). */
enum outcome onboard_check_name(const struct admin *admin, const struct onboard *device);
/*
 * Whether the device could be made known: EST_CONFLICT where it is, or its name has a secret that
 * is good, under whatever label, unless admin->replace. Changes nothing.
 */
enum outcome onboard_check(const struct admin *admin, const struct onboard *device);

/*
 * Makes it known, durably. A secret that was used or has expired gives way to the new one. As
 * onboard_check(); nothing has changed where the outcome is not EST_OK.
 */
enum outcome onboard_device(const struct admin *admin, struct onboard *device);

/* For where nobody has seen the secret: all is as before. Says so where it cannot be. */
void onboard_undo(const struct admin *admin, struct onboard *device);
void onboard_clear(struct onboard *device);

/* The device as JSON: name, label; with a secret expires_at, secret, code. */
json_t *onboard_json(const struct onboard *device);

/* Whether --url may stand in a code: cli_usage(). */
enum outcome onboard_check_url(const struct admin *admin);

#endif
