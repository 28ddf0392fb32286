/*
 * cmd_ra.c - est-admin ra: registration authorities (RFC 7030 3.7), who ask for the names of
 * others.
 *
 * Which certificate is one's is the CA's word: it is of ours, has the device name that stands
 * here, and the purpose id-kp-cmcRA. What it may ask for stands here only.
 */
#include "admin/command.h"
#include "admin/grant.h"
#include "common/auth/password.h"

enum outcome cmd_ra_add(void *context, const struct cli_call *call)
{
	return grant_add(context, &grant_ra, call->arguments[0], PASSWORD_NONE);
}

enum outcome cmd_ra_list(void *context, const struct cli_call *call)
{
	(void)call;
	return grant_list(context, &grant_ra);
}

enum outcome cmd_ra_show(void *context, const struct cli_call *call)
{
	return grant_show(context, &grant_ra, call->arguments[0]);
}

enum outcome cmd_ra_delete(void *context, const struct cli_call *call)
{
	return grant_delete(context, &grant_ra, call->arguments[0]);
}
