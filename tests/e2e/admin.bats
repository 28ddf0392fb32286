#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# admin.bats - est-admin at the shell: words, exit codes, JSON, what check finds, and secrets that stay secret.

load instance

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# A small instance of its own in ./mini, for what would hurt the one that is served; where the workers get through.
mini() {
	mkdir "$E2E/$BATS_TEST_NUMBER"
	cd "$E2E/$BATS_TEST_NUMBER" || return
	run -0 "$EST_BUILD/est-admin" init mini --organization Mini --host mini.example "$@"
	EST_CONFIG=$PWD/mini/est.conf
	sed -i 's/^log = .*/log = "est.log";/' "$EST_CONFIG"
	touch mini/est.log
	if [ "$(id -u)" = 0 ]; then chown "$WEB_USER" mini/est.log; fi
}

json() { run -0 est_admin --json "$@"; }

@test "--help and --version everywhere, on standard output, exit 0" {
	local words
	for words in '' init check user 'user add' 'user list' 'user show' 'user delete' 'user password' cert 'cert list' 'cert show' \
		'cert export' 'cert revoke' 'cert lint' ca 'ca show' store 'store check' 'store checkpoint' 'store statistics' code 'code list' 'code show'; do
		# shellcheck disable=SC2086 # words on purpose
		"$EST_BUILD/est-admin" $words --help >out 2>err
		assert grep -q usage: out
		assert_equal "$(cat err)" ''
		# shellcheck disable=SC2086 # words on purpose
		"$EST_BUILD/est-admin" $words -h >short
		diff out short
	done
	run -0 "$EST_BUILD/est-admin" --version
	assert_output --regexp '[0-9]+\.[0-9]+'
}

@test "an unknown word or option is exit 2, with a hint on standard error" {
	local words
	for words in nonsense 'user nonsense' 'cert' 'cert list --nonsense' 'cert show' 'cert list --status nonsense' \
		'cert list --limit many' 'cert show a b' 'user add x --names' 'init a b'; do
		# shellcheck disable=SC2086 # words on purpose
		run -2 --separate-stderr est_admin $words
		assert_equal "$output" ''
		# shellcheck disable=SC2154 # set by run
		assert_regex "$stderr" '^est-admin: |^usage'
	done
}

@test "exit 3 for what is not there" {
	run -3 est_admin cert show 00ff00
	assert_output --regexp '^est-admin: '
	run -3 est_admin cert revoke 00ff00
	run -3 est_admin cert export 00ff00
	run -3 est_admin user show nobody
	run -3 est_admin user delete nobody
	run -3 est_admin ca show nobody
	run est_admin -c /nonexistent/est.conf cert list
	assert_failure
	assert_output --partial /nonexistent/est.conf
}

@test "init: what it makes, with these modes, and a root that its fingerprint names" {
	local name
	mini --key P-384
	assert_output --partial "$(openssl x509 -in mini/root.pem -noout -fingerprint -sha256 | sed 's/.*=//')"
	for name in root.pem root.key devices.pem devices.key server.pem server.key client-cas.pem trust.pem est.conf state; do
		assert_exist "mini/$name"
	done
	assert_equal "$(stat -c %a mini/root.key)" 600
	assert_equal "$(stat -c %a mini/server.key)" 600
	assert_regex "$(stat -c %a mini/devices.key)" '^6[04]0$'
	if [ "$(id -u)" = 0 ]; then assert_equal "$(stat -c '%a %G' mini/state mini/devices.key | tr '\n' ' ')" "2770 $WEB_USER 640 $WEB_USER "; fi
	run -0 openssl verify -x509_strict -purpose sslserver -verify_hostname mini.example -CAfile mini/trust.pem -untrusted mini/server.pem mini/server.pem
	run -0 openssl x509 -in mini/server.pem -noout -ext extendedKeyUsage
	assert_output --partial 'CMC Registration Authority' # RFC 7030 3.6.1
	run -0 openssl x509 -in mini/root.pem -noout -text
	assert_output --partial 'secp384r1'
	run -0 est_admin check
}

