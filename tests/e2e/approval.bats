#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# approval.bats - requests that wait until somebody approves them: R-01 to R-11, and F19 of security-cases.

load instance
load hostile

instance_config() {
	local either='"basic", "certificate"' waits='approval = [ "simpleenroll", "simplereenroll", "serverkeygen" ];'
	local all='operations = [ "simpleenroll", "simplereenroll", "serverkeygen" ];'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; } );
		profile = ( { name = "device"; extended_key_usage = [ "clientAuth", "emailProtection" ];
		  key_usage = [ "digitalSignature", "nonRepudiation", "keyAgreement" ]; },
		  { name = "kinds"; keys = [ "P-256", "P-384" ]; } );
		label = (
		$(label '' devices device "$either" 'approval = [ "simpleenroll" ]; approval_retry = "1s";'),
		$(label free devices device "$either"),
		$(label slow devices device "$either" "$all $waits approval_retry = \"5m\"; certificates_from = [ \"free\" ]; challenge = \"ignore\";"),
		$(label short devices device "$either" "$waits approval_expiry = \"60s\"; approval_keep = \"60s\";"),
		$(label verify devices device "$either" "$waits"),
		$(label kinds devices kinds "$either" "$all $waits"),
		$(label kind devices kinds "$either" "$all $waits generated_key = \"P-256\";"),
		$(label otp devices device "$either" "$waits challenge = \"otp\";") );
	END
}

instance_users() { user other "$PASSWORD" '*'; }

# Nobody enrolls without being approved here.
instance_device() { :; }

setup_file() { instance_start; }
teardown_file() { instance_stop; }

requests() { est_admin --json request list; } # those that wait, an object a line

# The id of the one request that waits for this name.
waiting() { # NAME
	requests | jq -r --arg name "$1" 'select(.name == $name) | .id' >ids
	assert_equal "$1 waits $(wc -l <ids) times" "$1 waits 1 times"
	ID=$(cat ids)
}

approve() { # NAME
	waiting "$1"
	run -0 est_admin request approve "$ID"
}

# An answer that says to come again.
assert_waits() { # [MOST SECONDS]
	assert_equal "$CODE: $(cat body)" "202: $(cat body)"
	assert_regex "$(header Retry-After)" '^[1-9][0-9]{0,8}$'
	assert [ "$(header Retry-After)" -le "${1:-300}" ]
	assert_equal "$(header Content-Length)" "$(wc -c <body)"
	assert_equal "$(header Content-Type)" 'text/plain; charset=utf-8'
	assert_equal "$(header Transfer-Encoding)" ''
	assert_regex "$(cat body)" '^approval:waiting: .'
}

@test "R-01 R-02 R-03 a request that has to be approved is 202 with Retry-After in seconds, and issues nothing" {
	local before
	before=$(rows)
	request pump-1 DNS:pump-1.example
	enroll pump-1.b64 slow
	assert_waits
	assert [ "$(header Retry-After)" -gt 290 ]
	enroll pump-1.b64
	assert_waits 1
	enroll pump-1.b64 short # the default is five minutes
	assert_waits
	assert_equal "$(rows)" "$before"
	assert_equal "$(tail -n 1 "$LOG" | jq -r .code)" approval:waiting # X-04
	assert_equal "$(tail -n 1 "$LOG" | jq -r .status)" 202
}

@test "R-01 who decides sees who asks for what" {
	request pump-2 DNS:pump-2.example,IP:192.0.2.2
	post slow/simpleenroll pump-2.b64 -u "other:$PASSWORD"
	assert_waits
	waiting pump-2.example
	run -0 est_admin --json request show "${ID:0:12}"
	assert_equal "$(jq -r '[.state, .label, .profile, .operation, .identity, .subject] | join(" ")' <<<"$output")" \
		'waiting slow device simpleenroll user:other CN=pump-2.example'
	assert_equal "$(jq -c .names <<<"$output")" '["dns:pump-2.example","ip:192.0.2.2"]'
	assert_equal "$(jq -r .spki_sha256 <<<"$output")" "$(openssl pkey -in pump-2.key -pubout -outform DER | sha256sum | cut -d' ' -f1)"
	run -0 est_admin request show "$ID"
	assert_output --partial pump-2.example
	run -0 est_admin request list
	assert_output --partial "${ID:0:16}"
}

