#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# boundary.bats - what reaches est.fcgi through a web server, and how far it gets: F1, F4, F5, F11.

load instance

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# What a test started beside the instance.
teardown() {
	local pid
	[ -e "$BATS_TEST_TMPDIR/pids" ] || return 0
	while read -r pid; do kill "$pid" 2>/dev/null || true; done <"$BATS_TEST_TMPDIR/pids"
}

mark() { lines=$(wc -l <"$LOG"); }
logged() { tail -n +$((lines + 1)) "$LOG" | grep '"id":"'; } # requests, not events

# The code of each logged request, and which of the members it has that a gate adds behind it. A quotation mark within a
# value has a backslash ahead of it, so that awk can tell, in a tenth of the time that jq takes.
gates() {
	logged | awk '{
		code = $0
		sub(/.*,"code":"/, "", code)
		sub(/".*/, "", code)
		for (n = split("identity operation serial spki_sha256", members); n > 0; n--)
			found[n] = index($0, ",\"" members[n] "\":") ? " " members[n] : ""
		print code found[1] found[2] found[3] found[4]
	}'
}

# --- F11: default deny ---

# Arguments of curl for who asks.
as() { # nobody|wrong|known
	case $1 in
	wrong) echo "-u any:wrong" ;;
	known) echo "-u any:$PASSWORD" ;;
	esac
}

# One request, and how far it got.
try() { # METHOD PATH TYPE WHO [OPTION of curl...]
	local body=(--data-binary @pump-1.b64)
	if [ "$1" = GET ]; then body=(); fi # lighttpd refuses one itself
	mark
	# shellcheck disable=SC2046 # words on purpose
	http "$2" --path-as-is -X "$1" -H "Content-Type: $3" "${body[@]}" $(as "$4") "${@:5}"
	got="$CODE $(gates)"
}

stops() { # PATTERN METHOD PATH TYPE WHO [OPTION of curl...]
	try "${@:2}"
	assert_regex "$2 $3 $4 as $5: $got" ": ($1) *\$"
}

@test "F11 what is no operation of a label is 404 before anything else, whoever asks and however" {
	local path who before
	request pump-1
	before=$(rows)
	for path in simpleenrol simpleenroll/ simpleenroll/x SIMPLEENROLL Simpleenroll simpleenroll.cgi 'simpleenroll;x' 'simpleenroll%20' \
		'simpleenroll%3fx' fullcmc serverkeygen eecerts update renew simpleupdate simplerevoke 'simpleenroll,simpleenroll' \
		nolabel/simpleenroll SECOND/simpleenroll second/fullcmc second/second/simpleenroll '%73econd%20/simpleenroll' "''/simpleenroll"; do
		for who in nobody wrong known; do
			stops '404 badRequest:path' POST "$path" application/pkcs10 "$who"
		done
	done
	for path in fullcmc nolabel/simpleenroll simpleenroll/; do
		stops '404 badRequest:path' GET "$path" application/pkcs10 known
		stops '404 badRequest:path' DELETE "$path" text/plain nobody
	done
	assert_equal "$(rows)" "$before"
}

@test "F11 what servers decode or merge differently gets no further without credentials" {
	local path who before
	request pump-1
	before=$(rows)
	for path in simpleenroll%2f second%2fsimpleenroll //simpleenroll second//simpleenroll ./simpleenroll second/../simpleenroll \
		'..%2fest/simpleenroll' '%2e%2e/est/simpleenroll' 'simple%65nroll' 'simpleenroll?x' 'simpleenroll%00' 'simpleenroll%0a'; do
		for who in nobody wrong; do
			stops '404|400|404 badRequest:path|401 auth:(missing|password) operation' POST "$path" application/pkcs10 "$who"
		done
	done
	assert_equal "$(rows)" "$before"
}

