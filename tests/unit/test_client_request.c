/*
 * What a device asks for: the attributes of its request, and CSR attributes (RFC 7030 4.5.2, RFC
 * 9908) read and followed. The vectors are those of the RFCs and of est-vectors.md.
 */
#include "tests/unit/maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "common/base/encoding.h"

#include "admin/client_csr.h"
#include "admin/client_csrattrs.h"

#define UNUSED (void)state

/* A request of one common name. */
static void start(struct client_request *request, const char *name)
{
	*request = (struct client_request){0};
	assert_int_equal(
	    client_names_make(name, &(struct cli_list){NULL, 0}, &request->names), EST_OK);
}

/* The text of an attribute of the request, in buf; its ASN.1 type, 0 where it is not there. */
static int text_of(X509_REQ *csr, const char *type, char *text, size_t size)
{
	ASN1_OBJECT *object = OBJ_txt2obj(type, 1);
	int at = X509_REQ_get_attr_by_OBJ(csr, object, -1);
	ASN1_TYPE *value = at < 0 ? NULL : X509_ATTRIBUTE_get0_type(X509_REQ_get_attr(csr, at), 0);

	ASN1_OBJECT_free(object);
	if (value == NULL)
		return 0;
	(void)snprintf(text, size, "%.*s", ASN1_STRING_length(value->value.asn1_string),
	    (const char *)ASN1_STRING_get0_data(value->value.asn1_string));
	return ASN1_TYPE_get(value);
}

static void test_bound(void **state)
{
	static const char binding[] = "+rrCir/7+EYu50T4"; /* RFC 7030 A.3 */
	EVP_PKEY *key = maker_key("P-256");
	struct client_request request;
	X509_REQ *bare = NULL, *bound = NULL, *other = NULL;
	char text[100];

	UNUSED;
	start(&request, "pump-1");
	request.bind = true;
	assert_int_equal(client_csr_make(key, &request, NULL, &bare), EST_OK);
	assert_int_equal(text_of(bare, CLIENT_CHALLENGE_PASSWORD, text, sizeof(text)), 0);
	assert_int_equal(client_csr_make(key, &request, binding, &bound), EST_OK);
	assert_int_equal(
	    text_of(bound, CLIENT_CHALLENGE_PASSWORD, text, sizeof(text)), V_ASN1_PRINTABLESTRING);
	assert_string_equal(text, binding);
	assert_int_equal(text_of(bound, CLIENT_IDENTITY_LINKING, text, sizeof(text)), 0);
	assert_int_equal(X509_REQ_verify(bound, key), 1);
	assert_false(client_csr_same(bare, bound));
	request.bind = false;
	request.link = true;
	assert_int_equal(client_csr_make(key, &request, binding, &other), EST_OK);
	assert_int_equal(
	    text_of(other, CLIENT_IDENTITY_LINKING, text, sizeof(text)), V_ASN1_PRINTABLESTRING);
	assert_string_equal(text, binding);
	assert_int_equal(text_of(other, CLIENT_CHALLENGE_PASSWORD, text, sizeof(text)), 0);
	X509_REQ_free(bare);
	X509_REQ_free(bound);
	X509_REQ_free(other);
	client_request_free(&request);
}

/* A file with that line, whose name is in path. */
static void secret_file(char *path, size_t size, const char *line)
{
	FILE *file;
	int at;

	(void)snprintf(path, size, "/tmp/test_client.XXXXXX");
	at = mkstemp(path);
	assert_true(at >= 0);
	file = fdopen(at, "w");
	assert_true(fprintf(file, "%s\n", line) > 0);
	assert_int_equal(fclose(file), 0);
}

