/*
 * instance.h - the service that a program serves, opened when it can be.
 */
#ifndef EST_INSTANCE_H
#define EST_INSTANCE_H

#include "common/lifecycle/service.h"

struct instance {
	const char *program;   /* for the log */
	unsigned what;         /* of service_open() */
	struct service *service; /* NULL until it could be opened */
	bool alarmed;          /* the operator has been told why not */
};

/*
 * Opens it, and its log, where it is not open: at the start and, where that failed, at every
 * request, so that the workers recover by themselves once the operator has mended what `est-admin
 * check` names. The log has the reason of a failure, once; the outcome is EST_UNAVAILABLE with a
 * reason that tells a client nothing of files and keys.
 */
enum outcome instance_open(struct instance *instance);
void instance_close(struct instance *instance);

#endif
