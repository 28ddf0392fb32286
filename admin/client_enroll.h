/*
 * client_enroll.h - what the verbs that ask for a first certificate have in common.
 */
#ifndef EST_CLIENT_ENROLL_H
#define EST_CLIENT_ENROLL_H

#include "admin/client_request.h"

/*
 * Checks the options of enroll and keygen and makes the request out of them. cli_usage() where one
 * is missing or wrong.
 */
enum outcome client_enroll_options(
    const struct client_options *options, struct client_request *request);

#endif
