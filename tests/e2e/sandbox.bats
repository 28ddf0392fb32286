#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# sandbox.bats - what a worker has given up, that all works without it, how the programs are built, and who may read
# what: J1, J4, J6.

load instance

# The log in a directory of its own, where the workers may make files.
setup_file() {
	instance_make >/dev/null
	sed -i 's|^log = .*|log = "../log/est.log";|' "$EST_CONFIG"
	export LOG=$E2E/log/est.log
	server_try || server_try || server_try
	instance_device
}
teardown_file() { instance_stop; }

sanitized() { readelf -sW --dyn-syms "$EST_BUILD/est.fcgi" | grep -q __asan_init; }

# What the kernel has: what it lacks, the log says, and nothing can be shown here.
need_sandbox() {
	if sanitized; then skip 'the programs are built with sanitizers, whose runtime needs more than the sandbox allows'; fi
	if ! grep -q '^Seccomp:' /proc/self/status; then skip 'this kernel has no seccomp'; fi
}

# A process of the program that has its configuration: plain CGI has one only while a request's body is under way.
process() { # PROGRAM
	local deadline=$((SECONDS + 10)) pid=''
	if [ "$SERVER" = cgid ] && [ "$1" = est.fcgi ]; then
		sleep 2 | curl -sS --max-time 20 --cacert "$TRUST" -T - -X POST -u "any:$PASSWORD" \
			-H 'Content-Type: application/pkcs10' "$URL/simpleenroll" >/dev/null 3>&- &
	fi
	while [ -z "$pid" ] && [ "$SECONDS" -lt "$deadline" ]; do
		sleep 0.2
		pid=$(workers "$1" | head -n 1)
	done
	[ -n "$pid" ] && echo "$pid"
}

# The request of process() has ended as well.
done_with_it() {
	while [ "$SERVER" = cgid ] && [ -n "$(workers)" ]; do sleep 0.2; done
}

of_status() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }

# Ends the workers, so that the next ones read est.conf as it is.
workers_anew() {
	local pid
	for pid in $(workers) $(workers status.cgi); do kill "$pid" 2>/dev/null || true; done
	answers
}

# Until a request is answered: lighttpd takes a second to start a worker.
answers() {
	local deadline=$((SECONDS + 10))
	while http cacerts && [ "$CODE" != 200 ] && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.2; done
	assert_equal "$CODE" 200
}

events() { jq -c 'select(.event == "sandbox")' "$LOG"; }

@test "J1 the processes of est.fcgi are in the sandbox, all of their threads, and keep no memory for others" {
	local pid task
	need_sandbox
	pid=$(process est.fcgi)
	for task in "/proc/$pid/task/"*; do
		assert_equal "$(sed -n 's/^NoNewPrivs:\t//p' "$task/status")" 1
		assert_equal "$(sed -n 's/^Seccomp:\t//p' "$task/status")" 2
	done
	assert_equal "$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$pid/limits")" '0 0'
	assert_equal "$(stat -c %U "/proc/$pid/mem")" root # of a process that can be dumped, its user
	done_with_it
}

@test "J1 the processes of status.cgi as well" {
	local pid
	need_sandbox
	[ "$SERVER" != cgid ] || skip 'they are gone before one can look'
	curl -sS --max-time 20 -o /dev/null "http://127.0.0.1:$HTTP_PORT/status/health"
	pid=$(process status.cgi)
	assert_equal "$(of_status "$pid" NoNewPrivs) $(of_status "$pid" Seccomp)" '1 2'
	assert_equal "$(stat -c %U "/proc/$pid/mem")" root
}

@test "a worker's log says that it is in the sandbox; that of plain CGI, once a request, does not" {
	need_sandbox
	if [ "$SERVER" = cgid ]; then
		assert_equal "$(events)" ''
		return
	fi
	assert_equal "$(events | jq -r .pid | sort | uniq -d)" ''
	assert_equal "$(events | jq -r 'select(.program == "est.fcgi") | .level' | sort -u)" info
	assert_regex "$(events | jq -r .message | sort -u)" '^entered: no_new_privs, Landlock ABI [0-9]+, seccomp$'
}

@test "sandbox = false: the workers stay as they were, and say so" {
	local pid
	need_sandbox
	echo 'sandbox = false;' >>"$EST_CONFIG"
	workers_anew
	pid=$(process est.fcgi)
	assert_equal "$(of_status "$pid" NoNewPrivs) $(of_status "$pid" Seccomp)" '0 0'
	done_with_it
	[ "$SERVER" = cgid ] || assert_equal "$(events | tail -n 1 | jq -r .message)" 'not entered: est.conf has sandbox = false'
	sed -i '/^sandbox/d' "$EST_CONFIG"
	workers_anew
	pid=$(process est.fcgi)
	assert_equal "$(of_status "$pid" NoNewPrivs)" 1
	done_with_it
}

@test "a worker follows the rotation of its log from inside" {
	local alive before
	answers
	alive=$(workers)
	before=$(wc -l <"$LOG")
	mv "$LOG" "$LOG.1"
	sleep 1.1
	http cacerts # this one may have been another worker's
	sleep 1.1
	http cacerts
	assert_equal "$(wc -l <"$LOG.1")" "$before"
	assert_equal "$(jq -r .status "$LOG" | sort -u)" 200
	rm "$LOG"
	sleep 1.1
	http cacerts
	assert_equal "$(wc -l <"$LOG")" 1
	# shellcheck disable=SC2086 # words on purpose
	assert_alive $alive
}

