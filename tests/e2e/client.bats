#!/usr/bin/env bats
# client.bats - est-client's keygen and csrattrs, and the secrets that its requests carry; what it gets is checked by
# openssl. Enrolling and renewing are in clients.bats, requests that are linked to their TLS session in pop.bats.

load instance

KEK=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f

instance_config() {
	local either='"basic", "certificate"' on='operations = [ "serverkeygen", "simpleenroll", "simplereenroll", "csrattrs" ];'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; },
		  { name = "second"; certificate = "../second/devices.pem"; key = "../second/devices.key"; } );
		profile = ( { name = "device"; }, { name = "p384"; keys = [ "P-384" ]; },
		  { name = "rsa"; keys = [ "RSA-3072" ]; },
		  { name = "encipher"; keys = [ "RSA-2048" ]; key_usage = [ "keyEncipherment" ]; },
		  { name = "agree"; keys = [ "P-256" ]; key_usage = [ "keyAgreement" ]; } );
		label = (
		$(label '' devices device "$either"),
		$(label keygen devices device "$either" "$on"),
		$(label sealed devices device "$either" "$on plain_keys = false;"),
		$(label encipher devices encipher "$either" "$on"),
		$(label agree devices agree "$either" "$on"),
		$(label wait devices device "$either" "$on approval = [ \"serverkeygen\" ]; approval_retry = \"1s\";"),
		$(label p384 devices p384 "$either" 'csrattrs_enforce = true;'),
		$(label template devices p384 "$either" 'csrattrs = [ "template" ];'),
		$(label rsa devices rsa "$either" 'csrattrs_enforce = true;'),
		$(label historic devices device "$either" 'csrattrs_base64 = "MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjOPQQDAw=="; challenge = "ignore";'),
		$(label otp devices device "$either" 'challenge = "otp";') );
	END
}

instance_users() {
	echo "$KEK" >"$E2E/kek"
	est_admin kek add kek-01 --key-file "$E2E/kek"
}

setup_file() { instance_start; }
teardown_file() { instance_stop; }

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	echo "$PASSWORD" >password
}

client() { # VERB DIR [OPTION...]
	est_client "$1" --url "$URL" --trust "$TRUST" --user any --password-file password -d "$2" --name "$2.example" "${@:3}"
}

# The key and the certificate of DIR belong together, and the certificate verifies.
assert_device() { # DIR
	assert_equal "$(spki "$1/device.pem")" "$(openssl pkey -in "$1/device.key" -pubout)"
	assert_equal "$(stat -c %a "$1/device.key")" 600
	run -0 openssl verify -x509_strict -CAfile "$TRUST" -untrusted "$E2E/est/devices.pem" "$1/device.pem"
	assert_not_exist "$1/pending.key"
}

@test "keygen: a key as it is, of the kind that is asked for" {
	local type
	for type in P-256 RSA-2048; do
		run -0 client keygen "$type" --label keygen --key "$type" --san "dns:$type.example"
		assert_device "$type"
		assert_output --partial "$type"
		# The server's key, not the one that signed the request.
		assert_not_equal "$(openssl req -in "$type/device.csr" -noout -pubkey)" "$(spki "$type/device.pem")"
	done
	run -0 est_client --json show -d P-256
	assert_equal "$(jq -r .key <<<"$output")" P-256
}

@test "keygen: what it got renews like any other" {
	run -0 client keygen d --label keygen
	run -0 est_client renew -d d
	assert_device d
}

@test "keygen: a key under a symmetric one, whose name is text or hex, and its digits hex or base64" {
	run -0 client keygen text --label sealed --kek-id kek-01 --kek-file "$E2E/kek"
	assert_device text
	printf '%b' "$(sed 's/../\\x&/g' "$E2E/kek")" | openssl base64 -A >kek.b64
	run -0 client keygen hex --label sealed --kek-id 0x6b656b2d3031 --kek-file kek.b64
	assert_device hex
}

@test "keygen: a key that another symmetric key should open leaves the directory as it was" {
	run -0 client keygen d --label keygen
	cp -R d before
	rev "$E2E/kek" >wrong
	run -1 client keygen d --label keygen --kek-id kek-01 --kek-file wrong
	assert_output --partial 'cannot be decrypted'
	run -0 diff -r -x 'pending.*' d before
	run -1 client keygen e --label keygen --kek-id nobody --kek-file "$E2E/kek"
	assert_output --partial keygen:recipient
	assert_not_exist e/device.key
	# The device holds what it had; the server's word that it encrypts is not enough.
	assert_device before
}

