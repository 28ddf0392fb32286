#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# linking.bats - requests linked to the TLS session that they came by (P-01, P-02, P-05 to P-09), and the other challenges
# of RFC 7894 (P-10). lighttpd has no channel binding to hand over (P-02), so that is played by the plain CGI program;
# pop.bats has the real thing.

load instance
load hostile

UNIQUE=MDEyMzQ1Njc4OWFi                               # 12 octets: tls-unique
EXPORTER=MDEyMzQ1Njc4OWFiMDEyMzQ1Njc4OWFiMDEyMzQ1Njc= # 32: tls-exporter
OTHER=YWJjZGVmZ2hpamts
TLS12=(SSL_PROTOCOL=TLSv1.2 "TLS_UNIQUE=$UNIQUE")
TLS13=(SSL_PROTOCOL=TLSv1.3 "TLS_EXPORTER=$EXPORTER")
OTP=1.2.840.113549.1.9.16.2.56 REVOCATION=1.2.840.113549.1.9.16.2.57 LINKING=1.2.840.113549.1.9.16.2.58

instance_config() {
	local either='"basic", "certificate"'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; } );
		profile = ( { name = "device"; } );
		label = (
		$(label '' devices device "$either"),
		$(label required devices device "$either" 'pop_required = true;'),
		$(label otp devices device "$either" 'challenge = "otp";'),
		$(label other devices device "$either" 'challenge = "otp";'),
		$(label ignore devices device "$either" 'challenge = "ignore";') );
	END
}

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# A request of ./odd.key with these attributes goes to the plain CGI program, which is told what SESSION says.
link() { # LABEL [OPTION of make_csr...]
	[ -e odd.key ] || key P-256 odd.key
	make_csr -k odd.key "${@:2}" | b64 >odd.b64
	cgi_post "${1:+$1/}simpleenroll" odd.b64 "$(basic)" "${SESSION[@]}"
}

assert_linked() { assert_issued odd.key; }

noted() { tail -n 1 "$LOG" | jq -r "$1"; } # JQ: what the log says of the last request

