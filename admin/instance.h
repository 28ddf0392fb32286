/*
 * instance.h - the files of an instance: what est-admin init leaves in a directory.
 */
#ifndef EST_ADMIN_INSTANCE_H
#define EST_ADMIN_INSTANCE_H

#include <stdbool.h>

#include "admin/worker.h"
#include "common/base/buf.h"
#include "common/ca/ca_make.h"

struct instance {
	const char *directory;
	const char *log;       /* as est.conf will have it; NULL: "syslog" */
	struct buf passphrase; /* of the CAs' keys; empty: none */
	struct ca_pair root, issuing, server;
	bool shared;          /* with the web server's workers, who are somebody else */
	struct worker worker; /* where shared */
};

/* EST_CONFLICT where any of the files that would be made exists. */
enum outcome instance_refuse(const struct instance *instance);

/*
 * Makes the directory if need be and writes everything into it, est.conf last, or, where anything
 * fails, leaves nothing. No file that exists is touched: EST_CONFLICT.
 */
enum outcome instance_write(struct instance *instance);

#endif
