#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# logging.bats - one line a request, everything in it that an operator needs, and nothing that he must not see:
# X-02, X-03, X-06, X-08.

load instance
load hostile

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# What was logged since mark().
mark() { lines=$(wc -l <"$LOG"); }
logged() { tail -n +$((lines + 1)) "$LOG"; }

@test "X-02 one line a request, each a JSON object, with its own id" {
	mark
	http cacerts
	http nowhere/cacerts
	http cacerts -X PUT
	request pump-1
	post simpleenroll pump-1.b64
	post simpleenroll pump-1.b64 -u pump:wrong
	post simpleenroll pump-1.b64 -u "pump:$PASSWORD"
	assert_equal "$(logged | wc -l)" 6
	assert_equal "$(logged | jq -c .status | tr '\n' ' ')" '200 404 405 401 401 200 '
	assert_equal "$(logged | jq -r .code | tr '\n' ' ')" 'ok badRequest:path badRequest:method auth:missing auth:password ok '
	assert_equal "$(logged | jq -r .id | sort -u | wc -l)" 6
}

@test "X-02 an enrollment's line says who got what, from where, and over what" {
	local line
	mark
	request pump-2 DNS:pump-2.example
	post second/simpleenroll pump-2.b64 -u "pump:$PASSWORD"
	certificate issued.pem
	line=$(logged)
	assert_equal "$(jq -r '[.label, .operation, .remote, .status, .serial] | join(" ")' <<<"$line")" \
		"second simpleenroll 127.0.0.1 200 $(serial issued.pem)"
	assert_regex "$(jq -r .identity <<<"$line")" pump
	assert_equal "$(jq -r .subject <<<"$line")" CN=pump-2.example
	assert_regex "$(jq -c .names <<<"$line")" pump-2.example
	assert_equal "$(jq -r .spki_sha256 <<<"$line")" "$(openssl pkey -in pump-2.key -pubout -outform DER | sha256sum | cut -d' ' -f1)"
	assert_regex "$(jq -r .tls <<<"$line")" '^TLSv1\.[23]$'
	assert_regex "$(jq -r .cipher <<<"$line")" '^[A-Z0-9_-]+$'
	assert_regex "$(jq -r .time <<<"$line")" '^20[0-9-]+T[0-9:.]+Z$'
	assert_regex "$(jq .microseconds <<<"$line")" '^[0-9]+$'
}

@test "X-02 a refusal's line has the reason that the client got" {
	mark
	request elsewhere
	post simpleenroll elsewhere.b64 -u "pump:$PASSWORD"
	assert_refused 403
	assert_equal "$(logged | jq -r '.code + ": " + .reason')" "$(cat body)"
	assert_equal "$(logged | jq -r '.code + " " + .outcome')" 'auth:name forbidden'
	assert_regex "$(logged | jq -r .identity)" pump
	assert_equal "$(logged | jq -r .subject)" CN=elsewhere.example
}

@test "X-02 a client certificate is in the line, accepted or refused" {
	csr "$E2E/keys/device.key" /CN=pump-0.example DNS:pump-0.example | b64 >own.b64
	mark
	post simplereenroll own.b64 --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
	assert_equal "$CODE" 200
	assert_regex "$(logged)" "$(serial "$E2E/keys/device.pem")"
	mark
	request other
	post simplereenroll other.b64 --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
	assert_equal "$CODE" 403
	assert_regex "$(logged)" "$(serial "$E2E/keys/device.pem")"
}

@test "X-02 X-08 control characters in names do not split records, and are shown as escapes" {
	local text
	mark
	for text in 0a7b7d0a 0d 1b5b324a 00 c285 e280a8 7f; do
		ask '' -N "$(tlv 30 "$(cn "$(hex dev)$text")")"
	done
	cgi GET $'/cacerts\n{"status":200}' HTTP_USER_AGENT=$'agent\x1b[2J\x7f"\\\n{}' REMOTE_ADDR=$'::1\n{}' SSL_CIPHER=$'\xff\n' </dev/null
	http nowhere/cacerts -A '"}{"status":200}'
	assert_equal "$(logged | wc -l)" 9
	assert_equal "$(logged | jq -c .status | wc -l)" 9
	run -1 grep -qP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xa8' "$LOG"
	run -0 iconv -f UTF-8 -t UTF-8 "$LOG"
}

