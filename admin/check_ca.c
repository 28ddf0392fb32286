#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "admin/check.h"
#include "common/base/clock.h"

#define DAY       INT64_C(86400)
#define WARN_DAYS 30

static void check_dates(struct check *check, const char *what, const struct ca *ca)
{
	int64_t now = clock_now(), days = (ca->not_after - now) / DAY;
	char text[CLOCK_TEXT];

	if (now < ca->not_before)
		check_say(check, CHECK_FAIL, what, "valid from %s only: wait, or set the clock",
		    clock_text(ca->not_before, text));
	else if (now >= ca->not_after)
		check_say(check, CHECK_FAIL, what, "expired on %s: it needs a new certificate",
		    clock_text(ca->not_after, text));
	else if (days < WARN_DAYS)
		check_say(check, CHECK_WARN, what, "expires in %lld days, on %s: renew it now",
		    (long long)days, clock_text(ca->not_after, text));
	else
		check_say(check, CHECK_FINE, what, "valid until %s, for %lld days",
		    clock_text(ca->not_after, text), (long long)days);
}

/* Whoever of the file's certificates issued this one; NULL: none of them. */
static X509 *issuer_of(const struct ca *ca, X509 *certificate)
{
	for (int i = -1; i < sk_X509_num(ca->chain); i++) {
		X509 *other = i < 0 ? ca->certificate : sk_X509_value(ca->chain, i);
		if (X509_check_issued(other, certificate) == X509_V_OK &&
		    X509_verify(certificate, X509_get0_pubkey(other)) == 1)
			return other;
	}
	return NULL;
}

/* RFC 7030 4.1.3: clients are given the chain up to the root. */
static void check_chain(struct check *check, const char *what, const struct ca *ca)
{
	X509 *certificate = ca->certificate;

	for (int i = 0; i <= sk_X509_num(ca->chain); i++) {
		X509 *issuer = issuer_of(ca, certificate);
		if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0 && i > 0) {
			check_say(check, CHECK_FAIL, what,
			    "a certificate of its chain in %s has expired",
			    ca->config->certificate);
			return;
		}
		if (issuer == certificate) {
			check_say(check, CHECK_FINE, what, "its chain leads to a root");
			return;
		}
		if (issuer == NULL)
			break;
		certificate = issuer;
	}
	check_say(check, CHECK_FAIL, what,
	    "its chain does not reach a root: append the missing certificates to %s",
	    ca->config->certificate);
}

static void check_key(struct check *check, const char *what, const struct config_ca *config)
{
	bool credential =
	    config->passphrase != NULL && strncmp(config->passphrase, "credential:", 11) == 0;
	struct ca *ca = NULL;

	if (!check_kept(check, what, config->key) ||
	    !check_usable(check, what, WORKER_READS, config->key))
		return;
	if (config->passphrase != NULL && !credential &&
	    (!check_kept(check, what, config->passphrase) ||
		!check_usable(check, what, WORKER_READS, config->passphrase)))
		return;
	if (credential && getenv("CREDENTIALS_DIRECTORY") == NULL)
		check_say(check, CHECK_WARN, what,
		    "its key opens with the systemd %s, which only the unit of the workers has: "
		    "not tried",
		    config->passphrase);
	else if (check_passed(check, what, ca_open(config, true, &ca)))
		check_say(check, CHECK_FINE, what, "its key is that of the certificate");
	ca_close(ca);
}

void check_ca(struct check *check, const struct config_ca *config)
{
	struct buf what = {0};
	struct ca *ca = NULL;

	buf_printf(&what, "ca \"%s\"", config->name);
	if (check_usable(check, buf_string(&what), WORKER_READS, config->certificate) &&
	    check_passed(check, buf_string(&what), ca_open(config, false, &ca))) {
		check_dates(check, buf_string(&what), ca);
		check_chain(check, buf_string(&what), ca);
		check_key(check, buf_string(&what), config);
	}
	ca_close(ca);
	buf_free(&what);
}
