#include "admin/instance.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"

/* --- the contents --- */

static enum outcome put_root(struct instance *instance, struct buf *out)
{
	return ca_certificate_pem(instance->root.certificate, out);
}

static enum outcome put_root_key(struct instance *instance, struct buf *out)
{
	return ca_key_pem(instance->root.key, buf_span(&instance->passphrase), out);
}

static enum outcome put_chain(struct instance *instance, struct buf *out)
{
	enum outcome outcome = ca_certificate_pem(instance->issuing.certificate, out);

	return outcome == EST_OK ? put_root(instance, out) : outcome;
}

static enum outcome put_issuing_key(struct instance *instance, struct buf *out)
{
	return ca_key_pem(instance->issuing.key, buf_span(&instance->passphrase), out);
}

static enum outcome put_server(struct instance *instance, struct buf *out)
{
	enum outcome outcome = ca_certificate_pem(instance->server.certificate, out);

	return outcome == EST_OK ? ca_certificate_pem(instance->issuing.certificate, out) : outcome;
}

/* Never encrypted: web servers start without anybody to ask. */
static enum outcome put_server_key(struct instance *instance, struct buf *out)
{
	return ca_key_pem(instance->server.key, (struct span){0}, out);
}

static enum outcome put_passphrase(struct instance *instance, struct buf *out)
{
	if (instance->passphrase.len == 0)
		return EST_OK;
	buf_add_span(out, buf_span(&instance->passphrase));
	buf_add_byte(out, '\n');
	return EST_OK;
}

/* A string of libconfig: it knows \", \\ and \xNN. */
static void put_quoted(struct buf *out, const char *text)
{
	buf_add_byte(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_add_byte(out, '\\');
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			buf_printf(out, "\\x%02x", (unsigned char)*text);
		else
			buf_add_byte(out, (unsigned char)*text);
	}
	buf_add_byte(out, '"');
}

static enum outcome put_configuration(struct instance *instance, struct buf *out)
{
	const char *log = instance->log;

	buf_add_string(out, "# Made by est-admin init. Every key is explained in est.conf(5); "
			    "est-admin check looks for\n"
			    "# mistakes. Paths are relative to this file's directory.\n\n"
			    "state = \"state\";\nlog = ");
	put_quoted(out, log == NULL ? "syslog" : log);
	buf_add_string(out,
	    ";\n"
	    "server_certificates = \"server.pem\";  # whose key no device may have\n\n"
	    "ca = (\n"
	    "  {\n"
	    "    name = \"devices\";\n"
	    "    certificate = \"devices.pem\";  # the issuing CA, then its root\n"
	    "    key = \"devices.key\";\n");
	if (instance->passphrase.len > 0)
		buf_add_string(out, "    passphrase = \"passphrase\";\n");
	buf_add_string(out, "  }\n"
			    ");\n\n"
			    "profile = (\n"
			    "  {\n"
			    "    name = \"device\";\n"
			    "    validity = \"90d\";\n"
			    "  }\n"
			    ");\n\n"
			    "label = (\n"
			    "  {\n"
			    "    name = \"\";  # the default label: /.well-known/est/simpleenroll\n"
			    "    ca = \"devices\";\n"
			    "    profile = \"device\";\n"
			    "    authenticate = [ \"basic\", \"secret\", \"certificate\" ];\n"
			    "  }\n"
			    ");\n");
	return EST_OK;
}

/* --- the files --- */

enum owner { OWN, WEB_SERVER }; /* WEB_SERVER: readable by its group, where there is one */

static const struct file {
	const char *name;
	enum owner owner;
	mode_t mode;
	enum outcome (*put)(struct instance *instance, struct buf *out); /* nothing put: no file */
} files[] = {
    {"root.key", OWN, 0600, put_root_key}, {"root.pem", OWN, 0644, put_root},
    {"devices.key", WEB_SERVER, 0640, put_issuing_key}, {"devices.pem", OWN, 0644, put_chain},
    {"server.key", OWN, 0600, put_server_key}, {"server.pem", OWN, 0644, put_server},
    {"client-cas.pem", OWN, 0644, put_chain}, {"trust.pem", OWN, 0644, put_root},
    {"passphrase", WEB_SERVER, 0640, put_passphrase},
    {"est.conf", WEB_SERVER, 0640, put_configuration}, /* the last: it makes the instance one */
};

#define FILES (sizeof(files) / sizeof(files[0]))

static enum outcome failed(const char *verb, const char *path)
{
	enum outcome outcome = EST_UNAVAILABLE;

	if (errno == EACCES || errno == EPERM)
		outcome = EST_FORBIDDEN;
	else if (errno == ENOENT)
		outcome = EST_NOT_FOUND;
	else if (errno == EEXIST)
		outcome = EST_CONFLICT;
	return reason(outcome, "cannot %s %s: %s", verb, path, strerror(errno));
}

