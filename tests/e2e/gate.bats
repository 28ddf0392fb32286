#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# gate.bats - what the gate remembers and compares between requests: one key in other forms, one device in other names.

load instance
load hostile
load gate

# The labels of gate.bash are too few here.
instance_config() {
	local either='"basic", "certificate"'
	cat <<-END
		state = "state";
		log = "est.log";
		csr_limit = "256K";
		body_limit = "1M";
		server_certificates = [ "server.pem", "../keys/compressed.pem" ];
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; },
		  { name = "second"; certificate = "../second/devices.pem"; key = "../second/devices.key"; } );
		profile = ( { name = "device"; },
		  { name = "server"; extended_key_usage = [ "serverAuth", "clientAuth" ];
		    key_usage = [ "digitalSignature", "keyAgreement" ]; },
		  { name = "permissive"; names = "permissive"; subject = [ $ALL_SUBJECT, "SN", "GN" ];
		    subject_alt_names = [ "dns", "ip", "email", "uri" ]; },
		  { name = "exponents"; rsa_exponents = "any"; },
		  { name = "nosubject"; empty_subject = true; },
		  { name = "agree"; keys = [ "P-256", "P-384" ]; key_usage = [ "keyAgreement", "encipherOnly" ]; } );
		label = (
		$(label '' devices device "$either"),
		$(label trusting devices device "$either" \
		'trust_anchors = [ "../keys/maker.pem" ]; intermediates = [ "../keys/middle.pem" ];'),
		$(label server devices server "$either"),
		$(label permissive devices permissive "$either"),
		$(label narrow devices device "$either" 'certificates_from = [ "narrow", "permissive" ];'),
		$(label exponents devices exponents "$either"),
		$(label nosubject devices nosubject "$either"),
		$(label agree devices agree "$either"),
		$(label second second device "$either") );
	END
}

# Certificates of others whose EC point is compressed: a web server's, and an intermediate CA's.
compressed_certificate() { # NAME EXTENSION
	openssl ecparam -name prime256v1 -genkey -noout |
		openssl ec -conv_form compressed -out "$E2E/keys/$1.key" 2>/dev/null
	openssl req -new -key "$E2E/keys/$1.key" -subj "/CN=$1.example" |
		openssl x509 -req -CA "$E2E/keys/maker.pem" -CAkey "$E2E/keys/maker.key" -days 20 -set_serial "0x5ac0df0$RANDOM" \
			-extfile <(echo "$2") -out "$E2E/keys/$1.pem" 2>/dev/null
}

setup_file() {
	instance_directory
	# instance_make has maker.pem made before est.conf is read, and no more than that.
	eval "$(declare -f foreign_ca | sed '1s/foreign_ca/maker_ca/')"
	# shellcheck disable=SC2317 # instance_make calls it
	foreign_ca() {
		maker_ca
		compressed_certificate compressed 'subjectAltName=DNS:localhost'
		compressed_certificate middle 'basicConstraints=critical,CA:TRUE'
	}
	instance_start
	WORKERS=$(workers | tr '\n' ' ')
	export WORKERS
}
teardown_file() { instance_stop; }

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	lines=$(wc -l <"$LOG")
}

teardown() {
	# shellcheck disable=SC2086 # words on purpose
	assert_alive $WORKERS
	assert_equal "$(tail -n "+$((lines + 1))" "$LOG" | grep -c '"level":"alarm"')" 0
}

# The request of a subject and SANs by this key; NAME.b64.
ask_for() { # KEY SUBJECT [SAN [OPTION of openssl req...]]
	csr "$@" | b64 >ask.b64
}

# A key of the same modulus with the next exponent from E on that it can have.
with_exponent() { # KEY E OUT
	openssl rsa -in "$1" -traditional -outform DER 2>/dev/null | openssl asn1parse -inform DER |
		sed -n 's/.*INTEGER *://p' | python3 -c '
import math, sys
e = int(sys.argv[1])
_, n, _, _, p, q = [int(line, 16) for line in sys.stdin][:6]
while math.gcd(e, (p - 1) * (q - 1)) != 1:
    e += 2
d = pow(e, -1, (p - 1) * (q - 1))
print("asn1 = SEQUENCE:key\n[key]")
for i, number in enumerate((0, n, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))):
    print(f"n{i} = INTEGER:{number:#x}")
' "$2" >"$3.cnf"
	openssl asn1parse -genconf "$3.cnf" -noout -out "$3.der"
	openssl pkey -inform DER -in "$3.der" -out "$3"
	run -0 openssl pkey -in "$3" -check -noout
}

