#!/bin/sh
# package-others.sh [VERSION]: builds the program without its window for macOS and
# Windows, which needs no C compiler and works on any machine:
#   dist/moult-headless-VERSION-darwin-ARCH.tar.gz, dist/moult-headless-VERSION-windows-ARCH.zip
# The same source gives the same bytes, as in package.sh.
# The window has to be built on the system itself; docs/building.md says how.
set -eu
cd "$(dirname "$0")/../.."
version=${1:-}
[ -n "$version" ] || version=0.0.0-$(git rev-parse --short HEAD 2>/dev/null || echo local)
command -v zip >/dev/null || {
	echo "package-others.sh: zip is missing (Debian and Ubuntu: apt-get install zip)" >&2
	exit 1
}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
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
	GOOS=$system CGO_ENABLED=0 sh testdata/scripts/licences.sh -tags headless >"$stage/$name/licences.txt"
	chmod 644 "$stage/$name"/*.* "$stage/$name/LICENSE" && chmod 755 "$stage/$name/$program"
	touch -d "@$SOURCE_DATE_EPOCH" "$stage/$name"/* "$stage/$name"
	if [ "$system" = darwin ]; then
		tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner -cf - "$name" | gzip -9n >"$dist/$name.tar.gz"
	else
		rm -f "$dist/$name.zip"
		(cd "$stage" && find "$name" | LC_ALL=C sort | TZ=UTC zip -qX "$dist/$name.zip" -@)
	fi
done
ls -l "$dist"
