#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# interop.bats - what a label can do for clients that are not as RFC 7030 and RFC 8951 want them: raw DER both ways, the
# chain in answers, SHA-1, base64 in one line or many, and only the statuses that libest's client knows. And that none of it is on
# where nobody has said so.

load instance
load hostile

ATTRIBUTES=MCYwJAYJKoZIhvcNAQkOMRcwFTATBgNVHSUEDDAKBggrBgEFBQcDAg== # V18
LIBEST='200 202 204 400 401 404 423 500 502 504' # est_client.c's; others it calls unhandled

instance_config() {
	local either='"basic", "certificate"' all='"simpleenroll", "simplereenroll", "csrattrs", "serverkeygen"'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; } );
		profile = ( { name = "device"; }, { name = "rekey"; key_reuse = false; } );
		label = (
		$(label '' devices device "$either"),
		$(label der devices device "$either" 'encodings = [ "der" ]; operations = [ "simpleenroll", "serverkeygen" ];'),
		$(label chain devices device "$either" 'include_chain = true; operations = [ "simpleenroll", "simplereenroll", "serverkeygen" ];'),
		$(label sha1 devices device "$either" 'sha1_requests = true;'),
		$(label sha1ignore devices device "$either" 'sha1_requests = true; challenge = "ignore";'),
		$(label wrapped devices device "$either" 'wrap = "64";'),
		$(label line devices device "$either" 'wrap = "none";'),
		$(label binary devices device "$either" "raw_responses = true; operations = [ $all ]; csrattrs_base64 = \"$ATTRIBUTES\";"),
		$(label text devices device "$either" "operations = [ $all ]; csrattrs_base64 = \"$ATTRIBUTES\";"),
		$(label narrow devices rekey "$either" 'narrow_statuses = true; challenge = "verify";'),
		$(label cert devices device '"certificate"' 'narrow_statuses = true;'),
		$(label queue devices device "$either" 'narrow_statuses = true; approval = [ "simpleenroll" ];') );
	END
}

setup_file() { instance_start; }
teardown_file() { instance_stop; }

@test "E-08 raw DER where a label takes it" {
	request pump-1
	post der/simpleenroll pump-1.csr -u "any:$PASSWORD"
	assert_issued pump-1.key
	post der/serverkeygen pump-1.csr -u "any:$PASSWORD"
	plain_parts
	post simpleenroll pump-1.csr -u "any:$PASSWORD"
	assert_refused 400 '^badRequest:body-form: '
	enroll pump-1.b64 der
	assert_refused 400
}

# The last answer is DER, said to be that, and as long as promised.
assert_binary() { # TYPE
	assert_equal "$CODE: $(header Content-Type)" "200: $1"
	assert_equal "$(header Content-Transfer-Encoding)" binary
	assert_equal "$(header Content-Length)" "$(wc -c <body)"
	assert_equal "$(head -c 1 body | od -An -tx1)" ' 30'
}

@test "E-05 answers as DER instead of base64 where a label says so: each operation's octets are the same" {
	local certs_only='application/pkcs7-mime; smime-type=certs-only' type
	http text/cacerts
	assert_equal "$(header Content-Transfer-Encoding)" base64
	type=$(header Content-Type)
	base64 -d body >cacerts.der
	http binary/cacerts
	assert_binary "$type"
	run -0 cmp body cacerts.der
	http binary/cacerts -A ''
	assert_binary "$type"
	http binary/csrattrs
	assert_binary application/csrattrs
	assert_equal "$(base64 -w 0 body)" "$ATTRIBUTES"
	request pump-6
	enroll pump-6.b64 binary
	assert_binary "$certs_only"
	openssl pkcs7 -inform DER -in body -print_certs >pump-6.pem
	assert_equal "$(grep -c BEGIN pump-6.pem)" 1
	assert_equal "$(spki pump-6.pem)" "$(openssl pkey -in pump-6.key -pubout)"
	post binary/simplereenroll pump-6.b64 --cert pump-6.pem --key pump-6.key
	assert_binary "$certs_only"
	openssl pkcs7 -inform DER -in body -print_certs >renewed.pem
	assert_equal "$(spki renewed.pem)" "$(spki pump-6.pem)"
}

