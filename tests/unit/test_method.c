/*
 * The ways to prove an identity: what web servers make of a certificate, and what stands in an
 * Authorization field.
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "common/auth/method.h"
#include "common/auth/password.h"
#include "common/base/encoding.h"
#include "refusal_test.h"

static void decodes(struct span der, const char *variable)
{
	struct buf out = {0};

	assert_outcome(EST_OK, certificate_decode(variable, &out));
	assert_bytes(der, buf_span(&out));
	buf_free(&out);
}

static void refuses(const char *variable)
{
	struct buf out = {0};
	enum outcome outcome = certificate_decode(variable, &out);

	if (outcome == EST_OK)
		print_error("accepted: \"%.80s\"\n", variable);
	assert_refusal(AUTH_CERTIFICATE_FORM, outcome);
	buf_free(&out);
}

/* The text with every octet replaced that `which` holds; NULL: every one that is no letter or
 * digit, as %XX. */
static const char *rewrite(const char *text, const char *which, const char *with)
{
	struct buf out = {0};

	for (; *text != '\0'; text++) {
		bool plain =
		    which == NULL
			? strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-",
			      *text) != NULL
			: strchr(which, *text) == NULL;
		if (plain)
			buf_add_byte(&out, (unsigned char)*text);
		else if (which == NULL)
			buf_printf(&out, "%%%02X", (unsigned char)*text);
		else
			buf_add_string(&out, with);
	}
	buf_add_byte(&out, 0);
	return (const char *)maker_keep(&out).data;
}

static const char *bare(struct span der)
{
	struct buf out = {0};

	base64_encode(&out, der, 0);
	buf_add_byte(&out, 0);
	return (const char *)maker_keep(&out).data;
}

/* T-22: the four forms, by several kinds of keys, so that every digit of base64 is among them. */
static void test_forms(void **state)
{
	static const char *const keys[] = {"P-256", "RSA-2048", "RSA-4096", "Ed25519"};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		X509 *cert = maker_cert(&(struct maker_cert){.subject = "CN=pump", .key = keys[i]});
		struct span der = maker_cert_der(cert);
		const char *pem = maker_cert_pem(cert);
		decodes(der, pem);
		decodes(der, rewrite(pem, "\n", "\n\t"));
		decodes(der, rewrite(pem, "\n", "\r\n"));
		decodes(der, rewrite(pem, "\n", " "));
		decodes(der, rewrite(pem, NULL, NULL));
		decodes(der, rewrite(pem, "\n", "%0A"));
		decodes(der, rewrite(rewrite(pem, "+", "%2B"), "\n", "%0a"));
		decodes(der, bare(der));
	}
}

static void test_garbage(void **state)
{
	static const char *const wrong[] = {"", " ", "\n", "(null)", "-----BEGIN CERTIFICATE-----",
	    "-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE----------END CERTIFICATE-----",
	    "-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nAAAA", "%", "%2", "%zz",
	    "AAAA%", "AA==AAAA", "-----BEGIN CERTIFICATE-----\nA*AA\n-----END CERTIFICATE-----",
	    "MIIB-_==", "\xff\xfe", "<script>",
	    "-----END CERTIFICATE-----\nAAAA\n-----BEGIN CERTIFICATE-----", "AAAA%00BBBB",
	    "AAAA%00", "%00"};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		refuses(wrong[i]);
}

/* A form cut anywhere is refused, or at worst gives fewer octets than the certificate has. */
static void test_cut(void **state)
{
	X509 *cert = maker_cert(&(struct maker_cert){.subject = "CN=pump", .key = "P-256"});
	struct span der = maker_cert_der(cert);
	const char *forms[] = {
	    maker_cert_pem(cert), rewrite(maker_cert_pem(cert), NULL, NULL), bare(der)};

	(void)state;
	for (size_t f = 0; f < COUNT(forms); f++)
		for (size_t len = 0; len + 1 < strlen(forms[f]); len++) {
			char *text = mem_string(forms[f]);
			struct buf out = {0};
			text[len] = '\0';
			if (certificate_decode(text, &out) == EST_OK)
				assert_true(out.len < der.len || strstr(text, "-----END") != NULL);
			reason_clear();
			buf_free(&out);
			free(text);
		}
}

static void test_too_large(void **state)
{
	size_t size = (size_t)8 << 20;
	char *text = mem_alloc(size + 1);

	(void)state;
	memset(text, 'A', size);
	refuses(text);
	memset(text, '%', size);
	refuses(text);
	free(text);
}

/* --- HTTP Basic --- */

static struct {
	const char *name;
	char *hash;
	const char *const *labels;
	enum outcome outcome;
} remembered;

