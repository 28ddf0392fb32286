#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# vectors.bats - what RFC 7030, RFC 9908 and others published: the requests of RFC 7030 A.3 and A.4 in every form that
# they may come in, and every published CSR attribute handed out octet for octet, each by a label of its own.

load instance
load hostile

A3=$CORPUS/vectors/a3-csr A4=$CORPUS/vectors/a4-csr
KEK=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f

# Name and DER in base64; V9 and later are the encodings of what RFC 9908 and RFC 7894 have in words.
vectors() {
	cat <<-'END'
		v1 MHwGBysGAQEBARYwIgYDiDcBMRsTGVBhcnNlIFNFVCBhcyAyLjk5OS4xIGRhdGEGCSqGSIb3DQEJBzAsBgOINwIxJQYDiDcDBgOINwQTGVBhcnNlIFNFVCBhcyAyLjk5OS4yIGRhdGEGCSskAwMCCAEBCwYJYIZIAWUDBAIC
		v2 MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjOPQQDAw==
		v3 MDIGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgcrBgEBAQEWBggqhkjOPQQDAw==
		v4 MGgwZgYJKoZIhvcNAQkOMVkwVzBVBgNVHREBAf8ESzBJoEcGCCsGAQUFBwgKoDsWOXJmYzg5OTQrZmQ3MzlmYzIzYzM0NDAxMTIyMzM0NDU1MDAwMDAwMDArQGFjcC5leGFtcGxlLmNvbQ==
		v5 MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw==
		v6 MC4GCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgNVBAUGCCqGSM49BAMD
		v7 MEUGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAjBgkqhkiG9w0BCRQGCgmSJomT8ixkAQUGA1UEBQYIKoZIzj0EAwQ=
		v8 MAsGCSqGSIb3DQEJBw==
		v8b MAUGA1UEAw==
		v8c MHEGBysGAQEBARYwIgYDiDcBMRsTGVBhcnNlIFNFVCBhcyAyLjk5OS4xIGRhdGEwLAYDiDcCMSUGA4g3AwYDiDcEExlQYXJzZSBTRVQgYXMgMi45OTkuMiBkYXRhBgUrgQQAIgYDVQQDBggqhkjOPQQDAg==
		v8d MBYwFAYDKgMEMQ0BAf8CASoTBWJlYW5z
		potato MGcGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMDwGCSqGSIb3DQEJDjEvMC0wKwYDVR0RBCQwIqAgBggrBgEFBQcICqAUFhJwb3RhdG9AZXhhbXBsZS5jb20GCCqGSM49BAMD
		v9 MIGpMIGmBgsqhkiG9w0BCRACPTGBljCBkwIBADAsMQcwBQYDVQQDMQ8wDQYDVQQLDAZteURlcHQxEDAOBgNVBAsMB215R3JvdXCgFTATBgcqhkjOPQIBBggqhkjOPQMBB6FJMEcGCyqGSIb3DQEJEAI+MTgwNjAdBgNVHREEFjAUghB3d3cubXlTZXJ2ZXIuY29thwAwDgYDVR0PAQH/BAQDAgOIMAUGA1UdJQ==
		v10 MBgwFgYLKoZIhvcNAQkQAj0xBzAFAgEAoQA=
		v11 MFsGCSqGSIb3DQEJBzAVBgcqhkjOPQIBMQoGCCqGSM49AwEHBggqhkjOPQQDAjAtBgsqhkiG9w0BCRACPTEeMBwCAQCgFTATBgcqhkjOPQIBBggqhkjOPQMBB6EA
		v12 MAA=
		v13 MA0GCyqGSIb3DQEJEAI6
		v14 MBgGCyqGSIb3DQEJEAI6BgkqhkiG9w0BCQc=
		v15 MA0GCyqGSIb3DQEJEAI4
		v16 MCEwFQYHKoZIzj0CATEKBggqhkjOPQMBBwYIKoZIzj0EAwI=
		v17 MB4wEQYJKoZIhvcNAQEBMQQCAgwABgkqhkiG9w0BAQs=
		v18 MCYwJAYJKoZIhvcNAQkOMRcwFTATBgNVHSUEDDAKBggrBgEFBQcDAg==
	END
}

instance_config() {
	local either='"basic", "certificate"' sha1='sha1_requests = true;' name der
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; } );
		profile = ( { name = "device"; } );
		label = (
		$(label '' devices device "$either"),
		$(label ignore devices device "$either" "$sha1 challenge = \"ignore\";"),
		$(label verify devices device "$either" "$sha1"),
		$(label strict devices device "$either" 'challenge = "ignore";'),
		$(label generate devices device "$either" 'operations = [ "serverkeygen" ]; challenge = "ignore";')
	END
	while read -r name der; do
		echo ,
		label "$name" devices device "$either" "csrattrs_base64 = \"$der\";"
	done < <(vectors)
	echo ');'
}

instance_users() {
	echo "$KEK" >"$E2E/kek"
	est_admin kek add known-kek --key-file "$E2E/kek"
	rm "$E2E/kek"
}

setup_file() { instance_start; }
teardown_file() { instance_stop; }

generate() { post "generate/serverkeygen" "$1" -u "any:$PASSWORD"; } # FILE

@test "1 the request of A.3 is enrolled where SHA-1 and a foreign challenge are let through, and for SHA-1 refused elsewhere" {
	enroll "$A3.b64" ignore
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	certificate issued.pem
	assert_equal "$(spki issued.pem)" "$(openssl req -inform DER -in "$A3.der" -noout -pubkey)"
	run -0 openssl x509 -in issued.pem -noout -subject
	assert_output 'subject=CN = demostep4 1368141352'
	run -0 openssl verify -x509_strict -CAfile "$TRUST" -untrusted "$E2E/est/devices.pem" issued.pem
	run -0 openssl x509 -in issued.pem -noout -text
	refute_output --partial sha1
	enroll "$A3.b64" strict
	assert_refused 400 '^badCSR:sigalg: .*signature algorithm'
}

