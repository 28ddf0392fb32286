#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# renewal.bats - what a label may have /simplereenroll do: names compared octet for octet (N-03), other names by
# ChangeSubjectName (N-05, RFC 6402 2.8), a window and superseding (N-09), and a grace after the end (T-10).

load instance
load hostile

instance_config() {
	local either='"basic", "certificate"' waits='approval = [ "simplereenroll" ];'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; } );
		profile = ( { name = "device"; },
		  { name = "nosubject"; empty_subject = true; subject_patterns = [ "CN=pump-*.example" ]; san_patterns = [ "dns:pump-*.example" ]; },
		  { name = "patterns"; subject_patterns = [ "CN=pump-*.example" ]; san_patterns = [ "dns:*.example" ]; } );
		label = (
		$(label '' devices device "$either"),
		$(label exact devices device "$either" 'renew_names = "exact";'),
		$(label change devices nosubject "$either" 'change_subject = true;'),
		$(label patterns devices patterns "$either" "change_subject = true; $waits"),
		$(label looked devices nosubject "$either" "change_subject = true; $waits"),
		$(label late devices device "$either" 'renew_after = "50%";'),
		$(label supersede devices device "$either" 'supersede = true;'),
		$(label grace devices device "$either" 'grace = "30d";') );
	END
}

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# A device with the subject /CN=NAME.example and this SAN: NAME.key, NAME.pem.
device() { # NAME SAN LABEL
	request "$1" "$2"
	enroll "$1.b64" "$3"
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	certificate "$1.pem"
}

renew() { # DEVICE FILE LABEL: with the device's certificate
	post "${3:+$3/}simplereenroll" "$2" --cert "$1.pem" --key "$1.key"
}

renew_by_cgi() { # DEVICE FILE LABEL [NAME=VALUE...]
	by_certificate "$1.pem"
	cgi_post "${3:+$3/}simplereenroll" "$2" "${BY[@]}" "${@:4}"
}

new_request() { # SUBJECT [SAN]: new.b64, by a new key
	key P-256 new.key
	csr new.key "$1" "${2-}" | b64 >new.b64
}

subject_of() { openssl x509 -in "$1" -noout -subject -nameopt RFC2253 | sed 's/^subject=//'; }
status_of() { est_admin --json cert show "$(serial "$1")" | jq -r '.status + " " + (.reason // "")'; }

# --- N-03 ---

@test "N-03 names that have to be exact are compared with their encoding" {
	local before
	device pump-1 DNS:pump-1.example,IP:192.0.2.1 exact
	before=$(rows)
	key P-256 odd.key
	local sans
	sans=$(san "$(dns pump-1.example)" 8704c0000201)
	make_csr -k odd.key -N "$(tlv 30 "$(cn "$(hex pump-1.example)" 13)")" -e "$sans" | b64 >odd.b64
	renew pump-1 odd.b64 exact
	assert_refused 403 '^renew:subject: '
	make_csr -k odd.key -N "$(tlv 30 "$(cn "$(hex PUMP-1.example)")")" -e "$sans" | b64 >odd.b64
	renew pump-1 odd.b64 exact
	assert_refused 403 '^renew:subject: '
	make_csr -k odd.key -n pump-1.example -e "$(san 8704c0000201 "$(dns pump-1.example)")" | b64 >odd.b64
	renew pump-1 odd.b64 exact
	assert_refused 403 '^renew:san: '
	make_csr -k odd.key -n pump-1.example -e "$(san "$(dns PUMP-1.example)" 8704c0000201)" | b64 >odd.b64
	renew pump-1 odd.b64 exact
	assert_refused 403 '^renew:san: '
	make_csr -k odd.key -n pump-1.example | b64 >odd.b64
	renew pump-1 odd.b64 exact
	assert_refused 403 '^renew:san: '
	assert_equal "$(rows)" "$before"
	make_csr -k odd.key -n pump-1.example -e "$sans" | b64 >odd.b64
	renew pump-1 odd.b64 exact
	assert_issued odd.key
	assert_equal "$(names issued.pem)" "$(names pump-1.pem)"
}

# --- N-05 ---

# A request of ./odd.key for the names of a device, with this ChangeSubjectName: ./odd.b64.
change() { # NAME CHANGE [OPTION of make_csr...]
	key P-256 odd.key
	make_csr -k odd.key -n "$1.example" -e "$(san "$(dns "$1.example")")" -C "$2" "${@:3}" | b64 >odd.b64
}

# As renew(), with somebody who looks at it and approves.
renew_approved() { # DEVICE FILE LABEL
	renew "$@"
	assert_equal "$CODE: $(cat body)" "202: $(cat body)"
	run -0 est_admin --json request list
	est_admin request approve "$(jq -r 'select(.state == "waiting") | .id' <<<"$output")"
	renew "$@"
}

