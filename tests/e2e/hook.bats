#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# hook.bats - the program that has a say in each enrollment: what it gets, what it answers, and every way in which it can
# fail; est-hook(7).

load instance
load hostile

# A hook NAME of these shell commands.
hook() { # NAME COMMANDS
	printf '#!/bin/sh\n%s\n' "$2" >"$E2E/hooks/$1"
	chmod 755 "$E2E/hooks/$1"
}

instance_files() {
	mkdir "$E2E/hooks"
	# What it is asked is written down; what it answers can be changed.
	hook ask "cat >>'$E2E/log/asked'; cat '$E2E/hooks/answer'"
	echo '{"decision": "allow"}' >"$E2E/hooks/answer"
	hook crash "echo '{\"decision\": \"allow\"}'; kill -SEGV \$\$"
	hook status "echo '{\"decision\": \"allow\"}'; exit 1"
	hook hang "echo \$\$ >'$E2E/log/hanging'; sleep 60 & sleep 60; echo '{\"decision\": \"allow\"}'"
	hook much 'head -c 1000000 /dev/zero | tr "\0" " "; echo "{\"decision\": \"allow\"}"'
	hook text 'echo "allow, I would say"'
	hook locked "echo '{\"decision\": \"allow\"}'"
	chmod 644 "$E2E/hooks/locked"
	hook forks "sleep 60 & echo \$! >'$E2E/log/forked'; echo '{\"decision\": \"allow\"}'"
	printf '#!/usr/bin/python3 -I\nimport json, os\nprint(json.dumps({"decision": "deny", "reason": str(dict(os.environ))}))\n' >"$E2E/hooks/env"
	chmod 755 "$E2E/hooks/env"
	hook deaf "echo '{\"decision\": \"allow\"}'"
	cp "$EST_SOURCE/etc/hooks/inventory-hook" "$E2E/hooks/"
	inventory_settings
	printf 'name,state,digest\npump-30.example,active,\npump-31.example,on hold,\npump-32.example,scrapped,\n' >"$E2E/hooks/inventory.csv"
	printf 'pump-34.example,active,%064d\n' 0 >>"$E2E/hooks/inventory.csv"
}

inventory_settings() {
	sed -e "s|^file = .*|file = $E2E/hooks/inventory.csv|" -e 's/^status = .*/status = state/' -e 's/^hold = .*/hold = on hold/' \
		-e 's/^#key = .*/key = digest/' -e 's/^retry_after = .*/retry_after = 77/' \
		"$EST_SOURCE/etc/hooks/inventory-hook.conf" >"$E2E/hooks/inventory-hook.conf"
}

instance_config() {
	local either='"basic", "certificate"' name
	local all='operations = [ "simpleenroll", "simplereenroll", "serverkeygen", "fullcmc" ];'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; } );
		profile = ( { name = "device"; }, { name = "permissive"; names = "permissive"; } );
		label = (
		$(label '' devices device "$either"),
		$(for name in crash status much text locked forks env deaf; do label $name devices device "$either" "hook = \"../hooks/$name\"; $all"; echo ,; done)
		$(label missing devices device "$either" 'hook = "../hooks/missing"; approval = [ "simpleenroll" ];'),
		$(label hang devices device "$either" 'hook = "../hooks/hang"; hook_timeout = "3s";'),
		$(label inventory devices device "$either" "hook = \"../hooks/inventory-hook\"; $all"),
		$(label wait devices device "$either" 'hook = "../hooks/ask"; approval = [ "simpleenroll" ]; approval_retry = "2m";'),
		$(label ask devices permissive "$either" "hook = \"../hooks/ask\"; approval_retry = \"4m\"; certificates_from = [ \"\", \"ask\" ]; $all") );
	END
}

setup_file() { instance_start; }
teardown_file() { instance_stop; }

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	answer '{"decision": "allow"}'
	rm -f "$E2E/log/asked"
}

answer() { echo "$1" >"$E2E/hooks/answer"; }

# What the hook was asked since the test began, a line each; with a number, so often.
asked() { # [COUNT]
	touch "$E2E/log/asked"
	[ -z "${1-}" ] || assert_equal "$(wc -l <"$E2E/log/asked")" "$1"
	cat "$E2E/log/asked"
}

