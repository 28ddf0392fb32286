#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# cmc.bats - /fullcmc: F-01 to F-09, with the failInfo of RFC 5272 6.1.4 for each cause. Requests are made by cmc.py and
# signed by openssl cms; responses are verified by openssl cms and taken apart by cmc.py.

load instance

TYPE='application/pkcs7-mime; smime-type=CMC-request'
PKI_DATA=1.3.6.1.5.5.7.12.2 CMC_RA=1.3.6.1.5.5.7.3.28

instance_config() {
	local either='"basic", "certificate"' maker='trust_anchors = [ "../keys/maker.pem" ];' on='operations = [ "fullcmc", "simpleenroll" ];'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; },
		  { name = "second"; certificate = "../second/devices.pem"; key = "../second/devices.key"; } );
		profile = ( { name = "device"; validity = "90d"; }, { name = "rekey"; key_reuse = false; },
		  { name = "p384"; keys = [ "P-384" ]; },
		  { name = "registrar"; extended_key_usage = [ "clientAuth", "$CMC_RA" ]; } );
		label = (
		$(label '' devices device "$either"),
		$(label cmc devices device "$either" "$on certificates_from = [ \"\", \"registrars\" ];"),
		$(label registrars devices registrar "$either"),
		$(label cert devices device '"certificate"' "$on certificates_from = [ \"cmc\" ]; $maker"),
		$(label second second device "$either" "$on"),
		$(label rekey devices rekey "$either" "$on"),
		$(label ignored devices device "$either" "$on challenge = \"ignore\";"),
		$(label small devices device "$either" "$on certificates_from = [ \"\" ]; csr_limit = \"1K\";"),
		$(label demands devices p384 "$either" 'operations = [ "fullcmc", "csrattrs" ]; csrattrs = [ "list" ];'),
		$(label wait devices device "$either" "$on approval = [ \"fullcmc\" ]; approval_retry = \"1s\";") );
	END
}

setup_file() { instance_start; }
teardown_file() { instance_stop; }

cmc() { python3 "$BATS_TEST_DIRNAME/cmc.py" "$@"; }
pki_data() { cmc pkidata "$@" >data; }

# --- messages ---

key_id() { # CERTIFICATE: its subjectKeyIdentifier in hex
	openssl x509 -in "$1" -noout -ext subjectKeyIdentifier | sed -n '2s/[ :]//gp'
}

# A key NAME.key, what stands for it as a signer, NAME.self, and a PKCS#10 for NAME.example that asks for its key identifier.
asking() { # NAME [OPTION of cmc.py pkcs10...]
	[ -e "$1.key" ] || key P-256 "$1.key"
	openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -addext subjectKeyIdentifier=hash -out "$1.self" 2>/dev/null
	cmc pkcs10 "$1.key" "$1.example" "ski=$(key_id "$1.self")" "${@:2}" >"$1.csr"
}

sign_by() { # CERTIFICATE KEY [OPTION of openssl cms...]: ./data to ./message
	openssl cms -sign -binary -nodetach -nosmimecap -econtent_type "$PKI_DATA" -md sha256 -in data -signer "$1" -inkey "$2" \
		-outform DER -out message "${@:3}"
}
sign_self() { sign_by "$1.self" "$1.key" -keyid -nocerts; } # NAME

send() { # [LABEL [OPTION of curl...]]: ./message
	b64 message >message.b64
	http "${1-cmc}/fullcmc" -H "Content-Type: $TYPE" --data-binary @message.b64 "${@:2}"
}
send_any() { send "${1-cmc}" -u "any:$PASSWORD" "${@:2}"; }

# ./body is a Full PKI Response that openssl cms verifies by the CA; ./said is what it says.
assert_full() { # CODE
	assert_equal "$CODE: $(header Content-Type)" "$1: application/pkcs7-mime; smime-type=CMC-response"
	base64 -d body >answer
	run -0 openssl cms -verify -binary -inform DER -in answer -CAfile "${CA:-$TRUST}" -purpose any -signer signer.pem \
		-certsout bag.pem -out content
	assert_equal "$(openssl x509 -in signer.pem -noout -fingerprint)" \
		"$(openssl x509 -in "${CA_CERT:-$E2E/est/devices.pem}" -noout -fingerprint)"
	openssl cms -cmsout -print -inform DER -in answer | grep -qF 'eContentType: undefined (1.3.6.1.5.5.7.12.3)' ||
		openssl cms -cmsout -print -inform DER -in answer | grep -qE 'eContentType: .*1\.3\.6\.1\.5\.5\.7\.12\.3|id-cct-PKIResponse'
	run -0 openssl asn1parse -inform DER -in content
	cmc show content >said
}

said() { assert grep -qE "^$1" said || fail "$(cat said)"; } # PATTERN

