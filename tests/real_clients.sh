#!/usr/bin/env bash
# Runs the examples `tcp_proxy`, `echo_server`, `udp_echo` and `udp_load` in Wine, between clients and
# servers that are not ours: redis, curl, socat, and programs in Python. Fails if one request fails, a byte differs, a program
# does not end in order when it gets Ctrl-C, or a process stays behind.
#
# usage: tests/real_clients.sh        WINE names another Wine, as for ./wine
#
# Everything is on the loopback, at ports that are free, and takes about a minute. What is missing is
# installed first, if you are root. CONNECTIONS is how many short connections are made, 10000 if not
# set.

set -euo pipefail

if [ -z "${CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER-}" ]; then
    exec "$(dirname -- "$(readlink -f -- "$0")")/../wine" bash "$(readlink -f -- "$0")" "$@"
fi
cd "$(dirname -- "$0")/.."

connections=${CONNECTIONS:-10000}
# shellcheck source=tests/support/real.sh
. tests/support/real.sh


# The clients and servers. The redis server is another name of a program that comes with its tools,
# so the package that starts a service is not needed.

missing_packages() {
    command -v redis-benchmark >/dev/null && command -v redis-check-rdb >/dev/null ||
        echo redis-tools
    command -v curl >/dev/null || echo curl
    command -v socat >/dev/null || echo socat
    command -v python3 >/dev/null || echo python3
}

packages=$(missing_packages | xargs)
if [ -n "$packages" ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        fail "this needs programs that on Debian are in: $packages"
    fi
    say "installing $packages"
    # shellcheck disable=SC2086 # Each package is a word of its own.
    { apt-get update || true; DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 \
        install --yes --no-remove --no-install-recommends $packages; } \
        </dev/null >"$work/apt.log" 2>&1 || fail "apt-get cannot install $packages"
fi
ln -s "$(command -v redis-check-rdb)" "$work/redis-server"

cargo build --quiet --examples || fail "the examples do not compile"


free_port() {
    python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])'
}

# Starts an example, NAME PROGRAM ARGUMENT..., and waits until it listens. Sets `port`, and `pid`.
start() {
    local name=$1 program=$2
    shift 2
    "$CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER" "$examples/$program.exe" "$@" \
        </dev/null >"$work/$name.out" 2>"$work/$name.log" &
    pid=$!
    pids+=("$pid")
    eventually grep -q '^listening on ' "$work/$name.out" || fail "$name does not begin to listen"
    port=$(sed -n '1s/^listening on .*:\([0-9]*\).*/\1/p' "$work/$name.out")
}

# Ends an example, NAME PID, as Ctrl-C does, and looks at what it says.
end() {
    local name=$1 pid=$2 status=0
    kill -INT "$pid" || fail "$name has ended by itself"
    eventually is_gone "$pid" || fail "$name does not end"
    wait "$pid" || status=$?
    [ "$status" = 0 ] || fail "$name ended with status $status"
    grep -q '; 0 operations in flight' "$work/$name.out" || fail "$name has operations in flight"
    [ ! -s "$work/$name.log" ] || fail "$name has complained"
    step "$name $(tail -n 1 "$work/$name.out" | tr -d '\r')"
}


redis() {
    local redis_port proxy
    redis_port=$(free_port)
    "$work/redis-server" --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no \
        --dir "$work" </dev/null >"$work/redis.log" 2>&1 &
    pids+=("$!")
    eventually redis-cli -p "$redis_port" ping || fail 'redis does not start'
    start proxy-redis tcp_proxy 127.0.0.1:0 "127.0.0.1:$redis_port"
    proxy=$pid

    benchmark() {
        timeout 120 redis-benchmark -p "$port" -c 50 -q "$@" >"$work/benchmark.log" 2>&1 ||
            fail "redis-benchmark $*"
        ! grep -qi error "$work/benchmark.log" || fail "redis-benchmark $*: an error"
    }
    benchmark -P 16 -n 100000 -t set,get,incr
    benchmark -n 10000 -t set,get
    benchmark -P 16 -n 4000 -d 50000 -t set,get

    # The server has heard of each request, and has found no fault with any.
    timeout 20 redis-cli -p "$port" info commandstats >"$work/stats.log"
    timeout 20 redis-cli -p "$port" info stats >>"$work/stats.log"
    for expected in cmdstat_set:calls=114000 cmdstat_get:calls=114000 cmdstat_incr:calls=100000 \
        total_error_replies:0
    do
        grep -q "^$expected\b" "$work/stats.log" || fail "redis does not say $expected"
    done
    rm "$work/benchmark.log" "$work/stats.log"
    step "redis-benchmark: 328000 requests of 50 clients, in pipelines and not, with 0 errors"
    end proxy-redis "$proxy"
}