# The same certificate whatever the body looks like; the first answer's is ./first.pem.
same() { # WHAT FILE [OPTION of curl...]
	post ignore/simpleenroll "$2" -u "any:$PASSWORD" "${@:3}"
	assert_equal "$1: $CODE" "$1: 200"
	certificate again.pem
	[ -e first.pem ] || cp again.pem first.pem
	assert_equal "$1: $(cat again.pem)" "$1: $(cat first.pem)"
}

@test "2 its base64 in every layout is the same request" {
	local line
	line=$(base64 -w 0 "$A3.der")
	same '64 columns' "$A3.b64"
	printf %s "$line" >b && same 'one line' b
	openssl base64 -in "$A3.der" | sed 's/$/\r/' >b && same CRLF b
	base64 -w 76 "$A3.der" >b && same '76 columns' b
	fold -w 1 <<<"$line" >b && same 'one column' b
	fold -w 3 <<<"$line" | sed 's/$/ \t/' | tr -d '\n' >b && same 'tabs and blanks' b
	{ echo && openssl base64 -in "$A3.der"; } >b && same 'a line feed ahead' b
	{ openssl base64 -in "$A3.der" && echo; } >b && same 'two line feeds behind' b
}

@test "3 whatever its Content-Transfer-Encoding says" {
	local word
	for word in binary 7bit quoted-printable Base64 base64; do
		same $word "$A3.b64" -H "Content-Transfer-Encoding: $word"
	done
	same none "$A3.b64"
}

@test "4 it is linked to a session that is long over" {
	local before
	before=$(rows)
	enroll "$A3.b64" verify
	assert_refused 403 '^badCSR:pop-linking: .*link'
	enroll "$A3.b64" # and signed with SHA-1, which this label does not take
	assert_refused 400 '^badCSR:sigalg: '
	assert_equal "$(rows)" "$before"
}

@test "5 a broken signature is refused for enrollment, and nothing for serverkeygen" {
	python3 -c 'import sys; csr = bytearray(open(sys.argv[1], "rb").read()); csr[600] ^= 1; sys.stdout.buffer.write(csr)' "$A3.der" >broken.der
	b64 broken.der >broken.b64
	enroll broken.b64 ignore
	assert_refused 400 '^badCSR:signature: '
	generate broken.b64
	plain_parts
	assert_not_equal "$(spki issued.pem)" "$(openssl req -inform DER -in "$A3.der" -noout -pubkey)"
	run -0 openssl x509 -in issued.pem -noout -subject
	assert_output 'subject=CN = demostep4 1368141352'
}

@test "6 an octet more, an octet less, and base64 that is none" {
	local operation
	for operation in ignore/simpleenroll generate/serverkeygen; do
		{ cat "$A3.der" && printf x; } | b64 >b
		post $operation b -u "any:$PASSWORD"
		assert_refused 400 '^badCSR:trailing: '
		head -c 648 "$A3.der" | b64 >b
		post $operation b -u "any:$PASSWORD"
		assert_refused 400 '^badCSR:'
		echo ==== >b
		post $operation b -u "any:$PASSWORD"
		assert_refused 400 '^badRequest:base64: '
		tr '+/' '-_' <"$A3.b64" >b
		post $operation b -u "any:$PASSWORD"
		assert_refused 400 '^badRequest:base64: '
	done
}

@test "7 the request of A.4 gets a key that is not its own, and the certificate of that" {
	generate "$A4.b64"
	plain_parts
	assert_not_equal "$(spki issued.pem)" "$(openssl req -inform DER -in "$A4.der" -noout -pubkey)"
	run -0 openssl x509 -in issued.pem -noout -subject -nameopt RFC2253
	assert_output --partial 'CN=serverKeyGen req by client in demo step 12 1368141955'
}

@test "8 with DecryptKeyIdentifier it is refused where the key is unknown, and encrypted where it is known" {
	local before capabilities=2.16.840.1.101.3.4.1.45,2.16.840.1.101.3.4.1.42,2.16.840.1.101.3.4.1.46
	before=$(rows)
	key P-256 odd.key
	make_csr -k odd.key -f "$A4.der" -D "$(hex unknown-kek)" -m $capabilities | b64 >b
	generate b
	assert_refused 400 '^keygen:recipient: '
	assert_equal "$(rows)" "$before"
	make_csr -k odd.key -f "$A4.der" -D "$(hex known-kek)" -m $capabilities | b64 >b
	generate b
	opened_parts -secretkey $KEK -secretkeyid "$(hex known-kek)"
}

@test "9 every vector of CSR attributes is handed out octet for octet" {
	local name der
	while read -r name der; do
		http "$name/csrattrs"
		# An empty one says no more than that nothing is demanded (A-03).
		if [ "$name $CODE" = 'v12 204' ]; then continue; fi
		assert_equal "$name: $CODE" "$name: 200"
		assert_equal "$(header Content-Type)" application/csrattrs
		assert_equal "$name: $(base64 -d body | base64 -w 0)" "$name: $der"
	done < <(vectors)
}

@test "9 a request enrolls under each of them: what is only told is not enforced" {
	local name
	request pump-1
	for name in v3 v9 v11 v18; do
		enroll pump-1.b64 $name
		assert_issued pump-1.key
	done
}
