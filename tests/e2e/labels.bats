#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# labels.bats - L-01 to L-06, and what a configuration may call a label.

load instance

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
		crts sen sren skg skc att; do
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
