#!/bin/sh
# package.sh [VERSION]: builds what is given to people, into dist:
#   moult_VERSION_ARCH.deb            the program with its window
#   moult-headless_VERSION_ARCH.deb   the static program for servers
#   moult-headless-VERSION-linux-ARCH.tar.xz   the same for any Linux
# The same source gives the same bytes when SOURCE_DATE_EPOCH is set.
set -eu
cd "$(dirname "$0")/../.."
version=${1:-}
[ -n "$version" ] || version=0.0.0-$(git rev-parse --short HEAD 2>/dev/null || echo local)
arch=$(go env GOARCH)
ldflags="-s -w -X main.version=$version"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
mkdir -p dist
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

CGO_ENABLED=0 go build -trimpath -tags headless -ldflags "$ldflags" -o "$work/headless" .
go build -trimpath -ldflags "$ldflags" -o "$work/window" .

# tree DIR BINARY: the files that every package has.
tree() {
	install -D -m 755 "$2" "$1/usr/bin/moult"
	"$work/headless" manual "$1/usr/share/man/man1"
	gzip -9n "$1"/usr/share/man/man1/*.1
	for shell in bash:bash-completion/completions/moult zsh:zsh/vendor-completions/_moult fish:fish/vendor_completions.d/moult.fish; do
		mkdir -p "$(dirname "$1/usr/share/${shell#*:}")"
		"$work/headless" completion "${shell%%:*}" >"$1/usr/share/${shell#*:}"
	done
	for unit in resources/linux/moult@.*; do
		install -D -m 644 "$unit" "$1/usr/lib/systemd/system/$(basename "$unit")"
	done
	install -D -m 644 LICENSE "$1/usr/share/doc/$3/copyright"
	install -m 644 README.md docs/*.md "$1/usr/share/doc/$3/"
}

# deb NAME DIR DEPENDS CONFLICTS DESCRIPTION
deb() {
	mkdir -p "$2/DEBIAN"
	cat >"$2/DEBIAN/control" <<-CONTROL
		Package: $1
		Version: $version
		Architecture: $arch
		Maintainer: The Moult authors <moult@example.org>
		Section: admin
		Priority: optional
		Depends: $3
		Recommends: ca-certificates
		Conflicts: $4
		Installed-Size: $(du -sk "$2/usr" | cut -f1)
		Description: $5
		 Moult updates a site's files and its MySQL-compatible database together,
		 shows everything before it happens, and can always go back.
	CONTROL
	find "$2" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	dpkg-deb --build --root-owner-group -Zxz "$2" "dist/$1_${version}_$arch.deb" >/dev/null
}

tree "$work/moult" "$work/window" moult
install -D -m 644 resources/icon.svg "$work/moult/usr/share/icons/hicolor/scalable/apps/org.moult.Moult.svg"
install -D -m 644 resources/linux/moult.desktop "$work/moult/usr/share/applications/org.moult.Moult.desktop"
tree "$work/moult-headless" "$work/headless" moult-headless

tar -C "$work/moult-headless/usr" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
	--transform "s,^\.,moult-headless-$version," -cJf "dist/moult-headless-$version-linux-$arch.tar.xz" .
if command -v dpkg-deb >/dev/null 2>&1; then
	deb moult "$work/moult" "libc6, libgl1, libx11-6" moult-headless "keeps self-hosted sites up to date, with a window"
	deb moult-headless "$work/moult-headless" "libc6 | base-files" moult "keeps self-hosted sites up to date, for servers"
else
	echo "package.sh: dpkg-deb is not here; no .deb was built" >&2
fi
ls -l dist