# A log that leads out of its directory is the one thing that makes a worker open a file elsewhere.
lead_away() { # FILE
	mv "$LOG" "$LOG.1"
	ln -s "$1" "$LOG"
	sleep 1.1
	http cacerts # this one may have been another worker's
	sleep 1.1
	http cacerts
	rm "$LOG"
	mv "$LOG.1" "$LOG"
	sleep 1.1
	answers
}

@test "J1 a worker makes no file outside the directories of its store and its log" {
	local away=$E2E/run/away
	need_sandbox
	[ "$SERVER" != cgid ] || skip 'a process opens its log before it reads anything of the request'
	[ "$(perl -e 'print syscall(444, 0, 0, 1)')" -ge 1 ] || skip 'this kernel has no Landlock'
	answers
	lead_away "$away"
	assert_not_exist "$away"
	echo 'sandbox = false;' >>"$EST_CONFIG"
	workers_anew
	lead_away "$away"
	assert_exist "$away"
	sed -i '/^sandbox/d' "$EST_CONFIG"
	workers_anew
}

@test "with log = \"syslog\" a request is answered from inside, whether somebody listens at /dev/log or not" {
	local before
	sed -i 's|^log = .*|log = "syslog";|' "$EST_CONFIG"
	workers_anew
	before=$(wc -l <"$LOG")
	request pump-1
	enroll pump-1.b64
	assert_issued pump-1.key
	assert_equal "$(wc -l <"$LOG")" "$before"
	sed -i 's|^log = .*|log = "../log/est.log";|' "$EST_CONFIG"
	workers_anew
}

# The store's gate (common/store/gate.c) has the number of its environment at octet 40; an odd one is to be recovered.
condemn() {
	local gate=$E2E/est/state/gate era
	era=$(od -An -tu1 -j 40 -N 1 "$gate")
	assert_equal $((era % 2)) 0
	printf '%b' "$(printf '\\x%02x' $((era + 1)))" | dd of="$gate" bs=1 seek=40 conv=notrunc status=none
}

recoveries() { est_admin --json store statistics | jq 'select(.name == "recoveries").value'; }

@test "X-07 a worker recovers the store from inside, and lives" {
	local alive before
	if sanitized; then skip 'Berkeley DB loses memory when it closes an environment that others broke'; fi
	answers
	alive=$(workers)
	before=$(recoveries)
	request pump-2
	condemn
	enroll pump-2.b64
	assert_issued pump-2.key
	assert_equal "$(recoveries)" $((before + 1))
	# Shared memory as large as it may become is on disk, so the worker could read its own map.
	request pump-3
	enroll pump-3.b64
	assert_issued pump-3.key
	run -0 est_admin store check
	# shellcheck disable=SC2086 # words on purpose
	assert_alive $alive
}

@test "J4 the programs are position-independent, all relocations read-only, no executable stack, checked" {
	local program
	if sanitized; then skip 'the programs are built with sanitizers'; fi
	for program in est.fcgi status.cgi est-admin est-client; do
		program=$EST_BUILD/$program
		assert_regex "$(readelf -hW "$program" | grep Type:)" 'DYN'
		assert_regex "$(readelf -lW "$program" | grep INTERP)" INTERP
		assert_regex "$(readelf -lW "$program" | grep GNU_RELRO)" GNU_RELRO
		assert_regex "$(readelf -dW "$program" | grep FLAGS)" 'NOW'
		assert_equal "$(readelf -lW "$program" | awk '$1 == "GNU_STACK" { print $7 }')" RW
		refute_regex "$(readelf -dW "$program")" 'RPATH|RUNPATH|TEXTREL'
		assert_regex "$(readelf -sW --dyn-syms "$program")" '__stack_chk_fail'
		assert_regex "$(readelf -sW --dyn-syms "$program")" '__[a-z]+_chk@'
	done
}

# What others may do with FILE...: "-rw-r-----" has nothing.
others_may() { find "$@" -perm /o+rwx -printf '%M %P\n' | sort; }

@test "J6 after init and use nobody else reads a secret, and nobody else writes anything" {
	local secret
	request pump-4
	enroll pump-4.b64
	assert_issued pump-4.key
	(umask 022 && est_admin user add late --names 'x.example' --password-file <(echo correct-horse-battery))
	assert_equal "$(find "$E2E/est" ! -type l -perm /o+w)" ''
	assert_equal "$(others_may "$E2E/est/state")" ''
	assert_equal "$(others_may "$LOG"*)" ''
	while IFS= read -r secret; do
		assert_equal "$(others_may "$secret")" ''
	done < <(grep -rlE 'PRIVATE KEY|passphrase' "$E2E/est" --include='*' && find "$E2E/est" -name '*.key')
	# The group that may read the CA's key may not replace it.
	assert_equal "$(find "$E2E/est" -name '*.key' -perm /g+w)" ''
}

@test "the kernel refused nothing that a worker did" {
	need_sandbox
	run -0 journal_of_kernel
	refute_output --partial est.fcgi
}

# What was refused since the test file began, where we may see it.
journal_of_kernel() {
	dmesg 2>/dev/null | grep -E 'type=(1326|1423)' | grep -F "$E2E" || true
}
