#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2153,SC2238 # every test is a subshell of its own; SERVER is of instance.bash; head is a file
# identity.bats - who asks, by whatever name and by several proofs at once: secrets that are used up, blocked and living
# devices under other spellings, other CAs' certificates beside a password, the web server's users, and guesses that are
# none. T-08, T-13, T-17, T-20; F5, F6, F12 to F14, F21.

load instance
load hostile

WEB_PASSWORD=CANARY-web-4b1f
SOFTWARE=(AUTH_TYPE=Basic SERVER_SOFTWARE=lighttpd/1.4)

instance_config() {
	local either='"basic", "certificate"' maker='trust_anchors = [ "../keys/maker.pem" ];'
	local names='external_names = [ "{user}.example" ];'
	local kinds='subject = [ "CN", "UID", "emailAddress", "serialNumber", "dnQualifier", "O" ];
		    subject_alt_names = [ "dns", "email" ];'
	local waits='approval = [ "simpleenroll", "simplereenroll" ]; approval_retry = "1s"; change_subject = true;'
	cat <<-END
		state = "state";
		log = "est.log";
		backoff_account = 2; backoff_address = 8;
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; } );
		profile = ( { name = "device"; },
		  { name = "wide"; $kinds },
		  { name = "loose"; $kinds names = "permissive"; empty_subject = true; } );
		label = (
		$(label '' devices device "$either"),
		$(label secret devices wide '"secret"'),
		$(label loosesecret devices loose '"secret", "certificate"'),
		$(label approved devices device '"certificate-and-secret"' "$maker $waits certificates_from = [ \"\" ];"),
		$(label halfbasic devices device '"certificate-and-basic"' "$maker"),
		$(label halfsecret devices device '"certificate-and-secret"' "$maker"),
		$(label loose devices loose "$either"),
		$(label field devices device "$either" 'certificates_from = [ "", "loose" ];'),
		$(label refuse devices device "$either" 'duplicates = "refuse";'),
		$(label refusewide devices wide "$either" 'duplicates = "refuse";'),
		$(label supersede devices device "$either" 'duplicates = "supersede";'),
		$(label boot devices device '"basic"' 'bootstrap = "/.well-known/est/boot/bootstrap";'),
		$(label web devices device '"external"' 'external_names = [ "*" ]; rate_identity = "1/h burst 3";'),
		$(label webfree devices device '"external"' 'external_names = [ "*" ];'),
		$(label webbasic devices device '"external", "basic"' "$names"),
		$(label websecret devices device '"external", "secret"' "$names"),
		$(label three devices loose '"secret", "certificate", "basic"' 'change_subject = true;'),
		$(label made devices device '"secret", "certificate"' "$maker"),
		$(label cert devices device '"certificate"'),
		$(label srp devices device '"srp"') );
	END
}

instance_users() {
	# What ends does so before the first test begins.
	est_admin user add alice --no-password --names '*' --expires 1s
	user ended "$PASSWORD" '*' --expires 1s
	est_admin user add bob --no-password --names '*'
	est_admin user add once --no-password --names '*' --uses 1
	est_admin user add watcher --no-password --roles audit
	est_admin user add carl --no-password --names 'carl-*.example' --uses 1
	user b2 "$PASSWORD" 'other-*.example' --uses 1000
	user twice "$PASSWORD" '*' --uses 2
	user auditor "$PASSWORD" '*' --roles audit
	[ "$SERVER" != fcgid ] || srp_make
	sleep 1.1
}

# Users, and a certificate for suites that have one: openssl s_client cannot do without.
srp_make() {
	srp_user first
	srp_user second
	key RSA-2048 "$E2E/keys/rsa.key"
	openssl req -new -key "$E2E/keys/rsa.key" -subj /CN=localhost |
		openssl x509 -req -CA "$E2E/est/root.pem" -CAkey "$E2E/est/root.key" -days 20 -out "$E2E/keys/rsa.pem" 2>/dev/null
}

srp_user() { # NAME
	printf '%s\n' "CANARY-srp-$1" >"$E2E/password"
	est_admin srp add "$1" --names '*' --password-file "$E2E/password" --file "$E2E/verifiers"
	rm "$E2E/password"
}

# --- the web servers: they know fitter, and pump and ended, who have another password here, where the path begins with web ---

instance_files() {
	local user
	for user in fitter pump ended; do
		echo "$user:$WEB_PASSWORD" >>"$E2E/users.plain"
		echo "$user:$(openssl passwd -6 "$WEB_PASSWORD")" >>"$E2E/users.htpasswd"
	done
	chmod 0644 "$E2E/users.plain" "$E2E/users.htpasswd"
}

eval "usual_$(declare -f lighttpd_config)"
lighttpd_config() {
	local path
	usual_lighttpd_config | sed 's/"mod_openssl", /&"mod_auth", "mod_authn_file", /'
	echo "auth.backend = \"plain\" auth.backend.plain.userfile = \"$E2E/users.plain\" auth.require = ("
	for path in webbasic websecret; do
		echo "\"/.well-known/est/$path/\" => ( \"method\" => \"basic\", \"realm\" => \"web\", \"require\" => \"valid-user\" ),"
	done
	echo ')'
}

# Sessions of TLS-SRP are cached, as Debian's ssl.conf has it.
eval "usual_$(declare -f apache_config)"
apache_config() { usual_apache_config "$@" | sed "s|SSLSessionCache none|SSLSessionCache shmcb:$E2E/run/sessions(512000)|"; }

