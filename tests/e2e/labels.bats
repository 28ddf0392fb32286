#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# labels.bats - L-01 to L-06, and what a configuration may call a label.

load instance

# A third CA, and certificates of others to hand out.
instance_files() {
	"$EST_BUILD/est-admin" init "$E2E/third" --organization 'Third' --host localhost --key P-384
	cp "$E2E/keys/idevid.pem" "$E2E/keys/others.pem"
}

# The usual labels, and some that have more, or less, than those.
eval "$(declare -f instance_config | sed '1s/instance_config/usual_config/')"
instance_config() {
	local either='"basic", "certificate"'
	usual_config | sed 's/^\(\t*ca = ( \)/\1{ name = "third"; certificate = "..\/third\/devices.pem"; key = "..\/third\/devices.key"; },\n/; $s/ );$/,/'
	cat <<-END
		$(label third third device "$either"),
		$(label off devices device "$either" 'operations = [ ];'),
		$(label little devices device "$either" 'csr_limit = "1K";'),
		$(label much devices device "$either" 'csr_limit = "32K";'),
		$(label plain devices device "$either" 'operations = [ "simpleenroll" ];'),
		$(label eecerts-1 devices device '"certificate"' 'operations = [ "eecerts" ]; eecerts = [ "../keys/others.pem", "../second/root.pem" ];') );
	END
}

setup_file() { instance_start; }
teardown_file() { instance_stop; }

@test "L-01 L-02 with a label and without" {
	local label
	for label in '' cert/ basic/ second/; do
		http "${label}cacerts"
		assert_equal "$label: $CODE" "$label: 200"
	done
	request pump-1
	post second/simpleenroll pump-1.b64 -u "pump:$PASSWORD"
	assert_equal "$CODE" 200
	certificate issued.pem
	run -0 openssl verify -x509_strict -CAfile "$E2E/second/root.pem" -untrusted "$E2E/second/devices.pem" issued.pem
	run -0 est_admin --json cert show "$(serial issued.pem)"
	assert_equal "$(jq -r '.label + " " + .ca' <<<"$output")" 'second second'
}

# A configuration with a label of this name: ./odd.conf in the instance's directory.
with_label() { # NAME
	EST_CONFIG=$E2E/est/odd.conf
	sed "s/name = \"narrow\"; ca/name = \"$1\"; ca/" "$E2E/est/est.conf" >"$EST_CONFIG"
	chmod a+r "$EST_CONFIG"
	line=$(grep -n "name = \"$1\"; ca" "$EST_CONFIG" | head -1 | cut -d: -f1)
}

@test "L-03 a label is no operation's name, of EST or its relatives" {
	local name
	for name in cacerts simpleenroll simplereenroll fullcmc serverkeygen csrattrs pal eecerts crls symmetrickeys firmware tamp \
		crts sen sren skg skc att bootstrap; do
		with_label "$name"
		run -1 est_admin check
		assert_output --partial "odd.conf:$line:"
	done
}

@test "L-04 a label has unreserved characters, 128 at most" {
	local name
	for name in 'a b' a/b 'a%20b' ü 'a?b' .. . 'a:b' "$(printf 'x%.0s' {1..129})"; do
		with_label "${name//\//\\/}"
		run -1 est_admin check
		assert_output --partial "odd.conf:"
	done
	name=$(printf 'x%.0s' {1..120})-._~09Az
	with_label "$name"
	run est_admin check
	assert_success
	cgi GET "/$name/cacerts" </dev/null
	assert_equal "$CODE" 200
}

@test "L-04 labels are case-sensitive and compared after one percent-decoding" {
	http SECOND/cacerts
	assert_equal "$CODE" 404
	http '%73econd/cacerts'
	assert_equal "$CODE" 200
	http 'second%2fcacerts'
	assert_regex "$CODE" '^(200|404)$' # lighttpd decodes the slash for us
	http '%2573econd/cacerts'
	assert_equal "$CODE" 404
}

@test "L-05 an unknown label is 404 for every operation, before anybody is asked who he is" {
	local operation
	request pump-2
	http nowhere/cacerts
	assert_refused 404
	mv body first
	for operation in simpleenroll simplereenroll; do
		post "nowhere/$operation" pump-2.b64
		assert_refused 404
		diff first body
		post "nowhere/$operation" pump-2.b64 -u pump:wrong
		assert_refused 404
		diff first body
	done
	http nowhere/simpleenroll
	assert_refused 404
	http nowhere/nothing
	assert_equal "$CODE" 404
}

@test "L-06 a user of one label is nobody to another" {
	request pump-3
	post second/simpleenroll pump-3.b64 -u "limited:$PASSWORD"
	assert_equal "$CODE" 200
	for label in '' basic/ server/; do
		post "${label}simpleenroll" pump-3.b64 -u "limited:wrong"
		assert_refused 401 '^auth:password: '
		mv body wrong
		post "${label}simpleenroll" pump-3.b64 -u "nobody:$PASSWORD"
		assert_refused 401 '^auth:password: '
		diff wrong body
		post "${label}simpleenroll" pump-3.b64 -u "limited:$PASSWORD"
		assert_refused 401 '^auth:password: '
		diff wrong body # X-06: nobody learns that the user is one elsewhere
	done
}

