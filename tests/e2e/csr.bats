#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# csr.bats - requests that no decent client sends: S-08 to S-13, and the cases A to D of security-cases that they imply.
# Whatever is refused here leaves no row and the workers alive.

load instance
load hostile

setup_file() {
	instance_start
	: >"$E2E/sane"
}
teardown_file() { instance_stop; }

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	before=$(rows)
	alive=$(workers)
	issued=0
}

# What every test here ends with: as many rows as answers with 200, and the same workers.
sane() {
	assert_equal "$(rows)" $((before + issued))
	# shellcheck disable=SC2086 # words on purpose
	assert_alive $alive
}

takes() {
	accepts "$@"
	issued=$((issued + 1))
}

# Refused for just this reason: the code is what the device sees first.
denies() { # CODE WHAT [OPTION of make_csr...]
	PATTERN="^badCSR:$1: " refuses "${@:2}"
}

SAN=$(san "$(dns device.example)")

@test "S-08 extensions come in one extensionRequest, by either of its names" {
	takes 'PKCS #9' -e "$SAN"
	assert_equal "$(names issued.pem)" DNS:device.example
	takes Microsoft -n device2.example -a "$(attribute "$MICROSOFT_REQUEST" "$(tlv 30 "$SAN")")"
	assert_equal "$(names issued.pem)" DNS:device.example
	sane
}

@test "S-08 two extensionRequests are refused" {
	denies attributes 'twice' -a "$(requested "$SAN")" -a "$(requested "$SAN")"
	denies attributes 'two values' -a "$(attribute "$EXTENSION_REQUEST" "$(tlv 30 "$SAN")" "$(tlv 30 "$SAN")")"
	denies attributes 'both names' -a "$(requested "$SAN")" -a "$(attribute "$MICROSOFT_REQUEST" "$(tlv 30 "$SAN")")"
	sane
}

@test "S-13 the version is 0" {
	local version
	for version in 020101 0201ff 02020080; do denies version "version $version" -v "$version"; done
	for version in 02020000 0200 0400 020200ff; do refuses "version $version" -v "$version"; done
	sane
}

@test "S-13 an attribute has one place and at least one value" {
	denies attributes 'an attribute twice' -a "$(attribute "$CHALLENGE" 0c0161)" -a "$(attribute "$CHALLENGE" 0c0161)"
	denies attributes 'an empty set of values' -a "$(attribute "$CHALLENGE")"
	denies attributes 'an extensionRequest without a value' -a "$(attribute "$EXTENSION_REQUEST")"
	denies attributes 'an unknown attribute without a value' -a "$(attribute 06032a0304)"
	sane
}

@test "S-13 C9 an empty subject needs a SAN and a profile that says so, and then that is critical" {
	denies name-empty 'no name at all' -N 3000
	denies name-empty 'SAN only' -N 3000 -e "$SAN"
	ask permissive -N 3000
	assert_refused 400 '^badCSR:name-empty: '
	ask permissive -N 3000 -e "$SAN"
	assert_issued odd.key
	issued=1
	run -0 openssl x509 -in issued.pem -noout -ext subjectAltName
	assert_line -n 0 --partial critical
	sane
}

@test "S-13 a request without attributes is fine" {
	takes 'empty attributes'
	sane
}

@test "S-10 D1 CA rights are never granted" {
	local ca=0603551d13 constraints
	denies ca 'CA:TRUE' -e "$(critical_extension $ca "$(tlv 30 0101ff)")"
	denies ca 'CA:TRUE, a path of 0' -e "$(critical_extension $ca "$(tlv 30 0101ff 020100)")"
	denies ca 'a path without CA' -e "$(extension $ca "$(tlv 30 020100)")"
	denies ca 'keyCertSign, cRLSign' -e "$(critical_extension 0603551d0f 03020106)"
	denies ca 'keyCertSign' -e "$(critical_extension 0603551d0f 03020284)"
	denies ca 'cRLSign' -e "$(critical_extension 0603551d0f 03020182)"
	constraints=$(tlv 30 "$(tlv a0 "$(tlv 30 "$(dns evil.example)")")")
	denies extension nameConstraints -e "$(critical_extension 0603551d1e "$constraints")"
	denies extension 'nameConstraints, not critical' -e "$(extension 0603551d1e "$constraints")"
	takes 'CA:FALSE spelled out' -n notca.example -e "$(extension $ca "$(tlv 30 010100)")"
	sane
}

