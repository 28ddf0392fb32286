#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# keygen.bats - /serverkeygen: G-01 to G-21. Its answers are taken apart by Python's MIME parser and by openssl cms, in
# parts(), plain_parts() and opened_parts() of wire.bash.

load instance
load hostile

KEK=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
KEK_SHORT=a0a1a2a3a4a5a6a7a8a9aaabacadaeaf
AES256=2.16.840.1.101.3.4.1.42 AES128=2.16.840.1.101.3.4.1.2 AES256_GCM=2.16.840.1.101.3.4.1.46
WRAP256=2.16.840.1.101.3.4.1.45 WRAP128=2.16.840.1.101.3.4.1.5
CAPABILITIES=$WRAP256,$AES256,$AES256_GCM

instance_config() {
	local either='"basic", "certificate"' on='operations = [ "serverkeygen", "simpleenroll", "simplereenroll" ];'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; } );
		profile = ( { name = "device"; },
		  { name = "p384"; keys = [ "P-384", "RSA-2048" ]; },
		  { name = "encipher"; keys = [ "RSA-2048" ]; key_usage = [ "keyEncipherment" ]; },
		  { name = "agree"; keys = [ "P-256", "P-384" ]; key_usage = [ "keyAgreement" ]; },
		  { name = "sign"; key_usage = [ "digitalSignature" ]; } );
		label = (
		$(label '' devices device "$either"),
		$(label keygen devices device "$either" "$on"),
		$(label cert devices device '"certificate"' "$on certificates_from = [ \"\" ];"),
		$(label ignore devices device "$either" "$on challenge = \"ignore\";"),
		$(label first devices p384 "$either" "$on"),
		$(label rsa devices device "$either" "$on generated_key = \"RSA-2048\";"),
		$(label p384 devices device "$either" "$on generated_key = \"P-384\";"),
		$(label sealed devices device "$either" "$on plain_keys = false;"),
		$(label encipher devices encipher "$either" "$on"),
		$(label agree devices agree "$either" "$on"),
		$(label sign devices sign "$either" "$on") );
	END
}

instance_users() {
	echo "$KEK" >"$E2E/kek"
	est_admin kek add kek-01 --key-file "$E2E/kek"
	echo "$KEK_SHORT" >"$E2E/kek"
	est_admin kek add kek-short --key-file "$E2E/kek"
	rm "$E2E/kek"
}

setup_file() { instance_start; }
teardown_file() { instance_stop; }

generate() { # LABEL FILE [OPTION of curl...]
	post "${1:+$1/}serverkeygen" "$2" -u "any:$PASSWORD" "${@:3}"
}

# As ask(), but for a key.
ask_key() { # LABEL [OPTION of make_csr...]
	[ -e odd.key ] || key P-256 odd.key
	make_csr -k odd.key "${@:2}" | b64 >odd.b64
	generate "$1" odd.b64
}

kind() { openssl pkey -in "$1" -noout -text | head -n 1; }

ski() { openssl x509 -in "$1" -noout -ext subjectKeyIdentifier | sed -n '2s/[ :]//gp'; }

@test "G-01 it is off unless a label says so" {
	request pump-1
	generate '' pump-1.b64
	assert_refused 404
}

@test "G-02 G-20 who asks has to say who he is, in a POST, for a name that he may have; there is nothing below it" {
	local before
	before=$(rows)
	request pump-2
	request valve-2
	post keygen/serverkeygen pump-2.b64
	assert_equal "$CODE" 401
	assert_regex "$(header WWW-Authenticate)" '^Basic '
	post keygen/serverkeygen pump-2.b64 -u pump:wrong
	assert_refused 401
	post keygen/serverkeygen valve-2.b64 -u "pump:$PASSWORD"
	assert_refused 403 '^auth:name: '
	post cert/serverkeygen pump-2.b64
	assert_refused 403 '^auth:certificate-missing: '
	http keygen/serverkeygen
	assert_refused 405
	assert_equal "$(header Allow)" POST
	http keygen/serverkeygen -u "any:$PASSWORD" -H 'Content-Type: text/plain' --data-binary @pump-2.b64
	assert_refused 415
	post keygen/serverkeygen/return pump-2.b64 -u "any:$PASSWORD"
	assert_equal "$CODE" 404
	assert_equal "$(rows)" "$before"
	# A certificate gets a key for its own name.
	csr "$E2E/keys/device.key" /CN=pump-0.example DNS:pump-0.example | b64 >own.b64
	post cert/serverkeygen own.b64 --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
	plain_parts
	assert_equal "$(names issued.pem)" DNS:pump-0.example
}

