#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154,SC2238 # every test is a subshell of its own; hashes have dollars; head is a file
# accounts.bats - users: import from htpasswd files, roles, ends, uses and labels, at the shell and over HTTP.
# T-12, T-20, X-06; F5.

load instance

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# --- hashes that other programs made ---

# With the C library of the system, which is not the program under test.
crypted() { # PASSWORD SETTING
	perl -e 'print crypt($ARGV[0], $ARGV[1]), "\n"' "$1" "$2"
}

sha512() { openssl passwd -6 -salt "${2-saltstring}" "$1"; }

BCRYPT_SALT=KBCwKxOzLha2MUDgW0PjXe # 22 characters
# argon2's own program, of the password "Hello world!".
ARGON2ID='$argon2id$v=19$m=256,t=2,p=4$c29tZXNhbHQxMjM0NTY3OA$mL3NxefWRhOIPUL9gG7esjUUXcXU3rvp0uGHJbdaqgU'
ARGON2I='$argon2i$v=19$m=64,t=3,p=1$c29tZXNhbHQ$Bnpj+1uN+jRVgH5NKbD25g'

has_argon2() { ldd "$EST_BUILD/est-admin" | grep -q libargon2; }

import() { # EXIT FILE [OPTION...]
	run "-$1" --separate-stderr est_admin user import "$2" "${@:3}"
}

hash_of() { est_admin --json user show "$1" | jq -r .hash; }
field() { est_admin --json user show "$1" | jq -c ".$2"; } # NAME MEMBER

