/*
 * key_usage.h - the bits of KeyUsage (RFC 5280 4.2.1.3).
 */
#ifndef EST_KEY_USAGE_H
#define EST_KEY_USAGE_H

enum key_usage {
	KEY_ENCIPHERMENT = 2,
	DATA_ENCIPHERMENT = 3,
	KEY_AGREEMENT = 4,
	KEY_CERT_SIGN = 5,
	CRL_SIGN = 6,
	ENCIPHER_ONLY = 7,
	DECIPHER_ONLY = 8,
	KEY_USAGES = 9
};

/* The word of a bit: "digitalSignature", ... */
const char *key_usage_word(unsigned bit);

#endif
