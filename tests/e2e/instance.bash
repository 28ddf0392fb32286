# instance.bash - one EST server for a test file: an instance of est-admin init with the labels, users and foreign
# CAs that the tests need, behind lighttpd, Apache with mod_fcgid, or Apache with mod_cgid (SERVER=lighttpd|fcgid|cgid).
#
# EST_BUILD is where est.fcgi, status.cgi, est-admin, est-client and make_csr are; EST_SOURCE has www/.
# instance_start makes everything below $E2E and exports what wire.bash uses; instance_stop ends it.
# shellcheck shell=bash disable=SC2034,SC2153 # CORPUS is for the tests; PASSWORD is wire.bash's

bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert
bats_load_library bats-file

# The system's programs: the shim of a version manager takes a tenth of a second for each python3.
export PATH=/usr/bin:/bin:$PATH

# shellcheck source=tests/e2e/wire.bash
source "${BASH_SOURCE[0]%/*}/wire.bash"

: "${EST_BUILD:?is the directory with est.fcgi, est-admin and est-client}"
EST_SOURCE=${EST_SOURCE:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}
SERVER=${SERVER:-lighttpd}
APACHE_MODULES=/usr/lib/apache2/modules
WEB_USER=www-data # of the workers, where root starts them
CORPUS=$EST_SOURCE/tests/corpus

# A directory that the workers get through, with their own copy of the programs: the build may be anywhere.
instance_directory() {
	E2E=$(mktemp -d /tmp/est-e2e.XXXXXX)
	export E2E
	chmod 0755 "$E2E"
	mkdir "$E2E/bin" "$E2E/log" "$E2E/run" "$E2E/keys"
	cp "$EST_BUILD/est.fcgi" "$EST_BUILD/status.cgi" "$E2E/bin/"
	cp -R "$EST_SOURCE/www" "$E2E/www"
	chmod -R a+rX "$E2E/bin" "$E2E/www"
	if [ "$(id -u)" = 0 ]; then
		chown "$WEB_USER" "$E2E/log" "$E2E/run"
	fi
	# Reports of the sanitizers, if the programs have them, are found by instance_stop.
	export SANITIZERS="log_path=$E2E/log/sanitizer:exitcode=99"
	export ASAN_OPTIONS=$SANITIZERS UBSAN_OPTIONS=print_stacktrace=1:$SANITIZERS
}

# The exports of an instance that is there: where its files are.
instance_names() {
	export EST_CONFIG=$E2E/est/est.conf TRUST=$E2E/est/trust.pem LOG=$E2E/est/est.log
}

# --- what is in it ---

# A CA of somebody else, who made the device idevid.pem with the name factory-1.example.
foreign_ca() {
	local dir=$E2E/keys
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/O=Maker/CN=Maker CA' \
		-keyout "$dir/maker.key" -out "$dir/maker.pem" 2>/dev/null
	key P-256 "$dir/idevid.key"
	openssl req -new -key "$dir/idevid.key" -subj /CN=factory-1.example |
		openssl x509 -req -CA "$dir/maker.pem" -CAkey "$dir/maker.key" -days 20 -set_serial 0x5ac0de \
			-extfile <(echo 'extendedKeyUsage=clientAuth') -out "$dir/idevid.pem" 2>/dev/null
}

label() { # NAME CA PROFILE AUTHENTICATE [MORE]
	printf '  { name = "%s"; ca = "%s"; profile = "%s"; authenticate = [ %s ]; %s }' "$1" "$2" "$3" "$4" "${5-}"
}