@test "D4 what is unknown and critical, or an identity that nobody checked, is refused" {
	denies extension 'unknown and critical' -e "$(critical_extension 06032a0304 0500)"
	denies extension 'a security identifier' -e "$(extension 06092b0601040182371902 \
		"$(tlv 30 "$(tlv a0 060a2b060104018237190201 "$(tlv a0 "$(tlv 04 "$(hex S-1-5-21-1-2-3-500)")")")")")"
	denies extension-der 'an octet behind a value that nobody reads' -e "$(extension 06032a0304 050000)"
	denies extension-count '21 extensions' -e "$(for i in {10..30}; do extension "06032a03$i" 0500; done)"
	sane
}

@test "S-09 keyAgreement is not turned into something else" {
	ask '' -e "$(critical_extension 0603551d0f 03020308)"
	assert_regex "$CODE" '^(200|400)$'
	if [ "$CODE" = 200 ]; then
		issued=1
		certificate issued.pem
		run -0 openssl x509 -in issued.pem -noout -ext keyUsage
		assert_output --partial 'Key Agreement'
	fi
	sane
}

# Refused, or issued without it.
never_copied() { # WHAT TEXT EXTENSION
	ask '' -n "copy-$RANDOM$RANDOM.example" -e "$3"
	assert_regex "$1: $CODE" ': (200|400)$'
	if [ "$CODE" = 200 ]; then
		issued=$((issued + 1))
		certificate issued.pem
		run -0 openssl x509 -in issued.pem -noout -text
		refute_output --partial "$2"
	fi
}

@test "S-10 nothing that the profile does not list is copied" {
	never_copied 'subjectKeyIdentifier' 01:02:03:04:05 "$(extension 0603551d0e "$(tlv 04 0102030405)")"
	never_copied 'authorityKeyIdentifier' 0A:0B:0C "$(extension 0603551d23 "$(tlv 30 80030a0b0c)")"
	never_copied 'cRLDistributionPoints' evil.example "$(extension 0603551d1f "$(tlv 30 "$(tlv 30 "$(tlv a0 "$(tlv a0 "$(tlv 86 "$(hex http://evil.example/)")")")")")")"
	never_copied 'authorityInfoAccess' 169.254 "$(extension 06082b06010505070101 "$(tlv 30 "$(tlv 30 06082b06010505073001 "$(tlv 86 "$(hex http://169.254.169.254/)")")")")"
	never_copied 'certificatePolicies' 2.23.140 "$(extension 0603551d20 "$(tlv 30 "$(tlv 30 060667810c010201)")")"
	never_copied 'nameConstraints' 'Name Constraints' "$(critical_extension 0603551d1e "$(tlv 30 "$(tlv a0 "$(tlv 30 "$(dns evil.example)")")")")"
	never_copied 'OCSP no check' 'OCSP No Check' "$(extension 06092b0601050507300105 0500)"
	never_copied 'an unknown extension' 1.2.3.4 "$(extension 06032a0304 0500)"
	never_copied 'an unknown critical extension' 1.2.3.4 "$(critical_extension 06032a0304 0500)"
	never_copied 'SCTs' 'SCT' "$(extension 060a2b06010401d679020402 0402abcd)"
	sane
}

@test "S-10 D2 extended key usage is the profile's" {
	local oid
	# any, OCSPSigning, cmcRA, codeSigning
	for oid in 0604551d2500 06082b06010505070309 06082b0601050507031c 06082b06010505070303; do
		denies extended-key-usage "$oid" -e "$(extension 0603551d25 "$(tlv 30 "$oid")")"
		denies extended-key-usage "clientAuth and $oid" -e "$(extension 0603551d25 "$(tlv 30 06082b06010505070302 "$oid")")"
	done
	denies extended-key-usage 'an empty one' -e "$(extension 0603551d25 3000)"
	takes 'clientAuth asked for' -n eku.example -e "$(extension 0603551d25 "$(tlv 30 06082b06010505070302)")"
	sane
}