/* To the web server's group, and what is the workers' own to their user, too. */
static enum outcome give(const struct instance *instance, const char *path, bool own)
{
	uid_t owner = own && geteuid() == 0 ? instance->worker.uid : (uid_t)-1;

	if (!instance->shared || chown(path, owner, instance->worker.gid) == 0)
		return EST_OK;
	return failed("give the web server's group", path);
}

static enum outcome write_file(
    struct instance *instance, const struct file *file, struct span content)
{
	char *path = file_path(instance->directory, file->name);
	bool shared = file->owner == WEB_SERVER && instance->shared;
	mode_t mode = file->owner == WEB_SERVER && !instance->shared ? 0600 : file->mode;
	enum outcome outcome = file_create(path, mode, content);

	if (outcome == EST_OK && shared) {
		outcome = give(instance, path, false);
		if (outcome != EST_OK)
			(void)unlink(path);
	}
	free(path);
	return outcome;
}

enum outcome instance_refuse(const struct instance *instance)
{
	static const char *const names[] = {"est.conf", "state"};
	struct stat status;
	enum outcome outcome = EST_OK;

	for (size_t i = 0; i < 2 + FILES && outcome == EST_OK; i++) {
		char *path = file_path(instance->directory, i < 2 ? names[i] : files[i - 2].name);
		if (lstat(path, &status) == 0)
			outcome = reason(EST_CONFLICT,
			    "%s exists already, nothing was changed; give another DIR", path);
		free(path);
	}
	return outcome;
}

/* The workers' own; what is made in it later belongs to their group (setgid). */
static enum outcome make_state(const struct instance *instance, const char *path)
{
	enum outcome outcome = EST_OK;

	if (mkdir(path, 0700) != 0)
		return failed("make", path);
	outcome = give(instance, path, true);
	if (outcome == EST_OK && chmod(path, instance->shared ? 02770 : 0700) != 0)
		outcome = failed("set the mode of", path);
	if (outcome != EST_OK)
		(void)rmdir(path);
	return outcome;
}

/* The workers could not make a file in DIR. A log that is there is theirs to continue. */
static enum outcome make_log(const struct instance *instance)
{
	const char *log = instance->log;
	enum outcome outcome;
	char *path;

	if (log == NULL || strcmp(log, "syslog") == 0)
		return EST_OK;
	path = file_path(instance->directory, log);
	outcome = file_create(path, 0640, (struct span){0});
	if (outcome == EST_CONFLICT) {
		reason_clear();
		outcome = EST_OK;
	} else if (outcome == EST_OK) {
		outcome = give(instance, path, true);
		if (outcome != EST_OK)
			(void)unlink(path);
	}
	free(path);
	return outcome;
}

static void take_back(const struct instance *instance, size_t written, const char *state)
{
	while (written-- > 0) {
		char *path = file_path(instance->directory, files[written].name);
		(void)unlink(path);
		free(path);
	}
	(void)rmdir(state);
}

/*
 * Writes all or nothing. The directory `state` is made first: of two that make an instance, one
 * fails there.
 */
static enum outcome write_all(struct instance *instance, struct buf contents[static FILES])
{
	char *state = file_path(instance->directory, "state");
	enum outcome outcome = make_state(instance, state);
	bool made = outcome == EST_OK;
	size_t written = 0;

	for (; written < FILES && outcome == EST_OK; written++)
		if (contents[written].len > 0)
			outcome =
			    write_file(instance, &files[written], buf_span(&contents[written]));
	if (outcome == EST_OK)
		outcome = make_log(instance);
	else if (written > 0)
		written--; /* that one was not */
	if (outcome != EST_OK && made)
		take_back(instance, written, state);
	free(state);
	return outcome;
}

static enum outcome make_directory(const struct instance *instance)
{
	if (mkdir(instance->directory, 0755) != 0)
		return errno == EEXIST ? EST_OK : failed("make", instance->directory);
	/* Whatever the umask: the workers have to get through. */
	if (instance->shared && chmod(instance->directory, 0755) != 0)
		return failed("set the mode of", instance->directory);
	return EST_OK;
}

/* A signal between the first file and the last would leave half an instance. */
static enum outcome publish(struct instance *instance, struct buf contents[static FILES])
{
	sigset_t all, before;
	enum outcome outcome;

	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before);
	outcome = make_directory(instance);
	if (outcome == EST_OK)
		outcome = write_all(instance, contents);
	if (outcome != EST_OK)
		(void)rmdir(instance->directory); /* only if it is empty */
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return outcome;
}

enum outcome instance_write(struct instance *instance)
{
	struct buf contents[FILES] = {0};
	enum outcome outcome = EST_OK;

	for (size_t i = 0; i < FILES && outcome == EST_OK; i++)
		outcome = files[i].put(instance, &contents[i]);
	if (outcome == EST_OK)
		outcome = publish(instance, contents);
	for (size_t i = 0; i < FILES; i++)
		buf_cleanse(&contents[i]);
	return outcome;
}
