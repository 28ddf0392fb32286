#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# hostile.bats - requests that nobody may get a certificate for: security-cases A to D, row by row, from make_hostile.
# Status, code, log line, store, workers, and what it costs are compared for every one of them.

load instance
load hostile
load gate

setup_file() {
	DENIED=$(free_port)
	export DENIED
	instance_start
	user dev "$PASSWORD" 'dev-*.example'
	WORKERS=$(workers | tr '\n' ' ')
	SANITIZED=''
	if grep -q __asan_init "$E2E/bin/est.fcgi"; then SANITIZED=yes; fi
	export WORKERS SANITIZED PASSWORD
}
teardown_file() { instance_stop; }

client() { python3 "$BATS_TEST_DIRNAME/hostile.py" "$@"; }

# The same workers, and as many certificates more as were granted.
sane() { # BEFORE MORE
	assert_equal "$(rows)" $(($1 + $2))
	# shellcheck disable=SC2086 # words on purpose
	assert_alive $WORKERS
	assert_equal "$(workers | tr '\n' ' ')" "$WORKERS"
}

# Every file of a row.
row() { # ROW
	local before
	before=$(rows)
	run client rows "$E2E/hostile/manifest.tsv" "$1"
	echo "${lines[-1]}" >>"$E2E/log/summary"
	assert_success
	sane "$before" "$(sed -n 's/.* \([0-9]*\) certificates.*/\1/p' <<<"${lines[-1]}")"
}

@test "A1 a signature that does not verify" { row A1; }
@test "A2 digests that nobody should sign with" { row A2; }
@test "A3 signature algorithms that nobody knows" { row A3; }
@test "A4 another version" { row A4; }
@test "A5 a signature algorithm of another kind of key" { row A5; }
@test "A6 RSA of sizes that are not taken" { row A6; }
@test "A7 RSA so large that work with it would cost" { row A7; }
@test "A8 RSA exponents" { row A8; }
@test "A9 RSA moduli that are none" { row A9; }
@test "A10 RSA moduli with a small factor" { row A10; }
@test "A11 RSA moduli of close primes" { row A11; }
@test "A12 RSA moduli of ROCA" { row A12; }
@test "A13 keys of the operator's list" { row A13; }
@test "A15 keys that were published" { row A15; }
@test "A16 curves that are not taken" { row A16; }
@test "A17 curves spelled out" { row A17; }
@test "A18 curves over fields that are none" { row A18; }
@test "A19 points that are none" { row A19; }
@test "A20 points in other forms" { row A20; }
@test "A21 kinds of keys" { row A21; }
@test "A22 keys of the CA and the web server" { row A22; }
@test "B1 trailing octets" { row B1; }
@test "B2 cut, empty, zeros" { row B2; }
@test "B3 BER that is no DER" { row B3; }
@test "B4 lengths of gibibytes" { row B4; }
@test "B5 deep nests" { row B5; }
@test "B6 too long, too many" { row B6; }
@test "B7 forms of base64" { row B7; }
@test "B8 what is no base64" { row B8; }
@test "B9 content types" { row B9; }
@test "B10 methods and operations" { row B10; }
@test "C1 NUL in names" { row C1; }
@test "C2 controls in names" { row C2; }
@test "C3 markup in names" { row C3; }
@test "C4 formulas in names" { row C4; }
@test "C5 separators in names" { row C5; }
@test "C7 strings that are none" { row C7; }
@test "C8 characters that look like others" { row C8; }
@test "C9 subjects without and with too many names" { row C9; }
@test "C10 blanks at the edges of names" { row C10; }
@test "C11 strings of the wrong type" { row C11; }
@test "C12 attributes that nobody knows" { row C12; }
@test "C13 paths" { row C13; }
@test "C14 subject alternative names" { row C14; }
@test "C15 names of others" { row C15; }
@test "D1 a CA's rights" { row D1; }
@test "D2 extended key usages" { row D2; }
@test "D3 extensions twice, or in the wrong place" { row D3; }
@test "D4 extensions that are not the device's to choose" { row D4; }
@test "D5 challenge passwords" { row D5; }
@test "D6 what a profile requires" { row D6; }

# --- every octet of a good request ---

good() {
	key P-256 good.key
	csr good.key "/O=Acme/CN=pump-1.example" DNS:pump-1.example,IP:192.0.2.1 >good.der
}

@test "B2 B11 a request cut off at every octet" {
	local before
	before=$(rows)
	good
	run -0 client cuts good.der
	sane "$before" 0
}

@test "A1 a request with a bit changed in every octet" {
	local before
	before=$(rows)
	good
	run -0 client flips good.der
	sane "$before" 0
}

# --- in more than one step ---

revoke() { est_admin cert revoke "$(serial "$1")" --reason "$2"; }

@test "A14 a key that was compromised stays blocked, for everybody and every label" {
	local before
	key P-256 lost.key
	csr lost.key /CN=dev-lost.example | b64 >lost.b64
	post simpleenroll lost.b64 -u "dev:$PASSWORD"
	assert_issued lost.key
	revoke issued.pem keyCompromise
	before=$(rows)
	post simpleenroll lost.b64 -u "dev:$PASSWORD" # the same request, within the retry window
	assert_refused 400 '^badCSR:blocked-key: '
	csr lost.key /CN=pump-lost.example | b64 >other.b64
	post simpleenroll other.b64 -u "pump:$PASSWORD"
	assert_refused 400 '^badCSR:blocked-key: '
	post second/simpleenroll other.b64 -u "pump:$PASSWORD"
	assert_refused 400 '^badCSR:blocked-key: '
	csr lost.key /CN=pump-0.example DNS:pump-0.example | b64 >renew.b64
	post simplereenroll renew.b64 --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
	assert_refused 400 '^badCSR:blocked-key: '
	sane "$before" 0
}