@test "G-05 G-06 G-07 G-08 G-09 H-17 two parts, key and certificate, in the framing of RFC 2046" {
	local before
	before=$(rows)
	request pump-3 DNS:pump-3.example
	generate keygen pump-3.b64
	plain_parts
	assert_equal "$(rows)" $((before + 1))
	assert_equal "$(names issued.pem)" DNS:pump-3.example
	run -0 openssl x509 -in issued.pem -noout -subject -nameopt RFC2253
	assert_output subject=CN=pump-3.example
	assert_equal "$(header Cache-Control)" no-store
	assert_equal "$(header Transfer-Encoding)" ''
	assert_equal "$(header Content-Transfer-Encoding)" ''
	run -0 est_admin --json cert show "$(serial issued.pem)"
	assert_equal "$(jq -r '.operation + " " + .label + " " + .identity' <<<"$output")" 'serverkeygen keygen user:any'
	# The certificate is one that works.
	cp issued.pem pump.pem
	cp generated.key pump.key
	csr pump.key /CN=pump-3.example DNS:pump-3.example | b64 >new.b64
	post keygen/simpleenroll new.b64 --cert pump.pem --key pump.key
	assert_equal "$CODE" 200
}

@test "G-05 the same over other kinds of keys, and through a client without User-Agent" {
	request pump-4
	generate rsa pump-4.b64
	plain_parts
	generate keygen pump-4.b64 -A ''
	assert_equal "$CODE" 200
	assert_regex "$(header Content-Type)" '^multipart/mixed; boundary='
}

@test "G-03 the key and the signature in the request do not matter" {
	ask_key keygen -n pump-5.example -b
	plain_parts
	assert_not_equal "$(spki issued.pem)" "$(openssl pkey -in odd.key -pubout)"
	ask_key keygen -n pump-5.example -E
	plain_parts
	# A key that could not even sign, and one that nobody may have.
	openssl genpkey -algorithm X25519 -out x.key
	ask_key keygen -n pump-6.example -p "$(openssl pkey -in x.key -pubout -outform DER | od -An -v -tx1 | tr -d ' \n')"
	plain_parts
	rm odd.key
	cp "$CORPUS/keys/rsa-2048.pem" odd.key
	ask_key keygen -n pump-7.example
	plain_parts
	assert_not_equal "$(spki issued.pem)" "$(openssl pkey -in odd.key -pubout)"
	# All else is looked into as ever.
	ask_key keygen -n pump-7.example -v 020101
	assert_refused 400 '^badCSR:version: '
	ask_key keygen -n pump-7.example -e "$(critical_extension 0603551d13 "$(tlv 30 0101ff)")"
	assert_refused 400 '^badCSR:ca: '
}

@test "G-04 the label says which kind of key, else the request's kind, else the profile's first, RSA only where told" {
	request pump-8
	generate rsa pump-8.b64
	plain_parts
	assert_equal "$(kind generated.key)" 'Private-Key: (2048 bit, 2 primes)'
	generate p384 pump-8.b64
	plain_parts
	assert_equal "$(kind generated.key)" 'Private-Key: (384 bit)'
	request pump-9 '' P-521
	generate keygen pump-9.b64
	plain_parts
	assert_equal "$(kind generated.key)" 'Private-Key: (521 bit)'
	# An RSA key is work that nobody gets done by asking for it.
	request pump-9 '' RSA-2048
	generate keygen pump-9.b64
	plain_parts
	assert_equal "$(kind generated.key)" 'Private-Key: (256 bit)'
	generate encipher pump-9.b64 # whose profile has nothing else
	plain_parts
	assert_equal "$(kind generated.key)" 'Private-Key: (2048 bit, 2 primes)'
	# The profile has no P-256.
	generate first pump-8.b64
	plain_parts
	assert_equal "$(kind generated.key)" 'Private-Key: (384 bit)'
}

@test "G-04 every request gets a key of its own" {
	request pump-10
	generate keygen pump-10.b64
	plain_parts
	cp issued.pem first.pem
	generate keygen pump-10.b64
	plain_parts
	assert_not_equal "$(spki issued.pem)" "$(spki first.pem)"
	assert_not_equal "$(serial issued.pem)" "$(serial first.pem)"
}