@test "E-05 the parts of serverkeygen stay base64 there, and a refusal is text" {
	request pump-7
	post binary/serverkeygen pump-7.b64 -u "any:$PASSWORD"
	assert_equal "$(header Content-Transfer-Encoding)" ''
	plain_parts
	post binary/simpleenroll pump-7.csr -u "any:$PASSWORD"
	assert_refused 400 '^badRequest:body-form: '
	post binary/simpleenroll pump-7.b64 -u any:wrong
	assert_refused 401 '^auth:password: '
	http binary/nothing
	assert_refused 404
}

@test "S-05 the chain in answers where a label wants it, beside the certificate" {
	local file
	request pump-2
	enroll pump-2.b64
	assert_equal "$(certificates | grep -c BEGIN)" 1
	enroll pump-2.b64 chain
	assert_equal "$CODE" 200
	certificates >all.pem
	assert_regex "$(grep -c BEGIN all.pem)" '^[23]$' # with the root or without
	awk '/BEGIN/ { n++ } { print > sprintf("c.%d.pem", n) }' all.pem
	# A certs-only SignedData is a SET, in which DER has its own order: the device's is the one over its key.
	assert grep -qF "$(sed -n 3p "$E2E/est/devices.pem")" all.pem
	for file in c.*.pem; do
		if [ "$(spki "$file")" = "$(openssl pkey -in pump-2.key -pubout)" ]; then cp "$file" device.pem; fi
	done
	run -0 openssl verify -x509_strict -CAfile "$TRUST" -untrusted all.pem device.pem
	cp device.pem old.pem
	post chain/simplereenroll pump-2.b64 --cert old.pem --key pump-2.key
	assert_equal "$(certificates | grep -c BEGIN)" "$(grep -c BEGIN all.pem)"
	post chain/serverkeygen pump-2.b64 -u "any:$PASSWORD"
	parts
	assert_equal "$(openssl pkcs7 -inform DER -in part.2 -print_certs | grep -c BEGIN)" "$(grep -c BEGIN all.pem)"
}

@test "S-12 SHA-1 under a request where a label takes it; the challenge in it is one all the same" {
	local name
	for name in a3 a4; do
		enroll "$CORPUS/vectors/$name-csr.b64"
		assert_refused 400 '^badCSR:sigalg: '
		enroll "$CORPUS/vectors/$name-csr.b64" sha1
		assert_refused 403 '^badCSR:pop-linking: '
		enroll "$CORPUS/vectors/$name-csr.b64" sha1ignore
		assert_equal "$name $CODE: $(cat body)" "$name 200: $(cat body)"
		certificate issued.pem
		assert_equal "$(spki issued.pem)" "$(openssl req -inform DER -in "$CORPUS/vectors/$name-csr.der" -noout -pubkey)"
		run -0 openssl x509 -in issued.pem -noout -text
		refute_output --partial sha1
	done
	# MD5 never.
	key RSA-2048 odd.key
	make_csr -k odd.key -d md5 | b64 >odd.b64
	enroll odd.b64 sha1
	assert_refused 400 '^badCSR:sigalg: '
	# A broken one is broken by SHA-1 too.
	make_csr -k odd.key -d sha1 -b | b64 >odd.b64
	enroll odd.b64 sha1
	assert_refused 400 '^badCSR:signature: '
	make_csr -k odd.key -d sha1 | b64 >odd.b64
	enroll odd.b64 sha1
	assert_issued odd.key
	key P-256 odd.key
	make_csr -k odd.key -n ec.example -d sha1 | b64 >odd.b64
	enroll odd.b64 sha1
	assert_issued odd.key
}

# Each answer's body: how many lines, and how long the longest is.
layout() { # LABEL [OPTION of curl...]
	http "$1cacerts" "${@:2}"
	assert_equal "$CODE" 200
	assert_equal "$(tail -c 1 body | od -An -tx1)" ' 0a'
	assert_equal "$(tr -d '\n' <body | tr -d 'A-Za-z0-9+/=' | wc -c)" 0
	LINES_OF=$(wc -l <body)
	LONGEST=$(awk '{ if (length > most) most = length } END { print most }' body)
}

