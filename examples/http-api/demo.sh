#!/bin/sh
# Compiles the to-do API to a native program, runs it on a free port, and shows it answering.
set -eu
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
if [ -z "${VGDC:-}" ]; then
    (cd "$root" && cargo build --release --quiet)
    VGDC=$target/release/vgdc
fi
"$VGDC" build flows.json -o todo-api

log=$(mktemp)
./todo-api --port 0 > "$log" &
app=$!
trap 'kill "$app" 2>/dev/null || true; rm -f "$log"' EXIT
url=
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    url=$(sed -n 's/.*Listening on //p' "$log")
    [ -n "$url" ] && break
    sleep 0.1
done
[ -n "$url" ] || { echo "the program did not start:"; cat "$log"; exit 1; }

ask() {
    echo "> $1 /todos$2 ${3:-}"
    node -e '
        const [url, method, body] = process.argv.slice(1);
        const headers = body ? { "content-type": "application/json" } : {};
        fetch(url, { method, headers, body: body || undefined })
            .then(async answer => console.log(`  ${answer.status} ${await answer.text()}`))
            .catch(error => { console.error(error); process.exit(1); });
    ' "$url/todos$2" "$1" "${3:-}"
}
ask GET ""
ask POST "" '{"title":"compile a flow"}'
ask GET "/2"
ask DELETE "/2"
ask GET "?done=true"
ask GET "/99"
ask POST "" '{}'
