#!/usr/bin/env bats
# quickstart.bats - admin/quickstart does what its help says. EST_BUILD is where the programs are.
#
# The tests go on with one demo: each begins with what the one before left.

bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert
bats_load_library bats-file

setup_file() {
	: "${EST_BUILD:?is the directory with the programs}"
	export TOP DEMO PORT
	TOP=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
	DEMO=$(mktemp -d /tmp/est-demo.XXXXXX)
	while PORT=$((20000 + RANDOM % 12000)); do
		(: <"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null || break
	done
}

teardown_file() {
	if [ -n "${BUSY_PID-}" ]; then kill "$BUSY_PID"; fi
	"$TOP/admin/quickstart" -d "$DEMO" stop || true
	rm -rf "$DEMO"
}

quickstart() { run "$TOP/admin/quickstart" -d "$DEMO" "$@" 3>&- 4>&-; }
get() { curl -sS --max-time 10 --cacert "$DEMO/trust.pem" "$@"; }
serial() { "$EST_BUILD/est-client" show -d "$DEMO/device" | sed -n 's/^serial *//p'; }

@test "the first call makes a server and a device" {
	quickstart -p "$PORT"
	assert_success
	assert_output --partial "https://127.0.0.1:$PORT/"
	assert_output --partial "SHA-256 $(openssl x509 -in "$DEMO/trust.pem" -noout -fingerprint -sha256 | sed 's/.*=//')"
	assert [ "${#lines[@]}" -lt 25 ]
}

@test "what it says of the certificates is true, and the store has both" {
	local all
	all=$("$EST_BUILD/est-admin" -c "$DEMO/est.conf" --json cert list)
	assert_equal "$(wc -l <<<"$all")" 2
	assert_equal "$(grep -c '"serial":"'"$(serial)" <<<"$all")" 1
	run openssl verify -x509_strict -purpose sslclient -CAfile "$DEMO/trust.pem" -untrusted "$DEMO/device/cacerts.pem" \
		"$DEMO/device/device.pem"
	assert_success
}

@test "it leaves the files that it promises" {
	assert_file_exists "$DEMO/est.conf"
	assert_file_exists "$DEMO/trust.pem"
	assert_equal "$(stat -c %a "$DEMO/credentials")" 600
	assert_regex "$(cat "$DEMO/credentials")" '^demo:[A-Za-z0-9_-]{24}$'
	run grep -rF "$(cut -d: -f2 "$DEMO/credentials")" "$DEMO" --exclude=credentials
	assert_failure 1
	run grep -E '/etc/|/usr/|/var/' "$DEMO/lighttpd.conf"
	assert_failure 1
}

@test "the page, its policy and its figures" {
	get -D "$BATS_TEST_TMPDIR/head" -o "$BATS_TEST_TMPDIR/page" "https://127.0.0.1:$PORT/"
	assert_file_contains "$BATS_TEST_TMPDIR/head" "^Content-Security-Policy: default-src 'none'"
	run cmp "$BATS_TEST_TMPDIR/page" "$TOP/www/index.html"
	assert_success
	run get "https://127.0.0.1:$PORT/status/summary"
	assert_output --partial 'pump-1.example'
}

@test "curl enrolls with the credentials, for any name" {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj '/CN=any thing' \
		-outform DER 2>/dev/null | base64 >"$BATS_TEST_TMPDIR/request"
	run get -o /dev/null -w '%{http_code}' -u "$(cat "$DEMO/credentials")" -H 'Content-Type: application/pkcs10' \
		--data-binary @"$BATS_TEST_TMPDIR/request" "https://127.0.0.1:$PORT/.well-known/est/simpleenroll"
	assert_output 200
}

@test "only this machine is listened to" {
	run grep '^server.bind' "$DEMO/lighttpd.conf"
	assert_output 'server.bind = "127.0.0.1"'
}

@test "another call finds it running, and changes nothing" {
	local was pid
	was=$(serial)
	pid=$(cat "$DEMO/lighttpd.pid")
	quickstart
	assert_success
	assert_output --partial 'running already'
	assert_equal "$(serial)" "$was"
	assert_equal "$(cat "$DEMO/lighttpd.pid")" "$pid"
}

@test "another port is no business of one that runs" {
	quickstart -p 1
	assert_failure 1
	assert_output --partial "it runs on port $PORT"
}

@test "stop ends the server and its workers, and says so when nothing runs" {
	local pids
	pids="$(cat "$DEMO/lighttpd.pid") $(pgrep -P "$(cat "$DEMO/lighttpd.pid")" | tr '\n' ' ')"
	quickstart stop
	assert_success
	# A zombie that nobody has waited for has no command line.
	for pid in $pids; do run ! grep -q . "/proc/$pid/cmdline"; done
	quickstart stop
	assert_success
	assert_output --partial 'Nothing runs'
}

@test "a stale process id is not killed" {
	sleep 60 3>&- 4>&- &
	echo "$!" >"$DEMO/lighttpd.pid"
	quickstart stop
	assert_success
	assert_output --partial 'Nothing runs'
	kill "$!"
}

@test "a port in use is said, with the cure" {
	printf 'server.document-root = "%s"\nserver.bind = "127.0.0.1"\nserver.port = %s\n' "$BATS_TEST_TMPDIR" "$PORT" \
		>"$BATS_TEST_TMPDIR/busy.conf"
	lighttpd -D -f "$BATS_TEST_TMPDIR/busy.conf" 3>&- 4>&- &
	BUSY_PID=$!
	for _ in $(seq 50); do
		if (: <"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then break; fi
		sleep 0.1
	done
	quickstart
	kill "$BUSY_PID"
	wait "$BUSY_PID" || true
	BUSY_PID=''
	assert_failure 1
	assert_output --partial "port $PORT of 127.0.0.1 is in use"
	assert_output --partial '-p '
}

@test "a later call starts what was there, with the same CA and device" {
	local was root
	was=$(serial)
	root=$(cat "$DEMO/trust.pem" "$DEMO/credentials")
	quickstart
	assert_success
	assert_output --partial 'Started what was there'
	assert_output --partial "$was"
	assert_equal "$(cat "$DEMO/trust.pem" "$DEMO/credentials")" "$root"
	quickstart stop
	assert_success
}

@test "a directory with other things in it is left alone" {
	local other=$BATS_TEST_TMPDIR/other
	mkdir "$other"
	echo mine >"$other/diary"
	run "$TOP/admin/quickstart" -d "$other"
	assert_failure 1
	assert_output --partial "$other/diary"
	assert_equal "$(ls "$other")" diary
}

@test "usage" {
	run "$TOP/admin/quickstart" --help
	assert_success
	assert_output --partial 'usage: admin/quickstart [-d DIR] [-p PORT] [stop]'
	run "$TOP/admin/quickstart" -p 99999
	assert_failure 2
	run "$TOP/admin/quickstart" -p
	assert_failure 2
	run "$TOP/admin/quickstart" begin
	assert_failure 2
}
