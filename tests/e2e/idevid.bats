#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2238 # every test is a subshell of its own; head is a file
# idevid.bats - devices that come with their manufacturer's certificate (IEEE 802.1AR): what they are called here, what
# they may ask for, and directories of the manufacturers' CAs that a reload reads again.

load instance

# A CA of a manufacturer: $E2E/keys/NAME.key, and its certificate as FILE.
maker() { # NAME FILE
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1000 -subj "/O=Acme/CN=$1" \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
		-keyout "$E2E/keys/$1.key" -out "$2" 2>/dev/null
	cp "$2" "$E2E/keys/$1.pem"
}

instance_config() {
	local anchors='trust_anchors = [ "../makers" ];'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; } );
		profile = ( { name = "device"; }, { name = "identity"; subject_from = "identity"; } );
		label = (
		$(label '' devices device '"basic", "certificate"'),
		$(label serial devices device '"certificate"' "$anchors manufacturer_name = \"pump-{serialNumber}.example\";"),
		$(label hardware devices device '"certificate"' "$anchors manufacturer_name = \"{hardware}\";"),
		$(label made devices identity '"certificate"' "$anchors manufacturer_name = \"pump-{serialNumber}.example\";"),
		$(label either devices device '"basic", "certificate"' "$anchors manufacturer_name = \"pump-{serialNumber}.example\";"),
		$(label field devices device '"certificate"' 'certificates_from = [ "serial" ];'),
		$(label others devices device '"basic"' 'operations = [ "eecerts" ]; eecerts = [ "../makers" ];') );
	END
}