last_log() { tail -n 9 "$LOG" | jq -rs "map(select(.code)) | last | $1"; } # of requests

# The hook failed: the device is told nothing but the code, the log has the cause, and nothing was issued.
assert_hook_failed() { # CAUSE
	assert_refused 503 '^hook:failed: '
	assert_equal "$(last_log .code)" hook:failed
	assert_regex "$(last_log .reason)" "$1"
	assert_equal "$(last_log .serial)" null
}

helpers() {
	local pid
	for pid in $(workers); do
		if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = est-helper ]; then echo "$pid"; fi
	done
}

# Until the process has ended.
assert_gone() { # PID
	local i
	for ((i = 0; i < 100; i++)); do
		[ -e "/proc/$1" ] && ! grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null || return 0
		sleep 0.05
	done
	fail "process $1 is still there"
}

# --- decisions ---

@test "allow: the certificate is issued, and the hook was told who asks for what" {
	request pump-1 DNS:pump-1.example,IP:192.0.2.1
	enroll pump-1.b64 ask
	assert_issued pump-1.key
	asked 1 >question
	assert_equal "$(jq -c '[.version, .label, .operation, .profile, .device, .subject, .identity, .proven, .key_type]' question)" \
		'[1,"ask","simpleenroll","permissive","pump-1.example","CN=pump-1.example","user:any",["basic"],"P-256"]'
	assert_equal "$(jq -c .names question)" '["dns:pump-1.example","ip:192.0.2.1"]'
	assert_equal "$(jq -r .address question)" 127.0.0.1
	assert_equal "$(jq -r .csr_sha256 question)" "$(sha256sum <pump-1.csr | cut -d' ' -f1)"
	assert_equal "$(jq -r .spki_sha256 question)" "$(openssl pkey -in pump-1.key -pubout -outform DER | sha256sum | cut -d' ' -f1)"
	if grep -qF -e "$PASSWORD" -e "$(printf 'any:%s' "$PASSWORD" | base64 -w 0)" question; then fail 'the password is told'; fi
}

@test "deny: 403 with the hook's reason, which can do no harm in the answer or the log" {
	local before
	before=$(rows)
	request pump-2
	answer '{"decision": "deny", "reason": "scrapped: <b>\"x\"</b>\r\nSet-Cookie: a\u001b[31m\u202e ü %s"}'
	enroll pump-2.b64 ask
	assert_refused 403 '^hook:denied: RFC 7030 4\.2\.1: scrapped: <b>"x"</b>  Set-Cookie: a \[31m  ü %s$'
	assert_equal "$(wc -l <body)" 1
	assert_equal "$(header Set-Cookie)" ''
	assert_equal "$(last_log .code)" hook:denied
	assert_regex "$(last_log .reason)" 'scrapped: <b>"x"</b>  Set-Cookie'
	answer '{"decision": "deny"}'
	enroll pump-2.b64 ask
	assert_refused 403 '^hook:denied: .* certificate$'
	answer "{\"decision\": \"deny\", \"reason\": \"$(printf 'r%.0s' {1..5000})\"}"
	enroll pump-2.b64 ask
	assert_refused 403 '[^r]r{200}$'
	assert_equal "$(rows)" "$before"
}

@test "wait: 202 with Retry-After, and a certificate once it allows" {
	request pump-3
	answer '{"decision": "wait", "reason": "ask Bob", "retry_after": 7}'
	enroll pump-3.b64 ask
	assert_equal "$CODE" 202
	assert_equal "$(header Retry-After)" 7
	assert_equal "$(header Content-Type)" 'text/plain; charset=utf-8'
	assert_equal "$(cat body)" 'hook:waiting: RFC 7030 4.2.3: ask Bob; ask again in 7 seconds'
	answer '{"decision": "wait"}'
	enroll pump-3.b64 ask
	assert_equal "$CODE $(header Retry-After)" '202 240' # approval_retry
	answer '{"decision": "allow"}'
	enroll pump-3.b64 ask
	assert_issued pump-3.key
	asked 3
}