static void test_secrets(void **state)
{
	EVP_PKEY *key = maker_key("P-256");
	struct client_request request;
	struct client_options options = {0};
	char file[40], utf8[40], text[100];
	X509_REQ *csr = NULL;

	UNUSED;
	secret_file(file, sizeof(file), "once-only 1");
	secret_file(utf8, sizeof(utf8), "g\xc3\xbcltig");
	start(&request, "pump-1");
	options.challenge_file = file;
	options.otp_file = file;
	options.revocation_file = utf8;
	assert_int_equal(client_request_options(&request, &options), EST_OK);
	assert_true(request.otp && request.revocation);
	assert_int_equal(client_csr_make(key, &request, "AAAA", &csr), EST_OK);
	assert_int_equal(
	    text_of(csr, CLIENT_CHALLENGE_PASSWORD, text, sizeof(text)), V_ASN1_PRINTABLESTRING);
	assert_string_equal(text, "once-only 1");
	assert_int_equal(
	    text_of(csr, CLIENT_OTP_CHALLENGE, text, sizeof(text)), V_ASN1_PRINTABLESTRING);
	assert_int_equal(text_of(csr, CLIENT_REVOCATION, text, sizeof(text)), V_ASN1_UTF8STRING);
	assert_string_equal(text, "g\xc3\xbcltig");
	client_request_free(&request);
	options.bind = true;
	assert_int_equal(client_request_options(&request, &options), EST_MALFORMED);
	X509_REQ_free(csr);
	client_request_free(&request);
	(void)unlink(file);
	(void)unlink(utf8);
}

/* est-vectors.md 4, where its three algorithms are part of ours. */
static void test_key_attributes(void **state)
{
	STACK_OF(X509_ATTRIBUTE) *attributes = NULL;
	unsigned char *der = NULL;
	int len;

	UNUSED;
	assert_int_equal(
	    client_request_add_octets(&attributes, CLIENT_DECRYPT_KEY, span_of("kek-01")), EST_OK);
	len = i2d_X509_ATTRIBUTE(sk_X509_ATTRIBUTE_value(attributes, 0), &der);
	assert_bytes(maker_der("3017060b2a864886f70d0109100225310804066b656b2d3031"),
	    ((struct span){der, (size_t)len}));
	OPENSSL_free(der);
	der = NULL;
	assert_int_equal(client_request_add_capabilities(&attributes), EST_OK);
	len = i2d_X509_ATTRIBUTE(sk_X509_ATTRIBUTE_value(attributes, 1), &der);
	assert_bytes(maker_der("30{06{2a864886f70d01090f}31{30{"
			       "30{06{60864801650304012a}}30{06{60864801650304012d}}"
			       "30{06{608648016503040116}}30{06{608648016503040119}}"
			       "30{06{608648016503040102}}30{06{608648016503040105}}}}}"),
	    ((struct span){der, (size_t)len}));
	OPENSSL_free(der);
	sk_X509_ATTRIBUTE_pop_free(attributes, X509_ATTRIBUTE_free);
}

static struct span decoded(const char *base64)
{
	struct buf der = {0};

	assert_int_equal(base64_decode(&der, span_of(base64)), EST_OK);
	return maker_keep(&der);
}

#define V1                                                                                         \
	"MHwGBysGAQEBARYwIgYDiDcBMRsTGVBhcnNlIFNFVCBhcyAyLjk5OS4xIGRhdGEGCSqGSIb3DQEJBzAsBgOINwIx" \
	"J"                                                                                        \
	"QYDiDcDBgOINwQTGVBhcnNlIFNFVCBhcyAyLjk5OS4yIGRhdGEGCSskAwMCCAEBCwYJYIZIAWUDBAIC"
#define V2                                                                                         \
	"MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjOPQQD" \
	"Aw=="
#define V3 "MDIGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgcrBgEBAQEWBggqhkjOPQQDAw=="
#define V4                                                                                         \
	"MGgwZgYJKoZIhvcNAQkOMVkwVzBVBgNVHREBAf8ESzBJoEcGCCsGAQUFBwgKoDsWOXJmYzg5OTQrZmQ3MzlmYzIz" \
	"Y"                                                                                        \
	"zM0NDAxMTIyMzM0NDU1MDAwMDAwMDArQGFjcC5leGFtcGxlLmNvbQ=="
#define V5 "MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw=="
#define V7                                                                                         \
	"MEUGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAjBgkqhkiG9w0BCRQGCgmSJomT8ixkAQUGA1UEBQYIKoZI" \
	"z"                                                                                        \
	"j0EAwQ="
#define V9                                                                                         \
	"MIGpMIGmBgsqhkiG9w0BCRACPTGBljCBkwIBADAsMQcwBQYDVQQDMQ8wDQYDVQQLDAZteURlcHQxEDAOBgNVBAsM" \
	"B"                                                                                        \
	"215R3JvdXCgFTATBgcqhkjOPQIBBggqhkjOPQMBB6FJMEcGCyqGSIb3DQEJEAI+"                          \
	"MTgwNjAdBgNVHREEFjAUghB3d3"                                                               \
	"cubXlTZXJ2ZXIuY29thwAwDgYDVR0PAQH/BAQDAgOIMAUGA1UdJQ=="
