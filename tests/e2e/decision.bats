#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# decision.bats - who is believed and what they may, where somebody tries to get round it: F1, F5, F9, F10 and F23 of
# security-cases.md as far as boundary.bats, ra.bats, cmc.bats and sandbox.bats do not show them.

load instance

TYPE='application/pkcs7-mime; smime-type=CMC-request'
PKI_DATA=1.3.6.1.5.5.7.12.2 CMC_RA=1.3.6.1.5.5.7.3.28

instance_config() {
	local from='certificates_from = [ "registrars" ];' all='operations = [ "simpleenroll", "simplereenroll", "serverkeygen", "fullcmc" ];'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; },
		  { name = "second"; certificate = "../second/devices.pem"; key = "../second/devices.key"; } );
		profile = ( { name = "device"; },
		  { name = "registrar"; extended_key_usage = [ "clientAuth", "$CMC_RA" ]; } );
		label = (
		$(label '' devices device '"basic", "certificate"' "$from $all"),
		$(label registrars devices registrar '"basic", "certificate"'),
		$(label closed devices device '"basic", "certificate"' "$all"),
		$(label narrow devices device '"basic", "certificate"' "$from $all"),
		$(label second second device '"basic", "certificate"' "$all"),
		$(label kinds devices device '"basic", "secret"'),
		$(label external devices device '"external"' 'external_names = [ "*" ];'),
		$(label srp devices device '"srp"'),
		$(label outside devices device '"external", "srp", "basic"' 'external_names = [ "*" ];'),
		$(label slow devices device '"basic"' 'rate_address = "3/h burst 3";') );
	END
}

# A registration authority of some names under one label: $E2E/keys/registrar.{key,pem}.
setup_file() {
	instance_start
	cp "$EST_BUILD/est-admin" "$E2E/bin/"
	chmod a+rx "$E2E/bin/est-admin"
	cd "$E2E/keys" || return 1
	request registrar
	enroll registrar.b64 registrars
	assert_equal "$CODE" 200
	certificate registrar.pem
	est_admin ra add registrar.example --names 'meter-*.example' --label -
}
teardown_file() { instance_stop; }

# From here on in a directory that workers and other users get into: those of the tests are their user's alone.
in_the_open() { mkdir -m 1777 "$E2E/$BATS_TEST_NUMBER" && cd "$E2E/$BATS_TEST_NUMBER" || return; }

recorded() { grep '"id":"' "$LOG" | tail -n 1 | jq -r "$1"; }

# --- F1: what a client writes into header fields ---

# For curl's -H @FILE: the web server's variables of who asks, and of where from.
forged() { # SPELLING
	local name value
	while read -r name value; do
		case $1 in
		dashes) name=${name//_/-} ;;
		mixed) name=$(sed 's/_/-/; s/[A-Z]/\L&/2g' <<<"$name") ;;
		lower) name=${name,,} ;;
		prefixed) name=HTTP_$name ;;
		twice) echo "${name//_/-}: other" ;;
		esac
		echo "$name: $value"
	done <<-END
		SSL_SRP_USER any
		SSL_SRP_USERINFO role=enroll
		SSL_CIPHER SRP-RSA-AES-256-CBC-SHA
		SSL_PROTOCOL TLSv1.2
		REMOTE_USER any
		AUTH_TYPE Basic
		SERVER_SOFTWARE Apache/2.4
		REDIRECT_REMOTE_USER any
		PROXY_USER any
		X_REMOTE_USER any
		SSL_CLIENT_CERT $(grep -v -e ----- "$E2E/keys/registrar.pem" | tr -d '\n')
		SSL_CLIENT_VERIFY SUCCESS
		REMOTE_ADDR 203.0.113.9
		X_FORWARDED_FOR 203.0.113.9
		X_REAL_IP 203.0.113.9
		CLIENT_IP 203.0.113.9
		TRUE_CLIENT_IP 203.0.113.9
		FORWARDED for=203.0.113.9
		PROXY http://127.0.0.1:9/
	END
}

SPELLINGS='as-is dashes lower mixed prefixed twice'

