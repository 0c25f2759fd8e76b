#!/usr/bin/env bash
# Runs the suite on the candidate, or joins the reports of its shards, and writes exit code and report folder to the step's outputs.
set -euo pipefail

fail() {
  echo "::error title=wsgi-proof::$1"
  exit 2
}

candidate=()
# A candidate's files are named from the workspace; its images have names of their own.
file() {
  if [[ -n $2 ]]; then candidate+=("$1=$(realpath -- "$2")"); fi
}
image() {
  if [[ -n $2 ]]; then candidate+=("$1=$2"); fi
}
image --base-image "$BASE_IMAGE"
image --onbuild-image "$ONBUILD_IMAGE"
file --dockerfile "$DOCKERFILE"
file --build-step "$BUILD_STEP"
file --start-step "$START_STEP"

report=$(mktemp -d "$RUNNER_TEMP/wsgi-proof-report.XXXXXX")
if [[ -n $JOIN ]]; then
  ((${#candidate[@]} == 0)) || fail "join: nothing is tested, so a candidate must not be given"
  [[ -d $JOIN ]] || fail "join: no such folder"
  shopt -s nullglob
  parts=("$(realpath -- "$JOIN")"/*/)
  ((${#parts[@]} > 0)) || fail "join: no folder with a report is in this folder"
  command=(merge "--report=$report" -- "${parts[@]}")
else
  # Without one, the suite would test its own images, and pass.
  ((${#candidate[@]} > 0)) || fail "nothing to test: give images, dockerfile, build-step or start-step"
  command=(run "--tier=$TIER" "--variant=$VARIANT" "--dialect=$DIALECT" "--report=$report")
  case $STRICT in
    true) command+=(--strict) ;;
    false) ;;
    *) fail "strict: neither true nor false" ;;
  esac
  if [[ -n $SHARD ]]; then command+=("--shard=$SHARD"); fi
  read -r -d '' -a words <<<"$FILTERS" || true
  command+=("${candidate[@]}" -- "${words[@]}")
fi

# In an empty folder: a suite that the candidate brings along must not go before the program's own.
cd "$(mktemp -d "$RUNNER_TEMP/wsgi-proof-empty.XXXXXX")"
unset WSGI_PROOF_SUITE
code=0
"$PROGRAM" "${command[@]}" || code=$?
{
  echo "exit-code=$code"
  echo "report=$report"
} >>"$GITHUB_OUTPUT"
exit "$code"