@test "F11 the method comes next, then the form of the body, both before who asks" {
	local method who type before
	request pump-1
	before=$(rows)
	head -c 70000 /dev/zero >big
	for who in nobody wrong known; do
		for method in GET PUT DELETE OPTIONS PATCH FOO; do
			# What lighttpd does not know it answers by itself, with 501.
			stops '405 badRequest:method operation|501' "$method" simpleenroll application/pkcs10 "$who"
			stops '405 badRequest:method operation|501' "$method" second/simplereenroll text/plain "$who"
		done
		stops '405 badRequest:method operation' POST cacerts application/pkcs10 "$who"
		for type in text/plain application/pkcs7-mime application/pkcs10x multipart/mixed application/csrattrs; do
			stops '415 badRequest:content-type operation' POST simpleenroll "$type" "$who"
			stops '415 badRequest:content-type operation' POST cert/simplereenroll "$type" "$who"
		done
		stops '415 badRequest:content-encoding operation' POST simpleenroll application/pkcs10 "$who" -H 'Content-Encoding: gzip'
		stops '413 badRequest:body-size operation' POST simpleenroll application/pkcs10 "$who" --data-binary @big
	done
	assert_equal "$(rows)" "$before"
}

@test "F11 who asks comes before what the body says" {
	local operation body before
	request pump-1
	before=$(rows)
	echo junk >junk
	for body in pump-1.b64 junk /dev/null; do
		for operation in simpleenroll simplereenroll second/simpleenroll basic/simplereenroll; do
			stops '401 auth:missing operation' POST "$operation" application/pkcs10 nobody -d "@$body"
			stops '401 auth:password operation' POST "$operation" application/pkcs10 wrong -d "@$body"
		done
		stops '403 auth:certificate-missing operation' POST cert/simpleenroll application/pkcs10 nobody -d "@$body"
		stops '403 auth:certificate-missing operation' POST cert/simplereenroll application/pkcs10 known -d "@$body"
		stops '401 auth:password operation' POST both/simpleenroll application/pkcs10 wrong -d "@$body" \
			--cert "$E2E/keys/idevid.pem" --key "$E2E/keys/idevid.key"
	done
	stops '400 badRequest:(base64|body-form) identity operation' POST simpleenroll application/pkcs10 known -d @junk
	assert_equal "$(rows)" "$before"
	stops '200 ok identity operation serial spki_sha256' POST simpleenroll application/pkcs10 known
}

# --- F1: what a client writes into header fields ---

# The fields as lines for curl's -H @FILE, once in each spelling that a careless reader could take for a variable's.
forged() { # SPELLING
	local pem name value
	pem=$(grep -v -e ----- "$E2E/keys/idevid.pem" | tr -d '\n')
	while read -r name value; do
		case $1 in
		dashes) name=${name//_/-} ;;
		underscores) name=${name//-/_} ;;
		lower) name=${name,,} ;;
		upper) name=${name^^} && name=${name//-/_} ;;
		mixed) name=$(sed 's/[A-Za-z]/\U&/3g; s/_/-/2g' <<<"$name") ;;
		prefixed) name=HTTP_${name//-/_} ;;
		esac
		echo "$name: $value"
	done <<-END
		SSL_CLIENT_CERT $pem
		SSL_CLIENT_CERT_CHAIN_0 $pem
		SSL_CLIENT_VERIFY SUCCESS
		SSL_CLIENT_S_DN CN=factory-1.example
		X-SSL-Client-Cert $pem
		X-SSL-Client-Verify SUCCESS
		X-Client-Cert $pem
		Client-Cert :$pem:
		X-Forwarded-Client-Cert Hash=0;Cert="$pem"
		REMOTE_USER any
		Remote-User any
		X-Remote-User any
		AUTH_TYPE Basic
		HTTPS on
		X-Forwarded-Proto https
		Front-End-Https on
		Proxy http://127.0.0.1:9/
		X-Forwarded-For 203.0.113.9
		X-Real-IP 203.0.113.9
		REMOTE_ADDR 203.0.113.9
		Forwarded for=203.0.113.9;proto=https
		SCRIPT_NAME /.well-known/est/second
		PATH_INFO /cacerts
		REQUEST_METHOD GET
		X-HTTP-Method-Override GET
		X-Original-URL /.well-known/est/cacerts
		X-Rewrite-URL /.well-known/est/cacerts
		EST_CONFIG /nonexistent/est.conf
		SSL_PROTOCOL TLSv9
		SSL_CIPHER forged
	END
}

spellings='as-is dashes underscores lower upper mixed prefixed'

# The whole line of the log but for what differs from request to request.
line() { logged | jq -c 'del(.time, .id, .microseconds, .repeated)'; }

