/*
 * mod_est.c - what est.fcgi cannot know without the web server's help: an Apache 2.4 module beside
 * mod_ssl, for mod_fcgid, mod_proxy_fcgi and mod_cgid alike.
 *
 * ESTChannelBinding On gives every request the channel binding of its TLS session, by which RFC
 * 7030 3.5 links a certificate request to that session:
 *
 *   TLS_UNIQUE    TLS 1.2: tls-unique (RFC 5929 3), where the session has the extended master
 *                 secret (RFC 9266 1, RFC 7627); else not set
 *   TLS_EXPORTER  TLS 1.3: tls-exporter (RFC 9266 2)
 *
 * both in base64. Whatever stood in these variables before is gone: only this module sets them.
 * After a renegotiation they are those of the last handshake.
 *
 * ESTAcceptExpired On lets client certificates through whose time is over, or has not come, and
 * CRLs likewise. Apache then reports them as SUCCESS: it is for applications that verify
 * certificates themselves, as est.fcgi does. Nothing else of the verification changes.
 *
 * Both are directives of a server or virtual host, Off by default. A handshake begins before the
 * client has named a host: of several name-based virtual hosts on one address and port the first
 * one's ESTAcceptExpired holds.
 *
 * Built by make where Debian's apache2-dev and apache2-ssl-dev are there; see mod_est.conf.
 */
#include <httpd.h>

#include <http_config.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_ssl_openssl.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#define UNIQUE        "TLS_UNIQUE"
#define EXPORTER      "TLS_EXPORTER"
#define EXPORTER_NAME "EXPORTER-Channel-Binding" /* RFC 9266 2 */
#define EXPORTER_LEN  32

/* What the directives of a server say: 0, 1, or UNSET, which takes the main server's. */
#define UNSET (-1)
struct est_server {
	int channel_binding;
	int accept_expired;
};

extern module AP_MODULE_DECLARE_DATA est_module;
APLOG_USE_MODULE(est);

static void *make_server(apr_pool_t *pool, server_rec *server)
{
	struct est_server *made = apr_palloc(pool, sizeof(*made));

	(void)server;
	*made = (struct est_server){UNSET, UNSET};
	return made;
}

static void *merge_servers(apr_pool_t *pool, void *main_server, void *virtual_host)
{
	const struct est_server *base = main_server, *more = virtual_host;
	struct est_server *made = apr_palloc(pool, sizeof(*made));

	made->channel_binding =
	    more->channel_binding == UNSET ? base->channel_binding : more->channel_binding;
	made->accept_expired =
	    more->accept_expired == UNSET ? base->accept_expired : more->accept_expired;
	return made;
}

static struct est_server *server_of(const server_rec *server)
{
	return ap_get_module_config(server->module_config, &est_module);
}

static const char *set_channel_binding(cmd_parms *command, void *directory, int on)
{
	(void)directory;
	server_of(command->server)->channel_binding = on;
	return NULL;
}

static const char *set_accept_expired(cmd_parms *command, void *directory, int on)
{
	(void)directory;
	server_of(command->server)->accept_expired = on;
	return NULL;
}

/*
 * A connection begins: keeps its SSL for the requests that come by it. One to another server, of
 * mod_proxy, is none of ours.
 */
static int pre_handshake(conn_rec *connection, SSL *ssl, int is_proxy)
{
	if (is_proxy)
		return DECLINED;
	ap_set_module_config(connection->conn_config, &est_module, ssl);
	if (server_of(connection->base_server)->accept_expired == 1)
		(void)X509_VERIFY_PARAM_set_flags(SSL_get0_param(ssl), X509_V_FLAG_NO_CHECK_TIME);
	return OK;
}

/* The SSL of the connection that a request came by, its own or the one that it is a stream of. */
static SSL *ssl_of(const request_rec *request)
{
	const conn_rec *connection = request->connection;

	if (connection->master != NULL)
		connection = connection->master;
	return ap_get_module_config(connection->conn_config, &est_module);
}

static void set(request_rec *request, const char *name, const unsigned char *octets, size_t len)
{
	char text[EVP_MAX_MD_SIZE * 2];

	(void)EVP_EncodeBlock((unsigned char *)text, octets, (int)len);
	apr_table_set(request->subprocess_env, name, text);
}

/*
 * The first Finished of the handshake: the client's, or the server's where the session was resumed.
 * Without the extended master secret somebody in between can give two sessions the same one.
 */
static void set_unique(request_rec *request, SSL *ssl)
{
	unsigned char finished[EVP_MAX_MD_SIZE];
	size_t len;

	if (SSL_get_extms_support(ssl) != 1) {
		ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, request,
		    "no tls-unique: the session lacks the extended master secret");
		return;
	}
	if (SSL_session_reused(ssl))
		len = SSL_get_finished(ssl, finished, sizeof(finished));
	else
		len = SSL_get_peer_finished(ssl, finished, sizeof(finished));
	if (len > 0 && len <= sizeof(finished))
		set(request, UNIQUE, finished, len);
}

static void set_exporter(request_rec *request, SSL *ssl)
{
	static const unsigned char context[1];
	unsigned char exported[EXPORTER_LEN];

	/* A context of no octets, which is not the same as none (RFC 9266 2). */
	if (SSL_export_keying_material(ssl, exported, sizeof(exported), EXPORTER_NAME,
		sizeof(EXPORTER_NAME) - 1, context, 0, 1) == 1)
		set(request, EXPORTER, exported, sizeof(exported));
	else
		ERR_clear_error();
}

/* Runs behind every other module that writes variables, just before the handler reads them. */
static int fixups(request_rec *request)
{
	SSL *ssl;

	if (server_of(request->server)->channel_binding != 1)
		return DECLINED;
	apr_table_unset(request->subprocess_env, UNIQUE);
	apr_table_unset(request->subprocess_env, EXPORTER);
	ssl = ssl_of(request);
	if (ssl == NULL)
		return DECLINED;
	if (SSL_version(ssl) == TLS1_3_VERSION)
		set_exporter(request, ssl);
	else if (SSL_version(ssl) <= TLS1_2_VERSION)
		set_unique(request, ssl);
	return DECLINED;
}

static const command_rec commands[] = {
    AP_INIT_FLAG("ESTChannelBinding", set_channel_binding, NULL, RSRC_CONF,
	"Whether requests get " UNIQUE " and " EXPORTER ": On or Off"),
    AP_INIT_FLAG("ESTAcceptExpired", set_accept_expired, NULL, RSRC_CONF,
	"Whether client certificates may be expired: On or Off"),
    {0},
};

static void register_hooks(apr_pool_t *pool)
{
	(void)pool;
	APR_OPTIONAL_HOOK(ssl, pre_handshake, pre_handshake, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_fixups(fixups, NULL, NULL, APR_HOOK_REALLY_LAST);
}

/* clang-format off */
module AP_MODULE_DECLARE_DATA est_module = {
	STANDARD20_MODULE_STUFF,
	NULL, /* of a directory: nothing */
	NULL,
	make_server,
	merge_servers,
	commands,
	register_hooks,
	0,
};
/* clang-format on */