@test "N-05 a renewal gets the names that ChangeSubjectName asks for, once somebody has approved them" {
	device pump-2 DNS:pump-2.example looked
	change pump-2 "$(new_name pump-20.example)$(new_sans "$(dns pump-20.example)" "$(dns pump-21.example)")"
	renew_approved pump-2 odd.b64 looked
	assert_issued odd.key
	assert_equal "$(subject_of issued.pem)" CN=pump-20.example
	assert_equal "$(names issued.pem)" 'DNS:pump-20.example, DNS:pump-21.example'
	run -0 est_admin --json cert show "$(serial issued.pem)"
	assert_equal "$(jq -r '.name + " " + .operation' <<<"$output")" 'pump-20.example simplereenroll'
	# And renews by its new ones.
	cp issued.pem pump-20.pem
	cp odd.key pump-20.key
	new_request /CN=pump-20.example DNS:pump-20.example,DNS:pump-21.example
	renew_approved pump-20 new.b64 looked
	assert_issued new.key
}

@test "N-05 a certificate alone is no leave to have another name, though the profile's patterns grant it" {
	local before
	device pump-22 DNS:pump-22.example change
	before=$(rows)
	change pump-22 "$(new_name pump-220.example)"
	renew pump-22 odd.b64 change
	assert_refused 403 '^auth:name: '
	assert_equal "$(rows)" "$before"
}

@test "N-05 what it does not name is gone: the SAN, or the subject" {
	device pump-3 DNS:pump-3.example looked
	change pump-3 "$(new_name pump-30.example)"
	renew_approved pump-3 odd.b64 looked
	assert_issued odd.key
	assert_equal "$(subject_of issued.pem)" CN=pump-30.example
	run -1 grep -q 'Alternative Name' <(openssl x509 -in issued.pem -noout -text)
	change pump-3 "$(new_sans "$(dns pump-31.example)")"
	renew_approved pump-3 odd.b64 looked
	assert_issued odd.key
	assert_equal "$(subject_of issued.pem)" ''
	run -0 openssl x509 -in issued.pem -noout -ext subjectAltName
	assert_line -n 0 --partial critical
	assert_line -n 1 --partial DNS:pump-31.example
}

@test "N-05 the request's own names are still the old ones" {
	local before
	device pump-4 DNS:pump-4.example change
	before=$(rows)
	change pump-40 "$(new_name pump-41.example)"
	renew pump-4 odd.b64 change
	assert_refused 403 '^renew:subject: '
	key P-256 odd.key
	make_csr -k odd.key -n pump-4.example -C "$(new_name pump-41.example)" | b64 >odd.b64
	renew pump-4 odd.b64 change
	assert_refused 403 '^renew:san: '
	assert_equal "$(rows)" "$before"
}

@test "N-05 a label that does not say so refuses it" {
	local before
	device pump-5 DNS:pump-5.example ''
	before=$(rows)
	change pump-5 "$(new_name pump-50.example)"
	renew pump-5 odd.b64 ''
	assert_refused 403 '^renew:change: '
	assert_equal "$(rows)" "$before"
}

@test "N-05 S-06 a first certificate gets the changed names, where who asks may have both" {
	local before
	before=$(rows)
	change pump-6 "$(new_name pump-60.example)"
	enroll odd.b64
	assert_refused 403 '^renew:change: '
	change pump-6 "$(new_name valve-60.example)"
	post change/simpleenroll odd.b64 -u "pump:$PASSWORD"
	assert_refused 403
	change pump-6 "$(tlv 30 "$(cn "$(hex root.example)")")"
	enroll odd.b64 change
	assert_refused 403 '^auth:name-pattern: '
	assert_equal "$(rows)" "$before"
	change pump-6 "$(new_name pump-60.example)"
	enroll odd.b64 change
	assert_equal "$CODE" 200
	certificate changed.pem
	run openssl x509 -in changed.pem -noout -subject -ext subjectAltName
	assert_line --partial pump-60.example
	refute_output --partial pump-6.example
}

