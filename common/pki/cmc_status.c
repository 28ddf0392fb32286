#include "common/pki/cmc_status.h"

#include "common/base/clock.h"

static const char *const fails[CMC_FAILS] = {
    [CMC_BAD_ALG] = "badAlg",
    [CMC_BAD_MESSAGE_CHECK] = "badMessageCheck",
    [CMC_BAD_REQUEST] = "badRequest",
    [CMC_BAD_TIME] = "badTime",
    [CMC_BAD_CERT_ID] = "badCertId",
    [CMC_UNSUPPORTED_EXT] = "unsupportedExt",
    [CMC_MUST_ARCHIVE_KEYS] = "mustArchiveKeys",
    [CMC_BAD_IDENTITY] = "badIdentity",
    [CMC_POP_REQUIRED] = "popRequired",
    [CMC_POP_FAILED] = "popFailed",
    [CMC_NO_KEY_REUSE] = "noKeyReuse",
    [CMC_INTERNAL_CA_ERROR] = "internalCAError",
    [CMC_TRY_LATER] = "tryLater",
    [CMC_AUTH_DATA_FAIL] = "authDataFail",
};

static const char *const statuses[] = {
    "success", NULL, "failed", "pending", "noSupport", "confirmRequired", "popRequired", "partial"};

const char *cmc_fail_name(int fail)
{
	return fail >= 0 && fail < CMC_FAILS ? fails[fail] : NULL;
}

const char *cmc_status_name(unsigned status)
{
	return status < sizeof(statuses) / sizeof(statuses[0]) ? statuses[status] : NULL;
}

/* Refusals that RFC 5272 has a word for, and where; for all others that is badRequest (6.1.4). */
static const struct {
	enum refusal refusal;
	enum cmc_fail fail;
} causes[] = {
    {CMC_ALGORITHM, CMC_BAD_ALG}, /* 6.1.4 */
    {CSR_SIGALG, CMC_BAD_ALG},
    {CSR_KEY_TYPE, CMC_BAD_ALG},
    {CSR_CURVE, CMC_BAD_ALG},
    {CSR_KEY_NOT_GRANTED, CMC_BAD_ALG},
    {CMC_SIGNATURE, CMC_BAD_MESSAGE_CHECK}, /* 3.2.1.3.4 */
    /* 6.3: the signature of a request for a key that can sign is its proof of possession. */
    {CSR_SIGNATURE, CMC_POP_FAILED},
    {CMC_POP, CMC_POP_FAILED},
    {POP_LINKING, CMC_POP_FAILED},        /* RFC 7030 3.5 */
    {POP_REQUIRED, CMC_POP_REQUIRED},     /* 6.1.4 */
    {CSR_EXTENSION, CMC_UNSUPPORTED_EXT}, /* 3.1, 3.2.1.2.2 */
    {CSR_KEY_USAGE, CMC_UNSUPPORTED_EXT},
    {CSR_EXTENDED_KEY_USAGE, CMC_UNSUPPORTED_EXT},
    {CSR_CA, CMC_UNSUPPORTED_EXT},
    {KEY_IN_USE, CMC_NO_KEY_REUSE},   /* 3.2 */
    {CMC_IDENTITY, CMC_BAD_IDENTITY}, /* 6.2.1 */
    {OTP_WRONG, CMC_BAD_IDENTITY},
};

enum cmc_fail cmc_fail_of(enum refusal refusal, enum outcome outcome)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].refusal == refusal)
			return causes[i].fail;
	switch (outcome) {
	case EST_INTERNAL: return CMC_INTERNAL_CA_ERROR;
	case EST_UNAVAILABLE:
	case EST_THROTTLED: return CMC_TRY_LATER;
	default: return CMC_BAD_REQUEST;
	}
}

/* GeneralizedTime whatever the year, "20260102030405Z" (RFC 5280 4.1.2.5.2). */
static void add_generalized_time(struct buf *out, int64_t t)
{
	char text[CLOCK_TEXT];
	size_t time = der_open(out, DER_GENERALIZED_TIME);

	for (const char *at = clock_text(t, text); *at != '\0'; at++)
		if (*at == 'Z' || (*at >= '0' && *at <= '9'))
			buf_add_byte(out, (unsigned char)*at);
	der_close(out, time);
}

void cmc_status_add(struct buf *out, const struct cmc_status *status)
{
	size_t info = der_open(out, DER_SEQUENCE), part;

	cmc_number_add(out, status->status);
	part = der_open(out, DER_SEQUENCE);
	cmc_number_add(out, status->id);
	der_close(out, part);
	if (status->text.len > 0)
		der_add(out, DER_UTF8, status->text);
	if (status->status == CMC_FAILED)
		cmc_number_add(out, (uint32_t)status->fail);
	if (status->status == CMC_PENDING) {
		part = der_open(out, DER_SEQUENCE);
		der_add(out, DER_OCTET_STRING, status->token);
		add_generalized_time(out, status->again);
		der_close(out, part);
	}
	der_close(out, info);
}

/* bodyList: each a number, or a path of them, whose first one counts. */
static bool take_list(struct span list, struct cmc_status *out)
{
	struct der path;
	uint32_t number = 0;

	for (bool first = true; first || list.len > 0; first = false) {
		if (list.len > 0 && list.data[0] == DER_SEQUENCE) {
			if (der_next(&list, &path) != EST_OK ||
			    !cmc_number_take(&path.content, &number))
				return false;
		} else if (!cmc_number_take(&list, &number)) {
			return false;
		}
		if (first)
			out->id = number;
	}
	return true;
}

/* OtherStatusInfo: failInfo and pendInfo; the extended one is passed over. */
static bool take_other(struct span rest, struct cmc_status *out)
{
	struct der info, token, again;
	uint32_t fail;

	if (rest.data[0] == DER_INTEGER) {
		if (!cmc_number_take(&rest, &fail) || out->status != CMC_FAILED || fail > 1999)
			return false;
		out->fail = (int)fail;
		return rest.len == 0;
	}
	if (der_next(&rest, &info) != EST_OK || rest.len > 0)
		return false;
	if (info.tag != DER_SEQUENCE || der_take(&info.content, DER_OCTET_STRING, &token) != EST_OK)
		return info.tag == DER_SEQUENCE || info.tag == DER_CONTEXT_CONSTRUCTED(1);
	out->token = token.content;
	return der_take(&info.content, DER_GENERALIZED_TIME, &again) == EST_OK &&
	       info.content.len == 0;
}

enum outcome cmc_status_parse(const struct cmc_control *control, struct cmc_status *out)
{
	struct der info, list, text;
	uint32_t status;

	*out = (struct cmc_status){.fail = CMC_NO_FAIL};
	if (cmc_control_value(control, DER_SEQUENCE, &info) != EST_OK)
		return EST_MALFORMED;
	if (!cmc_number_take(&info.content, &status) || cmc_status_name(status) == NULL ||
	    der_take(&info.content, DER_SEQUENCE, &list) != EST_OK)
		return refuse(CMC_CONTROL, "a status is not in form");
	out->status = status;
	if (!take_list(list.content, out))
		return refuse(CMC_CONTROL, "a status says not of what it is one");
	if (der_take(&info.content, DER_UTF8, &text) == EST_OK)
		out->text = text.content;
	if (info.content.len > 0 && !take_other(info.content, out))
		return refuse(CMC_CONTROL, "what stands behind a status does not go with it");
	return EST_OK;
}