@test "an htpasswd file of every kind: each line is taken or refused for a reason of its own" {
	local i=0 kinds=6 name password=CANARY-import-5f0e
	cat >htpasswd <<-END
		# made by several programs
		of-sha512:$(sha512 "$password")

		of-rounds:$(crypted "$password" '$6$rounds=1000$saltstring')
		  of-2a:$(crypted "$password" "\$2a\$05\$$BCRYPT_SALT")
		of-2b:$(crypted "$password" "\$2b\$05\$$BCRYPT_SALT")
		of-2y:$(crypted "$password" "\$2y\$05\$$BCRYPT_SALT")
		of-yescrypt:$(crypted "$password" '$y$j75$k2XAnEHBqQ1Ct2aMXFKNa/')
		md5:$(openssl passwd -apr1 "$password")
		sha1:{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00=
		des:a9XAWAYnVXkH6
		plain:$password
		locked:!
		nothing:
		costly:\$2y\$15\$$BCRYPT_SALT$(printf 'x%.0s' {1..31})
		rounds:\$6\$rounds=5000001\$saltstring\$$(printf 'x%.0s' {1..86})
		:$(sha512 "$password")
		no colon at all
		two:$(sha512 "$password"):more
		of-sha512:$(sha512 other)
		pump:$(sha512 "$password")
	END
	sed -i 's/^of-2b.*/&\r/' htpasswd
	if has_argon2; then
		printf 'of-argon2id:%s\nof-argon2i:%s\nmuch:%s\n' "$ARGON2ID" "$ARGON2I" "${ARGON2ID/m=256/m=262145}" >>htpasswd
		kinds=8
	else
		printf 'of-argon2id:%s\n' "$ARGON2ID" >>htpasswd
	fi
	before=$(est_admin --json user list | wc -l)

	import 1 htpasswd --names '{user}.example,pump-*.example' --label -,basic --dry-run
	assert_output --partial "$kinds added, 0 replaced, "
	assert_equal "$(est_admin --json user list | wc -l)" "$before"

	import 1 htpasswd --names '{user}.example,pump-*.example' --label -,basic
	assert_regex "$output" "^$kinds added, 0 replaced, 1[34] refused$"
	assert_equal "$(est_admin --json user list | wc -l)" "$((before + kinds))"
	refused() { grep -qE "line $1[,:].*$2" <<<"$stderr" || fail "line $1: $2 is not in $stderr"; }
	refused 9 '"md5": .*MD5.*htpasswd -B'
	refused 10 '"sha1": .*SHA-1'
	refused 11 '"des": .*DES'
	refused 12 '"plain": .*plain text'
	refused 13 '"locked": .*locked'
	refused 14 '"nothing": .*no hash'
	refused 15 '"costly": .*cost 15.*14 at most'
	refused 16 '"rounds": .*5000001 rounds.*5000000 at'
	refused 17 'no name'
	refused 18 'no colon'
	refused 19 'second colon'
	refused 20 '"of-sha512": .*line 2 already'
	refused 21 '"pump": .*already.*--replace'
	if has_argon2; then
		refused 24 '"much": .*256 MiB'
	else
		refused 22 'libargon2'
	fi
	# What may be a password in plain text is nowhere, nor is a hash.
	refute [ "$(grep -cE "CANARY|saltstring|$BCRYPT_SALT" <<<"$stderr$output")" != 0 ]
	run -1 grep -rqE "$password" "$E2E/est/state" "$LOG" "$E2E/log"

	assert_equal "$(field of-2y names)" '["of-2y.example","pump-*.example"]'
	assert_equal "$(field of-2y labels)" '["","basic"]'
	assert_equal "$(field of-2y roles)" '["enroll"]'
	assert_equal "$(hash_of of-2a) $(hash_of of-2b) $(hash_of of-2y)" 'bcrypt bcrypt bcrypt'
	assert_equal "$(hash_of of-sha512) $(hash_of of-rounds) $(hash_of of-yescrypt)" 'sha512-crypt sha512-crypt yescrypt'

	# Each logs in, for its own name and no other, and has a hash as user add makes it from then on.
	for name in of-sha512 of-rounds of-2a of-2b of-2y of-yescrypt of-argon2id of-argon2i; do
		case $name in
		of-argon2*)
			has_argon2 || continue
			password='Hello world!'
			assert_equal "$(hash_of "$name")" "${name#of-}"
			;;
		esac
		request "$name"
		post simpleenroll "$name.b64" -u "$name:x$password"
		assert_refused 401 '^auth:password: '
		refute [ "$(hash_of "$name")" = yescrypt ] || [ "$name" = of-yescrypt ]
		post simpleenroll "$name.b64" -u "$name:$password"
		assert_equal "$name: $CODE $(head -c 200 body)" "$name: 200 $(head -c 200 body)"
		assert_equal "$name $(hash_of "$name")" "$name yescrypt"
		request "pump-8$((++i))"
		post basic/simpleenroll "pump-8$i.b64" -u "$name:$password"
		assert_equal "$name: $CODE" "$name: 200"
		post basic/simpleenroll "pump-8$i.b64" -u "$name:x$password"
		assert_refused 401 '^auth:password: '
		request another
		post simpleenroll another.b64 -u "$name:$password"
		assert_refused 403 '^auth:name: '
		post second/simpleenroll another.b64 -u "$name:$password"
		assert_refused 401 '^auth:password: '
	done
	run -0 est_admin user verify of-yescrypt --password-file <(echo CANARY-import-5f0e)
	assert_output 'the password is right; the user is active'
	run -1 grep -rqE "$password" "$LOG" "$E2E/log"
}

@test "an import replaces users that are there only where that is wanted, and then wholly" {
	user gauge first 'gauge-*.example' --label second --uses 5 --roles enroll,audit
	printf 'gauge:%s\n' "$(sha512 second)" >htpasswd
	import 1 htpasswd --names 'meter-*.example'
	assert_equal "$(field gauge names)" '["gauge-*.example"]'
	run -0 est_admin user verify gauge --password-file <(echo first)
	import 0 htpasswd --names 'meter-*.example' --replace --dry-run
	assert_output 'this would be: 0 added, 1 replaced, 0 refused'
	run -0 est_admin user verify gauge --password-file <(echo first)
	import 0 htpasswd --names 'meter-*.example' --replace --expires 2d --uses 7 --roles enroll
	assert_output '0 added, 1 replaced, 0 refused'
	assert_equal "$(est_admin --json user show gauge | jq -c '[.names, .labels, .roles, .uses, .uses_most, .state, .hash]')" \
		'[["meter-*.example"],[],["enroll"],0,7,"active","sha512-crypt"]'
	assert_equal "$(($(date -ud "$(field gauge expires_at | tr -d '"')" +%s) / 100))" "$((($(date +%s) + 2 * 86400) / 100))"
	run -0 est_admin user verify gauge --password-file <(echo second)
	run -4 est_admin user verify gauge --password-file <(echo first)
}