@test "init twice is exit 1 and touches nothing" {
	mini
	find mini -type f ! -path '*/state/*' -exec sha256sum {} + | sort >before
	run -1 "$EST_BUILD/est-admin" init mini --organization Other
	assert_output --regexp 'est-admin: .*exists'
	find mini -type f ! -path '*/state/*' -exec sha256sum {} + | sort | diff before -
	mkdir half
	echo mine >half/devices.key
	run -1 "$EST_BUILD/est-admin" init half --organization Other
	assert_equal "$(ls half)" devices.key
	run -2 "$EST_BUILD/est-admin" init third --key nonsense
	assert_not_exist third
}

@test "init --json prints the fingerprint, and a line that jq reads" {
	run -0 --separate-stderr "$EST_BUILD/est-admin" --json init other --organization Other
	assert_equal "$(jq -r '.. | strings' <<<"$output" | tr -d : | grep -ciE '^[0-9a-f]{64}$')" 1
}

@test "a user comes, is shown, gets another password, and goes" {
	request pump-1
	user guest first 'pump-*.example' --label -
	post simpleenroll pump-1.b64 -u guest:first
	assert_equal "$CODE" 200
	run -1 est_admin user add guest --names '*' --password-file <(echo second) # is there already
	json user show guest
	assert_equal "$(jq -c '[.name, .names, .labels]' <<<"$output")" '["guest",["pump-*.example"],[""]]'
	json user list
	assert_equal "$(jq -r 'select(.name == "guest") | .name' <<<"$output")" guest
	echo second | est_admin user password guest --password-file -
	request pump-2
	post simpleenroll pump-2.b64 -u guest:second
	assert_equal "$CODE" 200
	post simpleenroll pump-2.b64 -u guest:first
	assert_equal "$CODE" 401
	run -0 est_admin user delete guest
	post simpleenroll pump-2.b64 -u guest:second
	assert_equal "$CODE" 401
}

@test "a user needs a name without colon, patterns, and a password" {
	local before
	before=$(est_admin --json user list | wc -l)
	echo secret >password
	run est_admin user add a:b --names '*' --password-file password
	assert_failure
	run est_admin user add ab --password-file password
	assert_failure
	: >password
	run est_admin user add ab --names '*' --password-file password
	assert_failure
	run est_admin user add ab --names '*' --password-file nowhere
	assert_failure
	run est_admin user add $'a\nb' --names '*' --password-file password
	assert_failure
	run est_admin user add ab --names '*' </dev/null
	assert_failure
	assert_equal "$(est_admin --json user list | wc -l)" "$before"
}

@test "cert list: its filters, and JSON with at least these members" {
	local first
	request valve-1
	enroll valve-1.b64 narrow
	certificate first.pem
	first=$(serial first.pem)
	request valve-2
	enroll valve-2.b64
	certificate second.pem
	json cert list --label narrow
	assert_equal "$(jq -r .serial <<<"$output")" "$first"
	assert_equal "$(jq -r '[.serial, .subject, .label, .status] | join(" ")' <<<"$output")" "$first CN=valve-1.example narrow valid"
	assert_equal "$(jq -r '.not_before, .not_after' <<<"$output" | grep -cE '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$')" 2
	json cert list --name 'valve-*.example'
	assert_equal "$(jq -r .name <<<"$output" | sort | tr '\n' ' ')" 'valve-1.example valve-2.example '
	json cert list --name valve-2.example
	assert_equal "$(jq -r .name <<<"$output")" valve-2.example
	json cert list --expires-within 10d --name 'valve-*.example'
	assert_equal "$(jq -r .name <<<"$output")" valve-1.example
	json cert list --limit 1
	assert_equal "$(jq -r .name <<<"$output")" valve-2.example
	est_admin cert revoke "$first" --reason superseded
	json cert list --status revoked
	assert_equal "$(jq -r 'select(.name == "valve-1.example") | .reason' <<<"$output")" superseded
	json cert list --status valid --name 'valve-*.example'
	assert_equal "$(jq -r .name <<<"$output")" valve-2.example
	run -0 est_admin cert list --status expired
	run -0 est_admin cert list --label=narrow
	assert_output --partial valve-1.example
}

