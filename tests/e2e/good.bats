#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# good.bats - requests that no gate may refuse: every kind of key, signature, string and name that a profile takes, and
# the requests of the tools that devices use, kept (tests/corpus/csr) and made afresh.

load instance
load hostile
load gate

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# The names of a request or a certificate, one a line, sorted; IPv6 and all as openssl writes them.
sans() { # x509|req FILE FORM
	openssl "$1" -in "$2" -inform "$3" -noout -text | sed -n '/Subject Alternative Name/{n;s/, /\n/g;s/ //g;p}' | sort
}

# Enrolls a request in DER; the certificate has its key and its names.
enrolls() { # FILE [LABEL]
	openssl base64 -in "$1" >request.b64
	enroll request.b64 "${2-keys}"
	granted "$1" DER
}

granted() { # FILE FORM
	assert_equal "$1: $CODE $(cat body)" "$1: 200 $(cat body)"
	certificate issued.pem
	assert_equal "$(spki issued.pem)" "$(openssl req -in "$1" -inform "$2" -noout -pubkey)"
	assert_equal "$(openssl x509 -in issued.pem -noout -subject -nameopt RFC2253,utf8,-esc_msb)" \
		"$(openssl req -in "$1" -inform "$2" -noout -subject -nameopt RFC2253,utf8,-esc_msb)"
	assert_equal "$(sans x509 issued.pem PEM)" "$(sans req "$1" "$2")"
	run -0 openssl verify -x509_strict -CAfile "$TRUST" -untrusted "$E2E/est/devices.pem" issued.pem
}

# --- what tools made ---

# Every kept request of a tool.
kept() { # TOOL
	local file label
	for file in "$CORPUS/csr/$1"-*.der; do
		label=keys
		case $file in *openssl-names.der) label=server ;; esac
		enrolls "$file" "$label"
	done
}

@test "requests that openssl made" { kept openssl; }
@test "requests that GnuTLS made" { kept gnutls; }
@test "requests that NSS made" { kept nss; }
@test "requests that Java made" { kept keytool; }
@test "requests that strongSwan made" { kept strongswan; }
@test "requests that Python made" { kept cryptography; }

@test "GnuTLS certtool, afresh, as it prints them" {
	local kind
	for kind in 'ecdsa --curve secp384r1' 'rsa --bits 2048' ed25519; do
		# shellcheck disable=SC2086 # words on purpose
		certtool --generate-privkey --key-type $kind --outfile tool.key >/dev/null 2>&1
		printf 'cn = certtool-%s.example\ndns_name = certtool-%s.example\nsigning_key\n' "${kind%% *}" "${kind%% *}" >template
		certtool --generate-request --load-privkey tool.key --template template --outfile tool.pem 2>/dev/null
		sed -n '/^-----BEGIN/,$p' tool.pem >body.pem # some versions print the request in words in front of it
		enroll body.pem keys
		granted body.pem PEM
	done
}

@test "NSS certutil, afresh" {
	mkdir nss
	certutil -N -d sql:nss --empty-password
	head -c 64 /dev/urandom >noise
	certutil -R -d sql:nss -s CN=certutil.example,O=Acme -k ec -q nistp256 -z noise -o ec.der >/dev/null 2>&1
	enrolls ec.der
	certutil -R -d sql:nss -s CN=certutil-rsa.example -k rsa -g 2048 -z noise -8 certutil-rsa.example \
		--keyUsage digitalSignature,keyEncipherment --extKeyUsage clientAuth -o rsa.der >/dev/null 2>&1
	enrolls rsa.der
}

@test "strongSwan pki, afresh" {
	pki --gen --type ecdsa --size 384 --outform pem >tool.key 2>/dev/null
	pki --req --in tool.key --type priv --dn 'O=Acme, CN=pki.example' --san pki.example --san 192.0.2.5 >tool.der 2>/dev/null
	enrolls tool.der
	pki --gen --type rsa --size 2048 --outform pem >tool.key 2>/dev/null
	pki --req --in tool.key --type rsa --dn 'CN=pki-pss.example' --rsa-padding pss --digest sha384 >tool.der 2>/dev/null
	enrolls tool.der
}

# --- keys and signatures, afresh ---