# The same request with and without forged fields: same status, same body, same line.
changes_nothing() { # WHAT COMMAND...
	local spelling bare fields
	mark
	"${@:2}"
	bare="$CODE $(tr -d '\r' <body) $(line)"
	assert_regex "$bare" '"code"'
	for spelling in $spellings; do
		fields=$BATS_FILE_TMPDIR/$spelling
		[ -e "$fields" ] || forged "$spelling" >"$fields"
		mark
		"${@:2}" -H "@$fields"
		assert_equal "$1, $spelling: $CODE $(tr -d '\r' <body) $(line)" "$1, $spelling: $bare"
	done
}

@test "F1 no header field makes anybody of nobody, or another request of this" {
	local before
	before=$(rows)
	csr "$E2E/keys/idevid.key" /CN=factory-1.example | b64 >own.b64
	changes_nothing 'a label that takes certificates' post cert/simpleenroll own.b64
	assert_equal "$CODE" 403
	changes_nothing 'a label that takes either' post factory/simpleenroll own.b64
	assert_equal "$CODE" 401
	changes_nothing 'a renewal' post cert/simplereenroll own.b64
	assert_equal "$CODE" 403
	changes_nothing 'a wrong password' post simpleenroll own.b64 -u any:wrong
	assert_equal "$CODE" 401
	changes_nothing 'an unknown label' http nolabel/cacerts
	assert_equal "$CODE" 404
	assert_equal "$(rows)" "$before"
	URL=http://localhost:$HTTP_PORT/.well-known/est changes_nothing 'clear HTTP' http cacerts
	assert_equal "$CODE" 403
}

@test "F1 no header field takes a proven identity away or changes it" {
	csr "$E2E/keys/idevid.key" /CN=factory-1.example | b64 >own.b64
	changes_nothing 'a certificate' post cert/simpleenroll own.b64 --cert "$E2E/keys/idevid.pem" --key "$E2E/keys/idevid.key"
	assert_equal "$CODE" 200
	request pump-2
	changes_nothing 'a password' post simpleenroll pump-2.b64 -u "pump:$PASSWORD"
	assert_equal "$CODE" 200
}

# --- F1 behind a third module of Apache's, with est.fcgi on a socket of its own ---

proxy_config() { # PORT
	local module
	for module in mpm_event authz_core env ssl proxy proxy_fcgi; do echo "LoadModule ${module}_module $APACHE_MODULES/mod_$module.so"; done
	if [ "$(id -u)" = 0 ]; then printf 'User %s\nGroup %s\n' "$WEB_USER" "$WEB_USER"; fi
	cat <<-END
		ServerName localhost
		ServerRoot $E2E
		PidFile $E2E/run/proxy.pid
		DefaultRuntimeDir $E2E/run
		Mutex default:$E2E/run
		ErrorLog $E2E/log/proxy.log
		Listen 127.0.0.1:$1
		SSLSessionCache none
		<VirtualHost 127.0.0.1:$1>
		  SSLEngine on
		  SSLCertificateFile $E2E/est/server.pem
		  SSLCertificateKeyFile $E2E/est/server.key
		  SSLCACertificateFile $E2E/client-cas.pem
		  SSLVerifyClient optional_no_ca
		  SSLVerifyDepth 5
		  SSLOptions +StdEnvVars +ExportCertData
		  SSLSessionTickets off
		  <Location /.well-known/est>
		    CGIPassAuth On
		    SetEnv ap_trust_cgilike_cl 1
		    SetHandler "proxy:unix:$E2E/run/pool.sock|fcgi://localhost"
		  </Location>
		</VirtualHost>
	END
}