@test "L-06 a label's profile is its own" {
	request pump-4
	for label in '' narrow; do
		enroll pump-4.b64 "$label"
		assert_equal "$CODE" 200
		certificate "issued$label.pem"
	done
	run -0 openssl x509 -in issued.pem -noout -checkend $((60 * 86400))
	run -1 openssl x509 -in issuednarrow.pem -noout -checkend $((8 * 86400))
}

@test "L-06 a certificate of one label is no credential of another" {
	request pump-5
	enroll pump-5.b64
	certificate pump-5.pem
	post cert/simpleenroll pump-5.b64 --cert pump-5.pem --key pump-5.key
	assert_refused 403 '^auth:certificate-label: '
	post cert/simplereenroll pump-5.b64 --cert pump-5.pem --key pump-5.key
	assert_refused 403 '^auth:certificate-label: '
}

@test "L-06 a label may let certificates of another one count, for enrolling and for renewing" {
	request pump-6
	enroll pump-6.b64
	certificate pump-6.pem
	post field/simplereenroll pump-6.b64 --cert pump-6.pem --key pump-6.key
	assert_equal "$CODE" 200
	certificate pump-6.pem
	run -0 est_admin --json cert show "$(serial pump-6.pem)"
	assert_equal "$(jq -r .label <<<"$output")" field
	post field/simpleenroll pump-6.b64 --cert pump-6.pem --key pump-6.key
	assert_equal "$CODE" 200
	post simplereenroll pump-6.b64 --cert pump-6.pem --key pump-6.key
	assert_refused 403 '^auth:certificate-label: '
	post field/simpleenroll pump-6.b64 -u "any:$PASSWORD"
	assert_equal "$CODE" 403
	run -0 est_admin cert revoke "$(serial pump-6.pem)"
	post field/simplereenroll pump-6.b64 --cert pump-6.pem --key pump-6.key
	assert_refused 403 '^auth:certificate-revoked: '
}

# A request of ./odd.key with so many names: ./odd.b64 and ./odd.csr.
with_names() { # COUNT
	local name sans
	[ -e odd.key ] || key P-256 odd.key
	name=$(printf 'x%.0s' {1..60}).$(printf 'y%.0s' {1..60}).$(printf 'z%.0s' {1..60}).example
	sans=$(seq -s , -f "DNS:pump-%g.$name" "$1")
	csr odd.key /CN=pump-1.example "$sans" >odd.csr
	b64 odd.csr >odd.b64
}

@test "L-06 E-12 a label's csr_limit is its own, below that of the server or above it" {
	local label
	with_names 10
	assert [ "$(wc -c <odd.csr)" -gt 1024 ]
	enroll odd.b64 little
	assert_refused 400 '^badCSR:size: .* 1024 '
	for label in '' much; do
		enroll odd.b64 $label
		assert_equal "$label: $CODE $(cat body)" "$label: 200 $(cat body)"
	done
	with_names 1
	assert [ "$(wc -c <odd.csr)" -lt 1024 ]
	enroll odd.b64 little
	assert_issued odd.key
	with_names 95
	assert [ "$(wc -c <odd.csr)" -gt 16384 ]
	for label in '' little; do
		enroll odd.b64 $label
		assert_refused 400 '^badCSR:size: '
	done
	enroll odd.b64 much
	assert_equal "$CODE" 200
}

# A certificate that this label gives leads to its CA, and to no other one of the server.
leads_to() { # LABEL DIRECTORY
	local other
	enroll pump-7.b64 "$1"
	assert_equal "$1: $CODE" "$1: 200"
	certificate issued.pem
	run -0 openssl verify -x509_strict -CAfile "$E2E/$2/root.pem" -untrusted "$E2E/$2/devices.pem" issued.pem
	for other in est second third; do
		[ "$other" != "$2" ] || continue
		run openssl verify -partial_chain -CAfile "$E2E/$other/devices.pem" -untrusted "$E2E/$2/devices.pem" issued.pem
		assert_failure
	done
	http "${1:+$1/}cacerts"
	certificates >cacerts.pem
	run -0 openssl verify -x509_strict -CAfile <(openssl x509 -in "$E2E/$2/root.pem") -untrusted cacerts.pem issued.pem
	assert grep -qF "$(sed -n 3p "$E2E/$2/root.pem")" cacerts.pem
	assert_equal "$(grep -c BEGIN cacerts.pem)" 2
}

@test "L-01 L-06 C-10 a label per CA gives certificates that lead to that CA and to no other" {
	request pump-7
	leads_to '' est
	leads_to second second
	leads_to third third
}