instance_config() {
	local either='"basic", "certificate"' maker='trust_anchors = [ "../keys/maker.pem" ];'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; },
		  { name = "second"; certificate = "../second/devices.pem"; key = "../second/devices.key"; } );
		profile = ( { name = "device"; validity = "90d"; },
		  { name = "server"; extended_key_usage = [ "serverAuth", "clientAuth" ];
		    subject_alt_names = [ "dns", "ip", "email", "uri" ]; },
		  { name = "narrow"; keys = [ "P-256" ]; subject_alt_names = [ "dns" ]; validity = "7d"; },
		  { name = "long"; validity = "36000d"; backdate = "30d"; },
		  { name = "permissive"; names = "permissive"; empty_subject = true; },
		  { name = "rekey"; key_reuse = false; } );
		label = (
		$(label '' devices device "$either"),
		$(label cert devices device '"certificate"' "$maker"),
		$(label basic devices device '"basic"' "$maker"),
		$(label both devices device '"certificate-and-basic"' "$maker"),
		$(label factory devices device "$either" "$maker"),
		$(label second second device "$either"),
		$(label server devices server "$either"),
		$(label narrow devices narrow "$either"),
		$(label long devices long "$either"),
		$(label rekey devices rekey "$either"),
		$(label permissive devices permissive "$either"),
		$(label lenient devices device "$either" 'encodings = [ "base64", "pem", "der" ];'),
		$(label field devices device '"certificate"' 'certificates_from = [ "", "field" ];'),
		$(label raw devices device "$either" 'encodings = [ "der" ];'),
		$(label strict devices device "$either" 'encodings = [ "base64" ];') );
	END
}

# What est.conf names has to be there before it is read; and users and secrets of a file's own come behind the usual ones.
# A test file that needs such has functions of its own of these names.
instance_files() { :; }
instance_users() { :; }

user() { # NAME PASSWORD PATTERN [OPTION...]
	local name=$1 password=$2 pattern=$3
	shift 3
	printf '%s\n' "$password" >"$E2E/password"
	est_admin user add "$name" --names "$pattern" --password-file "$E2E/password" "$@"
	rm "$E2E/password"
}

# Makes the directory, the CAs, the configuration, the users, and one enrolled device: $E2E/keys/device.{key,pem}.
instance_make() {
	instance_directory
	"$EST_BUILD/est-admin" init "$E2E/est" --organization 'E2E' --host localhost --host 127.0.0.1 "$@"
	"$EST_BUILD/est-admin" init "$E2E/second" --organization 'Second' --host localhost
	instance_names
	foreign_ca
	instance_files
	instance_config >"$EST_CONFIG"
	# Tests guess much and from one address: what slows that down is for the tests that say so.
	grep -q backoff_ "$EST_CONFIG" || sed -i '1i backoff_account = 0; backoff_address = 0;' "$EST_CONFIG"
	: >"$LOG"
	if [ "$(id -u)" = 0 ]; then chown "$WEB_USER:$WEB_USER" "$LOG"; fi
	user pump "$PASSWORD" 'pump-*.example'
	user any "$PASSWORD" '*'
	user "$USER_UTF8" "$PASSWORD_UTF8" 'pump-*.example'
	# The label is one of this file's configuration.
	! grep -q 'name = "second"; ca' "$EST_CONFIG" || user limited "$PASSWORD" '*' --label second
	instance_users
	cat "$E2E/est/client-cas.pem" "$E2E/second/client-cas.pem" "$E2E/keys/maker.pem" >"$E2E/client-cas.pem"
}

instance_device() {
	(
		cd "$E2E/keys" || exit
		key P-256 device.key
		csr device.key /CN=pump-0.example DNS:pump-0.example >device.csr
		post simpleenroll <(b64 device.csr) -u "pump:$PASSWORD"
		assert_equal "$CODE" 200
		certificate device.pem
	)
}

# --- the web servers ---

