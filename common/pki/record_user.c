#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/pki/form.h"
#include "common/pki/record.h"

/* PLAIN_FORM knows no roles, no end and no count of uses. */
enum { PLAIN_FORM = 'U', USER_FORM = 'V' };

static const char *const roles[USER_ROLES] = {
    [ROLE_ENROLL] = "enroll",
    [ROLE_OPERATE] = "operate",
    [ROLE_AUDIT] = "audit",
    [ROLE_ADMINISTER] = "administer",
};

const char *user_role_name(enum user_role role)
{
	return role < USER_ROLES ? roles[role] : NULL;
}

bool user_role_parse(const char *word, enum user_role *out)
{
	for (enum user_role role = 0; role < USER_ROLES; role++) {
		if (strcmp(word, roles[role]) == 0) {
			*out = role;
			return true;
		}
	}
	return false;
}

void user_record_clear(struct user_record *user)
{
	free(user->memory);
	*user = (struct user_record){0};
}

static void put_texts(struct buf *out, const char *const *texts)
{
	size_t count = 0;

	while (texts != NULL && texts[count] != NULL)
		count++;
	form_put_length(out, count);
	for (size_t i = 0; i < count; i++)
		form_put_text(out, texts[i]);
}

void user_record_encode(const struct user_record *user, struct buf *out)
{
	buf_add_byte(out, USER_FORM);
	form_put_number(out, (uint64_t)user->created_at, 8);
	form_put_number(out, (uint64_t)user->expires_at, 8);
	form_put_number(out, user->uses_most, 4);
	form_put_number(out, user->uses, 4);
	buf_add_byte(out, (unsigned char)user->roles);
	form_put_text(out, user->name);
	form_put_text(out, user->password);
	put_texts(out, user->names);
	put_texts(out, user->labels);
}

/* A text is at least two octets, which bounds what a count may claim. */
enum { TEXT_LEAST = 2 };

static const char *const *take_texts(struct form_reader *reader, const char ***room)
{
	const char **texts = *room;
	size_t count = form_take_length(reader);

	if (count > reader->rest.len / TEXT_LEAST) {
		reader->failed = true;
		count = 0;
	}
	for (size_t i = 0; i < count; i++)
		texts[i] = form_take_text(reader);
	texts[count] = NULL;
	*room = texts + count + 1;
	return texts;
}

static void take_limits(struct form_reader *reader, bool plain, struct user_record *user)
{
	if (plain) {
		user->roles = 1U << ROLE_ENROLL;
		return;
	}
	user->expires_at = (int64_t)form_take_number(reader, 8);
	user->uses_most = (uint32_t)form_take_number(reader, 4);
	user->uses = (uint32_t)form_take_number(reader, 4);
	user->roles = (unsigned)form_take_number(reader, 1);
	if (user->roles >> USER_ROLES != 0)
		reader->failed = true;
}

enum outcome user_record_decode(struct span in, struct user_record *out)
{
	struct user_record user = {0};
	bool plain = in.len > 0 && in.data[0] == PLAIN_FORM;
	size_t pointers = (in.len / TEXT_LEAST + 2) * sizeof(const char *);
	struct form_reader reader =
	    form_read(in, pointers, plain ? PLAIN_FORM : USER_FORM, &user.memory);
	const char **room = user.memory;

	user.created_at = (int64_t)form_take_number(&reader, 8);
	take_limits(&reader, plain, &user);
	user.name = form_take_text(&reader);
	user.password = form_take_text(&reader);
	user.names = take_texts(&reader, &room);
	user.labels = take_texts(&reader, &room);
	if (!form_is_whole(&reader)) {
		user_record_clear(&user);
		return reason(EST_INTERNAL, "the store holds bytes that are not a user's record");
	}
	*out = user;
	return EST_OK;
}