@test "R-04 the same request again is the same entry, and not asked for too early" {
	request pump-3
	enroll pump-3.b64 slow
	assert_waits
	waiting pump-3.example
	first=$ID
	enroll pump-3.b64 slow
	assert_waits # R-07: no 429
	openssl base64 -A -in pump-3.csr >line.b64
	enroll line.b64 slow
	assert_waits
	waiting pump-3.example
	assert_equal "$ID" "$first"
}

@test "R-05 another request of the same key for the same names is the same entry, whatever is bound to it" {
	local value
	key P-256 odd.key
	for value in '' first second first; do
		make_csr -k odd.key -n pump-4.example -e "$(san "$(dns pump-4.example)")" ${value:+-c "$value"} | b64 >odd.b64
		enroll odd.b64 slow
		assert_waits
	done
	waiting pump-4.example
	make_csr -k odd.key -n pump-4.example -e "$(san "$(dns pump-4.example)")" -c third -d sha384 | b64 >odd.b64
	enroll odd.b64 slow
	assert_waits
	waiting pump-4.example
	approve pump-4.example
	make_csr -k odd.key -n pump-4.example -e "$(san "$(dns pump-4.example)")" -c fourth | b64 >odd.b64
	enroll odd.b64 slow
	assert_issued odd.key
}

@test "R-05 P-13 a retry that is bound to its own session each time is the same entry" {
	local session
	key P-256 odd.key
	for session in MDEyMzQ1Njc4OWFi YWJjZGVmZ2hpamts; do
		make_csr -k odd.key -n pump-5.example -c $session | b64 >odd.b64
		cgi_post verify/simpleenroll odd.b64 "$(basic)" SSL_PROTOCOL=TLSv1.2 TLS_UNIQUE="$session"
		assert_waits
	done
	approve pump-5.example
	make_csr -k odd.key -n pump-5.example -c MDEyMzQ1Njc4OWFi | b64 >odd.b64
	cgi_post verify/simpleenroll odd.b64 "$(basic)" SSL_PROTOCOL=TLSv1.2 TLS_UNIQUE="$session"
	assert_refused 403 '^badCSR:pop-linking: '
	cgi_post verify/simpleenroll odd.b64 "$(basic)" SSL_PROTOCOL=TLSv1.2 TLS_UNIQUE=MDEyMzQ1Njc4OWFi
	assert_issued odd.key
}

@test "R-05 another key, subject, SAN, label, operation or user is another entry" {
	local before
	before=$(requests | wc -l)
	request pump-6
	key P-256 other.key
	enroll pump-6.b64 slow && assert_waits
	csr other.key /CN=pump-6.example | b64 >b && enroll b slow && assert_waits
	csr pump-6.key /O=Pumps/CN=pump-6.example | b64 >b && enroll b slow && assert_waits
	csr pump-6.key /CN=pump-6.example DNS:pump-6.example | b64 >b && enroll b slow && assert_waits
	enroll pump-6.b64 && assert_waits
	post slow/serverkeygen pump-6.b64 -u "any:$PASSWORD" && assert_waits
	post slow/simpleenroll pump-6.b64 -u "other:$PASSWORD" && assert_waits
	assert_equal $(($(requests | wc -l) - before)) 7
}

@test "R-06 R-08 an approval is for who asked, and nobody else gets the certificate" {
	request pump-7
	post slow/simpleenroll pump-7.b64 -u "other:$PASSWORD"
	assert_waits
	approve pump-7.example
	enroll pump-7.b64 slow
	assert_waits
	post slow/simpleenroll pump-7.b64
	assert_equal "$CODE" 401
	post slow/simpleenroll pump-7.b64 -u other:wrong
	assert_refused 401
	post slow/simpleenroll pump-7.b64 -u "other:$PASSWORD"
	assert_issued pump-7.key
}

@test "R-07 an early poll gets the time that remains" {
	local first
	request pump-8
	cgi_post slow/simpleenroll pump-8.b64 "$(basic)"
	assert_waits
	first=$(header Retry-After)
	at_time +100
	cgi_post slow/simpleenroll pump-8.b64 "$(basic)"
	assert_waits $((first - 95))
	assert [ "$(header Retry-After)" -ge $((first - 115)) ]
	# When it is over, another one begins.
	at_time +400
	cgi_post slow/simpleenroll pump-8.b64 "$(basic)"
	assert_waits
}