# A failure of the whole or of a part, and nothing issued since ./before was noted.
assert_failed() { # CODE STATUS
	assert_full "$1"
	said "status failed $2"
	assert_equal "$(rows)" "$BEFORE"
}

# What the log says of the requests of the last message. FILTER of jq, and what it gives
noted() { assert_equal "$(tail -n 1 "$LOG" | jq -c ".cmc_enrollments | $1")" "$2"; }

in_bag() { # KEY: ./issued.pem is the certificate of the answer for it
	local i=0 pem
	rm -f bag-*; csplit -s -z -f bag- "$1.bag" '/-----BEGIN/' '{*}'
	for pem in bag-*; do
		if [ "$(spki "$pem")" = "$(openssl pkey -in "$1.key" -pubout)" ]; then cp "$pem" issued.pem; i=$((i + 1)); fi
	done
	assert_equal "$i" 1
	run -0 openssl verify -x509_strict -CAfile "$TRUST" -untrusted "$E2E/est/devices.pem" issued.pem
}
in_full() { cp bag.pem "$1.bag"; in_bag "$1"; } # NAME

# An enrolled device NAME under label cmc: NAME.key, NAME.pem.
enrolled() { # NAME [LABEL]
	key P-256 "$1.key"
	csr "$1.key" "/CN=$1.example" >"$1.first"
	post "${2:-cmc}/simpleenroll" <(b64 "$1.first") -u "any:$PASSWORD"
	assert_equal "$CODE" 200
	certificate "$1.pem"
}

as_device() { echo --cert "$1.pem" --key "$1.key"; } # NAME

# --- the HTTP side ---

@test 'F-01: a label that does not list fullcmc answers 404' {
	asking off
	pki_data tcr=1:off.csr
	sign_self off
	BEFORE=$(rows)
	http fullcmc -H "Content-Type: $TYPE" --data-binary @<(b64 message) -u "any:$PASSWORD"
	assert_refused 404
	assert_equal "$(rows)" "$BEFORE"
}

@test 'F-01: nobody gets in without credentials' {
	asking nobody
	pki_data tcr=1:nobody.csr
	sign_self nobody
	BEFORE=$(rows)
	send cmc
	assert_equal "$CODE" 401
	assert_equal "$(rows)" "$BEFORE"
}

@test 'F-02: the media type, its smime-type in any letter case' {
	asking media
	pki_data tcr=1:media.csr
	sign_self media
	TYPE='application/pkcs7-mime; smime-type=certs-only' send_any
	assert_refused 415
	TYPE='application/pkcs10' send_any
	assert_refused 415
	TYPE='Application/PKCS7-MIME; name=smime.p7m; SMIME-Type=cmc-REQUEST' send_any
	assert_equal "$CODE" 200
}

@test 'F-03: what is no Full PKI Request is 400' {
	local file
	asking form
	cp form.csr pkcs10
	pki_data tcr=1:form.csr
	cp data bare
	sign_self form
	cp message good
	{ cat good && printf x; } >behind
	head -c -1 good >cut
	openssl crl2pkcs7 -nocrl -certfile "$TRUST" -outform DER -out certs
	openssl cms -sign -binary -nodetach -in data -signer form.self -inkey form.key -outform DER -out otherType
	openssl cms -sign -binary -nodetach -stream -econtent_type "$PKI_DATA" -in data -signer form.self -inkey form.key \
		-keyid -nocerts -outform DER -out ber
	: >empty
	BEFORE=$(rows)
	for file in pkcs10 bare behind cut certs otherType ber; do
		cp "$file" message
		send_any
		assert_refused 400 '^cmc:form: '
	done
	http cmc/fullcmc -H "Content-Type: $TYPE" --data-binary 'not base64!' -u "any:$PASSWORD"
	assert_refused 400
	http cmc/fullcmc -H "Content-Type: $TYPE" --data-binary @empty -u "any:$PASSWORD"
	assert_refused 400
	assert_equal "$(rows)" "$BEFORE"
}

# --- success ---

@test 'F-04: certificates alone are a Simple PKI Response' {
	asking simple
	pki_data tcr=7:simple.csr control=2:18:octets:00ff # regInfo is ignored
	sign_self simple
	send_any
	assert_equal "$CODE: $(header Content-Type)" '200: application/pkcs7-mime; smime-type=certs-only'
	certificates >simple.bag
	in_bag simple
	assert_equal "$(openssl x509 -in issued.pem -noout -subject)" 'subject=CN = simple.example'
}

@test 'F-04: transaction, nonces and dataReturn come back in a Full PKI Response' {
	asking full
	pki_data control=2:5:int:0102030405 control=3:6:octets:cafe control=9:4:octets:11223344 tcr=1:full.csr cms=11 other=12
	sign_self full
	send_any
	assert_full 200
	said 'status success 1$'
	said 'transaction 0102030405$'
	said 'recipient cafe$'
	said 'sender [0-9a-f]{32}$'
	said 'return 11223344$'
	in_full full
	noted 'map([.part, .outcome, .serial])' "[[1,\"ok\",\"$(serial issued.pem)\"]]"
	assert grep -q '"cmc_transaction":"0102030405"' "$LOG"
}

