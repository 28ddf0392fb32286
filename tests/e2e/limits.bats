#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# limits.bats - X-05, F13: wrong guesses get slow, by account and by address, and nobody asks more often than the label's
# rates allow; whatever becomes of the workers.

load instance

ACCOUNTS='loud loud2 known known-2 right honest again kept spare'

eval "$(declare -f instance_config | sed '1s/instance_config/usual_config/')"
instance_config() {
	local basic='"basic"'
	echo 'backoff_account = 5; backoff_address = 20; backoff_most = "15m"; backoff_forget = "1h";'
	usual_config | sed '$s/ );$/,/'
	cat <<-END
		$(label secrets devices device '"secret"'),
		$(label identity devices device "$basic" 'rate_identity = "1/h burst 3";'),
		$(label address devices device "$basic" 'rate_address = "1/h burst 3";'),
		$(label all devices device "$basic" 'rate_label = "1/h burst 3";'),
		$(label shared devices device "$basic" 'rate_identity = "1/d burst 40";'),
		$(label quick devices device "$basic" 'rate_identity = "6/m burst 2";'),
		$(label owner devices device '"basic", "certificate"' 'rate_identity = "1/h burst 3";'),
		$(label pair devices device '"certificate-and-basic"' 'rate_identity = "1/h burst 3"; certificates_from = [ "" ];'),
		$(label killed devices device "$basic" 'rate_identity = "1/d burst 3";') );
	END
}

instance_users() {
	local name
	for name in $ACCOUNTS; do user "$name" "$PASSWORD" '*'; done
}

setup_file() { instance_start; }
# The last test has a server of its own, under which those behind it would not find theirs.
teardown_file() {
	[ ! -e "$E2E/restarted" ] || SERVER_PID=$(cat "$E2E/restarted")
	instance_stop
}

# Every test is at addresses of its own, so that none is slowed by the guesses of another: the N-th of it.
at() { AT_ADDRESS=(--interface "127.0.$BATS_TEST_NUMBER.$1"); }

try() { # USER PASSWORD [LABEL]
	post "${3:+$3/}simpleenroll" pump.b64 -u "$1:$2" "${AT_ADDRESS[@]}"
}

# So many requests over as few connections as it takes, so many at once: their statuses in ./codes, sorted and counted.
many() { # COUNT AT_ONCE USER PASSWORD [LABEL]
	curl -sS -Z --parallel-max "$2" --parallel-immediate --max-time 120 --cacert "$TRUST" -H 'Content-Type: application/pkcs10' \
		--data-binary @pump.b64 -u "$3:$4" "${AT_ADDRESS[@]}" -w '%{http_code}\n' -o /dev/null \
		"$URL/${5:+$5/}simpleenroll#[1-$1]" >all 2>errors
	sort all | uniq -c | sed 's/^ *//' >codes
}

count() { awk -v code="$1" '$2 == code { n = $1 } END { print n + 0 }' codes; }

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	request pump-1
	cp pump-1.b64 pump.b64
}

# The answer is 429, for that reason, and says when to come again: within so many seconds.
assert_slowed() { # CODE MOST
	assert_refused 429 "^$1: "
	assert_regex "$(header Retry-After)" '^[1-9][0-9]*$'
	assert [ "$(header Retry-After)" -le "$2" ]
}

assert_tries() { # WANTED USER PASSWORD [LABEL]
	try "${@:2}"
	assert_equal "$2: $CODE" "$2: $1"
}

wrong_tries() { # COUNT USER
	local i
	for ((i = 0; i < $1; i++)); do assert_tries 401 "$2" wrong; done
}

# A wrong guess by the plain CGI program, so that the clock can be what it has to be. It is looked at.
guess() { # OFFSET USER [LABEL]
	at_time "$1"
	cgi_post "${3:+$3/}simpleenroll" pump.b64 "$(password "$2:wrong")" REMOTE_ADDR="${AT_ADDRESS[1]}"
	assert_equal "$1 $2: $CODE" "$1 $2: 401"
	at_time now
}