@test "every kind of key" {
	local kind
	for kind in P-256 P-384 P-521 RSA-2048 RSA-3072 RSA-4096 Ed25519 Ed448; do
		key "$kind" "$kind.key"
		csr "$kind.key" "/CN=key-$kind.example" "DNS:key-$kind.example" >"$kind.der"
		enrolls "$kind.der"
	done
}

@test "the default profile takes all but Ed448" {
	local kind
	for kind in P-256 P-384 P-521 RSA-2048 RSA-3072 RSA-4096 Ed25519; do
		key "$kind" "$kind.key"
		csr "$kind.key" "/CN=default-$kind.example" >"$kind.der"
		enrolls "$kind.der" ''
	done
}

@test "every digest, with every kind of signature" {
	local digest
	key P-256 ec.key
	key RSA-2048 rsa.key
	for digest in sha256 sha384 sha512; do
		csr ec.key "/CN=ecdsa-$digest.example" '' "-$digest" >ec.der
		enrolls ec.der
		csr rsa.key "/CN=rsa-$digest.example" '' "-$digest" >rsa.der
		enrolls rsa.der
	done
}

@test "RSA-PSS with salts of no, twenty, and as many octets as the digest or the key has" {
	local digest salt
	key RSA-3072 pss.key
	for digest in sha256 sha384 sha512; do
		for salt in 0 20 digest max; do
			csr pss.key "/CN=pss-$digest-$salt.example" '' "-$digest" -sigopt rsa_padding_mode:pss -sigopt "rsa_pss_saltlen:$salt" >pss.der
			enrolls pss.der
		done
	done
}

@test "a request without attributes" {
	key P-256 odd.key
	make_csr -k odd.key -n none.example >none.der
	enrolls none.der
}

# --- strings: what the certificate says is what the request said, in UTF-8 ---

# A common name in a string type, as hex, and what it is to read as.
reads() { # TAG HEX NAME [LABEL]
	key P-256 odd.key
	make_csr -k odd.key -N "$(tlv 30 "$(cn "$2" "$1")")" >name.der
	openssl base64 -in name.der >name.b64
	enroll name.b64 "${4-}"
	assert_equal "$1 $3: $CODE $(cat body)" "$1 $3: 200 $(cat body)"
	assert_issued odd.key
	assert_equal "$(openssl x509 -in issued.pem -noout -subject -nameopt RFC2253,utf8,-esc_msb,-esc_ctrl)" "subject=CN=$3"
	run -0 openssl asn1parse -in issued.pem
	refute_output --regexp 'BMPSTRING|T61STRING|UNIVERSALSTRING'
}

@test "names in every string type" {
	reads 13 "$(hex printable.example)" printable.example
	reads 0c "$(hex utf8.example)" utf8.example
	reads 16 "$(hex ia5.example)" ia5.example
	reads 14 "$(hex t61.example)" t61.example
	reads 1e "$(hex bmp.example | sed 's/../00&/g')" bmp.example
	reads 1c "$(hex universal.example | sed 's/../000000&/g')" universal.example
}

@test "every character of the strict set, and 64 of them" {
	reads 0c "$(hex 'Az09 ._:@-x')" 'Az09 ._:@-x'
	reads 0c "$(hex "$(printf 'x%.0s' {1..64})")" "$(printf 'x%.0s' {1..64})"
	reads 1e "$(printf '0078%.0s' {1..64})" "$(printf 'x%.0s' {1..64})"
}

@test "a permissive profile takes names of every script" {
	reads 0c "$(hex 'Prüfstand 7')" 'Prüfstand 7' permissive
	reads 1e 0050007200fc0066 Prüf permissive
	reads 14 "5072fc66" Prüf permissive
	reads 0c "$(hex 'насос-1')" 'насос-1' permissive
	reads 0c "$(hex 'ポンプ')" 'ポンプ' permissive
	reads 0c "$(printf '%s' "$(hex 😀)")" 😀 permissive
	reads 0c "$(printf 'c3bc%.0s' {1..64})" "$(printf 'ü%.0s' {1..64})" permissive
}