@test "F1 no header field is TLS-SRP, a login of the web server's, or another address" {
	local spelling label before wanted
	before=$(rows)
	request pump-1
	for label in external srp outside second; do
		post "$label/simpleenroll" pump-1.b64
		wanted="$CODE $(recorded '[.code, .remote, .identity] | join(" ")')"
		assert_regex "$wanted" '^40[13] auth:(missing|external|srp) 127\.0\.0\.1 $'
		for spelling in $SPELLINGS; do
			forged "$spelling" >fields
			post "$label/simpleenroll" pump-1.b64 -H @fields
			assert_equal "$label, $spelling: $CODE $(recorded '[.code, .remote, .identity] | join(" ")')" "$label, $spelling: $wanted"
		done
	done
	assert_equal "$(rows)" "$before"
}

@test "F1 a proven identity stays what it is" {
	local spelling
	for spelling in $SPELLINGS; do
		forged "$spelling" >fields
		request "pump-$spelling"
		post outside/simpleenroll "pump-$spelling.b64" -u "pump:$PASSWORD" -H @fields
		assert_issued "pump-$spelling.key"
		assert_equal "$(recorded '[.remote, .identity] | join(" ")')" '127.0.0.1 user:pump'
	done
	request meter-1
	post outside/simpleenroll meter-1.b64 -u "pump:$PASSWORD" -H @fields
	assert_refused 403 '^auth:name: '
}

@test "F1 no header field makes another address to be slowed down, or gets round it" {
	local i spelling
	for i in 1 2 3; do
		request "pump-1$i"
		post slow/simpleenroll "pump-1$i.b64" -u "pump:$PASSWORD" --interface 127.0.0.7 -H 'X-Forwarded-For: 127.0.0.8'
		assert_equal "$i: $CODE $(recorded .remote)" "$i: 200 127.0.0.7"
	done
	request pump-14
	for spelling in $SPELLINGS; do
		forged "$spelling" >fields
		post slow/simpleenroll pump-14.b64 -u "pump:$PASSWORD" --interface 127.0.0.7 -H @fields
		assert_refused 429 '^auth:rate: '
		assert_regex "$(header Retry-After)" '^[1-9][0-9]*$'
	done
	# Neither the address that was named nor that of others.
	post slow/simpleenroll pump-14.b64 -u "pump:$PASSWORD" --interface 127.0.0.8 -H 'X-Forwarded-For: 127.0.0.7'
	assert_issued pump-14.key
}

@test "F1 F23 header fields with names of the environment do nothing" {
	local name value fields=() before
	in_the_open
	before=$(rows)
	cat >evil.cnf <<-END
		openssl_conf = broken
		[broken]
		providers = nowhere
	END
	chmod a+r evil.cnf
	while read -r name value; do
		fields+=(-H "$name: $value" -H "${name//_/-}: $value" -H "HTTP_$name: $value")
	done <<-END
		OPENSSL_CONF $PWD/evil.cnf
		OPENSSL_MODULES $PWD
		OPENSSL_ENGINES $PWD
		LD_PRELOAD $PWD/evil.so
		LD_LIBRARY_PATH $PWD
		DB_HOME $PWD
		DB_CONFIG set_data_dir /nonexistent
		SSLKEYLOGFILE $E2E/log/keys.log
		EST_CONFIG $PWD/evil.conf
		ASAN_OPTIONS log_path=$E2E/log/evil
		MALLOC_PERTURB_ 5
		TMPDIR $PWD
		TZ ../../evil
		LC_ALL C
		PATH $PWD
		BASH_ENV $PWD/evil.sh
		NOTIFY_SOCKET $E2E/log/evil.sock
		FCGI_WEB_SERVER_ADDRS 203.0.113.9
		GATEWAY_INTERFACE CGI/9
	END
	request pump-20
	post simpleenroll pump-20.b64 -u "pump:$PASSWORD" "${fields[@]}"
	assert_issued pump-20.key
	assert_equal "$(rows)" $((before + 1))
	assert_not_exist "$E2E/log/keys.log"
	assert_equal "$(find . -name 'log.*' -o -name '__db*')" ''
	# As a CGI program, whose environment it is.
	request pump-21
	cgi_post simpleenroll pump-21.b64 "$(basic)" HTTP_PROXY=http://127.0.0.1:9/ HTTP_OPENSSL_CONF="$PWD/evil.cnf" HTTP_LD_PRELOAD=x \
		HTTP_DB_HOME="$PWD" HTTP_SSLKEYLOGFILE="$E2E/log/keys.log" HTTP_EST_CONFIG="$PWD/evil.conf" HTTP_REMOTE_USER=any \
		HTTP_SSL_SRP_USER=any HTTP_X_FORWARDED_FOR=203.0.113.9
	assert_issued pump-21.key
	assert_equal "$(recorded '[.remote, .identity] | join(" ")')" '127.0.0.1 user:any'
	assert_not_exist "$E2E/log/keys.log"
}