@test 'F-04: the responses of another label are signed by its own CA' {
	asking second
	pki_data control=2:5:int:01 tcr=1:second.csr
	sign_self second
	send second -u "any:$PASSWORD"
	CA=$E2E/second/trust.pem CA_CERT=$E2E/second/devices.pem assert_full 200
	said 'status success 1$'
}

@test 'several requests: each has a status of its own, and what was issued stays' {
	asking good
	asking bad broken
	key P-256 third.key
	cmc crmf third.key third.example 3 san=third.example >third.msg
	pki_data control=9:5:int:05 tcr=1:good.csr tcr=2:bad.csr crm=3:third.msg
	sign_self good
	BEFORE=$(rows)
	send_any
	assert_full 400
	said 'status success 1$'
	said 'status failed 2 popFailed '
	said 'status success 3$'
	assert_equal "$(rows)" $((BEFORE + 2))
	in_full good
	in_full third
	assert_equal "$(names issued.pem)" DNS:third.example
}

@test 'a rekey signed by the certificate that is renewed' {
	enrolled pump-7
	key P-256 fresh.key
	cmc pkcs10 fresh.key pump-7.example >fresh.csr
	pki_data control=9:5:int:05 tcr=1:fresh.csr
	sign_by pump-7.pem pump-7.key
	# shellcheck disable=SC2046
	send cmc $(as_device pump-7)
	assert_full 200
	in_full fresh
	noted 'map(.subject)' '["CN=pump-7.example"]'
	run -0 est_admin --json cert show "$(serial issued.pem)"
	assert_regex "$output" '"operation": *"simplereenroll"'
	# The same by the user's password: what is signed by a certificate of ours is its renewal too.
	key P-256 again.key
	cmc pkcs10 again.key pump-7.example >again.csr
	pki_data control=9:5:int:05 tcr=1:again.csr
	sign_by pump-7.pem pump-7.key -keyid
	send_any
	assert_full 200
	in_full again
	run -0 est_admin --json cert show "$(serial issued.pem)"
	assert_regex "$output" '"operation": *"simplereenroll"'
}

@test 'a device of another CA signs with what it comes with' {
	key P-256 own.key
	cmc pkcs10 own.key factory-1.example >own.csr
	pki_data control=9:5:int:05 tcr=1:own.csr
	sign_by "$E2E/keys/idevid.pem" "$E2E/keys/idevid.key"
	send cert --cert "$E2E/keys/idevid.pem" --key "$E2E/keys/idevid.key"
	assert_full 200
	in_full own
}

@test 'a registration authority asks for several devices, each within its patterns' {
	enrolled registrar registrars
	est_admin ra add registrar.example --names 'meter-*.example'
	for name in meter-1 meter-2 boiler-9; do
		key P-256 "$name.key"
		cmc pkcs10 "$name.key" "$name.example" >"$name.csr"
	done
	pki_data control=9:5:int:05 tcr=1:meter-1.csr tcr=2:meter-2.csr tcr=3:boiler-9.csr
	sign_by registrar.pem registrar.key
	# shellcheck disable=SC2046
	send cmc $(as_device registrar)
	assert_full 403
	said 'status success 1$'
	said 'status success 2$'
	said 'status failed 3 badRequest '
	in_full meter-1
	in_full meter-2
	noted 'map([.part, .outcome, .code, .ra])' '[[1,"ok","ok",true],[2,"ok","ok",true],[3,"forbidden","auth:name",true]]'
}

@test 'X-02 P-11: the log has of each request what it has of an enrollment' {
	asking noted challenge=bm90IHRoZSBzZXNzaW9u
	pki_data tcr=1:noted.csr
	sign_self noted
	send_any ignored
	assert_equal "$CODE" 200
	digest=$(openssl pkey -in noted.key -pubout -outform DER | sha256sum)
	noted 'map([.challenge_ignored, .spki_sha256, .repeated])' "[[true,\"${digest%% *}\",null]]"
	send_any ignored
	assert_equal "$CODE" 200
	noted 'map([.repeated, .key_shared])' '[[true,null]]'
	cmc pkcs10 noted.key noted-too.example >noted-too.csr # another name, the same key
	cmc pkcs10 noted.key noted.example "ski=$(key_id noted.self)" >noted.csr
	pki_data tcr=4:noted-too.csr tcr=2:noted.csr
	sign_self noted
	send_any
	assert_equal "$CODE" 200
	noted 'map([.part, .key_shared, .challenge_ignored])' '[[4,true,null],[2,true,null]]'
	# Whatever the requests hold, a line stays a line of less than 8 KiB.
	for i in 1 2 3 4 5 6 7 8; do
		cmc pkcs10 noted.key "$i-$(printf '"%.0s' {1..60})" >"long-$i.csr"
	done
	# shellcheck disable=SC2046
	pki_data $(printf 'tcr=%d:long-%d.csr ' 1 1 2 2 3 3 4 4 5 5 6 6 7 7 8 8)
	sign_by "$E2E/keys/device.pem" "$E2E/keys/device.key"
	send_any
	assert [ "$(tail -n 1 "$LOG" | wc -c)" -lt 8192 ]
}