#define V10 "MBgwFgYLKoZIhvcNAQkQAj0xBzAFAgEAoQA="
#define V11                                                                                        \
	"MFsGCSqGSIb3DQEJBzAVBgcqhkjOPQIBMQoGCCqGSM49AwEHBggqhkjOPQQDAjAtBgsqhkiG9w0BCRACPTEeMBwC" \
	"A"                                                                                        \
	"QCgFTATBgcqhkjOPQIBBggqhkjOPQMBB6EA"
#define V14 "MBgGCyqGSIb3DQEJEAI6BgkqhkiG9w0BCQc="
#define V15 "MA0GCyqGSIb3DQEJEAI4"
#define V17 "MB4wEQYJKoZIhvcNAQEBMQQCAgwABgkqhkiG9w0BAQs="
#define V18 "MCYwJAYJKoZIhvcNAQkOMRcwFTATBgNVHSUEDDAKBggrBgEFBQcDAg=="

static void test_vectors(void **state)
{
	static const struct {
		const char *base64;
		size_t count, names, extensions, keys;
		bool template;
	} vectors[] = {
	    {V1, 6, 0, 0, 0, false},
	    {V2, 4, 0, 1, 0, false},
	    {V3, 4, 0, 0, 0, false},
	    {V4, 1, 0, 1, 0, false},
	    {V5, 3, 0, 0, 0, false},
	    {V7, 6, 0, 0, 0, false},
	    {V9, 7, 3, 3, 1, true},
	    {V10, 0, 0, 0, 0, true},
	    {V11, 4, 0, 0, 1, true},
	    {"MAA=", 0, 0, 0, 0, false},
	    {V18, 1, 0, 1, 0, false},
	};

	UNUSED;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct client_demands demands;
		size_t kinds[4] = {0};
		assert_outcome(EST_OK, client_demands_parse(decoded(vectors[i].base64), &demands));
		for (size_t k = 0; k < demands.count; k++)
			kinds[demands.demands[k].kind]++;
		assert_int_equal(demands.count, vectors[i].count);
		assert_int_equal(kinds[CLIENT_DEMAND_NAME], vectors[i].names);
		assert_int_equal(kinds[CLIENT_DEMAND_EXTENSION], vectors[i].extensions);
		assert_int_equal(kinds[CLIENT_DEMAND_KEY], vectors[i].keys);
		assert_int_equal(demands.template, vectors[i].template);
	}
}

static void test_malformed(void **state)
{
	/* est-vectors.md 2: the potato that has no Extension around its extension. */
	static const char *const base64[] = {
	    "MGYGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMDsGCSqGSIb3DQEJDjEuMCwGA1UdEQEB/"
	    "wQioCAwHgYIKwYBBQUHCAoMEnBvdGF0b0BleGFtcGxlLmNvbQYIKoZIzj0EAwM="};
	static const char *const der[] = {"", "3000 00", "3100", "30{02{01}}", "300406012a",
	    "30{30{06{2a}}}", "30{30{06{2a}31{05{}}00}}", "30{30{06{2a864886f70d010910023d}31{}}}",
	    "30{30{06{2a864886f70d010910023d}31{30{02{01}a1{}}}}}",
	    "30{30{06{2a864886f70d010910023d}31{30{02{00}}}}}",
	    "30{30{06{2a864886f70d010910023d}31{30{02{00}a1{}}30{02{00}a1{}}}}}"};
	struct client_demands demands;

	UNUSED;
	for (size_t i = 0; i < COUNT(base64); i++)
		assert_outcome(EST_MALFORMED, client_demands_parse(decoded(base64[i]), &demands));
	for (size_t i = 0; i < COUNT(der); i++)
		assert_outcome(EST_MALFORMED, client_demands_parse(maker_der(der[i]), &demands));
}

/* Follows a vector with these options; what came of it is in request and *type. */
static enum outcome followed(const char *base64, const struct client_options *options,
    struct client_request *request, char **type)
{
	struct client_run run = {.options = options, .settings = {.key_type = mem_string("P-256")}};
	struct client_demands demands;
	enum outcome outcome = client_demands_parse(decoded(base64), &demands);

