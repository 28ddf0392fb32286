#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# reenroll.bats - /simplereenroll: N-01 to N-10, and the cases F7 and F8 of security-cases.

load instance
load hostile

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# A device with the subject /CN=NAME.example and this SAN: NAME.key, NAME.pem.
device() { # NAME [SAN [LABEL]]
	request "$1" "${2-}"
	enroll "$1.b64" "${3-}"
	assert_equal "$CODE" 200
	certificate "$1.pem"
}

renew() { # DEVICE FILE [LABEL]: with the device's certificate
	post "${3:+$3/}simplereenroll" "$2" --cert "$1.pem" --key "$1.key"
}

new_request() { # SUBJECT [SAN]: new.b64, by a new key
	key P-256 new.key
	csr new.key "$1" "${2-}" | b64 >new.b64
}

@test "N-01 N-06 a device renews with its key, and with a new one" {
	device pump-1 DNS:pump-1.example
	renew pump-1 pump-1.b64
	assert_issued pump-1.key
	assert_not_equal "$(serial issued.pem)" "$(serial pump-1.pem)"
	assert grep -qx $'Content-Type: application/pkcs7-mime; smime-type=certs-only\r' head
	new_request /CN=pump-1.example DNS:pump-1.example
	renew pump-1 new.b64
	assert_issued new.key
	assert_equal "$(names issued.pem)" DNS:pump-1.example
}

@test "N-01 the new certificate renews in turn" {
	device pump-2
	for _ in 1 2 3; do
		new_request /CN=pump-2.example
		renew pump-2 new.b64
		assert_issued new.key
		cp issued.pem pump-2.pem
		cp new.key pump-2.key
	done
}

@test "N-06 a label may want a new key" {
	device pump-3 '' rekey
	renew pump-3 pump-3.b64 rekey
	assert_refused 403 key
	new_request /CN=pump-3.example
	renew pump-3 new.b64 rekey
	assert_issued new.key
}

@test "N-02 another subject or SAN is refused" {
	local before
	device pump-4 DNS:pump-4.example
	device pump-5
	before=$(rows)
	new_request /CN=pump-5.example DNS:pump-4.example && renew pump-4 new.b64 && assert_refused 403
	new_request /O=x/CN=pump-4.example DNS:pump-4.example && renew pump-4 new.b64 && assert_refused 403
	new_request /CN=pump-4.example DNS:pump-4.example,DNS:pump-44.example && renew pump-4 new.b64 && assert_refused 403
	new_request /CN=pump-4.example && renew pump-4 new.b64 && assert_refused 403
	new_request /CN=pump-4.example DNS:pump-5.example && renew pump-4 new.b64 && assert_refused 403
	new_request /CN=pump-5.example DNS:pump-5.example && renew pump-5 new.b64 && assert_refused 403
	assert_equal "$(rows)" "$before"
	new_request /CN=pump-5.example && renew pump-5 new.b64 && assert_issued new.key
}

@test "N-03 names are compared, not their encoding or order" {
	device pump-6 DNS:pump-6.example,IP:192.0.2.6
	new_request /CN=pump-6.example IP:192.0.2.6,DNS:pump-6.example
	renew pump-6 new.b64
	assert_issued new.key
	assert_equal "$(names issued.pem)" "$(names pump-6.pem)" # in the old order
	device pump-7
	key P-256 odd.key
	make_csr -k odd.key -N "$(tlv 30 "$(cn "$(hex pump-7.example)" 13)")" | b64 >odd.b64
	renew pump-7 odd.b64
	assert_issued odd.key
	make_csr -k odd.key -N "$(tlv 30 "$(cn "$(hex 'PUMP-7.Example')")")" | b64 >odd.b64
	renew pump-7 odd.b64
	assert_issued odd.key
	assert_equal "$(openssl x509 -in issued.pem -noout -subject)" "$(openssl x509 -in pump-7.pem -noout -subject)"
	openssl x509 -in pump-7.pem -noout -subject -nameopt dump_all,dump_der,oid >old
	openssl x509 -in issued.pem -noout -subject -nameopt dump_all,dump_der,oid | diff - old
}