# Of all that it may say of how a request was linked, this and no more.
assert_noted() { # [MEMBER...]
	assert_equal "$(noted '[keys[] | select(. == "linked" or . == "challenge_ignored" or . == "secret_used")] | join(" ")')" "$*"
	[ $# = 0 ] || assert_equal "$(noted "[.$1 == true, .serial != null] | all")" true
}

refuses_link() { # WHAT LABEL [OPTION...]
	link "${@:2}"
	assert_equal "$1: $CODE" "$1: 403"
	assert_refused 403 '^badCSR:pop-linking: .*link'
}

# --- channel binding ---

@test "P-01 a challengePassword that is the session's tls-unique is taken, and any other refused" {
	local before
	before=$(rows)
	SESSION=("${TLS12[@]}")
	refuses_link 'another' '' -c $OTHER
	refuses_link 'in another case' '' -c mdEyMzQ1Njc4OWFi
	refuses_link 'cut' '' -c MDEyMzQ1Njc4OWE=
	refuses_link 'cut by a group' '' -c MDEyMzQ1Njc4
	refuses_link 'longer' '' -c "${UNIQUE}MDEy"
	refuses_link 'longer by an octet' '' -c MDEyMzQ1Njc4OWFiMA==
	link '' -t challengePassword=0c00
	assert_refused 400 '^badCSR:challenge: '
	refuses_link 'no base64' '' -c 'correct horse battery staple'
	refuses_link 'raw' '' -c 0123456789ab
	refuses_link 'in hex' '' -c 303132333435363738396162
	refuses_link 'a list' '' -c "$OTHER $UNIQUE"
	assert_equal "$(rows)" "$before"
	assert_noted
	link '' -c $UNIQUE
	assert_linked
	assert_noted linked
}

@test "P-02 without a variable of the web server's it is refused, whatever the client sends" {
	local before
	before=$(rows)
	SESSION=()
	refuses_link nothing '' -c $UNIQUE
	SESSION=(SSL_PROTOCOL=TLSv1.2)
	refuses_link 'a version alone' '' -c $UNIQUE
	SESSION=(SSL_PROTOCOL=TLSv1.2 TLS_UNIQUE=)
	refuses_link 'an empty one' '' -c $UNIQUE
	link '' -t challengePassword=0c00
	assert_refused 400 '^badCSR:challenge: '
	SESSION=(SSL_PROTOCOL=TLSv1.2 'TLS_UNIQUE=****************')
	refuses_link 'no base64' '' -c '****************'
	SESSION=(SSL_PROTOCOL=TLSv1.2 "HTTP_TLS_UNIQUE=$UNIQUE")
	refuses_link 'a field of the request' '' -c $UNIQUE
	post simpleenroll odd.b64 -u "any:$PASSWORD" -H "TLS-UNIQUE: $UNIQUE" -H "TLS_UNIQUE: $UNIQUE" -H "SSL-PROTOCOL: TLSv1.2"
	assert_refused 403 '^badCSR:pop-linking: '
	post "simpleenroll?TLS_UNIQUE=$UNIQUE" odd.b64 -u "any:$PASSWORD"
	assert_refused 403 '^badCSR:pop-linking: '
	assert_equal "$(rows)" "$before"
}

@test "P-05 P-06 in TLS 1.3 it is tls-exporter, and the connection is not used again" {
	local before
	before=$(rows)
	SESSION=("${TLS13[@]}")
	refuses_link 'another' '' -c $OTHER
	refuses_link 'a prefix' '' -c $UNIQUE
	SESSION=(SSL_PROTOCOL=TLSv1.3 "TLS_UNIQUE=$UNIQUE")
	refuses_link 'tls-unique, which TLS 1.3 has not' '' -c $UNIQUE
	SESSION=(SSL_PROTOCOL=TLSv1.3 "TLS_UNIQUE=$UNIQUE" "TLS_EXPORTER=$EXPORTER")
	refuses_link 'the one of the two that does not count' '' -c $UNIQUE
	assert_equal "$(rows)" "$before"
	link '' -c $EXPORTER
	assert_linked
	assert_equal "$(header Connection)" close
	SESSION=("${TLS13[@]}")
	link '' -n plain.example
	assert_linked
	assert_noted
	assert_equal "$(header Connection)" ''
}

# est-admin check of a configuration with these keys ahead of all others: ./odd.conf in the instance's directory.
with_keys() { # KEYS
	EST_CONFIG=$E2E/est/odd.conf
	{ echo "$1" && sed '/^$/d' "$E2E/est/est.conf"; } >"$EST_CONFIG"
	chmod a+r "$EST_CONFIG"
	run est_admin check
}

@test "P-02 P-03 the variables may have other names, and only those are believed then" {
	local before
	with_keys 'tls_unique = "BINDING_12"; tls_exporter = "BINDING_13";'
	assert_success
	before=$(rows)
	SESSION=("${TLS12[@]}")
	refuses_link 'the usual name' '' -c $UNIQUE
	SESSION=("${TLS13[@]}")
	refuses_link 'the usual name in TLS 1.3' '' -c $EXPORTER
	SESSION=(SSL_PROTOCOL=TLSv1.2 "TLS_UNIQUE=$UNIQUE" "BINDING_12=$OTHER")
	refuses_link 'another beside it' '' -c $UNIQUE
	SESSION=(SSL_PROTOCOL=TLSv1.2 "BINDING_13=$UNIQUE" "HTTP_BINDING_12=$UNIQUE")
	refuses_link "TLS 1.3's name" '' -c $UNIQUE
	assert_equal "$(rows)" "$before"
	SESSION=(SSL_PROTOCOL=TLSv1.2 "BINDING_12=$UNIQUE")
	link required -c $UNIQUE
	assert_linked
	assert_noted linked
	SESSION=(SSL_PROTOCOL=TLSv1.3 "BINDING_13=$EXPORTER" "TLS_EXPORTER=$OTHER")
	link required -c $EXPORTER -n new.example
	assert_linked
	assert_equal "$(header Connection)" close
}

@test "P-02 without a name none is believed, and the other one as ever" {
	with_keys 'tls_unique = "";'
	SESSION=("${TLS12[@]}")
	refuses_link 'of no name' '' -c $UNIQUE
	SESSION=(SSL_PROTOCOL=TLSv1.2 "=$UNIQUE" "TLS_UNIQUE=$UNIQUE")
	refuses_link 'the empty name' '' -c $UNIQUE
	SESSION=("${TLS13[@]}")
	link '' -c $EXPORTER
	assert_linked
}

@test "P-02 check refuses names that a client could set, that are none, and one for both" {
	local keys
	for keys in 'tls_unique = "HTTP_BINDING";' 'tls_exporter = "HTTP_TLS_EXPORTER";' 'tls_unique = "tls unique";' \
		'tls_unique = "TLS_EXPORTER";' 'tls_unique = "B"; tls_exporter = "B";' 'tls_exporter = "SSL=x";'; do
		with_keys "$keys"
		assert_equal "$keys: $status" "$keys: 1"
		assert_output --regexp "odd\.conf:.*tls_(unique|exporter)"
	done
}

@test "P-07 any string type, white space aside" {
	local value text
	SESSION=("${TLS12[@]}")
	text=$(hex $UNIQUE)
	for value in 0c10$text 1310$text 1610$text 1410$text "0c11${text}0a" "0c12${text}0d0a" \
		"0c1220${text}20" "1e20$(fold -w 2 <<<"$text" | sed 's/^/00/' | tr -d '\n')"; do # the last: BMPString
		link '' -t challengePassword="$value"
		assert_equal "$value: $CODE $(head -c 200 body)" "$value: 200 $(head -c 200 body)"
	done
	# 255 characters are the most of any, and the NUL is none.
	link '' -t challengePassword="$(tlv 0c "$text$(printf '41%.0s' {1..239})")"
	assert_refused 403 '^badCSR:pop-linking: '
	link '' -t challengePassword="$(tlv 0c "$text$(printf '41%.0s' {1..240})")"
	assert_refused 400 '^badCSR:challenge: '
	link '' -t challengePassword="$(tlv 0c "${text}00")"
	assert_refused 400 '^badCSR:challenge: '
}

@test "P-08 a label may want every request linked, and says what to do" {
	local before
	before=$(rows)
	SESSION=("${TLS12[@]}")
	link required
	assert_refused 403 '^badCSR:pop-required: .*(link|challengePassword)'
	link required -r 'revoke me'
	assert_refused 403 '^badCSR:pop-required: '
	SESSION=()
	link required
	assert_refused 403 '^badCSR:pop-required: '
	request pump-1
	enroll pump-1.b64 required
	assert_refused 403 '^badCSR:pop-required: '
	SESSION=("${TLS12[@]}")
	refuses_link another required -c $OTHER
	assert_equal "$(rows)" "$before"
	link required -c $UNIQUE
	assert_linked
	link '' -n unlinked.example
	assert_linked
}

@test "P-08 a renewal and a key that is made are linked like an enrollment" {
	SESSION=("${TLS12[@]}")
	key P-256 odd.key
	make_csr -k odd.key -n pump-0.example -e "$(san "$(dns pump-0.example)")" -c $OTHER | b64 >odd.b64
	by_certificate "$E2E/keys/device.pem"
	cgi_post simplereenroll odd.b64 "${BY[@]}" "${SESSION[@]}"
	assert_regex "$(cat body)" '^badCSR:pop-linking: '
}

@test "P-09 estIdentityLinking is channel binding, and every challenge counts for itself" {
	local before
	before=$(rows)
	SESSION=("${TLS12[@]}")
	refuses_link 'another' '' -i $OTHER
	refuses_link 'good and bad' '' -i $UNIQUE -c $OTHER
	refuses_link 'bad and good' '' -i $OTHER -c $UNIQUE
	refuses_link 'longer' '' -i ${UNIQUE}MDEy
	assert_equal "$(rows)" "$before"
	link required -i $UNIQUE
	assert_linked
	link '' -i $UNIQUE -c $UNIQUE -n both.example
	assert_linked
	SESSION=("${TLS13[@]}")
	refuses_link "TLS 1.2's" required -i $UNIQUE
	link required -i $EXPORTER -n new.example
	assert_linked
	SESSION=()
	refuses_link 'nothing to compare with' ignore -i $UNIQUE
}

@test "P-01 challenge = ignore enrolls all the same, and leaves a note" {
	SESSION=()
	link ignore -c CANARY-ignored
	assert_linked
	assert_equal "$(noted .label)" ignore
	assert_noted challenge_ignored
	run -1 grep -rF CANARY-ignored "$LOG" "$E2E/log"
}

# --- one-time secrets ---

secret() { # NAME [OPTION...]: a new one
	est_admin --json secret add "$@" | jq -r .secret
}

@test "P-10 T-20 otpChallenge is the device's one-time secret: once, for one key" {
	local secret before
	SESSION=()
	secret=$(secret pump-2.example)
	assert [ "${#secret}" -ge 22 ] # 128 bits and more
	before=$(rows)
	link '' -n pump-2.example -o wrong
	assert_refused 403 '^auth:otp: '
	link '' -n pump-2.example -o "${secret^^}" # caseExact
	assert_refused 403 '^auth:otp: '
	link '' -n pump-2.example -o "${secret:1}"
	assert_refused 403 '^auth:otp: '
	link '' -n pump-3.example -o "$secret" # another's
	assert_refused 403 '^auth:otp: '
	assert_equal "$(rows)" "$before"
	link '' -n pump-2.example -o "$secret"
	assert_linked
	assert_noted secret_used
	cp issued.pem first.pem
	# The answer may have been lost (S-16): the same key gets it again.
	link '' -n pump-2.example -o "$secret"
	assert_linked
	assert_equal "$(cat issued.pem)" "$(cat first.pem)"
	key P-256 odd.key
	link '' -n pump-2.example -o "$secret"
	assert_refused 403 '^auth:otp: '
	assert_equal "$(rows)" $((before + 1))
	run -0 est_admin --json secret list
	assert_equal "$(jq -r 'select(.name == "pump-2.example") | .state' <<<"$output")" used
}

@test "P-10 a request that fails uses no secret up" {
	local secret
	SESSION=()
	secret=$(secret pump-4.example)
	link '' -n pump-4.example -o "$secret" -b
	assert_refused 400 '^badCSR:signature: '
	link '' -n pump-4.example -o "$secret" -c $OTHER
	assert_refused 403 '^badCSR:pop-linking: '
	make_csr -k odd.key -n pump-4.example -o "$secret" | b64 >odd.b64
	post simpleenroll odd.b64
	assert_equal "$CODE" 401
	key P-256 odd.key
	link '' -n pump-4.example -o "$secret"
	assert_linked
}

@test "P-10 a secret is of its label, until it expires, replaced or deleted" {
	local secret newer
	SESSION=()
	secret=$(secret pump-5.example --label otp --expires 1h)
	link '' -n pump-5.example -o "$secret"
	assert_refused 403 '^auth:otp: '
	at_time +2h
	link otp -n pump-5.example -o "$secret"
	assert_refused 403 '^auth:otp: '
	at_time now
	run est_admin secret add pump-5.example
	assert_failure
	newer=$(secret pump-5.example --label otp --replace)
	link otp -n pump-5.example -o "$secret"
	assert_refused 403 '^auth:otp: '
	link otp -n pump-5.example -o "$newer"
	assert_linked
	secret=$(secret pump-6.example)
	est_admin secret delete pump-6.example
	link otp -n pump-6.example -o "$secret"
	assert_refused 403 '^auth:otp: '
}

@test "P-10 with challenge = otp the challengePassword carries the secret, and is no channel binding" {
	local secret
	SESSION=("${TLS12[@]}")
	link otp -n pump-7.example -c $UNIQUE
	assert_refused 403 '^auth:otp: '
	secret=$(secret pump-7.example)
	link otp -n pump-7.example -c "$secret"
	assert_linked
	key P-256 odd.key
	link otp -n pump-7.example -c "$secret"
	assert_refused 403 '^auth:otp: '
	# Where it is channel binding, a secret is none.
	secret=$(secret pump-8.example)
	refuses_link 'a secret' '' -n pump-8.example -c "$secret"
}

@test "P-10 two secrets in one request have to be the same one" {
	local secret
	SESSION=()
	secret=$(secret pump-9.example)
	link otp -n pump-9.example -c "$secret" -o wrong
	assert_refused 403 '^auth:otp: '
	link otp -n pump-9.example -c wrong -o "$secret"
	assert_refused 403 '^auth:otp: '
	link otp -n pump-9.example -c "$secret" -o "$secret"
	assert_linked
}

@test "P-10 each of them has one value, which is a text" {
	local oid
	SESSION=()
	for oid in $OTP $REVOCATION $LINKING; do
		link '' -t "$oid"=0500
		assert_refused 400 '^badCSR:challenge: '
		link '' -t "$oid"=020101
		assert_refused 400 '^badCSR:challenge: '
	done
	link '' -a "$(attribute 060b2a864886f70d0109100238 "$(tlv 0c 61)" "$(tlv 0c 62)")"
	assert_refused 400 '^badCSR:attributes: '
}

# --- revocation ---

@test "P-10 a revocationChallenge is kept as a hash, and revokes later" {
	local serial
	SESSION=()
	link '' -n pump-10.example -r CANARY-revocation
	assert_linked
	serial=$(serial issued.pem)
	echo wrong >challenge
	run est_admin cert revoke "$serial" --challenge-file challenge
	assert_failure
	run -0 est_admin --json cert show "$serial"
	assert_equal "$(jq -r .status <<<"$output")" valid
	echo CANARY-revocation >challenge
	run -0 est_admin cert revoke "$serial" --challenge-file challenge
	run -0 est_admin --json cert show "$serial"
	assert_equal "$(jq -r .status <<<"$output")" revoked
	# One that brought no challenge is not revoked by any.
	key P-256 odd.key
	link '' -n pump-11.example
	assert_linked
	run est_admin cert revoke "$(serial issued.pem)" --challenge-file challenge
	assert_failure
	: >challenge
	run est_admin cert revoke "$(serial issued.pem)" --challenge-file challenge
	assert_failure
}

@test "X-03 T-20 neither secrets nor challenges are in a log or in the store" {
	local secret
	SESSION=()
	secret=$(secret pump-12.example)
	link '' -n pump-12.example -o "$secret" -r CANARY-revocation
	assert_linked
	link '' -c CANARY-challenge
	link otp -o CANARY-otp
	est_admin store checkpoint
	run -1 grep -rlaF -e "$secret" -e CANARY "$E2E/est/state" "$LOG" "$E2E/log"
}

@test "P-10 the store holds together" {
	run -0 est_admin store check
}
