# fastcgi.bash - a FastCGI client that sends whatever octets a test wants to a worker's socket, in a web server's place.
# shellcheck shell=bash

# What the octets of a Python expression, built of the functions below, bring about: "closed" without an answer, the
# status of the answer and the "code:code" of its reason, or "hung" where neither came in time. ./body is the answer's.
fastcgi() { # SOCKET EXPRESSION
	PASSWORD=$PASSWORD python3 - "$@" <<-'END'
		import base64, os, socket, struct, sys, time

		BEGIN, ABORT, PARAMS, STDIN, GET_VALUES = 1, 2, 4, 5, 9

		def record(type, content=b"", id=1, padding=0, version=1):
		    return struct.pack(">BBHHBB", version, type, id, len(content), padding, 0) + content + b"\xa5" * padding

		def begin(id=1, role=1, flags=0, version=1):
		    return record(BEGIN, struct.pack(">HB5x", role, flags), id, version=version)

		def length(n):
		    return bytes([n]) if n < 128 else struct.pack(">I", n | 1 << 31)

		def pair(name, value):
		    name, value = (x if isinstance(x, bytes) else x.encode() for x in (name, value))
		    return length(len(name)) + length(len(value)) + name + value

		GET = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/.well-known/est", "PATH_INFO": "/cacerts", "HTTPS": "on",
		       "REMOTE_ADDR": "192.0.2.7", "HTTP_USER_AGENT": "x"}

		def pairs(variables=GET, **more):
		    return b"".join(pair(n, v) for n, v in {**variables, **more}.items())

		def params(content=None, size=65535, padding=0, id=1):
		    content = pairs() if content is None else content
		    pieces = [content[i:i + size] for i in range(0, len(content), size)]
		    return b"".join(record(PARAMS, p, id, padding) for p in pieces) + record(PARAMS, id=id)

		def stdin(content=b"", size=65535, padding=0, id=1):
		    pieces = [content[i:i + size] for i in range(0, len(content), size)]
		    return b"".join(record(STDIN, p, id, padding) for p in pieces) + record(STDIN, id=id)

		def get(**more):
		    return begin() + params(pairs(GET, **more)) + stdin()

		def post(body, *behind, **more):
		    more = {"REQUEST_METHOD": "POST", "PATH_INFO": "/simpleenroll", "CONTENT_TYPE": "application/pkcs10",
		            "CONTENT_LENGTH": str(len(body)), **more}
		    return begin() + params(pairs(GET, **more)) + b"".join(behind)

		def enroll(name, *behind, **more):
		    user = base64.b64encode(f"pump:{os.environ['PASSWORD']}".encode()).decode()
		    return post(file(name), *behind, HTTP_AUTHORIZATION="Basic " + user, **more)

		def file(name):
		    return open(name, "rb").read()

		def slowly(octets, size, pause):
		    for i in range(0, len(octets), size):
		        yield octets[i:i + size]
		        time.sleep(pause)

		def endless(octets):
		    while True:
		        yield octets

		def send(connection, octets, deadline):
		    for piece in [octets] if isinstance(octets, bytes) else octets:
		        connection.sendall(piece)
		        if time.monotonic() > deadline:
		            print("hung")
		            sys.exit()

		connection = socket.socket(socket.AF_UNIX)
		connection.settimeout(12)
		connection.connect(sys.argv[1])
		deadline = time.monotonic() + 12
		try:
		    send(connection, eval(sys.argv[2]), deadline)
		except (BrokenPipeError, ConnectionResetError):
		    pass
		except TimeoutError:
		    print("hung")
		    sys.exit()
		answer = b""
		try:
		    while got := connection.recv(65536):
		        answer += got
		except ConnectionResetError:
		    pass
		except TimeoutError:
		    print("hung")
		    sys.exit()
		text, ends = b"", 0
		while len(answer) >= 8:
		    type, size = answer[1], struct.unpack(">H", answer[4:6])[0]
		    text += answer[8:8 + size] if type == 6 else b""
		    ends += type == 3
		    answer = answer[8 + size + answer[6]:]
		head, _, body = text.partition(b"\r\n\r\n")
		open("body", "wb").write(body)
		if not text:
		    print("closed")
		else:
		    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
		    status = fields["Status"].split()[0]
		    words = body.decode().split(": ")[0].split() if status != "200" else []
		    print(*([status] + words + ([] if ends == 1 else [f"ended {ends} times"])))
	END
}