@test 'P-06: after tls-exporter in a request of a message the connection is not used again' {
	local exporter=MDEyMzQ1Njc4OWFiMDEyMzQ1Njc4OWFiMDEyMzQ1Njc=
	asking bound "challenge=$exporter"
	pki_data tcr=1:bound.csr
	sign_self bound
	b64 message >message.b64
	cgi POST /cmc/fullcmc "CONTENT_TYPE=$TYPE" "$(basic)" SSL_PROTOCOL=TLSv1.3 "TLS_EXPORTER=$exporter" <message.b64
	assert_equal "$CODE: $(header Connection)" '200: close'
	noted 'map(.linked)' '[true]'
	cgi POST /cmc/fullcmc "CONTENT_TYPE=$TYPE" "$(basic)" SSL_PROTOCOL=TLSv1.3 TLS_EXPORTER=bm90IHRoZSBzZXNzaW9u <message.b64
	assert_full 403
	said 'status failed 1 popFailed '
	asking unbound
	pki_data tcr=1:unbound.csr
	sign_self unbound
	b64 message >message.b64
	cgi POST /cmc/fullcmc "CONTENT_TYPE=$TYPE" "$(basic)" SSL_PROTOCOL=TLSv1.3 "TLS_EXPORTER=$exporter" <message.b64
	assert_equal "$CODE: $(header Connection)" '200: '
}

@test "a request is as large as the label's csr_limit, PKCS#10 and CRMF" {
	key P-256 large.key
	san=$(printf 'a%.0s' {1..60}).$(printf 'b%.0s' {1..60}).$(printf 'c%.0s' {1..60}).example
	cmc crmf large.key large.example 1 "san=$san" "ski=$(printf '00%.0s' {1..800})" >large.msg
	pki_data control=9:5:int:05 crm=1:large.msg
	sign_by "$E2E/keys/device.pem" "$E2E/keys/device.key"
	BEFORE=$(rows)
	send_any small
	assert_failed 400 '1 badRequest '
	assert_equal "$(tail -n 1 "$LOG" | jq -r .code)" badCSR:size
}

@test 'RSA keys, PKCS #1 1.5 and PSS, and SHA-384' {
	key RSA-2048 rsa.key
	openssl req -x509 -new -key rsa.key -subj /CN=rsa -addext subjectKeyIdentifier=hash -out rsa.self
	openssl req -new -key rsa.key -subj /CN=rsa.example -addext "subjectKeyIdentifier=$(key_id rsa.self)" -outform DER -out rsa.csr
	pki_data tcr=1:rsa.csr
	sign_self rsa
	send_any
	assert_equal "$CODE" 200
	sign_by rsa.self rsa.key -keyid -nocerts -md sha384
	send_any
	assert_equal "$CODE" 200
	sign_by rsa.self rsa.key -keyid -nocerts -keyopt rsa_padding_mode:pss
	send_any
	assert_equal "$CODE" 200
}

# --- failInfo (RFC 5272 6.1.4) ---

@test 'F-06: a signature of the message that does not verify: badMessageCheck, of the whole' {
	asking tampered
	pki_data control=9:5:int:05 tcr=1:tampered.csr
	sign_self tampered
	cp message good
	cmc flip good >message
	BEFORE=$(rows)
	send_any
	assert_failed 400 '0 badMessageCheck '
	said 'transaction 05$'
	# What is signed is another one than what is there.
	python3 - <<-'END'
		octets = open("good", "rb").read()
		assert octets.count(b"tampered.example") == 1
		open("message", "wb").write(octets.replace(b"tampered.example", b"tampered.exbmple"))
	END
	send_any
	assert_failed 400 '0 badMessageCheck '
	assert grep -q '"code":"cmc:signature"' "$LOG"
}

@test 'F-06: a signature of a request that does not verify is its proof of possession: popFailed' {
	asking proof broken
	pki_data tcr=1:proof.csr
	sign_self proof
	BEFORE=$(rows)
	send_any
	assert_failed 400 '1 popFailed '
	key P-256 crm.key
	for how in broken:'1 popFailed' ra:'1 popFailed' none:'1 popRequired'; do
		cmc crmf crm.key crm.example 1 "pop=${how%%:*}" >crm.msg
		pki_data control=9:5:int:05 crm=1:crm.msg
		sign_by "$E2E/keys/device.pem" "$E2E/keys/device.key"
		send cmc -u "any:$PASSWORD"
		assert_full 403
		said "status failed ${how#*:} "
	done
	assert_equal "$(rows)" "$BEFORE"
}