static enum outcome user(void *context, const char *name, struct user_record *out)
{
	(void)context;
	if (remembered.outcome != EST_OK)
		return reason(remembered.outcome, "as the test wants it");
	if (remembered.name == NULL || strcmp(name, remembered.name) != 0)
		return reason(EST_NOT_FOUND, "there is no user \"%s\"", name);
	*out = (struct user_record){.name = remembered.name,
	    .password = remembered.hash,
	    .labels = remembered.labels,
	    .roles = 1U << ROLE_ENROLL};
	return EST_OK;
}

static void remember(const char *name, const char *password)
{
	struct buf hash = {0};

	free(remembered.hash);
	assert_outcome(EST_OK, password_hash(span_of(password), &hash));
	remembered.name = name;
	remembered.hash = mem_string(buf_string(&hash));
	remembered.labels = NULL;
	remembered.outcome = EST_OK;
	buf_free(&hash);
}

static int forget(void **state)
{
	free(remembered.hash);
	memset(&remembered, 0, sizeof(remembered));
	return maker_clear(state);
}

static enum outcome identify_at(int64_t now, const char *authorization)
{
	static char label_name[] = "plant";
	static struct config_label label = {.name = label_name};
	const struct auth auth = {
	    .label = &label, .memory = {.user = user}, .cache = 60, .now = now};
	const struct credentials credentials = {.authorization = authorization};
	struct identity out = {0};
	enum outcome outcome = basic_identify(&auth, PROOF_PASSWORD, &credentials, &out);

	if (outcome == EST_OK)
		assert_string_equal(out.user.name, remembered.name);
	identity_clear(&out);
	return outcome;
}

static enum outcome identify(const char *credentials)
{
	struct buf field = {0};
	enum outcome outcome;

	buf_add_string(&field, "Basic ");
	base64_encode(&field, span_of(credentials), 0);
	outcome = identify_at(MAKER_NOW, buf_string(&field));
	buf_free(&field);
	return outcome;
}

/* T-12: UTF-8, colons in the password, an empty user name. */
static void test_basic(void **state)
{
	(void)state;
	remember("pump", "a:b:");
	assert_outcome(EST_OK, identify("pump:a:b:"));
	assert_refusal(AUTH_PASSWORD, identify("pump:a:b"));
	assert_refusal(AUTH_PASSWORD, identify("pump:a:b::"));
	assert_refusal(AUTH_PASSWORD, identify("pump:"));
	assert_refusal(AUTH_PASSWORD, identify("Pump:a:b:"));
	assert_refusal(AUTH_PASSWORD, identify(":a:b:"));
	assert_outcome(EST_OK, identify("pump:a:b:"));
	remember("", "token");
	assert_outcome(EST_OK, identify(":token"));
	remember("\xc3\xbc", "\xc3\xbc");
	assert_outcome(EST_OK, identify("\xc3\xbc:\xc3\xbc"));
}

static void test_basic_field(void **state)
{
	static const char *const wrong[] = {"", "Basic", "Basic ",
	    "Bearer cHVtcDpzZWNyZXQ=", "BasiccHVtcDpzZWNyZXQ=", "Basic cHVtcA==" /* no colon */,
	    "Basic cHVtcDpzZWNyZXQ" /* no padding */, "Basic *", "Digest username=\"pump\"",
	    "Basic cHVtcDpzZWNyZXQA" /* a NUL behind it */, "Basic cHVtcAA6c2VjcmV0", "Negotiate",
	    "\xff"};
	char *huge = mem_alloc(20000);

	(void)state;
	remember("pump", "secret");
	assert_outcome(EST_OK, identify_at(MAKER_NOW, "Basic cHVtcDpzZWNyZXQ="));
	assert_outcome(EST_OK, identify_at(MAKER_NOW, "basic cHVtcDpzZWNyZXQ="));
	assert_outcome(EST_OK, identify_at(MAKER_NOW, "BASIC cHVtcDpzZWNyZXQ="));
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_refusal(AUTH_HEADER, identify_at(MAKER_NOW, wrong[i]));
	(void)strcpy(huge, "Basic ");
	memset(huge + 6, 'A', 19992);
	assert_refusal(AUTH_HEADER, identify_at(MAKER_NOW, huge));
	free(huge);
}

/*
 * The longest field that is looked into, with the right password in it, and one octet more: blanks
 * may stand in base64, so both decode.
 */