@test "est-client waits by itself where the hook has it wait" {
	local pid i
	echo "$PASSWORD" >password
	answer '{"decision": "wait", "retry_after": 1}'
	est_client enroll --url "$URL" --label ask --name pump-4.example --user any --password-file password --trust "$TRUST" \
		--wait 30s -d waits >out 2>&1 3>&- &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		[ ! -s "$E2E/log/asked" ] || break
		sleep 0.1
	done
	answer '{"decision": "allow"}'
	wait "$pid" || fail "est-client: $(cat out)"
	assert_equal "$(spki waits/device.pem)" "$(openssl pkey -in waits/device.key -pubout)"
}

# --- what it is asked about ---

@test "a repeated answer is not asked about again, another request is" {
	request pump-5
	enroll pump-5.b64 ask
	certificate first.pem
	answer '{"decision": "deny"}'
	enroll pump-5.b64 ask
	assert_equal "$CODE" 200
	certificate again.pem
	assert_equal "$(serial again.pem)" "$(serial first.pem)"
	asked 1
	request pump-5
	enroll pump-5.b64 ask
	assert_refused 403 '^hook:denied: '
	asked 2
}

@test "what is refused by the rules of the label is not asked about" {
	request pump-6
	post ask/simpleenroll pump-6.b64 -u any:wrong
	assert_refused 401
	request valve-6
	post ask/simpleenroll valve-6.b64 -u "pump:$PASSWORD"
	assert_refused 403 '^auth:name: '
	asked 0
}

