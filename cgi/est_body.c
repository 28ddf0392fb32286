#include <string.h>

#include "cgi/est_call.h"
#include "common/base/encoding.h"
#include "common/base/json.h"
#include "common/base/refusal.h"

static bool is_blank(const unsigned char *at, const unsigned char *end)
{
	for (; at < end; at++)
		if (*at != ' ' && *at != '\t' && *at != '\r' && *at != '\n')
			return false;
	return true;
}

/* Leaves the base64 of one PEM request and nothing around it; false for any other PEM. */
static bool strip_armour(struct span *text)
{
	static const char *const lines[][2] = {
	    {"-----BEGIN CERTIFICATE REQUEST-----", "-----END CERTIFICATE REQUEST-----"},
	    {"-----BEGIN NEW CERTIFICATE REQUEST-----", "-----END NEW CERTIFICATE REQUEST-----"},
	};
	const unsigned char *behind = text->data + text->len;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t begin_len = strlen(lines[i][0]), end_len = strlen(lines[i][1]);
		const unsigned char *begin = memmem(text->data, text->len, lines[i][0], begin_len),
				    *end;
		if (begin == NULL)
			continue;
		end = memmem(begin, (size_t)(behind - begin), lines[i][1], end_len);
		if (end == NULL || !is_blank(text->data, begin) || !is_blank(end + end_len, behind))
			return false;
		begin += begin_len;
		*text = (struct span){begin, (size_t)(end - begin)};
		return true;
	}
	return false;
}

static enum outcome decode_base64(struct buf *der, struct span text)
{
	static const char begin[] = "-----BEGIN";

	if (base64_decode(der, text) != EST_OK)
		return refuse(BODY_BASE64, "the body is no base64"); /* why not is said already */
	if (der->len >= sizeof(begin) - 1 && memcmp(der->data, begin, sizeof(begin) - 1) == 0)
		return refuse(BODY_FORM, "the body is base64 of PEM, so twice base64; send the "
					 "base64 of the DER, or the PEM as it is");
	return EST_OK;
}

enum outcome call_body(const struct call *call, struct buf *der)
{
	const struct words *encodings = &call->label->config->encodings;
	struct span text = buf_span(&call->request->body);
	static const char begin[] = "-----BEGIN";

	if (text.len == 0)
		return refuse(BODY_EMPTY, "the body is empty; send a CSR in base64");
	if (text.data[0] == 0x30) {
		if (!call->bootstrap && !words_have(encodings, "der"))
			return refuse(BODY_FORM, "the body is raw DER; send it in base64");
		buf_add_span(der, text);
		return EST_OK;
	}
	if (memmem(text.data, text.len, begin, sizeof(begin) - 1) != NULL) {
		if (!call->bootstrap && !words_have(encodings, "pem"))
			return refuse(BODY_FORM, "the body is PEM; send the base64 without its "
						 "BEGIN and END lines");
		if (!strip_armour(&text))
			return refuse(BODY_FORM, "the body is not PEM of one request alone");
		json_add_string(&call->request->facts, "armour", "pem");
	} else if (!call->bootstrap && !words_have(encodings, "base64")) {
		return refuse(
		    BODY_FORM, "this label does not take plain base64 (encodings of est.conf)");
	}
	return decode_base64(der, text);
}
