#!/usr/bin/env bash

set -eo pipefail

echo "$0 has run"
