#!/usr/bin/env bash
# Gets the program that PROGRAM names, and writes where it is to the step's outputs.
set -euo pipefail

# Who may release, and sign for what a release was built of.
repository=wsgi-proof/wsgi-proof
unset WSGI_PROOF_SUITE
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  echo "::error title=wsgi-proof::$1"
  exit 2
}

released() {
  local version platform url
  version=$(sed -n 's/^version = "\([0-9A-Za-z.+-]*\)"$/\1/p' "$root/Cargo.toml")
  platform=$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)
  case $platform in
    linux-x86_64 | linux-aarch64) ;;
    *) fail "no program is released for $platform: use a Linux runner, or program: source" ;;
  esac
  url=$GITHUB_SERVER_URL/$repository/releases/download/v$version/wsgi-proof-$platform
  if ! curl --fail --silent --show-error --location --proto-redir '=https' --retry 3 --max-time 300 \
    --output "$found" "$url"; then
    fail "the program of version $version cannot be downloaded: use the commit of a release, or program: source"
  fi
  if [[ -n $DIGEST ]]; then
    local digest
    digest=$(sha256sum "$found")
    digest=${digest%% *}
    if [[ ${DIGEST#sha256:} != "$digest" ]]; then
      fail "the released program has the digest sha256:$digest, which is not the one that is demanded"
    fi
  elif ! gh attestation verify "$found" --repo "$repository" \
    --signer-workflow "$repository/.github/workflows/release.yml" --source-ref "refs/tags/v$version"; then
    fail "nothing proves that the released program was built from the tag v$version"
  fi
  chmod 755 "$found"
}

found=$(mktemp -d "$RUNNER_TEMP/wsgi-proof.XXXXXX")/wsgi-proof
case $PROGRAM in
  release) released ;;
  source)
    (cd "$root" && cargo run --locked -- pack "$found")
    ;;
  *)
    found=$(realpath -- "$PROGRAM")
    [[ -f $found && -x $found ]] || fail "program: neither release, nor source, nor a file that can be executed"
    ;;
esac
"$found" --version
# It will run where no other suite is at hand.
empty=$(mktemp -d "$RUNNER_TEMP/wsgi-proof-empty.XXXXXX")
if ! (cd "$empty" && "$found" list >/dev/null); then
  fail "the program carries no suite: make it by wsgi-proof pack"
fi
echo "program=$found" >>"$GITHUB_OUTPUT"