@test "an import in JSON Lines: an object for each line, and one with the counts" {
	printf 'json-1:%s\njson-2:plain\njson-1:%s\n' "$(sha512 one)" "$(sha512 two)" >htpasswd
	run -1 --separate-stderr est_admin --json user import - --names '*' <htpasswd
	assert_equal "$(jq -sc 'map([.line, .name, .result, (.reason | type)])' <<<"$(grep line <<<"$output")")" \
		'[[1,"json-1","added","null"],[2,"json-2","refused","string"],[3,"json-1","refused","string"]]'
	assert_equal "$(tail -1 <<<"$output" | jq -c .)" '{"added":1,"replaced":0,"refused":2,"dry_run":false}'
	assert_equal "$(grep -c . <<<"$stderr")" 1
}

@test "an import of what is hostile changes nothing and shows nothing as it is" {
	local before
	before=$(est_admin --json user list | wc -l)
	{
		printf 'esc\033[2J:%s\n' "$(sha512 x)"
		printf 'latin-\xfc:%s\n' "$(sha512 x)"
		printf 'rlo-\xe2\x80\xae:%s\n' "$(sha512 x)"
		printf 'nul-\0:%s\n' "$(sha512 x)"
		printf '%s:%s\n' "$(printf 'x%.0s' {1..256})" "$(sha512 x)"
		printf 'long:%s\n' "$(printf 'x%.0s' {1..100000})"
		printf 'esc:\033]0;x\a%s\n' "$(sha512 x)"
		printf 'a*:%s\n' "$(sha512 x)"
		printf 'dollar:$%s\n' '%n%n%s$'
		head -c 1000 /dev/urandom | tr -d '\n'
	} >htpasswd
	import 1 htpasswd --names '{user}.example'
	assert_output '0 added, 0 replaced, 10 refused'
	assert_equal "$(grep -c '^est-admin: line ' <<<"$stderr")" 10
	refute [ "$(LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f\x7f]|\xe2\x80\xae' <<<"$stderr")" != 0 ]
	assert_regex "$stderr" 'line 8, "a\*": .*\*.*\{user\}'
	run -1 --separate-stderr est_admin --json user import htpasswd --names '{user}.example'
	assert_equal "$(jq -r 'select(.result == "refused") | .line' <<<"$output" | wc -l)" 10
	refute [ "$(LC_ALL=C grep -cP '[^\x20-\x7e]' <<<"$output")" != 0 ]
	assert_equal "$(est_admin --json user list | wc -l)" "$before"
	# An asterisk is fine where it becomes no pattern; and a mark of UTF-8 in front belongs to nobody's name.
	printf '\xef\xbb\xbfa*:%s\r\n' "$(sha512 x)" >htpasswd
	import 0 htpasswd --names 'a.example'
	assert_equal "$(field 'a*' names)" '["a.example"]'
	run -0 est_admin user delete 'a*'
	: >htpasswd
	import 0 htpasswd --names '*'
	assert_output '0 added, 0 replaced, 0 refused'
}

@test "an import with options that cannot be, or without a file, does nothing" {
	printf 'never:%s\n' "$(sha512 x)" >htpasswd
	import 2 htpasswd
	import 2 htpasswd --names '*' --roles enrol
	import 2 htpasswd --names '*' --expires soon
	import 2 htpasswd --names '*' --expires 0s
	import 2 htpasswd --names '*' --uses 4294967296
	import 3 htpasswd --names '*' --label nowhere
	import 3 nowhere --names '*'
	run -3 est_admin user show never
}

