#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# bootstrap.bats - the operation of python-est's devices, for fleets that move here by changing an address: a first
# enrollment at a path that a label has for it, by HTTP Basic alone, in every form of body that they send, with 409 for a
# device that has been there before.
#
# What they send (read in python-est's clients, scripts and instructions): application/pkcs10 always, around PEM, DER, or
# base64 of it in one line with a Content-Transfer-Encoding; its server never looked at the type, so none is taken too.

load instance

# A second path of the web server, below which est.fcgi answers as well.
eval "$(declare -f lighttpd_config | sed '1s/lighttpd_config/usual_lighttpd/')"
lighttpd_config() {
	usual_lighttpd
	cat <<-END
		fastcgi.server += ( "/devices" => (( "bin-path" => "$E2E/bin/est.fcgi", "socket" => "$E2E/run/more.sock",
		    "max-procs" => 1, "check-local" => "disable", "bin-copy-environment" => ( "PATH" ),
		    "bin-environment" => ( "EST_CONFIG" => "$EST_CONFIG", "ASAN_OPTIONS" => "$ASAN_OPTIONS", "UBSAN_OPTIONS" => "$UBSAN_OPTIONS" ) )) )
	END
}
apache_more() {
	apache_programs "$([ "$SERVER" = fcgid ] && echo fcgid-script || echo cgi-script)" |
		sed '/^ScriptAlias .status/d; s|ScriptAlias /.well-known/est|ScriptAlias /devices|; s|"^/(.*)"|"^/devices"|'
}

instance_config() {
	local fleet='"C", "ST", "L", "O", "OU", "CN", "emailAddress"' at=/.well-known/est
	cat <<-END
		state = "state";
		log = "est.log";
		retry_window = "10m";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; },
		  { name = "second"; certificate = "../second/devices.pem"; key = "../second/devices.key"; } );
		profile = ( { name = "device"; }, { name = "fleet"; subject = [ $fleet ]; } );
		label = (
		$(label '' devices fleet '"basic", "certificate"' "bootstrap = \"$at/bootstrap\";"),
		$(label off devices device '"basic"'),
		$(label second second device '"basic"' "bootstrap = \"$at/second/bootstrap\";"),
		$(label outside devices device '"basic"' 'bootstrap = "/devices/first";'),
		$(label secret devices device '"basic", "secret"' "bootstrap = \"$at/secret/first-time\";"),
		$(label raw devices device '"basic"' "bootstrap = \"$at/raw/bootstrap\"; raw_responses = true;"),
		$(label either devices device '"certificate-or-basic"' "bootstrap = \"$at/either/bootstrap\"; trust_anchors = [ \"../keys/maker.pem\" ];"),
		$(label linked devices device '"basic"' "bootstrap = \"$at/linked/bootstrap\"; pop_required = true;"),
		$(label wait devices device '"basic"' "bootstrap = \"$at/wait/bootstrap\"; approval = [ \"simpleenroll\" ];") );
	END
}

# Whatever stands in a request as a name has to be one of the user's, addresses for mail too.
instance_users() { user fleet "$PASSWORD" 'pump-*.example,pump-**@device.local'; }

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# A first enrollment as the user of the pumps.
first() { # FILE [LABEL [OPTION of curl...]]
	post "${2:+$2/}bootstrap" "$1" -u "pump:$PASSWORD" "${@:3}"
}

recorded() { grep '"id":"' "$LOG" | tail -n 1 | jq -r "$1"; }

# --- what they send ---

@test "base64, in lines or in one, PEM and DER, each for a device of its own" {
	local form
	for form in lines one pem crlf new der; do
		key P-256 device.key
		csr device.key "/CN=pump-$form.example" "DNS:pump-$form.example" >device.csr
		case $form in
		lines) b64 device.csr >device.body ;;
		one) base64 -w 0 device.csr >device.body ;;
		pem) openssl req -inform DER -in device.csr -out device.body ;;
		crlf) openssl req -inform DER -in device.csr | sed 's/$/\r/' >device.body ;;
		new) openssl req -inform DER -in device.csr -newhdr -out device.body ;;
		der) cp device.csr device.body ;;
		esac
		first device.body
		assert_issued device.key
		assert_equal "$(header Content-Transfer-Encoding)" base64
		assert_equal "$(names issued.pem)" "DNS:pump-$form.example"
		assert_equal "$(recorded '[.operation, .label, .identity, .status, .code] | join(" ")')" 'bootstrap  user:pump 200 ok'
	done
}

