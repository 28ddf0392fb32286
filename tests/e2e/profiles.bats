#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# profiles.bats - profiles as templates of certificates: fixed names, patterns, names from who asks, extensions of
# est.conf, and a CA that issues to CAs at the edge (S-06, S-10, S-15, V-04, N-10).

load instance
load hostile

instance_files() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/O=E2E/CN=Edge Root' \
		-addext basicConstraints=critical,CA:TRUE,pathlen:2 -addext keyUsage=critical,keyCertSign,cRLSign \
		-keyout "$E2E/keys/edge-root.key" -out "$E2E/keys/edge-root.pem" 2>/dev/null
	# The workers' user reads it, where root makes it.
	chmod 0640 "$E2E/keys/edge-root.key"
	if [ "$(id -u)" = 0 ]; then chgrp "$WEB_USER" "$E2E/keys/edge-root.key"; fi
}

instance_config() {
	local either='"basic", "certificate"'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; },
		  { name = "edge"; certificate = "../keys/edge-root.pem"; key = "../keys/edge-root.key"; } );
		profile = ( { name = "device"; },
		  { name = "fixed"; subject_fixed = [ "O=Pump Works", "OU=Field" ];
		    subject_alt_names = [ "dns", "ip", "uri" ]; san_fixed = [ "uri:urn:plant:7", "dns:all.pumps.example" ]; },
		  { name = "patterns"; subject_patterns = [ "CN=pump-*.example", "O=Pump**" ];
		    san_patterns = [ "dns:*.pumps.example", "ip:192.0.2.0/24" ]; },
		  { name = "identity"; subject_from = "identity"; },
		  { name = "cn"; san_from = "cn"; extended_key_usage = [ "serverAuth" ]; },
		  { name = "rich"; validity = "7d"; policies = [ "1.3.6.1.4.1.55555.1", "2.23.140.1.2.1" ];
		    crl_urls = [ "http://crl.example/a.crl", "http://crl.example/b.crl" ];
		    ocsp_urls = [ "http://ocsp.example/" ]; issuer_urls = [ "http://aia.example/ca.cer" ];
		    must_staple = true; extensions = [ "1.3.6.1.4.1.55555.2 0c0568656c6c6f", "1.3.6.1.4.1.55555.3 critical 0500" ]; },
		  { name = "edge"; ca = true; path_length = "0"; validity = "300d"; key_usage = [ "keyCertSign", "cRLSign" ];
		    extended_key_usage = [ ]; },
		  { name = "middle"; ca = true; path_length = "1"; validity = "300d";
		    key_usage = [ "digitalSignature", "keyCertSign", "cRLSign" ]; extended_key_usage = [ ]; } );
		label = (
		$(label '' devices device "$either"),
		$(label fixed devices fixed "$either"),
		$(label patterns devices patterns "$either"),
		$(label identity devices identity "$either"),
		$(label cn devices cn "$either"),
		$(label rich devices rich "$either"),
		$(label edge edge edge "$either"),
		$(label middle edge middle "$either") );
	END
}

instance_users() { user gadget-7 "$PASSWORD" '*'; }

setup_file() { instance_start; }
teardown_file() { instance_stop; }

subject_of() { openssl x509 -in "$1" -noout -subject -nameopt RFC2253 | sed 's/^subject=//'; }
text_of() { openssl x509 -in "$1" -noout -text; }

# Enrolls KEY under these names, as the user who may have any.
enroll_names() { # LABEL SUBJECT [SAN]
	[ -e own.key ] || key P-256 own.key
	csr own.key "$2" "${3-}" | b64 >own.b64
	enroll own.b64 "$1"
}

granted() {
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	certificate issued.pem
	run -0 openssl verify -x509_strict -CAfile "$TRUST" -untrusted "$E2E/est/devices.pem" issued.pem
}

@test "check takes all of it" {
	run est_admin check
	assert_success
}

@test "fixed parts are in every certificate, once, whatever is asked for" {
	enroll_names fixed /CN=pump-1.example
	granted
	assert_equal "$(openssl x509 -in issued.pem -noout -subject -nameopt RFC2253,sep_multiline | sed 's/^ *//' | sort | tr '\n' ' ')" \
		'CN=pump-1.example O=Pump Works OU=Field subject= '
	assert_equal "$(names issued.pem | tr -d ' ' | tr , '\n' | sort | tr '\n' ' ')" 'DNS:all.pumps.example URI:urn:plant:7 '
	enroll_names fixed '/O=Pump Works/CN=pump-2.example' DNS:pump-2.example,DNS:all.pumps.example,URI:urn:plant:7
	granted
	assert_equal "$(grep -o 'O=Pump Works' <<<"$(subject_of issued.pem)" | wc -l)" 1
	assert_equal "$(names issued.pem | tr -d ' ' | tr , '\n' | sort | tr '\n' ' ')" \
		'DNS:all.pumps.example DNS:pump-2.example URI:urn:plant:7 '
	enroll_names fixed '/O=Evil/CN=pump-3.example'
	assert_regex "$CODE" '^(200|400|403)$'
	if [ "$CODE" = 200 ]; then
		granted
		run subject_of issued.pem
		refute_output --partial Evil
		assert_output --partial 'O=Pump Works'
	fi
}

