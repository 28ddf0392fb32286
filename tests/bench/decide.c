/*
 * decide - what it costs to find out who asks, with the rates and the guesses counted: CPU time of
 * the whole decision as est.fcgi makes it, for each way to prove an identity (tests/bench/run).
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/encoding.h"
#include "common/lifecycle/identify.h"

#define LINE  512
#define BLOCK 100 /* decisions between two looks at the clock */

struct options {
	const char *config, *credentials, *secret;
	double seconds;
	int json;
};

/* What a device brings. */
struct bench {
	struct service *service;
	struct buf basic, secret, certificate;
};

/* A way: the label that wants it, and which of what a device brings goes with the request. */
static const struct way {
	const char *name, *label;
	bool basic, secret, certificate, external;
	enum outcome wanted;
} ways[] = {
    {"nobody", "decide-basic", false, false, false, false, EST_UNAUTHENTICATED},
    {"basic", "decide-basic", true, false, false, false, EST_OK},
    {"secret", "decide-secret", false, true, false, false, EST_OK},
    {"certificate", "decide-certificate", false, false, true, false, EST_OK},
    {"external", "decide-external", false, false, false, true, EST_OK},
    {"certificate-and-basic", "decide-both", true, false, true, false, EST_OK},
};

struct result {
	double first, each; /* microseconds */
};

static const char help[] =
    "usage: decide --config FILE --credentials FILE --secret FILE [--seconds N] [--json]\n"
    "CPU time of finding out who asks, by every way, in the instance that tests/bench/run makes.\n"
    "  --config FILE       est.conf\n"
    "  --credentials FILE  one line, user:password\n"
    "  --secret FILE       one line, device:secret\n"
    "  --seconds N         measure each for about so long (default 1)\n"
    "  --json              one JSON object instead of a table\n";

static _Noreturn void usage(void)
{
	(void)fputs(help, stderr);
	exit(2);
}

static struct options options_read(int argc, char **argv)
{
	static const struct option known[] = {{"config", required_argument, NULL, 'c'},
	    {"credentials", required_argument, NULL, 'C'}, {"secret", required_argument, NULL, 'S'},
	    {"seconds", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct options options = {.seconds = 1};
	int option;

	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		switch (option) {
		case 'c': options.config = optarg; break;
		case 'C': options.credentials = optarg; break;
		case 'S': options.secret = optarg; break;
		case 's': options.seconds = strtod(optarg, NULL); break;
		case 'j': options.json = 1; break;
		case 'h': (void)fputs(help, stdout); exit(0);
		default: usage();
		}
	}
	if (optind != argc || options.config == NULL || options.credentials == NULL ||
	    options.secret == NULL || !(options.seconds > 0))
		usage();
	return options;
}

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* --- what a device brings --- */

static void authorization_read(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "r");
	char text[LINE];

	if (file == NULL)
		err(EXIT_FAILURE, "%s", path);
	if (fgets(text, sizeof(text), file) == NULL)
		errx(EXIT_FAILURE, "%s is empty", path);
	(void)fclose(file);
	text[strcspn(text, "\r\n")] = '\0';
	buf_add_string(out, "Basic ");
	base64_encode(out, span_of(text), 0);
}

/* The newest certificate of the store, as lighttpd and Apache hand it over. */
static void certificate_read(struct bench *bench)
{
	const struct cert_query query = {.order = CERTS_BY_ISSUE, .limit = 1};
	struct cert_page page = {0};

	if (store_cert_list(bench->service->store, &query, &page) != EST_OK || page.count == 0)
		errx(EXIT_FAILURE, "the store has no certificate: %s", reason_text());
	buf_add_string(&bench->certificate, "-----BEGIN CERTIFICATE-----\n");
	base64_encode(&bench->certificate, page.records[0].der, 64);
	buf_add_string(&bench->certificate, "-----END CERTIFICATE-----\n");
	cert_page_clear(&page);
}

static void bench_open(struct bench *bench, const struct options *options)
{
	if (service_open(options->config, SERVICE_STORE | SERVICE_LABELS | SERVICE_LIMITS,
		&bench->service) != EST_OK)
		errx(EXIT_FAILURE, "%s", reason_text());
	authorization_read(options->credentials, &bench->basic);
	authorization_read(options->secret, &bench->secret);
	certificate_read(bench);
}

static void bench_close(struct bench *bench)
{
	buf_cleanse(&bench->basic);
	buf_cleanse(&bench->secret);
	buf_free(&bench->certificate);
	service_close(bench->service);
}

/* --- measuring --- */

/* As cgi/est.c decides, before it looks into a request. */
static enum outcome decide(struct bench *bench, const struct way *way)
{
	const struct asking asking = {.label = service_label(bench->service, span_of(way->label))};
	const struct credentials credentials = {
	    .authorization = way->basic    ? buf_string(&bench->basic)
			     : way->secret ? buf_string(&bench->secret)
					   : NULL,
	    .certificate = way->certificate ? buf_string(&bench->certificate) : NULL,
	    .remote_user = way->external ? "bench" : NULL,
	    .auth_type = way->external ? "Basic" : NULL,
	    .server = "lighttpd/1.4.69",
	    .cipher = "TLS_AES_256_GCM_SHA384",
	    .address = "192.0.2.117"};
	struct identity identity = {0};
	unsigned retry_after = 0;
	enum outcome outcome;

	if (asking.label == NULL)
		errx(EXIT_FAILURE, "there is no label %s", way->label);
	reason_clear();
	outcome = identify_admit(bench->service, asking.label, credentials.address, &retry_after);
	if (outcome == EST_OK)
		outcome = identify(bench->service, &asking, &credentials, &identity);
	if (outcome == EST_OK)
		outcome = identify_meter(bench->service, asking.label, &identity, &retry_after);
	identity_clear(&identity);
	return outcome;
}

static void must_decide(struct bench *bench, const struct way *way)
{
	if (decide(bench, way) != way->wanted)
		errx(EXIT_FAILURE, "%s: %s", way->name, reason_text());
}

static struct result measure(struct bench *bench, const struct way *way, double seconds)
{
	double start = cpu_us(), end;
	struct result result;
	size_t count = 0;

	must_decide(bench, way);
	result.first = cpu_us() - start;
	for (int i = 0; i < BLOCK; i++)
		must_decide(bench, way);
	start = cpu_us();
	do {
		for (int i = 0; i < BLOCK; i++)
			must_decide(bench, way);
		count += BLOCK;
		end = cpu_us();
	} while (end - start < seconds * 1e6);
	result.each = (end - start) / (double)count;
	return result;
}

int main(int argc, char **argv)
{
	struct options options = options_read(argc, argv);
	struct bench bench = {0};

	bench_open(&bench, &options);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct result result = measure(&bench, &ways[i], options.seconds);
		if (options.json)
			printf("%s\"%s_first_us\":%.1f,\"%s_us\":%.2f", i == 0 ? "{" : ",",
			    ways[i].name, result.first, ways[i].name, result.each);
		else
			printf("%-24s %9.2f us each %12.1f us first\n", ways[i].name, result.each,
			    result.first);
	}
	if (options.json)
		printf("}\n");
	bench_close(&bench);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
