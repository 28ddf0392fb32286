/*
 * cmd_check_identity.c - what a label says of who may ask that contradicts itself, and its hook.
 */
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/check.h"
#include "common/auth/auth.h"
#include "common/base/file.h"

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

/* --- its hook --- */

#define LINE_MOST 256 /* octets of the first line of a script, as the kernel reads it */

static bool can_start(const struct check *check, const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 && S_ISREG(about.st_mode) &&
	       worker_try(&check->worker, WORKER_RUNS, path) == 0;
}

/* As env(1) looks for it in the PATH that hooks have. */
static bool env_can_start(const struct check *check, const char *name)
{
	static const char *const places[] = {"/usr/local/bin", "/usr/bin", "/bin"};
	bool found = false;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !found; i++) {
		char *path = file_path(places[i], name);
		found = can_start(check, path);
		free(path);
	}
	return found;
}

/* The first `size` octets of the file, fewer where it has no more, as a string. */
static bool read_head(const char *path, char *head, size_t size)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = file < 0 ? -1 : read(file, head, size - 1);

	if (file >= 0)
		close(file);
	head[got < 0 ? 0 : got] = '\0';
	return got >= 0;
}

/* Ends the first word, behind blanks, and gives what is left of the line. */
static char *split(char **line)
{
	static const char blanks[] = " \t";
	char *rest;

	(*line)[strcspn(*line, "\n")] = '\0';
	*line += strspn(*line, blanks);
	rest = *line + strcspn(*line, blanks);
	if (*rest != '\0')
		*rest++ = '\0';
	return rest + strspn(rest, blanks);
}

/* Of several words behind env only the kernel and env know what they are. */
static bool check_interpreter(struct check *check, const char *what, const char *hook, char *line)
{
	const char *argument = split(&line), *missing = NULL;

	if (line[0] == '\0' || !can_start(check, line))
		missing = line;
	else if (strcmp(line, "/usr/bin/env") == 0 && argument[0] != '-' &&
		 strpbrk(argument, " \t=/") == NULL && !env_can_start(check, argument))
		missing = argument;
	if (missing == NULL)
		return true;
	check_say(check, CHECK_FAIL, what,
	    "hook: %s begins with #! and \"%.200s\", which is no program that %s can start, so "
	    "nothing is issued: install it, or correct that line, its end too",
	    hook, missing, check->worker.name);
	return false;
}

/*
 * execve(2): a script begins with #!, its interpreter and perhaps one argument. Unlike a shell the
 * kernel starts no script without that, and takes the CR of a line from elsewhere for a part of it.
 */
static bool check_script(struct check *check, const char *what, const char *hook)
{
	char head[LINE_MOST];

	if (!read_head(hook, head, sizeof(head)) || strncmp(head, "\177ELF", 4) == 0)
		return true;
	if (strncmp(head, "#!", 2) != 0) {
		check_say(check, CHECK_WARN, what,
		    "hook: %s is neither a program of this system nor a script that begins with "
		    "#!, so that it may not start: begin it with #!/bin/sh, or what else runs it",
		    hook);
		return false;
	}
	if (worker_try(&check->worker, WORKER_READS, hook) != 0) {
		check_say(check, CHECK_FAIL, what,
		    "hook: %s is a script that %s cannot read, so nothing is issued: chmod a+rx it",
		    hook, check->worker.name);
		return false;
	}
	return check_interpreter(check, what, hook, head + 2);
}

/* Who may change it decides what is issued. path: NULL, or nothing there, is fine. */
static bool check_owned(struct check *check, const char *what, const char *path)
{
	struct stat about;

	if (path == NULL || stat(path, &about) != 0 ||
	    ((about.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
		(about.st_uid != check->worker.uid || about.st_uid == 0)))
		return true;
	check_say(check, CHECK_WARN, what,
	    "hook: %s can be changed by others than its owner, or belongs to the user of the "
	    "workers: chown root and chmod go-w it",
	    path);
	return false;
}

/* The program, its directory, and its settings beside it: est-hook(7). */
static bool check_kept_back(struct check *check, const char *what, const char *hook)
{
	char *copy = mem_string(hook), *directory = dirname(copy);
	char *place = realpath(directory, NULL), *real = realpath(hook, NULL);
	char *target = real == NULL ? NULL : dirname(real);
	struct buf settings = {0};
	bool fine = check_owned(check, what, hook);

	buf_printf(&settings, "%s.conf", hook);
	fine = check_owned(check, what, directory) && fine;
	if (target != NULL && place != NULL && strcmp(target, place) != 0) /* by a symbolic link */
		fine = check_owned(check, what, target) && fine;
	fine = check_owned(check, what, buf_string(&settings)) && fine;
	free(copy);
	free(place);
	free(real);
	buf_free(&settings);
	return fine;
}

static bool check_hook(struct check *check, const char *what, const struct config_label *label)
{
	const char *hook = label->hook;
	bool fine;

	if (hook == NULL)
		return true;
	if (!can_start(check, hook)) {
		check_say(check, CHECK_FAIL, what,
		    "hook: %s is no program that %s can start, so nothing is issued: put it there, "
		    "and chmod a+rx it",
		    hook, check->worker.name);
		return false;
	}
	fine = check_script(check, what, hook);
	return check_kept_back(check, what, hook) && fine;
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