@test "N-04 a password finds the certificate to renew by its names" {
	device pump-8 DNS:pump-8.example
	new_request /CN=pump-8.example DNS:pump-8.example
	post simplereenroll new.b64 -u "any:$PASSWORD"
	assert_issued new.key
	new_request /CN=pump-80.example
	post simplereenroll new.b64 -u "any:$PASSWORD"
	assert_refused 403
	new_request /CN=pump-8.example
	post simplereenroll new.b64 -u "any:$PASSWORD"
	assert_refused 403
	device valve-8
	new_request /CN=valve-8.example
	post simplereenroll new.b64 -u "pump:$PASSWORD"
	assert_refused 403
}

@test "N-04 nobody renews nothing" {
	new_request /CN=pump-9.example
	post simplereenroll new.b64
	assert_equal "$CODE" 401
	post cert/simplereenroll new.b64
	assert_refused 403
}

@test "N-07 a revoked certificate is refused at once, for renewal and for enrollment" {
	device pump-10
	renew pump-10 pump-10.b64
	assert_equal "$CODE" 200
	est_admin cert revoke "$(serial pump-10.pem)" --reason keyCompromise
	renew pump-10 pump-10.b64
	assert_refused 403 '^auth:certificate-revoked: .*keyCompromise'
	post simpleenroll pump-10.b64 --cert pump-10.pem --key pump-10.key
	assert_refused 403 '^auth:certificate-revoked: '
	new_request /CN=pump-10.example
	renew pump-10 new.b64
	assert_refused 403 '^auth:certificate-revoked: '
}

@test "N-07 a retry does not hand out a certificate that was revoked meanwhile" {
	device pump-11
	est_admin cert revoke "$(serial pump-11.pem)"
	post simpleenroll pump-11.b64 -u "any:$PASSWORD"
	if [ "$CODE" = 200 ]; then
		certificate again.pem
		assert_not_equal "$(serial again.pem)" "$(serial pump-11.pem)"
	fi
	post simplereenroll pump-11.b64 -u "any:$PASSWORD"
	if [ "$CODE" = 200 ]; then
		certificate again.pem
		assert_not_equal "$(serial again.pem)" "$(serial pump-11.pem)"
	fi
}

# A certificate that our CA's key signed but whose time is not now: pump-12.pem.
other_time() { # START END
	key P-256 pump-12.key
	csr pump-12.key /CN=pump-12.example >pump-12.csr
	: >index
	printf '%04x\n' $((RANDOM + 1)) >number
	printf '[ca]\ndefault_ca=c\n[c]\ndatabase=index\nserial=number\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n[e]\nextendedKeyUsage=clientAuth\n' >ca.conf
	openssl ca -batch -config ca.conf -cert "$E2E/est/devices.pem" -keyfile "$E2E/est/devices.key" -notext \
		-in <(openssl req -inform DER -in pump-12.csr) -out pump-12.pem -extensions e -startdate "$1" -enddate "$2" 2>/dev/null
	b64 pump-12.csr >pump-12.b64
}

@test "T-10 N-07 expired or not valid yet is refused" {
	other_time 200101000000Z 210101000000Z
	cgi POST /simplereenroll CONTENT_TYPE=application/pkcs10 SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT="$(cat pump-12.pem)" <pump-12.b64
	assert_refused 403 '^auth:certificate-expired: '
	renew pump-12 pump-12.b64
	assert_regex "$CODE" '^(40[13]|curl exit .*)$' # Apache refuses the handshake, lighttpd hides the certificate
	other_time 400101000000Z 410101000000Z
	cgi POST /simplereenroll CONTENT_TYPE=application/pkcs10 SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT="$(cat pump-12.pem)" <pump-12.b64
	assert_refused 403 '^auth:certificate-early: '
}

@test "F7 a certificate that our CA's key signed but nobody remembers is refused" {
	other_time 200101000000Z 400101000000Z
	renew pump-12 pump-12.b64
	assert_refused 403 '^auth:certificate-unknown: '
}