apache_more() {
	local module
	for module in socache_shmcb authn_core authn_file auth_basic authz_user; do
		echo "LoadModule ${module}_module $APACHE_MODULES/mod_$module.so"
	done
	cat <<-END
		<LocationMatch "^/\.well-known/est/web(basic|secret)/">
		  AuthType Basic
		  AuthName "web"
		  AuthBasicProvider file
		  AuthUserFile $E2E/users.htpasswd
		  Require valid-user
		</LocationMatch>
		Listen 127.0.0.1:$SRP_PORT
		<VirtualHost 127.0.0.1:$SRP_PORT>
		  SSLEngine on
		  SSLCertificateFile $E2E/keys/rsa.pem
		  SSLCertificateKeyFile $E2E/keys/rsa.key
		  SSLProtocol -all +TLSv1.2
		  SSLCipherSuite SRP-RSA-AES-256-CBC-SHA
		  SSLSRPVerifierFile $E2E/verifiers
		  SSLSRPUnknownUserSeed 5d20a7c1
		  SSLSessionTickets off
		  SSLOptions +StdEnvVars
		</VirtualHost>
	END
}

setup_file() {
	SRP_PORT=$(free_port)
	export SRP_PORT
	instance_start
}
teardown_file() { instance_stop; }

# Every test is at addresses of its own, so that none is slowed by the guesses of another: the N-th of it.
at() { AT_ADDRESS=(--interface "127.1.$BATS_TEST_NUMBER.$1"); }

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	at 1
}

# --- asking ---

secret() { est_admin --json secret add "$@" | jq -r .secret; } # NAME OPTION...

# By a key of its own each time, ./odd.key, for a subject as openssl req has it.
ask_for() { # PATH SUBJECT SAN OPTION of curl...
	key P-256 odd.key
	csr odd.key "$2" "$3" -utf8 | b64 >odd.b64
	post "$1" odd.b64 "${AT_ADDRESS[@]}" "${@:4}"
}

ask_any() { ask_for "$1" "$2" "$3" -u "any:$PASSWORD"; } # PATH SUBJECT SAN

# A device with a certificate and a key: NAME.pem and NAME.key.
device() { # NAME SUBJECT SAN [LABEL]
	ask_any "${4:+$4/}simpleenroll" "$2" "$3"
	assert_equal "$1: $CODE: $(cat body)" "$1: 200: $(cat body)"
	certificate "$1.pem"
	mv odd.key "$1.key"
}

own() { OWN=(--cert "$1.pem" --key "$1.key"); } # DEVICE: the options of curl
maker() { OWN=(--cert "$E2E/keys/idevid.pem" --key "$E2E/keys/idevid.key"); }

# The status, and the code of a refusal.
got() {
	if [ "$CODE" = 200 ]; then echo 200; else echo "$CODE $(sed -E '1s/^([A-Za-z]+:[0-9a-z-]+): .*/\1/' body | head -c 200)"; fi
}
assert_got() { assert_regex "$2: $(got)" ": ($1)\$"; } # PATTERN WHAT

last() { grep '"id":"' "$LOG" | tail -n 1 | jq -r "$1"; } # the last request, not event
status_of() { est_admin --json cert show "$(serial "$1")" | jq -r .status; }
waiting() { est_admin --json request list --label "$1" --state waiting | jq -r .id; }

# --- one-time secrets ---

