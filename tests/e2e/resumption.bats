#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2238 # every test is a subshell of its own; head is a file
# resumption.bats - F21 of security-cases: TLS sessions that are resumed, without the certificate that they began with, or at
# another virtual host than they began at: they give the same identity or none, whatever the web server says of it.

load instance

# The usual servers, with tickets, and another virtual host, which believes manufacturers alone.
eval "$(declare -f lighttpd_config | sed '1s/lighttpd_config/usual_lighttpd/')"
lighttpd_config() {
	usual_lighttpd | sed 's/"-SessionTicket"/"SessionTicket"/'
	cat <<-END
		\$HTTP["host"] == "other.example" {
		  ssl.pemfile = "$E2E/est/server.pem"
		  ssl.privkey = "$E2E/est/server.key"
		  ssl.verifyclient.activate = "enable"
		  ssl.verifyclient.enforce = "disable"
		  ssl.verifyclient.ca-file = "$E2E/keys/maker.pem"
		  ssl.verifyclient.exportcert = "enable"
		}
	END
}

eval "$(declare -f apache_config | sed '1s/apache_config/usual_apache/')"
apache_config() { usual_apache "$@" | sed 's/SSLSessionTickets off/SSLSessionTickets on/; s/^<VirtualHost .*/&\n  ServerName localhost/'; }

apache_more() {
	cat <<-END
		<VirtualHost 127.0.0.1:$PORT>
		  ServerName other.example
		  SSLEngine on
		  SSLCertificateFile $E2E/est/server.pem
		  SSLCertificateKeyFile $E2E/est/server.key
		  SSLProtocol -all +TLSv1.2 +TLSv1.3
		  SSLCACertificateFile $E2E/keys/maker.pem
		  SSLVerifyClient optional_no_ca
		  SSLOptions +StdEnvVars +ExportCertData
		  SSLSessionTickets on
		</VirtualHost>
	END
}

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# POSTs a request over a TLS connection of its own: CODE, ./answer, and REUSED, whether the session was resumed.
exchange() { # PATH FILE HOST [OPTION of openssl s_client...]
	{
		printf 'POST /.well-known/est/%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/pkcs10\r\n' "$1" "$3"
		printf 'Content-Length: %d\r\nConnection: close\r\n\r\n' "$(wc -c <"$2")"
		cat "$2"
	} | timeout 20 openssl s_client -connect "127.0.0.1:$PORT" -servername "$3" -CAfile "$TRUST" -ign_eof "${@:4}" >answer 2>tls || true
	CODE=$(grep -a -o -m 1 'HTTP/1.1 [0-9]*' answer | cut -d' ' -f2)
	REUSED=no
	! grep -a -q '^Reused, TLSv1' answer || REUSED=yes
}

last() { tail -n 1 "$LOG" | jq -r "$1"; }

# A device: NAME.key, NAME.pem, NAME.b64.
device() { # NAME
	request "$1"
	enroll "$1.b64"
	assert_equal "$CODE" 200
	certificate "$1.pem"
}

VERSIONS='tls1_2 tls1_3'

@test "F21 a resumed session has the identity that it began with, also where the client has no certificate any more" {
	local version
	device pump-1
	device pump-2
	for version in $VERSIONS; do
		exchange simplereenroll pump-1.b64 localhost "-$version" -cert pump-1.pem -key pump-1.key -sess_out session
		assert_equal "$version: $CODE $REUSED" "$version: 200 no"
		exchange simplereenroll pump-2.b64 localhost "-$version" -sess_in session
		assert_equal "$version: $CODE $REUSED $(last .code)" "$version: 403 yes renew:subject"
		assert_equal "$(last .identity)" "certificate:$(serial pump-1.pem)"
		exchange simplereenroll pump-1.b64 localhost "-$version" -sess_in session
		assert_equal "$version: $CODE $REUSED" "$version: 200 yes"
		# With another's certificate at hand it is still the session that counts, for which the other's is not asked.
		exchange simplereenroll pump-2.b64 localhost "-$version" -cert pump-2.pem -key pump-2.key -sess_in session
		assert_equal "$version: $CODE $(last .code)" "$version: 403 renew:subject"
	done
}