@test 'F-06: linking that cannot be verified: popFailed' {
	asking linked challenge=bm90IHRoZSBzZXNzaW9u
	pki_data tcr=1:linked.csr
	sign_self linked
	BEFORE=$(rows)
	send_any
	assert_failed 403 '1 popFailed '
}

@test 'F-06: a key that is in use: noKeyReuse' {
	enrolled used rekey
	openssl req -x509 -new -key used.key -subj /CN=used -addext subjectKeyIdentifier=hash -out used.self
	cmc pkcs10 used.key used-too.example "ski=$(key_id used.self)" >used.csr
	pki_data tcr=1:used.csr
	sign_self used
	BEFORE=$(rows)
	send_any rekey
	assert_failed 403 '1 noKeyReuse '
}

@test 'F-06: a critical extension that is not known: unsupportedExt' {
	asking extended critical
	pki_data tcr=1:extended.csr
	sign_self extended
	BEFORE=$(rows)
	send_any
	assert_failed 400 '1 unsupportedExt '
}

@test 'F-06: an algorithm that is not taken: badAlg' {
	asking weak
	pki_data tcr=1:weak.csr
	sign_by weak.self weak.key -keyid -nocerts -md sha1
	BEFORE=$(rows)
	send_any
	assert_failed 400 '0 badAlg '
	cmc wrap 2a864886f70d0109100102 >message # AuthenticatedData
	send_any
	assert_failed 400 '0 badAlg '
	cmc wrap 2a864886f70d010703 >message # EnvelopedData
	send_any
	assert_failed 400 '0 badAlg '
}

@test 'F-06: a name that the identity may not have: badRequest, and 403' {
	asking mine
	pki_data tcr=1:mine.csr
	sign_self mine
	BEFORE=$(rows)
	send cmc -u "pump:$PASSWORD"
	assert_failed 403 '1 badRequest '
	assert grep -q '"code":"auth:name"' "$LOG"
}

@test 'F-06: a request that waits: pending with pendInfo and 202, collected after the approval' {
	asking patient
	pki_data control=2:5:int:77 control=3:6:octets:a1 tcr=1:patient.csr
	sign_self patient
	BEFORE=$(rows)
	send_any wait
	assert_full 202
	assert_regex "$(header Retry-After)" '^[1-9][0-9]*$'
	said 'status pending 1 [0-9]{14}Z '
	nonce=$(sed -n 's/^sender //p' said)
	assert_equal "$(rows)" "$BEFORE"
	id=$(est_admin --json request list | jq -r 'select(.name == "patient.example").id')
	run -0 est_admin request approve "$id"
	# It answers the nonce of the server; another one is none of this transaction.
	pki_data control=2:5:int:77 control=3:6:octets:a2 control=4:7:octets:0badc0de tcr=1:patient.csr
	sign_self patient
	send_any wait
	assert_full 400
	said 'status failed 4 badRequest '
	pki_data control=2:5:int:77 control=3:6:octets:a3 "control=4:7:octets:$nonce" tcr=1:patient.csr
	sign_self patient
	send_any wait
	assert_full 200
	said 'status success 1$'
	in_full patient
	# Each nonce is answered once.
	pki_data control=2:5:int:77 control=3:6:octets:a4 "control=4:7:octets:$nonce" tcr=1:patient.csr
	sign_self patient
	send_any wait
	assert_full 400
	said 'status failed 4 badRequest '
}

# --- controls ---

@test 'a control that is not known fails the whole: badRequest with its number' {
	asking control
	BEFORE=$(rows)
	for part in control=5:16:octets:00 control=5:24:octets:00 control=5:99:octets:00 oid=5:2a0304:0500 control=5:18:int:01 \
		control=5:5:octets:01 control=5:8:der:3000 control=5:21:octets:77616974; do
		pki_data "$part" tcr=1:control.csr
		sign_self control
		send_any
		assert_failed 400 '5 badRequest '
	done
	pki_data control=5:99:octets:00 oid=6:2a0304:0500 control=8:5:int:0a tcr=1:control.csr
	sign_self control
	send_any
	assert_failed 400 '5 badRequest '
	said 'status failed 6 badRequest '
	said 'transaction 0a$'
	pki_data control=5:5:int:01 control=6:5:int:01 tcr=1:control.csr # twice
	sign_self control
	send_any
	assert_failed 400 '6 badRequest '
	pki_data control=5:11:der:3000 tcr=1:control.csr # an RA's word for the possession
	sign_self control
	send_any
	assert_failed 403 '5 popFailed '
}