revoke() { est_admin cert revoke "$(serial "$1")" --reason "$2"; }

# --- one key, whatever it looks like ---

@test "A14 a compromised RSA key does not come back with another exponent" {
	local from to
	for from in usual odd; do
		key RSA-2048 usual.key
		with_exponent usual.key 65539 odd.key
		if [ $from = usual ]; then to=odd; else to=usual; fi
		ask_for $from.key "/CN=exponent-$from.example"
		enroll ask.b64 exponents
		assert_issued $from.key
		ask_for $to.key "/CN=exponent-$from-other.example"
		enroll ask.b64 exponents
		assert_issued $to.key # nobody lost it yet
		ask_for $from.key "/CN=exponent-$from.example"
		enroll ask.b64 exponents
		certificate lost.pem
		revoke lost.pem keyCompromise
		ask_for $to.key "/CN=exponent-$from-third.example"
		enroll ask.b64 exponents
		assert_refused 400 '^badCSR:blocked-key: '
		ask_for $from.key "/CN=exponent-$from-fourth.example"
		enroll ask.b64 exponents
		assert_refused 400 '^badCSR:blocked-key: '
		with_exponent usual.key 1048577 third.key
		ask_for third.key "/CN=exponent-$from-fifth.example"
		enroll ask.b64 exponents
		assert_refused 400 '^badCSR:blocked-key: '
	done
	key RSA-2048 good.key
	with_exponent good.key 65539 other.key
	ask_for other.key /CN=exponent-good.example
	enroll ask.b64 exponents
	assert_issued other.key
}

@test "A15 a published RSA key is blocked with every exponent" {
	local size
	for size in 2048 3072 4096; do
		openssl pkey -in "$CORPUS/keys/rsa-$size.pem" -out known.key
		with_exponent known.key 65539 known-odd.key
		ask_for known-odd.key /CN=published.example
		enroll ask.b64 exponents
		assert_refused 400 '^badCSR:blocked-key: '
	done
}

@test "A22 the key of a web server whose certificate has a compressed point is reserved, and CAs' keys are" {
	local name
	run -0 openssl x509 -in "$E2E/keys/compressed.pem" -noout -text
	refute_output --regexp 'pub:[[:space:]]+04:'
	run -0 openssl x509 -in "$E2E/keys/middle.pem" -noout -text
	refute_output --regexp 'pub:[[:space:]]+04:'
	for name in compressed maker middle; do
		openssl ec -in "$E2E/keys/$name.key" -conv_form uncompressed -out plain.key 2>/dev/null
		ask_for plain.key "/CN=reserved-$name.example"
		enroll ask.b64
		assert_refused 400 '^badCSR:reserved-key: '
	done
	for name in est/devices.key second/devices.key est/server.key; do
		ask_for "$E2E/$name" /CN=reserved.example
		enroll ask.b64 trusting
		assert_refused 400 '^badCSR:reserved-key: '
	done
}

@test "A14 a key is blocked where another certificate of it was lost, even for a request that is repeated" {
	local before
	key P-256 two.key
	ask_for two.key /CN=two-b.example
	cp ask.b64 b.b64
	enroll b.b64
	assert_issued two.key
	ask_for two.key /CN=two-a.example
	enroll ask.b64
	assert_issued two.key
	mv issued.pem a.pem
	enroll b.b64
	assert_issued two.key # within the retry window: the first answer again
	before=$(rows)
	revoke a.pem keyCompromise
	enroll b.b64
	assert_refused 400 '^badCSR:blocked-key: '
	assert_equal "$(rows)" "$before"
}

# --- one device ---

renew() { post "$1/simplereenroll" "$2" -u "any:$PASSWORD"; } # LABEL FILE