@test "D3 an extension twice, or cut, or with something behind it, is refused" {
	denies extension-twice 'SAN twice' -e "$SAN" -e "$SAN"
	denies extension-twice 'keyUsage twice' -e "$(critical_extension 0603551d0f 03020780)" -e "$(critical_extension 0603551d0f 03020780)"
	denies extension-twice 'extKeyUsage twice' -e "$(extension 0603551d25 300a06082b06010505070302)" -e "$(extension 0603551d25 300a06082b06010505070302)"
	denies san-der 'an octet behind SAN' -e "$(extension 0603551d11 "$(tlv 30 "$(dns device.example)")00")"
	denies san-der 'SAN that is no SEQUENCE' -e "$(extension 0603551d11 0500)"
	denies san-der 'an empty SAN' -e "$(extension 0603551d11 3000)"
	denies key-usage 'an octet behind keyUsage' -e "$(extension 0603551d0f 0302078000)"
	denies attributes 'an octet behind the list' -a "$(attribute "$EXTENSION_REQUEST" "$(tlv 30 "$SAN")00")"
	denies extension-der 'critical spelled FALSE' -e "$(tlv 30 0603551d11 010100 "$(tlv 04 "$(tlv 30 "$(dns device.example)")")")"
	sane
}

@test "C14 SAN types that the profile lacks, and names that are none" {
	denies san-type 'mail' -e "$(san "$(tlv 81 "$(hex a@b.example)")")"
	denies san-type 'URI' -e "$(san "$(tlv 86 "$(hex http://b.example/)")")"
	denies san-type 'otherName' -e "$(san "$(tlv a0 060a2b060104018237140203 "$(tlv a0 "$(tlv 0c "$(hex root)")")")")"
	denies san-type 'directoryName' -e "$(san "$(tlv a4 "$(tlv 30 "$(cn "$(hex root)")")")")"
	denies san-type 'registeredID' -e "$(san 88032a0304)"
	denies san-name 'an address of 3 octets' -e "$(san 8703c00002)"
	denies name-nul 'a DNS name with NUL' -e "$(san "$(tlv 82 "$(hex good.example)00$(hex .evil)")")"
	denies name-control 'a DNS name with a line end' -e "$(san "$(tlv 82 "$(hex good.example)0a")")"
	denies san-name 'a DNS name that is not ASCII' -e "$(san "$(tlv 82 "$(hex ü.example)")")"
	denies san-name 'a DNS name that is empty' -e "$(san 8200)"
	denies san-name 'a DNS name of 300 octets' -e "$(san "$(dns "$(printf 'x%.0s' {1..300})")")"
	denies san-name 'a wildcard' -e "$(san "$(dns '*.example')")"
	denies san-type 'x400Address' -e "$(san a300)"
	denies san-count '101 names' -e "$(san "$(for i in {100..200}; do dns "a$i"; done)")"
	takes 'an IPv6 address' -n six.example -e "$(san 871020010db8000000000000000000000001)"
	assert_equal "$(names issued.pem)" 'IP Address:2001:DB8:0:0:0:0:0:1'
	sane
}

@test "C1 C2 C7 common names with NUL, controls, or no text at all are refused" {
	denies name-nul 'NUL' -N "$(tlv 30 "$(cn "$(hex good.example)00$(hex .evil)")")"
	denies name-control 'LF' -N "$(tlv 30 "$(cn "$(hex dev)0a$(hex '{"event":"forged"}')")")"
	denies name-control 'CR' -N "$(tlv 30 "$(cn "$(hex dev)0d")")"
	denies name-control 'ESC' -N "$(tlv 30 "$(cn "1b$(hex '[2J')")")"
	denies name-control 'DEL' -N "$(tlv 30 "$(cn "$(hex dev)7f")")"
	denies name-control 'a C1 control' -N "$(tlv 30 "$(cn "$(hex dev)c285")")"
	denies name-control 'U+2028' -N "$(tlv 30 "$(cn "$(hex dev)e280a8")")"
	denies name-encoding 'UTF-8 that is none' -N "$(tlv 30 "$(cn c0af)")"
	denies name-encoding 'a surrogate' -N "$(tlv 30 "$(cn eda080)")"
	denies name-encoding 'BMPString of odd length' -N "$(tlv 30 "$(cn 006400 1e)")"
	denies name-type 'an INTEGER' -N "$(tlv 30 "$(cn 01 02)")"
	denies name-empty 'no characters' -N "$(tlv 30 "$(cn '')")"
	denies name-length '65 characters' -n "$(printf 'x%.0s' {1..65})"
	sane
}