@test "user add and edit: roles, end, uses, labels, and a user without a password" {
	user clerk first 'x.example' --roles enroll,operate --expires 30d --uses 3 --label -,second
	assert_equal "$(est_admin --json user show clerk | jq -c '[.roles, .uses, .uses_most, .labels, .state, .hash]')" \
		'[["enroll","operate"],0,3,["","second"],"active","yescrypt"]'
	run -0 est_admin user show clerk
	assert_line 'roles    enroll,operate'
	assert_line 'state    active'
	assert_line 'uses     0/3'
	assert_line 'hash     yescrypt'
	assert_line --regexp '^expires  20..-..-..T'
	run -0 est_admin user list
	assert_line --regexp '^clerk +active +yescrypt +20[^ ]+Z +0/3 +enroll,operate +-,second +x\.example$'
	est_admin user list --csv >list.csv
	assert_equal "$(head -1 list.csv)" $'name,names,labels,created_at,roles,state,expires_at,uses,uses_most,hash\r'
	run -0 grep '^clerk' list.csv
	assert_output --regexp $'^clerk,x\\.example,"\'-,second",20[^,]+Z,"enroll,operate",active,20[^,]+Z,0,3,yescrypt\r$'
	refute [ "$(est_admin --json user list | grep -c '\$y\$')" != 0 ]

	run -2 est_admin user edit clerk
	run -3 est_admin user edit nobody --uses 1
	run -0 est_admin user edit clerk --roles audit
	assert_equal "$(est_admin --json user show clerk | jq -c '[.names, .roles, .uses_most, .labels, .hash]')" \
		'[["x.example"],["audit"],3,["","second"],"yescrypt"]'
	run -0 est_admin user edit clerk --expires never --uses 0 --label '*' --names 'y.example,{user}.example'
	assert_equal "$(est_admin --json user show clerk | jq -c '[.names, .expires_at, .uses_most, .labels]')" \
		'[["y.example","clerk.example"],null,null,[]]'
	run -0 est_admin user verify clerk --password-file <(echo first)
	run -0 est_admin user edit clerk --no-password
	assert_equal "$(hash_of clerk)" none
	for word in first '*' ''; do run -4 est_admin user verify clerk --password-file <(echo "${word:-x}"); done

	run -0 est_admin user add porter --names '*' --no-password
	assert_equal "$(hash_of porter)" none
	run -2 est_admin user add other --names '*' --no-password --password-file <(echo x)
	run -2 est_admin user add other --names '*' --no-password --roles ''
	run -2 est_admin user add other --names '*' --no-password --roles enroll,admin
	run -2 est_admin user add other --roles enroll --no-password
	run -0 est_admin user add auditor --roles audit --no-password # asks for no names
	for word in '*' x ''; do
		request pump-70
		post simpleenroll pump-70.b64 -u "porter:$word"
		assert_refused 401 '^auth:password: '
	done
}

@test "F6 a user without a password is added in lower-case letters alone, and one with a password as it is written" {
	local name written
	for name in Alice ALICE 'alice B' aLice@works.example; do
		run -1 est_admin user add "$name" --names '*' --no-password
		assert_output "est-admin: the web server's users are compared in lower-case letters: write ${name,,}"
		for written in "$name" "${name,,}"; do run -3 est_admin user show "$written"; done
	done
	run -0 est_admin user add alice --names '*' --no-password
	assert_equal "$(hash_of alice)" none
	# A name that has no capitals of ASCII is its own lower-case one.
	run -0 est_admin user add 'jürgen-7@works.example' --names '*' --no-password
	user Alice "$PASSWORD" 'pump-*.example'
	assert_equal "$(field Alice name) $(hash_of Alice)" '"Alice" yescrypt'
	request pump-76
	post simpleenroll pump-76.b64 -u "Alice:$PASSWORD"
	assert_equal "$CODE" 200
	for name in alice ALICE; do
		post simpleenroll pump-76.b64 -u "$name:$PASSWORD"
		assert_refused 401 '^auth:password: '
	done
}