@test "keygen: a key for a certificate, by RSA and by ECDH" {
	local kind key label
	while read -r kind key label; do
		run -0 client enroll "$kind" --label "$label" --key "$key"
		run -0 client keygen "for-$kind" --name "$kind.example" --label "$label" --key "$key" \
			--decrypt-cert "$kind/device.pem" --decrypt-key "$kind/device.key"
		assert_device "for-$kind"
	done <<-END
		rsa RSA-2048 encipher
		ec P-256 agree
	END
	run -1 client keygen wrong --label sealed --decrypt-cert rsa/device.pem --decrypt-key ec/device.key
	assert_not_exist wrong/device.key
}

@test "keygen: a label that seals keys gives none without, one that does not know it none at all" {
	run -4 client keygen d --label sealed
	assert_output --partial keygen:plain
	run -3 client keygen d --label p384
	assert_not_exist d/device.key
}

@test "keygen waits for approval, with one request, and makes the key then" {
	local id
	run -5 client keygen d --label wait --wait 2s
	id=$(est_admin --json request list | jq -r .id)
	[ -n "$id" ]
	run -5 client keygen d --label wait --wait 2s
	assert_equal "$(est_admin --json request list | jq -r .id)" "$id"
	est_admin request approve "$id"
	run -0 client keygen d --label wait --wait 10s
	assert_device d
}

@test "keygen: options that contradict or miss their other half are usage errors" {
	run -2 client keygen d --label keygen --kek-id kek-01
	run -2 client keygen d --label keygen --decrypt-cert password
	run -2 client keygen d --label keygen --kek-id 0xa --kek-file "$E2E/kek"
	run -1 client keygen d --label keygen --kek-id kek-01 --kek-file password
	refute_output --partial "$PASSWORD"
	assert_not_exist d
}

@test "csrattrs: what a label wants, for people and as JSON" {
	run -0 est_client csrattrs --url "$URL" --label p384 --trust "$TRUST" -d d
	assert_output --partial 'id-ecPublicKey: secp384r1'
	run -0 est_client csrattrs --url "$URL" --label rsa -d d2 --trust "$TRUST"
	assert_output --partial 'rsaEncryption: 3072'
	run -0 est_client --json csrattrs --url "$URL" --label template -d d3 --trust "$TRUST"
	assert_equal "$(jq -r '[.attributes[] | select(.kind == "key" and .template)] | length' <<<"$output")" 1
	run -0 est_client --json csrattrs --url "$URL" --label historic -d d4 --trust "$TRUST"
	assert_equal "$(jq -c '[.attributes[] | [.kind, .name]]' <<<"$output")" \
		'[["attribute","challengePassword"],["attribute","id-ecPublicKey"],["extension","1.3.6.1.1.1.1.22"],["attribute","ecdsa-with-SHA384"]]'
	run -3 est_client csrattrs --url "$URL" --label nowhere -d d5 --trust "$TRUST"
}

@test "enroll --attributes makes the key that the label wants; --key has its way" {
	run -1 client enroll plain --label p384
	for label in p384 template; do
		run -0 client enroll "$label" --label "$label" --attributes
		run -0 openssl x509 -in "$label/device.pem" -noout -text
		assert_output --partial 'NIST CURVE: P-384'
	done
	run -0 client enroll rsa --label rsa --attributes
	run -0 openssl x509 -in rsa/device.pem -noout -text
	assert_output --partial 'Public-Key: (3072 bit)'
	run -1 client enroll other --label rsa --attributes --key P-256
	run -0 client enroll historic --label historic --attributes
	assert_output --partial 1.3.6.1.1.1.1.22
	run -0 openssl req -in historic/device.csr -noout -text
	assert_output --partial secp384r1
	assert_output --partial ecdsa-with-SHA384
	assert_output --partial challengePassword
}

@test "one-time secrets, in challengePassword or otpChallenge, and what revokes later" {
	local attribute
	echo 'Never-again-1' >revocation
	for attribute in challenge otp; do
		# shellcheck disable=SC2094 # no file is read
		est_admin --json secret add "$attribute.example" | jq -r .secret >secret
		run -0 client enroll "$attribute" --label otp "--$attribute-file" secret --revocation-file revocation
		assert_device "$attribute"
		assert_equal "$(stat -c %a "$attribute/device.csr")" 600
		run -4 client enroll "$attribute-2" --label otp "--$attribute-file" secret
	done
	run -0 openssl req -in otp/device.csr -noout -text
	assert_output --partial 'Never-again-1'
	run ! grep -r Never-again-1 "$LOG"
	run ! grep -r "$(cat secret)" "$LOG"
}