@test "R-08 after the approval the next poll gets the certificate, and any later one the same" {
	local before
	before=$(rows)
	request pump-9 DNS:pump-9.example
	enroll pump-9.b64 slow
	assert_waits
	approve pump-9.example
	assert_equal "$(rows)" "$before"
	enroll pump-9.b64 slow
	assert_issued pump-9.key
	cp issued.pem first.pem
	assert_equal "$(names first.pem)" DNS:pump-9.example
	enroll pump-9.b64 slow
	assert_issued pump-9.key
	assert_equal "$(cat issued.pem)" "$(cat first.pem)"
	# Also when the window for retries is over, as long as approval_keep says.
	at_time +2d
	cgi_post slow/simpleenroll pump-9.b64 "$(basic)"
	assert_equal "$CODE: $(head -c 300 body)" "200: $(head -c 300 body)"
	certificate again.pem
	assert_equal "$(cat again.pem)" "$(cat first.pem)"
	assert_equal "$(rows)" $((before + 1))
	run -0 est_admin --json request show "$ID"
	assert_equal "$(jq -r '.state + " " + .serial' <<<"$output")" "issued $(serial first.pem)"
	run -0 est_admin --json cert show "$(serial first.pem)"
	assert_equal "$(jq -r '.operation + " " + .identity' <<<"$output")" 'simpleenroll user:any'
}

@test "R-09 after a denial it is 403 with the reason, and no approval any more" {
	request pump-10
	enroll pump-10.b64 slow
	waiting pump-10.example
	run -2 est_admin request deny "$ID"
	run -0 est_admin --json request deny "$ID" --reason 'nobody has ordered this pump'
	assert_equal "$(jq -r .state <<<"$output")" denied
	enroll pump-10.b64 slow
	assert_refused 403 '^approval:denied: .*nobody has ordered this pump'
	run est_admin request approve "$ID"
	assert_failure
	assert_not_equal "$status" 2
	enroll pump-10.b64 slow
	assert_refused 403 '^approval:denied: '
}

@test "R-09 F19 nothing is decided twice, and no digits decide that several or nobody have" {
	request pump-11
	enroll pump-11.b64 slow
	approve pump-11.example
	run est_admin request approve "$ID"
	assert_failure
	enroll pump-11.b64 slow
	assert_issued pump-11.key
	run est_admin request deny "$ID" --reason late
	assert_failure
	run est_admin request approve "$ID"
	assert_failure
	enroll pump-11.b64 slow
	assert_issued pump-11.key
	run -3 est_admin request approve 0123456789abcdef
	run est_admin request approve "${ID:0:7}"
	assert_failure
	run est_admin request approve ''
	assert_failure
	run est_admin request show "$ID$ID$ID"
	assert_failure
}

@test "F19 the digits by which a request is decided are not those of anything that its device chose" {
	local seen digest
	request pump-30
	enroll pump-30.b64 slow
	waiting pump-30.example
	seen=$ID
	assert_regex "$seen" '^[0-9a-f]{16}$'
	run -0 est_admin --json request show "$seen"
	digest=$(jq -r .content_sha256 <<<"$output")
	assert_regex "$digest" '^[0-9a-f]{64}$'
	run -3 est_admin request approve "${digest:0:16}"
	# The very same request, in the queue once more, has others.
	run -0 est_admin request delete "$seen"
	enroll pump-30.b64 slow
	assert_waits
	waiting pump-30.example
	assert_not_equal "${ID:0:8}" "${seen:0:8}"
	run -0 est_admin --json request show "$ID"
	assert_equal "$(jq -r .content_sha256 <<<"$output")" "$digest"
	run -3 est_admin request approve "$seen"
	enroll pump-30.b64 slow
	assert_waits
}

@test "R-09 an approval can be taken back until it was answered, and a denial never" {
	local before
	before=$(rows)
	request pump-29
	enroll pump-29.b64 slow
	approve pump-29.example
	run -0 est_admin --json request deny "$ID" --reason 'it was stolen'
	assert_equal "$(jq -r .state <<<"$output")" denied
	enroll pump-29.b64 slow
	assert_refused 403 '^approval:denied: .*it was stolen'
	run est_admin request deny "$ID" --reason again
	assert_failure
	run est_admin request approve "$ID"
	assert_failure
	enroll pump-29.b64 slow
	assert_refused 403 '^approval:denied: '
	assert_equal "$(rows)" "$before"
}

