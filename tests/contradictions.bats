#!/usr/bin/env bats
# contradictions.bats - est-admin check tells what a label and its profile say that contradicts itself, and nothing
# of what does not; est-admin profile shows what certificates look like. Wants EST_BUILD, the directory with est-admin.

bats_require_minimum_version 1.5.0

setup_file() {
	: "${EST_BUILD:?is the directory with the programs}"
	cd "$BATS_FILE_TMPDIR" || exit 1
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=Root' \
		-addext keyUsage=critical,keyCertSign,cRLSign -keyout ca.key -out ca.pem 2>/dev/null
	mkdir -m 700 state
	printf '\x30\x00' >empty.der
	printf '\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07' >password.der
	printf '\x30\x0d\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x3a' >linking.der
}

setup() {
	bats_load_library bats-support
	bats_load_library bats-assert
	cd "$BATS_FILE_TMPDIR" || exit 1
}

admin() { "$EST_BUILD/est-admin" -c est.conf "$@"; }

configuration() { # LABEL-KEYS [PROFILE-KEYS [GENERAL-KEYS]]
	cat >est.conf <<-END
		state = "state"; log = "est.log"; ${3-}
		ca = ( { name = "ca"; certificate = "ca.pem"; key = "ca.key"; } );
		profile = ( { name = "p"; keys = [ "P-256" ]; ${2-} } );
		label = ( { name = ""; ca = "ca"; profile = "p"; $1 } );
	END
}

# What is said of the label, "warn text" a line each; nothing where all is well.
label_says() {
	admin --json check 2>/dev/null | jq -r 'select(.what == "label \"\"" and .status != "ok") | .status + " " + .cure'
}

says() { # warn|fail WORDS LABEL-KEYS [PROFILE-KEYS [GENERAL-KEYS]]
	local level=$1 words=$2
	shift 2
	configuration "$@"
	run label_says
	assert_line --regexp "^$level .*$words"
	assert_equal "${#lines[@]}" 1
}

is_fine() { # LABEL-KEYS [PROFILE-KEYS [GENERAL-KEYS]]
	configuration "$@"
	run label_says
	assert_output ''
}

renewals='operations = [ "simpleenroll", "csrattrs" ];'

@test "serverkeygen: the generated key is one of the profile's" {
	says fail generated_key 'operations = [ "simpleenroll", "serverkeygen" ]; generated_key = "P-384";'
	is_fine 'operations = [ "simpleenroll", "serverkeygen" ]; generated_key = "P-256";'
	is_fine 'operations = [ "simpleenroll", "serverkeygen" ];'
	says warn generated_key 'generated_key = "P-256";'
	says warn 'keys of CAs' 'operations = [ "serverkeygen" ];' \
		'ca = true; key_usage = [ "keyCertSign" ]; extended_key_usage = [ ];'
}

@test "operations: what is said of one that is not offered" {
	says warn approval 'approval = [ "serverkeygen" ];'
	is_fine 'approval = [ "simpleenroll" ];'
	says warn grace "$renewals grace = \"1d\";"
	is_fine 'grace = "1d";'
	says warn renew_after "$renewals renew_after = \"50%\";"
	is_fine 'renew_after = "50%";'
	is_fine "$renewals renew_after = \"00%\";"
	says warn supersede "$renewals supersede = true;"
	is_fine 'supersede = true;' 'key_reuse = false;'
	is_fine 'supersede = true; renew_after = "50%"; operations = [ "simpleenroll", "csrattrs", "fullcmc" ];' 'key_reuse = false;'
	says warn change_subject 'change_subject = true; operations = [ "csrattrs" ];'
	is_fine 'change_subject = true;'
	is_fine "$renewals change_subject = true;" # first certificates too (RFC 7030 4.2.1)
	is_fine 'change_subject = true; operations = [ "serverkeygen" ];'
	says warn eecerts 'eecerts = [ "ca.pem" ];'
	says warn eecerts 'operations = [ "simpleenroll", "eecerts" ];'
	is_fine 'operations = [ "simpleenroll", "eecerts" ]; eecerts = [ "ca.pem" ];'
	says warn certificates_from 'operations = [ "simplereenroll" ];'
	is_fine 'operations = [ "simplereenroll", "simpleenroll" ];'
}

@test "renewals need certificates of TLS clients, where certificates prove who asks" {
	says warn clientAuth '' 'extended_key_usage = [ "serverAuth" ];'
	is_fine 'authenticate = "basic";' 'extended_key_usage = [ "serverAuth" ];'
	is_fine '' 'extended_key_usage = [ "serverAuth", "clientAuth" ];'
	is_fine '' 'extended_key_usage = [ ];'
	is_fine "$renewals" 'extended_key_usage = [ "serverAuth" ];'
	says warn change_subject 'change_subject = true;' 'subject_from = "identity";'
}

@test "approval: who comes back comes before the request expires" {
	says fail approval_retry 'approval = [ "simpleenroll" ]; approval_retry = "1h"; approval_expiry = "1h";'
	is_fine 'approval = [ "simpleenroll" ]; approval_retry = "1h"; approval_expiry = "2h";'
	is_fine 'approval_retry = "1h"; approval_expiry = "1h";'
}