proxy_start() {
	local i
	EST_CONFIG=$EST_CONFIG python3 - "$E2E/run/pool.sock" "$E2E/bin/est.fcgi" "$WEB_USER" >"$E2E/log/pool" 2>&1 3>&- 4>&- <<-'END' &
		import os, pwd, socket, sys

		path, program, name = sys.argv[1:]
		listener = socket.socket(socket.AF_UNIX)
		listener.bind(path)
		listener.listen(16)
		os.dup2(listener.fileno(), 0)
		if os.getuid() == 0:
		    user = pwd.getpwnam(name)
		    os.chown(path, user.pw_uid, user.pw_gid)
		    os.setgroups([])
		    os.setgid(user.pw_gid)
		    os.setuid(user.pw_uid)
		os.execv(program, [program])
	END
	echo $! >>pids
	PORT=$(free_port)
	proxy_config "$PORT" >"$E2E/proxy.conf"
	apache2 -DFOREGROUND -f "$E2E/proxy.conf" >"$E2E/log/proxy" 2>&1 3>&- 4>&- &
	echo $! >>pids
	for ((i = 0; i < 100; i++)); do
		[ -S "$E2E/run/pool.sock" ] && (: <"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null && break
		sleep 0.05
	done
	export URL=https://localhost:$PORT/.well-known/est
}

@test "F1 the same behind mod_proxy_fcgi" {
	[ "$SERVER" = fcgid ] || skip 'once is enough'
	proxy_start
	csr "$E2E/keys/idevid.key" /CN=factory-1.example | b64 >own.b64
	changes_nothing 'a label that takes certificates' post cert/simpleenroll own.b64
	assert_equal "$CODE" 403
	changes_nothing 'a label that takes either' post factory/simpleenroll own.b64
	assert_equal "$CODE" 401
	changes_nothing 'a wrong password' post simpleenroll own.b64 -u any:wrong
	assert_equal "$CODE" 401
	changes_nothing 'a certificate' post cert/simpleenroll own.b64 --cert "$E2E/keys/idevid.pem" --key "$E2E/keys/idevid.key"
	assert_equal "$CODE" 200
}

# --- F2: who else could talk to a worker ---

# Connects to each socket as a user: "connected" or the name of the error, a line each.
connects() { # UID
	setpriv --reuid="$1" --regid="$1" --clear-groups python3 - "${SOCKETS[@]}" <<-'END'
		import errno, socket, sys

		for path in sys.argv[1:]:
		    with socket.socket(socket.AF_UNIX) as caller:
		        caller.settimeout(5)
		        try:
		            caller.connect(path)
		            print("connected")
		        except OSError as error:
		            print(errno.errorcode[error.errno])
	END
}

@test "F2 no other user of the machine gets through to a worker's socket, to say there what a web server would" {
	local alive
	[ "$(id -u)" = 0 ] || skip 'who is not root is nobody else'
	http cacerts # starts a worker, where none is running yet
	assert_equal "$CODE" 200
	alive=$(workers)
	mapfile -t SOCKETS < <(find "$E2E/run" -type s)
	assert [ ${#SOCKETS[@]} -ge 1 ]
	run -0 connects 65534
	assert_equal "$(sort -u <<<"$output")" EACCES
	assert_equal "${#lines[@]}" ${#SOCKETS[@]}
	# The workers' own user does: these are the sockets, and they are in use.
	run -0 connects "$(id -u "$WEB_USER")"
	assert_regex "$output" connected
	# shellcheck disable=SC2086 # words on purpose
	assert_alive $alive
	http cacerts
	assert_equal "$CODE" 200
}

# --- F4: where a request ends ---

# Sends each shape over a connection of its own. The front refuses the first kind, and est.fcgi hears nothing of it. The
# second it may repair; then est.fcgi sees one request and never the second one that hides in it.
smuggle() {
	python3 - "$PORT" "$LOG" <<-'END'
		import json, re, socket, ssl, sys, time

		tls = ssl.create_default_context()
		tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
		EST = b"/.well-known/est"
		HIDDEN = b"GET " + EST + b"/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
		LENGTH = b"%d" % len(HIDDEN)
		LAST = b"0\r\n\r\n"
		CHUNKED = b"Transfer-Encoding: chunked\r\n"

		def post(fields, body):
		    return (b"POST " + EST + b"/simpleenroll HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pkcs10\r\n" + fields
		            + b"\r\n" + body)

		def get(fields, target=EST + b"/cacerts", line_end=b"\r\n"):
		    return b"GET " + target + b" HTTP/1.1" + line_end + fields + line_end

		refused = {
		    "two lengths": post(b"Content-Length: 0\r\nContent-Length: " + LENGTH + b"\r\n", HIDDEN),
		    "two lengths alike": post(b"Content-Length: %s\r\nContent-Length: %s\r\n" % (LENGTH, LENGTH), HIDDEN),
		    "a list of lengths": post(b"Content-Length: 0, " + LENGTH + b"\r\n", HIDDEN),
		    "+length": post(b"Content-Length: +" + LENGTH + b"\r\n", HIDDEN),
		    "hexadecimal length": post(b"Content-Length: 0x10\r\n", HIDDEN),
		    "negative length": post(b"Content-Length: -1\r\n", HIDDEN),
		    "length with a space": post(b"Content-Length: 0 0\r\n", HIDDEN),
		    "TE: xchunked": post(b"Transfer-Encoding: xchunked\r\nContent-Length: " + LENGTH + b"\r\n", HIDDEN),
		    "TE: chunked, identity": post(b"Transfer-Encoding: chunked, identity\r\n", LAST + HIDDEN),
		    "TE twice": post(CHUNKED + b"Transfer-Encoding: identity\r\n", LAST + HIDDEN),
		    "TE behind a vertical tab": post(b"Transfer-Encoding: \x0bchunked\r\n", LAST + HIDDEN),
		    "TE in quotes": post(b'Transfer-Encoding: "chunked"\r\n', LAST + HIDDEN),
		    "TE, space before the colon": post(b"Transfer-Encoding : chunked\r\nContent-Length: " + LENGTH + b"\r\n", LAST + HIDDEN),
		    "CL, space before the colon": post(b"Content-Length : " + LENGTH + b"\r\n", HIDDEN),
		    "the first field folded": get(b" Host: x\r\n"),
		    "bare LF": get(b"Host: x\n", line_end=b"\n"),
		    "bare LF in a field": get(b"Host: x\r\nX: a\nContent-Length: " + LENGTH + b"\r\n") + HIDDEN,
		    "bare CR in a field": get(b"Host: x\r\nX: a\rContent-Length: 5\r\n"),
		    "NUL in a field": get(b"Host: x\r\nX: a\0b\r\n"),
		    "field without a colon": get(b"Host: x\r\nX\r\n"),
		    "two hosts": get(b"Host: x\r\nHost: y\r\n"),
		    "control in the method": get(b"Host: x\r\n").replace(b"GET", b"GE\x01T"),
		    "HTTP/2 out of the blue": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		}
		repaired = {
		    "CL and TE": post(b"Content-Length: %d\r\n" % (len(LAST + HIDDEN)) + CHUNKED, LAST + HIDDEN),
		    "TE and CL": post(CHUNKED + b"Content-Length: 4\r\n", b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n" + LAST),
		    "TE in HTTP/1.0": post(CHUNKED, LAST + HIDDEN).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
		    "TE folded, and CL": post(b"Transfer-Encoding:\r\n chunked\r\nContent-Length: " + LENGTH + b"\r\n", LAST + HIDDEN),
		    "a folded field": get(b"Host: x\r\nX: a\r\n b\r\n"),
		    "1 MB of chunk extension": post(CHUNKED, b"5;" + b"a" * 1000000 + b"\r\nMIIBA\r\n" + LAST),
		    "chunks end in LF": post(CHUNKED, b"5\nMIIBA\n0\n\n"),
		    "negative chunk": post(CHUNKED, b"-5\r\nMIIBA\r\n" + LAST + HIDDEN),
		    "chunk of 0x5": post(CHUNKED, b"0x5\r\nMIIBA\r\n" + LAST + HIDDEN),
		    "chunk of 2^64": post(CHUNKED, b"10000000000000005\r\nMIIBA\r\n" + LAST + HIDDEN),
		    "chunk too long": post(CHUNKED, b"5\r\nMIIBAxx\r\n" + LAST + HIDDEN),
		    "length too long": post(b"Content-Length: 1000\r\n", HIDDEN),
		    "trailers": post(CHUNKED + b"Trailer: SSL_CLIENT_CERT\r\n", b"5\r\nMIIBA\r\n0\r\nSSL_CLIENT_CERT: x\r\nREMOTE_USER: any\r\n"
		        b"HTTPS: off\r\nAuthorization: Basic QTpC\r\nContent-Length: 99\r\n\r\n"),
		    "another host's URI": get(b"Host: x\r\n", b"https://evil.example" + EST + b"/cacerts"),
		    "a word too much": get(b"Host: x\r\n", EST + b"/cacerts HTTP/1.1"),
		}

		def lines(skip=0):
		    return [json.loads(line) for line in list(open(sys.argv[2]))[skip:] if '"id"' in line]

		def ask(octets):
		    answer = b""
		    with tls.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1])))) as connection:
		        connection.settimeout(0.4)
		        try:
		            connection.sendall(octets)
		            while got := connection.recv(65536):
		                answer += got
		        except OSError:
		            pass
		    time.sleep(0.02)
		    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]

		bad = 0
		for shapes, most in (refused, 0), (repaired, 1):
		    for name, octets in shapes.items():
		        before = len(list(open(sys.argv[2])))
		        statuses = ask(octets)
		        seen = lines(before)
		        ok = len(seen) <= most and not any("smuggled" in line.get("path", "") for line in seen)
		        ok &= len({line["id"] for line in seen}) == len(seen)
		        ok &= most == 1 or (len(statuses) == 1 and 400 <= statuses[0] < 600)
		        ok &= all(line["status"] != 200 or line["operation"] == "cacerts" for line in seen)
		        # Trailers are no fields: the credentials in them are none.
		        ok &= all(line["code"] in ("ok", "auth:missing", "badRequest:path", "badRequest:body-length") for line in seen)
		        if not ok:
		            bad += 1
		            print(f"{name}: answers {statuses}, seen {[(line['status'], line['code'], line['path']) for line in seen]}")
		sys.exit(bad > 0)
	END
}

