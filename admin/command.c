#include "admin/command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "admin/worker.h"
#include "common/base/escape.h"

static volatile sig_atomic_t caught;

static void catch_signal(int number)
{
	caught = number;
}

bool command_stopped(void)
{
	return caught != 0;
}

/* A process that dies inside the store makes all others wait for a recovery. */
static void hold_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	struct sigaction action = {.sa_handler = catch_signal, .sa_flags = (int)SA_RESETHAND};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &action, NULL);
}

static enum outcome read_password(struct admin *admin, const struct cli_call *call)
{
	struct buf prompt = {0};
	enum outcome outcome;

	buf_add_string(&prompt, "new password of ");
	cli_escape(&prompt, span_of(call->arguments[0]));
	outcome = cli_secret(
	    admin->password_file, "--password-file", buf_string(&prompt), true, &admin->password);
	buf_free(&prompt);
	return outcome;
}

/*
 * Without this check root, who can read everything, would be told of a missing permission by
 * whatever failed.
 */
static enum outcome become_worker(const char *config_file)
{
	struct config *config = NULL;
	struct worker worker;
	enum outcome outcome = config_load(config_file, &config);

	if (outcome == EST_OK)
		outcome = worker_find(config->state, &worker);
	if (outcome == EST_OK)
		outcome = worker_become(&worker);
	if (outcome == EST_OK && access(config_file, R_OK) != 0)
		outcome = reason(EST_FORBIDDEN,
		    "the user %s, who owns the state directory, cannot read %s (%s), nor could the "
		    "web server's workers; see est-admin check",
		    worker.name, config_file, strerror(errno));
	config_free(config);
	return outcome;
}

enum outcome command_open(struct admin *admin, const struct cli_call *call)
{
	unsigned opens = call->command->opens;
	enum outcome outcome = EST_OK;

	if (admin->json && admin->csv)
		outcome = cli_usage("--json and --csv are two forms of the same; take one");
	if (outcome == EST_OK && (opens & COMMAND_NAMES) != 0 && admin->names.count == 0)
		outcome =
		    cli_usage("--names is missing: for which names may the user ask? '*' is all");
	if (outcome == EST_OK && (opens & COMMAND_NEW_PASSWORD) != 0)
		outcome = read_password(admin, call);
	if ((opens & SERVICE_STORE) != 0)
		hold_signals();
	if (outcome == EST_OK && (opens & SERVICE_STORE) != 0)
		outcome = become_worker(config_path(admin->config));
	if (outcome == EST_OK && (opens & COMMAND_SERVICE) != 0)
		outcome = service_open(admin->config, opens & 0xff, &admin->service);
	return outcome;
}

void command_close(struct admin *admin)
{
	service_close(admin->service);
	buf_cleanse(&admin->password);
	cli_list_free(&admin->hosts);
	cli_list_free(&admin->names);
	cli_list_free(&admin->labels);
	if (caught != 0) {
		cli_progress_end();
		(void)raise(caught);
	}
}

/* FILE may be a pipe or a device: so it is written to, and not replaced. */
enum outcome command_output(struct admin *admin, struct span content)
{
	FILE *file;
	bool written;

	if (admin->output == NULL) {
		(void)fwrite(
		    content.data, 1, content.len, stdout); /* cli_finish() sees a failure */
		return EST_OK;
	}
	service_close(admin->service);
	admin->service = NULL;
	worker_resign();
	file = fopen(admin->output, "we");
	written = file != NULL && fwrite(content.data, 1, content.len, file) == content.len;
	if (file != NULL)
		written = fclose(file) == 0 && written;
	return written
		   ? EST_OK
		   : reason(EST_UNAVAILABLE, "cannot write %s: %s", admin->output, strerror(errno));
}

void command_csv(const char *const *cells, size_t count)
{
	struct buf row = {0};

	for (size_t i = 0; i < count; i++) {
		buf_add_string(&row, i == 0 ? "" : ",");
		csv_cell(&row, span_of(cells[i] == NULL ? "" : cells[i]));
	}
	buf_add_string(&row, "\r\n");
	(void)fwrite(row.data, 1, row.len, stdout); /* cli_finish() sees a failure */
	buf_free(&row);
}

void command_fingerprint(struct span der, struct buf *out)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256(der.data, der.len, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		buf_printf(out, "%s%02X", i == 0 ? "" : ":", digest[i]);
}