@test "linking: what is required can be proven" {
	is_fine 'pop_required = true;'
	says fail challenge 'pop_required = true; challenge = "ignore";'
	says warn estIdentityLinking 'pop_required = true; challenge = "otp";'
	is_fine 'challenge = "ignore";'
	says fail tls_unique 'pop_required = true;' '' 'tls_unique = ""; tls_exporter = "";'
	is_fine 'pop_required = true;' '' 'tls_unique = "";'
}

@test "A-06 linking: what is required is told" {
	says fail 'csrattrs to operations' 'pop_required = true; operations = [ "simpleenroll" ];'
	says fail 'CSR attributes do not say' 'pop_required = true; csrattrs_file = "empty.der";'
	says fail 'CSR attributes do not say' 'pop_required = true; csrattrs_base64 = "MAsGCSqGSIb3DQEJDg==";' # extensionRequest
	is_fine 'pop_required = true; csrattrs_file = "password.der";'
	is_fine 'pop_required = true; csrattrs_base64 = "MAsGCSqGSIb3DQEJBw==";'
	is_fine 'pop_required = true; csrattrs_file = "linking.der";'
	is_fine 'pop_required = true; csrattrs = [ "template" ];'
	is_fine 'csrattrs_file = "empty.der";'
	# where challengePassword is a secret, it tells nothing of linking
	configuration 'pop_required = true; challenge = "otp"; csrattrs_file = "password.der";'
	run label_says
	assert_line --regexp '^fail .*CSR attributes do not say'
	configuration 'pop_required = true; challenge = "otp"; csrattrs_file = "linking.der";'
	run label_says
	refute_output --partial fail
}

@test "csrattrs: what is enforced is demanded, and can be learned" {
	is_fine 'csrattrs_enforce = true;'
	says warn 'csrattrs to operations' 'csrattrs_enforce = true; operations = [ "simpleenroll" ];'
	says warn 'nothing is demanded' 'csrattrs_enforce = true; csrattrs_file = "empty.der";'
}

@test "profiles: URLs without TLS, and something to staple" {
	says warn https '' 'crl_urls = [ "https://a.example/crl" ];'
	says warn https '' 'issuer_urls = [ "https://a.example/ca" ];'
	is_fine '' 'crl_urls = [ "http://a.example/crl" ];'
	says warn must_staple '' 'must_staple = true;'
	is_fine '' 'must_staple = true; ocsp_urls = [ "http://a.example" ];'
}

@test "profile show prints the extensions as openssl does, and tells where names come from" {
	configuration '' 'subject = [ "CN", "OU" ]; subject_patterns = [ "CN=pump-*.example", "CN=valve-*" ];
		subject_fixed = [ "O=Pump Works" ]; san_fixed = [ "uri:urn:plant:7" ]; policies = [ "1.2.3" ];
		extensions = [ "1.2.3.4 critical 0c0141" ]; must_staple = true; ocsp_urls = [ "http://o.example" ];'
	run -0 admin profile show p
	assert_line --regexp '^  CN +of the request, like pump-\*\.example or valve-\*$'
	assert_line --regexp '^  O +always Pump Works$'
	assert_line --regexp '^  OU +of the request$'
	assert_line --regexp '^  uri +always urn:plant:7$'
	assert_line '  X509v3 Key Usage: critical'
	assert_line '      Digital Signature'
	assert_line '      Policy: 1.2.3'
	assert_line '      OCSP - URI:http://o.example'
	assert_line '  1.2.3.4: critical'
	assert_line '      0c0141'
	assert_line '  OU=XX,CN=pump-x.example,O=Pump Works'
	run -0 admin --json profile show p
	assert_equal "$(jq -c '[.name, .labels, .ca, .validity, .keys]' <<<"$output")" '["p",[""],false,7776000,["P-256"]]'
	assert_equal "$(jq -c '.subject[0]' <<<"$output")" '{"type":"O","from":"profile","fixed":["Pump Works"],"patterns":[]}'
	assert_equal "$(jq -c '.extensions[] | select(.oid == "1.2.3.4")' <<<"$output")" \
		'{"name":"1.2.3.4","oid":"1.2.3.4","critical":true,"value":"0c0141","der":"0c0141"}'
	run -3 admin profile show q
	assert_output --partial 'no profile "q"'
}

@test "profile show tells a CA's from a device's, and refuses what contradicts itself" {
	configuration '' 'ca = true; key_usage = [ "keyCertSign" ]; extended_key_usage = [ ]; path_length = "2";'
	run -0 admin profile show p
	assert_line --regexp '^for +CAs$'
	assert_line '      CA:TRUE, pathlen:2'
	configuration '' 'subject_fixed = [ "C=Germany" ];'
	run ! admin profile show p
	assert_output --partial subject_fixed
	configuration '' 'keys = [ ];'
	run ! admin profile show p
}

