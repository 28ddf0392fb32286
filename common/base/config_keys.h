/*
 * config_keys.h - the keys of est.conf: their types, defaults and checks. For config.c, which reads them.
 */
#ifndef EST_CONFIG_KEYS_H
#define EST_CONFIG_KEYS_H

#include "common/base/config.h"

enum key_type { TEXT, PATH, PATHS, SPAN, SIZE, NUMBER, BOOL, WORDS };

/* A key of est.conf. def is the default as it would be written; NULL: the key must be there. */
struct key {
	const char *name;
	enum key_type type;
	size_t offset; /* of its member in the struct of its group */
	const char *def;
	const char *(*check)(
	    const char *value); /* of each word: NULL, or what is wrong; may be NULL */
	const char *words;      /* what each word may be, " "-separated; or NULL */
	int64_t least, most;
};

/* A group of keys: the top of the file, or one that may stand several times, ca, profile and label. */
struct group {
	const char *name;
	const struct key *keys;
	size_t key_count;
	size_t size; /* of its struct; the line is its first member, the name follows */
	size_t offset, count_offset; /* of the array and its length in struct config */
};

#define CONFIG_GROUPS 3
extern const struct group config_top, config_groups[CONFIG_GROUPS];

#endif
