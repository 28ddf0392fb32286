/*
 * naming.h - which names a certificate gets, and whether who asks may have them. For enroll.c.
 */
#ifndef EST_NAMING_H
#define EST_NAMING_H

#include "common/lifecycle/enroll.h"
#include "common/lifecycle/predecessor.h"
#include "common/pki/change.h"

/* What was decided. naming_clear(). */
struct naming {
	const struct name *name; /* the request's, the predecessor's, or one of those below */
	const struct sans *sans;
	bool differs; /* from the names in the request */
	struct name own;
	struct profile_names names;
	struct change change;
};

struct naming_question {
	struct service *service;
	const struct enrollment *enrollment;
	const struct predecessor
	    *old; /* of a renewal, whose names are those of the request; or NULL */
};

/*
 * A renewal keeps the names of what it renews; a first certificate has those of the request, made
 * whole by the profile; both have others where ChangeSubjectName asks for them (RFC 6402 2.8) and
 * the label allows that. EST_FORBIDDEN: NAME_NOT_ALLOWED, NAME_PATTERN, RENEW_CHANGE; or what is
 * wrong with a changed name.
 */
enum outcome naming_decide(const struct naming_question *question, struct naming *out);
void naming_clear(struct naming *naming);

#endif