free_port() {
	local port
	while port=$((20000 + RANDOM % 12000)); do
		(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

lighttpd_config() {
	local user=''
	if [ "$(id -u)" = 0 ]; then user="server.username = \"$WEB_USER\" server.groupname = \"$WEB_USER\""; fi
	cat <<-END
		server.modules = ( "mod_openssl", "mod_fastcgi" )
		server.document-root = "$E2E/www"
		$user
		server.bind = "127.0.0.1"
		server.port = $HTTP_PORT
		server.errorlog = "$E2E/log/error.log"
		server.breakagelog = "$E2E/log/breakage.log"
		server.max-request-size = 1024
		server.feature-flags = ( "server.h2proto" => "disable", "server.graceful-shutdown-timeout" => 5 )
		index-file.names = ( "index.html" )
		mimetype.assign = ( ".html" => "text/html", ".css" => "text/css", ".js" => "text/javascript", ".svg" => "image/svg+xml" )
		\$SERVER["socket"] == "127.0.0.1:$PORT" {
		  ssl.engine = "enable"
		  ssl.pemfile = "$E2E/est/server.pem"
		  ssl.privkey = "$E2E/est/server.key"
		  ssl.openssl.ssl-conf-cmd = ( "MinProtocol" => "TLSv1.2", "Options" => "-SessionTicket" )
		  ssl.verifyclient.activate = "enable"
		  ssl.verifyclient.enforce = "disable"
		  ssl.verifyclient.ca-file = "$E2E/client-cas.pem"
		  ssl.verifyclient.exportcert = "enable"
		}
		fastcgi.server = ( "/.well-known/est" => (( "bin-path" => "$E2E/bin/est.fcgi", "socket" => "$E2E/run/est.sock",
		    "max-procs" => 2, "check-local" => "disable", "bin-copy-environment" => ( "PATH" ),
		    "bin-environment" => ( "EST_CONFIG" => "$EST_CONFIG", "ASAN_OPTIONS" => "$ASAN_OPTIONS", "UBSAN_OPTIONS" => "$UBSAN_OPTIONS" ) )),
		  "/status" => (( "bin-path" => "$E2E/bin/status.cgi", "socket" => "$E2E/run/status.sock",
		    "max-procs" => 1, "check-local" => "disable", "bin-copy-environment" => ( "PATH" ),
		    "bin-environment" => ( "EST_CONFIG" => "$EST_CONFIG", "ASAN_OPTIONS" => "$ASAN_OPTIONS", "UBSAN_OPTIONS" => "$UBSAN_OPTIONS" ) )) )
	END
}

apache_programs() { # HANDLER
	cat <<-END
		ScriptAlias /.well-known/est $E2E/bin/est.fcgi
		ScriptAlias /status $E2E/bin/status.cgi
		<LocationMatch "^/(\.well-known/est|status)">
		  SetHandler $1
		  Options +ExecCGI
		  CGIPassAuth On
		  SetEnv ap_trust_cgilike_cl 1
		  SetEnv EST_CONFIG $EST_CONFIG
		  SetEnv ASAN_OPTIONS $ASAN_OPTIONS
		  SetEnv UBSAN_OPTIONS $UBSAN_OPTIONS
		</LocationMatch>
	END
}

apache_fcgid() {
	cat <<-END
		LoadModule fcgid_module $APACHE_MODULES/mod_fcgid.so
		FcgidIPCDir $E2E/run
		FcgidProcessTableFile $E2E/run/fcgid_shm
		FcgidMaxRequestLen 1048576
		FcgidMinProcessesPerClass 2
		FcgidMaxProcessesPerClass 2
		FcgidInitialEnv EST_CONFIG $EST_CONFIG
		FcgidInitialEnv ASAN_OPTIONS $ASAN_OPTIONS
		FcgidInitialEnv UBSAN_OPTIONS $UBSAN_OPTIONS
	END
}

# What a test file adds to the server's configuration, behind everything else: a function of its own of this name.
apache_more() { :; }

apache_config() { # fcgid|cgid
	local module handler=fcgid-script user=''
	if [ "$(id -u)" = 0 ]; then user="User $WEB_USER
Group $WEB_USER"; fi
	for module in mpm_event authz_core alias env dir mime ssl; do
		echo "LoadModule ${module}_module $APACHE_MODULES/mod_$module.so"
	done
	if [ "$1" = fcgid ]; then
		apache_fcgid
	else
		handler=cgi-script
		echo "LoadModule cgid_module $APACHE_MODULES/mod_cgid.so"
		echo "ScriptSock $E2E/run/cgid.sock"
	fi
	cat <<-END
		$user
		ServerName localhost
		ServerRoot $E2E
		PidFile $E2E/run/apache.pid
		DefaultRuntimeDir $E2E/run
		Mutex default:$E2E/run
		ErrorLog $E2E/log/error.log
		TypesConfig /etc/mime.types
		StartServers 1
		ThreadsPerChild 16
		MinSpareThreads 4
		MaxSpareThreads 64
		ServerLimit 8
		MaxRequestWorkers 64
		SSLSessionCache none
		DocumentRoot $E2E/www
		Listen 127.0.0.1:$HTTP_PORT
		Listen 127.0.0.1:$PORT
		<Directory />
		  Require all granted
		</Directory>
		$(apache_programs "$handler")
		<VirtualHost 127.0.0.1:$HTTP_PORT>
		</VirtualHost>
		<VirtualHost 127.0.0.1:$PORT>
		  SSLEngine on
		  SSLCertificateFile $E2E/est/server.pem
		  SSLCertificateKeyFile $E2E/est/server.key
		  SSLProtocol -all +TLSv1.2 +TLSv1.3
		  SSLCACertificateFile $E2E/client-cas.pem
		  SSLVerifyClient optional_no_ca
		  SSLVerifyDepth 5
		  SSLOptions +StdEnvVars +ExportCertData
		  SSLSessionTickets off
		</VirtualHost>
		$(apache_more)
	END
}

# Starts the server; false where it did not come up, because another one was faster to take the port, say.
server_try() {
	local deadline=$((SECONDS + 10))
	PORT=$(free_port) HTTP_PORT=$(free_port)
	export PORT HTTP_PORT URL=https://localhost:$PORT/.well-known/est
	case $SERVER in
	lighttpd)
		lighttpd_config >"$E2E/server.conf"
		lighttpd -D -f "$E2E/server.conf" >"$E2E/log/start" 2>&1 3>&- 4>&- &
		;;
	fcgid | cgid)
		apache_config "$SERVER" >"$E2E/server.conf"
		apache2 -DFOREGROUND -f "$E2E/server.conf" >"$E2E/log/start" 2>&1 3>&- 4>&- &
		;;
	*) fail "SERVER=$SERVER: lighttpd, fcgid or cgid" ;;
	esac
	export SERVER_PID=$!
	disown "$SERVER_PID"
	while kill -0 "$SERVER_PID" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do
		if (: <"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then return 0; fi
		sleep 0.05
	done
	server_stop
	return 1
}