web() {
    local web_port proxy sum clients=() status=0
    mkdir "$work/web"
    head -c 67108864 /dev/urandom >"$work/web/file"
    sum=$(sha256sum <"$work/web/file")
    web_port=$(free_port)
    python3 -m http.server --bind 127.0.0.1 --directory "$work/web" "$web_port" \
        </dev/null >"$work/web.log" 2>&1 &
    pids+=("$!")
    eventually curl -sf "http://127.0.0.1:$web_port/" || fail 'the web server does not start'
    start proxy-web tcp_proxy 127.0.0.1:0 "127.0.0.1:$web_port" --threads 2
    proxy=$pid

    fetch() {
        curl -sSf --max-time 60 "http://127.0.0.1:$port/file" 2>>"$work/curl.log" | sha256sum
    }
    same() {
        [ "$(fetch)" = "$sum" ]
    }
    for _ in 1 2 3 4; do
        same &
        clients+=("$!")
    done
    for client in "${clients[@]}"; do
        wait "$client" || fail 'curl got something else than the file'
    done
    step 'curl: 4 times 64 MB at once, each byte the same'

    # Aborted: by a client that is too slow for its patience, and by one that has had enough.
    curl -sS --limit-rate 1M --max-time 2 -o /dev/null "http://127.0.0.1:$port/file" \
        2>/dev/null || status=$?
    [ "$status" = 28 ] || fail "curl should have given up, but ended with status $status"
    { curl -sS --max-time 20 "http://127.0.0.1:$port/file" 2>/dev/null || true; } |
        head -c 1000000 >/dev/null || true
    same || fail 'after an aborted transfer, curl got something else than the file'
    step 'curl: 2 transfers aborted, and the next one is whole'
    end proxy-web "$proxy"
}

# A client in Python: PORT and what to do.
client() {
    timeout 300 python3 - "$@" 2>"$work/client.log" <<'PYTHON'
import os, socket, sys, threading

port, what, number = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def connect():
    return socket.create_connection(("127.0.0.1", port), timeout=60)

def whole_stream(data):
    """Sends it all while receiving it, and ends its side: then the other side ends, too."""
    stream, received = connect(), bytearray()
    def send():
        stream.sendall(data)
        stream.shutdown(socket.SHUT_WR)
    sender = threading.Thread(target=send)
    sender.start()
    while piece := stream.recv(65536):
        received += piece
    sender.join()
    assert received == data, f"{len(received)} of {len(data)} bytes came back, or others"

def short_connection():
    with connect() as stream:
        stream.sendall(b"hello")
        assert stream.recv(5, socket.MSG_WAITALL) == b"hello"

if what == "stream":
    whole_stream(os.urandom(number))
else:
    for _ in range(number):
        short_connection()
PYTHON
}

# Memory in KB, and open files, of a process: they are not to grow with connections that are over.
memory() {
    sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}
files() {
    find "/proc/$1/fd" -mindepth 1 -maxdepth 1 | wc -l
}

