/*
 * limit - what a P-256 enrollment costs at least with OpenSSL 3 on one core of this machine: CPU
 * time per enrollment and per phase, without a web server, an identity or a store. est.fcgi is
 * measured against it in the same run (tests/bench/run), because only ratios survive a busy
 * machine.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/authority.h"
#include "tests/bench/base64.h"
#include "tests/bench/csrs.h"
#include "tests/bench/enrollment.h"
#include "tests/bench/ways.h"

#define BLOCK        64   /* enrollments between two looks at the clock */
#define CLOCK_ROUNDS 2000 /* to learn what a look at the clock costs */

struct options {
	double seconds;
	size_t csrs;
	const char *verify, *sign; /* names of ways; NULL for the fastest */
	int json, ways;
};

/* Microseconds of CPU; averages over everything measured. */
struct result {
	size_t count;
	double total;
	double phases[PHASES];
};

static const char help[] =
    "usage: limit [--seconds N] [--count N] [--verify WAY] [--sign WAY] [--ways] [--json]\n"
    "CPU time of a P-256 enrollment done by hand, without a web server, an identity or a store.\n"
    "  --seconds N   measure for about so long (default 3)\n"
    "  --count N     distinct requests to take turns with (default 512)\n"
    "  --verify WAY  kept, fromdata, fromdata-digest or decoder (default the fastest, kept)\n"
    "  --sign WAY    kept, copy or fresh (default the fastest, kept)\n"
    "  --ways        measure every way to verify and to sign\n"
    "  --json        one JSON object instead of a table\n";

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double clock_cost(void)
{
	double start = cpu_us();

	for (int i = 0; i < CLOCK_ROUNDS; i++)
		(void)cpu_us();
	return (cpu_us() - start) / CLOCK_ROUNDS;
}

static _Noreturn void refused(const char *phase)
{
	errx(EXIT_FAILURE, "an enrollment failed: %s", phase);
}

/*
 * A limit that does not verify would be none: one bit of the name is turned, the signature is not.
 */
static void tampered_refused(struct enrollment *e, const struct bench_csr *csr)
{
	unsigned char der[ENROLLMENT_DER];
	char text[ENROLLMENT_TEXT];
	struct span in = {der, 0};
	struct bench_csr tampered = {.base64 = text};

	if (!base64_read((struct span){(unsigned char *)csr->base64, csr->len}, der, &in.len))
		errx(EXIT_FAILURE, "a request is not base64");
	der[24] ^= 1; /* inside the common name */
	tampered.len = base64_write(text, in);
	e->csr = &tampered;
	if (!phases[0].run(e))
		errx(EXIT_FAILURE, "a tampered request does not parse");
	if (phases[1].run(e))
		errx(EXIT_FAILURE, "a tampered request verifies");
}

/* Whole enrollments, with the clock read at both ends only. */
static double block_whole(struct enrollment *e, const struct bench_csr *csrs, size_t n, size_t at)
{
	double start = cpu_us();

	for (size_t i = 0; i < BLOCK; i++) {
		if (!enrollment_run(e, &csrs[(at + i) % n]))
			refused("one of its phases");
	}
	return cpu_us() - start;
}

/* The same, with the clock read between the phases; what reading it costs comes off. */
static void block_phases(
    struct enrollment *e, const struct bench_csr *csrs, size_t n, size_t at, double *spent)
{
	double before = cpu_us();

	for (size_t i = 0; i < BLOCK; i++) {
		e->csr = &csrs[(at + i) % n];
		for (size_t p = 0; p < PHASES; p++) {
			double after;

			if (!phases[p].run(e))
				refused(phases[p].name);
			after = cpu_us();
			spent[p] += after - before;
			before = after;
		}
	}
}

/* Whole blocks and blocks by phase in turns, so that both meet the same noise. */
static struct result measure(
    struct enrollment *e, const struct bench_csr *csrs, size_t n, double seconds)
{
	struct result result = {0};
	double cost = clock_cost(), end = cpu_us() + seconds * 1e6;
	size_t at = 0;

	(void)block_whole(e, csrs, n, at); /* warm */
	do {
		at = (at + BLOCK) % n;
		result.total += block_whole(e, csrs, n, at);
		at = (at + BLOCK) % n;
		block_phases(e, csrs, n, at, result.phases);
		result.count += BLOCK;
	} while (cpu_us() < end);
	result.total /= (double)result.count;
	for (size_t p = 0; p < PHASES; p++)
		result.phases[p] = result.phases[p] / (double)result.count - cost;
	return result;
}