# A request of ./odd.key for pump-NUMBER.example with this EKU and KU.
ask_usage() { # NUMBER EKU KU
	[ -e odd.key ] || key P-256 odd.key
	make_csr -k odd.key -n "pump-$1.example" -e "$(critical_extension 0603551d0f "$3")" \
		-e "$(extension 0603551d25 "$(tlv 30 "$2")")" | b64 >odd.b64
	enroll odd.b64 slow
}

CLIENT=06082b06010505070302 MAIL=06082b06010505070304
SIGN=03020780 AGREE=03020308

@test "F19 an approval is of what was approved, and of nothing else by the same key and names" {
	local first before
	before=$(rows)
	ask_usage 12 $CLIENT $SIGN
	assert_waits
	approve pump-12.example
	first=$ID
	ask_usage 12 $MAIL $SIGN
	assert_waits
	ask_usage 12 $CLIENT $AGREE
	assert_waits
	waiting pump-12.example
	assert_not_equal "$ID" "$first"
	assert_equal "$(rows)" "$before"
	approve pump-12.example
	ask_usage 12 $CLIENT $SIGN
	assert_waits
	assert_equal "$(rows)" "$before"
	approve pump-12.example
	ask_usage 12 $CLIENT $SIGN
	assert_issued odd.key
	run -0 openssl x509 -in issued.pem -noout -ext extendedKeyUsage,keyUsage
	refute_output --regexp '(E-mail|Agreement)'
}

@test "F19 what is swapped after it was looked at is not approved" {
	ask_usage 13 $CLIENT $SIGN
	waiting pump-13.example
	seen=$ID
	ask_usage 13 $MAIL $AGREE
	assert_waits
	run est_admin request approve "$seen"
	assert_failure
	ask_usage 13 $MAIL $AGREE
	assert_waits
	ask_usage 13 $CLIENT $SIGN
	assert_waits
	# Back again it is another entry.
	run -3 est_admin request approve "$seen"
	ask_usage 13 $CLIENT $SIGN
	assert_waits
}

@test "R-09 an entry that nobody decides expires, and the next poll makes another" {
	request pump-14
	cgi_post short/simpleenroll pump-14.b64 "$(basic)"
	assert_waits
	waiting pump-14.example
	at_time +70
	cgi_post short/simpleenroll pump-14.b64 "$(basic)"
	assert_waits
	run -3 est_admin request show "$ID"
	waiting pump-14.example
	run -0 est_admin --json request show "$ID"
	assert [ "$(date -d "$(jq -r .expires_at <<<"$output")" +%s)" -gt $(($(date +%s) + 60)) ]
	approve pump-14.example
	# An approval that nobody collects expires as well.
	at_time +300
	cgi_post short/simpleenroll pump-14.b64 "$(basic)"
	assert_waits
	assert_equal "$(est_admin --json cert list --name pump-14.example | wc -l)" 0
}

@test "R-10 a renewal waits as well, and what it rests on must still be good then" {
	request pump-15
	enroll pump-15.b64 free
	assert_issued pump-15.key
	cp issued.pem old.pem
	key P-256 new.key
	csr new.key /CN=pump-15.example | b64 >new.b64
	post slow/simplereenroll new.b64 --cert old.pem --key pump-15.key
	assert_waits
	waiting pump-15.example
	run -0 est_admin --json request approve "$ID"
	assert_equal "$(jq -r .operation <<<"$output")" simplereenroll
	post slow/simplereenroll new.b64 --cert old.pem --key pump-15.key
	assert_issued new.key
	key P-256 newer.key
	csr newer.key /CN=pump-15.example | b64 >newer.b64
	post slow/simplereenroll newer.b64 --cert old.pem --key pump-15.key
	assert_waits
	approve pump-15.example
	est_admin cert revoke "$(serial old.pem)"
	post slow/simplereenroll newer.b64 --cert old.pem --key pump-15.key
	assert_refused 403 '^auth:certificate-revoked: '
}

