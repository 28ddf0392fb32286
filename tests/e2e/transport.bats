#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# transport.bats - who is believed, and over what: T-01 to T-22 of the requirements.

load instance

setup_file() { instance_start; }
teardown_file() { instance_stop; }

basic() { printf 'Authorization: Basic %s' "$(printf '%s' "$1" | base64 -w0)"; }

# The device of the manufacturer, that all labels with his trust anchor believe, and a request for its own name.
own_request() { csr "$E2E/keys/idevid.key" /CN=factory-1.example | b64 >own.b64; }
device() { echo "--cert $E2E/keys/idevid.pem --key $E2E/keys/idevid.key"; }

@test "T-01 nothing is answered on clear HTTP, whatever a header claims" {
	local before header
	before=$(rows)
	export URL=http://localhost:$HTTP_PORT/.well-known/est
	http cacerts
	assert_refused 403 HTTPS
	request pump-1
	for header in 'X-Forwarded-Proto: https' 'HTTPS: on' 'X-HTTPS: on' 'Front-End-Https: on' 'Forwarded: proto=https'; do
		post simpleenroll pump-1.b64 -u "pump:$PASSWORD" -H "$header"
		assert_refused 403 HTTPS
	done
	assert_equal "$(header Location)" ''
	assert_equal "$(rows)" "$before"
}

@test "T-06 a client certificate authenticates" {
	csr "$E2E/keys/device.key" /CN=pump-0.example DNS:pump-0.example | b64 >own.b64
	post simplereenroll own.b64 --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
	assert_issued "$E2E/keys/device.key"
	own_request
	# shellcheck disable=SC2046 # words on purpose
	post cert/simpleenroll own.b64 $(device)
	certificate issued.pem
	post cert/simplereenroll own.b64 --cert issued.pem --key "$E2E/keys/idevid.key"
	assert_issued "$E2E/keys/idevid.key"
}

@test "T-07 the handshake demands no client certificate" {
	http cacerts
	assert_equal "$CODE" 200
	request pump-2
	post simpleenroll pump-2.b64 -u "pump:$PASSWORD"
	assert_issued pump-2.key
}

@test "T-08 a manufacturer's certificate enrolls its own name where the label trusts the manufacturer" {
	request factory-1
	post factory/simpleenroll factory-1.b64 --cert "$E2E/keys/idevid.pem" --key "$E2E/keys/idevid.key"
	assert_issued factory-1.key
}

@test "T-08 a manufacturer's certificate enrolls no other name" {
	request factory-2
	post factory/simpleenroll factory-2.b64 --cert "$E2E/keys/idevid.pem" --key "$E2E/keys/idevid.key"
	assert_refused 403
}

@test "T-08 a manufacturer's certificate never renews" {
	csr "$E2E/keys/idevid.key" /CN=factory-1.example | b64 >own.b64
	post factory/simplereenroll own.b64 --cert "$E2E/keys/idevid.pem" --key "$E2E/keys/idevid.key"
	assert_refused 403
}

@test "T-08 a manufacturer's certificate means nothing to another label" {
	request factory-1
	post second/simpleenroll factory-1.b64 --cert "$E2E/keys/idevid.pem" --key "$E2E/keys/idevid.key"
	assert_regex "$CODE" '^40[13]$'
	post simpleenroll factory-1.b64 --cert "$E2E/keys/idevid.pem" --key "$E2E/keys/idevid.key"
	assert_regex "$CODE" '^40[13]$'
}

@test "T-11 a password is accepted after the challenge, the scheme's case aside" {
	request pump-3
	post simpleenroll pump-3.b64
	assert_equal "$CODE" 401
	post simpleenroll pump-3.b64 -H "$(basic "pump:$PASSWORD" | sed s/Basic/bAsIc/)"
	assert_issued pump-3.key
}

@test "T-12 the challenge is Basic with realm and charset, once, and the first 401 has an empty body" {
	request pump-4
	post simpleenroll pump-4.b64
	assert_equal "$CODE" 401
	assert_regex "$(header WWW-Authenticate)" '^Basic realm="[^"]+", charset="UTF-8"$'
	assert_equal "$(grep -ci '^WWW-Authenticate:' head)" 1
	assert_equal "$(header Content-Length)" 0
	assert_equal "$(wc -c <body)" 0
}

@test "T-12 a wrong password gets the challenge again, with a reason" {
	request pump-4
	post simpleenroll pump-4.b64 -u pump:wrong
	assert_refused 401
}

@test "T-12 user and password are UTF-8, a password may hold colons" {
	request pump-5
	post simpleenroll pump-5.b64 -u "$USER_UTF8:$PASSWORD_UTF8"
	assert_issued pump-5.key
	post simpleenroll pump-5.b64 -u "$USER_UTF8:${PASSWORD_UTF8%%:*}"
	assert_refused 401
}

@test "T-12 a user id may be empty" {
	user '' "CANARY-token:1" 'pump-*.example'
	request pump-6
	post simpleenroll pump-6.b64 -u ':CANARY-token:1'
	assert_issued pump-6.key
	post simpleenroll pump-6.b64 -u ':'
	assert_refused 401
}