@test "cert export gives back what was issued" {
	request valve-3
	enroll valve-3.b64
	certificate valve-3.pem
	run -0 est_admin cert export "$(serial valve-3.pem)" -o out.pem
	assert_equal "$(cat out.pem)" "$(cat valve-3.pem)"
	est_admin cert export "$(serial valve-3.pem)" --der >out.der
	assert_equal "$(openssl x509 -inform DER -in out.der)" "$(cat valve-3.pem)"
	run -0 est_admin cert show "$(serial valve-3.pem | tr a-f A-F)"
	assert_output --partial CN=valve-3.example
}

@test "cert revoke is honoured at once by every worker, and keeps its first date" {
	request valve-4
	enroll valve-4.b64
	certificate valve-4.pem
	for _ in 1 2 3 4; do
		post simplereenroll valve-4.b64 --cert valve-4.pem --key valve-4.key
		assert_equal "$CODE" 200
	done
	est_admin cert revoke "$(serial valve-4.pem)" --reason keyCompromise
	for _ in 1 2 3 4; do
		post simplereenroll valve-4.b64 --cert valve-4.pem --key valve-4.key
		assert_refused 403 revoked
	done
	json cert show "$(serial valve-4.pem)"
	assert_equal "$(jq -r '.status + " " + .reason' <<<"$output")" 'revoked keyCompromise'
	cp <(echo "$output") first
	run -0 est_admin cert revoke "$(serial valve-4.pem)" --reason superseded
	json cert show "$(serial valve-4.pem)"
	assert_equal "$output" "$(cat first)"
	run -2 est_admin cert revoke "$(serial valve-4.pem)" --reason nonsense
}

# A certificate ./NAME.pem by OpenSSL, of the issuing CA, with all that a device's has but what is told otherwise.
made() { # NAME SUBJECT [OPTION of openssl x509...]
	[ -e made.key ] || key P-256 made.key
	[ -e made.ext ] || printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature \
		extendedKeyUsage=clientAuth subjectKeyIdentifier=hash authorityKeyIdentifier=keyid >made.ext
	openssl req -new -key made.key -subj "$2" | openssl x509 -req -CA "$E2E/est/devices.pem" -CAkey "$E2E/est/devices.key" \
		-days 30 -extfile made.ext "${@:3}" -out "$1.pem" 2>/dev/null
}

@test "cert lint: what was issued is without a finding, in PEM and in DER" {
	request valve-5 DNS:valve-5.example
	enroll valve-5.b64
	certificate valve-5.pem
	openssl x509 -in valve-5.pem -outform DER -out valve-5.der
	run -0 est_admin cert lint valve-5.pem valve-5.der
	assert_line 'valve-5.pem: nothing found'
	assert_line 'valve-5.der: nothing found'
	run -0 est_admin cert lint --ca "$E2E/est/devices.pem" --profile device valve-5.pem
	json cert lint valve-5.pem
	assert_equal "$output" ''
	# neither a configuration nor a store is needed
	run -0 "$EST_BUILD/est-admin" -c /nonexistent/est.conf cert lint valve-5.pem
}

