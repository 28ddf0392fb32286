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
	for words in '' init check user 'user add' 'user edit' 'user import' 'user verify' 'user list' 'user show' 'user delete' 'user password' cert 'cert list' 'cert show' \
		'cert export' 'cert revoke' 'cert lint' ra 'ra add' 'ra list' 'ra show' 'ra delete' device 'device add' 'device list' 'device show' \
		'device delete' 'device block' 'device unblock' secret 'secret add' 'secret list' \
		'secret delete' kek 'kek add' 'kek list' 'kek delete' request 'request list' 'request show' 'request approve' \
		'request deny' 'request delete' profile 'profile list' 'profile show' ca 'ca show' store 'store check' 'store checkpoint' 'store statistics' code 'code list' 'code show'; do
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
		'cert list --limit many' 'cert show a b' 'user add x --names' 'user edit x --uses many' 'user import' 'user import a b' 'user import a' 'user verify' 'init a b' 'ra add x' 'secret add' 'secret add x --expires 0s' \
		'secret add x --expires soon' 'kek add' 'kek add a b' 'request list --state nonsense' 'request list --json --csv' \
		'request show' 'request approve' 'request deny 01234567' 'request delete' 'profile show' 'device add' 'device add a b' \
		'device show' 'device delete' 'device block' 'device unblock' 'device list x' 'device list --state old'; do
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
	run -3 est_admin profile show nobody
	run -3 est_admin ra show nobody
	run -3 est_admin ra delete nobody
	run -3 est_admin ra add x --names '*' --label nowhere
	run -3 est_admin device show nobody
	run -3 est_admin device delete nobody
	run -3 est_admin device block nobody
	run -3 est_admin device unblock nobody
	run -3 est_admin device add x --label nowhere
	run -3 est_admin device list --label nowhere
	run -3 est_admin secret delete nobody
	run -3 est_admin secret add x --label nowhere
	run -3 est_admin kek delete nobody
	run -3 est_admin request show 0123456789abcdef
	run -3 est_admin request approve 0123456789abcdef
	run -3 est_admin request deny 0123456789abcdef --reason no
	run -3 est_admin request delete 0123456789abcdef
	run -3 est_admin request list --label nowhere
	run -3 est_admin cert revoke 00ff00 --challenge-file <(echo text)
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

@test "a registration authority is no user, and no user is one" {
	local words
	run -0 est_admin ra add RA-1 --names 'pump-*.example,valve-*.example' --label -
	run -1 est_admin ra add RA-1 --names '*'
	assert_output 'est-admin: there is already a registration authority "RA-1"'
	run -1 est_admin ra add $'a\nb' --names '*'
	run -1 est_admin ra add '' --names '*'
	json ra show RA-1
	assert_equal "$(jq -c '[.name, .names, .labels]' <<<"$output")" '["RA-1",["pump-*.example","valve-*.example"],[""]]'
	run -3 est_admin ra show ra-1 # the name is that in the certificate
	json ra list
	assert_equal "$(jq -r .name <<<"$output")" RA-1
	run -0 est_admin ra list
	assert_line --regexp '^RA-1 +- +pump-\*\.example,valve-\*\.example$'
	run -0 est_admin ra list --csv
	assert_line --index 0 $'name,names,labels,created_at\r'
	assert_line --index 1 --regexp "^RA-1,\"pump-\\*\\.example,valve-\\*\\.example\",\"'-\",20"
	run -0 est_admin user list
	refute_output --partial RA-1
	for words in 'user show' 'user delete'; do
		# shellcheck disable=SC2086 # words on purpose
		run -3 est_admin $words ra:RA-1
	done
	echo secret >password
	run -3 est_admin user password ra:RA-1 --password-file password
	run -1 est_admin user add ra:RA-2 --names '*' --password-file password
	run -0 est_admin ra delete RA-1
	json ra list
	assert_equal "$output" ''
}

# est.conf with more labels, for est-admin and the plain CGI program, over the same store as that which is served.
more_labels() { # LABEL...
	local IFS=,
	sed -e '/^label = (/,$d' "$EST_CONFIG" >"$E2E/est/more.conf"
	sed -i 's/^profile = (/&\n{ name = "ra"; extended_key_usage = [ "clientAuth", "cmcRA" ]; },/' "$E2E/est/more.conf"
	printf 'label = (\n%s );\n' "$*" >>"$E2E/est/more.conf"
	EST_CONFIG=$E2E/est/more.conf
}