@test "E-05 base64 in lines of 64 or in one, by the label or by who asks" {
	layout ''
	assert_equal "$LONGEST" 64
	layout '' -A ''
	assert_equal "$LINES_OF" 1
	layout wrapped/ -A ''
	assert_equal "$LONGEST" 64
	layout wrapped/
	assert_equal "$LONGEST" 64
	layout line/
	assert_equal "$LINES_OF" 1
	layout line/ -A ''
	assert_equal "$LINES_OF" 1
	request pump-3
	enroll pump-3.b64 line
	assert_equal "$(wc -l <body)" 1
	assert_issued pump-3.key
	post wrapped/simpleenroll pump-3.b64 -u "any:$PASSWORD" -A ''
	assert_issued pump-3.key
	assert [ "$(wc -l <body)" -gt 5 ]
}

# The status is one that libest's client knows, and what is wrong is said as ever.
narrow() { # WHAT CODE
	assert_regex "$1: $CODE" ": (${LIBEST// /|})$"
	[ "$CODE" = 401 ] || assert_refused "$CODE" "$2"
}

@test "statuses that libest's client knows, where a label says so, with the reasons as ever" {
	request pump-4
	request valve-4
	post narrow/simpleenroll valve-4.b64 -u "pump:$PASSWORD"
	narrow name '^auth:name: '
	post narrow/simplereenroll pump-4.b64 -u "any:$PASSWORD"
	narrow renew '^renew:nothing: '
	ask narrow -c YWJjZGVmZ2hpamts
	narrow linking '^badCSR:pop-linking: '
	post cert/simpleenroll pump-4.b64
	narrow certificate '^auth:certificate-missing: '
	http narrow/simpleenroll
	narrow method '^badRequest:method: '
	assert_equal "$(header Allow)" POST
	http narrow/simpleenroll -u "any:$PASSWORD" -H 'Content-Type: text/plain' --data-binary @pump-4.b64
	narrow type '^badRequest:content-type: '
	post narrow/simpleenroll pump-4.b64 -u "any:$PASSWORD" -H 'Content-Encoding: gzip'
	narrow encoding '^badRequest:content-encoding: '
	head -c 100000 /dev/zero | tr '\0' A >big
	post narrow/simpleenroll big -u "any:$PASSWORD"
	narrow size '^badRequest:body-size: '
	http narrow/nothing
	narrow path '^badRequest:path: '
	post narrow/simpleenroll pump-4.b64
	assert_equal "$CODE" 401
	enroll pump-4.b64 narrow
	assert_issued pump-4.key
	est_admin cert revoke "$(serial issued.pem)"
	post narrow/simpleenroll pump-4.b64 --cert issued.pem --key pump-4.key
	narrow revoked '^auth:certificate-revoked: '
	enroll pump-4.b64 queue
	assert_equal "$CODE" 202
	assert_regex "$(header Retry-After)" '^[1-9][0-9]*$'
	# The log has what it was, and which status was sent.
	assert_equal "$(jq -r 'select(.code == "auth:certificate-revoked") | "\(.outcome) \(.status)"' "$LOG" | tail -n 1)" 'forbidden 400'
}

@test "503 is 504 for libest's client, with Retry-After and the reason as ever" {
	request pump-8
	at_time +5000d # the CA lives for ten years
	cgi_post simpleenroll pump-8.b64 "$(basic)"
	assert_refused 503 '^server:unavailable: '
	cgi_post narrow/simpleenroll pump-8.b64 "$(basic)"
	assert_refused 504 '^server:unavailable: '
	assert_regex "$(header Retry-After)" '^[1-9][0-9]*$'
	assert_equal "$(tail -n 1 "$LOG" | jq -r '"\(.outcome) \(.status)"')" 'unavailable 504'
}

@test "0 and where no label says so, they are those of RFC 9110" {
	request pump-5
	request valve-5
	post simpleenroll valve-5.b64 -u "pump:$PASSWORD"
	assert_refused 403 '^auth:name: '
	ask '' -c YWJjZGVmZ2hpamts
	assert_refused 403 '^badCSR:pop-linking: '
	http simpleenroll
	assert_refused 405 '^badRequest:method: '
	http simpleenroll -u "any:$PASSWORD" -H 'Content-Type: text/plain' --data-binary @pump-5.b64
	assert_refused 415 '^badRequest:content-type: '
	post simpleenroll pump-5.b64 -u "any:$PASSWORD" -H 'Content-Encoding: gzip'
	assert_refused 415 '^badRequest:content-encoding: '
	head -c 100000 /dev/zero | tr '\0' A >big
	post simpleenroll big -u "any:$PASSWORD"
	assert_refused 413 '^badRequest:body-size: '
}
