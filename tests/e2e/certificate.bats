#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# certificate.bats - what is issued: S-10, S-11, S-15 and E1 to E5 of security-cases, for several kinds of CA keys.

load instance
load hostile

setup_file() { instance_start; }
teardown_file() { instance_stop; }

text() { openssl x509 -in issued.pem -noout -text; }
dates() { openssl x509 -in "$1" -noout -startdate -enddate -dateopt iso_8601 | sed 's/.*=//'; }
# One extension of ./issued.pem, its criticality and value in a line.
value() { openssl x509 -in issued.pem -noout -ext "$1" 2>/dev/null | sed 's/^X509v3 [A-Za-z ]*: *//' | tr -s ' \n' ' ' | sed 's/^ //; s/ $//'; }
der() { openssl asn1parse -in "$1"; }

@test "S-11 version 3, and serials of 17 octets and one that makes them positive" {
	local i serials=()
	for i in 1 2 3 4 5 6; do
		request "serial-$i"
		enroll "serial-$i.b64"
		certificate issued.pem
		serials+=("$(serial issued.pem)")
		assert_regex "${serials[-1]}" '^(0[1-9a-f]|[1-7][0-9a-f])[0-9a-f]{34}$'
	done
	assert_equal "$(printf '%s\n' "${serials[@]}" | sort -u | wc -l)" 6
	run -0 text
	assert_output --partial 'Version: 3 (0x2)'
}

@test "S-11 both dates lie inside the CA's, in UTCTime until 2049" {
	local mine ca
	request date-1
	enroll date-1.b64
	certificate issued.pem
	mapfile -t mine < <(dates issued.pem)
	mapfile -t ca < <(dates "$E2E/est/devices.pem")
	refute [ "${mine[0]}" \< "${ca[0]}" ]
	refute [ "${mine[1]}" \> "${ca[1]}" ]
	refute [ "${mine[0]}" \> "$(date -u '+%F %TZ')" ]
	run -0 der issued.pem
	assert_equal "$(grep -c UTCTIME <<<"$output")" 2
	run -0 openssl x509 -in issued.pem -noout -checkend $((80 * 86400))
	run -1 openssl x509 -in issued.pem -noout -checkend $((90 * 86400))
}

@test "S-11 a validity longer than the CA's, and a start before it, are cut" {
	local mine ca
	request date-2
	enroll date-2.b64 long
	certificate issued.pem
	mapfile -t mine < <(dates issued.pem)
	mapfile -t ca < <(dates "$E2E/est/devices.pem")
	refute [ "${mine[0]}" \< "${ca[0]}" ]
	refute [ "${mine[1]}" \> "${ca[1]}" ]
	assert_issued date-2.key
}

@test "S-11 extensions: their criticality and what they say" {
	request ext-1 DNS:ext-1.example
	enroll ext-1.b64
	certificate issued.pem
	assert_equal "$(value basicConstraints)" 'critical CA:FALSE'
	assert_equal "$(value keyUsage)" 'critical Digital Signature' # keyEncipherment makes no sense with EC (RFC 8813)
	assert_equal "$(value extendedKeyUsage)" 'TLS Web Client Authentication'
	assert_equal "$(value subjectAltName)" 'DNS:ext-1.example'
	request ext-2 '' RSA-2048
	enroll ext-2.b64
	certificate issued.pem
	assert_equal "$(value keyUsage)" 'critical Digital Signature, Key Encipherment'
	assert_equal "$(value subjectAltName)" ''
	refute_regex "$(text)" 'CRL Distribution|Authority Information|Policies'
}

@test "S-11 subject and authority key identifiers" {
	local ski
	request ids
	enroll ids.b64
	certificate issued.pem
	ski=$(openssl x509 -in "$E2E/est/devices.pem" -noout -ext subjectKeyIdentifier | tail -1 | tr -d ' ')
	assert_equal "$(value authorityKeyIdentifier | tr -d ' ')" "$ski"
	assert_regex "$(value subjectKeyIdentifier)" '^([0-9A-F]{2}:){19}[0-9A-F]{2}$'
}

# The bytes of a name at the place where the Certificate has it.
name_bytes() { # FILE issuer|subject
	openssl x509 -in "$1" -noout "-$2" -nameopt dump_all,dump_der,sep_comma_plus,oid
}

@test "S-11 the issuer is the CA's subject, byte for byte" {
	local label dir
	for label in '' second; do
		dir=est
		[ -z "$label" ] || dir=$label
		request issuer-1
		enroll issuer-1.b64 "$label"
		certificate issued.pem
		assert_equal "$(name_bytes issued.pem issuer | sed s/issuer=//)" "$(name_bytes "$E2E/$dir/devices.pem" subject | sed s/subject=//)"
	done
}

@test "E5 the public key is the request's, byte for byte" {
	local type
	for type in P-256 P-384 RSA-2048 RSA-3072 ED25519; do
		request "spki-$type" '' "$type"
		enroll "spki-$type.b64"
		certificate issued.pem
		assert_equal "$(spki issued.pem)" "$(openssl req -inform DER -in "spki-$type.csr" -noout -pubkey)"
	done
}

@test "S-11 SAN is critical if and only if the subject is empty" {
	ask permissive -N 3000 -e "$(san "$(dns empty.example)")"
	assert_equal "$CODE" 200
	certificate issued.pem
	assert_equal "$(value subjectAltName)" 'critical DNS:empty.example'
	assert_equal "$(openssl x509 -in issued.pem -noout -subject)" 'subject='
	run -0 openssl verify -x509_strict -CAfile "$TRUST" -untrusted "$E2E/est/devices.pem" issued.pem
}