@test "cert lint: each finding has a rule, a section and words, and the exit code is 1" {
	local rules
	made good /CN=good.example
	run -0 est_admin cert lint good.pem --ca "$E2E/est/devices.pem"
	made zero /CN=zero.example -set_serial 0
	made negative /CN=negative.example -set_serial -0x112233445566778899
	made short /CN=short.example -set_serial 5
	echo authorityKeyIdentifier=none >made.ext
	made lacking /CN=lacking.example
	printf '%s\n' authorityKeyIdentifier=keyid keyUsage=digitalSignature,keyCertSign basicConstraints=CA:TRUE >made.ext
	made ca /CN=ca.example
	for rules in 'zero serial-zero' 'negative serial-negative' 'short serial-short' 'lacking aki-missing' 'ca bc-ca' 'ca ku-ca' \
		'ca ku-critical'; do
		run -1 est_admin cert lint "${rules% *}.pem"
		assert_line --regexp "^${rules% *}\.pem, certificate 1: ${rules#* }: .+ \((RFC|CA/B BR|X\.).+\)$"
		assert_line --regexp '^est-admin: [0-9]+ findings?$'
	done
	run -1 --separate-stderr est_admin --json cert lint good.pem zero.pem
	assert_equal "$(jq -c '[.file, .certificate, (.what | length > 0)]' <<<"$output" | sort -u)" '["zero.pem",1,true]'
	assert_equal "$(jq -r 'select(.rule == "serial-zero") | .section' <<<"$output")" 'RFC 5280 4.1.2.2'
	cat good.pem zero.pem >both.pem
	run -1 est_admin cert lint both.pem
	assert_line --partial 'both.pem, certificate 2: serial-zero'
	refute_output --partial 'certificate 1'
}

@test "cert lint: with a CA and a profile, whatever does not fit them" {
	request valve-6
	enroll valve-6.b64 narrow
	certificate valve-6.pem
	enroll valve-6.b64
	certificate quarter.pem
	run -0 est_admin cert lint valve-6.pem --ca "$E2E/est/devices.pem" --profile narrow
	run -1 est_admin cert lint quarter.pem --profile narrow
	assert_output --partial 'validity-profile: '
	run -1 est_admin cert lint valve-6.pem --ca "$E2E/second/devices.pem"
	assert_output --partial 'issuer-wanted: '
	assert_output --partial 'aki-wanted: '
	assert_output --partial 'signature: '
	request valve-7 email:valve@a.example
	enroll valve-7.b64 server
	certificate valve-7.pem
	run -1 est_admin cert lint valve-7.pem --profile device
	assert_output --partial 'eku-profile: '
	assert_output --partial 'san-profile: '
	run -3 est_admin cert lint valve-6.pem --profile nothing
	run -3 est_admin cert lint nowhere.pem
	run -2 est_admin cert lint
	echo hello >hello.txt
	run -1 est_admin cert lint hello.txt
	assert_output --partial 'structure: '
	openssl x509 -in valve-6.pem -outform DER -out long.der
	echo >>long.der
	run -1 est_admin cert lint long.der
	assert_output --partial 'trailing: '
	run -1 est_admin cert lint valve-6.key
	assert_output --partial 'no certificate'
}

@test "ca show names key, dates, fingerprint and chain" {
	json ca show devices
	assert_equal "$(jq -r .key <<<"$output")" P-256
	assert_equal "$(jq -r .fingerprint <<<"$output")" "$(openssl x509 -in "$E2E/est/devices.pem" -noout -fingerprint -sha256 | sed 's/.*=//')"
	assert_equal "$(jq -r '.chain[0].fingerprint' <<<"$output")" "$(openssl x509 -in "$E2E/est/root.pem" -noout -fingerprint -sha256 | sed 's/.*=//')"
}

@test "store check, checkpoint and statistics while it is served" {
	run -0 est_admin store check
	run -0 est_admin store checkpoint
	json store statistics
	assert_equal "$(jq -s 'map(select(.name == "certificates")) | .[0].value' <<<"$output")" "$(rows)"
}

# check has to find what was done to ./mini, and name its cure; mended, all is well.
found() { # PATTERN
	run -1 est_admin check
	assert_output --regexp "FAIL .*$1"
}