# --- F5: credentials that are none ---

basic_of() { printf 'Basic %s' "$(printf '%b' "$1" | base64 -w 0)"; }

# The answer to a value of Authorization, to the letter; nothing of it comes back.
answers() { # CODE VALUE
	post kinds/simpleenroll pump-30.b64 -H "Authorization: $2"
	assert_equal "$2: $CODE $(recorded .code)" "$2: 401 $1"
	assert_refused 401 "^$1: "
	assert_equal "$(grep -ci '^www-authenticate:' head)" 1
	assert_equal "$(header WWW-Authenticate)" 'Basic realm="est", charset="UTF-8"'
	refute_regex "$(cat body)" 'CANARY|QTpC|any|evil'
}

@test "F5 each kind of wrong credentials has its answer" {
	local value before
	before=$(rows)
	request pump-30
	post kinds/simpleenroll pump-30.b64
	assert_equal "$CODE $(recorded .code) $(wc -c <body) $(header Content-Length)" '401 auth:missing 0 0'
	for value in any:wrong any: :x : any::: "any:$PASSWORD " "ANY:$PASSWORD" " any:$PASSWORD" "any:${PASSWORD}x" 'any:\xc3\xbc' "any:${PASSWORD%?}"; do
		answers auth:password "$(basic_of "$value")"
	done
	answers auth:password "$(basic_of any:wrong | sed s/Basic/bAsIc/)"
	answers auth:password "$(basic_of "any:$(printf 'x%.0s' {1..4000})")"
	for value in Basic 'Basic =' 'Basic !!!!' 'Basic QTp' 'Basic QTpC=' 'Basic QTpC, Basic QTpC' 'Basic "QTpC"' \
		BasicQTpC QTpC 'Basic QQ==' Digest 'Digest username="any", realm="est", nonce="evil", uri="/", response="0"' 'Bearer QTpC' \
		Negotiate 'Negotiate QTpC' 'NTLM QTpC' 'Basic-QTpC' 'X Basic QTpC'; do
		answers auth:header "$value"
	done
	for value in "any:$PASSWORD\\0" "any\\0:$PASSWORD" '\0' 'any:\xff\xfe' 'an\xffy:x' "any:$PASSWORD\\r\\n"; do
		post kinds/simpleenroll pump-30.b64 -H "Authorization: $(basic_of "$value")"
		assert_refused 401 '^auth:(header|password): '
	done
	assert_equal "$(rows)" "$before"
	post kinds/simpleenroll pump-30.b64 -H "Authorization: $(basic_of "any:$PASSWORD" | sed s/Basic/BASIC/)"
	assert_issued pump-30.key
}

# A user who cannot log in, one of another label, and a device: nobody can tell them from none.
others_users() {
	[ ! -e "$E2E/others" ] || return 0
	est_admin user add nologin --names '*' --no-password
	est_admin secret add gauge-1.example --label kinds >"$E2E/others"
}

@test "F5 an unknown user, a wrong password, another label's user, one without a password, a device: one answer" {
	local user
	others_users
	request pump-31
	post kinds/simpleenroll pump-31.b64 -u any:wrong
	assert_refused 401 '^auth:password: '
	mv body wrong
	sed '/^[Dd]ate:/d' head >wrong.head
	for user in nobody:wrong "limited:$PASSWORD" 'limited:wrong' 'nologin:*' nologin: nologin:wrong gauge-1.example:wrong gauge-1.example: \
		registrar.example:x ra:registrar.example "$(printf 'u%.0s' {1..300}):x"; do
		post kinds/simpleenroll pump-31.b64 -u "$user"
		assert_equal "$user: $CODE" "$user: 401"
		diff wrong body
		diff wrong.head <(sed '/^[Dd]ate:/d' head)
	done
}

