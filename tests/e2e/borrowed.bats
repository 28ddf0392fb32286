#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # every test is a subshell of its own
# borrowed.bats - names, secrets and roles of others that somebody found a way to (each of these worked once): none of it
# gives a certificate.

load instance
load hostile

CMC_RA=1.3.6.1.5.5.7.3.28
OTP=060b2a864886f70d0109100238

instance_config() {
	local either='"basic", "certificate"' from='certificates_from = [ "registrars" ];'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; },
		  { name = "roomy"; certificate = "../keys/roomy.pem"; key = "../keys/roomy.key"; } );
		profile = ( { name = "device"; },
		  { name = "registrar"; extended_key_usage = [ "clientAuth", "$CMC_RA" ]; },
		  { name = "patterns"; subject_patterns = [ "CN=pump-*.example" ]; san_patterns = [ "dns:pump-*.example" ]; },
		  { name = "edge"; ca = true; path_length = "0"; key_usage = [ "keyCertSign", "cRLSign" ];
		    extended_key_usage = [ ]; } );
		label = (
		$(label '' devices device "$either" "$from operations = [ \"simpleenroll\", \"simplereenroll\", \"serverkeygen\" ];"),
		$(label supersede devices device "$either" 'supersede = true;'),
		$(label registrars devices registrar "$either"),
		$(label grace devices device "$either" "$from grace = \"30d\"; change_subject = true;"),
		$(label change devices patterns "$either" 'change_subject = true;'),
		$(label wanted devices device "$either" 'csrattrs_require = [ "otpChallenge" ]; csrattrs_enforce = true;'),
		$(label otp devices device "$either" 'otp_required = true; operations = [ "simpleenroll", "serverkeygen" ];'),
		$(label edge roomy edge "$either"),
		$(label below devices device '"certificate"' 'trust_anchors = [ "../keys/roomy.pem" ];'),
		$(label mixed devices device "$either" 'trust_anchors = [ "../keys/maker.pem" ];'),
		$(label queue devices patterns "$either" 'change_subject = true; approval = [ "simplereenroll" ];') );
	END
}

# A CA that may have CAs below it.
instance_files() {
	local dir=$E2E/keys
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1000 -subj '/O=Roomy/CN=Roomy CA' \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
		-keyout "$dir/roomy.key" -out "$dir/roomy.pem" 2>/dev/null
	chmod 0644 "$dir/roomy.key"
}

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# A device with a subject and SAN of its own: NAME.key and NAME.pem.
device() { # NAME SUBJECT SAN [LABEL]
	key P-256 "$1.key"
	csr "$1.key" "$2" "$3" | b64 >"$1.b64"
	enroll "$1.b64" "${4-}"
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	certificate "$1.pem"
}

# One device asks to renew what another one has, for a key of its own.
borrow() { # DEVICE SUBJECT SAN LABEL
	key P-256 borrower.key
	csr borrower.key "$2" "$3" | b64 >borrower.b64
	post "${4:+$4/}simplereenroll" borrower.b64 --cert "$1.pem" --key "$1.key"
}

@test "N-02 N-08 a subject that several devices have is nobody's leave to renew another one's SANs" {
	local before serial
	for label in '' supersede; do
		device att /O=Same DNS:att.example "$label"
		device vic /O=Same DNS:vic.example "$label"
		device gate-1 /CN=gate DNS:gate-1.example "$label"
		device gate-2 /CN=gate DNS:gate-2.example "$label"
		before=$(rows)
		borrow att /O=Same DNS:vic.example "$label"
		assert_refused 403 '^renew:san: '
		borrow att /O=Same DNS:att.example,DNS:vic.example "$label"
		assert_refused 403 '^renew:san: '
		borrow att /O=Same '' "$label"
		assert_refused 403 '^renew:san: '
		borrow gate-1 /CN=gate DNS:gate-2.example "$label"
		assert_refused 403 '^renew:san: '
		assert_equal "$(rows)" "$before"
		serial=$(openssl x509 -in vic.pem -noout -serial)
		run est_admin cert show "${serial#serial=}"
		assert_output --partial valid
		borrow att /O=Same DNS:att.example "$label"
		assert_issued borrower.key
	done
}

@test "N-08 one of two certificates of a device renews the other where it holds its names" {
	device both /CN=both.example DNS:both.example,DNS:b.example
	device one /CN=both.example DNS:both.example
	borrow both /CN=both.example DNS:both.example ''
	assert_issued borrower.key
	borrow one /CN=both.example DNS:both.example,DNS:b.example ''
	assert_refused 403 '^renew:san: '
}

