#!/usr/bin/env bash
# Runs the examples `tcp_proxy` and `echo_server` in Wine, between clients and servers that are not
# ours: redis, curl, and Python's web server. Fails if one request fails, a byte differs, a program
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
work=$(mktemp -d)
began=$SECONDS
pids=()

say() {
    printf 'real_clients: %s\n' "$*"
}

fail() {
    for log in "$work"/*.log; do
        [ ! -s "$log" ] || { echo "--- ${log##*/}" && tail -n 20 "$log"; } >&2
    done
    say "FAILED: $*" >&2
    exit 1
}

step() {
    say "ok, $((SECONDS - began)) s: $*"
}

# What was started here is ended here, by its id, whatever has happened.
clean_up() {
    for pid in "${pids[@]}"; do
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'fail "interrupted"' INT TERM


# The clients and servers. The redis server is another name of a program that comes with its tools,
# so the package that starts a service is not needed.

missing_packages() {
    command -v redis-benchmark >/dev/null && command -v redis-check-rdb >/dev/null ||
        echo redis-tools
    command -v curl >/dev/null || echo curl
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
examples=$CARGO_TARGET_DIR/$CARGO_BUILD_TARGET/debug/examples


# Waits until a command succeeds, for at most 20 seconds.
eventually() {
    local deadline=$((SECONDS + 20))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

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

# Whether it is gone, or a zombie that waits for `wait`.
is_gone() {
    ! grep -q '^State:[[:space:]]*[^Z]' "/proc/$1/status" 2>/dev/null
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

redis
web
echoes
refusals

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
