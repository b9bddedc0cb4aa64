#!/bin/sh
# package-others.sh [VERSION]: builds the program without its window for macOS and
# Windows, which needs no C compiler and works on any machine:
#   dist/moult-headless-VERSION-darwin-ARCH.tar.gz, dist/moult-headless-VERSION-windows-ARCH.zip
# The window has to be built on the system itself; docs/building.md says how.
set -eu
cd "$(dirname "$0")/../.."
version=${1:-}
[ -n "$version" ] || version=0.0.0-$(git rev-parse --short HEAD 2>/dev/null || echo local)
mkdir -p dist
dist=$PWD/dist
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
for target in darwin/arm64 darwin/amd64 windows/amd64 windows/arm64; do
	system=${target%/*}
	name=moult-headless-$version-$system-${target#*/}
	mkdir "$stage/$name"
	program=moult
	[ "$system" = darwin ] || program=moult.exe
	GOOS=$system GOARCH=${target#*/} CGO_ENABLED=0 \
		go build -trimpath -tags headless -ldflags "-s -w -X main.version=$version" -o "$stage/$name/$program" .
	cp LICENSE README.md docs/*.md "$stage/$name/"
	if [ "$system" = darwin ]; then
		tar -C "$stage" -czf "$dist/$name.tar.gz" "$name"
	else
		(cd "$stage" && zip -qr "$dist/$name.zip" "$name")
	fi
done
ls -l "$dist"
