#include "cgi/request.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "common/base/clock.h"

/* Which variable goes where: the only list of CGI names. */
static const struct variable {
	const char *name;
	size_t offset;
} variables[] = {
    {"REQUEST_METHOD", offsetof(struct request, method)},
    {"SCRIPT_NAME", offsetof(struct request, script_name)},
    {"PATH_INFO", offsetof(struct request, path_info)},
    {"CONTENT_TYPE", offsetof(struct request, content_type)},
    {"CONTENT_LENGTH", offsetof(struct request, content_length)},
    {"HTTP_CONTENT_ENCODING", offsetof(struct request, content_encoding)},
    {"HTTPS", offsetof(struct request, https)},
    {"REMOTE_ADDR", offsetof(struct request, remote_addr)},
    {"HTTP_USER_AGENT", offsetof(struct request, user_agent)},
    {"HTTP_AUTHORIZATION", offsetof(struct request, authorization)},
    {"SSL_PROTOCOL", offsetof(struct request, tls_protocol)},
    {"SSL_CIPHER", offsetof(struct request, tls_cipher)},
    {"SSL_CLIENT_VERIFY", offsetof(struct request, client_verify)},
    {"SSL_CLIENT_CERT", offsetof(struct request, client_certificate)},
    {"SSL_CLIENT_CERT_CHAIN", offsetof(struct request, client_chain[0])},
    {"SSL_CLIENT_CERT_CHAIN_0", offsetof(struct request, client_chain[0])},
    {"SSL_CLIENT_CERT_CHAIN_1", offsetof(struct request, client_chain[1])},
    {"SSL_CLIENT_CERT_CHAIN_2", offsetof(struct request, client_chain[2])},
    {"SSL_CLIENT_CERT_CHAIN_3", offsetof(struct request, client_chain[3])},
    {"SSL_CLIENT_CERT_CHAIN_4", offsetof(struct request, client_chain[4])},
    {"SSL_CLIENT_CERT_CHAIN_5", offsetof(struct request, client_chain[5])},
    {"SSL_CLIENT_CERT_CHAIN_6", offsetof(struct request, client_chain[6])},
    {"SSL_CLIENT_CERT_CHAIN_7", offsetof(struct request, client_chain[7])},
};

#define VARIABLES (sizeof(variables) / sizeof(variables[0]))

_Static_assert(REQUEST_CHAIN_MAX == 8, "variables[] lists the chain's places");

static char **member(struct request *request, const struct variable *variable)
{
	return (char **)(void *)((char *)request + variable->offset);
}

/* Unpredictable, so that nobody can plant the id of another request in a log. */
static void make_id(char id[static REQUEST_ID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char octets[(REQUEST_ID_SIZE - 1) / 2] = {0};

	(void)RAND_bytes(octets, sizeof(octets));
	for (size_t i = 0; i < sizeof(octets); i++) {
		id[2 * i] = digits[octets[i] >> 4];
		id[2 * i + 1] = digits[octets[i] & 15];
	}
	id[REQUEST_ID_SIZE - 1] = '\0';
}

void request_read(struct request *request, request_variable *variable, void *source)
{
	*request = (struct request){.started = clock_microseconds()};
	make_id(request->id);
	for (size_t i = 0; i < VARIABLES; i++) {
		const char *value = variable(source, variables[i].name);
		char **to = member(request, &variables[i]);
		/* Web servers say "none" by leaving a variable out or by leaving it empty. */
		if (value == NULL || value[0] == '\0' || *to != NULL)
			continue;
		*to = mem_string(value);
	}
	if (request->script_name != NULL)
		buf_add_string(&request->path, request->script_name);
	if (request->path_info != NULL)
		buf_add_string(&request->path, request->path_info);
}

void request_clear(struct request *request)
{
	for (size_t i = 0; i < VARIABLES; i++) {
		char **value = member(request, &variables[i]);
		if (*value != NULL && value == &request->authorization)
			explicit_bzero(*value, strlen(*value));
		free(*value);
		*value = NULL;
	}
	buf_free(&request->path);
	buf_free(&request->body);
	buf_free(&request->facts);
}

bool request_has_method(const struct request *request, const char *method)
{
	if (request->method == NULL)
		return false;
	return strcmp(request->method, method) == 0 ||
	       (strcmp(method, "GET") == 0 && strcmp(request->method, "HEAD") == 0);
}