@test "profile list has a line for each, with the labels that have it" {
	configuration ''
	run -0 admin profile list
	assert_line --regexp '^p +devices +90 days +P-256 +""$'
	run -0 admin --json profile list
	assert_equal "$(jq -c . <<<"$output")" '{"name":"p","ca":false,"validity":7776000,"keys":["P-256"],"labels":[""]}'
}

@test "external_names, manufacturer_name and trust_anchors want the proof that they are for" {
	says warn external_names 'external_names = [ "{user}" ];'
	is_fine 'authenticate = "external"; external_names = [ "{user}" ];'
	says warn manufacturer_name 'manufacturer_name = "{CN}";'
	says warn trust_anchors 'authenticate = "basic"; trust_anchors = [ "ca.pem" ];'
	is_fine 'authenticate = "certificate"; trust_anchors = [ "ca.pem" ]; manufacturer_name = "{CN}";'
	is_fine 'authenticate = "certificate-or-basic"; trust_anchors = [ "ca.pem" ];'
}

@test "bootstrap: HTTP Basic has to be among the methods, and the path is its own" {
	says fail bootstrap 'authenticate = "certificate"; bootstrap = "/.well-known/est/bootstrap";'
	says fail 'neither basic' 'authenticate = "certificate-and-basic"; bootstrap = "/.well-known/est/bootstrap";'
	is_fine 'authenticate = "certificate-or-basic"; bootstrap = "/.well-known/est/bootstrap";'
	says fail operation 'authenticate = "basic"; bootstrap = "/.well-known/est/simpleenroll";'
	is_fine 'authenticate = "secret"; bootstrap = "/.well-known/est/bootstrap";'
}

@test "duplicates: devices that may have no second certificate can renew" {
	says warn duplicates "authenticate = \"basic\"; duplicates = \"refuse\"; $renewals"
	is_fine 'authenticate = "basic"; duplicates = "refuse";'
}

@test "hook: is a program that nobody else can change" {
	printf '#!/bin/sh\n' >hook
	chmod 644 hook
	says fail hook 'hook = "hook";'
	says fail hook 'hook = "no-such-hook";'
	chmod 777 hook
	says warn hook 'hook = "hook";'
	chmod 755 hook
	is_fine 'hook = "hook";'
	ln -sf hook link
	is_fine 'hook = "link";'
}

@test "hook: nor are its directory and its settings for others to change" {
	mkdir -p hooks other
	printf '#!/bin/sh\n' >hooks/h
	cp hooks/h other/h
	chmod 755 hooks hooks/h other other/h
	ln -sf ../other/h hooks/link
	is_fine 'hook = "hooks/h";'
	chmod 775 hooks
	says warn '/hooks can be changed' 'hook = "hooks/h";'
	chmod 757 hooks
	says warn '/hooks can be changed' 'hook = "hooks/h";'
	chmod 755 hooks
	chmod 775 other
	says warn '/other can be changed' 'hook = "hooks/link";'
	chmod 755 other
	is_fine 'hook = "hooks/link";'
	echo >hooks/h.conf
	chmod 644 hooks/h.conf
	is_fine 'hook = "hooks/h";'
	chmod 664 hooks/h.conf
	says warn 'h\.conf can be changed' 'hook = "hooks/h";'
}

@test "hook: what belongs to the user of the workers is told" {
	[ "$(id -u)" = 0 ] || skip 'needs root'
	chmod 755 "$BATS_RUN_TMPDIR" .
	mkdir -p owned
	printf '#!/bin/sh\n' >owned/h
	echo >owned/h.conf
	chmod 755 owned owned/h
	chown www-data state
	is_fine 'hook = "owned/h";'
	for file in owned owned/h owned/h.conf; do
		chown www-data "$file"
		says warn "$file can be changed" 'hook = "owned/h";'
		chown root "$file"
	done
	printf '#!/bin/sh\n' >owned/h
	chmod 711 owned/h
	says fail 'cannot read' 'hook = "owned/h";'
	chown root state
}

@test "hook: a script has an interpreter that is there" {
	local line
	while read -r line; do
		printf '%b\n' "$line" >script
		chmod 755 script
		says fail 'nothing is issued' 'hook = "script";'
	done <<-'END'
		#!/no/such/sh
		#!
		#! /tmp
		#!/bin/sh\r
		#!/usr/bin/env no-such-program
		#!/usr/bin/env
	END
	while read -r line; do
		printf '%b\n' "$line" >script
		is_fine 'hook = "script";'
	done <<-'END'
		#!/bin/sh
		#! /bin/sh -eu
		#!/bin/sh\t-e
		#!/usr/bin/env sh
		#!/usr/bin/env -S sh -e
	END
	echo 'exit 0' >script
	says warn 'begins with #!' 'hook = "script";'
	cp /bin/true script
	is_fine 'hook = "script";'
}

@test "manufacturer_name: a rule that names no field is told" {
	says fail manufacturer_name 'authenticate = "certificate"; trust_anchors = [ "ca.pem" ]; manufacturer_name = "pump";'
	says fail manufacturer_name 'authenticate = "certificate"; trust_anchors = [ "ca.pem" ]; manufacturer_name = "{nothing}";'
}