@test "N-05 the new names are such as the profile grants, and written as names are" {
	local before
	device pump-7 DNS:pump-7.example patterns
	before=$(rows)
	change pump-7 "$(new_name valve-7.example)"
	renew pump-7 odd.b64 patterns
	assert_refused 403 '^auth:name-pattern: '
	change pump-7 "$(new_name pump-70.example)$(new_sans "$(dns pump-70.evil)")"
	renew pump-7 odd.b64 patterns
	assert_refused 403 '^auth:name-pattern: '
	change pump-7 "$(new_name pump-70.example)$(new_sans "$(tlv 81 "$(hex a@b.example)")")"
	renew pump-7 odd.b64 patterns
	assert_refused 400 '^badCSR:san-type: '
	change pump-7 "$(tlv 30 "$(cn "$(hex pump-70.example)")" "$(rdn 06032a0304 61)")"
	renew pump-7 odd.b64 patterns
	assert_refused 400 '^badCSR:name-attribute: '
	change pump-7 "$(tlv 30 "$(cn "$(hex pump-70)00$(hex .example)")")"
	renew pump-7 odd.b64 patterns
	assert_refused 400 '^badCSR:name-nul: '
	change pump-7 "$(tlv 30 "$(cn 61)" "$(cn 62)")"
	renew pump-7 odd.b64 patterns
	assert_refused 400 '^badCSR:name-form: '
	change pump-7 "$(new_sans "$(dns pump-70.example)")"
	renew pump-7 odd.b64 patterns # the profile does not take an empty subject
	assert_refused 400 '^badCSR:name-'
	assert_equal "$(rows)" "$before"
	change pump-7 "$(new_name pump-70.example)$(new_sans "$(dns pump-70.example)")"
	renew_approved pump-7 odd.b64 patterns
	assert_issued odd.key
}

@test "N-05 one that names nothing, or is no ChangeSubjectName, is refused" {
	local before value
	device pump-8 DNS:pump-8.example change
	before=$(rows)
	for value in '' "$(tlv 30)" "$(new_name pump-80.example)0500" "$(new_sans "$(dns pump-80.example)")$(new_name pump-80.example)" \
		"$(new_name pump-80.example)$(new_name pump-80.example)" 0500; do
		change pump-8 "$value"
		renew pump-8 odd.b64 change
		assert_refused 400 '^badCSR:'
	done
	key P-256 odd.key
	make_csr -k odd.key -n pump-8.example -e "$(san "$(dns pump-8.example)")" -t 1.3.6.1.5.5.7.7.36=0c0161 | b64 >odd.b64
	renew pump-8 odd.b64 change
	assert_refused 400 '^badCSR:attribute-value: '
	assert_equal "$(rows)" "$before"
}

@test "N-05 N-04 who renews with a password changes to names that it may have, only" {
	local before
	device pump-9 DNS:pump-9.example change
	before=$(rows)
	change pump-9 "$(new_name valve-9.example)"
	post change/simplereenroll odd.b64 -u "pump:$PASSWORD"
	assert_refused 403 '^auth:name(-pattern)?: '
	change pump-9 "$(new_name pump-90.example)$(new_sans "$(dns valve-9.example)")"
	post change/simplereenroll odd.b64 -u "pump:$PASSWORD"
	assert_refused 403 '^auth:name(-pattern)?: '
	assert_equal "$(rows)" "$before"
	change pump-9 "$(new_name pump-90.example)"
	post change/simplereenroll odd.b64 -u "pump:$PASSWORD"
	assert_issued odd.key
}

# --- N-09 ---

@test "N-09 a label may renew only when so much of a certificate's life is over" {
	local before
	device pump-10 DNS:pump-10.example late
	before=$(rows)
	new_request /CN=pump-10.example DNS:pump-10.example
	renew pump-10 new.b64 late
	assert_refused 403 '^renew:early: '
	at_time +40d
	renew_by_cgi pump-10 new.b64 late
	assert_refused 403 '^renew:early: '
	post late/simplereenroll new.b64 -u "any:$PASSWORD" # by a password as well
	assert_refused 403 '^renew:early: '
	assert_equal "$(rows)" "$before"
	at_time +50d
	renew_by_cgi pump-10 new.b64 late
	assert_equal "$CODE: $(head -c 300 body)" "200: $(head -c 300 body)"
	certificate issued.pem
	assert_equal "$(spki issued.pem)" "$(openssl pkey -in new.key -pubout)"
}

@test "N-09 a label may revoke what it renewed" {
	device pump-11 DNS:pump-11.example supersede
	assert_equal "$(status_of pump-11.pem)" 'valid '
	new_request /CN=pump-11.example DNS:pump-11.example
	renew pump-11 new.b64 supersede
	assert_issued new.key
	cp issued.pem first.pem
	assert_equal "$(status_of pump-11.pem)" 'revoked superseded'
	assert_equal "$(status_of first.pem)" 'valid '
	# The answer may have been lost (S-16): the same request gets it again, and no other one anything.
	renew pump-11 new.b64 supersede
	assert_issued new.key
	assert_equal "$(cat issued.pem)" "$(cat first.pem)"
	cp new.key first.key
	new_request /CN=pump-11.example DNS:pump-11.example
	renew pump-11 new.b64 supersede
	assert_refused 403 '^auth:certificate-revoked: '
	post supersede/simpleenroll pump-11.b64 --cert pump-11.pem --key pump-11.key
	assert_refused 403 '^auth:certificate-revoked: '
	# The new one goes on.
	renew first new.b64 supersede
	assert_issued new.key
	assert_equal "$(status_of first.pem)" 'revoked superseded'
	run -0 est_admin store check
}

