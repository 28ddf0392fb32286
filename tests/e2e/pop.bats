#!/usr/bin/env bats
# pop.bats - requests that are linked to their TLS session (RFC 7030 3.5, RFC 5929, RFC 9266) and expired client
# certificates, behind Apache with mod_est: est-client, and pop.py, which shares no code with it. Apache only, where
# there was apxs to build the module with. How the module's variables get to est.fcgi is looked at behind mod_fcgid and
# mod_cgid, what est.fcgi and est-client make of them behind mod_fcgid alone.

load instance
load hostile

MODULE=$EST_BUILD/etc/apache/mod_est.so

# The usual port has a module that exports channel bindings; of the others one resumes sessions and lets expired
# certificates through, and one lacks the module's help.
apache_more() {
	cat <<-END
		LoadModule est_module $E2E/bin/mod_est.so
		SSLSessionCacheTimeout 300
		ESTChannelBinding On
		$(site "$RESUMING" 'SSLSessionTickets on
		ESTAcceptExpired On')
		$(site "$UNAIDED" 'SSLSessionTickets off
		ESTChannelBinding Off')
	END
}

site() { # PORT DIRECTIVES
	cat <<-END
		Listen 127.0.0.1:$1
		<VirtualHost 127.0.0.1:$1>
		  SSLEngine on
		  SSLCertificateFile $E2E/est/server.pem
		  SSLCertificateKeyFile $E2E/est/server.key
		  SSLProtocol -all +TLSv1.2 +TLSv1.3
		  SSLCACertificateFile $E2E/client-cas.pem
		  SSLVerifyClient optional_no_ca
		  SSLVerifyDepth 5
		  SSLOptions +StdEnvVars +ExportCertData
		  $2
		</VirtualHost>
	END
}

instance_config() {
	local either='"basic", "certificate"'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; } );
		profile = ( { name = "device"; }, { name = "brief"; validity = "60s"; backdate = "0s"; } );
		label = (
		$(label '' devices device "$either"),
		$(label must devices device "$either" 'pop_required = true;'),
		$(label ignore devices device "$either" 'challenge = "ignore";'),
		$(label grace devices brief "$either" 'grace = "1h";'),
		$(label strict devices brief "$either"),
		$(label wait devices device "$either" 'pop_required = true; approval = [ "simpleenroll" ]; approval_retry = "1s";') );
	END
}

instance_files() { cp "$MODULE" "$E2E/bin/"; }

setup_file() {
	[ -e "$MODULE" ] || skip 'no mod_est.so: configure found no apxs or no mod_ssl_openssl.h'
	[ "$SERVER" != lighttpd ] || skip 'the module is for Apache'
	command -v python3 >/dev/null || skip 'no python3'
	RESUMING=$(free_port) UNAIDED=$(free_port)
	export RESUMING UNAIDED PASSWORD MAKE_CSR
	instance_start
	expiring grace
	expiring strict
}

# A directory of est-client, $E2E/LABEL, with a certificate that has a few seconds left of its minute. The CA is no
# minute older, so it cannot be over from the start.
expiring() { # LABEL
	echo "$PASSWORD" >"$E2E/password"
	est_client enroll --url "$URL" --label "$1" --name "$1.example" --user any --password-file "$E2E/password" \
		--trust "$TRUST" -d "$E2E/$1"
	(
		cd "$E2E/$1" || exit
		key P-256 device.key
		csr device.key "/CN=$1.example" | b64 >other.b64
		at_time -55s
		cgi_post "$1/simpleenroll" other.b64 "$(basic)"
		certificate device.pem
	)
}

teardown_file() {
	if [ -n "${E2E-}" ]; then instance_stop; fi
}

# For what does not depend on how the variables travel.
once() { [ "$SERVER" = fcgid ] || skip 'once is enough'; }

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	echo "$PASSWORD" >password
	key P-256 dev.key
}

# Another program's linked request; CODE is the answer's status, CONNECTION closed or kept, ./body its body.
pop() { # [OPTION of pop.py...] OPERATION NAME
	# shellcheck disable=SC2153 # of instance.bash
	local port=$PORT
	if [[ " $* " == *' --resume '* ]]; then port=$RESUMING; fi
	python3 "$EST_SOURCE/tests/e2e/pop.py" "${@:1:$#-2}" "${POP_PORT:-$port}" "${@: -2:1}" dev.key "${@: -1}" >answer || fail "$(cat answer)"
	read -r CODE CONNECTION <answer
	sed 1d answer >body
}

client() { # VERB DIR [OPTION...]
	est_client "$1" --url "$URL" --trust "$TRUST" --user any --password-file password -d "$2" --name "$2.example" "${@:3}"
}

@test "P-04 TLS 1.2: an independent client's request with tls-unique is issued" {
	pop simpleenroll pop-1.example
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	certificate pop-1.pem
	assert_equal "$(spki pop-1.pem)" "$(openssl pkey -in dev.key -pubout)"
}