@test "R-10 a key is made when its request was approved, and handed out once" {
	local before
	before=$(rows)
	request pump-16
	post slow/serverkeygen pump-16.b64 -u "any:$PASSWORD"
	assert_waits
	approve pump-16.example
	assert_equal "$(rows)" "$before"
	post slow/serverkeygen pump-16.b64 -u "any:$PASSWORD"
	plain_parts
	post slow/serverkeygen pump-16.b64 -u "any:$PASSWORD"
	assert_refused 403 '^approval:taken: '
	assert_equal "$(rows)" $((before + 1))
}

@test "R-10 a key for another recipient was not approved" {
	key P-256 odd.key
	echo 000102030405060708090a0b0c0d0e0f >kek
	est_admin kek add kek-17 --key-file kek
	make_csr -k odd.key -n pump-17.example -D "$(hex kek-17)" -m 2.16.840.1.101.3.4.1.5,2.16.840.1.101.3.4.1.2 | b64 >odd.b64
	post slow/serverkeygen odd.b64 -u "any:$PASSWORD"
	assert_waits
	approve pump-17.example
	make_csr -k odd.key -n pump-17.example | b64 >plain.b64
	post slow/serverkeygen plain.b64 -u "any:$PASSWORD"
	assert_waits
	assert_equal "$(est_admin --json cert list --name pump-17.example | wc -l)" 0
}

@test "R-10 an approval covers the kind of key that serverkeygen makes" {
	local before approved
	key P-384 odd.key
	request pump-27
	csr odd.key /CN=pump-27.example | b64 >odd.b64
	before=$(rows)
	post kinds/serverkeygen pump-27.b64 -u "any:$PASSWORD"
	assert_waits
	approve pump-27.example
	approved=$ID
	post kinds/serverkeygen odd.b64 -u "any:$PASSWORD"
	assert_waits
	waiting pump-27.example
	assert_not_equal "$ID" "$approved"
	run -0 est_admin --json request show "$ID"
	assert_equal "$(jq -c '[.key, .spki_sha256]' <<<"$output")" '["P-384",null]'
	# Where the label says which kind is made, the one in the request has no say.
	request pump-28
	csr odd.key /CN=pump-28.example | b64 >odd-28.b64
	post kind/serverkeygen pump-28.b64 -u "any:$PASSWORD"
	assert_waits
	approve pump-28.example
	assert_equal "$(rows)" "$before"
	post kind/serverkeygen odd-28.b64 -u "any:$PASSWORD"
	plain_parts
	assert_equal "$(openssl pkey -in generated.key -noout -text | head -n 1)" 'Private-Key: (256 bit)'
	# What was approved in the end is what is made.
	approve pump-27.example
	post kinds/serverkeygen odd.b64 -u "any:$PASSWORD"
	plain_parts
	assert_equal "$(openssl pkey -in generated.key -noout -text | head -n 1)" 'Private-Key: (384 bit)'
	assert_equal "$(rows)" $((before + 2))
}

@test "R-01 what could not be granted anyway does not wait" {
	local before
	before=$(requests | wc -l)
	request pump-18
	request valve-18
	post slow/simpleenroll valve-18.b64 -u "pump:$PASSWORD"
	assert_refused 403 '^auth:name: '
	post slow/simpleenroll pump-18.b64
	assert_equal "$CODE" 401
	ask slow -b
	assert_refused 400 '^badCSR:signature: '
	ask slow -e "$(critical_extension 0603551d13 "$(tlv 30 0101ff)")"
	assert_refused 400 '^badCSR:ca: '
	post slow/simplereenroll pump-18.b64 -u "any:$PASSWORD"
	assert_refused 403 '^renew:nothing: '
	assert_equal "$(requests | wc -l)" "$before"
}

@test "R-08 what was right when it was approved and is not any more is not issued" {
	request pump-19
	user going "$PASSWORD" '*'
	post slow/simpleenroll pump-19.b64 -u "going:$PASSWORD"
	assert_waits
	approve pump-19.example
	est_admin user delete going
	user going "$PASSWORD" 'valve-*'
	post slow/simpleenroll pump-19.b64 -u "going:$PASSWORD"
	assert_refused 403 '^auth:name: '
	# A key that was lost meanwhile.
	request pump-20
	enroll pump-20.b64 free
	assert_issued pump-20.key
	csr pump-20.key /CN=pump-21.example | b64 >pump-21.b64
	enroll pump-21.b64 slow
	approve pump-21.example
	est_admin cert revoke "$(serial issued.pem)" --reason keyCompromise
	enroll pump-21.b64 slow
	assert_refused 400 '^badCSR:blocked-key: '
}