static void print_table(const struct result *result)
{
	for (size_t p = 0; p < PHASES; p++)
		printf("%-32s %7.1f us\n", phases[p].name, result->phases[p]);
	printf("%-32s %7.1f us  (%.0f/s on a core, %zu enrollments)\n", "whole enrollment",
	    result->total, 1e6 / result->total, result->count);
}

static void print_json(const struct enrollment *e, const struct result *result)
{
	static const char *const names[PHASES] = {"parse", "verify", "build", "sign", "wrap"};

	printf("{\"total_us\":%.2f", result->total);
	for (size_t p = 0; p < PHASES; p++)
		printf(",\"%s_us\":%.2f", names[p], result->phases[p]);
	printf(",\"count\":%zu,\"verify_way\":\"%s\",\"sign_way\":\"%s\"}\n", result->count,
	    e->ways.verify->name, e->ways.sign->name);
}

static void print_ways(struct enrollment *e, const struct bench_csr *csrs, size_t n, double seconds)
{
	for (const struct verify_way *way = verify_ways; way->name != NULL; way++) {
		e->ways.verify = way;
		printf("verify %-16s %7.1f us  %s\n", way->name,
		    measure(e, csrs, n, seconds).phases[1], way->what);
	}
	e->ways.verify = verify_ways;
	for (const struct sign_way *way = sign_ways; way->name != NULL; way++) {
		e->ways.sign = way;
		printf("sign   %-16s %7.1f us  %s\n", way->name,
		    measure(e, csrs, n, seconds).phases[3], way->what);
	}
	e->ways.sign = sign_ways;
}

static _Noreturn void usage(void)
{
	(void)fputs(help, stderr);
	exit(2);
}

static struct options options_read(int argc, char **argv)
{
	static const struct option known[] = {{"seconds", required_argument, NULL, 's'},
	    {"count", required_argument, NULL, 'n'}, {"verify", required_argument, NULL, 'v'},
	    {"sign", required_argument, NULL, 'g'}, {"ways", no_argument, NULL, 'w'},
	    {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct options options = {.seconds = 3, .csrs = 512};
	int option;

	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		switch (option) {
		case 's': options.seconds = strtod(optarg, NULL); break;
		case 'n': options.csrs = strtoul(optarg, NULL, 10); break;
		case 'v': options.verify = optarg; break;
		case 'g': options.sign = optarg; break;
		case 'w': options.ways = 1; break;
		case 'j': options.json = 1; break;
		case 'h': (void)fputs(help, stdout); exit(0);
		default: usage();
		}
	}
	if (optind != argc || !(options.seconds > 0 && options.seconds < 3600) ||
	    options.csrs < 1 || options.csrs > 1000000)
		usage();
	return options;
}

static void ways_choose(struct ways *ways, const struct options *options)
{
	if (options->verify != NULL)
		while (
		    ways->verify->name != NULL && strcmp(ways->verify->name, options->verify) != 0)
			ways->verify++;
	if (options->sign != NULL)
		while (ways->sign->name != NULL && strcmp(ways->sign->name, options->sign) != 0)
			ways->sign++;
	if (ways->verify->name == NULL || ways->sign->name == NULL)
		usage();
}

int main(int argc, char **argv)
{
	struct options options = options_read(argc, argv);
	struct authority authority = {0};
	static struct enrollment e;
	struct bench_csr *csrs;
	struct result result;
	bool good;

	authority_make(&authority);
	enrollment_open(&e, &authority);
	ways_choose(&e.ways, &options);
	csrs = csrs_make(options.csrs, "limit");
	tampered_refused(&e, csrs);
	if (options.ways) {
		print_ways(&e, csrs, options.csrs, options.seconds / 7);
	} else {
		result = measure(&e, csrs, options.csrs, options.seconds);
		if (options.json)
			print_json(&e, &result);
		else
			print_table(&result);
	}
	good = authority_check(
	    &authority, (struct span){(unsigned char *)e.answer, e.answer_len}, e.csr->point);
	csrs_free(csrs, options.csrs);
	enrollment_close(&e);
	authority_free(&authority);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