# Renews with what the web server may hand over as the client's certificate: the last line of the log has the code, the
# answer has it too unless it is the 401 that asks for credentials, and nothing is issued.
refuses_client() { # STATUS CODE LABEL FILE [VARIABLE=VALUE...]
	local before
	before=$(rows)
	cgi POST "${3:+/$3}/simplereenroll" CONTENT_TYPE=application/pkcs10 SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT="$(cat "$4")" "${@:5}" <own.b64
	assert_equal "$4 $3: $CODE" "$4 $3: $1"
	assert_equal "$4 $3: $(tail -n 1 "$LOG" | jq -r .code)" "$4 $3: $2"
	[ "$1" = 401 ] || assert_refused "$1" "^$2: "
	assert_equal "$(rows)" "$before"
}

@test "F7 every certificate that is no client's here is refused for its own cause" {
	device pump-24
	cp pump-24.b64 own.b64
	openssl req -x509 -key pump-24.key -subj /CN=pump-24.example -days 2 -out self.pem
	openssl x509 -req -in <(openssl req -inform DER -in pump-24.csr) -CA "$E2E/keys/maker.pem" -CAkey "$E2E/keys/maker.key" \
		-days 2 -set_serial "0x$(serial pump-24.pem)" -extfile <(echo extendedKeyUsage=clientAuth) -out foreign.pem 2>/dev/null
	openssl x509 -req -in <(openssl req -inform DER -in pump-24.csr) -CA "$E2E/keys/device.pem" -CAkey "$E2E/keys/device.key" \
		-days 2 -set_serial 77 -extfile <(echo extendedKeyUsage=clientAuth) -out child.pem 2>/dev/null
	: >empty.pem
	sed 's/[A-P]/*/' pump-24.pem >broken.pem
	sed '/CERTIFICATE/!s/^....//;' pump-24.pem >shifted.pem
	refuses_client 401 auth:certificate-untrusted '' self.pem
	refuses_client 401 auth:certificate-untrusted '' foreign.pem
	refuses_client 401 auth:certificate-untrusted '' child.pem
	refuses_client 401 auth:certificate-untrusted '' child.pem SSL_CLIENT_CERT_CHAIN_0="$(cat "$E2E/keys/device.pem")"
	refuses_client 401 auth:certificate-untrusted '' "$E2E/second/devices.pem"
	refuses_client 401 auth:certificate-untrusted second pump-24.pem
	refuses_client 401 auth:certificate-form '' broken.pem
	refuses_client 401 auth:certificate-form '' shifted.pem
	refuses_client 403 auth:certificate-purpose '' "$E2E/est/devices.pem"
	refuses_client 403 auth:certificate-label cert pump-24.pem
	refuses_client 403 auth:certificate-missing cert self.pem
	refuses_client 403 auth:certificate-missing cert empty.pem
	assert_regex "$(tail -n 1 "$LOG" | jq -r .reason)" 'cert'
	refuses_client 401 auth:missing '' empty.pem
	refuses_client 401 auth:missing basic pump-24.pem
	# With a password that is wrong, that is what is said.
	refuses_client 401 auth:password '' self.pem HTTP_AUTHORIZATION="Basic $(printf any:wrong | base64)"
	refuses_client 401 auth:header '' self.pem HTTP_AUTHORIZATION='Negotiate x'
	refuses_client 403 auth:certificate-missing both self.pem HTTP_AUTHORIZATION="Basic $(printf 'any:%s' "$PASSWORD" | base64)"
	est_admin cert revoke "$(serial pump-24.pem)"
	refuses_client 403 auth:certificate-revoked '' pump-24.pem
	refuses_client 401 auth:password '' pump-24.pem HTTP_AUTHORIZATION="Basic $(printf any:wrong | base64)"
}

@test "F7 another CA's certificate of the same name, and one that signed itself, are refused" {
	device pump-13
	openssl req -x509 -key pump-13.key -subj /CN=pump-13.example -days 2 -out self.pem
	mv pump-13.pem good.pem
	cp self.pem pump-13.pem
	renew pump-13 pump-13.b64
	assert_regex "$CODE" '^40[13]$'
	openssl x509 -req -in <(openssl req -inform DER -in pump-13.csr) -CA "$E2E/keys/maker.pem" -CAkey "$E2E/keys/maker.key" \
		-days 2 -set_serial "0x$(serial good.pem)" -extfile <(echo extendedKeyUsage=clientAuth) -out pump-13.pem 2>/dev/null
	renew pump-13 pump-13.b64
	assert_regex "$CODE" '^40[13]$'
	renew pump-13 pump-13.b64 factory
	assert_refused 403
	cp good.pem pump-13.pem
	renew pump-13 pump-13.b64
	assert_equal "$CODE" 200
}