# One CA in PEM, one in DER, one by a link, and one of them twice.
instance_files() {
	mkdir "$E2E/makers" "$E2E/later"
	maker Acme "$E2E/makers/acme.pem"
	maker Binary "$E2E/binary.pem"
	openssl x509 -in "$E2E/binary.pem" -outform DER -out "$E2E/makers/binary.cer"
	maker Linked "$E2E/linked"
	ln -s ../linked "$E2E/makers/linked.crt"
	cp "$E2E/makers/acme.pem" "$E2E/makers/again.pem"
	echo 'not read' >"$E2E/makers/README"
	maker Later "$E2E/later/later.pem"
	chmod a+r "$E2E/makers"/* "$E2E/linked"
}

# lighttpd hands over what leads to a CA of its own file, only.
eval "$(declare -f instance_make | sed '1s/instance_make/usual_make/')"
instance_make() {
	usual_make "$@"
	cat "$E2E/keys"/{Acme,Binary,Linked}.pem >>"$E2E/client-cas.pem"
}

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# A device with a certificate of that manufacturer, by openssl ca, which takes any date: NAME.key and NAME.pem.
idevid() { # NAME SUBJECT [MANUFACTURER [EXTENSIONS [END]]]
	[ -e "$1.key" ] || key P-256 "$1.key"
	: >index
	openssl rand -hex 8 >number
	printf '[ca]\ndefault_ca=c\n[c]\ndatabase=index\nserial=number\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nunique_subject=no\npreserve=yes\n[p]\nserialNumber=optional\ncommonName=optional\norganizationName=optional\n[e]\nkeyUsage=critical,digitalSignature\n%s\n' \
		"${4-}" >ca.conf
	openssl ca -batch -config ca.conf -cert "$E2E/keys/${3:-Acme}.pem" -keyfile "$E2E/keys/${3:-Acme}.key" -notext \
		-in <(openssl req -new -key "$1.key" -subj "$2") -out "$1.pem" -extensions e -startdate 200101000000Z \
		-enddate "${5:-99991231235959Z}" 2>/dev/null
}

# With the device's certificate: asks by a new key, new.key, for the names.
ask_as() { # DEVICE LABEL SUBJECT [SAN [OPERATION]]
	key P-256 new.key
	csr new.key "$3" "${4-}" | b64 >new.b64
	post "$2/${5:-simpleenroll}" new.b64 --cert "$1.pem" --key "$1.key"
}

HARDWARE=$'subjectAltName=otherName:1.3.6.1.5.5.7.8.4;SEQ:module\n[module]\ntype=OID:1.3.6.1.4.1.6666.1\nserial=FORMAT:HEX,OCT:0A1BFF'

@test "a device gets its first certificate, by the name that its serialNumber gives it, and IDevIDs do not end" {
	idevid a '/O=Acme/serialNumber=SN-1'
	assert_equal "$(openssl x509 -in a.pem -noout -enddate)" 'notAfter=Dec 31 23:59:59 9999 GMT'
	ask_as a serial /CN=pump-SN-1.example DNS:pump-SN-1.example
	assert_issued new.key
	run -0 est_admin cert show "$(serial issued.pem)"
	assert_line --regexp '^name +pump-SN-1\.example$'
	assert_line --regexp '^label +serial$'
	assert_line --regexp '^asked by +foreign-certificate:[0-9a-f]{64}$'
}

@test "one of each file of the directory is believed: PEM, DER, and by a link" {
	local maker
	for maker in Acme Binary Linked; do
		idevid "$maker" "/serialNumber=$maker" "$maker"
		ask_as "$maker" serial "/CN=pump-$maker.example"
		assert_issued new.key
	done
	idevid later /serialNumber=L-1 Later
	ask_as later serial /CN=pump-L-1.example
	assert_refused 403 '^auth:certificate-missing: '
}

@test "the serial number of its hardware names it, in hexadecimal digits" {
	idevid b /O=Acme Acme "$HARDWARE"
	ask_as b hardware /CN=0a1bff
	assert_issued new.key
	ask_as b hardware /CN=0a1bfe
	assert_refused 403 '^auth:name: '
	# By the other rule it has none.
	ask_as b serial /CN=0a1bff
	assert_refused 403 '^auth:name: .*no serialNumber'
	idevid c /serialNumber=0a1bff
	ask_as c hardware /CN=0a1bff
	assert_refused 403 '^auth:name: .*no hardware'
}

@test "F8 it asks for its own name alone: not for another's, nor for that of its certificate" {
	local before
	idevid d '/O=Acme/CN=gate.example/serialNumber=SN-4' Acme 'subjectAltName=DNS:gate.example'
	before=$(rows)
	ask_as d serial /CN=pump-SN-5.example
	assert_refused 403 '^auth:name: '
	ask_as d serial /CN=gate.example
	assert_refused 403 '^auth:name: '
	ask_as d serial '/O=Acme/CN=gate.example/serialNumber=SN-4' DNS:gate.example
	assert_refused 403 '^auth:name: '
	ask_as d serial /CN=pump-SN-4.example DNS:pump-SN-5.example
	assert_refused 403 '^auth:name: '
	ask_as d serial /CN=pump-SN-4.example DNS:pump-SN-4.example,DNS:gate.example
	assert_refused 403 '^auth:name: '
	ask_as d serial /O=Acme
	assert_refused 403 '^auth:name: '
	assert_equal "$(rows)" "$before"
	ask_as d serial /CN=pump-SN-4.example
	assert_issued new.key
}

@test "where the subject comes from the identity it is that name, whatever the request says" {
	idevid e /O=Acme/serialNumber=SN-6
	ask_as e made /CN=pump-SN-6.example
	assert_issued new.key
	assert_equal "$(openssl x509 -in issued.pem -noout -subject)" 'subject=CN = pump-SN-6.example'
}

@test "T-08 it renews nothing with the manufacturer's certificate: not its own, nor another's" {
	local before
	idevid f /serialNumber=SN-7
	idevid g /serialNumber=SN-8
	for device in f g; do
		ask_as "$device" serial "/CN=pump-SN-$([ "$device" = f ] && echo 7 || echo 8).example"
		assert_equal "$CODE" 200
		certificate "$device-here.pem"
		cp new.key "$device-here.key"
	done
	before=$(rows)
	ask_as f serial /CN=pump-SN-7.example '' simplereenroll
	assert_refused 403 '^renew:foreign: '
	ask_as f serial /CN=pump-SN-8.example '' simplereenroll
	assert_refused 403 '^renew:foreign: '
	# Nor is one that we issued good for another's.
	ask_as f-here serial /CN=pump-SN-8.example '' simplereenroll
	assert_refused 403 '^renew:subject: '
	assert_equal "$(rows)" "$before"
	ask_as f-here serial /CN=pump-SN-7.example '' simplereenroll
	assert_issued new.key
}

@test "T-08 it means nothing under a label that trusts no manufacturer, though what it got there counts" {
	idevid h /serialNumber=SN-9
	ask_as h serial /CN=pump-SN-9.example
	certificate here.pem
	cp new.key here.key
	ask_as h field /CN=pump-SN-9.example
	assert_refused 403 '^auth:certificate-missing: .*client certificate'
	ask_as here field /CN=pump-SN-9.example '' simplereenroll
	assert_issued new.key
}

# The same request as before, by the manufacturer's certificate of i.
again() {
	post serial/simpleenroll new.b64 --cert i.pem --key i.key
}

@test "N-07 a first certificate that was revoked does not come back, neither by the same request nor as a credential" {
	local first
	idevid i /serialNumber=SN-10
	ask_as i serial /CN=pump-SN-10.example
	certificate first.pem
	cp new.key first.key
	first=$(serial first.pem)
	again
	assert_issued new.key
	assert_equal "$(serial issued.pem)" "$first"
	est_admin cert revoke "$first"
	again
	assert_issued new.key
	assert_not_equal "$(serial issued.pem)" "$first"
	est_admin cert revoke "$(serial issued.pem)" --reason keyCompromise
	again
	assert_refused 400 '^badCSR:blocked-key: '
	for operation in simplereenroll simpleenroll; do
		ask_as first serial /CN=pump-SN-10.example '' "$operation"
		assert_refused 403 '^auth:certificate-revoked: '
	done
}

@test "F7 a manufacturer's certificate that has expired, or is no manufacturer's, says so" {
	key P-256 own.key
	csr own.key /CN=pump-SN-11.example | b64 >own.b64
	idevid j /serialNumber=SN-11 Acme '' 210101000000Z
	by_certificate j.pem
	cgi_post serial/simpleenroll own.b64 "${BY[@]}"
	assert_refused 403 '^auth:certificate-expired: .*expired'
	idevid j /serialNumber=SN-11 Acme extendedKeyUsage=serverAuth
	by_certificate j.pem
	cgi_post serial/simpleenroll own.b64 "${BY[@]}"
	assert_refused 403 '^auth:certificate-purpose: '
	idevid j /serialNumber=SN-11 Later
	by_certificate j.pem
	cgi_post either/simpleenroll own.b64 "${BY[@]}"
	assert_equal "$CODE $(tail -n 1 "$LOG" | jq -r .code)" '401 auth:certificate-untrusted'
	# The manufacturer's own certificate names no device.
	by_certificate "$E2E/keys/Acme.pem"
	cgi_post serial/simpleenroll own.b64 "${BY[@]}"
	assert_refused 403 '^auth:certificate-purpose: '
}

@test "V-05 a directory of certificates to hand out, each once" {
	http others/eecerts
	assert_equal "$CODE" 200
	certificates >all.pem
	assert_equal "$(grep -c BEGIN all.pem)" 3
	for maker in Acme Binary Linked; do
		assert grep -qF "$(sed -n 3p "$E2E/keys/$maker.pem")" all.pem
	done
}

# What check says of a directory ./makers-2 as trust_anchors.
finds() { # PATTERN
	sed 's,trust_anchors = \[ "\.\./makers" \],trust_anchors = [ "../makers-2" ],' "$E2E/est/est.conf" >"$E2E/est/odd.conf"
	chmod a+r "$E2E/est/odd.conf"
	EST_CONFIG=$E2E/est/odd.conf
	[ ! -e "$E2E/makers-2" ] || chmod -R a+rX "$E2E/makers-2"
	run -1 est_admin check
	assert_line --regexp "FAIL.*$1"
}

@test "a directory without certificates, or with a bad file, is a fault that check names" {
	mkdir "$E2E/makers-2"
	finds 'makers-2 holds no file that ends in \.pem, \.crt or \.cer'
	cp "$E2E/keys/Acme.pem" "$E2E/makers-2/acme.pem"
	head -c 300 "$E2E/keys/Linked.pem" >"$E2E/makers-2/cut.pem"
	finds 'makers-2/cut\.pem'
	cp "$E2E/est/server.pem" "$E2E/makers-2/cut.pem"
	finds "makers-2: .*not a CA's"
	rm -r "$E2E/makers-2"
	finds 'makers-2'
}

@test "a rule that names no field is a fault that check names" {
	local rule
	for rule in pump '{serial}' '{CN' 'CN}' '{hardware }'; do
		sed "s/manufacturer_name = \"{hardware}\"/manufacturer_name = \"$rule\"/" "$E2E/est/est.conf" >"$E2E/est/odd.conf"
		chmod a+r "$E2E/est/odd.conf"
		EST_CONFIG=$E2E/est/odd.conf
		run -1 est_admin check
		assert_line --partial "manufacturer_name: \"$rule\""
		cgi GET /cacerts </dev/null
		assert_regex "$CODE" '^50[03]$'
	done
}

# The web server starts workers anew; by then lighttpd is no longer root, who may read everything.
reload() {
	local before after i
	before=$(workers)
	if [ "$(id -u)" = 0 ]; then chown "$WEB_USER" "$E2E/est/server.key"; fi
	kill -USR1 "$SERVER_PID"
	for ((i = 0; i < 100; i++)); do
		http cacerts
		after=$(workers)
		[ "$CODE" != 200 ] || [ -z "$after" ] || [ -n "$(comm -12 <(sort <<<"$before") <(sort <<<"$after"))" ] || return 0
		sleep 0.1
	done
	fail "the workers are the old ones: $before, $after: $(tail -5 "$E2E/log/error.log" "$E2E/log/start")"
}

# A CA that is put into the directory counts with the workers that start after that; the web server has a list of its own.
@test "a manufacturer's CA counts from the next reload of the web server, and no longer once it is gone" {
	idevid k /serialNumber=K-1 Later
	cat "$E2E/keys/Later.pem" >>"$E2E/client-cas.pem"
	cp "$E2E/later/later.pem" "$E2E/makers/.later.pem"
	chmod a+r "$E2E/makers/.later.pem"
	mv "$E2E/makers/.later.pem" "$E2E/makers/later.pem"
	ask_as k serial /CN=pump-K-1.example
	[ "$SERVER" = cgid ] || assert_equal "$CODE" 403
	[ "$SERVER" = cgid ] || reload
	ask_as k serial /CN=pump-K-1.example
	assert_issued new.key
	rm "$E2E/makers/later.pem"
	[ "$SERVER" = cgid ] || reload
	ask_as k serial /CN=pump-K-1.example
	assert_refused 403 '^auth:certificate-missing: '
}