# Medians of 1000 exchanges over kept connections; of fewer where each of them starts a process. The kinds take turns, so
# that what else the machine does strikes all.
@test "F5 they take the same time as well, within a fifth" {
	local turns=200
	[ "$SERVER" != cgid ] || turns=40
	others_users
	request pump-32
	run timeout 150 python3 - "$PORT" "$TRUST" "$PASSWORD" $turns <<-'END'
		import base64, http.client, ssl, statistics, sys, time

		port, trust, password, turns = sys.argv[1:]
		body = open("pump-32.b64", "rb").read()
		tls = ssl.create_default_context(cafile=trust)
		kinds = {"wrong password": "any:wrong", "unknown user": "nobody:wrong", "another label's user": "limited:" + password,
		         "user without a password": "nologin:wrong", "device": "gauge-1.example:wrong"}
		times = {kind: [] for kind in kinds}
		connection = None

		def ask(credentials):
		    global connection
		    for attempt in 1, 2:
		        if connection is None:
		            connection = http.client.HTTPSConnection("127.0.0.1", int(port), context=tls, timeout=20)
		            connection.connect()
		        before = time.perf_counter()
		        try:
		            connection.request("POST", "/.well-known/est/kinds/simpleenroll", body, {
		                "Content-Type": "application/pkcs10", "Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()})
		            answer = connection.getresponse()
		            text = answer.read()
		        except (http.client.HTTPException, ConnectionError):
		            connection = None # the server ends a connection after so many requests
		            continue
		        took = time.perf_counter() - before
		        assert answer.status == 401 and text.startswith(b"auth:password: "), (answer.status, text)
		        if answer.will_close:
		            connection = None
		        return took
		    raise SystemExit("no connection")

		for credentials in kinds.values():
		    ask(credentials) # what is done once
		for turn in range(int(turns)):
		    for kind, credentials in kinds.items():
		        times[kind].append(ask(credentials))
		medians = {kind: statistics.median(values) for kind, values in times.items()}
		for kind, median in medians.items():
		    print(f"{kind}: {median * 1000:.2f} ms, {100 * median / medians['wrong password'] - 100:+.1f} %")
		worst = max(abs(median / medians["wrong password"] - 1) for median in medians.values())
		sys.exit(worst > 0.2)
	END
	printf '# %s\n' "${lines[@]}" >&3
	assert_success
}

# --- F9: a registration authority where it has no right, through each door ---

by_ra() { post "$1" "$2" --cert "$E2E/keys/registrar.pem" --key "$E2E/keys/registrar.key"; } # PATH FILE

cmc() { python3 "$BATS_TEST_DIRNAME/cmc.py" "$@"; }

# ./message: a PKIData of PART..., signed by a certificate.
signed() { # CERTIFICATE KEY PART...
	cmc pkidata "${@:3}" >data
	openssl cms -sign -binary -nodetach -nosmimecap -econtent_type "$PKI_DATA" -md sha256 -in data -signer "$1" -inkey "$2" \
		-outform DER | b64 >message
}
send() { http "${1:+$1/}fullcmc" -H "Content-Type: $TYPE" --data-binary @message "${@:2}"; } # LABEL [OPTION of curl...]

# A name, asked for by the registration authority through every operation of a label.
every_door() { # LABEL NAME PATTERN
	local operation before
	request "$2" "DNS:$2.example"
	openssl x509 -in "$E2E/keys/registrar.pem" -noout -ext subjectKeyIdentifier | sed -n '2s/[ :]//gp' >ski
	cmc pkcs10 "$2.key" "$2.example" "ski=$(cat ski)" >"$2.p10"
	before=$(rows)
	for operation in simpleenroll simplereenroll serverkeygen; do
		by_ra "${1:+$1/}$operation" "$2.b64"
		assert_regex "$1 $operation: $CODE $(recorded .code)" ": 403 $3\$"
	done
	signed "$E2E/keys/registrar.pem" "$E2E/keys/registrar.key" "tcr=1:$2.p10"
	send "$1" --cert "$E2E/keys/registrar.pem" --key "$E2E/keys/registrar.key"
	assert_equal "$1 fullcmc: $CODE" "$1 fullcmc: 403"
	# A user's password with an authority's signature on the message.
	send "$1" -u "pump:$PASSWORD"
	assert_equal "$1 fullcmc of a user: $CODE" "$1 fullcmc of a user: 403"
	assert_equal "$(rows)" "$before"
}

@test "F9 another label: 403 at every door" {
	every_door closed meter-1 auth:certificate-label
}

@test "F9 a label that takes its certificate, but not its names: 403 at every door" {
	every_door narrow meter-2 '(auth:name|renew:[a-z]+)'
}

@test "F9 names that are not its own: 403 at every door" {
	every_door '' valve-1 '(auth:name|renew:[a-z]+)'
}

@test "F9 another CA: 403 or 401 at every door" {
	local operation before
	before=$(rows)
	request meter-3
	cmc pkcs10 meter-3.key meter-3.example >meter-3.p10
	for operation in simpleenroll simplereenroll serverkeygen; do
		by_ra "second/$operation" meter-3.b64
		assert_regex "$CODE" '^40[13]$'
	done
	signed "$E2E/keys/registrar.pem" "$E2E/keys/registrar.key" tcr=1:meter-3.p10
	send second --cert "$E2E/keys/registrar.pem" --key "$E2E/keys/registrar.key"
	assert_regex "$CODE" '^40[13]$'
	send second -u "any:$PASSWORD"
	assert_equal "$CODE" 403
	assert_equal "$(rows)" "$before"
}

@test "F9 where it has the right, every door opens" {
	local operation
	request meter-4
	by_ra simpleenroll meter-4.b64
	assert_issued meter-4.key
	by_ra simplereenroll meter-4.b64
	assert_issued meter-4.key
	request meter-5
	by_ra serverkeygen meter-5.b64
	plain_parts
	cmc pkcs10 meter-4.key meter-6.example >meter-6.p10
	signed "$E2E/keys/registrar.pem" "$E2E/keys/registrar.key" tcr=1:meter-6.p10
	send '' --cert "$E2E/keys/registrar.pem" --key "$E2E/keys/registrar.key"
	assert_equal "$CODE" 200
}

# --- F10: a certificate of somebody else's, revoked ---

# Enrolled by USER under LABEL: NAME.{key,pem}.
enrolled() { # NAME USER
	request "$1"
	post simpleenroll "$1.b64" -u "$2:$PASSWORD"
	assert_equal "$1: $CODE" "$1: 200"
	certificate "$1.pem"
}

status_of() { est_admin --json cert show "$(serial "$1")" | jq -r .status; }

@test "F10 nobody with credentials of his own revokes what is another's" {
	local who
	enrolled valve-9 any
	enrolled pump-9 pump
	for who in "pump:$PASSWORD" "any:$PASSWORD"; do
		signed pump-9.pem pump-9.key revoke=2:valve-9.pem:1
		send '' -u "$who"
		assert_equal "$who by a certificate: $CODE" "$who by a certificate: 403"
		cmc pkidata revoke=2:valve-9.pem:1 >data
		cmc unsigned data | b64 >message
		send '' -u "$who"
		assert_regex "$who unsigned: $CODE" ': 40[03]$'
		cmc pkidata "revoke=2:valve-9.pem:1:$PASSWORD" >data
		cmc unsigned data | b64 >message
		send '' -u "$who"
		assert_regex "$who by a password: $CODE" ': 40[03]$'
		assert_equal "$(status_of valve-9.pem)" valid
	done
	# With the certificate in the TLS session, too.
	signed pump-9.pem pump-9.key revoke=2:valve-9.pem:1
	send '' --cert pump-9.pem --key pump-9.key
	assert_equal "$CODE" 403
	# By an authority whose names these are not.
	signed "$E2E/keys/registrar.pem" "$E2E/keys/registrar.key" revoke=2:valve-9.pem:1
	send '' --cert "$E2E/keys/registrar.pem" --key "$E2E/keys/registrar.key"
	assert_equal "$CODE" 403
	# By one's own signature on another's behalf: the signer is what counts, not the session.
	send '' --cert pump-9.pem --key pump-9.key
	assert_equal "$CODE" 403
	assert_equal "$(status_of valve-9.pem)" valid
	assert_equal "$(status_of pump-9.pem)" valid
	refute grep -q '"cmc_revoked"' "$LOG"
}

# --- F23: at the shell ---

need_root() { [ "$(id -u)" = 0 ] || skip 'only root can be others'; }

# est-admin as another user of the system, of a group or of none.
admin_as() { # GROUP WORD...
	setpriv --reuid nobody --regid "$1" --clear-groups env -i PATH="$PATH" ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" \
		UBSAN_OPTIONS="$UBSAN_OPTIONS" "$E2E/bin/est-admin" -c "${CONF:-$EST_CONFIG}" "${@:2}"
}

state_list() { (cd "$E2E/est" && find state devices.key est.conf -printf '%p %m %U:%G %s %T@\n' | sort); }

@test "F23 est-admin by somebody who is not of the web server's group is refused, in words" {
	local words before
	need_root
	in_the_open
	before=$(state_list)
	for words in 'cert list' 'user list' 'user add mallory --names * --no-password' 'ra add mallory --names *' 'secret add mallory' \
		'secret list' 'device list' 'device delete pump-0.example' 'cert revoke 00' 'request list' 'store check' check; do
		# shellcheck disable=SC2086 # words on purpose
		set -f && run admin_as nogroup $words && set +f
		assert_failure
		assert_output --partial est-admin:
		assert_output --partial est.conf
		assert_output --partial 'ermission denied'
		refute_output --regexp 'pump-0|devices\.key|authenticate|AddressSanitizer'
	done
	# A copy of est.conf that it may read leads no further.
	CONF=$PWD/own.conf
	sed "s|\"state\"|\"$E2E/est/state\"|; s|\"est.log\"|\"$PWD/own.log\"|; s|\"devices\.|\"$E2E/est/devices.|; s|\"\.\./|\"$E2E/|" \
		"$EST_CONFIG" >"$CONF"
	chmod a+r "$CONF"
	for words in 'cert list' 'user list' 'user add mallory --names * --no-password' 'store check' 'secret list'; do
		# shellcheck disable=SC2086 # words on purpose
		set -f && run admin_as nogroup $words && set +f
		assert_failure
		assert_output --partial est-admin:
		assert_output --regexp "(ermission denied|belongs to $WEB_USER .*run as that user)"
		refute_output --regexp 'pump-0|AddressSanitizer'
	done
	assert_equal "$(state_list)" "$before"
}

@test "F23 a member of the group governs, and leaves nothing that the workers cannot read" {
	need_root
	run -0 admin_as "$WEB_USER" --json cert list --limit 100000
	assert_output --partial pump-0.example
	in_the_open
	echo "$PASSWORD" >password
	chmod a+r password
	run -0 admin_as "$WEB_USER" user add member --names 'pump-*.example' --password-file "$PWD/password"
	request pump-40
	post simpleenroll pump-40.b64 -u "member:$PASSWORD"
	assert_issued pump-40.key
	run -0 est_admin store check
	assert_equal "$(find "$E2E/est/state" -perm /o+rwx)" ''
}

@test "F23 nobody else plants a DB_CONFIG, and none that lies about is read" {
	need_root
	assert_regex "$(stat -c %a "$E2E/est/state")" '^2?770$'
	run ! setpriv --reuid nobody --regid nogroup --clear-groups touch "$E2E/est/state/DB_CONFIG"
	run ! setpriv --reuid nobody --regid nogroup --clear-groups ls "$E2E/est/state"
	# In the working directory, in the home directory, and where the environment says.
	in_the_open
	mkdir elsewhere
	echo 'set_data_dir /nonexistent' >DB_CONFIG
	cp DB_CONFIG elsewhere/
	chmod -R a+rwX DB_CONFIG elsewhere
	DB_HOME=$PWD/elsewhere HOME=$PWD/elsewhere DB_CONFIG=$PWD/DB_CONFIG run -0 est_admin --json cert list --limit 100000
	assert_output --partial pump-0.example
	DB_HOME=$PWD/elsewhere HOME=$PWD/elsewhere DB_CONFIG=$PWD/DB_CONFIG run -0 est_admin store check
	request pump-41
	cgi_post simpleenroll pump-41.b64 "$(basic)" DB_HOME="$PWD/elsewhere" HOME="$PWD/elsewhere" DB_CONFIG="$PWD/DB_CONFIG" \
		SSLKEYLOGFILE="$PWD/elsewhere/keys"
	assert_issued pump-41.key
	assert_equal "$(ls elsewhere)" DB_CONFIG
	run -0 est_admin --json cert show "$(serial issued.pem)"
}

@test "F23 no program runs with more rights than who starts it" {
	local program
	for program in est.fcgi status.cgi est-admin est-client; do
		assert_equal "$(find "$EST_BUILD/$program" -perm /6000)" ''
	done
	if command -v getcap >/dev/null; then assert_equal "$(getcap "$EST_BUILD/est-admin" "$EST_BUILD/est.fcgi")" ''; fi
}

@test "F23 a state directory that others may write is told of" {
	need_root
	cp -a "$E2E/est" "$E2E/loose"
	chmod 0777 "$E2E/loose/state"
	EST_CONFIG=$E2E/loose/est.conf run est_admin check
	rm -rf "$E2E/loose"
	assert_failure
	assert_line --regexp '^FAIL state: everybody .*/loose/state'
}