@test "F7 a certificate of a label with another CA is refused, in both directions" {
	device pump-14 '' second
	renew pump-14 pump-14.b64
	assert_regex "$CODE" '^40[13]$'
	renew pump-14 pump-14.b64 second
	assert_equal "$CODE" 200
	device pump-15
	renew pump-15 pump-15.b64 second
	assert_regex "$CODE" '^40[13]$'
}

@test "F7 the CA's own certificate and the server's are refused" {
	cp "$E2E/est/server.pem" pump-16.pem
	cp "$E2E/est/server.key" pump-16.key
	csr pump-16.key /CN=localhost | b64 >own.b64
	renew pump-16 own.b64
	assert_regex "$CODE" '^(40[13]|curl exit .*)$'
	cp "$E2E/est/devices.key" pump-16.key
	csr pump-16.key '/O=E2E/CN=E2E Issuing CA' | b64 >own.b64
	cgi POST /simplereenroll CONTENT_TYPE=application/pkcs10 SSL_CLIENT_CERT="$(cat "$E2E/est/devices.pem")" <own.b64
	assert_regex "$CODE" '^40[13]$'
}

@test "F8 a device renews itself, not another" {
	device pump-17
	device pump-18
	renew pump-17 pump-18.b64
	assert_refused 403
}

@test "N-08 an older certificate of the same device renews as well" {
	device pump-19
	new_request /CN=pump-19.example
	renew pump-19 new.b64
	assert_issued new.key
	new_request /CN=pump-19.example
	renew pump-19 new.b64
	assert_issued new.key
}

@test "N-10 usage comes from the label's profile, whatever the request says" {
	device pump-20 DNS:pump-20.example server # a server's certificate needs a SAN (D6)
	key P-256 odd.key
	make_csr -k odd.key -n pump-20.example -e "$(san "$(dns pump-20.example)")" -e "$(extension 0603551d25 "$(tlv 30 06082b06010505070302 06082b06010505070303)")" | b64 >odd.b64
	renew pump-20 odd.b64 server
	assert_regex "$CODE" '^(200|400)$'
	if [ "$CODE" = 200 ]; then
		certificate issued.pem
		run -0 openssl x509 -in issued.pem -noout -ext extendedKeyUsage
		refute_output --partial 'Code Signing'
	fi
	csr odd.key /CN=pump-20.example DNS:pump-20.example | b64 >odd.b64
	renew pump-20 odd.b64 server
	assert_equal "$CODE" 200
	certificate issued.pem
	run -0 openssl x509 -in issued.pem -noout -ext extendedKeyUsage
	assert_output --partial 'TLS Web Server Authentication, TLS Web Client Authentication'
}

@test "S-16 a renewal that is repeated gets the same certificate" {
	local before
	device pump-21
	before=$(rows)
	new_request /CN=pump-21.example
	renew pump-21 new.b64
	certificate first.pem
	renew pump-21 new.b64
	certificate second.pem
	assert_equal "$(cat second.pem)" "$(cat first.pem)"
	assert_equal "$(rows)" $((before + 1))
}

@test "N-03 a certificate that asks for its own name gets it as it is spelled, by either operation" {
	local operation
	device Pump-31
	for operation in simpleenroll simplereenroll; do
		new_request /CN=pump-31.example
		post "$operation" new.b64 --cert Pump-31.pem --key Pump-31.key
		assert_equal "$CODE" 200
		certificate new.pem
		run -0 openssl x509 -in new.pem -noout -subject
		assert_output 'subject=CN = Pump-31.example'
	done
}

@test "S-02 S-12 a renewal's request is looked into as any other" {
	device pump-22
	key P-256 odd.key
	make_csr -k odd.key -n pump-22.example -b | b64 >odd.b64
	renew pump-22 odd.b64
	assert_refused 400 signature
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out odd.key 2>/dev/null
	make_csr -k odd.key -n pump-22.example | b64 >odd.b64
	renew pump-22 odd.b64
	assert_refused 400
}
