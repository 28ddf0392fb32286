/*
 * cmd_check.c - est-admin check: whatever would stop est.fcgi from working, each with its cure.
 */
#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "admin/check.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/pki/blocklist.h"
#include "common/pki/pem.h"

#define DAY         INT64_C(86400)
#define WARN_DAYS   30
#define CLOCK_FLOOR INT64_C(1767225600)   /* 2026-01-01: no right clock has been before */
#define ROOM_WANTED (UINT64_C(256) << 20) /* bytes */

void check_say(
    struct check *check, enum check_level level, const char *what, const char *format, ...)
{
	static const char *const words[] = {"ok  ", "warn", "FAIL"};
	static const char *const json_words[] = {"ok", "warn", "fail"};
	char text[700];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	check->faults += level == CHECK_FAIL;
	if (check->admin->json) {
		json_t *object = json_object();
		json_object_set_new(object, "status", cli_json_text(json_words[level]));
		json_object_set_new(object, "what", cli_json_text(what));
		json_object_set_new(
		    object, level == CHECK_FINE ? "detail" : "cure", cli_json_text(text));
		cli_json_print(object);
	} else {
		cli_print("%s %s: %s", words[level], what, text);
	}
}

bool check_passed(struct check *check, const char *what, enum outcome outcome)
{
	const char *text = reason_text();
	size_t len = strlen(what);

	/* A reason may begin with what it is about. */
	if (strncmp(text, what, len) == 0 && strncmp(text + len, ": ", 2) == 0)
		text += len + 2;
	if (outcome != EST_OK)
		check_say(check, CHECK_FAIL, what, "%s", text);
	reason_clear();
	return outcome == EST_OK;
}

bool check_usable(struct check *check, const char *what, enum worker_use use, const char *path)
{
	static const char *const words[] = {"read", "write to", "make files in"};
	int error = worker_try(&check->worker, use, path);

	if (error == ENOENT)
		check_say(check, CHECK_FAIL, what, "%s is missing", path);
	else if (error != 0)
		check_say(check, CHECK_FAIL, what,
		    "the user %s, as whom the web server's workers run, cannot %s %s (%s): give it "
		    "leave "
		    "there and in the directories above",
		    check->worker.name, words[use], path, strerror(error));
	return error == 0;
}

bool check_kept(struct check *check, const char *what, const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0 || (status.st_mode & S_IRWXO) == 0)
		return true; /* that it is there is looked at elsewhere */
	check_say(
	    check, CHECK_FAIL, what, "everybody on this machine can get at %s: chmod o= it", path);
	return false;
}

/* --- the machine and the configuration --- */

static void check_randomness(struct check *check)
{
	unsigned char octet;

	if (RAND_bytes(&octet, 1) == 1)
		check_say(check, CHECK_FINE, "randomness", "OpenSSL has a seeded generator");
	else
		check_say(
		    check, CHECK_FAIL, "randomness", "OpenSSL has none: is there a /dev/urandom?");
}

static void check_clock(struct check *check)
{
	char text[CLOCK_TEXT];

	if (clock_now() >= CLOCK_FLOOR)
		check_say(check, CHECK_FINE, "clock", "%s", clock_text(clock_now(), text));
	else
		check_say(check, CHECK_FAIL, "clock",
		    "%s lies in the past: set it, and keep it right with NTP",
		    clock_text(clock_now(), text));
}

/* Finds out, too, who the workers are: until the state directory is there, whoever runs this. */
static void check_configuration(struct check *check)
{
	const char *path = config_path(check->admin->config);

	if (!check_passed(check, "configuration", config_load(path, &check->config)))
		return;
	if (worker_find(check->config->state, &check->worker) != EST_OK) {
		reason_clear();
		check->worker = (struct worker){geteuid(), getegid(), "running this"};
	}
	if (check_usable(check, "configuration", WORKER_READS, path))
		check_say(check, CHECK_FINE, "configuration", "%s", path);
}

/* --- CAs, profiles and labels --- */

static void check_cas(struct check *check)
{
	for (size_t i = 0; i < check->config->ca_count; i++)
		check_ca(check, &check->config->cas[i]);
}

static void check_profiles(struct check *check)
{
	for (size_t i = 0; i < check->config->profile_count; i++) {
		const struct config_profile *config = &check->config->profiles[i];
		struct profile *profile = NULL;
		struct buf what = {0};
		buf_printf(&what, "profile \"%s\"", config->name);
		if (config->keys.count == 0)
			check_say(check, CHECK_FAIL, buf_string(&what),
			    "keys is empty: no device could enroll");
		else if (check_passed(check, buf_string(&what),
			     profile_make(check->config->path, config, &profile)))
			check_say(check, CHECK_FINE, buf_string(&what),
			    "certificates for %lld days", (long long)(config->validity / DAY));
		profile_free(profile);
		buf_free(&what);
	}
}

