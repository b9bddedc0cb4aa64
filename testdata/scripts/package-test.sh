#!/bin/sh
# package-test.sh: installs the packages of dist in a clean Debian and uses them: the
# program starts, a site is updated and rolled back, the pages of the manual are read,
# bash, zsh and fish complete, systemd takes the units, and after the removal nothing is
# left. Then the packages are built again from a clone elsewhere and have to be the same.
# It needs root, debootstrap and the network; the clean system is kept in .cache for the
# next time.
set -eu
cd "$(dirname "$0")/../.."
. testdata/scripts/clean.sh
suite=${SUITE:-bookworm}
clean "$suite" bash-completion,zsh,fish,man-db,systemd

# completes WHERE COMMAND…: the command has to print what "moult publish ro" can become.
completes() {
	where=$1
	shift
	found=$("$@") || found="it failed: $found"
	for word in rollout rotate; do
		case $found in *$word*) ;; *) echo "$word is not completed $where: $found" >&2 && exit 1 ;; esac
	done
}

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
	for page in "$root"/usr/share/man/man1/moult*; do
		complaints=$(inside man --warnings -l "${page#"$root"}" 2>&1 >/dev/null)
		[ -z "$complaints" ] || { echo "$page: $complaints" >&2 && exit 1; }
	done
	completes "in bash" inside bash -c '
		compopt() { :; } # which is for a shell that somebody types in
		. /usr/share/bash-completion/bash_completion
		. /usr/share/bash-completion/completions/moult
		COMP_WORDS=(moult publish ro) COMP_CWORD=2 COMP_LINE="moult publish ro" COMP_POINT=16
		__start_moult && printf "%s\n" "${COMPREPLY[@]}"'
	completes "in fish" inside fish -c 'complete -C "moult publish ro"'
	completes "in zsh" inside zsh -c '
		zmodload zsh/zpty && zpty shell zsh -f -i
		zpty -w shell "autoload -Uz compinit && compinit -u"
		zpty -w -n shell "moult publish ro"$'"'\\t\\t'"'
		for i in {1..50}; do sleep 0.1; ! zpty -r -t shell text || print -r -- $text; done'
	inside systemd-analyze verify --man=no /usr/lib/systemd/system/moult@.service /usr/lib/systemd/system/moult@.timer
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

if [ -n "$(git status --porcelain)" ]; then
	say "not built again: the packages are not those of a commit"
	exit 0
fi
git clone -q . "$root/again"
(cd "$root/again" && git checkout -q "$(git -C "$OLDPWD" rev-parse HEAD)" && sh testdata/scripts/package.sh "$version" >/dev/null)
cmp dist/SHA256SUMS "$root/again/dist/SHA256SUMS"
say "built again elsewhere, they are the same"