@test "verify says right, wrong, nobody, expired and spent" {
	user watcher CANARY-watch '*' --expires 1s
	sleep 1.1
	run -0 est_admin user verify watcher --password-file <(echo CANARY-watch)
	assert_output 'the password is right; the user is expired'
	run -4 est_admin user verify watcher --password-file <(echo CANARY-wrong)
	assert_output 'est-admin: the password is wrong; the user is expired'
	run -3 est_admin user verify nobody --password-file <(echo x)
	run -2 est_admin user verify watcher </dev/null
	run -4 --separate-stderr est_admin --json user verify watcher --password-file <(echo CANARY-wrong)
	assert_equal "$(jq -c . <<<"$output")" '{"name":"watcher","right":false,"state":"expired","hash":"yescrypt"}'
	run -0 --separate-stderr est_admin --json user verify watcher --password-file <(echo CANARY-watch)
	assert_equal "$(jq -c .right <<<"$output")" true
}

@test "T-20 an account that has expired is nobody, and can be renewed" {
	user visitor "$PASSWORD" 'pump-*.example' --expires 2s
	request pump-71
	post simpleenroll pump-71.b64 -u "visitor:$PASSWORD"
	assert_equal "$CODE" 200
	sleep 2.1
	request pump-72
	post simpleenroll pump-72.b64 -u "visitor:$PASSWORD"
	assert_refused 403 '^auth:expired: '
	post simpleenroll pump-72.b64 -u visitor:wrong
	assert_refused 401 '^auth:password: '
	assert_equal "$(field visitor state)" '"expired"'
	run -0 est_admin user edit visitor --expires 1h
	post simpleenroll pump-72.b64 -u "visitor:$PASSWORD"
	assert_equal "$CODE" 200
}

@test "a user who may not enroll gets no certificate, whatever else it may do" {
	local role
	user officer "$PASSWORD" '*' --roles operate,audit,administer
	request pump-73
	post simpleenroll pump-73.b64 -u "officer:$PASSWORD"
	assert_refused 403 '^auth:role: '
	post simpleenroll pump-73.b64 -u "officer:wrong"
	assert_refused 401 '^auth:password: '
	for role in operate audit administer; do
		run -0 est_admin user edit officer --roles "$role"
		post simpleenroll pump-73.b64 -u "officer:$PASSWORD"
		assert_refused 403 '^auth:role: '
	done
	run -0 est_admin user edit officer --roles enroll,audit
	post simpleenroll pump-73.b64 -u "officer:$PASSWORD"
	assert_equal "$CODE" 200
}

@test "a user of one label is nobody to another, and user edit changes that" {
	user narrow "$PASSWORD" '*' --label basic
	request pump-74
	post simpleenroll pump-74.b64 -u "narrow:$PASSWORD"
	assert_refused 401 '^auth:password: '
	post basic/simpleenroll pump-74.b64 -u "narrow:$PASSWORD"
	assert_equal "$CODE" 200
	run -0 est_admin user edit narrow --label -
	post simpleenroll pump-74.b64 -u "narrow:$PASSWORD"
	assert_equal "$CODE" 200
	post basic/simpleenroll pump-74.b64 -u "narrow:$PASSWORD"
	assert_refused 401 '^auth:password: '
}

