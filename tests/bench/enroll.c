/*
 * enroll - enrolls fresh P-256 requests with est.fcgi and prints its CPU time per enrollment:
 * either one worker of its own over the FastCGI socket, or a web server with workers over HTTPS.
 */
#include <err.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <curl/curl.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/outcome.h"
#include "tests/bench/csrs.h"
#include "tests/bench/drive.h"
#include "tests/bench/worker.h"

#define PIDS_MAX    64
#define CREDENTIALS 512

struct pids {
	pid_t pid[PIDS_MAX];
	struct cpu before[PIDS_MAX];
	size_t count;
};

struct options {
	const char *worker, *config, *credentials;
	struct drive drive;
	struct pids workers; /* whose CPU is est.fcgi's */
	struct pids servers; /* whose CPU is the web server's */
	size_t warm_up;
	int json;
};

static const char help[] =
    "usage: enroll --worker PROGRAM --config FILE --credentials FILE [OPTION]...\n"
    "       enroll --url URL --trust FILE --credentials FILE [--pid PID]... [OPTION]...\n"
    "Enrolls fresh requests with one est.fcgi of its own, or through a web server, and prints the "
    "CPU\n"
    "time of an enrollment. Stops at the first answer that is not 200 with the right certificate.\n"
    "  --worker PROGRAM    est.fcgi; started with a listening socket as file descriptor 0\n"
    "  --config FILE       est.conf, for its EST_CONFIG\n"
    "  --credentials FILE  one line, user:password\n"
    "  --url URL           https://HOST:PORT of a web server\n"
    "  --trust FILE        the roots to trust it by\n"
    "  --pid PID           a worker behind it, repeatable\n"
    "  --server-pid PID    a process of the web server, repeatable\n"
    "  --clients N         connections at once (default 8)\n"
    "  --keep-alive        connections are used again; else a new one for each\n"
    "  --label LABEL       the label to enroll under\n"
    "  --count N           enrollments to measure (default 3000)\n"
    "  --seconds N         but no longer than this (default 600)\n"
    "  --warm-up N         enrollments before that (default 100)\n"
    "  --json              one JSON object instead of a table\n";

static _Noreturn void usage(void)
{
	(void)fputs(help, stderr);
	exit(2);
}

static _Noreturn void stop(struct worker *worker)
{
	worker_stop(worker);
	errx(EXIT_FAILURE, "%s", reason_text());
}

static void pid_add(struct pids *pids, const char *text)
{
	char *end;
	long pid = strtol(text, &end, 10);

	if (*end != '\0' || pid <= 0 || pids->count == PIDS_MAX)
		usage();
	pids->pid[pids->count++] = (pid_t)pid;
}

static size_t number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value > 100000000)
		usage();
	return value;
}

static void option_take(struct options *options, int option)
{
	switch (option) {
	case 'w': options->worker = optarg; break;
	case 'c': options->config = optarg; break;
	case 'C': options->credentials = optarg; break;
	case 'u': options->drive.url = optarg; break;
	case 't': options->drive.trust = optarg; break;
	case 'p': pid_add(&options->workers, optarg); break;
	case 'P': pid_add(&options->servers, optarg); break;
	case 'n': options->drive.clients = number(optarg); break;
	case 'k': options->drive.keep_alive = true; break;
	case 'l': options->drive.label = optarg; break;
	case 'N': options->drive.count = number(optarg); break;
	case 's': options->drive.seconds = (double)number(optarg); break;
	case 'W': options->warm_up = number(optarg); break;
	case 'j': options->json = 1; break;
	case 'h': (void)fputs(help, stdout); exit(0);
	default: usage();
	}
}

