/*
 * device.h - a device at the shell: a name under a label, and what the store knows of it.
 */
#ifndef EST_DEVICE_H
#define EST_DEVICE_H

#include "admin/command.h"

/* Start it as {0}; device_clear() gives it back. */
struct device {
	struct device_record record;
	struct device_state state;
};

void device_clear(struct device *device);

#define DEVICE_NAME_MOST 255 /* octets */

/*
 * Whether a device can be called that: command_text(), and without a blank that the names in
 * requests are filed without (csr_device_name()); else EST_MALFORMED.
 */
enum outcome device_check_name(const char *name);

/* EST_NOT_FOUND, without a reason, also for one whose name was freed and not taken since. */
enum outcome device_get(
    const struct admin *admin, const char *label, const char *name, struct device *out);

/*
 * The device of that name under the label of --label, which est.conf need not have any more; or
 * without --label under the only one of est.conf that knows it. EST_NOT_FOUND; cli_usage() where
 * several do.
 */
enum outcome device_find(const struct admin *admin, const char *name, struct device *out);

/* "blocked", else "new" without any certificate, "active" with a valid one, else "inactive". */
const char *device_state_name(const struct device *device);
/* "-" for the default label. */
const char *device_label(const struct device *device);
/*
 * name, label, state, added_at, issued, valid; last_issued_at and serial of one with a certificate,
 * blocked_at and reason of a blocked one.
 */
json_t *device_json(const struct device *device);

/* What is done with a certificate; another outcome than EST_OK ends device_each_cert() with it. */
typedef enum outcome device_cert(
    const struct admin *admin, const struct cert_record *cert, void *context);

/* Of all certificates that the device got since its name was freed last. */
enum outcome device_each_cert(
    const struct admin *admin, const struct device *device, device_cert *act, void *context);

#endif