secret() { # NAME [OPTION...]: a new one-time secret
	est_admin --json secret add "$@" | jq -r .secret
}

@test "R-06 a one-time secret that was used when asking goes on to identify the poll, with that key only" {
	local secret
	secret=$(secret pump-22.example)
	key P-256 odd.key
	make_csr -k odd.key -n pump-22.example -o "$secret" | b64 >odd.b64
	enroll odd.b64 otp
	assert_waits
	enroll odd.b64 otp
	assert_waits
	key P-256 thief.key
	make_csr -k thief.key -n pump-22.example -o "$secret" | b64 >thief.b64
	enroll thief.b64 otp
	assert_refused 403 '^auth:otp: '
	waiting pump-22.example
	approve pump-22.example
	enroll odd.b64 otp
	assert_issued odd.key
	enroll odd.b64 otp
	assert_issued odd.key
	enroll thief.b64 otp
	assert_refused 403 '^auth:otp: '
	# The secret is nowhere in clear (T-20), though the request waited in the store.
	est_admin store checkpoint
	run -1 grep -rlaF "$secret" "$E2E/est/state" "$LOG" "$E2E/log"
}

@test "R-04 strongSwan pki polls until somebody has approved" {
	local pid i
	pki --gen --type ecdsa --size 256 --outform pem >swan.key 2>/dev/null
	pki --req --in swan.key --type ecdsa --dn CN=pump-23.example --san pump-23.example >swan.csr 2>/dev/null
	timeout 60 pki --est --url "https://127.0.0.1:$PORT" --cacert "$TRUST" --in swan.csr --userpass "pump:$PASSWORD" \
		--interval 1 --maxpolltime 40 --outform pem >swan.pem 2>pki.log 3>&- &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		[ "$(requests | jq -r 'select(.name == "pump-23.example") | .id' | wc -l)" = 0 ] || break
		sleep 0.1
	done
	sleep 1.5 # it polls at least once while nobody has decided
	kill -0 "$pid"
	approve pump-23.example
	wait "$pid" || fail "pki: $(tail -25 pki.log)"
	assert_equal "$(spki swan.pem)" "$(openssl pkey -in swan.key -pubout)"
	run -0 openssl verify -x509_strict -CAfile "$TRUST" -untrusted "$E2E/est/devices.pem" swan.pem
	assert [ "$(jq -r 'select(.subject == "CN=pump-23.example") | .status' "$LOG" | grep -c 202)" -ge 2 ]
}

@test "R-04 est-client waits by itself, and goes on later where that takes too long" {
	local pid i
	echo "$PASSWORD" >password
	# 5: come again later
	run -5 est_client enroll --url "$URL" --label slow --name pump-24.example --user pump --password-file password \
		--trust "$TRUST" --wait 1s -d later
	approve pump-24.example
	run -0 est_client enroll --url "$URL" --label slow --name pump-24.example --user pump --password-file password -d later
	assert_equal "$(spki later/device.pem)" "$(openssl pkey -in later/device.key -pubout)"
	est_client enroll --url "$URL" --name pump-25.example --user pump --password-file password --trust "$TRUST" --wait 40s -d waits >out 2>&1 3>&- &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		[ "$(requests | jq -r 'select(.name == "pump-25.example") | .id' | wc -l)" = 0 ] || break
		sleep 0.1
	done
	approve pump-25.example
	wait "$pid" || fail "est-client: $(cat out)"
	assert_equal "$(spki waits/device.pem)" "$(openssl pkey -in waits/device.key -pubout)"
	# 4: denied, with the reason
	run -5 est_client enroll --url "$URL" --label slow --name pump-26.example --user pump --password-file password \
		--trust "$TRUST" --wait 1s -d denied
	waiting pump-26.example
	est_admin request deny "$ID" --reason 'no such pump'
	run -4 est_client enroll --url "$URL" --label slow --name pump-26.example --user pump --password-file password -d denied
	assert_output --partial 'no such pump'
}

@test "R-01 the store holds together" {
	run -0 est_admin store check
}
