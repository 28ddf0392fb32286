#!/usr/bin/env bats
# external.bats - who the web server itself has authenticated (T-13, F1, F6): Apache by LDAP (slapd) and from a file,
# lighttpd from files; and nginx and HAProxy, whose REMOTE_USER is what the client wrote and counts for nothing.

# shellcheck disable=SC2153 # SERVER is of instance.bash

load instance

# Where the web server asks for a user: staff, mixed, both (by LDAP where Apache is it), and file and plain (from a file).
# open is a label for such users where nobody asked.
instance_config() {
	local names='external_names = [ "{user}", "{user}.example" ];'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; } );
		profile = ( { name = "device"; } );
		label = (
		$(label '' devices device '"basic", "certificate"'),
		$(label staff devices device '"external"' "$names"),
		$(label file devices device '"external"' "$names"),
		$(label mixed devices device '"external", "basic"' "$names"),
		$(label both devices device '"certificate-and-external"' "certificates_from = [ \"\" ]; $names"),
		$(label bare devices device '"external"'),
		$(label plain devices device '"basic"'),
		$(label open devices device '"external"' "$names") );
	END
}

# Web server's users beside those of the store: fitter is nobody's account in it, keeper one without a password; pump has
# another password here.
WEB_PASSWORD=CANARY-web-5e0b

instance_users() {
	est_admin user add keeper --no-password --names 'valve-*.example'
	est_admin user add elsewhere --no-password --names '*' --label open
	est_admin user add watcher --no-password --roles audit
}

web_users='fitter pump keeper elsewhere watcher'

instance_files() {
	local user
	for user in $web_users; do echo "$user:$WEB_PASSWORD"; done >"$E2E/users.plain"
	for user in $web_users; do echo "$user:$(openssl passwd -6 -salt "$user" "$WEB_PASSWORD")"; done >"$E2E/users.htpasswd"
	chmod 0644 "$E2E/users.plain" "$E2E/users.htpasswd"
	[ "$SERVER" != fcgid ] || slapd_start
}

# --- slapd ---

slapd_start() {
	local dir=$E2E/ldap user deadline=$((SECONDS + 10))
	LDAP_PORT=$(free_port)
	mkdir -p "$dir/db"
	# bind_anon_dn: a bind with a name and an empty password succeeds (RFC 4513 5.1.2), as with many a directory.
	cat >"$dir/slapd.conf" <<-END
		include /etc/ldap/schema/core.schema
		include /etc/ldap/schema/cosine.schema
		include /etc/ldap/schema/inetorgperson.schema
		modulepath /usr/lib/ldap
		moduleload back_mdb
		allow bind_anon_dn
		pidfile $dir/slapd.pid
		database mdb
		maxsize 10485760
		suffix dc=example
		directory $dir/db
	END
	{
		printf 'dn: dc=example\nobjectClass: organization\nobjectClass: dcObject\no: Example\ndc: example\n\n'
		printf 'dn: ou=people,dc=example\nobjectClass: organizationalUnit\nou: people\n\n'
		for user in $web_users; do
			printf 'dn: uid=%s,ou=people,dc=example\nobjectClass: inetOrgPerson\nuid: %s\ncn: %s\nsn: %s\nuserPassword: %s\n\n' \
				"$user" "$user" "$user" "$user" "$WEB_PASSWORD"
		done
	} >"$dir/people.ldif"
	slapadd -f "$dir/slapd.conf" -l "$dir/people.ldif" >"$dir/slapadd" 2>&1 || fail "$(cat "$dir/slapadd")"
	slapd -d 0 -f "$dir/slapd.conf" -h "ldap://127.0.0.1:$LDAP_PORT" >"$dir/log" 2>&1 3>&- 4>&- &
	export LDAP_PORT SLAPD_PID=$!
	disown "$SLAPD_PID"
	until (: <"/dev/tcp/127.0.0.1/$LDAP_PORT") 2>/dev/null; do
		if ! kill -0 "$SLAPD_PID" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
			fail "slapd does not start: $(cat "$dir/log")"
		fi
		sleep 0.05
	done
}

# --- the web servers ---

