#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# ra.bats - registration authorities (T-18, RFC 7030 3.7): a certificate of our own CA with id-kp-cmcRA may ask for the
# names of others, within its patterns; nobody else's may (T-08). F9 of security-cases.

load instance
load hostile

CMC_RA=1.3.6.1.5.5.7.3.28
UNIQUE=MDEyMzQ1Njc4OWFi

# Somebody else's CA makes registration authorities too.
instance_files() {
	key P-256 "$E2E/keys/foreign-ra.key"
	openssl req -new -key "$E2E/keys/foreign-ra.key" -subj /CN=registrar.example |
		openssl x509 -req -CA "$E2E/keys/maker.pem" -CAkey "$E2E/keys/maker.key" -days 20 -set_serial 0x5ac0df \
			-extfile <(echo "extendedKeyUsage=clientAuth,$CMC_RA") -out "$E2E/keys/foreign-ra.pem" 2>/dev/null
}

instance_config() {
	local either='"basic", "certificate"' maker='trust_anchors = [ "../keys/maker.pem" ];'
	local from='certificates_from = [ "registrars" ];'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; },
		  { name = "second"; certificate = "../second/devices.pem"; key = "../second/devices.key"; } );
		profile = ( { name = "device"; },
		  { name = "registrar"; extended_key_usage = [ "clientAuth", "$CMC_RA" ]; } );
		label = (
		$(label '' devices device "$either" "$from $maker operations = [ \"simpleenroll\", \"simplereenroll\", \"serverkeygen\" ];"),
		$(label registrars devices registrar '"basic", "certificate"'),
		$(label closed devices device "$either" "$maker"),
		$(label both devices device '"certificate-and-basic"' "$from"),
		$(label linked devices device "$either" "$from pop_required = true;"),
		$(label strict devices device "$either" "$from pop_required = true; ra_unlinked = false;"),
		$(label second second registrar "$either" ) );
	END
}

# A registration authority: $E2E/keys/NAME.key and NAME.pem, of the label registrars.
registrar() { # NAME [LABEL]
	(
		cd "$E2E/keys" || exit
		request "$1"
		enroll "$1.b64" "${2-registrars}"
		assert_equal "$CODE" 200
		certificate "$1.pem"
	)
}

setup_file() {
	instance_start
	registrar registrar
	registrar nobody
	registrar elsewhere second
	est_admin ra add registrar.example --names 'pump-*.example,meter-*.example'
	est_admin ra add elsewhere.example --names '*'
	est_admin ra add pump-0.example --names '*' # a device, whose certificate says nothing of RAs
}
teardown_file() { instance_stop; }

by_ra() { # PATH FILE [NAME]
	post "$1" "$2" --cert "$E2E/keys/${3-registrar}.pem" --key "$E2E/keys/${3-registrar}.key"
}

@test "T-18 a registration authority enrolls others, within its patterns" {
	local before
	before=$(rows)
	request pump-1 DNS:pump-1.example
	request valve-1
	by_ra simpleenroll pump-1.b64
	assert_issued pump-1.key
	assert_equal "$(tail -n 1 "$LOG" | jq -c '[.ra, .linked, .challenge_ignored]')" '[true,null,null]'
	assert_equal "$(names issued.pem)" DNS:pump-1.example
	run -0 est_admin --json cert show "$(serial issued.pem)"
	assert_equal "$(jq -r .identity <<<"$output")" "certificate:$(serial "$E2E/keys/registrar.pem")"
	by_ra simpleenroll valve-1.b64
	assert_refused 403 '^auth:name: '
	csr pump-1.key /CN=pump-1.example DNS:pump-1.example,DNS:valve-1.example | b64 >b
	by_ra simpleenroll b
	assert_refused 403 '^auth:name: '
	assert_equal "$(rows)" $((before + 1))
}

@test "T-18 it asks for keys that are made for others" {
	request meter-1
	by_ra serverkeygen meter-1.b64
	plain_parts
	request valve-2
	by_ra serverkeygen valve-2.b64
	assert_refused 403 '^auth:name: '
}

@test "T-18 B-02 it renews for others, what there is to renew" {
	request pump-2 DNS:pump-2.example
	enroll pump-2.b64
	assert_equal "$CODE" 200
	key P-256 new.key
	csr new.key /CN=pump-2.example DNS:pump-2.example | b64 >new.b64
	by_ra simplereenroll new.b64
	assert_issued new.key
	csr new.key /CN=pump-20.example | b64 >new.b64
	by_ra simplereenroll new.b64
	assert_refused 403 '^renew:nothing: '
	request valve-3
	enroll valve-3.b64
	by_ra simplereenroll valve-3.b64
	assert_equal "$CODE" 403
}

@test "T-18 it renews itself" {
	key P-256 new.key
	csr new.key /CN=registrar.example | b64 >new.b64
	by_ra registrars/simplereenroll new.b64
	assert_issued new.key
	run -0 openssl x509 -in issued.pem -noout -ext extendedKeyUsage
	assert_output --partial $CMC_RA || assert_output --partial 'CMC Registration Authority'
}