echoes() {
    local inline echo echo_port proxy before after number allowed
    for inline in '' --inline; do
        # shellcheck disable=SC2086 # It is an option or nothing.
        start "echo$inline" echo_server 127.0.0.1:0 $inline
        echo=$pid echo_port=$port
        client "$echo_port" stream 16777216 || fail "echo_server $inline"
        start "proxy-echo$inline" tcp_proxy 127.0.0.1:0 "127.0.0.1:$echo_port"
        proxy=$pid
        client "$port" stream 16777216 || fail "echo_server $inline behind tcp_proxy"
        step "Python: 16 MB to echo_server $inline and back, directly and through the proxy"

        if [ -z "$inline" ]; then
            client "$port" short 1000 || fail 'short connections'
            before=("$(memory "$echo")" "$(files "$echo")" "$(memory "$proxy")" "$(files "$proxy")")
            client "$port" short "$connections" || fail 'short connections'
            after=("$(memory "$echo")" "$(files "$echo")" "$(memory "$proxy")" "$(files "$proxy")")
            for number in 0 1 2 3; do
                allowed=$((before[number] + (number % 2 ? 16 : 4096)))
                [ "${after[number]}" -lt "$allowed" ] || fail "$connections connections have left" \
                    "something behind: ${before[*]} KB and files, then ${after[*]}"
            done
            step "$connections short connections through both; ${before[*]} KB and files before" \
                "and ${after[*]} after"
        fi
        end "proxy-echo$inline" "$proxy"
        end "echo$inline" "$echo"
    done
}

refusals() {
    local status=0 proxy
    # A port that is bound, but where nobody listens, refuses, and nobody else gets it meanwhile.
    python3 -uc 'import socket, time
bound = socket.socket()
bound.bind(("127.0.0.1", 0))
print(bound.getsockname()[1])
time.sleep(120)' >"$work/bound" &
    pids+=("$!")
    eventually grep -q . "$work/bound" || fail 'no port can be bound'
    start proxy-refused tcp_proxy 127.0.0.1:0 "127.0.0.1:$(cat "$work/bound")"
    proxy=$pid
    curl -s --max-time 20 "http://127.0.0.1:$port/" || status=$?
    case $status in
        # Refused, it seems to curl, if the reset is there before curl has looked.
        7 | 52 | 56) step 'curl: a server that refuses, and the client learns of it' ;;
        *) fail "the server refuses, but curl ended with status $status" ;;
    esac
    end proxy-refused "$proxy"
    grep -q 'served 1 connection.*; 1 failure to connect' "$work/proxy-refused.out" ||
        fail 'the proxy has not seen the refusal'
}

