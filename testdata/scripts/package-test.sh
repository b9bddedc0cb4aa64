#!/bin/sh
# package-test.sh: installs the packages of dist in a clean Debian and uses them: the
# program starts, a site is updated and rolled back, manual and completion are there,
# and after the removal nothing is left. It needs root, debootstrap and the network; the
# clean system is kept in .cache/clean for the next time.
set -eu
cd "$(dirname "$0")/../.."
skip() {
	echo "package-test: skipped: $1" >&2
	exit 0
}
[ "$(id -u)" = 0 ] || skip "only root can make a clean system"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"
suite=${SUITE:-bookworm}
clean=$PWD/.cache/clean-$suite
if [ ! -e "$clean/complete" ]; then
	rm -rf "$clean"
	mkdir -p "$clean"
	debootstrap --variant=minbase "$suite" "$clean" >"$clean.log"
	touch "$clean/complete"
fi
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
cp -a "$clean/." "$root/"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
inside() { env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }

say() { printf '== %s\n' "$*"; }
inside apt-get -qq update
for name in moult-headless moult; do
	say "$name"
	deb=$(ls dist/"${name}"_*.deb)
	version=${deb#"dist/${name}_"}
	version=${version%_*.deb}
	cp "$deb" "$root/tmp/package.deb"
	inside apt-get -qq install -y --no-install-recommends /tmp/package.deb >/dev/null
	inside moult version | grep -F "moult $version" || { echo "the version is not stamped" >&2 && exit 1; }
	for file in /usr/share/man/man1/moult-update.1.gz /usr/share/bash-completion/completions/moult \
		/usr/share/zsh/vendor-completions/_moult /usr/share/fish/vendor_completions.d/moult.fish \
		/usr/lib/systemd/system/moult@.timer /usr/lib/systemd/system/moult@.service \
		"/usr/share/doc/$name/copyright" "/usr/share/doc/$name/licences.gz" "/usr/share/doc/$name/admins.md"; do
		[ -s "$root$file" ] || { echo "$name has no $file" >&2 && exit 1; }
	done
	inside bash -n /usr/share/bash-completion/completions/moult
	inside sh -euc '
		cd "$(mktemp -d)"
		mkdir v1 v2 && echo one >v1/index.php && echo two >v2/index.php
		moult publish init releases --quiet
		moult publish add releases --version 1.0.0 --tree v1 --quiet
		moult publish add releases --version 1.1.0 --tree v2 --quiet
		cp -r v1 site
		moult init site --url "file://$PWD/releases/" --root releases/root.json --quiet
		moult update site --yes --quiet
		grep two site/index.php
		moult rollback site --yes --quiet
		grep one site/index.php'
	if [ "$name" = moult ]; then
		[ -s "$root/usr/share/applications/org.moult.Moult.desktop" ]
		[ -s "$root/usr/share/icons/hicolor/scalable/apps/org.moult.Moult.svg" ]
	else
		! inside ldd /usr/bin/moult 2>/dev/null || { echo "the program for servers is not static" >&2 && exit 1; }
	fi
	inside apt-get -qq purge -y "$name" >/dev/null
	left=$(find "$root/usr" "$root/etc" -path '*moult*')
	[ -z "$left" ] || { echo "left behind: $left" >&2 && exit 1; }
done
say "the packages install, work and leave nothing behind on Debian $suite"