@test "G-10 G-11 G-16 G-17 by DecryptKeyIdentifier the key is signed, and enveloped for a shared key" {
	ask_key keygen -n pump-11.example -D "$(hex kek-01)" -m "$CAPABILITIES"
	opened_parts -secretkey $KEK -secretkeyid "$(hex kek-01)"
	assert_not_equal "$(spki issued.pem)" "$(openssl pkey -in odd.key -pubout)"
	assert grep -q 'contentType: pkcs7-signedData' envelope.txt
	assert grep -q 'contentType: pkcs7-envelopedData' envelope.txt
	assert grep -q 'aes-256-cbc' envelope.txt
	assert grep -q 'id-aes256-wrap' envelope.txt
	run -1 grep -qi gcm envelope.txt
	assert_equal "$(grep -o 'version: [0-9]' envelope.txt | tr '\n' ' ')" 'version: 2 version: 4 '
	assert grep -q d.kekri envelope.txt
	# Whoever signed it is known from cacerts.
	http keygen/cacerts
	certificates >cacerts.pem
	awk '/BEGIN/ { n++ } { print > sprintf("ca.%d.pem", n) }' cacerts.pem
	if ! cat ca.*.pem | grep -qF "$(sed -n 3p signer.pem)"; then
		run -0 openssl verify -CAfile ca.2.pem -untrusted ca.1.pem -purpose any signer.pem
	fi
	# Another key does not open it.
	run openssl cms -decrypt -binary -inform DER -in part.1 -secretkey "${KEK//0/1}" -secretkeyid "$(hex kek-01)" -out nothing
	assert_failure
}

@test "G-15 what both can is taken, of the client's and the key's size" {
	ask_key keygen -n pump-12.example -D "$(hex kek-short)" -m $WRAP128,$AES128
	opened_parts -secretkey $KEK_SHORT -secretkeyid "$(hex kek-short)"
	assert grep -q 'aes-128-cbc' envelope.txt
	assert grep -q 'id-aes128-wrap' envelope.txt
	ask_key keygen -n pump-12.example -D "$(hex kek-01)" -m 1.2.840.113549.3.7,$AES256_GCM,$AES128,$AES256,$WRAP128,$WRAP256
	opened_parts -secretkey $KEK -secretkeyid "$(hex kek-01)"
	assert grep -q 'aes-256-cbc' envelope.txt
}

@test "G-13 a key that nobody knows ends it, before a key is made" {
	local before id
	before=$(rows)
	for id in "$(hex kek-02)" 00 ff "$(printf '5a%.0s' {1..200})" "$(hex KEK-01)" "$(hex kek-0)"; do
		ask_key keygen -D "$id" -m $CAPABILITIES
		assert_refused 400 '^keygen:recipient: '
	done
	for id in "$(printf '5a%.0s' {1..20})" 00; do
		ask_key keygen -R "$id" -m $CAPABILITIES
		assert_refused 400 '^keygen:recipient: '
	done
	assert_equal "$(rows)" "$before"
}

@test "G-15 without SMIMECapabilities, or none that there are, it is refused" {
	local before list
	before=$(rows)
	ask_key keygen -D "$(hex kek-01)"
	assert_refused 400 '^keygen:algorithms: '
	for list in $AES256_GCM 1.2.840.113549.3.7 1.2.3.4 2.16.840.1.101.3.4.2.1; do
		ask_key keygen -D "$(hex kek-01)" -m "$list"
		assert_refused 400 '^keygen:algorithms: '
	done
	assert_equal "$(rows)" "$before"
}

@test "G-10 attributes that are not what they promise are refused, and none is taken for none" {
	local before
	before=$(rows)
	ask_key keygen -t 1.2.840.113549.1.9.16.2.37=0c066b656b2d3031 -m $CAPABILITIES
	assert_refused 400 '^badCSR:attribute-value: '
	ask_key keygen -t 1.2.840.113549.1.9.16.2.54=0500 -m $CAPABILITIES
	assert_refused 400 '^badCSR:attribute-value: '
	ask_key keygen -D "$(hex kek-01)" -t 1.2.840.113549.1.9.15=0500
	assert_refused 400 '^(badCSR:attribute-value|keygen:algorithms): '
	ask_key keygen -D '' -m $CAPABILITIES
	assert_refused 400 '^(badCSR:attribute-value|keygen:recipient): '
	assert_equal "$(rows)" "$before"
}

