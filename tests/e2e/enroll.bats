#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# enroll.bats - /simpleenroll: S-01 to S-16 as seen by a device that behaves, and by one that asks for too much.

load instance
load hostile

setup_file() { instance_start; }
teardown_file() { instance_stop; }

@test "S-01 S-04 S-05 a request becomes one certificate, in exactly this media type" {
	request pump-1 DNS:pump-1.example
	post simpleenroll pump-1.b64 -u "pump:$PASSWORD"
	assert_issued pump-1.key
	assert grep -qx $'Content-Type: application/pkcs7-mime; smime-type=certs-only\r' head
	run -0 openssl asn1parse -inform DER -in <(base64 -d body)
	assert_line -n 4 --regexp 'd=3.*INTEGER *:01'
	refute_line --regexp 'd=3.*cont \[ 1 \]'
}

@test "S-02 a signature that does not verify is refused" {
	local before
	before=$(rows)
	PATTERN=signature refuses 'a bit of the signature' -b
	refuses 'no signature' -E
	key RSA-2048 odd.key
	PATTERN=signature refuses 'a bit of an RSA signature' -b
	openssl genpkey -algorithm Ed25519 -out odd.key
	PATTERN=signature refuses 'a bit of an Ed25519 signature' -b
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.key
	refuses "another's key" -p "$(openssl pkey -in other.key -pubout -outform DER | od -An -v -tx1 | tr -d ' \n')"
	assert_equal "$(rows)" "$before"
}

@test "S-02 the sample of RFC 7030 A.4 is refused for a reason that names it" {
	enroll "$CORPUS/vectors/a4-csr.b64"
	assert_regex "$CODE" '^40[03]$'
	assert_regex "$(cat body)" '(SHA-1|signature algorithm|challengePassword|linking)'
}

@test "S-03 a key that only enciphers may enroll" {
	key RSA-2048 odd.key
	ask '' -n encipher.example -e "$(critical_extension 0603551d0f 03020520)"
	assert_equal "$CODE" 200
	certificate issued.pem
	run -0 openssl verify -x509_strict -CAfile "$TRUST" -untrusted "$E2E/est/devices.pem" issued.pem
}

@test "S-03 a key that cannot sign is pointed elsewhere" {
	local spki
	openssl genpkey -algorithm X25519 -out x.key
	spki=$(openssl pkey -in x.key -pubout -outform DER | od -An -v -tx1 | tr -d ' \n')
	refuses X25519 -p "$spki"
}

@test "S-07 a user enrolls several names, each with its key" {
	local name
	for name in pump-2 pump-3; do
		request "$name" "DNS:$name.example"
		post simpleenroll "$name.b64" -u "pump:$PASSWORD"
		assert_issued "$name.key"
		assert_equal "$(openssl x509 -in issued.pem -noout -subject -nameopt RFC2253)" "subject=CN=$name.example"
		assert_equal "$(names issued.pem)" "DNS:$name.example"
	done
}

@test "S-12 every key type of the profile" {
	local type
	for type in P-256 P-384 P-521 RSA-2048 RSA-3072 RSA-4096 ED25519; do
		request "pump-$type" '' "$type"
		post simpleenroll "pump-$type.b64" -u "pump:$PASSWORD"
		assert_equal "$type: $CODE $(cat body)" "$type: 200 $(cat body)"
		assert_issued "pump-$type.key"
	done
}

@test "S-12 a key type that the profile lacks is refused by name" {
	local type
	for type in secp256k1 prime192v1 brainpoolP256r1 ED448; do
		rm -f odd.key
		key "$(sed 's/^[spb]/P-&/; s/^P-\([spb]\)/\1/' <<<"$type")" odd.key 2>/dev/null ||
			openssl ecparam -name "$type" -genkey -noout -out odd.key
		refuses "$type"
	done
	key RSA-2048 odd.key
	ask narrow
	assert_refused 400 RSA
	rm odd.key
	key P-384 odd.key
	ask narrow
	assert_refused 400 P-384
}

@test "S-12 RSA keys too short or of an odd size are refused" {
	local bits
	for bits in 1024 2047; do
		openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:$bits" -out odd.key 2>/dev/null
		refuses "RSA $bits"
	done
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3 -out odd.key 2>/dev/null
	refuses 'RSA with exponent 3'
}

@test "S-12 a request signed with MD5 or SHA-1 is refused, SHA-384 and SHA-512 are fine" {
	local digest
	for digest in sha1 md5; do
		key RSA-2048 odd.key
		PATTERN='(SHA|MD5|signature algorithm|algorithm)' refuses "RSA with $digest" -d "$digest"
	done
	for digest in sha384 sha512; do accepts "RSA with $digest" -n "$digest.example" -d "$digest"; done
	rm odd.key
	key P-256 odd.key
	refuses 'ECDSA with SHA-1' -d sha1
	accepts 'ECDSA with SHA-512' -d sha512
	enroll "$CORPUS/vectors/a3-csr.b64"
	assert_refused 400
}

