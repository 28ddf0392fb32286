/*
 * cmd_user.c - est-admin user: who may ask for certificates with a password.
 */
#include <string.h>

#include "admin/command.h"
#include "admin/grant.h"
#include "common/auth/password.h"

/* Whom the web server authenticates is looked for by the name in lower-case letters. */
static enum outcome check_server_user(const char *name)
{
	struct buf lower = {0};
	enum outcome outcome = EST_OK;

	buf_add_lower(&lower, name);
	if (strcmp(buf_string(&lower), name) != 0)
		outcome = reason(EST_MALFORMED,
		    "the web server's users are compared in lower-case letters: write %.255s",
		    buf_string(&lower));
	buf_free(&lower);
	return outcome;
}

enum outcome cmd_user_add(void *context, const struct cli_call *call)
{
	struct admin *admin = context;
	struct buf hash = {0};
	enum outcome outcome;

	if (admin->no_password) {
		outcome = check_server_user(call->arguments[0]);
		buf_add_string(&hash, PASSWORD_NONE);
	} else {
		outcome = password_hash(buf_span(&admin->secret), &hash);
	}
	if (outcome == EST_OK)
		outcome = grant_add(admin, &grant_user, call->arguments[0], buf_string(&hash));
	buf_cleanse(&hash);
	return outcome;
}

enum outcome cmd_user_edit(void *context, const struct cli_call *call)
{
	struct admin *admin = context;

	if (admin->names.count == 0 && admin->labels.count == 0 && admin->roles.count == 0 &&
	    admin->ends == NULL && admin->uses < 0 && !admin->no_password)
		return cli_usage("nothing to change: no option says what the user may do");
	return grant_edit(
	    admin, &grant_user, call->arguments[0], admin->no_password ? PASSWORD_NONE : NULL);
}

enum outcome cmd_user_list(void *context, const struct cli_call *call)
{
	(void)call;
	return grant_list(context, &grant_user);
}

enum outcome cmd_user_show(void *context, const struct cli_call *call)
{
	return grant_show(context, &grant_user, call->arguments[0]);
}

enum outcome cmd_user_delete(void *context, const struct cli_call *call)
{
	return grant_delete(context, &grant_user, call->arguments[0]);
}

enum outcome cmd_user_password(void *context, const struct cli_call *call)
{
	struct admin *admin = context;
	struct buf hash = {0};
	enum outcome outcome = password_hash(buf_span(&admin->secret), &hash);

	if (outcome == EST_OK)
		outcome = grant_edit(admin, &grant_user, call->arguments[0], buf_string(&hash));
	buf_cleanse(&hash);
	return outcome;
}

static void print_verified(const struct admin *admin, const struct user_record *user, bool right)
{
	if (admin->json) {
		json_t *object = json_object();
		json_object_set_new(object, "name", cli_json_text(user->name));
		json_object_set_new(object, "right", json_boolean(right));
		json_object_set_new(object, "state", cli_json_text(grant_state(user)));
		json_object_set_new(object, "hash", cli_json_text(grant_hash(user)));
		cli_json_print(object);
	} else if (right) {
		cli_print("the password is right; the user is %s", grant_state(user));
	}
}

enum outcome cmd_user_verify(void *context, const struct cli_call *call)
{
	struct admin *admin = context;
	struct user_record user = {0};
	enum outcome outcome = grant_find(admin, &grant_user, call->arguments[0], &user);

	if (outcome == EST_OK) {
		outcome = password_verify(buf_span(&admin->secret), user.password);
		if (outcome == EST_OK || outcome == EST_UNAUTHENTICATED)
			print_verified(admin, &user, outcome == EST_OK);
		if (outcome == EST_UNAUTHENTICATED) {
			reason_clear();
			outcome = reason(
			    outcome, "the password is wrong; the user is %s", grant_state(&user));
		}
	}
	user_record_clear(&user);
	return outcome;
}
