#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# accept.bats - what is issued is accepted by readers that are not ours: OpenSSL (strict), GnuTLS, NSS and strongSwan;
# every type of key under RSA, P-256 and P-384 CAs, profiles of every kind, names of every type (E4 of security-cases).
#
# NSS 3.87, which is Debian 12's, cannot read a certificate with an Ed25519 or Ed448 key (SEC_ERROR_ADDING_CERT): for those
# alone it is not asked.

load instance

setup_file() { instance_start; }
teardown_file() { instance_stop; }

CAS=(p256 p384 rsa)

ca_directory() { # CA
	case $1 in
	p256) echo "$E2E/est" ;;
	*) echo "$E2E/$1" ;;
	esac
}

# In the place of what all other files have: three CAs, and a label for each of them and each profile.
instance_config() {
	local ca profile all='[ "P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096", "Ed25519", "Ed448" ]'
	"$EST_BUILD/est-admin" init "$E2E/p384" --organization 'P-384 <&> Söhne' --key P-384 >"$E2E/log/init"
	"$EST_BUILD/est-admin" init "$E2E/rsa" --organization 'RSA' --key RSA-3072 >"$E2E/log/init"
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "p256"; certificate = "devices.pem"; key = "devices.key"; },
		  { name = "p384"; certificate = "../p384/devices.pem"; key = "../p384/devices.key"; },
		  { name = "rsa"; certificate = "../rsa/devices.pem"; key = "../rsa/devices.key"; } );
		profile = ( { name = "client"; keys = $all; },
		  { name = "server"; keys = $all; extended_key_usage = [ "serverAuth", "clientAuth" ]; },
		  { name = "plain"; keys = $all; extended_key_usage = [ ];
		    key_usage = [ "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement" ]; },
		  { name = "names"; keys = $all; subject_alt_names = [ "dns", "ip", "email", "uri" ]; names = "permissive";
		    subject = [ "CN", "serialNumber", "C", "ST", "L", "O", "OU", "street", "title", "postalCode", "SN", "GN",
		      "dnQualifier", "pseudonym", "organizationIdentifier", "emailAddress", "UID", "DC" ]; },
		  { name = "nameless"; keys = $all; subject_alt_names = [ "dns", "ip", "email", "uri" ]; empty_subject = true; },
		  { name = "long"; keys = $all; validity = "36000d"; backdate = "30d"; } );
		label = (
	END
	for ca in "${CAS[@]}"; do
		for profile in client server plain names nameless long; do
			echo "$(label "$ca-$profile" "$ca" "$profile" '"basic"'),"
		done
	done
	echo "$(label '' p256 client '"basic"'), $(label second rsa client '"basic"') );"
}

# --- the readers: each verifies ./issued.pem up to the root of CA ---

by_openssl() { # CA PURPOSE
	local dir
	dir=$(ca_directory "$1")
	run -0 openssl verify -x509_strict -check_ss_sig -purpose "$2" -CAfile "$dir/trust.pem" -untrusted "$dir/devices.pem" issued.pem
}

by_gnutls() { # CA PURPOSE
	local dir purpose=(--verify-purpose=1.3.6.1.5.5.7.3.2)
	dir=$(ca_directory "$1")
	if [ "$2" = sslserver ]; then purpose=(--verify-purpose=1.3.6.1.5.5.7.3.1 "--verify-hostname=$3"); fi
	cat issued.pem "$dir/devices.pem" >chain.pem
	run -0 certtool --verify --load-ca-certificate "$dir/trust.pem" --infile chain.pem "${purpose[@]}"
	assert_output --partial 'Chain verification output: Verified.'
	run -0 certtool -i --infile issued.pem
	refute_output --regexp '[Ee]rror|[Uu]nknown'
}

by_nss() { # CA PURPOSE
	local dir usage=C
	dir=$(ca_directory "$1")
	if [ "$2" = sslserver ]; then usage=V; fi
	if [ ! -d "nss-$1" ]; then
		mkdir "nss-$1"
		certutil -N -d "sql:nss-$1" --empty-password
		certutil -A -d "sql:nss-$1" -n root -t CT,C,C -i "$dir/trust.pem"
		certutil -A -d "sql:nss-$1" -n issuing -t ,, -i "$dir/devices.pem"
	fi
	certutil -A -d "sql:nss-$1" -n leaf -t ,, -i issued.pem
	run -0 certutil -V -d "sql:nss-$1" -n leaf -u "$usage" -e
	assert_output --partial 'certificate is valid'
	certutil -D -d "sql:nss-$1" -n leaf
}

by_strongswan() { # CA
	local dir
	dir=$(ca_directory "$1")
	run -0 pki --verify --in issued.pem --cacert "$dir/devices.pem" --cacert "$dir/trust.pem"
	assert_output --partial 'certificate trusted'
}

by_us() { # CA PROFILE
	run -0 est_admin cert lint issued.pem --ca "$(ca_directory "$1")/devices.pem" --profile "$2"
	assert_output --partial 'nothing found'
}

# All of them. The type of key tells whether NSS can read it.
accepted() { # CA PROFILE TYPE [PURPOSE [HOST]]
	by_openssl "$1" "${4:-sslclient}"
	by_gnutls "$1" "${4:-sslclient}" "${5-}"
	by_strongswan "$1"
	case $3 in
	Ed*) ;;
	*) by_nss "$1" "${4:-sslclient}" ;;
	esac
	by_us "$1" "$2"
}