password() { printf 'HTTP_AUTHORIZATION=Basic %s' "$(printf %s "$1" | base64 -w 0)"; }

# Wrong guesses over a quarter of an hour, each as soon as it may be, up to one that costs 128 seconds, or fewer: that is
# more than a test takes on a busy machine.
slow_account() { # USER [LABEL [STEPS]]
	local offset offsets=(-900s -900s -900s -900s -900s -900s -890s -880s -870s -850s -800s -700s)
	for offset in "${offsets[@]:0:${3:-12}}" now; do guess "$offset" "$1" "${2-}"; done
}

slow_address() {
	local i
	for ((i = 0; i < 15; i++)); do guess -900s "nobody-$i"; done
	for i in -900s -900s -900s -900s -900s -900s -890s -880s -870s -850s -800s -700s now; do guess "$i" "nobody$i-$((n++))"; done
}

@test "F13 X-05 of 1000 wrong passwords the most are not looked at: the account is slowed, others are not" {
	local all=1000
	[ "$SERVER" != cgid ] || all=200 # each is a process there
	at 2
	many "$all" 4 loud wrong
	assert_equal $(($(count 401) + $(count 429))) "$all"
	# Those that cost nothing, then one after 1, 2, 4, ... seconds, and some that several workers saw at once.
	assert [ "$(count 401)" -ge 6 ]
	assert [ "$(count 401)" -le 25 ]
	at 3
	slow_account loud2
	try loud2 "$PASSWORD"
	assert_slowed auth:backoff 128
	at 4 # the account, from wherever
	try loud2 "$PASSWORD"
	assert_slowed auth:backoff 128
	assert_tries 200 any "$PASSWORD"
	assert_tries 200 pump "$PASSWORD" # and others from there
	at 3
	assert_tries 200 any "$PASSWORD"
}

@test "F13 X-05 an address that guesses at one account after the other is slowed, others are not" {
	local n=0
	at 2
	slow_address
	try any "$PASSWORD"
	assert_slowed auth:backoff 128
	assert [ "$(header Retry-After)" -gt 1 ]
	try nobody-new wrong
	assert_slowed auth:backoff 128
	at 3
	assert_tries 200 any "$PASSWORD"
	at 2
	# When it is over, what is right of one's own does not pay for guesses at others.
	at_time +200s
	cgi_post simpleenroll pump.b64 "$(password "any:$PASSWORD")" REMOTE_ADDR="${AT_ADDRESS[1]}"
	assert_equal "$CODE" 200
	guess +201s nobody-last
	try any "$PASSWORD"
	assert_slowed auth:backoff 512
}

@test "X-05 the right password is 429 while the account is slowed, and good again when Retry-After is over" {
	at 2
	slow_account honest '' 8
	try honest "$PASSWORD"
	assert_slowed auth:backoff 8
	sleep "$(header Retry-After)"
	assert_tries 200 honest "$PASSWORD"
	assert_issued pump-1.key
	wrong_tries 5 honest # all of those before are forgotten
	assert_tries 200 honest "$PASSWORD"
}

@test "X-05 a right password before that lets the wrong ones be forgotten" {
	at 2
	wrong_tries 5 right
	assert_tries 200 right "$PASSWORD"
	at 3
	wrong_tries 5 right
	assert_tries 200 right "$PASSWORD"
}

# What of the answer does not depend on the time.
stripped() { sed -E '/^date:/Id; s/^(Retry-After|Content-Length): [0-9]+/\1/I' head && sed -E 's/[0-9]+/N/g' body; }

@test "X-06 an account that there is not is slowed as one that there is, in the same words" {
	local user
	for user in known unknown; do
		at 2
		try "$user-2" wrong
		stripped >"$user.wrong"
		at 3
		slow_account "$user"
		try "$user" wrong
		assert_slowed auth:backoff 256
		stripped >"$user.slow"
	done
	diff known.wrong unknown.wrong
	diff known.slow unknown.slow
}