@test "N-09 N-06 with the same key, and by a password, the old one is superseded too" {
	device pump-12 DNS:pump-12.example supersede
	# The same key and names are the very request that was answered, by another operation.
	renew pump-12 pump-12.b64 supersede
	assert_issued pump-12.key
	assert_not_equal "$(serial issued.pem)" "$(serial pump-12.pem)"
	assert_equal "$(status_of pump-12.pem)" 'revoked superseded'
	device pump-13 DNS:pump-13.example supersede
	new_request /CN=pump-13.example DNS:pump-13.example
	post supersede/simplereenroll new.b64 -u "any:$PASSWORD"
	assert_issued new.key
	assert_equal "$(status_of pump-13.pem)" 'revoked superseded'
}

@test "N-09 a renewal that fails, and an enrollment, supersede nothing" {
	device pump-14 DNS:pump-14.example supersede
	new_request /CN=pump-14.example
	renew pump-14 new.b64 supersede
	assert_refused 403 '^renew:san: '
	new_request /CN=pump-14.example DNS:pump-14.example
	enroll new.b64 supersede
	assert_issued new.key
	assert_equal "$(status_of pump-14.pem)" 'valid '
	device pump-15 DNS:pump-15.example ''
	new_request /CN=pump-15.example DNS:pump-15.example
	renew pump-15 new.b64 ''
	assert_issued new.key
	assert_equal "$(status_of pump-15.pem)" 'valid '
}

# --- T-10 ---

@test "T-10 an expired certificate renews in its grace, where a label has one, and not later" {
	local before verify
	device pump-16 DNS:pump-16.example grace
	before=$(rows)
	new_request /CN=pump-16.example DNS:pump-16.example
	at_time +125d # the certificate is good for 90 days
	renew_by_cgi pump-16 new.b64 grace
	assert_refused 403 '^auth:certificate-expired: '
	assert_equal "$(rows)" "$before"
	at_time +95d
	for verify in 'FAILED:certificate has expired' SUCCESS; do
		renew_by_cgi pump-16 new.b64 grace SSL_CLIENT_VERIFY="$verify"
		assert_equal "$verify: $CODE $(head -c 300 body)" "$verify: 200 $(head -c 300 body)"
		certificate issued.pem
		assert_equal "$(spki issued.pem)" "$(openssl pkey -in new.key -pubout)"
		assert_equal "$(names issued.pem)" DNS:pump-16.example
		assert_equal "$(tail -n 1 "$LOG" | jq -c '[.late, .serial != null]')" '[true,true]'
	done
	# In time it is not late.
	at_time now
	device pump-21 DNS:pump-21.example grace
	renew pump-21 pump-21.b64 grace
	assert_issued pump-21.key
	assert_equal "$(tail -n 1 "$LOG" | jq -c '[.late, .serial != null]')" '[null,true]'
	assert_equal "$(rows)" $((before + 3))
}

@test "T-10 by default there is no grace, and it is for renewals alone" {
	local before
	device pump-17 DNS:pump-17.example ''
	device pump-18 DNS:pump-18.example grace
	before=$(rows)
	at_time +95d
	renew_by_cgi pump-17 pump-17.b64 ''
	assert_refused 403 '^auth:certificate-expired: '
	by_certificate pump-18.pem
	cgi_post grace/simpleenroll pump-18.b64 "${BY[@]}"
	assert_refused 403 '^auth:certificate-expired: '
	assert_equal "$(rows)" "$before"
}

@test "T-10 in its grace a certificate is looked into as any other: revoked, not valid yet, another name" {
	local before
	device pump-19 DNS:pump-19.example grace
	device pump-20 DNS:pump-20.example grace
	before=$(rows)
	at_time -1d
	renew_by_cgi pump-19 pump-19.b64 grace
	assert_refused 403 '^auth:certificate-early: '
	at_time +95d
	renew_by_cgi pump-19 pump-20.b64 grace
	assert_refused 403 '^renew:subject: '
	est_admin cert revoke "$(serial pump-19.pem)"
	renew_by_cgi pump-19 pump-19.b64 grace
	assert_refused 403 '^auth:certificate-revoked: '
	assert_equal "$(rows)" "$before"
}

@test "N-09 T-10 the store holds together" {
	run -0 est_admin store check
}