@test "N-02 a certificate with fixed parts renews, by the names that it has" {
	enroll_names fixed /CN=pump-4.example DNS:pump-4.example
	granted
	cp issued.pem old.pem
	openssl x509 -x509toreq -in old.pem -signkey own.key -copy_extensions copy 2>/dev/null |
		openssl req -outform DER | b64 >again.b64
	post fixed/simplereenroll again.b64 --cert old.pem --key own.key
	assert_issued own.key
	assert_not_equal "$(serial issued.pem)" "$(serial old.pem)"
	assert_equal "$(subject_of issued.pem)" "$(subject_of old.pem)"
	assert_equal "$(names issued.pem)" "$(names old.pem)"
	# est-client does so by itself.
	echo "$PASSWORD" >password
	run -0 est_client enroll --url "$URL" --label fixed --name pump-5.example --san dns:pump-5.example --user pump \
		--password-file password --trust "$TRUST" -d device
	run -0 est_client renew -d device
}

@test "S-15 names that do not match the patterns of the profile are refused" {
	local before
	before=$(rows)
	enroll_names patterns /CN=valve-1.example
	assert_refused 403 '^auth:name-pattern: '
	enroll_names patterns /CN=pump-1.example.evil
	assert_refused 403 '^auth:name-pattern: '
	enroll_names patterns /CN=pump-a.b.example # * is no dot
	assert_refused 403 '^auth:name-pattern: '
	enroll_names patterns /O=Valves/CN=pump-1.example
	assert_refused 403 '^auth:name-pattern: '
	enroll_names patterns /CN=pump-1.example DNS:a.valves.example
	assert_refused 403 '^auth:name-pattern: '
	enroll_names patterns /CN=pump-1.example DNS:a.pumps.example,DNS:pumps.example
	assert_refused 403 '^auth:name-pattern: '
	enroll_names patterns /CN=pump-1.example IP:192.0.3.1
	assert_refused 403 '^auth:name-pattern: '
	enroll_names patterns /CN=pump-1.example IP:2001:db8::c000:201
	assert_refused 403 '^auth:name-pattern: '
	assert_equal "$(rows)" "$before"
	enroll_names patterns '/O=Pump Works/CN=pump-1.example' DNS:a.pumps.example,IP:192.0.2.255
	granted
	enroll_names patterns /CN=PUMP-2.example DNS:A.Pumps.example # letter case does not count
	granted
	enroll_names patterns /L=Anywhere/CN=pump-3.example # nobody has a pattern for L
	granted
}

@test "S-15 the common name is who asks, where the profile says so" {
	local before
	enroll_gadget() { # SUBJECT
		csr own.key "$1" | b64 >own.b64
		post identity/simpleenroll own.b64 -u "gadget-7:$PASSWORD"
	}
	key P-256 own.key
	before=$(rows)
	enroll_gadget /CN=gadget-8
	assert_refused 403 '^auth:name: '
	assert_equal "$(rows)" "$before"
	enroll_gadget /CN=gadget-7
	granted
	assert_equal "$(subject_of issued.pem)" CN=gadget-7
	enroll_gadget /O=Acme
	granted
	assert_equal "$(subject_of issued.pem)" CN=gadget-7,O=Acme || assert_equal "$(subject_of issued.pem)" O=Acme,CN=gadget-7
	run -0 est_admin --json cert show "$(serial issued.pem)"
	assert_equal "$(jq -r .name <<<"$output")" gadget-7
}

@test "the common name is the SAN of a request without, where the profile says so" {
	enroll_names cn /CN=web-1.example
	granted
	assert_equal "$(names issued.pem)" DNS:web-1.example
	enroll_names cn /CN=web-2.example DNS:www.example
	granted
	assert_equal "$(names issued.pem)" DNS:www.example
	enroll_names cn '/CN=no host name'
	assert_regex "$CODE" '^40[03]$'
}

