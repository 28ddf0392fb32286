/*
 * instance.h - the service that a program serves, opened when it can be,
 * and the sandbox around the two.
 */
#ifndef EST_INSTANCE_H
#define EST_INSTANCE_H

#include "common/base/metrics.h"
#include "common/lifecycle/service.h"

struct instance {
	const char *program;     /* for the log */
	unsigned what;           /* of service_open() */
	struct service *service; /* NULL until it could be opened */
	struct metrics *metrics; /* <state>/metrics; NULL where it cannot be kept */
	bool ready;              /* it is open and in the sandbox */
	bool alarmed;            /* the operator has been told why not */
};

/*
 * Opens it, and its log, where it is not open: at the start and, where that failed, at every
 * request, so that the workers recover by themselves once the operator has mended what `est-admin
 * check` names. Once it is open the process enters the sandbox (sandbox.h), unless est.conf has
 * sandbox = false: then it reaches the store, the log and what libraries read, and neither est.conf
 * nor any key. The log of a worker says so, and what of the sandbox the kernel lacks; that of plain
 * CGI, where every request would say it, does not. The log has the reason of a failure, once; the
 * outcome is EST_UNAVAILABLE with a reason that tells a client nothing of files and keys.
 */
enum outcome instance_open(struct instance *instance);
/*
 * Whether the process lacks something for good that another one would have: the helper that starts
 * hooks has died, and a process in its sandbox cannot make another one.
 */
bool instance_is_worn(const struct instance *instance);
void instance_close(struct instance *instance);

#endif
