#include "tests/bench/drive.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "common/base/clock.h"

#define TIMEOUT_S  60L
#define POLL_MS    1000
#define ANSWER_MAX 65536

/* A device: one request at a time. */
struct client {
	CURL *curl;
	struct buf answer;
	const struct bench_csr *csr;
};

struct crowd {
	struct drive *drive;
	CURLM *multi;
	struct curl_slist *headers;
	char *url;
	struct client *clients;
	size_t started, running;
	uint64_t start;
};

static size_t answer_add(char *bytes, size_t size, size_t count, void *context)
{
	struct client *client = context;

	if (client->answer.len + size * count > ANSWER_MAX)
		return 0;
	buf_add(&client->answer, bytes, size * count);
	return size * count;
}

static enum outcome client_open(struct crowd *crowd, struct client *client)
{
	const struct drive *drive = crowd->drive;
	CURL *curl = curl_easy_init();
	long fresh = drive->keep_alive ? 0 : 1;

	client->curl = curl;
	if (curl == NULL || curl_easy_setopt(curl, CURLOPT_URL, crowd->url) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_CAINFO, drive->trust) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_USERPWD, drive->credentials) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, crowd->headers) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, fresh) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, fresh) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_PRIVATE, client) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_WRITEDATA, client) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_add) != CURLE_OK)
		return reason(EST_INTERNAL, "libcurl did not start");
	return EST_OK;
}

/* Sends the next request, if there is one and time for it. */
static enum outcome client_next(struct crowd *crowd, struct client *client)
{
	struct drive *drive = crowd->drive;
	double passed = (double)(clock_microseconds() - crowd->start) / 1e6;

	if (crowd->started == drive->count || passed > drive->seconds)
		return EST_OK;
	client->csr = &drive->csrs[crowd->started++];
	buf_reset(&client->answer);
	if (curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE, (long)client->csr->len) !=
		CURLE_OK ||
	    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, client->csr->base64) != CURLE_OK ||
	    curl_multi_add_handle(crowd->multi, client->curl) != CURLM_OK)
		return reason(EST_INTERNAL, "libcurl did not take a request");
	crowd->running++;
	return EST_OK;
}

static enum outcome client_done(struct crowd *crowd, struct client *client, CURLcode code)
{
	struct drive *drive = crowd->drive;
	long status = 0;
	curl_off_t spent = 0;
	enum outcome outcome;

	(void)curl_multi_remove_handle(crowd->multi, client->curl);
	crowd->running--;
	if (code != CURLE_OK)
		return reason(EST_UNAVAILABLE, "after %zu enrollments: %s", drive->done,
		    curl_easy_strerror(code));
	(void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(client->curl, CURLINFO_TOTAL_TIME_T, &spent);
	outcome = answer_check((int)status, buf_span(&client->answer), client->csr->point);
	if (outcome != EST_OK)
		return outcome;
	drive->latencies[drive->done++] = (double)spent / 1e3;
	return client_next(crowd, client);
}

static enum outcome crowd_step(struct crowd *crowd)
{
	enum outcome outcome = EST_OK;
	CURLMsg *message;
	int running, left;

	if (curl_multi_perform(crowd->multi, &running) != CURLM_OK)
		return reason(EST_INTERNAL, "libcurl stopped");
	while (outcome == EST_OK && (message = curl_multi_info_read(crowd->multi, &left)) != NULL) {
		struct client *client = NULL;
		CURLcode code = message->data.result;

		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &client);
		outcome = client_done(crowd, client, code);
	}
	if (outcome == EST_OK && crowd->running > 0 &&
	    curl_multi_poll(crowd->multi, NULL, 0, POLL_MS, NULL) != CURLM_OK)
		outcome = reason(EST_INTERNAL, "libcurl does not wait");
	return outcome;
}

static enum outcome crowd_open(struct crowd *crowd)
{
	const struct drive *drive = crowd->drive;
	const char *slash = drive->label[0] == '\0' ? "" : "/";
	struct buf url = {0};

	buf_printf(&url, "%s/.well-known/est%s%s/simpleenroll", drive->url, slash, drive->label);
	crowd->url = mem_string(buf_string(&url));
	buf_free(&url);
	crowd->clients = mem_alloc(drive->clients * sizeof(*crowd->clients));
	crowd->multi = curl_multi_init();
	/* No Expect: 100-continue; est-client and most devices do not wait for one either. */
	crowd->headers = curl_slist_append(NULL, "Content-Type: application/pkcs10");
	if (crowd->headers == NULL || curl_slist_append(crowd->headers, "Expect:") == NULL ||
	    curl_multi_setopt(crowd->multi, CURLMOPT_MAXCONNECTS, (long)drive->clients) != CURLM_OK)
		return reason(EST_INTERNAL, "libcurl did not start");
	return EST_OK;
}

static void crowd_close(struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->drive->clients; i++) {
		if (crowd->clients[i].curl == NULL)
			continue;
		(void)curl_multi_remove_handle(crowd->multi, crowd->clients[i].curl);
		curl_easy_cleanup(crowd->clients[i].curl);
		buf_free(&crowd->clients[i].answer);
	}
	(void)curl_multi_cleanup(crowd->multi);
	curl_slist_free_all(crowd->headers);
	free(crowd->clients);
	free(crowd->url);
}

enum outcome drive_https(struct drive *drive)
{
	struct crowd crowd = {.drive = drive};
	enum outcome outcome = crowd_open(&crowd);

	drive->done = 0;
	for (size_t i = 0; outcome == EST_OK && i < drive->clients; i++)
		outcome = client_open(&crowd, &crowd.clients[i]);
	crowd.start = clock_microseconds();
	for (size_t i = 0; outcome == EST_OK && i < drive->clients; i++)
		outcome = client_next(&crowd, &crowd.clients[i]);
	while (outcome == EST_OK && crowd.running > 0)
		outcome = crowd_step(&crowd);
	drive->wall = (double)(clock_microseconds() - crowd.start) / 1e6;
	crowd_close(&crowd);
	return outcome;
}
