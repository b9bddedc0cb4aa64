#!/bin/sh
# package.sh [VERSION]: builds what is given to people, into dist:
#   moult_VERSION_ARCH.deb            the program with its window
#   moult-headless_VERSION_ARCH.deb   the static program for servers
#   moult-headless-VERSION-linux-ARCH.tar.xz   the same for any Linux
#   SHA256SUMS                        of these
# The same source gives the same bytes: every time in them is that of the commit, or
# SOURCE_DATE_EPOCH. nfpm, which makes the .deb files, has a module of its own, so
# that what it needs is no business of the program's.
set -eu
cd "$(dirname "$0")/../.."
version=${1:-}
[ -n "$version" ] || version=0.0.0-$(git rev-parse --short HEAD 2>/dev/null || echo local)
arch=$(go env GOARCH)
ldflags="-s -w -X main.version=$version"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
rm -rf dist
mkdir -p dist
dist=$PWD/dist
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

CGO_ENABLED=0 go build -trimpath -tags headless -ldflags "$ldflags" -o "$stage/headless" .
go build -trimpath -ldflags "$ldflags" -o "$stage/window" .
go -C testdata/scripts/nfpm build -o "$stage/nfpm" github.com/goreleaser/nfpm/v2/cmd/nfpm

sh testdata/scripts/licences.sh | gzip -9n >"$stage/licences.gz"

# tree NAME BINARY: the files of a package, below $stage/NAME.
tree() {
	to=$stage/$1
	install -D -m 755 "$stage/$2" "$to/usr/bin/moult"
	"$stage/headless" manual "$to/usr/share/man/man1"
	gzip -9n "$to"/usr/share/man/man1/*.1
	for shell in bash:bash-completion/completions/moult zsh:zsh/vendor-completions/_moult fish:fish/vendor_completions.d/moult.fish; do
		mkdir -p "$(dirname "$to/usr/share/${shell#*:}")"
		"$stage/headless" completion "${shell%%:*}" >"$to/usr/share/${shell#*:}"
	done
	for unit in resources/linux/moult@.*; do
		install -D -m 644 "$unit" "$to/usr/lib/systemd/system/$(basename "$unit")"
	done
	install -D -m 644 LICENSE "$to/usr/share/doc/$1/copyright"
	install -m 644 README.md docs/*.md "$stage/licences.gz" "$to/usr/share/doc/$1/"
	find "$to" -type d -exec chmod 755 {} +
	find "$to" -type f ! -path '*/bin/*' -exec chmod 644 {} +
	find "$to" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}
tree moult window
install -D -m 644 resources/icon.svg "$stage/moult/usr/share/icons/hicolor/scalable/apps/org.moult.Moult.svg"
install -D -m 644 resources/linux/moult.desktop "$stage/moult/usr/share/applications/org.moult.Moult.desktop"
find "$stage/moult" -type d -exec chmod 755 {} +
find "$stage/moult" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
tree moult-headless headless

for name in moult moult-headless; do
	STAGE=$stage ARCH=$arch VERSION=$version \
		"$stage/nfpm" package --config testdata/scripts/nfpm/$name.yaml --packager deb --target dist/
done
tar -C "$stage/moult-headless/usr" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
	--transform "s,^\.,moult-headless-$version," -cJf "dist/moult-headless-$version-linux-$arch.tar.xz" .
(cd "$dist" && sha256sum -- * >SHA256SUMS)
ls -l dist