/* A certificate never outlives its CA, whatever the profile says. */
static bool check_validity(
    struct check *check, const char *what, const struct config_label *config, const struct ca *ca)
{
	char text[CLOCK_TEXT];

	if (clock_now() + config->profile->validity <= ca->not_after)
		return true;
	check_say(check, CHECK_WARN, what,
	    "its certificates end with ca \"%s\" on %s, before the profile says: renew the CA",
	    config->ca_name, clock_text(ca->not_after, text));
	return false;
}

static bool usable_files(struct check *check, const char *what, const struct words *files)
{
	bool all = true;

	for (size_t i = 0; i < files->count; i++)
		all = check_usable(check, what, WORKER_READS, files->word[i]) && all;
	return all;
}

static void check_label(struct check *check, const struct config_label *config)
{
	struct buf what = {0};
	struct ca *ca = NULL;
	struct trust *trust = NULL;
	struct profile *profile = NULL;
	bool files;

	buf_printf(&what, "label \"%s\"", config->name);
	files = usable_files(check, buf_string(&what), &config->trust_anchors);
	files = usable_files(check, buf_string(&what), &config->intermediates) && files;
	files = usable_files(check, buf_string(&what), &config->eecerts) && files;
	if (config->csrattrs_file != NULL)
		files =
		    check_usable(check, buf_string(&what), WORKER_READS, config->csrattrs_file) &&
		    files;
	/* What is wrong with its CA or profile by itself has been said. */
	if (files && ca_open(config->ca, false, &ca) == EST_OK &&
	    profile_make(check->config->path, config->profile, &profile) == EST_OK &&
	    check_passed(check, buf_string(&what), ca_prove(ca, profile)) &&
	    check_passed(check, buf_string(&what), trust_make(config, ca->certificate, &trust)) &&
	    check_contradictions(check, buf_string(&what), config, profile) &&
	    check_validity(check, buf_string(&what), config, ca))
		check_say(check, CHECK_FINE, buf_string(&what), "ca \"%s\", profile \"%s\"",
		    config->ca_name, config->profile_name);
	reason_clear();
	trust_free(trust);
	profile_free(profile);
	ca_close(ca);
	buf_free(&what);
}

static void check_labels(struct check *check)
{
	bool has_default = false;

	for (size_t i = 0; i < check->config->label_count; i++) {
		has_default = has_default || check->config->labels[i].name[0] == '\0';
		check_label(check, &check->config->labels[i]);
	}
	if (!has_default)
		check_say(check, CHECK_FAIL, "labels",
		    "RFC 7030 3.2.2 wants the service to work without a label: add one with name = "
		    "\"\"");
}

/* --- keys that no device may have --- */

static void check_servers(struct check *check)
{
	const struct words *files = &check->config->server_certificates;

	for (size_t i = 0; i < files->count; i++) {
		STACK_OF(X509) *certificates = NULL;
		if (check_usable(check, "server_certificates", WORKER_READS, files->word[i]) &&
		    check_passed(check, "server_certificates",
			pem_certificates(files->word[i], &certificates)))
			check_say(check, CHECK_FINE, "server_certificates", "%s", files->word[i]);
		sk_X509_pop_free(certificates, X509_free);
	}
}

static void check_blocked(struct check *check)
{
	const struct words *files = &check->config->blocked_keys;
	struct blocklist *blocklist = NULL;

	if (files->count > 0 && usable_files(check, "blocked_keys", files) &&
	    check_passed(check, "blocked_keys", blocklist_make(files, &blocklist)))
		check_say(check, CHECK_FINE, "blocked_keys", "%zu file%s", files->count,
		    files->count == 1 ? "" : "s");
	blocklist_free(blocklist);
}

/* --- what the workers write --- */

/*
 * Whether the file lies somewhere below the directory, and the workers own it or may write to it.
 */
static bool is_theirs_below(const struct worker *worker, const char *directory, const char *file)
{
	char *resolved = realpath(file, NULL);
	size_t len = strlen(directory);
	struct stat status;
	bool theirs = false;

	if (resolved != NULL && strncmp(resolved, directory, len) == 0 &&
	    (resolved[len] == '/' || len == 1) && stat(resolved, &status) == 0)
		theirs = status.st_uid == worker->uid ||
			 worker_try(worker, WORKER_APPENDS, resolved) == 0;
	free(resolved);
	return theirs;
}

/*
 * The sandbox leaves a worker the log's directory to write in, for its rotation: no place for what
 * the worker, once somebody has taken it over, must not change. Without the sandbox nothing is
 * kept from it anyway.
 */