@test "C9 B6 subjects out of bounds are refused" {
	local rdns
	denies name-der 'an empty RDN' -N "$(tlv 30 3100)"
	denies name-form 'two common names' -N "$(tlv 30 "$(cn 61)" "$(cn 62)")"
	denies name-form 'an RDN with two values' -N "$(tlv 30 "$(tlv 31 "$(tlv 30 0603550403 0c0161)" "$(tlv 30 060355040b 0c0162)")")"
	denies name-length 'a country of three letters' -N "$(tlv 30 "$(rdn 0603550406 616263 13)" "$(cn 61)")"
	denies name-attribute 'an attribute type nobody knows' -N "$(tlv 30 "$(cn 61)" "$(rdn 06032a0304 61)")"
	rdns=$(printf "$(rdn 060355040b 61)%.0s" {1..200})
	denies name-der '200 RDNs' -N "$(tlv 30 "$rdns")"
	refuses '1500 names' -e "$(san "$(seq 1000 2500 | sed 's/\(.\)\(.\)\(.\)\(.\)/8205643\13\23\33\4/' | tr -d '\n')")"
	sane
}

@test "B6 attributes that nobody knows cost nothing, however many or long" {
	local start=${EPOCHREALTIME/./}
	ask '' -a "$(attribute "$(tlv 06 "$(printf '81%.0s' {1..20000})01")" 0500)"
	assert_regex "$CODE" '^(200|400)$'
	[ "$CODE" = 400 ] || issued=1
	ask '' -n many.example -a "$(for i in {1..1000}; do printf '300906042a03%02x%02x31020500' $((i / 100)) $((i % 100)); done)"
	assert_regex "$CODE" '^(200|400)$'
	[ "$CODE" = 400 ] || issued=$((issued + 1))
	assert [ $((${EPOCHREALTIME/./} - start)) -lt 2000000 ]
	sane
}

@test "C8 C10 C11 names are of plain characters, unless the profile is permissive" {
	local odd
	denies name-character 'a homograph' -n 'dеv.example'
	denies name-character 'a zero width space' -N "$(tlv 30 "$(cn "$(hex dev)e2808b$(hex .example)")")"
	denies name-character 'NFD' -N "$(tlv 30 "$(cn "$(hex e)cc81")")"
	denies name-character 'markup' -n '<script>alert(1)</script>'
	denies name-character 'what a DN is made of' -n 'a,O=b+C=d/e"f'
	denies name-character 'a blank at the end' -n 'device.example '
	denies name-character 'two blanks' -n 'device  1'
	denies name-character 'a tag in O' -N "$(tlv 30 "$(cn 61)" "$(rdn 060355040a "$(hex 'a<b>')")")"
	denies name-character 'a soft hyphen in O' -N "$(tlv 30 "$(cn 61)" "$(rdn 060355040a "61c2ad62")")"
	denies name-control 'a direction override' -N "$(tlv 30 "$(cn "e280ae$(hex dev)")")"
	denies name-encoding 'a PrintableString with _' -N "$(tlv 30 "$(cn "$(hex a_b)" 13)")"
	denies name-empty 'blanks alone' -N "$(tlv 30 "$(cn 2020)")"
	takes 'another language in O' -N "$(tlv 30 "$(cn "$(hex lang.example)")" "$(rdn 060355040a "$(hex 'Gerätebau & Co. (Süd)')")")"
	for odd in 'dеv.example' 'a,O=b+C=d/e"f' '<b>'; do
		ask permissive -n "$odd"
		assert_issued odd.key
		issued=$((issued + 1))
	done
	ask permissive -N "$(tlv 30 "$(cn "e280ae$(hex dev)")")"
	assert_refused 400 '^badCSR:name-control: '
	sane
}

