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

SAN=$(san "$(dns device.example)")

@test "S-08 extensions come in one extensionRequest, by either of its names" {
	takes 'PKCS #9' -e "$SAN"
	assert_equal "$(names issued.pem)" DNS:device.example
	takes Microsoft -n device2.example -a "$(attribute "$MICROSOFT_REQUEST" "$(tlv 30 "$SAN")")"
	assert_equal "$(names issued.pem)" DNS:device.example
	sane
}

@test "S-08 two extensionRequests are refused" {
	refuses 'twice' -a "$(requested "$SAN")" -a "$(requested "$SAN")"
	refuses 'two values' -a "$(attribute "$EXTENSION_REQUEST" "$(tlv 30 "$SAN")" "$(tlv 30 "$SAN")")"
	refuses 'both names' -a "$(requested "$SAN")" -a "$(attribute "$MICROSOFT_REQUEST" "$(tlv 30 "$SAN")")"
	sane
}

@test "S-13 the version is 0" {
	local version
	for version in 020101 0201ff 02020000 0200 0400 020200ff; do refuses "version $version" -v "$version"; done
	sane
}

@test "S-13 an attribute has one place and at least one value" {
	refuses 'an attribute twice' -a "$(attribute "$CHALLENGE" 0c0161)" -a "$(attribute "$CHALLENGE" 0c0161)"
	refuses 'an empty set of values' -a "$(attribute "$CHALLENGE")"
	refuses 'an extensionRequest without a value' -a "$(attribute "$EXTENSION_REQUEST")"
	refuses 'an unknown attribute without a value' -a "$(attribute 06032a0304)"
	sane
}

@test "S-13 an empty subject needs a SAN, and then that is critical" {
	refuses 'no name at all' -N 3000
	takes 'SAN only' -N 3000 -e "$SAN"
	run -0 openssl x509 -in issued.pem -noout -ext subjectAltName
	assert_line -n 0 --partial critical
	sane
}

@test "S-13 a request without attributes is fine" {
	takes 'empty attributes'
	sane
}

