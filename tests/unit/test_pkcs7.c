/*
 * The certs-only message: octet for octet what RFC 7030 4.1.3 asks for, and readable by OpenSSL.
 */
#include "maker.h"

#include <string.h>

#include <openssl/cms.h>
#include <openssl/pkcs7.h>

#include "common/pki/cert.h"
#include "common/pki/pkcs7.h"

/* ContentInfo { id-signedData, [0] SignedData { 1, {}, { id-data }, [0] certificates, {} } }; no
 * content, no CRLs. */
#define MESSAGE                                                                                    \
	"30{06{2a864886f70d010702}a0{30{020101 31{} 30{06{2a864886f70d010701}} a0{$} 31{}}}}"

static struct span message_of(const struct span *certs, size_t count)
{
	struct buf out = {0};

	pkcs7_certs_only(certs, count, &out);
	return maker_keep(&out);
}

static struct span certificate(const char *subject, const char *key)
{
	return maker_cert_der(maker_cert(&(struct maker_cert){.subject = subject, .key = key}));
}

static void test_octets(void **state)
{
	struct span certs[] = {certificate("CN=b", "P-256"), certificate("CN=a", "RSA-2048"),
	    certificate("CN=c", "Ed25519")};
	struct buf all = {0};

	(void)state;
	assert_bytes(maker_der(MESSAGE, certs[0]), message_of(certs, 1));
	for (size_t i = 0; i < COUNT(certs); i++)
		buf_add_span(&all, certs[i]);
	assert_bytes(maker_der(MESSAGE, maker_keep(&all)), message_of(certs, COUNT(certs)));
}

static void test_appends(void **state)
{
	struct span cert = certificate("CN=a", "P-256");
	struct buf out = {0};

	(void)state;
	buf_add_string(&out, "before");
	pkcs7_certs_only(&cert, 1, &out);
	assert_memory_equal(out.data, "before", 6);
	assert_bytes(message_of(&cert, 1), ((struct span){out.data + 6, out.len - 6}));
	buf_free(&out);
}

/* OpenSSL's CMS and PKCS#7 both read it to the end and find the certificates, in their order, and
 * nothing else. */
static void test_openssl(void **state)
{
	static const size_t counts[] = {1, 2, 3, 100};
	struct span certs[100];

	(void)state;
	for (size_t i = 0; i < COUNT(certs); i++)
		certs[i] = certificate(
		    i % 2 == 0 ? "CN=even" : "CN=odd,O=Acme", i % 2 == 0 ? "P-256" : "P-384");
	for (size_t c = 0; c < COUNT(counts); c++) {
		struct span der = message_of(certs, counts[c]);
		const unsigned char *at = der.data, *at7 = der.data;
		CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
		PKCS7 *pkcs7 = d2i_PKCS7(NULL, &at7, (long)der.len);
		STACK_OF(X509) *found;
		assert_non_null(cms);
		assert_non_null(pkcs7);
		assert_ptr_equal(at, der.data + der.len);
		assert_ptr_equal(at7, der.data + der.len);
		assert_int_equal(OBJ_obj2nid(CMS_get0_type(cms)), NID_pkcs7_signed);
		assert_int_equal(OBJ_obj2nid(CMS_get0_eContentType(cms)), NID_pkcs7_data);
		assert_int_equal(sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)), 0);
		assert_null(CMS_get1_crls(cms));
		found = CMS_get1_certs(cms);
		assert_int_equal(sk_X509_num(found), (int)counts[c]);
		for (size_t i = 0; i < counts[c]; i++)
			assert_bytes(certs[i], maker_cert_der(sk_X509_value(found, (int)i)));
		assert_int_equal(sk_X509_num(pkcs7->d.sign->cert), (int)counts[c]);
		sk_X509_pop_free(found, X509_free);
		CMS_ContentInfo_free(cms);
		PKCS7_free(pkcs7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_octets),
	    TEST(test_appends),
	    TEST(test_openssl),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