# One certificate for the secret of NAME, by the first of these subjects and SANs; nothing for another key, by any of them.
used_up() { # LABEL NAME SUBJECT SAN [SUBJECT SAN]...
	local label=$1 name=$2 secret before i
	shift 2
	secret=$(secret "$name" --label "$label")
	before=$(rows)
	ask_for "$label/simpleenroll" "$1" "$2" -u "$name:$secret"
	assert_got 200 "$name by $1 $2"
	cp odd.b64 first.b64
	while [ $# != 0 ]; do
		ask_for "$label/simpleenroll" "$1" "$2" -u "$name:$secret"
		assert_got '401 auth:spent' "$name again by $1 $2"
		assert_equal "$(last '.secret_used // false')" false
		shift 2
	done
	# The same request has the same answer, and no other.
	post "$label/simpleenroll" first.b64 "${AT_ADDRESS[@]}" -u "$name:$secret"
	assert_got 200 "$name once more"
	assert_equal "$name $(rows)" "$name $((before + 1))"
}

@test "F12 T-20 a one-time secret is used up, whichever attribute of the subject has the device's name" {
	used_up secret uid-1 /UID=uid-1 '' /CN=uid-1 '' /UID=uid-1 DNS:uid-1 /CN=UID-1 ''
	used_up secret cn-1.example /CN=cn-1.example '' /UID=cn-1.example '' '/O=Works/CN=cn-1.example' DNS:cn-1.example
	used_up secret both-1 /UID=both-1/CN=both-1 '' /CN=both-1/UID=both-1 ''
	used_up secret sn-1 /O=Works/serialNumber=sn-1 '' /dnQualifier=sn-1 ''
	used_up secret dn-1 /O=Works/dnQualifier=dn-1 '' /serialNumber=dn-1 ''
	used_up secret mail-1@pump.example /emailAddress=mail-1@pump.example '' /O=Works email:mail-1@pump.example
	used_up secret san-1.example /O=Works DNS:san-1.example /CN=san-1.example ''
	used_up secret CASE-1.example /CN=case-1.example '' /UID=Case-1.example ''
	used_up secret dot-1. /CN=dot-1. '' /UID=dot-1. ''
}

@test "F12 T-20 a one-time secret is used up by names that only a permissive profile takes" {
	used_up loosesecret 'Püümp "7" <Süd>' '/CN=Püümp "7" <Süd>' '' '/UID=Püümp "7" <Süd>' ''
	used_up loosesecret 'pump;1,O=x' '/UID=pump;1,O=x' '' '/CN=pump;1,O=x' ''
	used_up loosesecret empty.example / DNS:empty.example /CN=empty.example ''
	used_up loosesecret 'ÜNI' '/UID=ÜNI' '' '/CN=ÜNI' ''
}

# A request of the usual name whose certificate is to have another one (RFC 6402 2.8), by a key of its own.
change_to() { # OPERATION NAME NEW OPTION of curl...
	key P-256 odd.key
	make_csr -k odd.key -n "$2" -C "$(new_name "$3")" | b64 >odd.b64
	post "$1" odd.b64 "${@:4}"
}

@test "F12 T-20 N-05 beside a certificate, with approval and other names, a secret gives one certificate as well" {
	local secret before operation name=pump-90.example
	device pump /CN=$name ''
	own pump
	for operation in simplereenroll simpleenroll; do
		if [ $operation = simpleenroll ]; then
			name=factory-1.example
			maker
		fi
		secret=$(secret $name --label approved)
		OWN+=(-u "$name:$secret")
		before=$(rows)
		# It is good for its own name alone, whoever would approve another one; that does not use it up.
		change_to approved/$operation $name $operation.example "${OWN[@]}"
		assert_got '403 auth:name' "$operation: another name"
		assert_equal "$(waiting approved)" ''
		change_to approved/$operation $name "${name^^}" "${OWN[@]}"
		assert_got '202 .*' "$operation: the first"
		cp odd.b64 first.b64
		# Nobody need look at what cannot be granted.
		spent approved/$operation $name "$operation, while the first waits"
		est_admin request approve "$(waiting approved)"
		spent approved/$operation $name "$operation, approved"
		for _ in 1 2; do
			post approved/$operation first.b64 "${OWN[@]}"
			assert_got 200 "$operation: the first, approved"
		done
		spent approved/$operation $name "$operation, answered"
		assert_equal "$operation $(rows)" "$operation $((before + 1))"
	done
}

# With another key there is nothing for the secret, nor does anything wait.
spent() { # PATH NAME WHAT
	local waiting
	waiting=$(waiting approved)
	ask_for "$1" "/CN=$2" '' "${OWN[@]}"
	assert_got '401 auth:spent' "$3: as it was"
	change_to "$1" "$2" "${2^^}" "${OWN[@]}"
	assert_got '401 auth:spent' "$3: in other letters"
	change_to "$1" "$2" spent.example "${OWN[@]}"
	assert_got '40[13] auth:(spent|name)' "$3: another name"
	assert_equal "$3: $(waiting approved)" "$3: $waiting"
}

# --- another CA's certificate ---

@test "T-08 another CA's certificate is no half of what a renewal needs" {
	local name=factory-1.example secret before
	maker
	ask_for halfbasic/simpleenroll /CN=$name '' "${OWN[@]}" -u "any:$PASSWORD"
	assert_got 200 'a first certificate by both'
	secret=$(secret $name --label halfsecret --replace)
	ask_for halfsecret/simpleenroll /CN=$name '' "${OWN[@]}" -u "$name:$secret"
	assert_got 200 'a first certificate by certificate and secret'
	secret=$(secret $name --label halfsecret --replace)
	before=$(rows)
	ask_for halfbasic/simplereenroll /CN=$name '' "${OWN[@]}" -u "any:$PASSWORD"
	assert_got '403 (renew:foreign|auth:name)' 'a renewal by certificate and password'
	ask_for halfsecret/simplereenroll /CN=$name '' "${OWN[@]}" -u "$name:$secret"
	assert_got '403 (renew:foreign|auth:name)' 'a renewal by certificate and secret'
	# Another device's even less, in either operation.
	for operation in simpleenroll simplereenroll; do
		ask_for halfbasic/$operation /CN=pump-0.example DNS:pump-0.example "${OWN[@]}" -u "any:$PASSWORD"
		assert_got '403 (renew:foreign|auth:name)' "another's name, $operation"
		ask_for halfsecret/$operation /CN=pump-0.example DNS:pump-0.example "${OWN[@]}" -u "$name:$secret"
		assert_got '403 (renew:foreign|auth:name)' "another's name, $operation"
	done
	assert_equal "$(rows)" "$before"
	# None of that has used up the secret.
	ask_for halfsecret/simpleenroll /CN=$name '' "${OWN[@]}" -u "$name:$secret"
	assert_got 200 'a first certificate by the next secret'
}

# --- devices by other spellings of their names ---

@test "a blocked device is blocked by any of its names, with its own certificate wherever that counts" {
	device blocked /CN=pump-50.example DNS:pump-50.example,DNS:alias-50.example
	device bare / DNS:pump-51.example,DNS:pump-52.example loose
	est_admin device block pump-50.example --label -
	est_admin device block pump-51.example --label loose
	own bare
	ask_any loose/simpleenroll / DNS:pump-52.example,DNS:pump-51.example
	assert_got '403 device:blocked' 'its SANs in another order'
	ask_for loose/simpleenroll / DNS:pump-52.example,DNS:pump-51.example "${OWN[@]}"
	assert_got '403 device:blocked' 'its SANs in another order, by its certificate'
	ask_for loose/simplereenroll / DNS:pump-52.example,DNS:pump-51.example "${OWN[@]}"
	assert_got '403 device:blocked' 'its SANs in another order, renewed'
	own blocked
	for operation in simpleenroll simplereenroll; do
		ask_for $operation /CN=pump-50.example DNS:pump-50.example,DNS:alias-50.example "${OWN[@]}"
		assert_got '403 device:blocked' "its certificate, $operation"
		ask_for field/$operation /CN=pump-50.example DNS:pump-50.example,DNS:alias-50.example "${OWN[@]}"
		assert_got '403 device:blocked' "its certificate at another label, $operation"
	done
	ask_any simpleenroll /CN=pump-53.example DNS:pump-53.example,DNS:pump-50.example
	assert_got '403 device:blocked' 'its name beside that of another one'
	ask_any simpleenroll /CN=pump-53.example DNS:PUMP-50.example
	assert_got '403 device:blocked' 'its name beside that of another one, in other letters'
	for name in PUMP-50.example pump-50.example. pump-50.example..; do
		ask_any simpleenroll "/CN=$name" ''
		assert_got '403 device:blocked' "$name"
	done
	# Others are not.
	ask_any simpleenroll /CN=pump-53.example DNS:pump-53.example
	assert_got 200 'another device'
	est_admin device unblock pump-50.example --label -
	own blocked
	ask_for field/simplereenroll /CN=pump-50.example DNS:pump-50.example,DNS:alias-50.example "${OWN[@]}"
	assert_got 200 'when that is over'
}

@test "a blocked device is blocked where another attribute of the subject has its name" {
	ask_any loose/simpleenroll /CN=pump-54.example ''
	assert_got 200 'the device'
	est_admin device block pump-54.example --label loose
	for subject in /UID=pump-54.example /CN=pump-55.example/UID=pump-54.example /UID=pump-54.example/CN=pump-55.example \
		/serialNumber=pump-54.example/CN=pump-55.example; do
		ask_any loose/simpleenroll "$subject" ''
		assert_got '403 device:blocked' "$subject"
	done
}

@test "a living device is refused a second certificate by any of its names: 409" {
	local label
	for label in refuse/simpleenroll boot/bootstrap; do
		ask_any "$label" /CN=pump-60.example DNS:pump-60.example
		assert_got 200 "$label: the device"
		cp odd.b64 first.b64
		ask_any "$label" /CN=pump-60.example ''
		assert_got '409 device:exists' "$label: its name"
		ask_any "$label" /CN=pump-61.example DNS:pump-61.example,DNS:pump-60.example
		assert_got '409 device:exists' "$label: beside another name"
		ask_any "$label" /CN=pump-61.example DNS:Pump-60.EXAMPLE
		assert_got '409 device:exists' "$label: beside another name, in other letters"
		ask_any "$label" /CN=pump-60.example. ''
		assert_got '409 device:exists' "$label: with a dot behind it"
		ask_any "$label" /O=Works DNS:pump-60.example
		assert_got '409 device:exists' "$label: as a SAN alone"
		post "$label" first.b64 "${AT_ADDRESS[@]}" -u "any:$PASSWORD"
		assert_got 200 "$label: the answer of before"
		ask_any "$label" /CN=pump-61.example DNS:pump-61.example,DNS:pump-62.example
		assert_got 200 "$label: another device"
	done
}

@test "devices that have neither common name nor SAN nor serial number are as many as their names" {
	local attribute name
	for attribute in UID emailAddress dnQualifier; do
		for name in a b; do
			name=$name-$attribute.works.example
			ask_any refusewide/simpleenroll "/O=Works/$attribute=$name" ''
			assert_got 200 "$attribute=$name"
			certificate issued.pem
			run -0 est_admin --json cert list --name "$name" --label refusewide
			assert_equal "$(jq -r '.serial + " " + .name' <<<"$output")" "$(serial issued.pem) $name"
			ask_any refusewide/simpleenroll "/O=Works/$attribute=$name" ''
			assert_got '409 device:exists' "$attribute=$name again"
		done
	done
}

# --- duplicates that come as renewals ---

@test "duplicates: a renewal by password is no better than a first enrollment, by the device's certificate it is" {
	local before
	device first /CN=pump-70.example DNS:pump-70.example refuse
	device other /CN=pump-71.example DNS:pump-71.example refuse
	before=$(rows)
	ask_any refuse/simplereenroll /CN=pump-70.example DNS:pump-70.example
	assert_got '409 device:exists' 'by password'
	own other
	ask_for refuse/simplereenroll /CN=pump-70.example DNS:pump-70.example "${OWN[@]}" -u "any:$PASSWORD"
	assert_got '40[39] .*' "by password, with another device's certificate"
	ask_for refuse/simpleenroll /CN=pump-70.example DNS:pump-70.example "${OWN[@]}" -u "any:$PASSWORD"
	assert_got '409 device:exists' "by password, anew, with another device's certificate"
	assert_equal "$(rows)" "$before"
	own first
	for operation in simplereenroll simpleenroll; do
		ask_for refuse/$operation /CN=pump-70.example DNS:pump-70.example "${OWN[@]}"
		assert_got 200 "by its own certificate, $operation"
	done
	assert_equal "$(status_of first.pem)" valid

	device third /CN=pump-72.example DNS:pump-72.example supersede
	ask_any supersede/simplereenroll /CN=pump-72.example DNS:pump-72.example
	assert_got 200 'superseded, by password'
	certificate later.pem
	assert_equal "$(status_of third.pem) $(status_of later.pem)" 'revoked valid'
}

# --- who the web server has authenticated ---

# By the plain CGI program, from an address of its own.
web() { # LABEL REMOTE_USER [NAME=VALUE...]
	cgi_post "$1/simpleenroll" pump.b64 REMOTE_USER="$2" REMOTE_ADDR="${AT_ADDRESS[1]}" "${SOFTWARE[@]}" "${@:3}"
}

# For one name, with another key each time: every answer is one of its own.
pump() {
	key P-256 pump.key
	csr pump.key "/CN=${1:-pump-1.example}" | b64 >pump.b64
}

@test "T-13 F6 what a record says holds for the web server's user in any letters" {
	local name user
	pump
	for name in alice ALICE aLice Alice; do
		web webfree "$name"
		assert_got '403 auth:expired' "$name"
		assert_regex "$(last '.account + .identity')" '[Aa][Ll]ice|ALICE'
	done
	for name in watcher WATCHER; do
		web webfree "$name"
		assert_got '403 auth:role' "$name"
	done
	# One user, one rate: three of this one, and three of one whom no record names.
	for user in bob carol; do
		for name in "$user" "${user^^}" "${user^}"; do
			web web "$name"
			assert_got 200 "$name"
		done
		for name in "$user" "${user^^}" "${user^^[o]}"; do
			web web "$name"
			assert_got '429 auth:rate' "$name"
		done
	done
	web web dave
	assert_got 200 dave
}

@test "T-13 F6 what a record says holds for the web server's user with blanks around the name" {
	local name
	pump
	# Directories pass over blanks at the edges (RFC 4518 2.6.1), and Apache hands over what was typed.
	for name in 'alice ' ' alice' '  ALICE '; do
		web webfree "$name"
		assert_got '403 auth:.*' "\"$name\""
	done
}

@test "T-13 a label that takes no password over HTTP invites none" {
	local label
	pump
	for label in web webfree cert srp; do
		cgi_post $label/simpleenroll pump.b64 REMOTE_ADDR="${AT_ADDRESS[1]}"
		assert_got '403 auth:.*' "$label: nobody"
		assert_equal "$label: $(header WWW-Authenticate)" "$label: "
		cgi_post $label/simpleenroll pump.b64 REMOTE_ADDR="${AT_ADDRESS[1]}" "$(basic)"
		assert_got '403 auth:.*' "$label: a password"
		assert_equal "$label: $(header WWW-Authenticate)" "$label: "
	done
	web webfree once
	assert_got 200 'its only use'
	pump
	web webfree once
	assert_regex "$CODE" '^40[13]$'
	assert_equal "$(last .code)" auth:spent
	refute_regex "$(header WWW-Authenticate)" Basic
	assert_equal "$(last '.secret_used // false')" false
}

# --- guesses, and what is none ---

# The label goes on to answer the address and the account as before: a wrong password is looked at.
assert_not_slowed() { # ACCOUNT
	post simpleenroll pump.b64 "${AT_ADDRESS[@]}" -u "$1:wrong"
	assert_got '401 auth:password' "$1, wrong"
}

@test "F13 X-05 right logins that the web server has checked are no wrong guesses of ours" {
	local label i
	for label in webbasic websecret; do
		at 2
		[ $label = webbasic ] || at 3
		pump fitter.example
		for ((i = 0; i < 10; i++)); do
			post $label/simpleenroll pump.b64 "${AT_ADDRESS[@]}" -u "fitter:$WEB_PASSWORD"
			assert_got 200 "$label: $i"
			assert_equal "$(last .identity)" external:fitter
		done
		# pump has another password here, and is known by that of the web server all the same.
		pump pump-1.example
		for ((i = 0; i < 10; i++)); do
			post $label/simpleenroll pump.b64 "${AT_ADDRESS[@]}" -u "pump:$WEB_PASSWORD"
			assert_got 200 "$label: pump $i"
			assert_equal "$(last .identity)" external:pump
		done
		assert_not_slowed fitter
		post simpleenroll pump.b64 "${AT_ADDRESS[@]}" -u "pump:$PASSWORD"
		assert_got 200 'the password of our own'
	done
}

@test "F13 X-06 the right password of an account that ended is no wrong guess, and tells nobody else that it ended" {
	local i
	at 2
	pump
	for ((i = 0; i < 10; i++)); do
		post simpleenroll pump.b64 "${AT_ADDRESS[@]}" -u "ended:$PASSWORD"
		assert_got '403 auth:expired' "$i"
		assert_equal "$(last '[.account, .identity] | map(. // "") | join("")')" ended
	done
	assert_not_slowed ended
	cp body ended
	assert_not_slowed nobody-at-all
	diff ended body
}

@test "X-08 the log of a refusal says whose credentials were refused" {
	local i
	at 2
	pump
	post simpleenroll pump.b64 "${AT_ADDRESS[@]}" -u "auditor:$PASSWORD"
	assert_got '403 auth:role' auditor
	assert_regex "$(last '[.account, .identity] | map(. // "") | join(" ")')" '^ ?(user:)?auditor ?$'
	web webfree watcher
	assert_got '403 auth:role' watcher
	assert_regex "$(last '[.account, .identity] | map(. // "") | join(" ")')" '^ ?(external:)?watcher ?$'
	for ((i = 0; i < 8; i++)); do
		post simpleenroll pump.b64 "${AT_ADDRESS[@]}" -u guessed:CANARY-guess
		[ "$CODE" = 401 ] || break
	done
	assert_got '429 auth:backoff' 'after some'
	assert_equal "$(last .credentials)" 'the account waits'
	run -1 grep -F CANARY "$LOG"
}

# --- F21: sessions of TLS-SRP ---

# POSTs ./pump.b64 over TLS-SRP, by a connection for each USER=PASSWORD, each of which offers the session of the first one,
# by libssl: openssl s_client 3.0 crashes at TLS-SRP. ./answer.N are the answers, without a status where there was no
# connection; ./reused has, line by line, whether the session was resumed.
srp() { # USER=PASSWORD...
	rm -f answer.*
	timeout 60 python3 - "$SRP_PORT" "$@" >reused <<-'END'
		import ctypes, ctypes.util, socket, sys

		ssl = ctypes.CDLL(ctypes.util.find_library("ssl"))
		pointer, number, text = ctypes.c_void_p, ctypes.c_long, ctypes.c_char_p
		for name, result, arguments in [
		    ("TLS_client_method", pointer, []), ("SSL_CTX_new", pointer, [pointer]), ("SSL_new", pointer, [pointer]),
		    ("SSL_CTX_ctrl", number, [pointer, ctypes.c_int, number, pointer]),
		    ("SSL_CTX_set_cipher_list", ctypes.c_int, [pointer, text]),
		    ("SSL_CTX_set_srp_username", ctypes.c_int, [pointer, text]),
		    ("SSL_CTX_set_srp_password", ctypes.c_int, [pointer, text]),
		    ("SSL_set_fd", ctypes.c_int, [pointer, ctypes.c_int]), ("SSL_connect", ctypes.c_int, [pointer]),
		    ("SSL_set_session", ctypes.c_int, [pointer, pointer]), ("SSL_get1_session", pointer, [pointer]),
		    ("SSL_session_reused", ctypes.c_int, [pointer]), ("SSL_shutdown", ctypes.c_int, [pointer]),
		    ("SSL_write", ctypes.c_int, [pointer, text, ctypes.c_int]), ("SSL_read", ctypes.c_int, [pointer, text, ctypes.c_int]),
		]:
		    function = getattr(ssl, name)
		    function.restype, function.argtypes = result, arguments
		SET_MAX_PROTO_VERSION, TLS1_2 = 124, 0x303

		body = open("pump.b64", "rb").read()
		request = (b"POST /.well-known/est/srp/simpleenroll HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pkcs10\r\n"
		           b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)) + body

		def ask(user, password, session):
		    context = ssl.SSL_CTX_new(ssl.TLS_client_method())
		    assert ssl.SSL_CTX_ctrl(context, SET_MAX_PROTO_VERSION, TLS1_2, None) == 1
		    assert ssl.SSL_CTX_set_cipher_list(context, b"SRP") == 1
		    assert ssl.SSL_CTX_set_srp_username(context, user) == 1
		    assert ssl.SSL_CTX_set_srp_password(context, password) == 1
		    connection, answer = ssl.SSL_new(context), b""
		    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as stream:
		        ssl.SSL_set_fd(connection, stream.fileno())
		        if session is not None:
		            assert ssl.SSL_set_session(connection, session) == 1
		        if ssl.SSL_connect(connection) != 1:
		            return None, b"", session
		        reused = ssl.SSL_session_reused(connection)
		        session = session or ssl.SSL_get1_session(connection)
		        assert ssl.SSL_write(connection, request, len(request)) == len(request)
		        piece = ctypes.create_string_buffer(65536)
		        while (got := ssl.SSL_read(connection, piece, len(piece))) > 0:
		            answer += piece.raw[:got]
		        ssl.SSL_shutdown(connection) # a session that was not closed is not resumed
		    return reused, answer, session

		session = None
		for i, who in enumerate(sys.argv[2:]):
		    user, password = who.encode().split(b"=", 1)
		    reused, answer, session = ask(user, password, session)
		    print({None: "none", 0: "no", 1: "yes"}[reused])
		    open(f"answer.{i}", "wb").write(answer)
	END
}