static void options_read(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {{"worker", required_argument, NULL, 'w'},
	    {"config", required_argument, NULL, 'c'}, {"credentials", required_argument, NULL, 'C'},
	    {"url", required_argument, NULL, 'u'}, {"trust", required_argument, NULL, 't'},
	    {"pid", required_argument, NULL, 'p'}, {"server-pid", required_argument, NULL, 'P'},
	    {"clients", required_argument, NULL, 'n'}, {"keep-alive", no_argument, NULL, 'k'},
	    {"label", required_argument, NULL, 'l'}, {"count", required_argument, NULL, 'N'},
	    {"seconds", required_argument, NULL, 's'}, {"warm-up", required_argument, NULL, 'W'},
	    {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const struct drive *drive = &options->drive;
	int option;

	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1)
		option_take(options, option);
	if (optind != argc || options->credentials == NULL || drive->count == 0 ||
	    drive->clients == 0 || (options->worker == NULL) == (drive->url == NULL) ||
	    (options->worker != NULL && options->config == NULL) ||
	    (drive->url != NULL && drive->trust == NULL))
		usage();
}

static void credentials_read(const char *path, char text[static CREDENTIALS])
{
	FILE *file = fopen(path, "r");

	if (file == NULL)
		err(EXIT_FAILURE, "%s", path);
	if (fgets(text, CREDENTIALS, file) == NULL)
		errx(EXIT_FAILURE, "%s is empty", path);
	(void)fclose(file);
	text[strcspn(text, "\r\n")] = '\0';
	if (strchr(text, ':') == NULL)
		errx(EXIT_FAILURE, "%s does not hold user:password", path);
}

static enum outcome pids_start(struct pids *pids)
{
	enum outcome outcome = EST_OK;

	for (size_t i = 0; outcome == EST_OK && i < pids->count; i++)
		outcome = cpu_read(pids->pid[i], &pids->before[i]);
	return outcome;
}

static enum outcome pids_spent(struct pids *pids, struct cpu *sum)
{
	enum outcome outcome = EST_OK;

	for (size_t i = 0; outcome == EST_OK && i < pids->count; i++) {
		struct cpu after;

		outcome = cpu_read(pids->pid[i], &after);
		if (outcome == EST_OK)
			cpu_add(sum, &pids->before[i], &after);
	}
	return outcome;
}

static enum outcome go(struct drive *drive, const struct worker *worker)
{
	return drive->url != NULL ? drive_https(drive) : drive_socket(drive, worker->socket);
}

/* The warm-up first, so that what a worker does once is not in what is measured. */
static enum outcome measure(struct options *options, const struct worker *worker,
    const struct bench_csr *csrs, struct cpu *workers, struct cpu *servers)
{
	struct drive warm = options->drive;
	enum outcome outcome;

	warm.csrs = csrs;
	warm.count = options->warm_up;
	warm.latencies = mem_alloc((warm.count + 1) * sizeof(double));
	options->drive.csrs = csrs + options->warm_up;
	outcome = warm.count == 0 ? EST_OK : go(&warm, worker);
	free(warm.latencies);
	if (outcome == EST_OK)
		outcome = pids_start(&options->workers);
	if (outcome == EST_OK)
		outcome = pids_start(&options->servers);
	if (outcome == EST_OK)
		outcome = go(&options->drive, worker);
	if (outcome == EST_OK)
		outcome = pids_spent(&options->workers, workers);
	return outcome == EST_OK ? pids_spent(&options->servers, servers) : outcome;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double percentile(const struct drive *drive, double part)
{
	return drive->latencies[(size_t)(part * (double)(drive->done - 1))];
}

/* The exact sum, divided as the sampled parts are. */
static struct cpu per_enrollment(const struct cpu *sum, size_t done)
{
	double parts = sum->user + sum->system, total = sum->total / (double)done;
	double user = parts > 0 ? total * sum->user / parts : total;

	return (struct cpu){total, user, total - user};
}

static void print(const struct options *options, const struct cpu *w, const struct cpu *s)
{
	const struct drive *d = &options->drive;
	double rate = (double)d->done / d->wall;

	if (options->json) {
		printf("{\"count\":%zu,\"worker_us\":%.1f,\"user_us\":%.1f,\"system_us\":%.1f,"
		       "\"server_us\":%.1f,\"per_second\":%.1f,\"p50_ms\":%.3f,\"p95_ms\":%.3f,"
		       "\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
		    d->done, w->total, w->user, w->system, s->total, rate, percentile(d, 0.5),
		    percentile(d, 0.95), percentile(d, 0.99), percentile(d, 1));
		return;
	}
	printf("enrollments             %9zu\n", d->done);
	if (options->workers.count > 0)
		printf("est.fcgi, CPU each      %9.1f us  (user %.1f, system %.1f)\n", w->total,
		    w->user, w->system);
	if (options->servers.count > 0)
		printf(
		    "web server, CPU each    %9.1f us  (%.0f enrollments per CPU second in all)\n",
		    s->total, 1e6 / (w->total + s->total));
	printf("per second of the clock %9.1f\n", rate);
	printf("latency, ms             p50 %.2f  p95 %.2f  p99 %.2f  max %.2f\n",
	    percentile(d, 0.5), percentile(d, 0.95), percentile(d, 0.99), percentile(d, 1));
}

/* A connection for each client, and then some. */
static void descriptors_raise(size_t clients)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= 2 * clients + 64)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	struct options options = {
	    .warm_up = 100, .drive = {.count = 3000, .seconds = 600, .clients = 8, .label = ""}};
	char credentials[CREDENTIALS], prefix[40];
	struct worker worker = {0};
	struct cpu workers = {0}, servers = {0};
	struct bench_csr *csrs;
	size_t all;

	options_read(argc, argv, &options);
	credentials_read(options.credentials, credentials);
	options.drive.credentials = credentials;
	all = options.warm_up + options.drive.count;
	(void)snprintf(prefix, sizeof(prefix), "b%llx-%lx", (unsigned long long)clock_now(),
	    (unsigned long)getpid());
	csrs = csrs_make(all, prefix);
	options.drive.latencies = mem_alloc(options.drive.count * sizeof(double));
	descriptors_raise(options.drive.clients);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		errx(EXIT_FAILURE, "libcurl did not start");
	if (options.worker != NULL) {
		if (worker_start(&worker, options.worker, options.config) != EST_OK)
			stop(&worker);
		options.workers = (struct pids){.pid = {worker.pid}, .count = 1};
	}
	if (measure(&options, &worker, csrs, &workers, &servers) != EST_OK)
		stop(&worker);
	worker_stop(&worker);
	qsort(options.drive.latencies, options.drive.done, sizeof(double), compare);
	workers = per_enrollment(&workers, options.drive.done);
	servers = per_enrollment(&servers, options.drive.done);
	print(&options, &workers, &servers);
	free(options.drive.latencies);
	csrs_free(csrs, all);
	curl_global_cleanup();
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
