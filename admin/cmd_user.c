/*
 * cmd_user.c - est-admin user: who may ask for certificates with a password.
 */
#include "admin/command.h"
#include "admin/grant.h"
#include "common/auth/password.h"

enum outcome cmd_user_add(void *context, const struct cli_call *call)
{
	struct admin *admin = context;
	struct buf hash = {0};
	enum outcome outcome = password_hash(buf_span(&admin->secret), &hash);

	if (outcome == EST_OK)
		outcome = grant_add(admin, &grant_user, call->arguments[0], buf_string(&hash));
	buf_cleanse(&hash);
	return outcome;
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
	struct user_record user = {0};
	struct buf hash = {0};
	enum outcome outcome = grant_find(admin, &grant_user, call->arguments[0], &user);

	if (outcome == EST_OK)
		outcome = password_hash(buf_span(&admin->secret), &hash);
	if (outcome == EST_OK) {
		user.password = buf_string(&hash);
		outcome = store_user_put(admin->service->store, &user, true);
	}
	user_record_clear(&user);
	buf_cleanse(&hash);
	return outcome;
}