@test "G-10 a label can send keys encrypted only" {
	ask_key sealed
	assert_refused 403 '^keygen:plain: '
	ask_key sealed -m $CAPABILITIES
	assert_refused 403 '^keygen:plain: '
	ask_key sealed -D "$(hex kek-01)" -m $CAPABILITIES
	opened_parts -secretkey $KEK -secretkeyid "$(hex kek-01)"
}

# A certificate of a label, to encrypt for: recipient.key, recipient.pem.
recipient() { # NAME TYPE LABEL
	request "$1" '' "$2"
	enroll "$1.b64" "$3"
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	certificate recipient.pem
	cp "$1.key" recipient.key
}

@test "G-12 by AsymmetricDecryptKeyIdentifier it is for a certificate's RSA key" {
	recipient pump-13 RSA-2048 encipher
	key RSA-2048 odd.key # the label has no other kind
	ask_key encipher -n pump-13.example -R "$(ski recipient.pem)" -m $CAPABILITIES
	opened_parts -recip recipient.pem -inkey recipient.key
	assert grep -q d.ktri envelope.txt
	assert_equal "$(grep -o 'version: [0-9]' envelope.txt | tr '\n' ' ')" 'version: 2 version: 2 '
	assert grep -q subjectKeyIdentifier envelope.txt
}

@test "G-12 and for an EC key, by what both agree on" {
	recipient pump-14 P-256 agree
	ask_key agree -n pump-14.example -R "$(ski recipient.pem)" -m $CAPABILITIES
	opened_parts -recip recipient.pem -inkey recipient.key
	assert grep -q d.kari envelope.txt
	assert_equal "$(grep -o 'version: [0-9]' envelope.txt | tr '\n' ' ')" 'version: 2 version: 3 '
	recipient pump-15 P-384 agree
	ask_key agree -n pump-15.example -R "$(ski recipient.pem)" -m $CAPABILITIES
	opened_parts -recip recipient.pem -inkey recipient.key
	assert_equal "$(kind generated.key)" 'Private-Key: (256 bit)'
}

@test "G-12 a certificate by its issuer and serial number" {
	local issuer number
	recipient pump-16 RSA-2048 keygen
	issuer=$(openssl x509 -in recipient.pem -outform DER | python3 -c '
import sys
def tlv(b, at):
    n, at = b[at + 1], at + 2
    if n & 0x80:
        k = n & 0x7f
        n, at = int.from_bytes(b[at:at + k], "big"), at + k
    return at, at + n
der = sys.stdin.buffer.read()
at, _ = tlv(der, 0)
at, _ = tlv(der, at)
for _ in range(3):  # version, serialNumber, signature
    at = tlv(der, at)[1]
print(der[at:tlv(der, at)[1]].hex())')
	number=$(serial recipient.pem)
	case $number in [89a-f]*) number=00$number ;; esac
	ask_key keygen -n pump-16.example -R "$(tlv 30 "$issuer" "$(tlv 02 "$number")")" -m $CAPABILITIES
	opened_parts -recip recipient.pem -inkey recipient.key
	assert_equal "$(grep -o 'version: [0-9]' envelope.txt | tr '\n' ' ')" 'version: 0 version: 0 '
}

@test "G-14 a certificate whose key may only sign is refused" {
	local before
	recipient pump-17 RSA-2048 sign
	before=$(rows)
	ask_key sign -n pump-17.example -R "$(ski recipient.pem)" -m $CAPABILITIES
	assert_refused 400 '^keygen:key-usage: '
	recipient pump-18 P-256 keygen
	ask_key keygen -n pump-18.example -R "$(ski recipient.pem)" -m $CAPABILITIES
	assert_refused 400 '^keygen:key-usage: '
	assert_equal "$(rows)" $((before + 1))
}

@test "G-12 G-13 a revoked certificate is no recipient" {
	recipient pump-19 RSA-2048 keygen
	ask_key keygen -n pump-19.example -R "$(ski recipient.pem)" -m $CAPABILITIES
	assert_equal "$CODE" 200
	est_admin cert revoke "$(serial recipient.pem)"
	ask_key keygen -n pump-19.example -R "$(ski recipient.pem)" -m $CAPABILITIES
	assert_refused 400 '^keygen:'
}

