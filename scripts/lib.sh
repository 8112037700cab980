# Shared by the scripts beside it: where the project stands, and steps that say what they do and how long they took.
# Sourced, never run.

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$project/.venv"

fail() {
    printf '\nerror: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '       %s\n' "$@" >&2
    exit 1
}

# Milliseconds since the epoch, without starting a process.
now() {
    local time=$EPOCHREALTIME
    printf '%s' $((${time%[.,]*} * 1000 + 10#${time#*[.,]} / 1000))
}

seconds_since() {
    local spent=$(($(now) - $1))
    printf '%d.%d s' $((spent / 1000)) $((spent % 1000 / 100))
}

# step "What is done" command...: says so, runs it, says how long it took. A failing command ends the script.
step() {
    local title=$1 started status=0
    shift
    started=$(now)
    printf '==> %s\n' "$title"
    "$@" || status=$?
    [ "$status" -eq 0 ] || fail "'$title' ended with status $status after $(seconds_since "$started"); what is wrong stands above"
    printf '    done in %s\n' "$(seconds_since "$started")"
}

have() { command -v "$1" >/dev/null 2>&1; }

# Run a command as root: the lab makes network namespaces, and system packages belong to the system.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo; then
        sudo --preserve-env=LAB_NAME,LAB_HOME,LAB_PACE,AWS_ENDPOINT_URL "$@"
    else
        fail "this needs root: $*" "Run it as root, or install sudo and give this user the right to use it."
    fi
}

# python -m lab. What root's Python compiles for itself goes beside the lab's own things, not into a checkout of yours.
lab() {
    local python=("$venv/bin/python")
    [ "$(id -u)" -eq 0 ] || python=(env PYTHONPYCACHEPREFIX=/var/cache/hastack "${python[@]}")
    (cd "$project" && as_root "${python[@]}" -m lab "$@")
}