@test "N-03 a device without a common name renews with its names in another order" {
	local order first
	key P-256 first.key
	make_csr -k first.key -N 3000 -e "$(san "$(dns order-a.example)" "$(dns order-b.example)" 8704c0000207)" | b64 >ask.b64
	enroll ask.b64 nosubject
	assert_issued first.key
	first=$(names issued.pem)
	for order in "$(dns order-b.example) $(dns order-a.example) 8704c0000207" \
		"8704c0000207 $(dns ORDER-B.example) $(dns order-a.example)"; do
		key P-256 next.key
		# shellcheck disable=SC2086 # words on purpose
		make_csr -k next.key -N 3000 -e "$(san $order)" | b64 >next.b64
		renew nosubject next.b64
		assert_issued next.key
		assert_equal "$(names issued.pem)" "$first" # in the old order
	done
	make_csr -k next.key -N 3000 -e "$(san "$(dns order-b.example)" "$(dns order-a.example)")" | b64 >next.b64
	renew nosubject next.b64
	assert_refused 403 '^renew:nothing: '
	make_csr -k next.key -N 3000 -e "$(san "$(dns order-c.example)" "$(dns order-b.example)" "$(dns order-a.example)" 8704c0000207)" | b64 >next.b64
	renew nosubject next.b64
	assert_refused 403 '^renew:nothing: '
	ask_for first.key /O=Acme DNS:acme-a.example,DNS:acme-b.example
	enroll ask.b64
	assert_issued first.key
	ask_for next.key /O=Acme DNS:acme-b.example,DNS:acme-a.example
	renew '' ask.b64
	assert_issued next.key
}

@test "S-16 the same key and names for another purpose is another request" {
	local before
	before=$(rows)
	key P-256 purpose.key
	ask_for purpose.key /CN=purpose.example DNS:purpose.example -addext extendedKeyUsage=serverAuth,clientAuth
	enroll ask.b64 server
	assert_issued purpose.key
	mv issued.pem first.pem
	ask_for purpose.key /CN=purpose.example DNS:purpose.example -addext extendedKeyUsage=clientAuth
	enroll ask.b64 server
	assert_issued purpose.key
	assert_not_equal "$(serial issued.pem)" "$(serial first.pem)"
	run -0 openssl x509 -in issued.pem -noout -ext extendedKeyUsage
	refute_output --partial 'Server Authentication'
	mv issued.pem second.pem
	enroll ask.b64 server
	assert_issued purpose.key
	assert_equal "$(serial issued.pem)" "$(serial second.pem)"
	ask_for purpose.key /CN=purpose.example DNS:purpose.example -addext extendedKeyUsage=clientAuth -addext keyUsage=digitalSignature
	enroll ask.b64 server
	assert_issued purpose.key
	assert_not_equal "$(serial issued.pem)" "$(serial second.pem)"
	assert_equal "$(rows)" $((before + 3))
}

@test "C8 C10 under a strict label, a name that only a permissive one takes is issued as the request spells it" {
	local operation
	key P-256 old.key
	make_csr -k old.key -N "$(tlv 30 "$(cn "$(hex ' lead  two ')")")" | b64 >ask.b64
	enroll ask.b64 permissive
	assert_issued old.key
	assert_equal "$(openssl x509 -in issued.pem -noout -subject -nameopt multiline | sed -n 's/^ *commonName *= \(.*\)$/"\1"/p')" '" lead  two "'
	mv issued.pem old.pem
	for operation in simplereenroll simpleenroll; do
		key P-256 new.key
		ask_for new.key '/CN=lead two'
		post "narrow/$operation" ask.b64 --cert old.pem --key old.key
		assert_issued new.key
		assert_equal "$(openssl x509 -in issued.pem -noout -subject -nameopt multiline | sed -n 's/^ *commonName *= \(.*\)$/"\1"/p')" '"lead two"'
		make_csr -k new.key -N "$(tlv 30 "$(cn "$(hex ' lead  two ')")")" | b64 >ask.b64
		post "narrow/$operation" ask.b64 --cert old.pem --key old.key
		assert_refused 400 '^badCSR:name-character: '
	done
	# Under its own label it keeps the spelling that it has.
	ask_for new.key '/CN=lead two'
	post permissive/simplereenroll ask.b64 --cert old.pem --key old.key
	assert_issued new.key
	assert_equal "$(openssl x509 -in issued.pem -noout -subject -nameopt multiline | sed -n 's/^ *commonName *= \(.*\)$/"\1"/p')" '" lead  two "'
}

@test "C8 characters that nobody sees are shown by their numbers" {
	local name text
	name=$(hex hid)e2808b$(hex den)c2ad$(hex -1.example)
	key P-256 hidden.key
	make_csr -k hidden.key -N "$(tlv 30 "$(cn "$name")")" | b64 >ask.b64
	enroll ask.b64 permissive
	assert_issued hidden.key
	text=$(est_admin cert list | grep -a 'hid.*den.*-1')
	assert_regex "$text" 'hid.*200[bB].*den.*00[aA][dD].*-1\.example'
	run ! grep -aqP '\xe2\x80\x8b|\xc2\xad' <<<"$text"
	run -0 est_admin cert show "$(serial issued.pem)"
	assert_output --partial den
	run ! grep -aqP '\xe2\x80\x8b|\xc2\xad' <<<"$output"
}

