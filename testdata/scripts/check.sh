#!/bin/sh
# check.sh: what can be said about the source without running it: formatting, vet
# on three systems, staticcheck.
set -eu

say() { printf '== %s\n' "$*"; }

say gofmt
bad=$(git ls-files '*.go' 2>/dev/null | xargs gofmt -l)
if [ -n "$bad" ]; then
	echo "not formatted:" >&2
	echo "$bad" >&2
	exit 1
fi

say go vet
go vet ./... ./testdata/scripts/...
go vet -tags headless .
# Packages that need no C compiler are vetted as on the other two systems.
portable="./core/... ./app/cli ./app/words"
for system in windows darwin; do
	say "go vet, GOOS=$system"
	# shellcheck disable=SC2086
	GOOS=$system CGO_ENABLED=0 go vet $portable
	GOOS=$system CGO_ENABLED=0 go vet -tags headless .
done

say staticcheck
go tool staticcheck ./... ./testdata/scripts/...
