#include <stdlib.h>

#include "common/pki/form.h"
#include "common/pki/record.h"

enum { PENDING_FORM = 'P' };

const char *pending_state_name(enum pending_state state)
{
	static const char *const names[PENDING_STATES] = {
	    [PENDING_WAITING] = "waiting",
	    [PENDING_APPROVED] = "approved",
	    [PENDING_DENIED] = "denied",
	    [PENDING_ISSUED] = "issued",
	};

	return (unsigned)state < PENDING_STATES ? names[state] : NULL;
}

void pending_record_clear(struct pending_record *pending)
{
	free(pending->memory);
	*pending = (struct pending_record){0};
}

void pending_record_encode(const struct pending_record *pending, struct buf *out)
{
	buf_reserve(out, 512 + pending->request.len);
	buf_add_byte(out, PENDING_FORM);
	buf_add(out, pending->id, sizeof(pending->id));
	buf_add(out, pending->content, sizeof(pending->content));
	buf_add(out, pending->ticket, sizeof(pending->ticket));
	buf_add_byte(out, (unsigned char)pending->state);
	form_put_number(out, (uint64_t)pending->created_at, 8);
	form_put_number(out, (uint64_t)pending->decided_at, 8);
	form_put_number(out, (uint64_t)pending->expires_at, 8);
	buf_add(out, pending->spki, sizeof(pending->spki));
	form_put_span(out, (struct span){pending->serial.octets, pending->serial.len});
	form_put_text(out, pending->label);
	form_put_text(out, pending->profile);
	form_put_text(out, pending->operation);
	form_put_text(out, pending->identity);
	form_put_text(out, pending->name);
	form_put_text(out, pending->subject);
	form_put_text(out, pending->names);
	form_put_text(out, pending->asks);
	form_put_text(out, pending->decided_by);
	form_put_text(out, pending->reason);
	form_put_span(out, pending->request);
}

static void take_state(struct form_reader *reader, struct pending_record *pending)
{
	uint64_t state = form_take_number(reader, 1);

	if (state >= PENDING_STATES)
		reader->failed = true;
	else
		pending->state = (enum pending_state)state;
}

/* An issued one has a serial, and no other has. */
static void take_serial(struct form_reader *reader, struct pending_record *pending)
{
	size_t len = form_take_length(reader);

	if (len > SERIAL_MAX || (len > 0) != (pending->state == PENDING_ISSUED))
		reader->failed = true;
	else
		pending->serial.len = (unsigned char)len;
	form_take_octets(reader, pending->serial.octets, pending->serial.len);
}

enum outcome pending_record_decode(struct span in, struct pending_record *out)
{
	struct pending_record pending = {0};
	struct form_reader reader = form_read(in, 0, PENDING_FORM, &pending.memory);

	form_take_octets(&reader, pending.id, sizeof(pending.id));
	form_take_octets(&reader, pending.content, sizeof(pending.content));
	form_take_octets(&reader, pending.ticket, sizeof(pending.ticket));
	take_state(&reader, &pending);
	pending.created_at = (int64_t)form_take_number(&reader, 8);
	pending.decided_at = (int64_t)form_take_number(&reader, 8);
	pending.expires_at = (int64_t)form_take_number(&reader, 8);
	form_take_octets(&reader, pending.spki, sizeof(pending.spki));
	take_serial(&reader, &pending);
	pending.label = form_take_text(&reader);
	pending.profile = form_take_text(&reader);
	pending.operation = form_take_text(&reader);
	pending.identity = form_take_text(&reader);
	pending.name = form_take_text(&reader);
	pending.subject = form_take_text(&reader);
	pending.names = form_take_text(&reader);
	pending.asks = form_take_text(&reader);
	pending.decided_by = form_take_text(&reader);
	pending.reason = form_take_text(&reader);
	pending.request = form_take_span(&reader);
	if (!form_is_whole(&reader)) {
		pending_record_clear(&pending);
		return reason(
		    EST_INTERNAL, "the store holds bytes that are not a waiting request's record");
	}
	*out = pending;
	return EST_OK;
}