@test "C10 a blank or a capital makes no twin of a device" {
	local name
	takes first -n 'twin 1'
	for name in 'twin 1 ' ' twin  1' 'Twin 1'; do
		key P-256 twin.key
		make_csr -k twin.key -n "$name" | b64 >odd.b64
		enroll odd.b64 permissive
		assert_issued twin.key
		issued=$((issued + 1))
	done
	assert_equal "$(est_admin --json cert list --name 'twin 1' | wc -l)" 4
	sane
}

@test "D6 a server's certificate without a SAN is refused" {
	ask server -n nosan.example
	assert_refused 400 '^badCSR:name-missing: .*SubjectAltName'
	sane
}

@test "C6 the same name in another string type is issued as one and the same" {
	takes UTF8String -n "Device 1"
	takes PrintableString -N "$(tlv 30 "$(cn "$(hex 'Device 1')" 13)")"
	sane 2>/dev/null || issued=1 # a retry of the same name within the window gets the same certificate
	sane
}

@test "A3 A5 a signature algorithm that is unknown or not the key's is refused" {
	refuses 'an unknown one' -s "$(tlv 30 06032a0304)"
	refuses "RSA's over an EC key" -s "$(tlv 30 06092a864886f70d01010b 0500)"
	refuses 'with parameters that ECDSA lacks' -s "$(tlv 30 06082a8648ce3d040302 0500)"
	sane
}

# The SubjectPublicKeyInfo of an EC key with this curve and point.
ec() { tlv 30 "$(tlv 30 06072a8648ce3d0201 "$1")" "$(tlv 03 00 "$2")"; }
P256=06082a8648ce3d030107

@test "A17 A19 EC points off the curve, at infinity, or with curves spelled out are refused" {
	refuses 'off the curve' -p "$(ec $P256 "04$(printf '11%.0s' {1..64})")"
	refuses 'infinity' -p "$(ec $P256 00)"
	refuses 'half a point' -p "$(ec $P256 "04$(printf '11%.0s' {1..32})")"
	refuses 'no curve' -p "$(tlv 30 "$(tlv 30 06072a8648ce3d0201)" "$(tlv 03 "0004$(printf '11%.0s' {1..64})")")"
	openssl ecparam -name prime256v1 -genkey -noout -param_enc explicit -out odd.key
	refuses 'explicit parameters'
	sane
}

rsa() { tlv 30 "$(tlv 30 06092a864886f70d010101 0500)" "$(tlv 03 00 "$(tlv 30 "$(tlv 02 "$1")" "$(tlv 02 "$2")")")"; }

@test "A6 A8 A9 RSA numbers that are none are refused, and big ones cost nothing" {
	local start=${EPOCHREALTIME/./} n
	n=00c3$(printf '5d%.0s' {1..255})
	refuses 'exponent 1' -p "$(rsa "$n" 01)"
	refuses 'an even exponent' -p "$(rsa "$n" 010000)"
	refuses 'an even modulus' -p "$(rsa "${n%5d}5c" 010001)"
	refuses 'a negative modulus' -p "$(rsa "c3${n#00c3}" 010001)"
	refuses 'an exponent as long as the modulus' -p "$(rsa "$n" "$n")"
	refuses '16384 bits' -p "$(rsa "00c3$(printf '5d%.0s' {1..2047})" 010001)"
	refuses '65536 bits' -p "$(rsa "00c3$(printf '5d%.0s' {1..8191})" 010001)"
	assert [ $((${EPOCHREALTIME/./} - start)) -lt 5000000 ]
	sane
}

@test "P-01 a challengePassword is never silently taken for channel binding" {
	ask '' -a "$(attribute "$CHALLENGE" "$(tlv 0c "$(hex "$(head -c 12 /dev/zero | base64)")")")"
	assert_refused 403 '(linking|challengePassword)'
	sane
}
