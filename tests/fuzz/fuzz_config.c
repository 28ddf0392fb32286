/*
 * fuzz_config - est.conf: what is taken is whole, and what is not taken has a reason.
 *
 * @include is left out: it is libconfig's, and would have the fuzzer read any file of the machine.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/pki/profile.h"

/*
 * libconfig forgets the text of a string that does not end; there is nothing that we could do about
 * it.
 */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

static bool includes(const uint8_t *data, size_t size)
{
	static const char word[] = "@include";

	return memmem(data, size, word, sizeof(word) - 1) != NULL;
}

/* The path of a file in memory with that content. */
static const char *file_of(const uint8_t *data, size_t size)
{
	static char path[64];
	static int file = -1;

	if (file < 0) {
		file = memfd_create("est.conf", 0);
		must(file >= 0);
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	}
	must(ftruncate(file, 0) == 0);
	must(pwrite(file, data, size, 0) == (ssize_t)size);
	return path;
}

static void check_whole(const struct config *config)
{
	must(config->ca_count > 0 && config->profile_count > 0 && config->label_count > 0);
	must(config->state != NULL && config->prefix != NULL && config->realm != NULL);
	must(config->body_limit >= 1024 && config->csr_limit >= 1024);
	for (size_t i = 0; i < config->label_count; i++) {
		const struct config_label *label = &config->labels[i];
		must(label->name != NULL && label->ca != NULL && label->profile != NULL);
		must(label->authenticate.count > 0 && label->encodings.count > 0);
		must(strcmp(label->ca->name, label->ca_name) == 0);
	}
	for (size_t i = 0; i < config->profile_count; i++) {
		struct profile *profile = NULL;
		reason_clear();
		if (profile_make(config->path, &config->profiles[i], &profile) == EST_OK)
			must(profile != NULL && profile->key_usage != 0);
		else
			must(reason_text()[0] != '\0');
		profile_free(profile);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = NULL;

	if (includes(data, size))
		return 0;
	reason_clear();
	if (config_load(file_of(data, size), &config) == EST_OK) {
		must(reason_text()[0] == '\0');
		check_whole(config);
	} else {
		must(config == NULL && reason_text()[0] != '\0');
	}
	config_free(config);
	return 0;
}
