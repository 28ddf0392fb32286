#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# resilience.bats - bad input and killed workers: what the issue must show under 4, and X-07.

load instance
load hostile

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# As many certificates as before, the same workers, and the next good request succeeds.
unharmed() { # ROWS WORKERS
	assert_equal "$(rows)" "$1"
	# shellcheck disable=SC2086 # words on purpose
	assert_alive $2
	request "sane-$BATS_TEST_NUMBER"
	enroll "sane-$BATS_TEST_NUMBER.b64"
	assert_equal "$CODE" 200
	run -0 est_admin store check
}

@test "bad input gets its 4xx, leaves no row, and the workers live" {
	local before alive
	request pump-1
	before=$(rows)
	alive=$(workers)
	echo '!!!!' >bad && enroll bad && assert_refused 400
	head -c -1 pump-1.csr | b64 >bad && enroll bad && assert_refused 400
	(cat pump-1.csr && echo x) | b64 >bad && enroll bad && assert_refused 400
	http simpleenroll -u "any:$PASSWORD" -H 'Content-Type: text/html' --data-binary @pump-1.b64
	assert_refused 415
	head -c 70000 /dev/zero | tr '\0' A >bad && enroll bad && assert_refused 413
	enroll /dev/null
	assert_refused 400
	post simpleenroll pump-1.b64 -H 'SSL-Client-Cert: x' -H 'X-SSL-Client-Verify: SUCCESS' -H 'Remote-User: any'
	assert_equal "$CODE" 401
	post cert/simplereenroll pump-1.b64 -H 'SSL-Client-Cert: x' -H 'X-SSL-Client-Verify: SUCCESS' -H 'Remote-User: any'
	assert_refused 403
	unharmed "$before" "$alive"
}

@test "a request cut at any byte, or with any bit flipped, is refused" {
	local before alive len i byte
	request pump-2
	before=$(rows)
	alive=$(workers)
	len=$(wc -c <pump-2.csr)
	mkdir cut
	for ((i = 1; i < len; i += 7)); do head -c "$i" pump-2.csr | base64 >"cut/$i"; done
	for ((i = 0; i < len; i += 5)); do
		byte=$(od -An -tu1 -j "$i" -N 1 pump-2.csr | tr -d ' ')
		(head -c "$i" pump-2.csr && printf '%b' "$(printf '\\x%02x' $((byte ^ (1 << (i % 8)))))" && tail -c +$((i + 2)) pump-2.csr) |
			base64 >"cut/flip-$i"
	done
	for i in cut/*; do
		printf 'url = "%s/simpleenroll"\ndata-binary = "@%s"\nnext\ncacert = "%s"\nuser = "any:%s"\nsilent\noutput = "/dev/null"\nheader = "Content-Type: application/pkcs10"\nwrite-out = "%%{http_code}\\n"\n' \
			"$URL" "$i" "$TRUST" "$PASSWORD"
	done >config
	(printf 'cacert = "%s"\nuser = "any:%s"\nsilent\noutput = "/dev/null"\nheader = "Content-Type: application/pkcs10"\nwrite-out = "%%{http_code}\\n"\n' "$TRUST" "$PASSWORD" && cat config) |
		sed '$d' | curl -K - 2>/dev/null | sort | uniq -c >codes || true
	run cat codes
	assert_output --regexp '^ *[0-9]+ 400$'
	unharmed "$before" "$alive"
}

@test "clients that go away in the middle do not stop the others" {
	local before alive i
	before=$(rows)
	alive=$(workers)
	for ((i = 0; i < 8; i++)); do
		printf 'POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: x\r\nContent-Type: application/pkcs10\r\nContent-Length: 5000\r\n\r\nMII' |
			timeout 0.1 openssl s_client -quiet -no_ign_eof -connect "127.0.0.1:$PORT" >/dev/null 2>&1 &
	done
	wait
	unharmed "$before" "$alive"
}

# Lighttpd gives a worker that was killed a second's rest before it starts another.
recovers() { # FILE
	local deadline=$((SECONDS + 5))
	while enroll "$1" && [ "$CODE" != 200 ] && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.2; done
	assert_equal "$CODE" 200
}

# Enrolls one device after the other until ./stop is there; appends the serial of each certificate that arrived.
keep_enrolling() { # NUMBER
	local i
	mkdir "loop.$1"
	cd "loop.$1" || return
	key P-256 k.key
	for ((i = 0; i < 500; i++)); do
		[ ! -e ../stop ] || break
		csr k.key "/CN=loop-$1-$i.example" | b64 >r.b64
		rm -f body
		post simpleenroll r.b64 -u "any:$PASSWORD"
		if [ "$CODE" = 200 ]; then
			certificates >c.pem
			serial c.pem >>acknowledged
		fi
	done
}

@test "X-07 after kill -9 of workers every acknowledged certificate is there, once, without any recovery by hand" {
	local i pid
	for i in 1 2; do keep_enrolling "$i" 3>&- & done
	for ((i = 0; i < 8; i++)); do
		sleep 0.3
		for pid in $(workers | shuf -n 1); do kill -9 "$pid" 2>/dev/null || true; done
	done
	touch stop
	wait %1 %2 || true
	sleep 0.2
	est_admin --json cert list --limit 100000 | jq -r .serial | sort >stored
	cat loop.*/acknowledged | sort >acknowledged
	assert [ "$(wc -l <acknowledged)" -gt 3 ] # mod_fcgid is in no hurry with new workers
	assert_equal "$(comm -13 stored acknowledged)" ''
	assert_equal "$(uniq -d acknowledged)$(uniq -d stored)" ''
	run -0 est_admin store check
	request after
	recovers after.b64
}

@test "X-07 the whole server killed: what it acknowledged is there when it starts again" {
	local pid first children
	request pump-9
	recovers pump-9.b64
	certificate issued.pem
	first=$(serial issued.pem)
	children=$(pgrep -P "$SERVER_PID") || true # known while they have their parent
	kill -9 "$SERVER_PID"
	for pid in $children $(workers) $(workers status.cgi); do kill -9 "$pid" 2>/dev/null || true; done
	server_try || server_try
	echo "$SERVER_PID $PORT $HTTP_PORT" >"$E2E/restarted"
	enroll pump-9.b64
	assert_equal "$CODE" 200
	certificate again.pem
	assert_equal "$(serial again.pem)" "$first"
	run -0 est_admin store check
	server_stop
}