@test "S-15 a user gets the names of its patterns and no other" {
	local name before
	before=$(rows)
	for name in valve-1 xpump-1 admin pump-1.example.evil 'PUMP'; do
		request "$name"
		post simpleenroll "$name.b64" -u "pump:$PASSWORD"
		assert_equal "$name: $CODE" "$name: 403"
		assert_refused 403 '^auth:name: .*'"$name"
	done
	key P-256 odd.key
	for name in pump-1.example.evil pump-.example.org '*' '*.example' 'pump-*.example/CN=admin' pump-1.examplex; do
		csr odd.key "/CN=$name" | b64 >odd.b64
		post simpleenroll odd.b64 -u "pump:$PASSWORD"
		assert_regex "$name: $CODE" ': 40[03]$'
	done
	assert_equal "$(rows)" "$before"
}

@test "S-15 every name of SAN counts, not the common name alone" {
	local before name
	key P-256 odd.key
	before=$(rows)
	for name in DNS:valve-1.example DNS:pump-1.example,DNS:valve-1.example IP:192.0.2.1 DNS:pump-1.example,IP:192.0.2.1; do
		csr odd.key /CN=pump-1.example "$name" | b64 >odd.b64
		post simpleenroll odd.b64 -u "pump:$PASSWORD"
		assert_equal "$name: $CODE" "$name: 403"
	done
	csr odd.key /CN=pump-1.example 'DNS:*.example' | b64 >odd.b64
	post simpleenroll odd.b64 -u "pump:$PASSWORD"
	assert_regex "$CODE" '^40[03]$'
	assert_equal "$(rows)" "$before"
	csr odd.key /CN=pump-1.example DNS:pump-1.example,DNS:pump-2.example | b64 >odd.b64
	post simpleenroll odd.b64 -u "pump:$PASSWORD"
	assert_issued odd.key
}

@test "S-15 a certificate asks for its own name and no other" {
	key P-256 new.key
	csr new.key /CN=pump-0.example DNS:pump-0.example | b64 >own.b64
	post simpleenroll own.b64 --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
	assert_issued new.key
	csr new.key /CN=pump-1.example | b64 >other.b64
	post simpleenroll other.b64 --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
	assert_refused 403 '^auth:name: '
	csr new.key /CN=pump-0.example DNS:pump-0.example,DNS:pump-1.example | b64 >other.b64
	post simpleenroll other.b64 --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
	assert_refused 403 '^auth:name: '
}

@test "S-16 the same request gets the same certificate, in one row" {
	local before first
	before=$(rows)
	request pump-20
	post simpleenroll pump-20.b64 -u "pump:$PASSWORD"
	certificate first.pem
	csr pump-20.key /CN=pump-20.example | b64 >again.b64 # another signature, the same key and name
	post simpleenroll again.b64 -u "pump:$PASSWORD"
	certificate second.pem
	assert_equal "$(cat second.pem)" "$(cat first.pem)"
	assert_equal "$(rows)" $((before + 1))
	first=$(serial first.pem)
	run -0 est_admin --json cert show "$first"
	assert_equal "$(jq -r .serial <<<"$output")" "$first"
}

@test "S-16 another identity, label, key or name is another request" {
	request pump-21
	post simpleenroll pump-21.b64 -u "pump:$PASSWORD"
	certificate first.pem
	enroll pump-21.b64
	certificate other.pem
	assert_not_equal "$(serial other.pem)" "$(serial first.pem)"
	post lenient/simpleenroll pump-21.b64 -u "pump:$PASSWORD"
	certificate third.pem
	assert_not_equal "$(serial third.pem)" "$(serial first.pem)"
	csr pump-21.key /CN=pump-21.example DNS:pump-21.example | b64 >san.b64
	post simpleenroll san.b64 -u "pump:$PASSWORD"
	certificate fourth.pem
	assert_not_equal "$(serial fourth.pem)" "$(serial first.pem)"
}

@test "S-16 a device that lost the answer is neither locked out nor issued to twice" {
	local before i
	before=$(rows)
	request pump-22
	for ((i = 0; i < 8; i++)); do
		{
			printf 'POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pkcs10\r\n'
			printf 'Authorization: Basic %s\r\nContent-Length: %s\r\n\r\n' "$(printf 'pump:%s' "$PASSWORD" | base64)" "$(wc -c <pump-22.b64)"
			cat pump-22.b64
			sleep "0.0$i"
		} | timeout 0.2 openssl s_client -quiet -no_ign_eof -connect "127.0.0.1:$PORT" >/dev/null 2>&1 || true
	done
	post simpleenroll pump-22.b64 -u "pump:$PASSWORD"
	assert_issued pump-22.key
	assert_equal "$(rows)" $((before + 1))
}

@test "S-16 many at once with one request get one certificate" {
	local before i
	before=$(rows)
	request pump-23
	for ((i = 0; i < 10; i++)); do
		curl -sS --cacert "$TRUST" -u "pump:$PASSWORD" -H 'Content-Type: application/pkcs10' --data-binary @pump-23.b64 \
			-o "answer.$i" "$URL/simpleenroll" &
	done
	wait
	assert_equal "$(cat answer.* | cksum | cut -d' ' -f1)" "$(for i in {1..10}; do cat answer.0; done | cksum | cut -d' ' -f1)"
	assert_equal "$(rows)" $((before + 1))
}

@test "L-06 a password is asked for the right to the label, too" {
	request any-1
	post second/simpleenroll any-1.b64 -u "limited:$PASSWORD"
	assert_equal "$CODE" 200
	post simpleenroll any-1.b64 -u "limited:$PASSWORD"
	assert_regex "$CODE" '^40[13]$'
}