@test 'a nonce that comes again: badRequest' {
	asking nonce
	pki_data control=2:5:int:09 control=3:6:octets:00112233 tcr=1:nonce.csr
	sign_self nonce
	send_any
	assert_full 200
	BEFORE=$(rows)
	send_any
	assert_failed 400 '3 badRequest '
	assert grep -q '"code":"cmc:replay"' "$LOG"
	sign_self nonce # signed anew, the nonce is the same
	send_any
	assert_failed 400 '3 badRequest '
	pki_data control=2:5:int:0a control=3:6:octets:00112233 tcr=1:nonce.csr # another transaction
	sign_self nonce
	send_any
	assert_full 200
}

@test 'numbers of body parts: badRequest where one is 0, comes twice, or is too large' {
	asking numbered
	BEFORE=$(rows)
	for parts in 'tcr=0:numbered.csr' 'tcr=4294967296:numbered.csr' 'control=1:18:octets:00 tcr=1:numbered.csr' \
		'tcr=1:numbered.csr other=1'; do
		# shellcheck disable=SC2086
		pki_data $parts
		sign_self numbered
		send_any
		assert_failed 400 '0 badRequest '
	done
	pki_data tcr=4294967295:numbered.csr control=1:5:int:01
	sign_self numbered
	send_any
	assert_full 200
	said 'status success 4294967295$'
}

@test 'a request of an unknown form: noSupport, and no other one is processed' {
	asking known
	pki_data orm=4 tcr=1:known.csr
	sign_self known
	BEFORE=$(rows)
	send_any
	assert_full 400
	said 'status noSupport 4 '
	said 'status failed 1 badRequest '
	assert_equal "$(rows)" "$BEFORE"
}

# --- identity ---

secret() { # NAME: its one-time secret, in SECRET and ./secret
	SECRET=$(est_admin --json secret add "$1" | jq -r .secret)
	assert_regex "$SECRET" '^[^ ]{16,}$'
	echo "$SECRET" >secret
}

@test 'a proof of identity uses up the one-time secret' {
	secret proven.example
	asking proven
	pki_data proof=2:0000000000000000 tcr=1:proven.csr
	sign_self proven
	BEFORE=$(rows)
	send_any
	assert_failed 403 '2 badIdentity '
	pki_data "proof=2:$SECRET" tcr=1:proven.csr
	sign_self proven
	send_any
	assert_equal "$CODE" 200
	noted 'map(.secret_used)' '[true]'
	# For another key it is used up.
	rm proven.key
	asking proven
	BEFORE=$(rows)
	pki_data "proof=2:$SECRET" tcr=1:proven.csr
	sign_self proven
	send_any
	assert_failed 403 '1 badIdentity '
}

@test 'a proven one-time secret vouches for no other name than its own' {
	secret vouched.example
	for names in other.example ''; do
		asking vouched ${names:+"san=$names"}
		pki_data "proof=2:$SECRET" tcr=1:vouched.csr
		sign_self vouched
		BEFORE=$(rows)
		send_any
		[ -z "$names" ] || assert_failed 403
	done
	assert_equal "$CODE" 200
}

@test 'a proof with an identification; of another device it proves nothing' {
	secret named.example
	asking named
	asking other
	pki_data control=3:2:utf8:named.example "proof=2:$SECRET" tcr=1:named.csr # 6.2.3: the key is another one
	sign_self named
	BEFORE=$(rows)
	send_any
	assert_failed 403 '2 badIdentity '
	pki_data control=3:2:utf8:named.example "proof=2:$SECRET:named.example" tcr=1:other.csr
	sign_self other
	send_any
	assert_failed 403 '2 badIdentity '
	pki_data control=3:2:utf8:nobody.example "proof=2:$SECRET:nobody.example" tcr=1:named.csr
	sign_self named
	send_any
	assert_failed 403 '2 badIdentity '
	pki_data control=3:2:utf8:named.example "proof=2:$SECRET:named.example" tcr=1:named.csr control=4:5:int:01
	sign_self named
	send_any
	assert_full 200
	in_full named
}

@test 'a proof with SHA-1 is not taken: badAlg' {
	asking old
	pki_data control=2:3:octets:0011223344556677889900112233445566778899 tcr=1:old.csr
	sign_self old
	BEFORE=$(rows)
	send_any
	assert_failed 400 '2 badAlg '
}

@test 'linking by a witness of the secret in the request' {
	secret witness.example
	asking witness "link=$SECRET:aabbccdd"
	pki_data control=2:22:octets:aabbccdd tcr=1:witness.csr control=3:5:int:01
	sign_self witness
	send_any
	assert_full 200
	in_full witness
	BEFORE=$(rows)
	pki_data control=2:22:octets:aabbccde tcr=1:witness.csr
	sign_self witness
	send_any
	assert_failed 403 '1 popFailed '
	asking bare
	pki_data control=2:22:octets:aabbccdd tcr=1:bare.csr
	sign_self bare
	send_any
	assert_failed 403 '1 popFailed '
}