@test "T-12 Authorization that is no Basic credential is a wrong one" {
	local value
	request pump-7
	for value in 'Basic' 'Basic ' 'Basic !!!!' 'Basic cHVtcA==' 'Basic AA==' "Bearer $PASSWORD" 'Digest username="pump"' \
		"Basic $(head -c 3000 /dev/zero | base64 -w0)"; do
		post simpleenroll pump-7.b64 -H "Authorization: $value"
		assert_equal "$value: $CODE" "$value: 401"
		assert_regex "$(header WWW-Authenticate)" '^Basic '
	done
	post simpleenroll pump-7.b64 -u "pump:$(printf 'x%.0s' {1..5000})"
	assert_refused 401
	post simpleenroll pump-7.b64 -u "pump:"
	assert_refused 401
}

# shellcheck disable=SC2046,SC2086 # words on purpose
policy() { # LABEL none|cert|password|both
	local options=''
	case $2 in cert | both) options=$(device) ;; esac
	case $2 in password | both) options="$options -u any:$PASSWORD" ;; esac
	post "$1/simpleenroll" own.b64 $options
	echo "$2 $CODE"
}

@test "T-13 a label that takes certificates only" {
	own_request
	assert_equal "$(policy cert none)" 'none 403' # a 401 would need a challenge
	assert_equal "$(policy cert cert)" 'cert 200'
	assert_equal "$(policy cert password)" 'password 403'
	assert_equal "$(policy cert both)" 'both 200'
}

@test "T-13 a label that takes passwords only" {
	own_request
	assert_equal "$(policy basic none)" 'none 401'
	assert_equal "$(policy basic cert)" 'cert 401'
	assert_equal "$(policy basic password)" 'password 200'
	assert_equal "$(policy basic both)" 'both 200'
}

@test "T-13 a label that wants both" {
	own_request
	assert_equal "$(policy both none)" 'none 401'
	assert_equal "$(policy both cert)" 'cert 401'
	assert_regex "$(policy both password)" '^password 40[13]$'
	assert_equal "$(policy both both)" 'both 200'
}

@test "T-13 a label that takes either" {
	own_request
	assert_equal "$(policy factory none)" 'none 401'
	assert_equal "$(policy factory cert)" 'cert 200'
	assert_equal "$(policy factory password)" 'password 200'
	assert_equal "$(policy factory both)" 'both 200'
}

@test "T-13 where both are wanted, each has to allow the name" {
	request pump-8
	# shellcheck disable=SC2046 # words on purpose
	post both/simpleenroll pump-8.b64 $(device) -u "any:$PASSWORD"
	assert_refused 403
	own_request
	# shellcheck disable=SC2046 # words on purpose
	post both/simpleenroll own.b64 $(device) -u "pump:$PASSWORD"
	assert_refused 403
	# shellcheck disable=SC2046 # words on purpose
	post both/simpleenroll own.b64 $(device) -u "any:wrong"
	assert_refused 401
}

@test "T-13 where both are wanted, a renewal needs both as well" {
	# Its certificate comes from this label, by the manufacturer's and a password.
	own_request
	# shellcheck disable=SC2046 # words on purpose
	post both/simpleenroll own.b64 $(device) -u "any:$PASSWORD"
	assert_equal "$CODE" 200
	certificate first.pem
	post both/simplereenroll own.b64 --cert first.pem --key "$E2E/keys/idevid.key" -u "pump:$PASSWORD"
	assert_refused 403
	post both/simplereenroll own.b64 --cert first.pem --key "$E2E/keys/idevid.key" -u "any:$PASSWORD"
	assert_equal "$CODE" 200
}

@test "T-19 who asks is decided before the request is looked into" {
	echo 'no request at all' >junk
	post simpleenroll junk
	assert_equal "$CODE" 401
	post simpleenroll junk -u pump:wrong
	assert_refused 401
	post cert/simpleenroll junk
	assert_refused 403
	post simplereenroll junk
	assert_equal "$CODE" 401
}

@test "T-21 header fields that claim an identity are ignored" {
	local before name value pem
	own_request
	before=$(rows)
	pem=$(grep -v -e ----- "$E2E/keys/device.pem" | tr -d '\n')
	for name in SSL-Client-Cert SSL_CLIENT_CERT ssl-client-cert X-SSL-Client-Cert X-Client-Cert X-Forwarded-Client-Cert \
		Client-Cert X-ARR-ClientCert; do
		for value in "$pem" "-----BEGIN CERTIFICATE-----%0A$pem%0A-----END CERTIFICATE-----%0A"; do
			post cert/simplereenroll own.b64 -H "$name: $value" -H 'SSL-Client-Verify: SUCCESS' \
				-H 'X-SSL-Client-Verify: SUCCESS' -H 'SSL_CLIENT_VERIFY: SUCCESS'
			assert_equal "$name: $CODE" "$name: 403"
		done
	done
	for name in Remote-User REMOTE_USER X-Remote-User X-Forwarded-User Auth-User X-Authenticated-User; do
		post simpleenroll own.b64 -H "$name: any" -H 'Auth-Type: Basic' -H 'AUTH_TYPE: Basic' -H 'HTTPS: on'
		assert_equal "$name: $CODE" "$name: 401"
	done
	assert_equal "$(rows)" "$before"
}

@test "T-21 forged headers do not take a proven identity away either" {
	request pump-9
	post simpleenroll pump-9.b64 -u "pump:$PASSWORD" -H 'Remote-User: nobody' -H 'SSL-Client-Cert: x' -H 'SSL-Client-Verify: FAILED'
	assert_issued pump-9.key
}