@test "F13 guesses at a device's one-time secret are slowed as well" {
	local secret
	run -0 est_admin --json secret add pump-1.example --label secrets
	secret=$(jq -r .secret <<<"$output")
	run -0 est_admin --json secret add pump-2.example --label secrets
	at 2
	try pump-2.example "$(jq -r .secret <<<"$output" | sed 's/.$//')" secrets
	assert_refused 401
	try pump-2.example "$secret" secrets
	assert_refused 401
	at 3
	slow_account pump-1.example secrets 8
	at 4
	try pump-1.example "$secret" secrets
	assert_slowed auth:backoff 8
	sleep "$(header Retry-After)"
	try pump-1.example "$secret" secrets
	assert_issued pump-1.key
}

@test "a rate per identity: exactly so many at once, for each of them, from wherever" {
	at 2
	many 10 1 any "$PASSWORD" identity
	assert_equal "$(cat codes)" $'3 200\n7 429'
	at 3
	try any "$PASSWORD" identity
	assert_slowed auth:rate 3600
	assert [ "$(header Retry-After)" -gt 3500 ]
	assert_tries 200 pump "$PASSWORD" '' # another label
	at 2
	many 5 1 spare "$PASSWORD" identity
	assert_equal "$(cat codes)" $'3 200\n2 429'
}

# A device of the default label: NAME.key and NAME.pem.
device() { # NAME
	request "$1"
	enroll "$1.b64"
	assert_equal "$CODE" 200
	certificate "$1.pem"
}

# By a new key: a certificate for the device, which it comes with from then on.
renew() { # WANTED DEVICE LABEL/OPERATION [OPTION of curl...]
	key P-256 next.key
	csr next.key "/CN=$2.example" | b64 >next.b64
	post "$3" next.b64 --cert "$2.pem" --key "$2.key" "${AT_ADDRESS[@]}" "${@:4}"
	assert_equal "$2: $CODE" "$2: $1"
	[ "$CODE" = 200 ] || return 0
	certificate "$2.pem"
	cp next.key "$2.key"
}

@test "a rate per identity holds a device through all its renewals, with whichever of its certificates" {
	local i
	at 2
	for i in 2 3; do
		request "pump-$i"
		post owner/simpleenroll "pump-$i.b64" -u "any:$PASSWORD" "${AT_ADDRESS[@]}"
		assert_equal "$CODE" 200
		certificate "pump-$i.pem"
	done
	cp pump-2.pem first.pem
	cp pump-2.key first.key
	# The user has paid for the first certificates, and the device pays for what it does with them.
	renew 200 pump-2 owner/simplereenroll
	renew 200 pump-2 owner/simpleenroll
	renew 200 pump-2 owner/simplereenroll
	for i in simplereenroll simpleenroll; do
		renew 429 pump-2 owner/$i
		assert_slowed auth:rate 3600
	done
	cp first.pem pump-2.pem
	cp first.key pump-2.key
	at 3
	renew 429 pump-2 owner/simplereenroll
	assert_slowed auth:rate 3600
	# Another device, another rate; and the user's third is left.
	renew 200 pump-3 owner/simplereenroll
	assert_tries 200 any "$PASSWORD" owner
	assert_tries 429 any "$PASSWORD" owner
}

@test "a rate per identity holds a user beside any certificate, and a device beside any user" {
	local i
	at 2
	for i in 11 12 13 14 15; do device "pump-$i"; done
	for i in 11 12 13; do renew 200 "pump-$i" pair/simpleenroll -u "kept:$PASSWORD"; done
	for i in 14 11; do
		renew 429 "pump-$i" pair/simpleenroll -u "kept:$PASSWORD"
		assert_slowed auth:rate 3600
	done
	for i in any spare pump; do renew 200 pump-15 pair/simpleenroll -u "$i:$PASSWORD"; done
	renew 429 pump-15 pair/simpleenroll -u "right:$PASSWORD"
	assert_slowed auth:rate 3600
}