@test "L-06 a certificate of one CA is no credential at a label of another" {
	local label
	request pump-8
	enroll pump-8.b64 third
	certificate third.pem
	for label in '' second; do
		by_certificate third.pem
		cgi_post "${label:+$label/}simplereenroll" pump-8.b64 "${BY[@]}"
		assert_equal "$label: $CODE" "$label: 401"
	done
	cgi_post third/simplereenroll pump-8.b64 "${BY[@]}"
	assert_equal "$CODE" 200
}

@test "0 F-01 G-01 an operation that a label does not name is 404, whoever asks and how" {
	local operation
	request pump-9
	http off/cacerts
	assert_equal "$CODE" 200
	for operation in simpleenroll simplereenroll serverkeygen fullcmc csrattrs eecerts; do
		post "off/$operation" pump-9.b64 -u "any:$PASSWORD"
		assert_refused 404 '^badRequest:path: '
		post "off/$operation" pump-9.b64
		assert_refused 404 '^badRequest:path: '
		http "off/$operation"
		assert_refused 404 '^badRequest:path: '
	done
	for operation in simplereenroll serverkeygen fullcmc csrattrs eecerts; do
		post "plain/$operation" pump-9.b64 -u "any:$PASSWORD"
		assert_refused 404 '^badRequest:path: '
	done
	enroll pump-9.b64 plain
	assert_equal "$CODE" 200
	for operation in serverkeygen fullcmc; do
		post "$operation" pump-9.b64 -u "any:$PASSWORD"
		assert_refused 404 '^badRequest:path: '
	done
	http eecerts
	assert_refused 404 '^badRequest:path: '
}

@test "V-05 V-06 what RFC 8295, RFC 8995 and RFC 9148 have besides is 404" {
	local name label
	for name in crls pal symmetrickeys symmetrickeys/return firmware firmware/return tamp tamp/return serverkeygen/return crts sen sren skg \
		skc att bootstrap enrollstatus; do
		for label in '' cert/ eecerts-1/; do
			http "$label$name"
			assert_equal "$label$name: $CODE" "$label$name: 404"
		done
	done
}

@test "V-05 the certificates of others are handed out to anybody, where a label has them" {
	http eecerts-1/eecerts
	assert_equal "$CODE" 200
	assert_regex "$(header Content-Type)" '^application/pkcs7-mime(; smime-type=certs-only)?$'
	assert_equal "$(header Content-Transfer-Encoding)" base64
	assert_equal "$(header Content-Length)" "$(wc -c <body)"
	certificates >all.pem
	assert_equal "$(grep -c BEGIN all.pem)" 2
	assert grep -qF "$(sed -n 3p "$E2E/keys/idevid.pem")" all.pem
	assert grep -qF "$(sed -n 3p "$E2E/second/root.pem")" all.pem
	http eecerts-1/eecerts -X POST -d x
	assert_refused 405
	assert_equal "$(header Allow)" 'GET, HEAD'
}

# A configuration with a label that has these settings: check has to find fault with it, name what is wrong, and say where.
finds() { # PATTERN SETTINGS [CA PROFILE AUTHENTICATE]
	local basic='"basic"'
	EST_CONFIG=$E2E/est/odd.conf
	cat >"$EST_CONFIG" <<-END
		$(sed '/^profile/,$d' "$E2E/est/est.conf")
		profile = ( { name = "device"; keys = [ "P-256" ]; } );
		label = ( $(label '' devices device "$basic"),
		$(label odd "${3-devices}" "${4-device}" "${5-$basic}" "$2") );
	END
	chmod a+r "$EST_CONFIG"
	run est_admin check
	assert_equal "$2: $status" "$2: 1"
	assert_line --regexp "(odd\\.conf:[0-9]+:|FAIL).*$1"
}

@test "L-06 check finds labels that name what there is not" {
	finds simpleenrol 'operations = [ "simpleenrol" ];'
	finds cacerts 'operations = [ "cacerts" ];'
	finds csrattrs 'approval = [ "csrattrs" ];'
	finds maybe 'challenge = "maybe";'
	finds nowhere 'certificates_from = [ "nowhere" ];'
	finds none.pem 'eecerts = [ "../keys/none.pem" ]; operations = [ "eecerts" ];'
	finds est.conf 'eecerts = [ "est.conf" ]; operations = [ "eecerts" ];'
	finds grace 'grace = "1000d";'
	finds renew_after 'renew_after = "150%";'
	finds generated_key 'generated_key = "DSA-1024"; operations = [ "serverkeygen" ];'
	finds generated_key 'generated_key = "RSA-2048"; operations = [ "serverkeygen" ];' # the profile has none
	finds 76 'wrap = "76";'
	finds approval_retry 'approval_retry = "0s";'
	finds csrattrs_require 'csrattrs_require = [ "shoe size" ];'
	finds csr_limit 'csr_limit = "2M";'
	finds nobody '' nobody
	finds nothing '' devices nothing
	finds password '' devices device '"password"'
	finds authenticate '' devices device ''
}
