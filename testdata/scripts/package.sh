#!/bin/sh
# package.sh [VERSION]: what is given to people, in dist/:
#   moult_VERSION_ARCH.deb            the window and the commands
#   moult-headless_VERSION_ARCH.deb   the commands alone, a static binary
#   moult-VERSION-linux-ARCH.tar.xz   the first one for other distributions
# and a trial of the packages in empty roots. A version comes from a tag vX.Y.Z;
# without one it is 0.0.0 and the packages say so.
set -eu

version=${1:-}
version=${version:-0.0.0}
arch=$(go env GOARCH)
nfpm=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.48.0 # a tool of packagers; not worth its 150 modules in go.mod
stage=dist/stage
rm -rf "$stage"
mkdir -p "$stage/man" "$stage/completion"

flags="-s -w -X main.version=$version"
go build -trimpath -ldflags "$flags" -o "$stage/moult" .
CGO_ENABLED=0 go build -trimpath -tags headless -ldflags "$flags" -o "$stage/moult-headless" .
"$stage/moult-headless" manual "$stage/man"
gzip -9n "$stage"/man/*
for shell in bash zsh fish; do
	"$stage/moult-headless" completion "$shell" >"$stage/completion/moult.$shell"
done

# recipe NAME BINARY: the contents that both packages have, and what differs.
recipe() {
	cat <<-TEXT
		name: $1
		arch: $arch
		version: $version
		maintainer: Moult maintainers <maintainers@moult.example.org>
		description: |
		  keeps self-hosted sites up to date, and takes them back
		  Updates the files and the MySQL or MariaDB database of a site together,
		  shows every file and every statement before, and can always go back.
		section: admin
		priority: optional
		license: Apache-2.0
		contents:
		  - {src: $stage/$2, dst: /usr/bin/moult}
		  - {src: $stage/man/, dst: /usr/share/man/man1/}
		  - {src: $stage/completion/moult.bash, dst: /usr/share/bash-completion/completions/moult}
		  - {src: $stage/completion/moult.zsh, dst: /usr/share/zsh/vendor-completions/_moult}
		  - {src: $stage/completion/moult.fish, dst: /usr/share/fish/vendor_completions.d/moult.fish}
		  - {src: resources/linux/moult@.service, dst: /lib/systemd/system/moult@.service}
		  - {src: resources/linux/moult@.timer, dst: /lib/systemd/system/moult@.timer}
		  - {src: LICENSE, dst: /usr/share/doc/$1/copyright}
	TEXT
}

{
	recipe moult moult
	cat <<-TEXT
		  - {src: resources/linux/moult.desktop, dst: /usr/share/applications/org.moult.Moult.desktop}
		  - {src: resources/icon.png, dst: /usr/share/icons/hicolor/512x512/apps/org.moult.Moult.png}
		  - {src: resources/icon.svg, dst: /usr/share/icons/hicolor/scalable/apps/org.moult.Moult.svg}
		depends: [libc6, libgl1, libx11-6, libxcursor1, libxrandr2, libxinerama1, libxi6, libxxf86vm1]
		recommends: [xdg-utils, libgl1-mesa-dri]
		suggests: [mariadb-server-core]
		conflicts: [moult-headless]
	TEXT
} >"$stage/moult.yaml"
{
	recipe moult-headless moult-headless
	echo 'conflicts: [moult]'
} >"$stage/moult-headless.yaml"
for name in moult moult-headless; do
	go run "$nfpm" package --packager deb --config "$stage/$name.yaml" --target dist/
done

tree=$stage/moult-$version
mkdir -p "$tree/man"
cp "$stage/moult" LICENSE README.md "$tree/"
cp "$stage"/man/* "$tree/man/"
cp -r resources/linux "$stage/completion" "$tree/"
cp resources/icon.png resources/icon.svg "$tree/linux/"
tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner -cJf "dist/moult-$version-linux-$arch.tar.xz" "moult-$version"

# The trial: unpacked into an empty root, each program is the version it says. The
# static one runs with nothing else in that root, where we may change the root.
for name in moult moult-headless; do
	root=$(mktemp -d)
	dpkg-deb -x dist/"$name"_"$version"_*.deb "$root"
	for file in usr/bin/moult usr/share/man/man1/moult.1.gz usr/share/bash-completion/completions/moult lib/systemd/system/moult@.timer; do
		[ -s "$root/$file" ] || { echo "$name lacks /$file" >&2; exit 1; }
	done
	run=""
	if [ "$name" = moult-headless ] && [ "$(id -u)" = 0 ]; then run="chroot $root"; else run="env --chdir=$root"; fi
	program=/usr/bin/moult
	[ "$run" = "chroot $root" ] || program=$root$program
	said=$($run "$program" version)
	case $said in *"$version"*) echo "$name: $said" ;; *) echo "$name says: $said" >&2; exit 1 ;; esac
	rm -rf "$root"
done
ls -l dist/*.deb dist/*.tar.xz