# Datagrams in Python: PORT and what to do.
datagrams() {
    timeout 120 python3 - "$@" 2>"$work/datagrams.log" <<'PYTHON'
import os, random, select, socket, struct, sys

port, what = int(sys.argv[1]), sys.argv[2]

def client():
    mine = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    mine.settimeout(20)
    mine.connect(("127.0.0.1", port))
    return mine

def ask(mine, question):
    mine.send(question)
    answer = mine.recv(65536)
    assert answer == question, f"{len(answer)} bytes came back of {len(question)}, or others"

def name_server_is_asked():
    """What `dig example.com` sends; an echo is no answer, but it has the same number."""
    number = random.randrange(65536)
    question = struct.pack(">6H", number, 0x0120, 1, 0, 0, 0)
    question += b"\7example\3com\0" + struct.pack(">2H", 1, 1)
    with client() as mine:
        ask(mine, question)

def all_lengths():
    with client() as mine:
        for length in [0, 1, 2, 511, 512, 513, 1472, 1473, 8192, 65506, 65507]:
            ask(mine, os.urandom(length))

def crowd():
    """Fifty clients at once, each with one datagram on its way."""
    clients = [client() for _ in range(50)]
    for _ in range(40):
        sent = {mine: os.urandom(random.randrange(1, 1400)) for mine in clients}
        for mine, question in sent.items():
            mine.send(question)
        for mine, question in sent.items():
            assert mine.recv(65536) == question, "a client got another one's datagram"

def one_that_goes():
    """Clients that ask and go: what is sent back finds nobody, and that is nothing to the others."""
    for _ in range(200):
        with client() as mine:
            mine.send(b"who hears this?")
    with client() as mine:
        ask(mine, b"still there?")

def server_with_faults():
    """Of each ten it drops one, sends one twice, and changes the order of two."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", port))
    print("ready", flush=True)
    held, seen, dropped, doubled, swapped = None, 0, 0, 0, 0
    while select.select([server], [], [], 5 if seen == 0 else 1.8)[0]:
        datagram, sender = server.recvfrom(65536)
        seen += 1
        kind = struct.unpack_from(">Q", datagram, 8)[0] % 10
        if kind == 0:
            held = datagram
            continue
        if kind == 9:
            dropped += 1
            continue
        if kind == 5:
            doubled += 1
            server.sendto(datagram, sender)
        server.sendto(datagram, sender)
        if held is not None:
            swapped += 1
            server.sendto(held, sender)
            held = None
    lost = dropped + (held is not None)
    print(f"sent {seen} datagrams, {seen - lost} back, {lost} lost, {doubled} twice, {swapped} out of order")

if what == "serve":
    server_with_faults()
else:
    name_server_is_asked()
    all_lengths()
    crowd()
    one_that_goes()
PYTHON
}

udp() {
    local echo heard said told
    start udp-echo udp_echo --listen 127.0.0.1:0
    echo=$pid
    heard=$(printf 'hello from socat' | timeout 20 socat -t 2 - "UDP4:127.0.0.1:$port") || fail socat
    [ "$heard" = 'hello from socat' ] || fail "socat heard '$heard'"
    datagrams "$port" ask || fail 'udp_echo and Python'
    step 'socat and Python: a question as of dig, 0 to 65507 bytes, 50 clients, 200 that go'
    load "$port" --seconds 2 --size 1000 || fail "udp_load and udp_echo: $(cat "$work/load.err")"
    grep -q '[1-9][0-9]* back, 0 lost' "$work/load.out" || fail "$(cat "$work/load.out")"
    end udp-echo "$echo"
    grep -q ' 0 cut, 0 errors' "$work/udp-echo.out" || fail "$(cat "$work/udp-echo.out")"

    start udp-echo-short udp_echo --listen 127.0.0.1:0 --room 999
    echo=$pid
    ! load "$port" --seconds 1 --size 1000 --rate 100 || fail 'udp_load has heard something'
    grep -q 'nothing came back' "$work/load.err" || fail "$(cat "$work/load.err")"
    end udp-echo-short "$echo"
    grep -Eq '; [1-9][0-9]* cut, 0 errors' "$work/udp-echo-short.out" || fail 'nothing was cut'

    port=$(free_port)
    datagrams "$port" serve >"$work/served" &
    pids+=("$!")
    eventually grep -q ready "$work/served" || fail 'a server in Python does not start'
    load "$port" --seconds 2 --rate 200 || fail "udp_load and Python: $(cat "$work/load.err")"
    eventually grep -q ^sent "$work/served" || fail 'the server in Python does not end'
    said=$(grep ^sent "$work/served")
    told=$(sed -n 's/ ([0-9.]* %)//; s/^\(sent .* out of order\),.*/\1/p' "$work/load.out")
    [ "$said" = "$told" ] || fail "udp_load tells '$told', and the server says '$said'"
    step "udp_load counts what a server with faults has done: $told"
    load_without_a_server || fail "udp_load by itself: $(cat "$work/load.err")"
    step 'udp_load has a server of its own if none is given'
}

# Runs `udp_load` against PORT, with the rest of the arguments.
load() {
    local port=$1
    shift
    timeout 60 "$CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER" "$examples/udp_load.exe" \
        --target "127.0.0.1:$port" "$@" </dev/null >"$work/load.out" 2>"$work/load.err"
}

load_without_a_server() {
    timeout 60 "$CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER" "$examples/udp_load.exe" \
        --seconds 1 </dev/null >"$work/load.out" 2>"$work/load.err"
}

redis
web
echoes
refusals
udp

for pid in "${pids[@]}"; do
    kill -KILL "$pid" 2>/dev/null || continue
    wait "$pid" 2>/dev/null || true
done
# Whatever was started here has one of these folders in its command line.
for process in /proc/[0-9]*; do
    line=$({ tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null || true)
    case $line in
        *"$work/"* | *"$examples/"*) fail "a process has stayed behind: $line" ;;
    esac
done
step 'no process has stayed behind'
