/*
 * client_enroll.h - what the verbs that ask for a first certificate have in common.
 */
#ifndef EST_CLIENT_ENROLL_H
#define EST_CLIENT_ENROLL_H

#include "admin/client_request.h"
#include "admin/client_run.h"

/*
 * Checks the options of enroll and keygen and makes the request out of them. cli_usage() where one
 * is missing or wrong.
 */
enum outcome client_enroll_options(
    const struct client_options *options, struct client_request *request);

/*
 * Opens a device directory, made if absent, takes the credentials of the options, whose password
 * the caller wipes, fetches the CA's certificates, and follows the server's CSR attributes where
 * --attributes says so. The caller closes the run whatever the outcome.
 */
enum outcome client_enroll_begin(const struct client_options *options, struct client_run *run,
    struct client_request *request, struct buf *password);

#endif
