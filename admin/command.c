#include "admin/command.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/sha.h>

#include "admin/worker.h"
#include "common/base/escape.h"
#include "common/base/file.h"
#include "common/base/utf8.h"

#define LOGIN_MOST 64         /* octets of a login name that are kept */
#define INPUT_MOST (64 << 20) /* octets of a file that is read whole */
#define INPUT_STEP 65536

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

static enum outcome read_secret(struct admin *admin, const struct cli_call *call)
{
	bool makes = (call->command->opens & COMMAND_NEW_PASSWORD) != 0;
	bool asks = makes || (call->command->opens & COMMAND_PASSWORD) != 0;
	struct buf prompt = {0};
	enum outcome outcome;

	if (admin->no_password && admin->secret_file != NULL)
		return cli_usage("--no-password and --password-file contradict each other");
	if (admin->no_password || (!asks && admin->secret_file == NULL))
		return EST_OK;
	if (asks) {
		buf_add_string(&prompt, makes ? "new password of " : "password of ");
		cli_escape(&prompt, span_of(call->arguments[0]));
	}
	outcome = cli_secret(
	    admin->secret_file, "--password-file", buf_string(&prompt), makes, &admin->secret);
	buf_free(&prompt);
	return outcome;
}

static enum outcome read_stdin(struct buf *out)
{
	ssize_t got;

	do {
		buf_reserve(out, INPUT_STEP);
		got = read(STDIN_FILENO, out->data + out->len, INPUT_STEP);
		if (got > 0)
			out->len += (size_t)got;
		if (out->len > INPUT_MOST)
			return reason(EST_MALFORMED, "stdin is longer than %d bytes", INPUT_MOST);
	} while (got > 0 || (got < 0 && errno == EINTR && !command_stopped()));
	return got == 0 ? EST_OK
			: reason(EST_UNAVAILABLE, "cannot read stdin: %s", strerror(errno));
}

/* Root's file cannot be read any more once the store is open. */
static enum outcome read_input(struct admin *admin, const char *file)
{
	if (strcmp(file, "-") == 0)
		return read_stdin(&admin->input);
	return file_read(file, INPUT_MOST, &admin->input);
}

/* As its caller, who may write where the workers' user may not. */
static enum outcome open_sink(struct admin *admin)
{
	const char *file = admin->output != NULL ? admin->output : admin->qr;

	if (file == NULL || strcmp(file, "-") == 0)
		return EST_OK;
	return sink_open(file, &admin->sink);
}

static bool is_text(const char *text)
{
	struct span rest = span_of(text);

	while (rest.len > 0) {
		uint32_t c;
		size_t len = utf8_decode(rest, &c);
		if (len == 0 || utf8_is_control(c))
			return false;
		rest.data += len;
		rest.len -= len;
	}
	return true;
}

enum outcome command_text(const char *what, const char *text, size_t most)
{
	size_t len = strlen(text);

	if (len == 0 || len > most)
		return reason(EST_MALFORMED, "%s has to have 1 to %zu octets", what, most);
	return is_text(text) ? EST_OK
			     : reason(EST_MALFORMED,
				   "%s may hold no control character and nothing but UTF-8", what);
}

/* The environment is the caller's; but whoever may run this may write to the store anyway. */
static void find_operator(struct buf *out)
{
	const struct passwd *user = getpwuid(getuid());
	const char *login = getenv("SUDO_USER");

	buf_add_string(out, "admin:");
	if (login != NULL && login[0] != '\0' && strlen(login) <= LOGIN_MOST && is_text(login))
		buf_add_string(out, login);
	else if (user != NULL)
		buf_add_string(out, user->pw_name);
	else
		buf_printf(out, "%lu", (unsigned long)getuid());
}

enum outcome command_label(const struct admin *admin, const char *word, const char **label)
{
	const struct config *config = admin->service->config;
	const char *name = strcmp(word, "-") == 0 ? "" : word;

	for (size_t i = 0; i < config->label_count; i++) {
		if (strcmp(config->labels[i].name, name) == 0) {
			*label = config->labels[i].name;
			return EST_OK;
		}
	}
	return reason(EST_NOT_FOUND, "there is no label \"%.80s\" in %s", word, config->path);
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

/* Who gets no certificates needs no names. */
static bool is_to_enroll(const struct admin *admin)
{
	for (size_t i = 0; i < admin->roles.count; i++)
		if (strcmp(admin->roles.items[i], user_role_name(ROLE_ENROLL)) == 0)
			return true;
	return admin->roles.count == 0;
}

enum outcome command_open(struct admin *admin, const struct cli_call *call)
{
	unsigned opens = call->command->opens;
	enum outcome outcome = EST_OK;

	if (admin->json && admin->csv)
		outcome = cli_usage("--json and --csv are two forms of the same; take one");
	if (outcome == EST_OK && (opens & COMMAND_NAMES) != 0 && admin->names.count == 0 &&
	    is_to_enroll(admin))
		outcome = cli_usage("--names is missing: which names may be asked for? '*' is all");
	if (outcome == EST_OK &&
	    (opens & (COMMAND_NEW_PASSWORD | COMMAND_PASSWORD | COMMAND_SECRET)) != 0)
		outcome = read_secret(admin, call);
	if (outcome == EST_OK && (opens & COMMAND_INPUT) != 0)
		outcome = read_input(admin, call->arguments[0]);
	if (outcome == EST_OK && (opens & COMMAND_TABLE) != 0 && admin->table != NULL)
		outcome = read_input(admin, admin->table);
	if (outcome == EST_OK && (opens & COMMAND_SINK) != 0)
		outcome = open_sink(admin);
	if (outcome == EST_OK && (opens & COMMAND_OPERATOR) != 0)
		find_operator(&admin->operator);
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
	if (admin->sink != NULL)
		worker_resign();
	sink_close(admin->sink);
	buf_cleanse(&admin->secret);
	buf_cleanse(&admin->input);
	buf_free(&admin->operator);
	cli_list_free(&admin->hosts);
	cli_list_free(&admin->names);
	cli_list_free(&admin->labels);
	cli_list_free(&admin->roles);
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

/* Within a name a comma is %2C. */
json_t *command_names(const char *names)
{
	json_t *array = json_array();

	while (*names != '\0') {
		size_t len = strcspn(names, ",");
		struct buf name = {0};
		buf_add(&name, names, len);
		json_array_append_new(array, cli_json_text(buf_string(&name)));
		buf_free(&name);
		names += len + (names[len] == ',');
	}
	return array;
}

enum outcome command_pem(const char *type, struct span der, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool fine = bio != NULL && PEM_write_bio(bio, type, "", der.data, (long)der.len) > 0;

	if (fine) {
		char *data;
		long len = BIO_get_mem_data(bio, &data);
		buf_add(out, data, (size_t)len);
	}
	BIO_free(bio);
	return fine ? EST_OK : reason_openssl(EST_INTERNAL, "cannot write PEM");
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