@test "V-04 extensions of est.conf: policies, CRL, OCSP, issuer, must-staple, and by OID and DER" {
	enroll_names rich /CN=pump-1.example
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	certificate issued.pem
	run -0 text_of issued.pem
	assert_output --partial 'Policy: 1.3.6.1.4.1.55555.1'
	assert_output --partial 'Policy: 2.23.140.1.2.1'
	assert_output --partial 'URI:http://crl.example/a.crl'
	assert_output --partial 'URI:http://crl.example/b.crl'
	assert_output --partial 'OCSP - URI:http://ocsp.example/'
	assert_output --partial 'CA Issuers - URI:http://aia.example/ca.cer'
	assert_output --partial 'status_request'
	assert_output --regexp '1\.3\.6\.1\.4\.1\.55555\.2: '
	assert_output --regexp '1\.3\.6\.1\.4\.1\.55555\.3: critical'
	run -0 openssl asn1parse -inform PEM -in issued.pem
	assert_output --partial "[HEX DUMP]:0C0568656C6C6F"
	run -0 est_admin cert lint issued.pem --profile rich --ca "$E2E/est/devices.pem"
	run -1 openssl x509 -in issued.pem -noout -checkend $((8 * 86400))
}

@test "N-10 a renewal has the extensions of the profile too" {
	enroll_names rich /CN=pump-6.example
	# By a password: a web server takes no certificate with a critical extension that it does not know.
	post rich/simplereenroll own.b64 -u "any:$PASSWORD"
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	certificate issued.pem
	run -0 text_of issued.pem
	assert_output --partial 'Policy: 1.3.6.1.4.1.55555.1'
	assert_output --partial 'CA Issuers - URI:http://aia.example/ca.cer'
}

@test "S-10 a CA at the edge gets CA:TRUE from a profile of CAs, and what it signs leads to its root" {
	key P-256 edge.key
	csr edge.key /CN=edge-1.example '' -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign |
		b64 >edge.b64
	enroll edge.b64 edge
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	certificate edge.pem
	run -0 openssl x509 -in edge.pem -noout -ext basicConstraints,keyUsage
	assert_output --partial 'CA:TRUE, pathlen:0'
	assert_output --partial 'Certificate Sign, CRL Sign'
	run -0 openssl x509 -in edge.pem -noout -text
	refute_output --partial 'Extended Key Usage'
	key P-256 leaf.key
	openssl req -new -key leaf.key -subj /CN=leaf.example -addext subjectAltName=DNS:leaf.example |
		openssl x509 -req -CA edge.pem -CAkey edge.key -days 30 -set_serial 0x1234 -copy_extensions copy -out leaf.pem \
			-extfile <(printf 'authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n') 2>/dev/null
	run -0 openssl verify -x509_strict -purpose sslclient -CAfile "$E2E/keys/edge-root.pem" -untrusted edge.pem leaf.pem
	run openssl verify -x509_strict -CAfile "$TRUST" -untrusted edge.pem leaf.pem
	assert_failure
	# A request that says nothing of it gets the same: it is the profile that decides.
	enroll_names edge /CN=edge-2.example
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	certificate plain.pem
	run -0 openssl x509 -in plain.pem -noout -ext basicConstraints
	assert_output --partial 'CA:TRUE, pathlen:0'
}

@test "S-10 a longer path is the profile's, never the request's" {
	key P-256 middle.key
	csr middle.key /CN=middle-1.example '' -addext basicConstraints=critical,CA:TRUE,pathlen:7 | b64 >middle.b64
	enroll middle.b64 middle
	if [ "$CODE" = 200 ]; then
		certificate middle.pem
	else
		assert_refused 400 '^badCSR:ca: '
		csr middle.key /CN=middle-1.example '' -addext basicConstraints=critical,CA:TRUE | b64 >middle.b64
		enroll middle.b64 middle
		assert_equal "$CODE: $(cat body)" "200: $(cat body)"
		certificate middle.pem
	fi
	run -0 openssl x509 -in middle.pem -noout -ext basicConstraints
	assert_output --partial 'CA:TRUE, pathlen:1'
	key P-256 edge.key
	csr edge.key /CN=edge-3.example '' -addext basicConstraints=critical,CA:TRUE,pathlen:9 | b64 >edge.b64
	enroll edge.b64 edge
	if [ "$CODE" = 200 ]; then
		certificate edge.pem
		run -0 openssl x509 -in edge.pem -noout -ext basicConstraints
		assert_output --partial 'CA:TRUE, pathlen:0'
	fi
}

@test "S-10 where the profile is none of CAs, CA rights are refused as ever" {
	key P-256 edge.key
	csr edge.key /CN=edge-4.example '' -addext basicConstraints=critical,CA:TRUE | b64 >edge.b64
	for label in '' fixed rich; do
		enroll edge.b64 $label
		assert_refused 400 '^badCSR:ca: '
	done
}