# --- sizes, and usages ---

@test "B6 a certificate would be larger than any is: refused, and no alarm" {
	local long before
	before=$(rows)
	long=$(printf 'x%.0s' {1..700})
	key P-256 big.key
	ask_for big.key /CN=big.example "$(printf "URI:urn:%03d:$long," {1..99})URI:urn:100:$long"
	assert [ "$(wc -c <ask.b64)" -gt 90000 ]
	enroll ask.b64 permissive
	assert_refused 400 '^badCSR:size: .*certificate'
	assert_equal "$(tail -n 1 "$LOG" | jq -r .code)" badCSR:size
	# Fewer of them are granted.
	ask_for big.key /CN=big.example "$(printf "URI:urn:%03d:$long," {1..79})URI:urn:080:$long"
	enroll ask.b64 permissive
	assert_issued big.key
	assert_equal "$(rows)" $((before + 1))
}

@test "D4 encipherOnly without keyAgreement means nothing, and is refused" {
	local kind
	for kind in P-256 P-384; do
		key "$kind" agree.key
		ask_for agree.key /CN=agree-1.example '' -addext keyUsage=encipherOnly
		enroll ask.b64 agree
		assert_refused 400 '^badCSR:key-usage: '
		ask_for agree.key /CN=agree-2.example '' -addext keyUsage=keyAgreement,encipherOnly
		enroll ask.b64 agree
		assert_issued agree.key
		run -0 openssl x509 -in issued.pem -noout -ext keyUsage
		assert_line --regexp '^ *Key Agreement, Encipher Only$'
	done
}

# --- standard descriptors that are closed ---

# By what each file of the state directory is known: its first octets, or those behind a page's place in the log; of
# the gate and of the counters, which never grow, the size as well.
state_heads() {
	local file at
	for file in "$E2E"/est/state/*; do
		case ${file##*/} in
		__db.*) continue ;; # shared memory
		gate | metrics) at='0 -N 12' && stat -c %s "$file" ;;
		DB_CONFIG) at='0 -N 12' ;;
		*) at='12 -N 4' ;;
		esac
		# shellcheck disable=SC2086 # words on purpose
		printf '%s %s\n' "${file##*/}" "$(od -An -v -tx1 -j $at "$file" | tr -d ' \n')"
	done
}

# Runs the program with these descriptors closed. What it would have printed is in no file.
closed() { # DESCRIPTORS COMMAND...
	local before after
	before=$(state_heads)
	(
		case $1 in *0*) exec 0<&- ;; esac
		case $1 in *1*) exec 1>&- ;; esac
		case $1 in *2*) exec 2>&- ;; esac
		"${@:2}" || true
	) 3>&- 4>&-
	after=$(state_heads)
	assert_equal "$after" "$before"
	run ! grep -alE 'smime-type|Content-Type:|^serial|pump-0\.example .*valid' "$E2E"/est/state/* "$LOG"
}

@test "J1 programs whose standard descriptors are closed write into no file of the store" {
	local which config
	est_admin store checkpoint
	sed '/^log = /d' "$EST_CONFIG" >"$E2E/est/nolog.conf" # syslog has no descriptor of its own
	for config in "$EST_CONFIG" "$E2E/est/nolog.conf"; do
		for which in 1 01 012; do
			EST_CONFIG=$config closed $which cacerts
			closed $which est_admin cert list
			closed $which est_admin --json cert list
			closed $which est_admin store statistics
			run -0 est_admin store check
		done
	done
	request closed-1
	enroll closed-1.b64
	assert_issued closed-1.key
}

# As plain CGI.
cacerts() {
	local as=()
	if [ "$(id -u)" = 0 ]; then as=(setpriv --reuid "$WEB_USER" --regid "$WEB_USER" --clear-groups); fi
	env -i PATH="$PATH" ASAN_OPTIONS="$ASAN_OPTIONS" UBSAN_OPTIONS="$UBSAN_OPTIONS" EST_CONFIG="$EST_CONFIG" \
		GATEWAY_INTERFACE=CGI/1.1 SERVER_PROTOCOL=HTTP/1.1 HTTPS=on REMOTE_ADDR=127.0.0.1 REQUEST_METHOD=GET \
		SCRIPT_NAME=/.well-known/est PATH_INFO=/cacerts "${as[@]}" timeout 20 "$E2E/bin/est.fcgi"
}

@test "afterwards the store is whole" {
	run -0 est_admin store check
	run -0 est_admin check
}