@test "the type is application/pkcs10, however it is written, or there is none" {
	local number=0 type
	for type in 'Content-Type: application/pkcs10' 'Content-Type: Application/PKCS10; charset=utf-8' 'Content-Type:'; do
		number=$((number + 1))
		request "pump-type-$number"
		http bootstrap -u "pump:$PASSWORD" -H "$type" --data-binary @"pump-type-$number.b64"
		assert_issued "pump-type-$number.key"
		request "pump-typed-$number"
		http bootstrap -u "pump:$PASSWORD" -H "$type" -H 'Content-Transfer-Encoding: base64' --data-binary @"pump-typed-$number.b64"
		assert_issued "pump-typed-$number.key"
	done
	# Elsewhere it has to be said.
	http off/simpleenroll -u "pump:$PASSWORD" -H 'Content-Type:' --data-binary @pump-type-1.b64
	assert_refused 415
}

@test "as their instructions have it: curl, RSA, PEM, a long subject" {
	key RSA-2048 pump-key.pem
	openssl req -new -key pump-key.pem -out pump-csr.pem \
		-subj '/C=US/ST=CA/L=San Francisco/O=EST Client/OU=Device/CN=pump-900.example/emailAddress=pump-900.example@device.local'
	curl -k -sS --max-time 20 -X POST "$URL/bootstrap" -u "fleet:$PASSWORD" -H 'Content-Type: application/pkcs10' --data-binary @pump-csr.pem \
		--output pump-cert.p7b
	refute grep : pump-cert.p7b # the reason of a refusal
	openssl base64 -d -in pump-cert.p7b | openssl pkcs7 -inform DER -print_certs -out pump-cert.pem
	run -0 openssl x509 -in pump-cert.pem -noout -subject -nameopt RFC2253
	assert_output --partial CN=pump-900.example
	run -0 openssl verify -CAfile "$TRUST" -untrusted "$E2E/est/devices.pem" pump-cert.pem
	assert_equal "$(spki pump-cert.pem)" "$(openssl pkey -in pump-key.pem -pubout)"
	# What curl sends without being told a type, with the line ends taken out.
	request pump-901
	http bootstrap -u "pump:$PASSWORD" -H 'Content-Type: application/pkcs10' -H 'Content-Transfer-Encoding: base64' --data @pump-901.b64
	assert_issued pump-901.key
}

# What their est_client.py does: requests.post(url, data=PEM, headers, auth), then base64.b64decode() of the whole answer,
# and any status but 200 is the end.
@test "as their client does: the answer as a whole is base64" {
	key RSA-2048 client.key
	openssl req -new -key client.key -subj /CN=pump-902.example -out client.pem
	run -0 python3 - "${URL/localhost/127.0.0.1}/bootstrap" "$TRUST" "$PASSWORD" <<-'END'
		import base64, ssl, sys, urllib.request

		url, trust, password = sys.argv[1:]
		request = urllib.request.Request(url, data=open("client.pem", "rb").read(), method="POST", headers={
		    "Content-Type": "application/pkcs10", "User-Agent": "python-requests/2.31.0", "Accept": "*/*",
		    "Authorization": "Basic " + base64.b64encode(f"pump:{password}".encode()).decode()})
		with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=trust), timeout=20) as answer:
		    assert answer.status == 200, answer.status
		    open("client.p7", "wb").write(base64.b64decode(answer.read()))
	END
	openssl pkcs7 -inform DER -in client.p7 -print_certs -out client.crt
	assert_equal "$(spki client.crt)" "$(openssl pkey -in client.key -pubout)"
}

@test "for gateways that want it so, a label answers in DER" {
	request pump-903
	first pump-903.b64 raw
	assert_equal "$CODE $(header Content-Transfer-Encoding)" '200 binary'
	assert_equal "$(header Content-Type)" 'application/pkcs7-mime; smime-type=certs-only'
	openssl pkcs7 -inform DER -in body -print_certs -out issued.pem
	assert_equal "$(spki issued.pem)" "$(openssl pkey -in pump-903.key -pubout)"
}

@test "what is no request is 400, as everywhere" {
	local before
	before=$(rows)
	request pump-904
	openssl req -inform DER -in pump-904.csr | base64 >twice # E-09
	first twice
	assert_refused 400
	echo junk >junk
	first junk
	assert_refused 400
	first /dev/null
	assert_refused 400
	make_broken
	first broken.b64
	assert_refused 400 '^badCSR:signature: '
	head -c 70000 /dev/zero >big
	first big
	assert_refused 413
	assert_equal "$(rows)" "$before"
}