@test "S-10 CA rights are never granted" {
	local ca=0603551d13
	for value in "$(tlv 30 0101ff)" "$(tlv 30 0101ff 020100)"; do
		ask '' -e "$(critical_extension $ca "$value")"
		assert_regex "$CODE" '^(200|400)$'
		[ "$CODE" = 400 ] || {
			issued=$((issued + 1))
			certificate issued.pem
			run -0 openssl x509 -in issued.pem -noout -text
			assert_output --partial CA:FALSE
		}
	done
	for value in 03020106 030206c0; do # keyCertSign and cRLSign, digitalSignature and nonRepudiation
		ask '' -n "ku$value.example" -e "$(critical_extension 0603551d0f $value)"
		assert_regex "$CODE" '^(200|400)$'
		[ "$CODE" = 400 ] || {
			issued=$((issued + 1))
			certificate issued.pem
			run -0 openssl x509 -in issued.pem -noout -ext keyUsage
			refute_output --partial Sign, # "Certificate Sign, CRL Sign"
			refute_output --partial 'CRL Sign'
		}
	done
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

@test "S-10 extended key usage is the profile's" {
	local oid
	for oid in 0604551d2500 06082b06010505070309 06082b0601050507031c 06082b06010505070303; do
		ask '' -n "eku-$oid.example" -e "$(extension 0603551d25 "$(tlv 30 "$oid")")"
		assert_regex "$oid: $CODE" ': (200|400)$'
		[ "$CODE" = 400 ] || {
			issued=$((issued + 1))
			certificate issued.pem
			run -0 openssl x509 -in issued.pem -noout -ext extendedKeyUsage
			assert_line -n 1 --regexp '^ *TLS Web Client Authentication$'
		}
	done
	refuses 'an empty one' -e "$(extension 0603551d25 3000)"
	takes 'clientAuth asked for' -n eku.example -e "$(extension 0603551d25 "$(tlv 30 06082b06010505070302)")"
	sane
}

@test "D3 an extension twice, or cut, or with something behind it, is refused" {
	refuses 'SAN twice' -e "$SAN" -e "$SAN"
	refuses 'keyUsage twice' -e "$(critical_extension 0603551d0f 03020780)" -e "$(critical_extension 0603551d0f 03020780)"
	refuses 'extKeyUsage twice' -e "$(extension 0603551d25 300a06082b06010505070302)" -e "$(extension 0603551d25 300a06082b06010505070302)"
	refuses 'an octet behind SAN' -e "$(extension 0603551d11 "$(tlv 30 "$(dns device.example)")00")"
	refuses 'SAN that is no SEQUENCE' -e "$(extension 0603551d11 0500)"
	refuses 'an empty SAN' -e "$(extension 0603551d11 3000)"
	refuses 'an octet behind keyUsage' -e "$(extension 0603551d0f 0302078000)"
	refuses 'an octet behind the list' -a "$(attribute "$EXTENSION_REQUEST" "$(tlv 30 "$SAN")00")"
	refuses 'critical spelled FALSE' -e "$(tlv 30 0603551d11 010100 "$(tlv 04 "$(tlv 30 "$(dns device.example)")")")"
	sane
}

@test "C14 SAN types that the profile lacks, and names that are none" {
	refuses 'mail' -e "$(san "$(tlv 81 "$(hex a@b.example)")")"
	refuses 'URI' -e "$(san "$(tlv 86 "$(hex http://b.example/)")")"
	refuses 'otherName' -e "$(san "$(tlv a0 060a2b060104018237140203 "$(tlv a0 "$(tlv 0c "$(hex root)")")")")"
	refuses 'directoryName' -e "$(san "$(tlv a4 "$(tlv 30 "$(cn "$(hex root)")")")")"
	refuses 'registeredID' -e "$(san 88032a0304)"
	refuses 'an address of 3 octets' -e "$(san 8703c00002)"
	refuses 'a DNS name with NUL' -e "$(san "$(tlv 82 "$(hex good.example)00$(hex .evil)")")"
	refuses 'a DNS name with a line end' -e "$(san "$(tlv 82 "$(hex good.example)0a")")"
	refuses 'a DNS name that is not ASCII' -e "$(san "$(tlv 82 "$(hex ü.example)")")"
	refuses 'a DNS name that is empty' -e "$(san 8200)"
	refuses 'a DNS name of 300 octets' -e "$(san "$(dns "$(printf 'x%.0s' {1..300})")")"
	takes 'an IPv6 address' -n six.example -e "$(san 871020010db8000000000000000000000001)"
	assert_equal "$(names issued.pem)" 'IP Address:2001:DB8:0:0:0:0:0:1'
	sane
}

@test "C1 C2 C7 common names with NUL, controls, or no text at all are refused" {
	refuses 'NUL' -N "$(tlv 30 "$(cn "$(hex good.example)00$(hex .evil)")")"
	refuses 'LF' -N "$(tlv 30 "$(cn "$(hex dev)0a$(hex '{"event":"forged"}')")")"
	refuses 'CR' -N "$(tlv 30 "$(cn "$(hex dev)0d")")"
	refuses 'ESC' -N "$(tlv 30 "$(cn "1b$(hex '[2J')")")"
	refuses 'DEL' -N "$(tlv 30 "$(cn "$(hex dev)7f")")"
	refuses 'a C1 control' -N "$(tlv 30 "$(cn "$(hex dev)c285")")"
	refuses 'U+2028' -N "$(tlv 30 "$(cn "$(hex dev)e280a8")")"
	refuses 'UTF-8 that is none' -N "$(tlv 30 "$(cn c0af)")"
	refuses 'a surrogate' -N "$(tlv 30 "$(cn eda080)")"
	refuses 'BMPString of odd length' -N "$(tlv 30 "$(cn 006400 1e)")"
	refuses 'an INTEGER' -N "$(tlv 30 "$(cn 01 02)")"
	refuses 'no characters' -N "$(tlv 30 "$(cn '')")"
	refuses '65 characters' -n "$(printf 'x%.0s' {1..65})"
	sane
}

@test "C9 B6 subjects out of bounds are refused" {
	local rdns
	refuses 'an empty RDN' -N "$(tlv 30 3100)"
	refuses 'two common names' -N "$(tlv 30 "$(cn 61)" "$(cn 62)")"
	refuses 'an RDN with two values' -N "$(tlv 30 "$(tlv 31 "$(tlv 30 0603550403 0c0161)" "$(tlv 30 060355040b 0c0162)")")"
	refuses 'a country of three letters' -N "$(tlv 30 "$(rdn 0603550406 616263 13)" "$(cn 61)")"
	refuses 'an attribute type nobody knows' -N "$(tlv 30 "$(cn 61)" "$(rdn 06032a0304 61)")"
	rdns=$(printf "$(rdn 060355040b 61)%.0s" {1..200})
	refuses '200 RDNs' -N "$(tlv 30 "$rdns")"
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
