#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# clients.bats - the real clients, from nothing to a renewed certificate that strict verification accepts against the
# root that cacerts gave them: curl, strongSwan's pki, and est-client.

load instance

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# FILE is accepted strictly against the root of ./cacerts.pem, and nothing else.
verified() { # FILE
	awk '/BEGIN/ { n++ } { print > sprintf("ca.%d.pem", n) }' cacerts.pem
	run -0 openssl verify -x509_strict -purpose sslclient -no-CApath -no-CAstore -CAfile ca.2.pem -untrusted ca.1.pem "$1"
}

cacerts() {
	http cacerts
	certificates >cacerts.pem
}

# What strongSwan's pki says on the way is shown where it fails.
swan() { pki "$@" 2>pki.log || fail "pki $1: $(tail -25 pki.log)"; }

@test "curl with a password enrolls, curl with the certificate renews, with a new key" {
	cacerts
	request pump-1 DNS:pump-1.example
	post simpleenroll pump-1.b64 -u "pump:$PASSWORD"
	assert_equal "$CODE" 200
	certificate pump-1.pem
	verified pump-1.pem
	key P-256 new.key
	csr new.key /CN=pump-1.example DNS:pump-1.example | b64 >new.b64
	post simplereenroll new.b64 --cert pump-1.pem --key pump-1.key
	assert_equal "$CODE" 200
	certificate new.pem
	verified new.pem
	assert_not_equal "$(serial new.pem)" "$(serial pump-1.pem)"
}

@test "curl with --digest or --anyauth gets in by Basic" {
	request pump-2
	post simpleenroll pump-2.b64 --anyauth -u "pump:$PASSWORD"
	assert_equal "$CODE" 200
	certificate pump-2.pem
}

@test "curl over TLS 1.2 and with RSA keys" {
	request pump-3 '' RSA-2048
	post simpleenroll pump-3.b64 -u "pump:$PASSWORD" --tls-max 1.2
	assert_equal "$CODE" 200
	certificate pump-3.pem
	post simplereenroll pump-3.b64 --cert pump-3.pem --key pump-3.key --tls-max 1.2
	assert_equal "$CODE" 200
	cacerts
	verified pump-3.pem
}

@test "RFC 7030 4.1.1: Basic by Python's urllib is answered as curl's is" {
	request pump-4
	command -v python3 >/dev/null || skip 'no python3'
	run -0 python3 - "${URL/localhost/127.0.0.1}/simpleenroll" "$TRUST" pump-4.b64 "pump:$PASSWORD" <<-'END'
		import base64, ssl, sys, urllib.request
		url, trust, body, user = sys.argv[1:]
		request = urllib.request.Request(url, open(body, 'rb').read(), {
		    'Content-Type': 'application/pkcs10', 'Authorization': 'Basic ' + base64.b64encode(user.encode()).decode()})
		answer = urllib.request.urlopen(request, context=ssl.create_default_context(cafile=trust), timeout=20)
		sys.stdout.write(answer.read().decode())
	END
	printf '%s\n' "$output" >body
	certificate pump-4.pem
}

@test "strongSwan pki fetches the CA, enrolls with a password and renews with the certificate" {
	swan --estca --url "https://127.0.0.1:$PORT" --cacert "$TRUST" --caout ca.der --force
	openssl x509 -inform DER -in ca-1.der -out cacerts.pem
	openssl x509 -inform DER -in ca.der >>cacerts.pem
	swan --gen --type ecdsa --size 256 --outform pem >pump-5.key
	swan --req --in pump-5.key --type ecdsa --dn CN=pump-5.example --san pump-5.example >pump-5.csr
	swan --est --url "https://127.0.0.1:$PORT" --cacert "$TRUST" --in pump-5.csr --userpass "pump:$PASSWORD" --outform pem >pump-5.pem
	assert_equal "$(spki pump-5.pem)" "$(openssl pkey -in pump-5.key -pubout)"
	verified pump-5.pem
	swan --gen --type ecdsa --size 384 --outform pem >new.key
	swan --req --in new.key --type ecdsa --dn CN=pump-5.example --san pump-5.example >new.csr
	swan --est --url "https://127.0.0.1:$PORT" --cacert "$TRUST" --in new.csr --cert pump-5.pem --key pump-5.key --outform pem >new.pem
	assert_equal "$(spki new.pem)" "$(openssl pkey -in new.key -pubout)"
	verified new.pem
}

@test "strongSwan pki with an RSA key" {
	cacerts
	key RSA-2048 rsa.key
	swan --req --in rsa.key --type rsa --dn 'C=DE, O=Pumps, CN=pump-6.example' >pump-6.csr
	swan --est --url "https://127.0.0.1:$PORT" --cacert "$TRUST" --in pump-6.csr --userpass "pump:$PASSWORD" --outform pem >pump-6.pem
	verified pump-6.pem
}

fingerprint() { openssl x509 -in "$TRUST" -noout -fingerprint -sha256 | sed 's/.*=//'; }

device() { # DIR: enrolled by est-client
	echo "$PASSWORD" >password
	run -0 est_client enroll --url "$URL" --name "$1.example" --san "dns:$1.example" --user pump --password-file password --trust "$TRUST" -d "$1"
}