@test "T-08 a CA's certificate is no client's" {
	key P-256 edge.key
	csr edge.key /CN=edge-5.example | b64 >edge.b64
	enroll edge.b64 middle
	certificate edge.pem
	by_certificate edge.pem
	cgi_post middle/simpleenroll edge.b64 "${BY[@]}"
	assert_refused 403 '^auth:certificate-purpose: '
}

# A configuration with a label of this profile: check has to find fault with it, and where.
finds() { # WHAT PROFILE [CA]
	EST_CONFIG=$E2E/est/odd.conf
	cat >"$EST_CONFIG" <<-END
		$(sed '/^profile/,$d' "$E2E/est/est.conf")
		profile = ( { name = "device"; keys = [ "P-256" ]; },
		  { name = "odd"; keys = [ "P-256" ]; $2 } );
		label = ( $(label '' devices device '"basic"'), $(label odd "${3:-devices}" odd '"basic"') );
	END
	chmod a+r "$EST_CONFIG"
	run est_admin check
	assert_equal "$1: $status" "$1: 1"
	assert_output --regexp '(odd\.conf:[0-9]+|FAIL)'
}

@test "check finds profiles that contradict themselves or their CA" {
	finds 'required and not granted' 'subject = [ "CN" ]; required = [ "serialNumber" ];'
	finds 'a SAN type required and not granted' 'subject_alt_names = [ "dns" ]; required = [ "ip" ];'
	finds 'fixed and not of its pattern' 'subject_fixed = [ "O=Valves" ]; subject_patterns = [ "O=Pump*" ];'
	finds 'a SAN fixed and not of its pattern' 'san_fixed = [ "dns:a.valves" ]; san_patterns = [ "dns:*.pumps" ];'
	finds 'fixed twice' 'subject_fixed = [ "CN=a", "CN=b" ];'
	finds 'no attribute' 'subject_fixed = [ "shoe=42" ];'
	finds 'no value' 'subject_fixed = [ "O" ];'
	finds 'a country of three letters' 'subject_fixed = [ "C=DEU" ];'
	finds 'an organization that is too long' "subject_fixed = [ \"O=$(printf 'x%.0s' {1..65})\" ];"
	finds 'no SAN' 'san_fixed = [ "dns:a b" ];'
	finds 'a SAN type that nobody knows' 'san_fixed = [ "shoe:42" ];'
	finds 'a pattern for nothing' 'subject_patterns = [ "pump-*" ];'
	finds 'a network that is none' 'san_patterns = [ "ip:192.0.2.0/33" ];'
	finds 'no policy' 'policies = [ "mine" ];'
	finds 'a policy twice' 'policies = [ "1.2.3", "1.2.3" ];'
	finds 'no URL' 'crl_urls = [ "crl.example" ];'
	finds 'an extension that is no DER' 'extensions = [ "1.2.3 0401" ];'
	finds 'an extension without a value' 'extensions = [ "1.2.3" ];'
	finds 'an extension twice' 'extensions = [ "1.2.3 0500", "1.2.3 0500" ];'
	finds 'an extension that there is already' 'extensions = [ "2.5.29.15 critical 03020780" ];'
	finds 'SAN by hand' 'extensions = [ "2.5.29.17 3003820161" ];'
	finds "a CA's profile that may not sign" 'ca = true; key_usage = [ "digitalSignature" ];'
	finds 'signing without being a CA' 'key_usage = [ "keyCertSign" ];'
	finds 'a CA below one that may have none' 'ca = true; key_usage = [ "keyCertSign" ]; extended_key_usage = [ ];'
	finds 'a path as long as that of its CA' 'ca = true; path_length = "2"; key_usage = [ "keyCertSign" ]; extended_key_usage = [ ];' edge
	finds 'a path without end below one that ends' 'ca = true; path_length = "none"; key_usage = [ "keyCertSign" ]; extended_key_usage = [ ];' edge
}

@test "profile show prints what a certificate of it looks like" {
	run -0 est_admin profile show fixed
	assert_output --partial 'Pump Works'
	assert_output --partial 'urn:plant:7'
	run -0 est_admin profile show rich
	assert_output --partial 'http://crl.example/a.crl'
	assert_output --partial 1.3.6.1.4.1.55555.1
	run -0 est_admin profile show edge
	assert_output --partial CA
	run -0 est_admin --json profile show device
	run -0 jq -e . <<<"$output"
	run -3 est_admin profile show nothing
}