@test "P-05 TLS 1.3: an independent client's request with tls-exporter is issued" {
	pop --tls13 simpleenroll pop-2.example
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	certificate pop-2.pem
}

@test "P-08 a label that wants linked requests takes them, from both versions of TLS, and no other" {
	once
	pop must/simpleenroll pop-3.example
	assert_equal "$CODE" 200
	pop --tls13 must/simpleenroll pop-3.example
	assert_equal "$CODE" 200
	pop --as none must/simpleenroll pop-3.example
	assert_equal "$CODE" 403
	assert_regex "$(cat body)" '^badCSR:pop-required: '
	pop --as none simpleenroll pop-3.example
	assert_equal "$CODE" 200
}

@test "P-01 a request that is bound to another session is 403, in both versions of TLS" {
	local version
	for version in '' --tls13; do
		# shellcheck disable=SC2086 # none, or one
		pop $version --as other simpleenroll pop-4.example
		assert_equal "$CODE" 403
		assert_regex "$(cat body)" '^badCSR:pop-linking: '
		# shellcheck disable=SC2086
		pop $version --as other must/simpleenroll pop-4.example
		assert_equal "$CODE" 403
	done
	assert_equal "$(est_admin --json cert list --limit 1000 | grep -c pop-4.example)" 0
}

@test "P-04 a resumed session has the server's Finished; both sides agree, in both versions of TLS" {
	pop --resume must/simpleenroll pop-5.example
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	pop --resume --tls13 must/simpleenroll pop-5.example
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	pop --resume --as other must/simpleenroll pop-5.example
	assert_equal "$CODE" 403
}

@test "P-04 without the extended master secret a session of TLS 1.2 has no channel binding" {
	pop --no-ems simpleenroll pop-12.example
	assert_equal "$CODE" 403
	assert_regex "$(cat body)" '^badCSR:pop-linking: '
	pop --no-ems --as none simpleenroll pop-12.example
	assert_equal "$CODE" 200
}

@test "P-07 white space in and behind the value does not matter" {
	once
	local form
	for form in newline blanks; do
		pop --as $form must/simpleenroll pop-6.example
		assert_equal "$form $CODE: $(cat body)" "$form 200: $(cat body)"
		pop --tls13 --as $form must/simpleenroll pop-6.example
		assert_equal "$form $CODE: $(cat body)" "$form 200: $(cat body)"
	done
}

@test "P-07 a prefix, an octet more, another encoding or nothing is not the value" {
	once
	local form version
	for version in '' --tls13; do
		for form in prefix more raw; do
			# shellcheck disable=SC2086 # none, or one
			pop $version --as $form simpleenroll pop-7.example
			assert_equal "$form $CODE" "$form 403"
		done
		# No text at all is not even an attribute of this kind.
		# shellcheck disable=SC2086
		pop $version --as empty simpleenroll pop-7.example
		assert_equal "$CODE" 400
	done
	assert_equal "$(est_admin --json cert list --limit 1000 | grep -c pop-7.example)" 0
}

@test "P-09 estIdentityLinking is the same, each attribute for itself" {
	once
	pop --attribute i must/simpleenroll pop-8.example
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	pop --attribute i --tls13 must/simpleenroll pop-8.example
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	pop --attribute i --as other simpleenroll pop-8.example
	assert_equal "$CODE" 403
	run -0 client enroll d --link --label must
	run -0 client enroll f --bind --link --label must
	# One right, one wrong.
	run -4 client enroll e --link --challenge-file password
	assert_output --partial badCSR:pop-linking
}

@test "P-02 without the module's variables a bound request is refused, never waved through" {
	POP_PORT=$UNAIDED pop simpleenroll pop-9.example
	assert_equal "$CODE" 403
	assert_regex "$(cat body)" '^badCSR:pop-linking: '
	POP_PORT=$UNAIDED pop --tls13 simpleenroll pop-9.example
	assert_equal "$CODE" 403
	POP_PORT=$UNAIDED pop --as none simpleenroll pop-9.example
	assert_equal "$CODE" 200
	POP_PORT=$UNAIDED pop ignore/simpleenroll pop-9.example
	assert_equal "$CODE" 200
}

@test "T-21 what the client sends as header fields is no channel binding" {
	local csr value=AAAAAAAAAAAAAAAA
	csr=$("$MAKE_CSR" -k dev.key -n pop-10.example -c $value | openssl base64)
	echo "$csr" >csr.b64
	for field in TLS_UNIQUE TLS-UNIQUE TLS_EXPORTER TLS-EXPORTER HTTP_TLS_UNIQUE; do
		post simpleenroll csr.b64 -u "any:$PASSWORD" -H "$field: $value" --tls-max 1.2
		assert_equal "$field $CODE" "$field 403"
		post simpleenroll csr.b64 -u "any:$PASSWORD" -H "$field: $value"
		assert_equal "$field $CODE" "$field 403"
	done
}