@test "renewals are asked about" {
	local mine=(--cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key")
	key P-256 new.key
	csr new.key /CN=pump-0.example DNS:pump-0.example | b64 >new.b64
	answer '{"decision": "deny", "reason": "no more of it"}'
	post ask/simplereenroll new.b64 "${mine[@]}"
	assert_refused 403 'no more of it'
	answer '{"decision": "allow"}'
	post ask/simplereenroll new.b64 "${mine[@]}"
	assert_issued new.key
	asked 2 | tail -n 1 >question
	assert_equal "$(jq -c '[.operation, .proven, .identity]' question)" \
		"[\"simplereenroll\",[\"certificate\"],\"certificate:$(serial "$E2E/keys/device.pem")\"]"
}

@test "keys that the server makes are asked about, before they are made" {
	request pump-8
	answer '{"decision": "deny"}'
	post ask/serverkeygen pump-8.b64 -u "any:$PASSWORD"
	assert_refused 403 '^hook:denied: '
	assert_equal "$(asked 1 | jq -c '[.operation, .spki_sha256, .key_type]')" '["serverkeygen",null,"P-256"]'
	answer '{"decision": "allow"}'
	post ask/serverkeygen pump-8.b64 -u "any:$PASSWORD"
	plain_parts
	asked 2
}

@test "requests in a Full PKI Request are asked about" {
	echo "$PASSWORD" >password
	answer '{"decision": "deny", "reason": "not by this way"}'
	run est_client cmc --url "$URL" --label ask --name pump-9.example --user any --password-file password --trust "$TRUST" -d cmc
	assert_failure
	assert_output --partial 'not by this way'
	assert_equal "$(asked 1 | jq -c '[.operation, .cmc, .device]')" '["simpleenroll",true,"pump-9.example"]'
	answer '{"decision": "allow"}'
	run -0 est_client cmc --url "$URL" --label ask --name pump-9.example --user any --password-file password -d cmc
	asked 2
}

@test "the hook comes before approval by people" {
	request pump-10
	answer '{"decision": "deny"}'
	enroll pump-10.b64 wait
	assert_refused 403 '^hook:denied: '
	assert_equal "$(est_admin --json request list)" ''
	answer '{"decision": "allow"}'
	enroll pump-10.b64 wait
	assert_equal "$CODE" 202
	assert_regex "$(cat body)" '^approval:waiting: '
	asked 2
}

@test "names reach it as data, whatever a shell would make of them" {
	# shellcheck disable=SC2016 # nobody is to expand that
	local name='`touch /tmp/x`$(exit);"'\'' | & \ %s > ü'
	key P-256 odd.key
	make_csr -k odd.key -n "$name" | b64 >odd.b64
	enroll odd.b64 ask
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	assert_equal "$(asked 1 | jq -r .device)" "$name"
}

# --- failures ---

@test "a hook that crashes, ends with 1, says too much or nothing in form: 503, nothing issued, and the next one is asked" {
	local before
	before=$(rows)
	request pump-12
	enroll pump-12.b64 crash
	assert_hook_failed 'killed by signal 11'
	enroll pump-12.b64 status
	assert_hook_failed 'ended with status 1'
	enroll pump-12.b64 much
	assert_hook_failed 'more than 65536 octets'
	enroll pump-12.b64 text
	assert_hook_failed 'not in form'
	assert_equal "$(rows)" "$before"
	enroll pump-12.b64 ask
	assert_issued pump-12.key
}

@test "a hook that is not executable or not there: 503, and 200 once it is" {
	request pump-13
	enroll pump-13.b64 locked
	assert_hook_failed 'Permission denied'
	enroll pump-13.b64 missing
	assert_hook_failed 'No such file'
	assert_equal "$(est_admin --json request list | jq -r 'select(.name == "pump-13.example") | .id')" ''
	chmod 755 "$E2E/hooks/locked"
	enroll pump-13.b64 locked
	assert_issued pump-13.key
	chmod 644 "$E2E/hooks/locked"
}

@test "a hook that hangs is ended with all that it started, at its time limit; other workers go on" {
	local before pid
	request pump-14
	before=$SECONDS
	enroll pump-14.b64 hang &
	sleep 1
	http cacerts --max-time 2
	assert_equal "$CODE" 200
	wait
	enroll pump-14.b64 hang
	assert_hook_failed 'did not end within 3 seconds'
	assert [ $((SECONDS - before)) -le 10 ] # twice 3 s + 2 s
	pid=$(cat "$E2E/log/hanging")
	assert_gone "$pid"
	enroll pump-14.b64 ask
	assert_issued pump-14.key
}

@test "a process that it leaves behind keeps nobody waiting" {
	local before=$SECONDS
	request pump-15
	enroll pump-15.b64 forks
	assert_issued pump-15.key
	assert [ $((SECONDS - before)) -le 3 ]
	assert_gone "$(cat "$E2E/log/forked")"
}

@test "it need not read what it is told" {
	request pump-16 "$(seq -s , -f 'DNS:pump-%g.example' 16 90)"
	enroll pump-16.b64 deaf
	assert_issued pump-16.key
}

@test "its environment is PATH and LANG" {
	request pump-17
	enroll pump-17.b64 env
	assert_refused 403 ": \\{'PATH': '[a-z/:]+', 'LANG': 'C\.UTF-8'\\}\$"
}

@test "the process that starts hooks knows no file of ours, and ends with its worker" {
	local pid fd
	[ "$SERVER" != cgid ] || skip 'there, it is gone before one can look'
	request pump-18
	enroll pump-18.b64 ask
	assert_equal "$CODE" 200
	[ -n "$(helpers)" ]
	# It lets nobody look into it but root.
	for pid in $([ "$(id -u)" != 0 ] || helpers); do
		for fd in "/proc/$pid/fd/"*; do
			assert_regex "$(readlink "$fd")" '^(/dev/null|socket:\[[0-9]+\])$'
		done
		assert_equal "$(find "/proc/$pid/fd" -lname 'socket:*' | wc -l)" 1
		if grep -qF "$E2E/est/state" "/proc/$pid/maps"; then fail 'it has the store mapped'; fi
	done
}

# lighttpd waits a second before it starts another worker.
@test "its process is killed: 503 once for each worker, and then another worker answers" {
	local all pid failed=0 deadline=$((SECONDS + 15))
	[ "$SERVER" != cgid ] || skip 'there, each request has a process of its own'
	request pump-19
	all=$(workers)
	[ -n "$(helpers)" ]
	for pid in $(helpers); do kill -9 "$pid"; done
	while [ "$SECONDS" -lt "$deadline" ]; do
		enroll pump-19.b64 ask
		[ "$CODE" != 200 ] || break
		if grep -q '^hook:failed: ' body; then
			failed=$((failed + 1))
			assert_regex "$(last_log .reason)" 'the process that starts hooks is gone'
		fi
		sleep 0.2
	done
	assert_issued pump-19.key
	assert [ "$failed" -ge 1 ]
	assert [ "$failed" -le 2 ]
	# One of them may not have been asked yet: the tests behind this one want others.
	for pid in $all; do kill "$pid" 2>/dev/null || true; done
	for pid in $all; do assert_gone "$pid"; done
	while http cacerts && [ "$CODE" != 200 ] && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.2; done
	assert_equal "$CODE" 200
}

# --- the sample ---

@test "the sample hook asks an inventory: active, on hold, scrapped, unknown, another's key" {
	local n
	for n in 30 31 32 33 34; do request "pump-$n"; done
	enroll pump-30.b64 inventory
	assert_issued pump-30.key
	enroll pump-31.b64 inventory
	assert_equal "$CODE $(header Retry-After)" '202 77'
	enroll pump-32.b64 inventory
	assert_refused 403 'not active in the inventory'
	enroll pump-33.b64 inventory
	assert_refused 403 'not in the inventory'
	enroll pump-34.b64 inventory
	assert_refused 403 'another key'
	sed -i "s/^pump-34.*/PUMP-34.example,active,$(openssl pkey -in pump-34.key -pubout -outform DER | sha256sum | cut -d' ' -f1)/" "$E2E/hooks/inventory.csv"
	enroll pump-34.b64 inventory
	assert_issued pump-34.key
	post inventory/serverkeygen pump-34.b64 -u "any:$PASSWORD"
	assert_refused 403 'another key'
}

sample() { # OPERATION DEVICE
	printf '{"version": 1, "operation": "%s", "device": "%s"}' "$1" "$2" | (cd / && env -i "$E2E/hooks/inventory-hook")
}

@test "the sample hook fails closed where it cannot ask, and its settings count" {
	local conf=$E2E/hooks/inventory-hook.conf
	run -0 sample simpleenroll pump-30.example
	assert_equal "$(jq -r .decision <<<"$output")" allow
	sed -i 's/^unknown = .*/unknown = wait/' "$conf"
	run -0 sample simpleenroll pump-99.example
	assert_equal "$(jq -c '[.decision, .retry_after]' <<<"$output")" '["wait",77]'
	sed -i 's/^#operations = .*/operations = simpleenroll/' "$conf"
	run -0 sample simplereenroll pump-99.example
	assert_equal "$(jq -r .decision <<<"$output")" allow
	sed -i 's/^file = .*/file = nowhere.csv/' "$conf"
	run -1 sample simpleenroll pump-30.example
	printf '[{"name": "pump-30.example", "state": "active"}]' >"$E2E/hooks/inventory.json"
	sed -i "s|^file = .*|file = $E2E/hooks/inventory.json|" "$conf"
	run -0 sample simpleenroll PUMP-30.example
	assert_equal "$(jq -r .decision <<<"$output")" allow
	printf '[{"name": "a", "state": "active"}, {"name": "A", "state": "scrapped"}]' >"$E2E/hooks/inventory.json"
	run -1 sample simpleenroll a
	printf 'no json' >"$E2E/hooks/inventory.json"
	run -1 sample simpleenroll a
	inventory_settings
}

@test "the sample hook asks an address, with the name as one part of a path" {
	local conf=$E2E/hooks/inventory-hook.conf pid
	mkdir -p web/devices
	printf '{"state": "active"}' >'web/devices/pump-30.example'
	printf '["active"]' >'web/devices/list'
	printf '{"state": "active"}' >web/all
	python3 -c 'import functools, http.server
server = http.server.HTTPServer(("127.0.0.1", 0), functools.partial(http.server.SimpleHTTPRequestHandler, directory="web"))
print(server.server_port, flush=True)
server.serve_forever()' >port 2>requests 3>&- &
	pid=$!
	for _ in {1..100}; do
		[ ! -s port ] || break
		sleep 0.05
	done
	printf '[inventory]\nurl = http://127.0.0.1:%s/devices/{name}\nstatus = state\n' "$(cat port)" >"$conf"
	run -0 sample simpleenroll pump-30.example
	assert_equal "$(jq -r .decision <<<"$output")" allow
	run -0 sample simpleenroll pump-31.example
	assert_equal "$(jq -r .decision <<<"$output")" deny
	run -0 sample simpleenroll '../all?x#y z'
	assert_equal "$(jq -r .decision <<<"$output")" deny
	assert grep -qF 'GET /devices/..%2Fall%3Fx%23y%20z HTTP' requests
	run -1 sample simpleenroll list
	kill "$pid"
	wait "$pid" || true
	run -1 sample simpleenroll pump-30.example
	inventory_settings
}

@test "the store holds together" {
	run -0 est_admin store check
}