# --- signers ---

@test 'a signer whom nobody knows: badMessageCheck' {
	asking stranger
	pki_data tcr=1:stranger.csr
	BEFORE=$(rows)
	sign_by stranger.self stranger.key # by issuer and serial number
	send_any
	assert_failed 400 '0 badMessageCheck '
	sign_by "$E2E/keys/idevid.pem" "$E2E/keys/idevid.key" # of another CA, and not who asks
	send_any
	assert_failed 400 '0 badMessageCheck '
	key P-256 else.key
	openssl req -x509 -new -key else.key -subj /CN=x -addext "subjectKeyIdentifier=$(key_id stranger.self)" -out else.self
	sign_by else.self else.key -keyid -nocerts # the right name, another key
	send_any
	assert_failed 400 '0 badMessageCheck '
	cmc unsigned data >message
	send_any
	assert_failed 400 '0 badMessageCheck '
}

@test 'the certificate of another device, and one that is revoked: badIdentity' {
	enrolled pump-21
	enrolled boiler-1
	asking pump-22
	pki_data tcr=1:pump-22.csr
	sign_by boiler-1.pem boiler-1.key
	BEFORE=$(rows)
	send cmc -u "pump:$PASSWORD"
	assert_failed 403 '0 badIdentity '
	sign_by pump-21.pem pump-21.key
	send cmc -u "pump:$PASSWORD"
	assert_equal "$CODE" 200
	est_admin cert revoke "$(serial pump-21.pem)" --reason superseded
	BEFORE=$(rows)
	send cmc -u "pump:$PASSWORD"
	assert_failed 403 '0 badIdentity '
}

# --- revocation ---

state_of() { est_admin --json cert show "$(serial "$1")" | jq -r '.status + " " + (.revocation_reason // .reason // "")'; } # FILE

@test 'a certificate revokes itself by its signature' {
	enrolled leaving
	pki_data control=9:5:int:05 revoke=2:leaving.pem:5
	sign_by leaving.pem leaving.key
	# shellcheck disable=SC2046
	send cmc $(as_device leaving)
	assert_full 200
	said 'status success 2$'
	assert_regex "$(state_of leaving.pem)" '^revoked'
	assert grep -q "\"cmc_revoked\":\"$(serial leaving.pem)\"" "$LOG"
}

@test 'nobody revokes what is not theirs' {
	enrolled victim
	enrolled villain
	pki_data revoke=2:victim.pem:1
	sign_by villain.pem villain.key
	# shellcheck disable=SC2046
	send cmc $(as_device villain)
	assert_full 403
	said 'status failed 2 badRequest '
	assert_regex "$(state_of victim.pem)" '^valid'
	pki_data revoke=2:"$E2E/keys/idevid.pem":1 # of another CA
	sign_by villain.pem villain.key
	# shellcheck disable=SC2046
	send cmc $(as_device villain)
	assert_full 403
	said 'status failed 2 badCertId '
	enrolled elsewhere second # of another label
	pki_data revoke=2:elsewhere.pem:1
	sign_by villain.pem villain.key
	# shellcheck disable=SC2046
	send cmc $(as_device villain)
	said 'status failed 2 badCertId '
	pki_data revoke=2:villain.pem:2 # CACompromise
	sign_by villain.pem villain.key
	# shellcheck disable=SC2046
	send cmc $(as_device villain)
	assert_full 400
	said 'status failed 2 badRequest '
	assert_regex "$(state_of villain.pem)" '^valid'
}

@test 'a certificate is revoked by its shared secret, with no signature' {
	key P-256 lost.key
	"$EST_BUILD/make_csr" -k lost.key -n lost.example -r 'the lost key' >lost.csr
	post cmc/simpleenroll <(b64 lost.csr) -u "any:$PASSWORD"
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	certificate lost.pem
	pki_data 'revoke=2:lost.pem:1:another secret'
	cmc unsigned data >message
	send_any
	assert_full 403
	said 'status failed 2 badRequest '
	assert_regex "$(state_of lost.pem)" '^valid'
	pki_data 'revoke=2:lost.pem:1:the lost key'
	cmc unsigned data >message
	send_any
	assert_full 200
	said 'status success 2$'
	assert_regex "$(state_of lost.pem)" '^revoked'
	refute grep -q 'the lost key' "$LOG"
}

# --- est-client ---

client() { est_client -d "$1" --json cmc "${@:2}"; } # DIR OPTION...