@test "S-10 a leaf cannot act as a CA" {
	request leaf
	enroll leaf.b64
	certificate leaf.pem
	openssl req -new -key "$E2E/keys/device.key" -subj /CN=forged.example |
		openssl x509 -req -CA leaf.pem -CAkey leaf.key -days 1 -set_serial 7 -out forged.pem 2>/dev/null
	cat "$E2E/est/devices.pem" leaf.pem >chain.pem
	run ! openssl verify -CAfile "$TRUST" -untrusted chain.pem forged.pem
	csr "$E2E/keys/device.key" /CN=forged.example | b64 >forged.b64
	post simpleenroll forged.b64 --cert <(cat forged.pem leaf.pem) --key "$E2E/keys/device.key"
	assert_regex "$CODE" '^(40[13]|curl exit .*)$'
}

@test "the profile decides about usage and names" {
	request mail DNS:mail.example,email:a@mail.example,URI:urn:x:1,IP:192.0.2.1
	enroll mail.b64
	assert_refused 400 '^badCSR:san-type: '
	enroll mail.b64 server
	assert_issued mail.key
	assert_equal "$(names issued.pem | sed 's/, /\n/g' | sort | tr '\n' ' ')" \
		'DNS:mail.example IP Address:192.0.2.1 URI:urn:x:1 email:a@mail.example '
	assert_equal "$(value extendedKeyUsage)" 'TLS Web Server Authentication, TLS Web Client Authentication'
	request addr IP:192.0.2.1
	enroll addr.b64 narrow
	assert_refused 400
	assert_equal "$CODE" 400
}

@test "a subject of several attributes comes back as it was asked for" {
	key P-256 odd.key
	csr odd.key '/C=DE/O=Pump "Works", Inc.\+Co/OU=Gerät/CN=multi.example/serialNumber=PID:P1 SN:42' '' -utf8 | b64 >odd.b64
	enroll odd.b64 # the default profile has no quotes
	assert_refused 400 '^badCSR:name-character: .*O holds U\+0022'
	enroll odd.b64 permissive
	assert_issued odd.key
	assert_equal "$(openssl x509 -in issued.pem -noout -subject -nameopt RFC2253,-esc_msb)" \
		'subject=serialNumber=PID:P1 SN:42,CN=multi.example,OU=Gerät,O=Pump \"Works\"\, Inc.\+Co,C=DE'
	run -0 est_admin --json cert show "$(serial issued.pem)"
	assert_regex "$(jq -r .subject <<<"$output")" 'CN=multi.example,OU=Ger(ä|\\C3\\A4)t,O=Pump \\"Works\\"\\, Inc.\\\+Co,C=DE$'
}

# A CA of this kind of key, used as a plain CGI program: S-11 holds for it as well.
issues_with() { # KEY [OPTION of init...]
	local dir=$E2E/$1
	"$EST_BUILD/est-admin" init "$dir" --organization 'E2E ü' --key "$@" >/dev/null
	EST_CONFIG=$dir/est.conf
	sed -i 's/^log = .*/log = "est.log";/' "$EST_CONFIG"
	: >"$dir/est.log"
	if [ "$(id -u)" = 0 ]; then chown "$WEB_USER" "$dir/est.log"; fi
	user any "$PASSWORD" '*'
	request ca-1 DNS:ca-1.example
	cgi POST /simpleenroll CONTENT_TYPE=application/pkcs10 HTTP_AUTHORIZATION="Basic $(printf 'any:%s' "$PASSWORD" | base64)" <ca-1.b64
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	certificate issued.pem
	run -0 openssl verify -x509_strict -purpose sslclient -CAfile "$dir/root.pem" -untrusted "$dir/devices.pem" issued.pem
	run -0 openssl verify -x509_strict -purpose sslserver -CAfile "$dir/root.pem" -untrusted "$dir/server.pem" "$dir/server.pem"
	run -0 text
}

@test "CA keys: P-384" {
	issues_with P-384
	assert_output --partial 'ecdsa-with-SHA384'
}

@test "CA keys: Ed25519" {
	issues_with Ed25519
	assert_output --partial 'Signature Algorithm: ED25519'
}

@test "CA keys: RSA-2048, encrypted" {
	echo 'CANARY-passphrase ü' >phrase
	issues_with RSA-2048 --passphrase-file phrase
	assert_output --partial 'sha256WithRSAEncryption'
	assert grep -q ENCRYPTED "$E2E/RSA-2048/devices.key" "$E2E/RSA-2048/root.key"
}

@test "CA keys: RSA-3072 and RSA-4096" {
	issues_with RSA-3072
	assert_output --partial 'sha256WithRSAEncryption'
	key RSA-4096 big.key
	openssl req -x509 -key big.key -subj '/O=Big/CN=Big CA' -days 30 -addext keyUsage=critical,keyCertSign,cRLSign \
		-addext basicConstraints=critical,CA:TRUE -out big.pem
	cp big.key "$E2E/RSA-3072/devices.key"
	cp big.pem "$E2E/RSA-3072/devices.pem"
	cgi POST /simpleenroll CONTENT_TYPE=application/pkcs10 HTTP_AUTHORIZATION="Basic $(printf 'any:%s' "$PASSWORD" | base64)" \
		< <(csr ca-1.key /CN=big.example | b64)
	assert_equal "$CODE" 200
	certificate issued.pem
	run -0 openssl verify -x509_strict -CAfile big.pem issued.pem
}