@test "T-10 T-18 a registration authority that is past its end renews itself and nobody else" {
	device late-ra /CN=late-ra.example DNS:late-ra.example registrars
	est_admin ra add late-ra.example --names 'pump-*.example'
	device pump-1 /CN=pump-1.example DNS:pump-1.example grace
	key P-256 borrower.key
	csr borrower.key /CN=pump-1.example DNS:pump-1.example | b64 >borrower.b64
	by_certificate late-ra.pem
	cgi_post grace/simplereenroll borrower.b64 "${BY[@]}"
	assert_equal "$CODE" 200
	at_time +95d
	cgi_post grace/simplereenroll borrower.b64 "${BY[@]}"
	assert_refused 403
	cgi_post grace/simpleenroll borrower.b64 "${BY[@]}"
	assert_refused 403
	csr borrower.key /CN=late-ra.example DNS:late-ra.example | b64 >borrower.b64
	cgi_post grace/simplereenroll borrower.b64 "${BY[@]}"
	at_time now
	assert_equal "$CODE" 200
}

@test "N-05 patterns of the profile are no leave to take another device's name or SAN" {
	local before
	device pump-2 /CN=pump-2.example DNS:pump-2.example change
	device pump-3 /CN=pump-3.example DNS:pump-3.example change
	before=$(rows)
	key P-256 odd.key
	for change in "$(new_name pump-3.example)" "$(new_name pump-free.example)$(new_sans "$(dns pump-3.example)")" \
		"$(new_name pump-free.example)"; do
		make_csr -k odd.key -n pump-2.example -e "$(san "$(dns pump-2.example)")" -C "$change" | b64 >odd.b64
		post change/simplereenroll odd.b64 --cert pump-2.pem --key pump-2.key
		assert_refused 403 '^auth:name: '
	done
	est_admin user add narrow --names pump-2.example --password-file - <<<"$PASSWORD"
	post change/simplereenroll odd.b64 -u "narrow:$PASSWORD"
	assert_refused 403 '^auth:name'
	assert_equal "$(rows)" "$before"
}

@test "R-08 N-05 a name that was approved and issued is fetched again, and not held against its own certificate" {
	local id change
	device pump-4 /CN=pump-4.example DNS:pump-4.example queue
	key P-256 odd.key
	change() { make_csr -k odd.key -n pump-4.example -e "$(san "$(dns pump-4.example)")" -C "$1" | b64 >odd.b64; }
	change "$(new_name pump-40.example)$(new_sans "$(dns pump-40.example)")"
	post queue/simplereenroll odd.b64 --cert pump-4.pem --key pump-4.key
	assert_equal "$CODE" 202
	id=$(est_admin --json request list --label queue | jq -r .id)
	est_admin request approve "$id"
	for _ in 1 2; do
		post queue/simplereenroll odd.b64 --cert pump-4.pem --key pump-4.key
		assert_issued odd.key
	done
	device pump-5 /CN=pump-5.example DNS:pump-5.example queue
	for change in "$(new_name pump-5.example)" "$(new_name pump-41.example)$(new_sans "$(dns pump-41.example)" "$(dns pump-5.example)")"; do
		change "$change"
		post queue/simplereenroll odd.b64 --cert pump-4.pem --key pump-4.key
		assert_refused 403 '^auth:name: '
	done
}

@test "T-08 another CA's certificate beside somebody's password renews nothing" {
	local before
	device factory-1 /CN=factory-1.example '' mixed
	est_admin user add nobody --names nobody.example --password-file - <<<"$PASSWORD"
	before=$(rows)
	key P-256 borrower.key
	csr borrower.key /CN=factory-1.example | b64 >borrower.b64
	post mixed/simplereenroll borrower.b64 --cert "$E2E/keys/idevid.pem" --key "$E2E/keys/idevid.key"
	assert_refused 403 '^renew:foreign: '
	post mixed/simplereenroll borrower.b64 --cert "$E2E/keys/idevid.pem" --key "$E2E/keys/idevid.key" -u "nobody:$PASSWORD"
	assert_refused 403 '^auth:name: '
	assert_equal "$(rows)" "$before"
}

@test "N-09 a renewal supersedes no other certificate of the device than the one that asks" {
	local serial
	device many /CN=many.example DNS:many.example,DNS:m.example supersede
	device few /CN=many.example DNS:many.example supersede
	borrow many /CN=many.example DNS:many.example supersede
	assert_issued borrower.key
	serial=$(openssl x509 -in few.pem -noout -serial)
	run est_admin cert show "${serial#serial=}"
	assert_output --partial valid
}

# --- one-time secrets ---