	if (outcome == EST_OK)
		outcome = client_demands_follow(&demands, &run, request, true);
	*type = run.settings.key_type;
	run.settings.key_type = NULL;
	client_settings_free(&run.settings);
	buf_free(&run.directory.files[CLIENT_SETTINGS]);
	return outcome;
}

static void test_followed(void **state)
{
	static const struct {
		const char *base64, *key, *digest;
		bool bind, link;
	} cases[] = {
	    {V3, "P-384", "SHA384", true, false}, {V2, "P-384", "SHA384", true, false},
	    {V5, "RSA-4096", "SHA256", true, false}, {V7, "P-521", "SHA512", true, false},
	    {V17, "RSA-3072", "SHA256", false, false}, {V1, "P-256", "SHA384", true, false},
	    {V14, "P-256", NULL, false, true},
	    {V11, "P-256", NULL, false, false}, /* the template asks for less than the list */
	};
	struct client_options options = {0}, stubborn = {.key_type = "RSA-2048"};

	UNUSED;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct client_request request;
		char *type;
		start(&request, "pump-1");
		assert_outcome(EST_OK, followed(cases[i].base64, &options, &request, &type));
		assert_string_equal(type, cases[i].key);
		assert_int_equal(request.bind, cases[i].bind);
		assert_int_equal(request.link, cases[i].link);
		if (cases[i].digest == NULL)
			assert_null(request.digest);
		else
			assert_true(EVP_MD_is_a(request.digest, cases[i].digest));
		client_request_free(&request);
		free(type);
		start(&request, "pump-1");
		assert_outcome(EST_OK, followed(cases[i].base64, &stubborn, &request, &type));
		assert_string_equal(
		    type, "P-256"); /* what client_settings_override() makes of it */
		client_request_free(&request);
		free(type);
	}
}

static void test_followed_extensions(void **state)
{
	struct client_options options = {0};
	struct client_request request;
	char *type;

	UNUSED;
	start(&request, "pump-1");
	assert_outcome(EST_OK, followed(V18, &options, &request, &type));
	assert_int_equal(sk_X509_EXTENSION_num(request.extensions), 1);
	assert_int_equal(
	    OBJ_obj2nid(X509_EXTENSION_get_object(sk_X509_EXTENSION_value(request.extensions, 0))),
	    NID_ext_key_usage);
	client_request_free(&request);
	free(type);
	start(&request, "pump-1");
	assert_outcome(EST_OK, followed(V4, &options, &request, &type));
	assert_non_null(request.names.sans);
	assert_true(X509_EXTENSION_get_critical(request.names.sans));
	assert_null(request.extensions);
	client_request_free(&request);
	free(type);
	/* One-time secrets, and names with gaps, are the user's to give. */
	start(&request, "pump-1");
	assert_outcome(EST_MALFORMED, followed(V15, &options, &request, &type));
	client_request_free(&request);
	free(type);
	start(&request, "pump-1");
	assert_outcome(EST_MALFORMED, followed(V9, &options, &request, &type));
	client_request_free(&request);
	free(type);
}

/* RFC 9908 3.4: its own example, with the common name and the address filled in. */
static void test_followed_template(void **state)
{
	struct client_options options = {0};
	struct client_request request = {0};
	char *items[] = {mem_string("dns:www.myServer.com"), mem_string("ip:192.0.2.1")};
	struct cli_list sans = {items, 2};
	char *type, subject[200];

	UNUSED;
	assert_int_equal(client_names_make("pump-1", &sans, &request.names), EST_OK);
	assert_outcome(EST_OK, followed(V9, &options, &request, &type));
	(void)X509_NAME_oneline(request.names.subject, subject, sizeof(subject));
	assert_string_equal(subject, "/CN=pump-1/OU=myDept/OU=myGroup");
	assert_string_equal(type, "P-256");
	assert_int_equal(sk_X509_EXTENSION_num(request.extensions), 1);
	assert_true(X509_EXTENSION_get_critical(sk_X509_EXTENSION_value(request.extensions, 0)));
	client_request_free(&request);
	free(type);
	free(items[0]);
	free(items[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_bound),
	    TEST(test_secrets),
	    TEST(test_key_attributes),
	    TEST(test_vectors),
	    TEST(test_malformed),
	    TEST(test_followed),
	    TEST(test_followed_extensions),
	    TEST(test_followed_template),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
