#include "cgi/request.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "common/base/clock.h"

/*
 * What a value may be. What a client writes into a field is bounded by its web server (8 KiB,
 * HAProxy 16), so that a longer one is no client's. The path comes percent-decoded, so
 * any octet may be a client's, and path_split() answers for it. A certificate is PEM,
 * with its lines, or one line of base64.
 */
enum { TEXT = 1, LINES = 2 };

#define NAME(name)    name, sizeof(name) - 1
#define PLACE(member) offsetof(struct request, member)

#define WORD        64, TEXT
#define PHRASE      1024, TEXT
#define FIELD       (16 << 10), TEXT
#define PATH        (16 << 10), 0
#define CERTIFICATE (128 << 10), TEXT | LINES

/* Which variable goes where: the only list of CGI names. */
static const struct variable {
	const char *name;
	size_t len; /* of the name */
	size_t offset;
	size_t most; /* octets */
	unsigned form;
} variables[] = {
    {NAME("REQUEST_METHOD"), PLACE(method), FIELD},
    {NAME("SCRIPT_NAME"), PLACE(script_name), PATH},
    {NAME("PATH_INFO"), PLACE(path_info), PATH},
    {NAME("CONTENT_TYPE"), PLACE(content_type), FIELD},
    {NAME("CONTENT_LENGTH"), PLACE(content_length), WORD},
    {NAME("HTTP_CONTENT_ENCODING"), PLACE(content_encoding), FIELD},
    {NAME("HTTPS"), PLACE(https), WORD},
    {NAME("REMOTE_ADDR"), PLACE(remote_addr), PHRASE},
    {NAME("HTTP_USER_AGENT"), PLACE(user_agent), FIELD},
    {NAME("HTTP_AUTHORIZATION"), PLACE(authorization), FIELD},
    {NAME("SSL_PROTOCOL"), PLACE(tls_protocol), WORD},
    {NAME("SSL_CIPHER"), PLACE(tls_cipher), WORD},
    {NAME("SSL_SESSION_RESUMED"), PLACE(tls_resumed), WORD},
    {NAME("SSL_SRP_USER"), PLACE(srp_user), PHRASE},
    {NAME("SSL_SRP_USERINFO"), PLACE(srp_info), PHRASE},
    {NAME("REMOTE_USER"), PLACE(remote_user), FIELD},
    {NAME("AUTH_TYPE"), PLACE(auth_type), FIELD},
    {NAME("SERVER_SOFTWARE"), PLACE(server_software), PHRASE},
    {NAME("SSL_CLIENT_VERIFY"), PLACE(client_verify), PHRASE},
    {NAME("SSL_CLIENT_CERT"), PLACE(client_certificate), CERTIFICATE},
    {NAME("SSL_CLIENT_CERT_CHAIN"), PLACE(client_chain[0]), CERTIFICATE},
    {NAME("SSL_CLIENT_CERT_CHAIN_0"), PLACE(client_chain[0]), CERTIFICATE},
    {NAME("SSL_CLIENT_CERT_CHAIN_1"), PLACE(client_chain[1]), CERTIFICATE},
    {NAME("SSL_CLIENT_CERT_CHAIN_2"), PLACE(client_chain[2]), CERTIFICATE},
    {NAME("SSL_CLIENT_CERT_CHAIN_3"), PLACE(client_chain[3]), CERTIFICATE},
    {NAME("SSL_CLIENT_CERT_CHAIN_4"), PLACE(client_chain[4]), CERTIFICATE},
    {NAME("SSL_CLIENT_CERT_CHAIN_5"), PLACE(client_chain[5]), CERTIFICATE},
    {NAME("SSL_CLIENT_CERT_CHAIN_6"), PLACE(client_chain[6]), CERTIFICATE},
    {NAME("SSL_CLIENT_CERT_CHAIN_7"), PLACE(client_chain[7]), CERTIFICATE},
};

#define FIXED    (sizeof(variables) / sizeof(variables[0]))
#define BINDINGS (sizeof(bindings) / sizeof(bindings[0]))

/* The two whose names est.conf can change. */
static struct variable bindings[] = {
    {NAME("TLS_UNIQUE"), PLACE(tls_unique), PHRASE},
    {NAME("TLS_EXPORTER"), PLACE(tls_exporter), PHRASE},
};

static const struct variable *variable_at(size_t i)
{
	return i < FIXED ? &variables[i] : &bindings[i - FIXED];
}

_Static_assert(FIXED + BINDINGS == REQUEST_VARIABLES, "request.h says how many there are");
_Static_assert(REQUEST_CHAIN_MAX == 8, "variables[] lists the chain's places");

void request_bindings(const char *unique, const char *exporter)
{
	bindings[0].name = unique;
	bindings[0].len = strlen(unique);
	bindings[1].name = exporter;
	bindings[1].len = strlen(exporter);
}

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

bool request_rule(struct span name, struct request_rule *rule)
{
	for (size_t i = 0; i < REQUEST_VARIABLES; i++) {
		const struct variable *variable = variable_at(i);
		if (variable->len == 0 || variable->len != name.len ||
		    memcmp(variable->name, name.data, name.len) != 0)
			continue;
		*rule = (struct request_rule){
		    i, variable->most, (variable->form & TEXT) != 0, (variable->form & LINES) != 0};
		return true;
	}
	return false;
}

void request_read(struct request *request, request_variable *variable, void *source)
{
	*request = (struct request){.started = clock_microseconds()};
	make_id(request->id);
	for (size_t i = 0; i < REQUEST_VARIABLES; i++) {
		const struct variable *row = variable_at(i);
		const char *value = row->len == 0 ? NULL : variable(source, row->name);
		char **to = member(request, row);
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
	for (size_t i = 0; i < REQUEST_VARIABLES; i++) {
		char **value = member(request, variable_at(i));
		if (*value != NULL && value == &request->authorization)
			explicit_bzero(*value, strlen(*value));
		free(*value);
		*value = NULL;
	}
	buf_free(&request->path);
	buf_cleanse(&request->body); /* requests hold challenges and secrets */
	buf_free(&request->facts);
}

bool request_has_method(const struct request *request, const char *method)
{
	if (request->method == NULL)
		return false;
	return strcmp(request->method, method) == 0 ||
	       (strcmp(method, "GET") == 0 && strcmp(request->method, "HEAD") == 0);
}