# A request whose signature does not fit.
make_broken() {
	csr pump-904.key /CN=pump-904.example >broken.csr
	printf '\x00' | dd of=broken.csr bs=1 seek=$(($(wc -c <broken.csr) - 1)) conv=notrunc status=none
	b64 broken.csr >broken.b64
}

# --- who may ---

@test "without a password, or with a wrong one, 401 with a challenge" {
	local before
	before=$(rows)
	request pump-10
	post bootstrap pump-10.b64
	assert_equal "$CODE $(wc -c <body)" '401 0'
	assert_equal "$(header WWW-Authenticate)" 'Basic realm="est", charset="UTF-8"'
	post bootstrap pump-10.b64 -u pump:wrong
	assert_refused 401 '^auth:password: '
	mv body wrong
	post bootstrap pump-10.b64 -u "nobody:$PASSWORD"
	assert_refused 401 '^auth:password: '
	diff wrong body
	echo junk >junk
	post bootstrap junk # who asks comes first
	assert_equal "$CODE" 401
	assert_equal "$(rows)" "$before"
}

@test "a user's names are the same ones here" {
	local before
	before=$(rows)
	request valve-1
	first valve-1.b64
	assert_refused 403 '^auth:name: '
	request pump-11 DNS:valve-1.example
	first pump-11.b64
	assert_refused 403 '^auth:name: '
	request pump-12
	post second/bootstrap pump-12.b64 -u "limited:$PASSWORD"
	assert_equal "$CODE" 200
	post bootstrap pump-12.b64 -u "limited:$PASSWORD" # of the other label
	assert_refused 401 '^auth:password: '
	assert_equal "$(rows)" $((before + 1))
}

