/*
 * manufacturer.h - what a device is called here that comes with its manufacturer's certificate
 * (an IDevID of IEEE 802.1AR).
 */
#ifndef EST_MANUFACTURER_H
#define EST_MANUFACTURER_H

#include "common/base/buf.h"
#include "common/base/outcome.h"

/*
 * Whether a rule is in form: text with fields in braces, at least one: "{serialNumber}",
 * "pump-{serialNumber}.example". Fields are the subject's CN, serialNumber, UID, O and OU; of the
 * SAN dns, ip, email and uri; and of a HardwareModuleName there (RFC 4108 5) the serial number,
 * hardware in hexadecimal digits or hardware-text as it is, and hardware-type. NULL, or what is
 * wrong with it.
 *
 * The two forms of a serial number are fields of their own, so that two devices of one rule never
 * share a name: the octets 0x12 would be "12", and so would the text "12".
 */
const char *manufacturer_rule_check(const char *rule);

/*
 * Appends the device's name by the rule, or nothing. Of a field that is there several times the
 * first one counts. EST_FORBIDDEN (NAME_NOT_ALLOWED) where the certificate lacks a field or the
 * value holds what no device name may: a control or a hidden character, for hardware-text anything
 * but printable ASCII without blanks, or nothing at all.
 */
enum outcome manufacturer_name(const char *rule, struct span certificate, struct buf *out);

#endif
