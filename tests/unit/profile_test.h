/*
 * profile_test.h - profiles by the keys of est.conf, for tests.
 */
#ifndef EST_PROFILE_TEST_H
#define EST_PROFILE_TEST_H

#include "maker.h"

#include <string.h>

#include "common/base/config.h"
#include "common/pki/profile.h"

/* A profile "p" and its configuration; test_profile_clear(). */
struct test_profile {
	struct config *config;
	struct profile *profile;
};

/* What config_load() and profile_make() make of the keys: "subject_fixed = [ \"O=Acme\" ];". */
static inline enum outcome test_profile_try(const char *keys, struct test_profile *out)
{
	struct buf text = {0};

	buf_printf(&text,
	    "state = \"state\";\nca = ( { name = \"ca\"; certificate = \"c\"; key = \"k\"; } );\n"
	    "profile = ( { name = \"p\"; %s } );\n"
	    "label = ( { name = \"\"; ca = \"ca\"; profile = \"p\"; } );\n",
	    keys);
	*out = (struct test_profile){NULL, NULL};
	if (config_load(maker_file("est.conf", buf_string(&text)), &out->config) != EST_OK)
		out->config = NULL;
	buf_free(&text);
	return out->config == NULL
		   ? EST_MALFORMED
		   : profile_make("est.conf", &out->config->profiles[0], &out->profile);
}

static inline void test_profile_make(const char *keys, struct test_profile *out)
{
	assert_outcome(EST_OK, test_profile_try(keys, out));
}

static inline void test_profile_clear(struct test_profile *made)
{
	profile_free(made->profile);
	config_free(made->config);
}

#endif