secret() { est_admin --json secret add "$@" | jq -r .secret; }

claim() { # LABEL/OPERATION OPTION of make_csr...: with the key ./odd.key
	[ -e odd.key ] || key P-256 odd.key
	make_csr -k odd.key "${@:2}" | b64 >odd.b64
	post "$1" odd.b64 -u "any:$PASSWORD"
}

@test "A-16 P-10 what is demanded as an attribute is not there by being called an extension" {
	local before
	before=$(rows)
	claim wanted/simpleenroll -n wanted-1.example -e "$(extension $OTP 0500)"
	assert_refused 400 '^badCSR:attribute-missing: '
	claim otp/simpleenroll -n wanted-1.example -e "$(extension $OTP 0500)"
	assert_refused 403 '^auth:otp-required: '
	assert_equal "$(rows)" "$before"
}

@test "T-20 P-10 a one-time secret gives one certificate, also to the key that had it" {
	local secret serial
	secret=$(secret once.example)
	claim otp/simpleenroll -n once.example -o "$secret"
	assert_equal "$CODE" 200
	certificate once.pem
	claim otp/simpleenroll -n once.example -o "$secret"
	assert_equal "$CODE" 200 # the answer to the same request, once more
	certificate again.pem
	assert_equal "$(cat again.pem)" "$(cat once.pem)"
	claim otp/simpleenroll -n once.example -e "$(san "$(dns once.example)")" -o "$secret"
	assert_refused 403 '^auth:otp: '
	serial=$(openssl x509 -in once.pem -noout -serial)
	est_admin cert revoke "${serial#serial=}"
	claim otp/simpleenroll -n once.example -o "$secret"
	assert_refused 403 '^auth:otp: '
	for offset in +2h +40d; do
		at_time $offset
		cgi_post otp/simpleenroll odd.b64 "$(basic)"
		at_time now
		assert_refused 403 '^auth:otp: '
	done
}

@test "T-20 G-02 a one-time secret gives one generated key" {
	local secret
	secret=$(secret made.example)
	claim otp/serverkeygen -n made.example -o "$secret"
	assert_equal "$CODE" 200
	claim otp/serverkeygen -n made.example -o "$secret"
	assert_refused 403 '^auth:otp: '
}

@test "T-20 a one-time secret is good for its device's name alone" {
	local secret before
	secret=$(secret mine.example)
	before=$(rows)
	claim otp/simpleenroll -n mine.example -e "$(san "$(dns victim.example)")" -o "$secret"
	assert_refused 403 '^auth:name: '
	claim otp/simpleenroll -n mine.example -e "$(san "$(dns mine.example)" "$(dns victim.example)")" -o "$secret"
	assert_refused 403 '^auth:name: '
	assert_equal "$(rows)" "$before"
	claim otp/simpleenroll -n mine.example -e "$(san "$(dns mine.example)")" -o "$secret"
	assert_equal "$CODE" 200
}

# --- CAs ---

@test "S-10 nobody gets a certificate with the name of a CA, which lifts its path length" {
	local before
	before=$(rows)
	key P-256 edge.key
	csr edge.key '/O=Roomy/CN=Roomy CA' | b64 >edge.b64
	enroll edge.b64 edge
	assert_refused 403 '^auth:name: '
	csr edge.key '/O=ROOMY/CN=roomy  ca' | b64 >edge.b64
	enroll edge.b64 edge
	[ "$CODE" != 200 ]
	csr edge.key '/O=Roomy/CN=Roomy CA' | b64 >edge.b64
	enroll edge.b64
	assert_refused 403 '^auth:name: '
	assert_equal "$(rows)" "$before"
}

@test "T-08 T-09 who comes from an edge CA that was revoked is nobody" {
	local serial
	device edge-1 '/CN=edge-1' '' edge
	key P-256 child.key
	openssl req -new -key child.key -subj /CN=child.example |
		openssl x509 -req -CA edge-1.pem -CAkey edge-1.key -days 20 -set_serial 0x77 \
			-extfile <(echo 'extendedKeyUsage=clientAuth') -out child.pem 2>/dev/null
	csr child.key /CN=child.example | b64 >child.b64
	by_certificate child.pem
	BY+=("SSL_CLIENT_CERT_CHAIN_0=$(openssl x509 -in edge-1.pem)")
	cgi_post below/simpleenroll child.b64 "${BY[@]}"
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	serial=$(openssl x509 -in edge-1.pem -noout -serial)
	est_admin cert revoke "${serial#serial=}"
	cgi_post below/simpleenroll child.b64 "${BY[@]}"
	assert_refused 403 '^auth:certificate-revoked: '
}
