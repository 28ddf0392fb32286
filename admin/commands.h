/*
 * commands.h - what runs behind each row of est-admin's table. Contract and context are those of
 * cli.h: the values are a struct admin.
 */
#ifndef EST_COMMANDS_H
#define EST_COMMANDS_H

#include "admin/cli.h"

enum outcome cmd_init(void *admin, const struct cli_call *call);
enum outcome cmd_check(void *admin, const struct cli_call *call);
enum outcome cmd_user_add(void *admin, const struct cli_call *call);
enum outcome cmd_user_edit(void *admin, const struct cli_call *call);
enum outcome cmd_user_import(void *admin, const struct cli_call *call);
enum outcome cmd_user_verify(void *admin, const struct cli_call *call);
enum outcome cmd_user_list(void *admin, const struct cli_call *call);
enum outcome cmd_user_show(void *admin, const struct cli_call *call);
enum outcome cmd_user_delete(void *admin, const struct cli_call *call);
enum outcome cmd_user_password(void *admin, const struct cli_call *call);
enum outcome cmd_ra_add(void *admin, const struct cli_call *call);
enum outcome cmd_ra_list(void *admin, const struct cli_call *call);
enum outcome cmd_ra_show(void *admin, const struct cli_call *call);
enum outcome cmd_ra_delete(void *admin, const struct cli_call *call);
enum outcome cmd_srp_add(void *admin, const struct cli_call *call);
enum outcome cmd_srp_list(void *admin, const struct cli_call *call);
enum outcome cmd_srp_delete(void *admin, const struct cli_call *call);
enum outcome cmd_device_add(void *admin, const struct cli_call *call);
enum outcome cmd_device_bulk(void *admin, const struct cli_call *call); /* device add --csv */
enum outcome cmd_device_list(void *admin, const struct cli_call *call);
enum outcome cmd_device_show(void *admin, const struct cli_call *call);
enum outcome cmd_device_delete(void *admin, const struct cli_call *call);
enum outcome cmd_device_block(void *admin, const struct cli_call *call);
enum outcome cmd_device_unblock(void *admin, const struct cli_call *call);
enum outcome cmd_secret_add(void *admin, const struct cli_call *call);
enum outcome cmd_secret_list(void *admin, const struct cli_call *call);
enum outcome cmd_secret_delete(void *admin, const struct cli_call *call);
enum outcome cmd_kek_add(void *admin, const struct cli_call *call);
enum outcome cmd_kek_list(void *admin, const struct cli_call *call);
enum outcome cmd_kek_delete(void *admin, const struct cli_call *call);
enum outcome cmd_request_list(void *admin, const struct cli_call *call);
enum outcome cmd_request_show(void *admin, const struct cli_call *call);
enum outcome cmd_request_approve(void *admin, const struct cli_call *call);
enum outcome cmd_request_deny(void *admin, const struct cli_call *call);
enum outcome cmd_request_delete(void *admin, const struct cli_call *call);
enum outcome cmd_cert_list(void *admin, const struct cli_call *call);
enum outcome cmd_cert_show(void *admin, const struct cli_call *call);
enum outcome cmd_cert_export(void *admin, const struct cli_call *call);
enum outcome cmd_cert_revoke(void *admin, const struct cli_call *call);
enum outcome cmd_cert_lint(void *admin, const struct cli_call *call);
enum outcome cmd_code_list(void *admin, const struct cli_call *call);
enum outcome cmd_code_show(void *admin, const struct cli_call *call);
enum outcome cmd_profile_list(void *admin, const struct cli_call *call);
enum outcome cmd_profile_show(void *admin, const struct cli_call *call);
enum outcome cmd_ca_show(void *admin, const struct cli_call *call);
enum outcome cmd_store_check(void *admin, const struct cli_call *call);
enum outcome cmd_store_checkpoint(void *admin, const struct cli_call *call);
enum outcome cmd_store_statistics(void *admin, const struct cli_call *call);

#endif