# A value that takes as much of a line as it can: each octet is escaped.
worst() { # OCTET COUNT
	printf "$1%.0s" $(seq "$2")
}

@test "I7 a line is one line, UTF-8, JSON, and below 8 KiB, whatever the request holds" {
	local octet long pem
	mark
	request pump-6
	pem=$(cat "$E2E/keys/idevid.pem")
	# shellcheck disable=SC1003 # backslashes on purpose
	for octet in '\\x01' '\\xff' '\\x7f' '"' '\\\\' '\\xe2\\x80\\xa8' '\\xc2\\x85' '\\n' '\\xf0\\x9f\\x98' x; do
		long=$(printf '%b' "$(worst "$octet" 3000)x")
		cgi GET "/$long" HTTP_USER_AGENT="$long" </dev/null
		cgi GET /cacerts REMOTE_ADDR="$long" SSL_CIPHER="$long" SSL_PROTOCOL="$long" SSL_CLIENT_VERIFY="$long" REQUEST_METHOD="$long" </dev/null
		cgi POST /cert/simpleenroll CONTENT_TYPE=application/pkcs10 SSL_CLIENT_CERT="$long" REMOTE_ADDR="${long:0:900}" \
			SSL_CLIENT_VERIFY="${long:0:900}" <pump-6.b64
		cgi POST "/cert/simpleenroll" CONTENT_TYPE=application/pkcs10 SSL_CLIENT_CERT="$pem$long" <pump-6.b64
	done
	assert_equal "$(logged | wc -l)" 40
	for octet in 01 ff 7f 22 5c e280a8 c285 0a 3c 78 d8; do
		long=$(worst "$octet" 60)
		ask permissive -N "$(tlv 30 "$(cn "$long")" "$(rdn 060355040 "$long")" "$(rdn 060355040b "$long")" "$(rdn 060355040a "$long")")"
		ask permissive -N "$(tlv 30 "$(cn "$(hex dev)")")" -a "$(requested "$(san "$(tlv 82 "$(worst "$octet" 200)")" "$(tlv 81 "$long")" "$(tlv 86 "$long")")")"
		ask permissive -N "$(tlv 30 "$(cn "$long" 1e)" "$(rdn 0603550405 "$long" 13)")" -a "$(attribute "$CHALLENGE" "$(tlv 0c "$long")")"
	done
	assert_equal "$(logged | jq -c 'select(.id) | .status' | wc -l)" 73
	assert_equal "$(logged | wc -l)" 73
	assert [ "$(logged | awk 'length > most { most = length } END { print most }' LC_ALL=C)" -lt 8192 ]
	run -1 grep -qP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xa8' "$LOG"
	run -0 iconv -f UTF-8 -t UTF-8 "$LOG"
}

@test "I7 a long name that is granted is in the line as far as it fits" {
	local names i
	mark
	key P-256 many.key
	for ((i = 0; i < 100; i++)); do names=$names,DNS:$(printf 'x%.0s' {1..50})-$i.example; done
	csr many.key /CN=many.example "DNS:many.example$names" | head -c 16000 | b64 >many.b64
	enroll many.b64
	assert_equal "$(logged | jq -c 'select(.id) | .status' | wc -l)" 1
	assert [ "$(logged | wc -c)" -lt 8192 ]
}

# The counter of an operation and code, by the status page.
counter() { # OPERATION CODE
	URL=https://localhost:$PORT http status/counters
	jq -r --arg operation "$1" --arg code "$2" '[.counters[] | select(.operation == $operation and .code == $code) | .count] | add // 0' body
}