static void test_basic_field_length(void **state)
{
	static const char right[] = "Basic cHVtcDpzZWNyZXQ=";
	char field[8193 + 1];

	(void)state;
	remember("pump", "secret");
	memset(field, ' ', sizeof(field) - 1);
	memcpy(field, right, sizeof(right) - 1);
	field[8192] = '\0';
	assert_outcome(EST_OK, identify_at(MAKER_NOW, field));
	field[8192] = ' ';
	field[8193] = '\0';
	assert_refusal(AUTH_HEADER, identify_at(MAKER_NOW, field));
}

/* no octet of the credentials in the reason, however broken they are. */
static void test_basic_reason(void **state)
{
	(void)state;
	remember("pump", "secret");
	(void)identify_at(MAKER_NOW, "Basic cHVtcDpzZWNyZXQ!");
	assert_null(strstr(reason_text(), "0x21"));
	assert_null(strstr(reason_text(), "body"));
	reason_clear();
	(void)identify("pump:almost-secret");
	assert_null(strstr(reason_text(), "almost-secret"));
}

/*
 * F5, X-06: the same code, words and outcome for a user that is not, a wrong password of any shape,
 * another label's user, and a disabled one.
 */
static void test_basic_same_words(void **state)
{
	static const char *const other[] = {"office", NULL};
	static const char *const here[] = {"office", "plant", NULL};
	static const char *const wrong[] = {
	    "pump:wrong", "nobody:secret", "pump:", ":", ":secret", "nobody:", "pump:\xff"};
	struct buf longest = {0};
	char words[600];

	(void)state;
	remember("pump", "secret");
	assert_int_equal(identify("pump:Secret"), EST_UNAUTHENTICATED);
	(void)snprintf(words, sizeof(words), "%s", reason_text());
	reason_clear();
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(identify(wrong[i]), EST_UNAUTHENTICATED);
		assert_string_equal(reason_text(), words);
		assert_refusal(AUTH_PASSWORD, EST_UNAUTHENTICATED);
	}
	buf_add_string(&longest, "pump:");
	for (int i = 0; i < 4000; i++)
		buf_add_byte(&longest, 'x');
	assert_int_equal(identify(buf_string(&longest)), EST_UNAUTHENTICATED);
	assert_string_equal(reason_text(), words);
	buf_free(&longest);
	remembered.labels = other;
	reason_clear();
	assert_int_equal(identify("pump:secret"), EST_UNAUTHENTICATED);
	assert_string_equal(reason_text(), words);
	assert_refusal(AUTH_PASSWORD, EST_UNAUTHENTICATED);
	remembered.labels = here;
	assert_outcome(EST_OK, identify("pump:secret"));
	free(remembered.hash);
	remembered.hash = mem_string("!");
	assert_int_equal(identify("pump:secret"), EST_UNAUTHENTICATED);
	assert_string_equal(reason_text(), words);
	assert_refusal(AUTH_PASSWORD, EST_UNAUTHENTICATED);
}

/* A password that was verified is not believed any more once it is changed, or its user is gone or
 * moved. */
static void test_basic_cache(void **state)
{
	static const char *const other[] = {"office", NULL};

	(void)state;
	remember("pump", "secret");
	assert_outcome(EST_OK, identify("pump:secret"));
	assert_outcome(EST_OK, identify("pump:secret"));
	assert_refusal(AUTH_PASSWORD, identify("pump:secre"));
	remembered.labels = other;
	assert_refusal(AUTH_PASSWORD, identify("pump:secret"));
	remember("pump", "another");
	assert_refusal(AUTH_PASSWORD, identify("pump:secret"));
	assert_outcome(EST_OK, identify("pump:another"));
	remembered.name = NULL;
	assert_refusal(AUTH_PASSWORD, identify("pump:another"));
	remembered.name = "pump";
	assert_outcome(EST_OK, identify_at(MAKER_NOW - 1000000, "Basic cHVtcDphbm90aGVy"));
	assert_outcome(EST_OK, identify_at(MAKER_NOW + 1000000, "Basic cHVtcDphbm90aGVy"));
}

static void test_basic_unavailable(void **state)
{
	(void)state;
	remember("pump", "secret");
	remembered.outcome = EST_UNAVAILABLE;
	assert_refusal(SERVER_UNAVAILABLE, identify("pump:secret"));
}

#define BASIC(function) cmocka_unit_test_teardown(function, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_forms),
	    TEST(test_garbage),
	    TEST(test_cut),
	    TEST(test_too_large),
	    BASIC(test_basic),
	    BASIC(test_basic_field),
	    BASIC(test_basic_field_length),
	    BASIC(test_basic_reason),
	    BASIC(test_basic_same_words),
	    BASIC(test_basic_cache),
	    BASIC(test_basic_unavailable),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
