#!/usr/bin/env bats
# srp.bats - TLS-SRP (T-17, RFC 7030 3.3.3, RFC 5054) behind Apache with mod_fcgid: verifiers by est-admin, devices by curl
# and est-client, with a server that has an RSA certificate and with one that shows none. Apache only.

load instance

# Of the ports beside the usual one, BARE has suites without a certificate and nothing else, CERTIFIED an RSA
# certificate with SRP or without, and MIXED all suites of TLS 1.2 and 1.3. SAMPLE is what is installed.
apache_more() {
	cat <<-END
		$(site "$BARE" 'SSLProtocol -all +TLSv1.2
		SSLCipherSuite SRP-AES-256-CBC-SHA:SRP-AES-128-CBC-SHA')
		$(site "$CERTIFIED" 'SSLProtocol -all +TLSv1.2
		SSLCipherSuite SRP-RSA-AES-256-CBC-SHA:SRP-RSA-AES-128-CBC-SHA:HIGH:!aSRP')
		$(sample)
		$(site "$MIXED" 'SSLProtocol -all +TLSv1.2 +TLSv1.3
		SSLCipherSuite HIGH:SRP')
	END
}

# The sample that is installed, with our places in it.
sample() {
	sed -e '/^#/d' -e "s|8443|$SAMPLE|" -e "s|\*:|127.0.0.1:|" -e "s|^Listen |&127.0.0.1:|" -e "s|/etc/est/server|$E2E/keys/rsa|" \
		-e "s|/etc/est/srp.verifiers|$E2E/verifiers|" -e "s|/etc/est/est.conf|$EST_CONFIG|" \
		-e "s|/usr/libexec/est|$E2E/bin|" "$EST_SOURCE/etc/apache-srp.conf"
}

site() { # PORT DIRECTIVES
	cat <<-END
		Listen 127.0.0.1:$1
		<VirtualHost 127.0.0.1:$1>
		  SSLEngine on
		  SSLCertificateFile $E2E/keys/rsa.pem
		  SSLCertificateKeyFile $E2E/keys/rsa.key
		  SSLSRPVerifierFile $E2E/verifiers
		  SSLSRPUnknownUserSeed c2f4a1d0
		  SSLSessionTickets off
		  SSLOptions +StdEnvVars
		  $2
		</VirtualHost>
	END
}

instance_config() {
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; } );
		profile = ( { name = "device"; } );
		label = (
		$(label '' devices device '"basic", "certificate"'),
		$(label srp devices device '"srp"'),
		$(label strangers devices device '"srp"' 'external_names = [ "{user}" ];'),
		$(label other devices device '"srp"'),
		$(label both devices device '"srp-and-basic"'),
		$(label either devices device '"srp", "basic"'),
		$(label renewed devices device '"srp", "certificate"') );
	END
}

srp_user() { # NAME PASSWORD PATTERN [OPTION...]
	printf '%s\n' "$2" >"$E2E/password"
	est_admin srp add "$1" --names "$3" --password-file "$E2E/password" --file "$E2E/verifiers" "${@:4}"
	rm "$E2E/password"
}

instance_users() {
	srp_user pump CANARY-srp-1 'pump-*.example'
	srp_user 'Püümp 2' 'CANARY:ü€' 'pump-*.example'
	srp_user auditor CANARY-srp-1 '*' --role audit
	srp_user limited CANARY-srp-1 '*' --label other
	# Somebody else's users, one without a role, none of whom the store knows.
	openssl srp -srpvfile "$E2E/verifiers" -add -gn 3072 -passout pass:CANARY-srp-1 stranger.example
	openssl srp -srpvfile "$E2E/verifiers" -add -gn 4096 -passout pass:CANARY-srp-1 -userinfo shop=7,role=enroll enrolled.example
	openssl srp -srpvfile "$E2E/verifiers" -add -gn 2048 -passout pass:CANARY-srp-1 -userinfo role=device device.example
	key RSA-2048 "$E2E/keys/rsa.key"
	openssl req -new -key "$E2E/keys/rsa.key" -subj /CN=localhost |
		openssl x509 -req -CA "$E2E/est/root.pem" -CAkey "$E2E/est/root.key" -days 20 -extfile <(
			echo 'subjectAltName=DNS:localhost,IP:127.0.0.1'
			echo 'extendedKeyUsage=serverAuth'
		) -out "$E2E/keys/rsa.pem" 2>/dev/null
}

setup_file() {
	[ "$SERVER" = fcgid ] || skip 'SRP is for Apache'
	BARE=$(free_port) CERTIFIED=$(free_port) MIXED=$(free_port) SAMPLE=$(free_port)
	export BARE CERTIFIED MIXED SAMPLE PASSWORD
	instance_start
}

teardown_file() {
	if [ -n "${E2E-}" ]; then instance_stop; fi
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	key P-256 dev.key
	csr dev.key /CN=pump-1.example | b64 >pump-1.b64
	echo CANARY-srp-1 >password
}

at() { # PORT
	echo "${URL/$PORT/$1}"
}

# A request by TLS-SRP, and with -k for a server without a certificate.
srp() { # PORT PATH FILE USER PASSWORD [OPTION of curl...]
	URL=$(at "$1") post "$2" "$3" --tlsuser "$4" --tlspassword "$5" --tls-max 1.2 --ciphers SRP "${@:6}"
}

client() { # PORT VERB DIR [OPTION...]
	est_client "$2" --url "https://localhost:$1" -d "$3" --srp-user pump --srp-password-file password "${@:4}"
}

# --- est-admin ---

@test "est-admin srp: openssl reads what it writes, the list has who may what, and the file is for few eyes" {
	run -0 openssl srp -srpvfile "$E2E/verifiers" -list
	assert_output --partial '3 = "pump"'
	assert_output --partial '5 = "role=audit"'
	assert_equal "$(stat -c %a "$E2E/verifiers")" 644 # openssl's own, who wrote last
	run -0 est_admin --json srp list --file "$E2E/verifiers"
	assert_equal "$(jq -r 'select(.name == "pump") | .group, .information, .revoked, .names[]' <<<"$output")" \
		$'3072\nrole=enroll\nfalse\npump-*.example'
	assert_equal "$(jq -c 'select(.name == "limited") | .labels' <<<"$output")" '["other"]'
	assert_equal "$(jq -c 'select(.name == "stranger.example") | .names, .information' <<<"$output")" $'null\n""'
	run -0 est_admin srp list --file "$E2E/verifiers"
	assert_line --regexp '^stranger.example .*\(no record\)$'
}

@test "est-admin srp: accounts have an end and uses, which the list shows" {
	local serial by=(SSL_SRP_USER=y SSL_SRP_USERINFO=role=enroll SSL_CIPHER=SRP-AES-256-CBC-SHA SSL_SESSION_RESUMED=Initial)
	cp "$E2E/verifiers" verifiers
	run -2 est_admin srp add y --names y --file verifiers --password-file password --expires soon
	run -2 est_admin srp add y --names y --file verifiers --password-file password --uses many
	run -2 est_admin srp add y --names y --file verifiers --password-file password --uses 4294967296
	# A verifier is not replaced either by what is refused.
	run -2 est_admin srp add pump --names x --file verifiers --password-file password --expires soon --replace
	run -3 est_admin srp add pump --names x --label none --file verifiers --password-file password --replace
	assert_equal "$(cat verifiers)" "$(cat "$E2E/verifiers")"
	run -0 est_admin srp add y --names 'pump-*.example' --file verifiers --password-file password --expires 1h --uses 1
	run -0 est_admin --json srp list --file verifiers
	assert_equal "$(jq -c 'select(.name == "y") | .state, .uses, .uses_most' <<<"$output")" $'"active"\n0\n1'
	assert [ "$(date -d "$(jq -r 'select(.name == "y") | .expires_at' <<<"$output")" +%s)" -le "$(($(date +%s) + 3600))" ]
	assert_equal "$(jq -c 'select(.name == "pump") | .state, .expires_at, .uses_most' <<<"$output")" $'"active"\nnull\nnull'
	assert_equal "$(jq -c 'select(.name == "stranger.example") | has("state")' <<<"$output")" false
	run -0 est_admin srp list --file verifiers
	assert_line --regexp '^USER +GROUP +STATE +EXPIRES +USES +INFORMATION +NAMES$'
	assert_line --regexp '^y +3072 +active +20[^ ]+Z +0/1 +role=enroll +pump-\*\.example$'
	assert_line --regexp '^stranger\.example +3072 +- +- +- +- +stranger\.example \(no record\)$'
	# They count.
	cgi_post srp/simpleenroll pump-1.b64 "${by[@]}"
	assert_issued dev.key
	serial=$(serial issued.pem)
	key P-256 dev.key
	csr dev.key /CN=pump-1.example | b64 >again.b64
	cgi_post srp/simpleenroll again.b64 "${by[@]}"
	# A password over HTTP would not help here, so none is asked for.
	assert_refused 403 '^auth:spent: '
	assert_regex "$(tail -n 1 "$LOG")" auth:spent
	cgi_post srp/simpleenroll pump-1.b64 "${by[@]}"
	assert_equal "$CODE" 200
	certificate again.pem
	assert_equal "$(serial again.pem)" "$serial"
	assert_equal "$(est_admin --json srp list --file verifiers | jq -r 'select(.name == "y") | .state, .uses')" $'spent\n1'
	est_admin srp add y --names y --file verifiers --password-file password --expires 1s --replace
	sleep 1.1
	assert_equal "$(est_admin --json srp list --file verifiers | jq -r 'select(.name == "y") | .state')" expired
	est_admin srp delete y --file verifiers
}

@test "est-admin srp: add, replace, delete" {
	cp "$E2E/verifiers" verifiers
	chmod 0777 .
	echo CANARY-srp-2 >second
	run -2 est_admin srp add x --names x --password-file password
	assert_output --partial '--file is missing'
	run -2 est_admin srp add x --file verifiers --password-file password
	run -1 est_admin srp add a:b --names x --file verifiers --password-file password
	assert_output --partial colon
	run -1 est_admin srp add pump --names x --file verifiers --password-file second
	assert_output --partial 'already'
	assert_equal "$(cat verifiers)" "$(cat "$E2E/verifiers")"
	# A label that there is none of: nothing of the user stays.
	run -3 est_admin srp add x --names x --label none --file verifiers --password-file second
	assert_equal "$(cat verifiers)" "$(cat "$E2E/verifiers")"
	run -0 est_admin --json srp add x --names 'x-*' --file verifiers --password-file second --group 4096
	assert_output --partial 'restarted'
	assert_equal "$(stat -c %a verifiers)" 640
	grep -qP '\tx\t4096\trole=enroll$' verifiers
	before=$(grep -P '\tx\t' verifiers)
	run -0 est_admin srp add x --names 'y-*' --file verifiers --password-file second --replace
	[ "$(grep -P '\tx\t' verifiers)" != "$before" ]
	assert_equal "$(est_admin --json srp list --file verifiers | jq -r 'select(.name == "x") | .names[]')" 'y-*'
	run -0 est_admin srp delete x --file verifiers
	assert_equal "$(cat verifiers)" "$(cat "$E2E/verifiers")"
	run -3 est_admin srp delete x --file verifiers
	# The record alone goes as well.
	est_admin srp add x --names x --file verifiers --password-file second
	run -0 est_admin srp delete x --file other
	run -0 est_admin --json srp list --file verifiers
	assert_equal "$(jq -c 'select(.name == "x") | .names' <<<"$output")" null
	run -0 est_admin user list
	refute_output --partial srp:
	if grep -r CANARY-srp "$E2E/log" "$E2E/est/est.log" verifiers; then fail 'a password is in a file'; fi
}

# --- the exchange ---

@test "T-17 the right password: a certificate, from a server without one and from one with one" {
	srp "$BARE" srp/simpleenroll pump-1.b64 pump CANARY-srp-1 -k
	assert_issued dev.key
	serial=$(serial issued.pem)
	assert_equal "$(est_admin --json cert show "$serial" | jq -r .identity)" srp:pump
	key P-256 dev2.key
	csr dev2.key /CN=pump-2.example | b64 >pump-2.b64
	srp "$CERTIFIED" srp/simpleenroll pump-2.b64 pump CANARY-srp-1
	assert_issued dev2.key
	srp "$MIXED" either/simpleenroll pump-2.b64 pump CANARY-srp-1
	assert_issued dev2.key
}

@test "etc/apache-srp.conf serves users of TLS-SRP, with a certificate and without, and nobody else" {
	srp "$SAMPLE" srp/simpleenroll pump-1.b64 pump CANARY-srp-1 -k
	assert_issued dev.key
	run -0 client "$SAMPLE" enroll d --label srp --name pump-3.example
	run -0 client "$SAMPLE" enroll e --label srp --name pump-4.example --trust "$TRUST"
	run -35 curl -sS -k --max-time 20 "$(at "$SAMPLE")/cacerts"
	run -35 curl -sS -k --max-time 20 --tls-max 1.2 "$(at "$SAMPLE")/cacerts"
}

@test "T-17 names and passwords are UTF-8" {
	srp "$BARE" srp/simpleenroll pump-1.b64 'Püümp 2' 'CANARY:ü€' -k
	assert_issued dev.key
	assert_equal "$(est_admin --json cert show "$(serial issued.pem)" | jq -r .identity)" 'srp:Püümp 2'
}

@test "T-17 a wrong password or an unknown user: no TLS connection, and no telling which" {
	local port
	for port in "$BARE" "$CERTIFIED"; do
		run -35 curl -sS -k --max-time 20 --tls-max 1.2 --ciphers SRP --tlsuser pump --tlspassword wrong "$(at "$port")/cacerts"
		wrong=$output
		run -35 curl -sS -k --max-time 20 --tls-max 1.2 --ciphers SRP --tlsuser nobody --tlspassword wrong "$(at "$port")/cacerts"
		assert_equal "$output" "$wrong"
		run -35 curl -sS -k --max-time 20 --tls-max 1.2 --ciphers SRP --tlsuser pump --tlspassword '' "$(at "$port")/cacerts"
	done
	refute grep -q nobody "$LOG"
}

@test "T-17 nobody gets on to a port of SRP alone without it" {
	run -35 curl -sS -k --max-time 20 --tls-max 1.2 "$(at "$BARE")/cacerts"
	run -35 curl -sS -k --max-time 20 "$(at "$BARE")/cacerts"
}

@test "T-17 TLS 1.3, or TLS 1.2 with another suite, authenticates nobody, whatever user the client has in mind" {
	local port
	# Offered with TLS 1.3, SRP is passed over in silence.
	URL=$(at "$MIXED") post srp/simpleenroll pump-1.b64 --tlsuser pump --tlspassword CANARY-srp-1 --tlsv1.3 --ciphers HIGH:SRP
	assert_refused 403 '^auth:srp: '
	for port in "$PORT" "$CERTIFIED" "$MIXED"; do
		URL=$(at "$port") post srp/simpleenroll pump-1.b64 --tls-max 1.2
		assert_refused 403 '^auth:srp: '
	done
	URL=$(at "$PORT") post srp/simpleenroll pump-1.b64
	assert_refused 403 '^auth:srp: '
	# Where a password would do as well, it is asked for.
	URL=$(at "$PORT") post either/simpleenroll pump-1.b64
	assert_equal "$CODE" 401
}

@test "T-17 the variable counts with a cipher suite of SRP only" {
	local resumed suite=SSL_CIPHER=SRP-AES-256-CBC-SHA
	cgi_post srp/simpleenroll pump-1.b64 SSL_SRP_USER=pump SSL_SRP_USERINFO=role=enroll "$suite" SSL_SESSION_RESUMED=Initial
	assert_issued dev.key
	# In a resumed session the user is who the client says.
	for resumed in SSL_SESSION_RESUMED=Resumed SSL_SESSION_RESUMED=initial X=; do
		cgi_post srp/simpleenroll pump-1.b64 SSL_SRP_USER=pump SSL_SRP_USERINFO=role=enroll "$suite" "$resumed"
		assert_refused 403 '^auth:srp: '
	done
	for cipher in SSL_CIPHER=TLS_AES_256_GCM_SHA384 SSL_CIPHER=ECDHE-RSA-AES256-GCM-SHA384 SSL_CIPHER= SSL_CIPHER=XSRP-A X=; do
		cgi_post srp/simpleenroll pump-1.b64 SSL_SRP_USER=pump SSL_SRP_USERINFO=role=enroll "$cipher" SSL_SESSION_RESUMED=Initial
		assert_refused 403 '^auth:srp: '
	done
	cgi_post srp/simpleenroll pump-1.b64 SSL_SRP_USER= "$suite" SSL_SESSION_RESUMED=Initial
	assert_equal "$CODE" 403
}

@test "T-17 a role in any spelling but that of enroll is refused" {
	local role by=(SSL_SRP_USER=pump SSL_CIPHER=SRP-AES-256-CBC-SHA SSL_SESSION_RESUMED=Initial)
	for role in ROLE=audit Role=audit 'shop=7, role=audit' role:audit role=ENROLL ' role=enroll' 'shop=7;role=enroll' role; do
		cgi_post srp/simpleenroll pump-1.b64 "${by[@]}" "SSL_SRP_USERINFO=$role"
		assert_refused 403 '^auth:role: '
	done
	for role in ROLE=enroll shop=7 shop=7,role=enroll ''; do
		cgi_post srp/simpleenroll pump-1.b64 "${by[@]}" "SSL_SRP_USERINFO=$role"
		assert_issued dev.key
	done
}

@test "T-17 the role: enroll, or none at all; any other is refused" {
	local user
	srp "$BARE" srp/simpleenroll pump-1.b64 auditor CANARY-srp-1 -k
	assert_refused 403 '^auth:role: '
	srp "$BARE" srp/simpleenroll pump-1.b64 device.example CANARY-srp-1 -k
	assert_refused 403 '^auth:role: '
	for user in stranger enrolled; do
		csr dev.key "/CN=$user.example" | b64 >"$user.b64"
		srp "$BARE" strangers/simpleenroll "$user.b64" "$user.example" CANARY-srp-1 -k
		assert_issued dev.key
		srp "$BARE" srp/simpleenroll "$user.b64" "$user.example" CANARY-srp-1 -k
		assert_refused 403 '^auth:name: '
	done
}

@test "T-17 names: those of the record; a user without one has those of the label alone; labels are kept" {
	csr dev.key /CN=valve-1.example | b64 >valve-1.b64
	csr dev.key /CN=pump-1.example DNS:valve-1.example | b64 >two.b64
	csr dev.key /CN=stranger.example | b64 >stranger.b64
	srp "$BARE" srp/simpleenroll valve-1.b64 pump CANARY-srp-1 -k
	assert_refused 403 '^auth:name: '
	srp "$BARE" srp/simpleenroll two.b64 pump CANARY-srp-1 -k
	assert_refused 403 '^auth:name: '
	srp "$BARE" strangers/simpleenroll pump-1.b64 stranger.example CANARY-srp-1 -k
	assert_refused 403 '^auth:name: '
	srp "$BARE" strangers/simpleenroll stranger.b64 enrolled.example CANARY-srp-1 -k
	assert_refused 403 '^auth:name: '
	srp "$BARE" srp/simpleenroll valve-1.b64 limited CANARY-srp-1 -k
	assert_refused 403 '^auth:srp: '
	srp "$BARE" other/simpleenroll valve-1.b64 limited CANARY-srp-1 -k
	assert_issued dev.key
}

@test "T-17 srp-and-basic wants both; and SRP is nothing to a label that does not name it" {
	srp "$BARE" both/simpleenroll pump-1.b64 pump CANARY-srp-1 -k
	assert_equal "$CODE" 401
	srp "$BARE" both/simpleenroll pump-1.b64 pump CANARY-srp-1 -k -u "pump:wrong"
	assert_refused 401 '^auth:password: '
	post both/simpleenroll pump-1.b64 -u "pump:$PASSWORD"
	assert_equal "$CODE" 403
	srp "$BARE" both/simpleenroll pump-1.b64 pump CANARY-srp-1 -k -u "pump:$PASSWORD"
	assert_issued dev.key
	srp "$BARE" simpleenroll pump-1.b64 pump CANARY-srp-1 -k
	assert_equal "$CODE" 401
}

@test "T-17 the record of an SRP user is no account for a password" {
	for user in pump srp:pump; do
		post either/simpleenroll pump-1.b64 -u "$user:CANARY-srp-1"
		assert_refused 401
		post either/simpleenroll pump-1.b64 -u "$user:*"
		assert_refused 401
	done
}

@test "F1 header fields are no TLS-SRP" {
	local field port
	for port in "$PORT" "$MIXED"; do
		for field in SSL-SRP-USER SSL_SRP_USER X-SSL-SRP-USER HTTP_SSL_SRP_USER; do
			URL=$(at "$port") post srp/simpleenroll pump-1.b64 -H "$field: pump" -H "${field}INFO: role=enroll" -H 'SSL-CIPHER: SRP-AES-256-CBC-SHA' \
				-H 'SSL_CIPHER: SRP-AES-256-CBC-SHA'
			assert_equal "$field $CODE" "$field 403"
			assert_refused 403 '^auth:srp: '
		done
	done
	# Nor do they make one into another.
	csr dev.key /CN=valve-1.example | b64 >valve-1.b64
	srp "$BARE" other/simpleenroll valve-1.b64 pump CANARY-srp-1 -k -H 'SSL-SRP-USER: limited' -H 'SSL_SRP_USER: limited'
	assert_refused 403 '^auth:name: '
	srp "$BARE" srp/simpleenroll pump-1.b64 auditor CANARY-srp-1 -k -H 'SSL-SRP-USERINFO: role=enroll' -H 'SSL_SRP_USERINFO: role=enroll'
	assert_refused 403 '^auth:role: '
}

# --- est-client ---

@test "est-client: by the password alone, from a server without a certificate, and trusts what that server says" {
	run -0 client "$BARE" cacerts c
	run -0 client "$BARE" enroll d --label renewed --name pump-3.example
	run -0 openssl verify -CAfile "$TRUST" -untrusted "$E2E/est/devices.pem" d/device.pem
	assert_equal "$(grep -c BEGIN d/trust.pem)" 1
	run -0 diff <(openssl x509 -in d/trust.pem) <(openssl x509 -in "$E2E/est/root.pem")
	# Its certificate then renews without SRP, at a server that has one; and it can enroll anew.
	run -0 client "$BARE" enroll d --label renewed --name pump-3.example
	sed -i "s/$BARE/$PORT/" d/device.json
	run -0 est_client renew -d d
	if grep -r CANARY-srp d; then fail 'the password is in the directory'; fi
}

@test "est-client: with --trust or --fingerprint the server has to have a certificate as well" {
	fingerprint=$(openssl x509 -in "$E2E/est/root.pem" -outform DER | sha256sum | cut -d' ' -f1)
	run -0 client "$CERTIFIED" enroll d --label srp --name pump-4.example --trust "$TRUST"
	run -0 client "$CERTIFIED" enroll e --label srp --name pump-5.example --fingerprint "$fingerprint"
	run -0 client "$CERTIFIED" enroll f --label srp --name pump-6.example
	run -0 client "$MIXED" enroll g --label both --name pump-7.example --trust "$TRUST" --user pump --password-file <(echo "$PASSWORD")
	run -1 client "$BARE" enroll h --label srp --name pump-8.example --trust "$TRUST"
	run -1 client "$CERTIFIED" enroll h --label srp --name pump-8.example --trust "$E2E/keys/maker.pem"
	run -1 client "$CERTIFIED" enroll i --label srp --name pump-8.example --fingerprint "${fingerprint//[0-9]/a}"
	assert_not_exist h/device.pem
}

@test "est-client: a wrong password, an unknown user, a server without SRP" {
	echo wrong >password
	run -4 client "$BARE" enroll d --label srp --name pump-9.example
	assert_output --partial 'TLS-SRP fails'
	run -4 client "$CERTIFIED" enroll d --label srp --name pump-9.example
	run -4 est_client enroll --url "$(at "$BARE")" -d d --srp-user nobody --srp-password-file password --name pump-9.example
	echo CANARY-srp-1 >password
	# The password goes to nobody who does not know it: such a server gets no connection at all.
	run -1 client "$PORT" enroll d --name pump-9.example --user pump --password-file <(echo "$PASSWORD")
	assert_not_exist d/device.pem
	run -4 client "$BARE" enroll d --label srp --name valve-9.example
	assert_output --partial auth:name
}

@test "est-client: options that contradict TLS-SRP" {
	run -2 client "$BARE" enroll d --name pump-9.example --tls-max 1.3
	run -2 client "$BARE" enroll d --name pump-9.example --cert "$E2E/keys/device.pem" --cert-key "$E2E/keys/device.key"
	run -2 est_client enroll --url "$(at "$BARE")" -d d --name pump-9.example --srp-password-file password
	run -0 client "$BARE" enroll d --label srp --name pump-9.example --tls-max 1.2
}

@test "est-client: a request that is bound to a session of TLS-SRP is not waved through where the server cannot know" {
	run -4 client "$BARE" enroll d --label srp --name pump-9.example --bind
	assert_output --partial pop-linking
}