@test "a client certificate counts for nothing" {
	local before device=(--cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key")
	local idevid=(--cert "$E2E/keys/idevid.pem" --key "$E2E/keys/idevid.key")
	before=$(rows)
	csr "$E2E/keys/device.key" /CN=pump-0.example DNS:pump-0.example | b64 >own.b64
	post bootstrap own.b64 "${device[@]}"
	assert_equal "$CODE $(recorded .code)" '401 auth:missing'
	csr "$E2E/keys/idevid.key" /CN=factory-1.example | b64 >factory.b64
	post either/bootstrap factory.b64 "${idevid[@]}"
	assert_equal "$CODE $(recorded .code)" '401 auth:missing'
	post either/bootstrap factory.b64 "${idevid[@]}" -u any:wrong
	assert_refused 401 '^auth:password: '
	# Its name is not lent to a password that may not have it.
	post either/bootstrap factory.b64 "${idevid[@]}" -u "pump:$PASSWORD"
	assert_refused 403 '^auth:name: '
	assert_equal "$(rows)" "$before"
	post either/bootstrap factory.b64 "${idevid[@]}" -u "any:$PASSWORD"
	assert_equal "$CODE $(recorded .identity)" '200 user:any'
	# At the usual operation it does count.
	csr "$E2E/keys/idevid.key" /CN=factory-1.example DNS:factory-1.example | b64 >factory.b64
	post either/simpleenroll factory.b64 "${idevid[@]}"
	assert_equal "$CODE" 200
}

@test "a one-time secret, where the label takes them: one device, one certificate" {
	local before secret
	secret=$(est_admin --json secret add pump-13.example --label secret | jq -r .secret)
	before=$(rows)
	request pump-14
	post secret/first-time pump-14.b64 -u "pump-13.example:$secret"
	assert_refused 403 '^auth:name: '
	post bootstrap pump-14.b64 -u "pump-13.example:$secret" # another label
	assert_refused 401 '^auth:password: '
	request pump-13
	post secret/first-time pump-13.b64 -u "pump-13.example:$secret"
	assert_issued pump-13.key
	assert_equal "$(recorded .identity)" device:pump-13.example
	mv issued.pem first.pem
	post secret/first-time pump-13.b64 -u "pump-13.example:$secret" # the answer was lost
	assert_issued pump-13.key
	assert_equal "$(serial issued.pem)" "$(serial first.pem)"
	request pump-13
	post secret/first-time pump-13.b64 -u "pump-13.example:$secret"
	assert_refused 401 '^auth:spent: '
	assert_equal "$(rows)" $((before + 1))
}

@test "a label that has no passwords, or wants a certificate too, has no such operation" {
	local words before
	before=$(rows)
	request pump-15
	for words in '"certificate"' '"certificate-and-basic"' '"external"' '"srp"' '"certificate-and-secret"'; do
		sed "s|\"off\"; \(.*\)authenticate = \[[^]]*\];|\"off\"; \1authenticate = [ $words ]; bootstrap = \"/.well-known/est/off/bootstrap\";|" \
			"$E2E/est/est.conf" >"$E2E/est/odd.conf"
		chmod a+r "$E2E/est/odd.conf"
		assert grep -q "authenticate = \[ $words \]; bootstrap = \"/.well-known/est/off" "$E2E/est/odd.conf"
		# That is found when the file is read, or nobody gets through.
		EST_CONFIG=$E2E/est/odd.conf cgi_post off/bootstrap pump-15.b64 "$(basic)"
		assert_regex "$words: $CODE" ': (40[134]|50[03])$'
	done
	assert_equal "$(rows)" "$before"
}

# --- devices that have been here before ---

@test "a device that has a certificate is 409, with another key" {
	local before
	request pump-20
	first pump-20.b64
	assert_issued pump-20.key
	before=$(rows)
	request pump-20
	first pump-20.b64
	assert_refused 409 '^device:exists: '
	assert_equal "$(recorded '[.outcome, .code] | join(" ")')" 'conflict device:exists'
	csr pump-20.key /CN=PUMP-20.example DNS:pump-20.example | b64 >other.b64 # whatever else it asks for
	first other.b64
	assert_refused 409 '^device:exists: '
	assert_equal "$(rows)" "$before"
	# It renews with what it has, and enrolls as the label lets it.
	enroll pump-20.b64
	assert_equal "$CODE" 200
}

@test "a device that enrolled in another way is known just as well" {
	request pump-21
	enroll pump-21.b64
	assert_issued pump-21.key
	request pump-21
	first pump-21.b64
	assert_refused 409 '^device:exists: '
}

@test "a lost answer is given again for retry_window, and is 409 later" {
	local i
	request pump-22
	first pump-22.b64
	assert_issued pump-22.key
	mv issued.pem first.pem
	for i in 1 2 3; do
		first pump-22.b64
		assert_issued pump-22.key
		assert_equal "$(serial issued.pem)" "$(serial first.pem)"
	done
	at_time +20m
	cgi_post bootstrap pump-22.b64 "$(basic pump)"
	assert_refused 409 '^device:exists: '
	at_time now
	first pump-22.b64
	assert_issued pump-22.key
}

@test "under another label it is another device" {
	request pump-23
	first pump-23.b64
	assert_equal "$CODE" 200
	request pump-23
	first pump-23.b64 raw
	assert_equal "$CODE" 200
	first pump-23.b64 second
	assert_equal "$CODE" 200
	first pump-23.b64
	assert_refused 409 '^device:exists: '
}

@test "the operator frees a name, and blocks a device" {
	request pump-24
	first pump-24.b64
	assert_equal "$CODE" 200
	request pump-24
	first pump-24.b64
	assert_refused 409 '^device:exists: '
	est_admin device delete pump-24.example --label -
	first pump-24.b64
	assert_issued pump-24.key
	request pump-25
	est_admin device add pump-25.example --label -
	est_admin device block pump-25.example --label -
	first pump-25.b64
	assert_refused 403 '^device:blocked: '
	est_admin device unblock pump-25.example --label -
	first pump-25.b64
	assert_issued pump-25.key
}

@test "of many at once, one device gets one certificate" {
	local before i codes
	before=$(rows)
	for i in 1 2 3 4 5 6 7 8; do
		key P-256 many.key
		csr many.key /CN=pump-26.example | b64 >"many-$i.b64"
	done
	for i in 1 2 3 4 5 6 7 8; do
		curl -sS --max-time 60 --cacert "$TRUST" -u "pump:$PASSWORD" -H 'Content-Type: application/pkcs10' -o "out-$i" \
			--data-binary @"many-$i.b64" -w '%{http_code}\n' "$URL/bootstrap" >"code-$i" 3>&- &
	done
	wait
	codes=$(cat code-? | sort | uniq -c | tr -s ' \n' ' ')
	assert_equal "$codes" ' 1 200 7 409 '
	assert_equal "$(rows)" $((before + 1))
}

# --- it is a first enrollment, with all that a label has for those ---

@test "what waits for approval under a label waits here too" {
	local before
	before=$(rows)
	request pump-30
	first pump-30.b64 wait
	assert_equal "$CODE" 202
	assert_regex "$(header Retry-After)" '^[1-9][0-9]*$'
	assert_equal "$(rows)" "$before"
	est_admin request approve "$(est_admin --json request list --state waiting | jq -rs '.[0].id')"
	first pump-30.b64 wait
	assert_issued pump-30.key
}

@test "a label that wants requests linked to their sessions wants these linked" {
	request pump-31
	first pump-31.b64 linked
	assert_refused 403 '^badCSR:pop-required: '
}

# --- the path ---

@test "it takes POST" {
	local method
	for method in GET PUT DELETE PATCH; do
		http bootstrap -X "$method"
		assert_refused 405
		assert_equal "$(header Allow)" POST
	done
	http bootstrap -I
	assert_equal "$CODE $(header Allow)" '405 POST'
	http bootstrap -u "pump:$PASSWORD"
	assert_refused 405
}

@test "a label that does not name a path has no such operation, and others' paths are not its own" {
	local path
	request pump-40
	for path in off/bootstrap outside/bootstrap secret/bootstrap first-time raw/first-time secret/first bootstrap/ bootstrap/authenticate \
		bootstrap/x BOOTSTRAP Bootstrap bootstrap.cgi 'bootstrap;x' bootstra bootstrap2 nowhere/bootstrap; do
		post "$path" pump-40.b64 -u "pump:$PASSWORD"
		assert_refused 404 '^badRequest:path: '
		post "$path" pump-40.b64
		assert_refused 404 '^badRequest:path: '
	done
	for path in //bootstrap bootstrap%2f ./bootstrap 'bootstrap?x' '%62ootstrap' 'second//bootstrap' 'bootstrap%00' 'bootstrap%0a'; do
		for who in nobody:x pump:wrong; do
			http "$path" --path-as-is -u $who -H 'Content-Type: application/pkcs10' --data-binary @pump-40.b64
			assert_regex "$path as $who: $CODE" ': 40[014]$'
		done
	done
}

# The same exchange at another place of the web server.
outside() { # PATH FILE [OPTION of curl...]
	URL=https://localhost:$PORT post "$@"
}

@test "the path may be another one, outside of EST's, where the web server leads there" {
	request pump-41
	outside devices/first pump-41.b64
	assert_equal "$CODE $(wc -c <body)" '401 0'
	outside devices/first pump-41.b64 -u "pump:$PASSWORD"
	assert_issued pump-41.key
	assert_equal "$(recorded '[.operation, .label] | join(" ")')" 'bootstrap outside'
	request pump-41
	outside devices/first pump-41.b64 -u "pump:$PASSWORD"
	assert_refused 409 '^device:exists: '
	request pump-42
	for path in devices/first/ devices/firstborn devices/simpleenroll devices/first/simpleenroll devices/cacerts devices/bootstrap; do
		outside "$path" pump-42.b64 -u "pump:$PASSWORD"
		assert_refused 404 '^badRequest:path: '
	done
	# Over clear HTTP it is not answered either (T-01).
	URL=http://localhost:$HTTP_PORT post devices/first pump-42.b64 -u "pump:$PASSWORD"
	assert_refused 403 HTTPS
}

@test "est-admin check finds paths that are none, or somebody else's" {
	local path line
	EST_CONFIG=$E2E/est/odd.conf
	for path in bootstrap '' / /x/ /.well-known/est/cacerts /.well-known/est/simpleenroll /.well-known/est/second/simplereenroll \
		/.well-known/est/second/bootstrap /devices/first; do
		sed "s|bootstrap = \"/.well-known/est/raw/bootstrap\"|bootstrap = \"$path\"|" "$E2E/est/est.conf" >"$EST_CONFIG"
		chmod a+r "$EST_CONFIG"
		line=$(grep -n 'name = "raw"' "$EST_CONFIG" | cut -d: -f1)
		run est_admin check
		if [ -z "$path" ]; then
			assert_equal "$status" 0 # none
			continue
		fi
		assert_equal "$path: $status" "$path: 1"
		assert_line --regexp "(odd\\.conf:$line:|FAIL).*"
	done
}