@test "P-12 a client cannot renegotiate" {
	once
	# openssl s_client says what it begins, and then that the server did not go along.
	run timeout 10 openssl s_client -connect "127.0.0.1:$PORT" -tls1_2 -CAfile "$TRUST" < <(printf 'R\n'; sleep 2)
	assert_output --partial 'Secure Renegotiation IS supported'
	assert_output --regexp 'RENEGOTIATING.*no renegotiation'
}

@test "P-06 the channel binding of TLS 1.3 is good for one authentication: the connection ends; that of TLS 1.2 does not" {
	pop --tls13 must/simpleenroll pop-11.example
	assert_equal "$CODE $CONNECTION" '200 closed'
	pop must/simpleenroll pop-11.example
	assert_equal "$CODE $CONNECTION" '200 kept'
	pop --tls13 --as none simpleenroll pop-11.example
	assert_equal "$CODE $CONNECTION" '200 kept'
}

@test "est-client binds its request, by TLS 1.2 and by TLS 1.3, and renews so" {
	once
	local version
	for version in 1.2 1.3; do
		run -0 client enroll "pop-$version" --bind --label must --tls-max $version
		run -0 openssl req -in "pop-$version/device.csr" -noout -text
		assert_output --partial challengePassword
		assert_equal "$(stat -c %a "pop-$version/device.csr")" 600
		run -0 est_client renew -d "pop-$version" --bind --tls-max $version
		run -4 est_client renew -d "pop-$version" --tls-max $version
		assert_output --partial badCSR:pop-required
		run -0 est_client renew -d "pop-$version" --link --tls-max $version
		run -0 est_client --json renew -d "pop-$version" --bind --keep-key --tls-max $version
		assert_equal "$(jq -r .renewed <<<"$output")" true
	done
}

@test "P-13 est-client links each poll anew, with the same key, until it is approved" {
	once
	local id
	run -5 client enroll d --bind --label wait --wait 2s
	assert_equal "$(est_admin --json request list | wc -l)" 1
	id=$(est_admin --json request list | jq -r .id)
	run -5 client enroll d --bind --label wait --wait 1s
	assert_equal "$(est_admin --json request list | jq -r .id)" "$id"
	est_admin request approve "$id"
	run -0 client enroll d --bind --label wait --wait 10s
	run -0 openssl x509 -in d/device.pem -noout -subject
	assert_not_exist d/pending.key
}

@test "est-client follows CSR attributes: it binds where the label demands it" {
	once
	run -0 est_client csrattrs --url "$URL" --label must --trust "$TRUST" -d d
	assert_output --partial challengePassword
	run -0 est_client --json csrattrs --url "$URL" --label must -d d
	assert_equal "$(jq -r '.attributes[] | select(.oid == "1.2.840.113549.1.9.7") | .name' <<<"$output")" challengePassword
	run -4 client enroll e --label must
	run -0 client enroll e --label must --attributes
}

@test "est-client: --bind and --challenge-file contradict each other; a secret in challengePassword is no binding" {
	once
	run -2 client enroll d --bind --challenge-file password
	run -4 client enroll d --challenge-file password
	assert_output --partial badCSR:pop-linking
}

@test "mod_est lets expired certificates through, and no others that Apache refuses" {
	once
	key P-256 other.key
	openssl req -new -key other.key -subj /CN=factory-2.example |
		openssl x509 -req -CA "$E2E/keys/maker.pem" -CAkey "$E2E/keys/maker.key" -days 20 \
			-extfile <(echo 'extendedKeyUsage=serverAuth') -out other.pem 2>/dev/null
	for port in "$PORT" "$RESUMING"; do
		URL=${URL/$PORT/$port} http cacerts --cert other.pem --key other.key
		assert_regex "$CODE" '^curl exit'
		URL=${URL/$PORT/$port} http cacerts --cert "$E2E/keys/idevid.pem" --key "$E2E/keys/idevid.key"
		assert_equal "$CODE" 200
	done
}

@test "T-10 an expired certificate: Apache lets none through, the module does, and the label's grace decides" {
	local end label
	end=$(date -d "$(openssl x509 -in "$E2E/strict/device.pem" -noout -enddate | sed 's/.*=//')" +%s)
	while [ "$(date +%s)" -le "$end" ]; do sleep 1; done
	# The usual port refuses in TLS.
	run -4 est_client renew -d "$E2E/grace"
	assert_output --partial 'certificate'
	for label in grace strict; do
		sed -i "s/$PORT/$RESUMING/" "$E2E/$label/device.json"
	done
	run -4 est_client renew -d "$E2E/strict"
	assert_output --partial expired
	run -0 est_client renew -d "$E2E/grace"
	run -0 openssl x509 -in "$E2E/grace/device.pem" -noout -checkend 0
	# To renew, and for nothing else: simpleenroll is no renewal.
	cp "$E2E/strict/device.pem" "$E2E/strict/device.key" .
	csr dev.key /CN=strict.example | b64 >csr.b64
	URL=${URL/$PORT/$RESUMING} post grace/simpleenroll csr.b64 --cert device.pem --key device.key
	assert_refused 403 '^auth:certificate-expired: '
}
