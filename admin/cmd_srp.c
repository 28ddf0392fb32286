/*
 * cmd_srp.c - est-admin srp: who may ask for certificates by TLS-SRP (RFC 7030 3.3.3): a verifier
 * in the web server's file, and a user record that says for which names.
 *
 * The file is the caller's, who may be root, and the store is the workers', so the file comes
 * first.
 */
#include "admin/command.h"
#include "admin/grant.h"
#include "admin/worker.h"
#include "common/auth/srp.h"

static enum outcome open_store(struct admin *admin)
{
	static const struct cli_command store = {.opens = COMMAND_STORE};
	const struct cli_call call = {.command = &store};

	return command_open(admin, &call);
}

static void close_store(struct admin *admin)
{
	service_close(admin->service);
	admin->service = NULL;
	worker_resign();
}

static enum outcome need_file(const struct admin *admin)
{
	return admin->verifiers != NULL
		   ? EST_OK
		   : cli_usage("--file is missing: which one does SSLSRPVerifierFile name?");
}

static void remind(const struct admin *admin)
{
	cli_say(
	    "Apache reads %.200s at its start: this counts once it is restarted", admin->verifiers);
}

/* --- add --- */

/* What is half done is undone, unless it took the place of something. */
static void undo(struct admin *admin, const char *name)
{
	close_store(admin);
	if (!admin->replace)
		(void)srp_file_delete(admin->verifiers, name);
}

/* Before a verifier takes the place of another one. */
static enum outcome check(struct admin *admin, const char *name)
{
	enum outcome outcome = open_store(admin);

	if (outcome == EST_OK)
		outcome = grant_check(admin, &grant_srp, name);
	close_store(admin);
	return outcome;
}

enum outcome cmd_srp_add(void *context, const struct cli_call *call)
{
	struct admin *admin = context;
	const char *name = call->arguments[0];
	struct buf info = {0};
	struct srp_user user = {.name = name, .group = admin->srp_group};
	enum outcome outcome = need_file(admin);

	if (outcome == EST_OK)
		outcome = check(admin, name);
	if (outcome != EST_OK)
		return outcome;
	buf_printf(&info, "role=%s", admin->srp_role == NULL ? "enroll" : admin->srp_role);
	user.info = buf_string(&info);
	outcome = srp_file_add(admin->verifiers, &user, buf_span(&admin->secret), admin->replace);
	if (outcome == EST_OK) {
		outcome = open_store(admin);
		if (outcome == EST_OK)
			outcome = grant_add(admin, &grant_srp, name, "*");
		if (outcome != EST_OK)
			undo(admin, name);
		else
			remind(admin);
	}
	buf_free(&info);
	return outcome;
}

/* --- delete --- */

/*
 * From the file first: a user of it without a record may still ask for external_names of est.conf.
 * One of both may be there alone.
 */
enum outcome cmd_srp_delete(void *context, const struct cli_call *call)
{
	struct admin *admin = context;
	const char *name = call->arguments[0];
	enum outcome outcome = need_file(admin), file;

	if (outcome != EST_OK)
		return outcome;
	file = srp_file_delete(admin->verifiers, name);
	if (file != EST_OK && file != EST_NOT_FOUND)
		return file;
	if (file == EST_OK)
		remind(admin);
	reason_clear();
	outcome = open_store(admin);
	if (outcome == EST_OK)
		outcome = grant_delete(admin, &grant_srp, name);
	if (outcome == EST_NOT_FOUND && file == EST_OK) {
		reason_clear();
		outcome = EST_OK;
	}
	return outcome;
}

/* --- list --- */

static json_t *words(const char *const *items)
{
	json_t *array = json_array();

	for (; *items != NULL; items++)
		(void)json_array_append_new(array, cli_json_text(*items));
	return array;
}

/* record: NULL where the store has none. */
static void print_json(const struct srp_user *user, const struct user_record *record)
{
	json_t *object = json_object();

	(void)json_object_set_new(object, "name", cli_json_text(user->name));
	(void)json_object_set_new(object, "information", cli_json_text(user->info));
	(void)json_object_set_new(object, "group", cli_json_text(user->group));
	(void)json_object_set_new(object, "revoked", json_boolean(user->revoked));
	(void)json_object_set_new(
	    object, "names", record == NULL ? json_null() : words(record->names));
	(void)json_object_set_new(
	    object, "labels", record == NULL ? json_null() : words(record->labels));
	if (record != NULL)
		grant_json_limits(object, record);
	cli_json_print(object);
}

#define ROW "%-24s %-6s %-8s %-20s %-9s %-16s %s"

static void print_row(const struct srp_user *user, const struct user_record *record)
{
	const char *state = record == NULL ? "-" : grant_state(record);
	struct buf names = {0}, uses = {0};
	char time[CLOCK_TEXT];

	if (record == NULL)
		buf_printf(&names, "%s (no record)", user->name);
	else
		for (size_t i = 0; record->names[i] != NULL; i++)
			buf_printf(&names, "%s%s", i == 0 ? "" : ",", record->names[i]);
	cli_print(ROW, user->name, user->group, user->revoked ? "revoked" : state,
	    record == NULL ? "-" : grant_expiry(record, time),
	    record == NULL ? "-" : grant_uses(&uses, record),
	    user->info[0] == '\0' ? "-" : user->info, buf_string(&names));
	buf_free(&names);
	buf_free(&uses);
}

static enum outcome print_user(const struct admin *admin, const struct srp_user *user)
{
	struct user_record record = {0};
	enum outcome outcome = grant_find(admin, &grant_srp, user->name, &record);
	const struct user_record *found = outcome == EST_OK ? &record : NULL;

	if (outcome == EST_NOT_FOUND) {
		reason_clear();
		outcome = EST_OK;
	}
	if (outcome == EST_OK && admin->json)
		print_json(user, found);
	else if (outcome == EST_OK)
		print_row(user, found);
	user_record_clear(&record);
	return outcome;
}

enum outcome cmd_srp_list(void *context, const struct cli_call *call)
{
	struct admin *admin = context;
	struct srp_users users = {0};
	enum outcome outcome = need_file(admin);

	(void)call;
	if (outcome == EST_OK)
		outcome = srp_file_read(admin->verifiers, &users);
	if (outcome == EST_OK)
		outcome = open_store(admin);
	if (outcome == EST_OK && !admin->json && users.count > 0)
		cli_print(ROW, "USER", "GROUP", "STATE", "EXPIRES", "USES", "INFORMATION", "NAMES");
	for (size_t i = 0; i < users.count && outcome == EST_OK && !command_stopped(); i++)
		outcome = print_user(admin, &users.user[i]);
	srp_users_clear(&users);
	return outcome;
}