@test 'est-client enrolls, renews and revokes by fullcmc' {
	echo "$PASSWORD" >password
	run -0 --separate-stderr client device --url "https://localhost:$PORT" --label cmc --trust "$TRUST" --name client.example \
		--san dns:client.example --user any --password-file password
	assert_regex "$output" '"renewed": *false'
	first=$(serial device/device.pem)
	run -0 openssl verify -CAfile "$TRUST" -untrusted "$E2E/est/devices.pem" device/device.pem
	run -0 --separate-stderr client device
	assert_regex "$output" '"renewed": *true'
	refute [ "$(serial device/device.pem)" = "$first" ]
	run -0 est_admin --json cert show "$(serial device/device.pem)"
	assert_regex "$output" '"operation": *"simplereenroll"'
	run -2 client device --revoke --reason nonsense
	run -0 --separate-stderr client device --revoke
	assert_regex "$output" "\"revoked\": *\"0*$(serial device/device.pem)\""
	assert_regex "$(state_of device/device.pem)" '^revoked'
}

@test 'est-client tells what the server refuses, and proves who it is' {
	echo "$PASSWORD" >password
	secret secret.example
	echo wrong-wrong-wrong-wrong >wrong
	run ! client proof --url "https://localhost:$PORT" --label cmc --trust "$TRUST" --name secret.example \
		--user any --password-file password --secret-file wrong
	assert_output --partial badIdentity
	run -0 client proof --url "https://localhost:$PORT" --label cmc --trust "$TRUST" --name secret.example \
		--user any --password-file password --secret-file secret
	# The same in the request itself (RFC 7894 3.2).
	secret otp.example
	run -0 client otp --url "https://localhost:$PORT" --label cmc --trust "$TRUST" --name otp.example \
		--user any --password-file password --otp-file secret
	noted 'map(.secret_used)' '[true]'
	run ! client bound --url "https://localhost:$PORT" --label cmc --trust "$TRUST" --name bound.example \
		--user any --password-file password --challenge-file secret
	assert_output --partial popFailed
	run ! client none --url "https://localhost:$PORT" --trust "$TRUST" --name x.example --user any --password-file password
	assert_output --partial 404
}

@test 'est-client follows the CSR attributes, and keeps its key where it is told to' {
	echo "$PASSWORD" >password
	run -0 client demand --url "https://localhost:$PORT" --label demands --trust "$TRUST" --name demand.example \
		--user any --password-file password --attributes
	assert_equal "$(openssl x509 -in demand/device.pem -noout -text | sed -n 's/ *NIST CURVE: //p')" P-384
	first=$(serial demand/device.pem) key=$(spki demand/device.pem)
	run -0 client demand --attributes --keep-key
	refute [ "$(serial demand/device.pem)" = "$first" ]
	assert_equal "$(spki demand/device.pem)" "$key"
	run -0 client demand
	refute [ "$(spki demand/device.pem)" = "$key" ]
	run -3 client fresh --url "https://localhost:$PORT" --label cmc --trust "$TRUST" --name fresh.example \
		--user any --password-file password --keep-key
}

@test 'est-client revokes by the secret of the request where the key is lost' {
	echo "$PASSWORD" >password
	echo 'the lost key of est-client' >passphrase
	echo 'another secret' >wrong
	run -0 client gone --url "https://localhost:$PORT" --label cmc --trust "$TRUST" --name gone.example \
		--user any --password-file password --revocation-file passphrase
	rm gone/device.key
	run ! client gone --revoke
	run -2 client gone --revoke --revocation-file passphrase
	run -2 client gone --revoke --revocation-file passphrase --user any --password-file password --bind
	run ! client gone --revoke --revocation-file wrong --user any --password-file password
	assert_output --partial badRequest
	assert_regex "$(state_of gone/device.pem)" '^valid'
	run -0 --separate-stderr client gone --revoke --reason keyCompromise --revocation-file passphrase --user any \
		--password-file password
	assert_regex "$output" '"reason": *"keyCompromise"'
	assert_equal "$(state_of gone/device.pem)" 'revoked keyCompromise'
	refute grep -q 'the lost key' "$LOG"
}

# --- hostile ---

@test 'no octet turned over, and no cut, is a request; the workers live' {
	asking sweep
	pki_data control=2:5:int:09 control=3:6:octets:0011 control=4:18:octets:00 tcr=1:sweep.csr
	sign_self sweep
	cp message good
	pids=$(workers)
	BEFORE=$(rows)
	# What stands ahead of the content, the list of digestAlgorithms too, nobody signs and nobody needs.
	for at in $(seq 60 37 "$(wc -c <good)"); do
		AT=$at python3 -c 'import os; o = bytearray(open("good", "rb").read()); o[int(os.environ["AT"])] ^= 0x55; open("message", "wb").write(o)'
		send_any
		assert_regex "$at: $CODE" ': 40[03]$'
		head -c "$at" good >message
		send_any
		assert_equal "$CODE" 400
	done
	assert_equal "$(rows)" "$BEFORE"
	# shellcheck disable=SC2086
	assert_alive $pids
}
