#include "cgi/instance.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/sandbox.h"

/* A log that cannot be written is no reason not to serve; syslog is there instead. */
static void open_log(const struct instance *instance)
{
	if (log_open(instance->service->config->log, instance->program) == EST_OK)
		return;
	(void)log_open("syslog", instance->program);
	log_event(LOG_LEVEL_ALARM, "log", "%s", reason_text());
	reason_clear();
}

/* Nor are counters that cannot be kept. */
static void open_metrics(struct instance *instance)
{
	char *path = file_path(instance->service->config->state, "metrics");

	if (metrics_open(path, &instance->metrics) != EST_OK) {
		log_event(LOG_LEVEL_ERROR, "metrics", "%s", reason_text());
		reason_clear();
	}
	free(path);
}

/*
 * What libraries read when they first need it: openssl.cnf, and the
 * time zone, which syslog() writes.
 */
static void read_ahead(void)
{
	(void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	tzset();
}

/*
 * est.conf, certificates and keys are read and stay out. The log's directory is there for
 * its rotation, which the worker follows by making the file anew; keys may lie in it as
 * well, so it is not to be read.
 */
static enum outcome limit_files(const struct config *config, int *abi)
{
	char *log = mem_string(config->log);
	const struct sandbox_path paths[] = {
	    {config->state, SANDBOX_WRITE},
	    {"/proc/self/maps", SANDBOX_READ}, /* recovery of the store measures its memory */
	    {"/dev/urandom", SANDBOX_READ},    /* libjansson's hashing */
	    {dirname(log), SANDBOX_APPEND},    /* last: there is none with syslog */
	};
	size_t count = sizeof(paths) / sizeof(paths[0]);
	enum outcome outcome;

	if (strcmp(config->log, "syslog") == 0)
		count--;
	outcome = sandbox_limit_files(paths, count, abi);
	free(log);
	return outcome;
}

/* RFC 3875 4.1.12: a program that was started for one request finds this in its environment. */
static bool is_plain_cgi(void)
{
	return getenv("REQUEST_METHOD") != NULL;
}

static void log_sandbox(int abi, bool seccomp)
{
	if (is_plain_cgi())
		return;
	log_event(LOG_LEVEL_INFO, "sandbox", "entered: no_new_privs, Landlock ABI %d, %s", abi,
	    seccomp ? "seccomp" : "no seccomp");
	if (abi == 0 || !seccomp)
		log_event(LOG_LEVEL_WARNING, "sandbox",
		    "the kernel lacks %s%s%s: less is refused to this worker",
		    abi == 0 ? "Landlock" : "", abi == 0 && !seccomp ? " and " : "",
		    seccomp ? "" : "seccomp");
}

static enum outcome enter_sandbox(const struct service *service)
{
	enum outcome outcome;
	bool seccomp = false;
	int abi = 0;

	if (!service->config->sandbox) {
		if (!is_plain_cgi())
			log_event(
			    LOG_LEVEL_INFO, "sandbox", "not entered: est.conf has sandbox = false");
		return EST_OK;
	}
	read_ahead();
	outcome = limit_files(service->config, &abi);
	if (outcome == EST_OK && service->store != NULL)
		outcome = store_rethread(service->store);
	if (outcome == EST_OK)
		outcome = sandbox_limit_calls(&seccomp);
	if (outcome == EST_OK)
		log_sandbox(abi, seccomp);
	return outcome;
}

/*
 * A sandbox that failed half-way is entered again at the next
 * request, from inside what is in force.
 */
static enum outcome get_ready(struct instance *instance)
{
	enum outcome outcome = EST_OK;

	if (instance->service == NULL) {
		outcome = service_open(NULL, instance->what, &instance->service);
		if (outcome == EST_OK) {
			open_log(instance);
			open_metrics(instance);
		}
	}
	return outcome == EST_OK ? enter_sandbox(instance->service) : outcome;
}

enum outcome instance_open(struct instance *instance)
{
	if (instance->ready)
		return EST_OK;
	instance->ready = get_ready(instance) == EST_OK;
	if (instance->ready)
		return EST_OK;
	if (!instance->alarmed)
		log_event(LOG_LEVEL_ALARM, "start", "%s", reason_text());
	instance->alarmed = true;
	reason_clear();
	return reason(EST_UNAVAILABLE,
	    "the server is not ready; its operator finds the cause in the log and "
	    "with est-admin check");
}

bool instance_is_worn(const struct instance *instance)
{
	const struct service *service = instance->service;

	return service != NULL && service->helper != NULL && helper_lost(service->helper);
}

void instance_close(struct instance *instance)
{
	metrics_close(instance->metrics);
	instance->metrics = NULL;
	service_close(instance->service);
	instance->service = NULL;
	instance->ready = false;
	log_close();
}