@test "every answered request is counted, under its operation and code" {
	local row before
	request pump-7
	while read -r row; do
		# shellcheck disable=SC2086 # words on purpose
		set -- $row
		before=$(counter "$1" "$2")
		# shellcheck disable=SC2086 # words on purpose
		post "${@:3}"
		assert_equal "$row: $(counter "$1" "$2")" "$row: $((before + 1))"
	done <<-END
		none badRequest:path nolabel/simpleenroll pump-7.b64
		cacerts badRequest:method cacerts pump-7.b64
		simpleenroll auth:missing simpleenroll pump-7.b64
		simpleenroll auth:password simpleenroll pump-7.b64 -u any:wrong
		simpleenroll badRequest:body-empty simpleenroll /dev/null -u any:$PASSWORD
		simpleenroll ok second/simpleenroll pump-7.b64 -u any:$PASSWORD
		simplereenroll auth:certificate-missing cert/simplereenroll pump-7.b64
	END
	before=$(counter none badRequest:parameter)
	cgi GET /cacerts REMOTE_ADDR=$'x\ny' </dev/null
	assert_equal "$(counter none badRequest:parameter)" "$((before + 1))"
}

@test "X-08 markup in a name is text everywhere: log, JSON, list" {
	mark
	ask permissive -n '<script>alert(1)</script>'
	if [ "$CODE" = 200 ]; then
		assert_equal "$(logged | jq -r .subject | sed 's/[\]//g')" 'CN=<script>alert(1)</script>' # RFC 4514 escapes < and >
		run -0 est_admin --json cert list --limit 1
		assert_equal "$(jq -r .name <<<"$output")" '<script>alert(1)</script>'
	else
		assert_refused 400
	fi
}

@test "X-06 an unknown user and a bad password read alike" {
	request pump-3
	post simpleenroll pump-3.b64 -u nobody:wrong
	assert_refused 401
	grep -v '^Date' head >first.head
	mv body first
	post simpleenroll pump-3.b64 -u pump:wrong
	assert_refused 401
	diff first body
	grep -v '^Date' head | diff first.head -
}

@test "X-06 an unknown user and a bad password take the same time" {
	local i name start times=() wrong=0 unknown=0
	request pump-4
	for ((i = 0; i < 5; i++)); do
		for name in nobody pump; do
			start=${EPOCHREALTIME/./}
			post simpleenroll pump-4.b64 -u "$name:wrong$i"
			times=($((${EPOCHREALTIME/./} - start)))
			if [ "$name" = pump ]; then wrong=$((wrong + times)); else unknown=$((unknown + times)); fi
		done
	done
	# Hashing a password takes most of it: leaving that out for one of them would be a factor of ten.
	assert [ "$unknown" -lt $((2 * wrong)) ]
	assert [ "$wrong" -lt $((2 * unknown)) ]
}

@test "X-03 no password, Authorization, challenge or key in any log" {
	local basic
	request pump-5
	post simpleenroll pump-5.b64 -u "pump:$PASSWORD"
	post simpleenroll pump-5.b64 -u "$USER_UTF8:$PASSWORD_UTF8"
	post simpleenroll pump-5.b64 -u pump:CANARY-wrong
	post simpleenroll pump-5.b64 -H 'Authorization: Bearer CANARY-bearer'
	ask '' -a "$(attribute "$CHALLENGE" "$(tlv 0c "$(hex CANARY-challenge)")")"
	printf 'CANARY-body' >junk
	enroll junk
	basic=$(printf 'pump:%s' "$PASSWORD" | base64)
	assert [ -s "$LOG" ]
	run -1 grep -rnF -e CANARY -e "$basic" -e "$(hex CANARY)" -e 'PRIVATE KEY' "$LOG" "$E2E/log"
}

@test "X-03 the store has no password either" {
	run -1 grep -rlaF -e CANARY "$E2E/est/state"
}
