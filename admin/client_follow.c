/*
 * What CSR attributes demand, put into the request.
 */
#include "admin/client_csrattrs.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "common/pki/der.h"

#include "admin/client_csr.h"

/* What is being changed, and what was found on the way. */
struct follow {
	struct client_run *run;
	struct client_request *request;
	bool names;
	bool password, linking; /* demanded: challengePassword, estIdentityLinking */
	X509_NAME *subject;     /* of a template; NULL: it has none */
};

/* The name of an OID for people; appended. */
static void name_of(struct span type, struct buf *out)
{
	int nid = client_demand_nid(type);

	if (nid != NID_undef)
		buf_add_string(out, OBJ_nid2sn(nid));
	else
		der_oid_text(out, type);
}

static void leave_out(const struct client_demand *demand, const char *why)
{
	struct buf name = {0};

	name_of(demand->type, &name);
	cli_say("the server demands %s, %s", buf_string(&name), why);
	buf_free(&name);
}

/* The key that is to be made, unless the user has said which. */
static enum outcome use_key(struct follow *follow, const char *type)
{
	const struct client_options *options = follow->run->options;
	struct client_settings *settings = &follow->run->settings;

	if (options->key_type != NULL || options->keep_key)
		return EST_OK;
	if (!client_key_is_type(type))
		return reason(EST_CONFLICT,
		    "the server demands a key of type %.60s, which est-client does not make: %s",
		    type, CLIENT_KEY_TYPES);
	free(settings->key_type);
	settings->key_type = mem_string(type);
	client_run_save_settings(follow->run);
	return EST_OK;
}

static enum outcome use_rsa(struct follow *follow, long bits)
{
	struct buf type = {0};
	enum outcome outcome = EST_OK;

	buf_printf(&type, "RSA-%ld", bits);
	if (bits > 0)
		outcome = use_key(follow, buf_string(&type));
	buf_free(&type);
	return outcome;
}

/* parameters: the OID of a curve, or the size of an RSA key, as one value. */
static enum outcome follow_key(struct follow *follow, const struct client_demand *demand)
{
	struct span rest = demand->value;
	struct der value;
	long bits = demand->bits;
	const char *curve;

	if (rest.len == 0 || der_next(&rest, &value) != EST_OK)
		value = (struct der){0};
	if (client_demand_nid(demand->type) == NID_rsaEncryption) {
		if (value.tag == DER_INTEGER && value.content.len <= 3)
			for (size_t i = 0; i < value.content.len; i++)
				bits = bits * 256 + value.content.data[i];
		return use_rsa(follow, bits);
	}
	if (value.tag != DER_OID)
		return EST_OK;
	curve = EC_curve_nid2nist(client_demand_nid(value.content));
	return use_key(follow, curve == NULL ? "another curve" : curve);
}

static enum outcome follow_password(struct follow *follow, const struct client_demand *demand)
{
	(void)demand;
	follow->password = true;
	return EST_OK;
}

static enum outcome follow_linking(struct follow *follow, const struct client_demand *demand)
{
	(void)demand;
	follow->linking = true;
	return EST_OK;
}

static enum outcome follow_otp(struct follow *follow, const struct client_demand *demand)
{
	(void)demand;
	return follow->request->otp
		   ? EST_OK
		   : cli_usage("the server demands a one-time secret: --otp-file is missing");
}

static enum outcome follow_revocation(struct follow *follow, const struct client_demand *demand)
{
	(void)demand;
	return follow->request->revocation
		   ? EST_OK
		   : cli_usage(
			 "the server demands a revocation secret: --revocation-file is missing");
}

static enum outcome follow_nothing(struct follow *follow, const struct client_demand *demand)
{
	(void)follow;
	(void)demand;
	return EST_OK;
}

static const struct {
	const char *oid;
	enum outcome (*follow)(struct follow *follow, const struct client_demand *demand);
} attributes[] = {
    {CLIENT_CHALLENGE_PASSWORD, follow_password}, {CLIENT_IDENTITY_LINKING, follow_linking},
    {CLIENT_OTP_CHALLENGE, follow_otp}, {CLIENT_REVOCATION, follow_revocation},
    {"1.2.840.10045.2.1", follow_key},    /* ecPublicKey */
    {"1.2.840.113549.1.1.1", follow_key}, /* rsaEncryption */
    {"2.5.4.3", follow_nothing},          /* commonName: always there */
};

/* A signature's or a digest's OID says by which digest to sign. */
static const EVP_MD *digest_of(struct span type)
{
	int nid = client_demand_nid(type), digest = nid;

	if (nid != NID_undef && OBJ_find_sigid_algs(nid, &digest, NULL) != 1)
		digest = nid;
	ERR_clear_error();
	return digest == NID_undef ? NULL : EVP_get_digestbynid(digest);
}

/*
 * Subject attributes of a bare OID stand for themselves: only the user could know what is in them.
 */
static enum outcome follow_attribute(struct follow *follow, const struct client_demand *demand)
{
	const EVP_MD *digest = digest_of(demand->type);
	enum outcome outcome = EST_OK;
	struct buf text = {0};
	bool found = false;

