# hostile.bash - DER in hex for make_csr, and a loop over requests that have to be refused.
# shellcheck shell=bash disable=SC2034 # the tests use them

MAKE_CSR=$EST_BUILD/tests/e2e/make_csr # where make puts it
[ -x "$MAKE_CSR" ] || MAKE_CSR=$EST_BUILD/make_csr
make_csr() { "$MAKE_CSR" "$@"; }

tlv() { # TAG HEX...
	local content len
	content=$(printf '%s' "${@:2}")
	len=$((${#content} / 2))
	if [ "$len" -lt 128 ]; then
		printf '%s%02x%s' "$1" "$len" "$content"
	elif [ "$len" -lt 256 ]; then
		printf '%s81%02x%s' "$1" "$len" "$content"
	else
		printf '%s82%04x%s' "$1" "$len" "$content"
	fi
}

hex() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'; }

cn() { tlv 31 "$(tlv 30 0603550403 "$(tlv "${2:-0c}" "$1")")"; } # HEX [TAG]: an RDN with a common name
rdn() { tlv 31 "$(tlv 30 "$1" "$(tlv "${3:-0c}" "$2")")"; }      # OID HEX [TAG]

extension() { tlv 30 "$1" "$(tlv 04 "$2")"; }                # OID HEX
critical_extension() { tlv 30 "$1" 0101ff "$(tlv 04 "$2")"; } # OID HEX
dns() { tlv 82 "$(hex "$1")"; }
new_name() { tlv 30 "$(cn "$(hex "$1")")"; } # NAME: what ChangeSubjectName asks for, in its two parts
new_sans() { tlv 30 "$@"; }                   # GENERALNAME...
san() { extension 0603551d11 "$(tlv 30 "$@")"; } # GENERALNAME...

EXTENSION_REQUEST=06092a864886f70d01090e
MICROSOFT_REQUEST=060a2b06010401823702010e
CHALLENGE=06092a864886f70d010907
attribute() { tlv 30 "$1" "$(tlv 31 "${@:2}")"; } # OID VALUE...
requested() { attribute "$EXTENSION_REQUEST" "$(tlv 30 "$@")"; }

# Makes a request by make_csr and posts it as the user who may have any name.
ask() { # LABEL [OPTION of make_csr...]
	[ -e odd.key ] || key P-256 odd.key
	make_csr -k odd.key "${@:2}" | b64 >odd.b64
	enroll odd.b64 "$1"
}

refuses() { # WHAT [OPTION of make_csr...]
	ask '' "${@:2}"
	assert_equal "$1: $CODE" "$1: 400"
	assert_refused 400 "${PATTERN-}"
}

accepts() { # WHAT [OPTION of make_csr...]
	ask '' "${@:2}"
	assert_equal "$1: $CODE $(cat body)" "$1: 200 $(cat body)"
	assert_issued odd.key
}