server_stop() {
	local i
	kill "$SERVER_PID" 2>/dev/null || true
	for ((i = 0; i < 100; i++)); do
		kill -0 "$SERVER_PID" 2>/dev/null || break
		sleep 0.05
	done
	kill -9 "$SERVER_PID" 2>/dev/null || true
}

# The pids of the programs that serve this instance, sorted.
workers() { # [PROGRAM]
	# Each instance has programs of its own, so their path tells; what is in /proc/PID/environ only root may see.
	pgrep -f "^$E2E/bin/${1:-est.fcgi}" | sort -n
}

# None of these has ended. A web server may have started more of them since.
assert_alive() { # PID...
	local pid
	[ "$SERVER" != cgid ] || return 0 # there, they all end
	for pid in "$@"; do kill -0 "$pid" || fail "worker $pid has ended: $(tail -5 "$E2E/log/"*)"; done
}

# --- a test file's setup_file and teardown_file ---

instance_start() { # [OPTIONS of est-admin init]
	instance_make "$@" >/dev/null
	server_try || server_try || server_try || fail "$SERVER does not start: $(cat "$E2E/log/start" "$E2E/log/error.log")"
	instance_device
}

instance_stop() {
	local pid reports
	[ -n "${SERVER_PID-}" ] && server_stop
	for pid in $(workers) $(workers status.cgi); do kill "$pid" 2>/dev/null || true; done
	# LeakSanitizer's remark on a thread that ended while it looked is no finding.
	reports=$(find "$E2E/log" -name 'sanitizer*' -exec grep -hv 'Unable to get registers from thread' {} + ; grep -h -A12 -e 'runtime error:' "$E2E/log"/*.log) || true
	rm -rf "$E2E"
	if [ -n "$reports" ]; then
		echo "$reports" | head -60
		false
	fi
}

# Every test works in its own directory.
setup() { cd "$BATS_TEST_TMPDIR" || return 1; }