srp_answer() { # N: CODE, ./body and REUSED of the N-th
	CODE=$(head -n 1 "answer.$1" | cut -d' ' -f2)
	sed '1,/^\r*$/d' "answer.$1" >body
	REUSED=$(sed -n "$(($1 + 1))p" reused)
}

@test "F21 T-17 a resumed session of TLS-SRP authenticates nobody: neither whom it names nor who it began with" {
	[ "$SERVER" = fcgid ] || skip 'SRP is for Apache'
	local before i
	local users=(first=CANARY-srp-first second=CANARY-srp-second second=wrong first=CANARY-srp-first first=wrong nobody=wrong)
	local resumed=$((${#users[@]} - 1))
	pump
	before=$(rows)
	srp "${users[@]}"
	srp_answer 0
	assert_equal "$CODE $REUSED" '200 no'
	for ((i = 1; i < ${#users[@]}; i++)); do
		srp_answer $i
		# Where the session goes on, it is nobody's; where it does not, a wrong password gets no connection.
		case "$REUSED ${users[i]}" in
		yes*) assert_got '403 auth:srp' "${users[i]}" ;;
		none*=wrong) resumed=$((resumed - 1)) ;;
		*) fail "${users[i]}: $CODE $REUSED" ;;
		esac
	done
	assert [ "$resumed" -ge 2 ]
	assert_equal "$(rows)" $((before + 1))
	# Anew, who knows the password.
	srp second=CANARY-srp-second
	srp_answer 0
	assert_equal "$CODE $REUSED $(last .identity)" '200 no srp:second'
}

# --- what is used up, where several proofs come together ---

# Asks as change_to() does, for SANs alone: the request has one, and asks for another by ChangeSubjectName.
change_san() { # PATH SAN NEW OPTION of curl...
	key P-256 odd.key
	make_csr -k odd.key -N 3000 -e "$(critical_extension 0603551d11 "$(tlv 30 "$(dns "$2")")")" -C "$(new_sans "$(dns "$3")")" |
		b64 >odd.b64
	post "$1" odd.b64 "${@:4}"
}

@test "F12 T-20 a secret for a name that is asked for beside one's own certificate is used up" {
	local secret before operation name
	device a-3 / DNS:a-3.example three
	own a-3
	for operation in simpleenroll simplereenroll; do
		name=c-2-$operation.example
		secret=$(secret $name --label three)
		before=$(rows)
		change_san three/$operation a-3.example $name "${OWN[@]}" -u "$name:$secret"
		assert_got 200 "$operation: the first"
		cp odd.b64 first.b64
		certificate issued.pem
		assert_equal "$(names issued.pem)" "DNS:$name"
		change_san three/$operation a-3.example $name "${OWN[@]}" -u "$name:$secret"
		assert_got '401 auth:spent' "$operation: the second"
		ask_for three/simpleenroll / "DNS:$name" -u "$name:$secret"
		assert_got '401 auth:spent' "$operation: by the secret alone"
		post three/$operation first.b64 "${OWN[@]}" -u "$name:$secret"
		assert_got 200 "$operation: the first once more"
		assert_equal "$operation $(rows)" "$operation $((before + 1))"
		# Without it, nobody has the name.
		change_san three/$operation a-3.example $name "${OWN[@]}"
		assert_got '403 .*' "$operation: by the certificate alone"
	done
	# What the certificate may ask for by itself uses up nothing.
	secret=$(secret c-4.example --label three)
	for operation in simpleenroll simplereenroll; do
		ask_for three/$operation / DNS:a-3.example "${OWN[@]}" -u "c-4.example:$secret"
		assert_got 200 "$operation: its own name"
	done
	ask_for three/simpleenroll / DNS:c-4.example -u "c-4.example:$secret"
	assert_got 200 'the secret that was beside it'
}

# A device with its manufacturer's certificate: NAME.pem and NAME.key.
made() { # NAME
	key P-256 "$1.key"
	openssl req -new -key "$1.key" -subj "/CN=$1" |
		openssl x509 -req -CA "$E2E/keys/maker.pem" -CAkey "$E2E/keys/maker.key" -days 20 -set_serial "0x$(openssl rand -hex 8)" \
			-extfile <(echo 'extendedKeyUsage=clientAuth') -out "$1.pem" 2>/dev/null
}

# The answer of ./first.b64 again, and nothing for another key.
first_alone() { # PATH NAME SERIAL OPTION of curl...
	ask_for "$1" "/CN=$2" '' "${@:4}"
	assert_got '401 auth:spent' "$1: another key"
	post "$1" first.b64 "${@:4}"
	assert_got 200 "$1: the same request"
	certificate again.pem
	assert_equal "$(serial again.pem)" "$3"
}

@test "F12 T-08 T-20 a secret beside a manufacturer's certificate gives one certificate, whose lost answer is fetched again" {
	local name label path before
	for path in made/simplereenroll halfsecret/simpleenroll; do
		label=${path%/*} name=pump-1-${path%/*}.example
		made "$name"
		own "$name"
		# There is something to renew.
		[ $path = halfsecret/simpleenroll ] || ask_for made/simpleenroll "/CN=$name" '' "${OWN[@]}"
		OWN+=(-u "$name:$(secret "$name" --label "$label")")
		before=$(rows)
		ask_for $path "/CN=$name" '' "${OWN[@]}"
		assert_got 200 "$path: the first"
		cp odd.b64 first.b64
		certificate issued.pem
		for _ in 1 2; do first_alone $path "$name" "$(serial issued.pem)" "${OWN[@]}"; done
		assert_equal "$path $(rows)" "$path $((before + 1))"
	done
	# The manufacturer's certificate alone is no renewal, and is enough for a first one where the label says so.
	name=pump-1-made.example
	own $name
	assert_equal "${#OWN[@]}" 4
	ask_for made/simplereenroll /CN=$name '' "${OWN[@]}"
	assert_got '403 (renew:foreign|auth:name)' 'a renewal by it alone'
	ask_for made/simpleenroll /CN=$name '' "${OWN[@]}"
	assert_got 200 'a first certificate by it alone'
	name=pump-2-made.example
	made $name
	own $name
	OWN+=(-u "$name:$(secret $name --label made)")
	ask_for made/simpleenroll /CN=$name '' "${OWN[@]}"
	assert_got 200 'a first certificate that needs no secret'
	ask_for made/simplereenroll /CN=$name '' "${OWN[@]}"
	assert_got 200 'the secret that was beside it'
	ask_for made/simplereenroll /CN=$name '' "${OWN[@]}"
	assert_got '401 auth:spent' 'and again'
}

uses() { est_admin --json user show "$1" | jq -r .uses; }

# As carl, whom the web server knows by a way of its own, and with the password of b2.
both() { # NAME
	pump "$1"
	again
}
again() { web webbasic carl AUTH_TYPE=Negotiate "$(basic b2)"; }

@test "F12 T-20 of two accounts the one is used whose name is asked for" {
	both other-1.example
	assert_got 200 'a name of b2'
	assert_equal "$(uses carl) $(uses b2)" '0 1'
	both carl-1.example
	assert_got 200 'a name of carl'
	assert_equal "$(uses carl) $(uses b2)" '1 1'
	cp pump.b64 first.b64
	for name in carl-1.example carl-2.example; do
		both $name
		assert_regex "$name: $CODE" ': 40[13]$'
		assert_equal "$name: $(last .code)" "$name: auth:spent"
	done
	both neither.example
	assert_got '403 auth:name' 'a name of neither'
	cp first.b64 pump.b64
	again
	assert_got 200 'the first once more'
	both other-2.example
	assert_got 200 'another name of b2'
	assert_equal "$(uses carl) $(uses b2)" '1 2'
	run -0 est_admin --json cert list --name 'carl-*.example'
	assert_equal "${#lines[@]}" 1
}

@test "F12 T-20 a renewal by the device's own certificate uses up nothing of an account beside it" {
	local i
	device own /CN=pump-80.example DNS:pump-80.example
	own own
	for i in 1 2 3; do
		ask_for simplereenroll /CN=pump-80.example DNS:pump-80.example "${OWN[@]}" -u "twice:$PASSWORD"
		assert_got 200 "renewal $i"
	done
	assert_equal "$(uses twice)" 0
	for i in 1 2; do
		ask_for simpleenroll /CN=pump-81.example '' "${OWN[@]}" -u "twice:$PASSWORD"
		assert_got 200 "another name, $i"
		assert_equal "$(uses twice)" "$i"
	done
	ask_for simpleenroll /CN=pump-81.example '' "${OWN[@]}" -u "twice:$PASSWORD"
	assert_got '401 auth:spent' 'another name, and no uses left'
	ask_for simplereenroll /CN=pump-80.example DNS:pump-80.example "${OWN[@]}" -u "twice:$PASSWORD"
	assert_got 200 'a renewal beside an account with no uses left'
}

@test "F13 T-20 the web server's user whose account ended is told so, and its password there is no guess here" {
	local i
	at 2
	pump
	for ((i = 0; i < 10; i++)); do
		post webbasic/simpleenroll pump.b64 "${AT_ADDRESS[@]}" -u "ended:$WEB_PASSWORD"
		assert_got '403 auth:expired' "$i"
		web webbasic alice "$(basic alice)"
		assert_got '403 auth:expired' "alice, $i"
	done
	assert_not_slowed ended
	assert_not_slowed alice
}

@test "a device that asks by its own certificate is itself, in whatever order its names stand" {
	local before
	device two /O=Works DNS:s1.example,DNS:s2.example refusewide
	device other /O=Works DNS:s3.example refusewide
	own two
	before=$(rows)
	ask_any refusewide/simpleenroll /O=Works DNS:s2.example,DNS:s1.example
	assert_got '409 device:exists' 'by password'
	own other
	ask_for refusewide/simpleenroll /O=Works DNS:s2.example,DNS:s1.example "${OWN[@]}" -u "any:$PASSWORD"
	assert_got '409 device:exists' "by password, with another device's certificate"
	ask_for refusewide/simpleenroll /O=Works DNS:s2.example,DNS:s1.example "${OWN[@]}"
	assert_got '403 auth:name' "by another device's certificate"
	assert_equal "$(rows)" "$before"
	own two
	ask_for refusewide/simpleenroll /O=Works DNS:s2.example,DNS:s1.example "${OWN[@]}"
	assert_got 200 'by its own certificate'
	certificate later.pem
	mv odd.key later.key
	own later
	ask_for refusewide/simpleenroll /O=Works DNS:s2.example,DNS:s1.example "${OWN[@]}"
	assert_got 200 'by the one that it got'
}

@test "duplicates: a device whose names come in another order asks as often as it likes with its own certificate" {
	local failed=''
	device two /O=Works DNS:r1.example,DNS:r2.example refusewide
	own two
	ask_for refusewide/simpleenroll /O=Works DNS:r2.example,DNS:r1.example "${OWN[@]}"
	assert_got 200 'by its own certificate'
	certificate later.pem
	mv odd.key later.key
	ask_for refusewide/simpleenroll /O=Works DNS:r2.example,DNS:r1.example "${OWN[@]}"
	[ "$CODE" = 200 ] || failed+="old certificate, r2,r1, another key: $(got); "
	ask_for refusewide/simpleenroll /O=Works DNS:r1.example,DNS:r2.example "${OWN[@]}"
	[ "$CODE" = 200 ] || failed+="old certificate, r1,r2: $(got); "
	own later
	ask_for refusewide/simpleenroll /O=Works DNS:r1.example,DNS:r2.example "${OWN[@]}"
	[ "$CODE" = 200 ] || failed+="new certificate, r1,r2: $(got); "
	assert_equal "$failed" ''
}