@test "T-20 of 20 parallel requests of a user with three uses three get a certificate, and repetitions do not count" {
	local i won=()
	user batch "$PASSWORD" 'batch-*.example' --uses 3
	for i in {1..20}; do
		request "batch-$i"
		mkdir "at-$i"
	done
	for i in {1..20}; do
		(
			cd "at-$i"
			post simpleenroll "../batch-$i.b64" -u "batch:$PASSWORD"
			echo "$CODE $(head -c 60 body | tr -d '\n')" >code
		) 3>&- 4>&- &
	done
	wait
	assert_equal "$(cat at-*/code | grep -c '^200')" 3
	assert_equal "$(cat at-*/code | grep -c '^401 auth:spent: ')" 17
	assert_equal "$(est_admin --json cert list --name 'batch-*.example' | wc -l)" 3
	assert_equal "$(est_admin --json user show batch | jq -c '[.uses, .uses_most, .state]')" '[3,3,"spent"]'
	run -0 est_admin user verify batch --password-file <(echo "$PASSWORD")
	assert_output 'the password is right; the user is spent'
	# Those three, once more: the same certificates; with another key: none.
	for i in {1..20}; do
		grep -q ^200 "at-$i/code" || continue
		won+=("$i")
		post simpleenroll "batch-$i.b64" -u "batch:$PASSWORD"
		assert_equal "$i: $CODE" "$i: 200"
		diff body "at-$i/body"
	done
	key P-256 other.key
	csr other.key "/CN=batch-${won[0]}.example" | b64 >other.b64
	post simpleenroll other.b64 -u "batch:$PASSWORD"
	assert_refused 401 '^auth:spent: '
	assert_equal "$(est_admin --json cert list --name 'batch-*.example' | wc -l)" 3
	# Two more, from then on.
	run -0 est_admin user edit batch --uses 2
	for i in {1..20}; do
		post simpleenroll "batch-$i.b64" -u "batch:$PASSWORD"
		echo "$CODE" >"at-$i/code"
	done
	assert_equal "$(cat at-*/code | grep -c '^200')" 5
	assert_equal "$(est_admin --json cert list --name 'batch-*.example' | wc -l)" 5
	run -0 est_admin user edit batch --uses 0
	post simpleenroll other.b64 -u "batch:$PASSWORD"
	assert_equal "$CODE" 200
}

# The median of the milliseconds in column $1 of ./times.
median() { awk -v who="$1" '$1 == who { print $2 }' times | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

@test "F5 X-06 an unknown user, a wrong password and a user without one take the same time and text" {
	local i who rounds=200 users=(nobody-at-all added imported without) texts
	user added "$PASSWORD" '*'
	printf 'imported:%s\n' "$(sha512 "$PASSWORD")" >htpasswd
	import 0 htpasswd --names '*'
	run -0 est_admin user add without --names '*' --no-password
	request pump-75
	post simpleenroll pump-75.b64 -u "imported:$PASSWORD" # its first right login
	assert_equal "$CODE" 200
	# One connection, the users in turn: what disturbs one of them disturbs all.
	for ((i = 0; i < rounds; i++)); do
		for who in "${users[@]}"; do
			((i == 0)) && [ "$who" = nobody-at-all ] || echo next
			printf 'url = "%s/simpleenroll"\nuser = "%s:wrong-%s"\ndata-binary = "@pump-75.b64"\n' "$URL" "$who" "$i"
			printf 'header = "Content-Type: application/pkcs10"\noutput = "out-%s"\nsilent\n' "$who"
			printf 'cacert = "%s"\nmax-time = 20\n' "$TRUST"
			printf 'write-out = "%s %%{time_starttransfer} %%{time_pretransfer} %%{http_code}\\n"\n' "$who"
		done
	done >config
	timeout 120 curl -K config | awk '{ print $1, 1000 * ($2 - $3), $4 }' >times
	assert_equal "$(awk '{ print $3 }' times | sort | uniq -c | tr -s ' ')" " $((4 * rounds)) 401"
	texts=$(sha256sum out-nobody-at-all out-added out-imported out-without | cut -d ' ' -f 1 | sort -u | wc -l)
	assert_equal "$texts" 1
	local base
	base=$(median nobody-at-all)
	for who in "${users[@]}"; do
		echo "$who: $(median "$who") ms, unknown: $base ms" >&2
		awk -v a="$(median "$who")" -v b="$base" 'BEGIN { exit !(a > 2 && a < 1.2 * b && a > 0.8 * b) }' ||
			fail "$who takes $(median "$who") ms, an unknown user $base ms"
	done
}
