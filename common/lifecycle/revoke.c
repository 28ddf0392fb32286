#include "common/lifecycle/revoke.h"

#include "common/base/clock.h"

enum outcome revoke(
    struct service *service, const struct serial *serial, int reason_code, struct cert_record *out)
{
	char text[CLOCK_TEXT];
	enum outcome outcome = store_cert_get(service->store, serial, out);

	if (outcome != EST_OK)
		return outcome;
	if (cert_record_status(out, clock_now()) == CERT_EXPIRED)
		return reason(EST_CONFLICT, "it expired on %s: there is nothing left to revoke",
		    clock_text(out->not_after, text));
	cert_record_clear(out);
	outcome = store_cert_revoke(service->store, serial, reason_code, clock_now(), out);
	if (outcome != EST_CONFLICT)
		return outcome;
	reason_clear();
	return EST_OK;
}