# $E2E/keys/TYPE.key, made once. The RSA keys of tests/corpus are published, so nobody gets a certificate for them.
fresh() { # TYPE
	[ ! -e "$E2E/keys/$1.key" ] || return 0
	case $1 in
	RSA-*) openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:${1#RSA-}" -out "$E2E/keys/$1.key" ;;
	*) key "$1" "$E2E/keys/$1.key" ;;
	esac
}

issue() { # CA PROFILE KEY SUBJECT [SAN]
	csr "$3" "$4" "${5-}" -utf8 | b64 >ask.b64
	enroll ask.b64 "$1-$2"
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	certificate issued.pem
	assert_equal "$(spki issued.pem)" "$(openssl pkey -in "$3" -pubout)"
}

@test "E4 every type of key under every CA, with a profile of clients" {
	local ca type
	for type in P-256 P-384 P-521 RSA-2048 RSA-3072 RSA-4096 Ed25519 Ed448; do
		fresh "$type"
		for ca in "${CAS[@]}"; do
			issue "$ca" client "$E2E/keys/$type.key" "/CN=$type.example"
			accepted "$ca" client "$type"
		done
	done
}

@test "E4 servers with names: every type of key" {
	local ca type
	for type in P-256 P-521 RSA-2048 Ed25519 Ed448; do
		fresh "$type"
		for ca in "${CAS[@]}"; do
			issue "$ca" server "$E2E/keys/$type.key" "/CN=server.example" DNS:server.example,DNS:a.b.example,IP:192.0.2.1,IP:2001:db8::1
			accepted "$ca" server "$type" sslserver server.example
			accepted "$ca" server "$type" sslclient
		done
	done
}

@test "E4 no extendedKeyUsage, and every bit of keyUsage that suits the key" {
	local ca type
	for type in P-256 RSA-2048 Ed25519; do
		fresh "$type"
		for ca in "${CAS[@]}"; do
			issue "$ca" plain "$E2E/keys/$type.key" "/CN=plain.example"
			run -1 grep -c 'Extended Key Usage' <(openssl x509 -in issued.pem -noout -text)
			accepted "$ca" plain "$type" sslclient
			accepted "$ca" plain "$type" sslserver plain.example
		done
	done
}

@test "E4 a SubjectAltName of each type, and all of them" {
	local ca san
	key P-256 key
	for ca in "${CAS[@]}"; do
		for san in DNS:a.example DNS:_sip._tcp.a.example IP:192.0.2.1 IP:2001:db8::1 email:pump@a.example URI:urn:dev:mac:0024befffe804ff1 \
			URI:https://a.example/x DNS:a.example,IP:192.0.2.1,email:pump@a.example,URI:urn:a:b; do
			issue "$ca" names key "/CN=names" "$san"
			accepted "$ca" names P-256
		done
	done
}

@test "E4 an empty subject, with a critical SubjectAltName of each type" {
	local ca san
	key P-256 key
	for ca in "${CAS[@]}"; do
		for san in DNS:a.example IP:192.0.2.1 IP:2001:db8::1 email:pump@a.example URI:urn:dev:mac:0024befffe804ff1; do
			issue "$ca" nameless key / "$san"
			run -0 openssl x509 -in issued.pem -noout -ext subjectAltName
			assert_output --partial 'critical'
			accepted "$ca" nameless P-256
		done
	done
}

@test "E4 subjects with every attribute that a profile can grant, in the string types of each" {
	local ca
	key P-256 key
	for ca in "${CAS[@]}"; do
		issue "$ca" names key '/DC=example/DC=pumps/C=DE/ST=Hessen/L=Köln/street=Straße 1/postalCode=50667/O=Söhne & Co/OU=日本語/title=Dr/SN=Müller/GN=Jörg/pseudonym=jm/dnQualifier=q1/organizationIdentifier=VATDE-1/serialNumber=42/UID=jm1/CN=Pumpe Köln/emailAddress=pump@a.example' email:pump@a.example
		accepted "$ca" names P-256
	done
}

@test "E3 a validity that the CA's ends cut, past 2050 or not" {
	local ca
	key P-256 key
	for ca in "${CAS[@]}"; do
		issue "$ca" long key /CN=long.example
		accepted "$ca" long P-256
	done
}

@test "E12 a bit of the certificate turned: no reader takes it, and our own finds it" {
	local at octet size
	key P-256 key
	issue p256 client key /CN=bent.example
	openssl x509 -in issued.pem -outform DER -out good.der
	size=$(wc -c <good.der)
	for ((at = 8; at < size; at += 37)); do
		octet=$(od -An -v -tu1 -j "$at" -N 1 good.der)
		cp good.der bent.der
		# shellcheck disable=SC2059 # an octet by its octal digits
		printf "\\$(printf %03o $((octet ^ 1)))" | dd of=bent.der bs=1 seek="$at" conv=notrunc status=none
		run openssl verify -x509_strict -CAfile "$TRUST" -untrusted "$E2E/est/devices.pem" bent.der
		assert_failure
		run -1 est_admin cert lint bent.der --ca "$E2E/est/devices.pem"
	done
}