@test "G-21 a challengePassword is looked at all the same" {
	ask_key keygen -c "$(head -c 12 /dev/zero | base64)"
	assert_refused 403 '^badCSR:pop-linking: '
	ask_key ignore -c "$(head -c 12 /dev/zero | base64)"
	plain_parts
}

@test "G-10 est-client makes use of all of it" {
	echo "$PASSWORD" >password
	run -0 est_client keygen --url "$URL" --label keygen --name pump-20.example --user pump --password-file password --trust "$TRUST" -d device
	assert_equal "$(spki device/device.pem)" "$(openssl pkey -in device/device.key -pubout)"
	assert_equal "$(stat -c %a device/device.key)" 600
	run -0 openssl verify -x509_strict -CAfile "$TRUST" -untrusted "$E2E/est/devices.pem" device/device.pem
	run -0 est_client renew -d device
}

# Where the octets of private keys, as they are or in base64 or hex, are below a directory; a key a file.
search() { # DIRECTORY KEY...
	python3 - "$@" <<-'END'
		import base64, os, re, subprocess, sys
		marks = {}
		for key in sys.argv[2:]:
		    text = subprocess.run(["openssl", "pkey", "-in", key, "-noout", "-text"], capture_output=True, check=True, text=True).stdout
		    for name in ("priv", "prime1", "privateExponent"):
		        found = re.search(rf"^{name}:((?:\n {{4}}[0-9a-f:]+)+)", text, re.M)
		        if found:
		            octets = bytes.fromhex(re.sub(r"[\s:]", "", found[1])).lstrip(b"\0")[:48]
		            marks[key, name, "raw"] = octets
		            marks[key, name, "hex"] = octets.hex().encode()
		            for skip in range(3):
		                whole = octets[skip:skip + (len(octets) - skip) // 3 * 3]
		                marks[key, name, f"base64 {skip}"] = base64.b64encode(whole)[:40]
		assert len(marks) >= 5 * len(sys.argv[2:]), "no private numbers"
		for folder, _, names in os.walk(sys.argv[1]):
		    for name in names:
		        if not os.path.isfile(os.path.join(folder, name)):
		            continue
		        with open(os.path.join(folder, name), "rb") as file:
		            octets = file.read()
		        flat = re.sub(rb"(\\n|[\r\n])", b"", octets)
		        for mark, sought in marks.items():
		            if sought in octets or sought in flat:
		                print(os.path.join(folder, name), *mark)
	END
}

@test "G-18 a key is nowhere but with the device: not in the store, no log, no file" {
	mkdir keys
	request pump-21
	generate keygen pump-21.b64
	plain_parts
	cp generated.key keys/ec.key
	cp issued.pem keys/ec.pem
	generate rsa pump-21.b64
	plain_parts
	cp generated.key keys/rsa.key
	ask_key keygen -n pump-22.example -D "$(hex kek-01)" -m $CAPABILITIES
	opened_parts -secretkey $KEK -secretkeyid "$(hex kek-01)"
	cp generated.key keys/sealed.key
	est_admin store checkpoint
	# The search finds what is there, in each of its forms.
	mkdir planted
	openssl pkey -in keys/ec.key -outform DER >planted/raw
	cp keys/rsa.key planted/base64
	run -0 search planted keys/ec.key keys/rsa.key keys/sealed.key
	assert_line --regexp '^planted/raw keys/ec.key priv raw$'
	assert_line --regexp '^planted/base64 keys/rsa.key '
	# What is remembered of the certificate is in the store, so that is the right place to search.
	run -0 grep -rlaF pump-21.example "$E2E/est/state"
	run -0 search "$E2E" keys/ec.key keys/rsa.key keys/sealed.key
	assert_output ''
	run -1 grep -rlF -e 'PRIVATE KEY' "$LOG" "$E2E/log"
}

@test "G-18 keys that generated ones are encrypted under are in no log either, and listed without them" {
	run -1 grep -rilaF -e $KEK -e "$(unhex $KEK | base64 -w 0)" "$LOG" "$E2E/log"
	run -0 est_admin --json kek list
	refute_output --partial $KEK
	assert_output --partial kek-01
}