apache_more() {
	local module
	for module in authn_core authn_file auth_basic authz_user ldap authnz_ldap; do
		echo "LoadModule ${module}_module $APACHE_MODULES/mod_$module.so"
	done
	cat <<-END
		LDAPCacheTTL 0
		LDAPOpCacheTTL 0
		$(sed -e '/^#/d' -e "s|ldaps://ldap.example/|ldap://127.0.0.1:$LDAP_PORT/|" "$EST_SOURCE/etc/apache-ldap.conf")
		<LocationMatch "^/\.well-known/est/(mixed|both|bare)/">
		  AuthType Basic
		  AuthName "LDAP"
		  AuthBasicProvider ldap
		  AuthLDAPURL "ldap://127.0.0.1:$LDAP_PORT/ou=people,dc=example?uid?one?(objectClass=inetOrgPerson)"
		  AuthLDAPRemoteUserAttribute uid
		  Require valid-user
		</LocationMatch>
		<LocationMatch "^/\.well-known/est/(file|plain)/">
		  AuthType Basic
		  AuthName "file"
		  AuthBasicProvider file
		  AuthUserFile $E2E/users.htpasswd
		  Require valid-user
		</LocationMatch>
	END
}

eval "usual_$(declare -f lighttpd_config)"

lighttpd_config() {
	local user='"method" => "basic", "realm" => "file", "require" => "valid-user"' path
	usual_lighttpd_config | sed 's/"mod_openssl", /&"mod_auth", "mod_authn_file", /'
	cat <<-END
		auth.backend = "plain"
		auth.backend.plain.userfile = "$E2E/users.plain"
		auth.backend.htpasswd.userfile = "$E2E/users.htpasswd"
		\$HTTP["url"] =~ "^/\.well-known/est/(file|plain)/" { auth.backend = "htpasswd" }
		auth.require = (
	END
	for path in staff mixed both bare file plain; do echo "\"/.well-known/est/$path/\" => ( $user ),"; done
	echo ')'
}

setup_file() {
	[ "$SERVER" != cgid ] || skip 'as behind mod_fcgid'
	export PASSWORD WEB_PASSWORD
	[ "$SERVER" != fcgid ] || command -v slapd >/dev/null || skip 'no slapd'
	instance_start
}

teardown_file() {
	if [ -n "${SLAPD_PID-}" ]; then kill "$SLAPD_PID" 2>/dev/null || true; fi
	if [ -n "${E2E-}" ]; then instance_stop; fi
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	key P-256 dev.key
	for name in fitter fitter.example pump-1.example valve-1.example; do
		csr dev.key "/CN=$name" | b64 >"$name.b64"
	done
}

web() { # LABEL NAME [OPTION of curl...]: as the user fitter
	post "$1/simpleenroll" "$2.b64" -u "fitter:$WEB_PASSWORD" "${@:3}"
}

# The web server itself said no: its own text, and nothing in our log.
assert_turned_away() {
	assert_equal "$CODE" 401
	assert_regex "$(header WWW-Authenticate)" '^Basic realm="(LDAP|file)"|^Basic realm="EST"$'
	assert_equal "$(wc -l <"$LOG")" "$lines"
}

@test "T-13 who the web server has authenticated gets what external_names say, and nothing else" {
	local label
	for label in staff file; do
		web $label fitter
		assert_issued dev.key
		assert_equal "$(est_admin --json cert show "$(serial issued.pem)" | jq -r .identity)" external:fitter
		web $label fitter.example
		assert_issued dev.key
		web $label pump-1.example
		assert_refused 403 '^auth:name: '
	done
	# A label without external_names leaves nothing to who has no record.
	web bare fitter
	assert_refused 403 '^auth:name: '
}

@test "T-13 a record of the same name says what the user may have: names, labels, roles" {
	post staff/simpleenroll valve-1.example.b64 -u "keeper:$WEB_PASSWORD"
	assert_issued dev.key
	assert_equal "$(est_admin --json cert show "$(serial issued.pem)" | jq -r .identity)" external:keeper
	post bare/simpleenroll valve-1.example.b64 -u "keeper:$WEB_PASSWORD"
	assert_issued dev.key
	csr dev.key /CN=keeper | b64 >keeper.b64
	post staff/simpleenroll keeper.b64 -u "keeper:$WEB_PASSWORD"
	assert_refused 403 '^auth:name: '
	post staff/simpleenroll valve-1.example.b64 -u "elsewhere:$WEB_PASSWORD"
	assert_refused 403 '^auth:external: '
	post staff/simpleenroll valve-1.example.b64 -u "watcher:$WEB_PASSWORD"
	assert_refused 403 '^auth:role: '
	# That there is no password is no password.
	post simpleenroll valve-1.example.b64 -u 'keeper:*'
	assert_refused 401 '^auth:password: '
}

@test "F6 no credentials, wrong, unknown, an empty password, and what a filter would be: the web server's 401" {
	local lines user
	lines=$(wc -l <"$LOG")
	post staff/simpleenroll fitter.b64
	assert_turned_away
	for user in fitter:wrong nobody:wrong fitter: : ":$WEB_PASSWORD" "*:$WEB_PASSWORD" '*)(uid=*:' "*)(uid=*:$WEB_PASSWORD" \
		"fitter)(uid=*:$WEB_PASSWORD" "fit*:$WEB_PASSWORD" 'fitter)(|(uid=*))(&(uid=*:' "fitter\\2a:$WEB_PASSWORD" \
		"uid=fitter,ou=people,dc=example:$WEB_PASSWORD" "uid=fitter,ou=people,dc=example:"; do
		post staff/simpleenroll fitter.b64 -u "$user"
		assert_turned_away
	done
	[ "$SERVER" = fcgid ] || return 0
	# The directory itself is one that takes the empty password.
	run -0 ldapwhoami -x -H "ldap://127.0.0.1:$LDAP_PORT" -D uid=fitter,ou=people,dc=example -w ''
	assert_output --partial anonymous
	run -49 ldapwhoami -x -H "ldap://127.0.0.1:$LDAP_PORT" -D uid=fitter,ou=people,dc=example -w wrong
}

@test "F6 the name is the directory's, not as it was typed" {
	[ "$SERVER" = fcgid ] || skip 'LDAP is for Apache'
	post staff/simpleenroll fitter.b64 -u "FITTER:$WEB_PASSWORD"
	assert_issued dev.key
	assert_equal "$(est_admin --json cert show "$(serial issued.pem)" | jq -r .identity)" external:fitter
	post staff/simpleenroll valve-1.example.b64 -u "Elsewhere:$WEB_PASSWORD"
	assert_refused 403 '^auth:external: '
}

@test "T-13 beside other ways in: external or basic, certificate and external" {
	web mixed fitter
	assert_issued dev.key
	post both/simpleenroll pump-1.example.b64 -u "pump:$WEB_PASSWORD"
	assert_refused 403 '^auth:certificate-missing: '
	csr dev.key /CN=pump-0.example | b64 >pump-0.example.b64
	post both/simpleenroll pump-0.example.b64 -u "pump:$WEB_PASSWORD" --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
	assert_issued dev.key
	# Both have to allow the name.
	post both/simpleenroll pump-0.example.b64 -u "fitter:$WEB_PASSWORD" --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
	assert_refused 403 '^auth:name: '
	post both/simpleenroll pump-1.example.b64 -u "pump:$WEB_PASSWORD" --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
	assert_refused 403 '^auth:name: '
	post both/simpleenroll pump-0.example.b64 --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
	assert_equal "$CODE" 401
}

@test "T-13 a label that does not name it takes no notice of the web server's users" {
	# The web server says who pump is, by a password that is not the store's.
	post plain/simpleenroll pump-1.example.b64 -u "pump:$WEB_PASSWORD"
	assert_refused 401 '^auth:password: '
	post plain/simpleenroll fitter.b64 -u "fitter:$WEB_PASSWORD"
	assert_refused 401 '^auth:password: '
	cgi_post simpleenroll pump-1.example.b64 REMOTE_USER=pump AUTH_TYPE=Basic SERVER_SOFTWARE=Apache/2.4
	assert_equal "$CODE" 401
	cgi_post plain/simpleenroll pump-1.example.b64 REMOTE_USER=pump AUTH_TYPE=Basic SERVER_SOFTWARE=Apache/2.4
	assert_equal "$CODE" 401
}

@test "F1 header fields make no REMOTE_USER" {
	local field type
	post open/simpleenroll fitter.b64
	assert_refused 403 '^auth:external: '
	for field in Remote-User REMOTE-USER REMOTE_USER remote_user X-Remote-User X-Forwarded-User HTTP_REMOTE_USER Redirect-Remote-User \
		REDIRECT_REMOTE_USER; do
		for type in Auth-Type AUTH_TYPE; do
			post open/simpleenroll fitter.b64 -H "$field: fitter" -H "$type: Basic" -H 'Server-Software: Apache/2.4'
			assert_refused 403 '^auth:external: '
		done
		# Nor do they change who it is.
		web staff valve-1.example -H "$field: keeper"
		assert_refused 403 '^auth:name: '
	done
	# An unchecked Authorization header is none either.
	post open/simpleenroll fitter.b64 -u "fitter:$WEB_PASSWORD"
	assert_refused 403 '^auth:external: '
}

@test "F1 REMOTE_USER counts only with AUTH_TYPE, from a web server that sets both after a check of its own" {
	local server
	for server in Apache Apache/2.4.71 'Apache/2.4.71 (Debian) OpenSSL/3.0' lighttpd/1.4.69; do
		cgi_post open/simpleenroll fitter.b64 REMOTE_USER=fitter AUTH_TYPE=Basic SERVER_SOFTWARE="$server"
		assert_issued dev.key
	done
	for server in nginx/1.22.1 'HAProxy 2.6.12' ApacheBench/2.3 'my Apache/2.4' lighttpdx lighttp apache/2.4 ''; do
		cgi_post open/simpleenroll fitter.b64 REMOTE_USER=fitter AUTH_TYPE=Basic SERVER_SOFTWARE="$server"
		assert_refused 403 '^auth:external: '
	done
	cgi_post open/simpleenroll fitter.b64 REMOTE_USER=fitter AUTH_TYPE=Basic
	assert_refused 403 '^auth:external: '
	cgi_post open/simpleenroll fitter.b64 REMOTE_USER=fitter SERVER_SOFTWARE=Apache/2.4
	assert_refused 403 '^auth:external: '
	cgi_post open/simpleenroll fitter.b64 REMOTE_USER=fitter AUTH_TYPE= SERVER_SOFTWARE=Apache/2.4
	assert_refused 403 '^auth:external: '
	cgi_post open/simpleenroll fitter.b64 REMOTE_USER= AUTH_TYPE=Basic SERVER_SOFTWARE=Apache/2.4
	assert_equal "$CODE" 403
}

@test "F1 a name of the web server is no pattern, no other record, and no list of names" {
	local name
	for name in '*' '**' 'pump-*' '*.example' 'fit*' '{user}'; do
		for csr in fitter fitter.example pump-1.example; do
			cgi_post open/simpleenroll "$csr.b64" REMOTE_USER="$name" AUTH_TYPE=Basic SERVER_SOFTWARE=Apache/2.4
			assert_refused 403 '^auth:name: '
		done
	done
	est_admin ra add station --names '*'
	for name in ra:station station; do
		cgi_post open/simpleenroll pump-1.example.b64 REMOTE_USER="$name" AUTH_TYPE=Basic SERVER_SOFTWARE=Apache/2.4
		assert_refused 403 '^auth:name: '
	done
	est_admin ra delete station
}

# --- web servers that do not check ---

# est.fcgi, one process, on a socket of its own, as spawn-fcgi would start it.
worker_start() {
	local as=() deadline=$((SECONDS + 10))
	rm -f "$E2E/run/loose.sock"
	if [ "$(id -u)" = 0 ]; then as=(setpriv --reuid "$WEB_USER" --regid "$WEB_USER" --clear-groups); fi
	"${as[@]}" python3 -c 'import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(16)
os.dup2(s.fileno(), 0)
os.execve(sys.argv[2], [sys.argv[2]], dict(os.environ))' "$E2E/run/loose.sock" "$E2E/bin/est.fcgi" >"$E2E/log/loose" 2>&1 3>&- 4>&- &
	WORKER_PID=$!
	until [ -S "$E2E/run/loose.sock" ]; do
		[ "$SECONDS" -lt "$deadline" ] || fail "est.fcgi does not start: $(cat "$E2E/log/loose")"
		sleep 0.05
	done
}

front_start() { # PROGRAM ARGUMENT...: as $FRONT, and waits for $FRONT_PORT
	local deadline=$((SECONDS + 10))
	"$@" >"$E2E/log/front" 2>&1 3>&- 4>&- &
	FRONT=$!
	until (: <"/dev/tcp/127.0.0.1/$FRONT_PORT") 2>/dev/null; do
		if ! kill -0 "$FRONT" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
			fail "$1 does not start: $(cat "$E2E/log/front")"
		fi
		sleep 0.05
	done
}

teardown() {
	local pid
	for pid in ${FRONT-} ${WORKER_PID-}; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}

# Whatever stands in the header, nobody is authenticated by it; by a password of the store, as ever.
refuses_remote_user() {
	local user
	export URL=https://localhost:$FRONT_PORT/.well-known/est
	for user in "fitter:$WEB_PASSWORD" fitter:wrong keeper: elsewhere:x any:wrong; do
		post open/simpleenroll fitter.b64 -u "$user"
		assert_refused 403 '^auth:external: '
		assert_regex "$(cat body)" REMOTE_USER
		post staff/simpleenroll fitter.b64 -u "$user"
		assert_refused 403 '^auth:external: '
	done
	post open/simpleenroll fitter.b64
	assert_refused 403 '^auth:external: '
	post simpleenroll pump-1.example.b64 -u pump:wrong
	assert_refused 401 '^auth:password: '
	post simpleenroll pump-1.example.b64 -u "pump:$PASSWORD"
	assert_issued dev.key
}

@test "F1 nginx with its own fastcgi_params: REMOTE_USER is whatever the client wrote, and is refused" {
	[ "$SERVER" = fcgid ] || skip 'once is enough'
	command -v nginx >/dev/null || skip 'no nginx'
	local user=''
	if [ "$(id -u)" = 0 ]; then user="user $WEB_USER;"; fi
	worker_start
	FRONT_PORT=$(free_port)
	mkdir nginx
	cat >nginx.conf <<-END
		daemon off;
		master_process off;
		$user
		pid $PWD/nginx/pid;
		error_log $PWD/nginx/error.log;
		events { }
		http {
		  access_log off;
		  client_body_temp_path $PWD/nginx/body;
		  proxy_temp_path $PWD/nginx/proxy;
		  fastcgi_temp_path $PWD/nginx/fastcgi;
		  uwsgi_temp_path $PWD/nginx/uwsgi;
		  scgi_temp_path $PWD/nginx/scgi;
		  server {
		    listen 127.0.0.1:$FRONT_PORT ssl;
		    ssl_certificate $E2E/est/server.pem;
		    ssl_certificate_key $E2E/est/server.key;
		    location /.well-known/est/ {
		      include /etc/nginx/fastcgi_params;
		      fastcgi_pass unix:$E2E/run/loose.sock;
		    }
		  }
		}
	END
	grep -q REMOTE_USER /etc/nginx/fastcgi_params
	front_start nginx -c "$PWD/nginx.conf"
	refuses_remote_user
}

@test "F1 HAProxy: REMOTE_USER and AUTH_TYPE are whatever the client wrote, and are refused" {
	[ "$SERVER" = fcgid ] || skip 'once is enough'
	command -v haproxy >/dev/null || skip 'no haproxy'
	worker_start
	FRONT_PORT=$(free_port)
	cat "$E2E/est/server.pem" "$E2E/est/server.key" >both.pem
	cat >haproxy.cfg <<-END
		global
		  tune.bufsize 65536
		defaults
		  mode http
		  timeout connect 5s
		  timeout client 20s
		  timeout server 20s
		frontend est
		  bind 127.0.0.1:$FRONT_PORT ssl crt $PWD/both.pem
		  default_backend est
		backend est
		  use-fcgi-app est
		  server worker unix@$E2E/run/loose.sock proto fcgi
		fcgi-app est
		  docroot $E2E/www
		  path-info ^(/\.well-known/est)(/.*)?$
		  no option keep-conn
		  pass-header authorization
	END
	front_start haproxy -db -f haproxy.cfg
	refuses_remote_user
}