@test "T-18 what ra add says, the registration authority may ask for, and nothing else" {
	more_labels "$(label '' devices device '"certificate"' 'certificates_from = [ "ra" ];')" "$(label ra devices ra '"basic"')"
	request registrar
	cgi_post ra/simpleenroll registrar.b64 "$(basic any)"
	assert_equal "$CODE: $(head -c 300 body)" "200: $(head -c 300 body)"
	certificate registrar.pem
	by_certificate registrar.pem
	request pump-60
	request valve-60
	cgi_post simpleenroll pump-60.b64 "${BY[@]}"
	assert_refused 403 '^auth:name: '
	run -0 est_admin ra add registrar.example --names 'pump-*.example' --label -
	cgi_post simpleenroll valve-60.b64 "${BY[@]}"
	assert_refused 403 '^auth:name: '
	cgi_post simpleenroll pump-60.b64 "${BY[@]}"
	assert_issued pump-60.key
	request pump-61
	run -0 est_admin ra delete registrar.example
	cgi_post simpleenroll pump-61.b64 "${BY[@]}"
	assert_refused 403 '^auth:name: '
	run -0 est_admin ra add registrar.example --names 'pump-*.example' --label ra
	cgi_post simpleenroll pump-61.b64 "${BY[@]}"
	assert_refused 403 '^auth:name: '
}

@test "a one-time secret is shown once, has 128 bits or more, and is one for a name in any letter case" {
	local secret
	run -0 --separate-stderr est_admin secret add Valve-50.example --label - --expires 12h
	secret=$(sed -n 's/^secret *//p' <<<"$output")
	assert_regex "$secret" '^[0-9a-hjkmnp-tv-z]{32}$'
	assert_line 'label    -'
	run -1 est_admin secret add valve-50.EXAMPLE
	refute_output --partial "$secret"
	run -0 est_admin secret list
	assert_line --regexp '^Valve-50\.example +- +unused +20[^ ]+Z +-$'
	refute_output --partial "$secret"
	json secret list
	assert_equal "$(jq -r '[.name, .label, .state, (.expires_at | fromdate) - (.created_at | fromdate)] | map(tostring) | join(" ")' <<<"$output")" \
		'Valve-50.example  unused 43200'
	refute_output --partial "$secret"
	run -0 --separate-stderr est_admin --json secret add valve-50.EXAMPLE --replace
	assert_not_equal "$(jq -r .secret <<<"$output")" "$secret"
	assert_equal "$(jq -r '[.label, (.expires_at | fromdate) - (.created_at | fromdate)] | map(tostring) | join(" ")' <<<"$output")" 'null 604800'
	assert_equal "$(est_admin --json secret list | wc -l)" 1
	run -0 est_admin secret delete VALVE-50.example
	json secret list
	assert_equal "$output" ''
	run -1 est_admin secret add ''
	run -1 est_admin secret add $'a\tb'
}

@test "a shared key comes from a file or is made, and is not listed" {
	local made word
	run -0 --separate-stderr est_admin kek add kek-01
	assert_line 'id   kek-01'
	made=$(sed -n 's/^key  //p' <<<"$output")
	assert_regex "$made" '^[0-9a-f]{64}$'
	run -1 est_admin kek add kek-01
	refute_output --partial "$made"
	echo 000102030405060708090A0B0C0D0E0F >short
	run -0 est_admin kek add 0x00FF --key-file short
	assert_output ''
	printf '%24s' x | base64 >medium
	run -0 est_admin kek add kek-24 --key-file medium
	run -0 est_admin kek add 0x6b656b2d3136 --key-file - <short
	json kek list
	assert_equal "$(jq -c '[.id, .id_hex, .octets]' <<<"$output" | sort | tr '\n' ' ')" \
		'["0x00ff","00ff",16] ["kek-01","6b656b2d3031",32] ["kek-16","6b656b2d3136",16] ["kek-24","6b656b2d3234",24] '
	refute_output --partial "$made"
	run -0 est_admin kek list
	assert_line --regexp ' +24 +kek-24$'
	for word in 0011 zz 000102030405060708090A0B0C0D0E0F00 ''; do
		echo "$word" >wrong
		run -1 est_admin kek add wrong --key-file wrong
		refute_output --partial 0001
	done
	for word in 0x 0xf 0xgg '' "$(printf '%65s' x)"; do run -1 est_admin kek add "$word" --key-file short; done
	run -0 est_admin kek add "$(printf '%64s' x)" --key-file short
	run -0 est_admin kek delete "0x$(printf '%64s' x | od -An -v -tx1 | tr -d ' \n')"
	for word in kek-01 0x00ff kek-16 0x6b656b2d3234; do run -0 est_admin kek delete "$word"; done
	json kek list
	assert_equal "$output" ''
}

