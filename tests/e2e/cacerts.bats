#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# cacerts.bats - what /cacerts hands out: C-01 to C-10.

load instance

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# ./bag.NN.pem, one certificate of the answer each, in its order.
split_bag() { certificates | awk '/BEGIN/ { n++ } n { print > sprintf("bag.%02d.pem", n) }'; }

subject() { openssl x509 -in "$1" -noout -subject -nameopt RFC2253 | sed 's/^subject=//'; }
issuer() { openssl x509 -in "$1" -noout -issuer -nameopt RFC2253 | sed 's/^issuer=//'; }

@test "C-01 C-02 C-04 200 without credentials, application/pkcs7-mime without a parameter" {
	http cacerts
	assert_equal "$CODE" 200
	assert_equal "$(header Content-Type)" application/pkcs7-mime
	http cacerts -u nobody:wrong
	assert_equal "$CODE" 200
	http cert/cacerts
	assert_equal "$CODE" 200
}

@test "C-03 C-08 a certs-only SignedData: version 1, no digests, no content, no CRLs, no signers" {
	http cacerts
	run -0 openssl asn1parse -inform DER -in <(base64 -d body)
	assert_line -n 0 --regexp 'd=0.*cons: SEQUENCE'
	assert_line -n 1 --regexp 'd=1.*OBJECT *:pkcs7-signedData'
	assert_line -n 2 --regexp 'd=1.*cons: cont \[ 0 \]'
	assert_line -n 3 --regexp 'd=2.*cons: SEQUENCE'
	assert_line -n 4 --regexp 'd=3.*INTEGER *:01'
	assert_line -n 5 --regexp 'd=3.*l= *0 cons: SET'
	assert_line -n 6 --regexp 'd=3.*cons: SEQUENCE'
	assert_line -n 7 --regexp 'd=4.*OBJECT *:pkcs7-data'
	assert_line -n 8 --regexp 'd=3.*cons: cont \[ 0 \]'
	assert_equal "$(grep -c 'd=3' <<<"$output")" 5
	assert_regex "$(grep 'd=3' <<<"$output" | tail -1)" 'l= *0 cons: SET'
	refute_line --regexp 'd=3.*cont \[ 1 \]'
	run -0 openssl cms -inform DER -cmsout -print -noout -in <(base64 -d body)
	assert_output --partial 'signerInfos:'
}

@test "C-05 C-06 C-09 the bag alone verifies what was issued, and each of its own" {
	local file
	http cacerts
	split_bag
	: >root.pem
	: >others.pem
	for file in bag.*.pem; do
		if [ "$(subject "$file")" = "$(issuer "$file")" ]; then cat "$file" >>root.pem; else cat "$file" >>others.pem; fi
	done
	assert_equal "$(grep -c BEGIN root.pem)" 1
	assert_equal "$(spki root.pem)" "$(spki "$E2E/est/root.pem")"
	run -0 openssl verify -x509_strict -no-CApath -no-CAstore -CAfile root.pem -untrusted others.pem "$E2E/keys/device.pem"
	for file in bag.*.pem; do
		run -0 openssl verify -x509_strict -no-CApath -no-CAstore -CAfile root.pem -untrusted others.pem "$file"
	done
}

@test "C-07 the issuing CA first, the root last, nothing twice" {
	local last
	http cacerts
	split_bag
	last=$(printf '%s\n' bag.*.pem | tail -1)
	assert_equal "$(subject bag.01.pem)" "$(issuer "$E2E/keys/device.pem")"
	assert_equal "$(subject "$last")" "$(issuer "$last")"
	assert_equal "$(cksum bag.*.pem | cut -d' ' -f1 | sort | uniq -d)" ''
}

@test "C-09 what has expired or leads nowhere is left out" {
	local file
	mkdir "$E2E/est/alt"
	cp "$E2E/est/devices.pem" alt.pem
	# A certificate that leads nowhere, the root once more, and an expired certificate of the issuing CA's key.
	cat "$E2E/keys/idevid.pem" "$E2E/est/root.pem" >>alt.pem
	openssl req -new -key "$E2E/est/root.key" -subj '/CN=Old' -out old.csr
	touch index
	echo 01 >number
	printf '[ca]\ndefault_ca=c\n[c]\ndatabase=index\nserial=number\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n[e]\nbasicConstraints=critical,CA:TRUE\n' >ca.conf
	openssl ca -batch -config ca.conf -cert "$E2E/est/root.pem" -keyfile "$E2E/est/root.key" -in old.csr -out old.pem \
		-extensions e -startdate 200101000000Z -enddate 210101000000Z -notext 2>/dev/null
	cat old.pem >>alt.pem
	cp alt.pem "$E2E/est/alt/devices.pem"
	sed 's,"devices.pem","alt/devices.pem",' "$EST_CONFIG" >"$E2E/est/alt.conf"
	chmod -R a+rX "$E2E/est/alt" "$E2E/est/alt.conf"
	cgi GET /cacerts EST_CONFIG="$E2E/est/alt.conf" </dev/null
	assert_equal "$CODE" 200
	split_bag
	for file in bag.*.pem; do
		run -0 openssl verify -x509_strict -CAfile "$TRUST" -untrusted "$E2E/est/devices.pem" "$file"
	done
	assert_equal "$(printf '%s\n' bag.*.pem | wc -l)" 2
}

@test "C-10 every label has its own CA's bag, the default label too" {
	http cacerts
	mv body default
	http second/cacerts
	assert_equal "$CODE" 200
	assert_not_equal "$(cksum <body)" "$(cksum <default)"
	split_bag
	assert_equal "$(spki "$(printf '%s\n' bag.*.pem | tail -1)")" "$(spki "$E2E/second/root.pem")"
	http factory/cacerts
	assert_equal "$(cksum <body)" "$(cksum <default)" # other people's anchors are not handed out
}

@test "C-11 est-admin prints the fingerprint of the root that cacerts has" {
	http cacerts
	split_bag
	run -0 openssl x509 -in "$(printf '%s\n' bag.*.pem | tail -1)" -noout -fingerprint -sha256
	fingerprint=${output#*=}
	run -0 est_admin ca show
	assert_output --partial "$fingerprint"
}
