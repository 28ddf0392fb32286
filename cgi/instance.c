#include "cgi/instance.h"

#include "common/base/log.h"

/* A log that cannot be written is no reason not to serve; syslog is there instead. */
static void open_log(const struct instance *instance)
{
	if (log_open(instance->service->config->log, instance->program) == EST_OK)
		return;
	(void)log_open("syslog", instance->program);
	log_event(LOG_LEVEL_ALARM, "log", "%s", reason_text());
	reason_clear();
}

enum outcome instance_open(struct instance *instance)
{
	if (instance->service != NULL)
		return EST_OK;
	if (service_open(NULL, instance->what, &instance->service) == EST_OK) {
		instance->alarmed = false;
		open_log(instance);
		return EST_OK;
	}
	if (!instance->alarmed)
		log_event(LOG_LEVEL_ALARM, "start", "%s", reason_text());
	instance->alarmed = true;
	reason_clear();
	return reason(EST_UNAVAILABLE,
	    "the server is not ready; its operator finds the cause in the log and "
	    "with est-admin check");
}

void instance_close(struct instance *instance)
{
	service_close(instance->service);
	instance->service = NULL;
	log_close();
}