	der_oid_text(&text, demand->type);
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]) && !found; i++) {
		found = strcmp(attributes[i].oid, buf_string(&text)) == 0;
		if (found)
			outcome = attributes[i].follow(follow, demand);
	}
	buf_free(&text);
	if (!found && digest != NULL)
		follow->request->digest = digest;
	else if (!found && client_demand_nid(demand->type) == NID_subject_alt_name)
		outcome =
		    follow->request->names.sans != NULL
			? EST_OK
			: cli_usage("the server demands an alternative name: --san is missing");
	else if (!found)
		leave_out(demand, "which est-client cannot give");
	return outcome;
}

static X509_EXTENSION *make_extension(const struct client_demand *demand)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	(void)ASN1_OCTET_STRING_set(value, demand->value.data, (int)demand->value.len);
	extension = X509_EXTENSION_create_by_NID(
	    NULL, client_demand_nid(demand->type), demand->critical, value);
	if (extension == NULL) {
		struct buf oid = {0};
		ASN1_OBJECT *object;
		der_oid_text(&oid, demand->type);
		object = OBJ_txt2obj(buf_string(&oid), 1);
		extension = X509_EXTENSION_create_by_OBJ(NULL, object, demand->critical, value);
		ASN1_OBJECT_free(object);
		buf_free(&oid);
	}
	ASN1_OCTET_STRING_free(value);
	ERR_clear_error();
	return extension;
}

/* Whether one of the names is left for the client to fill in (RFC 9908 3.4). */
static bool has_gap(struct span names)
{
	struct der all, name;

	if (der_take(&names, DER_SEQUENCE, &all) != EST_OK)
		return true;
	while (all.content.len > 0) {
		if (der_next(&all.content, &name) != EST_OK || name.content.len == 0)
			return true;
	}
	return false;
}

/* The alternative names: the user's, where there are any; else those of the server, all of them. */
static enum outcome follow_sans(struct follow *follow, const struct client_demand *demand)
{
	struct client_names *names = &follow->request->names;

	if (names->sans != NULL || !follow->names)
		return EST_OK;
	if (demand->value.data == NULL || has_gap(demand->value))
		return cli_usage("the server demands an alternative name: --san is missing");
	names->sans = make_extension(demand);
	return EST_OK;
}

static enum outcome follow_extension(struct follow *follow, const struct client_demand *demand)
{
	X509_EXTENSION *extension;

	if (client_demand_nid(demand->type) == NID_subject_alt_name)
		return follow_sans(follow, demand);
	if (demand->value.data == NULL) {
		leave_out(demand, "an extension whose value est-client does not know");
		return EST_OK;
	}
	extension = make_extension(demand);
	if (follow->request->extensions == NULL)
		follow->request->extensions = sk_X509_EXTENSION_new_null();
	(void)sk_X509_EXTENSION_push(follow->request->extensions, extension);
	return EST_OK;
}

/* A part of the subject: as the server says it, or, of the common name, as the user does. */
static enum outcome follow_name(struct follow *follow, const struct client_demand *demand)
{
	int nid = client_demand_nid(demand->type), at, set = demand->joined ? -1 : 0;
	struct span rest = demand->value;
	X509_NAME *user = follow->request->names.subject;
	struct der value;
	int added;

	if (!follow->names)
		return EST_OK;
	if (follow->subject == NULL)
		follow->subject = X509_NAME_new();
	at = nid == NID_commonName ? X509_NAME_get_index_by_NID(user, nid, -1) : -1;
	if (demand->value.data == NULL && at < 0) {
		leave_out(demand, "a part of the subject that est-client cannot give");
		return EST_OK;
	}
	if (at >= 0)
		added =
		    X509_NAME_add_entry(follow->subject, X509_NAME_get_entry(user, at), -1, set);
	else
		added = der_next(&rest, &value) == EST_OK &&
			X509_NAME_add_entry_by_NID(follow->subject, nid, (int)value.tag,
			    value.content.data, (int)value.content.len, -1, set) == 1;
	return added == 1 ? EST_OK
			  : reason_openssl(EST_CONFLICT,
				"RFC 9908 3.4: the template's subject cannot be used");
}

static enum outcome (*const kinds[])(struct follow *follow, const struct client_demand *demand) = {
    [CLIENT_DEMAND_ATTRIBUTE] = follow_attribute,
    [CLIENT_DEMAND_EXTENSION] = follow_extension,
    [CLIENT_DEMAND_NAME] = follow_name,
    [CLIENT_DEMAND_KEY] = follow_key,
};

enum outcome client_demands_follow(const struct client_demands *demands, struct client_run *run,
    struct client_request *request, bool names)
{
	struct follow follow = {.run = run, .request = request, .names = names};
	enum outcome outcome = EST_OK;

	for (size_t i = 0; i < demands->count && outcome == EST_OK; i++) {
		const struct client_demand *demand = &demands->demands[i];
		if (demand->template == demands->template)
			outcome = kinds[demand->kind](&follow, demand);
	}
	/*
	 * RFC 7894 4: challengePassword beside estIdentityLinking is for clients that know no
	 * better.
	 */
	if (follow.linking)
		request->link = true;
	else if (follow.password && run->options->challenge_file == NULL)
		request->bind = true;
	if (follow.subject != NULL && X509_NAME_entry_count(follow.subject) > 0) {
		X509_NAME_free(request->names.subject);
		request->names.subject = follow.subject;
		follow.subject = NULL;
	}
	X509_NAME_free(follow.subject);
	return outcome;
}