@test "what waits for approval is listed, shown, and decided by who is known to have" {
	local id word
	more_labels "$(label '' devices device '"basic"' 'approval = [ "simpleenroll" ];')" \
		"$(label late devices permissive '"basic"' 'approval = [ "simpleenroll" ]; approval_expiry = "60s"; approval_keep = "60s";')"
	request pump-50 DNS:pump-50.example
	cgi_post simpleenroll pump-50.b64 "$(basic pump)"
	assert_equal "$CODE" 202
	key RSA-2048 odd.key
	csr odd.key /CN=motor.example | b64 >odd.b64
	cgi_post late/simpleenroll odd.b64 "$(basic any)"
	assert_equal "$CODE: $(cat body)" "202: $(cat body)"

	json request list
	assert_equal "$(jq -s length <<<"$output")" 2
	json request list --label -
	assert_equal "$(jq -c '[.state, .label, .profile, .operation, .identity, .name, .subject, .names, .key, .spki_sha256]' <<<"$output")" \
		"[\"waiting\",\"\",\"device\",\"simpleenroll\",\"user:pump\",\"pump-50.example\",\"CN=pump-50.example\",[\"dns:pump-50.example\"],\"P-256\",\"$(openssl pkey -in pump-50.key -pubout -outform DER | sha256sum | cut -d ' ' -f 1)\"]"
	id=$(jq -r .id <<<"$output")
	run -0 est_admin request list
	assert_line --regexp "^${id:0:16} +waiting +20[^ ]+Z +- +simpleenroll +user:pump +pump-50\.example$"
	run -0 est_admin request list --csv
	assert_line --index 0 --regexp '^id,state,label,'
	assert_equal "$(wc -l <<<"$output")" 3
	run -0 est_admin request show "${id:0:8}"
	for word in "id +$id" 'state +waiting' 'asked by +user:pump' 'names +dns:pump-50\.example' 'key +P-256' 'asked +20.*Z, [0-9]+ s ago' \
		'content sha +[0-9a-f]{64}' 'expires +20.*Z, in [67] d'; do assert_line --regexp "^$word$"; done
	est_admin request show "$id" --csr >out.pem
	assert_equal "$(openssl req -in out.pem -outform DER | sha256sum)" "$(sha256sum <pump-50.csr)"

	run -1 est_admin request show "${id:0:7}"
	run -1 est_admin request deny "$id" --reason $'a\nb'
	run -1 est_admin request deny "$id" --reason "$(printf '%256s' x)"
	SUDO_USER=alice run -0 est_admin --json request approve "$id"
	assert_equal "$(jq -r '.state + " " + .decided_by' <<<"$output")" 'approved admin:alice'
	run -1 est_admin request approve "$id"
	json request list --state approved
	assert_equal "$(jq -r .id <<<"$output")" "$id"
	cgi_post simpleenroll pump-50.b64 "$(basic pump)"
	assert_issued pump-50.key
	json request list --state issued
	assert_equal "$(jq -r '.id + " " + .serial' <<<"$output")" "$id $(serial issued.pem)"

	json request list
	SUDO_USER=$'a\nb' run -0 est_admin --json request deny "$(jq -r .id <<<"$output")" --reason 'not this month'
	assert_equal "$(jq -r '[.state, .decided_by, .reason] | join(" ")' <<<"$output")" "denied admin:$(id -un) not this month"
	cgi_post late/simpleenroll odd.b64 "$(basic any)"
	assert_refused 403 '^approval:denied: .*not this month$'
	json request list
	assert_equal "$output" ''
}

