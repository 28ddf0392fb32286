/*
 * cmd_profile_json.h - a profile as a JSON object, which is what est-admin profile shows.
 */
#ifndef EST_CMD_PROFILE_JSON_H
#define EST_CMD_PROFILE_JSON_H

#include "admin/cli.h"
#include "common/pki/profile.h"

/*
 * All about a profile that has keys: where names come from, and extensions and names of a sample.
 * *out: json_decref(). As profile_sample_make() where there can be no certificate of it.
 */
enum outcome profile_json(const struct config *config, const struct profile *profile, json_t **out);

/* The words as an array, and the names of the labels that have the profile. */
json_t *profile_words_json(const struct words *words);
json_t *profile_labels_json(const struct config *config, const struct config_profile *profile);

#endif