@test "check finds keys that are missing, another's, unreadable, and certificates that expired" {
	mini
	run -0 est_admin check
	refute_output --partial FAIL
	mv mini/devices.key key && found devices.key
	cp mini/root.key mini/devices.key && found key
	echo junk >mini/devices.key && found devices.key
	cp -p key mini/devices.key
	if [ "$(id -u)" = 0 ]; then
		chgrp "$WEB_USER" mini/devices.key
		run -0 est_admin check
		chmod 0600 mini/devices.key && found devices.key
		chmod 0640 mini/devices.key
		chmod 0700 mini && found . && chmod 0755 mini
		chmod 0500 mini/state && found state && chmod 2770 mini/state
		chown root:root mini/state
		run est_admin check
		assert_output --regexp '(FAIL|warn) +state: .*chown'
		chown "$WEB_USER:$WEB_USER" mini/state
		chown root:root mini/est.log && found est.log && chown "$WEB_USER" mini/est.log
	fi
	run -0 est_admin check
	mv mini/state gone && found state
	mv gone mini/state
	mv mini/devices.pem gone && found devices.pem
	openssl x509 -req -in <(openssl req -new -key mini/devices.key -subj /CN=old) -signkey mini/devices.key -days -1 -out mini/devices.pem 2>/dev/null
	found .
}

@test "check names file and line of what is wrong in the configuration" {
	mini
	cp "$EST_CONFIG" good
	wrong() { # SED PATTERN
		sed "$1" good >"$EST_CONFIG"
		run -1 est_admin check
		assert_output --regexp "est.conf:[0-9]+: .*$2"
	}
	wrong '1i unknown = 1;' unknown
	wrong 's/validity = .*/validity = "soon";/' validity
	wrong 's/validity = .*/validity = 5;/' validity
	wrong 's/name = "device";/name = "device"; colour = "red";/' colour
	wrong 's/ca = "devices"/ca = "nowhere"/' nowhere
	wrong 's/"basic", "certificate"/"basic", "magic"/' magic
	wrong 's/profile = "device"/profile = "none"/' none
	wrong '1i retry_window = "-5m";' retry_window
	wrong '1i state = "twice";' '.'
	wrong '1i keys = (' '.'
	sed '/name = "";/d' good >"$EST_CONFIG"
	run -1 est_admin check
}

# A defect that lies in the configuration is found before a device meets it, by check and by the workers alike.
@test "check proves each label's profile, and workers do not start with one that the lint refuses" {
	mini
	cp "$EST_CONFIG" good
	unprovable() { # KEYS OF THE PROFILE, PATTERN
		sed "s/validity = .*/validity = \"90d\"; $1/" good >"$EST_CONFIG"
		run -1 est_admin check
		assert_output --regexp "FAIL +label \"\": profile \"device\".*$2"
		run env -i PATH="$PATH" EST_CONFIG="$EST_CONFIG" ASAN_OPTIONS="${ASAN_OPTIONS-}" HTTPS=on REQUEST_METHOD=GET \
			SCRIPT_NAME=/.well-known/est PATH_INFO=/cacerts GATEWAY_INTERFACE=CGI/1.1 "$EST_BUILD/est.fcgi" </dev/null
		assert_output --partial 'Status: 503'
	}
	unprovable 'extended_key_usage = [ "anyExtendedKeyUsage" ];' any
	unprovable 'extended_key_usage = [ "serverAuth" ]; subject_alt_names = [];' SubjectAltName
	unprovable 'key_usage = "keyEncipherment";' P-256
	cp good "$EST_CONFIG"
	run -0 est_admin check
}