@test "F4 no request hides in another" {
	local before alive
	before=$(rows)
	alive=$(workers)
	run -0 smuggle
	assert_equal "$(rows)" "$before"
	# shellcheck disable=SC2086 # words on purpose
	assert_alive $alive
	request pump-3
	enroll pump-3.b64
	assert_issued pump-3.key
}

# --- F5: credentials that are none ---

@test "F5 what is no user and password of ours is 401 with a challenge" {
	local before user
	request pump-4
	before=$(rows)
	for user in nobody:wrong any: :x : "$(printf 'x%.0s' {1..4000}):x" "any:$(printf 'x%.0s' {1..4000})" $'any:\xff\xfe' \
		any:ü "any:$PASSWORD " " any:$PASSWORD" "any:${PASSWORD^^}" "ANY:$PASSWORD" "any::$PASSWORD" "any:$PASSWORD:"; do
		post simpleenroll pump-4.b64 -u "$user"
		assert_refused 401 '^auth:(password|header): '
	done
	for user in "any:$PASSWORD\\0" "any:$PASSWORD\\0x" "any\\0:$PASSWORD" '\0' "any:\\0$PASSWORD" "any:$PASSWORD\\n"; do
		post simpleenroll pump-4.b64 -H "Authorization: Basic $(printf '%b' "$user" | base64 -w0)"
		assert_refused 401 '^auth:(password|header): '
	done
	for user in "Basic $(printf 'any:%s' "$PASSWORD" | base64)=" "Basic =$(printf 'any:%s' "$PASSWORD" | base64)" \
		"Basic $(printf 'any:%s' "$PASSWORD" | base64), Basic QTpC" "Basic$(printf 'any:%s' "$PASSWORD" | base64)" \
		"Digest username=\"any\", realm=\"est\", nonce=\"\", uri=\"/\", response=\"\"" "Bearer $(printf 'any:%s' "$PASSWORD" | base64)" \
		Negotiate "Basic x y" "$(printf 'any:%s' "$PASSWORD" | base64)"; do
		post simpleenroll pump-4.b64 -H "Authorization: $user"
		assert_refused 401 '^auth:(password|header): '
	done
	assert_equal "$(rows)" "$before"
}

@test "F5 two Authorization fields are refused, whichever is right" {
	local before basic wrong='Basic QTpC'
	request pump-5
	before=$(rows)
	basic="Basic $(printf 'any:%s' "$PASSWORD" | base64)"
	post simpleenroll pump-5.b64 -H "Authorization: $basic" -H "Authorization: $wrong"
	assert_regex "$CODE" '^40[01]$'
	post simpleenroll pump-5.b64 -H "Authorization: $wrong" -H "Authorization: $basic"
	assert_regex "$CODE" '^40[01]$'
	assert_equal "$(rows)" "$before"
}

@test "F5 a password of 10 kB" {
	local basic
	request pump-6
	printf 'any:%s' "$(printf 'x%.0s' {1..10000})" | base64 -w0 >basic
	basic="Basic $(cat basic)"
	cgi POST /simpleenroll CONTENT_TYPE=application/pkcs10 CONTENT_LENGTH="$(wc -c <pump-6.b64)" HTTP_AUTHORIZATION="$basic" <pump-6.b64
	assert_refused 401
	post simpleenroll pump-6.b64 -H "Authorization: $basic"
	assert_regex "$CODE" '^4(00|01|31)$' # servers take fields of 8 KiB
}