# All of these are known to the label, and none may ask for another's name.
@test "T-18 T-08 F9 nobody else is one" {
	local before
	before=$(rows)
	request pump-3
	by_ra simpleenroll pump-3.b64 nobody # ours, with the purpose, and nobody has said what it may ask for
	assert_refused 403 '^auth:name: '
	by_ra simpleenroll pump-3.b64 device # said, but without the purpose
	assert_refused 403 '^auth:name: '
	by_ra simpleenroll pump-3.b64 foreign-ra # of the right name and purpose, by a CA that may make devices
	assert_refused 403 '^auth:name: '
	by_ra simpleenroll pump-3.b64 elsewhere # of another CA of this server
	assert_regex "$CODE" '^40[13]$'
	by_ra closed/simpleenroll pump-3.b64 # where its label does not count
	assert_refused 403 '^auth:certificate-label: '
	by_ra second/simpleenroll pump-3.b64
	assert_regex "$CODE" '^40[13]$'
	by_ra both/simpleenroll pump-3.b64 # where a password is wanted too
	assert_regex "$CODE" '^40[13]$'
	by_ra simplereenroll pump-3.b64 foreign-ra
	assert_equal "$CODE" 403
	post both/simpleenroll pump-3.b64 --cert "$E2E/keys/registrar.pem" --key "$E2E/keys/registrar.key" -u "any:wrong"
	assert_refused 401
	assert_equal "$(rows)" "$before"
}

@test "T-18 the name of its record is no user's" {
	local name guess
	request pump-4
	for name in registrar.example ra:registrar.example ra; do
		for guess in '' '*' "$PASSWORD"; do
			post simpleenroll pump-4.b64 -u "$name:$guess"
			assert_equal "$name $guess: $CODE" "$name $guess: 401"
		done
	done
	run -0 est_admin --json user list
	refute_output --partial registrar.example
	run -0 est_admin --json ra list
	assert_output --partial registrar.example
	run est_admin user add ra:evil --names '*' --password-file /dev/null
	assert_failure
}

@test "P-11 its requests need not be linked to its session, unless the label says so" {
	local before
	key P-256 odd.key
	make_csr -k odd.key -n pump-5.example | b64 >plain.b64
	make_csr -k odd.key -n pump-5.example -c YWJjZGVmZ2hpamts | b64 >odd.b64
	by_certificate "$E2E/keys/registrar.pem"
	cgi_post linked/simpleenroll plain.b64 "${BY[@]}" SSL_PROTOCOL=TLSv1.2 TLS_UNIQUE=$UNIQUE
	assert_issued odd.key
	cgi_post linked/simpleenroll odd.b64 "${BY[@]}" SSL_PROTOCOL=TLSv1.2 TLS_UNIQUE=$UNIQUE
	assert_issued odd.key
	# P-11: the log has what was tolerated.
	assert_equal "$(tail -n 1 "$LOG" | jq -c '[.ra, .linked, .challenge_ignored]')" '[true,null,true]'
	before=$(rows)
	cgi_post strict/simpleenroll plain.b64 "${BY[@]}" SSL_PROTOCOL=TLSv1.2 TLS_UNIQUE=$UNIQUE
	assert_refused 403 '^badCSR:pop-required: '
	cgi_post strict/simpleenroll odd.b64 "${BY[@]}" SSL_PROTOCOL=TLSv1.2 TLS_UNIQUE=$UNIQUE
	assert_refused 403 '^badCSR:pop-linking: '
	# For nobody else.
	assert_equal "$(tail -n 1 "$LOG" | jq -c '[.ra, .challenge_ignored]')" '[true,null]'
	cgi_post linked/simpleenroll odd.b64 "$(basic)" SSL_PROTOCOL=TLSv1.2 TLS_UNIQUE=$UNIQUE
	assert_refused 403 '^badCSR:pop-linking: '
	assert_equal "$(tail -n 1 "$LOG" | jq -c '[.ra, .challenge_ignored]')" '[null,null]'
	assert_equal "$(rows)" "$before"
}

@test "T-18 revoked, or deleted, it is none any more" {
	request pump-6
	registrar short-lived
	est_admin ra add short-lived.example --names '*'
	by_ra simpleenroll pump-6.b64 short-lived
	assert_issued pump-6.key
	request pump-7
	est_admin ra delete short-lived.example
	by_ra simpleenroll pump-7.b64 short-lived
	assert_refused 403 '^auth:name: '
	est_admin ra add short-lived.example --names '*'
	est_admin cert revoke "$(serial "$E2E/keys/short-lived.pem")"
	by_ra simpleenroll pump-7.b64 short-lived
	assert_refused 403 '^auth:certificate-revoked: '
}

@test "T-18 its record counts under the labels that it names" {
	request pump-8
	registrar narrow
	est_admin ra add narrow.example --names '*' --label linked
	by_ra simpleenroll pump-8.b64 narrow
	assert_refused 403 '^auth:name: '
	by_ra linked/simpleenroll pump-8.b64 narrow
	assert_issued pump-8.key
}
