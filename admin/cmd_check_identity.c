/*
 * cmd_check_identity.c - what a label says of who may ask that contradicts itself, and its hook.
 */
#include <string.h>
#include <sys/stat.h>

#include "admin/check.h"
#include "common/auth/auth.h"

static bool proves(const struct config_label *label, unsigned proofs)
{
	return (auth_proofs(label) & proofs) != 0;
}

static bool idle_external(const struct config_label *label)
{
	return label->external_names.count > 0 && !proves(label, PROOF_EXTERNAL | PROOF_SRP);
}

static bool idle_manufacturer(const struct config_label *label)
{
	return label->manufacturer_name != NULL &&
	       (label->trust_anchors.count == 0 || !proves(label, PROOF_CERTIFICATE));
}

static bool idle_anchors(const struct config_label *label)
{
	return label->trust_anchors.count > 0 && !proves(label, PROOF_CERTIFICATE);
}

static bool closed_bootstrap(const struct config_label *label)
{
	const struct words *ways = &label->authenticate;

	return label->bootstrap != NULL && !words_have(ways, "basic") &&
	       !words_have(ways, "secret") && !words_have(ways, "certificate-or-basic");
}

static bool stuck_devices(const struct config_label *label)
{
	return strcmp(label->duplicates, "refuse") == 0 &&
	       !words_have(&label->operations, "simplereenroll") &&
	       !words_have(&label->operations, "fullcmc");
}

/* found: whether it is so; the text is what is wrong, and how to cure it. */
static const struct {
	bool (*found)(const struct config_label *label);
	enum check_level level;
	const char *text;
} contradictions[] = {
    {idle_external, CHECK_WARN,
	"external_names does nothing without external or srp in authenticate: add one, or leave it "
	"out"},
    {idle_manufacturer, CHECK_WARN,
	"manufacturer_name does nothing without trust_anchors and certificate in authenticate: add "
	"them, or leave it out"},
    {idle_anchors, CHECK_WARN,
	"trust_anchors does nothing without certificate in authenticate: add that, or leave it "
	"out"},
    {closed_bootstrap, CHECK_FAIL,
	"bootstrap takes HTTP Basic alone, and authenticate has neither basic nor secret for "
	"itself: add one, or leave bootstrap out"},
    {stuck_devices, CHECK_WARN,
	"duplicates = \"refuse\" lets a device have no second certificate, and no operation "
	"renews: "
	"add simplereenroll to operations"},
};

/* Two labels behind one path, or an operation's own path: one of the two is never reached. */
static bool check_bootstrap(struct check *check, const char *what, const struct config_label *label)
{
	const struct config *config = check->config;
	size_t prefix = strlen(config->prefix);
	const char *path = label->bootstrap;
	const char *name = path == NULL ? NULL : strrchr(path, '/') + 1;

	if (path == NULL)
		return true;
	for (size_t i = 0; i < config->label_count; i++)
		if (&config->labels[i] != label && config->labels[i].bootstrap != NULL &&
		    strcmp(config->labels[i].bootstrap, path) == 0) {
			check_say(check, CHECK_FAIL, what,
			    "bootstrap is that of label \"%s\" too: give each a path of its own",
			    config->labels[i].name);
			return false;
		}
	if (strncmp(path, config->prefix, prefix) == 0 && path[prefix] == '/' &&
	    (words_have(&label->operations, name) || strcmp(name, "cacerts") == 0)) {
		check_say(check, CHECK_FAIL, what,
		    "bootstrap is the path of an operation: take another one, such as "
		    "\"%s/bootstrap\"",
		    config->prefix);
		return false;
	}
	return true;
}

/* What whoever may change it says is what is issued. */
static bool check_hook(struct check *check, const char *what, const struct config_label *label)
{
	const char *hook = label->hook;
	struct stat about;

	if (hook == NULL)
		return true;
	if (stat(hook, &about) != 0 || !S_ISREG(about.st_mode) ||
	    worker_try(&check->worker, WORKER_RUNS, hook) != 0) {
		check_say(check, CHECK_FAIL, what,
		    "hook: %s is no program that %s can start, so nothing is issued: put it there, "
		    "and chmod a+rx it",
		    hook, check->worker.name);
		return false;
	}
	if ((about.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
	    (about.st_uid == check->worker.uid && about.st_uid != 0)) {
		check_say(check, CHECK_WARN, what,
		    "hook: %s can be changed by others than its owner, or belongs to the user of "
		    "the "
		    "workers: chown root and chmod go-w it",
		    hook);
		return false;
	}
	return true;
}

bool check_identities(struct check *check, const char *what, const struct config_label *label)
{
	bool fine = check_bootstrap(check, what, label);

	fine = check_hook(check, what, label) && fine;
	for (size_t i = 0; i < sizeof(contradictions) / sizeof(contradictions[0]); i++)
		if (contradictions[i].found(label)) {
			check_say(
			    check, contradictions[i].level, what, "%s", contradictions[i].text);
			fine = false;
		}
	return fine;
}