static bool check_log_place(struct check *check)
{
	const struct config *config = check->config;
	char *log = mem_string(config->log), *directory = realpath(dirname(log), NULL);
	const char *found = NULL;

	if (config->sandbox && directory != NULL) {
		if (is_theirs_below(&check->worker, directory, config->path))
			found = config->path;
		for (size_t i = 0; i < config->ca_count && found == NULL; i++)
			if (is_theirs_below(&check->worker, directory, config->cas[i].key))
				found = config->cas[i].key;
	}
	if (found != NULL)
		check_say(check, CHECK_WARN, "log",
		    "the workers may write below %s, and %s there is the user %s's to change: put "
		    "the log into a directory of its own",
		    directory, found, check->worker.name);
	free(directory);
	free(log);
	return found == NULL;
}

static void check_log(struct check *check)
{
	const char *log = check->config->log;

	if (strcmp(log, "syslog") != 0) {
		if (check_usable(check, "log", WORKER_APPENDS, log) && check_log_place(check))
			check_say(check, CHECK_FINE, "log", "%s", log);
	} else if (access("/dev/log", W_OK) == 0) {
		check_say(check, CHECK_FINE, "log", "syslog");
	} else {
		check_say(check, CHECK_WARN, "log",
		    "nobody listens to syslog (/dev/log): run a syslog daemon, or set log to a "
		    "file");
	}
}

static void check_mode(struct check *check, const char *state, const struct worker *worker)
{
	struct stat status;
	struct statvfs room;

	if (stat(state, &status) != 0)
		return;
	if ((status.st_mode & S_IWGRP) != 0 && (status.st_mode & S_ISGID) == 0)
		check_say(check, CHECK_WARN, "state",
		    "what one member of the group makes in %s the others may not share: chmod g+s "
		    "it",
		    state);
	if (geteuid() == 0 && worker->uid == 0)
		check_say(check, CHECK_WARN, "state",
		    "%s belongs to root alone: if the web server's workers are not root, chown it "
		    "to "
		    "their user",
		    state);
	if (geteuid() != 0 && status.st_uid != geteuid())
		check_say(check, CHECK_WARN, "state",
		    "%s belongs to somebody else, maybe the web server: run est-admin check as "
		    "root",
		    state);
	if (statvfs(state, &room) == 0 &&
	    (uint64_t)room.f_bavail * (uint64_t)room.f_frsize < ROOM_WANTED)
		check_say(check, CHECK_WARN, "state",
		    "less than %llu MB are left on the disk of %s",
		    (unsigned long long)(ROOM_WANTED >> 20), state);
}

/* The counters, which the workers make where there are none. */
static void check_metrics(struct check *check, const char *state, const struct worker *worker)
{
	char *path = file_path(state, "metrics");
	struct stat status;

	if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode))
		check_say(check, CHECK_WARN, "state",
		    "%s is no regular file, so nothing is counted: remove it", path);
	else if (access(path, R_OK | W_OK) != 0 && errno != ENOENT)
		check_say(check, CHECK_WARN, "state",
		    "the user %s cannot read and write %s (%s), so nothing is counted: remove it",
		    worker->name, path, strerror(errno));
	free(path);
}

/* The last of all: root ends as the workers' user, who opens the store. */
static void check_state(struct check *check)
{
	const char *state = check->config->state;
	struct store_settings settings = {state, (uint64_t)check->config->cache};
	struct store *store = NULL;
	struct worker worker;

	if (!check_passed(check, "state", worker_find(state, &worker)))
		return;
	check_mode(check, state, &worker);
	if (!check_kept(check, "state", state) ||
	    !check_usable(check, "state", WORKER_FILLS, state))
		return;
	if (!check_passed(check, "state", worker_become(&worker)))
		return;
	check_metrics(check, state, &worker);
	if (check_passed(check, "state", store_open(&settings, &store)))
		check_say(
		    check, CHECK_FINE, "state", "the store in %s opens, as %s", state, worker.name);
	store_close(store);
}

static const struct {
	void (*run)(struct check *check);
	bool configuration; /* needs it */
} checks[] = {
    {check_randomness, false},
    {check_clock, false},
    {check_configuration, false},
    {check_cas, true},
    {check_profiles, true},
    {check_labels, true},
    {check_servers, true},
    {check_blocked, true},
    {check_log, true},
    {check_state, true},
};

enum outcome cmd_check(void *context, const struct cli_call *call)
{
	struct check check = {.admin = context};

	(void)call;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (check.config != NULL || !checks[i].configuration)
			checks[i].run(&check);
	config_free(check.config);
	reason_clear();
	if (check.faults == 0)
		return EST_OK;
	return reason(
	    EST_CONFLICT, "%d thing%s to be cured", check.faults, check.faults == 1 ? "" : "s");
}