@test "a rate per address: exactly so many at once, whoever asks" {
	at 2
	many 2 1 any "$PASSWORD" address
	assert_equal "$(cat codes)" '2 200'
	many 5 1 spare "$PASSWORD" address
	assert_equal "$(cat codes)" $'1 200\n4 429'
	try any "$PASSWORD" address
	assert_slowed auth:rate 3600
	assert_tries 200 any "$PASSWORD"
	at 3
	many 5 1 any "$PASSWORD" address
	assert_equal "$(cat codes)" $'3 200\n2 429'
}

@test "a rate per label: exactly so many at once, whoever asks from wherever" {
	at 2
	many 2 1 any "$PASSWORD" all
	assert_equal "$(cat codes)" '2 200'
	at 3
	many 5 1 spare "$PASSWORD" all
	assert_equal "$(cat codes)" $'1 200\n4 429'
	try any "$PASSWORD" all
	assert_slowed auth:rate 3600
	assert_tries 200 any "$PASSWORD"
}

@test "who waits as long as Retry-After says gets what he asked for" {
	at 2
	assert_tries 200 any "$PASSWORD" quick
	assert_tries 200 any "$PASSWORD" quick
	try any "$PASSWORD" quick
	assert_slowed auth:rate 10
	sleep "$(header Retry-After)"
	assert_tries 200 any "$PASSWORD" quick
}

@test "all workers count together: of requests at once exactly so many are let through" {
	at 2
	many 120 16 any "$PASSWORD" shared
	assert_equal "$(cat codes)" $'40 200\n80 429'
}

@test "of an IPv6 address the first 64 bits count, and an IPv4 one is the same in either form" {
	local i
	from() { # ADDRESS
		cgi_post address/simpleenroll pump.b64 "$(basic)" REMOTE_ADDR="$1"
	}
	for ((i = 1; i <= 3; i++)); do
		from "2001:db8:1:2:$i::$i"
		assert_equal "$i: $CODE" "$i: 200"
	done
	from 2001:db8:1:2:ffff:ffff:ffff:ffff
	assert_slowed auth:rate 3600
	from 2001:db8:1:3::1
	assert_equal "$CODE" 200
	for i in 192.0.2.1 ::ffff:192.0.2.1 ::ffff:c000:201; do
		from "$i"
		assert_equal "$i: $CODE" "$i: 200"
	done
	from 192.0.2.1
	assert_slowed auth:rate 3600
	from ::ffff:192.0.2.2
	assert_equal "$CODE" 200
}

@test "the limits are a file of the group, in which no name can be read" {
	local file=$E2E/est/state/limits
	assert_equal "$(stat -c %a "$file")" 660
	run -1 grep -aqE 'pump|loud|nobody|127\.0\.' "$file"
}

# As try(), until a server that was shaken answers again.
try_again() { # USER PASSWORD [LABEL]
	local deadline=$((SECONDS + 10))
	while try "$@" 2>/dev/null; [[ $CODE != [1-4][0-9][0-9] ]] && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1; done
}

assert_still_slowed() {
	at 3
	try_again again "$PASSWORD"
	assert_slowed auth:backoff 128
	try_again any "$PASSWORD" killed
	assert_slowed auth:rate 86400
	try_again any "$PASSWORD"
	assert_equal "$CODE" 200
}

@test "neither kill -9 of every worker nor a new start of the web server lets anybody off" {
	local pid
	at 2
	many 5 1 any "$PASSWORD" killed
	assert_equal "$(cat codes)" $'3 200\n2 429'
	slow_account again
	for pid in $(workers); do kill -9 "$pid"; done
	assert_still_slowed
	server_stop
	for pid in $(workers); do kill "$pid" 2>/dev/null || true; done
	server_try || server_try
	echo "$SERVER_PID" >"$E2E/restarted"
	assert_still_slowed
}