@test "A14 a key whose certificate was revoked for another reason is not blocked" {
	key P-256 moved.key
	csr moved.key /CN=dev-moved.example | b64 >moved.b64
	post simpleenroll moved.b64 -u "dev:$PASSWORD"
	assert_issued moved.key
	revoke issued.pem superseded
	csr moved.key /CN=dev-moved-2.example | b64 >moved.b64
	post simpleenroll moved.b64 -u "dev:$PASSWORD"
	assert_issued moved.key
}

@test "A23 one key under two names, as the profile says" {
	local before
	key P-256 twin.key
	csr twin.key /CN=pump-twin-1.example | b64 >1.b64
	csr twin.key /CN=pump-twin-2.example | b64 >2.b64
	enroll 1.b64 rekey
	assert_issued twin.key
	before=$(rows)
	enroll 2.b64 rekey
	assert_refused 403 '^badCSR:key-in-use: '
	sane "$before" 0
	enroll 2.b64
	assert_issued twin.key
	assert_equal "$(jq -s '.[-1].key_shared' "$LOG")" true
	sane "$before" 1
}

# A device of the user dev; what others have to do with it is refused.
victim() {
	key P-256 victim.key
	csr victim.key /CN=dev-001.example DNS:dev-001.example | b64 >victim.b64
	post simpleenroll victim.b64 -u "dev:$PASSWORD"
	assert_issued victim.key
	mv issued.pem victim.pem
	key P-256 thief.key
}

# The name in other letter case, with blanks, and in every string type: each as a whole subject in hex.
disguises() {
	local name
	for name in dev-001.example DEV-001.EXAMPLE Dev-001.example 'dev-001.example ' ' dev-001.example' dev-001.example.; do
		tlv 30 "$(cn "$(hex "$name")")" && echo
		tlv 30 "$(cn "$(hex "$name")" 13)" && echo
		tlv 30 "$(cn "$(hex "$name")" 14)" && echo
		tlv 30 "$(cn "$(hex "$name")" 16)" && echo
		tlv 30 "$(cn "$(hex "$name" | sed 's/../00&/g')" 1e)" && echo
		tlv 30 "$(cn "$(hex "$name" | sed 's/../000000&/g')" 1c)" && echo
	done
}

denied() { # WHAT
	assert_regex "$1: $CODE $(cat body)" ': (400 badCSR:name-(character|length)|403 (auth:name|renew:(subject|nothing))): '
}

@test "C6 C10 nobody takes a name over by spelling it otherwise" {
	local before subject
	victim
	before=$(rows)
	while read -r subject; do
		make_csr -k thief.key -N "$subject" | b64 >thief.b64
		post simpleenroll thief.b64 -u "pump:$PASSWORD"
		denied "enroll $subject"
		post simplereenroll thief.b64 -u "pump:$PASSWORD"
		denied "renew with a password $subject"
		post simplereenroll thief.b64 --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
		denied "renew with a certificate $subject"
		make_csr -k thief.key -N "$subject" -e "$(san "$(dns pump-0.example)")" | b64 >thief.b64
		post simplereenroll thief.b64 --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
		denied "renew with a certificate and its name as SAN $subject"
	done < <(disguises)
	sane "$before" 0
}

@test "C15 nobody gets a name by SAN, on top of its own or in a renewal" {
	local before
	victim
	before=$(rows)
	csr thief.key /CN=pump-9.example DNS:DEV-001.example | b64 >thief.b64
	post simpleenroll thief.b64 -u "pump:$PASSWORD"
	assert_refused 403 '^auth:name: '
	csr thief.key /CN=pump-0.example DNS:pump-0.example,DNS:dev-001.example | b64 >thief.b64
	post simplereenroll thief.b64 --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
	assert_refused 403 '^renew:san: '
	csr thief.key /CN=pump-0.example DNS:dev-001.example | b64 >thief.b64
	post simplereenroll thief.b64 --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
	assert_refused 403 '^renew:san: '
	csr thief.key /CN=dev-001.example DNS:dev-001.example | b64 >thief.b64
	post simplereenroll thief.b64 --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
	assert_refused 403 '^renew:(subject|san): '
	sane "$before" 0
}

@test "C6 a name in another string type is the same device" {
	victim
	csr thief.key /CN=dev-001.example DNS:dev-001.example | b64 >owner.b64
	post simplereenroll owner.b64 --cert victim.pem --key victim.key
	assert_issued thief.key
	make_csr -k victim.key -N "$(tlv 30 "$(cn "$(hex dev-001.example | sed 's/../00&/g')" 1e)")" -e "$(san "$(dns dev-001.example)")" | b64 >bmp.b64
	post simplereenroll bmp.b64 --cert victim.pem --key victim.key
	assert_issued victim.key
	run -0 openssl asn1parse -in issued.pem
	refute_output --partial BMPSTRING
	assert_equal "$(openssl x509 -in issued.pem -noout -subject -nameopt RFC2253)" subject=CN=dev-001.example
}

# --- afterwards ---

@test "after all of this a device enrolls, the store is whole, the log is one object a line" {
	request pump-after DNS:pump-after.example
	enroll pump-after.b64
	assert_issued pump-after.key
	run est_admin check
	assert_success
	run est_admin store check
	assert_success
	run -0 jq -es 'all(.[]; type == "object" and has("id") and has("status") or has("event"))' "$LOG"
	assert_equal "$(grep -vF 'the one-time secret is not this' "$LOG" | grep -cE 'CANARY|secret')" 0
	assert_equal "$(workers | tr '\n' ' ')" "$WORKERS"
	sed 's/^/# /' "$E2E/log/summary" >&3
}