@test "F21 a session that began without a certificate stays without" {
	local version
	device pump-3
	for version in $VERSIONS; do
		exchange simplereenroll pump-3.b64 localhost "-$version" -sess_out session
		assert_equal "$version: $CODE $REUSED" "$version: 401 no"
		exchange simplereenroll pump-3.b64 localhost "-$version" -sess_in session
		assert_equal "$version: $CODE $REUSED $(last .code)" "$version: 401 yes auth:missing"
	done
}

# Of these Apache says GENEROUS at first and SUCCESS when they are resumed (webservers.md).
@test "F21 a certificate that nobody vouches for is none in a resumed session either" {
	local version
	device pump-4
	openssl req -x509 -key pump-4.key -subj /CN=pump-4.example -addext extendedKeyUsage=clientAuth -days 2 -out self.pem
	for version in $VERSIONS; do
		exchange simplereenroll pump-4.b64 localhost "-$version" -cert self.pem -key pump-4.key -sess_out session
		assert_equal "$version: $CODE" "$version: 401"
		exchange simplereenroll pump-4.b64 localhost "-$version" -sess_in session
		assert_equal "$version: $CODE $REUSED" "$version: 401 yes"
		assert_regex "$(last .code)" '^auth:(missing|certificate-untrusted)$'
	done
}

@test "F21 a certificate that was revoked meanwhile counts no more" {
	local version
	for version in $VERSIONS; do
		device "pump-5-$version"
		exchange simplereenroll "pump-5-$version.b64" localhost "-$version" -cert "pump-5-$version.pem" -key "pump-5-$version.key" \
			-sess_out session
		assert_equal "$version: $CODE" "$version: 200"
		est_admin cert revoke "$(serial "pump-5-$version.pem")"
		exchange simplereenroll "pump-5-$version.b64" localhost "-$version" -sess_in session
		assert_equal "$version: $CODE $REUSED $(last .code)" "$version: 403 yes auth:certificate-revoked"
	done
}

# Who the log says it was, in the last request; nobody is an empty line.
who() { last '.identity // ""'; }

# Presents at one virtual host a session that began at the other: it is of whom the certificate says, or of nobody. Apache
# resumes none of them; lighttpd does, with the certificate that it took at first, if it took it.
across() { # PATH NAME IDENTITY STATUS-OF-LIGHTTPD
	local version wanted
	for version in $VERSIONS; do
		exchange "$1" "$2.b64" "$FROM" "-$version" -cert "$2.pem" -key "$2.key" -sess_out session
		exchange "$1" "$2.b64" "$TO" "-$version" -sess_in session
		wanted="401 no "
		[ "$SERVER" != lighttpd ] || wanted="$4 yes $3"
		assert_equal "$FROM $TO $2 $version: $CODE $REUSED $(who)" "$FROM $TO $2 $version: $wanted"
	done
}

@test "F21 a session of another virtual host gives the same identity or none" {
	local maker
	device pump-6
	cp "$E2E/keys/idevid.key" "$E2E/keys/idevid.pem" .
	csr idevid.key /CN=factory-1.example | b64 >idevid.b64
	post factory/simpleenroll idevid.b64 --cert idevid.pem --key idevid.key
	assert_equal "$CODE" 200
	maker=$(who)
	assert_regex "$maker" '^foreign-certificate:'
	FROM=localhost TO=other.example
	across simplereenroll pump-6 "certificate:$(serial pump-6.pem)" 200
	across factory/simpleenroll idevid "$maker" 200
	FROM=other.example TO=localhost
	across simplereenroll pump-6 '' 401
	across factory/simpleenroll idevid "$maker" 200
	across simpleenroll idevid '' 401
}