@test "check reads the files of blocked_keys and server_certificates" {
	mini
	cp "$EST_CONFIG" good
	sed '1i blocked_keys = "weak";' good >"$EST_CONFIG"
	run -1 est_admin check
	assert_output --regexp 'FAIL +blocked_keys: .*weak'
	printf '# none\nnonsense\n' >mini/weak
	run -1 est_admin check
	assert_output --regexp 'FAIL +blocked_keys: .*weak:2'
	printf '# none\n%064d  a key\n%020d\n' 1 2 >mini/weak
	run -0 est_admin check
	assert_output --regexp 'ok +blocked_keys: 1 file'
	sed 's/server.pem/nothing.pem/' good >"$EST_CONFIG"
	run -1 est_admin check
	assert_output --regexp 'FAIL +server_certificates: .*nothing.pem'
	echo junk >mini/nothing.pem
	run -1 est_admin check
	assert_output --regexp 'FAIL +server_certificates: .*nothing.pem'
}

@test "no secret stands on a command line or in what is printed" {
	mkfifo pipe
	est_admin user add slow --names '*' --password-file pipe &
	exec 8>pipe
	# Others run est-admin beside us, and a command may still be on its way to its exec.
	for _ in {1..50}; do
		pid=$(pgrep -nf "est-admin .*user add slow") && break
		sleep 0.1
	done
	run -1 grep CANARY "/proc/$pid/cmdline" "/proc/$pid/environ"
	echo CANARY-slow >&8
	exec 8>&-
	wait
	run est_admin --json user show slow
	refute_output --partial CANARY
	refute_output --regexp '[$]y[$]'
	run est_admin user add other --names '*' --password CANARY
	assert_failure 2
	run est_admin user delete slow
}

@test "names from the store are escaped on the terminal" {
	key P-256 odd.key
	csr odd.key $'/CN=k\xc2\xa0\xe2\x80\xae.example' '' -utf8 | b64 >odd.b64
	enroll odd.b64
	run -0 est_admin cert list --limit 1
	refute_output --partial $'\xe2\x80\xae'
}

@test "check warns of a log beside est.conf or a CA's key that the workers could write to" {
	local user
	user=$(id -un)
	[ "$(id -u)" != 0 ] || user=$WEB_USER
	mini
	mkdir mini/log
	touch mini/log/est.log
	if [ "$(id -u)" = 0 ]; then
		chown "$user" mini/log mini/log/est.log
		run -0 est_admin check # est.conf and the key are root's
		assert_output --regexp 'ok +log: '
		chown "$user" mini/est.conf
	fi
	run -0 est_admin check
	assert_output --regexp "warn +log: .*est.conf .*$user.*directory of its own"
	refute_output --regexp 'ok +log: '
	cp "$EST_CONFIG" good
	(cat good && echo 'sandbox = false;') >"$EST_CONFIG"
	run -0 est_admin check
	assert_output --regexp 'ok +log: '
	sed 's|^log = .*|log = "log/est.log";|' good >"$EST_CONFIG"
	run -0 est_admin check
	assert_output --regexp 'ok +log: '
	# A key that the group may write to, in a directory below the log's.
	mkdir mini/log/keys
	mv mini/devices.key mini/log/keys/
	chmod 0660 mini/log/keys/devices.key
	sed -i 's|"devices.key"|"log/keys/devices.key"|' "$EST_CONFIG"
	run -0 est_admin check
	assert_output --regexp "warn +log: .*devices.key .*$user.*directory of its own"
}

@test "check warns of counters that the workers cannot use" {
	local metrics=mini/state/metrics
	mini
	run -0 est_admin check
	refute_output --partial metrics
	mkdir "$metrics"
	run -0 est_admin check
	assert_output --regexp 'warn +state: .*metrics is no regular file.*remove it'
	rmdir "$metrics"
	ln -s /dev/null "$metrics"
	run -0 est_admin check
	assert_output --regexp 'warn +state: .*metrics is no regular file.*remove it'
	rm "$metrics"
	touch "$metrics"
	chmod 0 "$metrics"
	run -0 est_admin check
	assert_output --regexp 'warn +state: .*metrics .*Permission denied.*remove it'
	chmod 0660 "$metrics"
	if [ "$(id -u)" = 0 ]; then chown "$WEB_USER" "$metrics"; fi
	run -0 est_admin check
	refute_output --partial metrics
}