@test "R-09 a request is deleted in any state, and the same one waits anew" {
	local id state
	more_labels "$(label '' devices device '"basic"' 'approval = [ "simpleenroll" ];')"
	request pump-51
	for state in waiting approved denied; do
		cgi_post simpleenroll pump-51.b64 "$(basic pump)"
		assert_equal "$CODE: $(cat body)" "202: $(cat body)"
		json request list
		id=$(jq -r .id <<<"$output")
		[ "$state" != approved ] || est_admin request approve "$id"
		[ "$state" != denied ] || est_admin request deny "$id" --reason 'not this month'
		run -1 est_admin request delete "${id:0:7}"
		run -0 est_admin request delete "${id:0:12}"
		assert_output ''
		run -3 est_admin request delete "$id"
		json request list --state "$state"
		refute_output --partial "$id"
	done
	cgi_post simpleenroll pump-51.b64 "$(basic pump)"
	assert_equal "$CODE" 202
	run -3 est_admin request delete "$id" # that was another entry
	json request list
	run -0 est_admin request delete "$(jq -r .id <<<"$output")"
	run -0 est_admin store check
}

@test "a generated key that was lost: who deletes the request lets the device wait for another one" {
	local id first
	more_labels "$(label '' devices device '"basic"' 'operations = [ "serverkeygen" ]; approval = [ "serverkeygen" ]; generated_key = "P-384";')"
	request pump-52
	cgi_post serverkeygen pump-52.b64 "$(basic pump)"
	assert_equal "$CODE: $(head -c 200 body)" "202: $(head -c 200 body)"
	json request list
	id=$(jq -r .id <<<"$output")
	# the kind that will be made, and nothing of the key in the request
	assert_equal "$(jq -c '[.operation, .key, has("spki_sha256")]' <<<"$output")" '["serverkeygen","P-384",false]'
	run -0 est_admin request show "$id"
	assert_line --regexp '^key +P-384, made here$'
	refute_output --partial "$(openssl pkey -in pump-52.key -pubout -outform DER | sha256sum | cut -d ' ' -f 1)"
	est_admin request approve "$id"
	cgi_post serverkeygen pump-52.b64 "$(basic pump)"
	assert_equal "$CODE" 200
	first=$(est_admin --json request show "$id" | jq -r .serial)
	cgi_post serverkeygen pump-52.b64 "$(basic pump)"
	assert_refused 403 '^approval:taken: .*est-admin request delete'
	run -0 est_admin request delete "$id"
	cgi_post serverkeygen pump-52.b64 "$(basic pump)"
	assert_equal "$CODE" 202
	json request list
	id=$(jq -r .id <<<"$output")
	est_admin request approve "$id"
	cgi_post serverkeygen pump-52.b64 "$(basic pump)"
	assert_equal "$CODE" 200
	assert_not_equal "$(est_admin --json request show "$id" | jq -r .serial)" "$first"
	json cert show "$first"
	assert_equal "$(jq -r .status <<<"$output")" valid
}

@test "the challenges of a request that waits are masked, and the rest is as it came" {
	local id
	more_labels "$(label '' devices device '"basic"' 'approval = [ "simpleenroll" ]; challenge = "ignore";')"
	key P-256 pump-53.key
	printf '%s\n' '[req]' distinguished_name=dn attributes=at prompt=no '[dn]' CN=pump-53.example '[at]' challengePassword=sesame-open-47 >req.cnf
	openssl req -new -key pump-53.key -config req.cnf -outform DER >pump-53.csr
	b64 <pump-53.csr >pump-53.b64
	cgi_post simpleenroll pump-53.b64 "$(basic pump)"
	assert_equal "$CODE: $(cat body)" "202: $(cat body)"
	json request list
	id=$(jq -r .id <<<"$output")
	assert_equal "$(jq -r .key <<<"$output")" P-256
	est_admin request show "$id" --csr >out.pem
	openssl req -in out.pem -outform DER >out.der
	assert_equal "$(sed 's/\*\{14\}/sesame-open-47/' <out.der | sha256sum)" "$(sha256sum <pump-53.csr)"
	run ! grep -aq sesame out.der
	run -0 est_admin request delete "$id"
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
	wrong 's/"secret", "certificate"/"magic"/' magic
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