@test "est-client bootstraps by fingerprint, enrolls, shows and renews" {
	run -0 est_client cacerts --url "https://localhost:$PORT" --fingerprint "$(fingerprint)" -d pump-7
	assert_equal "$(spki pump-7/trust.pem)" "$(spki "$E2E/est/root.pem")"
	cp pump-7/cacerts.pem .
	echo "$PASSWORD" >password
	run -0 est_client enroll --url "$URL" --name pump-7.example --san dns:pump-7.example --user pump --password-file password -d pump-7
	verified pump-7/device.pem
	assert_equal "$(spki pump-7/device.pem)" "$(openssl pkey -in pump-7/device.key -pubout)"
	cp pump-7/device.pem first.pem
	run -0 est_client renew -d pump-7
	verified pump-7/device.pem
	assert_not_equal "$(spki first.pem)" "$(spki pump-7/device.pem)"
	assert_equal "$(spki pump-7/device.pem)" "$(openssl pkey -in pump-7/device.key -pubout)"
	run -0 est_client renew -d pump-7 --keep-key
	assert_equal "$(spki pump-7/device.pem)" "$(openssl pkey -in pump-7/device.key -pubout)"
	run -0 est_client --json show -d pump-7
	assert_equal "$(jq -r .serial <<<"$output")" "$(serial pump-7/device.pem)"
	assert_equal "$(jq -r .subject <<<"$output")" CN=pump-7.example
}

@test "est-client leaves a directory with everything, the key for its owner only" {
	local file
	device pump-8
	for file in device.key device.csr device.pem cacerts.p7b cacerts.pem trust.pem device.tar.gz device.json; do
		assert_exist "pump-8/$file"
	done
	assert_equal "$(stat -c %a pump-8/device.key)" 600
	assert_equal "$(stat -c %a pump-8/device.tar.gz)" 600
	run -0 openssl pkcs7 -inform DER -in pump-8/cacerts.p7b -print_certs -noout
	run -0 openssl req -in pump-8/device.csr -verify -noout
	mkdir out
	tar xzf pump-8/device.tar.gz -C out
	run -0 diff -r out pump-8 -x device.tar.gz
	run tar tzvf pump-8/device.tar.gz
	assert_line --regexp '^-rw------- .* device.key$'
	refute_output --regexp '(\.\.| /)'
}

@test "est-client renews only when it is time, and says so" {
	device pump-9
	cp pump-9/device.pem first.pem
	run -0 est_client --json renew -d pump-9 --if-expires-within 30d
	assert_equal "$(jq -r .renewed <<<"$output")" false
	assert_equal "$(cat pump-9/device.pem)" "$(cat first.pem)"
	run -0 est_client --json renew -d pump-9 --if-expires-within 100d
	assert_equal "$(jq -r .renewed <<<"$output")" true
	assert_not_equal "$(cat pump-9/device.pem)" "$(cat first.pem)"
}

@test "est-client enrolls every kind of key, and with a certificate" {
	local type
	echo "$PASSWORD" >password
	cacerts
	for type in P-256 RSA-2048; do
		run -0 est_client enroll --url "$URL" --name pump-10.example --user pump --password-file password --trust "$TRUST" --key "$type" -d "$type"
		verified "$type/device.pem"
	done
	run -0 est_client enroll --url "$URL" --label factory --name factory-1.example --cert "$E2E/keys/idevid.pem" \
		--cert-key "$E2E/keys/idevid.key" --trust "$TRUST" -d factory
	verified factory/device.pem
}

@test "est-client's exit codes: 4 denied, 3 not found, 2 usage, 1 failed; with the server's reason" {
	echo wrong >password
	run -4 est_client enroll --url "$URL" --name pump-11.example --user pump --password-file password --trust "$TRUST" -d d1
	assert_output --partial password
	echo "$PASSWORD" >password
	run -4 est_client enroll --url "$URL" --name valve.example --user pump --password-file password --trust "$TRUST" -d d2
	assert_output --partial valve.example
	run -3 est_client enroll --url "$URL" --label nowhere --name pump-11.example --user pump --password-file password --trust "$TRUST" -d d3
	run -2 est_client enroll --nonsense
	run -2 est_client nonsense
	run -1 est_client cacerts --url "$URL" --fingerprint "$(fingerprint | tr 0-9 1-90)" -d d4
	assert_not_exist d4/trust.pem
	run -1 est_client enroll --url "$URL" --name pump-11.example --user pump --password-file password --trust "$E2E/second/trust.pem" -d d5
	run est_client show -d nowhere
	assert_failure
}

@test "est-client refuses a server of the wrong name, and a redirect of its trust" {
	run -1 est_client cacerts --url "https://other.localhost:$PORT" --trust "$TRUST" -d d1
	assert_not_exist d1/cacerts.pem
	run est_client cacerts --url "http://localhost:$HTTP_PORT" --trust "$TRUST" -d d2
	assert_failure
}

@test "est-client: a renewal that is refused leaves key and certificate as they were" {
	device pump-12
	cp -R pump-12 before
	est_admin cert revoke "$(serial pump-12/device.pem)"
	run -4 est_client renew -d pump-12
	assert_output --partial revoked
	assert_equal "$(cat pump-12/device.pem pump-12/device.key)" "$(cat before/device.pem before/device.key)"
}
