#include <stdbool.h>
#include <stdlib.h>

#include "common/pki/form.h"
#include "common/pki/record.h"

enum { DEVICE_FORM = 'D' };

bool device_record_is_free(const struct device_record *device)
{
	return device->freed_at != 0 && device->freed_at >= device->added_at;
}

void device_record_clear(struct device_record *device)
{
	free(device->memory);
	*device = (struct device_record){0};
}

void device_record_encode(const struct device_record *device, struct buf *out)
{
	buf_add_byte(out, DEVICE_FORM);
	form_put_number(out, (uint64_t)device->added_at, 8);
	form_put_number(out, (uint64_t)device->enrolled_at, 8);
	form_put_number(out, (uint64_t)device->freed_at, 8);
	form_put_number(out, (uint64_t)device->blocked_at, 8);
	form_put_text(out, device->label);
	form_put_text(out, device->name);
	form_put_text(out, device->reason);
}

enum outcome device_record_decode(struct span in, struct device_record *out)
{
	struct device_record device = {0};
	struct form_reader reader = form_read(in, 0, DEVICE_FORM, &device.memory);

	device.added_at = (int64_t)form_take_number(&reader, 8);
	device.enrolled_at = (int64_t)form_take_number(&reader, 8);
	device.freed_at = (int64_t)form_take_number(&reader, 8);
	device.blocked_at = (int64_t)form_take_number(&reader, 8);
	device.label = form_take_text(&reader);
	device.name = form_take_text(&reader);
	device.reason = form_take_text(&reader);
	if (!form_is_whole(&reader)) {
		device_record_clear(&device);
		return reason(EST_INTERNAL, "the store holds bytes that are not a device's record");
	}
	*out = device;
	return EST_OK;
}