@test "C3 C5 a permissive profile takes separators, and they stay within the one name" {
	reads 0c "$(hex '<script>alert(1)</script>')" '\<script\>alert(1)\</script\>' permissive
	reads 0c "$(hex 'a,CN=b')" 'a\,CN=b' permissive
	reads 0c "$(hex 'a/CN=b')" 'a/CN=b' permissive
	reads 0c "$(hex 'a+CN=b')" 'a\+CN=b' permissive
	reads 0c "$(hex 'say "a\b"')" 'say \"a\\b\"' permissive
	assert_equal "$(tail -n 1 "$LOG" | jq -r .subject)" 'CN=say \"a\\b\"'
}

@test "subjects of every attribute that a profile lists" {
	key P-256 odd.key
	csr odd.key /C=DE/ST=Bavaria/L=Hof/O=Acme/OU=Pumps/serialNumber=4711/CN=whole.example >whole.der
	enrolls whole.der ''
	csr odd.key /DC=example/DC=acme/UID=p7/CN=p7/emailAddress=p7@acme.example >more.der
	enrolls more.der permissive
}

# --- subject alternative names ---

@test "names of each type, where the profile takes them" {
	key P-256 odd.key
	csr odd.key /CN=names.example 'DNS:names.example,DNS:xn--prfstand-b6a.example,IP:192.0.2.9,IP:2001:db8::9,email:p7+x@acme.example,URI:https://acme.example/p7?x=1,URI:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6' >names.der
	enrolls names.der server
	csr odd.key /CN=names2.example DNS:names2.example,IP:192.0.2.9,IP:::1 >names2.der
	enrolls names2.der ''
}

@test "a hundred names, and a subject that is empty where it may be" {
	key P-256 odd.key
	csr odd.key /CN=many.example "$(printf 'DNS:p%d.example,' {1..99})DNS:last.example" >many.der
	enrolls many.der
	make_csr -k odd.key -N 3000 -e "$(san "$(dns nosubject.example)")" >empty.der
	enrolls empty.der nosubject
	run -0 openssl x509 -in issued.pem -noout -ext subjectAltName
	assert_line -n 0 --partial critical
}

# --- attributes, extensions, encodings ---

@test "extensions in Microsoft's attribute" {
	key P-256 odd.key
	make_csr -k odd.key -n ms.example -a "$(attribute "$MICROSOFT_REQUEST" "$(tlv 30 "$(san "$(dns ms.example)")")")" >ms.der
	openssl base64 -in ms.der >ms.b64
	enroll ms.b64
	assert_issued odd.key
	assert_equal "$(names issued.pem)" DNS:ms.example
}

@test "Microsoft's other attributes, which say who asks with what" {
	key P-256 odd.key
	make_csr -k odd.key -n windows.example \
		-a "$(attribute 060a2b0601040182370d0203 "$(tlv 16 "$(hex 10.0.19045.2)")")" \
		-e "$(san "$(dns windows.example)")" >windows.der
	enrolls windows.der
}

@test "extensions that a profile grants anyway, or that ask for less" {
	key P-256 odd.key
	make_csr -k odd.key -n asks.example \
		-e "$(critical_extension 0603551d0f 03020780)" -e "$(critical_extension 0603551d13 3000)" \
		-e "$(extension 0603551d25 "$(tlv 30 06082b06010505070302)")" -e "$(san "$(dns asks.example)")" >asks.der
	enrolls asks.der ''
	run -0 openssl x509 -in issued.pem -noout -ext keyUsage,extendedKeyUsage,basicConstraints
	assert_output --partial 'CA:FALSE'
	assert_output --partial 'TLS Web Client Authentication'
}

@test "base64 wrapped, unwrapped, and with blanks" {
	key P-256 odd.key
	csr odd.key /CN=wrapped.example >wrapped.der
	openssl base64 -in wrapped.der >64.b64
	openssl base64 -A -in wrapped.der >one.b64
	base64 -w 76 wrapped.der | sed 's/$/\r/' >crlf.b64
	base64 -w 10 wrapped.der | tr '\n' '\t' >tabs.b64
	openssl req -inform DER -in wrapped.der -out pem.b64
	for file in 64.b64 one.b64 crlf.b64 tabs.b64 pem.b64; do
		enroll "$file"
		granted wrapped.der DER
	done
}

@test "the store is whole afterwards, and every line of the log is an object" {
	run est_admin check
	assert_success
	run est_admin store check
	assert_success
	run -0 jq -es 'all(.[]; type == "object")' "$LOG"
}
